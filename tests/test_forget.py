"""Row 24: a person asks to be forgotten. And old conversations go by themselves."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from sqlalchemy import insert, select, text, update

from brandbot import database, forget
from brandbot.claims import Claims
from brandbot.conversations import ConversationLog
from brandbot.database import conversations, turns
from brandbot.errors import LockHeldError, LogError
from brandbot.examples import Example
from brandbot.export import FORMS, export
from brandbot.forget import Forgotten, Named, expire, forget_person, who_said
from brandbot.prompt import Message
from brandbot.review import Review, pseudonym
from brandbot.taste import prompts
from brandbot.workspace import Workspace
from tests.postgres import Server

ANA, BEN = "slack:T1:UANA", "slack:T1:UBEN"
MARK = "zanzibar-heliotrope"
YAML = "name: Acme\nlanguage: en\nreview: {max_author: 1, max_unedited: 1}\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "personas" / "acme"
    (folder / "examples").mkdir(parents=True)
    (folder / "persona.yaml").write_text(YAML)
    (folder / "voice.md").write_text("You keep a lighthouse.")
    (folder / "examples" / "talk.jsonl").write_text('{"prompt": "Tea?", "completion": "Leaves."}\n')
    return Workspace(tmp_path)


def say(log: ConversationLog, conversation: str, *said: tuple[str, str]) -> list[int]:
    """(author, or "" for the bot; words) each; the numbers of the turns."""
    return [
        log.add(conversation, "user" if author else "assistant", words, author=author or None)
        for author, words in said
    ]


def approve(
    workspace: Workspace, log: ConversationLog, turn: int, reply: str | None = None
) -> None:
    review = Review(workspace, log, "acme")
    exchange = review.exchange(turn)
    assert exchange is not None
    review.decide(exchange, "approved", "rita", reply=reply)


def live(workspace: Workspace, log: ConversationLog) -> dict[str, list[int]]:
    """Ana's words in every place they can get to."""
    alone = log.start("acme", "slack", ANA, "slack:T1:D1")
    mine = say(log, alone, (ANA, f"I do like {MARK} one"), ("", f"So {MARK} one it is."))
    shared = log.start("acme", "slack", BEN, "slack:T1:C1:1")
    both = say(
        log, shared,
        (BEN, "Is the lamp lit tonight?"), ("", "Every night."),
        (ANA, f"Do you know {MARK} two, by chance?"), ("", f"Yes: {MARK} two."),
        (BEN, "What else?"), ("", f"As was said: do you know {MARK} two, by chance?"),
        (BEN, "And soup?"), ("", "No soup here."),
    )  # fmt: skip
    other = log.start("acme", "slack", BEN, "slack:T1:C2:1")
    bens = say(log, other, (BEN, "Is it far?"), ("", "Round the bay."))
    log.judge(
        bens[1], "dislike", reason=f"{MARK} reason", suggestion=f"Far, {MARK} three!", author=ANA
    )
    log.judge(mine[1], "like", author=BEN)
    log.add_vote(persona="acme", prompt=f"{MARK} vote", left_version="base", right_version="0001",
                 left_text="a", right_text="b", choice="left", voter=ANA)  # fmt: skip
    claims = Claims(log.database)
    claims.claim("Ev1", {"team": "T1", "user": "UANA", "text": f"{MARK} claim"})
    claims.claim("greeting:T1:UANA", {})
    claims.claim("Ev2", {"team": "T1", "user": "UBEN", "text": "mine"})
    approve(workspace, log, mine[1])
    approve(workspace, log, both[3])
    approve(workspace, log, both[7])  # its conversation holds Ana's words
    approve(workspace, log, bens[1])  # as Ana would have said it
    return {"mine": mine, "both": both, "bens": bens}


def dump(log: ConversationLog) -> str:
    """Every row of every table."""
    tables = database.metadata.sorted_tables
    return "\n".join(
        str(row)
        for t in tables
        for row in log.database.run(lambda c, t=t: c.execute(select(t)).all())
    )


def files_with(folder: Path, *marks: str) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and any(mark.encode() in path.read_bytes() for mark in marks)
    )


def make_version(workspace: Workspace, number: str, meta: dict[str, Any], report: str = "") -> None:
    folder = workspace.adapters("acme") / number
    folder.mkdir(parents=True)
    (folder / "version.json").write_text(json.dumps(meta))
    (folder / "report.json").write_text(json.dumps({"answers": [report]}))


