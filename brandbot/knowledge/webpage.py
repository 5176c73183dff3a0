"""Web pages as documents: what a visitor reads, without the frame around it."""

from __future__ import annotations

import codecs
import copy
import re
import warnings
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from brandbot import tables
from brandbot.knowledge.blocks import Block, Document, Outline, plain, raised
from brandbot.knowledge.markdown import add_markdown

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

NOT_READ = [
    "script", "style", "noscript", "template", "nav", "header", "footer", "svg", "iframe",
    "button", "select", "textarea", "img", "del", "s", "strike",
]  # fmt: skip
HEADS = ["h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"]
INLINE = ["span", "b", "strong", "em", "i", "small", "u"]
PANELS = ["div", "section", "article", "dd", "p", "ul", "ol", "table"]
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_STRUCK = re.compile(r"text-decoration[^;]*line-through", re.IGNORECASE)
_FRAME = re.compile(r"(?:^|[-_])(?:cookies?|consent|gdpr|rgpd)(?:$|[-_])", re.IGNORECASE)
_TRAIL = re.compile(r"(?:^|[-_])(?:breadcrumbs?|skip-?link)(?:$|[-_])", re.IGNORECASE)
_ASKS = re.compile(r"cookie policy|(?:use|uses|usamos|utilizamos|utiliza) cookies", re.IGNORECASE)
LONGEST_FRAME = 600
"""Letters of what may be a banner; more is the page's text, whatever it is called."""
_COPYRIGHT = re.compile(r"(?:©|\(c\)|copyright)\D{0,30}\d{4}(?:\s*[-–—/]\s*\d{4})?", re.IGNORECASE)


def read_html(raw: bytes, name: str) -> Document:
    """A page's text under its headings, with its ``<title>``; it has no lines to point to."""
    document = Document(name)
    soup = _soup(_decode(raw, document))
    if soup.title is not None:
        document.title = plain(soup.title.get_text())
        soup.title.decompose()
    footers = [tag.extract() for tag in soup.find_all("footer") if not _framed(tag)]
    # Headings over nothing are of forms, pictures and menus here.
    add_markdown(_to_markdown(soup), Outline(document, bare=False), None)
    for footer in footers:
        document.blocks += _footer_blocks(footer, name)
    return document


def _footer_blocks(footer: Tag, name: str) -> list[Block]:
    """What of a page's footer says something: hours, telephones, addresses; not its links."""
    addresses = plain(" ".join(tag.get_text(" ") for tag in footer.find_all("address")))
    footer.name = "div"
    found = Document(name)
    add_markdown(to_markdown(str(footer)), Outline(found, bare=False), None)
    return [
        block for block in found.blocks
        if re.search(r"\d|\w@\w", _COPYRIGHT.sub("", block.text)) or block.text in addresses
    ]  # fmt: skip


def words_of(html: str) -> str:
    """The text of a piece of a page, its parts kept apart."""
    soup = _soup(html)
    for tag in soup.find_all(["del", "s", "strike"]):
        tag.decompose()
    for tag in soup.find_all("sup"):
        tag.replace_with(raised(tag.get_text()))
    for tag in soup.find_all([*INLINE, "sub", "a"]):
        tag.unwrap()
    soup.smooth()
    return soup.get_text(" ")


def to_markdown(html: str) -> str:
    return _to_markdown(_soup(html))


def _decode(raw: bytes, document: Document) -> str:
    """Text in the encoding the page names, unless its bytes or the name can't be right.

    What can be read as UTF-8 is: letters of another encoding never follow each other like that.
    """
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(raw, is_html=True) or ""
    try:
        encoding = codecs.lookup(declared).name
    except LookupError:
        encoding = "utf-8"
    boms = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if encoding.startswith(("utf", "ascii")) or raw.startswith(boms) or _is_utf8(raw):
        return tables.decode(raw, document.name, document.problems)
    if encoding == "iso8859-1":  # browsers take it for its superset
        encoding = "cp1252"
    text = raw.decode(encoding, errors="replace")
    return tables.decode(text.encode(), document.name, document.problems)


