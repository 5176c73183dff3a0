"""The commands for what people said: review, export, forget. Part of ``cli``; imports when run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from brandbot.cli_options import AsJson, Name
from brandbot.errors import BrandbotError, TracesLeftError

if TYPE_CHECKING:
    from brandbot.bot import Bot
    from brandbot.conversations import ConversationLog
    from brandbot.export import Exported
    from brandbot.forget import Forgotten, Said
    from brandbot.workspace import Workspace

MOST_SHOWN = 20
"""Messages that --said shows."""

LEFT_OUT = {
    "author-share": "over one person's share (review.max_author)",
    "unedited-share": "over the share that nobody edited (review.max_unedited)",
    "repeated-sentence": "with a sentence that other approved replies repeat",
    "placeholder": "something personal was taken out of its reply",
    "in-test-split": "its question is one that versions are tested with",
    "test": "held out to test versions with",
    "rejected": "rejected in review",
    "unjudged": "neither liked nor disliked",
    "unanswered": "without a reply",
    "unchanged": "approved as the bot said it",
    "duplicate": "the same as another",
    "expired": "its text was deleted",
    "taken-out": "its example was taken out of the file",
}


def review(
    name: Name,
    reviewer: Annotated[
        Optional[str], typer.Option("--as", help="Who reviews; default: your user name here.")
    ] = None,
) -> None:
    """Go through what people corrected, liked and disliked; what you approve becomes examples.

    The most useful come first. Personal data is taken out before you see it. The same review is
    in the browser: brandbot serve. Example: brandbot review lighthouse
    """
    from brandbot import terminal_review
    from brandbot.conversations import ConversationLog
    from brandbot.review import Review
    from brandbot.screen import bar
    from brandbot.workspace import Workspace

    workspace = Workspace.find()
    workspace.persona(name)
    log = ConversationLog(workspace.database_url)
    try:
        queue = Review(workspace, log, name)
        with bar("Looking through the conversations") as progress:
            queue.score(progress=progress)
        decided = terminal_review.review(queue, reviewer)
    finally:
        log.close()
    if decided:
        typer.echo(f"{decided} decided. Train the next version with: brandbot train {name}")


def keep_no_longer(bot: Bot) -> None:
    """Deletes conversations that are older than their persona keeps them, when a server starts."""
    from brandbot.forget import expire

    try:
        for name, count in expire(bot.workspace, bot.log).items():
            typer.echo(f"{name}: {count} conversations deleted (review.keep_days)", err=True)
    except BrandbotError as error:  # no reason to serve nobody
        typer.echo(f"Old conversations: {error}", err=True)


def export(
    name: Name,
    what: Annotated[
        str, typer.Option("--what", help="examples, conversations or preferences.", metavar="WHAT")
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="messages, prompt-completion or sharegpt; preferences: dpo or kto; "
            "conversations: kto, too.",
            metavar="FORMAT",
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", help="The file to write; - for standard output.", metavar="FILE")
    ],
    system: Annotated[
        bool,
        typer.Option("--system/--no-system", help="Each row begins with the voice guide, or not."),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Write a persona's examples, conversations or preferences for other training tools.

    JSON Lines in the formats of TRL or ShareGPT, without authors' names, patterned personal data
    and secrets, and without what versions are tested with. Names and addresses in the texts stay:
    read the file before you pass it on. Examples:
    brandbot export lighthouse --what examples --format messages --out examples.jsonl ·
    brandbot export lighthouse --what preferences --format dpo --out pairs.jsonl
    """
    from brandbot import export as exports
    from brandbot.screen import bar

    if as_json and out == "-":
        raise BrandbotError("With --json, name a file with --out: both would go to one output.")
    with _log() as (workspace, log), bar(f"Exporting {name}", quiet=as_json) as progress:
        done = exports.export(
            workspace, log, name, what, form, out,  # type: ignore[arg-type]
            system=system, progress=progress,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"out": out, **asdict(done)}))
    else:
        _tell_exported(done, name, what, out)


def _tell_exported(done: Exported, name: str, what: str, out: str) -> None:
    cleaned = f", personal data taken out of {done.cleaned}" if done.cleaned else ""
    place = "" if out == "-" else f" to {out}"
    typer.echo(f"{name}: {done.rows} rows of {what} written{place}{cleaned}", err=out == "-")
    for code, count in sorted(done.left_out.items()):
        typer.echo(f"  left out {count}: {LEFT_OUT[code]}", err=True)


