"""Trains the reranker that brandbot comes with: which facts answer a question, and when none does.

    python reranker/train.py OUT.safetensors [--epochs 8]
    python reranker/train.py --measure [OUT.safetensors]

It learns from ``businesses.jsonl``: facts of fictional businesses and what their customers ask, two
fifths of it near misses that no fact answers, and what they ask next. Near misses come a second
time with a fact that would answer them (``fact``): what is worded like one may well have an answer;
and many with one that only looks like it (``near``). ``topics.jsonl`` has what customers ask of any
business of a trade, with lines that answer it and others that seem to. Beside no text at all, a
message is 1 if it asks for such a fact, and 0 if it is one of ``talk.jsonl``. Trained are LoRA
matrices of all layers and a head; they are kept in eight bits. It takes an H200 about half an hour,
a laptop a week; ``--start`` goes on from an adapter.

``--measure`` tells how it does on the businesses that are held out, each question once with a fact
that answers it and once without, so that its wording tells nothing; and what ``SCALE`` and
``SHIFT`` of brandbot/knowledge/reranker.py should be, which have to follow each training.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
import re
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch.nn import functional

from brandbot import Workspace, models, precision
from brandbot.knowledge.lookup import ANSWERS, ASKS, MOST_READ, NEARLY
from brandbot.knowledge.queries import AFTER
from brandbot.knowledge.reranker import ADAPTER, HEAD, SCALE, SHIFT, Reranker, pair

HERE = Path(__file__).parent

NOTHING = ("", "")
"""The line beside which a message is judged by itself."""

RANK, ALPHA, DROPOUT, RATE = 64, 32, 0.1, 5e-4
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""LoRA's settings, and the matrices of a layer that it is beside."""

PAIRS, WORDS, WRONG = 720, 45_000, 6
"""Pairs of a step and, about, the tokens it holds at most; wrong lines of a question."""

WORD = re.compile(r"\w+")

Line = tuple[str, str]
"""A fact under its innermost heading, as prompts have it, and under all of them."""


@dataclass(frozen=True)
class Group:
    """A message, lines that answer it (none, one or several), and lines near to it that don't.

    Of several answers to one question one is drawn, of two questions in one (``double``) all stay.
    """

    message: str
    right: tuple[Line, ...]
    wrong: tuple[Line, ...]
    double: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, nargs="?", help="measured: brandbot's own")
    parser.add_argument("--start", type=Path, help="an adapter to go on from")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop learning after these")
    parser.add_argument("--measure", action="store_true")
    asked = parser.parse_args()
    if asked.out is None and not asked.measure:
        parser.error("name a file for the adapter, or measure the one that is there: --measure")
    if asked.out is not None and not asked.out.absolute().parent.is_dir():
        parser.error(f"there is no folder {asked.out.absolute().parent}")
    random.seed(1)
    torch.manual_seed(1)
    base = models.resolve(models.RERANKER, Workspace.find(HERE.parent).models).folder
    if not asked.measure:
        save_file(train(base, asked.start, asked.epochs, asked.minutes), asked.out)
    measure(Reranker(base, asked.out or ADAPTER))


def train(base: Path, start: Path | None, epochs: int, minutes: float) -> dict[str, torch.Tensor]:
    """Trains LoRA matrices and a head, and returns them."""
    reader = CrossEncoder(base)
    if start is not None:
        reader.load(load_file(start))
    reader = reader.to(precision.device())
    learn(
        reader,
        [[*businesses(), *topics("es"), *topics("en"), *talk()] for _ in range(epochs)],
        minutes,
    )
    return reader.adapter()


