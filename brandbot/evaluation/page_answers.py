"""A report's answers as cards: what was asked, what each speaker said, and what is wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from brandbot.evaluation.page_figures import Column, label_of, paired
from brandbot.evaluation.page_words import WORDS, quoted, say, upper
from brandbot.evaluation.report import BRAND, Report, Row, Told

SHOWN = 5
"""Answers shown as the best and as the worst."""


def best_and_worst(report: Report) -> tuple[list[Row], list[Row]]:
    """The best and the worst answers, best and worst first.

    Held-out examples have a real reply to compare with; questions are taken only where those are
    too few.
    """
    tests = [row for row in report.rows if row.kind == "test"]
    pool = tests if len(tests) >= 2 * SHOWN else report.rows
    ranked = sorted(pool, key=lambda row: row.told[report.version].badness)
    half = len(ranked) // 2
    best = ranked[: min(SHOWN, len(ranked) - half)]
    return best, ranked[::-1][: min(SHOWN, half)]


def _marks(told: Told, side: str) -> list[dict[str, Any]]:
    """What is right and wrong with an answer, a few words each."""
    wrong = [say(f"fault_{fault}", side) for fault in told.faults]
    for rule in told.broken:
        key = f"rule_{rule['code']}"
        values = {"word": "", "found": "", "count": "", "most": "", **rule["values"]}
        wrong.append(say(key, side, **values) if key in WORDS else str(rule["code"]))
    if told.invented:
        found = list(dict.fromkeys(told.invented))
        names = ", ".join(quoted(name, side) for name in found[:4])
        wrong.append(say("invents", side, names=names + (" …" if len(found) > 4 else "")))
    if told.copied:
        wrong.append(say("copies", side, n=told.longest))
    for key in ("right", "declined"):
        if getattr(told, key) is False:
            wrong.append(say(f"not_{key}", side))
    if told.passes == 0:
        wrong.append(say("not_style", side))
    good = [say(f"is_{key}", side) for key in ("right", "declined") if getattr(told, key)]
    if not wrong and not good:
        good = [say("faultless", side)]
    return [{"good": True, "text": text} for text in good] + [
        {"good": False, "text": text} for text in wrong
    ]


def shown(report: Report, names: Sequence[str], side: str) -> Callable[[Row], dict[str, Any]]:
    """Gives a row as a card with these speakers' answers, in this order."""
    kinds = {report.version: "ours", BRAND: "brand"}

    def card(row: Row) -> dict[str, Any]:
        told = [
            _reference(row, side) if name == BRAND
            else _told(upper(label_of(report, name, side)), kinds.get(name, "plain"),
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
            (say("brand_turn" if (turns - i) % 2 else "their_turn", side), text)
            for i, text in enumerate(row.before)
        ],
        "told": [one for one in told if one],
        "wrong": sum(not mark["good"] for mark in _marks(ours, side)),
    }


def _told(label: str, kind: str, told: Told | None, side: str) -> dict[str, Any] | None:
    if told is None:
        return None
    text = told.text.strip() or say("silent", side)
    return {"label": label, "kind": kind, "text": text, "marks": _marks(told, side)}


def _reference(row: Row, side: str) -> dict[str, Any] | None:
    if not row.reference:
        return None
    label = say("real_reply" if row.kind == "test" else "expected", side)
    return {"label": label, "kind": "brand", "text": row.reference, "marks": []}


def by_file(
    rows: Sequence[Any], card: Callable[[Any], dict[str, Any]]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Cards under the file they stand in. A row is a Row, or one of each report."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        group = row.group if isinstance(row, Row) else row[0].group
        groups.setdefault(group, []).append(card(row))
    return list(groups.items())


def shared(reports: Sequence[Report]) -> list[list[Row]]:
    """The rows of the prompts that every report asked, one of each report."""
    return [list(rows) for rows in zip(*(r.rows for r in paired(*reports)), strict=True)]


def side_by_side(
    reports: Sequence[Report], columns: Sequence[Column], side: str
) -> Callable[[list[Row]], dict[str, Any]]:
    def card(rows: list[Row]) -> dict[str, Any]:
        told = [
            _told(upper(column.label), column.kind, row.told[report.version], side)
            for report, column, row in zip(reports, columns, rows, strict=True)
        ]
        last = rows[-1].told[reports[-1].version]
        return _card(rows[0], [*told, _reference(rows[0], side)], last, side)

    return card


def furthest_apart(shared: Sequence[list[Row]], reports: Sequence[Report]) -> list[list[Row]]:
    """The prompts that the versions answer most differently well."""
    return sorted(shared, key=lambda rows: _distance(rows, reports), reverse=True)[:SHOWN]


def _distance(rows: Sequence[Row], reports: Sequence[Report]) -> tuple[int, float]:
    """How differently good the versions' answers are: in what is wrong, then by the ruler."""
    found = [r.told[report.version].badness for r, report in zip(rows, reports, strict=True)]
    wrong, score = [one[0] for one in found], [one[1] for one in found]
    return max(wrong) - min(wrong), max(score) - min(score)
