"""What a brand says word for word to who only greets, thanks or takes leave, or asks what it is.

Small models that learnt a voice answer "thanks" with whatever the voice likes to say, and "are you
a robot?" with a life story. Where ``persona.yaml`` has words for these, they are said.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Literal

from brandbot.knowledge.answer_type import GOODBYE, HELLO, THANKS, is_courtesy
from brandbot.persona import Persona, one_of
from brandbot.prompt import Message

Kind = Literal["hello", "thanks", "goodbye", "program"]

_WHAT = (
    r"(?:(?:a|an|the|un|una) )?(?:(?:real|actual|live|virtual) )?"
    r"(?:human(?: being)?|person|robot|(?:chat ?)?bot|machine|computer|program|ai"
    r"|humano|humana|persona|m[aá]quina|ordenador|computadora|programa|ia)"
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
    if _ASKS_WHAT.search(message):
        return "program"
    if not is_courtesy(message):
        return None
    return next((name for name, words in _KINDS if words.search(message)), None)


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
