"""Spearman correlation of RDMs in bootstrap samples, ranked anew in each sample, without another sort.

If conditions i and j are drawn w_i and w_j times, their pair occurs w_i w_j times, and all these copies tie.
The dissimilarities of the whole sample are sorted once. In that order, the mid-rank of a pair is the number
of copies before it plus half of its own. So a sample costs one running sum. Twice the mid-ranks are whole
numbers, so nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.inference._pairs import Used
from benchmark.measures._checks import Float64, Floats
from benchmark.measures._ranks import sort_order
from benchmark.measures._threads import in_threads
from benchmark.measures.compare import upper_triangle


class Ranking:
    """The pairs of an RDM in the order of their dissimilarities. Pairs that are NaN stand anywhere."""

    def __init__(self, rdm: Floats) -> None:
        order, starts = sort_order(_filled(upper_triangle(np.asarray(rdm, dtype=np.float64))))
        self.order = order.astype(np.intp)  # the type that numpy uses for an index
        firsts = np.flatnonzero(starts)
        self.firsts = (
            firsts if len(firsts) < len(starts) else None
        )  # first of each group of ties; None without ties

    def centred(self, copies: NDArray[Any]) -> Float64:
        """Twice the mid-ranks of the pairs, less their mean, where each pair occurs ``copies`` times."""
        ordered = np.take(copies, self.order, mode="clip")
        upto: NDArray[Any] = np.cumsum(ordered, dtype=np.int64 if len(ordered) > 2**22 else np.int32)
        total = upto[-1]
        if self.firsts is None:
            upto *= 2
            upto -= ordered
        else:
            before = np.append(0, upto[self.firsts[1:] - 1])
            upto = np.repeat(before + np.append(before[1:], total), np.diff(self.firsts, append=len(ordered)))
        ranks = np.empty(len(ordered))
        ranks[self.order] = upto - total
        return ranks


def reranked(
    models: Sequence[Floats],
    targets: Sequence[Floats],
    weights: Float64,
    workers: int | None,
    used: Used | None = None,
) -> Float64:
    """Spearman correlations (b, models, targets). NaN where all pairs in use of a sample are tied."""
    left, right = [Ranking(rdm) for rdm in models], [Ranking(rdm) for rdm in targets]

    def sample(counts: Float64) -> Float64:
        copies = _copies(counts)
        if used is not None:
            copies *= used
        ranks = [ranking.centred(copies) for ranking in right]
        squares = np.array([_square(values, copies) for values in ranks])
        correlations = np.empty((len(left), len(right)))
        for row, ranking in zip(correlations, left, strict=True):
            model_ranks = ranking.centred(copies)
            square = _square(model_ranks, copies)
            model_ranks *= copies
            row[:] = [model_ranks @ values for values in ranks] / np.sqrt(square * squares)
        return correlations

    return np.array(in_threads(sample, list(weights), workers))


def _filled(values: Float64) -> Float64:
    """``values`` with a finite number in place of each NaN. Such a pair has no copies, so no effect."""
    absent = np.isnan(values)
    return np.where(absent, values[~absent][0], values) if absent.any() else values


def _square(ranks: Float64, copies: NDArray[Any]) -> float:
    """Weighted sum of squares. NaN where it is zero."""
    total = float((ranks * copies) @ ranks)
    return total if total > 0 else float("nan")


def _copies(counts: Float64) -> NDArray[Any]:
    """How often each pair occurs, row by row of the upper triangle."""
    small = counts.astype(np.min_scalar_type(int(counts.max()) ** 2))
    n = len(small)
    copies = np.empty(n * (n - 1) // 2, dtype=small.dtype)
    start = 0
    for i in range(n - 1):
        stop = start + n - 1 - i
        np.multiply(small[i], small[i + 1 :], out=copies[start:stop])
        start = stop
    return copies
