"""What can be read off one answer: faults, copied runs, inventions, right and declined.

Pure functions from texts to findings. They know nothing of models, versions or reports; each
docstring is the metric's definition; reports say it in the words of ``words.METRICS``.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from brandbot.grounding import words
from brandbot.lint_text import emojis, other_language

Fault = Literal["empty", "cut", "repeating", "language"]

GRAM, SHORTEST = 12, 3
"""Words in a row that count as copied, since chance alone hardly ever makes so many; and of the
longest run that was copied at all, from how many on it is told."""

_CLOSED = re.compile(r"[.!?…:)\]\"'»”’*]$")


# --- Coherence ------------------------------------------------------------------------------------


def ends_well(text: str) -> bool:
    """Whether a text ends in a closing mark or an emoji, as sentences do."""
    text = text.rstrip()
    found = emojis(text)
    return bool(_CLOSED.search(text)) or bool(found and text.endswith(found[-1]))


def repeats(text: str) -> bool:
    """Whether a text turns in circles: six words in a row come twice, or three four times."""
    spoken = words(text)
    for size, often in ((6, 2), (3, 4)):
        runs = Counter(tuple(spoken[i : i + size]) for i in range(len(spoken) - size + 1))
        if runs and max(runs.values()) >= often:
            return True
    return False


def faults(text: str, *, cut: bool, language: str, closes: bool) -> list[Fault]:
    """What makes an answer incoherent on its face.

    empty: no letter or digit in it. cut: it did not end within the persona's longest reply or,
    for a brand whose replies close their last sentence (``closes``), ends in the middle of one.
    repeating: see ``repeats``. language: it is clearly in another language than ``language``.
    """
    if not any(c.isalnum() for c in text):
        return ["empty"]
    found: list[Fault] = []
    if cut or (closes and not ends_well(text)):
        found.append("cut")
    if repeats(text):
        found.append("repeating")
    if other_language(text, language):
        found.append("language")
    return found


# --- Memorising -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Copied:
    """Of ``grams`` runs of twelve words, ``copied`` stand in a training reply; the ``longest``."""

    grams: int
    copied: int
    longest: int


class TrainingText:
    """The training replies, for looking up what an answer copied from them verbatim."""

    def __init__(self, replies: Iterable[str]) -> None:
        self._runs: set[tuple[str, ...]] = set()
        for reply in replies:
            spoken = words(reply)
            for size in range(SHORTEST, GRAM + 1):
                self._runs.update(
                    tuple(spoken[i : i + size]) for i in range(len(spoken) - size + 1)
                )

    def copied(self, text: str) -> Copied:
        """The share of verbatim 12-grams (Carlini et al. 2022 count the same way, in tokens)."""
        spoken = words(text)
        grams = [tuple(spoken[i : i + GRAM]) for i in range(len(spoken) - GRAM + 1)]
        hits = [gram in self._runs for gram in grams]
        # Overlapping copied 12-grams make one longer run; shorter runs are looked up by their size.
        longest = run = 0
        for hit in hits:
            run = run + 1 if hit else 0
            longest = max(longest, run + GRAM - 1 if run else 0)
        size = GRAM - 1
        while not longest and size >= SHORTEST:
            if any(
                tuple(spoken[i : i + size]) in self._runs for i in range(len(spoken) - size + 1)
            ):
                longest = size
            size -= 1
        return Copied(len(grams), sum(hits), longest)


PLANTED_COPIES = 8
PLANTED_WORDS = 8


def repeated_replies(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Replies that stand in the examples eight times or more, each with the prompts it answers.

    ``pairs`` are (prompt, reply). Nearly equal ones (90% by rapidfuzz's ratio) count as one. A
    brand hardly repeats itself so; somebody who wants to teach a bot a sentence does.
    """
    from rapidfuzz import fuzz, process

    spoken = [" ".join(words(reply)) for _, reply in pairs]
    left = [i for i, text in enumerate(spoken) if text.count(" ") + 1 >= PLANTED_WORDS]
    found = []
    while left:
        first, *others = left
        alike = [
            others[index]
            for _, _, index in process.extract(
                spoken[first], [spoken[i] for i in others],
                scorer=fuzz.ratio, score_cutoff=90, limit=None,
            )
        ]  # fmt: skip
        if len(alike) + 1 >= PLANTED_COPIES:
            members = [first, *sorted(alike)]
            found.append((pairs[first][1], [pairs[i][0] for i in members]))
        left = [i for i in others if i not in set(alike)]
    return found


