"""Training: packed rows equal padded ones, runs repeat, stop, resume and break cleanly."""

from __future__ import annotations

import errno
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from brandbot import examples, models, precision
from brandbot.adapters import AdapterStore
from brandbot.errors import LockHeldError, ModelError, PersonaError, TrainingError
from brandbot.persona import Persona
from brandbot.prompt import Encoded
from brandbot.training import planning, run
from brandbot.training.packing import ATTENTION, common_prefix, headless, pack, summed_loss
from brandbot.training.rows import encode
from brandbot.training.trainer import MARKER, last_whole_checkpoint, mean_loss
from brandbot.workspace import Workspace
from tests.conftest import ARCHITECTURES, make_model, make_persona

Plan = planning.Plan


def planned(root: Path, *settings: str) -> tuple[Workspace, Plan]:
    workspace = Workspace(root)
    persona = Persona.load(workspace.persona("acme")).with_settings(settings)
    return workspace, planning.plan(workspace, persona)


def padded_loss(model: torch.nn.Module, rows: list[Encoded]) -> float:
    """The loss as everybody computes it: one padded batch, causal attention, shifted labels."""
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [0] * (longest - len(row.ids)) for row in rows])
    seen = torch.tensor([[1] * len(row.ids) + [0] * (longest - len(row.ids)) for row in rows])
    labels = torch.tensor(
        [
            [i if m else -100 for i, m in zip(row.ids, row.mask, strict=True)]
            + [-100] * (longest - len(row.ids))
            for row in rows
        ]
    )
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=seen).logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten()).item()


def random_rows(prefix: int, seed: int) -> list[Encoded]:
    generator = torch.Generator().manual_seed(seed)
    head = torch.randint(3, 100, (prefix,), generator=generator).tolist()
    rows = []
    for length in (5, 90, 31, 2, 47):
        rest = torch.randint(3, 100, (length,), generator=generator).tolist()
        rest[0] = 3 + len(rows)  # so that the shared prefix is the head and no more
        mask = [0] * prefix + [int(place > 0 and place % 3 != 1) for place in range(length)]
        mask[-1] = 1
        rows.append(Encoded(head + rest, mask))
    return rows


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("prefix", [0, 1, 120])
def test_packed_loss_equals_padded_loss(
    kind: str, prefix: int, tiny: Callable[[str], Path]
) -> None:
    rows = random_rows(prefix, seed=prefix)
    assert common_prefix(rows) == prefix
    plain = AutoModelForCausalLM.from_pretrained(tiny(kind), dtype=torch.float32).eval()
    packed = AutoModelForCausalLM.from_pretrained(
        tiny(kind), dtype=torch.float32, attn_implementation=ATTENTION
    )
    loss = mean_loss(packed, rows, prefix, bf16=False, rows_at_once=5)
    assert loss == pytest.approx(padded_loss(plain, rows), abs=1e-5)


@pytest.mark.parametrize("frozen_head", [True, False])
def test_packed_gradients_equal_padded_ones(frozen_head: bool, tiny: Callable[[str], Path]) -> None:
    rows = random_rows(40, seed=1)
    gradients = []
    for attention in (ATTENTION, "eager"):
        model = AutoModelForCausalLM.from_pretrained(
            tiny("llama"), dtype=torch.float32, attn_implementation=attention
        )
        if attention == ATTENTION:
            batch = pack(rows, 40)
            labels = batch.pop("labels")
            head = model.get_output_embeddings().requires_grad_(frozen_head is False)
            with headless(head):
                hidden = model(**batch, use_cache=False).logits[0]
            loss = summed_loss(hidden, head, labels)
        else:
            loss = torch.zeros(())
            for row in rows:
                logits = model(input_ids=torch.tensor([row.ids])).logits[0, :-1]
                wanted = torch.tensor(
                    [i if m else -100 for i, m in zip(row.ids, row.mask, strict=True)]
                )[1:]
                loss = loss + torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
        loss.backward()
        gradients.append(model.model.layers[0].self_attn.q_proj.weight.grad)
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-4)


