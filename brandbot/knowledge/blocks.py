"""What a document is made of: blocks, each of which can be understood alone, in reading order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from brandbot.errors import Problem
from brandbot.lint_text import sentences

Kind = Literal["paragraph", "item", "row", "answer"]
Validity = tuple[date | None, date | None]

LONGEST_LEAD = 160
"""Letters a list's first line may have to be said again with each of its items."""

_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")
_HALVES = re.compile("[\ud800-\udfff]")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl"})
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_PENCE = re.compile(rf"([£$€]\s?\d+)([{_RAISED}]{{2}})(?![{_RAISED}])")
_CENTS = re.compile(rf"(\d)([{_RAISED}]{{2}})(?=\s?(?:€|EUR\b|euros?\b))")
_LEADERS = re.compile(
    r"(?<!\s)\s*(?:(?:\.\s?){4,}|…{2,}|(?:·\s?){3,}|(?<=\s)_{5,}(?=\s)|(?<=\s)\.{3}(?=\s))\s*"
    r"(?:(?=(?P<price>\+?[£$€]\s?\d|\d[\d.,]*\s?€))|(?=\d[\d.,]*\W*$))"
)
"""Dots between a name and its price, as in menus; without a sign of money it ends the line."""


@dataclass(frozen=True)
class Block:
    """One fact-sized piece: a paragraph, a list item, a table row, a question with its answer.

    ``text`` is plain and on one line. ``headings`` are those it stands under, outermost first.
    ``page`` (of a PDF), ``row`` (of a sheet; the line of a CSV file) and ``line`` (of a text file)
    count from 1. With kind ``answer``, ``text`` is the answer alone. Both days of its validity
    count in.
    """

    text: str
    headings: tuple[str, ...] = ()
    kind: Kind = "paragraph"
    page: int | None = None
    row: int | None = None
    line: int | None = None
    question: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass
class Document:
    """What was read from a file; ``name`` is its path under ``knowledge/``, with ``/``."""

    name: str
    title: str = ""
    blocks: list[Block] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Outline:
    """Takes a document's parts in reading order and adds them to its blocks.

    It knows the headings above and what a list hangs on: an item under another, or under a line
    that ends in a colon, is a fact only together with it, so it begins with it. A heading of some
    words with nothing below it is a fact itself ("Dogs welcome"); call ``end`` for the last one.
    """

    def __init__(
        self,
        document: Document,
        headings: tuple[str, ...] = (),
        valid: Validity = (None, None),
        page: int | None = None,
        *,
        bare: bool = True,
    ) -> None:
        """``bare``: whether headings with nothing below them count."""
        self.document = document
        self._bares = bare
        self.page = page
        self._headings = [(0, heading) for heading in headings]
        self._valid = valid
        # Depth, text and position of what the next item may be under; a line's depth is -1.
        self._above: list[tuple[int, str, int]] = []
        # The last heading's level, what it would be as a block, and how many blocks there were.
        self._bare: tuple[int, Block, int] | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(heading for _, heading in self._headings)

    def inside(self, heading: str) -> Outline:
        """The same document, a heading further in."""
        return Outline(self.document, (*self.headings, heading), self._valid, self.page)

    def heading(self, level: int, text: str, line: int | None = None) -> None:
        self._above = []
        self._tell_bare(level)
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        if said := plain(text):
            since, until = self._valid
            block = Block(said, self.headings, "paragraph", self.page, None, line, "", since, until)
            if self._bares and not said.endswith("?"):
                self._bare = (level, block, len(self.document.blocks))
            self._headings.append((level, said))

    def end(self) -> None:
        """A document's title alone is no fact."""
        if self.document.blocks or len(self._headings) > 1:
            self._tell_bare(0)

    def _tell_bare(self, level: int) -> None:
        """Adds the last heading if it says something and neither block nor deeper heading came."""
        if self._bare is not None:
            depth, block, blocks = self._bare
            if depth >= level and blocks == len(self.document.blocks) and " " in block.text:
                self.document.blocks.append(block)
        self._bare = None

    def paragraph(self, text: str, line: int | None = None) -> None:
        self._above = []
        said = plain(text)
        self.add(said, line=line)
        if said.endswith(":"):
            lead = (sentences(said) or [said])[-1]
            if len(lead) <= LONGEST_LEAD and lead.strip(":"):
                self._above = [(-1, lead, len(self.document.blocks) - 1)]

    def item(self, depth: int, text: str, line: int | None = None) -> None:
        """A list item; ``depth`` is 0 in the outermost list."""
        said = plain(text)
        if not said:
            self._bare = None
            return
        while self._above and self._above[-1][0] >= depth:
            self._above.pop()
        if self._above:
            above, parent, position = self._above[-1]
            self._take_back(parent, position)
            self._above[-1] = (above, parent, -1)  # taken back once
            said = joined(parent, said)
        self.add(said, "item", line=line)
        self._above.append((depth, said, len(self.document.blocks) - 1))

    def end_list(self) -> None:
        """What comes next is under nothing, even if it is another list."""
        self._above = []

    def _take_back(self, lead: str, position: int) -> None:
        """Cuts off what only announced a list, once it is said with the list's items."""
        blocks = self.document.blocks
        if position != len(blocks) - 1 or not lead.endswith(":"):
            return
        if rest := blocks[position].text.removesuffix(lead).rstrip():
            blocks[position] = replace(blocks[position], text=rest)
        else:
            blocks.pop()

    def add(
        self,
        text: str,
        kind: Kind = "paragraph",
        *,
        line: int | None = None,
        row: int | None = None,
        question: str = "",
        valid: Validity = (None, None),
    ) -> None:
        """A block under the present headings; its own validity counts before the document's.

        Nothing in it means that something stood there, a picture or struck-out words: its heading
        is none over nothing.
        """
        self._bare = None
        if said := plain(text):
            since, until = valid[0] or self._valid[0], valid[1] or self._valid[1]
            question = plain(question)
            self.document.blocks.append(
                Block(said, self.headings, kind, self.page, row, line, question, since, until)
            )


