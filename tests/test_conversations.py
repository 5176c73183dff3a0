"""The log: acknowledged means on disk."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from brandbot.conversations import ConversationLog
from brandbot.database import conversations, sources, turns
from brandbot.errors import LogError
from brandbot.workspace import Workspace
from tests.postgres import Server


def test_turns_come_back_in_order_with_their_details(log: ConversationLog) -> None:
    talk = log.start("acme", "web", "ana")
    first = log.add(talk, "user", "hi")
    second = log.add(talk, "assistant", "Evening.", version="0001", finish="stop", latency_ms=12.5)
    assert second > first
    assert [(t.role, t.content, t.version, t.finish) for t in log.history(talk)] == [
        ("user", "hi", None, None),
        ("assistant", "Evening.", "0001", "stop"),
    ]
    assert log.persona_of(talk) == "acme" and log.persona_of("other") is None


def test_conversations_do_not_see_one_another(log: ConversationLog) -> None:
    one, two = log.start("acme", "web"), log.start("acme", "web")
    log.add(one, "user", "mine")
    assert log.history(two) == [] and one != two


def test_retired_turns_stay_in_the_log(log: ConversationLog) -> None:
    talk = log.start("acme", "web")
    kept = log.add(talk, "user", "hi")
    gone = log.add(talk, "assistant", "No.")
    new = log.add(talk, "assistant", "Yes.", instead_of=gone)
    assert [turn.id for turn in log.history(talk)] == [kept, new]
    assert log.count() == 3


def test_of_a_deleted_reply_no_words_are_left(log: ConversationLog) -> None:
    talk = log.start("acme", "slack")
    log.add(talk, "user", "hi", message_id="m1")
    source = {"number": 1, "file": "prices.md", "heading": "Tea", "quote": "Tea costs £2.10."}
    made_up = {"cited": [source], "unsourced": ["£555"], "message_id": "m2"}
    log.add(talk, "assistant", "Tea costs £2.10, or £555.", **made_up)
    assert log.delete("m2")
    query = select(turns.c.content, turns.c.unsourced, turns.c.retired).order_by(turns.c.id.desc())
    assert log.database.read(lambda c: tuple(c.execute(query).first())) == ("", None, True)
    assert log.database.read(lambda c: c.execute(select(sources)).all()) == []


def test_a_turn_takes_the_place_of_others(log: ConversationLog) -> None:
    talk = log.start("acme", "web")
    kept = log.add(talk, "user", "hi")
    old = log.add(talk, "user", "tea?")
    log.add(talk, "assistant", "No.")
    new = log.add(talk, "user", "coffee?", instead_of=old)
    assert [turn.id for turn in log.history(talk)] == [kept, new]
    with pytest.raises(LogError):
        log.add("nowhere", "user", "hi", instead_of=kept)
    assert [turn.id for turn in log.history(talk)] == [kept, new]


def test_feedback_is_appended_and_the_last_word_counts(log: ConversationLog) -> None:
    talk = log.start("acme", "web")
    asked = log.add(talk, "user", "hi")
    reply = log.add(talk, "assistant", "No.")
    log.judge(reply, "dislike", reason="rude", suggestion="Evening.")
    log.judge(reply, "like")
    assert log.history(talk)[1].verdict == "like"
    rows = log.feedback_of(reply)
    assert [(r["verdict"], r["reason"], r["suggestion"]) for r in rows] == [
        ("dislike", "rude", "Evening."),
        ("like", None, None),
    ]
    with pytest.raises(LogError, match="no reply number"):
        log.judge(asked, "like")


def test_the_recent_turns_begin_the_same_for_a_while(
    log: ConversationLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A talk without end is not read whole for each reply, and its prompt stays in the cache."""
    monkeypatch.setattr("brandbot.conversations.RECENT_TURNS", 3)
    talk, other = log.start("acme", "slack"), log.start("acme", "slack")
    retired = log.add(talk, "user", "0")
    read = []
    for number in range(1, 11):
        log.add(talk, "user", f"{number}", instead_of=retired if number == 1 else None)
        log.add(other, "user", "else")
        read.append("".join(turn.content for turn in log.history(talk, recent=True)))
    assert read == [
        "1", "12", "123", "1234", "12345", "456", "4567", "45678", "789", "78910",
    ]  # fmt: skip
    assert len(log.history(talk)) == 10


