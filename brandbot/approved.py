"""Which approved exchanges are trained on: no one person's too many, none that is tested with.

Approval says that a reply is good; these limits say that a set of good replies is not one person's
voice, the model's own, or one phrase over and over. What is left out stays in its file, and
``check`` says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brandbot import examples as example_files
from brandbot import questions
from brandbot.examples import SIDES, Example, Reading, Split, normalise
from brandbot.lint_pairs import same_question
from brandbot.lint_text import sentences
from brandbot.persona import Persona, Review
from brandbot.redact import holds_placeholder

ALIKE = 90
"""Similarity in percent from which a prompt is one of the test split's."""

SAME_SENTENCE, SENTENCE_WORDS = 2, 5
"""Approved examples that may say one same sentence of at least so many words: whoever plants a
phrase says it often. Sentences that the people who write examples use themselves are free."""


Code = Literal[
    "author-share", "unedited-share", "repeated-sentence", "placeholder", "in-test-split"
]
"""Why an approved example is left out; each is an entry of ``texts.PROBLEMS``."""


@dataclass(frozen=True)
class LeftOut:
    """An approved example that is not trained on."""

    example: Example
    code: Code
    limit: float = 0.0


@dataclass(frozen=True)
class Chosen:
    examples: list[Example]
    left_out: list[LeftOut]


def choose(examples: Sequence[Example], limits: Review, folder: Path | None = None) -> Chosen:
    """All examples but approved ones over the limits. Of too many, the newest are kept.

    ``folder`` is the persona's, whose evaluation questions are not trained on either. Shares are of
    the examples that are trained on, what is left out not counted.
    """
    left: dict[int, LeftOut] = {}
    tested = Tested(examples, folder)
    for place, example in enumerate(examples):
        if example.provenance is not None and example.split != "test" and tested.holds(example):
            left[place] = LeftOut(example, "in-test-split")

    def over(most: float, code: Code, names: Callable[[Example], set[str]], side: Split) -> None:
        """Leaves out the oldest of each name's until none has more than its share of a side."""
        kept = [
            place for place, example in enumerate(examples)
            if place not in left and example.split == side
        ]  # fmt: skip
        for number in over_share([names(examples[place]) for place in kept], most):
            left[kept[number]] = LeftOut(examples[kept[number]], code, most)

    for place, example in enumerate(examples):
        if example.provenance is not None and holds_placeholder(example.reply):
            left[place] = LeftOut(example, "placeholder")
    for place in _repeating(examples, left):
        left[place] = LeftOut(examples[place], "repeated-sentence", SAME_SENTENCE)
    for side in SIDES:
        over(limits.max_author, "author-share", people, side)
        # Versions are not measured by how well they say what one of them said before.
        unedited = limits.max_unedited if side == "train" else 0.0
        over(unedited, "unedited-share", _unedited, side)
    kept = [example for place, example in enumerate(examples) if place not in left]
    return Chosen(kept, [left[place] for place in sorted(left)])


def over_share(names: Sequence[set[str]], most: float, beside: int = 0) -> set[int]:
    """The oldest of each name's that are too many, by their numbers.

    ``names`` stand in the order of age. ``most`` is the share that a name may have of what is left
    and ``beside`` others; one is always allowed, unless ``most`` is 0.
    """
    out: set[int] = set()
    while True:
        kept = [number for number in range(len(names)) if number not in out]
        counts = Counter(name for number in kept for name in names[number])
        allowed = max(1, int(most * (beside + len(kept)))) if most else 0
        worst = next((name for name, count in counts.items() if count > allowed), None)
        if worst is None:
            return out
        out.update([n for n in kept if worst in names[n]][: counts[worst] - allowed])


def read(persona: Persona) -> tuple[Reading, list[LeftOut]]:
    """A persona's examples as they are trained on, and those that are left out."""
    reading = example_files.read(persona.folder / "examples")
    chosen = choose(reading.examples, persona.config.review, persona.folder)
    return Reading(chosen.examples, reading.problems), chosen.left_out


class Tested:
    """The prompts that versions are tested with.

    Those of the test split, written or approved, and, given the persona's ``folder``, its
    evaluation questions.
    """

    def __init__(self, examples: Sequence[Example], folder: Path | None = None) -> None:
        held = [example.prompt for example in examples if example.split == "test"]
        asked = [q.prompt for q in questions.read(folder / "evals").questions] if folder else []
        self._prompts = {normalise(prompt) for prompt in (*held, *asked)}

    def holds(self, example: Example) -> bool:
        """Whether anything the person said there is, but for spelling, a test prompt."""
        from rapidfuzz import fuzz, process

        for message in example.messages:
            if message.role != "user":
                continue
            said = normalise(message.content)
            if said in self._prompts:
                return True
            close = process.extract(
                said, list(self._prompts), scorer=fuzz.ratio, score_cutoff=ALIKE, limit=3
            )
            if any(same_question(said, prompt) for prompt, _, _ in close):
                return True
        return False


def _repeating(examples: Sequence[Example], left: Container[int]) -> list[int]:
    """Approved examples with a sentence that others were approved with often enough."""
    own = {s for e in examples if e.provenance is None for r in e.replies for s in _long(r)}
    said: Counter[str] = Counter()
    repeating = []
    for place, example in enumerate(examples):
        if example.provenance is None or place in left:
            continue
        new = _long(example.reply) - own
        if any(said[sentence] >= SAME_SENTENCE for sentence in new):
            repeating.append(place)
        else:
            said.update(new)
    return repeating


def _long(reply: str) -> set[str]:
    found = (normalise(sentence) for sentence in sentences(reply))
    return {sentence for sentence in found if len(sentence.split()) >= SENTENCE_WORDS}


def people(example: Example) -> set[str]:
    """Who asked, and who wrote the better reply: pseudonyms."""
    origin = example.provenance or {}
    return {str(origin[key]) for key in ("author", "editor") if origin.get(key)}


def is_edited(example: Example) -> bool:
    """Whether a person wrote the approved reply, or changed the bot's."""
    return example.provenance is not None and example.provenance.get("edited") is True


def _unedited(example: Example) -> set[str]:
    return {"unedited"} if example.provenance is not None and not is_edited(example) else set()
