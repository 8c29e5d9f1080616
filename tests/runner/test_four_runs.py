"""Four runs at once over one folder of results and one cache: nothing is lost, torn, or done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from test_cluster import answers

RUN = ("run", "--model", "pixels", "--task", "people_rdm,area_early_rdm", "--format", "json")


@pytest.mark.slow
def test_every_cell_is_scored_once_and_every_run_has_all(tmp_path):
    def start(name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmark", *RUN, "--output", tmp_path / name],
            env={**os.environ, "BENCH_CACHE": str(tmp_path / f"cache of {name}")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    runs = [start("shared") for _ in range(4)]
    told = [run.communicate(timeout=900) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, told
    cells = [json.loads(out) for out, _ in told]
    for rows in cells:
        assert [row["status"] for row in rows] == ["scored"] * 2
    assert sum(not row["cached"] for rows in cells for row in rows) == 2, "each cell is scored by one run"
    alone = start("alone")
    assert alone.communicate(timeout=900)[1] == ""
    assert answers(tmp_path / "shared") == answers(tmp_path / "alone")
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".tmp", ".claim", ".damaged")]
