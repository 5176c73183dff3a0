"""The blind taste test as its voters meet it: a real server, a real browser, a scripted engine."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from brandbot import EngineError
from tests.browser.conftest import GRADIO_WARNS, Guest, Studio, nameless
from tests.browser.scripted import WAIT, make_persona, publish
from tests.chromium import DESKTOP, PHONE, Window

pytestmark = GRADIO_WARNS

# Everything the page is told after it was opened, piece by piece.
LISTEN = """() => {
  window.heard = [];
  const real = window.fetch;
  const listen = async (reader) => {
    for (let part; !(part = await reader.read()).done; ) window.heard.push(part.value);
  };
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    const text = answer.clone().body?.pipeThrough(new TextDecoderStream());
    if (text) listen(text.getReader()).catch(() => {}); // Gradio hangs up when all is said
    return answer;
  };
}"""

NUMBERS = itertools.count(1)
Sit = Callable[..., "Taster"]


class Taster(Guest):
    """Somebody at the taste test."""

    def __init__(self, context: BrowserContext, studio: Studio) -> None:
        super().__init__(context)
        self.page.add_init_script(f"({LISTEN})()")
        self.page.goto(f"{studio.url}taste")
        expect(self.page.locator("#taste-setup")).to_be_visible()

    def brand(self, name: str) -> None:
        self.page.locator(f"#taste-brand label:has-text('{name}')").click()
        expect(self.page.locator("#header h1")).to_have_text(name)

    def begin(self, brand: str, name: str = "") -> None:
        self.brand(brand)
        if name:
            self.page.locator("#taste-name input").fill(name)
        self.page.locator("#taste-start").click()

    @property
    def status(self) -> Any:
        return self.page.locator("#taste-status .html-container")

    @property
    def answers(self) -> Any:
        return self.page.locator(".answer p")

    def sees(self, left: str, right: str) -> None:
        """A pair that can be judged."""
        expect(self.page.locator(".tasting")).to_have_attribute("aria-busy", "false")
        expect(self.answers).to_have_text([left, right])


@pytest.fixture
def brand(studio: Studio) -> Iterator[str]:
    """A brand of its own for each test: its name, of a live version and three prompts."""
    folder = f"tasty-{next(NUMBERS)}"
    root = studio.bot.workspace.root
    starters = ["Do you deliver?", "Is it vegan?", "When do you close?"]
    make_persona(root, folder, root / "base", starters=starters)
    publish(studio.bot.workspace, folder)
    yield folder.title()
    shutil.rmtree(studio.bot.workspace.persona(folder))


@pytest.fixture
def sit(studio: Studio, brand: str, window: Window) -> Sit:
    return lambda *size_and_locale, **more: Taster(window(*size_and_locale, **more), studio)


def votes(studio: Studio, brand: str) -> list[dict[str, Any]]:
    return studio.bot.log.votes(brand.lower())


def will_say(studio: Studio, *answers: str) -> None:
    """One answer after the other: A, B, the next pair's A, B, ..."""
    for answer in answers:
        studio.engine.will_say(answer)


