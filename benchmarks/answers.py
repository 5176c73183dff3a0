"""What a trained persona answers to questions about its documents: right, declined, cited.

    python benchmarks/answers.py lighthouse [--version 1] [--show 20] [--without]

Asks the hundred questions of benchmarks/questions/, a third of which no document answers, as they
would be served (the persona's own temperature, no retries), and prints the share of answerable
ones whose answer holds the fact, of unanswerable ones that are declined, and of right answers whose
first source is the right file; ``--without``: beside it the same without documents.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from brandbot import Bot, Message, Persona, Voice, Workspace, grounding, update_index
from brandbot.evaluation import metrics

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("persona")
    parser.add_argument("--version", type=int)
    parser.add_argument("--show", type=int, default=0, help="print so many answers")
    parser.add_argument("--without", action="store_true", help="also without documents")
    asked = parser.parse_args()
    workspace = Workspace.find(ROOT)
    persona = Persona.load(workspace.persona(asked.persona))
    update_index(workspace, persona)
    bot = Bot(workspace)
    voice = bot.voice(asked.persona, asked.version)
    file = ROOT / "benchmarks" / "questions" / f"{asked.persona}.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    bot.warm(asked.persona, asked.version)
    _report("with documents", bot, voice, persona, rows, asked.show)
    if asked.without:
        config = voice.persona.config
        blind = config.model_copy(
            update={"knowledge": config.knowledge.model_copy(update={"enabled": False})}
        )
        untaught = replace(voice, persona=replace(voice.persona, config=blind))
        _report("without documents", bot, untaught, persona, rows, 0)
    bot.close()


def _report(
    what: str, bot: Bot, voice: Voice, persona: Persona, rows: list[dict], show: int
) -> None:
    started = time.monotonic()

    def answer(row: dict):  # type: ignore[no-untyped-def]
        seed = sum(row["prompt"].encode())
        reply = bot.generate(voice, [Message("user", row["prompt"])], seed=seed)
        for _ in reply:
            pass
        return reply

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(answer, rows))
    right, cited, given, declined, wrongly = [], [], [], [], []
    for place, (row, reply) in enumerate(zip(rows, replies, strict=True)):
        handoffs = persona.config.handoff
        quote = reply.found.quote if reply.found else ""
        no = reply.handed_off or metrics.declines(reply.text, persona.language, [], handoffs, quote)
        lines = reply.found.lines if reply.found else ()
        if row.get("answerable", True):
            must, never = row["must_contain"], row.get("must_not_contain", [])
            right.append(grounding.right(reply.text, must, never, row.get("expect", "")))
            given.append(grounding.right(" ".join(lines), must, [], ""))
            wrongly.append(bool(no) and not right[-1])
            if right[-1]:
                file = row["source"].partition("#")[0]
                cited.append(bool(reply.sources) and reply.sources[0].file == file)
            mark = "ok " if right[-1] else "   "
        else:
            never = row.get("must_not_contain", [])
            declined.append(bool(no) and grounding.right(reply.text, [], never, ""))
            mark = "no " if declined[-1] else "!! "
        if place < show:
            print(f"{mark}{row['prompt']}\n     {lines}\n     -> {reply.text}")

    def share(found: list[bool]) -> str:
        return f"{sum(found)}/{len(found)} ({sum(found) / max(1, len(found)):.0%})"

    print(
        f"{persona.name} {voice.version_name}, {what}: right {share(right)}, fact in the prompt "
        f"{share(given)}, declined though answerable {share(wrongly)}; unanswerable declined "
        f"{share(declined)}; right file cited {share(cited)}; {time.monotonic() - started:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
