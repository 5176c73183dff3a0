"""What an embedder is worth on some documents: how much meaning counts against words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brandbot.knowledge.embedder import Embedder
from brandbot.knowledge.lexical import Lexical
from brandbot.knowledge.passages import Passage
from brandbot.knowledge.words import Words

SAMPLE, TIES = 150, 6
"""Passages that the embedder is measured on, and made-up ties among its searches."""

HEADINGS_ALONE = 0.75
"""What is left of meaning's share when people ask in sentences instead of headings."""

UNRELATED = 0.3
"""Cosine of texts that have nothing to do with one another, as the thresholds expect it."""


@dataclass(frozen=True)
class Measured:
    """What an embedder is worth on some documents.

    ``meaning``: how much its cosines count against words, 0 to 1. ``floor``: the cosine that says
    nothing with it, 0 for most; models of contrast such as E5 put any two texts at 0.7 and more.
    """

    meaning: float
    floor: float = 0.0


def measure_embedder(kept: Sequence[Passage], embedder: Embedder, words: Words) -> Measured:
    """Measures the embedder on the documents themselves.

    Each heading (or question) is searched for in the texts without their headings, by meaning and
    by words. Of the two mean reciprocal ranks, squared, meaning gets its share: an embedder that
    does not know the language finds little and counts little. Questions share more words with what
    answers them than headings do, so meaning's share is cut (docs/notes.md). A few made-up ties
    keep a handful of documents in the middle. Where the median cosine of a heading and the texts
    of other places is above UNRELATED, the floor brings it down to that.
    """
    import numpy as np

    headed = [passage for passage in kept if passage.headings or passage.question][:SAMPLE]
    asked = {passage.source: passage.heading for passage in headed}
    if not asked:
        return Measured(HEADINGS_ALONE / 2)
    texts = [passage.text for passage in headed]
    sources = np.array([passage.source for passage in headed])
    lexical = Lexical.of(texts, words)
    cosines = embedder.embed(list(asked.values())) @ embedder.embed(texts).T
    found = {"meaning": 0.0, "words": 0.0}
    for row, (source, heading) in enumerate(asked.items()):
        for way, scores in (("meaning", cosines[row]), ("words", lexical.shares(heading))):
            best = scores[sources == source].max()
            found[way] += 1 / (1 + int((scores > best).sum()))
    meaning, by_words = ((found[way] + TIES / 2) ** 2 for way in ("meaning", "words"))
    strange = cosines[np.array(list(asked))[:, None] != sources]
    unrelated = float(np.median(strange)) if strange.size else 0.0
    floor = max(0.0, (unrelated - UNRELATED) / (1 - UNRELATED))
    return Measured(float(HEADINGS_ALONE * meaning / (meaning + by_words)), floor)
