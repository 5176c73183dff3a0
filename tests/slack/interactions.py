"""Commands, buttons, shortcuts and modals: whoever uses one waits for the app's answer."""

from __future__ import annotations

import time
from typing import Any

from tests.slack import events, views
from tests.slack.blocks import elements
from tests.slack.delivery import Answer
from tests.slack.people import People
from tests.slack.state import Json, Message, ResponseUrl

MOST_USES = 5
"""Of a response URL."""


class Interactions(People):
    def command(self, name: str, text: str, user: str, channel: str) -> Answer:
        """``/name text``; what the app answers at once is shown."""
        body = events.command(self, name, text, user, channel, self.trigger(user))
        key, url = self._response_url(channel, user, None)
        answer = self.ask("command", body | {"response_url": url})
        if answer.taken and answer.body:
            said = answer.body if isinstance(answer.body, dict) else {"text": answer.body}
            self.respond(key, said)
        return answer

    def click(self, user: str, channel: str, ts: str, action: Json) -> Answer:
        """Presses a button of a message. ``action`` names it: ``action_id``, and ``value`` if
        several share that or it is a pair of feedback buttons.
        https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
        hidden = next((e for e in self.ephemerals if (e.channel, e.ts) == (channel, ts)), None)
        message = None if hidden else self._standing(channel, ts)
        blocks = hidden.blocks if hidden else message.blocks if message else []
        thread = hidden.thread_ts if hidden else message.thread_ts if message else None
        place: Json = {"type": "message", "message_ts": ts, "channel_id": channel}
        place |= {"is_ephemeral": bool(hidden)} | ({"thread_ts": thread} if thread else {})
        body = events.interaction(self, "block_actions", user, self.trigger(user)) | {
            "container": place,
            "channel": {"id": channel, "name": self.channels[channel].name},
            "state": {"values": {}},
            "response_url": self._response_url(channel, user, ts)[1],
            "actions": [self._action(blocks, action)],
        }
        if message:
            body["message"] = events.shown(self, message)
        return self.ask("interactive", body)

    def click_view(self, user: str, view_id: str, action: Json) -> Answer:
        """Presses a button of a modal or of the Home tab."""
        homes = {view["id"]: view for view in self.homes.values()}
        view = self.views.get(view_id) or homes[view_id]
        body = events.interaction(self, "block_actions", user, self.trigger(user)) | {
            "container": {"type": "view", "view_id": view_id},
            "view": {name: value for name, value in view.items() if name != "user"},
            "state": view["state"],
            "actions": [self._action(view["blocks"], action)],
        }
        return self.ask("interactive", body)

    def shortcut(
        self, user: str, callback_id: str, channel: str | None = None, ts: str | None = None
    ) -> Answer:
        """A global shortcut, or one of a message's menu:
        https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload"""
        kind = "message_action" if ts else "shortcut"
        body = events.interaction(self, kind, user, self.trigger(user))
        body |= {"callback_id": callback_id, "action_ts": self.new_ts()}
        if channel and ts:
            body |= {
                "message": events.shown(self, self._standing(channel, ts)),
                "message_ts": ts,
                "channel": {"id": channel, "name": self.channels[channel].name},
                "response_url": self._response_url(channel, user, ts)[1],
            }
        return self.ask("interactive", body)

    def submit_view(self, user: str, view_id: str, values: dict[str, dict[str, Any]]) -> Json:
        """Submits a modal with {block_id: {action_id: value}} and gives the app's answer.

        A value is what was typed, a chosen option's value, a list of those, or a whole state.
        RuntimeError if the app does not answer: the modal stays open.
        https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
        """
        view = self.views[view_id]
        view["state"] = {"values": _state(view, values)}
        body = events.interaction(self, "view_submission", user, self.trigger(user))
        shown = {name: value for name, value in view.items() if name != "user"}
        answer = self.ask("interactive", body | {"view": shown, "response_urls": []})
        if not answer.taken:
            raise RuntimeError(f"The app did not take the modal: {answer}")
        self._after_submission(view_id, answer.body or {})
        return answer.body or {}

    def close_view(self, user: str, view_id: str) -> Answer | None:
        """Cancels a modal; the app hears of it only if it asked to."""
        view = self.views.pop(view_id)
        if not view["notify_on_close"]:
            return None
        body = events.interaction(self, "view_closed", user, self.trigger(user))
        shown = {name: value for name, value in view.items() if name != "user"}
        return self.ask("interactive", body | {"view": shown, "is_cleared": False})

    def _after_submission(self, view_id: str, said: Json) -> None:
        action = said.get("response_action")
        with self.changed:
            if action == "clear":
                self.views.clear()
            elif action == "update":
                views.replaced(self, view_id, said["view"])
            elif action == "push":
                views.opened(self, said["view"], self.views[view_id]["user"], self.views[view_id])
            elif action != "errors":
                self.views.pop(view_id, None)
            self.changed.notify_all()

    def _action(self, blocks: list[Json], action: Json) -> Json:
        for block_id, element in elements(blocks):
            buttons = [element.get(n, {}) for n in ("positive_button", "negative_button")]
            values = [b["value"] for b in buttons if "value" in b] or [element.get("value")]
            if element["action_id"] == action["action_id"] and (
                "value" not in action or action["value"] in values
            ):
                kind = {"type": element["type"], "block_id": block_id, "action_ts": self.new_ts()}
                return {"value": values[0]} | kind | action
        there = [(element["action_id"], element.get("value")) for _, element in elements(blocks)]
        raise LookupError(f"Nothing to press for {action}; there is: {there}")

    # Triggers and response URLs

    def trigger(self, user: str) -> str:
        """What lets the app open a modal, once and soon."""
        trigger = f"trigger.{user}.{self.next_number()}"
        with self.changed:
            self.triggers[trigger] = time.monotonic()
        return trigger

    def _response_url(self, channel: str, user: str, ts: str | None) -> tuple[str, str]:
        key = f"R{self.next_number()}"
        with self.changed:
            self.response_urls[key] = ResponseUrl(channel, user, ts)
        return key, f"{self.base}/response/{key}"

    def respond(self, key: str, said: Json) -> bool:
        """What the app sends to a response URL; False if that is used up."""
        with self.changed:
            place = self.response_urls.get(key)
            if place is None or place.uses >= MOST_USES:
                return False
            place.uses += 1
            text, blocks = str(said.get("text") or ""), list(said.get("blocks") or [])
            hidden = [e for e in self.ephemerals if e.ts == place.message_ts]
            original = self.find(place.channel, place.message_ts or "")
            if said.get("delete_original"):
                self.ephemerals = [e for e in self.ephemerals if e not in hidden]
                if original:
                    self.delete(place.channel, original.ts)
            elif said.get("replace_original") and hidden:
                hidden[0].text, hidden[0].blocks = text, blocks
            elif said.get("replace_original") and original:
                before = events.shown(self, original)
                original.blocks = blocks
                self.rewrite(original, text)
                self.emit(events.changed_event(self, original, before))
            elif said.get("response_type") == "in_channel":
                thread = said.get("thread_ts")
                posted = Message(self.new_ts(), place.channel, self.bot_user, text, thread, blocks)
                self.put(posted)
                self.emit(events.message_event(self, posted))
            else:
                self.whisper(place.channel, place.user, text, blocks, said.get("thread_ts"))
            self.changed.notify_all()
        return True


def _state(view: Json, values: dict[str, dict[str, Any]]) -> Json:
    """The state of a modal's inputs: https://docs.slack.dev/reference/views/view-submission."""
    there = {(block_id, e["action_id"]): e for block_id, e in elements(view["blocks"])}
    given = {(block, action): v for block, of in values.items() for action, v in of.items()}
    if unknown := set(given) - set(there):
        raise LookupError(f"The modal has no input {sorted(unknown)}; it has {sorted(there)}")
    needed = {
        b["block_id"] for b in view["blocks"] if b["type"] == "input" and not b.get("optional")
    }
    found: Json = {}
    for (block, action), element in there.items():
        value = given.get((block, action))
        if block in needed and not value:
            raise ValueError(f"The modal's input {block} is required")
        found.setdefault(block, {})[action] = _input(element, value)
    return found


def _input(element: Json, value: Any) -> Json:
    kind = element["type"]
    if isinstance(value, dict):
        return {"type": kind} | value
    options = {o["value"]: o for o in element.get("options", [])}
    if kind in ("static_select", "radio_buttons"):
        return {"type": kind, "selected_option": options[value] if value else None}
    if kind in ("checkboxes", "multi_static_select"):
        return {"type": kind, "selected_options": [options[v] for v in value or []]}
    return {"type": kind, "value": value}
