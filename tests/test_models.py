"""Base models: a name becomes files on disk, or a sentence that says what to run.

The hub can't be reached from the tests; a small local server speaks the part of its protocol that
huggingface_hub uses (model info, HEAD and GET of files with commit and ETag headers).
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from brandbot import convert, models
from brandbot.errors import ModelError
from tests.conftest import make_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tiny: Callable[[str], Path]) -> Iterator[tuple[str, list[str]]]:
    """The address of a hub that has the model acme/tiny, and the paths asked of it."""
    folder = tiny("qwen3")
    files = {
        file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")
    }
    files["pytorch_model.bin"] = b"a pickle nobody may fetch"
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            asked.append(path)
            name = path.rpartition("/")[2]
            if path.startswith("/api/models/acme/tiny/tree/"):
                rows = [
                    {
                        "type": "file",
                        "path": file,
                        "size": len(raw),
                        "oid": hashlib.sha1(raw).hexdigest(),
                    }
                    for file, raw in files.items()
                ]
                content = json.dumps(rows).encode()
            elif path.startswith("/api/models/acme/tiny"):
                siblings = [{"rfilename": file} for file in files]
                content = json.dumps(
                    {"id": "acme/tiny", "sha": COMMIT, "siblings": siblings}
                ).encode()
            elif path.startswith(f"/acme/tiny/resolve/{COMMIT}/") and name in files:
                content = files[name]
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def get(name: str, endpoint: str, cache: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1"}
    environment |= {"BRANDBOT_MODELS": str(cache / "models"), "PYTHONWARNINGS": "ignore"}
    environment |= more
    command = [sys.executable, "-m", "brandbot", "models", "get", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=cache)


def test_a_hub_model_is_fetched_once_and_then_found_offline(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    endpoint, asked = hub
    (tmp_path / "personas").mkdir()
    done = get("acme/tiny", endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "acme/tiny is here" in done.stdout
    assert not any("pytorch_model.bin" in path for path in asked)
    asked.clear()
    assert get("acme/tiny", "http://127.0.0.1:9", tmp_path).returncode == 0
    assert asked == []


@pytest.mark.parametrize("lacking", ["model.safetensors", "tokenizer.json"])
def test_a_hub_model_that_is_half_here_is_completed(
    hub: tuple[str, list[str]], tmp_path: Path, lacking: str
) -> None:
    """Another program may have asked the hub for its tokenizer, or its weights, alone."""
    (tmp_path / "personas").mkdir()
    assert get("acme/tiny", hub[0], tmp_path).returncode == 0
    for file in tmp_path.rglob(f"snapshots/*/{lacking}"):
        blob = file.resolve()
        file.unlink()
        blob.unlink(missing_ok=True)
    done = get("acme/tiny", hub[0], tmp_path)
    assert done.returncode == 0 and "acme/tiny is here" in done.stdout, done.stderr
    assert len(list(tmp_path.rglob(f"snapshots/*/{lacking}"))) == 1


def test_a_model_the_hub_refuses_and_a_hub_that_is_not_there(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    (tmp_path / "personas").mkdir()
    refused = get("acme/other", hub[0], tmp_path)
    assert refused.returncode == 1 and "brandbot models get acme/other" in refused.stderr
    away = get("acme/tiny", "http://127.0.0.1:9", tmp_path)
    assert away.returncode == 1 and "could not be reached" in away.stderr
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        threading.Thread(target=hang_up, args=(proxy,), daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        cut = get("acme/tiny", "https://hub.example", tmp_path, HTTPS_PROXY=address)
    assert cut.returncode == 1 and "could not be reached" in cut.stderr
    assert "Traceback" not in refused.stderr + away.stderr + cut.stderr


def hang_up(server: socket.socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return


def test_embedded_models_are_what_they_should_be(embedded: Path) -> None:
    for name in ("smollm2-135m-instruct", "gemma-3-270m"):
        base = models.resolve(name, embedded)
        assert base.gguf is not None
        assert models.file_sha256(base.gguf) == base.sha256 == models.ALIASES[name].embedded.sha256  # type: ignore[union-attr]
        assert models.is_here(name, embedded)


def test_what_is_trained_on_is_what_is_served(embedded: Path) -> None:
    """The dequantised copy holds the numbers of the GGUF file, tensor by tensor."""
    import gguf
    import numpy as np
    from safetensors.numpy import load_file

    base = models.resolve("smollm2-135m-instruct", embedded)
    reader = gguf.GGUFReader(base.gguf)
    stored = load_file(base.folder / "model.safetensors")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 30)
    found = {names.get_name(name, try_suffixes=(".weight",)): name for name in stored}
    for tensor in reader.tensors:
        if "attn_q" in tensor.name or "attn_k" in tensor.name:
            continue  # rows stand in another order; the engines' agreement covers them
        served = gguf.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(served, stored[found[tensor.name]]), tensor.name


def test_a_local_folder_and_a_local_gguf_file(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    base = models.resolve(str(tiny("llama")), tmp_path)
    assert base.gguf is None and base.folder == tiny("llama")
    file = models.gguf_file(base, tmp_path)
    assert file.is_file() and models.gguf_file(base, tmp_path) == file
    assert models.resolve(str(tiny("llama")), tmp_path).sha256 == base.sha256


def test_a_gguf_file_becomes_a_base(embedded: Path, tmp_path: Path) -> None:
    source = models.resolve("smollm2-135m-instruct", embedded).gguf
    assert source is not None
    (tmp_path / "mine.gguf").symlink_to(source)
    base = models.resolve(str(tmp_path / "mine.gguf"), tmp_path / "models")
    assert base.gguf == source.resolve() and (base.folder / "model.safetensors").is_file()
    assert base.prompt_format().end_of_turn == "<|im_end|>"
    assert base.folder.stat().st_mode & 0o777 == 0o755  # a server may run as somebody else


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-such-model", "is no base model"),
        ("./nowhere.gguf", "There is no file"),
        ("Qwen/Qwen3-0.6B", "brandbot models get Qwen/Qwen3-0.6B"),
        ("gemma-3-270m", r"brandbot models get gemma-3-270m"),
    ],
)
def test_what_is_not_here_says_what_to_run(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        models.resolve(name, tmp_path)


def test_a_folder_of_pickles_is_refused(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ModelError, match="can run code"):
        models.resolve(str(tmp_path), tmp_path / "models")


def test_a_broken_gguf_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelError, match="can't be read as a GGUF model"):
        models.resolve(str(tmp_path / "broken.gguf"), tmp_path / "models")
    assert not list((tmp_path / "models").iterdir())


def test_an_architecture_llamacpp_files_cannot_be_written_for() -> None:
    with pytest.raises(ModelError, match=r"'mamba'.*--engine transformers"):
        convert.architecture_of({"model_type": "mamba"})


@pytest.mark.parametrize("name", ["type", "rope_type"])
@pytest.mark.parametrize("kind", ["linear", "yarn"])
def test_a_scaling_that_llama_cpp_would_not_get_is_refused(name: str, kind: str) -> None:
    """By its older name it was once left out without a word."""
    config = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4,
              "rope_scaling": {name: kind, "factor": 4.0}}  # fmt: skip
    with pytest.raises(ModelError, match=f"scaling '{kind}' .*--engine transformers"):
        convert.architecture_of(config)
    assert convert.architecture_of({**config, "rope_scaling": None})
    assert convert.architecture_of({**config, "rope_scaling": {"rope_type": "llama3"}})


def test_a_model_without_a_tokenizers_settings_is_written_for_llama_cpp(tmp_path: Path) -> None:
    """It ended in a FileNotFoundError; of a fully trained one, only after the training."""
    folder = make_model(tmp_path / "m")
    (folder / "tokenizer_config.json").unlink()
    convert.folder_to_gguf(folder, tmp_path / "m.gguf", half=True)
    assert (tmp_path / "m.gguf").read_bytes()[:4] == b"GGUF"
