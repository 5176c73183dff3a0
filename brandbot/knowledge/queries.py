"""What is searched for: what a message asks, given what was said before it.

Patterns of English and Spanish; in other languages a message is searched for as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from brandbot.knowledge import answer_type
from brandbot.lint_text import sentences
from brandbot.prompt import Message

AFTER = " » "
"""Between two messages of which the first says what the second is about, as the reranker learnt."""

LEANING, SHORT, FEW, MANY = 8, 5, 2, 14
"""Words up to which a question that points back is taken as one about the message before, up to
which any question may be one, up to which what is none may ask all the same ("parking"), and beyond
which a message has more to say than that it wants to talk to a person."""

_GOES_ON = re.compile(
    r"^\W{0,20}(?:(?:ok(?:ay)?|great|thanks|thank you|vale|gracias|genial|perfect[oa]?)\b\W{0,20})*"
    r"(?:and|or|but|also|what about|how about"
    r"|y|e|o|pero|tambi[eé]n|qu[eé] tal|qu[eé] pasa con)\b",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(  # not "bread that is vegan", "esa sala"
    r"\b(?:is|are|does|about|for|with|of|like|than|from) (?:that|those|these|them)\W*$"
    r"|\b(?:is|does|can) that\b|\beso\b|\bes[ae]\W*$",
    re.IGNORECASE,
)
_REFERS = re.compile(  # "do I have to pay for it?", "¿hay que reservarlo?"
    # not "is it raining?", "are they open?"
    r"\b(?:for|with|of|to|about|from|in|on|at|pay|book|buy|bring|use|return|change|cancel|get|have)"
    r" (?:it|them)\b|\bdo they\b|\b(?!charlas?\b|perlas?\b|carlos?\b)\w+[aei]rl[oa]s?\b",
    re.IGNORECASE,
)
_DOUBTS = re.compile(
    r"^\W*(?:are you (?:\w+ )?sure|is that (?:right|true|correct)|est[aá]i?s (?:\w+ )?segur[oa]s?"
    r"|(?:really|seriously|de verdad|en serio|seguro|de veras)\W*$)",
    re.IGNORECASE,
)
_OBJECTS = re.compile(r"^\W*(?:but|pero)\b", re.IGNORECASE)
_CORRECTS = re.compile(  # "no, I meant Sunday", "perdón, la de débito", "northern Ireland I mean"
    r"^\W*(?:(?:no|sorry|oops|ay|perd[oó]n|disculpa)\b[\s,.]*)*(?:i meant?|i was asking about"
    r"|(?:yo )?me (?:refiero|refer[ií]a)(?: a\b)?|(?:yo )?quer[ií]a decir|digo|me he equivocado)\b"
    # not "sorry, the website is down"
    r"|^\W*(?:no|sorry|oops|perd[oó]n)\b[\s,.]+(?=(?:the|el|la|los|las)\b(?! verdad)"
    r"(?!.*\b(?:is|are|was|were|has|had|have|never|not|no|did|does|\w+n['’]t|est[aá]n?|es|son|era|ha|han)\b))"
    r"|[\s,]+(?:i meant?|quiero decir|digo)\W*$",
    re.IGNORECASE,
)
_ONE_OF = re.compile(  # "la de débito", "the large one"
    r"^\W*(?:(?:el|la|los|las) (?:de|del|que|m[aá]s)\b.*|the\b.*\bones?\W*)$", re.IGNORECASE
)
_PERSON = re.compile(  # whoever would rather talk to one
    r"^\W*(?:(?:a |un )?(?:real )?(?:human|person|agent|operator|manager|customer services?|humano"
    r"|agente|operador|encargado|persona real))(?: now| please| por favor)*\W*$"
    r"|\b(?:(?:speak|talk|chat) (?:to|with)|(?:put|connect|get|give) me(?: through| to| with)*)\b"
    r".{0,12}?\b(?:human|person|someone|somebody|agent|operator|manager|the team|staff"
    r"|customer services?)\b"
    r"|\b(?:(?:habl|comun[ií]|contact|p[aá]s|p[oó]n)\w* (?:\w+ )?con|atiend\w+)\b.{0,12}?"
    r"\b(?:humano|persona|agente|operador|asesor|ejecutiv|alguien|encargad|responsable|gestor)\w*",
    re.IGNORECASE,
)
_CONTACT = {
    "en": ("How do I contact you?",),
    "es": ("¿Cuál es el teléfono de contacto?", "¿Cuál es el correo de contacto?"),
}
"""What is looked up for them."""
_ABOUT = {"en": "what about {}?", "es": "¿y {}?"}
"""How a few words are asked about."""


def queries(conversation: Sequence[Message], language: str = "en") -> list[str]:
    """What may be searched for: the last message, alone or after the one before it.

    Both, if it is a short question or goes on: "got wifi?" and "and on Sundays?" may be questions
    of their own, "large?" and "and a large one?" are not. Only after it, if it leans back: "how
    much is that?"; or corrects it: "no, I meant the large one". Who wants to talk to a person is
    told where to find one. Nothing if it only greets or thanks.
    """
    said = _said(conversation)
    asked = [message.content.strip() for message in conversation if message.role == "user"]
    if not said or said[-1] != asked[-1]:
        return []
    last = said[-1]
    words, asks = _words(last), answer_type.is_question(last)
    if not asks and words <= MANY and _PERSON.search(last):
        return list(_contact(language))
    if len(said) == 1:
        return [last]
    # What goes on may have brought a subject of its own, "what about parking?", or not.
    before = dict.fromkeys((said[-2], _subject(said[:-1])))
    joined = [f"{subject}{AFTER}{last}" for subject in before]
    if meant := _meant(last):
        told = meant if answer_type.is_question(meant) else _about(meant, language)
        return [f"{subject}{AFTER}{told}" for subject in before]
    if asks and words <= LEANING and _LEANS_BACK.search(last):
        return joined
    if _GOES_ON.match(last) and (asks or (words <= 4 and not _OBJECTS.match(last))):
        return [*joined, last]
    refers = words <= LEANING and _REFERS.search(last)
    return [last, *joined] if asks and (words <= SHORT or refers) else [last]


def parts(message: str) -> list[str]:
    """The questions of a message, each with what is said before it; all of it, if it is one.

    "Really?" is none of its own, and neither is "On Sundays?".
    """
    found, begun = [], ""
    for sentence in sentences(message):
        begun = f"{begun} {sentence}".strip()
        asks = sentence.rstrip("\"'»”)").endswith("?") and not answer_type.is_courtesy(sentence)
        if asks and (_words(sentence) > FEW or answer_type.asks_for_a_fact(sentence)):
            found.append(begun)
            begun = ""
    more = "?" not in begun and _words(begun) > FEW and answer_type.is_question(begun)
    if found and more:
        found.append(begun)
    elif begun and found:
        found[-1] = f"{found[-1]} {begun}"
    return found if len(found) > 1 else [message]


def otherwise(message: str, language: str, *, may_ask: bool) -> Sequence[str]:
    """What else a message may want that nothing was found for.

    A person, or to know something of the few words it is ("dogs"); ``may_ask``: it is no talk.
    """
    if _PERSON.search(message):  # "can I talk to a manager?"
        return _contact(language)
    if may_ask and language in _ABOUT and _words(message) <= FEW:
        return (_about(message, language),)
    return ()


def doubted(conversation: Sequence[Message]) -> str:
    """The question whose answer the last message doubts ("are you sure?"); "" if it does not."""
    said = _said(conversation)
    if len(said) < 2 or not _DOUBTS.match(said[-1]):
        return ""
    subject = _subject(said[:-1])
    return subject if subject == said[-2] else f"{subject}{AFTER}{said[-2]}"


def _subject(said: Sequence[str]) -> str:
    """The last message that can be understood alone; "and a large one?" is about one before it."""
    for message in reversed(said):
        back = _GOES_ON.match(message) or _LEANS_BACK.search(message) or _DOUBTS.match(message)
        if not back and not _meant(message):
            return message
    return said[-1]


def _meant(message: str) -> str:
    """What a message puts in the place of what the one before it asked about; "" if nothing."""
    words = _words(message)
    if words <= SHORT and _ONE_OF.match(message):
        return message.strip(" .,;")
    meant = _CORRECTS.sub(" ", message) if words <= LEANING else message
    return "" if meant == message else meant.strip(" .,;")


def _about(words: str, language: str) -> str:
    return _ABOUT.get(language, _ABOUT["en"]).format(words.strip(" .,;!¡"))


def _contact(language: str) -> Sequence[str]:
    return _CONTACT.get(language, _CONTACT["en"])


def _words(message: str) -> int:
    return len(re.findall(r"\w+", message))


def _said(conversation: Sequence[Message]) -> list[str]:
    """A person's messages without those that only greet or thank."""
    said = (message.content.strip() for message in conversation if message.role == "user")
    return [message for message in said if not answer_type.is_courtesy(message)]
