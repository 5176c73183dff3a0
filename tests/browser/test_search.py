"""Documents in the studio as people meet them: a reply's sources, what it made up, the search.

A real server, a real browser, a real index; the engine alone is scripted.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser import conftest
from tests.browser.conftest import GRADIO_WARNS, Studio, nameless
from tests.browser.scripted import make_documents, make_persona
from tests.chromium import DESKTOP, PHONE, Window

pytestmark = GRADIO_WARNS

SCRIPT = "<img src=x onerror='window.owned=1'><script>window.owned=2</script> ${window.owned=3}"
TEMPLATE = "{{#each value}}x{{/each}} ![x](http://192.0.2.1/x.png) <mark>bold</mark>"
MENU = """# Menu

## Drinks

- Latte: £3.60
- Mocha: £4.20

## Opening hours

We are open from 9 am to 5 pm.
"""
# In two rows: what is all markup is not taken for an answer.
FAQ = f"""question,answer
Where is the parrot?,"It sits at counter 47 {SCRIPT}"
Where is the owl?,"It sits at counter 48 {TEMPLATE}"
"""

Enter = Callable[..., "Guest"]


class Guest(conftest.Guest):
    """Somebody on one of the studio's pages."""

    def __init__(self, context: BrowserContext, studio: Studio, page: str) -> None:
        super().__init__(context)
        self.page.goto(f"{studio.url}{page}")
        expect(self.page.locator("#brand input:checked")).to_have_count(1)

    def ask(self, question: str) -> None:
        """Types a question, on either page."""
        box = self.page.locator("#box :is(input, textarea)")
        box.fill(question)
        box.press("Enter")

    def hears(self, text: str) -> None:
        """The last reply is there, whole, and the next message can be sent."""
        expect(self.replies.last).to_have_text(text)
        expect(self.page.locator("#send")).to_be_visible()

    @property
    def replies(self) -> Locator:
        return self.page.locator("#chat .message.bot:not(.component)")

    @property
    def sources(self) -> Locator:
        return self.page.locator("#chat details.sources")

    def buttons(self, label: str) -> Locator:
        """The chat's small buttons with a label, those that can be seen."""
        return self.page.locator(f"#chat [aria-label='{label}']").filter(visible=True)

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status").filter(has=self.page.locator("p"))


@pytest.fixture(scope="module")
def cafe(served: Studio) -> Iterator[str]:
    """A brand of documents and an index of them: its name."""
    workspace = served.bot.workspace
    knowledge = {"embedder": "use-multilingual", "quote_first": False}
    make_persona(workspace.root, "cafe", workspace.root / "base", name="Café", knowledge=knowledge)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRANDBOT_HOME", str(workspace.root / "home"))
        make_documents(workspace, "cafe", {"menu.md": MENU, "faq.csv": FAQ})
    yield "Café"
    shutil.rmtree(workspace.persona("cafe"))


@pytest.fixture
def enter(studio: Studio, cafe: str, window: Window) -> Enter:
    def go(page: str = "", *size_and_locale: Any, **more: Any) -> Guest:
        guest = Guest(window(*size_and_locale, **more), studio, page)
        guest.brand(cafe)
        return guest

    return go


def talk(studio: Studio, guest: Guest) -> None:
    """Two replies, each with a source."""
    said = (
        ("How much is a latte?", "A latte is £3.60."),
        ("And a mocha?", "A mocha is £4.20."),
    )
    for question, reply in said:
        studio.engine.will_say(reply)
        guest.ask(question)
        guest.hears(reply)


# Under a reply


