"""Examples packed in one row behind the prefix they share.

Every prompt of a persona begins with the same system prompt. A batch is laid out as

    prefix · rest of example 1 · rest of example 2 · …

with positions restarting after the prefix in each rest. A rest attends to the prefix and to itself,
the prefix to itself, so each example sees exactly what it would see alone: the loss equals that of
the padded batch (a test holds it to 1e-5 in float32), while the prefix is computed once a step and
nothing is padding. Attention runs rest by rest instead of under one big mask, which would cost the
square of the row.

This module knows tokens and tensors, not where examples come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface

from brandbot.prompt import Encoded

ATTENTION = "brandbot_packed"


@dataclass(frozen=True)
class Packing:
    """Where the parts of a packed row lie: the prefix first, then a rest after another.

    ``rests`` are their lengths in tokens. Masks are made once a row and shared by all layers.
    """

    prefix: int
    rests: tuple[int, ...]
    masks: dict[tuple[int, int | None], torch.Tensor]

    def hidden(self, rest: int, window: int | None, device: torch.device) -> torch.Tensor:
        """Which keys (prefix, then the rest itself) each query of a rest must not see.

        Boolean, (rest, prefix + rest); ``rest`` 0 stands for the prefix itself. ``window`` is how
        many tokens a sliding layer sees, the query's own included.
        """
        key = (rest, window)
        if key not in self.masks:
            keys = torch.arange(self.prefix + rest, device=device)
            queries = keys[self.prefix :] if rest else keys
            hidden = keys[None, :] > queries[:, None]
            if window is not None:
                hidden |= keys[None, :] <= queries[:, None] - window
            self.masks[key] = hidden
        return self.masks[key]


def common_prefix(rows: Sequence[Encoded]) -> int:
    """How many leading tokens all rows share, short of their first labelled token."""
    if not rows:
        return 0
    shortest = min(len(row.ids) for row in rows)
    first = rows[0].ids
    shared = next(
        (n for n in range(shortest) if any(row.ids[n] != first[n] for row in rows)), shortest
    )
    first_label = min(row.mask.index(1) if 1 in row.mask else len(row.ids) for row in rows)
    # At least one token of each rest stays, so that every rest has a first query of its own.
    return min(shared, first_label, *(len(row.ids) - 1 for row in rows))


def pack(rows: Sequence[Encoded], prefix: int) -> dict[str, Any]:
    """One packed row and what the loss needs.

    Returns ``input_ids`` and ``position_ids`` (1, tokens), ``labels`` (labelled tokens,),
    ``logits_to_keep``: the position that predicts each label, (labelled tokens,), and ``packing``.
    """
    ids = list(rows[0].ids[:prefix])
    positions = list(range(prefix))
    labels: list[int] = []
    predictors: list[int] = []
    for row in rows:
        start = len(ids) - prefix  # what a token's place in its own row is away from the packed one
        for place in range(prefix, len(row.ids)):
            if row.mask[place]:
                # The token before it; for the first of a rest that is the prefix's last.
                predictors.append(prefix - 1 if place == prefix else start + place - 1)
                labels.append(row.ids[place])
            ids.append(row.ids[place])
            positions.append(place)
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "labels": torch.tensor(labels),
        "logits_to_keep": torch.tensor(predictors),
        "packing": Packing(prefix, tuple(len(row.ids) - prefix for row in rows), {}),
    }


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    packing: Packing | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a packed row, in the form transformers' attention interface asks for.

    query (1, heads, tokens, size), key and value (1, kv heads, tokens, size); returns
    (1, tokens, heads, size).
    """
    if packing is None:
        raise ValueError("packed attention needs the row's packing")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # split, not slices: the gradient of a split is one concatenation, that of a slice a whole
    # tensor of zeros, for each of them.
    lengths = [packing.prefix, *packing.rests]
    queries, keys, values = (torch.split(t, lengths, dim=2) for t in (query, key, value))
    parts = []
    for index, length in enumerate(lengths):
        if length == 0:
            continue
        seen_key, seen_value = keys[index], values[index]
        if index > 0:
            seen_key = torch.cat([keys[0], seen_key], dim=2)
            seen_value = torch.cat([values[0], seen_value], dim=2)
        hidden = packing.hidden(length if index else 0, sliding_window, query.device)
        parts.append(attend(queries[index], seen_key, seen_value, hidden, scale))
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, hidden: torch.Tensor, scale: float
) -> torch.Tensor:
    """Attention written out.

    query (1, heads, tokens, size), key and value (1, kv heads, keys, size), hidden (tokens, keys);
    returns (1, heads, tokens, size). PyTorch's fused CPU kernel takes twice as long backward at
    these sizes (docs/notes.md). Query heads that share a key stand behind one another in one
    product, so keys are not repeated.
    """
    heads, length, size = key.shape[1], query.shape[2], query.shape[3]
    groups = query.shape[1] // heads
    grouped = query.reshape(heads, groups * length, size)
    scores = torch.matmul(grouped * scale, key[0].transpose(1, 2))
    scores = scores.view(heads, groups, length, -1).masked_fill(hidden, float("-inf"))
    weights = functional.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype)
    mixed = torch.matmul(weights.view(heads, groups * length, -1), value[0])
    return mixed.view(1, heads * groups, length, size)