class CrossEncoder(torch.nn.Module):
    """Gemma, whose words see those after them, too, LoRA beside its matrices, and a head."""

    def __init__(self, base: Path) -> None:
        from peft import LoraConfig, get_peft_model
        from transformers import Gemma3TextModel

        super().__init__()
        body: Any = Gemma3TextModel.from_pretrained(base, local_files_only=True)
        settings = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules=LAYERS)
        self.body = get_peft_model(body, settings)
        self.head = torch.nn.Linear(body.config.hidden_size, 1)
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self.tokens = functools.cache(
            lambda text: tokenizer.encode(text, add_special_tokens=False).ids
        )
        self.begin = body.config.bos_token_id

    def forward(self, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
        """The log odds of messages and lines."""
        (line,) = self.tokens("\n")
        read = [
            torch.tensor(pair(self.tokens(message), self.tokens(text), self.begin, line))
            for message, text in pairs
        ]
        device = self.head.weight.device
        ids = torch.nn.utils.rnn.pad_sequence(read, batch_first=True).to(device)
        lengths = torch.tensor([len(words) for words in read], device=device)
        there = torch.arange(ids.shape[1], device=device) < lengths[:, None]
        mask = there[:, None, None].expand(-1, 1, ids.shape[1], -1)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            states = self.body(
                input_ids=ids, use_cache=False,
                attention_mask={"full_attention": mask, "sliding_attention": mask},
            ).last_hidden_state  # fmt: skip
        odds: torch.Tensor = self.head(states[torch.arange(len(read)), lengths - 1].float())[:, 0]
        return odds

    def adapter(self) -> dict[str, torch.Tensor]:
        """As ``reranker.ADAPTER`` has it: int8 and each row's ``.step``, the scale in lora_B."""
        found = {HEAD: self.head.weight[0], f"{HEAD}.bias": self.head.bias}
        for name, matrix, scale in self._matrices():
            step = (scale * matrix.abs().amax(1, keepdim=True) / 127).clamp_min(1e-12)
            found[name] = (scale * matrix / step).round().to(torch.int8)
            found[f"{name}.step"] = step
        return {name: weights.detach().cpu().contiguous() for name, weights in found.items()}

    @torch.no_grad()
    def load(self, adapter: dict[str, torch.Tensor]) -> None:
        """Takes up what ``adapter`` returned."""
        self.head.weight[0], self.head.bias[:] = adapter[HEAD], adapter[f"{HEAD}.bias"]
        for name, matrix, scale in self._matrices():
            matrix.copy_(adapter[name].float() * adapter[f"{name}.step"] / scale)

    def _matrices(self) -> Iterator[tuple[str, torch.Tensor, float]]:
        """LoRA's matrices by the names they are kept under, and what they are multiplied with."""
        for name, layer in self.body.base_model.model.named_modules():
            if hasattr(layer, "lora_A"):
                yield f"{name}.lora_A", layer.lora_A["default"].weight, 1.0
                yield f"{name}.lora_B", layer.lora_B["default"].weight, layer.scaling["default"]


# --- What is learned ----------------------------------------------------------------------------


def rows(name: str, *, held_out: bool) -> list[dict[str, Any]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["held_out"] == held_out]


def talk(*, held_out: bool = False) -> Iterator[Group]:
    """Messages that ask for no fact, beside nothing and beside facts of any business."""
    facts: dict[str, list[Line]] = defaultdict(list)
    for business in rows("businesses.jsonl", held_out=held_out):
        facts[business["lang"]] += [_line(fact) for fact in business["facts"]]
    for row in rows("talk.jsonl", held_out=held_out):
        yield Group(row["message"], (), (NOTHING, *random.sample(facts[row["lang"]], 2)))


def businesses() -> Iterator[Group]:
    """The questions to learn, also beside nothing and in other forms.

    The forms: what comes next (``dialogues``), another question after one, a question after talk,
    and two in one.
    """
    said: dict[str, list[str]] = defaultdict(list)
    for row in rows("talk.jsonl", held_out=False):
        if 15 < len(row["message"]) < 90 and "?" not in row["message"]:
            said[row["lang"]].append(row["message"])
    for row in rows("businesses.jsonl", held_out=False):
        near, lines = Nearness(row["facts"]), [_line(fact) for fact in row["facts"]]
        asks, spanish = [(ask["q"], ask["a"]) for ask in row["asks"]], row["lang"] == "es"

        def group(
            message: str, right: Sequence[int], double: bool = False, near: Nearness = near,
            lines: Sequence[Line] = lines,
        ) -> Group:  # fmt: skip
            wrong = near.order(message, right)[:16]
            told = tuple(lines[at] for at in right), tuple(lines[at] for at in wrong)
            return Group(message, *told, double)

        yield from (group(*ask) for ask in asks)
        for ask in row["asks"]:
            if "fact" in ask:
                alone = group(ask["q"], [])
                beside = (_line(ask["near"]), *alone.wrong) if "near" in ask else alone.wrong
                yield replace(alone, right=(_line(ask["fact"]),), wrong=beside)
        grown = [
            *((f"{d['first']}{AFTER}{d['then']}", d["a"]) for d in row["dialogues"]),
            *((f"{before}{AFTER}{ask}", right)
              for (before, _), (ask, right) in _pairs(asks, 4)),
            *((f"{' '.join(random.sample(said[row['lang']], 2))} {ask}", right)
              for ask, right in random.sample(asks, 6)),
        ]  # fmt: skip
        yield from (group(*one) for one in grown)
        for message, _ in (*asks, *grown):
            yield Group(message, (NOTHING,), ())
        joints = (" ", ". ", ", ", *((" y ", " y además ") if spanish else (" and ", " and also ")))
        for (one, right), (other, too) in _pairs([ask for ask in asks if ask[1]], 4):
            message = f"{one.rstrip('?. ')}{random.choice(joints)}{other}"
            yield group(message, [*right, *too], double=True)


def topics(language: str, *, held_out: bool = False) -> Iterator[Group]:
    """What businesses of a trade are asked, beside lines that answer it and lines that seem to.

    Lines that only look like an answer stand before the nearest ones of some business in which no
    word hints at the matter (``stems``).
    """
    spoken = [
        [row for row in rows(name, held_out=held_out) if row["lang"] == language]
        for name in ("businesses.jsonl", "topics.jsonl")
    ]
    others = [(Nearness(row["facts"]), list(map(_line, row["facts"]))) for row in spoken[0]]
    for row in spoken[1]:
        right, seeming = ([_line(fact) for fact in row[kind]] for kind in ("facts", "near"))
        for ask in row["asks"]:
            near, lines = random.choice(others)
            told = (lines[at] for at in near.order(ask, []))
            beside = [x for x in told if not any(stem in x[1].lower() for stem in row["stems"])]
            wrong = (*random.sample(seeming, len(seeming)), *beside[:6])
            yield Group(ask, tuple(right), wrong)
            if not held_out:
                yield Group(ask, (NOTHING,), ())
                if random.random() < 0.5:
                    yield Group(ask, (), wrong)


def _line(fact: dict[str, str]) -> Line:
    return f"{fact['h'].split(' > ')[-1]}: {fact['t']}", f"{fact['h']}: {fact['t']}"


def _pairs(asks: Sequence[Any], many: int) -> Iterator[tuple[Any, Any]]:
    """Questions that no fact answers both of."""
    for _ in range(many):
        one, other = random.sample(asks, 2)
        if not set(one[1]) & set(other[1]):
            yield one, other


def as_typed(message: str) -> str:
    """A message as it is, or without capitals, accents and marks, or with a slip."""
    chance = random.random()
    if chance < 0.6:
        return message
    if chance < 0.85 or random.random() < 0.5:
        bare = unicodedata.normalize("NFD", message.lower())
        bare = "".join(c for c in bare if unicodedata.category(c) != "Mn" or c == "\u0303")
        message = " ".join(re.sub("[¿¡?!.,;]", " ", unicodedata.normalize("NFC", bare)).split())
    if chance < 0.85:
        return message
    places = [at for at in range(1, len(message) - 1) if message[at : at + 2].isalpha()]
    if not places:
        return message
    at = random.choice(places)
    slip = random.choice([message[at + 1] + message[at], message[at + 1], message[at] * 2])
    return message[:at] + slip + message[at + (1 if len(slip) == 2 and slip[0] == slip[1] else 2) :]


class Nearness:
    """How much of a question's words facts hold, the rarer the heavier."""

    def __init__(self, facts: Sequence[dict[str, str]]) -> None:
        self._headings = [fact["h"] for fact in facts]
        self._terms = [_terms(f"{fact['h']} {fact['t']}") for fact in facts]
        counts = Counter(term for terms in self._terms for term in terms)
        self._rare = {term: math.log(1 + len(facts) / count) for term, count in counts.items()}

    def order(self, question: str, right: Sequence[int]) -> list[int]:
        """The other facts, about the nearest first; those beside the right ones are near."""
        wanted, beside = _terms(question), {self._headings[at] for at in right}
        scores = [
            sum(self._rare[term] for term in wanted & terms) / math.sqrt(2 + len(terms))
            + 0.7 * (heading in beside) + 0.3 * random.random()
            for heading, terms in zip(self._headings, self._terms, strict=True)
        ]  # fmt: skip
        return sorted(set(range(len(scores))) - set(right), key=lambda at: -scores[at])


def _terms(text: str) -> set[str]:
    return {word.lower()[:5] for word in WORD.findall(text) if len(word) > 2}


# --- Training -----------------------------------------------------------------------------------


def learn(reader: CrossEncoder, epochs: Sequence[Sequence[Group]], minutes: float) -> None:
    """Binary cross-entropy of each pair, and a little of the softmax over a question's lines."""
    weights = [p for p in reader.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0, betas=(0.9, 0.98))
    batches = [batch for epoch in epochs for batch in _batches(epoch)]
    start = time.monotonic()
    reader.train()
    for done, batch in enumerate(batches):
        spent = max(done / len(batches), (time.monotonic() - start) / (60 * minutes))
        if spent >= 1:
            return
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (done + 1) / 60) * (1 - spent)
        loss = loss_of(reader, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        if done % 20 == 19:
            left = (time.monotonic() - start) * (1 / max(spent, 1e-3) - 1)
            print(f"step {done + 1} of {len(batches)}: loss {loss.item():.3f}, "
                  f"{left / 60:.0f} min left", flush=True)  # fmt: skip


def _batches(groups: Sequence[Group]) -> list[list[Group]]:
    """Messages as typed, with lines that are drawn anew; those of alike length together."""
    drawn = []
    for group in random.sample(list(groups), len(groups)):
        right = group.right
        if right and not group.double:
            right = (random.choice(right),)
        many = WRONG if right else WRONG + 1
        near = group.wrong[1 : 2 * many + 2]
        wrong = group.wrong[:1] + tuple(random.sample(near, min(many - 1, len(near))))
        drawn.append(replace(group, message=as_typed(group.message), right=right, wrong=wrong))
    batches: list[list[Group]] = []
    for start in range(0, len(drawn), 5000):
        alike = sorted(drawn[start : start + 5000], key=_words)
        batches.append([])
        pairs = 0
        for group in alike:
            more = len(group.right) + len(group.wrong)
            if pairs + more > PAIRS or (pairs + more) * _words(group) > WORDS:
                batches.append([])
                pairs = 0
            batches[-1].append(group)
            pairs += more
    return random.sample(batches, len(batches))


def _words(group: Group) -> int:
    """About the tokens of a message's longest pair: one for three letters."""
    longest = max(len(line) for line, _ in group.right + group.wrong)
    return (len(group.message) + longest) // 3


def loss_of(reader: CrossEncoder, batch: Sequence[Group]) -> torch.Tensor:
    pairs: list[tuple[str, str]] = []
    answers: list[float] = []
    places: list[int] = []
    for place, group in enumerate(batch):
        whole = random.random() < 0.3
        for line, answer in [(x, 1.0) for x in group.right] + [(x, 0.0) for x in group.wrong]:
            pairs.append((group.message, line[whole]))
            answers.append(answer)
            places.append(place)
    odds = reader(pairs)
    right, at = torch.tensor(answers).to(odds), torch.tensor(places, device=odds.device)
    total = torch.zeros(len(batch)).to(odds).index_add(0, at, odds.clamp(-30, 30).exp())
    chosen = ((total.log()[at] - odds) * right).sum() / right.sum().clamp_min(1)
    loss: torch.Tensor = functional.binary_cross_entropy_with_logits(odds, right) + 0.3 * chosen
    return loss


# --- Measuring ----------------------------------------------------------------------------------


def held_out() -> Iterator[tuple[str, Group]]:
    """Language, question, what answers it and its eleven nearest other facts; or a topic's."""
    for row in rows("businesses.jsonl", held_out=True):
        near, lines = Nearness(row["facts"]), [_line(fact) for fact in row["facts"]]
        for ask in row["asks"]:
            right = [lines[at] for at in ask["a"]] or [_line(ask["fact"])]
            wrong = [lines[at] for at in near.order(ask["q"], ask["a"])[: MOST_READ - 1]]
            yield row["lang"], Group(ask["q"], tuple(right), tuple(wrong))
    for language in ("es", "en"):
        for group in topics(language, held_out=True):
            yield f"{language}, topics", replace(group, right=(random.choice(group.right),))


def measure(reranker: Reranker) -> None:
    """Each held-out question with what answers it, and without."""
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
