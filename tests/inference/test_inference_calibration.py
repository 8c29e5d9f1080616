"""Intervals cover what they say and p-values are uniform, in worlds where the truth is known.

Each limit is what the claim itself allows: were it true, a count this far out would come once in a thousand.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.inference import (
    Population,
    bootstrap_compare,
    dual_bootstrap,
    fdr,
    model_tests,
    permutation_compare,
)
from benchmark.measures import compare_rdms, rdm, two_vs_two_permutation

pytestmark = pytest.mark.slow

WORLDS = 300


def consistent(count: int, n: int, p: float, alternative: str) -> bool:
    """Whether a count out of ``n`` could be from probability ``p`` (``alternative``: what it must not be)."""
    return stats.binomtest(count, n, p, alternative=alternative).pvalue > 1e-3


class World:
    """Concepts drawn from a population; people see them, and a model sees them with noise of its own."""

    def __init__(self, noise: float, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.noise = noise
        self.spectrum = rng.uniform(0.5, 2, 6)

    def sample(self, n: int, rng: np.random.Generator, models: int = 1) -> tuple[np.ndarray, np.ndarray]:
        people = rng.normal(size=(n, 6)) * self.spectrum
        seen = [people + self.noise * rng.normal(size=people.shape) for _ in range(models)]
        return np.array([rdm(x, "euclidean") for x in seen]), rdm(people, "euclidean")

    def truth(self, method: str) -> float:
        models, target = self.sample(3000, np.random.default_rng(99))
        return compare_rdms(models[0], target, method)


@pytest.mark.parametrize("method, rerank", [("pearson", True), ("spearman", True), ("spearman", False)])
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_intervals_cover_the_population_value(method: str, rerank: bool, noise: float) -> None:
    world = World(noise)
    truth = world.truth(method)
    covered = 0
    for seed in range(WORLDS):
        rng = np.random.default_rng(seed)
        models, target = world.sample(50, rng)
        found = bootstrap_compare(models, target, method, draws=300, rng=rng, rerank=rerank, workers=1)
        covered += bool((found.low <= truth) & (truth <= found.high))
    assert consistent(covered, WORLDS, 0.9, "less"), f"{covered} of {WORLDS}"


@pytest.mark.parametrize("method", ["pearson", "spearman", "cosine"])
def test_p_of_permutations_is_uniform_where_nothing_is_there(method: str) -> None:
    """With 19 permutations p is each of .05, .1, ... 1 equally often."""
    counts = np.zeros(20)
    for seed in range(2 * WORLDS):
        rng = np.random.default_rng(seed)
        spaces = [rng.normal(size=(12, 4)) * [3, 2, 1, 1] for _ in range(2)]
        p = permutation_compare(rdm(spaces[0]), rdm(spaces[1]), 19, rng, method, workers=1).p[0, 0]
        counts[round(p * 20) - 1] += 1
    assert stats.chisquare(counts).pvalue > 1e-3, counts


def test_p_of_2_vs_2_is_valid_where_nothing_is_there() -> None:
    """Accuracies are few and tie with the null's, which counts against us: p is at most as often small."""
    p = []
    for seed in range(2 * WORLDS):
        rng = np.random.default_rng(seed)
        p.append(two_vs_two_permutation(*rng.normal(size=(2, 16, 5)), 19, rng, workers=1).p)
    for level in (0.05, 0.1, 0.25, 0.5):
        assert consistent(int(np.sum(np.array(p) <= level + 1e-9)), len(p), level, "greater")
    assert 0.5 <= np.mean(p) < 0.56


def test_false_discoveries_are_no_more_than_asked_for() -> None:
    """60 tests with nothing there and 20 with an effect: the mean share of false ones is q * 60 / 80."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(4000, 80))
    z[:, 60:] += 3
    shares = []
    for row in stats.norm.sf(z):
        rejected = fdr(row) <= 0.1
        shares.append(rejected[:60].sum() / max(1, rejected.sum()))
    error = np.std(shares) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - 0.075) < 3.3 * error


def test_both_holds_its_level_where_concepts_and_people_are_new_and_concepts_alone_does_not() -> None:
    """Two models that each stress half of the features, and people who weight the features as they like."""
    called: dict[Population, int] = {"concepts": 0, "both": 0}
    for seed in range(WORLDS):
        rng = np.random.default_rng(seed)
        seen = rng.normal(size=(48, 10))
        stress = np.repeat([2.0, 1.0], 5)
        models = [rdm(seen * by + 0.7 * rng.normal(size=seen.shape)) for by in (stress, stress[::-1])]
        taste = np.exp(0.5 * rng.normal(size=(4, 10)))
        people = [rdm(seen * by + rng.normal(size=seen.shape)) for by in taste]
        for population in called:
            found = dual_bootstrap(
                np.array(models), np.array(people), rng=seed, population=population, draws=200, workers=1
            )
            called[population] += bool(model_tests(found).pairs[0, 1] < 0.05)
    assert consistent(called["both"], WORLDS, 0.05, "greater"), f"{called} of {WORLDS}"
    assert not consistent(called["concepts"], WORLDS, 0.05, "greater"), f"{called} of {WORLDS}"
