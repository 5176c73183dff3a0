"""The Bolt app: which event goes where. What takes time is acknowledged first and done after.

Forms and changed messages are stored before: who is told that it is done must find it so.

An event that has to be answered is claimed in the database before it is acknowledged, so that one
that was acknowledged is never lost, and one that comes again is not answered again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import App, BoltResponse
from slack_bolt.middleware.authorization import SingleTeamAuthorization
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from brandbot import Bot, BrandbotError, Claims, Voice
from connectors.slack import command, teach
from connectors.slack.doctor import API
from connectors.slack.events import Question, author, change, question
from connectors.slack.talk import Talk, default_persona
from connectors.slack.texts import say
from connectors.slack.work import Work
from connectors.slack.writer import passing, reason

API_SECONDS = 10
"""How long one call to Slack may take."""

RATE_LIMIT_RETRIES = 10
LISTENERS = 2
"""Events whose listeners run side by side; they only queue, open forms and store."""

ERRANDS = 2
"""Threads for what Slack is told beside replies; each may have to wait for it."""

ERRAND_SECONDS = 2.0
"""How long those are waited for at the end."""

PROMPTS = 4
"""Suggested prompts Slack shows at most."""

log = logging.getLogger("brandbot.slack")


class SlackApp:
    """A Bolt app that serves a ``Bot``, with what has to be ended when it stops."""

    def __init__(self, bolt: App, talk: Talk) -> None:
        self.bolt = bolt
        self.talk = talk

    def close(self) -> None:
        """Ends: replies under way are finished, what waits is left claimed."""
        self.talk.work.close()
        self.talk.errands.close(ERRAND_SECONDS)
        self.talk.claims.close()


class SlackAwayError(BrandbotError):
    """Slack could not be asked; it may be in a while."""


def refused(error: Exception, what: str) -> BrandbotError:
    """What to say of a token that Slack did not take: SlackAwayError if Slack isn't well."""
    doctor = "See what is wrong with: brandbot slack doctor"
    if passing(error) or not isinstance(error, SlackApiError):
        return SlackAwayError(f"Slack can't be reached, or isn't well: {reason(error)}. {doctor}")
    return BrandbotError(f"Slack refuses the {what}: {reason(error)}. {doctor}")


def build(
    bot: Bot,
    *,
    persona: str | None = None,
    token: str | None = None,
    signing_secret: str | None = None,
    api_url: str | None = None,
) -> SlackApp:
    """The app of a workspace's bot; tokens and address by default from the environment.

    Raises BrandbotError if Slack refuses the token, SlackAwayError if it can't be asked.
    """
    token = token or token_needed("SLACK_BOT_TOKEN")
    secret = (signing_secret or os.environ.get("SLACK_SIGNING_SECRET") or "").strip()
    bolt = App(
        token=token,
        signing_secret=secret,
        request_verification_enabled=bool(secret),
        token_verification_enabled=False,
        # ``events`` knows its own; a deleted reply of the bot's has to be heard of.
        ignoring_self_events_enabled=False,
        listener_executor=ThreadPoolExecutor(LISTENERS, thread_name_prefix="slack-listener"),
        logger=log,
    )
    # Bolt's client is changed, and not replaced: given another, it complains of the token that it
    # finds in the environment. Listeners get copies of it; none of them may wait for Slack.
    quick = bolt.client
    quick.base_url = _with_slash(api_url or os.environ.get("SLACK_API_URL") or API)
    quick.timeout = API_SECONDS
    quick.retry_handlers = []
    client = WebClient(
        token=token,
        base_url=quick.base_url,
        timeout=API_SECONDS,
        # Not the handler for broken connections: what was sent may have arrived, and the writer
        # looks instead of sending it twice.
        retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_RETRIES)],
    )
    try:
        me = client.auth_test()
    except (SlackClientError, OSError) as error:
        raise refused(error, "bot token") from error
    for middleware in bolt._middleware_list:
        if isinstance(middleware, SingleTeamAuthorization):
            # Else the first event asks once more, and is lost if Slack isn't well just then.
            middleware.auth_test_result = me
    claims = Claims(bot.log.database)
    default = default_persona(bot, persona)
    talk = Talk(bot, client, quick, claims, Work(), Work(ERRANDS), str(me["user_id"]), default)
    _events(bolt, talk)
    teach.wire(bolt, talk)
    command.wire(bolt, talk)
    claims.start(
        lambda left: talk.take_over(left.event, left.payload, left.posted),
        daily=lambda: talk.errands.put("expire", talk.expire),
    )
    return SlackApp(bolt, talk)


