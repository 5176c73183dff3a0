"""Search by words: BM25 (Robertson and Zaragoza 2009, by bm25s) over stems and beginnings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot.knowledge.words import Words

if TYPE_CHECKING:
    from brandbot.knowledge.embedder import Vectors


class Lexical:
    """BM25 of texts, read as shares: 1 is the most that a question's words could score."""

    def __init__(self, bm25: Any, words: Words) -> None:
        self._bm25 = bm25
        self._words = words
        self._vocabulary: dict[str, int] = bm25.vocab_dict
        self._most = _heaviest(bm25.scores)
        self._rarest = float(self._most.max())

    @classmethod
    def of(cls, texts: Sequence[str], words: Words) -> Lexical:
        """Over one text or more."""
        import bm25s

        bm25 = bm25s.BM25(method="lucene")
        bm25.index([words.terms(text) or ["…"] for text in texts], show_progress=False)
        return cls(bm25, words)

    def save(self, folder: Path) -> None:
        self._bm25.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, words: Words) -> Lexical:
        import bm25s

        return cls(bm25s.BM25.load(str(folder), show_progress=False), words)

    def weights(self, question: str) -> dict[str, float]:
        """What each of the question's terms can add to a text's score, the rarer the more.

        A term that stands nowhere weighs as much as the rarest that stands somewhere.
        """
        return {
            term: float(self._most[self._vocabulary[term]])
            if term in self._vocabulary
            else self._rarest
            for term in self._words.terms(question)
        }

    def shares(self, question: str) -> Vectors:
        """Each text's BM25 score by the most these words could reach, 0 to 1, (texts,)."""
        import numpy as np

        weights = self.weights(question)
        known = [term for term in weights if term in self._vocabulary]
        if not known:
            return np.zeros(self._bm25.scores["num_docs"], np.float32)
        scores = self._bm25.get_scores(known)
        shares: Vectors = (scores / sum(weights.values())).astype(np.float32)
        return shares


def _heaviest(scores: dict[str, Any]) -> Vectors:
    """The most each term adds to a text's score, (terms,)."""
    import numpy as np

    starts = scores["indptr"]
    most = np.zeros(len(starts) - 1, np.float32)
    filled = starts[1:] > starts[:-1]
    most[filled] = np.maximum.reduceat(scores["data"], starts[:-1][filled])
    return most
