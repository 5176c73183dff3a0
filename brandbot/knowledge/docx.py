"""Word documents: headings, paragraphs, list items and tables, in the order of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from brandbot.errors import Problem
from brandbot.knowledge.blocks import Document, Outline, plain, raised
from brandbot.knowledge.lines import may_be_title
from brandbot.knowledge.sheets import WIDEST, add_table
from brandbot.tables import DAMAGED, OLE

if TYPE_CHECKING:
    from docx.blkcntnr import BlockItemContainer
    from docx.table import Table
    from docx.text.paragraph import Paragraph

# What is in the file but not in the text, or not meant any more: deleted, hidden and struck-out
# words, and the second form of a box.
_ON = "[not(@w:val='0' or @w:val='false' or @w:val='off')]"
_UNSEEN = (
    f"//w:del | //w:moveFrom | //w:r[w:rPr/w:vanish{_ON}]"
    f" | //w:r[w:rPr/w:strike{_ON} or w:rPr/w:dstrike{_ON}]"
    " | //*[local-name()='Fallback'] | //w:sdt[.//w:docPartGallery[@w:val='Table of Contents']]"
)
_CONTACT = re.compile(r"\w@\w|(?:\d[ .-]?){7}|\d[:.]\d\d\b")
_DATE = re.compile(r"\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b")
_INTERNAL = re.compile(
    r"\b(?:versi[oó]n|page|p[aá]gina|ref|invoice|factura|confiden[ct]ial|internal|interno|draft|borrador)\b",
    re.IGNORECASE,
)
_RAISED = "//w:r[w:rPr/w:vertAlign/@w:val='superscript']/w:t"
# What python-docx does not look into: content controls, and words that were added or moved here.
_WRAPPERS = "//w:sdt | //w:ins | //w:moveTo | //w:smartTag"


def read_docx(raw: bytes, name: str) -> Document:
    """The body's blocks; a paragraph in the style Title is the document's title."""
    from docx import Document as open_document
    from docx.exceptions import PythonDocxError
    from docx.opc.exceptions import OpcError
    from docx.oxml.exceptions import XmlchemyError

    document = Document(name)
    if raw.startswith(OLE):
        document.problems.append(Problem("error", "old-or-locked-word", name))
        return document
    try:
        opened = open_document(io.BytesIO(raw))
        _settle(opened.element)
        outline = Outline(document)
        _add(opened, outline)
        outline.end()
        for text in _edges(opened):
            Outline(document).paragraph(text)
    except RecursionError:
        raise
    except (*DAMAGED, PythonDocxError, OpcError, XmlchemyError) as error:
        values = {"reason": plain(str(error))[:120] or type(error).__name__}
        document.problems.append(Problem("error", "broken-document", name, None, values))
    return document


def _edges(opened: Any) -> list[str]:
    """What the headers and footers of the pages say to customers: telephones, addresses, hours."""
    found: dict[str, None] = {}
    for section in opened.sections:
        for edge in (section.header, section.footer):
            if not edge.is_linked_to_previous:
                _settle(edge._element)
                found |= dict.fromkeys(plain(paragraph.text) for paragraph in edge.paragraphs)
    return [
        text for text in found
        if _CONTACT.search(_DATE.sub(" ", text)) and not _INTERNAL.search(text)
    ]  # fmt: skip


def _settle(root: Any) -> None:
    """Leaves the text as it is read: changes accepted, hidden text gone, wrappers opened."""
    for part in root.xpath(_UNSEEN):
        _unwrap(part, [])
    for part in root.xpath(_RAISED):
        part.text = raised(part.text or "")
    for part in root.xpath(_WRAPPERS):
        inner = part.find("{*}sdtContent")
        _unwrap(part, list(part if inner is None else inner))


def _unwrap(part: Any, inner: list[Any]) -> None:
    above = part.getparent()
    if above is None:  # was in a part that is gone
        return
    for child in inner:
        part.addprevious(child)
    above.remove(part)


def _add(container: BlockItemContainer | Any, outline: Outline) -> None:
    from docx.text.paragraph import Paragraph

    title = ""  # a bold line, which is the name of a table that follows
    for part in container.iter_inner_content():
        if not isinstance(part, Paragraph):
            _add_rows(part, outline.inside(title.rstrip(" :")) if title else outline)
            title = ""
            continue
        if title and plain(part.text):
            outline.paragraph(title)
            title = ""
        if _is_title(part):
            title = plain(part.text)
        else:
            _add_paragraph(part, outline)
        _add_boxes(part, outline)
    if title:
        outline.paragraph(title)


def _is_title(paragraph: Paragraph) -> bool:
    text = plain(paragraph.text)
    runs = [run for run in paragraph.runs if run.text.strip()]
    styles = list(_styles(paragraph))
    return (
        may_be_title(text)
        and bool(runs)
        and all(run.bold for run in runs)
        and not any(style.startswith(("Heading", "Title", "TOC", "toc")) for style in styles)
        and _depth(paragraph, styles) is None
    )


def _add_boxes(paragraph: Paragraph, outline: Outline) -> None:
    """The text boxes that hang on a paragraph, which itself may be empty."""
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    for box in paragraph._p.xpath(".//w:txbxContent"):
        for inner in box.iterchildren("{*}p", "{*}tbl"):
            if inner.tag.endswith("}p"):
                outline.paragraph(Paragraph(inner, paragraph).text)
            else:
                _add_rows(Table(inner, paragraph), outline)


def _add_paragraph(paragraph: Paragraph, outline: Outline) -> None:
    text = plain(paragraph.text)
    styles = list(_styles(paragraph))
    if not text or any(style.startswith(("TOC ", "toc ")) for style in styles):
        return
    heading = next(filter(None, (re.fullmatch(r"Heading (\d)", style) for style in styles)), None)
    if heading:
        outline.heading(int(heading.group(1)), text)
    elif "Title" in styles and not outline.document.title:
        outline.document.title = text
    elif (depth := _depth(paragraph, styles)) is not None:
        outline.item(depth, text)
    else:
        outline.paragraph(text)


def _styles(paragraph: Paragraph) -> Iterator[str]:
    """The names of a paragraph's style and of those it is based on, in English."""
    style: Any = paragraph.style
    for _ in range(20):  # a damaged file may have them in a ring
        if style is None:
            return
        yield style.name or ""
        style = style.base_style


