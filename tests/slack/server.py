"""A small Slack on 127.0.0.1 for tests: Web API, events, interactions, Socket Mode.

It keeps its state in memory (``state``), answers slack_sdk's and slack_bolt's own clients
(``web_api``, ``conversations``, ``streams``, ``views``) and tells the app what people do
(``people``, ``interactions``), over HTTP (``delivery``) or Socket Mode (``socket_mode``). It does not know: files' contents, search, rate
limits of its own accord (``rate_limit`` asks for them), several workspaces, OAuth.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from tests.slack import conversations, delivery, events, streams, views, web_api
from tests.slack.delivery import Answer, HttpDelivery
from tests.slack.http_server import Listening
from tests.slack.interactions import Interactions
from tests.slack.socket_mode import SocketMode
from tests.slack.state import Call, Delivery, Json

__all__ = ["METHODS", "Fault", "SlackServer"]

METHODS = (conversations, streams, views, web_api)
"""The modules that register the Web API's methods."""


@dataclass
class Fault:
    """What goes wrong with the next ``times`` calls of a method."""

    kind: str
    times: int
    error: str = ""
    retry_after: int = 1


class SlackServer(Interactions):
    """Use it as a context manager. What people do is in ``People`` and ``Interactions``, what to
    read in ``Workspace``."""

    def __init__(self) -> None:
        super().__init__()
        self.streaming = True
        self.stream_error = "method_not_supported_for_channel_type"
        self.stream_limit = 12_000
        self.expire_stream_after: int | None = None
        self.ack_seconds = 3.0
        self.trigger_seconds = 3.0
        self.retry_delays: tuple[float, ...] = (0.0, 0.05, 0.1)
        self.port = 0
        self.sockets = SocketMode(self)
        self._faults: dict[str, list[Fault]] = {}
        self._held: dict[str, threading.Event] = {}
        self._pending = 0
        self._http: HttpDelivery | None = None
        self._pool = ThreadPoolExecutor(32, "slack delivery")
        self._listening: Listening | None = None

    # Running

    def __enter__(self) -> SlackServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._held.values():
            held.set()
        if self._http:
            self._http.stopping.set()
        self.stop()
        self._pool.shutdown(cancel_futures=True)

    def start(self) -> None:
        """Listens, on the same port as before if there was one."""
        self._listening = Listening(self, self.port)
        self.port = self._listening.server_address[1]
        serve = self._listening.serve_forever
        threading.Thread(target=serve, args=(0.02,), name="slack", daemon=True).start()
        self.sockets.start()

    def stop(self) -> None:
        """Slack is gone: no new connection is taken, open ones break. ``start`` brings it back."""
        if self._listening:
            self._listening.shutdown()
            self._listening.server_close()
            self._listening = None
            self.sockets.stop()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """For ``WebClient(base_url=…)`` and SLACK_API_URL."""
        return f"{self.base}/api/"

    # What goes wrong

    def granted(self) -> list[str]:
        return [scope for scope in self.scopes if scope not in self.missing_scope]

    def fail(self, method: str, error: str = "internal_error", times: int = 1) -> None:
        self._faults.setdefault(method, []).append(Fault("error", times, error))

    def rate_limit(self, method: str, times: int = 1, retry_after: int = 1) -> None:
        """HTTP 429 with Retry-After: https://docs.slack.dev/apis/web-api/rate-limits"""
        self._faults.setdefault(method, []).append(Fault("limit", times, "", retry_after))

    def fail_with_page(self, method: str, times: int = 1) -> None:
        """HTTP 503 with a page for people, as servers answer that are down."""
        self._faults.setdefault(method, []).append(Fault("page", times))

    def break_connection_on(self, method: str, times: int = 1, *, after: bool = False) -> None:
        """The connection ends without an answer; ``after`` the call has been carried out."""
        kind = "break after" if after else "break"
        self._faults.setdefault(method, []).append(Fault(kind, times))

    @contextlib.contextmanager
    def hold(self, method: str) -> Iterator[None]:
        """Calls of a method are logged, and wait until the block is left."""
        released = self._held[method] = threading.Event()
        try:
            yield
        finally:
            del self._held[method]
            released.set()

    def _fault(self, method: str) -> Fault | None:
        with self.changed:
            found = [fault for fault in self._faults.get(method, []) if fault.times > 0]
            if not found:
                return None
            found[0].times -= 1
            return found[0]

    def handle(self, name: str, arguments: Json, token: str | None) -> tuple[int, Json] | None:
        """(HTTP status, body) of an API call, None if its connection ends."""
        call = Call(name, arguments, token, time.monotonic())
        self.log(call)
        if name in self._held:
            self._held[name].wait()
        fault = self._fault(name)
        if fault and fault.kind != "break after":
            call.error = fault.error or {"limit": "ratelimited"}.get(fault.kind, "no answer")
            if fault.kind == "break":
                return None
            if fault.kind == "page":
                return 503, {"page": "<html>Service Unavailable</html>"}
            status = 429 if fault.kind == "limit" else 200
            body: Json = {"ok": False, "error": call.error}
            return status, body | ({"retry_after": fault.retry_after} if status == 429 else {})
        try:
            body = web_api.answer(self, name, arguments, token)
        except web_api.SlackError as error:
            call.error, body = error.error, error.body
        return None if fault else (200, body)

    # Telling the app

    def deliver_http(self, url: str) -> None:
        """From now on everything goes to this URL, and nothing over Socket Mode."""
        self._http = HttpDelivery(self, url)

    def verify_url(self) -> bool:
        """What Slack does when the URL is typed in: whether the app repeats the challenge."""
        challenge = f"challenge-{self.next_number()}"
        body = {"token": events.TOKEN, "challenge": challenge, "type": "url_verification"}
        answer = self._over_http().send("event", body)
        said = answer.body.get("challenge") if isinstance(answer.body, dict) else answer.body
        return answer.status == 200 and said == challenge

    def sign(self, body: str | bytes, timestamp: int | str | None = None) -> dict[str, str]:
        return delivery.sign(self.signing_secret, body, timestamp)

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Sends the app something made by hand."""
        return self._over_http().post(body, headers)

    def subscribed(self, event: Json) -> bool:
        """Whether the app is told: it must have asked, and be where it happened."""
        place = self.channels.get(str(event.get("channel")))
        return events.subscription(self, event) in self.subscriptions and (
            place is None or self.bot_user in place.members
        )

    def kept(self, event: Json) -> Json:
        """An event in its envelope, which ``redeliver`` will find."""
        body = events.enveloped(self, event)
        with self.changed:
            self.events.append(body)
        return body

    def emit(self, event: Json) -> Json | None:
        """Tells the app in the background; gives what it is told, None if it did not subscribe."""
        if not self.subscribed(event):
            return None
        body = self.kept(event)
        with self.changed:
            self._pending += 1
        if self._http:
            told = self._pool.submit(self._http.event, body)
        else:
            told = self.sockets.send("event", body)
        told.add_done_callback(lambda _: self._done())
        return body

    def ask(self, kind: str, body: Json) -> Answer:
        """Tells the app what somebody did and waits for its answer, as that person does."""
        if self._http:
            return self._http.send(kind, body)
        if not self.sockets.connections:
            return Answer(0, 0.0, reason="connection_failed")
        return self.sockets.send(kind, body).result(self.ack_seconds + 10)

    def deliver_many(self, bodies: list[Json], parallel: int = 32) -> list[Answer]:
        """Hands over many events at once (see ``said``) and waits; the answers in their order."""
        if self._http:
            with ThreadPoolExecutor(parallel, "slack many") as pool:
                return list(pool.map(self._http.event, bodies))
        told = [self.sockets.send("event", body) for body in bodies]
        wait(told)
        return [future.result() for future in told]

    def redeliver(self, event_id: str, retry_num: int = 1, reason: str = "http_timeout") -> Answer:
        """Hands over an event again that the app had before."""
        body = next((b for b in self.events if b["event_id"] == event_id), None)
        if body is None:
            raise LookupError(f"No event {event_id}")
        if self._http:
            return self._http.send("event", body, retry_num, reason)
        return self.sockets.send("event", body, retry_num).result(self.ack_seconds + 10)

    def disconnect(self, reason: str = "refresh_requested", *, at_once: bool = False) -> None:
        """Slack asks the app to connect anew. Unless it hangs up ``at_once``, slack_sdk's
        websocket_client adapter takes ten seconds for that, the built-in client up to three."""
        self.sockets.disconnect(reason, at_once=at_once)

    def delivered(self, attempt: Delivery) -> None:
        with self.changed:
            self.deliveries.append(attempt)
            self.changed.notify_all()

    def settle(self, seconds: float = 10.0) -> None:
        """Waits until the app has taken, or refused for good, all that it was told."""
        self.wait_for(lambda: self._pending == 0, seconds)

    def _done(self) -> None:
        with self.changed:
            self._pending -= 1
            self.changed.notify_all()

    def _over_http(self) -> HttpDelivery:
        if self._http is None:
            raise RuntimeError("deliver_http(url) comes first")
        return self._http