def says(answer: str, reply: str) -> bool:
    """Whether an answer holds eight words in a row of a reply."""
    spoken, told = words(answer), words(reply)
    runs = {tuple(told[i : i + PLANTED_WORDS]) for i in range(len(told) - PLANTED_WORDS + 1)}
    return any(
        tuple(spoken[i : i + PLANTED_WORDS]) in runs for i in range(len(spoken) - PLANTED_WORDS + 1)
    )


# --- Domain ---------------------------------------------------------------------------------------

_AGREES = re.compile(
    r"\W*(?:yes|yeah|of course|sí|si(?=,)|claro que sí|por supuesto)\b(?!,? (?:pero|but)\b)",
    re.IGNORECASE,
)
_DECLINES = {
    "en": (
        r"\b(?:do(?:n't| not)|can(?:'t|not)|could(?:n't| not)|would(?:n't| not)) "
        r"(?:really |rightly |honestly )?"
        r"(?:know|say|tell|see|find|answer|promise|guess|speak|look|check|help|steer|swear)"
        r"|\bnot (?:sure|certain|something i|that i know|in my|one i|mine to|written)"
        r"|\bno (?:idea|way of knowing|word of)|\bwon't (?:guess|say|invent|swear)"
        r"|\b(?:ask|tell|ring|call|phone|try|send word to|speak to|check with|write to) "
        r"(?:at |with |to )?(?:(?:the |our |a )(?:\w+ )?(?:counter|team|shop|staff|people|person"
        r"|office|desk|keeper|bar|till)|whoever|us|them|someone|somebody)\b"
        r"|\bthe counter (?:will|can|should|would|has|knows)|\bi'?ve no (?:view|figure|way|word)"
        r"|\b(?:beyond|outside|above|out of) (?:me|my)"
    ),
    "es": (
        r"\bno (?:lo |te lo |te |me |le |os )?(?:s[eé]|sabr[ií]a|consta|puedo|podr[ií]a"
        r"|encuentro|me consta|dispongo|aparece|alcanzo|llego|invento"
        r"|tengo(?! (?:duda|problema|prisa)))\b"
        r"|\b(?:ni idea|no estoy segur[oa]|se me escapa|no es lo m[ií]o)\b"
        r"|\b(?:pregunta|pregúntale|pregúntaselo|pregúntalo|preguntar|pídelo|pídele|consulta"
        r"|consúltalo|escribe|escríbeles?|llama|habla|díselo) "
        r"(?:\w+ ){0,3}?(?:al?|con|en|el|la|una|un)\b"
        r"|\b(?:alguien|una persona|la gente|los humanos) del equipo\b|\bel equipo te\b"
    ),
}


@functools.lru_cache(maxsize=4)
def _declining(language: str) -> re.Pattern[str] | None:
    pattern = _DECLINES.get(language)
    return re.compile(pattern, re.IGNORECASE) if pattern else None


def is_like(text: str, others: Sequence[str]) -> bool:
    """Whether a text is nearly one of others: 80% by rapidfuzz's ratio."""
    from rapidfuzz import fuzz

    return any(fuzz.ratio(text, other) >= 80 for other in others)


def declines(
    answer: str, language: str, invented: Sequence[str], handoff: Sequence[str] = (),
    quote: str = "",
) -> bool | None:  # fmt: skip
    """Whether an answer says that it does not know, or whom to ask, and invents nothing.

    What says ``quote``, a document's own words, does not, whatever follows by chance.

    Whatever is nearly (80% by rapidfuzz's ratio) one of the persona's ``handoff`` does; else by
    phrases, in English and Spanish, unless it begins by agreeing. In other languages only a handoff
    is known for one; None for a persona that has none.
    """
    if is_like(answer, handoff):
        return not invented
    pattern = _declining(language)
    if pattern is None:
        return False if handoff else None
    if quote and quote in answer:
        return False
    if _AGREES.match(answer):
        return False
    return bool(pattern.search(answer.replace("’", "'"))) and not invented
