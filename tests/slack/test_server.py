"""Slack's own clients talk to the test server as to Slack: nothing of the connector is in here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.models.blocks import ContextActionsBlock, FeedbackButtonsElement
from slack_sdk.socket_mode.builtin import SocketModeClient as BuiltinClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websocket_client import SocketModeClient as WebsocketClient
from slack_sdk.webhook import WebhookClient

from tests.slack.conftest import listening
from tests.slack.server import SlackServer

Client = BuiltinClient | WebsocketClient
Seen = list[tuple[dict[str, str], dict[str, Any]]]


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.url)


def error_of(call: Callable[[], object]) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


# Web API: who may call


def test_auth_test_names_the_bot_and_its_scopes(slack: SlackServer, client: WebClient) -> None:
    slack.scopes = ["chat:write", "im:history"]
    answer = client.auth_test()
    assert (answer["user_id"], answer["bot_id"]) == ("U0BOT0001", "B0BOT0001")
    assert (answer["team_id"], answer["url"]) == ("T0BRAND01", "https://brand.slack.com/")
    assert answer.headers["X-OAuth-Scopes"] == "chat:write,im:history"


def test_wrong_tokens(slack: SlackServer, client: WebClient) -> None:
    assert error_of(WebClient("xoxb-another", base_url=slack.url).auth_test) == "invalid_auth"
    assert error_of(WebClient(None, base_url=slack.url).auth_test) == "not_authed"
    connect = client.apps_connections_open
    assert error_of(lambda: connect(app_token=slack.bot_token)) == "not_allowed_token_type"
    assert error_of(lambda: client.api_call("chat.sing")) == "unknown_method"


def test_missing_scope_names_what_is_needed(slack: SlackServer, client: WebClient) -> None:
    slack.missing_scope |= {"chat:write", "im:history"}
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=slack.general, text="hello")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "chat:write"
    assert "im:history" not in caught.value.response["provided"].split(",")
    dm = slack.dm(slack.ana)
    assert error_of(lambda: client.conversations_history(channel=dm)) == "missing_scope"
    assert client.conversations_history(channel=slack.general)["messages"] == []


# Web API: messages


def test_posting_and_reading_a_thread(slack: SlackServer, client: WebClient) -> None:
    root = slack.say(slack.ana, slack.general, "hello")
    metadata = {"event_type": "brandbot", "event_payload": {"turn": 7}}
    posted = client.chat_postMessage(
        channel=slack.general, text="hi Ana", thread_ts=root.ts, metadata=metadata
    )
    assert posted["ts"] > root.ts
    found = client.conversations_replies(channel=slack.general, ts=root.ts)["messages"]
    assert [(m["user"], m["text"]) for m in found] == [
        (slack.ana, "hello"),
        (slack.bot_user, "hi Ana"),
    ]
    assert (found[0]["reply_count"], found[1]["parent_user_id"]) == (1, slack.ana)
    assert "metadata" not in found[1]
    found = client.conversations_replies(
        channel=slack.general, ts=root.ts, include_all_metadata=True
    )["messages"]
    assert found[1]["metadata"] == metadata
    assert [m.text for m in slack.replies(slack.general)] == ["hi Ana"]


def test_long_threads_come_in_pages(slack: SlackServer, client: WebClient) -> None:
    root = slack.say(slack.ana, slack.general, "0")
    for number in range(1, 6):
        slack.say(slack.ana, slack.general, str(number), root.ts)
    pages = client.conversations_replies(channel=slack.general, ts=root.ts, limit=4)
    assert [[m["text"] for m in page["messages"]] for page in pages] == [
        ["0", "1", "2", "3"],
        ["4", "5"],
    ]
    history = client.conversations_history(channel=slack.general)["messages"]
    assert [m["text"] for m in history] == ["0"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"text": "x", "blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("x")] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        (
            {"text": "x", "blocks": [{"type": "markdown", "text": "x" * 6001}] * 2},
            "msg_blocks_too_long",
        ),
        ({"text": "x", "markdown_text": "x"}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": "x", "metadata": {"event_type": "t"}}, "invalid_metadata_format"),
    ],
)
def test_posts_that_slack_refuses(
    slack: SlackServer, client: WebClient, arguments: dict[str, Any], error: str
) -> None:
    body = {"channel": slack.general, **arguments}
    assert error_of(lambda: client.api_call("chat.postMessage", json=body)) == error
    assert slack.messages(slack.general) == []
    assert slack.calls_of("chat.postMessage")[0].error == error


def test_the_largest_posts_that_slack_takes(slack: SlackServer, client: WebClient) -> None:
    blocks = [section("x" * 3000)] * 50
    client.chat_postMessage(channel=slack.general, text="x", blocks=blocks)
    client.chat_postMessage(channel=slack.general, markdown_text="x" * 12_000)
    cut = client.chat_postMessage(channel=slack.general, text="x" * 40_001)
    assert cut["response_metadata"]["warnings"] == ["message_truncated"]
    assert [len(m.text) for m in slack.messages(slack.general)] == [1, 12_000, 40_000]


def test_update_and_delete(slack: SlackServer, client: WebClient) -> None:
    blocks = [section("first")]
    ts = client.chat_postMessage(channel=slack.general, text="first", blocks=blocks)["ts"]
    client.chat_update(channel=slack.general, ts=ts, text="second")
    (message,) = slack.messages(slack.general)
    assert (message.text, message.blocks, bool(message.edited)) == ("second", [], True)
    assert message.versions == ["first", "second"]
    place = {"channel": slack.general, "ts": ts}
    assert error_of(lambda: client.chat_update(**place, text="x" * 4001)) == "msg_too_long"
    hers = {"channel": slack.general, "ts": slack.say(slack.ana, slack.general, "mine").ts}
    assert error_of(lambda: client.chat_update(**hers, text="x")) == "cant_update_message"
    assert error_of(lambda: client.chat_delete(**hers)) == "cant_delete_message"
    client.chat_delete(**place)
    assert error_of(lambda: client.chat_update(**place, text="x")) == "message_not_found"
    assert [m.deleted for m in slack.messages(slack.general)] == [True, False]


def test_the_smaller_methods(slack: SlackServer, client: WebClient) -> None:
    message = slack.say(slack.ana, slack.general, "hello")
    client.reactions_add(channel=slack.general, timestamp=message.ts, name="eyes")
    assert slack.messages(slack.general)[0].reactions == [("eyes", slack.bot_user)]
    client.chat_postEphemeral(channel=slack.general, user=slack.ana, text="psst")
    assert [(e.user, e.text) for e in slack.ephemerals] == [(slack.ana, "psst")]
    link = client.chat_getPermalink(channel=slack.general, message_ts=message.ts)["permalink"]
    assert link == f"https://brand.slack.com/archives/C0GENERAL/p{message.ts.replace('.', '')}"
    assert client.users_info(user=slack.ana, include_locale=True)["user"]["locale"] == "en-US"
    assert client.bots_info(bot=slack.bot_id)["bot"]["user_id"] == slack.bot_user
    assert client.team_info()["team"]["domain"] == "brand"
    assert client.conversations_info(channel=slack.general)["channel"]["name"] == "general"
    assert client.conversations_open(users=slack.ben)["channel"]["id"] == "D0BEN0001"
    assert client.conversations_info(channel="D0BEN0001")["channel"]["is_im"] is True
    assert [c["id"] for c in client.conversations_list()["channels"]] == [slack.general]
    client.chat_postMessage(channel=slack.ben, text="to a user")
    assert slack.messages("D0BEN0001")[0].text == "to a user"
    slack.add_channel("C0PRIVATE", "private", with_bot=False)
    away = {"channel": "C0PRIVATE", "text": "x"}
    assert error_of(lambda: client.chat_postMessage(**away)) == "not_in_channel"


def test_assistant_methods(slack: SlackServer, client: WebClient) -> None:
    ts, dm = slack.assistant_started(slack.ana), slack.dm(slack.ana)
    place = {"channel_id": dm, "thread_ts": ts}
    client.assistant_threads_setStatus(**place, status="is thinking…", loading_messages=["Hm"])
    client.assistant_threads_setTitle(**place, title="Bags")
    assert (slack.status(dm, ts), slack.messages(dm)[0].title) == ("is thinking…", "Bags")
    client.chat_postMessage(channel=dm, thread_ts=ts, text="done")
    assert (slack.status(dm, ts), slack.statuses[0].loading_messages) == ("", ["Hm"])
    prompts = [{"title": "Hello", "message": "Say hello"}]
    client.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=prompts, title="Try")
    assert (slack.prompts[0].prompts, slack.prompts[0].thread_ts) == (prompts, None)
    many = {"channel_id": dm, "prompts": prompts * 5}
    set_prompts = client.assistant_threads_setSuggestedPrompts
    assert error_of(lambda: set_prompts(**many)) == "invalid_arguments"


# Web API: streams


def test_the_sdks_stream_writes_one_message(slack: SlackServer, client: WebClient) -> None:
    root = slack.say(slack.ana, slack.general, "hello")
    stream = client.chat_stream(
        channel=slack.general,
        thread_ts=root.ts,
        recipient_team_id=slack.team,
        recipient_user_id=slack.ana,
        buffer_size=1,
    )
    stream.append(markdown_text="Good ")
    (message,) = slack.replies(slack.general)
    assert (message.text, message.streaming) == ("Good ", True)
    place = {"channel": slack.general, "ts": message.ts}
    assert error_of(lambda: client.chat_update(**place, text="x")) == "streaming_state_conflict"
    stream.append(markdown_text="morning")
    metadata = {"event_type": "t", "event_payload": {}}
    stream.stop(markdown_text="!", blocks=[section("sources")], metadata=metadata)
    (message,) = slack.replies(slack.general, root.ts)
    assert (message.text, message.streaming, message.metadata) == ("Good morning!", False, metadata)
    assert [block["type"] for block in message.blocks] == ["section"]
    late = {**place, "markdown_text": "x"}
    assert error_of(lambda: client.chat_appendStream(**late)) == "message_not_in_streaming_state"
    client.chat_update(**place, text="corrected")


def test_streams_that_slack_refuses(slack: SlackServer, client: WebClient) -> None:
    ts = slack.say(slack.ana, slack.general, "hello").ts
    place: dict[str, Any] = {"channel": slack.general, "thread_ts": ts}
    start = client.chat_startStream
    assert error_of(lambda: start(**place)) == "missing_recipient_user_id"
    place["recipient_user_id"] = slack.ana
    assert error_of(lambda: start(**place)) == "missing_recipient_team_id"
    place["recipient_team_id"] = slack.team
    stream = {"channel": slack.general, "ts": start(**place)["ts"]}
    append = client.chat_appendStream
    text = "x" * 12_001
    assert error_of(lambda: append(**stream, markdown_text=text)) == "msg_too_long"
    assert error_of(lambda: append(**stream)) == "markdown_text_or_chunks_required"
    append(**stream, markdown_text="x" * 7000)
    chunk = [{"type": "markdown_text", "text": "x"}]
    assert error_of(lambda: append(**stream, chunks=chunk)) == "streaming_mode_mismatch"
    assert error_of(lambda: append(**stream, markdown_text="x" * 5001)) == "msg_too_long"
    slack.stop_stream(slack.general, stream["ts"])
    assert error_of(lambda: append(**stream, markdown_text="x")) == "stopped_by_user"
    gone = {"channel": slack.general, "ts": "1.000001", "markdown_text": "x"}
    assert error_of(lambda: append(**gone)) == "message_not_found"
    slack.streaming = False
    assert error_of(lambda: start(**place)) == "method_not_supported_for_channel_type"
    dm = slack.dm(slack.ana)
    slack.streaming = True
    assert start(channel=dm, thread_ts=slack.say(slack.ana, dm, "hi").ts)["channel"] == dm


def test_a_stream_expires_in_the_middle(slack: SlackServer, client: WebClient) -> None:
    dm = slack.dm(slack.ana)
    slack.expire_stream_after = 2
    ts = slack.say(slack.ana, dm, "hi").ts
    stream = client.chat_stream(channel=dm, thread_ts=ts, buffer_size=1)
    for text in ("a", "b", "c"):
        stream.append(markdown_text=text)
    late = error_of(lambda: stream.append(markdown_text="d"))
    assert (late, error_of(stream.stop)) == ("message_not_in_streaming_state",) * 2
    client.chat_update(channel=dm, ts=str(stream.ts), text="abcd")
    assert slack.replies(dm)[0].versions[-1] == "abcd"


# Web API: what goes wrong


def test_rate_limits_and_failures(slack: SlackServer, client: WebClient) -> None:
    slack.rate_limit("chat.postMessage", times=1, retry_after=0)
    slack.fail("chat.postMessage", times=1)
    post = {"channel": slack.general, "text": "x"}
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(**post)
    assert (caught.value.response.status_code, caught.value.response["error"]) == (
        429,
        "ratelimited",
    )
    assert caught.value.response.headers["Retry-After"] == "0"
    assert error_of(lambda: client.chat_postMessage(**post)) == "internal_error"
    slack.rate_limit("chat.postMessage", times=2, retry_after=0)
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
    client.chat_postMessage(**post)
    assert slack.count("chat.postMessage") == 5
    assert len(slack.messages(slack.general)) == 1


def test_broken_connections(slack: SlackServer) -> None:
    client = WebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])
    slack.break_connection_on("chat.postMessage", times=1)
    slack.break_connection_on("chat.postMessage", times=1, after=True)
    for posted in (0, 1):
        with pytest.raises(RemoteDisconnected):
            client.chat_postMessage(channel=slack.general, text="x")
        assert len(slack.messages(slack.general)) == posted


def test_a_held_call_waits(slack: SlackServer, client: WebClient) -> None:
    post = threading.Thread(
        target=client.chat_postMessage, kwargs={"channel": slack.general, "text": "x"}
    )
    with slack.hold("chat.postMessage"):
        post.start()
        slack.wait_for(lambda: slack.count("chat.postMessage") == 1)
        assert slack.messages(slack.general) == []
    slack.wait_for(lambda: slack.messages(slack.general))
    post.join()


def test_waiting_in_vain_tells_the_last_calls(slack: SlackServer, client: WebClient) -> None:
    client.auth_test()
    with pytest.raises(TimeoutError, match=r"auth\.test ok"):
        slack.wait_for(lambda: slack.messages(slack.general), seconds=0.01)


# Events over HTTP


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def endpoint(slack: SlackServer, seen: Seen) -> Iterator[str]:
    """An app that notes what it is told, and takes all of it."""

    def note(headers: dict[str, str], raw: str) -> tuple[int, dict[str, str], str]:
        body = json.loads(raw) if raw[0] == "{" else parse_qs(raw)
        with slack.changed:
            seen.append((headers, body))
        return 200, {}, str(body.get("challenge", ""))

    with listening(note) as url:
        slack.deliver_http(url)
        yield url


def kinds(slack: SlackServer, seen: Seen) -> list[tuple[str, str | None]]:
    slack.settle()
    events = sorted((body for _, body in seen), key=lambda body: str(body["event_id"]))
    return [(body["event"]["type"], body["event"].get("subtype")) for body in events]


def test_a_mention_in_a_channel_comes_twice(slack: SlackServer, seen: Seen, endpoint: str) -> None:
    message = slack.say(slack.ana, slack.general, "hello", mention=True)
    assert kinds(slack, seen) == [("message", None), ("app_mention", None)]
    bodies = sorted((body for _, body in seen), key=lambda body: str(body["event_id"]))
    first, second = bodies[0]["event"], bodies[1]["event"]
    assert first["ts"] == second["ts"] == message.ts
    assert first["text"] == second["text"] == "<@U0BOT0001> hello"
    assert (first["channel_type"], "channel_type" in second) == ("channel", False)
    body = bodies[1]
    assert (body["type"], body["team_id"]) == ("event_callback", "T0BRAND01")
    assert body["authorizations"][0]["user_id"] == slack.bot_user
    assert body["event_id"].startswith("Ev")


def test_what_the_app_is_not_told(slack: SlackServer, seen: Seen, endpoint: str) -> None:
    slack.subscriptions.discard("message.channels")
    slack.add_channel("C0PRIVATE", "private", with_bot=False)
    slack.say(slack.ana, slack.general, "among us")
    slack.say(slack.ana, "C0PRIVATE", "hello", mention=True)
    slack.say(slack.ana, slack.dm(slack.ana), "hello", mention=True)
    assert kinds(slack, seen) == [("message", None)]
    assert seen[0][1]["event"]["channel_type"] == "im"


def test_edits_deletions_and_the_bots_own_posts(
    slack: SlackServer, client: WebClient, seen: Seen, endpoint: str
) -> None:
    dm = slack.dm(slack.ana)
    ts = slack.say(slack.ana, dm, "helo").ts
    slack.edit(dm, ts, "hello")
    own = client.chat_postMessage(channel=dm, text="hi", thread_ts=ts)["ts"]
    client.chat_update(channel=dm, ts=own, text="hi!")
    client.chat_delete(channel=dm, ts=own)
    slack.delete(dm, ts)
    changed, deleted = ("message", "message_changed"), ("message", "message_deleted")
    plain = ("message", None)
    assert kinds(slack, seen) == [plain, changed, plain, changed, deleted, deleted]
    events = [e["event"] for e in slack.events]
    assert (events[1]["message"]["text"], events[1]["previous_message"]["text"]) == (
        "hello",
        "helo",
    )
    assert (events[2]["bot_id"], events[2]["user"]) == (slack.bot_id, slack.bot_user)
    assert (events[3]["message"]["user"], events[3]["hidden"]) == (slack.bot_user, True)
    assert (events[4]["deleted_ts"], events[5]["deleted_ts"]) == (own, ts)


def test_a_parents_deletion_leaves_a_tombstone(slack: SlackServer) -> None:
    root = slack.say(slack.ana, slack.general, "hello")
    slack.say(slack.ben, slack.general, "hi", root.ts)
    slack.delete(slack.general, root.ts)
    event = slack.events[-1]["event"]
    assert (event["subtype"], event["message"]["subtype"]) == ("message_changed", "tombstone")


def test_the_apps_own_places(slack: SlackServer, seen: Seen, endpoint: str) -> None:
    slack.open_home(slack.ana)
    ts = slack.assistant_started(slack.ana, viewing=slack.general)
    slack.context_changed(slack.ana, ts, slack.general)
    assert [kind for kind, _ in kinds(slack, seen)] == [
        "app_home_opened",
        "assistant_thread_started",
        "assistant_thread_context_changed",
    ]
    assert slack.events[0]["event"]["tab"] == "messages"
    thread = slack.events[1]["event"]["assistant_thread"]
    assert (thread["thread_ts"], thread["context"]["channel_id"]) == (ts, slack.general)


def test_the_url_is_verified_and_signatures_hold(
    slack: SlackServer, seen: Seen, endpoint: str
) -> None:
    assert slack.verify_url() is True
    app = App(signing_secret=slack.signing_secret, token_verification_enabled=False, token="x")
    body = json.dumps({"type": "url_verification", "challenge": "c"})

    def status(headers: dict[str, str]) -> int:
        return app.dispatch(BoltRequest(body=body, headers=dict(headers))).status

    assert status(slack.sign(body)) == 200
    assert status(slack.sign(body, timestamp=1)) == 401
    assert status(slack.sign(body + " ")) == 401


def test_events_come_again_until_they_are_taken(slack: SlackServer) -> None:
    tries: list[tuple[str | None, str | None]] = []

    def refuse(headers: dict[str, str], raw: str) -> tuple[int, dict[str, str], str]:
        with slack.changed:
            tries.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")))
            return (500 if len(tries) < 3 else 200), {}, ""

    with listening(refuse) as url:
        slack.deliver_http(url)
        slack.say(slack.ana, slack.general, "hello")
        slack.settle()
        event = slack.events[0]["event_id"]
        assert tries == [(None, None), ("1", "http_error"), ("2", "http_error")]
        assert [(d.event_id, d.status, d.retry) for d in slack.deliveries] == [
            (event, 500, 0),
            (event, 500, 1),
            (event, 200, 2),
        ]
        assert slack.redeliver(event, retry_num=3).status == 200
        assert tries[-1] == ("3", "http_timeout")


@pytest.mark.parametrize("no_retry", [False, True])
def test_events_are_given_up(slack: SlackServer, no_retry: bool) -> None:
    headers = {"X-Slack-No-Retry": "1"} if no_retry else {}
    with listening(lambda *_: (503, headers, "")) as url:
        slack.deliver_http(url)
        slack.say(slack.ana, slack.general, "hello")
        slack.settle()
    assert len(slack.deliveries) == (1 if no_retry else 4)


def test_an_app_that_is_too_slow_or_gone(slack: SlackServer) -> None:
    release = threading.Event()

    def slow(headers: dict[str, str], raw: str) -> tuple[int, dict[str, str], str]:
        if "X-Slack-Retry-Num" not in headers:
            release.wait(10)
        return 200, {}, headers.get("X-Slack-Retry-Reason", "")

    slack.ack_seconds = 0.2
    with listening(slow) as url:
        slack.deliver_http(url)
        slack.say(slack.ana, slack.general, "hello")
        slack.settle()
        release.set()
    assert [(d.status, d.retry) for d in slack.deliveries] == [(0, 0), (200, 1)]
    assert 0.2 <= slack.deliveries[0].seconds < 2
    answer = slack.redeliver(slack.events[0]["event_id"])
    assert (answer.status, answer.reason) == (0, "connection_failed")


def test_a_hundred_events_at_once_and_thousands_in_a_row(
    slack: SlackServer, seen: Seen, endpoint: str
) -> None:
    hundred = [b for n in range(100) for b in slack.said(slack.ana, slack.general, str(n))]
    assert {answer.status for answer in slack.deliver_many(hundred, parallel=100)} == {200}
    assert {body["event"]["text"] for _, body in seen} == {str(n) for n in range(100)}
    assert [a.status for a in slack.deliver_many(hundred * 10)] == [200] * 1000
    assert len(seen) == 1100


# Interactions, with a Bolt app over HTTP


@pytest.fixture
def app(slack: SlackServer, client: WebClient) -> Iterator[App]:
    app = App(signing_secret=slack.signing_secret, client=client)

    def answer(headers: dict[str, str], raw: str) -> tuple[int, dict[str, str], str]:
        response = app.dispatch(BoltRequest(body=raw, headers=dict(headers)))
        return response.status, response.first_headers(), response.body

    with listening(answer) as url:
        slack.deliver_http(url)
        yield app


FEEDBACK = ContextActionsBlock(
    elements=[
        FeedbackButtonsElement(
            action_id="feedback",
            positive_button={"text": {"type": "plain_text", "text": "Good"}, "value": "good"},
            negative_button={"text": {"type": "plain_text", "text": "Bad"}, "value": "bad"},
        )
    ]
).to_dict()

MODAL = {
    "type": "modal",
    "callback_id": "correction",
    "title": {"type": "plain_text", "text": "Correct"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "better",
            "label": {"type": "plain_text", "text": "Better"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def test_a_bolt_listener_streams(slack: SlackServer, app: App) -> None:
    @app.event("app_mention")
    def mentioned(event: dict[str, Any], say_stream: Any, set_status: Any) -> None:
        set_status("is writing…")
        stream = say_stream(buffer_size=1)
        stream.append(markdown_text="Hi ")
        stream.stop(markdown_text="Ana", blocks=[FEEDBACK])

    slack.subscriptions.discard("message.channels")
    ts = slack.say(slack.ana, slack.general, "hello", mention=True).ts
    reply = slack.wait_for(
        lambda: next((m for m in slack.replies(slack.general, ts) if not m.streaming), None)
    )
    assert reply is not None
    assert (reply.text, reply.blocks[0]["type"]) == ("Hi Ana", "context_actions")


def test_feedback_opens_a_modal_that_is_submitted(
    slack: SlackServer, app: App, client: WebClient
) -> None:
    kept: list[str] = []

    @app.action("feedback")
    def judged(ack: Any, body: dict[str, Any], client: WebClient, respond: Any) -> None:
        ack()
        assert body["actions"][0]["value"] == "bad"
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        respond(text="Thank you", response_type="ephemeral")

    @app.view("correction")
    def corrected(ack: Any, view: dict[str, Any]) -> None:
        text = view["state"]["values"]["better"]["text"]["value"]
        if text == "worse":
            ack(response_action="errors", errors={"better": "Not better"})
        else:
            kept.append(text)
            ack()

    ts = client.chat_postMessage(channel=slack.general, text="x", blocks=[FEEDBACK])["ts"]
    answer = slack.click(slack.ana, slack.general, ts, {"action_id": "feedback", "value": "bad"})
    assert answer.status == 200
    view = slack.wait_for(lambda: next(iter(slack.views), None))
    assert view is not None
    slack.wait_for(lambda: slack.ephemerals)
    assert slack.ephemerals[0].text == "Thank you"
    assert slack.submit_view(slack.ana, view, {"better": {"text": "worse"}}) == {
        "response_action": "errors",
        "errors": {"better": "Not better"},
    }
    assert view in slack.views
    assert slack.submit_view(slack.ana, view, {"better": {"text": "Hello!"}}) == {}
    assert (kept, slack.views) == (["Hello!"], {})
    with pytest.raises(LookupError, match="feedback"):
        slack.click(slack.ana, slack.general, ts, {"action_id": "other"})


def test_views_that_slack_refuses(slack: SlackServer, client: WebClient) -> None:
    trigger = slack.trigger(slack.ana)
    assert client.views_open(trigger_id=trigger, view=MODAL)["view"]["callback_id"] == "correction"
    again = error_of(lambda: client.views_open(trigger_id=trigger, view=MODAL))
    made_up = error_of(lambda: client.views_open(trigger_id="1", view=MODAL))
    assert (again, made_up) == ("exchanged_trigger_id", "invalid_trigger_id")
    slack.trigger_seconds = 0.0
    late = slack.trigger(slack.ana)
    assert error_of(lambda: client.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"
    slack.trigger_seconds = 3.0
    title = {"type": "plain_text", "text": "A title of more than 24 characters"}
    long = {"trigger_id": slack.trigger(slack.ana), "view": MODAL | {"title": title}}
    assert error_of(lambda: client.views_open(**long)) == "invalid_arguments"
    key = next(iter(slack.views))
    stale = {"view_id": key, "view": MODAL, "hash": "1.1"}
    assert error_of(lambda: client.views_update(**stale)) == "hash_conflict"
    client.views_update(view_id=key, view=MODAL | {"callback_id": "second"})
    assert slack.views[key]["callback_id"] == "second"
    home = {"type": "home", "blocks": [section("Welcome")]}
    client.views_publish(user_id=slack.ana, view=home)
    assert slack.homes[slack.ana]["blocks"][0]["text"]["text"] == "Welcome"


def test_commands_and_shortcuts(slack: SlackServer, app: App) -> None:
    @app.command("/brandbot")
    def commanded(ack: Any, command: dict[str, Any]) -> None:
        ack(f"You said {command['text']}")

    @app.shortcut("rewrite")
    def shortcut(ack: Any, shortcut: dict[str, Any], client: WebClient) -> None:
        ack()
        client.chat_postMessage(channel=slack.general, text=shortcut["message"]["text"] + "!")

    assert slack.command("/brandbot", "help", slack.ana, slack.general).status == 200
    assert [e.text for e in slack.ephemerals] == ["You said help"]
    ts = slack.say(slack.ana, slack.general, "hello").ts
    assert slack.shortcut(slack.ana, "rewrite", slack.general, ts).status == 200
    slack.wait_for(lambda: [m.text for m in slack.replies(slack.general)] == ["hello!"])


def test_response_urls_replace_and_run_out(slack: SlackServer, client: WebClient) -> None:
    bodies: list[dict[str, Any]] = []

    def note(headers: dict[str, str], raw: str) -> tuple[int, dict[str, str], str]:
        bodies.append(json.loads(parse_qs(raw)["payload"][0]))
        return 200, {}, ""

    ts = client.chat_postMessage(channel=slack.general, text="x", blocks=[FEEDBACK])["ts"]
    with listening(note) as url:
        slack.deliver_http(url)
        slack.click(slack.ana, slack.general, ts, {"action_id": "feedback"})
    webhook = WebhookClient(bodies[0]["response_url"])
    assert webhook.send(text="new", replace_original=True).body == "ok"
    assert slack.messages(slack.general)[0].versions == ["x", "new"]
    assert webhook.send(text="all", response_type="in_channel").status_code == 200
    assert webhook.send(text="gone", delete_original=True).status_code == 200
    assert [m.text for m in slack.replies(slack.general)] == ["all"]
    assert [webhook.send(text="you").status_code for _ in range(3)] == [200, 200, 404]


# Socket Mode


@pytest.fixture(params=[BuiltinClient, WebsocketClient])
def connect(
    request: pytest.FixtureRequest, slack: SlackServer, client: WebClient
) -> Iterator[Callable[[], tuple[Client, list[SocketModeRequest]]]]:
    """Connects a client that notes what it gets and takes it; called again, one more."""
    clients: list[Client] = []

    def connected() -> tuple[Client, list[SocketModeRequest]]:
        made: Client = request.param(slack.app_token, web_client=client, ping_interval=1)
        clients.append(made)
        got: list[SocketModeRequest] = []

        def take(socket: Any, envelope: SocketModeRequest) -> None:
            with slack.changed:
                got.append(envelope)
            answer = {"said": "taken"} if envelope.accepts_response_payload else None
            response = SocketModeResponse(envelope.envelope_id, payload=answer)
            socket.send_socket_mode_response(response)

        made.socket_mode_request_listeners.append(take)
        wanted = len(slack.sockets.connections) + 1
        made.connect()
        slack.wait_for(lambda: len(slack.sockets.connections) == wanted)
        return made, got

    yield connected
    slack.stop()  # else the built-in client waits three seconds for its socket
    for made in clients:
        made.close()


Connect = Callable[[], tuple[Client, list[SocketModeRequest]]]


def test_events_and_interactions_over_a_socket(slack: SlackServer, connect: Connect) -> None:
    _, got = connect()
    slack.say(slack.ana, slack.general, "héllo")
    slack.settle()
    (envelope,) = got
    assert (envelope.type, envelope.payload["event"]["text"]) == ("events_api", "héllo")
    assert (envelope.retry_attempt, envelope.accepts_response_payload) == (0, False)
    assert [(d.status, d.kind) for d in slack.deliveries] == [(200, "event")]
    answer = slack.command("/brandbot", "x" * 70_000, slack.ana, slack.general)
    assert (answer.status, answer.body, got[1].type) == (200, {"said": "taken"}, "slash_commands")
    assert len(got[1].payload["text"]) == 70_000
    slack.sockets.ping()
    slack.wait_for(lambda: slack.sockets.connections[0].pongs == 1)


def test_several_connections_take_turns(slack: SlackServer, connect: Connect) -> None:
    (_, first), (_, second) = connect(), connect()
    for number in range(10):
        slack.say(slack.ana, slack.general, str(number))
    slack.settle()
    assert (len(first), len(second)) == (5, 5)


def test_a_refresh_and_an_outage_lose_nothing(slack: SlackServer, connect: Connect) -> None:
    client, got = connect()
    opened = slack.count("apps.connections.open")
    slack.disconnect(at_once=isinstance(client, WebsocketClient))
    slack.say(slack.ana, slack.general, "after the refresh")
    slack.settle()
    assert slack.count("apps.connections.open") > opened
    port = slack.port
    slack.stop()
    slack.say(slack.ana, slack.general, "during the outage")
    slack.start()
    assert slack.port == port
    slack.settle(30)
    texts = [envelope.payload["event"]["text"] for envelope in got]
    assert list(dict.fromkeys(texts)) == ["after the refresh", "during the outage"]
    assert (got[-1].retry_attempt or 0) > 0


def test_what_is_not_acknowledged_comes_again(slack: SlackServer, client: WebClient) -> None:
    slack.ack_seconds = 0.1
    socket = BuiltinClient(slack.app_token, web_client=client)
    attempts: list[int | None] = []

    def ignore_twice(socket: Any, envelope: SocketModeRequest) -> None:
        attempts.append(envelope.retry_attempt)
        if len(attempts) == 3:
            socket.send_socket_mode_response(SocketModeResponse(envelope.envelope_id))

    socket.socket_mode_request_listeners.append(ignore_twice)
    socket.connect()
    slack.wait_for(lambda: slack.sockets.connections)
    slack.say(slack.ana, slack.general, "hello")
    slack.settle()
    slack.stop()
    socket.close()
    assert attempts == [0, 1, 2]
    assert [(d.status, d.retry) for d in slack.deliveries] == [(0, 0), (0, 1), (200, 2)]


def test_a_ticket_opens_one_connection(slack: SlackServer, client: WebClient) -> None:
    url = client.apps_connections_open(app_token=slack.app_token)["url"]
    ticket = url.split("ticket=")[1].split("&")[0]
    assert [slack.sockets.redeem(ticket), slack.sockets.redeem(ticket)] == [True, False]


def test_a_bolt_app_in_socket_mode(slack: SlackServer, client: WebClient) -> None:
    app = App(client=client, signing_secret=slack.signing_secret)

    @app.event("message")
    def heard(event: dict[str, Any], say: Any) -> None:
        say(event["text"].upper(), thread_ts=event["ts"])

    handler = SocketModeHandler(app, slack.app_token)
    handler.connect()
    dm = slack.dm(slack.ana)
    ts = slack.say(slack.ana, dm, "hello").ts
    slack.wait_for(lambda: slack.replies(dm, ts))
    slack.settle()  # Bolt leaves its own message alone
    slack.stop()
    handler.close()
    assert [m.text for m in slack.messages(dm, ts)] == ["hello", "HELLO"]


def test_thousands_of_events_over_a_socket(slack: SlackServer, client: WebClient) -> None:
    socket = WebsocketClient(slack.app_token, web_client=client)
    socket.socket_mode_request_listeners.append(
        lambda s, e: s.send_socket_mode_response(SocketModeResponse(e.envelope_id))
    )
    socket.connect()
    slack.wait_for(lambda: slack.sockets.connections)
    slack.ack_seconds = 60.0
    bodies = [b for n in range(2000) for b in slack.said(slack.ana, slack.general, str(n))]
    assert {answer.status for answer in slack.deliver_many(bodies)} == {200}
    socket.close()
