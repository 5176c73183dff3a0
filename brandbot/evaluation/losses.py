"""The rows whose losses are measured: held-out replies, and text no brand has to do with.

Losses are in nats per token, over the tokens of replies alone, from the same rows that training
reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brandbot.examples import Example
from brandbot.prompt import Encoded, PromptFormat, build

GENERAL = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class RowLoss:
    """A row's loss: the mean over its reply's tokens, and how many these are."""

    nats: float
    tokens: int


def reply_rows(
    examples: Sequence[Example],
    prompt_format: PromptFormat,
    system: str,
    shots: Sequence[Sequence[Example]] | None = None,
    language: str = "en",
) -> list[Encoded]:
    """Rows whose loss is taken on the last reply alone.

    ``shots``: for each example others that stand before it in the prompt, as earlier turns.
    """  # fmt: skip
    rows = []
    for index, example in enumerate(examples):
        before = [m for shot in (shots[index] if shots else ()) for m in shot.messages]
        messages = build(system, [*before, *example.messages], example.facts, language)
        row = prompt_format.encode(messages)
        rows.append(row.last_reply_alone())
    return rows


def strangers(examples: Sequence[Example]) -> list[Example]:
    """Each example's reply under the prompt of another: the next one's, all the way round."""
    moved = [*examples[1:], *examples[:1]]
    return [
        Example((*other.messages[:-1], own.messages[-1]), own.file, own.line, other.facts)
        for own, other in zip(examples, moved, strict=True)
    ]


def general_rows(prompt_format: PromptFormat, language: str) -> list[Encoded]:
    """The general texts that ship, plain, outside any chat frame; the loss is on every token."""
    file = GENERAL / f"general.{language}.txt"
    if not file.is_file():
        file = GENERAL / "general.en.txt"
    rows = []
    for text in file.read_text(encoding="utf-8").strip().split("\n\n"):
        ids: list[int] = prompt_format.tokenizer.encode(
            prompt_format.bos_token + text.strip(), add_special_tokens=False
        ).ids
        rows.append(Encoded(ids, [0] + [1] * (len(ids) - 1)))
    return rows
