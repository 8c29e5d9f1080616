"""RDMs against scipy and numpy, their invariances, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from benchmark.measures import rdm

METRICS = ["correlation", "cosine", "euclidean", "sqeuclidean"]


def features(seed: int, n: int = 12, d: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)) * 3 + 1


@pytest.mark.parametrize("metric", METRICS)
def test_equals_scipy(metric: str) -> None:
    x = features(0, n=40, d=60)
    np.testing.assert_allclose(rdm(x, metric), squareform(pdist(x, metric)), rtol=0, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_float32_stays_float32_and_close(metric: str) -> None:
    x = features(1, n=30, d=200).astype(np.float32)
    result = rdm(x, metric)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, squareform(pdist(x.astype(np.float64), metric)), rtol=2e-5, atol=2e-6)


def test_euclidean_keeps_its_digits_far_from_the_origin_and_for_near_copies() -> None:
    x = features(2)
    x[1] = x[0] + 1e-9 * x[2]
    moved = x + 1e3
    expected = squareform(pdist(moved))
    np.testing.assert_allclose(rdm(moved, "euclidean"), expected, rtol=1e-6)
    assert rdm(np.vstack([x, x]), "euclidean")[0, len(x)] == 0


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_is_an_rdm_and_follows_the_order_of_the_rows(metric: str, seed: int) -> None:
    x = features(seed)
    result = rdm(x, metric)
    assert (result == result.T).all()
    assert (np.diagonal(result) == 0).all()
    assert (result >= 0).all()
    order = np.random.default_rng(seed).permutation(len(x))
    np.testing.assert_allclose(rdm(x[order], metric), result[np.ix_(order, order)], atol=1e-10)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_invariances(seed: int) -> None:
    x = features(seed)
    rng = np.random.default_rng(seed)
    scale, shift = rng.uniform(0.1, 10, size=(len(x), 1)), rng.normal(size=(len(x), 1))
    rotation = np.linalg.qr(rng.normal(size=(x.shape[1], x.shape[1])))[0]
    np.testing.assert_allclose(rdm(x * scale + shift), rdm(x), atol=1e-9)
    np.testing.assert_allclose(rdm((x * scale) @ rotation, "cosine"), rdm(x, "cosine"), atol=1e-9)
    np.testing.assert_allclose(rdm(x @ rotation + 5, "euclidean"), rdm(x, "euclidean"), atol=1e-9)
    assert np.abs(rdm(x @ rotation) - rdm(x)).max() > 1e-3, "correlation is not invariant to rotation"


@pytest.mark.parametrize("value", [0.1, 1e6, -3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_features_are_refused_by_row(value: float, dtype: type) -> None:
    x = features(3, d=333).astype(dtype)
    x[[2, 5]] = value
    with pytest.raises(ValueError, match=r"constant features: correlation undefined .*rows 2, 5"):
        rdm(x)
    assert np.isfinite(rdm(x, "cosine")).all()
    x[4] = 0
    with pytest.raises(ValueError, match=r"cosine undefined.*row 4"):
        rdm(x, "cosine")


def test_nearly_constant_features_are_not_refused() -> None:
    x = features(4)
    x[0] = 1 + 1e-4 * x[0]
    np.testing.assert_allclose(rdm(x), squareform(pdist(x, "correlation")), atol=1e-9)


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.ones(4), r"features has shape \(4,\)"),
        (np.array([[1.0, 2], [np.nan, 1]]), "features of shape .* is not finite in row 1"),
    ],
)
def test_bad_input(bad: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rdm(bad)
    with pytest.raises(ValueError, match="metric is 'manhattan'"):
        rdm(features(0), "manhattan")
