"""Which device a run takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchmark.common.errors import UsageError
from benchmark.extraction import devices
from benchmark.extraction.devices import is_deterministic, resolve_device
from benchmark.runner import Options, Session


def test_the_cpu_needs_no_torch():
    code = (
        "import sys; from benchmark.extraction.devices import resolve_device\n"
        "assert resolve_device('cpu') == 'cpu'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_auto_is_the_cpu_on_linux_without_a_driver(monkeypatch):
    monkeypatch.setattr(devices.sys, "platform", "linux")
    monkeypatch.setattr(devices, "_DRIVERS", ("/no/such/driver",))
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize(("platform", "driver"), [("linux", "/dev/null"), ("darwin", "/no/such/driver")])
def test_auto_asks_torch_where_there_may_be_an_accelerator(monkeypatch, platform, driver):
    monkeypatch.setattr(devices.sys, "platform", platform)
    monkeypatch.setattr(devices, "_DRIVERS", (driver,))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert resolve_device("auto") == "cuda"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert resolve_device("auto") == "mps"
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert resolve_device("auto") == "cpu"


def test_a_device_that_is_not_here_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="torch finds no such device"):
        resolve_device("cuda")


def test_a_deterministic_run_says_so_in_its_key_and_leaves_no_trace():
    torch = pytest.importorskip("torch")
    try:
        assert Session(Options(deterministic=True)).device
        assert torch.are_deterministic_algorithms_enabled()
        assert is_deterministic()
        assert Session(Options()).device
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.slow
def test_the_scores_of_a_deterministic_run_are_those_of_another(tmp_path):
    cells = []
    for more in ([], ["--deterministic"], ["--deterministic"]):
        done = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "benchmark",
                    "run",
                    "--model",
                    "mini_encoder",
                    "--task",
                    "people_rdm",
                ),
                *("--output", str(tmp_path / "results"), "--format", "json", *more),
            ],
            env={**os.environ, "BENCH_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        cells += json.loads(done.stdout)
    assert [cell["cached"] for cell in cells] == [False, False, True]
    assert len({cell["score"] for cell in cells}) == 1
    (path,) = (tmp_path / "results").rglob("*.json")
    assert json.loads(path.read_text())["key"]["features"]["deterministic"] is True
