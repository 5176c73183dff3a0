"""Slack when things go wrong: rows 1 to 10 of what must hold, each with the fault really made."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from brandbot import Bot, Claims
from connectors.slack.server import connect
from connectors.slack.split import join
from tests.browser.scripted import WAIT, ScriptedEngine
from tests.postgres import Server
from tests.slack.conftest import opened
from tests.slack.delivery import Answer, HttpDelivery
from tests.slack.office import Office, over_http, text_of
from tests.slack.server import SlackServer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies are shown after each piece, so that every method is called for sure."""
    monkeypatch.setattr("connectors.slack.writer.STREAM_SECONDS", 0.0)
    monkeypatch.setattr("connectors.slack.writer.UPDATE_SECONDS", 0.0)


def user_turns(office: Office) -> list[str]:
    return [turn.content for turn in office.turns() if turn.role == "user"]


def test_row_1_a_hundred_events_at_once_while_replies_take_long(office: Office) -> None:
    for _ in range(4):
        office.engine.will_say("A reply that takes ", WAIT, "long.")
    for number in range(4):
        office.ask(f"slow {number}")
    office.slack.wait_for(lambda: len(office.engine.calls) == 4)
    bodies = [
        body
        for number in range(100)
        for body in office.slack.said(
            office.slack.ana, office.slack.general, f"event {number}", mention=True
        )
    ]
    answers = office.slack.deliver_many(bodies, parallel=100)
    seconds = sorted(answer.seconds for answer in answers)
    assert {answer.status for answer in answers} == {200} and len(answers) >= 100
    assert seconds[int(len(seconds) * 0.99) - 1] < 1.0 and seconds[-1] < 3.0
    office.engine.go()
    office.quiet(60)
    # Those there was room for are answered, the others were told; nothing is lost in silence.
    told = [e for e in office.slack.ephemerals if "forget-me" not in e.text]
    assert len(user_turns(office)) + len(told) == 104


def test_row_2_the_same_event_four_times_and_after_a_restart(
    office: Office, house: tuple[Bot, ScriptedEngine]
) -> None:
    said = office.ask("only once, please")
    office.quiet()
    event = office.slack.events[-1]["event_id"]
    for number in (1, 2, 3):
        assert office.slack.redeliver(event, number).status == 200
    office.quiet()
    again = opened(office.slack, house[0])  # the app, started anew over the same log
    with over_http(again, office.slack.signing_secret) as url:
        office.slack.deliver_http(url)
        assert office.slack.redeliver(event, 4).status == 200
        assert again.talk.work.join(10)
    again.close()
    assert len(office.answers(said)) == 1
    assert user_turns(office) == ["only once, please"]


def test_row_2_four_at_the_very_same_time(office: Office) -> None:
    slack = office.slack
    body = slack.said(slack.ana, slack.general, "all at once", mention=True)[-1]
    answers = slack.deliver_many([body] * 4, parallel=4)
    assert [answer.status for answer in answers] == [200] * 4
    office.quiet()
    assert user_turns(office) == ["all at once"]


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        (b'{"type": "event_callback"}', {"x-slack-signature": "v0=" + "0" * 64}, 401),
        (b'{"type": "event_callback"}', {"x-slack-signature": ""}, 401),
        (b'{"type": "event_callback"}', {"x-slack-request-timestamp": ""}, 401),
        (b'{"type": "event_callback"}', {"x-slack-request-timestamp": "yesterday"}, 401),
        (b'{"type": "event_callback"}', {"x-slack-request-timestamp": "-1"}, 401),
        (b'{"type": "event_callback"}', {"x-slack-request-timestamp": "٣"}, 401),
        (b'{"type": "event_callback"}', {"x-slack-signature": "v0=é"}, 401),
        (b'{"type": "event_callback"}', {"x-slack-request-timestamp": "9" * 400}, 401),
        (b'{"type": "event_callback"', {}, 400),
        (b"[]", {}, 400),
        (b'"text"', {}, 400),
        (b"", {}, 400),
        (b"\xff\xfe\x00", {}, 400),
        (b"payload=%7Bnot+json", {"content-type": "application/x-www-form-urlencoded"}, 400),
        (b"<xml/>", {"content-type": "text/xml"}, 415),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}', {}, 413),
    ],
)
def test_row_4_what_is_not_slacks_is_refused(
    office: Office, body: bytes, changes: dict[str, str], status: int
) -> None:
    headers = {"content-type": "application/json", **office.slack.sign(body)}
    headers = {key.lower(): value for key, value in headers.items()} | changes
    encoded = {key: value.encode("utf-8").decode("latin-1") for key, value in headers.items()}
    assert office.slack.post(body, encoded).status == status
    assert office.turns() == []


