"""The ruler of a brand's style, made from what a workspace holds."""

from __future__ import annotations

from collections.abc import Sequence

from brandbot import examples as example_files
from brandbot.errors import PersonaError
from brandbot.evaluation import losses, ruler
from brandbot.examples import normalise
from brandbot.persona import Persona
from brandbot.workspace import Workspace


def brand_ruler(
    workspace: Workspace,
    persona: Persona,
    reading: example_files.Reading,
    untuned: Sequence[str] = (),
    untuned_held_out: Sequence[str] = (),
) -> ruler.Ruler | str:
    """The brand's style against texts that ship, untuned answers and the other personas' replies.

    Every third shipped text, and the other personas' held-out replies, are kept for the check.
    Replies in other languages are learnt from but not checked with: they would flatter the ruler.
    """  # fmt: skip
    own = {normalise(reply) for example in reading.examples for reply in example.replies}
    file = losses.GENERAL / f"others.{persona.language}.txt"
    shipped = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    learnt = [text for i, text in enumerate(shipped) if i % 3] + list(untuned)
    checked = [text for i, text in enumerate(shipped) if not i % 3] + list(untuned_held_out)
    for name in workspace.persona_names():
        folder = workspace.persona(name)
        if name == persona.name or not (folder / "examples").is_dir():
            continue
        other = example_files.read(folder / "examples")
        # A copy of this persona is no other voice.
        theirs = {
            side: [reply for example in other.split(side) for reply in example.replies
                   if normalise(reply) not in own]
            for side in ("train", "test")
        }  # fmt: skip
        learnt += theirs["train"]
        try:
            same_language = Persona.load(folder).language == persona.language
        except PersonaError:
            continue
        if same_language:
            checked += theirs["test"]
    return ruler.make(
        [reply for example in reading.split("train") for reply in example.replies],
        [text for text in learnt if text.strip()],
        [reply for example in reading.split("test") for reply in example.replies],
        [text for text in checked if text.strip()],
        persona.language,
    )
