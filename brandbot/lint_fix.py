"""Takes examples that contradict the documents out of their files: ``brandbot check NAME --fix``.

What is taken out is first written, whole, to ``removed/``, then each file is copied beside itself,
then replaced: a crash at any point leaves every example in one of these at least. All other bytes
of a file stay as they are: encoding, mark, separators, line ends.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Literal

from brandbot import examples as example_files
from brandbot import tables
from brandbot.disk import fsync, write_whole
from brandbot.errors import PersonaError, Problem
from brandbot.examples import Example, Reading
from brandbot.examples_markdown import HEADING, RULE, is_reply_label
from brandbot.lint import Check
from brandbot.lint_contradictions import Contradiction

Reason = Literal["excel", "changed", "tangled"]
"""Why an example stays: it is in a sheet; its file is not as it was read; or the file could not be
read the same without it, as where a table's rows are cut wrongly."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


@dataclass(frozen=True)
class Taken:
    """An example that is taken out, with its text as it stands in the file."""

    contradiction: Contradiction
    text: str

    def to_json(self, day: date) -> dict[str, Any]:
        """The example in the form it can be put back in, and where and why it was taken out."""
        found = self.contradiction
        example = found.example
        said: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.content} for m in example.messages]
        }
        if len(example.messages) == 2:
            said = {"prompt": example.prompt, "completion": example.reply}
        return {
            **said,
            "file": example.file,
            "line": example.line,
            "text": self.text,
            "said": found.said,
            "document": found.source,
            "document_says": found.fact,
            "removed": day.isoformat(),
        }


@dataclass(frozen=True)
class Cut:
    """A file of examples as it is and as it will be."""

    file: Path
    before: bytes
    after: bytes
    taken: list[Taken]


@dataclass
class Plan:
    """What would be done to a persona's examples, and what would have to be done by hand."""

    folder: Path
    language: str
    cuts: list[Cut] = field(default_factory=list)
    left: list[tuple[Contradiction, Reason]] = field(default_factory=list)

    @property
    def taken(self) -> list[Taken]:
        return [taken for cut in self.cuts for taken in cut.taken]

    def to_json(self) -> dict[str, Any]:
        def place(found: Contradiction) -> dict[str, Any]:
            example = found.example
            return {"file": example.file, "line": example.line, "said": found.said}

        return {
            "examples": [place(taken.contradiction) for taken in self.taken],
            "by_hand": [{**place(found), "reason": reason} for found, reason in self.left],
        }


@dataclass(frozen=True)
class Done:
    """The file that holds what was taken out, and the copy of each changed file."""

    removed: Path
    backups: list[Path]

    def to_json(self) -> dict[str, Any]:
        return {"removed": str(self.removed), "backups": [str(file) for file in self.backups]}


def plan(check: Check) -> Plan:
    """What would be taken out; writes nothing."""
    found = Plan(check.folder, check.language)
    by_file: dict[str, list[Contradiction]] = {}
    for contradiction in check.contradictions:
        by_file.setdefault(contradiction.example.file, []).append(contradiction)
    for name, contradictions in by_file.items():
        file = check.folder / "examples" / name
        read = _FORMATS.get(file.suffix.lower())
        reason: Reason | None = None
        if read is None or not file.is_file():  # a sheet's name is not its file's
            reason = "excel"
        else:
            cut = _cut(file.resolve(), name, contradictions, *read)
            if isinstance(cut, Cut):
                found.cuts.append(cut)
            else:
                reason = cut
        if reason is not None:
            found.left += [(contradiction, reason) for contradiction in contradictions]
    return found


def apply(plan: Plan, day: date) -> Done:
    """Takes out what is planned. Raises PersonaError if a file changed since."""
    changed = [cut.file.name for cut in plan.cuts if cut.file.read_bytes() != cut.before]
    if changed:
        problems = [Problem("error", "changed-meanwhile", name) for name in changed]
        raise PersonaError(plan.folder, problems, plan.language)
    rows = [json.dumps(taken.to_json(day), ensure_ascii=False) for taken in plan.taken]
    copies = plan.folder / "removed"
    copies.mkdir(exist_ok=True)
    fsync(plan.folder)
    names = (f"{day.isoformat()}-{number}.jsonl" for number in count(1))
    removed = _write_new(copies, names, "".join(f"{row}\n" for row in rows).encode())
    backups = [_write_new(cut.file.parent, _backups(cut.file.name), cut.before)
               for cut in plan.cuts]  # fmt: skip
    for cut in plan.cuts:
        write_whole(cut.file, cut.after)
    return Done(removed, backups)


# --- Writing --------------------------------------------------------------------------------------


