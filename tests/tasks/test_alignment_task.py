from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import RDMTarget, VectorTarget
from benchmark.inference import bootstrap_weights
from benchmark.measures import linear_cka, mutual_nearest_neighbours, procrustes_distance

K, IMAGES = 20, 3
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))


@pytest.fixture
def task(plugin):
    return plugin("alignment").Alignment()


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((K, 6))


@pytest.fixture
def features(rng, vectors):
    """Features of three images of each concept, float32 like a network's."""
    means = vectors @ rng.standard_normal((6, 30)) + rng.standard_normal((K, 30))
    return np.repeat(means, IMAGES, axis=0) + 0.3 * rng.standard_normal((K * IMAGES, 30))


def score(task, target, layers, **params):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), layers)
    return task.score(view, join(view.stimuli, target), params, np.random.default_rng(1))


def means_of(features):
    return features.astype(np.float32).astype(float).reshape(K, IMAGES, -1).mean(axis=1)


def test_scores_are_the_measures(task, vectors, features):
    target = VectorTarget("words", CONCEPTS, "h", vectors=vectors)
    result = score(task, target, {"layer": features}, neighbours=4)
    means = means_of(features)
    expected = linear_cka(means, vectors, debiased=True)
    assert plain_score(result, "layer", "cka") == pytest.approx(expected, abs=1e-10)
    neighbours = mutual_nearest_neighbours(means, vectors, 4)
    assert plain_score(result, "layer", "neighbours") == pytest.approx(neighbours.score, abs=1e-12)
    assert result.chance == {"cka": 0.0, "neighbours": neighbours.chance}
    values = result.layers["layer"].values
    assert values["procrustes"] == pytest.approx(procrustes_distance(means, vectors), abs=1e-10)
    assert values["procrustes"] < values["procrustes_chance"]
    assert result.layers["layer"].p == pytest.approx(1 / 1001)
    assert result.ceiling == {}


def test_an_rdm_of_squared_distances_is_as_good_as_the_vectors(task, vectors, features):
    rdm = squareform(pdist(vectors, "sqeuclidean"))
    people = RDMTarget("people", CONCEPTS, "h", rdms=rdm[None], subjects=("a",))
    result = score(task, people, {"layer": features})
    expected = linear_cka(means_of(features), vectors, debiased=True)
    assert plain_score(result, "layer", "cka") == pytest.approx(expected, abs=1e-10)
    assert result.layers["layer"].values == {}


def test_subjects_are_averaged_and_bound_the_score(task, rng, vectors, features):
    spaces = [vectors + 0.5 * rng.standard_normal(vectors.shape) for _ in range(4)]
    rdms = np.stack([squareform(pdist(space, "sqeuclidean")) for space in spaces])
    people = RDMTarget("people", CONCEPTS, "h", rdms=rdms, subjects=tuple("abcd"))
    result = score(task, people, {"layer": features, "people": np.repeat(vectors, IMAGES, axis=0)})
    expected = np.mean([linear_cka(means_of(features), space, debiased=True) for space in spaces])
    assert plain_score(result, "layer", "cka") == pytest.approx(expected, abs=1e-10)
    lower, upper = result.ceiling["cka"]
    assert 0 < lower <= upper <= 1
    assert plain_score(result, "people", "cka") == pytest.approx(upper, abs=0.1)


def test_p_of_noise_is_not_small_and_draws_are_defined(task, rng, vectors, features):
    target = VectorTarget("words", CONCEPTS, "h", vectors=vectors)
    noise = np.repeat(rng.standard_normal((K, 30)), IMAGES, axis=0)
    result = score(task, target, {"noise": noise, "layer": features})
    alone = score(task, target, {"noise": noise})
    assert result.layers["noise"].p == alone.layers["noise"].p > 0.01
    weights = bootstrap_weights(K, 200, rng)
    for statistic in result.layers["layer"].statistics.values():
        assert np.isfinite(statistic(weights)).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.full_like(x, 0.1),
        lambda x: np.zeros_like(x),
        lambda x: np.where(np.arange(len(x))[:, None] < IMAGES, 0.0, x),
        lambda x: np.repeat(np.eye(K), IMAGES, axis=0),
    ],
    ids=["one value", "zero", "one concept of zeros", "all equally far"],
)
def test_undefined_layers_say_why_and_others_go_on(task, vectors, features, make):
    target = VectorTarget("words", CONCEPTS, "h", vectors=vectors)
    result = score(task, target, {"flat": make(features), "layer": features})
    assert result.layers["flat"].undefined
    assert result.layers["flat"].statistics == {}
    assert result.layers["layer"].undefined is None


def test_what_cannot_be_asked(task, vectors, features):
    target = VectorTarget("words", CONCEPTS, "h", vectors=vectors)
    with pytest.raises(NotPossible, match="20 concepts join: 19 neighbours need at least 21"):
        score(task, target, {"layer": features}, neighbours=19)
    with pytest.raises(UsageError, match="neighbours is 0: expected 1 or more"):
        score(task, target, {"layer": features}, neighbours=0)
    flat = (1 - np.eye(K))[None]
    with pytest.raises(NotPossible, match="'same', subject 'a': RDM has the same value, 1, for all pairs"):
        RDMTarget("same", CONCEPTS, "h", rdms=flat, subjects=("a",))


@pytest.mark.parametrize(
    "target",
    [
        VectorTarget("t", CONCEPTS, "h", vectors=np.eye(K) / 3),
        RDMTarget(
            "t",
            CONCEPTS,
            "h",
            # each concept lies so far from a common centre: the distances are sums of two of these
            rdms=((far := np.arange(1, K + 1) / 7)[:, None] + far - 2 * np.diag(far))[None],
            subjects=("a",),
        ),
    ],
    ids=["words equally far", "sums"],
)
def test_a_target_of_which_rounding_alone_is_left_is_refused(task, features, target):
    with pytest.raises(NotPossible, match="target 't': the kernel is zero without its additive part"):
        score(task, target, {"layer": features})
