"""The studio without a browser: its words, its page, its actions, its server."""

from __future__ import annotations

import re
import shutil
import socket
import string
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from brandbot import UNTUNED, Bot, BrandbotError, BusyError, DiskFullError, EngineError
from connectors.studio import build, start
from connectors.studio.chat import LONGEST_MESSAGE, Chat, reasons
from connectors.studio.memory import Memory
from connectors.studio.running import Running
from connectors.studio.screen import Screen, as_typed, literal, version_card, version_line
from connectors.studio.texts import ERRORS, KEYS, LANGUAGES, REASONS, TAKEN_OUT, TEXTS, choose, say
from tests.browser.scripted import FOREVER, ScriptedEngine, make_workspace, opening, tidy

HERE = Path(__file__).parents[1] / "connectors" / "studio"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    scripted = ScriptedEngine()
    monkeypatch.setattr("brandbot.engines.pool.open_engine", opening(scripted))
    return scripted


@pytest.fixture
def bot(tmp_path: Path, engine: ScriptedEngine) -> Iterator[Bot]:
    made = Bot(make_workspace(tmp_path))
    yield made
    made.close()


@pytest.fixture
def chat(bot: Bot) -> Chat:
    return Chat(bot)


def last(screens: Iterator[Screen | None]) -> Screen:
    screen = list(screens)[-1]
    assert screen is not None
    return screen


def shown(screen: Screen) -> list[str]:
    return [entry["content"][0]["text"] for entry in screen.messages]


ACME = Memory("acme")


# Words


def test_both_languages_say_the_same_things() -> None:
    assert set(TEXTS) == set(LANGUAGES) == {"en", "es"}
    assert set(TEXTS["en"]) == set(TEXTS["es"])

    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, text in TEXTS["en"].items():
        assert text.strip() and TEXTS["es"][key].strip()
        assert fields(text) == fields(TEXTS["es"][key]), key


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    code = "".join(f.read_text() for f in HERE.glob("*.py") if f.name != "texts.py")
    used = set(re.findall(r"""(?:I18N|i18n)\(["'](\w+)["']\)""", code))
    used |= set(re.findall(r"""(?:say|_said)\([\w.]+, ["'](\w+)["']""", code))
    used |= {word for word in TEXTS["en"] if f'"{word}" if' in code or f'else "{word}"' in code}
    used |= {f"reason_{reason}" for reason in REASONS}
    used |= {f"review_kind_{kind}" for kind in TAKEN_OUT} | set(KEYS.values())
    used |= {"error", *ERRORS.values()}
    # What these stand for is tested in test_studio_review.py.
    told = ("review_count_", "review_why_", "review_from_", "review_outcome_", "review_conflict_")
    used |= {word for word in TEXTS["en"] if word.startswith(told)} | {"review_kind_other"}
    assert used == set(TEXTS["en"])


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        (None, "es-MX,es;q=0.9,en;q=0.8", "es"),
        (None, "de, en;q=0.5, es;q=0.7", "es"),
        ("en", "es", "en"),
        ("xx", "es", "es"),
        (None, "fr", "en"),
        (None, "es;q=oops", "es"),
        (None, None, "en"),
    ],
)
def test_the_language_is_the_switch_or_the_browsers(
    asked: str | None, header: str | None, language: str
) -> None:
    assert choose(asked, header) == language


# What the browser remembers


@pytest.mark.parametrize(
    "stored",
    [
        None,
        7,
        [],
        {"persona": 3, "conversations": "x"},
        {"persona": "a" * 65},
        {"conversations": {"a": 1}},
    ],
)
def test_memory_forgets_what_has_another_shape(stored: object) -> None:
    assert Memory.read(stored) == Memory()


def test_memory_holds_one_conversation_a_brand() -> None:
    memory = Memory().holding("a", "1").holding("b", "2").holding("a", "3")
    assert Memory.read(memory.written()) == Memory("a", {"b": "2", "a": "3"})
    assert memory.holding("a", None).conversations == {"b": "2"}


