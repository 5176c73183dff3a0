"""What is wrong with a persona's folder, and where: the work behind ``brandbot check``.

Gathers the problems of ``persona.yaml`` and of the readers, and adds what can be said of the
examples themselves, one by one (``lint_text``, ``lint_privacy``), together (``lint_pairs``) and
beside the documents (``lint_knowledge``). Knows nothing of models or training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from brandbot import (
    approved,
    grounding,
    lint_knowledge,
    lint_letters,
    lint_pairs,
    lint_persona,
    lint_privacy,
    lint_text,
    persona,
    questions,
    texts,
)
from brandbot import examples as example_files
from brandbot.errors import Problem, Severity
from brandbot.examples import Example, Reading
from brandbot.lint_contradictions import Contradiction
from brandbot.lint_figures import figures, plain, without
from brandbot.lint_text import broken_rules
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.questions import Question

FEWEST, ENOUGH, PLENTY = 20, 100, 500
"""Examples: under the first none can be trained, from the second to the third is the goal."""

LONG_REPLY = 1500
"""Characters; longer replies are rarely what a chat wants."""

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Check:
    """All that was found in a persona's folder; ``problems`` sorted by severity, file and line."""

    folder: Path
    persona: Persona | None
    reading: Reading
    problems: list[Problem]
    language: str
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Examples in all and on each side of the split."""
        sides = [example.split for example in self.reading.examples]
        return {"total": len(sides)} | {s: sides.count(s) for s in ("train", "valid", "test")}

    @property
    def files(self) -> dict[str, int]:
        """Examples by the file, or the sheet of one, that they stand in."""
        return dict(Counter(example.file for example in self.reading.examples))

    @property
    def verdict(self) -> str:
        """Whether that is enough: ``too-few``, ``more-wanted``, ``good`` or ``plenty``."""
        return _verdict(len(self.reading.examples))

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def ok(self) -> bool:
        return not self.errors

    def to_json(self) -> dict[str, Any]:
        """The check as plain values, told in the persona's language."""
        findings = []
        for problem in self.problems:
            told = texts.tell(problem, self.language)
            findings.append(
                {
                    "severity": problem.severity,
                    "code": problem.code,
                    "file": problem.file,
                    "line": problem.line,
                    "what": told.what,
                    "why": told.why,
                    "fix": told.fix,
                }
            )
        return {
            "persona": self.folder.name,
            "counts": self.counts,
            "files": self.files,
            "verdict": self.verdict,
            "findings": findings,
        }


def check(
    folder: Path,
    *,
    progress: Callable[[int, int], object] | None = None,
    today: date | None = None,
) -> Check:
    """Everything that can be said of a persona's folder without a model.

    ``progress`` is called with the examples looked at and their total. ``today`` decides which
    facts are still valid. Raises nothing for what people wrote; a folder that is not there is one
    finding among others.
    """
    found, problems = persona.read(folder)
    reading = example_files.read(folder / "examples")
    total = len(reading.examples)
    read = [problem for problem in reading.problems if not _backup(problem)]
    problems = [*problems, *read, *_amount(total)]
    asked = questions.read(folder / "evals")
    problems += lint_persona.misplaced(folder)
    problems += lint_persona.unread_notes(folder)
    if found is not None:
        problems += lint_persona.check(folder, found)
    for done, example in enumerate(reading.examples, 1):
        problems += _example_problems(example, found)
        if progress is not None:
            progress(done, total)
    problems += lint_pairs.swapped_files(reading.examples)
    problems += lint_pairs.duplicates(reading.examples)
    problems += lint_pairs.contradictions(reading.examples)
    problems += lint_pairs.split_leaks(reading.examples)
    problems += asked.problems
    if total >= FEWEST and not reading.split("test") and not asked.questions:
        problems.append(Problem("warning", "none-held-out", "examples"))
    problems += _against_themselves(asked.questions)
    problems += lint_pairs.eval_leaks(reading.examples, asked.questions)
    problems += lint_pairs.sameness(reading.examples)
    if found is not None:
        problems += _left_out(reading.examples, found)
    language = found.language if found else persona.guess_language(folder)
    beside = lint_knowledge.check(folder, found, reading.examples, language, today or date.today())
    problems += beside.problems
    problems.sort(key=lambda p: (_ORDER[p.severity], p.file, p.line or 0, p.code))
    return Check(folder, found, reading, problems, language, tuple(beside.contradictions))


def _backup(problem: Problem) -> bool:
    """Whether a file is no example file only because ``lint_fix`` left it as a backup."""
    return problem.code == "unknown-format" and problem.file.endswith(".bak")


def _against_themselves(asked: Iterable[Question]) -> Iterator[Problem]:
    """Questions whose expected answer would itself be counted as wrong."""
    for one in asked:
        if one.expect and not grounding.right(
            one.expect, one.must_contain, one.must_not_contain, one.expect
        ):
            given = {"must_contain": one.must_contain, "must_not_contain": one.must_not_contain}
            lists = "; ".join(f"{key}: {', '.join(held)}" for key, held in given.items() if held)
            values = {"expect": one.expect[:60], "lists": lists}
            yield Problem("warning", "expect-wrong", one.file, one.line, values)


