"""Representational dissimilarity matrices from features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Floats, as_matrix, rows_in_words

METRICS = ("correlation", "cosine", "euclidean", "sqeuclidean")


def rdm(features: ArrayLike, metric: str = "correlation") -> Floats:
    r"""Dissimilarity of every pair of conditions.

    ``correlation``: :math:`1 - r(x_i, x_j)` (invariant to shift and scale of each row); ``cosine``:
    :math:`1 - \cos(x_i, x_j)` (invariant to scale of each row and to rotation); ``euclidean``:
    :math:`\|x_i - x_j\|`; ``sqeuclidean``: its square (both invariant to translation and rotation).

    Parameters
    ----------
    features : array_like, shape (n, d)
        One row a condition, one column a unit. float32 is worked on and returned as float32, anything else
        as float64.
    metric : str
        One of ``correlation``, ``cosine``, ``euclidean``, ``sqeuclidean``.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric, zero diagonal, not negative; 0 is identical, greater is less alike.

    Raises
    ------
    ValueError
        If the metric is not known, a value is not finite, or a row has no variance (correlation) or no
        length (cosine); the rows are named.

    References
    ----------
    Kriegeskorte, Mur & Bandettini (2008), Frontiers in Systems Neuroscience 2, 4.
    """
    x = as_matrix(features, "features")
    if metric in ("correlation", "cosine"):
        unit = unit_rows(x, "features", centre=metric == "correlation")
        similarity = unit @ unit.T
        distances = np.subtract(1, similarity, out=similarity)
    elif metric in ("euclidean", "sqeuclidean"):
        distances = _squared_euclidean(x.astype(np.float64, copy=False))
        if metric == "euclidean":
            np.sqrt(distances, out=distances)
        distances = distances.astype(x.dtype, copy=False)
    else:
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(METRICS)}")
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    return distances


def unit_rows(x: Floats, name: str, *, centre: bool) -> Floats:
    """Rows of ``x`` at unit length, after centring each where ``centre``; constant rows are refused."""
    largest = np.abs(x).max(axis=1, keepdims=True)
    # A constant row, centred, leaves rounding error of this size; scaling first keeps its square in range.
    least = 8 * np.finfo(x.dtype).eps * np.sqrt(x.shape[1])
    rows = x / np.where(largest > 0, largest, 1)
    if centre:
        rows -= rows.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    undefined = norms <= least
    if undefined.any():
        what = "constant features" if centre else "features without length"
        kind = "correlation" if centre else "cosine"
        where = rows_in_words(np.flatnonzero(undefined))
        raise ValueError(f"{what}: {kind} undefined ({name} of shape {x.shape}, {where})")
    rows /= norms[:, None]
    return rows


def _squared_euclidean(x: Floats) -> Floats:
    """Squared distances by one product; pairs that are close are done again from their difference.

    |x|^2 + |y|^2 - 2xy loses its digits where x and y are nearly the same.
    """
    x = x - x.mean(axis=0)
    lengths = np.einsum("ij,ij->i", x, x)
    sums = lengths[:, None] + lengths
    squares: Floats = sums - 2 * (x @ x.T)
    rows, columns = np.nonzero(np.triu(squares < 1e-4 * sums, 1))
    step = max(1, 2**22 // x.shape[1])
    for start in range(0, len(rows), step):
        i, j = rows[start : start + step], columns[start : start + step]
        difference = x[i] - x[j]
        squares[i, j] = squares[j, i] = np.einsum("ij,ij->i", difference, difference)
    # The product is symmetric only up to rounding, and its diagonal may fall below zero by as much.
    symmetric: Floats = np.maximum((squares + squares.T) / 2, 0)
    return symmetric
