"""What the database holds of a person, and how it is deleted. Part of ``forget``.

Everything is found in one reading, as numbers of rows, and deleted in one transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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


Moment = tuple[int, str]
"""When something was said: the number of its turn, and the time, which alone can jump."""

ALWAYS: Moment = (-1, "")


@dataclass
class Traces:
    """Rows that hold a person's words, by their numbers, and those ``words``, with when first said.

    ``names`` are the pseudonyms in the provenance of examples, ``approved`` the personas for which
    a reply to them became one. Conversations are deleted ``whole``,
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
    approved: set[str] = field(default_factory=set)
    blanked: set[int] = field(default_factory=set)
    votes: set[int] = field(default_factory=set)
    claims: set[str] = field(default_factory=set)
    words: dict[str, Moment] = field(default_factory=dict)

    def said(self, words: str, when: Moment) -> None:
        self.words[words] = min(when, self.words.get(words, when))

    def came_from(self, origin: dict[str, Any]) -> bool:
        """Whether an example's provenance leads to this person."""
        if {origin.get("author"), origin.get("editor"), *origin.get("others", ())} & self.names:
            return True
        # A number alone could be one of another database that the file came with.
        asker = self.askers.get(origin.get("turn", -1))
        return asker is not None and origin.get("author") in (None, asker)


def find(
    connection: Connection, author: str, common: Collection[str] = (), tags: Collection[str] = ()
) -> Traces:
    """The traces of an author, as logged, or of ``conversation:ID``.

    Texts in ``common``, as ``plain`` makes them, are nobody's: what the brands themselves say and
    offer to all. ``tags`` are the language tags of the personas, in which texts were cleaned.
    """
    one = author.removeprefix("conversation:") if author.startswith("conversation:") else None
    found = Traces({pseudonym(one or author)})
    spoke = select(turns.c.conversation).where(turns.c.author == author)
    query = select(conversations.c.id, conversations.c.author)
    if one is None:
        query = query.where(conversations.c.id.in_(spoke) | (conversations.c.author == author))
    else:
        query = query.where(conversations.c.id == one)
    after: list[Any] = []
    for talk in connection.execute(query).all():
        after += _find_in(connection, talk, author, one is not None, found, common)
    if one is None:
        for row in connection.execute(select(feedback).where(feedback.c.author == author)):
            found.feedback.add(row.id)
            for words in (row.suggestion, row.reason):
                if words:
                    found.said(words, (row.turn + 1, row.created))
        voted = select(votes.c.id).where(votes.c.voter == author)
        found.votes.update(connection.execute(voted).scalars())
        for event, payload in connection.execute(select(claims.c.event, claims.c.payload)):
            if _mentions(f"{event} {payload or ''}", author):
                found.claims.add(event)
    _find_quotes(connection, found, after, common, tags)
    return found


def _find_in(
    connection: Connection, talk: Any, author: str, whole: bool, found: Traces,
    common: Collection[str],
) -> list[Any]:  # fmt: skip
    """What of one conversation is theirs: their turns, and the replies to them.

    Returns the other replies that came after their words, and may quote them.
    """
    query = select(turns.c.id, turns.c.role, turns.c.content, turns.c.author, turns.c.created)
    query = query.where(turns.c.conversation == talk.id).order_by(turns.c.id)
    said = connection.execute(query).all()
    asked = [turn for turn in said if turn.role == "user"]
    mine = {turn.id for turn in asked if whole or (turn.author or talk.author) == author}
    for turn in asked:
        if turn.id in mine and plain(turn.content) not in common:
            found.said(turn.content, (turn.id, turn.created))
    alone = whole or (len(mine) == len(asked) and talk.author in (None, author))
    if alone:
        found.whole.add(talk.id)
    elif talk.author == author:
        found.begun.add(talk.id)
    to_them, since, asker = False, False, talk.author or talk.id
    after = []
    for turn in said:
        if turn.role == "user":
            to_them = turn.id in mine
            since |= to_them
            asker = turn.author or talk.author or talk.id
        elif since:
            found.askers[turn.id] = pseudonym(asker)
        if alone or to_them:
            found.turns.add(turn.id)
        elif since and turn.role == "assistant":
            after.append(turn)
    return after


