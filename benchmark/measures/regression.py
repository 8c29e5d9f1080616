"""Weighted least squares of RDMs on RDMs, with what permuted predictors would explain by chance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import FEWEST_PAIRS, Float64, as_rdm, as_rdms
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import is_constant, upper_triangle
from benchmark.measures.even_regression import RANK, EvenRegression, square_matrices

#: Names of sets of predictors
Subset = tuple[str, ...]

METHODS = ("spearman", "pearson")
#: Below this share of the variance over all pairs, a draw of conditions has no variance
_NO_VARIANCE = 1e-12
#: Number of values that are held at a time: 64 MB
_HELD = 2**23


class RDMRegression:
    """Regressions of a target's RDMs on sets of RDMs, for any weights of the conditions.

    Dissimilarities are ranked or z-scored once, over all pairs, and not again for other weights. Regressions
    that are made from one another with :meth:`beside` share the work for the sets that they have in common,
    as long as they are asked for the same weights in turn.

    Parameters
    ----------
    target : array_like, shape (n, n) or (s, n, n)
        One RDM per subject.
    method : str
        One of :data:`METHODS`.

    Raises
    ------
    ValueError
        If the method is unknown, the target is not an RDM, or all its dissimilarities are equal.
    """

    def __init__(self, target: ArrayLike, method: str = "spearman") -> None:
        if method not in METHODS:
            raise ValueError(f"method is {method!r}: expected one of {', '.join(METHODS)}")
        subjects = as_rdms(target, "target")
        self.n = subjects.shape[1]
        self._method = method
        self._y = _standardised(subjects, "target", method)
        self._before: RDMRegression | None = None
        self._start(np.empty((0, self._y.shape[1])), {})
        self._rows = np.concatenate([np.ones((1, self._y.shape[1])), self._y, self._y**2])
        self._matrices = square_matrices(self._rows)

    def _start(self, x: Float64, columns: dict[str, range]) -> None:
        """Set the predictors (p, N), and the columns of each set; nothing is computed for them yet."""
        self._x, self._columns = x, columns
        self._noise: dict[Subset, _Noise] = {}
        self._moments_of = _Recent(2)
        self._shares_of = _Recent(16)

    def beside(self, name: str, rdms: ArrayLike) -> RDMRegression:
        """The same regression with one more set.

        Parameters
        ----------
        name : str
            Name of the set.
        rdms : array_like, shape (n, n) or (m, n, n)
            Its predictors.

        Returns
        -------
        RDMRegression

        Raises
        ------
        ValueError
            If an RDM is none, has other conditions, or all its dissimilarities are equal.
        """
        added = as_rdms(rdms, f"models[{name!r}]")
        if added.shape[1] != self.n:
            raise ValueError(
                f"models[{name!r}] has {added.shape[1]} conditions and target {self.n}: expected the same"
            )
        new, p = _standardised(added, f"models[{name!r}]", self._method), len(self._x)
        more = copy(self)
        more._before = self
        more._start(np.concatenate([self._x, new]), {**self._columns, name: range(p, p + len(new))})
        i, j = np.triu_indices(len(new))
        crossed = [(new[:, None] * others[None]).reshape(-1, new.shape[1]) for others in (self._x, self._y)]
        more._rows = np.concatenate([new, new[i] * new[j], *crossed])
        more._matrices = square_matrices(more._rows)
        return more

    def explained(self, subset: Subset, weights: Float64, *, corrected: bool = True) -> Float64:
        """R squared of the sets in ``subset`` together, averaged over subjects.

        Pair (i, j) has weight w_i w_j, as in :func:`benchmark.inference.rdm_statistic`.

        Parameters
        ----------
        subset : tuple of str
            Names of sets.
        weights : ndarray, shape (b, n)
            Weights of the conditions, not negative.
        corrected : bool
            Whether the bias of the small sample is taken away.

        Returns
        -------
        ndarray, shape (b,)
            NaN where fewer than three conditions have weight, or the pairs with weight have no variance.
        """
        mean: Float64 = self.explained_by_subject(subset, weights, corrected=corrected).mean(axis=1)
        return mean

    def explained_by_subject(self, subset: Subset, weights: Float64, *, corrected: bool = True) -> Float64:
        """R squared of the sets in ``subset`` together for each subject, (b, s); as :meth:`explained`.

        Parameters
        ----------
        subset : tuple of str
            Names of sets.
        weights : ndarray, shape (b, n)
            Weights of the conditions, not negative.
        corrected : bool
            Whether the bias of the small sample is taken away.

        Returns
        -------
        ndarray, shape (b, s)
            NaN as in :meth:`explained`.
        """
        return self._explained(subset, weights, _digest(weights), corrected)

    def _explained(self, subset: Subset, weights: Float64, key: object, corrected: bool) -> Float64:
        before = self._before
        if before is not None and before._columns.keys() >= set(subset):
            return before._explained(subset, weights, key, corrected)

        def compute() -> Float64:
            moments = self._moments(key, weights)
            shares = moments.explained(self._of(subset))
            if corrected:
                shares = shares - self._noise_of(subset).explained(weights) / moments.variance
            enough = (weights > 0).sum(axis=1) >= FEWEST_PAIRS
            return np.where(enough[:, None], shares, np.nan)

        found: Float64 = self._shares_of.get_or((key, subset, corrected), compute)
        return found

    def by_pairs(self, subset: Subset) -> Callable[[Float64], float]:
        """R squared of the sets in ``subset`` as a function of the weights of pairs, row by row.

        The bias that is taken away is that of equal weights.
        """
        ones = np.ones((1, self.n))
        bias = float((self.explained(subset, ones, corrected=False) - self.explained(subset, ones))[0])

        def explained(weights: Float64) -> float:
            moments = self._moments(_digest(weights), weights)
            return float(moments.explained(self._of(subset)).mean()) - bias

        return explained

    def _noise_of(self, subset: Subset) -> _Noise:
        if subset not in self._noise:
            self._noise[subset] = _Noise.of(self._x[self._of(subset)], self._y)
        return self._noise[subset]

    def _of(self, subset: Subset) -> list[int]:
        return [column for name in subset for column in self._columns[name]]

    def _moments(self, key: object, weights: Float64) -> _Moments:
        """The moments for weights of conditions (b, n) or of pairs (N,), which ``key`` names."""

        def compute() -> _Moments:
            of_pairs = weights.ndim == 1
            sums = (self._rows @ weights)[None] if of_pairs else _pair_sums(weights, self._matrices)
            if self._before is None:
                return _Moments.of_target(sums)
            known = self._before._moments(key, weights)
            return known.with_predictors(sums, len(self._x) - len(self._before._x))

        found: _Moments = self._moments_of.get_or(key, compute)
        return found


class _Recent(dict[Any, Any]):
    """Keeps the last answers."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def get_or(self, key: Any, compute: Callable[[], Any]) -> Any:
        """The answer that is kept for ``key``, else a new one."""
        if key not in self:
            self[key] = compute()
            while len(self) > self._most:
                del self[next(iter(self))]
        return self[key]


