"""What each example is given to know in training, so that a model learns to use what search finds.

Replies are served with the facts that search found, with facts that do not answer, or with none. An
example of style is trained with each of these in turn. An example with facts of its own is trained
with other facts among them, again with other numbers (in facts and reply alike, so that the model
learns to read them and not to know them), and without the fact that answers: then the reply is one
of the persona's ``handoff``. Where replies hold the document's own words, so do these. A
reply that states figures of the documents, as people correct a bot to, is an example with facts,
too: the numbers of documents themselves are never trained.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from brandbot import opening
from brandbot.examples import Example
from brandbot.grounding import NUMBER, digits
from brandbot.knowledge.lookup import MOST_FACTS, as_sentence
from brandbot.lint_text import sentences
from brandbot.prompt import Message

FOUND, OTHERS = 0.5, 0.15
"""Shares of style examples that get what search finds, and other passages' facts."""

SECOND = 0.4
"""Share of quoting replies that quote another fact, too, as replies do where two are near."""

RENUMBERED = 1
"""Further copies of an example with facts, each with other numbers."""

Find = Callable[[Sequence[Message]], Sequence[str]]


def mixed(
    examples: Sequence[Example],
    find: Find,
    passages: Sequence[str],
    handoff: Sequence[str],
    seed: int,
    *,
    quote_first: bool,
    language: str = "en",
) -> list[Example]:
    """The examples as they are trained.

    ``find`` gives the facts that a reply to a conversation would be served with, ``passages`` are
    facts to take others from. The same arguments give the same list.
    """
    own = [fact for example in examples for fact in example.facts]
    opened = opening.used(examples, language)
    found: list[Example] = []
    seen: Counter[str] = Counter()
    for example in examples:
        # One that is trained several times is given other facts each time.
        again = f" {seen[example.prompt]}" if seen[example.prompt] else ""
        seen[example.prompt] += 1
        chance = random.Random(f"{seed} {example.prompt}{again}")
        example = example if example.facts else _told(example, find)
        if not example.facts:
            found.append(_styled(example, find, passages, chance))
            continue
        others = [fact for fact in own if fact not in example.facts] or list(passages)
        own_reply = example
        if quote_first:
            own_reply = _quoting(example, chance, language if opened else "")
        found.append(_among(own_reply, others, chance))
        for _ in range(RENUMBERED):
            found.append(_among(_renumbered(own_reply, chance), others, chance))
        if handoff:
            found.append(_unanswered(example, others, chance.choice(list(handoff)), chance))
    return found


def _told(example: Example, find: Find) -> Example:
    """The example with what search finds for it, if its figures are from there."""
    numbers, words = _numbers(example.reply), _words(example.reply)
    if not numbers:
        return example
    facts = tuple(find(example.messages[:-1]))
    if any(numbers <= _numbers(fact) and words & _words(fact) for fact in facts):
        return replace(example, facts=facts)
    return example


def _styled(
    example: Example, find: Find, passages: Sequence[str], chance: random.Random
) -> Example:
    drawn = chance.random()
    if drawn < FOUND:
        return replace(example, facts=tuple(find(example.messages[:-1])))
    if drawn < FOUND + OTHERS and passages:
        return replace(example, facts=tuple(chance.sample(list(passages), min(3, len(passages)))))
    return example


def _among(example: Example, others: Sequence[str], chance: random.Random) -> Example:
    """The example with other facts behind its own; now and then they change places."""
    facts = list(example.facts)
    room = max(0, MOST_FACTS - len(facts))
    facts += chance.sample(list(others), min(chance.randint(0, room), len(others)))
    if chance.random() < 0.3:
        chance.shuffle(facts)
    return replace(example, facts=tuple(facts))


