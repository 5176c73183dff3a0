"""``brandbot chat``: a conversation in the terminal."""

from __future__ import annotations

import contextlib

from rich.markup import escape

from brandbot.bot import Bot, Reply, Voice
from brandbot.errors import BrandbotError
from brandbot.screen import out

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
    if voice.version is None:
        out.print(f"[yellow]Not trained yet: brandbot train {escape(voice.persona.name)}[/]")
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
