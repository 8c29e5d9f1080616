"""How long a command takes to answer, as whole processes, beside one that imports numpy and ends.

A limit in seconds holds for a machine on which that process takes .12 s.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.benchmark

NUMPY = "python -c 'import numpy'"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    folder = tmp_path_factory.mktemp("startup")
    environment = {**os.environ, "BENCH_CACHE": str(folder / "cache")}

    def run(*arguments: str, status: int = 0) -> None:
        command = [sys.executable, "-m", "benchmark", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr

    return run


def import_numpy() -> None:
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)


def test_help(beside: Any, bench: Any) -> None:
    beside(
        "bench --help", NUMPY, ours=lambda: bench("--help"), peer=import_numpy, at_least=0.12 / 0.3, rounds=7
    )


def test_mistyped_name(beside: Any, bench: Any) -> None:
    beside(
        "bench run with a mistyped name",
        NUMPY,
        ours=lambda: bench("run", "--model", "pixls", "--task", "all", status=2),
        peer=import_numpy,
        at_least=0.12 / 0.7,
        rounds=7,
    )


def test_cached_run(beside: Any, bench: Any) -> None:
    command = ("run", "--model", "swow_assoc", "--task", "all")
    bench(*command)
    beside(
        "bench run, every cell of a model scored already",
        NUMPY,
        ours=lambda: bench(*command),
        peer=import_numpy,
        at_least=0.12 / 2,
        rounds=7,
    )


def test_small_page(beside: Any, bench: Any) -> None:
    bench(
        "run", "--model", "pixels", "--task", "people_rdm,words_two_vs_two,area_late_rdm", "--output", "small"
    )
    beside(
        "bench leaderboard build, three results",
        NUMPY,
        ours=lambda: bench("leaderboard", "build", "--output", "small"),
        peer=import_numpy,
        at_least=0.12 / 1.5,
        rounds=7,
    )