def forget(
    user: Annotated[
        Optional[str],
        typer.Option(
            "--user",
            help="As the log has it: slack:TEAM:USER, or conversation:ID for a visitor of the web.",
            metavar="ID",
        ),
    ] = None,
    expired: Annotated[
        bool,
        typer.Option("--expired", help="Conversations older than their persona's keep_days."),
    ] = False,
    said: Annotated[
        Optional[str],
        typer.Option("--said", help="Show who said this, and delete nothing.", metavar="TEXT"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be deleted.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what a person said, and everything that came of it.

    Log, feedback, votes, reviews, examples and caches; versions trained on their words are named.
    With --expired: old conversations, by review.keep_days of each persona. Visitors of the web have
    no name: find their conversation by their words. Examples: brandbot forget --said "oat milk" ·
    brandbot forget --user slack:T024BE7LD:U023BECGF --dry-run · brandbot forget --expired
    """
    from brandbot.forget import expire, forget_person, who_said

    if [user is not None, expired, said is not None].count(True) != 1:
        raise BrandbotError(
            "Name a person with --user, or say --expired; or look for one with --said."
        )
    with _log() as (workspace, log):
        if said is not None:
            _tell_said(who_said(log, said), said, as_json)
            return
        if user is None:
            if dry_run:
                raise BrandbotError("--dry-run goes with --user only.")
            _confirm("Delete all conversations that are older than their persona keeps them?", yes)
            _tell_expired(expire(workspace, log), as_json)
            return
        found = forget_person(workspace, log, user, dry_run=True)
        if not dry_run:
            if not found.nothing:
                if not (yes or as_json):
                    _tell_forgotten(found, user, "Would delete")
                _confirm("Delete it? This can't be undone.", yes)
            found = forget_person(workspace, log, user)  # or ends what a call before left
    if as_json:
        typer.echo(json.dumps({"user": user, "dry_run": dry_run, **found.to_json()}))
    else:
        _tell_forgotten(found, user, "Would delete" if dry_run else "Deleted")
    if found.left:
        raise TracesLeftError(found.left)


def _tell_said(found: list[Said], text: str, as_json: bool) -> None:
    from brandbot.screen import printable

    if as_json:
        typer.echo(json.dumps({"said": [asdict(one) for one in found]}))
        return
    for one in found[:MOST_SHOWN]:
        when = f"{one.created[:10]} {one.created[11:16]}"
        typer.echo(f"{one.author}  {one.persona}, {one.channel}, {when}")
        typer.echo(f"  {shorten(printable(one.content), 100, placeholder='…')}")
    if len(found) > MOST_SHOWN:
        typer.echo(f"{len(found) - MOST_SHOWN} more: look for more of the words, or use --json.")
    if found:
        typer.echo("What is kept of one of them: brandbot forget --user ID --dry-run")
    else:
        typer.echo(f"Nobody said {text!r}.")


def _tell_forgotten(found: Forgotten, user: str, verb: str) -> None:
    if found.nothing:
        typer.echo(
            f"Nothing of {user} is here. Ids are as the log has them: slack:TEAM:USER, or "
            "conversation:ID."
        )
        return
    counts = (
        (found.turns, "turns"), (found.conversations, "whole conversations"),
        (found.feedback, "opinions"), (found.votes, "votes"), (found.reviews, "reviews"),
        (found.blanked, "texts in other reviews"), (found.claims, "events"),
        (found.examples, "examples"), (len(found.caches), "caches"),
    )  # fmt: skip
    typer.echo(f"{verb}: " + (", ".join(f"{n} {what}" for n, what in counts if n) or "nothing"))
    for version in found.versions:
        held = "was trained on" if version.why == "trained" else "quotes in its report"
        typer.echo(
            f"Version {version.version} of {version.persona} {held} their words. Train anew "
            f"(brandbot train {version.persona}), then delete its folder."
        )
    if found.examples:
        typer.echo("If the examples were committed, git's history still has them.")


def _tell_expired(deleted: dict[str, int], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(deleted))
        return
    if not deleted:
        typer.echo("No persona limits how long it keeps conversations (review.keep_days).")
    for name, count in deleted.items():
        typer.echo(f"{name}: {count} conversations deleted")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise BrandbotError(f"{question} Say so with --yes, since nobody can be asked here.")
    if not typer.confirm(question, err=True):
        raise BrandbotError("Nothing was deleted.")


@contextmanager
def _log() -> Iterator[tuple[Workspace, ConversationLog]]:
    from brandbot.conversations import ConversationLog
    from brandbot.workspace import Workspace

    workspace = Workspace.find()
    log = ConversationLog(workspace.database_url)
    try:
        yield workspace, log
    finally:
        log.close()
