"""A person's words are taken out of everything, and conversations that have become old.

What they said, what the bot answered to it, what they thought of replies, and the examples and
votes that came of it. Versions are never changed; those trained on their words are named.
Everything is found before anything is deleted, files first: a second call goes on where one that
died came to.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from brandbot import examples as example_files
from brandbot import questions, traces
from brandbot.conversations import ConversationLog
from brandbot.database import conversations, turns
from brandbot.errors import LockHeldError, LogError, PersonaError, TracesLeftError
from brandbot.examples import PROVENANCE
from brandbot.from_conversations import rewrite
from brandbot.persona import Persona
from brandbot.redact import brands_texts
from brandbot.tables import normalise
from brandbot.traces import QUOTE, Traces
from brandbot.workspace import Workspace


@dataclass(frozen=True)
class Named:
    """A version that holds somebody's words; ``why``: trained (on them) or report (quotes them)."""

    persona: str
    version: str
    why: str


@dataclass
class Forgotten:
    """How much was deleted of each kind, and what holds on to it.

    ``conversations`` are those deleted whole; ``blanked`` reviews stand but lost their texts;
    ``caches`` are files that are made anew when needed; ``versions`` can't be changed: train anew,
    then delete their folders. ``left`` says why the database's files may hold traces still: ask
    again.
    """

    conversations: int = 0
    turns: int = 0
    feedback: int = 0
    reviews: int = 0
    blanked: int = 0
    votes: int = 0
    claims: int = 0
    examples: int = 0
    caches: list[str] = field(default_factory=list)
    versions: list[Named] = field(default_factory=list)
    left: str = ""

    @property
    def nothing(self) -> bool:
        return self == Forgotten()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Said:
    """Words that hold what was looked for, and who said them, as ``forget_person`` takes it."""

    author: str
    persona: str
    channel: str
    created: str
    content: str


def who_said(log: ConversationLog, text: str) -> list[Said]:
    """What people said that holds ``text``, in whatever case and accents, the newest first.

    Raises LogError if there are no letters to look for.
    """
    sought = normalise(text)
    if not any(map(str.isalnum, sought)):
        raise LogError("Say some of the words to look for.")
    talk = conversations.c
    author = func.coalesce(turns.c.author, talk.author, "conversation:" + talk.id)
    query = (
        select(author, talk.persona, talk.channel, turns.c.created, turns.c.content)
        .join(conversations, talk.id == turns.c.conversation)
        .where(turns.c.role == "user")
        .order_by(turns.c.id.desc())
    )  # fmt: skip

    def find(connection: Connection) -> list[Said]:
        said = (Said(*row) for row in connection.execute(query))
        return [one for one in said if sought in normalise(one.content)]

    return log.database.read(find)


def forget_person(
    workspace: Workspace, log: ConversationLog, author: str, *, dry_run: bool = False
) -> Forgotten:
    """Deletes what ``author`` said (slack:T1:U2, as logged) or ``conversation:ID``, and its traces.

    ``dry_run`` counts and touches nothing. Raises LockHeldError while a persona whose examples
    change is being trained, LogError if the database can't be reached.
    """
    if author.startswith("slack:") and not re.fullmatch(r"slack:[^:\s]+:[^:\s]+", author):
        raise LogError(
            f"{author!r} names nobody. A person in Slack is named slack:TEAM:USER, as in "
            "slack:T024BE7LD:U023BECGF."
        )
    common, tags = _brands_own(workspace)
    find = partial(traces.find, author=author, common=common, tags=tags)
    found = log.database.read(find)
    done = Forgotten(
        len(found.whole), len(found.turns), len(found.feedback), len(found.reviews),
        len(found.blanked), len(found.votes), len(found.claims),
    )  # fmt: skip
    for name in workspace.persona_names():
        _examples(workspace, name, found, done, dry_run)
    for name in _with_versions(workspace):
        done.versions += _versions(workspace, name, found, tags)
    if dry_run or (done.nothing and not _unclean(workspace).exists()):
        return done
    _mark(workspace)

    def work(connection: Connection) -> Traces:
        # Whoever writes a reply at this moment waits, and finds that the conversation is gone.
        traces.lock(connection, found)
        standing = find(connection)
        traces.remove(connection, standing)
        return standing

    found = log.database.run(work)
    for name in workspace.persona_names():  # what was approved since they were looked through
        _examples(workspace, name, found, done, dry_run)
    try:
        _clean(workspace, log)
    except TracesLeftError as error:
        done.left = str(error)
    return done


def _unclean(workspace: Workspace) -> Path:
    """A file that is there while the database's own may hold what was deleted from it."""
    return workspace.home / "unclean"


def _mark(workspace: Workspace) -> None:
    workspace.home.mkdir(parents=True, exist_ok=True)
    _unclean(workspace).touch()


def _clean(workspace: Workspace, log: ConversationLog) -> None:
    _mark(workspace)
    log.database.clean()
    _unclean(workspace).unlink(missing_ok=True)


