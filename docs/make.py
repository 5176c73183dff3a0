"""Writes the pages that are derived from code: settings.md and commands.md.

    python docs/make.py

A test compares them with what this makes.
"""

from __future__ import annotations

from pathlib import Path

import click
import typer

from brandbot.cli import app
from brandbot.persona import PersonaConfig, Section

HERE = Path(__file__).parent

ENVIRONMENT = """
## Environment variables

| variable | what it does |
|---|---|
| `BRANDBOT_WORKSPACE` | the folder that holds `personas/`; else the one around where you stand |
| `BRANDBOT_HOME` | where versions, trainings and conversations lie; else `.brandbot/` in it |
| `BRANDBOT_MODELS` | where base models lie; else `models/` in that |
| `BRANDBOT_DATABASE_URL` | the conversations' database: `postgresql://…` or `sqlite:///…` |
| `BRANDBOT_JUDGE_URL`, `_MODEL`, `_KEY` | a judge for `brandbot evaluate --judge` |
| `BRANDBOT_BEHIND_PROXY` | 1: a proxy before the studio asks people to log in |
| `BRANDBOT_DEBUG` | 1: show tracebacks, as `--debug` does |
| `HF_TOKEN` | your key for Hugging Face, for models whose licence you accepted there |
| `HF_HUB_OFFLINE` | 1: fetch nothing from there |
| `SLACK_BOT_TOKEN`, `_APP_TOKEN`, `_SIGNING_SECRET` | see [Slack](slack.md) |
| `SLACK_API_URL` | another address of Slack's API, for tests |
"""


def settings() -> str:
    """Every key of persona.yaml, its default and what it does."""
    rows = ["| key | default | what it does |", "|---|---|---|"]

    def add(model: type[Section], prefix: str) -> None:
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, Section):
                add(kind, f"{name}.")
                continue
            default = "required" if field.is_required() else field.default
            shown = "" if default in (None, "", []) else f"{default}"
            rows.append(f"| `{prefix}{name}` | {shown} | {field.description or ''} |")

    add(PersonaConfig, "")
    return (
        "# Settings\n\nThe keys of `persona.yaml`. For once, on the command line: "
        "`brandbot train my-brand --set training.epochs=2`.\n\nA version is served with the "
        "`persona.yaml` and `voice.md` it was trained and measured with: what you change here "
        "holds from the next version on. Only `gate`, `review`, `knowledge.embedder` and the "
        "documents in `knowledge/` count at once.\n\n" + "\n".join(rows) + "\n" + ENVIRONMENT
    )


def commands() -> str:
    """The help of every command."""
    pages = ["# Commands\n"]

    def add(command: click.Command, path: str) -> None:
        context = click.Context(
            command, info_name=path, terminal_width=88, help_option_names=["-h", "--help"]
        )
        pages.append(f"## {path}\n\n```\n{command.get_help(context).strip()}\n```\n")
        for name, inner in getattr(command, "commands", {}).items():
            add(inner, f"{path} {name}")

    add(typer.main.get_command(app), "brandbot")
    return "\n".join(pages)


PAGES = {"settings.md": settings, "commands.md": commands}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), encoding="utf-8")
