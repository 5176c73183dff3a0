"""brandbot export and brandbot forget, as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from brandbot import cli, terminal_review
from brandbot.conversations import ConversationLog
from brandbot.review import Review
from brandbot.workspace import Workspace

ANA = "slack:T1:UANA"


@pytest.fixture
def brandbot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> object:
    """Runs a command line; gives its exit status, output and errors."""
    folder = tmp_path / "personas" / "acme"
    (folder / "examples").mkdir(parents=True)
    (folder / "persona.yaml").write_text("name: Acme\n")
    (folder / "voice.md").write_text("You keep a lighthouse.")
    (folder / "examples" / "talk.jsonl").write_text(
        '{"prompt": "Is the lamp lit?", "completion": "Every night. So far."}\n'
    )
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["brandbot", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def log(brandbot: object, tmp_path: Path) -> ConversationLog:
    opened = ConversationLog(Workspace(tmp_path).database_url)
    talk = opened.start("acme", "slack", ANA)
    opened.add(talk, "user", "I am ana@correo.es", author=ANA)
    opened.add(talk, "assistant", "Evening, ana@correo.es.")
    opened.start("acme", "web")
    return opened


def test_export(brandbot, log: ConversationLog, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    words = ("export", "acme", "--what", "conversations", "--format", "messages")
    status, out, err = brandbot(*words, "--out", "said.jsonl")
    assert (status, err) == (0, "")
    assert (
        out == "acme: 1 rows of conversations written to said.jsonl, personal data taken out of 1\n"
    )
    (row,) = map(json.loads, (tmp_path / "said.jsonl").read_text().splitlines())
    assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
    status, out, err = brandbot(*words, "--out", "-", "--no-system")
    assert [m["content"] for m in json.loads(out)["messages"]] == [
        "I am [email]",
        "Evening, [email].",
    ]
    status, out, _ = brandbot(*words, "--out", "said.jsonl", "--json")
    assert json.loads(out) == {"out": "said.jsonl", "rows": 1, "cleaned": 1, "left_out": {}}


def test_export_tells_what_is_left_out_and_what_goes(brandbot, log: ConversationLog) -> None:  # type: ignore[no-untyped-def]
    status, _, err = brandbot(
        "export", "acme", "--what", "conversations", "--format", "kto", "--out", "k.jsonl"
    )
    assert (status, err) == (0, "  left out 1: neither liked nor disliked\n")
    status, _, err = brandbot(
        "export", "acme", "--what", "examples", "--format", "dpo", "--out", "k.jsonl"
    )
    assert status == 1 and "Choose one of: messages, prompt-completion, sharegpt" in err
    status, _, err = brandbot(
        "export", "none", "--what", "examples", "--format", "messages", "--out", "k.jsonl"
    )
    assert status == 1 and "There is no persona 'none'" in err
    log.close()


def test_export_says_that_a_placeholder_is_not_written(brandbot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """It wrote the file and then ended in a KeyError."""
    row = {"prompt": "Your number?", "completion": "Ring [phone number].",
           "provenance": {"turn": 1, "author": "abc", "edited": True}}  # fmt: skip
    file = tmp_path / "personas" / "acme" / "examples" / "from-conversations.jsonl"
    file.write_text(json.dumps(row))
    words = ("export", "acme", "--what", "examples", "--format", "messages", "--out", "e.jsonl")
    assert brandbot(*words) == (
        0,
        "acme: 1 rows of examples written to e.jsonl\n",
        "  left out 1: something personal was taken out of its reply\n",
    )


def test_every_reason_has_words() -> None:
    from brandbot.approved import Code
    from brandbot.cli_loop import LEFT_OUT
    from brandbot.export import Exported

    assert set(get_args(Code)) <= LEFT_OUT.keys()
    assert Exported.__doc__ is not None
    for code in LEFT_OUT:
        assert code in Exported.__doc__, code


def test_forget(brandbot, log: ConversationLog) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = brandbot("forget", "--user", ANA, "--dry-run")
    assert (status, out) == (0, "Would delete: 2 turns, 1 whole conversations\n")
    status, out, err = brandbot("forget", "--user", ANA)  # nobody can be asked
    assert status == 1 and "--yes" in err and log.count() == 2
    status, out, _ = brandbot("forget", "--user", ANA, "--yes", "--json")
    assert status == 0 and log.count() == 0
    assert json.loads(out) == {
        "user": ANA, "dry_run": False, "conversations": 1, "turns": 2, "feedback": 0, "reviews": 0,
        "blanked": 0, "votes": 0, "claims": 0, "examples": 0, "caches": [], "versions": [],
        "left": "",
    }  # fmt: skip
    status, out, _ = brandbot("forget", "--user", ANA)
    assert status == 0 and out.startswith(f"Nothing of {ANA} is here.")
    log.close()


def test_who_said_it(brandbot, log: ConversationLog) -> None:  # type: ignore[no-untyped-def]
    visit = log.start("acme", "web")
    log.add(visit, "user", "Got OAT milk, 100%?")
    log.add(visit, "assistant", "Oat milk, yes.")
    status, out, _ = brandbot("forget", "--said", "oat milk")
    assert status == 0 and out.startswith(f"conversation:{visit}  acme, web, 20")
    assert out.splitlines()[1] == "  Got OAT milk, 100%?" and len(out.splitlines()) == 3
    status, out, _ = brandbot("forget", "--said", "ANA@correo", "--json")
    (one,) = json.loads(out)["said"]
    assert (one["author"], one["content"]) == (ANA, "I am ana@correo.es")
    status, out, _ = brandbot("forget", "--said", "0%5")
    assert (status, out) == (0, "Nobody said '0%5'.\n")
    status, _, err = brandbot("forget", "--said", "")
    assert status == 1 and "words to look for" in err
    log.add(visit, "user", "Soy Álvaro NÚÑEZ")
    assert "Álvaro" in brandbot("forget", "--said", "alvaro núñez")[1]
    status, out, _ = brandbot("forget", "--user", f"conversation:{visit}", "--yes")
    assert out == "Deleted: 3 turns, 1 whole conversations\n"
    status, _, err = brandbot("forget", "--said", "milk", "--expired")
    assert status == 1 and "--said" in err and log.count() == 2
    log.close()


def test_forget_asks_a_person(  # type: ignore[no-untyped-def]
    brandbot, log: ConversationLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brandbot.cli_loop.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, err: False)
    status, out, err = brandbot("forget", "--user", ANA)
    assert status == 1 and "Nothing was deleted" in err and "Would delete: 2 turns" in out
    monkeypatch.setattr("typer.confirm", lambda question, err: True)
    status, out, _ = brandbot("forget", "--user", ANA)
    assert status == 0 and "Deleted: 2 turns" in out and log.count() == 0
    log.close()


def test_forget_what_is_old(brandbot, log: ConversationLog, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = brandbot("forget", "--expired", "--yes")
    assert (status, out) == (
        0,
        "No persona limits how long it keeps conversations (review.keep_days).\n",
    )
    (tmp_path / "personas" / "acme" / "persona.yaml").write_text(
        "name: Acme\nreview: {keep_days: 30}\n"
    )
    assert brandbot("forget", "--expired", "--yes") == (0, "acme: 0 conversations deleted\n", "")
    for words in ((), ("--expired", "--user", ANA), ("--expired", "--dry-run")):
        status, _, err = brandbot("forget", *words)
        assert status == 1 and "--user" in err
    log.close()


def test_versions_that_hold_their_words_are_named(
    brandbot, log: ConversationLog, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    from brandbot.review import pseudonym

    folder = Workspace(tmp_path).adapters("acme") / "0003"
    folder.mkdir(parents=True)
    meta = {"from_conversations": [{"turn": 2, "author": pseudonym(ANA)}]}
    (folder / "version.json").write_text(json.dumps(meta))
    _, out, _ = brandbot("forget", "--user", ANA, "--dry-run")
    assert (
        "Version 0003 of acme was trained on their words. Train anew (brandbot train acme)" in out
    )
    log.close()


def test_a_review_in_the_terminal(workspace: Path) -> None:
    """Approve, edit, reject, undo, quit; what was approved stands in the persona's folder."""
    log = ConversationLog(Workspace(workspace).database_url)
    talk = log.start("acme", "web", "ana")
    for question in ("Where can I park?", "Mail me at ana@example.com?", "Is it far?"):
        log.add(talk, "user", question, author="ana")
        log.add(talk, "assistant", "Somewhere or other.", version="0001")
    log.close()
    done = subprocess.run(
        [sys.executable, "-m", "brandbot", "review", "acme", "--as", "bea"],
        input="r\nu\ne\nTwo waves and a gull.\na\ns\nq\n", capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 exchanges wait" in done.stdout and "ana@example.com" not in done.stdout
    file = workspace / "personas" / "acme" / "examples" / "from-conversations.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["messages"][-1]["content"] for row in rows] == [
        "Two waves and a gull.", "Somewhere or other.",
    ]  # fmt: skip
    assert [row["provenance"]["reviewer"] for row in rows] == ["bea", "bea"]
    assert [row["provenance"]["edited"] for row in rows] == [True, False]


