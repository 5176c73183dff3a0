"""Web pages as documents: what a visitor reads, without the frame around it."""

from __future__ import annotations

import codecs
import copy
import re
import warnings
from typing import TYPE_CHECKING

from brandbot import tables
from brandbot.knowledge.blocks import Document, Outline, plain
from brandbot.knowledge.markdown import add_markdown

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

NOT_READ = [
    "script", "style", "noscript", "template", "nav", "header", "footer", "svg", "iframe",
    "button", "select", "textarea", "img",
]  # fmt: skip
HEADS = ["h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"]
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def read_html(raw: bytes, name: str) -> Document:
    """A page's text under its headings, with its ``<title>``; it has no lines to point to."""
    document = Document(name)
    soup = _soup(_decode(raw, document))
    if soup.title is not None:
        document.title = plain(soup.title.get_text())
        soup.title.decompose()
    add_markdown(_to_markdown(soup), Outline(document), None)
    return document


def to_markdown(html: str) -> str:
    return _to_markdown(_soup(html))


def _decode(raw: bytes, document: Document) -> str:
    """Text in the encoding the page names, unless its bytes or the name can't be right."""
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(raw, is_html=True) or ""
    try:
        encoding = codecs.lookup(declared).name
    except LookupError:
        encoding = "utf-8"
    boms = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if encoding.startswith(("utf", "ascii")) or raw.startswith(boms):
        return tables.decode(raw, document.name, document.problems)
    if encoding == "iso8859-1":  # browsers take it for its superset
        encoding = "cp1252"
    text = raw.decode(encoding, errors="replace")
    return tables.decode(text.encode(), document.name, document.problems)


def _soup(html: str) -> BeautifulSoup:
    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4's advice to call it otherwise for a path or XML
        return BeautifulSoup(html, "lxml")


def _to_markdown(soup: BeautifulSoup) -> str:
    from markdownify import MarkdownConverter

    for button in soup.select(", ".join(f"{part} button" for part in HEADS)):
        button.unwrap()  # the question of an accordion
    for tag in soup.find_all(NOT_READ) + soup.find_all(_is_hidden):
        # The header of an article holds its title; that of a page, its logo and menu.
        framed = tag.name in ("header", "footer") and tag.find_parent(["article", "main"])
        if not framed and not tag.decomposed:
            tag.decompose()
    for table in soup.find_all("table"):
        if table.find("table"):
            parts = table.find_all(["thead", "tbody", "tfoot", "tr", "td", "th"])
            for part in [p for p in parts if p.find_parent("table") is table] + [table]:
                part.name = "div"  # a table that lays the page out
        else:
            _spread(table)
    for terms in soup.find_all("dl"):
        _to_list(terms, soup)
    return MarkdownConverter(heading_style="ATX", bullets="-", escape_misc=True).convert_soup(soup)


def _is_hidden(tag: Tag) -> bool:
    return (
        tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or bool(_HIDDEN.search(str(tag.get("style", ""))))
    )


def _spread(table: Tag) -> None:
    """Repeats a cell that spans rows in each of them."""
    below: dict[int, tuple[Tag, int]] = {}  # by column: the cell, and the rows it still spans
    for row in table.find_all("tr"):
        later: dict[int, tuple[Tag, int]] = {}
        column = 0
        for cell in [*row.find_all(["td", "th"], recursive=False), None]:
            while column in below:
                spanning, left = below.pop(column)
                again = copy.copy(spanning)
                if cell is None:
                    row.append(again)
                else:
                    cell.insert_before(again)
                if left > 1:
                    later[column] = (spanning, left - 1)
                column += _span(spanning, "colspan")
            if cell is None:
                continue
            if (rows := _span(cell, "rowspan")) > 1:
                later[column] = (cell, rows - 1)
            column += _span(cell, "colspan")
        below |= later


def _span(cell: Tag, name: str) -> int:
    told = str(cell.get(name, "1"))
    return min(max(int(told), 1), 1000) if told.isascii() and told.isdigit() else 1


def _to_list(terms: Tag, soup: BeautifulSoup) -> None:
    """A list of terms becomes items of the form ``term: what it is``."""
    term = ""
    for part in terms.find_all(["dt", "dd"]):
        if part.name == "dt":
            term = plain(part.get_text(" "))
            part.decompose()
        else:
            part.name = "li"
            part.insert(0, f"{term.rstrip(':')}: ")
    terms.name = "ul"
