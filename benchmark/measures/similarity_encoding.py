"""Similarity encoding: 2 vs 2, in closed form.

Two spaces are compared through their k x k matrices of correlations between concepts. For the concepts a, b
the rows a, b of both matrices are correlated with the columns a and b left out. Dropping two columns changes
every sum by known terms, so that all pairs come from one product of the two matrices: with diagonals set to
zero, rows centred and brought to unit length off the diagonal, C = A B' and n = k - 2,

    corr(A_a, B_a) without a, b = (C_aa - (1 + 1/n) A_ab B_ab) / sqrt(v_ab u_ab)
    corr(A_a, B_b) without a, b = (C_ab - A_ab B_ba / n)       / sqrt(v_ab u_ba)
    v_ab = 1 - (1 + 1/n) A_ab^2,   u_ab = 1 - (1 + 1/n) B_ab^2
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix, require_draws, rows_in_words
from benchmark.measures.permutation import PermutationTest
from benchmark.measures.rdm import unit_rows

#: A margin this near to zero is a tie: equal up to the rounding of float64
TIE = 1e-12
#: Share of a row's variance left after dropping a column, below which a pair is done from the definition
_ILL_CONDITIONED = 1e-6
#: Standard deviation of a row of correlations, under which the row is constant up to rounding
_CONSTANT = 1e-12


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


@dataclass(frozen=True)
class _Side:
    """One space, ready for the closed form.

    ``rows``: correlations, centred and normed off the diagonal, which is zero; ``left``: what is left of the
    variance of row i without column j; ``whole``: the correlations as they are,
    for pairs that are done from the definition.
    """

    rows: Float64
    left: Float64
    whole: Float64

    @classmethod
    def of(cls, features: ArrayLike, name: str) -> _Side:
        x = as_matrix(features, name).astype(np.float64)
        k = len(x)
        if k < 5:
            raise ValueError(f"{name} has shape {x.shape}: 2 vs 2 needs at least 5 concepts (rows)")
        unit = unit_rows(x, name, centre=True)
        whole = unit @ unit.T
        rows = whole.copy()
        np.fill_diagonal(rows, 0)
        rows -= rows.sum(axis=1, keepdims=True) / (k - 1)
        np.fill_diagonal(rows, 0)
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        constant = norms <= _CONSTANT * np.sqrt(k)
        if constant.any():
            where = rows_in_words(np.flatnonzero(constant))
            raise ValueError(
                f"{name} of shape {x.shape}: correlations with the others are all equal in {where}"
            )
        rows /= norms[:, None]
        left = 1 - (1 + 1 / (k - 2)) * rows**2
        np.fill_diagonal(left, 1)
        return cls(rows, left, whole)

    def permuted(self, order: np.ndarray) -> _Side:
        at = np.ix_(order, order)
        return _Side(self.rows[at], self.left[at], self.whole[at])


def two_vs_two(x: ArrayLike, y: ArrayLike, *, margins: bool = False) -> TwoVsTwo:
    """2 vs 2 accuracy of two feature spaces for the same concepts.

    For each pair of concepts a, b: do the rows of the two correlation matrices, with the columns a and b left
    out, go together better as (a, a) and (b, b) than as (a, b) and (b, a)? Equal to that definition in every
    margin to 1e-10; one matrix product for all pairs. Symmetric in ``x`` and ``y``; invariant to the order of
    the concepts and to shift and scale of each row.

    Parameters
    ----------
    x : array_like, shape (k, p)
        Features of k concepts, k >= 5 (three values must be left to correlate).
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
    a, b = _Side.of(x, "x"), _Side.of(y, "y")
    _require_pairs(a, b)
    values = _margins(a, b)
    accuracy = _accuracy(values)
    outcomes = (np.sign(values) + 1) / 2
    np.fill_diagonal(outcomes, 0)
    k = len(values)
    np.fill_diagonal(values, np.nan)
    return TwoVsTwo(
        accuracy=accuracy,
        ties=int((values == 0).sum()) // 2,
        per_concept=outcomes.sum(axis=1) / (k - 1),
        margins=values if margins else None,
    )


def two_vs_two_permutation(x: ArrayLike, y: ArrayLike, n: int, rng: np.random.Generator) -> PermutationTest:
    """Test the 2 vs 2 accuracy against permutations of the rows of one space.

    Parameters
    ----------
    x, y : array_like, shape (k, p) and (k, q)
        As :func:`two_vs_two`.
    n : int
        Number of permutations.
    rng : numpy.random.Generator

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        As :func:`two_vs_two`, and if ``n`` is less than one.
    """
    require_draws(n)
    a, b = _Side.of(x, "x"), _Side.of(y, "y")
    _require_pairs(a, b)
    orders = (rng.permutation(len(a.rows)) for _ in range(n))
    null = np.array([_accuracy(_margins(a.permuted(order), b)) for order in orders])
    return PermutationTest.of(_accuracy(_margins(a, b)), null)


def _require_pairs(a: _Side, b: _Side) -> None:
    if a.rows.shape != b.rows.shape:
        raise ValueError(
            f"x has {len(a.rows)} rows and y has {len(b.rows)}: expected the same concepts in both"
        )


def _margins(a: _Side, b: _Side) -> Float64:
    """Margin of every pair (k, k); exactly 0 where tied and on the diagonal."""
    k = len(a.rows)
    product = a.rows @ b.rows.T
    same = np.diagonal(product)[:, None] - (1 + 1 / (k - 2)) * a.rows * b.rows
    crossed = product - a.rows * b.rows.T / (k - 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        same /= np.sqrt(a.left * b.left)
        crossed /= np.sqrt(a.left * b.left.T)
    margins: Float64 = same - crossed
    margins += margins.T.copy()
    least = np.minimum(a.left, b.left)
    for i, j in zip(*np.nonzero(np.triu(np.minimum(least, least.T) < _ILL_CONDITIONED, 1)), strict=True):
        margins[i, j] = margins[j, i] = _margin_by_definition(a.whole, b.whole, i, j)
    margins[np.abs(margins) < TIE] = 0
    return margins


def _margin_by_definition(a: Float64, b: Float64, i: int, j: int) -> float:
    keep = np.ones(len(a), dtype=bool)
    keep[[i, j]] = False
    rows = []
    for values in (a[i, keep], a[j, keep], b[i, keep], b[j, keep]):
        centred = values - values.mean()
        norm = np.sqrt(centred @ centred)
        if norm <= _CONSTANT * np.sqrt(len(centred)):
            raise ValueError(f"2 vs 2 of concepts {i} and {j} is undefined: a row without them is constant")
        rows.append(centred / norm)
    a_i, a_j, b_i, b_j = rows
    return float(a_i @ b_i + a_j @ b_j - a_i @ b_j - a_j @ b_i)


def _accuracy(margins: Float64) -> float:
    pairs = len(margins) * (len(margins) - 1)
    # Whole numbers until the last step: the same counts give the same bits.
    return (pairs + int(np.sign(margins).sum())) / (2 * pairs)
