"""Spearman correlation of RDMs in bootstrap samples, ranked again in each, without sorting again.

A pair of conditions drawn w_i and w_j times is there w_i w_j times, all of them tied. In the order of the
whole sample's dissimilarities, sorted once, the mid-rank of a pair is the number of copies before it and half
of its own; a sample costs a running sum. Twice the mid-ranks are whole numbers, so that nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.measures._checks import Float64, Floats
from benchmark.measures._ranks import sort_order
from benchmark.measures._threads import in_threads
from benchmark.measures.compare import upper_triangle


class Ranking:
    """The pairs of an RDM in the order of their dissimilarities."""

    def __init__(self, rdm: Floats) -> None:
        order, starts = sort_order(upper_triangle(np.asarray(rdm, dtype=np.float64)))
        self.order = order.astype(np.intp)  # what numpy indexes with
        firsts = np.flatnonzero(starts)
        self.firsts = firsts if len(firsts) < len(starts) else None  # of each group of ties, if there are any

    def centred(self, copies: NDArray[Any]) -> Float64:
        """Mid-ranks of the pairs, each there ``copies`` times, less the mean rank; twice as large."""
        mine = np.take(copies, self.order, mode="clip")
        upto: NDArray[Any] = np.cumsum(mine, dtype=np.int64 if len(mine) > 2**22 else np.int32)
        total = upto[-1]
        if self.firsts is None:
            upto *= 2
            upto -= mine
        else:
            before = np.append(0, upto[self.firsts[1:] - 1])
            upto = np.repeat(before + np.append(before[1:], total), np.diff(self.firsts, append=len(mine)))
        ranks = np.empty(len(mine))
        ranks[self.order] = upto - total
        return ranks


def reranked(
    models: Sequence[Floats], targets: Sequence[Floats], weights: Float64, workers: int | None
) -> Float64:
    """Spearman correlations (b, models, targets); NaN where all pairs of a sample are tied."""
    left, right = [Ranking(rdm) for rdm in models], [Ranking(rdm) for rdm in targets]

    def sample(counts: Float64) -> Float64:
        copies = _copies(counts)
        ranks = [ranking.centred(copies) for ranking in right]
        squares = np.array([_square(values, copies) for values in ranks])
        found = np.empty((len(left), len(right)))
        for row, ranking in zip(found, left, strict=True):
            mine = ranking.centred(copies)
            square = _square(mine, copies)
            mine *= copies
            row[:] = [mine @ values for values in ranks] / np.sqrt(square * squares)
        return found

    return np.array(in_threads(sample, list(weights), workers))


def _square(ranks: Float64, copies: NDArray[Any]) -> float:
    """Weighted sum of squares; NaN where there is none."""
    total = float((ranks * copies) @ ranks)
    return total if total > 0 else float("nan")


def _copies(counts: Float64) -> NDArray[Any]:
    """How often each pair is there, row by row of the upper triangle."""
    small = counts.astype(np.min_scalar_type(int(counts.max()) ** 2))
    n = len(small)
    copies = np.empty(n * (n - 1) // 2, dtype=small.dtype)
    start = 0
    for i in range(n - 1):
        stop = start + n - 1 - i
        np.multiply(small[i], small[i + 1 :], out=copies[start:stop])
        start = stop
    return copies
