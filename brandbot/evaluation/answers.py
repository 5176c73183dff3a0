"""What the speakers of a comparison answer: versions, the untuned model, and it with examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from brandbot import courtesies, opening, repeats
from brandbot.adapters import Version
from brandbot.engines.base import Engine, Request, context
from brandbot.errors import TooLongError
from brandbot.evaluation.kept import Kept, key
from brandbot.examples import Example
from brandbot.fitting import fitting
from brandbot.grounding import Known
from brandbot.persona import Persona
from brandbot.prompt import Message, PromptFormat
from brandbot.strict import TRIES

AT_ONCE = 4
"""Replies that an engine which serves writes at once; on two cores more make it no faster."""


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


Replies = Callable[[Sequence[Request]], Iterator[tuple[int, str, bool]]]
"""Gives each request's place, its reply and whether it was cut off, in whatever order."""


def generate(
    replies: Replies,
    speaker: Speaker,
    prompts: Sequence[Prompt],
    *,
    max_tokens: int,
    source: str,
    kept: Kept,
    known: Known | None = None,
    opens: bool = False,
    step: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """The speaker's answer to each prompt, as it would be served.

    The seed of each is made from its prompt. ``source`` names what ``replies`` come from: the base
    and the engine. ``known`` is what a strict persona may say without a source; None for one that
    is not. ``opens``: whether the brand's replies about facts begin in its voice (``opening``).
    Calls ``step`` after each answer.
    """
    config, version = speaker.persona.config, speaker.version
    found: dict[int, Answer] = {}

    def settle(place: int, answer: Answer) -> None:
        found[place] = answer
        step()

    def hand_off(place: int) -> None:
        said = speaker.persona.handoff(prompts[place].conversation[-1].content)
        settle(place, Answer(said, False))

    def accept(place: int, text: str, cut: bool) -> None:
        prompt = prompts[place]
        said = "\n".join(m.content for m in prompt.conversation)
        if known is None or version is None or not known.inventions(text, said, prompt.facts):
            settle(place, Answer(text, cut))

    def hear(requests: dict[int, Request]) -> Iterator[tuple[int, str, bool]]:
        missing = []
        for place, request in requests.items():
            name = _key(speaker, request, source)
            before = kept.get(name)
            if before is None:
                missing.append((place, name, request))
            else:
                yield place, *before
        for one, text, cut in replies([request for *_, request in missing]) if missing else ():
            place, name, _ = missing[one]
            kept.put(name, [text, cut])
            yield place, text, cut

    def request(place: int, beginning: str, tokens: int, more: int) -> Request:
        return _request(speaker, prompts[place], beginning, tokens, max_tokens, more)

    if version is not None:
        for place, prompt in enumerate(prompts):
            if text := courtesies.answer(speaker.persona, prompt.conversation):
                settle(place, Answer(text, False))
            elif prompt.beyond:
                hand_off(place)
    quotes = version is not None and config.knowledge.quote_first
    strict = known is not None and version is not None and config.generation.temperature > 0
    for more in range(TRIES if strict else 1):
        waiting = [place for place in range(len(prompts)) if place not in found]
        begin = {place: prompts[place].quote if quotes else "" for place in waiting}
        short = min(opening.TOKENS, max_tokens)
        asked = {p: request(p, "", short, more) for p in waiting if opens and begin[p]}
        for place, text, cut in hear(asked):
            prompt = prompts[place]
            about = (prompt.conversation[-1].content, *prompt.facts, *config.handoff)
            first = opening.begun(text, about, speaker.persona.language, ended=not cut)
            begin[place] = f"{first} {prompt.quote}" if first else prompt.quote
        asked = {}
        for place in waiting:
            try:
                asked[place] = request(place, begin[place], max_tokens, more)
            except TooLongError:  # there is room for what the documents say alone
                begin[place] = prompts[place].quote
                asked[place] = request(place, begin[place], max_tokens, more)
        alone = {}
        for place, text, cut in hear(asked):
            prompt = prompts[place]
            before = [m.content for m in prompt.conversation if m.role == "assistant"]
            left = repeats.left(text, repeats.said_in([*before, begin[place]]), cut=cut)
            whole = _joined(begin[place], left).strip()
            if whole or not before:
                accept(place, whole, cut)
            else:  # nothing new: as if nothing had been said yet
                prompt = replace(prompt, conversation=prompt.conversation[-1:])
                alone[place] = _request(speaker, prompt, "", max_tokens, max_tokens, more)
        for place, text, cut in hear(alone):
            accept(place, text.strip(), cut)
    for place in range(len(prompts)):
        if place not in found:
            hand_off(place)
    return [found[place] for place in range(len(prompts))]


def one_by_one(engine: Engine) -> Replies:
    """Replies of an engine that serves, a few of them at a time."""

    def replies(requests: Sequence[Request]) -> Iterator[tuple[int, str, bool]]:
        def reply(place: int) -> tuple[int, str, bool]:
            text, cut = "", True
            for chunk in engine.generate(requests[place]):
                text += chunk.text
                cut = chunk.finish == "length" if chunk.finish else cut
            return place, text, cut

        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                written = [pool.submit(reply, place) for place in range(len(requests))]
                yield from (one.result() for one in as_completed(written))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    return replies


def _request(
    speaker: Speaker, prompt: Prompt, beginning: str, tokens: int, room: int, more: int
) -> Request:
    settings = speaker.persona.config.generation
    return Request(
        ids=prompt_ids(speaker, prompt, beginning, context(speaker.prompt_format) - room),
        stop_ids=speaker.prompt_format.stop_ids,
        adapter=speaker.version,
        strength=settings.strength,
        max_tokens=tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        repeat_penalty=settings.repeat_penalty,
        seed=(_seed(prompt.conversation) + more) % 2**32,
    )


def _joined(quote: str, text: str) -> str:
    """What the documents say, and what the reply goes on with."""
    return f"{quote} {text}" if quote and text and not text[0].isspace() else quote + text


def _seed(conversation: Sequence[Message]) -> int:
    text = "\n".join(message.content for message in conversation)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _key(speaker: Speaker, request: Request, source: str) -> str:
    return key(
        source, speaker.version.meta["files"] if speaker.version else None,
        speaker.prompt_format.fingerprint(speaker.persona.system_prompt),
        list(request.ids), request.strength, request.max_tokens, request.temperature,
        request.top_p, request.repeat_penalty, request.seed,
    )  # fmt: skip
