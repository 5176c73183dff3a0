"""The whole runtime: a message comes in, a reply streams out, both are logged.

A ``Bot`` serves every persona of a workspace. It looks at the live pointer before each reply, so a
version that is promoted or rolled back is served from the next reply on; a reply under way keeps
the version it started with.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from brandbot import courtesies, models, opening, repeats
from brandbot.adapters import AdapterStore, Version
from brandbot.conversations import ConversationLog, Turn, Verdict
from brandbot.engines import Engine, Request
from brandbot.engines.base import EngineName, Finish, context
from brandbot.engines.pool import EnginePool
from brandbot.errors import EngineError, LogError, TooLongError, VersionError
from brandbot.fitting import fitting
from brandbot.given import Given
from brandbot.models import BaseModel, Say
from brandbot.persona import Persona
from brandbot.prompt import Message, PromptFormat, rewriting
from brandbot.strict import TRIES
from brandbot.workspace import Workspace

if TYPE_CHECKING:
    from brandbot.knowledge.lookup import Found
    from brandbot.knowledge.sources import Source

UNTUNED = "base"


@dataclass(frozen=True)
class Voice:
    """A persona as it is served: its version (None: untuned), base and prompt format.

    ``candidate`` is the newest version where none is live: trained, and not served.
    """

    persona: Persona
    version: Version | None
    base: BaseModel
    prompt_format: PromptFormat
    warning: str = ""
    candidate: int | None = None

    @property
    def version_name(self) -> str:
        return self.version.name if self.version else UNTUNED


@dataclass
class Reply:
    """A reply while it streams: iterate over it for its pieces of text; ``close`` stops it.

    ``turn`` is the logged turn's number once it has ended. ``found`` is what search found for it,
    ``sources`` what it used of that, ``unknown`` the numbers, names and links in it that stand
    nowhere; all three only for personas with documents. ``handed_off``: the persona's own words for
    not knowing, not the model's.
    """

    voice: Voice
    pieces: Iterator[str]
    text: str = ""
    finish: Finish | None = None
    turn: int | None = None
    conversation: str = ""
    found: Found | None = None
    sources: list[Source] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    handed_off: bool = False

    def __iter__(self) -> Iterator[str]:
        return self.pieces

    def close(self) -> None:
        self.pieces.close()  # type: ignore[attr-defined]  # a generator


@dataclass(frozen=True)
class _Asked:
    """What is to be answered, and how; ``settings`` override the persona's own.

    ``again``: it was answered before, and another answer is wanted. ``unsourced`` is what earlier
    replies said that stood nowhere: it is no source of this one.
    """

    messages: Sequence[Message]
    untuned: bool = False
    strength: float | None = None
    settings: Mapping[str, float | int | None] = field(default_factory=dict)
    again: bool = False
    unsourced: frozenset[str] = frozenset()

    def with_seed(self, seed: int) -> _Asked:
        return replace(self, settings={**self.settings, "seed": seed})


@dataclass
class Bot:
    """Serves a workspace's personas. Thread-safe: replies may run side by side."""

    workspace: Workspace
    engine: EngineName = "auto"
    say: Say | None = None
    _engines: EnginePool = field(init=False)
    _voices: dict[tuple[str, int | None], Voice] = field(default_factory=dict)
    _bases: dict[str, BaseModel] = field(default_factory=dict)
    _formats: dict[str, PromptFormat] = field(default_factory=dict)
    _given: Given = field(init=False)
    _log: ConversationLog | None = None
    _reading: threading.RLock = field(default_factory=threading.RLock)
    _log_lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._engines = EnginePool(self.workspace, self.engine, self.say)
        self._given = Given(self.workspace, self.say)

    @property
    def log(self) -> ConversationLog:
        with self._log_lock:  # its own: a model that loads must not hold up who writes down
            if self._log is None:
                self._log = ConversationLog(self.workspace.database_url)
            return self._log

    def voice(self, persona: str, version: int | None = None) -> Voice:
        """What serves a persona now: its live version, a given one, or its untuned base.

        A damaged live version is passed over for the newest sound one before it, with a warning.
        """
        store = AdapterStore(self.workspace.adapters(persona))
        folder = self.workspace.persona(persona)
        number = version if version is not None else store.live_number()
        known = self._voices.get((persona, number)) if number is not None else None
        if known is not None:
            return known
        if number is None:
            current = Persona.load(folder)
            base = self._base(current.config.base_model)
            newest = max(store.numbers(), default=None)
            return Voice(current, None, base, self._format(base), candidate=newest)
        with self._reading:  # who waits for no file goes on: hashing a large model takes a while
            known = self._voices.get((persona, number))
            if known is not None:
                return known
            warning = ""
            try:
                found = store.get(number)
            except VersionError as error:
                sound = store.newest_sound() if version is None else None
                if sound is None:
                    raise
                found, warning = sound, str(error)
                known = self._voices.get((persona, found.number))
                if known is not None:
                    return Voice(
                        known.persona, known.version, known.base, known.prompt_format, warning
                    )
            base = self._base(found.meta["base_model"])
            voice = Voice(found.persona, found, base, found.prompt_format(base), warning)
            if not warning:
                self._voices[persona, number] = voice
            return voice

    def reply(
        self,
        persona: str,
        text: str,
        *,
        conversation: str | None = None,
        channel: str = "python",
        author: str | None = None,
        place: str | None = None,
        message_id: str | None = None,
        instead_of: int | None = None,
        strength: float | None = None,
        version: int | None = None,
    ) -> Reply:
        """Answers a message and logs both turns; starts a conversation if none is given.

        ``place`` and ``message_id`` are where the channel holds the conversation and what it calls
        the message: a place has one conversation with a persona, a message is logged once.
        ``instead_of`` is a turn that is retired for it, with all after it.
        """
        if not text.strip():
            raise EngineError("There is nothing to reply to: the message is empty.")
        voice = self.voice(persona, version)
        if conversation is None:
            conversation = self.log.start(persona, channel, author, place)
        elif self.log.persona_of(conversation) != persona:
            raise LogError(f"There is no conversation {conversation} with {persona}.")
        self.log.add(conversation, "user", text.strip(), author=author, message_id=message_id,
                     instead_of=instead_of)  # fmt: skip
        return self._logged(voice, conversation, strength)

    def answer(self, conversation: str, turn: int) -> Reply:
        """Answers a logged message that got no reply, as if nothing had been said after it."""
        persona = self.log.persona_of(conversation)
        before = [one for one in self.log.history(conversation) if one.id <= turn]
        if persona is None or not before or before[-1].role != "user":
            raise LogError(f"There is no message number {turn} to answer.")
        return self._logged(self.voice(persona), conversation, None, before)

    def retry(
        self, conversation: str, *, strength: float | None = None, version: int | None = None
    ) -> Reply:
        """Answers the last message again; the reply before it is retired."""
        history = self.log.history(conversation, recent=True)
        persona = self.log.persona_of(conversation)
        replies: list[Turn] = []
        while history and history[-1].role == "assistant":
            replies.append(history.pop())
        if not history or persona is None:
            raise LogError("There is no message to answer again.")
        # The reply stays until another is there: making one may fail, or be stopped.
        before = replies[-1].id if replies else None
        voice = self.voice(persona, version)
        return self._logged(voice, conversation, strength, history, again=True, instead_of=before)

    def generate(
        self,
        voice: Voice,
        messages: Sequence[Message],
        *,
        untuned: bool = False,
        strength: float | None = None,
        **settings: float | int | None,
    ) -> Reply:
        """Answers a conversation without logging it. ``settings`` override the persona's own."""
        reply = Reply(voice, iter(()))
        reply.pieces = self._stream(reply, _Asked(messages, untuned, strength, settings))
        return reply

    def rewrite(self, persona: str, text: str) -> Reply:
        """Somebody's text in the persona's voice, from the text alone; not logged."""
        if not text.strip():
            raise EngineError("There is nothing to rewrite: the text is empty.")
        voice = self.voice(persona)
        asked = _Asked([rewriting(text.strip(), voice.persona.language)])
        reply = Reply(voice, iter(()))
        reply.pieces = self._written(reply, asked)
        return reply

    def search(self, persona: str, question: str) -> Found:
        """What a persona's documents say to a question, and why; for people to look at."""
        from brandbot.knowledge.lookup import Found

        voice = self.voice(persona)
        return self._given.find(voice.persona, [Message("user", question)]) or Found(question)

    def documents(self, persona: str) -> list[str]:
        """The files of a persona's ``knowledge/`` that are documents, indexed or not."""
        from brandbot.tables import people_files

        return list(people_files(self.workspace.persona(persona) / "knowledge"))

    def judge(self, turn: int, verdict: Verdict, **details: str) -> None:
        self.log.judge(turn, verdict, **details)

    def history(self, conversation: str) -> list[Turn]:
        return self.log.history(conversation)

    def warm(self, persona: str, version: int | None = None) -> Voice:
        """Loads what serves a persona, and its prompt into the cache, before anybody waits."""
        voice = self.voice(persona, version)
        for _ in self.generate(voice, [Message("user", "…")], max_tokens=1):
            pass
        return voice

    def close(self) -> None:
        self._engines.close()
        if self._log is not None:
            self._log.close()

    def _base(self, name: str) -> BaseModel:
        known = self._bases.get(name)
        if known is not None:
            return known
        with self._reading:
            if name not in self._bases:
                self._bases[name] = models.resolve(name, self.workspace.models, say=self.say)
            return self._bases[name]

    def _format(self, base: BaseModel) -> PromptFormat:
        """A base's own prompt format, kept: a large tokenizer takes a second to read."""
        with self._reading:
            if base.sha256 not in self._formats:
                self._formats[base.sha256] = base.prompt_format()
            return self._formats[base.sha256]

    def _logged(
        self,
        voice: Voice,
        conversation: str,
        strength: float | None,
        turns: Sequence[Turn] | None = None,
        *,
        again: bool = False,
        instead_of: int | None = None,
    ) -> Reply:
        reply = Reply(voice, iter(()), conversation=conversation)
        turns = turns or self.log.history(conversation, recent=True)
        unsourced = frozenset(word for turn in turns for word in turn.unsourced)
        messages = [turn.message for turn in turns]
        asked = _Asked(messages, strength=strength, again=again, unsourced=unsourced)

        def stream() -> Iterator[str]:
            started, first = time.monotonic(), None
            try:
                for piece in self._stream(reply, asked):
                    first = first or (time.monotonic() if piece else None)
                    yield piece
            finally:  # also when the reader goes away: what was said was said
                if reply.text.strip():
                    reply.turn = self.log.add(
                        conversation,
                        "assistant",
                        reply.text.strip(),
                        version=voice.version_name,
                        engine=self._engines.name(voice.base, voice.version),
                        strength=_strength(voice, strength),
                        first_token_ms=None if first is None else (first - started) * 1000,
                        latency_ms=(time.monotonic() - started) * 1000,
                        finish=reply.finish or "stopped",
                        handed_off=reply.handed_off,
                        unsourced=reply.unknown,
                        cited=[source.to_json() for source in reply.sources],
                        instead_of=instead_of,
                    )

        reply.pieces = stream()
        return reply

    def _stream(self, reply: Reply, asked: _Asked) -> Iterator[str]:
        persona = reply.voice.persona
        knowledge = persona.config.knowledge
        if not asked.untuned:
            reply.text = courtesies.answer(persona, asked.messages, again=asked.again)
        if reply.text:
            reply.finish = "stop"
            yield reply.text
            return
        reply.found = self._given.find(persona, asked.messages)
        if reply.found is not None and not asked.untuned and reply.found.beyond:
            yield self._hand_off(reply, asked)
            return
        if reply.found is not None and not asked.untuned and knowledge.strict:
            yield from self._strictly(reply, asked)
            return
        try:
            yield from self._written(reply, asked)
        finally:  # also of a reply that was stopped: what it said came from somewhere
            self._given.check(reply, asked.messages, asked.unsourced)

    def _written(self, reply: Reply, asked: _Asked) -> Iterator[str]:
        """What the model writes, a piece at a time."""
        voice = reply.voice
        generation = {
            **voice.persona.config.generation.model_dump(exclude={"strength", "style_shots"}),
            **asked.settings,
        }
        version = None if asked.untuned else voice.version
        shots = [] if asked.untuned else self._given.shots(voice, asked.messages)
        facts = reply.found.lines if reply.found else ()
        quote = ""
        if reply.found and not asked.untuned and voice.persona.config.knowledge.quote_first:
            quote = reply.found.quote
        room = context(voice.prompt_format) - int(generation["max_tokens"] or 0)
        request = Request(
            ids=fitting(voice, asked.messages, shots, facts, "", room),
            stop_ids=voice.prompt_format.stop_ids,
            adapter=version,
            strength=_strength(voice, asked.strength),
            **generation,
        )
        with self._engines.use(voice.base, version) as engine:
            if quote:
                if self._given.opens(voice):
                    about = (asked.messages[-1].content, *facts, *voice.persona.config.handoff)
                    first = yield from _opening(engine, request, about, voice.persona.language)
                    quote = f"{first} {quote}" if first else quote
                try:
                    ids = fitting(voice, asked.messages, shots, facts, quote, room)
                except TooLongError:  # there is room for what the documents say alone
                    quote = reply.found.quote if reply.found else ""
                    ids = fitting(voice, asked.messages, shots, facts, quote, room)
                request = replace(request, ids=ids)
                reply.text = quote
                yield quote
            before = [turn.content for turn in asked.messages if turn.role == "assistant"]
            said = repeats.said_in([*before, quote])
            yield from _spoken(reply, engine, request, quote, said)
            if not reply.text.strip() and before:  # nothing new: as if nothing had been said yet
                ids = fitting(voice, asked.messages[-1:], shots, facts, "", room)
                yield from _spoken(reply, engine, replace(request, ids=ids), "", frozenset())

    def _strictly(self, reply: Reply, asked: _Asked) -> Iterator[str]:
        """A reply that says nothing that stands nowhere, or else the handoff; all at once.

        Meanwhile the pieces are empty, so that whoever reads them can stop it.
        """
        settings = {**reply.voice.persona.config.generation.model_dump(), **asked.settings}
        first = random.randrange(TRIES, 2**31 - TRIES) if asked.again else 0
        for seed in range(first, first + (TRIES if settings["temperature"] else 1)):
            reply.text, said = "", ""
            pieces = self._written(reply, asked.with_seed(seed))
            try:
                for piece in pieces:
                    said += piece
                    reply.text = ""  # nothing is said before it is looked at
                    yield ""
                    reply.text = said
            finally:
                pieces.close()  # type: ignore[attr-defined]  # a generator
            self._given.check(reply, asked.messages, asked.unsourced)
            if not reply.unknown:
                yield reply.text
                return
        yield self._hand_off(reply, asked)

    def _hand_off(self, reply: Reply, asked: _Asked) -> str:
        """The persona's own words for not knowing, the same ones for the same question."""
        reply.text = reply.voice.persona.handoff(asked.messages[-1].content)
        reply.finish, reply.handed_off, reply.unknown, reply.sources = "stop", True, [], []
        return reply.text


