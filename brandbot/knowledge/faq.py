"""Questions that stand in paragraphs of their own, or begin them: each is told with its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from brandbot.knowledge.blocks import Block
from brandbot.knowledge.lines import ASKED, NUMBER, TOLD
from brandbot.lint_text import sentences

LONGEST = 30
"""Words of a question."""

_CLOSED = re.compile(r"[.!?…:;,]\W*$")
TITLE = 10
"""Words up to which a block without a full stop is a title, and ends an answer."""


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
    most = 1  # blocks of an answer so far: what follows the last one belongs to none
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        question, rest = asked[start]
        after = blocks[start + 1 : end]
        length = _length(after, beside=bool(rest))
        if end is None and not rest:
            length = min(length, most)
        most = max(most, length)
        answers = ([replace(blocks[start], text=rest)] if rest else []) + after[:length]
        labelled = ASKED.match(blocks[start].text)
        if not answers:
            yield blocks[start]
        for block in answers:
            label = TOLD.match(block.text) if labelled else None
            said = block.text[label.end() :] if label else block.text
            yield replace(block, kind="answer", question=question, text=said)
        yield from after[length:]


def _length(after: Sequence[Block], *, beside: bool) -> int:
    """How many of the blocks after a question belong to its answer.

    Where it begins ``beside`` the question, only a list does; else all but what stands below a
    title, or something that asks without its question mark.
    """
    for at, block in enumerate(after):
        short = len(block.text.split()) <= TITLE and not _CLOSED.search(block.text)
        if block.kind != "item" and (beside or (at and short)):
            return at
    return len(after)


def _question(block: Block) -> tuple[str, str]:
    """The question that a block is or begins with, and the rest; nothing if there is none."""
    label = ASKED.match(block.text) or NUMBER.match(block.text)
    text = block.text[label.end() :] if label else block.text
    said = sentences(text) or [""]
    if label and label.re is NUMBER and (not said[0].endswith("?") or NUMBER.search(text)):
        return "", ""  # a date, or several in one
    asks = [one.rstrip("\"'»”)*").endswith("?") for one in said]
    if block.kind == "paragraph" and asks[-1] and len(text.split()) <= LONGEST:
        return text, ""  # also "I lost my ticket. What do I do?"
    first = " ".join(said[: next((n for n, ask in enumerate(asks) if not ask), len(asks))])
    rest = text[len(first) :].strip()
    if block.kind == "item" or not first or not rest or not text.startswith(first):
        return "", ""
    return (first, rest) if len(first.split()) <= LONGEST else ("", "")
