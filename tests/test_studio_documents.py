"""The studio with documents, without a browser: a reply's sources, its remarks, and the search."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brandbot import Bot, Found, KnowledgeError, Persona, Turn, Workspace
from connectors.studio.chat import LONGEST_MESSAGE, Chat
from connectors.studio.memory import Memory
from connectors.studio.page import REVIEW, SEARCH, TASTE, links
from connectors.studio.screen import MOST_UNKNOWN, Screen, transcript
from connectors.studio.search import View, missing, search
from connectors.studio.search_screen import marked, number, results, status
from connectors.studio.sources import listed, path, position
from connectors.studio.texts import say
from tests.browser.scripted import (
    ScriptedEngine,
    make_documents,
    make_persona,
    make_workspace,
    opening,
)

MENU = """# Menu

## Drinks

- Latte: £3.60
- Mocha: £4.20

## Opening hours

We are open from 9 am to 5 pm.
"""
FAQ = "question,answer\nDo you deliver?,We deliver to Whitby <blink>only</blink> & never on Mondays.\n"
QUOTED = {"number": 1, "file": "menu.md", "heading": "Drinks", "quote": "Latte: £3.60"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``cafe`` has documents and an index, ``acme`` no document, ``bruma`` none of them indexed."""
    root = tmp_path_factory.mktemp("documents")
    workspace = make_workspace(root)
    knowledge = {"embedder": "use-multilingual", "quote_first": False}
    make_persona(root, "cafe", root / "base", name="Café <Sol>", knowledge=knowledge)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRANDBOT_HOME", str(root / "home"))
        make_documents(workspace, "cafe", {"menu.md": MENU, "faq.csv": FAQ})
    (root / "personas" / "bruma" / "knowledge").mkdir()
    (root / "personas" / "bruma" / "knowledge" / "carta.md").write_text("# Carta\n\nTé: 2 €\n")
    return root


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    scripted = ScriptedEngine()
    monkeypatch.setattr("brandbot.engines.pool.open_engine", opening(scripted))
    return scripted


