"""The file that approved exchanges are appended to: people's own, and never rewritten in secret.

A line is added, or a line that was added is taken out again; every other stays to the byte.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brandbot.disk import write_whole
from brandbot.errors import LogError, UnwritableError
from brandbot.examples import PROVENANCE


def append(file: Path, row: dict[str, Any]) -> None:
    """Adds a line, on disk when it returns. Raises UnwritableError."""
    line = json.dumps(row, ensure_ascii=False) + "\n"
    try:
        with _locked(file):
            old = file.read_bytes() if file.exists() else b""
            try:
                with file.open("ab") as stream:
                    if old and not old.endswith(b"\n"):  # as some editors leave it
                        stream.write(b"\n")
                    stream.write(line.encode())
                    stream.flush()
                    os.fsync(stream.fileno())
            except OSError:  # a full disk: half a line would stop every training
                with contextlib.suppress(OSError):
                    os.truncate(file, len(old))
                raise
    except OSError as error:
        raise UnwritableError(
            f"{file} can't be written: {error.strerror or error}. Nothing was approved; mend that "
            "and approve again."
        ) from error


def take_out(file: Path, turn: int, *, reply: str = "", reviewer: str = "") -> bool:
    """Removes the line of a turn that still ends in the ``reply`` it was written with.

    Without a reply, the line of that turn that a ``reviewer`` approved. False if there is none: it
    was removed, or edited by hand and is somebody's own by now. Raises LogError.
    """
    try:
        return rewrite(file, lambda line: not _is(line, turn, reply, reviewer)) > 0
    except OSError as error:
        raise LogError(
            f"{file} can't be written: {error.strerror or error}. Mend that and try again."
        ) from error


def rewrite(file: Path, keep: Callable[[bytes], bool]) -> int:
    """Removes the lines that ``keep`` does not want, and says how many. Raises OSError."""
    with _locked(file):
        lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
        kept = [line for line in lines if keep(line)]
        if len(kept) < len(lines):
            write_whole(file, b"".join(kept))
    return len(lines) - len(kept)


def _is(line: bytes, turn: int, reply: str, reviewer: str) -> bool:
    try:
        row = json.loads(line)
        origin, said = row[PROVENANCE], row["messages"][-1]["content"]
        return bool(
            origin["turn"] == turn
            and (said == reply if reply else origin.get("reviewer") == reviewer)
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return False


def _locked(file: Path) -> Any:
    from filelock import FileLock

    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(file.with_name(f".{file.name}.lock"))
