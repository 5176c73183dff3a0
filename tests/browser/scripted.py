"""A workspace of small brands and an engine that says what a test tells it to.

The engine is the only fake: personas, versions, prompts, bot and log are real.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from brandbot import AdapterStore, ConversationLog, Persona, Workspace, update_index
from brandbot.engines.base import Chunk, Request
from brandbot.models import resolve

WAIT = "\0wait"
"""In a script: stand still until ``ScriptedEngine.go()``."""

FOREVER = "\0forever"
"""In a script: words without end, until the reply is closed."""

PATIENCE = 30.0


@dataclass
class ScriptedEngine:
    """Says the next script, a list of pieces, or ``Piece one, piece two.`` when none is left.

    An exception among the pieces is raised. ``calls`` holds every request, ``closed`` the number of
    those that were closed before their end.
    """

    name: str = "scripted"
    scripts: list[list[str | Exception]] = field(default_factory=list)
    calls: list[Request] = field(default_factory=list)
    closed: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _going: bool = False

    def will_say(self, *pieces: str | Exception) -> None:
        self.scripts.append(list(pieces))

    def reset(self) -> None:
        self.go()
        self.scripts, self.calls, self.closed, self._going = [], [], 0, False

    def go(self) -> None:
        with self._changed:
            self._going = True
            self._changed.notify_all()

    def was_closed(self, times: int = 1) -> bool:
        """Waits until so many replies were closed before their end."""
        with self._changed:
            return self._changed.wait_for(lambda: self.closed >= times, PATIENCE)

    def generate(self, request: Request) -> Iterator[Chunk]:
        self.calls.append(request)
        script = self.scripts.pop(0) if self.scripts else ["Piece one, ", "piece two."]
        try:
            for piece in script:
                if isinstance(piece, Exception):
                    raise piece
                if piece == WAIT:
                    with self._changed:
                        self._changed.wait_for(lambda: self._going, PATIENCE)
                elif piece == FOREVER:
                    number = 0
                    while True:
                        yield Chunk(f"word{number} ")
                        number += 1
                        with self._changed:  # a pace that a browser can follow
                            self._changed.wait(0.02)
                else:
                    yield Chunk(piece)
            yield Chunk("", "stop")
        except GeneratorExit:
            with self._changed:
                self.closed += 1
                self._changed.notify_all()
            raise

    def close(self) -> None:
        pass


def opening(engine: ScriptedEngine) -> Any:
    """A stand-in for ``open_engine``."""

    def open_engine(*_: Any, **__: Any) -> ScriptedEngine:
        return engine

    return open_engine


def make_base(folder: Path) -> Path:
    """A base model of no weights: enough for prompts, which is all that is asked of it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {token: number for number, token in enumerate(["<eos>", *sorted(alphabet)])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<eos>"])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<eos>"}')
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"no weights")
    return folder


def make_persona(root: Path, folder_name: str, base: Path, **settings: Any) -> None:
    import yaml

    folder = root / "personas" / folder_name
    folder.mkdir(parents=True)
    config = {"name": folder_name.title(), "base_model": str(base), **settings}
    (folder / "persona.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    (folder / "voice.md").write_text("Be kind.\n")


def make_documents(workspace: Workspace, name: str, documents: dict[str, str]) -> None:
    """Writes a persona's documents, by their names, and its index, as ``brandbot index`` does."""
    persona = Persona.load(workspace.persona(name))
    folder = persona.folder / "knowledge"
    folder.mkdir(exist_ok=True)
    for file, text in documents.items():
        (folder / file).write_text(text, "utf-8")
    update_index(workspace, persona)


def publish(workspace: Workspace, name: str) -> None:
    """A live version of a persona, as training would publish it, of no weights."""
    persona = Persona.load(workspace.persona(name))
    base = resolve(persona.config.base_model, workspace.models)
    form = base.prompt_format()
    store = AdapterStore(workspace.adapters(name))
    with store.publishing() as (folder, meta):
        (folder / "adapter_model.safetensors").write_bytes(b"no weights")
        (folder / "chat_template.jinja").write_text(form.template, "utf-8")
        for file in ("persona.yaml", "voice.md"):
            (folder / file).write_bytes((persona.folder / file).read_bytes())
        meta.update(
            method="lora",
            persona=name,
            base_model=persona.config.base_model,
            base_sha256=base.sha256,
            prompt_fingerprint=form.fingerprint(persona.system_prompt),
        )
    store.promote(int(meta["version"]))


def make_workspace(root: Path) -> Workspace:
    """``acme`` is trained and English, ``bruma`` untuned and Spanish, ``broken`` can't be read."""
    base = make_base(root / "base")
    make_persona(
        root, "acme", base, name="Acme Tools", greeting="Hi, Acme here.",
        starters=["Do you sell hammers?", "Where are you?"],
    )  # fmt: skip
    make_persona(
        root, "bruma", base, name="Bruma", language="es", greeting="Hola, soy Bruma.",
        starters=["¿Abrís hoy?"],
    )  # fmt: skip
    (root / "personas" / "broken").mkdir()
    (root / "personas" / "broken" / "persona.yaml").write_text("nam: Oops\n")
    workspace = Workspace(root)
    publish(workspace, "acme")
    return workspace


def converse(
    log: ConversationLog, *said: str, persona: str = "acme", channel: str = "web", **details: Any
) -> int:
    """Logs a conversation, the person first; the number of its last turn, which ``details`` are of."""
    conversation = log.start(persona, channel)
    for place, text in enumerate(said[:-1]):
        log.add(conversation, "assistant" if place % 2 else "user", text)
    role = "user" if len(said) % 2 else "assistant"
    return log.add(conversation, role, said[-1], **{"version": "0001", **details})


@contextmanager
def tidy() -> Iterator[None]:
    """Closes the event loops that Gradio makes for its locks and drops (``safe_get_lock``).

    Left alone, each is a ResourceWarning in whichever test the garbage collector runs.
    """
    made: list[asyncio.AbstractEventLoop] = []
    real = asyncio.new_event_loop

    def kept() -> asyncio.AbstractEventLoop:
        made.append(real())
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", kept)
        yield
    asyncio.set_event_loop(None)
    for loop in made:
        loop.close()
