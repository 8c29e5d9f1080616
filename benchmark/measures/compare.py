"""Comparing two RDMs over their upper triangles."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from benchmark.measures._checks import Float64, as_rdm, require_same_shape

METHODS = ("pearson", "spearman", "kendall", "rho-a", "cosine", "corr_cov", "cosine_cov")


def compare_rdms(a: ArrayLike, b: ArrayLike, method: str = "spearman") -> float:
    r"""How alike two RDMs are; 1 is the same, up to what the method is invariant to.

    ==============  =====================================================================  ================
    method          value                                                                  invariant to
    ==============  =====================================================================  ================
    ``pearson``     correlation of the dissimilarities                                     scale, shift
    ``spearman``    correlation of their ranks, ties at their mean rank                    monotone maps
    ``kendall``     tau-a: (concordant - discordant) / all pairs of dissimilarities        monotone maps
    ``rho-a``       Spearman's expected value when ties are broken at random               monotone maps
    ``cosine``      cosine of the dissimilarities                                          scale
    ``corr_cov``    whitened correlation (Diedrichsen et al. 2020), by rsatoolbox          scale, shift
    ``cosine_cov``  whitened cosine (= linear CKA of squared Euclidean RDMs), rsatoolbox   scale
    ==============  =====================================================================  ================

    All are symmetric in ``a`` and ``b``, do not depend on the order of the conditions, and lie in [-1, 1].

    Parameters
    ----------
    a, b : array_like, shape (n, n)
        RDMs of the same conditions in the same order, n >= 3.
    method : str

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the method is not known, an argument is no RDM, or one has no variance (all tied; for cosines:
        all zero): then nothing is defined.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553 (tau-a); Schütt et al. (2023), eLife 12,
    e82566 (rho-a); Diedrichsen et al. (2020), arXiv:2007.02789 (whitened).
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: expected one of {', '.join(METHODS)}")
    left, right = as_rdm(a, "a"), as_rdm(b, "b")
    require_same_shape(left, right, "a and b")
    x, y = upper_triangle(left), upper_triangle(right)
    for name, values in (("a", x), ("b", y)):
        if (method.startswith("cosine") and not values.any()) or (
            not method.startswith("cosine") and is_constant(values)
        ):
            raise ValueError(
                f"{name} of shape {left.shape} has dissimilarities that are all equal: undefined"
            )
    if method == "pearson":
        return _cosine(x - x.mean(), y - y.mean())
    if method == "spearman":
        x, y = stats.rankdata(x), stats.rankdata(y)
        return _cosine(x - x.mean(), y - y.mean())
    if method == "kendall":
        return _kendall_tau_a(x, y)
    if method == "rho-a":
        return _rho_a(x, y)
    if method == "cosine":
        return _cosine(x, y)
    return _whitened(x, y, method)


def upper_triangle(matrix: Float64) -> Float64:
    """The entries above the diagonal, row by row, (n (n - 1) / 2,)."""
    values: Float64 = matrix[np.triu_indices(len(matrix), 1)]
    return values


def is_constant(values: Float64) -> bool:
    """Whether all values are the same up to rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0))


def _cosine(x: Float64, y: Float64) -> float:
    value = (x @ y) / np.sqrt((x @ x) * (y @ y))
    return float(np.clip(value, -1, 1))


def _kendall_tau_a(x: Float64, y: Float64) -> float:
    """tau-a from scipy's O(n log n) tau-b, by undoing its correction for ties."""
    pairs = len(x) * (len(x) - 1) / 2
    untied = [pairs - float((counts * (counts - 1) / 2).sum()) for counts in (_tie_counts(x), _tie_counts(y))]
    tau_b = float(stats.kendalltau(x, y).statistic)
    return tau_b * float(np.sqrt(untied[0] * untied[1])) / pairs


def _tie_counts(values: Float64) -> Float64:
    return np.unique(values, return_counts=True)[1].astype(np.float64)


def _rho_a(x: Float64, y: Float64) -> float:
    n = len(x)
    product = float(stats.rankdata(x) @ stats.rankdata(y))
    return 12 * product / (n**3 - n) - 3 * (n + 1) / (n - 1)


def _whitened(x: Float64, y: Float64, method: str) -> float:
    # rsatoolbox takes a second to import, and most runs do not need it.
    rsa: Any = import_module("rsatoolbox.rdm")
    return float(rsa.compare(rsa.RDMs(x[None]), rsa.RDMs(y[None]), method=method)[0, 0])
