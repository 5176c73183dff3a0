"""What an evaluation found: every answer with what was found in it, and the figures over them.

The report holds values a prompt; figures, intervals and differences are worked out from them, so
that two versions can be compared long after. ``METRICS`` is the one table of what is measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from brandbot.disk import write_whole
from brandbot.evaluation import intervals
from brandbot.evaluation.intervals import Measure

FORMAT = 1
BRAND = "brand"
"""The name under which the brand's own held-out replies stand beside the speakers."""

BASE, FEWSHOT = "base", "fewshot"


@dataclass(frozen=True)
class Told:
    """A speaker's answer to one prompt. None: does not apply, or could not be measured.

    ``score`` is the style ruler's probability and ``passes`` whether it passes; ``on_topic`` the
    share of other prompts that the answer is less like than its own; ``nats`` the loss a token of
    the reference reply (of ``tokens``), ``stranger`` that of it under another's prompt.
    """

    text: str
    cut: bool = False
    score: float | None = None
    passes: float | None = None
    broken: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    grams: int = 0
    copied: int = 0
    longest: int = 0
    on_topic: float | None = None
    right: bool | None = None
    declined: bool | None = None
    nats: float | None = None
    tokens: int = 0
    stranger: float | None = None

    @property
    def badness(self) -> tuple[int, float, float]:
        """Sorts answers: what is wrong with them, then the ruler to a hundredth, then the topic."""
        wrong = len(self.faults) + len(self.broken) + len(self.invented)
        wrong += (self.right is False) + (self.declined is False)
        return wrong, -round(self.score or 0.0, 2), -(self.on_topic or 0.0)


@dataclass(frozen=True)
class Row:
    """A prompt: a held-out example (``test``) or an evaluation question (``question``).

    ``before`` holds the earlier turns as text, ``group`` the file it stands in.
    """

    kind: Literal["test", "question"]
    place: str
    group: str
    prompt: str
    before: list[str]
    reference: str
    told: dict[str, Told]


@dataclass(frozen=True)
class RulerCheck:
    """How good the style ruler is; ``weakness`` says why style is not measured, or is empty."""

    weakness: str
    auc: float | None = None
    ceiling: Measure | None = None
    others: Measure | None = None
    brand_replies: int = 0
    other_texts: int = 0


@dataclass(frozen=True)
class Planted:
    """A reply that stands ``copies`` times in the examples; ``said`` of ``asked`` probes had it."""

    reply: str
    copies: int
    asked: int
    said: int


@dataclass(frozen=True)
class Losses:
    """Nats a token by text: general texts, and replies that were trained on."""

    general: list[float]
    general_tokens: list[int]
    seen: list[float]
    seen_tokens: list[int]


