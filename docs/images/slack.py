"""Takes the README's picture of a thread in Slack, with a trained ``lighthouse``.

python docs/images/slack.py

The bot is the real one, in the local Slack that the tests use; its messages are drawn about as
Slack draws them, since Slack itself can't be reached from a test.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from markdown_it import MarkdownIt  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from brandbot import Bot, Workspace  # noqa: E402
from connectors.slack.app import build  # noqa: E402
from tests.slack.office import over_http  # noqa: E402
from tests.slack.server import SlackServer  # noqa: E402
from tests.slack.state import Message  # noqa: E402

ASKED = "What does a flat white cost?"
STYLE = """
body { font: 15px/1.46 Lato, "Helvetica Neue", Arial, sans-serif; color: #1d1c1d; margin: 0;
       background: #fff; width: 760px }
header { border-bottom: 1px solid #ddd; padding: 12px 20px; font-weight: 900; font-size: 18px }
header small { font-weight: 400; color: #616061; font-size: 13px; margin-left: 8px }
article { display: grid; grid-template-columns: 36px 1fr; gap: 0 10px; padding: 10px 20px }
.face { width: 36px; height: 36px; border-radius: 6px; color: #fff; font-weight: 700;
        display: grid; place-items: center }
b.app { font: 700 10px/1 sans-serif; background: #ddd; color: #616061; border-radius: 2px;
        padding: 2px 4px; margin-left: 5px; vertical-align: 2px }
.who { font-weight: 900 } p { margin: 0 0 4px }
.mention { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px }
.context { font-size: 13px; color: #616061; margin: 6px 0; white-space: pre-line }
button { font: 700 13px/1 inherit; border: 1px solid #bbb; border-radius: 4px; background: #fff;
         padding: 7px 12px; margin: 4px 6px 0 0 }
"""


def main() -> None:
    # A log of its own: another run's messages have the same names, and each is answered once.
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["BRANDBOT_DATABASE_URL"] = f"sqlite:///{scratch}/log.db"
        photograph(page(), Path(__file__).with_name("slack.png"))


def page() -> str:
    """The thread as HTML."""
    bot = Bot(Workspace.find(ROOT))
    with SlackServer() as slack:
        app = build(bot, token=slack.bot_token, signing_secret=slack.signing_secret,
                    api_url=slack.url, persona="lighthouse")  # fmt: skip
        with over_http(app, slack.signing_secret) as url:
            slack.deliver_http(url)
            said = slack.say(slack.ana, slack.general, ASKED, mention=True)
            slack.wait_for(
                lambda: any(not m.streaming for m in slack.replies(said.channel, said.ts)), 120
            )
        (reply,) = slack.replies(said.channel, said.ts)
        app.close()
    bot.close()
    words = f'<p><span class="mention">@brandbot</span> {escape(ASKED)}</p>'
    return (
        f"<style>{STYLE}</style><header>Thread <small>#general</small></header>"
        + article("Ana", "#4a154b", words) + article("brandbot", "#2f6f73", shown(reply), app=True)
    )  # fmt: skip


def article(name: str, colour: str, inner: str, *, app: bool = False) -> str:
    mark = '<b class="app">APP</b>' if app else ""
    return (
        f'<article><div class="face" style="background:{colour}">{name[0].upper()}</div>'
        f'<div><div class="who">{name}{mark}</div>{inner}</div></article>'
    )


def shown(message: Message) -> str:
    """A message's blocks, or its text if it has none, as HTML."""
    text = message.text if not any(b["type"] == "markdown" for b in message.blocks or []) else ""
    return MarkdownIt().render(text) + "".join(map(block, message.blocks or []))


def block(told: dict[str, Any]) -> str:
    match told["type"]:
        case "markdown":
            return str(MarkdownIt().render(told["text"]))
        case "context":
            return f'<div class="context">{mrkdwn(told["elements"][0]["text"])}</div>'
        case "context_actions":
            buttons = told["elements"][0]
            names = [buttons[f"{way}_button"]["text"]["text"] for way in ("positive", "negative")]
            return "".join(f"<button>{escape(name)}</button>" for name in names)
        case "actions":
            return "".join(
                f"<button>{escape(e['text']['text'])}</button>" for e in told["elements"]
            )
    return ""


def mrkdwn(text: str) -> str:
    return re.sub(r"\*([^*\n]+)\*", r"<strong>\1</strong>", escape(text, quote=False))


def photograph(html: str, file: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 760, "height": 200})
        page.set_content(html)
        page.locator("body").screenshot(path=file)
        browser.close()
    print(file)


if __name__ == "__main__":
    main()
