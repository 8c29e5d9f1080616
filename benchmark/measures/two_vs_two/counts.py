"""Count the pairs of 2 vs 2 in float32, and in float64 where float32 is not precise enough.

The letters are those of ``margins.py``, and X = left right'. The closed form is computed in float32
(``kernel.py``). A_ij = s_i ([g_ij + f_i + f_j] + d_i), with d = e - f and the bracket in float32. B has the
same form, and C_ij = X_ij - alpha_i B_ji. float32 decides only *well-conditioned* pairs, whose v and u are
all above .9.

**Error bound.** Let u = 2^-24, the unit roundoff of float32. k >= 5, so c = 1 + 1/n <= 4/3. In a
well-conditioned pair |A|, |B| <= m = sqrt(.1 / c) <= .317 and p = 1 / sqrt(v u) <= 1.112. The margin has four
terms (C - ...) p. Each is a correlation and so at most 1.

- *Product.* Take a sum of r products, in pieces of at most l that are then added. Any one of its terms is
rounded
  at most l + r / l + 1 times, whatever the order in which the pieces are summed, and its factors twice more.
  Let x be the greatest length of a row of the left factor times that of the right factor. By Cauchy and
  Schwarz |X^ - X| <= g x, with g = (l + r / l + 3) u. The diagonal of C is summed in float64 from products in
  float32: its error is at most (3 x + 1) u. Both errors enter two terms each, times p.
- *Entries.* The error of A_ij is at most D = 6 u (m + max |s d|). The derivative of a term with respect to
A_ij is
  at most c m (p + 1/v) <= .82. Each entry is in two terms, and there are four entries: 6.5 D. Through C
  another two p |alpha| D are added.
- *The rest.* No number is rounded more than 16 further times before it enters the margin. Each rounding is at
  most u times the sum of the sizes of the terms, S = 2.5 + 2.3 x + .72 |alpha|.

With a factor 1.01 for terms of second order in u,

    |margin^ - margin| <= 1.01 (2.23 ((g + 3 u) x + u + |alpha| D) + 6.5 D + 16 u S)

A margin that is further from zero has the right sign. The other pairs, some in a thousand, are recomputed in
float64, and so are the pairs that are not well-conditioned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64
from benchmark.measures._threads import in_threads
from benchmark.measures.two_vs_two.kernel import LEAST_SHARE, brackets, count_strip
from benchmark.measures.two_vs_two.margins import (
    Indices,
    Pairs,
    Product,
    Side,
    accuracy_of,
    lengths,
    margin_by_definition,
    pair_margins,
    product_of,
)

Float32 = NDArray[np.float32]

#: Unit roundoff of float32
_UNIT = 2.0**-24
#: Number of products summed in one piece. The error bound grows with it
_PIECE = 160
#: Rows of a strip: few enough for the cache, many enough for fast products
_ROWS = 128
#: Rows of a product that one thread computes
_SLAB = 464
#: Numbers gathered at once for the pairs that are recomputed
_GATHERED = 2**18


class Float32Side(NamedTuple):
    """One space in float32."""

    side: Side
    brackets: Float32  # g_ij + f_i + f_j
    shift: Float32  # d
    scale: Float32  # s

    @classmethod
    def from_side(cls, side: Side) -> Float32Side:
        """The float32 form of ``side``, whose V V' must be kept."""
        assert side.whole is not None
        whole, k = side.whole, len(side)
        sums = np.empty((k, k), dtype=np.float32)
        in_threads(lambda rows: brackets(whole, side.common, sums, rows.start, rows.stop), blocks(k, _ROWS))
        return cls(side, sums, side.shift.astype(np.float32), side.scale.astype(np.float32))


class PermutedTerms(NamedTuple):
    """The terms that change with a permutation, in its order."""

    order: Indices
    alpha: Float64
    right: Float64  # the right factor of X
    factors: tuple[Float32, Float32]  # both factors of X in float32
    of_concepts: tuple[Float32, ...]  # the kernel's input for each concept
    bound: float  # greatest error of a margin in float32, in a well-conditioned pair


class StripCounts(NamedTuple):
    """What float32 decides in a strip of rows."""

    passed: Indices  # number of pairs of each row that pass, (rows,)
    doubtful: Indices  # pairs i < j that float32 cannot decide, (m, 2)


