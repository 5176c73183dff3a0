"""Finding passages: by meaning (vectors) and by words (BM25), fused.

The two are put on one scale and mixed with a weight (a convex combination; Bruch, Gai and Ingber
2023 found it better than adding up ranks). A cosine is on it already, once the embedder's floor is
taken off (``weight.measure_embedder``). Words count half by BM25 over
the passage, divided by the most that the question's words could reach, and half by how many of
them stand together in one of its facts, under its heading.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from brandbot.errors import KnowledgeError
from brandbot.knowledge import index
from brandbot.knowledge.embedder import Embedder
from brandbot.knowledge.index import Build
from brandbot.knowledge.lexical import Lexical
from brandbot.knowledge.passages import Passage
from brandbot.knowledge.words import Words

if TYPE_CHECKING:
    from brandbot.knowledge.embedder import Vectors

CANDIDATES = 50
"""Passages of each kind of search that are put on one scale."""

NEAR = 5
"""Passages whose facts are looked at one by one, for each that is asked for."""

REMEMBERED = 5_000
"""Texts whose vectors are kept, of questions and single facts; a few MB."""

PROBES = 0.1
"""Share of an IVF index's lists that are looked through."""


@dataclass(frozen=True)
class Hit:
    """A passage that was found: ``score`` mixes ``meaning`` and ``words``.

    ``meaning`` is the cosine with the question, 1 at most, above the embedder's floor.
    ``words`` is the share of the question's words that it holds, the rarer the heavier, 0 to 1;
    ``shared`` are these words as they were asked; ``covered`` is how much of the question each of
    its facts holds, 0 to 1. ``answers`` is the chance, 0 to 1, that one of its facts answers, None
    where no reranker read them.
    """

    passage: Passage
    score: float
    meaning: float
    words: float
    covered: tuple[float, ...]
    shared: tuple[str, ...]
    answers: float | None = None


