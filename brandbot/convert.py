"""GGUF ↔ transformers and PEFT files.

llama.cpp reads GGUF, training reads safetensors. A GGUF base is dequantised into a transformers
folder, so that training sees the very weights that are served; a transformers folder and a PEFT
adapter are written as GGUF. The architectures are listed in ``ARCHITECTURES``; others raise
ModelError, and are served by the transformers engine.

Layouts follow llama.cpp's own ``convert_hf_to_gguf.py`` and ``convert_lora_to_gguf.py``.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot.disk import full_disk_told
from brandbot.errors import MissingExtraError, ModelError
from brandbot.prompt import PromptFormat

if TYPE_CHECKING:
    import gguf
    import torch


@dataclass(frozen=True)
class Architecture:
    """How one transformers ``model_type`` is laid out in GGUF.

    ``permuted``: rows of q and k stand in llama.cpp's rotary order (halves interleaved, per head).
    ``norm_offset``: what is added to norm weights (Gemma stores them around 0).
    """

    gguf_name: str
    permuted: bool = False
    norm_offset: float = 0.0


ARCHITECTURES = {
    "llama": Architecture("LLAMA", permuted=True),
    "mistral": Architecture("LLAMA", permuted=True),
    "qwen2": Architecture("QWEN2"),
    "qwen3": Architecture("QWEN3"),
    "gemma3_text": Architecture("GEMMA3", norm_offset=1.0),
}


def architecture_of(config: dict[str, Any]) -> Architecture:
    """The layout for a ``config.json``; ModelError if llama.cpp files can't be written for it."""
    found = ARCHITECTURES.get(str(config.get("model_type")))
    if found is None:
        raise ModelError(
            f"A model of type {config.get('model_type')!r} can't be written for llama.cpp here "
            f"(known: {', '.join(ARCHITECTURES)}). Use the transformers engine: "
            "--engine transformers"
        )
    scalar = config.get("query_pre_attn_scalar")
    if scalar is not None and scalar != head_size(config):
        raise ModelError(
            f"This model scales attention by {scalar}, llama.cpp by its head size "
            f"{head_size(config)}. Use the transformers engine: --engine transformers"
        )
    kind = _rope_kind(config)
    if kind not in ("default", "llama3"):
        raise ModelError(
            f"Rotary scaling {kind!r} can't be written for llama.cpp here. Use the transformers "
            "engine: --engine transformers"
        )
    return found


