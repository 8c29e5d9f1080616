r"""Feature-reweighted RDMs: a weight for the dissimilarities of each feature, fitted on other stimuli.

Feature p alone gives the dissimilarities :math:`d_p(i, j) = (x_{pi} - x_{pj})^2`. A reweighted RDM is
:math:`b + \sum_p w_p d_p`, with weights that predict a target RDM best in the pairs of the training stimuli.
Only pairs of two test stimuli are predicted, so no pair that is scored shares a stimulus with one that was
fitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve

from benchmark.measures._checks import Float64, as_rdms
from benchmark.measures.dissimilarities import Dissimilarities, pairs_of

#: Penalties to choose from, as shares of the sum of squares of the standardised predictors
PENALTIES = 10.0 ** np.arange(-7.0, 2.0)
#: A predictor whose variance is below this share of its mean square does not vary
_FLAT = 1e-12
#: Exchanges of whole sets, each without progress, after which one predictor is exchanged at a time
_EXCHANGES = 3
#: Most rounds for each weight. Ten are common; features that are nearly copies need many
_ROUNDS = 50
#: Of the greatest gradient, what counts as zero
_ZERO = 1e-10


@dataclass(frozen=True)
class ReweightedRDMs:
    """Predictions of :func:`reweighted_rdms`.

    Attributes
    ----------
    folds : tuple of ndarray of int
        The test stimuli of each fold.
    predicted : tuple of ndarray, each of shape (pairs of the fold, t)
        The predicted dissimilarity of every pair of test stimuli, row by row of the upper triangle, for each
        target.
    chosen : ndarray, shape (k, t)
        The penalty that each fold chose for each target.
    weights : ndarray, shape (k, f, t)
        The weight of each predictor's dissimilarities, as they are, in each fold and for each target.
    """

    folds: tuple[np.ndarray, ...]
    predicted: tuple[Float64, ...]
    chosen: Float64
    weights: Float64


def reweighted_rdms(
    predictors: Dissimilarities,
    targets: ArrayLike,
    folds: ArrayLike,
    *,
    nonnegative: bool = True,
    penalties: ArrayLike = PENALTIES,
) -> ReweightedRDMs:
    r"""Predict RDMs by reweighted dissimilarities, cross-validated over stimuli.

    For each fold of stimuli the weights minimise :math:`\|y - b - Z w\|^2 + \alpha \|w\|^2` over the pairs of
    the other folds, where Z are the dissimilarities of each predictor with mean 0 and variance 1 over these
    pairs. The penalty is chosen in the training folds: each of them is predicted from the rest, and the
    penalty with the greatest mean correlation is taken. A fit without two folds serves the choice of both of
    them, and one Cholesky factor serves all targets.

    Parameters
    ----------
    predictors : FeatureDissimilarities or RDMDissimilarities
        Of n stimuli.
    targets : array_like, shape (t, n, n) or (n, n)
        RDMs to predict. No pair may be NaN.
    folds : array_like, shape (n,)
        The fold in which each stimulus is held out: three folds or more, with three stimuli or more each.
    nonnegative : bool
        Whether no weight may be below 0, so that the prediction is a weighted distance. Default: yes.
    penalties : array_like, shape (a,)
        Penalties to choose from, greater than zero, as shares of the sum of squares of Z.

    Returns
    -------
    ReweightedRDMs

    Raises
    ------
    ValueError
        If shapes do not fit, there are too few folds or stimuli, or a penalty is not greater than zero.

    References
    ----------
    Kaniuth & Hebart (2022), NeuroImage 257, 119294 (feature-reweighted RSA); Khaligh-Razavi & Kriegeskorte
    (2014), PLoS Computational Biology 10, e1003915 (weighted sums of RDMs); Kim & Park (2011), SIAM Journal
    on Scientific Computing 33, 3261-3281 (the solver with weights that are not negative).

    Examples
    --------
    Two of ten features decide the target; the others hide it from a plain RDM.

    >>> import numpy as np
    >>> from benchmark.measures import FeatureDissimilarities, rdm, reweighted_rdms
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(40, 10))
    >>> target = rdm(features[:, :2], metric="sqeuclidean")
    >>> found = reweighted_rdms(FeatureDissimilarities(features), target, np.arange(40) % 4)
    >>> i, j = np.triu_indices(10, 1)
    >>> test = found.folds[0]
    >>> plain = rdm(features, metric="sqeuclidean")[np.ix_(test, test)][i, j]
    >>> known = target[np.ix_(test, test)][i, j]
    >>> fitted = found.predicted[0][:, 0]
    >>> [float(np.corrcoef(known, scored)[0, 1].round(3)) for scored in (plain, fitted)]
    [0.357, 1.0]
    >>> found.weights[0, :, 0].round(2).tolist()
    [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    y, held = as_rdms(targets, "targets"), np.asarray(folds)
    shares = np.sort(np.asarray(penalties, dtype=np.float64))[::-1]
    tests = _tests(held, len(predictors), y, shares)
    fits = _choice(predictors, y, held, tests, shares, nonnegative)
    predicted, plain, chosen = [], [], np.empty((len(tests), len(y)))
    for k, test in enumerate(tests):
        best = fits[k].argmax(axis=0)
        chosen[k] = shares[best]
        fit = _Fit.of(predictors, np.flatnonzero(~np.isin(np.arange(len(held)), test)), y)
        weights = np.empty((fit.gram.shape[0], len(y)))
        for a in np.unique(best):
            weights[:, best == a] = fit.solve(shares[a], nonnegative, best == a)
        predicted.append(fit.predict(predictors, test, weights))
        plain.append(weights / fit.scale[:, None])
    return ReweightedRDMs(tuple(tests), tuple(predicted), chosen, np.stack(plain))


def _choice(
    predictors: Dissimilarities,
    y: Float64,
    held: np.ndarray,
    tests: list[np.ndarray],
    shares: Float64,
    nonnegative: bool,
) -> Float64:
    """Mean correlation (k, a, t) over the other folds, each predicted without itself and fold k."""
    total = np.zeros((len(tests), len(shares), len(y)))
    for k, j in combinations(range(len(tests)), 2):
        both = np.concatenate([tests[k], tests[j]])
        fit = _Fit.of(predictors, np.setdiff1d(np.arange(len(held)), both), y)
        weights = np.stack(list(fit.path(shares, nonnegative)))
        flat = np.moveaxis(weights, 0, 1).reshape(weights.shape[1], -1)
        for scored, informed in ((tests[j], k), (tests[k], j)):
            found = fit.predict(predictors, scored, flat).reshape(-1, *total.shape[1:])
            total[informed] += _correlations(found, pairs_of(y, scored).T)
    return total / (len(tests) - 1)


@dataclass
class _Fit:
    """Normal equations of standardised predictors, for the pairs of some training stimuli.

    A predictor that does not vary has a scale of infinity, and so no weight.
    """

    gram: Float64
    shared: Float64
    mean: Float64
    scale: Float64
    level: Float64
    total: float
    passive: np.ndarray

    @classmethod
    def of(cls, predictors: Dissimilarities, rows: np.ndarray, y: Float64) -> _Fit:
        m = predictors.moments(rows, y)
        mean = m.sums / m.pairs
        squares = np.diagonal(m.products) / m.pairs
        variance = squares - mean**2
        scale = np.where(variance > _FLAT * squares, np.sqrt(np.maximum(variance, 0)), np.inf)
        gram = m.products
        gram -= np.outer(mean, m.sums)
        gram /= scale
        gram /= scale[:, None]
        shared = (m.shared - m.sums[:, None] * m.level) / scale[:, None]
        total = float(np.trace(gram))
        return cls(gram, shared, mean, scale, m.level, total or 1.0, np.zeros(shared.T.shape, dtype=bool))

    def path(self, shares: Float64, nonnegative: bool) -> Iterator[Float64]:
        """Weights (f, t) for each penalty."""
        every = np.ones(self.shared.shape[1], dtype=bool)
        for share in shares:
            yield self.solve(share, nonnegative, every)

    def solve(self, share: float, nonnegative: bool, wanted: np.ndarray) -> Float64:
        """Weights (f, wanted) of standardised predictors. The sets in use are kept for the next penalty."""
        gram = self.gram.copy()
        gram.flat[:: len(gram) + 1] += share * self.total
        if not nonnegative:
            return _solution(gram, self.shared[:, wanted])
        columns = [
            nonnegative_solution(gram, self.shared[:, t], self.passive[t]) for t in np.flatnonzero(wanted)
        ]
        self.passive[wanted] = np.array(columns) > 0
        return np.column_stack(columns)

    def predict(self, predictors: Dissimilarities, rows: np.ndarray, weights: Float64) -> Float64:
        """Dissimilarities (pairs of ``rows``, columns of ``weights``); columns run over targets fastest."""
        plain = weights / self.scale[:, None]
        level = np.resize(self.level, weights.shape[1])
        return predictors.weighted(rows, plain) + (level - self.mean @ plain)


def nonnegative_solution(gram: Float64, shared: Float64, passive: np.ndarray | None = None) -> Float64:
    r"""Minimise :math:`w^\top G w / 2 - b^\top w` with no weight below 0, by block principal pivoting.

    Predictors are exchanged between those with a weight and those without, all that break a condition of the
    optimum at once. Where this makes no progress, one is exchanged at a time, which ends for certain.

    Parameters
    ----------
    gram : ndarray, shape (f, f)
        G, positive definite.
    shared : ndarray, shape (f,)
        b.
    passive : ndarray of bool, shape (f,), optional
        The predictors that have a weight at the start: those of a similar problem. Default: none.

    Returns
    -------
    ndarray, shape (f,)
        The one solution.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures.reweighting import nonnegative_solution
    >>> nonnegative_solution(np.eye(3), np.array([1.0, -2.0, 0.5]))
    array([1. , 0. , 0.5])
    """
    used = np.zeros(len(shared), dtype=bool) if passive is None else passive.copy()
    zero = _ZERO * np.abs(shared).max(initial=0)
    fewest, left = len(shared) + 1, _EXCHANGES
    for _ in range(_ROUNDS * len(shared) + 100):
        weights = np.zeros(len(shared))
        at = np.flatnonzero(used)
        if len(at):
            # two times take is faster than one index with np.ix_
            weights[at] = _solution(gram.take(at, axis=0).take(at, axis=1), shared[at])
        gradient = gram @ weights - shared
        broken = np.where(used, weights < 0, gradient < -zero)
        count = int(broken.sum())
        if not count:
            return weights
        if count < fewest:
            fewest, left = count, _EXCHANGES
        else:
            left -= 1
        if left >= 0:
            used ^= broken
        else:
            last = np.flatnonzero(broken)[-1]
            used[last] = not used[last]
    raise ValueError("the weights do not converge: the features are too much alike")


def _solution(gram: Float64, shared: Float64) -> Float64:
    """Of ``gram`` x = ``shared``; the memory of ``gram`` is used.

    LAPACK reads columns, and a symmetric matrix is its own transpose: so it is not copied.
    """
    factor = cho_factor(gram.T, lower=True, overwrite_a=True, check_finite=False)
    solution: Float64 = cho_solve(factor, shared, check_finite=False)
    return solution


def _tests(held: np.ndarray, n: int, y: Float64, shares: Float64) -> list[np.ndarray]:
    """The rows of each fold."""
    if held.shape != (n,) or y.shape[1] != n:
        raise ValueError(
            f"predictors have {n} stimuli, targets shape {y.shape} and folds {held.shape}: expected "
            "(t, n, n) and (n,)"
        )
    names, counts = np.unique(held, return_counts=True)
    if len(names) < 3 or counts.min() < 3:
        raise ValueError(
            f"folds has {len(names)} values, the rarest {counts.min()} times: expected three folds or more, "
            "with three stimuli or more each"
        )
    if shares.ndim != 1 or not shares.size or not (shares > 0).all():
        raise ValueError("penalties: expected shares greater than zero")
    return [np.flatnonzero(held == name) for name in names]


def _correlations(found: Float64, known: Float64) -> Float64:
    """Correlations (a, t) of predictions (pairs, a, t) with targets (pairs, t); 0 where nothing varies."""
    x, y = found - found.mean(axis=0), known - known.mean(axis=0)
    lengths = np.sqrt(np.einsum("pat,pat->at", x, x) * np.einsum("pt,pt->t", y, y))
    inner = np.einsum("pat,pt->at", x, y)
    ratio: Float64 = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0)
    return ratio
