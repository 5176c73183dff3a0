"""Blocks of a document become passages: what is embedded, found and cited.

A passage keeps to the document's structure: the paragraphs and list items under one heading, a
table row, a question with its answer. Only a passage longer than the embedder reads is cut, at the
end of a sentence, and the sentence before the cut stands in both parts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from brandbot.knowledge.documents import Block, Document
from brandbot.lint_text import sentences

LONGEST = 160
"""Tokens of a passage, headings included; MiniLM reads 256, and shorter ones are found better."""


SHORT_ANSWER = 30
"""Words up to which an answer of a question-and-answer pair is one fact."""

_SHORTENED = re.compile(r"(?<![\w.])[^\W\d_]{1,4}\.$")
"""How "un máx. de 600 €" and "Mon. to Fri. 9 to 5" would be torn apart."""


@dataclass(frozen=True)
class Passage:
    """A piece of a document with its place in it.

    ``facts`` are its sentences, items or row, each of which can be given to a model alone; ``row``
    is a line of a CSV file or a row of a sheet. ``question`` is set for question-and-answer pairs.
    """

    file: str
    headings: tuple[str, ...]
    facts: tuple[str, ...]
    question: str = ""
    page: int | None = None
    row: int | None = None
    line: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.facts)

    @property
    def embedded(self) -> str:
        """What search reads: the heading path, the question, the text."""
        return "\n".join(part for part in (" > ".join(self.headings), self.question, self.text)
                         if part)  # fmt: skip

    @property
    def id(self) -> str:
        """Names the passage by its place and words."""
        key = json.dumps([self.file, self.headings, self.question, self.facts, self.page])
        return hashlib.sha256(key.encode()).hexdigest()[:16]

    @property
    def heading(self) -> str:
        """What it stands under: a question, or the innermost heading; the file's if it has none."""
        return self.question or (self.headings[-1] if self.headings else self.file)

    @property
    def source(self) -> str:
        """``file#heading``, as evaluation questions name it."""
        inner = self.question or (self.headings[-1] if self.headings else "")
        return f"{self.file}#{inner}" if inner else self.file

    def lines(self) -> list[str]:
        """Each fact under its heading, in a line of its own, as prompts and examples hold it."""
        return [f"{self.heading}: {fact}" for fact in self.facts]

    def valid(self, today: date) -> bool:
        """Whether its facts hold on a day; both ends of its time count in."""
        after = self.valid_from is None or self.valid_from <= today
        return after and (self.valid_until is None or today <= self.valid_until)

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
            if value not in (None, "", ())
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Passage:
        for name in ("headings", "facts"):
            row[name] = tuple(row.get(name, ()))
        for name in ("valid_from", "valid_until"):
            if row.get(name):
                row[name] = date.fromisoformat(row[name])
        return cls(**row)


def of(document: Document, tokens: Callable[[str], int]) -> list[Passage]:
    """The passages of a document; ``tokens`` counts a text's tokens as the embedder does."""
    found: list[Passage] = []
    for group in _groups(document.blocks):
        first = group[0]
        facts = [fact for block in group for fact in _facts(block)]
        whole = Passage(
            document.name, _path(document, first), tuple(facts), first.question, first.page,
            first.row, first.line, first.valid_from, first.valid_until,
        )  # fmt: skip
        found += _cut(whole, tokens)
    return found


def _path(document: Document, block: Block) -> tuple[str, ...]:
    """The heading path; the document's title stands before it unless it is its first heading."""
    if document.title and document.title not in block.headings[:1]:
        return (document.title, *block.headings)
    return block.headings


def _groups(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Paragraphs and items that stand together; rows and answers stand alone."""
    group: list[Block] = []
    for block in blocks:
        alone = block.kind in ("row", "answer")
        if group and (alone or _place(block) != _place(group[0])):
            yield group
            group = []
        if alone:
            yield [block]
        else:
            group.append(block)
    if group:
        yield group


def _place(block: Block) -> tuple[Any, ...]:
    return block.headings, block.page, block.valid_from, block.valid_until


def _facts(block: Block) -> list[str]:
    """What of a block can stand alone: a short answer does as a whole, "Yes." alone does not."""
    short = block.kind == "answer" and len(block.text.split()) <= SHORT_ANSWER
    if block.kind == "item":
        return [block.text.rstrip(" ,;")]  # of "tea: £2;"
    if block.kind == "row" or short:
        return [block.text]
    found: list[str] = []
    for sentence in sentences(block.text):
        goes_on = sentence[0].islower() or sentence[0].isdigit() or sentence[0] in "-–—"
        if found and goes_on and _SHORTENED.search(found[-1]):
            found[-1] = f"{found[-1]} {sentence}"
        else:
            found.append(sentence)
    return found


def _cut(whole: Passage, tokens: Callable[[str], int]) -> list[Passage]:
    """The passage, or its parts if it is longer than ``LONGEST``.

    Sentences overlap by one where a paragraph was cut; a single endless one is cut by its clauses.
    """
    if tokens(whole.embedded) <= LONGEST or not whole.facts:
        return [whole]
    room = max(LONGEST // 2, LONGEST - tokens(replace(whole, facts=()).embedded))
    facts = [part for fact in whole.facts for part in _words_cut(fact, room, tokens)]
    sizes = [tokens(fact) for fact in facts]
    parts: list[Passage] = []
    start = 0
    while start < len(facts):
        end, size = start + 1, sizes[start]
        while end < len(facts) and size + sizes[end] <= room:
            size += sizes[end]
            end += 1
        parts.append(replace(whole, facts=tuple(facts[start:end])))
        if end == len(facts):
            break
        overlap = end - start > 1 and sizes[end - 1] + sizes[end] <= room
        start = end - 1 if overlap else end
    return parts


def _words_cut(fact: str, room: int, tokens: Callable[[str], int]) -> list[str]:
    """A fact in parts of at most ``room`` tokens, each below what the fact begins with, a name.

    Cut between sentences if it can be, else between cells or clauses, else between words.
    """
    if tokens(fact) <= room:
        return [fact]
    name, colon, rest = fact.partition(": ")
    size = tokens(f"{name}: ")
    if colon and rest and size <= room // 4:
        return [f"{name}: {part}" for part in _parts(rest, room - size, tokens)]
    return _parts(fact, room, tokens)


def _parts(text: str, room: int, tokens: Callable[[str], int]) -> list[str]:
    if tokens(text) <= room:
        return [text]
    pieces = next(
        (p for p in (sentences(text), re.split(r"(?<=[,;]) ", text), text.split()) if len(p) > 1),
        [],
    )
    if not pieces:  # no word is so long; what is, is cut by letters
        half = len(text) // 2
        return [*_parts(text[:half], room, tokens), *_parts(text[half:], room, tokens)]
    found: list[str] = []
    for piece in pieces:
        if found and tokens(f"{found[-1]} {piece}") <= room:
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return [part for piece in found for part in _parts(piece, room, tokens)]
