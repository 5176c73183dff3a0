"""All that decides what a training makes: read, checked, and named."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from brandbot import approved, examples, models
from brandbot.adapters import AdapterStore
from brandbot.engines.base import context
from brandbot.errors import PersonaError, TrainingError, VersionError
from brandbot.lint import FEWEST
from brandbot.models import BaseModel
from brandbot.persona import Persona
from brandbot.prompt import Message, PromptFormat, build
from brandbot.tables import people_files
from brandbot.training.publish import Losses, Trained
from brandbot.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """All that decides what a training makes, but for documents; ``fingerprint`` names it."""

    persona: Persona
    base: BaseModel
    prompt_format: PromptFormat
    reading: examples.Reading

    @property
    def fingerprint(self) -> str:
        parts = [
            self.base.sha256,
            self.prompt_format.fingerprint(self.persona.system_prompt),
            examples.fingerprint(self.reading.examples),
            self.persona.config.training.model_dump(),
            self.persona.config.review.repeat,
            self.persona.language,
            list(self.persona.config.handoff),
            self.persona.config.knowledge.model_dump(),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]

    @property
    def run(self) -> str:
        """Names the training: other documents give its rows other facts, and no new version."""
        files = people_files(self.persona.folder / "knowledge")
        read = [self.fingerprint, *(f"{n} {models.file_sha256(f)}" for n, f in files.items())]
        return hashlib.sha256("\n".join(read).encode()).hexdigest()[:12]


def plan(workspace: Workspace, persona: Persona, *, say: models.Say | None = None) -> Plan:
    """Reads and checks what a training needs; PersonaError if the examples can't be trained on."""
    reading, over = approved.read(persona)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    if errors:
        raise PersonaError(persona.folder, errors, persona.language)
    if over and say is not None:
        say(
            f"{len(over)} approved examples are over the limits of review in persona.yaml and are "
            f"not trained; brandbot check {persona.name} says which."
        )
    if len(reading.examples) < FEWEST:
        raise TrainingError(
            f"{persona.name} has {len(reading.examples)} examples; training needs at least "
            f"{FEWEST}, and 100 to 500 make a voice. Add some to "
            f"{persona.folder / 'examples'}."
        )
    base = models.resolve(persona.config.base_model, workspace.models, say=say)
    form = base.prompt_format()
    shortest = build(persona.system_prompt, [Message("user", "?")], language=persona.language)
    needed = len(form.encode(shortest).ids)
    room = context(form) - persona.config.generation.max_tokens
    if needed > room:
        raise TrainingError(
            f"voice.md takes {needed} tokens, and {base.name} has room for {room} before a reply. "
            "Shorten voice.md, or set a smaller generation.max_tokens."
        )
    return Plan(persona, base, form, reading)


def up_to_date(workspace: Workspace, planned: Plan) -> Trained | None:
    """What training would say of the newest version, if that was made from just this plan."""
    store = AdapterStore(workspace.adapters(planned.persona.name))
    numbers = store.numbers()
    if not numbers:
        return None
    try:
        newest = store.get(numbers[-1])
        same = newest.persona.config == planned.persona.config
    except (VersionError, PersonaError):
        return None  # damaged: training makes a sound one
    meta = newest.meta
    if not same or meta["run"] != planned.fingerprint:
        return None
    return Trained(
        persona=planned.persona.name,
        version=newest.name,
        base_model=planned.base.name,
        examples=meta["examples"],
        seconds=meta["seconds"],
        tokens_per_second=meta["tokens_per_second"],
        loss=Losses(**meta["loss"]),
        path=str(newest.folder),
        live=store.live_number() == newest.number,
        left_out=meta["left_out"],
    )