@pytest.mark.parametrize(
    ("size", "ways"),
    [
        (DESKTOP, ("#taste-a", "#taste-b", "#taste-neither")),
        (DESKTOP, ("1", "2", "0")),
        (DESKTOP, ("ArrowLeft", "ArrowRight", "ArrowDown")),
        (PHONE, ("#taste-a", "#taste-b", "#taste-neither")),
        (PHONE, ("ArrowLeft", "2", "ArrowDown")),
    ],
)
def test_votes_reach_the_log(
    studio: Studio, sit: Sit, brand: str, size: tuple[int, int], ways: tuple[str, str, str]
) -> None:
    taster = sit(size)
    will_say(studio, "A1", "B1", "A2", "B2", "A3", "B3")
    taster.begin(brand)
    told = (r"You chose A\.", r"You chose B\.", r"You chose neither\.")
    for number, (way, said) in enumerate(zip(ways, told, strict=True), 1):
        taster.sees(f"A{number}", f"B{number}")
        if way.startswith("#"):
            taster.page.locator(way).click()
        else:
            taster.page.keyboard.press(way)
        names = "(version 1|the untuned model)"
        expect(taster.status).to_contain_text(re.compile(f"{said} A was {names}, B {names}\\."))
        expect(taster.page.locator("#taste-results")).to_contain_text(
            f"Votes: {number} · people: 1"
        )
    expect(taster.page.locator("#taste-stage")).to_contain_text("You have judged every message")
    expect(taster.page.locator("#taste-votes")).to_have_count(0)
    kept = votes(studio, brand)
    assert [(vote["choice"], vote["left_text"], vote["right_text"]) for vote in kept] == [
        ("left", "A1", "B1"), ("right", "A2", "B2"), ("neither", "A3", "B3"),
    ]  # fmt: skip
    assert {vote["prompt"] for vote in kept} == {
        "Do you deliver?", "Is it vegan?", "When do you close?",
    }  # fmt: skip
    (voter,) = {vote["voter"] for vote in kept}
    assert re.fullmatch("anonymous-[0-9a-f]{32}", voter)
    assert taster.errors == [] and taster.outside == []


def test_whose_they_are_reaches_the_browser_with_the_vote(
    studio: Studio, sit: Sit, brand: str
) -> None:
    taster = sit()
    taster.brand(brand)
    taster.page.evaluate("window.heard = []")
    will_say(studio, "One answer", "Another answer")
    taster.page.locator("#taste-start").click()
    taster.sees("One answer", "Another answer")
    heard = taster.page.evaluate("window.heard.join('')")
    assert "One answer" in heard and "Another answer" in heard
    tells = re.compile(r"version|untuned|base\b|\b(?<!\.)000\d\b", re.IGNORECASE)
    assert tells.findall(heard) == []
    shown = taster.page.locator("#table").inner_html()
    assert tells.findall(shown.replace("Change versions", "")) == []
    taster.page.locator("#taste-a").click()
    expect(taster.status).to_contain_text("You chose A. A was")
    assert "the untuned model" in taster.page.evaluate("window.heard.join('')")


def test_spanish(studio: Studio, sit: Sit, brand: str) -> None:
    taster = sit(locale="es-ES")
    expect(taster.page.locator("#header h1")).to_have_text("Bruma")  # the Spanish brand
    expect(taster.page.locator("#taste-setup")).to_contain_text(
        "Bruma aún no tiene ninguna versión que catar. Entrena la primera con:"
    )
    expect(taster.page.locator("#taste-setup code")).to_have_text("brandbot train bruma")
    expect(taster.page.locator("#taste-start")).to_have_count(0)
    taster.brand(brand)
    expect(taster.page.locator("#taste-start")).to_have_text("Empezar la cata")
    expect(taster.page.get_by_label("Comparar")).to_have_value("Versión 1 · en servicio")
    expect(taster.page.get_by_label("con", exact=True)).to_have_value("Modelo sin entrenar")
    taster.page.locator("#taste-start").click()
    buttons = taster.page.locator("#taste-votes button")
    expect(buttons).to_have_text(["A es mejor", "Las dos son malas", "B es mejor"])
    taster.sees("Piece one, piece two.", "Piece one, piece two.")
    taster.page.keyboard.press("0")
    expect(taster.status).to_contain_text("No elegiste ninguna. A era")
    expect(taster.page.locator("#taste-results")).to_contain_text("Votos: 1 · personas: 1")
    assert len(votes(studio, brand)) == 1


def test_the_name_is_remembered(studio: Studio, sit: Sit, brand: str) -> None:
    taster = sit()
    taster.begin(brand, "Ana")
    taster.sees("Piece one, piece two.", "Piece one, piece two.")
    taster.page.keyboard.press("1")
    expect(taster.status).to_contain_text("You chose A.")
    taster.page.reload()
    expect(taster.page.locator("#taste-name input")).to_have_value("Ana")
    taster.brand(brand)
    taster.page.locator("#taste-name input").press("Enter")
    taster.sees("Piece one, piece two.", "Piece one, piece two.")
    taster.page.keyboard.press("2")
    expect(taster.status).to_contain_text("You chose B.")
    first, second = votes(studio, brand)
    assert first["voter"] == second["voter"] == "Ana" and first["prompt"] != second["prompt"]


