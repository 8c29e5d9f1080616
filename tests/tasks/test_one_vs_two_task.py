from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import VectorTarget
from benchmark.model import ClassProbabilities
from benchmark.representation.concepts import image_groups

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


def score(task, target, features, classes, params=None, **stimuli):
    view = ArrayView(synthetic_stimuli(CONCEPTS, **(stimuli or {"test": IMAGES})), features, classes=classes)
    return task.score(view, join(view.stimuli, target), params or {}, np.random.default_rng(1))


def by_definition(features, words, predicted, group=range(K * IMAGES)):
    """The outcome of each mistake of a group of images, as the paper words it."""
    between = np.corrcoef(words)
    right = np.array([i for i in group if predicted[i] == TRUE[i]])
    outcomes = {}
    for i in (i for i in group if predicted[i] != TRUE[i]):
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
    assert result.arrays["true"].tolist() == list(CONCEPTS)
    assert result.arrays["taken_for"].tolist() == [*CONCEPTS[1:], CONCEPTS[0]]
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


@pytest.fixture
def elsewhere(rng):
    """Words of eight more classes that no stimulus shows. Every other image is taken for one of the 16."""
    target = VectorTarget(
        "words", (*CONCEPTS, *(f"x{i}" for i in range(K))), "h", vectors=rng.standard_normal((2 * K, D))
    )
    predicted = np.where(np.arange(len(TRUE)) % 2, (TRUE + rng.integers(1, 2 * K, len(TRUE))) % (2 * K), TRUE)
    return target, predicted


def test_a_mistake_into_any_class_with_a_word_vector_counts(task, elsewhere, rng):
    target, predicted = elsewhere
    features = target.vectors[TRUE] + 2.5 * rng.standard_normal((len(TRUE), D))
    result = score(task, target, {"layer": features}, probabilities(predicted, target.ids))
    expected = by_definition(features.astype(np.float32).astype(float), target.vectors, predicted)
    assert (predicted >= K).sum() > 4
    assert result.counts["misclassified_joined"] == result.counts["misclassified"] == len(expected)
    assert plain_score(result, "layer", "accuracy") == pytest.approx(np.mean(list(expected.values())))
    assert result.arrays["misclassified"].tolist() == list(expected)


@pytest.mark.parametrize("seed", [0, 3])
def test_in_groups_it_is_the_mean_over_groups_of_the_definition(task, elsewhere, rng, seed):
    target, predicted = elsewhere
    predicted = np.where(np.arange(len(TRUE)) == 1, TRUE, predicted)  # groups of different sizes
    features = target.vectors[TRUE] + 2.5 * rng.standard_normal((len(TRUE), D))
    params = {"groups": 2, "group_seed": seed}
    result = score(task, target, {"layer": features}, probabilities(predicted, target.ids), params)
    used = features.astype(np.float32).astype(float)
    dealt = image_groups(synthetic_stimuli(CONCEPTS, test=IMAGES), CONCEPTS, 2, seed)
    groups = [by_definition(used, target.vectors, predicted, np.concatenate(rows)) for rows in dealt]
    means = [np.mean(list(group.values())) for group in groups]
    assert means[0] != means[1]
    assert len(groups[0]) != len(groups[1])
    assert plain_score(result, "layer", "accuracy") == pytest.approx(np.mean(means))
    assert result.counts["misclassified"] == sum(map(len, groups))
    weights = rng.integers(0, 3, (5, K)).astype(float)
    draws = result.layers["layer"].statistics["accuracy"](weights)
    for w, draw in zip(weights, draws, strict=True):
        each = [
            np.average(list(group.values()), weights=w[TRUE[list(group)]])
            for group in groups
            if w[TRUE[list(group)]].any()
        ]
        assert draw == pytest.approx(np.mean(each))


def test_a_mistake_for_a_class_with_the_same_word_is_dropped_and_counted(task, predicted, rng):
    words = {f"c{i}": ("c0" if i == 1 else f"c{i}",) for i in range(K)}
    stimuli = replace(synthetic_stimuli(CONCEPTS, test=IMAGES), keys={"word": words})
    target = VectorTarget("words", CONCEPTS, "h", vectors=rng.standard_normal((K, D)))
    view = ArrayView(
        stimuli, {"layer": rng.standard_normal((len(TRUE), D))}, classes=probabilities(predicted)
    )
    result = task.score(view, join(stimuli, target, "word"), {}, np.random.default_rng(1))
    # c0 is taken for c1, which is the same word; c7 is taken for c0
    assert result.counts["misclassified_same_word"] == 1
    assert result.counts["misclassified_joined"] == K - 1
    assert result.concepts == CONCEPTS, "two concepts of one word both take part"
    assert any("7 of 8 misclassified stimuli are counted" in note for note in result.notes)


def test_a_group_without_enough_correct_images_is_named(task, words, rng):
    predicted = np.where(TRUE < 2, TRUE, (TRUE + 1) % K)
    predicted[2 * IMAGES] = 2
    features = {"layer": rng.standard_normal((len(TRUE), D))}
    with pytest.raises(NotPossible, match=r"of group \d of 4 correctly, of 2 concepts.*give fewer groups"):
        score(task, words, features, probabilities(predicted), {"groups": 4})


def test_more_groups_than_images_are_refused(task, words, predicted, rng):
    features = {"layer": rng.standard_normal((len(TRUE), D))}
    with pytest.raises(NotPossible, match="has 4 test images of 'c0', too few for 5 groups: give groups at"):
        score(task, words, features, probabilities(predicted), {"groups": 5})
    with pytest.raises(UsageError, match="groups is 0: expected 1 or more"):
        score(task, words, features, probabilities(predicted), {"groups": 0})


def test_stimuli_that_show_no_class_of_the_model_are_named(task, words, predicted, rng):
    features = {"layer": rng.standard_normal((len(TRUE), D))}
    others = [f"class {i}" for i in range(K)]
    with pytest.raises(NotPossible, match=r"0 of 8 concepts of 'synthetic'.*'c0' beside 'class 0'"):
        score(task, words, features, probabilities(predicted, others))


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
