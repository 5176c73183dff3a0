"""Style examples, and the readers of each file format.

A reader takes a file as people write it and returns examples and problems; a problem in one row
never costs another row. Knows nothing of models or training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from brandbot.errors import Problem, Severity
from brandbot.examples_markdown import conversations
from brandbot.examples_tables import exchanges, passed_over
from brandbot.prompt import Message, joined
from brandbot.tables import (
    FACT_NAMES,
    OTHERS_FACTS,
    PROMPT_NAMES,
    REPLY_NAMES,
    column_of,
    csv_rows,
    decode,
    header_name,
    json_rows,
    kind,
    people_files,
)
from brandbot.tables import normalise as normalise  # what makes two prompts the same
from brandbot.workbooks import sheets, shown

Split = Literal["train", "valid", "test"]
SIDES: tuple[Split, ...] = ("train", "valid", "test")

TEST_SHARE = 0.15
VALID_SHARE = 0.10

PROVENANCE = "provenance"
"""Key of a JSON line that says which conversation an example came from, and who approved it."""

FROM_CONVERSATIONS = "from-conversations.jsonl"
"""The file that approved exchanges are appended to."""

SAMPLE_MARKS = ("[sample]", "[muestra]")
"""What the examples of a new persona begin with, so that they are not trained by mistake."""

ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
}


@dataclass(frozen=True)
class Example:
    """One conversation that ends in the reply the brand would give.

    ``messages`` alternate user and assistant. ``file`` is relative to ``examples/``, ``line`` the
    place it starts at (a row in a sheet). ``facts`` are what the last reply was given to know, as
    search would hand it over: a line each, ``Heading: text``. They teach how the brand uses facts;
    they are made up, since what is true is looked up. ``provenance`` is where a reviewed exchange
    came from; only its last reply was approved, so that the others count for nothing.
    """

    messages: tuple[Message, ...]
    file: str = ""
    line: int | None = None
    facts: tuple[str, ...] = ()
    provenance: Mapping[str, Any] | None = field(default=None, hash=False, compare=False)

    @property
    def prompt(self) -> str:
        """What the person said first."""
        return self.messages[0].content

    @property
    def reply(self) -> str:
        """The reply the conversation ends in."""
        return self.messages[-1].content

    @property
    def replies(self) -> list[str]:
        """What the brand said, as people who write for it approve of it."""
        if self.provenance is not None:
            return [self.reply]
        return [m.content for m in self.messages if m.role == "assistant"]

    @property
    def split(self) -> Split:
        """The side this example is on, forever: it hangs on a hash of its first message alone."""
        digest = hashlib.sha256(normalise(self.prompt).encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        if share < TEST_SHARE:
            return "test"
        return "valid" if share < TEST_SHARE + VALID_SHARE else "train"


@dataclass
class Reading:
    """What was found in an ``examples/`` folder."""

    examples: list[Example] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def split(self, side: Split) -> list[Example]:
        return [example for example in self.examples if example.split == side]


def fingerprint(examples: Sequence[Example]) -> str:
    """Names a set of examples by its words, whatever their order, files and lines."""
    rows = sorted(
        json.dumps(
            [[m.role, m.content] for m in e.messages]
            + [list(e.facts)] * bool(e.facts)
            + ["last"] * (e.provenance is not None)
        )
        for e in examples
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def read(folder: Path) -> Reading:
    """Every example in a folder's files, in the order of file names and lines."""
    reading = Reading()
    if not folder.is_dir():
        reading.problems.append(Problem("error", "no-examples-folder", folder.name))
        return reading
    for name, file in people_files(folder, reading.problems).items():
        reader = READERS.get(file.suffix.lower())
        if reader is None:
            values = {"suffix": file.suffix or name}
            reading.problems.append(Problem("warning", "unknown-format", name, None, values))
            continue
        before = len(reading.examples)
        try:
            reader(file.read_bytes(), name, reading)
        except OSError as error:
            values = {"reason": error.strerror or str(error)}
            reading.problems.append(Problem("error", "unreadable", name, None, values))
        places = (name, f"{name}[")  # a sheet's place is name[sheet]
        said = any(
            p.severity == "error" and (p.file == name or p.file.startswith(places[1]))
            for p in reading.problems
        )
        if len(reading.examples) == before and not said:
            reading.problems.append(Problem("warning", "no-examples-in-file", name))
    return reading


