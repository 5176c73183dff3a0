"""Trains the reranker that brandbot comes with: which facts answer a question, and when none does.

    python reranker/train.py OUT.safetensors [--epochs 6] [--minutes 9]
    python reranker/train.py --measure [OUT.safetensors]

What it learns is in data.py, the model in encoder.py. Trained are LoRA matrices of all layers and
a head; they are kept in eight bits. An H200 learns 8,700 pairs a second, an epoch in 70 s, two
cores thirty. ``--start`` goes on from an adapter.

``--measure`` tells how it does on the businesses that are held out, each question once with a fact
that answers it and once without, so that its wording tells nothing; and what ``SCALE`` and
``SHIFT`` of brandbot/knowledge/reranker.py should be, which have to follow each training.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from data import WRONG, Group, Nearness, as_line, drawn, everything, rows, talk, topics
from encoder import DROPOUT, WIDTH, CrossEncoder, Rows, pack
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from brandbot import models, precision
from brandbot.knowledge.reranker import SCALE, SHIFT, Reranker, pair

RATE = 5e-4
"""AdamW's learning rate: it rises for 60 steps, then falls to nothing."""

ROWS = {"cuda": 128, "cpu": 14}
"""Rows of a step: about 800 pairs on a GPU."""

Tokens = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Step:
    """What is learned at once."""

    rows: Rows
    right: torch.Tensor
    """Whether the fact of a pair answers: 1 or 0 (pairs)."""

    message: torch.Tensor
    """Which of the step's messages a pair is of (pairs)."""

    done: float
    """How much of all there is to learn came before, 0 to 1."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, nargs="?", help="measured: brandbot's own")
    parser.add_argument("--start", type=Path, help="an adapter to go on from")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=RATE, help="AdamW's, at its highest")
    parser.add_argument("--lines", type=int, default=WRONG, help="that don't answer, a question")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop learning after these")
    parser.add_argument("--measure", action="store_true")
    asked = parser.parse_args()
    if asked.out is None and not asked.measure:
        parser.error("name a file for the adapter, or measure the one that is there: --measure")
    if asked.out is not None and not asked.out.absolute().parent.is_dir():
        parser.error(f"there is no folder {asked.out.absolute().parent}")
    from brandbot import Workspace  # learning needs little of brandbot (offline.py)

    random.seed(1)
    torch.manual_seed(1)
    base = models.resolve(models.RERANKER, Workspace.find(Path(__file__).parents[1]).models).folder
    if not asked.measure:
        save_file(
            train(base, asked.start, asked.epochs, asked.minutes, asked.rate, asked.lines),
            asked.out,
        )
    measure(Reranker(base, *([asked.out] if asked.out else [])))


def train(
    base: Path, start: Path | None, epochs: int, minutes: float, rate: float, lines: int
) -> dict[str, torch.Tensor]:
    """Trains LoRA matrices and a head, and returns them."""
    dtype = torch.bfloat16 if precision.use_bf16() else torch.float32
    encoder = CrossEncoder(base, precision.device(), dtype)
    if start is not None:
        encoder.load(load_file(start))
    encoder.compile()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokens = functools.cache(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
    groups = [group for _ in range(epochs) for group in drawn(everything(), lines)]
    begin = encoder.config["bos_token_id"]
    learn(encoder, Steps(groups, tokens, begin, ROWS[encoder.device]), minutes, rate)
    return encoder.stored()


# --- Training -----------------------------------------------------------------------------------


class Steps(IterableDataset[Step]):
    """Groups in their order, as many to a step as go into its rows; each process has a part."""

    def __init__(self, groups: Sequence[Group], tokens: Tokens, begin: int, many: int) -> None:
        super().__init__()
        self._groups, self._tokens, self._many = groups, tokens, many
        self._begin, (self._line,) = begin, tokens("\n")

    def __iter__(self) -> Iterator[Step]:
        worker = get_worker_info()
        groups = self._groups[worker.id :: worker.num_workers] if worker else self._groups
        draw = random.Random(worker.id if worker else 0)
        at = 0
        while at < len(groups):
            done, chosen, size = at / len(groups), [], 0
            while at < len(groups) and size < 0.94 * self._many * WIDTH:
                chosen.append(self._pairs(groups[at], whole=draw.random() < 0.3))
                size += sum(map(len, chosen[-1]))
                at += 1
            while (packed := pack([*chain.from_iterable(chosen)], self._many)) is None:
                chosen.pop()
                at -= 1
            taken = groups[at - len(chosen) : at]
            right = [x for g in taken for x in [1.0] * len(g.right) + [0.0] * len(g.wrong)]
            message = [place for place, pairs in enumerate(chosen) for _ in pairs]
            yield Step(packed, torch.tensor(right), torch.tensor(message), done)

    def _pairs(self, group: Group, *, whole: bool) -> list[list[int]]:
        """Tokens of a message and each fact, under its innermost heading or all (``whole``)."""
        message = self._tokens(group.message)
        return [
            pair(message, self._tokens(line[whole]), self._begin, self._line)
            for line in (*group.right, *group.wrong)
        ]


def learn(encoder: CrossEncoder, steps: Steps, minutes: float, rate: float = RATE) -> None:
    """AdamW, until all is learned or the minutes are over."""
    on_gpu = encoder.device == "cuda"
    weights = list(encoder.adapter.values())
    optimizer = torch.optim.AdamW(
        weights, lr=rate, weight_decay=0.0, betas=(0.9, 0.98), fused=on_gpu
    )
    processes = max(1, (os.cpu_count() or 2) - 2) if on_gpu else 0
    start, pairs = time.monotonic(), 0
    for taken, step in enumerate(DataLoader(steps, batch_size=None, num_workers=processes)):
        spent = max(step.done, (time.monotonic() - start) / (60 * minutes))
        if spent >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (taken + 1) / 60) * (1 - spent)
        lost = loss_of(encoder, step)
        optimizer.zero_grad()
        lost.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        pairs += len(step.right)
        if taken % 20 == 19:
            seconds = time.monotonic() - start
            print(
                f"step {taken + 1}: loss {lost.item():.3f}, {pairs / seconds:,.0f} pairs a second, "
                f"{seconds * (1 / max(spent, 1e-3) - 1) / 60:.0f} min left", flush=True
            )  # fmt: skip


def loss_of(encoder: CrossEncoder, step: Step) -> torch.Tensor:
    """Binary cross-entropy of each pair, and a little of the softmax over a message's facts."""
    return loss(encoder.odds(step.rows, dropout=DROPOUT[encoder.device]), step.right, step.message)


