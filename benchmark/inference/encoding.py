"""Correlation of predicted and measured responses, as a function of the weights of concepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.statistics import Statistic
from benchmark.measures._checks import Float64
from benchmark.measures.permutation import PermutationTest, student_p

#: Numbers that are held at once
_HELD = 2**23
#: Below this share of its variance, that of a weighted sample is rounding
_NO_VARIANCE = 1e-10


@dataclass(frozen=True)
class FoldedPredictions:
    """Predictions of held-out responses, fold by fold.

    A correlation is computed in each fold, since predictions of two folds come from two fits, and then
    averaged over the folds. (One correlation over all folds is below 0 for noise: the mean of the training
    rows is low where that of the test rows is high.)

    Attributes
    ----------
    predicted, measured : ndarray, shape (n, c)
        Prediction and measurement for each stimulus and channel.
    folds : ndarray of int, shape (n,)
        The fold in which each stimulus was held out.
    concepts : ndarray of int, shape (n,)
        The concept that each stimulus shows, 0 to k - 1: what weights are for.

    Raises
    ------
    ValueError
        If shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedPredictions
    >>> rng = np.random.default_rng(0)
    >>> measured = rng.normal(size=(40, 3))
    >>> predicted = measured + rng.normal(size=(40, 3))
    >>> folded = FoldedPredictions(predicted, measured, folds=np.arange(40) % 2, concepts=np.arange(40))
    >>> folded.correlations(np.ones((1, 40))).round(2)
    array([[0.57, 0.65, 0.56]])
    """

    predicted: Float64
    measured: Float64
    folds: np.ndarray
    concepts: np.ndarray

    def __post_init__(self) -> None:
        shapes = [np.shape(a) for a in (self.predicted, self.measured, self.folds, self.concepts)]
        if shapes[0] != shapes[1] or len(shapes[0]) != 2 or not shapes[2] == shapes[3] == shapes[0][:1]:
            raise ValueError(
                f"predicted, measured, folds and concepts have shapes {shapes}: expected (n, c), (n, c), "
                "(n,) and (n,)"
            )

    def part(self, channels: slice) -> FoldedPredictions:
        """Some of the channels."""
        return replace(self, predicted=self.predicted[:, channels], measured=self.measured[:, channels])

    def standardised(self) -> Iterator[tuple[np.ndarray, Float64, Float64]]:
        """Rows of each fold, and prediction and measurement there with mean 0 and variance 1 (or 0)."""
        for fold in np.unique(self.folds):
            rows = np.flatnonzero(self.folds == fold)
            yield rows, _standard(self.predicted[rows]), _standard(self.measured[rows])

    @cached_property
    def _sums(self) -> list[tuple[np.ndarray, Float64]]:
        """The concepts of each fold, and for each of them sums (k, 5 c + 1) over its stimuli."""
        by_fold = []
        for rows, p, y in self.standardised():
            order = np.argsort(self.concepts[rows], kind="stable")
            concepts, starts = np.unique(self.concepts[rows][order], return_index=True)
            each = np.hstack([p, y, p * p, y * y, p * y, np.ones((len(rows), 1))])
            by_fold.append((concepts, np.add.reduceat(each[order], starts, axis=0)))
        return by_fold

    @cached_property
    def of_channels(self) -> Float64:
        """:meth:`correlations` (c,) where all concepts weigh the same."""
        alike: Float64 = self.correlations(np.ones((1, int(self.concepts.max()) + 1)))[0]
        return alike

    def correlations(self, weights: ArrayLike) -> Float64:
        """Correlation of each channel, averaged over the folds in which it is defined.

        Parameters
        ----------
        weights : array_like, shape (b, k)
            Weights of the concepts.

        Returns
        -------
        ndarray, shape (b, c)
            NaN where fewer than three concepts of a fold have weight, or prediction or measurement do not
            vary, in every fold.
        """
        w = np.asarray(weights, dtype=np.float64)
        n, c = self.predicted.shape
        step = max(1, _HELD // (5 * max(n, 2 * len(w))))
        if c > step:  # in parts, whose sums are not kept: those of all channels take too much room
            parts = (self.part(slice(start, start + step)) for start in range(0, c, step))
            return np.hstack([part.correlations(w) for part in parts])
        total, counted = np.zeros((len(w), c)), np.zeros((len(w), c))
        for concepts, sums in self._sums:
            of_fold = w[:, concepts]
            kept = np.flatnonzero(of_fold.any(axis=0))
            r = _weighted(of_fold[:, kept] @ sums[kept])
            r[(of_fold > 0).sum(axis=1) < 3] = np.nan
            defined = ~np.isnan(r)
            total += np.where(defined, r, 0)
            counted += defined
        means: Float64 = np.divide(total, counted, out=np.full(total.shape, np.nan), where=counted > 0)
        return means


def _standard(values: Float64) -> Float64:
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    flat = spread <= _NO_VARIANCE * np.abs(values).max(axis=0, initial=0)
    standard: Float64 = np.where(flat, 0, centred / np.where(flat, 1, spread))
    return standard


def _weighted(sums: Float64) -> Float64:
    """Correlations (b, c) from weighted sums (b, 5 c + 1)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p, y, pp, yy, py = np.split(sums[:, :-1] / sums[:, -1:], 5, axis=1)
        across, along = pp - p * p, yy - y * y
        across[(across <= _NO_VARIANCE) | (along <= _NO_VARIANCE)] = np.nan
        r: Float64 = (py - p * y) / np.sqrt(across * along)
    return r


