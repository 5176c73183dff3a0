"""Claims: one winner an event, whoever asks again, restarts or dies. On SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from brandbot.claims import Claim, Claims
from brandbot.database import Database, claims
from brandbot.errors import ClaimLostError, DiskFullError, LogError
from tests.postgres import Server

WITHIN = 30.0  # seconds for what should take a moment


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def one(database: Database) -> Iterator[Claims]:
    made = Claims(database)
    yield made
    made.close()


def left_within(watching: Claims, count: int, seconds: float = WITHIN) -> list[Claim]:
    """What ``left`` finds until there are so many, or the time is over."""
    found: list[Claim] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        found += watching.left()
    return found


def test_row_2_an_event_four_times_and_after_a_restart(database_url: str, one: Claims) -> None:
    one.start(lambda claim: None)
    assert [one.claim("Ev1", {"text": "hi"}) for _ in range(4)] == [True, False, False, False]
    one.done("Ev1")
    assert one.claim("Ev1", {"text": "hi"}) is False
    again = Claims(Database(database_url))  # the program was started anew
    assert again.claim("Ev1", {"text": "hi"}) is False
    assert again.left() == [] and again.state("Ev1") == "done"
    again._database.close()


def test_an_event_twice_at_once_has_one_winner(one: Claims) -> None:
    one.start(lambda claim: None)
    won: list[bool] = []
    ready = threading.Barrier(8)

    def ask() -> None:
        ready.wait()
        won.append(one.claim("Ev1", {}, patience=WITHIN))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_hundred_at_once_are_written_together(one: Claims, database: Database) -> None:
    one.start(lambda claim: None)
    won: list[bool] = []
    ready = threading.Barrier(100)

    def ask(number: int) -> None:
        ready.wait()
        won.append(one.claim(f"Ev{number}", {"number": number}, patience=WITHIN))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [True] * 100
    query = select(claims.c.event).where(claims.c.state == "claimed")
    assert len(database.run(lambda c: c.execute(query).all())) == 100


def test_what_is_done_is_forgotten_and_what_is_posted_is_kept(
    one: Claims, database: Database
) -> None:
    one.claim("Ev1", {"text": "my words"})
    one.posted("Ev1", "C1:17.1")
    one.done("Ev1", failed=True)
    query = select(claims.c.state, claims.c.payload, claims.c.posted)
    assert database.run(lambda c: c.execute(query).all()) == [("failed", None, "C1:17.1")]


def test_who_was_taken_for_dead_changes_nothing(one: Claims, database: Database) -> None:
    one.claim("Ev1", {"text": "hi"})
    other = Claims(database, still_seconds=0)
    assert [claim.event for claim in left_within(other, 1)] == ["Ev1"]
    with pytest.raises(ClaimLostError, match="another process"):
        one.done("Ev1")
    assert other.state("Ev1") == "claimed"
    other.done("Ev1")
    assert other.state("Ev1") == "done"


def test_row_32_time_is_what_was_watched_not_what_the_clock_says(
    one: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock jumps a day ahead and back; the owner lives, and nothing is taken from it."""
    one.claim("Ev1", {})
    clock = [1000.0]
    monkeypatch.setattr("brandbot.claims.time.monotonic", lambda: clock[0])
    other = Claims(database, beat_seconds=5, still_seconds=30)
    for jump in (0, 86_400, -86_400, 0):
        monkeypatch.setattr("brandbot.claims.time.time", lambda jump=jump: 1.7e9 + jump)
        monkeypatch.setattr(
            "brandbot.claims.now", lambda jump=jump: f"2026-11-{24 + jump // 86400}"
        )
        clock[0] += 7
        assert other.left() == []
        one.beat()
    assert other.left() == []  # sees the last beat
    for seconds in (5, 10, 10):
        clock[0] += seconds
        assert other.left() == []
    clock[0] += 6  # 31 s without a beat
    assert [claim.event for claim in other.left()] == ["Ev1"]


