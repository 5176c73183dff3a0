"""The style ruler: does a text sound like the brand, whatever it talks about?

A logistic regression tells the brand's training replies from texts in other voices. It sees style
only. Words that carry the topic are masked before it looks: the words of a language's stop list
stay (and what is no word: punctuation, emoji), every other word becomes one asterisk and every
number a #, as in Stamatatos, "Masking topic-related information to enhance authorship attribution",
JASIST 2018 (DV-SA). On the masked text: character 2- to 5-grams. Beside it stylometry: sentence and
word lengths, punctuation marks, emoji, capitals, endings.

A text passes as the brand's if its score reaches the one that nine of ten of the brand's training
replies reach when the ruler has not seen them (cross-validated). The ruler is itself checked, on
the brand's held-out replies and on other texts it never saw: the area under its ROC curve (AUC) and
the share of the real replies that pass, the ceiling, are reported. Under ``SOUND_AUC`` it is not
used.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brandbot.evaluation.intervals import SEED, Measure, mean
from brandbot.grounding import stop_words
from brandbot.lint_text import count_sentences, emojis

FEWEST_REPLIES = 40
"""Training replies from which a ruler can be made; measured on both demo brands (docs/notes.md)."""

FEWEST_HELD_OUT = 8
"""Held-out real replies from which its ceiling can be told."""

SOUND_AUC = 0.85
"""A ruler that tells the brand from others less well than this is not used."""

PASSING = 0.9
"""Share of the brand's own replies that pass as the brand's, by how the threshold is set."""

WEIGHT = 30.0
"""Inverse strength of the regularisation; the smallest within one standard error of the
best cross-validated log loss (docs/notes.md)."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+", re.UNICODE)


@functools.lru_cache(maxsize=10_000)  # each fold of a cross-validation asks again
def mask_topic(text: str, language: str) -> str:
    """``text`` with each content word as an asterisk and each number as #.

    A capital is style, and kept as ``A``, only at the start of a sentence; elsewhere it is a name.
    ``Open at 7, friend.`` → ``A at #, *.``
    """
    kept = stop_words(language)

    def masked(found: re.Match[str]) -> str:
        word = found[0]
        if word[0].isdigit():
            return "#"
        if word.casefold().replace("’", "'") in kept:
            return word
        before = text[: found.start()].rstrip(" \t\"'«“‘(¿¡*_")
        starts = not before or before[-1] in ".!?…:\n"
        return "A" if word[0].isupper() and starts else "*"

    return _WORD.sub(masked, text)


_MARKS = ".,;:!?¡¿…—–-()\"'«»*"


def stylometry(text: str) -> list[float]:
    """Lengths, marks and habits of a text, each about 0 to 1."""
    words = _WORD.findall(text)
    sentences = max(1, count_sentences(text))
    letters = max(1, sum(c.isalpha() for c in text))
    many = max(1, len(words))
    return [
        min(1.0, len(words) / sentences / 30),
        min(1.0, sentences / 10),
        min(1.0, len(words) / 120),
        min(1.0, sum(map(len, words)) / many / 8),
        min(1.0, len(emojis(text)) / 3),
        sum(c.isupper() for c in text) / letters,
        float(text.rstrip().endswith("?")),
        float("\n" in text.strip()),
        *(min(1.0, text.count(mark) / sentences) for mark in _MARKS),
    ]


@dataclass(frozen=True)
class Ruler:
    """A trained and checked ruler.

    ``auc`` is that on held-out texts. ``threshold`` is the score from which a text passes,
    ``ceiling`` the share of the brand's held-out real replies that do, ``others`` the share of
    held-out texts in other voices that do. ``weakness`` says why it must not be used, or is empty.
    """

    model: Any
    threshold: float
    auc: float
    ceiling: Measure
    others: Measure
    weakness: str = ""

    def scores(self, texts: Sequence[str]) -> list[float]:
        """For each text the probability, 0 to 1, that it is the brand's."""
        return _scores(self.model, texts)

    def passes(self, texts: Sequence[str]) -> list[float]:
        """For each text 1 if it passes as the brand's, else 0."""
        return [float(score >= self.threshold) for score in self.scores(texts)]


def make(
    brand: Sequence[str],
    others: Sequence[str],
    held_out_brand: Sequence[str],
    held_out_others: Sequence[str],
    language: str,
) -> Ruler | str:
    """A ruler trained on ``brand`` against ``others`` and checked on the held-out texts.

    A sentence instead of a ruler says what there is too little of.
    """  # fmt: skip
    import numpy as np
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    if len(brand) < FEWEST_REPLIES or len(held_out_brand) < FEWEST_HELD_OUT:
        return (
            f"Too few examples to measure style: {len(brand)} replies to train the ruler on and "
            f"{len(held_out_brand)} held out; it takes {FEWEST_REPLIES} and {FEWEST_HELD_OUT}."
        )
    texts = [*brand, *others]
    labels = [1] * len(brand) + [0] * len(others)
    model = _pipeline(language)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    unseen = cross_val_predict(model, texts, labels, cv=folds, method="predict_proba")[:, 1]
    threshold = float(np.quantile(unseen[: len(brand)], 1 - PASSING))
    model.fit(texts, labels)
    real, other = _scores(model, held_out_brand), _scores(model, held_out_others)
    auc = float(roc_auc_score([1] * len(real) + [0] * len(other), [*real, *other]))
    ceiling = mean([float(score >= threshold) for score in real])
    passed = mean([float(score >= threshold) for score in other])
    assert ceiling and passed
    weakness = ""
    if auc < SOUND_AUC or not ceiling.value:
        weakness = (
            f"Style can't be measured: the ruler tells the brand's held-out replies from other "
            f"texts with an AUC of {auc:.2f} only ({SOUND_AUC} is needed). More examples, and more "
            "alike in voice, sharpen it."
        )
    return Ruler(model, threshold, auc, ceiling, passed, weakness)


def _pipeline(language: str) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler

    grams = TfidfVectorizer(
        analyzer="char", ngram_range=(2, 5), min_df=3, sublinear_tf=True, lowercase=False
    )
    mask = FunctionTransformer(_mask_all, kw_args={"language": language})
    marks = Pipeline([("mask", mask), ("grams", grams)])
    habits = Pipeline([("count", FunctionTransformer(_habits)), ("scale", MaxAbsScaler())])
    features = FeatureUnion([("marks", marks), ("habits", habits)])
    classifier = LogisticRegression(C=WEIGHT, class_weight="balanced", max_iter=2000)
    return Pipeline([("features", features), ("classifier", classifier)])


def _habits(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix([stylometry(text) for text in texts])


def _mask_all(texts: Sequence[str], language: str) -> list[str]:
    return [mask_topic(text, language) for text in texts]


def _scores(model: Any, texts: Sequence[str]) -> list[float]:
    return [float(row[1]) for row in model.predict_proba(list(texts))] if texts else []
