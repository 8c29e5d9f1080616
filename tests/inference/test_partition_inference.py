"""The test of a unique variance, and the ceiling of the parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from benchmark.inference import part_ceilings, permutation_test_unique
from benchmark.measures import variance_partition


def random_rdm(rng, n=14, d=3):
    return squareform(pdist(rng.standard_normal((n, d))))


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_score_is_the_unique_variance_before_correction(rng):
    subjects = np.stack([random_rdm(rng) for _ in range(3)])
    model, reference = random_rdm(rng), random_rdm(rng)
    test = permutation_test_unique(subjects, model, [reference], "spearman", 19, 0)
    parts = variance_partition(subjects, {"model": model, "reference": reference})
    assert test.score == pytest.approx(parts.raw_components["model",], abs=1e-12)
    assert test.null.shape == (19,)


def test_a_copy_of_a_reference_has_p_one(rng):
    target, model = random_rdm(rng), random_rdm(rng)
    test = permutation_test_unique(target, 2 * model, [random_rdm(rng), model], "spearman", 19, 0)
    assert test.score == 0
    assert test.p == 1


def test_false_alarms_are_as_many_as_allowed():
    """The model shares a part with target and reference, and has nothing of its own."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(300):
        shared, other, noise = (random_rdm(rng) for _ in range(3))
        test = permutation_test_unique(shared + noise, shared + other, [shared], "pearson", 99, rng)
        alarms += test.p <= 0.05
    assert 3 <= alarms <= 30  # 15 are expected; a binomial is outside this range once in a thousand


def test_the_ceiling_is_below_one_and_its_bounds_are_in_order(rng):
    truth, reference = random_rdm(rng), random_rdm(rng)
    subjects = np.stack([truth + 0.5 * random_rdm(rng) for _ in range(5)])
    bounds = part_ceilings(subjects, [reference], "spearman")
    assert list(bounds) == ["unique", "shared", "total"]
    assert 0 < bounds["total"].lower < bounds["total"].upper < 1
    assert bounds["unique"].lower < bounds["unique"].upper
