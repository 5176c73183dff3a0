"""Looking into a brand's documents as its bot does, told in ``View`` values. Logs nothing.

Knows the bot and no Gradio component.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from brandbot import Bot, BrandbotError, Found
from connectors.studio.chat import LONGEST_MESSAGE
from connectors.studio.screen import Screen
from connectors.studio.texts import say, say_error

Missing = Literal["knowledge", "documents", "index"]
"""Why a brand can find nothing: switched off, no document, or none of them indexed."""

log = logging.getLogger("brandbot.studio")


@dataclass(frozen=True)
class View:
    """``found`` is None before the first question, and where ``screen`` or ``missing`` says why."""

    screen: Screen
    missing: Missing | None = None
    found: Found | None = None
    busy: bool = False


def search(bot: Bot, screen: Screen, question: str, language: str) -> Iterator[View]:
    """What the brand on a screen finds for a question; while it looks, that it does."""
    if screen.voice is None or screen.persona is None:  # the screen says why
        yield View(screen)
        return
    lacking = missing(bot, screen)
    question = question.strip()
    if lacking or not question:
        yield View(screen, lacking)
        return
    if len(question) > LONGEST_MESSAGE:
        notice = say(language, "too_long", limit=LONGEST_MESSAGE)
        yield View(replace(screen, notice=notice))
        return
    yield View(screen, busy=True)
    try:
        found = bot.search(screen.persona, question)
    except BrandbotError as error:
        yield View(replace(screen, notice=say_error(language, error)))
    except Exception:
        log.exception("the documents of %s could not be searched", screen.persona)
        yield View(replace(screen, notice=say(language, "unexpected")))
    else:
        yield View(screen, found=found)


def missing(bot: Bot, screen: Screen) -> Missing | None:
    """What stands between a brand that can be read and its documents."""
    if screen.voice is None or screen.persona is None:
        return None
    if not screen.voice.persona.config.knowledge.enabled:
        return "knowledge"
    if (bot.workspace.knowledge(screen.persona) / "current").is_file():
        return None
    return "index" if bot.documents(screen.persona) else "documents"
