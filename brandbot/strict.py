"""What a persona may say without a source, and how often a strict one tries to keep to that.

In service and while it is measured.
"""

from __future__ import annotations

from pathlib import Path

from brandbot import examples
from brandbot.grounding import Known
from brandbot.persona import Persona

TRIES = 3
"""Replies a strict persona tries until one says nothing that stands nowhere."""


def known_to(persona: Persona, folder: Path) -> Known:
    """What a persona may say without a source: what stands in its examples and its guide.

    Not what stands in examples with facts: those are made up, the likeliest figures to be made up
    again. ``folder`` is where the examples lie; a version's persona has none beside it.
    """
    from brandbot.knowledge.words import function_words

    config = persona.config
    found = [e for e in examples.read(folder / "examples").examples if not e.facts]
    texts = [m.content for e in found for m in e.messages]
    texts += [persona.voice, config.name, *config.starters, *config.said_as_it_is]
    return Known(texts, frozenset(function_words(persona.language)), persona.language)
