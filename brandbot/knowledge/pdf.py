"""PDF documents: text with its pages. A PDF knows letters and places, not paragraphs.

Lines, headings and rows are told by where letters stand and how large they are; what is told
wrongly is still there as text.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from typing import Literal

from brandbot.errors import Problem
from brandbot.knowledge.blocks import Document, Outline, plain
from brandbot.knowledge.lines import BULLET, NUMBER
from brandbot.knowledge.pdf_lines import COLUMN, Line, Page, gap, page_lines, without_edges
from brandbot.knowledge.rows import COLUMNS, all_figures, is_value, row_text
from brandbot.money import COIN
from brandbot.tables import DAMAGED, header_name

LARGER = 1.15
"""How much larger than the text a heading is."""

DOUBLE = 1.9
"""Lines this many times their size apart are spaced doubly, or are paragraphs of a line each."""

_LONGEST_HEADING = 120
_ENDS_SENTENCE = re.compile(r"[.!?…:;][\"'»”’)\]]*$")
_PRICED = re.compile(rf"(?:[£$€]\s?\d+(?:[.,]\d+)?|\d\s?{COIN}|\s\d+[.,]\d{{2}})$", re.IGNORECASE)


def read_pdf(raw: bytes, name: str) -> Document:
    """Paragraphs and items with their pages, headings where they are larger than the text."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    # pypdf logs what it mends; only what it can't is of use here.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    document = Document(name)
    try:
        reader = PdfReader(io.BytesIO(raw))
        # Without a password for reading, the empty one opens it.
        if reader.is_encrypted and not reader.decrypt(""):
            document.problems.append(Problem("error", "locked-pdf", name))
            return document
        pages = [page_lines(reader, number, document) for number in range(len(reader.pages))]
    except (DependencyError, FileNotDecryptedError):  # encrypted as only another package can read
        document.problems.append(Problem("error", "locked-pdf", name))
        return document
    except (*DAMAGED, PyPdfError) as error:
        values = {"reason": plain(str(error))[:120] or type(error).__name__}
        document.problems.append(Problem("error", "broken-document", name, None, values))
        return document
    pages = without_edges(pages)
    empty = [number for number, page in enumerate(pages, 1) if not page]
    broken = {p.values["page"] for p in document.problems if p.code == "broken-page"}
    if len(empty) == len(pages):
        if not broken:
            document.problems.append(Problem("error", "scanned-pdf", name))
        return document
    for number in empty:
        if number not in broken:
            problem = Problem("warning", "page-without-text", name, None, {"page": number})
            document.problems.append(problem)
    _add([_rows(page) for page in pages], Outline(document))
    return document


# --- Paragraphs -----------------------------------------------------------------------------------


@dataclass
class _Part:
    """Lines that belong together: a heading (with its level), a paragraph, an item or a row."""

    kind: Literal["heading", "paragraph", "item", "row"]
    page: int
    lines: list[Line]
    level: int = 0


def _rows(lines: Sequence[Line]) -> Page:
    """Lines that follow each other at one height, from left to right, are a row's cells."""
    rows: Page = []
    for line in lines:
        last = rows[-1][-1] if rows else None
        if last and abs(last.y - line.y) < 0.3 * line.size and line.x > last.x:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _add(pages: list[Page], outline: Outline) -> None:
    lines = [line for page in pages for row in page for line in row]
    known = {word for line in lines for word in re.findall(r"\w+-\w+", line.text)}
    header: list[str] = []
    for is_row, group in groupby(_parts(pages), key=lambda part: part.kind == "row"):
        parts = list(group)
        if is_row:
            header = _add_rows(parts, header, outline)
            continue
        for part in parts:
            outline.page = part.page
            text = _run_on([line.text for line in part.lines], known)
            if part.kind == "heading":
                header = []
                outline.heading(part.level, text)
            elif part.kind == "item":
                outline.item(0, BULLET.sub("", text, count=1))
            else:
                outline.paragraph(text)
    outline.end()


def _parts(pages: list[Page]) -> Iterator[_Part]:
    levels = _heading_levels([line for page in pages for row in page for line in row])
    leading = _leading(pages)
    part: _Part | None = None
    for number, page in enumerate(pages, 1):
        lengths = sorted(len(_one_line(row).text) for row in page)
        full = lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0
        page = _with_gaps(page)
        in_table = _in_table(page)
        for index, row in enumerate(page):
            line = _one_line(row)
            new = _Part("paragraph", number, [line])
            if in_table[index]:
                new = _Part("row", number, row)
            elif BULLET.match(line.text):
                new.kind = "item"
            elif line.size in levels and _may_be_heading(line.text):
                new.kind, new.level = "heading", levels[line.size]
            if part is not None and _goes_on(part, new, leading, full):
                part.lines.append(line)
                continue
            if part is not None:
                yield part
            part = new
    if part is not None:
        yield part


def _goes_on(part: _Part, new: _Part, leading: float, full: int) -> bool:
    """Whether a line is the next of a part's; ``full`` is how many letters a whole line has."""
    last, line = part.lines[-1], new.lines[0]
    gap = (last.y - line.y) / line.size
    if "row" in (part.kind, new.kind) or new.kind == "item":
        return False
    if "heading" in (part.kind, new.kind):
        alike = part.kind == new.kind and part.level == new.level and part.page == new.page
        return alike and 0 < gap < 1.6
    if abs(last.size - line.size) > 0.6:
        return False
    lower = line.text[:1].islower()
    if not lower and _PRICED.search(last.text) and _PRICED.search(line.text):  # a list of prices
        return False
    ended = bool(_ENDS_SENTENCE.search(last.text))
    asks = last.text.endswith("?") or (ended and line.text.endswith("?"))
    if not lower and (asks or NUMBER.match(line.text)):  # a question, its answer, the next one
        return False
    if gap <= 0 or new.page != part.page:  # the next column or page
        return lower and not ended
    indented = line.x > last.x + 0.8 * line.size
    if gap > 1.25 * leading or (ended and (indented or gap > DOUBLE)):
        return False
    return lower or len(last.text) > 0.65 * full


