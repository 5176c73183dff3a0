"""What a reply is given beside the conversation, and what of that it used.

Facts from the persona's documents, and the nearest style examples if it wants them. What is looked
up is kept open: an index follows its documents, examples are read once for each version.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from brandbot import approved, examples
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.strict import known_to
from brandbot.workspace import Workspace

if TYPE_CHECKING:
    from brandbot.bot import Reply, Voice
    from brandbot.examples import Example
    from brandbot.grounding import Known
    from brandbot.knowledge.lookup import Found, Lookup
    from brandbot.models import Say
    from brandbot.nearest import Nearest


@dataclass
class Given:
    """Thread-safe; loads nothing before it is needed."""

    workspace: Workspace
    say: Say | None = None
    _lookups: dict[str, Lookup] = field(default_factory=dict)
    _known: dict[tuple[str, str], Known] = field(default_factory=dict)
    _nearest: dict[tuple[str, str], Nearest] = field(default_factory=dict)
    _opens: dict[tuple[str, str], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, persona: Persona, messages: Sequence[Message]) -> Found | None:
        """What the persona's documents say to the last message.

        None if it has none; a strict persona then knows that nothing was found.
        """
        knowledge = persona.config.knowledge
        indexed = self.workspace.knowledge(persona.name).is_dir()
        if not knowledge.enabled or not (indexed or knowledge.strict):
            return None
        from brandbot.knowledge.lookup import Found, Lookup
        from brandbot.knowledge.queries import queries

        with self._lock:
            lookup = self._lookups.setdefault(
                persona.name, Lookup(self.workspace, persona.name, self.say)
            )
        if not indexed or lookup.search is None:
            query = "".join(queries(messages, persona.language)[:1])
            return Found(query) if knowledge.strict else None
        return lookup.find(messages, knowledge)

    def check(
        self, reply: Reply, messages: Sequence[Message], unsourced: Collection[str] = ()
    ) -> None:
        """Finds the reply's sources, and what in it stands nowhere.

        What earlier replies said counts as standing somewhere, unless it is in ``unsourced``.
        """
        if reply.found is None:
            return
        from brandbot.grounding import settled
        from brandbot.knowledge import sources

        search = self._lookups[reply.voice.persona.name].search
        if search is not None:
            found = reply.found
            reply.sources = sources.used(reply.text, found.query, found.facts, search.words)
        known = self._known_to(reply.voice)
        asked = [m.content for m in messages if m.role != "assistant"]
        words = "|".join(map(re.escape, unsourced)) or "(?!)"
        made_up = re.compile(rf"(?<!\w)(?<!\d[.,:])(?:{words})(?!\w|[.,:]\d)")
        said = [
            made_up.sub(" ", settled(message.content))
            for message in messages if message.role == "assistant"
        ]  # fmt: skip
        reply.unknown = known.inventions(
            reply.text, "\n".join(asked + said), list(reply.found.lines)
        )

    def shots(self, voice: Voice, messages: Sequence[Message]) -> list[Message]:
        """The nearest style examples as turns before the conversation, if the persona wants any."""
        count = voice.persona.config.generation.style_shots
        if not count:
            return []
        from brandbot.nearest import Nearest

        key = (voice.persona.name, voice.version_name)
        with self._lock:
            if key not in self._nearest:
                self._nearest[key] = Nearest(self._examples(voice.persona))
            nearest = self._nearest[key]
        found = nearest.find(messages[-1].content, count)
        return [message for example in found for message in example.messages]

    def opens(self, voice: Voice) -> bool:
        """Whether the brand's replies to questions about facts begin in its voice."""
        if voice.version is None:
            return False
        from brandbot import opening

        persona, key = voice.persona, (voice.persona.name, voice.version_name)
        with self._lock:
            if key not in self._opens:
                self._opens[key] = opening.used(self._examples(persona), persona.language)
            return self._opens[key]

    def _examples(self, persona: Persona) -> Sequence[Example]:
        """Those that are trained on: what was approved beyond the limits is not shown either."""
        folder = self.workspace.persona(persona.name)
        read = examples.read(folder / "examples").examples
        return approved.choose(read, persona.config.review, folder).examples

    def _known_to(self, voice: Voice) -> Known:
        key = (voice.persona.name, voice.version_name)
        with self._lock:
            if key not in self._known:
                folder = self.workspace.persona(voice.persona.name)
                self._known[key] = known_to(voice.persona, folder)
            return self._known[key]
