"""What the page shows of a brand and a conversation, as plain values; knows no component."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from brandbot import Persona, Reply, Turn, Voice
from connectors.studio import sources
from connectors.studio.memory import Memory
from connectors.studio.texts import say

FEEDBACK = {"like": "Like", "dislike": "Dislike"}
"""The log's verdicts in the chatbot's words."""

MOST_UNKNOWN = 8
"""Numbers, names and links that a notice lists; a reply that is all invention needs no more."""


@dataclass(frozen=True)
class Screen:
    """``turns`` holds the logged turn behind each message (None: the greeting, or a reply still
    being written), ``feedback`` what was thought of each bubble on the bot's side, ``problems`` why
    the brand can't be talked to, ``unanswered`` whether the last message still waits for its
    reply, ``unsent`` what was typed and could not be said, ``unread`` whether the conversation
    could not be read."""

    memory: Memory
    persona: str | None = None
    name: str = ""
    voice: Voice | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    turns: list[int | None] = field(default_factory=list)
    feedback: list[str | None] = field(default_factory=list)
    notice: str = ""
    problems: str = ""
    unanswered: bool = False
    busy: bool = False
    unsent: str = ""
    unread: bool = False

    @property
    def trained(self) -> bool:
        return self.voice is not None and self.voice.version is not None


def message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": literal(text)}]}


_JOINER = "\u2060"
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])|&(?=#?\w+;)")


def literal(text: str) -> str:
    """Text that a browser can only read as text.

    Gradio's chatbot parses messages as HTML even with Markdown off, and sanitizes what it parsed:
    harmless, but words vanish. An invisible character between ``<`` and a tag's name makes it no
    tag. Escaping would show in the copy button and in the edit field, which get the text as it is.
    """
    return _MARKUP.sub(lambda found: found[0] + _JOINER, text)


def as_typed(text: str) -> str:
    """What ``literal`` was given, from what the page sends back."""
    return text.replace(_JOINER, "")


def greeting(persona: Persona, language: str, *, starters: bool) -> dict[str, Any]:
    """The bot's first message; while nothing was said yet, with the starters to click on."""
    config = persona.config
    first = message("assistant", config.greeting or say(language, "greeting"))
    if starters:
        first["options"] = [{"value": starter} for starter in config.starters]
    return first


def transcript(
    persona: Persona, history: Sequence[Turn], language: str
) -> tuple[list[dict[str, Any]], list[int | None], list[str | None]]:
    """Messages, the turn behind each, and the feedback on each of the bot's bubbles.

    A reply's sources are part of its message, but Gradio gives them a bubble of their own.
    """
    messages = [greeting(persona, language, starters=not history)]
    turns: list[int | None] = [None]
    feedback: list[str | None] = [None]
    for turn in history:
        messages.append(message(turn.role, turn.content))
        turns.append(turn.id)
        if turn.role == "assistant":
            feedback.append(FEEDBACK.get(turn.verdict or ""))
        if turn.sources:
            messages[-1]["content"].append(sources.block(turn.sources, language))
            feedback.append(None)
    return messages, turns, feedback


def header(screen: Screen, language: str) -> str:
    """The brand's name, large, and what serves it, as HTML."""
    return brand_line(screen.name or say(language, "title"), version_line(screen, language))


def brand_line(name: str, status: str) -> str:
    return (
        f'<div class="brand"><span class="mark" aria-hidden="true">{html.escape(name[:1])}</span>'
        f'<div><h1>{html.escape(name)}</h1><p class="status">{html.escape(status)}</p></div></div>'
    )


def version_line(screen: Screen, language: str) -> str:
    voice = screen.voice
    if screen.persona is None:
        return ""
    if voice is None:
        return say(language, "version_broken")
    if voice.candidate is not None:
        return say(language, "version_candidate", version=f"{voice.candidate:04d}")
    if voice.version is None:
        return say(language, "version_untuned")
    return say(language, "version_trained", version=voice.version_name, base=_base(voice))


def _base(voice: Voice) -> str:
    """The base model's name; of a folder on this machine, its last part."""
    path = PurePath(voice.base.name)
    return path.name if path.is_absolute() else voice.base.name


def version_card(screen: Screen, language: str) -> str:
    """The version with what to run if there is none, and the voice's warning, as HTML."""
    voice = screen.voice
    parts = [
        f"<h2>{html.escape(say(language, 'version'))}</h2>",
        f"<p><strong>{html.escape(version_line(screen, language))}</strong></p>",
    ]
    if voice is not None and voice.version is None:
        told = say(language, "version_untuned_base", base=_base(voice))
        command = f"brandbot train {voice.persona.name}"
        if voice.candidate is not None:
            told = say(language, "version_candidate_base", base=_base(voice))
            command = f"brandbot evaluate {voice.persona.name} {voice.candidate}"
        parts.append(f"<p>{html.escape(told)}</p><p><code>{html.escape(command)}</code></p>")
    if voice is not None and voice.warning:
        parts.append(f'<p class="warning" role="alert">{html.escape(voice.warning)}</p>')
    return f'<section class="card">{"".join(parts)}</section>'


def notice(screen: Screen, language: str) -> str:
    """What has to be said besides the conversation, as HTML; empty if nothing has."""
    if screen.problems:
        lead = html.escape(say(language, "persona_problems", name=screen.name))
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in screen.problems.splitlines())
        return f'<div class="notice problem" role="alert"><p>{lead}</p><ul>{lines}</ul></div>'
    if screen.notice:
        return f'<div class="notice" role="alert"><p>{html.escape(screen.notice)}</p></div>'
    return ""


def remarks(reply: Reply, language: str, *, stopped: bool) -> str:
    """What has to be said of a reply that ended; empty if nothing has."""
    if not reply.text.strip():
        return say(language, "stopped_early" if stopped else "no_words")
    said = [say(language, "cut_off")] if reply.finish == "length" else []
    if reply.unknown:
        words = list(dict.fromkeys(reply.unknown))
        shown = ", ".join(words[:MOST_UNKNOWN]) + (", …" if len(words) > MOST_UNKNOWN else "")
        said.append(say(language, "not_in_documents", words=shown))
    return " ".join(said)


def comparison(question: str, answer: str, language: str, *, busy: bool = False) -> str:
    """The untuned model's answer, as HTML; ``busy`` while it is written."""
    asked = html.escape(say(language, "compare_question", question=question))
    return (
        f'<h2>{html.escape(say(language, "compare_title"))}</h2><p class="asked">{asked}</p>'
        f'<p class="answer" aria-live="polite" aria-busy="{str(busy).lower()}">'
        f"{html.escape(answer)}</p>"
    )
