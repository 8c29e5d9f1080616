"""Bootstrap over concepts, and the choice of a layer that does not flatter itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.statistics import Statistic
from benchmark.measures._checks import Float64

#: Halvings over which the choice of a layer is averaged
SPLITS = 8


@dataclass(frozen=True)
class Estimate:
    """A score and its uncertainty.

    Attributes
    ----------
    score : float
        The statistic with every concept once.
    low, high : float
        95 % percentile interval of the bootstrap; NaN where no draw is defined.
    draws : ndarray, shape (b,)
        The statistic in each draw, in the order of the weights (so that two models' draws are paired); NaN
        where it is undefined.
    undefined : int
        Number of draws that are NaN and left out of the interval.
    """

    score: float
    low: float
    high: float
    draws: Float64
    undefined: int


@dataclass(frozen=True)
class Selected:
    """The best layer, and a score that does not profit from having been chosen.

    Attributes
    ----------
    layer : str
        The layer of the highest score on all concepts.
    score : float
        Score on the half of the concepts that took no part in the choice, averaged over both directions of
        several halvings. With one layer: its score on all concepts.
    low, high, draws, undefined
        As in :class:`Estimate`; the choice is made again in every draw.
    """

    layer: str
    score: float
    low: float
    high: float
    draws: Float64
    undefined: int


class PairedDifference(NamedTuple):
    """Difference of two models over the same draws: mean, 95 % interval, two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float


def bootstrap_weights(n: int, draws: int, rng: np.random.Generator | int) -> Float64:
    """How often each concept is drawn in each bootstrap sample.

    Parameters
    ----------
    n : int
        Number of concepts.
    draws : int
        Number of samples.
    rng : numpy.random.Generator or int

    Returns
    -------
    ndarray, shape (draws, n), float64
        Multinomial counts; rows sum to n.
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
        From :func:`bootstrap_weights`; give all models the same.

    Returns
    -------
    Estimate
    """
    counts = np.asarray(weights, dtype=np.float64)
    if counts.ndim != 2 or 0 in counts.shape:
        raise ValueError(f"weights has shape {counts.shape}: expected (draws, n)")
    draws = statistic(counts)
    score = float(statistic(np.ones((1, counts.shape[1])))[0])
    return Estimate(score, *interval(draws), draws, _undefined(draws))


def select_layer(
    statistics: Mapping[str, Statistic], n: int, draws: int, rng: np.random.Generator
) -> Selected:
    """Choose the best layer on one half of the concepts and score it on the other.

    The concepts are halved at random several times; in each halving the layer that is best on one half is
    scored on the other, both ways round, and the mean of all is the score. The interval repeats all of this,
    choice included, in every bootstrap sample; copies of a concept stay in its half, and all halvings see the
    same sample (samples of their own would average the sampling error away). The weights are those that
    :func:`bootstrap_weights` gives with the same ``rng``, so that differences between models are paired
    however many layers each has.

    Parameters
    ----------
    statistics : mapping of str to Statistic
        By layer, in the model's order; of layers that score the same the first is taken.
    n : int
        Number of concepts.
    draws : int
        Number of bootstrap samples.
    rng : numpy.random.Generator

    Returns
    -------
    Selected
        ``score`` is NaN if no half has a layer with a defined score.

    Raises
    ------
    ValueError
        If there is no layer, or fewer than two concepts.
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
    # The first row is the score, the others are the draws: the procedure is the same.
    rows = np.vstack([np.ones(n), weights])
    full = np.array([float(statistic(rows[:1])[0]) for statistic in statistics.values()])
    best = layers[int(np.argmax(np.where(np.isnan(full), -np.inf, full)))]
    crossed = np.empty((2 * SPLITS, len(rows)))
    for split in range(SPLITS):
        first = np.zeros(n, dtype=bool)
        first[rng.permutation(n)[: n // 2]] = True
        halves = [
            np.array([statistic(rows * half) for statistic in statistics.values()])
            for half in (first, ~first)
        ]
        crossed[2 * split] = _chosen(halves[0], halves[1])
        crossed[2 * split + 1] = _chosen(halves[1], halves[0])
    scores = _mean_defined(crossed)
    return Selected(best, float(scores[0]), *interval(scores[1:]), scores[1:], _undefined(scores[1:]))


def paired_difference(draws_a: ArrayLike, draws_b: ArrayLike) -> PairedDifference:
    """Difference a - b of two scores, from draws made with the same weights.

    Parameters
    ----------
    draws_a, draws_b : array_like, shape (b,)
        Draw i of both comes from the same resample. A draw that is NaN in either is left out.

    Returns
    -------
    PairedDifference
        Mean difference, its 95 % percentile interval, and the two-sided p-value
        min(1, 2 (1 + min(#{d <= 0}, #{d >= 0})) / (1 + b)); NaN where no draw is left.

    Raises
    ------
    ValueError
        If the draws are not two vectors of the same length.
    """
    a, b = np.asarray(draws_a, dtype=np.float64), np.asarray(draws_b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"draws_a and draws_b have shapes {a.shape} and {b.shape}: expected two (b,)")
    differences = a - b
    differences = differences[~np.isnan(differences)]
    if len(differences) == 0:
        return PairedDifference(np.nan, np.nan, np.nan, np.nan)
    extreme = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    p = min(1.0, 2 * (1 + extreme) / (1 + len(differences)))
    return PairedDifference(float(differences.mean()), *interval(differences), p)


def _chosen(choice: Float64, score: Float64) -> Float64:
    """Score (b,) of the layer that is best in ``choice``, both (layers, b); NaN where none is defined."""
    defined = ~np.isnan(choice)
    best = np.argmax(np.where(defined, choice, -np.inf), axis=0)
    chosen: Float64 = np.where(defined.any(axis=0), score[best, np.arange(score.shape[1])], np.nan)
    return chosen


def _mean_defined(values: Float64) -> Float64:
    """Mean over the first axis without NaN; NaN where all are."""
    defined = ~np.isnan(values)
    counts = defined.sum(axis=0)
    total = np.where(defined, values, 0).sum(axis=0)
    mean: Float64 = np.divide(total, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)
    return mean


def interval(draws: Float64) -> tuple[float, float]:
    """95 % percentile interval of the draws (b,) that are defined; NaN where none is."""
    defined = draws[~np.isnan(draws)]
    if len(defined) == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _undefined(draws: Float64) -> int:
    return int(np.isnan(draws).sum())
