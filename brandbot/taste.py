"""The blind taste test: two answers to a prompt, whose they are unknown, and a person who chooses.

Prompts are those that no version was trained on: held-out examples, evaluation questions and the
persona's starters. Votes lie in the conversation log, with both answers and who voted, so that the
review can use the answers later.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from brandbot import examples, questions
from brandbot.bot import UNTUNED, Bot
from brandbot.conversations import Choice
from brandbot.errors import BrandbotError, PairGoneError, SameVersionError, VersionError
from brandbot.evaluation import intervals
from brandbot.evaluation.intervals import Measure
from brandbot.prompt import Message
from brandbot.workspace import Workspace

OPEN = 500
"""Pairs that may be shown and not judged yet; beyond that the oldest are forgotten."""

AVERAGE, SPREAD = 1000.0, 400.0

FEWEST = 6
"""Votes before anything is said: six that agree are the fewest that luck alone brings about less
often than once in twenty times (2 · 0.5⁶ = 3%)."""

Z = 1.96
"""Standard deviations around a normal mean within which 95% lie."""

SMALLEST_STEP, MOST_STEPS = 1e-9, 100
"""Where the fit of ratings ends: a step in log strength so small, or so many steps."""


@dataclass(frozen=True)
class Pair:
    """Two answers to the end of ``conversation``. Whose they are is kept from whoever judges."""

    id: str
    persona: str
    conversation: tuple[Message, ...]
    left: str
    right: str
    versions: tuple[str, str] = field(repr=False)

    @property
    def prompt(self) -> str:
        return self.conversation[-1].content


@dataclass(frozen=True)
class Duel:
    """Votes between two versions: the share that ``one`` got, a "neither" counting half."""

    one: str
    other: str
    share: Measure
    neither: int

    @property
    def enough(self) -> bool:
        """Whether there are votes enough to say anything."""
        return self.share.n >= FEWEST

    @property
    def sure(self) -> bool:
        """Whether one of them is ahead, beyond the interval and with votes enough."""
        return self.enough and (self.share.low > 0.5 or self.share.high < 0.5)


@dataclass(frozen=True)
class Rated:
    """A version's rating, 1000 being the average, with its 95% interval."""

    version: str
    rating: Measure
    won: int
    lost: int
    neither: int

    @property
    def enough(self) -> bool:
        """Whether there are votes enough for its interval to mean something."""
        return self.rating.n >= FEWEST


@dataclass(frozen=True)
class Results:
    """What people chose so far for a persona; the best rated version first."""

    persona: str
    votes: int
    voters: int
    duels: list[Duel]
    ratings: list[Rated]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Taste:
    """Makes pairs and keeps votes. A pair's versions stay here until it is judged."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self._open: OrderedDict[str, Pair] = OrderedDict()

    def pair(
        self, persona: str, one: str, other: str, voter: str,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Pair | None:  # fmt: skip
        """The next pair for a voter, or None if there is no prompt left to ask.

        None, too, once ``stopped``, which is asked while the answers are written.

        ``one`` and ``other`` are version numbers, or "base" for the untuned model. Which stands on
        the left, and the order of prompts, is decided by a hash of voter and prompt.
        """
        names = sorted([_version_name(one), _version_name(other)])
        if names[0] == names[1]:
            raise SameVersionError("A taste test takes two different versions.")
        judged = {
            vote["prompt"]
            for vote in self.bot.log.votes(persona)
            if vote["voter"] == voter and {vote["left_version"], vote["right_version"]} == {*names}
        }
        left = [talk for talk in prompts(self.bot.workspace, persona) if _text(talk) not in judged]
        if not left:
            return None
        conversation = min(left, key=lambda talk: _hash(voter, _text(talk)))
        if _hash(voter, *names, _text(conversation)) % 2:
            names.reverse()
        texts = [self._answer(persona, name, names, conversation, stopped) for name in names]
        if stopped():
            return None
        pair = Pair(
            uuid.uuid4().hex, persona, conversation, texts[0], texts[1], (names[0], names[1])
        )
        self._open[pair.id] = pair
        while len(self._open) > OPEN:
            self._open.popitem(last=False)
        return pair

    def vote(self, pair: str, choice: Choice, voter: str) -> Pair:
        """Keeps a voter's choice; returns the pair, whose versions may be told now."""
        if choice not in ("left", "right", "neither"):
            raise BrandbotError(f"A vote is left, right or neither, not {choice!r}.")
        found = self._open.pop(pair, None)
        if found is None:
            raise PairGoneError("This pair was judged already, or shown too long ago.")
        try:
            self.bot.log.add_vote(
                persona=found.persona,
                prompt=_text(found.conversation),
                left_version=found.versions[0],
                right_version=found.versions[1],
                left_text=found.left,
                right_text=found.right,
                choice=choice,
                voter=voter,
            )
        except BrandbotError:  # a full disk: the person can vote again
            self._open[pair] = found
            raise
        return found

    def results(self, persona: str) -> Results:
        """Shares and ratings from all votes for a persona."""
        self.bot.workspace.persona(persona)
        votes = self.bot.log.votes(persona)
        return Results(
            persona, len(votes), len({vote["voter"] for vote in votes}), _duels(votes), rate(votes)
        )

    def _answer(
        self, persona: str, name: str, both: Sequence[str], conversation: Sequence[Message],
        stopped: Callable[[], bool],
    ) -> str:  # fmt: skip
        number = next((int(n) for n in (name, *both) if n != UNTUNED), None)
        if number is None:
            raise VersionError("A taste test needs at least one trained version.")
        voice = self.bot.voice(persona, number)
        seed = _hash(name, _text(conversation)) % 2**31
        reply = self.bot.generate(voice, conversation, untuned=name == UNTUNED, seed=seed)
        for _ in itertools.takewhile(lambda _: not stopped(), reply):
            pass
        reply.close()
        return reply.text.strip()


