"""The blind taste test: what happens on its page, told in ``View`` values.

Knows the bot and no Gradio component. Whose an answer is stays in ``brandbot.Taste`` until it was
judged; ``taste_screen.py`` shows no more of a pair than its texts before that.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from brandbot import UNTUNED, AdapterStore, Bot, BrandbotError, Pair, Results, Taste
from connectors.studio.texts import say, say_error

STORAGE_KEY = "brandbot.taste"
LONGEST_NAME = 64

Choice = Literal["left", "right", "neither"]

log = logging.getLogger("brandbot.studio")


@dataclass(frozen=True)
class Voter:
    """Who votes, as the browser remembers it: a name or, without one, an id by lot."""

    id: str
    name: str = ""

    @classmethod
    def read(cls, stored: Any) -> Voter:
        """What comes back from the browser is untrusted text: another shape makes a new voter."""
        known = stored if isinstance(stored, dict) else {}
        kept, name = known.get("id"), known.get("name")
        return cls(
            kept if isinstance(kept, str) and 0 < len(kept) <= LONGEST_NAME else uuid.uuid4().hex,
            name[:LONGEST_NAME] if isinstance(name, str) else "",
        )

    def named(self, name: str) -> Voter:
        return replace(self, name=name.strip()[:LONGEST_NAME])

    def written(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name}

    @property
    def in_log(self) -> str:
        return self.name or f"anonymous-{self.id}"


@dataclass(frozen=True)
class Round:
    """Who compares what, and the id of the pair that waits for a vote. Stays on the server."""

    persona: str
    one: str
    other: str
    voter: str
    pair: str | None = None


@dataclass(frozen=True)
class View:
    """``round`` is None while nothing is compared: ``notice`` says why, if there is a why.

    ``pair`` is what stands on the page; ``judged`` is the pair before it, or the same one while the
    next is written (``busy``); its versions may be told. Neither: there is no prompt left.
    """

    round: Round | None = None
    pair: Pair | None = None
    judged: Pair | None = None
    choice: Choice | None = None
    busy: bool = False
    notice: str = ""


@dataclass
class Tasting:
    bot: Bot
    taste: Taste = field(init=False)
    # What a tab waits for: a pair being written (any object), or a vote on the pair of this id.
    _waiting: dict[str, object] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.taste = Taste(self.bot)

    def versions(self, persona: str | None) -> tuple[list[str], int | None]:
        """All that can be compared, the untuned model last, and which number is live."""
        if persona not in self.bot.workspace.persona_names():
            return [], None
        store = AdapterStore(self.bot.workspace.adapters(persona))
        numbers = [str(number) for number in reversed(store.numbers())]
        return [*numbers, UNTUNED] if numbers else [], store.live_number()

    def begin(
        self, tab: str, persona: str, one: str, other: str, voter: Voter, language: str
    ) -> Iterator[View | None]:
        yield from self._next(tab, Round(persona, one, other, voter.in_log), View(), language)

    def vote(
        self, tab: str, playing: Round | None, seen: str, choice: Choice, language: str
    ) -> Iterator[View | None]:
        """Keeps a choice between the pair ``seen`` and shows the next.

        None alone if no vote on that pair is waited for, as at the second of two quick clicks.
        """
        with self._lock:
            waited_for = playing is not None and playing.pair == seen == self._waiting.get(tab)
            if waited_for:
                del self._waiting[tab]
        if playing is None or not waited_for:
            yield None
            return
        try:
            judged = self.taste.vote(seen, choice, playing.voter)
        except BrandbotError as error:
            yield View(notice=say_error(language, error))
            return
        yield from self._next(
            tab, replace(playing, pair=None), View(judged=judged, choice=choice), language
        )

    def leave(self, tab: str) -> None:
        """Whatever is being written for a tab is not shown any more."""
        with self._lock:
            self._waiting.pop(tab, None)

    def results(self, persona: str | None) -> Results | None:
        """What people chose so far, or None if the persona can't be read: it is said elsewhere."""
        try:
            return self.taste.results(persona or "")
        except BrandbotError:
            return None

    def _next(self, tab: str, playing: Round, before: View, language: str) -> Iterator[View | None]:
        """While two answers are written, ``before``; then the pair. None if its reader left."""
        mine = object()
        with self._lock:
            self._waiting[tab] = mine
        yield replace(before, round=playing, busy=True)
        notice, pair = "", None
        try:
            pair = self.taste.pair(
                playing.persona, playing.one, playing.other, playing.voter,
                stopped=lambda: self._waiting.get(tab) is not mine,
            )  # fmt: skip
        except BrandbotError as error:
            notice = say_error(language, error)
        except Exception:
            log.exception("no pair of %s could be made", playing.persona)
            notice = say(language, "unexpected")
        with self._lock:
            left = self._waiting.get(tab) is not mine
            if pair is not None and not left:
                self._waiting[tab] = pair.id
        if left:
            yield None
        elif notice:
            yield replace(before, notice=notice)
        else:
            yield replace(before, round=replace(playing, pair=pair.id if pair else None), pair=pair)


def defaults(versions: Sequence[str], live: int | None) -> tuple[str | None, str | None]:
    """The newest version and the live one; if they are one, the version before or the untuned."""
    if not versions:
        return None, None
    newest, second = versions[0], versions[1]
    return newest, str(live) if str(live) in versions[1:] else second
