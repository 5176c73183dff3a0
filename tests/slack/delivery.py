"""Handing events, interactions and commands to an app's URL, as Slack does.

Signatures: https://docs.slack.dev/authentication/verifying-requests-from-slack. Three seconds, three
retries of events (nothing else is tried again): https://docs.slack.dev/apis/events-api#error-handling.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tests.slack.state import Delivery, Json

if TYPE_CHECKING:
    from tests.slack.server import SlackServer

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(frozen=True)
class Answer:
    """What the app answered: ``body`` is parsed if it was JSON. ``status`` 0: nothing, why is in
    ``reason``, in the words of X-Slack-Retry-Reason."""

    status: int
    seconds: float
    body: Any = None
    reason: str | None = None
    no_retry: bool = False

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


def encoded(kind: str, body: Json) -> tuple[bytes, str]:
    """(what is sent, its content type) of an event, an interaction or a command."""
    if kind == "event":
        return json.dumps(body).encode(), JSON
    fields = body if kind == "command" else {"payload": json.dumps(body)}
    return urlencode(fields).encode(), FORM


def sign(secret: str, body: str | bytes, timestamp: int | str | None = None) -> dict[str, str]:
    """The two headers that prove a request to come from Slack."""
    stamp = str(int(time.time()) if timestamp is None else timestamp)
    text = body.encode() if isinstance(body, str) else body
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + text, hashlib.sha256)
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest.hexdigest()}",
    }


def name_of(body: Json) -> str:
    """An event's id, or the trigger that an interaction or command carries."""
    return str(body.get("event_id") or body.get("trigger_id") or "")


class HttpDelivery:
    def __init__(self, slack: SlackServer, url: str) -> None:
        self.slack, self.url = slack, url
        self.stopping = threading.Event()

    def event(self, body: Json) -> Answer:
        """Hands over an event, again and again if need be; the last answer counts."""
        answer = self.send("event", body)
        for retry, delay in enumerate(self.slack.retry_delays, start=1):
            if answer.taken or answer.no_retry or self.stopping.wait(delay):
                break
            answer = self.send("event", body, retry, answer.reason)
        return answer

    def send(self, kind: str, body: Json, retry: int = 0, reason: str | None = None) -> Answer:
        """One attempt, logged in ``deliveries``."""
        raw, content_type = encoded(kind, body)
        headers = {"Content-Type": content_type, **sign(self.slack.signing_secret, raw)}
        if retry:
            headers["X-Slack-Retry-Num"] = str(retry)
            headers["X-Slack-Retry-Reason"] = reason or "http_timeout"
        answer = self.post(raw, headers)
        self.slack.delivered(Delivery(name_of(body), kind, answer.status, answer.seconds, retry))
        return answer

    def post(self, raw: bytes, headers: dict[str, str]) -> Answer:
        parts, begun = urlsplit(self.url), time.monotonic()
        connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port, timeout=self.slack.ack_seconds
        )
        headers = {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)", **headers}
        try:
            connection.request("POST", parts.path or "/", raw, headers)
            response = connection.getresponse()
            text = response.read().decode()
            no_retry = response.headers.get("X-Slack-No-Retry") == "1"
            reason = None if 200 <= response.status < 300 else "http_error"
            body = _parsed(text)
            return Answer(response.status, time.monotonic() - begun, body, reason, no_retry)
        except TimeoutError:
            return Answer(0, time.monotonic() - begun, reason="http_timeout")
        except (OSError, http.client.HTTPException):
            return Answer(0, time.monotonic() - begun, reason="connection_failed")
        finally:
            connection.close()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
