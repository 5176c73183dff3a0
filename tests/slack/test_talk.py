"""Talking to the bot in Slack, on the wire: real app, real log, scripted words."""

from __future__ import annotations

import pytest

from tests.browser.scripted import WAIT, make_documents
from tests.slack.office import Office, buttons, text_of


def test_a_mention_is_answered_in_its_thread(office: Office) -> None:
    office.engine.will_say("We sell ", "hammers. ", "And nails.")
    said = office.ask("do you sell hammers?")
    (answer,) = office.answers(said)
    assert text_of(answer) == "We sell hammers. And nails."
    assert answer.thread_ts == said.ts and not answer.streaming
    asked, told = office.turns()
    assert (asked.content, asked.author) == (
        "do you sell hammers?", f"slack:{office.slack.team}:{office.slack.ana}",
    )  # fmt: skip
    assert (told.content, told.version) == ("We sell hammers. And nails.", "0001")
    assert told.message_id == f"slack:{office.slack.team}:{said.channel}:{answer.ts}"
    assert set(buttons(answer)) == {"brandbot_feedback", "brandbot_improve"}


def test_the_first_words_stream_before_the_last_are_there(office: Office) -> None:
    office.engine.will_say("First words of it, ", WAIT, "and the rest.")
    said = office.ask("tell me")
    streaming = office.slack.wait_for(
        lambda: [m for m in office.slack.replies(said.channel, said.ts) if m.streaming]
    )
    assert streaming[0].text.strip() == "First words of it,"
    office.engine.go()
    (answer,) = office.answers(said)
    assert text_of(answer) == "First words of it, and the rest."
    assert office.slack.count("chat.startStream") == 1 == office.slack.count("chat.stopStream")
    assert office.slack.count("chat.update") == 0


def test_people_are_told_once_what_is_read_and_kept(office: Office) -> None:
    first = office.ask("hello")
    office.answers(first)
    office.answers(office.ask("hello again"))
    notices = [e for e in office.slack.ephemerals if e.user == office.slack.ana]
    assert len(notices) == 1 and "forget-me" in notices[0].text
    office.answers(office.ask("me too", user=office.slack.ben))
    assert len([e for e in office.slack.ephemerals if e.user == office.slack.ben]) == 1


def test_a_thread_is_one_conversation(office: Office) -> None:
    said = office.ask("do you sell hammers?")
    office.answers(said)
    office.answers(office.ask("and nails?", thread=said.ts, user=office.slack.ben))
    conversation = office.bot.log.turn(f"slack:{office.slack.team}:{said.channel}:{said.ts}")
    assert conversation is not None
    history = office.bot.history(conversation[0])
    assert [turn.content for turn in history if turn.role == "user"] == [
        "do you sell hammers?", "and nails?",
    ]  # fmt: skip
    office.answers(office.ask("something else"))
    assert len(office.bot.history(conversation[0])) == 4


def test_what_is_not_addressed_to_it_is_neither_read_nor_stored(office: Office) -> None:
    office.slack.say(office.slack.ana, office.slack.general, "did you see the game?")
    said = office.ask("hello")
    office.answers(said)
    office.slack.say(office.slack.ben, office.slack.general, "just between us", said.ts)
    office.quiet()
    assert [turn.content for turn in office.turns() if turn.role == "user"] == ["hello"]


def test_threads_go_on_without_a_mention_where_it_was_switched_on(office: Office) -> None:
    slack = office.slack
    slack.command("/brandbot", "follow on", slack.ana, slack.general)
    said = office.ask("hello")
    office.answers(said)
    slack.say(slack.ben, slack.general, "and on Sundays?", said.ts)
    assert len(office.answers(said)) == 2
    slack.command("/brandbot", "follow off", slack.ana, slack.general)
    slack.say(slack.ben, slack.general, "and on Mondays?", said.ts)
    assert len(office.answers(said)) == 2


def test_a_direct_message_needs_no_mention(office: Office) -> None:
    slack = office.slack
    channel = slack.dm(slack.ana)
    said = slack.say(slack.ana, channel, "are you there?")
    (answer,) = office.answers(said)
    assert text_of(answer) == "Piece one, piece two."
    again = slack.say(slack.ana, channel, "and now?")
    assert len(office.answers(again)) == 1
    talk = office.bot.log.at(f"slack:{slack.team}:{channel}")
    assert len(talk) == 1 and len(office.bot.history(talk[0][0])) == 4


def test_a_channel_talks_to_the_brand_it_was_set_to(office: Office) -> None:
    slack = office.slack
    answer = slack.command("/brandbot", "use bruma", slack.ana, slack.general)
    assert "Bruma" in str(answer.body)
    office.answers(office.ask("hola"))
    assert office.bot.log.persona_of(office.bot.log.turn(
        office.turns()[0].message_id or "")[0]) == "bruma"  # type: ignore[index]  # fmt: skip
    wrong = slack.command("/brandbot", "use nobody", slack.ana, slack.general)
    assert "acme" in str(wrong.body) and "bruma" in str(wrong.body)


