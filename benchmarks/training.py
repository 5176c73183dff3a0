"""Training beside TRL's SFTTrainer: same tokens, same model, same steps, one run.

    python benchmarks/training.py [--steps 12] [--persona lighthouse] [--only short|long]

Both train LoRA of the same rank on the same rows in the same order, in bfloat16 where the machine
has it. TRL gets its best settings for a CPU: no gradient checkpointing (its default recomputes
every layer), padding to the longest row of a batch, loss on replies only. Reported are the median
seconds a step, the ratio, and the held-out loss each ends with, measured alike for both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoModelForCausalLM, TrainerCallback, set_seed

from brandbot import Persona, Workspace, precision
from brandbot.prompt import Encoded
from brandbot.training import planning, run
from brandbot.training.packing import common_prefix
from brandbot.training.rows import encode
from brandbot.training.trainer import mean_loss

SHORT_PROMPT = "You are the voice of the brand."


class StepTimes(TrainerCallback):
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.begun = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.begun = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.perf_counter() - self.begun)


def ours(
    plan: planning.Plan, rows: dict[str, list[Encoded]], steps: int
) -> tuple[StepTimes, float]:
    prefix = common_prefix([row for side in rows.values() for row in side])
    with tempfile.TemporaryDirectory() as folder:
        sides = rows | {"valid": []}
        trainer, _ = run._trainer(plan, Path(folder), sides, prefix, 8, 1, lambda _: None)
        trainer.args.max_steps = steps
        trainer.args.save_strategy = "no"
        times = StepTimes()
        trainer.add_callback(times)
        trainer.train()
        loss = mean_loss(trainer.model, rows["test"], prefix, bf16=trainer.bf16)
    return times, loss


def trl(plan: planning.Plan, rows: dict[str, list[Encoded]], steps: int) -> tuple[StepTimes, float]:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    settings = plan.persona.config.training
    data = Dataset.from_list(
        [
            {
                "input_ids": row.ids,
                "labels": [i if m else -100 for i, m in zip(row.ids, row.mask, strict=True)],
            }
            for row in rows["train"]
        ]
    )
    set_seed(settings.seed)
    bf16 = precision.use_bf16()
    model = AutoModelForCausalLM.from_pretrained(
        plan.base.folder, dtype=torch.bfloat16 if bf16 else torch.float32
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=model,
            processing_class=AutoTokenizer.from_pretrained(plan.base.folder),
            train_dataset=data,
            peft_config=LoraConfig(
                r=settings.rank,
                lora_alpha=2 * settings.rank,
                target_modules="all-linear",
                lora_dropout=0.0,
                task_type="CAUSAL_LM",
            ),
            args=SFTConfig(
                output_dir=folder,
                max_steps=steps,
                per_device_train_batch_size=8,
                learning_rate=run.DEFAULT_LEARNING_RATE["lora"],
                lr_scheduler_type="linear",
                warmup_steps=0.05,
                weight_decay=0.0,
                gradient_checkpointing=False,
                bf16=bf16,
                use_cpu=not torch.cuda.is_available(),
                dataloader_drop_last=True,
                dataloader_pin_memory=False,
                seed=settings.seed,
                data_seed=settings.seed,
                save_strategy="no",
                logging_steps=1,
                report_to=[],
                disable_tqdm=True,
                max_length=None,
            ),
        )
        times = StepTimes()
        trainer.add_callback(times)
        trainer.train()
        tuned = trainer.model.eval()
        total = count = 0.0
        with torch.no_grad():  # row by row, as anybody would
            for row in rows["test"]:
                ids = torch.tensor([row.ids])
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                    logits = tuned(input_ids=ids).logits[0, :-1].float()
                wanted = torch.tensor(
                    [i if m else -100 for i, m in zip(row.ids, row.mask, strict=True)]
                )[1:]
                total += torch.nn.functional.cross_entropy(logits, wanted, reduction="sum").item()
                count += (wanted != -100).sum().item()
    return times, total / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--persona", default="lighthouse")
    parser.add_argument("--only", choices=["short", "long"])
    arguments = parser.parse_args()
    workspace = Workspace.find()
    persona = Persona.load(workspace.persona(arguments.persona))
    plan = planning.plan(workspace, persona)
    for label in ("short", "long"):
        if arguments.only not in (None, label):
            continue
        system = SHORT_PROMPT if label == "short" else persona.system_prompt
        rows = {
            side: encode(plan.reading.split(side), plan.prompt_format, system, 1024).encoded
            for side in ("train", "test")
        }
        our_times, our_loss = ours(plan, rows, arguments.steps)
        trl_times, trl_loss = trl(plan, rows, arguments.steps)
        # The first step of each pays for warming up.
        a, b = (statistics.median(t.seconds[1:]) for t in (our_times, trl_times))
        prompt = common_prefix([row for side in rows.values() for row in side])
        print(
            json.dumps(
                {
                    "prompt": label,
                    "prompt_tokens": prompt,
                    "steps": arguments.steps,
                    "brandbot_seconds_a_step": round(a, 2),
                    "trl_seconds_a_step": round(b, 2),
                    "times_as_fast": round(b / a, 2),
                    "brandbot_held_out_loss": round(our_loss, 4),
                    "trl_held_out_loss": round(trl_loss, 4),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
