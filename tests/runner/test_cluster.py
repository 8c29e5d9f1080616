"""Cells that are scored on the workers of a dask cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.common.errors import UsageError
from benchmark.runner.cluster import _require_equal, identify
from benchmark.runner.session import Options

RUN = (
    "run",
    "--model",
    "pixels,mini_encoder,mini_encoder@untrained:0",
    "--task",
    "people_rdm,area_early_rdm",
)


def answers(folder: Path) -> dict[str, str]:
    """Every result without its times and the machine."""
    found = {}
    for path in sorted(folder.glob("*/*/*.json")):
        content = json.loads(path.read_text())
        for beside in ("provenance", "checksum"):
            content.pop(beside)
        found[str(path.relative_to(folder))] = json.dumps(content)
    return found


@pytest.fixture
def serial(bench, tmp_path) -> dict[str, str]:
    assert bench(*RUN, "--output", tmp_path / "serial").status == 0
    return answers(tmp_path / "serial")


@pytest.fixture
def cluster(tmp_path):
    """Address of a scheduler, and two workers that can be killed."""
    pytest.importorskip("distributed", reason="needs the extra cluster")
    where = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-c", "from dask.__main__ import main; main()"]
    scheduler = subprocess.Popen(
        [
            *command,
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            where,
        ],
        **quiet,
    )
    worker = [
        *command,
        "worker",
        "--scheduler-file",
        where,
        "--nthreads",
        "1",
        "--no-dashboard",
        "--no-nanny",
    ]
    workers = [subprocess.Popen([*worker, "--death-timeout", "60"], **quiet) for _ in range(2)]
    for _ in range(300):
        if where.exists() and where.stat().st_size:
            break
        time.sleep(0.1)
    yield json.loads(where.read_text())["address"], workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(bench, cluster, serial, tmp_path):
    address, workers = cluster
    output = tmp_path / "dask"
    told = ("--output", str(output), "--format", "json")
    run = subprocess.Popen(
        [sys.executable, "-m", "benchmark", *RUN, "--backend", "dask", "--scheduler", address, *told],
        stdout=subprocess.PIPE,
        text=True,
    )
    while not list(output.glob("*/*/*.json")):
        assert run.poll() is None
        time.sleep(0.02)
    os.kill(workers[0].pid, signal.SIGKILL)
    out, _ = run.communicate(timeout=300)
    assert run.returncode == 0
    cells = [(row["model"], row["binding"]) for row in json.loads(out)]
    assert len(cells) == len(set(cells)) == len(serial)
    assert answers(output) == serial
    assert not list(output.glob(".cluster-*"))


@pytest.mark.slow
def test_a_cluster_of_this_machine_gives_the_same(bench, serial, tmp_path):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    done = bench(*RUN, "--backend", "dask", "--jobs", 2, "--output", tmp_path / "local")
    assert done.status == 0, done.err
    assert answers(tmp_path / "local") == serial


def test_a_worker_with_another_version_or_without_the_folder_is_refused(tmp_path):
    token = tmp_path / "token"
    own = identify(Options(), token)
    token.touch()
    with pytest.raises(UsageError, match=r"worker tcp://1: .*token is missing, and there here; give all"):
        _require_equal("tcp://1", own, identify(Options(), token))
    with pytest.raises(UsageError, match=r"worker tcp://2: torch is 0\.1, and"):
        _require_equal("tcp://2", {**own, "torch": "0.1"}, own)
    _require_equal("tcp://3", own, dict(own))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler tcp://127.0.0.1:1 needs --backend dask"),
        (("--shard", "3/2"), "--shard 3/2: give the number of the part and of all parts, such as 1/4"),
        (("--shard", "0/2"), "--shard 0/2: give"),
        (("--shard", "two"), "--shard two: give"),
    ],
)
def test_what_does_not_go_together_is_said_in_one_line(bench, tmp_path, arguments, said):
    done = bench(*RUN, *arguments, "--output", tmp_path)
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_shards_together_are_the_run(bench, tmp_path):
    def cells(*more: str) -> list[str]:
        done = bench("run", "--model", "pixels,mini_encoder,mini_clip", "--task", "all", "--dry-run", *more)
        assert done.status == 0, done.err
        lines = [line.split() for line in done.out.splitlines()]
        return [f"{line[0]} {line[1]}" for line in lines if len(line) > 2 and line[0] in MODELS]

    every = cells("--output", tmp_path)
    parts = [cells("--shard", f"{i}/3", "--output", tmp_path) for i in (1, 2, 3)]
    assert sorted(cell for part in parts for cell in part) == sorted(every)
    assert len(every) == len(set(every)) > 10
    assert all(parts)


MODELS = ("pixels", "mini_encoder", "mini_clip")
