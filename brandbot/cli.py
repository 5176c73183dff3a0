"""The commands. Each imports what it needs when it runs, so that --help answers at once."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from brandbot import cli_evaluation, cli_knowledge, cli_loop, cli_slack
from brandbot.cli_options import (
    AsJson,
    EngineOption,
    Name,
    bot_here,
    note,
    workspace_here,
)
from brandbot.errors import BrandbotError, is_out_of_memory

if TYPE_CHECKING:
    from brandbot.lint import Check
    from brandbot.training.publish import Trained
    from brandbot.workspace import Workspace

app = typer.Typer(
    name="brandbot",
    help="A brand's own voice, from a folder of examples.",
    epilog="Start with: brandbot new my-brand · brandbot check · brandbot train my-brand · "
    "brandbot chat my-brand",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="Base models: list them, or get one.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(cli_slack.slack_app, name="slack")

Settings = Annotated[
    Optional[list[str]],
    typer.Option(
        "--set", help="A setting for this once, such as training.epochs=2.", metavar="KEY=VALUE"
    ),
]


@app.callback()
def options(
    workspace: Annotated[
        Optional[str], typer.Option(help="The folder that holds personas/.", metavar="FOLDER")
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
) -> None:
    if workspace:
        os.environ["BRANDBOT_WORKSPACE"] = workspace
    if debug:
        os.environ["BRANDBOT_DEBUG"] = "1"


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new folder's name, such as my-brand.")],
    title: Annotated[str, typer.Option(help="The brand's name as people see it.")] = "",
    language: Annotated[str, typer.Option(help="en or es; by default your system's.")] = "",
) -> None:
    """Make a persona's folder to fill in.

    Example: brandbot new my-brand --language es
    """
    from brandbot import starter

    folder = workspace_here(create=True).new_persona(name)
    language = language or ("es" if os.environ.get("LANG", "").startswith("es") else "en")
    if language not in ("en", "es"):
        raise BrandbotError(f"The starting folder comes in en and es, not in {language!r}.")
    title = title or name.replace("-", " ").replace("_", " ").title()
    starter.create(folder, language="es" if language == "es" else "en", name=title)
    typer.echo(f"Made {folder}")
    typer.echo(f"Fill in its examples, then run: brandbot check {name}")


@app.command()
def check(
    name: Annotated[
        Optional[str], typer.Argument(help="One persona; all of them if left out.")
    ] = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Take out the examples that contradict the documents."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a persona's files, where, and what to do.

    Exits with 1 if something must be mended before training. --fix shows what it would take out and
    asks; what it takes out is kept in the persona's removed/. Example: brandbot check lighthouse
    """
    from brandbot import lint
    from brandbot.screen import bar, print_check

    workspace = workspace_here()
    names = [name] if name else workspace.persona_names()
    for strange in [] if name else workspace.unnamed():
        typer.echo(
            f"brandbot: personas/{strange} is left out: a persona's folder has lower-case letters, "
            "digits, - and _ only. Rename it.", err=True,
        )  # fmt: skip
    if not names:
        raise BrandbotError("There is no persona yet. Make one with: brandbot new my-brand")
    if (fix or yes) and not (fix and name):
        raise BrandbotError("Name the persona whose examples are to be mended: "
                            "brandbot check NAME --fix")  # fmt: skip
    checks = []
    for each in names:
        folder = workspace.persona(each)
        with bar(f"Checking {each}", quiet=as_json) as progress:
            checks.append(lint.check(folder, progress=progress))
        if not as_json:
            print_check(checks[-1], each)
    fixed = _fix(checks[0], yes, as_json) if fix else None
    if fixed and fixed["removed"]:
        checks[0] = lint.check(checks[0].folder)
    if as_json:
        rows = [{**found.to_json(), **({"fix": fixed} if fix else {})} for found in checks]
        typer.echo(json.dumps(rows[0] if name else rows, ensure_ascii=False, indent=2))
    if not all(found.ok for found in checks):
        raise typer.Exit(1)


def _fix(found: Check, yes: bool, as_json: bool) -> dict[str, Any]:
    """Takes contradicting examples out, if that is wanted; what was or would be done, as values."""
    from datetime import date

    from brandbot import lint_fix
    from brandbot.screen import confirm_fix, print_fix, print_fixed

    plan = lint_fix.plan(found)
    if not as_json:
        print_fix(plan)
    asked = not yes and not as_json and sys.stdin.isatty()
    done = None
    if plan.taken and (yes or (asked and confirm_fix(plan))):
        done = lint_fix.apply(plan, date.today())
    if plan.taken and not as_json:
        print_fixed(plan, done, told_only=not asked)
    return {**plan.to_json(), **(done.to_json() if done else {"removed": None, "backups": []})}


