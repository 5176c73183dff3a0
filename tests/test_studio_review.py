"""The review's page without a browser: what is shown, what is kept, who came first."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brandbot import Bot, Exchange, LogError, Message, Review
from connectors.studio.page import links
from connectors.studio.review import LONGEST_NAME, LONGEST_REPLY, Desk, Reviewer, View
from connectors.studio.review_screen import difference, exchange, keys, progress, reason, status
from connectors.studio.texts import KEYS, TEXTS, say
from tests.browser.scripted import converse, make_workspace

ANA, BERTO = Reviewer("Ana"), Reviewer("Berto")

# By the hash of its words, TESTED is a question that versions are tested with; the others are not.
TESTED = "Which one for tiles?"
PARK, CARD = "Where can I park?", "Can I pay by card?"


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    made = Bot(make_workspace(tmp_path))
    yield made
    join()
    made.close()


@pytest.fixture
def desk(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose queue no scores change."""
    monkeypatch.setattr(Desk, "_score", lambda *_: None)
    return Desk(bot)


def join() -> None:
    """Waits for replies that are being scored."""
    for thread in threading.enumerate():
        if thread.name.startswith("score "):
            thread.join()


def decide(
    desk: Desk, view: View, decision: Any, text: str | None = None, who: Reviewer = ANA
) -> View:
    """What a decision about the exchange of a view leads to."""
    assert view.exchange is not None
    typed = view.text if text is None else text
    after = desk.decide(view.case, str(view.exchange.turn), decision, typed, who, "en")
    assert after is not None
    return after


def undo(desk: Desk, view: View, who: Reviewer = ANA, text: str | None = None) -> View:
    after = desk.undo(view.case, view.text if text is None else text, who, "en")
    assert after is not None
    return after


def asked(view: View) -> str | None:
    return view.exchange.messages[-1].content if view.exchange else None


def written(bot: Bot) -> list[dict[str, Any]]:
    file = bot.workspace.personas / "acme" / "examples" / "from-conversations.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def add_example(bot: Bot, prompt: str, reply: str) -> None:
    folder = bot.workspace.personas / "acme" / "examples"
    folder.mkdir(exist_ok=True)
    with (folder / "faq.jsonl").open("a") as file:
        file.write(json.dumps({"prompt": prompt, "completion": reply}) + "\n")


