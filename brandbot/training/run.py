"""One training: a persona's examples become a published version.

Straight down: encode, measure the untuned model, train, measure, publish. The run's folder
is named by everything that decides its outcome, so an interrupted run is found again by itself.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot import convert, models, precision
from brandbot.disk import full_disk_told
from brandbot.errors import (
    LockHeldError,
    MissingExtraError,
    ModelError,
    TrainingError,
    is_out_of_memory,
)
from brandbot.knowledge import lookup
from brandbot.prompt import Encoded
from brandbot.training.dataset import as_served
from brandbot.training.planning import Plan
from brandbot.training.publish import Trained, publish
from brandbot.training.rows import encode
from brandbot.workspace import Workspace

if TYPE_CHECKING:
    from brandbot.training.trainer import PackedTrainer, StopOnRequest

DEFAULT_LEARNING_RATE = {"lora": 5e-4, "full": 1e-4}
CHECKS_AN_EPOCH = 2

KEPT_DAYS = 14
"""How long an interrupted training can be gone on with, once another has been made."""


class Interrupted(TrainingError):
    """Ctrl-C: training stopped after a step and kept a checkpoint."""


def train(
    workspace: Workspace,
    planned: Plan,
    *,
    resume: bool = False,
    fresh: bool = False,
    report: Callable[[dict[str, Any]], None] = lambda _: None,
    say: models.Say = lambda _: None,
) -> Trained:
    """Trains the persona and publishes the version.

    An interrupted training of the same is gone on with, unless ``fresh`` is asked for; ``resume``
    asks that there be one.
    ``report`` gets an entry of ``progress.jsonl`` after each step. Raises TrainingError (NaN, out
    of memory, nothing to resume), LockHeldError and, on Ctrl-C, Interrupted.
    """
    try:
        import accelerate
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(str(error.name), "train", "Training") from error
    from brandbot.training.trainer import last_whole_checkpoint

    state = accelerate.PartialState()
    persona = planned.persona
    runs = workspace.runs(persona.name)
    run = runs / planned.run
    if not state.is_main_process:
        state.wait_for_everyone()  # until the main process holds the lock and made the folder
        with _lack_of_memory_told(run, persona.name):
            return _train(workspace, planned, run, report, say)
    runs.mkdir(parents=True, exist_ok=True)
    with _lock(runs / "lock", persona.name):
        kept = None if fresh else last_whole_checkpoint(run)
        if resume and kept is None:
            raise TrainingError(
                f"There is nothing to resume: no training of {persona.name} with just these "
                "examples, documents and settings was interrupted. Start it without --resume."
            )
        if kept is not None:
            step = kept.name.rpartition("-")[2]
            say(f"Going on from step {step} of an interrupted training; to begin anew: --fresh")
        elif run.is_dir():
            shutil.rmtree(run)
        run.mkdir(exist_ok=True)
        if persona.config.knowledge.enabled and (persona.folder / "knowledge").is_dir():
            lookup.update_index(workspace, persona)
            say("Looking up what each example would be answered with …")  # half a minute
        state.wait_for_everyone()
        with full_disk_told(run), _lack_of_memory_told(run, persona.name):
            trained = _train(workspace, planned, run, report, say)
        shutil.rmtree(run, ignore_errors=True)
        for left in runs.iterdir():  # of other examples or settings, and gigabytes each
            old = time.time() - left.stat().st_mtime > KEPT_DAYS * 86_400
            if left.is_dir() and (old or last_whole_checkpoint(left) is None):
                shutil.rmtree(left, ignore_errors=True)
        return trained


@contextmanager
def _lack_of_memory_told(run: Path, persona: str) -> Iterator[None]:
    from brandbot.training.trainer import last_whole_checkpoint

    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        told = (
            "There is not enough memory, not even for one example at a time. Close other "
            "programs, set a smaller base_model or training.max_length, or use a larger machine. "
            "What was served before goes on unchanged."
        )
        if last_whole_checkpoint(run) is not None:
            told += (
                f" The last checkpoint is kept. Go on from it with: brandbot train {persona} "
                "--resume (and the same --set, if there was one)"
            )
        raise TrainingError(told) from error


def _train(
    workspace: Workspace,
    planned: Plan,
    run: Path,
    report: Callable[[dict[str, Any]], None],
    say: models.Say,
) -> Trained:
    import torch

    from brandbot.training.packing import common_prefix
    from brandbot.training.trainer import free_memory

    started = time.monotonic()
    settings = planned.persona.config.training
    system = planned.persona.system_prompt
    rows: dict[str, list[Encoded]] = {}
    left_out: dict[str, None] = {}  # an example may stand in several rows
    for side, chosen in as_served(workspace, planned.persona, planned.reading, say).items():
        found = encode(
            chosen, planned.prompt_format, system, settings.max_length, planned.persona.language
        )
        rows[side] = found.encoded
        left_out |= dict.fromkeys(f"{e.file}:{e.line}" for e in found.too_long)
    if not rows["train"]:
        raise TrainingError(
            f"No example fits into training.max_length = {settings.max_length} tokens together "
            "with voice.md. Raise it in persona.yaml or shorten voice.md."
        )
    prefix = common_prefix([row for side in rows.values() for row in side])
    batch = min(settings.batch_size, len(rows["train"]))
    accumulate = 1
    trainer: PackedTrainer | None = None
    stop: StopOnRequest | None = None
    while True:
        try:
            trainer, stop = _trainer(planned, run, rows, prefix, batch, accumulate, report)
            _refuse_unlike(trainer, planned, rows["train"])
            base_test = trainer.measure(rows["test"]) if rows["test"] else None
            began_at = _fit(trainer, stop, run, planned.persona.name)
            break
        except Exception as error:
            if batch == 1 or not is_out_of_memory(error):
                raise
        # Only out here is the failed step let go of: the error and these two held on to it.
        trainer = stop = None
        free_memory()
        batch, accumulate = math.ceil(batch / 2), accumulate * 2
        say(f"Memory ran out; going on with {batch} examples at a time.")
    if settings.method == "full":  # as it is stored, so that what is measured is what is served
        trainer.accelerator.unwrap_model(trainer.model).to(torch.bfloat16)
    test = trainer.measure(rows["test"]) if rows["test"] else None
    both = (base_test, test)
    return publish(
        workspace, planned, trainer, rows["train"], both, list(left_out), started, began_at
    )


def _trainer(
    planned: Plan,
    run: Path,
    rows: dict[str, list[Encoded]],
    prefix: int,
    batch: int,
    accumulate: int,
    report: Callable[[dict[str, Any]], None],
) -> tuple[PackedTrainer, StopOnRequest]:
    import torch
    from accelerate import PartialState
    from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments, set_seed

    from brandbot.training.trainer import (
        FreedMemory,
        PackedTrainer,
        Reporter,
        StopOnRequest,
        WholeCheckpoints,
    )

    settings = planned.persona.config.training
    processes = PartialState().num_processes
    batch = max(1, batch // processes)
    set_seed(settings.seed)
    bf16 = precision.use_bf16()
    model = _model(planned, bf16)
    steps_an_epoch = max(1, len(rows["train"]) // (batch * accumulate * processes))
    every = max(1, steps_an_epoch // CHECKS_AN_EPOCH)
    has_valid = bool(rows["valid"])
    stop = StopOnRequest()
    tokens = sum(len(row.ids) for row in rows["train"]) / len(rows["train"])
    reporter = Reporter(run / "progress.jsonl", tokens, batch * accumulate * processes, report)
    callbacks: list[Any] = [WholeCheckpoints(), FreedMemory(), reporter, stop]
    if has_valid:
        callbacks.append(EarlyStoppingCallback(settings.patience))
    arguments = TrainingArguments(
        output_dir=str(run),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate or DEFAULT_LEARNING_RATE[settings.method],
        lr_scheduler_type="linear",
        warmup_steps=0.05,
        weight_decay=0.0,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulate,
        # Dropping the last, partial batch keeps steps equal over any number of processes;
        # the order changes each epoch, so no example stays out. Small sets use every one.
        dataloader_drop_last=len(rows["train"]) >= 4 * settings.batch_size,
        eval_strategy="steps" if has_valid else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=3,
        load_best_model_at_end=has_valid,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
        report_to=[],
        disable_tqdm=True,
        log_level="error",
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
    )
    if arguments.n_gpu > 1:  # one packed row can't be split over several, as would be done here
        arguments._n_gpu = 1
    trainer = PackedTrainer(
        prefix=prefix,
        bf16=bf16,
        batch_rows=batch,
        valid=rows["valid"],
        model=model,
        train_dataset=rows["train"],
        eval_dataset=rows["valid"] or None,
        callbacks=callbacks,
        args=arguments,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, stop


def _model(planned: Plan, bf16: bool) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from brandbot.training.packing import ATTENTION

    settings = planned.persona.config.training
    lora = settings.method == "lora"
    with convert.quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(
            planned.base.folder,
            # Frozen weights may be rounded; weights that are trained need float32 to move at all.
            dtype=torch.bfloat16 if bf16 and lora else torch.float32,
            attn_implementation=ATTENTION,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    if not lora:
        return model
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=2 * settings.rank,
        target_modules="all-linear",
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def _refuse_unlike(trainer: PackedTrainer, planned: Plan, rows: list[Encoded]) -> None:
    """ModelError if examples in one row would not be what they are alone."""
    from brandbot.training.trainer import unlike_alone

    model = trainer.accelerator.unwrap_model(trainer.model)
    reason = unlike_alone(model, rows, bf16=trainer.bf16)
    if reason:
        kind = convert.read_config(planned.base.folder).get("model_type", "unknown")
        raise ModelError(
            f"{planned.base.name} (architecture {kind}) can't be trained here: it has {reason}. "
            "Choose a base_model of the kinds that brandbot models list shows: Llama, Mistral, "
            "Gemma 3, Qwen 2.5 or 3, SmolLM2."
        )


def _fit(trainer: PackedTrainer, stop: StopOnRequest, run: Path, persona: str) -> float:
    """Trains from where an interrupted training was; returns at which epoch that is."""
    from transformers import TrainerState

    from brandbot.training.trainer import last_whole_checkpoint

    checkpoint = last_whole_checkpoint(run)
    began_at = 0.0
    if checkpoint:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        began_at = float(state.get("epoch") or 0)
        if _restore_patience(trainer, state):  # it had ended; what failed came after it
            trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
            trainer._load_best_model()
            return began_at
    with _stopping_on_interrupt(stop):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if stop.requested and trainer.state.global_step < trainer.state.max_steps:
        raise Interrupted(
            f"Stopped after step {trainer.state.global_step} of {trainer.state.max_steps}; the "
            f"checkpoint is kept. Go on with: brandbot train {persona} --resume (and the "
            "same --set, if there was one)"
        )
    return began_at


def _restore_patience(trainer: PackedTrainer, state: dict[str, Any]) -> bool:
    """Early stopping goes on counting where it was; True if it had come to an end.

    transformers could restore its callbacks itself, but then also the order to stop that Ctrl-C
    left in the checkpoint.
    """
    from transformers import EarlyStoppingCallback

    kept = state.get("stateful_callbacks", {}).get("EarlyStoppingCallback")
    for callback in trainer.callback_handler.callbacks:
        if kept and isinstance(callback, EarlyStoppingCallback):
            counted = kept["attributes"]["early_stopping_patience_counter"]
            callback.early_stopping_patience_counter = counted
            return bool(counted >= callback.early_stopping_patience)
    return False


@contextmanager
def _stopping_on_interrupt(stop: StopOnRequest) -> Iterator[None]:
    """The first Ctrl-C asks training to stop after its step, a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_signal: int, _frame: object) -> None:
        stop.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _lock(file: Path, persona: str) -> Iterator[None]:
    """One training of a persona at a time; the lock is the kernel's, so a kill frees it."""
    from filelock import FileLock, Timeout

    holder = file.with_suffix(".json")
    lock = FileLock(str(file))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        try:
            who = json.loads(holder.read_text(encoding="utf-8"))
            told = f"process {who['pid']} on {who['host']}, since {who['since']}"
        except (OSError, ValueError, KeyError):
            told = "another process"
        raise LockHeldError(
            f"{persona} is being trained already, by {told}. Wait for it or stop it first."
        ) from None
    try:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": now}
        holder.write_text(json.dumps(who), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
