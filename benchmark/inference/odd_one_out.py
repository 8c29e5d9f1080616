r"""Odd-one-out accuracy as a function of the weights of objects and of pairs, and its permutation test.

A mean over triplets of objects is a U-statistic of order three. To first order in the weights of the objects,
:math:`A(w) = A + \frac{1}{m} \sum_c (w_c - 1) (a_c - A n_c)`, with :math:`a_c` the sum of the hits of the
:math:`n_c` triplets that hold object c (Hájek's projection). This is all that an interval needs. It takes one
pass over the triplets however many samples there are. Products of three weights would count what is
particular to a triplet seven times, and this counts it three times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.statistics import PairStatistic, Statistic
from benchmark.measures._checks import TIE, Float64, require_draws
from benchmark.measures.odd_one_out import Triplets, as_triplets, hits_of, odd_one_out_hits
from benchmark.measures.permutation import PermutationTest

#: Triplets over which the permutation test is taken. More would not make a decision
_TESTED = 5_000
#: How much a triplet follows the weight of each of its three pairs. Each of its objects is in two of them, so
#: with weights that are products over objects it follows each object once
_PAIR_STEP = 0.5
#: 97.5 % quantile of the normal distribution
_Z = 1.959963984540054


def triplet_statistic(hits: ArrayLike, triplets: ArrayLike, n: int) -> Statistic:
    """Mean of the hits over triplets, as a function of the weights of objects.

    Weights are scaled to a mean of one over the objects that have weight in any sample. Only triplets of
    three such objects count, so that halves of the objects can be scored.

    Parameters
    ----------
    hits : array_like, shape (m,)
        As :func:`benchmark.measures.odd_one_out_hits` gives them.
    triplets : array_like of int, shape (m, 3)
        Rows of objects.
    n : int
        Number of objects.

    Returns
    -------
    Statistic
        Weights (b, n) -> accuracy (b,), within [0, 1]. NaN where no triplet has three objects with weight.

    Raises
    ------
    ValueError
        If the shapes differ, or a triplet names an object that is not there.

    References
    ----------
    Hoeffding (1948), Annals of Mathematical Statistics 19, 293-325 (the projection of a U-statistic).

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, estimate, triplet_statistic
    >>> rng = np.random.default_rng(0)
    >>> triplets = np.array([rng.choice(20, size=3, replace=False) for _ in range(500)])
    >>> hits = rng.integers(2, size=500)
    >>> result = estimate(triplet_statistic(hits, triplets, 20), bootstrap_weights(n=20, draws=1000, rng=0))
    >>> bool(result.score == hits.mean()), round(result.low, 2), round(result.high, 2)
    (True, 0.46, 0.61)
    """
    values, chosen = _arguments(hits, triplets, n)
    everything = _projected(values, chosen, n)

    def statistic(weights: Float64) -> Float64:
        kept = np.asarray(weights.any(axis=0))
        inside = None if kept.all() else kept[chosen].all(axis=1)
        mean, slopes = everything if inside is None else _projected(values[inside], chosen[inside], n)
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = weights * (kept.sum() / weights.sum(axis=1, keepdims=True))
            found: Float64 = np.clip(mean + (scaled - kept) @ slopes, 0, 1)
        return found

    return statistic


def triplet_pair_statistic(hits: ArrayLike, triplets: ArrayLike, n: int) -> PairStatistic:
    """Mean of the hits over triplets, as a function of the weights of pairs of objects.

    It is made for the comparison of two models (:mod:`benchmark.inference.paired`), which takes the variance
    over objects less that over pairs. A triplet weighs, to first order, the square root of the product of its
    pairs' weights, which is the product of its objects' weights where pairs weigh such products. What is
    particular to a triplet counts 9/4 times in that variance, so the comparison is on the safe side where
    there are few triplets for many objects.

    Parameters
    ----------
    hits : array_like, shape (m,)
        As :func:`benchmark.measures.odd_one_out_hits` gives them.
    triplets : array_like of int, shape (m, 3)
        Rows of objects.
    n : int
        Number of objects.

    Returns
    -------
    PairStatistic
        Weights of the pairs (n (n - 1) / 2,), row by row of the upper triangle -> accuracy.

    Raises
    ------
    ValueError
        As :func:`triplet_statistic`.

    Examples
    --------
    The only triplet that is right holds the pair (0, 1).

    >>> import numpy as np
    >>> from benchmark.inference import triplet_pair_statistic
    >>> statistic = triplet_pair_statistic([1, 0], [[0, 1, 2], [1, 2, 3]], 4)
    >>> statistic(np.ones(6)), bool(statistic(np.array([1.5, 1, 1, 1, 1, 1])) > 0.5)
    (0.5, True)
    """
    values, chosen = _arguments(hits, triplets, n)
    mean = values.mean()
    place = np.zeros((n, n), dtype=np.int64)
    upper = np.triu_indices(n, 1)
    place[upper] = np.arange(len(upper[0]))
    place += place.T
    slopes = np.zeros(len(upper[0]))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        pairs = place[chosen[:, a], chosen[:, b]]
        slopes += np.bincount(pairs, weights=values - mean, minlength=len(slopes)) / len(values)
    return lambda weights: float(mean + _PAIR_STEP * ((weights - 1) @ slopes))


def triplet_interval(accuracy: float, distinct: int) -> tuple[float, float]:
    """95 % interval of an accuracy over triplets, for these objects (Wilson 1927).

    Parameters
    ----------
    accuracy : float
        Mean of the hits.
    distinct : int
        Number of different triplets. Several answers to one triplet count as one observation.

    Returns
    -------
    low, high : float
        Within [0, 1]; never of width zero.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> from benchmark.inference import triplet_interval
    >>> [round(bound, 3) for bound in triplet_interval(0.6, 1000)]
    [0.569, 0.63]
    """
    spread = _Z**2 / distinct
    middle = (accuracy + spread / 2) / (1 + spread)
    half = np.sqrt(spread * (accuracy * (1 - accuracy) + spread / 4)) / (1 + spread)
    return float(max(middle - half, 0)), float(min(middle + half, 1))


def permutation_test_triplets(
    similarity: ArrayLike, triplets: ArrayLike, n: int, rng: np.random.Generator
) -> PermutationTest:
    """Test whether a model's choices follow people's: the objects of the model are permuted.

    Of many triplets, 5,000 are drawn, and the test is over these.

    Parameters
    ----------
    similarity : array_like, shape (k, k)
        As for :func:`benchmark.measures.odd_one_out_hits`.
    triplets : array_like of int, shape (m, 3)
        Rows of objects. The third is the odd one out.
    n : int
        Number of permutations.
    rng : numpy.random.Generator
        Source of the permutations.

    Returns
    -------
    PermutationTest
        The mean over all permutations is exactly 1/3.

    Raises
    ------
    ValueError
        If there is no permutation, or as :func:`benchmark.measures.odd_one_out_hits`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import permutation_test_triplets
    >>> from benchmark.measures import similarities
    >>> rng = np.random.default_rng(0)
    >>> alike = similarities(rng.normal(size=(20, 3)), "euclidean")
    >>> triplets = np.array([rng.choice(20, size=3, replace=False) for _ in range(300)])
    >>> kept = np.stack([alike[a, b] for a, b in (triplets[:, [1, 2]].T, triplets[:, [0, 2]].T,
    ...                  triplets[:, [0, 1]].T)])
    >>> odd = kept.argmax(axis=0)
    >>> answers = np.array([[*np.delete(row, place), row[place]] for row, place in zip(triplets, odd)])
    >>> test = permutation_test_triplets(alike, answers, 200, rng)
    >>> float(test.score), round(test.p, 3)
    (1.0, 0.005)
    """
    require_draws(n)
    values = np.asarray(similarity, dtype=np.float64)
    chosen = as_triplets(triplets, len(values))
    if len(chosen) > _TESTED:
        chosen = chosen[np.sort(rng.choice(len(chosen), _TESTED, replace=False))]
    score = float(odd_one_out_hits(values, chosen).mean())
    tied = TIE * float(np.abs(values).max())
    null = np.array([hits_of(values, rng.permutation(len(values))[chosen], tied).mean() for _ in range(n)])
    return PermutationTest.of(score, null)


def _arguments(hits: ArrayLike, triplets: ArrayLike, n: int) -> tuple[Float64, Triplets]:
    values, chosen = np.asarray(hits, dtype=np.float64), as_triplets(triplets, n)
    if values.shape != chosen.shape[:1] or not len(values):
        raise ValueError(f"hits has shape {values.shape} for {len(chosen)} triplets: expected one for each")
    return values, chosen


def _projected(hits: Float64, triplets: Triplets, n: int) -> tuple[float, Float64]:
    """The mean, and how it changes with the weight of each object."""
    if not len(hits):
        return float("nan"), np.full(n, np.nan)
    mean = float(hits.mean())
    slopes = np.zeros(n)
    for column in triplets.T:
        slopes += np.bincount(column, weights=hits - mean, minlength=n)
    return mean, slopes / len(hits)
