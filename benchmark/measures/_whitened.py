"""Whitened comparison of RDMs, in closed form (Diedrichsen et al. 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from benchmark.measures._checks import Float64


def double_centred(rdm: Float64, *, centre: bool) -> Float64:
    """The double-centred RDM with all its entries, (n * n,).

    The cosine of two of these is the whitened cosine. With ``centre`` the mean dissimilarity is subtracted
    first.
    """
    n = len(rdm)
    shift = rdm.sum() / (n * (n - 1)) if centre else 0.0
    means = (rdm.sum(axis=1) - shift * (n - 1)) / n
    offset = means - means.mean() / 2
    centred: Float64 = rdm - (offset + shift)[:, None]
    centred -= offset
    centred[np.diag_indices(n)] += shift
    return centred.ravel()


def whitened_cosine(x: Float64, y: Float64, used: NDArray[np.bool_], *, centre: bool) -> float:
    r"""Whitened cosine over some of the pairs.

    The covariance of the dissimilarities of pairs is :math:`V = 2 I + B B^T`, up to scale: B holds which two
    conditions a pair has. For the pairs in use, its rows in use give :math:`V`, and by Woodbury's identity
    :math:`V^{-1} x = (x - B g) / 2` with :math:`(2 I + B^T B) g = B^T x`: one system of n equations.

    Parameters
    ----------
    x, y : ndarray, shape (n (n - 1) / 2,)
        Upper triangles.
    used : ndarray of bool, shape (n (n - 1) / 2,)
        The pairs in use. The others are not read.
    centre : bool
        Whether the mean over the pairs in use is subtracted first.
    """
    links = squareform(used).astype(np.float64)
    system = links + np.diag(links.sum(axis=1) + 2)
    first, second = np.nonzero(np.triu(links))
    values = np.stack([x[used], y[used]])
    if centre:
        values -= values.mean(axis=1, keepdims=True)
    values /= np.abs(values).max(axis=1, keepdims=True)  # so that no square leaves the range of float64
    sums = np.array([np.bincount(first, v, len(links)) + np.bincount(second, v, len(links)) for v in values])
    additive = np.linalg.solve(system, sums.T).T
    products = values @ (values - additive[:, first] - additive[:, second]).T
    return float(products[0, 1] / np.sqrt(products[0, 0] * products[1, 1]))
