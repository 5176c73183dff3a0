"""The commands that measure versions and let them go live. Part of ``cli``; imports when one runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from brandbot.cli_options import (
    AsJson,
    EngineOption,
    MeasuredOption,
    Name,
    bot_here,
    engine_named,
    note,
    store_of,
    workspace_here,
)
from brandbot.errors import BrandbotError, GateError

if TYPE_CHECKING:
    from brandbot.evaluation.gate import GateRow
    from brandbot.evaluation.promotion import Promoted
    from brandbot.evaluation.report import Report


def evaluate(
    name: Name,
    version: Annotated[
        Optional[int], typer.Argument(help="The version's number; the newest if left out.")
    ] = None,
    against: Annotated[
        Optional[list[str]],
        typer.Option(help="base, fewshot or a version's number; may be given several times."),
    ] = None,
    html: Annotated[
        Optional[Path], typer.Option(help="Write the report as one HTML page.", metavar="FILE")
    ] = None,
    judge: Annotated[
        bool,
        typer.Option(
            "--judge", help="Ask the model at BRANDBOT_JUDGE_URL, too; sends texts there."
        ),
    ] = False,
    engine: MeasuredOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure a version on prompts it never saw, beside the untuned model and the live version.

    The report is stored with the version. Answers are kept: what was measured once is not measured
    again. Examples: brandbot evaluate lighthouse · brandbot evaluate lighthouse 2 --against 1
    --html report.html
    """
    from brandbot.evaluation import gate, page, run
    from brandbot.evaluation.judge import Endpoint
    from brandbot.evaluation.report import BASE, FEWSHOT
    from brandbot.persona import Persona
    from brandbot.screen import bar
    from brandbot.screen_evaluation import print_report

    workspace = workspace_here()
    persona = Persona.load(workspace.persona(name))
    endpoint = Endpoint.from_environment() if judge else None
    with bar(f"Evaluating {name}", quiet=as_json) as progress:
        report = run.evaluate(
            workspace, name, version, against=against or (BASE, FEWSHOT),
            endpoint=endpoint,
            engine=engine_named(engine), progress=progress, say=note,
        )  # fmt: skip
    rows = gate.rows(report, persona.config.gate)
    if html is not None:
        html.write_text(page.report_page(report, rows), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(_told(report, rows), ensure_ascii=False))
        return
    print_report(report, rows, page.verdict(report, rows))
    if html is not None:
        typer.echo(f"Written: {html}")