def test_the_terminal_takes_no_sentence_for_a_key_and_loses_none(  # type: ignore[no-untyped-def]
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """What was typed at the prompt once approved by its first letter; a refused text was gone."""
    log = ConversationLog(Workspace(workspace).database_url)
    talk = log.start("acme", "web", "ana")
    log.add(talk, "user", "How much is a flat white?", author="ana")
    log.add(talk, "assistant", "Nothing at all.", version="0001")
    answers = iter(["A flat white costs three pounds.", "e", "e", "e", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    texts = iter(["Mail ana@example.com for that.", "", "Three pounds."])
    shown: list[str] = []

    def edited(text: str) -> str:
        shown.append(text)
        return next(texts)

    monkeypatch.setattr(terminal_review, "_edited", edited)
    review = Review(Workspace(workspace), log, "acme")
    assert terminal_review.review(review, "bea") == 1
    assert shown == ["Nothing at all.", "Mail ana@example.com for that.", ""]
    assert "can't be approved" in capsys.readouterr().out
    (row,) = map(json.loads, review.file.read_text().splitlines())
    assert row["messages"][-1]["content"] == "Three pounds."
    log.close()


def test_what_people_said_does_not_steer_the_terminal(brandbot, log: ConversationLog) -> None:  # type: ignore[no-untyped-def]
    log.add(log.start("acme", "web"), "user", "Any \x1b[2J\x07tea,\u00a0please?")
    out = brandbot("forget", "--said", "please")[1]
    assert "Any [2Jtea, please?" in out and "\x1b" not in out
    log.close()