def _is_utf8(raw: bytes) -> bool:
    try:
        return not raw.isascii() and bool(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _soup(html: str) -> BeautifulSoup:
    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4's advice to call it otherwise for a path or XML
        return BeautifulSoup(html, "lxml")


def _to_markdown(soup: BeautifulSoup) -> str:
    from markdownify import MarkdownConverter

    hidden = _hidden(soup)
    for button in soup.select(", ".join(f"{part} button" for part in HEADS)):
        button.unwrap()  # the question of an accordion
    struck = soup.find_all(style=_STRUCK)
    for tag in soup.find_all(NOT_READ) + soup.find_all(_is_frame) + struck + hidden:
        if not tag.decomposed and not _framed(tag):
            tag.decompose()
    for details in soup.find_all("details"):
        summary = details.find("summary", recursive=False)
        if summary is None:
            continue
        if details.find_parent(["li", "td", "th"]):
            summary.append(" " if summary.get_text().strip().endswith("?") else ": ")
        elif details.find(["details", *HEADS[:6]]):  # others stand over what is said
            summary.name = "p"
        else:
            summary.name = "h6"
            details.insert_after(soup.new_tag("h6"))
    for tag in soup.find_all("sup"):
        tag.replace_with(raised(tag.get_text()))
    for table in soup.find_all("table"):
        if table.find("table"):
            parts = table.find_all(["thead", "tbody", "tfoot", "tr", "td", "th"])
            for part in [p for p in parts if p.find_parent("table") is table] + [table]:
                part.name = "div"  # a table that lays the page out
        else:
            _spread(table)
            _plain_table(table)
    for tag in soup.find_all(INLINE):
        after = tag.next_sibling
        if after is None or not getattr(after, "name", None):
            continue
        # A name and its price that are kept apart by their style alone; B12 and H2O are none.
        price = re.match(r"[£$€]|\d+[.,]\d\d\b", after.get_text())
        if price and re.search(r"[^\W\d_]$", tag.get_text()):
            tag.insert_after(" ")
    for tag in soup.find_all(INLINE):
        if not _alone(tag):
            tag.unwrap()  # else "**S****ale**"; what is bold as a whole may be a title
    for terms in soup.find_all("dl"):
        _to_list(terms, soup)
    return MarkdownConverter(heading_style="ATX", bullets="-", escape_misc=True).convert_soup(soup)


def _alone(tag: Tag) -> bool:
    """Whether it is all that is said in what it stands in."""
    beside = chain(tag.next_siblings, tag.previous_siblings)
    return any(tag.stripped_strings) and not any(any(other.stripped_strings) for other in beside)


def _framed(tag: Tag) -> bool:
    """Whether it belongs to an article: that header holds its title; a page's, logo and menu."""
    return tag.name in ("header", "footer") and tag.find_parent(["article", "main"]) is not None


def _is_frame(tag: Tag) -> bool:
    """Whether it is a banner, a trail of links or the like, by its role or the name it is given."""
    if tag.name in ("html", "body", "main", "article"):
        return False
    names = [str(name) for name in (*tag.get_attribute_list("class"), tag.get("id")) if name]
    trail = tag.get("role") in ("navigation", "search") or any(map(_TRAIL.search, names))
    if not trail and not any(map(_FRAME.search, names)):
        return False
    text = tag.get_text()
    if len(text) > LONGEST_FRAME or re.search(r"\d|@", text) or tag.find(("h1", "h2", "h3")):
        return False
    # A bakery sells cookies, a school asks for consent: such a banner says what it is.
    return trail or bool(_ASKS.search(text))


def _hidden(soup: BeautifulSoup) -> list[Tag]:
    """The hidden parts that no visitor opens.

    A button that opens one is its heading, as a heading that does; what comes after it is not
    below that any more.
    """
    openers = {
        str(tag[name]).removeprefix("#"): tag
        for name in ("aria-controls", "data-target", "data-bs-target", "href")
        for tag in soup.find_all([*HEADS, "button", "a", "div"], attrs={name: True})
        if name == "aria-controls" or str(tag[name]).startswith("#")
    }
    hidden: list[Tag] = []
    closed = soup.find_all(_is_hidden)
    heads = Counter(above.name for tag in closed if (above := tag.find_previous_sibling()))
    for tag in closed:
        opener = openers.get(str(tag.get("id"))) or _just_above(tag, heads)
        if opener is None or tag.name not in PANELS or tag.get("role") in ("dialog", "menu"):
            hidden.append(tag)
            continue
        head = opener.find_parent(HEADS) or opener
        if head.name == "button":
            head.name = "h6"
        if head.name in HEADS[1:6]:
            tag.insert_after(soup.new_tag(head.name))
    return hidden


def _just_above(tag: Tag, heads: Counter[str]) -> Tag | None:
    """The button that stands alone before a part; a heading if it is one of an accordion's.

    That asks something, or others of its level stand before such parts, too (``heads``: how many).
    """
    before = tag.find_previous_sibling()
    if before is None or before.name in ("button", "summary"):
        return before
    if before.name in HEADS:
        accordion = heads[before.name] > 1 or before.get_text().strip().endswith("?")
        return before if accordion else None
    inner = before.find(["button", "summary"])
    return inner if inner and inner.get_text().strip() == before.get_text().strip() else None


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


def _plain_table(table: Tag) -> None:
    """What stands before a table's rows hides from markdownify that the first is a header."""
    for caption in table.find_all("caption"):
        caption.name = "p"
        table.insert_before(caption.extract())
    for column in table.find_all(("col", "colgroup")):
        column.extract()


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
