"""A Slack in which brandbot works: the real app, bot and log; only the model's words are scripted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from brandbot import Bot, Turn
from brandbot.conversations import read_turns
from brandbot.database import claims, turns
from connectors.slack.app import SlackApp
from connectors.slack.server import PATH, route
from tests.browser.scripted import ScriptedEngine
from tests.slack.server import SlackServer
from tests.slack.state import Message


@dataclass
class Office:
    """``slack`` is the server, ``app`` what serves it; people are in ``slack.general``."""

    slack: SlackServer
    bot: Bot
    engine: ScriptedEngine
    app: SlackApp

    def ask(self, text: str, *, user: str = "", thread: str | None = None) -> Message:
        """Somebody mentions the bot in the channel; the message, once Slack has delivered it."""
        said = self.slack.say(
            user or self.slack.ana, self.slack.general, text, thread, mention=True
        )
        self.slack.settle()
        return said

    def quiet(self, seconds: float = 20.0) -> None:
        """Waits until everything that was asked is answered."""
        self.slack.settle(seconds)
        until = time.monotonic() + seconds
        # An event is acknowledged before it is queued, but never before it is claimed.
        talk = self.app.talk
        while not talk.errands.join(0) or self.claimed() or not talk.work.join(0):
            assert time.monotonic() < until, f"the bot still works: {self.claimed()}"
            with self.slack.changed:
                self.slack.changed.wait(0.02)

    def eventually(self, holds: Callable[[], bool], seconds: float = 10.0) -> None:
        """Waits for what happens in the log, after an event was acknowledged."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it did not come to pass"
            with self.slack.changed:
                self.slack.changed.wait(0.02)

    def claimed(self) -> list[str]:
        """Events that were taken and not answered yet."""
        query = select(claims.c.event).where(claims.c.state == "claimed")
        return self.bot.log.database.run(lambda c: list(c.execute(query).scalars()))

    def answers(self, said: Message) -> list[Message]:
        """The bot's messages in a message's thread, once it has answered all it was asked."""
        self.quiet()
        return self.slack.replies(said.channel, said.thread_ts or said.ts)

    def turns(self) -> list[Turn]:
        """Every logged turn that stands, in the order of its number."""
        return self.bot.log.database.run(lambda c: read_turns(c, turns.c.retired.is_(False)))


def beat(app: SlackApp) -> None:
    """What a beat of the claims does, without waiting for it."""
    for left in app.talk.claims.left():
        app.talk.take_over(left.event, left.payload, left.posted)


@contextmanager
def over_http(app: SlackApp, secret: str) -> Iterator[str]:
    """The app behind a real web server; its URL for Slack's requests."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        config = uvicorn.Config(
            Starlette(routes=[route(app, secret)]), log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"
        finally:
            server.should_exit = True
            thread.join()


def text_of(message: Message) -> str:
    """What a message says: its Markdown block if it has one, else its text."""
    shown = [b["text"] for b in message.blocks or [] if b.get("type") == "markdown"]
    return shown[0] if shown else message.text


def buttons(message: Message) -> dict[str, Any]:
    """A message's buttons by their action's name."""
    found: dict[str, Any] = {}
    for block in message.blocks or []:
        for element in block.get("elements") or []:
            if isinstance(element, dict) and element.get("action_id"):
                found[element["action_id"]] = element
    return found
