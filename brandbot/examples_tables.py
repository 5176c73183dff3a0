"""Examples in tables: the columns of questions, replies and facts. Part of ``examples``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from brandbot.errors import Problem
from brandbot.prompt import Message
from brandbot.tables import (
    FACT_NAMES,
    OTHERS_FACTS,
    PROMPT_NAMES,
    QUIET_NAMES,
    REPLY_NAMES,
    column_of,
    header_name,
)

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


def exchanges(
    rows: Iterator[tuple[int, list[str]]], file: str, problems: list[Problem]
) -> Iterator[tuple[int, list[Message], list[str]]]:
    """The row, the turns and the facts of each, below the first row that names their columns."""
    filled = ((number, cells) for number, cells in rows if any(map(str.strip, cells)))
    header = _find_header(filled, file, problems)
    if header is None:
        return
    _tell_columns(header, file, problems)
    width = len(header.names)
    nameless: set[int] = set()
    texts = Counter[int]()  # rows with more than a name or a mark in a column that is not used
    count = 0
    for number, cells in filled:
        if any(cell.strip() for cell in cells[width:]):
            counts = {"found": len(cells), "expected": width}
            problems.append(Problem("error", "too-many-cells", file, number, counts))
            continue
        cells = cells + [""] * (width - len(cells))
        for column in range(width):
            if header.names[column] == "" and cells[column].strip() and column not in nameless:
                nameless.add(column)
                values = {"column": str(column + 1)}
                problems.append(Problem("note", "stray-column", file, number, values))
        prompt, reply = cells[header.prompt], cells[header.reply]
        if not prompt.strip() and not reply.strip():
            continue  # only a stray column holds something
        header_again = header_name(prompt) in PROMPT_NAMES and header_name(reply) in REPLY_NAMES
        if header_again or not set(prompt + reply) - set(" -–—_=.|*"):
            values = {"found": f"{prompt.strip()} | {reply.strip()}"[:60]}
            problems.append(Problem("warning", "row-is-no-example", file, number, values))
            continue
        count += 1
        texts.update(c for c in header.unused if len(cells[c].split()) > SOME_WORDS)
        facts = [] if header.facts is None else cells[header.facts].split("\n")
        yield number, [Message("user", prompt), Message("assistant", reply)], facts
    for column in header.unused:
        if count >= FULL and texts[column] > 0.8 * count:
            shown = header.shown
            values = {
                "column": shown[column], "prompt": shown[header.prompt],
                "reply": shown[header.reply],
            }  # fmt: skip
            problems.append(Problem("warning", "full-column", file, header.row, values))


def _find_header(
    rows: Iterator[tuple[int, list[str]]], file: str, problems: list[Problem]
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
    problems += [first] if first else []
    return None


def _tell_columns(header: _Header, file: str, problems: list[Problem]) -> None:
    """What a header's columns are taken for where that may surprise."""
    if header.facts is not None and header.names[header.facts] == OTHERS_FACTS:
        values = {"column": header.shown[header.facts]}
        problems.append(Problem("note", "facts-column", file, header.row, values))
    problems += passed_over(
        header.names, header.shown, header.prompt, header.reply, file, header.row
    )
    for column in header.unused:
        values = {"column": header.shown[column]}
        problems.append(Problem("note", "stray-column", file, header.row, values))


def passed_over(
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
                code = "same-columns" if shown[column] == shown[used] else "two-columns"
                found.append(Problem("warning", code, file, line, values))
    return found
