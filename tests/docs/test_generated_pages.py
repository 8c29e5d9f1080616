"""The generated parts of the documentation are what ``python docs/generate.py`` writes."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from benchmark.registry import load_registry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REGISTRY = load_registry()
GENERATE = runpy.run_path(str(DOCS / "generate.py"))


@pytest.mark.parametrize(
    "name", ["explanation/architecture.md", "reference/bindings.md", "reference/models.md"]
)
def test_the_page_is_current(name):
    page = DOCS / name
    assert page.read_text(encoding="utf-8") == GENERATE["pages"](REGISTRY)[page], (
        "run: python docs/generate.py"
    )


def test_every_model_and_binding_has_a_row():
    models = (DOCS / "reference" / "models.md").read_text(encoding="utf-8")
    bindings = (DOCS / "reference" / "bindings.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in models for name in REGISTRY.models)
    for suite in REGISTRY.suites:
        for name, binding in REGISTRY.bindings(suite).items():
            (row,) = [line for line in bindings.splitlines() if line.startswith(f"| `{name}` |")]
            for key, value in binding.params.items():
                assert f"`{key}`: **{value}**" in row


def test_defaults_are_those_of_the_task():
    assert GENERATE["default_params"](REGISTRY.task("association_topk").load()()) == {"split": "images"}
    assert GENERATE["default_params"](REGISTRY.task("two_vs_two").load()()) == {}


def test_the_order_of_the_rooms_has_every_room():
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## The order of the rooms")[2].partition("\n## ")[0]
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    folders = {path.parent.name for path in (ROOT / "benchmark").glob("*/__init__.py")}
    assert set(re.findall(r"`([\w.]+)`", " ".join(first))) == folders | {"model.py", "task.py"}


def test_the_functions_that_the_page_names_exist():
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    run = page.partition("## One run, step by step")[2].partition("\n## ")[0]
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "benchmark").rglob("*.py"))
    prose = re.sub(r"```.*?```", "", run, flags=re.DOTALL)
    for name in re.findall(r"`(?:[A-Z]\w+\.)?(\w+)`", prose):
        assert re.search(rf"(def|class) {name}\b", source), name
    for path in re.findall(r"`((?:benchmark|tasks)/[\w/.]+)`", page):
        assert (ROOT / path).exists(), path