def test_a_replys_sources_open_and_survive_a_reload(studio: Studio, enter: Enter) -> None:
    guest = enter()
    talk(studio, guest)
    for _ in range(2):
        expect(guest.replies).to_have_count(3)
        expect(guest.sources).to_have_count(2)
        summary = guest.sources.first.locator("summary")
        expect(summary).to_have_text("Sources: 1 menu.md, Drinks")
        quote = guest.sources.first.locator("blockquote")
        expect(quote).to_be_hidden()
        summary.click()
        expect(quote).to_have_text("Latte: £3.60")
        expect(guest.sources.first.locator("li")).to_contain_text("menu.md › Drinks")
        summary.press("Enter")
        expect(quote).to_be_hidden()
        expect(guest.sources.last.locator("blockquote")).to_have_text("Mocha: £4.20")
        guest.page.reload()
    assert guest.errors == [] and guest.outside == []


def test_sources_leave_the_replys_buttons_alone(studio: Studio, enter: Enter) -> None:
    guest = enter(permissions=["clipboard-read", "clipboard-write"])
    talk(studio, guest)
    # None for the greeting, one for each reply, none for the sources.
    expect(guest.buttons("Like")).to_have_count(2)
    expect(guest.buttons("Dislike")).to_have_count(2)
    expect(guest.buttons("Retry")).to_have_count(1)
    guest.buttons("Copy message").last.click()
    copied = guest.page.evaluate("navigator.clipboard.readText()")
    assert copied == "A mocha is £4.20."
    guest.buttons("Like").last.click()
    expect(guest.buttons("Liked")).to_have_count(1)
    guest.page.reload()
    expect(guest.buttons("Liked")).to_have_count(1)
    below = guest.page.locator("#chat .message-row:has-text('A mocha is') + .message-buttons")
    expect(below.locator("[aria-label='Liked']")).to_be_visible()
    (_, first, _, second) = history(studio)
    assert (first.verdict, second.verdict) == (None, "like")
    guest.buttons("Dislike").first.click()
    expect(guest.page.locator("#dislike")).to_be_visible()
    guest.page.locator("#dislike-skip").click()
    assert [turn.verdict for turn in history(studio)] == [None, "dislike", None, "like"]


def test_retry_and_edit_with_sources(studio: Studio, enter: Enter) -> None:
    guest = enter()
    talk(studio, guest)
    studio.engine.will_say("No idea.")
    guest.buttons("Retry").click()
    guest.hears("No idea.")
    expect(guest.sources).to_have_count(1)
    studio.engine.will_say("We open at 9 am and close at 5 pm.")
    guest.buttons("Edit").first.click()
    guest.page.locator("#chat textarea").fill("When are you open?")
    guest.page.locator("#chat [aria-label='Submit']").click()
    guest.hears("We open at 9 am and close at 5 pm.")
    expect(guest.sources).to_have_count(1)
    expect(guest.sources.locator("summary")).to_have_text("Sources: 1 menu.md, Opening hours")
    assert [turn.content for turn in history(studio)] == [
        "When are you open?",
        "We open at 9 am and close at 5 pm.",
    ]


def history(studio: Studio) -> Any:
    """The turns of the brand's newest conversation."""
    import sqlite3
    from contextlib import closing

    query = "select id from conversations where persona = 'cafe' order by created, rowid"
    with closing(sqlite3.connect(studio.bot.workspace.home / "brandbot.db")) as connection:
        *_, (newest,) = connection.execute(query)
    return studio.bot.history(newest)


