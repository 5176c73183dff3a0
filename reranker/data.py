"""What the reranker learns: messages, lines that answer them, and lines that only seem to.

``businesses.jsonl`` has facts of fictional businesses and what their customers ask, two fifths of
it near misses that no fact answers, and what they ask next. Near misses come a second time with a
fact that would answer them (``fact``): what is worded like one may well have an answer; and many
with one that only looks like it (``near``). ``topics.jsonl`` has what customers ask of any business
of a trade, with lines that answer it and others that seem to. Beside no text at all, a message is
1 if it asks for such a fact, and 0 if it is one of ``talk.jsonl``.
"""

from __future__ import annotations

import json
import math
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brandbot.knowledge.queries import AFTER

HERE = Path(__file__).parent

NOTHING = ("", "")
"""The line beside which a message is judged by itself."""

WRONG = 6
"""Lines beside a question that don't answer it."""

WORD = re.compile(r"\w+")

Line = tuple[str, str]
"""A fact under its innermost heading, as prompts have it, and under all of them."""


@dataclass(frozen=True)
class Group:
    """A message, lines that answer it (none, one or several), and lines near to it that don't.

    Of several answers to one question one is drawn, of two questions in one (``double``) all stay.
    """

    message: str
    right: tuple[Line, ...]
    wrong: tuple[Line, ...]
    double: bool = False


def rows(name: str, *, held_out: bool) -> list[dict[str, Any]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["held_out"] == held_out]


def talk(*, held_out: bool = False) -> Iterator[Group]:
    """Messages that ask for no fact, beside nothing and beside facts of any business."""
    facts: dict[str, list[Line]] = defaultdict(list)
    for business in rows("businesses.jsonl", held_out=held_out):
        facts[business["lang"]] += [as_line(fact) for fact in business["facts"]]
    for row in rows("talk.jsonl", held_out=held_out):
        yield Group(row["message"], (), (NOTHING, *random.sample(facts[row["lang"]], 2)))


def businesses() -> Iterator[Group]:
    """The questions to learn, also beside nothing and in other forms.

    The forms: what comes next (``dialogues``), another question after one, a question after talk,
    and two in one.
    """
    said: dict[str, list[str]] = defaultdict(list)
    for row in rows("talk.jsonl", held_out=False):
        if 15 < len(row["message"]) < 90 and "?" not in row["message"]:
            said[row["lang"]].append(row["message"])
    for row in rows("businesses.jsonl", held_out=False):
        near, lines = Nearness(row["facts"]), [as_line(fact) for fact in row["facts"]]
        asks, spanish = [(ask["q"], ask["a"]) for ask in row["asks"]], row["lang"] == "es"

        def group(
            message: str, right: Sequence[int], double: bool = False, near: Nearness = near,
            lines: Sequence[Line] = lines,
        ) -> Group:  # fmt: skip
            wrong = near.order(message, right)[:16]
            told = tuple(lines[at] for at in right), tuple(lines[at] for at in wrong)
            return Group(message, *told, double)

        yield from (group(*ask) for ask in asks)
        for ask in row["asks"]:
            if "fact" in ask:
                alone = group(ask["q"], [])
                beside = (as_line(ask["near"]), *alone.wrong) if "near" in ask else alone.wrong
                yield replace(alone, right=(as_line(ask["fact"]),), wrong=beside)
        grown = [
            *((f"{d['first']}{AFTER}{d['then']}", d["a"]) for d in row["dialogues"]),
            *((f"{before}{AFTER}{ask}", right)
              for (before, _), (ask, right) in _pairs(asks, 4)),
            *((f"{' '.join(random.sample(said[row['lang']], 2))} {ask}", right)
              for ask, right in random.sample(asks, 6)),
        ]  # fmt: skip
        yield from (group(*one) for one in grown)
        for message, _ in (*asks, *grown):
            yield Group(message, (NOTHING,), ())
        joints = (" ", ". ", ", ", *((" y ", " y además ") if spanish else (" and ", " and also ")))
        for (one, right), (other, too) in _pairs([ask for ask in asks if ask[1]], 4):
            message = f"{one.rstrip('?. ')}{random.choice(joints)}{other}"
            yield group(message, [*right, *too], double=True)


