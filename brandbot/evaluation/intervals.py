"""Figures with a 95% interval, by the bootstrap over prompts.

A figure from thirty prompts is a guess about all prompts; the interval says how good a guess.
Differences are paired: both speakers answered the same prompts, so a hard prompt does not count as
a difference (Efron and Tibshirani 1993, ch. 6 and 13; Koehn 2004 for the paired use).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SAMPLES = 2000
SEED = 20
LEVEL = 0.95


@dataclass(frozen=True)
class Measure:
    """A mean with its 95% interval; ``n`` prompts stand behind it."""

    value: float
    low: float
    high: float
    n: int


def mean(
    values: Sequence[float], weights: Sequence[float] | None = None, *, over: Measure | None = None
) -> Measure | None:
    """The (weighted) mean of one value a prompt; None if there is none.

    ``over`` is a share that the values were divided by: the interval knows that it is a guess, too.
    """
    return _of(values, weights, over)


def difference(
    ours: Sequence[float], theirs: Sequence[float], weights: Sequence[float] | None = None
) -> Measure | None:
    """The mean of ``ours - theirs``, one pair a prompt; None if there is none."""
    return _of([a - b for a, b in zip(ours, theirs, strict=True)], weights)


def _of(
    values: Sequence[float], weights: Sequence[float] | None, over: Measure | None = None
) -> Measure | None:
    import numpy as np

    if not values:
        return None
    found: Any = np.asarray(values, dtype=float)
    weight: Any = np.ones(len(found)) if weights is None else np.asarray(weights, dtype=float)
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, len(found), size=(SAMPLES, len(found)))
    means = (found * weight)[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    if over is not None and over.value:
        shares = np.maximum(random.binomial(over.n, over.value, SAMPLES), 1) / over.n
        means *= over.value / shares
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = float((found * weight).sum() / weight.sum())
    return Measure(value, float(low), float(high), len(found))
