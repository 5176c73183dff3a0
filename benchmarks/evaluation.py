"""How long an evaluation takes: a whole one, and one version more.

    python benchmarks/evaluation.py [--persona lighthouse] [--examples 150]

Makes a workspace of its own with the demo brands, cut to so many examples, trains two short
versions (not timed) and measures, each in a process of its own, its start included: the first with
nothing known (untuned answers, answers with five examples in the prompt, losses of all), then the
second, whose comparison is known by then.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from brandbot import AdapterStore, Persona, Workspace, examples
from brandbot.training import planning, run

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", default="lighthouse")
    parser.add_argument("--examples", type=int, default=150)
    asked = parser.parse_args()
    os.environ.setdefault("BRANDBOT_MODELS", str(Workspace.find(ROOT).models))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        shutil.copytree(ROOT / "personas", root / "personas")
        folder = root / "personas" / asked.persona / "examples"
        found = examples.read(folder).examples
        chosen = random.Random(0).sample(found, asked.examples)
        shutil.rmtree(folder)
        folder.mkdir()
        for example in chosen:  # each under the file it came from, so that advice has groups
            file = folder / f"{Path(example.file).stem}.jsonl"
            turns = [{"role": m.role, "content": m.content} for m in example.messages]
            with file.open("a", encoding="utf-8") as stream:
                row = {"messages": turns, "facts": list(example.facts)}
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        workspace = Workspace(root)
        persona = Persona.load(workspace.persona(asked.persona))
        for seed in (0, 1):
            settings = ["training.epochs=1", f"training.seed={seed}"]
            run.train(workspace, planning.plan(workspace, persona.with_settings(settings)))
        AdapterStore(workspace.adapters(asked.persona)).promote(1)
        reading = planning.plan(workspace, persona).reading
        counts = {side: len(reading.split(side)) for side in ("train", "test")}  # type: ignore
        for number, what, against in (
            ("1", "a whole evaluation", ("base", "fewshot")),
            ("2", "one version more", ("base", "fewshot", "1")),
        ):
            command = [sys.executable, "-m", "brandbot", "evaluate", asked.persona, number]
            for other in against:
                command += ["--against", other]
            started = time.monotonic()
            told = subprocess.run([*command, "--json"], cwd=root, capture_output=True, check=True)
            print(
                f"{asked.persona}, {asked.examples} examples {counts}, "
                f"{len(json.loads(told.stdout)['rows'])} prompts: "
                f"{what} {time.monotonic() - started:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
