"""RBF CKA and the CCA family against independent formulas, their invariances and their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh, sqrtm
from scipy.spatial.distance import pdist, squareform
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA
from sklearn.gaussian_process.kernels import RBF

from benchmark.measures import classical_mds, linear_cka, mean_cca, pwcca, rbf_cka, rbf_kernel, rdm, svcca

seeds = st.integers(0, 10**6)
CCAS = {"cca": mean_cca, "svcca": svcca, "pwcca": pwcca}
MEASURES = {
    **CCAS,
    "rbf": rbf_cka,
    "debiased rbf": lambda x, y: rbf_cka(x, y, debiased=True),
}


def spaces(seed: int, n: int = 60, p: int = 5, q: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Two spaces that share something, with columns of unequal variance."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * np.geomspace(3, 0.3, p)
    return x + 2, x @ rng.normal(size=(p, q)) + 2 * rng.normal(size=(n, q))


def rotation(seed: int, d: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Canonical correlations as Hotelling wrote them: roots of a generalised eigenvalue problem."""
    covariance = np.cov(np.hstack([x, y]).T)
    p = x.shape[1]
    xx, xy, yy = covariance[:p, :p], covariance[:p, p:], covariance[p:, p:]
    roots = eigh(xy @ np.linalg.solve(yy, xy.T), xx, eigvals_only=True)[::-1]
    return np.sqrt(np.clip(roots, 0, None))[: min(x.shape[1], y.shape[1])]


@given(seed=seeds)
def test_mean_cca_is_the_mean_of_the_roots_of_hotelling(seed: int) -> None:
    x, y = spaces(seed)
    assert mean_cca(x, y) == pytest.approx(correlations(x, y).mean(), abs=1e-9)


def test_mean_cca_is_that_of_scikit_learn() -> None:
    x, y = spaces(0)
    fitted = CCA(n_components=5, max_iter=20_000, tol=1e-12).fit(x, y)
    scores = fitted.transform(x, y)
    found = [np.corrcoef(a, b)[0, 1] for a, b in zip(*(s.T for s in scores), strict=True)]
    assert mean_cca(x, y) == pytest.approx(np.mean(found), abs=1e-6)


@given(seed=seeds)
def test_svcca_is_cca_after_the_components_of_scikit_learn(seed: int) -> None:
    x, y = spaces(seed, p=9, q=10)
    x[:, -2:] *= 1e-3
    reduced = [PCA(n_components=0.99, svd_solver="full").fit_transform(space) for space in (x, y)]
    assert reduced[0].shape[1] < 9
    assert svcca(x, y) == pytest.approx(correlations(*reduced).mean(), abs=1e-9)


@given(seed=seeds)
def test_pwcca_is_its_formula_with_roots_of_covariances(seed: int) -> None:
    x, y = spaces(seed)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    root_x, root_y = (np.real(np.linalg.inv(sqrtm(space.T @ space))) for space in (x, y))
    left, rho, _ = np.linalg.svd(root_x @ x.T @ y @ root_y, full_matrices=False)
    variates = x @ root_x @ left
    weights = np.array([sum(abs(h @ column) for column in x.T) for h in variates.T])
    assert pwcca(x, y) == pytest.approx((weights * rho).sum() / weights.sum(), abs=1e-9)


def hsic(k: np.ndarray, l: np.ndarray, *, debiased: bool) -> float:  # noqa: E741
    """The sums over distinct conditions of Song et al. (2012), or the trace of Gretton et al. (2005)."""
    n = len(k)
    if not debiased:
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ l @ h)
    total = 0.0
    for i in range(n):
        for j in set(range(n)) - {i}:
            total += k[i, j] * l[i, j] / (n * (n - 1))
            for q in set(range(n)) - {i, j}:
                total -= 2 * k[i, j] * l[i, q] / (n * (n - 1) * (n - 2))
                for r in set(range(n)) - {i, j, q}:
                    total += k[i, j] * l[q, r] / (n * (n - 1) * (n - 2) * (n - 3))
    return total


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("bandwidth", [0.2, 0.8])
def test_rbf_cka_is_its_definition(debiased: bool, bandwidth: float) -> None:
    x, y = spaces(1, n=8)
    k, l = (RBF(bandwidth * np.median(pdist(space)))(space) for space in (x, y))  # noqa: E741
    np.testing.assert_allclose(rbf_kernel(x, bandwidth), k, atol=1e-12)
    expected = hsic(k, l, debiased=debiased) / np.sqrt(
        hsic(k, k, debiased=debiased) * hsic(l, l, debiased=debiased)
    )
    assert rbf_cka(x, y, bandwidth=bandwidth, debiased=debiased) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("debiased", [False, True])
def test_rbf_cka_of_a_wide_kernel_is_the_linear_one(debiased: bool) -> None:
    x, y = spaces(2)
    expected = linear_cka(x, y, debiased=debiased)
    assert rbf_cka(x, y, bandwidth=300, debiased=debiased) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("measure", MEASURES)