@dataclass(frozen=True)
class Counter:
    """2 vs 2 of two spaces. A permutation reorders the concepts of ``a``."""

    a: Float32Side
    b: Float32Side
    factors: Product
    left: Float32  # the left factor of X

    @classmethod
    def from_sides(cls, a: Side, b: Side) -> Counter:
        """The counter of the spaces ``a`` and ``b``."""
        factors = product_of(a, b)
        return cls(
            Float32Side.from_side(a), Float32Side.from_side(b), factors, factors.left.astype(np.float32)
        )

    def accuracy(self, order: Indices) -> float:
        """2 vs 2 accuracy with the concepts of ``a`` in ``order``. It is exact."""
        terms = self._permuted(order)
        counted = [self._count_above(terms, rows) for rows in self._strips]
        doubtful = np.concatenate([strip.doubtful for strip in counted])
        passed = sum(int(strip.passed.sum()) for strip in counted)
        signs = self._signs(terms, doubtful)
        failed = self._k * (self._k - 1) // 2 - passed - len(signs)
        return accuracy_of(passed - failed + int(signs.sum()), self._k)

    def count(self) -> tuple[Float64, int]:
        """Pairs passed less pairs failed of each concept (k,), and the ties, without a permutation."""
        terms = self._with_concepts(np.arange(self._k), self.left, self.factors.right)
        left, right = terms.factors
        product = np.empty((self._k, self._k), dtype=np.float32)
        in_threads(lambda rows: _in_pieces(left[rows], right, product[rows]), blocks(self._k, _SLAB))

        def count(rows: slice) -> StripCounts:
            turned = np.ascontiguousarray(product[:, rows].T)
            return self._count(terms, rows, product[rows], turned, above=False)

        counted = in_threads(count, self._strips)
        doubtful = np.concatenate([strip.doubtful for strip in counted])
        signs = self._signs(terms, doubtful)
        # A concept has k - 1 pairs. It fails those that do not pass and are not in doubt.
        sums = 2.0 * np.concatenate([strip.passed for strip in counted]) - (self._k - 1)
        for concepts in doubtful.T:
            sums += np.bincount(concepts, signs + 1, minlength=self._k)
        return sums, int(np.count_nonzero(signs == 0))

    def _bound(self, x: float, alpha: float) -> float:
        """The error bound of the module's docstring."""
        pieces = _pieces(self.left.shape[1])
        product = (pieces[0].stop + len(pieces) + 2) * _UNIT * x
        largest = np.sqrt((1 - float(LEAST_SHARE)) / (1 + 1 / (self._k - 2)))
        entry = 6 * _UNIT * (largest + max(self.a.side.coarseness, self.b.side.coarseness))
        through_c = product + 3 * _UNIT * x + _UNIT + alpha * entry
        sizes = 2.5 + 2.3 * x + 0.72 * alpha
        return float(1.01 * (2.23 * through_c + 6.5 * entry + 16 * _UNIT * sizes))

    @property
    def _k(self) -> int:
        return len(self.left)

    @property
    def _strips(self) -> list[slice]:
        return blocks(self._k, _ROWS)

    @property
    def _is_full(self) -> bool:
        """Whether the left factor is A itself. Its columns are then permuted too."""
        return bool(self.left.shape[1] == self._k)

    def _permuted(self, order: Indices) -> PermutedTerms:
        left = self.left[order]
        if self._is_full:
            return self._with_concepts(order, np.take(left, order, axis=1, mode="clip"), self.factors.right)
        return self._with_concepts(order, left, self.b.side.times(self.a.side.centred[order]))

    def _with_concepts(self, order: Indices, left: Float32, right: Float64) -> PermutedTerms:
        right32 = right.astype(np.float32)
        diagonal = (left * right32).sum(axis=1, dtype=np.float64).astype(np.float32)
        longest = float(lengths(left).max() * lengths(right).max())
        alpha, a, b = self.factors.alpha[order], self.a, self.b
        of_concepts = a.shift[order], a.scale[order], b.shift, b.scale, diagonal, alpha.astype(np.float32)
        bound = self._bound(longest, float(np.abs(alpha).max()))
        return PermutedTerms(order, alpha, right, (left, right32), of_concepts, bound)

    def _count_above(self, terms: PermutedTerms, rows: slice) -> StripCounts:
        """Count the pairs of some rows that are above the diagonal. Their part of X is computed here."""
        left, right = terms.factors
        product, turned = np.empty((2, rows.stop - rows.start, self._k - rows.start), dtype=np.float32)
        _in_pieces(left[rows], right[rows.start :], product)
        _in_pieces(right[rows], left[rows.start :], turned)
        return self._count(terms, rows, product, turned, above=True)

    def _count(
        self, terms: PermutedTerms, rows: slice, product: Float32, turned: Float32, *, above: bool
    ) -> StripCounts:
        """Count the pairs of some rows: those above the diagonal if ``above``, else all."""
        passed = np.zeros(rows.stop - rows.start, dtype=np.intp)
        doubtful = np.empty((len(passed) * self._k, 2), dtype=np.intp)
        count = count_strip(
            self.a.brackets,
            self.b.brackets,
            terms.order,
            product,
            turned,
            terms.of_concepts,
            np.float32(terms.bound),
            rows.start,
            above,
            passed,
            doubtful,
        )
        return StripCounts(passed, doubtful[:count].copy())

    def _signs(self, terms: PermutedTerms, doubtful: Indices) -> Float64:
        """The signs of the margins of the pairs that are in doubt."""
        size = max(1, _GATHERED // self.left.shape[1])
        parts = [self._exact(terms, *doubtful[part].T) for part in blocks(len(doubtful), size)]
        signs: Float64 = np.sign(np.concatenate([np.empty(0), *parts]))
        return signs

    def _exact(self, terms: PermutedTerms, i: Indices, j: Indices) -> Float64:
        """Margins with C in float64."""
        left_i, left_j = (self.factors.left[terms.order[concepts]] for concepts in (i, j))
        if self._is_full:
            left_i, left_j = (np.take(rows, terms.order, axis=1, mode="clip") for rows in (left_i, left_j))
        right_i, right_j = terms.right[i], terms.right[j]
        products = ((left_i, right_i), (left_j, right_j), (left_i, right_j), (left_j, right_i))
        pairs = Pairs(i, j, *(np.einsum("ij,ij->i", left, right) for left, right in products))
        margins = pair_margins(self.a.side, self.b.side, terms.order, terms.alpha, pairs)
        for m in np.flatnonzero(np.isnan(margins)):
            margins[m] = margin_by_definition(self.a.side, self.b.side, int(i[m]), int(j[m]), terms.order)
        return margins


def _pieces(terms: int) -> list[slice]:
    """Slices that cut a sum of ``terms`` products into pieces, for a smaller error bound."""
    return blocks(terms, -(-terms // max(1, terms // _PIECE)))


def _in_pieces(left: Float32, right: Float32, out: Float32) -> None:
    """Write left right' into ``out``, summed piece by piece."""
    first, *others = _pieces(left.shape[1])
    np.matmul(left[:, first], right[:, first].T, out=out)
    for piece in others:
        out += left[:, piece] @ right[:, piece].T