def _events(bolt: App, talk: Talk) -> None:
    @bolt.use
    def once(body: dict[str, Any], context: Any, next: Callable[[], BoltResponse]) -> BoltResponse:
        """Claims a question, or does what was done to a message, before that is acknowledged.

        A question that was claimed before ends here.
        """
        try:
            changed = change(body, talk.bot_user)
            if changed is not None:
                talk.change(changed)
            asked = question(body, talk.bot_user, talk.follows)
            if asked is None:
                return next()
            if not talk.claims.claim(asked.event, asked.to_json()):
                return BoltResponse(status=200)
        except BrandbotError as error:
            log.warning("An event is not acknowledged, so that Slack sends it again: %s", error)
            return BoltResponse(status=503)
        context["question"] = asked
        return next()

    def answer(context: Any) -> None:
        asked = context.get("question")
        if isinstance(asked, Question):
            talk.take(asked)

    bolt.event("app_mention")(answer)
    bolt.event("message")(answer)

    @bolt.event("assistant_thread_started")
    def opened(body: dict[str, Any]) -> None:
        """The older assistant view: a new thread is greeted, with prompts to begin with."""
        thread = body["event"]["assistant_thread"]
        channel, ts = str(thread["channel_id"]), str(thread["thread_ts"])
        voice = talk.bot.voice(talk.persona(str(body["team_id"]), channel))
        greeting = voice.persona.config.greeting or say(voice.persona.language, "greeting")
        talk.tell(talk.client.chat_postMessage, channel=channel, thread_ts=ts, text=greeting)
        _prompts(talk, voice, channel_id=channel, thread_ts=ts)

    @bolt.event("app_home_opened")
    def home(body: dict[str, Any]) -> None:
        """The agent view: its messages tab is greeted once, and has prompts whenever it opens."""
        event = body["event"]
        if event.get("tab") != "messages":
            return
        team, channel = str(body["team_id"]), str(event["channel"])
        voice = talk.bot.voice(talk.persona(team, channel))
        if not talk.bot.log.knows(author(team, str(event["user"]))):
            greeting = voice.persona.config.greeting or say(voice.persona.language, "greeting")
            if talk.claims.claim(f"greeting:{team}:{event['user']}", {}):
                talk.tell(talk.client.chat_postMessage, channel=channel, text=greeting)
                talk.claims.done(f"greeting:{team}:{event['user']}")
        _prompts(talk, voice, channel_id=channel)

    @bolt.event("assistant_thread_context_changed")
    def moved() -> None:
        """The person looks at another channel; a brand's bot says the same everywhere."""

    @bolt.error
    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        log.error("%s was not handled: %s", body.get("type"), type(error).__name__, exc_info=error)
        return BoltResponse(status=200)


def _prompts(talk: Talk, voice: Voice, **where: str) -> None:
    config = voice.persona.config
    prompts = [{"title": text[:75], "message": text} for text in config.starters[:PROMPTS]]
    if prompts:
        title = say(voice.persona.language, "starters_title")
        talk.tell(
            talk.quick.api_call, api_method="assistant.threads.setSuggestedPrompts",
            json={**where, "prompts": prompts, "title": title},
        )  # fmt: skip


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def token_needed(name: str) -> str:
    """An environment variable that Slack can't do without."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise BrandbotError(
            f"{name} is not set. docs/slack.md says where to find it; check with: "
            "brandbot slack doctor"
        )
    return value
