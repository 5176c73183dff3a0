"""Documents as people write them, and the readers of each file format.

A reader takes a file's bytes and gives blocks and problems; what is wrong in one place never costs
another. Knows nothing of passages, embeddings or indexes.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Protocol

from brandbot.errors import Problem
from brandbot.knowledge.blocks import Block, Document
from brandbot.knowledge.docx import read_docx
from brandbot.knowledge.faq import paired
from brandbot.knowledge.markdown import read_markdown, read_text
from brandbot.knowledge.pdf import read_pdf
from brandbot.knowledge.sheets import read_csv, read_jsonl, read_xlsx
from brandbot.knowledge.webpage import read_html
from brandbot.tables import DAMAGED

__all__ = ["LARGEST", "LARGEST_UNPACKED", "READERS", "Block", "Document", "Reader", "read"]

LARGEST = 20_000_000
"""Bytes of a file; a larger one is not read."""

LARGEST_UNPACKED = 100_000_000
"""Bytes of text and tables in an Office file, which is a ZIP archive; pictures don't count."""

_PICTURES = ("word/media/", "xl/media/")


class Reader(Protocol):
    """Reads a format; what is wrong with a file is in the document's problems, never raised."""

    def __call__(self, raw: bytes, name: str) -> Document: ...


READERS: dict[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".xls": read_xlsx,
    ".jsonl": read_jsonl,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".doc": read_docx,
}


def read(raw: bytes, name: str) -> Document:
    """What a file says, by its suffix; ``name`` is its path under ``knowledge/``.

    A problem is an error if nothing of the file can be used, else a warning.
    """
    suffix = PurePosixPath(name).suffix.lower()
    reader = READERS.get(suffix)
    if reader is None:
        problem = Problem("error", "unknown-document", name, None, {"suffix": suffix or name})
        return Document(name, problems=[problem])
    most = LARGEST if len(raw) > LARGEST else LARGEST_UNPACKED
    if len(raw) > LARGEST or _unpacked(raw) > LARGEST_UNPACKED:
        problem = Problem("error", "too-large", name, None, {"most": most // 1_000_000})
        return Document(name, problems=[problem])
    document = Document(name)
    try:
        document = reader(raw, name) if raw.strip() else document
    except RecursionError:
        document.problems.append(Problem("error", "too-nested", name))
    except DAMAGED as error:
        values = {"reason": str(error)[:120] or type(error).__name__}
        document.problems.append(Problem("error", "broken-document", name, None, values))
    document.blocks = paired(document.blocks)
    document.problems.sort(key=lambda problem: (problem.file, problem.line or 0))
    if document.blocks:
        document.problems = [
            replace(problem, severity="warning") if problem.severity == "error" else problem
            for problem in document.problems
        ]
    elif not any(problem.severity == "error" for problem in document.problems):
        document.problems.append(Problem("error", "no-text", name))
    return document


def _unpacked(raw: bytes) -> int:
    """Bytes that the parts of a ZIP archive which readers read say they have."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
    except DAMAGED:  # no archive, or a damaged one, which its reader tells
        return 0
    return sum(
        part.file_size for part in parts
        # Pictures hardly shrink; what does is a part under a picture's name.
        if not (part.filename.startswith(_PICTURES) and part.file_size < 10 * part.compress_size)
    )  # fmt: skip
