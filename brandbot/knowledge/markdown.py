"""Markdown and plain text as documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from brandbot import tables
from brandbot.errors import Problem
from brandbot.knowledge.blocks import (
    Document,
    Outline,
    Validity,
    as_day,
    joined,
    plain,
    raised,
    validity,
)
from brandbot.knowledge.lines import bulleted, may_be_title, title_of
from brandbot.knowledge.sheets import FROM_NAMES, UNTIL_NAMES, add_table

if TYPE_CHECKING:
    from markdown_it.token import Token

DEEPEST = 100
"""Lists and quotes inside each other, counted as markdown-it does: two for a list."""

TITLE_NAMES = frozenset(["title", "titulo"])

_FRONT = re.compile(r"\s*^---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"^([^\W\d][^:\n]{0,30}):(.*)", re.MULTILINE)
_STRUCK = ("del", "s", "strike")
"""HTML's tags of words that hold no longer; ``~~`` in Markdown."""
_FENCE = re.compile(r" {0,3}```")
_UNDERLINE = re.compile(r"(={3,}|-{3,})\s*")
_NOTHING = ("~", "null", "Null", "NULL")  # as YAML writes it
_LIKE_A_DATE = re.compile(
    r"^\W*(?:valid|v[aá]lid|vigen|hasta|caduc|expir|until|desde|from|ends?\b|fin\b)\w*[^\n]*\d{2}",
    re.IGNORECASE | re.MULTILINE,
)
"""A line of front matter that means when something holds, in whatever words."""
_LONGEST_HEADING = 80


def read_markdown(raw: bytes, name: str) -> Document:
    """CommonMark with tables, under front matter with a title and the days it is valid."""
    document = Document(name)
    text = tables.decode(raw, name, document.problems)
    text = tables.without_comments(text, name, document.problems)
    text, first_line, valid = _front_matter(text, document)
    fences = [n for n, line in enumerate(text.split("\n"), first_line) if _FENCE.match(line)]
    if len(fences) % 2:
        document.problems.append(Problem("warning", "open-fence", name, fences[-1]))
    outline = Outline(document, valid=valid or (None, None))
    add_markdown(text, outline, first_line)
    outline.end()
    if valid is None:
        document.blocks = []
    return document


def _front_matter(text: str, document: Document) -> tuple[str, int, Validity | None]:
    """The text below front matter, its first line, and when it is valid, None if that is unknown.

    Below blank lines, and in plain text, lines between two others are front matter only if they
    hold a title or a day: anything may stand there.
    """
    front = _FRONT.match(text)
    keys = {tables.header_name(key) for key, _ in _KEY.findall(front[1])} if front else set()
    sure = text.startswith("---") and not document.name.lower().endswith(".txt")
    if front and (sure or keys & (TITLE_NAMES | FROM_NAMES | UNTIL_NAMES)):
        above = text.count("\n", 0, front.start(1))
        if (read := _read_front(front[1], above + 1, document)) is not None:
            texts, line = read
            document.title = texts["title"]
            days = texts["since"], texts["until"]
            valid = validity(*days, document.name, line, document.problems)
            return text[front.end() :], 1 + front[0].count("\n"), valid
    _tell_day_without_front(text, document)
    return text, 1, (None, None)


