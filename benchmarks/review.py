"""How long the review takes to open over a long log.

    python benchmarks/review.py [--turns 50000]

A log of so many turns, one reply in ten with feedback, scored as after a first visit; then the
queue's head and the counts as the page asks for them, and the page itself in a real browser, from
the address to the first exchange.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy import insert  # noqa: E402

from brandbot import Bot, Review  # noqa: E402
from brandbot.database import conversations, feedback, turns  # noqa: E402
from tests.browser.conftest import free_port  # noqa: E402
from tests.browser.scripted import make_workspace  # noqa: E402
from tests.chromium import CHROMIUM  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=50_000)
    count = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["BRANDBOT_HOME"] = f"{scratch}/home"
        bot = Bot(make_workspace(Path(scratch)))
        fill(bot, count)
        queue = Review(bot.workspace, bot.log, "acme")
        print(f"{count} turns: the queue's head {median(lambda: queue.queue(20))}")
        print(f"{count} turns: the counts {median(queue.counts)}")
        in_browser(bot, count)
        bot.close()


def fill(bot: Bot, count: int) -> None:
    chance = random.Random(0)
    words = ["tide", "lamp", "coffee", "boat", "harbour", "shift", "bean", "cup", "storm", "keeper"]

    def text() -> str:
        return " ".join(chance.choices(words, k=12))

    with bot.log.database._engine.begin() as connection:
        talks = [
            {"id": f"talk{n}", "persona": "acme", "channel": "web", "author": f"person{n % 40}",
             "created": "2026-11-24"}
            for n in range(count // 10)
        ]  # fmt: skip
        connection.execute(insert(conversations), talks)
        said = [
            {"id": n + 1, "conversation": f"talk{n // 10}", "role": ("user", "assistant")[n % 2],
             "content": text(), "created": "2026-11-24", "retired": False, "version": "0001",
             "style": 1.0, "novelty": 0.5}
            for n in range(count)
        ]  # fmt: skip
        connection.execute(insert(turns), said)
        judged = [
            {"turn": n, "verdict": "dislike", "created": "2026-11-24",
             "suggestion": text() if n % 40 == 0 else None}
            for n in range(20, count, 20)
        ]  # fmt: skip
        connection.execute(insert(feedback), judged)


def median(work) -> str:  # type: ignore[no-untyped-def]
    seconds = []
    for _ in range(7):
        began = time.monotonic()
        work()
        seconds.append(time.monotonic() - began)
    return f"{statistics.median(seconds) * 1000:.0f} ms"


def in_browser(bot: Bot, count: int) -> None:
    from playwright.sync_api import sync_playwright

    from connectors.studio import start

    port = free_port()
    blocks = start(bot, port=port)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/review")
        page.locator("#review-name input").fill("Bea")
        page.locator("#review-name input").press("Enter")
        page.locator(".asked").wait_for()
        seconds = []
        for _ in range(5):
            began = time.monotonic()
            page.goto(f"http://127.0.0.1:{port}/review")
            page.locator(".asked").wait_for()
            seconds.append(time.monotonic() - began)
        told = f"median {statistics.median(seconds):.2f} s (slowest {max(seconds):.2f} s)"
        print(f"{count} turns: the page, until the first exchange is there: {told}")
        browser.close()
    blocks.close(verbose=False)


if __name__ == "__main__":
    main()