def test_pack_lays_rows_out_as_worked_by_hand() -> None:
    rows = [Encoded([7, 8, 1, 2], [0, 0, 1, 1]), Encoded([7, 8, 3], [0, 0, 1])]
    batch = pack(rows, 2)
    assert batch["input_ids"].tolist() == [[7, 8, 1, 2, 3]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert batch["labels"].tolist() == [1, 2, 3]
    assert batch["logits_to_keep"].tolist() == [1, 2, 1]


def test_training_publishes_what_it_says(trained: Path) -> None:
    version = AdapterStore(Workspace(trained).adapters("acme")).live()
    assert version is not None
    meta = version.meta
    assert meta["persona"] == "acme" and meta["method"] == "lora" and version.name == "0001"
    reading = examples.read(trained / "personas" / "acme" / "examples")
    assert meta["examples"] == {s: len(reading.split(s)) for s in ("train", "valid", "test")}
    assert meta["loss"]["test"] < meta["loss"]["base_test"]
    present = {file.name for file in version.folder.iterdir()}
    assert present == {
        "README.md", "adapter.gguf", "adapter_config.json", "adapter_model.safetensors",
        "chat_template.jinja", "persona.yaml", "version.json", "voice.md",
    }  # fmt: skip
    assert str(trained) not in (version.folder / "adapter_config.json").read_text()
    assert set(meta["files"]) == present - {"version.json"}


def test_the_losses_are_of_the_best_checkpoint_on_unseen_examples(trained: Path) -> None:
    """Measured again from the published files, with the padded reference."""
    from peft import PeftModel

    workspace, plan = planned(trained)
    version = AdapterStore(workspace.adapters("acme")).live()
    assert version is not None
    model = AutoModelForCausalLM.from_pretrained(plan.base.folder, dtype=torch.float32).eval()
    system, settings = plan.persona.system_prompt, plan.persona.config.training
    rows = {
        side: encode(plan.reading.split(side), plan.prompt_format, system, settings.max_length).encoded
        for side in ("test", "valid")
    }  # fmt: skip
    tolerance = 0.02 if precision.use_bf16() else 1e-4
    assert padded_loss(model, rows["test"]) == pytest.approx(
        version.meta["loss"]["base_test"], abs=tolerance
    )
    tuned = PeftModel.from_pretrained(model, version.folder).eval()
    assert padded_loss(tuned, rows["test"]) == pytest.approx(
        version.meta["loss"]["test"], abs=tolerance
    )
    assert padded_loss(tuned, rows["valid"]) == pytest.approx(
        version.meta["loss"]["best_valid"], abs=tolerance
    )


def test_the_same_folder_and_settings_give_the_same_adapter(trained: Path) -> None:
    workspace, plan = planned(trained)
    current = planning.up_to_date(workspace, plan)
    assert current is not None and (current.version, current.live) == ("0001", True)
    second = run.train(workspace, plan)
    store = AdapterStore(workspace.adapters("acme"))
    file = "adapter_model.safetensors"
    assert store.get(2).meta["files"][file] == store.get(1).meta["files"][file]
    assert (second.version, second.live, store.live_number()) == ("0002", False, 1)
    other = run.train(workspace, planned(trained, "training.seed=1")[1])
    assert store.get(int(other.version)).meta["files"][file] != store.get(1).meta["files"][file]


def test_the_best_checkpoint_is_kept_not_the_last(workspace: Path) -> None:
    """Replies of random letters can be learnt by heart only: held-out loss turns up again.

    At a rate of 0.02 the training runs away on some processors, and learns nothing by heart.
    """
    randomly = random.Random(0)
    file = workspace / "personas" / "acme" / "examples" / "talk.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        row["completion"] = " ".join(randomly.choices("abcdefghijklmnopqrstuvwxyz", k=12))
    file.write_text("\n".join(map(json.dumps, rows)))
    entries: list[dict[str, float]] = []
    space, plan = planned(
        workspace,
        "training.learning_rate=0.005",
        "training.epochs=60",
        "training.rank=16",
        "training.patience=99",
    )
    trained = run.train(space, plan, report=entries.append)
    measured = [entry["valid_loss"] for entry in entries if entry["valid_loss"] is not None]
    assert trained.loss.best_valid == pytest.approx(min(measured), abs=1e-3)
    assert measured[-1] > min(measured) + 0.05


def test_early_stopping_ends_a_training_that_gets_no_better(workspace: Path) -> None:
    entries: list[dict[str, float]] = []
    space, plan = planned(
        workspace, "training.learning_rate=0.2", "training.epochs=40", "training.patience=2"
    )
    run.train(space, plan, report=entries.append)
    assert entries[-1]["step"] < entries[-1]["steps"]


def test_progress_can_be_followed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries: list[dict[str, float]] = []
    kept: list[str] = []
    space, plan = planned(workspace)
    monkeypatch.setattr(run.shutil, "rmtree", lambda folder, **_: kept.append(str(folder)))
    run.train(space, plan, report=entries.append)
    written = (space.runs("acme") / plan.run / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in written] == entries
    assert set(entries[0]) == {
        "step", "steps", "epoch", "loss", "valid_loss", "tokens_per_second", "seconds", "seconds_left",
    }  # fmt: skip
    assert entries[-1]["step"] == entries[-1]["steps"]


def test_examples_with_errors_are_not_trained(workspace: Path) -> None:
    file = workspace / "personas" / "acme" / "examples" / "talk.jsonl"
    file.write_text(file.read_text() + '{"prompt": "x"\n')
    with pytest.raises(PersonaError, match=r"talk\.jsonl:49"):
        planned(workspace)


def test_too_few_examples_are_not_trained(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    make_persona(tmp_path / "personas" / "acme", str(tiny("llama")), copies=2)
    with pytest.raises(TrainingError, match="16 examples; training needs at least 20"):
        planned(tmp_path)


def test_a_second_training_hears_who_holds_the_lock(workspace: Path) -> None:
    space, plan = planned(workspace)
    runs = space.runs("acme")
    runs.mkdir(parents=True)
    with (
        run._lock(runs / "lock", "acme"),
        pytest.raises(LockHeldError, match=f"process {os.getpid()} on "),
    ):
        run.train(space, plan)
    assert run.train(space, plan).version == "0001"  # and once it is free, it trains


def test_row_19_nan_stops_training_within_three_steps(workspace: Path) -> None:
    entries: list[dict[str, float]] = []
    space, plan = planned(workspace, "training.learning_rate=1e30")
    with pytest.raises(
        TrainingError, match=r"at step [123]: .*nothing was published.*learning rate"
    ):
        run.train(space, plan, report=entries.append)
    assert len(entries) <= 3
    assert AdapterStore(space.adapters("acme")).numbers() == []


TRAIN = """
import sys, resource
from brandbot.persona import Persona
from brandbot.training import planning, run
from brandbot.workspace import Workspace
workspace = Workspace.find()
persona = Persona.load(workspace.persona("acme")).with_settings(sys.argv[2:])
plan = planning.plan(workspace, persona)
def report(entry):
    print(entry["step"], entry["loss"], entry["valid_loss"], flush=True)
def say(message):
    print("say", message, flush=True)
import torch, transformers, peft
if sys.argv[1].startswith("limited"):
    one = Persona.load(persona.folder).with_settings(["training.batch_size=1"])
    run.train(workspace, planning.plan(workspace, one))  # all libraries are loaded then
    pages = int(open("/proc/self/statm").read().split()[0])
    more = int(sys.argv[1].removeprefix("limited")) * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + more, -1))
trained = run.train(workspace, plan, resume=sys.argv[1] == "resume", report=report, say=say)
print("loss", trained.loss.test, trained.loss.best_valid)
"""


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"BRANDBOT_WORKSPACE": str(root), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", TRAIN, *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def final_losses(output: str) -> list[float]:
    return [float(number) for number in output.split("loss ")[-1].split()]


def steps_of(output: str) -> list[int]:
    return [int(number) for number in re.findall(r"^(\d+) ", output, re.MULTILINE)]


def test_row_18_a_kill_while_a_checkpoint_is_written_costs_nothing(workspace: Path) -> None:
    """Killed with a newer, half-written checkpoint on disk: resumes from the last whole one, and
    ends where an uninterrupted training ends."""
    settings = ("training.epochs=3",)
    space, plan = planned(workspace, *settings)
    whole = run.train(space, plan)
    process = start(workspace, "fresh", *settings)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("14 "):  # a step between checkpoints 12 and 16
            break
    process.kill()
    process.communicate()
    folder = space.runs("acme") / plan.run
    good = last_whole_checkpoint(folder)
    assert good is not None
    torn = folder / "checkpoint-9999"
    torn.mkdir()
    for file in good.iterdir():  # cut short in the middle, as the kill would leave them
        if file.name != MARKER:
            (torn / file.name).write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert last_whole_checkpoint(folder) == good
    resumed = start(workspace, "resume", *settings).communicate()[0]
    test, valid = final_losses(resumed)
    assert test == pytest.approx(whole.loss.test, abs=1e-4)
    assert valid == pytest.approx(whole.loss.best_valid, abs=1e-4)
    assert steps_of(resumed)[0] > 1  # it went on and did not begin again


@pytest.mark.parametrize("how", ["resume", "fresh"])
def test_ctrl_c_keeps_a_checkpoint_and_who_trains_again_goes_on(workspace: Path, how: str) -> None:
    """Also without --resume: hours of training were once deleted by the same command again."""
    process = start(workspace, "fresh", "training.epochs=4")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("2 "):
            break
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    assert "Go on with: brandbot train acme --resume" in output
    space, _ = planned(workspace, "training.epochs=4")
    other = space.runs("acme") / "of-other-examples"
    other.mkdir()
    resumed = start(workspace, how, "training.epochs=4").communicate()[0]
    step = int(re.findall(r"Going on from step (\d+)", resumed)[0])
    assert steps_of(resumed)[0] == step + 1 > 2 and all(map(math.isfinite, final_losses(resumed)))
    assert not [left for left in space.runs("acme").iterdir() if left.is_dir()]


def test_a_training_that_had_ended_goes_on_to_its_version(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped early, but not published: training on would have made another version of it."""
    settings = ("training.epochs=6", "training.learning_rate=0.1", "training.patience=1")
    space, plan = planned(workspace, *settings)
    whole = run.train(space, plan)
    publish = run.publish

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run, "publish", full)
    with pytest.raises((OSError, TrainingError)):
        run.train(space, plan)
    monkeypatch.setattr(run, "publish", publish)
    steps: list[int] = []
    again = run.train(space, plan, report=lambda entry: steps.append(entry["step"]))
    assert steps == [] and again.tokens_per_second == 0
    assert again.loss.test == pytest.approx(whole.loss.test, abs=1e-5)
    assert again.loss.best_valid == pytest.approx(whole.loss.best_valid, abs=1e-5)


def test_who_wants_to_begin_anew_says_so(workspace: Path) -> None:
    space, plan = planned(workspace)
    steps: list[int] = []

    def stop(entry: dict[str, Any]) -> None:
        if entry["step"] == 8:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run.train(space, plan, report=stop)
    assert last_whole_checkpoint(space.runs("acme") / plan.run) is not None
    run.train(space, plan, fresh=True, report=lambda entry: steps.append(entry["step"]))
    assert steps[0] == 1


def test_a_voice_guide_that_leaves_no_room_is_told_before_training(workspace: Path) -> None:
    (workspace / "personas" / "acme" / "voice.md").write_text("You keep a lighthouse. " * 2000)
    with pytest.raises(TrainingError, match=r"voice\.md takes \d{5} tokens.*room for 4072"):
        planned(workspace)


def test_resume_without_a_run_says_so(workspace: Path) -> None:
    space, plan = planned(workspace)
    with pytest.raises(TrainingError, match="nothing to resume"):
        run.train(space, plan, resume=True)


@pytest.mark.parametrize(("kind", "reason"), [("gemma2", "softcap"), ("bloom", "its own")])
def test_a_model_that_can_not_share_a_row_is_refused(
    kind: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounded scores and biases by distance would be left out of the loss without a word."""
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / ".brandbot"))
    make_persona(tmp_path / "personas" / "acme", str(make_model(tmp_path / "model", kind)))
    with pytest.raises(ModelError, match=f"architecture {kind}.*{reason}"):
        run.train(*planned(tmp_path))
    assert AdapterStore(Workspace(tmp_path).adapters("acme")).numbers() == []


def test_another_handoff_or_document_is_another_training(workspace: Path) -> None:
    _, plan = planned(workspace)
    folder, before = plan.persona.folder, plan.run
    (folder / "knowledge").mkdir()
    (folder / "knowledge" / "prices.md").write_text("# Tea\n\nTea costs £2.10.\n")
    priced = planned(workspace)[1]
    assert priced.fingerprint == plan.fingerprint and priced.run != before
    with (folder / "persona.yaml").open("a") as stream:
        stream.write("handoff: [Ask the keeper.]\n")
    other = planned(workspace)[1]
    assert other.fingerprint != plan.fingerprint


def test_row_20_out_of_memory_tries_a_smaller_batch_or_stops_plainly(
    tmp_path: Path, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel really refuses memory: the process's address space is limited, ever closer."""
    monkeypatch.setenv("BRANDBOT_HOME", str(tmp_path / ".brandbot"))
    settings = {"batch_size": 32, "epochs": 1, "max_length": 1024}
    folder = make_persona(tmp_path / "personas" / "acme", str(tiny("llama")), **settings)
    examples = folder / "examples" / "talk.jsonl"
    rows = [json.loads(line) for line in examples.read_text().splitlines()]
    for row in rows:  # a few hundred tokens each, so that 32 of them need much more than one
        row["completion"] = " ".join([row["completion"]] * 16)
    examples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = AdapterStore(Workspace(tmp_path).adapters("acme"))
    for megabytes in (700, 600, 500, 400, 300):
        before = store.numbers()
        output = start(tmp_path, f"limited{megabytes}").communicate()[0]
        trained = len(store.numbers()) == len(before) + 2
        stopped = "There is not enough memory, not even for one example at a time." in output
        assert trained != stopped, output[-2000:]
        smaller = trained and "Memory ran out; going on with 16 examples at a time." in output
        if smaller:
            break
    assert smaller


def test_row_20_what_was_trained_outlives_a_lack_of_memory_at_the_end(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measuring tries fewer examples at a time; without memory for one, the checkpoint is kept."""
    from brandbot.training import trainer

    enough, tried, measured = 0, [], []
    plain = trainer.mean_loss

    def mean_loss(model: Any, rows: Any, *rest: Any, rows_at_once: int, **options: Any) -> float:
        if measured and rows == measured[0]:  # the test set once more: training has ended
            tried.append(rows_at_once)
            if rows_at_once > enough:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried …")
        measured.append(rows)
        return plain(model, rows, *rest, rows_at_once=rows_at_once, **options)

    monkeypatch.setattr(trainer, "mean_loss", mean_loss)
    settings = ("training.epochs=1", "training.batch_size=8")
    space, plan = planned(workspace, *settings)
    with pytest.raises(TrainingError, match=r"not enough memory.*checkpoint is kept.*--resume"):
        run.train(space, plan)
    assert tried == [8, 4, 2, 1]
    assert AdapterStore(space.adapters("acme")).numbers() == []
    enough, tried, measured, told = 3, [], [], []
    run.train(space, plan, say=told.append)
    assert tried == [8, 4, 2]
    assert any("Going on from step" in line for line in told)
    assert AdapterStore(space.adapters("acme")).numbers() == [1]


def test_which_errors_are_a_lack_of_memory() -> None:
    from brandbot.errors import is_out_of_memory

    lacks = ("could not create a primitive", "CUDA out of memory. Tried …", "std::bad_alloc")
    others = ("could not create a primitive descriptor for the matmul primitive", "memory format")
    assert all(is_out_of_memory(RuntimeError(text)) for text in lacks)
    assert not any(is_out_of_memory(RuntimeError(text)) for text in others)
    assert is_out_of_memory(MemoryError())


def test_accelerate_with_two_processes_gives_the_same_loss(workspace: Path) -> None:
    space, plan = planned(workspace, "training.epochs=1")
    alone = run.train(space, plan)
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2",
        "--num_machines", "1", "--mixed_precision", "no", "--main_process_port", "0",
        "-m", "brandbot", "train", "acme", "--set", "training.epochs=1", "--json",
    ]  # fmt: skip
    environment = os.environ | {"BRANDBOT_WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    tolerance = 5e-3 if precision.use_bf16() else 1e-4  # gradients are summed in another order
    assert told["loss"]["test"] == pytest.approx(alone.loss.test, abs=tolerance)
    assert told["loss"]["best_valid"] == pytest.approx(alone.loss.best_valid, abs=tolerance)
    assert told["version"] == "0002"


def test_full_training_goes_through_the_same_path(workspace: Path) -> None:
    space, plan = planned(workspace, "training.method=full", "training.learning_rate=1e-3")
    trained = run.train(space, plan)
    version = AdapterStore(space.adapters("acme")).get(1)
    assert trained.loss.test is not None and trained.loss.base_test is not None
    assert trained.loss.test < trained.loss.base_test
    assert version.method == "full" and version.gguf is not None
    assert (version.folder / "model.safetensors").is_file()
    assert models.resolve(str(version.folder), space.models).sha256
