"""The bodies that Slack sends to an app: events, interactions, commands.

https://docs.slack.dev/apis/events-api (the envelope), https://docs.slack.dev/reference/events and
https://docs.slack.dev/reference/interaction-payloads. Nothing here changes the workspace.
"""

from __future__ import annotations

from tests.slack.state import HISTORY, Json, Message, Workspace

TOKEN = "verification-token"


def enveloped(slack: Workspace, event: Json) -> Json:
    number = slack.next_number()
    who = {"enterprise_id": None, "team_id": slack.team, "user_id": slack.bot_user}
    return {
        "token": TOKEN,
        "team_id": slack.team,
        "context_team_id": slack.team,
        "context_enterprise_id": None,
        "api_app_id": slack.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:010d}",
        "event_time": int(event.get("event_ts", "1700000000.0").split(".")[0]),
        "authorizations": [{**who, "is_bot": True, "is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event_context": f"4-{number}",
    }


def shown(slack: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """A message as Slack gives it in events, histories and interactions."""
    found: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": slack.team,
    }
    if message.user == slack.bot_user:
        found |= {"bot_id": slack.bot_id, "app_id": slack.app_id, "bot_profile": bot(slack)}
    else:
        found["client_msg_id"] = f"00000000-0000-0000-0000-{message.ts.replace('.', '')[-12:]}"
    parent = slack.find(message.channel, message.thread_ts) if message.thread_ts else None
    optional = {
        "subtype": message.subtype,
        "thread_ts": message.thread_ts,
        "parent_user_id": parent.user if parent and parent is not message else None,
        "blocks": message.blocks or (_rich(message.text) if message.text else None),
        "edited": message.edited,
        "files": message.files,
        "metadata": message.metadata if metadata else None,
        "reactions": [{"name": n, "users": [u], "count": 1} for n, u in message.reactions],
        "assistant_app_thread": {"title": message.title} if message.title else None,
    }
    return found | {name: value for name, value in optional.items() if value}


def bot(slack: Workspace) -> Json:
    return {
        "id": slack.bot_id, "app_id": slack.app_id, "user_id": slack.bot_user, "name": "brandbot",
        "deleted": False, "updated": 1_700_000_000, "team_id": slack.team, "icons": {},
    }  # fmt: skip


def message_event(slack: Workspace, message: Message) -> Json:
    """https://docs.slack.dev/reference/events/message.im and .../message.channels"""
    place = {"channel": message.channel, "event_ts": message.ts}
    kind = slack.channels[message.channel].kind
    return shown(slack, message, metadata=True) | place | {"channel_type": kind}


def mention_event(slack: Workspace, message: Message) -> Json:
    """https://docs.slack.dev/reference/events/app_mention"""
    body = shown(slack, message) | {"type": "app_mention"}
    return body | {"channel": message.channel, "event_ts": message.ts}


def changed_event(slack: Workspace, message: Message, before: Json) -> Json:
    """https://docs.slack.dev/reference/events/message/message_changed"""
    now = shown(slack, message, metadata=True)
    return _hidden(slack, message.channel, "message_changed") | {
        "message": now,
        "previous_message": before,
    }


def deleted_event(slack: Workspace, message: Message, before: Json) -> Json:
    """https://docs.slack.dev/reference/events/message/message_deleted"""
    return _hidden(slack, message.channel, "message_deleted") | {
        "deleted_ts": message.ts,
        "previous_message": before,
    }


def subscription(slack: Workspace, event: Json) -> str:
    """The name under which an app subscribes to an event."""
    if event["type"] != "message":
        return str(event["type"])
    return f"message.{HISTORY[event['channel_type']]}"


def interaction(slack: Workspace, kind: str, user: str, trigger: str) -> Json:
    """What every interaction has: https://docs.slack.dev/reference/interaction-payloads"""
    name = slack.users[user]["name"]
    return {
        "type": kind,
        "team": {"id": slack.team, "domain": slack.domain},
        "user": {"id": user, "username": name, "name": name, "team_id": slack.team},
        "api_app_id": slack.app_id,
        "token": TOKEN,
        "trigger_id": trigger,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def command(slack: Workspace, name: str, text: str, user: str, channel: str, trigger: str) -> Json:
    """https://docs.slack.dev/interactivity/implementing-slash-commands"""
    return {
        "token": TOKEN,
        "team_id": slack.team,
        "team_domain": slack.domain,
        "channel_id": channel,
        "channel_name": slack.channels[channel].name,
        "user_id": user,
        "user_name": slack.users[user]["name"],
        "command": name,
        "text": text,
        "api_app_id": slack.app_id,
        "is_enterprise_install": "false",
        "trigger_id": trigger,
    }


def _hidden(slack: Workspace, channel: str, subtype: str) -> Json:
    ts = slack.new_ts()
    return {
        "type": "message", "subtype": subtype, "hidden": True, "channel": channel, "ts": ts,
        "event_ts": ts, "channel_type": slack.channels[channel].kind,
    }  # fmt: skip


def _rich(text: str) -> list[Json]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]
