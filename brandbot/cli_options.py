"""What several commands share: their options, and what those stand for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brandbot.errors import BrandbotError

if TYPE_CHECKING:
    from brandbot.adapters import AdapterStore
    from brandbot.bot import Bot
    from brandbot.engines.base import EngineName
    from brandbot.workspace import Workspace

Name = Annotated[str, typer.Argument(help="The persona: its folder's name in personas/.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
EngineOption = Annotated[
    str, typer.Option("--engine", help="auto, llamacpp or transformers.", metavar="NAME")
]

MeasuredOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="auto: all answers side by side, the fastest; llamacpp or transformers: as served, "
        "a few at a time.",
        metavar="NAME",
    ),
]


def workspace_here(create: bool = False) -> Workspace:
    from brandbot.errors import WorkspaceError
    from brandbot.workspace import Workspace

    try:
        return Workspace.find()
    except WorkspaceError:
        if not create or os.environ.get("BRANDBOT_WORKSPACE"):
            raise
        return Workspace(Path.cwd())


def store_of(name: str) -> AdapterStore:
    from brandbot.adapters import AdapterStore

    workspace = workspace_here()
    workspace.persona(name)
    return AdapterStore(workspace.adapters(name))


def engine_named(name: str) -> EngineName:
    if name not in ("auto", "llamacpp", "transformers"):
        raise BrandbotError(f"--engine takes auto, llamacpp or transformers, not {name!r}.")
    return name  # type: ignore[return-value]


def bot_here(engine: str) -> Bot:
    from brandbot.bot import Bot

    return Bot(workspace_here(), engine=engine_named(engine), say=note)


def note(message: str) -> None:
    typer.echo(message, err=True)
