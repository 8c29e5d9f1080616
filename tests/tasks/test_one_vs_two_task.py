from __future__ import annotations

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import join
from benchmark.datasets.types import VectorTarget
from benchmark.model import ClassProbabilities

K, IMAGES, D = 8, 4, 15
CONCEPTS = tuple(f"c{i}" for i in range(K))
TRUE = np.repeat(np.arange(K), IMAGES)


@pytest.fixture
def task(plugin):
    return plugin("one_vs_two").OneVsTwo()


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def words(rng):
    return VectorTarget("words", CONCEPTS, "h", vectors=rng.standard_normal((K, D)))


@pytest.fixture
def predicted():
    """The first image of every concept is taken for the next concept."""
    return np.where(np.arange(len(TRUE)) % IMAGES == 0, (TRUE + 1) % K, TRUE)


def probabilities(predicted, ids=CONCEPTS):
    return ClassProbabilities(tuple(ids), np.eye(len(ids))[predicted])


def score(task, target, features, classes, **stimuli):
    view = ArrayView(synthetic_stimuli(CONCEPTS, **(stimuli or {"test": IMAGES})), features, classes=classes)
    return task.score(view, join(view.stimuli, target), {}, np.random.default_rng(1))


def by_definition(features, words, predicted):
    between = np.corrcoef(words)
    right = np.flatnonzero(predicted == TRUE)
    outcomes = {}
    for i in np.flatnonzero(predicted != TRUE):
        image = [np.corrcoef(features[i], features[j])[0, 1] for j in right]
        true, taken = (np.corrcoef(image, between[c, TRUE[right]])[0, 1] for c in (TRUE[i], predicted[i]))
        outcomes[i] = float(true > taken)
    return outcomes


def test_is_the_definition_and_weighs_stimuli_by_their_true_concept(task, words, predicted, rng):
    features = words.vectors[TRUE] + 2.5 * rng.standard_normal((len(TRUE), D))
    expected = by_definition(features.astype(np.float32).astype(float), words.vectors, predicted)
    assert 0 < np.mean(list(expected.values())) < 1
    result = score(task, words, {"layer": features}, probabilities(predicted))
    assert plain_score(result, "layer", "accuracy") == pytest.approx(np.mean(list(expected.values())))
    each = result.layers["layer"].statistics["accuracy"](np.eye(K))
    np.testing.assert_allclose(each, [expected[i] for i in range(0, len(TRUE), IMAGES)])
    assert result.counts["misclassified"] == result.counts["misclassified_joined"] == K
    assert result.counts["correct"] == K * (IMAGES - 1)
    assert result.arrays["misclassified"].tolist() == list(expected)
    assert 0 < result.layers["layer"].values["p_binomial"] <= 1


def test_no_classes_is_not_possible(task, words, rng):
    with pytest.raises(NotPossible, match="no classes"):
        score(task, words, {"layer": rng.standard_normal((len(TRUE), D))}, None)


def test_a_model_that_knows_nothing_is_not_possible(task, words, rng):
    features = {"layer": rng.standard_normal((len(TRUE), D))}
    with pytest.raises(NotPossible, match="0 of 32 stimuli correctly"):
        score(task, words, features, probabilities((TRUE + 1) % K))


def test_too_few_mistakes_are_not_possible(task, words, predicted, rng):
    few = np.where(TRUE < 4, predicted, TRUE)
    with pytest.raises(NotPossible, match="misclassifies 4 of 32"):
        score(task, words, {"layer": rng.standard_normal((len(TRUE), D))}, probabilities(few))


def test_a_class_without_a_word_vector_takes_no_part_but_can_be_predicted(task, words, predicted, rng):
    ids = (*CONCEPTS, "a class the stimuli do not show")
    elsewhere = predicted.copy()
    elsewhere[0] = K  # this stimulus is misclassified, but not as anything that has a word vector
    features = {"layer": rng.standard_normal((len(TRUE), D))}
    result = score(task, words, features, probabilities(elsewhere, ids))
    assert result.counts["misclassified"] == K
    assert result.counts["misclassified_joined"] == K - 1


def test_order_of_the_classes_does_not_matter(task, words, predicted, rng):
    features = {"layer": words.vectors[TRUE] + 2.5 * rng.standard_normal((len(TRUE), D))}
    order = rng.permutation(K)
    place = np.argsort(order)
    results = [
        score(task, words, features, classes)
        for classes in (
            probabilities(predicted),
            probabilities(place[predicted], [CONCEPTS[i] for i in order]),
        )
    ]
    scores = [plain_score(result, "layer", "accuracy") for result in results]
    assert scores[0] == scores[1]


def test_only_test_images_take_part(task, words, predicted, rng):
    features = {"layer": rng.standard_normal((len(TRUE), D))}
    # The misclassified ones are the first image of each concept, which is a training image here.
    with pytest.raises(NotPossible, match="misclassifies 0 of 24"):
        score(task, words, features, probabilities(predicted), test=IMAGES - 1, train=1)


def test_constant_features_are_undefined(task, words, predicted, rng):
    features = {"flat": np.ones((len(TRUE), D)), "layer": rng.standard_normal((len(TRUE), D))}
    result = score(task, words, features, probabilities(predicted))
    assert "constant" in result.layers["flat"].undefined
    assert result.layers["layer"].undefined is None


def test_ties_are_counted_and_count_one_half(task, rng, predicted):
    vectors = rng.standard_normal((K, D))
    vectors[1] = vectors[0]  # what shows c0 is taken for c1, which is the same word: neither is nearer
    target = VectorTarget("words", CONCEPTS, "h", vectors=vectors)
    features = {"layer": vectors[TRUE] + 0.01 * rng.standard_normal((len(TRUE), D))}
    result = score(task, target, features, probabilities(predicted))
    assert result.layers["layer"].values["ties"] == 1
    assert result.layers["layer"].statistics["accuracy"](np.eye(K)[:1])[0] == 0.5