def _quoting(example: Example, chance: random.Random, opens_in: str) -> Example:
    """The example with the answering fact, as it stands, for the sentence that tells it.

    One sentence may stay before it (``opening``): ``opens_in`` is the language of a brand that
    begins its replies so, else "".
    """
    fact = _answering(example)
    others = [other for other in example.facts if other != fact]
    quoted = [fact, *(others[:1] if chance.random() < SECOND else ())]
    text = " ".join(as_sentence(one.partition(": ")[2] or one) for one in quoted)
    numbers, words = _numbers(fact), _words(fact)
    told = sentences(example.reply)

    def shared(place: int) -> tuple[int, int]:
        return len(numbers & _numbers(told[place])), len(words & _words(told[place]))

    answering = max(range(len(told)), key=shared, default=0)
    held = [i for i, sentence in enumerate(told) if numbers & _numbers(sentence)]
    first = [s for s in told[: min(answering, 1)] if opening.opens(s, (), opens_in)]
    rest = told[max(held, default=answering) + 1 :]
    reply = " ".join((*first, text, *rest))
    return replace(example, messages=(*example.messages[:-1], Message("assistant", reply)))


def _unanswered(
    example: Example, others: Sequence[str], handoff: str, chance: random.Random
) -> Example:
    """The example without the fact that answers it, and so with nothing to say but that."""
    answering = _answering(example)
    left = [fact for fact in example.facts if fact != answering]
    if chance.random() < 0.5:
        room = max(0, MOST_FACTS - len(left))
        left += chance.sample(list(others), min(room, 2, len(others)))
    messages = (*example.messages[:-1], Message("assistant", handoff))
    return replace(example, messages=messages, facts=tuple(left))


def _answering(example: Example) -> str:
    """The fact that shares most with the reply, numbers first."""
    numbers, words = _numbers(example.reply), _words(example.reply)

    def shared(fact: str) -> tuple[int, int]:
        return len(numbers & _numbers(fact)), len(words & _words(fact))

    return max(example.facts, key=shared)


def _numbers(text: str) -> set[str]:
    return {digits(number) for number in NUMBER.findall(text)}


def _words(text: str) -> set[str]:
    """Words of four letters and more."""
    return set(re.findall(r"\w{4,}", text.casefold()))


def _renumbered(example: Example, chance: random.Random) -> Example:
    """The example with other numbers, the same in facts and reply; those that were asked stay."""
    asked = "\n".join(message.content for message in example.messages[:-1])
    kept = _numbers(asked)
    changed: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        number, name = found[0], digits(found[0])
        if name in kept:
            return number
        if name not in changed:
            changed[name] = _like(number, chance)
        # The same number with other marks, 3,40 and 3.40, stays the same.
        parts, marks = re.split(r"[.,:]", changed[name]), re.findall(r"[.,:]", number)
        if len(parts) != len(marks) + 1:
            return changed[name]
        return parts[0] + "".join(mark + part for mark, part in zip(marks, parts[1:], strict=True))

    reply = NUMBER.sub(other, example.reply)
    facts = tuple(NUMBER.sub(other, fact) for fact in example.facts)
    return replace(
        example, messages=(*example.messages[:-1], Message("assistant", reply)), facts=facts
    )


def _like(number: str, chance: random.Random) -> str:
    """Another number of the same form: 8.15 stays a time or a price, 7 stays small."""
    parts = re.split(r"([.,:])", number)
    first = int(parts[0])
    digits = len(parts[0])
    if first <= 12 and digits <= 2:
        low = 1 if digits == 1 else 10
        other = chance.randint(low, 12 if digits == 2 else 9)
        parts[0] = str(other).zfill(digits)
    elif not parts[0].startswith("0"):
        low = 10 ** (digits - 1)
        scale = 5 if first % 5 == 0 else 1
        parts[0] = str(max(low, chance.randrange(low, low * 10) // scale * scale))
    for place in range(2, len(parts), 2):
        if len(parts[place]) == 2:
            parts[place] = f"{chance.randrange(0, 60, 5):02d}"
        else:
            parts[place] = "".join(str(chance.randint(0, 9)) for _ in parts[place])
    return "".join(parts)
