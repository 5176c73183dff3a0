"""What keeps the bot out of Slack, and how to mend it. Nothing of a workspace or a bot is needed.

No secret is told: of a good token its first 5 and last 4 characters, of a wrong one nothing but the
kind it seems to be.
"""

from __future__ import annotations

import http.client
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.slack.manifest import SCOPES
from connectors.slack.texts import say

API = "https://slack.com/api/"
SECONDS = 5
"""How long an answer may take."""

BOT_TOKEN = re.compile(r"(xoxe\.)?xoxb-[A-Za-z0-9-]+")
APP_TOKEN = re.compile(r"xapp-[A-Za-z0-9-]+")
SIGNING_SECRET = re.compile(r"[0-9a-fA-F]{32}")
KINDS = ("xoxb-", "xapp-", "xoxp-", "xoxe.", "xoxe-", "xoxa-", "xoxr-", "xoxs-", "xoxc-", "xoxd-")
"""How Slack's tokens begin."""

REVOKED = ("account_inactive", "token_expired", "token_revoked")


@dataclass(frozen=True)
class Finding:
    """Something that was checked. ``ok`` is None if it could not be, ``remedy`` empty if it is."""

    ok: bool | None
    what: str
    remedy: str


@dataclass(frozen=True)
class _Answer:
    """What Slack said to a call; ``error`` is empty if it went well."""

    error: str
    content: Mapping[str, Any]
    scopes: frozenset[str]


class _Unreachable(Exception):
    """No answer; the message is the reason, in a few words."""


class _NotSlack(Exception):
    """An answer that isn't one of Slack's."""


def examine(environment: Mapping[str, str], language: str = "en") -> list[Finding]:
    """Checks tokens, address, sign-in, scopes and socket, in this order; every problem at once."""
    doctor = _Doctor(environment, language)
    bot = doctor.secret("SLACK_BOT_TOKEN", BOT_TOKEN, "xoxb-", "doctor_bot_token_remedy")
    app = doctor.way_in()
    client = doctor.address()
    doctor.sign_in(client if bot else None)
    if app is not None:
        doctor.socket(client if app else None)
    return doctor.findings


