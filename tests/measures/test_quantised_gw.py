"""The coarse-to-fine GWOT search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.measures import quantised_gromov_wasserstein, rdm
from benchmark.measures.gromov_wasserstein.problem import Side
from benchmark.measures.gromov_wasserstein.quantised import _cut, _Matching
from benchmark.measures.gromov_wasserstein.solve import gw_distance

METRICS = ("correlation", "cosine", "sqeuclidean")


@pytest.mark.parametrize("metric", METRICS)
def test_its_distance_is_that_of_its_matching(metric):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 5)), rng.normal(size=(50, 8))
    found = quantised_gromov_wasserstein(x, y, metric, rng=rng, blocks=8)
    np.testing.assert_array_equal(np.sort(found.assigned), np.arange(50))
    plan = np.zeros((50, 50))
    plan[np.arange(50), found.assigned] = 1 / 50
    assert found.distance == pytest.approx(gw_distance(rdm(x, metric), rdm(y, metric), plan), rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), metric=st.sampled_from(METRICS))
def test_no_sweep_raises_the_distance(seed, metric):
    rng = np.random.default_rng(seed)
    matching = _Matching(*(Side.low_rank(rng.normal(size=(40, 5)), metric) for _ in range(2)))
    matching.assigned = rng.permutation(40)
    before = matching.distance
    for _ in range(5):
        matching.solve(_cut(matching.factors[0], 2, rng), matching.link)
        assert matching.distance <= before + 1e-12
        before = matching.distance
    np.testing.assert_array_equal(np.sort(matching.assigned), np.arange(40))


def test_groups_have_equal_sizes_and_hold_everything_once():
    points = np.random.default_rng(0).normal(size=(77, 3))
    groups = _cut(points, 3, np.random.default_rng(1))
    assert {len(group) for group in groups} <= {9, 10}
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(77))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metric": "euclidean"}, "metric is 'euclidean': expected one of correlation, cosine"),
        ({"y": np.ones((9, 3))}, r"shapes \(10, 3\) and \(9, 3\), with 8 blocks: expected as many"),
        ({"blocks": 2}, "with 2 blocks"),
        ({"y": np.ones((10, 3)), "metric": "sqeuclidean"}, "y has dissimilarities that are all equal"),
    ],
)
def test_what_is_not_defined_is_said(change, said):
    x = np.random.default_rng(0).normal(size=(10, 3))
    with pytest.raises(ValueError, match=said):
        quantised_gromov_wasserstein(
            **{"x": x, "y": x, "blocks": 8, "rng": np.random.default_rng(0), **change}
        )
