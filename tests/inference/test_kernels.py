"""Debiased CKA of concept weights against the measure, least squares and drawn copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.inference import cka_statistic, u_centred
from benchmark.measures import linear_cka, rdm


def spaces(seed: int, n: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)) + 2
    return x, x @ rng.normal(size=(6, 9)) + 2 * rng.normal(size=(n, 9))


def by_least_squares(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """Weighted regression of each kernel on its conditions, then the weighted cosine of what is left."""
    i, j = np.triu_indices(len(w), 1)
    keep = w[i] * w[j] > 0
    i, j = i[keep], j[keep]
    root = np.sqrt(w[i] * w[j])
    design = np.zeros((len(i), len(w)))
    design[np.arange(len(i)), i] = design[np.arange(len(i)), j] = root
    left = []
    for space in (x, y):
        pairs = (space @ space.T)[i, j] * root
        left.append(pairs - design @ np.linalg.lstsq(design, pairs, rcond=None)[0])
    return float(left[0] @ left[1] / np.linalg.norm(left[0]) / np.linalg.norm(left[1]))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_with_all_weights_one_it_is_the_measure(seed: int) -> None:
    x, y = spaces(seed)
    expected = linear_cka(x, y, debiased=True)
    ones = np.ones((1, len(x)))
    assert cka_statistic(x @ x.T, [y @ y.T])(ones)[0] == pytest.approx(expected, abs=1e-10)
    # An RDM of squared distances holds the kernel.
    found = cka_statistic(x @ x.T, [-rdm(y, "sqeuclidean") / 2])(ones)[0]
    assert found == pytest.approx(expected, abs=1e-10)


def test_weights_are_weights_of_a_regression_and_zeros_leave_out() -> None:
    x, y = spaces(1)
    rng = np.random.default_rng(1)
    weights = np.vstack([rng.multinomial(14, np.full(14, 1 / 14), 5), np.r_[np.ones(9), np.zeros(5)]])
    found = cka_statistic(x @ x.T, [y @ y.T])(weights.astype(float))
    expected = [by_least_squares(x, y, w) for w in weights]
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert found[-1] == pytest.approx(linear_cka(x[:9], y[:9], debiased=True), abs=1e-10)
    # Five conditions have no weight in any draw of these: they are not read.
    halved = cka_statistic(x @ x.T, [y @ y.T])(weights[-1:].repeat(2, axis=0).astype(float))
    np.testing.assert_allclose(halved, found[-1], atol=1e-12)


def test_subjects_are_averaged() -> None:
    x, y = spaces(2)
    other = np.random.default_rng(3).normal(size=(14, 4))
    ones = np.ones((1, 14))
    kernels = [y @ y.T, other @ other.T]
    alone = [cka_statistic(x @ x.T, [kernel])(ones)[0] for kernel in kernels]
    assert cka_statistic(x @ x.T, kernels)(ones)[0] == pytest.approx(np.mean(alone))


def test_copies_of_a_concept_do_not_raise_the_score_of_noise() -> None:
    rng = np.random.default_rng(4)
    draws = []
    for _ in range(30):
        x, y = rng.normal(size=(2, 20, 100))
        weights = rng.multinomial(20, np.full(20, 1 / 20), 50).astype(float)
        draws.append(cka_statistic(x @ x.T, [y @ y.T])(weights).mean())
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))


def test_undefined_is_nan() -> None:
    x, y = spaces(5)
    statistic = cka_statistic(x @ x.T, [y @ y.T])
    three, half = np.zeros((2, 14))
    three[:3], half[:] = 5, 1
    half[0] = 13
    assert np.isnan(statistic(np.stack([three, half]))).all()
    assert np.isnan(cka_statistic(np.eye(14), [y @ y.T])(np.ones((1, 14)))).all()


def test_u_centred_sums_to_zero_and_bad_input_is_refused() -> None:
    x, y = spaces(6)
    found = u_centred(x @ x.T)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(u_centred(-rdm(x, "sqeuclidean") / 2), found, atol=1e-10)
    with pytest.raises(ValueError, match=r"kernel has shape \(3, 3\)"):
        u_centred(np.eye(3))
    with pytest.raises(ValueError, match="not finite"):
        u_centred(np.full((5, 5), np.nan))
    with pytest.raises(ValueError, match="expected the same conditions"):
        cka_statistic(x @ x.T, [y[:9] @ y[:9].T])
    with pytest.raises(ValueError, match="weights has shape"):
        cka_statistic(x @ x.T, [y @ y.T])(np.ones((2, 9)))
