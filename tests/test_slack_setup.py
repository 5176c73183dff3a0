"""Setting Slack up: the manifest asks for what is used, the doctor finds what is wrong."""

from __future__ import annotations

import json
import re
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ruamel.yaml import YAML

from brandbot import BrandbotError
from connectors.slack import texts
from connectors.slack.doctor import Finding, examine
from connectors.slack.manifest import EVENTS, SCOPES, manifest, to_yaml

# Texts


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_both_languages_hold_the_same_keys_and_fields() -> None:
    english, spanish = texts.TEXTS["en"], texts.TEXTS["es"]
    assert list(english) == list(spanish)
    for key, text in english.items():
        assert fields(text) == fields(spanish[key]), key
        assert text.strip() and spanish[key].strip(), key


def test_what_slack_limits_is_short_enough() -> None:
    for language in texts.TEXTS:
        for key in (
            "forget_confirm_title", "forget_confirm_button", "reason_title", "improve_title", "submit", "cancel",
        ):  # fmt: skip
            assert len(texts.say(language, key)) <= 24, (language, key)
        for key in ("feedback_good", "feedback_bad", "improve_button", "voice_post", *REASON_KEYS):
            assert len(texts.say(language, key)) <= 75, (language, key)


REASON_KEYS = [f"reason_{reason}" for reason in texts.REASONS]


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("en", "Cancel"),
        ("es", "Cancelar"),
        ("es-MX", "Cancelar"),
        ("ES_ar", "Cancelar"),
        ("fr", "Cancel"),
    ],
)
def test_any_language_tag_is_spoken_to(language: str, word: str) -> None:
    assert texts.say(language, "cancel") == word


def test_fields_are_filled_and_braces_of_values_kept() -> None:
    assert texts.say("en", "asked", user="U1", question="{x}?") == "<@U1> asks: {x}?"


# The manifest

NEEDS = {
    # https://docs.slack.dev/reference/events says what each event needs.
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}


def made(**changed: Any) -> dict[str, Any]:
    return manifest(
        **{"name": "Lighthouse", "description": "Answers.", "http_url": None, **changed}
    )


def test_every_event_has_its_scope_and_every_scope_its_reason() -> None:
    found = made()
    scopes = found["oauth_config"]["scopes"]["bot"]
    assert found["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS) == list(NEEDS)
    assert {scope for scope in NEEDS.values() if scope} <= set(scopes)
    assert set(scopes) == set(SCOPES)
    # What is left is asked for by methods, the agent view and the command.
    assert set(scopes) - set(NEEDS.values()) == {"assistant:write", "chat:write", "commands"}
    for language in ("en", "es"):
        assert all(texts.say(language, f"scope_{scope}") for scope in SCOPES)


def test_socket_mode_needs_no_address() -> None:
    found = made()
    assert found["settings"]["socket_mode_enabled"] is True
    assert "http" not in json.dumps(found)


def test_over_http_everything_goes_to_one_address() -> None:
    url = "https://bot.example/slack/events"
    found = made(http_url=url)
    assert found["settings"]["socket_mode_enabled"] is False
    assert found["settings"]["event_subscriptions"]["request_url"] == url
    assert found["settings"]["interactivity"] == {"is_enabled": True, "request_url": url}
    assert found["features"]["slash_commands"][0]["url"] == url


def test_an_address_without_https_is_refused_in_both_languages() -> None:
    with pytest.raises(
        BrandbotError, match=r"begin with https://, and http://bot\.example doesn't"
    ):
        made(http_url="http://bot.example")
    with pytest.raises(BrandbotError, match=r"empiezan por https://, y http://bot\.example no"):
        made(http_url="http://bot.example", language="es")


def test_new_apps_get_the_agent_view_and_a_messages_tab_people_can_write_in() -> None:
    features = made()["features"]
    assert features["agent_view"] == {"agent_description": "Answers."}
    assert "assistant_view" not in features
    assert features["app_home"]["messages_tab_enabled"] is True
    assert features["app_home"]["messages_tab_read_only_enabled"] is False


def test_what_is_too_long_for_slack_is_shortened() -> None:
    found = made(name="Lighthouse " * 10, description="Says it  \n" * 60)
    name, description = (found["display_information"][key] for key in ("name", "description"))
    assert name == "Lighthouse Lighthouse Lighthouse L…" and len(name) == 35
    assert description.startswith("Says it Says it ") and len(description) <= 140
    assert len(found["features"]["bot_user"]["display_name"]) <= 80
    assert len(found["features"]["agent_view"]["agent_description"]) <= 300


def test_the_yaml_says_the_same() -> None:
    found = made(description="It's: “good” # really")
    text = to_yaml(found)
    assert YAML(typ="safe").load(text) == found
    assert text.startswith("_metadata:\n  major_version: 2\n")
    assert "      - app_mentions:read\n" in text


# The doctor

BOT = "xoxb-1111-2222-abcdefghijklmnopWXYZ"
APP = "xapp-1-A111-222-abcdefghijklmnopQRST"
SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Slack:
    """What the small server below answers with."""

    url: str = ""
    scopes: str = ",".join(SCOPES)
    sign_in: dict[str, Any] = field(
        default_factory=lambda: {"ok": True, "user": "bot", "team": "Acme"}
    )
    socket: dict[str, Any] = field(default_factory=lambda: {"ok": True, "url": "wss://a.example"})
    page: str | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slack]:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):  # slack_sdk would use them for 127.0.0.1
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    told = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            method = self.path.removeprefix("/api/")
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            told.calls.append((method, token))
            good = {"auth.test": BOT, "apps.connections.open": APP}.get(method)
            answer: dict[str, Any] = {"api.test": {"ok": True}, "auth.test": told.sign_in,
                                      "apps.connections.open": told.socket}[method]  # fmt: skip
            if good and token != good:
                answer = {"ok": False, "error": "invalid_auth"}
            body = (told.page or json.dumps(answer)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if told.scopes and answer["ok"]:
                self.send_header("x-oauth-scopes", told.scopes)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}/api/"
        yield told
        server.shutdown()
        thread.join()