def test_a_tab_writes_one_reply_at_a_time() -> None:
    running = Running()
    signal = running.begin("tab")
    assert signal is not None
    assert running.begin("tab") is None
    assert running.begin("other") is not None
    running.stop("tab")
    assert signal.stopped and not signal.left
    threading.Timer(0.05, running.end, ["tab"]).start()
    assert running.begin("tab") is not None  # waited for the one that was stopping


# Talking


def test_opens_with_the_brand_of_the_visitors_language(chat: Chat) -> None:
    assert chat.open(Memory(), "en").persona == "acme"
    assert chat.open(Memory(), "es").persona == "bruma"
    assert chat.open(Memory("bruma"), "en").persona == "bruma"
    assert chat.open(Memory("gone"), "en").persona == "acme"


def test_the_brands_go_by_their_names(chat: Chat) -> None:
    assert chat.brands() == [("Acme Tools", "acme"), ("broken ⚠", "broken"), ("Bruma", "bruma")]
    folder = chat.bot.workspace.persona("acme")
    shutil.copytree(folder, folder.with_name("copied"))
    assert [name for name, _ in chat.brands()] == [
        "Acme Tools (acme)", "broken ⚠", "Bruma", "Acme Tools (copied)",
    ]  # fmt: skip


def test_a_greeting_with_starters_until_something_is_said(chat: Chat) -> None:
    screen = chat.open(ACME, "en")
    assert shown(screen) == ["Hi, Acme here."]
    assert screen.messages[0]["options"] == [
        {"value": "Do you sell hammers?"},
        {"value": "Where are you?"},
    ]
    screen = last(chat.send("tab", ACME, "Hello", None, "en"))
    assert "options" not in screen.messages[0]
    assert shown(screen) == ["Hi, Acme here.", "Hello", "Piece one, piece two."]
    assert screen.turns == [None, 1, 2]


def test_a_reply_is_shown_while_it_is_written(chat: Chat, engine: ScriptedEngine) -> None:
    engine.will_say("One ", FOREVER)
    screens = chat.send("tab", ACME, "Hello", 0.5, "en")
    first = next(screens)
    assert first.busy and shown(first) == ["Hi, Acme here.", "Hello", "…"]
    assert shown(next(screens))[-1] == "One "
    assert engine.calls[0].strength == 0.5
    screens.close()  # the client went away
    assert engine.closed == 1
    kept = chat.show(first.memory, "en")
    assert shown(kept)[-1].startswith("One")
    assert next(chat.send("tab", first.memory, "Again", None, "en")).busy  # the tab is free


def test_stop_closes_the_reply(chat: Chat, engine: ScriptedEngine) -> None:
    engine.will_say(FOREVER)
    screens = chat.send("tab", ACME, "Hello", None, "en")
    next(screens), next(screens)
    chat.stop("tab")
    screen = last(screens)
    assert engine.closed == 1 and not screen.busy and screen.turns == [None, 1, 2]


def test_a_reply_that_was_left_is_not_shown(chat: Chat, engine: ScriptedEngine) -> None:
    engine.will_say(FOREVER)
    screens = chat.send("tab", ACME, "Hello", None, "en")
    next(screens), next(screens)
    chat.leave("tab", wait=False)
    assert list(screens) == [None]
    assert engine.closed == 1


def test_a_second_message_waits_for_the_first(chat: Chat, engine: ScriptedEngine) -> None:
    engine.will_say(FOREVER)
    screens = chat.send("tab", ACME, "Hello", None, "en")
    memory = next(screens).memory
    screen = last(chat.send("tab", memory, "And?", None, "en"))
    assert screen.notice == say("en", "busy")
    assert shown(screen) == ["Hi, Acme here.", "Hello"]
    screens.close()


