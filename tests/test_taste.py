"""The blind taste test: pairs, votes, shares and ratings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brandbot.bot import Bot
from brandbot.errors import BrandbotError
from brandbot.screen_evaluation import print_tastes
from brandbot.taste import Results, Taste, _duels, prompts, rate
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


@pytest.mark.parametrize("won", [95, 180, 950])
def test_ratings_are_at_their_top_however_many_voted(won: int) -> None:
    """By symmetry the strengths are s and 1/s: won + 0.5 = all · s²/(s²+1) + s/(s+1)."""
    lost = won // 19 if won != 180 else 20
    rows = votes(*[("a", "b", "left")] * won, *[("a", "b", "right")] * lost)
    best, _ = rate(rows)
    s = 10 ** ((best.rating.value - 1000) / 400)
    expected = (won + lost) * s * s / (s * s + 1) + s / (s + 1)
    assert expected == pytest.approx(won + 0.5, abs=1e-6)
    if won == 95:
        assert round(best.rating.value) == 1250


def test_whoever_goes_on_winning_does_not_fall() -> None:
    found = [rate(votes(*[("a", "b", "left")] * n))[0].rating.value for n in (3, 30, 300, 3000)]
    assert found == sorted(found) and found[-1] > found[0] + 300


def test_a_share_of_few_votes_is_not_sure(capsys: pytest.CaptureFixture[str]) -> None:
    """Wilson's interval of 1 of 1: 1 / (1 + 1.96²) = 21%; of 6 of 6, 6 / (6 + 1.96²) = 61%."""
    (one,) = _duels(votes(("a", "b", "left")))
    assert (one.share.value, one.share.high, one.sure) == (1.0, 1.0, False)
    assert one.share.low == pytest.approx(0.2065, abs=1e-3)
    (five,), (six,) = (_duels(votes(*[("b", "a", "right")] * n)) for n in (5, 6))
    assert five.share.low > 0.5 and not five.sure
    assert six.share.low == pytest.approx(0.6097, abs=1e-3) and six.sure
    (close,) = _duels(votes(*[("a", "b", "left")] * 6, *[("a", "b", "right")] * 4))
    # Worked out by hand: 0.6 of 10 is 31% to 83%.
    assert (round(close.share.low, 2), round(close.share.high, 2)) == (0.31, 0.83)
    assert not close.sure
    for unsure in (one, five, close):
        print_tastes(Results("acme", 1, 1, [unsure], []))
        assert "too close to call" in " ".join(capsys.readouterr().out.split())
    print_tastes(Results("acme", 6, 1, [six], []))
    assert "too" not in capsys.readouterr().out


def test_who_never_lost_has_a_finite_rating_and_no_votes_none() -> None:
    best, *_ = rate(votes(*[("a", "b", "left")] * 20))
    assert 1100 < best.rating.value < 1700
    assert rate([]) == []


def test_both_bad_is_half_for_each() -> None:
    one, other = rate(votes(("a", "b", "neither"), ("b", "a", "neither")))
    assert one.rating.value == pytest.approx(1000) == other.rating.value
    assert (one.neither, one.won, one.lost) == (2, 0, 0)
