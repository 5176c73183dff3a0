"""The same app against a Slack that we did not write: emulate, Vercel's local Web API.

It knows no streaming and no Socket Mode, so replies are posted and updated there.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from brandbot import Bot
from connectors.slack.app import build
from tests.browser.scripted import ScriptedEngine
from tests.conftest import ROOT
from tests.slack.delivery import sign
from tests.slack.office import over_http

EMULATE = ROOT / ".brandbot" / "emulate" / "node_modules" / "emulate" / "dist" / "index.js"
TOKEN, SECRET = "test_token_admin", "a-secret-of-this-test"
SEED = """
slack:
  team: {name: Brand, domain: brand}
  users:
    - {name: ana, real_name: Ana, email: ana@example.com}
  channels:
    - {name: general, topic: All}
"""


@pytest.fixture(scope="module")
def emulate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not EMULATE.is_file():
        pytest.fail("emulate is not here. Install it with: make emulate")
    seed = tmp_path_factory.mktemp("emulate") / "seed.yaml"
    seed.write_text(SEED)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["node", str(EMULATE), "start", "--service", "slack", "--port", str(port),
         "--seed", str(seed)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=seed.parent,
    )  # fmt: skip
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < until, "emulate did not start"
    yield f"http://127.0.0.1:{port}/api/"
    process.kill()
    process.wait()


def test_a_mention_is_answered_in_its_thread(
    emulate: str, house: tuple[Bot, ScriptedEngine]
) -> None:
    bot, engine = house
    client = WebClient(TOKEN, base_url=emulate)
    channel = next(
        c["id"] for c in client.conversations_list()["channels"] if c["name"] == "general"
    )
    me = client.auth_test()
    asked = client.chat_postMessage(channel=channel, text="<@U0BOT> do you sell hammers?")
    engine.will_say("We sell ", "hammers.")
    app = build(bot, persona="acme", token=TOKEN, signing_secret=SECRET, api_url=emulate)
    event = {
        "type": "event_callback", "team_id": me["team_id"], "event_id": "Ev1",
        "event": {
            "type": "app_mention", "channel": channel, "user": "U0ANA", "ts": asked["ts"],
            "text": "<@U0BOT> do you sell hammers?",
        },
    }  # fmt: skip
    body = json.dumps(event).encode()
    with over_http(app, SECRET) as url:
        for _ in range(2):  # Slack sends it twice
            request = urllib.request.Request(
                url, body, {"content-type": "application/json", **sign(SECRET, body)}
            )
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 200
        until = time.monotonic() + 20
        event = f"slack:{me['team_id']}:{channel}:{asked['ts']}"
        while app.talk.claims.state(event) != "done":
            assert time.monotonic() < until
        found = client.conversations_replies(channel=channel, ts=asked["ts"])["messages"]
    app.close()
    told = [m for m in found if m["ts"] != asked["ts"]]
    assert len(told) == 1 and "We sell hammers." in json.dumps(told[0])
