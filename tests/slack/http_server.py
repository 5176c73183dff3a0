"""The server's port: the Web API, response URLs and the door to Socket Mode, all on one."""

from __future__ import annotations

import json
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.slack import socket_mode
from tests.slack.state import Json

if TYPE_CHECKING:
    from tests.slack.server import SlackServer


class Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, slack: SlackServer, port: int) -> None:
        self.slack = slack
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of the server's business; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listening

    def do_POST(self) -> None:
        slack, parts = self.server.slack, urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        arguments = _arguments(raw, self.headers.get("Content-Type") or "", parts.query)
        if parts.path.startswith("/response/"):
            good = slack.respond(parts.path.removeprefix("/response/"), arguments)
            self._reply(200 if good else 404, b"ok" if good else b"used_url", "text/plain")
            return
        token = str(arguments.pop("token", "")) or self.headers.get("Authorization", "")
        told = slack.handle(
            parts.path.removeprefix("/api/"), arguments, token.removeprefix("Bearer ") or None
        )
        if told is None:
            self.close_connection = True
            return
        status, body = told
        if "page" in body:
            self._reply(status, body["page"].encode(), "text/html")
            return
        headers = {"Retry-After": str(body.pop("retry_after"))} if status == 429 else {}
        if body.get("error") not in ("not_authed", "invalid_auth"):
            headers["X-OAuth-Scopes"] = ",".join(slack.granted())
        self._reply(status, json.dumps(body).encode(), "application/json", headers)

    def do_GET(self) -> None:
        if self.headers.get("Upgrade", "").lower() != "websocket":
            self.do_POST()
            return
        slack = self.server.slack
        ticket = parse_qs(urlsplit(self.path).query).get("ticket", [""])[0]
        self.close_connection = True
        if not slack.sockets.redeem(ticket):
            self._reply(403, b"", "text/plain")
            return
        key = socket_mode.accept_key(self.headers["Sec-WebSocket-Key"])
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", key)
        self.end_headers()
        slack.sockets.serve(self.connection, self.rfile)

    def _reply(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written: the server keeps its own log."""


def _arguments(raw: str, kind: str, query: str) -> Json:
    """A call's arguments, from JSON or a form; a form's values may hold JSON."""
    found: Json = dict(parse_qsl(query, keep_blank_values=True))
    if kind.startswith("application/json"):
        return found | (json.loads(raw) if raw else {})
    found |= dict(parse_qsl(raw, keep_blank_values=True))
    return {name: _read(value) for name, value in found.items()}


def _read(value: str) -> Any:
    if value[:1] not in "[{" or not value:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
