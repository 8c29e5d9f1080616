r"""2 vs 2 counted: in float32, and where that cannot tell in float64.

With the letters of ``margins.py`` and X = left right', the closed form is taken in float32
(``_two_vs_two_kernel.py``) of A_ij = s_i ([g_ij + f_i + f_j] + d_i), d = e - f, with the bracket in float32,
of B alike, and of C_ij = X_ij - alpha_i B_ji. It tells something of *light* pairs, whose v and u are all
above .9.

**Error bound.** Let u = 2^-24, the unit roundoff of float32. k >= 5, so c = 1 + 1/n <= 4/3, and in a light
pair |A|, |B| <= m = sqrt(.1 / c) <= .317 and p = 1 / sqrt(v u) <= 1.112. The margin has four terms
(C - ...) p, each a correlation and so at most 1.

- *Product.* A sum of r products, in pieces of at most l that are then added, has at most l + r / l + 1
  roundings on any one of its terms, in whatever order the pieces are summed, and its factors two more. Let x
  be the greatest length of a row of the left factor times that of the right. By Cauchy and Schwarz
  |X^ - X| <= g x, g = (l + r / l + 3) u. The diagonal of C is summed in float64 from products in float32: it
  is off by (3 x + 1) u. Both come into two terms each, with p.
- *Entries.* A_ij is off by no more than D = 6 u (m + max |s d|). The derivative of a term to A_ij is at most
  c m (p + 1/v) <= .82, each entry is in two terms, and there are four: 6.5 D. Through C come another two
  p |alpha| D.
- *The rest.* No number passes more than 16 further roundings on its way to the margin, each of at most u
  times the sum of the sizes of the terms, S = 2.5 + 2.3 x + .72 |alpha|.

With 1.01 for what is of second order in u,

    |margin^ - margin| <= 1.01 (2.23 ((g + 3 u) x + u + |alpha| D) + 6.5 D + 16 u S)

A margin that is further from zero has the right sign. The others, and the pairs that are not light, are done
again in float64: some in a thousand.
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
#: Products summed in one piece: the error bound grows with it
_PIECE = 160
#: Rows of a strip: its products stay in the cache, and are many enough for full speed
_ROWS = 128
#: Rows of what one thread has of a product
_SLAB = 464
#: Numbers gathered at once for the pairs that are done again
_GATHERED = 2**18


class Light(NamedTuple):
    """One space in float32."""

    side: Side
    brackets: Float32  # g_ij + f_i + f_j
    shift: Float32  # d
    scale: Float32  # s

    @classmethod
    def of(cls, side: Side) -> Light:
        """The float32 form of ``side``."""
        assert side.whole is not None
        whole, k = side.whole, len(side)
        found = np.empty((k, k), dtype=np.float32)
        in_threads(lambda rows: brackets(whole, side.common, found, rows.start, rows.stop), blocks(k, _ROWS))
        return cls(side, found, side.shift.astype(np.float32), side.scale.astype(np.float32))


class Moved(NamedTuple):
    """What moves with a permutation, in its order."""

    order: Indices
    alpha: Float64
    right: Float64  # the right factor of X
    light: tuple[Float32, Float32]  # both factors in float32
    of_concepts: tuple[Float32, ...]  # what the kernel needs of each
    bound: float  # how far a margin from float32 may be from the true one, in a light pair


class Counted(NamedTuple):
    """What float32 tells."""

    passed: Indices  # pairs of each row, (rows,)
    doubtful: Indices  # pairs i < j that it cannot tell, (m, 2)


@dataclass(frozen=True)
class Counter:
    """2 vs 2 of two spaces; ``a`` is the one that is permuted."""

    a: Light
    b: Light
    factors: Product
    left: Float32  # the left factor of X

    @classmethod
    def of(cls, a: Side, b: Side) -> Counter:
        """The counter of two sides."""
        factors = product_of(a, b)
        return cls(Light.of(a), Light.of(b), factors, factors.left.astype(np.float32))

    def accuracy(self, order: Indices) -> float:
        """2 vs 2 accuracy with the concepts of ``a`` in ``order``; exact."""
        moved = self._moved(order)
        counted = [self._count_above(moved, rows) for rows in self._strips]
        doubtful = np.concatenate([strip.doubtful for strip in counted])
        passed = sum(int(strip.passed.sum()) for strip in counted)
        signs = self._signs(moved, doubtful)
        failed = self._k * (self._k - 1) // 2 - passed - len(signs)
        return accuracy_of(passed - failed + int(signs.sum()), self._k)

    def count(self) -> tuple[Float64, int]:
        """Pairs passed less pairs failed of each concept (k,), and the ties, without a permutation."""
        moved = self._with_concepts(np.arange(self._k), self.left, self.factors.right)
        left, right = moved.light
        product = np.empty((self._k, self._k), dtype=np.float32)
        in_threads(lambda rows: _in_pieces(left[rows], right, product[rows]), blocks(self._k, _SLAB))

        def count(rows: slice) -> Counted:
            turned = np.ascontiguousarray(product[:, rows].T)
            return self._count(moved, rows, product[rows], turned, above=False)

        counted = in_threads(count, self._strips)
        doubtful = np.concatenate([strip.doubtful for strip in counted])
        signs = self._signs(moved, doubtful)
        # Of its k - 1 pairs a concept fails what it does not pass and is not in doubt.
        sums = 2.0 * np.concatenate([strip.passed for strip in counted]) - (self._k - 1)
        for concepts in doubtful.T:
            sums += np.bincount(concepts, signs + 1, minlength=self._k)
        return sums, int(np.count_nonzero(signs == 0))

    def _bound(self, x: float, alpha: float) -> float:
        """See above."""
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
        """Whether the left factor is A itself, whose columns move too."""
        return bool(self.left.shape[1] == self._k)

    def _moved(self, order: Indices) -> Moved:
        left = self.left[order]
        if self._is_full:
            return self._with_concepts(order, np.take(left, order, axis=1, mode="clip"), self.factors.right)
        return self._with_concepts(order, left, self.b.side.times(self.a.side.centred[order]))

    def _with_concepts(self, order: Indices, left: Float32, right: Float64) -> Moved:
        light = right.astype(np.float32)
        diagonal = (left * light).sum(axis=1, dtype=np.float64).astype(np.float32)
        longest = float(lengths(left).max() * lengths(right).max())
        alpha, a, b = self.factors.alpha[order], self.a, self.b
        of_concepts = a.shift[order], a.scale[order], b.shift, b.scale, diagonal, alpha.astype(np.float32)
        bound = self._bound(longest, float(np.abs(alpha).max()))
        return Moved(order, alpha, right, (left, light), of_concepts, bound)

    def _count_above(self, moved: Moved, rows: slice) -> Counted:
        """Count the pairs of some rows that are above the diagonal; what X has there is made on the way."""
        left, right = moved.light
        product, turned = np.empty((2, rows.stop - rows.start, self._k - rows.start), dtype=np.float32)
        _in_pieces(left[rows], right[rows.start :], product)
        _in_pieces(right[rows], left[rows.start :], turned)
        return self._count(moved, rows, product, turned, above=True)

    def _count(self, moved: Moved, rows: slice, product: Float32, turned: Float32, *, above: bool) -> Counted:
        """Count the pairs of some rows: those ``above`` the diagonal, or all."""
        passed = np.zeros(rows.stop - rows.start, dtype=np.intp)
        doubtful = np.empty((len(passed) * self._k, 2), dtype=np.intp)
        found = count_strip(
            self.a.brackets,
            self.b.brackets,
            moved.order,
            product,
            turned,
            moved.of_concepts,
            np.float32(moved.bound),
            rows.start,
            above,
            passed,
            doubtful,
        )
        return Counted(passed, doubtful[:found].copy())

    def _signs(self, moved: Moved, doubtful: Indices) -> Float64:
        """The signs of the margins of the pairs that are in doubt."""
        size = max(1, _GATHERED // self.left.shape[1])
        parts = [self._exact(moved, *doubtful[part].T) for part in blocks(len(doubtful), size)]
        signs: Float64 = np.sign(np.concatenate([np.empty(0), *parts]))
        return signs

    def _exact(self, moved: Moved, i: Indices, j: Indices) -> Float64:
        """Margins with C in float64."""
        left_i, left_j = (self.factors.left[moved.order[concepts]] for concepts in (i, j))
        if self._is_full:
            left_i, left_j = (np.take(rows, moved.order, axis=1, mode="clip") for rows in (left_i, left_j))
        right_i, right_j = moved.right[i], moved.right[j]
        products = ((left_i, right_i), (left_j, right_j), (left_i, right_j), (left_j, right_i))
        pairs = Pairs(i, j, *(np.einsum("ij,ij->i", left, right) for left, right in products))
        found = pair_margins(self.a.side, self.b.side, moved.order, moved.alpha, pairs)
        for m in np.flatnonzero(np.isnan(found)):
            found[m] = margin_by_definition(self.a.side, self.b.side, int(i[m]), int(j[m]), moved.order)
        return found


def _pieces(terms: int) -> list[slice]:
    """Sums of so many products in pieces: many are better bounded in shorter ones."""
    return blocks(terms, -(-terms // max(1, terms // _PIECE)))


def _in_pieces(left: Float32, right: Float32, out: Float32) -> None:
    """Left right', a piece of the sums at a time."""
    first, *others = _pieces(left.shape[1])
    np.matmul(left[:, first], right[:, first].T, out=out)
    for piece in others:
        out += left[:, piece] @ right[:, piece].T
