"""Which facts answer a question: a cross-encoder that reads the two together.

Search compares a question and a passage each by itself, so that the discount for students comes up
for pensioners. A cross-encoder (Nogueira and Cho 2019) reads both at once and gives the chance that
the one answers the other: it orders the facts that search found, and tells when none of them is an
answer. It is Gemma 3 270M, whose words here see those after them, too, with an adapter that was
trained for this, and once more with another one, for a second opinion on the likeliest facts.
brandbot comes with both; the folder ``reranker/`` of the repository has what they were trained on,
and how.
"""

from __future__ import annotations

import copy
import functools
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brandbot import convert, models, precision
from brandbot.errors import MissingExtraError, ModelError

ADAPTERS = (
    Path(__file__).parent / "answers.safetensors",
    Path(__file__).parent / "second.safetensors",
)
"""LoRA matrices of each layer as 8-bit integers, each row with its own ``.step``, and the head.

They were trained apart from each other, and err in different questions (docs/notes.md).
"""

TWICE = 3
"""The likeliest facts, which the second adapter's model reads, too."""

HEAD = "head"
"""Name of the row, as wide as the model, that gives the log odds; ``head.bias`` is added."""

MESSAGE, FACT = 48, 144
"""Tokens that are read: of a message the last ones, of a fact the first."""

SCALE, SHIFT = 0.92, -1.07
"""From the mean of both models' log odds to those of the chance that a fact answers: a logistic
regression over pairs of the held-out businesses (``reranker/train.py --measure``). By themselves
they are too sure (docs/notes.md)."""

_Reader = tuple[Any, Any, Any]
"""A model, its head and the head's bias."""

_opening = threading.Lock()


def open_reranker(folder: Path, say: models.Say | None = None) -> Reranker:
    """The reranker, one in memory for all personas; ``folder`` is where embedded models lie.

    Unpacking the model takes a minute the first time; ``say`` is told. Raises ModelError or
    MissingExtraError.
    """
    with _opening:  # a cache by itself would let two threads load it at once
        try:
            base = models.resolve(models.RERANKER, folder, say=say)
        except ModelError as error:
            raise ModelError(
                f"What search finds is read by {models.RERANKER}. {error}\n"
                "Or do without: knowledge.reranker: false in persona.yaml."
            ) from error
        return _opened(base.folder)


@functools.lru_cache(maxsize=1)
def _opened(base: Path) -> Reranker:
    return Reranker(base)


