"""The closed form of 2 vs 2, in blocks.

Each space has centred unit rows U (k, p), and V is U less its mean row m. Take a concept's correlations with
all others, centred over the concepts. They are G = U V' = V V' + 1 f' with f = V m. These are small numbers,
free of the large common part that a matrix of correlations may have. The diagonal is left out: with
e_i = G_ii / (k - 1) and s_i the inverse length of the row,

    A_ij = s_i (G_ij + e_i), A_ii = 0:    rows that are centred and have unit length off the diagonal.

B is the same matrix of the other space, with t in place of s. With n = k - 2 and C = A B',

    corr(A_a, B_a) without a, b = (C_aa - (1 + 1/n) A_ab B_ab) / sqrt(v_ab u_ab)
    corr(A_a, B_b) without a, b = (C_ab - A_ab B_ba / n)       / sqrt(v_ab u_ba)
    v_ab = 1 - (1 + 1/n) A_ab^2,   u_ab = 1 - (1 + 1/n) B_ab^2

Where a space has few dimensions, A has low rank except for its diagonal: A = S (U V' + e 1') - diag(alpha)
with alpha = k s e. The rows of B sum to zero and its diagonal is zero, so that

    C_ij = s_i U_i (B V)_j' - alpha_i B_ji    (alpha_i B_ii = 0)

B V, (k, p), is computed without B: T (U_b V_b' V) - diag(beta) V, with beta = k t e of the other space.

``a`` and ``b`` are the two spaces, each a :class:`Side`. ``order`` (k,) is a permutation of the concepts of
``a``; None keeps their order. ``i`` and ``j`` are numbers of concepts. ``rows`` and ``columns`` select
concepts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import TIE, Float64, Floats, as_matrix, rows_in_words
from benchmark.measures._threads import in_threads
from benchmark.measures.rdm import unit_rows

Indices = NDArray[np.intp]

#: If dropping a column leaves less than this share of a row's variance, the definition is used for the pair
ILL_CONDITIONED = 1e-2
#: Rows and columns of a block, which fits a processor's cache
BLOCK = 192
#: Sizes of blocks: rows of A, columns of a factor, and rows and columns of a block of a product
_ROWS, _COLUMNS, _SQUARE = 64, 160, 384
#: Below this standard deviation, a row of correlations is constant up to rounding
_CONSTANT = 1e-12
#: Up to this many concepts a k x k matrix is kept (256 MiB). Above, blocks are recomputed
_KEPT = 5792
#: Above this length of the factors of C, their product loses digits. The rows of A and B have unit length
_LONG_FACTORS = 100.0


@dataclass(frozen=True)
class Side:
    """One space, prepared for the closed form. The letters are those of the module's docstring."""

    unit: Float64  # U
    centred: Float64  # V
    common: Float64  # f
    offset: Float64  # e
    scale: Float64  # s
    whole: Float64 | None  # V V', where it is kept

    @classmethod
    def from_features(cls, features: ArrayLike, name: str) -> Side:
        """The side without V V' and the scale.

        Parameters
        ----------
        features : array_like, shape (k, p)
            One row per concept.
        name : str
            Name of ``features`` in error messages.
        """
        x = as_matrix(features, name).astype(np.float64, copy=False)
        k = len(x)
        if k < 5:
            raise ValueError(f"{name} has shape {x.shape}: 2 vs 2 needs at least 5 concepts (rows)")
        unit: Float64 = unit_rows(x, name, centre=True).astype(np.float64, copy=False)
        mean = unit.mean(axis=0)
        centred = unit - mean
        common = centred @ mean
        offset = (np.einsum("ij,ij->i", centred, centred) + common) / (k - 1)
        return cls(unit, centred, common, offset, np.ones(k), None)

    def __len__(self) -> int:
        return len(self.unit)

    @property
    def own(self) -> Float64:
        """Alpha: the diagonal part of each row, which the closed form leaves out."""
        return self.scale * self.offset * len(self)

    def gram(self, i: Indices, j: Indices) -> Float64:
        """V V' at the pairs i, j, (m,) each."""
        if self.whole is not None:
            return self.whole[i, j]
        products: Float64 = np.einsum("ij,ij->i", self.centred[i], self.centred[j])
        return products

    def gram_block(self, rows: Indices | slice, columns: Indices | slice) -> Float64:
        """V V' at all ``rows`` and ``columns``."""
        if self.whole is not None:
            return self.whole[rows][:, columns]
        block: Float64 = self.centred[rows] @ self.centred[columns].T
        return block

    def entries(self, gram: Float64, i: Indices, j: Indices) -> Float64:
        """A_ij from (V V')_ij.

        ``gram`` has the values of V V': pairs (m,), or a block where ``i`` is (r, 1) and ``j`` is (1, c).
        """
        entries: Float64 = gram + self.common[j]
        entries += self.offset[i]
        entries *= self.scale[i]
        return entries

    def rows(self, rows: slice = slice(None)) -> Float64:
        """Whole rows of A."""
        scaled = self.unscaled_rows(rows)
        scaled *= self.scale[rows, None]
        return scaled

    def columns(self, columns: slice) -> Float64:
        """Whole columns of A, as rows."""
        entries: Float64 = self.gram_block(columns, slice(None)) + self.common[columns, None]
        entries += self.offset
        entries *= self.scale
        np.fill_diagonal(entries[:, columns], 0)
        return entries

    def unscaled_rows(self, rows: slice) -> Float64:
        """Whole rows of A before they are scaled to unit length."""
        unscaled: Float64 = self.gram_block(rows, slice(None)) + self.common
        unscaled += self.offset[rows, None]
        np.fill_diagonal(unscaled[:, rows], 0)
        return unscaled

    def times(self, matrix: Float64) -> Float64:
        """A ``matrix``. The columns of ``matrix`` must sum to zero."""
        if self.whole is not None and len(self) <= 2 * self.unit.shape[1]:
            product: Float64 = self.whole @ matrix
            product += self.common @ matrix
        else:
            product = self.unit @ (self.centred.T @ matrix)
        product *= self.scale[:, None]
        product -= self.own[:, None] * matrix
        return product


