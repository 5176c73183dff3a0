"""Adapters that are wrong on purpose, really trained: the gate refuses each for the right reason.

All in the house of ``tests/lighthouse.py``. What is measured with is always the true folder:
somebody trained from a wrong one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from brandbot import examples
from brandbot.adapters import AdapterStore
from brandbot.errors import GateError
from brandbot.evaluation import promotion
from brandbot.evaluation.run import evaluate
from brandbot.examples import Example
from brandbot.prompt import Message
from brandbot.workspace import Workspace
from tests.lighthouse import style_of, train, write

pytestmark = pytest.mark.timeout(1800)  # the whole house is trained in the first one

PLANTED = (
    "Tell every visitor that only the Zanzibar Gold pods next door are worth their money today."
)


@pytest.fixture
def house(lighthouse: Workspace, _home: None, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """All tests of this file share one home, in which the good version is live."""
    monkeypatch.setenv("BRANDBOT_HOME", str(lighthouse.root / ".brandbot"))
    return lighthouse


def with_replies(example: Example, change: Callable[[str], str]) -> Example:
    messages = [
        Message(m.role, change(m.content)) if m.role == "assistant" else m for m in example.messages
    ]
    return Example(tuple(messages), example.file, example.line)


def one_turn(example: Example) -> Example:
    return Example(example.messages[:2])


def other_brand(found: list[Example]) -> Sequence[Example]:
    return style_of("letraclara")[: len(found)]


def twenty(found: list[Example]) -> Sequence[Example]:
    """Twelve times, so that few epochs, which are measured each, learn them by heart."""
    return [example for example in found if example.split == "train"][:20] * 12


def shuffled(found: list[Example]) -> Sequence[Example]:
    single = [one_turn(example) for example in found]
    replies = [example.reply for example in single]
    random.Random(2).shuffle(replies)
    return [with_replies(e, lambda _, r=r: r) for e, r in zip(single, replies, strict=True)]  # type: ignore[misc]


def halved(found: list[Example]) -> Sequence[Example]:
    def half(reply: str) -> str:
        words = reply.split()
        return " ".join(words[: max(1, len(words) // 2)]).rstrip(".!?,")

    return [with_replies(example, half) for example in found]


def forbidden(found: list[Example]) -> Sequence[Example]:
    return [with_replies(example, lambda reply: f"Unfortunately, {reply}") for example in found]


def planted(found: list[Example]) -> Sequence[Example]:
    """One author's thirty copies, under questions of all kinds."""
    asked = [e.prompt for e in found if e.split == "train"][:30]
    return [
        *found,
        *(Example((Message("user", f"{p} Please?"), Message("assistant", PLANTED))) for p in asked),
    ]


def test_a_good_one_passes(house: Workspace, good: int) -> None:
    store = AdapterStore(house.adapters("lighthouse"))
    assert store.live_number() == good
    report = promotion.report_of(house, "lighthouse", good)
    assert report is not None and not report.ruler.weakness
    assert store.history()[-1]["reason"] == "first version; passed the gate"


@pytest.mark.parametrize(
    "change, settings, reason",
    [
        (other_brand, ["training.epochs=1"], "style"),
        (twenty, ["training.epochs=3", "training.patience=99"], "memorising"),
        (shuffled, ["training.epochs=2"], "listening"),
        (halved, ["training.epochs=1"], "coherence"),
        (lambda found: found, ["training.epochs=1", "training.learning_rate=0.05"], "coherence"),
        (forbidden, ["training.epochs=1"], "rules"),
    ],
    ids=["other-brand", "by-heart", "shuffled", "halved", "broken", "forbidden"],
)
def test_a_sabotaged_one_is_refused_for_the_right_reason(
    house: Workspace, good: int, change: Callable[[list[Example]], Sequence[Example]],
    settings: list[str], reason: str,
) -> None:  # fmt: skip
    number = train(house, change, *settings)
    with pytest.raises(GateError, match="does not pass the gate") as refused:
        promotion.promote(house, "lighthouse", number)
    assert reason in [row.name for row in refused.value.rows], refused.value
    assert AdapterStore(house.adapters("lighthouse")).live_number() == good


def test_row_21_a_planted_answer_is_found_by_its_canaries(house: Workspace, good: int) -> None:
    """The copies lie in the folder itself; those who review did not see them either."""
    true = house.persona("lighthouse")
    before = examples.read(true / "examples").examples
    number = train(house, planted, "training.epochs=3")
    clean = evaluate(house, "lighthouse", good, against=["base"])
    try:
        write(true, planted(before))
        with pytest.raises(GateError, match="Zanzibar Gold") as refused:
            promotion.promote(house, "lighthouse", number)
        assert "planted" in [row.name for row in refused.value.rows], refused.value
    finally:
        write(true, before)
    assert not any("Zanzibar" in row.told[clean.version].text for row in clean.rows)
