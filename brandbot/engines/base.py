"""The protocol every engine follows.

An engine gets token ids that ``prompt.py`` made and gives text back; it knows no template, no
persona and no conversation. Closing the iterator stops the machine, not only the text.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from brandbot.adapters import Version
from brandbot.errors import EngineError
from brandbot.models import BaseModel, Say
from brandbot.prompt import PromptFormat

Finish = Literal["stop", "length"]

CONTEXT = 4096
"""Tokens of prompt and reply each request has room for, where the model was made for as many."""

TOP_K, MIN_P = 40, 0.05
"""Sampling limits of both engines: so many words, and none below this share of the likeliest."""

PENALISED = 64
"""The latest tokens that ``repeat_penalty`` counts against."""

EngineName = Literal["auto", "llamacpp", "transformers"]


def context(form: PromptFormat) -> int:
    """Tokens of prompt and reply that a request has room for with a model."""
    return min(CONTEXT, form.positions or CONTEXT)


@dataclass(frozen=True)
class Request:
    """What to generate from.

    ``adapter`` is a version the engine was opened with, or None for the untuned base; ``strength``
    (0 to 1) scales it. ``temperature`` 0 is greedy. ``stop_ids`` end the reply;
    llama.cpp knows them from its own file.
    """

    ids: Sequence[int]
    stop_ids: Sequence[int]
    adapter: Version | None = None
    strength: float = 1.0
    max_tokens: int = 200
    temperature: float = 0.4
    top_p: float = 0.9
    repeat_penalty: float = 1.1
    seed: int | None = None


@dataclass(frozen=True)
class Chunk:
    """A piece of a reply. The last one has ``finish`` set: the reply ended or was cut off."""

    text: str
    finish: Finish | None = None


class Engine(Protocol):
    name: str

    def generate(self, request: Request) -> Iterator[Chunk]:
        """Streams a reply. Raises EngineError; closing the iterator stops the computation."""
        ...

    def close(self) -> None: ...


def pump(name: str, produce: Callable[[Callable[[Any], bool]], object]) -> Iterator[Any]:
    """Runs ``produce(put)`` in a thread and yields what it puts.

    ``put`` returns True once nobody reads any more: the computation is to stop then. Closing the
    iterator waits until it has. What ``produce`` raises is raised here as EngineError.
    """
    made: queue.Queue[tuple[Any, BaseException | None] | None] = queue.Queue()
    closed = threading.Event()

    def put(item: Any) -> bool:
        made.put((item, None))
        return closed.is_set()

    def work() -> None:
        try:
            produce(put)
        except Exception as error:  # noqa: BLE001  # whatever it is, the reader has to hear of it
            made.put((None, error))
        finally:
            made.put(None)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while (entry := made.get()) is not None:
            item, error = entry
            if isinstance(error, EngineError):
                raise error
            if error is not None:
                raise EngineError(f"{name} failed: {error}") from error
            yield item
    finally:
        closed.set()
        worker.join()


def open_engine(
    name: EngineName,
    base: BaseModel,
    versions: Sequence[Version],
    models: Path,
    say: Say | None = None,
    parallel: int = 4,
) -> Engine:
    """An engine over one base with several versions, chosen per request.

    ``auto``: transformers where there is a GPU, else llama.cpp, or transformers if a file can't be
    had for llama.cpp. A fully fine-tuned version is a base of its own: it is opened alone.
    """
    full = [version for version in versions if version.method == "full"]
    if full and len(versions) > 1:
        raise EngineError("A fully fine-tuned version is a model of its own; open it alone.")
    if name == "auto":
        written = all(version.gguf is not None for version in versions)
        name = "llamacpp" if written and not _has_gpu() else "transformers"
    if name == "transformers":
        from brandbot.engines.transformers import TransformersEngine

        return TransformersEngine(base, versions)
    from brandbot.engines.llamacpp import LlamaCppEngine

    return LlamaCppEngine(base, versions, models, say=say, parallel=parallel)


def _has_gpu() -> bool:
    """Whether torch can use a GPU; torch takes seconds and is asked only if there is a driver."""
    if not Path("/proc/driver/nvidia/version").exists():
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()
