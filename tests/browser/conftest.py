"""A real server with a scripted engine, and a real Chromium."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from brandbot import Bot
from tests.browser.scripted import ScriptedEngine, make_workspace, opening, tidy

CHROMIUM = Path("/usr/bin/chromium")


@dataclass(frozen=True)
class Studio:
    url: str
    bot: Bot
    engine: ScriptedEngine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# Not for the session: the engine stands in only as long as these tests run.
@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    from connectors.studio import start

    root = tmp_path_factory.mktemp("studio")
    engine = ScriptedEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRANDBOT_HOME", str(root / "home"))
        patch.setattr("brandbot.bot.open_engine", opening(engine))
        bot = Bot(make_workspace(root))
        _ = bot.log  # opened here: its place is the one set above
        port = free_port()
        with tidy():
            blocks = start(bot, port=port)
        try:
            yield Studio(f"http://127.0.0.1:{port}/", bot, engine)
        finally:
            engine.reset()
            blocks.close(verbose=False)
            bot.close()


@pytest.fixture
def studio(served: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    # Another fixture may move the home for each test; the server's stays where it is.
    monkeypatch.setenv("BRANDBOT_HOME", str(served.bot.workspace.root / "home"))
    served.engine.reset()
    yield served
    served.engine.reset()


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing. Install it with: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()
