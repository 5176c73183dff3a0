"""Examples of style that say other figures than the documents: learnt by heart, they stay wrong.

Searches by words alone; no model is loaded. A false alarm here costs more than a miss, so that a
figure contradicts a fact only where ``lint_topics`` finds both to be about the same thing and no
other fact of that kind holds the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brandbot.examples import Example
from brandbot.knowledge.lexical import Lexical
from brandbot.knowledge.passages import Passage
from brandbot.knowledge.words import Words
from brandbot.lint_figures import CONTACTS, far_apart, figures, holds, plain
from brandbot.lint_patterns import Kind
from brandbot.lint_text import sentences
from brandbot.lint_topics import Fact, Said, Topics

CANDIDATES = 30
"""Passages that are looked at for a figure, the best by BM25."""

FURTHEST = {"price": 10.0, "duration": 6.0, "percentage": 10.0}
"""Times a figure may be another's to be about the same thing: two minutes are no two years."""


@dataclass(frozen=True)
class Contradiction:
    """An example whose reply says a figure that a document gives otherwise.

    ``said`` is the figure as the reply writes it; ``place`` is the fact's in ``passage.facts``.
    """

    example: Example
    said: str
    passage: Passage
    place: int

    @property
    def fact(self) -> str:
        return self.passage.facts[self.place]

    @property
    def source(self) -> str:
        """``knowledge/FILE › heading``."""
        file, heading = f"knowledge/{self.passage.file}", self.passage.heading
        return file if heading == self.passage.file else f"{file} › {heading}"


def contradictions(
    examples: Sequence[Example], passages: Sequence[Passage], language: str, brand: str
) -> list[Contradiction]:
    """One contradiction an example at most, in the examples' order.

    Examples with facts of their own are left out: their figures are made up to be read from them.
    """
    stated = [
        example
        for example in examples
        if not example.facts and any(figures(plain(reply)) for reply in example.replies)
    ]
    if not stated or not passages:
        return []
    documents = _Documents(passages, language, brand)
    found = (documents.contradiction(example) for example in stated)
    return [contradiction for contradiction in found if contradiction is not None]


class _Documents:
    """A persona's facts, looked up by words."""

    def __init__(self, passages: Sequence[Passage], language: str, brand: str) -> None:
        words = Words(language)
        self.passages = passages
        self.lexical = Lexical.of([passage.embedded for passage in passages], words)
        self.topics = Topics(passages, words, language, brand)
        self.contacts = [
            figure
            for passage in passages
            for fact in passage.facts
            for figure in figures(plain(fact))
            if figure.kind in CONTACTS
        ]
        self._facts: dict[int, list[Fact]] = {}

    def contradiction(self, example: Example) -> Contradiction | None:
        for said in self._stated(example):
            fact = self._contradicted(said)
            if fact is not None:
                return Contradiction(example, said.figure.text, fact.passage, fact.place)
        return None

    def _stated(self, example: Example) -> Iterator[Said]:
        """Each figure of the replies that the person did not give first."""
        asked: list[str] = []
        for message in example.messages:
            text = plain(message.content)
            if message.role == "user":
                asked.append(text)
                continue
            given = [figure for said in asked for figure in figures(said)]
            question = asked[-1]
            if len(asked) > 1 and len(self.topics.content(question)) < 2:  # "and on Sunday?"
                question = f"{asked[-2]} {question}"
            for sentence in sentences(text):
                for figure in figures(sentence):
                    if holds(figure, [other for other in given if other.unit == figure.unit]):
                        continue
                    parts = question, sentence[: figure.start], sentence[figure.end :]
                    yield Said(figure, *map(self.topics.spoken, parts))

    def _contradicted(self, said: Said) -> Fact | None:
        """The fact that says otherwise; None if none does or the figure can be true."""
        import numpy as np

        figure = said.figure
        if figure.kind in CONTACTS:
            known = [other for other in self.contacts if other.kind == figure.kind]
            if not known or holds(figure, known):
                return None
        shares = self.lexical.shares(" ".join(word.token for word in said.words))
        best: list[tuple[float, Fact]] = []
        rows = [int(row) for row in np.argsort(-shares, kind="stable")[:CANDIDATES]]
        for row in (*rows, *self._general(figure.kind, rows)):
            facts = self._facts_of(row)
            fitting = [fact for fact in facts if self.topics.same(said, fact)]
            if not fitting:
                continue
            alike = [f for fact in facts for f in fact.figures]
            alike = [f for f in alike if (f.kind, f.unit) == (figure.kind, figure.unit)]
            if holds(figure, alike):
                return None
            if not far_apart(figure, alike, FURTHEST.get(figure.kind, math.inf)):
                best += [(self.topics.evidence(said, fact), fact) for fact in fitting]
        return max(best, key=lambda pair: pair[0])[1] if best else None

    def _general(self, kind: Kind, rows: Sequence[int]) -> list[int]:
        """Further passages by the words that opening hours and contacts go by."""
        import numpy as np

        shares = self.lexical.shares(self.topics.asking(kind))
        best = [int(row) for row in np.argsort(-shares, kind="stable")[:CANDIDATES]]
        return [row for row in best if shares[row] > 0 and row not in rows]

    def _facts_of(self, row: int) -> list[Fact]:
        if row not in self._facts:
            self._facts[row] = self.topics.facts(self.passages[row])
        return self._facts[row]
