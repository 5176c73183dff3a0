"""The commands for Slack: serve, manifest, doctor. Part of ``cli``; imports when a command runs."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from brandbot.cli_options import AsJson, bot_here
from brandbot.errors import BrandbotError

if TYPE_CHECKING:
    from brandbot.bot import Bot

slack_app = typer.Typer(
    help="Serve the bot in Slack, or set it up. Start with: brandbot slack manifest",
    invoke_without_command=True,
)

AGAIN_SECONDS = 30.0
"""After which a web server that could not reach Slack tries again."""

Brand = Annotated[
    Optional[str],
    typer.Option("--persona", help="The persona of channels that were not set to another."),
]


@slack_app.callback()
def slack(context: typer.Context, persona: Brand = None) -> None:
    """Serve the bot in Slack by Socket Mode, until Ctrl-C.

    Needs SLACK_BOT_TOKEN and SLACK_APP_TOKEN. Example: brandbot slack --persona lighthouse
    """
    if context.invoked_subcommand is not None:
        return
    _imported()
    from brandbot import cli_knowledge
    from connectors.slack import server

    bot = bot_here("auto")
    try:
        cli_knowledge.bring_up_to_date(bot.workspace, bot.workspace.persona_names())
        server.serve(bot, persona=persona)
    finally:
        bot.close()


@slack_app.command()
def manifest(
    http: Annotated[
        Optional[str],
        typer.Option("--http", metavar="URL", help="Slack calls this address instead of a socket."),
    ] = None,
    name: Annotated[str, typer.Option(help="The app's name in Slack.")] = "brandbot",
    language: Annotated[str, typer.Option(help="en or es.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of YAML.")] = False,
) -> None:
    """Print the app manifest to paste at api.slack.com/apps.

    It asks for just the scopes and events that are used. Examples: brandbot slack manifest ·
    brandbot slack manifest --http https://bot.example.com
    """
    _imported()
    from connectors.slack import manifest as made
    from connectors.slack.texts import say

    described = say(language, "manifest_description")
    url = None if http is None else f"{http.rstrip('/').removesuffix('/slack/events')}/slack/events"
    found = made.manifest(name=name, description=described, http_url=url, language=language)
    typer.echo(json.dumps(found, indent=2) if as_json else made.to_yaml(found).rstrip())


@slack_app.command()
def doctor(
    language: Annotated[str, typer.Option(help="en or es.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Check tokens, scopes and whether Slack can be reached, and say what to mend.

    Exit status 1 if something is wrong. Example: brandbot slack doctor
    """
    _imported()
    from connectors.slack.doctor import examine

    findings = examine(os.environ, language=language)
    if as_json:
        rows: list[dict[str, Any]] = [
            {"ok": finding.ok, "what": finding.what, "remedy": finding.remedy}
            for finding in findings
        ]
        typer.echo(json.dumps({"findings": rows}, ensure_ascii=False))
    else:
        marks = {True: "✓", False: "✗", None: "·"}
        for finding in findings:
            typer.echo(f"{marks[finding.ok]} {finding.what}")
            if finding.ok is False and finding.remedy:
                typer.echo(f"  {finding.remedy}")
    if any(finding.ok is False for finding in findings):
        sys.exit(1)


@contextmanager
def mounted(bot: Bot) -> Iterator[list[Any]]:
    """The addresses at which a web server answers Slack; none if it can't, or was not set up for
    it. Where it was, a line says which: the web chat goes on without Slack."""
    needed = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")
    missing = [name for name in needed if not os.environ.get(name, "").strip()]
    if missing:
        if any(os.environ.get(name) for name in (*needed, "SLACK_APP_TOKEN")):
            told = f"{missing[0]} is not set. By Socket Mode: brandbot slack"
            typer.echo(f"Slack: off, because {told}", err=True)
        yield []
        return
    try:
        _imported()
    except BrandbotError as error:
        typer.echo(f"Slack: off, because {error}", err=True)
        yield []
        return
    from connectors.slack import app, server

    found: list[Any] = []
    stopped = threading.Event()

    def look() -> bool:
        """Whether there is nothing more to look for."""
        try:
            found.append(app.build(bot))
        except app.SlackAwayError as error:
            typer.echo(f"Slack: not yet, because {error}", err=True)
            return False
        except BrandbotError as error:
            typer.echo(f"Slack: off, because {error}", err=True)
            return True
        typer.echo(f"Slack: on, at {server.PATH}", err=True)
        return True

    def look_again() -> None:
        while not stopped.wait(AGAIN_SECONDS) and not look():
            pass

    if not look():
        threading.Thread(target=look_again, name="slack-later", daemon=True).start()
    elif not found:
        yield []
        return
    secret = os.environ["SLACK_SIGNING_SECRET"].strip()
    try:
        yield [server.route_later(lambda: found[0] if found else None, secret)]
    finally:
        stopped.set()
        for opened in found:
            opened.close()


def _imported() -> None:
    try:
        import slack_bolt  # noqa: F401
        import websocket  # noqa: F401
    except ImportError as error:
        from brandbot.errors import MissingExtraError

        raise MissingExtraError(str(error.name), "slack", "Slack") from error
