"""Count the pairs of 2 vs 2 for many permutations, in float32 where that is precise enough.

The letters are those of ``margins.py``, and X = left right'. What a permutation only reorders is computed
once, in float64: A, r = 1 / sqrt(v), q = 1 / sqrt(u), b = B q and h_ij = c b_ij - b_ji / n. The margin of i
and j is then M_ij + M_ji with

    M_ij = r_ij (C_ii q_ij - (X_ij q_ji - alpha_i b_ji) - A_ij h_ij)

Of few concepts, several permutations are counted at once and in float64. Of many, one permutation is counted
strip by strip and in float32, which takes half the time. float32 decides only *well-conditioned* pairs, whose
v and u are all above .9. For all others r or q is NaN.

**Error bound.** Let u = 2^-24, the unit roundoff of float32. k >= 5, so c = 1 + 1/n <= 4/3. In a
well-conditioned pair r q <= 1 / .9, and |A|, |B| <= sqrt(.1 / c), so that |b| <= .334 and |r A h| <= .14.

- *Product.* Take a sum of m products, in pieces of at most l that are then added. Any one of its terms is
  rounded at most l + m / l + 1 times, whatever the order in which the pieces are summed, and its factors
  twice more. Let x be the greatest length of a row of the left factor times that of the right factor. By
  Cauchy and Schwarz |X^ - X| <= g x, with g = (l + m / l + 3) u. The diagonal of C is summed in float64 from
  products in float32: its error is at most (3 x + 1) u. Both errors enter two terms each, times r q.
- *The rest.* The factors of a term are rounded at most three times, and the term at most eight times before
  it is in the margin. Each rounding is at most u times the sum of the sizes of the terms, which are C r q,
  X r q, alpha r b and r A h, twice each: S = 2.51 + 2.23 x + .75 |alpha|.

With a factor 1.01 for terms of second order in u,

    |margin^ - margin| <= 1.01 (2.23 ((g + 3 u) x + u) + 12 u S)

A margin that is further from zero has the right sign. The other pairs, some in a thousand, are recomputed in
float64, and so are the pairs that are not well-conditioned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import TIE, Float64, Floats
from benchmark.measures._threads import in_threads
from benchmark.measures.two_vs_two.margins import (
    ILL_CONDITIONED,
    Indices,
    Pairs,
    Product,
    Side,
    accuracy_of,
    corners,
    lengths,
    pair_margins,
    product_of,
)

#: Up to this many concepts all is in float64: of few concepts too many pairs are not well-conditioned
_FEW = 256
#: Share of its variance that a row must keep without a column. Below it, float32 decides nothing
_LEAST_SHARE = 0.9
#: Unit roundoff of float32
_UNIT = 2.0**-24
#: Number of products summed in one piece. The error bound grows with it
_PIECE = 160
#: Rows of a strip: few enough for the cache, many enough for fast products
_ROWS = 64
#: Rows and columns of a tile in which both halves of a margin are added
_TILE = 128
#: Entries of the matrices of the permutations that are counted at once
_TOGETHER = 2**15
#: Numbers gathered at once for the pairs that are recomputed
_GATHERED = 2**18


class Kept(NamedTuple):
    """What does not change with a permutation, (k, k) each. NaN where a pair is not well-conditioned."""

    a: Floats
    r: Floats
    q: Floats
    q_turned: Floats
    b_turned: Floats
    h: Floats

    @classmethod
    def from_sides(cls, a: Side, b: Side, dtype: type[np.floating]) -> Kept:
        """Computed in float64 and stored as ``dtype``. Both sides must keep V V'."""
        k = len(a)
        c, least = 1 + 1 / (k - 2), _LEAST_SHARE if dtype is np.float32 else ILL_CONDITIONED
        kept = cls(*(np.empty((k, k), dtype=dtype) for _ in cls._fields))

        def roots(entries: Float64) -> Float64:
            shares = 1 - c * entries**2
            return 1 / np.sqrt(np.where(shares > least, shares, np.nan))

        def fill(rows: slice) -> None:
            in_a, in_b, turned = a.rows(rows), b.rows(rows), b.columns(rows)
            kept.a[rows], kept.r[rows] = in_a, roots(in_a)
            kept.q[rows] = root = roots(in_b)
            kept.q_turned[rows] = root_turned = roots(turned)
            kept.b_turned[rows] = turned = turned * root_turned
            kept.h[rows] = c * in_b * root - turned / (k - 2)

        in_threads(fill, blocks(k, _ROWS))
        return kept


