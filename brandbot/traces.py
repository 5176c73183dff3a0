"""What the database holds of a person, and how it is deleted. Part of ``forget``.

Everything is found in one reading, as numbers of rows, and deleted in one transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Executable, delete, func, select, update

from brandbot.database import (
    NO_WORDS,
    claims,
    conversations,
    feedback,
    now,
    reviews,
    sources,
    turns,
    votes,
)
from brandbot.redact import clean
from brandbot.review import pseudonym

QUOTE = 20
"""Characters in a row that make a text a quote of another."""

AT_ONCE = 500
"""Numbers in one statement; databases take a few thousand."""


@dataclass
class Traces:
    """Rows that hold a person's words, by their numbers, and those ``words``.

    ``names`` are the pseudonyms in the provenance of examples. Conversations are deleted ``whole``,
    or were only ``begun`` by the person. ``askers`` are the pseudonyms of who asked, by the number
    of each reply that has their words before it.
    """

    names: set[str]
    whole: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    askers: dict[int, str] = field(default_factory=dict)
    feedback: set[int] = field(default_factory=set)
    reviews: set[int] = field(default_factory=set)
    blanked: set[int] = field(default_factory=set)
    votes: set[int] = field(default_factory=set)
    claims: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)

    def came_from(self, origin: dict[str, Any]) -> bool:
        """Whether an example's provenance leads to this person."""
        if {origin.get("author"), origin.get("editor"), *origin.get("others", ())} & self.names:
            return True
        # A number alone could be one of another database that the file came with.
        asker = self.askers.get(origin.get("turn", -1))
        return asker is not None and origin.get("author") in (None, asker)


def find(connection: Connection, author: str, common: Container[str] = ()) -> Traces:
    """The traces of an author, as logged, or of ``conversation:ID``.

    Texts in ``common``, as ``plain`` makes them, are nobody's: questions that are offered to all.
    """
    one = author.removeprefix("conversation:") if author.startswith("conversation:") else None
    found = Traces({pseudonym(one or author)})
    spoke = select(turns.c.conversation).where(turns.c.author == author)
    query = select(conversations.c.id, conversations.c.author)
    if one is None:
        query = query.where(conversations.c.id.in_(spoke) | (conversations.c.author == author))
    else:
        query = query.where(conversations.c.id == one)
    for talk in connection.execute(query).all():
        _find_in(connection, talk, author, one is not None, found, common)
    if one is None:
        for row in connection.execute(select(feedback).where(feedback.c.author == author)):
            found.feedback.add(row.id)
            found.words += [words for words in (row.suggestion, row.reason) if words]
        voted = select(votes.c.id).where(votes.c.voter == author)
        found.votes.update(connection.execute(voted).scalars())
        for event, payload in connection.execute(select(claims.c.event, claims.c.payload)):
            if _mentions(f"{event} {payload or ''}", author):
                found.claims.add(event)
    _find_reviews(connection, found)
    return found


def _find_in(
    connection: Connection, talk: Any, author: str, whole: bool, found: Traces,
    common: Container[str],
) -> None:  # fmt: skip
    """What of one conversation is theirs: their turns, and the replies to them."""
    query = select(turns.c.id, turns.c.role, turns.c.content, turns.c.author)
    query = query.where(turns.c.conversation == talk.id).order_by(turns.c.id)
    said = connection.execute(query).all()
    asked = [turn for turn in said if turn.role == "user"]
    mine = {turn.id for turn in asked if whole or (turn.author or talk.author) == author}
    words = [turn.content for turn in said if turn.id in mine and plain(turn.content) not in common]
    found.words += words
    quotes = Quotes(words)
    alone = whole or (len(mine) == len(asked) and talk.author in (None, author))
    if alone:
        found.whole.add(talk.id)
    elif talk.author == author:
        found.begun.add(talk.id)
    to_them, since, asker = False, False, talk.author or talk.id
    for turn in said:
        if turn.role == "user":
            to_them = turn.id in mine
            since |= to_them
            asker = turn.author or talk.author or talk.id
        elif since:
            found.askers[turn.id] = pseudonym(asker)
        quoting = since and turn.role == "assistant" and quotes.are_in(turn.content)
        if alone or to_them or quoting:
            found.turns.add(turn.id)


def _find_reviews(connection: Connection, found: Traces) -> None:
    """Decisions about what is deleted, and those whose texts hold their words all the same."""
    quotes = Quotes(found.words)
    rows = connection.execute(select(reviews)).all()
    gone = [row for row in rows if row.turn in found.turns]
    found.reviews.update(row.id for row in gone)
    together = {(row.reviewer, row.created) for row in gone}
    for row in rows:
        if row.id in found.reviews or (row.prompt == NO_WORDS["prompt"] and not row.reply):
            continue
        texts = [*(content for _, content in json.loads(row.prompt)), row.original, row.reply]
        folded = row.decision == "folded" and (row.reviewer, row.created) in together
        quoting = any(map(quotes.are_in, texts)) or quotes.are(row.reply)
        if row.turn in found.askers or folded or quoting:
            found.blanked.add(row.id)


