"""Slack's side of Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode.

WebSocket frames (RFC 6455) are read and written by hand: two small functions, and no library.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import TYPE_CHECKING

from tests.slack.delivery import Answer, name_of
from tests.slack.state import Delivery, Json

if TYPE_CHECKING:
    from tests.slack.server import SlackServer

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TYPES = {"event": "events_api", "interactive": "interactive", "command": "slash_commands"}
MOST_RETRIES = 3


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(f"{key}{MAGIC}".encode()).digest()).decode()


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame of the server's, which are not masked."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def frames(stream: BufferedIOBase) -> Iterator[tuple[int, bytes]]:
    """(opcode, payload) of each of the client's messages, until the connection ends."""
    opcode, collected = 0, b""
    while len(head := stream.read(2)) == 2:
        final, kind, size = head[0] & 0x80, head[0] & 0x0F, head[1] & 0x7F
        if size > 125:
            size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
        mask = stream.read(4) if head[1] & 0x80 else bytes(4)
        masked = stream.read(size)
        if len(masked) < size:
            return
        key = (mask * (size // 4 + 1))[:size]
        payload = (int.from_bytes(masked, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        if kind >= CLOSE:
            yield kind, payload
            continue
        opcode, collected = kind or opcode, collected + payload
        if final:
            yield opcode, collected
            collected = b""


@dataclass(eq=False)
class Connection:
    socket: socket.socket
    open: bool = True
    pongs: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, opcode: int, payload: bytes) -> bool:
        try:
            with self.lock:
                self.socket.sendall(frame(opcode, payload))
        except OSError:
            self.open = False
        return self.open

    def drop(self) -> None:
        """Ends the connection without a word."""
        self.open = False
        with contextlib.suppress(OSError):  # it is gone already
            self.socket.shutdown(socket.SHUT_RDWR)


@dataclass
class Envelope:
    kind: str
    body: Json
    answer: Future[Answer]
    begun: float = 0.0
    attempt: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    over: Connection | None = None

    def written(self) -> bytes:
        found: Json = {
            "envelope_id": self.id,
            "payload": self.body,
            "type": TYPES[self.kind],
            "accepts_response_payload": self.kind != "event",
        }
        if self.kind == "event":
            reason = "timeout" if self.attempt else ""
            found |= {"retry_attempt": self.attempt, "retry_reason": reason}
        return json.dumps(found).encode()


class SocketMode:
    """All connections of the app. An envelope goes to one of them, in turn, and again to another
    if it is not acknowledged in time or its connection ends."""

    def __init__(self, slack: SlackServer) -> None:
        self.slack = slack
        self.connections: list[Connection] = []
        self.answer_pings = True
        self._leaving: list[Connection] = []
        self._tickets: set[str] = set()
        self._waiting: deque[Envelope] = deque()
        self._sent: dict[str, Envelope] = {}
        self._turn = 0
        self._running = False
        self._thread: threading.Thread | None = None

    # Connections

    def ticket(self) -> str:
        """A URL for one connection."""
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self.slack.port}/link/?ticket={ticket}&app_id={self.slack.app_id}"

    def redeem(self, ticket: str) -> bool:
        known = ticket in self._tickets
        self._tickets.discard(ticket)
        return known

    def serve(self, connected: socket.socket, stream: BufferedIOBase) -> None:
        """Holds one connection until it ends."""
        connection = Connection(connected)
        with self.slack.changed:
            number = len(self.connections) + 1
            connection.send(TEXT, json.dumps(self._hello(number)).encode())
            self.connections.append(connection)
            leaving, self._leaving = self._leaving, []
            self.slack.changed.notify_all()
        for old in leaving:
            old.send(CLOSE, struct.pack("!H", 1000))
        try:
            for opcode, payload in frames(stream):
                if opcode == TEXT:
                    self._acknowledged(payload)
                elif opcode == PING and self.answer_pings:
                    connection.send(PONG, payload)
                elif opcode == PONG:
                    self._ponged(connection)
                elif opcode == CLOSE:
                    connection.send(CLOSE, payload)
                    break
        except OSError:
            pass  # the client is gone
        finally:
            self._ended(connection)

    def disconnect(self, reason: str, *, at_once: bool) -> None:
        """Announces the end to all connections: they get nothing more, and end ``at_once`` or when
        the app has opened another."""
        said: Json = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink"}}
        with self.slack.changed:
            leaving, self.connections = self.connections, []
            self._return(leaving)
            self._leaving += [] if at_once else leaving
        for connection in leaving:
            connection.send(TEXT, json.dumps(said).encode())
            if at_once:
                connection.send(CLOSE, struct.pack("!H", 1000))

    def ping(self) -> None:
        for connection in list(self.connections):
            connection.send(PING, b"Ping from the test server")

    # Envelopes

    def send(self, kind: str, body: Json, attempt: int = 0) -> Future[Answer]:
        envelope = Envelope(kind, body, Future())
        with self.slack.changed:
            # What finds no connection has been tried once when it arrives at last.
            envelope.attempt = attempt or (0 if self.connections else 1)
            envelope.begun = time.monotonic()
            self._waiting.append(envelope)
            self.slack.changed.notify_all()
        return envelope.answer

    def start(self) -> None:
        self._running = True
        self._thread = threading.Thread(target=self._run, name="slack socket mode", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Drops all connections; what was not acknowledged stays for the next."""
        with self.slack.changed:
            self._running = False
            dropped = self.connections + self._leaving
            self.connections, self._leaving = [], []
            self._return(dropped)
            self._tickets.clear()
            self.slack.changed.notify_all()
        for connection in dropped:
            connection.drop()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self.slack.changed:
                while self._running and not (self._waiting and self.connections):
                    self._overdue()
                    if self._waiting and self.connections:
                        break
                    self.slack.changed.wait(self._patience())
                if not self._running:
                    return
                envelope = self._waiting.popleft()
                self._turn += 1
                envelope.over = self.connections[self._turn % len(self.connections)]
                envelope.begun = time.monotonic()
                self._sent[envelope.id] = envelope
            if not envelope.over.send(TEXT, envelope.written()):
                self._ended(envelope.over)

    def _patience(self) -> float | None:
        """Seconds until the envelope that was sent first is overdue: ``_sent`` is in that order."""
        first = next(iter(self._sent.values()), None)
        if first is None:
            return None
        return max(0.0, first.begun + self.slack.ack_seconds - time.monotonic())

    def _overdue(self) -> None:
        """Sends again what was not acknowledged in time; only events, and only so often."""
        limit = time.monotonic() - self.slack.ack_seconds
        while (envelope := next(iter(self._sent.values()), None)) and envelope.begun <= limit:
            del self._sent[envelope.id]
            self._log(envelope, 0)
            if envelope.kind == "event" and envelope.attempt < MOST_RETRIES:
                envelope.attempt += 1
                self._waiting.append(envelope)
            else:
                seconds = time.monotonic() - envelope.begun
                envelope.answer.set_result(Answer(0, seconds, reason="timeout"))

    def _acknowledged(self, payload: bytes) -> None:
        said = json.loads(payload)
        with self.slack.changed:
            envelope = self._sent.pop(said.get("envelope_id", ""), None)
            if envelope is None:
                return  # too late, or said twice
            self._log(envelope, 200)
            seconds = time.monotonic() - envelope.begun
            envelope.answer.set_result(Answer(200, seconds, said.get("payload")))

    def _log(self, envelope: Envelope, status: int) -> None:
        seconds = time.monotonic() - envelope.begun
        self.slack.delivered(
            Delivery(name_of(envelope.body), envelope.kind, status, seconds, envelope.attempt)
        )

    def _ended(self, connection: Connection) -> None:
        with self.slack.changed:
            connection.open = False
            if connection in self.connections:
                self.connections.remove(connection)
            self._return([connection])
            self.slack.changed.notify_all()

    def _return(self, ended: list[Connection]) -> None:
        """What was sent over connections that end goes to the next, first of all."""
        lost = [e for e in self._sent.values() if e.over in ended]
        for envelope in reversed(lost):
            del self._sent[envelope.id]
            envelope.attempt += 1
            self._waiting.appendleft(envelope)

    def _ponged(self, connection: Connection) -> None:
        with self.slack.changed:
            connection.pongs += 1
            self.slack.changed.notify_all()

    def _hello(self, number: int) -> Json:
        return {
            "type": "hello",
            "num_connections": number,
            "connection_info": {"app_id": self.slack.app_id},
            "debug_info": {"host": "applink", "approximate_connection_time": 18060},
        }
