"""The commands, run as people run them: a process, its output and its exit status."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brandbot import screen
from brandbot.adapters import AdapterStore
from brandbot.conversations import ConversationLog
from brandbot.workspace import Workspace
from tests.conftest import ROOT

ENVIRONMENT = {"PYTHONWARNINGS": "ignore", "COLUMNS": "200", "NO_COLOR": "1"}


def brandbot(
    *arguments: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brandbot", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        env=os.environ | ENVIRONMENT | environment,
    )


def test_help_names_every_command_and_shows_examples() -> None:
    done = brandbot("--help")
    assert done.returncode == 0
    for command in (
        "new",
        "check",
        "examples",
        "train",
        "promote",
        "rollback",
        "chat",
        "serve",
        "models",
    ):
        assert command in done.stdout
        assert "Example" in brandbot(command, "--help").stdout or command == "models"


def test_check_says_what_is_wrong_and_exits_with_1(workspace: Path) -> None:
    assert brandbot("check").returncode == 0
    examples = workspace / "personas" / "acme" / "examples"
    (examples / "broken.csv").write_text("prompt,completion\nHello,\n")
    done = brandbot("check", "acme")
    assert done.returncode == 1 and "broken.csv:2" in done.stdout
    told = json.loads(brandbot("check", "acme", "--json").stdout)
    assert told["counts"]["total"] == 48 and told["verdict"] == "more-wanted"
    assert sum(told["files"].values()) == 48
    assert [
        (f["file"], f["line"], f["code"]) for f in told["findings"] if f["severity"] == "error"
    ] == [("broken.csv", 2, "empty-reply")]


def test_the_demo_brands_are_clean_and_large_enough() -> None:
    done = brandbot("--workspace", str(ROOT), "check", "--json")
    assert done.returncode == 0
    for told in json.loads(done.stdout):
        assert told["counts"]["total"] >= 150 and told["findings"] == []
        folder = ROOT / "personas" / told["persona"]
        evals = [
            json.loads(line)
            for file in (folder / "evals").glob("*.jsonl")
            for line in file.read_text().splitlines()
        ]
        assert len(evals) == 20 and len(list((folder / "knowledge").iterdir())) >= 3


def test_new_makes_a_folder_that_check_asks_to_fill_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "personas").mkdir()
    monkeypatch.chdir(tmp_path)
    done = brandbot("new", "mi-marca", "--language", "es", "--title", "Mi Marca")
    assert done.returncode == 0 and "brandbot check mi-marca" in done.stdout
    assert "El nombre que la gente ve" in (tmp_path / "personas/mi-marca/persona.yaml").read_text()
    checked = brandbot("check", "mi-marca")
    assert checked.returncode == 1 and "muestra" in checked.stdout
    again = brandbot("new", "mi-marca")
    assert again.returncode == 1 and "Traceback" not in again.stderr
    assert "../evil" in brandbot("new", "../evil").stderr


def test_train_prints_the_promised_object_last(workspace: Path) -> None:
    done = brandbot(
        "train", "acme", "--json", "--set", "training.epochs=1", PYTHONWARNINGS="default"
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr  # libraries' remarks would tear the bar apart
    assert "style against untuned. More examples, and questions in evals/, mend" in done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told.keys() >= {
        "persona", "version", "base_model", "examples", "seconds", "tokens_per_second", "loss", "path",
    }  # fmt: skip
    assert told["examples"].keys() == {"train", "valid", "test"}
    assert told["loss"].keys() == {"base_test", "test", "best_valid"}
    assert Path(told["path"]) == workspace / ".brandbot" / "adapters" / "acme" / "0001"
    assert AdapterStore(Workspace(workspace).adapters("acme")).live_number() == 1


def test_train_if_changed_trains_nothing_that_is_up_to_date(trained: Path) -> None:
    done = brandbot("train", "acme", "--if-changed")
    assert done.returncode == 0 and "up to date: version 0001" in done.stdout
    told = json.loads(brandbot("train", "acme", "--if-changed", "--json").stdout)
    assert told["version"] == "0001" and told["loss"]["test"] < told["loss"]["base_test"]
    file = trained / "personas" / "acme" / "voice.md"
    file.write_text(file.read_text() + "Be brief.\n")
    done = brandbot("train", "acme", "--if-changed", "--set", "training.epochs=1")
    assert "Version 0002" in done.stdout and "candidate" in done.stdout


def test_train_shows_a_bar_with_loss_speed_and_time_left(workspace: Path) -> None:
    """In a real terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "brandbot", "train", "acme"],
        stdin=follower, stdout=follower, stderr=follower,
        env=os.environ | {"COLUMNS": "120", "TERM": "xterm"},
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"Training .*\d+/\d+ loss \d\.\d\d.* tokens/s .*\d+:\d\d left", text)


