"""``bench list``, ``bench info``, ``bench --help``."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "scipy", "matplotlib", "sklearn", "timm", "pydantic", "numpy")


@pytest.mark.parametrize(
    "kind, name",
    [("models", "swow_assoc"), ("tasks", "two_vs_two"), ("datasets", "mini_people"), ("suites", "mini")],
)
def test_list(bench, kind, name):
    done = bench("list", kind)
    assert done.status == 0
    assert name in done.out


@pytest.mark.parametrize(
    "name, said",
    [
        ("swow_assoc", "mini_associations"),
        ("rdm_correlation", "nili2014toolbox"),
        ("mini_people", "Simulated people"),
        ("mini", "gwot_matching"),
    ],
)
def test_info(bench, name, said):
    done = bench("info", name)
    assert done.status == 0
    assert said in done.out


def test_info_of_nothing_names_the_nearest(bench):
    done = bench("info", "swow_asoc")
    assert done.status == 2
    assert "did you mean swow_assoc?" in done.err


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['bench', '--help']\n"
        "from benchmark.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("HEAVY []")
