"""brandbot: a brand's own voice, from a folder of examples.

The public surface. Importing it loads nothing heavy: a name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from brandbot.errors import (
    BrandbotError,
    EngineError,
    GateError,
    KnowledgeError,
    LockHeldError,
    LogError,
    MissingExtraError,
    ModelError,
    PersonaError,
    TrainingError,
    VersionError,
    WorkspaceError,
)

if TYPE_CHECKING:
    from brandbot.adapters import AdapterStore, Version
    from brandbot.bot import UNTUNED, Bot, Reply, Voice
    from brandbot.conversations import ConversationLog, Turn
    from brandbot.evaluation.report import Report
    from brandbot.evaluation.run import evaluate
    from brandbot.examples import Example
    from brandbot.knowledge.lookup import Found, update_index
    from brandbot.knowledge.search import Hit
    from brandbot.lint import check
    from brandbot.persona import Persona
    from brandbot.prompt import Message
    from brandbot.taste import Pair, Results, Taste
    from brandbot.training.run import plan, train
    from brandbot.workspace import Workspace


__version__ = "0.1.0"

_HOMES = {
    "AdapterStore": "adapters",
    "Version": "adapters",
    "UNTUNED": "bot",
    "Bot": "bot",
    "Reply": "bot",
    "Voice": "bot",
    "ConversationLog": "conversations",
    "Turn": "conversations",
    "Report": "evaluation.report",
    "evaluate": "evaluation.run",
    "Example": "examples",
    "Found": "knowledge.lookup",
    "update_index": "knowledge.lookup",
    "Hit": "knowledge.search",
    "check": "lint",
    "Persona": "persona",
    "Message": "prompt",
    "Pair": "taste",
    "Results": "taste",
    "Taste": "taste",
    "plan": "training.run",
    "train": "training.run",
    "Workspace": "workspace",
}

__all__ = [
    "UNTUNED",
    "AdapterStore",
    "Bot",
    "BrandbotError",
    "ConversationLog",
    "EngineError",
    "Example",
    "Found",
    "GateError",
    "Hit",
    "KnowledgeError",
    "LockHeldError",
    "LogError",
    "Message",
    "MissingExtraError",
    "ModelError",
    "Pair",
    "Persona",
    "PersonaError",
    "Reply",
    "Report",
    "Results",
    "Taste",
    "TrainingError",
    "Turn",
    "Version",
    "VersionError",
    "Voice",
    "Workspace",
    "WorkspaceError",
    "__version__",
    "check",
    "evaluate",
    "plan",
    "train",
    "update_index",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'brandbot' has no attribute {name!r}")
    return getattr(import_module(f"brandbot.{home}"), name)
