"""encoding_partition: parts beside a reference; the best layer of a reference; copies, noise and faults."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import ResponseTarget
from benchmark.datasets.join import join
from benchmark.runner.summary import summarise

K, C = 60, 5
STIMULI = synthetic_stimuli(tuple(f"c{i:02d}" for i in range(K)), test=1)
RNG = np.random.default_rng(0)
OWN, SHARED, OTHER, NOISE = RNG.standard_normal((4, K, 3))
SIGNAL = np.hstack([OWN, SHARED, OTHER]) @ RNG.standard_normal((9, C))
LAYERS = {"flat": np.ones((K, 2)), "model": np.hstack([OWN, SHARED]), "copy": 2 * np.hstack([SHARED, OTHER]),
          "noise": NOISE}  # fmt: skip
REFERENCE = {"noise": RNG.standard_normal((K, 3)), "best": np.hstack([SHARED, OTHER])}


@pytest.fixture
def task(plugin):
    return plugin("encoding_partition").EncodingPartition()


def scored(task, references=REFERENCE, repeats=3, **params):
    measured = SIGNAL[:, :, None] + np.random.default_rng(1).standard_normal((K, C, repeats))
    target = ResponseTarget("n", STIMULI.ids, "h", repeats=measured, channels=tuple("abcde"))
    views = {"reference": ArrayView(STIMULI, references)}
    view = ArrayView(STIMULI, LAYERS, references=views)
    params = {"beyond": ["reference"], **params}
    return task.score(view, join(STIMULI, target), params, np.random.default_rng(2))


def test_parts_add_up_and_copies_and_noise_have_none(task):
    result = scored(task)
    assert "reference (best)" in result.notes[0]
    values = result.layers["model"].values
    unique, shared, total = (plain_score(result, "model", part) for part in ("unique", "shared", "total"))
    assert unique + values["references_alone"] == pytest.approx(total)
    assert unique + shared == pytest.approx(values["model_alone"])
    assert unique + shared + values["unique_of_references"] == pytest.approx(total)
    assert unique > 0.15
    assert result.layers["model"].p < 1e-6
    assert total < result.ceiling["total"][0] < 1
    assert set(result.ceiling) == {"total"}
    assert plain_score(result, "copy", "unique") == pytest.approx(0, abs=1e-6)
    assert abs(plain_score(result, "noise", "unique")) < 0.03
    assert result.layers["noise"].p > 0.01
    assert "constant features" in result.layers["flat"].undefined


def test_the_engine_summarises_and_stores_it(task):
    summary = summarise(scored(task), task.metrics, seed=0)
    assert summary.best_layer == "model"
    assert summary.headline.ci_low < summary.headline.score < summary.headline.ci_high
    json.dumps([layer.model_dump() for layer in summary.layers])


def test_one_repeat_has_no_ceiling_and_says_so(task):
    result = scored(task, repeats=1)
    assert result.ceiling == {}
    assert "one repeat" in result.notes[-1]


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        (
            {"beyond": None},
            UsageError,
            "beyond is None: expected a list of models",
        ),
        ({"folds": 30}, NotPossible, "too few for 30 folds"),
        ({"references": {"flat": np.ones((K, 2))}}, NotPossible, "no layer that varies over the stimuli"),
    ],
)
def test_says_what_is_wrong(task, params, error, said):
    with pytest.raises(error, match=said):
        scored(task, **params)


@pytest.mark.slow
def test_a_simulated_area_beyond_pixels(bench, tmp_path, monkeypatch):
    """The late area follows the objects: a trained network explains it where pixels do not."""
    monkeypatch.chdir(tmp_path)
    done = bench("run", "--model", "mini_encoder", "--task", "area_late_partition", "--format", "json",
                 "--output", "results")  # fmt: skip
    assert done.status == 0, done.err
    (path,) = Path("results").glob("mini/*/*.json")
    result = json.loads(path.read_text())
    best = max(result["layers"], key=lambda layer: layer["metrics"]["unique"]["score"])
    assert best["metrics"]["unique"]["score"] > 0.1
    assert "pixels (" in " ".join(result["notes"])
