"""Excel workbooks: the sheets that hold something, and their cells as a sheet shows them.

What is hidden is left out, and told; so are formulas that were saved without a result. Knows
nothing of what the rows hold.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from brandbot.errors import Problem
from brandbot.tables import DAMAGED, OLE

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet


@dataclass(frozen=True)
class Merged:
    """Cells that are one: ``range`` as Excel writes it, the first of its rows, and its shape."""

    range: str
    row: int
    across: bool


@dataclass(frozen=True)
class Sheet:
    """A sheet that is not empty; ``place`` is the file, with the sheet's title if it has others."""

    title: str
    place: str
    hidden: bool
    _sheet: Worksheet

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, counted to the last cell that was ever touched."""
        return self._sheet.max_row, self._sheet.max_column

    @property
    def merged(self) -> list[Merged]:
        areas = self._sheet.merged_cells.ranges
        return [Merged(area.coord, area.min_row, area.max_col > area.min_col) for area in areas]

    @property
    def hidden_rows(self) -> set[int]:
        """But for those that a filter hides: it was left on, and means no draft."""
        from openpyxl.utils import range_boundaries

        shapes = self._sheet.row_dimensions.items()
        hidden = {n for n, shape in shapes if shape.hidden and n <= self._sheet.max_row}
        if ref := self._sheet.auto_filter.ref:
            _, first, _, last = range_boundaries(ref)
            hidden -= set(range(first or 1, (last or self._sheet.max_row) + 1))
        return hidden

    @property
    def hidden_columns(self) -> set[int]:
        shown = self._sheet.max_column
        return {
            n
            for shape in self._sheet.column_dimensions.values()
            if shape.hidden and shape.min and shape.max
            for n in range(shape.min, min(shape.max, shown) + 1)
        }

    @property
    def hidden_cells(self) -> str:
        """What is hidden, for people: ``4, 7-9, F``."""
        from openpyxl.utils import get_column_letter

        runs: list[str] = []
        for numbers, name in ((self.hidden_rows, str), (self.hidden_columns, get_column_letter)):
            for first in sorted(n for n in numbers if n - 1 not in numbers):
                last = first
                while last + 1 in numbers:
                    last += 1
                runs.append(name(first) if first == last else f"{name(first)}-{name(last)}")
        return ", ".join(runs)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Row number and cells of what is shown.

        A cell merged over several rows counts for each of them.
        """
        rows, columns = self.hidden_rows, self.hidden_columns
        above: dict[tuple[int, int], Any] = {}
        for area in self._sheet.merged_cells.ranges:
            cell = self._sheet.cell(area.min_row, area.min_col)
            above |= {(row, area.min_col): cell for row in range(area.min_row, area.max_row + 1)}
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            if number not in rows:
                cells = [(n, cell) for n, cell in enumerate(row, 1) if n not in columns]
                yield number, [above.get((number, n), cell) for n, cell in cells]


def sheets(raw: bytes, file: str, problems: list[Problem]) -> list[Sheet]:
    """The sheets of a workbook that hold something."""
    import warnings

    from openpyxl.reader.excel import ExcelReader
    from openpyxl.utils.exceptions import InvalidFileException

    if raw.startswith(OLE):
        problems.append(Problem("error", "old-or-locked-excel", file))
        return []
    try:
        if _merged(raw) > MOST_MERGED:
            raise ValueError(f"more than {MOST_MERGED:,} merged cells")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks on styles it drops
            reader = ExcelReader(io.BytesIO(raw), data_only=True, rich_text=True)
            reader.read()
            book = reader.wb
            parts = {sheet.name: rel.target for sheet, rel in reader.parser.find_sheets()}
            without_result = {t: _without_result(raw, part) for t, part in parts.items()}
    except (*DAMAGED, InvalidFileException) as error:
        reason = str(error) or type(error).__name__
        values = {"reason": f"@{reason}", "message": reason}
        problems.append(Problem("error", "bad-excel", file, None, values))
        return []
    several = len(book.worksheets) > 1
    found = [
        Sheet(
            sheet.title,
            f"{file}[{sheet.title}]" if several else file,
            sheet.sheet_state != "visible",
            sheet,
        )
        for sheet in book.worksheets
        if (sheet.max_row, sheet.max_column) != (1, 1) or sheet.cell(1, 1).value is not None
    ]
    for sheet in found:
        if sheet.hidden:
            continue
        if hidden := sheet.hidden_cells:
            problems.append(Problem("note", "hidden-cells", sheet.place, None, {"found": hidden}))
        if cells := without_result.get(sheet.title):
            values = {"found": ", ".join(cells[:8]) + (" …" if len(cells) > 8 else "")}
            problems.append(Problem("warning", "no-result", sheet.place, None, values))
    return found


