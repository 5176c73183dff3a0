"""Tables of facts and of questions with answers: CSV, Excel, JSON lines, and those in documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Literal

from brandbot import tables, workbooks
from brandbot.errors import Problem
from brandbot.knowledge.blocks import Document, Outline, Validity, as_day, plain, validity
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
        "no_expiry", "no_end", "does_not_expire", "ongoing", "permanent",
        "none",
    ]
)  # fmt: skip
"""What stands among days for none."""
TOPIC_NAMES = frozenset(["topic", "category", "section", "tema", "categoria", "seccion"])
DASHES = frozenset("-–—−‐‑―")

MOST_CELLS = 2_000_000
"""Cells of a sheet, empty ones included; with more, one was touched by mistake far off."""

LONGEST_TITLE = 100
"""Letters of a line above a table that is taken for its title."""

Rows = Sequence[tuple[int | None, list[str]]]
Header = Literal["given", "likely"]
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
                values = {"key": str(key), "found": type(value).__name__}
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
    for table in _tables(sound):
        _add_one(table, outline, file, place, header)


def _tables(rows: Rows) -> Iterator[Rows]:
    """The filled rows, cut where another table begins: below an empty row, with its own header.

    Questions with answers go on: their rows are words over words.
    """
    table: list[tuple[int | None, list[str]]] = []
    header: list[str] = []
    for index, (number, cells) in enumerate(rows):
        if not any(cells):
            continue
        if header and not any(rows[index - 1][1]) and _begins_table(rows, index, header):
            names = [header_name(cell) for cell in header]
            if column_of(names, PROMPT_NAMES) is None or column_of(names, REPLY_NAMES) is None:
                yield table
                table, header = [], []
        table.append((number, cells))
        if not header and _count(cells) > 1:
            header = cells
    if table:
        yield table


def _begins_table(rows: Rows, start: int, above: Sequence[str]) -> bool:
    """Whether rows begin with a header: words over figures, or under a title, over some figures.

    What fills the same columns as the header ``above`` may be a part of its table: Saturday, open.
    """
    ahead = islice(rows, start, None)
    block = [cells for _, cells in takewhile(lambda row: any(row[1]), ahead)]
    titled = _count(block[0]) == 1
    if titled:
        block = block[1:]
    header, body = block[0] if block else [], block[1:]
    words = [cell for cell in header if cell]
    # Two words may be a row like the others: Sunday, closed.
    if not body or len(words) < 2 or (len(words) == 2 and header[0]):
        return False
    values = any(is_value(cell) for cell in header[1:])
    alike = header[0] and [bool(cell) for cell in header] == [bool(cell) for cell in above]
    # Words that begin small are no names of columns where the others begin with a capital.
    small = not titled and header[0][:1].isupper() and any(c[:1].islower() for c in header[1:])
    if alike and (values or small or header_name(header[0]) in _DAYS):
        return False
    if any(re.search(r"\d", word) for word in words) and header_name(header[0]) not in COLUMNS:
        return False
    if len(set(words)) < len(words) or any(re.fullmatch(r"\W+", word) for word in words):
        return False
    enough = any if titled else all
    return all(
        enough(re.search(r"\d", cell) for cell in row[1:] if cell and cell not in DASHES)
        and _count(row) > 1
        for row in body
    )


def _add_one(
    filled: Rows,
    outline: Outline,
    file: str,
    place: Literal["row", "line"],
    header: Header,
) -> None:
    """``filled`` has at least one row, and none that is empty."""
    left = min(_first(cells) for _, cells in filled)
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
    heading, below = filled[top][1], filled[top + 1 :]
    if two := _two_headers(heading, below):
        heading, below = two, below[1:]
    names = [header_name(cell) for cell in heading]
    asked, replied = column_of(names, PROMPT_NAMES), column_of(names, REPLY_NAMES)
    body = _fitting(below, len(names), file, outline.document.problems)
    dates = _dates(names, body)
    if asked is not None and replied is not None:
        questions = _Questions(names, asked, replied, dates)
        questions.tell_unused(heading, file, filled[top][0], outline.document.problems)
        for number, cells in body:
            questions.add(cells, outline, file, number, place)
        return
    # In a table of facts, when a season or a course begins and ends is a fact, too: it is told,
    # also before it begins.
    if dates[0] is not None and names[dates[0]] not in FROM_NAMES:
        dates = None, dates[1]
    columns = [
        column
        for column, name in enumerate(names)
        if name not in FROM_NAMES | UNTIL_NAMES and (name or any(c[column] for _, c in body))
    ]
    if not columns:
        return
    words = [heading[column] for column in columns]
    row_like = bool(body) and _row_like(words, [[c[n] for n in columns] for _, c in body], header)
    if row_like or (header == "likely" and not body):
        first = [filled[top][1][column] for column in columns]
        words = [""] * len(words)
        if row_like and len(words) > 2:
            values = {"found": row_text(words, first)[:60]}
            problem = Problem("warning", "no-header-row", file, filled[top][0], values)
            outline.document.problems.append(problem)
        body = [filled[top], *body]
    rows = [[cells[n] for n in columns] for _, cells in body]
    parts = header_name(words[0]) in TOPIC_NAMES or header_name("".join(words[1:2])) in _PARTS
    named = _named(rows, [number for number, _ in body], parts=parts)
    for (number, cells), row, section in zip(body, named, _sections(rows), strict=True):
        if section is None:
            continue
        valid = _validity(cells, dates, file, number, outline)
        if valid is not None:
            # A price without its section would be told of the wrong thing.
            text = row_text(words, [", ".join(filter(None, (section, row[0]))), *row[1:]])
            _add(text, outline, number, place, valid)


_COIN = r"(?:[€£$¥]|\b(?:EUR|GBP|USD|MXN|euros?|pounds?|dollars?|pesos?|dólares)\b)"
_AMOUNT = r"\d(?:[\d.,' ]*\d)?"
_FIGURE = re.compile(
    rf"\W?(?:(?:desde|from)\s+)?(?:{_COIN}\s*{_AMOUNT}|{_AMOUNT}\s*{_COIN}|\d+[.,]\d+\s*%?)"
    r"(?:\s*/\s*\w+)?(?:\s*\(.*\))?",
    re.IGNORECASE,
)
"""A price, or a number with decimals: years and sizes, which are whole, name columns."""
_HOURS = re.compile(
    r"\d{1,2}(?:[:.h]\d\d)?\s*(?:[-–—]|a|to)\s*\d{1,2}(?:[:.h]\d\d)?(?:\s*[hap]\W?m?\W?)?"
)


_VALUES = frozenset(
    [
        "yes", "no", "si", "free", "gratis", "included", "incluido", "open", "closed", "abierto",
        "cerrado", "none", "ninguno", "consultar", "a_consultar", "segun_mercado", "por_encargo",
        "ask", "on_request", "market_price", "poa", "any",
    ]
)  # fmt: skip
"""Words that stand in rows where others have figures, and name no column."""
_ANSWERS = frozenset(["yes", "no", "si", "x"])
_PARTS = frozenset(
    [
        "talla", "tamano", "formato", "medida", "racion", "duracion", "edad", "color", "dia",
        "hora", "size", "format", "portion", "duration", "age", "colour", "day", "time",
    ]
)  # fmt: skip
"""Names of second columns that tell things of one name apart."""
_SUMS = frozenset(["total", "totals", "totales", "subtotal", "suma", "sum"])
_DAYS = frozenset(
    [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue",
        "wed", "thu", "fri", "sat", "sun", "weekdays", "weekends", "holidays", "bank_holidays",
        "lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "sabados", "domingo",
        "domingos", "festivos", "laborables",
    ]
)  # fmt: skip
"""What a row of opening hours is about."""
_QUALIFIES = re.compile(
    r"[(/%€£$]|\b(?:per|por|each|cada|with|without|con|sin|excl\w*|incl\w*|from|desde|until|hasta|"
    r"up to|m[aá]x\w*|m[ií]n\w*)\b",
    re.IGNORECASE,
)
"""Names of columns that say how their values are meant."""
COLUMNS = frozenset(
    [
        "plazo", "producto", "articulo", "servicio", "concepto", "tarifa", "plan", "talla",
        "tamano", "medida", "cantidad", "peso", "capital", "importe", "meses", "duracion", "zona",
        "destino", "nombre", "modelo", "term", "product", "item", "service", "rate", "size",
        "quantity", "weight", "amount", "months", "duration", "zone", "destination", "name",
        "model", "tipo", "type", "clase", "curso", "course", "tratamiento", "treatment",
        "dia", "day",
    ]
)  # fmt: skip
"""What a first column is called: figures beside it name columns, as in a table of loans."""


def all_figures(cells: Sequence[str], figure: re.Pattern[str] = _FIGURE) -> bool:
    """Whether all cells but the first, which names a thing, are prices or figures with decimals."""
    rest = [cell for cell in cells[1:] if cell and cell not in DASHES]
    named = bool(cells[0]) and header_name(cells[0]) not in COLUMNS
    return named and bool(rest) and all(figure.fullmatch(cell) for cell in rest)


def _two_headers(header: Sequence[str], below: Rows) -> list[str] | None:
    """One header of two, ``Small, , Large`` over ``Hot, Iced, Hot, Iced``, where there are two.

    The second has words alone, none of its own above the rows' names, and some below no word of the
    first or below one that stands there again. A cell merged over both is in both.
    """
    if len(below) < 2:
        return None
    under = [*below[0][1], *[""] * (len(header) - len(below[0][1]))]
    words = [cell for cell in under if cell]
    first = below[1][1]
    named = under[0] in ("", header[0]) and bool(first[0]) and _count(first) > 1
    if len(under) > len(header) or not named:
        return None
    told = any(re.search(r"\d|^\W+$", cell) or header_name(cell) in _VALUES for cell in words)
    if told or len(words) < 2:
        return None
    joined, last = [header[0]], ""
    for over, cell in zip(header[1:], under[1:], strict=True):
        last = over or (last if cell else "")
        joined.append(" ".join(filter(None, (last, cell if cell != last else ""))))
    spans = any(not over or over in header[:at] for at, over in enumerate(header) if under[at])
    return joined if spans else None


def _row_like(words: Sequence[str], body: Sequence[Sequence[str]], header: Header) -> bool:
    """Whether what stands where a header does is a row like the others."""
    values = [cell for cell in words[1:] if cell]
    told = bool(values) and all(map(is_value, values))
    first = header_name(words[0])
    if told and first in _DAYS:
        return True
    if told and len(words) == 2:
        # "Extras, Free" over yes and no names columns; "Wifi, Free" over others' prices does not.
        answers = all(header_name(row[1]) in _ANSWERS for row in body if row[1])
        if header_name(words[1]) in _ANSWERS or not answers:
            return first not in COLUMNS and first.rstrip("s") not in COLUMNS
        return False
    if header == "given":
        return False
    if len(words) == 2 and re.search(r"\d", words[1]):
        return True
    # "Wifi, free, free" may be a row; "Service, Free, Included" names columns.
    like = any(header_name(cell) in _VALUES for cell in body[0][1:])
    if told and like and words[0][:1].isupper() and all(cell.islower() for cell in values):
        return header_name(words[0]) not in COLUMNS
    return all_figures(words) or (all_figures(words, _HOURS) and all_figures(body[0], _HOURS))


def is_value(cell: str) -> bool:
    """A word, a price or hours as rows have them."""
    return bool(header_name(cell) in _VALUES or _FIGURE.fullmatch(cell) or _HOURS.fullmatch(cell))


def _sections(rows: Sequence[Sequence[str]]) -> list[str | None]:
    """What part of the table each row is in, "" for none; None for the rows that name one.

    Rows of a name alone are parts if there are several, the first of all rows among them, or if
    the same things stand below them again: else one may be a thing that lacks its price. Of two at
    the top the second is a part of the first. Behind the last thing they are remarks.
    """
    alone = [bool(cells[0]) and _count(cells) == 1 for cells in rows]
    last = max((n for n, one in enumerate(alone) if not one), default=-1)
    together = next((n for n in range(last) if alone[n] and alone[n + 1]), 0)
    if together > 0:  # two things that lack their price
        return [""] * len(rows)
    names: list[str] = []
    found: list[str | None] = []
    things: dict[str, set[str]] = {}
    for at, (cells, one) in enumerate(zip(rows, alone, strict=True)):
        if one and at < last:
            if not (at and alone[at - 1]):
                names = []
            names.append(cells[0])
            found.append(None)
        else:
            found.append("" if one and at > last else ", ".join(names))
            things.setdefault(cells[0], set()).add(found[-1] or "")
    parts = {part for told in things.values() for part in told if part}
    again = sum(len(told) > 1 for name, told in things.items() if name)
    first = bool(found) and found[0] is None and len(rows[0]) > 2
    if (first and len(parts) > 1) or again >= (1 if len(parts) > 1 else 2):
        return found
    return [""] * len(rows)


def _named(
    rows: Sequence[Sequence[str]], numbers: Sequence[int | None], *, parts: bool
) -> list[list[str]]:
    """The rows, each with its thing's name: where it is left out, it is that of the row above.

    Only where the rest is a part of it, by the columns' names (``parts``), by a figure or because
    others have it, too: a mark (vegan, sold out) is no name, and holds for its row alone.
    """
    beside = Counter(row[1] for row in rows if len(row) > 1)
    found: list[list[str]] = []
    above: list[str] = []
    for at, row in enumerate(rows):
        number, before = numbers[at], numbers[at - 1] if at else None
        if number is not None and before is not None and number > before + 1:
            above = []  # an empty row is between
        if row[0]:
            above = [*row] if _count(row) > 1 else []
        filled = all(other for other, cell in zip(above, row, strict=False) if cell)
        goes_on = bool(above) and not row[0] and _count(row) > 1 and filled
        part = parts or (len(row) > 1 and (beside[row[1]] > 1 or re.search(r"\d", row[1])))
        if goes_on and part and not {header_name(cell) for cell in row} & _SUMS:
            found.append([above[0], *row[1:]])
        else:
            found.append([*row])
    return found


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """``Latte: Small £3.60, Large £4.00``; with two columns, ``Monday: closed``.

    With two columns, too, the second's name is told where the cell says too little without it:
    ``Kayak: Minimum age 8``, ``Cake: Gluten no``.
    """
    values = [
        f"{name} {cell}" if name and (len(header) > 2 or _says_little(name, cell)) else cell
        for name, cell in zip(header[1:], cells[1:], strict=True)
        if cell and cell not in DASHES
    ]
    return ": ".join(part for part in (cells[0], ", ".join(values)) if part)


def _says_little(name: str, cell: str) -> bool:
    """Whether a cell needs its column's name: a number, yes or no, or what is so by the name."""
    if is_value(name) or re.search(r"\d", name):
        return False  # a row that stands where a header would
    return (
        bool(re.fullmatch(r"[\d.,]+", cell))
        or header_name(cell) in _ANSWERS
        or bool(_QUALIFIES.search(name))
    )


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


def _sound(cell: str, file: str, line: int | None, problems: list[Problem]) -> str:
    """A cell's text; nothing, and a problem, where a spreadsheet left only an error of it."""
    if not is_spreadsheet_error(cell):
        return cell
    problems.append(Problem("warning", "excel-error", file, line, {"found": cell[:20]}))
    return ""