def test_who_reads_waits_for_no_writer(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    log = ConversationLog(f"sqlite:///{file}")
    talk = log.start("acme", "web")
    log.add(talk, "user", "hi", author="ana", message_id="C1:1")
    writing = sqlite3.connect(file, isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")
    assert [turn.content for turn in log.history(talk)] == ["hi"] and log.knows("ana")
    assert log.persona_of(talk) == "acme" and log.turn("C1:1") is not None
    writing.execute("ROLLBACK")
    writing.close()
    log.close()


def test_the_order_is_not_the_clocks(log: ConversationLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 32: the clock jumps back a day between two turns."""
    talk = log.start("acme", "web")
    monkeypatch.setattr("brandbot.conversations.now", lambda: "2026-11-24T00:00:00.000+00:00")
    log.add(talk, "user", "first")
    monkeypatch.setattr("brandbot.conversations.now", lambda: "2026-11-23T00:00:00.000+00:00")
    log.add(talk, "user", "second")
    assert [turn.content for turn in log.history(talk)] == ["first", "second"]


def test_the_file_of_an_address_with_a_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ConversationLog("sqlite+pysqlite:///logs/talk.db").close()
    assert [file.name for file in tmp_path.iterdir()] == ["logs"]
    assert (tmp_path / "logs" / "talk.db").is_file()


@pytest.mark.parametrize("name", ["My%20Brand", "what? now", "año #1"])
def test_the_log_lies_in_the_home_whatever_that_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / name))
    ConversationLog(Workspace(tmp_path).database_url).close()
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "brandbot.db").is_file()


def test_writes_are_synced(tmp_path: Path) -> None:
    log = ConversationLog(f"sqlite:///{tmp_path / 'home' / 'brandbot.db'}")
    with log.database._engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_file_that_is_no_log_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "brandbot.db").write_text("this is not a database, it is a note to myself\n" * 50)
    with pytest.raises(LogError, match="damaged or not a log"):
        ConversationLog(f"sqlite:///{tmp_path / 'brandbot.db'}")


WRITER = """
import sys
from brandbot.conversations import ConversationLog
log = ConversationLog(sys.argv[1])
talk = log.start("acme", "web")
for number in range(int(sys.argv[2])):
    turn = log.add(talk, "user", f"{sys.argv[3]}-{number}")
    print(turn, flush=True)
"""


def writer(url: str, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, str(count), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_row_11_kill_9_loses_no_acknowledged_turn(
    log: ConversationLog, database_url: str, tmp_path: Path
) -> None:
    """Killed 200 times in mid-write (PostgreSQL: 40), eight writers at a time."""
    url = database_url
    randomly = random.Random(11)
    acknowledged: list[int] = []
    rounds = 25 if database_url.startswith("sqlite") else 5  # of 8 writers each
    for round_ in range(rounds):
        writers = [writer(url, 100_000, f"{round_}.{n}") for n in range(8)]
        wanted = [randomly.randint(1, 25) for _ in writers]
        for process, lines in zip(writers, wanted, strict=True):
            assert process.stdout is not None
            acknowledged += [int(process.stdout.readline()) for _ in range(lines)]
            process.kill()
        for process in writers:
            rest, _ = process.communicate()
            acknowledged += [int(line) for line in rest.split("\n")[:-1]]
    if url.startswith("sqlite"):
        database = sqlite3.connect(tmp_path / "home" / "brandbot.db")
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
    there = set(log.database.run(lambda c: c.execute(select(turns.c.id)).scalars().all()))
    assert len(acknowledged) == len(set(acknowledged)) > 8 * rounds
    assert set(acknowledged) <= there


def test_row_14_eight_processes_write_one_log(log: ConversationLog, database_url: str) -> None:
    writers = [writer(database_url, 50, str(n)) for n in range(8)]
    outputs = [process.communicate()[0] for process in writers]
    assert [process.returncode for process in writers] == [0] * 8
    assert sorted(int(line) for output in outputs for line in output.split()) == list(range(1, 401))
    assert log.count() == 400


class Writers:
    """4 threads that write turns, each into a conversation of its own, until they are told."""

    def __init__(self, log: ConversationLog) -> None:
        self.talks = [log.start("acme", "web") for _ in range(4)]
        self.written: list[list[str]] = [[] for _ in self.talks]
        self.errors: list[Exception] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(log, *both))
            for both in zip(self.talks, self.written, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, log: ConversationLog, talk: str, written: list[str]) -> None:
        while not self._stop.is_set():
            words = f"{talk} {len(written)}"
            try:
                log.add(talk, "user", words)
            except Exception as error:
                self.errors.append(error)
                return
            written.append(words)

    def wait_for_more(self, count: int = 5) -> float:
        """Until each thread has written some more; the seconds that took."""
        started, goal = time.monotonic(), [len(each) + count for each in self.written]
        while any(len(each) < to for each, to in zip(self.written, goal, strict=True)):
            assert not self.errors and time.monotonic() - started < 60, self.errors
        return time.monotonic() - started

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("how", ["restart", "kill", "hang"])
def test_row_13_postgresql_goes_and_comes_back(postgres: Server, how: str) -> None:
    """4 threads write turns all the while: nothing lost, nothing twice, back within 5 s."""
    log = ConversationLog(postgres.fresh())
    writers = Writers(log)
    writers.wait_for_more()
    if how == "hang":
        postgres.hang()
        try:
            gone = time.monotonic()
            asked = threading.Thread(target=log.count)  # one more, that needs a connection
            asked.start()
            asked.join(6)
            assert time.monotonic() - gone > 5.9  # nothing is answered meanwhile
        finally:
            postgres.resume()
        asked.join(5)
        assert not asked.is_alive()
    else:
        postgres.stop(signal.SIGINT if how == "restart" else signal.SIGQUIT)
        postgres.start()
    assert writers.wait_for_more() < 5
    writers.end()
    assert writers.errors == []
    for talk, written in zip(writers.talks, writers.written, strict=True):
        assert [turn.content for turn in log.history(talk)] == written
    assert log.count() == sum(map(len, writers.written))
    log.close()


def test_row_13_a_postgresql_that_stays_away_is_said_so(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brandbot.database.PATIENCE_SECONDS", 1)
    log = ConversationLog(postgres.fresh())
    talk = log.start("acme", "web")
    postgres.stop()
    try:
        started = time.monotonic()
        with pytest.raises(LogError, match="can't be reached"):
            log.add(talk, "user", "hi")
        assert time.monotonic() - started < 10
    finally:
        postgres.start()
    log.add(talk, "user", "hi again")
    assert [turn.content for turn in log.history(talk)] == ["hi again"]
    log.close()


def test_row_12_a_full_disk_while_chatting(small_disk: Path) -> None:
    """A real, small file system that really fills up; the log recovers without a restart."""
    disk = small_disk
    log = ConversationLog(f"sqlite:///{disk / 'brandbot.db'}")
    talk = log.start("acme", "web")
    log.add(talk, "user", "before")
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(LogError, match=r"disk is full.*nothing that was saved before is lost"):
        for number in range(1000):
            log.add(talk, "user", f"{number} " + "much " * 200)
    saved = len(log.history(talk))
    filler.unlink()
    log.add(talk, "user", "after")
    contents = [turn.content for turn in log.history(talk)]
    assert contents[0] == "before" and contents[-1] == "after" and len(contents) == saved + 1
    log.close()


def test_a_log_from_before_keeps_its_turns(tmp_path: Path) -> None:
    """The tables as they were before there were migrations, with a conversation in them."""
    file = tmp_path / "brandbot.db"
    old = sqlite3.connect(file)
    old.executescript(
        """
        CREATE TABLE conversations (id VARCHAR(64) PRIMARY KEY, persona VARCHAR(64) NOT NULL,
            channel VARCHAR(32) NOT NULL, author VARCHAR(128), created VARCHAR(40) NOT NULL);
        CREATE TABLE turns (id INTEGER PRIMARY KEY AUTOINCREMENT, conversation VARCHAR(64) NOT NULL
            REFERENCES conversations(id), role VARCHAR(16) NOT NULL, content TEXT NOT NULL,
            created VARCHAR(40) NOT NULL, version VARCHAR(16), engine VARCHAR(32), strength FLOAT,
            first_token_ms FLOAT, latency_ms FLOAT, finish VARCHAR(16), retired BOOLEAN NOT NULL);
        CREATE TABLE feedback (id INTEGER PRIMARY KEY AUTOINCREMENT, turn INTEGER NOT NULL
            REFERENCES turns(id), verdict VARCHAR(16) NOT NULL, reason TEXT, suggestion TEXT,
            author VARCHAR(128), created VARCHAR(40) NOT NULL);
        CREATE TABLE sources (id INTEGER PRIMARY KEY AUTOINCREMENT, turn INTEGER NOT NULL, number
            INTEGER NOT NULL, file TEXT NOT NULL, heading TEXT NOT NULL, quote TEXT NOT NULL,
            page INTEGER, row INTEGER);
        CREATE TABLE votes (id INTEGER PRIMARY KEY AUTOINCREMENT, persona VARCHAR(64) NOT NULL,
            prompt TEXT, left_version TEXT, right_version TEXT, left_text TEXT, right_text TEXT,
            choice TEXT, voter TEXT, created TEXT);
        INSERT INTO conversations VALUES ('c1', 'acme', 'web', 'ana', '2026-11-01T00:00:00');
        INSERT INTO turns (conversation, role, content, created, retired)
            VALUES ('c1', 'user', 'hi', '2026-11-01T00:00:00', 0);
        """
    )
    old.close()
    log = ConversationLog(f"sqlite:///{file}")
    assert [turn.content for turn in log.history("c1")] == ["hi"]
    log.add("c1", "assistant", "Evening.", message_id="C1:1")
    assert [turn.message_id for turn in log.history("c1")] == [None, "C1:1"]


def test_the_tables_are_those_of_the_migrations(tmp_path: Path) -> None:
    """A column added to database.py and to no migration fails here."""
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from brandbot import database

    opened = database.Database(f"sqlite:///{tmp_path / 'new.db'}")
    differ = opened.run(
        lambda c: compare_metadata(MigrationContext.configure(c), database.metadata)
    )
    assert differ == []
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]


def test_a_log_of_a_newer_brandbot_is_not_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    ConversationLog(url).close()
    with sqlite3.connect(tmp_path / "new.db") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    with pytest.raises(LogError, match="newer brandbot"):
        ConversationLog(url)


def test_an_answer_that_got_lost_starts_no_one_elses_conversation(
    log: ConversationLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.start("acme", "web", "a stranger")
    run = log.database.run

    def twice(work: Any) -> Any:
        run(work)
        return run(work)

    monkeypatch.setattr(log.database, "run", twice)
    talk = log.start("acme", "web", "ana")
    monkeypatch.undo()
    assert log.history(talk) == [] and log.persona_of(talk) == "acme"
    log.add(talk, "user", "hi")
    assert log.knows("ana") is False and [t.content for t in log.history(talk)] == ["hi"]
    with log.database._engine.connect() as connection:
        authors = connection.execute(select(conversations.c.author)).scalars().all()
    assert sorted(authors) == ["a stranger", "ana"]


def test_a_nul_character_is_left_out(log: ConversationLog) -> None:
    talk = log.start("acme", "web")
    log.add(talk, "user", "tea\0 please", message_id="m1")
    reply = log.add(talk, "assistant", "Here.")
    log.judge(reply, "dislike", suggestion="There\0.")
    assert log.history(talk)[0].content == "tea please"
    assert log.feedback_of(reply)[0]["suggestion"] == "There."
    log.edit("m1", "cocoa\0")
    assert log.history(talk)[0].content == "cocoa"


def test_what_people_said_is_for_who_runs_it_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "brandbot.db"
    log = ConversationLog(f"sqlite:///{file}")
    log.start("acme", "web")
    beside = sorted(file.parent.iterdir())
    assert {path.stat().st_mode & 0o777 for path in beside} == {0o600} and len(beside) == 3
    log.close()