def compare(
    name: Name,
    versions: Annotated[list[int], typer.Argument(help="Two or more versions' numbers.")],
    html: Annotated[
        Optional[Path], typer.Option(help="Write the comparison as one HTML page.", metavar="FILE")
    ] = None,
    engine: MeasuredOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Show versions side by side, with how their trainings went.

    Measures those that have no report yet. Example: brandbot compare lighthouse 1 2 --html c.html
    """
    from brandbot.evaluation import page, promotion, run
    from brandbot.persona import Persona
    from brandbot.screen import bar
    from brandbot.screen_evaluation import print_comparison

    workspace = workspace_here()
    Persona.load(workspace.persona(name))
    if len(set(versions)) < 2:
        raise BrandbotError(f"Name two versions or more: brandbot compare {name} 1 2")
    reports = []
    for number in dict.fromkeys(versions):
        found = promotion.report_of(workspace, name, number)
        if found is None:
            with bar(f"Evaluating {name} {number:04d}", quiet=as_json) as progress:
                found = run.evaluate(
                    workspace,
                    name,
                    number,
                    engine=engine_named(engine),
                    progress=progress,
                    say=note,
                )
        reports.append(found)
    live = store_of(name).live_number()  # now, not when each was measured
    reports = [replace(r, live=None if live is None else f"{live:04d}") for r in reports]
    if html is not None:
        html.write_text(page.compare_page(reports), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps([r.to_json() for r in reports], ensure_ascii=False))
        return
    print_comparison(reports)
    if html is not None:
        typer.echo(f"Written: {html}")
    else:
        typer.echo(f"With curves and answers, for the browser: add --html {name}.html")


def versions(name: Name, as_json: AsJson = False) -> None:
    """List a persona's versions: date, examples, scores, which is live, which was forced.

    Example: brandbot versions lighthouse
    """
    from brandbot.evaluation import promotion
    from brandbot.screen_evaluation import print_versions

    workspace = workspace_here()
    workspace.persona(name)
    rows = promotion.overview(workspace, name)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        print_versions(rows)
    else:
        typer.echo(f"{name} has no version yet. Train one with: brandbot train {name}")


def promote(
    name: Name,
    version: Annotated[
        Optional[int], typer.Argument(help="The version's number; the newest if left out.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Pass over the gate; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    engine: MeasuredOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Make a version the one that is served, if it passes the gate.

    Measures it first if need be. A version that fails is not promoted: what failed is named, and
    the exit status is 3. Running servers take the new version with their next reply. Examples:
    brandbot promote lighthouse 2 · brandbot promote lighthouse 2 --force --reason "fair on Monday"
    """
    from brandbot.evaluation import promotion
    from brandbot.screen import bar

    workspace = workspace_here()
    numbers = store_of(name).numbers()
    if version is None and not numbers:
        raise BrandbotError(f"{name} has no version yet. Train one with: brandbot train {name}")
    number = numbers[-1] if version is None else version
    try:
        with bar(f"Evaluating {name} {number:04d}", quiet=as_json) as progress:
            done = promotion.promote(
                workspace, name, number, force=force, reason=reason,
                engine=engine_named(engine), progress=progress, say=note,
            )  # fmt: skip
    except GateError as error:
        if as_json:
            refused = [row.name for row in error.rows]
            typer.echo(json.dumps({"version": f"{number:04d}", "live": False, "failed": refused}))
        typer.echo(
            f"brandbot: {error}\nSee its answers: brandbot evaluate {name} {number} --html "
            f"report.html\nServe it all the same: brandbot promote {name} {number} --force "
            "--reason '…'",
            err=True,
        )
        raise typer.Exit(3) from None
    tell_unmeasured(done, name)
    if as_json:
        typer.echo(json.dumps({"version": done.version, "live": True, "failed": []}))
    else:
        typer.echo(f"Version {done.version} of {name} is live.")


def tell_unmeasured(done: Promoted, name: str) -> None:
    """Says which of the gate's conditions let a version pass for want of something to measure."""
    if done.unmeasured:
        note(
            f"Too little to measure it by: {', '.join(done.unmeasured)}. More examples, and questions "
            f"in evals/, mend that; what was measured: brandbot evaluate {name} {int(done.version)}"
        )


def rollback(name: Name) -> None:
    """Serve the version again that was live before this one. Example: brandbot rollback lighthouse"""
    typer.echo(f"Version {store_of(name).rollback().name} of {name} is live.")


def taste(
    name: Name,
    versions: Annotated[
        Optional[list[str]],
        typer.Argument(help="Two versions' numbers; base is the untuned model."),
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="How many pairs to judge.")] = 10,
    voter: Annotated[str, typer.Option(help="Who votes; your user name if left out.")] = "",
    engine: EngineOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Let a person choose between two versions' answers without knowing whose they are.

    Without versions, or with --json, it shows what people chose so far. Example:
    brandbot taste lighthouse 1 2
    """
    from brandbot.taste import Taste
    from brandbot.terminal import choose

    bot = bot_here(engine)
    try:
        test = Taste(bot)
        if as_json or not versions:
            results = test.results(name)
            if as_json:
                typer.echo(json.dumps(results.to_json(), ensure_ascii=False))
                return
        elif len(versions) != 2:
            raise BrandbotError(f"Name two versions: brandbot taste {name} 1 2")
        else:
            choose(test, name, versions[0], versions[1], pairs=pairs, voter=voter)
            results = test.results(name)
        from brandbot.screen_evaluation import print_tastes

        print_tastes(results)
    finally:
        bot.close()


def _told(report: Report, rows: list[GateRow]) -> dict[str, Any]:
    from dataclasses import asdict

    return {**report.to_json(), "gate": [asdict(row) for row in rows]}
