"""The commands for documents: index and search. Part of ``cli``; imports when a command runs."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from brandbot.cli_options import AsJson, Name, note
from brandbot.errors import BrandbotError, KnowledgeError

if TYPE_CHECKING:
    from brandbot.knowledge.index import Built
    from brandbot.knowledge.lookup import Lookup
    from brandbot.knowledge.passages import Passage
    from brandbot.knowledge.search import Search
    from brandbot.persona import Persona
    from brandbot.workspace import Workspace


def index(
    name: Name,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and index again whenever a document is saved.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show each fact as it was read, with its place.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make what is in a persona's knowledge/ folder known to its bot.

    Only what is new or changed is read and embedded; what is gone is forgotten. Running servers
    take the new index with their next reply. Examples: brandbot index lighthouse ·
    brandbot index lighthouse --watch · brandbot index lighthouse --show
    """
    from brandbot.persona import Persona
    from brandbot.workspace import Workspace

    workspace = Workspace.find()
    persona = Persona.load(workspace.persona(name))
    if not persona.config.knowledge.enabled:
        raise BrandbotError(
            f"{name} looks nothing up: knowledge.enabled is false in its persona.yaml."
        )
    built = _index(workspace, persona, as_json, show=show)
    if watch:
        _watch(workspace, persona, as_json)
    if built.problems and not built.passages:  # nothing of what is there could be read
        raise typer.Exit(1)


def _index(workspace: Workspace, persona: Persona, as_json: bool, *, show: bool = False) -> Built:
    from brandbot.knowledge import unfinished
    from brandbot.knowledge.index import IndexStore
    from brandbot.knowledge.lookup import update_index
    from brandbot.screen import bar

    started = time.monotonic()
    try:
        with bar(f"Indexing {persona.name}", quiet=as_json) as progress:
            built = update_index(workspace, persona, progress)
    except KeyboardInterrupt:
        if (workspace.knowledge(persona.name) / unfinished.FILE).exists():
            again = f"brandbot index {persona.name}"
            typer.echo(f"What was embedded is kept. Go on from there with: {again}", err=True)
        raise
    lines = [_problem(problem, persona.language) for problem in built.problems]
    build = IndexStore(workspace.knowledge(persona.name)).current() if show else None
    passages = build.read_passages() if build else []
    if as_json:
        row = {**built.to_json(), "told": lines}
        if show:
            row["facts"] = [passage.to_json() for passage in passages]
        typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return built
    _list(passages)
    for line in lines:
        typer.echo(line, err=True)
    typer.echo(told(built, persona.name, time.monotonic() - started))
    return built


def _list(passages: Sequence[Passage]) -> None:
    """Facts below their file and headings, a line each."""
    file, path = "", ""
    for passage in sorted(passages, key=lambda passage: passage.file):
        if passage.file != file:
            typer.echo(("\n" if file else "") + passage.file)
            file, path = passage.file, ""
        place = " > ".join((*passage.headings, *filter(None, [passage.question])))
        if place != path:
            typer.echo(f"  {place}")
            path = place
        row = passage.row or passage.page
        kind = "row" if passage.row else "page"
        days = ", ".join(
            f"{word} {day}"
            for word, day in (("from", passage.valid_from), ("until", passage.valid_until))
            if day
        )
        told = ", ".join(filter(None, (f"{kind} {row}" if row else "", days)))
        for fact in passage.facts:
            typer.echo(f"    {fact}" + (f"  ({told})" if told else ""))
    if passages:
        typer.echo("")


def bring_up_to_date(workspace: Workspace, names: Sequence[str]) -> None:
    """Indexes what changed in the documents of personas that are about to be talked to."""
    from brandbot.persona import Persona

    for name in names:
        try:
            persona = Persona.load(workspace.persona(name))
            if not persona.config.knowledge.enabled:
                continue
            if not ((persona.folder / "knowledge").is_dir() or workspace.knowledge(name).is_dir()):
                continue  # neither documents nor what was indexed of some that are gone
            from brandbot.knowledge import lookup

            if not lookup.is_current(workspace, persona):
                _index(workspace, persona, as_json=False)
        except (BrandbotError, OSError) as error:  # without documents it can still talk
            typer.echo(f"brandbot: {name}: {error}", err=True)


def told(built: Built, name: str, seconds: float) -> str:
    """What a build did, in a line."""
    counts = ", ".join(
        f"{len(found)} {what}"
        for what, found in (
            ("added", built.added), ("changed", built.changed), ("removed", built.removed),
            ("unchanged", built.unchanged),
        )
    )  # fmt: skip
    return (
        f"{name}: documents {counts}; {built.passages} passages, {built.embedded} of them newly "
        f"embedded; {seconds:.1f} s"
    )


