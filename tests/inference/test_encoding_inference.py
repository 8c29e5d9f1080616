"""Correlations of held-out predictions: against numpy with copies, and the calibration of their tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.inference import (
    FoldedPredictions,
    encoding_interval,
    encoding_statistic,
    permutation_test_encoding,
)
from benchmark.measures import HeldOutRidge


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


def test_parts_of_the_channels_give_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    features, concepts = rng.normal(size=(48, 3)), np.arange(48) // 4
    folds = concepts % 3
    measured = features @ rng.normal(size=(3, 5)) + rng.normal(size=(48, 5))
    ridge, widths = HeldOutRidge(features, folds), []

    def predict(responses):
        widths.append(responses.shape[1])
        return ridge.predict(responses)[0]

    def found(**options):
        f = FoldedPredictions(predict(measured), measured, folds, concepts)
        weights = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=7).astype(float)
        null = permutation_test_encoding(predict, f, 4, 0, **options).null
        return f.of_channels, f.correlations(weights), encoding_statistic(f)(weights), null

    whole, in_parts = found(), []
    for held in (5 * 48, 2 * 48):  # one channel at a time, and for permutations several
        monkeypatch.setattr("benchmark.inference.encoding._HELD", held)
        in_parts.append(found())
    assert widths[-1] == 1
    assert 2 in widths
    widths.clear()
    together = found(together=True)
    assert set(widths) == {5}
    for other in (*in_parts, together):
        for one, same in zip(whole, other, strict=True):
            np.testing.assert_allclose(one, same, atol=1e-12)


def refitted(features, measured, folds, concepts, n=39, seed=0):
    """The test of predictions by ridge."""
    ridge = HeldOutRidge(features, folds, concepts)
    f = FoldedPredictions(ridge.predict(measured)[0], measured, folds, concepts)
    return permutation_test_encoding(lambda y: ridge.predict(y)[0], f, n, seed), f


def test_without_any_variance_neither_score_nor_p_is_defined():
    f = folded(0)
    f.predicted[:] = 3.0
    test = permutation_test_encoding(np.zeros_like, f, 9, 0)
    assert np.isnan(test.score)
    assert np.isnan(test.p)


def test_permuted_responses_are_predicted_anew_and_keep_concepts_together():
    rng = np.random.default_rng(1)
    concepts = np.repeat(np.arange(20), [1, 3] * 10)
    features = rng.normal(size=(40, 4))
    measured = features @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(40, 3))
    seen = []

    def predict(y):
        seen.append(y)
        return y

    f = FoldedPredictions(measured, measured, concepts % 2, concepts)
    assert permutation_test_encoding(predict, f, 30, 0).null == pytest.approx(np.ones(30))
    given = np.hstack(seen)
    assert given.shape == (40, 90)
    starts = np.flatnonzero(np.diff(concepts, prepend=-1))
    for k in range(30):
        rows = [np.flatnonzero((measured == row).all(axis=1)).item() for row in given[:, 3 * k : 3 * k + 3]]
        assert sorted(rows) == list(range(40))
        assert all(r in starts for r, before in zip(rows, [-2, *rows], strict=False) if r != before + 1)
    test, f = refitted(features, measured, concepts % 2, concepts)
    assert test.score == pytest.approx(encoding_statistic(f)(np.ones((1, 20)))[0])
    assert test.p < 1e-4
    t = (test.score - test.null.mean()) / (test.null.std(ddof=1) * np.sqrt(1 + 1 / 39))
    assert test.p == pytest.approx(stats.t.sf(t, 38))


@pytest.mark.slow
def test_noise_has_false_alarms_in_range():
    """Five per cent of 400 tests of noise that ridge predicts across folds: the binomial 99.9 % range."""
    alarms = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        features, measured = (rng.normal(size=(40, d)) for d in (6, 8))
        test, _ = refitted(features, measured, rng.permutation(40) % 5, np.arange(40), n=20, seed=seed)
        alarms += test.p <= 0.05
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
    with pytest.raises(ValueError, match="two permutations"):
        permutation_test_encoding(np.zeros_like, folded(0), 1, 0)
