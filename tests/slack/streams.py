"""Messages that are written while they are shown, and what an assistant says it is doing.

https://docs.slack.dev/reference/methods/chat.startStream, .appendStream, .stopStream and
https://docs.slack.dev/reference/methods/assistant.threads.setStatus and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.slack import events
from tests.slack.state import Json, Message, Prompts, Status
from tests.slack.web_api import (
    MARKDOWN_TEXT,
    SlackError,
    channel_of,
    checked_blocks,
    checked_metadata,
    method,
    own_message,
)

if TYPE_CHECKING:
    from tests.slack.server import SlackServer

CHUNKS = ("markdown_text", "task_update", "plan_update", "blocks")


@method("chat.startStream", "chat:write")
def start(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments)
    if not slack.streaming:
        raise SlackError(slack.stream_error)
    if not arguments.get("thread_ts"):
        raise SlackError("invalid_arguments", ["missing required field: thread_ts"])
    if place.kind != "im":
        for name in ("recipient_user_id", "recipient_team_id"):
            if not arguments.get(name):
                raise SlackError(f"missing_{name}")
        if arguments["recipient_user_id"] not in slack.users:
            raise SlackError("user_not_found")
    message = Message(
        slack.new_ts(), place.id, slack.bot_user, "", arguments["thread_ts"], streaming=True
    )
    _append(slack, message, arguments)
    slack.put(message)
    slack.emit(events.message_event(slack, message))
    return {"channel": place.id, "ts": message.ts}


@method("chat.appendStream", "chat:write")
def append(slack: SlackServer, arguments: Json) -> Json:
    message = _streaming(slack, arguments)
    if not arguments.get("markdown_text") and not arguments.get("chunks"):
        raise SlackError("markdown_text_or_chunks_required")
    after = slack.expire_stream_after
    if after is not None and message.appends >= after:
        slack.expire_stream(message.channel, message.ts)
        raise SlackError("message_not_in_streaming_state")
    _append(slack, message, arguments)
    message.appends += 1
    slack.rewrite(message, message.text)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.stopStream", "chat:write")
def stop(slack: SlackServer, arguments: Json) -> Json:
    """The text stays; ``blocks`` come below it."""
    message = _streaming(slack, arguments)
    blocks, metadata = checked_blocks(arguments), checked_metadata(arguments)
    before = events.shown(slack, message, metadata=True)
    _append(slack, message, arguments)
    message.streaming = False
    message.blocks = message.blocks + blocks
    message.metadata = metadata or message.metadata
    slack.rewrite(message, message.text)
    slack.emit(events.changed_event(slack, message, before))
    shown = events.shown(slack, message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


def _streaming(slack: SlackServer, arguments: Json) -> Message:
    message = own_message(slack, arguments, "message_not_owned_by_app")
    if message.stopped_by_user:
        raise SlackError("stopped_by_user")
    if not message.streaming:
        raise SlackError("message_not_in_streaming_state")
    return message


def _append(slack: SlackServer, message: Message, arguments: Json) -> None:
    """Adds a call's text to a stream, which goes on the way it was begun: text or chunks."""
    markdown, chunks = arguments.get("markdown_text") or "", arguments.get("chunks") or []
    if markdown and chunks:
        raise SlackError("cannot_provide_both_markdown_text_and_chunks")
    mode = "markdown_text" if markdown else "chunks" if chunks else message.mode
    if message.mode and mode != message.mode:
        raise SlackError("streaming_mode_mismatch")
    if not all(isinstance(c, dict) and c.get("type") in CHUNKS for c in chunks):
        raise SlackError("invalid_chunks")
    texts = [markdown, *(c.get("text", "") for c in chunks if c["type"] == "markdown_text")]
    if any(len(text) > MARKDOWN_TEXT for text in texts):
        raise SlackError("msg_too_long")
    if len(message.text) + sum(map(len, texts)) > slack.stream_limit:
        # Undocumented, seen by many (CopilotKit #6063): 12,000 holds for the whole message, too.
        raise SlackError("msg_too_long")
    added = [block for c in chunks if c["type"] == "blocks" for block in c.get("blocks", [])]
    checked_blocks({"blocks": added})
    message.mode = mode
    message.text += "".join(texts)
    message.chunks += [c for c in chunks if c["type"] != "markdown_text"]
    message.blocks = message.blocks + added


# Assistant


@method("assistant.threads.setStatus", "chat:write")
def set_status(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments, "channel_id")
    loading = arguments.get("loading_messages") or []
    if len(loading) > 10:
        raise SlackError("invalid_arguments", ["no more than 10 items allowed"])
    thread = str(arguments.get("thread_ts"))
    if thread == "None" or slack.find(place.id, thread) is None:
        raise SlackError("invalid_thread_ts")
    slack.set_status(Status(place.id, thread, str(arguments.get("status", "")), loading))
    return {}


@method("assistant.threads.setSuggestedPrompts", "assistant:write")
def set_prompts(slack: SlackServer, arguments: Json) -> Json:
    """At most four; an app of the newer ``agent_view`` leaves ``thread_ts`` out."""
    place = channel_of(slack, arguments, "channel_id")
    prompts = arguments.get("prompts") or []
    if not 1 <= len(prompts) <= 4:
        raise SlackError("invalid_arguments", ["1 to 4 items allowed [json-pointer:/prompts]"])
    if not all(isinstance(p, dict) and p.get("title") and p.get("message") for p in prompts):
        raise SlackError("invalid_arguments", ["title and message [json-pointer:/prompts]"])
    thread = arguments.get("thread_ts")
    if thread and slack.find(place.id, thread) is None:
        raise SlackError("invalid_thread_ts")
    slack.prompts.append(Prompts(place.id, thread, arguments.get("title"), prompts))
    slack.changed.notify_all()
    return {}


@method("assistant.threads.setTitle", "assistant:write")
def set_title(slack: SlackServer, arguments: Json) -> Json:
    place = channel_of(slack, arguments, "channel_id")
    root = slack.find(place.id, str(arguments.get("thread_ts")))
    if root is None:
        raise SlackError("invalid_thread_ts")
    before = events.shown(slack, root)
    root.title = str(arguments.get("title"))
    slack.changed.notify_all()
    slack.emit(events.changed_event(slack, root, before))
    return {}
