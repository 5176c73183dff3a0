"""Tables as people save them: text of any encoding, JSON lines, CSV rows, Excel sheets.

What is wrong is added to a list of problems, and a bad row never costs another row. Knows nothing
of what the rows hold, but for the names a question's and a reply's column go by.
"""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from brandbot.errors import Problem

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

LONGEST_ROW = 40
"""Lines a row of a CSV file may span; beyond that a quote was left open."""

OLE = b"\xd0\xcf\x11\xe0"
"""How old Office files begin, and those with a password."""

# What a damaged file makes zipfile, zlib and the parsers raise; LookupError, AttributeError and the
# like come from parts that are missing.
DAMAGED = (
    BadZipFile, zlib.error, struct.error, EOFError, OSError, SyntaxError, LookupError,
    AttributeError, ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError,
)  # fmt: skip

PROMPT_NAMES = frozenset(
    [
        "prompt", "question", "user", "input", "instruction", "customer", "message", "ask",
        "q", "pregunta", "usuario", "cliente", "mensaje", "entrada", "consulta", "peticion",
        "instruccion", "prompts", "questions", "preguntas", "mensajes",
    ]
)  # fmt: skip
REPLY_NAMES = frozenset(
    [
        "completion", "reply", "answer", "response", "output", "assistant", "bot", "a",
        "respuesta", "contestacion", "salida", "asistente", "completado", "completions", "replies",
        "answers", "respuestas",
    ]
)  # fmt: skip
# Columns that other tools write and nobody needs to hear about.
QUIET_NAMES = frozenset(
    [
        "id", "meta", "metadata", "provenance", "source", "author", "date", "fecha", "tags",
    ]
)  # fmt: skip


def normalise(text: str) -> str:
    """Lower case, no accents, punctuation or repeated spaces: what makes two prompts the same."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join(kept.split()) or text.strip()


def header_name(cell: str) -> str:
    """What a column or a field is known by: ``Válido hasta`` is ``valido_hasta``."""
    return normalise(cell).replace(" ", "_")


def column_of(names: Sequence[str], wanted: AbstractSet[str]) -> int | None:
    """The first column whose name is one of ``wanted``."""
    return next((index for index, name in enumerate(names) if name in wanted), None)


# --- Files ----------------------------------------------------------------------------------------

NOTES = frozenset(["README.MD", "LEEME.MD", "README.TXT", "LEEME.TXT", "THUMBS.DB", "DESKTOP.INI"])
"""Notes among people, and what Windows leaves in folders."""


def people_files(folder: Path) -> dict[str, Path]:
    """The files that people put into a folder, by their path in it, in its order.

    Hidden ones, Office's locks and ``NOTES`` are none; a folder that isn't there has none.
    """
    if not folder.is_dir():
        return {}
    found = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    return {
        name: path for name, path in found.items()
        if path.name.upper() not in NOTES
        and not any(part.startswith((".", "~$")) for part in name.split("/"))
    }  # fmt: skip


# --- Text -----------------------------------------------------------------------------------------


OLD_ENCODINGS = ("cp1252", "cp850", "mac_roman")
"""Windows, and Excel's "CSV (MS-DOS)" and "CSV (Macintosh)"."""

_AT_HOME = re.compile(r"(?<=[a-z])[áéíóúüñçàèìòùâêîôûäëïöãõ]|[áéíóúñ](?=[a-z])|[¿¡](?=\w)")
_ASTRAY = re.compile(r"(?<=[a-z])[A-ZÀ-Þ]|[¤¨¢ƒ‚„†‡ˆ‰‹›\u2500-\u259f\ufffd]")


def _likely(text: str) -> int:
    """How much a text looks decoded rightly: letters at home, less those astray."""
    return len(_AT_HOME.findall(text)) - len(_ASTRAY.findall(text))


def kind(value: Any) -> str:
    """What a JSON value is, for people: an entry of ``texts.WORDS``."""
    return f"@json-{type(value).__name__}"


def decode(raw: bytes, file: str, problems: list[Problem]) -> str:
    """Text of a file in UTF-8 (with or without BOM), UTF-16 or, from old Excel, Latin-1."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            problems.append(Problem("warning", "not-utf8", file, line))
            text = max((raw.decode(e, errors="replace") for e in OLD_ENCODINGS), key=_likely)
    if "\0" in text:
        problems.append(Problem("error", "binary-file", file))
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


# --- JSON Lines -----------------------------------------------------------------------------------


_OF_A_LIST = re.compile(r"^\s*[\[\]]\s*,?\s*$|^\s*\[\s*\{|\}\s*,\s*$")


def json_rows(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    """Line number and object of each line that holds one."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if re.search(r"\\u[dD][89a-fA-F]", line):
                row = _without_half_characters(row)
        except (ValueError, RecursionError) as error:
            values = {"reason": getattr(error, "msg", "too deeply nested")}
            if re.search("[“”„«»]", line):
                problems.append(Problem("error", "json-quotes", file, number))
            elif _OF_A_LIST.search(line):
                problems.append(Problem("error", "json-list", file, number))
            else:
                problems.append(Problem("error", "bad-json", file, number, values))
            continue
        if not isinstance(row, dict):
            values = {"found": kind(row)}
            problems.append(Problem("error", "json-not-object", file, number, values))
            continue
        yield number, row


