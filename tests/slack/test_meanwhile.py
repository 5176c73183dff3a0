"""What happens in Slack while a reply is written, and what it is like beside another process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from brandbot import Bot, LogError, TracesLeftError, forget_person
from connectors.slack import app as slack_app
from connectors.slack.app import SlackApp, SlackAwayError, build
from connectors.slack.mrkdwn import literal
from connectors.slack.talk import MOST_WAITS
from connectors.slack.texts import say
from tests.browser.scripted import WAIT, ScriptedEngine
from tests.slack.conftest import opened
from tests.slack.office import Office, beat, over_http, text_of
from tests.slack.server import SlackServer
from tests.slack.state import Message


@pytest.fixture
def other(office: Office) -> Iterator[SlackApp]:
    """A second process's app over the same log, in the same Slack."""
    bot = Bot(office.bot.workspace)
    app = opened(office.slack, bot)
    yield app
    app.close()
    bot.close()


def grown(office: Office, question: str, *words: str, **more: Any) -> Message:
    """A question whose reply stands half written in Slack."""
    office.engine.will_say(words[0], WAIT, *words[1:])
    said = office.ask(question, **more)
    office.slack.wait_for(
        lambda: any(
            words[0].strip() in text_of(one)
            for one in office.slack.replies(said.channel, said.thread_ts or said.ts)
        )
    )
    return said


def contents(office: Office) -> str:
    return " | ".join(turn.content for turn in office.turns())


def test_who_is_forgotten_while_they_are_answered_leaves_no_reply(office: Office) -> None:
    """The reply was logged after the forgetting, as if it answered the one who spoke before."""
    slack = office.slack
    root = office.ask("do you sell hammers?", user=slack.ben)
    office.answers(root)
    grown(
        office, "I am allergic to walnut dust", "About your allergy ", "to walnut dust: ask.",
        user=slack.ana, thread=root.ts,
    )  # fmt: skip
    forget_person(office.bot.workspace, office.bot.log, f"slack:{slack.team}:{slack.ana}")
    office.engine.go()
    slack.settle()
    office.app.talk.work.join(10)
    assert "walnut" not in contents(office)
    assert len(office.turns()) == 2


def test_what_is_deleted_while_slack_is_unwell_leaves_no_reply(office: Office) -> None:
    slack = office.slack
    said = grown(office, "my password is hunter22", "Your password ", "hunter22 is safe.")
    for method in ("chat.stopStream", "chat.update", "chat.postMessage"):
        slack.fail(method, "internal_error", 6)
    slack.delete(said.channel, said.ts)
    slack.settle()
    office.engine.go()
    office.app.talk.work.join(10)
    assert "hunter22" not in contents(office)


@pytest.mark.parametrize("reason", ["rate_limited", "message_limit_exceeded"])
def test_a_limit_by_another_name_is_waited_for(office: Office, reason: str) -> None:
    """The finished reply was once replaced by an apology."""
    slack = office.slack
    slack.streaming = False
    said = grown(office, "hello", "one two ", "three.")
    slack.fail("chat.update", reason, 2)
    office.engine.go()
    office.app.talk.work.join(10)
    beat(office.app)
    (answer,) = office.answers(said)
    assert text_of(answer) == "one two three."


def test_a_long_reply_whose_message_is_gone_arrives_whole(office: Office) -> None:
    slack = office.slack
    words = ("First paragraph. ", "First paragraph. " * 700, "\n\n", "Second paragraph. " * 300)
    said = grown(office, "tell me all", *words)
    (shown,) = slack.replies(said.channel, said.ts)
    slack.delete(shown.channel, shown.ts)
    slack.settle()
    office.engine.go()
    parts = office.answers(said)
    whole = "".join(words)
    assert sum(len(text_of(part)) for part in parts) >= len(whole.strip()) - 10
    last = office.turns()[-1]
    assert last.message_id is not None and last.message_id.endswith(parts[0].ts)