def loss(odds: torch.Tensor, right: torch.Tensor, message: torch.Tensor) -> torch.Tensor:
    """Of pairs' log odds; never below zero, however sure the model is."""
    right, message = right.to(odds.device), message.to(odds.device)
    most = torch.full_like(odds, -torch.inf).scatter_reduce(0, message, odds.detach(), "amax")
    total = torch.zeros_like(odds).index_add(0, message, (odds - most[message]).exp())
    beside = total[message].log() + most[message] - odds  # of a pair among its message's
    chosen = (beside * right).sum() / right.sum().clamp_min(1)
    every: torch.Tensor = functional.binary_cross_entropy_with_logits(odds, right) + 0.3 * chosen
    return every


# --- Measuring ----------------------------------------------------------------------------------


def held_out() -> Iterator[tuple[str, Group]]:
    """Language, question, what answers it and its eleven nearest other facts; or a topic's."""
    from brandbot.knowledge.lookup import MOST_READ

    for row in rows("businesses.jsonl", held_out=True):
        near, lines = Nearness(row["facts"]), [as_line(fact) for fact in row["facts"]]
        for ask in row["asks"]:
            right = [lines[at] for at in ask["a"]] or [as_line(ask["fact"])]
            wrong = [lines[at] for at in near.order(ask["q"], ask["a"])[: MOST_READ - 1]]
            yield row["lang"], Group(ask["q"], tuple(right), tuple(wrong))
    for language in ("es", "en"):
        for group in topics(language, held_out=True):
            yield f"{language}, topics", replace(group, right=(random.choice(group.right),))


def measure(reranker: Reranker) -> None:
    """Each held-out question with what answers it, and without."""
    from brandbot.knowledge.lookup import ANSWERS, ASKS, NEARLY

    random.seed(1)  # the same facts beside each question after a training and without one
    answered: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    beyond: dict[str, list[float]] = defaultdict(list)
    asks, odds = [], []
    for language, group in held_out():
        asked, chances = reranker.read(
            group.message, [line for line, _ in (*group.right, *group.wrong)]
        )
        asks.append(asked)
        kept = [(_odds(c), at < len(group.right)) for at, c in enumerate(chances)]
        odds += kept + kept[len(group.right) :]
        first, second = np.argsort(chances)[-1:-3:-1]
        told = {first, second} if chances[second] >= NEARLY * chances[first] else {first}
        answered[language].append((chances[first], min(told) < len(group.right)))
        beyond[language].append(max(chances[len(group.right) :]))
    for language in answered:
        best, none = np.array(answered[language]), np.array(beyond[language])
        above = np.mean([(one > none).mean() for one in best[:, 0]])
        print(f"{language}: {len(best)} questions, area under the curve {above:.3f}")
        for limit in sorted({ANSWERS, 0.1, 0.2, 0.3, 0.4, 0.5}):
            right = np.mean((best[:, 0] >= limit) * best[:, 1])
            print(f"  from {limit}: right {right:.0%}, declined {(none < limit).mean():.0%}")
    said = [reranker.read(group.message, [])[0] for group in talk(held_out=True)]
    print(f"{np.mean(np.array(asks) >= ASKS):.0%} of {len(asks)} questions count as such, "
          f"{np.mean(np.array(said) >= ASKS):.0%} of {len(said)} other messages")  # fmt: skip
    fitted = LogisticRegression(C=100).fit([[z] for z, _ in odds], [y for _, y in odds])
    print(f"SCALE, SHIFT = {fitted.coef_[0][0]:.2f}, {fitted.intercept_[0]:.2f}")


def _odds(chance: float) -> float:
    """The model's own log odds, from before ``SCALE`` and ``SHIFT``."""
    chance = min(max(chance, 1e-9), 1 - 1e-9)
    return (math.log(chance / (1 - chance)) - SHIFT) / SCALE


if __name__ == "__main__":
    main()
