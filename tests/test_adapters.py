"""Versions: complete or not there, checked, and switched by one rename."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brandbot import adapters
from brandbot.adapters import AdapterStore, whoever
from brandbot.errors import VersionError
from brandbot.workspace import Workspace


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return AdapterStore(tmp_path / "adapters" / "acme")


def publish(store: AdapterStore, content: bytes = b"weights") -> int:
    with store.publishing() as (folder, meta):
        (folder / "adapter_model.safetensors").write_bytes(content)
        (folder / "persona.yaml").write_text("name: Acme\n")
        meta |= {"persona": "acme", "method": "lora"}
    return int(meta["version"])


def test_versions_are_numbered_and_read_back(store: AdapterStore) -> None:
    assert [publish(store), publish(store)] == [1, 2]
    assert store.numbers() == [1, 2]
    assert store.get(2).meta["version"] == "0002" and store.get(2).name == "0002"
    assert store.live() is None


def test_a_failed_publish_leaves_nothing(store: AdapterStore) -> None:
    with pytest.raises(RuntimeError), store.publishing() as (folder, _):
        (folder / "half").write_bytes(b"x")
        raise RuntimeError
    assert list(store.folder.iterdir()) == []


def test_promote_and_roll_back(store: AdapterStore) -> None:
    for _ in range(3):
        publish(store)
    store.promote(1)
    store.promote(3, reason="better")
    assert store.live_number() == 3
    assert store.rollback().number == 1 and store.live_number() == 1
    assert [entry["version"] for entry in store.history()] == ["0001", "0003", "0001"]


def test_a_missing_version_is_named_with_those_that_are_there(store: AdapterStore) -> None:
    publish(store)
    with pytest.raises(VersionError, match=r"no version 0007 .*there: 0001"):
        store.promote(7)


@pytest.mark.parametrize("fault", ["flip", "cut", "missing"])
def test_row_16_a_damaged_file_is_refused_by_its_hash(store: AdapterStore, fault: str) -> None:
    for content in (b"first" * 1000, b"refused" * 1000, b"third" * 1000):
        publish(store, content)
    store.promote(1)
    store.promote(3)
    file = store.folder / "0003" / "adapter_model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[1234] ^= 1
    match fault:
        case "flip":
            file.write_bytes(raw)
        case "cut":
            file.write_bytes(raw[:-1])
        case "missing":
            file.unlink()
    with pytest.raises(
        VersionError, match=r"0003 .*adapter_model\.safetensors (was changed|is missing)"
    ):
        store.live()
    sound = store.newest_sound()
    assert sound is not None and sound.number == 1  # the second was never live


def test_what_was_live_later_and_taken_out_does_not_come_back(store: AdapterStore) -> None:
    for content in (b"first" * 1000, b"second" * 1000, b"third" * 1000):
        publish(store, content)
    for number in (1, 3, 2):
        store.promote(number)
    (store.folder / "0002" / "adapter_model.safetensors").write_bytes(b"cut")
    sound = store.newest_sound()
    assert sound is not None and sound.number == 1


def test_a_history_torn_inside_a_letter_is_read_to_there(store: AdapterStore) -> None:
    publish(store)
    store.promote(1, reason="ñ")
    publish(store)
    history = store.folder / "history.jsonl"
    history.write_bytes(history.read_bytes() + b'{"version": "0002", "reason": "\xc3')
    assert [entry["version"] for entry in store.history()] == ["0001"]
    store.promote(2)
    assert store.rollback().number == 1


@pytest.mark.parametrize("name", ["adapter_model.bin", "weights.pt", "model.pkl", "modeling.py"])
def test_row_17_a_pickle_is_refused_unopened(store: AdapterStore, name: str) -> None:
    publish(store)
    (store.folder / "0001" / name).write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(VersionError, match="can run code"):
        store.get(1)


def test_row_17_a_pickle_listed_instead_of_safetensors_is_refused(store: AdapterStore) -> None:
    with store.publishing() as (folder, meta):
        (folder / "adapter_model.bin").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
        meta |= {"persona": "acme", "method": "lora"}
    with pytest.raises(VersionError, match=r"can run code.*lists no weights"):
        store.get(1)


def test_a_broken_pointer_says_what_it_should_hold(store: AdapterStore) -> None:
    publish(store)
    (store.folder / "live").write_text("latest\n")
    with pytest.raises(
        VersionError, match="should name a version such as 0001, but holds 'latest'"
    ):
        store.live()


LOOP = """
import sys
from pathlib import Path
from brandbot.adapters import AdapterStore
store = AdapterStore(Path(sys.argv[1]))
def publish():
    with store.publishing() as (folder, meta):
        (folder / "adapter_model.safetensors").write_bytes(b"w" * 200_000)
        (folder / "persona.yaml").write_text("name: Acme\\n")
        meta |= {"persona": "acme", "method": "lora"}
    return int(meta["version"])
print("up", flush=True)
while True:
    number = publish()
    store.promote(number)
    if number > 1:
        store.rollback()
        store.promote(number)
