"""Banded ridge: a dense oracle with a penalty a band, copies and constants; PLS with many channels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV

from benchmark.measures import HeldOutPLS, banded_ridge
from benchmark.measures.banded import MIXES
from benchmark.measures.ridge import SHARES

N = 48
FOLDS = np.arange(N) % 4


def world(d: int = 5, e: int = 7, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(N, d)), 20 * rng.normal(size=(N, e))
    y = first @ rng.normal(size=(d, 4)) + second @ rng.normal(size=(e, 4)) * [0, 0.01, 0.05, 0.2]
    return first, second, y + rng.normal(size=y.shape)


def oracle(first: np.ndarray, second: np.ndarray, y: np.ndarray) -> np.ndarray:
    """RidgeCV on scaled columns for every mix; the best leave-one-out error of each channel."""
    one, other = ((x - x.mean(axis=0)) / np.linalg.norm(x - x.mean(axis=0)) for x in (first, second))
    predicted = np.empty_like(y)
    for fold in range(4):
        train, test = fold != FOLDS, fold == FOLDS
        fits = []
        for mix in MIXES:
            x = np.hstack([np.sqrt(mix) * one, np.sqrt(1 - mix) * other])
            total = ((x[train] - x[train].mean(axis=0)) ** 2).sum()
            ridge = RidgeCV(total * SHARES, alpha_per_target=True).fit(x[train], y[train])
            fits.append((ridge.best_score_, ridge.predict(x[test])))
        for c, best in enumerate(np.argmax([score for score, _ in fits], axis=0)):
            predicted[test, c] = fits[best][1][:, c]
    return predicted


@pytest.mark.parametrize(("d", "e"), [(5, 7), (5, 300), (200, 300)])
def test_is_that_of_a_dense_oracle(d, e):
    first, second, y = world(d, e)
    found = banded_ridge(first, second, y, FOLDS)
    np.testing.assert_allclose(found.both, oracle(first, second, y), atol=1e-6)
    np.testing.assert_allclose(found.second, oracle(second, second, y), atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 100), st.floats(-5, 5), st.integers(0, 100))
def test_the_scale_of_a_band_does_not_matter(scale, shift, seed):
    first, second, y = world(seed=seed)
    found = banded_ridge(first, second, y, FOLDS)
    again = banded_ridge(scale * first + shift, second, y, FOLDS)
    np.testing.assert_allclose(again.both, found.both, atol=1e-6)


def test_a_copy_of_the_second_band_adds_nothing():
    _, second, y = world()
    found = banded_ridge(3 * second[:, ::-1] + 1, second, y, FOLDS)
    np.testing.assert_allclose(found.both, found.second, atol=1e-6)


@pytest.mark.parametrize(
    ("first", "mixes", "said"),
    [
        (np.ones((N, 3)), MIXES, "first has constant features"),
        (world()[0][1:], MIXES, "first has 47 rows and second 48"),
        (world()[0], [0.0, 0.5], "expected shares that rise from 0 to 1"),
    ],
)
def test_says_what_is_wrong(first, mixes, said):
    _, second, y = world()
    with pytest.raises(ValueError, match=said):
        banded_ridge(first, second, y, FOLDS, mixes=mixes)


def test_partial_least_squares_of_more_channels_than_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 6))
    y = x @ rng.normal(size=(6, 90)) + rng.normal(size=(N, 90))
    found = HeldOutPLS(x, FOLDS, 3).predict(y)
    for fold in range(4):
        train, test = fold != FOLDS, fold == FOLDS
        peer = PLSRegression(3, scale=False, tol=1e-26, max_iter=100_000).fit(x[train], y[train])
        np.testing.assert_allclose(found[test], peer.predict(x[test]), atol=1e-8)
