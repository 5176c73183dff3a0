"""Long replies in parts that Slack takes, and the parts back into the reply, exactly.

A part ends where a reader would stop: after a paragraph, else a line, else a sentence, else a
word, else anywhere but inside a grapheme. Code stays code: a fence that goes on in the next part is
closed at the end of this one and opened again there, with its language.

How ``join`` knows what ``split`` added: the part ends with a line that closes the fence open in it
(alone if a line of code ended there, with one space after it if a line was cut through), and the
next part begins with the line that opened that fence. ``split`` never cuts where the text looks so
by itself. What is open is read from each part alone, as Slack shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import regex

LIMIT = 12_000
"""Characters a Markdown message may have: https://docs.slack.dev/reference/methods/chat.postMessage"""

LEAST = 4
"""Before a part holds this share of the limit, a fourth, a worse place to end it is preferred."""

TRIES = 200
"""Places in the middle of a word that are looked at for one where no fence is torn."""

_OPENS = regex.compile(r"[ \t]*(?:(?P<run>`{3,})[^`\n]*|(?P<run>~{3,})[^\n]*)")
_RUN = regex.compile(r"[ \t]*(`{3,}|~{3,})\s*")
_PARAGRAPH = regex.compile(r"\n(?:[ \t]*\n)+")
_LINE = regex.compile(r"\n")
_SENTENCE = regex.compile(r"[.!?…][\"'”’»)\]*_]*\s+|[。！？]")
_SPACE = regex.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")


def split(text: str, limit: int = LIMIT) -> list[str]:
    """A text in parts of at most ``limit`` (40 or more) characters; one part if it fits.

    Characters are counted in UTF-16 units, as JavaScript does, which is never fewer than there are.
    """
    parts: list[str] = []
    prefix, rest = "", text
    while _length(prefix) + _length(rest) > limit:
        end = _cut(prefix, rest, limit)
        body = prefix + rest[:end]
        opener = _open(body)
        rest = rest[end:]
        if opener is not None and _can_reopen(opener, limit):
            parts.append(body + _ending(body, opener))
            prefix = opener + "\n"
        else:
            parts.append(body)
            prefix = ""
    return [*parts, prefix + rest]


def join(parts: Sequence[str]) -> str:
    """The text that ``split`` made the parts of."""
    text, prefix = "", ""
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        added = None if following is None else _added(part, following)
        body, opener = added or (part, "")
        text += body[len(prefix) :]
        prefix = opener + "\n" if added else ""
    return text


def _added(part: str, following: str) -> tuple[str, str] | None:
    """A part without the closing line ``split`` added, and the fence that goes on; None if none."""
    head, newline, last = part.rpartition("\n")
    if not newline or not _RUN.fullmatch(last):
        return None
    body, closer = (head, last[:-1]) if last.endswith(" ") else (head + "\n", last)
    opener = _open(body)
    if opener is None or closer != _closer(opener) or not following.startswith(opener + "\n"):
        return None
    return body, opener


def _cut(prefix: str, rest: str, limit: int) -> int:
    """Where the next part ends: how many characters of ``rest`` it takes, at least one."""
    window = _Window(prefix, rest[: 2 * limit + 2], limit)
    least = limit // LEAST
    for ends in _preferred(window):
        for end in ends:
            if end >= least and window.good(end):
                return end
    anywhere = range(window.most, 0, -1)
    graphemes = [end for end in anywhere if end in window.graphemes]
    for end in chain(filter(window.good, graphemes[:TRIES]), graphemes, anywhere):
        if window.exact(end):
            return end
    return 1  # of a limit so small that nothing fits


def _preferred(window: _Window) -> Iterator[Iterable[int]]:
    """Ends, the best kind first, and of each kind the last first."""
    paragraphs, lines = window.after(_PARAGRAPH), window.after(_LINE)
    yield [end for end in paragraphs if window.open_at(end) is None]
    yield [end for end in lines if window.open_at(end) is None]
    yield paragraphs
    yield lines
    yield window.after(_SENTENCE)
    yield window.after(_SPACE)


@dataclass
class _Window:
    """What can go into one part: ``text`` after ``prefix``, and as much again, to look ahead."""

    prefix: str
    text: str
    limit: int

    def __post_init__(self) -> None:
        room = self.limit - _length(self.prefix)
        sizes = [0, *accumulate(1 + (char > "\uffff") for char in self.text)]
        self.sizes = sizes
        self.most = max(end for end in range(len(sizes)) if sizes[end] <= room or end == 1)
        self.graphemes = {match.end() for match in _GRAPHEME.finditer(self.text)}
        opener = None if not self.prefix else self.prefix[:-1]
        self.starts: dict[int, str | None] = {}  # where a line begins: the fence open there
        start = 0
        for line in self.text.split("\n"):
            self.starts[start] = opener
            opener = _step(opener, line)
            start += len(line) + 1

    def after(self, pattern: regex.Pattern[str]) -> list[int]:
        found = [match.end() for match in pattern.finditer(self.text, 0, self.most)]
        return found[::-1]

    def line_start(self, end: int) -> int:
        return self.text.rfind("\n", 0, end) + 1

    def open_at(self, end: int) -> str | None:
        """The opening line of the fence that is open after ``end`` characters."""
        start = self.line_start(end)
        return _step(self.starts[start], self.text[start:end])

    def exact(self, end: int) -> bool:
        """Whether a part may end here: it fits, and ``join`` will read it rightly."""
        body, opener = self.prefix + self.text[:end], self.open_at(end)
        if opener is not None and _can_reopen(opener, self.limit):
            added = len(_ending(body, opener))
            return _length(self.prefix) + self.sizes[end] + added <= self.limit
        return end <= self.most and _added(body, self.text[end:]) is None

    def good(self, end: int) -> bool:
        """Whether a part may end here and both parts look right: no fence torn, none empty."""
        if end not in self.graphemes or not self.text[:end].strip() or not self.exact(end):
            return False
        start = self.line_start(end)
        line, following = self.text[start:end], self.text[end:].partition("\n")[0]
        opener = self.starts[start]
        if line:  # a line is cut through
            return not (_step(None, line) or _RUN.match(following)) and line[-1] not in "`~"
        if opener is None:
            return True
        before = self.text[self.line_start(end - 1) : end - 1]
        # Neither right after the fence was opened nor right before it is closed.
        return before != opener and _step(opener, following) is not None


def _open(text: str) -> str | None:
    """The opening line of the fence that is open at the end of a text."""
    opener = None
    for line in text.split("\n"):
        opener = _step(opener, line)
    return opener


def _step(opener: str | None, line: str) -> str | None:
    """What is open after a line: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
    if opener is None:
        return line if _OPENS.fullmatch(line) else None
    if (closes := _RUN.fullmatch(line)) is None:
        return opener
    run = _closer(opener).strip()
    return None if closes[1].startswith(run) else opener


def _closer(opener: str) -> str:
    """The line that closes a fence: as deep and as long as the one that opens it."""
    found = _OPENS.match(opener)
    assert found is not None
    return opener[: found.end("run")]


def _ending(body: str, opener: str) -> str:
    """What is added to a part so that its fence is closed."""
    return _closer(opener) if body.endswith("\n") else f"\n{_closer(opener)} "


def _can_reopen(opener: str, limit: int) -> bool:
    """Whether closing and opening leave half a part for the code; nobody's language is longer."""
    return _length(opener) + 1 + _length(_closer(opener)) + 2 <= limit // 2


def _length(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