class Reranker:
    """Cross-encoders of one output, the log odds that a text answers; threads may share it."""

    def __init__(self, base: Path, *adapters: Path) -> None:
        try:
            import torch
            from safetensors import SafetensorError
            from safetensors.torch import load_file
            from tokenizers import Tokenizer
            from transformers import Gemma3TextConfig, Gemma3TextModel
        except ImportError as error:
            raise MissingExtraError(str(error.name), "knowledge", "Looking facts up") from error
        self._device = precision.device()
        self._dtype = torch.bfloat16 if precision.use_bf16() else torch.float32
        try:
            config: Any = Gemma3TextConfig.from_pretrained(base, local_files_only=True)
            stored = load_file(base / "model.safetensors")
            weights = {name.removeprefix("model."): weight for name, weight in stored.items()}
            # The words' vectors are two thirds of the model: they stay on disk until they are read.
            self._embeddings = weights["embed_tokens.weight"]
            few = {**weights, "embed_tokens.weight": self._embeddings[:1]}
            config.vocab_size, config.pad_token_id = 1, None
            with convert.quiet_transformers():
                loaded: Any = Gemma3TextModel.from_pretrained(
                    None, config=config, state_dict=few, dtype=self._dtype, output_loading_info=True
                )
            bare, told = loaded
            if told["missing_keys"]:
                raise ValueError(f"without {sorted(told['missing_keys'])}")
            text = (base / "tokenizer.json").read_text(encoding="utf-8")
            try:
                self._tokenizer = Tokenizer.from_str(text)
            except Exception as error:  # tokenizers raises plain ones
                raise ValueError(str(error)) from error
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"{base} can't be read: it is damaged or not whole. Delete that folder and run: "
                f"brandbot models get {models.RERANKER}"
            ) from error
        self._readers: list[_Reader] = []
        for adapter in adapters or ADAPTERS:
            model = copy.deepcopy(bare)
            try:
                head, bias = _merge(load_file(adapter), weights, model)
            except (OSError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
                raise ModelError(f"{adapter} is damaged. Install brandbot again.") from error
            self._readers.append((model.to(self._device).eval(), head, bias))
        self._begin = config.bos_token_id
        (self._line,) = self._tokens("\n")
        self._scale = torch.tensor(math.sqrt(config.hidden_size)).to(self._dtype)

    def read(self, message: str, facts: Sequence[str]) -> tuple[float, list[float]]:
        """The chance, 0 to 1, that a message asks for a fact, and that each of these answers it.

        The first is what the model was trained to give for no text at all beside a message: 1 for
        what a business's documents could tell, 0 for talk, feelings, advice, general knowledge.
        """
        asked = self._tokens(message)
        nothing, *odds = self._odds(self._readers[0], asked, ["", *facts])
        for other in self._readers[1:]:
            places = sorted(range(len(odds)), key=lambda place: -odds[place])[:TWICE]
            again = self._odds(other, asked, [facts[place] for place in places])
            both = {p: (odds[p] + more) / 2 for p, more in zip(places, again, strict=True)}
            # What was read once is no likelier than what was read twice.
            least = min(both.values(), default=0.0)
            odds = [both.get(place, min(one, least)) for place, one in enumerate(odds)]
        return _chance(nothing), [_chance(SCALE * one + SHIFT) for one in odds]

    def _odds(self, reader: _Reader, asked: Sequence[int], facts: Sequence[str]) -> list[float]:
        import torch

        if not facts:
            return []
        model, head, bias = reader
        pairs = [pair(asked, self._tokens(fact), self._begin, self._line) for fact in facts]
        # All in one row, without padding; each word sees those of its own pair. Only the distance
        # of two words counts, so the places of the whole row do.
        ends = torch.tensor([len(words) for words in pairs]).cumsum(0)
        of = torch.searchsorted(ends, torch.arange(int(ends[-1])), right=True)
        mask = (of[:, None] == of[None])[None, None].to(self._device)
        embedded = self._embeddings[torch.tensor([word for words in pairs for word in words])]
        with torch.inference_mode():
            read = model(
                inputs_embeds=(embedded.to(self._dtype)[None] * self._scale).to(self._device),
                attention_mask={"full_attention": mask, "sliding_attention": mask},
                use_cache=False,
            ).last_hidden_state[0, ends - 1]  # fmt: skip
            found: list[float] = (read.float().cpu() @ head + bias).tolist()
        return found

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))


def pair(message: Sequence[int], fact: Sequence[int], begin: int, line: int) -> list[int]:
    """Tokens of a message, whose end people ask with, and of a fact, a line each."""
    return [begin, *message[-MESSAGE:], line, *fact[:FACT], line]


def _merge(adapter: dict[str, Any], weights: dict[str, Any], model: Any) -> tuple[Any, Any]:
    """Adds B @ A to the matrices of every layer; returns the head and its bias."""
    for name, weight in model.named_parameters():
        matrix, _, kind = name.rpartition(".")
        if kind == "weight" and matrix.endswith("_proj"):
            a, b = (
                adapter[f"{matrix}.{part}"].float() * adapter[f"{matrix}.{part}.step"]
                for part in ("lora_A", "lora_B")
            )
            weight.data.copy_(weights[name] + b @ a)
    head = adapter[HEAD].float().view(model.config.hidden_size)
    return head, adapter[f"{HEAD}.bias"].float()