class Product(NamedTuple):
    """C = A B' as left right' - alpha_i B_ji, and its diagonal."""

    left: Float64
    right: Float64
    alpha: Float64
    diagonal: Float64

    @property
    def longest(self) -> float:
        """The greatest length of a row of ``left`` times that of ``right``: 1 if they are A and B."""
        return float(lengths(self.left).max() * lengths(self.right).max())


def low_rank(a: Side, b: Side, order: Indices | None = None) -> Product:
    """The product through the dimensions of ``a``, whose rows are taken in ``order``."""
    at: Indices | slice = slice(None) if order is None else order
    left = a.scale[at][:, None] * a.unit[at]
    p = left.shape[1]
    pieces = blocks(p, -(-p // -(-p // _COLUMNS)))  # of equal size
    right = np.concatenate(in_threads(lambda piece: b.times(a.centred[at, piece]), pieces), axis=1)
    return Product(left, right, a.own[at], np.einsum("ij,ij->i", left, right))


def full_rank(a: Float64, b: Float64, order: Indices | None = None) -> Product:
    """The product of the matrices A, with rows and columns in ``order``, and B."""
    left = a if order is None else a[order][:, order]
    return Product(left, b, np.zeros(len(a)), np.einsum("ij,ij->i", left, b))


def product_of(a: Side, b: Side, order: Indices | None = None) -> Product:
    """The product through the dimensions of ``a`` if they are few and no digits are lost; else of A and B."""
    if 2 * a.unit.shape[1] < len(a):
        product = low_rank(a, b, order)
        # An entry of C is at most 1. Digits are lost where the terms that it is summed from are much greater.
        terms = product.longest + np.abs(product.alpha).max() + np.abs(b.own).max()
        if terms < _LONG_FACTORS:
            return product
    return full_rank(a.rows(), b.rows(), order)


def paired_sides(x: ArrayLike, y: ArrayLike) -> tuple[Side, Side, bool]:
    """Both sides, the one of fewer dimensions first, and whether they were exchanged for that.

    ``x`` (k, p) and ``y`` (k, q) are features of the same concepts.
    """
    a, b = in_threads(lambda named: Side.from_features(*named), [(x, "x"), (y, "y")])
    if len(a) != len(b):
        raise ValueError(f"x has {len(a)} rows and y has {len(b)}: expected the same concepts in both")
    a, b = _with_scales(a, b)
    exchanged = a.unit.shape[1] > b.unit.shape[1]
    return (b, a, True) if exchanged else (a, b, False)


def _with_scales(*sides: Side) -> list[Side]:
    """The sides with their scales, the inverse lengths of the rows; with V V' where memory allows."""
    k = len(sides[0])
    if k <= _KEPT:
        wholes = _symmetric_products([side.centred for side in sides])
        sides = tuple(replace(side, whole=whole) for side, whole in zip(sides, wholes, strict=True))
    work = [(side, rows) for side in sides for rows in blocks(k, _ROWS)]
    norms = np.concatenate(in_threads(lambda part: lengths(part[0].unscaled_rows(part[1])), work))
    scaled = []
    for side, length, name in zip(sides, norms.reshape(len(sides), k), "xy", strict=True):
        constant = length <= _CONSTANT * np.sqrt(k)
        if constant.any():
            where = rows_in_words(np.flatnonzero(constant))
            raise ValueError(
                f"{name} of shape {side.unit.shape}: correlations with the others are all equal in {where}"
            )
        scaled.append(replace(side, scale=1 / length))
    return scaled


def _symmetric_products(factors: list[Float64]) -> list[Float64]:
    """The products of all rows with all rows, for each factor."""
    k = len(factors[0])
    wholes = [np.empty((k, k)) for _ in factors]

    def fill(part: tuple[int, slice, slice]) -> None:
        which, upper, lower = part
        block = wholes[which][upper, lower]
        np.matmul(factors[which][upper], factors[which][lower].T, out=block)
        if upper != lower:
            wholes[which][lower, upper] = block.T

    work = [(which, *corner) for which in range(len(factors)) for corner in corners(k, _SQUARE)]
    in_threads(fill, work)
    return wholes


def corners(k: int, size: int) -> list[tuple[slice, slice]]:
    """Blocks of at most ``size`` rows and columns that cover the upper triangle of a ``k`` x k matrix."""
    pieces = blocks(k, size)
    return [(rows, columns) for n, rows in enumerate(pieces) for columns in pieces[n:]]


class Pairs(NamedTuple):
    """Pairs of concepts i, j, (m,) each, and the entries of the product that belong to them."""

    i: Indices
    j: Indices
    c_ii: Float64
    c_jj: Float64
    x_ij: Float64  # left_i right_j
    x_ji: Float64


class Entries(NamedTuple):
    """The numbers that the margin of a pair i, j is computed from: arrays of one shape."""

    a_ij: Float64
    a_ji: Float64
    b_ij: Float64
    b_ji: Float64
    c_ii: Float64
    c_jj: Float64
    c_ij: Float64
    c_ji: Float64


class Correlations(NamedTuple):
    """Sums of two correlations of some pairs, without the columns of the pair: arrays of one shape."""

    matched: Float64  # corr(A_i, B_i) + corr(A_j, B_j)
    crossed: Float64  # corr(A_i, B_j) + corr(A_j, B_i)

    @property
    def margins(self) -> Float64:
        """Matched less crossed. Exactly zero where it is only rounding."""
        values: Float64 = self.matched - self.crossed
        values[np.abs(values) < TIE] = 0
        return values


def correlations(k: int, entries: Entries) -> Correlations:
    """The closed form for ``k`` concepts and the ``entries`` of some pairs.

    NaN where too little variance of a row is left without a column.
    """
    n = k - 2
    shares = [1 - (1 + 1 / n) * x**2 for x in (entries.a_ij, entries.a_ji, entries.b_ij, entries.b_ji)]
    ill = np.minimum(np.minimum(shares[0], shares[1]), np.minimum(shares[2], shares[3])) < ILL_CONDITIONED
    a_ij, a_ji, b_ij, b_ji = (1 / np.sqrt(np.maximum(x, ILL_CONDITIONED)) for x in shares)
    matched: Float64 = (entries.c_ii - (1 + 1 / n) * entries.a_ij * entries.b_ij) * (a_ij * b_ij)
    matched += (entries.c_jj - (1 + 1 / n) * entries.a_ji * entries.b_ji) * (a_ji * b_ji)
    crossed: Float64 = (entries.c_ij - entries.a_ij * entries.b_ji / n) * (a_ij * b_ji)
    crossed += (entries.c_ji - entries.a_ji * entries.b_ij / n) * (a_ji * b_ij)
    matched[ill] = crossed[ill] = np.nan
    return Correlations(matched, crossed)


def block_correlations(
    a: Side, b: Side, product: Product, rows: slice, columns: slice, order: Indices | None = None
) -> Correlations:
    """Correlations of all ``rows`` with all ``columns``. NaN on the diagonal.

    ``product`` is C, with the concepts of ``a`` in ``order``.
    """
    everything = np.arange(len(a))
    i, j = everything[rows][:, None], everything[columns][None]
    at, across = (rows, columns) if order is None else (order[rows], order[columns])
    gram_a, gram_b = a.gram_block(at, across), b.gram_block(rows, columns)
    in_a = everything if order is None else order
    entries = [
        a.entries(gram_a, in_a[i], in_a[j]),
        a.entries(gram_a, in_a[j], in_a[i]),
        b.entries(gram_b, i, j),
        b.entries(gram_b, j, i),
    ]
    diagonal = rows == columns
    if diagonal:
        for block in entries:
            np.fill_diagonal(block, 0)
    a_ij, a_ji, b_ij, b_ji = entries
    c_ij = product.left[rows] @ product.right[columns].T
    c_ij -= product.alpha[i] * b_ji
    c_ji = product.right[rows] @ product.left[columns].T
    c_ji -= product.alpha[j] * b_ij
    found = correlations(
        len(a), Entries(a_ij, a_ji, b_ij, b_ji, product.diagonal[i], product.diagonal[j], c_ij, c_ji)
    )
    for r, c in zip(*np.nonzero(np.isnan(found.matched)), strict=True):
        pair = by_definition(a, b, int(i[r, 0]), int(j[0, c]), order)
        found.matched[r, c], found.crossed[r, c] = pair
    if diagonal:
        for values in found:
            np.fill_diagonal(values, np.nan)
    return found


def pair_margins(a: Side, b: Side, order: Indices, alpha: Float64, pairs: Pairs) -> Float64:
    """Margins of some pairs with the concepts of ``a`` in ``order``.

    ``alpha`` (k,) is that of the product, in ``order``. ``pairs`` holds the pairs.
    """
    i, j = pairs.i, pairs.j
    in_i, in_j = order[i], order[j]
    gram_a, gram_b = a.gram(in_i, in_j), b.gram(i, j)
    a_ij, a_ji = a.entries(gram_a, in_i, in_j), a.entries(gram_a, in_j, in_i)
    b_ij, b_ji = b.entries(gram_b, i, j), b.entries(gram_b, j, i)
    c_ij, c_ji = pairs.x_ij - alpha[i] * b_ji, pairs.x_ji - alpha[j] * b_ij
    entries = Entries(a_ij, a_ji, b_ij, b_ji, pairs.c_ii, pairs.c_jj, c_ij, c_ji)
    found = correlations(len(a), entries)
    for m in np.flatnonzero(np.isnan(found.matched)):
        found.matched[m], found.crossed[m] = by_definition(a, b, int(i[m]), int(j[m]), order)
    return found.margins


def by_definition(a: Side, b: Side, i: int, j: int, order: Indices | None = None) -> tuple[float, float]:
    """Matched and crossed of ``i`` and ``j`` from their rows. Those of ``a`` are taken in ``order``."""
    others = np.delete(np.arange(len(a)), [i, j])
    rows = []
    for side, permutation in ((a, order), (b, None)):
        for concept in (i, j):
            row = others if permutation is None else permutation[others]
            own = np.full(len(row), concept if permutation is None else permutation[concept])
            values = side.gram(own, row) + side.common[row]
            values -= values.mean()
            length = np.sqrt(values @ values)
            if length <= _CONSTANT * np.sqrt(len(values)):
                raise ValueError(
                    f"2 vs 2 of concepts {i} and {j} is undefined: a row without them is constant"
                )
            rows.append(values / length)
    a_i, a_j, b_i, b_j = rows
    return float(a_i @ b_i + a_j @ b_j), float(a_i @ b_j + a_j @ b_i)


def lengths(rows: Floats) -> Float64:
    """The length of each row of ``rows``."""
    norms: Float64 = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return norms


def accuracy_of(balance: int, k: int) -> float:
    """Accuracy for ``k`` concepts from ``balance``, the number of pairs passed less the number failed."""
    # Whole numbers until the last step, so that the same counts give exactly the same value.
    pairs = k * (k - 1)
    return (pairs + 2 * balance) / (2 * pairs)
