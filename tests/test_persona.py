"""persona.yaml and voice.md: what is read, what is refused, and in which line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brandbot.errors import PersonaError, Problem
from brandbot.persona import Persona, guess_language, read
from brandbot.persona_yaml import dump
from brandbot.texts import tell


def written(folder: Path, yaml: str | bytes, voice: str | None = None) -> Path:
    raw = yaml.encode() if isinstance(yaml, str) else yaml
    (folder / "persona.yaml").write_bytes(raw)
    if voice is not None:
        (folder / "voice.md").write_text(voice, encoding="utf-8")
    return folder


def problems(folder: Path, yaml: str | bytes) -> list[tuple[str, int | None]]:
    """Code and line of each problem; each can be told in both languages."""
    found = read(written(folder, yaml))[1]
    for problem in found:
        assert tell(problem, "en").line
        assert tell(problem, "es").line
    return [(problem.code, problem.line) for problem in found]


def test_a_name_is_enough(tmp_path: Path) -> None:
    persona = Persona.load(written(tmp_path, "name: Acme\n"))
    config = persona.config
    assert (config.name, config.language, config.base_model) == (
        "Acme",
        "en",
        "smollm2-135m-instruct",
    )
    assert (config.rules.never_say, config.rules.emoji, config.rules.max_sentences) == (
        [],
        "free",
        None,
    )
    assert (config.knowledge.enabled, config.knowledge.top_k) == (True, 4)
    assert (config.generation.temperature, config.generation.max_tokens) == (0.4, 200)
    assert (config.training.method, config.training.rank, config.training.epochs) == ("lora", 16, 3)
    assert persona.name == tmp_path.name
    assert persona.system_prompt == "You are the assistant of Acme. Answer in its voice."


def test_everything_can_be_set(tmp_path: Path) -> None:
    yaml = """\
