"""The Gromov-Wasserstein problem of two RDMs with uniform marginals, in the form that the solvers use.

On plans T with uniform marginals, and with C = H + a 1' + 1 a', H double-centred,

    C1 T C2 = H1 T H2 + a1 a2' + terms that depend on the row or on the column alone.

The duals absorb the last terms. The solvers work on H and a, so that no digits are lost to parts that cancel.
This makes single precision safe. H of cosine, correlation and squared Euclidean RDMs is F S F', with F as
wide as the features and S diagonal. H1 T H2 then costs O(n^2 d) instead of O(n^3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.rdm import rdm, unit_rows

#: Metrics whose RDM, once it is centred, has the rank of the features
LOW_RANK_METRICS = ("correlation", "cosine", "sqeuclidean")
#: H is held as factors where _WORTH times their width is less than the number of conditions
_WORTH = 4
#: Eigenvalues below this share of the greatest are rounding
_ROUNDING = 1e-11
#: Number of leading coordinates that the solvers use first, and of subspace iterations that find them
_LEADING, _POWERS = 100, 3
#: Principal coordinates kept for the spectral start
_COORDINATES = 100
#: From this number of conditions on, the solvers work in single precision
_SINGLE = 512


@dataclass(frozen=True)
class Side:
    """One RDM, C = H + a 1' + 1 a'.

    Attributes
    ----------
    offset : ndarray, shape (n,)
        a, the additive part.
    centred : ndarray, shape (n, n), or None
        H, the double-centred part. None where it is held as factors.
    factor, signs : ndarray, shapes (n, r) and (r,), or None
        H = F diag(signs) F'.
    """

    offset: Floats
    centred: Floats | None = None
    factor: Floats | None = None
    signs: Floats | None = None

    @classmethod
    def from_rdm(cls, c: Float64) -> Side:
        """The side of the RDM ``c`` (n, n). It is held as factors where it has low rank."""
        side = cls._full(c)
        values, vectors = side._eigen
        real = np.abs(values) > _ROUNDING * np.abs(values).max()
        if _WORTH * np.count_nonzero(real) >= len(c):
            return side
        return cls(
            side.offset,
            factor=vectors[:, real] * np.sqrt(np.abs(values[real])),
            signs=-np.sign(values[real]),
        )

    @classmethod
    def _full(cls, c: Float64) -> Side:
        """The side of the RDM ``c`` (n, n), whatever its rank."""
        means = c.mean(axis=1)
        offset = means - means.mean() / 2
        return cls(offset, c - offset[:, None] - offset)

    @classmethod
    def from_features(cls, features: Floats, metric: str) -> Side:
        """The side of ``rdm(features, metric)`` for features (n, d), without that RDM where possible."""
        x = features.astype(np.float64, copy=False)
        if metric not in LOW_RANK_METRICS or _WORTH * x.shape[1] >= len(x):
            return cls._full(rdm(x, metric).astype(np.float64, copy=False))
        return cls.low_rank(x, metric)

    @classmethod
    def low_rank(cls, x: Float64, metric: str) -> Side:
        """The side of ``rdm(x, metric)`` held as factors, for one of :data:`LOW_RANK_METRICS`."""
        if metric == "sqeuclidean":
            factor = np.sqrt(2) * (x - x.mean(axis=0))
            lengths = (factor**2).sum(axis=1) / 2
            means = lengths + lengths.mean()
        else:
            unit = unit_rows(x, "features", centre=metric == "correlation")
            factor = unit - unit.mean(axis=0)
            means = 1 - unit @ unit.mean(axis=0)
        return cls(means - means.mean() / 2, factor=factor, signs=-np.ones(x.shape[1]))

    def __len__(self) -> int:
        return len(self.offset)

    def astype(self, dtype: DTypeLike) -> Side:
        """The same side in the precision ``dtype``."""
        parts = (self.centred, self.factor, self.signs)
        cast = (None if part is None else part.astype(dtype) for part in parts)
        return Side(self.offset.astype(dtype), *cast)

    def times(self, factor: float) -> Side:
        """The side of the RDM multiplied by the positive number ``factor``."""
        return Side(
            self.offset * factor,
            None if self.centred is None else self.centred * factor,
            None if self.factor is None else self.factor * np.sqrt(factor),
            self.signs,
        )

    def right_product(self, x: Floats) -> Floats:
        """``x H`` for ``x`` (k, n)."""
        result: Floats
        if self.factor is None or self.signs is None:
            result = x @ self.dense()
        else:
            result = ((x @ self.factor) * self.signs) @ self.factor.T
        return result

    def dense(self) -> Floats:
        """H, (n, n)."""
        if self.factor is None or self.signs is None:
            assert self.centred is not None
            return self.centred
        dense: Floats = (self.factor * self.signs) @ self.factor.T
        return dense

    @property
    def mean(self) -> float:
        """Mean of all entries of the RDM, with its zero diagonal."""
        return 2 * float(self.offset.mean())

    @property
    def is_constant(self) -> bool:
        """Whether all dissimilarities are equal up to rounding."""
        if self.factor is None:
            above = self.dense() + self.offset[:, None] + self.offset
            values = above[np.triu_indices(len(self), 1)]
            return bool(np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0))
        # If all dissimilarities are equal and above zero, H has full rank.
        return not self.factor.any()

    @cached_property
    def mean_square(self) -> float:
        """Mean square of the entries of the RDM."""
        if self.factor is None or self.signs is None:
            total = float(np.vdot(self.dense(), self.dense()))
        else:
            inner = self.factor.T @ self.factor
            total = float(self.signs @ (inner * inner) @ self.signs)
        return (
            total / len(self) ** 2 + 2 * float(np.mean(self.offset**2)) + 2 * float(self.offset.mean()) ** 2
        )

    @cached_property
    def _eigen(self) -> tuple[Float64, Float64]:
        """Eigenvalues, ascending, and eigenvectors of -H."""
        values, vectors = np.linalg.eigh(-self.dense())
        return values, vectors

    def leading(self, dtype: DTypeLike) -> Side:
        """The side of the leading coordinates alone, nearly (Halko et al. 2011), in precision ``dtype``.

        Its H has the greatest absolute eigenvalues of this H.
        """
        h = self.dense().astype(dtype)
        rng = np.random.default_rng(0)  # the basis may be any random one
        basis = rng.standard_normal((len(self), min(_LEADING, len(self)))).astype(dtype)
        for _ in range(_POWERS):
            basis = np.linalg.qr(h @ basis)[0]
        values, vectors = np.linalg.eigh(basis.T @ h @ basis)
        return Side(self.offset, factor=basis @ vectors * np.sqrt(np.abs(values)), signs=np.sign(values))

    @cached_property
    def spectrum(self) -> tuple[Float64, Float64]:
        """Eigenvalues of -H by descending absolute value, (k,), and principal coordinates.

        The coordinates, (n, k') with k' at most 100, are those of classical scaling: those of positive
        eigenvalues.
        """
        if self.factor is not None and self.signs is not None and (self.signs < 0).all():
            values, vectors = np.linalg.eigh(self.factor.T @ self.factor)
            coordinates = self.factor @ vectors
        else:
            values, vectors = self._eigen
            coordinates = vectors * np.sqrt(np.maximum(values, 0))
        kept = np.flatnonzero(values > _ROUNDING * np.abs(values).max())[::-1][:_COORDINATES]
        return values[np.argsort(-np.abs(values))], coordinates[:, kept]


class Problem:
    """The problem of two sides.

    Parameters
    ----------
    left, right : Side
        The two sides.
    dtype : dtype, optional
        Precision of the solvers. The default is single precision for many conditions, else double.

    Attributes
    ----------
    exact : tuple of Side
        In double precision, for distances.
    sides : tuple of Side
        In the precision of the solvers.
    """

    def __init__(self, left: Side, right: Side, dtype: DTypeLike | None = None) -> None:
        self.exact = left, right
        if dtype is None:
            dtype = np.float32 if max(len(left), len(right)) >= _SINGLE else np.float64
        self.dtype = np.dtype(dtype)
        self.sides = left.astype(dtype), right.astype(dtype)
        self.shape = len(left), len(right)
        # The duals absorb the mean of an offset too.
        self.deviations = tuple((side.offset - side.offset.mean()).astype(dtype) for side in (left, right))

    @property
    def low_rank(self) -> bool:
        """Whether H of the first side is held as factors."""
        return self.sides[0].factor is not None

    @property
    def critical_epsilon(self) -> float:
        """Epsilon at which structure beyond the mean dissimilarities begins to count (see solve)."""
        first, second = (float(np.abs(side.spectrum[0]).max()) / len(side) for side in self.exact)
        return 4 * first * second

    @cached_property
    def reduced(self) -> Problem:
        """The problem of the leading coordinates alone: nearly the same, and a gradient costs O(n^2 d)."""
        left, right = (side.leading(self.dtype) for side in self.exact)
        return Problem(left, right, self.dtype)

    def state(self, plan: Floats) -> Floats:
        """The part of ``plan`` that the gradient needs: F1' T (r, m), or T itself."""
        plan = plan.astype(self.dtype, copy=False)
        return plan if self.sides[0].factor is None else self.sides[0].factor.T @ plan

    def product(self, plan: Floats) -> Floats:
        """H1 T H2, (n, m), where T is ``plan``."""
        return self.expand(self.state(plan))

    def expand(self, state: Floats) -> Floats:
        """H1 T H2, (n, m), from the ``state`` of T."""
        left, right = self.sides
        pushed = right.right_product(state)
        result: Floats
        if left.factor is None or left.signs is None:
            result = left.dense() @ pushed
        else:
            result = (left.factor * left.signs) @ pushed
        return result

    def cost(self, product: Floats) -> Floats:
        """Gradient of the distance, up to terms that the duals absorb: -4 (H1 T H2 + a1 a2').

        ``product`` is H1 T H2, (n, m). It is overwritten.
        """
        product += np.outer(*self.deviations)
        product *= -4
        return product

    def distance(self, plan: Floats) -> float:
        """GW distance of a feasible ``plan`` (n, m), in double precision."""
        left, right = self.exact
        plan = plan.astype(np.float64, copy=False)
        if left.factor is None or left.signs is None:
            cross = float(np.vdot(left.dense() @ plan, right.right_product(plan)))
        else:
            state = left.factor.T @ plan
            cross = float(np.vdot(left.signs[:, None] * state, right.right_product(state)))
        means = float(left.offset.mean() * right.offset.mean())
        cross += 2 * float(left.offset @ plan @ right.offset) + 2 * means
        return max(0.0, left.mean_square + right.mean_square - 2 * cross)