def test_two_processes_answer_one_thread_in_turn(office: Office, other: SlackApp) -> None:
    """Ana's card once stood in the prompt of Ben's question, and her reply after his."""
    slack = office.slack
    root = office.ask("hello")
    office.answers(root)
    grown(office, "my card is red", "Ana, your card ", "is ok.", user=slack.ana, thread=root.ts)
    office.engine.will_say("Ben, we open at 8.")
    office.engine.will_say("Eve, we do.")
    with over_http(other, slack.signing_secret) as url:
        slack.deliver_http(url)
        office.ask("when do you open", thread=root.ts, user=slack.ben)
        other.talk.work.join(10)
        assert "Ben" not in contents(office)  # it waits for Ana's
        office.engine.go()
        office.app.talk.work.join(10)
        office.ask("do you deliver", thread=root.ts, user=slack.ben)  # and this one for that
        other.talk.work.join(10)
        assert "Eve" not in contents(office)
        beat(other)
        other.talk.work.join(10)
        office.quiet()
    assert [turn.content for turn in office.turns()][-6:] == [
        "my card is red", "Ana, your card is ok.", "when do you open", "Ben, we open at 8.",
        "do you deliver", "Eve, we do.",
    ]  # fmt: skip


def test_a_question_waits_for_another_process_but_not_for_ever(
    office: Office, other: SlackApp
) -> None:
    """The other may live, and be unable to reach Slack."""
    slack = office.slack
    root = office.ask("hello")
    office.answers(root)
    grown(office, "and now", "Well, ", "yes.", user=slack.ana, thread=root.ts)
    office.engine.will_say("Ben, we open at 8.")
    with over_http(other, slack.signing_secret) as url:
        slack.deliver_http(url)
        office.ask("when do you open", thread=root.ts, user=slack.ben)
        for _ in range(MOST_WAITS):
            other.talk.work.join(10)
            assert "Ben, we" not in contents(office)
            beat(other)
        other.talk.work.join(10)
        assert "Ben, we open at 8." in contents(office)
    office.engine.go()
    office.app.talk.work.join(10)


