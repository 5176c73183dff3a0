"""What a model expects: losses on held-out replies, and on text no brand has to do with.

All in nats per token, over the tokens of replies alone, from the same rows that training reads.
Loads the base once; adapters are laid on it in turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brandbot import convert, precision
from brandbot.adapters import Version
from brandbot.errors import MissingExtraError
from brandbot.examples import Example
from brandbot.models import BaseModel
from brandbot.prompt import Encoded, PromptFormat, build

GENERAL = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class RowLoss:
    """A row's loss: the mean over its reply's tokens, and how many these are."""

    nats: float
    tokens: int


class LossMeter:
    """Measures with and without adapters on one base."""

    def __init__(self, base: BaseModel, version: Version | None = None) -> None:
        """Loads the base or, for a fully fine-tuned ``version``, that version's own weights."""
        try:
            import torch
            from transformers import AutoModelForCausalLM

            from brandbot.training import packing
        except ImportError as error:
            raise MissingExtraError(str(error.name), "train", "Measuring losses") from error
        self.bf16 = precision.use_bf16()
        full = version is not None and version.method == "full"
        with convert.quiet_transformers():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                version.folder if version is not None and full else base.folder,
                dtype=torch.bfloat16 if self.bf16 else torch.float32,
                attn_implementation=packing.ATTENTION,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        self._model: Any = loaded.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        self._names: dict[Path, str] = {}

    @contextmanager
    def speaking(self, version: Version | None) -> Iterator[Any]:
        """The model as ``version`` speaks; None: untuned."""
        if version is None or version.method == "full":
            if self._names:
                with self._model.disable_adapter():
                    yield self._model
            else:
                yield self._model
            return
        from peft import PeftModel

        name = self._names.get(version.folder)
        if name is None:
            name = self._names[version.folder] = f"v{len(self._names)}"
            if len(self._names) == 1:
                self._model = PeftModel.from_pretrained(
                    self._model, version.folder, adapter_name=name
                )
            else:
                self._model.load_adapter(version.folder, adapter_name=name)
        self._model.set_adapter(name)
        self._model.eval()
        yield self._model

    def of(self, version: Version | None, rows: Sequence[Encoded]) -> list[RowLoss]:
        """Each row's loss as ``version`` sees it."""
        from brandbot.training.packing import common_prefix
        from brandbot.training.trainer import row_losses

        if not rows:
            return []
        with self.speaking(version) as model:
            found = row_losses(model, rows, common_prefix(rows), bf16=self.bf16)
        return [RowLoss(total / count if count else math.nan, count) for total, count in found]


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