def _problem(problem: Any, language: str) -> str:
    from brandbot.texts import tell

    return f"knowledge/{problem.place}: {tell(problem, language).line}"


def _watch(workspace: Workspace, persona: Persona, as_json: bool) -> None:
    from brandbot.errors import MissingExtraError

    try:
        from watchfiles import watch
    except ImportError as error:
        raise MissingExtraError("watchfiles", "knowledge", "Watching documents") from error
    folder = persona.folder / "knowledge"
    if not folder.is_dir():
        raise BrandbotError(f"There is no folder {folder} to watch. Make it and add documents.")
    if not as_json:
        typer.echo(f"Watching {folder}. Ctrl-C stops.", err=True)
    for _ in watch(folder, raise_interrupt=False):
        try:
            _index(workspace, persona, as_json)
        except BrandbotError as error:  # the next save may mend it
            typer.echo(f"brandbot: {error}", err=True)


def search(
    name: Name,
    question: Annotated[
        Optional[str], typer.Argument(help="What to look for; left out with --questions.")
    ] = None,
    questions: Annotated[
        Optional[Path],
        typer.Option(
            help="Measure: JSON Lines with question and source (file or file#heading).",
            metavar="FILE",
        ),
    ] = None,
    meaning: Annotated[
        Optional[float],
        typer.Option(min=0.0, max=1.0, help="Weight of meaning: 0 words alone, 1 meaning alone."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which passages of a persona's documents answer a question, and why.

    With --questions it measures search on your own questions, before the facts are read. Examples:
    brandbot search lighthouse "do you deliver?" ·
    brandbot search lighthouse --questions my-questions.jsonl --json
    """
    from brandbot.knowledge import lookup
    from brandbot.knowledge.reranker import open_reranker
    from brandbot.persona import Persona
    from brandbot.screen import bar, loading
    from brandbot.workspace import Workspace

    workspace = Workspace.find()
    persona = Persona.load(workspace.persona(name))
    if (question is None) == (questions is None):
        raise BrandbotError("Give a question, or a file with --questions; one of the two.")
    if not lookup.is_current(workspace, persona):
        with bar(f"Indexing {name}", quiet=as_json) as progress:
            lookup.update_index(workspace, persona, progress)
    with loading("Opening the index", quiet=as_json):
        documents = lookup.Lookup(workspace, name)
        opened = documents.search
        if opened is not None and question is not None and persona.config.knowledge.reranker:
            open_reranker(workspace.models, note)  # which takes seconds, and stays
    if opened is None:
        raise KnowledgeError(
            f"{name} has no documents. Put some into {persona.folder / 'knowledge'} (.md, .txt, "
            ".html, .csv, .xlsx, .pdf, .docx)."
        )
    if questions is not None:
        _measure(opened, questions, meaning, as_json)
    else:
        _show(documents, persona, str(question), meaning, as_json)


def _measure(search: Search, file: Path, meaning: float | None, as_json: bool) -> None:
    from brandbot.knowledge import measure
    from brandbot.screen import bar

    asked = measure.read(file)
    with bar("Searching", quiet=as_json) as progress:
        found = measure.recall(search, asked, meaning, progress)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    typer.echo(
        f"{found.questions} questions: the right passage comes first for {found.recall_1:.0%} and "
        f"is among the first four for {found.recall_4:.0%} (mean reciprocal rank {found.mrr:.2f}); "
        f"{found.queries_per_second:.0f} questions a second"
    )
    for missed in found.missed[:10]:
        typer.echo(f"  missed: {missed.question}  ({missed.source})")


def _show(
    documents: Lookup, persona: Persona, question: str, meaning: float | None, as_json: bool
) -> None:
    from brandbot.prompt import Message

    settings = persona.config.knowledge
    found = documents.find([Message("user", question)], settings, meaning=meaning)
    if as_json:
        rows = [
            {
                "source": hit.passage.source,
                "file": hit.passage.file,
                "headings": list(hit.passage.headings),
                "page": hit.passage.page,
                "row": hit.passage.row,
                "answers": None if hit.answers is None else round(hit.answers, 4),
                "score": round(hit.score, 4),
                "meaning": round(hit.meaning, 4),
                "words": round(hit.words, 4),
                "shared": list(hit.shared),
                "text": hit.passage.text,
            }
            for hit in found.hits
        ]
        read, best = found.asks is not None, found.best
        result = {
            "question": question,
            "asks": round(found.asks, 4) if found.asks is not None else None,
            "facts": list(found.lines),
            "chances": [round(fact.score, 4) for fact in found.facts] if read else None,
            "best": {"fact": best.line, "chance": round(best.score, 4)} if read and best else None,
            "passages": rows,
        }
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    from brandbot.screen import print_found

    print_found(found)
