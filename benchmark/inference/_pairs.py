"""Weighted sums over pairs of conditions, which every bootstrap of an RDM correlation is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import squareform

from benchmark.measures._checks import Float64, Floats
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import is_constant, upper_triangle

#: Below this share of the variance over all pairs, a weighted correlation is undefined
NO_VARIANCE = 1e-12
#: Number of pieces that a symmetric matrix is cut into, so that little more than its upper half is used
_PIECES = 8


def standardised(rdm: Floats, method: str, name: str) -> Float64:
    """The RDM on the scale of a method, with a zero diagonal.

    Values have mean 0 and mean square 1 over pairs; for ``spearman`` these are ranks. For ``cosine`` only the
    mean square is 1.
    """
    if method not in ("pearson", "spearman", "cosine"):
        raise ValueError(f"method is {method!r}: expected 'pearson', 'spearman' or 'cosine'")
    values = upper_triangle(np.asarray(rdm, dtype=np.float64))
    if method != "cosine":
        require_varied(values, rdm, name)
    elif not values.any():
        raise ValueError(f"{name} of shape {rdm.shape} has dissimilarities that are all zero: undefined")
    if method == "spearman":
        values = average_ranks(values)
    if method == "cosine":
        values = values / np.sqrt(np.mean(values**2))
    else:
        values = (values - values.mean()) / values.std()
    result: Float64 = squareform(values)
    return result


def require_varied(values: Float64, rdm: Floats, name: str) -> None:
    """Raise if no correlation with the RDM is defined. ``values`` is its upper triangle."""
    if is_constant(values):
        raise ValueError(f"{name} of shape {rdm.shape} has dissimilarities that are all equal: undefined")


def pair_sum(weights: Float64, matrix: Float64) -> Float64:
    """Sum over i < j of w_i w_j M_ij for a symmetric M with zero diagonal: weights (b, n) -> (b,).

    The sum is half of w' M w, so that one matrix product serves all weights.
    """
    n = len(matrix)
    step = -(-n // _PIECES)
    total = np.zeros(len(weights))
    for start in range(0, n, step):
        stop = min(start + step, n)
        part = weights[:, start:stop] @ matrix[start:stop, start:]
        part[:, : stop - start] /= 2
        total += np.einsum("bi,bi->b", part, weights[:, start:])
    return total


def pair_count(weights: Float64) -> Float64:
    """Sum over i < j of w_i w_j, (b,)."""
    count: Float64 = (weights.sum(axis=1) ** 2 - np.einsum("bi,bi->b", weights, weights)) / 2
    return count


def enough_conditions(weights: Float64) -> np.ndarray:
    """Whether at least three conditions have weight, (b,). With two there is only one pair."""
    return np.asarray((weights > 0).sum(axis=1) >= 3)


@dataclass(frozen=True)
class Moments:
    """A standardised RDM with its weighted mean and variance over pairs, (b,) each. No variance is NaN."""

    rdm: Float64
    mean: Float64
    variance: Float64

    @classmethod
    def from_weights(cls, weights: Float64, rdm: Float64, pairs: Float64, method: str) -> Moments:
        """Moments of an RDM that was standardised for ``method``. For a cosine the mean counts as zero."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.zeros(len(pairs)) if method == "cosine" else pair_sum(weights, rdm) / pairs
            variance = pair_sum(weights, rdm**2) / pairs - mean**2
        return cls(rdm, mean, np.where(variance > NO_VARIANCE, variance, np.nan))

    def correlation(self, other: Moments, weights: Float64, pairs: Float64) -> Float64:
        """Weighted correlation over pairs, (b,). With means of zero it is the cosine."""
        with np.errstate(invalid="ignore", divide="ignore"):
            covariance = pair_sum(weights, self.rdm * other.rdm) / pairs - self.mean * other.mean
            correlation: Float64 = covariance / np.sqrt(self.variance * other.variance)
        return correlation
