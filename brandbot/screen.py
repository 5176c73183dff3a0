"""What the commands show in a terminal: bars, tables and colours. Rich."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from brandbot.examples import Example
    from brandbot.knowledge.lookup import Found
    from brandbot.lint import Check
    from brandbot.lint_contradictions import Contradiction
    from brandbot.lint_fix import Done, Plan
    from brandbot.persona import Persona
    from brandbot.prompt import PromptFormat
    from brandbot.training.publish import Trained

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False)


def printable(text: str) -> str:
    """A text without the codes that would steer the terminal it is shown in."""
    shown = (c if c.isprintable() or c in "\n\t\u200d" else " " * c.isspace() for c in text)
    return "".join(shown)


def escape(text: str) -> str:
    """A text as text: neither markup of Rich, nor codes for the terminal."""
    return escape_markup(printable(text))


def place_of(names: Sequence[str], page: int | None, row: int | None) -> str:
    """Where something stands: the file's name, its headings, then page or row.

    What stands under no heading has the file's name for one.
    """
    where = " › ".join(dict.fromkeys(filter(None, names)))
    where += f", page {page}" if page else ""
    return where + (f", row {row}" if row else "")


SEVERITIES = {
    "error": ("error", "error"), "warning": ("warning", "aviso"), "note": ("note", "nota"),
}  # fmt: skip
"""In English and in Spanish."""

SUMMARY = {
    "en": {
        "counts": "{total} examples: {train} to train on, {valid} to validate, {test} held out",
        "too-few": "Too few to train: 20 at least, and 100 to 500 make a voice.",
        "more-wanted": "Enough to try. 100 to 500 make a voice.",
        "good": "A good number: 100 to 500 make a voice.",
        "plenty": "More than enough: beyond 500, better examples help more than further ones.",
        "found": "Errors: {}, warnings: {}, notes: {}",
    },
    "es": {
        "counts": "{total} ejemplos: {train} para entrenar, {valid} para validar, {test} apartados",
        "too-few": "Son pocos para entrenar: al menos 20, y con 100 a 500 se consigue una voz.",
        "more-wanted": "Bastan para probar. Con 100 a 500 se consigue una voz.",
        "good": "Es un buen número: con 100 a 500 se consigue una voz.",
        "plenty": "Sobran: por encima de 500 ayuda más mejorar los que hay que añadir otros.",
        "found": "Errores: {}, avisos: {}, notas: {}",
    },
}

FIX = {
    "en": {
        "none": "No example contradicts the documents: there is nothing to take out.",
        "out": "To be taken out, with a copy in {folder}:",
        "left": "To be done by hand:",
        "says": "says {said}; {source}: \u201c{fact}\u201d",
        "excel": "Open the Excel file and delete the row or its figure.",
        "changed": "The file has just been changed. Run the command again.",
        "tangled": "It can't be cut out of this file without changing other examples.",
        "ask": "Take out {count}? (y/n) ",
        "tell": "Nothing was changed. To take them out: brandbot check {name} --fix --yes",
        "kept": "Nothing was changed.",
        "done": "Taken out: {count}. They are kept in {removed}",
        "backup": "The file as it was: {backup}",
        "train": "Train again, so that the bot forgets them: brandbot train {name}",
    },
    "es": {
        "none": "Ningún ejemplo contradice los documentos: no hay nada que quitar.",
        "out": "Para quitar, con una copia en {folder}:",
        "left": "Para hacer a mano:",
        "says": "dice {said}; {source}: «{fact}»",
        "excel": "Abre el archivo de Excel y borra la fila o la cifra.",
        "changed": "El archivo acaba de cambiar. Ejecuta la orden otra vez.",
        "tangled": "No se puede sacar de este archivo sin cambiar otros ejemplos.",
        "ask": "¿Quitar {count}? (s/n) ",
        "tell": "No se ha cambiado nada. Para quitarlos: brandbot check {name} --fix --yes",
        "kept": "No se ha cambiado nada.",
        "done": "Quitados: {count}. Se conservan en {removed}",
        "backup": "El archivo como estaba: {backup}",
        "train": "Entrena otra vez para que el bot los olvide: brandbot train {name}",
    },
}

SPOKEN_EVERY = 15.0
"""Seconds between lines of progress where there is no terminal to draw a bar in."""

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@contextmanager
def loading(message: str, quiet: bool = False) -> Iterator[None]:
    """A spinner with the time passed, for work whose length isn't known."""
    if quiet or not err.is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        progress.add_task(message, total=None)
        yield


