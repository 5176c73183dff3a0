"""Style examples, and the readers of each file format.

A reader takes a file as people write it and returns examples and problems; a problem in one row
never costs another row. Knows nothing of models or training.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Literal

from brandbot.errors import Problem, Severity
from brandbot.prompt import Message, joined
from brandbot.tables import (
    PROMPT_NAMES,
    QUIET_NAMES,
    REPLY_NAMES,
    column_of,
    csv_rows,
    decode,
    header_name,
    json_rows,
    kind,
    people_files,
    without_comments,
)
from brandbot.tables import normalise as normalise  # what makes two prompts the same
from brandbot.workbooks import sheets, shown

Split = Literal["train", "valid", "test"]
SIDES: tuple[Split, ...] = ("train", "valid", "test")

TEST_SHARE = 0.15
VALID_SHARE = 0.10

FACT_NAMES = frozenset(["facts", "fact", "context", "datos", "dato", "hechos"])
"""Keys and columns that hold what a reply was given to know, a line each."""

OTHERS_FACTS = "context"
"""Others' word for facts, and for much else: it is told that they are taken for facts."""

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
    listed = row.get("messages", row.get("conversations"))
    if listed is not None:
        other = prompt_at if prompt_at is not None else reply_at
        if other is not None:
            values = {"column": keys[other], "used": "messages"}
            reading.problems.append(Problem("warning", "two-columns", file, line, values))
        return _listed_turns(listed, file, line, reading)
    if prompt_at is None or reply_at is None:
        values = {"found": ", ".join(map(str, row)) or "{}"}
        reading.problems.append(Problem("error", "json-keys", file, line, values))
        return None
    prompt_key, reply_key = keys[prompt_at], keys[reply_at]
    shown = [str(key) if row[key] else "" for key in keys]
    reading.problems += _passed_over(names, shown, prompt_at, reply_at, file, line)
    texts = [_flat_text(row[prompt_key]), _flat_text(row[reply_key])]
    if texts[0] is None or texts[1] is None:
        key = prompt_key if texts[0] is None else reply_key
        values = {"key": key, "found": kind(row[key])}
        reading.problems.append(Problem("error", "not-text", file, line, values))
        return None
    return [Message("user", texts[0]), Message("assistant", texts[1])]


def _passed_over(
    names: Sequence[str], shown: Sequence[str], prompt_at: int, reply_at: int,
    file: str, line: int,
) -> list[Problem]:  # fmt: skip
    """Warnings of columns that could be the question or the reply as well as those that are.

    ``shown`` are the columns' names as they stand there, empty for one that holds nothing.
    """
    found = []
    for wanted, used in ((PROMPT_NAMES, prompt_at), (REPLY_NAMES, reply_at)):
        for column, name in enumerate(names):
            if name in wanted and shown[column] and column not in (prompt_at, reply_at):
                values = {"column": shown[column], "used": shown[used]}
                found.append(Problem("warning", "two-columns", file, line, values))
    return found


def _listed_turns(listed: Any, file: str, line: int, reading: Reading) -> list[Message] | None:
    if not isinstance(listed, list):
        values = {"key": "messages", "found": kind(listed)}
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
    _read_table(csv_rows(text, file, reading.problems), file, reading)


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
        _read_table(rows, sheet.place, reading)
    if len(reading.examples) > before:
        reading.problems[told:] = [
            replace(problem, severity="warning") if problem.code == "no-header" else problem
            for problem in reading.problems[told:]
        ]


MOST_ABOVE = 10
"""Rows in which a header is looked for."""

FULL = 10
"""Rows from which a column that is mostly text is called full."""

SOME_WORDS = 2
"""Words that a cell has at most if it is a name, a label or a mark."""


@dataclass(frozen=True)
class _Header:
    """Where a table's columns are; ``unused`` are those with a name that nothing is read from."""

    row: int
    names: list[str]
    shown: list[str]
    prompt: int
    reply: int
    facts: int | None
    unused: list[int]