def test_two_tabs_of_one_conversation_do_not_cross(chat: Chat, engine: ScriptedEngine) -> None:
    memory = last(chat.send("one", ACME, "Hello", None, "en")).memory
    engine.will_say(FOREVER)
    screens = chat.send("one", memory, "And?", None, "en")
    next(screens), next(screens)
    screen = last(chat.send("two", memory, "Also?", None, "en"))
    assert (screen.notice, screen.unsent) == (say("en", "busy"), "Also?")
    assert last(chat.send("three", ACME, "Mine", None, "en")).notice == ""
    screens.close()
    assert last(chat.send("two", memory, "Also?", None, "en")).notice == ""


def test_what_can_not_be_written_down_is_not_lost(
    chat: Chat, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    before = shown(mine)

    def full(*_: object, **__: object) -> int:
        raise DiskFullError("No room.")

    with monkeypatch.context() as patched:
        patched.setattr(bot.log, "add", full)
        screen = last(chat.send("tab", mine.memory, "Long thoughts", None, "es"))
        assert screen.unsent == "Long thoughts" and "disco" in screen.notice
        assert shown(screen) == before
        screen = last(chat.edit("tab", mine.memory, mine.turns[1], "Other", None, "en"))
        assert shown(screen) == before and screen.unsent == "Other"
    screen = last(chat.edit("tab", mine.memory, mine.turns[1], "Other", None, "en"))
    assert shown(screen)[1:] == ["Other", "Piece one, piece two."]


def test_a_log_that_does_not_answer_hides_nothing_of_the_brand(
    chat: Chat, bot: Bot, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    screens = chat.send("tab", mine.memory, "More", None, "es")
    next(screens), next(screens)

    def away(*_: object) -> list[object]:
        raise BusyError("Away.")

    monkeypatch.setattr(bot, "history", away)
    screen = chat.show(mine.memory, "es")
    assert screen.problems == "" and screen.voice is not None
    assert screen.notice == say("es", "error", reason=say("es", "error_busy"))
    screen = last(screens)  # what was read a moment ago stays on the page
    assert shown(screen)[-2:] == ["More", "Piece one, piece two."] and not screen.busy
    assert "registro" in screen.notice


def test_retry_and_edit_need_a_conversation_of_ones_own(chat: Chat) -> None:
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    turn = mine.turns[1]
    assert last(chat.edit("tab", ACME, turn, "Theirs", None, "en")).notice == say("en", "gone")
    assert shown(last(chat.retry("tab", ACME, None, "en"))) == ["Hi, Acme here."]
    other = Memory("bruma", {"bruma": mine.memory.conversations["acme"]})
    assert shown(chat.show(other, "en")) == ["Hola, soy Bruma."]
    assert shown(chat.show(mine.memory, "en"))[1] == "Mine"


def test_the_old_reply_makes_room_while_another_is_written(chat: Chat, bot: Bot) -> None:
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    assert mine.turns[2] is not None and chat.judge(mine.memory, mine.turns[2], "dislike", "voice")
    screens = chat.retry("tab", mine.memory, None, "en")
    first = next(screens)
    assert first is not None and shown(first)[:-1] == ["Hi, Acme here.", "Mine"]
    assert (len(first.turns), first.feedback) == (2, [None])
    conversation = mine.memory.conversations["acme"]
    assert len(bot.history(conversation)) == 2  # the old one is still there, should this fail
    done = last(screens)
    assert len(shown(done)) == 3 and done.feedback == [None, None]
    assert len(bot.history(conversation)) == 2


def test_only_a_reply_of_ones_own_can_be_judged(chat: Chat, bot: Bot) -> None:
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    theirs = last(chat.send("other", ACME, "Theirs", None, "en"))
    asked, replied = theirs.turns[1], theirs.turns[2]
    assert not chat.judge(mine.memory, replied, "dislike")
    assert not chat.judge(theirs.memory, asked, "like")
    assert not chat.judge(theirs.memory, None, "like")
    assert chat.judge(theirs.memory, replied, "dislike", "voice", "Better.")
    assert replied is not None and len(bot.log.feedback_of(replied)) == 1
    assert chat.show(theirs.memory, "en").feedback == [None, "Dislike"]
    assert chat.judge(theirs.memory, replied, "withdrawn")
    assert chat.show(theirs.memory, "en").feedback == [None, None]


def test_the_reasons_are_those_the_log_knows() -> None:
    assert reasons(["tone", "voice", "made-up"], " Cold. ") == "voice, tone: Cold."
    assert reasons([], "Cold.") == "Cold."
    assert reasons(["wrong"], "") == "wrong"


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (EngineError("No breath."), "That didn't work: No breath."),
        (ZeroDivisionError("detail"), say("en", "unexpected")),
    ],
)
def test_an_error_is_a_sentence(
    chat: Chat, engine: ScriptedEngine, error: Exception, notice: str
) -> None:
    engine.will_say(error)
    screen = last(chat.send("tab", ACME, "Hello", None, "en"))
    assert screen.notice == notice and screen.unanswered
    screen = last(chat.retry("tab", screen.memory, None, "en"))
    assert shown(screen)[-1] == "Piece one, piece two." and not screen.unanswered


