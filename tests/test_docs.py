"""What the documentation says is what the code does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
assert spec and spec.loader
docs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(docs)


@pytest.mark.parametrize("page", ["settings.md", "commands.md"])
def test_derived_pages_are_up_to_date(page: str) -> None:
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == docs.PAGES[page]()


@pytest.mark.parametrize("readme", ["README.md", "README.es.md"])
def test_the_tree_names_every_file_of_the_package(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    tree = text[text.index("    app.py ") :]
    for file in (ROOT / "brandbot").rglob("*.py"):
        if file.name not in ("__init__.py", "__main__.py"):
            name = file.relative_to(ROOT / "brandbot").as_posix()
            assert re.search(rf"^ +{re.escape(name)} ", tree, re.MULTILINE), name


@pytest.mark.parametrize("readme", ["README.md", "README.es.md"])
def test_links_lead_somewhere(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_dependencies_each_have_a_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    for requirement in wanted:
        name = re.split(r"[>=<\[]", requirement)[0]
        if name != "brandbot" and not name.startswith("types-"):
            assert name in page, name
    pinned = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    for requirement in wanted:
        name = re.split(r"[>=<\[]", requirement)[0].lower()
        assert name == "brandbot" or f"\n{name}==" in f"\n{pinned}", name


def test_no_path_of_one_machine() -> None:
    own = str(Path.home())
    for file in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        assert own + "/" not in text


@pytest.mark.parametrize(
    "file",
    [
        file.relative_to(ROOT).as_posix()
        for folder in ("benchmarks", "docs", "reranker")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ],
)
def test_scripts_that_are_run_by_hand_still_start(file: str) -> None:
    """Nobody runs them for weeks; what they import may have moved."""
    beside = str((ROOT / file).parent)
    code = (
        f"import runpy, sys; sys.path.insert(0, {beside!r}); "
        f"runpy.run_path({str(ROOT / file)!r}, run_name='looked_at')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
