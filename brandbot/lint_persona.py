"""What is wrong with a persona's own words: ``voice.md``, and what ``persona.yaml`` lets it say.

Their letters and secrets, the rules they break, their language, and whether they were written at
all. Reads no examples and no documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brandbot import lint_letters, lint_text, models, starter, tables
from brandbot.errors import Problem, Severity
from brandbot.persona import Persona

CHARACTERS_A_TOKEN = 3
"""A guess (English has about four, Spanish under three); the tokenizer decides in training."""

PARTS = frozenset(["examples", "knowledge", "evals", "removed"])
"""Folders of a persona's folder."""

WRITTEN = frozenset(
    [".csv", ".tsv", ".xlsx", ".xls", ".xlsm", ".jsonl", ".md", ".txt", ".pdf", ".docx", ".html"]
)
"""Files that hold examples or facts, and are not read beside ``persona.yaml``."""


_VOICE = re.compile(r"(?:voice|voz)\b", re.IGNORECASE)


def check(folder: Path, found: Persona) -> Iterator[Problem]:
    """Everything that can be said of the persona's own words."""
    if not found.voice:
        likely = sorted(file.name for file in folder.iterdir() if _VOICE.match(file.name))
        if likely and not (folder / "voice.md").exists():
            values: dict[str, Any] = {"found": likely[0]}
            yield Problem("warning", "voice-misnamed", "voice.md", None, values)
        else:
            yield Problem("warning", "no-voice", "voice.md")
    elif found.voice == starter.voice(found.language, found.config.name):
        yield Problem("warning", "voice-unwritten", "voice.md")
    tokens = len(found.system_prompt) // CHARACTERS_A_TOKEN
    most = found.config.training.max_length
    if tokens >= most:
        sizes = {"count": tokens, "most": most}
        yield Problem("warning", "voice-too-long", "voice.md", None, sizes)
    language = lint_text.other_language(found.voice, found.language)
    if language is not None:
        values = {"found": f"@{language}", "expected": f"@{found.language}"}
        yield Problem("warning", "voice-language", "voice.md", None, values)
    yield from _lines(_text(folder / "voice.md"))
    lines = _text(folder / "persona.yaml").split("\n")
    yield from _said(found, lines)
    yield from _settings(found, lines)


def misplaced(folder: Path) -> Iterator[Problem]:
    """Files and folders that nobody reads where they are."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith((".", "~$")) or path.name.upper() in tables.NOTES:
            continue
        if path.is_dir() and path.name not in PARTS:
            yield Problem("warning", "misplaced-folder", path.name)
        elif path.name.lower().startswith(("persona.", "voice.")):
            continue  # said by persona.read, if it is not quite the name
        elif path.is_file() and path.suffix.lower() in WRITTEN:
            yield Problem("warning", "misplaced-file", path.name)


def unread_notes(folder: Path) -> Iterator[Problem]:
    """Notes among people in ``knowledge/`` that seem to hold facts: they have figures."""
    for file in sorted((folder / "knowledge").rglob("*")):
        is_note = file.name.upper() in tables.NOTES and file.suffix.lower() in WRITTEN
        if is_note and file.is_file() and re.search(r"\d", _text(file)):
            yield Problem("note", "notes-unread", file.relative_to(folder).as_posix())


def _text(file: Path) -> str:
    try:
        return tables.decode(file.read_bytes(), file.name, [])
    except OSError:
        return ""  # said by persona.read


def _lines(text: str) -> Iterator[Problem]:
    for number, line in enumerate(tables.without_comments(text, "", []).split("\n"), 1):

        def problem(severity: Severity, code: str, *, n: int = number, **values: Any) -> Problem:
            return Problem(severity, code, "voice.md", n, values)

        yield from lint_letters.letters(line, problem)
        yield from lint_letters.secrets(line, problem)


def _said(found: Persona, lines: list[str]) -> Iterator[Problem]:
    """What people read word for word."""
    config = found.config
    for text in (config.name, *config.starters, *config.said_as_it_is):
        begins = text.strip()[:20]
        line = next((n for n, one in enumerate(lines, 1) if begins and begins in one), None)

        def problem(
            severity: Severity, code: str, *, n: int | None = line, **values: Any
        ) -> Problem:
            return Problem(severity, code, "persona.yaml", n, values)

        yield from lint_letters.letters(text, problem)
        yield from lint_letters.secrets(text, problem)
        if text in config.said_as_it_is:
            for rule in lint_text.broken_rules(text, config.rules):
                yield problem("warning", rule.code, **rule.values)


def _settings(found: Persona, lines: list[str]) -> Iterator[Problem]:
    """Settings that are well formed and name nothing."""

    def line(key: str) -> int | None:
        return next((n for n, one in enumerate(lines, 1) if one.startswith(f"{key}:")), None)

    name = found.config.base_model
    if not models.is_a_name(name):
        values = {"found": name, "known": ", ".join(models.ALIASES)}
        yield Problem("warning", "unknown-model", "persona.yaml", line("base_model"), values)
    if not re.fullmatch("en|es", found.language) and lint_text.is_unknown(found.language):
        values = {"found": found.config.language}
        yield Problem("warning", "unknown-language", "persona.yaml", line("language"), values)
