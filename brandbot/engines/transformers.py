"""transformers: the reference engine, and the one for GPUs.

Adapters are PEFT's and chosen per request. PEFT's active adapter is a property of the model, so
requests take turns: one generates at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brandbot.adapters import Version
from brandbot.convert import quiet_transformers
from brandbot.engines.base import MIN_P, PENALISED, TOP_K, Chunk, Finish, Request, pump
from brandbot.errors import EngineError, MissingExtraError
from brandbot.models import BaseModel
from brandbot.prompt import pieces

if TYPE_CHECKING:
    import torch
    from transformers import LogitsProcessorList


def sampling(request: Request) -> LogitsProcessorList:
    """What llama.cpp does to the scores before a word is drawn, in its order; nothing if greedy."""
    from transformers import LogitsProcessor, LogitsProcessorList
    from transformers.generation import logits_process as steps

    class RecentPenalty(LogitsProcessor):
        """A penalty for the latest words alone: a prompt's facts are there to be said."""

        def __init__(self) -> None:
            self._penalty = steps.RepetitionPenaltyLogitsProcessor(request.repeat_penalty)

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            return self._penalty(input_ids[:, -PENALISED:], scores)

    if request.temperature <= 0:
        return LogitsProcessorList()
    return LogitsProcessorList(
        [
            RecentPenalty(),
            steps.TopKLogitsWarper(TOP_K),
            steps.TopPLogitsWarper(request.top_p),
            steps.MinPLogitsWarper(MIN_P),
            steps.TemperatureLogitsWarper(request.temperature),
        ]
    )


class TransformersEngine:
    name = "transformers"

    def __init__(self, base: BaseModel, versions: Sequence[Version]) -> None:
        """Loads the base and every version; bfloat16 on a GPU, float32 on a CPU."""
        try:
            import peft  # noqa: F401
            import torch
            from transformers import AutoModelForCausalLM, GenerationConfig
        except ImportError as error:
            raise MissingExtraError(str(error.name), "train", "The transformers engine") from error
        self._format = base.prompt_format()
        self._turn = threading.Lock()
        self._full = versions[0] if versions and versions[0].method == "full" else None
        gpu = torch.cuda.is_available()
        with quiet_transformers():
            model: Any = AutoModelForCausalLM.from_pretrained(
                self._full.folder if self._full else base.folder,
                dtype=torch.bfloat16 if gpu else torch.float32,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        # What its file says of sampling would come in wherever a request says nothing.
        model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self.model = model.eval().to("cuda" if gpu else "cpu")
        self._names: dict[Path, str] = {}
        self._loaded = 0
        if self._full is None:
            self.hold(versions)

    def hold(self, versions: Sequence[Version]) -> None:
        """Loads versions that are not there yet, and lets go of others; the base stays."""
        from peft import PeftModel

        folders = [version.folder for version in versions]
        with self._turn, quiet_transformers():
            for folder in folders:
                if folder in self._names:
                    continue
                name, self._loaded = f"v{self._loaded}", self._loaded + 1
                if isinstance(self.model, PeftModel):
                    self.model.load_adapter(folder, adapter_name=name)
                else:
                    self.model = PeftModel.from_pretrained(self.model, folder, adapter_name=name)
                self.model.eval()
                self._names[folder] = name
            gone = [held for held in self._names if held not in folders]
            for folder in gone[: len(self._names) - 1]:  # PEFT needs one
                self.model.delete_adapter(self._names.pop(folder))

    def generate(self, request: Request) -> Iterator[Chunk]:
        import torch
        from transformers import StoppingCriteria

        if not request.ids:
            raise EngineError("There is nothing to reply to: the prompt is empty.")
        stopped = False

        class Stopped(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                return torch.full((input_ids.shape[0],), stopped, device=input_ids.device)

        def produce(put: Callable[[Any], bool]) -> None:
            class Streamer:
                prompt_seen = False

                def put(self, value: torch.Tensor) -> None:
                    nonlocal stopped
                    if self.prompt_seen:
                        stopped = put(int(value.reshape(-1)[-1]))
                    self.prompt_seen = True

                def end(self) -> None:
                    pass

            with self._turn, torch.inference_mode():
                self._use(request)
                prompt = torch.tensor([list(request.ids)], device=self.model.device)
                self.model.generate(
                    input_ids=prompt,
                    attention_mask=torch.ones_like(prompt),
                    generation_config=self._settings(request),
                    logits_processor=sampling(request),
                    stopping_criteria=[Stopped()],
                    streamer=Streamer(),
                )

        finish: Finish = "length"

        def said() -> Iterator[int]:
            nonlocal finish
            for token in pump("transformers", produce):
                if token in request.stop_ids:
                    finish = "stop"
                else:
                    yield token

        for text in pieces(self._format.tokenizer, said()):
            yield Chunk(text)
        yield Chunk("", finish)

    def _settings(self, request: Request) -> Any:
        from transformers import GenerationConfig

        if request.temperature > 0 and request.seed is not None:
            import torch

            torch.manual_seed(request.seed)
        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=request.max_tokens,
            eos_token_id=list(request.stop_ids),
            pad_token_id=request.stop_ids[0],
            do_sample=request.temperature > 0,
            top_k=0,  # ``sampling`` does the rest; left out, this one would be 50
        )

    def log_probabilities(self, request: Request, reply: Sequence[int]) -> torch.Tensor:
        """Log-probabilities in nats, (tokens of the reply, vocabulary), of each next token."""
        import torch

        with self._turn, torch.inference_mode():
            self._use(request)
            ids = torch.tensor([[*request.ids, *reply]], device=self.model.device)
            logits = self.model(input_ids=ids).logits[0, len(request.ids) - 1 : -1]
            scores: torch.Tensor = torch.log_softmax(logits.float(), dim=-1)
            return scores

    def close(self) -> None:
        self.model = None

    def _use(self, request: Request) -> None:
        """Makes the request's adapter, at its strength, the active one."""
        from peft.tuners.lora import LoraLayer

        wanted = request.adapter
        if self._full is not None:
            if wanted is None or wanted.folder != self._full.folder:
                raise EngineError("This engine serves a fully fine-tuned version only.")
            return
        if wanted is None:
            if self._names:
                self.model.base_model.disable_adapter_layers()
            return
        name = self._names.get(wanted.folder)
        if name is None:
            raise EngineError(f"Version {wanted.name} is not loaded.")
        self.model.base_model.enable_adapter_layers()
        self.model.set_adapter(name)
        for module in self.model.modules():
            if isinstance(module, LoraLayer):
                module.set_scale(name, request.strength)