def _spoken(
    reply: Reply, engine: Engine, request: Request, quote: str, said: frozenset[str]
) -> Iterator[str]:
    """What the model says, after a quote if there is one, without what was ``said`` before."""
    chunks = repeats.without(engine.generate(request), said)
    try:
        for chunk in chunks:
            piece = chunk.text if reply.text else chunk.text.lstrip()
            if quote and reply.text == quote and piece and not piece[0].isspace():
                piece = f" {piece}"
            reply.text += piece
            reply.finish = chunk.finish or reply.finish
            yield piece  # also an empty one: whoever reads can stop it
    finally:
        chunks.close()  # type: ignore[attr-defined]  # a generator


def _opening(
    engine: Engine, request: Request, about: Sequence[str], language: str
) -> Generator[str, None, str]:
    """The sentence that a reply begins with before it says what the documents say; "" for none.

    Meanwhile the pieces are empty: it is said whole or not at all.
    """
    said, ended = "", False
    most = min(opening.TOKENS, request.max_tokens or opening.TOKENS)
    chunks = engine.generate(replace(request, max_tokens=most))
    try:
        for chunk in chunks:
            said += chunk.text
            ended = chunk.finish == "stop"
            yield ""
            whole = said[: re.search(r"\w*$", said).start()]  # type: ignore[union-attr]
            if not opening.leads(whole, about, language):
                break
            if opening.begun(said, about, language, ended=False):
                break
    finally:
        chunks.close()  # type: ignore[attr-defined]  # a generator
    return opening.begun(said, about, language, ended=ended)


def _strength(voice: Voice, strength: float | None) -> float:
    return voice.persona.config.generation.strength if strength is None else strength
