"""A report's figures and curves as the pages show them: texts, and places in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from brandbot.evaluation import intervals, words
from brandbot.evaluation.intervals import Measure
from brandbot.evaluation.page_words import amount, number, say, upper
from brandbot.evaluation.report import BASE, BRAND, FEWSHOT, METRICS, Report

Point = tuple[float, float]


@dataclass(frozen=True)
class Column:
    """Somebody whose figures stand in a table. ``kind`` is ours, version, plain or brand."""

    label: str
    kind: str
    report: Report
    speaker: str

    @classmethod
    def of(cls, report: Report, name: str, side: str) -> Column:
        kind = {report.version: "ours", BRAND: "brand", BASE: "plain", FEWSHOT: "plain"}
        return cls(label_of(report, name, side), kind.get(name, "version"), report, name)


def label_of(report: Report, name: str, side: str, *, own_live: bool = False) -> str:
    """A speaker's name, short enough for a chart; ``own_live``: the report's own says if live."""
    if name in (BASE, FEWSHOT, BRAND):
        return say(f"label_{name}", side)
    label = words.speaker(name, side)
    live = name == report.live and (own_live or name != report.version)
    return say("label_live", side, label=label) if live else label


@dataclass(frozen=True)
class Cell:
    """A figure as text, and its places from 0 to 100 for a bar."""

    text: str
    interval: str
    n: int
    at: float
    low: float
    high: float
    told: str


def cell_of(metric: str, column: Column, side: str) -> Cell | None:
    found = column.report.measure(metric, column.speaker)
    if metric == "style" and column.speaker == BRAND:
        # Style is a share of what real replies reach: the brand itself is the whole.
        ceiling = column.report.ruler.ceiling
        found = Measure(1.0, 1.0, 1.0, ceiling.n) if ceiling and found else None
    if found is None:
        return None
    text = amount(metric, found.value, side)
    low, high = (amount(metric, value, side) for value in (found.low, found.high))
    # Where all values are alike the bootstrap gives no width; that is not certainty.
    interval = say("range", side, low=low, high=high) if found.low < found.high else ""
    at, least, most = (
        round(min(100.0, max(0.0, 100 * v)), 1) for v in (found.value, found.low, found.high)
    )
    told = f"{upper(column.label)}: {text}"
    told += say("told_interval", side, interval=interval) if interval else ""
    return Cell(text, interval, found.n, at, least, most, told)


def figures_of(
    name: str, columns: Sequence[Column], side: str, *, differences: bool = False
) -> dict[str, Any]:
    """A metric's words, and every column's figure (or None)."""
    word = words.METRICS[name][side]
    cells = [cell_of(name, column, side) for column in columns]
    brand = [cell for cell, c in zip(cells, columns, strict=True) if c.kind == "brand" and cell]
    first = columns[0]
    return {
        "title": word.title,
        "meaning": word.meaning,
        "definition": word.definition,
        "unit": say("unit_nats", side) if METRICS[name].unit == "nats" else "",
        "cells": list(zip(columns, cells, strict=True)),
        "measured": any(cell for cell in cells),
        "brand": brand[0].at if brand else None,
        "n": _behind(columns, cells, side),
        "differences": [
            difference(name, first, column, side) if differences and column is not first else None
            for column in columns
        ],
    }  # fmt: skip


def _behind(columns: Sequence[Column], cells: Sequence[Cell | None], side: str) -> str:
    """How many answers stand behind the first column's figure, and whose are fewer or more."""
    first = cells[0]
    if first is None:
        return ""
    others = [
        f"{column.label}: {cell.n}"
        for column, cell in zip(columns, cells, strict=True)
        if cell and cell.n != first.n and column.kind != "brand"
    ]
    said = say("answers_one" if first.n == 1 else "answers", side, n=first.n)
    return "; ".join([said, *others])