def head_size(config: dict[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def read_config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'} can't be read: {error}") from error
    return config


def gguf_to_folder(file: Path, out: Path) -> None:
    """Dequantises a GGUF file into a transformers folder in float32.

    ``out`` gets ``model.safetensors``, ``config.json``, ``tokenizer.json`` and, if the file has
    one, ``chat_template.jinja``.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", "models", "Converting a GGUF file") from error
    try:
        with quiet_transformers():
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                file.parent, gguf_file=file.name, dtype=torch.float32
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except (OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise ModelError(f"{file} can't be read as a GGUF model: {error}") from error
    # transformers counts the model as quantised and would refuse to save it.
    model.hf_quantizer = None
    model.is_quantized = False
    model.config.__dict__.pop("quantization_config", None)
    with quiet_transformers(), full_disk_told(out):
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)


class quiet_transformers:
    """Holds back transformers' progress bars and remarks while converting."""

    def __enter__(self) -> None:
        logging: Any = importlib.import_module("transformers.utils.logging")
        self._level = logging.get_verbosity()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        logging: Any = importlib.import_module("transformers.utils.logging")
        logging.set_verbosity(self._level)
        logging.enable_progress_bar()


def folder_to_gguf(folder: Path, out: Path, *, half: bool = False) -> None:
    """Writes a transformers folder as GGUF, in the precision its weights have or in float16.

    Vectors (norms, biases) are float32, as llama.cpp wants them.
    """
    import gguf
    import numpy as np
    import torch

    config = read_config(folder)
    layout = architecture_of(config)
    arch = gguf.MODEL_ARCH[layout.gguf_name]
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[arch])
    _write_settings(writer, config, layout)
    _write_tokenizer(writer, folder, config)
    kinds = {
        torch.float32: gguf.GGMLQuantizationType.F32,
        torch.float16: gguf.GGMLQuantizationType.F16,
        torch.bfloat16: gguf.GGMLQuantizationType.BF16,
    }

    def prepared(name: str, tensor: torch.Tensor) -> torch.Tensor:
        if layout.permuted and ".self_attn." in name:
            tensor = _permuted(tensor, name, config)
        if tensor.ndim == 1:
            offset = layout.norm_offset if name.endswith("norm.weight") else 0.0
            return tensor.float() + offset
        if half:
            return tensor.half()
        return tensor if tensor.dtype in kinds else tensor.float()

    def tensors() -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in _stored_tensors(folder):
            if name == "lm_head.weight" and config.get("tie_word_embeddings"):
                continue
            target = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if target is None:
                raise ModelError(f"{folder}: tensor {name} has no place in a GGUF file")
            yield target, prepared(name, tensor)
        factors = _rope_factors(config)
        if factors is not None:
            yield "rope_freqs.weight", factors

    for name, tensor in tensors():
        kind = kinds[tensor.dtype]
        shape = (*tensor.shape[:-1], tensor.shape[-1] * tensor.element_size())
        size = tensor.numel() * tensor.element_size()
        writer.add_tensor_info(name, shape, np.dtype(np.uint8), size, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, tensor in tensors():  # a second pass: never more than one tensor in memory
        writer.write_tensor_data(tensor.contiguous().view(torch.uint8).numpy())
    writer.close()


def adapter_to_gguf(adapter: Path, base: Path, out: Path) -> None:
    """Writes a PEFT LoRA folder as a llama.cpp adapter for the base model in folder ``base``."""
    import gguf
    import torch
    from safetensors.torch import load_file

    config = read_config(base)
    layout = architecture_of(config)
    lora = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    arch = gguf.MODEL_ARCH[layout.gguf_name]
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[arch])
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string("adapter.type", "lora")
    # llama.cpp scales by alpha/rank; rank-stabilised LoRA by alpha/sqrt(rank).
    alpha = lora["lora_alpha"] * (math.sqrt(lora["r"]) if lora.get("use_rslora") else 1.0)
    writer.add_float32("adapter.lora.alpha", float(alpha))
    for key, tensor in sorted(load_file(adapter / "adapter_model.safetensors").items()):
        module, _, half = key.removeprefix("base_model.model.").rpartition(".lora_")
        target = names.get_name(f"{module}.weight", try_suffixes=(".weight",))
        if target is None or half not in ("A.weight", "B.weight"):
            raise ModelError(f"{adapter}: tensor {key} has no place in a GGUF adapter")
        if half == "B.weight" and layout.permuted and ".self_attn." in module:
            tensor = _permuted(tensor, f"{module}.weight", config)
        name = f"{target}.lora_{half[0].lower()}"
        writer.add_tensor(name, tensor.to(torch.float32).contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _stored_tensors(folder: Path) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise ModelError(f"{folder} holds no model.safetensors")
    for file in files:
        try:
            with safe_open(file, framework="pt") as stored:
                for name in sorted(stored.keys()):
                    yield name, stored.get_tensor(name)
        except SafetensorError as error:
            raise ModelError(f"{file} is damaged: {error}") from error


def _permuted(tensor: torch.Tensor, name: str, config: dict[str, Any]) -> torch.Tensor:
    """Rows of q and k in llama.cpp's rotary order; every other tensor as it is."""
    heads = {
        "q_proj": config["num_attention_heads"],
        "k_proj": config.get("num_key_value_heads") or config["num_attention_heads"],
    }.get(name.rsplit(".", 2)[-2])
    if heads is None:
        return tensor
    split = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return split.swapaxes(1, 2).reshape(tensor.shape)


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """Rotary settings of full attention, wherever this config's age keeps them."""
    stored = config.get("rope_parameters") or {}
    stored = stored.get("full_attention", stored)
    scaling = config.get("rope_scaling") or {}
    theta = stored.get("rope_theta") or config.get("rope_theta") or 10000.0
    return {**scaling, **stored, "rope_theta": theta}


def _rope_kind(config: dict[str, Any]) -> str:
    """The kind of rotary scaling, by either of the names that configs have for it."""
    rope = _rope(config)
    return str(rope.get("rope_type") or rope.get("type") or "default")


def _rope_factors(config: dict[str, Any]) -> torch.Tensor | None:
    """Llama 3's frequency factors, one per pair of rotary dimensions, or None."""
    import torch

    if _rope_kind(config) == "default":
        return None
    rope = _rope(config)
    size = head_size(config)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    trained = rope["original_max_position_embeddings"]
    factors = []
    for pair in range(0, size, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (pair / size)
        if wavelength < trained / high:
            factors.append(1.0)
        elif wavelength > trained / low:
            factors.append(rope["factor"])
        else:
            smooth = (trained / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return torch.tensor(factors, dtype=torch.float32)


def _write_settings(writer: gguf.GGUFWriter, config: dict[str, Any], layout: Architecture) -> None:
    size = head_size(config)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config.get("num_key_value_heads") or config["num_attention_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(_rope(config)["rope_theta"])
    writer.add_rope_dimension_count(size)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_vocab_size(config["vocab_size"])
    if layout.gguf_name == "GEMMA3":
        writer.add_sliding_window(config["sliding_window"])


def _write_tokenizer(writer: gguf.GGUFWriter, folder: Path, config: dict[str, Any]) -> None:
    """The vocabulary, so that ids can be turned back into text.

    Prompts reach llama.cpp as ids (see prompt.py), so its own splitting of text is not used; the
    pre-tokenizer is named for the families it is known for, and "default" elsewhere.
    """
    import gguf
    from tokenizers import Tokenizer

    stored = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = {index: token for token, index in tokenizer.get_vocab().items()}
    added = tokenizer.get_added_tokens_decoder()
    byte_fallback = bool(stored["model"].get("byte_fallback"))
    merges = [m if isinstance(m, str) else " ".join(m) for m in stored["model"].get("merges", [])]
    rank = {merge.replace(" ", ""): place for place, merge in enumerate(merges)}
    tokens, kinds, scores = [], [], []
    for index in range(config["vocab_size"]):
        token = vocabulary.get(index, f"[PAD{index}]")
        kind = gguf.TokenType.NORMAL if index in vocabulary else gguf.TokenType.UNUSED
        if index in added:
            special = added[index].special
            kind = gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED
        elif byte_fallback and len(token) == 6 and token.startswith("<0x"):
            kind = gguf.TokenType.BYTE
        tokens.append(token.encode("utf-8", errors="replace"))
        kinds.append(kind)
        scores.append(-float(rank.get(token, 0)))
    writer.add_tokenizer_model("llama" if byte_fallback else "gpt2")
    writer.add_tokenizer_pre("qwen2" if config["model_type"].startswith("qwen") else "default")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if byte_fallback:
        writer.add_token_scores(scores)
    else:
        writer.add_token_merges(merges)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    named = folder / "tokenizer_config.json"  # not every model comes with it
    texts = json.loads(named.read_text(encoding="utf-8")) if named.is_file() else {}
    for name, add in (
        ("bos_token", writer.add_bos_token_id),
        ("eos_token", writer.add_eos_token_id),
    ):
        text = texts.get(name)
        text = text.get("content") if isinstance(text, dict) else text
        token_id = tokenizer.token_to_id(text or "")
        if token_id is not None:
            add(token_id)
    # llama.cpp stops at the tokens it knows to end a turn, by this entry or by their names.
    ends = PromptFormat.load(folder).stop_ids
    if ends:
        writer.add_eot_token_id(ends[0])
