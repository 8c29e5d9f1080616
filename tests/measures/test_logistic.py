"""Logistic regressions of many labels: against scikit-learn, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from benchmark.measures import BalancedLogistic

SHAPES = st.sampled_from([(12, 30), (40, 6), (20, 20)])


def drawn(seed: int, n: int, d: int, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features that are not centred, four labels (two of them rare), and the rows that take part."""
    rng = np.random.default_rng(seed)
    features = scale * (rng.standard_normal((n, d)) + rng.standard_normal(d))
    labels = features @ rng.standard_normal((d, 4)) + scale * rng.standard_normal((n, 4)) > 0
    labels[:, 2:] &= rng.random((n, 2)) < 0.2
    train = rng.random((n, 4)) < 0.8
    labels[:2], train[:2] = np.array([[True], [False]]), True
    return features, labels, train


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), SHAPES, st.sampled_from([0.1, 1, 5]))
def test_coefficients_are_those_of_scikit_learn(seed, shape, scale):
    features, labels, train = drawn(seed, *shape, scale)
    fits = BalancedLogistic(features).fit(labels, train)
    for j in range(4):
        rows = train[:, j]
        theirs = LogisticRegression(class_weight="balanced", solver="newton-cholesky", tol=1e-10)
        theirs.fit(features[rows], labels[rows, j])
        np.testing.assert_allclose(fits.coefficients[:, j], theirs.coef_[0], atol=1e-4)
        np.testing.assert_allclose(fits.decisions[:, j], theirs.decision_function(features), atol=1e-2)


def test_decisions_are_those_of_the_coefficients_for_rows_left_out_too():
    features, labels, train = drawn(1, 30, 8, 1.0)
    solver = BalancedLogistic(features)
    fits = solver.fit(labels, train)
    np.testing.assert_allclose(features @ fits.coefficients + fits.intercepts, fits.decisions, atol=1e-9)
    np.testing.assert_array_equal(solver.decisions(labels, train), fits.decisions)


def test_a_label_does_not_depend_on_the_others():
    features, labels, _ = drawn(2, 30, 8, 1.0)
    many = np.tile(labels, (1, 200))
    together = BalancedLogistic(features).fit(many)
    alone = BalancedLogistic(features).fit(labels[:, :1])
    np.testing.assert_allclose(together.coefficients[:, ::4], np.tile(alone.coefficients, 200), atol=1e-4)


@pytest.mark.parametrize(
    ("features", "labels", "why"),
    [
        (np.ones((4, 3)), np.eye(4, 2), "constant features"),
        (np.full((4, 3), np.nan), np.eye(4, 2), "finite"),
        (np.eye(4), np.ones((4, 1)), "label 0 has 4 of 4 rows: one class"),
        (np.eye(4), np.zeros((3, 1)), "shape"),
    ],
)
def test_what_is_refused(features, labels, why):
    with pytest.raises(ValueError, match=why):
        BalancedLogistic(features).fit(labels)


def test_a_label_that_features_say_nothing_about_stays_at_zero():
    """Both classes have the same mean, so the gradient is zero at the start, beside labels that go on."""
    features = np.tile([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], (3, 1))
    opposite = np.tile([True, False, False, True], 3)[:, None]
    others = np.random.default_rng(0).random((12, 9)) < 0.5
    decisions = BalancedLogistic(features).decisions(np.hstack([opposite, others]))
    np.testing.assert_array_equal(decisions[:, 0], 0)
    np.testing.assert_allclose(decisions[:, 1:], BalancedLogistic(features).decisions(others), atol=1e-3)
    assert np.isfinite(decisions).all()


def test_many_items_are_fitted_without_the_products_of_every_two(monkeypatch):
    features, labels, train = drawn(0, 80, 30, 1.0)
    few = BalancedLogistic(features).fit(labels, train)
    monkeypatch.setattr("benchmark.measures.logistic._MOST_ITEMS", 10)
    many = BalancedLogistic(features).fit(labels, train)
    np.testing.assert_allclose(many.coefficients, few.coefficients, atol=1e-4)
