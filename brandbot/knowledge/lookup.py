"""What a reply is given to know: the facts that search finds for the last message.

Small models read badly and short: they get a few single sentences, the likeliest first, each under
its heading, instead of whole passages. The same lines are mixed into training.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from brandbot.errors import KnowledgeError
from brandbot.knowledge import answer_type, index
from brandbot.knowledge.embedder import Embedder, open_embedder
from brandbot.knowledge.index import Built, IndexStore, Progress
from brandbot.knowledge.reranker import Reranker, open_reranker
from brandbot.knowledge.search import Hit, Search
from brandbot.models import Say
from brandbot.persona import Knowledge, Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace

MOST_FACTS = 4
"""Lines a prompt holds at most; with four, 94 of 100 held the answer (docs/notes.md)."""

KIND = 0.1
"""What the wanted kind of answer adds to a fact's score."""

READ = 8
"""Passages of which a reranker reads the likeliest facts."""

MOST_READ = 12
"""Facts that a reranker reads for a question: the right one is among twelve for 94 to 97%."""

GOOD_ENOUGH, NEAR = 0.55, 0.1
"""Score of the best fact below which nothing was found, and how near to it the second one must be
to be quoted, too; where no reranker reads them (docs/notes.md)."""

ANSWERS, NEARLY = 0.3, 0.6
"""The chance that the best fact answers below which nothing was found, and the share of it that the
second one must reach to be quoted, too; where a reranker reads them."""

GIVEN = 0.1
"""The share of the best fact's chance below which a fact is not given to the model, where a
reranker reads them: a small model says it all the same, as if it were of what was asked
(docs/notes.md)."""

ASKS, TALKS = 0.9, 0.03
"""A reranker's chance from which a question asks for a fact of the documents, and below which no
message does, though it is worded so: "are you a real person?"."""

AFTER = " » "
"""Between two messages of which the first says what the second is about, as the reranker learnt."""

LEANING, SHORT, FEW, MANY = 8, 5, 2, 14
"""Words up to which a question that points back is taken as one about the message before, up to
which any question may be one, up to which what is none may ask all the same ("parking"), and beyond
which a message has more to say than that it wants to talk to a person."""