def _verdict(total: int) -> str:
    if total < FEWEST:
        return "too-few"
    if total < ENOUGH:
        return "more-wanted"
    return "good" if total <= PLENTY else "plenty"


def _amount(total: int) -> list[Problem]:
    values = {"count": total, "fewest": FEWEST, "goal": ENOUGH, "most": PLENTY}
    if total < FEWEST:
        return [Problem("error", "too-few", "examples", None, values)]
    if total < ENOUGH:
        return [Problem("warning", "more-wanted", "examples", None, values)]
    return []


def _left_out(examples: list[Example], found: Persona) -> Iterator[Problem]:
    """Approved examples that are not trained on, and why."""
    for left in approved.choose(examples, found.config.review, found.folder).left_out:
        file, line = left.example.file, left.example.line
        share = {"limit": f"{left.limit:.0%}"}
        if left.code == "author-share":
            yield Problem("warning", "author-share", file, line, share)
        elif left.code == "unedited-share":
            yield Problem("note", "unedited-share", file, line, share)
        elif left.code == "repeated-sentence":
            most = {"count": int(left.limit)}
            yield Problem("warning", "repeated-sentence", file, line, most)
        elif left.code == "placeholder":
            yield Problem("warning", "placeholder", file, line)
        else:
            yield Problem("note", "in-test-split", file, line)


def _example_problems(example: Example, found: Persona | None) -> Iterator[Problem]:
    """What is wrong with one example; each kind of finding once, however often it occurs."""
    told = set()
    for problem in _each_problem(example, found):
        key = (problem.code, tuple(sorted(map(str, problem.values.items()))))
        if key not in told:
            told.add(key)
            yield problem


def _each_problem(example: Example, found: Persona | None) -> Iterator[Problem]:
    def problem(severity: Severity, code: str, **values: Any) -> Problem:
        return Problem(severity, code, example.file, example.line, values)

    if any(mark in m.content for m in example.messages for mark in example_files.SAMPLE_MARKS):
        yield problem("error", "sample-left")
        return
    said = " ".join(m.content for m in example.messages if m.role == "user")
    for message in (*example.messages, *(Message("system", fact) for fact in example.facts)):
        yield from lint_letters.letters(message.content, problem)
        yield from _privacy(message, said, " ".join(example.facts), found, problem)
        if message.role != "assistant":
            continue
        name = found.config.name if found is not None else ""
        if strange := lint_text.of_no_reply(message.content, name):
            yield problem("warning", "left-over", found=strange[:30])
        if len(message.content) > LONG_REPLY:
            yield problem("warning", "long-reply", count=len(message.content), most=LONG_REPLY)
        word = message.content.strip()
        if len(word.split()) < 2 and not lint_text.is_spreadsheet_error(word):
            yield problem("note", "short-reply", found=word[:40])
        given = " ".join(example.facts)  # made up, and given to read: nothing that goes stale
        rest = without(plain(message.content), figures(plain(given)))
        for fact in lint_text.facts(rest):
            if fact.value in given:
                continue
            yield problem("warning", "changing-fact", kind=f"@{fact.kind}", found=fact.value)
        if found is not None:
            for rule in broken_rules(message.content, found.config.rules):
                severity: Severity = "error" if rule.code == "never-say" else "warning"
                yield problem(severity, rule.code, **rule.values)
    if found is not None:
        yield from _language(example, found, problem)
        characters = sum(len(m.content) for m in example.messages) + len(found.system_prompt)
        tokens = round(characters / lint_persona.CHARACTERS_A_TOKEN)
        voice = round(len(found.system_prompt) / lint_persona.CHARACTERS_A_TOKEN)
        most = found.config.training.max_length
        if tokens > most > voice:  # else it is the guide that is too long
            yield problem("warning", "long-example", count=tokens, most=most)


def _privacy(
    message: Message, said: str, facts: str, found: Persona | None,
    problem: Callable[..., Problem],
) -> Iterator[Problem]:  # fmt: skip
    yield from lint_letters.secrets(message.content, problem)
    region = found.config.language.partition("-")[2] if found else ""
    for personal in lint_privacy.personal_data(message.content, region):
        if (
            personal.kind in lint_privacy.CONTACTS
            and message.role != "user"
            and personal.value in facts
        ):
            continue  # given to read, as a document would be
        brands_own = message.role == "assistant" and personal.value not in said
        code = (
            "changing-fact"
            if brands_own and personal.kind in lint_privacy.CONTACTS
            else "personal-data"
        )
        severity: Severity = "warning" if code == "changing-fact" else "error"
        yield problem(severity, code, kind=f"@{personal.kind}", found=personal.hint)


def _language(
    example: Example, found: Persona, problem: Callable[..., Problem]
) -> Iterator[Problem]:
    """A reply in another language is a warning; a person may well write in theirs, a note."""
    for message in example.messages:
        other = lint_text.other_language(message.content, found.language)
        if other is not None:
            values = {"found": f"@{other}", "expected": f"@{found.language}"}
            if message.role == "assistant":
                yield problem("warning", "wrong-language", **values)
            else:
                yield problem("note", "prompt-language", **values)