"""


def test_row_15_kill_9_anywhere_leaves_a_pointer_that_loads(store: AdapterStore) -> None:
    """Killed 40 times at random moments of publishing, promoting and rolling back."""
    randomly = random.Random(15)
    for _ in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(store.folder)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(timeout=randomly.uniform(0.005, 0.12))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        for number in store.numbers():
            store.get(number)
        if store.numbers():
            live = store.live()
            assert live is None or live.number in store.numbers()
    assert len(store.numbers()) > 5


@pytest.mark.megabytes(1)
def test_row_12_a_full_disk_leaves_the_live_version(small_disk: Path) -> None:
    """A real, small file system that really fills up."""
    disk = small_disk
    store = AdapterStore(disk / "acme")
    store.promote(publish(store, b"small"))
    with pytest.raises(OSError, match="No space left"):
        publish(store, b"x" * 2_000_000)
    assert store.numbers() == [1]
    live = store.live()
    assert live is not None and live.number == 1
    assert publish(store, b"fits again") == 2  # nothing was left behind that fills the disk


def test_a_trained_version_is_served_with_what_it_was_trained_with(trained: Path) -> None:
    store = AdapterStore(Workspace(trained).adapters("acme"))
    (trained / "personas" / "acme" / "voice.md").write_text("Something else entirely.")
    live = store.live()
    assert live is not None
    assert live.persona.system_prompt == "You keep a lighthouse. Short sentences. No fuss."


def test_a_version_of_another_format_is_refused(store: AdapterStore) -> None:
    publish(store)
    file = store.folder / "0001" / "version.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(VersionError, match="format 99"):
        store.get(1)


def test_a_copied_folder_keeps_working(store: AdapterStore, tmp_path: Path) -> None:
    publish(store)
    shutil.copytree(store.folder, tmp_path / "elsewhere")
    assert AdapterStore(tmp_path / "elsewhere").get(1).meta["persona"] == "acme"
    assert (store.folder / "0001").stat().st_mode & 0o077 == 0o055


def test_going_back_twice_goes_back_twice(store: AdapterStore) -> None:
    """The version that was just fled from is not what was before."""
    for number in (1, 2, 3):
        publish(store)
        store.promote(number)
    assert store.rollback().number == 2
    assert store.rollback().number == 1
    with pytest.raises(VersionError, match="no whole version before 0001"):
        store.rollback()
    store.promote(3)
    assert store.rollback().number == 1


def test_a_promotion_that_stopped_half_way_is_nothing_to_go_back_to(
    store: AdapterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full when the pointer was to be switched: the third never was live."""
    for number in (1, 2, 3):
        publish(store)
        if number < 3:
            store.promote(number)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patched.setattr(adapters, "write_pointer", full)
        store.promote(3)
    assert store.live_number() == 2 and store.history()[-1]["version"] == "0003"
    assert store.rollback().number == 1
    with pytest.raises(VersionError, match="no whole version before 0001"):
        store.rollback()


def test_a_history_from_before_there_were_kinds_is_gone_back_by(store: AdapterStore) -> None:
    for number in (1, 2, 3):
        publish(store)
        store.promote(number, reason="rollback")  # a person's word, not what was done
    assert {entry["kind"] for entry in store.history()} == {"promotion"}
    rows = [{"version": "0001", "before": None, "reason": ""},
            {"version": "0002", "before": 1, "reason": ""},
            {"version": "0003", "before": 2, "reason": ""},
            {"version": "0002", "before": 3, "reason": "rollback"}]  # fmt: skip
    (store.folder / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (store.folder / "live").write_text("0002\n")
    assert store.rollback().number == 1
    assert store.history()[-1]["kind"] == "rollback"


@pytest.mark.parametrize("known", ["pointer", "history", "last"])
def test_a_deleted_versions_number_is_not_given_again(store: AdapterStore, known: str) -> None:
    """What was live would be served anew: unmeasured, and with another's votes."""
    for number in (1, 2):
        publish(store)
        store.promote(number)
    shutil.rmtree(store.folder / "0002")
    for file in {"pointer": "live", "history": "history.jsonl", "last": "last"}.items():
        if file[0] != known:
            (store.folder / file[1]).unlink()
    assert publish(store) == 3
    if known == "pointer":
        with pytest.raises(VersionError, match="no version 0002"):
            store.live()


def test_there_is_nothing_to_go_back_to_where_nothing_was_live(tmp_path: Path) -> None:
    with pytest.raises(VersionError, match="No version is live"):
        AdapterStore(tmp_path).rollback()


def test_going_back_passes_a_damaged_version_over(store: AdapterStore) -> None:
    for number in (1, 2, 3):
        publish(store)
        store.promote(number)
    (store.folder / "0002" / "adapter_model.safetensors").write_bytes(b"x")
    assert store.rollback().number == 1


def test_a_torn_line_of_history_swallows_no_other(store: AdapterStore) -> None:
    for number in (1, 2):
        publish(store)
        store.promote(number)
    with (store.folder / "history.jsonl").open("a") as file:
        file.write('{"at": "2026')
    publish(store)
    store.promote(3)
    assert [entry["version"] for entry in store.history()] == ["0001", "0002", "0003"]
    assert store.rollback().number == 2


def test_what_systems_leave_in_a_folder_harms_no_version(store: AdapterStore) -> None:
    publish(store)
    for name in (".DS_Store", ".report.json.new"):
        (store.folder / "0001" / name).write_bytes(b"x")
    assert store.get(1).number == 1


def test_a_person_whose_user_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert whoever() in (f"user {os.getuid()}", "unknown")
