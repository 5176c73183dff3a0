"""Gemma 3 270M as a cross-encoder that learns: in plain PyTorch, many pairs to a row.

What serves is transformers' model (brandbot/knowledge/reranker.py). To learn millions of pairs, the
same arithmetic stands here once more, so that a layer is compiled into few kernels of one shape,
and no place is spent on padding: pairs are packed into rows of ``WIDTH`` tokens, and a token sees
those of its own pair alone. An H200 learns 8,700 pairs a second so, 2,100 with peft around
transformers (docs/notes.md).
"""

from __future__ import annotations

import functools
import heapq
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from brandbot.knowledge.reranker import HEAD

RANK, ALPHA = 64, 32
"""LoRA's settings (Hu et al. 2021)."""

DROPOUT = {"cuda": 0.1, "cpu": 0.0}
"""Of what LoRA reads. Two cores get through the data once at most, and to draw that many random
numbers costs them a quarter of the time."""

WIDTH = 256
"""Tokens of a row; no pair is longer."""

MATRICES = {
    "self_attn.qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attn.o": ("self_attn.o_proj",),
    "mlp.gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "mlp.down": ("mlp.down_proj",),
}
"""The matrices of a layer; those that take the same input are multiplied as one."""

NORMS = (
    "input_layernorm", "self_attn.q_norm", "self_attn.k_norm", "post_attention_layernorm",
    "pre_feedforward_layernorm", "post_feedforward_layernorm",
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """Pairs packed into rows."""

    ids: Tensor
    """Tokens (rows, WIDTH)."""

    of: Tensor
    """Whose they are, counted in each row (rows, WIDTH); -1 is nobody's."""

    ends: Tensor
    """Where each pair ends in the rows laid end to end (pairs)."""


def pack(pairs: Sequence[Sequence[int]], rows: int) -> Rows | None:
    """Lays pairs, the longest first, each into the emptiest row; None if they don't go in."""
    ids = torch.zeros(rows, WIDTH, dtype=torch.int32)
    of = torch.full((rows, WIDTH), -1, dtype=torch.int16)
    ends = torch.zeros(len(pairs), dtype=torch.int64)
    free = [(0, row, 0) for row in range(rows)]  # tokens that it holds, the row, its pairs
    for place in sorted(range(len(pairs)), key=lambda at: -len(pairs[at])):
        held, row, many = free[0]
        end = held + len(pairs[place])
        if end > WIDTH:
            return None
        ids[row, held:end] = torch.tensor(pairs[place], dtype=torch.int32)
        of[row, held:end] = many
        ends[place] = row * WIDTH + end - 1
        heapq.heapreplace(free, (end, row, many + 1))
    return Rows(ids, of, ends)


class CrossEncoder:
    """The model with LoRA beside every matrix, and a head that gives the log odds of a pair."""

    def __init__(self, base: Path, device: str, dtype: torch.dtype) -> None:
        self.config: dict[str, Any] = json.loads((base / "config.json").read_text("utf-8"))
        stored = load_file(base / "model.safetensors")
        weights = {name.removeprefix("model."): weight for name, weight in stored.items()}
        self.device, self.dtype = device, dtype
        self._words = weights["embed_tokens.weight"].to(device, dtype)
        self._norm = weights["norm.weight"].to(device, torch.float32)
        self._layers: list[dict[str, Tensor]] = []
        self.adapter: dict[str, Tensor] = {
            HEAD: torch.empty(self.config["hidden_size"]).uniform_(-0.04, 0.04),
            f"{HEAD}.bias": torch.zeros(1),
        }
        for at in range(self.config["num_hidden_layers"]):
            layer = {
                kind: torch.cat([weights[f"layers.{at}.{name}.weight"] for name in names])
                for kind, names in MATRICES.items()
            }
            layer = {kind: matrix.to(device, dtype) for kind, matrix in layer.items()}
            for name in NORMS:
                layer[name] = weights[f"layers.{at}.{name}.weight"].to(device, torch.float32)
            self._layers.append(layer)
            for name in (name for names in MATRICES.values() for name in names):
                out, into = weights[f"layers.{at}.{name}.weight"].shape
                a = torch.empty(RANK, into).uniform_(-1, 1) / math.sqrt(into)
                self.adapter[f"layers.{at}.{name}.lora_A"] = a
                self.adapter[f"layers.{at}.{name}.lora_B"] = torch.zeros(out, RANK)
        self.adapter = {
            name: weight.to(device).requires_grad_() for name, weight in self.adapter.items()
        }
        self._turns = {
            kind: _turns(rope["rope_theta"], self.config["head_dim"], device, dtype)
            for kind, rope in self.config["rope_parameters"].items()
        }
        self._layer = _layer

    def compile(self) -> None:
        """Makes few kernels of a layer: twice as fast after half a minute; by a C++ compiler."""
        self._layer = torch.compile(_layer, fullgraph=True)

    def odds(self, rows: Rows, *, dropout: float = 0.0) -> Tensor:
        """The log odds (pairs) that a fact answers its message."""
        ids, of, ends = (part.to(self.device) for part in (rows.ids, rows.of, rows.ends))
        size = torch.tensor(self.config["hidden_size"] ** 0.5, dtype=self.dtype)
        x = self._words[ids.flatten()] * size.to(self.device)
        heads = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        eps = self.config["rms_norm_eps"]
        for at, (weights, kind) in enumerate(
            zip(self._layers, self.config["layer_types"], strict=True)
        ):
            lora = [
                (
                    [self.adapter[f"layers.{at}.{name}.lora_A"] for name in names],
                    [self.adapter[f"layers.{at}.{name}.lora_B"] for name in names],
                )
                for names in MATRICES.values()
            ]
            x = self._layer(x, of, self._turns[kind], weights, lora, heads, eps, dropout)
        read = _norm(x[ends].float(), self._norm, eps)
        return read @ self.adapter[HEAD] + self.adapter[f"{HEAD}.bias"]

    def stored(self) -> dict[str, Tensor]:
        """As ``reranker.ADAPTER`` has it: int8 and each row's ``.step``, the scale in lora_B."""
        found = {}
        for name, weight in self.adapter.items():
            weight = weight.detach().cpu()
            if name.startswith(HEAD):
                found[name] = weight
                continue
            step = (weight.abs().amax(1, keepdim=True) / 127).clamp_min(1e-12)
            found[name] = (weight / step).round().to(torch.int8)
            found[f"{name}.step"] = step * (ALPHA / RANK if name.endswith("B") else 1)
        return {name: weight.contiguous() for name, weight in found.items()}

    @torch.no_grad()
    def load(self, stored: dict[str, Tensor]) -> None:
        """Takes up what ``stored`` returned."""
        for name, weight in self.adapter.items():
            if name.startswith(HEAD):
                weight.copy_(stored[name])
                continue
            scale = ALPHA / RANK if name.endswith("B") else 1
            weight.copy_(stored[name].float() * stored[f"{name}.step"] / scale)


def _layer(
    x: Tensor, of: Tensor, turns: tuple[Tensor, Tensor], weights: dict[str, Tensor],
    lora: list[tuple[list[Tensor], list[Tensor]]], heads: tuple[int, int], eps: float,
    dropout: float,
) -> Tensor:  # fmt: skip
    """One layer of Gemma 3 over all tokens (rows x WIDTH, hidden)."""
    norm = functools.partial(_normed, weights=weights, eps=eps)
    linear = functools.partial(_linear, dropout=dropout)
    rows, (queries, keys) = of.shape[0], heads
    told = norm(x, "input_layernorm")
    qkv = linear(told, weights["self_attn.qkv"], *lora[0])
    q, k, v = qkv.view(rows, WIDTH, queries + 2 * keys, -1).split((queries, keys, keys), 2)
    q = _turned(norm(q, "self_attn.q_norm"), turns)
    k = _turned(norm(k, "self_attn.k_norm"), turns)
    # A key is shared by several queries: they are more rows of one matrix.
    shared = q.reshape(rows, WIDTH, keys, queries // keys, -1).transpose(1, 2)
    k, v = k.transpose(1, 2), v.transpose(1, 2)
    near = shared.reshape(*k.shape[:2], -1, k.shape[-1]) @ k.transpose(2, 3)
    same = (of[:, :, None] == of[:, None, :])[:, None, :, None]
    near = near.view(rows, keys, WIDTH, -1, WIDTH).float() / math.sqrt(k.shape[-1])
    share = near.masked_fill(~same, float("-inf")).softmax(-1).to(x.dtype)
    seen = (share.view(rows, keys, -1, WIDTH) @ v).view(shared.shape).transpose(1, 2)
    seen = linear(seen.reshape(rows * WIDTH, -1), weights["self_attn.o"], *lora[1])
    x = x + norm(seen, "post_attention_layernorm")
    told = norm(x, "pre_feedforward_layernorm")
    gate, up = linear(told, weights["mlp.gate_up"], *lora[2]).chunk(2, -1)
    told = functional.gelu(gate, approximate="tanh") * up
    told = linear(told, weights["mlp.down"], *lora[3])
    return x + norm(told, "post_feedforward_layernorm")


def _linear(x: Tensor, weight: Tensor, a: list[Tensor], b: list[Tensor], dropout: float) -> Tensor:
    """x times the matrix and what LoRA adds, for matrices of one input laid side by side."""
    low = functional.dropout(x, dropout) @ torch.cat(a).to(x.dtype).t()
    high = (torch.block_diag(*b) * (ALPHA / RANK)).to(x.dtype)
    return torch.addmm(x @ weight.t(), low, high.t())


def _normed(x: Tensor, name: str, weights: dict[str, Tensor], eps: float) -> Tensor:
    return _norm(x.float(), weights[name], eps).to(x.dtype)


def _norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * (1 + weight)


def _turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embeddings (Su et al. 2021); x is (rows, WIDTH, heads, size)."""
    one, two = x.chunk(2, -1)
    cos, sin = turns
    return x * cos[None, :, None] + torch.cat((-two, one), -1) * sin[None, :, None]


def _turns(theta: float, size: int, device: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine (WIDTH, size) of places in a row: only the distance of two counts."""
    speed = theta ** (-torch.arange(0, size, 2, dtype=torch.float) / size)
    angle = torch.arange(WIDTH)[:, None] * speed
    angle = torch.cat((angle, angle), -1)
    return angle.cos().to(device, dtype), angle.sin().to(device, dtype)
