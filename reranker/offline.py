"""Trains on a machine that can fetch nothing, such as many that have a GPU.

    python reranker/offline.py pack FOLDER --epochs 8                      # where brandbot is
    python reranker/offline.py train FOLDER OUT.safetensors --minutes 9    # there

There it takes this folder, ``brandbot/`` (without answers.safetensors), FOLDER, and what train.py
imports of others. FOLDER holds three files, 120 MB in all: what is learned as tokens, with the
vectors of those tokens alone, and the base's matrices as its 4-bit file has them. Before it learns,
a GPU compiles for half a minute.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

sys.path.insert(1, str(Path(__file__).parents[1]))  # brandbot isn't installed there

from data import Group, drawn, everything
from encoder import CrossEncoder
from train import ROWS, Steps, learn

TENSORS = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}  # fmt: skip
"""The matrices of a layer, by their names in GGUF files."""

WORDS = "token_embd.weight"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    packing = commands.add_parser("pack")
    packing.add_argument("folder", type=Path)
    packing.add_argument("--epochs", type=int, default=8)
    training = commands.add_parser("train")
    training.add_argument("folder", type=Path)
    training.add_argument("out", type=Path)
    training.add_argument("--minutes", type=float, required=True)
    asked = parser.parse_args()
    if asked.command == "pack":
        pack(asked.folder, asked.epochs)
    else:
        train(asked.folder, asked.out, asked.minutes)


def pack(folder: Path, epochs: int) -> None:
    import gguf

    from brandbot import Workspace, models

    home = Workspace.find(Path(__file__).parents[1]).models
    base = models.resolve(models.RERANKER, home).folder
    (file,) = (home / models.RERANKER).glob("*.gguf")
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "config.json", folder)
    (folder / "gguf").mkdir(exist_ok=True)
    (folder / "gguf" / "__init__.py").touch()
    for module in ("constants", "lazy", "quants"):
        shutil.copy(Path(gguf.__file__).parent / f"{module}.py", folder / "gguf")

    random.seed(1)
    texts = {"\n": 0}
    heads, lines = [], []
    for group in (group for _ in range(epochs) for group in drawn(everything())):
        whole = random.random() < 0.3
        heads.append((group.message, len(group.right), len(group.wrong)))
        lines += [line[whole] for line in (*group.right, *group.wrong)]
    for text in (*(message for message, _, _ in heads), *lines):
        texts.setdefault(text, len(texts))
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    read = [each.ids for each in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    begin = json.loads((base / "config.json").read_text("utf-8"))["bos_token_id"]
    used, places = np.unique([begin, *(word for ids in read for word in ids)], return_inverse=True)
    matrices = {}
    for name, tensor in stored.items():
        _, layer, kind = name.split(".")[:3] if name.startswith("blk.") else ("", "", "")
        if kind in TENSORS:
            to = f"layers.{layer}.{TENSORS[kind]}.weight"
            matrices[f"{to} {tensor.tensor_type.name}"] = np.asarray(tensor.data)
    norms = load_file(base / "model.safetensors")
    matrices |= {f"{name.removeprefix('model.')} F32": weight.numpy()
                 for name, weight in norms.items() if "norm" in name}  # fmt: skip
    for part in (0, 1):
        np.savez(folder / f"matrices-{part}.npz", **dict([*matrices.items()][part::2]))
    content = io.BytesIO()
    np.savez(
        content,
        heads=np.array([(texts[message], *counts) for message, *counts in heads], np.uint32),
        lines=np.array([texts[line] for line in lines], np.uint32),
        words=np.asarray(stored[WORDS].data)[used],
        words_kind=stored[WORDS].tensor_type.name,
        begin=places[0],
        tokens=places[1:].astype(np.uint16 if len(used) < 1 << 16 else np.uint32),
        ends=np.cumsum([len(ids) for ids in read]),
    )
    (folder / "learned.npz.xz").write_bytes(lzma.compress(content.getvalue(), preset=3))


def train(folder: Path, out: Path, minutes: float) -> None:
    packed = np.load(io.BytesIO(lzma.decompress((folder / "learned.npz.xz").read_bytes())))
    sys.path.insert(0, str(folder.absolute()))
    from gguf.constants import GGMLQuantizationType
    from gguf.quants import dequantize

    def weight(values: Any, kind: str) -> torch.Tensor:
        if kind != "F32":
            values = dequantize(values, GGMLQuantizationType[kind]).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(values))

    weights = {}
    for file in folder.glob("matrices-*.npz"):
        for key, values in np.load(file).items():
            name, kind = key.split()
            weights[name] = weight(values, kind)
    weights["embed_tokens.weight"] = weight(packed["words"], str(packed["words_kind"]))
    save_file(weights, folder / "model.safetensors")
    torch.manual_seed(1)
    on_gpu = torch.cuda.is_available()
    encoder = CrossEncoder(folder, "cuda" if on_gpu else "cpu", torch.bfloat16)
    encoder.compile()
    flat, ends = packed["tokens"].tolist(), [0, *packed["ends"].tolist()]
    groups = Packed(packed["heads"], packed["lines"])

    def tokens(text: Any) -> list[int]:
        at = 0 if text == "\n" else text  # all others are numbers already
        found: list[int] = flat[ends[at] : ends[at + 1]]
        return found

    learn(encoder, Steps(groups, tokens, int(packed["begin"]), ROWS[encoder.device]), minutes)
    save_file(encoder.stored(), out)


class Packed(Sequence[Group]):
    """Groups whose texts are numbers, made when they are asked for."""

    def __init__(self, heads: Any, lines: Any, starts: Any = None) -> None:
        self._heads, self._lines = heads, lines
        many = heads[:, 1].astype(np.int64) + heads[:, 2]
        self._starts = np.cumsum(many) - many if starts is None else starts

    def __len__(self) -> int:
        return len(self._heads)

    @overload
    def __getitem__(self, at: int) -> Group: ...
    @overload
    def __getitem__(self, at: slice) -> Packed: ...
    def __getitem__(self, at: int | slice) -> Group | Packed:
        if isinstance(at, slice):
            return Packed(self._heads[at], self._lines, self._starts[at])
        message, right, wrong = self._heads[at].tolist()
        start = int(self._starts[at])
        facts: Any = [(one, one) for one in self._lines[start : start + right + wrong].tolist()]
        return Group(message, tuple(facts[:right]), tuple(facts[right:]))


if __name__ == "__main__":
    main()
