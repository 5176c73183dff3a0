"""A Slack for each test, and small HTTP apps for it to talk to."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any

import pytest

from brandbot import Bot
from connectors.slack.app import SlackApp, build
from tests.browser.scripted import ScriptedEngine, make_workspace, opening
from tests.slack.office import Office, over_http
from tests.slack.server import SlackServer

Answering = Callable[[dict[str, str], str], tuple[int, dict[str, str], str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """slack_sdk's Socket Mode clients leave the sockets of broken connections unclosed."""
    ours = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(ours)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    # slack_sdk would ask a proxy for 127.0.0.1, too.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with SlackServer() as server:
        yield server
    if server.count("apps.connections.open"):
        gc.collect()  # such sockets go now, not in somebody else's test


@contextlib.contextmanager
def listening(answering: Answering) -> Iterator[str]:
    """The URL of an app that answers each POST, given headers and body, with status, headers and
    body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, headers, body = answering(dict(self.headers.items()), raw)
            with contextlib.suppress(OSError):  # Slack may have given up waiting
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    class Listening(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 1024

    with Listening(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/slack/events"
        server.shutdown()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bot, ScriptedEngine]]:
    """A bot over two small brands, ``acme`` (trained, English) and ``bruma`` (Spanish)."""
    engine = ScriptedEngine()
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("brandbot.engines.pool.open_engine", opening(engine))
    bot = Bot(make_workspace(tmp_path))
    yield bot, engine
    engine.reset()
    bot.close()


def opened(slack: SlackServer, bot: Bot, **settings: Any) -> SlackApp:
    """The app, in ``slack``, as ``brandbot serve`` opens it."""
    return build(
        bot, token=slack.bot_token, signing_secret=slack.signing_secret, api_url=slack.url,
        persona="acme", **settings,
    )  # fmt: skip


@pytest.fixture
def office(slack: SlackServer, house: tuple[Bot, ScriptedEngine]) -> Iterator[Office]:
    bot, engine = house
    app = opened(slack, bot)
    with over_http(app, slack.signing_secret) as url:
        slack.deliver_http(url)
        yield Office(slack, bot, engine, app)
        engine.go()
    app.close()