def test_row_4_an_old_request_is_refused(office: Office) -> None:
    body = json.dumps({"type": "event_callback"}).encode()
    headers = office.slack.sign(body, int(time.time()) - 301)
    answer = office.slack.post(body, {"content-type": "application/json", **headers})
    assert answer.status == 401


SERVER = """
import sys
from pathlib import Path
from brandbot import Bot, Workspace
from tests.browser.scripted import FOREVER, WAIT, ScriptedEngine, opening
import brandbot.engines.pool
from connectors.slack.app import build
from tests.slack.office import over_http
import threading

engine = ScriptedEngine()
if sys.argv[4] == "hangs":
    engine.will_say("Half of ", "the ", "reply ", FOREVER)
brandbot.engines.pool.open_engine = opening(engine)
app = build(Bot(Workspace(Path(sys.argv[1]))), persona="acme", api_url=sys.argv[2],
            token="xoxb-of-the-test-server", signing_secret=sys.argv[3])
with over_http(app, sys.argv[3]) as url:
    print(url, flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("moment", ["queued", "streaming"])
def test_row_5_kill_9_between_acknowledgement_and_reply(
    slack: SlackServer,
    house: tuple[Bot, ScriptedEngine],
    processes: list[subprocess.Popen[str]],
    moment: str,
) -> None:
    """Killed while the event waits, or with half of its reply in Slack: answered once, whole."""
    bot, _ = house
    arguments = [str(bot.workspace.root), slack.url, slack.signing_secret]

    def serve(how: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *arguments, how],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    slack.deliver_http(serve("hangs"))
    first = slack.say(slack.ana, slack.general, "first", mention=True)
    slack.wait_for(lambda: [m for m in slack.replies(slack.general, first.ts) if m.streaming])
    asked = first
    if moment == "queued":
        asked = slack.say(slack.ana, slack.general, "second", first.ts, mention=True)
    slack.settle()
    processes[0].send_signal(signal.SIGKILL)
    processes[0].wait()
    slack.deliver_http(serve("works"))
    wanted = 2 if moment == "queued" else 1

    def whole() -> bool:
        found = slack.replies(slack.general, first.ts)
        return len(found) == wanted and all(
            text_of(m) == "Piece one, piece two." and not m.streaming for m in found
        )

    slack.wait_for(whole, 40)
    from brandbot.conversations import read_turns
    from brandbot.database import claims, turns

    log = bot.log.database
    slack.wait_for(
        lambda: (
            not log.run(
                lambda c: c.execute(claims.select().where(claims.c.state == "claimed")).all()
            )
        )
    )
    logged = log.run(lambda c: read_turns(c, turns.c.retired.is_(False)))
    assert [t.content for t in logged if t.role == "user"] == ["first", "second"][:wanted]
    assert len([t for t in logged if t.role == "assistant"]) == wanted
    assert asked.thread_ts in (None, first.ts)


def test_row_6_the_socket_server_is_gone_for_three_seconds(
    slack: SlackServer, house: tuple[Bot, ScriptedEngine]
) -> None:
    app = opened(slack, house[0])
    handler = connect(app, slack.app_token)
    slack.wait_for(lambda: slack.sockets.connections)
    slack.stop()
    with slack.changed:
        slack.changed.wait_for(lambda: False, 3.0)  # the outage itself
    slack.start()
    back = time.monotonic()
    said = slack.say(slack.ana, slack.general, "are you back?", mention=True)
    slack.wait_for(
        lambda: [m for m in slack.replies(slack.general, said.ts) if not m.streaming], 15
    )
    assert time.monotonic() - back < 10
    slack.settle()
    app.talk.work.join(10)
    slack.stop()
    handler.close()
    app.close()


@pytest.mark.parametrize(
    "method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"]
)
def test_row_7_rate_limits_are_waited_for(office: Office, at_once: None, method: str) -> None:
    if method == "chat.update":
        office.slack.streaming = False
    words = [f"word{number} " for number in range(60)]
    office.engine.will_say(*words[:30], WAIT, *words[30:])
    office.slack.rate_limit(method, times=2, retry_after=1)
    said = office.ask("go on")
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts), 20)
    office.engine.go()
    (answer,) = office.answers(said)
    assert text_of(answer) == "".join(words).strip()
    assert "ratelimited" in [call.error for call in office.slack.calls_of(method)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.postMessage"]
)
def test_row_8_a_connection_breaks_in_the_middle(
    office: Office, at_once: None, method: str, after: bool
) -> None:
    if method == "chat.postMessage":
        office.slack.streaming = False
    words = [f"word{number} " for number in range(60)]
    office.engine.will_say(*words[:20], WAIT, *words[20:])
    office.slack.break_connection_on(method, after=after)
    said = office.ask("go on")
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts), 20)
    office.engine.go()
    (answer,) = office.answers(said)
    assert text_of(answer) == "".join(words).strip() and not answer.streaming


def test_row_8_a_stream_expires(office: Office) -> None:
    office.engine.will_say("The beginning ", "of it, ", WAIT, "and its end.")
    said = office.ask("go on")
    (streaming,) = office.slack.wait_for(
        lambda: [m for m in office.slack.replies(said.channel, said.ts) if m.streaming]
    )
    office.slack.expire_stream(said.channel, streaming.ts)
    office.engine.go()
    (answer,) = office.answers(said)
    assert text_of(answer) == "The beginning of it, and its end."


def test_replies_grow_where_they_may_not_stream(office: Office) -> None:
    office.slack.streaming = False
    office.engine.will_say("The beginning ", "of it, ", WAIT, "and its end.")
    said = office.ask("go on")
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts))
    office.engine.go()
    (answer,) = office.answers(said)
    assert text_of(answer) == "The beginning of it, and its end."
    assert office.slack.count("chat.update") >= 1 and not answer.streaming


def test_row_9_sixty_thousand_characters(office: Office) -> None:
    chance = random.Random(9)
    parts = []
    while sum(map(len, parts)) < 60_000:
        kind = chance.random()
        if kind < 0.2:
            lines = "\n".join(f"print({n}, '🎉')" for n in range(chance.randint(5, 400)))
            parts.append(f"```python\n{lines}\n```")
        else:
            words = ["tide", "👩‍👩‍👧‍👦", "lamp 💡", "café", "coffee", "*bold*"]
            parts.append(" ".join(chance.choice(words) for _ in range(chance.randint(5, 300))))
    text = "\n\n".join(parts)[:60_000].strip()
    office.engine.will_say(*[text[i : i + 997] for i in range(0, len(text), 997)])
    said = office.ask("tell me everything")
    answers = office.answers(said)
    assert len(answers) > 5
    assert all(len(text_of(message)) <= 12_000 for message in answers)
    assert join([text_of(message) for message in answers]) == text
    assert [turn.content for turn in office.turns() if turn.role == "assistant"] == [text]


def test_row_10_bots_and_its_own_messages_are_not_answered(office: Office) -> None:
    slack = office.slack
    slack.command("/brandbot", "follow on", slack.ana, slack.general)
    said = office.ask("hello")
    office.answers(said)
    before = len(office.turns())
    slack.emit({
        "type": "message", "channel": slack.general, "channel_type": "channel",
        "user": "U0OTHER", "bot_id": "B0OTHER", "text": f"<@{slack.bot_user}> hi", "ts": "1800000000.1",
        "thread_ts": said.ts,
    })  # fmt: skip
    slack.emit({
        "type": "app_mention", "channel": slack.general, "user": slack.bot_user,
        "text": f"<@{slack.bot_user}> me", "ts": "1800000000.2", "bot_id": slack.bot_id,
    })  # fmt: skip
    office.quiet()
    assert len(office.turns()) == before and len(slack.replies(slack.general, said.ts)) == 1


def test_row_10_edits_and_deletions_reach_the_log(office: Office) -> None:
    said = office.ask("do you sell hammers?")
    (answer,) = office.answers(said)
    office.slack.edit(said.channel, said.ts, f"<@{office.slack.bot_user}> do you sell nails?")
    office.quiet()
    office.eventually(lambda: office.turns()[0].content == "do you sell nails?")
    assert len(office.slack.replies(said.channel, said.ts)) == 1  # an edit is no new question
    office.slack.delete(said.channel, said.ts)
    office.quiet()
    office.eventually(lambda: all(turn.role == "assistant" for turn in office.turns()))
    office.slack.delete(said.channel, answer.ts)
    office.slack.settle()
    office.eventually(lambda: office.turns() == [])


def test_an_event_that_can_not_be_claimed_is_not_acknowledged(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that Slack sends it again, and it is answered once the log is back."""
    from brandbot.errors import LogError

    real = Claims.claim
    times = []

    def claim(self: Claims, event: str, *arguments: object, **named: object) -> bool:
        times.append(event)
        if len(times) == 1:
            raise LogError("The conversation log can't be reached.")
        return real(self, event, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Claims, "claim", claim)
    said = office.ask("hello")
    assert len(office.answers(said)) == 1
    mention = office.slack.events[-1]["event_id"]
    asked = [d.status for d in office.slack.deliveries if d.status == 503 or d.event_id == mention]
    assert 503 in asked and 200 in asked and times[0] == times[1]


