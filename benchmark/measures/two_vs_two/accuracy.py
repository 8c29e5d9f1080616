"""Similarity encoding: 2 vs 2.

Two spaces are compared through their k x k matrices of correlations between concepts. For the concepts a, b
the rows a, b of both matrices are correlated with the columns a and b left out. Dropping two columns changes
every sum by known terms, so that all pairs come from a few matrix products: see ``margins.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, require_draws
from benchmark.measures._threads import in_threads
from benchmark.measures.permutation import PermutationTest
from benchmark.measures.two_vs_two.margins import (
    BLOCK,
    Indices,
    Side,
    accuracy_of,
    block_margins,
    both,
    corners,
    fits_float32,
    product_of,
)

if TYPE_CHECKING:
    from benchmark.measures.two_vs_two.counts import Counter


@dataclass(frozen=True)
class TwoVsTwo:
    """2 vs 2 of two spaces.

    Attributes
    ----------
    accuracy : float
        Share of the k (k - 1) / 2 pairs that pass; a tie counts one half. Chance is .5.
    ties : int
        How many pairs are tied.
    per_concept : ndarray, shape (k,)
        The same share over the k - 1 pairs of each concept.
    margins : ndarray, shape (k, k), or None
        corr(a, a) + corr(b, b) - corr(a, b) - corr(b, a); positive: passed; exactly 0: a tie. Symmetric; the
        diagonal is NaN.
    """

    accuracy: float
    ties: int
    per_concept: Float64
    margins: Float64 | None = None

    @property
    def outcomes(self) -> Float64:
        """1 passed, .5 tied, 0 failed, for each pair (k, k); NaN on the diagonal. Needs ``margins``."""
        if self.margins is None:
            raise ValueError("margins is None: ask two_vs_two for margins=True")
        return (np.sign(self.margins) + 1) / 2


def two_vs_two(x: ArrayLike, y: ArrayLike, *, margins: bool = False) -> TwoVsTwo:
    """2 vs 2 accuracy of two feature spaces for the same concepts.

    For each pair of concepts a, b: do the rows of the two correlation matrices, with the columns a and b left
    out, go together better as (a, a) and (b, b) than as (a, b) and (b, a)? Equal to that definition in every
    margin to 1e-10; a few matrix products for all pairs, in blocks, so that no k x k matrix is needed
    where k is large. Symmetric in ``x`` and ``y``; invariant to the order of
    the concepts and to shift and scale of each row.

    Parameters
    ----------
    x : array_like, shape (k, p)
        Features of k concepts, k >= 5 (three values must be left to correlate: any two do so perfectly).
    y : array_like, shape (k, q)
        Features of the same concepts, in the same order, in the other space.
    margins : bool
        Whether to give the margin of each pair.

    Returns
    -------
    TwoVsTwo

    Raises
    ------
    ValueError
        If the shapes do not fit, a row of features is constant, or a concept's correlations with the others
        are all equal: then 2 vs 2 is not defined.

    References
    ----------
    Xu, Murphy & Fyshe (2016), Proc. EMNLP, 2017-2021 (BrainBench); Dharmaretnam & Fyshe (2018), Proc.
    NAACL-HLT. There only strict wins count; take ``ties`` off to have that reading.
    """
    a, b, _ = both(x, y)
    k = len(a)
    found = np.full((k, k), np.nan) if margins else None
    if found is None and fits_float32(a, b):
        sums, ties = _counter(a, b).count()
    else:
        sums, ties = _count(a, b, found)
    return TwoVsTwo(
        accuracy=_accuracy(sums),
        ties=ties,
        per_concept=(sums + (k - 1)) / 2 / (k - 1),
        margins=found,
    )


def two_vs_two_permutation(
    x: ArrayLike, y: ArrayLike, n: int, rng: np.random.Generator | int, *, workers: int | None = None
) -> PermutationTest:
    """Test the 2 vs 2 accuracy against permutations of the rows of one space.

    The accuracies under permutation are exact: pairs are counted in float32 where the margin is further from
    zero than the error that it can have, and in float64 elsewhere. Of more than some 5,800 concepts, whose
    k x k matrices are not kept, a permutation takes as long as the score.

    Parameters
    ----------
    x, y : array_like, shape (k, p) and (k, q)
        As :func:`two_vs_two`.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
    workers : int, optional
        Number of threads; by default as many as a matrix product may take. The result does not depend on it.

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        As :func:`two_vs_two`, and if ``n`` is less than one.
    """
    require_draws(n)
    a, b, exchanged = both(x, y)
    k = len(a)
    generator = np.random.default_rng(rng)
    orders = [generator.permutation(k) for _ in range(n)]
    if exchanged:  # moving the rows of x is moving those of y the other way
        orders = [np.argsort(order) for order in orders]
    orders.insert(0, np.arange(k))
    if fits_float32(a, b):
        found = in_threads(_counter(a, b).accuracy, orders, workers)
    else:
        found = [_accuracy(_count(a, b, order=order, workers=workers)[0]) for order in orders]
    return PermutationTest.of(found[0], np.array(found[1:]))


def _counter(a: Side, b: Side) -> Counter:
    # Its kernel is compiled, and takes a third of a second to import: only where it is needed.
    from benchmark.measures.two_vs_two.counts import Counter

    return Counter.of(a, b)


def _count(
    a: Side,
    b: Side,
    margins: Float64 | None = None,
    order: Indices | None = None,
    workers: int | None = None,
) -> tuple[Float64, int]:
    """Pairs passed less pairs failed of each concept (k,), and the ties; fills ``margins`` if given."""
    product = product_of(a, b, order)

    def count(corner: tuple[slice, slice]) -> tuple[Float64, Float64, int]:
        rows, columns = corner
        found = block_margins(a, b, product, rows, columns, order)
        if margins is not None:
            margins[columns, rows] = found.T
            margins[rows, columns] = found
        if rows == columns:
            found[np.tril_indices(len(found))] = np.nan
        signs = np.sign(found)
        return np.nansum(signs, axis=1), np.nansum(signs, axis=0), int((found == 0).sum())

    pieces = corners(len(a), BLOCK)
    sums, ties = np.zeros(len(a)), 0
    for (rows, columns), (by_row, by_column, tied) in zip(
        pieces, in_threads(count, pieces, workers), strict=True
    ):
        sums[rows] += by_row
        sums[columns] += by_column
        ties += tied
    return sums, ties


def _accuracy(sums: Float64) -> float:
    return accuracy_of(int(sums.sum()) // 2, len(sums))