MOST_MERGED = 1_000_000
"""Cells that a workbook may merge: openpyxl makes each of them."""
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=[\"']([A-Z]{1,3}\d+:[A-Z]{1,3}\d+)[\"']")


def _merged(raw: bytes) -> int:
    """How many cells a workbook's merged ones take up."""
    from openpyxl.worksheet.cell_range import CellRange

    areas = 0
    with ZipFile(io.BytesIO(raw)) as archive:
        for part in archive.namelist():
            for ref in _MERGE.findall(archive.read(part)):
                size = CellRange(ref.decode()).size
                areas += size["rows"] * size["columns"]
    return areas


_CELL = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)(?<!/)>((?:[^<]|<(?!/?(?:\w+:)?c[\s>]))*)</(?:\w+:)?c>", re.DOTALL
)


def _without_result(raw: bytes, part: str) -> list[str]:
    """The cells of a sheet whose formula was saved without its result, as some programs do.

    openpyxl gives None for them, as for a result that is an empty text, which is none of these.
    """
    with ZipFile(io.BytesIO(raw)) as archive:
        xml = archive.read(part) if part in archive.namelist() else b""
    if not re.search(rb"<(?:\w+:)?f\b", xml):
        return []
    found = []
    for about, inner in _CELL.findall(xml):
        formula = re.search(rb"<(?:\w+:)?f\b", inner)
        place = re.search(rb'\br="([A-Z]+\d+)"', about)
        if (
            formula
            and place
            and b'"str"' not in about
            and not re.search(rb">[^<]+</(?:\w+:)?v>", inner)
        ):
            found.append(place[1].decode())
    return found


# --- Cells ----------------------------------------------------------------------------------------

_FORMAT = re.compile(r"([^#0?]*)([#0?][#0?,.]*)(.*)")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|[_*].')
_PRIVATE = 0xE000
"""Letters that no text has stand for a format's literals, whose % and / mean nothing."""


def made_a_day(cell: Cell) -> bool:
    """Whether Excel may have made a day of what was typed, as of 2-3: then it chose the format."""
    return isinstance(cell.value, datetime | date) and cell.number_format in ("d-mmm", "mmm-yy")


def shown(cell: Cell) -> str:
    """A cell's text as the sheet shows it, for the formats that facts have: money, shares, days."""
    value: Any = cell.value
    if value is None or cell.font.strike:
        return ""
    if isinstance(value, list):  # of texts, and of those with a look of their own
        value = "".join(
            str(part) for part in value if isinstance(part, str) or not part.font.strike
        )
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, cell.number_format)
    return _plain(value)


def _number(value: float, style: str) -> str:
    """A number with the currency, the percent sign and the decimals of its format."""
    literals: list[str] = []

    def literal(found: re.Match[str]) -> str:
        """Words in quotes and the currency of [$€-407], kept for later; padding and colours not."""
        quoted, escaped, currency = found.groups()
        said = quoted or escaped or currency
        if not said:
            return ""
        literals.append(said)
        return chr(_PRIVATE + len(literals) - 1)

    style = _LITERAL.sub(literal, style).split(";")[0]
    found = _FORMAT.fullmatch(style)
    before, digits, after = found.groups() if found else ("", "", "")
    odd = re.search(r"[A-Za-z]\s*[+-]|[/#0?]", before + after)  # exponents, fractions, groups
    thousands = digits.endswith(",")
    if not digits or odd or thousands or abs(value) > 1e15:
        return _plain(round(value, 10))
    whole, _, part = digits.partition(".")
    decimals = len(part)
    exact = Decimal(repr(value)) * (100 if "%" in before + after else 1)
    # No mark between thousands: 1,200 is a little more than one in half of the world.
    text = f"{exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"
    if (zeros := whole.count("0")) > 1:  # the post code 08001
        text = text.zfill(zeros + (decimals + 1 if decimals else 0))
    text = f"{before}{text}{after}"
    for index, said in enumerate(literals):
        text = text.replace(chr(_PRIVATE + index), said)
    return " ".join(text.split())


def _plain(value: Any) -> str:
    """A cell's value as text; 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
