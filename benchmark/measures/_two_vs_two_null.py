r"""2 vs 2 of one permutation after another: counted in float32, and where that cannot tell in float64.

The margin of a pair is T_ij + T_ji. With a = A / sqrt(v), b = B / sqrt(u), p = 1 / sqrt(v), q = 1 / sqrt(u),
c = 1 + 1/n, and C = X - alpha_i B_ji - beta_j A_ij as in ``_two_vs_two.py``,

    T_ij = p_ij (C_ii q_ij + alpha_i b_ji - X_ij q_ji) - a_ij (c b_ij - b_ji / n - beta_j q_ji)

where only a (and p = sqrt(1 + c a^2)) moves with the permutation; X is one matrix product.

**Error bound.** Let u = 2^-24 be the unit roundoff of float32 and x the greatest length of a row of the left
factor of X times that of the right. A sum of r products, in pieces of at most l that are then added, has at
most l + ceil(r / l) roundings on any one of its terms, in whatever order the pieces are summed, and its
factors two more. By Cauchy and Schwarz |X^ - X| <= g x, g = (l + ceil(r / l) + 2) u to first order. Pairs in
which an entry of A or B is above 1/2 in size are left to float64; in the others v, u >= 2/3 (k >= 5), so
that p q <= 3/2 and |a|, |b| <= .62. No number then passes more than 16 further roundings on its way to the
margin, each of at most u times the sum of the sizes of the terms, S = 2.2 + .75 (|alpha| + |beta|) + 1.5 x.
The factor two is for T_ij + T_ji, and that of 1.001 covers what is of second order in u:

    |margin^ - margin| <= 2 (1.5 g x + 16 u S) 1.001

A margin that is further from zero has the right sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64
from benchmark.measures._two_vs_two import (
    Indices,
    Product,
    Side,
    accuracy_of,
    full_rank,
    is_low_rank,
    low_rank,
    pair_margins,
)

Float32 = NDArray[np.float32]

#: Unit roundoff of float32
_UNIT = 2.0**-24
#: Products summed in one piece: the error bound grows with it
_PIECE = 640
#: Rows worked on together, and sides of a square of pairs that is counted: what a processor's cache holds
_ROWS, _SQUARE = 32, 256
#: Square of an entry of A or B above which a pair is left to float64
_HEAVY = 0.25
#: Numbers gathered at once for the pairs that are done again
_GATHERED = 2**22


@dataclass(frozen=True)
class Counter:
    """What all permutations share; ``a`` is the space that is permuted."""

    a: Side
    b: Side
    whole: tuple[Float64, Float64] | None  # A and B, where their product is not of low rank
    moving: Float32  # a; NaN where a pair is left to float64
    upright: Float32  # q; NaN likewise
    turned: Float32  # q'
    crossed: Float32  # b'
    fixed: Float32  # c b - b' / n - beta q'

    @staticmethod
    def fits(a: Side, b: Side) -> bool:
        """Whether there is memory for k x k matrices."""
        return a.whole is not None and b.whole is not None

    @classmethod
    def of(cls, a: Side, b: Side) -> Counter:
        low = is_low_rank(a, b)
        rows_a, rows_b = a.rows(), b.rows()
        k = len(a)
        moving, _ = _over_root(rows_a)
        ratio, root = _over_root(rows_b)
        fixed = (1 + 1 / (k - 2)) * ratio - ratio.T / (k - 2)
        if low:
            fixed -= root.T * b.own
        return cls(
            a,
            b,
            None if low else (rows_a, rows_b),
            moving.astype(np.float32),
            root.astype(np.float32),
            np.ascontiguousarray(root.T, dtype=np.float32),
            np.ascontiguousarray(ratio.T, dtype=np.float32),
            fixed.astype(np.float32),
        )

    def accuracy(self, order: Indices) -> float:
        """2 vs 2 accuracy with the concepts of ``a`` in ``order``; exact."""
        product = low_rank(self.a, self.b, order) if self.whole is None else full_rank(*self.whole, order)
        halves = self._halves(product, order)
        bound = error_bound(product)
        balance, unsure = 0, []
        pieces = blocks(len(halves), _SQUARE)
        for n, rows in enumerate(pieces):
            for columns in pieces[n:]:
                found = halves[rows, columns] + halves[columns, rows].T
                if rows == columns:
                    found[np.tril_indices(len(found))] = np.inf
                    balance -= len(found) * (len(found) + 1) // 2
                passed, failed = found > bound, found < -bound
                balance += int(np.count_nonzero(passed)) - int(np.count_nonzero(failed))
                i, j = np.nonzero(~(passed | failed))
                unsure.append((i + rows.start, j + columns.start))
        i, j = (np.concatenate(parts) for parts in zip(*unsure, strict=True))
        step = max(1, _GATHERED // product.left.shape[1])
        for start in range(0, len(i), step):
            at = slice(start, start + step)
            found = pair_margins(self.a, self.b, product, i[at], j[at], order)
            balance += int(np.sign(found).sum())
        return accuracy_of(balance, len(halves))

    def _halves(self, product: Product, order: Indices) -> Float32:
        """T, (k, k)."""
        halves = _in_pieces(product.left.astype(np.float32), product.right.astype(np.float32))
        k = len(halves)
        slope = np.float32(1 + 1 / (k - 2))
        own, diagonal = (v.astype(np.float32)[:, None] for v in (product.alpha, product.diagonal))
        for rows in blocks(k, _ROWS):
            half = halves[rows]
            moving = np.take(self.moving[order[rows]], order, axis=1, mode="clip")
            half *= self.turned[rows]
            work = self.upright[rows] * diagonal[rows]
            np.subtract(work, half, out=half)
            if self.whole is None:
                half += np.multiply(self.crossed[rows], own[rows], out=work)
            np.multiply(moving, moving, out=work)
            work *= slope
            work += 1
            half *= np.sqrt(work, out=work)
            half -= np.multiply(moving, self.fixed[rows], out=work)
        return halves


def error_bound(product: Product) -> float:
    """How far a margin from float32 may be from the true one; see above."""
    terms = product.left.shape[1]
    piece = min(terms, _PIECE)
    product_error = (piece + -(-terms // piece) + 2) * _UNIT
    alpha, beta = np.abs(product.alpha).max(), np.abs(product.beta).max()
    sizes = 2.2 + 0.75 * (alpha + beta) + 1.5 * product.longest
    return float(2 * (1.5 * product_error * product.longest + 16 * _UNIT * sizes) * 1.001)


def _over_root(rows: Float64) -> tuple[Float64, Float64]:
    """A / sqrt(v) and 1 / sqrt(v); NaN where the entry is heavy."""
    squares = rows**2
    squares[squares > _HEAVY] = np.nan
    root = 1 / np.sqrt(1 - (1 + 1 / (len(rows) - 2)) * squares)
    return rows * root, root


def _in_pieces(left: Float32, right: Float32) -> Float32:
    """Left right', no more than ``_PIECE`` products of a sum at a time."""
    total: NDArray[Any] = left[:, :_PIECE] @ right[:, :_PIECE].T
    for start in range(_PIECE, left.shape[1], _PIECE):
        at = slice(start, start + _PIECE)
        total += left[:, at] @ right[:, at].T
    return total
