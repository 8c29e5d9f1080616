"""Whatever a plug-in does to end the run costs its own cells: they are named, and the others are scored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PLUGIN = """
import os, signal, sys, time
from pathlib import Path

import numpy as np

from benchmark.model import Model
from benchmark.task import LayerResult, Metric, Task, TaskResult


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class OwnBase(BaseException):
    pass


RAISED = {
    "exit 0": lambda: sys.exit(0),
    "exit text": lambda: sys.exit("bye"),
    "generator": lambda: (_ for _ in ()).throw(GeneratorExit("made up")),
    "base": lambda: (_ for _ in ()).throw(OwnBase("mine")),
    "unprintable": lambda: (_ for _ in ()).throw(Unprintable()),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "os exit": lambda: os._exit(0),
}


class Good(Model):
    layers = ("all",)

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        with open(Path(__file__).with_name("extracted"), "a") as file:
            file.write(f"{self.spec.name}\\n")
        if len(stimuli) > 1:  # not the probe of the fingerprint
            time.sleep(self.spec.params.get("sleep", 0))
        rng = np.random.default_rng(0)
        return {"all": rng.normal(size=(len(stimuli), 8)).astype(np.float32)}


class InFeatures(Good):
    def features(self, stimuli, layers, **rest):
        if len(stimuli) > 1:  # not the probe of the fingerprint
            RAISED[self.spec.params["how"]]()
        return super().features(stimuli, layers, **rest)


class InProbe(Good):
    def features(self, stimuli, layers, **rest):
        if len(stimuli) == 1:
            RAISED[self.spec.params["how"]]()
        return super().features(stimuli, layers, **rest)


class InInit(Good):
    def __init__(self, spec):
        RAISED[spec.params["how"]]()


class InLayers(Good):
    @property
    def layers(self):
        RAISED[self.spec.params["how"]]()


class Ends(Task):
    name = "ends"
    version = 1
    metrics = (Metric("m", "M", (0, 1), "0"),)
    reference = ""
    target_kinds = ("rdm",)

    def score(self, view, joined, params, rng):
        if view.name != "good":
            RAISED[params["how"]]()
        hits = rng.random(len(joined.concepts))
        layer = LayerResult({"m": lambda weights: (weights * hits).sum(-1) / weights.sum(-1)})
        return TaskResult(joined.concepts, {view.layers[0]: layer}, {"m": 0.0})

    def calibrate(self, rng):
        RAISED["exit 0"]()


def reader(root, *, name, how):
    RAISED[how]()
"""


def registry(folder: Path, models: str, more: str = "") -> Path:
    (folder / "ends.py").write_text(PLUGIN)
    path = folder / "own.yaml"
    path.write_text(
        "models:\n  good: {plugin: 'ends.py:Good', description: d}\n" + models + more, encoding="utf-8"
    )
    return path


def model(name: str, kind: str, how: str) -> str:
    return f"  {name}: {{plugin: 'ends.py:{kind}', description: d, params: {{how: {how}}}}}\n"


SAID = {
    "exit 0": "SystemExit: 0",
    "exit text": "SystemExit: bye",
    "generator": "GeneratorExit: made up",
    "base": "OwnBase: mine",
    "unprintable": "Unprintable: (its text cannot be made: RuntimeError)",
}


@pytest.mark.parametrize("kind", ["InFeatures", "InInit", "InLayers"])
@pytest.mark.parametrize("how", SAID)
def test_what_a_model_raises_costs_its_cell_alone(
    bench: Callable, tmp_path: Path, kind: str, how: str
) -> None:
    own = registry(tmp_path, model("bad", kind, how))
    arguments = ("run", "--model", "bad,good", "--task", "people_rdm", "--registry", own)
    output = ("--output", tmp_path / "results")
    planned = bench(*arguments, *output, "--dry-run")
    assert planned.status == 0
    done = bench(*arguments, *output, "--format", "json")
    bad, good = done.cells
    assert done.status == 1
    assert (bad["status"], good["status"]) == ("failed", "scored")
    assert bad["reason"].startswith(SAID[how])
    assert "ends.py:" in bad["reason"], "the place in the plug-in is named"
    assert "Traceback" not in done.err
    table = bench(*arguments, *output)
    assert SAID[how][:12] in table.out
    assert table.status == 1


@pytest.mark.parametrize("how", SAID)
def test_another_command_ends_with_one_line_and_status_2(bench: Callable, tmp_path: Path, how: str) -> None:
    own = registry(tmp_path, model("bad", "InFeatures", how))
    arguments = (
        "export",
        "rdm",
        "--model",
        "bad",
        "--layer",
        "all",
        "--stimuli",
        "mini_images",
        "--output",
        tmp_path / "rdm",
    )
    done = bench(*arguments, "--registry", own)
    assert done.status == 2
    (line,) = done.err.strip().splitlines()
    assert line.startswith("error: ")
    assert SAID[how] in line
    assert "ends.py:" in line


@pytest.mark.parametrize("how", SAID)
def test_a_probe_that_fails_leaves_the_model_without_a_fingerprint(
    bench: Callable, tmp_path: Path, how: str
) -> None:
    own = registry(tmp_path, model("bad", "InProbe", how))
    done = bench(
        "run", "--model", "bad", "--task", "people_rdm", "--registry", own,
        "--output", tmp_path / "results", "--format", "json",
    )  # fmt: skip
    assert [cell["status"] for cell in done.cells] == ["scored"]


SUITE = """
tasks:
  ends: {{plugin: 'ends.py:Ends', description: d}}
