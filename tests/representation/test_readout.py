from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from benchmark.calibration import synthetic_stimuli
from benchmark.common.errors import NotPossible
from benchmark.representation.readout import (
    ALPHAS,
    can_read_classes,
    class_folds,
    read_classes,
    ridge_to_profiles,
)


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def problem(rng, d, rows_per_class):
    k, v = 12, 7
    profiles = rng.random((k, v))
    labels = np.repeat(np.arange(k), rows_per_class)
    centres = profiles @ rng.standard_normal((v, d))
    train = centres[labels] + rng.standard_normal((len(labels), d)) + 5.0
    test = centres + rng.standard_normal((k, d)) + 5.0
    return train, labels, test, profiles


@pytest.mark.parametrize("d", [5, 80], ids=["more rows than features", "more features than rows"])
@pytest.mark.parametrize("rows_per_class", [1, 3])
def test_agrees_with_scikit_learn_and_leaves_one_out_by_hand(rng, d, rows_per_class):
    train, labels, test, profiles = problem(rng, d, rows_per_class)
    found = ridge_to_profiles(train, labels, test, profiles @ profiles.T)
    targets = profiles[labels]
    mean, scale = train.mean(axis=0), train.std(axis=0) * np.sqrt(d)
    x, z = (train - mean) / scale, (test - mean) / scale

    def left_out(alpha):
        errors = []
        for i in range(len(x)):
            rest = np.arange(len(x)) != i
            fitted = Ridge(alpha=alpha).fit(x[rest], targets[rest])
            errors.append(np.sum((fitted.predict(x[i : i + 1]) - targets[i]) ** 2))
        return np.mean(errors)

    assert found.alpha == ALPHAS[np.argmin([left_out(alpha) for alpha in ALPHAS])]
    expected = Ridge(alpha=found.alpha).fit(x, targets).predict(z)
    np.testing.assert_allclose(found.coefficients @ profiles, expected, atol=1e-8)
    np.testing.assert_allclose(found.coefficients.sum(axis=1), 1.0, atol=1e-8)


def test_features_that_never_vary_take_no_part(rng):
    train, labels, test, profiles = problem(rng, 6, 2)
    flat = np.full((len(train), 1), 0.1), np.full((len(test), 1), 77.0)
    with_flat = ridge_to_profiles(
        np.hstack([train, flat[0]]), labels, np.hstack([test, flat[1]]), profiles @ profiles.T
    )
    without = ridge_to_profiles(train, labels, test, profiles @ profiles.T)
    np.testing.assert_allclose(with_flat.coefficients, without.coefficients, atol=1e-12)


def test_constant_features_are_refused(rng):
    _, labels, test, profiles = problem(rng, 3, 2)
    with pytest.raises(ValueError, match="constant"):
        ridge_to_profiles(np.full((len(labels), 3), 0.1), labels, test, profiles @ profiles.T)


def test_folds_deal_every_class_once_and_keep_it_out_of_its_own_fit(rng):
    concepts = tuple(f"c{i}" for i in range(23))
    folds = class_folds(synthetic_stimuli(concepts), concepts, "classes", rng)
    assert len(folds) == 10
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(23))
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert len(fold.train) + len(fold.test) == 23


def test_held_out_classes_are_the_ones_scored(rng):
    concepts = tuple(f"c{i}" for i in range(6))
    stimuli = synthetic_stimuli(concepts, test=1, train=1, held_out=("c1", "c4"))
    (fold,) = class_folds(stimuli, concepts, "classes", rng)
    assert fold.test.tolist() == [1, 4]
    assert fold.train.tolist() == [0, 2, 3, 5]
    (fold,) = class_folds(stimuli, concepts, "images", rng)
    assert fold.test.tolist() == fold.train.tolist() == [0, 2, 3, 5]


def test_too_few_classes_to_fit_on_are_refused(rng):
    concepts = ("c0", "c1", "c2")
    stimuli = synthetic_stimuli(concepts, test=1, train=1, held_out=("c1", "c2"))
    with pytest.raises(NotPossible, match="fewer than two classes"):
        class_folds(stimuli, concepts, "classes", rng)


def test_classes_are_those_that_ridge_of_scikit_learn_predicts_from_other_images(rng):
    stimuli = synthetic_stimuli(tuple("abcd"), test=7)
    true = np.array([stimuli.concept_ids.index(concept) for concept in stimuli.concepts])
    features = np.eye(4)[true] @ rng.standard_normal((4, 6)) + rng.standard_normal((28, 6))
    fold = np.concatenate([np.arange(7) % 5] * 4)
    order = np.concatenate([sorted(np.flatnonzero(true == c), key=stimuli.ids.__getitem__) for c in range(4)])
    expected = np.empty(28, dtype=int)
    for number in range(5):
        fitted, shown = order[fold != number], order[fold == number]
        mean, deviation = features[fitted].mean(axis=0), features[fitted].std(axis=0) * np.sqrt(6)
        scaled = (features - mean) / deviation
        # scikit-learn leaves each row out too
        ridge = RidgeCV(ALPHAS).fit(scaled[fitted], np.eye(4)[true[fitted]])
        expected[shown] = ridge.predict(scaled[shown]).argmax(axis=1)
    found = read_classes(features, stimuli)
    assert found.class_ids == stimuli.concept_ids
    assert found.probabilities.argmax(axis=1).tolist() == expected.tolist()
    assert 0.3 < (expected == true).mean() < 1


def test_an_image_is_not_among_those_that_its_own_readout_is_fitted_on():
    # each image has a feature of its own: a readout that had seen it would name it
    stimuli = synthetic_stimuli(tuple("abc"), test=5)
    true = np.array([stimuli.concept_ids.index(concept) for concept in stimuli.concepts])
    assert (read_classes(np.eye(15), stimuli).probabilities.argmax(axis=1) == true).mean() <= 1 / 3


def test_images_to_train_on_are_neither_read_nor_fitted(rng):
    stimuli = synthetic_stimuli(tuple("ab"), test=3, train=2)
    test = np.array([split == "test" for split in stimuli.splits])
    features = rng.standard_normal((10, 4))
    found = read_classes(features, stimuli).probabilities
    assert (found[~test] == 0.5).all()
    changed = np.where(test[:, None], features, 9.0)
    np.testing.assert_array_equal(read_classes(changed, stimuli).probabilities, found)


def test_a_readout_of_classes_needs_two_test_images_of_each_concept():
    assert can_read_classes(synthetic_stimuli(tuple("ab"), test=2))
    assert not can_read_classes(synthetic_stimuli(tuple("ab"), test=1, train=4))
