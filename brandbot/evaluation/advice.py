"""What to add next: the files whose held-out replies the version catches worst."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from brandbot.evaluation.report import Report, Row
from brandbot.examples import Reading

FEWEST_HELD_OUT = 2
"""Held-out replies of a file from which anything is said about it."""


def what_to_add(report: Report, reading: Reading) -> list[dict[str, Any]]:
    """Groups of examples, the one where more would help most first.

    Each: ``group`` (a file of ``examples/``), ``trained`` and ``held_out`` counts, its mean
    ``loss`` and share of answers in ``style``, ``add`` (how many more: half as many again, at least
    six), the ``prompts`` the version answered worst, and its ``lag`` behind the others, loss (nats)
    and style (share) taken together. A file that is ahead of the others is not named.
    """
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in report.rows:
        if row.kind == "test":
            groups[row.group].append(row)
    trained: dict[str, int] = defaultdict(int)
    for example in reading.split("train"):
        trained[example.file] += 1
    whole = [row for rows in groups.values() for row in rows]
    found: list[dict[str, Any]] = []
    for group, rows in groups.items():
        if len(rows) < FEWEST_HELD_OUT:
            continue
        rest = [row for row in whole if row.group != group]
        loss, style = _loss(rows, report.version), _style(rows, report.version)
        other_loss, other_style = _loss(rest, report.version), _style(rest, report.version)
        lag = (loss - other_loss) + (other_style - style) if rest else 0.0
        if lag < 0:
            continue
        worst = sorted(rows, key=lambda row: row.told[report.version].badness, reverse=True)
        found.append(
            {
                "group": group,
                "trained": trained[group],
                "held_out": len(rows),
                "loss": round(loss, 3),
                "style": round(style, 3),
                "add": max(6, round(trained[group] / 2)),
                "prompts": [row.prompt for row in worst[:3]],
                "lag": round(lag, 3),
            }
        )
    return sorted(found, key=lambda one: float(one["lag"]), reverse=True)[:3]


def _loss(rows: list[Row], speaker: str) -> float:
    told = [row.told[speaker] for row in rows if row.told[speaker].nats is not None]
    tokens = sum(t.tokens for t in told)
    return sum((t.nats or 0.0) * t.tokens for t in told) / tokens if tokens else 0.0


def _style(rows: list[Row], speaker: str) -> float:
    told = [row.told[speaker].passes for row in rows]
    values = [value for value in told if value is not None]
    return sum(values) / len(values) if values else 0.0