name: Letra Clara
language: es-MX
base_model: gemma-3-270m
greeting: "¡Hola!"
starters: ["¿Qué es la TAE?"]
rules: {never_say: [chollo], emoji: sparing, max_sentences: 4}
knowledge: {enabled: false, top_k: 2}
generation: {temperature: 0, top_p: 0.5, repeat_penalty: 1.2, max_tokens: 50, strength: 0.5}
training: {method: full, rank: 4, epochs: 1.5, learning_rate: 2.0e-4, seed: 7}
"""
    persona = Persona.load(written(tmp_path, yaml, "Hablas claro.\n"))
    assert persona.language == "es"
    assert persona.config.rules.never_say == ["chollo"]
    assert persona.config.knowledge.enabled is False
    assert persona.config.training.learning_rate == 2e-4
    assert persona.system_prompt == "Hablas claro."


def test_notes_in_the_voice_guide_are_not_for_the_model(tmp_path: Path) -> None:
    voice = "<!-- Who talks?\nSay it. -->\nYou are dry.\n\n<!-- open to the end"
    persona = Persona.load(written(tmp_path, "name: Acme\n", voice))
    assert persona.voice == "You are dry."


def test_a_spanish_persona_without_a_voice(tmp_path: Path) -> None:
    persona = Persona.load(written(tmp_path, "name: Acme\nlanguage: es\n"))
    assert persona.system_prompt == "Eres el asistente de Acme. Responde con su voz."


def test_no_file(tmp_path: Path) -> None:
    assert [p.code for p in read(tmp_path)[1]] == ["no-persona-yaml"]
    with pytest.raises(PersonaError, match=r"no file persona\.yaml"):
        Persona.load(tmp_path)


def test_an_unknown_key_with_a_suggestion_and_its_line(tmp_path: Path) -> None:
    found = read(written(tmp_path, "name: Acme\nrules:\n  emojis: none\n"))[1]
    values = {"key": "rules.emojis", "close": "emoji", "known": "never_say, emoji, max_sentences"}
    assert found == [Problem("error", "unknown-key-close", "persona.yaml", 3, values)]
    assert "Did you mean emoji?" in tell(found[0], "en").what


def test_an_unknown_key_like_no_other(tmp_path: Path) -> None:
    assert problems(tmp_path, "name: Acme\nzzz: 1\n") == [("unknown-key", 2)]


@pytest.mark.parametrize(
    ("line", "english", "spanish"),
    [
        ("name: 12", "name is 12, but it must be text.", "un texto"),
        ("language: [en]", "language is ['en'], but it must be text.", "un texto"),
        ("language: english please", "a language code such as en, es or es-MX", "código de idioma"),
        ("starters: hello", "a list: [one, two]", "una lista: [uno, dos]"),
        ("starters: [a, b, c, d, e, f, g, h, i]", "a list of at most 8", "una lista de 8"),
        ("rules: none", "settings below it, indented", "con sangría"),
        ("rules: {emoji: some}", "one of 'none', 'sparing', 'free'", "'none', 'sparing', 'free'"),
        ("rules: {max_sentences: 0}", "1 or more", "1 o más"),
        ("rules: {never_say: ['']}", "some text, not nothing", "algún texto"),
        ("knowledge: {top_k: 2.5}", "a whole number", "un número entero"),
        ("knowledge: {enabled: perhaps}", "true or false", "true (sí) o false (no)"),
        ("generation: {temperature: hot}", "a number", "un número"),
        ("generation: {top_p: 0}", "a number above 0", "mayor que 0"),
        ("generation: {strength: 3}", "1 or less", "1 o menos"),
    ],
)
def test_a_wrong_value_says_what_it_must_be(
    tmp_path: Path, line: str, english: str, spanish: str
) -> None:
    name = "" if line.startswith("name") else "name: Acme\n"
    found = read(written(tmp_path, f"{name}{line}\n"))[1]
    assert [(p.code, p.line) for p in found] == [("wrong-value", 1 if not name else 2)]
    assert english in tell(found[0], "en").what
    assert spanish in tell(found[0], "es").what


def test_a_missing_name(tmp_path: Path) -> None:
    assert problems(tmp_path, "language: en\n") == [("missing-key", None)]


def test_a_key_that_is_there_twice(tmp_path: Path) -> None:
    found = read(written(tmp_path, "name: A\nrules:\n  emoji: none\n  emoji: free\nname: B\n"))[1]
    assert [(p.code, p.line, p.values) for p in found] == [
        ("key-twice", 4, {"key": "rules.emoji", "first": 3}),
        ("key-twice", 5, {"key": "name", "first": 1}),
    ]


def test_a_tab(tmp_path: Path) -> None:
    assert problems(tmp_path, "name: Acme\nrules:\n\temoji: none\n") == [("yaml-tab", 3)]


def test_a_tab_inside_a_text_is_none_of_our_business(tmp_path: Path) -> None:
    assert problems(tmp_path, 'name: "Ac\tme"\n') == []


@pytest.mark.parametrize(
    ("yaml", "code", "line"),
    [
        ("name: Acme\nstarters: [one, two\n", "yaml-syntax", 3),
        ("name: Acme: the shop\n", "yaml-syntax", 1),
        ('name: Acme\ngreeting: "Hi\nlanguage: en\n', "yaml-quote", 2),
        ('name: Acme\ngreeting: "Hi\nstarters:\n  - "Now?"\n  - "When?"\n', "yaml-quote", 2),
        ("name: Acme\nstarters:\n  - 'It''s on?\n  - 'When?'\n", "yaml-quote", 3),
        ("name: Acme\nrules:\n  emoji: free\n emoji: none\n", "yaml-indent", 4),
        ("name: *nobody\n", "yaml-mark", 1),
        ("name: Acme\ngreeting: @acme says hi\n", "yaml-mark", 2),
        ('name: Acme\ngreeting: "Hi" there\n', "yaml-mark", 2),
        ("name: Acme\nhandoff:\n  - 'No' idea\n", "yaml-mark", 3),
    ],
)
def test_bad_yaml(tmp_path: Path, yaml: str, code: str, line: int) -> None:
    assert problems(tmp_path, yaml) == [(code, line)]


@pytest.mark.parametrize(
    "sound",
    [
        r'greeting: "A 5\" pizza"', r'greeting: "C:\\"', "greeting: 'Hi' # don't change",
        "greeting: 'It''s on'", 'greeting: "Hi there,\n  welcome"',
    ],
)  # fmt: skip
def test_a_closed_text_is_not_blamed_for_a_later_error(tmp_path: Path, sound: str) -> None:
    last = 3 + sound.count("\n")
    yaml = f"name: Acme\n{sound}\nhandoff: *nobody\n"
    assert problems(tmp_path, yaml) == [("yaml-mark", last)]


@pytest.mark.parametrize("name", ["persona.yaml.txt", "persona.yml", "Persona.YAML"])
def test_a_file_of_nearly_that_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / name).write_text("name: Acme\n")
    _, found = read(tmp_path / "acme")
    assert [(p.code, p.values) for p in found] == [("persona-yaml-misnamed", {"found": name})]


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"PK\x03\x04\0\0\x14", "office-file"), (rb"{\rtf1\ansi You speak.\par}", "rich-text-file")],
)
def test_a_word_file_is_no_voice(tmp_path: Path, raw: bytes, code: str) -> None:
    folder = written(tmp_path, "name: Acme\n")
    (folder / "voice.md").write_bytes(raw)
    assert [p.code for p in read(folder)[1]] == [code]


def test_a_note_that_is_not_closed_hides_its_own_line(tmp_path: Path) -> None:
    folder = written(tmp_path, "name: Acme\n")
    (folder / "voice.md").write_text("One.\n<!-- todo ->\nTwo.\n<!-- done –>\nThree.")
    persona, found = read(folder)
    assert persona is not None and persona.voice == "One.\n\nTwo.\n\nThree."
    assert [(p.code, p.line) for p in found] == [("open-comment", 2)]


def test_the_language_of_messages_when_its_line_is_wrong(tmp_path: Path) -> None:
    for line in ("idioma: es", "language es", "  language:  'es-MX'"):
        assert guess_language(written(tmp_path, f"name: A\n{line}\n")) == "es"


@pytest.mark.parametrize(
    ("yaml", "line", "found"),
    [
        ("name: 2026-13-40\n", 1, "2026-13-40"),
        ("name: A\ngreeting: 2026-02-01\nhandoff: 2026-02-31\n", 3, "2026-02-31"),
        ("name: A\nstarters:\n  - 2026-10-10 25:61:00\n", 3, "2026-10-10 25:61:00"),
    ],
)
def test_an_impossible_date_is_told_with_its_line(
    tmp_path: Path, yaml: str, line: int, found: str
) -> None:
    _, (problem,) = read(written(tmp_path, yaml))
    assert (problem.code, problem.line) == ("yaml-date", line)
    assert problem.values == {"found": found}


@pytest.mark.parametrize("yaml", ["", "just text\n", "- a\n- b\n"])
def test_no_settings_at_all(tmp_path: Path, yaml: str) -> None:
    assert problems(tmp_path, yaml) == [("yaml-not-mapping", 1)]


def test_latin_1_is_read_with_a_warning(tmp_path: Path) -> None:
    folder = written(tmp_path, "greeting: hi\nname: Café\n".encode("latin-1"))
    persona, found = read(folder)
    assert persona is not None
    assert persona.config.name == "Café"
    assert [(p.severity, p.code, p.line) for p in found] == [("warning", "not-utf8", 2)]


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    persona = Persona.load(written(tmp_path, b"\xef\xbb\xbfname: Acme\r\nlanguage: es\r\n"))
    assert (persona.config.name, persona.language) == ("Acme", "es")


def test_all_problems_at_once(tmp_path: Path) -> None:
    yaml = """\