def test_who_could_not_look_for_long_takes_nothing(
    one: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away: the others could not beat, and their claims are not left."""
    one.claim("Ev1", {})
    clock = [1000.0]
    monkeypatch.setattr("brandbot.claims.time.monotonic", lambda: clock[0])
    other = Claims(database, beat_seconds=5, still_seconds=30)
    assert other.left() == []
    clock[0] += 300
    assert other.left() == []
    one.beat()
    clock[0] += 14
    assert other.left() == []


def test_a_claim_nobody_waited_for_is_not_lost(one: Claims) -> None:
    """Row 13: the sender was told that it failed, and then the database wrote it after all."""
    one._begin(lambda: None)  # as if started, but nothing is written yet
    with pytest.raises(LogError, match="too long"):
        one.claim("Ev1", {"text": "hi"}, patience=0)
    one._begin(one._write)
    assert left_within(one, 1) == [Claim("Ev1", {"text": "hi"})]
    assert one.left() == [] and one.claim("Ev1", {"text": "hi"}, patience=WITHIN) is False


def test_a_commit_whose_answer_got_lost_has_a_winner(
    one: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written and whose answer never came is done again, with the same outcome."""
    run = database.run

    def twice(work: object) -> object:
        run(work)  # type: ignore[arg-type]
        return run(work)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "run", twice)
    assert one.claim("Ev1", {"text": "hi"}) is True
    other = Claims(database, still_seconds=0)
    assert [claim.event for claim in left_within(other, 1)] == ["Ev1"]
    assert other.left() == []


