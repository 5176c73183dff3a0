"""The circle once round: Slack, a correction, a review, a training, the gate, and Slack again.

Everything is real but Slack itself: a trained adapter, llama.cpp, the log, the studio in a browser.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from brandbot import AdapterStore, Bot, Persona, Workspace, plan
from brandbot import train as train_version
from brandbot.evaluation import promotion
from connectors.slack.app import build
from tests.browser.conftest import GRADIO_WARNS, Studio, free_port
from tests.browser.scripted import ScriptedEngine, tidy
from tests.browser.test_review import Clerk
from tests.slack.office import Office, over_http, text_of
from tests.slack.server import SlackServer

pytestmark = [GRADIO_WARNS, pytest.mark.timeout(1800)]

ASKED = (
    "Do you have oat milk?",
    "Can I have oat milk in that?",
    "What is the wifi password?",
)
BETTER = (
    "Oat, yes. The cow was consulted.",
    "Oat, yes. The cow was consulted.",
    "The password is swordfish, and it is on every cup.",
)
SIMILAR = "Have you got oat milk?"


@pytest.fixture
def home(
    lighthouse: Workspace, good: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A copy of the house, so that what is learnt here stays here."""
    root = tmp_path / "house"
    shutil.copytree(lighthouse.root, root)
    monkeypatch.setenv("BRANDBOT_HOME", str(root / ".brandbot"))
    return Workspace(root)


@pytest.fixture
def bot(home: Workspace) -> Iterator[Bot]:
    bot = Bot(home)
    yield bot
    bot.close()


@pytest.fixture
def office(slack: SlackServer, bot: Bot) -> Iterator[Office]:
    app = build(
        bot, persona="lighthouse", token=slack.bot_token, signing_secret=slack.signing_secret,
        api_url=slack.url,
    )  # fmt: skip
    with over_http(app, slack.signing_secret) as url:
        slack.deliver_http(url)
        yield Office(slack, bot, ScriptedEngine(), app)
    app.close()


@pytest.fixture
def studio(bot: Bot) -> Iterator[Studio]:
    from connectors.studio import start

    port = free_port()
    with tidy():
        blocks = start(bot, port=port)
    yield Studio(f"http://127.0.0.1:{port}/", bot, ScriptedEngine())
    blocks.close(verbose=False)


def test_a_colleagues_correction_comes_back_in_slack(
    office: Office, studio: Studio, chromium: object, home: Workspace, good: int
) -> None:
    slack, bot = office.slack, office.bot
    first = {}
    for question, better in zip(ASKED, BETTER, strict=True):
        said = office.ask(question)
        office.quiet(120)
        (answer,) = slack.replies(said.channel, said.ts)
        first[question] = text_of(answer)
        assert better not in first[question]
        correct(office, answer, better)
    assert {turn.version for turn in office.turns() if turn.role == "assistant"} == {f"{good:04d}"}

    with chromium.new_context(viewport={"width": 1280, "height": 800}) as context:  # type: ignore[attr-defined]
        bea = Clerk(context, studio)
        bea.begin("Lighthouse Coffee", "Bea")
        for question, better in reversed(list(zip(ASKED, BETTER, strict=True))):
            bea.sees(question, better)  # the newest first
            bea.press("r" if "wifi" in question else "a")
        expect(bea.page.locator(".counts b").first).to_have_text("0")
    folder = home.persona("lighthouse")
    written = (folder / "examples" / "from-conversations.jsonl").read_text()
    assert written.count("The cow was consulted") == 2 and "swordfish" not in written

    persona = Persona.load(folder).with_settings(
        [
            "training.learning_rate=1e-3",
            "training.epochs=3",
            # Hardly any chance, and no penalty: what it learnt is to be seen.
            "generation.temperature=0.1",
            "generation.repeat_penalty=1.0",
            # Ben's two are heard twelve times each: 88 examples are few for that.
            "review.repeat=12",
            "review.max_author=0.3",
        ]
    )
    planned = plan(home, persona)
    assert sum(e.provenance is not None for e in planned.reading.examples) == 2
    trained = train_version(home, planned)
    promotion.promote(home, "lighthouse", int(trained.version))
    assert AdapterStore(home.adapters("lighthouse")).live_number() == int(trained.version)

    said = office.ask(SIMILAR)
    office.quiet(120)
    (answer,) = slack.replies(said.channel, said.ts)
    assert text_of(answer).startswith("Oat, yes.")
    assert not any(text.startswith("Oat, yes.") for text in first.values())
    wifi = office.ask("Hello, what is the wifi password please?")
    office.quiet(120)
    (answer,) = slack.replies(wifi.channel, wifi.ts)
    assert "swordfish" not in text_of(answer)
    for file in (home.adapters("lighthouse") / trained.version).iterdir():
        assert b"swordfish" not in file.read_bytes()
    last = office.turns()[-1]
    assert last.version == trained.version and bot.log.count() == 10


def correct(office: Office, answer: object, better: str) -> None:
    """Ben rewrites a reply in the form that its button opens."""
    slack = office.slack
    before = len(slack.views)
    turn = office.turns()[-1].id
    slack.click(
        slack.ben, answer.channel, answer.ts,  # type: ignore[attr-defined]
        {"action_id": "brandbot_improve", "value": str(turn)},
    )  # fmt: skip
    slack.wait_for(lambda: len(slack.views) > before)
    view = list(slack.views.values())[-1]
    slack.submit_view(slack.ben, view["id"], {"better": {"better": better}})
    office.eventually(lambda: len(office.bot.log.feedback_of(turn)) == 1)
