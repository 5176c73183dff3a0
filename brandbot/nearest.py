"""The style examples nearest to a message, by the words and word parts they share.

TF-IDF over character 2- to 4-grams within words: works in any language, needs no model, and
forgives endings and typing errors. Only training examples are ever given out: a held-out example
in a prompt would be measured on itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brandbot.examples import Example


class Nearest:
    """Finds examples by the likeness of their first message."""

    def __init__(self, examples: Sequence[Example]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.examples = [example for example in examples if example.split == "train"]
        self._vectors: Any = None
        if self.examples:
            self._vectorizer = TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True
            )
            self._vectors = self._vectorizer.fit_transform([e.prompt for e in self.examples])

    def find(self, message: str, count: int) -> list[Example]:
        """The ``count`` nearest training examples; the nearest comes last, next to the question."""
        if not self.examples or count < 1:
            return []
        likeness = (self._vectorizer.transform([message]) @ self._vectors.T).toarray()[0]
        order = sorted(range(len(self.examples)), key=lambda i: (-likeness[i], i))
        return [self.examples[i] for i in reversed(order[:count])]

    def likeness(self, message: str) -> float:
        """How like the nearest example's first message is, 0 to 1; 0 without examples."""
        if not self.examples:
            return 0.0
        return float((self._vectorizer.transform([message]) @ self._vectors.T).max())
