"""What people think of a reply: Slack's feedback buttons, and two forms. All of it is logged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from brandbot import BrandbotError
from connectors.slack import blocks
from connectors.slack.events import author
from connectors.slack.talk import Talk
from connectors.slack.texts import say
from connectors.slack.writer import TROUBLE

log = logging.getLogger("brandbot.slack")


def wire(app: App, talk: Talk) -> None:
    """Registers the buttons below replies, and the forms that they open."""

    @app.action(blocks.FEEDBACK)
    def judged(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        verdict, _, number = str(body["actions"][0].get("value", "")).partition(":")
        if verdict not in ("like", "dislike") or not number.isdigit():
            return
        language = _language(talk, body)
        if verdict == "dislike":  # first: the form must open within three seconds
            form = blocks.disliked_form(int(number), language)
            _try(lambda: client.views_open(trigger_id=body["trigger_id"], view=form))
        if _judge(talk, int(number), verdict, body) and verdict == "like":
            _thank(client, body, say(language, "feedback_thanks"))

    @app.action(blocks.IMPROVE)
    def improved(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        number = str(body["actions"][0].get("value", ""))
        if not number.isdigit():
            return
        try:
            reply = talk.bot.log.reply(int(number))
            language = _language(talk, body)
        except BrandbotError as error:
            log.warning("A reply could not be read: %s", error)
            _thank(client, body, say(talk.own_language, "not_saved"))
            return
        form = blocks.improve_form(int(number), reply.content if reply else "", language)
        _try(lambda: client.views_open(trigger_id=body["trigger_id"], view=form))

    @app.view(blocks.DISLIKED)
    def reasoned(ack: Ack, body: dict[str, Any]) -> None:
        values = body["view"]["state"]["values"]
        chosen = values["why"]["why"].get("selected_options") or []
        more = (values["more"]["more"].get("value") or "").strip()
        reason = "; ".join([*(option["value"] for option in chosen), *([more] if more else [])])
        number, language = blocks.held(body["view"])
        if reason and not _judge(talk, number, "dislike", body, reason=reason):
            _not_saved(ack, "more", language)
            return
        ack()

    @app.view(blocks.IMPROVED)
    def rewritten(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        better = (body["view"]["state"]["values"]["better"]["better"].get("value") or "").strip()
        number, language = blocks.held(body["view"])
        if not better:
            ack(response_action="errors", errors={"better": say(language, "improve_empty")})
            return
        if not _judge(talk, number, "dislike", body, suggestion=better):
            _not_saved(ack, "better", language)
            return
        ack()
        user = body["user"]["id"]
        thanks = say(language, "improve_thanks")
        _try(lambda: client.chat_postMessage(channel=user, text=thanks))


def _judge(talk: Talk, turn: int, verdict: Any, body: dict[str, Any], **said: str) -> bool:
    by = author(str((body.get("team") or {}).get("id", "")), str(body["user"]["id"]))
    try:
        talk.bot.log.judge(turn, verdict, author=by, **said)
    except BrandbotError as error:
        log.warning("Feedback was not stored: %s", error)
        return False
    return True


def _not_saved(ack: Ack, block: str, language: str) -> None:
    """Keeps a form open, with what was written in it: acknowledged it would close, and be lost."""
    ack(response_action="errors", errors={block: say(language, "not_saved")})


def _language(talk: Talk, body: dict[str, Any]) -> str:
    team = str((body.get("team") or {}).get("id", ""))
    channel = str((body.get("channel") or {}).get("id", ""))
    return talk.language(talk.persona(team, channel))


def _thank(client: WebClient, body: dict[str, Any], text: str) -> None:
    channel, message = body["channel"]["id"], body.get("message") or {}
    thread = message.get("thread_ts")
    _try(
        lambda: client.chat_postEphemeral(
            channel=channel, user=body["user"]["id"], text=text,
            **({"thread_ts": thread} if thread else {}),
        )
    )  # fmt: skip


def _try(call: Callable[[], Any]) -> None:
    try:
        call()
    except TROUBLE as error:
        log.warning("Slack did not take it: %s", type(error).__name__)
