"""Personal data and secrets taken out of a text, before anybody reviews, exports or trains it.

What ``lint_privacy`` finds is replaced by its kind in brackets. Nothing is sent anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from brandbot.lint_privacy import personal_data, secrets
from brandbot.prompt import Message

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


def clean(text: str, tag: str = "en") -> Clean:
    """``text`` with personal data and secrets replaced; ``tag`` is the persona's language tag."""
    language, _, region = tag.partition("-")
    words = PLACEHOLDERS.get(language.lower(), PLACEHOLDERS["en"])
    kinds: dict[str, None] = {}
    if _KEY_BLOCK.search(text):  # the finder sees its first line alone
        text, kinds["private-key"] = _KEY_BLOCK.sub(words["private-key"], text), None
    for _ in range(PASSES):
        found = [*secrets(text), *personal_data(text, region, eager=True)]
        found = [item for item in found if item.value not in words.values()]
        if not found:
            break
        kinds |= dict.fromkeys(item.kind for item in found)
        for item in sorted(found, key=lambda one: -len(one.value)):
            text = text.replace(item.value, words[item.kind])
    return Clean(text, tuple(kinds))


def clean_messages(
    messages: Sequence[Message], tag: str = "en"
) -> tuple[list[Message], tuple[str, ...]]:
    """Each message cleaned, and the kinds of what was taken out of any."""
    kinds: dict[str, None] = {}
    cleaned = []
    for message in messages:
        found = clean(message.content, tag)
        kinds |= dict.fromkeys(found.kinds)
        cleaned.append(Message(message.role, found.text))
    return cleaned, tuple(kinds)