def _tell_day_without_front(text: str, document: Document) -> None:
    """Warns of a first line such as ``valid_until: 2026-12-31`` that no ``---`` stands above."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t-") or line.startswith("#"):
            continue
        if found := _KEY.match(line):
            known = tables.header_name(found[1]) in FROM_NAMES | UNTIL_NAMES
            if known or (as_day(plain(found[2])) and _LIKE_A_DATE.match(line)):
                values = {"found": line[:40]}
                problem = Problem("warning", "unknown-validity", document.name, number, values)
                document.problems.append(problem)
        return


def _read_front(
    text: str, first_line: int, document: Document
) -> tuple[dict[str, str], int] | None:
    """The title and the days of front matter as they stand there, and the line of the last.

    None if it is something else between two lines.
    """
    from ruamel.yaml import YAML, MappingNode, ScalarNode
    from ruamel.yaml.error import YAMLError

    texts = {"title": "", "since": "", "until": ""}
    names = {"title": TITLE_NAMES, "since": FROM_NAMES, "until": UNTIL_NAMES}
    line = first_line
    try:  # composed, not loaded: the words as they stand, so that no bad date hides the others
        root = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        values = {"reason": getattr(error, "problem", None) or str(error)}
        line = mark.line + first_line if mark else line
        problem = Problem("warning", "yaml-syntax", document.name, line, values)
        document.problems.append(problem)
        for key, value in _KEY.findall(text):  # a colon too many must not make an offer eternal
            told = re.sub(r"\s+#.*", "", value).strip().strip("\"'")
            for kind, wanted in names.items():
                if tables.header_name(key) in wanted and told not in _NOTHING:
                    texts[kind] = told
        return texts, line
    if root is None:
        return texts, line
    if not isinstance(root, MappingNode):
        if _LIKE_A_DATE.search(text):
            problem = Problem("warning", "unknown-validity", document.name, line,
                              {"found": text.strip()[:40]})  # fmt: skip
            document.problems.append(problem)
        return None
    for key, value in root.value:
        if not isinstance(value, ScalarNode):
            continue
        known = any(tables.header_name(str(key.value)) in wanted for wanted in names.values())
        if not known and _LIKE_A_DATE.search(f"{key.value}: {value.value}"):
            values = {"found": f"{key.value}: {value.value}"[:40]}
            line = key.start_mark.line + first_line
            document.problems.append(
                Problem("warning", "unknown-validity", document.name, line, values)
            )
        for kind, wanted in names.items():
            if tables.header_name(str(key.value)) in wanted and value.value not in _NOTHING:
                texts[kind] = value.value
                line = key.start_mark.line + first_line
    return texts, line


@dataclass
class _Item:
    line: int | None
    texts: list[str] = field(default_factory=list)


def add_markdown(text: str, outline: Outline, first_line: int | None) -> None:
    """Adds what a text in Markdown says; ``first_line`` is its place in its file, if it has one."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST}).enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    for token in tokens:
        if token.level >= DEEPEST - 1:
            problems = outline.document.problems
            line = _line(token, first_line)
            problems.append(Problem("error", "too-nested", outline.document.name, line))
            break
    _Walk(outline, first_line).over(tokens)


def _line(token: Token, first_line: int | None) -> int | None:
    return token.map[0] + first_line if token.map and first_line is not None else None


class _Walk:
    """Goes over markdown-it's tokens and adds each part once it is whole."""

    def __init__(self, outline: Outline, first_line: int | None) -> None:
        self.outline = outline
        self.first_line = first_line
        self.items: list[_Item] = []  # those that are open, outermost first
        self.rows: list[tuple[int | None, list[str]]] = []
        self.in_table = False
        self.title = ""  # of the table that comes next
        # People write links into Markdown so that somebody follows them; pages are full of them.
        self.links = first_line is not None

    def over(self, tokens: Sequence[Token]) -> None:
        heading = 0
        for place, token in enumerate(tokens):
            line = _line(token, self.first_line)
            match token.type:
                case "inline" if not self.items and _names_table(tokens[place : place + 3]):
                    self.title = spoken(token).strip().rstrip(" :")
                case "list_item_open":
                    self.items.append(_Item(line))
                case "list_item_close":
                    self.add_item()
                    self.items.pop()
                case "bullet_list_open" | "ordered_list_open" | "table_open":
                    self.add_item()
                    self.rows, self.in_table = [], token.type == "table_open"
                case "bullet_list_close" | "ordered_list_close" if not self.items:
                    self.outline.end_list()
                case "tr_open":
                    self.rows.append((line, []))
                case "table_close":
                    self.add_table()
                case "heading_open":
                    heading = int(token.tag[1])
                case "heading_close":
                    heading = 0
                case "inline" if heading:
                    self.outline.heading(heading, spoken(token), line)
                case "inline" if self.in_table:
                    self.rows[-1][1].append(spoken(token, links=self.links))
                case "inline":
                    self.add_text(spoken(token, links=self.links, breaks="\n"), line)
                case "fence":
                    self.add_text(token.content, None if line is None else line + 1)
                case "code_block":
                    self.add_text(token.content, line)
                case "html_block":
                    self.add_html(token.content, line)

    def add_text(self, text: str, line: int | None) -> None:
        """A paragraph or code, its lines as they are broken."""
        if self.items:
            self.items[-1].texts.append(text)
            return
        add_lines(text.strip("\n").split("\n"), line, self.outline)

    def add_item(self) -> None:
        """Adds what the innermost open item has said so far."""
        if not self.items or not self.items[-1].texts:
            return
        item = self.items[-1]
        text, *more = item.texts
        for part in more:
            text = joined(text, part)
        self.outline.item(len(self.items) - 1, text, item.line)
        item.texts = []

    def add_table(self) -> None:
        self.in_table = False
        given = any(cell.strip() for cell in self.rows[0][1])
        header: Literal["given", "likely"] = "given" if given else "likely"
        name = self.outline.document.name
        outline = self.outline.inside(self.title) if self.title else self.outline
        self.title = ""
        add_table(self.rows, outline, name, place="line", header=header)

    def add_html(self, html: str, line: int | None) -> None:
        """A piece of HTML between the Markdown: its text in its own parts, all in this line."""
        from brandbot.knowledge.webpage import to_markdown

        self.add_item()
        before = len(self.outline.document.blocks)
        add_markdown(to_markdown(html), self.outline, None)
        blocks = self.outline.document.blocks
        blocks[before:] = [replace(block, line=block.line or line) for block in blocks[before:]]


