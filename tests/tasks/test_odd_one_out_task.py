"""odd_one_out: from features and triplets to accuracy, ceiling and probe; and its faults."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import TripletTarget
from benchmark.runner.summary import summarise

K = 12
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))


@pytest.fixture
def task(plugin):
    return plugin("odd_one_out").OddOneOut()


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def target(triplets):
    # the target has an order and an object of its own
    ids = (*CONCEPTS[::-1], "stranger")
    moved = np.where(np.asarray(triplets) < K, K - 1 - np.asarray(triplets), K)
    return TripletTarget("people", ids, "h", triplets=moved)


def score(task, layers, people, images=1, **params):
    stimuli = synthetic_stimuli(CONCEPTS, test=images)
    return task.score(ArrayView(stimuli, layers), join(stimuli, people), params, np.random.default_rng(1))


def drawn(rng, m=150):
    return np.argsort(rng.random((m, K)), axis=1)[:, :3]


def accuracy(features, triplets):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    right = [unit[i] @ unit[j] > max(unit[i] @ unit[o], unit[j] @ unit[o]) for i, j, o in triplets]
    return float(np.mean(right))


def test_the_score_is_the_share_of_the_choices_that_mean_features_make_too(task, rng):
    features, triplets = rng.standard_normal((2 * K, 20)).astype(np.float32), drawn(rng)
    result = score(task, {"layer": features}, target([*triplets, [0, 1, K]]), images=2)
    means = features.reshape(K, 2, 20).mean(axis=1, dtype=float)
    assert plain_score(result, "layer", "accuracy") == pytest.approx(accuracy(means, triplets), abs=1e-12)
    assert result.chance == {"accuracy": 1 / 3}
    assert result.counts["answers"] == 150
    assert result.counts["answers_left_out"] == 1
    values = result.layers["layer"].values
    assert values["low_over_triplets"] < accuracy(means, triplets) < values["high_over_triplets"]
    by_object = result.arrays["accuracy_by_concept/layer"]
    holds = (triplets == 3).any(axis=1)
    assert by_object[3] == pytest.approx(accuracy(means, triplets[holds]))


def test_the_ceiling_and_the_model_on_the_repeated_triplets(task, rng):
    features = rng.standard_normal((K, 20))
    once, often = [[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [6, 7, 8], [7, 8, 6], [6, 8, 7]]
    result = score(task, {"layer": features}, target(once + often))
    assert result.ceiling["accuracy"] == (pytest.approx(1 / 6), pytest.approx(0.5))
    assert result.layers["layer"].values["accuracy_repeated"] == pytest.approx(
        accuracy(features.astype(np.float32).astype(float), often)
    )
    alone = score(task, {"layer": features}, target(once))
    assert alone.ceiling == {}
    assert "no triplet was answered twice" in alone.notes[0]


def test_a_model_that_chooses_as_people_do_is_found_and_a_flat_layer_is_told(task, rng):
    features = rng.standard_normal((K, 20))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    alike = unit @ unit.T
    triplets = []
    for i, j, o in drawn(rng):
        odd = int(np.argmax([alike[j, o], alike[i, o], alike[i, j]]))
        triplets.append([*np.delete([i, j, o], odd), [i, j, o][odd]])
    result = score(task, {"flat": np.ones((K, 20)), "right": features}, target(triplets))
    assert "constant features" in result.layers["flat"].undefined
    assert result.layers["right"].p < 0.01
    headline = summarise(result, task.metrics, 0).headline
    assert headline.score == 1
    assert headline.ci_low < 1


def test_why_few_objects_have_no_score_is_said(task, rng):
    triplets = [[K - 1 - i for i in row] for row in ([0, 1, 2], [1, 2, 3], [2, 3, 4])]
    layers = {"one": rng.standard_normal((K, 4)), "other": rng.standard_normal((K, 4))}
    people = target(triplets).select(CONCEPTS[-5:])
    several, single = (
        score(task, {name: layers[name] for name in names}, people) for names in (layers, ["one"])
    )
    assert summarise(several, task.metrics, 0).headline.score is None
    assert several.notes[-1].startswith("5 objects: a layer is chosen on one half")
    assert summarise(single, task.metrics, 0).headline.score is not None
    assert not any("5 objects" in note for note in single.notes)


def test_a_probe_is_scored_beside_and_needs_triplets(task, rng):
    features = rng.standard_normal((K, 3))
    few = target([[0, 1, 2]])
    with pytest.raises(NotPossible, match="1 triplets of 12 objects are too few for a probe"):
        score(task, {"layer": features}, few, probe=True)
    result = score(task, {"layer": features}, target(drawn(rng, 1500)), probe=True)
    assert result.chance == dict.fromkeys(("accuracy", "probed"), 1 / 3)
    assert 0 < result.layers["layer"].values["probed_answers"] < 300
    assert 0 <= plain_score(result, "layer", "probed") <= 1
    assert result.ceiling["probed"] == result.ceiling["accuracy"]


def test_similarity_and_standardise_are_of_the_recipe(task, rng):
    shifted = rng.standard_normal((K, 20)) + 30
    triplets = target(drawn(rng))
    found = {
        (how, what): plain_score(
            score(task, {"a": shifted}, triplets, similarity=how, standardise=what), "a", "accuracy"
        )
        for how in ("cosine", "dot", "euclidean")
        for what in ("none", "centre")
    }
    assert found["euclidean", "none"] == found["euclidean", "centre"]
    assert found["dot", "none"] != found["dot", "centre"]
    with pytest.raises(UsageError, match="similarity is 'cosin'"):
        score(task, {"a": shifted}, triplets, similarity="cosin")


@pytest.mark.slow
def test_a_network_of_the_miniature_chooses_as_the_simulated_people_do(bench, tmp_path):
    arguments = ("--format", "json", "--output", tmp_path / "results")
    cells = bench("run", "-m", "mini_classifier,pixels", "-t", "people_odd_one_out", *arguments).cells
    network, pixels = cells
    assert network["ci_low"] > 1 / 3
    assert network["score"] < network["ceiling_high"]
    assert network["score"] > pixels["score"]
    file = Path(network["result_file"])
    assert np.isfinite(np.array(json.loads(file.read_text())["perturbed"])).all()
