"""Slack, its socket or the log isn't well for a while: nothing is lost, and nobody waits in vain."""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.applications import Starlette
from starlette.testclient import TestClient

from brandbot import Bot, Workspace
from brandbot.cli_slack import mounted
from brandbot.errors import BusyError, DiskFullError
from connectors.slack import server
from connectors.slack.manifest import EVENTS, SCOPES
from connectors.slack.server import connect
from connectors.slack.work import Work
from tests.browser.scripted import FOREVER, WAIT, ScriptedEngine, converse
from tests.slack.conftest import opened
from tests.slack.office import Office, beat, text_of
from tests.slack.server import SlackServer
from tests.slack.state import Message

FAILED = "couldn't write a reply"


def begun(office: Office, *words: str) -> Message:
    """A question whose reply is begun, and waits for ``go``."""
    office.engine.will_say(*words)
    said = office.ask("go on")
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts))
    return said


def whispers(office: Office) -> list[str]:
    return [e.text for e in office.slack.ephemerals if "forget-me" not in e.text]


# Slack


def test_a_socket_that_died_without_a_word_is_opened_again(
    slack: SlackServer, house: tuple[Bot, ScriptedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PING_SECONDS", 1.0)
    monkeypatch.setattr(server, "PONG_SECONDS", 0.5)
    app = opened(slack, house[0])
    slack.sockets.answer_pings = False
    handler = connect(app, slack.app_token)
    slack.wait_for(lambda: slack.count("apps.connections.open") >= 2, 30)
    slack.sockets.answer_pings = True
    slack.wait_for(lambda: slack.sockets.connections)
    said = slack.say(slack.ana, slack.general, "do you hear me?", mention=True)
    slack.wait_for(lambda: slack.replies(slack.general, said.ts), 30)
    slack.settle()
    app.talk.work.join(10)
    slack.stop()
    handler.close()
    app.close()


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("error", ["internal_error", "service_unavailable", "a page"])
def test_a_reply_outlives_a_slack_that_is_not_well(
    office: Office, error: str, streaming: bool
) -> None:
    slack = office.slack
    slack.streaming = streaming
    said = begun(office, "The beginning ", "of it, ", WAIT, "and its end.")
    failing = ("chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage")
    for method in failing:
        if error == "a page":
            slack.fail_with_page(method, 6)
        else:
            slack.fail(method, error, 6)
    office.engine.go()
    office.eventually(lambda: bool(office.app.talk.claims._unheard))
    assert office.claimed() != [] and len(office.turns()) == 2
    while office.claimed():  # until Slack is well again
        office.app.talk.work.join(10)
        beat(office.app)
    (answer,) = office.answers(said)
    assert text_of(answer) == "The beginning of it, and its end." and not answer.streaming
    assert len(office.turns()) == 2 and len(office.engine.calls) == 1


def test_what_slack_refuses_for_good_is_not_tried_for_ever(office: Office) -> None:
    office.slack.fail("chat.startStream", "channel_not_found", 9)
    office.slack.fail("chat.postMessage", "channel_not_found", 9)
    said = office.ask("hello")
    office.quiet()
    claim = f"slack:{office.slack.team}:{said.channel}:{said.ts}"
    assert office.app.talk.claims.state(claim) == "failed"


def test_an_error_of_slacks_that_never_ends_is_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.slack.talk.MOST_TRIES", 2)
    for method in ("chat.startStream", "chat.postMessage"):
        office.slack.fail(method, "internal_error", 99)
    said = office.ask("hello")
    claim = f"slack:{office.slack.team}:{said.channel}:{said.ts}"
    while office.claimed():
        office.app.talk.work.join(10)
        beat(office.app)
    assert office.app.talk.claims.state(claim) == "failed"


def test_the_first_event_needs_no_sign_in(office: Office) -> None:
    office.slack.fail("auth.test", "internal_error", 9)
    said = office.ask("hello")
    assert len(office.answers(said)) == 1


def test_rate_limits_leave_the_app_its_ears(office: Office) -> None:
    """Two commands wait for Slack, longer than a command may take."""
    slack = office.slack
    slack.rate_limit("chat.postMessage", times=2, retry_after=4)
    for user in (slack.ana, slack.ben):
        assert slack.command("/brandbot", "ask do you deliver?", user, slack.general).status == 200
    slack.wait_for(lambda: slack.count("chat.postMessage") == 2)
    answer = slack.command("/brandbot", "status", slack.ben, slack.general)
    assert answer.status == 200 and "Acme Tools" in str(answer.body)
    said = office.ask("hello?", user=slack.ben)
    slack.wait_for(lambda: [m for m in slack.replies(said.channel, said.ts) if not m.streaming], 3)
    office.quiet()
    assert len([turn for turn in office.turns() if turn.role == "user"]) == 3


@pytest.mark.parametrize("method", ["assistant.threads.setStatus", "chat.postEphemeral"])
def test_no_reply_waits_for_what_stands_beside_it(office: Office, method: str) -> None:
    office.slack.rate_limit(method, times=1, retry_after=3)
    said = office.ask("hello")
    began = time.monotonic()
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts))
    assert time.monotonic() - began < 2.5
    office.quiet()
    told = [e for e in office.slack.ephemerals if "forget-me" in e.text]
    assert len(told) == 1  # later, but it was told