def _one_line(row: list[Line]) -> Line:
    longest = max(row, key=lambda line: len(line.text))
    return Line(" ".join(line.text for line in row), row[0].x, longest.y, longest.size)


def _heading_levels(lines: list[Line]) -> dict[float, int]:
    """Levels of the sizes that headings have: 1 for the largest.

    A size that much of the text has is none, even where the small print has more letters.
    """
    letters = Counter[float]()
    for line in lines:
        letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0]
    large = sorted((size for size in letters if size >= LARGER * body), reverse=True)
    shares = accumulate(letters[size] / letters.total() for size in large)
    headings = [size for size, share in zip(large, shares, strict=True) if share <= 0.3]
    return {size: min(level, 6) for level, size in enumerate(headings, 1)}


def _may_be_heading(text: str) -> bool:
    letters = sum(c.isalpha() for c in text)
    return letters > 1 and len(text) <= _LONGEST_HEADING and not text.endswith((".", ",", ";"))


def _leading(pages: list[Page]) -> float:
    """How far lines of a paragraph are apart, as a multiple of their size."""
    gaps = sorted(
        (above[0].y - below[0].y) / below[0].size
        for page in pages
        for above, below in pairwise(page)
        if above[0].size == below[0].size
    )
    gaps = [gap for gap in gaps if 1.0 <= gap <= 2.5]
    return gaps[len(gaps) // 10] if gaps else 1.2


def _run_on(lines: list[str], known: set[str]) -> str:
    """Lines as one; a word cut at a line's end is whole, unless it has its hyphen elsewhere too."""
    text = lines[0].strip()
    for line in lines[1:]:
        line = line.strip()
        cut = re.search(r"(\w+)[-\u00ad\u2010]$", text)
        rest = re.match(r"[^\W\d_]+", line)
        if cut and rest and line[0].islower():
            keep = f"{cut.group(1)}-{rest[0]}" in known
            text = f"{text[:-1]}{'-' if keep else ''}{line}"
        else:
            text = f"{text} {line}"
    return text


def _in_table(page: Page) -> list[bool]:
    """For each row, whether it has as many cells as one beside it, each well apart."""
    widths = [len(row) if _is_apart(row) else 1 for row in page]
    around = [0, *widths, 0]
    return [
        width > 1 and width in (around[index], around[index + 2])
        for index, width in enumerate(widths)
    ]


def _is_apart(row: list[Line]) -> bool:
    """Whether a row has columns."""
    if BULLET.match(row[0].text + " x"):
        return False
    return all(gap(cell, after) > COLUMN * cell.size for cell, after in pairwise(row))


def _with_gaps(page: Page) -> Page:
    """The rows, with an empty cell in those of a table that lack one: places tell which."""
    filled = [*page]
    for index, row in enumerate(page):
        above, below = filled[max(index - 1, 0) : index], page[index + 1 : index + 2]
        if any(_columns(row, other) == list(range(len(row))) for other in above + below
               if len(other) == len(row)):  # fmt: skip
            continue  # a row of a table as wide as itself
        for other in above:
            places = _columns(row, other)
            if 1 < len(row) < len(other) and places and _is_apart(row) and _is_apart(other):
                cells = dict(zip(places, row, strict=True))
                filled[index] = [
                    cells.get(n, replace(at, text="", y=row[0].y)) for n, at in enumerate(other)
                ]
                break
    return filled


def _columns(row: list[Line], other: list[Line]) -> list[int] | None:
    """In which of another row's columns a row's cells stand, from the first on; None in none.

    Cells that are flush right begin somewhat apart.
    """

    def nearest(cell: Line) -> int:
        return min(range(len(other)), key=lambda n: abs(other[n].x - cell.x))

    places = [nearest(cell) for cell in row]
    near = all(abs(other[n].x - c.x) < 2 * c.size for n, c in zip(places, row, strict=True))
    return places if near and places[0] == 0 and len(set(places)) == len(row) else None


def _add_rows(parts: list[_Part], above: list[str], outline: Outline) -> list[str]:
    """Rows under the first of them; of two columns the first may be a row like the others.

    A first row of figures, or of yes and no, goes on under the header ``above``, if that is as
    wide. Gives the header that a table further down may go on under.
    """
    document = outline.document
    for _, group in groupby(parts, key=lambda part: len(part.lines)):
        rows = [(part.page, [plain(line.text) for line in part.lines]) for part in group]
        first = rows[0][1]
        values = (
            len(first) == len(above) and header_name(first[0]) not in COLUMNS
            and all(is_value(cell) for cell in first[1:] if cell)
        )  # fmt: skip
        if len(first) > 2 and not values and not all_figures(first):
            above = first
            rows = rows[1:]
        elif len(first) != len(above):
            above = [""] * len(first)
            if len(first) > 2:
                told = {"found": row_text(above, first)[:60]}
                document.problems.append(
                    Problem("warning", "no-header-row", document.name, None, told)
                )
        for page, cells in rows:
            outline.page = page
            outline.add(row_text(above, cells), "row")
    return above
