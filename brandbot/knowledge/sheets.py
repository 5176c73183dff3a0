"""Tables of facts and of questions with answers: CSV, Excel, JSON lines, and those in documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Literal

from brandbot import tables
from brandbot.errors import Problem
from brandbot.knowledge.blocks import Document, Outline, Validity, plain, validity
from brandbot.lint_text import is_spreadsheet_error
from brandbot.tables import PROMPT_NAMES, QUIET_NAMES, REPLY_NAMES, column_of, header_name

if TYPE_CHECKING:
    from openpyxl.cell import Cell

FROM_NAMES = frozenset(["valid_from", "valido_desde", "valida_desde", "vigente_desde"])
UNTIL_NAMES = frozenset(
    ["valid_until", "valid_to", "valido_hasta", "valida_hasta", "vigente_hasta"]
)
TOPIC_NAMES = frozenset(["topic", "category", "section", "tema", "categoria", "seccion"])
DASHES = frozenset("-–—−‐‑―")

MOST_CELLS = 2_000_000
"""Cells of a sheet, empty ones included; with more, one was touched by mistake far off."""

LONGEST_TITLE = 100
"""Letters of a line above a table that is taken for its title."""

Rows = Sequence[tuple[int | None, list[str]]]
Header = Literal["given", "likely"]


def read_csv(raw: bytes, name: str) -> Document:
    """A table with a header, in the forms spreadsheets write."""
    document = Document(name)
    text = tables.decode(raw, name, document.problems)
    rows = list(tables.csv_rows(text, name, document.problems))
    add_table(rows, Outline(document), name, place="row")
    return document


def read_xlsx(raw: bytes, name: str) -> Document:
    """Each sheet that is shown; its title is a heading if there are several."""
    document = Document(name)
    shown = [s for s in tables.sheets(raw, name, document.problems) if not s.hidden]
    for sheet in shown:
        outline = Outline(document, (sheet.title,) if len(shown) > 1 else ())
        height, width = sheet.size
        if height * width > MOST_CELLS:
            values = {"rows": height, "columns": width}
            document.problems.append(Problem("error", "huge-sheet", sheet.place, None, values))
            continue
        rows = [(number, [_shown(cell) for cell in cells]) for number, cells in sheet.rows()]
        add_table(rows, outline, sheet.place, place="row")
    return document


def read_jsonl(raw: bytes, name: str) -> Document:
    """One question with its answer a line."""
    document = Document(name)
    outline = Outline(document)
    text = tables.decode(raw, name, document.problems)
    for line, row in tables.json_rows(text, name, document.problems):
        names = [header_name(str(key)) for key in row]
        asked, replied = column_of(names, PROMPT_NAMES), column_of(names, REPLY_NAMES)
        if asked is None or replied is None:
            values = {"found": ", ".join(map(str, row)) or "{}"}
            document.problems.append(Problem("warning", "faq-keys", name, line, values))
            continue
        texts: list[str] = []
        for column, (key, value) in enumerate(row.items()):
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                texts.append(str(value))
            elif column in (asked, replied) and value is not None:
                values = {"key": str(key), "found": type(value).__name__}
                document.problems.append(Problem("warning", "not-text", name, line, values))
                break
            else:
                texts.append("")
        else:
            _Questions(names, asked, replied).add(texts, outline, name, line, "line")
    return document


# --- Rows -----------------------------------------------------------------------------------------


def add_table(
    rows: Rows,
    outline: Outline,
    file: str,
    *,
    place: Literal["row", "line"],
    header: Header = "likely",
) -> None:
    """A block for each row below the header; ``place`` says what the rows' numbers are.

    With a question's and an answer's column each row is an answer. Else a row is told as ``first
    cell: header value, header value``, and with two columns as ``first cell: value``. What stands
    alone above the header is the table's title. ``likely``: a first row that has no others below,
    or has two cells and a figure in the second, is a row like the others.
    """
    filled = [
        (n, [_sound(plain(cell), file, n, outline.document.problems) for cell in cells])
        for n, cells in rows
    ]
    filled = [(n, cells) for n, cells in filled if any(cells)]
    left = min((_first(cells) for _, cells in filled), default=0)
    top = next(
        (i for i, (_, cells) in enumerate(filled) if _count(cells) > 1 or _first(cells) > left),
        len(filled),
    )
    above = filled[:top]
    if above and (top < len(filled) or len(filled) > 1):
        title = above[0][1][left]
        if len(title) <= LONGEST_TITLE:
            outline = outline.inside(title)
            above = above[1:]
    for number, cells in above:
        _add(cells[left], outline, number, place)
    if top == len(filled):
        return
    names = [header_name(cell) for cell in filled[top][1]]
    asked, replied = column_of(names, PROMPT_NAMES), column_of(names, REPLY_NAMES)
    body = _fitting(filled[top + 1 :], len(names), file, outline.document.problems)
    if asked is not None and replied is not None:
        questions = _Questions(names, asked, replied)
        questions.tell_unused(filled[top][1], file, filled[top][0], outline.document.problems)
        for number, cells in body:
            questions.add(cells, outline, file, number, place)
        return
    dates = column_of(names, FROM_NAMES), column_of(names, UNTIL_NAMES)
    columns = [
        column
        for column, name in enumerate(names)
        if column not in dates and (name or any(cells[column] for _, cells in body))
    ]
    if not columns:
        return
    words = [filled[top][1][column] for column in columns]
    row_like = len(words) == 2 and re.search(r"\d", words[1])
    if header == "likely" and (row_like or not body):
        body = [filled[top], *body]
    for number, cells in body:
        valid = _validity(cells, dates, file, number, outline)
        text = row_text(words, [cells[column] for column in columns])
        _add(text, outline, number, place, valid)


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """``Latte: Small £3.60, Large £4.00``; with two columns, ``Monday: closed``."""
    values = [
        f"{name} {cell}" if name and len(header) > 2 else cell
        for name, cell in zip(header[1:], cells[1:], strict=True)
        if cell and cell not in DASHES
    ]
    return ": ".join(part for part in (cells[0], ", ".join(values)) if part)


def _count(cells: Iterable[str]) -> int:
    return sum(bool(cell) for cell in cells)


def _first(cells: Iterable[str]) -> int:
    return next(column for column, cell in enumerate(cells) if cell)


def _fitting(rows: Rows, width: int, file: str, problems: list[Problem]) -> Rows:
    """Rows as wide as the header; one with more cells was cut by a comma in its text."""
    kept = []
    for number, cells in rows:
        if any(cells[width:]):
            values = {"found": len(cells), "expected": width}
            problems.append(Problem("warning", "too-many-cells", file, number, values))
            continue
        kept.append((number, [*cells, *[""] * (width - len(cells))][:width]))
    return kept


def _add(
    text: str,
    outline: Outline,
    number: int | None,
    place: Literal["row", "line"],
    valid: Validity = (None, None),
) -> None:
    if place == "row":
        outline.add(text, "row", row=number, valid=valid)
    else:
        outline.add(text, "row", line=number, valid=valid)


def _validity(
    cells: Sequence[str],
    columns: tuple[int | None, int | None],
    file: str,
    number: int | None,
    outline: Outline,
) -> Validity:
    since, until = ("" if column is None else cells[column] for column in columns)
    return validity(since, until, file, number, outline.document.problems)


@dataclass(frozen=True)
class _Questions:
    """The columns of a table of questions and answers."""

    names: list[str]
    asked: int
    replied: int

    @property
    def dates(self) -> tuple[int | None, int | None]:
        return column_of(self.names, FROM_NAMES), column_of(self.names, UNTIL_NAMES)

    @property
    def topic(self) -> int | None:
        return column_of(self.names, TOPIC_NAMES)

    def tell_unused(
        self, header: Sequence[str], file: str, number: int | None, problems: list[Problem]
    ) -> None:
        used = {self.asked, self.replied, self.topic, *self.dates}
        for column, name in enumerate(self.names):
            if name and column not in used and name not in QUIET_NAMES:
                values = {"column": header[column]}
                problems.append(Problem("note", "unused-column", file, number, values))

    def add(
        self,
        cells: Sequence[str],
        outline: Outline,
        file: str,
        number: int | None,
        place: Literal["row", "line"],
    ) -> None:
        question, answer = plain(cells[self.asked]), plain(cells[self.replied])
        if not question and not answer:
            return
        if not question or not answer:
            values = {"found": (question or answer)[:60]}
            problem = Problem("warning", "half-question", file, number, values)
            outline.document.problems.append(problem)
            return
        if self.topic is not None and (topic := plain(cells[self.topic])):
            outline = outline.inside(topic)
        valid = _validity(cells, self.dates, file, number, outline)
        row, line = (number, None) if place == "row" else (None, number)
        outline.add(answer, "answer", row=row, line=line, question=question, valid=valid)


# --- Cells of Excel -------------------------------------------------------------------------------

_FORMAT = re.compile(r"([^#0?]*)([#0?][#0?,.]*)(.*)")


def _sound(cell: str, file: str, line: int | None, problems: list[Problem]) -> str:
    """A cell's text; nothing, and a problem, where a spreadsheet left only an error of it."""
    if not is_spreadsheet_error(cell):
        return cell
    problems.append(Problem("warning", "excel-error", file, line, {"found": cell[:20]}))
    return ""