class Search:
    """An open index. Threads may share it."""

    def __init__(self, build: Build, embedder: Embedder) -> None:
        """Raises KnowledgeError if the index was made by another embedder."""
        if build.manifest["embedder"] != embedder.name:
            raise KnowledgeError(
                f"The index was made with {build.manifest['embedder']}, but the embedder here is "
                f"{embedder.name}. Make it again with: brandbot index {build.folder.parent.name}"
            )
        self.build = build
        self.embedder = embedder
        self.passages = build.read_passages()
        self.language: str = build.manifest["language"]
        self.words = Words(self.language)
        self._floor = float(build.manifest["floor"])
        self._invalid: tuple[date, list[int]] = (date.min, [])
        self._vectors: dict[str, Vectors] = {}
        self._terms_of: dict[int, list[set[str]]] = {}
        self._faiss: Any = None
        if self.passages:
            self._faiss = index.read_faiss(build.folder / "index.faiss")
            if hasattr(self._faiss, "nprobe"):
                self._faiss.nprobe = max(1, int(PROBES * self._faiss.nlist))
            self._lexical = Lexical.load(build.folder / "bm25", self.words)

    def find(
        self,
        question: str,
        top_k: int,
        *,
        today: date | None = None,
        meaning: float | None = None,
    ) -> list[Hit]:
        """The best passages, the best first; expired facts are not found.

        ``meaning`` is the weight of meaning, 0 (words alone) to 1; by default what the index
        measured on its documents.
        """
        meaning = self.meaning if meaning is None else meaning
        if not self.passages or not question.strip():
            return []
        import numpy as np

        left_out = self._not_valid(today or date.today())
        many = min(len(self.passages) - len(left_out), CANDIDATES)
        if not many:
            return []
        vector = self._embedded([question])
        lexical = self._lexical.shares(question)
        lexical[left_out] = -1.0
        semantic = self._nearest(vector, many, left_out)
        for row in np.argpartition(-lexical, many - 1)[:many]:
            if int(row) not in semantic:
                own: Vectors = self._faiss.reconstruct(int(row))
                semantic[int(row)] = float(own @ vector[0])
        weights = self._lexical.weights(question)

        def hit(row: int, covered: tuple[float, ...] = ()) -> tuple[float, int, Hit]:
            words = (float(lexical[row]) + max(covered, default=0.0)) / 2
            alike = (semantic[row] - self._floor) / (1 - self._floor)
            score = meaning * max(0.0, alike) + (1 - meaning) * words
            return -score, row, Hit(self.passages[row], score, alike, words, covered, ())

        # Looking at single facts takes longest: only where it can make a passage one of the best.
        near = heapq.nsmallest(NEAR * top_k, map(hit, semantic))
        found = [hit(row, self._covered(row, weights)) for _, row, _ in near]
        pairs = self.words.pairs(question)
        return [self._told(best, pairs) for _, _, best in heapq.nsmallest(top_k, found)]

    @property
    def meaning(self) -> float:
        """The weight of meaning against words that the index measured on its documents."""
        return float(self.build.manifest["meaning"])

    def likeness(self, question: str, texts: Sequence[str]) -> Vectors:
        """Cosine of the question and each text above the embedder's floor, (texts,)."""
        vectors = self._embedded([question, *texts])
        found: Vectors = (vectors[1:] @ vectors[0] - self._floor) / (1 - self._floor)
        return found

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        """The embedder's vectors; those of the latest texts are remembered: facts come again."""
        import numpy as np

        known = dict(self._vectors)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            made = dict(zip(missing, self.embedder.embed(missing), strict=True))
            known |= made
            # Another thread may be doing the same: each puts a dict of its own in place.
            self._vectors = made if len(known) > REMEMBERED else known
        return np.stack([known[text] for text in texts])

    def _not_valid(self, today: date) -> list[int]:
        """The rows of passages whose facts do not hold on a day; remembered for that day."""
        day, rows = self._invalid
        if day != today:
            rows = [row for row, passage in enumerate(self.passages) if not passage.valid(today)]
            self._invalid = (today, rows)
        return rows

    def _nearest(self, vector: Vectors, many: int, left_out: Sequence[int]) -> dict[int, float]:
        """The rows nearest in meaning, (1, width), each with its cosine."""
        import faiss

        # One question gains nothing from threads, and torch's, still awake from embedding it, make
        # them wait: 24 ms a search with two, 16 with one.
        threads: Any = faiss  # its own hints know nothing of what its Python layer adds
        before = threads.omp_get_max_threads()
        threads.omp_set_num_threads(1)
        try:
            cosines, rows = self._faiss.search(vector, many, params=self._without(left_out))
        finally:
            threads.omp_set_num_threads(before)
        return {int(row): float(cosine) for row, cosine in zip(rows[0], cosines[0], strict=True)
                if row >= 0}  # fmt: skip

    def _without(self, rows: Sequence[int]) -> Any:
        """FAISS's parameters for a search among all rows but these; None for its own."""
        if not rows:
            return None
        import faiss

        made: Any = faiss  # its own hints know nothing of what its Python layer adds
        others = made.IDSelectorNot(made.IDSelectorBatch(list(rows)))
        if hasattr(self._faiss, "nprobe"):
            return made.SearchParametersIVF(sel=others, nprobe=self._faiss.nprobe)
        return made.SearchParameters(sel=others)

    def _covered(self, row: int, weights: dict[str, float]) -> tuple[float, ...]:
        """How much of the question's terms each fact of a passage holds, by weight, 0 to 1."""
        whole, wanted = sum(weights.values()) or 1.0, set(weights)
        return tuple(
            sum(weights[term] for term in terms & wanted) / whole for terms in self._terms(row)
        )

    def _terms(self, row: int) -> list[set[str]]:
        """The terms of each of a passage's facts, with its headings'; kept once made."""
        known = self._terms_of.get(row)
        if known is None:
            passage = self.passages[row]
            above = set(self.words.terms(" ".join((*passage.headings, passage.question))))
            known = [above | set(self.words.terms(fact)) for fact in passage.facts]
            self._terms_of[row] = known
        return known

    def _told(self, hit: Hit, pairs: Sequence[tuple[str, str]]) -> Hit:
        there = {stem for _, stem in self.words.pairs(hit.passage.embedded)}
        shared = dict.fromkeys(word for word, stem in pairs if stem in there)
        return replace(hit, shared=tuple(shared))
