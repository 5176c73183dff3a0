"""How Slack is served: acknowledgements, first words, and ten thousand events.

    python benchmarks/slack.py [--persona lighthouse] [--events 10000]

Against the local Slack of the tests, over signed HTTP, as ``brandbot serve`` does it. Acknowledged
are 100 events at once while a real model writes a reply; the first words are a real model's, too
(the persona's live version, or its untuned base). The ten thousand are answered by a scripted
engine, since it is the queue, the claims and the log that are measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the tests' Slack
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from brandbot import Bot, Workspace  # noqa: E402
from connectors.slack.app import build  # noqa: E402
from tests.browser.scripted import ScriptedEngine, make_workspace, opening  # noqa: E402
from tests.slack.office import over_http  # noqa: E402
from tests.slack.server import SlackServer  # noqa: E402

AT_ONCE, BATCH = 100, 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", default="lighthouse")
    parser.add_argument("--events", type=int, default=10_000)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # people who are told to come back later
    os.environ.setdefault("BRANDBOT_MODELS", str(Workspace.find(ROOT).models))
    real_model(asked.persona)
    many_events(asked.events)


def real_model(persona: str) -> None:
    workspace = Workspace.find(ROOT)
    with tempfile.TemporaryDirectory() as scratch, SlackServer() as slack:
        os.environ["BRANDBOT_DATABASE_URL"] = f"sqlite:///{scratch}/brandbot.db"
        bot = Bot(workspace)
        bot.warm(persona)
        app = opened(slack, bot, persona)
        with over_http(app, slack.signing_secret) as url:
            slack.deliver_http(url)
            first = []
            for number in range(7):
                said = slack.say(
                    slack.ana, slack.general, f"Question {number}: do you have tea?", mention=True
                )
                began = time.monotonic()
                slack.wait_for(lambda ts=said.ts: slack.replies(slack.general, ts), 60)
                first.append(time.monotonic() - began)
                slack.settle(60)
                app.talk.work.join(60)
            told = f"{statistics.median(first[1:]):.2f} s (slowest {max(first[1:]):.2f} s)"
            print(f"first words of a reply, {persona}: median {told}", flush=True)
            slack.say(slack.ana, slack.general, "Tell me everything about tea.", mention=True)
            slack.settle(60)
            bodies = [
                slack.said(
                    slack.add_user(f"U{n:08d}", f"person {n}"), slack.general, f"{n}?", mention=True
                )[-1]
                for n in range(AT_ONCE)
            ]
            signed = []
            for body in bodies:
                raw = json.dumps(body).encode()
                signed.append((raw, {"content-type": "application/json", **slack.sign(raw)}))
            # From a process of its own, as Slack's requests come: its work is not the app's.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as sender:
                sender.submit(int).result()
                answers = sender.submit(send_at_once, url, signed).result()
            seconds = sorted(second for second, _ in answers)
            refused = sum(status != 200 for _, status in answers)
            p99 = seconds[int(len(seconds) * 0.99) - 1]
            print(
                f"{len(bodies)} events at once while a reply is written: acknowledged in "
                f"{statistics.median(seconds) * 1000:.0f} ms (median), {p99 * 1000:.0f} ms (p99), "
                f"{refused} refused",
                flush=True,
            )
            app.talk.work.close(60)  # what still waits stays claimed
            app.close()
        bot.close()


def send_at_once(url: str, requests: list[tuple[bytes, dict[str, str]]]) -> list[tuple[float, int]]:
    """(seconds, status) of each request, all of them sent at the same moment."""
    together = threading.Barrier(len(requests))
    where = urllib.parse.urlsplit(url)

    def send(request: tuple[bytes, dict[str, str]]) -> tuple[float, int]:
        together.wait()
        began = time.monotonic()
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        connection.request("POST", where.path, *request)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return time.monotonic() - began, answer.status

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def many_events(count: int) -> None:
    with tempfile.TemporaryDirectory() as scratch, SlackServer() as slack:
        os.environ["BRANDBOT_DATABASE_URL"] = f"sqlite:///{scratch}/brandbot.db"
        os.environ["BRANDBOT_HOME"] = f"{scratch}/home"
        import brandbot.engines.pool

        brandbot.engines.pool.open_engine = opening(ScriptedEngine())
        bot = Bot(make_workspace(Path(scratch)))
        app = opened(slack, bot, "acme")
        with over_http(app, slack.signing_secret) as url:
            slack.deliver_http(url)
            began, memory, sent = time.monotonic(), 0, 0
            while sent < count:
                bodies = [
                    slack.said(slack.ana, slack.general, f"event {n}", mention=True)[-1]
                    for n in range(sent, min(sent + BATCH, count))
                ]
                # Every tenth comes twice, as after a time-out.
                for start in range(0, len(bodies), 50):
                    some = bodies[start : start + 50]
                    slack.deliver_many([*some, *some[::10]], parallel=16)
                    app.talk.work.join(120)
                sent += len(bodies)
                forget(slack)
                if sent >= count // 5 and not memory:
                    memory = resident()
            seconds, grown = time.monotonic() - began, resident() / memory - 1
            with bot.log.database._engine.connect() as connection:
                rows = connection.exec_driver_sql("SELECT role, content FROM turns").all()
            asked = Counter(content for role, content in rows if role == "user")
            replies = sum(role == "assistant" for role, _ in rows)
            print(
                f"{count} events in {seconds:.0f} s ({count / seconds:.0f} a second): "
                f"{len(asked)} different turns, {sum(asked.values()) - len(asked)} duplicates, "
                f"{replies} replies, memory grew by {grown:.1%} after the first fifth",
                flush=True,
            )
        app.close()
        bot.close()


def opened(slack: SlackServer, bot: Bot, persona: str):  # type: ignore[no-untyped-def]
    return build(
        bot, persona=persona, token=slack.bot_token, signing_secret=slack.signing_secret,
        api_url=slack.url,
    )  # fmt: skip


def forget(slack: SlackServer) -> None:
    """Empties the local Slack, whose memory is not what is measured."""
    with slack.changed:
        slack.calls.clear()
        slack.deliveries.clear()
        slack.events.clear()
        slack.ephemerals.clear()
        slack.statuses.clear()
        slack._messages.clear()
        slack._working.clear()


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
