"""What every test shares: a home of its own, the embedded models, tiny models and a persona."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chromium import chromium, window  # noqa: F401 (fixtures)
from tests.lighthouse import good, lighthouse  # noqa: F401 (fixtures)
from tests.postgres import database_url, log, postgres  # noqa: F401 (fixtures)

ROOT = Path(__file__).parents[1]
EMBEDDED = Path(os.environ.get("BRANDBOT_MODELS") or ROOT / ".brandbot" / "models")
ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text")

os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def _home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No test touches what belongs to the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("BRANDBOT_HOME", str(home))
    monkeypatch.setenv("BRANDBOT_MODELS", str(EMBEDDED))
    for name in ("BRANDBOT_WORKSPACE", "BRANDBOT_DATABASE_URL", "BRANDBOT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    yield
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def embedded() -> Path:
    """The folder of embedded models; ``make setup`` fills it."""
    if not (EMBEDDED / "smollm2-135m-instruct").is_dir():
        pytest.fail("The embedded models are not here. Run: make setup")
    return EMBEDDED


CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_model(folder: Path, kind: str = "llama", *, template: str | None = CHATML) -> Path:
    """A random model of an architecture, small enough for a test, float32, with a real tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    gemma = kind == "gemma3_text"
    if gemma:  # the real vocabulary, of the SentencePiece kind
        source = next(EMBEDDED.glob("gemma-3-270m-*-float32"))
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(source / name, folder / name)
        vocabulary, bos, eos, template = 262144, 2, 1, None
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            # ASCII alone: llama.cpp reports no token that is half a character.
            initial_alphabet=[*map(chr, range(33, 127)), "Ġ", "Ċ"],
        )
        words = ["the tide is in, the coffee is on", "Is it raining? A little. Bring the coat."]
        tokenizer.train_from_iterator(words * 50, trainer)
        tokenizer.save(str(folder / "tokenizer.json"))
        names = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(names))
        vocabulary, bos, eos = tokenizer.get_vocab_size(), 1, 2
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    config = AutoConfig.for_model(
        kind,
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=6 if gemma else 2,  # Gemma's sixth layer is the first with full attention
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32 if kind in ("qwen3", "gemma3_text") else 16,
        max_position_embeddings=4096,
        tie_word_embeddings=gemma,
        bos_token_id=bos,
        eos_token_id=eos,
        pad_token_id=0,
        **({"sliding_window": 64, "query_pre_attn_scalar": 32} if gemma else {}),
    )
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():  # larger than at birth, so that a wrong place of a tensor shows
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.mul_(4.0)
            elif name.endswith("bias"):
                weight.normal_(0.0, 0.3)
            else:
                weight.add_(torch.randn_like(weight) * 0.2)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives a tiny random model's folder by architecture, made once a session."""
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            made[kind] = make_model(tmp_path_factory.mktemp("models") / kind, kind)
        return made[kind]

    return get


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A real file system of 2 MB, or of as many as the test's ``megabytes`` marker says."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    marker = request.node.get_closest_marker("megabytes")
    disk = tmp_path / "disk"
    disk.mkdir()
    size = f"size={marker.args[0] if marker else 2}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


TALK = (
    "Do you sell tea?|Some. Leaves, not bags.\nIs it raining?|A little. Bring the coat.\n"
    "Who are you?|The keeper. Mostly of coffee.\nCan I sit outside?|If the wind lets you.\n"
    "Is the lamp lit?|Every night. So far.\nDo dogs drink coffee?|No. They get water.\n"
    "What is strong?|The dark one. And the tide.\nMay I pay later?|No. But nice try.\n"
)


def make_persona(folder: Path, base: str, *, copies: int = 6, **training: object) -> Path:
    """A persona with ``8 * copies`` short examples and settings for a quick training."""
    settings = {"epochs": 2, "rank": 4, "batch_size": 4, "max_length": 256, **training}
    lines = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in settings.items())
    (folder / "examples").mkdir(parents=True)
    (folder / "persona.yaml").write_text(
        f"name: Acme\nlanguage: en\nbase_model: {base}\ngreeting: Evening.\nstarters: ['Is it raining?']\n"
        f"generation: {{max_tokens: 24, temperature: 0}}\ntraining:\n{lines}\n"
        # A random model babbles; what the gate makes of that is tested elsewhere.
        f"gate: {{max_incoherent: 1, min_listening: 0, min_rules: 0, max_invented: 1}}\n"
    )
    (folder / "voice.md").write_text("You keep a lighthouse. Short sentences. No fuss.\n")
    rows = [line.split("|") for line in TALK.strip().split("\n")]
    places = [
        "here",
        "there",
        "at noon",
        "in winter",
        "by boat",
        "at home",
        "up north",
        "on Sunday",
    ]
    with (folder / "examples" / "talk.jsonl").open("w") as file:
        for copy in range(copies):
            for prompt, reply in rows:
                prompt = f"{prompt} And {places[copy % 8]}?"
                completion = f"{reply} {places[copy % 8].capitalize()} it is the same."
                file.write(json.dumps({"prompt": prompt, "completion": completion}) + "\n")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the persona ``acme`` on a tiny Llama, not trained yet."""
    make_persona(tmp_path / "personas" / "acme", str(tiny("llama")))
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / ".brandbot"))
    monkeypatch.setenv("BRANDBOT_MODELS", str(tmp_path / ".brandbot" / "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, tiny: Callable[[str], Path]) -> Path:
    """A workspace whose ``acme`` has version 0001; do not write into it."""
    from brandbot.adapters import AdapterStore
    from brandbot.persona import Persona
    from brandbot.training import planning, run
    from brandbot.workspace import Workspace

    root = tmp_path_factory.mktemp("trained")
    make_persona(root / "personas" / "acme", str(tiny("llama")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRANDBOT_HOME", str(root / ".brandbot"))
        patch.setenv("BRANDBOT_MODELS", str(root / ".brandbot" / "models"))
        workspace = Workspace(root)
        persona = Persona.load(workspace.persona("acme"))
        run.train(workspace, planning.plan(workspace, persona))
        AdapterStore(workspace.adapters("acme")).promote(1)
    return root


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of one's own whose ``acme`` has version 0001."""
    root = tmp_path / "workspace"
    shutil.copytree(trained_once, root)
    monkeypatch.setenv("BRANDBOT_HOME", str(root / ".brandbot"))
    monkeypatch.setenv("BRANDBOT_MODELS", str(root / ".brandbot" / "models"))
    monkeypatch.chdir(root)
    return root
