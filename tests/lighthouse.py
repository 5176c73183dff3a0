"""A house of two brands in which a good version of the lighthouse is live, really trained.

On SmolLM2 and three fifths of the lighthouse's examples of style, without its documents and with a
short voice guide so that it does not take all day. Trained once for all the tests that need it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from brandbot import examples
from brandbot.evaluation import promotion
from brandbot.examples import Example
from brandbot.persona import Persona
from brandbot.training import planning, run
from brandbot.workspace import Workspace

ROOT = Path(__file__).parents[1]
SHARE, QUESTIONS = 0.6, 8


@pytest.fixture(scope="session")
def lighthouse(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace; its home is its own ``.brandbot``."""
    root = tmp_path_factory.mktemp("lighthouse")
    for name in ("lighthouse", "letraclara"):
        shutil.copytree(ROOT / "personas" / name, root / "personas" / name)
    folder = root / "personas" / "lighthouse"
    (folder / "voice.md").write_text(
        "You speak for Lighthouse Coffee. Dry, kind, short sentences.\n"
    )
    # Of 88 examples to train on a version learns the voice less well than of all, and of 25 prompts
    # three or four more or less are chance.
    with (folder / "persona.yaml").open("a") as file:
        file.write("gate: {min_style: 0.4, max_incoherent: 0.3}\n")
    settings = (folder / "persona.yaml").read_text()
    (folder / "persona.yaml").write_text(settings.replace("enabled: true", "enabled: false"))
    found = style_of("lighthouse")
    write(folder, random.Random(1).sample(found, round(len(found) * SHARE)))
    asked = (folder / "evals" / "questions.jsonl").read_text().splitlines()
    (folder / "evals" / "questions.jsonl").write_text("\n".join(asked[-QUESTIONS:]) + "\n")
    return Workspace(root)


@pytest.fixture(scope="session")
def good(lighthouse: Workspace, embedded: Path) -> int:
    """The number of the version that is live there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRANDBOT_HOME", str(lighthouse.root / ".brandbot"))
        patch.setenv("BRANDBOT_MODELS", str(embedded))
        number = train(lighthouse, lambda found: found, "training.epochs=2")
        promotion.promote(lighthouse, "lighthouse", number)
    return number


def style_of(name: str) -> list[Example]:
    """A demo brand's examples that need no document."""
    found = examples.read(ROOT / "personas" / name / "examples").examples
    return [example for example in found if not example.facts]


def write(folder: Path, chosen: Sequence[Example]) -> None:
    """Makes ``chosen`` the examples of a persona's folder."""
    shutil.rmtree(folder / "examples")
    (folder / "examples").mkdir()
    with (folder / "examples" / "all.jsonl").open("w", encoding="utf-8") as file:
        for example in chosen:
            turns = [{"role": m.role, "content": m.content} for m in example.messages]
            file.write(json.dumps({"messages": turns}, ensure_ascii=False) + "\n")


def train(
    house: Workspace, change: Callable[[list[Example]], Sequence[Example]], *settings: str
) -> int:
    """Trains the lighthouse on changed examples; returns the version's number."""
    true = house.persona("lighthouse")
    wrong = house.root / "wrong" / "lighthouse"
    shutil.rmtree(wrong, ignore_errors=True)
    shutil.copytree(true, wrong)
    write(wrong, change(examples.read(true / "examples").examples))
    quick = ["training.learning_rate=1e-3", "generation.temperature=0.3"]
    persona = Persona.load(wrong).with_settings([*quick, *settings])
    return int(run.train(house, planning.plan(house, persona)).version)
