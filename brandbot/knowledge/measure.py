"""How well search finds what answers: recall and mean reciprocal rank on questions with sources."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brandbot.errors import KnowledgeError
from brandbot.knowledge.passages import Passage
from brandbot.knowledge.search import Search

DEPTH = 10
"""Passages looked through for the mean reciprocal rank."""


@dataclass(frozen=True)
class Asked:
    """A question, and the document that answers it: ``file`` or ``file#heading``."""

    question: str
    source: str


@dataclass
class Recall:
    """Shares of questions whose source came first, or among the first four."""

    questions: int
    recall_1: float
    recall_4: float
    mrr: float
    queries_per_second: float
    missed: list[Asked] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "questions": self.questions,
            "recall@1": round(self.recall_1, 4),
            "recall@4": round(self.recall_4, 4),
            "mrr": round(self.mrr, 4),
            "queries_per_second": round(self.queries_per_second, 1),
        }


def read(file: Path) -> list[Asked]:
    """Questions of a JSON Lines file; rows without a source (unanswerable ones) are left out.

    ``prompt`` does for ``question``, so files of ``evals/`` can be measured too. KnowledgeError
    names every line that can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{file} can't be read: {error}") from error
    found: list[Asked] = []
    wrong: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            question = row.get("question", row.get("prompt"))
            source = row.get("source") or ""
        except (ValueError, AttributeError, RecursionError) as error:
            wrong.append(f"{file.name}:{number}: not a JSON object ({error})")
            continue
        if not isinstance(question, str) or not question.strip() or not isinstance(source, str):
            wrong.append(f'{file.name}:{number}: expected {{"question": "…", "source": "…"}}')
        elif source:
            found.append(Asked(question, source))
    if wrong:
        raise KnowledgeError("\n".join(wrong))
    if not found:
        raise KnowledgeError(
            f"{file} holds no question with a source. Write one in a line, such as "
            '{"question": "What is a large tea?", "source": "prices.md#Tea"}'
        )
    return found


def recall(
    search: Search,
    asked: Sequence[Asked],
    meaning: float | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Recall:
    """Searches for each question; ``meaning`` is the weight of meaning, by default the index's."""
    ranks: list[int | None] = []
    seconds = 0.0
    for number, one in enumerate(asked):
        started = time.perf_counter()
        hits = search.find(one.question, DEPTH, meaning=meaning)
        seconds += time.perf_counter() - started
        right = (place for place, hit in enumerate(hits, 1) if is_source(hit.passage, one.source))
        ranks.append(next(right, None))
        progress(number + 1, len(asked))
    count = len(asked)
    return Recall(
        count,
        sum(rank == 1 for rank in ranks) / count,
        sum(rank is not None and rank <= 4 for rank in ranks) / count,
        sum(1 / rank for rank in ranks if rank) / count,
        count / seconds if seconds else 0.0,
        [one for one, rank in zip(asked, ranks, strict=True) if rank is None or rank > 4],
    )


def is_source(passage: Passage, source: str) -> bool:
    """Whether a passage is what ``file`` or ``file#heading`` names; any of its headings counts."""
    file, _, heading = source.partition("#")
    if passage.file.casefold() != file.strip().removeprefix("knowledge/").casefold():
        return False
    wanted = _plain(heading)
    return not wanted or wanted in {_plain(h) for h in (*passage.headings, passage.question)}


def _plain(heading: str) -> str:
    """A heading as people write it or as it stands in an address: words in small letters."""
    return " ".join("".join(c if c.isalnum() else " " for c in heading.casefold()).split())
