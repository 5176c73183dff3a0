"""The database of conversations: its tables, and transactions that outlive a restart of the server.

SQLite by default, PostgreSQL by its URL. The tables are those of the newest migration in
``migrations/``; a database from before is brought up to it when it is opened. Knows nothing of
what the tables are for.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from brandbot.errors import (
    BusyError,
    DiskFullError,
    LogError,
    MissingExtraError,
    TracesLeftError,
)

HEAD = "0003"
"""The newest migration; a test compares it with the folder."""

LOCK_WAIT_SECONDS = 30
CONNECT_SECONDS = 3
PATIENCE_SECONDS = 20
"""How long a transaction is tried again while the server is away."""

Result = TypeVar("Result")

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("persona", String(64), nullable=False, index=True),
    Column("channel", String(32), nullable=False),
    Column("author", String(128), index=True),
    Column("created", String(40), nullable=False),
    # Where it is held, for channels that have places: a Slack thread. One a persona and place.
    Column("place", String(200)),
    Index("one_a_place", "persona", "place", unique=True),
)
turns = Table(
    "turns",
    metadata,
    # The order of turns is that of their numbers, never of the clock, which can jump.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation", String(64), ForeignKey("conversations.id"), nullable=False),
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
    # Made by the writer, so that a write whose answer got lost is not done twice.
    Column("key", String(32), index=True, unique=True),
    Column("author", String(128), index=True),
    # The channel's own name of the message, by which its edit or deletion is known.
    Column("message_id", String(200), index=True, unique=True),
    Column("changed", String(40)),  # when it was edited or deleted there
    Column("unsourced", Text),  # JSON: what in the reply stands nowhere
    Column("handed_off", Boolean),
    # Of replies, once review has looked at them: 1 passes as the brand's, and 1 is unlike anything.
    Column("style", Float),
    Column("novelty", Float),
    Index("ix_turns_in_order", "conversation", "id"),
    sqlite_autoincrement=True,  # a number that was deleted is not given again
)
feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text),
    Column("suggestion", Text),
    Column("author", String(128), index=True),
    Column("created", String(40), nullable=False),
    Column("key", String(32), index=True, unique=True),
    sqlite_autoincrement=True,  # a number that was deleted is not given again
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
    Column("key", String(32), index=True, unique=True),
)
claims = Table(
    "claims",
    metadata,
    Column("event", String(128), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("owner", String(64), nullable=False),
    # Raised by the owner while it works; whoever watches it stand still knows that the owner died.
    Column("beat", Integer, nullable=False),
    Column("payload", Text),  # what to do, until it is done
    Column("posted", Text),  # the messages that hold the reply, once there are any
    Column("created", String(40), nullable=False),
)
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False, index=True),
    Column("persona", String(64), nullable=False, index=True),
    Column("decision", String(16), nullable=False),
    Column("prompt", Text, nullable=False),  # JSON: the messages before the reply, cleaned
    Column("original", Text, nullable=False),  # what the bot said, cleaned
    Column("reply", Text, nullable=False),  # what was approved
    Column("reviewer", String(128), nullable=False),
    Column("outcome", String(200), nullable=False),
    Column("created", String(40), nullable=False),
    sqlite_autoincrement=True,  # a number that was deleted is not given again
)
NO_WORDS = {"prompt": "[]", "original": "", "reply": ""}
"""What is left of a review when what was said has to go."""

rooms = Table(
    "rooms",
    metadata,
    Column("place", String(200), primary_key=True),
    Column("persona", String(64)),
    Column("follows", Boolean),
)


class Database:
    """A database at a URL, its tables as they should be. Thread-safe."""

    def __init__(self, url: str) -> None:
        self._engine = _open(url)
        self.run(_upgrade)
        if self.dialect == "sqlite":
            # Connections of their own: those of writers that wait for each other may be all.
            self._reader = _open(url).execution_options(reads=True)
        else:
            self._reader = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @property
    def dialect(self) -> str:
        return str(self._engine.dialect.name)

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """``work`` in one transaction: all of it is on disk when this returns, or none.

        A PostgreSQL server that restarts is waited for, and ``work`` done again; it must therefore
        do the same twice as once. Raises LogError.
        """
        return self._transact(self._engine, work)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """``work`` that changes nothing, in one transaction: it sees one state of the database.

        In SQLite it waits for no writer, and no writer for it; a change would fail there as soon as
        another process writes. Raises LogError as ``run`` does.
        """
        return self._transact(self._reader, work)

    def _transact(self, engine: Engine, work: Callable[[Connection], Result]) -> Result:
        started, pause = time.monotonic(), 0.05
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except OperationalError as error:
                if self.dialect == "sqlite":
                    engine.dispose()  # a connection may keep a half-written page in mind
                away = self.dialect != "sqlite" and _is_away(error)
                if not away or time.monotonic() - started > PATIENCE_SECONDS:
                    raise _told(error) from error
            except DBAPIError as error:
                raise _refused(error) from error
            except PoolTimeout as error:
                raise BusyError(
                    "The conversation log is too busy to answer; send the message again."
                ) from error
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def clean(self) -> None:
        """Takes what was deleted out of the files, too: free pages, and SQLite's write-ahead log.

        Raises LogError if others kept it busy; what was deleted is deleted all the same. PostgreSQL
        keeps its own write-ahead log for as long as its settings say.
        """
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                if self.dialect == "sqlite":
                    _clean_sqlite(connection)
                    return
                for table in metadata.sorted_tables:  # FULL writes a table anew
                    connection.execute(text(f"VACUUM (FULL) {table.name}"))
        except (DBAPIError, sqlite3.Error) as error:
            raise TracesLeftError(
                "It is deleted, but the log was too busy to be written anew; traces may be left in "
                f"its files. Ask again ({error})."
            ) from error

    def close(self) -> None:
        self._engine.dispose()
        self._reader.dispose()


def now() -> str:
    """The present moment as the log writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _open(url: str) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise LogError(
            "BRANDBOT_DATABASE_URL is no database's address. Write it like "
            "postgresql://user:password@host/database or sqlite:////folder/brandbot.db"
        ) from error
    driver = address.drivername
    if driver.startswith("sqlite"):
        file = Path(address.database or "")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LogError(f"The log's folder {file.parent} can't be made: {error}") from error
        if address.database and not file.exists():
            with contextlib.suppress(OSError):  # SQLite says what is wrong
                file.touch(0o600)  # what people said is theirs; the files beside it follow
        engine = create_engine(
            url,
            hide_parameters=True,  # what people said is not for logs
            pool_pre_ping=True,
            poolclass=QueuePool,
            connect_args={"timeout": LOCK_WAIT_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        return engine
    if driver in ("postgres", "postgresql"):
        url = address.set(drivername="postgresql+psycopg").render_as_string(False)
    try:
        return create_engine(
            url,
            hide_parameters=True,  # what people said is not for logs
            pool_pre_ping=True,
            pool_size=10,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": 10000,  # ms; without it, sent words are waited for 15 minutes
                "options": "-c lock_timeout=10000",
            },
        )
    except NoSuchModuleError as error:
        raise LogError(
            f"brandbot keeps its log in SQLite or PostgreSQL, not in {driver}. Mend "
            "BRANDBOT_DATABASE_URL."
        ) from error
    except ModuleNotFoundError as error:
        raise MissingExtraError("psycopg", "postgres", "A log in PostgreSQL") from error


def _upgrade(connection: Connection) -> None:
    """Brings the tables up to ``HEAD``. Alembic is loaded only if there is something to do."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(20261124)"))
    found = inspect(connection)
    version = None
    if found.has_table("alembic_version"):
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    if version is None and found.has_table("turns"):  # a log from before there were migrations
        command.stamp(config, "0001")
    try:
        command.upgrade(config, "head")
    except Exception as error:
        if version is not None and "locate revision" in str(error):
            raise LogError(
                "The conversation log was written by a newer brandbot. Install that version, or "
                "name another log with BRANDBOT_DATABASE_URL."
            ) from error
        raise


def _is_away(error: OperationalError) -> bool:
    reason = str(error.orig).lower()
    return bool(error.connection_invalidated) or any(
        sign in reason
        for sign in ("connection", "starting up", "shutting down", "terminat", "timeout", "server")
    )


def _told(error: OperationalError) -> LogError:
    reason = str(error.orig)
    if "full" in reason or "disk I/O" in reason or "No space left" in reason:
        return DiskFullError(
            "The conversation could not be saved because the disk is full. Free some space "
            "and send the message again; nothing that was saved before is lost."
        )
    return BusyError(f"The conversation log can't be reached: {reason}")


def _refused(error: DBAPIError) -> LogError:
    reason = str(error.orig).strip()
    if "permission denied" in reason:
        return LogError(
            f"The database does not let brandbot in: {reason.splitlines()[0]}. Its owner allows it "
            "with: GRANT CREATE, USAGE ON SCHEMA public TO the user in BRANDBOT_DATABASE_URL"
        )
    if isinstance(error.orig, sqlite3.DatabaseError):
        return LogError(
            f"The conversation log is damaged or not a log: {reason}. Restore its file from a "
            "backup, or move it away and begin a new one."
        )
    return LogError(f"The database refuses it: {reason}")


def _clean_sqlite(connection: Connection) -> None:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    if raw.in_transaction:
        raw.rollback()
    raw.execute("VACUUM")
    started = time.monotonic()
    while raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:  # somebody still reads
        if time.monotonic() - started > LOCK_WAIT_SECONDS:
            raise sqlite3.OperationalError("the write-ahead log is in use")
        time.sleep(0.05)


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
    cursor.close()


def _begin(connection: Connection) -> None:
    # A read that turns into a write could not wait for another writer's lock.
    reads = connection.get_execution_options().get("reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
