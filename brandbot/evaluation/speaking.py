"""A model as one version speaks: what it expects, and what it says when many ask at once.

The adapter is added to the base's weights, so that every reply and every loss costs what the base
alone costs. Loaded when it is first needed, in what this machine multiplies fastest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from brandbot import convert, precision
from brandbot.adapters import Version
from brandbot.engines.base import Request
from brandbot.errors import MissingExtraError
from brandbot.evaluation.losses import RowLoss
from brandbot.models import BaseModel
from brandbot.prompt import Encoded

AT_ONCE = 32
"""Rows whose losses are measured in one pass, behind one prefix."""


class Speaking:
    """``version`` None is the untuned base; ``strength`` (0 to 1) scales the adapter."""

    def __init__(self, base: BaseModel, version: Version | None, strength: float = 1.0) -> None:
        self._base, self._version, self._strength = base, version, strength

    @cached_property
    def name(self) -> str:
        """What its numbers depend on beside the weights."""
        return f"side by side in {'bfloat16' if precision.use_bf16() else 'float32'}"

    @cached_property
    def _model(self) -> Any:
        try:
            import torch
            from peft import PeftModel
            from transformers import AutoModelForCausalLM
        except ImportError as error:
            raise MissingExtraError(str(error.name), "train", "Measuring a version") from error
        version = self._version
        full = version is not None and version.method == "full"
        with convert.quiet_transformers():
            model: Any = AutoModelForCausalLM.from_pretrained(
                version.folder if version is not None and full else self._base.folder,
                dtype=torch.bfloat16 if precision.use_bf16() else torch.float32,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
            if version is not None and not full:
                model = PeftModel.from_pretrained(model, version.folder)
                for module in model.modules():
                    if hasattr(module, "set_scale"):
                        module.set_scale("default", self._strength)
                model = model.merge_and_unload()
        return model.eval().to(precision.device())

    def losses(self, rows: Sequence[Encoded]) -> list[RowLoss]:
        """Each row's loss."""
        if not rows:
            return []
        model = self._model  # says what is missing, if something is
        from brandbot.training.packing import ATTENTION, common_prefix
        from brandbot.training.trainer import row_losses

        model.set_attn_implementation(ATTENTION)
        found = row_losses(model, rows, common_prefix(rows), bf16=False, rows_at_once=AT_ONCE)
        return [RowLoss(total / count if count else math.nan, count) for total, count in found]

    def replies(self, requests: Sequence[Request]) -> Iterator[tuple[int, str, bool]]:
        """Each request's place, its reply and whether it was cut off, in the order of their end.

        The requests' own adapters and strengths are not looked at: this speaks as one version.
        """
        model = self._model
        from brandbot.evaluation import side_by_side

        return side_by_side.write(model, self._base.prompt_format().tokenizer, requests)
