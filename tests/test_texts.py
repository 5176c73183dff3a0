"""The catalogue of problems: complete, in both languages, and fillable."""

from __future__ import annotations

import ast
import string
import subprocess
import sys
from pathlib import Path

import pytest

import brandbot
from brandbot.errors import PersonaError, Problem
from brandbot.texts import PROBLEMS, WORDS, tell

SOURCES = sorted(Path(next(iter(brandbot.__path__))).rglob("*.py"))


def placeholders(words: tuple[str, str, str]) -> set[str]:
    fields = {field for part in words for _, field, _, _ in string.Formatter().parse(part)}
    return {field for field in fields if field}


def constants(node: ast.AST) -> set[str]:
    found = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
    return {value for value in found if isinstance(value, str)}


def assigned(tree: ast.AST, name: str, before: int) -> ast.expr | None:
    """The value last assigned to a name above a line; functions are short enough for that."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if any(isinstance(t, ast.Name) and t.id == name for t in targets) and node.lineno < before:
            found.append(value)
    return max(found, key=lambda value: value.lineno, default=None)


def uses() -> list[tuple[str, str, set[str] | None]]:
    """Each place that makes a problem: where, its code, and its values' names if they are plain.

    Problems are made with ``Problem(severity, code, file, line, values)``, with lint's
    ``problem(severity, code, **values)`` or as ``BrokenRule(code, values)``.
    """
    made = []
    for file in SOURCES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            kind = call.func.id
            if kind not in ("Problem", "problem", "BrokenRule"):
                continue
            code = call.args[0 if kind == "BrokenRule" else 1]
            if isinstance(code, (ast.Attribute, ast.Subscript)):
                continue  # a broken rule's or a remembered problem's own, found where it was made
            if isinstance(code, ast.Name):
                source = assigned(tree, code.id, call.lineno)
                if source is None:  # a parameter: lint's problem(), whose calls are found
                    continue
                code = source
            if isinstance(code, ast.IfExp):
                codes = constants(code.body) | constants(code.orelse)
            else:
                codes = constants(code)
            assert codes, f"{file.name}:{call.lineno}: no code"
            names = value_names(tree, call, kind)
            made += [(f"{file.name}:{call.lineno}", found, names) for found in sorted(codes)]
    return made


def value_names(tree: ast.AST, call: ast.Call, kind: str) -> set[str] | None:
    if kind == "problem":
        names = {keyword.arg for keyword in call.keywords}
        return None if None in names else {name for name in names if name}
    position = 1 if kind == "BrokenRule" else 4
    values = call.args[position] if len(call.args) > position else None
    values = next((k.value for k in call.keywords if k.arg == "values"), values)
    if isinstance(values, ast.Name):
        values = assigned(tree, values.id, call.lineno)
    if values is None:
        return set()
    if not isinstance(values, ast.Dict):
        return None
    return {str(key.value) for key in values.keys if isinstance(key, ast.Constant)}


def test_the_search_finds_the_codes() -> None:
    codes = {code for _, code, _ in uses()}
    assert {"unknown-key", "open-quote", "merged-down", "personal-data", "never-say"} <= codes
    assert len(codes) > 55


@pytest.mark.parametrize(("place", "code", "names"), uses())
def test_every_code_is_told(place: str, code: str, names: set[str] | None) -> None:
    assert code in PROBLEMS, f"{place} makes {code!r}"
    if names is not None:
        for words in PROBLEMS[code].values():
            assert placeholders(words) <= names, f"{place}: {code}"


def test_no_code_is_left_over() -> None:
    assert set(PROBLEMS) == {code for _, code, _ in uses()}


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_both_languages_say_the_same(code: str) -> None:
    said = PROBLEMS[code]
    assert set(said) == {"en", "es"}
    assert placeholders(said["en"]) >= placeholders(said["es"]) - {"close"}
    assert placeholders(said["es"]) >= placeholders(said["en"]) - {"close"}
    values = {name: "7" for name in placeholders(said["en"])}
    for language in ("en", "es"):
        told = tell(Problem("error", code, "file", 1, values), language)
        for sentence in (told.what, told.why, told.fix):
            assert sentence
            assert "\n" not in sentence
        assert told.why.endswith((".", "?", ")"))
        assert told.fix.endswith((".", "?", "…"))


def test_every_word_is_in_both_languages() -> None:
    assert all(set(words) == {"en", "es"} for words in WORDS.values())


def test_a_problem_in_words() -> None:
    values = {"kind": "@price", "found": "€3"}
    problem = Problem("warning", "changing-fact", "faq.csv", 14, values)
    assert tell(problem, "en").what == "A reply holds a price (€3)."
    assert tell(problem, "es-MX").what == "Una respuesta contiene un precio (€3)."
    assert tell(problem, "fr").what == "A reply holds a price (€3)."


def test_the_line_is_what_and_fix() -> None:
    told = tell(Problem("error", "yaml-tab", "persona.yaml", 3), "en")
    assert told.line == "A line begins with a tab. Replace the tab with two spaces."


def test_text_from_a_file_is_not_taken_for_a_placeholder_or_a_word() -> None:
    values = {"found": "{reason} @home", "column": "@here"}
    assert "{reason} @home" in tell(Problem("error", "no-header", "a.csv", 1, values), "en").what
    assert "@here" in tell(Problem("note", "stray-column", "a.csv", 1, values), "en").what


def test_line_breaks_in_a_value_stay_out_of_the_message() -> None:
    problem = Problem("error", "yaml-syntax", "persona.yaml", 1, {"reason": "one\n  two"})
    assert "one two" in tell(problem, "en").line


def test_the_error_tells_every_problem_with_its_place() -> None:
    problems = [
        Problem("error", "missing-key", "persona.yaml", None, {"key": "name"}),
        Problem("error", "yaml-tab", "persona.yaml", 3),
    ]
    message = str(PersonaError(Path("x"), problems, "es"))
    assert message.split("\n") == [
        "persona.yaml: Falta name. Añade una línea name: seguida de su valor.",
        "persona.yaml:3: Una línea empieza con un tabulador. Cambia el tabulador por dos espacios.",
    ]


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, brandbot.texts;"
        "print([m for m in ('yaml', 'pydantic', 'numpy', 'spacy', 'torch') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
