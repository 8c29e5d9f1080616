from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import VectorTarget
from benchmark.representation.concepts import image_groups

K = 9
CONCEPTS = tuple(f"c{i}" for i in range(K))


@pytest.fixture
def task(plugin):
    return plugin("two_vs_two").TwoVsTwo()


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def words(rng):
    return VectorTarget("words", CONCEPTS, "h", vectors=rng.standard_normal((K, 12)))


def score(task, view, target):
    return task.score(view, join(view.stimuli, target), {}, np.random.default_rng(1))


def by_definition(x, y):
    """The test as the paper words it, pair by pair."""
    a, b = np.corrcoef(x), np.corrcoef(y)
    passed = []
    for i, j in itertools.combinations(range(len(a)), 2):
        rest = [c for c in range(len(a)) if c not in (i, j)]

        def corr(p, q, rest=rest):
            return np.corrcoef(a[p, rest], b[q, rest])[0, 1]

        passed.append(corr(i, i) + corr(j, j) > corr(i, j) + corr(j, i))
    return np.mean(passed)


def test_is_the_mean_over_groups_of_the_definition(task, words, rng):
    # The first concept has four images, the others three: three groups.
    stimuli = Stimuli(
        "uneven",
        (*(f"{c}-{i}" for c in CONCEPTS for i in range(3)), "c0-3"),
        (*(c for c in CONCEPTS for _ in range(3)), "c0"),
        "m",
    )
    signal = np.repeat(words.vectors, 3, axis=0)
    features = np.vstack([signal, words.vectors[:1]]) + 2 * rng.standard_normal((len(stimuli), 12))
    result = score(task, ArrayView(stimuli, {"layer": features}), words)
    used = features.astype(np.float32).astype(float)
    expected = np.mean([by_definition(words.vectors, used[:-1][g::3]) for g in range(3)])
    assert 0.5 < expected < 1
    assert plain_score(result, "layer", "accuracy") == pytest.approx(expected, abs=1e-12)
    assert result.counts["groups"] == 3
    assert result.counts["pairs"] == K * (K - 1) // 2
    assert result.arrays["per_concept/layer"].mean() == pytest.approx(expected, abs=1e-6)


def test_given_groups_hold_all_images_and_their_means_are_scored(task, words, rng):
    stimuli = synthetic_stimuli(CONCEPTS, test=5)
    features = np.repeat(words.vectors, 5, axis=0) + 4 * rng.standard_normal((5 * K, 12))
    view = ArrayView(stimuli, {"layer": features})
    result = task.score(view, join(stimuli, words), {"groups": 2}, np.random.default_rng(1))
    used = features.astype(np.float32).astype(float)
    dealt = image_groups(stimuli, CONCEPTS, 2)
    assert sorted(np.concatenate([rows for group in dealt for rows in group])) == list(range(5 * K))
    means = [np.array([used[rows].mean(axis=0) for rows in group]) for group in dealt]
    expected = [by_definition(words.vectors, group) for group in means]
    assert expected[0] != expected[1]
    assert plain_score(result, "layer", "accuracy") == pytest.approx(np.mean(expected), abs=1e-12)
    pairs = result.layers["layer"].pairs()
    assert pairs(np.ones(K * (K - 1) // 2)) == pytest.approx(np.mean(expected), abs=1e-12)


def test_as_many_groups_as_images_hold_one_image_each(task, words, rng):
    stimuli = synthetic_stimuli(CONCEPTS, test=1)
    view = ArrayView(stimuli, {"layer": words.vectors + 2 * rng.standard_normal((K, 12))})
    scores = [
        plain_score(
            task.score(view, join(stimuli, words), params, np.random.default_rng(1)), "layer", "accuracy"
        )
        for params in ({}, {"groups": 1}, {"groups": 1, "group_seed": 9})
    ]
    assert scores[0] == scores[1] == scores[2]
    with pytest.raises(NotPossible, match="has 1 test images of 'c0', too few for 2 groups"):
        task.score(view, join(stimuli, words), {"groups": 2}, np.random.default_rng(1))


def test_order_of_the_stimuli_does_not_matter(task, words, rng):
    stimuli = synthetic_stimuli(CONCEPTS, test=3)
    features = np.repeat(words.vectors, 3, axis=0) + 2 * rng.standard_normal((3 * K, 12))
    order = rng.permutation(len(stimuli))
    shuffled = Stimuli(
        "shuffled", tuple(stimuli.ids[i] for i in order), tuple(stimuli.concepts[i] for i in order), "m"
    )
    results = [
        score(task, ArrayView(s, {"layer": f}), words)
        for s, f in ((stimuli, features), (shuffled, features[order]))
    ]
    accuracies = [plain_score(result, "layer", "accuracy") for result in results]
    assert accuracies[0] == accuracies[1]


def test_ties_count_one_half_and_are_counted(task, rng):
    # The first two concepts are the same word: the pair cannot be told apart, whatever the features.
    vectors = rng.standard_normal((K, 12))
    vectors[1] = vectors[0]
    target = VectorTarget("words", CONCEPTS, "h", vectors=vectors)
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"layer": vectors + 0.01 * rng.standard_normal((K, 12))})
    result = score(task, view, target)
    pairs = K * (K - 1) / 2
    assert result.layers["layer"].values["ties"] == 1
    assert plain_score(result, "layer", "accuracy") == pytest.approx((pairs - 0.5) / pairs)