def _read_table(rows: Iterator[tuple[int, list[str]]], file: str, reading: Reading) -> None:
    filled = ((number, cells) for number, cells in rows if any(map(str.strip, cells)))
    header = _find_header(filled, file, reading)
    if header is None:
        return
    _tell_columns(header, file, reading)
    width = len(header.names)
    nameless: set[int] = set()
    texts = Counter[int]()  # rows with more than a name or a mark in a column that is not used
    count = 0
    for number, cells in filled:
        if any(cell.strip() for cell in cells[width:]):
            counts = {"found": len(cells), "expected": width}
            reading.problems.append(Problem("error", "too-many-cells", file, number, counts))
            continue
        cells = cells + [""] * (width - len(cells))
        for column in range(width):
            if header.names[column] == "" and cells[column].strip() and column not in nameless:
                nameless.add(column)
                values = {"column": str(column + 1)}
                reading.problems.append(Problem("note", "stray-column", file, number, values))
        prompt, reply = cells[header.prompt], cells[header.reply]
        if not prompt.strip() and not reply.strip():
            continue  # only a stray column holds something
        header_again = header_name(prompt) in PROMPT_NAMES and header_name(reply) in REPLY_NAMES
        if header_again or not set(prompt + reply) - set(" -–—_=.|*"):
            values = {"found": f"{prompt.strip()} | {reply.strip()}"[:60]}
            reading.problems.append(Problem("warning", "row-is-no-example", file, number, values))
            continue
        count += 1
        texts.update(c for c in header.unused if len(cells[c].split()) > SOME_WORDS)
        facts = [] if header.facts is None else cells[header.facts].split("\n")
        turns = [Message("user", prompt), Message("assistant", reply)]
        _add(turns, file, number, reading, facts)
    for column in header.unused:
        if count >= FULL and texts[column] > 0.8 * count:
            shown = header.shown
            values = {
                "column": shown[column], "prompt": shown[header.prompt],
                "reply": shown[header.reply],
            }  # fmt: skip
            reading.problems.append(Problem("warning", "full-column", file, header.row, values))


def _find_header(
    rows: Iterator[tuple[int, list[str]]], file: str, reading: Reading
) -> _Header | None:
    """The first of the upper rows that names a question and a reply; above it may be a title."""
    first: Problem | None = None
    for number, cells in islice(rows, MOST_ABOVE):
        names, shown = [header_name(cell) for cell in cells], [cell.strip() for cell in cells]
        prompt, reply = column_of(names, PROMPT_NAMES), column_of(names, REPLY_NAMES)
        if prompt is not None and reply is not None:
            facts = column_of(names, FACT_NAMES)
            known = QUIET_NAMES | PROMPT_NAMES | REPLY_NAMES
            unused = [
                column for column, name in enumerate(names)
                if column not in (prompt, reply, facts) and name not in known and shown[column]
            ]  # fmt: skip
            return _Header(number, names, shown, prompt, reply, facts, unused)
        found = ", ".join(cell[:30] for cell in shown if cell)
        first = first or Problem("error", "no-header", file, number, {"found": found})
    reading.problems += [first] if first else []
    return None


def _tell_columns(header: _Header, file: str, reading: Reading) -> None:
    """What a header's columns are taken for where that may surprise."""
    if header.facts is not None and header.names[header.facts] == OTHERS_FACTS:
        values = {"column": header.shown[header.facts]}
        reading.problems.append(Problem("note", "facts-column", file, header.row, values))
    reading.problems += _passed_over(
        header.names, header.shown, header.prompt, header.reply, file, header.row
    )
    for column in header.unused:
        values = {"column": header.shown[column]}
        reading.problems.append(Problem("note", "stray-column", file, header.row, values))


# --- Markdown -----------------------------------------------------------------------------------


