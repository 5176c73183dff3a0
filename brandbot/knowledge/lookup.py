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
from brandbot.knowledge.queries import AFTER, doubted, otherwise, parts, queries
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

ANSWERS, NEARLY = 0.34, 0.6
"""The chance that the best fact answers below which nothing was found, and the share of it that the
second one must reach to be quoted, too; where a reranker reads them."""

GIVEN = 0.1
"""The share of the best fact's chance below which a fact is not given to the model, where a
reranker reads them: a small model says it all the same, as if it were of what was asked
(docs/notes.md)."""

ASKS, TALKS = 0.9, 0.03
"""A reranker's chance from which a question asks for a fact of the documents, and below which no
message does, though it is worded so: "are you a real person?"."""


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

        ``meaning`` is the weight of meaning, by default what the index measured. Of a message with
        several questions each is looked up; it is read as a whole if less than two are answered,
        unless all but one are talk.
        """
        search = self.search
        if search is None:
            return Found("".join(queries(conversation)[:1]))
        *before, last = conversation
        asked = [Message("user", part) for part in parts(last.content)][:MOST_FACTS]
        found = [
            self._find(search, [*before, *asked[:n]], settings, meaning)
            for n in range(1, len(asked) + 1)
            if len(asked) > 1
        ]
        if together := _together(last.content, found, settings.top_k):
            return together
        # "are you a real person? and what does it cost": only one of them wants to know something.
        wanted = [each for each in found if each.asks is None or each.asks >= TALKS]
        if len(found) > len(wanted) == 1:
            return wanted[0]
        return self._find(search, conversation, settings, meaning)

    def _find(
        self, search: Search, conversation: Sequence[Message], settings: Knowledge,
        meaning: float | None,
    ) -> Found:  # fmt: skip
        asked = queries(conversation, search.language)
        reranker = open_reranker(self._models, self._say) if settings.reranker else None
        if not asked:
            return Found("")
        if before := doubted(conversation):
            again = _found(search, before, settings.top_k, meaning, reranker)
            if again.facts:
                return again
        every = [_found(search, query, settings.top_k, meaning, reranker) for query in asked]
        best = max(every, key=lambda found: found.facts[0].score if found.facts else 0.0)
        if best.quote:
            return best
        may_ask = (best.asks or 0.0) >= TALKS
        others = otherwise(asked[-1], search.language, may_ask=may_ask)
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


def _together(message: str, found: Sequence[Found], top_k: int) -> Found | None:
    """The answers to several questions as one; None if there are not two."""
    answers = [each for each in found if each.quote]
    first = {(f.hit.passage.id, f.place): f for each in answers for f in each.facts[:1]}
    if len(first) < 2:
        return None
    hits = {hit.passage.id: hit for each in reversed(answers) for hit in reversed(each.hits)}
    shown = sorted(hits.values(), key=lambda hit: -(hit.answers or hit.score))[:top_k]
    best = max(first.values(), key=lambda fact: fact.score)
    asks = max((each.asks for each in answers if each.asks is not None), default=None)
    return Found(message, tuple(first.values()), tuple(shown), len(first), best, asks)


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
    return text if re.search(r"[.!?…][)\]\"'»”’]*$", text) else f"{text}."
