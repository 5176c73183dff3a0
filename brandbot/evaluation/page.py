"""An evaluation as one HTML page, and versions side by side as another.

Turns reports into the words and places that ``templates/`` shows. A page is one file that loads
nothing: its style is inside, its charts are SVG with places in percent, so that they fit any width
while their text keeps its size. Answers are untrusted text, and Jinja escapes all of it. Knows
nothing of files, models or of how the gate decides.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from brandbot.evaluation import gate, intervals, words
from brandbot.evaluation.gate import GateRow
from brandbot.evaluation.intervals import Measure
from brandbot.evaluation.report import BASE, BRAND, FEWSHOT, METRICS, Report, Row, Told
from brandbot.evaluation.ruler import FEWEST_HELD_OUT, FEWEST_REPLIES, SOUND_AUC

TEMPLATES = Path(__file__).parent / "templates"

MAIN = ("style", "rules", "coherent", "on_topic", "right", "declined", "invented")
"""The scores of the first part, in the order in which a person would ask."""

SHOWN = 5
"""Answers shown as the best and as the worst."""

Point = tuple[float, float]


def verdict(report: Report, rows: list[GateRow]) -> str:
    """Two plain sentences: whether the version may go live, and what the training changed."""
    return f"{_may_go_live(report, rows)} {_what_changed(report)}"


def report_page(report: Report, rows: list[GateRow]) -> str:
    """The page of one evaluation; ``rows`` are the gate's conditions for it."""
    side = _side(report)
    columns = [Column.of(report, name, side) for name in report.speakers]
    columns.append(Column.of(report, BRAND, side))
    best, worst = _best_and_worst(report)
    cards = _shown(report, (report.version, BRAND, BASE), side)
    full = _shown(report, (*report.speakers, BRAND), side)
    return _render(
        "report.html.jinja",
        side,
        report=report,
        version=_upper(words.speaker(report.version, side)),
        may_go_live=_may_go_live(report, rows),
        what_changed=_what_changed(report),
        mark=_mark(rows),
        planted=_planted(report, side),
        measures=[_measure(name, columns, side) for name in MAIN],
        table=[_measure(name, columns, side) for name in METRICS],
        columns=columns,
        conditions=[
            {
                "title": _upper(words.TITLES[row.name][side]),
                "outcome": row.outcome,
                "sentence": _sentence(row, side),
            }
            for row in sorted(rows, key=lambda row: row.outcome != "fail")
        ],
        counts=_counts(rows, side),
        best=[cards(row) for row in best],
        worst=[cards(row) for row in worst],
        files=_by_file(report.rows, full),
        advice=_advice(report, side),
        ruler=_ruler(report, side),
        chart=_chart(
            [
                (_say("training", side), "plain", _points(report, "loss")),
                (_say("validation", side), "ours", _points(report, "valid_loss")),
            ],
            side,
        ),
        judge=_judge(report, side),
        footer=_footer(report, side),
    )


def compare_page(reports: list[Report]) -> str:
    """Versions side by side, in the language of the first report. The first is what the others
    are compared with."""
    first = reports[0]
    side = _side(first)
    columns = [
        Column(_label(r, r.version, side), "ours" if r is reports[-1] else "version", r, r.version)
        for r in reports
    ]
    alike = len({report.inputs for report in reports}) == 1
    brand = [Column.of(first, BRAND, side)] if alike else []
    shared = _shared(reports)
    told = _side_by_side(reports, columns, side)
    apart = sorted(shared, key=lambda rows: _distance(rows, reports), reverse=True)[:SHOWN]
    return _render(
        "compare.html.jinja",
        side,
        report=first,
        versions=_listed([report.version for report in reports], side),
        summary=_comparison(reports, side),
        against=[_against_first(columns[0], one, side) for one in columns[1:]] if alike else [],
        alike=alike,
        columns=columns,
        measures=[_measure(name, [*columns, *brand], side) for name in MAIN],
        table=[_measure(name, columns, side, differences=alike) for name in METRICS],
        made=[
            {"label": column.label, "facts": _facts(report, side)}
            for column, report in zip(columns, reports, strict=True)
        ],
        chart=_chart(
            [
                (_upper(column.label), f"line{i % 4}", _points(report, "valid_loss", "loss"))
                for i, (column, report) in enumerate(zip(columns, reports, strict=True))
            ],
            side,
        ),
        apart=[told(rows) for rows in apart],
        files=_by_file(shared, told),
        footer=_say("compare_footer", side),
    )


# --- Numbers and words ----------------------------------------------------------------------------


def _side(report: Report) -> str:
    return "es" if report.language.lower().split("-")[0] == "es" else "en"


def _say(key: str, side: str, **values: Any) -> str:
    """A sentence of ``WORDS``."""
    return WORDS[key][side == "es"].format(**values)


def _number(value: float, side: str, decimals: int = 2, sign: str = "") -> str:
    """A number as the language writes it, with a real minus; zero has no sign."""
    text = f"{value:{sign}.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−").replace(".", "," if side == "es" else ".")


def _percent(value: float, side: str, decimals: int = 0) -> str:
    return f"{_number(100 * value, side, decimals)}%"


def _amount(metric: str, value: float, side: str) -> str:
    """A figure in its metric's unit."""
    if METRICS[metric].unit == "nats":
        return _number(value, side)
    return _percent(value, side, 1 if metric == "copied" else 0)


