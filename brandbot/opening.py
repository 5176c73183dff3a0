"""How a reply may begin before it says what the documents say, in their own words.

A small model reads badly, so the documents' words are put into its replies as they stand
(``knowledge.quote_first``). A brand seldom begins with a figure, though: the model first says one
sentence as the brand would, and it stays if it says nothing of the matter itself, which it does not
know. Training examples are cut the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from brandbot.lint_text import sentences

TOKENS = 24
"""Tokens in which the sentence has to come to an end."""

MOST_WORDS = 10

_SAYS = re.compile(
    # A figure, a link; or it agrees or denies, which the documents may not.
    r"[\d@/<>]|\b(?:yes|yeah|yep|aye|sure|certainly|absolutely|of course|indeed"
    r"|no|not|none|never|nor|without|cannot|\w+n['’]t"
    r"|s[ií]|claro|por supuesto|desde luego|nada|nunca|ni|sin|tampoco|ning[uú]n\w*)\b",
    re.IGNORECASE,
)


def begun(text: str, facts: Sequence[str], *, ended: bool) -> str:
    """The first sentence of what a model began to say, if it may stand before ``facts``; or "".

    ``ended``: the text is all the model had to say.
    """
    told = sentences(text)
    if not told or (len(told) == 1 and not ended):
        return ""
    return told[0] if leads(told[0], facts) else ""


def leads(sentence: str, facts: Sequence[str]) -> bool:
    """Whether a sentence, or the beginning of one, says nothing of what the facts tell."""
    if _SAYS.search(sentence) or len(re.findall(r"\w+", sentence)) > MOST_WORDS:
        return False
    return not _words(sentence) & _words(" ".join(facts))


def _words(text: str) -> set[str]:
    """Words of four letters and more."""
    return set(re.findall(r"\w{4,}", text.casefold()))