class Permuted(NamedTuple):
    """The terms that change with ``m`` permutations, in their orders."""

    orders: Indices  # (m, k)
    alpha: Float64  # (m, k)
    right: Float64  # the right factor of X, (m, k, p), or (k, k) if it is B itself
    rounded: Floats  # the same, in the counter's precision
    bounds: Float64  # greatest error of a margin in that precision, in a well-conditioned pair, (m, 1, 1)


class Tile(NamedTuple):
    """What is decided about the pairs of some rows and columns, (m, rows, columns) each."""

    rows: slice
    columns: slice
    passed: np.ndarray
    doubtful: np.ndarray


@dataclass(frozen=True)
class Counter:
    """2 vs 2 of two spaces. A permutation reorders the concepts of ``a``."""

    a: Side
    b: Side
    factors: Product
    left: Floats  # the left factor of X in the counter's precision
    kept: Kept

    @classmethod
    def from_sides(cls, a: Side, b: Side) -> Counter:
        """The counter of the spaces ``a`` and ``b``, whose V V' must be kept."""
        dtype = np.float64 if len(a) <= _FEW else np.float32
        factors = product_of(a, b)
        return cls(a, b, factors, factors.left.astype(dtype), Kept.from_sides(a, b, dtype))

    @property
    def together(self) -> int:
        """How many permutations are best counted at once."""
        return max(1, _TOGETHER // self._k**2)

    def accuracies(self, orders: Indices) -> list[float]:
        """2 vs 2 accuracy with the concepts of ``a`` in each of ``orders`` (m, k). They are exact."""
        terms = self._permuted(orders)
        balance, found = np.zeros(len(orders), dtype=np.intp), []
        for tile in self._tiles(terms, workers=1):
            balance += 2 * np.array([np.count_nonzero(passed) for passed in tile.passed])
            found.append(_pairs(tile))
        doubtful = np.concatenate(found)
        balance += np.bincount(doubtful[:, 0], self._signs(terms, doubtful) + 1, len(orders)).astype(np.intp)
        return [accuracy_of(int(twice) - self._k * (self._k - 1) // 2, self._k) for twice in balance]

    def count(self) -> tuple[Float64, int]:
        """Pairs passed less pairs failed of each concept (k,), and the ties, without a permutation."""
        terms = self._permuted(np.arange(self._k)[None])
        # A concept has k - 1 pairs. It fails those that do not pass and are not in doubt.
        sums, found = np.full(self._k, 1.0 - self._k), []
        for tile in self._tiles(terms):
            sums[tile.rows] += 2 * tile.passed[0].sum(axis=1)
            sums[tile.columns] += 2 * tile.passed[0].sum(axis=0)
            found.append(_pairs(tile))
        doubtful = np.concatenate(found)
        signs = self._signs(terms, doubtful)
        for concepts in doubtful.T[1:]:
            sums += np.bincount(concepts, signs + 1, minlength=self._k)
        return sums, int(np.count_nonzero(signs == 0))

    @property
    def _k(self) -> int:
        return len(self.left)

    @property
    def _is_full(self) -> bool:
        """Whether the left factor is A itself. Its columns are then permuted too."""
        return bool(self.left.shape[1] == self._k)

    def _permuted(self, orders: Indices) -> Permuted:
        if self._is_full:
            right = self.factors.right
        else:
            right = np.stack([self.b.times(self.a.centred[order]) for order in orders])
        alpha = self.factors.alpha[orders]
        longest = lengths(self.factors.left).max() * lengths(right.reshape(-1, right.shape[-1])).max()
        bounds = self._bound(float(longest), np.abs(alpha).max(axis=1))[:, None, None]
        return Permuted(orders, alpha, right, right.astype(self.left.dtype, copy=False), bounds)

    def _bound(self, x: float, alpha: Float64) -> Float64:
        """The error bound of the module's docstring."""
        if self.left.dtype == np.float64:
            return np.full(len(alpha), TIE)
        pieces = _pieces(self.left.shape[1])
        products = (pieces[0].stop + len(pieces) + 5) * _UNIT * x + _UNIT
        bound: Float64 = 1.01 * (2.23 * products + 12 * _UNIT * (2.51 + 2.23 * x + 0.75 * alpha))
        return bound

    def _tiles(self, terms: Permuted, workers: int | None = None) -> Iterator[Tile]:
        """All pairs above the diagonal, decided where the precision allows."""
        halves = np.empty((len(terms.orders), self._k, self._k), dtype=self.left.dtype)
        in_threads(lambda rows: self._fill(terms, rows, halves[:, rows]), blocks(self._k, _ROWS), workers)
        for rows, columns in corners(self._k, _TILE):
            margins = halves[:, rows, columns] + halves[:, columns, rows].swapaxes(1, 2)
            if rows == columns:  # below the diagonal nothing passes and nothing is in doubt
                np.copyto(margins, -np.inf, where=np.tri(margins.shape[1], dtype=bool))
            passed = margins > terms.bounds
            yield Tile(rows, columns, passed, ~(np.abs(margins, out=margins) > terms.bounds))

    def _fill(self, terms: Permuted, rows: slice, out: Floats) -> None:
        """Write M of some rows, (m, rows, k)."""
        kept, here = self.kept, terms.orders[:, rows]
        at = here[:, :, None] * self._k + terms.orders[:, None]
        left = self.left.take(at, mode="clip") if self._is_full else self.left[here]
        right = terms.rounded
        _in_pieces(left, right, out)
        own = np.broadcast_to(right[..., rows, :], left.shape)
        diagonal = np.einsum("mij,mij->mi", left, own, dtype=np.float64)[:, :, None]
        out *= kept.q_turned[rows]
        if not self._is_full:
            out -= terms.alpha[:, rows, None].astype(out.dtype) * kept.b_turned[rows]
        out += (left if self._is_full else kept.a.take(at, mode="clip")) * kept.h[rows]
        np.subtract(diagonal.astype(out.dtype) * kept.q[rows], out, out=out)
        out *= kept.r.take(at, mode="clip")

    def _signs(self, terms: Permuted, doubtful: Indices) -> Float64:
        """The signs of the margins of the pairs that are in doubt, (m, 3): permutation, concept, concept."""
        signs = np.empty(len(doubtful))
        for m in np.unique(doubtful[:, 0]):
            (which,) = np.nonzero(doubtful[:, 0] == m)
            for part in blocks(len(which), max(1, _GATHERED // self.left.shape[1])):
                signs[which[part]] = np.sign(self._exact(terms, m, *doubtful[which[part], 1:].T))
        return signs

    def _exact(self, terms: Permuted, m: int, i: Indices, j: Indices) -> Float64:
        """Margins with C in float64."""
        order = terms.orders[m]
        left_i, left_j = (self.factors.left[order[concepts]] for concepts in (i, j))
        if self._is_full:
            left_i, left_j = (np.take(rows, order, axis=1, mode="clip") for rows in (left_i, left_j))
        right = terms.right if self._is_full else terms.right[m]
        products = ((left_i, right[i]), (left_j, right[j]), (left_i, right[j]), (left_j, right[i]))
        pairs = Pairs(i, j, *(np.einsum("ij,ij->i", left, right) for left, right in products))
        return pair_margins(self.a, self.b, order, terms.alpha[m], pairs)


def _pairs(tile: Tile) -> Indices:
    """The pairs of a tile that are in doubt: permutation, concept i, concept j; (n, 3)."""
    if not tile.doubtful.any():
        return np.empty((0, 3), dtype=np.intp)
    m, i, j = np.nonzero(tile.doubtful)
    return np.stack([m, i + tile.rows.start, j + tile.columns.start], axis=1)


def _pieces(terms: int) -> list[slice]:
    """Slices that cut a sum of ``terms`` products into pieces, for a smaller error bound."""
    return blocks(terms, -(-terms // max(1, terms // _PIECE)))


def _in_pieces(left: Floats, right: Floats, out: Floats) -> None:
    """Write left right' into ``out``, summed piece by piece."""
    turned = right.swapaxes(-1, -2)
    first, *others = _pieces(left.shape[-1]) if out.dtype == np.float32 else [slice(None)]
    np.matmul(left[..., first], turned[..., first, :], out=out)
    for piece in others:
        out += left[..., piece] @ turned[..., piece, :]
