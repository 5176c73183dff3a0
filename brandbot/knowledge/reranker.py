"""Which facts answer a question: a cross-encoder that reads the two together.

Search compares a question and a passage each by itself, so that the discount for students comes up
for pensioners. A cross-encoder (Nogueira and Cho 2019) reads both at once and gives the chance that
the one answers the other: it orders the facts that search found, and tells when none of them is an
answer. It is multilingual-e5-small, trained further; brandbot comes with what that changed, and
the folder ``reranker/`` of the repository has what it was trained on, and how.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brandbot import convert, models, precision
from brandbot.errors import MissingExtraError, ModelError

CHANGES = Path(__file__).parent / "answers.safetensors"
"""What training added to the encoder's weights, matrices as 8-bit integers, each row with its own
``.step``; and the head, which the encoder has none of."""

HEAD = ("bert.pooler", "classifier")
"""What the names of the head's weights begin with."""

MESSAGE, TOKENS = 48, 192
"""Tokens of a message, whose end is read, and of both together; longer facts are cut."""

SCALE, SHIFT = 0.62, -0.73
"""From the model's log odds to those of the chance that a fact answers: a logistic regression over
the pairs of half of the held-out businesses. By itself the model is too sure (docs/notes.md)."""


_opening = threading.Lock()


def open_reranker(folder: Path) -> Reranker:
    """The reranker, one in memory for all personas; ``folder`` is where embedded models lie.

    Raises ModelError or MissingExtraError.
    """
    with _opening:  # a cache by itself would let two threads load it at once
        return _opened(models.encoder_folder(folder, models.RERANKER))


@functools.lru_cache(maxsize=1)
def _opened(base: Path) -> Reranker:
    return Reranker(base)


class Reranker:
    """A cross-encoder of one output, the log odds that a text answers; threads may share it."""

    def __init__(self, base: Path, changes: Path = CHANGES) -> None:
        try:
            import torch
            from safetensors import SafetensorError
            from safetensors.torch import load_file
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
        except ImportError as error:
            raise MissingExtraError(str(error.name), "knowledge", "Looking facts up") from error
        try:
            with convert.quiet_transformers():
                self._tokenizer: Any = AutoTokenizer.from_pretrained(base, local_files_only=True)
                model: Any = AutoModelForSequenceClassification.from_pretrained(
                    base, local_files_only=True, trust_remote_code=False, use_safetensors=True,
                    num_labels=1, dtype=torch.float32,
                )  # fmt: skip
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"{base} can't be read: it is damaged or not whole. Delete that folder and run: "
                f"brandbot models get {models.RERANKER}"
            ) from error
        try:
            _change(model, load_file(changes))
        except (OSError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"{changes} is damaged. Install brandbot again.") from error
        if precision.use_bf16():
            model = model.to(torch.bfloat16)
        self._model: Any = model.eval()
        # The tokenizer is told how to pad and cut with each call.
        self._lock = threading.Lock()

    def read(self, message: str, facts: Sequence[str]) -> tuple[float, list[float]]:
        """The chance, 0 to 1, that a message asks for a fact, and that each of these answers it.

        The first is what the model was trained to give for no text at all beside a message: 1 for
        what a business's documents could tell, 0 for talk, feelings, advice, general knowledge.
        """
        import torch

        texts = ["", *facts]
        with self._lock:
            places = self._tokenizer(
                message, add_special_tokens=False, return_offsets_mapping=True, verbose=False
            )["offset_mapping"]
            if len(places) > MESSAGE:  # people ask at the end
                message = message[places[-MESSAGE][0] :]
            pairs = self._tokenizer(
                [message] * len(texts), texts, padding=True, truncation="only_second",
                max_length=TOKENS, return_tensors="pt",
            )  # fmt: skip
        with torch.inference_mode():
            odds = self._model(**pairs).logits[:, 0].float()
        return float(odds[0].sigmoid()), (SCALE * odds[1:] + SHIFT).sigmoid().tolist()


def _change(model: Any, changes: dict[str, Any]) -> None:
    state = model.state_dict()
    for name, added in changes.items():
        if name.endswith(".step"):
            continue
        added = added.float() * changes.get(f"{name}.step", 1.0)
        if name.startswith(HEAD):
            state[name].copy_(added)
        else:
            state[name] += added
