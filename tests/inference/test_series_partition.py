"""Unique variance along an axis, beside the regressions of each place alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from benchmark.inference import part_ceilings, series_partition
from benchmark.measures import RDMRegression, rdm


@pytest.mark.parametrize("method", ["spearman", "pearson"])
@pytest.mark.parametrize(("n", "references"), [(4, 1), (12, 1), (15, 3)])
def test_a_place_is_the_regression_of_its_rdms_alone(method, n, references):
    rng = np.random.default_rng(n)
    upper = np.triu_indices(n, 1)
    known = np.array([rdm(rng.normal(size=(n, 5))) for _ in range(references)])
    new = [rdm(rng.normal(size=(n, 5))) for _ in range(2)]
    models = np.array([model[upper] for model in (*new, known[0])])
    series = rng.normal(size=(3, 2, len(upper[0]))) + 2 * models[0] + known[0][upper]
    tested, unique = series_partition(models, known, series, method)
    ones = np.ones((1, n))
    for t in range(2):
        people = np.array([squareform(row) for row in series[:, t]])
        alone = RDMRegression(people, method).beside("known", known)
        before = alone.explained_by_subject(("known",), ones)[0]
        for m, row in enumerate(models):
            both = alone.beside("model", squareform(row)).explained_by_subject(("known", "model"), ones)[0]
            assert unique[m, :, t] == pytest.approx(both - before, abs=1e-12)
        ceiling = part_ceilings(people, known, method)["unique"]
        assert (tested.lower[0, t], tested.upper[0, t]) == pytest.approx(ceiling, abs=1e-12)
    assert unique[2] == pytest.approx(0, abs=1e-12)  # a copy of a reference


def test_a_place_without_variance_is_named():
    series = np.ones((1, 2, 6))
    series[0, 0] = range(6)
    with pytest.raises(ValueError, match="all equal"):
        series_partition([np.arange(6.0) ** 2], [rdm(np.random.default_rng(0).normal(size=(4, 5)))], series)