@app.command()
def examples(
    name: Name,
    show_mask: Annotated[
        bool, typer.Option("--show-mask", help="Colour what the loss is taken on.")
    ] = False,
    limit: Annotated[int, typer.Option(help="How many to show.")] = 5,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "train",
) -> None:
    """Show examples as the model is trained on them.

    Example: brandbot examples lighthouse --show-mask --limit 2
    """
    from brandbot import approved, models
    from brandbot.persona import Persona
    from brandbot.screen import print_examples

    if split not in ("train", "valid", "test"):
        raise BrandbotError(f"--split takes train, valid or test, not {split!r}.")
    workspace = workspace_here()
    persona = Persona.load(workspace.persona(name))
    reading, _ = approved.read(persona)
    chosen = [example for example in reading.examples if example.split == split][:limit]
    prompt_format = None
    if show_mask:
        base = models.resolve(persona.config.base_model, workspace.models, say=note)
        prompt_format = base.prompt_format()
    print_examples(chosen, persona, prompt_format)


@app.command()
def train(
    name: Name,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Only go on from an interrupted training, and begin none."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, also where one was interrupted.")
    ] = False,
    if_changed: Annotated[
        bool, typer.Option("--if-changed", help="Train only if the newest version is out of date.")
    ] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Train a persona's examples into a new version.

    Ctrl-C stops after the running step and keeps a checkpoint. Progress can be followed in
    .brandbot/runs/NAME/*/progress.jsonl. Examples: brandbot train lighthouse ·
    brandbot train lighthouse --set training.epochs=2 --set training.rank=8
    """
    from brandbot import lint
    from brandbot.errors import PersonaError
    from brandbot.persona import Persona
    from brandbot.screen import bar, print_trained, training_bar

    workspace = workspace_here()
    main = os.environ.get("RANK", "0") == "0"
    persona = Persona.load(workspace.persona(name)).with_settings(settings or [])
    _give_way()
    if main:
        with bar(f"Checking {name}", quiet=as_json) as progress:
            found = lint.check(persona.folder, progress=progress)
        if not found.ok:
            raise PersonaError(persona.folder, found.errors, persona.language)
    with _loading(f"Reading {persona.config.base_model}", quiet=as_json or not main):
        from brandbot.training import planning, run

        planned = planning.plan(workspace, persona, say=note)
    current = planning.up_to_date(workspace, planned) if if_changed else None
    if current:
        if as_json:
            typer.echo(json.dumps(current.to_json(), ensure_ascii=False))
        else:
            typer.echo(
                f"{name} is up to date: version {current.version} was made from just these files."
            )
        return
    with training_bar(quiet=as_json or not main) as report:
        trained = run.train(workspace, planned, resume=resume, fresh=fresh, report=report, say=note)
    if not main:
        return
    refused = _first(workspace, trained, as_json)
    if refused:
        typer.echo(refused, err=True)
    if as_json:
        typer.echo(json.dumps(trained.to_json(), ensure_ascii=False))
    else:
        print_trained(trained, refused=bool(refused))


def _first(workspace: Workspace, trained: Trained, as_json: bool) -> str:
    """A persona's first version is measured and, if it passes the gate, goes live by itself.

    Later ones never do. Returns why it did not.
    """
    from brandbot.adapters import AdapterStore
    from brandbot.evaluation import promotion
    from brandbot.screen import bar

    if AdapterStore(workspace.adapters(trained.persona)).live_number() is not None:
        return ""
    try:
        with bar(f"Evaluating {trained.persona}", quiet=as_json) as progress:
            done = promotion.promote(
                workspace, trained.persona, int(trained.version), progress=progress, say=note
            )
    except BrandbotError as error:
        return str(error)
    cli_evaluation.tell_unmeasured(done, trained.persona)
    trained.live = True
    return ""


app.command()(cli_evaluation.evaluate)
app.command()(cli_evaluation.compare)
app.command()(cli_evaluation.versions)
app.command()(cli_evaluation.promote)
app.command()(cli_evaluation.rollback)
app.command()(cli_evaluation.taste)


@app.command()
def chat(
    name: Name,
    version: Annotated[
        Optional[int], typer.Option(help="Another version than the live one.")
    ] = None,
    strength: Annotated[
        Optional[float], typer.Option(min=0.0, max=1.0, help="How much of the adapter, 0 to 1.")
    ] = None,
    engine: EngineOption = "auto",
) -> None:
    """Talk to a persona in the terminal. /help there shows what else can be typed.

    Example: brandbot chat lighthouse
    """
    from brandbot.terminal import talk

    bot = bot_here(engine)
    try:
        cli_knowledge.bring_up_to_date(bot.workspace, [name])
        with _loading(f"Loading {name}"):
            voice = bot.voice(name, version)
        # The model loads and reads the prompt while the person reads the greeting and types.
        threading.Thread(target=_warm, args=(bot, name, version), daemon=True).start()
        talk(bot, name, voice, version=version, strength=strength)
    finally:
        bot.close()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7860,
    engine: EngineOption = "auto",
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
) -> None:
    """Serve the web chat on this machine.

    With SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET set, Slack is answered at /slack/events, too.
    Example: brandbot serve --port 8080
    """
    try:
        from connectors import studio
    except ImportError as error:
        from brandbot.errors import MissingExtraError

        raise MissingExtraError(str(error.name), "web", "The web chat") from error
    bot = bot_here(engine)
    try:
        cli_knowledge.bring_up_to_date(bot.workspace, bot.workspace.persona_names())
        cli_loop.keep_no_longer(bot)
        with cli_slack.mounted(bot) as routes:
            studio.serve(bot, host=host, port=port, open_browser=open_browser, routes=routes)
    finally:
        bot.close()


@models_app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the base models that have a short name."""
    from brandbot import models
    from brandbot.screen import print_models

    folder = workspace_here(create=True).models
    rows = [
        {
            "name": name,
            "hub": alias.hub,
            "parameters": alias.parameters,
            "languages": alias.languages,
            "licence": alias.licence,
            "here": models.is_here(name, folder),
        }
        for name, alias in models.ALIASES.items()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        print_models(rows)


@models_app.command("get")
def get_model(
    names: Annotated[list[str], typer.Argument(help="Short names, or ids on the hub.")],
) -> None:
    """Fetch base models, so that everything after works without a network.

    Example: brandbot models get smollm2-135m-instruct
    """
    from brandbot import models

    folder = workspace_here(create=True).models
    for name in names:
        models.download(name, folder, note)
        if name.lower() == models.EMBEDDER:
            typer.echo(f"{name} is here: {models.embedder_folder(folder)}")
            continue
        with _loading(f"Unpacking {name}"):
            base = models.resolve(name, folder, say=note)
            with contextlib.suppress(BrandbotError):  # the transformers engine serves it then
                models.gguf_file(base, folder, note)
        typer.echo(f"{name} is here: {base.folder}")


app.command()(cli_knowledge.index)
app.command()(cli_knowledge.search)
app.command()(cli_loop.review)
app.command()(cli_loop.export)
app.command()(cli_loop.forget)


def main() -> None:
    """Runs a command; every error becomes a sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")  # whatever this machine's own is
    if "--debug" not in sys.argv:
        warnings.simplefilter("ignore")  # libraries' remarks to one another, in the middle of a bar
    try:
        app()
    except BrandbotError as error:
        _fail(str(error), error)
    except KeyboardInterrupt:  # before Typer, which makes an exit of it, has begun
        typer.echo("Stopped.", err=True)
        sys.exit(130)
    except SystemExit as stop:
        if stop.code == 130:
            typer.echo("Stopped.", err=True)
        raise
    except OSError as error:
        _fail(_disk_message(error), error)
    except Exception as error:
        if is_out_of_memory(error):
            told = "There is not enough memory. Close other programs or use a smaller base_model."
            _fail(told, error)
        _fail(
            f"Something went wrong that brandbot did not expect: {type(error).__name__}: {error}\n"
            "Run the command again with --debug after 'brandbot' to see where, and report it.",
            error,
        )


def _disk_message(error: OSError) -> str:
    import errno

    if error.errno == errno.ENOSPC:
        return (
            "The disk is full. Free some space and run the command again; what was served and "
            "saved before is unchanged."
        )
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"


def _fail(message: str, error: BaseException) -> None:
    if os.environ.get("BRANDBOT_DEBUG"):
        raise error
    from brandbot.training import interrupted

    typer.echo(f"brandbot: {message}", err=True)
    sys.exit(130 if interrupted(error) else 1)


def _warm(bot: Any, name: str, version: int | None) -> None:
    with contextlib.suppress(Exception):  # the first reply says what is wrong
        bot.warm(name, version)


def _loading(message: str, quiet: bool = False) -> Any:
    from brandbot.screen import loading

    return loading(message, quiet=quiet)


def _give_way() -> None:
    """Lets a server beside this training go first, for the processor and for memory."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        os.nice(5)
        Path("/proc/self/oom_score_adj").write_text("500")


if __name__ == "__main__":
    main()
