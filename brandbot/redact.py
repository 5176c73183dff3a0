"""Personal data and secrets taken out of a text, before anybody reviews, exports or trains it.

What ``lint_privacy`` finds is replaced by its kind in brackets. Nothing is sent anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brandbot.lint_privacy import CONTACTS, personal_data, secrets
from brandbot.prompt import Message

if TYPE_CHECKING:
    from brandbot.persona import Persona
    from brandbot.workspace import Workspace

PASSES = 4
"""What taking one thing away uncovers beside it, the next pass finds."""

_KEY_BLOCK = re.compile(
    r"-----BEGIN [^-\n]*PRIVATE KEY[^-\n]*-----.*?(-----END [^-\n]*-----|\Z)"
    r"|PuTTY-User-Key-File-.*?(Private-MAC: *\w+|\Z)",
    re.DOTALL,
)

PLACEHOLDERS = {
    "en": {
        "email": "[email]",
        "phone": "[phone number]",
        "iban": "[account number]",
        "card": "[card number]",
        "nif": "[ID number]",
        "nie": "[ID number]",
        "ssn": "[ID number]",
        "nino": "[ID number]",
        "ip": "[IP address]",
        "token": "[secret]",
        "password": "[password]",
        "private-key": "[secret]",
    },
    "es": {
        "email": "[correo]",
        "phone": "[teléfono]",
        "iban": "[número de cuenta]",
        "card": "[número de tarjeta]",
        "nif": "[número de documento]",
        "nie": "[número de documento]",
        "ssn": "[número de documento]",
        "nino": "[número de documento]",
        "ip": "[dirección IP]",
        "token": "[secreto]",
        "password": "[contraseña]",
        "private-key": "[secreto]",
    },
}


@dataclass(frozen=True)
class Clean:
    """A text without what was found in it; ``kinds`` say what that was, each once."""

    text: str
    kinds: tuple[str, ...] = ()


SHORT = 4
"""Letters under which what was found is not taken out of the middle of words."""

TOLD_TO_ALL = CONTACTS | {"iban"}
"""Kinds that are personal data only if they are not the brand's own."""


def clean(text: str, tag: str = "en", own: str = "") -> Clean:
    """``text`` with personal data and secrets replaced; ``tag`` is the persona's language tag.

    Contacts that stand in ``own``, made by ``brands_own``, are the brand's and stay.
    """
    language, _, region = tag.partition("-")
    words = PLACEHOLDERS.get(language.lower(), PLACEHOLDERS["en"])
    kinds: dict[str, None] = {}
    if _KEY_BLOCK.search(text):  # the finder sees its first line alone
        text, kinds["private-key"] = _KEY_BLOCK.sub(words["private-key"], text), None
    for _ in range(PASSES):
        found = [*secrets(text), *personal_data(text, region, eager=True)]
        found = [
            item for item in found if item.value not in words.values()
            and not (own and item.kind in TOLD_TO_ALL and _is_in(own, item.value))
        ]  # fmt: skip
        if not found:
            break
        kinds |= dict.fromkeys(item.kind for item in found)
        for item in sorted(found, key=lambda one: -len(one.value)):
            text = _without(text, item.value, words[item.kind])
    return Clean(text, tuple(kinds))


def _without(text: str, value: str, word: str) -> str:
    """The text with ``word`` for each ``value`` that is not a part of another word or number."""
    before = r"(?<!\w)" if value[0].isalnum() else ""
    after = r"(?!\w)" if value[-1].isalnum() else ""
    cleaned = re.sub(before + re.escape(value) + after, lambda _: word, text)
    # Where all of them touch letters, it was found there all the same; a short one is left, since
    # it would be taken out of half of the words.
    return cleaned if cleaned != text or len(value) < SHORT else text.replace(value, word)


_BETWEEN = r"(?:[^\w\n,;]|_){0,3}\n?(?:[^\w\n,;]|_)?"
"""Between two letters or digits of a contact: no list's comma, at most one line's end."""

_AROUND_MAIL = r"(?<![^\W_])(?<![^\W_][.+-])", r"(?![^\W_]|[.-][^\W_])"
_AROUND_NUMBER = r"(?:(?<![^\W_])|(?<=[+/]\d)|(?<=[+/]\d\d)|(?<=[+/]\d{3}))", r"(?![^\W_])"
"""What may stand around a whole one: nothing of a word, but a number's country (+34, wa.me/34)."""


def _is_in(own: str, value: str) -> bool:
    """Whether a contact stands in the brand's texts, whole: 912 34 56 78 and 912345678 are one.

    ana@example.com is nobody's in cafe.ana@example.com, nor is a number in a list of others.
    """
    letters = re.sub(r"[\W_]", "", value).casefold()
    pattern = _BETWEEN.join(map(re.escape, letters))
    before, after = _AROUND_MAIL if "@" in value else _AROUND_NUMBER
    return re.search(before + pattern + after, own) is not None


def brands_texts(workspace: Workspace, persona: Persona) -> list[str]:
    """What a brand says of itself: its voice guide, its greeting and its documents."""
    from brandbot.knowledge.index import IndexStore

    config = persona.config
    build = IndexStore(workspace.knowledge(persona.folder.name)).current()
    documents = [passage.text for passage in build.read_passages()] if build else []
    return [persona.voice, *config.said_as_it_is, *documents]


def brands_own(workspace: Workspace, persona: Persona) -> str:
    """The brand's texts as ``clean`` takes them: contacts there are nobody's personal data."""
    return "\n".join(brands_texts(workspace, persona)).casefold()


def holds_placeholder(text: str) -> bool:
    """Whether something was taken out of a text."""
    return any(word in text for words in PLACEHOLDERS.values() for word in words.values())


def clean_messages(
    messages: Sequence[Message], tag: str = "en", own: str = ""
) -> tuple[list[Message], tuple[str, ...]]:
    """Each message cleaned, and the kinds of what was taken out of any; see ``clean``."""
    kinds: dict[str, None] = {}
    cleaned = []
    for message in messages:
        found = clean(message.content, tag, own)
        kinds |= dict.fromkeys(found.kinds)
        cleaned.append(Message(message.role, found.text))
    return cleaned, tuple(kinds)
