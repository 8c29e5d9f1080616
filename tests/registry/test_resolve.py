"""Loading plug-ins by path and by module."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.common.errors import BenchError
from benchmark.registry import load_plugin, plugin_source_hash


@pytest.fixture
def base(tmp_path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "SIZE = 3\n"
        "@dataclass\n"
        "class Mine:\n"
        "    x: int = 1\n"
        "def make():\n"
        "    return Mine()\n"
    )
    return tmp_path


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Path]:
    folder = tmp_path / "lab_package"
    (folder / "sub").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "sub" / "__init__.py").write_text("")
    (folder / "sub" / "net.py").write_text("class Net: pass\n")
    (folder / "blocks.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "lab_package"]:
        del sys.modules[name]


def test_class_and_function_of_a_file(base):
    mine = load_plugin("models/mine.py:Mine", base)
    assert mine().x == 1
    assert load_plugin("models/mine.py:Mine", base) is mine
    assert isinstance(load_plugin("models/mine.py:make", base)(), mine)
    assert pickle.loads(pickle.dumps(mine(7))) == mine(7)


def test_absolute_path(base):
    assert load_plugin(f"{base}/models/mine.py:Mine", Path("/nowhere"))().x == 1


def test_changed_file_is_run_anew(base):
    before, hashed = load_plugin("models/mine.py:Mine", base), plugin_source_hash("models/mine.py:Mine", base)
    path = base / "models" / "mine.py"
    path.write_text(path.read_text().replace("x: int = 1", "x: int = 2"))
    assert load_plugin("models/mine.py:Mine", base)().x == 2
    assert before().x == 1
    assert plugin_source_hash("models/mine.py:Mine", base) != hashed


def test_no_compiled_code_of_an_older_file_is_run(base, monkeypatch):
    # Python tells by size and whole second whether compiled code is of the file: here both are the same
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = base / "models" / "mine.py"
    os.utime(path, (1e9, 1e9))
    assert load_plugin("models/mine.py:Mine", base)().x == 1
    path.write_text(path.read_text().replace("x: int = 1", "x: int = 2"))
    os.utime(path, (1e9, 1e9))
    assert load_plugin("models/mine.py:Mine", base)().x == 2
    assert not (base / "models" / "__pycache__").exists()


def test_two_files_of_one_name_do_not_mix(base):
    (base / "other").mkdir()
    (base / "other" / "mine.py").write_text("class Mine:\n    x = 'other'\n")
    assert load_plugin("models/mine.py:Mine", base)().x == 1
    assert load_plugin("other/mine.py:Mine", base)().x == "other"


def test_installed_module(package):
    assert load_plugin("lab_package.sub.net:Net", Path()).__name__ == "Net"


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        ("models/mnie.py:Mine", r"models/mnie\.py is not there; did you mean mine\.py\?"),
        ("nowhere/mine.py:Mine", r"nowhere/mine\.py is not there"),
        ("models/mine.py:Mien", r"has no 'Mien'; did you mean Mine\?"),
        ("models/mine.py:SIZE", "'SIZE' is a int, not a class or function"),
        ("models_of_nobody:Mine", "no module 'models_of_nobody'"),
        ("no_such_package.net:Net", "no module 'no_such_package'"),
        ("lab_package.nope:Net", r"no module 'lab_package\.nope'"),
        ("lab_package.sub.net:Nte", r"lab_package\.sub\.net has no 'Nte'; did you mean Net\?"),
        ("Mine", "names no class"),
    ],
)
def test_missing(base, package, plugin, message):
    with pytest.raises(BenchError, match=message):
        load_plugin(plugin, base)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nraise RuntimeError('no\\nluck')\n", r"fails at import: .*luck \(.*bad\.py:2\)"),
        ("def f():\n    return 1 / 0\nf()\n", r"ZeroDivisionError: division by zero \(.*bad\.py:2\)"),
        ("import no_such_thing\n", r"No module named 'no_such_thing' \(.*bad\.py:1\)"),
        ("x = 1\n\ndef (:\n", r"SyntaxError: .* \(.*bad\.py:3\)"),
        ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(.*bad\.py:2\)"),
    ],
)
def test_plugin_that_raises_at_import(base, package, code, message):
    (base / "bad.py").write_text(code)
    for _ in range(2):  # a half-run module does not stay behind
        with pytest.raises(BenchError, match=message) as caught:
            load_plugin("bad.py:Bad", base)
        assert "\n" not in str(caught.value)
    (package / "bad.py").write_text(code)
    importlib.invalidate_caches()
    with pytest.raises(BenchError, match=message):
        load_plugin("lab_package.bad:Bad", base)


def test_package_that_raises_at_import(package):
    (package / "sub" / "__init__.py").write_text("raise ValueError('broken')\n")
    with pytest.raises(BenchError, match=r"ValueError: broken \(.*__init__\.py:1\)"):
        load_plugin("lab_package.sub.net:Net", Path())


def test_source_hash_of_a_file_is_its_content_alone(base, tmp_path):
    copy = tmp_path / "copy" / "models"
    copy.mkdir(parents=True)
    (copy / "mine.py").write_bytes((base / "models" / "mine.py").read_bytes())
    plugin = "models/mine.py:Mine"
    assert plugin_source_hash(plugin, base) == plugin_source_hash(plugin, copy.parent)
    (copy / "mine.py").write_bytes(b"# changed\n" + (base / "models" / "mine.py").read_bytes())
    assert plugin_source_hash(plugin, base) != plugin_source_hash(plugin, copy.parent)


def test_source_hash_of_an_installed_module_sees_its_whole_package(package):
    hashed = plugin_source_hash("lab_package.sub.net:Net", Path())
    (package / "blocks.py").write_text("A = 2\n")
    assert plugin_source_hash("lab_package.sub.net:Net", Path()) != hashed


def test_source_hash_of_what_is_missing(base):
    with pytest.raises(BenchError, match="is not there"):
        plugin_source_hash("models/nope.py:X", base)
    with pytest.raises(BenchError, match="no module"):
        plugin_source_hash("no_such_package.net:Net", base)


def test_a_shipped_plugin_may_be_named_from_any_registry(tmp_path):
    found = load_plugin("models/features.py:Features", tmp_path)
    assert found.__name__ == "Features"
    own = tmp_path / "models" / "features.py"
    own.parent.mkdir()
    own.write_text("class Features: pass\n")
    assert load_plugin("models/features.py:Features", tmp_path) is not found
