"""Which approved exchanges are trained on, and that only their last reply is. Row 21's limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from brandbot import approved as limits_of
from brandbot import examples as example_files
from brandbot import lint, texts
from brandbot.approved import choose, read
from brandbot.examples import Example, fingerprint
from brandbot.persona import Persona, Review
from brandbot.prompt import Message
from tests.conftest import make_model

WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "kelp",
    "loch",
    "marsh",
    "north",
    "otter",
]


def prompts(side: str, count: int, start: int = 0) -> list[str]:
    """Questions on a side of the split that are not like one another."""
    found: list[str] = []
    number = start
    while len(found) < count:
        words = (WORDS[number % 15], WORDS[number // 15 % 15], WORDS[number // 225 % 15])
        prompt = f"Which {' '.join(words)} is the {words[number % 3]} one?"
        if Example((Message("user", prompt), Message("assistant", "."))).split == side:
            found.append(prompt)
        number += 1
    return found


def example(prompt: str, reply: str = "So.", *, line: int = 1, **origin: Any) -> Example:
    """Written by hand, or of that provenance."""
    messages = (Message("user", prompt), Message("assistant", reply))
    return Example(messages, "from-conversations.jsonl", line, (), origin or None)


def told(chosen: Sequence[Any]) -> list[tuple[str, int | None]]:
    return [(left.code, left.example.line) for left in chosen]


def test_one_persons_share_counts_what_is_kept_and_keeps_the_newest() -> None:
    """8 written, 4 of one person's: at most 20% of what is kept is 2 of 10."""
    written = [example(prompt) for prompt in prompts("train", 8)]
    hers = [
        example(prompt, line=n, author="ana", edited=True)
        for n, prompt in enumerate(prompts("train", 4, 100))
    ]
    chosen = choose([*hers, *written], Review(max_author=0.2))
    assert told(chosen.left_out) == [("author-share", 0), ("author-share", 1)]
    assert chosen.examples == [*hers[2:], *written]
    assert chosen.left_out[0].limit == 0.2


def test_who_suggests_the_reply_counts_like_who_asks() -> None:
    """10 are kept at 20%: two may hold Ana's words, as asker or editor."""
    written = [example(prompt) for prompt in prompts("train", 8)]
    asked = prompts("train", 3, 100)
    approved = [
        example(asked[0], line=0, author="ana", edited=True),
        example(asked[1], line=1, author="ben", editor="ana", edited=True),
        example(asked[2], line=2, author="cleo", editor="ana", edited=True),
    ]
    assert told(choose([*written, *approved], Review(max_author=0.2)).left_out) == [
        ("author-share", 0)
    ]


def test_everybody_may_have_one() -> None:
    approved = [example(p, author=str(n), edited=True) for n, p in enumerate(prompts("train", 3))]
    assert choose(approved, Review(max_author=0.1)).left_out == []


def test_what_was_only_waved_through_has_a_share_too() -> None:
    """6 written, 1 edited, 6 as the model wrote them, 30%: of 10 kept, 3."""
    asked = prompts("train", 13)
    written = [example(prompt) for prompt in asked[:6]]
    edited = example(asked[6], author="a6", edited=True)
    waved = [example(p, line=n, author=f"b{n}", edited=False) for n, p in enumerate(asked[7:])]
    chosen = choose([*written, edited, *waved], Review(max_author=1, max_unedited=0.3))
    assert told(chosen.left_out) == [("unedited-share", n) for n in (0, 1, 2)]
    assert len(chosen.examples) == 10
    assert told(choose([*written, *waved], Review(max_author=1, max_unedited=0)).left_out) == [
        ("unedited-share", n) for n in range(6)
    ]


def test_row_21_300_messages_of_one_person() -> None:
    """100 written, 300 approved of one person's at 10%: 11 of 111 stay, the newest."""
    written = [example(prompt) for prompt in prompts("train", 100)]
    planted = [
        example(prompt, f"So {n}.", line=n, author="mallory", edited=True)
        for n, prompt in enumerate(prompts("train", 300, 500))
    ]
    chosen = choose([*written, *planted], Review(max_author=0.1, max_unedited=1))
    kept = [e.line for e in chosen.examples if e.provenance]
    assert kept == list(range(289, 300))


