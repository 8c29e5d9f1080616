"""Ridge of many channels: against scikit-learn, and against fits that leave out row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge, RidgeCV

from benchmark.measures import cross_validated_ridge, ridge_predictions
from benchmark.measures.ridge import SHARES

ALPHAS = np.logspace(-2, 4, 7)


def world(seed, n=40, d=12, c=5, noise=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.gamma(1.0, size=d) + 3
    return x, x @ rng.normal(size=(d, c)) + noise * rng.normal(size=(n, c)) + 7


@pytest.mark.parametrize("d", [12, 39, 40, 200], ids=["more rows", "one row more", "square", "more features"])
def test_agrees_with_scikit_learn(d):
    x, y = world(0, d=d, noise=5.0)
    found = ridge_predictions(x[:30], y[:30], x[30:], ALPHAS)
    oracle = RidgeCV(ALPHAS, alpha_per_target=True).fit(x[:30], y[:30])
    assert found.alphas.tolist() == oracle.alpha_.tolist()
    np.testing.assert_allclose(found.predicted, oracle.predict(x[30:]), rtol=1e-8, atol=1e-8)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), d=st.integers(2, 30), size=st.integers(1, 4))
def test_error_is_that_of_fits_without_each_group(seed, d, size):
    x, y = world(seed, n=24, d=d, c=2)
    groups = np.random.default_rng(seed).permutation(np.arange(24) // size)
    found = ridge_predictions(x, y, x[:1], [0.5, 50.0], groups)
    for alpha, errors in zip([0.5, 50.0], found.errors, strict=True):
        left = np.empty_like(y)
        for group in np.unique(groups):
            out = groups == group
            left[out] = y[out] - Ridge(alpha).fit(x[~out], y[~out]).predict(x[out])
        np.testing.assert_allclose(errors, (left**2).mean(axis=0), rtol=1e-6)


def test_groups_of_different_sizes():
    x, y = world(3, n=24)
    groups = np.repeat([0, 1, 2, 3], [1, 5, 8, 10])
    found = ridge_predictions(x, y, x, [2.0], groups)
    left = np.concatenate(
        [
            y[groups == g] - Ridge(2.0).fit(x[groups != g], y[groups != g]).predict(x[groups == g])
            for g in range(4)
        ]
    )
    np.testing.assert_allclose(found.errors[0], (left**2).mean(axis=0), rtol=1e-8)


@pytest.mark.parametrize("d", [10, 150], ids=["features", "kernel"])
def test_folds_are_fits_on_the_other_folds(d):
    x, y = world(1, n=60, d=d, noise=3.0)
    folds = np.random.default_rng(0).integers(4, size=60)
    predicted, chosen = cross_validated_ridge(x, y, folds)
    for fold in range(4):
        train, test = folds != fold, folds == fold
        total = ((x[train] - x[train].mean(axis=0)) ** 2).sum()
        oracle = RidgeCV(total * SHARES, alpha_per_target=True).fit(x[train], y[train])
        np.testing.assert_allclose(chosen[fold], oracle.alpha_ / total, rtol=1e-9)
        np.testing.assert_allclose(predicted[test], oracle.predict(x[test]), rtol=1e-6, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), d=st.integers(3, 60))
def test_scale_level_and_order_of_features_do_not_count(seed, scale, d):
    x, y = world(seed, d=d)
    folds = np.arange(40) % 5
    order = np.random.default_rng(seed).permutation(d)
    predicted, chosen = cross_validated_ridge(x, y, folds)
    again, chosen_again = cross_validated_ridge(scale * x[:, order] - 2 * scale, y, folds)
    np.testing.assert_allclose(chosen_again, chosen, rtol=1e-6)
    np.testing.assert_allclose(again, predicted, rtol=1e-5, atol=1e-5)


def test_a_channel_does_not_depend_on_the_others(monkeypatch):
    x, y = world(2, d=60)
    folds = np.arange(40) % 5
    together, _ = cross_validated_ridge(x, y, folds)
    monkeypatch.setattr("benchmark.measures.ridge._HELD", 80)  # blocks of two channels
    in_blocks, _ = cross_validated_ridge(x, y, folds)
    np.testing.assert_allclose(in_blocks, together, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: ridge_predictions(x, y[:-1], x, ALPHAS), "expected"),
        (lambda x, y: ridge_predictions(x, y, x[:, 1:], ALPHAS), "expected"),
        (lambda x, y: ridge_predictions(x[:1], y[:1], x, ALPHAS), "at least two"),
        (lambda x, y: ridge_predictions(x, y, x, [0.0, 1.0]), "greater than zero"),
        (lambda x, y: ridge_predictions(x, y, x, ALPHAS, np.zeros(40)), "two groups"),
        (lambda x, y: ridge_predictions(0 * x + 2, y, x, ALPHAS), "constant features"),
        (lambda x, y: cross_validated_ridge(x, y, np.zeros(40)), "two folds"),
        (
            lambda x, y: cross_validated_ridge(np.tile(2.0, (40, 90)), y, np.arange(40) % 5),
            "constant features",
        ),
        (
            lambda x, y: cross_validated_ridge(np.tile(2.0, (40, 3)), y, np.arange(40) % 5),
            "constant features",
        ),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(*world(0))
