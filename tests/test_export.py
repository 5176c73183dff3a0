"""Exports: what is in them, what is not, and that datasets and TRL's columns agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from brandbot import database
from brandbot.conversations import ConversationLog
from brandbot.errors import BrandbotError
from brandbot.export import FORMS, Exported, export
from brandbot.review import Review
from brandbot.workspace import Workspace

YAML = "name: Acme\nlanguage: en\nreview: {max_author: 0.5, max_unedited: 1}\n"
VOICE = "You keep a lighthouse."

EXAMPLES = [
    ("Is the lamp lit?", "Every night. So far."),  # train
    ("May I pay later?", "No. But nice try."),  # train
]
TESTED = "Can I sit outside? 4"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "personas" / "acme"
    (folder / "examples").mkdir(parents=True)
    (folder / "persona.yaml").write_text(YAML)
    (folder / "voice.md").write_text(VOICE)
    rows = [{"prompt": prompt, "completion": reply} for prompt, reply in EXAMPLES]
    (folder / "examples" / "talk.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return Workspace(tmp_path)


def talk(log: ConversationLog, *said: str, author: str = "slack:T1:U1") -> list[int]:
    """A conversation, person and bot in turns; the numbers of its turns."""
    conversation = log.start("acme", "slack", author)
    return [
        log.add(
            conversation, "assistant" if n % 2 else "user", words, author=None if n % 2 else author
        )
        for n, words in enumerate(said)
    ]


def exported(
    workspace: Workspace, log: ConversationLog, what: Any, form: Any, **more: Any
) -> tuple[Exported, list[dict[str, Any]]]:
    out = workspace.root / f"{what}.{form}.jsonl"
    done = export(workspace, log, "acme", what, form, out, **more)
    return done, [json.loads(line) for line in out.read_text().splitlines()]


def split_of(prompt: str) -> str:
    from brandbot.examples import Example
    from brandbot.prompt import Message

    return Example((Message("user", prompt), Message("assistant", "."))).split


def prompt_on(side: str) -> str:
    return next(
        p for n in range(200) if split_of(p := f"Is it far to the pier number {n}?") == side
    )


def test_examples_as_training_sees_them(workspace: Workspace, log: ConversationLog) -> None:
    assert [split_of(prompt) for prompt, _ in EXAMPLES] == ["train", "train"]
    done, rows = exported(workspace, log, "examples", "messages")
    assert done == Exported(rows=2)
    assert rows[0] == {
        "messages": [
            {"role": "system", "content": VOICE},
            {"role": "user", "content": "Is the lamp lit?"},
            {"role": "assistant", "content": "Every night. So far."},
        ]
    }
    _, rows = exported(workspace, log, "examples", "sharegpt", system=False)
    assert rows[1] == {
        "conversations": [
            {"from": "human", "value": "May I pay later?"},
            {"from": "gpt", "value": "No. But nice try."},
        ]
    }


def test_each_approved_reply_is_a_completion_and_no_other(
    workspace: Workspace, log: ConversationLog
) -> None:
    said = [
        ("user", prompt_on("train")),
        ("assistant", "Here."),
        ("user", "Where?"),
        ("assistant", "Below."),
    ]
    messages = [{"role": role, "content": content} for role, content in said]
    other = [{**messages[0], "content": prompt_on("train") + " Or near?"}, *messages[1:]]
    assert split_of(other[0]["content"]) == "train"
    file = workspace.persona("acme") / "examples" / "more.jsonl"
    approved = {"messages": other, "provenance": {"turn": 7, "edited": True, "author": "abc"}}
    file.write_text(
        json.dumps({"messages": messages, "facts": ["Pier: far"]})
        + "\n"
        + json.dumps(approved)
        + "\n"
    )
    _, rows = exported(workspace, log, "examples", "prompt-completion", system=False)
    assert rows[:3] == [
        {"prompt": messages[:1], "completion": [messages[1]]},
        {
            "prompt": [*messages[:2], {"role": "user", "content": "Facts:\n- Pier: far\n\nWhere?"}],
            "completion": [messages[3]],
        },
        {"prompt": other[:3], "completion": [messages[3]]},
    ]  # fmt: skip
    assert len(rows) == 5 and "abc" not in json.dumps(rows)


def test_what_is_tested_with_and_what_is_over_the_limits_stays(
    workspace: Workspace, log: ConversationLog
) -> None:
    folder = workspace.persona("acme") / "examples"
    tested = prompt_on("test")
    (folder / "held.jsonl").write_text(json.dumps({"prompt": tested, "completion": "Far."}))
    lines = []
    for number in range(6):  # six of one person's: with two others, at most half of what is kept
        words = f"What about boat {number}?"
        lines.append(
            {
                "prompt": words,
                "completion": "It floats.",
                "provenance": {"turn": number, "author": "me"},
            }
        )
    (folder / "from-conversations.jsonl").write_text("\n".join(map(json.dumps, lines)))
    train = sum(split_of(line["prompt"]) == "train" for line in lines)
    test = sum(split_of(line["prompt"]) == "test" for line in lines)
    assert train >= 4
    done, rows = exported(workspace, log, "examples", "messages")
    assert done.left_out == {"author-share": train - 2, "test": 1, "unedited-share": 6 - train}
    assert test
    assert done.rows == len(rows) == 4 + 6 - train - test


def test_conversations_that_stand_without_personal_data(
    workspace: Workspace, log: ConversationLog
) -> None:
    (workspace.persona("acme") / "persona.yaml").write_text(YAML.replace("0.5", "1"))
    talk(log, "I am ana@correo.es, hello", "Evening, ana@correo.es.", "Bye", "Mind the step.")
    talk(log, "Only a question")  # nobody answered
    turns = talk(log, "What is strong?", "The wrong one.", "Sure?", "The tide.")
    gone = update(database.turns).where(database.turns.c.id.in_(turns[2:]))
    log.database.run(lambda connection: connection.execute(gone.values(retired=True)))
    talk(log, "What is strong?", "The wrong one.")
    log.start("other", "web")
    done, rows = exported(workspace, log, "conversations", "messages", system=False)
    assert rows[0]["messages"] == [
        {"role": "user", "content": "I am [email], hello"},
        {"role": "assistant", "content": "Evening, [email]."},
        {"role": "user", "content": "Bye"},
        {"role": "assistant", "content": "Mind the step."},
    ]
    assert [m["content"] for m in rows[1]["messages"]] == ["What is strong?", "The wrong one."]
    assert done == Exported(rows=2, cleaned=1, left_out={"unanswered": 1, "duplicate": 1})
    assert "slack:T1:U1" not in json.dumps(rows)


def test_what_a_reviewer_rejected_and_all_after_it_stays(
    workspace: Workspace, log: ConversationLog
) -> None:
    good = talk(
        log, "Do you sell tea?", "Leaves, not bags.", "And soup?", "SOUP FOR ALL", "Oh?", "Yes."
    )
    bad = talk(log, "Buy gold?", "GOLD AT GOLDSHOP")
    like = talk(log, "Buy gold?", "GOLD AT GOLDSHOP")
    review = Review(workspace, log, "acme")
    first = review.exchange(good[3])
    assert first is not None
    review.decide(first, "rejected", "rita")
    second = next(x for x in review.queue() if x.turn in (bad[1], like[1]))
    assert second.like == (bad[1],)
    review.decide(second, "rejected", "rita")
    done, rows = exported(workspace, log, "conversations", "messages", system=False)
    assert [[m["content"] for m in row["messages"]] for row in rows] == [
        ["Do you sell tea?", "Leaves, not bags."]
    ]
    assert done.left_out == {"rejected": 3}


def test_likes_and_dislikes_are_labels(workspace: Workspace, log: ConversationLog) -> None:
    said = talk(
        log, "Do you sell tea?", "Leaves, not bags.", "And soup?", "No soup.", "Why?", "Tide."
    )
    log.judge(said[1], "like")
    log.judge(said[3], "like")
    log.judge(said[3], "dislike", reason="cold")
    log.judge(said[5], "like")
    log.judge(said[5], "withdrawn")
    done, rows = exported(workspace, log, "conversations", "kto", system=False)
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
        ("Leaves, not bags.", True),
        ("No soup.", False),
    ]
    assert len(rows[1]["prompt"]) == 3 and done.left_out == {"unjudged": 1}


def approved(workspace: Workspace, log: ConversationLog) -> None:
    review = Review(workspace, log, "acme")
    for number, (said, reply) in enumerate((
        (("What is strong?", "Our coffee!!!"), "The dark one. And the tide."),
        (("What is strong?", "Our coffee!!!"), "The dark one. And the tide."),  # once is enough
        (("Who are you?", "The keeper."), None),  # approved as it was
        (("Are you open late?", "Call 612 345 678!!!"), "Till the lamp is lit."),
    )):  # fmt: skip
        exchange = review.exchange(talk(log, *said, author=f"slack:T1:U{number}")[1])
        assert exchange is not None
        review.decide(exchange, "approved", "rita", reply=reply)
    exchange = review.exchange(talk(log, "Any cake?", "Cake!!!")[1])
    assert exchange is not None
    review.decide(exchange, "approved", "rita", reply="Till it is gone.")
    review.undo("rita")


def test_edited_replies_are_preferred_to_the_bots(
    workspace: Workspace, log: ConversationLog
) -> None:
    approved(workspace, log)
    done, rows = exported(workspace, log, "preferences", "dpo")
    assert done == Exported(rows=2, left_out={"unchanged": 1, "duplicate": 1})
    assert rows[0] == {
        "prompt": [
            {"role": "system", "content": VOICE},
            {"role": "user", "content": "What is strong?"},
        ],
        "chosen": [{"role": "assistant", "content": "The dark one. And the tide."}],
        "rejected": [{"role": "assistant", "content": "Our coffee!!!"}],
    }
    assert rows[1]["rejected"][0]["content"] == "Call [phone number]!!!"
    assert "rita" not in json.dumps(rows)
    done, rows = exported(workspace, log, "preferences", "kto", system=False)
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
        ("The dark one. And the tide.", True),
        ("Our coffee!!!", False),
        ("Till the lamp is lit.", True),
        ("Call [phone number]!!!", False),
    ]


def test_a_tested_prompt_is_exported_from_nowhere(
    workspace: Workspace, log: ConversationLog
) -> None:
    tested = prompt_on("test")
    held = {"prompt": tested, "completion": "Far."}
    (workspace.persona("acme") / "examples" / "held.jsonl").write_text(json.dumps(held))
    said = talk(log, "Hello", "Evening.", tested.upper(), "Near!")
    log.judge(said[3], "dislike")
    review = Review(workspace, log, "acme")
    exchange = review.exchange(said[3])
    assert exchange is not None
    review.decide(exchange, "approved", "rita", reply="Far.")
    for what, form in (
        ("conversations", "messages"),
        ("conversations", "kto"),
        ("preferences", "dpo"),
    ):
        done, rows = exported(workspace, log, what, form)
        assert rows == [] and done.left_out["in-test-split"] == 1


COLUMNS = {
    "messages": {"messages": ["content", "role"]},
    "prompt-completion": {"prompt": ["content", "role"], "completion": ["content", "role"]},
    "sharegpt": {"conversations": ["from", "value"]},
    "dpo": {"prompt": ["content", "role"], "chosen": ["content", "role"], "rejected": ["content", "role"]},
    "kto": {"prompt": ["content", "role"], "completion": ["content", "role"], "label": "bool"},
}  # fmt: skip


@pytest.mark.parametrize(("what", "form"), [(w, f) for w, forms in FORMS.items() for f in forms])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_combination_loads_with_trls_columns(
    workspace: Workspace, log: ConversationLog, tmp_path: Path, what: Any, form: Any
) -> None:
    import datasets

    approved(workspace, log)
    log.judge(talk(log, "Any cake left?", "Some.")[1], "like")
    done, rows = exported(workspace, log, what, form)
    file = str(tmp_path / f"{what}.{form}.jsonl")
    loaded = datasets.load_dataset(
        "json", data_files=file, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded.num_rows == done.rows == len(rows) > 0
    assert set(loaded.column_names) == set(COLUMNS[form])
    for column, expected in COLUMNS[form].items():
        feature = loaded.features[column]
        if expected == "bool":
            assert feature.dtype == "bool"
        else:
            (inner,) = [feature.feature] if hasattr(feature, "feature") else feature
            assert sorted(inner) == expected
    assert [dict(row) for row in loaded] == rows


def test_combinations_that_make_no_sense_are_refused(
    workspace: Workspace, log: ConversationLog, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    for what, form, told in (
        (
            "examples",
            "dpo",
            r"examples don't come as 'dpo'.*messages, prompt-completion, sharegpt.*preferences",
        ),
        ("preferences", "messages", r"dpo, kto.*messages is a format of: examples, conversations"),
        ("conversations", "yaml", r"Choose one of: messages, prompt-completion, sharegpt, kto\.$"),
        ("likes", "kto", r"'likes' can't be exported.*examples, conversations, preferences"),
    ):
        with pytest.raises(BrandbotError, match=told):
            export(workspace, log, "acme", what, form, out)  # type: ignore[arg-type]
    assert not out.exists()


def test_a_file_is_whole_or_not_there(
    workspace: Workspace, log: ConversationLog, tmp_path: Path
) -> None:
    with pytest.raises(BrandbotError, match="can't be written: No such file"):
        export(workspace, log, "acme", "examples", "messages", tmp_path / "no" / "out.jsonl")
    folder = tmp_path / "taken"
    folder.mkdir()
    with pytest.raises(BrandbotError, match="can't be written"):
        export(workspace, log, "acme", "examples", "messages", folder)
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".taken")]


def test_to_the_standard_output(
    workspace: Workspace, log: ConversationLog, capsys: pytest.CaptureFixture[str]
) -> None:
    export(workspace, log, "acme", "examples", "messages", "-")
    assert [len(json.loads(line)["messages"]) for line in capsys.readouterr().out.splitlines()] == [
        3,
        3,
    ]


def test_preferences_that_versions_are_tested_with_stay(
    workspace: Workspace, log: ConversationLog
) -> None:
    """Such an exchange went to the test side when it was approved."""
    review = Review(workspace, log, "acme")
    exchange = review.exchange(talk(log, prompt_on("test"), "Far!!!")[1])
    assert exchange is not None
    assert review.decide(exchange, "approved", "rita", reply="Two waves.").code == "written-test"
    done, rows = exported(workspace, log, "preferences", "dpo")
    assert rows == [] and done.left_out == {"in-test-split": 1}


def test_one_persons_preferences_are_within_their_share(
    workspace: Workspace, log: ConversationLog
) -> None:
    """Their examples are, and what is not trained is not exported either: the oldest here."""
    review = Review(workspace, log, "acme")
    for said, reply in (
        (("Open tonight?", "Sure!!!"), "If the wind lets us."),
        (("Are you open late?", "Yes!!!"), "Till the lamp is lit."),
        (("Which is strong?", "This!!!"), "The dark one. And the tide."),
    ):
        exchange = review.exchange(talk(log, *said, author="slack:T1:MALLORY")[1])
        assert exchange is not None
        review.decide(exchange, "approved", "rita", reply=reply)
    done, rows = exported(workspace, log, "preferences", "dpo")
    assert done.left_out == {"author-share": 1}
    assert [row["chosen"][0]["content"] for row in rows] == [
        "Till the lamp is lit.", "The dark one. And the tide.",
    ]  # fmt: skip  # two of the four that are left, as max_author says here


def test_one_persons_conversations_are_no_more_than_their_share(
    workspace: Workspace, log: ConversationLog
) -> None:
    """max_author is a half here: of what is exported and the two examples beside it."""
    for number in range(9):
        talk(log, f"{prompt_on('train')} Really {number}?", "So far.", author="slack:T1:MALLORY")
    talk(log, prompt_on("train"), "Round the bay.", author="slack:T1:BEN")
    held = sum(split_of(f"{prompt_on('train')} Really {n}?") == "test" for n in range(9))
    done, rows = exported(workspace, log, "conversations", "messages", system=False)
    assert done.left_out["author-share"] == 9 - held - 3 and len(rows) == 4
    assert done.left_out.get("in-test-split", 0) == held
    last = [row["messages"][0]["content"] for row in rows]
    assert any("Round the bay" in str(row) for row in rows) and "Really 8?" in str(last)


def test_the_brands_own_contacts_stay(workspace: Workspace, log: ConversationLog) -> None:
    """As in the review, and as the loop's page says: other people's go."""
    folder = workspace.persona("acme")
    (folder / "voice.md").write_text("Ring 020 7946 0958, or write to hello@acme-beds.com.")
    reply = "Ring 02079460958, or write to hello@acme-beds.com."
    row = {"prompt": "I am on 07911 123456, I say. May I ring?", "completion": reply}
    assert split_of(row["prompt"]) == "train"
    (folder / "examples" / "talk.jsonl").write_text(json.dumps(row))
    done, (written,) = exported(workspace, log, "examples", "messages", system=False)
    assert [message["content"] for message in written["messages"]] == [
        "I am on [phone number], I say. May I ring?", reply,
    ]  # fmt: skip
    assert done == Exported(rows=1, cleaned=1)


def test_preferences_are_what_the_file_says_today(
    workspace: Workspace, log: ConversationLog
) -> None:
    """What somebody took out of the examples by hand was once exported all the same."""
    review = Review(workspace, log, "acme")
    exchange = review.exchange(talk(log, prompt_on("train"), "Nobody!!!")[1])
    assert exchange is not None
    review.decide(exchange, "approved", "rita", reply="Maria Fuentes bakes it.")
    review.file.write_text(review.file.read_text().replace("Maria Fuentes", "Our baker"))
    _, (row,) = exported(workspace, log, "preferences", "dpo")
    assert row["chosen"][0]["content"] == "Our baker bakes it."
    review.file.write_text("")
    done, rows = exported(workspace, log, "preferences", "dpo")
    assert rows == [] and done.left_out == {"taken-out": 1}


def test_a_conversation_that_was_rejected_is_counted_once(
    workspace: Workspace, log: ConversationLog
) -> None:
    review = Review(workspace, log, "acme")
    exchange = review.exchange(talk(log, prompt_on("train"), "Nobody!!!")[1])
    assert exchange is not None
    review.decide(exchange, "rejected", "rita")
    done, rows = exported(workspace, log, "conversations", "messages")
    assert rows == [] and done.left_out == {"rejected": 1}


def test_progress_is_told_row_by_row(
    workspace: Workspace, log: ConversationLog, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    done = export(
        workspace, log, "acme", "examples", "messages", tmp_path / "out.jsonl",
        progress=lambda number, total: told.append((number, total)),
    )  # fmt: skip
    assert done.rows == len(told) > 1
    assert told == [(number, len(told)) for number in range(len(told))]
