"""Whether a figure in a reply and a fact of a document are about the same thing, by their words.

Tuned to be silent in doubt: the words of person and brand must name or single out the fact, and
none of them may ask for something the fact is not about. Knows the function words and the ways of
asking of English and Spanish; in another language more words count as content, and it finds less.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from brandbot.grounding import NUMBER, digits
from brandbot.knowledge.passages import Passage
from brandbot.knowledge.words import BEGINNING, Words, fold
from brandbot.lint_figures import Figure, figures, plain
from brandbot.lint_patterns import Kind

SMOOTHING = 20
"""Passages counted besides those there are, so that with a handful no word weighs nothing."""

LONGEST_GLIMPSE = 90
"""Minutes up to which a length of time is also said of anything ("give it two minutes")."""

# Words that ask for a figure or go with it, and say nothing about what it is a figure of.
_GENERIC = {
    "en": "price cost charge pay fee much many long late early soon time hour day date week month "
    "year minute open close shut start end begin finish get take taken took last number phone "
    "telephone ring call mail email write contact reach address website site link online order "
    "buy sell offer add extra each one two today tomorrow now usually normally still ever quick "
    "quickly please thanks thank morning evening ok tell ask let give make need would like love "
    "money pound euro percent roughly exactly currently cheap expensive set back want damage per "
    "monthly yearly weekly daily amount total sum kilo kilogram kg gram g litre liter ml bag pack "
    "packet big small large medium little regular size hiya mate hey just even really about also "
    "only well come go see find it's what's that's no not",
    "es": "precio coste costar cuesta cuestan vale valen cobrar cobra cobran cobráis pagar pago "
    "pagas tarifa importe cuánto cuánta tiempo plazo tarda tardan tardáis hora horas horario día "
    "días fecha semana semanas mes meses año años minuto minutos abrir abre abrís cerrar cierra "
    "cerráis empieza termina número teléfono llamar llamo llama correo email escribir escribo "
    "contacto dirección web enlace página pedir pido comprar vender oferta extra cada uno dos hoy "
    "mañana ahora normalmente rápido gracias buenas buenos tarde tardes noche decir dime euro "
    "euros ciento dinero sale quiero querría quería gustaría necesito dar da dais tenéis hay mil "
    "cien máximo mínimo tope límite hasta desde oye pues bueno solo más menos tener mensual anual "
    "diario total suma kilo kg gramo g litro ml bolsa paquete grande pequeño mediano tamaño saca "
    "sacar sacáis no",
}
# What is asked for where only how to reach the brand is, or when it is open.
_CONTACT = {
    "en": "number phone telephone ring call mail email write contact reach get talk speak touch",
    "es": "número teléfono llamar llamo correo email escribir escribo contacto contactar hablar",
}
_OPENING = {
    "en": "open opens opening close closes closing shut",
    "es": "abrir abre abren abrís abrimos abierto cerrar cierra cierran cerráis cerramos horario",
}
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday weekday weekend january february "
    "march april may june july august september october november december lunes martes miércoles "
    "jueves viernes sábado domingo festivo enero febrero marzo abril mayo junio julio agosto "
    "septiembre octubre noviembre diciembre"
)
# Words across which another one is still about the same: "latte with the ice", "keg of the latte".
_JOINTS = frozenset(
    {"of", "for", "with", "without", "in", "on", "at", "to", "from", "by", "de", "del", "con"}
    | {"sin", "para", "en", "por", "a", "al", "an", "the", "my", "your", "our", "el", "la", "los"}
    | {"las", "un", "una", "mi", "tu", "su", "and", "or", "y", "e", "o"}
)
_OF = frozenset({"of", "de", "del"})
# With these, a price is that of several.
_COUNTS = frozenset(
    {"two", "three", "four", "five", "six", "ten", "both", "all", "dozen", "half", "pair", "double"}
    | {"dos", "tres", "cuatro", "cinco", "seis", "diez", "ambos", "ambas", "docena", "medio", "par"}
    | {"media", "doble", "triple"}
)
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]")
_LABEL = re.compile(r"([^:.!?]{2,80}): (?=\S)")


class Word(NamedTuple):
    """A word or sign; ``stem`` is empty for function words, numbers and signs."""

    token: str
    stem: str

    @property
    def beginning(self) -> str:
        """As ``Words.terms`` marks it; nothing has the beginning of a short word."""
        start = fold(self.token)[:BEGINNING]
        return f"#{start}" if len(start) >= 4 else "#"


@dataclass(frozen=True)
class Said:
    """A figure of a reply: what was asked, and the sentence before and after the figure."""

    figure: Figure
    asked: list[Word]
    before: list[Word]
    after: list[Word]

    @property
    def told(self) -> list[Word]:
        return [*self.before, Word(",", ""), *self.after]

    @property
    def words(self) -> list[Word]:
        return [*self.asked, *self.told]


@dataclass(frozen=True)
class Fact:
    """A fact as it is compared; ``terms`` are its words' and its headings'.

    ``label``, ``heading`` and ``question`` are the stems of what names it; ``own`` are its text's.
    ``labelled`` is what stands before a row's or an item's colon.
    """

    passage: Passage
    place: int
    figures: tuple[Figure, ...]
    terms: set[str]
    numbers: set[str]
    labelled: str
    label: list[str]
    heading: list[str]
    question: list[str]
    own: list[str]


class Topics:
    """The words of a persona's documents, and what they tell about a fact."""

    def __init__(
        self, passages: Sequence[Passage], words: Words, language: str, brand: str
    ) -> None:
        """``brand`` is the brand's name, which says nothing about what a figure is of."""
        self.words = words
        self.generic = self._stems(f"{_GENERIC.get(language, '')} {brand}")
        self.contact = self._stems(_CONTACT.get(language, ""))
        self.opening = self._stems(_OPENING.get(language, ""))
        self._language = language
        self.days = self._stems(_DAYS)
        self.modifier_first = language != "es"
        self.total = len(passages) + SMOOTHING
        self.frequency = Counter(
            term for passage in passages for term in set(words.terms(passage.embedded))
        )
        self.labels = Counter(_labelled(fact) for passage in passages for fact in passage.facts)

    def asking(self, kind: Kind) -> str:
        """What a figure of this kind is asked for with, where nothing else is asked."""
        if kind == "hours":
            return _OPENING.get(self._language, "")
        return _CONTACT.get(self._language, "") if kind in ("phone", "email") else ""

    def spoken(self, text: str) -> list[Word]:
        """A text's words and signs in order, its figures left out."""
        for figure in reversed(figures(text)):
            text = f"{text[: figure.start]} , {text[figure.end :]}"
        found = []
        for token in _TOKEN.findall(text):
            stems = [stem for word, stem in self.words.pairs(token) if word[0].isalpha()]
            found.append(Word(token, stems[0] if stems else ""))
        return found

    def content(self, text: str) -> list[str]:
        """The stems that say what a text is about, each once."""
        stems = dict.fromkeys(word.stem for word in self.spoken(text) if word.stem)
        return [stem for stem in stems if stem not in self.generic]

    def facts(self, passage: Passage) -> list[Fact]:
        above = set(self.words.terms(" ".join((*passage.headings, passage.question))))
        heading = self.content(passage.headings[-1]) if passage.headings else []
        return [
            Fact(
                passage, place, figures(plain(fact)), above | set(self.words.terms(fact)),
                _numbers(self.spoken(plain(fact))), _labelled(fact), self.content(_labelled(fact)),
                heading, self.content(passage.question), self.content(fact),
            )
            for place, fact in enumerate(passage.facts)
        ]  # fmt: skip

    def evidence(self, said: Said, fact: Fact) -> float:
        """How far the words they share single the fact out: the rarer, the more."""
        shared = self._shared(said, fact)
        return sum(math.log(self.total / max(1, self.frequency[stem])) for stem in shared)

    def same(self, said: Said, fact: Fact) -> bool:
        """Whether the figure is said of what the fact is about."""
        figure = said.figure
        if not any((f.kind, f.unit) == (figure.kind, figure.unit) for f in fact.figures):
            return False
        if self._asks_for_the_brand(said, fact):
            return True
        if not _numbers(said.words) <= fact.numbers:  # another size, more people
            return False
        if self._asks_otherwise(said.asked, fact) or self._tells_otherwise(said, fact):
            return False
        shared = self._shared(said, fact)
        least = 2 if figure.unit == "minutes" and _glimpse(figure) else 1
        if len(shared) < least or (shared <= self.generic and figure.kind != "hours"):
            return False
        return self._named(said, fact, shared)

    def _named(self, said: Said, fact: Fact, shared: set[str]) -> bool:
        """Whether what was said names the fact: its label, its question, or words of its own."""
        # A word that stands in one passage alone is enough.
        enough = self.evidence(said, fact) > math.log(self.total) - 1e-9
        stems = {word.stem for word in said.words}
        beginnings = {word.beginning for word in said.words}

        def share(wanted: Sequence[str]) -> float:
            count = sum(w in stems or f"#{w[:BEGINNING]}" in beginnings for w in wanted)
            return count / len(wanted) if wanted else 1.0

        whole_heading = bool(fact.heading) and share(fact.heading) == 1
        if fact.question:
            return enough and share(fact.question) >= 0.5
        if not fact.labelled:
            own = shared.intersection(fact.own)
            first = shared.intersection(fact.own[:1])
            return enough and bool(first or (own and (len(shared) > 1 or whole_heading)))
        if not fact.label:
            return enough and share(fact.heading) >= 0.5
        if set(fact.label) <= self.days and not self._speaks_only_of(said, shared):
            return False  # on a Saturday there is more than opening hours
        if share(fact.label) >= (1 if len(fact.label) < 3 else 0.65):
            alone = self.labels[fact.labelled] == 1
            return alone or (enough and share(fact.heading) >= 0.5)
        # "Interest: 1.40 % APR" of the savings account, where its APR was asked for.
        left = shared.intersection(fact.own).difference(fact.heading)
        return enough and whole_heading and bool(left)

    def _speaks_only_of(self, said: Said, shared: set[str]) -> bool:
        talk = {word.stem for word in (*said.asked, *said.before) if word.stem}
        return talk - self.generic <= shared

    def _asks_for_the_brand(self, said: Said, fact: Fact) -> bool:
        """Whether nothing is asked but how to reach the brand or when it is open."""
        if said.figure.kind in ("phone", "email"):
            wanted = self.contact
        elif said.figure.kind == "hours" and not fact.labelled:
            wanted = self.opening
            if wanted.isdisjoint(fact.terms):
                return False
        else:
            return False
        asked = {word.stem for word in said.asked if word.stem}
        told = {word.stem for word in said.told if self._known(word)}
        days = self.days if said.figure.kind == "hours" else set()
        return (
            bool(asked & wanted)
            and asked <= self.generic | wanted
            and (told - days <= self.generic | wanted)
        )

    def _shared(self, said: Said, fact: Fact) -> set[str]:
        return {word.stem for word in said.words if _covers(fact.terms, word)}

    def _asks_otherwise(self, asked: Sequence[Word], fact: Fact) -> bool:
        """Whether the question has a word for something the fact is not about.

        That is a word that the documents have elsewhere, or one that says more of a word of the
        fact: "iced latte".
        """
        content = [word for word in asked if word.stem and word.stem not in self.generic]
        if content and not any(_covers(fact.terms, word) for word in content):
            return True
        for place, word in enumerate(asked):
            if not word.stem or word.stem in self.generic or _covers(fact.terms, word):
                continue
            if self._known(word):
                return True
            if any(_covers(fact.terms, asked[other]) for other in self._beside(asked, place)):
                return True
        return False

    def _tells_otherwise(self, said: Said, fact: Fact) -> bool:
        """Whether the sentence is about something else; a brand talks more freely than it asks.

        What a figure is of is mostly the last word before it that the documents know.
        """

        def known(words: Sequence[Word]) -> list[Word]:
            return [w for w in words if w.stem not in self.generic and self._known(w)]

        told = said.told
        covered = {word.token for word in known(told) if _covers(fact.terms, word)}
        if sum(word.token in covered for word in known(told)) < 0.5 * len(known(told)):
            return True
        nearest = known(said.before)[-1:] or known(said.after[:4])[:1]
        if nearest and nearest[0].token not in covered:
            return True
        for place, word in enumerate(told):
            if not word.stem or word.stem in self.generic or _covers(fact.terms, word):
                continue
            other = place + 1 if self.modifier_first else place - 1
            if 0 <= other < len(told) and told[other].token in covered:
                return True
            before = [at for at in self._beside(told, place) if at < place]
            if self._known(word) and any(told[at].token in covered for at in before):
                return True
        return False

    def _beside(self, words: Sequence[Word], place: int) -> Iterator[int]:
        """Where the words stand that one says more of: "latte helado", "latte with the ice"."""
        for step in (-1, 1):
            passed: set[str] = set()
            other = place + step
            while 0 <= other < len(words):
                word = words[other]
                if word.stem and word.stem not in self.generic:
                    # What stands before a noun in Spanish is rather the verb.
                    if step < 0 or passed & _OF or (self.modifier_first and not passed):
                        yield other
                    break
                if not word.stem:
                    passed.add(word.token.casefold())
                if not passed <= _JOINTS:
                    break
                other += step

    def _known(self, word: Word) -> bool:
        """Whether the documents have a word anywhere."""
        return bool(word.stem) and (word.stem in self.frequency or word.beginning in self.frequency)

    def _stems(self, text: str) -> set[str]:
        return {stem for _, stem in self.words.pairs(text)}


def _covers(terms: set[str], word: Word) -> bool:
    """Whether a set of terms has a word, by its stem or its beginning."""
    return bool(word.stem) and (word.stem in terms or word.beginning in terms)


def _labelled(fact: str) -> str:
    """What a row or item is about: what stands before its colon, without brackets."""
    found = _LABEL.match(fact)
    return re.sub(r"\([^)]*\)", "", found[1]).strip() if found else ""


def _numbers(words: Sequence[Word]) -> set[str]:
    """Numbers that are no figures, and number words: a size, how many of a thing."""
    tokens = [word.token.casefold() for word in words]
    found = (NUMBER.match(token) for token in tokens)
    return {digits(number[0]) for number in found if number}.union(_COUNTS.intersection(tokens))


def _glimpse(figure: Figure) -> bool:
    return all(n <= LONGEST_GLIMPSE for e in figure.edges for n in e if isinstance(n, float))