@pytest.fixture
def bot(root: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    monkeypatch.setenv("BRANDBOT_HOME", str(root / "home"))
    made = Bot(Workspace(root))
    yield made
    made.close()


@pytest.fixture
def chat(bot: Bot) -> Chat:
    return Chat(bot)


def words(markup: str) -> str:
    """What can be read of a piece of HTML."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", markup).split()))


def last(screens: Iterator[Any]) -> Any:
    return list(screens)[-1]


# A reply's sources


def test_sources_are_one_line_that_opens_to_the_quotes() -> None:
    row = {"number": 2, "file": "faq.csv", "heading": "Do you deliver?", "quote": "Yes.", "row": 4}
    page = {"number": 3, "file": "guide.pdf", "heading": "guide.pdf", "quote": "Ask.", "page": 7}
    same = {**QUOTED, "number": 4, "quote": "Mocha: £4.20"}
    made = listed([QUOTED, row, page, same], "en")
    assert made.startswith('<details class="sources"><summary>')
    line, rest = made.split("</summary>")
    assert words(line) == (
        "Sources: 1 , 4 menu.md, Drinks · 2 faq.csv, Do you deliver? · 3 guide.pdf"
    )
    assert [words(item) for item in re.findall("<li.*?</li>", rest)] == [
        "menu.md › Drinks Latte: £3.60",
        "faq.csv › Do you deliver? · row 4 Yes.",
        "guide.pdf · page 7 Ask.",
        "menu.md › Drinks Mocha: £4.20",
    ]
    assert re.findall(r'<li value="(\d)"', rest) == ["1", "2", "3", "4"]
    spanish = words(listed([row, page], "es"))
    assert spanish.startswith("Fuentes: 2 faq.csv") and "fila 4" in spanish
    assert "página 7" in spanish


def test_a_documents_words_are_no_markup() -> None:
    attack = "<img src=x onerror='x()'> &lt;b&gt; \"q\""
    source = {"number": 1, "file": attack, "heading": attack + "!", "quote": attack}
    made = listed([source], "en")
    assert "<img" not in made
    tags = set(re.findall(r"</?([a-z]+)", made))
    assert tags == {"details", "summary", "b", "ol", "li", "div", "blockquote"}
    assert words(made).count(attack) == 5


def test_where_something_stands() -> None:
    assert path("menu.md", "Menu", "Drinks") == "menu.md › Menu › Drinks"
    assert path("menu.md") == "menu.md"
    assert position(2, 7, "en") == "page 2 · row 7"
    assert position(None, 7, "es") == "fila 7"
    assert position(None, None, "en") == ""


def test_sources_are_a_part_of_their_message_and_move_no_turn(root: Path) -> None:
    persona = Persona.load(root / "personas" / "acme")
    history = [
        Turn(11, "user", "A latte?"),
        Turn(12, "assistant", "£3.60.", verdict="like", sources=(QUOTED,)),
        Turn(13, "user", "Thanks"),
        Turn(14, "assistant", "Any time.", verdict="dislike"),
    ]
    messages, turns, feedback = transcript(persona, history, "en")
    assert turns == [None, 11, 12, 13, 14] and len(messages) == 5
    text, block = messages[2]["content"]
    assert text == {"type": "text", "text": "£3.60."}
    assert block["component"] == "html" and block["value"] == listed([QUOTED], "en")
    assert [len(message["content"]) for message in messages] == [1, 1, 2, 1, 1]
    # One for each bubble on the bot's side: greeting, reply, its sources, reply.
    assert feedback == [None, "Like", None, "Dislike"]


def test_the_log_brings_the_sources_back(chat: Chat, engine: ScriptedEngine) -> None:
    engine.will_say("A latte is £3.60.")
    screen = last(chat.send("tab", Memory("cafe"), "How much is a latte?", None, "en"))
    assert screen.notice == ""
    for shown in (screen, chat.show(screen.memory, "en")):  # at once, and after a reload
        (block,) = shown.messages[2]["content"][1:]
        assert words(block["value"]) == ("Sources: 1 menu.md, Drinks menu.md › Drinks Latte: £3.60")
    (again,) = chat.show(screen.memory, "es").messages[2]["content"][1:]
    assert words(again["value"]).startswith("Fuentes: 1 menu.md")
    engine.will_say("Morning!")
    screen = last(chat.retry("tab", screen.memory, None, "en"))
    assert len(screen.messages[2]["content"]) == 1 and screen.feedback == [None, None]
    assert chat.judge(screen.memory, screen.turns[2], "like")
    assert chat.show(screen.memory, "en").feedback == [None, "Like"]


@pytest.mark.parametrize(
    ("language", "notice"),
    [
        ("en", "Not in the documents: 9.99, Brigadoon. Check before you rely on it."),
        ("es", "No está en los documentos: 9.99, Brigadoon. Compruébalo antes de fiarte."),
    ],
)
def test_what_stands_nowhere_is_told(
    chat: Chat, engine: ScriptedEngine, language: str, notice: str
) -> None:
    engine.will_say("A latte is £9.99, and Brigadoon says £9.99 too.")
    screen = last(chat.send("tab", Memory("cafe"), "How much is a latte?", None, language))
    assert screen.notice == notice
    assert chat.show(screen.memory, language).notice == ""


def test_a_reply_full_of_inventions_gets_a_short_notice(chat: Chat, engine: ScriptedEngine) -> None:
    engine.will_say(" ".join(f"£{n}.77" for n in range(30, 50)))
    screen = last(chat.send("tab", Memory("cafe"), "How much is a latte?", None, "en"))
    assert screen.notice.count(".77") == MOST_UNKNOWN == 8
    assert "37.77, …. Check" in screen.notice


# The search


def looked(chat: Chat, brand: str, question: str, language: str = "en") -> View:
    return list(search(chat.bot, chat.show(Memory(brand), language), question, language))[-1]


def test_a_question_finds_facts_and_says_why(chat: Chat) -> None:
    screen = chat.show(Memory("cafe"), "en")
    busy, view = search(chat.bot, screen, " How much is a latte? ", "en")
    assert busy.busy and words(status(busy, "en")) == "Searching…" and results(busy, "en") == ""
    assert view.found is not None and view.found.query == "How much is a latte?"
    best = view.found.hits[0]
    assert (best.passage.file, best.passage.heading) == ("menu.md", "Drinks")
    shown = results(view, "en")
    given, passages = shown.split('<section class="passages">')
    assert words(given).startswith("The bot is given Drinks: Latte: £3.60")
    assert [words(item) for item in re.findall("<li>(.*?)</li>", given)] == [
        f"{fact.line} (answers: {fact.score:.0%})" for fact in view.found.facts
    ]
    assert words(passages).startswith(
        f"Passages found menu.md › Menu › Drinks answers: {best.answers:.0%} · Score {best.score:.2f} "
        f"meaning {best.meaning:.2f} words {best.words:.2f} Latte : £3.60 (given to the bot)"
    )
    assert "<mark>Latte</mark>: £3.60" in passages
    assert f'<i style="width:{best.meaning:.0%}">' in passages
    assert passages.count('<li class="in-prompt">') == len(view.found.facts)
    assert words(status(view, "en")) == (
        f"Facts for the bot: {len(view.found.facts)} · passages found: {len(view.found.hits)}"
    )
    spanish = words(results(view, "es"))
    assert f"Puntuación {best.score:.2f}".replace(".", ",") in spanish
    assert spanish.startswith("El bot recibe")


def test_a_search_is_not_logged(chat: Chat, engine: ScriptedEngine) -> None:
    before = chat.bot.log.count()
    looked(chat, "cafe", "How much is a latte?")
    assert chat.bot.log.count() == before and engine.calls == []


def test_a_row_is_named_and_its_words_are_no_markup(chat: Chat) -> None:
    view = looked(chat, "cafe", "Do you deliver to Whitby?")
    shown = results(view, "en")
    assert "faq.csv › <mark>Do" not in shown  # a function word is not looked for
    assert "row 2" in words(shown)
    assert "<blink>only</blink>" not in shown
    assert "&lt;blink&gt;only&lt;/blink&gt; &amp; never on Mondays." in shown
    assert "We <mark>deliver</mark> to <mark>Whitby</mark> &lt;blink&gt;" in shown


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What does the zeppelin cost?", "search_beyond"),
        ("Zxqv wubba.", "search_poor"),
    ],
)
def test_nothing_good_enough_is_said_plainly(chat: Chat, question: str, line: str) -> None:
    view = looked(chat, "cafe", question)
    assert view.found is not None and view.found.hits and not view.found.facts
    assert words(status(view, "en")).startswith(say("en", line))
    assert "Likeliest, with a chance of" in status(view, "en")
    shown = words(results(view, "en"))
    assert shown.startswith("The closest passages") and "given" not in shown


def test_nothing_at_all_is_said_plainly(chat: Chat) -> None:
    view = View(chat.show(Memory("cafe"), "en"), found=Found("x"))
    assert words(status(view, "en")) == say("en", "search_nothing")
    assert results(view, "en") == ""


def test_the_replys_first_words_are_told_if_it_quotes(chat: Chat) -> None:
    view = looked(chat, "cafe", "How much is a latte?")
    assert view.found is not None and view.found.quote.startswith("Latte: £3.60")
    assert "Its reply says" not in words(results(view, "en"))
    assert view.screen.voice is not None
    config = view.screen.voice.persona.config
    quoting = config.model_copy(
        update={"knowledge": config.knowledge.model_copy(update={"quote_first": True})}
    )
    persona = replace(view.screen.voice.persona, config=quoting)
    voice = replace(view.screen.voice, persona=persona)
    shown = words(results(replace(view, screen=replace(view.screen, voice=voice)), "en"))
    assert f"Its reply says: “{view.found.quote}”" in shown


@pytest.mark.parametrize(
    ("brand", "language", "expected"),
    [
        (
            "acme",
            "en",
            "Acme Tools has no documents yet. Put them into personas/acme/knowledge, then run: "
            "brandbot index acme",
        ),
        (
            "bruma",
            "es",
            "Los documentos de Bruma aún no están indexados. Ejecuta: brandbot index bruma",
        ),
    ],
)
def test_what_is_missing_is_said_with_the_command(
    chat: Chat, brand: str, language: str, expected: str
) -> None:
    view = looked(chat, brand, "Hello?", language)
    assert words(results(view, language)) == expected and status(view, language) == ""
    assert "<code>brandbot index" in results(view, language)


def test_a_hidden_file_is_no_document(chat: Chat, root: Path) -> None:
    folder = root / "personas" / "acme" / "knowledge"
    folder.mkdir()
    try:
        (folder / ".DS_Store").write_text("x")
        (folder / "~$menu.docx").write_text("x")
        assert missing(chat.bot, chat.show(Memory("acme"), "en")) == "documents"
        (folder / "sub").mkdir()
        (folder / "sub" / "menu.md").write_text("# Menu\n")
        assert missing(chat.bot, chat.show(Memory("acme"), "en")) == "index"
    finally:
        shutil.rmtree(folder)


def test_knowledge_that_is_switched_off_is_told(chat: Chat, root: Path) -> None:
    make_persona(root, "silent", root / "base", knowledge={"enabled": False})
    try:
        view = looked(chat, "silent", "Hello?")
        assert view.missing == "knowledge"
        assert words(results(view, "en")) == say("en", "search_off", name="Silent")
    finally:
        shutil.rmtree(root / "personas" / "silent")


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (KnowledgeError("No index is whole."), "That didn't work: No index is whole."),
        (ZeroDivisionError("secret detail"), say("en", "unexpected")),
    ],
)
def test_an_error_of_the_search_is_a_sentence(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, error: Exception, notice: str
) -> None:
    def search(self: Bot, persona: str, question: str) -> Found:
        raise error

    monkeypatch.setattr(Bot, "search", search)
    view = looked(chat, "cafe", "How much is a latte?")
    assert view.screen.notice == notice and view.found is None
    assert results(view, "en") == status(view, "en") == ""


def test_a_damaged_index_is_a_sentence(chat: Chat, bot: Bot) -> None:
    folder = bot.workspace.knowledge("cafe")
    (build,) = [place for place in folder.iterdir() if place.name.isdigit()]
    kept = (build / "passages.jsonl").read_bytes()
    (build / "passages.jsonl").write_bytes(kept[:-20])
    try:
        view = looked(chat, "cafe", "How much is a latte?")
        assert "brandbot index cafe" in view.screen.notice
    finally:
        (build / "passages.jsonl").write_bytes(kept)


def test_a_question_is_neither_empty_nor_endless(chat: Chat) -> None:
    assert looked(chat, "cafe", "  ").found is None
    view = looked(chat, "cafe", "x" * (LONGEST_MESSAGE + 1))
    assert str(LONGEST_MESSAGE) in view.screen.notice and view.found is None


def test_a_brand_that_cannot_be_read_is_not_searched(chat: Chat) -> None:
    view = looked(chat, "broken", "Hello?")
    assert "persona.yaml:1" in view.screen.problems and view.found is None
    assert looked(chat, "../cafe", "Hello?").screen.notice == say("en", "no_such_persona")
    assert missing(chat.bot, Screen(Memory())) is None


@pytest.mark.parametrize(
    ("text", "shared", "expected"),
    [
        ("Delivery costs £3", ("deliver", "cost"), "<mark>Delivery</mark> <mark>costs</mark> £3"),
        ("Later: a LATTE", ("latte",), "Later: a <mark>LATTE</mark>"),
        ("Un préstamo", ("prestamos",), "Un <mark>préstamo</mark>"),
        ("tea, teas, team", ("tea",), "<mark>tea</mark>, <mark>teas</mark>, team"),
        ("a<b>tea</b>&amp;", ("tea",), "a&lt;b&gt;<mark>tea</mark>&lt;/b&gt;&amp;amp;"),
        ("amp & lt", ("amp",), "<mark>amp</mark> &amp; lt"),
        ("nothing", (), "nothing"),
    ],
)
def test_shared_words_are_marked_in_the_forms_they_have(
    text: str, shared: tuple[str, ...], expected: str
) -> None:
    assert marked(text, shared) == expected


def test_numbers_are_written_as_the_language_does() -> None:
    assert number(0.756, "en") == "0.76" and number(0.756, "es") == "0,76"


def test_every_page_leads_to_the_others() -> None:
    made = links("en", SEARCH)
    assert re.findall(r'href="\./(\w*)"', made) == ["", SEARCH, TASTE, REVIEW]
    assert '<a href="./search" aria-current=page>Search</a>' in made
    assert ">Buscar</a>" in links("es", "")