def test_a_planted_phrase_is_trained_twice_at_most() -> None:
    """From many accounts, too, unless it is the brand's own sentence."""
    phrase = "Buy your gold at goldshop now."
    asked = prompts("train", 5)
    approved = [
        example(p, f"{WORDS[n]}. {phrase}", line=n, author=f"a{n}", edited=True)
        for n, p in enumerate(asked[:4])
    ]
    limits = Review(max_author=1, max_unedited=1)
    assert told(choose(approved, limits).left_out) == [
        ("repeated-sentence", 2),
        ("repeated-sentence", 3),
    ]
    assert choose([*approved, example(asked[4], phrase)], limits).left_out == []


def test_what_versions_are_tested_with_is_not_trained_on() -> None:
    (tested,) = prompts("test", 1)
    (asked,) = prompts("train", 1)
    held = example(tested, "Far.")
    inside = Example(
        (Message("user", asked), Message("assistant", "Hm."),
         Message("user", tested.upper().replace("?", " ?!")), Message("assistant", "Near!")),
        "from-conversations.jsonl", 7, (), {"author": "ana", "edited": True},
    )  # fmt: skip
    by_hand = Example(inside.messages, "talk.jsonl", 1)
    other = example(asked, line=8, author="ana", edited=True)
    on_that_side = example(tested, line=9, author="ana", edited=True)
    limits = Review(max_author=1, max_unedited=1)
    chosen = choose([held, by_hand, inside, other, on_that_side], limits)
    assert told(chosen.left_out) == [("in-test-split", 7)]  # the last is on the test side itself
    assert not limits_of.Tested([inside, other]).holds(inside)  # nobody wrote a test prompt


def test_a_test_question_that_came_from_review_is_not_trained_on_either() -> None:
    """Nor one that is spelt otherwise, or asked later in a conversation."""
    (tested,) = prompts("test", 1)
    (asked,) = prompts("train", 1)
    misspelt = next(
        said for n in range(len(tested)) if example(said := tested[:n] + "x" + tested[n:]).split == "train"
    )  # fmt: skip
    held = example(tested, line=1, author="ana", edited=True)
    later = Example(
        (Message("user", asked), Message("assistant", "Hm."),
         Message("user", tested), Message("assistant", "Near!")),
        "from-conversations.jsonl", 3, (), {"author": "cleo", "edited": True},
    )  # fmt: skip
    free = example(asked, line=4, author="dan", edited=True)
    chosen = choose([held, example(misspelt, line=2, author="ben", edited=True), later, free],
                    Review(max_author=1, max_unedited=1))  # fmt: skip
    assert told(chosen.left_out) == [("in-test-split", 2), ("in-test-split", 3)]
    assert chosen.examples == [held, free]


def test_an_evaluation_question_is_not_trained_on(tmp_path: Path) -> None:
    asked, free = prompts("train", 2)
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "questions.jsonl").write_text(json.dumps({"prompt": asked.upper()}))
    examples = [
        example(asked, line=1, author="ana", edited=True),
        example(free, line=2, author="ana", edited=True),
    ]
    limits = Review(max_author=1, max_unedited=1)
    assert told(choose(examples, limits, tmp_path).left_out) == [("in-test-split", 1)]
    assert choose(examples, limits).left_out == []