def test_row_3_two_processes_that_share_a_postgresql(
    slack: SlackServer, house: tuple[Bot, ScriptedEngine], postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each event reaches both, twenty at a time; one of them answers."""
    monkeypatch.setenv("BRANDBOT_DATABASE_URL", postgres.fresh())
    one, two = Bot(house[0].workspace), Bot(house[0].workspace)
    apps = [opened(slack, bot) for bot in (one, two)]
    with (
        over_http(apps[0], slack.signing_secret) as first,
        over_http(apps[1], slack.signing_secret) as second,
    ):
        slack.deliver_http(first)  # what the bot itself says is told to one of them
        bodies = [
            slack.said(slack.ana, slack.general, f"event {number}", mention=True)[-1]
            for number in range(20)
        ]

        def deliver(url: str) -> list[Answer]:
            sender = HttpDelivery(slack, url)
            with ThreadPoolExecutor(20) as pool:
                return list(pool.map(sender.event, bodies))

        with ThreadPoolExecutor(2) as pool:
            answers = [a for some in pool.map(deliver, (first, second)) for a in some]
        assert {answer.status for answer in answers} == {200} and len(answers) == 40
        offices = [
            Office(slack, bot, house[1], app) for bot, app in zip((one, two), apps, strict=True)
        ]
        for office in offices:
            office.quiet(60)
    assert sorted(user_turns(offices[0])) == sorted(f"event {number}" for number in range(20))
    for body in bodies:
        assert len(slack.replies(slack.general, body["event"]["ts"])) == 1
    for app in apps:
        app.close()
    one.close()
    two.close()


def test_a_mention_that_is_edited_is_not_answered_again(office: Office) -> None:
    office.slack.mention_on_edit = True
    said = office.ask("do you sell hammers?")
    office.answers(said)
    office.slack.edit(said.channel, said.ts, f"<@{office.slack.bot_user}> do you sell nails?")
    assert len(office.answers(said)) == 1


def test_a_question_that_is_deleted_while_it_waits_is_never_read(office: Office) -> None:
    office.engine.will_say("One moment, ", WAIT, "done.")
    first = office.ask("wait")
    office.slack.wait_for(lambda: office.slack.replies(first.channel, first.ts))
    gone = office.ask("my card is 4111 1111 1111 1111", thread=first.ts)
    changed = office.ask("do you sell hammers?", thread=first.ts)
    office.slack.delete(gone.channel, gone.ts)
    office.slack.edit(changed.channel, changed.ts, f"<@{office.slack.bot_user}> and nails?")
    office.slack.settle()
    waiting = f"slack:{office.slack.team}:{gone.channel}:{gone.ts}"
    office.eventually(lambda: office.app.talk.claims.payload(waiting) is None)
    renamed = f"slack:{office.slack.team}:{changed.channel}:{changed.ts}"
    office.eventually(
        lambda: "nails" in (office.app.talk.claims.payload(renamed) or {}).get("text", "")
    )
    office.engine.go()
    office.quiet()
    assert user_turns(office) == ["wait", "and nails?"]
    assert len(office.slack.replies(first.channel, first.ts)) == 2


def test_a_reply_that_is_shown_is_not_taken_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log goes away after the last word: nobody reads that it failed."""
    from brandbot.errors import LogError

    def away(*_: object) -> None:
        raise LogError("The conversation log can't be reached.")

    monkeypatch.setattr(office.bot.log, "name", away)
    said = office.ask("hello")
    office.slack.wait_for(
        lambda: [m for m in office.slack.replies(said.channel, said.ts) if not m.streaming]
    )
    assert office.app.talk.work.join(10)
    (answer,) = office.slack.replies(said.channel, said.ts)
    assert text_of(answer) == "Piece one, piece two."


def test_a_question_left_behind_takes_no_later_answer_away(office: Office) -> None:
    """It was logged, then its process died; meanwhile another was asked and answered there."""
    said = office.ask("first")
    office.answers(said)
    conversation = office.bot.log.at(f"slack:{office.slack.team}:{said.channel}:{said.ts}")[0][0]
    lost = office.bot.log.add(conversation, "user", "second", message_id="lost")
    office.answers(office.ask("third", thread=said.ts))
    reply = office.bot.answer(conversation, lost)
    for _ in reply:
        pass
    asked = office.bot.voice("acme").prompt_format.decode(list(office.engine.calls[-1].ids))
    assert "second" in asked and "third" not in asked
    assert [t.content for t in office.turns() if t.role == "user"] == ["first", "second", "third"]
    assert len([t for t in office.turns() if t.role == "assistant"]) == 3


@pytest.mark.parametrize("streaming", [True, False])
def test_slack_is_away_in_the_middle_of_a_reply(office: Office, streaming: bool) -> None:
    """Neither lost nor told twice: the same message is made whole once Slack is back."""
    office.slack.streaming = streaming
    office.engine.will_say("The beginning ", "of it, ", WAIT, "and its end.")
    said = office.ask("go on")
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts))
    office.slack.stop()
    office.engine.go()
    office.eventually(lambda: len(office.turns()) == 2)
    assert office.claimed() != []
    office.slack.start()
    (answer,) = office.answers(said)
    assert text_of(answer) == "The beginning of it, and its end." and not answer.streaming
    assert len(office.turns()) == 2 and len(office.engine.calls) == 1


