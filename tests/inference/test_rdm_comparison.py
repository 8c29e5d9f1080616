"""Bootstrap and permutation of many RDM correlations, against rsatoolbox and resampling by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.inference import (
    bootstrap_compare,
    bootstrap_weights,
    permutation_compare,
    permutation_test_rdm,
    rdm_statistic,
)
from benchmark.measures import compare_rdms, rdm

N = 14
THEIRS = {"pearson": "corr", "spearman": "spearman", "cosine": "cosine"}


def stacks(seed: int, m: int = 3, t: int = 2, s: int = 2, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Models (m, n, n) and targets (t, s, n, n); half of them have ties."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    models = np.array([rdm(x + rng.normal(size=x.shape)) for _ in range(m)])
    targets = np.array([[rdm(x + rng.normal(size=x.shape)) for _ in range(s)] for _ in range(t)])
    models[::2] = np.round(models[::2] * 4) / 4
    targets[0, ::2] = np.round(targets[0, ::2] * 3) / 3
    return models, targets


@pytest.mark.parametrize("method", sorted(THEIRS))
def test_every_draw_equals_rsatoolbox_on_the_same_resample(method: str) -> None:
    """rsatoolbox leaves out pairs of copies of one condition too, and ranks each resample anew."""
    from rsatoolbox.rdm import RDMs, compare

    models, targets = stacks(0)
    weights = bootstrap_weights(N, 6, np.random.default_rng(1))
    found = bootstrap_compare(models, targets, method, weights=weights)
    assert found.draws.shape == (6, 3, 2)
    for draw, counts in zip(found.draws, weights.astype(int), strict=True):
        sample = np.repeat(np.arange(N), counts)
        for m, model in enumerate(models):
            for t, target in enumerate(targets):
                drawn = [RDMs(r).subsample_pattern("index", sample) for r in (model[None], target)]
                expected = compare(*drawn, method=THEIRS[method]).mean()
                assert draw[m, t] == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("method", sorted(THEIRS))
def test_scores_are_the_comparison_and_intervals_the_percentiles(method: str) -> None:
    models, targets = stacks(1, m=10, t=9, s=1)  # more than are held at one time
    found = bootstrap_compare(models, targets, method, draws=40, rng=0)
    expected = [[compare_rdms(m, t[0], method) for t in targets] for m in models]
    np.testing.assert_allclose(found.score, expected, atol=1e-12)
    np.testing.assert_allclose(found.low, np.percentile(found.draws, 2.5, axis=0))
    np.testing.assert_allclose(found.high, np.percentile(found.draws, 97.5, axis=0))
    assert (found.undefined == 0).all()


@given(seed=st.integers(0, 10**6), method=st.sampled_from(["pearson", "spearman", "cosine"]))
@settings(max_examples=20, deadline=None)
def test_ranked_once_it_is_the_statistic_of_the_tasks(seed: int, method: str) -> None:
    models, targets = stacks(seed, m=2, t=1, s=3, n=9)
    weights = bootstrap_weights(9, 5, np.random.default_rng(seed))
    found = bootstrap_compare(models, targets, method, weights=weights, rerank=False)
    for m, model in enumerate(models):
        expected = rdm_statistic(model, targets[0], method)(weights)
        np.testing.assert_allclose(found.draws[:, m, 0], expected, atol=1e-12)


def test_ranking_anew_is_invariant_to_monotone_maps_and_differs_from_ranking_once() -> None:
    models, targets = stacks(2)
    weights = bootstrap_weights(N, 5, np.random.default_rng(0))
    found = bootstrap_compare(models, targets, weights=weights)
    mapped = bootstrap_compare(np.expm1(3 * models), targets**3, weights=weights)
    np.testing.assert_array_equal(found.draws, mapped.draws)
    once = bootstrap_compare(models, targets, weights=weights, rerank=False)
    np.testing.assert_allclose(once.score, found.score, atol=1e-12)
    assert np.abs(once.draws - found.draws).max() > 1e-3


def test_all_models_and_targets_share_the_resamples() -> None:
    models, targets = stacks(3)
    both = bootstrap_compare(models[:2], targets, "pearson", draws=50, rng=5)
    alone = bootstrap_compare(models[1], targets[1], "pearson", draws=50, rng=np.random.default_rng(5))
    with_one_subject = bootstrap_compare(models[1], targets[1][None], "pearson", draws=50, rng=5)
    np.testing.assert_allclose(both.draws[:, 1, 1], with_one_subject.draws[:, 0, 0], rtol=1e-12)
    # (t, n, n) is t targets, each of one subject.
    assert alone.draws.shape == (50, 1, 2)
    np.testing.assert_allclose(alone.draws.mean(axis=2), with_one_subject.draws[:, :, 0], rtol=1e-12)
    same = bootstrap_compare(np.array([models[0], 2 * models[0]]), targets, "pearson", draws=50, rng=5)
    np.testing.assert_allclose(same.draws[:, 0, 0], same.draws[:, 1, 0], rtol=1e-12)


def test_targets_may_have_different_numbers_of_subjects() -> None:
    models, targets = stacks(4, s=3)
    mixed = bootstrap_compare(models, [targets[0][:1], targets[1]], "pearson", draws=5, rng=0)
    np.testing.assert_allclose(
        mixed.draws[:, :, 1], bootstrap_compare(models, targets, "pearson", draws=5, rng=0).draws[:, :, 1]
    )


@pytest.mark.parametrize("method", sorted(THEIRS))
def test_undefined_draws_are_nan_and_left_out(method: str) -> None:
    models, targets = stacks(5)
    weights = np.zeros((4, N))
    weights[0, 2] = N
    weights[1, [2, 3]] = N / 2
    weights[2, [2, 3, 4]] = 4
    weights[3] = 1
    found = bootstrap_compare(models, targets, method, weights=weights)
    assert np.isnan(found.draws[:2]).all()
    assert (found.undefined >= 2).all()
    np.testing.assert_allclose(found.draws[3], found.score, atol=1e-12)
    only = bootstrap_compare(models, targets, method, weights=weights[:2])
    assert np.isnan(only.low).all()
    assert np.isnan(only.high).all()
    flat = np.full((N, N), 0.5)
    flat[0, 1:] = flat[1:, 0] = 0.9
    np.fill_diagonal(flat, 0)
    without = np.ones((1, N))
    without[0, 0] = 0
    if method != "cosine":
        assert np.isnan(bootstrap_compare(flat, targets, method, weights=without).draws).all()


@pytest.mark.parametrize("method", sorted(THEIRS))
@pytest.mark.parametrize("m, t", [(1, 3), (4, 2)])
def test_null_is_the_comparison_with_conditions_permuted(method: str, m: int, t: int) -> None:
    models, targets = stacks(6, m=m, t=t)
    test = permutation_compare(models, targets, 9, np.random.default_rng(1), method)
    rng = np.random.default_rng(1)
    for null in test.null:
        order = rng.permutation(N)
        moved = models[:, order][:, :, order]
        expected = [[np.mean([compare_rdms(x, s, method) for s in y]) for y in targets] for x in moved]
        np.testing.assert_allclose(null, expected, atol=1e-12)
    np.testing.assert_array_equal(test.p, (1 + (test.null >= test.score).sum(axis=0)) / 10)


def test_one_of_many_is_the_test_of_one() -> None:
    models, targets = stacks(7)
    many = permutation_compare(models, targets, 99, 3)
    one = permutation_test_rdm(models[2], targets[1], "spearman", 99, np.random.default_rng(3))
    assert one.p == many.p[2, 1]
    np.testing.assert_allclose(one.null, many.null[:, 2, 1], atol=1e-12)


def test_a_permutation_that_changes_nothing_counts_as_reached() -> None:
    """Three conditions: one permutation in six leaves an RDM as it is; p can be no smaller."""
    one = rdm(np.random.default_rng(0).normal(size=(3, 5)))
    p = permutation_compare(one, one, 600, 0).p[0, 0]
    assert 0.1 < p < 0.24


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_workers_changes_nothing(workers: int) -> None:
    models, targets = stacks(8, n=80)
    bootstrap = bootstrap_compare(models, targets, draws=9, rng=4, workers=workers)
    np.testing.assert_array_equal(
        bootstrap.draws, bootstrap_compare(models, targets, draws=9, rng=4, workers=3).draws
    )
    null = permutation_compare(models, targets, 9, 4, workers=workers).null
    assert null.tobytes() == permutation_compare(models, targets, 9, 4, workers=3).null.tobytes()


def _with(array: np.ndarray, index: tuple, value: float) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


MODELS, TARGETS = stacks(9)


@pytest.mark.parametrize(
    "models, targets, message",
    [
        (MODELS[:, :5], TARGETS, r"models\[0\] has shape \(5, 14\): expected a square RDM"),
        (MODELS[0, 0], TARGETS, r"models has shape \(14,\): expected RDMs"),
        (MODELS, TARGETS[:, :, :5, :5], r"targets\[0\] has RDMs of shape \(5, 5\) and models \(14, 14\)"),
        (MODELS[:, :2, :2], TARGETS, r"models\[0\] has 2 conditions: at least 3"),
        (
            _with(MODELS, (1, 3, 4), np.inf),
            TARGETS,
            r"models\[1\] of shape \(14, 14\) is not finite in row 3",
        ),
        (MODELS, _with(TARGETS, (1, 0, 3, 4), 9.0), r"targets\[1\]\[0\] of shape .* is not symmetric"),
        (
            MODELS,
            _with(TARGETS, (0, 1, 3, 3), 1.0),
            r"targets\[0\]\[1\] of shape .* diagonal that is not zero",
        ),
        (1 - np.eye(14), TARGETS, r"models\[0\] of shape .* all equal: undefined"),
        (MODELS, [], "targets is empty"),
    ],
)
def test_bad_rdms(models: np.ndarray, targets: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_compare(models, targets, draws=3, rng=0)
    with pytest.raises(ValueError, match=message):
        permutation_compare(models, targets, 3, 0)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="n is 0: at least one permutation"):
        permutation_compare(MODELS, TARGETS, 0, 0)
    with pytest.raises(ValueError, match="method is 'kendall'"):
        permutation_compare(MODELS, TARGETS, 3, 0, "kendall")
    with pytest.raises(ValueError, match="method is 'kendall'"):
        bootstrap_compare(MODELS, TARGETS, "kendall", rng=0)
    with pytest.raises(ValueError, match="weights and rng are None"):
        bootstrap_compare(MODELS, TARGETS)
    with pytest.raises(ValueError, match="weights and rng are both given"):
        bootstrap_compare(MODELS, TARGETS, weights=np.ones((2, N)), rng=0)
    with pytest.raises(ValueError, match="draws is 0"):
        bootstrap_compare(MODELS, TARGETS, draws=0, rng=0)
    for weights, message in (
        (np.ones((2, 3)), r"weights has shape \(2, 3\): expected \(draws, 14\)"),
        (np.ones((0, N)), r"weights has shape \(0, 14\)"),
        (-np.ones((1, N)), "negative or not finite"),
        (np.full((1, N), 0.5), "not whole numbers: pass rerank=False"),
    ):
        with pytest.raises(ValueError, match=message):
            bootstrap_compare(MODELS, TARGETS, weights=weights)
    with pytest.raises(ValueError, match="all zero: undefined"):
        bootstrap_compare(np.zeros((N, N)), TARGETS, "cosine", rng=0)


@pytest.mark.parametrize("method", sorted(THEIRS))
def test_float32_is_worked_on_in_float64(method: str) -> None:
    models, targets = (stack.astype(np.float32) for stack in stacks(10))
    wide = models.astype(float), targets.astype(float)
    found, expected = (bootstrap_compare(*rdms, method, draws=5, rng=0) for rdms in ((models, targets), wide))
    np.testing.assert_array_equal(found.draws, expected.draws)
    found, expected = (permutation_compare(*rdms, 5, 0, method) for rdms in ((models, targets), wide))
    np.testing.assert_array_equal(found.null, expected.null)
