"""The taste test's page without a browser: who is compared, what is shown when, what is kept."""

from __future__ import annotations

import html
import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from brandbot import UNTUNED, Bot, EngineError, Taste, Workspace
from connectors.studio import start
from connectors.studio.taste import LONGEST_NAME, Choice, Tasting, View, Voter, defaults
from connectors.studio.taste_screen import choices, results, stage, status
from connectors.studio.texts import say
from tests.browser.scripted import ScriptedEngine, make_workspace, opening, publish, tidy

ANA = Voter("id", "Ana")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    scripted = ScriptedEngine()
    monkeypatch.setattr("brandbot.engines.pool.open_engine", opening(scripted))
    return scripted


@pytest.fixture
def bot(tmp_path: Path, engine: ScriptedEngine) -> Iterator[Bot]:
    """Two prompts to taste: the starters of ``acme``."""
    made = Bot(make_workspace(tmp_path))
    yield made
    made.close()


@pytest.fixture
def tasting(bot: Bot) -> Tasting:
    return Tasting(bot)


def last(views: Iterator[View | None]) -> View:
    view = list(views)[-1]
    assert view is not None
    return view


def begun(tasting: Tasting, voter: Voter = ANA) -> View:
    return last(tasting.begin("tab", "acme", "1", UNTUNED, voter, "en"))


