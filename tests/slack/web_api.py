"""The Web API's methods, each a function of the server and the call's arguments.

``answer`` checks token and scope first: https://docs.slack.dev/reference/methods/METHOD lists a
method's scope and the errors it can give. ``conversations``, ``streams`` and ``views`` hold the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.slack import blocks as block_kit
from tests.slack import events
from tests.slack.state import HISTORY, Channel, Json, Message

if TYPE_CHECKING:
    from tests.slack.server import SlackServer

Method = Callable[["SlackServer", Json], Json]

TEXT, UPDATED_TEXT, MARKDOWN_TEXT = 40_000, 4_000, 12_000
"""Characters: a post is cut at the first, an update refused above the second, Markdown above the
third. https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages and chat.update."""


class SlackError(Exception):
    """``{"ok": false, "error": …}``, with ``messages`` as response_metadata."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.body: Json = {"ok": False, "error": error, **more}
        if messages:
            told = [f"[ERROR] {message}" for message in messages]
            self.body |= {"errors": messages, "response_metadata": {"messages": told}}


@dataclass(frozen=True)
class Entry:
    run: Method
    scope: str | None


METHODS: dict[str, Entry] = {}


def method(name: str, scope: str | None = None) -> Callable[[Method], Method]:
    """Registers a Web API method. Scope "history" or "read" goes by the channel's type."""

    def register(run: Method) -> Method:
        METHODS[name] = Entry(run, scope)
        return run

    return register


def answer(slack: SlackServer, name: str, arguments: Json, token: str | None) -> Json:
    """What a call is answered with; raises SlackError."""
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    if not token:
        raise SlackError("not_authed")
    if token not in (slack.bot_token, slack.app_token):
        raise SlackError("invalid_auth")
    if (token == slack.app_token) != (name == "apps.connections.open"):
        raise SlackError("not_allowed_token_type")
    entry = METHODS[name]
    with slack.changed:
        needed = entry.scope
        if needed in ("history", "read"):
            found = slack.channels.get(str(arguments.get("channel")))
            needed = f"{HISTORY[found.kind]}:{needed}" if found else None
        if needed and token == slack.bot_token and needed not in slack.granted():
            provided = ",".join(slack.granted())
            raise SlackError("missing_scope", needed=needed, provided=provided)
        return {"ok": True, **entry.run(slack, arguments)}


# What several methods check


def channel_of(slack: SlackServer, arguments: Json, name: str = "channel") -> Channel:
    """The channel that is written to; a user's id stands for the conversation with them."""
    key = str(arguments.get(name) or "")
    if key in slack.users:
        key = slack.dm(key)
    found = slack.channels.get(key)
    if found is None:
        raise SlackError("channel_not_found")
    if found.archived:
        raise SlackError("is_archived")
    if slack.bot_user not in found.members:
        raise SlackError("not_in_channel")
    return found


def own_message(slack: SlackServer, arguments: Json, refusal: str) -> Message:
    place = channel_of(slack, arguments)
    found = slack.find(place.id, str(arguments.get("ts")))
    if found is None or found.deleted:
        raise SlackError("message_not_found")
    if found.user != slack.bot_user:
        raise SlackError(refusal)
    return found


def checked_blocks(arguments: Json) -> list[Json]:
    blocks = arguments.get("blocks") or []
    if found := block_kit.problems(blocks):
        raise SlackError("invalid_blocks", found)
    if block_kit.markdown_characters(blocks) > block_kit.MARKDOWN:
        # bolt-js #2509: not invalid_blocks, though no single block is at fault.
        raise SlackError("msg_blocks_too_long")
    for number, block in enumerate(blocks):
        block.setdefault("block_id", f"b{number}")
    return list(blocks)


def checked_metadata(arguments: Json) -> Json | None:
    metadata = arguments.get("metadata")
    if metadata is None or metadata == {}:
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= set(metadata):
        raise SlackError("invalid_metadata_format")
    return metadata


def content(arguments: Json) -> tuple[str, list[Json]]:
    """(text, blocks) of a post."""
    text, markdown = arguments.get("text") or "", arguments.get("markdown_text")
    blocks = checked_blocks(arguments)
    if markdown is not None and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if markdown is not None and len(markdown) > MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    text = markdown if markdown is not None else text
    if not text and not blocks and not arguments.get("attachments"):
        raise SlackError("no_text")
    return text, blocks


# Messages


