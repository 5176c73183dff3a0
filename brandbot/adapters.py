"""Versions: immutable, numbered folders, each complete or not there.

A version is written beside its place, flushed to disk and renamed; afterwards nothing in it
changes. ``version.json`` holds a hash of every other file, and loading checks them. Which version
is served is one line in the file ``live``; ``history.jsonl`` remembers how it came to be. ``last``
holds the last number that was given: a deleted version's is never given again.

This module does not know how a version is trained or served.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from brandbot.disk import fsync, fsync_folder, write_pointer
from brandbot.errors import VersionError
from brandbot.models import BaseModel, file_sha256
from brandbot.persona import Persona
from brandbot.prompt import PromptFormat

ROLLBACK = "rollback"
"""What the history calls going back, and the reason it keeps for it."""

FORMAT = 1
WEIGHTS = {"lora": "adapter_model.safetensors", "full": "model.safetensors"}
# Formats that can run code when they are read; their mere presence is refused.
PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".py"})


@dataclass(frozen=True)
class Version:
    """A published version, checked: its files are the ones that were published."""

    folder: Path
    meta: dict[str, Any]

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def method(self) -> Literal["lora", "full"]:
        method: Literal["lora", "full"] = self.meta["method"]
        return method

    @property
    def gguf(self) -> Path | None:
        file = self.folder / ("adapter.gguf" if self.method == "lora" else "model.gguf")
        return file if file.is_file() else None

    @cached_property
    def persona(self) -> Persona:
        """The persona as it was when this version was trained, which is what it is served with."""
        frozen = Persona.load(self.folder)
        config = frozen.config
        if "reranker" not in config.knowledge.model_fields_set:  # from before there was one
            without = config.knowledge.model_copy(update={"reranker": False})
            config = config.model_copy(update={"knowledge": without})
        return Persona(Path(self.meta["persona"]), config, frozen.voice)

    @property
    def template(self) -> str:
        return (self.folder / "chat_template.jinja").read_bytes().decode("utf-8")

    def prompt_format(self, base: BaseModel) -> PromptFormat:
        """The prompt format it was trained with, checked against the base it is to run on."""
        if base.sha256 != self.meta["base_sha256"]:
            raise VersionError(
                f"Version {self.name} of {self.meta['persona']} was trained on "
                f"{self.meta['base_model']} ({self.meta['base_sha256'][:12]}), but the base model "
                f"here is {base.name} ({base.sha256[:12]}). Train again on this base, or restore "
                "the one it was trained on."
            )
        prompt_format = base.prompt_format(self.template)
        expected = self.meta["prompt_fingerprint"]
        found = prompt_format.fingerprint(self.persona.system_prompt)
        if found != expected:
            raise VersionError(
                f"Version {self.name} of {self.meta['persona']} was trained with the prompt form "
                f"{expected}, but this program and its files make {found}. It would be served "
                "prompts it never saw; train it again."
            )
        return prompt_format


class AdapterStore:
    """The versions of one persona, in ``<home>/adapters/<persona>/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def numbers(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        names = (entry.name for entry in self.folder.iterdir())
        return sorted(int(name) for name in names if re.fullmatch(r"\d{4,}", name))

    def get(self, number: int) -> Version:
        """A version, its files checked against their hashes; VersionError names what differs."""
        folder = self._path(number)
        if not folder.is_dir():
            known = ", ".join(f"{n:04d}" for n in self.numbers())
            there = f"there: {known}" if known else "none yet: brandbot train makes the first"
            raise VersionError(f"There is no version {number:04d} in {self.folder} ({there}).")
        return Version(folder, _verify(folder))

    def live_number(self) -> int | None:
        """The number the live pointer names, or None."""
        return _pointer(self.folder / "live")

    def live(self) -> Version | None:
        """The version that is served, or None if the persona has none."""
        number = self.live_number()
        return None if number is None else self.get(number)

    def newest_sound(self) -> Version | None:
        """The live version or, if its files are damaged, the last one before it that is whole.

        Only what was live is served: another may have been refused.
        """
        number = self.live_number()
        if number is None:
            return None
        before = [been for been in self._been_live() if been < number]
        for candidate in [number, *reversed(before)]:
            try:
                return self.get(candidate)
            except VersionError:
                continue
        return None

    @contextmanager
    def publishing(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Gives a folder and a dict to fill; publishes them as the next version when left.

        On an error, or if the process dies, no version appears.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".publishing-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=".publishing-", dir=self.folder))
        meta: dict[str, Any] = {}
        try:
            yield scratch, meta
            number = self._next()
            files = sorted(
                f.relative_to(scratch).as_posix() for f in scratch.rglob("*") if f.is_file()
            )
            record = {
                "format": FORMAT,
                "version": f"{number:04d}",
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                **meta,
                "files": {file: file_sha256(scratch / file) for file in files},
            }
            text = json.dumps(record, indent=2, ensure_ascii=False)
            (scratch / "version.json").write_text(text, encoding="utf-8")
            fsync_folder(scratch)
            scratch.chmod(0o755)
            write_pointer(self.folder / "last", f"{number:04d}")
            scratch.rename(self._path(number))
            fsync(self.folder)
            meta["version"] = f"{number:04d}"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def promote(self, number: int, *, reason: str = "", forced: bool = False) -> Version:
        """Makes a version live, after checking its files; the switch is one rename.

        Whether it is good enough is the gate's question (``evaluation.promotion``). The history
        keeps when, who, why, and whether the gate was overruled.
        """
        return self._switch(number, "promotion", reason, forced)

    def _switch(self, number: int, kind: str, reason: str, forced: bool) -> Version:
        version = self.get(number)
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "kind": kind,
            "version": version.name,
            "before": self.live_number(),
            "reason": reason,
            "who": whoever(),
            "forced": forced,
        }
        history = self.folder / "history.jsonl"
        # Written first: a crash in between leaves an entry too many, never one too few.
        torn = history.is_file() and not history.read_bytes().endswith(b"\n")
        with history.open("a", encoding="utf-8") as stream:
            stream.write(("\n" if torn else "") + json.dumps(entry, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        write_pointer(self.folder / "live", version.name)
        return version

    def rollback(self) -> Version:
        """Makes the version live that was before this one; a second time, the one before that.

        Damaged ones are passed over.
        """
        live = self.live_number()
        for number in reversed([one for one in self._been_live() if one != live]):
            try:
                return self._switch(number, ROLLBACK, ROLLBACK, False)
            except VersionError:
                continue
        raise VersionError(
            "No version is live, so there is none to go back to. Serve one: brandbot promote"
            if live is None
            else f"There is no whole version before {live:04d} to go back to. brandbot versions "
            "shows all; brandbot promote serves one of them."
        )

    def _been_live(self) -> list[int]:
        """Versions that were live, the last last, without those that were gone back from."""
        live, been = self.live_number(), list[int]()
        history = self.history()
        if history and history[0]["before"] is not None:
            been.append(int(history[0]["before"]))
        # What was live after each entry. One that says otherwise of itself stopped half way.
        after = [*(entry["before"] for entry in history[1:]), live][: len(history)]
        for entry, number in zip(history, after, strict=True):
            if number is None:
                continue
            if went_back(entry) and int(entry["version"]) == number and number in been:
                del been[been.index(number) :]
            been = [*(one for one in been if one != number), number]
        return been

    def history(self) -> list[dict[str, Any]]:
        try:
            lines = (self.folder / "history.jsonl").read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        entries = []
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:  # the last line of a process that died while writing
                continue
        return entries

    def _next(self) -> int:
        """One more than any number that was given, also to a version whose folder was deleted.

        Else what is known of the deleted one, that it is live above all, would become another's.
        """
        given = [0, *self.numbers(), *(int(entry["version"]) for entry in self.history())]
        for name in ("live", "last"):
            with suppress(VersionError):  # a damaged one is told where it is read to serve
                given.append(_pointer(self.folder / name) or 0)
        return max(given) + 1

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}"


MEND = "Write into it a version's number, in one line, or restore it from a backup."


def went_back(entry: dict[str, Any]) -> bool:
    """Whether an entry of the history is a rollback; old ones have no kind, and tell by reason."""
    return bool(entry.get("kind", entry.get("reason")) == ROLLBACK)


def _pointer(file: Path) -> int | None:
    """The number that a one-line file names, or None if there is none."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise VersionError(f"{file} can't be read: {error}. {MEND}") from error
    if not text.isdigit():
        raise VersionError(
            f"{file} should name a version such as 0001, but holds {text[:20]!r}. {MEND}"
        )
    return int(text)


def _verify(folder: Path) -> dict[str, Any]:
    """Checks every file of a version folder; VersionError names all that differ."""
    try:
        meta: dict[str, Any] = json.loads((folder / "version.json").read_text(encoding="utf-8"))
        listed: dict[str, str] = dict(meta["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VersionError(
            f"{folder} is no version: version.json can't be read ({error}). Train again, or "
            "restore the folder from a backup."
        ) from error
    if meta.get("format") != FORMAT:
        raise VersionError(
            f"{folder} was written by another brandbot (format {meta.get('format')}, this one "
            f"reads {FORMAT}). Update brandbot or train again."
        )
    wrong = []
    present = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    for file in sorted(present):
        if Path(file).suffix.lower() in PICKLES:
            wrong.append(f"{file} is in a format that can run code; only safetensors are loaded")
    for file in sorted(present - set(listed) - {"version.json", "report.json"}):
        if not Path(file).name.startswith("."):  # what systems leave in every folder
            wrong.append(f"{file} was not published with it")
    for file, expected in listed.items():
        if file not in present:
            wrong.append(f"{file} is missing")
        elif file_sha256(folder / file) != expected:
            wrong.append(f"{file} was changed or damaged")
    weights = WEIGHTS.get(str(meta.get("method")))
    if weights is None or weights not in listed:
        wrong.append(f"it lists no weights ({weights or 'unknown method'})")
    if wrong:
        raise VersionError(
            f"Version {folder.name} in {folder.parent} is refused: {'; '.join(wrong)}. "
            "Train again, or restore the folder from a backup."
        )
    return meta


def whoever() -> str:
    """The name of the person at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
