"""property_decoding: against scikit-learn on the same folds, its kinds of properties, and its faults."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import join
from benchmark.datasets.norms import PropertyTarget
from benchmark.measures import stratified_folds
from benchmark.task import LongWork

K = 30
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))
PARAMS = {"permutations": 2}


@pytest.fixture
def task(plugin):
    return plugin("property_decoding").PropertyDecoding()


@pytest.fixture
def norms():
    """Seven properties: the first is too rare, in the second one concept is below the cut."""
    rng = np.random.default_rng(3)
    counts = np.zeros((K, 7))
    for j, n in enumerate((4, 9, 5, 8, 10, 12, 20)):
        counts[rng.permutation(K)[:n], j] = rng.integers(5, 20, n)
    counts[np.flatnonzero(counts[:, 1])[0], 1] = 4
    return PropertyTarget(
        name="norms",
        ids=CONCEPTS,
        hash="h",
        columns=tuple(f"is p{j}" for j in range(7)),
        counts=sparse.csr_array(counts),
        respondents=np.full(K, 30.0),
        types=("taxonomic", "taxonomic", "functional", "functional", "visual perceptual", "other", "other"),
        finer=("is", "colour", "is", "is", "colour", "other", "other"),
    )


@pytest.fixture
def features(norms):
    rng = np.random.default_rng(4)
    signal = (norms.counts.toarray() > 0) @ rng.standard_normal((7, 12))
    return np.abs(np.repeat(signal, 2, axis=0) + rng.standard_normal((2 * K, 12)))


def score(task, layers, norms, work=None, **params):
    stimuli = synthetic_stimuli(CONCEPTS, test=2)
    view = ArrayView(stimuli, layers, work=work)
    return task.score(view, join(stimuli, norms), PARAMS | params, np.random.default_rng(1))


def test_f1_is_that_of_scikit_learn_on_the_same_folds(task, norms, features):
    result = score(task, {"layer": features}, norms)
    assert result.concepts == norms.columns[1:]
    labels = norms.counts.toarray()[:, 1:] >= 5
    folds = stratified_folds(labels, 5, np.random.default_rng(1))
    rows = features.astype(np.float32).reshape(K, 2, 12).mean(axis=1, dtype=float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = []
    for j in range(6):
        by_fold = []
        for k in range(5):
            train = folds[:, j] != k
            fit = LogisticRegression(class_weight="balanced", tol=1e-8, max_iter=1000)
            found = fit.fit(rows[train], labels[train, j]).predict(rows[~train])
            by_fold.append(f1_score(labels[~train, j], found, zero_division=0.0))
        expected.append(np.mean(by_fold))
    np.testing.assert_allclose(result.arrays["f1/layer"], expected, atol=1e-3)
    assert plain_score(result, "layer", "f1") == pytest.approx(np.mean(expected), abs=1e-3)
    assert plain_score(result, "layer", "functional") == pytest.approx(np.mean(expected[1:3]), abs=1e-3)
    assert plain_score(result, "layer", "colour") == pytest.approx(
        np.mean([expected[0], expected[3]]), abs=1e-3
    )
    assert "shape_and_size" not in result.layers["layer"].statistics
    assert result.counts["properties"] == 6
    assert result.counts["properties_dropped"] == 1


def test_concepts_without_images_do_not_count(task, norms, features):
    """The second property is left for four concepts, where one of its five has no image."""
    owner = CONCEPTS[np.flatnonzero(norms.counts.toarray()[:, 2])[0]]
    shown = synthetic_stimuli([c for c in CONCEPTS if c != owner], test=2)
    kept = np.repeat([c != owner for c in CONCEPTS], 2)
    view = ArrayView(shown, {"layer": features[kept]})
    result = task.score(view, join(shown, norms), PARAMS, np.random.default_rng(1))
    assert "is p2" not in result.concepts
    assert "is p2" in score(task, {"layer": features}, norms).concepts
    assert result.arrays["without_images"].tolist() == [owner]


def test_a_layer_without_variance_is_undefined_and_chance_is_that_of_permutations(task, norms, features):
    result = score(task, {"flat": np.ones((2 * K, 3)), "layer": features}, norms)
    assert "constant" in result.layers["flat"].undefined
    assert result.layers["layer"].values["chance"] == pytest.approx(result.chance["f1"])
    assert 0 < result.chance["f1"] < 1
    assert result.layers["layer"].p in (1 / 3, 2 / 3, 1.0)


def test_what_a_stopped_run_finished_is_kept(task, norms, features):
    memo, seen = {}, []
    first = score(task, {"layer": features}, norms, LongWork(lambda *done: seen.append(done), memo))
    assert seen == [(1, 1)]
    again = score(task, {"layer": features * np.nan}, norms, LongWork(memo=memo))
    np.testing.assert_array_equal(again.arrays["f1/layer"], first.arrays["f1/layer"])


def test_what_cannot_be_decoded_is_refused_in_a_line(task, norms, features):
    layers = {"layer": features}
    with pytest.raises(UsageError, match="concepts is 3: with 5 folds"):
        score(task, layers, norms, concepts=3)
    with pytest.raises(UsageError, match="permutations is 0"):
        score(task, layers, norms, permutations=0)
    with pytest.raises(NotPossible, match="no property has production frequency 30 or more for 5 of the 30"):
        score(task, layers, norms, frequency=30)
    common = replace(norms, counts=sparse.csr_array(np.where(np.arange(7) == 3, 9.0, norms.counts.toarray())))
    with pytest.raises(NotPossible, match="property 'is p3' of target 'norms' is given to 30 of 30"):
        score(task, layers, common)
    with pytest.raises(NotPossible, match=r"only property 'is p6' .* at least two are needed"):
        score(task, layers, norms, concepts=15)
    few = norms.select(CONCEPTS[:3])
    with pytest.raises(NotPossible, match="of the 3 concepts"):
        score(task, layers, few)


def test_features_too_large_for_the_regression_are_refused_in_a_line(task, norms, features, monkeypatch):
    monkeypatch.setattr("benchmark.measures.logistic._ITERATIONS_FLOAT64", 50)
    with pytest.raises(NotPossible, match=r"layer 'layer': .*scale the features"):
        score(task, {"layer": 1e5 * features}, norms, normalise="none")


@pytest.mark.parametrize("model", ["mini_classifier", "mini_encoder", "mini_clip"])
def test_taxonomic_properties_rise_with_depth_in_trained_networks_only(model):
    """The published results of the miniature: first and last layer, by their intervals."""
    folder = Path(__file__).parents[2] / "leaderboard/results/mini/properties_decoding"
    ends = {}
    for name in (model, f"{model}@untrained-0"):
        layers = json.loads((folder / f"{name}.json").read_text())["layers"]
        ends[name] = [layers[i]["metrics"]["taxonomic"] for i in (0, -1)]
    first, last = ends[model]
    assert last["ci_low"] > first["ci_high"]
    first, last = ends[f"{model}@untrained-0"]
    assert last["ci_low"] < first["ci_high"]
    assert last["ci_low"] < last["chance"]
