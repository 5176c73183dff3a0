"""What a build that was stopped had embedded already, for the next one to go on from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from brandbot.disk import write_whole

if TYPE_CHECKING:
    from brandbot.knowledge.embedder import Vectors

FILE = "unfinished.npz"


def keep(folder: Path, embedder: str, vectors: Mapping[str, Vectors]) -> None:
    """Writes the vectors of passages, by their content's hash; ``embedder`` is who made them."""
    import numpy as np

    if not vectors:
        return
    content = io.BytesIO()
    np.savez(
        content, embedder=embedder, ids=list(vectors), vectors=np.array(list(vectors.values()))
    )
    write_whole(folder / FILE, content.getvalue())


def kept(folder: Path, embedder: str) -> dict[str, Vectors]:
    """The vectors that ``keep`` wrote, by id; none of another embedder, or of a damaged file."""
    import numpy as np

    try:
        with (folder / FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if str(file["embedder"]) != embedder:
                return {}
            return dict(zip(file["ids"].tolist(), file["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def drop(folder: Path) -> None:
    (folder / FILE).unlink(missing_ok=True)
