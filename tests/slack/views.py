"""Modals and the Home tab: https://docs.slack.dev/surfaces/modals, .../surfaces/app-home."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING

from tests.slack import blocks as block_kit
from tests.slack.state import Json, Workspace
from tests.slack.web_api import SlackError, method

if TYPE_CHECKING:
    from tests.slack.server import SlackServer


def opened(slack: Workspace, view: Json, user: str, previous: Json | None = None) -> Json:
    """Keeps a view as Slack does, with an id, a hash and an empty state."""
    number = slack.next_number()
    kept = copy.deepcopy(view)
    for count, block in enumerate(kept["blocks"]):
        block.setdefault("block_id", f"b{count}")
    key = f"V{number:09d}"
    defaults: Json = {"private_metadata": "", "callback_id": "", "external_id": "", "close": None}
    kept = defaults | {"submit": None, "clear_on_close": False, "notify_on_close": False} | kept
    kept |= {
        "id": key, "team_id": slack.team, "app_id": slack.app_id, "bot_id": slack.bot_id,
        "state": {"values": {}}, "hash": f"{number}.{number}", "app_installed_team_id": slack.team,
        "root_view_id": previous["root_view_id"] if previous else key,
        "previous_view_id": previous["id"] if previous else None,
    }  # fmt: skip
    slack.views[key] = kept | {"user": user}
    slack.changed.notify_all()
    return _public(slack.views[key])


def replaced(slack: Workspace, key: str, view: Json) -> Json:
    """Puts another view in an open one's place; it keeps its id."""
    old = slack.views.pop(key)
    fresh = opened(slack, view, old["user"])
    kept = slack.views.pop(fresh["id"]) | {"id": key}
    kept |= {name: old[name] for name in ("root_view_id", "previous_view_id")}
    slack.views[key] = kept
    slack.changed.notify_all()
    return _public(kept)


def _public(kept: Json) -> Json:
    return {name: value for name, value in kept.items() if name != "user"}


def checked(arguments: Json, kind: str) -> Json:
    view: Json = arguments.get("view") or {}
    found = block_kit.view_problems(view)
    if view.get("type") != kind:
        found.append(f"must be of type {kind} [json-pointer:/view/type]")
    if found:
        raise SlackError("invalid_arguments", found)
    return view


@method("views.open")
def open_view(slack: SlackServer, arguments: Json) -> Json:
    user = _user_of_trigger(slack, arguments)
    return {"view": opened(slack, checked(arguments, "modal"), user)}


@method("views.push")
def push_view(slack: SlackServer, arguments: Json) -> Json:
    user = _user_of_trigger(slack, arguments)
    below = [view for view in slack.views.values() if view["user"] == user]
    if not below:
        raise SlackError("not_found")
    if len(below) >= 3:
        raise SlackError("push_limit_reached")
    return {"view": opened(slack, checked(arguments, "modal"), user, below[-1])}


@method("views.update")
def update_view(slack: SlackServer, arguments: Json) -> Json:
    key = arguments.get("view_id")
    if arguments.get("external_id"):
        named = [k for k, v in slack.views.items() if v["external_id"] == arguments["external_id"]]
        key = named[0] if named else None
    if key not in slack.views:
        raise SlackError("not_found")
    if arguments.get("hash") not in (None, slack.views[key]["hash"]):
        raise SlackError("hash_conflict")
    return {"view": replaced(slack, key, checked(arguments, "modal"))}


@method("views.publish")
def publish(slack: SlackServer, arguments: Json) -> Json:
    user = str(arguments.get("user_id"))
    if user not in slack.users:
        raise SlackError("user_not_found")
    view = opened(slack, checked(arguments, "home"), user)
    del slack.views[view["id"]]
    slack.homes[user] = view
    slack.changed.notify_all()
    return {"view": view}


def _user_of_trigger(slack: SlackServer, arguments: Json) -> str:
    """A trigger works once and for three seconds: .../interactivity/handling-user-interaction."""
    trigger = str(arguments.get("trigger_id"))
    if trigger not in slack.triggers:
        known = trigger.startswith("trigger.")
        raise SlackError("exchanged_trigger_id" if known else "invalid_trigger_id")
    if time.monotonic() - slack.triggers.pop(trigger) > slack.trigger_seconds:
        raise SlackError("expired_trigger_id")
    return trigger.split(".")[1]