@pytest.mark.parametrize("seconds", [60, 90_000])
def test_a_message_that_is_deleted_before_it_arrives_is_never_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Slack comes again with what it could not deliver, and tells of the deletion at once."""
    slack, talk = office.slack, office.app.talk
    real = talk.claims.claim

    def busy(event: str, payload: dict[str, Any], **more: Any) -> bool:
        if payload:
            raise LogError("The conversation log is too busy.")
        return real(event, payload, **more)

    talk.claims.claim = busy  # type: ignore[method-assign]
    said = office.ask("my password is hunter22")
    clock = SimpleNamespace(time=lambda: float(said.ts) + seconds)
    monkeypatch.setattr("connectors.slack.talk.time", clock)
    slack.delete(said.channel, said.ts)
    slack.settle()
    talk.claims.claim = real  # type: ignore[method-assign]
    # What is older is no question that Slack still repeats: nothing is noted of it.
    fresh = real(f"slack:{slack.team}:{said.channel}:{said.ts}", {"again": True})
    assert fresh is (seconds > 4_000)
    assert contents(office) == ""


def test_the_notice_is_given_by_whoever_takes_over(office: Office) -> None:
    slack, talk = office.slack, office.app.talk
    real, lost = talk.take, []
    talk.take = lambda question, **more: lost.append(question)  # type: ignore[method-assign]
    office.ask("hello")
    talk.take = real  # type: ignore[method-assign]
    slack.wait_for(lambda: lost)
    talk.claims.release(lost[0].event)
    beat(office.app)
    office.quiet()
    assert [shown.text for shown in slack.ephemerals] == [say("en", "notice_first")]


def test_what_is_too_long_for_the_model_is_to_be_shortened(office: Office) -> None:
    (answer,) = office.answers(office.ask("x" * 6000))
    assert text_of(answer) == say("en", "too_long_to_read")


def test_a_post_that_may_have_arrived_says_so_and_is_not_done_twice(office: Office) -> None:
    slack = office.slack
    office.engine.will_say("We open ", "at eight.")
    slack.command("/brandbot", "voice We open at 8.", slack.ana, slack.general)
    (shown,) = slack.wait_for(lambda: [e for e in slack.ephemerals if "eight" in e.text])
    button = {"action_id": "brandbot_post_voice", "value": "We open at eight."}
    slack.break_connection_on("chat.postMessage")
    slack.click(slack.ana, slack.general, shown.ts, button)
    slack.wait_for(lambda: [e for e in slack.ephemerals if e.text == say("en", "voice_unsure")])
    office.quiet()
    assert not office.claimed()


def test_a_command_that_the_log_can_not_do_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise LogError("The disk is full.")

    monkeypatch.setattr(office.bot.log, "set_room", full)
    slack = office.slack
    for words in ("use bruma", "follow on"):
        answer = slack.command("/brandbot", words, slack.ana, slack.general)
        assert say("en", "not_done") in str(answer.body)


def test_forms_keep_the_language_they_were_opened_in(office: Office) -> None:
    slack = office.slack
    slack.command("/brandbot", "use bruma", slack.ana, slack.general)
    said = office.ask("hola")
    (answer,) = office.answers(said)
    number = str(office.turns()[-1].id)
    slack.click(
        slack.ben, answer.channel, answer.ts, {"action_id": "brandbot_improve", "value": number}
    )

    def form(kind: str) -> str:
        found = slack.wait_for(
            lambda: [v for v in slack.views.values() if v["callback_id"] == f"brandbot_{kind}"]
        )
        return str(found[0]["id"])

    view = form("improved")
    empty = slack.submit_view(slack.ben, view, {"better": {"better": " "}})
    assert say("es", "improve_empty") in str(empty)
    slack.submit_view(slack.ben, view, {"better": {"better": "Mejor."}})
    (thanks,) = slack.wait_for(lambda: slack.replies(slack.dm(slack.ben)))
    assert thanks.text == say("es", "improve_thanks")
    slack.command("/brandbot", "forget-me", slack.ana, slack.general)
    slack.submit_view(slack.ana, form("forget"), {})
    (done,) = slack.wait_for(lambda: slack.replies(slack.dm(slack.ana)))
    assert done.text == say("es", "forgotten", count=2)


def test_a_thread_of_a_brand_that_is_gone_goes_on_with_the_channels(office: Office) -> None:
    slack = office.slack
    slack.command("/brandbot", "use bruma", slack.ana, slack.general)
    said = office.ask("hola")
    office.answers(said)
    shutil.rmtree(office.bot.workspace.personas / "bruma")
    office.engine.will_say("Here I am.")
    office.ask("still there?", thread=said.ts)
    assert text_of(office.answers(said)[-1]) == "Here I am."


@pytest.mark.parametrize("reason", ["internal_error", "ratelimited", "rate_limited"])
def test_a_slack_that_is_unwell_at_the_start_is_asked_again(
    slack: SlackServer, house: tuple[Bot, ScriptedEngine], reason: str
) -> None:
    slack.fail("auth.test", reason, 20)
    with pytest.raises(SlackAwayError, match=reason):
        build(
            house[0], token=slack.bot_token, signing_secret=slack.signing_secret,
            api_url=slack.url, persona="acme",
        )  # fmt: skip


def test_a_page_instead_of_an_answer_is_not_printed() -> None:
    from slack_sdk.errors import SlackApiError

    page = SlackApiError("", {"ok": False, "error": "Received <html>503</html>"})
    told = slack_app.refused(page, "bot token")
    assert isinstance(told, SlackAwayError) and "<html>" not in str(told)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("# of seats?", "# of seats?"),
        ("Is *this* ok? &lt;3 &amp; more", "Is *this* ok? &lt;3 &amp; more"),
        ("<!channel> & you", "&lt;!channel&gt; &amp; you"),
    ],
)
def test_a_question_is_shown_as_it_was_typed(typed: str, shown: str) -> None:
    assert literal(typed) == shown


def test_a_line_break_parts_the_command_from_its_words(office: Office) -> None:
    slack = office.slack
    office.engine.will_say("We do.")
    slack.command("/brandbot", "ask\ndo you deliver?", slack.ana, slack.general)
    office.quiet()
    assert "do you deliver?" in contents(office)


def test_who_is_forgotten_is_told_of_traces_that_may_be_left(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack = office.slack
    office.answers(office.ask("hello"))

    def busy() -> None:
        raise TracesLeftError("Somebody reads.")

    monkeypatch.setattr(office.bot.log.database, "clean", busy)
    slack.command("/brandbot", "forget-me", slack.ana, slack.general)
    (view,) = slack.wait_for(
        lambda: [v for v in slack.views.values() if v["callback_id"] == "brandbot_forget"]
    )
    slack.submit_view(slack.ana, str(view["id"]), {})
    (told,) = slack.wait_for(lambda: slack.replies(slack.dm(slack.ana)))
    assert told.text == say("en", "forgotten_traces") and office.turns() == []
