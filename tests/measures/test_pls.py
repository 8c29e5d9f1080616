"""Partial least squares beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from benchmark.measures import HeldOutPLS, pls_predictions


@pytest.mark.parametrize(("n", "d", "c", "components"), [(60, 8, 3, 5), (40, 150, 12, 10), (50, 30, 1, 4)])
def test_predictions_are_those_of_scikit_learn(n, d, c, components):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, d)) * rng.gamma(1, size=d) + 3
    y = x @ rng.normal(size=(d, c)) / np.sqrt(d) + rng.normal(size=(n, c)) * np.arange(1, c + 1) + 5
    folds = np.arange(n) % 4
    found = HeldOutPLS(x, folds, components).predict(y)
    for fold in range(4):
        test = folds == fold
        pls = PLSRegression(components, scale=False, tol=1e-26, max_iter=100_000).fit(x[~test], y[~test])
        np.testing.assert_allclose(found[test], pls.predict(x[test]).reshape(-1, c), rtol=1e-6, atol=1e-6)


def test_more_components_than_there_are_change_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    x -= x.mean(axis=0)
    y = x @ rng.normal(size=(2, 3))
    two, nine = (pls_predictions(x @ x.T, y, x @ x.T, components) for components in (2, 9))
    np.testing.assert_allclose(nine, two, atol=1e-9)


def test_what_does_not_fit_is_refused():
    x, y = np.random.default_rng(0).normal(size=(12, 3)), np.ones((12, 2))
    with pytest.raises(ValueError, match="components is 9, for 6 training rows"):
        HeldOutPLS(x, np.arange(12) % 2, 9)
    with pytest.raises(ValueError, match="two folds"):
        HeldOutPLS(x, np.zeros(12), 2)
    with pytest.raises(ValueError, match="constant features"):
        HeldOutPLS(np.ones((12, 3)), np.arange(12) % 2, 2)
    with pytest.raises(ValueError, match=r"expected \(n, n\)"):
        pls_predictions(x, y, x, 1)
    with pytest.raises(ValueError, match="expected one or more"):
        pls_predictions(x @ x.T, y, x @ x.T, 0)
