"""Which replies are worth most to review: an order, and the scores that it takes.

Rewritten and disliked ones come first, then those that say what stands nowhere, then those that do
not sound like the brand or answer what no example asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, or_, select, update

from brandbot import approved
from brandbot.database import Database, conversations, feedback, reviews, turns
from brandbot.persona import Persona
from brandbot.workspace import Workspace

STRANGE, OFF_STYLE = 0.75, 0.5
"""From where on a question counts as unlike the examples, and under which style counts as off."""

SCORED_TOGETHER = 2000
"""Replies whose scores are written in one transaction."""


def waiting(persona: str, skip: Sequence[int]) -> Select[Any]:
    """Replies that nobody decided about, the most useful first, then the newest.

    Also those that somebody wrote a better reply to since, or before they asked for another.
    """
    better = case((feedback.c.suggestion.is_not(None), feedback.c.created))
    said = (
        select(
            feedback.c.turn,
            func.count(feedback.c.suggestion).label("suggestions"),
            func.max(better).label("better"),
            func.max(feedback.c.id).label("last"),
        )
        .group_by(feedback.c.turn)
        .subquery()
    )
    verdict = select(feedback.c.id, feedback.c.verdict).subquery()
    last = select(reviews.c.turn, func.max(reviews.c.id).label("id")).group_by(reviews.c.turn)
    decided_last = last.subquery()
    decided = select(reviews.c.id, reviews.c.decision, reviews.c.created).subquery()
    useful = case(
        (said.c.suggestions > 0, 5),
        (verdict.c.verdict == "dislike", 4),
        (or_(turns.c.handed_off, turns.c.unsourced.is_not(None)), 3),
        (or_(turns.c.style < OFF_STYLE, turns.c.novelty > STRANGE), 2),
        (verdict.c.verdict == "like", 1),
        else_=0,
    )
    query = (
        select(turns.c.id, turns.c.content, said.c.suggestions)
        .join(conversations, conversations.c.id == turns.c.conversation)
        .outerjoin(said, said.c.turn == turns.c.id)
        .outerjoin(verdict, verdict.c.id == said.c.last)
        .outerjoin(decided_last, decided_last.c.turn == turns.c.id)
        .outerjoin(decided, decided.c.id == decided_last.c.id)
        .where(
            and_(
                conversations.c.persona == persona,
                turns.c.role == "assistant",
                or_(turns.c.retired.is_(False), said.c.suggestions > 0),
                to_a_question(),
                or_(
                    decided.c.decision.is_(None),
                    decided.c.decision.in_(("undone", "skipped")),
                    said.c.better > decided.c.created,
                ),
            )
        )
        # What somebody skipped comes back, but after everything else.
        .order_by(case((decided.c.decision == "skipped", 1), else_=0), useful.desc(),
                  turns.c.id.desc())
    )  # fmt: skip
    return query.where(turns.c.id.not_in(list(skip))) if skip else query


def to_a_question() -> Any:
    """Whether what a reply answered stands: neither deleted nor edited, and said by a person."""
    before = turns.alias("before")
    stands = case((and_(before.c.role == "user", before.c.retired.is_(False)), 1), else_=0)
    return (
        select(stands)
        .where(before.c.conversation == turns.c.conversation, before.c.id < turns.c.id,
               or_(before.c.role == "user", before.c.retired.is_(False)))
        .order_by(before.c.id.desc())
        .limit(1)
        .scalar_subquery()
    ) == 1  # fmt: skip


def question() -> Any:
    """What the person had said before a reply."""
    asked = turns.alias("asked")
    return (
        select(asked.c.content)
        .where(asked.c.conversation == turns.c.conversation, asked.c.id < turns.c.id,
               asked.c.role == "user", asked.c.retired.is_(False))
        .order_by(asked.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip


def why(reply: Any, said: Sequence[Any]) -> list[str]:
    """Why a reply, given its row and its feedback, stands where it does in ``waiting``."""
    verdict = said[-1].verdict if said else None
    reasons = {
        "edited": any(s.suggestion for s in said),
        "disliked": verdict == "dislike",
        "handed-off": bool(reply.handed_off),
        "unsourced": reply.unsourced is not None,
        "off-style": reply.style is not None and reply.style < OFF_STYLE,
        "unlike": reply.novelty is not None and reply.novelty > STRANGE,
        "liked": verdict == "like",
    }
    return [name for name, holds in reasons.items() if holds]


def score(
    workspace: Workspace,
    database: Database,
    persona: Persona,
    progress: Callable[[int, int], None],
) -> int:
    """Scores a persona's replies that have no score yet; returns how many that were."""
    here = conversations.c.persona == persona.name
    unscored = (here & (turns.c.role == "assistant") & turns.c.retired.is_(False)
                & turns.c.novelty.is_(None))  # fmt: skip
    count = select(func.count()).select_from(turns.join(conversations)).where(unscored)
    total = int(database.read(lambda connection: connection.execute(count).scalar_one()))
    if not total:
        return 0
    from brandbot.evaluation.brand_ruler import brand_ruler
    from brandbot.nearest import Nearest

    progress(0, total)
    reading, _ = approved.read(persona)
    near, ruler = Nearest(reading.examples), brand_ruler(workspace, persona, reading)
    some = (
        select(turns.c.id, turns.c.content, question().label("asked"))
        .join(conversations, conversations.c.id == turns.c.conversation)
        .where(unscored)
        .order_by(turns.c.id.desc())
        .limit(SCORED_TOGETHER)
    )
    done = 0
    while rows := database.read(lambda connection: list(connection.execute(some))):
        styles: list[float | None] = [None] * len(rows)  # it can't be measured
        if not isinstance(ruler, str) and not ruler.weakness:
            styles = list(ruler.passes([row.content for row in rows]))
        changes = [
            {"number": row.id, "novelty": 1 - near.likeness(row.asked or ""), "style": style}
            for row, style in zip(rows, styles, strict=True)
        ]

        def work(connection: Connection, changes: Any = changes) -> None:
            change = update(turns).where(turns.c.id == bindparam("number"))
            values: dict[str, Any] = {"novelty": bindparam("novelty"), "style": bindparam("style")}
            connection.execute(change.values(values), changes)

        database.run(work)
        done += len(rows)
        progress(done, max(done, total))
    return done