def _names_table(tokens: Sequence[Token]) -> bool:
    """Whether the first is a paragraph in bold, and a table follows at once."""
    if [token.type for token in tokens[1:]] != ["paragraph_close", "table_open"]:
        return False
    said = [child for child in tokens[0].children or [] if child.type != "text" or child.content]
    kinds = [child.type for child in said]
    bold = kinds[:1] == ["strong_open"] and kinds[-1] == "strong_close"
    return bold and kinds.count("strong_open") == 1 and may_be_title(spoken(tokens[0]).strip())


def spoken(token: Token, *, links: bool = False, breaks: str = " ") -> str:
    """The words of an inline token, ``breaks`` between its lines.

    An address to write to or call that a link hides is said after it; one on the web if ``links``.
    What is struck out is not said.
    """
    said: list[str] = []
    address = ""
    up = False
    for child in _not_struck(token.children or []):
        match child.type:
            case "text" | "code_inline":
                said.append(raised(child.content) if up else child.content)
            case "softbreak" | "hardbreak":
                said.append(breaks)
            case "html_inline" if re.match(r"<br\b", child.content, re.IGNORECASE):
                said.append(breaks)
            case "html_inline" if found := re.match(r"<(/?)sup\b", child.content, re.IGNORECASE):
                up = not found[1]
            case "link_open":
                href = str(child.attrGet("href") or "")
                scheme, _, rest = href.partition(":")
                address = rest.partition("?")[0] if scheme.lower() in ("mailto", "tel") else ""
                if links and scheme.lower() in ("http", "https"):
                    address = href
                start = len(said)
            case "link_close":
                if address and address not in "".join(said[start:]):
                    said.append(f" ({address})")
    return "".join(said)


def _not_struck(children: Sequence[Token]) -> list[Token]:
    """Inline tokens without those that are struck out; a tag that is never closed strikes none."""
    kept: list[Token] = []
    opened: dict[str, int] = {}  # by tag: how many tokens were kept when it began
    for child in children:
        tag = re.match(r"<(/?)([a-z]+)\b", child.content, re.IGNORECASE)
        if child.type in ("s_open", "s_close"):
            name, closes = "~~", child.type == "s_close"
        elif child.type == "html_inline" and tag and tag[2].lower() in _STRUCK:
            name, closes = tag[2].lower(), bool(tag[1])
        else:
            kept.append(child)
            continue
        if not closes:
            opened[name] = len(kept)
        elif name in opened:
            del kept[opened.pop(name) :]
    return kept


# --- Plain text -----------------------------------------------------------------------------------


def read_text(raw: bytes, name: str) -> Document:
    """Paragraphs between blank lines; a short line underlined with === or --- is a heading.

    Front matter as in Markdown.
    """
    document = Document(name)
    text = tables.decode(raw, name, document.problems)
    text, first_line, valid = _front_matter(text, document)
    outline = Outline(document, valid=valid or (None, None))
    paragraph: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], first_line):
        underline = _UNDERLINE.fullmatch(line)
        if underline and len(paragraph) == 1 and len(paragraph[0].strip()) <= _LONGEST_HEADING:
            level = 1 if underline.group(1)[0] == "=" else 2
            outline.heading(level, paragraph.pop(), number - 1)
        elif underline or not line.strip():
            add_lines(paragraph, number - len(paragraph), outline)
            paragraph = []
        else:
            paragraph.append(line)
    outline.end()
    if valid is None:
        document.blocks = []
    return document


def add_lines(lines: list[str], number: int | None, outline: Outline) -> None:
    """Adds a paragraph by its lines; ``number`` is the place of the first in its file, if any."""
    title, ends = title_of(lines)
    if title:
        number = None if number is None else number + 1
        add_lines(lines[1:ends], number, outline.inside(title))
        lines, number = lines[ends:], None if number is None else number + ends - 1
    for depth, index, text in bulleted(lines):
        line = None if number is None else number + index
        if depth is None:
            outline.paragraph(text, line)
        else:
            outline.item(depth, text, line)
