"""Ctrl-C as a real signal: the command says what is done, and the same command goes on from there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PLUGIN = """
import time
from pathlib import Path

import numpy as np
from benchmark.model import Model


class Quick(Model):
    layers = ("out",)

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        return {"out": np.random.default_rng(0).normal(size=(len(stimuli), 9)).astype(np.float32)}


class Slow(Quick):
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        mark = Path(__file__).with_name("started")
        if not mark.exists():
            mark.touch()
            time.sleep(300)
        return super().features(stimuli, layers)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_says_what_is_done_and_the_same_command_goes_on(tmp_path: Path, jobs: int):
    (tmp_path / "mine.py").write_text(PLUGIN)
    models = "".join(
        f"  {n}: {{plugin: mine.py:{c}, description: x}}\n" for n, c in (("quick", "Quick"), ("slow", "Slow"))
    )
    (tmp_path / "mine.yaml").write_text(f"models:\n{models}")
    command = [sys.executable, "-m", "benchmark", "run", "-m", "quick,slow", "-t", "people_rdm,area_late_rdm"]
    command += ["--registry", "mine.yaml", "--output", "results", "--jobs", str(jobs)]
    environment = {**os.environ, "BENCH_CACHE": str(tmp_path / "cache")}
    started = {"cwd": tmp_path, "env": environment, "text": True, "start_new_session": True}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **started)
    deadline = time.monotonic() + 120
    while not ((tmp_path / "started").exists() and len(list(tmp_path.glob("results/*/*/quick.json"))) == 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)  # with two processes: the answer about the second cell reaches the first process
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the command
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    said = re.search(r"([23]) of 4 cells are finished and stored; the same command goes on from there", err)
    assert said, err
    # a process with nothing left may have taken the other cell of the slow model
    assert said[1] == "2" or jobs == 2
    assert "Traceback" not in out + err

    again = subprocess.run(command, capture_output=True, timeout=300, **started)
    assert again.returncode == 0, again.stderr
    assert f"4 of 4 cells scored; {said[1]} stored already" in again.stdout


@pytest.mark.parametrize("command", [["run"], ["cache", "rm"], ["train", "swow_assoc"], []])
def test_help_shows_a_flag_without_a_type(command: list[str]):
    done = subprocess.run(
        [sys.executable, "-m", "benchmark", *command, "--help"], capture_output=True, text=True, check=True
    )
    assert "--help" in done.stdout
    assert not re.search(r"<?bool", done.stdout, re.IGNORECASE)


def test_a_reader_that_goes_away_ends_the_command_without_a_word():
    command = [sys.executable, "-m", "benchmark", "list", "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1
