"""Reports, gates, lists of versions and taste tests in a terminal. Rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Column, Table

from brandbot.evaluation import gate, words
from brandbot.evaluation.gate import GateRow
from brandbot.evaluation.intervals import Measure
from brandbot.evaluation.page_words import number, percent
from brandbot.evaluation.report import BRAND, METRICS, Report
from brandbot.screen import escape, out
from brandbot.taste import Results

MARKS = {"pass": "[green]✓[/]", "fail": "[red]✗[/]", "unknown": "[yellow]?[/]"}

SAID = {
    "en": {
        "figures": "What was measured (mean, 95% interval)",
        "gate": "The gate",
        "add": "What to add next",
        "more": "{add} more examples like those in {group} would help most: {prompts}",
        "changed": "The examples changed since this version was trained.",
        "report": "The whole report, for the browser: brandbot evaluate {name} {number} --html report.html",
        "promote": "Serve it: brandbot promote {name} {number}",
        "seconds": "{n} prompts, {seconds:.0f} s",
    },
    "es": {
        "figures": "Lo que se midió (media, intervalo del 95%)",
        "gate": "La puerta",
        "add": "Qué añadir ahora",
        "more": "{add} ejemplos más como los de {group} ayudarían más que nada: {prompts}",
        "changed": "Los ejemplos cambiaron desde que se entrenó esta versión.",
        "report": "El informe entero, para el navegador: brandbot evaluate {name} {number} --html informe.html",
        "promote": "Para servirla: brandbot promote {name} {number}",
        "seconds": "{n} preguntas, {seconds:.0f} s",
    },
}  # fmt: skip


def print_report(report: Report, rows: Sequence[GateRow], verdict: str) -> None:
    """The page a marketing person reads: verdict, figures, the gate, what to do next."""
    language = words.side_of(report.language)
    said = SAID[language]
    out.print(f"\n[bold]{escape(report.title)}[/]  {words.speaker(report.version, language)}")
    out.print(escape(verdict))
    out.print(f"\n[bold]{said['figures']}[/]")
    out.print(_figures([report], report.speakers, language))
    if report.ruler.weakness:
        out.print(f"[yellow]{escape(report.ruler.weakness)}[/]")
    if report.examples_changed:
        out.print(f"[yellow]{said['changed']}[/]")
    out.print(f"\n[bold]{said['gate']}[/]")
    for row in rows:
        out.print(f"  {MARKS[row.outcome]} {escape(words.gate_row(row, language))}")
    if report.advice:
        out.print(f"\n[bold]{said['add']}[/]")
        for one in report.advice[:2]:
            prompts = " · ".join(f"“{prompt}”" for prompt in one["prompts"])
            told = said["more"].format(add=one["add"], group=one["group"], prompts=prompts)
            out.print(f"  {escape(told)}")
    version = int(report.version)
    out.print(
        f"\n[dim]{said['seconds'].format(n=len(report.rows), seconds=report.seconds)}[/]\n"
        + escape(said["report"].format(name=report.persona, number=version))
    )
    refused = gate.refused(list(rows), first=report.live is None)
    if report.live != report.version and not refused:
        out.print(escape(said["promote"].format(name=report.persona, number=version)))


def print_comparison(reports: Sequence[Report]) -> None:
    """The versions' own figures side by side."""
    language = words.side_of(reports[0].language)
    out.print(_figures(reports, [report.version for report in reports], language))


def _figures(reports: Sequence[Report], speakers: Sequence[str], language: str) -> Table:
    one = reports[0]
    names = [*speakers, BRAND]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in names:
        table.add_column(words.speaker(name, language), justify="right", max_width=20)
    by_version = {report.version: report for report in reports}
    for metric, about in METRICS.items():
        cells = [
            _cell(by_version.get(name, one).measure(metric, name), about.unit, language)
            for name in names
        ]
        table.add_row(words.METRICS[metric][language].title, *cells)
    return table


def _cell(measure: Measure | None, unit: str, language: str) -> str:
    if measure is None:
        return "[dim]–[/]"
    written = percent if unit == "share" else number
    value, low, high = (written(n, language) for n in (measure.value, measure.low, measure.high))
    return f"{value} [dim]{low}–{high}[/]"


def print_versions(rows: Sequence[dict[str, Any]]) -> None:
    """One line a version: live first mark, date, examples, what it scored, how it got live."""
    known = (Column(name, no_wrap=True)
             for name in ("", "version", "date", "examples", "loss", "style", "rules"))  # fmt: skip
    table = Table(*known, Column("gate", min_width=11), "", box=None, pad_edge=False)
    for row in rows:
        refused = row["gate"]
        told = "not measured" if refused is None else (", ".join(refused) or "passed")
        if row["damaged"]:
            told, refused = "damaged", []
        colour = "dim" if refused is None else ("red" if refused or row["damaged"] else "green")
        loss = row["loss"]
        table.add_row(
            "[green]live[/]" if row["live"] else "",
            row["version"],
            row["created"][:10],
            str(row["examples"]["train"]),
            "–" if loss["test"] is None else f"{loss['base_test']:.2f} → {loss['test']:.2f}",
            "–" if row["style"] is None else f"{row['style']:.0%}",
            "–" if row["rules"] is None else f"{row['rules']:.0%}",
            f"[{colour}]{'refused: ' if refused else ''}{escape(told)}[/]",
            f"[yellow]forced by {escape(row['who'])}: {escape(row['reason'])}[/]"
            if row["forced"]
            else f"[red]{escape(row['damaged'])}[/]",
        )
    out.print(table)


def print_tastes(results: Results) -> None:
    """What people chose: each duel with its interval, and the running rating."""
    if not results.votes:
        out.print(
            f"Nobody has voted on {escape(results.persona)} yet. Start with: "
            f"brandbot taste {escape(results.persona)} 1 base"
        )
        return
    out.print(f"\n[bold]{results.votes} votes[/] by {results.voters} people")
    for duel in results.duels:
        share = duel.share
        out.print(
            f"  {words.speaker(duel.one, 'en')} was preferred to {words.speaker(duel.other, 'en')} "
            f"in {share.value:.0%} of {share.n} (95% interval {share.low:.0%} to {share.high:.0%}; "
            f"both bad: {duel.neither})" + ("" if duel.sure else ": too close to call")
        )
    table = Table("version", "rating", "won", "lost", "both bad", box=None, pad_edge=False)
    for rated in results.ratings:
        rating = rated.rating
        table.add_row(
            words.speaker(rated.version, "en"),
            f"{rating.value:.0f} [dim]{rating.low:.0f}–{rating.high:.0f}[/]",
            str(rated.won), str(rated.lost), str(rated.neither),
        )  # fmt: skip
    out.print(table)
