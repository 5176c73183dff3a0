"""What a visitor's browser remembers: the brand last talked to, and a conversation for each brand.

It comes back from the browser, so it is read as untrusted text: whatever does not have this shape
is forgotten. A conversation's id can't be guessed; who holds it, owns the conversation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

STORAGE_KEY = "brandbot.studio"
SECRET = "brandbot.studio.1"
"""Gradio encrypts what it stores with it and hands it to every browser: it protects nothing, but
has to stay the same for what was stored to be readable after a restart."""

_LONGEST = 64


@dataclass(frozen=True)
class Memory:
    persona: str | None = None
    conversations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Any) -> Memory:
        if not isinstance(stored, dict):
            return cls()
        persona = stored.get("persona")
        kept = stored.get("conversations")
        return cls(
            persona if _is_name(persona) else None,
            {k: v for k, v in kept.items() if _is_name(k) and _is_name(v)}
            if isinstance(kept, dict)
            else {},
        )

    def written(self) -> dict[str, Any]:
        return {"persona": self.persona, "conversations": self.conversations}

    def at(self, persona: str) -> Memory:
        return replace(self, persona=persona)

    def holding(self, persona: str, conversation: str | None) -> Memory:
        """This memory with another conversation for a brand, or with none."""
        others = {k: v for k, v in self.conversations.items() if k != persona}
        if conversation is not None:
            others[persona] = conversation
        return Memory(persona, others)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST
