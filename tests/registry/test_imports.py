"""Which modules a plug-in imports, and which of them are the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmark.common.errors import BenchError
from benchmark.registry import load_plugin, plugin_code
from benchmark.registry.imports import imports_of


@pytest.fixture
def folder(tmp_path):
    path, modules = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]


def modules_of(folder: Path, code: str) -> set[str]:
    (folder / "plug.py").write_text(f"{code}\nclass Plug:\n    pass\n")
    return set(plugin_code("plug.py:Plug", folder).imports.modules)


@pytest.mark.parametrize(
    "line",
    [
        "import own_a",
        "from own_a import VALUE",
        "from own_a import *",
        "import own_a as other",
        "def late():\n    import own_a",
        "import importlib\nimportlib.import_module('own_a')",
        "__import__('own_a')",
        "if False:\n    import own_a",
    ],
)
def test_every_way_to_import_is_seen(folder, line):
    (folder / "own_a.py").write_text("import own_b\nVALUE = 1\n")
    (folder / "own_b.py").write_text("import numpy, json, benchmark.model\n")
    assert modules_of(folder, line) == {"own_a", "own_b"}


def test_packages_and_relative_imports(folder):
    package = folder / "own_package" / "deep"
    package.mkdir(parents=True)
    (folder / "own_package" / "__init__.py").write_text("")
    (folder / "own_package" / "top.py").write_text("VALUE = 1\n")
    (package / "__init__.py").write_text("from .. import top\n")
    (package / "net.py").write_text("from ..nothing_there import x\n")
    modules = modules_of(folder, "def late():\n    from own_package.deep import net")
    assert modules == {"own_package", "own_package.top", "own_package.deep", "own_package.deep.net"}


def test_a_folder_without_init_inside_a_package_that_nobody_imported(folder):
    inner = folder / "own_parent" / "inner" / "deeper"
    inner.mkdir(parents=True)
    (folder / "own_parent" / "__init__.py").write_text("")
    (inner / "leaf.py").write_text("VALUE = 1\n")
    line = "def late():\n    import own_parent.inner.deeper.leaf"
    assert "own_parent.inner.deeper.leaf" in modules_of(folder, line)


def test_circles_and_broken_files_end(folder):
    (folder / "own_a.py").write_text("import own_b\n")
    (folder / "own_b.py").write_text("import own_a\n")
    (folder / "own_broken.py").write_text("def (:\n")
    assert modules_of(folder, "import own_a\ndef late():\n    import own_broken") == {
        "own_a",
        "own_b",
        "own_broken",
    }


def test_versions_of_installed_packages_are_told(folder):
    (folder / "plug.py").write_text("import yaml, sys, benchmark\nclass Plug:\n    pass\n")
    packages = plugin_code("plug.py:Plug", folder).imports.packages
    assert set(packages) == {"yaml"}
    assert packages["yaml"][0].isdigit()


def test_a_changed_module_is_run_again_in_the_same_process(folder):
    (folder / "own_a.py").write_text("VALUE = 1\n")
    (folder / "plug.py").write_text("from own_a import VALUE\nclass Plug:\n    value = VALUE\n")
    assert load_plugin("plug.py:Plug", folder).value == 1
    (folder / "own_a.py").write_text("VALUE = 20\n")
    assert load_plugin("plug.py:Plug", folder).value == 20


def test_an_installed_module_that_changed_since_its_import_is_refused(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    (folder / "own_installed.py").write_text("class Plug:\n    value = 1\n")
    assert load_plugin("own_installed:Plug", folder).value == 1
    (folder / "own_installed.py").write_text("class Plug:\n    value = 20\n")
    with pytest.raises(BenchError, match="changed after it was imported: start Python again"):
        load_plugin("own_installed:Plug", folder)


def test_a_plug_in_of_the_suite_imports_nothing_of_the_user_s_own(folder):
    assert plugin_code("models/pixels.py:Pixels", folder).as_key().keys() == {"source"}
    module = sys.modules[load_plugin("models/timm_models.py:Timm", folder).__module__]
    assert imports_of(module).modules == {}