def test_sources_stay_open_while_the_next_reply_is_written(studio: Studio, enter: Enter) -> None:
    guest = enter()
    studio.engine.will_say("A latte is £3.60.")
    guest.ask("How much is a latte?")
    guest.hears("A latte is £3.60.")
    guest.sources.locator("summary").click()
    studio.engine.will_say("You're ", "welcome.")
    guest.ask("Thank you so much")
    guest.hears("You're welcome.")
    expect(guest.sources.first.locator("blockquote")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "notice"),
    [
        ("en-US", "Not in the documents: 4.10. Check before you rely on it."),
        ("es-ES", "No está en los documentos: 4.10. Compruébalo antes de fiarte."),
    ],
)
def test_what_a_reply_made_up_is_told(
    studio: Studio, enter: Enter, locale: str, notice: str
) -> None:
    guest = enter(locale=locale)
    studio.engine.will_say("A latte is £4.10.")
    guest.ask("How much is a latte?")
    guest.hears("A latte is £4.10.")
    expect(guest.page.locator("#notice")).to_have_text(notice)
    studio.engine.will_say("A latte is £3.60.")
    guest.ask("Are you sure about the latte?")
    guest.hears("A latte is £3.60.")
    expect(guest.page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("animal", "row", "says"),
    [("parrot", 2, f"It sits at counter 47 {SCRIPT}"), ("owl", 3, f"at counter 48 {TEMPLATE}")],
)
def test_a_documents_words_are_text_in_the_chat(
    studio: Studio, enter: Enter, animal: str, row: int, says: str
) -> None:
    guest = enter()
    said = f"The {animal} sits at counter {45 + row}."
    studio.engine.will_say(said)
    guest.ask(f"Where is the {animal}?")
    guest.hears(said)
    guest.sources.locator("summary").click()
    expect(guest.sources.locator("blockquote").first).to_contain_text(says)
    expect(guest.sources.locator("li").first).to_contain_text(
        f"faq.csv › Where is the {animal}? · row {row}"
    )
    assert guest.page.evaluate("window.owned") is None
    assert guest.sources.locator(":is(img, script, a)").count() == 0
    assert guest.outside == [] and guest.errors == []


# The search


def test_the_chat_leads_to_the_search_and_keeps_its_brand(studio: Studio, enter: Enter) -> None:
    guest = enter()
    guest.page.get_by_role("link", name="Search").click()
    expect(guest.page.locator("#search-status")).to_be_attached()
    expect(guest.page.locator("#header h1")).to_have_text("Café")
    expect(guest.page.locator("#header .status")).to_have_text("Search")
    expect(guest.page.locator("#box input")).to_be_focused()
    guest.page.keyboard.type("How much is a latte?")
    guest.page.keyboard.press("Enter")
    found = guest.page.locator("#search-results")
    expect(found.locator(".given li").first).to_contain_text("Drinks: Latte: £3.60")
    first = found.locator(".passages > ol > li").first
    expect(first.locator("h3")).to_have_text(re.compile("menu.md › Menu › Drinks"))
    expect(first.locator("mark").first).to_have_text("Latte")
    expect(first.locator(".score")).to_contain_text(
        re.compile(r"Score [01]\.\d\d\s*meaning -?[01]\.\d\d\s*words [01]\.\d\d")
    )
    expect(first.locator(".in-prompt").first).to_contain_text("Latte: £3.60")
    expect(guest.status).to_contain_text(re.compile(r"Facts for the bot: \d · passages found: \d"))
    assert studio.engine.calls == []
    guest.page.get_by_role("link", name="Chat").click()
    expect(guest.page.locator("#header h1")).to_have_text("Café")
    assert guest.errors == [] and guest.outside == []


def test_another_brand_is_searched_for_the_same_question(studio: Studio, enter: Enter) -> None:
    guest = enter("search")
    guest.ask("How much is a latte?")
    expect(guest.page.locator(".given")).to_be_visible()
    guest.brand("Acme Tools")
    results = guest.page.locator("#search-results")
    expect(results).to_contain_text(
        "Acme Tools has no documents yet. Put them into personas/acme/knowledge, then run:"
    )
    expect(results.locator("code")).to_have_text("brandbot index acme")
    expect(guest.page.locator("#send")).to_be_disabled()
    guest.brand("Café")
    expect(guest.page.locator("#box input")).to_have_value("How much is a latte?")
    expect(guest.page.locator(".given li").first).to_contain_text("Drinks: Latte: £3.60")
    guest.page.locator("#brand label:has-text('broken')").click()
    expect(guest.page.locator("#notice")).to_contain_text("persona.yaml:1")
    expect(guest.page.locator(".given")).to_have_count(0)