@dataclass(frozen=True)
class Report:
    """An evaluation of ``version`` beside ``speakers``; the version itself comes first in these.

    ``inputs`` names what it was measured with: another examples folder, other questions or rules,
    and the report is out of date.
    """

    persona: str
    title: str
    language: str
    version: str
    live: str | None
    base_model: str
    inputs: str
    created: str
    seconds: float
    examples: dict[str, int]
    examples_changed: bool
    speakers: list[str]
    ruler: RulerCheck
    rows: list[Row]
    losses: dict[str, Losses]
    planted: list[Planted]
    curve: list[dict[str, float]]
    advice: list[dict[str, Any]]
    judge: dict[str, Any] | None = None

    def measure(self, metric: str, speaker: str) -> Measure | None:
        """A speaker's figure with its interval; None if it could not be measured."""
        values, weights = METRICS[metric].values(self, speaker)
        over = self.ruler.ceiling if metric == "style" else None
        return intervals.mean(values, weights, over=over)

    def difference(self, metric: str, ours: str, theirs: str) -> Measure | None:
        """How much higher ``ours`` is than ``theirs``, on the prompts that both were asked."""
        common = replace(self, rows=[row for row in self.rows if {ours, theirs} <= row.told.keys()])
        first, weights = METRICS[metric].values(common, ours)
        second, _ = METRICS[metric].values(common, theirs)
        if not first or len(first) != len(second):
            return None
        return intervals.difference(first, second, weights)

    def to_json(self) -> dict[str, Any]:
        """Everything, and the figures of each speaker, as plain JSON values."""
        figures = {
            speaker: {
                name: asdict(found) if (found := self.measure(name, speaker)) else None
                for name in METRICS
            }
            for speaker in [*self.speakers, BRAND]
        }
        return {"format": FORMAT, **asdict(self), "figures": figures}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Report:
        """The report that ``to_json`` gave; ValueError if it is of another format."""
        if content.get("format") != FORMAT:
            raise ValueError(f"a report of format {content.get('format')}, not {FORMAT}")
        given = {k: v for k, v in content.items() if k not in ("format", "figures")}
        ruler = dict(given["ruler"])
        for name in ("ceiling", "others"):
            ruler[name] = Measure(**ruler[name]) if ruler[name] else None
        rows = [
            Row(**{**row, "told": {name: Told(**told) for name, told in row["told"].items()}})
            for row in given["rows"]
        ]
        return cls(
            **{
                **given,
                "ruler": RulerCheck(**ruler),
                "rows": rows,
                "losses": {name: Losses(**found) for name, found in given["losses"].items()},
                "planted": [Planted(**found) for found in given["planted"]],
            }
        )

    def save(self, file: Path) -> None:
        """Writes the report into a version's folder; it is there whole or not at all."""
        # Not written there first: whatever else lies in that folder was not published with it.
        text = json.dumps(self.to_json(), ensure_ascii=False)
        write_whole(file, text, scratch=file.parent.parent)

    @classmethod
    def load(cls, file: Path) -> Report | None:
        """The report in a file, or None if there is none this brandbot can read."""
        try:
            return cls.from_json(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None


Values = tuple[list[float], list[float] | None]


@dataclass(frozen=True)
class Metric:
    """One thing that is measured. ``better``: +1 if more of it is better, -1 if less is.

    ``values`` gives a report's and speaker's values, one a prompt or text, and their weights.
    """

    unit: Literal["share", "nats"]
    better: Literal[1, -1]
    values: Callable[[Report, str], Values]


def _by_row(
    value: Callable[[Told], float | None], weight: Callable[[Told], float] | None = None
) -> Callable[[Report, str], Values]:
    def values(report: Report, speaker: str) -> Values:
        told = [row.told[speaker] for row in report.rows if speaker in row.told]
        kept = [(t, v) for t in told if (v := value(t)) is not None]
        weights = None if weight is None else [weight(t) for t, _ in kept]
        if weights is not None and not sum(weights):
            return [], None
        return [v for _, v in kept], weights

    return values


def _style(report: Report, speaker: str) -> Values:
    ceiling = report.ruler.ceiling
    values, _ = _by_row(lambda told: told.passes)(report, speaker)
    if ceiling is None or not ceiling.value:
        return values, None
    return [value / ceiling.value for value in values], None


def _forgetting(report: Report, speaker: str) -> Values:
    ours, base = report.losses.get(speaker), report.losses.get(BASE)
    if ours is None or base is None:
        return [], None
    weights = [float(tokens) for tokens in ours.general_tokens]
    return _minus(ours.general, base.general), weights


def _gap(report: Report, speaker: str) -> Values:
    """Each held-out reply's loss over the mean of the trained ones, less the same untuned."""
    ours, base = report.losses.get(speaker), report.losses.get(BASE)
    if ours is None or base is None or not ours.seen:
        return [], None
    seen = _mean(ours.seen, ours.seen_tokens) - _mean(base.seen, base.seen_tokens)
    held_out = [
        (row.told[speaker].nats, row.told[BASE].nats, row.told[speaker].tokens)
        for row in report.rows
        if speaker in row.told and BASE in row.told
    ]
    kept = [(a - b - seen, float(t)) for a, b, t in held_out if a is not None and b is not None]
    return [value for value, _ in kept], [weight for _, weight in kept]


def _minus(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(ours, theirs, strict=True)]


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / max(1, sum(weights))


def _tokens(told: Told) -> float:
    return float(told.tokens)


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)


METRICS: dict[str, Metric] = {
    "style": Metric("share", 1, _style),
    "loss": Metric("nats", -1, _by_row(lambda told: told.nats, _tokens)),
    "rules": Metric("share", 1, _by_row(lambda told: float(not told.broken))),
    "coherent": Metric("share", 1, _by_row(lambda told: float(not told.faults))),
    "on_topic": Metric("share", 1, _by_row(lambda told: told.on_topic)),
    "listening": Metric(
        "nats", 1,
        _by_row(
            lambda told: None if told.stranger is None or told.nats is None
            else told.stranger - told.nats,
            _tokens,
        ),
    ),
    "right": Metric("share", 1, _by_row(lambda told: _flag(told.right))),
    "declined": Metric("share", 1, _by_row(lambda told: _flag(told.declined))),
    "invented": Metric("share", -1, _by_row(lambda told: float(bool(told.invented)))),
    "copied": Metric(
        "share", -1,
        _by_row(lambda told: told.copied / told.grams if told.grams else None,
                lambda told: float(told.grams)),
    ),
    "gap": Metric("nats", -1, _gap),
    "forgetting": Metric("nats", -1, _forgetting),
}  # fmt: skip