def test_p_tells_a_copy_from_noise(task, words, rng):
    view = ArrayView(
        synthetic_stimuli(CONCEPTS, test=2),
        {
            "copy": np.repeat(words.vectors, 2, axis=0),
            "noise": rng.standard_normal((2 * K, 12)),
        },
    )
    result = score(task, view, words)
    assert result.layers["copy"].p < 0.02
    assert result.layers["noise"].p > 0.02


def test_values_tell_models_apart_that_pass_every_pair(task, words, rng):
    near, far = (words.vectors + s * rng.standard_normal((K, 12)) for s in (0.01, 0.2))
    result = score(task, ArrayView(synthetic_stimuli(CONCEPTS), {"near": near, "far": far}), words)
    assert plain_score(result, "near", "accuracy") == plain_score(result, "far", "accuracy") == 1
    near, far = (result.layers[name].values for name in ("near", "far"))
    assert near["matched"] > far["matched"]
    assert near["difference"] > far["difference"] > 0
    assert near["difference"] == pytest.approx(near["matched"] - near["mismatched"])


def test_the_number_of_permutations_is_a_parameter(task, words):
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"copy": words.vectors})
    for params, draws in (({}, 1000), ({"permutations": 19}, 19)):
        result = task.score(view, join(view.stimuli, words), params, np.random.default_rng(1))
        reached = result.layers["copy"].p * (1 + draws)
        assert reached == pytest.approx(round(reached), abs=1e-9)
        assert 1 <= reached < 5
    with pytest.raises(UsageError, match="permutations is 0: expected 1 or more"):
        task.score(view, join(view.stimuli, words), {"permutations": 0}, np.random.default_rng(1))


def test_constant_features_are_undefined(task, words, rng):
    features = rng.standard_normal((K, 12))
    one = features.copy()
    one[4] = 0.2
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"flat": np.ones((K, 12)), "one": one, "layer": features})
    result = score(task, view, words)
    assert "constant" in result.layers["flat"].undefined
    assert "c4" in result.layers["one"].undefined
    assert result.layers["layer"].undefined is None


def test_too_few_concepts_are_refused(task, words, rng):
    view = ArrayView(synthetic_stimuli(CONCEPTS[:4]), {"layer": rng.standard_normal((4, 12))})
    with pytest.raises(NotPossible, match="at least 5"):
        score(task, view, words)


def test_a_constant_word_vector_is_refused(task, rng):
    vectors = rng.standard_normal((K, 12))
    vectors[2] = 1.0
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"layer": rng.standard_normal((K, 12))})
    with pytest.raises(NotPossible, match="c2"):
        score(task, view, VectorTarget("words", CONCEPTS, "h", vectors=vectors))
