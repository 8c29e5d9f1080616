"""Paired comparison: against the paired t-test, variance components in closed form, and repeated worlds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.inference import (
    Perturbed,
    mean_statistic,
    pair_statistic,
    paired_difference,
    perturbed,
    rdm_pair_statistic,
    rdm_statistic,
)
from benchmark.inference.paired import HALVINGS
from benchmark.measures import rdm, two_vs_two, weighted_two_vs_two

UPPER = np.triu_indices(48, 1)


def weighted_mean(values: np.ndarray):
    return lambda weights: float(weights @ values / weights.sum())


def of_pairs(values: np.ndarray, seed: int = 0) -> Perturbed:
    """The mean of one value per pair of 48 concepts."""
    matrix = np.zeros((48, 48))
    matrix[UPPER] = values
    return perturbed(pair_statistic(matrix + matrix.T), 48, seed, weighted_mean(values))


@given(seed=st.integers(0, 10**6), n=st.integers(8, 63))
@settings(max_examples=40, deadline=None)
def test_means_are_compared_as_by_the_paired_t_test(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n)) + rng.normal(size=n)
    found = paired_difference(*(perturbed(mean_statistic(x), n, seed) for x in (a, b)))
    expected = stats.ttest_rel(a, b)
    interval = expected.confidence_interval()
    assert found == pytest.approx((np.mean(a - b), interval.low, interval.high, expected.pvalue))


def test_a_mean_of_more_concepts_than_columns() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for seed in range(20):
        a, b = rng.normal(size=(2, 300))
        found = paired_difference(*(perturbed(mean_statistic(x), 300, seed) for x in (a, b)))
        interval = stats.ttest_rel(a, b).confidence_interval()
        widths.append((found.high - found.low) / (interval.high - interval.low))
    assert np.mean(widths) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("concept, pair", [(1.0, 0.0), (0.0, 1.0), (0.3, 1.0)])
def test_the_variance_counts_concepts_and_pairs_once(concept: float, pair: float) -> None:
    """The mean over pairs of a_i + a_j + e_ij has the variance 4 / n + 1 / pairs, in units of their own."""
    rng = np.random.default_rng(1)
    n, pairs = 48, len(UPPER[0])
    true = 4 * concept**2 / n + pair**2 / pairs
    found = []
    for seed in range(300):
        effects = concept * rng.normal(size=n)
        values = effects[UPPER[0]] + effects[UPPER[1]] + pair * rng.normal(size=pairs)
        changes = of_pairs(values, seed)
        whole, single = np.mean(changes.concepts**2) * n / (n - 1), np.mean(changes.pairs**2)
        found.append((whole, single, whole - single))
    whole, single, variance = np.mean(found, axis=0)
    assert variance == pytest.approx(true, rel=0.12)
    # The concepts alone count the noise of a pair twice.
    assert whole == pytest.approx(true + pair**2 / pairs, rel=0.12)
    # The single pairs hold the effects of their concepts too, which is little among 47 pairs of each.
    assert single == pytest.approx((pair**2 + 2 * concept**2) / pairs, rel=0.12)


def test_models_that_are_alike_do_not_differ() -> None:
    values = np.random.default_rng(0).normal(size=len(UPPER[0]))
    one = of_pairs(values)
    same = paired_difference(one, one)
    assert same == (0, 0, 0, 1)
    higher = paired_difference(of_pairs(values + 0.5), one)
    assert higher.difference == pytest.approx(0.5)
    assert higher.p == 0
    other = of_pairs(values + np.random.default_rng(1).normal(size=len(values)))
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert there.p == back.p
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_what_is_undefined_has_no_p() -> None:
    nothing = perturbed(mean_statistic([np.nan] * 6), 6, 0)
    some = perturbed(mean_statistic(np.arange(6.0)), 6, 0)
    assert np.isnan(paired_difference(nothing, some)).all()
    calls = []
    undefined = perturbed(mean_statistic(np.arange(6.0)), 6, 0, lambda weights: calls.append(1) or np.nan)
    assert undefined.score == 2.5
    assert len(calls) == 1
    found = paired_difference(undefined, undefined)
    assert found.difference == 0
    assert np.isnan([found.low, found.high, found.p]).all()
    with pytest.raises(ValueError, match="a has 6 concepts and 64 halvings, b 7"):
        paired_difference(some, perturbed(mean_statistic(np.arange(7.0)), 7, 0))


def test_one_concept_cannot_be_halved_and_compares_nothing() -> None:
    alone = perturbed(mean_statistic([1.0]), 1, 0)
    assert alone.score == 1
    assert np.isnan(alone.concepts).all()
    assert np.isnan(paired_difference(alone, alone).p)


def test_the_same_seed_gives_the_same_halves() -> None:
    values = np.random.default_rng(0).normal(size=len(UPPER[0]))
    first, again, other = of_pairs(values, 3), of_pairs(values, 3), of_pairs(values, 4)
    assert first.concepts.shape == first.pairs.shape == (HALVINGS,)
    np.testing.assert_array_equal(first.concepts, again.concepts)
    np.testing.assert_array_equal(first.pairs, again.pairs)
    assert not np.array_equal(first.concepts, other.concepts)
    assert not np.array_equal(first.pairs, other.pairs)


@given(seed=st.integers(0, 10**6), method=st.sampled_from(["pearson", "spearman", "cosine"]))
@settings(max_examples=30, deadline=None)
def test_products_of_weights_of_concepts_are_weights_of_pairs(seed: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    model, *subjects = (rdm(rng.normal(size=(9, 5))) for _ in range(3))
    if seed % 2:
        subjects[0][0, 1] = subjects[0][1, 0] = np.nan
    weights = rng.uniform(0.2, 2, size=9)
    i, j = np.triu_indices(9, 1)
    found = rdm_pair_statistic(model, subjects, method)(weights[i] * weights[j])
    assert found == pytest.approx(rdm_statistic(model, subjects, method)(weights[None])[0], abs=1e-10)


def test_a_correlation_without_variance_is_undefined() -> None:
    rng = np.random.default_rng(0)
    model, subject = (rdm(rng.normal(size=(6, 5))) for _ in range(2))
    statistic = rdm_pair_statistic(model, [subject])
    one = np.zeros(15)
    one[3] = 1
    assert np.isnan(statistic(one))
    assert np.isnan(statistic(np.zeros(15)))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["rdm", "two_vs_two"])
@pytest.mark.parametrize("uneven", [False, True])
def test_models_of_the_same_quality_are_seldom_told_apart(task: str, uneven: bool) -> None:
    """Nominal 5 %: at most 7 % are called different. ``uneven``: some concepts suit one model only."""
    n, worlds, noise = 32, 400, 1.5 if task == "rdm" else 2.5
    alarms = 0
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        words = rng.normal(size=(n, 12)) @ rng.normal(size=(12, 30))
        models = []
        for _ in range(2):
            spread = np.exp(0.6 * rng.normal(size=(n, 1))) if uneven else 1.0
            seen = words + noise * words.std() * spread * rng.normal(size=words.shape)
            models.append(_changes(task, words, seen, seed))
        alarms += paired_difference(*models).p <= 0.05
    assert stats.binomtest(alarms, worlds, 0.07, alternative="greater").pvalue > 1e-3, alarms


@pytest.mark.slow
def test_a_better_model_is_found() -> None:
    """The noise is of single pairs, which a jackknife counts twice."""
    found = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        signal = rdm(rng.normal(size=(48, 8)))
        models = []
        for noise in (0.2, 0.26):
            drawn = np.triu(noise * rng.normal(size=signal.shape), 1)
            models.append(signal + drawn + drawn.T + 1 - np.eye(48))
        scores = [
            perturbed(rdm_statistic(m, signal), 48, seed, rdm_pair_statistic(m, signal)) for m in models
        ]
        found += paired_difference(*scores).p <= 0.05
    assert found > 80


def _changes(task: str, words: np.ndarray, seen: np.ndarray, seed: int) -> Perturbed:
    if task == "rdm":
        spaces = rdm(seen), rdm(words)
        return perturbed(rdm_statistic(*spaces), len(words), seed, rdm_pair_statistic(*spaces))
    outcomes = two_vs_two(words, seen, margins=True).outcomes
    return perturbed(pair_statistic(outcomes), len(words), seed, weighted_two_vs_two(words, seen))


def by_definition(words: np.ndarray, model: np.ndarray, weights: np.ndarray) -> float:
    """Accuracy with weights (k, k), pair by pair."""

    def correlation(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
        x, y = x - np.average(x, weights=w), y - np.average(y, weights=w)
        return (w * x * y).sum() / np.sqrt((w * x * x).sum() * (w * y * y).sum())

    x, y = np.corrcoef(words), np.corrcoef(model)
    passed = total = 0.0
    for a, b in combinations(range(len(x)), 2):
        keep = [c for c in range(len(x)) if c not in (a, b)]
        r = {(i, j): correlation(x[i, keep], y[j, keep], weights[j, keep]) for i in (a, b) for j in (a, b)}
        passed += weights[a, b] * np.heaviside(r[a, a] + r[b, b] - r[a, b] - r[b, a], 0.5)
        total += weights[a, b]
    return passed / total


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_weighted_two_vs_two_is_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words, model = rng.normal(size=(9, 12)), rng.normal(size=(9, 7))
    weights = rng.uniform(0.2, 2, size=36)
    matrix = np.zeros((9, 9))
    matrix[np.triu_indices(9, 1)] = weights
    found = weighted_two_vs_two(words, model)(weights)
    assert found == pytest.approx(by_definition(words, model, matrix + matrix.T), abs=1e-10)
    other = rng.normal(size=model.shape)
    both = weighted_two_vs_two(words, np.array([model, other]))(weights)
    assert both == pytest.approx((found + weighted_two_vs_two(words, other)(weights)) / 2, abs=1e-12)


@given(seed=st.integers(0, 10**6), k=st.integers(7, 20))
@settings(max_examples=20, deadline=None)
def test_weights_of_zero_leave_concepts_out(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    words, model = rng.normal(size=(k, 8)), rng.normal(size=(k, 8))
    accuracy = weighted_two_vs_two(words, model)
    pairs = np.triu_indices(k, 1)
    assert accuracy(np.ones(len(pairs[0]))) == pytest.approx(two_vs_two(words, model).accuracy, abs=1e-12)
    kept = np.ones(k)
    kept[rng.choice(k, 2, replace=False)] = 0
    left = kept > 0
    expected = two_vs_two(words[left], model[left]).accuracy
    assert accuracy(np.outer(kept, kept)[pairs]) == pytest.approx(expected, abs=1e-12)


def test_weighted_two_vs_two_of_ties_and_of_nothing() -> None:
    rng = np.random.default_rng(0)
    words, model = rng.normal(size=(2, 8, 6))
    model[1] = model[0]  # exchanging two concepts that are alike changes nothing: their pair is a tie
    expected = two_vs_two(words, model)
    assert expected.ties == 1
    assert weighted_two_vs_two(words, model)(np.ones(28)) == pytest.approx(expected.accuracy, abs=1e-12)
    assert np.isnan(weighted_two_vs_two(words, model)(np.zeros(28)))
    with pytest.raises(ValueError, match="same k >= 5"):
        weighted_two_vs_two(words[:4], model[:4])
    with pytest.raises(ValueError, match="constant"):
        weighted_two_vs_two(words, np.ones((8, 3)))