def told(findings: list[Finding]) -> list[tuple[bool | None, str]]:
    return [(finding.ok, finding.what) for finding in findings]


def test_a_good_setup_has_nothing_to_mend(slack: Slack) -> None:
    findings = examine({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url})
    assert told(findings) == [
        (True, "SLACK_BOT_TOKEN is set (xoxb-…WXYZ)."),
        (True, "SLACK_APP_TOKEN is set (xapp-…QRST)."),
        (True, f"Slack can be reached at {slack.url}."),
        (True, "Signed in as bot in Acme."),
        (True, "All 8 scopes are granted."),
        (True, "Socket Mode works."),
    ]
    assert all(finding.remedy == "" for finding in findings)
    assert slack.calls == [("api.test", ""), ("auth.test", BOT), ("apps.connections.open", APP)]


def test_over_http_no_socket_is_asked_for(slack: Slack) -> None:
    environment = {
        "SLACK_BOT_TOKEN": BOT,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": slack.url,
    }
    findings = examine(environment)
    assert (True, "SLACK_SIGNING_SECRET is set (…cdef).") in told(findings)
    assert all(finding.ok for finding in findings)
    assert [method for method, _ in slack.calls] == ["api.test", "auth.test"]


def test_missing_scopes_are_named(slack: Slack) -> None:
    slack.scopes = "app_mentions:read, chat:write,commands,groups:history,im:history,users:read"
    findings = examine({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url})
    [bad] = [finding for finding in findings if finding.ok is False]
    assert re.sub(r" \(.*?\)", "", bad.what) == (
        "Scopes are missing: assistant:write; channels:history; mpim:history."
    )
    assert "channels:history (to follow its own threads" in bad.what
    assert "install the app again" in bad.remedy


def test_scopes_that_slack_does_not_tell_are_not_called_good(slack: Slack) -> None:
    slack.scopes = ""
    findings = examine({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url})
    assert (None, "Not checked: Slack didn't say which scopes are granted.") in told(findings)


def test_refused_tokens_are_told_with_slacks_reason_and_a_remedy(slack: Slack) -> None:
    slack.sign_in = {"ok": False, "error": "account_inactive"}
    slack.socket = {"ok": False, "error": "missing_scope"}
    findings = examine({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url})
    refused, socket = (finding for finding in findings if finding.ok is False)
    assert refused.what == "Slack refuses the bot token: account_inactive."
    assert "install it again" in refused.remedy
    assert socket.what == "Slack opens no socket: missing_scope."
    assert "connections:write" in socket.remedy


