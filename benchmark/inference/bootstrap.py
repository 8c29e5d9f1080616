"""Bootstrap over concepts, and the choice of a layer whose score is not inflated by the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.inference.statistics import Statistic, values_of
from benchmark.measures._checks import Float64
from benchmark.measures._threads import in_threads

#: Scores that differ by no more than this are tied: rounding, and the order of features, move them less
_TIED = 1e-9
#: Number of halvings over which the choice of a layer is averaged
SPLITS = 8


@dataclass(frozen=True)
class Estimate:
    """A score and its uncertainty.

    Attributes
    ----------
    score : float
        The statistic with every concept once.
    low, high : float
        95 % percentile interval of the bootstrap. NaN where no draw is defined.
    draws : ndarray, shape (b,)
        The statistic in each draw, in the order of the weights, so that the draws of two models are paired.
        NaN where it is undefined.
    undefined : int
        Number of draws that are NaN. The interval leaves them out.
    """

    score: float
    low: float
    high: float
    draws: Float64
    undefined: int


@dataclass(frozen=True)
class Selected:
    """The best layer, and a score that is not inflated by the choice.

    Attributes
    ----------
    layer : str
        The layer of the highest score on all concepts.
    score : float
        Score on the half of the concepts that took no part in the choice, averaged over both directions of
        several halvings. With one layer: its score on all concepts.
    low, high, draws, undefined
        As in :class:`Estimate`. The choice is repeated in every draw.
    """

    layer: str
    score: float
    low: float
    high: float
    draws: Float64
    undefined: int


def bootstrap_weights(n: int, draws: int, rng: np.random.Generator | int) -> Float64:
    """How often each concept is drawn in each bootstrap sample.

    Parameters
    ----------
    n : int
        Number of concepts.
    draws : int
        Number of samples.
    rng : numpy.random.Generator or int
        Source of the draws, or its seed.

    Returns
    -------
    ndarray, shape (draws, n), float64
        Multinomial counts. Each row sums to n.

    Raises
    ------
    ValueError
        If ``n`` or ``draws`` is less than one.

    Examples
    --------
    >>> from benchmark.inference import bootstrap_weights
    >>> weights = bootstrap_weights(n=4, draws=3, rng=0)
    >>> weights
    array([[1., 0., 0., 3.],
           [0., 2., 2., 0.],
           [1., 1., 1., 1.]])
    >>> weights.sum(axis=1)
    array([4., 4., 4.])
    """
    if n < 1 or draws < 1:
        raise ValueError(f"n is {n} and draws is {draws}: expected at least one concept and one draw")
    return np.random.default_rng(rng).multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def estimate(statistic: Statistic, weights: ArrayLike) -> Estimate:
    """Score with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    statistic : Statistic
        Weights (b, n) -> values (b,).
    weights : array_like, shape (b, n)
        From :func:`bootstrap_weights`. Use the same for all models, so that their draws are paired.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If the weights are not a matrix.

    Examples
    --------
    The mean of one value per concept, with its interval.

    >>> from benchmark.inference import bootstrap_weights, estimate, mean_statistic
    >>> hits = [1, 1, 0, 1, 1, 0, 1, 1, 1, 0]
    >>> result = estimate(mean_statistic(hits), bootstrap_weights(n=10, draws=1000, rng=0))
    >>> result.score, round(result.low, 2), round(result.high, 2)
    (0.7, 0.4, 1.0)
    """
    return estimates([statistic], weights)[0]


def estimates(statistics: Sequence[Statistic], weights: ArrayLike) -> list[Estimate]:
    """Several scores with their intervals, as :func:`estimate`. What the statistics share is computed once.

    Parameters
    ----------
    statistics : sequence of Statistic
    weights : array_like, shape (b, n)

    Returns
    -------
    list of Estimate

    Raises
    ------
    ValueError
        If the weights are not a matrix.

    Examples
    --------
    >>> from benchmark.inference import bootstrap_weights, estimates, mean_statistic
    >>> means = [mean_statistic(hits) for hits in ([1, 1, 0, 1], [0, 1, 0, 0])]
    >>> [found.score for found in estimates(means, bootstrap_weights(n=4, draws=100, rng=0))]
    [0.75, 0.25]
    """
    counts = np.asarray(weights, dtype=np.float64)
    if counts.ndim != 2 or 0 in counts.shape:
        raise ValueError(f"weights has shape {counts.shape}: expected (draws, n)")
    scores = values_of(statistics, np.ones((1, counts.shape[1])), workers=1)
    return [
        Estimate(float(score[0]), *interval(draws), draws, _undefined(draws))
        for score, draws in zip(scores, values_of(statistics, counts), strict=True)
    ]


def select_layer(
    statistics: Mapping[str, Statistic], n: int, draws: int, rng: np.random.Generator
) -> Selected:
    """Choose the best layer on one half of the concepts and score it on the other half.

    The concepts are halved at random several times. In each halving the layer that is best on one half is
    scored on the other half, in both directions. The mean of all these is the score. The interval repeats all
    of this, with the choice, in every bootstrap sample. Copies of a concept stay in its half, and all
    halvings use the same sample. (Separate samples would average the sampling error away.) The weights are
    those of :func:`bootstrap_weights` with the same ``rng``. So differences between models are paired,
    whatever their numbers of layers.

    Parameters
    ----------
    statistics : mapping of str to Statistic
        By layer, in the model's order. Of layers with the same score, up to rounding, the first is
        chosen.
    n : int
        Number of concepts.
    draws : int
        Number of bootstrap samples.
    rng : numpy.random.Generator
        Source of the samples and the halvings.

    Returns
    -------
    Selected
        ``score`` is NaN if no half has a layer with a defined score.

    Raises
    ------
    ValueError
        If there is no layer, or fewer than two concepts.

    Examples
    --------
    Two layers with one value per concept. The second is better on most concepts.

    >>> import numpy as np
    >>> from benchmark.inference import mean_statistic, select_layer
    >>> rng = np.random.default_rng(0)
    >>> early, late = rng.normal(0.0, 0.1, size=40), rng.normal(0.5, 0.1, size=40)
    >>> layers = {"early": mean_statistic(early), "late": mean_statistic(late)}
    >>> result = select_layer(layers, n=40, draws=500, rng=np.random.default_rng(1))
    >>> result.layer, round(result.score, 2), round(result.low, 2), round(result.high, 2)
    ('late', 0.53, 0.5, 0.56)
    """
    if not statistics:
        raise ValueError("statistics is empty: expected at least one layer")
    if n < 2:
        raise ValueError(f"n is {n}: at least two concepts are needed to halve them")
    weights = bootstrap_weights(n, draws, rng)
    layers = list(statistics)
    if len(layers) == 1:
        plain = estimate(statistics[layers[0]], weights)
        return Selected(layers[0], plain.score, plain.low, plain.high, plain.draws, plain.undefined)
    # The first row gives the score and the other rows the draws. The procedure is the same for all.
    rows = np.vstack([np.ones(n), weights])
    functions = list(statistics.values())
    full = np.array([values[0] for values in values_of(functions, rows[:1], workers=1)])
    best = layers[int(first_best(full))]
    halves = np.zeros((SPLITS, 2, n), dtype=bool)
    for first in halves[:, 0]:
        first[rng.permutation(n)[: n // 2]] = True
    halves[:, 1] = ~halves[:, 0]
    scored = np.array(
        in_threads(lambda half: values_of(functions, rows * half, workers=1), halves.reshape(-1, n))
    )
    by_half = scored.reshape(SPLITS, 2, len(layers), len(rows))
    crossed = np.array([_chosen(*pair) for two in by_half for pair in (two, two[::-1])])
    scores = mean_defined(crossed)
    return Selected(best, float(scores[0]), *interval(scores[1:]), scores[1:], _undefined(scores[1:]))


def first_best(scores: ArrayLike) -> NDArray[np.intp]:
    """Number of the greatest score along the first axis; of scores that tie, the first.

    Parameters
    ----------
    scores : array_like, shape (m, ...)
        NaN is never the greatest. Scores within 1e-9 of the greatest, or of its size if that is above one,
        are tied with it.

    Returns
    -------
    ndarray of int, shape (...)
        0 where all scores are NaN.
    """
    values = np.asarray(scores, dtype=np.float64)
    values = np.where(np.isnan(values), -np.inf, values)
    greatest = values.max(axis=0)
    tied: NDArray[np.intp] = np.argmax(values >= greatest - _TIED * np.fmax(1, np.abs(greatest)), axis=0)
    return tied


def _chosen(choice: Float64, score: Float64) -> Float64:
    """Score (b,) of the layer that is best in ``choice``; both are (layers, b). NaN where none is defined."""
    best = first_best(choice)
    chosen: Float64 = np.where(~np.isnan(choice).all(axis=0), score[best, np.arange(score.shape[1])], np.nan)
    return chosen


def mean_defined(values: Float64) -> Float64:
    """Mean over the first axis without NaN. NaN where all values are NaN."""
    defined = ~np.isnan(values)
    counts = defined.sum(axis=0)
    total = np.where(defined, values, 0).sum(axis=0)
    mean: Float64 = np.divide(total, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)
    return mean


def interval(draws: Float64) -> tuple[float, float]:
    """95 % percentile interval of the ``draws`` (b,) that are defined. NaN where none is."""
    defined = draws[~np.isnan(draws)]
    if len(defined) == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _undefined(draws: Float64) -> int:
    return int(np.isnan(draws).sum())
