"""Statistics as functions of concept weights. The same function serves score, bootstrap and halves.

A statistic takes weights (b, n), not negative, and gives values (b,); NaN where it is undefined. A sum over
pairs of concepts with weights w_i w_j is the quadratic form w' M w, so that one matrix product serves all b.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import pair_sum
from benchmark.measures._checks import Float64
from benchmark.measures._threads import in_threads

Statistic = Callable[[Float64], Float64]
#: Weights of the pairs of concepts, row by row of the upper triangle -> the score; NaN where it is undefined
PairStatistic = Callable[[Float64], float]


@dataclass(frozen=True)
class SharedStatistic:
    """A statistic of which a part depends on the target alone, and serves all models.

    Attributes
    ----------
    of_target : callable
        Weights (b, n) -> that part. The same function for all models.
    beside : callable
        Weights (b, n), and that part for them -> values (b,).
    """

    of_target: Callable[[Float64], Any]
    beside: Callable[[Float64, Any], Float64]

    def __call__(self, weights: Float64) -> Float64:
        """The values (b,) for weights (b, n)."""
        return self.beside(weights, self.of_target(weights))


def values_of(statistics: Sequence[Statistic], weights: Float64, workers: int | None = None) -> list[Float64]:
    """Values of several statistics for the same weights. What they share is computed once.

    Parameters
    ----------
    statistics : sequence of Statistic
    weights : ndarray, shape (b, n)
    workers : int, optional
        Number of threads. The default is as many as a matrix product may take.

    Returns
    -------
    list of ndarray, shape (b,)

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import mean_statistic, values_of
    >>> means = [mean_statistic(hits) for hits in ([1, 1, 0, 1], [0, 1, 0, 0])]
    >>> [float(values[0]) for values in values_of(means, np.ones((1, 4)))]
    [0.75, 0.25]
    """
    shared = {each.of_target for each in statistics if isinstance(each, SharedStatistic)}
    known = {of_target: of_target(weights) for of_target in shared}

    def values(statistic: Statistic) -> Float64:
        if isinstance(statistic, SharedStatistic):
            return statistic.beside(weights, known[statistic.of_target])
        return statistic(weights)

    return in_threads(values, statistics, workers)


def pair_statistic(values: ArrayLike) -> Statistic:
    """Mean of one value per pair of concepts (a 2 vs 2 outcome), with pairs weighted w_i w_j.

    Parameters
    ----------
    values : array_like, shape (k, k)
        Only entries above the diagonal are read. A pair that is NaN gets no weight.

    Returns
    -------
    Statistic
        Weights (b, k) -> means (b,). NaN where no pair has weight.

    Raises
    ------
    ValueError
        If ``values`` is not square.

    Examples
    --------
    2 vs 2 accuracy with its interval over concepts.

    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, estimate, pair_statistic
    >>> from benchmark.measures import two_vs_two
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(12, 20))
    >>> images = words @ rng.normal(size=(20, 30)) + 6 * rng.normal(size=(12, 30))
    >>> outcomes = two_vs_two(words, images, margins=True).outcomes
    >>> result = estimate(pair_statistic(outcomes), bootstrap_weights(n=12, draws=1000, rng=0))
    >>> round(result.score, 2), round(result.low, 2), round(result.high, 2)
    (0.76, 0.56, 0.93)
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"values has shape {matrix.shape}: expected (k, k), one value per pair of concepts")
    above = np.triu(np.ones(matrix.shape, dtype=bool), 1)
    defined = (above & ~np.isnan(matrix)).astype(np.float64)
    numbers = np.where(defined > 0, matrix, 0)

    # Mirrored, because the quadratic form needs symmetric matrices.
    numbers, defined = numbers + numbers.T, defined + defined.T

    def statistic(weights: Float64) -> Float64:
        require_weights(weights, len(matrix))
        return ratio(pair_sum(weights, numbers), pair_sum(weights, defined))

    return statistic


