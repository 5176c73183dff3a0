"""Letters that are broken in a text, and secrets in it, as problems: wherever people write.

Knows nothing of where a text stands: ``problem(severity, code, **values)`` makes the problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from brandbot import lint_privacy, lint_text
from brandbot.errors import Problem

Make = Callable[..., Problem]


def letters(text: str, problem: Make) -> Iterator[Problem]:
    """What a program did to a text, or a template left in it."""
    lost = lint_text.lost_characters(text)
    if lost:
        yield problem("error", "lost-letters", count=lost)
    if lint_text.is_spreadsheet_error(text):
        yield problem("error", "excel-error", found=text.strip()[:20])
    left = lint_text.left_over(text)
    if left:
        yield problem("warning", "left-over", found=left[:30])
    marks = lint_text.letters_as_marks(text)
    if marks:
        yield problem("warning", "letters-as-marks", found=marks[:30])
    wrong = lint_text.mojibake(text)
    if wrong:
        yield problem("error", "mojibake", found=wrong[0], meant=wrong[1])
    entity = lint_text.html_entity(text)
    if entity:
        yield problem("warning", "html-code", found=entity[0], meant=entity[1])


def secrets(text: str, problem: Make) -> Iterator[Problem]:
    for secret in lint_privacy.secrets(text):
        yield problem("error", "secret", kind=f"@{secret.kind}", found=secret.hint)