def _shown(cell: Cell) -> str:
    """A cell's text as the sheet shows it, for the formats that facts have: money, shares, days."""
    value: Any = cell.value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, cell.number_format)
    return tables.cell_text(value)


def _number(value: float, style: str) -> str:
    """A number with the currency, the percent sign and the decimals of its format."""
    style = style.split(";")[0]
    style = re.sub(r"\[\$([^\]-]*)[^\]]*\]", r"\1", style)  # [$€-407] is €
    style = re.sub(r"\[[^\]]*\]|[_*].|[\"\\]", "", style)  # colours, padding, quotes
    found = _FORMAT.fullmatch(style)
    if not found:
        return tables.cell_text(round(value, 10))
    before, digits, after = found.groups()
    if re.search(r"[A-Za-z]\s*[+-]|[/#0?]", before + after):  # exponents, fractions, groups
        return tables.cell_text(round(value, 10))
    if digits.endswith(","):  # shown in thousands
        return tables.cell_text(round(value, 10))
    whole, _, part = digits.partition(".")
    decimals = len(part)
    shown = value * 100 if "%" in after else value
    # No mark between thousands: 1,200 is a little more than one in half of the world.
    text = f"{shown:.{decimals}f}"
    if (zeros := whole.count("0")) > 1:  # the post code 08001
        text = text.zfill(zeros + (decimals + 1 if decimals else 0))
    return plain(f"{before}{text}{after}")