def words(markup: str) -> str:
    """What can be read of a piece of HTML."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", markup).split()))


def voted(
    tasting: Tasting, view: View, choice: Choice, *, language: str = "en", tab: str = "tab"
) -> list[View]:
    """What a vote on the pair of a view leads to."""
    assert view.pair is not None
    views = tasting.vote(tab, view.round, view.pair.id, choice, language)
    return [view for view in views if view is not None]


def cast(bot: Bot, choices: str, one: str = "0001", other: str = UNTUNED) -> None:
    """A vote for each letter: l(eft, which is ``one``), r(ight) or n(either)."""
    for number, letter in enumerate(choices):
        choice = {"l": "left", "r": "right", "n": "neither"}[letter]
        bot.log.add_vote(
            persona="acme", prompt=f"{number}", left_version=one, right_version=other,
            left_text="a", right_text="b", choice=choice, voter=f"v{number % 2}",
        )  # fmt: skip


# Who is compared


@pytest.mark.parametrize(
    ("versions", "live", "pair"),
    [
        (["1", "base"], 1, ("1", "base")),
        (["1", "base"], None, ("1", "base")),
        (["2", "1", "base"], 1, ("2", "1")),
        (["3", "2", "1", "base"], 1, ("3", "1")),
        (["3", "2", "1", "base"], 3, ("3", "2")),
        (["3", "2", "base"], 1, ("3", "2")),  # the live one's folder is gone
        ([], None, (None, None)),
    ],
)
def test_the_newest_stands_against_the_live_one(
    versions: list[str], live: int | None, pair: tuple[str | None, str | None]
) -> None:
    assert defaults(versions, live) == pair


def test_what_can_be_compared(tasting: Tasting, bot: Bot) -> None:
    assert tasting.versions("acme") == (["1", "base"], 1)
    assert tasting.versions("bruma") == ([], None)
    assert tasting.versions("../acme") == ([], None)
    publish(bot.workspace, "acme")
    versions, live = tasting.versions("acme")
    assert choices(versions, live, "es") == [
        ("Versión 2 · en servicio", "2"),
        ("Versión 1", "1"),
        ("Modelo sin entrenar", "base"),
    ]


# Who votes


@pytest.mark.parametrize(
    "stored", [None, 7, [], {"id": 3, "name": []}, {"id": ""}, {"id": "x" * 65}]
)
def test_a_browser_that_remembers_nonsense_is_a_new_voter(stored: object) -> None:
    voter = Voter.read(stored)
    assert re.fullmatch("[0-9a-f]{32}", voter.id) and voter.name == ""
    assert voter.in_log == f"anonymous-{voter.id}"
    assert voter != Voter.read(stored)


def test_a_voter_is_remembered() -> None:
    voter = Voter.read(None).named("  Ana  ")
    assert voter.in_log == "Ana"
    assert Voter.read(voter.written()) == voter
    assert Voter.read({"id": "7", "name": "y" * 99}).name == "y" * LONGEST_NAME
    assert voter.named("z" * 99).name == "z" * LONGEST_NAME
    assert voter.named("").in_log == f"anonymous-{voter.id}"


# A pair, a vote


def test_whose_an_answer_is_is_told_after_the_vote(
    tasting: Tasting, bot: Bot, engine: ScriptedEngine
) -> None:
    engine.will_say("The first.")
    engine.will_say("The second.")
    waiting, shown = tasting.begin("tab", "acme", "1", UNTUNED, ANA, "en")
    assert waiting is not None and waiting.busy and waiting.pair is None
    assert "Two answers are being written…" in status(waiting, "en")
    assert shown is not None and shown.round is not None and shown.pair is not None
    before = (stage(shown, "en") + status(shown, "en")).replace(shown.pair.id, "")
    asked = shown.pair.prompt
    assert words(stage(shown, "en")) == f"Message: {asked} A The first. B The second."
    assert words(status(shown, "en")) == f"A new pair is here. Message: {asked}"
    assert not re.search("base|untuned|version|0001", before, re.IGNORECASE)
    assert bot.log.votes("acme") == []

    left = "version 1" if engine.calls[0].adapter else "the untuned model"
    right = "the untuned model" if engine.calls[0].adapter else "version 1"
    engine.will_say("The third.")
    engine.will_say("The fourth.")
    meanwhile, following = voted(tasting, shown, "right")
    assert following.pair is not None
    told = f"You chose B. A was {left}, B {right}."
    assert words(status(meanwhile, "en")) == f"{told} Two answers are being written…"
    assert words(status(following, "en")).startswith(f"{told} A new pair is here.")
    names = ["Version 1", "Untuned model"]
    if left != "version 1":
        names.reverse()
    assert words(stage(meanwhile, "en")) == (
        f"Message: {asked} A {names[0]} The first. B {names[1]} The second."
    )
    assert 'class="answer won" aria-label="Answer B"' in stage(meanwhile, "en")
    assert following.pair.prompt != asked
    assert not re.search("base|untuned|version", stage(following, "en"), re.IGNORECASE)

    (vote,) = bot.log.votes("acme")
    assert (vote["prompt"], vote["choice"], vote["voter"]) == (asked, "right", "Ana")
    assert (vote["left_text"], vote["right_text"]) == ("The first.", "The second.")
    assert {vote["left_version"], vote["right_version"]} == {"0001", "base"}


def test_neither_is_a_choice(tasting: Tasting, bot: Bot) -> None:
    view = voted(tasting, begun(tasting), "neither", language="es")[-1]
    assert re.match(
        r"No elegiste ninguna\. A era (la versión 1|el modelo sin entrenar); "
        r"B, (la versión 1|el modelo sin entrenar)\.",
        words(status(view, "es")),
    )
    assert [vote["choice"] for vote in bot.log.votes("acme")] == ["neither"]


def test_every_prompt_is_asked_once_of_a_voter(tasting: Tasting, bot: Bot) -> None:
    view = begun(tasting)
    asked = set()
    while view.pair is not None:
        asked.add(view.pair.prompt)
        view = voted(tasting, view, "left")[-1]
    assert asked == {"Do you sell hammers?", "Where are you?"}
    assert view.round is not None and view.round.pair is None
    assert words(stage(view, "en")) == say("en", "taste_done")
    assert begun(tasting).pair is None
    assert begun(tasting, Voter("other")).pair is not None
    assert {vote["voter"] for vote in bot.log.votes("acme")} == {"Ana"}


def test_a_pair_is_judged_once_by_who_sees_it(tasting: Tasting, bot: Bot) -> None:
    first = begun(tasting)
    following = voted(tasting, first, "left")[-1]
    assert voted(tasting, first, "right") == []
    assert voted(tasting, replace(following, pair=first.pair), "right") == []  # it came too late
    assert voted(tasting, replace(following, round=None), "right") == []
    assert voted(tasting, following, "right", tab="another") == []
    waiting = next(tasting.begin("tab", "acme", "1", UNTUNED, ANA, "en"))
    assert waiting is not None
    assert voted(tasting, replace(waiting, pair=following.pair), "right") == []
    assert list(tasting.vote("tab", waiting.round, "", "right", "en")) == [None]
    assert [vote["choice"] for vote in bot.log.votes("acme")] == ["left"]


def test_a_pair_of_long_ago_is_said_to_be_one(tasting: Tasting) -> None:
    view = begun(tasting)
    tasting.taste = Taste(tasting.bot)  # as after a great many other pairs
    (view,) = voted(tasting, view, "left")
    assert view.round is None
    assert view.notice == say("en", "error", reason=say("en", "error_pair_gone"))


def test_earlier_turns_stand_above_the_prompt(tasting: Tasting, bot: Bot) -> None:
    folder = bot.workspace.personas / "acme"
    # A conversation of the held-out split: which one is, is decided by a hash.
    (folder / "examples").mkdir()
    turns = [
        ("user", "Ask {n}"),
        ("assistant", "Say {n}"),
        ("user", "And {n}?"),
        ("assistant", "So."),
    ]
    lines = [
        json.dumps({"messages": [{"role": r, "content": t.format(n=n)} for r, t in turns]})
        for n in range(60)
    ]
    (folder / "examples" / "talk.jsonl").write_text("\n".join(lines))
    view = begun(tasting)
    while view.pair is not None and len(view.pair.conversation) == 1:
        view = voted(tasting, view, "left")[-1]
    assert view.pair is not None
    number = view.pair.prompt.removeprefix("And ").removesuffix("?")
    shown = words(stage(view, "en"))
    assert shown.startswith(f"Person Ask {number} Brand Say {number} Message: And {number}? A ")
    assert "So." not in shown


@pytest.mark.parametrize(
    "attack",
    ["<script>x</script>", "<img src=x onerror=x>", '"><b>&amp;', "${x} {{value}}", "[x](y) **z**"],
)
def test_answers_are_text(tasting: Tasting, engine: ScriptedEngine, attack: str) -> None:
    engine.will_say(attack)
    engine.will_say(attack)
    shown = stage(begun(tasting), "en")
    escaped = attack.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown.count(f"<p>{escaped.replace(chr(34), '&quot;')}</p>") == 2


def test_an_empty_answer_is_said_to_be_empty(tasting: Tasting, engine: ScriptedEngine) -> None:
    engine.will_say(" ")
    assert "<p>The model had nothing to say to that.</p>" in stage(begun(tasting), "en")


# What goes wrong


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (EngineError("No breath."), "That didn't work: No breath."),
        (ZeroDivisionError("detail"), say("en", "unexpected")),
    ],
)
def test_an_error_is_a_sentence_and_goes_back_to_the_start(
    tasting: Tasting, engine: ScriptedEngine, error: Exception, notice: str
) -> None:
    engine.will_say(error)
    view = begun(tasting)
    assert view.round is None and view.pair is None and view.notice == notice
    assert begun(tasting).pair is not None


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("1", "1", "two different versions"),
        ("1", "7", "no version 0007"),
        ("base", "base", "two different versions"),
        ("1", "../1", "A version is a number"),
    ],
)
def test_what_cannot_be_compared_is_said(tasting: Tasting, one: str, other: str, said: str) -> None:
    view = last(tasting.begin("tab", "acme", one, other, ANA, "en"))
    assert view.round is None and said in view.notice
    view = last(tasting.begin("tab", "../acme", "1", "base", ANA, "en"))
    assert view.round is None and view.notice


def test_a_vote_that_cannot_be_kept_is_said(
    tasting: Tasting, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    shown = begun(tasting)
    with closing(sqlite3.connect(bot.workspace.home / "brandbot.db")) as connection:
        connection.execute("drop table votes")
    (view,) = voted(tasting, shown, "left")
    assert view.round is None
    assert view.notice == say("en", "error", reason=say("en", "error_busy"))
    assert "votes" in caplog.text


def test_a_pair_whose_reader_left_is_not_shown(tasting: Tasting) -> None:
    views = tasting.begin("tab", "acme", "1", UNTUNED, ANA, "en")
    assert next(views)
    tasting.leave("tab")
    assert list(views) == [None]
    old = tasting.begin("tab", "acme", "1", UNTUNED, ANA, "en")
    assert next(old)
    assert begun(tasting).pair is not None  # the same tab, begun anew
    assert list(old) == [None]


# Results


@pytest.mark.parametrize(
    ("votes", "said"),
    [
        ("", "Nobody has voted on this brand yet."),
        ("lll", "Too few votes to tell Version 1 got 100% of 3 against the untuned model."),
        ("rrrnn", "Too few votes to tell The untuned model got 80% of 5 against version 1."),
        (
            "lrlrlr",
            "Too close to call Version 1 got 50% of 6 against the untuned model. 95% interval: ",
        ),
        (
            "l" * 18 + "rr",
            "Version 1 is ahead Version 1 got 90% of 20 against the untuned model. 95% ",
        ),
        (
            "r" * 17 + "lll",
            "The untuned model is ahead The untuned model got 85% of 20 against version",
        ),
    ],
)
def test_results_are_a_sentence(tasting: Tasting, bot: Bot, votes: str, said: str) -> None:
    cast(bot, votes)
    assert said in words(results(tasting.results("acme"), "en"))


def test_the_interval_is_told_from_the_side_of_whoever_is_ahead(tasting: Tasting, bot: Bot) -> None:
    cast(bot, "r" * 17 + "lll")
    found = tasting.results("acme")
    assert found is not None
    (duel,) = found.duels
    low, high = f"{1 - duel.share.high:.0%}", f"{1 - duel.share.low:.0%}"
    assert low != high and duel.share.high < 0.5
    assert f"Intervalo del 95%: de {low} a {high}." in words(results(found, "es"))


def test_ratings_are_a_table(tasting: Tasting, bot: Bot) -> None:
    cast(bot, "lln")
    cast(bot, "llllrn", "0002", "0001")
    told = results(tasting.results("acme"), "en")
    assert "Votes: 9 · people: 2" in told
    rows = [words(row) for row in re.findall("<tr>.*?</tr>", told)]
    assert rows[0] == "Version Rating Won Lost Both bad"
    assert re.fullmatch(r"Version 2 \d+ \d+–\d+ 4 1 1", rows[1])
    assert re.fullmatch(r"Version 1 \d+ \d+–\d+ 3 4 2", rows[2])
    assert re.fullmatch(r"Untuned model \d+ 0 2 1", rows[3])  # too few for an interval
    assert tasting.results("../acme") is None and "Nobody" in results(None, "en")


# With a trained version, and served


def test_a_trained_version_is_tasted(trained: Path) -> None:
    bot = Bot(Workspace(trained))
    try:
        tasting = Tasting(bot)
        versions, live = tasting.versions("acme")
        one, other = defaults(versions, live)
        assert (one, other) == ("1", "base")
        view = last(tasting.begin("tab", "acme", one, other, ANA, "en"))
        assert view.pair is not None, view.notice
        following = voted(tasting, view, "left")[-1]
        (vote,) = bot.log.votes("acme")
        assert (vote["left_text"], vote["right_text"]) == (view.pair.left, view.pair.right)
        assert {vote["left_version"], vote["right_version"]} == {"0001", "base"}
        assert following.pair is not None and following.pair.prompt != view.pair.prompt
    finally:
        bot.close()


def test_the_page_stands_beside_the_chat_which_loads_nothing_of_it(bot: Bot) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tidy():
        blocks = start(bot, port=port)
    try:
        spanish = {"accept-language": "es-ES"}
        chat = httpx.get(f"http://127.0.0.1:{port}/", headers=spanish)
        page = httpx.get(f"http://127.0.0.1:{port}/taste", headers=spanish)
        assert page.status_code == 200 and '<html\n\tlang="es"' in page.text
        assert page.headers["content-security-policy"] == chat.headers["content-security-policy"]
        assert '"taste-votes"' in page.text and '"taste-votes"' not in chat.text
        assert '"composer"' in chat.text and '"composer"' not in page.text
    finally:
        blocks.close(verbose=False)
    assert all(fn.api_visibility == "private" for fn in blocks.fns.values())
