"""Runs and workers that are killed at random moments: the next run ends with the results of one whole run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_runs.py")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers of a run in /proc")
@pytest.mark.parametrize(("who", "moments"), [("run", 3), ("first", 1), ("worker", 2)])
def test_the_next_run_goes_on_to_the_same_results(tmp_path: Path, who: str, moments: int) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, str(moments), who], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the results are equal") == moments
