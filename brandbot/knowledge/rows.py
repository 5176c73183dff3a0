"""What the rows of a table are to each other: the header, its parts, and how a row is told.

Pure functions over cells. The sheets of small businesses follow no standard: these are guesses from
what many of them have alike, and ``brandbot index --show`` shows what came of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from typing import Literal

from brandbot.money import COIN
from brandbot.tables import header_name

Rows = Sequence[tuple[int | None, list[str]]]
Header = Literal["given", "likely"]

TOPIC_NAMES = frozenset(["topic", "category", "section", "tema", "categoria", "seccion"])
DASHES = frozenset("-–—−‐‑―")

_AMOUNT = r"\d(?:[\d.,' ]*\d)?"
_FIGURE = re.compile(
    rf"\W?(?:(?:desde|from)\s+)?(?:{COIN}\s*{_AMOUNT}|{_AMOUNT}\s*{COIN}|\d+[.,]\d+\s*%?)"
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
PARTS = frozenset(
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


def begins_table(rows: Rows, start: int, above: Sequence[str]) -> bool:
    """Whether rows begin with a header: words over figures, or under a title, over some figures.

    What fills the same columns as the header ``above`` may be a part of its table: Saturday, open.
    """
    ahead = islice(rows, start, None)
    block = [cells for _, cells in takewhile(lambda row: any(row[1]), ahead)]
    titled = count(block[0]) == 1
    if titled:
        block = block[1:]
        beside = [cell for cells in block for cell in cells[1:] if cell]
        if beside and count(above) > 2 and all(count(cells) <= 2 for cells in block):
            return not any(map(is_figure, beside))  # hours below a table of prices
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
        and count(row) > 1
        for row in body
    )


def all_figures(cells: Sequence[str], figure: re.Pattern[str] = _FIGURE) -> bool:
    """Whether all cells but the first, which names a thing, are prices or figures with decimals."""
    rest = [cell for cell in cells[1:] if cell and cell not in DASHES]
    named = bool(cells[0]) and header_name(cells[0]) not in COLUMNS
    return named and bool(rest) and all(figure.fullmatch(cell) for cell in rest)


def two_headers(header: Sequence[str], below: Rows) -> list[str] | None:
    """One header of two, ``Small, , Large`` over ``Hot, Iced, Hot, Iced``, where there are two.

    The second has words alone, none of its own above the rows' names, and some below no word of the
    first or below one that stands there again. A cell merged over both is in both.
    """
    if len(below) < 2:
        return None
    under = [*below[0][1], *[""] * (len(header) - len(below[0][1]))]
    words = [cell for cell in under if cell]
    first = below[1][1]
    named = under[0] in ("", header[0]) and bool(first[0]) and count(first) > 1
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


def row_like(words: Sequence[str], body: Sequence[Sequence[str]], header: Header) -> bool:
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


def is_figure(cell: str) -> bool:
    """A price or a bare number."""
    return cell.isdigit() or _FIGURE.fullmatch(cell) is not None


def is_value(cell: str) -> bool:
    """A word, a price or hours as rows have them."""
    return bool(header_name(cell) in _VALUES or _FIGURE.fullmatch(cell) or _HOURS.fullmatch(cell))


def sections(rows: Sequence[Sequence[str]]) -> list[str | None]:
    """What part of the table each row is in, "" for none; None for the rows that name one.

    Rows of a name alone are parts if there are several, the first of all rows among them, or if
    the same things stand below them again: else one may be a thing that lacks its price. Of two at
    the top the second is a part of the first. Behind the last thing they are remarks.
    """
    alone = [bool(cells[0]) and count(cells) == 1 for cells in rows]
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


def with_names(
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
            above = [*row] if count(row) > 1 else []
        filled = all(other for other, cell in zip(above, row, strict=False) if cell)
        goes_on = bool(above) and not row[0] and count(row) > 1 and filled
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


def count(cells: Iterable[str]) -> int:
    return sum(bool(cell) for cell in cells)


def leftmost(cells: Iterable[str]) -> int:
    return next(column for column, cell in enumerate(cells) if cell)