@pytest.mark.parametrize("change", ["deleted", "edited"])
def test_what_is_changed_while_the_reply_begins_is_not_logged_as_it_was(
    office: Office, change: str
) -> None:
    slack = office.slack
    with slack.hold("assistant.threads.setStatus"):
        said = office.ask("my password is hunter22")
        slack.wait_for(lambda: slack.count("assistant.threads.setStatus"))
        if change == "deleted":
            slack.delete(said.channel, said.ts)
        else:
            slack.edit(said.channel, said.ts, f"<@{slack.bot_user}> never mind, any tea?")
        slack.settle()
        claim = f"slack:{slack.team}:{said.channel}:{said.ts}"
        office.eventually(
            lambda: "hunter22" not in str(office.app.talk.claims.payload(claim) or "")
        )
    office.quiet()
    assert user_turns(office) == ([] if change == "deleted" else ["never mind, any tea?"])
    assert "hunter22" not in str(office.turns())


def test_a_question_deleted_while_its_reply_grows_is_gone(office: Office) -> None:
    office.engine.will_say("One moment, ", WAIT, "done.")
    said = office.ask("my password is hunter22")
    office.slack.wait_for(lambda: office.slack.replies(said.channel, said.ts))
    office.slack.delete(said.channel, said.ts)
    office.slack.settle()
    office.engine.go()
    office.quiet()
    assert office.turns() == []