def words(markup: str) -> str:
    """What can be read of a piece of HTML."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", markup).split()))


def made(**changes: Any) -> Exchange:
    plain = Exchange(
        7, "c", "web", "2026-11-03T10:00:00.000+00:00", "0001", (Message("user", "Open?"),),
        "From nine.",
    )  # fmt: skip
    return replace(plain, **changes)


def shown(desk: Desk, language: str = "en", **changes: Any) -> str:
    """The HTML of an exchange that was never logged."""
    case = desk.open("acme", language).case
    assert case is not None
    view = View(desk.open("acme", language).screen, replace(case, exchange=made(**changes)))
    return exchange(view, language)


# Who reviews


@pytest.mark.parametrize("stored", [None, 7, [], "Ana", {"name": 3}, {"name": ""}, {"id": "x"}])
def test_a_browser_that_remembers_nonsense_has_no_name(stored: object) -> None:
    assert Reviewer.read(stored).name == ""


def test_a_reviewer_is_remembered() -> None:
    ana = Reviewer().named("  Ana \n Ruiz ")
    assert ana.name == "Ana Ruiz" and Reviewer.read(ana.written()) == ana
    assert Reviewer.read({"name": "y" * 99}).name == "y" * LONGEST_NAME


def test_nobody_decides_without_a_name(desk: Desk, bot: Bot) -> None:
    turn = converse(bot.log, PARK, "Behind the shop.")
    view = desk.open("acme", "en")
    for decision in ("approved", "rejected", "skipped"):
        after = decide(desk, view, decision, "Typed.", Reviewer())
        assert after.screen.notice == "Say who you are first: a decision stands beside a name."
        assert after.exchange == view.exchange and after.text == "Typed." and after.edited
    assert undo(desk, view, Reviewer()).screen.notice.startswith("Say who you are")
    assert Review(bot.workspace, bot.log, "acme").counts().waiting == 1
    assert view.exchange is not None and view.exchange.turn == turn


# Which comes first


def test_the_most_useful_comes_first_and_is_counted(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    liked = converse(bot.log, CARD, "Of course.")
    bot.log.judge(liked, "like")
    edited = converse(bot.log, "Do you lend drills?", "No.")
    bot.log.judge(edited, "dislike", suggestion="Not yet. Ask again in spring.")
    view = desk.open("acme", "en")
    assert (view.waiting, view.approved, view.rejected) == (3, 0, 0)
    assert view.exchange is not None and view.exchange.turn == edited
    assert view.exchange.why == ("edited", "disliked")
    assert view.text == "Not yet. Ask again in spring." and not view.edited
    view = decide(desk, view, "approved")
    assert asked(view) == CARD and view.text == "Of course."
    view = decide(desk, view, "rejected")
    assert asked(view) == PARK
    assert (view.waiting, view.approved, view.rejected) == (1, 1, 1)
    assert words(progress(view, "en")) == "1 waiting 1 approved 1 rejected 2 of 3 reviewed"
    assert words(progress(view, "es")) == "1 por revisar 1 aprobadas 1 rechazadas 2 de 3 revisadas"
    assert 'aria-valuenow="2"' in progress(view, "en") and "width:66.67%" in progress(view, "en")


def test_scores_are_made_meanwhile_and_change_what_comes_next(bot: Bot) -> None:
    desk = Desk(bot)
    add_example(bot, PARK, "In the yard.")
    strange = converse(bot.log, "Quantum zebra accordion?", "Hm.")
    converse(bot.log, PARK, "Behind the shop.")
    converse(bot.log, PARK + " Now?", "Behind the shop, now.")
    view = desk.open("acme", "en")
    assert asked(view) == PARK + " Now?" and view.exchange is not None and view.exchange.why == ()
    join()
    assert asked(view) == PARK + " Now?"  # it stays on the table
    view = decide(desk, view, "approved")
    assert view.exchange is not None and view.exchange.turn == strange
    assert view.exchange.why == ("unlike",)


def test_scores_are_made_once_at_a_time_and_failing_breaks_nothing(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(bot)
    converse(bot.log, PARK, "Behind the shop.")
    gate, calls = threading.Event(), []

    def score(review: Review) -> int:
        calls.append(review.name)
        gate.wait(30)
        raise LogError("No ruler.")

    monkeypatch.setattr(Review, "score", score)
    assert asked(desk.open("acme", "en")) == asked(desk.open("acme", "en")) == PARK
    gate.set()
    join()
    assert calls == ["acme"] and "No ruler." in caplog.text
    desk.open("acme", "en")
    join()
    assert calls == ["acme", "acme"]


def test_what_was_skipped_comes_back_after_all_others_in_turn(desk: Desk, bot: Bot) -> None:
    for question in ("First?", "Second?", "Third?"):
        converse(bot.log, question, f"{question} Yes.")
    view = desk.open("acme", "en")
    seen = [asked(view)]
    for _ in range(5):
        view = decide(desk, view, "skipped")
        assert view.told == "Skipped. It comes back at the end."
        seen.append(asked(view))
    assert seen == ["Third?", "Second?", "First?"] * 2
    assert (view.waiting, view.approved, view.rejected) == (3, 0, 0)


# What a decision comes to


def test_approved_as_it_is(desk: Desk, bot: Bot) -> None:
    turn = converse(bot.log, PARK, "Behind the shop.", channel="slack")
    view = decide(desk, desk.open("acme", "en"), "approved")
    assert view.told == "Approved. It is in examples/from-conversations.jsonl."
    assert words(status(view, "en")) == view.told
    (row,) = written(bot)
    assert row["messages"] == [
        {"role": "user", "content": PARK}, {"role": "assistant", "content": "Behind the shop."},
    ]  # fmt: skip
    origin = row["provenance"]
    assert (origin["turn"], origin["channel"], origin["reviewer"]) == (turn, "slack", "Ana")
    assert origin["edited"] is False


def test_approved_edited(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    view = decide(
        desk, desk.open("acme", "en"), "approved", " Behind the shop, by the oak.\r\nFree. "
    )
    (row,) = written(bot)
    assert row["messages"][-1]["content"] == "Behind the shop, by the oak.\nFree."
    assert row["provenance"]["edited"] is True
    assert (view.waiting, view.approved) == (0, 1)


def test_what_an_approval_can_come_to(desk: Desk, bot: Bot) -> None:
    add_example(bot, TESTED, "The rubber one.")
    add_example(bot, CARD, "Yes, by card.")
    converse(bot.log, "Which hammer for beginners?", "The light one.", TESTED, "The soft one.")
    converse(bot.log, CARD, "Yes, by card!")
    converse(bot.log, TESTED + " And walls?", "Neither.")
    told = []
    view = desk.open("acme", "en")
    for _ in range(3):
        view = decide(desk, view, "approved")
        told.append(view.told)
    assert told == [
        "Approved. It is in examples/from-conversations.jsonl.",
        "Approved. The examples have it already: faq.jsonl:2.",
        "Approved. It is a test question, so it stays out of training.",
    ]
    converse(bot.log, "Do you deliver?", "By boat.")  # on the tests' side
    view = decide(desk, desk.open("acme", "en"), "approved", "By rowing boat.")
    assert view.told == "Approved. It goes to the examples that versions are tested with."
    assert [row["messages"][-1]["content"] for row in written(bot)] == [
        "Neither.", "By rowing boat.",
    ]  # fmt: skip


def test_an_empty_or_endless_reply_is_refused_and_kept_in_the_box(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    view = desk.open("acme", "en")
    after = decide(desk, view, "approved", "  ")
    assert after.screen.notice == (
        "An empty reply can't be approved. Write one, or reject this one."
    )
    after = decide(desk, after, "approved", "x" * (LONGEST_REPLY + 1))
    assert after.screen.notice == "That message is too long: at most 8000 characters."
    assert len(after.text) == LONGEST_REPLY + 1 and after.waiting == 1
    after = decide(desk, after, "rejected", "  ")  # of what is rejected the text is of no interest
    assert after.told == "Rejected. Nothing is learnt from it."


def test_those_just_like_it_go_with_it_and_come_back_with_it(desk: Desk, bot: Bot) -> None:
    for _ in range(3):
        converse(bot.log, CARD, "Of course.")
    view = desk.open("acme", "en")
    assert "and 2 more like it" in words(exchange(view, "en"))
    view = decide(desk, view, "approved")
    assert view.told.endswith("jsonl. With it: 2 more like it.")
    assert (view.waiting, view.approved, len(written(bot))) == (0, 1, 1)
    view = undo(desk, view)
    assert (view.waiting, view.approved, written(bot)) == (3, 0, [])
    view = decide(desk, view, "rejected")
    assert view.told == "Rejected. Nothing is learnt from it. With it: 2 more like it."
    assert (view.waiting, view.rejected) == (0, 1)


def test_an_exchange_is_decided_about_by_who_sees_it(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    converse(bot.log, CARD, "Of course.")
    view = desk.open("acme", "en")
    assert view.exchange is not None
    seen = str(view.exchange.turn)
    after = decide(desk, view, "approved")
    assert desk.decide(after.case, seen, "rejected", "", ANA, "en") is None  # a second click
    assert desk.decide(after.case, "", "rejected", "", ANA, "en") is None
    assert desk.decide(None, seen, "rejected", "", ANA, "en") is None
    assert desk.undo(None, "", ANA, "en") is None
    count = Review(bot.workspace, bot.log, "acme").counts()
    assert (count.waiting, count.approved, count.rejected) == (1, 1, 0)


# Undo


def test_undo_goes_back_as_far_as_one_wants(desk: Desk, bot: Bot) -> None:
    for question in ("First?", "Second?", "Third?"):
        converse(bot.log, question, f"{question} Yes.")
    view = desk.open("acme", "en")
    view = decide(desk, view, "approved", "Mine.")
    view = decide(desk, view, "rejected")
    view = decide(desk, view, "skipped")
    back = []
    for _ in range(3):
        view = undo(desk, view)
        assert view.told == "Taken back. Decide again."
        back.append((asked(view), view.text))
    assert back == [("First?", "First? Yes."), ("Second?", "Second? Yes."), ("Third?", "Mine.")]
    assert view.edited and (view.waiting, view.approved, view.rejected) == (3, 0, 0)
    assert written(bot) == []
    after = undo(desk, view)
    assert after.screen.notice == "There is no decision of yours to take back."
    assert after.exchange == view.exchange and after.text == "Mine."
    assert undo(desk, view, BERTO).screen.notice.startswith("There is no decision of yours")


def test_undo_brings_back_what_was_approved_after_a_reload(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    decide(desk, desk.open("acme", "en"), "approved", "By the oak.")
    view = desk.open("acme", "en")
    assert view.exchange is None
    view = undo(desk, view)
    assert asked(view) == PARK and view.text == "By the oak." and view.edited


def test_undo_leaves_a_line_that_people_made_their_own(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    view = decide(desk, desk.open("acme", "en"), "approved")
    own = json.dumps({"prompt": PARK, "completion": "Behind the shop, as ever."})
    file = bot.workspace.personas / "acme" / "examples" / "from-conversations.jsonl"
    file.write_text(own)
    view = undo(desk, view)
    assert view.told == (
        "Taken back. Its line in examples/from-conversations.jsonl was changed by hand and was left."
    )
    assert asked(view) == PARK and file.read_text() == own


def test_what_was_typed_is_not_lost_by_looking_elsewhere(desk: Desk, bot: Bot) -> None:
    for question in ("First?", "Second?"):
        converse(bot.log, question, f"{question} Yes.")
    view = desk.open("acme", "en")
    view = decide(desk, view, "rejected")
    view = undo(desk, view, text="Half a tho")
    assert asked(view) == "Second?"
    view = decide(desk, view, "skipped", "Half another")
    assert (asked(view), view.text) == ("First?", "Half a tho")
    view = decide(desk, view, "skipped", view.text)
    assert (asked(view), view.text) == ("Second?", "Half another")


# Two reviewers, and a conversation that moves


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        ("approved", "Berto has approved this meanwhile. Nothing was overwritten."),
        ("rejected", "Berto has rejected this meanwhile. Nothing was overwritten."),
    ],
)
def test_who_comes_second_is_told_and_goes_on(
    desk: Desk, bot: Bot, decision: Any, told: str
) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    converse(bot.log, CARD, "Of course.")
    mine, theirs = desk.open("acme", "en"), desk.open("acme", "en")
    decide(desk, theirs, decision, "Berto's words.", BERTO)
    after = decide(desk, mine, "approved", "Ana's words.")
    assert after.told == told and asked(after) == PARK
    texts = (
        [row["messages"][-1]["content"] for row in written(bot)] if decision == "approved" else []
    )
    assert texts == (["Berto's words."] if decision == "approved" else [])
    assert (after.approved, after.rejected) == ((1, 0) if decision == "approved" else (0, 1))


def test_what_another_skipped_or_took_back(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    mine = desk.open("acme", "en")
    theirs = decide(desk, desk.open("acme", "en"), "skipped", who=BERTO)
    decide(desk, theirs, "rejected", who=BERTO)
    undo(desk, theirs, BERTO)
    after = decide(desk, mine, "approved")
    assert after.told == (
        "Berto has decided about this and taken it back meanwhile. Nothing was overwritten."
    )
    assert asked(after) == PARK
    theirs = decide(desk, desk.open("acme", "en"), "skipped", who=BERTO)
    after = decide(desk, after, "approved")  # that Berto passed it by is in nobody's way
    assert after.told.startswith("Approved.")


def test_what_was_folded_by_another(desk: Desk, bot: Bot) -> None:
    turn = converse(bot.log, CARD, "Of course.")
    mine = desk.open("acme", "en")
    assert mine.exchange is not None and mine.exchange.turn == turn
    converse(bot.log, CARD, "Of course.")
    decide(desk, desk.open("acme", "en"), "approved", who=BERTO)
    after = decide(desk, mine, "rejected")
    assert after.told == (
        "Berto has decided about one just like it meanwhile. Nothing was overwritten."
    )


def test_a_conversation_that_changed_is_not_decided_about(desk: Desk, bot: Bot) -> None:
    converse(bot.log, CARD, "Of course.", message_id="m1")
    converse(bot.log, PARK, "Behind the shop.", message_id="m2")
    view = desk.open("acme", "en")
    bot.log.edit("m2", "Behind the barn.")
    view = decide(desk, view, "approved")
    assert view.told == (
        "This conversation has changed meanwhile: something in it was edited or deleted. "
        "Nothing was decided."
    )
    assert (asked(view), view.text) == (PARK, "Behind the barn.")
    bot.log.delete("m2")
    view = decide(desk, view, "approved")
    assert view.told.startswith("This conversation has changed") and asked(view) == CARD
    assert (view.waiting, view.approved) == (1, 0)
    assert not (bot.workspace.personas / "acme" / "examples" / "from-conversations.jsonl").exists()


# What goes wrong


def test_a_file_that_cannot_be_written_is_said_and_the_text_stays(
    desk: Desk, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    converse(bot.log, PARK, "Behind the shop.")
    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        after = decide(desk, desk.open("acme", "en"), "approved", "By the oak.")
    assert after.screen.notice == say("en", "error", reason=say("en", "error_unwritable"))
    assert asked(after) == PARK and after.text == "By the oak."
    after = decide(desk, after, "approved", "By the oak.")  # once there is room
    assert after.told.startswith("Approved.")
    assert [row["messages"][-1]["content"] for row in written(bot)] == ["By the oak."]


def test_an_unexpected_error_is_a_sentence(
    desk: Desk, bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret detail")

    converse(bot.log, PARK, "Behind the shop.")
    view = desk.open("acme", "en")
    monkeypatch.setattr(Review, "decide", fail)
    monkeypatch.setattr(Review, "undo", fail)
    for after in (decide(desk, view, "approved", "Mine."), undo(desk, view, text="Mine.")):
        assert after.screen.notice == say("en", "unexpected")
        assert after.exchange == view.exchange and after.text == "Mine."
    assert "secret detail" in caplog.text


def test_a_brand_that_cannot_be_reviewed_says_why(desk: Desk, tmp_path: Path) -> None:
    assert "persona.yaml:1" in desk.open("broken", "en").screen.problems
    assert desk.open("broken", "en").case is None
    for name in ("../acme", "gone", None):
        assert desk.open(name, "es").screen.notice == say("es", "no_such_persona")


def test_there_is_nothing_to_review(desk: Desk, bot: Bot) -> None:
    view = desk.open("acme", "en")
    assert words(exchange(view, "en")).startswith("Nobody has talked to Acme Tools yet There is")
    assert progress(view, "en") == ""
    converse(bot.log, PARK, "Behind the shop.")
    view = decide(desk, desk.open("acme", "en"), "rejected")
    assert words(exchange(view, "en")) == (
        "Everything is reviewed Nothing was approved, so there is nothing new to learn."
    )
    view = decide(desk, undo(desk, view), "approved")
    assert words(exchange(view, "en")) == (
        "Everything is reviewed Teach the next version what you approved: brandbot train acme"
    )
    assert "Todo está revisado" in exchange(view, "es")


# How it looks


def test_an_exchange_in_words(desk: Desk) -> None:
    markup = shown(
        desk,
        messages=(Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Open?")),
        reply="From 9.30, in Rome.", suggestion="From 9.30.", reasons=("voice, length: Too long",),
        why=("edited", "unsourced"), unsourced=("Rome", "[gone]"), removed=("email", "nif", "nie"),
        like=(3, 4), channel="slack", version="0012",
    )  # fmt: skip
    assert words(markup) == (
        "Edited Says what stands nowhere Slack · 3 Nov 2026 · Version 12 · and 2 more like it "
        "Stands nowhere: Rome Taken out for privacy: an email address, an ID number. "
        "Person: Hi Brand: Hello. Person: Open? "
        "The bot said From 9.30 , in Rome . Somebody suggested From 9.30. "
        "What people said about it Doesn't sound like us; Too long or too short. Too long"
    )
    assert "From 9.30<del>, in Rome</del>." in markup
    plain = shown(desk, "es", channel="pigeon", version=None, created="long ago")
    assert words(plain) == (
        "pigeon · long ago · Modelo sin entrenar Persona: Open? El bot dijo From nine."
    )


@pytest.mark.parametrize(
    ("old", "new", "went", "came"),
    [
        ("Same.", "Same.", "Same.", "Same."),
        ("a b c", "a x c", "a <del>b</del> c", "a <ins>x</ins> c"),
        ("a b c d", "a x y d", "a <del>b c</del> d", "a <ins>x y</ins> d"),
        ("It is 17.40 now", "It is 17.50 now", "It is <del>17.40</del> now", "It is <ins>17.50</ins> now"),
        ("Don't go", "Go", "<del>Don&#x27;t go</del>", "<ins>Go</ins>"),
        ("a", "a b", "a", "a <ins>b</ins>"),
        ("a\n\nb", "a\nb", "a\n\nb", "a\nb"),
        ("", "<b>", "", "<ins>&lt;b&gt;</ins>"),
    ],
)  # fmt: skip
def test_what_differs_is_marked(old: str, new: str, went: str, came: str) -> None:
    assert difference(old, new) == (went, came)


@pytest.mark.parametrize(
    ("logged", "said"),
    [
        ("voice, length: Sounds like a bank", "No suena a nosotros; Demasiado larga o demasiado corta. Sounds like a bank"),
        ("wrong; tone", "No es verdad; El tono no es el adecuado"),
        ("voices of angels", "voices of angels"),
        ("Sounds: odd", "Sounds: odd"),
    ],
)  # fmt: skip
def test_reasons_are_words(logged: str, said: str) -> None:
    assert reason(logged, "es") == said


@pytest.mark.parametrize(
    "attack",
    ["<script>x</script>", "<img src=x onerror=x>", "\"><b>'&amp;", "${x} {{value}}", "[x](y) **z**"],
)  # fmt: skip
def test_everything_said_is_text(desk: Desk, attack: str) -> None:
    markup = shown(
        desk,
        messages=(Message("user", attack), Message("assistant", attack), Message("user", attack)),
        reply=attack, suggestion=attack, reasons=(attack,), unsourced=(attack,), channel=attack,
        created=attack, removed=(attack,),
    )  # fmt: skip
    assert markup.count(html.escape(attack)) == 10
    assert attack not in markup.replace(html.escape(attack), "")
    known = {"article", "header", "p", "ol", "li", "span", "h2", "div", "section", "h3", "ul"}
    assert set(re.findall(r"<(\w+)", markup)) <= known
    view = View(desk.open("acme", "en").screen, told=attack)
    assert status(view, "en") == f"<p>{html.escape(attack)}</p>"


def test_personal_data_is_taken_out_before_it_is_shown(desk: Desk, bot: Bot) -> None:
    converse(
        bot.log, "I am ana.perez@mail.com", "Hello ana.perez@mail.com!",
        unsourced=["ana.perez@mail.com"],
    )  # fmt: skip
    markup = exchange(desk.open("acme", "en"), "en")
    assert "ana.perez" not in markup and "Hello [email]!" in markup
    assert "Taken out for privacy: an email address." in words(markup)


def test_every_word_of_the_review_is_there(desk: Desk) -> None:
    whys = ("edited", "disliked", "handed-off", "unsourced", "off-style", "unlike", "liked")
    for language in TEXTS:
        assert f"Esc {say(language, 'review_leave')}" in words(keys(language))
        assert len(re.findall("<kbd>", keys(language))) == len(KEYS) == 6
        assert exchange(desk.open("acme", language), language)
        assert "review_" not in shown(desk, language, why=whys)
        for code in ("written", "written-test", "exists", "in-test", "rejected", "skipped",
                     "undone", "edited-by-hand"):  # fmt: skip
            assert say(language, f"review_outcome_{code}", place="x")
        assert '<a href="./review" aria-current=page>' in links(language, "review")


def test_what_was_typed_outlives_another_name_and_another_brand(desk: Desk, bot: Bot) -> None:
    converse(bot.log, PARK, "Behind the shop.")
    view = desk.open("acme", "en")
    again = desk.open("acme", "en", view.case, "Behind the shop. Mind the gulls.")
    assert again.text == "Behind the shop. Mind the gulls." and again.edited
    other = desk.open("bruma", "en", again.case, again.text)
    assert other.text != again.text
    assert desk.open("acme", "en", other.case, other.text).text == again.text


def test_a_long_talk_that_changed_lets_the_next_one_come(desk: Desk, bot: Bot) -> None:
    """Its last question alone is shown, which had not changed: nothing but a reload went on."""
    talk = bot.log.start("acme", "slack", "ana")
    for number in range(9):
        bot.log.add(talk, "user", f"Number {number}?", message_id=f"C:{number}", author="ana")
        last = bot.log.add(talk, "assistant", f"Reply {number}.")
    case = desk.open("acme", "en").case
    assert case is not None
    exchange = Review(bot.workspace, bot.log, "acme").exchange(last)
    view = View(desk.open("acme", "en").screen, replace(case, exchange=exchange), "Reply 8.")
    bot.log.edit("C:0", "Another number?")
    after = decide(desk, view, "approved")
    assert after.told == say("en", "review_gone") and after.exchange is not None
    assert decide(desk, after, "rejected").told == say("en", "review_outcome_rejected")
