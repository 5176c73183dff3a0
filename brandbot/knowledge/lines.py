"""The lines of a paragraph as people type them: which are things of their own, which go on.

Pure functions from lines to lines; they know nothing of documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from brandbot.knowledge.blocks import plain

_NAME = r"[^\W\d][^:.!?]{0,30}:\s+\S"
_TELLS = re.compile(
    rf"""{_NAME}                                                      # Phone: …
    | .*(?:[£$€]\s?\d[\d.,]*|\d\s?(?:€|EUR\b|euros?))$            # … £3.20
    | .*\d\s?(?:am|pm|h)?\s?[-–]\s?\d{{1,2}}(?:[:.]\d\d)?\s?(?:am|pm|h)?$  # … 9-17
    | .*\d[\d ]{{6,}}$                                                # … 0131 555 0199
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A line that says one thing: a name with its price, a day with its hours."""
_LABEL = re.compile(_NAME)
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
NUMBER = re.compile(r"(?:^|\s)(\d{1,3})[.)]\s+(?=[¿¡]?[^\W\d_])")
"""One of several numbered things."""
_MARK = r"\s?\d{0,3}(?:[:)]\s*|\.(?:\s+|$|(?=¿)))"
ASKED = re.compile(rf"(?:Q|P|Question|Pregunta){_MARK}", re.IGNORECASE)
TOLD = re.compile(rf"(?:A|R|Answer|Respuesta){_MARK}", re.IGNORECASE)
"""How people mark a question and its answer; P.O. and A.M. are neither."""
_BEGINS = re.compile(r"[^\w\s]?(?:\d|[^\W\d_])")
LONGEST_LINE = 70
"""Letters up to which a line may be one of a list that has no marks."""
# A list's mark; \x7f is how pypdf gives a bullet of a built-in font.
BULLET = re.compile(r"(\s*)(?:[•◦▪▫●○■‣·\x7f\uf0b7\uf0a7]\s*|[-*–]\s+)(?=\S)")


def may_be_title(text: str) -> bool:
    """Whether a line in bold above a table may be the table's name, and says nothing itself."""
    whole = 0 < len(text) <= LONGEST_LINE and not text.endswith((".", "!", "?"))
    return whole and not _REMARK.search(text)


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
    said = [line.strip() for line in lines]
    numbers = {
        index: int(found[1]) for index, line in enumerate(said) if (found := NUMBER.match(line))
    }
    counted = list(numbers.values())
    if len(counted) > 1 and counted == list(range(counted[0], counted[0] + len(counted))):
        return set(numbers)
    marked = {index for index, line in enumerate(said) if ASKED.match(line) or TOLD.match(line)}
    return marked if len(marked) > 1 and any("?" in line for line in said) else set()
