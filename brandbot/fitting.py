"""A prompt that has room: what goes first when a conversation is too long for the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from brandbot.errors import TooLongError
from brandbot.persona import Persona
from brandbot.prompt import Message, PromptFormat, build

FRAME = 8
"""Tokens that a chat template puts around a turn, about."""


class Speaks(Protocol):
    """Whoever a prompt is made for, in service or while it is measured."""

    @property
    def persona(self) -> Persona: ...

    @property
    def prompt_format(self) -> PromptFormat: ...


def fitting(
    speaker: Speaks,
    messages: Sequence[Message],
    shots: Sequence[Message],
    facts: Sequence[str],
    quote: str,
    room: int,
) -> list[int]:
    """The prompt's token ids, at most ``room``, with the reply's beginning if it is given one.

    Examples (``shots``) go first, those that stand first before the others; then the oldest turns,
    half of the room at once: while a conversation goes on, its prompt then begins the same for many
    replies, and the engine has read it already. Raises TooLongError if the last message alone has
    no room.
    """
    form, persona = speaker.prompt_format, speaker.persona

    def encoded(turns: Sequence[Message]) -> list[int]:
        built = build(persona.system_prompt, [*shots, *turns], facts, persona.language)
        ids = form.encode(built).ids
        return form.beginning(ids, quote) if quote else ids

    counted = [form.count(message) + FRAME for message in messages[:-1]]
    left = room - len(encoded(messages[-1:]))
    while shots and sum(counted) > left:
        shots = shots[1:]
        while shots and shots[0].role == "assistant":
            shots = shots[1:]
        left = room - len(encoded(messages[-1:]))
    start = _start(counted, max(left, 0))
    while True:
        while start < len(messages) - 1 and messages[start].role == "assistant":
            start += 1
        ids = encoded(messages[start:])
        if len(ids) <= room:
            return ids
        if start >= len(messages) - 1:
            raise TooLongError(
                f"The message is too long for the model ({len(ids)} tokens, room for {room}). "
                "Shorten it."
            )
        start += 1


def _start(counted: Sequence[int], room: int) -> int:
    """The first of the turns, given how long each is, from which on all have room.

    It moves by half of the room at a time.
    """
    over, before = sum(counted) - room, 0
    if over <= 0:
        return 0
    step = max(1, room // 2)
    wanted = -(-over // step) * step
    for place, tokens in enumerate(counted):
        if before >= wanted:
            return place
        before += tokens
    return len(counted)
