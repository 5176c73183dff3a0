"""Engines: both answer alike, from what prompt.py made, with the adapter each request names."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from gguf import GGUFReader

from brandbot import examples, models
from brandbot.adapters import AdapterStore, Version
from brandbot.engines.base import PENALISED, Request
from brandbot.engines.llamacpp import LlamaCppEngine
from brandbot.engines.pool import EnginePool
from brandbot.engines.transformers import TransformersEngine, sampling
from brandbot.errors import EngineError, VersionError
from brandbot.evaluation import side_by_side
from brandbot.evaluation.speaking import Speaking
from brandbot.persona import Persona
from brandbot.prompt import Message, build
from brandbot.training import planning, run
from brandbot.workspace import Workspace
from tests.conftest import ARCHITECTURES, ROOT, make_persona

Pair = tuple[LlamaCppEngine, TransformersEngine]


def train(root: Path, base: Path | str, **settings: object) -> tuple[Workspace, Version]:
    make_persona(root / "personas" / "acme", str(base), **settings)
    workspace = Workspace(root)
    persona = Persona.load(workspace.persona("acme"))
    run.train(workspace, planning.plan(workspace, persona))
    version = AdapterStore(workspace.adapters("acme")).get(1)
    assert version is not None
    return workspace, version


def agreement(pair: Pair, requests: list[Request]) -> tuple[float, float]:
    """Share of llama.cpp's greedy tokens that transformers would choose first, and the mean
    difference of their log-probabilities in nats."""
    llama, reference = pair
    first = total = 0
    apart = 0.0
    for request in requests:
        spoken = llama.complete(request)
        scores = reference.log_probabilities(request, [token for token, _ in spoken])
        for (token, logprob), row in zip(spoken, scores, strict=True):
            total += 1
            first += int(row.argmax()) == token
            apart += abs(row[token].item() - logprob)
    return first / total, apart / total


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_each_architecture_is_trained_exported_and_answered_with(
    kind: str, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / ".brandbot"))
    monkeypatch.setenv("BRANDBOT_MODELS", str(tmp_path / "models"))
    workspace, version = train(tmp_path, tiny(kind), learning_rate=5e-3)
    base = models.resolve(str(tiny(kind)), workspace.models)
    fmt = version.prompt_format(base)
    pair = (
        LlamaCppEngine(base, [version], workspace.models, parallel=1, exact=True),
        TransformersEngine(base, [version]),
    )
    asked = [[Message("user", text)] for text in ("Is it raining?", "Do you sell tea? " * 12)]
    requests = [
        Request(fmt.encode(build("Keep it short.", messages)).ids, fmt.stop_ids, adapter, strength, 24, 0.0)
        for messages in asked
        for adapter, strength in ((None, 1.0), (version, 1.0), (version, 0.4))
    ]  # fmt: skip
    first, apart = agreement(pair, requests)
    assert apart < 1e-3
    assert first == 1.0
    replies = {pair[0].complete(request)[0] for request in requests[:3]}
    assert len(replies) == 3  # the adapter and its strength change what is said
    # Side by side, in several rows and one at a time, a version says what it says alone.
    monkeypatch.setattr("brandbot.precision.use_bf16", lambda: False)
    short = [Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Tea?")]
    rows = [fmt.encode(build("Keep it short.", one)).ids for one in (*asked, short)]
    for adapter, strength in ((None, 1.0), (version, 1.0), (version, 0.4)):
        speaking = Speaking(base, adapter, strength)
        wanted = [
            Request(ids, fmt.stop_ids, adapter, strength, most, 0.0)
            for ids, most in zip(rows, (24, 9, 80), strict=True)
        ]
        alone = [list(pair[1].generate(one)) for one in wanted]
        expected = {
            (place, "".join(chunk.text for chunk in chunks), chunks[-1].finish == "length")
            for place, chunks in enumerate(alone)
        }
        assert set(speaking.replies(wanted)) == expected
        with monkeypatch.context() as patch:
            patch.setattr(side_by_side, "POSITIONS", 2 * max(map(len, rows)) + 160)
            patch.setattr(side_by_side, "READ", 8)
            assert set(speaking.replies(wanted)) == expected
        apart = dataclasses.replace(wanted[0], ids=wanted[0].ids[1:])  # no prefix in common
        assert {(place, text) for place, text, _ in speaking.replies([wanted[0], apart])} >= {
            (place, text) for place, text, _ in expected if place == 0
        }


def test_the_full_method_makes_a_version_that_is_served(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / ".brandbot"))
    monkeypatch.setenv("BRANDBOT_MODELS", str(tmp_path / "models"))
    folder = shutil.copytree(tiny("qwen3"), tmp_path / "base")
    tokens = json.dumps({"bos_token": "<|im_start|>", "eos_token": "<|endoftext|>"})
    (folder / "tokenizer_config.json").write_text(tokens)
    workspace, version = train(tmp_path, folder, method="full")
    base = models.resolve(str(folder), workspace.models)
    fmt = version.prompt_format(base)
    ids = fmt.encode([Message("user", "Is it raining?")]).ids
    request = Request(ids, fmt.stop_ids, version, 1.0, 24, 0.0)
    llama = LlamaCppEngine(base, [version], workspace.models, parallel=1)
    first, apart = agreement((llama, TransformersEngine(base, [version])), [request])
    assert (first, apart < 0.02) == (1.0, True)  # the weights are bfloat16
    with pytest.raises(EngineError, match="fully fine-tuned"):
        list(llama.generate(dataclasses.replace(request, adapter=None)))
    assert version.gguf is not None
    field = GGUFReader(version.gguf).get_field("tokenizer.ggml.eot_token_id")
    assert (
        field is not None and field.contents() == fmt.stop_ids[0]
    )  # of its template, not of a plain one


@pytest.mark.parametrize(
    ("name", "first_at_least", "apart_at_most"),
    [("lighthouse", 0.98, 0.05), ("letraclara", 0.90, 0.08)],
)
def test_llamacpp_answers_as_the_reference_does(
    name: str, first_at_least: float, apart_at_most: float, embedded: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """With the adapter and without, on the embedded bases and prompts of the test split."""
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / ".brandbot"))
    demo = Persona.load(ROOT / "personas" / name)
    _, version = train(
        tmp_path, demo.config.base_model, epochs=1, rank=16, max_length=512, batch_size=8
    )
    base = models.resolve(demo.config.base_model, embedded)
    fmt = version.prompt_format(base)
    pair = (
        LlamaCppEngine(base, [version], embedded, parallel=1),
        TransformersEngine(base, [version]),
    )
    tests = examples.read(demo.folder / "examples").split("test")[:6]
    prompts = [fmt.encode(build(demo.system_prompt, e.messages[:-1])).ids for e in tests]
    for adapter in (None, version):
        requests = [Request(ids, fmt.stop_ids, adapter, 1.0, 24, 0.0) for ids in prompts]
        first, apart = agreement(pair, requests)
        assert first >= first_at_least, (adapter, first, apart)
        assert apart <= apart_at_most, (adapter, first, apart)


def test_nobody_else_may_call_llamacpps_own_server(trained: Path) -> None:
    """It listens on a port of this machine, which any page in a browser here could call."""
    import httpx

    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    base = models.resolve(version.meta["base_model"], workspace.models)
    engine = LlamaCppEngine(base, [version], workspace.models, parallel=1)
    address = engine._server.listening_address
    body = {"prompt": "Hi", "n_predict": 4, "lora": [{"id": 0, "scale": 1.0}]}
    for path in ("/completion", "/v1/completions", "/v1/chat/completions", "/lora-adapters"):
        answer = httpx.post(
            f"{address}{path}", json=body, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code in (401, 404), path
    for path in ("/slots", "/props", "/lora-adapters", "/"):
        assert httpx.get(f"{address}{path}").status_code in (401, 404), path
    engine.close()


def test_both_engines_draw_words_in_the_same_way(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """The chances of the likeliest words, after penalty, cuts and temperature; words said more
    than 64 tokens ago are not penalised."""
    base = models.resolve(str(tiny("llama")), tmp_path)
    ids = base.prompt_format().encode([Message("user", f"Zebra! {'Is it raining? ' * 16}")]).ids
    asked = Request(ids, [2], temperature=0.7, top_p=0.8, repeat_penalty=1.6, max_tokens=1)
    assert len(ids) > PENALISED and set(ids[:-PENALISED]) - set(ids[-PENALISED:])
    llama = LlamaCppEngine(base, [], tmp_path, parallel=1, exact=True)
    reference = TransformersEngine(base, [])
    wanted = {"stream": False, "logprobs": 10, "n_probs": 10, "post_sampling_probs": True}
    answer = llama._server.handle_completions(llama.body(asked) | wanted)
    (drawn,) = answer["choices"][0]["logprobs"]["content"]
    scores = reference.log_probabilities(asked, [0])
    own = sampling(asked)(torch.tensor([list(ids)]), scores).softmax(-1)[0]
    assert len(drawn["top_probs"]) == 10
    for word in drawn["top_probs"]:
        assert own[word["id"]].item() == pytest.approx(word["prob"], abs=1e-3)
    llama.close()
    assert len(sampling(dataclasses.replace(asked, temperature=0.0))) == 0
    # Replies that are written side by side are drawn with the same chances.
    even = [(n + 0.5) / 1000 for n in range(1000)]
    recent = list(ids[-PENALISED:])
    many = side_by_side.draw(scores.repeat(1000, 1), [asked] * 1000, [recent] * 1000, even)
    shares = torch.bincount(torch.tensor(many), minlength=len(own)) / 1000
    assert (shares - own).abs().max() <= 0.002 and (shares > 0).sum() >= 8


def test_a_models_own_settings_do_not_slip_in(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny("llama"), folder)
    base = models.resolve(str(folder), tmp_path)
    fmt = base.prompt_format()
    asked = Request(
        fmt.encode([Message("user", "Hi")]).ids, fmt.stop_ids, max_tokens=40, temperature=0.0
    )
    plain = "".join(chunk.text for chunk in TransformersEngine(base, []).generate(asked))
    (folder / "generation_config.json").write_text(
        json.dumps({"repetition_penalty": 5.0, "no_repeat_ngram_size": 1, "temperature": 0.1})
    )
    again = "".join(chunk.text for chunk in TransformersEngine(base, []).generate(asked))
    assert again == plain


@pytest.fixture(params=["llamacpp", "transformers"])
def engine(request: pytest.FixtureRequest, trained: Path) -> tuple[object, Request]:
    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    assert version is not None
    base = models.resolve(version.meta["base_model"], workspace.models)
    fmt = version.prompt_format(base)
    ids = fmt.encode([Message("user", "Tell me all of it")]).ids
    asked = Request(ids, fmt.stop_ids, version, max_tokens=300, temperature=1.5, seed=3)
    if request.param == "llamacpp":
        return LlamaCppEngine(base, [version], workspace.models, parallel=1), asked
    return TransformersEngine(base, [version]), asked


def test_closing_a_reply_stops_the_machine(engine: tuple[object, Request]) -> None:
    made, asked = engine
    asked = dataclasses.replace(asked, max_tokens=2000, stop_ids=(399,))
    chunks = made.generate(asked)  # type: ignore[attr-defined]
    next(chunks)
    before = threading.active_count()
    started = time.monotonic()
    chunks.close()
    assert time.monotonic() - started < 2.0
    assert threading.active_count() == before - 1  # the worker ended, not only the text
    short = dataclasses.replace(asked, max_tokens=3)
    assert list(made.generate(short))[-1].finish == "length"  # type: ignore[attr-defined]


def test_seeded_replies_repeat(engine: tuple[object, Request]) -> None:
    made, asked = engine
    asked = dataclasses.replace(asked, max_tokens=20)
    texts = ["".join(c.text for c in made.generate(asked)) for _ in range(2)]  # type: ignore[attr-defined]
    assert texts[0] == texts[1] != ""


def test_wrong_requests_are_refused(engine: tuple[object, Request]) -> None:
    made, asked = engine
    with pytest.raises(EngineError, match="empty"):
        list(made.generate(dataclasses.replace(asked, ids=[])))  # type: ignore[attr-defined]
    stranger = Version(Path("elsewhere/0009"), {})
    with pytest.raises(EngineError, match="0009 is not loaded"):
        list(made.generate(dataclasses.replace(asked, adapter=stranger)))  # type: ignore[attr-defined]


def test_a_prompt_without_room_is_refused(trained: Path) -> None:
    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    assert version is not None
    base = models.resolve(version.meta["base_model"], workspace.models)
    made = LlamaCppEngine(base, [version], workspace.models, parallel=1)
    with pytest.raises(EngineError, match="too long for the model"):
        list(made.generate(Request([5] * 5000, (2,), version)))


def test_a_version_on_another_base_is_refused_with_both_named(
    trained: Path, tiny: Callable[[str], Path]
) -> None:
    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    assert version is not None
    other = models.resolve(str(tiny("qwen2")), workspace.models)
    with pytest.raises(VersionError) as caught:
        version.prompt_format(other)
    assert version.meta["base_sha256"][:12] in str(caught.value)
    assert other.sha256[:12] in str(caught.value)


def test_a_version_with_another_prompt_form_is_refused_with_both_named(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    assert version is not None
    base = models.resolve(version.meta["base_model"], workspace.models)
    monkeypatch.setattr("brandbot.prompt.PROMPT_FORM", 99)
    with pytest.raises(VersionError) as caught:
        version.prompt_format(base)
    found = base.prompt_format(version.template).fingerprint(version.persona.system_prompt)
    assert version.meta["prompt_fingerprint"] in str(caught.value) and found in str(caught.value)


@pytest.mark.parametrize("kind", ["llamacpp", "transformers"])
def test_two_adapters_on_one_base_are_chosen_per_request(kind: str, trained: Path) -> None:
    """Each answers, beside the other and in turn, as it does alone."""
    workspace = Workspace(trained)
    persona = Persona.load(workspace.persona("acme")).with_settings(["training.learning_rate=0.01"])
    run.train(workspace, planning.plan(workspace, persona))
    store = AdapterStore(workspace.adapters("acme"))
    versions = [store.get(1), store.get(2)]
    base = models.resolve(versions[0].meta["base_model"], workspace.models)
    fmt = versions[0].prompt_format(base)
    ids = fmt.encode([Message("user", "Is it raining? And by boat?")]).ids

    def opened(loaded: list[Version]) -> LlamaCppEngine | TransformersEngine:
        if kind == "llamacpp":
            return LlamaCppEngine(base, loaded, workspace.models, parallel=2)
        return TransformersEngine(base, loaded)

    def say(made: LlamaCppEngine | TransformersEngine, adapter: Version | None) -> str:
        asked = Request(ids, fmt.stop_ids, adapter, max_tokens=24, temperature=0.0)
        return "".join(chunk.text for chunk in made.generate(asked))

    alone = {version.name: say(opened([version]), version) for version in versions}
    untuned = say(opened([]), None)
    both = opened(versions)
    for version in (*versions, *reversed(versions)):
        assert say(both, version) == alone[version.name]
        assert say(both, None) == untuned
    assert len({untuned, *alone.values()}) == 3
    if isinstance(both, TransformersEngine):  # takes versions up, and lets go, without its base
        later = opened(versions[:1])
        assert isinstance(later, TransformersEngine)
        base_weights = [w for n, w in later.model.named_parameters() if "lora" not in n]
        later.hold(versions)
        assert [say(later, one) for one in versions] == list(alone.values())
        later.hold(versions[1:])
        assert say(later, versions[1]) == alone["0002"] and say(later, None) == untuned
        with pytest.raises(EngineError, match="0001 is not loaded"):
            say(later, versions[0])
        kept = [w for n, w in later.model.named_parameters() if "lora" not in n]
        assert all(a is b for a, b in zip(base_weights, kept, strict=True))


def test_a_version_that_goes_live_is_taken_up_by_the_engine_that_is_open(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large base, loaded a second time, would not fit on its GPU."""
    workspace = Workspace(trained)
    store = AdapterStore(workspace.adapters("acme"))
    pool = EnginePool(workspace, "transformers")
    base = models.resolve(store.get(1).meta["base_model"], workspace.models)
    with pool.use(base, store.get(1)) as first:
        pass
    shutil.copytree(store.folder / "0001", store.folder / "0002")
    with pool.use(base, store.get(2)) as second, pool.use(base, store.get(1)) as third:
        assert first is second is third
    pool.close()
