"""brandbot new: a folder a person can fill in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest

from brandbot import lint, starter
from brandbot.errors import WorkspaceError
from brandbot.persona import Persona, known_keys

BOTH: list[Literal["en", "es"]] = ["en", "es"]


@pytest.mark.parametrize("language", BOTH)
def test_a_new_persona_loads_cleanly(tmp_path: Path, language: Literal["en", "es"]) -> None:
    folder = tmp_path / "personas" / "acme"
    files = starter.create(folder, language=language, name='Café "Sol": 100% #1')
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == files
    persona = Persona.load(folder)
    assert persona.config.name == 'Café "Sol": 100% #1'
    assert persona.language == language
    models = {"en": "smollm2-135m-instruct", "es": "gemma-3-270m"}
    assert persona.config.base_model == models[language]
    assert 'Café "Sol"' in persona.voice
    assert "<!--" not in persona.voice
    assert [p.name for p in folder.parent.iterdir()] == ["acme"]


@pytest.mark.parametrize("language", BOTH)
def test_the_samples_are_read_and_must_be_replaced(
    tmp_path: Path, language: Literal["en", "es"]
) -> None:
    starter.create(tmp_path / "acme", language=language, name="Acme")
    check = lint.check(tmp_path / "acme")
    assert len(check.reading.examples) == 6
    assert max(len(example.messages) for example in check.reading.examples) == 4
    codes = [p.code for p in check.problems]
    assert sorted(codes) == ["sample-left"] * 6 + ["too-few", "voice-unwritten"]


@pytest.mark.parametrize("language", BOTH)
def test_every_key_is_explained_in_the_personas_language(
    tmp_path: Path, language: Literal["en", "es"]
) -> None:
    starter.create(tmp_path / "acme", language=language, name="Acme")
    text = (tmp_path / "acme" / "persona.yaml").read_text(encoding="utf-8")
    keys = re.findall(r"(?m)^(\w+):", text)
    assert keys == known_keys([])
    for key in ("name", "language", "base_model", "greeting", "starters", "rules", "knowledge"):
        assert re.search(rf"(?m)^# .*\n{key}:", text), key
    assert ("Cómo" in text) is (language == "es")


def test_excel_opens_the_examples_as_utf_8(tmp_path: Path) -> None:
    starter.create(tmp_path / "acme", language="es", name="Acme")
    raw = (tmp_path / "acme" / "examples" / "ejemplos.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfpregunta;respuesta\n")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    starter.create(tmp_path / "acme", language="en", name="Acme")
    assert (tmp_path / "acme" / "persona.yaml").is_file()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "mine.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="already there and not empty"):
        starter.create(tmp_path / "acme", language="en", name="Acme")
    assert [p.name for p in (tmp_path / "acme").iterdir()] == ["mine.txt"]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text("mine")
    with pytest.raises(WorkspaceError, match="already there"):
        starter.create(tmp_path / "acme", language="en", name="Acme")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    whole = Path.write_text

    def fill_up(self: Path, *args: object, **kwargs: object) -> int:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(self)
        return whole(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", fill_up)
    with pytest.raises(WorkspaceError, match="No space left on device"):
        starter.create(tmp_path / "acme", language="en", name="Acme")
    assert list(tmp_path.iterdir()) == []


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no starter in 'fr'"):
        starter.create(tmp_path / "a", language="fr", name="Acme")  # type: ignore[arg-type]
    with pytest.raises(WorkspaceError, match="needs a name"):
        starter.create(tmp_path / "a", language="en", name=" ")
    assert list(tmp_path.iterdir()) == []
