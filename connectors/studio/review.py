"""The review of a brand's conversations: what happens on its page, told in ``View`` values.

Knows ``brandbot.Review`` and no Gradio component. An exchange is decided about once: by whoever
sees it, and only as it stands in the log. What a reviewer had typed is not lost by anything that
goes wrong, nor by looking at another exchange in between.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from brandbot import (
    Bot,
    BrandbotError,
    ChangedError,
    Exchange,
    Outcome,
    Persona,
    PersonaError,
    Review,
    ReviewConflictError,
)
from connectors.studio.memory import Memory
from connectors.studio.screen import Screen
from connectors.studio.texts import say, say_error

STORAGE_KEY = "brandbot.review"
LONGEST_NAME = 64
LONGEST_REPLY = 8000
"""Characters of an approved reply."""

Decision = Literal["approved", "rejected", "skipped"]

log = logging.getLogger("brandbot.studio")


@dataclass(frozen=True)
class Reviewer:
    """Who decides, as the browser remembers it. Without a name nobody decides anything."""

    name: str = ""

    @classmethod
    def read(cls, stored: Any) -> Reviewer:
        """What comes back from the browser is untrusted text: another shape has no name."""
        name = stored.get("name") if isinstance(stored, dict) else None
        return cls().named(name if isinstance(name, str) else "")

    def named(self, name: str) -> Reviewer:
        return Reviewer(" ".join(name.split())[:LONGEST_NAME].strip())

    def written(self) -> dict[str, str]:
        return {"name": self.name}


@dataclass(frozen=True)
class Case:
    """What lies before a reviewer. Stays on the server.

    ``skipped`` are the exchanges put aside in this round through the queue, ``drafts`` the texts
    that were typed for exchanges and not approved, or approved and maybe taken back.
    """

    persona: str
    exchange: Exchange | None = None
    skipped: tuple[int, ...] = ()
    drafts: Mapping[int, str] = field(default_factory=dict)

    def keeping(self, text: str) -> Case:
        """This case with what was typed for its exchange, if that is something else."""
        if self.exchange is None or not changed(text, self.exchange):
            return self
        return replace(self, drafts={**self.drafts, self.exchange.turn: text})


@dataclass(frozen=True)
class View:
    """``case`` is None if the brand can't be reviewed: ``screen`` says why.

    ``text`` stands in the box; ``told`` is what became of the last decision. The numbers are of
    exchanges that wait and of those that were decided about.
    """

    screen: Screen
    case: Case | None = None
    text: str = ""
    told: str = ""
    waiting: int = 0
    approved: int = 0
    rejected: int = 0

    @property
    def exchange(self) -> Exchange | None:
        return self.case.exchange if self.case else None

    @property
    def edited(self) -> bool:
        return self.exchange is not None and changed(self.text, self.exchange)


@dataclass
class Desk:
    bot: Bot
    _scoring: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(
        self, persona: str | None, language: str, before: Case | None = None, text: str = ""
    ) -> View:
        """A brand's first exchange. Meanwhile scores are made; the queue is in their order later:
        from the next exchange on. Of the case and the ``text`` that lay here ``before``, what was
        typed is kept."""
        screen, review = self._brand(persona, language)
        if review is None:
            return View(screen)
        case = Case(review.name)
        if before is not None:
            skipped = before.skipped if before.persona == review.name else ()
            case = replace(case, skipped=skipped, drafts=before.keeping(text).drafts)
        view = self._next(screen, review, case, language)
        if view.waiting:
            self._score(review)
        return view

    def decide(
        self, case: Case | None, seen: str, decision: Decision, text: str, reviewer: Reviewer,
        language: str,
    ) -> View | None:  # fmt: skip
        """Keeps a decision about the exchange ``seen`` and shows the next.

        None if it is not the one that lies here, as at the second of two quick clicks.
        """
        if case is None or case.exchange is None or str(case.exchange.turn) != seen:
            return None
        screen, review = self._brand(case.persona, language)
        if review is None:
            return View(screen)
        notice = _refusal(decision, text, reviewer, language)
        told = ""
        if not notice:
            try:
                told = _decided(review, case.exchange, decision, text, reviewer.name, language)
            except BrandbotError as error:
                notice = say_error(language, error)
            except Exception:
                log.exception("no decision about %s could be kept", case.persona)
                notice = say(language, "unexpected")
        if notice:
            return self._view(replace(screen, notice=notice), review, case, text, language)
        case = case.keeping(text)
        if decision == "skipped":
            case = replace(case, skipped=(*case.skipped, int(seen)))
        return self._next(screen, review, case, language, told)

    def undo(self, case: Case | None, text: str, reviewer: Reviewer, language: str) -> View | None:
        """Takes back the reviewer's last decision about the brand, and shows what it was about."""
        if case is None:
            return None
        screen, review = self._brand(case.persona, language)
        if review is None:
            return View(screen)
        notice, outcome = "", None
        if not reviewer.name:
            notice = say(language, "review_nameless")
        else:
            try:
                outcome = review.undo(reviewer.name)
                notice = "" if outcome else say(language, "review_no_undo")
            except BrandbotError as error:
                notice = say_error(language, error)
            except Exception:
                log.exception("no decision about %s could be taken back", case.persona)
                notice = say(language, "unexpected")
        if outcome is None:
            return self._view(replace(screen, notice=notice), review, case, text, language)
        told, case = say(language, f"review_outcome_{outcome.code}"), case.keeping(text)
        back = outcome.exchange
        if back is None:
            return self._next(screen, review, case, language, told)
        kept = tuple(turn for turn in case.skipped if turn != back.turn)
        case = replace(case, exchange=back, skipped=kept)
        draft = case.drafts.get(back.turn) or outcome.reply or back.proposed
        return self._view(screen, review, case, draft, language, told)

    def _brand(self, persona: str | None, language: str) -> tuple[Screen, Review | None]:
        """A brand's name and its review; without the latter, why it can't be reviewed."""
        names = self.bot.workspace.persona_names()
        if persona not in names or persona is None:
            notice = say(language, "no_such_persona" if names else "no_personas")
            return Screen(Memory(), notice=notice), None
        try:
            name = Persona.load(self.bot.workspace.persona(persona)).config.name
            return (
                Screen(Memory(persona), persona, name),
                Review(self.bot.workspace, self.bot.log, persona),
            )
        except PersonaError as error:
            return Screen(Memory(persona), persona, persona, problems=str(error)), None
        except BrandbotError as error:
            notice = say_error(language, error)
            return Screen(Memory(persona), persona, persona, notice=notice), None

    def _next(
        self, screen: Screen, review: Review, case: Case, language: str, told: str = ""
    ) -> View:
        """The exchange that is worth most to look at; what was skipped, after all others."""
        try:
            found = review.queue(1, skip=case.skipped)
            if not found and case.skipped:
                case = replace(case, skipped=())
                found = review.queue(1)
        except BrandbotError as error:
            screen = replace(screen, notice=say_error(language, error))
            return View(screen, replace(case, exchange=None), told=told)
        exchange = found[0] if found else None
        text = case.drafts.get(exchange.turn, exchange.proposed) if exchange else ""
        return self._view(screen, review, replace(case, exchange=exchange), text, language, told)

    def _view(
        self, screen: Screen, review: Review, case: Case, text: str, language: str, told: str = ""
    ) -> View:
        try:
            count = review.counts()
        except BrandbotError as error:
            screen = replace(screen, notice=say_error(language, error))
            return View(screen, case, text, told)
        return View(screen, case, text, told, count.waiting, count.approved, count.rejected)

    def _score(self, review: Review) -> None:
        """Scores a brand's replies in a thread of its own, one a brand."""
        with self._lock:
            if review.name in self._scoring:
                return
            self._scoring.add(review.name)

        def work() -> None:
            try:
                while review.score():
                    pass
            except Exception:
                log.exception("the replies of %s could not be scored", review.name)
            finally:
                with self._lock:
                    self._scoring.discard(review.name)

        threading.Thread(target=work, name=f"score {review.name}", daemon=True).start()


