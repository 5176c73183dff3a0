"""What is wrong with a persona's documents, and with its examples beside them.

The readers' problems of each file in ``knowledge/``, facts whose time is over or still to come,
style examples that say other figures, and what teaches a model to use documents. Searches by words:
no embedder, no index and no model is loaded. Nothing here keeps a voice from being trained, so
nothing here is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from brandbot import lint_letters, lint_pairs
from brandbot.errors import Problem, Severity
from brandbot.examples import Example
from brandbot.knowledge import documents, passages
from brandbot.knowledge.passages import Passage
from brandbot.lint_contradictions import Contradiction, contradictions
from brandbot.persona import Persona
from brandbot.tables import people_files

FEWEST, MOST = 20, 80
"""Examples with facts: from the first on they teach, up to the second more of them help."""

SOON = timedelta(days=14)
"""How long before its end a fact is told of."""

LETTERS_A_TOKEN = 4
"""Where passages are cut, carefully guessed: here no embedder counts tokens."""

_QUOTED, _LISTED = 80, 8


@dataclass
class Findings:
    problems: list[Problem] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)


def check(
    folder: Path, found: Persona | None, examples: Sequence[Example], language: str, today: date
) -> Findings:
    """What can be said of a persona's documents; nothing if it has none or does not use them."""
    findings = Findings()
    told: list[Problem] = []
    files = people_files(folder / "knowledge", told)
    findings.problems += [replace(p, file=f"knowledge/{p.file}") for p in told]
    if not files or (found is not None and not found.config.knowledge.enabled):
        return findings
    known: list[Passage] = []
    try:
        for name, file in files.items():
            known += _passages(name, file, findings.problems)
        findings.problems += _times(known, today)
        brand = found.config.name if found else ""
        valid = [passage for passage in known if passage.valid(today)]
        findings.contradictions = contradictions(examples, valid, language, brand)
    except ImportError as error:
        # The examples can be checked all the same, and a voice trained.
        values = {"package": error.name or "knowledge"}
        findings.problems.append(
            Problem("warning", "no-knowledge-extra", "knowledge", None, values)
        )
        return findings
    findings.problems += [_told(each, folder.name) for each in findings.contradictions]
    if known:
        findings.problems += _teaching(found, examples)
    return findings


def _passages(name: str, file: Path, problems: list[Problem]) -> list[Passage]:
    try:
        with file.open("rb") as stream:  # the reader says if that is too much
            raw = stream.read(documents.LARGEST + 1)
    except OSError as error:
        values = {"reason": error.strerror or str(error)}
        problems.append(Problem("warning", "unreadable", f"knowledge/{name}", None, values))
        return []
    document = documents.read(raw, name)
    for problem in document.problems:
        severity = "warning" if problem.severity == "error" else problem.severity
        problems.append(replace(problem, file=f"knowledge/{problem.file}", severity=severity))
    found = passages.of(document, lambda text: len(text) // LETTERS_A_TOKEN)
    told: set[str] = set()
    for passage in found:
        problems += _words(passage, told)
    answers = [(p.question, p.facts[-1]) for p in found if p.question and p.facts]
    if lint_pairs.swapped(answers):
        problems.append(Problem("warning", "swapped", f"knowledge/{name}"))
    return found


def _words(passage: Passage, told: set[str]) -> Iterator[Problem]:
    """What would be said as it stands: broken letters and secrets.

    Not personal data: a brand's own address and telephone belong into its documents. ``told`` are
    the headings that were looked at with an earlier passage.
    """
    for text in (*passage.headings, passage.question, *passage.facts):
        heading = text in passage.headings
        if heading and text in told:
            continue
        told |= {text} if heading else set()

        def problem(
            _severity: Severity, code: str, *, above: bool = heading, **values: Any
        ) -> Problem:
            line = None if above else _line(passage)
            return Problem("warning", code, f"knowledge/{passage.file}", line, values)

        yield from lint_letters.letters(text, problem)
        yield from lint_letters.secrets(text, problem)


def _times(known: Sequence[Passage], today: date) -> list[Problem]:
    """Facts that are over, still to come or soon over; those of one file and day together."""
    groups: dict[tuple[str, str, date], list[Passage]] = {}
    for passage in known:
        until, since = passage.valid_until, passage.valid_from
        if until is not None and until < today:
            groups.setdefault((passage.file, "expired", until), []).append(passage)
        elif since is not None and since > today:
            groups.setdefault((passage.file, "coming", since), []).append(passage)
        elif until is not None and until <= today + SOON:
            groups.setdefault((passage.file, "ending", until), []).append(passage)
    problems = []
    for (name, time, day), group in groups.items():
        file, line = f"knowledge/{name}", _line(group[0])
        lines = list(dict.fromkeys(str(n) for n in map(_line, group[1:]) if n is not None))
        values = {
            "day": day.isoformat(),
            "found": _short(group[0].facts[0]),
            "more": ("@and-lines" if lines else "@and-more") if group[1:] else "",
            "others": len(group) - 1,
            "lines": ", ".join(lines[:_LISTED]) + "…" * (len(lines) > _LISTED),
        }
        if time == "expired":
            problems.append(Problem("warning", "expired-fact", file, line, values))
        elif time == "coming":
            problems.append(Problem("note", "coming-fact", file, line, values))
        else:
            problems.append(Problem("note", "ending-fact", file, line, values))
    return problems


def _line(passage: Passage) -> int | None:
    return passage.row or passage.line


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1].rstrip()}…"


def _told(contradiction: Contradiction, persona: str) -> Problem:
    example = contradiction.example
    values = {
        "said": contradiction.said,
        "source": contradiction.source,
        "fact": _short(contradiction.fact),
        "persona": persona,
    }
    return Problem("warning", "contradicts-document", example.file, example.line, values)


def _teaching(found: Persona | None, examples: Sequence[Example]) -> list[Problem]:
    """What a persona with documents lacks to use them well."""
    problems = []
    count = sum(bool(example.facts) for example in examples)
    if count < FEWEST:
        values = {"count": count, "fewest": FEWEST, "most": MOST}
        problems.append(Problem("note", "few-facts", "examples", None, values))
    if found is not None and not found.config.handoff:
        problems.append(Problem("note", "no-handoff", "persona.yaml"))
    return problems
