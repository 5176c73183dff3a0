"""What Slack sends, as what brandbot needs of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

SAID = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes of messages that a person wrote; all others are Slack's own, or edits."""


@dataclass(frozen=True)
class Question:
    """A message that is for the bot. ``thread`` is the message that its thread hangs on.

    ``event`` is what is claimed: the message's name.
    """

    event: str
    team: str
    channel: str
    ts: str
    thread: str
    user: str
    text: str
    direct: bool
    threaded: bool

    @property
    def author(self) -> str:
        return author(self.team, self.user)

    @property
    def message_id(self) -> str:
        return message_id(self.team, self.channel, self.ts)

    @property
    def place(self) -> str:
        """Where its conversation is held: a thread, or a direct talk as a whole."""
        whole = self.direct and not self.threaded
        return room(self.team, self.channel) + ("" if whole else f":{self.thread}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def room(team: str, channel: str) -> str:
    return f"slack:{team}:{channel}"


def author(team: str, user: str) -> str:
    return f"slack:{team}:{user}"


def message_id(team: str, channel: str, ts: str) -> str:
    return f"slack:{team}:{channel}:{ts}"


def question(
    body: Mapping[str, Any], bot_user: str, follows: Callable[[str, str], bool]
) -> Question | None:
    """The message in an event that is for the bot, or None.

    A mention, or anything in a direct talk; in a thread without a mention only where
    ``follows(room, place)`` says so. Never what a bot wrote.
    """
    event = body.get("event") or {}
    kind, user = event.get("type"), event.get("user")
    if kind not in ("app_mention", "message") or event.get("subtype") not in SAID:
        return None
    if not user or user in (bot_user, "USLACKBOT") or event.get("bot_id"):
        return None
    channel, ts = str(event.get("channel", "")), str(event.get("ts", ""))
    if not channel or not ts or not body.get("event_id"):
        return None
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    team = str(body.get("team_id") or event.get("team") or "")
    found = Question(
        # Not the event's own id: whatever Slack tells of a message, an edit of a mention too, it
        # is answered once.
        event=message_id(team, channel, ts),
        team=team,
        channel=channel,
        ts=ts,
        thread=str(event.get("thread_ts") or ts),
        user=str(user),
        text=str(event.get("text") or ""),
        direct=direct,
        threaded=bool(event.get("thread_ts")),
    )
    if kind == "app_mention":
        return None if direct else found  # a direct talk sends its message besides
    if direct:
        return found
    if not found.threaded or f"<@{bot_user}>" in found.text:
        return None  # a mention comes as an event of its own
    return found if follows(room(team, channel), found.place) else None


@dataclass(frozen=True)
class Change:
    """A message was edited, or deleted (``text`` is None then)."""

    message_id: str
    text: str | None


def change(body: Mapping[str, Any], bot_user: str) -> Change | None:
    """What a person, or whoever may, did to a message; None if it was the bot's own doing."""
    event = body.get("event") or {}
    if event.get("type") != "message":
        return None
    team, channel = str(body.get("team_id") or ""), str(event.get("channel", ""))
    if event.get("subtype") == "message_deleted":
        ts = event.get("deleted_ts") or (event.get("previous_message") or {}).get("ts")
        return Change(message_id(team, channel, str(ts)), None) if ts else None
    if event.get("subtype") == "message_changed":
        message = event.get("message") or {}
        if message.get("subtype") == "tombstone":  # deleted, but its thread stays
            return Change(message_id(team, channel, str(message.get("ts"))), None)
        if message.get("bot_id") or message.get("user") in (bot_user, None):
            return None
        name = message_id(team, channel, str(message.get("ts")))
        return Change(name, str(message.get("text") or ""))
    return None
