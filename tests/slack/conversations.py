"""Reading channels and threads: https://docs.slack.dev/reference/methods/conversations.replies and
its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.slack import events
from tests.slack.state import Channel, Json, Message
from tests.slack.web_api import SlackError, channel_of, method

if TYPE_CHECKING:
    from tests.slack.server import SlackServer


@method("conversations.replies", "history")
def replies(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    ts = str(arguments.get("ts"))
    root = slack.find(place.id, ts)
    if root is None or root.deleted:
        raise SlackError("thread_not_found")
    thread = [m for m in slack.messages(place.id, ts) if not m.deleted]
    return _page(slack, thread, arguments, keep=root.ts)


@method("conversations.history", "history")
def history(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    found = [m for m in slack.messages(place.id) if not m.deleted]
    top = [m for m in found if m.thread_ts in (None, m.ts)]
    return _page(slack, top[::-1], arguments)


def _page(
    slack: SlackServer, found: list[Message], arguments: Json, keep: str | None = None
) -> Json:
    """One page, of at most 1,000; ``oldest`` and ``latest`` leave a thread's parent in."""
    oldest, latest = arguments.get("oldest"), arguments.get("latest")
    same = str(arguments.get("inclusive")).lower() in ("1", "true")
    if oldest:
        found = [m for m in found if m.ts > oldest or (same and m.ts == oldest) or m.ts == keep]
    if latest:
        found = [m for m in found if m.ts < latest or (same and m.ts == latest) or m.ts == keep]
    start = int(arguments.get("cursor") or 0)
    end = start + min(int(arguments.get("limit") or 100), 1000)
    metadata = str(arguments.get("include_all_metadata")).lower() in ("1", "true")
    pages = [_with_replies(slack, m, metadata) for m in found[start:end]]
    body: Json = {"messages": pages, "has_more": end < len(found)}
    if end < len(found):
        body["response_metadata"] = {"next_cursor": str(end)}
    return body


def _with_replies(slack: SlackServer, message: Message, metadata: bool) -> Json:
    found = events.shown(slack, message, metadata=metadata)
    if message.thread_ts is None:
        thread = [m for m in slack.messages(message.channel, message.ts) if not m.deleted]
        if len(thread) > 1:
            users = sorted({m.user for m in thread[1:]})
            found |= {
                "thread_ts": message.ts, "reply_count": len(thread) - 1, "reply_users": users,
                "reply_users_count": len(users), "latest_reply": thread[-1].ts,
            }  # fmt: skip
    return found


@method("conversations.info", "read")
def conversation(slack: SlackServer, arguments: Json) -> Json:
    found = slack.channels.get(str(arguments.get("channel")))
    if found is None:
        raise SlackError("channel_not_found")
    return {"channel": _channel(slack, found)}


@method("conversations.list", "channels:read")
@method("users.conversations", "channels:read")
def conversations(slack: SlackServer, arguments: Json) -> Json:
    wanted = str(arguments.get("types") or "public_channel").split(",")
    names = {"channel": "public_channel", "group": "private_channel", "im": "im", "mpim": "mpim"}
    found = [c for c in slack.channels.values() if names[c.kind] in wanted]
    return {"channels": [_channel(slack, c) for c in found], "response_metadata": {}}


@method("conversations.open", "im:write")
def open_conversation(slack: SlackServer, arguments: Json) -> Json:
    user = str(arguments.get("users"))
    if user not in slack.users:
        raise SlackError("user_not_found")
    return {"channel": {"id": slack.dm(user)}}


def _channel(slack: SlackServer, found: Channel) -> Json:
    body: Json = {
        "id": found.id, "is_channel": found.kind == "channel", "is_group": found.kind == "group",
        "is_im": found.kind == "im", "is_mpim": found.kind == "mpim", "is_archived": found.archived,
        "is_private": found.kind != "channel", "context_team_id": slack.team,
    }  # fmt: skip
    if found.user:
        return body | {"user": found.user}
    return body | {"name": found.name, "is_member": slack.bot_user in found.members}