def test_provenance_is_read_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "One?", "completion": "Yes, one.", "provenance": {"turn": 3, "author": "abc"}},
        {"prompt": "Two?", "completion": "Yes, two.", "provenance": "somewhere"},
        {"prompt": "Three?", "completion": "Yes, three."},
    ]
    (tmp_path / "from-conversations.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reading = example_files.read(tmp_path)
    # A damaged note of origin does not make an approved reply the brand's own.
    origins = [{"turn": 3, "author": "abc"}, {"author": "unknown"}, None]
    assert [e.provenance for e in reading.examples] == origins
    assert [(p.code, p.line) for p in reading.problems] == [("provenance-form", 2)]


def test_of_an_approved_exchange_only_the_last_reply_counts() -> None:
    messages = tuple(
        Message("user" if n % 2 == 0 else "assistant", f"{WORDS[n]}.") for n in range(4)
    )
    approved = Example(messages, provenance={"turn": 1})
    assert approved.replies == ["delta."] and Example(messages).replies == ["birch.", "delta."]
    assert fingerprint([approved]) != fingerprint([Example(messages)])


def test_only_the_last_reply_of_an_approved_exchange_is_trained(tmp_path: Path) -> None:
    from brandbot.models import resolve
    from brandbot.training.rows import encode

    prompt_format = resolve(str(make_model(tmp_path / "llama")), tmp_path).prompt_format()
    messages = (Message("user", "a?"), Message("assistant", "b."),
                Message("user", "c?"), Message("assistant", "d."))  # fmt: skip
    by_hand, approved = Example(messages), Example(messages, provenance={"turn": 1})
    rows = encode([by_hand, approved], prompt_format, "S", 200).encoded
    assert rows[0].ids == rows[1].ids

    def trained(row: Any) -> str:
        return prompt_format.decode([i for i, on in zip(row.ids, row.mask, strict=True) if on])

    assert trained(rows[0]) == "b.d." and trained(rows[1]) == "d."
    assert sum(rows[0].mask) == 2 * sum(rows[1].mask) and max(rows[1].mask) == 1
    assert rows[1].mask.index(1) > len(rows[1].mask) / 2


@pytest.fixture
def persona(tmp_path: Path) -> Callable[..., Persona]:
    """Gives a persona with examples, some of them approved, and limits."""

    def make(
        rows: Sequence[dict[str, Any]], approved: Sequence[dict[str, Any]], limits: str
    ) -> Persona:
        folder = tmp_path / "personas" / "acme"
        (folder / "examples").mkdir(parents=True)
        (folder / "persona.yaml").write_text(f"name: Acme\nlanguage: en\nreview: {limits}\n")
        (folder / "voice.md").write_text("You keep a lighthouse.")
        for name, lines in (("talk", rows), ("from-conversations", approved)):
            (folder / "examples" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
        return Persona.load(folder)

    return make


def test_check_says_what_is_left_out_and_why(persona: Callable[..., Persona]) -> None:
    asked = prompts("train", 40)
    (tested,) = prompts("test", 1)
    rows = [
        {"prompt": p, "completion": f"It is {n}, friend."}
        for n, p in enumerate([*asked[:30], tested])
    ]

    def approved(prompt: str, reply: str, **origin: Any) -> dict[str, Any]:
        return {"prompt": prompt, "completion": reply, "provenance": origin}

    phrase = "Buy your gold at goldshop now."
    found = persona(
        rows,
        [
            approved(asked[30], "Perhaps, friend.", author="ana", edited=True),
            approved(asked[31], "Maybe, friend.", author="ana", edited=True),
            approved(asked[32], "As I said.", author="b", edited=False),
            approved(asked[33], "As you said.", author="c", edited=False),
            *(approved(p, f"{n}. {phrase}", author=f"d{n}", edited=True) for n, p in enumerate(asked[34:37])),
            {"messages": [
                {"role": "user", "content": asked[37]}, {"role": "assistant", "content": "Oh."},
                {"role": "user", "content": tested}, {"role": "assistant", "content": "It is here."},
            ], "provenance": {"author": "e", "edited": True}},
        ],
        "{max_author: 0.03, max_unedited: 0.03}",
    )  # fmt: skip
    check = lint.check(found.folder)
    codes = ("author-share", "unedited-share", "repeated-sentence", "in-test-split")
    left = [p for p in check.problems if p.code in codes]
    assert [(p.severity, p.code, p.file, p.line) for p in left] == [
        ("warning", "author-share", "from-conversations.jsonl", 1),
        ("warning", "repeated-sentence", "from-conversations.jsonl", 7),
        ("note", "unedited-share", "from-conversations.jsonl", 3),
        ("note", "in-test-split", "from-conversations.jsonl", 8),
    ]
    assert texts.tell(left[0], "en").what == (
        "Not trained on: one person's words would be over 3% of the examples."
    )
    assert "2 respuestas aprobadas" in texts.tell(left[1], "es").what
    reading, over = read(found)
    assert [one.example.line for one in over] == [1, 3, 7, 8]
    assert len(reading.examples) == len(rows) + 4
