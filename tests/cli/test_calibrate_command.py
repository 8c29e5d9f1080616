"""``bench calibrate``: a right task passes, broken ones fail, and all of it is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TASKS = '''
import numpy as np

from benchmark.calibration import rdm_world, standard_controls
from benchmark.calibration.definitions import spearman_of_noisy_rdms
from benchmark.representation.concepts import concept_images, concept_means, feature_rdm
from benchmark.inference import rdm_statistic
from benchmark.task import LayerResult, Metric, Task, TaskResult


class Right(Task):
    name = "right"
    version = 3
    metrics = (Metric("spearman", "Spearman", (-1.0, 1.0), "0"),)
    target_kinds = ("rdm",)
    reference = "@misc{x}"
    simulations = 2
    sign = 1.0
    leak = 0.0

    def score(self, view, joined, params, rng):
        images = concept_images(view.stimuli, joined.concepts)
        layers = {}
        for layer in view.layers:
            made = feature_rdm(concept_means(view.features(layer), images), joined.concepts)
            right = rdm_statistic(made, joined.target.rdms, "spearman")
            found = lambda w, right=right: self.sign * right(w) * (1 - self.leak) + self.leak
            layers[layer] = LayerResult({"spearman": found})
        return TaskResult(joined.concepts, layers, {"spearman": 0.0})

    def calibrate(self, rng):
        return standard_controls(self, rdm_world, rng, expected=spearman_of_noisy_rdms)


class Inverted(Right):
    name = "inverted"
    sign = -1.0


class Leaking(Right):
    """What it adds for the order of the concepts is the same for any model."""

    name = "leaking"
    leak = 0.05

    def calibrate(self, rng):
        return []


class Raising(Right):
    name = "raising"

    def calibrate(self, rng):
        raise RuntimeError("nothing to calibrate")
'''
REGISTRY = """
tasks:
  right: {plugin: own.py:Right, description: right}
  inverted: {plugin: own.py:Inverted, description: its score is inverted}
  leaking: {plugin: own.py:Leaking, description: it leaks the order}
  raising: {plugin: own.py:Raising, description: it raises}
suites:
  own:
    description: my suite
    miniature: true
    models: [pixels]
    bindings:
      people_right: {task: right, stimuli: mini_images, target: mini_people}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The file of a registry of right and broken tasks."""
    (tmp_path / "own.py").write_text(TASKS)
    path = tmp_path / "own.yaml"
    path.write_text(REGISTRY)
    return path


@pytest.fixture
def calibrate(bench, own, tmp_path):
    def run(*tasks: str, jobs: int = 1):
        done = bench(
            "calibrate", "--task", ",".join(tasks), "--registry", own, "--suite", "own",
            "--output", tmp_path / "out", "--jobs", jobs,
        )  # fmt: skip
        path = tmp_path / "out" / "calibration" / "own.json"
        return done, json.loads(path.read_text()) if path.is_file() else None

    return run


def test_a_right_task_passes_and_has_power(calibrate):
    done, stored = calibrate("right")
    assert done.status == 0, done.out + done.err
    assert "7 of 7 controls passed" in done.out
    assert "MINIATURE" in done.out
    assert stored["passed"] is True
    (found,) = stored["power"].values()
    assert found["task"] == "right"
    assert (found["concepts"], found["subjects"]) == (48, 16)
    power = found["power"]
    assert 0 < power["least"] < 0.3
    assert power["low"] <= power["least"]
    assert power["chance"] == 0
    assert 0.5 < power["perfect"] < 0.9
    provenance = stored["provenance"]
    assert provenance["tasks"] == {"right": 3}
    assert provenance["seed"] == 0
    assert "numpy" in provenance["packages"]


@pytest.mark.parametrize(
    "task, control",
    [("inverted", "more noise"), ("leaking", "independent noise"), ("raising", "nothing to calibrate")],
)
def test_a_broken_task_fails(calibrate, task, control):
    """None of them has a binding in the suite: controls need none."""
    done, stored = calibrate(task)
    assert done.status == 1, done.out + done.err
    assert "FAILED" in done.out
    assert stored["passed"] is False
    failed = [c["name"] for c in stored["controls"][task] if not c["passed"]]
    assert any(control in name for name in failed)
    assert stored["power"] == {}


def test_one_broken_task_fails_the_whole(calibrate):
    done, stored = calibrate("right", "inverted")
    assert done.status == 1
    assert all(control["passed"] for control in stored["controls"]["right"])


@pytest.mark.slow
def test_the_seed_and_not_the_jobs_decides(calibrate):
    _, alone = calibrate("right")
    _, together = calibrate("right", jobs=2)
    for part in ("controls", "power"):
        assert alone[part] == together[part]


def test_an_unknown_task_is_refused(calibrate):
    done, stored = calibrate("rigth")
    assert done.status == 2
    assert "did you mean right?" in done.err
    assert stored is None


def test_data_that_are_not_here_are_noted(bench, tmp_path):
    done = bench(
        "calibrate", "--task", "cichy_it_rdm", "--suite", "human", "--data", tmp_path,
        "--output", tmp_path / "out",
    )  # fmt: skip
    assert "cichy_it_rdm: " in done.out
    stored = json.loads((tmp_path / "out" / "calibration" / "human.json").read_text())
    assert stored["power"] == {}
    assert list(stored["controls"]) == ["rdm_correlation"]


@pytest.mark.slow
def test_a_shipped_task_passes_and_the_true_network_is_recovered(bench, tmp_path):
    done = bench("calibrate", "--task", "rdm_correlation", "--output", tmp_path)
    assert done.status == 0, done.out + done.err
    stored = json.loads((tmp_path / "calibration" / "mini.json").read_text())
    (found,) = stored["recovery"].values()
    assert found["recovered"] > 2 * found["chance"]
    assert all(bound["power"] for bound in stored["power"].values())
