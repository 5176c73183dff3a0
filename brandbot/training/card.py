"""The model card that travels with a version."""

from __future__ import annotations

from typing import Any

from brandbot import models
from brandbot.persona import Persona


def model_card(persona: Persona, meta: dict[str, Any]) -> str:
    """README.md of a version, with the front matter the hub reads."""
    alias = models.ALIASES.get(str(meta["base_model"]).lower())
    base = alias.hub if alias else meta["base_model"]
    licence = alias.licence if alias else "that of the base model"
    counts, loss = meta["examples"], meta["loss"]
    what = "A LoRA adapter" if meta["method"] == "lora" else "A fully fine-tuned model"
    library = "peft" if meta["method"] == "lora" else "transformers"
    figures = "\n".join(
        f"| {name} | {value:.3f} |"
        for name, value in (
            ("test, untuned base", loss["base_test"]),
            ("test, this version", loss["test"]),
            ("validation, best", loss["best_valid"]),
        )
        if value is not None
    )
    return f"""---
base_model: {base}
library_name: {library}
language: {persona.config.language}
pipeline_tag: text-generation
tags: [brandbot, style]
---

# {persona.config.name}

{what} on {base} that writes in the voice of {persona.config.name}. Made by brandbot.

- Examples: {counts["train"]} trained on, {counts["valid"]} for validation, {counts["test"]} for the
  test; all given by the brand.
- Method: {meta["method"]}, {meta["training"]["epochs"]:g} epochs at most, best checkpoint kept.
- Licence of the base: {licence}.

| loss, nats per reply token | |
|---|---|
{figures}

## Use

It was trained with the system prompt in `voice.md` and the template in `chat_template.jinja` and
answers as measured only with both. brandbot does that by itself. It knows no facts of the brand:
those are looked up. It is a small model and can be wrong.
"""