def _listed(items: Sequence[str], side: str) -> str:
    """``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {_say('and', side)} {items[-1]}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _quoted(text: str, side: str) -> str:
    return f"«{text}»" if side == "es" else f"“{text}”"


def _day(created: str, side: str) -> str:
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return created
    month = _say("months", side).split()[at.month - 1]
    return _say("day", side, day=at.day, month=month, year=at.year, time=f"{at:%H:%M}")


def _duration(seconds: float, side: str) -> str:
    if seconds < 100:
        return _say("seconds", side, n=_number(seconds, side, 0))
    return _say("minutes", side, n=_number(seconds / 60, side, 0))


# --- The verdict ----------------------------------------------------------------------------------


def _may_go_live(report: Report, rows: list[GateRow]) -> str:
    side = _side(report)
    failed, unsure = gate.failed(rows), gate.unknown(rows)
    missing = [words.TITLES[row.name][side] for row in rows if row.outcome == "unknown"]
    live = report.live == report.version
    values = {
        "version": report.version,
        "failed": len(failed),
        "all": len(rows),
        "measured": len(rows) - len(missing),
        "names": ", ".join(words.TITLES[row.name][side] for row in failed),
        "missing": ", ".join(missing),
        "why": _why_no_style(report, side) if unsure else "",
    }
    if not rows:
        return _say("unchecked", side, **values)
    if failed:
        sentence = _say("live_fails" if live else "fails", side, **values)
        return sentence + (_say("and_no_style", side, **values) if unsure else "") + "."
    if unsure:
        first = "no_style_first" if report.live is None else "no_style"
        return _say("live_no_style" if live else first, side, **values)
    sentence = _say("live_passes" if live else "passes", side, **values)
    return sentence + _say("measured_of" if missing else "all_of", side, **values)


def _why_no_style(report: Report, side: str) -> str:
    """The ruler's weakness as a clause; a report tells it in English only."""
    check = report.ruler
    if not check.weakness:
        return _say("why_nothing", side)
    if check.auc is not None and check.auc < SOUND_AUC:
        auc, wanted = _number(check.auc, side), _number(SOUND_AUC, side)
        return _say("why_auc", side, auc=auc, wanted=wanted)
    counts = re.search(r"(\d+) replies to train .*?(\d+) held out", check.weakness)
    if counts:
        least = {"wanted": FEWEST_REPLIES, "wanted_held_out": FEWEST_HELD_OUT}
        return _say("why_few", side, replies=counts[1], held_out=counts[2], **least)
    if check.ceiling is not None and not check.ceiling.value:
        return _say("why_ceiling", side)
    return _quoted(check.weakness.rstrip("."), side)


def _what_changed(report: Report) -> str:
    side = _side(report)
    ours = report.measure("style", report.version)
    if ours is not None:
        others = [
            (name, found)
            for name in report.speakers
            if name != report.version and (found := report.measure("style", name)) is not None
        ]
        n = round(100 * ours.value)
        counts = [_of_hundred(found, side) for _, found in others]
        if n >= 100 and counts and counts[0].isdigit():
            counts[0] = _say("of_hundred", side, n=counts[0])
        against = [f"{m} {_with(report, o[0])}" for m, o in zip(counts, others, strict=True)]
        return _say(
            "style_full" if n >= 100 else "style_of_hundred", side,
            n=_of_hundred(ours, side, about=True),
            could="podría" if n < 2 else "podrían",
            against=_say("against", side, others=_listed(against, side)) if others else "",
        )  # fmt: skip
    change = report.difference("loss", report.version, BASE)
    loss, base = report.measure("loss", report.version), report.measure("loss", BASE)
    if change is None or loss is None or base is None:
        return _say("nothing_measured", side)
    key = "surprise_less" if change.high < 0 else "surprise_more" if change.low > 0 else "surprise"
    return _say(key, side, ours=_number(loss.value, side), base=_number(base.value, side))


def _of_hundred(measure: Measure, side: str, *, about: bool = False) -> str:
    """How many of a hundred answers; ``about`` opens the sentence's main clause."""
    n = min(100, round(100 * measure.value))
    if n in (0, 100):
        return _say("all" if n else "none", side)
    if n == 1 and side == "es":
        return "una"
    return _say("about", side, n=n) if about and n > 1 else str(n)


def _with(report: Report, name: str) -> str:
    side = _side(report)
    if name in (BASE, FEWSHOT):
        return _say(f"with_{name}", side)
    return _say("with_live" if name == report.live else "with_version", side, version=name)


def _mark(rows: list[GateRow]) -> str:
    if not rows or (gate.unknown(rows) and not gate.failed(rows)):
        return "unknown"
    return "fail" if gate.failed(rows) else "pass"


def _sentence(row: GateRow, side: str) -> str:
    """A condition's sentence with its numbers written as the language writes them."""
    text = words.gate_row(row, side)
    if row.name in ("planted", "rules"):
        return text  # these quote texts, and hold whole numbers only
    text = re.sub(r"(?<![\w-])-(?=\d)", "−", text)
    if side == "es":
        text = re.sub(r"(?<=\d)\.(?=\d)", ",", text).replace(" a el ", " al ")
    return text


def _counts(rows: list[GateRow], side: str) -> str:
    found = {name: sum(row.outcome == name for row in rows) for name in ("pass", "fail", "unknown")}
    return ", ".join(_say(f"count_{name}", side, n=n) for name, n in found.items() if n)