def test_while_two_are_written_the_judged_ones_stay_and_nothing_is_voted(
    studio: Studio, sit: Sit, brand: str
) -> None:
    taster = sit()
    will_say(studio, "A1", "B1")
    studio.engine.will_say("A2", WAIT)
    taster.begin(brand)
    taster.sees("A1", "B1")
    taster.page.locator("#taste-b").click()
    expect(taster.page.locator(".tasting")).to_have_attribute("aria-busy", "true")
    expect(taster.status).to_contain_text("Two answers are being written…")
    expect(taster.page.locator(".answer.won h3")).to_have_text(
        re.compile("^B(Version 1|Untuned model)$")
    )
    taster.page.locator("#taste-a").click()
    for key in ("1", "2", "0"):
        taster.page.keyboard.press(key)
    studio.engine.go()
    taster.sees("A2", "Piece one, piece two.")
    expect(taster.page.locator(".answer.won")).to_have_count(0)
    expect(taster.page.locator("#taste-change")).to_have_text("Change versions")
    expect(taster.page.locator("#taste-results")).to_contain_text("Votes: 1")
    assert [vote["choice"] for vote in votes(studio, brand)] == ["right"]


def test_other_versions_can_be_chosen_while_two_are_written(
    studio: Studio, sit: Sit, brand: str
) -> None:
    taster = sit()
    studio.engine.will_say("Too late", WAIT)
    taster.begin(brand)
    expect(taster.page.locator(".tasting")).to_have_attribute("aria-busy", "true")
    taster.page.locator("#taste-change").click()
    expect(taster.page.locator("#taste-start")).to_be_visible()
    expect(taster.page.locator("#taste-stage")).to_have_count(0)
    will_say(studio, "Anew", "And new")
    taster.page.locator("#taste-start").click()
    taster.sees("Anew", "And new")
    studio.engine.go()
    taster.page.keyboard.press("1")
    expect(taster.status).to_contain_text("You chose A.")
    assert [vote["left_text"] for vote in votes(studio, brand)] == ["Anew"]


def test_an_error_is_a_message_and_one_can_go_on(studio: Studio, sit: Sit, brand: str) -> None:
    taster = sit()
    studio.engine.will_say(EngineError("No <b>breath</b>."))
    taster.begin(brand)
    notice = taster.page.locator("#taste-notice")
    expect(notice).to_have_text("That didn't work: No <b>breath</b>.")
    taster.page.locator("#taste-start").click()
    taster.sees("Piece one, piece two.", "Piece one, piece two.")
    expect(notice).to_have_count(0)
    taster.page.locator("#taste-change").click()
    taster.brand("broken")
    expect(notice).to_contain_text("persona.yaml:1")
    expect(taster.page.locator("#taste-start")).to_have_count(0)