@dataclass
class _Doctor:
    environment: Mapping[str, str]
    language: str
    findings: list[Finding] = field(default_factory=list)

    def secret(self, variable: str, form: re.Pattern[str], prefix: str, remedy: str) -> bool:
        """Whether a variable holds what it should, as far as can be seen."""
        value = self.environment.get(variable, "")
        if not value.strip():
            return self.bad("doctor_not_set", remedy, variable=variable)
        if form.fullmatch(value):
            return self.good("doctor_set", variable=variable, shown=_masked(value, prefix))
        kind = next((kind for kind in KINDS if value.startswith(kind)), prefix)
        if prefix and kind != prefix:
            return self.bad(
                "doctor_wrong_kind", remedy, variable=variable, prefix=kind, expected=prefix
            )
        expected = "doctor_expected_token" if prefix else "doctor_expected_secret"
        expected = say(self.language, expected, prefix=prefix)
        return self.bad("doctor_wrong_form", remedy, variable=variable, expected=expected)

    def way_in(self) -> bool | None:
        """Whether the app token looks right; None if there is none, and the signing secret does."""
        app = None
        if self._has("SLACK_APP_TOKEN"):
            app = self.secret("SLACK_APP_TOKEN", APP_TOKEN, "xapp-", "doctor_app_token_remedy")
        if self._has("SLACK_SIGNING_SECRET"):
            self.secret("SLACK_SIGNING_SECRET", SIGNING_SECRET, "", "doctor_secret_remedy")
        elif app is None:
            self.bad("doctor_no_way_in", "doctor_no_way_in_remedy")
        return app

    def address(self) -> WebClient | None:
        """A client of the API, if it can be reached."""
        address = self.environment.get("SLACK_API_URL", "").strip() or API
        url = _without_secrets(address)
        if url is None:
            self.bad("doctor_bad_url", "doctor_bad_url_remedy")
            return None
        client = WebClient(base_url=address, timeout=SECONDS, retry_handlers=[], logger=_SILENT)
        try:
            _ask(client.api_test)
        except _Unreachable as error:
            remedy = "doctor_unreachable_remedy"
            self.bad("doctor_unreachable", remedy, url=url, reason=error)
            return None
        except _NotSlack:
            self.bad("doctor_not_slack", "doctor_not_slack_remedy", url=url)
            return None
        self.good("doctor_reached", url=url)
        return client

    def sign_in(self, client: WebClient | None) -> None:
        """Signs in with the bot token; what comes back names the scopes it was granted."""
        answer = self._asked(client, "auth.test", self.environment.get("SLACK_BOT_TOKEN", ""))
        if answer is None:
            self.unchecked("doctor_unchecked_sign_in")
            return
        if answer.error:
            revoked = answer.error in REVOKED
            remedy = "doctor_revoked_remedy" if revoked else "doctor_bot_token_remedy"
            self.bad("doctor_refused", remedy, error=answer.error)
            return
        who, where = answer.content.get("user") or "?", answer.content.get("team") or "?"
        self.good("doctor_signed_in", bot=who, team=where)
        if not answer.scopes:
            self.unchecked("doctor_unchecked_scopes")
        elif missing := [scope for scope in SCOPES if scope not in answer.scopes]:
            reasons = [say(self.language, f"scope_{scope}") for scope in missing]
            told = "; ".join(f"{s} ({r})" for s, r in zip(missing, reasons, strict=True))
            self.bad("doctor_scopes_missing", "doctor_scopes_remedy", scopes=told)
        else:
            self.good("doctor_scopes", count=len(SCOPES))

    def socket(self, client: WebClient | None) -> None:
        """Asks for a socket, which is thrown away."""
        token = self.environment.get("SLACK_APP_TOKEN", "")
        answer = self._asked(client, "apps.connections.open", token)
        if answer is None:
            self.unchecked("doctor_unchecked_socket")
        elif answer.error:
            self.bad("doctor_socket_refused", "doctor_socket_remedy", error=answer.error)
        else:
            self.good("doctor_socket")

    def good(self, key: str, **values: object) -> bool:
        self.findings.append(Finding(True, say(self.language, key, **values), ""))
        return True

    def bad(self, key: str, remedy: str, **values: object) -> bool:
        told = say(self.language, key, **values)
        self.findings.append(Finding(False, told, say(self.language, remedy)))
        return False

    def unchecked(self, key: str) -> None:
        remedy = say(self.language, "doctor_unchecked_remedy")
        self.findings.append(Finding(None, say(self.language, key), remedy))

    def _has(self, variable: str) -> bool:
        return bool(self.environment.get(variable, "").strip())

    def _asked(self, client: WebClient | None, method: str, token: str) -> _Answer | None:
        if client is None:
            return None
        try:
            return _ask(lambda: client.api_call(method, headers=_bearer(token)))
        except (_Unreachable, _NotSlack):
            return None


def _ask(call: Callable[[], Any]) -> _Answer:
    """One call; raises _Unreachable or _NotSlack. Nothing of what went wrong is passed on as it is:
    it may hold the token."""
    try:
        response = call()
        error = ""
    except SlackApiError as refused:
        response = refused.response
        error = str(response.data.get("error")) if isinstance(response.data, dict) else ""
        if not re.fullmatch(r"[a-z0-9_]{2,60}", error):
            raise _NotSlack from None
    except (SlackClientError, OSError, http.client.HTTPException) as trouble:
        cause = trouble.reason if isinstance(trouble, URLError) else trouble
        reason = getattr(cause, "strerror", None) or type(cause).__name__
        raise _Unreachable(str(reason)) from None
    except (AttributeError, ValueError):  # JSON, but no object; or no text
        raise _NotSlack from None
    headers = {name.lower(): value for name, value in response.headers.items()}
    granted = headers.get("x-oauth-scopes") or ""
    listed = granted if isinstance(granted, str) else ",".join(granted)
    scopes = frozenset(scope.strip() for scope in listed.split(",") if scope.strip())
    return _Answer(error, response.data, scopes)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _masked(secret: str, prefix: str) -> str:
    return f"{prefix}…{secret[-4:]}" if len(secret) >= 20 else f"{prefix}…"


def _without_secrets(url: str) -> str | None:
    """An address without what may be secret in it; None if it is none."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


_SILENT = logging.Logger("brandbot.slack.doctor", logging.CRITICAL + 1)
"""The client's own complaints would come between the findings."""