def _backups(name: str) -> Iterator[str]:
    yield f"{name}.bak"
    yield from (f"{name}.{number}.bak" for number in count(2))


def _write_new(folder: Path, names: Iterable[str], raw: bytes) -> Path:
    """Writes a file under the first name that is free, flushed to disk; never over another."""
    for name in names:
        file = folder / name
        try:
            stream = file.open("xb")
        except FileExistsError:
            continue
        try:
            with stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
            fsync(folder)
        except BaseException:
            file.unlink()
            raise
        return file
    raise AssertionError("names never end")


# --- Where an example stands in its file ----------------------------------------------------------

Ends = Callable[[str], dict[int, int]]
"""From a file's text to the line after the last of each example, by the line it starts at."""

Read = Callable[[bytes, str, Reading], None]


def _cut(
    file: Path, name: str, contradictions: Sequence[Contradiction], read: Read, ends: Ends
) -> Cut | Reason:
    raw = file.read_bytes()
    before = Reading()
    read(raw, name, before)
    if not all(found.example in before.examples for found in contradictions):
        return "changed"
    decoded = _decoded(raw)
    if decoded is None:
        return "tangled"
    mark, encoding, text = decoded
    lines = _LINE.findall(text)
    after_line = ends(tables.decode(raw, name, []))
    taken: list[Taken] = []
    gone: set[int] = set()
    for found in contradictions:
        start = found.example.line or 0
        end = after_line.get(start, start)
        if start == end:
            return "tangled"
        gone.update(range(start - 1, end - 1))
        taken.append(Taken(found, "".join(lines[start - 1 : end - 1])))
    kept = "".join(line for number, line in enumerate(lines) if number not in gone)
    after = mark + kept.encode(encoding)
    out = [found.example for found in contradictions]
    left = [example for example in before.examples if example not in out]
    if not _reads(after, name, read, left, before.problems):
        return "tangled"
    return Cut(file, raw, after, taken)


def _reads(
    raw: bytes, name: str, read: Read, expected: Sequence[Example], problems: Sequence[Problem]
) -> bool:
    """Whether a file still holds the expected examples, and no problem that it did not have."""
    reading = Reading()
    read(raw, name, reading)
    same = [(e.messages, e.facts) for e in reading.examples] == [
        (e.messages, e.facts) for e in expected
    ]
    known = Counter(problem.code for problem in problems)
    return same and Counter(problem.code for problem in reading.problems) <= known


def _decoded(raw: bytes) -> tuple[bytes, str, str] | None:
    """Byte order mark, encoding and text; None if the text would not give the same bytes again.

    What is neither UTF-8 nor UTF-16 is read as Latin-1, where every byte is a letter.
    """
    mark = next((m for m in (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf") if raw.startswith(m)), b"")
    encoding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(mark, "utf-8")
    if encoding == "utf-8":
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            mark, encoding = b"", "latin-1"
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        return None
    return (mark, encoding, text) if mark + text.encode(encoding) == raw else None


def _json_ends(text: str) -> dict[int, int]:
    return {number: number + 1 for number, _ in enumerate(text.split("\n"), 1)}


def _csv_ends(text: str) -> dict[int, int]:
    problems: list[Problem] = []
    starts = {line for line, _ in tables.csv_rows(text, "", problems)}
    starts |= {problem.line for problem in problems if problem.line is not None}
    ordered = [*sorted(starts), text.count("\n") + 2]
    return dict(pairwise(ordered))


def _markdown_ends(text: str) -> dict[int, int]:
    """An example ends after its last line of text and the empty lines that follow.

    Comments and rules after it stay: they may belong to what comes next.
    """
    bare = tables.without_comments(text, "", []).split("\n")
    lines = text.split("\n")
    ends: dict[int, int] = {}
    heading, last, fenced = 0, 0, False
    for number, line in enumerate([*bare, "# "], 1):
        fenced ^= line.lstrip().startswith("```")
        title = None if fenced else HEADING.match(line)
        label = title is not None and last == heading and is_reply_label(title.group(2), [])
        if number > len(bare) or (title and not label):
            while heading and last < len(lines) and not lines[last].strip():
                last += 1
            if heading:
                ends[heading] = min(last + 1, number)
            heading = number
            last = number
        elif line.strip() and (fenced or not RULE.fullmatch(line)):
            last = number
    return ends


_FORMATS: dict[str, tuple[Read, Ends]] = {
    ".jsonl": (example_files.read_jsonl, _json_ends),
    ".csv": (example_files.read_csv, _csv_ends),
    ".tsv": (example_files.read_csv, _csv_ends),
    ".md": (example_files.read_markdown, _markdown_ends),
}