def _add(
    turns: Sequence[Message],
    file: str,
    line: int | None,
    reading: Reading,
    facts: Sequence[str] = (),
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Checks that a conversation is one, joins turns of the same speaker, and keeps it."""
    for turn in turns:
        if not turn.content.strip():
            code = "empty-reply" if turn.role == "assistant" else "empty-prompt"
            reading.problems.append(Problem("error", code, file, line))
            return
    messages = joined([Message(turn.role, turn.content.strip()) for turn in turns])
    if not messages or messages[0].role != "user":
        reading.problems.append(Problem("error", "starts-with-reply", file, line))
    elif messages[-1].role != "assistant":
        reading.problems.append(Problem("error", "ends-without-reply", file, line))
    else:
        kept = tuple(" ".join(fact.split()) for fact in facts if fact.strip())
        reading.examples.append(Example(tuple(messages), file, line, kept, provenance))


# --- JSON Lines ---------------------------------------------------------------------------------


def read_jsonl(raw: bytes, file: str, reading: Reading) -> None:
    """One JSON object a line: prompt/completion, ``messages`` or ShareGPT ``conversations``."""
    text = decode(raw, file, reading.problems)
    for number, row in json_rows(text, file, reading.problems):
        turns = _json_turns(row, file, number, reading)
        facts = _json_facts(row, file, number, reading)
        if turns is not None and facts is not None:
            _add(turns, file, number, reading, facts, _provenance(row, file, number, reading))
    doubtful: dict[Any, Problem] = {}  # the same keys in each line are told once
    for at, problem in enumerate(reading.problems):
        twice = problem.code in ("two-columns", "facts-column") and problem.file == file
        key = (problem.code, problem.values["column"]) if twice else at
        doubtful.setdefault(key, problem)
    reading.problems[:] = doubtful.values()


def _provenance(
    row: dict[str, Any], file: str, line: int, reading: Reading
) -> dict[str, Any] | None:
    """Where a row came from. A damaged note of it is none of anybody's: it counts for one person.

    Otherwise a slip of the hand would make an approved reply the brand's own.
    """
    origin = row.get(PROVENANCE)
    if origin is None or isinstance(origin, dict):
        return origin
    values = {"found": json.dumps(origin, ensure_ascii=False)[:40]}
    reading.problems.append(Problem("warning", "provenance-form", file, line, values))
    return {"author": "unknown"}


def _json_facts(row: dict[str, Any], file: str, line: int, reading: Reading) -> list[str] | None:
    """The row's facts, none if it has none; None after a problem."""
    key = next((key for key in row if header_name(str(key)) in FACT_NAMES), None)
    if key is None or row[key] is None:
        return []
    if header_name(str(key)) == OTHERS_FACTS:
        reading.problems.append(Problem("note", "facts-column", file, line, {"column": key}))
    text = _flat_text(row[key]) if row[key] else ""
    if text is None:
        values = {"key": key, "found": kind(row[key])}
        reading.problems.append(Problem("error", "not-text", file, line, values))
        return None
    return text.split("\n")


def _json_turns(
    row: dict[str, Any], file: str, line: int, reading: Reading
) -> list[Message] | None:
    keys = list(row)
    names = [header_name(str(key)) for key in keys]
    prompt_at, reply_at = column_of(names, PROMPT_NAMES), column_of(names, REPLY_NAMES)
    list_key = "messages" if row.get("messages") is not None else "conversations"
    listed = row.get(list_key)
    if listed is not None:
        other = prompt_at if prompt_at is not None else reply_at
        if other is not None:
            values = {"column": keys[other], "used": list_key}
            reading.problems.append(Problem("warning", "two-columns", file, line, values))
        return _listed_turns(list_key, listed, file, line, reading)
    if prompt_at is None or reply_at is None:
        values = {"found": ", ".join(map(str, row)) or "{}"}
        reading.problems.append(Problem("error", "json-keys", file, line, values))
        return None
    prompt_key, reply_key = keys[prompt_at], keys[reply_at]
    shown = [str(key) if row[key] else "" for key in keys]
    reading.problems += passed_over(names, shown, prompt_at, reply_at, file, line)
    texts = [_flat_text(row[prompt_key]), _flat_text(row[reply_key])]
    if texts[0] is None or texts[1] is None:
        key = prompt_key if texts[0] is None else reply_key
        values = {"key": key, "found": kind(row[key])}
        reading.problems.append(Problem("error", "not-text", file, line, values))
        return None
    return [Message("user", texts[0]), Message("assistant", texts[1])]


def _listed_turns(
    key: str, listed: Any, file: str, line: int, reading: Reading
) -> list[Message] | None:
    if not isinstance(listed, list):
        values = {"key": key, "found": kind(listed)}
        reading.problems.append(Problem("error", "not-list", file, line, values))
        return None
    turns: list[Message] = []
    for position, entry in enumerate(listed, 1):
        entry = entry if isinstance(entry, dict) else {}
        role = ROLES.get(str(entry.get("role", entry.get("from", ""))).lower())
        content = _flat_text(entry.get("content", entry.get("value")))
        if role is None or content is None:
            found = json.dumps(entry, ensure_ascii=False)[:80]
            where = {"position": position, "found": found}
            reading.problems.append(Problem("error", "bad-message", file, line, where))
            return None
        if role == "system":
            reading.problems.append(Problem("note", "system-ignored", file, line))
            continue
        turns.append(Message(role, content))
    return turns


def _flat_text(value: Any) -> str | None:
    """Text of a string or of a list of text blocks, None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        blocks = [b.get("text") if isinstance(b, dict) else b for b in value]
        if all(isinstance(block, str) for block in blocks):
            return "\n".join(str(block) for block in blocks)
    return None


# --- Tables: CSV and Excel ----------------------------------------------------------------------


def read_csv(raw: bytes, file: str, reading: Reading) -> None:
    """A table with a header; commas, semicolons, tabs or bars, as Excel writes them."""
    text = decode(raw, file, reading.problems)
    _add_table(csv_rows(text, file, reading.problems), file, reading)


def read_xlsx(raw: bytes, file: str, reading: Reading) -> None:
    """Every sheet with a header; a cell merged over several rows counts for each of them.

    One without, beside one that has examples, holds notes.
    """
    before, told = len(reading.examples), len(reading.problems)
    for sheet in sheets(raw, file, reading.problems):
        if sheet.hidden:
            reading.problems.append(Problem("note", "hidden-sheet", sheet.place))
            continue
        for area in sheet.merged:
            code = "merged-across" if area.across else "merged-down"
            severity: Severity = "warning" if area.across else "note"
            values = {"range": area.range}
            reading.problems.append(Problem(severity, code, sheet.place, area.row, values))
        rows = ((n, [shown(cell) for cell in cells]) for n, cells in sheet.rows())
        _add_table(rows, sheet.place, reading)
    if len(reading.examples) > before:
        reading.problems[told:] = [
            replace(problem, severity="warning") if problem.code == "no-header" else problem
            for problem in reading.problems[told:]
        ]


def _add_table(rows: Iterator[tuple[int, list[str]]], file: str, reading: Reading) -> None:
    for number, turns, facts in exchanges(rows, file, reading.problems):
        _add(turns, file, number, reading, facts)


def read_markdown(raw: bytes, file: str, reading: Reading) -> None:
    """Headings that people say, and replies below them."""
    for number, turns in conversations(raw, file, reading.problems):
        _add(turns, file, number, reading)


READERS: dict[str, Callable[[bytes, str, Reading], None]] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".xls": read_xlsx,
    ".md": read_markdown,
}
