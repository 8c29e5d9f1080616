"""Permutation tests and the false discovery rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from benchmark.inference import fdr, permutation_test_rdm
from benchmark.measures import compare_rdms, rdm


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_null_is_the_comparison_with_conditions_permuted(method: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(14, 5))
    model, people = rdm(x), np.array([rdm(x + rng.normal(size=x.shape)) for _ in range(3)])
    test = permutation_test_rdm(model, people, method, 99, np.random.default_rng(1))
    assert test.score == pytest.approx(np.mean([compare_rdms(model, p, method) for p in people]), abs=1e-12)
    order = np.random.default_rng(1).permutation(14)
    moved = model[np.ix_(order, order)]
    assert test.null[0] == pytest.approx(np.mean([compare_rdms(moved, p, method) for p in people]), abs=1e-12)
    assert test.p == 0.01
    assert abs(test.chance) < 0.1


def test_p_is_uniform_where_nothing_is_there() -> None:
    rng = np.random.default_rng(2)
    p = []
    for _ in range(200):
        a, b = rdm(rng.normal(size=(10, 6))), rdm(rng.normal(size=(10, 6)))
        p.append(permutation_test_rdm(a, b, "pearson", 49, rng).p)
    assert min(p) >= 1 / 50
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_bad_input() -> None:
    a = rdm(np.random.default_rng(3).normal(size=(6, 5)))
    with pytest.raises(ValueError, match="n is 0"):
        permutation_test_rdm(a, a, "pearson", 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="same conditions"):
        permutation_test_rdm(a, a[:4, :4], "pearson", 5, np.random.default_rng(0))


@given(hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 1)))
def test_fdr_equals_scipy(p: np.ndarray) -> None:
    np.testing.assert_allclose(fdr(p), stats.false_discovery_control(p), rtol=1e-12)


def test_fdr_passes_nan_through_and_keeps_the_shape() -> None:
    found = fdr([[0.01, np.nan], [0.04, 0.9]])
    np.testing.assert_allclose(found, [[0.03, np.nan], [0.06, 0.9]])
    assert np.isnan(fdr(np.nan))
    with pytest.raises(ValueError, match="outside"):
        fdr([1.2])
