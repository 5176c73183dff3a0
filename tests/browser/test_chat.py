"""The web chat as its users meet it: a real server, a real browser, a scripted engine."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from brandbot import EngineError
from tests.browser.conftest import GRADIO_WARNS, Guest, Studio, nameless
from tests.browser.scripted import FOREVER, WAIT
from tests.chromium import Window

pytestmark = GRADIO_WARNS

Visit = Callable[..., "Visitor"]


class Visitor(Guest):
    """Somebody at the chat."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        super().__init__(context)
        self.open(url, self.page)

    def open(self, url: str, page: Page | None = None) -> Page:
        page = page or self.another()
        page.goto(url)
        expect(page.locator("#header h1")).to_be_visible()
        expect(page.locator("#brand input:checked")).to_have_count(1)
        return page

    def say(self, text: str) -> None:
        self.page.locator("#box textarea").fill(text)
        self.page.locator("#box textarea").press("Enter")

    @property
    def bot(self) -> Any:
        return self.page.get_by_test_id("bot")

    @property
    def user(self) -> Any:
        return self.page.get_by_test_id("user")

    def button(self, label: str) -> Any:
        """The last of the chat's small buttons with a label."""
        return self.page.locator(f"#chat [aria-label='{label}']").last

    def hears(self, text: str) -> None:
        """The last reply is there, whole, and the next message can be sent."""
        expect(self.bot.last).to_have_text(text)
        expect(self.page.locator("#send")).to_be_visible()

    def brand(self, name: str) -> None:
        self.page.locator(f"#brand label:has-text('{name}')").click()
        expect(self.page.locator("#header h1")).to_have_text(name)


@pytest.fixture
def visit(studio: Studio, window: Window) -> Visit:
    def enter(width: int = 1280, height: int = 800, locale: str = "en-US") -> Visitor:
        return Visitor(window((width, height), locale), studio.url)

    return enter


def conversations(studio: Studio, persona: str = "acme") -> list[str]:
    """Ids of a brand's conversations, oldest first."""
    query = "select id from conversations where persona = ? order by created, rowid"
    with closing(sqlite3.connect(studio.bot.workspace.home / "brandbot.db")) as connection:
        return [row[0] for row in connection.execute(query, (persona,))]


def said(studio: Studio, persona: str = "acme") -> list[tuple[str, str]]:
    """What stands in a brand's newest conversation."""
    newest = conversations(studio, persona)[-1]
    return [(turn.role, turn.content) for turn in studio.bot.history(newest)]


