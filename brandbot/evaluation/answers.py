"""What the speakers of a comparison answer: versions, the untuned model, and it with examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from brandbot.adapters import Version
from brandbot.engines.base import CONTEXT, Engine, Request
from brandbot.evaluation.kept import Kept, key
from brandbot.examples import Example
from brandbot.fitting import fitting
from brandbot.grounding import Known
from brandbot.persona import Persona
from brandbot.prompt import Message, PromptFormat
from brandbot.strict import TRIES

AT_ONCE = 4
"""Answers generated side by side; on two cores more make it no faster (docs/notes.md)."""


@dataclass(frozen=True)
class Speaker:
    """Somebody who answers: ``version`` None is the untuned model.

    ``shots`` are how many of the nearest examples stand before the question. ``persona`` and
    ``prompt_format`` are those it is served with.
    """

    name: str
    persona: Persona
    prompt_format: PromptFormat
    version: Version | None = None
    shots: int = 0


@dataclass(frozen=True)
class Answer:
    """``cut``: it did not come to an end within the tokens it was given."""

    text: str
    cut: bool


@dataclass(frozen=True)
class Prompt:
    """What is answered: a conversation, examples before it, and facts; see ``findings.Asked``."""

    conversation: tuple[Message, ...]
    shots: tuple[Example, ...] = ()
    facts: tuple[str, ...] = ()
    quote: str = ""
    beyond: bool = False


def prompt_ids(speaker: Speaker, prompt: Prompt, quote: str, room: int) -> list[int]:
    """A prompt's token ids, with the reply's beginning if it has one; as it would be served."""
    before = [message for shot in prompt.shots for message in shot.messages]
    return fitting(speaker, prompt.conversation, before, prompt.facts, quote, room)


def generate(
    engine: Engine,
    speaker: Speaker,
    prompts: Sequence[Prompt],
    *,
    max_tokens: int,
    base: str,
    kept: Kept,
    known: Known | None = None,
    step: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """The speaker's answer to each prompt, as it would be served.

    The seed of each is made from its prompt. ``base`` is the base model's hash. ``known`` is what
    a strict persona may say without a source; None for one that is not. Calls ``step`` after each.
    """
    version = speaker.version
    settings = speaker.persona.config.generation

    def answer(prompt: Prompt) -> Answer:
        if version is None:
            return written(prompt, 0)
        given = "\n".join([*(m.content for m in prompt.conversation), *prompt.facts])
        tries = 0 if prompt.beyond else TRIES if known is not None and settings.temperature else 1
        for more in range(tries):
            tried = written(prompt, more)
            if known is None or not known.inventions(tried.text, given):
                return tried
        return Answer(speaker.persona.handoff(prompt.conversation[-1].content), False)

    def written(prompt: Prompt, more: int) -> Answer:
        config = speaker.persona.config.knowledge
        quote = prompt.quote if version is not None and config.quote_first else ""
        request = Request(
            ids=prompt_ids(speaker, prompt, quote, CONTEXT - max_tokens),
            stop_ids=speaker.prompt_format.stop_ids,
            adapter=version,
            strength=settings.strength,
            max_tokens=max_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            repeat_penalty=settings.repeat_penalty,
            seed=(_seed(prompt.conversation) + more) % 2**32,
        )
        name = _key(speaker, request, base, engine.name)
        heard = kept.get(name)
        if heard is None:
            text, cut = quote, True
            for chunk in engine.generate(request):
                parted = text != quote or not quote or chunk.text[:1].isspace()
                text += chunk.text if parted or not chunk.text else f" {chunk.text}"
                if chunk.finish:
                    cut = chunk.finish == "length"
            heard = [text.strip(), cut]
            kept.put(name, heard)
        return Answer(*heard)

    def counted(prompt: Prompt) -> Answer:
        found = answer(prompt)
        step()
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return list(pool.map(counted, prompts))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _seed(conversation: Sequence[Message]) -> int:
    text = "\n".join(message.content for message in conversation)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _key(speaker: Speaker, request: Request, base: str, engine: str) -> str:
    return key(
        base, engine, speaker.version.meta["files"] if speaker.version else None,
        speaker.prompt_format.fingerprint(speaker.persona.system_prompt),
        list(request.ids), request.strength, request.max_tokens, request.temperature,
        request.top_p, request.repeat_penalty, request.seed,
    )  # fmt: skip
