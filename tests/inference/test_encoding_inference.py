"""Correlations of held-out predictions: against numpy with copies, and the calibration of their tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.inference import (
    FoldedPredictions,
    encoding_interval,
    encoding_statistic,
    permutation_test_encoding,
)


def folded(seed, n=48, c=4, k=12, noise=1.0):
    rng = np.random.default_rng(seed)
    measured = rng.normal(size=(n, c)) + 5
    predicted = measured + noise * rng.normal(size=(n, c))
    concepts = np.arange(n) % k
    return FoldedPredictions(predicted, measured, concepts % 2, concepts)


def by_numpy(f, counts):
    """Each stimulus as often as its concept was drawn."""
    rows = np.repeat(np.arange(len(f.folds)), counts[f.concepts])
    found = []
    for fold in np.unique(f.folds):
        of = rows[f.folds[rows] == fold]
        pairs = zip(f.predicted[of].T, f.measured[of].T, strict=True)
        found.append([np.corrcoef(p, y)[0, 1] for p, y in pairs])
    return np.mean(found, axis=0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_weights_are_copies(seed):
    f = folded(seed)
    counts = np.random.default_rng(seed).integers(1, 4, size=12)
    expected = by_numpy(f, counts)
    np.testing.assert_allclose(f.correlations(counts[None].astype(float))[0], expected, atol=1e-10)
    assert encoding_statistic(f)(counts[None].astype(float))[0] == pytest.approx(np.median(expected))
    ceilings = np.array([0.5, 0.9, np.nan, 0.7])
    normalised = encoding_statistic(f, ceilings)(counts[None].astype(float))[0]
    assert normalised == pytest.approx(np.nanmedian(expected / ceilings))


def test_a_fold_with_fewer_than_three_concepts_takes_no_part():
    f = folded(0)
    weights = np.ones((1, 12))
    weights[0, [1, 3, 5, 7]] = 0  # two concepts of the second fold are left
    first = by_numpy(
        FoldedPredictions(f.predicted, f.measured, 0 * f.folds, f.concepts), np.arange(12) % 2 == 0
    )
    np.testing.assert_allclose(f.correlations(weights)[0], first)
    assert np.isnan(f.correlations(np.eye(12)[:1])).all()


def test_a_channel_without_variance_is_undefined():
    f = folded(0)
    f.predicted[:, 1] = 3.0
    assert np.isnan(f.correlations(np.ones((1, 12)))[0, 1])
    assert np.isfinite(encoding_statistic(f)(np.ones((1, 12)))).all()
    assert np.isfinite(permutation_test_encoding(f, 9, 0).score)


def test_without_any_variance_neither_score_nor_p_is_defined():
    f = folded(0)
    f.predicted[:] = 3.0
    test = permutation_test_encoding(f, 9, 0)
    assert np.isnan(test.score)
    assert np.isnan(test.p)


def test_permutation_starts_from_the_score_and_keeps_concepts_together():
    f = folded(1)
    test = permutation_test_encoding(f, 99, 0)
    assert test.score == pytest.approx(encoding_statistic(f)(np.ones((1, 12)))[0])
    assert test.p == 0.01
    same = FoldedPredictions(
        np.eye(12)[f.concepts], np.eye(12)[f.concepts], f.folds, f.concepts
    )  # every image of a concept is the same: permuted concepts keep that
    null = permutation_test_encoding(same, 20, 0).null
    steps = np.unique(np.round(null, 10))
    assert len(steps) <= 7, "a channel is right or wrong as a whole"


def test_unequal_numbers_of_images():
    rng = np.random.default_rng(5)
    concepts = np.repeat(np.arange(8), [1, 2, 3, 4, 1, 2, 3, 4])
    measured = rng.normal(size=(20, 3))
    f = FoldedPredictions(measured + rng.normal(size=(20, 3)), measured, concepts // 4, concepts)
    test = permutation_test_encoding(f, 200, 0)
    assert abs(test.chance) < 0.1
    assert test.p < 0.1


@pytest.mark.slow
def test_noise_has_false_alarms_in_range():
    """Five per cent of 400 tests of noise, images of a concept alike: the binomial 99.9 % range."""
    alarms = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        predicted, measured = (rng.normal(size=(12, 5)).repeat(3, axis=0) for _ in range(2))
        concepts = np.repeat(np.arange(12), 3)
        f = FoldedPredictions(predicted, measured, concepts % 2, concepts)
        alarms += permutation_test_encoding(f, 99, seed).p <= 0.05
    assert 8 <= alarms <= 36


def test_interval_over_channels_is_wider():
    rng = np.random.default_rng(0)
    measured = rng.normal(size=(200, 15))
    predicted = measured + np.linspace(0.1, 4, 15) * rng.normal(size=(200, 15))
    f = FoldedPredictions(predicted, measured, np.arange(200) % 2, np.arange(200))
    low, high = encoding_interval(f, 400, 0)
    weights = rng.multinomial(200, np.full(200, 1 / 200), size=400).astype(float)
    plain = np.percentile(encoding_statistic(f)(weights), [2.5, 97.5])
    assert low < plain[0] < plain[1] < high


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        FoldedPredictions(np.ones((4, 2)), np.ones((4, 3)), np.zeros(4), np.zeros(4))
    with pytest.raises(ValueError, match="one permutation"):
        permutation_test_encoding(folded(0), 0, 0)
