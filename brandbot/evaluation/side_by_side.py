"""Many replies at once: one forward pass gives each of them its next token.

An evaluation wants a hundred replies and nobody waits for the first word of one, so all are written
side by side, in the reference implementation. Their prompts begin alike: the shared prefix is
computed and kept once, and each row keeps only what is its own (Juravsky et al. 2024, Hydragen):

    prefix · rest of prompt 1 and its reply
           · rest of prompt 2 and its reply …

The model is given the rows' tokens one behind the other in a single row, as in ``packing``, so that
nothing is padding; only attention knows which token belongs to which row. What is drawn is drawn as
``engines.transformers.sampling`` does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AttentionInterface

from brandbot.engines.base import CONTEXT, MIN_P, PENALISED, TOP_K, Request
from brandbot.prompt import pieces
from brandbot.training.packing import attend

ATTENTION = "brandbot_side_by_side"

POSITIONS, READ = 4 * CONTEXT, 2048
"""Tokens beyond the prefix there is room for at once, as in llama.cpp; and read at once."""


@dataclass
class Layer:
    """The prefix's keys and values, (kv heads, prefix, size).

    And those that the rows add, (rows, kv heads, room, size).
    """

    prefix_key: torch.Tensor
    prefix_value: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor


@dataclass
class Rows:
    """What attention needs to know of the tokens it is given, and what it keeps.

    ``prefix`` and ``lengths`` (rows,) are how many tokens are kept, of the prefix and of each row
    beyond it; ``room`` is how many these may be at most. ``reading`` says what the tokens are: the
    rows they come from, with how many each; empty for the prefix; None for one new token a row.
    """

    prefix: int
    room: int
    lengths: torch.Tensor
    reading: list[tuple[int, int]] | None
    layers: dict[int, Layer] = field(default_factory=dict)

    def drop(self, row: int) -> None:
        """Goes on without a row: the last one takes its place."""
        last = len(self.lengths) - 1
        for layer in self.layers.values() if row < last else ():
            layer.key[row], layer.value[row] = layer.key[last], layer.value[last]
        self.lengths[row] = self.lengths[last]
        self.lengths = self.lengths[:last]


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    rows: Rows | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of rows side by side, in the form transformers' attention interface asks for.

    query (1, heads, tokens, size), key and value (1, kv heads, tokens, size); returns
    (1, tokens, heads, size).
    """
    if rows is None:
        raise ValueError("attention of rows side by side needs the rows")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer = rows.layers.get(module.layer_idx)
    if layer is None:
        heads, tokens, size = key.shape[1:]
        prefix = slice(0, 0 if rows.reading else tokens)
        own = key.new_zeros(2, len(rows.lengths), heads, rows.room, size)
        layer = Layer(key[0, :, prefix], value[0, :, prefix], own[0], own[1])
        rows.layers[module.layer_idx] = layer
    if rows.reading is None:
        mixed = _write(layer, rows, query, key, value, scale, sliding_window)
    elif rows.reading:
        mixed = _read(layer, rows, rows.reading, query, key, value, scale, sliding_window)
    else:
        hidden = _hidden(0, key.shape[2], sliding_window).to(key.device)
        mixed = attend(query, key, value, hidden, scale)
    return mixed.transpose(1, 2).contiguous(), None


def _hidden(before: int, tokens: int, window: int | None) -> torch.Tensor:
    """Which keys (``before``, then the tokens) each token must not see: (tokens, before+tokens)."""
    keys = torch.arange(before + tokens)
    queries = keys[before:, None]
    hidden = keys[None] > queries
    return hidden if window is None else hidden | (keys[None] <= queries - window)


def _read(
    layer: Layer, rows: Rows, reading: list[tuple[int, int]], query: torch.Tensor,
    key: torch.Tensor, value: torch.Tensor, scale: float, window: int | None,
) -> torch.Tensor:  # fmt: skip
    """Attention of the rests of prompts: each sees the prefix and itself."""
    parts = []
    start = 0
    for row, tokens in reading:
        own = slice(start, start := start + tokens)
        q, k, v = query[:, :, own], key[:, :, own], value[:, :, own]
        layer.key[row, :, :tokens], layer.value[row, :, :tokens] = k[0], v[0]
        seen_key = torch.cat([layer.prefix_key, k[0]], dim=1)[None]
        seen_value = torch.cat([layer.prefix_value, v[0]], dim=1)[None]
        hidden = _hidden(rows.prefix, tokens, window).to(q.device)
        parts.append(attend(q, seen_key, seen_value, hidden, scale))
    return torch.cat(parts, dim=2)


