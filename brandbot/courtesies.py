"""What a brand says word for word to who only greets, thanks or takes leave, or asks what it is.

Small models that learnt a voice answer "thanks" with whatever the voice likes to say, and "are you
a robot?" with a life story. Where ``persona.yaml`` has words for these, they are said.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Literal

from brandbot.knowledge import answer_type
from brandbot.knowledge.answer_type import GOODBYE, HELLO, THANKS
from brandbot.persona import Persona, one_of
from brandbot.prompt import Message

Kind = Literal["hello", "thanks", "goodbye", "program"]

_SOMEBODY = (
    r"(?:human(?: being)?|person|robot|(?:chat ?)?bot|machine|computer|program|ai"
    r"|humano|humana|persona|m[aá]quina|ordenador|computadora|programa|ia)"
)
_WHAT = (
    rf"(?:(?:a|an|the|un|una) )?(?:(?:real|actual|live|virtual) )?{_SOMEBODY}"
    # and no more: "are you a person who bakes?"
    r"(?:,? (?:or|o|here|now|right|aqu[ií]|ahora|verdad|no)\b.*)?\W*$"
)
_ASKS_WHAT = re.compile(
    rf"\b(?:are|r) (?:you|u) (?:just |really )?(?:{_WHAT}|(?:real|human|alive)\W*$)"
    rf"|\bis (?:this|it) {_WHAT}|\b(?:hablo|hablando|chateando) con {_WHAT}"
    rf"|\b(?:am i|i'?m) (?:talking|speaking|chatting|writing) (?:to|with) {_WHAT}"
    rf"|\b(?:eres|es usted|sos|esto es) (?:{_WHAT}|(?:real|de verdad)\W*$)",
    re.IGNORECASE,
)
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("goodbye", re.compile(rf"\b(?:{GOODBYE})\b", re.IGNORECASE)),
    ("thanks", re.compile(rf"\b(?:{THANKS})\b", re.IGNORECASE)),
    ("hello", re.compile(rf"\b(?:{HELLO})\b", re.IGNORECASE)),
)


def kind(message: str) -> Kind | None:
    """What a message does if it does nothing else: the last thing of several, "thanks, bye"."""
    said = answer_type.typed(message)
    if asked := _ASKS_WHAT.search(said):
        return None if _asks_more(said, asked) else "program"
    if not answer_type.is_courtesy(said):
        return None
    return next((name for name, words in _KINDS if words.search(said)), None)


def _asks_more(message: str, asked: re.Match[str]) -> bool:
    """Whether there is a question before the one what it is, or behind an "or" in it."""
    before, asks = message[: asked.start()], answer_type.asks_for_a_fact
    _, _, other = re.sub(r"\b[oó]\b", "or", asked[0]).partition(" or ")
    same = re.search(rf"\b{_SOMEBODY}\b", other, re.IGNORECASE)  # "or a person?"
    return asks(before) or (not same and asks(other))


def answer(persona: Persona, conversation: Sequence[Message], *, again: bool = False) -> str:
    """The persona's words for the last message; "" if it has none, or more is said.

    Of several the same ones to the same message, but none a second time while there are others;
    ``again``: another answer is wanted.
    """
    last = conversation[-1].content
    found = kind(last)
    words: list[str] = getattr(persona.config.courtesies, found) if found else []
    said = {message.content for message in conversation if message.role == "assistant"}
    fresh = [text for text in words if text not in said] or words
    if not fresh:
        return ""
    return random.choice(fresh) if again else one_of(fresh, last)
