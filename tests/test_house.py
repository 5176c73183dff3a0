"""The house stays as it is drawn: imports go one way, nothing heavy at the door."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import brandbot
from tests.conftest import ROOT

LAYERS = [
    {"errors", "workspace", "texts", "disk"},
    {"tables", "workbooks", "database", "migrations"},
    {
        "persona",
        "persona_yaml",
        "examples",
        "examples_tables",
        "examples_markdown",
        "money",
        "questions",
        "prompt",
        "models",
        "convert",
    },
    {
        "lint",
        "lint_text",
        "lint_letters",
        "lint_persona",
        "lint_privacy",
        "lint_secrets",
        "lint_pairs",
        "lint_knowledge",
        "lint_contradictions",
        "lint_figures",
        "lint_patterns",
        "lint_topics",
        "lint_fix",
        "adapters",
        "conversations",
        "claims",
        "starter",
        "fitting",
        "nearest",
        "redact",
        "approved",
        "from_conversations",
        "grounding",
        "strict",
        "knowledge",
        "opening",
        "courtesies",
    },
    {
        "training",
        "engines",
        "evaluation",
        "usefulness",
        "review",
        "traces",
        "forget",
        "export",
        "repeats",
    },
    {"bot", "given"},
    {"taste"},
    {
        "screen",
        "screen_evaluation",
        "terminal",
        "terminal_review",
        "cli_options",
        "cli_evaluation",
        "cli",
        "cli_knowledge",
        "cli_loop",
        "cli_slack",
        "__main__",
    },
]
LOADED_LATE = (
    "conversations.py",
    "database.py",
    "claims.py",
    "review.py",
    "usefulness.py",
    "forget.py",
    "traces.py",
    "export.py",
)
"""Files that are themselves imported inside functions."""

HEAVY = {
    "torch",
    "transformers",
    "peft",
    "gradio",
    "xllamacpp",
    "sqlalchemy",
    "spacy",
    "presidio_analyzer",
    "tokenizers",
    "faiss",
    "bm25s",
    "sentence_transformers",
}


def layer(module: str) -> int:
    return next(level for level, names in enumerate(LAYERS) if module in names)


def imports(file: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_imports_go_one_way() -> None:
    for file in (ROOT / "brandbot").rglob("*.py"):
        module = file.relative_to(ROOT / "brandbot").parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        for name in imports(file):
            parts = name.split(".")
            if parts[0] != "brandbot" or len(parts) < 2 or parts[1] in (module, "__version__"):
                continue
            if module == "errors" and parts[1] == "texts":
                continue  # PersonaError tells its problems in words, when it is raised
            known = {n for names in LAYERS for n in names}
            if parts[1] in known:
                assert layer(parts[1]) <= layer(module), f"{file.name} imports {name}"


def test_connectors_use_only_the_public_surface() -> None:
    public = {f"brandbot.{name}" for name in brandbot.__all__} | {"brandbot"}
    for file in (ROOT / "connectors").rglob("*.py"):
        own = file.relative_to(ROOT / "connectors").parts[0]
        for name in imports(file):
            if name.startswith("brandbot"):
                assert name in public, f"{file} imports {name}"
            if name.startswith("connectors."):
                assert name.split(".")[1] == own, f"{file} knows another connector: {name}"


def test_what_is_exported_is_there() -> None:
    for name in brandbot.__all__:
        assert getattr(brandbot, name) is not None


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    for file in (ROOT / "brandbot").rglob("*.py"):
        names = {name.split(".")[0] for name in imports(file, top_level=True)}
        if (
            file.name in ("packing.py", "trainer.py", "side_by_side.py", *LOADED_LATE)
            or "migrations" in file.parts
        ):
            continue
        assert not names & HEAVY, f"{file.name}: {names & HEAVY}"


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; sys.argv=['brandbot','--help']\nfrom brandbot.cli import main\ntry: main()\nexcept SystemExit: pass\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout.strip().splitlines()[-1]))
    assert not loaded & (HEAVY | {"numpy", "pydantic", "yaml"})


def test_no_file_is_a_drawer() -> None:
    names = {
        file.stem
        for file in [*(ROOT / "brandbot").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    }
    assert not names & {"utils", "helpers", "manager", "common", "misc", "data"}
