"""brandbot: a brand's own voice, from a folder of examples.

The public surface. Importing it loads nothing heavy: a name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from brandbot.errors import (
    BrandbotError,
    BusyError,
    ChangedError,
    ClaimLostError,
    DiskFullError,
    EngineError,
    GateError,
    KnowledgeError,
    LockHeldError,
    LogError,
    MissingExtraError,
    ModelError,
    PairGoneError,
    PersonaError,
    PlaceholderError,
    ReviewConflictError,
    SameVersionError,
    TooLongError,
    TracesLeftError,
    TrainingError,
    UnwritableError,
    VersionError,
    WorkspaceError,
)

if TYPE_CHECKING:
    from brandbot.adapters import AdapterStore, Version
    from brandbot.bot import UNTUNED, Bot, Reply, Voice
    from brandbot.claims import Claim, Claims
    from brandbot.conversations import ConversationLog, Room, Turn
    from brandbot.evaluation.report import Report
    from brandbot.evaluation.run import evaluate
    from brandbot.examples import Example
    from brandbot.forget import Forgotten, expire, forget_person
    from brandbot.knowledge.lookup import Fact, Found, update_index
    from brandbot.knowledge.search import Hit
    from brandbot.lint import check
    from brandbot.persona import Persona
    from brandbot.prompt import Message
    from brandbot.review import Exchange, Outcome, Review
    from brandbot.taste import Pair, Results, Taste
    from brandbot.training.planning import plan
    from brandbot.training.run import train
    from brandbot.workspace import Workspace


__version__ = "0.1.0"

_HOMES = {
    "AdapterStore": "adapters",
    "Version": "adapters",
    "UNTUNED": "bot",
    "Bot": "bot",
    "Reply": "bot",
    "Voice": "bot",
    "Claim": "claims",
    "Claims": "claims",
    "ConversationLog": "conversations",
    "Room": "conversations",
    "Turn": "conversations",
    "Report": "evaluation.report",
    "evaluate": "evaluation.run",
    "Example": "examples",
    "Fact": "knowledge.lookup",
    "Found": "knowledge.lookup",
    "update_index": "knowledge.lookup",
    "Hit": "knowledge.search",
    "Forgotten": "forget",
    "expire": "forget",
    "forget_person": "forget",
    "check": "lint",
    "Persona": "persona",
    "Message": "prompt",
    "Exchange": "review",
    "Outcome": "review",
    "Review": "review",
    "Pair": "taste",
    "Results": "taste",
    "Taste": "taste",
    "plan": "training.planning",
    "train": "training.run",
    "Workspace": "workspace",
}

__all__ = [
    "UNTUNED",
    "AdapterStore",
    "Bot",
    "BrandbotError",
    "BusyError",
    "ChangedError",
    "Claim",
    "ClaimLostError",
    "Claims",
    "ConversationLog",
    "DiskFullError",
    "EngineError",
    "Example",
    "Exchange",
    "Fact",
    "Forgotten",
    "Found",
    "GateError",
    "Hit",
    "KnowledgeError",
    "LockHeldError",
    "LogError",
    "Message",
    "MissingExtraError",
    "ModelError",
    "Outcome",
    "Pair",
    "PairGoneError",
    "Persona",
    "PersonaError",
    "PlaceholderError",
    "Reply",
    "Report",
    "Results",
    "Review",
    "ReviewConflictError",
    "Room",
    "SameVersionError",
    "Taste",
    "TooLongError",
    "TracesLeftError",
    "TrainingError",
    "Turn",
    "UnwritableError",
    "Version",
    "VersionError",
    "Voice",
    "Workspace",
    "WorkspaceError",
    "__version__",
    "check",
    "evaluate",
    "expire",
    "forget_person",
    "plan",
    "train",
    "update_index",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'brandbot' has no attribute {name!r}")
    return getattr(import_module(f"brandbot.{home}"), name)
