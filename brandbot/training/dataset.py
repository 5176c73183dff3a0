"""The examples of each side, as they are trained and measured: with their facts, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from brandbot import approved
from brandbot.examples import SIDES, Example, Reading, Split
from brandbot.knowledge.lookup import Lookup
from brandbot.models import Say
from brandbot.persona import Persona, Review
from brandbot.prompt import Message
from brandbot.training import mix
from brandbot.workspace import Workspace


def as_served(
    workspace: Workspace, persona: Persona, reading: Reading, say: Say | None = None
) -> dict[Split, list[Example]]:
    """Each side's examples with the facts that their replies would be served with.

    Held-out examples get just what search finds for them, or their own; those that are trained are
    mixed (``mix``).
    """
    sides: dict[Split, list[Example]] = {side: reading.split(side) for side in SIDES}
    sides["train"] = _weighted(sides["train"], persona.config.review)
    if not persona.config.knowledge.enabled:
        return sides
    documents = Lookup(workspace, persona.name, say)
    search = documents.search
    passages = [line for p in (search.passages if search else []) for line in p.lines()]

    def find(conversation: Sequence[Message]) -> Sequence[str]:
        return documents.find(conversation, persona.config.knowledge).lines

    seed = persona.config.training.seed
    mixed = mix.mixed(
        sides["train"], find, passages, persona.config.handoff, seed,
        quote_first=persona.config.knowledge.quote_first, language=persona.language,
    )  # fmt: skip
    return {
        "train": mixed,
        **{
            side: [e if e.facts else replace(e, facts=tuple(find(e.messages[:-1])))
                   for e in sides[side]]
            for side in ("valid", "test")
        },
    }  # fmt: skip


def _weighted(chosen: Sequence[Example], limits: Review) -> list[Example]:
    """A reply that somebody rewrote stands there several times: one of hundreds is not heard.

    As often as ``review.repeat``, but not so often that such replies outnumber all others, or that
    one person's are more than ``review.max_author`` of all.
    """
    edited = [approved.is_edited(example) for example in chosen]
    times = min(limits.repeat, max(1, (len(chosen) - sum(edited)) // max(1, sum(edited))))
    counts = Counter(name for example in chosen for name in approved.people(example))
    room = int(limits.max_author * len(chosen))

    def often(example: Example) -> int:
        shares = [room // counts[name] for name in approved.people(example)]
        return max(1, min([times, *shares]))

    return [e for e, was in zip(chosen, edited, strict=True) for _ in range(often(e) if was else 1)]
