"""``/brandbot``: which brand a channel talks to, a question, a text in the brand's voice."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from brandbot import BrandbotError
from connectors.slack import blocks
from connectors.slack.events import Question, author, message_id, room
from connectors.slack.mrkdwn import read, write
from connectors.slack.talk import LONGEST_MESSAGE, Talk
from connectors.slack.texts import say
from connectors.slack.writer import TROUBLE

log = logging.getLogger("brandbot.slack")


def wire(app: App, talk: Talk) -> None:
    """Registers the command, the button that posts a rewritten text, and forgetting."""

    @app.command("/brandbot")
    def command(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        word, _, rest = str(body.get("text") or "").strip().partition(" ")
        rest = rest.strip()
        team, channel = str(body["team_id"]), str(body["channel_id"])
        persona = talk.persona(team, channel)
        language = talk.language(persona)
        match word.lower():
            case "use":
                told, changed = _use(talk, room(team, channel), rest, language)
                # All in the channel see that it was changed, and by whom.
                ack(told, response_type="in_channel" if changed else "ephemeral")
            case "follow":
                told, changed = _follow(talk, room(team, channel), rest.lower(), language)
                ack(told, response_type="in_channel" if changed else "ephemeral")
            case "status":
                ack(_status(talk, team, channel, language))
            case "ask" if rest:
                ack()
                _ask(talk, client, respond, body, rest, language)
            case "voice" if rest:
                full = not talk.work.put(
                    f"voice:{team}:{body['user_id']}",
                    lambda: _voice(talk, respond, persona, rest, language),
                )
                ack(say(language, "queue_full" if full else "voice_working"))
            case "ask" | "voice":
                ack(say(language, f"{word.lower()}_usage"))
            case "forget-me":
                ack()
                form = blocks.forget_form(language)
                _tell(client.views_open, trigger_id=body["trigger_id"], view=form)
            case _:
                ack(say(language, "help"))

    @app.action(blocks.POST_VOICE)
    def post(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        ack()
        channel, user = str(body["channel"]["id"]), str(body["user"]["id"])
        language = talk.language(talk.persona(str(body["team"]["id"]), channel))
        text = str(body["actions"][0].get("value") or "")
        try:
            client.chat_postMessage(
                channel=channel, text=f"{write(text)}\n{say(language, 'voice_posted', user=user)}"
            )
        except SlackApiError:
            respond(say(language, "not_in_channel"), replace_original=False)
            return
        respond(delete_original=True)

    @app.view(blocks.FORGET)
    def forgotten(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        team, user = str(body["team"]["id"]), str(body["user"]["id"])
        person = author(team, user)
        event = f"forget:{person}:{body['view']['id']}"
        try:  # claimed first: a wish that was acknowledged outlives a restart
            fresh = talk.claims.claim(event, {"forget": person})
        except BrandbotError as error:
            log.warning("Somebody could not be forgotten: %s", error)
            ack()
            text = say(talk.language(talk.default), "forget_failed")
            _tell(client.chat_postMessage, channel=user, text=text)
            return
        ack()
        if fresh:
            talk.take_wish(event, person)


def _use(talk: Talk, place: str, name: str, language: str) -> tuple[str, bool]:
    names = talk.bot.workspace.persona_names()
    if name not in names:
        key = "no_such_brand" if name else "which_brand"
        return say(language, key, names=", ".join(names)), False
    try:
        title = talk.bot.voice(name).persona.config.name
    except BrandbotError as error:
        return say(language, "status_broken", name=name, reason=str(error)), False
    talk.bot.log.set_room(place, persona=name)
    return say(talk.language(name), "using", name=title), True


def _follow(talk: Talk, place: str, switch: str, language: str) -> tuple[str, bool]:
    if switch not in ("on", "off"):
        return say(language, "follow_usage"), False
    talk.bot.log.set_room(place, follows=switch == "on")
    return say(language, f"follow_{switch}"), True


def _status(talk: Talk, team: str, channel: str, language: str) -> str:
    persona = talk.persona(team, channel)
    try:
        voice = talk.bot.voice(persona)
    except BrandbotError as error:
        return say(language, "status_broken", name=persona, reason=str(error))
    follows = bool(talk.bot.log.room(room(team, channel)).follows)
    return say(
        language,
        "status",
        name=voice.persona.config.name,
        version=voice.version_name,
        follow=say(language, "follow_is_on" if follows else "follow_is_off"),
        waiting=talk.work.waiting,
    )


def _ask(
    talk: Talk, client: WebClient, respond: Respond, body: dict[str, Any], text: str, language: str
) -> None:
    """Asks in the channel, for all to see, and answers in the thread below."""
    user, channel, team = str(body["user_id"]), str(body["channel_id"]), str(body["team_id"])
    asked = say(language, "asked", user=user, question=write(text))
    try:
        ts = str(client.chat_postMessage(channel=channel, text=asked)["ts"])
    except SlackApiError:
        respond(say(language, "not_in_channel"))
        return
    question = Question(
        event=message_id(team, channel, ts), team=team, channel=channel, ts=ts, thread=ts,
        user=user, text=text, direct=False, threaded=False,
    )  # fmt: skip
    if talk.claims.claim(question.event, question.to_json()):
        talk.take(question)


def _voice(talk: Talk, respond: Respond, persona: str, text: str, language: str) -> None:
    plain = read(text, bot_user=talk.bot_user)[:LONGEST_MESSAGE]
    try:
        reply = talk.bot.rewrite(persona, plain)
        for _ in reply:
            pass
    except BrandbotError as error:
        log.warning("Nothing was rewritten: %s", error)
        respond(say(language, "failed"))
        return
    words = reply.text.strip()
    respond(text=write(words), blocks=blocks.voiced(words, language))


def _tell(call: Any, **arguments: Any) -> None:
    try:
        call(**arguments)
    except TROUBLE as error:
        log.warning("Slack did not take it: %s", type(error).__name__)