def test_a_disk_that_is_full_is_not_a_slack_that_is_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(office.bot, "reply", full)
    said = office.ask("hello")
    (answer,) = office.answers(said)
    assert "try again" in text_of(answer)


def test_what_comes_while_it_stops_stays_claimed(office: Office) -> None:
    talk = office.app.talk
    talk.work.close()
    said = office.ask("hello")
    office.slack.settle()
    claim = f"slack:{office.slack.team}:{said.channel}:{said.ts}"
    assert talk.claims.state(claim) == "claimed"
    talk.take_over(claim, talk.claims.payload(claim) or {}, None)
    assert talk.claims.state(claim) == "claimed"
    assert office.slack.replies(said.channel, said.ts) == []


def test_a_part_whose_answer_got_lost_is_not_posted_twice(office: Office) -> None:
    office.engine.will_say("First paragraph. " * 700, "\n\n", "Second paragraph. " * 300)
    office.slack.break_connection_on("chat.postMessage", after=True)
    said = office.ask("tell me all")
    parts = [text_of(answer) for answer in office.answers(said)]
    assert len(parts) == 2 and parts[0] != parts[1]


def test_a_brand_that_can_not_answer_is_not_chosen(office: Office) -> None:
    said = office.slack.command("/brandbot", "use broken", office.slack.ana, office.slack.general)
    assert "can't answer yet" in str(said)
    place = f"slack:{office.slack.team}:{office.slack.general}"
    assert office.bot.log.room(place).persona is None