# ##Hello and #¿Hola? are meant as headings, too; #hello is a hashtag.
HEADING = re.compile(
    r" {0,3}(#{1,6}\s+|#{2,6}(?=[^#\s])|#(?=[¿¡]))(.*?)(?:(?:\s+|(?<=[?!.]))#+)?\s*$"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""What converters write for a sign that might mean something in Markdown."""
LABELS = frozenset(
    [
        "pregunta", "preguntas", "respuesta", "respuestas", "question", "questions", "answer",
        "answers", "prompt", "reply", "completion", "cliente", "usuario", "customer", "user",
    ]
)  # fmt: skip
"""Headings that only say what stands below them."""
RULE = re.compile(r" {0,3}([-*_])( *\1){2,} *")


def read_markdown(raw: bytes, file: str, reading: Reading) -> None:
    """A heading is the prompt, what follows is the reply.

    A paragraph quoted with ``>`` is the person's next message, so a conversation goes on under its
    heading. A first ``#`` title without text of its own is the document's title.
    """
    sections: list[tuple[int, int, str, list[str]]] = []  # line, level, heading, body
    fence = 0  # the line that an open block of code began in
    text = without_comments(decode(raw, file, reading.problems), file, reading.problems)
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            fence = 0 if fence else number
        heading = None if fence else HEADING.match(line)
        if heading and sections and is_reply_label(heading.group(2), sections[-1][3]):
            continue
        if heading:
            sections.append((number, heading.group(1).count("#"), heading.group(2), []))
        elif not fence and RULE.fullmatch(line):
            continue
        elif sections:
            sections[-1][3].append(line)
        elif line.strip():
            values = {"found": line.strip()[:40]}
            reading.problems.append(Problem("warning", "text-before-heading", file, number, values))
            sections.append((number, 0, "", []))
    if fence:
        reading.problems.append(Problem("error", "open-fence", file, fence))
    for index, (number, level, prompt, body) in enumerate(sections):
        text = "\n".join(body).strip()
        if level == 0:
            continue
        deeper_next = index + 1 < len(sections) and sections[index + 1][1] > level
        if not text and deeper_next:
            continue
        prompt = _unmarked(prompt)
        values = {"found": prompt[:40]}
        title = index == 0 and level == 1 and deeper_next
        if header_name(prompt) in LABELS and not prompt.rstrip().endswith("?") and not title:
            reading.problems.append(Problem("error", "label-as-question", file, number, values))
            continue
        if text and deeper_next:
            reading.problems += _doubtful_levels(sections[index:], file, first=index == 0)
        turns = [Message("user", prompt)]
        for said, block in _spoken_blocks(body):
            turns.append(Message(said, _ESCAPED.sub(r"\1", block)))
        if len(turns) == 1:
            reading.problems.append(Problem("error", "empty-reply", file, number))
            continue
        _add(turns, file, number, reading)


def _doubtful_levels(
    sections: Sequence[tuple[int, int, str, list[str]]], file: str, *, first: bool
) -> list[Problem]:
    """Whether a heading with text of its own, and others below it, is no question, or they none."""
    number, level, heading, _ = sections[0]
    below = list(takewhile(lambda section: section[1] > level, sections[1:]))
    asks = _asks(heading)
    many = len(below) > 1 and all(_asks(section[2]) for section in below)
    if (first and level == 1) or (many and not asks):
        values = {"found": heading[:40]}
        return [Problem("warning", "title-as-question", file, number, values)]
    if asks and not any(_asks(section[2]) for section in below):
        values = {"found": below[0][2][:40]}
        return [Problem("warning", "heading-in-reply", file, below[0][0], values)]
    return []


def _asks(heading: str) -> bool:
    return heading.rstrip(" *_").endswith("?")


def _unmarked(heading: str) -> str:
    """A heading without the marks that make it bold, and without escapes."""
    bold = re.fullmatch(r"(\*\*|__)((?:(?!\1).)+)\1", heading.strip())
    return _ESCAPED.sub(r"\1", bold[2].strip() if bold else heading)


def is_reply_label(heading: str, body: list[str]) -> bool:
    """Whether a heading only says that the reply to the one above begins: ### Respuesta."""
    return header_name(heading) in REPLY_NAMES and not "".join(body).strip()


def _spoken_blocks(body: list[str]) -> Iterator[tuple[Literal["user", "assistant"], str]]:
    speaker: Literal["user", "assistant"] = "assistant"
    block: list[str] = []
    for line in body:
        quoted = re.match(" {0,3}>", line) is not None
        says: Literal["user", "assistant"] = "user" if quoted else "assistant"
        if says != speaker and line.strip():
            if "".join(block).strip():
                yield speaker, "\n".join(block).strip()
            speaker, block = says, []
        block.append(line.lstrip().removeprefix(">").strip() if quoted else line)
    if "".join(block).strip():
        yield speaker, "\n".join(block).strip()


READERS: dict[str, Callable[[bytes, str, Reading], None]] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".xls": read_xlsx,
    ".md": read_markdown,
}
