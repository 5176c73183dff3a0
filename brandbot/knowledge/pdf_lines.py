"""Lines of a PDF's pages, from letters and where they stand; headers and footers taken out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from brandbot.errors import Problem
from brandbot.knowledge.blocks import Document, plain
from brandbot.tables import DAMAGED

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

EDGE = 3
"""Lines at the top and at the bottom of a page among which its header and footer are looked for."""

COLUMN = 0.8
"""How far, in sizes, two columns are apart at least."""

_PAGE_WORD = r"(?:page|página|pagina|pág|pag|p)\b\.?"
_OF_ALL = r"(?:\s*(?:/|of|de)\s*\d+)?"
_PAGE_NUMBER = re.compile(rf"\W*{_PAGE_WORD}\s*\d+{_OF_ALL}\W*", re.IGNORECASE)
_NAMED = re.compile(rf"\b{_PAGE_WORD}\s*$", re.IGNORECASE)
_COUNTED = re.compile(rf"(?<![\d.,])(\d{{1,5}})(?![.,]?\d)({_OF_ALL})", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """A line of a page: where its first letter stands, in points from below left, and its size."""

    text: str
    x: float
    y: float
    size: float


Page = list[list[Line]]
"""Rows from first to last; a row of a table has several lines at one height."""


def page_lines(reader: PdfReader, index: int, document: Document) -> list[Line]:
    """A page's lines in the order they were written; none, and a problem, if it can't be read."""
    from pypdf.errors import FileNotDecryptedError, PyPdfError

    try:
        return _written(reader.pages[index])
    except FileNotDecryptedError:  # so are the others
        raise
    except (*DAMAGED, PyPdfError) as error:
        reason = plain(str(error))[:120] or type(error).__name__
        values = {"page": index + 1, "reason": reason}
        document.problems.append(Problem("error", "broken-page", document.name, None, values))
        return []


def _written(page: PageObject) -> list[Line]:
    pieces: list[Line] = []

    def visit(text: str, cm: list[float], tm: list[float], _font: Any, size: float) -> None:
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        # The letters' height is scaled by both matrices.
        height = abs(size * (tm[2] * cm[1] + tm[3] * cm[3]))
        pieces.append(Line(text, x, y, round(height, 1) or 1.0))

    page.extract_text(visitor_text=visit)
    lines: list[Line] = []
    open_pieces: list[Line] = []

    def end_line() -> None:
        said = [p for p in open_pieces if p.text.strip()]
        if said:
            sizes = Counter[float]()
            for part in said:
                sizes[part.size] += len(part.text)
            whole = "".join(part.text for part in open_pieces)
            size = sizes.most_common(1)[0][0]
            lines.append(Line(whole.strip(), said[0].x, said[0].y, size))
        open_pieces.clear()

    for piece in pieces:
        first, *more = piece.text.split("\n")
        if _is_next_cell(open_pieces, replace(piece, text=first)):
            end_line()
        open_pieces.append(replace(piece, text=first))
        for text in more:
            end_line()
            open_pieces.append(replace(piece, text=text))
    end_line()
    return lines


def _is_next_cell(last: list[Line], piece: Line) -> bool:
    """Whether text begins well to the right of what was written last at its height.

    Browsers and word processors write a table's cells as they write words.
    """
    said = [n for n, p in enumerate(last) if p.text.strip()]
    if not said or not piece.text.strip() or last[said[-1]].text.endswith(" "):
        return False  # a space at the end goes on: no cell has one
    cell = last[said[-1]]
    level = abs(cell.y - piece.y) < 0.3 * piece.size
    # Where a program places letter by letter, pypdf tells last where the last one stands.
    reached = max(p.x for p in last[said[-1] :]) + 0.6 * cell.size
    return level and min(gap(cell, piece), piece.x - reached) > COLUMN * piece.size


def gap(cell: Line, after: Line) -> float:
    """Points between two; letters are taken to be half as wide as they are high."""
    return after.x - (cell.x + 0.5 * cell.size * len(cell.text.strip()))


def without_edges(pages: list[list[Line]]) -> list[list[Line]]:
    """Pages without headers, footers and page numbers.

    They stand among the outermost lines of most pages at the same height: a header or footer as it
    is, a page number counting with the pages. What would leave a page with nothing is kept once.
    """
    highest = max((line.y for page in pages for line in page), default=0.0)

    def keys(line: Line, number: int, *, top: bool) -> set[str]:
        footer = not top and line.y < highest / 3
        same = {line.text} if top or footer else set()
        return same | _counting(line.text, number, footer=footer)

    edges = [[(top, _edge(page, top=top)) for top in (True, False)] for page in pages]
    seen = Counter(
        place
        for number, page_edges in enumerate(edges)
        for place in {
            (key, round(line.y))
            for top, edge in page_edges
            for line in edge
            for key in keys(line, number, top=top)
        }
    )
    most = max(len(pages) / 2, 1)

    def repeats(line: Line, number: int, *, top: bool) -> bool:
        heights = range(round(line.y) - 1, round(line.y) + 2)
        often = any(
            sum(seen[key, height] for height in heights) > most
            for key in keys(line, number, top=top)
        )
        return often or bool(_PAGE_NUMBER.fullmatch(line.text))

    kept: list[list[Line]] = []
    for number, page in enumerate(pages):
        gone = {
            id(line)
            for top, edge in edges[number]
            for line in takewhile(partial(repeats, number=number, top=top), edge)
        }
        left = [line for line in page if id(line) not in gone]
        if not left:
            said = {line.text for before in kept for line in before}
            left = [
                line for line in page
                if line.text not in said and not _counting(line.text, number, footer=True)
            ]  # fmt: skip
        kept.append(left)
    return kept


def _edge(page: list[Line], *, top: bool) -> list[Line]:
    return sorted(page, key=lambda line: line.y, reverse=top)[:EDGE]


def _counting(text: str, number: int, *, footer: bool) -> set[str]:
    """A line with each number that may be its page's told from the page's place.

    That is one after the word page, or with nothing but dashes around it; in a footer, no letters
    and no money. "Week 1" and "£12.50" are what the page is about.
    """
    around = r"(?:[^\w€$£%]|\d)*" if footer else r"[\s|·•–—-]*"
    found = set()
    for counted in _COUNTED.finditer(text):
        page, of_all = counted.groups()
        before, after = text[: counted.start()], text[counted.end() :]
        if _NAMED.search(before) or re.fullmatch(around, before + after):
            found.add(f"{before}#{int(page) - number}#{of_all}{after}")
    return found
