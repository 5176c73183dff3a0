"""Documents become an index: passages, their vectors in FAISS, their words for BM25.

A build is a numbered folder, complete or not there, with a hash of every file; ``current`` names
the one that is searched. What has not changed since the build before is neither read nor embedded
again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot.disk import fsync, fsync_folder, write_pointer, write_whole
from brandbot.errors import KnowledgeError, MissingExtraError, Problem
from brandbot.knowledge import documents, passages, unfinished
from brandbot.knowledge.embedder import Embedder, embedder_name
from brandbot.knowledge.lexical import Lexical
from brandbot.knowledge.passages import Passage
from brandbot.knowledge.weight import Measured, measure_embedder
from brandbot.knowledge.words import Words
from brandbot.models import file_sha256
from brandbot.tables import people_files

if TYPE_CHECKING:
    from brandbot.knowledge.embedder import Vectors

FORMAT = 6
"""Counts up when passages, words or files of a build change: old builds are made anew."""

EXACT_UP_TO = 4_000
"""Passages up to which every vector is compared in full."""

HALF_UP_TO = 60_000
"""Passages up to which every vector is compared, in half precision; above, by lists (IVF)."""

KEPT = 2
"""Builds that stay: the current one, and the one before for when that is damaged."""

LITTLE = 0.1
"""Share of new passages up to which what was measured of the embedder stays what it was."""

READ_AGAIN = 5
"""How often a file that changes while it is read is read again."""

BATCH = 256
"""Passages embedded between two steps of the progress bar."""

Progress = Callable[[int, int], None]


@dataclass
class Built:
    """What a build did, in documents; ``embedded`` passages of ``passages`` are new."""

    build: str
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    passages: int = 0
    embedded: int = 0
    problems: list[Problem] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Build:
    """A build on disk whose files were checked."""

    folder: Path
    manifest: dict[str, Any]

    def read_passages(self) -> list[Passage]:
        text = (self.folder / "passages.jsonl").read_text(encoding="utf-8")
        return [Passage.from_json(json.loads(line)) for line in text.splitlines()]


class IndexStore:
    """The builds of one persona, in ``<home>/knowledge/<persona>/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current_name(self) -> str | None:
        """The build that ``current`` names, unchecked; cheap enough to ask before each reply."""
        try:
            name = (self.folder / "current").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return name if re.fullmatch(r"\d{6}", name) else None

    def current(self) -> Build | None:
        """The current build; if it is damaged, the newest sound one. None if there is none."""
        name = self.current_name()
        names = [name] if name else []
        names += [other for other in reversed(self.names()) if other != name]
        for candidate in names:
            try:
                return self.get(candidate)
            except KnowledgeError:
                continue
        return None

    def names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(p.name for p in self.folder.iterdir() if re.fullmatch(r"\d{6}", p.name))

    def get(self, name: str) -> Build:
        """A build, its files checked against their hashes; KnowledgeError names what differs."""
        folder = self.folder / name
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            seal = manifest.pop("sha256", "")
            if manifest["format"] != FORMAT:
                raise KnowledgeError(f"Index {name} is in the form of another brandbot.")
            files: dict[str, str] = dict(manifest["files"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KnowledgeError(f"Index {name} can't be read: {error}") from error
        if seal != _sha256_of(manifest):
            raise KnowledgeError(f"Index {name} is damaged: manifest.json.")
        wrong = [
            file for file, expected in files.items()
            if not (folder / file).is_file() or file_sha256(folder / file) != expected
        ]  # fmt: skip
        if wrong:
            raise KnowledgeError(f"Index {name} is damaged: {', '.join(wrong)}.")
        return Build(folder, manifest)

    def publish(self, write: Callable[[Path], dict[str, Any]]) -> str:
        """Publishes what ``write`` puts into a folder, with the manifest it returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".building-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
        try:
            manifest = write(scratch)
            files = sorted(p.relative_to(scratch).as_posix() for p in scratch.rglob("*")
                           if p.is_file())  # fmt: skip
            manifest["files"] = {file: file_sha256(scratch / file) for file in files}
            (scratch / "manifest.json").write_text(_sealed(manifest), encoding="utf-8")
            fsync_folder(scratch)
            names = self.names()
            name = f"{(int(names[-1]) if names else 0) + 1:06d}"
            scratch.chmod(0o755)
            scratch.rename(self.folder / name)
            fsync(self.folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        write_pointer(self.folder / "current", name)
        for old in self.names()[:-KEPT]:
            shutil.rmtree(self.folder / old, ignore_errors=True)
        return name


def _sealed(manifest: dict[str, Any]) -> str:
    """A manifest as it is stored: with a hash of itself, for it says how the rest is read."""
    return json.dumps({**manifest, "sha256": _sha256_of(manifest)}, indent=1)


def _sha256_of(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def build(
    documents_folder: Path,
    store: IndexStore,
    embedder: Callable[[], Embedder],
    embedder_setting: str,
    language: str,
    progress: Progress = lambda _done, _total: None,
) -> Built:
    """Brings the index up to date with the documents, and says what changed.

    ``embedder`` is only called if something has to be embedded. Problems of single files are in the
    result; what could be read is indexed. Raises KnowledgeError, ModelError, MissingExtraError.
    """
    from filelock import FileLock

    try:
        if documents_folder.is_dir():
            next(documents_folder.iterdir(), None)
    except OSError as error:  # else every document would seem to be gone
        reason = error.strerror or str(error)
        raise KnowledgeError(f"{documents_folder} can't be read: {reason}.") from error
    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(str(store.folder / "lock")):
        return _build(documents_folder, store, embedder, embedder_setting, language, progress)


def is_current(
    documents_folder: Path, store: IndexStore, embedder_setting: str, language: str
) -> bool:
    """Whether the current build was made from just these files, by size and date."""
    before = _before(store, embedder_setting, language)
    if before is None:
        return not people_files(documents_folder)
    known: dict[str, Any] = before.manifest["documents"]
    files = people_files(documents_folder)
    return known.keys() == files.keys() and all(
        _state(file) == known[name]["state"] for name, file in files.items()
    )


def _build(
    folder: Path, store: IndexStore, embedder: Callable[[], Embedder], setting: str,
    language: str, progress: Progress,
) -> Built:  # fmt: skip
    before = _before(store, setting, language)
    known: dict[str, Any] = before.manifest["documents"] if before else {}
    old = before.read_passages() if before else []
    old_of: dict[str, list[Passage]] = {}
    for passage in old:
        old_of.setdefault(passage.file, []).append(passage)
    told: list[Problem] = []
    files = people_files(folder, told)
    built = Built(before.folder.name if before else "")
    built.removed = sorted(set(known) - set(files))
    entries: dict[str, Any] = {}
    kept: list[Passage] = []
    opened = functools.cache(embedder)  # only when it is needed, and once
    for name, file in files.items():
        entry = known.get(name)
        entries[name], new = _looked_at(name, file, entry, opened)
        if new is None:
            built.unchanged.append(name)
        else:
            (built.changed if entry else built.added).append(name)
        kept += old_of.get(name, []) if new is None else new
    built.problems = told + [p for e in entries.values() for p in map(_problem, e["problems"])]
    built.passages = len(kept)
    if before and not (built.added or built.changed or built.removed):
        unfinished.drop(store.folder)
        if entries != known:  # a file was saved as it was: it need not be read again
            manifest = {**before.manifest, "documents": entries}
            write_whole(before.folder / "manifest.json", _sealed(manifest))
        return built
    vectors, built.embedded = _vectors(
        store.folder, before, old, kept, opened, embedder_name(setting, language), progress
    )
    words = Words(language)
    if before is not None and built.embedded <= LITTLE * len(kept) and kept:
        measured = Measured(before.manifest["meaning"], before.manifest["floor"])
    else:
        measured = measure_embedder(kept, opened(), words)
    manifest = {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "setting": setting,
        "embedder": embedder_name(setting, language),
        "language": language,
        "passages": len(kept),
        "meaning": round(measured.meaning, 3),
        "floor": round(measured.floor, 3),
        "documents": entries,
    }

    def write(scratch: Path) -> dict[str, Any]:
        _write(scratch, kept, vectors, words)
        return manifest

    built.build = store.publish(write)
    unfinished.drop(store.folder)
    return built


def _looked_at(
    name: str, file: Path, entry: dict[str, Any] | None, embedder: Callable[[], Embedder]
) -> tuple[dict[str, Any], list[Passage] | None]:
    """What the manifest says of a file from now on, and its passages unless they are as before."""
    if entry and entry["state"] == _state(file):
        return entry, None
    try:
        raw, state = _read(file)
    except OSError as error:
        values = {"reason": error.strerror or str(error)}
        return _entry([0, 0], "", [Problem("error", "unreadable", name, None, values)]), []
    digest = hashlib.sha256(raw).hexdigest()
    if entry and entry["sha256"] == digest:  # saved as it was
        return {**entry, "state": state}, None
    document = documents.read(raw, name)
    found = _unlike(passages.of(document, embedder().tokens))
    return _entry(state, digest, document.problems), found


def _before(store: IndexStore, setting: str, language: str) -> Build | None:
    """The current build, if it was made as one would be made now."""
    build = store.current()
    if build is None:
        return None
    made = build.manifest
    same = made["setting"] == setting and made["language"] == language
    return build if same and made["embedder"] == embedder_name(setting, language) else None


def _state(file: Path) -> list[int]:
    try:
        found = file.stat()
    except OSError:
        return [0, 0]
    return [found.st_size, found.st_mtime_ns]


def _read(file: Path) -> tuple[bytes, list[int]]:
    """A file as it stood at one moment: read again if it changed meanwhile."""
    for _ in range(READ_AGAIN):
        before = _state(file)
        if before[0] > documents.LARGEST:
            with file.open("rb") as stream:  # the reader says that it is too large
                return stream.read(documents.LARGEST + 1), before
        raw = file.read_bytes()
        if _state(file) == before and len(raw) == before[0]:
            return raw, before
    return raw, [0, 0]  # still being written: the next build reads it again


def _entry(state: list[int], digest: str, problems: Sequence[Problem]) -> dict[str, Any]:
    return {"state": state, "sha256": digest, "problems": [asdict(problem) for problem in problems]}


def _problem(row: dict[str, Any]) -> Problem:
    """A problem that a build before found, from its manifest."""
    return Problem(row["severity"], row["code"], row["file"], row["line"], row["values"])


def _unlike(found: Sequence[Passage]) -> list[Passage]:
    """The passages, without those that say the same in the same place, at the same time."""
    return list({(p.id, p.valid_from, p.valid_until): p for p in found}.values())


def _vectors(
    folder: Path, before: Build | None, old: Sequence[Passage], kept: Sequence[Passage],
    embedder: Callable[[], Embedder], name: str, progress: Progress,
) -> tuple[Vectors, int]:  # fmt: skip
    """The vectors of ``kept``, and how many are new; the embedder is opened for those only.

    The others are from the build before, or from one that was stopped. If this one is stopped,
    ``folder`` keeps what it had.
    """
    import numpy as np

    made = unfinished.kept(folder, name)
    known: dict[str, Vectors] = {}
    if before is not None and old and before.manifest["embedder"] == name:
        index = read_faiss(before.folder / "index.faiss")
        every: Vectors = index.reconstruct_n(0, index.ntotal)
        known = {passage.id: vector for passage, vector in zip(old, every, strict=True)}
    # The longest first: those of a batch are padded to its longest.
    fresh = sorted(
        (passage for passage in kept if passage.id not in known and passage.id not in made),
        key=lambda passage: -len(passage.embedded),
    )
    try:
        for start in range(0, len(fresh), BATCH):
            progress(start, len(fresh))
            batch = fresh[start : start + BATCH]
            vectors = embedder().embed([passage.embedded for passage in batch])
            made |= {passage.id: vector for passage, vector in zip(batch, vectors, strict=True)}
    except BaseException:
        with contextlib.suppress(OSError):  # what stopped it is what matters
            unfinished.keep(folder, name, made)
        raise
    progress(len(fresh), len(fresh))
    rows = [known.get(passage.id, made.get(passage.id)) for passage in kept]
    return np.array(rows, np.float32).reshape(len(kept), -1 if kept else 0), len(fresh)


def _write(folder: Path, kept: Sequence[Passage], vectors: Vectors, words: Words) -> None:
    with (folder / "passages.jsonl").open("w", encoding="utf-8") as stream:
        for passage in kept:
            stream.write(json.dumps(passage.to_json(), ensure_ascii=False) + "\n")
    if not kept:
        return
    import faiss

    faiss.write_index(faiss_index(vectors), str(folder / "index.faiss"))
    Lexical.of([passage.embedded for passage in kept], words).save(folder / "bm25")


def faiss_index(vectors: Vectors) -> Any:
    """The index that is fast for so many vectors (benchmarks/search.py); by inner product."""
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError("faiss-cpu", "knowledge", "Looking facts up") from error
    count, width = vectors.shape
    index: Any
    if count <= EXACT_UP_TO:
        index = faiss.IndexFlatIP(width)
    elif count <= HALF_UP_TO:
        index = faiss.IndexScalarQuantizer(
            width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
    else:
        lists = 1 << (int(4 * count**0.5).bit_length() - 1)
        index = faiss.index_factory(width, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    if hasattr(index, "make_direct_map"):  # rows can be read back
        index.make_direct_map()
    return index


def read_faiss(file: Path) -> Any:
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError("faiss-cpu", "knowledge", "Looking facts up") from error
    return faiss.read_index(str(file))