def _write(
    layer: Layer, rows: Rows, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
    scale: float, window: int | None,
) -> torch.Tensor:  # fmt: skip
    """Attention of one new token a row: the prefix in one product for all, the own row by row."""
    many, heads, size = key.shape[2], key.shape[1], key.shape[3]
    groups = query.shape[1] // heads
    places, every = rows.lengths, torch.arange(many, device=key.device)
    layer.key[every, :, places], layer.value[every, :, places] = (
        t[0].transpose(0, 1) for t in (key, value)
    )
    longest = int(places.max()) + 1
    own_key, own_value = layer.key[:many, :, :longest], layer.value[:many, :, :longest]
    # (heads, rows, groups, size): query heads that share a key stand beside one another
    asked = query[0].view(heads, groups, many, size).transpose(1, 2) * scale
    before = asked.reshape(heads, many * groups, size) @ layer.prefix_key.transpose(1, 2)
    own = asked.transpose(0, 1) @ own_key.transpose(2, 3)
    before = before.view(heads, many, groups, rows.prefix).transpose(0, 1)
    keys = torch.arange(rows.prefix + longest, device=key.device)
    last = rows.prefix + places[:, None]
    hidden = keys > last
    if window is not None:
        hidden |= keys <= last - window
    scores = torch.cat([before, own], dim=3).masked_fill(hidden[:, None, None], float("-inf"))
    weights = functional.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype)
    of_prefix, of_own = weights[..., : rows.prefix], weights[..., rows.prefix :]
    shared = (
        of_prefix.transpose(0, 1).reshape(heads, many * groups, rows.prefix) @ layer.prefix_value
    )
    mixed = shared.view(heads, many, groups, size).transpose(0, 1) + of_own @ own_value
    # (rows, heads, groups, size) to (1, all heads, rows, size)
    together: torch.Tensor = mixed.reshape(1, many, heads * groups, size).transpose(1, 2)
    return together


AttentionInterface.register(ATTENTION, attention)


