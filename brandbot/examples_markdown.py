"""Examples in Markdown: headings that people say, replies below them. Part of ``examples``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Literal

from brandbot.errors import Problem
from brandbot.prompt import Message
from brandbot.tables import REPLY_NAMES, decode, header_name, without_comments

# ##Hello and #¿Hola? are meant as headings, too; #hello is a hashtag.
HEADING = re.compile(
    r" {0,3}(#{1,6}\s+|#{2,6}(?=[^#\s])|#(?=[¿¡]))(.*?)(?:(?:\s+|(?<=[?!.]))#+)?\s*$"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""What converters write for a sign that might mean something in Markdown."""
LABELS = frozenset(
    [
        "pregunta", "preguntas", "respuesta", "respuestas", "question", "questions", "answer",
        "answers", "prompt", "reply", "completion", "cliente", "usuario", "customer", "user",
    ]
)  # fmt: skip
"""Headings that only say what stands below them."""
RULE = re.compile(r" {0,3}([-*_])( *\1){2,} *")


def conversations(
    raw: bytes, file: str, problems: list[Problem]
) -> Iterator[tuple[int, list[Message]]]:
    """The line and the turns of each: a heading is the prompt, what follows is the reply.

    A paragraph quoted with ``>`` is the person's next message, so a conversation goes on under its
    heading. A first ``#`` title without text of its own is the document's title.
    """
    sections: list[tuple[int, int, str, list[str]]] = []  # line, level, heading, body
    fence = 0  # the line that an open block of code began in
    text = without_comments(decode(raw, file, problems), file, problems)
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            fence = 0 if fence else number
        heading = None if fence else HEADING.match(line)
        if heading and sections and is_reply_label(heading.group(2), sections[-1][3]):
            continue
        if heading:
            sections.append((number, heading.group(1).count("#"), heading.group(2), []))
        elif not fence and RULE.fullmatch(line):
            continue
        elif sections:
            sections[-1][3].append(line)
        elif line.strip():
            values = {"found": line.strip()[:40]}
            problems.append(Problem("warning", "text-before-heading", file, number, values))
            sections.append((number, 0, "", []))
    if fence:
        problems.append(Problem("error", "open-fence", file, fence))
    for index, (number, level, prompt, body) in enumerate(sections):
        text = "\n".join(body).strip()
        if level == 0:
            continue
        deeper_next = index + 1 < len(sections) and sections[index + 1][1] > level
        if not text and deeper_next:
            continue
        prompt = _unmarked(prompt)
        values = {"found": prompt[:40]}
        title = index == 0 and level == 1 and deeper_next
        if header_name(prompt) in LABELS and not prompt.rstrip().endswith("?") and not title:
            problems.append(Problem("error", "label-as-question", file, number, values))
            continue
        if text and deeper_next:
            problems += _doubtful_levels(sections[index:], file, first=index == 0)
        turns = [Message("user", prompt)]
        for said, block in _spoken_blocks(body):
            turns.append(Message(said, _ESCAPED.sub(r"\1", block)))
        if len(turns) == 1:
            problems.append(Problem("error", "empty-reply", file, number))
            continue
        yield number, turns


def _doubtful_levels(
    sections: Sequence[tuple[int, int, str, list[str]]], file: str, *, first: bool
) -> list[Problem]:
    """Whether a heading with text of its own, and others below it, is no question, or they none."""
    number, level, heading, _ = sections[0]
    below = list(takewhile(lambda section: section[1] > level, sections[1:]))
    asks = _asks(heading)
    many = len(below) > 1 and all(_asks(section[2]) for section in below)
    if (first and level == 1) or (many and not asks):
        values = {"found": heading[:40]}
        return [Problem("warning", "title-as-question", file, number, values)]
    if asks and not any(_asks(section[2]) for section in below):
        values = {"found": below[0][2][:40]}
        return [Problem("warning", "heading-in-reply", file, below[0][0], values)]
    return []


def _asks(heading: str) -> bool:
    return heading.rstrip(" *_").endswith("?")


def _unmarked(heading: str) -> str:
    """A heading without the marks that make it bold, and without escapes."""
    bold = re.fullmatch(r"(\*\*|__)((?:(?!\1).)+)\1", heading.strip())
    return _ESCAPED.sub(r"\1", bold[2].strip() if bold else heading)


def is_reply_label(heading: str, body: list[str]) -> bool:
    """Whether a heading only says that the reply to the one above begins: ### Respuesta."""
    return header_name(heading) in REPLY_NAMES and not "".join(body).strip()


def _spoken_blocks(body: list[str]) -> Iterator[tuple[Literal["user", "assistant"], str]]:
    speaker: Literal["user", "assistant"] = "assistant"
    block: list[str] = []
    for line in body:
        quoted = re.match(" {0,3}>", line) is not None
        says: Literal["user", "assistant"] = "user" if quoted else "assistant"
        if says != speaker and line.strip():
            if "".join(block).strip():
                yield speaker, "\n".join(block).strip()
            speaker, block = says, []
        block.append(line.lstrip().removeprefix(">").strip() if quoted else line)
    if "".join(block).strip():
        yield speaker, "\n".join(block).strip()
