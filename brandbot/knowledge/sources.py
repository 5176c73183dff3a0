"""Which of the facts it was given a reply used, as numbered sources with their quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from brandbot.grounding import counts_other, numbers_in
from brandbot.knowledge.lookup import Fact
from brandbot.knowledge.words import Words

A_NUMBER, ENOUGH, SHARE = 3, 3, 0.3
"""What a number counts among words; what a fact must explain of a reply to be its source, and what
share of the fact's own words must be in it where no number is."""


@dataclass(frozen=True)
class Source:
    """Where a reply has something from: a place in a document, and its words there."""

    number: int
    file: str
    heading: str
    quote: str
    page: int | None = None
    row: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def used(reply: str, question: str, facts: Sequence[Fact], words: Words) -> list[Source]:
    """The facts that a reply says word for word, in their order, then those that explain the rest.

    The rest is what it says beyond the question; the weightiest fact comes first. Each number and
    word of the reply is explained once, so a fact that merely shares a word with the one that was
    used is no source.
    """
    chosen = _quoted(reply, facts)
    left = _tokens(reply, words) - _tokens(question, words)
    for fact in chosen:
        left -= _tokens(fact.quote, words)
    rest = [fact for fact in facts if fact not in chosen]
    while rest and left:
        weights = [_weight(left & _tokens(fact.quote, words)) for fact in rest]
        best = max(range(len(rest)), key=lambda i: weights[i])
        fact = rest.pop(best)
        own = _tokens(fact.quote, words) - _tokens(question, words)
        explained = left & own
        told = any(token[0] == "#" for token in explained)
        alone = {token.removeprefix("#") for token in explained} if len(explained) == 1 else set()
        if told and counts_other(reply, fact.line, alone):
            continue
        if not explained or not (
            (told and weights[best] >= ENOUGH)
            or (len(explained) >= 2 and len(explained) >= SHARE * len(own))
        ):
            break
        left -= explained
        chosen.append(fact)
    found: dict[str, Fact] = {}
    for fact in chosen:
        found.setdefault(f"{fact.hit.passage.id} {fact.place}", fact)
    return [
        Source(
            number, fact.hit.passage.file, fact.hit.passage.heading, fact.quote,
            fact.hit.passage.page, fact.hit.passage.row,
        )
        for number, fact in enumerate(found.values(), 1)
    ]  # fmt: skip


def _quoted(reply: str, facts: Sequence[Fact]) -> list[Fact]:
    """Facts that stand in the reply as they are; of twins the likeliest.

    A single word is one only as the answer to a question: "Yes."
    """
    told = " ".join(reply.split()).casefold()
    places: dict[int, Fact] = {}
    for fact in facts:
        quote = " ".join(fact.quote.split()).casefold()
        # Whole words and numbers: "tea £2" is not said by "tea £2.10".
        place = re.search(rf"(?<!\w){re.escape(quote)}(?!\w|[.,]\d)", told)
        if place and (" " in quote or fact.hit.passage.question):
            places.setdefault(place.start(), fact)
    return [places[place] for place in sorted(places)]


def _tokens(text: str, words: Words) -> set[str]:
    """Stems, and numbers as ``#3.4``."""
    numbers = {f"#{number}" for number in numbers_in(text)}
    return numbers | {stem for word, stem in words.pairs(text) if not word[0].isdigit()}


def _weight(tokens: set[str]) -> int:
    return sum(A_NUMBER if token[0] == "#" else 1 for token in tokens)
