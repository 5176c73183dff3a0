"""What a speaker expects: losses on held-out, strange, seen and general rows, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brandbot.engines.base import context
from brandbot.evaluation import losses
from brandbot.evaluation.answers import Speaker
from brandbot.evaluation.findings import Asked
from brandbot.evaluation.kept import Kept, key
from brandbot.evaluation.losses import RowLoss
from brandbot.evaluation.report import FEWSHOT, Losses
from brandbot.evaluation.speaking import Speaking
from brandbot.examples import Example
from brandbot.models import BaseModel
from brandbot.nearest import Nearest
from brandbot.prompt import Encoded

STRANGERS, GENERAL = 16, 20
"""How many replies under another's prompt, and general texts."""


def blocks(speaker: Speaker) -> tuple[str, ...]:
    """What is measured of a speaker's expectations."""
    return ("own",) if speaker.name == FEWSHOT else ("own", "strange", "seen", "general")


def measure(
    speaking: Speaking, base: BaseModel, strength: float, speaker: Speaker,
    seen: Sequence[Example], near: Nearest, asked_of: dict[str, list[Asked]], kept: Kept,
    done: Callable[[], None],
) -> dict[str, list[RowLoss]]:  # fmt: skip
    held_out = [one.example for one in asked_of[speaker.name] if one.example is not None]
    files = speaker.version.meta["files"] if speaker.version else None
    rows = {block: _block_rows(block, speaker, held_out, seen, near) for block in blocks(speaker)}
    names = {
        block: key(
            "losses",
            speaking.name,
            base.sha256,
            files,
            strength,
            [[row.ids, row.mask] for row in some],
        )
        for block, some in rows.items()
    }
    missing = [block for block, name in names.items() if kept.get(name) is None]
    # Those that begin alike are measured together; general texts have nothing in common with them.
    for together in (
        [b for b in missing if b != "general"],
        [b for b in missing if b == "general"],
    ):
        if not together:
            continue
        found = speaking.losses([row for block in together for row in rows[block]])
        for block in together:
            own, found = found[: len(rows[block])], found[len(rows[block]) :]
            kept.put(names[block], [[loss.nats, loss.tokens] for loss in own])
    for _ in rows:
        done()
    return {block: [RowLoss(*pair) for pair in kept.get(name)] for block, name in names.items()}


def _block_rows(
    block: str, speaker: Speaker, held_out: Sequence[Example],
    seen: Sequence[Example], near: Nearest,
) -> list[Encoded]:  # fmt: skip
    if block == "general":
        rows = losses.general_rows(speaker.prompt_format, speaker.persona.language)
        return rows[:GENERAL]
    chosen = {
        "own": list(held_out),
        "strange": losses.strangers(held_out)[:STRANGERS],
        "seen": list(seen),
    }[block]
    shots: list[list[Example]] | None = None
    if speaker.shots:  # an example must not stand in its own prompt
        shots = [
            [
                e for e in near.find(one.messages[-2].content, speaker.shots + 1)
                if e.messages != one.messages
            ]
            [-speaker.shots :]
            for one in chosen
        ]  # fmt: skip
    system = speaker.persona.system_prompt
    language = speaker.persona.language
    rows = losses.reply_rows(chosen, speaker.prompt_format, system, shots, language)
    # The end of what is too long: the reply, and as much before it as there is room for.
    room = context(speaker.prompt_format)
    return [Encoded(row.ids[-room:], row.mask[-room:]) for row in rows]


def unseen_and_seen(measured: dict[str, list[RowLoss]]) -> Losses:
    general, seen = measured["general"], measured["seen"]
    return Losses(
        [loss.nats for loss in general], [loss.tokens for loss in general],
        [loss.nats for loss in seen], [loss.tokens for loss in seen],
    )  # fmt: skip
