"""Evaluation questions: ``evals/*.jsonl`` of a persona, one JSON object a line.

    {"prompt": "What does a flat white cost?", "expect": "£3.40.", "must_contain": ["3.40"]}
    {"prompt": "Who owns the cafe?", "answerable": false, "must_not_contain": ["Mr"]}

Only ``prompt`` is needed. ``source`` names the document that answers it, ``file`` or
``file#heading``. They are never trained on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brandbot.errors import Problem
from brandbot.tables import decode, json_rows, people_files

KEYS = ("prompt", "expect", "must_contain", "must_not_contain", "answerable", "source")


@dataclass(frozen=True)
class Question:
    """``answerable`` False: the brand can't know, and should say so."""

    prompt: str
    expect: str = ""
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    answerable: bool = True
    source: str = ""
    file: str = ""
    line: int | None = None


@dataclass
class Questions:
    """What was found in an ``evals/`` folder."""

    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(folder: Path) -> Questions:
    """Every question of the folder's ``.jsonl`` files; a problem in one row costs no other."""
    found = Questions()
    for name, file in people_files(folder).items():
        name = f"evals/{name}"
        if file.suffix.lower() != ".jsonl":
            values = {"found": file.suffix or file.name}
            found.problems.append(Problem("warning", "eval-format", name, None, values))
            continue
        try:
            text = decode(file.read_bytes(), name, found.problems)
        except OSError as error:
            values = {"reason": error.strerror or str(error)}
            found.problems.append(Problem("warning", "unreadable", name, None, values))
            continue
        problems: list[Problem] = []
        for number, row in json_rows(text, name, problems):
            _add(row, name, number, found)
        found.problems += [replace(problem, severity="warning") for problem in problems]
        found.problems.sort(key=lambda problem: (problem.file, problem.line or 0))
    return found


def _add(row: dict[str, Any], file: str, number: int, found: Questions) -> None:
    def wrong(what: str) -> None:
        values = {"what": what, "keys": ", ".join(KEYS)}
        found.problems.append(Problem("warning", "bad-eval", file, number, values))

    unknown = [name for name in row if name not in KEYS]
    if unknown:
        return wrong(", ".join(map(str, unknown)))
    prompt = row.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        return wrong(f"prompt: {_shown(prompt)}")
    lists: dict[str, tuple[str, ...]] = {}
    for name in ("must_contain", "must_not_contain"):
        value: Any = row.get(name, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            return wrong(f"{name}: {_shown(value)}")
        lists[name] = tuple(value)
    for name, kind in (("expect", str), ("source", str), ("answerable", bool)):
        if name in row and not isinstance(row[name], kind):
            return wrong(f"{name}: {_shown(row[name])}")
    found.questions.append(
        Question(
            prompt.strip(), row.get("expect", ""), lists["must_contain"],
            lists["must_not_contain"], row.get("answerable", True), row.get("source", ""),
            file, number,
        )
    )  # fmt: skip


def _shown(value: Any) -> str:
    """A value as it stands in the file."""
    return json.dumps(value, ensure_ascii=False)[:60]
