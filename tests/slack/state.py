"""What the test Slack knows: people, channels, messages, and what was asked of it.

Everything is read and written under one lock; each change wakes ``Workspace.wait_for``.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "reactions:write",
    "team:read",
    "users:read",
)
SUBSCRIPTIONS = (
    "app_home_opened",
    "app_mention",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "message.channels",
    "message.im",
    "message.mpim",
)
HISTORY = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
"""A channel's type in events, and its name in scopes (``im:history``) and subscriptions."""


@dataclass
class Call:
    """One request to the Web API; ``error`` is what it was answered with, None if it went well."""

    method: str
    arguments: Json
    token: str | None
    when: float
    error: str | None = None


@dataclass
class Delivery:
    """One attempt to hand something to the app. ``status`` 0: no answer in time, or none at all.

    ``event_id`` is that of an event, or the trigger of an interaction or command.
    """

    event_id: str
    kind: str
    status: int
    seconds: float
    retry: int = 0


@dataclass
class Channel:
    id: str
    name: str
    kind: str = "channel"
    user: str | None = None
    members: set[str] = field(default_factory=set)
    archived: bool = False


@dataclass
class Message:
    """``versions`` holds every text it has had, oldest first; ``mode`` how it was streamed."""

    ts: str
    channel: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[Json] = field(default_factory=list)
    edited: Json | None = None
    deleted: bool = False
    streaming: bool = False
    metadata: Json | None = None
    subtype: str | None = None
    files: list[Json] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    chunks: list[Json] = field(default_factory=list)
    mode: str | None = None
    appends: int = 0
    stopped_by_user: bool = False
    title: str | None = None


@dataclass
class Ephemeral:
    """A message that only ``user`` sees, until the next reload."""

    channel: str
    user: str
    text: str
    blocks: list[Json]
    thread_ts: str | None
    ts: str


@dataclass
class Status:
    channel: str
    thread_ts: str
    status: str
    loading_messages: list[str] = field(default_factory=list)


@dataclass
class Prompts:
    channel: str
    thread_ts: str | None
    title: str | None
    prompts: list[Json]


@dataclass
class ResponseUrl:
    """https://docs.slack.dev/interactivity/handling-user-interaction#message_responses: five uses."""

    channel: str
    user: str
    message_ts: str | None
    uses: int = 0