def write(
    model: Any, tokenizer: Tokenizer, requests: Sequence[Request]
) -> Iterator[tuple[int, str, bool]]:
    """Each request's place, its reply and whether it was cut off, in the order they are finished.

    ``model`` speaks as all requests want it: their adapters are in its weights.
    """
    model.set_attn_implementation(ATTENTION)
    for places in _batches([len(request.ids) + request.max_tokens for request in requests]):
        for row, ids, cut in _write_rows(model, [requests[place] for place in places]):
            yield places[row], "".join(pieces(tokenizer, ids)), cut


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of requests that are written together, short ones with short ones."""
    batches: list[list[int]] = [[]]
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches[-1] and (len(batches[-1]) + 1) * lengths[place] > POSITIONS:
            batches.append([])
        batches[-1].append(place)
    return [batch for batch in batches if batch]


def _write_rows(model: Any, requests: Sequence[Request]) -> Iterator[tuple[int, list[int], bool]]:
    device = next(model.parameters()).device
    prefix = _shared([request.ids for request in requests])
    rests = [list(request.ids[prefix:]) for request in requests]
    rows = Rows(
        prefix,
        max(len(rest) + r.max_tokens for rest, r in zip(rests, requests, strict=True)),
        torch.tensor([len(rest) for rest in rests], device=device),
        reading=[],
    )
    scores = _read_prompts(model, rows, list(requests[0].ids[:prefix]), rests)
    places = list(range(len(requests)))  # which request each row is
    draws = [random.Random(request.seed) for request in requests]
    written: list[list[int]] = [[] for _ in requests]
    while places:
        tokens = draw(
            scores, [requests[p] for p in places],
            [[*requests[p].ids[-PENALISED:], *written[p]][-PENALISED:] for p in places],
            [draws[p].random() for p in places],
        )  # fmt: skip
        for row in reversed(range(len(places))):
            place, token = places[row], tokens[row]
            stopped = token in requests[place].stop_ids
            if not stopped:
                written[place].append(token)
            if stopped or len(written[place]) >= requests[place].max_tokens:
                yield place, written[place], not stopped
                rows.drop(row)
                for of_rows in (places, tokens):
                    of_rows[row] = of_rows[-1]
                    of_rows.pop()
        if places:
            scores = _forward(model, rows, tokens, rows.prefix + rows.lengths)
            rows.lengths = rows.lengths + 1


def _read_prompts(
    model: Any, rows: Rows, prefix: list[int], rests: Sequence[list[int]]
) -> torch.Tensor:
    """Reads prompts; returns the scores after each, (rows, vocabulary)."""
    if prefix:
        _forward(model, rows, prefix, torch.arange(len(prefix)), torch.tensor([-1]))
    scores = []
    batch: list[tuple[int, int]] = []
    for row, rest in enumerate(rests):
        batch.append((row, len(rest)))
        if sum(n for _, n in batch) + len(rest) > READ or row + 1 == len(rests):
            rows.reading = batch
            ids = [token for one, _ in batch for token in rests[one]]
            positions = [rows.prefix + place for _, n in batch for place in range(n)]
            lasts = torch.tensor([n for _, n in batch]).cumsum(0) - 1
            scores.append(_forward(model, rows, ids, torch.tensor(positions), lasts))
            batch = []
    rows.reading = None
    return torch.cat(scores)


def _forward(
    model: Any, rows: Rows, ids: Sequence[int], positions: torch.Tensor,
    wanted: torch.Tensor | int = 0,
) -> torch.Tensor:  # fmt: skip
    """Scores after the ``wanted`` tokens (0: all), (tokens, vocabulary), in float32."""
    device = next(model.parameters()).device
    with torch.no_grad():
        given = model(
            input_ids=torch.tensor([list(ids)], device=device),
            position_ids=positions[None].to(device),
            logits_to_keep=wanted.to(device) if torch.is_tensor(wanted) else wanted,
            rows=rows,
            use_cache=False,
        )
        scores: torch.Tensor = given.logits[0].float()
    return scores


def _shared(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with, short of the last of each."""
    shortest = min(len(ids) for ids in prompts) - 1
    first = prompts[0]
    return next(
        (n for n in range(shortest) if any(ids[n] != first[n] for ids in prompts)), shortest
    )


def draw(
    scores: torch.Tensor, requests: Sequence[Request], recent: Sequence[Sequence[int]],
    chances: Sequence[float],
) -> list[int]:  # fmt: skip
    """The next token of each row, given (rows, vocabulary) and a number from 0 to 1 for each."""
    greedy = scores.argmax(dim=-1).tolist()
    scores = scores.clone()
    for row, (request, ids) in enumerate(zip(requests, recent, strict=True)):
        if request.temperature > 0:
            seen = torch.tensor(sorted(set(ids)), device=scores.device)
            felt = scores[row, seen]
            penalty = request.repeat_penalty
            scores[row, seen] = torch.where(felt < 0, felt * penalty, felt / penalty)
    best, tokens = (t.cpu() for t in scores.topk(min(TOP_K, scores.shape[-1]), dim=-1))
    shares = best.softmax(dim=-1)
    top_p = torch.tensor([request.top_p for request in requests])[:, None]
    # Those that together make up top_p, the likeliest always; none much below the likeliest.
    kept = (shares.cumsum(dim=-1) - shares < top_p) & (shares >= MIN_P * shares[:, :1])
    warmth = torch.tensor([request.temperature or 1.0 for request in requests])[:, None]
    odds = (best / warmth).masked_fill(~kept, float("-inf")).softmax(dim=-1).cumsum(dim=-1)
    drawn = (odds < torch.tensor(chances)[:, None]).sum(dim=-1, keepdim=True)
    drawn = drawn.minimum(kept.sum(dim=-1, keepdim=True) - 1)  # however the odds were rounded
    ids = tokens.gather(1, drawn)[:, 0].tolist()
    return [
        token if request.temperature > 0 else likeliest
        for request, token, likeliest in zip(requests, ids, greedy, strict=True)
    ]
