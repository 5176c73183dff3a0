"""One reply beside the bare engine with the same adapter, and what people wait for at the start.

    python benchmarks/replies.py [--persona lighthouse] [--rounds 7]

Bare engine: xllamacpp's own call with the same base file, adapter, prompt ids and settings. The two
take turns in one run; medians are reported.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from brandbot import Bot, Message, Workspace
from brandbot.prompt import build

TOKENS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", default="lighthouse")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    bot = Bot(Workspace.find(), engine="llamacpp")
    voice = bot.warm(arguments.persona)
    if voice.version is None:
        sys.exit(f"{arguments.persona} is not trained: brandbot train {arguments.persona}")
    questions = ["Is it windy out there today?", "Which one would you drink?", "Do you mind dogs?"]
    ours: list[float] = []
    bare: list[float] = []
    first: list[float] = []
    with bot._engines.use(voice.base, voice.version) as engine:
        server = engine._server  # type: ignore[attr-defined]
        lora = [{"id": slot, "scale": float(slot == 0)} for slot in engine._slots.values()]  # type: ignore[attr-defined]
        for number in range(arguments.rounds):
            messages = [Message("user", f"{questions[number % 3]} ({number})")]
            started = time.perf_counter()
            reply = bot.generate(voice, messages, max_tokens=TOKENS, temperature=0.0)
            chunks = 0
            for _ in reply:
                if chunks == 0:
                    first.append(time.perf_counter() - started)
                    begun = time.perf_counter()
                chunks += 1
            if chunks > 10:
                ours.append((chunks - 1) / (time.perf_counter() - begun))
            prompt = build(voice.persona.system_prompt, messages)
            stamps: list[float] = []

            def take(chunk: dict[str, object], stamps: list[float] = stamps) -> bool:
                if chunk["choices"][0]["text"]:  # type: ignore[index]
                    stamps.append(time.perf_counter())
                return False

            server.handle_completions(
                {
                    "prompt": voice.prompt_format.encode(prompt).ids,
                    "max_tokens": TOKENS,
                    "temperature": 0.0,
                    "cache_prompt": True,
                    "stream": True,
                    "lora": lora,
                },
                take,
            )
            if len(stamps) > 10:
                bare.append((len(stamps) - 1) / (stamps[-1] - stamps[0]))
    bot.close()
    a, b = statistics.median(ours), statistics.median(bare)
    print(
        json.dumps(
            {
                "brandbot_tokens_per_second": round(a, 1),
                "bare_tokens_per_second": round(b, 1),
                "share_of_bare": round(a / b, 3),
                "first_token_ms": round(1000 * statistics.median(first)),
                "help_seconds": timed(["--help"]),
                "chat_ready_seconds": timed(["chat", arguments.persona], typed="/quit\n"),
            }
        )
    )


def timed(command: list[str], typed: str = "") -> float:
    """Median wall time of a command of five, in seconds."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "brandbot", *command], input=typed, text=True,
            capture_output=True, check=True,
        )  # fmt: skip
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds), 2)


if __name__ == "__main__":
    main()
