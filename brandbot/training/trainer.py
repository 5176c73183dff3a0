"""transformers' Trainer over packed rows, with whole checkpoints and a plain end on NaN.

Three things differ from the stock Trainer: a batch is one packed row (packing.py), so its loss is
summed over labelled tokens and divided by their number; the validation loss is weighted by tokens;
and a checkpoint counts only once a marker with its files' sizes is on disk, because transformers
writes checkpoints in place and a kill in the middle leaves one that looks like the newest.
"""

from __future__ import annotations

import ctypes
import gc
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.helpers import disable_input_dtype_casting
from torch.nn import functional
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from brandbot.disk import fsync
from brandbot.errors import TrainingError, is_out_of_memory
from brandbot.prompt import Encoded
from brandbot.training.packing import (
    ATTENTION,
    common_prefix,
    headless,
    pack,
    summed_loss,
    token_losses,
)  # fmt: skip

MARKER = "complete.json"

APART, APART_BF16 = 1e-3, 0.02
"""Nats a token by which a packed row may differ from each example alone; bfloat16 rounds."""

Progress = dict[str, Any]


class PackedTrainer(Trainer):
    """Trains on ``Encoded`` rows that share ``prefix`` leading tokens."""

    def __init__(
        self, *, prefix: int, bf16: bool, batch_rows: int, valid: Sequence[Encoded], **options: Any
    ) -> None:
        self.prefix = prefix
        self.bf16 = bf16
        self.batch_rows = batch_rows
        self.valid = valid
        super().__init__(data_collator=lambda rows: _batch(rows, prefix), **options)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        total = forward_loss(model, inputs, bf16=self.bf16)
        if not torch.isfinite(total):
            raise TrainingError(
                f"The loss became {total.item()} at step {self.state.global_step + 1}: training "
                "broke down and was stopped; nothing was published. The learning rate is probably "
                f"too high: try --set training.learning_rate={self.args.learning_rate / 3:.0e}."
            )
        items = len(inputs["labels"]) if num_items_in_batch is None else num_items_in_batch
        # Gradients are averaged over processes, the number of items is their sum.
        return total / items * self.accelerator.num_processes

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Validation loss in nats per reply token; every process measures all of it."""
        metrics = {"eval_loss": self.measure(self.valid)}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def measure(self, rows: Sequence[Encoded]) -> float:
        """Loss in nats per reply token; where memory runs out, with fewer rows at once."""
        model = self.accelerator.unwrap_model(self.model)
        while True:
            at_once = self.batch_rows
            try:
                return mean_loss(model, rows, self.prefix, bf16=self.bf16, rows_at_once=at_once)
            except Exception as error:
                if at_once == 1 or not is_out_of_memory(error):
                    raise
            free_memory()
            self.batch_rows = math.ceil(at_once / 2)


def free_memory() -> None:
    """Gives back what a step that failed for want of memory had taken."""
    gc.collect()
    _trim()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _batch(rows: Sequence[Encoded], prefix: int) -> dict[str, Any]:
    batch = pack(rows, prefix)
    # The Trainer counts labels to normalise by; under this name it takes all of them.
    return {**batch, "shift_labels": batch["labels"]}


def forward_loss(model: torch.nn.Module, batch: dict[str, Any], *, bf16: bool) -> torch.Tensor:
    """Cross entropy of a packed row in nats, summed over its labelled tokens."""
    hidden, head = _hidden(model, batch, bf16)
    with torch.autocast(hidden.device.type, dtype=torch.bfloat16, enabled=bf16):
        return summed_loss(hidden, head, batch["labels"])


def _hidden(
    model: torch.nn.Module, batch: dict[str, Any], bf16: bool
) -> tuple[torch.Tensor, torch.nn.Module]:
    """What the output layer is given at each labelled position, (labels, width), and that layer."""
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "shift_labels")}
    unwrapped: Any = getattr(model, "module", model)
    lora = isinstance(unwrapped, PeftModel)
    head = unwrapped.get_output_embeddings()
    # Without the second PEFT casts every layer's input to float32, and autocast casts it back.
    with (
        torch.autocast(batch["labels"].device.type, dtype=torch.bfloat16, enabled=bf16),
        disable_input_dtype_casting(unwrapped, active=bf16 and lora),
        headless(head),
    ):
        hidden: torch.Tensor = model(**inputs, use_cache=False).logits[0]
    return hidden, head


def _placed(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {k: v.to(device) if torch.is_tensor(v) else v for k, v in batch.items()}


def row_losses(
    model: torch.nn.Module,
    rows: Sequence[Encoded],
    prefix: int,
    *,
    bf16: bool,
    rows_at_once: int = 8,
) -> list[tuple[float, int]]:
    """Each row's cross entropy in nats, summed over its labelled tokens, and their number."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    found: list[tuple[float, int]] = []
    try:
        with torch.no_grad():
            for start in range(0, len(rows), rows_at_once):
                several = rows[start : start + rows_at_once]
                batch = _placed(pack(several, prefix), device)
                hidden, head = _hidden(model, batch, bf16)
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
                    losses = token_losses(hidden, head, batch["labels"])
                counts = [sum(row.mask[prefix:]) for row in several]
                of_rows = torch.split(losses, counts)
                found += [(own.sum().item(), len(own)) for own in of_rows]
    finally:
        model.train(was_training)
    return found


