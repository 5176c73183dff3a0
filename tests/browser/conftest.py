"""A real server with a scripted engine, and a real Chromium."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from brandbot import Bot
from tests.browser.scripted import ScriptedEngine, make_workspace, opening, tidy

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page


# Gradio counts its events in ways that newer pandas calls deprecated; as an error, this
# would break its queue. Nothing of ours uses pandas.
GRADIO_WARNS = pytest.mark.filterwarnings("ignore:(.*no_silent_downcasting|The copy keyword)")


@dataclass(frozen=True)
class Studio:
    url: str
    bot: Bot
    engine: ScriptedEngine


class Guest:
    """Somebody with a browser of their own: what went wrong in it, and who else was asked."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.errors: list[str] = []
        self.outside: list[str] = []
        context.on("request", lambda request: self._note(request.url))
        self.page = self.another()

    def another(self) -> Page:
        """A tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def brand(self, name: str) -> None:
        """Chooses a brand at the side, which folds away on a phone."""
        from playwright.sync_api import expect

        if not self.page.locator("#side").is_visible():
            self.page.locator("#fold").click()
        self.page.locator(f"#brand label:has-text('{name}')").click()
        expect(self.page.locator("#header h1")).to_have_text(name)

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.outside.append(url)


def nameless(page: Page) -> Any:
    """The controls in sight that nobody who hears the page could tell apart."""
    return page.evaluate(
        """() => [...document.querySelectorAll('button, input, textarea, a')]
            .filter((e) => e.offsetParent !== null)
            .filter((e) => !(e.getAttribute('aria-label') || e.title || e.innerText.trim()
                || e.placeholder || e.labels?.[0]?.innerText.trim()
                || e.getAttribute('aria-labelledby')))
            .map((e) => e.outerHTML.slice(0, 120))"""
    )


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
        patch.setattr("brandbot.engines.pool.open_engine", opening(engine))
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
            for thread in threading.enumerate():  # replies that are being scored
                if thread.name.startswith("score "):
                    thread.join()
            bot.close()


@pytest.fixture
def studio(served: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    # Another fixture may move the home for each test; the server's stays where it is.
    monkeypatch.setenv("BRANDBOT_HOME", str(served.bot.workspace.root / "home"))
    served.engine.reset()
    yield served
    served.engine.reset()