def test_nothing_and_far_too_much_are_not_sent(chat: Chat, engine: ScriptedEngine) -> None:
    assert list(chat.send("tab", ACME, "  ", None, "en")) == []
    screen = last(chat.send("tab", ACME, "x" * (LONGEST_MESSAGE + 1), None, "en"))
    assert str(LONGEST_MESSAGE) in screen.notice
    assert engine.calls == []


def test_a_brand_that_cannot_be_read_is_shown_with_its_problems(chat: Chat) -> None:
    screen = chat.show(Memory("broken"), "en")
    assert screen.voice is None and "persona.yaml:1" in screen.problems
    screen = last(chat.send("tab", Memory("broken"), "Hello", None, "en"))
    assert "persona.yaml:1" in screen.problems
    assert chat.show(Memory("../acme"), "en").notice == say("en", "no_such_persona")


def test_a_workspace_without_brands_says_how_to_make_one(tmp_path: Path) -> None:
    from brandbot import Workspace

    (tmp_path / "personas").mkdir()
    screen = Chat(Bot(Workspace(tmp_path))).open(Memory(), "es")
    assert "brandbot new" in screen.notice


def test_the_untuned_answer_is_not_logged(chat: Chat, engine: ScriptedEngine) -> None:
    screen = last(chat.send("tab", ACME, "Who?", None, "en"))
    engine.will_say("Me & <i>you</i>")
    answers = list(chat.compare("tab", screen.memory, "en"))
    assert "Me &amp; &lt;i&gt;you&lt;/i&gt;" in answers[-1] and "Who?" in answers[-1]
    assert engine.calls[-1].adapter is None
    assert shown(chat.show(screen.memory, "en")) == shown(screen)
    assert say("en", "compare_empty") in next(chat.compare("tab", ACME, "en"))


def test_the_version_is_named_and_what_to_run_if_there_is_none(chat: Chat) -> None:
    trained, untuned = chat.show(ACME, "en"), chat.show(Memory("bruma"), "en")
    assert version_line(trained, "en") == "version 0001 · base"
    assert version_line(untuned, "en") == "untuned: not trained yet"
    assert "brandbot train bruma" in version_card(untuned, "en")
    assert untuned.voice is not None and untuned.voice.version_name == UNTUNED


def test_a_version_that_is_not_live_is_named(chat: Chat, bot: Bot) -> None:
    (bot.workspace.adapters("acme") / "live").unlink()
    screen = chat.show(ACME, "en")
    assert version_line(screen, "en") == "untuned; 0001 is not live"
    assert "brandbot evaluate acme 1" in version_card(screen, "en")
    assert version_line(screen, "es") == "sin entrenar; la 0001 en espera"