# The reader


def test_a_reply_that_its_reader_stops_is_stopped(office: Office) -> None:
    said = begun(office, "I will now ", "explain ", FOREVER)
    (growing,) = office.slack.replies(said.channel, said.ts)
    office.slack.stop_stream(said.channel, growing.ts)
    shown = text_of(office.slack.replies(said.channel, said.ts)[0])
    assert office.engine.was_closed()
    (answer,) = office.answers(said)
    assert text_of(answer) == shown and not answer.streaming
    assert office.slack.count("chat.update") == 0
    told = office.turns()[-1]
    assert told.finish == "stopped" and told.content.startswith("I will now explain")


def test_group_direct_messages_hear_of_deletions(office: Office) -> None:
    slack = office.slack
    slack.scopes[:] = SCOPES
    slack.subscriptions = set(EVENTS)
    group = slack.add_channel("G0MPIM001", "mpdm-ana-ben", kind="mpim")
    said = slack.say(slack.ana, group, "my password is hunter22", mention=True)
    assert len(office.answers(said)) == 1
    slack.delete(group, said.ts)
    slack.settle()
    assert "hunter22" not in str(office.turns())


# The log


def test_a_deletion_that_can_not_be_done_is_not_acknowledged(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = office.ask("my password is hunter22")
    office.quiet()
    real, tries = office.bot.log.delete, []

    def delete(message_id: str) -> bool:
        tries.append(message_id)
        if len(tries) == 1:
            raise BusyError("The conversation log is too busy to answer.")
        return real(message_id)

    monkeypatch.setattr(office.bot.log, "delete", delete)
    office.slack.delete(said.channel, said.ts)
    office.slack.settle()
    statuses = [delivery.status for delivery in office.slack.deliveries][-2:]
    assert statuses == [503, 200] and len(tries) == 2
    assert "hunter22" not in str(office.turns())  # acknowledged is done


def test_messages_of_others_that_are_edited_are_left_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touched(*_: object, **__: object) -> None:
        raise AssertionError("It is none of ours.")

    monkeypatch.setattr(office.bot.log, "edit", touched)
    monkeypatch.setattr(office.app.talk.claims, "revise", touched)
    said = office.slack.say(office.slack.ana, office.slack.general, "did you see the game?")
    office.slack.edit(said.channel, said.ts, "did you see it?")
    office.slack.settle()
    assert {delivery.status for delivery in office.slack.deliveries} == {200}


def test_a_full_disk_leaves_no_claim_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is told once, and the claim is ended as soon as there is room."""
    full, run = threading.Event(), office.bot.log.database.run

    def written(work: Any) -> Any:
        if full.is_set():
            raise DiskFullError("The disk is full.")
        return run(work)

    monkeypatch.setattr(office.bot.log.database, "run", written)
    # Full from the moment the question is claimed.
    real = office.app.talk.take
    monkeypatch.setattr(office.app.talk, "take", lambda asked: (full.set(), real(asked)))
    said = office.ask("hello")
    (told,) = office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts))
    assert FAILED in text_of(told)
    assert office.app.talk.work.join(10)
    full.clear()
    office.app.talk.claims._catch_up()
    claim = f"slack:{office.slack.team}:{said.channel}:{said.ts}"
    assert office.app.talk.claims.state(claim) == "failed"
    beat(office.app)
    assert len(office.answers(said)) == 1


def test_a_log_that_can_not_note_where_a_reply_stands_stops_none(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskFullError("The disk is full.")

    monkeypatch.setattr(office.app.talk.claims, "posted", full)
    said = office.ask("hello")
    (answer,) = office.answers(said)
    assert text_of(answer) == "Piece one, piece two."


# The command and the forms


@pytest.mark.parametrize("trouble", ["  ", OSError(28, "No space left on device")])
def test_a_voice_that_finds_no_words_says_so(office: Office, trouble: str | Exception) -> None:
    slack = office.slack
    office.engine.will_say(trouble)
    slack.command("/brandbot", "voice We open at 8.", slack.ana, slack.general)
    slack.wait_for(lambda: [text for text in whispers(office) if FAILED in text])


@pytest.mark.parametrize("after", [True, False])
def test_a_question_that_can_not_be_asked_says_so(office: Office, after: bool) -> None:
    slack = office.slack
    slack.break_connection_on("chat.postMessage", after=after)
    slack.command("/brandbot", "ask do you deliver?", slack.ana, slack.general)
    slack.wait_for(lambda: [text for text in whispers(office) if FAILED in text])


def test_a_question_that_can_not_be_claimed_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> bool:
        raise BusyError("The conversation log is too busy to answer.")

    monkeypatch.setattr(office.app.talk.claims, "claim", busy)
    slack = office.slack
    slack.command("/brandbot", "ask do you deliver?", slack.ana, slack.general)
    slack.wait_for(lambda: [text for text in whispers(office) if FAILED in text])


def voiced(office: Office) -> tuple[str, dict[str, str]]:
    """A rewritten text only Ana sees, and the button that posts it."""
    slack = office.slack
    office.engine.will_say("We open ", "at eight.")
    slack.command("/brandbot", "voice We open at 8.", slack.ana, slack.general)
    shown = slack.wait_for(lambda: [e for e in slack.ephemerals if "eight" in e.text])
    return shown[0].ts, {"action_id": "brandbot_post_voice", "value": "We open at eight."}


def test_a_text_is_posted_once_however_often_the_button_is_pressed(office: Office) -> None:
    slack = office.slack
    ts, button = voiced(office)
    with slack.hold("chat.postMessage"):
        for _ in range(2):
            slack.click(slack.ana, slack.general, ts, button)
    office.quiet()
    assert len(slack.replies(slack.general)) == 1


def test_a_text_that_could_not_be_posted_may_be_posted_again(office: Office) -> None:
    slack = office.slack
    ts, button = voiced(office)
    slack.fail("chat.postMessage", "not_in_channel")
    slack.click(slack.ana, slack.general, ts, button)
    slack.wait_for(lambda: [text for text in whispers(office) if "/invite" in text])
    slack.click(slack.ana, slack.general, ts, button)
    slack.wait_for(lambda: slack.replies(slack.general))
    office.quiet()


@pytest.mark.parametrize("form", ["brandbot_improved", "brandbot_disliked"])
def test_a_form_that_can_not_be_stored_stays_open(
    office: Office, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    slack = office.slack
    said = office.ask("do you sell hammers?")
    (answer,) = office.answers(said)
    turn = office.turns()[-1].id
    better = form == "brandbot_improved"
    action, value = ("brandbot_improve", f"{turn}") if better else (
        "brandbot_feedback", f"dislike:{turn}"
    )  # fmt: skip
    slack.click(slack.ben, answer.channel, answer.ts, {"action_id": action, "value": value})
    (view,) = slack.wait_for(lambda: [v for v in slack.views.values() if v["callback_id"] == form])
    if not better:  # the thumb itself is stored, too
        office.eventually(lambda: len(office.bot.log.feedback_of(turn)) == 1)
    before = len(office.bot.log.feedback_of(turn))
    block = "better" if better else "more"
    filled = {block: {block: "Hammers? Always."}}

    def full(*_: object, **__: object) -> None:
        raise DiskFullError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(office.bot.log, "judge", full)
        told = slack.submit_view(slack.ben, view["id"], filled)
    assert told["response_action"] == "errors" and block in told["errors"]
    assert view["id"] in slack.views
    slack.submit_view(slack.ben, view["id"], filled)  # closed is stored
    assert view["id"] not in slack.views
    rows = office.bot.log.feedback_of(turn)
    assert len(rows) == before + 1 and "Always" in rows[-1]["suggestion" if better else "reason"]


# Starting, stopping, and in between


def test_the_web_chat_starts_without_a_slack(
    house: tuple[Bot, ScriptedEngine], slack: SlackServer, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    names = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SLACK_API_URL")
    for name in names:
        monkeypatch.delenv(name, raising=False)

    def routes() -> int:
        with mounted(house[0]) as found:
            return len(found)

    def said() -> str:
        return capsys.readouterr().err

    assert routes() == 0 and said() == ""  # nobody asked for Slack
    monkeypatch.setenv("SLACK_SIGNING_SECRET", slack.signing_secret)
    assert routes() == 0 and said().startswith("Slack: off, because SLACK_BOT_TOKEN is not set")
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    monkeypatch.setenv("SLACK_API_URL", slack.url)
    assert routes() == 1 and said().startswith("Slack: on")
    slack.stop()
    monkeypatch.setattr("brandbot.cli_slack.AGAIN_SECONDS", 0.1)
    with mounted(house[0]) as found, TestClient(Starlette(routes=found)) as client:
        assert said().startswith("Slack: not yet, because Slack can't be reached")
        body = json.dumps({"type": "url_verification", "challenge": "x"})

        def asked() -> Any:
            headers = {**slack.sign(body), "content-type": "application/json"}
            return client.post(server.PATH, content=body, headers=headers)

        assert asked().status_code == 503
        slack.start()
        while (answer := asked()).status_code == 503:
            time.sleep(0.05)
        assert (answer.status_code, answer.json()) == (200, {"challenge": "x"})
    assert "Slack: on" in said()


def test_bolt_has_nothing_to_complain_of(
    slack: SlackServer, house: tuple[Bot, ScriptedEngine], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    with caplog.at_level(logging.WARNING):
        opened(slack, house[0]).close()
    assert caplog.messages == []


def test_stopping_takes_no_longer_than_it_says() -> None:
    work, going = Work(workers=4), threading.Event()
    running = threading.Barrier(5)
    for number in range(4):
        work.put(f"{number}", lambda: (running.wait(), going.wait()))
    running.wait()
    began = time.monotonic()
    work.close(0.5)
    assert 0.4 < time.monotonic() - began < 1.2  # not once for each of them
    going.set()


def test_old_conversations_are_deleted_while_it_serves(
    slack: SlackServer, house: tuple[Bot, ScriptedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, _ = house
    keep(bot.workspace, 30)
    monkeypatch.setattr("brandbot.conversations.now", lambda: "2020-01-01T00:00:00.000+00:00")
    converse(bot.log, "old", "Old, too.")
    monkeypatch.setattr("brandbot.claims.SWEEP_SECONDS", 0.0)  # each beat begins a day
    days = []
    app = opened(slack, bot)
    real = app.talk.expire
    monkeypatch.setattr(app.talk, "expire", lambda: (days.append(1), real()))
    Office(slack, bot, house[1], app).eventually(lambda: len(days) > 0 and bot.log.count() == 0)
    app.close()


def keep(workspace: Workspace, days: int) -> None:
    file: Path = workspace.persona("acme") / "persona.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    file.write_text(yaml.safe_dump({**config, "review": {"keep_days": days}}), "utf-8")
