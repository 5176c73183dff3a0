"""The review as reviewers meet it: a real server, a real browser, a real log."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from brandbot import Review
from tests.browser.conftest import GRADIO_WARNS, Guest, Studio, nameless
from tests.browser.scripted import converse, make_persona
from tests.chromium import DESKTOP, PHONE, Window

pytestmark = GRADIO_WARNS

NUMBERS = itertools.count(1)
Sit = Callable[..., "Clerk"]

ATTACK = (
    "<img src=x onerror='window.owned=1'><script>window.owned=2</script> ${window.owned=3} "
    "{{#each value}}x{{/each}} ![x](http://192.0.2.1/x.png) **bold** [y](javascript:window.owned=4)"
)


class Clerk(Guest):
    """Somebody at the review."""

    def __init__(self, context: BrowserContext, studio: Studio) -> None:
        super().__init__(context)
        self.page.goto(f"{studio.url}review")
        self.arrive()

    def arrive(self) -> None:
        """The page is there, whole."""
        expect(self.page.locator("#header h1")).to_be_visible()
        expect(self.page.locator("#brand input:checked")).to_have_count(1)

    def begin(self, brand: str, name: str = "Ana") -> None:
        self.brand(brand)
        self.page.locator("#review-name input").fill(name)
        self.page.locator("#review-name input").press("Enter")
        expect(self.page.locator("#review-desk")).to_be_visible()

    def sees(self, question: str, text: str | None = None) -> None:
        """An exchange lies there, has the focus, and its text is in the box."""
        expect(self.asked).to_contain_text(question)
        self.can_go_on()
        if text is not None:
            expect(self.box).to_have_value(text)

    def hears(self, told: str) -> None:
        """What became of a decision is said, and the next one can be made."""
        expect(self.page.get_by_role("status").filter(has_text=told)).to_have_count(1)
        self.can_go_on()

    def can_go_on(self) -> None:
        """A key pressed now is not one too early, while the page is still being changed."""
        expect(self.page.locator(":is(.exchange, .nothing)[data-whole]:focus")).to_have_count(1)

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    @property
    def asked(self) -> Locator:
        return self.page.locator(".asked")

    @property
    def box(self) -> Locator:
        return self.page.locator("#review-box textarea")

    @property
    def counts(self) -> Locator:
        return self.page.locator(".counts b")


@pytest.fixture
def brand(studio: Studio) -> Iterator[str]:
    """A brand of its own for each test: its name. Nobody has talked to it yet."""
    folder = f"talked-{next(NUMBERS)}"
    root = studio.bot.workspace.root
    make_persona(root, folder, root / "base")
    yield folder.title()
    shutil.rmtree(studio.bot.workspace.persona(folder))


@pytest.fixture
def sit(studio: Studio, brand: str, window: Window) -> Sit:
    def enter(*size_and_locale: Any, name: str = "Ana", **more: Any) -> Clerk:
        # Scored before, so that the order does not hang on when that is done.
        Review(studio.bot.workspace, studio.bot.log, brand.lower()).score()
        clerk = Clerk(window(*size_and_locale, **more), studio)
        clerk.begin(brand, name)
        return clerk

    return enter


def talk(studio: Studio, brand: str, *said: str, **more: Any) -> int:
    return converse(studio.bot.log, *said, persona=brand.lower(), **more)


def three(studio: Studio, brand: str) -> None:
    """An edited reply, a disliked one and a plain one: in this order they are reviewed."""
    talk(studio, brand, "Where can I park?", "Behind the shop.")
    disliked = talk(studio, brand, "Can I pay by card?", "Payment options are manifold.")
    studio.bot.log.judge(disliked, "dislike", reason="voice, length: Sounds like a bank")
    edited = talk(
        studio, brand, "Hi", "Hello.", "Do you lend drills?", "We do not lend any drills."
    )
    studio.bot.log.judge(edited, "dislike", suggestion="We don't lend drills. Yet.")


def written(studio: Studio, brand: str) -> list[tuple[str, str]]:
    """(reply, reviewer) of each approved example."""
    folder = studio.bot.workspace.persona(brand.lower()) / "examples"
    lines = (folder / "from-conversations.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [(row["messages"][-1]["content"], row["provenance"]["reviewer"]) for row in rows]


def counted(studio: Studio, brand: str) -> tuple[int, int, int]:
    """(waiting, approved, rejected)"""
    count = Review(studio.bot.workspace, studio.bot.log, brand.lower()).counts()
    return count.waiting, count.approved, count.rejected


KEYS = {"approve": "a", "reject": "r", "skip": "s", "undo": "u"}


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_a_reviewers_round(
    studio: Studio, sit: Sit, brand: str, way: str, size: tuple[int, int]
) -> None:
    three(studio, brand)
    clerk = sit(size)

    def do(what: str) -> None:
        if way == "keys":
            clerk.press(KEYS[what])
        else:
            clerk.page.locator(f"#review-{what}").click()

    approve = clerk.page.locator("#review-approve")
    clerk.sees("Do you lend drills?", "We don't lend drills. Yet.")
    expect(clerk.page.locator(".chips li")).to_have_text(
        ["Edited", "Disliked", "Unlike the examples"]
    )
    expect(clerk.page.locator(".exchange ol li")).to_have_text(["Person: Hi", "Brand: Hello."])
    expect(clerk.page.locator(".exchange del")).to_have_text(["do not", "any"])
    expect(clerk.page.locator(".exchange ins")).to_have_text(["don't", "Yet."])
    expect(approve).to_have_text("Approve")
    if way == "keys":
        clerk.press("e")
        expect(clerk.box).to_be_focused()
        clerk.page.keyboard.type(" Ask in spring.")  # an a, an s and an r among others
        expect(approve).to_have_text("Approve edited")
        clerk.press("Escape")
        expect(clerk.page.locator(".exchange")).to_be_focused()
    else:
        clerk.box.fill("We don't lend drills. Yet. Ask in spring.")
        expect(approve).to_have_text("Approve edited")
    do("approve")
    clerk.sees("Can I pay by card?", "Payment options are manifold.")
    clerk.hears("Approved. It is in examples/from-conversations.jsonl.")
    expect(approve).to_have_text("Approve")
    expect(clerk.counts).to_have_text(["3", "1", "0"])  # "Hello." waits, too
    expect(clerk.page.locator(".reasons li")).to_have_text(
        "Doesn't sound like us; Too long or too short. Sounds like a bank"
    )
    assert written(studio, brand) == [("We don't lend drills. Yet. Ask in spring.", "Ana")]
    do("reject")
    clerk.hears("Rejected. Nothing is learnt from it.")
    expect(clerk.counts).to_have_text(["2", "1", "1"])
    after = clerk.asked.inner_text()
    do("skip")
    clerk.hears("Skipped. It comes back at the end.")
    expect(clerk.asked).not_to_have_text(after)
    for question in (after, "Can I pay by card?", "Do you lend drills?"):
        do("undo")
        clerk.sees(question.removeprefix("Person: "))
    expect(clerk.box).to_have_value("We don't lend drills. Yet. Ask in spring.")
    expect(approve).to_have_text("Approve edited")
    clerk.hears("Taken back. Decide again.")
    assert written(studio, brand) == [] and counted(studio, brand) == (4, 0, 0)
    do("undo")
    expect(clerk.page.locator("#notice")).to_have_text(
        "There is no decision of yours to take back."
    )
    assert clerk.errors == [] and clerk.outside == []


def test_keys_decide_nothing_while_somebody_types_or_holds_them(
    studio: Studio, sit: Sit, brand: str
) -> None:
    three(studio, brand)
    clerk = sit()
    clerk.sees("Do you lend drills?")
    clerk.box.fill("")
    clerk.page.keyboard.type("arsue ARSUE")
    expect(clerk.box).to_have_value("arsue ARSUE")
    clerk.press("Escape")
    for keys in ("Alt+a", "Meta+s", "x"):
        clerk.press(keys)
    clerk.page.evaluate(
        """() => { for (const key of ["a", "r", "s", "u"]) for (const more of [{repeat: true},
            {ctrlKey: true}, {isComposing: true}]) document.querySelector(".exchange").dispatchEvent(
            new KeyboardEvent("keydown", {key, bubbles: true, ...more})); }"""
    )
    clerk.page.locator("#review-change").click()
    expect(clerk.page.locator("#review-name input")).to_be_focused()
    clerk.page.keyboard.type("arsu")
    assert counted(studio, brand) == (4, 0, 0)
    clerk.press("Enter")
    clerk.sees("Do you lend drills?")
    expect(clerk.page.locator(".who")).to_have_text("You review as Anaarsu")
    clerk.press("Shift+R")  # as with caps lock on
    clerk.sees("Can I pay by card?")
    assert counted(studio, brand) == (3, 0, 1)


def test_the_name_is_asked_once(studio: Studio, window: Window, brand: str) -> None:
    three(studio, brand)
    clerk = Clerk(window(), studio)
    clerk.brand(brand)
    expect(clerk.page.locator("#review-setup")).to_contain_text("What you approve becomes")
    expect(clerk.page.locator("#review-buttons")).to_have_count(0)
    clerk.press("a")
    clerk.page.locator("#review-start").click()  # with no name
    expect(clerk.page.locator("#notice")).to_have_text(
        "Say who you are first: a decision stands beside a name."
    )
    assert counted(studio, brand) == (4, 0, 0)
    clerk.page.locator("#review-name input").fill("Ana")
    clerk.page.locator("#review-start").click()
    clerk.sees("Do you lend drills?")
    clerk.page.reload()
    clerk.arrive()
    expect(clerk.page.locator(".who")).to_have_text("You review as Ana")
    expect(clerk.page.locator("#review-setup")).to_have_count(0)
    clerk.brand(brand)
    clerk.sees("Do you lend drills?")
    clerk.press("a")
    clerk.hears("Approved.")
    assert written(studio, brand) == [("We don't lend drills. Yet.", "Ana")]


def test_another_name_on_a_phone_keeps_what_was_typed(studio: Studio, sit: Sit, brand: str) -> None:
    """The panel that asks for it once stayed over the form that it opens."""
    three(studio, brand)
    clerk = sit(PHONE)
    clerk.sees("Do you lend drills?")
    clerk.box.fill("No drills. Come back in spring.")
    clerk.page.locator("#fold").click()
    clerk.page.locator("#review-change").click()
    expect(clerk.page.locator("html")).to_have_attribute("data-side", "closed")
    clerk.page.locator("#review-name input").fill("Berta")
    clerk.page.locator("#review-start").click()
    clerk.sees("Do you lend drills?", "No drills. Come back in spring.")


def test_two_reviewers_do_not_overwrite_one_another(studio: Studio, sit: Sit, brand: str) -> None:
    three(studio, brand)
    ana, berto = sit(), sit(name="Berto <b>")
    ana.sees("Do you lend drills?")
    berto.sees("Do you lend drills?")
    berto.box.fill("No drills. Come back in spring.")
    berto.page.locator("#review-approve").click()
    berto.sees("Can I pay by card?")
    ana.box.fill("Hers.")
    ana.page.locator("#review-approve").click()
    ana.hears("Berto <b> has approved this meanwhile. Nothing was overwritten.")
    ana.sees("Can I pay by card?", "Payment options are manifold.")
    assert written(studio, brand) == [("No drills. Come back in spring.", "Berto <b>")]
    assert counted(studio, brand) == (3, 1, 0)


def test_an_error_keeps_what_was_typed(studio: Studio, sit: Sit, brand: str) -> None:
    three(studio, brand)
    clerk = sit()
    clerk.sees("Do you lend drills?")
    clerk.box.fill("   ")
    clerk.page.locator("#review-approve").click()
    notice = clerk.page.locator("#notice")
    expect(notice).to_have_text("An empty reply can't be approved. Write one, or reject this one.")
    expect(clerk.box).to_have_value("   ")
    clerk.box.fill("Mine.")
    clerk.page.locator("#review-approve").click()
    clerk.sees("Can I pay by card?")
    expect(notice).to_have_count(0)
    assert written(studio, brand) == [("Mine.", "Ana")]


def test_nothing_to_review(studio: Studio, sit: Sit, brand: str) -> None:
    clerk = sit()
    desk = clerk.page.locator("#review-desk")
    expect(desk).to_contain_text(f"Nobody has talked to {brand} yet")
    expect(clerk.page.locator("#review-buttons")).to_have_count(0)
    talk(studio, brand, "Where can I park?", "Behind the shop.")
    clerk.page.reload()
    clerk.arrive()
    clerk.brand(brand)
    clerk.sees("Where can I park?")
    clerk.press("a")
    expect(desk).to_contain_text("Everything is reviewed")
    expect(desk.locator("code")).to_have_text(f"brandbot train {brand.lower()}")
    expect(clerk.page.locator("#review-approve")).to_be_disabled()
    expect(clerk.box).to_have_count(0)
    clerk.press("a")
    clerk.press("u")
    clerk.sees("Where can I park?", "Behind the shop.")
    clerk.brand("broken")
    expect(clerk.page.locator("#notice")).to_contain_text("persona.yaml:1")
    expect(desk).to_have_count(0)


def test_spanish(studio: Studio, sit: Sit, brand: str) -> None:
    three(studio, brand)
    clerk = sit(DESKTOP, "es-ES")
    clerk.sees("Do you lend drills?")
    page = clerk.page
    expect(page.locator("#header .status")).to_have_text("Revisar")
    expect(page.locator("#review-buttons button")).to_have_text(
        ["Aprobar", "Rechazar", "Saltar", "Deshacer"]
    )
    expect(page.locator(".chips li")).to_have_text(
        ["Corregida", "No gustó", "Distinta de los ejemplos"]
    )
    expect(page.locator("#review-progress .line")).to_have_text("0 de 4 revisadas")
    expect(page.get_by_label("Lo que debería decir la marca")).to_be_visible()
    clerk.box.fill("No.")
    expect(page.locator("#review-approve")).to_have_text("Aprobar editada")
    page.locator("#review-approve").click()
    clerk.hears("Aprobada. Está en examples/from-conversations.jsonl.")
    clerk.press("u")
    clerk.hears("Deshecho. Decide otra vez.")
    expect(page.locator(".keys dd").last).to_have_text("Salir del texto")


def test_everything_said_is_text(studio: Studio, sit: Sit, brand: str) -> None:
    turn = talk(studio, brand, ATTACK, ATTACK, ATTACK, ATTACK)
    studio.bot.log.judge(turn, "dislike", reason=ATTACK, suggestion=f"{ATTACK} better")
    clerk = sit()
    clerk.sees(ATTACK, f"{ATTACK} better")
    expect(clerk.page.locator(".answer p").first).to_have_text(ATTACK)
    expect(clerk.page.locator(".answer p").last).to_have_text(f"{ATTACK} better")
    expect(clerk.page.locator(".reasons li")).to_have_text(ATTACK)
    clerk.press("a")
    clerk.hears("Approved.")
    assert clerk.page.evaluate("window.owned") is None
    assert clerk.page.locator("#talk :is(img, script, a, b:not(.counts b))").count() == 0
    assert clerk.outside == [] and clerk.errors == []
    assert written(studio, brand) == [(f"{ATTACK} better", "Ana")]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_and_the_buttons_stay_at_hand(
    studio: Studio, sit: Sit, brand: str, size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    long = "x" * 300 + " word" * 200
    turn = talk(studio, brand, long, long, "y" * 200, long)
    studio.bot.log.judge(turn, "dislike", reason=long, suggestion="z" * 300 + "\n" * 20 + "end")
    clerk = sit(size, "es-ES", color_scheme=scheme)
    clerk.sees("y" * 200)
    clerk.box.fill(f"{long} changed")
    expect(clerk.page.locator("#review-approve")).to_have_text("Aprobar editada")
    assert clerk.page.evaluate("document.documentElement.scrollWidth") == width
    desk = clerk.page.locator("#review-desk")
    assert desk.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    for name in KEYS:
        box = clerk.page.locator(f"#review-{name}").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height and box["height"] >= 44
    clerk.box.scroll_into_view_if_needed()
    cards = [clerk.page.locator(".answer").nth(n).bounding_box() for n in (0, 1)]
    assert cards[0] is not None and cards[1] is not None
    if size == PHONE:
        assert cards[1]["y"] >= cards[0]["y"] + cards[0]["height"]
    else:
        assert cards[1]["y"] == cards[0]["y"]
    clerk.page.locator("#review-skip").click()
    expect(clerk.page.locator(".exchange")).to_be_focused()
    assert desk.evaluate("(e) => e.scrollTop") == 0  # a new exchange is read from its top


def test_every_control_has_a_name_and_is_reached_by_tab(
    studio: Studio, sit: Sit, brand: str
) -> None:
    three(studio, brand)
    clerk = sit()
    clerk.sees("Do you lend drills?")
    assert nameless(clerk.page) == []
    reached = []
    for _ in range(5):
        clerk.press("Tab")
        reached.append(
            clerk.page.evaluate(
                "document.activeElement.closest('[id^=review-]:not(#review-desk, #review-foot)').id"
            )
        )
    assert reached == [
        "review-box", "review-approve", "review-reject", "review-skip", "review-undo",
    ]  # fmt: skip
    for name in ("The bot said", "Somebody suggested"):
        expect(clerk.page.get_by_role("region", name=name)).to_be_visible()
    expect(clerk.page.get_by_role("progressbar", name="0 of 4 reviewed")).to_be_visible()
    expect(clerk.page.locator(".keys kbd")).to_have_text(["A", "R", "S", "U", "E", "Esc"])
    clerk.press("Shift+Tab")
    clerk.press("Enter")  # on Skip
    clerk.hears("Skipped.")


def test_the_chat_leads_there_and_back_with_its_brand(studio: Studio, sit: Sit, brand: str) -> None:
    three(studio, brand)
    clerk = sit()
    page = clerk.page
    page.get_by_role("link", name="Chat").click()
    expect(page.locator("#box textarea")).to_be_focused()
    clerk.brand(brand)
    page.get_by_role("link", name="Review").click()
    expect(page.locator("#header h1")).to_have_text(brand)
    expect(clerk.asked).to_contain_text("Do you lend drills?")
    assert page.locator("#talk #chat").count() == 0


def test_a_long_log_opens(studio: Studio, sit: Sit, brand: str) -> None:
    when = "2026-11-03T10:00:00.000+00:00"
    name = brand.lower()
    talks = [(f"{name}-{n}", name, "web", when) for n in range(5_000)]
    said = [
        (talk, role, f"{role} {n} of {talk}", when, 0, "0001")
        for talk, *_ in talks
        for n in range(5)
        for role in ("user", "assistant")
    ]
    with closing(sqlite3.connect(studio.bot.workspace.home / "brandbot.db")) as log, log:
        log.executemany(
            "insert into conversations (id, persona, channel, created) values (?, ?, ?, ?)", talks
        )
        log.executemany(
            "insert into turns (conversation, role, content, created, retired, version) "
            "values (?, ?, ?, ?, ?, ?)",
            said,
        )
    clerk = sit()
    clerk.sees(f"user 4 of {name}-4999", f"assistant 4 of {name}-4999")
    expect(clerk.counts).to_have_text(["25,000", "0", "0"])
    clerk.press("r")
    clerk.hears("Rejected.")
    expect(clerk.counts).to_have_text(["24,999", "0", "1"])