def prompts(workspace: Workspace, persona: str) -> list[tuple[Message, ...]]:
    """Conversations that wait for an answer and were never trained on."""
    from brandbot.persona import Persona

    folder = workspace.persona(persona)
    every = examples.read(folder / "examples").examples
    trained = {examples.normalise(e.prompt) for e in every if e.split != "test"}
    talks = [example.messages[:-1] for example in every if example.split == "test"]
    asked = [question.prompt for question in questions.read(folder / "evals").questions]
    asked += Persona.load(folder).config.starters
    talks += [(Message("user", text),) for text in asked if examples.normalise(text) not in trained]
    return list({_text(talk): talk for talk in talks}.values())


def rate(votes: Sequence[dict[str, Any]]) -> list[Rated]:
    """Ratings by the Bradley-Terry model, on the scale of chess (400 points: ten to one).

    Fitted by Newton's steps in log strength; half a win and half a loss against an average version
    are added for each, so that one who never lost has a finite rating. "Neither" is half a win for
    both. Intervals by the bootstrap over votes.
    """
    import numpy as np

    names = sorted({vote[side] for vote in votes for side in ("left_version", "right_version")})
    if not names:
        return []
    place = {name: i for i, name in enumerate(names)}
    worth = {"left": 1.0, "right": 0.0, "neither": 0.5}
    rows: Any = np.array(
        [[place[v["left_version"]], place[v["right_version"]], worth[v["choice"]]] for v in votes]
    )

    def fit(drawn: Any) -> Any:
        wins = np.zeros((len(names), len(names)))
        np.add.at(wins, (drawn[:, 0].astype(int), drawn[:, 1].astype(int)), drawn[:, 2])
        np.add.at(wins, (drawn[:, 1].astype(int), drawn[:, 0].astype(int)), 1 - drawn[:, 2])
        games = wins + wins.T
        strength = np.zeros(len(names))  # natural logarithms; the average version's is zero
        for _ in range(MOST_STEPS):
            beats = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
            average = 1 / (1 + np.exp(-strength))
            slope = wins.sum(axis=1) + 0.5 - (games * beats).sum(axis=1) - average
            unsure = games * beats * (1 - beats)
            bend = np.diag(unsure.sum(axis=1) + average * (1 - average)) - unsure
            step = np.linalg.solve(bend, slope)
            strength += np.clip(step, -1, 1)  # far from the top, a whole step may overshoot it
            if np.abs(step).max() < SMALLEST_STEP:
                break
        return AVERAGE + SPREAD / np.log(10) * strength

    found = fit(rows)
    random = np.random.default_rng(intervals.SEED)
    drawn = np.array([fit(rows[random.integers(0, len(rows), len(rows))]) for _ in range(200)])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    rated = []
    for name, i in place.items():
        own = [vote for vote in votes if name in (vote["left_version"], vote["right_version"])]
        neither = sum(vote["choice"] == "neither" for vote in own)
        won = sum(
            vote["choice"] != "neither" and vote[f"{vote['choice']}_version"] == name
            for vote in own
        )
        measure = Measure(float(found[i]), float(low[i]), float(high[i]), len(own))
        rated.append(Rated(name, measure, won, len(own) - won - neither, neither))
    return sorted(rated, key=lambda one: -one.rating.value)


def _duels(votes: Sequence[dict[str, Any]]) -> list[Duel]:
    by_pair: dict[tuple[str, str], list[float]] = {}
    neither: dict[tuple[str, str], int] = {}
    for vote in votes:
        first, second = sorted((vote["left_version"], vote["right_version"]))
        pair = (first, second)
        value = 0.5
        if vote["choice"] != "neither":
            value = float(vote[f"{vote['choice']}_version"] == first)
        by_pair.setdefault(pair, []).append(value)
        neither[pair] = neither.get(pair, 0) + (vote["choice"] == "neither")
    duels = []
    for pair, values in by_pair.items():
        duels.append(Duel(*pair, _share(values), neither[pair]))
    return duels


def _share(values: Sequence[float]) -> Measure:
    """A mean of votes with Wilson's interval (JASA 1927), which one vote leaves wide.

    A "neither" counts as half a vote for each, which makes the interval a little too wide.
    """
    n, share = len(values), sum(values) / len(values)
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Measure(share, max(0.0, centre - half), min(1.0, centre + half), n)


def _version_name(given: str) -> str:
    if given == UNTUNED:
        return given
    if not given.isdigit():
        raise VersionError(f"A version is a number or {UNTUNED}, not {given!r}.")
    return f"{int(given):04d}"


def _text(conversation: Sequence[Message]) -> str:
    return "\n".join(message.content for message in conversation)


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x00".join(parts).encode()).digest()[:8], "big")