nmae: Acme
language: 5
rules:
  emoji: many
  max_sentences: -1
training:
  epochs: three
  speed: 9
"""
    assert problems(tmp_path, yaml) == [
        ("missing-key", None),
        ("wrong-value", 2),
        ("wrong-value", 4),
        ("wrong-value", 5),
        ("wrong-value", 7),
        ("unknown-key-close", 8),
        ("unknown-key-close", 1),
    ]


def test_the_error_speaks_the_personas_language(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"persona\.yaml:2: .*tiene que ser"):
        Persona.load(written(tmp_path, "name: Acme\nstarters: 3\nlanguage: es\n"))


def test_the_language_of_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert guess_language(written(tmp_path, "name: [\nlanguage: 'es-AR'\n")) == "es"
    assert guess_language(tmp_path / "nowhere") == "en"


def settings(persona: Persona, *assignments: str) -> Any:
    return persona.with_settings(assignments).config


def test_set_changes_a_setting_and_nothing_else(tmp_path: Path) -> None:
    persona = Persona.load(written(tmp_path, "name: Acme\ntraining: {rank: 4}\n"))
    config = settings(persona, "training.epochs=2", "rules.never_say=[cheap, ASAP]", "name=New")
    assert (config.name, config.training.epochs, config.training.rank) == ("New", 2, 4)
    assert config.rules.never_say == ["cheap", "ASAP"]
    assert persona.config.training.epochs == 3


@pytest.mark.parametrize(
    ("assignment", "code"),
    [
        ("training.epochs", "set-form"),
        ("training.epoch=2", "unknown-key-close"),
        ("training.epochs=many", "wrong-value"),
        ("name.first=Acme", "wrong-value"),
        ("training.epochs.x=1", "wrong-value"),
        ("name=[", "yaml-syntax"),
        ("=3", "unknown-key"),
    ],
)
def test_set_refuses(tmp_path: Path, assignment: str, code: str) -> None:
    persona = Persona.load(written(tmp_path, "name: Acme\n"))
    with pytest.raises(PersonaError) as caught:
        persona.with_settings([assignment])
    assert [(p.code, p.file) for p in caught.value.problems] == [(code, "--set")]
    assert str(caught.value).startswith("--set: ")


@pytest.mark.parametrize(
    "line, told",
    [
        ("greeting: ¡Hola! Pide la #1", True),
        ("handoff:\n  -No lo sé.\n  -Ni idea.", True),
        ("rules:\n  never_say:\n    - “barato”", True),
        ("handoff:\n  • No lo sé.\n  • Ni idea.", True),
        ("handoff:\n- No lo sé.\n - Ni idea.", True),
        ('greeting: "¡Hola! Pide la #1"', False),
        ("greeting: Hello  # shown first", False),
        ("handoff:\n  - No lo sé.\n  - Ni idea.", False),
        ("generation: {temperature: 0}\nlanguage: es", False),
    ],
)
def test_text_that_yaml_reads_otherwise_is_said(tmp_path: Path, line: str, told: bool) -> None:
    (tmp_path / "persona.yaml").write_text(f"name: Acme\n{line}\n", encoding="utf-8")
    _, problems = read(tmp_path)
    assert ("yaml-text" in [p.code for p in problems]) == told


def test_a_voice_guide_from_notepad_is_read(tmp_path: Path) -> None:
    (tmp_path / "persona.yaml").write_text("name: Acme\n")
    (tmp_path / "voice.md").write_bytes("Cálida y breve.".encode("utf-16"))
    found, problems = read(tmp_path)
    assert found is not None and found.voice == "Cálida y breve." and problems == []


@pytest.mark.parametrize("face", ["¯\\_(ツ)_/¯", "a \\ b", "C:\\temp", "\u0085 next line"])
def test_what_is_written_is_read_again_as_it_was(face: str, tmp_path: Path) -> None:
    greeting = f"{'Good evening to you all, ' * 5}{face} {'and welcome, ' * 8}"
    dump({"name": "Acme", "greeting": greeting}, tmp_path / "persona.yaml")
    found, problems = read(tmp_path)
    assert problems == [] and found is not None and found.config.greeting == greeting


@pytest.mark.parametrize(
    ("yaml", "code", "fix"),
    [
        ("max_sentences: 3", "key-elsewhere", "debajo de una línea rules:"),
        ("generation:\n  max_sentences: 3", "key-elsewhere", "debajo de una línea rules:"),
        ("rules:\n  max_tokens: 30", "key-elsewhere", "debajo de una línea generation:"),
        ("rules:\n  language: es", "key-at-top", "sin espacios delante"),
        ("rules:\n  max_sentence: 3", "unknown-key-close", "max_sentences"),
    ],
)
def test_a_setting_in_the_wrong_section_is_told_its_own(
    tmp_path: Path, yaml: str, code: str, fix: str
) -> None:
    (tmp_path / "persona.yaml").write_text(f"name: Acme\n{yaml}\n")
    _, problems = read(tmp_path)
    assert [(p.code, p.line) for p in problems] == [(code, 2 + yaml.count("\n"))]
    assert fix in tell(problems[0], "es").fix
