"""The conversation log: every turn, what people thought of it, and their votes. SQLAlchemy.

Append-only but for two things: a reply that was asked for again is marked ``retired``, and so are
the turns after a message that was edited. A turn is acknowledged once its method returns; by then
it is on disk (SQLite: write-ahead log, ``synchronous=FULL``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from brandbot.errors import LogError
from brandbot.prompt import Message

LOCK_WAIT_SECONDS = 30

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("persona", String(64), nullable=False, index=True),
    Column("channel", String(32), nullable=False),
    Column("author", String(128)),
    Column("created", String(40), nullable=False),
)
turns = Table(
    "turns",
    metadata,
    # The order of turns is that of their numbers, never of the clock, which can jump.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation", String(64), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("created", String(40), nullable=False),
    Column("version", String(16)),
    Column("engine", String(32)),
    Column("strength", Float),
    Column("first_token_ms", Float),
    Column("latency_ms", Float),
    Column("finish", String(16)),
    Column("retired", Boolean, nullable=False, default=False),
)
feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text),
    Column("suggestion", Text),
    Column("author", String(128)),
    Column("created", String(40), nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("heading", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("page", Integer),
    Column("row", Integer),
)

votes = Table(
    "votes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("persona", String(64), nullable=False, index=True),
    Column("prompt", Text, nullable=False),
    Column("left_version", String(16), nullable=False),
    Column("right_version", String(16), nullable=False),
    Column("left_text", Text, nullable=False),
    Column("right_text", Text, nullable=False),
    Column("choice", String(8), nullable=False),
    Column("voter", String(128), nullable=False),
    Column("created", String(40), nullable=False),
)

Verdict = Literal["like", "dislike", "withdrawn"]
Choice = Literal["left", "right", "neither"]


@dataclass(frozen=True)
class Turn:
    """A logged turn. ``version`` is None for what a person said, "base" for the untuned model.

    ``sources`` are the places in documents that a reply has something from: dicts with number,
    file, heading, quote and, where known, page or row.
    """

    id: int
    role: Literal["user", "assistant"]
    content: str
    version: str | None = None
    finish: str | None = None
    verdict: Verdict | None = None
    sources: tuple[dict[str, Any], ...] = ()

    @property
    def message(self) -> Message:
        return Message(self.role, self.content)


class ConversationLog:
    """The log at a database URL; SQLite files and their folder are made when needed."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {"pool_pre_ping": True}
        if url.startswith("sqlite:///"):
            file = Path(url.removeprefix("sqlite:///"))
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LogError(f"The log's folder {file.parent} can't be made: {error}") from error
            options = {
                "poolclass": QueuePool,
                "connect_args": {"timeout": LOCK_WAIT_SECONDS, "check_same_thread": False},
            }
        self._engine = create_engine(url, **options)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _set_pragmas)
            event.listen(self._engine, "begin", _begin_immediate)
        with self._transaction() as connection:
            metadata.create_all(connection)

    def start(self, persona: str, channel: str, author: str | None = None) -> str:
        """A new conversation's id, which can't be guessed."""
        conversation = uuid.uuid4().hex
        row = {"id": conversation, "persona": persona, "channel": channel, "author": author,
               "created": _now()}  # fmt: skip
        with self._transaction() as connection:
            connection.execute(insert(conversations).values(row))
        return conversation

    def persona_of(self, conversation: str) -> str | None:
        """The persona a conversation is with, or None if there is no such conversation."""
        with self._transaction() as connection:
            query = select(conversations.c.persona).where(conversations.c.id == conversation)
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else str(found)

    def add(
        self,
        conversation: str,
        role: str,
        content: str,
        *,
        cited: Sequence[dict[str, Any]] = (),
        **details: Any,
    ) -> int:
        """Logs a turn and returns its number. ``details`` are columns of ``turns``.

        ``cited`` are its sources, as ``Turn`` has them.
        """
        row = {"conversation": conversation, "role": role, "content": content, "created": _now(),
               "retired": False, **details}  # fmt: skip
        with self._transaction() as connection:
            result = connection.execute(insert(turns).values(row))
            key = result.inserted_primary_key
            if key is not None and cited:
                rows = [{"page": None, "row": None, **source, "turn": key[0]} for source in cited]
                connection.execute(insert(sources), rows)
        if key is None:
            raise LogError("The turn was not stored.")
        return int(key[0])

    def history(self, conversation: str) -> list[Turn]:
        """The turns that stand, oldest first, each with its last verdict."""
        last = (
            select(feedback.c.turn, func.max(feedback.c.id).label("id"))
            .group_by(feedback.c.turn)
            .subquery()
        )
        verdicts = select(feedback.c.turn, feedback.c.verdict).join(
            last, last.c.id == feedback.c.id
        )
        judged = verdicts.subquery()
        query = (
            select(turns.c.id, turns.c.role, turns.c.content, turns.c.version, turns.c.finish,
                   judged.c.verdict)
            .outerjoin(judged, judged.c.turn == turns.c.id)
            .where(turns.c.conversation == conversation, turns.c.retired.is_(False))
            .order_by(turns.c.id)
        )  # fmt: skip
        with self._transaction() as connection:
            found = [Turn(*row) for row in connection.execute(query)]
            cited: dict[int, list[dict[str, Any]]] = {}
            chosen = sources.c.turn.in_([turn.id for turn in found])
            for row in connection.execute(
                select(sources).where(chosen).order_by(sources.c.turn, sources.c.number)
            ):
                kept = {k: v for k, v in row._mapping.items() if v is not None}
                cited.setdefault(kept.pop("turn"), []).append(kept)
                kept.pop("id")
        return [replace(turn, sources=tuple(cited.get(turn.id, ()))) for turn in found]

    def retire_from(self, conversation: str, turn: int) -> None:
        """Takes a turn and all after it out of the conversation; the log keeps them."""
        with self._transaction() as connection:
            chosen = (turns.c.conversation == conversation) & (turns.c.id >= turn)
            connection.execute(update(turns).where(chosen).values(retired=True))

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
        row = {"turn": turn, "verdict": verdict, "reason": reason or None,
               "suggestion": suggestion or None, "author": author, "created": _now()}  # fmt: skip
        with self._transaction() as connection:
            role = connection.execute(select(turns.c.role).where(turns.c.id == turn)).scalar()
            if role != "assistant":
                raise LogError(f"There is no reply number {turn} to judge.")
            connection.execute(insert(feedback).values(row))

    def feedback_of(self, turn: int) -> list[dict[str, Any]]:
        """Everything people said of a reply, oldest first."""
        query = select(feedback).where(feedback.c.turn == turn).order_by(feedback.c.id)
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def add_vote(self, **vote: str) -> None:
        """Stores a choice between two versions' answers; the keys are the columns of ``votes``."""
        with self._transaction() as connection:
            connection.execute(insert(votes).values({**vote, "created": _now()}))

    def votes(self, persona: str) -> list[dict[str, Any]]:
        """Every choice people made for a persona, oldest first."""
        query = select(votes).where(votes.c.persona == persona).order_by(votes.c.id)
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def count(self) -> int:
        with self._transaction() as connection:
            return int(connection.execute(select(func.count()).select_from(turns)).scalar_one())

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            reason = str(error.orig)
            # SQLite's connection may keep a half-written page in mind; a new one starts clean.
            self._engine.dispose()
            if "full" in reason or "disk I/O" in reason:
                raise LogError(
                    "The conversation could not be saved because the disk is full. Free some space "
                    "and send the message again; nothing that was saved before is lost."
                ) from error
            raise LogError(f"The conversation log can't be reached: {reason}") from error
        except DBAPIError as error:
            raise LogError(f"The conversation log is damaged or not a log: {error.orig}") from error


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_immediate
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A read that turns into a write could not wait for another writer's lock.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