@given(seed=seeds)
def test_what_every_measure_disregards(measure: str, seed: int) -> None:
    value = MEASURES[measure]
    x, y = spaces(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    turned = -3 * y @ rotation(seed, y.shape[1]) + 7
    found = value(x, y)
    assert value(x[order], y[order]) == pytest.approx(found, abs=1e-9)
    assert value(x, turned) == pytest.approx(found, abs=1e-9)
    assert value(5 * x[:, ::-1] - 1, y) == pytest.approx(found, abs=1e-9)
    assert value(x, x) == pytest.approx(1, abs=1e-9)
    assert found < 1


@pytest.mark.parametrize("measure", ["cca", "svcca", "rbf", "debiased rbf"])
@given(seed=seeds)
def test_symmetric_measures(measure: str, seed: int) -> None:
    x, y = spaces(seed)
    value = MEASURES[measure]
    assert value(x, y) == pytest.approx(value(y, x), abs=1e-10)
    assert value(x @ rotation(seed, x.shape[1]), y) == pytest.approx(value(x, y), abs=1e-9)


@given(seed=seeds)
def test_which_measures_disregard_an_invertible_map(seed: int) -> None:
    x, y = spaces(seed)
    rng = np.random.default_rng(seed)
    mapped = y @ (rotation(seed, 8) * np.geomspace(1, 20, 8)) @ rotation(int(rng.integers(10**6)), 8)
    assert mean_cca(x, mapped) == pytest.approx(mean_cca(x, y), abs=1e-8)
    assert pwcca(x, mapped) == pytest.approx(pwcca(x, y), abs=1e-8)
    assert abs(pwcca(mapped, x) - pwcca(y, x)) > 1e-6
    assert abs(rbf_cka(x, mapped) - rbf_cka(x, y)) > 1e-6


@pytest.mark.parametrize("measure", CCAS)
def test_cca_of_too_few_conditions_is_undefined(measure: str) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 13, 6))
    assert CCAS[measure](x, y) < 1
    with pytest.raises(ValueError, match=r"12 conditions for 6 \+ 6 dimensions: some .* are 1 for any data"):
        CCAS[measure](x[:12], y[:12])
    with pytest.raises(ValueError, match="CCA is undefined"):
        CCAS[measure](x[:6], y[:6])


def test_at_the_limit_a_correlation_is_one_for_independent_spaces() -> None:
    """Why the limit is where it is: one condition less, and independent spaces share a direction."""
    x, y = np.random.default_rng(3).normal(size=(2, 13, 6))
    assert correlations(x, y)[0] < 1 - 1e-6
    assert correlations(x[:12], y[:12])[0] == pytest.approx(1, abs=1e-9)


def test_directions_that_are_rounding_of_float32_are_no_dimensions() -> None:
    x, y = spaces(4, p=4, q=4)
    doubled = np.hstack([x, x]).astype(np.float32)  # rank 4, up to rounding
    turned = (doubled @ rotation(0, 8).astype(np.float32)).astype(np.float32)
    assert mean_cca(turned, y) == pytest.approx(mean_cca(x, y), abs=1e-4)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((10, 3)), "same|zero"),
        (np.full((10, 3), np.nan), "not finite in rows 0, 1"),
        (np.ones((9, 3)), r"shapes \(9, 3\) and \(10, 3\): expected the same conditions"),
        (np.ones(10), r"\(10,\)"),
    ],
)
def test_bad_arguments(measure: str, x: np.ndarray, message: str) -> None:
    y = np.random.default_rng(0).normal(size=(10, 3))
    with pytest.raises(ValueError, match=message):
        MEASURES[measure](x, y)


def test_bad_options() -> None:
    x, y = spaces(0)
    with pytest.raises(ValueError, match="bandwidth is 0"):
        rbf_cka(x, y, bandwidth=0)
    with pytest.raises(ValueError, match=r"variance is 1\.5"):
        svcca(x, y, variance=1.5)
    with pytest.raises(ValueError, match="x and y have 2 rows"):
        mean_cca(x[:2], y[:2])
    mostly_one = np.zeros((10, 3))
    mostly_one[:2] = np.eye(3)[:2]
    with pytest.raises(ValueError, match="median distance of zero"):
        rbf_kernel(mostly_one)


@given(seed=seeds, k=st.integers(1, 4))
def test_mds_gives_the_distances_of_points_back(seed: int, k: int) -> None:
    points = np.random.default_rng(seed).normal(size=(7, k))
    found = classical_mds(squareform(pdist(points)), k)
    np.testing.assert_allclose(pdist(found.points), pdist(points), atol=1e-9)
    assert found.explained == pytest.approx(1)
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-10)


def test_mds_of_too_few_axes_is_that_of_principal_components() -> None:
    points = np.random.default_rng(0).normal(size=(9, 5))
    fitted = PCA(2).fit(points)
    found = classical_mds(rdm(points, "euclidean"))
    np.testing.assert_allclose(np.abs(found.points), np.abs(fitted.transform(points)), atol=1e-9)
    assert found.explained == pytest.approx(fitted.explained_variance_ratio_.sum())
    with pytest.raises(ValueError, match="k is 10: expected 1 to 9 axes"):
        classical_mds(rdm(points, "euclidean"), 10)
