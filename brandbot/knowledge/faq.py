"""Questions that stand in paragraphs of their own, or begin them: each is told with its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from brandbot.knowledge.blocks import Block
from brandbot.lint_text import sentences

LONGEST = 30
"""Words of a question."""

_ASKED = re.compile(r"(?:Q|P|Question|Pregunta)\s?\d{0,3}[.:)]\s*", re.IGNORECASE)
_TOLD = re.compile(r"(?:A|R|Answer|Respuesta)\s?\d{0,3}[.:)]\s*", re.IGNORECASE)


def paired(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with answers where there are at least two such questions below one heading.

    "No." alone, or the question alone, would answer anything.
    """
    found: list[Block] = []
    for running, part in groupby(blocks, lambda b: (b.kind in ("paragraph", "item"), b.headings)):
        group = list(part)
        found += _paired(group) if running[0] else group
    return found


def _paired(blocks: list[Block]) -> Iterator[Block]:
    asked = [_question(block) for block in blocks]
    starts = [at for at, (question, _) in enumerate(asked) if question]
    if len(starts) < 2:
        yield from blocks
        return
    yield from blocks[: starts[0]]
    # Blocks of an answer that began beside its question, or below: what follows the last answer
    # belongs to none.
    most = {True: 1, False: 1}
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        question, rest = asked[start]
        answers = [replace(blocks[start], text=rest)] if rest else []
        answers += blocks[start + 1 : end]
        if end is None:
            answers, behind = answers[: most[bool(rest)]], answers[most[bool(rest)] :]
        else:
            most[bool(rest)], behind = max(most[bool(rest)], len(answers)), []
        if not answers:
            yield blocks[start]
        for block in answers:
            said = _TOLD.sub("", block.text, count=1) if _TOLD.match(block.text) else block.text
            yield replace(block, kind="answer", question=question, text=said)
        yield from behind


def _question(block: Block) -> tuple[str, str]:
    """The question that a block is or begins with, and the rest; nothing if there is none."""
    label = _ASKED.match(block.text)
    text = block.text[label.end() :] if label else block.text
    first = (sentences(text) or [""])[0]
    short = len(first.split()) <= LONGEST
    if not (first.rstrip("\"'»”)*").endswith("?") and short and text.startswith(first)):
        return "", ""
    rest = text[len(first) :].strip()
    return ("", "") if block.kind == "item" and not rest else (first, rest)