def _planted(report: Report, side: str) -> list[str]:
    return [
        words.gate_row(
            GateRow(
                "planted", "fail",
                {"reply": one.reply, "copies": one.copies, "said": one.said, "asked": one.asked},
            ),
            side,
        )
        for one in report.planted if one.said
    ]  # fmt: skip


# --- Figures and charts ---------------------------------------------------------------------------


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
        return cls(_label(report, name, side), kind.get(name, "version"), report, name)


def _label(report: Report, name: str, side: str) -> str:
    """A speaker's name, short enough for a chart."""
    if name in (BASE, FEWSHOT, BRAND):
        return _say(f"label_{name}", side)
    label = words.speaker(name, side)
    other = name != report.version and name == report.live
    return _say("label_live", side, label=label) if other else label


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


def _cell(metric: str, column: Column, side: str) -> Cell | None:
    found = column.report.measure(metric, column.speaker)
    if metric == "style" and column.speaker == BRAND:
        # Style is a share of what real replies reach: the brand itself is the whole.
        ceiling = column.report.ruler.ceiling
        found = Measure(1.0, 1.0, 1.0, ceiling.n) if ceiling and found else None
    if found is None:
        return None
    text = _amount(metric, found.value, side)
    low, high = (_amount(metric, value, side) for value in (found.low, found.high))
    # Where all values are alike the bootstrap gives no width; that is not certainty.
    interval = _say("range", side, low=low, high=high) if found.low < found.high else ""
    at, least, most = (
        round(min(100.0, max(0.0, 100 * v)), 1) for v in (found.value, found.low, found.high)
    )
    told = f"{_upper(column.label)}: {text}"
    told += _say("told_interval", side, interval=interval) if interval else ""
    return Cell(text, interval, found.n, at, least, most, told)


