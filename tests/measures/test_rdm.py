"""RDMs against scipy and numpy, their invariances, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.spatial.distance import pdist, squareform

from benchmark.measures import rdm

METRICS = ["correlation", "cosine", "euclidean", "sqeuclidean"]


BY_PAIRS = ["cityblock", "chebyshev", "canberra", "braycurtis", "jensenshannon"]


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


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [1023, 1025, 2500])
def test_blocks_of_columns_change_nothing(metric: str, d: int) -> None:
    x = features(5, n=70, d=d)
    expected = squareform(pdist(x, metric))
    scale = expected.max()
    np.testing.assert_allclose(rdm(x, metric) / scale, expected / scale, rtol=0, atol=1e-10)
    np.testing.assert_allclose(rdm(np.asfortranarray(x), metric), rdm(x, metric), rtol=1e-12)


@pytest.mark.parametrize("mean", [1e6, -1e6])
def test_rows_with_a_large_mean_keep_their_digits(mean: float) -> None:
    x = np.random.default_rng(6).normal(size=(40, 3000))
    x[::2] *= 1e-3
    # What can be known of x + mean is what its rounding leaves.
    moved = x + mean
    exact = (moved.astype(np.longdouble) - mean).astype(np.float64)
    np.testing.assert_allclose(rdm(moved), squareform(pdist(exact, "correlation")), rtol=0, atol=1e-10)
    narrow = (x[:, :2048] + 100).astype(np.float32)
    exact = narrow.astype(np.float64)
    np.testing.assert_allclose(rdm(narrow), squareform(pdist(exact, "correlation")), rtol=0, atol=2e-5)


def test_first_block_unlike_the_others_keeps_its_digits() -> None:
    x = np.random.default_rng(7).normal(size=(30, 4000))
    x[:, :100] += 1e6
    np.testing.assert_allclose(rdm(x), squareform(pdist(x, "correlation")), rtol=0, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [2.0**-500, 2.0**500])
def test_size_does_not_matter(metric: str, scale: float) -> None:
    x = features(8)
    grows = {"euclidean": scale, "sqeuclidean": scale**2}.get(metric, 1)
    np.testing.assert_allclose(rdm(scale * x, metric), rdm(x, metric) * grows, rtol=1e-12)


@pytest.mark.parametrize("metric", BY_PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_dissimilarities_follow_their_formulas(metric: str, dtype: type) -> None:
    x = np.abs(features(9)).astype(dtype)
    x[:, 0] = 0
    a, b = x[:, None].astype(float), x[None].astype(float)
    gap, p, q = np.abs(a - b), a / a.sum(-1, keepdims=True), b / b.sum(-1, keepdims=True)
    middle = (p + q) / 2
    divergence = (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum(-1) / 2
    expected = {
        "cityblock": gap.sum(-1),
        "chebyshev": gap.max(-1),
        "canberra": np.divide(gap, a + b, where=a + b > 0, out=np.zeros_like(gap)).sum(-1),
        "braycurtis": gap.sum(-1) / (a + b).sum(-1),
        "jensenshannon": np.sqrt(np.maximum(divergence, 0)),
    }[metric]
    np.fill_diagonal(expected, 0)
    result = rdm(x, metric)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, rtol=2e-6 if dtype == np.float32 else 1e-12, atol=1e-7)


def test_where_other_dissimilarities_are_undefined() -> None:
    x = np.abs(features(10))
    copies = np.vstack([x, x * 3])
    assert np.isfinite(rdm(copies, "jensenshannon")).all()
    x[[1, 4]] = 0
    with pytest.raises(ValueError, match=r"jensenshannon undefined: .*rows 1, 4"):
        rdm(x, "jensenshannon")
    with pytest.raises(ValueError, match=r"braycurtis undefined: 0 / 0 for 1 pairs"):
        rdm(x, "braycurtis")
    with pytest.raises(ValueError, match=r"jensenshannon undefined: negative values"):
        rdm(features(10), "jensenshannon")


def noise_precision(d: int, seed: int = 0) -> np.ndarray:
    sample = np.random.default_rng(seed).normal(size=(3 * d, d))
    return np.linalg.inv(sample.T @ sample / len(sample))


def test_mahalanobis_is_euclidean_after_whitening() -> None:
    x, precision = features(9), noise_precision(7)
    whitened = x @ np.linalg.cholesky(precision)
    found = rdm(x, "mahalanobis", noise=precision)
    np.testing.assert_allclose(found, rdm(whitened, "sqeuclidean") / 7, atol=1e-10)


def test_crossnobis_equals_its_definition_and_is_unbiased() -> None:
    rng = np.random.default_rng(10)
    folds, precision = rng.normal(size=(3, 5, 7)), noise_precision(7)
    expected = np.zeros((5, 5))
    for f in range(3):
        one, others = folds[f], np.delete(folds, f, axis=0).mean(axis=0)
        for i in range(5):
            for j in range(5):
                expected[i, j] += (one[i] - one[j]) @ precision @ (others[i] - others[j]) / 7 / 3
    np.testing.assert_allclose(rdm(folds, "crossnobis", noise=precision), expected, atol=1e-10)
    at = np.triu_indices(5, 1)
    means = [rdm(rng.normal(size=(2, 5, 20)), "crossnobis", noise=np.eye(20))[at].mean() for _ in range(200)]
    assert abs(np.mean(means)) < 4 * np.std(means) / np.sqrt(200)


def test_more_than_ten_conditions_keep_their_order_in_rsatoolbox() -> None:
    x = features(11, n=25)
    np.testing.assert_allclose(rdm(x, "mahalanobis", noise=np.eye(7)), rdm(x, "sqeuclidean") / 7, atol=1e-10)


@pytest.mark.parametrize(
    "shape, metric, noise, message",
    [
        ((9, 4), "correlation", np.eye(4), "noise is given for metric 'correlation'"),
        ((9, 4), "mahalanobis", None, r"noise is None: mahalanobis needs .* shape \(4, 4\)"),
        ((9, 4), "mahalanobis", np.eye(3), r"noise has shape \(3, 3\): expected .* \(4, 4\)"),
        ((9, 4), "mahalanobis", -np.eye(4), "noise of shape .* is not positive definite"),
        ((9, 4), "mahalanobis", np.triu(np.ones((4, 4))), "noise of shape .* is not finite and symmetric"),
        ((2, 9, 4), "mahalanobis", np.eye(4), r"features has shape \(2, 9, 4\): mahalanobis needs \(n, d\)"),
        ((1, 9, 4), "crossnobis", np.eye(4), r"features has shape \(1, 9, 4\): crossnobis needs \(folds, n"),
        ((9, 4), "crossnobis", np.eye(4), r"features has shape \(9, 4\): crossnobis needs"),
        ((1, 4), "correlation", None, r"features has shape \(1, 4\): an RDM needs at least 2"),
        ((0, 4), "euclidean", None, r"features has shape \(0, 4\)"),
        ((4, 0), "cosine", None, r"features has shape \(4, 0\)"),
    ],
)
def test_shapes_and_noise_are_checked(
    shape: tuple[int, ...], metric: str, noise: np.ndarray | None, message: str
) -> None:
    x = np.random.default_rng(12).normal(size=shape)
    with pytest.raises(ValueError, match=message):
        rdm(x, metric, noise)


def test_what_leaves_the_range_is_refused() -> None:
    x = features(13).astype(np.float32)
    with pytest.raises(ValueError, match="squared distances are too great for float32"):
        rdm(x * np.float32(1e25), "sqeuclidean")
    assert np.isfinite(rdm(x * np.float32(1e25), "euclidean")).all()
    with pytest.raises(ValueError, match="too great for float64"):
        rdm(np.full((3, 4), 1.5e308) * np.array([1, 1, 1, -1]))
