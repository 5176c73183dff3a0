"""The two ways Slack reaches the app: a socket that it opens, or signed requests over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.websocket_client import SocketModeClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from brandbot import Bot
from connectors.slack.app import SlackApp, build, refused, token_needed

PATH = "/slack/events"

LARGEST_BODY = 1_000_000
"""Bytes; Slack's own requests are far smaller."""

DISPATCHERS = 16
PING_SECONDS = 5
PONG_SECONDS = 2.5
"""How long an answer to a ping may take. It is looked for as often, and each ping begins anew: with
more than half of the pause between two, most that are missing would be missed."""

log = logging.getLogger("brandbot.slack")


def serve(bot: Bot, *, persona: str | None = None) -> None:
    """Serves Slack in Socket Mode until Ctrl-C."""
    app_token = token_needed("SLACK_APP_TOKEN")
    token_needed("SLACK_BOT_TOKEN")
    app = build(bot, persona=persona)
    handler: SocketModeHandler | None = None
    try:
        handler = connect(app, app_token)
        names = ", ".join(bot.workspace.persona_names())
        print(f"brandbot is in Slack as {app.talk.default} (there are: {names}). Ctrl-C stops it.",
              flush=True)  # fmt: skip
        bot.warm(app.talk.default)
        threading.Event().wait()
    finally:
        if handler is not None:
            handler.close()
        app.close()


def connect(app: SlackApp, app_token: str) -> SocketModeHandler:
    """Opens the socket, and opens it again whenever it is lost."""
    handler = _Handler(app.bolt, app_token)
    try:
        handler.connect()
    except SlackApiError as error:
        raise refused(error, "app token") from error
    return handler


class _Handler(SocketModeHandler):
    """Bolt's handler, with a client that notices when nobody answers any more."""

    def __init__(self, bolt: App, app_token: str) -> None:
        self.app, self.app_token = bolt, app_token
        self.client = _Socket(
            app_token, logger=bolt.logger, web_client=bolt.client, ping_interval=PING_SECONDS
        )
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]


class _Socket(SocketModeClient):
    def _run_current_session(self) -> None:
        """slack_sdk's own asks for pongs and never looks whether one comes: a connection that died
        without a word would be taken for a good one for ever."""
        session = self.current_session
        if session is None:
            return
        try:
            session.run_forever(ping_interval=self.ping_interval, ping_timeout=PONG_SECONDS)
        except Exception:
            log.exception("The socket broke")
            session.close()  # so that it is opened again


def route(app: SlackApp, signing_secret: str) -> Route:
    """The address that Slack sends signed requests to, for any Starlette application."""
    return route_later(lambda: app, signing_secret)


def route_later(find: Callable[[], SlackApp | None], signing_secret: str) -> Route:
    """The same for an app that may not be there yet: until then Slack is told to come again."""
    verifier = SignatureVerifier(signing_secret)
    pool = ThreadPoolExecutor(DISPATCHERS, thread_name_prefix="slack-http")

    async def receive(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BODY:
                return PlainTextResponse("That is too much.", 413)
        refused = _refused(verifier, body, dict(request.headers))
        if refused is not None:
            return refused
        asked = BoltRequest(
            body=body.decode("utf-8"),
            query=request.url.query,
            headers={key: [value] for key, value in request.headers.items()},
        )
        app = find()
        if app is None:
            return PlainTextResponse("Not yet.", 503)
        with app.talk.work.arriving():
            answer = await asyncio.get_running_loop().run_in_executor(
                pool, app.bolt.dispatch, asked
            )
        headers = {key: values[0] for key, values in answer.headers.items()}
        return Response(answer.body, answer.status, headers)

    return Route(PATH, receive, methods=["POST"])


def _refused(verifier: SignatureVerifier, body: bytes, headers: dict[str, str]) -> Response | None:
    """Why a request is not Slack's, or can't be read; None if it is and can."""
    signed = headers.get("x-slack-signature", "")
    sent = headers.get("x-slack-request-timestamp", "")
    # The verifier itself fails on letters beyond ASCII and on numbers that are no time.
    plain = signed.isascii() and sent.isascii() and sent.isdigit() and len(sent) <= 12
    try:
        text = body.decode("utf-8")
        known = plain and verifier.is_valid(text, sent, signed)
    except ValueError:
        return PlainTextResponse("The body is no text.", 400)
    if not known:
        return PlainTextResponse("The signature is not Slack's.", 401)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            content: Any = json.loads(text)
        elif kind == "application/x-www-form-urlencoded":
            form = parse_qs(text, keep_blank_values=True)
            content = json.loads(form["payload"][0]) if "payload" in form else form
        else:
            return PlainTextResponse("JSON or a form is expected.", 415)
    except ValueError:
        return PlainTextResponse("The body can't be read.", 400)
    if not isinstance(content, dict) or not content:
        return PlainTextResponse("The body is no event.", 400)
    return None