@contextmanager
def bar(message: str, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left; yields what tells it (done, total)."""
    if not quiet and not err.is_terminal:
        spoken = _spoken(message)
        began: tuple[float, int] | None = None  # after the first, for which a model was loaded

        def tell(done: int, total: int) -> None:
            nonlocal began
            now, left = time.monotonic(), None
            if began is None and done:
                began = now, done
            elif began is not None and done > began[1]:
                left = (now - began[0]) / (done - began[1]) * (total - done)
            spoken(done, total, _left(left))

        yield tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task(message, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _spoken(message: str) -> Callable[[int, int, str], None]:
    """What tells (done, total, more) in a line now and then: for a log or a pipe."""
    last = time.monotonic()

    def tell(done: int, total: int, more: str) -> None:
        nonlocal last
        if time.monotonic() - last >= SPOKEN_EVERY:
            last = time.monotonic()
            err.print(f"{message} {done}/{total} · {more}", soft_wrap=True, markup=False)

    return tell


def _left(seconds: float | None) -> str:
    return "-:-- left" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_left(task.fields.get("seconds_left")), style="cyan")


@contextmanager
def training_bar(quiet: bool = False) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Loss, tokens a second and the time left; yields what takes entries of progress.jsonl."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        _TimeLeft(),
    )
    spoken = _spoken("Training")
    hidden = quiet or not err.is_terminal
    with Progress(*columns, console=err, disable=hidden) as progress:
        task = progress.add_task("Training", total=None, figures="getting ready", seconds_left=None)

        def report(entry: dict[str, Any]) -> None:
            done, total, left = entry["step"], entry["steps"], entry["seconds_left"]
            told = _figures(entry)
            progress.update(task, completed=done, total=total, figures=told, seconds_left=left)
            if hidden and not quiet:
                spoken(done, total, f"{told} · {_left(left)}")

        yield report


def _figures(entry: dict[str, Any]) -> str:
    figures = [f"loss {entry['loss']:.2f}" if entry["loss"] is not None else ""]
    if entry["valid_loss"] is not None:
        figures.append(f"validation {entry['valid_loss']:.2f}")
    if entry["tokens_per_second"] is not None:
        figures.append(f"{entry['tokens_per_second']:.0f} tokens/s")
    return " · ".join(filter(None, figures))


ALIKE = 5
"""Findings of one kind in one file that are told in full; --json has all."""

MORE = {
    "en": "and {} more of this kind in this file; --json shows all",
    "es": "y {} más de este tipo en este archivo; con --json se ven todos",
}


def print_check(check: Check, name: str) -> None:
    """Findings, most serious first, and what the number of examples means."""
    from brandbot.texts import tell

    language = check.language
    alike = Counter((problem.code, problem.file) for problem in check.problems)
    shown: Counter[tuple[str, str]] = Counter()
    for problem in check.problems:
        kind = (problem.code, problem.file)
        shown[kind] += 1
        if shown[kind] > ALIKE:
            if shown[kind] == ALIKE + 1:
                out.print(
                    f"      [bold]{escape(problem.file)}[/]  "
                    + MORE["es" if language == "es" else "en"].format(alike[kind] - ALIKE)
                )
            continue
        told = tell(problem, language)
        colour = COLOURS[problem.severity]
        out.print(
            f"[{colour}]{SEVERITIES[problem.severity][language == 'es']}[/] "
            f"[bold]{escape(problem.place)}[/]  {escape(told.what)}"
        )
        out.print(f"      [dim]{escape(told.why)}[/]\n      {escape(told.fix)}")
    counts, told_in = check.counts, SUMMARY["es" if language == "es" else "en"]
    out.print(f"[bold]{escape(name)}[/]  {told_in['counts'].format(**counts)}")
    if len(check.files) > 1:
        listed = ", ".join(f"{file} {count}" for file, count in check.files.items())
        out.print(f"  [dim]{escape(listed)}[/]")
    out.print(f"  {told_in[check.verdict]}")
    numbers = [sum(p.severity == kind for p in check.problems) for kind in COLOURS]
    out.print(f"  {told_in['found'].format(*numbers)}")


def print_fix(plan: Plan) -> None:
    """What ``check --fix`` would take out, and what has to be done by hand."""
    words = FIX["es" if plan.language == "es" else "en"]

    def show(found: Contradiction) -> None:
        said = words["says"].format(said=found.said, source=found.source, fact=found.fact)
        place = f"{found.example.file}:{found.example.line}"
        out.print(f"  [bold]{escape(place)}[/]  {escape(found.example.prompt)}")
        out.print(f"      [dim]{escape(said)}[/]")

    if not plan.taken and not plan.left:
        out.print(words["none"])
    if plan.taken:
        out.print(escape(words["out"].format(folder=plan.folder / "removed")))
    for taken in plan.taken:
        show(taken.contradiction)
    if plan.left:
        out.print(words["left"])
    for found, reason in plan.left:
        show(found)
        out.print(f"      {words[reason]}")


def confirm_fix(plan: Plan) -> bool:
    """Asks in the terminal whether to take out what is planned; Enter alone is no."""
    words = FIX["es" if plan.language == "es" else "en"]
    try:
        answer = input(words["ask"].format(count=len(plan.taken)))
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes", "s", "si", "sí")


def print_fixed(plan: Plan, done: Done | None, told_only: bool) -> None:
    """What was done, or that nothing was; ``told_only`` where nobody could be asked."""
    words = FIX["es" if plan.language == "es" else "en"]
    name = plan.folder.name
    if done is None:
        out.print(escape(words["tell" if told_only else "kept"].format(name=name)))
        return
    count = len(plan.taken)
    out.print(escape(words["done"].format(count=count, removed=done.removed)))
    for backup in done.backups:
        out.print(escape(words["backup"].format(backup=backup)))
    out.print(escape(words["train"].format(name=name)))


def print_examples(
    examples: Sequence[Example], persona: Persona, prompt_format: PromptFormat | None
) -> None:
    """Examples as text or, with a prompt format, token by token with the loss mask coloured."""
    from brandbot.training.rows import encode

    for example in examples:
        out.print(f"[bold]{escape(example.file)}:{example.line}[/]  [dim]{example.split}[/]")
        if prompt_format is None:
            for message in example.messages:
                out.print(f"  [bold]{message.role}[/]: {escape(message.content)}")
            continue
        rows = encode(
            [example], prompt_format, persona.system_prompt, sys.maxsize, persona.language
        )
        (encoded,) = rows.encoded
        line = Text()
        for token, masked in zip(encoded.ids, encoded.mask, strict=True):
            piece = prompt_format.tokenizer.decode([token], skip_special_tokens=False)
            line.append(piece, style="black on green" if masked else "dim")
        out.print(line)
        out.print(
            f"[dim]{len(encoded.ids)} tokens, the loss is taken on the {sum(encoded.mask)} "
            "in green[/]\n"
        )
    if not examples:
        out.print("No examples on this side of the split.")


def print_trained(trained: Trained, *, refused: bool = False) -> None:
    """What a training made; ``refused``: the gate did not let it go live."""
    loss = trained.loss
    state = "live" if trained.live else "a candidate: it is not live"
    out.print(
        f"[bold]Version {trained.version}[/] of {escape(trained.persona)} is made and is {state}."
    )
    counts = trained.examples
    out.print(
        f"  {counts['train']} examples trained, {counts['valid']} for validation, "
        f"{counts['test']} held out; {trained.seconds:.0f} s, "
        f"{trained.tokens_per_second:.0f} tokens/s"
    )
    if loss.base_test is not None and loss.test is not None:
        fall = loss.base_test - loss.test
        out.print(
            f"  Held-out loss {loss.base_test:.2f} → {loss.test:.2f} nats a token "
            f"({'down' if fall >= 0 else 'UP'} {abs(fall):.2f}): it writes "
            f"{'more' if fall > 0 else 'no more'} like the brand than the untuned model"
        )
    if trained.left_out:
        out.print(f"  [yellow]Left out, too long:[/] {escape(', '.join(trained.left_out))}")
    out.print(f"  {trained.path}")
    if not trained.live:
        out.print(
            f"Talk to it: brandbot chat {escape(trained.persona)} --version {int(trained.version)}"
        )
        this = f"{escape(trained.persona)} {int(trained.version)}"
        if refused:
            out.print(f"What to add: brandbot evaluate {this}")
            out.print(
                "Fewer rounds forget and copy less: "
                f"brandbot train {escape(trained.persona)} --set training.epochs=1"
            )
            return
        out.print(f"Serve it: brandbot promote {this}")
        return
    out.print(
        f"Talk to it: brandbot chat {escape(trained.persona)}   or in the browser: brandbot serve"
    )


def print_found(found: Found) -> None:
    """Passages with their scores and why they were found, and the facts a reply would be given."""
    if not found.hits:
        out.print("Nothing was found.")
        return
    for place, hit in enumerate(found.hits, 1):
        passage = hit.passage
        where = place_of([passage.file, *passage.headings], passage.page, passage.row)
        answers = "" if hit.answers is None else f"answers {hit.answers:.0%}  "
        out.print(f"[bold]{place}[/] [cyan]{escape(where)}[/]  {answers}{hit.score:.2f}")
        meaning, words = round(10 * max(0.0, hit.meaning)), round(10 * hit.words)
        shared = f" ({escape(', '.join(hit.shared))})" if hit.shared else ""
        out.print(
            f"  [dim]meaning[/] {'█' * meaning}{'░' * (10 - meaning)} {hit.meaning:.2f}   "
            f"[dim]words[/] {'█' * words}{'░' * (10 - words)} {hit.words:.2f}{shared}"
        )
        if passage.question:
            out.print(f"  [italic]{escape(passage.question)}[/]")
        for text in passage.facts:
            out.print(f"  {escape(text)}")
    if not found.facts:
        out.print("[yellow]Nothing is good enough: a reply would be given no facts.[/]")
        if found.best is not None and found.asks is not None:
            line = escape(found.best.line)
            out.print(f"The likeliest answer, with a chance of {found.best.score:.0%}: {line}")
        return
    chances = ", and the chance that they answer" if found.asks is not None else ""
    out.print(f"\n[bold]A reply is given these facts[/]{chances}")
    for fact in found.facts:
        chance = f"{fact.score:4.0%}  " if found.asks is not None else ""
        out.print(f"  - {chance}{escape(fact.line)}")


def print_models(rows: Sequence[dict[str, Any]]) -> None:
    table = Table("", "name", "size", "languages", "licence", box=None, pad_edge=False)
    table.columns[1].no_wrap = True
    for row in rows:
        mark = "[green]here[/]" if row["here"] else ""
        table.add_row(mark, row["name"], row["parameters"], row["languages"], row["licence"])
    out.print(table)
    out.print("\nAny other id of the hub, a folder or a .gguf file can stand in base_model, too.")
