"""Where everything lies. The only place that builds paths.

The workspace is the nearest folder, upward from the current one, that holds ``personas/``.
What people write lies there and belongs in git; what the program makes lies under ``home``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote

from brandbot.errors import WorkspaceError

PERSONA_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Workspace:
    """A folder with ``personas/`` in it.

    ``home`` is ``BRANDBOT_HOME``, by default ``.brandbot/`` beside ``personas/``. ``models`` can be
    moved alone by ``BRANDBOT_MODELS``, since base models are large and fit every workspace.
    """

    root: Path

    @classmethod
    def find(cls, given: str | os.PathLike[str] | None = None) -> Workspace:
        """The workspace at ``given``, else ``BRANDBOT_WORKSPACE``, else upward from here.

        Raises WorkspaceError if there is none.
        """
        named = given or os.environ.get("BRANDBOT_WORKSPACE")
        if named:
            root = Path(named).expanduser().resolve()
            if not (root / "personas").is_dir():
                raise WorkspaceError(
                    f"{root} holds no folder personas/. Make it, or name another folder with "
                    "--workspace or BRANDBOT_WORKSPACE."
                )
            return cls(root)
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / "personas").is_dir():
                return cls(folder)
        raise WorkspaceError(
            f"No folder personas/ in {here} or above it. Go to your project's folder, name it with "
            "--workspace, or start one with: mkdir personas && brandbot new my-brand"
        )

    @property
    def personas(self) -> Path:
        return self.root / "personas"

    @property
    def home(self) -> Path:
        moved = os.environ.get("BRANDBOT_HOME")
        return Path(moved).expanduser().resolve() if moved else self.root / ".brandbot"

    @property
    def models(self) -> Path:
        moved = os.environ.get("BRANDBOT_MODELS")
        return Path(moved).expanduser().resolve() if moved else self.home / "models"

    @property
    def database_url(self) -> str:
        file = quote(str(self.home / "brandbot.db"), safe="/:\\")  # a folder may be named 100%
        return os.environ.get("BRANDBOT_DATABASE_URL") or f"sqlite:///{file}"

    def persona(self, name: str) -> Path:
        """The folder of the persona ``name``, which must exist."""
        folder = self.new_persona(name)
        if not folder.is_dir():
            names = self.persona_names()
            close = get_close_matches(name, names, n=1)
            meant = f"Did you mean {close[0]}? If not, make" if close else "Make"
            raise WorkspaceError(
                f"There is no persona {name!r} in {self.personas} "
                f"(there: {', '.join(names) or 'none yet'}). {meant} it with: brandbot new {name}"
            )
        return folder

    def new_persona(self, name: str) -> Path:
        """The folder a persona ``name`` has or would have; refuses names that are no plain name."""
        if not PERSONA_NAME.fullmatch(name):
            raise WorkspaceError(
                f"{name!r} can't be a persona's folder. Use lower-case letters, digits, - and _, "
                "for example lighthouse-coffee."
            )
        return self.personas / name

    def persona_names(self) -> list[str]:
        return sorted(
            folder.name
            for folder in self.personas.iterdir()
            if folder.is_dir() and PERSONA_NAME.fullmatch(folder.name)
        )

    def unnamed(self) -> list[str]:
        """Folders that seem to be personas, but for their names."""
        return sorted(
            folder.name
            for folder in self.personas.iterdir()
            if (folder / "persona.yaml").is_file() and not PERSONA_NAME.fullmatch(folder.name)
        )

    def adapters(self, persona: str) -> Path:
        return self.home / "adapters" / persona

    def runs(self, persona: str) -> Path:
        return self.home / "runs" / persona

    def evaluations(self, persona: str) -> Path:
        return self.home / "evaluations" / persona

    def knowledge(self, persona: str) -> Path:
        return self.home / "knowledge" / persona
