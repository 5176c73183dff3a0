"""What a brand says word for word to who only greets, thanks or takes leave, or asks what it is.

Small models that learnt a voice answer "thanks" with whatever the voice likes to say, and "are you
a robot?" with a life story. Where ``persona.yaml`` has words for these, they are said.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Literal

from brandbot.knowledge.answer_type import is_courtesy
from brandbot.persona import Persona
from brandbot.prompt import Message

Kind = Literal["hello", "thanks", "goodbye", "program"]

LONGEST = 10
"""Words up to which a message asks nothing else beside what it is talking to."""

_WHAT = (
    r"(?:(?:a|an|some|the|un|una)\b\s*)?(?:(?:real|actual|live|virtual)\s+)?"
    r"(?:human(?: being)?|person|robot|(?:chat ?)?bot|machine|computer|program|ai|people"
    r"|humano|humana|persona|m[aá]quina|ordenador|computadora|programa|ia)\b"
)
_ASKS_WHAT = re.compile(
    rf"\b(?:are|r) (?:you|u) (?:just |really )?{_WHAT}|\bis (?:this|it) {_WHAT}"
    rf"|\b(?:am i|i'?m i) (?:talking|speaking|chatting|writing) (?:to|with) {_WHAT}"
    rf"|\b(?:eres|es usted|sos|esto es) {_WHAT}|\b(?:hablo|hablando|chateando) con {_WHAT}"
    r"|\bare you (?:real|human|alive)\b|\beres (?:real|de verdad)\b",
    re.IGNORECASE,
)
_KINDS: tuple[tuple[Kind, str], ...] = (
    (
        "goodbye",
        r"\b(?:(?:good)?bye|good night|see you|take care|have a (?:nice|good|lovely)|adi[oó]s"
        r"|hasta (?:luego|pronto|mañana|la vista)|chao|chau|nos vemos|buenas noches)\b",
    ),
    ("thanks", r"\b(?:thank\w*|cheers|gracias|gr[aà]cies|obrigad[oa]|amable)\b"),
    (
        "hello",
        r"\b(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|how are|how's it|what's up"
        r"|hola|buen[oa]s|saludos?|qu[eé] (?:tal|onda)|c[oó]mo (?:est|te va|va))",
    ),
)


def kind(message: str) -> Kind | None:
    """What a message does if it does nothing else: the last thing of several, "thanks, bye"."""
    if len(message.split()) <= LONGEST and _ASKS_WHAT.search(message):
        return "program"
    if not is_courtesy(message):
        return None
    return next((name for name, words in _KINDS if re.search(words, message, re.IGNORECASE)), None)


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
    return random.choice(fresh) if again else persona.one_of(fresh, last)