AttentionInterface.register(ATTENTION, packed_attention)


PIECE = 8_000_000
"""Logits that are made at once."""


class _HeadLoss(torch.autograd.Function):
    """Output layer and cross entropy in one, a few rows at a time, for a head that is frozen.

    A vocabulary of 50,000 to 260,000 makes logits the largest tensors of a step by far. Here a
    piece is made, turned into loss and gradient while it is in the cache, and dropped.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        gradient = torch.empty_like(hidden)
        rows = max(16, PIECE // weight.shape[0])
        for start in range(0, len(labels), rows):
            piece = slice(start, start + rows)
            logits = hidden[piece].to(weight.dtype) @ weight.T
            log_probabilities = functional.log_softmax(logits, dim=-1, dtype=torch.float32)
            wanted = labels[piece, None]
            total -= log_probabilities.gather(1, wanted).sum()
            # The gradient of the logits: the probabilities, less one at each label.
            change = log_probabilities.exp_()
            change.scatter_add_(1, wanted, -torch.ones_like(wanted, dtype=torch.float32))
            gradient[piece] = (change.to(weight.dtype) @ weight).to(gradient.dtype)
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * outer[0], None, None


def summed_loss(hidden: torch.Tensor, head: torch.nn.Module, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy in nats, summed.

    hidden (labels, width) is what the model gives its output layer ``head``; labels (labels,).
    """
    weight = head.weight
    plain = getattr(head, "bias", None) is None
    if plain and isinstance(weight, torch.Tensor) and not weight.requires_grad:
        loss: torch.Tensor = _HeadLoss.apply(hidden, weight, labels)  # type: ignore[no-untyped-call]
        return loss
    logits = head(hidden)
    return functional.cross_entropy(logits.float(), labels, reduction="sum")


def token_losses(hidden: torch.Tensor, head: torch.nn.Module, labels: torch.Tensor) -> torch.Tensor:
    """Each label's cross entropy in nats, (labels,), where no gradient is wanted.

    hidden (labels, width) is what the model gives its output layer ``head``; labels (labels,).
    """
    weight: Any = head.weight
    rows = max(16, PIECE // weight.shape[0])
    losses = [hidden.new_zeros(0, dtype=torch.float32)]
    for start in range(0, len(labels), rows):
        piece = slice(start, start + rows)
        scores = head(hidden[piece]).float()
        losses.append(functional.cross_entropy(scores, labels[piece], reduction="none"))
    return torch.cat(losses)


@contextmanager
def headless(head: torch.nn.Module) -> Iterator[None]:
    """The model gives hidden states where it gives logits, so that summed_loss can have them."""
    head.forward = lambda hidden: hidden
    try:
        yield
    finally:
        del head.forward
