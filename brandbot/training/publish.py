"""What a training made becomes a version: its weights, and all they were trained with."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot import convert, examples, models
from brandbot.adapters import AdapterStore
from brandbot.errors import ModelError
from brandbot.models import BaseModel
from brandbot.persona_yaml import dump
from brandbot.prompt import Encoded
from brandbot.workspace import Workspace

if TYPE_CHECKING:
    from brandbot.training.planning import Plan
    from brandbot.training.trainer import PackedTrainer

PACKAGES = ("torch", "transformers", "peft", "accelerate", "brandbot")


@dataclass(frozen=True)
class Losses:
    """Nats per reply token. ``base_test`` and ``test`` are on examples never trained on."""

    base_test: float | None
    test: float | None
    best_valid: float | None


@dataclass
class Trained:
    """What a training made. It is a candidate until the gate lets it go ``live``."""

    persona: str
    version: str
    base_model: str
    examples: dict[str, int]
    seconds: float
    tokens_per_second: float
    loss: Losses
    path: str
    live: bool
    left_out: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def publish(
    workspace: Workspace,
    planned: Plan,
    trainer: PackedTrainer,
    trained_on: list[Encoded],
    test: tuple[float | None, float | None],
    left_out: list[str],
    started: float,
    began_at: float = 0.0,
) -> Trained:
    """Publishes what a training made; ``test`` is the held-out loss before and after.

    ``began_at`` is the epoch at which an interrupted training was taken up again.
    Of several processes the main one alone writes.
    """
    from brandbot.training.card import model_card

    persona, settings = planned.persona, planned.persona.config.training
    model = trainer.accelerator.unwrap_model(trainer.model)
    losses = Losses(*test, trainer.state.best_metric)
    seconds = time.monotonic() - started
    epochs = (trainer.state.epoch or 0) - began_at
    trained_tokens = sum(len(row.ids) for row in trained_on) * epochs
    speed = trained_tokens / max(1e-9, _training_seconds(trainer))
    store = AdapterStore(workspace.adapters(persona.name))
    counts: dict[str, int] = {
        side: sum(f"{e.file}:{e.line}" not in left_out for e in planned.reading.split(side))
        for side in examples.SIDES
    }
    if not trainer.is_world_process_zero():
        return Trained(
            persona.name, "", planned.base.name, counts, seconds, speed, losses, "", False, left_out
        )
    with store.publishing() as (folder, meta):
        model.save_pretrained(folder)
        if settings.method == "full":
            for name in ("tokenizer.json", "tokenizer_config.json"):
                if (planned.base.folder / name).is_file():
                    shutil.copyfile(planned.base.folder / name, folder / name)
        else:
            _name_base(folder / "adapter_config.json", planned.base)
        # Before the file for llama.cpp, which has its end of a turn from it.
        (folder / "chat_template.jinja").write_bytes(planned.prompt_format.template.encode())
        _write_gguf(settings.method, planned.base, folder)
        (folder / "voice.md").write_bytes(persona.voice.encode())
        # With every default: a later brandbot may have others.
        dump(persona.config.model_dump(), folder / "persona.yaml")
        meta |= {
            "persona": persona.name,
            "method": settings.method,
            "base_model": persona.config.base_model,
            "base_sha256": planned.base.sha256,
            "prompt_fingerprint": planned.prompt_format.fingerprint(persona.system_prompt),
            "dataset_fingerprint": examples.fingerprint(planned.reading.examples),
            "run": planned.fingerprint,
            "examples": counts,
            "left_out": left_out,
            "from_conversations": [
                dict(e.provenance) for e in planned.reading.examples if e.provenance is not None
            ],
            "training": settings.model_dump(),
            "seconds": round(seconds, 1),
            "tokens_per_second": round(speed, 1),
            "loss": asdict(losses),
            "curve": _curve(trainer),
            "packages": {name: _package_version(name) for name in PACKAGES},
        }
        (folder / "README.md").write_text(model_card(persona, meta), encoding="utf-8")
    return Trained(
        persona.name, meta["version"], planned.base.name, counts, round(seconds, 1),
        round(speed, 1), losses, str(store.folder / meta["version"]), False, left_out,
    )  # fmt: skip


def _curve(trainer: PackedTrainer) -> list[dict[str, float]]:
    """How the losses went: step, and training or validation loss in nats a token."""
    names = {"loss": "loss", "eval_loss": "valid_loss"}
    return [
        {"step": entry["step"], ours: round(float(entry[theirs]), 4)}
        for entry in trainer.state.log_history
        for theirs, ours in names.items()
        if theirs in entry
    ]


def _training_seconds(trainer: PackedTrainer) -> float:
    runtime = [
        entry["train_runtime"] for entry in trainer.state.log_history if "train_runtime" in entry
    ]
    return float(runtime[-1]) if runtime else 0.0


def _name_base(file: Path, base: BaseModel) -> None:
    """Names the base by its hub id instead of this machine's folder: adapters travel.

    Only after saving, since PEFT asks the hub about a base that is no folder.
    """
    alias = models.ALIASES.get(base.name)
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = alias.hub if alias else base.name
    file.write_text(json.dumps(config, indent=2), encoding="utf-8")


def _write_gguf(method: str, base: BaseModel, folder: Path) -> None:
    """The version for llama.cpp too, where the architecture can be written for it."""
    try:
        convert.architecture_of(convert.read_config(base.folder))
    except ModelError:
        return
    if method == "lora":
        convert.adapter_to_gguf(folder, base.folder, folder / "adapter.gguf")
    else:
        convert.folder_to_gguf(folder, folder / "model.gguf", half=True)


def _package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
