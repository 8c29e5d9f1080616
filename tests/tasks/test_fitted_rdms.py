"""reweighted_rdm and versa: what is fitted, what stands beside it, and through the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, response_world, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import RDMTarget, ResponseTarget
from benchmark.datasets.join import join
from benchmark.measures import rdm

K = 40
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))


@pytest.fixture
def reweighted(plugin):
    return plugin("reweighted_rdm").ReweightedRDM()


@pytest.fixture
def versa(plugin):
    return plugin("versa").VeRSA()


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((K, 12)).astype(np.float32)


@pytest.fixture
def target(features):
    """People who attend to three of the twelve features."""
    rows = features - features.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rng = np.random.default_rng(1)
    subjects = [rdm(rows[:, :3] + 0.05 * rng.standard_normal((K, 3)), metric="sqeuclidean") for _ in range(3)]
    return RDMTarget("people", CONCEPTS, "h", rdms=np.array(subjects), subjects=("a", "b", "c"))


def score(task, layers, target, **params):
    stimuli = synthetic_stimuli(CONCEPTS)
    return task.score(ArrayView(stimuli, layers), join(stimuli, target), params, np.random.default_rng(1))


def test_weights_find_the_features_that_people_attend_to(reweighted, features, target):
    result = score(reweighted, {"layer": features}, target)
    found, unweighted = plain_score(result, "layer", "spearman"), result.layers["layer"].values["unweighted"]
    assert unweighted < 0.6 < 0.8 < found <= result.ceiling["spearman"][1] + 0.05
    assert plain_score(result, "layer", "gain") == pytest.approx(found - unweighted)
    weights = result.arrays["weights/layer"]
    assert weights[:3].min() > 5 * weights[3:].max()
    assert result.layers["layer"].p < 1e-4
    assert result.counts["folds"] == 5


def test_repeats_deal_the_concepts_anew_and_agree_with_one(reweighted, features, target):
    one, three = (score(reweighted, {"layer": features}, target, repeats=n) for n in (1, 3))
    assert three.counts["folds"] == 15
    assert plain_score(three, "layer", "spearman") != plain_score(one, "layer", "spearman")


def test_the_sum_of_layers_is_one_score(reweighted, features, target):
    layers = {"three": features[:, :3], "rest": features[:, 3:], "flat": np.ones((K, 2), dtype=np.float32)}
    result = score(reweighted, layers, target, of="layers")
    assert list(result.layers) == ["weighted sum of layers"]
    assert result.arrays["layers"].tolist() == ["three", "rest"]
    three, rest = result.arrays["weights/weighted sum of layers"]
    assert three > 5 * rest


def test_many_features_are_projected_and_it_is_said(reweighted, target):
    wide = np.random.default_rng(3).standard_normal((K, 60)).astype(np.float32)
    result = score(reweighted, {"wide": wide}, target, most_features=20)
    assert result.arrays["weights/wide"].shape == (20,)
    assert any("projected at random to 20 features: wide" in note for note in result.notes)


def test_what_is_not_possible_is_said(reweighted, versa, features, target):
    with pytest.raises(UsageError, match="weights is 'lasso'"):
        score(reweighted, {"layer": features}, target, weights="lasso")
    few = target.select(CONCEPTS[:10])
    with pytest.raises(NotPossible, match="10 concepts joined, too few"):
        score(reweighted, {"layer": features}, few)
    responses = ResponseTarget(
        "neurons",
        CONCEPTS,
        "h",
        repeats=np.ones((K, 2, 1)) * np.arange(K)[:, None, None],
        channels=("a", "b"),
    )
    with pytest.raises(UsageError, match="folds is 1"):
        score(versa, {"layer": features}, responses, folds=1)


def test_a_layer_without_variance_is_undefined(reweighted, features, target):
    result = score(reweighted, {"flat": np.ones((K, 4)), "layer": features}, target)
    assert "constant features" in result.layers["flat"].undefined
    assert result.layers["layer"].undefined is None


def test_predicted_responses_have_the_measured_geometry(versa):
    world = response_world(np.random.default_rng(0), concepts=60, noise=1.0, repeats=4)
    layers = {"source": world.signal, "noise": world.noise(np.random.default_rng(1))}
    result = versa.score(world.view(layers), join(world.stimuli, world.target), {}, np.random.default_rng(1))
    ceiling = result.ceiling["spearman"][0]
    assert 0.7 * ceiling < plain_score(result, "source", "spearman") < 1.1 * ceiling
    assert abs(plain_score(result, "noise", "spearman")) < 0.2
    assert result.layers["source"].p < 1e-4
    assert result.layers["noise"].p > 0.01


def test_one_repeat_has_no_ceiling_and_it_is_said(versa):
    world = response_world(np.random.default_rng(0), concepts=40)
    result = versa.score(
        world.view({"source": world.signal}), join(world.stimuli, world.target), {}, np.random.default_rng(1)
    )
    assert result.ceiling == {}
    assert any("one repeat" in note for note in result.notes)


def test_through_the_command_line(tmp_path, bench):
    done = bench("run", "-m", "pixels", "-t", "people_reweighted,area_late_versa", "--output", tmp_path)
    assert done.status == 0, done.out + done.err
    for binding in ("people_reweighted", "area_late_versa"):
        cell = json.loads((tmp_path / "mini" / binding / "pixels.json").read_text())
        assert "unweighted" in cell["layers"][0]["values"]
