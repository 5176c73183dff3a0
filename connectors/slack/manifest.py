"""The app manifest to paste at api.slack.com/apps: it asks for what is used and for nothing else.

https://docs.slack.dev/reference/app-manifest, schema 2 of github.com/slackapi/manifest-schema. New
apps can have only the agent view (``features.agent_view``). ``assistant_thread_started`` and its
like come with the older ``assistant_view`` alone and are therefore not subscribed; an app that has
it may go on with it: https://docs.slack.dev/ai/migrating-to-agent-messaging
"""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML

from brandbot import BrandbotError
from connectors.slack.texts import say

SCOPES = (
    "app_mentions:read",  # the event app_mention
    "assistant:write",  # the agent view; assistant.threads.setStatus and .setSuggestedPrompts
    "channels:history",  # the event message.channels; conversations.replies
    "chat:write",  # chat.postMessage, .postEphemeral, .update, and the streams
    "commands",  # /brandbot
    "groups:history",  # the event message.groups; conversations.replies
    "im:history",  # the event message.im; conversations.replies
    "mpim:history",  # the event message.mpim; conversations.replies
)
"""What the bot token may do. Names of people and channels are not looked up, so neither
``users:read`` nor ``channels:read`` is among them."""

EVENTS = (
    "app_home_opened",  # somebody opens the messages tab: greeting and suggested questions
    "app_mention",  # somebody mentions the bot
    "message.channels",  # follow-ups in its threads, edits and deletions, in public channels
    "message.groups",  # the same in private channels
    "message.im",  # what is written to the bot directly, edits and deletions
    "message.mpim",  # the same as in channels, in direct messages of several people
)
"""What Slack tells the bot. What isn't addressed to it is dropped unread."""

COMMAND = "/brandbot"

NAME, DESCRIPTION, AGENT_DESCRIPTION, BOT_NAME = 35, 140, 300, 80
"""Characters that Slack's schema allows."""


def manifest(
    *,
    name: str,
    description: str,
    http_url: str | None,
    language: str = "en",
) -> dict[str, Any]:
    """The manifest of an app. Without ``http_url`` it uses Socket Mode.

    ``http_url`` is the whole address Slack sends everything to; raises BrandbotError if it isn't an
    https one. A name or description too long for Slack is shortened.
    """
    if http_url is not None and not http_url.startswith("https://"):
        raise BrandbotError(say(language, "manifest_https", url=http_url))
    address = {} if http_url is None else {"request_url": http_url}
    features: dict[str, Any] = {
        "app_home": {
            "home_tab_enabled": False,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": _shortened(name, BOT_NAME), "always_online": True},
        "agent_view": {"agent_description": _shortened(description, AGENT_DESCRIPTION)},
        "slash_commands": [
            {
                "command": COMMAND,
                **({} if http_url is None else {"url": http_url}),
                "description": say(language, "manifest_command"),
                "usage_hint": say(language, "manifest_hint"),
                "should_escape": False,
            }
        ],
    }
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": _shortened(name, NAME),
            "description": _shortened(description, DESCRIPTION),
        },
        "features": features,
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": http_url is None,
            "token_rotation_enabled": False,
        },
    }


def to_yaml(manifest: dict[str, Any]) -> str:
    """A manifest as Slack's page takes it."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096  # no line is folded
    text = io.StringIO()
    yaml.dump(manifest, text)
    return text.getvalue()


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