def _find_quotes(
    connection: Connection, found: Traces, after: Sequence[Any], common: Iterable[str],
    tags: Iterable[str],
) -> None:  # fmt: skip
    """Replies, reviews and votes that hold their words without being to or by them."""
    decided = connection.execute(select(reviews)).all()
    judged = connection.execute(select(votes)).all()
    others = [row for row in decided if row.turn not in found.turns]
    texts = [turn.content for turn in after]
    texts += [text for row in others for text in _in_review(row)]
    texts += [text for row in judged for text in _in_vote(row)]
    quotes = Quotes(found.words, tags)
    if any(quotes.are(text) or quotes.are_in(text) for text in texts):  # else there's no need
        _leave_out_older(connection, found.words.values(), quotes, common)
    found.turns.update(turn.id for turn in after if quotes.are_in(turn.content))
    found.votes.update(
        row.id for row in judged
        if quotes.are(row.prompt) or any(map(quotes.are_in, _in_vote(row)))
    )  # fmt: skip
    gone = [row for row in decided if row.turn in found.turns]
    found.reviews.update(row.id for row in gone)
    found.approved.update(row.persona for row in gone if row.outcome.startswith("written"))
    together = {(row.reviewer, row.created) for row in gone}
    for row in others:
        if row.id in found.reviews or (row.prompt == NO_WORDS["prompt"] and not row.reply):
            continue
        folded = row.decision == "folded" and (row.reviewer, row.created) in together
        quoting = any(map(quotes.are_in, _in_review(row))) or quotes.are(row.reply)
        if row.turn in found.askers or folded or quoting:
            found.blanked.add(row.id)


def _in_review(row: Any) -> list[str]:
    return [*(content for _, content in json.loads(row.prompt)), row.original, row.reply]


def _in_vote(row: Any) -> list[str]:
    return [row.prompt, row.left_text, row.right_text]


def _leave_out_older(
    connection: Connection, moments: Iterable[Moment], quotes: Quotes, common: Iterable[str]
) -> None:
    """What others had said, or approved, before they did is not theirs."""
    for text in common:
        quotes.leave_out(text, ALWAYS)
    last = max(created for _, created in moments)
    said = select(turns.c.id, turns.c.created, turns.c.content)
    approved = select(reviews.c.turn, reviews.c.created, reviews.c.reply)
    for query in (said.where(turns.c.created < last), approved.where(reviews.c.created < last)):
        for turn, created, text in connection.execute(query):
            quotes.leave_out(text, (turn, created))


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
    """Finds in a text what stands, ``QUOTE`` characters or more, in one of others' ``words``."""

    def __init__(self, words: Mapping[str, Moment], tags: Iterable[str] = ()) -> None:
        self._whole: dict[str, Moment] = {}
        self._parts: dict[str, Moment] = {}
        for said, when in words.items():
            for text in {plain(form) for form in forms(said, tags)} - {""}:
                self._whole[text] = min(when, self._whole.get(text, when))
        for text, when in self._whole.items():
            for part in _parts(text):
                self._parts[part] = min(when, self._parts.get(part, when))

    def leave_out(self, text: str, when: Moment) -> None:
        """What stood in a text before they said it is not theirs: who asks about it repeats it."""
        text = plain(text)
        for known, said in ((self._whole, (text,)), (self._parts, _parts(text))):
            for part in said:
                first = known.get(part, ALWAYS)
                if when[0] < first[0] and when[1] < first[1]:
                    del known[part]

    def are(self, text: str) -> bool:
        return plain(text) in self._whole

    def are_in(self, text: str) -> bool:
        return any(part in self._parts for part in _parts(plain(text)))


def forms(said: str, tags: Iterable[str]) -> set[str]:
    """A text as it was said, and as it was shown to reviewers of personas of these languages."""
    return {said, *(clean(said, tag).text for tag in {"en", *tags})}


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
