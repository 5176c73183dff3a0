"""llama.cpp inside the process, through xllamacpp: the engine for machines without a GPU.

The server is given token ids through its completion call, so none of its templates is used.
Adapters are loaded when it is opened and chosen by each request's ``lora`` list.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from brandbot import models as base_models
from brandbot.adapters import Version
from brandbot.engines.base import CONTEXT, MIN_P, PENALISED, TOP_K, Chunk, Finish, Request, pump
from brandbot.errors import EngineError
from brandbot.models import BaseModel, Say


class LlamaCppEngine:
    name = "llamacpp"

    def __init__(
        self,
        base: BaseModel,
        versions: Sequence[Version],
        models: Path,
        *,
        say: Say | None = None,
        parallel: int = 4,
        threads: int | None = None,
        exact: bool = False,
    ) -> None:
        """Loads the base and every version.

        ``exact`` keeps keys and values in float32, for comparing with the reference.
        """
        import xllamacpp

        full = versions[0] if versions and versions[0].method == "full" else None
        file = full.gguf if full else base_models.gguf_file(base, models, say)
        if file is None:
            raise EngineError(f"{base.name} has no file for llama.cpp; use --engine transformers.")
        self._slots = {} if full else {v.folder: i for i, v in enumerate(versions)}
        self._full = full
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.n_ctx = CONTEXT * parallel
        params.n_parallel = parallel
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads or _threads()
        params.verbosity = -1
        params.enable_chat_template = False
        params.cache_ram_mib = 256
        # It also listens on a port of this machine, which nothing here calls: nobody else may.
        params.api_keys = [secrets.token_urlsafe(32)]
        params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
        params.ui = False
        if exact:
            # Flash attention rounds keys and values to 16 bits whatever the cache holds.
            params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
            params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        adapters = []
        for version in [] if full else versions:
            if version.gguf is None:
                raise EngineError(
                    f"Version {version.name} has no adapter for llama.cpp; "
                    "use --engine transformers."
                )
            adapters.append(xllamacpp.CommonAdapterLoraInfo(str(version.gguf), 1.0))
        params.lora_adapters = adapters
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise EngineError(f"llama.cpp could not load {file.name}: {error}") from error

    def generate(self, request: Request) -> Iterator[Chunk]:
        if not request.ids:
            raise EngineError("There is nothing to reply to: the prompt is empty.")
        # A true answer from the callback stops llama.cpp's computation.
        body = self.body(request)
        for chunk in pump("llama.cpp", lambda put: self._server.handle_completions(body, put)):
            yield from self._chunk(chunk)

    def body(self, request: Request) -> dict[str, Any]:
        """A request as llama.cpp's completion call takes it."""
        body: dict[str, Any] = {
            "prompt": list(request.ids),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "top_k": TOP_K,
            "min_p": MIN_P,
            "repeat_penalty": request.repeat_penalty if request.temperature > 0 else 1.0,
            "repeat_last_n": PENALISED,
            "cache_prompt": True,
            "stream": True,
            "lora": self._lora(request),
        }
        if request.seed is not None:
            body["seed"] = request.seed
        return body

    def complete(self, request: Request) -> list[tuple[int, float]]:
        """Greedy token ids with their log-probabilities in nats; for checks against a reference."""
        body = {
            "prompt": list(request.ids),
            "max_tokens": request.max_tokens,
            "temperature": 0.0,
            "logprobs": 1,
            "lora": self._lora(request),
        }
        answer = self._server.handle_completions(body)
        _raise(answer)
        rows = answer["choices"][0]["logprobs"]["content"]
        if len(rows) != answer["usage"]["completion_tokens"]:
            raise EngineError("llama.cpp left out tokens that are no whole characters.")
        return [(row["id"], row["logprob"]) for row in rows]

    def close(self) -> None:
        self._server = None

    def _lora(self, request: Request) -> list[dict[str, float]]:
        if request.adapter is None:
            if self._full is not None:
                raise EngineError("This engine serves a fully fine-tuned version only.")
            return [{"id": slot, "scale": 0.0} for slot in self._slots.values()]
        if self._full is not None:
            if request.adapter.folder != self._full.folder:
                raise EngineError(f"Version {request.adapter.name} is not loaded.")
            return []
        if request.adapter.folder not in self._slots:
            raise EngineError(f"Version {request.adapter.name} is not loaded.")
        chosen = self._slots[request.adapter.folder]
        return [
            {"id": slot, "scale": request.strength if slot == chosen else 0.0}
            for slot in self._slots.values()
        ]

    @staticmethod
    def _chunk(chunk: Any) -> Iterator[Chunk]:
        _raise(chunk)
        choice = chunk["choices"][0]
        reason = choice.get("finish_reason")
        finish: Finish | None = None
        if reason is not None:
            finish = "length" if reason == "length" else "stop"
        if choice.get("text") or finish:
            yield Chunk(choice.get("text") or "", finish)


def _raise(answer: dict[str, Any]) -> None:
    error = answer.get("error")
    if not error:
        return
    if error.get("type") == "exceed_context_size_error":
        raise EngineError(
            f"The conversation is too long for the model ({error['n_prompt_tokens']} tokens, "
            f"room for {error['n_ctx']}). Start a new one."
        )
    raise EngineError(f"llama.cpp refused the request: {error.get('message')}")


def _threads() -> int:
    """Physical work comes from cores; one thread each, but no more than eight for small models."""
    return max(
        1,
        min(
            8,
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1,
        ),
    )
