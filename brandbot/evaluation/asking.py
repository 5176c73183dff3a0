"""Who is asked in an evaluation, and what: speakers, prompts they never saw, and probes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from brandbot import examples as example_files
from brandbot import models, questions
from brandbot.adapters import AdapterStore, Version
from brandbot.engines.base import context
from brandbot.errors import VersionError
from brandbot.evaluation import metrics
from brandbot.evaluation.answers import Speaker
from brandbot.evaluation.findings import Asked
from brandbot.evaluation.report import BASE, FEWSHOT
from brandbot.models import BaseModel, Say
from brandbot.prompt import Message, build
from brandbot.workspace import Workspace

SHOTS = 5
"""Nearest examples in the prompt of ``fewshot``: what people would do instead of training."""

MOST_TEST = 60
"""Held-out examples that are asked."""

LONGER = 1.1
"""An answer may be so much longer than the longest real reply before it is cut off."""

T = TypeVar("T")


def newest(store: AdapterStore, name: str) -> int:
    """The number of a persona's newest version; VersionError if it has none."""
    numbers = store.numbers()
    if not numbers:
        raise VersionError(f"{name} has no version yet. Train one with: brandbot train {name}")
    return numbers[-1]


def speakers(
    workspace: Workspace,
    store: AdapterStore,
    version: Version,
    live: int | None,
    against: Sequence[str],
    say: Say,
) -> tuple[list[Speaker], BaseModel]:
    """The version first, the untuned base, then the others asked for, and the live one."""
    base = models.resolve(str(version.meta["base_model"]), workspace.models, say=say)
    prompt_format = version.prompt_format(base)
    persona = version.persona
    shots = persona.config.generation.style_shots
    found = [
        Speaker(version.name, persona, prompt_format, version, shots),
        Speaker(BASE, persona, prompt_format),
    ]
    wanted = list(dict.fromkeys(against))
    if live is not None:
        wanted.append(str(live))
    for one in wanted:
        if one == BASE:
            continue
        if one == FEWSHOT:
            found.append(Speaker(FEWSHOT, persona, prompt_format, None, SHOTS))
            continue
        if not one.isdigit():
            raise VersionError(
                f"--against takes {BASE}, {FEWSHOT} or a version's number, not {one!r}."
            )
        if any(speaker.name == f"{int(one):04d}" for speaker in found):
            continue
        try:
            other = store.get(int(one))
            if other.meta["base_sha256"] != base.sha256:
                raise VersionError(
                    f"Version {other.name} runs on {other.meta['base_model']}, but {version.name} "
                    f"on {base.name}; only versions on the same base model are measured together."
                )
            other_format = other.prompt_format(base)
        except VersionError as error:
            if one in against:
                raise
            say(f"The live version can't be compared with: {error}")
            continue
        shots = other.persona.config.generation.style_shots
        found.append(Speaker(other.name, other.persona, other_format, other, shots))
    return found, base


def prompts(reading: example_files.Reading, found: questions.Questions) -> list[Asked]:
    """Held-out examples and the questions of ``evals/``."""
    asked = [
        Asked(example.messages[:-1], f"{example.file}:{example.line}", example.file, example)
        for example in spread(reading.split("test"), MOST_TEST)
    ]
    asked += [
        Asked((Message("user", q.prompt),), f"{q.file}:{q.line}", q.file, None, q)
        for q in found.questions
    ]
    if not asked:
        raise VersionError(
            "There is nothing to measure with: no held-out example and no question in evals/. "
            "About one example in seven is held out; add some, or write evals/questions.jsonl."
        )
    return asked


def repeated(reading: example_files.Reading, handoff: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Replies that the training side holds over and over, under which prompts; not handoffs."""
    pairs = [
        (example.messages[place - 1].content, message.content)
        for example in reading.split("train")
        for place, message in enumerate(example.messages)
        if message.role == "assistant" and not metrics.is_like(message.content, handoff)
    ]
    return metrics.repeated_replies(pairs)


def with_room(asked: list[Asked], speaker: Speaker, say: Say) -> list[Asked]:
    """Without what is longer than the model has room for; training leaves that out, too."""
    room = context(speaker.prompt_format) - speaker.persona.config.generation.max_tokens
    system, language = speaker.persona.system_prompt, speaker.persona.language

    def fits(one: Asked) -> bool:
        turns = build(system, one.conversation[-1:], one.facts, language)
        return len(speaker.prompt_format.encode(turns).ids) <= room

    kept = [one for one in asked if fits(one)]
    for one in asked:
        if one not in kept:
            say(f"{one.place} is left out: too long for the model.")
    if not kept:
        raise VersionError(
            f"There is nothing to measure with that the model has room for ({room} tokens with "
            "voice.md). Shorten voice.md or the questions."
        )
    return kept


def most_tokens(reading: example_files.Reading, speaker: Speaker) -> int:
    """Where a speaker's answer is cut off: where it is in service, or a little over any reply."""
    most = speaker.persona.config.generation.max_tokens
    tokens = [
        len(speaker.prompt_format.tokenizer.encode(reply, add_special_tokens=False).ids)
        for example in reading.examples
        for reply in example.replies
    ]
    longest = math.ceil(LONGER * max(tokens, default=0)) or most
    return min(most, max(16, longest))


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many, evenly from first to last, so that every file has its share."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]