def test_two_messages_of_a_thread_are_answered_in_order(office: Office) -> None:
    office.engine.will_say("One.", WAIT)
    office.engine.will_say("Two.")
    said = office.ask("first")
    office.ask("second", thread=said.ts)
    office.engine.go()
    assert [text_of(m) for m in office.answers(said)] == ["One.", "Two."]
    assert [turn.content for turn in office.turns()] == ["first", "One.", "second", "Two."]


def test_a_full_queue_says_so(office: Office) -> None:
    office.app.talk.work._room = 2
    for _ in range(4):
        office.engine.will_say("Busy ", WAIT, "now.")
    for number in range(4):  # as many as it works on side by side
        office.ask(f"long one {number}")
    office.slack.wait_for(lambda: len(office.engine.calls) == 4)
    for number in range(3):
        office.ask(f"late {number}")
    told = office.slack.wait_for(
        lambda: [e for e in office.slack.ephemerals if "forget-me" not in e.text]
    )
    assert len(told) == 1
    office.engine.go()
    office.quiet()
    assert len([t for t in office.turns() if t.role == "user"]) == 6


def test_a_failure_is_said_in_the_thread(office: Office) -> None:
    office.engine.will_say(RuntimeError("the model fell over"))
    said = office.ask("hello")
    (answer,) = office.answers(said)
    assert "fell over" not in text_of(answer) and "again" in text_of(answer)


def test_an_empty_mention_is_helped_along(office: Office) -> None:
    said = office.ask("")
    (answer,) = office.answers(said)
    assert text_of(answer) and office.turns() == []


@pytest.mark.parametrize("older", [True, False])
def test_both_assistant_views_greet_and_suggest(office: Office, older: bool) -> None:
    slack = office.slack
    if older:
        slack.assistant_started(slack.ana)
    else:
        slack.open_home(slack.ana)
        slack.open_home(slack.ana)
    slack.settle()
    prompts = slack.wait_for(lambda: slack.prompts)
    assert [p["message"] for p in prompts[0].prompts] == ["Do you sell hammers?", "Where are you?"]
    assert bool(prompts[0].thread_ts) is older
    slack.wait_for(lambda: slack.replies(slack.dm(slack.ana)))
    office.quiet()
    said = [m.text for m in slack.replies(slack.dm(slack.ana))]
    assert said[said[0] == "New Assistant Thread" :] == ["Hi, Acme here."]  # Slack's own first


def test_ask_asks_for_all_to_see(office: Office) -> None:
    slack = office.slack
    office.engine.will_say("Hammers, yes.")
    slack.command("/brandbot", "ask do you sell hammers?", slack.ana, slack.general)
    asked = slack.wait_for(lambda: [m for m in slack.replies(slack.general) if m.thread_ts is None])
    office.quiet()
    assert f"<@{slack.ana}>" in asked[0].text and "hammers" in asked[0].text
    (answer,) = [m for m in slack.replies(slack.general, asked[0].ts) if m.ts != asked[0].ts]
    assert text_of(answer) == "Hammers, yes."


def test_voice_is_seen_by_its_asker_until_it_is_posted(office: Office) -> None:
    slack = office.slack
    office.engine.will_say("Right. ", "We open at eight.")
    slack.command("/brandbot", "voice The store opens at 8.", slack.ana, slack.general)
    shown = slack.wait_for(lambda: [e for e in slack.ephemerals if "eight" in e.text])
    office.quiet()
    assert shown[0].user == slack.ana and slack.replies(slack.general) == []
    slack.click(
        slack.ana, slack.general, shown[0].ts,
        {"action_id": "brandbot_post_voice", "value": "Right. We open at eight."},
    )  # fmt: skip
    posted = slack.wait_for(lambda: slack.replies(slack.general))
    assert posted[0].text.startswith("Right. We open at eight.")
    assert office.turns() == []  # a text to be rewritten is no conversation


def test_help_and_status(office: Office) -> None:
    slack = office.slack
    assert "/brandbot" in str(slack.command("/brandbot", "", slack.ana, slack.general).body)
    status = str(slack.command("/brandbot", "status", slack.ana, slack.general).body)
    assert "Acme Tools" in status and "0001" in status


def test_sources_stand_below_the_reply(office: Office) -> None:
    document = "# Visit\n\n## Opening hours\n\nOn Sundays the shop is open from 10 am to 2 pm.\n"
    make_documents(office.bot.workspace, "acme", {"visit.md": document})
    office.engine.will_say("Bring a coat.")
    (answer,) = office.answers(office.ask("when do you open on sundays?"))
    assert text_of(answer).startswith("On Sundays the shop is open from 10 am to 2 pm.")
    (below,) = [b for b in answer.blocks if b["type"] == "context"]
    told = below["elements"][0]["text"]
    assert "*Sources*" in told and "visit.md" in told and "Opening hours" in told
    assert "10 am to 2 pm" in told
