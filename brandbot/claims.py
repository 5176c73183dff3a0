"""Events that are answered once, ever, whatever is sent again and whoever dies.

An event is claimed, with what is to be done, before it is acknowledged; a second claim of the same
event fails. The owner raises the claim's beat while it works. A claim whose beat stands still was
left by a process that died: another takes it over and is told how far that one came. Time is
measured by watching, with a monotonic clock, never by comparing dates: clocks jump.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from brandbot.database import Database, claims, now
from brandbot.errors import LogError

BEAT_SECONDS = 5.0
STILL_SECONDS = 30.0
"""A claim whose beat stands still for so long was left, if its owner can't be asked."""

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
        self.owner = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._beat_seconds, self._still_seconds = beat_seconds, still_seconds
        self._waiting: list[tuple[str, str, Future[bool]]] = []
        self._more = threading.Condition()
        self._closed = threading.Event()
        self._seen: dict[str, tuple[int, float]] = {}
        self._held: set[str] = set()  # won by this process and not done yet
        self._threads: list[threading.Thread] = []

    def start(self, take: Callable[[Claim], None]) -> None:
        """Begins to beat, and hands every claim that was left by a dead process to ``take``."""
        self._begin(self._write)

        def watch() -> None:
            while True:
                try:
                    self.beat()
                    for claim in self.left():
                        take(claim)
                except LogError:
                    pass  # the database is away: whatever is left is found when it is back
                if self._closed.wait(self._beat_seconds):
                    return

        self._begin(watch)

    def claim(self, event: str, payload: dict[str, Any], *, patience: float = 2.5) -> bool:
        """Claims an event: True for the first to ask, False for everyone after.

        On disk when it returns. Raises LogError if that took longer than ``patience`` seconds.
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
            raise LogError("The conversation log took too long to answer.") from None

    def posted(self, event: str, message_id: str) -> None:
        """The reply to an event is in this message from now on, whatever becomes of it."""
        self._set(event, posted=message_id)

    def done(self, event: str, *, failed: bool = False) -> None:
        """An event is answered, or its failure was told; what it held is forgotten."""
        self._set(event, state="failed" if failed else "done", payload=None)
        self._held.discard(event)

    def state(self, event: str) -> str | None:
        query = select(claims.c.state).where(claims.c.event == event)
        return self._database.run(lambda connection: connection.execute(query).scalar())

    def beat(self) -> None:
        """Shows the others that this process lives."""
        mine = (claims.c.owner == self.owner) & (claims.c.state == "claimed")
        change = update(claims).where(mine).values(beat=claims.c.beat + 1)
        self._database.run(lambda connection: connection.execute(change))

    def left(self) -> list[Claim]:
        """Takes over the claims of processes that died, and returns them."""

        def work(connection: Connection) -> list[Claim]:
            open_ones = (claims.c.state == "claimed") & (claims.c.owner != self.owner)
            query = select(
                claims.c.event, claims.c.owner, claims.c.beat, claims.c.payload, claims.c.posted
            )
            taken = []
            for event, owner, beat, payload, posted in connection.execute(query.where(open_ones)):
                if not self._is_left(event, owner, beat):
                    continue
                same = (claims.c.event == event) & (claims.c.beat == beat)
                same &= claims.c.owner == owner
                change = update(claims).where(same).values(owner=self.owner, beat=beat + 1)
                if connection.execute(change).rowcount:
                    taken.append(Claim(event, json.loads(payload), posted))
            return taken

        taken = self._database.run(work)
        self._held |= {claim.event for claim in taken}
        return taken

    def close(self) -> None:
        self._closed.set()
        with self._more:
            self._more.notify_all()
        for thread in self._threads:
            thread.join()

    def _is_left(self, event: str, owner: str, beat: int) -> bool:
        host, number = owner.split(":")[:2]
        if host == socket.gethostname()[:30] and not _runs(int(number)):
            return True
        seen = self._seen.get(event)
        if seen is None or seen[0] != beat:
            self._seen[event] = (beat, time.monotonic())
            return False
        return time.monotonic() - seen[1] > self._still_seconds

    def _set(self, event: str, **values: Any) -> None:
        # Only the owner may: whoever was taken for dead and wakes up changes nothing any more.
        mine = (claims.c.event == event) & (claims.c.owner == self.owner)
        change = update(claims).where(mine).values(values)
        if not self._database.run(lambda connection: connection.execute(change).rowcount):
            raise LogError(f"The event {event} is another process's by now.")

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

        try:
            won = self._database.run(work)
        except LogError as error:
            for _, _, done in batch:
                done.set_exception(error)
            return
        self._held |= won
        for event, _, done in batch:
            done.set_result(event in won)
            won.discard(event)  # the same event twice in one batch


def _insert_new(connection: Connection, rows: list[dict[str, Any]]) -> set[str]:
    """Inserts what no other process inserted in between; returns which that was."""
    from sqlalchemy.dialects import postgresql, sqlite

    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
    made = insert(claims).values(rows).on_conflict_do_nothing().returning(claims.c.event)
    return {str(event) for event in connection.execute(made).scalars()}


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
