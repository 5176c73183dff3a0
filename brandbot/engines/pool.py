"""The engines that are open: one a base, with the versions that speak; replaced when one lacks.

A version that goes live is not in an engine that is open already. One of transformers takes it up,
so that no large base is loaded twice. For llama.cpp a new one is opened beside the old and takes
the next replies; the old one ends with the replies it has begun.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from brandbot.adapters import AdapterStore, Version
from brandbot.engines.base import Engine, EngineName, open_engine
from brandbot.engines.transformers import TransformersEngine
from brandbot.errors import BrandbotError
from brandbot.models import BaseModel, Say
from brandbot.workspace import Workspace

KEPT = 6
"""Versions an engine goes on holding after others went live, for whoever compares them."""

KEPT_FULL = 2
"""Fully fine-tuned versions held at once: the live one, and one to compare it with."""


@dataclass
class _Opened:
    engine: Engine
    versions: list[Version]
    users: int = 0
    outdated: bool = False


@dataclass
class EnginePool:
    """Opens engines when they are first needed. Thread-safe: replies may run side by side."""

    workspace: Workspace
    engine: EngineName = "auto"
    say: Say | None = None
    _opened: dict[str, _Opened] = field(default_factory=dict)
    _opening: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def use(self, base: BaseModel, version: Version | None) -> Iterator[Engine]:
        """The engine for a version, or for the untuned base, as long as a reply takes."""
        key = _key(base, version)
        with self._lock:
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:  # a model that loads holds up only who waits for it
            opened = self._begun(key, version) or self._open(key, base, version)
        try:
            yield opened.engine
        finally:
            with self._lock:
                opened.users -= 1
                _close_if_unused(opened)

    def name(self, base: BaseModel, version: Version | None) -> str | None:
        """What kind of engine holds a version, if one does."""
        opened = self._opened.get(_key(base, version))
        return opened.engine.name if opened else None

    def close(self) -> None:
        with self._lock:
            for opened in self._opened.values():
                opened.engine.close()
            self._opened.clear()

    def _begun(self, key: str, version: Version | None) -> _Opened | None:
        """The open engine, one more reply counted in; None if there is none with the version."""
        with self._lock:
            opened = self._opened.get(key)
            if opened is None:
                return None
            if version is not None and version.folder not in [v.folder for v in opened.versions]:
                return None
            opened.users += 1
            return opened

    def _open(self, key: str, base: BaseModel, version: Version | None) -> _Opened:
        before = self._opened.get(key)
        wanted = self._wanted(base, before.versions if before else [], version)
        if before is not None and isinstance(before.engine, TransformersEngine):
            if before.users:  # what a reply is on its way with is not let go of
                held = {version.folder: version for version in [*before.versions, *wanted]}
                wanted = list(held.values())
            before.engine.hold(wanted)
            with self._lock:
                before.versions, before.users = wanted, before.users + 1
            return before
        engine = open_engine(self.engine, base, wanted, self.workspace.models, say=self.say)
        opened = _Opened(engine, wanted, users=1)
        with self._lock:
            old = [self._opened.pop(key)] if key in self._opened else []
            self._opened[key] = opened
            full = [key for key, one in self._opened.items()
                    if one.versions and one.versions[0].method == "full"]  # fmt: skip
            old += [self._opened.pop(key) for key in full[:-KEPT_FULL]]  # each is a whole model
            for one in old:
                one.outdated = True
                _close_if_unused(one)
        return opened

    def _wanted(
        self, base: BaseModel, loaded: Sequence[Version], version: Version | None
    ) -> list[Version]:
        """All versions an engine should hold: the asked one, and every live one on this base."""
        if version is not None and version.method == "full":
            return [version]
        # One whose folder was deleted meanwhile can't be loaded again.
        there = [v for v in loaded if (v.folder / "version.json").is_file()]
        wanted = {v.folder: v for v in [*there[-KEPT:], version] if v is not None}
        for name in self.workspace.persona_names():
            try:
                live = AdapterStore(self.workspace.adapters(name)).live()
            except BrandbotError:
                continue  # its own replies will say what is wrong with it
            if live and live.method == "lora" and live.meta["base_sha256"] == base.sha256:
                wanted[live.folder] = live
        return list(wanted.values())


def _close_if_unused(opened: _Opened) -> None:
    if opened.outdated and opened.users == 0:
        opened.engine.close()


def _key(base: BaseModel, version: Version | None) -> str:
    full = version is not None and version.method == "full"
    return str(version.folder) if version is not None and full else base.sha256
