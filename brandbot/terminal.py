"""``brandbot chat`` and ``brandbot taste``: conversations and choices in the terminal."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from brandbot.adapters import whoever
from brandbot.bot import Bot, Reply, Voice
from brandbot.errors import BrandbotError
from brandbot.screen import escape, loading, out, place_of

if TYPE_CHECKING:
    from brandbot.conversations import Choice
    from brandbot.taste import Taste

CHOICES: dict[str, Choice] = {"1": "left", "2": "right", "0": "neither"}

HELP = """\
/retry          another answer to the last message
/base           what the untuned model would have said
/good           the last answer is as it should be
/bad [WHY]      it is not; asks what it should have said
/history        the conversation so far
/new            a new conversation
/quit           leave (also Ctrl-D)
Ctrl-C stops an answer."""


def talk(bot: Bot, name: str, voice: Voice, *, version: int | None, strength: float | None) -> None:
    """Reads lines until the person leaves. Every turn is in the conversation log."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # arrow keys in input()
    config = voice.persona.config
    out.print(f"[bold]{escape(config.name)}[/] [dim]version {voice.version_name} · /help[/]")
    if voice.candidate is not None:
        out.print(
            f"[yellow]Version {voice.candidate} is trained, but not live. Why: brandbot evaluate "
            f"{escape(name)} {voice.candidate} · try it: brandbot chat {escape(name)} --version "
            f"{voice.candidate}[/]"
        )
    elif voice.version is None:
        out.print(f"[yellow]Not trained yet: brandbot train {escape(name)}[/]")
    if voice.warning:
        out.print(f"[yellow]{escape(voice.warning)}[/]")
    if config.greeting:
        out.print(escape(config.greeting))
    conversation: str | None = None
    last: Reply | None = None
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            out.print()
            return
        except KeyboardInterrupt:
            out.print("\n[dim]/quit leaves[/]")
            continue
        command, _, rest = line.partition(" ")
        try:
            if not line:
                continue
            if command in ("/quit", "/exit"):
                return
            if command == "/new":
                conversation, last = None, None
            elif not command.startswith("/"):
                last = bot.reply(
                    name, line, conversation=conversation, channel="terminal",
                    strength=strength, version=version,
                )  # fmt: skip
                conversation = last.conversation
                _show(last)
            elif command not in ("/retry", "/base", "/good", "/bad", "/history"):
                out.print(HELP)
            elif conversation is None or last is None:
                out.print("[dim]Nothing has been said yet.[/]")
            elif command == "/retry":
                last = bot.retry(conversation, strength=strength, version=version)
                _show(last)
            elif command == "/base":
                said = [turn.message for turn in bot.history(conversation)]
                while said and said[-1].role == "assistant":
                    said.pop()
                out.print("[dim]untuned:[/]")
                _show(bot.generate(voice, said, untuned=True))
            elif command == "/history":
                for turn in bot.history(conversation):
                    out.print(
                        f"[bold]{'you' if turn.role == 'user' else 'bot'}[/] {escape(turn.content)}"
                    )
            elif last.turn is None:
                out.print("[dim]There is no whole answer to judge.[/]")
            elif command == "/good":
                bot.judge(last.turn, "like")
                out.print("[dim]noted[/]")
            else:
                wanted = input("What should it have said? (Enter to skip) ")
                bot.judge(last.turn, "dislike", reason=rest, suggestion=wanted.strip())
                out.print("[dim]noted[/]")
        except BrandbotError as error:
            out.print(f"[red]{escape(str(error))}[/]")
        except (KeyboardInterrupt, EOFError):
            out.print()


def _show(reply: Reply) -> None:
    """Prints a reply as it comes; Ctrl-C stops it and keeps what was said."""
    try:
        for piece in reply:
            out.print(escape(piece), end="", soft_wrap=True)
    except KeyboardInterrupt:
        reply.close()
        out.print(" [dim](stopped)[/]", end="")
    out.print()
    for source in reply.sources:
        where = place_of([source.file, source.heading], source.page, source.row)
        out.print(f"[dim][{source.number}] {escape(where)}: “{escape(source.quote)}”[/]")
    if reply.unknown:
        out.print(f"[yellow]Not in the documents: {escape(', '.join(reply.unknown))}[/]")


def choose(test: Taste, name: str, one: str, other: str, *, pairs: int, voter: str) -> None:
    """Shows pairs of answers and asks which is better, until there are enough or Ctrl-C."""
    voter = voter or whoever()
    out.print("[dim]1 or 2: that answer is better · 0: both are bad · q: leave[/]")
    for count in range(pairs):
        with loading("Both are thinking"):
            pair = test.pair(name, one, other, voter)
        if pair is None:
            out.print("There is no prompt left that you have not judged for these two.")
            return
        out.print(f"\n[dim]{count + 1}/{pairs}[/]")
        for message in pair.conversation[:-1]:
            out.print(f"[dim]{message.role}: {escape(message.content)}[/]")
        out.print(f"[bold]{escape(pair.prompt)}[/]\n")
        out.print(f"[cyan]1[/] {escape(pair.left)}\n\n[cyan]2[/] {escape(pair.right)}\n")
        choice: Choice | None = None
        while choice is None:
            try:
                typed = input("1, 2 or 0? ").strip().lower()
            except (EOFError, KeyboardInterrupt):
                typed = "q"
            if typed in ("q", "quit"):
                out.print()
                return
            choice = CHOICES.get(typed)
        test.vote(pair.id, choice, voter)