def test_what_ended_while_nothing_could_be_written_is_written_later(
    one: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk was full when it was done; no restart answers it once more."""
    one.claim("Ev1", {"text": "hi"})
    one.claim("Ev2", {"text": "hi"})

    def full(work: object) -> None:
        raise DiskFullError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(database, "run", full)
        with pytest.raises(DiskFullError):
            one.done("Ev1")
        with pytest.raises(DiskFullError):  # as is tried when it seems to have failed
            one.done("Ev1", failed=True)
        with pytest.raises(DiskFullError):
            one.done("Ev2", failed=True)
    assert one.state("Ev1") == "claimed" == one.state("Ev2")
    found = threading.Event()
    one.start(lambda claim: found.set())
    deadline = time.monotonic() + WITHIN
    while one.state("Ev2") == "claimed":
        assert time.monotonic() < deadline
    assert (one.state("Ev1"), one.state("Ev2")) == ("done", "failed") and not found.is_set()


def test_what_is_given_up_may_be_claimed_anew(one: Claims, database: Database) -> None:
    one.claim("Ev1", {"text": "hi"})
    other = Claims(database)
    other.undo("Ev1")  # not its own
    assert one.state("Ev1") == "claimed"
    one.undo("Ev1")
    assert other.claim("Ev1", {"text": "hi"}) is True


def test_each_day_has_its_work(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    days = threading.Semaphore(0)
    made = Claims(database, beat_seconds=0.01)
    made.start(lambda claim: None, daily=days.release)
    assert days.acquire(timeout=WITHIN)  # the first is today
    monkeypatch.setattr("brandbot.claims.SWEEP_SECONDS", 0.0)
    assert days.acquire(timeout=WITHIN) and days.acquire(timeout=WITHIN)
    made.close()


# Commands come in, one a line; an answer goes out for each.
PROCESS = """
import json, sys
from brandbot.claims import Claims
from brandbot.database import Database
mine = Claims(Database(sys.argv[1]), beat_seconds=0.2, still_seconds=float(sys.argv[2]))
mine.start(lambda claim: print("left", claim.event, json.dumps(claim.payload), claim.posted, flush=True))
print("ready", flush=True)
for line in sys.stdin:
    order, event = line.split()
    if order == "claim":
        print("won" if mine.claim(event, {"of": event}, patience=30) else "lost", event, flush=True)
    elif order == "posted":
        mine.posted(event, "C1:1")
        print("posted", event, flush=True)
mine.close()
"""


class Process:
    def __init__(self, url: str, still_seconds: float = 30.0) -> None:
        command = [sys.executable, "-c", PROCESS, url, str(still_seconds)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdout is not None and self.process.stdin is not None
        self.out, self.into = self.process.stdout, self.process.stdin
        assert self.line() == "ready"

    def line(self) -> str:
        return self.out.readline().strip()

    def say(self, order: str) -> None:
        self.into.write(order + "\n")

    def end(self) -> list[str]:
        """Lets it finish; what it still had to say."""
        rest, _ = self.process.communicate(timeout=WITHIN)
        return rest.splitlines()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.out.close()
        with contextlib.suppress(OSError):  # what was still to be said
            self.into.close()


@pytest.fixture
def started(database_url: str) -> Iterator[Callable[..., Process]]:
    """Gives processes that share the test's database; they end with the test."""
    Database(database_url).close()
    made: list[Process] = []

    def start(still_seconds: float = 30.0) -> Process:
        made.append(Process(database_url, still_seconds))
        return made[-1]

    yield start
    for process in made:
        process.close()


def test_row_3_two_processes_share_a_database(started: Callable[..., Process]) -> None:
    """200 events reach both at once: each is claimed by exactly one."""
    two = [started(), started()]
    threads = [
        threading.Thread(target=lambda p=p: [p.say(f"claim Ev{n}") for n in range(200)])
        for p in two
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Both are still there when the last has answered: what a dead one held would be taken over.
    said = [process.line().split() for process in two for _ in range(200)]
    assert sorted(event for word, event in said if word == "won") == sorted(
        f"Ev{n}" for n in range(200)
    )
    assert Counter(word for word, _ in said) == {"won": 200, "lost": 200}


def test_row_5_kill_9_of_a_process_that_holds_claims(
    started: Callable[..., Process], database_url: str
) -> None:
    """Each of its claims is left once, to exactly one of two others that watch."""
    dead = started()
    for number in range(40):
        dead.say(f"claim Ev{number}")
    assert {dead.line() for _ in range(40)} == {f"won Ev{n}" for n in range(40)}
    dead.say("posted Ev7")
    assert dead.line() == "posted Ev7"
    others = [started(), started()]
    dead.process.send_signal(signal.SIGKILL)
    dead.process.wait()
    seen: list[str] = []
    readers = [threading.Thread(target=lambda p=p: seen.extend(p.out)) for p in others]
    for reader in readers:
        reader.start()
    deadline = time.monotonic() + WITHIN
    watched = Database(database_url)
    owners = select(claims.c.owner).where(claims.c.owner.contains(f":{dead.process.pid}:"))
    while watched.run(lambda c: c.execute(owners).all()) and time.monotonic() < deadline:
        pass
    watched.close()
    for other in others:
        other.into.close()  # which ends it
    for reader in readers:
        reader.join(WITHIN)
    lines = sorted(line.strip() for line in seen)
    assert lines == sorted(
        f'left Ev{n} {{"of": "Ev{n}"}} {"C1:1" if n == 7 else None}' for n in range(40)
    )


def test_a_claim_whose_owner_lives_is_never_taken(
    started: Callable[..., Process], database_url: str
) -> None:
    """It holds its claim through many times the time after which a silent owner is dead."""
    alive = started(still_seconds=2)
    alive.say("claim Ev1")
    assert alive.line() == "won Ev1"
    opened = Database(database_url)
    watching = Claims(opened, beat_seconds=0.2, still_seconds=2)
    assert left_within(watching, 1, seconds=6) == []
    os.kill(alive.process.pid, signal.SIGSTOP)  # now it can't be asked, and beats no more
    assert [claim.event for claim in left_within(watching, 1)] == ["Ev1"]
    os.kill(alive.process.pid, signal.SIGCONT)
    assert alive.end() == []
    opened.close()


def test_processes_of_two_containers_are_not_taken_for_one_another(
    one: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same host name, and there is no process of that number here: it may live elsewhere."""
    one.owner = f"elsewhere:{2**22 + 1}:abcdef01"
    one.claim("Ev1", {})
    assert Claims(database).left() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarts", "is killed"])
def test_row_13_claims_while_postgresql_goes(postgres: Server, how: signal.Signals) -> None:
    """4 threads claim 50 events each, all the same 50; the server goes in the middle."""
    opened = Database(postgres.fresh())
    mine = Claims(opened, beat_seconds=0.2)
    mine.start(lambda claim: None)
    won: Counter[str] = Counter()
    some = threading.Event()

    def ask() -> None:
        for number in range(50):
            won.update([f"Ev{number}"] if mine.claim(f"Ev{number}", {}, patience=WITHIN) else [])
            if number == 10:
                some.set()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert some.wait(WITHIN)
    postgres.restart(how)
    for thread in threads:
        thread.join(WITHIN)
    assert won == {f"Ev{n}": 1 for n in range(50)}
    mine.close()
    opened.close()


def test_a_log_without_postgresql_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brandbot.database.PATIENCE_SECONDS", 0)
    with pytest.raises(LogError, match="can't be reached"):
        Database("postgresql://nobody@127.0.0.1:1/none")


def test_what_was_answered_long_ago_is_forgotten(database_url: str) -> None:
    database = Database(database_url)
    mine = Claims(database)
    for event in ("old", "open", "new"):
        assert mine.claim(event, {})
    mine.done("old")
    mine.done("new")
    long_ago = "2026-01-01T00:00:00.000+00:00"
    database.run(
        lambda c: c.execute(
            claims.update().where(claims.c.event.in_(["old", "open"])).values(created=long_ago)
        )
    )
    mine._sweep()
    states = {event: mine.state(event) for event in ("old", "open", "new")}
    assert states == {"old": None, "open": "claimed", "new": "done"}
    database.close()
