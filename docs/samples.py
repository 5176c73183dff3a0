"""Prints a table of answers before and after training, for the READMEs.

    python docs/samples.py lighthouse

Ten prompts of the test split (never trained on), spread evenly over it; one answer each, as served.
"""

from __future__ import annotations

import sys

from brandbot import Bot, Workspace
from brandbot import examples as example_files


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or "…"


def main(name: str) -> None:
    bot = Bot(Workspace.find(), engine="llamacpp")
    voice = bot.voice(name)
    tests = example_files.read(bot.workspace.persona(name) / "examples").split("test")
    single = [example for example in tests if len(example.messages) == 2]
    chosen = [single[place * len(single) // 10] for place in range(10)]
    spanish = voice.persona.language == "es"
    print("| pregunta | sin entrenar | entrenado |" if spanish else "| prompt | before | after |")
    print("|---|---|---|")
    for example in chosen:
        answers = []
        for untuned in (True, False):
            reply = bot.generate(
                voice, example.messages[:1], untuned=untuned, seed=1, max_tokens=60
            )
            for _ in reply:
                pass
            answers.append(cell(reply.text) + (" […]" if reply.finish == "length" else ""))
        print(f"| {cell(example.prompt)} | {answers[0]} | {answers[1]} |", flush=True)
    bot.close()


if __name__ == "__main__":
    main(sys.argv[1])
