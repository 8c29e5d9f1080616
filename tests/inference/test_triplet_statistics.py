"""The accuracy over triplets as a function of weights: slopes, halves, pairs, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.inference import (
    bootstrap_weights,
    estimate,
    permutation_test_triplets,
    triplet_interval,
    triplet_pair_statistic,
    triplet_statistic,
)
from benchmark.inference.paired import perturbed

K = 10


def drawn(rng, k=K, m=80):
    return np.argsort(rng.random((m, k)), axis=1)[:, :3]


def weighted(hits, triplets, w):
    """The mean with each triplet weighing the product of its objects' weights."""
    return np.average(hits, weights=w[triplets].prod(axis=1))


@given(st.integers(0, 10**6))
def test_the_slopes_are_those_of_the_product_of_weights(seed):
    """Finite differences of the definition, for weights whose mean is one."""
    rng = np.random.default_rng(seed)
    triplets, hits = drawn(rng), rng.choice([0, 1 / 3, 1 / 2, 1], size=80)
    statistic = triplet_statistic(hits, triplets, K)
    direction = rng.normal(size=K)
    direction -= direction.mean()
    step = 1e-5
    slope = (
        weighted(hits, triplets, 1 + step * direction) - weighted(hits, triplets, 1 - step * direction)
    ) / 2
    ours = statistic(np.array([1 + step * direction, 1 - step * direction]))
    assert (ours[0] - ours[1]) / 2 == pytest.approx(slope, abs=1e-9)
    assert statistic(np.ones((1, K)))[0] == pytest.approx(hits.mean())


def test_a_half_counts_the_triplets_inside_it():
    rng = np.random.default_rng(0)
    triplets, hits = drawn(rng), rng.integers(2, size=80)
    half = np.arange(K) < K // 2
    inside = half[triplets].all(axis=1)
    assert triplet_statistic(hits, triplets, K)(1.0 * half[None])[0] == pytest.approx(hits[inside].mean())
    assert np.isnan(triplet_statistic(hits, triplets, K)(np.eye(K)[:1]))


@given(st.integers(0, 10**6))
def test_any_sample_of_objects_gives_a_share(seed):
    rng = np.random.default_rng(seed)
    statistic = triplet_statistic(rng.integers(2, size=80), drawn(rng), K)
    found = statistic(bootstrap_weights(K, 50, rng))
    assert ((found >= 0) & (found <= 1)).all()


def test_what_is_particular_to_a_triplet_is_not_undercounted_in_the_comparison_of_models():
    """Hits without any effect of objects: 3 of the variance of a mean, 3/4 by pairs, their difference 9/4."""
    rng = np.random.default_rng(0)
    found = []
    for seed in range(30):
        triplets, hits = drawn(rng, 40, 3000), rng.normal(size=3000)
        changes = perturbed(
            triplet_statistic(0.5 + 0.01 * hits, triplets, 40),
            40,
            seed,
            triplet_pair_statistic(0.5 + 0.01 * hits, triplets, 40),
        )
        by_objects, by_pairs = ((c**2).mean() for c in (changes.concepts, changes.pairs))
        found.append(np.array([by_objects, by_pairs, by_objects - by_pairs]) * 3000 / 1e-4)
    np.testing.assert_allclose(np.mean(found, axis=0), [3, 0.75, 2.25], rtol=0.15)


@pytest.mark.slow
def test_intervals_cover_the_truth_of_other_objects():
    """Each object is easy or hard; the truth is the mean over all objects that there could be."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        effect = 0.1 * rng.normal(size=40)
        triplets = drawn(rng, 40, 2000)
        hits = rng.random(2000) < 0.5 + effect[triplets].sum(axis=1)
        result = estimate(triplet_statistic(hits, triplets, 40), bootstrap_weights(40, 400, rng))
        covered += result.low <= 0.5 <= result.high
    assert 0.90 <= covered / 200 <= 0.99


def test_an_interval_over_triplets_by_its_closed_form():
    """The bounds p solve (accuracy - p)^2 = z^2 p (1 - p) / n."""
    for accuracy, n in ((0.6, 50), (0.0, 20), (1.0, 20)):
        roots = np.roots([1 + 1.959964**2 / n, -(2 * accuracy + 1.959964**2 / n), accuracy**2]).real
        np.testing.assert_allclose(triplet_interval(accuracy, n), np.sort(roots), atol=1e-6)


def test_noise_has_uniform_p_and_chance_is_a_third():
    rng = np.random.default_rng(0)
    tests = []
    for _ in range(40):
        similarity = rng.normal(size=(K, K))
        tests.append(permutation_test_triplets(similarity + similarity.T, drawn(rng), 60, rng))
    assert np.mean([test.null.mean() for test in tests]) == pytest.approx(1 / 3, abs=0.01)
    p = np.array([test.p for test in tests])
    assert abs(p.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(p))


def test_hits_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"hits has shape \(2,\) for 80 triplets"):
        triplet_statistic([0, 1], drawn(np.random.default_rng(0)), K)
