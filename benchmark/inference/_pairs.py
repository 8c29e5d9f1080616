"""Weighted sums over pairs of conditions, which every bootstrap of an RDM correlation is computed from.

Where pairs are missing, ``used`` are those in use: a bool for each pair of the upper triangle, row by row.
None stands for all pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from benchmark.measures._checks import FEWEST_PAIRS, Float64, Floats
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import is_constant, upper_triangle

Used = NDArray[np.bool_]

#: Below this share of the variance over all pairs, a weighted correlation is undefined
NO_VARIANCE = 1e-12
#: Number of pieces that a symmetric matrix is cut into, so that little more than its upper half is used. One
#: of fewer than _WHOLE conditions is not cut: the products are so small that their number counts
_PIECES, _WHOLE = 8, 128


def measured_pairs(rdm: Floats) -> Used | None:
    """The pairs of ``rdm`` that are not NaN. None: no pair is missing."""
    used = ~np.isnan(upper_triangle(np.asarray(rdm)))
    return None if used.all() else used


def by_pairs(rdms: Iterable[Floats]) -> list[tuple[Used | None, list[int]]]:
    """The numbers of the RDMs that have the same pairs, with these pairs, in order of first appearance."""
    groups: dict[bytes, tuple[Used | None, list[int]]] = {}
    for i, rdm in enumerate(rdms):
        used = measured_pairs(rdm)
        groups.setdefault(b"" if used is None else used.tobytes(), (used, []))[1].append(i)
    return list(groups.values())


def both(first: Used | None, second: Used | None) -> Used | None:
    """The pairs in use in both."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def standardised(rdm: Floats, method: str, name: str, used: Used | None = None) -> Float64:
    """The RDM on the scale of a method, with a zero diagonal.

    Values have mean 0 and mean square 1 over the pairs in use; for ``spearman`` these are ranks among them.
    For ``cosine`` only the mean square is 1. Pairs that are not in use are 0.
    """
    if method not in ("pearson", "spearman", "cosine"):
        raise ValueError(f"method is {method!r}: expected 'pearson', 'spearman' or 'cosine'")
    values = upper_triangle(np.asarray(rdm, dtype=np.float64))
    if used is not None:
        values = values[used]
    if method != "cosine":
        require_varied(values, rdm, name, used)
    elif not values.any():
        raise ValueError(f"{name} of shape {rdm.shape} has dissimilarities that are all zero: undefined")
    if method == "spearman":
        values = average_ranks(values)
    if method == "cosine":
        values = values / np.sqrt(np.mean(values**2))
    else:
        values = (values - values.mean()) / values.std()
    result: Float64 = squareform(values if used is None else spread(values, used))
    return result


def spread(values: Float64, used: Used) -> Float64:
    """``values`` of the pairs in use at their places among all pairs, with 0 at the others."""
    everywhere = np.zeros(len(used))
    everywhere[used] = values
    return everywhere


def require_varied(values: Float64, rdm: Floats, name: str, used: Used | None = None) -> None:
    """Raise if no correlation with the RDM is defined. ``values`` are those of its pairs in use."""
    if is_constant(values):
        among = "" if used is None else f" among the {len(values)} pairs in use"
        raise ValueError(
            f"{name} of shape {rdm.shape} has dissimilarities that are all equal{among}: undefined"
        )


def pair_sum(weights: Float64, matrix: Float64) -> Float64:
    """Sum over i < j of w_i w_j M_ij for a symmetric M with zero diagonal: weights (b, n) -> (b,).

    The sum is half of w' M w, so that one matrix product serves all weights.
    """
    n = len(matrix)
    step = n if n < _WHOLE else -(-n // _PIECES)
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


def links(used: Used | None) -> Float64 | None:
    """1 where a pair is in use, (n, n), else 0. None: all pairs are."""
    return None if used is None else squareform(used.astype(np.float64))


def weighted_pairs(weights: Float64, pairs: Float64 | None) -> tuple[Float64, NDArray[np.bool_]]:
    """Number of pairs in use in each draw, copies counted, and whether there are three without copies, (b,).

    ``pairs`` is 1 where a pair is in use (:func:`links`).
    """
    if pairs is None:
        return pair_count(weights), enough_conditions(weights)
    enough = pair_sum((weights > 0).astype(np.float64), pairs) >= FEWEST_PAIRS
    return pair_sum(weights, pairs), enough


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
