"""The blind taste test: pairs, votes, shares and ratings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brandbot.bot import Bot
from brandbot.errors import BrandbotError
from brandbot.taste import Taste, prompts, rate
from brandbot.workspace import Workspace


@pytest.fixture
def test(trained: Path) -> Iterator[Taste]:
    bot = Bot(Workspace(trained), engine="llamacpp")
    yield Taste(bot)
    bot.close()


def votes(*choices: tuple[str, str, str]) -> list[dict[str, str]]:
    return [
        {"left_version": left, "right_version": right, "choice": choice}
        for left, right, choice in choices
    ]


def test_a_pair_is_two_answers_to_a_prompt_nobody_trained_on(test: Taste) -> None:
    pair = test.pair("acme", "1", "base", "ana")
    assert pair is not None and {*pair.versions} == {"0001", "base"} and pair.left and pair.right
    assert pair.conversation in prompts(test.bot.workspace, "acme")
    assert "0001" not in repr(pair) and "base" not in repr(pair)  # blind, also in a log
    again = Taste(test.bot).pair("acme", "base", "1", "ana")
    assert again is not None and (again.left, again.right) == (pair.left, pair.right)


def test_a_vote_is_kept_once_with_who_voted_and_both_answers(test: Taste) -> None:
    pair = test.pair("acme", "1", "base", "ana")
    assert pair is not None
    assert test.vote(pair.id, "left", "ana").versions == pair.versions
    with pytest.raises(BrandbotError, match="judged already"):
        test.vote(pair.id, "right", "ana")
    (kept,) = test.bot.log.votes("acme")
    assert (kept["voter"], kept["choice"], kept["left_text"]) == ("ana", "left", pair.left)
    assert kept["left_version"] == pair.versions[0] and kept["right_text"] == pair.right
    other = test.pair("acme", "1", "base", "ana")
    assert other is not None and other.conversation != pair.conversation
    results = test.results("acme")
    assert results.votes == 1 and results.ratings[0].version == pair.versions[0]


def test_it_ends_when_every_prompt_was_judged(test: Taste) -> None:
    count = len(prompts(test.bot.workspace, "acme"))
    for _ in range(count):
        pair = test.pair("acme", "1", "base", "ana")
        assert pair is not None
        test.vote(pair.id, "neither", "ana")
    assert test.pair("acme", "1", "base", "ana") is None
    assert test.pair("acme", "1", "base", "ben") is not None
    (duel,) = test.results("acme").duels
    assert duel.share.value == 0.5 and duel.neither == count


def test_a_pair_stops_when_nobody_waits_for_it(test: Taste) -> None:
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    assert test.pair("acme", "1", "base", "ana", stopped) is None
    assert asked < 10
    assert test.pair("acme", "1", "base", "ana") is not None


@pytest.mark.parametrize("one, other", [("1", "1"), ("1", "x"), ("1", "7")])
def test_what_cant_be_compared_is_a_sentence(test: Taste, one: str, other: str) -> None:
    with pytest.raises(BrandbotError):
        test.pair("acme", one, other, "ana")


def test_sides_are_mixed(test: Taste) -> None:
    """Whose answer stands left follows no pattern a voter could learn."""
    left = set()
    for voter in ("ana", "ben", "cleo", "dan", "eva", "fay"):
        pair = test.pair("acme", "1", "base", voter)
        assert pair is not None
        left.add(pair.versions[0])
    assert left == {"0001", "base"}


def test_ratings_are_those_of_bradley_and_terry() -> None:
    """Three wins to one, with half a win and half a loss against an average one added for each.

    By symmetry the strengths are s and 1/s; solved by hand: 3.5 = 4 s²/(s²+1) + s/(s+1).
    """
    rows = [*votes(*[("a", "b", "left")] * 3), *votes(("b", "a", "left"))]
    first, second = rate(rows)
    assert (first.version, first.won, first.lost) == ("a", 3, 1)
    s = 10 ** ((first.rating.value - 1000) / 400)
    assert 4 * s * s / (s * s + 1) + s / (s + 1) == pytest.approx(3.5, abs=1e-3)
    assert first.rating.value + second.rating.value == pytest.approx(2000, abs=0.1)
    assert first.rating.low < first.rating.value < first.rating.high


def test_who_never_lost_has_a_finite_rating_and_no_votes_none() -> None:
    best, *_ = rate(votes(*[("a", "b", "left")] * 20))
    assert 1100 < best.rating.value < 1700
    assert rate([]) == []


def test_both_bad_is_half_for_each() -> None:
    one, other = rate(votes(("a", "b", "neither"), ("b", "a", "neither")))
    assert one.rating.value == pytest.approx(1000) == other.rating.value
    assert (one.neither, one.won, one.lost) == (2, 0, 0)
