"""The conversation log: every turn, what people thought of it, and their votes.

Append-only but for two things: a reply that was asked for again is marked ``retired``, and so are
the turns after a message that was edited; and a message that was edited or deleted where it was
written, in Slack, is edited or deleted here. A turn is acknowledged once its method returns; by
then it is on disk (SQLite: write-ahead log, ``synchronous=FULL``).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from brandbot.database import (
    NO_WORDS,
    Database,
    conversations,
    feedback,
    now,
    reviews,
    rooms,
    sources,
    turns,
    votes,
)
from brandbot.errors import LogError
from brandbot.prompt import Message

RECENT_TURNS = 200
"""Of a conversation without end, as a direct talk is, at least so many turns are read, and fewer
than twice that: far more than a prompt has room for."""

Verdict = Literal["like", "dislike", "withdrawn"]
Choice = Literal["left", "right", "neither"]


@dataclass(frozen=True)
class Turn:
    """A logged turn. ``version`` is None for what a person said, "base" for the untuned model.

    ``author`` said it, ``message_id`` is the channel's name of it. ``unsourced`` are the numbers,
    names and links in a reply that stand nowhere. ``sources`` are the places in documents that a
    reply has something from: dicts with number, file, heading, quote and, where known, page or row.
    """

    id: int
    role: Literal["user", "assistant"]
    content: str
    version: str | None = None
    finish: str | None = None
    author: str | None = None
    message_id: str | None = None
    handed_off: bool = False
    unsourced: tuple[str, ...] = ()
    verdict: Verdict | None = None
    sources: tuple[dict[str, Any], ...] = ()

    @property
    def message(self) -> Message:
        return Message(self.role, self.content)


@dataclass(frozen=True)
class Room:
    """What a channel was set to: its persona, and whether threads go on without a mention."""

    persona: str | None = None
    follows: bool | None = None


class ConversationLog:
    """The log at a database URL; SQLite files and their folder are made when needed."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    def start(
        self, persona: str, channel: str, author: str | None = None, place: str | None = None
    ) -> str:
        """A new conversation's id, which can't be guessed.

        At a ``place`` (a Slack thread) a persona has one conversation: that one's id, if there is.
        """
        conversation = uuid.uuid4().hex
        row = {"id": conversation, "persona": persona, "channel": channel, "author": author,
               "created": now(), "place": place}  # fmt: skip

        def work(connection: Connection) -> str:
            known = select(conversations.c.id).where(
                conversations.c.persona == persona, conversations.c.place == place
            )
            found = None if place is None else connection.execute(known).scalar()
            if found is not None:
                return str(found)
            try:
                with connection.begin_nested():
                    connection.execute(insert(conversations).values(row))
            except IntegrityError:  # another process began it, or this write was done before
                if place is not None:
                    return str(connection.execute(known).scalar() or conversation)
            return conversation

        return self.database.run(work)

    def at(self, place: str) -> list[tuple[str, str]]:
        """(id, persona) of the conversations held at a place, the newest first."""
        query = (
            select(conversations.c.id, conversations.c.persona)
            .where(conversations.c.place == place)
            .order_by(conversations.c.created.desc())
        )
        return self.database.read(
            lambda connection: [(str(row[0]), str(row[1])) for row in connection.execute(query)]
        )

    def persona_of(self, conversation: str) -> str | None:
        """The persona a conversation is with, or None if there is no such conversation."""
        query = select(conversations.c.persona).where(conversations.c.id == conversation)
        found = self.database.read(lambda connection: connection.execute(query).scalar())
        return None if found is None else str(found)

    def knows(self, author: str) -> bool:
        """Whether a person has said anything before."""
        query = select(turns.c.id).where(turns.c.author == author).limit(1)
        return self.database.read(lambda connection: connection.execute(query).scalar()) is not None

    def add(
        self,
        conversation: str,
        role: str,
        content: str,
        *,
        cited: Sequence[dict[str, Any]] = (),
        unsourced: Sequence[str] = (),
        instead_of: int | None = None,
        **details: Any,
    ) -> int:
        """Logs a turn and returns its number. ``details`` are columns of ``turns``.

        ``cited`` are its sources, as ``Turn`` has them. ``instead_of`` is a turn that is retired,
        with all after it, once this one is there. A turn whose ``message_id`` is logged already is
        not logged again; its number is returned.
        """
        key = uuid.uuid4().hex
        row = {"conversation": conversation, "role": role, "content": _storable(content),
               "created": now(),
               "retired": False, "key": key,
               "unsourced": json.dumps(list(unsourced)) if unsourced else None,
               **details}  # fmt: skip

        def work(connection: Connection) -> int:
            try:
                with connection.begin_nested():
                    made = connection.execute(insert(turns).values(row)).inserted_primary_key
                    if made is None:
                        raise LogError("The turn was not stored.")
                    if instead_of is not None:
                        _retire(connection, conversation, instead_of, before=made[0])
                    if cited:
                        empty = {"page": None, "row": None}
                        rows = [{**empty, **source, "turn": made[0]} for source in cited]
                        connection.execute(insert(sources), rows)
                    return int(made[0])
            except IntegrityError:
                message_id = details.get("message_id")
                same = turns.c.key == key
                if message_id is not None:
                    same |= turns.c.message_id == message_id
                found = connection.execute(select(turns.c.id).where(same)).scalar()
                if found is None:
                    raise LogError(f"There is no conversation {conversation}.") from None
                return int(found)

        return self.database.run(work)

    def history(self, conversation: str, *, recent: bool = False) -> list[Turn]:
        """The turns that stand, oldest first, each with its last verdict.

        ``recent`` leaves the beginning of a long conversation out. It is cut ``RECENT_TURNS`` at a
        time, so that a prompt made of the rest begins the same for many replies.
        """
        here = (turns.c.conversation == conversation) & turns.c.retired.is_(False)

        def work(connection: Connection) -> list[Turn]:
            chosen = here
            if recent:
                count = connection.execute(select(func.count(turns.c.id)).where(here)).scalar_one()
                left_out = (count // RECENT_TURNS - 1) * RECENT_TURNS
                if left_out > 0:
                    ids = select(turns.c.id).where(here).order_by(turns.c.id)
                    first = connection.execute(ids.offset(left_out).limit(1)).scalar_one()
                    chosen = here & (turns.c.id >= first)
            return read_turns(connection, chosen)

        return self.database.read(work)

    def turn(self, message_id: str) -> tuple[str, Turn] | None:
        """(conversation, turn) of a message by its channel's name of it; None if not logged."""

        def work(connection: Connection) -> tuple[str, Turn] | None:
            found = read_turns(connection, turns.c.message_id == message_id)
            if not found:
                return None
            query = select(turns.c.conversation).where(turns.c.id == found[0].id)
            return str(connection.execute(query).scalar_one()), found[0]

        return self.database.read(work)

    def reply(self, turn: int) -> Turn | None:
        """A reply by its number; None if it does not stand."""
        chosen = (turns.c.id == turn) & (turns.c.role == "assistant") & turns.c.retired.is_(False)
        found = self.database.read(lambda connection: read_turns(connection, chosen))
        return found[0] if found else None

    def has_reply(self, conversation: str, turn: int) -> bool:
        """Whether a reply was given in a conversation, be it one that was asked for again."""
        here = (turns.c.id == turn) & (turns.c.conversation == conversation)
        query = select(turns.c.id).where(here, turns.c.role == "assistant")
        return self.database.read(lambda connection: connection.execute(query).scalar()) is not None

    def name(self, turn: int, message_id: str) -> None:
        """Remembers under which name the channel holds a turn that was logged before."""
        change = update(turns).where(turns.c.id == turn).values(message_id=message_id)
        self.database.run(lambda connection: connection.execute(change))

    def edit(self, message_id: str, content: str) -> bool:
        """A message was edited where it was written; False if it is not logged."""
        content = _storable(content)

        def work(connection: Connection) -> bool:
            turn = _named(connection, message_id)
            if turn is not None and turn.content != content:
                change = update(turns).where(turns.c.id == turn.id)
                connection.execute(change.values(content=content, changed=now()))
                _blank_reviews(connection, turn)
            return turn is not None

        return self.database.run(work)

    def delete(self, message_id: str) -> bool:
        """A message was deleted where it was written: its words go, and the turn is retired.

        So are the replies to it, which would seem to answer an earlier question.
        """

        def work(connection: Connection) -> bool:
            turn = _named(connection, message_id)
            if turn is None:
                return False
            _blank(connection, turn.id)
            _blank_reviews(connection, turn)
            if turn.role == "user":
                later = (turns.c.conversation == turn.conversation) & (turns.c.id > turn.id)
                asked = select(func.min(turns.c.id)).where(later, turns.c.role == "user")
                until = connection.execute(asked).scalar()
                replies = later if until is None else later & (turns.c.id < until)
                connection.execute(update(turns).where(replies).values(retired=True))
            return True

        return self.database.run(work)

    def take_back(self, turn: int) -> None:
        """A reply to what was deleted while it was written: its words go, and it is retired."""

        def work(connection: Connection) -> None:
            _blank(connection, turn)
            blanked = update(reviews).where(reviews.c.turn == turn).values(NO_WORDS)
            connection.execute(blanked)

        self.database.run(work)

    def judge(
        self,
        turn: int,
        verdict: Verdict,
        *,
        reason: str = "",
        suggestion: str = "",
        author: str | None = None,
    ) -> None:
        """Stores what somebody thought of a reply; LogError if there is no such reply."""
        row = {"turn": turn, "verdict": verdict, "reason": _storable(reason) or None,
               "suggestion": _storable(suggestion) or None, "author": author, "created": now(),
               "key": uuid.uuid4().hex}  # fmt: skip

        def work(connection: Connection) -> None:
            role = connection.execute(select(turns.c.role).where(turns.c.id == turn)).scalar()
            if role != "assistant":
                raise LogError(f"There is no reply number {turn} to judge.")
            _insert_once(connection, feedback, row)

        self.database.run(work)

    def feedback_of(self, turn: int) -> list[dict[str, Any]]:
        """Everything people said of a reply, oldest first."""
        query = select(feedback).where(feedback.c.turn == turn).order_by(feedback.c.id)
        return self.database.read(
            lambda connection: [dict(row) for row in connection.execute(query).mappings()]
        )

    def add_vote(self, **vote: str) -> None:
        """Stores a choice between two versions' answers; the keys are the columns of ``votes``."""
        row = {**vote, "created": now(), "key": uuid.uuid4().hex}
        self.database.run(lambda connection: _insert_once(connection, votes, row))

    def votes(self, persona: str) -> list[dict[str, Any]]:
        """Every choice people made for a persona, oldest first."""
        query = select(votes).where(votes.c.persona == persona).order_by(votes.c.id)
        return self.database.read(
            lambda connection: [dict(row) for row in connection.execute(query).mappings()]
        )

    def room(self, place: str) -> Room:
        """What a channel was set to; an empty Room if it was not."""
        query = select(rooms.c.persona, rooms.c.follows).where(rooms.c.place == place)
        found = self.database.read(lambda connection: connection.execute(query).one_or_none())
        return Room() if found is None else Room(*found)

    def set_room(self, place: str, **settings: Any) -> None:
        """Sets a channel's ``persona`` or ``follows``."""

        def work(connection: Connection) -> None:
            change = update(rooms).where(rooms.c.place == place).values(settings)
            if not connection.execute(change).rowcount:
                connection.execute(insert(rooms).values({"place": place, **settings}))

        self.database.run(work)

    def count(self) -> int:
        query = select(func.count()).select_from(turns)
        return int(self.database.read(lambda connection: connection.execute(query).scalar_one()))

    def close(self) -> None:
        self.database.close()


def _storable(text: str) -> str:
    """A text without NUL characters: PostgreSQL refuses them, and nobody sees them."""
    return text.replace("\0", "")


def _named(connection: Connection, message_id: str) -> Any:
    """The row of a message by its channel's name of it, or None."""
    return connection.execute(select(turns).where(turns.c.message_id == message_id)).one_or_none()


def _retire(connection: Connection, conversation: str, first: int, *, before: int) -> None:
    """Takes a conversation's turns out of it, from ``first`` on, up to ``before``."""
    chosen = (turns.c.conversation == conversation) & (turns.c.id >= first)
    connection.execute(update(turns).where(chosen & (turns.c.id < before)).values(retired=True))


def _blank(connection: Connection, turn: int) -> None:
    """Retires a turn without its words and without what they were from."""
    gone = {"content": "", "changed": now(), "retired": True, "unsourced": None}
    connection.execute(update(turns).where(turns.c.id == turn).values(gone))
    connection.execute(delete(sources).where(sources.c.turn == turn))


def _blank_reviews(connection: Connection, turn: Any) -> None:
    """Takes the words out of what was decided about a turn and those after it: they hold a copy."""
    later = select(turns.c.id).where(
        turns.c.conversation == turn.conversation, turns.c.id >= turn.id
    )
    connection.execute(update(reviews).where(reviews.c.turn.in_(later)).values(NO_WORDS))


def _insert_once(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Inserts a row, unless that was done before and only the answer to it got lost."""
    known = select(table.c.id).where(table.c.key == row["key"])
    if connection.execute(known).scalar() is None:
        connection.execute(insert(table).values(row))


def read_turns(connection: Connection, chosen: Any) -> list[Turn]:
    """The turns that a condition on ``turns`` chooses, oldest first, each with its last verdict."""
    mine = select(turns.c.id).where(chosen)
    last = (
        select(feedback.c.turn, func.max(feedback.c.id).label("id"))
        .where(feedback.c.turn.in_(mine))
        .group_by(feedback.c.turn)
        .subquery()
    )
    judged = (
        select(feedback.c.turn, feedback.c.verdict).join(last, last.c.id == feedback.c.id)
    ).subquery()
    query = (
        select(turns.c.id, turns.c.role, turns.c.content, turns.c.version, turns.c.finish,
               turns.c.author, turns.c.message_id, turns.c.handed_off, turns.c.unsourced,
               judged.c.verdict)
        .outerjoin(judged, judged.c.turn == turns.c.id)
        .where(chosen)
        .order_by(turns.c.id)
    )  # fmt: skip
    found = []
    for *row, handed_off, unsourced, verdict in connection.execute(query):
        words = tuple(json.loads(unsourced)) if unsourced else ()
        told = {"handed_off": bool(handed_off), "unsourced": words, "verdict": verdict}
        found.append(Turn(*row, **told))
    cited: dict[int, list[dict[str, Any]]] = {}
    of_these = select(sources).where(sources.c.turn.in_(mine))
    for place in connection.execute(of_these.order_by(sources.c.turn, sources.c.number)):
        kept = {k: v for k, v in place._mapping.items() if v is not None}
        cited.setdefault(kept.pop("turn"), []).append(kept)
        kept.pop("id")
    return [replace(turn, sources=tuple(cited.get(turn.id, ()))) for turn in found]