def test_greets_and_offers_starters(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    expect(visitor.page.locator("#header h1")).to_have_text("Acme Tools")
    expect(visitor.page.locator("#header .status")).to_contain_text("version 0001")
    expect(visitor.bot).to_have_text(["Hi, Acme here."])
    studio.engine.will_say("We do, in three sizes.")
    visitor.page.get_by_role("button", name="Do you sell hammers?").click()
    visitor.hears("We do, in three sizes.")
    expect(visitor.user).to_have_text(["Do you sell hammers?"])
    expect(visitor.page.get_by_role("button", name="Where are you?")).to_have_count(0)
    assert said(studio) == [
        ("user", "Do you sell hammers?"),
        ("assistant", "We do, in three sizes."),
    ]


def test_streams_while_the_model_still_writes(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say("First half, ", WAIT, "second half.")
    visitor.say("Tell me")
    expect(visitor.bot.last).to_have_text("First half, ")
    expect(visitor.page.locator("#box textarea")).to_have_value("")
    visitor.say("Typed too early")
    studio.engine.go()
    visitor.hears("First half, second half.")
    expect(visitor.page.locator("#box textarea")).to_have_value("Typed too early")
    assert len(studio.engine.calls) == 1


def test_stop_stops_the_machine_and_keeps_what_was_said(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say(FOREVER)
    visitor.say("Go on")
    expect(visitor.bot.last).to_contain_text("word3 ")
    visitor.page.locator("#stop").click()
    assert studio.engine.was_closed()
    expect(visitor.page.locator("#send")).to_be_visible()
    (_, (role, text)) = said(studio)
    assert role == "assistant" and text.startswith("word0 word1 word2 word3")
    turn = studio.bot.history(conversations(studio)[-1])[-1]
    assert turn.finish == "stopped"
    visitor.hears(text)


def test_a_visitor_who_leaves_stops_the_machine(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say(FOREVER)
    visitor.say("Go on")
    expect(visitor.bot.last).to_contain_text("word1 ")
    visitor.page.close()
    assert studio.engine.was_closed()


def test_retry_replaces_the_reply(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say("Once.")
    studio.engine.will_say("Twice.")
    visitor.say("Say")
    visitor.hears("Once.")
    visitor.button("Retry").click()
    visitor.hears("Twice.")
    expect(visitor.bot).to_have_text(["Hi, Acme here.", "Twice."])
    assert said(studio) == [("user", "Say"), ("assistant", "Twice.")]


def test_edit_says_it_again_from_there(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    for number in ("One.", "Two.", "Three."):
        studio.engine.will_say(number)
    visitor.say("First")
    visitor.hears("One.")
    visitor.say("Second")
    visitor.hears("Two.")
    visitor.page.locator("#chat [aria-label='Edit']").first.click()
    visitor.page.locator("#chat textarea").fill("Other")
    visitor.page.locator("#chat [aria-label='Submit']").click()
    visitor.hears("Three.")
    expect(visitor.user).to_have_text(["Other"])
    assert said(studio) == [("user", "Other"), ("assistant", "Three.")]


def test_like_and_taking_it_back(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("Hello")
    visitor.hears("Piece one, piece two.")
    visitor.button("Like").click()
    expect(visitor.button("Liked")).to_be_visible()
    visitor.page.reload()
    visitor.hears("Piece one, piece two.")
    expect(visitor.button("Liked")).to_be_visible()
    turn = studio.bot.history(conversations(studio)[-1])[-1]
    assert turn.verdict == "like"
    with visitor.page.expect_response(re.compile("queue/join")):
        visitor.button("Liked").click()
    expect(visitor.button("Like")).to_be_visible()
    visitor.page.reload()
    visitor.hears("Piece one, piece two.")
    expect(visitor.button("Like")).to_be_visible()
    assert studio.bot.history(conversations(studio)[-1])[-1].verdict == "withdrawn"


def test_a_dislike_asks_why_and_what_instead(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("Hello")
    visitor.hears("Piece one, piece two.")
    visitor.button("Dislike").click()
    form = visitor.page.locator("#dislike")
    expect(form).to_be_visible()
    form.get_by_label("Doesn't sound like us").check()
    form.get_by_label("Too long or too short").check()
    form.get_by_label("Anything else? (optional)").fill("Sounds like a robot")
    form.get_by_label("What should it have said? (optional)").fill("Morning! What'll it be?")
    form.get_by_role("button", name="Send feedback").click()
    expect(form).to_be_hidden()
    turn = studio.bot.history(conversations(studio)[-1])[-1]
    last = studio.bot.log.feedback_of(turn.id)[-1]
    assert (last["verdict"], last["reason"], last["suggestion"]) == (
        "dislike",
        "voice, length: Sounds like a robot",
        "Morning! What'll it be?",
    )


def test_a_reload_keeps_the_conversation(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("Remember me")
    visitor.hears("Piece one, piece two.")
    visitor.page.reload()
    expect(visitor.bot).to_have_text(["Hi, Acme here.", "Piece one, piece two."])
    expect(visitor.user).to_have_text(["Remember me"])
    visitor.say("And this")
    expect(visitor.bot).to_have_count(3)
    visitor.hears("Piece one, piece two.")
    assert [role for role, _ in said(studio)] == ["user", "assistant"] * 2


def test_a_stranger_sees_nothing_of_it(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("My secret")
    visitor.hears("Piece one, piece two.")
    expect(visit().bot).to_have_text(["Hi, Acme here."])


def test_new_starts_over_and_the_log_keeps_the_old(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("Old")
    visitor.hears("Piece one, piece two.")
    old = conversations(studio)[-1]
    visitor.page.locator("#new").click()
    expect(visitor.bot).to_have_text(["Hi, Acme here."])
    visitor.say("New")
    visitor.hears("Piece one, piece two.")
    assert conversations(studio)[-1] != old
    assert studio.bot.history(old)[0].content == "Old"


def test_new_leaves_a_running_reply(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say(FOREVER)
    visitor.say("Go on")
    expect(visitor.bot.last).to_contain_text("word1 ")
    visitor.page.locator("#new").click()
    assert studio.engine.was_closed()
    expect(visitor.bot).to_have_text(["Hi, Acme here."])
    studio.engine.will_say("Fresh.")
    visitor.say("Again")
    visitor.hears("Fresh.")
    expect(visitor.bot).to_have_text(["Hi, Acme here.", "Fresh."])


def test_each_brand_keeps_its_own_conversation(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("To Acme")
    visitor.hears("Piece one, piece two.")
    visitor.brand("Bruma")
    expect(visitor.bot).to_have_text(["Hola, soy Bruma."])
    expect(visitor.page.locator("#version")).to_contain_text("brandbot train bruma")
    expect(visitor.page.locator("#compare")).to_be_disabled()
    visitor.say("A Bruma")
    expect(visitor.bot).to_have_count(2)
    visitor.hears("Piece one, piece two.")
    visitor.brand("Acme Tools")
    expect(visitor.user).to_have_text(["To Acme"])
    visitor.page.reload()
    expect(visitor.page.locator("#header h1")).to_have_text("Acme Tools")
    visitor.brand("Bruma")
    expect(visitor.user).to_have_text(["A Bruma"])


def test_a_brand_that_cannot_be_read_says_why(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.page.locator("#brand label:has-text('broken')").click()
    notice = visitor.page.locator("#notice")
    expect(notice).to_contain_text("broken can't be loaded")
    expect(notice).to_contain_text("persona.yaml:1")
    expect(visitor.page.locator("#send")).to_be_disabled()
    visitor.brand("Acme Tools")
    visitor.say("Still here?")
    visitor.hears("Piece one, piece two.")


def test_the_untuned_answer_beside(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say("Tuned.")
    studio.engine.will_say("Untuned <b>words</b>.")
    visitor.say("Who are you?")
    visitor.hears("Tuned.")
    visitor.page.locator("#compare").click()
    beside = visitor.page.locator("#untuned")
    expect(beside.locator(".answer")).to_have_text("Untuned <b>words</b>.")
    expect(beside).to_contain_text("Who are you?")
    tuned, untuned = studio.engine.calls
    assert tuned.adapter is not None and untuned.adapter is None
    assert list(tuned.ids) == list(untuned.ids)
    assert said(studio)[-1] == ("assistant", "Tuned.")
    visitor.page.locator("#close-compare").click()
    expect(beside).to_be_hidden()


def test_the_dial_sets_the_strength(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    dial = visitor.page.locator("#strength input[type=number]")
    dial.fill("0.4")
    dial.press("Tab")
    visitor.say("Hello")
    visitor.hears("Piece one, piece two.")
    assert studio.engine.calls[-1].strength == pytest.approx(0.4)


def test_an_error_is_a_sentence_and_can_be_tried_again(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    studio.engine.will_say(EngineError("The model is out of breath."))
    visitor.say("Hello")
    notice = visitor.page.locator("#notice")
    expect(notice).to_have_text("That didn't work: The model is out of breath.")
    visitor.page.locator("#again").click()
    visitor.hears("Piece one, piece two.")
    expect(notice).to_be_hidden()
    assert said(studio) == [("user", "Hello"), ("assistant", "Piece one, piece two.")]


def test_an_unexpected_error_shows_no_traceback(studio: Studio, visit: Visit, caplog: Any) -> None:
    visitor = visit()
    studio.engine.will_say(ZeroDivisionError("secret detail"))
    visitor.say("Hello")
    expect(visitor.page.locator("#notice")).to_contain_text("Something went wrong on our side")
    assert "secret detail" not in visitor.page.content()
    assert "secret detail" in caplog.text


def test_spanish_by_the_browser_and_by_the_switch(studio: Studio, visit: Visit) -> None:
    spanish = visit(locale="es-ES")
    expect(spanish.page.locator("#header h1")).to_have_text("Bruma")
    expect(spanish.page.locator("#send")).to_have_text("Enviar")
    expect(spanish.page.get_by_label("Fuerza de la voz").first).to_be_visible()
    assert spanish.page.locator("html").get_attribute("lang") == "es"
    spanish.page.get_by_role("link", name="English").click()
    expect(spanish.page.locator("#send")).to_have_text("Send")
    spanish.page.goto(studio.url)  # the switch is remembered
    expect(spanish.page.locator("#send")).to_have_text("Send")
    spanish.page.get_by_role("link", name="Español").click()
    expect(spanish.page.locator("#send")).to_have_text("Enviar")
    spanish.say("Hola")
    spanish.hears("Piece one, piece two.")
    expect(spanish.button("No me gusta")).to_be_visible()
    spanish.button("No me gusta").click()
    expect(spanish.page.locator("#dislike")).to_contain_text("No suena a nosotros")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_nothing_scrolls_sideways(studio: Studio, visit: Visit, width: int, height: int) -> None:
    visitor = visit(width, height)
    studio.engine.will_say("x" * 300 + " " + "word " * 80)
    visitor.say("y" * 200)
    expect(visitor.bot).to_have_count(2)
    expect(visitor.page.locator("#send")).to_be_visible()
    visitor.button("Dislike").click()
    expect(visitor.page.locator("#dislike")).to_be_visible()
    scroll, view = visitor.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert scroll <= view == width
    for part in ("#send", "#box", "#new", "#fold", "#dislike-send"):
        box = visitor.page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height


def test_the_panel_folds_away_on_a_phone(studio: Studio, visit: Visit) -> None:
    visitor = visit(390, 844)
    panel, fold = visitor.page.locator("#side"), visitor.page.locator("#fold")
    expect(panel).to_be_hidden()
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(panel).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    fold.click()
    visitor.page.locator("#brand label:has-text('Bruma')").click()
    expect(panel).to_be_hidden()
    expect(visitor.page.locator("#header h1")).to_have_text("Bruma")


def test_it_can_be_used_from_the_keyboard(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    expect(visitor.page.locator("#box textarea")).to_be_focused()
    visitor.page.keyboard.type("By hand")
    visitor.page.keyboard.press("Enter")
    visitor.hears("Piece one, piece two.")
    visitor.page.keyboard.press("Shift+Tab")
    reached = visitor.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert reached in ("Like", "Dislike")
    visitor.button("Dislike").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#reasons input").first).to_be_focused()


def test_every_control_has_a_name(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("Hello")
    visitor.hears("Piece one, piece two.")
    assert nameless(visitor.page) == []


ATTACKS = [
    "<script>window.owned = 1</script>",
    "<img src=x onerror='window.owned = 2'>",
    "![tracked](http://192.0.2.1/pixel.png)",
    "<iframe src='javascript:parent.owned = 3'></iframe>",
    "[click](javascript:window.owned=4) $$\\href{javascript:window.owned=5}{x}$$",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_anybody_says_runs(studio: Studio, visit: Visit, attack: str) -> None:
    visitor = visit()
    studio.engine.will_say(attack)
    studio.engine.will_say(attack)
    shown = attack.replace("<", "<\u2060")  # what makes it no tag
    visitor.say(attack)
    visitor.hears(shown)
    expect(visitor.user).to_have_text([shown])
    assert said(studio) == [("user", attack), ("assistant", attack)]
    visitor.page.locator("#compare").click()
    expect(visitor.page.locator("#untuned .answer")).to_have_text(attack)
    studio.engine.will_say(EngineError(attack))
    visitor.say("and as an error")
    expect(visitor.page.locator("#notice")).to_have_text(f"That didn't work: {attack}")
    visitor.page.reload()
    expect(visitor.user.first).to_have_text(shown)
    visitor.page.locator("#chat [aria-label='Edit']").first.click()
    visitor.page.locator("#chat [aria-label='Submit']").click()
    visitor.hears("Piece one, piece two.")
    assert said(studio)[0] == ("user", attack)
    assert visitor.page.evaluate("window.owned") is None
    assert visitor.page.locator("#chat .message :is(img, script, iframe, a)").count() == 0
    assert visitor.outside == []


def test_nothing_is_asked_of_anybody_else(studio: Studio, visit: Visit) -> None:
    visitor = visit()
    visitor.say("Hello")
    visitor.hears("Piece one, piece two.")
    visitor.button("Dislike").click()
    expect(visitor.page.locator("#dislike")).to_be_visible()
    visitor.page.locator("#compare").click()
    expect(visitor.page.locator("#untuned .answer")).to_have_text("Piece one, piece two.")
    visitor.page.reload()
    visitor.hears("Piece one, piece two.")
    assert visitor.outside == []
    assert visitor.errors == []
    expect(visitor.page.locator("footer")).to_be_hidden()
    assert "Gradio" not in visitor.page.locator("body").inner_text()