def _brands_own(workspace: Workspace) -> tuple[set[str], set[str]]:
    """What personas say themselves, offer, or are trained and tested with; and their languages.

    Whoever repeats or asks that says nothing of their own.
    """
    texts: list[str] = []
    tags = set()
    for name in workspace.persona_names():
        try:
            persona = Persona.load(workspace.persona(name))
            texts += [*persona.config.starters, *brands_texts(workspace, persona)]
            texts += [q.prompt for q in questions.read(persona.folder / "evals").questions]
            tags.add(persona.config.language)
        except PersonaError:
            continue  # what is wrong with it is said wherever it is used
        for example in example_files.read(persona.folder / "examples").examples:
            if example.provenance is None:
                texts += [message.content for message in example.messages]
    return set(map(traces.plain, texts)), tags


def expire(workspace: Workspace, log: ConversationLog) -> dict[str, int]:
    """Deletes the conversations that are older than their persona keeps them; how many of each.

    ``review.keep_days`` counts from a conversation's last turn. Approved examples stay, and so does
    what was decided, without its texts.
    """
    deleted = {}
    for name in workspace.persona_names():
        try:
            days = Persona.load(workspace.persona(name)).config.review.keep_days
        except PersonaError:
            continue  # what is wrong with it is said wherever it is used
        if days is None:
            continue
        oldest = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")
        work = partial(traces.remove_old, persona=name, oldest=oldest)
        deleted[name] = log.database.run(work)
    if any(deleted.values()) or _unclean(workspace).exists():
        _clean(workspace, log)
    return deleted


# --- In files -----------------------------------------------------------------------------------


def _examples(
    workspace: Workspace, name: str, found: Traces, done: Forgotten, dry_run: bool
) -> None:
    """Takes a persona's examples out that came from this person, and what was computed of them."""
    folder = workspace.persona(name)
    # Backups, too, and what ``check --fix`` took out.
    files = [
        file for place in ("examples", "removed") for file in sorted((folder / place).rglob("*"))
        if file.is_file() and ".jsonl" in file.name and not file.name.endswith(".lock")
    ]  # fmt: skip
    counts = {
        file: sum(1 for origin in _origins(file) if found.came_from(origin)) for file in files
    }
    if (
        not any(counts.values()) and name not in found.approved
    ):  # it may have been taken out by hand
        return
    done.examples += sum(counts.values())
    answers, runs = workspace.evaluations(name) / "answers.jsonl", workspace.runs(name)
    caches = [path for path in (answers, runs) if path.exists()]
    done.caches += [str(path) for path in caches if str(path) not in done.caches]
    if dry_run:
        return
    with _not_training(runs, name):
        answers.unlink(missing_ok=True)
        for part in runs.iterdir() if runs.is_dir() else ():
            if part.is_dir():
                shutil.rmtree(part)
    for file, count in counts.items():
        if count:
            rewrite(file, lambda line: not any(map(found.came_from, _origin(line))))


def _origins(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_bytes().splitlines():
        yield from _origin(line)


def _origin(line: bytes) -> list[dict[str, Any]]:
    """A line's provenance, or that of the line it was taken from; none if it has none."""
    try:
        row = json.loads(line)
        origin = row.get(PROVENANCE)
        if origin is None and isinstance(row.get("text"), str):
            origin = json.loads(row["text"]).get(PROVENANCE)
    except (ValueError, AttributeError):
        return []
    return [origin] if isinstance(origin, dict) else []


@contextmanager
def _not_training(runs: Path, name: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    if not runs.is_dir():
        yield
        return
    try:
        with FileLock(str(runs / "lock"), timeout=0):
            yield
    except Timeout:
        raise LockHeldError(
            f"{name} is being trained just now, on examples that are to be forgotten. Stop that "
            "training or wait for it, then ask again."
        ) from None


def _with_versions(workspace: Workspace) -> list[str]:
    folder = workspace.home / "adapters"
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _versions(workspace: Workspace, name: str, found: Traces, tags: Collection[str]) -> list[Named]:
    """The versions of a persona, whether it still has a folder or not, that hold their words."""
    named = []
    for folder in sorted(workspace.adapters(name).glob("[0-9]*")):
        try:
            meta = json.loads((folder / "version.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            meta = {}
        if any(map(found.came_from, meta.get("from_conversations", ()))):
            named.append(Named(name, folder.name, "trained"))
        elif _quoted_in(folder, found.words, tags):
            named.append(Named(name, folder.name, "report"))
    return named


def _quoted_in(folder: Path, words: Iterable[str], tags: Collection[str]) -> bool:
    sought = {
        form
        for said in words
        for text in traces.forms(said, tags)
        if len(text) >= QUOTE
        for form in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    }
    files = [file for file in folder.rglob("*") if file.suffix in (".json", ".md", ".html")]
    return any(
        form in text
        for text in (file.read_text(encoding="utf-8", errors="replace") for file in files)
        for form in sought
    )