def _without_half_characters(row: Any) -> Any:
    """A row whose cut emoji (half a surrogate pair, which no file can hold) became U+FFFD."""
    text = json.dumps(row, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return json.loads(text.decode("utf-16", "replace"))


# --- CSV ------------------------------------------------------------------------------------------


def csv_rows(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row; commas, semicolons, tabs or bars, as Excel writes them.

    A quote that is never closed costs its own line only.
    """
    offset = 1
    told = re.match(r"sep=(.)\n", text)
    if told:  # Excel's own hint
        text, offset = text[told.end() :], 2
    delimiter = told.group(1) if told else _delimiter(text)
    if '"' not in text:
        text = _straighten_quotes(text, delimiter)
    csv.field_size_limit(10_000_000)
    lines = [line + "\n" for line in text.split("\n")]
    start = 0
    while start < len(lines):
        reader = csv.reader(
            (lines[n] for n in range(start, len(lines))),
            delimiter=delimiter,
            skipinitialspace=True,
            strict=True,
        )
        base = start
        try:
            for row in reader:
                if base + reader.line_num - start > LONGEST_ROW:
                    raise csv.Error("row too long")
                yield start + offset, row
                start = base + reader.line_num
        except csv.Error as error:
            ran_on = base + reader.line_num - start > 1 or "end of data" in str(error)
            if ran_on:
                problems.append(Problem("error", "open-quote", file, start + offset))
            else:
                lenient = csv.reader([lines[start]], delimiter=delimiter, skipinitialspace=True)
                try:
                    row = next(lenient)
                    # A quoted cell that ended too early is read otherwise than it stands there.
                    torn = [cell for cell in row if '"' in cell and cell not in lines[start]]
                    if torn:
                        values = {"found": torn[0][:40]}
                        problems.append(
                            Problem("warning", "quote-inside", file, start + offset, values)
                        )
                    yield start + offset, row
                except (csv.Error, StopIteration):
                    values = {"reason": str(error)}
                    problems.append(Problem("error", "bad-csv", file, start + offset, values))
            start += 1


def _delimiter(text: str) -> str:
    """What separates the header's cells; the header may stand under a title.

    Where no header of questions and replies tells, it is what most lines in a row have the same
    number of: the comma of ``3,60`` is not in the header, that of a title not in the rows.
    """
    top = [line for line in text[:5000].split("\n") if line.strip()][:10]
    for line in top[:3]:
        for delimiter in ",;\t|":
            names = [header_name(cell) for cell in line.split(delimiter)]
            if PROMPT_NAMES.intersection(names) and REPLY_NAMES.intersection(names):
                return delimiter
    bare = [re.sub(r'"[^"]*"', "", line) for line in top]

    def alike(delimiter: str) -> tuple[int, int]:
        runs = groupby(line.count(delimiter) for line in bare)
        return max(((len(list(run)), count) for count, run in runs if count), default=(0, 0))

    return max(",;\t|", key=alike)


def _straighten_quotes(text: str, delimiter: str) -> str:
    """Smart quotes that stand around a whole cell mean what straight ones do."""
    edge = re.escape(delimiter)
    return re.sub(rf"(?m)(^|{edge} *)[“„]([^”“„\n]*)[”“](?= *(?:{edge}|$))", r'\1"\2"', text)


# --- Excel ----------------------------------------------------------------------------------------


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

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Row number and cells; a cell merged over several rows counts for each of them."""
        above: dict[tuple[int, int], Any] = {}
        for area in self._sheet.merged_cells.ranges:
            cell = self._sheet.cell(area.min_row, area.min_col)
            above |= {(row, area.min_col): cell for row in range(area.min_row, area.max_row + 1)}
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            yield number, [above.get((number, n), cell) for n, cell in enumerate(row, 1)]


def sheets(raw: bytes, file: str, problems: list[Problem]) -> list[Sheet]:
    """The sheets of a workbook that hold something."""
    import warnings

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    if raw.startswith(OLE):
        problems.append(Problem("error", "old-or-locked-excel", file))
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks on styles it drops
            book = load_workbook(io.BytesIO(raw), data_only=True)
    except (*DAMAGED, InvalidFileException) as error:
        values = {"reason": str(error) or type(error).__name__}
        problems.append(Problem("error", "bad-excel", file, None, values))
        return []
    several = len(book.worksheets) > 1
    return [
        Sheet(
            sheet.title,
            f"{file}[{sheet.title}]" if several else file,
            sheet.sheet_state != "visible",
            sheet,
        )
        for sheet in book.worksheets
        if (sheet.max_row, sheet.max_column) != (1, 1) or sheet.cell(1, 1).value is not None
    ]


def cell_text(value: Any) -> str:
    """A cell's value as text; 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
