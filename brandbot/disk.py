"""Files that are whole or not there: flushed to disk before a rename makes them visible."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = ("No space left", "PytorchStreamWriter", "inline_container")
"""How libraries say that the disk is full."""


def write_pointer(file: Path, text: str) -> None:
    """Replaces a one-line file; after a crash it holds the old line or the new one."""
    write_whole(file, text + "\n")


def write_whole(file: Path, content: str | bytes, *, scratch: Path | None = None) -> None:
    """Replaces a file, or makes it; after a crash it holds the old content or the new one.

    Who may read it stays as it is. It is written in the folder ``scratch`` of the same disk first,
    by default beside the file.
    """
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=scratch or file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        Path(name).replace(file)
        fsync(file.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def fsync_folder(folder: Path) -> None:
    """Flushes every file in a folder, and the folder."""
    for path in folder.rglob("*"):
        fsync(path)
    fsync(folder)


def fsync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows can't flush a folder
    # Windows flushes only what may be written to.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_disk_told(place: Path) -> Iterator[None]:
    """An error of a full disk becomes the OSError that it is: torch's and safetensors' are none."""
    try:
        yield
    except Exception as error:
        if any(sign in str(error) for sign in FULL):
            raise OSError(errno.ENOSPC, "No space left on device", str(place)) from error
        raise