def plain(text: str) -> str:
    """Text on one line, with single spaces, whole letters and nothing invisible in it.

    Cents that stand raised beside a price are told behind a point or a comma.
    """
    if _HALVES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFC", text.translate(_LIGATURES))
    text = _LEADERS.sub(_leader, text)
    text = _PENCE.sub(lambda found: f"{found[1]}.{_lowered(found[2])}", text)
    text = _CENTS.sub(lambda found: f"{found[1]},{_lowered(found[2])}", text)
    return " ".join(_INVISIBLE.sub("", text).split())


def _leader(found: re.Match[str]) -> str:
    """A colon for dots; not those of a range, 10....20."""
    ranges = not found["price"] and re.search(r"\d\s*$", found.string[: found.start()])
    return found[0] if ranges else ": "


def raised(text: str) -> str:
    """Text as it stands in a superscript: 100² is no price of 1002."""
    if not re.fullmatch(r"\s*\d{1,2}\s*", text):
        return text
    return text.translate(str.maketrans("0123456789", _RAISED))


def _lowered(text: str) -> str:
    return text.translate(str.maketrans(_RAISED, "0123456789"))


def joined(above: str, text: str) -> str:
    """A text after what it hangs on."""
    if above.endswith((".", "!", "?", "…")):
        return f"{above} {text}"
    return f"{above.rstrip(' :;,')}: {text}"


def validity(
    since: str, until: str, file: str, line: int | None, problems: list[Problem]
) -> Validity | None:
    """The days of two texts, either of which may be empty; None if one can't be read.

    What it belongs to is left out then: nobody can tell when it holds.
    """
    days: list[date | None] = []
    bad = False
    for text in (plain(since), plain(until)):
        day = as_day(text)
        if text and day is None:
            problems.append(Problem("error", "bad-date", file, line, {"found": text[:40]}))
            bad = True
        days.append(day)
    if days[0] and days[1] and days[1] < days[0]:
        values = {"start": days[0].isoformat(), "end": days[1].isoformat()}
        problems.append(Problem("warning", "dates-reversed", file, line, values))
    return None if bad else (days[0], days[1])


MONTHS = (
    ("january", "enero"), ("february", "febrero"), ("march", "marzo"), ("april", "abril"),
    ("may", "mayo"), ("june", "junio"), ("july", "julio"), ("august", "agosto"),
    ("september", "septiembre"), ("october", "octubre"), ("november", "noviembre"),
    ("december", "diciembre"),
)  # fmt: skip
_NAMED_DAY = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|º)?[ ./-]+(?:of |de )?(?P<month>[a-z]{3,10})\.?,?[ ./-]+"
    r"(?:del? )?(?P<year>\d{4})"
    r"|(?P<month2>[a-z]{3,10})\.? (?P<day2>\d{1,2})(?:st|nd|rd|th)?,? (?P<year2>\d{4})",
    re.IGNORECASE,
)


def as_day(text: str) -> date | None:
    """``2026-11-24``, also with a time, ``24/11/2026`` or ``24 Nov 2026``; None for anything else.

    Also ``24 de noviembre de 2026``, ``24-nov-2026`` and ``November 24, 2026``.
    """
    iso = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][\d:.]*Z?)?", text)
    european = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text)
    if iso:
        year, month, day = iso.groups()
    elif european:
        day, month, year = european.groups()
    elif named := _NAMED_DAY.fullmatch(text):
        day, year = named["day"] or named["day2"], named["year"] or named["year2"]
        name = (named["month"] or named["month2"]).lower()
        months = [n for n, names in enumerate(MONTHS, 1) if any(m.startswith(name) for m in names)]
        if len(months) != 1:
            return None
        month = str(months[0])
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
