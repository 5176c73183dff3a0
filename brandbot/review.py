"""Logged exchanges become examples: a queue, the most useful first, and what people decide.

Nothing is shown before personal data and secrets are taken out, and nothing is written to a
persona's folder but by a person's approval. Decisions are rows that are only ever added to; who
decides about an exchange that another has just decided about is told so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select

from brandbot import examples as example_files
from brandbot import from_conversations, usefulness
from brandbot.approved import Tested
from brandbot.conversations import ConversationLog
from brandbot.database import conversations, feedback, now, reviews, turns
from brandbot.errors import (
    ChangedError,
    LogError,
    PlaceholderError,
    ReviewConflictError,
)
from brandbot.examples import FROM_CONVERSATIONS, PROVENANCE, Example, normalise
from brandbot.persona import Persona
from brandbot.prompt import Message, joined
from brandbot.redact import brands_own, clean, clean_messages, holds_placeholder
from brandbot.workspace import Workspace

Decision = Literal["approved", "rejected", "skipped", "folded", "undone"]

LONGEST_CONVERSATION = 12
"""Messages of a conversation that become an example; of a longer one, the last question alone."""

LOOKED_THROUGH = 200
"""Exchanges at the head of the queue among which like ones are folded together."""

SAME_PROMPT, SAME_REPLY = 95, 90
"""Similarity in percent from which an exchange is an example that exists already. A reply that a
person wrote is none but to the letter: corrections change an hour, or a no."""


@dataclass(frozen=True)
class Exchange:
    """A reply to be reviewed, in its conversation, without personal data.

    ``messages`` end with what the person said; ``suggestion`` is what somebody would have said
    instead of ``reply``. ``why`` it stands where it does: edited, disliked, handed-off, unsourced,
    off-style, unlike, liked. ``removed`` are the kinds of personal data taken out. ``like`` are
    other replies just like it. ``seen`` is the last decision it was shown with, ``words`` names
    what stood in the log then. ``author`` asked, ``editor`` made the suggestion, ``others`` said
    something before, in the same talk; all three are pseudonyms.
    """

    turn: int
    conversation: str
    channel: str
    created: str
    version: str | None
    messages: tuple[Message, ...]
    reply: str
    suggestion: str = ""
    reasons: tuple[str, ...] = ()
    unsourced: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    like: tuple[int, ...] = ()
    seen: int = 0
    words: str = ""
    author: str = ""
    editor: str = ""
    others: tuple[str, ...] = ()

    @property
    def proposed(self) -> str:
        """What would be approved if nobody changed a word."""
        return self.suggestion or self.reply


@dataclass(frozen=True)
class Outcome:
    """What became of a decision.

    ``code``: written, written-test (to the side that versions are tested with), exists, in-test
    (nothing is written then), rejected, skipped, undone, or edited-by-hand (undone, but for a line
    that isn't as it was written). ``place`` is the example's file:line. ``exchange`` is what undo
    brought back, None if it is no longer there, and ``reply`` what had been approved of it.
    """

    code: str
    place: str = ""
    exchange: Exchange | None = field(default=None, compare=False)
    reply: str = field(default="", compare=False)


@dataclass(frozen=True)
class Counts:
    waiting: int
    approved: int
    rejected: int


@dataclass
class Review:
    """The review of one persona's conversations."""

    workspace: Workspace
    log: ConversationLog
    name: str
    _persona: Persona = field(init=False)

    def __post_init__(self) -> None:
        self._persona = Persona.load(self.workspace.persona(self.name))

    @cached_property
    def _own(self) -> str:
        return brands_own(self.workspace, self._persona)

    @property
    def file(self) -> Path:
        return self._persona.folder / "examples" / FROM_CONVERSATIONS

    def queue(self, most: int = 20, *, skip: Sequence[int] = ()) -> list[Exchange]:
        """The exchanges that are worth most to look at, without those in ``skip``."""

        def work(connection: Connection) -> list[Any]:
            head = usefulness.waiting(self.name, skip).limit(max(LOOKED_THROUGH, most)).subquery()
            rows = list(connection.execute(select(head)))
            asked = select(turns.c.id, usefulness.question().label("asked"))
            chosen = asked.where(turns.c.id.in_([row.id for row in rows]))
            questions = {row.id: row.asked for row in connection.execute(chosen)}
            return [(row, questions.get(row.id)) for row in rows]

        found: list[Exchange] = []
        firsts: dict[tuple[str, str], int] = {}
        for row, asked in self.log.database.read(work):
            key = (normalise(asked or ""), normalise(row.content))
            place = firsts.get(key)
            if place is not None and not row.suggestions:
                like = (*found[place].like, row.id)
                found[place] = replace(found[place], like=like)
            elif len(found) < most:
                exchange = self.exchange(int(row.id))
                if exchange is not None:
                    firsts.setdefault(key, len(found))
                    found.append(exchange)
        return found

    def exchange(self, turn: int) -> Exchange | None:
        """One reply as it would be reviewed; None if there is no such reply any more."""

        def work(connection: Connection) -> tuple[Any, list[Any], list[Any], int]:
            reply, before = self._standing(connection, turn)
            said = select(feedback).where(feedback.c.turn == turn).order_by(feedback.c.id)
            last = select(func.max(reviews.c.id)).where(reviews.c.turn == turn)
            return (
                reply, before, list(connection.execute(said)),
                connection.execute(last).scalar() or 0,
            )  # fmt: skip

        reply, before, said, seen = self.log.database.read(work)
        if reply is None:
            return None
        tag = self._persona.config.language
        said_before = joined([Message(b.role, b.content) for b in before])
        messages, removed = clean_messages(said_before, tag, self._own)
        if len(messages) > LONGEST_CONVERSATION or messages[0].role != "user":
            messages = messages[-1:]
        answered = clean(reply.content, tag, self._own)
        better = next((s for s in reversed(said) if s.suggestion), None)
        suggestion = clean(better.suggestion if better else "", tag, self._own)
        reasons = [clean(s.reason, tag).text for s in said if s.reason]
        kinds = dict.fromkeys([*removed, *answered.kinds, *suggestion.kinds])
        asked = [b.author or reply.visitor or reply.conversation for b in before
                 if b.role == "user"]  # fmt: skip
        author = asked[-1]
        return Exchange(
            turn=turn,
            conversation=reply.conversation,
            channel=reply.channel,
            created=reply.created,
            version=reply.version,
            messages=tuple(messages),
            reply=answered.text,
            suggestion=suggestion.text,
            reasons=tuple(reasons),
            unsourced=tuple(clean(w, tag).text for w in json.loads(reply.unsourced or "[]")),
            why=tuple(usefulness.why(reply, said)),
            removed=tuple(kinds),
            seen=seen,
            words=_words(reply, before),
            author=pseudonym(author),
            editor=pseudonym(better.author) if better is not None and better.author else "",
            others=tuple(sorted({pseudonym(other) for other in asked} - {pseudonym(author)})),
        )

    def _standing(self, connection: Connection, turn: int) -> tuple[Any, list[Any]]:
        """A reply of this persona's that stands, or None, and what was said before it.

        One that was asked for again stands here if somebody wrote a better one.
        """
        better = select(feedback.c.turn).where(feedback.c.suggestion.is_not(None))
        about = (
            select(turns, conversations.c.channel, conversations.c.author.label("visitor"))
            .join(conversations, conversations.c.id == turns.c.conversation)
            .where(turns.c.id == turn, conversations.c.persona == self.name,
                   turns.c.role == "assistant", usefulness.to_a_question(),
                   turns.c.retired.is_(False) | turns.c.id.in_(better))
        )  # fmt: skip
        reply = connection.execute(about).one_or_none()
        if reply is None:
            return None, []
        before = (
            select(turns.c.role, turns.c.content, turns.c.author)
            .where(turns.c.conversation == reply.conversation, turns.c.id < turn,
                   turns.c.retired.is_(False))
            .order_by(turns.c.id)
        )  # fmt: skip
        return reply, list(connection.execute(before))

    def decide(
        self, exchange: Exchange, decision: Decision, reviewer: str, *, reply: str | None = None
    ) -> Outcome:
        """Stores what a reviewer decided; an approval writes the example.

        ``reply`` is the approved text if it was changed. Raises ReviewConflictError if somebody
        decided since ``exchange`` was read, ChangedError if what was said was changed or deleted
        since, UnwritableError if the file can't be written: then nothing is approved.
        """
        tag = self._persona.config.language
        proposed = reply if reply is not None else exchange.proposed
        text = clean(proposed, tag, self._own).text.strip()
        if decision == "approved" and not text:
            raise LogError("An empty reply can't be approved. Write one, or reject the exchange.")
        if decision == "approved" and holds_placeholder(text):
            raise PlaceholderError(
                f"Something personal was taken out of this reply, and the bot would learn to say "
                f"that: {text[:80]!r}. Write it without; the brand's own contacts stay if they "
                "stand in its documents."
            )
        outcome = Outcome(decision)
        if decision == "approved":
            outcome = self._where(exchange, text)
        row = {
            "persona": self.name,
            "prompt": json.dumps(
                [[m.role, m.content] for m in exchange.messages], ensure_ascii=False
            ),
            "original": exchange.reply, "reply": text, "reviewer": reviewer,
            "outcome": f"{outcome.code} {outcome.place}".strip(), "created": now(),
        }  # fmt: skip

        on_file, replaced = False, {}

        def work(connection: Connection) -> None:
            nonlocal on_file, replaced
            # The reply's row is locked, so that of two reviewers one waits for the other.
            connection.execute(
                select(turns.c.id).where(turns.c.id == exchange.turn).with_for_update()
            )
            last = connection.execute(
                select(reviews)
                .where(reviews.c.turn == exchange.turn)
                .order_by(reviews.c.id.desc())
                .limit(1)
            ).one_or_none()
            if last is not None and (last.reviewer, last.created) == (reviewer, row["created"]):
                return  # written already: the answer to it got lost
            if _words(*self._standing(connection, exchange.turn)) != exchange.words:
                raise ChangedError("What was said here was changed or deleted in the meantime.")
            if last is not None and last.id != exchange.seen and not _is_free(last, reviewer):
                raise ReviewConflictError(last.reviewer, last.decision)
            connection.execute(
                insert(reviews).values({**row, "turn": exchange.turn, "decision": decision})
            )
            # It came back after its approval, since somebody wrote a better reply.
            stands = outcome.code in ("exists", "skipped")
            if last is not None and last.outcome.startswith("written") and not stands:
                replaced = _whose(last)
            if decision in ("approved", "rejected"):
                for other in _undecided(connection, exchange.like):
                    connection.execute(
                        insert(reviews).values({**row, "turn": other, "decision": "folded"})
                    )
            # Before the commit: what dies in between leaves a line that is still to be decided
            # about, never a decision that no line follows. Once, though this may run again.
            if outcome.code.startswith("written") and not on_file:
                from_conversations.append(self.file, _line(exchange, text, reviewer))
                on_file = True

        try:
            self.log.database.run(work)
        except LogError as error:
            # Found when it ran again, or not committed: SQLite is sure that it is not.
            found = isinstance(error, ReviewConflictError | ChangedError)
            if on_file and (found or self.log.database.dialect == "sqlite"):
                from_conversations.take_out(self.file, exchange.turn, reply=text)
            raise
        if replaced and replaced.get("reply") != text:
            from_conversations.take_out(self.file, exchange.turn, **replaced)
        return outcome

    def undo(self, reviewer: str) -> Outcome | None:
        """Takes back a reviewer's last decision; None if there is none to take back.

        An example that was written is taken out of its file, if its line still stands as it was.
        """
        latest = select(func.max(reviews.c.id)).group_by(reviews.c.turn)

        def find(connection: Connection) -> Any:
            query = (
                select(reviews)
                .where(reviews.c.persona == self.name, reviews.c.reviewer == reviewer,
                       reviews.c.decision.in_(("approved", "rejected", "skipped")),
                       reviews.c.id.in_(latest))
                .order_by(reviews.c.id.desc())
                .limit(1)
            )  # fmt: skip
            last = connection.execute(query).one_or_none()
            if last is None:
                return None
            folded = select(reviews.c.turn).where(
                reviews.c.decision == "folded", reviews.c.reviewer == reviewer,
                reviews.c.created == last.created, reviews.c.id.in_(latest),
            )  # fmt: skip
            return last, tuple(connection.execute(folded).scalars().all())

        found = self.log.database.read(find)
        if found is None:
            return None
        last, like = found
        undone = {
            "persona": self.name, "prompt": "[]", "original": "", "reply": "",
            "reviewer": reviewer, "decision": "undone", "outcome": "undone", "created": now(),
        }  # fmt: skip

        taken = not last.outcome.startswith("written")

        def store(connection: Connection) -> None:
            nonlocal taken
            # Twice is once: a server that went away may have kept the first.
            stands = select(reviews.c.turn).where(
                reviews.c.id.in_(latest), reviews.c.turn.in_((last.turn, *like)),
                reviews.c.reviewer == reviewer, reviews.c.decision != "undone",
            )  # fmt: skip
            for turn in connection.execute(stands).scalars().all():
                connection.execute(insert(reviews).values({**undone, "turn": turn}))
            # Before the commit: what dies in between is taken back by undoing again.
            taken = taken or from_conversations.take_out(self.file, last.turn, **_whose(last))

        self.log.database.run(store)
        exchange = self.exchange(last.turn)
        return Outcome(
            "undone" if taken else "edited-by-hand",
            exchange=replace(exchange, like=like) if exchange else None,
            reply=last.reply if last.decision == "approved" else "",
        )

    def counts(self) -> Counts:
        def work(connection: Connection) -> Counts:
            waiting = select(func.count()).select_from(usefulness.waiting(self.name, ()).subquery())
            latest = select(func.max(reviews.c.id)).group_by(reviews.c.turn)
            decided: dict[str, int] = {
                decision: count
                for decision, count in connection.execute(
                    select(reviews.c.decision, func.count())
                    .where(reviews.c.persona == self.name, reviews.c.id.in_(latest))
                    .group_by(reviews.c.decision)
                )
            }
            return Counts(
                connection.execute(waiting).scalar_one(),
                decided.get("approved", 0), decided.get("rejected", 0),
            )  # fmt: skip

        return self.log.database.read(work)

    def score(self, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
        """Scores replies that were not yet: how unlike the examples, how far from the style.

        Returns how many were scored. The queue orders by it.
        """
        return usefulness.score(self.workspace, self.log.database, self._persona, progress)

    def _where(self, exchange: Exchange, text: str) -> Outcome:
        """What an approval will come to, before it is stored."""
        from rapidfuzz import fuzz

        example = Example((*exchange.messages, Message("assistant", text)), provenance={})
        known = example_files.read(self._persona.folder / "examples").examples
        tested = example.split == "test"
        # What the bot itself said is nothing to measure bots with.
        if (tested and text == exchange.reply) or (
            not tested and Tested(known, self._persona.folder).holds(example)
        ):
            return Outcome("in-test")
        prompt, reply = normalise(exchange.messages[-1].content), normalise(text)
        alike = SAME_REPLY if text == exchange.reply else 100
        for other in known:
            if len(other.messages) != len(example.messages):
                continue
            close = fuzz.ratio(prompt, normalise(other.messages[-2].content)) >= SAME_PROMPT
            if close and fuzz.ratio(reply, normalise(other.reply)) >= alike:
                return Outcome("exists", f"{other.file}:{other.line}")
        code = "written-test" if example.split == "test" else "written"
        return Outcome(code, FROM_CONVERSATIONS)


def pseudonym(author: str) -> str:
    """A short name that is the same for the same person, and does not say who it is."""
    return hashlib.sha256(f"brandbot {author}".encode()).hexdigest()[:12]


def _words(reply: Any, before: Sequence[Any]) -> str:
    """Names what is reviewed, to the letter; empty if it is gone."""
    if reply is None:
        return ""
    said = [*((one.role, one.content) for one in before), ("assistant", reply.content)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _is_free(last: Any, reviewer: str) -> bool:
    """Whether a reviewer may decide who did not see this last decision."""
    return last.decision == "skipped" or (last.decision, last.reviewer) == ("undone", reviewer)


def _whose(decided: Any) -> dict[str, str]:
    """How the line of an approval is known. It may have lost its words: the message was deleted,
    or is too old."""
    return {"reply": decided.reply} if decided.reply else {"reviewer": decided.reviewer}


def _line(exchange: Exchange, text: str, reviewer: str) -> dict[str, Any]:
    """An approved exchange as the line of a file."""
    origin = {
        "turn": exchange.turn,
        "channel": exchange.channel,
        "author": exchange.author,
        "editor": exchange.editor if text != exchange.reply else "",
        "others": list(exchange.others),
        "reviewer": reviewer,
        "date": now()[:10],
        "version": exchange.version,
        "edited": text != exchange.reply,
    }
    messages = [*exchange.messages, Message("assistant", text)]
    return {
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        PROVENANCE: {key: value for key, value in origin.items() if value not in ("", None, [])},
    }


def _undecided(connection: Connection, chosen: Sequence[int]) -> list[int]:
    """Of these replies, those that nobody has decided about, or written a better one to."""
    mine = reviews.c.turn.in_(list(chosen))
    latest = select(func.max(reviews.c.id)).where(mine).group_by(reviews.c.turn)
    final = ("approved", "rejected", "folded")
    query = select(reviews.c.turn).where(reviews.c.id.in_(latest), reviews.c.decision.in_(final))
    better = select(feedback.c.turn).where(
        feedback.c.turn.in_(list(chosen)), feedback.c.suggestion.is_not(None)
    )
    decided = {*connection.execute(query).scalars(), *connection.execute(better).scalars()}
    return [turn for turn in chosen if turn not in decided]
