"""Tables of facts and of questions with answers: CSV, Excel, JSON lines, and those in documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from brandbot import tables, workbooks
from brandbot.errors import Problem
from brandbot.knowledge.blocks import Document, Outline, Validity, as_day, plain, validity
from brandbot.knowledge.rows import (
    DASHES,
    PARTS,
    TOPIC_NAMES,
    Header,
    Rows,
    begins_table,
    count,
    is_figure,
    leftmost,
    row_like,
    row_text,
    sections,
    two_headers,
    with_names,
)
from brandbot.lint_text import is_spreadsheet_error
from brandbot.tables import PROMPT_NAMES, QUIET_NAMES, REPLY_NAMES, column_of, header_name

FROM_NAMES = frozenset(["valid_from", "valido_desde", "valida_desde", "vigente_desde"])
UNTIL_NAMES = frozenset(
    ["valid_until", "valid_to", "valido_hasta", "valida_hasta", "vigente_hasta"]
)
# These may also name hours, so that only a column of nothing but days is one of them.
BEGIN_NAMES = frozenset(
    ["desde", "inicio", "fecha_inicio", "fecha_de_inicio", "from", "since", "starts", "start_date"]
)
END_NAMES = frozenset(
    [
        "hasta", "caduca", "caducidad", "fecha_caducidad", "fecha_de_caducidad", "vence",
        "vencimiento", "fecha_vencimiento", "fin", "fecha_fin", "fecha_de_fin", "expires", "expiry",
        "expiry_date", "until", "ends", "end_date", "offer_ends", "offer_until", "fin_de_la_oferta",
        "fin_oferta", "oferta_hasta",
    ]
)  # fmt: skip
ENDLESS = frozenset(
    [
        "sin_caducidad", "no_caduca", "sin_fecha", "sin_fin", "indefinido", "indefinida",
        "permanente", "ninguna", "siempre", "sin_limite", "todo_el_ano", "always", "na", "n_a",
        "no_expiry", "no_end", "does_not_expire", "ongoing", "permanent", "none",
    ]
)  # fmt: skip
"""What stands among days for none."""

PRIVATE_NAMES = frozenset(
    [
        "cost_per_item", "unit_cost", "cost_price", "purchase_price", "margin", "margin_%",
        "coste_unitario", "coste_por_articulo", "coste_por_unidad", "costo_unitario",
        "costo_por_articulo", "precio_de_coste", "precio_de_costo", "precio_de_compra", "margen",
    ]
)  # fmt: skip
"""What something costs the business itself, as exports of shops hold it: not for customers."""
_MONEY = re.compile(r"[£$€%]|\d[.,]\d\d")

_TAGS = re.compile(
    r"</?(?:p|br|b|strong|em|i|u|ul|ol|li|div|span|h[1-6]|a)(?:\s+[\w:-]+\s*=[^<>]*)?\s*/?>|&\w{2,8};"
)

MOST_CELLS, WIDEST = 2_000_000, 1000
"""Cells of a sheet, empty ones included; with more, one was touched by mistake far off. Columns
that a cell may span, and among which tables that stand side by side are looked for."""

LONGEST_TITLE = 100
"""Letters of a line above a table that is taken for its title."""

Dates = tuple[int | None, int | None]


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
    shown = [s for s in workbooks.sheets(raw, name, document.problems) if not s.hidden]
    for sheet in shown:
        outline = Outline(document, (sheet.title,) if len(shown) > 1 else ())
        height, width = sheet.size
        if height * width > MOST_CELLS:
            size = {"rows": height, "columns": width}
            document.problems.append(Problem("error", "huge-sheet", sheet.place, None, size))
            continue
        rows = []
        heads: dict[int, str] = {}
        for number, cells in sheet.rows():
            rows.append((number, [workbooks.shown(cell) for cell in cells]))
            for column, (cell, text) in enumerate(zip(cells, rows[-1][1], strict=True)):
                head = heads.setdefault(column, header_name(text)) if text else ""
                if text and workbooks.made_a_day(cell) and not _is_of_days(head):
                    values = {"found": text}
                    problem = Problem("warning", "excel-day", sheet.place, number, values)
                    document.problems.append(problem)
        add_table(rows, outline, sheet.place, place="row")
    return document


def _is_of_days(name: str) -> bool:
    """Whether a column's name says that it holds days, so that one there was meant."""
    return name in FROM_NAMES | UNTIL_NAMES | BEGIN_NAMES | END_NAMES or bool(
        re.match("date|fecha|dia$|day$", name)
    )


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
                values = {"key": str(key), "found": tables.kind(value)}
                document.problems.append(Problem("warning", "not-text", name, line, values))
                break
            else:
                texts.append("")
        else:
            dates = _dates(names, [(line, texts)])
            _Questions(names, asked, replied, dates).add(texts, outline, name, line, "line")
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
    alone above the header is the table's title; what stands alone below it is told with each row
    after it.
    ``likely``: a first row that has no others below, or nothing but prices after a first cell that
    names a thing, is a row like the others.
    """
    sound = [
        (n, [_sound(plain(cell), file, n, outline.document.problems) for cell in cells])
        for n, cells in rows
    ]
    for beside in _beside(sound):
        for table in _tables(beside):
            _add_one(table, outline, file, place, header)


def _beside(rows: Rows) -> Iterator[Rows]:
    """The tables that stand side by side, cut at an empty column: both headers share a name."""
    width = max((len(cells) for _, cells in rows), default=0)
    top = next((cells for _, cells in rows if count(cells) > 1), [])
    named = [header_name(cell) if cell else "" for cell in top]
    for cut in range(2, min(width, len(top), WIDEST) - 2):
        left, right = set(named[:cut]) - {""}, set(named[cut:])
        empty = not any("".join(cells[cut : cut + 1]) for _, cells in rows)
        # Figures beside it are further ones of the same things.
        names = not any(is_figure("".join(cells[cut + 1 : cut + 2])) for _, cells in rows)
        if left & right and empty and names:
            yield [(number, cells[:cut]) for number, cells in rows]
            yield from _beside([(number, cells[cut + 1 :]) for number, cells in rows])
            return
    yield rows


_UNSURE = frozenset(
    [
        "entrada", "input", "user", "usuario", "customer", "cliente",
        "salida", "output", "bot", "assistant", "asistente",
    ]
)  # fmt: skip
"""Names that in documents also mean when one comes in and goes out, or who somebody is."""


def _asked_and_told(names: Sequence[str]) -> tuple[int | None, int | None]:
    """The columns of questions and answers; one of the two has a name that means nothing else."""
    asked, told = column_of(names, PROMPT_NAMES), column_of(names, REPLY_NAMES)
    if asked is None or told is None or {names[asked], names[told]} <= _UNSURE:
        return None, None
    return asked, told


def _tables(rows: Rows) -> Iterator[Rows]:
    """The filled rows, cut where another table begins: below an empty row, with its own header.

    Questions with answers go on: their rows are words over words.
    """
    table: list[tuple[int | None, list[str]]] = []
    header: list[str] = []
    for index, (number, cells) in enumerate(rows):
        if not any(cells):
            continue
        if header and not any(rows[index - 1][1]) and begins_table(rows, index, header):
            names = [header_name(cell) for cell in header]
            if None in _asked_and_told(names):
                yield table
                table, header = [], []
        table.append((number, cells))
        if not header and count(cells) > 1:
            header = cells
    if table:
        yield table


def _add_one(
    filled: Rows,
    outline: Outline,
    file: str,
    place: Literal["row", "line"],
    header: Header,
) -> None:
    """``filled`` has at least one row, and none that is empty."""
    left = min(leftmost(cells) for _, cells in filled)
    top = next(
        (i for i, (_, cells) in enumerate(filled) if count(cells) > 1 or leftmost(cells) > left),
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
    heading, below = filled[top][1], filled[top + 1 :]
    if two := two_headers(heading, below):
        heading, below = two, below[1:]
    names = [header_name(cell) for cell in heading]
    asked, replied = _asked_and_told(names)
    body = _fitting(below, len(names), file, outline.document.problems)
    dates = _dates(names, body)
    if asked is not None and replied is not None:
        questions = _Questions(names, asked, replied, dates)
        questions.tell_unused(heading, file, filled[top][0], outline.document.problems)
        for number, cells in body:
            questions.add(cells, outline, file, number, place)
    else:
        _add_facts(filled[top], body, heading, names, dates, outline, file, place, header)


def _add_facts(
    top: tuple[int | None, list[str]], body: Rows, heading: Sequence[str], names: Sequence[str],
    dates: tuple[int | None, int | None], outline: Outline, file: str,
    place: Literal["row", "line"], header: Header,
) -> None:  # fmt: skip
    """A table whose rows are facts; ``heading`` names its columns if ``top`` is no fact itself."""
    # In a table of facts, when a season or a course begins and ends is a fact, too: it is told,
    # also before it begins.
    if dates[0] is not None and names[dates[0]] not in FROM_NAMES:
        dates = None, dates[1]
    private = _private(names, body)
    if private:
        values = {"found": ", ".join(heading[column] for column in private)}
        outline.document.problems.append(Problem("note", "private-column", file, top[0], values))
    columns = [
        column
        for column, name in enumerate(names)
        if name not in FROM_NAMES | UNTIL_NAMES
        and column not in private
        and (name or any(c[column] for _, c in body))
    ]
    if not columns:
        return
    body = [row for row in body if row[1] != list(heading)]  # a header again, on the next page
    words = [heading[column] for column in columns]
    no_header = bool(body) and row_like(words, [[c[n] for n in columns] for _, c in body], header)
    if no_header or (header == "likely" and not body):
        first = [top[1][column] for column in columns]
        words = [""] * len(words)
        if no_header and len(words) > 2:
            values = {"found": row_text(words, first)[:60]}
            problem = Problem("warning", "no-header-row", file, top[0], values)
            outline.document.problems.append(problem)
        body = [top, *body]
    rows = [[cells[n] for n in columns] for _, cells in body]
    parts = header_name(words[0]) in TOPIC_NAMES or header_name("".join(words[1:2])) in PARTS
    named = with_names(rows, [number for number, _ in body], parts=parts)
    for (number, cells), row, section in zip(body, named, sections(rows), strict=True):
        if section is None:
            continue
        valid = _validity(cells, dates, file, number, outline)
        if valid is not None:
            # A price without its section would be told of the wrong thing.
            text = row_text(words, [", ".join(filter(None, (section, row[0]))), *row[1:]])
            _add(text, outline, number, place, valid)


def _private(names: Sequence[str], body: Rows) -> list[int]:
    """The columns of what things cost the business itself, beside one of what customers pay."""
    found = [
        column
        for column, name in enumerate(names)
        if name in PRIVATE_NAMES and any(_MONEY.search(cells[column]) for _, cells in body)
    ]
    priced = any(
        re.search("price|precio|pvp|rrp", name) and column not in found
        for column, name in enumerate(names)
    )
    return found if priced else []


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


def _dates(names: Sequence[str], rows: Rows) -> Dates:
    """The columns that say from when and until when rows hold."""

    def days(column: int) -> bool:
        filled = [cells[column] for _, cells in rows if not _is_no_day(cells[column])]
        return bool(filled) and all(as_day(cell) for cell in filled)

    def of(wanted: AbstractSet[str], loose: AbstractSet[str]) -> int | None:
        told = (n for n, name in enumerate(names) if name in loose and days(n))
        found = column_of(names, wanted)
        return next(told, None) if found is None else found

    return of(FROM_NAMES, BEGIN_NAMES), of(UNTIL_NAMES, END_NAMES)


def _is_no_day(cell: str) -> bool:
    return not cell or cell in DASHES or header_name(cell) in ENDLESS


def _validity(
    cells: Sequence[str],
    columns: Dates,
    file: str,
    number: int | None,
    outline: Outline,
) -> Validity | None:
    told = ("" if column is None else cells[column] for column in columns)
    since, until = ("" if _is_no_day(cell) else cell for cell in told)
    return validity(since, until, file, number, outline.document.problems)


@dataclass(frozen=True)
class _Questions:
    """The columns of a table of questions and answers."""

    names: list[str]
    asked: int
    replied: int
    dates: Dates

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
        if valid is None:
            return
        row, line = (number, None) if place == "row" else (None, number)
        outline.add(answer, "answer", row=row, line=line, question=question, valid=valid)


def _without_tags(cell: str) -> str:
    """The words of a cell that a shop's export filled with a piece of a page."""
    if not _TAGS.search(cell):
        return cell
    from brandbot.knowledge.webpage import words_of

    return plain(words_of(cell))


def _sound(cell: str, file: str, line: int | None, problems: list[Problem]) -> str:
    """A cell's text; nothing, and a problem, where a spreadsheet left only an error of it."""
    if not is_spreadsheet_error(cell):
        return _without_tags(cell)
    problems.append(Problem("warning", "excel-error", file, line, {"found": cell[:20]}))
    return ""