@method("chat.postMessage", "chat:write")
def post_message(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    text, blocks = content(arguments)
    message = Message(
        slack.new_ts(), place.id, slack.bot_user, text[:TEXT], arguments.get("thread_ts"), blocks,
        metadata=checked_metadata(arguments),
    )  # fmt: skip
    slack.put(message)
    slack.emit(events.message_event(slack, message))
    body: Json = {"channel": place.id, "ts": message.ts}
    if len(text) > TEXT:
        told = ["[WARN] Your message was truncated but still posted."]
        body["response_metadata"] = {"messages": told, "warnings": ["message_truncated"]}
    return body | {"message": events.shown(slack, message, metadata=True)}


@method("chat.update", "chat:write")
def update(slack: SlackServer, arguments: Json) -> Json:
    message = own_message(slack, arguments, "cant_update_message")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    if len(arguments.get("text") or "") > UPDATED_TEXT:
        raise SlackError("msg_too_long")
    text, blocks = content(arguments)
    before = events.shown(slack, message, metadata=True)
    if text:  # without one the old text stays; with one and no blocks, the old blocks go
        slack.rewrite(message, text)
        message.edited = {"user": slack.bot_user, "ts": slack.new_ts()} if not blocks else None
    if text or "blocks" in arguments:
        message.blocks = blocks
    if "metadata" in arguments:
        message.metadata = checked_metadata(arguments)
    slack.emit(events.changed_event(slack, message, before))
    return {
        "channel": message.channel, "ts": message.ts, "text": message.text,
        "message": events.shown(slack, message, metadata=True),
    }  # fmt: skip


@method("chat.delete", "chat:write")
def delete(slack: SlackServer, arguments: Json) -> Json:
    message = own_message(slack, arguments, "cant_delete_message")
    slack.delete(message.channel, message.ts)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    text, blocks = content(arguments)
    user = str(arguments.get("user"))
    if user not in place.members:
        raise SlackError("user_not_in_channel")
    return {
        "message_ts": slack.whisper(place.id, user, text, blocks, arguments.get("thread_ts")).ts
    }


@method("chat.getPermalink")
def permalink(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    found = slack.find(place.id, str(arguments.get("message_ts")))
    if found is None or found.deleted:
        raise SlackError("message_not_found")
    link = f"https://{slack.domain}.slack.com/archives/{place.id}/p{found.ts.replace('.', '')}"
    if found.thread_ts:
        link += f"?thread_ts={found.thread_ts}&cid={place.id}"
    return {"channel": place.id, "permalink": link}


@method("reactions.add", "reactions:write")
def react(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    found = slack.find(place.id, str(arguments.get("timestamp")))
    if found is None or found.deleted:
        raise SlackError("message_not_found")
    mark = (str(arguments.get("name")), slack.bot_user)
    if mark in found.reactions:
        raise SlackError("already_reacted")
    found.reactions.append(mark)
    slack.changed.notify_all()
    return {}


# Who is who


@method("auth.test")
def auth_test(slack: SlackServer, _: Json) -> Json:
    return {
        "url": f"https://{slack.domain}.slack.com/", "team": slack.domain.title(),
        "user": "brandbot", "team_id": slack.team, "user_id": slack.bot_user,
        "bot_id": slack.bot_id, "is_enterprise_install": False,
    }  # fmt: skip


@method("users.info", "users:read")
def user_info(slack: SlackServer, arguments: Json) -> Json:
    found = slack.users.get(str(arguments.get("user")))
    if found is None:
        raise SlackError("user_not_found")
    locale = str(arguments.get("include_locale")).lower() in ("1", "true")
    return {"user": {name: v for name, v in found.items() if locale or name != "locale"}}


@method("bots.info", "users:read")
def bot_info(slack: SlackServer, arguments: Json) -> Json:
    if arguments.get("bot") not in (None, slack.bot_id):
        raise SlackError("bot_not_found")
    return {"bot": events.bot(slack)}


@method("team.info", "team:read")
def team_info(slack: SlackServer, _: Json) -> Json:
    team = {"id": slack.team, "name": slack.domain.title(), "domain": slack.domain, "icon": {}}
    return {"team": team}


@method("apps.connections.open")
def open_connection(slack: SlackServer, _: Json) -> Json:
    """https://docs.slack.dev/reference/methods/apps.connections.open: a URL for one connection."""
    return {"url": slack.sockets.ticket()}