def difference(metric: str, first: Column, column: Column, side: str) -> dict[str, str] | None:
    """How much higher a version's figure is than the first's, paired by prompt."""
    if metric == "copied" or (
        METRICS[metric].unit == "nats" and first.report.base_model != column.report.base_model
    ):  # the answers' own runs of words, and tokens of other kinds, make no pairs
        return None
    before, after = paired(first.report, column.report)
    theirs, weights = METRICS[metric].values(before, first.speaker)
    ours, _ = METRICS[metric].values(after, column.speaker)
    if not ours or len(ours) != len(theirs):
        return None
    found = intervals.difference(ours, theirs, weights)
    if found is None:
        return None
    share = METRICS[metric].unit == "share"
    value, low, high = (
        number(v * (100 if share else 1), side, 0 if share else 2, "+")
        for v in (found.value, found.low, found.high)
    )
    better = METRICS[metric].better
    outcome = "unsure"
    if found.low > 0 or found.high < 0:
        outcome = "better" if found.value * better > 0 else "worse"
    unit = say("points", side) if share else "nats"
    text = say("difference", side, other=first.speaker, value=value, unit=unit, low=low, high=high)
    return {"outcome": outcome, "word": say(outcome, side), "text": text}


def paired(*reports: Report) -> list[Report]:
    """The reports with the rows of the prompts that all of them asked, in the same order."""
    tables = [{(row.kind, row.prompt, *row.before): row for row in r.rows} for r in reports]
    common = [key for key in tables[0] if all(key in table for table in tables)]
    return [
        replace(report, rows=[table[key] for key in common])
        for report, table in zip(reports, tables, strict=True)
    ]


def points(report: Report, *keys: str) -> list[Point]:
    """The (step, loss) points of the first of these that the curve has."""
    for key in keys:
        found = [
            (float(entry["step"]), float(entry[key]))
            for entry in report.curve
            if key in entry and "step" in entry and math.isfinite(entry[key])
        ]
        if found:
            return found
    return []


def chart(lines: Sequence[tuple[str, str, list[Point]]], side: str) -> dict[str, Any] | None:
    """Lines over training steps, with places in percent; None if there is nothing to draw."""
    lines = [line for line in lines if line[2]]
    if not lines:
        return None
    steps = [step for _, _, points in lines for step, _ in points]
    losses = [loss for _, _, points in lines for _, loss in points]
    tick = next(
        t for t in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, math.inf)
        if t * 5 >= max(losses) - min(losses)
    )  # fmt: skip
    tick = tick if math.isfinite(tick) else max(losses)
    bottom, top = math.floor(min(losses) / tick) * tick, math.ceil(max(losses) / tick) * tick
    top = top if top > bottom else bottom + tick
    first, last = min(0.0, *steps), max(1.0, *steps)

    def place(point: Point) -> Point:
        x = 100 * (point[0] - first) / (last - first)
        return round(x, 2), round(100 * (top - point[1]) / (top - bottom), 2)

    drawn: list[dict[str, Any]] = []
    for label, kind, points in lines:
        places = [place(point) for point in sorted(points)]
        ends = [number(loss, side) for _, loss in (min(points), max(points))]
        drawn.append(
            {
                "label": label, "kind": kind, "segments": list(pairwise(places)),
                "points": places if len(places) <= 30 else [places[-1]],
                "told": say("line", side, label=label, first=ends[0], last=ends[1]),
                "last": ends[1],
            }
        )  # fmt: skip
    decimals = 2 if tick < 0.1 else 1 if tick < 1 else 0
    ticks = [
        (place((0.0, bottom + i * tick))[1], number(bottom + i * tick, side, decimals))
        for i in range(round((top - bottom) / tick) + 1)
    ]
    told = "; ".join(line["told"] for line in drawn)
    return {
        "lines": drawn,
        "ticks": ticks,
        "steps": [number(first + (last - first) * part, side, 0) for part in (0, 0.5, 1)],
        "told": say("chart", side, lines=told),
    }
