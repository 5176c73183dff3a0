"""``brandbot review``: logged exchanges, one after another, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandbot.adapters import whoever
from brandbot.errors import BrandbotError, ReviewConflictError
from brandbot.screen import escape, out

if TYPE_CHECKING:
    from brandbot.review import Decision, Exchange, Outcome, Review

HELP = "a approve · e edit, then approve · r reject · s skip · u undo · q quit"

WHY = {
    "edited": "somebody wrote a better reply",
    "disliked": "disliked",
    "handed-off": "it had no answer",
    "unsourced": "says what stands nowhere",
    "off-style": "not in the brand's voice",
    "unlike": "unlike any example",
    "liked": "liked",
}
OUTCOMES = {
    "written": "approved: written to examples/{place}",
    "written-test": "approved: written to examples/{place}; versions are tested with it",
    "exists": "approved, but nothing written: an example says so already ({place})",
    "in-test": "approved, but nothing written: versions are tested with this question",
    "rejected": "rejected",
    "skipped": "skipped; it comes back later",
    "undone": "taken back",
    "edited-by-hand": "taken back; its line in the file was changed by hand and stays",
}
DECISIONS: dict[str, Decision] = {
    "a": "approved", "e": "approved", "r": "rejected", "s": "skipped",
}  # fmt: skip
KEYS = (*DECISIONS, "u", "q")


def review(queue: Review, reviewer: str | None = None) -> int:
    """Asks about exchanges until the person quits or nothing waits; returns how many were decided.

    Ctrl-C and Ctrl-D quit; what was decided is kept.
    """
    name = reviewer or whoever()
    decided = 0
    passed: list[int] = []
    typed: dict[int, str] = {}  # what could not be approved as it was written
    waiting = queue.counts().waiting
    out.print(f"[bold]{waiting} exchanges wait[/] [dim]· {HELP}[/]")
    while True:
        found = queue.queue(1, skip=passed)
        if not found:
            out.print("Nothing more to review.")
            return decided
        exchange = found[0]
        _show(exchange)
        try:
            answer = _ask()
            if answer == "q":
                return decided
            if answer == "u":
                taken = queue.undo(name)
                passed.clear()
                out.print(f"[dim]{_told(taken) if taken else 'There is nothing to take back.'}[/]")
                continue
            text = None
            if answer == "e":
                text = typed[exchange.turn] = _edited(typed.get(exchange.turn, exchange.proposed))
            outcome = queue.decide(exchange, DECISIONS[answer], name, reply=text)
        except (EOFError, KeyboardInterrupt):
            out.print()
            return decided
        except ReviewConflictError as error:
            out.print(f"[yellow]{escape(str(error))}[/]")
            continue
        except BrandbotError as error:
            out.print(f"[red]{escape(str(error))}[/]")
            continue
        if answer == "s":
            passed.append(exchange.turn)
        else:
            decided += 1
        out.print(f"[green]{escape(_told(outcome))}[/]")


def _show(exchange: Exchange) -> None:
    why = ", ".join(WHY[code] for code in exchange.why)
    more = f" · and {len(exchange.like)} more like it" if exchange.like else ""
    about = f"{exchange.channel} · {exchange.created[:10]} · version {exchange.version}{more}"
    out.rule(f"[dim]{escape(about)}[/]")
    if why:
        out.print(f"[yellow]{escape(why)}[/]")
    for message in exchange.messages:
        who = "[bold cyan]person[/]" if message.role == "user" else "[dim]bot[/]"
        out.print(f"{who}  {escape(message.content)}")
    out.print(f"[bold green]reply[/]   {escape(exchange.reply)}")
    for reason in exchange.reasons:
        out.print(f"[red]why not[/] {escape(reason)}")
    if exchange.suggestion:
        out.print(f"[bold]better[/]  {escape(exchange.suggestion)}")
    if exchange.unsourced:
        out.print(f"[yellow]stands nowhere[/] {escape(', '.join(exchange.unsourced))}")
    if exchange.removed:
        out.print(f"[dim]taken out: {escape(', '.join(exchange.removed))}[/]")


def _ask() -> str:
    while True:
        answer = input("[a/e/r/s/u/q] ").strip().lower()
        if answer in KEYS:
            return answer
        # Not the first letter of it: "a flat white costs three pounds" approves nothing.
        out.print(f"[dim]{HELP}[/]")


def _edited(text: str) -> str:
    """The text as the person changed it, in a line that holds it; empty if they emptied it."""
    try:
        import readline
    except ImportError:
        return input("better> ").strip() or text
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        return input("better> ").strip()
    finally:
        readline.set_startup_hook(None)


def _told(outcome: Outcome) -> str:
    return OUTCOMES[outcome.code].format(place=outcome.place)