def changed(text: str, exchange: Exchange) -> bool:
    """Whether a text in the box is another than the one proposed."""
    return _plain(text) != _plain(exchange.proposed)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _refusal(decision: Decision, text: str, reviewer: Reviewer, language: str) -> str:
    """Why a decision can't be kept; empty if it can."""
    if not reviewer.name:
        return say(language, "review_nameless")
    if decision == "approved" and not text.strip():
        return say(language, "review_empty")
    if decision == "approved" and len(text) > LONGEST_REPLY:
        return say(language, "too_long", limit=LONGEST_REPLY)
    return ""


def _decided(
    review: Review, exchange: Exchange, decision: Decision, text: str, reviewer: str, language: str
) -> str:
    """Keeps a decision; returns what it came to, in words."""
    approved = _plain(text) if decision == "approved" and changed(text, exchange) else None
    try:
        outcome = review.decide(exchange, decision, reviewer, reply=approved)
    except ReviewConflictError as conflict:
        known = ("approved", "rejected", "folded", "undone")
        what = conflict.decision if conflict.decision in known else "approved"
        return say(language, f"review_conflict_{what}", name=conflict.reviewer)
    except ChangedError:
        return say(language, "review_gone")
    return _told(outcome, exchange, language)


def _told(outcome: Outcome, exchange: Exchange, language: str) -> str:
    told = say(language, f"review_outcome_{outcome.code}", place=outcome.place)
    if exchange.like and outcome.code != "skipped":
        told += " " + say(language, "review_with", count=len(exchange.like))
    return told