def _depth(paragraph: Paragraph, styles: list[str]) -> int | None:
    """How deep in a list a paragraph is, 0 for the outermost; None if it is in none."""
    properties: Any = paragraph._p.pPr
    numbering = None if properties is None else properties.numPr
    if numbering is not None and (numbering.numId is None or numbering.numId.val != 0):
        return 0 if numbering.ilvl is None else int(numbering.ilvl.val)
    for style in styles:
        if listed := re.fullmatch(r"List (?:Bullet|Number)(?: (\d))?", style):
            return int(listed.group(1) or 1) - 1
    return None


def _add_rows(table: Table, outline: Outline) -> None:
    """A table's rows; what is merged over rows counts for each, what is merged across once."""
    from docx.table import _Cell

    rows: list[tuple[int | None, list[str]]] = []
    above: dict[int, str] = {}
    for row in table._tbl.tr_lst:
        cells: dict[int, str] = {}
        column = min(row.grid_before, WIDEST)
        for cell in row.tc_lst:
            goes_on = cell.vMerge == "continue"
            cells[column] = above.get(column, "") if goes_on else _words(cell, table)
            column += min(cell.grid_span, WIDEST)
        above = cells
        rows.append((None, [cells.get(n, "") for n in range(column)]))
    width = max((len(cells) for _, cells in rows), default=0)
    if len(table._tbl.tr_lst) == 1 or width == 1:  # a frame around text
        for row in table._tbl.tr_lst:
            for cell in row.tc_lst:
                _add(_Cell(cell, table), outline)
        return
    rows = [(number, [*cells, *[""] * (width - len(cells))]) for number, cells in rows]
    add_table(rows, outline, outline.document.name, place="row")


def _words(cell: Any, table: Table) -> str:
    """A cell's paragraphs, and those of a table in it, as one text."""
    from docx.text.paragraph import Paragraph

    return plain(" ".join(Paragraph(part, table).text for part in cell.xpath(".//w:p")))
