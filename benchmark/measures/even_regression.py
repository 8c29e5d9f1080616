"""Least squares of many RDMs on the same RDMs, where all pairs have the same weight."""

from __future__ import annotations

import math

import numpy as np

from benchmark.measures._checks import Float64

#: Below this share of the greatest eigenvalue, a direction of correlated predictors is rounding: RDMs come
#: from float32 features
RANK = 1e-9


class EvenRegression:
    """Regressions of many targets on the same predictors, where all pairs have the same weight.

    Parameters
    ----------
    x : ndarray, shape (p, N)
        Predictors: values of all pairs of ``n`` conditions, row by row, with mean 0 and mean square 1.

    Attributes
    ----------
    alone, sharing, apart : float
        What permuted predictors explain of residuals e on average: factors of the sums of e_a e_b over equal
        pairs, over pairs that share one condition, and over both.
    """

    def __init__(self, x: Float64) -> None:
        gram = x @ x.T
        self._x, self._sums = x, sums_by_condition(x)
        self._inverse = np.linalg.pinv(gram, rcond=RANK, hermitian=True)
        rank = round(float(np.sum(self._inverse * gram)))
        sharing = float(np.sum(self._inverse * (self._sums @ self._sums.T))) - 2 * rank
        n = self._sums.shape[1]
        triples = n * (n - 1) * (n - 2)
        # the number of pairs cancels for equal pairs: predictors have mean square one
        self.alone: float = rank
        self.sharing = sharing * x.shape[1] / triples
        self.apart = (rank + sharing) * x.shape[1] * 4 / (triples * (n - 3)) if n > 3 else 0.0

    def residuals(self, y: Float64) -> Float64:
        """What the predictors leave of ``y`` (s, N)."""
        left: Float64 = y - (y @ self._x.T) @ self._inverse @ self._x
        return left

    def explained(self, y: Float64, sums: Float64) -> Float64:
        """R squared of each target, (s,), without the bias of the small sample.

        Parameters
        ----------
        y : ndarray, shape (s, N)
            Targets, with mean 0 and mean square 1.
        sums : ndarray, shape (s, n)
            Their :func:`sums_by_condition`.
        """
        pairs = y.shape[1]
        shared = y @ self._x.T
        slopes = shared @ self._inverse
        explained = np.einsum("sp,sp->s", slopes, shared) / pairs
        alone = pairs * (1 - explained)
        sharing = ((sums - slopes @ self._sums) ** 2).sum(axis=1) - 2 * alone
        noise = self.alone * alone + self.sharing * sharing + self.apart * (alone + sharing)
        corrected: Float64 = explained - noise / pairs**2
        return corrected


def sums_by_condition(rows: Float64) -> Float64:
    """Sums of the pairs of each condition, (q, n), from the values above the diagonal ``rows`` (q, N)."""
    sums: Float64 = square_matrices(rows).sum(axis=2)
    return sums


def square_matrices(rows: Float64) -> Float64:
    """Symmetric matrices (q, n, n) with a zero diagonal, from the values above it, ``rows`` (q, N)."""
    n = (1 + math.isqrt(1 + 8 * rows.shape[1])) // 2
    i, j = np.triu_indices(n, 1)
    matrices = np.zeros((len(rows), n, n))
    matrices[:, i, j] = matrices[:, j, i] = rows
    return matrices
