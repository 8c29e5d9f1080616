"""Dissimilarities that are equal in exact arithmetic tie, whatever the order of features and stimuli."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from benchmark.inference import bootstrap_compare, noise_ceiling, permutation_compare, rdm_statistic
from benchmark.measures import compare_rdms, gromov_wasserstein, rdm, spose_rdm
from benchmark.measures.compare import METHODS

METRICS = ["correlation", "cosine", "euclidean", "sqeuclidean", "mahalanobis", "crossnobis"]
N, D = 14, 12


def dissimilarity(x: np.ndarray, metric: str) -> np.ndarray:
    """The RDM of ``x``. For crossnobis the second fold has the features of the other conditions."""
    if metric == "crossnobis":
        return rdm(np.stack([x, 2 * x]), metric, np.eye(x.shape[1]))
    return rdm(x, metric, np.eye(x.shape[1]) if metric == "mahalanobis" else None)


def integers(seed: int) -> np.ndarray:
    """Zeros to twos; no row is constant. A large part of the dissimilarities is equal."""
    x = np.random.default_rng(seed).integers(0, 3, size=(N, D)).astype(float)
    x[:, :2] = [0, 1]
    return x


def reals(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(N, D)) * 3 + 50


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("features", [integers, reals])
@given(seed=st.integers(0, 10**6), threads=st.sampled_from([1, 2]))
@settings(max_examples=15, deadline=None)
def test_scores_do_not_depend_on_order_or_threads(
    metric: str, features: Callable[[int], np.ndarray], seed: int, threads: int
) -> None:
    x, rng = features(seed), np.random.default_rng(seed)
    target = rdm(integers(seed + 1), "sqeuclidean")
    columns, rows = rng.permutation(D), rng.permutation(N)
    at = np.ix_(rows, rows)
    with threadpool_limits(1):
        before = dissimilarity(x, metric)
        expected = [compare_rdms(before, target, method) for method in METHODS]
    with threadpool_limits(threads):
        after = dissimilarity(x[rows][:, columns], metric)
        scores = [compare_rdms(after, target[at], method) for method in METHODS]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS[:4])
@pytest.mark.parametrize("seed", range(3))
def test_ties_are_those_of_exact_arithmetic(metric: str, seed: int, dtype: type) -> None:
    x = integers(seed)[:, np.random.default_rng(seed).permutation(D)]
    whole = x.astype(int)
    if metric == "correlation":
        whole = D * whole - whole.sum(axis=1, keepdims=True)
    products = whole @ whole.T
    own = np.diagonal(products)
    if metric in ("correlation", "cosine"):
        # The square of the cosine, with its sign, has the order of the cosine. It is a ratio of integers.
        exact = -np.sign(products) * np.round(products**2 / np.multiply.outer(own, own), 10)
    else:
        exact = own[:, None] + own - 2 * products
    at = np.triu_indices(N, 1)
    found, target = rdm(x.astype(dtype), metric).astype(np.float64), rdm(reals(9))
    shifted = (exact - exact[at].min() + 1) * (1 - np.eye(N))
    assert compare_rdms(found, target) == pytest.approx(compare_rdms(shifted, target), abs=1e-12)


def test_bootstrap_permutation_and_ceiling_see_the_same_ties() -> None:
    x, rng = integers(3), np.random.default_rng(3)
    subjects = np.stack([rdm(integers(seed)) for seed in range(4)])
    target = subjects[None]
    for metric in METRICS[:4]:
        first, second = (rdm(x[:, rng.permutation(D)], metric) for _ in range(2))
        for rerank in (True, False):
            draws = [
                bootstrap_compare(m, target, draws=20, rng=0, rerank=rerank).draws for m in (first, second)
            ]
            np.testing.assert_allclose(draws[0], draws[1], rtol=0, atol=1e-12)
        nulls = [permutation_compare(m, target, 20, 0) for m in (first, second)]
        np.testing.assert_allclose(nulls[0].null, nulls[1].null, rtol=0, atol=1e-12)
        assert (nulls[0].p == nulls[1].p).all()
        values = [rdm_statistic(m, subjects, "spearman")(np.ones((1, N)))[0] for m in (first, second)]
        assert values[0] == pytest.approx(values[1], abs=1e-12)
    shuffled = np.stack([rdm(integers(seed)[:, rng.permutation(D)]) for seed in range(4)])
    np.testing.assert_allclose(noise_ceiling(shuffled), noise_ceiling(subjects), rtol=0, atol=1e-12)


def test_a_search_of_tied_dissimilarities_does_not_depend_on_the_order_of_features() -> None:
    x, rng = integers(5), np.random.default_rng(5)
    other = rdm(integers(6))
    results = [
        gromov_wasserstein(rdm(x[:, columns]), other, starts=5, rng=np.random.default_rng(0), jobs=1)
        for columns in (np.arange(D), rng.permutation(D), rng.permutation(D))
    ]
    for result in results[1:]:
        np.testing.assert_array_equal(result.plan, results[0].plan)
        assert result.distance == results[0].distance


@given(seed=st.integers(0, 10**6), n=st.integers(3, 9), m=st.integers(3, 9))
@settings(max_examples=15, deadline=None)
def test_a_plan_is_not_negative_and_has_its_marginals(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    result = gromov_wasserstein(
        rdm(rng.normal(size=(n, 4))), rdm(rng.normal(size=(m, 4))), starts=3, rng=rng, jobs=1
    )
    for plan in (result.plan, result.oracle_plan):
        assert (plan >= 0).all()
        np.testing.assert_allclose(plan.sum(axis=1), 1 / n, rtol=1e-13)
        np.testing.assert_allclose(plan.sum(axis=0), 1 / m, rtol=1e-13)


def test_dissimilarities_that_tie_one_after_the_other_are_all_equal() -> None:
    chain = np.zeros((N, N))
    chain[np.triu_indices(N, 1)] = 1 + 5e-14 * np.arange(N * (N - 1) // 2)
    chain += chain.T
    with pytest.raises(ValueError, match="dissimilarities that are all equal"):
        compare_rdms(chain, rdm(reals(0)))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("size", [1.0, 1e-310, 1e-160, 1e160, 1e307])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_warning_of_a_library(metric: str, size: float, dtype: type) -> None:
    with np.errstate(all="ignore"):
        x = (reals(1) * size).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = dissimilarity(x, metric)
        except ValueError as error:
            message = str(error)
        else:
            assert np.isfinite(result).all()
            return
    assert message.startswith(("features of shape", "constant features", "features without length"))


def test_complex_features_are_refused() -> None:
    for metric in METRICS:
        with pytest.raises(ValueError, match=r"features of shape .* is complex"):
            dissimilarity(reals(0) * 1j, metric)


def order_does_not_matter(x: np.ndarray, target: np.ndarray, metric: str) -> float:
    """The Spearman correlation, the same in eight orders of features and stimuli on one and two threads."""
    rng = np.random.default_rng(0)
    scores = []
    for turn in range(8):
        columns = rng.permutation(x.shape[1]) if turn else np.arange(x.shape[1])
        rows = rng.permutation(len(x)) if turn else np.arange(len(x))
        with threadpool_limits(1 + turn % 2):
            scores.append(compare_rdms(rdm(x[rows][:, columns], metric), target[np.ix_(rows, rows)]))
    np.testing.assert_allclose(scores, scores[0], rtol=0, atol=1e-9)
    return scores[0]


@pytest.fixture(scope="module")
def things(human_data: Path) -> Path:
    return human_data / "things"


@pytest.fixture(scope="module")
def people(things: Path) -> np.ndarray:
    return spose_rdm(np.loadtxt(things / "spose_embedding_66d_sorted.txt"))


@pytest.mark.slow
@pytest.mark.human_data
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_categories_of_things_have_their_exact_score(things: Path, people: np.ndarray, dtype: type) -> None:
    table = np.loadtxt(things / "category_mat_manual.csv", delimiter=",", skiprows=1, usecols=range(1, 29))
    assert order_does_not_matter(table.astype(dtype), people, "correlation") == pytest.approx(
        0.2293393, abs=1e-7
    )


@pytest.mark.slow
@pytest.mark.human_data
@pytest.mark.parametrize("metric", METRICS[:4])
def test_a_real_network_has_one_score(things: Path, people: np.ndarray, metric: str) -> None:
    order_does_not_matter(np.load(things / "features" / "clip_vit_b32_openai.npy"), people, metric)
