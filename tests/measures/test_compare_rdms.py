"""RDM comparison against rsatoolbox and scipy, invariances, undefined cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.measures import compare_rdms, rdm
from benchmark.measures.compare import METHODS

RSATOOLBOX = {
    "pearson": "corr",
    "spearman": "spearman",
    "kendall": "tau-a",
    "rho-a": "rho-a",
    "cosine": "cosine",
    "corr_cov": "corr_cov",
    "cosine_cov": "cosine_cov",
}


def pair(seed: int, n: int = 9, levels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    a, b = rdm(x), rdm(x + rng.normal(size=x.shape))
    if levels:
        a, b = (np.round(m * levels) / levels for m in (a, b))
    return a, b


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 3])
def test_equals_rsatoolbox(method: str, levels: int | None) -> None:
    from rsatoolbox.rdm import RDMs, compare

    for seed in range(4):
        a, b = pair(seed, n=14, levels=levels)
        expected = compare(RDMs(a[None]), RDMs(b[None]), method=RSATOOLBOX[method])[0, 0]
        assert compare_rdms(a, b, method) == pytest.approx(expected, abs=1e-9)


def test_equals_scipy() -> None:
    a, b = pair(5, n=20)
    at = np.triu_indices(20, 1)
    assert compare_rdms(a, b, "pearson") == pytest.approx(stats.pearsonr(a[at], b[at])[0], abs=1e-12)
    assert compare_rdms(a, b) == pytest.approx(stats.spearmanr(a[at], b[at])[0], abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6), tied=st.booleans())
@settings(max_examples=20, deadline=None)
def test_symmetric_in_range_and_free_of_order_and_scale(method: str, seed: int, tied: bool) -> None:
    a, b = pair(seed, levels=4 if tied else None)
    value = compare_rdms(a, b, method)
    assert -1 <= value <= 1
    assert compare_rdms(b, a, method) == pytest.approx(value, abs=1e-9)
    assert compare_rdms(2 * a, b, method) == pytest.approx(value, abs=1e-9)
    order = np.random.default_rng(seed).permutation(len(a))
    at = np.ix_(order, order)
    assert compare_rdms(a[at], b[at], method) == pytest.approx(value, abs=1e-9)
    if not tied:
        assert compare_rdms(a, a, method) == pytest.approx(1, abs=1e-9)


def test_rank_methods_do_not_see_a_monotone_map_and_direction_is_kept() -> None:
    a, b = pair(6)
    for method in ("spearman", "kendall", "rho-a"):
        assert compare_rdms(np.exp(a) - 1, b, method) == pytest.approx(compare_rdms(a, b, method), abs=1e-12)
    reversed_rdm = 3 - a
    np.fill_diagonal(reversed_rdm, 0)
    for method in ("pearson", "spearman", "kendall", "rho-a"):
        assert compare_rdms(a, reversed_rdm, method) == pytest.approx(-1)


@pytest.mark.parametrize("method", METHODS)
def test_undefined_is_refused(method: str) -> None:
    a, _ = pair(7)
    tied = np.zeros_like(a) if method.startswith("cosine") else 0.3 * (1 - np.eye(len(a)))
    with pytest.raises(ValueError, match=r"b of shape \(9, 9\) has dissimilarities that are all equal"):
        compare_rdms(a, tied, method)


def test_bad_input() -> None:
    a, b = pair(8)
    skewed = a.copy()
    skewed[0, 1] += 0.1
    for bad, message in (
        (a[:2, :2], "a has 2 conditions: at least 3"),
        (a[:4], r"a has shape \(4, 9\): expected a square"),
        (skewed, "a of shape .* is not symmetric"),
        (a + np.eye(9), "diagonal that is not zero"),
        (np.where(a > 1, np.inf, a), "a of shape .* is not finite in row"),
        (a[:5, :5], "a and b have shapes"),
    ):
        with pytest.raises(ValueError, match=message):
            compare_rdms(bad, b)
    with pytest.raises(ValueError, match="method is 'pearsonr'"):
        compare_rdms(a, b, "pearsonr")


@pytest.mark.parametrize("method", METHODS)
def test_stacks_give_every_pair(method: str) -> None:
    stack = np.stack([pair(seed, levels=levels)[0] for seed in range(5) for levels in (None, 3)])
    models, targets = stack[:6], stack[6:]
    found = compare_rdms(models, targets, method)
    expected = [[compare_rdms(a, b, method) for b in targets] for a in models]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(compare_rdms(models, targets[1], method), found[:, 1])
    np.testing.assert_array_equal(compare_rdms(models[2], targets, method), found[2])
    assert compare_rdms(models[:1], targets[:1], method).shape == (1, 1)
    assert isinstance(compare_rdms(models[0], targets[0], method), float)


def test_large_stacks_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    compare = sys.modules["benchmark.measures.compare"]
    stack = np.stack([pair(seed)[0] for seed in range(11)])
    whole = compare_rdms(stack[:6], stack[4:])
    monkeypatch.setattr(compare, "_HELD", 3 * stack[0].nbytes)
    np.testing.assert_array_equal(compare_rdms(stack[:6], stack[4:]), whole)


def test_what_is_wrong_in_a_stack_is_named() -> None:
    a, b = pair(9)
    tied = 0.3 * (1 - np.eye(9))
    with pytest.raises(ValueError, match=r"b\[1\] of shape \(9, 9\) has dissimilarities that are all equal"):
        compare_rdms(a, np.stack([b, tied]))
    with pytest.raises(ValueError, match=r"a\[0\] of shape \(9, 9\) is not symmetric"):
        compare_rdms(np.triu(a)[None], b)
    for bad in (a[0], a[None, None], np.zeros((0, 9, 9))):
        with pytest.raises(ValueError, match=r"a has shape .* expected a square RDM"):
            compare_rdms(bad, b)


@given(seed=st.integers(0, 10**6), levels=st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_tau_a_counts_pairs(seed: int, levels: int) -> None:
    a, b = pair(seed, n=8, levels=levels)
    if np.ptp(a[a > 0], axis=None) == 0 or np.ptp(b[b > 0], axis=None) == 0:
        return
    at = np.triu_indices(8, 1)
    x, y = a[at], b[at]
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    expected = signs.sum() / (len(x) * (len(x) - 1))
    assert compare_rdms(a, b, "kendall") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("method", ["corr_cov", "cosine_cov"])
def test_whitening_is_the_inverse_covariance_of_dissimilarities(method: str) -> None:
    a, b = pair(10, n=7)
    at = np.triu_indices(7, 1)
    contrasts = np.eye(7)[at[0]] - np.eye(7)[at[1]]
    covariance = (contrasts @ contrasts.T) ** 2
    x, y = (m[at] - (m[at].mean() if method == "corr_cov" else 0) for m in (a, b))
    whitened = np.linalg.solve(covariance, np.stack([x, y]).T)
    expected = x @ whitened[:, 1] / np.sqrt((x @ whitened[:, 0]) * (y @ whitened[:, 1]))
    assert compare_rdms(a, b, method) == pytest.approx(expected, abs=1e-10)
