"""Tests of curves along an axis: against hand-written enumerations, and their false alarms by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from benchmark.inference import (
    agreement_p,
    concept_permutation_test,
    fdr,
    series_scores,
    sign_flip_test,
)


def clusters(t: np.ndarray, above: float) -> list[tuple[int, int, float]]:
    """First place, place after the last, and mass of each run above the threshold."""
    found, start = [], None
    for i, value in enumerate([*t, -np.inf]):
        if value > above and start is None:
            start = i
        if value <= above and start is not None:
            found.append((start, i, float(t[start:i].sum())))
            start = None
    return found


def by_enumeration(curves: np.ndarray, threshold: float) -> np.ndarray:
    """Cluster p of each place, from all combinations of signs, one by one."""
    above = student.isf(threshold, len(curves) - 1)
    signs = [np.array(s)[:, None] for s in product((1, -1), repeat=len(curves))]
    greatest = np.array(
        [
            max([m for *_, m in clusters(ttest_1samp(curves * s, 0).statistic, above)], default=0)
            for s in signs
        ]
    )
    p = np.ones(curves.shape[1])
    for start, stop, mass in clusters(ttest_1samp(curves, 0).statistic, above):
        p[start:stop] = np.mean(greatest >= mass - 1e-9)
    return p


@pytest.mark.parametrize("seed", range(3))
def test_clusters_equal_an_enumeration(seed):
    rng = np.random.default_rng(seed)
    curves = rng.normal(size=(6, 15)) + 0.8 * np.exp(-(((np.arange(15) - 7) / 3) ** 2))
    found = sign_flip_test(curves, 0)
    assert found.p_cluster == pytest.approx(by_enumeration(curves, 0.05))
    assert found.statistic == pytest.approx(ttest_1samp(curves, 0).statistic)
    assert found.p_fdr == pytest.approx(fdr(found.p))


def test_regions_have_no_clusters_and_their_order_does_not_count():
    curves = np.random.default_rng(0).normal(0.4, 1, size=(8, 6))
    order = np.array([3, 0, 5, 1, 4, 2])
    found, moved = (sign_flip_test(c, 0, ordered=False) for c in (curves, curves[:, order]))
    assert np.isnan(found.p_cluster).all()
    assert moved.p_fdr == pytest.approx(found.p_fdr[order])


def test_concept_permutations_equal_a_loop():
    rng = np.random.default_rng(1)
    model, series = rng.normal(size=45), rng.normal(size=(3, 5, 45))
    found = series_scores([model], series)
    test = concept_permutation_test(found.models[0], found.mean, 3, n=99)
    square = np.zeros((10, 10))
    upper = np.triu_indices(10, 1)
    square[upper] = found.models[0]
    square += square.T
    generator = np.random.default_rng(3)
    null = [found.scores[0].mean(axis=0)]
    for _ in range(99):
        order = generator.permutation(10)
        null.append(
            [np.corrcoef(square[np.ix_(order, order)][upper], row)[0, 1] * row.std() for row in found.mean]
        )
    assert test.p == pytest.approx(np.mean(np.array(null) >= null[0] - 1e-12, axis=0))


def test_too_few_subjects_are_refused():
    with pytest.raises(ValueError, match="at least 5 subjects"):
        sign_flip_test(np.zeros((4, 3)), 0)
    assert np.isnan(agreement_p(np.zeros((2, 3)))).all()


@pytest.mark.slow
def test_an_unrelated_model_passes_over_subjects_and_not_over_concepts_as_well():
    # Subjects share a geometry. An unrelated model has a small true correlation with it for these concepts.
    rng = np.random.default_rng(0)
    gain = np.exp(-(((np.arange(15) - 7) / 3) ** 2))
    alarms = np.zeros(2)
    worlds = 100
    for seed in range(worlds):
        truth, model = (np.corrcoef(rng.normal(size=(24, 30)))[np.triu_indices(24, 1)] for _ in range(2))
        shared = gain[None, :, None] * truth / truth.std()
        found = series_scores([model], shared + rng.normal(size=(8, 15, len(truth))))
        subjects = sign_flip_test(found.scores[0], seed)
        both = subjects.and_also(concept_permutation_test(found.models[0], found.mean, seed, n=199))
        alarms += [subjects.p_cluster.min() <= 0.05, both.p_cluster.min() <= 0.05]
    assert alarms[0] > 20  # this is why one test is not enough
    assert alarms[1] <= 12  # 5 expected; 13 or more has probability .001