def topics(language: str, *, held_out: bool = False) -> Iterator[Group]:
    """What businesses of a trade are asked, beside lines that answer it and lines that seem to.

    Lines that only look like an answer stand before the nearest ones of some business in which no
    word hints at the matter (``stems``).
    """
    spoken = [
        [row for row in rows(name, held_out=held_out) if row["lang"] == language]
        for name in ("businesses.jsonl", "topics.jsonl")
    ]
    others = [(Nearness(row["facts"]), list(map(as_line, row["facts"]))) for row in spoken[0]]
    for row in spoken[1]:
        right, seeming = ([as_line(fact) for fact in row[kind]] for kind in ("facts", "near"))
        for ask in row["asks"]:
            near, lines = random.choice(others)
            told = (lines[at] for at in near.order(ask, []))
            beside = [x for x in told if not any(stem in x[1].lower() for stem in row["stems"])]
            wrong = (*random.sample(seeming, len(seeming)), *beside[:6])
            yield Group(ask, tuple(right), wrong)
            if not held_out:
                yield Group(ask, (NOTHING,), ())
                if random.random() < 0.5:
                    yield Group(ask, (), wrong)


def as_line(fact: dict[str, str]) -> Line:
    """A fact as ``Line`` has it."""
    return f"{fact['h'].split(' > ')[-1]}: {fact['t']}", f"{fact['h']}: {fact['t']}"


def _pairs(asks: Sequence[Any], many: int) -> Iterator[tuple[Any, Any]]:
    """Questions that no fact answers both of."""
    for _ in range(many):
        one, other = random.sample(asks, 2)
        if not set(one[1]) & set(other[1]):
            yield one, other


def as_typed(message: str) -> str:
    """A message as it is, or without capitals, accents and marks, or with a slip."""
    chance = random.random()
    if chance < 0.6:
        return message
    if chance < 0.85 or random.random() < 0.5:
        bare = unicodedata.normalize("NFD", message.lower())
        bare = "".join(c for c in bare if unicodedata.category(c) != "Mn" or c == "\u0303")
        message = " ".join(re.sub("[¿¡?!.,;]", " ", unicodedata.normalize("NFC", bare)).split())
    if chance < 0.85:
        return message
    places = [at for at in range(1, len(message) - 1) if message[at : at + 2].isalpha()]
    if not places:
        return message
    at = random.choice(places)
    slip = random.choice([message[at + 1] + message[at], message[at + 1], message[at] * 2])
    return message[:at] + slip + message[at + (1 if len(slip) == 2 and slip[0] == slip[1] else 2) :]


class Nearness:
    """How much of a question's words facts hold, the rarer the heavier."""

    def __init__(self, facts: Sequence[dict[str, str]]) -> None:
        self._headings = [fact["h"] for fact in facts]
        self._terms = [_terms(f"{fact['h']} {fact['t']}") for fact in facts]
        counts = Counter(term for terms in self._terms for term in terms)
        self._rare = {term: math.log(1 + len(facts) / count) for term, count in counts.items()}

    def order(self, question: str, right: Sequence[int]) -> list[int]:
        """The other facts, about the nearest first; those beside the right ones are near."""
        wanted, beside = _terms(question), {self._headings[at] for at in right}
        scores = [
            sum(self._rare[term] for term in wanted & terms) / math.sqrt(2 + len(terms))
            + 0.7 * (heading in beside) + 0.3 * random.random()
            for heading, terms in zip(self._headings, self._terms, strict=True)
        ]  # fmt: skip
        return sorted(set(range(len(scores))) - set(right), key=lambda at: -scores[at])


def _terms(text: str) -> set[str]:
    return {word.lower()[:5] for word in WORD.findall(text) if len(word) > 2}


def everything() -> list[Group]:
    """All there is to learn."""
    return [*businesses(), *topics("es"), *topics("en"), *talk()]


def drawn(groups: Sequence[Group], lines: int = WRONG) -> list[Group]:
    """In an order by chance, each message as somebody might type it.

    Of its lines one that answers is drawn, or all of two questions in one, and ``lines`` that don't
    answer: the first, and others among the next.
    """
    found = []
    for group in groups:
        right = group.right
        if right and not group.double:
            right = (random.choice(right),)
        many = lines if right else lines + 1
        near = group.wrong[1 : 2 * many + 2]
        wrong = group.wrong[:1] + tuple(random.sample(near, min(many - 1, len(near))))
        found.append(replace(group, message=as_typed(group.message), right=right, wrong=wrong))
    random.shuffle(found)
    return found
