"""What a reply is given to know: the facts that search finds for the last message.

Small models read badly and short: they get a few single sentences, the likeliest first, each under
its heading, instead of whole passages. The same lines are mixed into training.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brandbot.errors import KnowledgeError
from brandbot.knowledge import answer_type, index
from brandbot.knowledge.embedder import Embedder, open_embedder
from brandbot.knowledge.index import Built, IndexStore, Progress
from brandbot.knowledge.search import Hit, Search
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace

MOST_FACTS = 4
"""Lines a prompt holds at most; with four, 94 of 100 held the answer (docs/notes.md)."""

KIND = 0.1
"""What the wanted kind of answer adds to a fact's score."""

GOOD_ENOUGH = 0.55
"""Score of the best fact below which nothing was found (docs/notes.md)."""

NEAR = 0.1
"""A second fact that scores within this of the best is quoted with it."""

_GOES_ON = re.compile(
    r"^\W*(?:and|or|but|also|what about|how about"
    r"|y|e|o|pero|tambi[eé]n|qu[eé] tal|qu[eé] pasa con)\b",
    re.IGNORECASE,
)
_OBJECTS = re.compile(r"^\W*(?:but|pero)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Fact:
    """A sentence, list item or row of a passage, as a line of a prompt: ``Heading: text``."""

    line: str
    hit: Hit
    place: int
    score: float

    @property
    def quote(self) -> str:
        return self.hit.passage.facts[self.place]


@dataclass(frozen=True)
class Found:
    """``facts`` go into the prompt, none if nothing was good enough; ``hits`` is all of it."""

    query: str
    facts: tuple[Fact, ...] = ()
    hits: tuple[Hit, ...] = ()

    @property
    def beyond(self) -> bool:
        """Whether a fact is asked for that no document holds."""
        return not self.facts and answer_type.asks_for_a_fact(self.query)

    @property
    def quote(self) -> str:
        """The documents' own words that a reply holds as they stand; "" for small talk.

        The best fact, and the next one where the two are about as likely to answer.
        """
        if not self.facts or not answer_type.is_question(self.query):
            return ""
        first, *others = self.facts
        said = [first, *(fact for fact in others[:1] if fact.score >= first.score - NEAR)]
        return " ".join(as_sentence(fact.quote) for fact in said)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(fact.line for fact in self.facts)


class Lookup:
    """One persona's documents, searched. Takes a new build with the next search; thread-safe."""

    def __init__(self, workspace: Workspace, persona: str) -> None:
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
        self, conversation: Sequence[Message], top_k: int, *, meaning: float | None = None
    ) -> Found:
        """What is known for the last message, which may go on from that before.

        ``meaning`` is the weight of meaning, by default what the index measured.
        """
        asked = queries(conversation)
        search = self.search
        if search is None or not asked:
            return Found(asked[0] if asked else "")
        return max((_found(search, query, top_k, meaning) for query in asked), key=_best)


def _found(search: Search, query: str, top_k: int, meaning: float | None) -> Found:
    hits = search.find(query, top_k, meaning=meaning)
    facts = choose(search, query, hits, meaning) if hits else []
    facts = explaining(search, query, facts)
    if not facts or facts[0].score < GOOD_ENOUGH:
        return Found(query, (), tuple(hits))
    return Found(query, tuple(facts), tuple(hits))


def _best(found: Found) -> float:
    return found.facts[0].score if found.facts else 0.0


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


def choose(
    search: Search, question: str, hits: Sequence[Hit], meaning: float | None = None
) -> list[Fact]:
    """The few facts of the passages that answer likeliest, the best first.

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
    facts.sort(key=lambda fact: -fact.score)
    return facts[:MOST_FACTS]


def explaining(search: Search, question: str, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that can answer: all, but for a question what something is.

    That is answered by what stands under its name and says more than figures. An interest rate
    under a product's name says nothing of what interest is; the brand's voice does.
    """
    wanted = set(search.words.terms(answer_type.defined(question)))
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


def queries(conversation: Sequence[Message]) -> list[str]:
    """What may be searched for: the last message, alone or after the one before it.

    Both, if it is a short question or goes on: "got wifi?" and "and on Sundays?" may be questions
    of their own, "large?" and "and a large one?" are not. Nothing if it only greets or thanks.
    """
    said = [message.content.strip() for message in conversation if message.role == "user"]
    if not said or answer_type.is_courtesy(said[-1]):
        return []
    last = said[-1]
    if len(said) == 1:
        return [last]
    joined = f"{said[-2]} {last}"
    words, asks = len(re.findall(r"\w+", last)), answer_type.is_question(last)
    if _GOES_ON.match(last) and (asks or (words <= 4 and not _OBJECTS.match(last))):
        return [joined, last]
    return [last, joined] if asks and words <= 3 else [last]
