"""Texts become words to look up: stems and beginnings without accents, no function words."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "hu": "hungarian",
    "it": "italian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip

BEGINNING = 5
"""Letters of a word's beginning; with four or more it is looked up besides the stem."""

_ASKING = {
    "en": "how what when where which who why do does did can could would will is are am much many "
    "please hi hello i you your my me we us there any some have has get got tell know want need",
    "es": "cómo qué cuándo dónde cuál cuáles quién quiénes por cuánto cuánta cuántos cuántas hay "
    "hola gracias favor puedo puede puedes tengo tiene tienes tenéis quiero saber decir dime hacer "
    "hace hago si ser va voy soy vuestro vuestra",
}
"""Words of questions that say nothing about what is asked."""


class Words:
    """One language's way from a text to its stems; languages without a stemmer keep whole words."""

    def __init__(self, language: str) -> None:
        import Stemmer

        name = STEMMERS.get(language)
        self._stemmer: Any = Stemmer.Stemmer(name) if name else None
        asking = _ASKING.get(language, "").split()
        self._stop = {fold(word) for word in (*function_words(language), *asking)}
        self._stop -= {"no", "sin", "not"}

    def terms(self, text: str) -> list[str]:
        """What BM25 counts: each word's stem and, marked, its beginning.

        Beginnings join what a stemmer keeps apart (prestar, préstamo) and forgive endings.
        """
        found = []
        for word, stem in self.pairs(text):
            found.append(stem)
            beginning = fold(word)[:BEGINNING]
            if len(beginning) >= 4:
                found.append(f"#{beginning}")
        return found

    def pairs(self, text: str) -> list[tuple[str, str]]:
        """(word as it stands, its stem) of each word that counts."""
        found = [word for word in _WORD.findall(unicodedata.normalize("NFC", text))]
        kept = [word for word in found if fold(word) not in self._stop]
        if self._stemmer is None:
            return [(word, fold(word)) for word in kept]
        # The stemmer wants its language's accents; they go afterwards, as people leave them out.
        stems = self._stemmer.stemWords([word.casefold() for word in kept])
        return [(word, fold(stem)) for word, stem in zip(kept, stems, strict=True)]


def function_words(language: str) -> tuple[str, ...]:
    """The language's function words by bm25s's lists, which cost no import of spaCy."""
    from bm25s.stopwords import STOPWORDS_EN_PLUS, STOPWORDS_SPANISH

    lists: dict[str, tuple[str, ...]] = {"en": STOPWORDS_EN_PLUS, "es": STOPWORDS_SPANISH}
    return lists.get(language, ())


@functools.lru_cache(maxsize=100_000)
def fold(word: str) -> str:
    """Small letters without accents; ñ stays a letter of its own."""
    kept = word.casefold().replace("ñ", "\0")
    plain = unicodedata.normalize("NFD", kept)
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("\0", "ñ")
