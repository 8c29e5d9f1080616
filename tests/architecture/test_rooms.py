"""The shape of the package: what stands loose, and in which direction rooms import one another."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "benchmark"


def imported(path: Path) -> set[str]:
    """Every module that a file imports, late imports included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_the_two_doors_of_a_plug_in_stand_loose():
    assert {path.name for path in PACKAGE.glob("*.py")} == {
        "__init__.py",
        "__main__.py",
        "model.py",
        "task.py",
    }


def test_rooms_import_downwards():
    # a process of its own: the linter changes the logging of the one it runs in
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run([*command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_engine_imports_no_plug_in(path):
    tops = {name.split(".")[0] for name in imported(path)}
    assert not tops & {"models", "tasks", "leaderboard", "tests"}


@pytest.mark.parametrize("measure", ["gromov_wasserstein", "two_vs_two"])
def test_a_measure_of_many_files_has_one_door(measure):
    inside = f"benchmark.measures.{measure}"
    files = {f"{inside}.{file.stem}" for file in (PACKAGE / "measures" / measure).glob("*.py")}
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "tasks").glob("*.py"), *(ROOT / "models").glob("*.py")]:
        if path.parent == PACKAGE / "measures" / measure:
            continue
        behind = imported(path) & files
        assert not behind, f"{path.relative_to(ROOT)} imports {behind}: import it from {inside}"
