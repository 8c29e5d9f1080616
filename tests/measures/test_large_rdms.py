"""RDM correlation without square RDMs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import pearsonr, spearmanr

from benchmark.measures import compare_rdms, compare_spaces, rdm


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(3, 150),
    widths=st.tuples(st.integers(3, 30), st.integers(3, 30)),
    method=st.sampled_from(["pearson", "spearman"]),
    metric=st.sampled_from(["correlation", "cosine"]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_as_the_square_rdms(seed, n, widths, method, metric, dtype):
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(1, 1, (n, width)) for width in widths)
    if n > 4:
        x[1], x[3] = x[0], 2 * x[2]  # tied and close pairs
    x, y = x.astype(dtype), y.astype(dtype)
    square = compare_rdms(rdm(x.astype(float), metric), rdm(y.astype(float), metric), method)
    assert compare_spaces(x, y, method, metric) == pytest.approx(square, abs=1e-12)


@pytest.mark.parametrize("metric", ["correlation", "cosine"])
def test_as_scipy(metric):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 20)), rng.normal(size=(300, 40))
    x += y[:, :20]
    pairs = pdist(x, metric), pdist(y, metric)
    assert compare_spaces(x, y, "pearson", metric) == pytest.approx(pearsonr(*pairs)[0], abs=1e-10)
    assert compare_spaces(x, y, "spearman", metric) == pytest.approx(spearmanr(*pairs)[0], abs=1e-10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": np.ones((4, 2))}, r"shapes \(5, 3\) and \(4, 2\): expected the same conditions"),
        ({"y": np.ones((5, 3))}, "constant features"),
        ({"y": np.tile(np.eye(5), (1, 2))}, r"y of shape \(5, 10\) has dissimilarities that are all equal"),
        ({"method": "kendall"}, "method is 'kendall': expected one of pearson, spearman"),
        ({"metric": "euclidean"}, "metric is 'euclidean': expected correlation or cosine"),
        ({"x": np.ones((2, 3)), "y": np.ones((2, 3))}, "at least 3"),
        ({"x": np.ones((70_000, 3)), "y": np.ones((70_000, 3))}, "spearman takes at most 65,536 conditions"),
    ],
)
def test_what_is_not_defined_is_said(change, said):
    x = np.random.default_rng(0).normal(size=(5, 3))
    with pytest.raises(ValueError, match=said):
        compare_spaces(**{"x": x, "y": x, **change})