@dataclass(frozen=True)
class _Moments:
    """Weighted sums over pairs.

    Attributes
    ----------
    pairs : ndarray, shape (b, 1)
        Of the weights.
    x, y : ndarray, shape (b, p) and (b, s)
        Of predictors and target.
    gram, shared, variance : ndarray, shape (b, p, p), (b, p, s) and (b, s)
        Of products of predictors, of predictors and target, and of squares of the target, all centred.
    """

    pairs: Float64
    x: Float64
    y: Float64
    gram: Float64
    shared: Float64
    variance: Float64

    @classmethod
    def of_target(cls, sums: Float64) -> _Moments:
        b, s = len(sums), sums.shape[1] // 2
        pairs, y, squares = np.split(sums, [1, 1 + s], axis=1)
        variance = squares - _over(y**2, pairs)
        variance = np.where(variance > _NO_VARIANCE * pairs, variance, np.nan)
        return cls(pairs, np.empty((b, 0)), y, np.empty((b, 0, 0)), np.empty((b, 0, s)), variance)

    def with_predictors(self, sums: Float64, m: int) -> _Moments:
        """With ``m`` predictors more, from the sums of them, of their products, and of those with x and y."""
        p, s = self.shared.shape[1:]
        x, own, crossed, shared = np.split(sums, np.cumsum([m, m * (m + 1) // 2, m * p]), axis=1)
        gram = np.empty((len(sums), p + m, p + m))
        i, j = np.triu_indices(m)
        gram[:, :p, :p] = self.gram
        gram[:, p + i, p + j] = gram[:, p + j, p + i] = own - _over(x[:, i] * x[:, j], self.pairs)
        between = crossed.reshape(len(sums), m, p) - _over(
            x[:, :, None] * self.x[:, None], self.pairs[:, None]
        )
        gram[:, p:, :p], gram[:, :p, p:] = between, between.swapaxes(1, 2)
        with_y = shared.reshape(len(sums), m, s) - _over(x[:, :, None] * self.y[:, None], self.pairs[:, None])
        return _Moments(
            self.pairs,
            np.concatenate([self.x, x], axis=1),
            self.y,
            gram,
            np.concatenate([self.shared, with_y], axis=1),
            self.variance,
        )

    def explained(self, columns: list[int]) -> Float64:
        """R squared of each subject, (b, s). Directions of the predictors that are rounding are left out."""
        gram = self.gram[:, columns][:, :, columns]
        spread = np.sqrt(np.maximum(np.einsum("bpp->bp", gram), 0))
        scale = np.where(spread > np.sqrt(_NO_VARIANCE * self.pairs), spread, np.inf)
        inverse = np.linalg.pinv(gram / (scale[:, :, None] * scale[:, None]), rcond=RANK, hermitian=True)
        slopes = self.shared[:, columns] / scale[:, :, None]
        explained: Float64 = np.einsum("bps,bps->bs", slopes, inverse @ slopes) / self.variance
        return explained


@dataclass(frozen=True)
class _Noise:
    """What is needed for the mean of what permuted predictors explain of their residuals e.

    Attributes
    ----------
    residuals : ndarray, shape (s, n, n)
    alone, sharing, apart : float
        As of :class:`EvenRegression`.
    """

    residuals: Float64
    alone: float
    sharing: float
    apart: float

    @classmethod
    def of(cls, x: Float64, y: Float64) -> _Noise:
        """From standardised predictors (p, N) and target (s, N)."""
        even = EvenRegression(x)
        return cls(square_matrices(even.residuals(y)), even.alone, even.sharing, even.apart)

    def explained(self, weights: Float64) -> Float64:
        """The mean over all permutations of the sum of squares that is explained, (b, s)."""
        kept = weights.any(axis=0)
        w, residuals = weights[:, kept], self.residuals[:, kept][:, :, kept]
        n, s = w.shape[1], len(residuals)
        squares = w**2
        pairs = ((w.sum(axis=1) ** 2 - squares.sum(axis=1)) / 2)[:, None]
        rows = (w @ residuals.reshape(-1, n).T).reshape(len(w), s, n)
        mean = _over((rows @ w[:, :, None])[..., 0] / 2, pairs)
        rows -= mean[:, :, None] * (w.sum(axis=1, keepdims=True) - w)[:, None]
        sums = _pair_sums(squares, np.concatenate([residuals**2, residuals]))
        couples = ((squares.sum(axis=1) ** 2 - (squares**2).sum(axis=1)) / 2)[:, None]
        alone = sums[:, :s] - 2 * mean * sums[:, s:] + mean**2 * couples
        sharing = (rows**2 @ squares[:, :, None])[..., 0] - 2 * alone
        found = self.alone * alone + self.sharing * sharing + self.apart * (alone + sharing)
        return _over(found, pairs)


def _standardised(rdms: Float64, name: str, method: str) -> Float64:
    """Ranks or dissimilarities above the diagonal, with mean 0 and mean square 1, (m, N)."""
    values = np.array([upper_triangle(as_rdm(rdm, name)) for rdm in rdms])
    for row in values:
        if is_constant(row):
            raise ValueError(
                f"{name} of shape {rdms.shape} has dissimilarities that are all equal: undefined"
            )
    if method == "spearman":
        values = np.array([average_ranks(row) for row in values])
    centred = values - values.mean(axis=1, keepdims=True)
    scaled: Float64 = centred / centred.std(axis=1, keepdims=True)
    return scaled


def _pair_sums(weights: Float64, matrices: Float64) -> Float64:
    """Sums over i < j of w_i w_j M_ij: weights (b, n) and symmetric matrices (q, n, n) -> (b, q)."""
    # In a halving, half of the conditions has no weight in any draw. Leaving it out saves three quarters.
    kept = weights.any(axis=0)
    if not kept.all():
        weights, matrices = weights[:, kept], matrices[:, kept][:, :, kept]
    q, n = matrices.shape[:2]
    flat = matrices.reshape(-1, n).T
    sums = np.empty((len(weights), q))
    step = max(1, _HELD // (q * n + 1))
    for start in range(0, len(weights), step):
        w = weights[start : start + step]
        rows = (w @ flat).reshape(len(w), q, n)
        sums[start : start + step] = (rows @ w[:, :, None])[..., 0] / 2
    return sums


def _over(sums: Float64, pairs: Float64) -> Float64:
    """``sums`` by the weight of the pairs; 0 where no pair has weight."""
    ratio: Float64 = np.divide(sums, pairs, out=np.zeros_like(sums), where=pairs > 0)
    return ratio


def _digest(weights: Float64) -> tuple[tuple[int, ...], bytes]:
    return weights.shape, hashlib.blake2b(np.ascontiguousarray(weights).tobytes(), digest_size=16).digest()