def test_another_apps_token_is_refused(slack: Slack) -> None:
    environment = {"SLACK_BOT_TOKEN": BOT + "x", "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url}
    findings = examine(environment, "es")
    assert (False, "Slack rechaza el token del bot: invalid_auth.") in told(findings)
    assert (True, "Socket Mode funciona.") in told(findings)


def test_without_tokens_everything_missing_is_told_at_once(slack: Slack) -> None:
    assert told(examine({"SLACK_API_URL": slack.url})) == [
        (False, "SLACK_BOT_TOKEN is not set."),
        (
            False,
            "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: Slack's messages have no way in.",
        ),
        (True, f"Slack can be reached at {slack.url}."),
        (None, "Not checked yet: signing in, and scopes."),
    ]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (APP, "SLACK_BOT_TOKEN holds another kind of token: xapp-… instead of xoxb-…"),
        (
            "xoxp-1111-2222-abcdefgh",
            "SLACK_BOT_TOKEN holds another kind of token: xoxp-… instead of xoxb-…",
        ),
        (
            BOT + "\n",
            "SLACK_BOT_TOKEN doesn't look right: one word that begins with xoxb- was expected.",
        ),
        (
            f'"{BOT}"',
            "SLACK_BOT_TOKEN doesn't look right: one word that begins with xoxb- was expected.",
        ),
        (
            "hunter2",
            "SLACK_BOT_TOKEN doesn't look right: one word that begins with xoxb- was expected.",
        ),
    ],
)
def test_a_wrong_bot_token_is_told_and_not_sent(slack: Slack, value: str, what: str) -> None:
    environment = {"SLACK_BOT_TOKEN": value, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url}
    assert told(examine(environment))[0] == (False, what)
    assert [method for method, _ in slack.calls] == ["api.test", "apps.connections.open"]


def test_a_wrong_signing_secret_is_told(slack: Slack) -> None:
    environment = {
        "SLACK_BOT_TOKEN": BOT,
        "SLACK_SIGNING_SECRET": SECRET[:-1],
        "SLACK_API_URL": slack.url,
    }
    what = (
        "SLACK_SIGNING_SECRET doesn't look right: 32 digits and letters from a to f was expected."
    )
    assert (False, what) in told(examine(environment))


def test_a_slack_that_is_not_there(slack: Slack) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_port
    environment = {
        "SLACK_BOT_TOKEN": BOT,
        "SLACK_APP_TOKEN": APP,
        "SLACK_API_URL": f"http://127.0.0.1:{port}/api/",
    }
    findings = examine(environment)
    assert told(findings)[2:] == [
        (False, f"Slack can't be reached at http://127.0.0.1:{port}/api/ (Connection refused)."),
        (None, "Not checked yet: signing in, and scopes."),
        (None, "Not checked yet: Socket Mode."),
    ]
    assert "SLACK_API_URL" in findings[2].remedy


@pytest.mark.parametrize(
    "page", ["<html>Log in to the hotel's Wi-Fi</html>", "[]", '{"ok": false}']
)
def test_something_else_that_answers(slack: Slack, page: str) -> None:
    slack.page = page
    findings = examine({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url})
    assert (False, f"Something answers at {slack.url}, but it isn't Slack.") in told(findings)
    assert slack.calls == [("api.test", "")]  # no token is sent there


@pytest.mark.parametrize("url", ["slack.com/api/", "ftp://slack.com/", "http://", "http://a:b:c/"])
def test_an_address_that_is_none(url: str) -> None:
    findings = examine({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": url})
    assert (False, "SLACK_API_URL is not the address of a server.") in told(findings)


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_secret_is_told(slack: Slack, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    host = slack.url.removeprefix("http://")
    slack.sign_in = {"ok": False, "error": f"{BOT} is not good"}
    tries = [
        {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": slack.url},
        {"SLACK_BOT_TOKEN": APP, "SLACK_APP_TOKEN": BOT, "SLACK_SIGNING_SECRET": SECRET + "\n", "SLACK_API_URL": slack.url},
        {"SLACK_BOT_TOKEN": BOT + "\r\nx", "SLACK_APP_TOKEN": f" {APP}", "SLACK_API_URL": f"http://ana:hunter2@{host}?k=hunter2"},
        {"SLACK_BOT_TOKEN": "hunter2", "SLACK_APP_TOKEN": "xapp-hunter2", "SLACK_SIGNING_SECRET": "hunter2", "SLACK_API_URL": slack.url},
    ]  # fmt: skip
    for environment in tries:
        findings = examine(environment, language)
        assert len(findings) >= 4
        text = "\n".join(f"{finding.what}\n{finding.remedy}" for finding in findings)
        printed = capsys.readouterr()
        for secret in (BOT, APP, SECRET):
            for shown in (secret[5:-4], secret[:6], secret[-5:]):
                assert shown not in text + printed.out + printed.err, shown
        assert "hunter2" not in text + printed.out + printed.err


def test_the_language_is_kept_throughout(slack: Slack) -> None:
    slack.scopes = "chat:write"
    for environment in (
        {"SLACK_API_URL": slack.url},
        {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": slack.url},
        {"SLACK_BOT_TOKEN": APP, "SLACK_SIGNING_SECRET": "x", "SLACK_API_URL": "x"},
    ):
        english, spanish = examine(environment, "en"), examine(environment, "es")
        assert [finding.ok for finding in english] == [finding.ok for finding in spanish]
        for one, other in zip(english, spanish, strict=True):
            assert one.what != other.what or one.what == "Socket Mode works."
            assert bool(one.remedy) == bool(other.remedy)
            assert not one.remedy or one.remedy != other.remedy