datasets:
  gone: {{plugin: 'ends.py:reader', kind: target, description: d, params: {{how: {how}}}}}
suites:
  own:
    miniature: true
    bindings:
      in_task: {{task: ends, stimuli: mini_images, target: mini_people, params: {{how: {how}}}}}
      in_reader: {{task: rdm_correlation, stimuli: mini_images, target: gone}}
      whole: {{task: rdm_correlation, stimuli: mini_images, target: mini_people}}
"""


@pytest.mark.parametrize("how", SAID)
def test_what_a_task_or_a_reader_raises_costs_its_cells_alone(
    bench: Callable, tmp_path: Path, how: str
) -> None:
    own = registry(tmp_path, "", SUITE.format(how=how))
    done = bench(
        "run", "--model", "pixels", "--task", "all", "--suite", "own", "--registry", own,
        "--output", tmp_path / "results", "--format", "json",
    )  # fmt: skip
    status = {cell["binding"]: cell["status"] for cell in done.cells}
    assert status == {"in_task": "failed", "in_reader": "failed", "whole": "scored"}
    assert all(SAID[how] in cell["reason"] for cell in done.cells if cell["status"] == "failed")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "os exit"])
def test_a_process_that_is_killed_loses_its_cell_and_no_other(
    bench: Callable, tmp_path: Path, how: str
) -> None:
    own = registry(tmp_path, model("bad", "InFeatures", how))
    done = bench(
        "run", "--model", "bad,good,pixels", "--task", "people_rdm,words_two_vs_two", "--registry", own,
        "--output", tmp_path / "results", "--format", "json", "--jobs", 2,
    )  # fmt: skip
    assert done.status == 1
    lost = [cell for cell in done.cells if cell["model"] == "bad"]
    assert {cell["status"] for cell in lost} == {"failed"}
    assert all("its process ended" in cell["reason"] for cell in lost)
    assert how == "os exit" or all("SIGKILL" in cell["reason"] for cell in lost)
    kept = [cell for cell in done.cells if cell["model"] != "bad"]
    assert [cell["status"] for cell in kept] == ["scored"] * 4
    assert all(Path(cell["result_file"]).is_file() and not cell["cached"] for cell in kept)


@pytest.mark.slow
def test_a_task_that_kills_its_process_in_one_cell_keeps_the_other_cells_of_the_model(
    bench: Callable, tmp_path: Path
) -> None:
    own = registry(tmp_path, "", SUITE.format(how="kill"))
    done = bench(
        "run", "--model", "pixels,good", "--task", "in_task,whole", "--suite", "own", "--registry", own,
        "--output", tmp_path / "results", "--format", "json", "--jobs", 2,
    )  # fmt: skip
    status = {(cell["model"], cell["binding"]): cell["status"] for cell in done.cells}
    assert status == {
        ("pixels", "in_task"): "failed",
        ("pixels", "whole"): "scored",
        ("good", "in_task"): "scored",
        ("good", "whole"): "scored",
    }


def started(folder: Path, own: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "benchmark", "run", "--model", "slow", "--task", "people_rdm,words_two_vs_two",
        "--registry", str(own), "--output", str(folder / "results"), "--format", "json", *more,
    ]  # fmt: skip
    environment = {**os.environ, "BENCH_CACHE": str(folder / "cache")}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.slow
def test_runs_at_once_share_the_work(tmp_path: Path) -> None:
    own = registry(tmp_path, "  slow: {plugin: 'ends.py:Good', description: d, params: {sleep: 1.5}}\n")
    runs = [started(tmp_path, own) for _ in range(4)]
    answers = [run.communicate(timeout=300) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, answers
    cells = [cell for out, _ in answers for cell in json.loads(out)]
    by_binding: dict[str, list[dict]] = {}
    for cell in cells:
        by_binding.setdefault(cell["binding"], []).append(cell)
    for same in by_binding.values():
        assert sorted(cell["cached"] for cell in same) == [False, True, True, True], "scored once"
        assert len({cell["score"] for cell in same}) == 1
    # each process asks for one probe, and one of them for the features of all stimuli
    assert (tmp_path / "extracted").read_text().count("slow") == 4 + 1
    assert not list((tmp_path / "results").rglob("*.claim"))
    assert not list((tmp_path / "cache").rglob("*.claim"))


@pytest.mark.slow
def test_the_claims_of_a_killed_run_hold_nobody_up(tmp_path: Path, bench: Callable) -> None:
    own = registry(tmp_path, "  slow: {plugin: 'ends.py:Good', description: d, params: {sleep: 600}}\n")
    process = started(tmp_path, own)
    results = tmp_path / "results"
    while process.poll() is None and not list(results.rglob("*.claim")):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert list(results.rglob("*.claim")), "a killed process cannot remove its claim"
    own.write_text(own.read_text().replace("600", "0"))
    done = bench(
        "run", "--model", "slow,good", "--task", "people_rdm", "--registry", own, "--output", results,
        "--format", "json",
    )  # fmt: skip
    assert [cell["status"] for cell in done.cells] == ["scored", "scored"]
    assert not list(results.rglob("*.claim"))
