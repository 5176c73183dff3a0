"""What a document is made of: blocks, each of which can be understood alone, in reading order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
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
    r"\s*(?:(?:\.\s?){4,}|…{2,}|(?:·\s?){3,}|(?<=\s)_{5,}(?=\s)|(?<=\s)\.{3}(?=\s))\s*"
    r"(?:(?=(?P<price>\+?[£$€]\s?\d|\d[\d.,]*\s?€))|(?=\d[\d.,]*\W*$))"
)
"""Dots between a name and its price, as in menus; without a sign of money it ends the line."""
_TELLS = re.compile(
    r"""[^\W\d][^:.!?]{0,30}:\s+\S                                    # Phone: …
    | .*(?:[£$€]\s?\d[\d.,]*|\d\s?(?:€|EUR\b|euros?))$            # … £3.20
    | .*\d\s?(?:am|pm|h)?\s?[-–]\s?\d{1,2}(?:[:.]\d\d)?\s?(?:am|pm|h)?$  # … 9-17
    | .*\d[\d ]{6,}$                                                # … 0131 555 0199
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A line that says one thing: a name with its price, a day with its hours."""
_LABEL = re.compile(r"[^\W\d][^:.!?]{0,30}:\s+\S")
_SENTENCES = re.compile(r"[^\W\d_]{3}[.!?]\s+[^\W\d_]")
_GOES_ON = re.compile(
    r"(?:[,;–-]|\b(?:and|or|but|the|of|to|in|is|are|at|for|with|from|on|our|your|an?|have|has|it|be|by|as|open"
    r"|y|o|e|de|del|la|el|los|las|en|con|que|por|para|su|es|son|una?|calle|al))$",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"^(?:note|important|see|please|nota|importante|ver|véase|por favor)\b|@|(?:\d[ .-]?){6}",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:dear|hi|hello|estimad|querid|hola|buen[oa]s)\w*\b", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,3})[.)]\s+(?=\S)")
_MARKED = re.compile(
    r"\s*(?:Q|P|A|R|Question|Pregunta|Answer|Respuesta)\s?\d{0,3}[.:)]\s", re.IGNORECASE
)
_BEGINS = re.compile(r"[^\w\s]?(?:\d|[^\W\d_])")
LONGEST_LINE = 70
"""Letters up to which a line may be one of a list that has no marks."""
# A list's mark; \x7f is how pypdf gives a bullet of a built-in font.
BULLET = re.compile(r"(\s*)(?:[•◦▪▫●○■‣·\x7f\uf0b7\uf0a7]\s*|[-*–]\s+)(?=\S)")


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


def may_be_title(text: str) -> bool:
    """Whether a line in bold above a table may be the table's name, and says nothing itself."""
    whole = 0 < len(text) <= LONGEST_LINE and not text.endswith((".", "!", "?"))
    return whole and not _REMARK.search(text)


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


def apart(lines: list[str]) -> bool:
    """Whether lines without marks are each a thing of its own, as in a list of prices or hours.

    Half of them say one thing, and none goes on in the next: prose is broken where the line is
    full, has its sentences' ends anywhere and goes on with a small letter.
    """
    said = [line.strip() for line in lines]
    if any(BULLET.match(line) or not re.search(r"[^\W\d_]{2}", line) for line in said):
        return False
    if any(line.endswith("?") for line in said):  # what stands below a question is its answer
        return False
    if any(_SENTENCES.search(line) for line in said) or any(map(_GOES_ON.search, said[:-1])):
        return False
    whole = all(len(line) <= LONGEST_LINE and _begins(line) for line in said)
    return whole and sum(bool(_TELLS.match(plain(line))) for line in said) >= max(2, len(said) / 2)


def _begins(line: str) -> bool:
    start = _BEGINS.match(line)
    return start is not None and not start[0][-1].islower()


def bulleted(lines: Iterable[str]) -> Iterator[tuple[int | None, int, str]]:
    """A paragraph's lines, taken together: depth or None, first line's index, text.

    A line that begins with a bullet is an item, and so is what follows it; the rest is text. Lines
    that are things of their own stay apart.
    """
    lines = list(lines)
    if apart(lines):
        yield from ((None, index, line.strip()) for index, line in enumerate(lines))
        return
    begins = _beginnings(lines)
    depth: int | None = None
    start = 0
    said: list[str] = []
    for index, line in enumerate(lines):
        bullet = BULLET.match(line)
        if said and (bullet or index in begins):
            yield depth, start, " ".join(said)
            depth, start, said = None, index, []
        if bullet:
            depth, start = len(bullet.group(1).expandtabs(4)) // 2, index
        said.append(line[bullet.end() :] if bullet else line)
    if said:
        yield depth, start, " ".join(said)


def title_of(lines: list[str]) -> tuple[str, int]:
    """The first of several lines if it names what others below it say, and behind which that ends.

    The last one may be a sentence about something else: Thank you all.
    """
    ends = len(lines)
    if ends > 3 and lines[-1].rstrip().endswith(".") and not _TELLS.match(lines[-1].strip()):
        ends -= 1
    title = _title(lines[:ends])
    return title.rstrip(" :"), ends if title else 0


def _title(lines: list[str]) -> str:
    title = lines[0].strip() if len(lines) > 2 else ""
    if not title or title.endswith("?") or _GREETING.match(title) or _GOES_ON.search(title):
        return ""
    if not apart(lines[1:]):
        return ""
    named = not _TELLS.match(title) and all(_LABEL.match(line.strip()) for line in lines[1:])
    return title if title.endswith(":") or title.isupper() or named else ""


def _beginnings(lines: list[str]) -> set[int]:
    """The lines that begin something of their own: numbered ones, and questions by their mark."""
    numbers = {
        index: int(found[1]) for index, line in enumerate(lines) if (found := _NUMBER.match(line))
    }
    counted = list(numbers.values())
    if len(counted) > 1 and counted == list(range(counted[0], counted[0] + len(counted))):
        return set(numbers)
    marked = {index for index, line in enumerate(lines) if _MARKED.match(line)}
    return marked if len(marked) > 1 and any("?" in line for line in lines) else set()


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
