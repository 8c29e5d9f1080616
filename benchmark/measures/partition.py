r"""How much of the variance of an RDM sets of model RDMs explain, alone and together.

In ordinary least squares, with an intercept, over the pairs of conditions i < j. The bias of a small sample
is taken away: see :func:`variance_partition`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import FEWEST_PAIRS, Float64, as_rdm, as_rdms
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import is_constant, upper_triangle

Subset = tuple[str, ...]

METHODS = ("spearman", "pearson")
#: More sets give too many parts for a table to be read
MOST_SETS = 3
#: Below this share of the greatest eigenvalue, a direction of correlated predictors is rounding: RDMs come
#: from float32 features
_RANK = 1e-9
#: Below this share of the variance over all pairs, a draw of conditions has no variance
_NO_VARIANCE = 1e-12
#: Number of values that are held at a time: 64 MB
_HELD = 2**23


@dataclass(frozen=True)
class VariancePartition:
    """Shares of a target's variance. Keys are tuples of names of sets, in the order that was given.

    Attributes
    ----------
    explained : dict of tuple of str to float
        R squared of each group of sets: ("a",), ("b",), ("a", "b").
    corrected : dict of tuple of str to float
        The same without the bias of the small sample. It can be negative.
    components : dict of tuple of str to float
        Parts of commonality analysis, from ``corrected``. The part ("a",) is what only a explains, ("a", "b")
        what a and b explain and no other set does. They sum to the R squared of all sets. A part of several
        sets is negative where one set suppresses what is irrelevant in another.
    raw_components : dict of tuple of str to float
        The same from ``explained``.
    """

    explained: dict[Subset, float]
    corrected: dict[Subset, float]
    components: dict[Subset, float]
    raw_components: dict[Subset, float]


def variance_partition(
    target: ArrayLike, models: Mapping[str, ArrayLike], method: str = "spearman"
) -> VariancePartition:
    r"""Variance of a target's RDM that two or three sets of model RDMs explain, alone and together.

    R squared is taken for each subject, and averaged over the subjects.

    Parameters
    ----------
    target : array_like, shape (n, n) or (s, n, n)
        The target's RDM, or one per subject.
    models : mapping of str to array_like, shape (n, n) or (m, n, n)
        Two or three sets of predictors: the RDM of a model, or of several of its layers.
    method : str
        ``spearman``: of the ranks of the dissimilarities. ``pearson``: of the dissimilarities as they are.

    Returns
    -------
    VariancePartition

    Raises
    ------
    ValueError
        If there are other than two or three sets, an argument is not an RDM, shapes differ, or all
        dissimilarities of an RDM are equal.

    Notes
    -----
    Any predictor explains something by chance. The pairs of an RDM are not independent, so an adjusted
    R squared with the number of pairs takes away far too little. Only conditions can be exchanged. So what is
    taken away is what the same predictors would explain on average of the residual e of their own fit, over
    all permutations of their conditions. No permutation is drawn, because this mean has a closed form (Mantel
    1967). With X the centred predictors and G = X'X,

    .. math:: \operatorname{E} [e' X_\pi G^{-1} X_\pi' e]
       = \frac{p A}{N} + \frac{t B}{n (n-1) (n-2)} + \frac{4 (p + t) (A + B)}{n (n-1) (n-2) (n-3)}

    where p is the rank of X, N the number of pairs, A and B are the sums of :math:`e_a e_b` over equal pairs
    a = b and over ordered pairs a, b that share one condition, and t is the trace of :math:`G^{-1}` times the
    sum of :math:`X_a X_b'` over those. A residual without relation between pairs that share a condition has
    B = 0, and the mean is close to p A / N, that of the adjusted R squared.

    References
    ----------
    Mantel (1967), Cancer Research 27, 209-220; Nimon & Oswald (2013), Organizational Research Methods 16,
    650-674 (commonality analysis); Groen et al. (2018), eLife 7, e32962 (of RDMs).

    Examples
    --------
    A subject mixes two geometries. Each model has one of them.

    >>> import numpy as np
    >>> from benchmark.measures import rdm, variance_partition
    >>> rng = np.random.default_rng(0)
    >>> shape, colour = rng.normal(size=(2, 40, 6))
    >>> subject = rdm(np.hstack([shape, colour]), "sqeuclidean")
    >>> models = {"shape": rdm(shape, "sqeuclidean"), "colour": rdm(colour, "sqeuclidean")}
    >>> parts = variance_partition(subject, models, "pearson")
    >>> {" and ".join(names): round(share, 2) for names, share in parts.components.items()}
    {'shape': 0.61, 'colour': 0.38, 'shape and colour': 0.01}
    """
    if not 2 <= len(models) <= MOST_SETS:
        raise ValueError(f"models has {len(models)} sets: expected 2 or {MOST_SETS}")
    regression = RDMRegression(target, method)
    for name, rdms in models.items():
        regression = regression.beside(name, rdms)
    ones = np.ones((1, regression.n))
    explained, corrected = {}, {}
    for subset in subsets(models):
        explained[subset] = float(regression.explained(subset, ones, corrected=False)[0])
        corrected[subset] = float(regression.explained(subset, ones)[0])
    return VariancePartition(explained, corrected, commonality(corrected), commonality(explained))


def subsets(names: Mapping[str, object] | Sequence[str]) -> list[Subset]:
    """Every group of ``names`` but the empty one, the small ones first."""
    return list(chain.from_iterable(combinations(names, size + 1) for size in range(len(names))))


def commonality(explained: Mapping[Subset, float]) -> dict[Subset, float]:
    r"""Parts of commonality analysis from the R squared of every group of sets.

    The part of a group T of all sets U is
    :math:`\sum_{V \subseteq T} (-1)^{|V| + 1} R^2(V \cup U \setminus T)`.

    Parameters
    ----------
    explained : mapping of tuple of str to float
        R squared of each group of sets, as :func:`subsets` names them.

    Returns
    -------
    dict of tuple of str to float
        They sum to the R squared of all sets.

    Examples
    --------
    >>> parts = commonality({("a",): 0.5, ("b",): 0.3, ("a", "b"): 0.6})
    >>> {names: round(share, 3) for names, share in parts.items()}
    {('a',): 0.3, ('b',): 0.1, ('a', 'b'): 0.2}
    """
    every = max(explained, key=len)

    def part(group: Subset) -> float:
        others = [name for name in every if name not in group]
        total = 0.0
        for inside in [(), *subsets(group)]:
            fitted = tuple(name for name in every if name in others or name in inside)
            total += (-1) ** (len(inside) + 1) * (explained[fitted] if fitted else 0.0)
        return total

    return {group: part(group) for group in explained}


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
        self._matrices = _squares([np.ones((1, self._y.shape[1])), self._y, self._y**2])

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
        more._matrices = _squares([new, new[i] * new[j], *crossed])
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
        return self._explained(subset, weights, _digest(weights), corrected)

    def _explained(self, subset: Subset, weights: Float64, key: object, corrected: bool) -> Float64:
        before = self._before
        if before is not None and before._columns.keys() >= set(subset):
            return before._explained(subset, weights, key, corrected)

        def compute() -> Float64:
            moments = self._moments(key, lambda matrices: _pair_sums(weights, matrices))
            shares = moments.explained(self._of(subset))
            if corrected:
                shares = shares - self._noise_of(subset).explained(weights) / moments.variance
            enough = (weights > 0).sum(axis=1) >= FEWEST_PAIRS
            return np.where(enough, shares.mean(axis=1), np.nan)

        found: Float64 = self._shares_of.get_or((key, subset, corrected), compute)
        return found

    def by_pairs(self, subset: Subset) -> Callable[[Float64], float]:
        """R squared of the sets in ``subset`` as a function of the weights of pairs, row by row.

        The bias that is taken away is that of equal weights.
        """
        ones, upper = np.ones((1, self.n)), np.triu_indices(self.n, 1)
        bias = float((self.explained(subset, ones, corrected=False) - self.explained(subset, ones))[0])

        def explained(weights: Float64) -> float:
            moments = self._moments(
                _digest(weights), lambda matrices: (matrices[:, upper[0], upper[1]] @ weights)[None]
            )
            return float(moments.explained(self._of(subset)).mean()) - bias

        return explained

    def _noise_of(self, subset: Subset) -> _Noise:
        if subset not in self._noise:
            self._noise[subset] = _Noise.of(self._x[self._of(subset)], self._y, self.n)
        return self._noise[subset]

    def _of(self, subset: Subset) -> list[int]:
        return [column for name in subset for column in self._columns[name]]

    def _moments(self, key: object, weigh: Callable[[Float64], Float64]) -> _Moments:
        """The moments for the weights of ``key``. ``weigh`` gives the weighted sums of matrices (q, n, n)."""

        def compute() -> _Moments:
            sums = weigh(self._matrices)
            if self._before is None:
                return _Moments.of_target(sums)
            known = self._before._moments(key, weigh)
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
        inverse = np.linalg.pinv(gram / (scale[:, :, None] * scale[:, None]), rcond=_RANK, hermitian=True)
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
        Factors of the sums of e_a e_b over equal pairs, over pairs that share one condition, and over both.
    """

    residuals: Float64
    alone: float
    sharing: float
    apart: float

    @classmethod
    def of(cls, x: Float64, y: Float64, n: int) -> _Noise:
        """From standardised predictors (p, N) and target (s, N)."""
        inverse = np.linalg.pinv(x @ x.T, rcond=_RANK, hermitian=True)
        rank = float(np.linalg.matrix_rank(x @ x.T, tol=_RANK * x.shape[1] * len(x), hermitian=True))
        rows = _squares([x]).sum(axis=2)
        sharing = float(np.sum(inverse * (rows @ rows.T))) - 2 * rank
        residuals = y - (y @ x.T) @ inverse @ x
        triples = n * (n - 1) * (n - 2)
        # the number of pairs cancels for equal pairs: predictors have mean square one
        return cls(
            _squares([residuals]),
            rank,
            sharing * x.shape[1] / triples,
            (rank + sharing) * x.shape[1] * 4 / (triples * (n - 3)) if n > 3 else 0.0,
        )

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


def _squares(rows: Sequence[Float64]) -> Float64:
    """Symmetric matrices (q, n, n) with a zero diagonal, from rows of values above it."""
    every = np.concatenate(rows)
    n = (1 + math.isqrt(1 + 8 * every.shape[1])) // 2
    i, j = np.triu_indices(n, 1)
    matrices = np.zeros((len(every), n, n))
    matrices[:, i, j] = matrices[:, j, i] = every
    return matrices


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