@pytest.mark.parametrize(
    "attack",
    [
        "<img src=x onerror='window.owned = 1'><script>window.owned = 2</script>",
        "${window.owned = 3} {{#each value}}x{{/each}} @children",
        "![x](http://192.0.2.1/x.png) [y](javascript:window.owned=4) **bold**",
    ],
)
def test_answers_are_text(studio: Studio, sit: Sit, brand: str, attack: str) -> None:
    taster = sit()
    persona = studio.bot.workspace.persona(brand.lower())
    (persona / "evals").mkdir()
    (persona / "evals" / "q.jsonl").write_text(json.dumps({"prompt": attack}))
    for _ in range(8):
        studio.engine.will_say(attack)
    taster.begin(brand)
    for _ in range(4):
        taster.sees(attack, attack)
        if attack in taster.page.locator(".asked").inner_text():
            break
        asked = taster.page.locator(".asked").inner_text()
        taster.page.keyboard.press("1")
        expect(taster.page.locator(".asked")).not_to_have_text(asked)
    expect(taster.page.locator(".asked")).to_have_text(f"Message: {attack}")
    assert taster.page.evaluate("window.owned") is None
    assert taster.page.locator("#table :is(img, script, a, b)").count() == 0
    assert taster.outside == [] and taster.errors == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_long_answers_keep_the_buttons_at_hand(
    studio: Studio, sit: Sit, brand: str, size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    taster = sit(size, color_scheme=scheme)
    will_say(studio, "x" * 300 + " word" * 300, "y" * 500 + "\n" * 20 + "end")
    taster.begin(brand)
    expect(taster.answers.last).to_contain_text("end")
    expect(taster.page.locator(".tasting")).to_have_attribute("aria-busy", "false")
    scroll = taster.page.evaluate("document.documentElement.scrollWidth")
    assert scroll == width
    boxes = []
    for part in (".answer >> nth=0", ".answer >> nth=1", "#taste-a", "#taste-neither", "#taste-b"):
        box = taster.page.locator(part).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
        boxes.append(box)
    first, second, *buttons = boxes
    assert all(box["y"] + box["height"] <= height and box["height"] >= 44 for box in buttons)
    if size == PHONE:
        assert second["y"] >= first["y"] + first["height"]
    else:
        assert second["y"] == first["y"] and second["x"] >= first["x"] + first["width"]
    # While there is more to read, the arrow reads on.
    taster.page.keyboard.press("ArrowDown")
    taster.page.keyboard.press("ArrowUp")
    assert votes(studio, brand) == []
    taster.page.keyboard.press("End")
    foot = taster.page.locator("#taste-foot").bounding_box()
    assert foot is not None
    taster.page.wait_for_function(
        "(top) => document.querySelector('.answers').getBoundingClientRect().bottom <= top",
        arg=foot["y"],
    )
    taster.page.keyboard.press("0")
    expect(taster.status).to_contain_text("You chose neither.")


def test_every_control_has_a_name_and_a_new_pair_is_announced(
    studio: Studio, sit: Sit, brand: str
) -> None:
    taster = sit()
    taster.brand(brand)
    assert nameless(taster.page) == []
    taster.page.locator("#taste-start").press("Enter")
    expect(taster.page.get_by_role("status").filter(has_text="A new pair is here.")).to_have_count(
        1
    )
    expect(taster.page.get_by_role("region", name="Answer A")).to_be_visible()
    expect(taster.page.get_by_role("region", name="Answer B")).to_be_visible()
    expect(taster.page.locator("#taste-stage")).to_be_focused()
    reached = []
    for _ in range(3):
        taster.page.keyboard.press("Tab")
        reached.append(taster.page.evaluate("document.activeElement.id"))
    assert reached == ["taste-a", "taste-neither", "taste-b"]
    taster.page.keyboard.press("Enter")
    expect(taster.status).to_contain_text("You chose B.")
    expect(taster.page.locator("#taste-b")).to_be_focused()
    assert nameless(taster.page) == []


def test_the_chat_leads_there_and_back_with_its_brand(studio: Studio, sit: Sit, brand: str) -> None:
    page = sit().page
    page.get_by_role("link", name="Chat").click()
    expect(page.locator("#box textarea")).to_be_focused()
    page.locator(f"#brand label:has-text('{brand}')").click()
    expect(page.locator("#header h1")).to_have_text(brand)
    page.get_by_role("link", name="Blind taste test").click()
    expect(page.locator("#taste-start")).to_be_visible()
    expect(page.locator("#header h1")).to_have_text(brand)
    expect(page.locator("#header .status")).to_have_text("Blind taste test")


def test_an_empty_message_empties_no_chat(studio: Studio, sit: Sit, brand: str) -> None:
    """Gradio once emptied the whole page: the stream of an empty message holds no update."""
    page = sit().page
    page.get_by_role("link", name="Chat").click()
    expect(page.locator("#brand input:checked")).to_have_count(1)
    expect(page.locator("#header h1")).to_have_text("Acme Tools")
    page.evaluate("window.heard = []")
    page.locator("#box textarea").press("Enter")
    page.wait_for_function("window.heard.join('').includes('process_completed')")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("#send")).to_have_text("Send")
    expect(page.locator("#header h1")).to_have_text("Acme Tools")
    expect(page.get_by_test_id("bot")).to_have_text(["Hi, Acme here."])
