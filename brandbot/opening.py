"""How a reply may begin before it says what the documents say, in their own words.

A small model reads badly, so the documents' words are put into its replies as they stand
(``knowledge.quote_first``). Some brands don't begin with a figure, though, but with an exclamation:
the model first says one as the brand would, and it stays if it tells nothing of the matter, which
the model does not know. Training examples are cut the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from brandbot.examples import Example
from brandbot.knowledge.words import fold, function_words
from brandbot.lint_text import sentences

TOKENS = 24
"""Tokens in which the sentence has to come to an end."""

MOST_WORDS = 10

OFTEN = 0.1
"""Share of a brand's examples with facts that begin so, from which on replies may."""

_SAYS = re.compile(
    # A figure, a link; or it agrees or denies, which the documents may not.
    r"[\d@/<>%€£$]|\b(?:yes|yeah|yep|aye|sure|certainly|absolutely|definitely|exactly|of course"
    r"|indeed|you bet|correct|right|true|yup|(?:we|you|they|it) (?:do|does|can|is|are)"
    r"|no|not|none|never|nor|without|cannot|\w+n['’]t|sorry"
    r"|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred|thousand|half|double"
    r"|free|today|tomorrow|tonight"
    r"|s[ií]|claro|por supuesto|desde luego|exacto|as[ií] es|eso es|correcto|cierto|efectivamente"
    r"|nada|nunca|jam[aá]s|ni|sin|tampoco"
    r"|ning[uú]n\w*|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|veinte|cien|mil|mitad"
    r"|doble|gratis|hoy|mañana|perd[oó]n|lo siento)\b",
    re.IGNORECASE,
)


def begun(text: str, about: Sequence[str], language: str, *, ended: bool) -> str:
    """The first sentence of what a model began to say, if a reply may begin with it; or "".

    ``about``: what it must have no word in common with: the question, the facts, and the words for
    not knowing. ``ended``: the text is all the model had to say.
    """
    told = sentences(text)
    if not told or (len(told) == 1 and not ended):
        return ""
    return told[0] if opens(told[0], about, language) else ""


def opens(sentence: str, about: Sequence[str], language: str) -> bool:
    """Whether a reply may begin with a sentence: an exclamation that tells nothing."""
    return sentence.endswith(("!", "!»", "!”")) and leads(sentence, about, language)


def leads(beginning: str, about: Sequence[str], language: str) -> bool:
    """Whether a sentence may yet become one that a reply may begin with.

    Never in languages whose function words are not known.
    """
    common = {fold(word) for word in function_words(language)}
    if not common or _SAYS.search(beginning):
        return False
    if len(re.findall(r"\w+", beginning)) > MOST_WORDS:
        return False
    return not _stems(beginning, common) & _stems(" ".join(about), common)


def used(examples: Sequence[Example], language: str) -> bool:
    """Whether a brand's replies with facts begin with exclamations.

    What people wrote may speak of the matter: they knew it.
    """
    told = [example for example in examples if example.facts and example.split == "train"]
    opened = 0
    for example in told:
        opened += any(opens(first, (), language) for first in sentences(example.reply)[:1])
    return opened > OFTEN * len(told)


def _stems(text: str, common: set[str]) -> set[str]:
    """The first five letters of the words of four letters and more that say something."""
    words = map(fold, re.findall(r"\w{4,}", text))
    return {word[:5] for word in words if word not in common}
