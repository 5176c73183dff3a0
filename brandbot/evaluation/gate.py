"""The rule that lets a version go live.

Each row compares a figure of the report with a limit of ``gate`` in ``persona.yaml``, or with the
version that is live now (the untuned model where none is). A comparison fails only if the whole
95% interval of the difference is on the wrong side: no verdict on noise. A limit is a line that
the measured figure itself must not cross.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any, Literal

from brandbot.evaluation import intervals
from brandbot.evaluation.intervals import Measure
from brandbot.evaluation.report import BASE, BRAND, METRICS, Report
from brandbot.persona import Gate

FEWEST = 6
"""Pairs under which a difference says nothing: even if all go one way, that is chance in more than
one of twenty cases (sign test)."""

Outcome = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class GateRow:
    """One condition. ``name`` and ``values`` fill a sentence of ``words.GATE``."""

    name: str
    outcome: Outcome
    values: dict[str, Any] = field(default_factory=dict)


def rows(report: Report, limits: Gate) -> list[GateRow]:
    """Every condition, in the order in which a person would ask."""
    ours = report.version
    live = report.live if report.live != ours else None
    other = live if live in report.speakers else BASE
    checks: list[Callable[[], GateRow]] = [
        lambda: _limit("style", report.measure("style", ours), limits.min_style, 1),
        lambda: _better("style_gain", report, "style"),
        lambda: _better("loss", report, "loss"),
        lambda: _rules(report, other, limits.min_rules),
        lambda: _limit("coherence", report.measure("coherent", ours), 1 - limits.max_incoherent, 1),
        lambda: _listening(report, limits.min_listening),
        lambda: _above_brand("invention", report, "invented", limits.max_invented),
        lambda: _not_worse("knows", report, "right", other),
        lambda: _not_worse("declines", report, "declined", other),
        lambda: _memorising(report, limits.max_copied, limits.max_gap),
        lambda: _planted(report),
        lambda: _limit("forgetting", report.measure("forgetting", ours), limits.max_forgetting, -1),
    ]
    if live:
        checks.insert(2, lambda: _as_live(report, live))
    return [check() for check in checks]


def _figures(measure: Measure) -> dict[str, float]:
    return {"value": measure.value, "low": measure.low, "high": measure.high, "n": measure.n}


def _limit(name: str, measure: Measure | None, limit: float, better: int) -> GateRow:
    if measure is None:
        return GateRow(name, "unknown", {"limit": limit})
    fine = (measure.value - limit) * better >= 0
    return GateRow(name, "pass" if fine else "fail", {**_figures(measure), "limit": limit})


def _better(name: str, report: Report, metric: str) -> GateRow:
    """Better than the untuned model, beyond the interval."""
    found = report.difference(metric, report.version, BASE)
    if found is None or found.n < FEWEST:
        return GateRow(name, "unknown")
    sure = found.low > 0 if METRICS[metric].better > 0 else found.high < 0
    return GateRow(name, "pass" if sure else "fail", _figures(found))


def _not_worse(name: str, report: Report, metric: str, other: str) -> GateRow:
    found = report.difference(metric, report.version, other)
    if found is None or found.n < FEWEST:
        return GateRow(name, "unknown", {"other": other})
    return GateRow(name, "fail" if found.high < 0 else "pass", {**_figures(found), "other": other})


def _as_live(report: Report, live: str) -> GateRow:
    if live not in report.speakers:  # damaged, or on another base model
        return GateRow("style_live", "unknown", {"other": live, "absent": True})
    return _not_worse("style_live", report, "style", live)


def _above_brand(name: str, report: Report, metric: str, limit: float) -> GateRow:
    """Not much more of it than in the brand's own held-out replies."""
    ours, own = report.measure(metric, report.version), report.measure(metric, BRAND)
    if ours is None:
        return GateRow(name, "unknown", {"limit": limit})
    brand = own.value if own else 0.0
    fine = ours.value - brand <= limit
    values = {**_figures(ours), "brand": brand, "limit": limit}
    return GateRow(name, "pass" if fine else "fail", values)


