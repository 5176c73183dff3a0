"""The errors a user can meet, and the problems they are made of.

A message says what was found, what was expected and what to do now. The command line prints it
without a traceback.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one place of a persona folder.

    ``code`` names an entry of ``texts.PROBLEMS`` and ``values`` fill its placeholders, so that the
    same problem can be told in English and in Spanish.
    """

    severity: Severity
    code: str
    file: str
    line: int | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class BrandbotError(Exception):
    """Base of all errors that are told to the user in a sentence."""


class WorkspaceError(BrandbotError):
    """No workspace, or a persona that is not in it."""


class PersonaError(BrandbotError):
    """A persona folder can't be used; ``problems`` holds every reason, not the first alone."""

    def __init__(self, folder: Path, problems: list[Problem], language: str = "en") -> None:
        from brandbot.texts import tell

        self.folder = folder
        self.problems = problems
        lines = [f"{problem.place}: {tell(problem, language).line}" for problem in problems]
        super().__init__("\n".join(lines))


class ModelError(BrandbotError):
    """A base model is unknown, missing, broken or not supported."""


class VersionError(BrandbotError):
    """A version is missing, incomplete, changed or does not fit."""


class TrainingError(BrandbotError):
    """Training can't start or had to stop."""


class LockHeldError(TrainingError):
    """Another process trains this persona."""


class EngineError(BrandbotError):
    """Text generation failed."""


class TooLongError(EngineError):
    """A message has no room in what the model reads at once."""


class GateError(BrandbotError):
    """A version was refused; ``rows`` are the gate's conditions that it failed."""

    def __init__(self, message: str, rows: list[Any]) -> None:
        super().__init__(message)
        self.rows = rows


class KnowledgeError(BrandbotError):
    """Documents can't be indexed, or an index can't be used."""


class LogError(BrandbotError):
    """The conversation log can't be read or written."""


class DiskFullError(LogError):
    """What was said could not be written down for want of room."""


class BusyError(LogError):
    """The log did not answer in time; the same again may well succeed."""


class ChangedError(LogError):
    """What was to be decided about was edited or deleted since it was shown."""


class UnwritableError(LogError):
    """The file of approved examples could not be written, so nothing was approved."""


class PlaceholderError(LogError):
    """A reply from which something personal was taken out can't be approved as it is."""


class ClaimLostError(LogError):
    """This process was taken for dead, and another answers the event by now."""


class TracesLeftError(LogError):
    """All rows are deleted, but the log's files could not be written anew just now."""


class ReviewConflictError(LogError):
    """Two reviewers looked at one exchange; this one was second."""

    def __init__(self, reviewer: str, decision: str) -> None:
        self.reviewer, self.decision = reviewer, decision
        super().__init__(f"{reviewer} has {decision} this exchange in the meantime.")


class SameVersionError(BrandbotError):
    """A version can't be compared with itself."""


class PairGoneError(BrandbotError):
    """Two answers were judged already, or are forgotten."""


class MissingExtraError(BrandbotError):
    """An optional dependency is missing; the message holds the command that installs it."""

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the package {package}, which is not installed.\n"
            f"Install it with: pip install 'brandbot[{extra}]'"
        )


LACKS = re.compile(
    r"can't allocate memory|cannot allocate memory|out of memory|not enough memory|bad_alloc"
    # oneDNN, which makes a kernel when it is first used; of a descriptor it would say that the
    # kernel does not exist.
    r"|could not create a primitive(?! descriptor)",
    re.IGNORECASE,
)
"""How the libraries say that there is no memory left, on a processor or a GPU."""


def is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or LACKS.search(str(error)) is not None
