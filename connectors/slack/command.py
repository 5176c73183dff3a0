"""``/brandbot``: which brand a channel talks to, a question, a text in the brand's voice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from brandbot import BrandbotError
from connectors.slack import blocks
from connectors.slack.events import Question, author, message_id, room
from connectors.slack.mrkdwn import literal, read, write
from connectors.slack.talk import LONGEST_MESSAGE, Talk
from connectors.slack.texts import say
from connectors.slack.writer import TROUBLE, passing

log = logging.getLogger("brandbot.slack")


def wire(app: App, talk: Talk) -> None:
    """Registers the command, the button that posts a rewritten text, and forgetting."""

    @app.command("/brandbot")
    def command(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        try:
            carry_out(ack, body, client, respond)
        except BrandbotError as error:
            log.warning("A command was not carried out: %s", error)
            ack(say(talk.own_language, "not_done"))

    def carry_out(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        word, rest = [*str(body.get("text") or "").split(None, 1), "", ""][:2]
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
                full = not talk.errands.put(
                    f"ask:{team}:{body['user_id']}",
                    lambda: _ask(talk, respond, body, rest, language),
                )
                ack(say(language, "queue_full") if full else "")
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
    def post(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        ack()
        talk.errands.put("post", lambda: _post(talk, respond, body), always=True)

    @app.view(blocks.FORGET)
    def forgotten(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        team, user = str(body["team"]["id"]), str(body["user"]["id"])
        person = author(team, user)
        event = f"forget:{person}:{body['view']['id']}"
        _, language = blocks.held(body["view"])
        try:  # claimed first: a wish that was acknowledged outlives a restart
            fresh = talk.claims.claim(event, {"forget": person, "language": language})
        except BrandbotError as error:
            log.warning("Somebody could not be forgotten: %s", error)
            ack()
            _tell(client.chat_postMessage, channel=user, text=say(language, "forget_failed"))
            return
        ack()
        if fresh:
            talk.take_wish(event, person, language)


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


def _ask(talk: Talk, respond: Respond, body: dict[str, Any], text: str, language: str) -> None:
    """Asks in the channel, for all to see, and answers in the thread below."""
    user, channel, team = str(body["user_id"]), str(body["channel_id"]), str(body["team_id"])
    asked = say(language, "asked", user=user, question=literal(text))
    try:
        ts = str(talk.client.chat_postMessage(channel=channel, text=asked)["ts"])
        question = Question(
            event=message_id(team, channel, ts), team=team, channel=channel, ts=ts, thread=ts,
            user=user, text=text, direct=False, threaded=False,
        )  # fmt: skip
        if talk.claims.claim(question.event, question.to_json()):
            talk.take(question)
    except (BrandbotError, *TROUBLE) as error:
        log.warning("Nothing was asked: %s", type(error).__name__)
        _tell(respond, text=say(language, _why(error)))


def _post(talk: Talk, respond: Respond, body: dict[str, Any]) -> None:
    """Posts a rewritten text in the channel: once, however often the button is pressed."""
    team, channel = str(body["team"]["id"]), str(body["channel"]["id"])
    language = talk.language(talk.persona(team, channel))
    text = str(body["actions"][0].get("value") or "")
    by = say(language, "voice_posted", user=str(body["user"]["id"]))
    event = f"voice:{message_id(team, channel, str(body['container']['message_ts']))}"
    try:
        if not talk.claims.claim(event, {}):
            return
        try:
            talk.client.chat_postMessage(channel=channel, text=f"{write(text)}\n{by}")
        except SlackApiError:
            talk.claims.undo(event)  # refused: it may be pressed again
            raise
        except TROUBLE as error:  # whether it arrived is unknown: once more could be twice
            log.warning("It is not known whether it was posted: %s", type(error).__name__)
            _tell(respond, text=say(language, "voice_unsure"), replace_original=False)
            talk.claims.done(event)
            return
    except (BrandbotError, *TROUBLE) as error:
        log.warning("Nothing was posted: %s", type(error).__name__)
        _tell(respond, text=say(language, _why(error)), replace_original=False)
        return
    _tell(respond, delete_original=True)
    talk.claims.done(event)


def _voice(talk: Talk, respond: Respond, persona: str, text: str, language: str) -> None:
    plain = read(text, bot_user=talk.bot_user)[:LONGEST_MESSAGE]
    try:
        reply = talk.bot.rewrite(persona, plain)
        for _ in reply:
            pass
        words = reply.text.strip()
        if not words:
            raise BrandbotError("The model had nothing to say.")
    except BrandbotError as error:
        log.warning("Nothing was rewritten: %s", error)
        _tell(respond, text=say(language, "failed"))
    except Exception:
        log.exception("Nothing was rewritten")
        _tell(respond, text=say(language, "failed"))
    else:
        _tell(respond, text=write(words), blocks=blocks.voiced(words, language))


def _why(error: BaseException) -> str:
    """The text that says why something could not be posted."""
    refused = isinstance(error, SlackApiError) and not passing(error)
    return "not_in_channel" if refused else "failed"


def _tell(call: Callable[..., object], **arguments: Any) -> None:
    try:
        call(**arguments)
    except TROUBLE as error:
        log.warning("Slack did not take it: %s", type(error).__name__)