def test_examples_show_the_mask(workspace: Path) -> None:
    done = brandbot("examples", "acme", "--show-mask", "--limit", "1")
    assert done.returncode == 0 and "<|im_start|>assistant" in done.stdout
    assert re.search(r"\d+ tokens, the loss is taken on the \d+ in green", done.stdout)
    coloured = brandbot(
        "examples", "acme", "--show-mask", "--limit", "1", FORCE_COLOR="1", NO_COLOR=""
    )
    assert "\x1b[30;42m" in coloured.stdout


def test_a_version_that_is_not_live_is_named_in_the_terminal(trained: Path) -> None:
    live = Workspace(trained).adapters("acme") / "live"
    number = live.read_text()
    live.unlink()
    try:
        said = brandbot("chat", "acme", typed="/quit\n").stdout
    finally:
        live.write_text(number)
    assert "Version 1 is trained, but not live" in " ".join(said.split())
    assert "brandbot chat acme --version 1" in " ".join(said.split())


def test_a_conversation_in_the_terminal(trained: Path) -> None:
    typed = "Is it raining?\n/retry\n/base\n/good\n/bad too short\nBring a coat, it rains.\n/history\n/what\n/quit\n"
    done = brandbot("chat", "acme", typed=typed)
    assert done.returncode == 0, done.stderr
    assert "version 0001" in done.stdout and "Evening." in done.stdout
    assert "untuned:" in done.stdout and "/retry" in done.stdout
    log = ConversationLog(Workspace(trained).database_url)
    with log.database._engine.begin() as connection:
        turns = connection.exec_driver_sql(
            "SELECT role, retired, version FROM turns ORDER BY id"
        ).all()
        said = connection.exec_driver_sql(
            "SELECT turn, verdict, reason, suggestion FROM feedback"
        ).all()
    assert [tuple(turn) for turn in turns] == [
        ("user", 0, None), ("assistant", 1, "0001"), ("assistant", 0, "0001"),
    ]  # fmt: skip
    assert [tuple(row) for row in said] == [
        (3, "like", None, None), (3, "dislike", "too short", "Bring a coat, it rains."),
    ]  # fmt: skip
    log.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nobody"], "There is no persona 'nobody'"),
        (["chat", "acme", "--engine", "magic"], "--engine takes auto"),
        (["chat", "acme", "--version", "9"], "There is no version 0009"),
        (["train", "acme", "--set", "training.epoch=2"], "epochs"),
        (["train", "acme", "--set", "training.epochs=many"], "training.epochs"),
        (["train", "acme", "--resume"], "nothing to resume"),
        (["models", "get", "no-such-model"], "is no base model"),
    ],
)
def test_every_error_is_a_sentence(trained: Path, arguments: list[str], message: str) -> None:
    done = brandbot(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("brandbot: ") or "\nbrandbot: " in done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert "Traceback" in brandbot("--debug", *arguments).stderr


def test_outside_a_workspace_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "No folder personas/" in brandbot("check").stderr


def test_a_base_model_that_is_not_here_says_what_to_run(workspace: Path) -> None:
    file = workspace / "personas" / "acme" / "persona.yaml"
    file.write_text(re.sub("base_model: .*", "base_model: smollm2-135m-instruct", file.read_text()))
    assert "brandbot models get smollm2-135m-instruct" in brandbot("train", "acme").stderr
    file.write_text(re.sub("base_model: .*", "base_model: Qwen/Qwen3-0.6B", file.read_text()))
    assert "brandbot models get Qwen/Qwen3-0.6B" in brandbot("train", "acme").stderr


def test_row_31_nothing_reaches_out(trained: Path) -> None:
    """Without any network interface but loopback, and with every attempt to connect recorded."""
    watch = trained / "watch.py"
    watch.write_text(
        "import socket, sys\n"
        "def refuse(self, address, *_):\n"
        "    if self.family != socket.AF_UNIX and not str(address[0]).startswith('127.'):\n"
        "        print('REACHED OUT', address, file=sys.stderr)\n"
        "        raise OSError('no network')\n"
        "    return real(self, address)\n"
        "real = socket.socket.connect\n"
        "socket.socket.connect = refuse\n"
        "look = socket.getaddrinfo\n"
        "def found(host, *rest, **more):\n"
        "    if host not in (None, 'localhost', '127.0.0.1'):\n"
        "        print('LOOKED UP', host, file=sys.stderr)\n"
        "    return look(host, *rest, **more)\n"
        "socket.getaddrinfo = found\n"
        "sys.argv = ['brandbot', *sys.argv[1:]]\n"
        "from brandbot.cli import main\n"
        "main()\n"
    )
    for arguments, typed in (
        (["check"], ""),
        (["train", "acme", "--set", "training.seed=3", "--set", "training.epochs=1"], ""),
        (["chat", "acme"], "Is it raining?\n/quit\n"),
    ):
        command = ["unshare", "-rn", sys.executable, str(watch), *arguments]
        environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"} | ENVIRONMENT
        done = subprocess.run(command, input=typed, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        assert "REACHED OUT" not in done.stderr and "LOOKED UP" not in done.stderr


@pytest.mark.megabytes(3)
def test_row_12_a_full_disk_while_training(trained_once: Path, small_disk: Path) -> None:
    """A real, small file system that fills up: a sentence, the live version unchanged."""
    import shutil

    disk = small_disk
    shutil.copytree(trained_once / "personas", disk / "personas")
    shutil.copytree(trained_once / ".brandbot" / "adapters", disk / ".brandbot" / "adapters")
    (disk / "filler").write_bytes(b"x" * (shutil.disk_usage(disk).free - 60_000))
    home = {"BRANDBOT_HOME": str(disk / ".brandbot"), "BRANDBOT_WORKSPACE": str(disk)}
    done = brandbot("train", "acme", "--set", "training.seed=3", **home)
    assert done.returncode == 1
    assert "disk is full" in done.stderr and "Traceback" not in done.stderr
    store = AdapterStore(disk / ".brandbot" / "adapters" / "acme")
    live = store.live()
    assert store.numbers() == [1] and live is not None and live.number == 1
    (disk / "filler").unlink()
    assert brandbot("train", "acme", "--set", "training.seed=3", **home).returncode == 0


def test_ctrl_c_ends_a_training_with_130(workspace: Path) -> None:
    import signal

    process = subprocess.Popen(
        [sys.executable, "-m", "brandbot", "train", "acme", "--set", "training.epochs=50"],
        stderr=subprocess.PIPE, text=True, env=os.environ | ENVIRONMENT,
    )  # fmt: skip
    runs = Workspace(workspace).runs("acme")
    deadline = time.monotonic() + 120
    while not list(runs.glob("*/progress.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert "Go on with: brandbot train acme --resume" in stderr


def test_a_candidate_is_promoted_and_rolled_back(trained: Path) -> None:
    done = brandbot("train", "acme", "--set", "training.seed=4")
    assert done.returncode == 0 and "candidate" in done.stdout
    store = AdapterStore(Workspace(trained).adapters("acme"))
    assert store.live_number() == 1  # training never promotes once a version is live
    refused = brandbot("promote", "acme")
    assert refused.returncode == 3 and "Traceback" not in refused.stderr
    assert "Style" in refused.stderr and "--force" in refused.stderr  # too few to measure style
    told = brandbot("promote", "acme", "2", "--json")
    assert told.returncode == 3
    assert json.loads(told.stdout) == {
        "version": "0002", "live": False, "failed": ["style", "style_gain"],
    }  # fmt: skip
    assert store.live_number() == 1
    assert brandbot("promote", "acme", "2", "--force").returncode == 1  # no reason
    forced = brandbot("promote", "acme", "2", "--force", "--reason", "the fair is on Monday")
    assert "Version 0002 of acme is live" in forced.stdout
    last = store.history()[-1]
    assert last["forced"] and last["reason"] == "the fair is on Monday" and last["who"]
    rows = json.loads(brandbot("versions", "acme", "--json").stdout)
    assert [(row["version"], row["live"], row["forced"]) for row in rows] == [
        ("0001", False, False), ("0002", True, True),
    ]  # fmt: skip
    shown = brandbot("versions", "acme").stdout
    assert "live" in shown and "the fair is on Monday" in shown and "not measured" in shown
    assert "Version 0001 of acme is live" in brandbot("rollback", "acme").stdout
    assert store.live_number() == 1


def test_a_first_version_that_is_no_good_stays_a_candidate(workspace: Path) -> None:
    file = workspace / "personas" / "acme" / "persona.yaml"
    file.write_text(file.read_text().replace("max_incoherent: 1", "max_incoherent: 0"))
    done = brandbot("train", "acme", "--set", "training.epochs=0.1")
    assert done.returncode == 0 and "does not pass the gate" in done.stderr
    assert "coherence" in done.stderr and "Traceback" not in done.stderr
    assert AdapterStore(Workspace(workspace).adapters("acme")).live_number() is None


def test_evaluate_and_compare_show_and_write_reports(trained: Path) -> None:
    page = trained / "report.html"
    done = brandbot("evaluate", "acme", "--against", "base", "--html", str(page))
    assert done.returncode == 0, done.stderr
    assert "Surprise (loss)" in done.stdout and "The gate" in done.stdout
    assert page.read_text().startswith("<!doctype html>")
    told = json.loads(brandbot("evaluate", "acme", "1", "--against", "base", "--json").stdout)
    assert told["version"] == "0001" and {row["name"] for row in told["gate"]} >= {"rules", "loss"}
    assert told["figures"]["base"]["loss"]["n"] > 0
    assert brandbot("compare", "acme", "1").returncode == 1
    assert brandbot("train", "acme", "--set", "training.seed=4").returncode == 0
    both = brandbot("compare", "acme", "1", "2", "--html", str(trained / "both.html"))
    assert both.returncode == 0 and "version 0002" in both.stdout
    assert "0002" in (trained / "both.html").read_text()
    assert "BRANDBOT_JUDGE_URL" in brandbot("evaluate", "acme", "--judge").stderr


def test_a_taste_test_in_the_terminal(trained: Path) -> None:
    done = brandbot(
        "taste", "acme", "1", "base", "--pairs", "2", "--voter", "ana", typed="1\nx\n0\n"
    )
    assert done.returncode == 0, done.stderr
    asked, results = done.stdout.split("2 votes")
    assert "2/2" in asked and "version 0001" not in asked and "untuned" not in asked
    assert "by 1 people" in results and "too close to call" in results
    told = json.loads(brandbot("taste", "acme", "--json").stdout)
    assert told["votes"] == 2 and told["voters"] == 1
    assert brandbot("taste", "acme", "1").returncode == 1


def test_progress_reaches_a_log_as_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"step": 3, "steps": 10, "loss": 2.5, "valid_loss": None, "tokens_per_second": 140.4,
             "seconds_left": 65.0}  # fmt: skip
    for every, lines in (
        (0.0, ["Checking acme 1/4 · ", "Training 3/10 · loss 2.50 · 140 tokens/s · 1:05 left"]),
        (60.0, []),
    ):
        monkeypatch.setattr(screen, "SPOKEN_EVERY", every)
        with screen.bar("Checking acme") as tell:
            tell(1, 4)
        with screen.training_bar() as report:
            report(entry)
        with screen.bar("Quiet", quiet=True) as tell, screen.training_bar(quiet=True) as report:
            tell(1, 4)
            report(entry)
        said = capsys.readouterr().err.splitlines()
        assert len(said) == len(lines)
        assert all(line.startswith(start) for line, start in zip(said, lines, strict=True))
