"""Examples as token rows: what training and loss measurement read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brandbot.examples import Example
from brandbot.prompt import Encoded, PromptFormat, build


@dataclass(frozen=True)
class Rows:
    """Encoded examples. ``too_long`` are those left out because they pass ``max_length``."""

    encoded: list[Encoded]
    too_long: list[Example]


def encode(
    examples: Sequence[Example],
    prompt_format: PromptFormat,
    system: str,
    max_length: int,
    language: str = "en",
) -> Rows:
    """Each example as training sees it: the persona's prompt, then the conversation and its facts.

    An example over ``max_length`` tokens is left out whole: cut replies would teach to stop in
    mid-sentence.
    """
    encoded: list[Encoded] = []
    too_long: list[Example] = []
    for example in examples:
        row = prompt_format.encode(build(system, example.messages, example.facts, language))
        if example.provenance is not None:  # nobody approved the replies before
            row = row.last_reply_alone()
        if len(row.ids) > max_length:
            too_long.append(example)
        else:
            encoded.append(row)
    return Rows(encoded, too_long)