def lock(connection: Connection, found: Traces) -> None:
    """Holds the conversations of what was found until the transaction ends."""
    for talk in sorted(found.whole | found.begun):
        held = select(conversations.c.id).where(conversations.c.id == talk)
        connection.execute(held.with_for_update())


def remove(connection: Connection, found: Traces) -> None:
    """Deletes what was found, and what hangs on it."""
    for table in (sources, feedback, reviews):
        _each(connection, found.turns, lambda some, t=table: delete(t).where(t.c.turn.in_(some)))
    for table, numbers in ((feedback, found.feedback), (votes, found.votes), (turns, found.turns)):
        _each(connection, numbers, lambda some, t=table: delete(t).where(t.c.id.in_(some)))
    _each(
        connection, found.blanked,
        lambda some: update(reviews).where(reviews.c.id.in_(some)).values(NO_WORDS),
    )  # fmt: skip
    _each(connection, found.claims, lambda some: delete(claims).where(claims.c.event.in_(some)))
    talks = conversations
    _each(connection, found.whole, lambda some: delete(talks).where(talks.c.id.in_(some)))
    _each(
        connection, found.begun,
        lambda some: update(talks).where(talks.c.id.in_(some)).values(author=None),
    )  # fmt: skip


def remove_old(connection: Connection, persona: str, oldest: str) -> int:
    """Deletes a persona's conversations whose last turn is from before ``oldest``; how many.

    Of those that somebody decided about, the rows stay, without a word in them.
    """
    last, talks = func.max(turns.c.created), conversations
    query = (
        select(talks.c.id)
        .outerjoin(turns, turns.c.conversation == talks.c.id)
        .where(talks.c.persona == persona)
        .group_by(talks.c.id, talks.c.created)
        .having(func.coalesce(last, talks.c.created) < oldest)
        .having(last.is_(None) | (func.max(func.length(turns.c.content)) > 0))
    )
    old = list(connection.execute(query).scalars())
    decided = select(reviews.c.turn)
    wordless = {"content": "", "author": None, "message_id": None, "unsourced": None,
                "retired": True, "changed": now()}  # fmt: skip

    def of(some: Sequence[Any]) -> Any:
        return select(turns.c.id).where(turns.c.conversation.in_(some))

    here = turns.c.conversation
    for change in (
        lambda some: delete(sources).where(sources.c.turn.in_(of(some))),
        lambda some: delete(feedback).where(feedback.c.turn.in_(of(some))),
        lambda some: update(reviews).where(reviews.c.turn.in_(of(some))).values(NO_WORDS),
        lambda some: delete(turns).where(here.in_(some), turns.c.id.not_in(decided)),
        lambda some: update(turns).where(here.in_(some)).values(wordless),
        lambda some: delete(talks).where(talks.c.id.in_(some), talks.c.id.not_in(select(here))),
        lambda some: update(talks).where(talks.c.id.in_(some)).values(author=None, place=None),
    ):
        _each(connection, old, change)
    return len(old)


def _each(
    connection: Connection, numbers: Iterable[Any], change: Callable[..., Executable]
) -> None:
    every = sorted(numbers)
    for start in range(0, len(every), AT_ONCE):
        connection.execute(change(every[start : start + AT_ONCE]))


class Quotes:
    """Finds in a text what stands, ``QUOTE`` characters or more, in one of others."""

    def __init__(self, words: Iterable[str]) -> None:
        self._whole = {plain(form) for said in words for form in (said, clean(said).text)} - {""}
        self._parts = {part for text in self._whole for part in _parts(text)}

    def are(self, text: str) -> bool:
        return plain(text) in self._whole

    def are_in(self, text: str) -> bool:
        return any(part in self._parts for part in _parts(plain(text)))


def plain(text: str) -> str:
    """A text without capitals and spacing, to be compared."""
    return " ".join(text.casefold().split())


def _parts(text: str) -> Iterator[str]:
    return (text[start : start + QUOTE] for start in range(len(text) - QUOTE + 1))


def _mentions(text: str, author: str) -> bool:
    """Whether a claim names a person: by the whole id, or by its parts, T1 and U2."""
    parts = author.split(":")[1:]
    return len(parts) == 2 and all(
        re.search(rf"[\":]{re.escape(part)}(?!\w)", text) for part in parts
    )