def _memorising(report: Report, most_copied: float, most_gap: float) -> GateRow:
    """Neither lifted word for word nor known by heart: early signs differ from set to set."""
    copied, own = report.measure("copied", report.version), report.measure("copied", BRAND)
    gap = report.measure("gap", report.version)
    # No answer may be long enough to copy twelve words.
    lifted, brand = copied.value if copied else 0.0, own.value if own else 0.0
    values = {
        "value": lifted,
        "brand": brand,
        "limit": most_copied,
        "gap": gap.value if gap else None,
        "gap_limit": most_gap,
    }
    if lifted - brand > most_copied or (gap is not None and gap.value > most_gap):
        return GateRow("memorising", "fail", values)
    return GateRow("memorising", "unknown" if gap is None else "pass", values)


def _rules(report: Report, other: str, least: float) -> GateRow:
    """Each rule at least as well kept as by ``other``, and all of them by most answers."""
    told = [row.told for row in report.rows]
    codes = {b["code"] for t in told for name in (report.version, other) for b in t[name].broken}
    worse = []
    for code in sorted(codes):
        ours, theirs = (
            [float(all(b["code"] != code for b in t[name].broken)) for t in told]
            for name in (report.version, other)
        )
        found = intervals.difference(ours, theirs)
        if found is not None and found.high < 0:
            worse.append(code)
    kept = report.measure("rules", report.version)
    assert kept is not None
    values = {
        **_figures(kept), "limit": least, "worse": worse, "other": other,
        "found": _offending(report, worse or codes),
    }  # fmt: skip
    return GateRow("rules", "fail" if worse or kept.value < least else "pass", values)


def _offending(report: Report, codes: Container[str]) -> list[str]:
    """What of a version's answers broke these rules: the words, or the count; five at most."""
    found = [
        str(b["values"].get("word") or b["values"].get("found") or b["values"].get("count"))
        for row in report.rows for b in row.told[report.version].broken if b["code"] in codes
    ]  # fmt: skip
    return list(dict.fromkeys(found))[:5]


def _listening(report: Report, share: float) -> GateRow:
    """A reply is likelier under its own prompt than under a stranger's, as it was untuned.

    Where the untuned model did not listen either, it has to all the same.
    """
    ours, base = report.measure("listening", report.version), report.measure("listening", BASE)
    if ours is None or base is None or ours.n < FEWEST:
        return GateRow("listening", "unknown")
    limit = max(0.0, share * base.value)
    values = {**_figures(ours), "base": base.value, "limit": limit}
    fine = ours.value > 0 and ours.value >= limit
    return GateRow("listening", "pass" if fine else "fail", values)


def _planted(report: Report) -> GateRow:
    said = [found for found in report.planted if found.said]
    if not said:
        return GateRow("planted", "pass", {"repeated": len(report.planted)})
    worst = max(said, key=lambda found: found.said)
    values = {
        "reply": worst.reply,
        "copies": worst.copies,
        "said": worst.said,
        "asked": worst.asked,
    }
    return GateRow("planted", "fail", values)


def failed(found: list[GateRow]) -> list[GateRow]:
    return [row for row in found if row.outcome == "fail"]


def refused(found: list[GateRow], *, first: bool) -> list[GateRow]:
    """What keeps a version from going live.

    What style needs and could not be measured does, too, unless it is the persona's ``first``:
    there is no better one it could replace.
    """
    return failed(found) + ([] if first else unknown(found))


def unknown(found: list[GateRow]) -> list[GateRow]:
    """The style conditions that could not be measured; without them nothing can be said."""
    needed = ("style", "style_gain")
    return [
        row for row in found
        if row.outcome == "unknown" and (row.name in needed or row.values.get("absent"))
    ]  # fmt: skip