_GOES_ON = re.compile(
    r"^\W*(?:and|or|but|also|what about|how about"
    r"|y|e|o|pero|tambi[eé]n|qu[eé] tal|qu[eé] pasa con)\b",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(  # not "bread that is vegan", "esa sala"
    r"\b(?:is|are|does|about|for|with|of|like|than|from) (?:that|those|these|them)\W*$"
    r"|\b(?:is|does|can) that\b|\beso\b|\bes[ae]\W*$",
    re.IGNORECASE,
)
_REFERS = re.compile(  # "do I have to pay for it?", "¿hay que reservarlo?"
    # not "is it raining?", "are they open?"
    r"\b(?:for|with|of|to|about|from|in|on|at|pay|book|buy|bring|use|return|change|cancel|get|have)"
    r" (?:it|them)\b|\bdo they\b|\b(?!charlas?\b|perlas?\b|carlos?\b)\w+[aei]rl[oa]s?\b",
    re.IGNORECASE,
)
_DOUBTS = re.compile(
    r"^\W*(?:are you (?:\w+ )?sure|is that (?:right|true|correct)|est[aá]i?s (?:\w+ )?segur[oa]s?"
    r"|(?:really|seriously|de verdad|en serio|seguro|de veras)\W*$)",
    re.IGNORECASE,
)
_OBJECTS = re.compile(r"^\W*(?:but|pero)\b", re.IGNORECASE)
_CORRECTS = re.compile(  # "no, I meant Sunday", "perdón, la de débito", "northern Ireland I mean"
    r"^\W*(?:(?:no|sorry|oops|ay|perd[oó]n|disculpa)\b[\s,.]*)*(?:i meant?|i was asking about"
    r"|(?:yo )?me (?:refiero|refer[ií]a)(?: a\b)?|(?:yo )?quer[ií]a decir|digo|me he equivocado)\b"
    r"|^\W*(?:no|sorry|oops|perd[oó]n)\b[\s,.]+(?=(?:the|el|la|los|las)\b(?! verdad))"
    r"|[\s,]+(?:i meant?|quiero decir|digo)\W*$",
    re.IGNORECASE,
)
_ONE_OF = re.compile(  # "la de débito", "the large one"
    r"^\W*(?:(?:el|la|los|las) (?:de|del|que|m[aá]s)\b.*|the\b.*\bones?\W*)$", re.IGNORECASE
)
_PERSON = re.compile(  # whoever would rather talk to one
    r"^\W*(?:(?:a |un )?(?:real )?(?:human|person|agent|operator|manager|customer services?|humano"
    r"|agente|operador|encargado|persona real))(?: now| please| por favor)*\W*$"
    r"|\b(?:(?:speak|talk|chat) (?:to|with)|(?:put|connect|get|give) me(?: through| to| with)*)\b"
    r".{0,12}?\b(?:human|person|someone|somebody|agent|operator|manager|the team|staff"
    r"|customer services?)\b"
    r"|\b(?:(?:habl|comun[ií]|contact|p[aá]s|p[oó]n)\w* (?:\w+ )?con|atiend\w+)\b.{0,12}?"
    r"\b(?:humano|persona|agente|operador|asesor|ejecutiv|alguien|encargad|responsable|gestor)\w*",
    re.IGNORECASE,
)
_CONTACT = {
    "en": ("How do I contact you?",),
    "es": ("¿Cuál es el teléfono de contacto?", "¿Cuál es el correo de contacto?"),
}
"""What is looked up for them."""
_ABOUT = {"en": "what about {}?", "es": "¿y {}?"}


@dataclass(frozen=True)
class Fact:
    """A sentence, list item or row of a passage, as a line of a prompt: ``Heading: text``."""

    line: str
    hit: Hit
    place: int
    score: float
    """Search's; a reranker's chance, 0 to 1, that it answers, where one read it."""

    @property
    def quote(self) -> str:
        return self.hit.passage.facts[self.place]


@dataclass(frozen=True)
class Found:
    """``facts`` go into the prompt, none if nothing was good enough; ``hits`` is all of it.

    ``quoted`` of the facts are about as likely to answer; ``best`` is the likeliest, good enough or
    not. ``asks`` is a reranker's chance, 0 to 1, that the query asks for a fact of the documents;
    None where none read it.
    """

    query: str
    facts: tuple[Fact, ...] = ()
    hits: tuple[Hit, ...] = ()
    quoted: int = 1
    best: Fact | None = None
    asks: float | None = None

    @property
    def beyond(self) -> bool:
        """Whether a fact is asked for that no document holds."""
        if self.facts:
            return False
        if self.asks is not None and self.asks < TALKS:
            return False
        # What only states something is talk, even if it names what documents could hold.
        asks = (self.asks or 0.0) >= ASKS and self._is_question
        return asks or any(map(answer_type.asks_for_a_fact, self.query.split(AFTER)))

    @property
    def _is_question(self) -> bool:
        return any(map(answer_type.is_question, self.query.split(AFTER)))

    @property
    def quote(self) -> str:
        """The documents' own words that a reply holds as they stand; "" for small talk.

        The best fact, and the next one where the two are about as likely to answer.
        """
        if (self.asks or 0.0) < ASKS and not self._is_question:
            return ""
        return " ".join(as_sentence(fact.quote) for fact in self.facts[: self.quoted])

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(fact.line for fact in self.facts)


class Lookup:
    """One persona's documents, searched. Takes a new build with the next search; thread-safe."""

    def __init__(self, workspace: Workspace, persona: str, say: Say | None = None) -> None:
        self._say = say
        self._store = IndexStore(workspace.knowledge(persona))
        self._models = workspace.models
        self._search: Search | None = None
        self._name: str | None = None
        self._embedders: dict[tuple[str, str], Embedder] = {}
        self._lock = threading.Lock()

    @property
    def search(self) -> Search | None:
        """The current index, opened; None if there is none, or no document in it."""
        with self._lock:
            name = self._store.current_name()
            if name is None and not self._store.names():
                return None
            if self._search is None or name != self._name:
                self._search, self._name = self._open(), name
            return self._search if self._search.passages else None

    def _open(self) -> Search:
        build = self._store.current()
        while build is not None:
            key = (build.manifest["setting"], build.manifest["language"])
            if key not in self._embedders:
                self._embedders[key] = open_embedder(*key, self._models)
            try:
                return Search(build, self._embedders[key])
            except OSError:  # while the embedder was loaded it was followed by others, and deleted
                newer = self._store.current()
                build = newer if newer and newer.folder != build.folder else None
        raise KnowledgeError(
            f"No index in {self._store.folder} is whole. Make it again with: "
            f"brandbot index {self._store.folder.name}"
        )

    def find(
        self,
        conversation: Sequence[Message],
        settings: Knowledge,
        *,
        meaning: float | None = None,
    ) -> Found:
        """What is known for the last message, which may go on from that before.

        ``meaning`` is the weight of meaning, by default what the index measured.
        """
        search = self.search
        if search is None:
            return Found("".join(queries(conversation)[:1]))
        asked = queries(conversation, search.language)
        reranker = open_reranker(self._models, self._say) if settings.reranker else None
        if not asked:
            return Found("")
        if doubted := _doubted(conversation):
            again = _found(search, doubted, settings.top_k, meaning, reranker)
            if again.facts:
                return again
        every = [_found(search, query, settings.top_k, meaning, reranker) for query in asked]
        best = max(every, key=lambda found: found.facts[0].score if found.facts else 0.0)
        if best.quote:
            return best
        told = asked[-1].split(AFTER)[-1]
        others: Sequence[str] = ()
        if _PERSON.search(told):  # "can I talk to a manager?"
            others = _CONTACT.get(search.language, _CONTACT["en"])
        elif (best.asks or 0.0) >= TALKS and len(asked[-1].split()) <= FEW:
            # "Dogs" is no question that the reader knows, though nothing else is meant.
            others = [_ABOUT.get(search.language, _ABOUT["en"]).format(told.strip(" .,;!¡"))]
        further = [_found(search, query, settings.top_k, meaning, reranker) for query in others]
        return next((found for found in further if found.quote), best)


def _found(
    search: Search, query: str, top_k: int, meaning: float | None, reranker: Reranker | None
) -> Found:
    hits = search.find(query, max(top_k, READ) if reranker else top_k, meaning=meaning)
    facts = likeliest(search, query, hits, meaning) if hits else []
    asks: float | None = None
    if reranker is not None:
        hits, facts, asks = _read(reranker, query, hits, facts[:MOST_READ], top_k)
    facts = explaining(search, query, facts[:MOST_FACTS])
    best = facts[0] if facts else None
    talk = asks is not None and asks < TALKS
    if best is None or talk or best.score < (GOOD_ENOUGH if reranker is None else ANSWERS):
        return Found(query, (), tuple(hits), best=best, asks=asks)
    near = best.score - NEAR
    if reranker is not None:
        near = best.score * NEARLY
        facts = [fact for fact in facts if fact.score >= best.score * GIVEN]
    alike = [f for f in facts[1:2] if f.score >= near and not _said_in(search, f, best)]
    return Found(query, tuple(facts), tuple(hits), 1 + len(alike), best, asks)


def _said_in(search: Search, fact: Fact, other: Fact) -> bool:
    """Whether a fact says hardly anything that another does not."""
    words = set(search.words.terms(fact.quote))
    return len(words - set(search.words.terms(other.quote))) <= len(words) / 5


def _read(
    reranker: Reranker, query: str, hits: Sequence[Hit], facts: Sequence[Fact], top_k: int
) -> tuple[list[Hit], list[Fact], float]:
    """Passages and facts by their chance to answer, and the chance that a fact is asked for."""
    asks, chances = reranker.read(query, [fact.line for fact in facts])
    best: dict[str, float] = {}
    for fact, chance in zip(facts, chances, strict=True):
        best[fact.hit.passage.id] = max(chance, best.get(fact.hit.passage.id, 0.0))
    found = [replace(hit, answers=best[hit.passage.id]) for hit in hits if hit.passage.id in best]
    found = sorted(found, key=lambda hit: -(hit.answers or 0.0))[:top_k]
    shown = {hit.passage.id: hit for hit in found}
    read = [
        replace(fact, score=chance, hit=shown[fact.hit.passage.id])
        for fact, chance in zip(facts, chances, strict=True)
        if fact.hit.passage.id in shown
    ]
    return found, sorted(read, key=lambda fact: -fact.score), asks


def update_index(
    workspace: Workspace, persona: Persona, progress: Progress = lambda _done, _total: None
) -> Built:
    """Brings a persona's index up to date with its documents."""
    setting = persona.config.knowledge.embedder
    opened: Callable[[], Embedder] = lambda: open_embedder(  # noqa: E731
        setting, persona.language, workspace.models
    )
    return index.build(
        persona.folder / "knowledge", IndexStore(workspace.knowledge(persona.name)), opened,
        setting, persona.language, progress,
    )  # fmt: skip


def is_current(workspace: Workspace, persona: Persona) -> bool:
    """Whether the index was made from just the documents that are there now."""
    store = IndexStore(workspace.knowledge(persona.name))
    setting = persona.config.knowledge.embedder
    return index.is_current(persona.folder / "knowledge", store, setting, persona.language)


def likeliest(
    search: Search, question: str, hits: Sequence[Hit], meaning: float | None = None
) -> list[Fact]:
    """The facts of the passages, those that answer likeliest first.

    A fact counts by its passage's score, by the question's words in it, by its own likeness to the
    question, and by whether it holds the kind of answer that is wanted.
    """
    places = [(hit, place) for hit in hits for place in range(len(hit.passage.facts))]
    lines = [f"{hit.passage.heading}: {hit.passage.facts[place]}" for hit, place in places]
    weight = search.meaning if meaning is None else meaning
    likeness = search.likeness(question, lines)
    facts = [
        Fact(
            line, hit, place,
            hit.score + (1 - weight) * hit.covered[place] + weight * float(alike)
            + KIND * answer_type.match(question, hit.passage.facts[place]),
        )
        for (hit, place), line, alike in zip(places, lines, likeness, strict=True)
    ]  # fmt: skip
    return sorted(facts, key=lambda fact: -fact.score)


def explaining(search: Search, question: str, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that can answer: all, but for a question what something is.

    That is answered by what stands under its name and says more than figures. An interest rate
    under a product's name says nothing of what interest is; the brand's voice does.
    """
    wanted = set(search.words.terms(answer_type.defined(question.split(AFTER)[-1])))
    if not wanted:
        return list(facts)
    found = []
    for fact in facts:
        subject, _, text = fact.quote.rpartition(": ")
        named = " ".join((*fact.hit.passage.headings, fact.hit.passage.question, subject))
        if wanted <= set(search.words.terms(named)) and answer_type.explains(text):
            found.append(fact)
    return found


def as_sentence(text: str) -> str:
    """A fact as it can be said: a row or an item gets the full stop it lacks."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def queries(conversation: Sequence[Message], language: str = "en") -> list[str]:
    """What may be searched for: the last message, alone or after the one before it.

    Both, if it is a short question or goes on: "got wifi?" and "and on Sundays?" may be questions
    of their own, "large?" and "and a large one?" are not. Only after it, if it leans back: "how
    much is that?"; or corrects it: "no, I meant the large one". Who wants to talk to a person is
    told where to find one. Nothing if it only greets or thanks.
    """
    said = _said(conversation)
    asked = [message.content.strip() for message in conversation if message.role == "user"]
    if not said or said[-1] != asked[-1]:
        return []
    last = said[-1]
    words, asks = len(re.findall(r"\w+", last)), answer_type.is_question(last)
    if not asks and words <= MANY and _PERSON.search(last):
        return [*_CONTACT.get(language, _CONTACT["en"])]
    about = _ABOUT.get(language, _ABOUT["en"])
    if len(said) == 1:
        return [last]
    # What goes on may have brought a subject of its own, "what about parking?", or not.
    before = dict.fromkeys((said[-2], _subject(said[:-1])))
    joined = [f"{subject}{AFTER}{last}" for subject in before]
    meant = _CORRECTS.sub(" ", last).strip(" .,;") if words <= LEANING else last
    if meant != last and meant:
        told = meant if answer_type.is_question(meant) else about.format(meant)
        return [f"{subject}{AFTER}{told}" for subject in before]
    if asks and words <= LEANING and _LEANS_BACK.search(last):
        return joined
    if _GOES_ON.match(last) and (asks or (words <= 4 and not _OBJECTS.match(last))):
        return [*joined, last]
    if words <= SHORT and _ONE_OF.match(last):
        return [f"{subject}{AFTER}{about.format(last.strip(' .,;'))}" for subject in before]
    refers = words <= LEANING and _REFERS.search(last)
    return [last, *joined] if asks and (words <= SHORT or refers) else [last]


def _subject(said: Sequence[str]) -> str:
    """The last message that can be understood alone; "and a large one?" is about one before it."""
    for message in reversed(said):
        back = _GOES_ON.match(message) or _LEANS_BACK.search(message) or _DOUBTS.match(message)
        if not back:
            return message
    return said[-1]


def _doubted(conversation: Sequence[Message]) -> str:
    """The question whose answer the last message doubts ("are you sure?"); "" if it does not."""
    said = _said(conversation)
    if len(said) < 2 or not _DOUBTS.match(said[-1]):
        return ""
    subject = _subject(said[:-1])
    return subject if subject == said[-2] else f"{subject}{AFTER}{said[-2]}"


def _said(conversation: Sequence[Message]) -> list[str]:
    """A person's messages without those that only greet or thank."""
    said = (message.content.strip() for message in conversation if message.role == "user")
    return [message for message in said if not answer_type.is_courtesy(message)]