def test_a_damaged_version_is_told(chat: Chat, bot: Bot) -> None:
    folder = bot.workspace.adapters("acme") / "0001"
    (folder / "voice.md").write_text("Changed.")
    screen = chat.show(ACME, "en")
    assert screen.voice is None and "voice.md was changed" in screen.problems


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "a < b && c", "&lt;i&gt; R&D", "<!-- x -->", "</p>", "1 <2"]
)
def test_no_text_holds_a_tag_and_none_is_lost(text: str) -> None:
    assert not re.search(r"<[a-zA-Z/!?]|&\w+;", literal(text))
    assert as_typed(literal(text)) == text


# The page and its server


@pytest.fixture
def url(bot: Bot) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tidy():
        blocks = start(bot, port=port)
    yield f"http://127.0.0.1:{port}"
    blocks.close(verbose=False)


def test_build_exposes_no_endpoint(bot: Bot) -> None:
    with tidy():
        blocks = build(bot)
    assert blocks.analytics_enabled is False
    assert all(fn.api_visibility == "private" for fn in blocks.fns.values())
    assert blocks._queue.default_concurrency_limit == 4
    assert blocks._queue.max_size == 32


def test_the_page_keeps_to_itself(url: str) -> None:
    page = httpx.get(url, headers={"accept-language": "es-ES"})
    assert '<html\n\tlang="es"' in page.text
    assert 'property="og:' not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "http" not in policy
    switched = httpx.get(url, params={"lang": "en"}, headers={"accept-language": "es-ES"})
    assert '<html\n\tlang="en"' in switched.text
    assert "brandbot-language=en" in switched.headers["set-cookie"]
    assert "set-cookie" not in httpx.get(url, params={"lang": "<script>"}).headers


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/gradio_api/file=/etc/hostname", "/.env"]
)
def test_nothing_else_is_served(url: str, path: str) -> None:
    answer = httpx.get(url + path)
    assert answer.status_code in (403, 404)


def test_files_are_not_taken(url: str) -> None:
    answer = httpx.post(f"{url}/gradio_api/upload", files={"files": ("x.txt", b"x" * 2000)})
    assert answer.status_code >= 400