def mean_statistic(values: ArrayLike, n: int | None = None) -> Statistic:
    """Weighted mean of one value per concept.

    Parameters
    ----------
    values : array_like, shape (k,)
        One value per concept. NaN gets no weight.
    n : int, optional
        Number of concepts. If given, the length of ``values`` is checked.

    Returns
    -------
    Statistic
        Weights (b, k) -> means (b,). NaN where no value has weight.

    Raises
    ------
    ValueError
        If ``values`` is not a vector, or not of length ``n``.

    Examples
    --------
    The mean with every concept once, and with the first concept twice and the last left out.

    >>> import numpy as np
    >>> from benchmark.inference import mean_statistic
    >>> statistic = mean_statistic([1.0, 0.0, 0.5])
    >>> statistic(np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).round(3)
    array([0.5  , 0.667])
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or (n is not None and len(numbers) != n):
        raise ValueError(f"values has shape {numbers.shape}: expected ({'k' if n is None else n},)")
    return _weighted_mean(np.where(np.isnan(numbers), 0, numbers), (~np.isnan(numbers)).astype(np.float64))


def grouped_mean_statistic(values: ArrayLike, group: ArrayLike) -> Statistic:
    """Weighted mean of values that belong to concepts (such as an outcome of each stimulus).

    Parameters
    ----------
    values : array_like, shape (m,)
        One value per stimulus. NaN gets no weight.
    group : array_like of int, shape (m,)
        Number of the concept that each value belongs to. The value has that concept's weight.

    Returns
    -------
    Statistic
        Weights (b, k) -> means (b,). NaN where no value has weight.

    Raises
    ------
    ValueError
        If the shapes differ, or ``group`` does not hold numbers of concepts.

    Examples
    --------
    Three stimuli of two concepts. In the second row the first concept has no weight.

    >>> import numpy as np
    >>> from benchmark.inference import grouped_mean_statistic
    >>> statistic = grouped_mean_statistic([1.0, 0.0, 1.0], group=[0, 0, 1])
    >>> statistic(np.array([[1.0, 1.0], [0.0, 1.0]])).round(3)
    array([0.667, 1.   ])
    """
    numbers, concepts = np.asarray(values, dtype=np.float64), np.asarray(group)
    if numbers.ndim != 1 or numbers.shape != concepts.shape:
        raise ValueError(
            f"values and group have shapes {numbers.shape} and {concepts.shape}: expected two (m,)"
        )
    if not np.issubdtype(concepts.dtype, np.integer) or (concepts < 0).any():
        raise ValueError(f"group of dtype {concepts.dtype}: expected indices of concepts, not negative")
    defined = ~np.isnan(numbers)

    def statistic(weights: Float64) -> Float64:
        n = weights.shape[1]
        if concepts.max(initial=-1) >= n:
            raise ValueError(f"weights has shape {weights.shape}: group names concept {concepts.max()}")
        counts = np.bincount(concepts[defined], minlength=n).astype(np.float64)
        sums = np.bincount(concepts[defined], weights=numbers[defined], minlength=n)
        return ratio(weights @ sums, weights @ counts)

    return statistic


def _weighted_mean(numbers: Float64, defined: Float64) -> Statistic:
    def statistic(weights: Float64) -> Float64:
        require_weights(weights, len(numbers))
        return ratio(weights @ numbers, weights @ defined)

    return statistic


def ratio(numerator: Float64, denominator: Float64) -> Float64:
    """The quotient of two arrays.

    Parameters
    ----------
    numerator, denominator : ndarray
        Of the same shape.

    Returns
    -------
    ndarray
        NaN where ``denominator`` is not above zero.
    """
    undefined = np.full(numerator.shape, np.nan)
    ratio: Float64 = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return ratio


def require_weights(weights: Float64, n: int) -> None:
    """Raise ValueError unless the weights are (b, n)."""
    if weights.ndim != 2 or weights.shape[1] != n:
        raise ValueError(f"weights has shape {weights.shape}: expected (b, {n})")
