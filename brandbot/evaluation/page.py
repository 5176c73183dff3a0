"""An evaluation as one HTML page, and versions side by side as another.

Turns reports into the words and places that ``templates/`` shows. A page is one file that loads
nothing: its style is inside, its charts are SVG with places in percent, so that they fit any width
while their text keeps its size. Answers are untrusted text, and Jinja escapes all of it. Knows
nothing of files, models or of how the gate decides.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from brandbot.evaluation import gate, page_answers, words
from brandbot.evaluation.gate import GateRow
from brandbot.evaluation.intervals import Measure
from brandbot.evaluation.page_figures import (
    Column,
    chart,
    difference,
    figures_of,
    label_of,
    points,
)
from brandbot.evaluation.page_words import (
    WORDS,
    day,
    duration,
    listed,
    number,
    percent,
    quoted,
    say,
    upper,
)
from brandbot.evaluation.report import BASE, BRAND, FEWSHOT, METRICS, Report
from brandbot.evaluation.ruler import FEWEST_HELD_OUT, FEWEST_REPLIES, SOUND_AUC

TEMPLATES = Path(__file__).parent / "templates"

MAIN = ("style", "rules", "coherent", "on_topic", "right", "declined", "invented")
"""The scores of the first part, in the order in which a person would ask."""


def verdict(report: Report, rows: list[GateRow]) -> str:
    """Two plain sentences: whether the version may go live, and what the training changed."""
    return f"{_may_go_live(report, rows)} {_what_changed(report)}"


def report_page(report: Report, rows: list[GateRow]) -> str:
    """The page of one evaluation; ``rows`` are the gate's conditions for it."""
    side = words.side_of(report.language)
    columns = [Column.of(report, name, side) for name in report.speakers]
    columns.append(Column.of(report, BRAND, side))
    best, worst = page_answers.best_and_worst(report)
    cards = page_answers.shown(report, (report.version, BRAND, BASE), side)
    full = page_answers.shown(report, (*report.speakers, BRAND), side)
    return _render(
        "report.html.jinja",
        side,
        report=report,
        version=upper(words.speaker(report.version, side)),
        may_go_live=_may_go_live(report, rows),
        what_changed=_what_changed(report),
        mark=_mark(rows),
        planted=_planted(report, side),
        measures=[figures_of(name, columns, side) for name in MAIN],
        table=[figures_of(name, columns, side) for name in METRICS],
        columns=columns,
        conditions=[
            {
                "title": upper(words.TITLES[row.name][side]),
                "outcome": row.outcome,
                "sentence": words.gate_row(row, side),
            }
            for row in sorted(rows, key=lambda row: row.outcome != "fail")
        ],
        counts=_counts(rows, side),
        best=[cards(row) for row in best],
        worst=[cards(row) for row in worst],
        files=page_answers.by_file(report.rows, full),
        advice=_advice(report, side),
        ruler=_ruler(report, side),
        chart=chart(
            [
                (say("training", side), "plain", points(report, "loss")),
                (say("validation", side), "ours", points(report, "valid_loss")),
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
    side = words.side_of(first.language)
    columns = [
        Column(label_of(r, r.version, side, own_live=True),
               "ours" if r is reports[-1] else "version", r, r.version)
        for r in reports
    ]  # fmt: skip
    alike = len({report.inputs for report in reports}) == 1
    brand = [Column.of(first, BRAND, side)] if alike else []
    shared = page_answers.shared(reports)
    told = page_answers.side_by_side(reports, columns, side)
    apart = page_answers.furthest_apart(shared, reports)
    return _render(
        "compare.html.jinja",
        side,
        report=first,
        versions=listed([report.version for report in reports], side),
        summary=_comparison(reports, side),
        against=[_against_first(columns[0], one, side) for one in columns[1:]] if alike else [],
        alike=alike,
        columns=columns,
        measures=[figures_of(name, [*columns, *brand], side) for name in MAIN],
        table=[figures_of(name, columns, side, differences=alike) for name in METRICS],
        made=[
            {"label": column.label, "facts": _facts(report, side)}
            for column, report in zip(columns, reports, strict=True)
        ],
        chart=chart(
            [
                (upper(column.label), f"line{i % 4}", points(report, "valid_loss", "loss"))
                for i, (column, report) in enumerate(zip(columns, reports, strict=True))
            ],
            side,
        ),
        apart=[told(rows) for rows in apart],
        files=page_answers.by_file(shared, told),
        footer=say("compare_footer", side),
    )


# --- The verdict ----------------------------------------------------------------------------------


def _may_go_live(report: Report, rows: list[GateRow]) -> str:
    side = words.side_of(report.language)
    failed = gate.failed(rows)
    unsure = [row for row in gate.unknown(rows) if not row.values.get("absent")]
    absent = len(unsure) < len(gate.unknown(rows))
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
        return say("unchecked", side, **values)
    if failed:
        sentence = say("live_fails" if live else "fails", side, **values)
        return sentence + (say("and_no_style", side, **values) if unsure else "") + "."
    if unsure:
        first = "no_style_first" if report.live is None else "no_style"
        return say("live_no_style" if live else first, side, **values)
    if absent:
        return say("absent", side, **values)
    sentence = say("live_passes" if live else "passes", side, **values)
    return sentence + say("measured_of" if missing else "all_of", side, **values)


def _why_no_style(report: Report, side: str) -> str:
    """The ruler's weakness as a clause; a report tells it in English only."""
    check = report.ruler
    if not check.weakness:
        return say("why_nothing", side)
    if check.auc is not None and check.auc < SOUND_AUC:
        auc, wanted = number(check.auc, side), number(SOUND_AUC, side)
        return say("why_auc", side, auc=auc, wanted=wanted)
    counts = re.search(r"(\d+) replies to train .*?(\d+) held out", check.weakness)
    if counts:
        least = {"wanted": FEWEST_REPLIES, "wanted_held_out": FEWEST_HELD_OUT}
        return say("why_few", side, replies=counts[1], held_out=counts[2], **least)
    if check.ceiling is not None and not check.ceiling.value:
        return say("why_ceiling", side)
    return quoted(check.weakness.rstrip("."), side)


def _what_changed(report: Report) -> str:
    side = words.side_of(report.language)
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
            counts[0] = say("of_hundred", side, n=counts[0])
        against = [f"{m} {_with(report, o[0])}" for m, o in zip(counts, others, strict=True)]
        return say(
            "style_full" if n >= 100 else "style_of_hundred", side,
            n=_of_hundred(ours, side, about=True),
            could="podría" if n < 2 else "podrían",
            against=say("against", side, others=listed(against, side)) if others else "",
        )  # fmt: skip
    change = report.difference("loss", report.version, BASE)
    loss, base = report.measure("loss", report.version), report.measure("loss", BASE)
    if change is None or loss is None or base is None:
        return say("nothing_measured", side)
    key = "surprise_less" if change.high < 0 else "surprise_more" if change.low > 0 else "surprise"
    return say(key, side, ours=number(loss.value, side), base=number(base.value, side))


def _of_hundred(measure: Measure, side: str, *, about: bool = False) -> str:
    """How many of a hundred answers; ``about`` opens the sentence's main clause."""
    n = min(100, round(100 * measure.value))
    if n in (0, 100):
        return say("all" if n else "none", side)
    if n == 1 and side == "es":
        return "una"
    return say("about", side, n=n) if about and n > 1 else str(n)


def _with(report: Report, name: str) -> str:
    side = words.side_of(report.language)
    if name in (BASE, FEWSHOT):
        return say(f"with_{name}", side)
    return say("with_live" if name == report.live else "with_version", side, version=name)


def _mark(rows: list[GateRow]) -> str:
    if not rows or (gate.unknown(rows) and not gate.failed(rows)):
        return "unknown"
    return "fail" if gate.failed(rows) else "pass"


def _counts(rows: list[GateRow], side: str) -> str:
    found = {name: sum(row.outcome == name for row in rows) for name in ("pass", "fail", "unknown")}
    return ", ".join(say(f"count_{name}", side, n=n) for name, n in found.items() if n)


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
        sentence = say("add_more" if place else "add_first", side, n=one["add"], file=one["group"])
        reason = ""
        if one["style"] < style:
            shares = {"style": percent(one["style"], side), "all": percent(style, side)}
            reason = say("add_style", side, n=one["held_out"], **shares)
        elif loss is not None:
            nats = {"loss": number(one["loss"], side), "all": number(loss.value, side)}
            reason = say("add_loss", side, n=one["held_out"], **nats)
        prompts = [quoted(prompt, side) for prompt in one["prompts"]]
        found.append({"sentence": sentence, "reason": reason, "prompts": prompts})
    return found


def _ruler(report: Report, side: str) -> list[str]:
    check = report.ruler
    said = []
    if check.weakness:
        said.append(say("ruler_unused", side, why=_why_no_style(report, side)))
    if check.auc is not None:
        values = {"auc": number(check.auc, side), "times": round(100 * check.auc)}
        said.append(say("ruler_auc", side, wanted=number(SOUND_AUC, side), **values))
    for key, measure, n in (
        ("ruler_ceiling", check.ceiling, check.brand_replies),
        ("ruler_others", check.others, check.other_texts),
    ):
        if measure is not None:
            low, high = percent(measure.low, side), percent(measure.high, side)
            value = percent(measure.value, side)
            said.append(say(key, side, n=n, value=value, low=low, high=high))
    return said


def _judge(report: Report, side: str) -> str:
    judge = report.judge
    if judge is None:
        return say("no_judge", side)
    values = {name: judge[name] for name in ("model", "wins", "losses", "ties", "n")}
    said = say(
        "judge", side,
        where=f" ({judge['endpoint']})" if judge["endpoint"] else "",
        against=words.speaker_in_text(judge["against"], side), **values,
    ).replace(" de el ", " del ")  # fmt: skip
    shares = {name: percent(judge[name], side) for name in ("value", "low", "high")}
    return said + say("judge_share", side, **shares)


def _made_of(report: Report, side: str) -> str:
    counts = {name: report.examples.get(name, 0) for name in ("train", "valid", "test")}
    return say("made_of", side, **counts)


def _footer(report: Report, side: str) -> list[tuple[str, str]]:
    return [
        (say("measured_on", side), day(report.created, side)),
        (say("took", side), duration(report.seconds, side)),
        (say("base_model", side), report.base_model),
        (say("examples", side), _made_of(report, side)),
    ]


def _facts(report: Report, side: str) -> list[tuple[str, str]]:
    live = [(say("state", side), say("is_live", side))] if report.live == report.version else []
    return [*live, *_footer(report, side)]


def _comparison(reports: Sequence[Report], side: str) -> str:
    """One sentence: how many of a hundred answers of each version sound like the brand."""
    found = [(r.version, m) for r in reports if (m := r.measure("style", r.version)) is not None]
    if len(found) < len(reports):
        return say("compare_no_style", side)
    parts = [
        say("compare_part", side, n=_of_hundred(m, side, about=not i), version=version)
        for i, (version, m) in enumerate(found)
    ]
    return say("compare_style", side, parts=listed(parts, side))


def _against_first(first: Column, column: Column, side: str) -> str:
    """What a version is surely better and worse at than the first."""
    titles: dict[str, list[str]] = {"better": [], "worse": []}
    for name in METRICS:
        found = difference(name, first, column, side)
        if found and found["outcome"] in titles:
            titles[found["outcome"]].append(words.METRICS[name][side].title.lower())
    parts = [
        say(f"{outcome}_at", side, titles=listed(names, side))
        for outcome, names in titles.items()
        if names
    ]
    said = " ".join(parts) or say("no_difference", side)
    return say("against_first", side, version=column.speaker, other=first.speaker, said=said)


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