def test_nothing_good_enough_is_said(studio: Studio, enter: Enter) -> None:
    guest = enter("search")
    guest.page.locator("#box input").fill("What does the zeppelin cost?")
    guest.page.locator("#send").click()
    expect(guest.status).to_contain_text("Nothing answers this: the bot says that it doesn't know.")
    expect(guest.page.locator(".passages h2")).to_have_text("The closest passages")
    expect(guest.page.locator(".given")).to_have_count(0)


def test_the_search_in_spanish(studio: Studio, enter: Enter) -> None:
    guest = enter("search", locale="es-ES")
    expect(guest.page.locator("#send")).to_have_text("Buscar")
    expect(guest.page.locator("#header .status")).to_have_text("Buscar")
    guest.ask("latte")
    expect(guest.page.locator(".given h2")).to_have_text("El bot recibe")
    expect(guest.page.locator(".score").first).to_contain_text(re.compile(r"Puntuación \d,\d\d"))
    guest.brand("Bruma")
    expect(guest.page.locator("#search-results")).to_contain_text(
        "Bruma aún no tiene documentos. Ponlos en personas/bruma/knowledge y ejecuta:"
    )


def test_a_documents_words_are_text_in_the_search(studio: Studio, enter: Enter) -> None:
    guest = enter("search")
    for animal, row, says in (("parrot", 2, SCRIPT), ("owl", 3, TEMPLATE)):
        guest.ask(f"Where is the {animal}?")
        first = guest.page.locator(".passages > ol > li").first
        expect(first).to_contain_text(f"row {row}")
        assert says in first.inner_text()
    guest.ask(f"{SCRIPT} {TEMPLATE}")
    expect(guest.status).to_be_visible()
    assert guest.page.evaluate("window.owned") is None
    assert guest.page.locator("#talk :is(img, script, a)").count() == 0
    assert guest.outside == [] and guest.errors == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_and_all_can_be_reached(
    studio: Studio, enter: Enter, size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    guest = enter("search", size, color_scheme=scheme)
    guest.ask("How much is a latte?")
    results = guest.page.locator("#search-results")
    expect(results.locator(".passages")).to_be_visible()
    assert guest.page.evaluate("document.documentElement.scrollWidth") == width
    assert results.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    for part in ("#box", "#send", "#fold", ".given", ".score >> nth=0"):
        box = guest.page.locator(part).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    last = results.locator(".passages > ol > li").last
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert box is not None and box["y"] + box["height"] < height + 1  # of a pixel, parts
    if size == PHONE:
        expect(guest.page.locator("#side")).to_be_hidden()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_long_source_keeps_to_the_window(
    studio: Studio, enter: Enter, size: tuple[int, int]
) -> None:
    guest = enter("", size)
    studio.engine.will_say("The parrot sits at counter 47.")
    guest.ask("Where is the parrot?")
    guest.hears("The parrot sits at counter 47.")
    guest.sources.locator("summary").click()
    expect(guest.sources.locator("blockquote").first).to_be_visible()
    assert guest.page.evaluate("document.documentElement.scrollWidth") == size[0]
    box = guest.sources.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= size[0]


def test_every_control_of_the_search_has_a_name(studio: Studio, enter: Enter) -> None:
    guest = enter("search")
    guest.ask("How much is a latte?")
    expect(guest.page.locator(".given")).to_be_visible()
    assert nameless(guest.page) == []
    expect(guest.page.get_by_label("Question")).to_be_visible()


def test_the_search_can_be_used_from_the_keyboard(studio: Studio, enter: Enter) -> None:
    guest = enter("search", (1280, 420))
    guest.page.locator("#box input").focus()
    guest.page.keyboard.type("How much is a latte?")
    guest.page.keyboard.press("Enter")
    results = guest.page.get_by_role("region", name="Facts for the bot:")
    expect(results.locator(".passages")).to_be_attached()
    guest.page.keyboard.press("Tab")
    expect(guest.page.locator("#send")).to_be_focused()
    guest.page.keyboard.press("Tab")
    expect(results).to_be_focused()
    guest.page.keyboard.press("End")
    expect(results.locator(".passages > ol > li").last).to_be_in_viewport(ratio=0.9)
