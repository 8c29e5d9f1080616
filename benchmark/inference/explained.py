"""Variance of responses that one of two sets of features explains, alone and with the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.encoding import orders_of_concepts
from benchmark.inference.statistics import Statistic
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64
from benchmark.measures.banded import BandedPredictions

#: The parts, as factors of the variance that both, the first and the second set explain
PARTS = {
    "unique": (1.0, 0.0, -1.0),
    "shared": (-1.0, 1.0, 1.0),
    "total": (1.0, 0.0, 0.0),
}
#: Numbers that are held at once
_HELD = 2**23
#: Below this share of its variance, that of a weighted sample is rounding
_NO_VARIANCE = 1e-10


@dataclass(frozen=True)
class ExplainedVariance:
    r"""Held-out variance explained by two sets of features, by each alone and by both.

    For each channel :math:`1 - \sum_f SS_f(y - \hat y) / \sum_f SS_f(y)`, where SS is the sum of squares in
    test fold f, less its mean there. So a prediction that is the same for all rows explains 0.

    Attributes
    ----------
    predictions : BandedPredictions
        Of held-out rows, (n, c) each.
    measured : ndarray, shape (n, c)
    folds : ndarray of int, shape (n,)
        The fold in which each row was held out.
    concepts : ndarray of int, shape (n,)
        The concept that each row shows, 0 to k - 1: what weights are for.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import ExplainedVariance
    >>> from benchmark.measures import banded_ridge
    >>> rng = np.random.default_rng(0)
    >>> own, shared, other = rng.normal(size=(3, 90, 2))
    >>> measured = (own + shared + other) @ rng.normal(size=(2, 4))
    >>> folds, first, second = np.arange(90) % 3, np.hstack([own, shared]), np.hstack([other, shared])
    >>> predictions = banded_ridge(first, second, measured, folds)
    >>> found = ExplainedVariance(predictions, measured, folds, concepts=np.arange(90))
    >>> {part: float(value.round(1)) for part, value in found.parts.items()}
    {'unique': 0.3, 'shared': 0.4, 'total': 1.0}
    """

    predictions: BandedPredictions
    measured: Float64
    folds: np.ndarray
    concepts: np.ndarray

    @cached_property
    def _sums(self) -> list[tuple[np.ndarray, Float64]]:
        """The concepts of each fold, and for each of them sums (k, 8 c + 1) over its rows."""
        found = self.predictions
        spread = self.measured.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        centred = self.measured - self.measured.mean(axis=0)
        values = [(part - self.measured) / scale for part in (found.both, found.first, found.second)] + [
            centred / scale
        ]
        by_fold = []
        for fold in np.unique(self.folds):
            rows = np.flatnonzero(self.folds == fold)
            concepts, place = np.unique(self.concepts[rows], return_inverse=True)
            each = [value[rows] for value in values]
            sums = np.zeros((len(concepts), 8 * self.measured.shape[1] + 1))
            np.add.at(sums, place, np.hstack([*each, *(v * v for v in each), np.ones((len(rows), 1))]))
            by_fold.append((concepts, sums))
        return by_fold

    def explained(self, weights: ArrayLike) -> Float64:
        """Share of the variance explained by both, the first and the second, for weights of concepts.

        Parameters
        ----------
        weights : array_like, shape (b, k)

        Returns
        -------
        ndarray, shape (3, b, c)
            NaN where fewer than three concepts of every fold have weight, or a channel does not vary.
        """
        w = np.asarray(weights, dtype=np.float64)
        squares = np.zeros((4, len(w), self.measured.shape[1]))
        for concepts, sums in self._sums:
            of_fold = w[:, concepts]
            of_fold = of_fold * ((of_fold > 0).sum(axis=1, keepdims=True) >= 3)
            weighted = of_fold @ sums
            count = np.maximum(weighted[:, -1:], 1e-300)
            parts = np.split(weighted[:, :-1], 8, axis=1)
            squares += [second - first**2 / count for first, second in zip(parts[:4], parts[4:], strict=True)]
        varied = squares[3] > _NO_VARIANCE * w.sum(axis=1, keepdims=True)
        share: Float64 = 1 - squares[:3] / np.where(varied, squares[3], np.nan)
        return share

    @cached_property
    def of_channels(self) -> Float64:
        """:meth:`explained` (3, c) where all concepts weigh the same."""
        alike: Float64 = self.explained(np.ones((1, int(self.concepts.max()) + 1)))[:, 0]
        return alike

    @cached_property
    def parts(self) -> dict[str, Float64]:
        """Each of :data:`PARTS`, the mean over channels, where all concepts weigh the same."""
        every = np.ones((1, int(self.concepts.max()) + 1))
        return {part: explained_statistic(self, part)(every)[0] for part in PARTS}


def explained_statistic(found: ExplainedVariance, part: str) -> Statistic:
    """Mean over channels of a part of the explained variance, for weights of concepts.

    It is the mean, and not the median, so that the parts add up.

    Parameters
    ----------
    found : ExplainedVariance
    part : {"unique", "shared", "total"}
        What the first set explains beyond the second; what each of them can explain; what both explain.

    Returns
    -------
    Statistic
        Weights (b, k) -> shares (b,). They can be below 0, and are not clamped.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import ExplainedVariance, bootstrap_weights, estimate, explained_statistic
    >>> from benchmark.measures import banded_ridge
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 90, 2))
    >>> measured, folds = (first + second) @ rng.normal(size=(2, 4)), np.arange(90) % 3
    >>> predictions = banded_ridge(first, second, measured, folds)
    >>> found = ExplainedVariance(predictions, measured, folds, concepts=np.arange(90))
    >>> unique = estimate(explained_statistic(found, "unique"), bootstrap_weights(n=90, draws=500, rng=0))
    >>> round(unique.low, 1), round(unique.high, 1)
    (0.3, 0.6)
    """
    factors = np.array(PARTS[part])

    def statistic(weights: Float64) -> Float64:
        shares = np.empty(len(weights))
        for some in blocks(len(weights), max(1, _HELD // (16 * found.measured.shape[1]))):
            values = np.tensordot(factors, found.explained(weights[some]), axes=1)
            known = ~np.isnan(values)
            counts = known.sum(axis=1)
            shares[some] = np.where(
                counts > 0, np.where(known, values, 0).sum(axis=1) / np.maximum(counts, 1), np.nan
            )
        return shares

    return statistic


def permuted_residuals(
    measured: ArrayLike, fitted: ArrayLike, concepts: ArrayLike, n: int, rng: np.random.Generator | int
) -> Float64:
    """Responses as they would be if nothing but a reference explained them.

    What the reference leaves over is given to other concepts and added to what it predicts (Freedman & Lane
    1983). All images of a concept stay together, and all channels are permuted alike. What a model explains
    of such responses beyond the reference is the null of its unique variance.

    Parameters
    ----------
    measured, fitted : array_like, shape (m, c)
        Responses, and their held-out predictions from the reference.
    concepts : array_like of int, shape (m,)
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int

    Returns
    -------
    ndarray, shape (n, m, c)

    References
    ----------
    Freedman & Lane (1983), Journal of Business & Economic Statistics 1(4), 292-298.

    Examples
    --------
    >>> from benchmark.inference import permuted_residuals
    >>> permuted_residuals([[1.0], [3.0], [7.0]], [[1.0], [2.0], [5.0]], [0, 1, 2], n=1, rng=2)[0].ravel()
    array([3., 2., 6.])
    """
    y, predicted = np.asarray(measured, dtype=np.float64), np.asarray(fitted, dtype=np.float64)
    orders = orders_of_concepts(np.asarray(concepts), n, np.random.default_rng(rng))
    responses: Float64 = predicted + (y - predicted)[orders]
    return responses