def test_a_taken_port_is_a_sentence(bot: Bot) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BrandbotError, match=f"Port {port} .*--port {port + 1}"):
            start(bot, port=port)


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_what_a_proxy_passes_on_is_refused(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The studio has no login; only Slack's address checks by itself who calls."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    from connectors.studio.page import PageFrame

    def answer(_request: object) -> PlainTextResponse:
        return PlainTextResponse("here")

    paths = ("/", "/review", "/slack/events", "/gradio_api/queue/join")
    app = PageFrame(Starlette(routes=[Route(path, answer) for path in paths]))
    client = TestClient(app, base_url="http://127.0.0.1:7860")
    assert {client.get(path).status_code for path in paths} == {200}
    passed = {path: client.get(path, headers={header: "192.0.2.1"}).status_code for path in paths}
    assert passed == {"/": 403, "/review": 403, "/slack/events": 200, "/gradio_api/queue/join": 403}
    monkeypatch.setenv("BRANDBOT_BEHIND_PROXY", "1")
    assert client.get("/review", headers={header: "192.0.2.1"}).status_code == 200


def test_a_page_that_takes_this_machines_address_is_refused() -> None:
    """DNS rebinding: its own name means 127.0.0.1 by now, and the browser lets it ask."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    from connectors.studio.page import PageFrame

    routes = [Route(path, lambda _: PlainTextResponse("here")) for path in ("/", "/slack/events")]
    app = PageFrame(Starlette(routes=routes))

    def status(served: str, host: str, path: str = "/") -> int:
        return TestClient(app, base_url=served).get(path, headers={"host": host}).status_code

    here = "http://127.0.0.1:7860"
    for host in ("127.0.0.1:7860", "localhost:7860", "[::1]:7860", "brand.localhost"):
        assert status(here, host) == 200, host
    for host in ("evil.example:7860", "192.0.2.1", "127.0.0.1.evil.example"):
        assert status(here, host) == 403, host
    assert status(here, "evil.example", "/slack/events") == 200
    others = (
        "http://192.0.2.7:7860"  # served to others on purpose: by no name that could be made up
    )
    for host in ("192.0.2.7:7860", "localhost:7860", socket.gethostname()):
        assert status(others, host) == 200, host
    for host in ("evil.example:7860", "[bad", ""):
        assert status(others, host) == 403, host


def test_the_studio_takes_no_files() -> None:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from connectors.studio.page import PageFrame

    client = TestClient(PageFrame(Starlette()), base_url="http://127.0.0.1:7860")
    answer = client.post("/gradio_api/upload", files={"files": ("a.txt", b"x")})
    assert (answer.status_code, answer.text) == (403, "The studio takes no files.\n")


def test_another_sites_page_can_not_act_in_a_visitors_name() -> None:
    """Gradio lets any origin in by names of this machine other than localhost and 127.0.0.1."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    from connectors.studio.page import PageFrame

    routes = [
        Route(path, lambda _: PlainTextResponse("here"), methods=["GET", "POST"])
        for path in ("/", "/slack/events")
    ]
    client = TestClient(PageFrame(Starlette(routes=routes)), base_url="http://127.0.0.1:7860")

    def posted(path: str = "/", host: str = "x.localhost:7860", **headers: str) -> int:
        return client.post(path, headers={"host": host, **headers}).status_code

    assert posted() == posted(origin="http://x.localhost:7860") == 200
    for origin in ("https://evil.example", "null", "http://x.localhost:8000"):
        assert posted(origin=origin) == 403, origin
    assert posted("/slack/events", origin="https://evil.example") == 200
    strange = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/", headers=strange).status_code == 403
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}  # a link to it
    assert client.get("/", headers=followed).status_code == 200


def test_a_host_that_is_none_is_a_sentence(bot: Bot) -> None:
    with pytest.raises(BrandbotError, match="no address of this machine"):
        start(bot, host="no-such-host.invalid")


def test_what_visitors_can_meet_is_said_in_their_language() -> None:
    from connectors.studio.texts import say_error

    for kind, key in ERRORS.items():
        for language in ("es", "en"):
            told = say(language, "error", reason=say(language, key))
            assert say_error(language, kind("English words")) == told
    assert "English words" in say_error("es", EngineError("English words"))


def test_an_edit_that_can_not_be_said_goes_back_into_the_box(
    chat: Chat, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    long = "x" * (LONGEST_MESSAGE + 1)
    assert last(chat.edit("tab", mine.memory, mine.turns[1], long, None, "en")).unsent == long
    assert last(chat.edit("tab", mine.memory, 999, "Mine, too", None, "en")).unsent == "Mine, too"

    def busy(*_: object, **__: object) -> None:
        raise BusyError("The conversation log is too busy to answer; send the message again.")

    monkeypatch.setattr(bot, "reply", busy)
    view = last(chat.edit("tab", mine.memory, mine.turns[1], "Mine, too", None, "en"))
    assert view.unsent == "Mine, too" and view.notice and shown(view)[1] == "Mine"


def test_a_reply_that_was_asked_for_again_can_still_be_judged(chat: Chat, bot: Bot) -> None:
    """The form may be open while another is written."""
    mine = last(chat.send("tab", ACME, "Mine", None, "en"))
    old = mine.turns[2]
    last(chat.retry("tab", mine.memory, None, "en"))
    assert old is not None and chat.judge(mine.memory, old, "dislike", "voice", "Better.")
    assert bot.log.feedback_of(old)[0]["suggestion"] == "Better."
