"""Events that are answered once, ever, whatever is sent again and whoever dies.

An event is claimed, with what is to be done, before it is acknowledged; a second claim of the same
event fails. The owner raises the claim's beat while it works. A claim whose beat stands still was
left by a process that died: another takes it over and is told how far that one came. Time is
measured by watching, with a monotonic clock, never by comparing dates: clocks jump.

A claim that was won when nobody waited for the answer any more, since the database was away, is not
lost either: it is among those that ``left`` returns.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from brandbot.database import Database, claims, now
from brandbot.errors import ClaimLostError, LogError

BEAT_SECONDS = 5.0
STILL_SECONDS = 30.0
"""A claim whose beat stands still for so long was left, if its owner can't be asked."""

KEPT_DAYS, SWEEP_SECONDS = 30, 86_400.0
"""How long it is remembered that an event was answered, and how often that is looked at. Slack
repeats an event for an hour."""

KEPT_TOGETHER = 500
"""Claims written in one transaction: a disk is as slow for one as for all of them."""


@dataclass(frozen=True)
class Claim:
    """An event to be answered. ``posted`` is the message that holds the reply, if there is one."""

    event: str
    payload: dict[str, Any]
    posted: str | None = None


class Claims:
    """The claims of one process. ``start`` begins its beat; ``close`` ends it."""

    def __init__(
        self,
        database: Database,
        *,
        beat_seconds: float = BEAT_SECONDS,
        still_seconds: float = STILL_SECONDS,
    ) -> None:
        self._database = database
        # A start's id besides the process's: numbers of processes are used again.
        self.owner = f"{_here()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._beat_seconds, self._still_seconds = beat_seconds, still_seconds
        self._waiting: list[tuple[str, str, Future[bool]]] = []
        self._more = threading.Condition()
        self._closed = threading.Event()
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked = time.monotonic()
        self._held: set[str] = set()  # won by this process and not done yet
        # Won when nobody waited any more, or perhaps won: the server went while it was asked.
        self._unheard: set[str] = set()
        # Ended when it could not be written down, and how.
        self._ended: dict[str, str] = {}
        self._writing = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(
        self, take: Callable[[Claim], None], daily: Callable[[], object] = lambda: None
    ) -> None:
        """Begins to beat, and hands every claim that ``left`` finds to ``take``.

        ``daily`` is called at once and then every day; what takes long there would stop the beat.
        """
        self._begin(self._write)

        def watch() -> None:
            swept = -math.inf
            while True:
                try:
                    if time.monotonic() - swept > SWEEP_SECONDS:
                        self._sweep()
                        daily()
                        swept = time.monotonic()
                    self.beat()
                    self._catch_up()
                    for claim in self.left():
                        take(claim)
                except LogError:
                    pass  # the database is away: whatever is left is found when it is back
                if self._closed.wait(self._beat_seconds):
                    return

        self._begin(watch)

    def claim(self, event: str, payload: dict[str, Any], *, patience: float = 2.5) -> bool:
        """Claims an event: True for the first to ask, False for everyone after.

        On disk when it returns. Raises LogError if that took longer than ``patience`` seconds; if
        it is won after that, ``left`` returns it.
        """
        done: Future[bool] = Future()
        if not self._threads:
            self._keep([(event, json.dumps(payload), done)])
        else:
            with self._more:
                self._waiting.append((event, json.dumps(payload), done))
                self._more.notify()
        try:
            return done.result(patience)
        except TimeoutError:
            if not done.cancel():
                return done.result()  # it came in this very moment
            raise LogError("The conversation log took too long to answer.") from None

    def posted(self, event: str, message_id: str) -> None:
        """The reply to an event is in this message, or these, whatever becomes of it."""
        self._set(event, posted=message_id)

    def payload(self, event: str) -> dict[str, Any] | None:
        """What is to be done about an event by now; None if nothing is any more."""
        query = select(claims.c.payload).where(claims.c.event == event, claims.c.state == "claimed")
        found = self._database.read(lambda connection: connection.execute(query).scalar())
        return None if found is None else dict(json.loads(found))

    def revise(self, event: str, **changes: Any) -> bool:
        """Changes what is to be done about an event that waits, whoever holds it."""
        found = self.payload(event)
        if found is None:
            return False
        waits = (claims.c.event == event) & (claims.c.state == "claimed")
        change = update(claims).where(waits).values(payload=json.dumps({**found, **changes}))
        return self._database.run(lambda connection: connection.execute(change).rowcount) > 0

    def withdraw(self, event: str) -> bool:
        """Nothing is to be done about an event that waits any more, whoever holds it."""
        waits = (claims.c.event == event) & (claims.c.state == "claimed")
        change = update(claims).where(waits).values(state="withdrawn", payload=None)
        return self._database.run(lambda connection: connection.execute(change).rowcount) > 0

    def before(self, event: str, waiting: Iterable[str] = ()) -> list[dict[str, Any]]:
        """What is still to be done that came before an event: by other processes, or ``waiting``
        for them."""
        mine = select(claims.c.created).where(claims.c.event == event).scalar_subquery()
        query = select(claims.c.payload).where(
            claims.c.state == "claimed", claims.c.created < mine,
            (claims.c.owner != self.owner) | claims.c.event.in_(list(waiting)),
        )  # fmt: skip
        found = self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return [json.loads(payload) for payload in found if payload]

    def has_posted(self, message_id: str) -> bool:
        """Whether a message holds the reply to any event, or a part of one."""
        known = claims.c.posted.contains(message_id, autoescape=True)
        query = select(claims.c.event).where(known).limit(1)
        found = self._database.read(lambda connection: connection.execute(query).scalar())
        return found is not None

    def release(self, event: str) -> None:
        """This process could not do it just now: ``left`` returns the event once more."""
        with self._writing:
            self._held.discard(event)
            self._unheard.add(event)

    def done(self, event: str, *, failed: bool = False) -> None:
        """An event is answered, or its failure was told; what it held is forgotten.

        If that can't be written down just now, LogError is raised, and it is done at a later beat.
        """
        state = "failed" if failed else "done"
        try:
            self._set(event, state=state, payload=None)
        except ClaimLostError:
            raise
        except LogError:
            self._ended.setdefault(event, state)
            raise
        self._held.discard(event)

    def undo(self, event: str) -> None:
        """Gives up an event of which nothing was done: whoever asks next may claim it."""
        mine = (claims.c.event == event) & (claims.c.owner == self.owner)
        self._database.run(lambda connection: connection.execute(delete(claims).where(mine)))
        self._held.discard(event)

    def is_gone(self, event: str) -> bool:
        """Whether a claimed event was withdrawn, or its claim deleted with its author's words."""
        return self.state(event) in (None, "withdrawn")

    def state(self, event: str) -> str | None:
        query = select(claims.c.state).where(claims.c.event == event)
        return self._database.read(lambda connection: connection.execute(query).scalar())

    def beat(self) -> None:
        """Shows the others that this process lives."""
        mine = (claims.c.owner == self.owner) & (claims.c.state == "claimed")
        change = update(claims).where(mine).values(beat=claims.c.beat + 1)
        self._database.run(lambda connection: connection.execute(change))

    def left(self) -> list[Claim]:
        """Takes over the claims of processes that died, and this one's that nobody heard of."""
        tried: set[str] = set()

        def work(connection: Connection) -> list[Claim]:
            query = select(
                claims.c.event, claims.c.owner, claims.c.beat, claims.c.payload, claims.c.posted
            )
            waiting = query.where(claims.c.state == "claimed").order_by(claims.c.created)
            rows = connection.execute(waiting).all()
            self._look_at({event: beat for event, owner, beat, *_ in rows if owner != self.owner})
            taken = []
            for event, owner, beat, payload, posted in rows:
                if owner == self.owner:
                    # Once more after a commit whose answer got lost: ``tried`` are this one's.
                    won = event in self._unheard | tried
                elif won := self._is_left(event, owner):
                    same = (claims.c.event == event) & (claims.c.beat == beat)
                    same &= claims.c.owner == owner
                    change = update(claims).where(same).values(owner=self.owner, beat=beat + 1)
                    won = connection.execute(change).rowcount > 0
                    tried.update([event] if won else [])
                if won:
                    taken.append(Claim(event, json.loads(payload), posted))
            return taken

        with self._writing:
            try:
                taken = self._database.run(work)
            except LogError:
                self._unheard |= tried
                raise
            events = {claim.event for claim in taken}
            self._held |= events
            self._unheard -= events
        return taken

    def _catch_up(self) -> None:
        """Writes down what ended while nothing could be written."""
        for event, state in list(self._ended.items()):
            with contextlib.suppress(ClaimLostError):
                self._set(event, state=state, payload=None)
            self._held.discard(event)
            del self._ended[event]

    def _sweep(self) -> None:
        """Deletes what was answered long ago, of which nobody asks any more."""
        until = (datetime.now(UTC) - timedelta(days=KEPT_DAYS)).isoformat()
        old = (claims.c.state != "claimed") & (claims.c.created < until)
        self._database.run(lambda connection: connection.execute(delete(claims).where(old)))

    def close(self) -> None:
        self._closed.set()
        with self._more:
            self._more.notify_all()
        for thread in self._threads:
            thread.join()

    def _look_at(self, beats: dict[str, int]) -> None:
        """Notes since when the beats of the others' claims stand still."""
        now_, before = time.monotonic(), self._looked
        self._looked = now_
        # Whoever could not look for long does not know who beat meanwhile, or could have.
        if now_ - before > max(self._still_seconds / 2, 2 * self._beat_seconds):
            self._seen = {}
        self._seen = {
            event: seen if (seen := self._seen.get(event)) and seen[0] == beat else (beat, now_)
            for event, beat in beats.items()
        }

    def _is_left(self, event: str, owner: str) -> bool:
        host, number = owner.split(":")[:2]
        if host == _here() and not _runs(int(number)):
            return True
        return time.monotonic() - self._seen[event][1] > self._still_seconds

    def _set(self, event: str, **values: Any) -> None:
        # Only the owner may: whoever was taken for dead and wakes up changes nothing any more.
        mine = (claims.c.event == event) & (claims.c.owner == self.owner)
        change = update(claims).where(mine).values(values)
        if not self._database.run(lambda connection: connection.execute(change).rowcount):
            self._held.discard(event)
            raise ClaimLostError(f"The event {event} is another process's by now.")

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="claims", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _write(self) -> None:
        while True:
            with self._more:
                self._more.wait_for(lambda: self._waiting or self._closed.is_set())
                batch = self._waiting[:KEPT_TOGETHER]
                del self._waiting[: len(batch)]
            if not batch:
                return
            self._keep(batch)

    def _keep(self, batch: list[tuple[str, str, Future[bool]]]) -> None:
        fresh = {event: payload for event, payload, _ in batch}

        def work(connection: Connection) -> set[str]:
            query = select(claims.c.event, claims.c.owner, claims.c.state)
            known, won = set(), set()
            for event, owner, state in connection.execute(query.where(claims.c.event.in_(fresh))):
                known.add(event)
                # A commit whose answer got lost: the claim is there, and nobody was told.
                if owner == self.owner and state == "claimed" and event not in self._held:
                    won.add(event)
            rows = [
                {"event": event, "state": "claimed", "owner": self.owner, "beat": 0,
                 "payload": payload, "posted": None, "created": now()}
                for event, payload in fresh.items() if event not in known
            ]  # fmt: skip
            return won | (_insert_new(connection, rows) if rows else set())

        with self._writing:
            try:
                won = self._database.run(work)
            except LogError as error:
                self._unheard |= set(fresh) - self._held
                for _, _, done in batch:
                    if done.set_running_or_notify_cancel():
                        done.set_exception(error)
                return
            self._held |= won
            self._unheard -= won
            for event, _, done in batch:
                if done.set_running_or_notify_cancel():
                    done.set_result(event in won)
                    won.discard(event)  # the same event twice in one batch
            self._unheard |= won


def _insert_new(connection: Connection, rows: list[dict[str, Any]]) -> set[str]:
    """Inserts what no other process inserted in between; returns which that was."""
    from sqlalchemy.dialects import postgresql, sqlite

    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
    made = insert(claims).values(rows).on_conflict_do_nothing().returning(claims.c.event)
    return {str(event) for event in connection.execute(made).scalars()}


@functools.cache
def _here() -> str:
    """The place where numbers of processes mean something: this boot of a machine, or a container.

    Two containers can have the same name, and the same number for other processes.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        known = f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        known = f"{uuid.getnode()}"
    name = socket.gethostname()[:20].replace(":", "-")
    return f"{name}-{hashlib.sha256(known.encode()).hexdigest()[:12]}"


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
