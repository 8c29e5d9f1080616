r"""2 vs 2 counted: in float32, and where that cannot tell in float64.

The margin of a pair is T_ij + T_ji. With the letters of ``_two_vs_two.py``, X = left right', c = 1 + 1/n, and
in the units of r = sqrt(c / 2) that save constants, a = r A, b = 2 r B / sqrt(u), q = 1 / sqrt(u) and
alpha' = alpha / 2r,

    Y_ij = C_ii q_ij + alpha'_i b_ji - X_ij q_ji,    T_ij = Y_ij / sqrt(v_ij) - a_ij b_ij / sqrt(v_ij) + R,

with R = A_ij B_ji / (n sqrt(v_ij u_ji)). As v = 1 - 2 a^2, this is T = Y + a (a Y - b) but for terms of the
order a^4, in which only a, alpha, C_ii and X move with a permutation. It is used for light pairs, in which no
entry of A or B is greater than h = .1.

**Error bound.** Let Z = c h^2 / 2 >= a^2, and u = 2^-24 the unit roundoff of float32; k >= 5, so Z <= .0067.

- *Series.* 1 / sqrt(v) is 1 + a^2 and at most 1.56 Z^2 more, |C| <= 1, |Y| <= 2.02 and |a b| <= 2.02 Z: what
  is left out of T is at most 3.2 Z^2 + 2.1 Z^2 + 1.02 h^2 / n.
- *Product.* A sum of r products, in pieces of at most l that are then added, has at most l + r / l + 1
  roundings on any one of its terms, in whatever order the pieces are summed, and its factors two more. Let x
  be the greatest length of a row of the left factor times that of the right. By Cauchy and Schwarz
  |X^ - X| <= g x, g = (l + r / l + 3) u; it comes into T with q <= 1.02.
- *Entries.* A_ij = s_i ([g_ij + f_i + f_j] + d_i), d = e - f, from a bracket in float32, is off by no more
  than D = 6 u (h + max |s d|); into T it comes with |2 a Y - b| < .5, and B with no more than .5 + |alpha|.
- *The rest.* No number passes more than 16 further roundings on its way to the margin, each of at most u
  times the sum of the sizes of the terms, S = 1.1 + 1.1 x + .2 |alpha|.

The factor two is for T_ij + T_ji, and that of 1.01 covers what is of second order in u:

    |margin^ - margin| <= 2.02 (5.3 Z^2 + 1.02 h^2 / n + 1.02 g x + (1 + |alpha|) D + 16 u S)

A margin that is further from zero has the right sign. The others (some in a thousand) are done again in two
steps. The closed form in float64 with C from float32 is off by no more than 3.1 (g + 4 u) x where all of v
and u are above 2/3; what is nearer to zero than that, or heavier, has C in float64 too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64
from benchmark.measures._threads import in_threads
from benchmark.measures._two_vs_two import (
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
#: Rows of a strip, which is worked on in the cache, and of what one thread has of a product
_ROWS, _SLAB = 128, 464
#: Size of an entry of A or B above which a pair is not light
_LIGHT = 0.1
#: Shares of variance left, v and u, at which C from float32 is good enough for the second step
_SHARE = 2 / 3
#: max |s d| above which float32 tells too little
_COARSE = 100.0
#: Numbers gathered at once for the pairs that have C in float64
_GATHERED = 2**20


class Light(NamedTuple):
    """One space in float32."""

    side: Side
    shift: Float32  # d
    scale: Float32  # r s

    @classmethod
    def of(cls, side: Side) -> Light:
        scale = np.sqrt(_slope(len(side)) / 2) * side.scale
        return cls(side, side.shift.astype(np.float32), scale.astype(np.float32))

    def gram(self, rows: slice, columns: slice) -> Float32:
        """g_ij + f_i + f_j; NaN where a pair is not light."""
        common, shift, reach = self.side.common, self.side.shift, _LIGHT / self.side.scale
        sums = self.side.gram_block(rows, columns) + common[columns]
        sums += common[rows, None]
        gram = sums.astype(np.float32)
        low, high = ((edge - shift).astype(np.float32) for edge in (-reach, reach))
        heavy = gram > np.minimum(high[rows, None], high[columns])
        heavy |= gram < np.maximum(low[rows, None], low[columns])
        np.copyto(gram, np.nan, where=heavy)
        return gram

    def fixed(self, rows: slice) -> Fixed:
        """What some rows, and what is right of the diagonal, have of B."""
        columns = slice(rows.start, None)
        gram = self.gram(rows, columns)
        upright = (gram + self.shift[rows, None]) * self.scale[rows, None]
        turned = (gram + self.shift[columns]) * self.scale[columns]
        q, q_turned = (1 / np.sqrt(1 - 2 * entries**2) for entries in (upright, turned))
        return Fixed(q, 2 * upright * q, q_turned, 2 * turned * q_turned)


class Fixed(NamedTuple):
    """What does not move with a permutation; ``turned`` is of the pair j, i."""

    q: Float32
    b: Float32
    q_turned: Float32
    b_turned: Float32

    def of_turned(self) -> Fixed:
        """The same of the pairs the other way round."""
        return Fixed(self.q_turned, self.b_turned, self.q, self.b)


class Moved(NamedTuple):
    """What moves with a permutation, in its order."""

    order: Indices
    alpha: Float64
    right: Float64  # the right factor of X
    product: Float32  # X
    diagonal: Float64  # of C
    longest: float  # x


class Doubtful(NamedTuple):
    """Pairs that float32 cannot tell, and their X from float32."""

    i: Indices
    j: Indices
    x_ij: Float32
    x_ji: Float32


class Kept(NamedTuple):
    """What is worked out once for many permutations."""

    gram: Float32  # of a, all of it
    fixed: list[Fixed]  # of b, strip by strip


@dataclass(frozen=True)
class Counter:
    """2 vs 2 of two spaces; ``a`` is the one that is permuted."""

    a: Light
    b: Light
    factors: Product
    left: Float32  # the left factor of X
    kept: Kept | None = None

    @staticmethod
    def fits(a: Side, b: Side) -> bool:
        """Whether there is memory for k x k matrices, and float32 can tell enough."""
        kept = a.whole is not None and b.whole is not None
        return kept and bool(max(a.coarseness, b.coarseness) < _COARSE)

    @classmethod
    def of(cls, a: Side, b: Side) -> Counter:
        factors = product_of(a, b)
        return cls(Light.of(a), Light.of(b), factors, factors.left.astype(np.float32))

    def for_permutations(self) -> Counter:
        """The same, quicker for :meth:`accuracy`, and with two more k x k matrices in memory."""
        gram = np.empty((self._k, self._k), dtype=np.float32)

        def strip(rows: slice) -> Fixed:
            gram[rows] = self.a.gram(rows, slice(None))
            return self.b.fixed(rows)

        return replace(self, kept=Kept(gram, in_threads(strip, self._strips)))

    def accuracy(self, order: Indices) -> float:
        """2 vs 2 accuracy with the concepts of ``a`` in ``order``; exact."""
        moved = self._moved(order)
        passed, doubtful = 0, []
        for rows in self._strips:
            above, unsure = self._outcomes(moved, rows)
            passed += int(np.count_nonzero(above))
            doubtful.append(unsure)
        signs = self._signs(moved, _joined(doubtful))
        failed = self._k * (self._k - 1) // 2 - passed - len(signs)
        return accuracy_of(passed - failed + int(signs.sum()), self._k)

    def count(self) -> tuple[Float64, int]:
        """Pairs passed less pairs failed of each concept (k,), and the ties, without a permutation."""
        moved = self._unmoved()
        passed = np.zeros(self._k)

        def counted(rows: slice) -> tuple[Indices, Indices, Doubtful]:
            above, doubtful = self._outcomes(moved, rows)
            return above.sum(axis=1), above.sum(axis=0), doubtful

        found = in_threads(counted, self._strips)
        for rows, (by_row, by_column, _) in zip(self._strips, found, strict=True):
            passed[rows] += by_row
            passed[rows.start :] += by_column
        doubtful = _joined([unsure for *_, unsure in found])
        signs = self._signs(moved, doubtful)
        # Of its k - 1 pairs a concept fails what it does not pass and is not in doubt.
        sums = 2 * passed - (self._k - 1)
        for concepts in (doubtful.i, doubtful.j):
            sums += np.bincount(concepts, signs + 1, minlength=self._k)
        return sums, int(np.count_nonzero(signs == 0))

    def bounds(self, moved: Moved) -> tuple[float, float]:
        """How far a margin from float32 may be from the true one, in the first step and the second."""
        n, terms = self._k - 2, self.left.shape[1]
        pieces = _pieces(terms)
        x, alpha = moved.longest, float(np.abs(moved.alpha).max())
        product = (pieces[0].stop + len(pieces) + 2) * _UNIT * x
        largest = _slope(n + 2) / 2 * _LIGHT**2
        series = 5.3 * largest**2 + 1.02 * _LIGHT**2 / n
        entries = (1 + alpha) * 6 * _UNIT * (_LIGHT + max(self.a.side.coarseness, self.b.side.coarseness))
        sizes = 1.1 + 1.1 * x + 0.2 * alpha
        first = 2.02 * (series + 1.02 * product + entries + 16 * _UNIT * sizes)
        return first, 3.1 * (product + 4 * _UNIT * x)

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
            left, right = np.take(left, order, axis=1, mode="clip"), self.factors.right
        else:
            right = self.b.side.times(self.a.side.centred[order])
        light = right.astype(np.float32)
        product = np.empty((self._k, self._k), dtype=np.float32)
        _in_pieces(left, light, product)
        return self._with_diagonal(order, left, right, light, product)

    def _unmoved(self) -> Moved:
        """The same without a permutation, by all threads."""
        right = self.factors.right
        light = right.astype(np.float32)
        product = np.empty((self._k, self._k), dtype=np.float32)
        in_threads(lambda rows: _in_pieces(self.left[rows], light, product[rows]), blocks(self._k, _SLAB))
        return self._with_diagonal(np.arange(self._k), self.left, right, light, product)

    def _with_diagonal(
        self, order: Indices, left: Float32, right: Float64, light: Float32, product: Float32
    ) -> Moved:
        diagonal = (left * light).sum(axis=1, dtype=np.float64)
        longest = float(lengths(left).max() * lengths(right).max())
        return Moved(order, self.factors.alpha[order], right, product, diagonal, longest)

    def margins(self, moved: Moved, rows: slice) -> Float32:
        """The first step for some rows with what is right of the diagonal; minus infinity left of it."""
        columns = slice(rows.start, None)
        if self.kept is None:
            gram, fixed = self.a.gram(rows, columns), self.b.fixed(rows)
        else:
            fixed = self.kept.fixed[rows.start // _ROWS]
            gram = np.take(self.kept.gram[moved.order[rows]], moved.order[columns], axis=1, mode="clip")
        x_ij, x_ji = moved.product[rows, columns], np.ascontiguousarray(moved.product[columns, rows].T)
        shift, scale = self.a.shift[moved.order], self.a.scale[moved.order]
        c = moved.diagonal.astype(np.float32)
        alpha = (moved.alpha / np.sqrt(2 * _slope(self._k))).astype(np.float32)
        a_ij = gram + shift[rows, None]
        a_ij *= scale[rows, None]
        a_ji = np.add(gram, shift[columns], out=gram)
        a_ji *= scale[columns]
        margins = _half(a_ij, x_ij, c[rows, None], alpha[rows, None], fixed)
        margins += _half(a_ji, x_ji, c[columns], alpha[columns], fixed.of_turned())
        margins[np.tril_indices(len(margins))] = -np.inf
        return margins

    def second(self, moved: Moved, of: Doubtful) -> Float64:
        """Margins of some pairs in float64 with C from float32; NaN where that is not good enough."""
        c = moved.diagonal
        pairs = Pairs(of.i, of.j, c[of.i], c[of.j], of.x_ij.astype(np.float64), of.x_ji.astype(np.float64))
        return pair_margins(self.a.side, self.b.side, moved.order, moved.alpha, pairs, _SHARE)

    def _outcomes(self, moved: Moved, rows: slice) -> tuple[NDArray[np.bool_], Doubtful]:
        """Which pairs of some rows with what is right of the diagonal pass, and which are in doubt."""
        margins = self.margins(moved, rows)
        bound = np.float32(self.bounds(moved)[0])
        passed = margins > bound
        unsure = np.flatnonzero(~(np.abs(margins, out=margins) > bound))
        i, j = np.divmod(unsure, margins.shape[1])
        i += rows.start
        j += rows.start
        return passed, Doubtful(i, j, moved.product[i, j], moved.product[j, i])

    def _signs(self, moved: Moved, of: Doubtful) -> Float64:
        """The signs of the margins of the pairs that are in doubt."""
        found = self.second(moved, of)
        again = np.flatnonzero(~(np.abs(found) > self.bounds(moved)[1]))
        if len(again):
            left = self.factors.left[moved.order]
            if self._is_full:
                left = np.take(left, moved.order, axis=1, mode="clip")
        for part in blocks(len(again), max(1, _GATHERED // self.left.shape[1])):
            at = again[part]
            found[at] = self._exact(moved, left, of.i[at], of.j[at])
        return np.sign(found)

    def _exact(self, moved: Moved, left: Float64, i: Indices, j: Indices) -> Float64:
        """Margins with C in float64."""
        left_i, left_j, right_i, right_j = left[i], left[j], moved.right[i], moved.right[j]
        products = ((left_i, right_i), (left_j, right_j), (left_i, right_j), (left_j, right_i))
        pairs = Pairs(i, j, *(np.einsum("ij,ij->i", left, right) for left, right in products))
        found = pair_margins(self.a.side, self.b.side, moved.order, moved.alpha, pairs)
        for m in np.flatnonzero(np.isnan(found)):
            found[m] = margin_by_definition(self.a.side, self.b.side, int(i[m]), int(j[m]), moved.order)
        return found


def _half(a: Float32, x: Float32, c: Float32, alpha: Float32, fixed: Fixed) -> Float32:
    """T."""
    half: Float32 = fixed.q * c
    work = x * fixed.q_turned
    half -= work
    half += np.multiply(fixed.b_turned, alpha, out=work)
    np.multiply(a, half, out=work)
    work -= fixed.b
    work *= a
    half += work
    return half


def _slope(k: int) -> float:
    """1 + 1/n."""
    return 1 + 1 / (k - 2)


def _joined(parts: list[Doubtful]) -> Doubtful:
    return Doubtful(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _pieces(terms: int) -> list[slice]:
    """Sums of so many products in pieces: many are better bounded in shorter ones."""
    return blocks(terms, -(-terms // max(1, terms // _PIECE)))


def _in_pieces(left: Float32, right: Float32, out: Float32) -> None:
    """Left right', a piece of the sums at a time."""
    first, *others = _pieces(left.shape[1])
    np.matmul(left[:, first], right[:, first].T, out=out)
    for piece in others:
        out += left[:, piece] @ right[:, piece].T
