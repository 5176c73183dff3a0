"""Work in order within a thread, side by side between threads, and only so much of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ARRIVAL_SECONDS = 0.5
"""How long jobs may be held up by events that keep arriving."""

log = logging.getLogger("brandbot.slack")

WORKERS = 4
"""Replies written side by side; as many as an engine has room for."""

ROOM = 64
"""Jobs that may wait before people are told to come back later."""


class Work:
    """Jobs by key: those of one key run one after another, in the order they came."""

    def __init__(self, workers: int = WORKERS, room: int = ROOM) -> None:
        self._room = room
        self._jobs: dict[str, deque[Callable[[], None]]] = {}  # a key is here while it has a job
        self._ready: deque[str] = deque()
        self._waiting = 0
        self._running = 0
        self._arriving = 0
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"slack-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, key: str, job: Callable[[], None], *, always: bool = False) -> bool:
        """Takes a job, or returns False because there is no room. ``always`` makes room."""
        with self._changed:
            if self._closed or (self._waiting >= self._room and not always):
                return False
            self._waiting += 1
            if key in self._jobs:
                self._jobs[key].append(job)
            else:
                self._jobs[key] = deque([job])
                self._ready.append(key)
                self._changed.notify()
            return True

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """While an event arrives no job is begun: acknowledge first, work after."""
        with self._changed:
            self._arriving += 1
        try:
            yield
        finally:
            with self._changed:
                self._arriving -= 1
                if not self._arriving:
                    self._changed.notify_all()

    def join(self, seconds: float | None = None) -> bool:
        """Waits until nothing waits or runs; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._running, seconds)

    def close(self, seconds: float = 10.0) -> None:
        """Lets what runs come to its end, but no longer than so many seconds in all.

        What waits stays claimed, for whoever starts next.
        """
        until = time.monotonic() + seconds
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._closed)
                self._changed.wait_for(lambda: not self._arriving or self._closed, ARRIVAL_SECONDS)
                if self._closed:
                    return
                if not self._ready:
                    continue  # another took it meanwhile
                key = self._ready.popleft()
                job = self._jobs[key].popleft()
                self._waiting -= 1
                self._running += 1
            try:
                job()
            except Exception:
                log.exception("A job failed")
            with self._changed:
                self._running -= 1
                if self._jobs[key]:
                    self._ready.append(key)
                else:
                    del self._jobs[key]
                self._changed.notify_all()
