"""What each prompt of an evaluation is given to know, as it would be served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from brandbot.evaluation.findings import Asked
from brandbot.examples import Example
from brandbot.knowledge import lookup
from brandbot.knowledge.lookup import Found, Lookup
from brandbot.knowledge.queries import queries
from brandbot.models import Say
from brandbot.persona import Knowledge, Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace


class Served:
    """The facts that search finds; an example's own facts, if it has any, stand for them."""

    def __init__(
        self, workspace: Workspace, persona: Persona, knowledge: Knowledge, say: Say | None = None
    ) -> None:
        """``knowledge`` are the settings that the version is served with."""
        self._settings, self._language = knowledge, persona.language
        self._lookup: Lookup | None = None
        if knowledge.enabled and (persona.folder / "knowledge").is_dir():
            lookup.update_index(workspace, persona)
            self._lookup = Lookup(workspace, persona.name, say)

    def asked(self, one: Asked) -> Asked:
        if one.example is not None and one.example.facts:
            return replace(one, facts=one.example.facts)
        found = self._find(one.conversation)
        example = one.example and replace(one.example, facts=found.lines)
        return replace(
            one, facts=found.lines, quote=found.quote, beyond=found.beyond, example=example
        )

    def alone(self, prompt: str) -> Asked:
        """A message without a conversation, that has no place in a file."""
        return self.asked(Asked((Message("user", prompt),), "", ""))

    def example(self, one: Example) -> Example:
        if one.facts:
            return one
        return replace(one, facts=self._find(one.messages[:-1]).lines)

    def _find(self, conversation: Sequence[Message]) -> Found:
        if self._lookup is None or self._lookup.search is None:
            strict = self._settings.enabled and self._settings.strict
            return Found("".join(queries(conversation, self._language)[:1]) if strict else "")
        return self._lookup.find(conversation, self._settings)