def test_row_24_no_trace_is_left(
    workspace: Workspace, log: ConversationLog, tmp_path: Path
) -> None:
    turns = live(workspace, log)
    examples = workspace.persona("acme") / "examples"
    lines = [
        json.loads(line)
        for line in (examples / "from-conversations.jsonl").read_text().splitlines()
    ]
    assert [line["provenance"]["turn"] for line in lines] == [
        turns["mine"][1], turns["both"][3], turns["both"][7], turns["bens"][1],
    ]  # fmt: skip
    (examples / "from-conversations.jsonl.bak").write_bytes(
        (examples / "from-conversations.jsonl").read_bytes()
    )
    keep = {
        "prompt": "Mine?",
        "completion": "Mine.",
        "provenance": {"turn": turns["mine"][1], "author": "someone"},
    }
    with (examples / "from-conversations.jsonl").open("a") as file:
        file.write(
            json.dumps(keep) + "\n"
        )  # of another database, where turns have the same numbers
    answers = workspace.evaluations("acme") / "answers.jsonl"
    answers.parent.mkdir(parents=True)
    answers.write_text(f"{MARK}\n")
    run = workspace.runs("acme") / "abc"
    run.mkdir(parents=True)
    (run / "progress.jsonl").write_text(MARK)
    make_version(workspace, "0001", {"from_conversations": []})
    make_version(workspace, "0002", {"from_conversations": [lines[0]["provenance"]]})
    make_version(workspace, "0003", {}, f"Do you know {MARK} two, by chance?")
    before, tree = (
        dump(log),
        {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json*") if p.is_file()},
    )
    dry = forget_person(workspace, log, ANA, dry_run=True)
    assert dump(log) == before
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json*") if p.is_file()} == tree

    done = forget_person(workspace, log, ANA)

    assert done == dry
    assert done == Forgotten(
        conversations=1, turns=5, feedback=1, reviews=2, blanked=2, votes=1, claims=2, examples=8,
        caches=[str(answers), str(workspace.runs("acme"))],
        versions=[Named("acme", "0002", "trained"), Named("acme", "0003", "report")],
    )  # fmt: skip
    for mark in (MARK, ANA, "UANA"):
        assert mark not in dump(log)
    log_files = files_with(tmp_path, MARK, ANA, "UANA", pseudonym(ANA))
    assert log_files == [
        f"home/adapters/acme/{n}" for n in ("0002/version.json", "0003/report.json")
    ]
    rest = [
        json.loads(line)
        for line in (examples / "from-conversations.jsonl").read_text().splitlines()
    ]
    assert rest == [keep]
    said = [turn.content for turn in log.history(log.at("slack:T1:C1:1")[0][0])]
    assert said == [
        "Is the lamp lit tonight?",
        "Every night.",
        "What else?",
        "And soup?",
        "No soup here.",
    ]
    for what, forms in FORMS.items():
        for form in forms:
            export(workspace, log, "acme", what, form, tmp_path / "out.jsonl")
            assert MARK not in (tmp_path / "out.jsonl").read_text()
    again = forget_person(workspace, log, ANA)
    assert (again.turns, again.examples, again.caches) == (0, 0, [])


def test_what_was_computed_goes_though_the_example_was_taken_out_by_hand(
    workspace: Workspace, log: ConversationLog
) -> None:
    live(workspace, log)
    (workspace.persona("acme") / "examples" / "from-conversations.jsonl").unlink()
    shutil.copytree(workspace.persona("acme"), workspace.persona("acme").with_name("other"))
    runs = [workspace.runs(name) / "abc" for name in ("acme", "other")]
    for run in runs:
        run.mkdir(parents=True)
        (run / "progress.jsonl").write_text(MARK)
    done = forget_person(workspace, log, ANA)
    assert (done.examples, done.caches) == (0, [str(workspace.runs("acme"))])
    assert [run.exists() for run in runs] == [False, True]  # nothing of hers was approved there


def test_what_a_dead_call_left_is_found_by_the_next(
    workspace: Workspace, log: ConversationLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(workspace, log)

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("brandbot.traces.remove", die)
        forget_person(workspace, log, ANA)
    done = forget_person(workspace, log, ANA)
    assert (done.turns, done.examples) == (5, 0) and MARK not in dump(log)


def test_row_24_in_the_files_of_postgresql(workspace: Workspace, postgres: Server) -> None:
    log = ConversationLog(postgres.fresh())
    live(workspace, log)

    def in_tables() -> list[str]:
        log.database.run(lambda c: c.execute(text("CHECKPOINT")))
        return [f for f in files_with(postgres.folder, MARK) if "/pg_wal/" not in f and f != "log"]

    assert in_tables()
    forget_person(workspace, log, ANA)
    assert in_tables() == []
    log.close()


def test_a_visitor_without_a_name_is_their_conversation(
    workspace: Workspace, log: ConversationLog
) -> None:
    talk, other = log.start("acme", "web"), log.start("acme", "web")
    said = say(log, talk), log.add(talk, "user", f"{MARK} four"), log.add(talk, "assistant", "Aha.")
    log.add(other, "user", "Mine"), log.add(other, "assistant", "Yours.")
    approve(workspace, log, said[2])
    assert {one.author for one in who_said(log, MARK.lower())} == {f"conversation:{talk}"}
    done = forget_person(workspace, log, f"conversation:{talk}")
    assert (done.conversations, done.turns, done.reviews, done.examples) == (1, 2, 1, 1)
    assert MARK not in dump(log) and log.persona_of(talk) is None
    assert [turn.content for turn in log.history(other)] == ["Mine", "Yours."]


def test_a_conversation_they_began_with_others_goes_on_without_a_name(
    workspace: Workspace, log: ConversationLog
) -> None:
    talk = log.start("acme", "slack", ANA, "slack:T1:C9:1")
    say(log, talk, (ANA, "Hello"), ("", "Evening."), (BEN, "Me too"), ("", "Evening, too."))
    done = forget_person(workspace, log, ANA)
    assert (done.conversations, done.turns) == (0, 2)
    assert [turn.content for turn in log.history(talk)] == ["Me too", "Evening, too."]
    assert ANA not in dump(log) and BEN in dump(log)


def test_who_was_never_here(workspace: Workspace, log: ConversationLog) -> None:
    live(workspace, log)
    before = dump(log)
    for nobody in ("slack:T1:UNOBODY", "slack:T1:U", "conversation:none", "UANA"):
        assert forget_person(workspace, log, nobody).nothing
    assert dump(log) == before


def test_nothing_is_taken_from_under_a_training(workspace: Workspace, log: ConversationLog) -> None:
    live(workspace, log)
    runs = workspace.runs("acme")
    runs.mkdir(parents=True)
    before = dump(log)
    with FileLock(str(runs / "lock")), pytest.raises(LockHeldError, match="acme is being trained"):
        forget_person(workspace, log, ANA)
    assert dump(log) == before


def test_old_conversations_go_and_what_was_decided_stays(
    workspace: Workspace, log: ConversationLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def days_ago(days: int) -> Callable[[], str]:
        return lambda: (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")

    def conversation(days: int, words: str) -> list[int]:
        monkeypatch.setattr("brandbot.conversations.now", days_ago(days))
        talk = log.start("acme", "slack", ANA, f"slack:T1:C:{words}")
        return say(log, talk, (ANA, words), ("", f"Reply to {words}"))

    conversation(40, "old and alone")
    decided = conversation(31, f"{MARK} old and approved")
    goes_on = conversation(40, "old, but goes on")
    recent = conversation(2, "recent")
    monkeypatch.setattr("brandbot.conversations.now", days_ago(1))
    talk = log.at("slack:T1:C:old, but goes on")[0][0]
    log.add(talk, "user", "still here", author=ANA)
    monkeypatch.setattr("brandbot.conversations.now", days_ago(60))
    empty = log.start("acme", "web")
    monkeypatch.undo()
    monkeypatch.setenv("BRANDBOT_HOME", str(workspace.root / "home"))
    approve(workspace, log, decided[1])
    assert expire(workspace, log) == {}  # kept, unless the persona says otherwise

    (workspace.persona("acme") / "persona.yaml").write_text(
        f"{YAML}".replace("{max", "{keep_days: 30, max")
    )
    assert expire(workspace, log) == {"acme": 3}
    rows = log.database.run(
        lambda c: c.execute(
            select(database.turns.c.id, database.turns.c.content).order_by(database.turns.c.id)
        ).all()
    )
    assert {row.id: row.content for row in rows if row.id in decided} == {decided[1]: ""}
    assert {row.id for row in rows} >= {*goes_on, *recent} and len(rows) == 6
    assert MARK not in dump(log) and log.persona_of(empty) is None
    file = workspace.persona("acme") / "examples" / "from-conversations.jsonl"
    assert MARK in file.read_text()  # what was approved is the brand's
    assert Review(workspace, log, "acme").counts().approved == 1
    assert expire(workspace, log) == {"acme": 0}


def test_ten_thousand_turns_of_one_person(workspace: Workspace, log: ConversationLog) -> None:
    talk = log.start("acme", "slack", ANA)
    rows = [
        {"conversation": talk, "role": role, "content": f"{MARK} {number}", "created": database.now(),
         "retired": False, "author": ANA if role == "user" else None}
        for number in range(5000) for role in ("user", "assistant")
    ]  # fmt: skip
    log.database.run(lambda c: c.execute(insert(database.turns), rows))
    assert forget_person(workspace, log, ANA).turns == 10_000
    assert log.count() == 0


def test_who_only_spoke_before_an_approved_exchange_is_found_after_it_expired(
    workspace: Workspace, log: ConversationLog
) -> None:
    talk = log.start("acme", "slack", ANA, "slack:T1:C1:1")
    turn = say(
        log, talk, (ANA, f"My daughter likes {MARK}."), ("", "Noted."),
        (BEN, "And what do you like?"), ("", "The lamp."),
    )[-1]  # fmt: skip
    approve(workspace, log, turn)
    log.database.run(lambda connection: connection.execute(update(turns).values(author=None)))
    log.database.run(
        lambda connection: connection.execute(update(conversations).values(author=None))
    )
    assert forget_person(workspace, log, ANA).examples == 1
    examples = workspace.persona("acme") / "examples" / "from-conversations.jsonl"
    assert MARK not in examples.read_text()


def test_a_question_that_is_offered_to_all_is_nobodys(
    workspace: Workspace, log: ConversationLog
) -> None:
    starter = "Which beans are in the shop today?"
    with (workspace.persona("acme") / "persona.yaml").open("a") as stream:
        stream.write(f"starters: ['{starter}']\n")
    numbers = []
    for person in (ANA, BEN):
        talk = log.start("acme", "slack", person)
        numbers.append(say(log, talk, (person, starter), ("", f"Beans for {person[-3:]}."))[1])
    approve(workspace, log, numbers[1])
    found = forget_person(workspace, log, ANA)
    assert found.turns == 2 and found.blanked == 0 and found.versions == []


@pytest.mark.parametrize("person", ["slack:", "slack:T1", "slack:T1:", "slack::U1"])
def test_half_a_name_forgets_nobody(
    workspace: Workspace, log: ConversationLog, person: str
) -> None:
    Claims(log.database).claim("slack:T1:C1:1.0", {"team": "T1", "user": "U2", "text": "hi"})
    with pytest.raises(LogError, match="slack:TEAM:USER"):
        forget_person(workspace, log, person)


def say_on(side: str, words: str) -> str:
    """The words with a number that puts them on a side of the split."""
    return next(
        said for n in range(200)
        if Example((Message("user", said := words.format(n)), Message("assistant", "."))).split == side
    )  # fmt: skip


def test_votes_about_their_words_go_and_others_stay(
    workspace: Workspace, log: ConversationLog
) -> None:
    """What is approved of them may be asked in a taste test, by anybody."""
    question = say_on("test", f"My {MARK} is number {{}}, may it come in?")
    turn = say(log, log.start("acme", "slack", ANA), (ANA, question), ("", "Hm."))[1]
    approve(workspace, log, turn, "It may sit by the door.")
    (asked,) = [talk for talk in prompts(workspace, "acme") if MARK in talk[0].content]

    def vote(prompt: str, left: str) -> None:
        log.add_vote(persona="acme", prompt=prompt, left_version="0001", right_version="0002",
                     left_text=left, right_text="Yes.", choice="left", voter="marta")  # fmt: skip

    vote(asked[0].content, "It may.")
    vote("And you?", f"I was asked: my {MARK} is number {question.split()[4]} may it come in?")
    vote("Is the lamp lit tonight?", "Every night.")
    assert forget_person(workspace, log, ANA, dry_run=True).votes == 2
    assert forget_person(workspace, log, ANA).votes == 2
    assert MARK not in dump(log)
    assert [vote["prompt"] for vote in log.votes("acme")] == ["Is the lamp lit tonight?"]


def test_examples_in_subfolders_are_found(workspace: Workspace, log: ConversationLog) -> None:
    turn = say(log, log.start("acme", "slack", ANA), (ANA, f"Any {MARK}?"), ("", "Some."))[1]
    approve(workspace, log, turn)
    examples = workspace.persona("acme") / "examples"
    (examples / "2026").mkdir()
    file = (examples / "from-conversations.jsonl").rename(examples / "2026" / "november.jsonl")
    assert forget_person(workspace, log, ANA).examples == 1
    assert file.read_text() == ""


def test_a_report_that_quotes_what_was_cleaned_in_spanish_is_named(
    workspace: Workspace, log: ConversationLog
) -> None:
    (workspace.persona("acme") / "persona.yaml").write_text("name: Acme\nlanguage: es\n")
    said = f"Soy Ana, vivo en {MARK} y me podéis escribir a ana@correo.es"
    say(log, log.start("acme", "slack", ANA), (ANA, said), ("", "Vale."))
    make_version(workspace, "0001", {}, said.replace("ana@correo.es", "[correo]"))
    make_version(workspace, "0002", {}, "Soy Eva, vivo aquí y me podéis escribir a [correo]")
    assert forget_person(workspace, log, ANA).versions == [Named("acme", "0001", "report")]


def test_who_repeats_what_the_brand_says_takes_nothing_of_others_along(
    workspace: Workspace, log: ConversationLog
) -> None:
    """Ben's review once lost its texts when Eve, who had asked about the reply, was forgotten."""
    written = "Ring twice, and mind the gull on the third step."
    replied, better = "The mugs are painted by hand.", "Mugs stand by the door, beside the lamp."
    file = workspace.persona("acme") / "examples" / "talk.jsonl"
    file.write_text(json.dumps({"prompt": "How do I get in?", "completion": written}))
    ben = log.start("acme", "slack", BEN)
    mugs = say(log, ben, (BEN, "Is there a mug?"), ("", replied))[1]
    approve(workspace, log, mugs, better)
    own = f"I am Eve of {MARK}."
    told = f"Your bot says: {replied} And: {better} And: {written} {own}"
    say(log, log.start("acme", "slack", "slack:T1:UEVE"), ("slack:T1:UEVE", told), ("", "Yes."))
    door = say(log, ben, (BEN, "The door?"), ("", written))[1]  # after Eve, and still the brand's
    approve(workspace, log, door)
    named = say(log, ben, (BEN, "Who else was here?"), ("", "Somebody."))[1]
    approve(workspace, log, named, f"One who said: {own}")
    assert forget_person(workspace, log, "slack:T1:UEVE").blanked == 1
    assert MARK not in dump(log) and better in dump(log) and written in dump(log)


def test_what_is_approved_while_somebody_is_forgotten_goes_too(
    workspace: Workspace, log: ConversationLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = say(log, log.start("acme", "slack", ANA), (ANA, f"Any {MARK}?"), ("", "Some."))[1]
    look = forget._versions

    def look_and_approve(*args: Any) -> list[Named]:  # after the files, before the database
        approve(workspace, log, turn)
        return look(*args)

    make_version(workspace, "0001", {})
    monkeypatch.setattr(forget, "_versions", look_and_approve)
    assert forget_person(workspace, log, ANA).examples == 1
    assert files_with(workspace.persona("acme"), MARK) == []


def test_who_asks_again_has_the_files_cleaned_that_somebody_was_reading(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call once found nothing more of them and left the file as it was."""
    monkeypatch.setattr(database, "LOCK_WAIT_SECONDS", 0.2)
    log = ConversationLog(workspace.database_url)
    say(log, log.start("acme", "slack", ANA), (ANA, f"Any {MARK}?"), ("", "Some."))
    make_version(workspace, "0001", {"from_conversations": [{"author": pseudonym(ANA)}]})
    log.close()
    log = ConversationLog(workspace.database_url)
    file = workspace.home / "brandbot.db"
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    done = forget_person(workspace, log, ANA)
    assert "Ask again" in done.left and done.turns == 2
    assert done.versions == [Named("acme", "0001", "trained")]
    assert MARK.encode() in file.read_bytes()
    reader.close()
    assert not forget_person(workspace, log, ANA).left
    assert MARK.encode() not in file.read_bytes()
    log.close()