def _measure(
    name: str, columns: Sequence[Column], side: str, *, differences: bool = False
) -> dict[str, Any]:
    """A metric's words, and every column's figure (or None)."""
    word = words.METRICS[name][side]
    cells = [_cell(name, column, side) for column in columns]
    brand = [cell for cell, c in zip(cells, columns, strict=True) if c.kind == "brand" and cell]
    first = columns[0]
    return {
        "title": word.title,
        "meaning": word.meaning,
        "definition": word.definition,
        "unit": _say("unit_nats", side) if METRICS[name].unit == "nats" else "",
        "cells": list(zip(columns, cells, strict=True)),
        "measured": any(cell for cell in cells),
        "brand": brand[0].at if brand else None,
        "n": _behind(columns, cells, side),
        "differences": [
            _difference(name, first, column, side) if differences and column is not first else None
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
    said = _say("answers_one" if first.n == 1 else "answers", side, n=first.n)
    return "; ".join([said, *others])


def _difference(metric: str, first: Column, column: Column, side: str) -> dict[str, str] | None:
    """How much higher a version's figure is than the first's, paired by prompt."""
    theirs, weights = METRICS[metric].values(first.report, first.speaker)
    ours, _ = METRICS[metric].values(column.report, column.speaker)
    if not ours or len(ours) != len(theirs):
        return None
    found = intervals.difference(ours, theirs, weights)
    if found is None:
        return None
    share = METRICS[metric].unit == "share"
    value, low, high = (
        _number(
            v * (100 if share else 1), side, 1 if metric == "copied" else 0 if share else 2, "+"
        )
        for v in (found.value, found.low, found.high)
    )
    better = METRICS[metric].better
    outcome = "unsure"
    if found.low > 0 or found.high < 0:
        outcome = "better" if found.value * better > 0 else "worse"
    unit = _say("points", side) if share else "nats"
    text = _say("difference", side, other=first.speaker, value=value, unit=unit, low=low, high=high)
    return {"outcome": outcome, "word": _say(outcome, side), "text": text}


def _points(report: Report, *keys: str) -> list[Point]:
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


def _chart(lines: Sequence[tuple[str, str, list[Point]]], side: str) -> dict[str, Any] | None:
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
        ends = [_number(loss, side) for _, loss in (min(points), max(points))]
        drawn.append(
            {
                "label": label, "kind": kind, "segments": list(pairwise(places)),
                "points": places if len(places) <= 30 else [places[-1]],
                "told": _say("line", side, label=label, first=ends[0], last=ends[1]),
                "last": ends[1],
            }
        )  # fmt: skip
    decimals = 2 if tick < 0.1 else 1 if tick < 1 else 0
    ticks = [
        (place((0.0, bottom + i * tick))[1], _number(bottom + i * tick, side, decimals))
        for i in range(round((top - bottom) / tick) + 1)
    ]
    told = "; ".join(line["told"] for line in drawn)
    return {
        "lines": drawn,
        "ticks": ticks,
        "steps": [_number(first + (last - first) * part, side, 0) for part in (0, 0.5, 1)],
        "told": _say("chart", side, lines=told),
    }


# --- Answers --------------------------------------------------------------------------------------


def _best_and_worst(report: Report) -> tuple[list[Row], list[Row]]:
    """The best and the worst answers, best and worst first.

    Held-out examples have a real reply to compare with; questions are taken only where those are
    too few.
    """
    tests = [row for row in report.rows if row.kind == "test"]
    pool = tests if len(tests) >= 2 * SHOWN else report.rows
    ranked = sorted(pool, key=lambda row: _badness(row.told[report.version]))
    half = len(ranked) // 2
    best = ranked[: min(SHOWN, len(ranked) - half)]
    return best, ranked[::-1][: min(SHOWN, half)]


def _badness(told: Told) -> tuple[int, float, float]:
    """Sorts answers: what is wrong with them, then the ruler to a hundredth, then the topic."""
    wrong = len(told.faults) + len(told.broken) + len(told.invented)
    wrong += (told.right is False) + (told.declined is False)
    return wrong, -round(told.score or 0.0, 2), -(told.on_topic or 0.0)


def _marks(told: Told, side: str) -> list[dict[str, Any]]:
    """What is right and wrong with an answer, a few words each."""
    wrong = [_say(f"fault_{fault}", side) for fault in told.faults]
    for rule in told.broken:
        key = f"rule_{rule['code']}"
        values = {"word": "", "found": "", "count": "", "most": "", **rule["values"]}
        wrong.append(_say(key, side, **values) if key in WORDS else str(rule["code"]))
    if told.invented:
        found = list(dict.fromkeys(told.invented))
        names = ", ".join(_quoted(name, side) for name in found[:4])
        wrong.append(_say("invents", side, names=names + (" …" if len(found) > 4 else "")))
    if told.copied:
        wrong.append(_say("copies", side, n=told.longest))
    for key in ("right", "declined"):
        if getattr(told, key) is False:
            wrong.append(_say(f"not_{key}", side))
    if told.passes == 0:
        wrong.append(_say("not_style", side))
    good = [_say(f"is_{key}", side) for key in ("right", "declined") if getattr(told, key)]
    if not wrong and not good:
        good = [_say("faultless", side)]
    return [{"good": True, "text": text} for text in good] + [
        {"good": False, "text": text} for text in wrong
    ]


def _shown(report: Report, names: Sequence[str], side: str) -> Callable[[Row], dict[str, Any]]:
    """Gives a row as a card with these speakers' answers, in this order."""
    kinds = {report.version: "ours", BRAND: "brand"}

    def card(row: Row) -> dict[str, Any]:
        told = [
            _reference(row, side) if name == BRAND
            else _told(_upper(_label(report, name, side)), kinds.get(name, "plain"),
                       row.told.get(name), side)
            for name in names
        ]  # fmt: skip
        return _card(row, told, row.told[report.version], side)

    return card


def _card(row: Row, told: Iterable[dict[str, Any] | None], ours: Told, side: str) -> dict[str, Any]:
    turns = len(row.before)
    return {
        "prompt": row.prompt,
        "place": row.place,
        "before": [
            (_say("brand_turn" if (turns - i) % 2 else "their_turn", side), text)
            for i, text in enumerate(row.before)
        ],
        "told": [one for one in told if one],
        "wrong": sum(not mark["good"] for mark in _marks(ours, side)),
    }


def _told(label: str, kind: str, told: Told | None, side: str) -> dict[str, Any] | None:
    if told is None:
        return None
    text = told.text.strip() or _say("silent", side)
    return {"label": label, "kind": kind, "text": text, "marks": _marks(told, side)}


def _reference(row: Row, side: str) -> dict[str, Any] | None:
    if not row.reference:
        return None
    label = _say("real_reply" if row.kind == "test" else "expected", side)
    return {"label": label, "kind": "brand", "text": row.reference, "marks": []}


def _by_file(
    rows: Sequence[Any], card: Callable[[Any], dict[str, Any]]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Cards under the file they stand in. A row is a Row, or one of each report."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        group = row.group if isinstance(row, Row) else row[0].group
        groups.setdefault(group, []).append(card(row))
    return list(groups.items())


def _shared(reports: Sequence[Report]) -> list[list[Row]]:
    """The rows of the prompts that every report asked, one of each report."""
    tables = [{(row.kind, row.prompt, *row.before): row for row in r.rows} for r in reports]
    return [
        [table[key] for table in tables]
        for key in tables[0]
        if all(key in table for table in tables)
    ]


def _side_by_side(
    reports: Sequence[Report], columns: Sequence[Column], side: str
) -> Callable[[list[Row]], dict[str, Any]]:
    def card(rows: list[Row]) -> dict[str, Any]:
        told = [
            _told(_upper(column.label), column.kind, row.told[report.version], side)
            for report, column, row in zip(reports, columns, rows, strict=True)
        ]
        last = rows[-1].told[reports[-1].version]
        return _card(rows[0], [*told, _reference(rows[0], side)], last, side)

    return card


def _distance(rows: Sequence[Row], reports: Sequence[Report]) -> tuple[int, float]:
    """How differently good the versions' answers are: in what is wrong, then by the ruler."""
    found = [_badness(r.told[report.version]) for r, report in zip(rows, reports, strict=True)]
    wrong, score = [one[0] for one in found], [one[1] for one in found]
    return max(wrong) - min(wrong), max(score) - min(score)


# --- Paragraphs -----------------------------------------------------------------------------------


def _advice(report: Report, side: str) -> list[dict[str, Any]]:
    """How many more examples of which file, why, and the prompts it answered worst.

    A file is named for its style or its loss; the reason is the one by which it lags.
    """
    passes = [
        told.passes
        for row in report.rows
        if row.kind == "test" and (told := row.told[report.version]).passes is not None
    ]
    style = sum(passes) / len(passes) if passes else 0.0
    loss = report.measure("loss", report.version)
    found = []
    for place, one in enumerate(report.advice):
        sentence = _say("add_more" if place else "add_first", side, n=one["add"], file=one["group"])
        reason = ""
        if one["style"] < style:
            shares = {"style": _percent(one["style"], side), "all": _percent(style, side)}
            reason = _say("add_style", side, n=one["held_out"], **shares)
        elif loss is not None:
            nats = {"loss": _number(one["loss"], side), "all": _number(loss.value, side)}
            reason = _say("add_loss", side, n=one["held_out"], **nats)
        prompts = [_quoted(prompt, side) for prompt in one["prompts"]]
        found.append({"sentence": sentence, "reason": reason, "prompts": prompts})
    return found


def _ruler(report: Report, side: str) -> list[str]:
    check = report.ruler
    said = []
    if check.weakness:
        said.append(_say("ruler_unused", side, why=_why_no_style(report, side)))
    if check.auc is not None:
        values = {"auc": _number(check.auc, side), "times": round(100 * check.auc)}
        said.append(_say("ruler_auc", side, wanted=_number(SOUND_AUC, side), **values))
    for key, measure, n in (
        ("ruler_ceiling", check.ceiling, check.brand_replies),
        ("ruler_others", check.others, check.other_texts),
    ):
        if measure is not None:
            low, high = _percent(measure.low, side), _percent(measure.high, side)
            value = _percent(measure.value, side)
            said.append(_say(key, side, n=n, value=value, low=low, high=high))
    return said


def _judge(report: Report, side: str) -> str:
    judge = report.judge
    if judge is None:
        return _say("no_judge", side)
    values = {name: judge[name] for name in ("model", "wins", "losses", "ties", "n")}
    said = _say(
        "judge", side,
        where=f" ({judge['endpoint']})" if judge["endpoint"] else "",
        against=words.speaker(judge["against"], side), **values,
    ).replace(" de el ", " del ")  # fmt: skip
    shares = {name: _percent(judge[name], side) for name in ("value", "low", "high")}
    return said + _say("judge_share", side, **shares)


def _made_of(report: Report, side: str) -> str:
    counts = {name: report.examples.get(name, 0) for name in ("train", "valid", "test")}
    return _say("made_of", side, **counts)


def _footer(report: Report, side: str) -> list[tuple[str, str]]:
    return [
        (_say("measured_on", side), _day(report.created, side)),
        (_say("took", side), _duration(report.seconds, side)),
        (_say("base_model", side), report.base_model),
        (_say("examples", side), _made_of(report, side)),
    ]


def _facts(report: Report, side: str) -> list[tuple[str, str]]:
    live = [(_say("state", side), _say("is_live", side))] if report.live == report.version else []
    return [*live, *_footer(report, side)]


def _comparison(reports: Sequence[Report], side: str) -> str:
    """One sentence: how many of a hundred answers of each version sound like the brand."""
    found = [(r.version, m) for r in reports if (m := r.measure("style", r.version)) is not None]
    if len(found) < len(reports):
        return _say("compare_no_style", side)
    parts = [
        _say("compare_part", side, n=_of_hundred(m, side, about=not i), version=version)
        for i, (version, m) in enumerate(found)
    ]
    return _say("compare_style", side, parts=_listed(parts, side))


def _against_first(first: Column, column: Column, side: str) -> str:
    """What a version is surely better and worse at than the first."""
    titles: dict[str, list[str]] = {"better": [], "worse": []}
    for name in METRICS:
        found = _difference(name, first, column, side)
        if found and found["outcome"] in titles:
            titles[found["outcome"]].append(words.METRICS[name][side].title.lower())
    parts = [
        _say(f"{outcome}_at", side, titles=_listed(names, side))
        for outcome, names in titles.items()
        if names
    ]
    said = "; ".join(parts) or _say("no_difference", side)
    return _say("against_first", side, version=column.speaker, other=first.speaker, said=said)


# --- Templates ------------------------------------------------------------------------------------


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, side: str, **values: Any) -> str:
    said = {key: pair[side == "es"] for key, pair in WORDS.items()}
    return _templates().get_template(template).render(side=side, t=said, **values)


WORDS: dict[str, tuple[str, str]] = {
    # Small words
    "and": ("and", "y"),
    "range": ("{low} to {high}", "{low} a {high}"),
    "told_interval": (", 95% interval {interval}", ", intervalo del 95%: {interval}"),
    "points": ("points", "puntos"),
    "unit_nats": ("nats a token", "nats por token"),
    "seconds": ("{n} seconds", "{n} segundos"),
    "minutes": ("{n} minutes", "{n} minutos"),
    "months": (
        "January February March April May June July August September October November December",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    "day": ("{day} {month} {year}, {time} UTC", "{day} de {month} de {year}, {time} UTC"),
    # The verdict: may it go live
    "passes": ("Version {version} may go live: it passes ",
               "La versión {version} puede ponerse en servicio: cumple "),
    "live_passes": ("Version {version} is live and passes ",
                    "La versión {version} está en servicio y cumple "),
    "all_of": ("all {all} conditions.", "las {all} condiciones."),
    "measured_of": (
        "all {measured} conditions that could be measured (not measured: {missing}).",
        "las {measured} condiciones que se pudieron medir (sin medir: {missing}).",
    ),
    "fails": (
        "Version {version} should not go live: it fails {failed} of {all} conditions ({names})",
        "La versión {version} no debería ponerse en servicio: incumple {failed} de {all} "
        "condiciones ({names})",
    ),
    "live_fails": (
        "Version {version} is live although it fails {failed} of {all} conditions ({names})",
        "La versión {version} está en servicio aunque incumple {failed} de {all} condiciones "
        "({names})",
    ),
    "and_no_style": (
        ", and its style could not be measured because {why}",
        ", y su estilo no se pudo medir porque {why}",
    ),
    "no_style": (
        "Version {version} should not go live yet: its style could not be measured because {why}.",
        "La versión {version} no debería ponerse en servicio todavía: su estilo no se pudo medir "
        "porque {why}.",
    ),
    "no_style_first": (
        "Version {version} fails nothing and may go live as the first one, but its style could not "
        "be measured because {why}.",
        "La versión {version} no incumple nada y puede ponerse en servicio por ser la primera, "
        "pero su estilo no se pudo medir porque {why}.",
    ),
    "live_no_style": (
        "Version {version} is live and fails nothing, but its style could not be measured because "
        "{why}.",
        "La versión {version} está en servicio y no incumple nada, pero su estilo no se pudo medir "
        "porque {why}.",
    ),
    "unchecked": (
        "Version {version} has not been checked against the conditions for going live.",
        "La versión {version} no se ha contrastado con las condiciones para ponerse en servicio.",
    ),
    "why_nothing": (
        "there is nothing to compare it with", "no hay con qué compararlo",
    ),
    "why_auc": (
        "the measuring rule does not tell the brand's replies from other texts well enough "
        "(AUC {auc}; {wanted} is needed)",
        "la regla de medir no distingue lo bastante las respuestas de la marca de otros textos "
        "(AUC {auc}; hace falta {wanted})",
    ),
    "why_ceiling": (
        "not one of the brand's own held-out replies passes the measuring rule",
        "ninguna de las respuestas apartadas de la propia marca pasa la regla de medir",
    ),
    "why_few": (
        "there are too few examples: {replies} replies to learn from and {held_out} held out, "
        "where {wanted} and {wanted_held_out} are needed",
        "hay muy pocos ejemplos: {replies} respuestas de las que aprender y {held_out} apartadas, "
        "y hacen falta {wanted} y {wanted_held_out}",
    ),
    # The verdict: what changed
    "style_of_hundred": (
        "Out of 100 answers, {n} could pass as the brand's own{against}.",
        "De cada 100 respuestas, {n} {could} pasar por ser de la marca{against}.",
    ),
    "style_full": (
        "Its answers pass as the brand's own as often as the brand's real replies do{against}.",
        "Sus respuestas pasan por ser de la marca tantas veces como las "
        "reales{against}.",
    ),
    "of_hundred": ("{n} of 100", "{n} de cada 100"),
    "against": (", against {others}", ", frente a {others}"),
    "about": ("about {n}", "unas {n}"),
    "all": ("practically all", "prácticamente todas"),
    "none": ("practically none", "prácticamente ninguna"),
    "with_base": ("without training", "sin entrenar"),
    "with_fewshot": ("with five examples in the prompt", "con cinco ejemplos en la pregunta"),
    "with_version": ("with version {version}", "con la versión {version}"),
    "with_live": ("with version {version}, the one that is live",
                  "con la versión {version}, la que está en servicio"),
    "surprise_less": (
        "The brand's real replies surprise it less than they surprise the untuned model ({ours} "
        "against {base} nats a token): it has moved towards the brand's voice.",
        "Las respuestas reales de la marca lo sorprenden menos que al modelo sin entrenar ({ours} "
        "frente a {base} nats por token): se ha acercado a la voz de la marca.",
    ),
    "surprise_more": (
        "The brand's real replies surprise it more than they surprise the untuned model ({ours} "
        "against {base} nats a token): it has moved away from the brand's voice.",
        "Las respuestas reales de la marca lo sorprenden más que al modelo sin entrenar ({ours} "
        "frente a {base} nats por token): se ha alejado de la voz de la marca.",
    ),
    "surprise": (
        "The brand's real replies surprise it about as much as they surprise the untuned model "
        "({ours} against {base} nats a token): training changed little.",
        "Las respuestas reales de la marca lo sorprenden más o menos lo mismo que al modelo sin "
        "entrenar ({ours} frente a {base} nats por token): el entrenamiento ha cambiado poco.",
    ),
    "nothing_measured": (
        "What the training changed could not be measured.",
        "No se pudo medir qué ha cambiado con el entrenamiento.",
    ),
    # Labels
    "label_base": ("untuned", "sin entrenar"),
    "label_fewshot": ("five examples", "cinco ejemplos"),
    "label_brand": ("the brand", "la marca"),
    "label_live": ("{label} (live)", "{label} (en servicio)"),
    # The first part
    "evaluation": ("Evaluation", "Evaluación"),
    "pass": ("Passes", "Cumple"),
    "fail": ("Fails", "Incumple"),
    "unknown": ("Not measured", "Sin medir"),
    "count_pass": ("{n} passed", "cumple {n}"),
    "count_fail": ("{n} failed", "incumple {n}"),
    "count_unknown": ("{n} not measured", "{n} sin medir"),
    "contents": ("Contents", "Contenido"),
    "planted_title": ("It repeats a planted answer", "Repite una respuesta plantada"),
    "changed": (
        "The examples have changed since this version was trained. It was measured with the "
        "examples of today; train a new version to bring it up to date.",
        "Los ejemplos han cambiado desde que se entrenó esta versión. Se ha medido con los "
        "ejemplos de hoy; entrena una versión nueva para ponerla al día.",
    ),
    "main": ("How well it does", "Cómo lo hace"),
    "main_key": (
        "The thin line is the 95% interval: where the figure would lie if other people had asked. "
        "“Untuned” is the same model without training, “five examples” the same model with the "
        "five nearest examples in its prompt.",
        "La línea fina es el intervalo del 95%: dónde podría estar la cifra si hubieran preguntado "
        "otras personas. «Sin entrenar» es el mismo modelo sin entrenamiento y «cinco ejemplos», "
        "el mismo modelo con los cinco ejemplos más parecidos en la pregunta.",
    ),
    "brand_key": (
        "The diamond and the dotted line are the brand's own real replies.",
        "El rombo y la línea de puntos son las respuestas reales de la propia marca.",
    ),
    "answers": ("{n} answers", "{n} respuestas"),
    "answers_one": ("1 answer", "1 respuesta"),
    "not_measured": ("not measured", "sin medir"),
    "conditions": ("Conditions for going live", "Condiciones para ponerse en servicio"),
    "best": ("Best answers", "Las mejores respuestas"),
    "worst": ("Worst answers", "Las peores respuestas"),
    "best_why": (
        "Fewest faults, broken rules and inventions, and most like the brand by the style ruler.",
        "Las que menos fallos, reglas incumplidas e invenciones tienen y más se parecen a la marca "
        "según la regla de estilo.",
    ),
    "worst_why": (
        "Most faults, broken rules and inventions, and least like the brand by the style ruler.",
        "Las que más fallos, reglas incumplidas e invenciones tienen y menos se parecen a la marca "
        "según la regla de estilo.",
    ),
    "before": ("What was said before", "Lo que se dijo antes"),
    "their_turn": ("Customer", "Cliente"),
    "brand_turn": ("Brand", "Marca"),
    "real_reply": ("The brand's real reply", "La respuesta real de la marca"),
    "expected": ("What was expected", "Lo que se esperaba"),
    "silent": ("(nothing)", "(nada)"),
    "fault_empty": ("empty", "vacía"),
    "fault_cut": ("cut off", "cortada"),
    "fault_repeating": ("repeats itself", "se repite"),
    "fault_language": ("another language", "otro idioma"),
    "rule_never-say": ("says “{word}”", "dice «{word}»"),
    "rule_no-emoji": ("emoji: {found}", "emoji: {found}"),
    "rule_many-emoji": ("{count} emoji", "{count} emojis"),
    "rule_many-sentences": ("{count} sentences, {most} allowed",
                            "{count} frases; se permiten {most}"),
    "invents": ("invents {names}", "inventa {names}"),
    "copies": ("{n} words copied", "{n} palabras copiadas"),
    "not_right": ("wrong answer", "no acierta"),
    "is_right": ("right answer", "acierta"),
    "not_declined": ("does not say it does not know", "no dice que no lo sabe"),
    "is_declined": ("says it does not know", "dice que no lo sabe"),
    "not_style": ("does not sound like the brand", "no suena a la marca"),
    "faultless": ("nothing flagged", "sin avisos"),
    "wrong_word": ("to look at", "por mirar"),
    "advice": ("What to add next", "Qué añadir ahora"),
    "add_first": ("{n} more examples like those in {file} would help most.",
                  "Lo que más ayudaría: {n} ejemplos más como los de {file}."),
    "add_more": ("{n} more like those in {file} would help too.",
                 "También ayudarían {n} más como los de {file}."),
    "add_style": (
        "Of its answers to the {n} prompts held out of that file, {style} pass as the brand's own, "
        "of all files' {all}. It did worst with:",
        "De sus respuestas a las {n} preguntas apartadas de ese archivo, el {style} pasa por ser "
        "de la marca; en todos los archivos, el {all}. Donde peor le fue:",
    ),
    "add_loss": (
        "The {n} replies held out of that file surprise it by {loss} nats a token, all files' by "
        "{all}. It did worst with:",
        "Las {n} respuestas apartadas de ese archivo lo sorprenden en {loss} nats por token, las "
        "de todos los archivos en {all}. Donde peor le fue:",
    ),
    "no_advice": (
        "No file of examples stands out as worse than the others.",
        "Ningún archivo de ejemplos destaca por ir peor que los demás.",
    ),
    # The detail
    "detail": ("Detail", "Detalle"),
    "detail_why": ("For those who want to check.", "Para quien quiera comprobarlo."),
    "figures": ("Every figure", "Todas las cifras"),
    "figures_key": (
        "Below each figure its 95% interval, by the bootstrap over prompts, and the number of "
        "answers or texts behind it. No interval: all of them were alike.",
        "Bajo cada cifra, su intervalo del 95%, por bootstrap sobre las preguntas, y cuántas "
        "respuestas o textos hay detrás. Sin intervalo: todos salieron iguales.",
    ),
    "metric": ("Figure", "Cifra"),
    "definitions": ("What each figure is", "Qué es cada cifra"),
    "ruler": ("How good the style ruler is", "Cómo de buena es la regla de estilo"),
    "ruler_unused": ("It is not used here, because {why}.", "Aquí no se usa, porque {why}."),
    "ruler_auc": (
        "Shown a real reply of the brand and another text, both new to it, it picks the real one "
        "{times} times in 100 (AUC {auc}). 50 would be chance; under {wanted} it is not used.",
        "Ante una respuesta real de la marca y otro texto, ambos nuevos para ella, acierta cuál es "
        "la real {times} veces de cada 100 (AUC {auc}). 50 sería azar; por debajo de {wanted} no "
        "se usa.",
    ),
    "ruler_ceiling": (
        "Of {n} real replies that it never saw, {value} pass ({low} to {high}). That is the "
        "ceiling: style is given as a share of it.",
        "De {n} respuestas reales que nunca vio, pasa el {value} ({low} a {high}). Ese es el "
        "techo: el estilo se da como parte de él.",
    ),
    "ruler_others": (
        "Of {n} texts in other voices, {value} pass ({low} to {high}).",
        "De {n} textos con otras voces, pasa el {value} ({low} a {high}).",
    ),
    "curve": ("How the training went", "Cómo fue el entrenamiento"),
    "curve_key": (
        "Loss in nats a token, by training step. Less is better; where validation rises again, the "
        "training has begun to learn by heart.",
        "Pérdida en nats por token, según el paso de entrenamiento. Cuanto menos, mejor; donde la "
        "de validación vuelve a subir, ha empezado a aprender de memoria.",
    ),
    "steps": ("training steps", "pasos de entrenamiento"),
    "training": ("Training", "Entrenamiento"),
    "validation": ("Validation", "Validación"),
    "line": ("{label} from {first} to {last}", "{label}, de {first} a {last}"),
    "chart": ("Loss by training step: {lines}.",
              "Pérdida según el paso de entrenamiento: {lines}."),
    "judged": ("Who judged", "Quién juzgó"),
    "no_judge": (
        "No model judged these answers: every figure is worked out from the texts and from losses.",
        "Ningún modelo ha juzgado estas respuestas: todas las cifras se calculan a partir de los "
        "textos y de las pérdidas.",
    ),
    "judge": (
        "{model}{where} compared {n} answers with those of {against}, each pair twice with the two "
        "swapped: {wins} won, {losses} lost, {ties} tied",
        "{model}{where} comparó {n} respuestas con las de {against}, cada par dos veces y en los "
        "dos órdenes: {wins} ganadas, {losses} perdidas, {ties} empatadas",
    ),
    "judge_share": (
        ". It won {value} (95% interval {low} to {high}), a tie counting half.",
        ". Ganó el {value} (intervalo del 95%: {low} a {high}); un empate cuenta la mitad.",
    ),
    "every": ("Every answer", "Todas las respuestas"),
    "measured_on": ("Measured", "Medida"),
    "took": ("Took", "Tardó"),
    "base_model": ("Base model", "Modelo de base"),
    "examples": ("Examples", "Ejemplos"),
    "made_of": ("{train} to train, {valid} for validation, {test} held out",
                "{train} para entrenar, {valid} de validación, {test} apartados"),
    # Versions side by side
    "comparison": ("Comparison", "Comparación"),
    "versions": ("Versions", "Versiones"),
    "state": ("State", "Estado"),
    "is_live": ("live", "en servicio"),
    "compare_style": (
        "Answers out of 100 that could pass as the brand's own: {parts}.",
        "Respuestas de cada 100 que podrían pasar por ser de la marca: {parts}.",
    ),
    "compare_part": ("{n} with version {version}", "{n} con la versión {version}"),
    "compare_no_style": (
        "Style could not be measured for all of these versions.",
        "El estilo no se pudo medir en todas estas versiones.",
    ),
    "unlike": (
        "These versions were not measured with the same examples, questions and rules. Small "
        "differences between their figures may come from that.",
        "Estas versiones no se midieron con los mismos ejemplos, preguntas y reglas. Las "
        "diferencias pequeñas entre sus cifras pueden venir de ahí.",
    ),
    "difference": ("against {other}: {value} {unit} ({low} to {high})",
                   "frente a {other}: {value} {unit} ({low} a {high})"),
    "against_first": ("Version {version} against {other}: {said}.",
                      "Versión {version} frente a {other}: {said}."),
    "better_at": ("better at {titles}", "mejor en {titles}"),
    "worse_at": ("worse at {titles}", "peor en {titles}"),
    "no_difference": ("no sure difference in any figure", "sin diferencia segura en ninguna cifra"),
    "better": ("better", "mejor"),
    "worse": ("worse", "peor"),
    "unsure": ("no sure difference", "sin diferencia segura"),
    "compare_key": (
        "A version is called better or worse only where the whole 95% interval of the difference, "
        "prompt by prompt, is on one side.",
        "Una versión se llama mejor o peor solo si todo el intervalo del 95% de la diferencia, "
        "pregunta a pregunta, queda a un lado.",
    ),
    "apart": ("Where they differ most", "Donde más se diferencian"),
    "no_shared": ("They were asked no prompt in common.",
                  "No se les hizo ninguna pregunta en común."),
    "made": ("What they were made of", "De qué se hicieron"),
    "compare_footer": (
        "Figures and intervals are worked out from the answers of each version's report.",
        "Las cifras y los intervalos se calculan con las respuestas del informe de cada versión.",
    ),
}  # fmt: skip
