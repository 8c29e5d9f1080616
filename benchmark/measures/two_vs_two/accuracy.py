"""Similarity encoding: 2 vs 2.

Two spaces are compared through their k x k matrices of correlations between concepts. For the concepts a, b
the rows a, b of both matrices are correlated, with the columns a and b left out. Dropping two columns changes
every sum by known terms. So a few matrix products give all pairs: see ``margins.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, require_draws
from benchmark.measures._threads import in_threads
from benchmark.measures.permutation import PermutationTest
from benchmark.measures.two_vs_two.counts import Counter
from benchmark.measures.two_vs_two.margins import (
    BLOCK,
    Correlations,
    Indices,
    Side,
    accuracy_of,
    block_correlations,
    corners,
    paired_sides,
    product_of,
)


@dataclass(frozen=True)
class TwoVsTwo:
    """2 vs 2 of two spaces.

    Attributes
    ----------
    accuracy : float
        Share of the k (k - 1) / 2 pairs that pass. A tie counts one half. Chance is .5.
    ties : int
        How many pairs are tied.
    per_concept : ndarray, shape (k,)
        The same share over the k - 1 pairs of each concept.
    margins : ndarray, shape (k, k), or None
        corr(a, a) + corr(b, b) - corr(a, b) - corr(b, a) of each pair. Positive: passed. Exactly 0: a tie.
        Symmetric; the diagonal is NaN. None unless ``two_vs_two`` was called with ``margins=True``.
    matched : ndarray, shape (k, k), or None
        corr(a, a) + corr(b, b) of each pair, halved: the mean correlation of the two true assignments. That
        of the two crossed ones is less by half of the margin. NaN and None as ``margins``.
    """

    accuracy: float
    ties: int
    per_concept: Float64
    margins: Float64 | None = None
    matched: Float64 | None = None

    @property
    def outcomes(self) -> Float64:
        """1 passed, .5 tied, 0 failed, for each pair (k, k). NaN on the diagonal. It needs ``margins``."""
        if self.margins is None:
            raise ValueError("margins is None: call two_vs_two with margins=True")
        return (np.sign(self.margins) + 1) / 2


def two_vs_two(x: ArrayLike, y: ArrayLike, *, margins: bool = False) -> TwoVsTwo:
    """2 vs 2 accuracy of two feature spaces for the same concepts.

    For each pair of concepts a, b, take the rows a and b of both correlation matrices and leave the columns a
    and b out. The pair passes if these rows correlate more as (a, a) and (b, b) than as (a, b) and (b, a).
    Every margin equals that definition to 1e-10. A few matrix products give all pairs, in blocks, so that no
    k x k matrix is needed where k is large. Symmetric in ``x`` and ``y``. Invariant to the order of the
    concepts and to shift and scale of each row.

    Parameters
    ----------
    x : array_like, shape (k, p)
        Features of k concepts, k >= 5. (Three values must be left to correlate; any two correlate perfectly.)
    y : array_like, shape (k, q)
        Features of the same concepts, in the same order, in the other space.
    margins : bool
        Whether to return the margin of each pair.

    Returns
    -------
    TwoVsTwo
        Greater accuracy is better; chance is .5.

    Raises
    ------
    ValueError
        If the shapes do not fit, a row of features is constant, or a concept's correlations with the others
        are all equal. 2 vs 2 is then not defined.

    References
    ----------
    Xu, Murphy & Fyshe (2016), Proc. EMNLP, 2017-2021 (BrainBench); Dharmaretnam & Fyshe (2018), Proc.
    NAACL-HLT. They count strict wins only: subtract ``ties / (k (k - 1))`` for that reading.

    Examples
    --------
    Word vectors of ten concepts, and image features that share some of their structure.

    >>> import numpy as np
    >>> from benchmark.measures import two_vs_two
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(10, 20))
    >>> images = words @ rng.normal(size=(20, 30)) + 6 * rng.normal(size=(10, 30))
    >>> result = two_vs_two(words, images)
    >>> round(result.accuracy, 3), result.ties
    (0.956, 0)
    >>> result.per_concept.round(2)[:4]
    array([1.  , 1.  , 0.89, 0.89])
    """
    a, b, _ = paired_sides(x, y)
    k = len(a)
    pairs = Correlations(*np.full((2, k, k), np.nan)) if margins else None
    if pairs is None and a.whole is not None:
        sums, ties = Counter.from_sides(a, b).count()
    else:
        sums, ties = _count(a, b, pairs)
    return TwoVsTwo(
        accuracy=_accuracy(sums),
        ties=ties,
        per_concept=(sums + (k - 1)) / 2 / (k - 1),
        margins=pairs and pairs.margins,
        matched=pairs and pairs.matched / 2,
    )


def two_vs_two_permutation(
    x: ArrayLike, y: ArrayLike, n: int, rng: np.random.Generator | int, *, workers: int | None = None
) -> PermutationTest:
    """Test the 2 vs 2 accuracy against permutations of the rows of one space.

    The accuracies under permutation are exact. Up to 256 concepts are counted in float64, many permutations
    at once. Of more, a pair is counted in float32 if its margin is further from zero than the greatest
    possible error, and in float64 otherwise. With more than some 5,800 concepts the k x k matrices are not
    kept, and a permutation takes as long as the score.

    Parameters
    ----------
    x, y : array_like, shape (k, p) and (k, q)
        As :func:`two_vs_two`.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.
    workers : int, optional
        Number of threads. The default is as many as a matrix product may take. The result does not depend on
        it.

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        As :func:`two_vs_two`, or if ``n`` is less than one.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import two_vs_two_permutation
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(10, 20))
    >>> images = words @ rng.normal(size=(20, 30)) + 6 * rng.normal(size=(10, 30))
    >>> test = two_vs_two_permutation(words, images, n=99, rng=0)
    >>> round(test.score, 3), round(test.chance, 2), round(test.p, 2)
    (0.956, 0.49, 0.01)
    """
    require_draws(n)
    a, b, exchanged = paired_sides(x, y)
    k = len(a)
    generator = np.random.default_rng(rng)
    orders = [generator.permutation(k) for _ in range(n)]
    if exchanged:  # permuting the rows of x is the inverse permutation of those of y
        orders = [np.argsort(order) for order in orders]
    orders.insert(0, np.arange(k))
    if a.whole is not None:
        counter = Counter.from_sides(a, b)
        batches = [np.array(orders[batch]) for batch in blocks(len(orders), counter.together)]
        accuracies = list(chain.from_iterable(in_threads(counter.accuracies, batches, workers)))
    else:
        accuracies = [_accuracy(_count(a, b, order=order, workers=workers)[0]) for order in orders]
    return PermutationTest.of(accuracies[0], np.array(accuracies[1:]))


def _count(
    a: Side,
    b: Side,
    pairs: Correlations | None = None,
    order: Indices | None = None,
    workers: int | None = None,
) -> tuple[Float64, int]:
    """Pairs passed less pairs failed of each concept (k,), and the number of ties.

    Writes the correlations of all pairs, (k, k) each, into ``pairs`` if it is not None.
    """
    product = product_of(a, b, order)

    def count(corner: tuple[slice, slice]) -> tuple[Float64, Float64, int]:
        rows, columns = corner
        found = block_correlations(a, b, product, rows, columns, order)
        for values, whole in zip(found, pairs or (), strict=False):
            whole[columns, rows] = values.T
            whole[rows, columns] = values
        block = found.margins
        if rows == columns:
            block[np.tril_indices(len(block))] = np.nan
        signs = np.sign(block)
        return np.nansum(signs, axis=1), np.nansum(signs, axis=0), int((block == 0).sum())

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