def encoding_statistic(folded: FoldedPredictions, ceilings: ArrayLike | None = None) -> Statistic:
    """Median over channels of the correlation of prediction and measurement, for weights of concepts.

    Parameters
    ----------
    folded : FoldedPredictions
        Predictions of held-out responses.
    ceilings : array_like, shape (c,), optional
        Each channel's correlation is divided by its ceiling (:attr:`Reliability.ceiling`). A channel whose
        ceiling is NaN takes no part. The quotient is not clamped. Default: correlations as they are.

    Returns
    -------
    Statistic
        Weights (b, k) -> medians (b,). NaN where no channel is defined.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedPredictions, bootstrap_weights, encoding_statistic, estimate
    >>> rng = np.random.default_rng(0)
    >>> measured = rng.normal(size=(60, 5))
    >>> predicted = measured + rng.normal(size=(60, 5))
    >>> folded = FoldedPredictions(predicted, measured, folds=np.arange(60) % 3, concepts=np.arange(60))
    >>> found = estimate(encoding_statistic(folded), bootstrap_weights(n=60, draws=500, rng=0))
    >>> round(found.score, 2), round(found.low, 2), round(found.high, 2)
    (0.73, 0.64, 0.8)
    """
    scale = 1.0 if ceilings is None else np.asarray(ceilings, dtype=np.float64)
    step = max(1, _HELD // folded.predicted.shape[1])

    def statistic(weights: Float64) -> Float64:
        medians = np.empty(len(weights))
        for start in range(0, len(weights), step):
            some = slice(start, start + step)
            medians[some] = median_defined(folded.correlations(weights[some]) / scale)
        return medians

    return statistic


def median_defined(values: Float64) -> Float64:
    """Median (b,) of each row of ``values`` (b, c) without NaN. NaN where a row has nothing else."""
    ordered = np.sort(values, axis=1)  # NaN comes last
    count = (~np.isnan(values)).sum(axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1)
    median: Float64 = (ordered[rows, low] + ordered[rows, high]) / 2
    return median


def encoding_interval(
    folded: FoldedPredictions, n: int, rng: np.random.Generator | int
) -> tuple[float, float]:
    """95 % interval of the median correlation, over concepts and over channels.

    In each draw concepts and channels are both drawn anew, so it says what other stimuli and other channels
    of the same area would give. The interval of :func:`encoding_statistic` keeps the channels.

    Parameters
    ----------
    folded : FoldedPredictions
        Predictions of held-out responses.
    n : int
        Number of draws.
    rng : numpy.random.Generator or int
        Source of the draws, or its seed.

    Returns
    -------
    low, high : float
        NaN where no draw is defined.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedPredictions, encoding_interval
    >>> rng = np.random.default_rng(0)
    >>> measured = rng.normal(size=(60, 9))
    >>> predicted = measured + np.linspace(0.2, 3, 9) * rng.normal(size=(60, 9))
    >>> folded = FoldedPredictions(predicted, measured, folds=np.arange(60) % 3, concepts=np.arange(60))
    >>> low, high = encoding_interval(folded, n=500, rng=0)
    >>> round(low, 2), round(high, 2)
    (0.36, 0.87)
    """
    generator = np.random.default_rng(rng)
    k, c = int(folded.concepts.max()) + 1, folded.predicted.shape[1]
    step = max(1, _HELD // c)
    medians = []
    for start in range(0, n, step):
        size = min(step, n - start)
        weights = generator.multinomial(k, np.full(k, 1 / k), size=size).astype(np.float64)
        drawn = generator.integers(c, size=(size, c))
        medians.append(median_defined(np.take_along_axis(folded.correlations(weights), drawn, axis=1)))
    defined = np.concatenate(medians)
    defined = defined[~np.isnan(defined)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def permutation_test_encoding(
    predict: Callable[[Float64], Float64],
    folded: FoldedPredictions,
    n: int,
    rng: np.random.Generator | int,
    *,
    together: bool = False,
) -> PermutationTest:
    """Test the median correlation against that of permuted responses, which are predicted anew.

    The responses are given to other concepts, all images of a concept together and in their order. Where
    concepts have different numbers of images, the images are laid end to end, concept by concept. Each
    permutation is fitted again, penalties included. (To permute predictions and leave the fits is wrong: two
    concepts of different folds take part in the prediction of each other, and 11 to 18 % of simulations
    without a signal had p <= .05.)

    A fit is dear, so there are few permutations, and p is that of Student's t: the medians of permuted
    responses are close to normal. In simulations without a signal (3 to 40 channels, 13 to 150 concepts) 4.5
    to 6.2 % of the tests had p <= .05, and .5 to 1.5 % had p <= .01.

    Parameters
    ----------
    predict : callable
        Gives predictions (n, c) of held-out rows for responses (n, c), by the same folds as ``folded``.
    folded : FoldedPredictions
        The predictions of the responses as they are.
    n : int
        Number of permutations, at least two.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.
    together : bool
        Whether ``predict`` must be given all channels together. Otherwise many channels come in parts.

    Returns
    -------
    PermutationTest
        Its ``p`` is that of :func:`benchmark.measures.permutation.student_p`.

    Raises
    ------
    ValueError
        If ``n`` is less than two.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedPredictions, permutation_test_encoding
    >>> from benchmark.measures import HeldOutRidge
    >>> rng = np.random.default_rng(0)
    >>> features, folds = rng.normal(size=(60, 3)), np.arange(60) % 3
    >>> measured = features @ rng.normal(size=(3, 5)) + rng.normal(size=(60, 5))
    >>> ridge = HeldOutRidge(features, folds)
    >>> folded = FoldedPredictions(ridge.predict(measured)[0], measured, folds, concepts=np.arange(60))
    >>> test = permutation_test_encoding(lambda y: ridge.predict(y)[0], folded, n=20, rng=0)
    >>> round(test.score, 2), test.p < 1e-6
    (0.87, True)
    """
    if n < 2:
        raise ValueError(f"n is {n}: at least two permutations are needed")
    generator = np.random.default_rng(rng)
    score = float(median_defined(folded.of_channels[None])[0])
    orders = orders_of_concepts(folded.concepts, n, generator)
    c = folded.measured.shape[1]
    width = c if together else max(1, _HELD // len(folded.measured))
    correlations = np.empty((n, c))
    for first in range(0, c, width):
        part = folded.part(slice(first, first + width))
        step = max(1, _HELD // (8 * part.measured.size))
        for start in range(0, n, step):
            some = orders[start : start + step]
            permuted = part.measured[some].swapaxes(0, 1).reshape(len(folded.measured), -1)
            again = replace(folded, predicted=predict(permuted), measured=permuted)
            correlations[start : start + step, first : first + width] = again.of_channels.reshape(
                len(some), -1
            )
    medians = median_defined(correlations)
    return PermutationTest(null=medians, p=student_p(score, medians), score=score)


def orders_of_concepts(concepts: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """For each permutation (n, m) the row whose response a row is given.

    Parameters
    ----------
    concepts : ndarray of int, shape (m,)
        The concept of each row. Its rows stay together and in their order.
    n : int
        Number of permutations.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (n, m)

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference.encoding import orders_of_concepts
    >>> orders_of_concepts(np.array([0, 0, 1, 1]), 2, np.random.default_rng(3))
    array([[2, 3, 0, 1],
           [0, 1, 2, 3]])
    """
    rows = [np.flatnonzero(concepts == concept) for concept in np.unique(concepts)]
    laid = np.concatenate(rows)
    orders = np.empty((n, len(laid)), dtype=np.intp)
    for order in orders:
        order[laid] = np.concatenate([rows[j] for j in rng.permutation(len(rows))])
    return orders
