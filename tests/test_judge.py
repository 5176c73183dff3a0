"""A judge behind an OpenAI-compatible endpoint: a local server that speaks the published contract."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from brandbot.errors import BrandbotError, EngineError
from brandbot.evaluation.judge import Endpoint, judge
from brandbot.evaluation.report import Report, Row, RulerCheck, Told

ASKED: list[dict[str, Any]] = []
ANSWER = {"of": lambda text: "A"}


class Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["model"] == "thinker" and "max_tokens" in body:  # as newer models of OpenAI's do
            told = {
                "message": "Use 'max_completion_tokens' instead.",
                "type": "invalid_request_error",
            }
            self.answer(400, {"error": told})
            return
        ASKED.append({"path": self.path, "key": self.headers["Authorization"], **body})
        content = ANSWER["of"](body["messages"][0]["content"])
        message = {"role": "assistant", "content": content, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        answer = {"id": "c1", "object": "chat.completion", "created": 1, "model": body["model"],
                  "choices": [choice]}  # fmt: skip
        self.answer(200, answer)

    def answer(self, status: int, answer: dict[str, Any]) -> None:
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    ASKED.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "critic", "secret")
    server.shutdown()
    server.server_close()


def report(*answers: tuple[str, str]) -> Report:
    rows = [
        Row("test", f"a.csv:{n}", "a.csv", f"question {n}", [], "real",
            {"0001": Told(ours), "base": Told(theirs)})
        for n, (ours, theirs) in enumerate(answers)
    ]  # fmt: skip
    return Report(
        persona="acme", title="Acme", language="en", version="0001", live=None, base_model="x",
        inputs="", created="", seconds=0, examples={}, examples_changed=False,
        speakers=["0001", "base"], ruler=RulerCheck("none"), rows=rows, losses={}, planted=[],
        curve=[], advice=[],
    )  # fmt: skip


def test_verdicts_count_only_if_both_orders_agree(endpoint: Endpoint) -> None:
    def prefers_good_else_first(text: str) -> str:
        a, b = text.index("<answer_a>"), text.index("<answer_b>")
        if "good" in text[a:]:
            return "A." if "good" in text[a:b] else "The answer is B"
        return "A"

    ANSWER["of"] = prefers_good_else_first
    steps: list[None] = []
    found = judge(
        report(("good", "x"), ("good", "y"), ("x", "good"), ("x", "y")), "Be dry.", "base",
        endpoint, lambda: steps.append(None),
    )  # fmt: skip
    assert (found["wins"], found["losses"], found["ties"], found["n"]) == (2, 1, 1, 4)
    assert found["value"] == 0.625 and found["model"] == "critic" and found["against"] == "base"
    assert len(ASKED) == 8 and len(steps) == 4
    assert {one["path"] for one in ASKED} == {"/v1/chat/completions"}
    assert {one["key"] for one in ASKED} == {"Bearer secret"}
    assert all("Be dry." in one["messages"][0]["content"] for one in ASKED)


def test_a_judge_that_thinks_first_is_given_room(endpoint: Endpoint) -> None:
    ANSWER["of"] = lambda text: "A" if "good" in text.split("<answer_b>")[0] else "B"
    thinker = Endpoint(endpoint.url, "thinker", endpoint.key)
    found = judge(report(("good", "x")), "Be dry.", "base", thinker, lambda: None)
    assert found["wins"] == 1
    assert {one["max_completion_tokens"] for one in ASKED} == {1000}
    assert not any("temperature" in one for one in ASKED)


def test_a_judge_without_a_word_is_no_tie(endpoint: Endpoint) -> None:
    ANSWER["of"] = lambda text: ""
    with pytest.raises(EngineError, match="gave no verdict"):
        judge(report(("good", "x")), "Be dry.", "base", endpoint, lambda: None)


def test_nothing_is_asked_unless_it_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRANDBOT_JUDGE_URL", "BRANDBOT_JUDGE_MODEL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BrandbotError, match="Set BRANDBOT_JUDGE_URL"):
        Endpoint.from_environment()


def test_a_judge_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.0)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    nobody = Endpoint("http://127.0.0.1:9/v1", "critic", "secret")
    with pytest.raises(EngineError, match="could not be asked: APIConnectionError") as told:
        judge(report(("a", "b")), "Be dry.", "base", nobody, lambda: None)
    assert "secret" not in str(told.value)