def unlike_alone(model: torch.nn.Module, rows: Sequence[Encoded], *, bf16: bool) -> str:
    """Why a model must not be trained on packed rows; empty if it sees in them what it sees alone.

    Layers that carry a state along a row, scores that are bounded (softcap), biased by distance
    (ALiBi) or given a sink would all be computed wrong without a word. So the loss of two short
    rows is compared with what the model's own attention and output layer make of each alone.
    """
    unwrapped: Any = getattr(model, "module", model)
    config = unwrapped.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    strange = sorted(kinds - {"full_attention", "sliding_attention"})
    if strange:
        return f"layers of the kind {', '.join(strange)}"
    if any(getattr(config, f"{where}_logit_softcapping", None) for where in ("attn", "final")):
        return "bounded scores (softcap)"
    if any(name.endswith("sinks") for name, _ in unwrapped.named_parameters()):
        return "attention sinks"
    two = sorted((row for row in rows if 1 in row.mask), key=lambda row: len(row.ids))[:2]
    was_training = model.training
    model.eval()
    try:
        packed = row_losses(model, two, common_prefix(two), bf16=bf16)
        device = next(model.parameters()).device
        with torch.no_grad():  # that which is trained has an output layer of its own
            trained = [
                forward_loss(model, _placed(pack([row], 0), device), bf16=bf16).item()
                for row in two
            ]
        plain = unwrapped.get_base_model() if isinstance(unwrapped, PeftModel) else unwrapped
        plain.set_attn_implementation("eager")
        if plain.config.get_text_config()._attn_implementation != "eager":
            return "an attention of its own"
        alone = [_alone(plain, row, bf16) for row in two]
        plain.set_attn_implementation(ATTENTION)
    except (ValueError, TypeError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        return f"an attention of another form ({error})"
    finally:
        model.train(was_training)
    apart = max(
        (max(abs(a - c), abs(b - c)) / n
         for (a, n), b, c in zip(packed, trained, alone, strict=True)),
        default=0.0,
    )  # fmt: skip
    if apart > (APART_BF16 if bf16 else APART):
        return f"a loss that is {apart:.4f} nats a token off when examples share a row"
    return ""


def _alone(model: Any, row: Encoded, bf16: bool) -> float:
    """A row's cross entropy in nats, summed over its labelled tokens, by the model's own code."""
    device = next(model.parameters()).device
    ids = torch.tensor([row.ids], device=device)
    places = torch.tensor([n for n, label in enumerate(row.mask) if label], device=device)
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
        logits = model(input_ids=ids, logits_to_keep=places - 1, use_cache=False).logits[0].float()
    return float(functional.cross_entropy(logits, ids[0, places], reduction="sum"))


def mean_loss(
    model: torch.nn.Module,
    rows: Sequence[Encoded],
    prefix: int,
    *,
    bf16: bool,
    rows_at_once: int = 8,
) -> float:
    """Cross entropy in nats per labelled token over all rows; NaN if there are none."""
    found = row_losses(model, rows, prefix, bf16=bf16, rows_at_once=rows_at_once)
    count = sum(tokens for _, tokens in found)
    return sum(loss for loss, _ in found) / count if count else math.nan


class WholeCheckpoints(TrainerCallback):
    """Marks a checkpoint as whole once all its files are flushed to disk."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        files = [f for f in folder.rglob("*") if f.is_file() and f.name != MARKER]
        for file in files:
            fsync(file)
        sizes = {file.relative_to(folder).as_posix(): file.stat().st_size for file in files}
        with (folder / MARKER).open("w", encoding="utf-8") as stream:
            json.dump(sizes, stream)
            stream.flush()
            os.fsync(stream.fileno())


def last_whole_checkpoint(run: Path) -> Path | None:
    """The newest checkpoint of a run whose marker and files agree."""
    numbered = sorted(
        (int(folder.name.removeprefix("checkpoint-")), folder)
        for folder in run.glob("checkpoint-*")
        if folder.name.removeprefix("checkpoint-").isdigit()
    )
    for _, folder in reversed(numbered):
        try:
            sizes = json.loads((folder / MARKER).read_text(encoding="utf-8"))
            if all((folder / file).stat().st_size == size for file, size in sizes.items()):
                return folder
        except (OSError, ValueError):
            continue
    return None


class Reporter(TrainerCallback):
    """Writes ``progress.jsonl`` and tells ``report`` after each step and each measurement."""

    def __init__(
        self, file: Path, tokens_a_row: float, rows_a_step: int, report: Callable[[Progress], None]
    ) -> None:
        self.file = file
        self.tokens_a_step = tokens_a_row * rows_a_step
        self.report = report
        self.started = time.monotonic()
        self.first_step = 0
        self.loss = math.nan
        self.valid_loss = math.nan

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.started = time.monotonic()
        self.first_step = state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        if "loss" not in logs and "eval_loss" not in logs:
            return
        self.loss = logs.get("loss", self.loss)
        self.valid_loss = logs.get("eval_loss", self.valid_loss)
        seconds = time.monotonic() - self.started
        done = state.global_step - self.first_step
        step_seconds = seconds / done if done else math.nan
        entry: Progress = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": round(state.epoch or 0.0, 3),
            "loss": _finite(self.loss),
            "valid_loss": _finite(self.valid_loss),
            "tokens_per_second": _finite(self.tokens_a_step / step_seconds),
            "seconds": round(seconds, 2),
            "seconds_left": _finite(step_seconds * (state.max_steps - state.global_step)),
        }
        if state.is_world_process_zero:
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
            self.report(entry)


def _finite(number: float) -> float | None:
    return round(number, 4) if math.isfinite(number) else None


def _trim() -> None:
    if sys.platform == "linux":
        give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if give_back is not None:  # musl has none
            give_back(0)


class FreedMemory(TrainerCallback):
    """Gives memory that is free back to the system every ``EVERY`` steps, where glibc keeps it.

    Rows differ in length, and it keeps what each of them needed: of 1.8 GB that a model of 135
    million parameters holds, 5.8 GB were left after eighty steps. At each step it would cost a
    fifth of the time (docs/notes.md).
    """

    EVERY = 10

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.global_step % self.EVERY == 0:
            _trim()


class StopOnRequest(TrainerCallback):
    """Ends training after the running step, with a checkpoint, once ``requested`` is set."""

    def __init__(self) -> None:
        self.requested = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.requested:
            control.should_save = True
            control.should_training_stop = True