class Workspace:
    """One workspace with one app in it, two people (Ana, Ben) and the channel #general."""

    bot_token = "xoxb-of-the-test-server"
    app_token = "xapp-of-the-test-server"
    signing_secret = "signing-secret-of-the-test-server"
    team = "T0BRAND01"
    app_id = "A0BRAND01"
    bot_user = "U0BOT0001"
    bot_id = "B0BOT0001"
    domain = "brand"

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.scopes: list[str] = list(SCOPES)
        self.missing_scope: set[str] = set()
        self.subscriptions: set[str] = set(SUBSCRIPTIONS)
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.calls: list[Call] = []
        self.deliveries: list[Delivery] = []
        self.events: list[Json] = []
        self.ephemerals: list[Ephemeral] = []
        self.statuses: list[Status] = []
        self.prompts: list[Prompts] = []
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.triggers: dict[str, float] = {}
        self._messages: dict[str, dict[str, Message]] = {}
        self._counted: Counter[str] = Counter()
        self._number = 100
        self._working: dict[tuple[str, str], str] = {}
        self.add_user(self.bot_user, "brandbot", is_bot=True)
        self.ana = self.add_user("U0ANA0001", "ana")
        self.ben = self.add_user("U0BEN0001", "ben")
        self.general = self.add_channel("C0GENERAL", "general")

    # Making things

    def next_number(self) -> int:
        with self.changed:
            self._number += 1
            return self._number

    def new_ts(self) -> str:
        """A message's id: unique in its channel, always increasing, whatever the clock says."""
        seconds, micros = divmod(self.next_number(), 1_000_000)
        return f"{1_700_000_000 + seconds}.{micros:06d}"

    def add_user(self, user: str, name: str, **more: Any) -> str:
        """https://docs.slack.dev/reference/objects/user-object"""
        profile = {"real_name": name.title(), "display_name": name, "email": f"{name}@example.com"}
        self.users[user] = {
            "id": user, "team_id": self.team, "name": name, "deleted": False,
            "real_name": name.title(), "tz": "Europe/Madrid", "tz_offset": 3600,
            "is_bot": False, "is_restricted": False, "is_ultra_restricted": False,
            "profile": profile, "locale": "en-US", **more,
        }  # fmt: skip
        return user

    def add_channel(
        self, channel: str, name: str, *, kind: str = "channel", with_bot: bool = True
    ) -> str:
        """``kind``: channel, group (a private one) or mpim."""
        members = set(self.users) if with_bot else set(self.users) - {self.bot_user}
        self.channels[channel] = Channel(channel, name, kind, members=members)
        return channel

    def dm(self, user: str) -> str:
        """The conversation between the app and a user; it comes into being when it is needed."""
        if user not in self.users:
            raise LookupError(f"No user {user!r}; add_user first. There are: {sorted(self.users)}")
        channel = "D" + user[1:]
        with self.changed:
            if channel not in self.channels:
                self.channels[channel] = Channel(
                    channel, "directmessage", "im", user, {user, self.bot_user}
                )
        return channel

    def put(self, message: Message) -> Message:
        """Keeps a message; one of the app's clears the status of its thread, as Slack does."""
        with self.changed:
            message.versions.append(message.text)
            self._messages.setdefault(message.channel, {})[message.ts] = message
            if message.user == self.bot_user:
                self._working.pop((message.channel, message.thread_ts or message.ts), None)
            self.changed.notify_all()
        return message

    def rewrite(self, message: Message, text: str) -> None:
        with self.changed:
            message.text = text
            message.versions.append(text)
            self.changed.notify_all()

    def set_status(self, status: Status) -> None:
        with self.changed:
            self.statuses.append(status)
            self._working[status.channel, status.thread_ts] = status.status
            self.changed.notify_all()

    def log(self, call: Call) -> None:
        with self.changed:
            self.calls.append(call)
            self._counted[call.method] += 1
            self.changed.notify_all()

    # Reading, for tests

    def find(self, channel: str, ts: str) -> Message | None:
        """The message itself, deleted ones too."""
        return self._messages.get(channel, {}).get(ts)

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """Copies, oldest first: of all messages of a channel, its threads' and deleted ones
        included, or of one thread and its parent."""
        with self.changed:
            return [
                replace(message, versions=list(message.versions), blocks=list(message.blocks))
                for message in self._messages.get(channel, {}).values()
                if thread_ts is None or thread_ts in (message.ts, message.thread_ts)
            ]

    def replies(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """The app's messages that still stand, of a channel or of one thread."""
        found = self.messages(channel, thread_ts)
        return [m for m in found if m.user == self.bot_user and not m.deleted]

    def status(self, channel: str, thread_ts: str) -> str:
        """What the thread says the app is doing now; "" when nothing."""
        return self._working.get((channel, thread_ts), "")

    def calls_of(self, *methods: str) -> list[Call]:
        with self.changed:
            return [call for call in self.calls if call.method in methods]

    def count(self, method: str) -> int:
        """How often a method was called; quick with ten thousand calls, too."""
        return self._counted[method]

    def wait_for(self, predicate: Callable[[], T], seconds: float = 10.0) -> T:
        """Waits until ``predicate`` is true and returns its value.

        It is asked again after each change of the server, and of nothing else: it should read
        this server. Raises TimeoutError with the last calls and deliveries.
        """
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (found := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(self._told(seconds))
                self.changed.wait(left)
            return found

    def _told(self, seconds: float) -> str:
        calls = [f"  {c.method} {c.error or 'ok'} {str(c.arguments)[:200]}" for c in self.calls]
        deliveries = [f"  {delivery}" for delivery in self.deliveries]
        told = [f"Not within {seconds} s. The last calls:", *calls[-12:]]
        return "\n".join([*told, "The last deliveries:", *deliveries[-6:]])
