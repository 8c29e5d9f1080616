"""Similarities of words and ratings of some of their pairs: the correlation, its spread and its chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.inference.statistics import PairStatistic, Statistic
from benchmark.measures._checks import FEWEST_PAIRS, Float64
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import is_constant
from benchmark.measures.permutation import PermutationTest

#: Below this share of the variance over all pairs, a draw of words has no variance
_NO_VARIANCE = 1e-12


def word_similarity_statistic(similarity: ArrayLike, pairs: ArrayLike, ratings: ArrayLike) -> Statistic:
    r"""Spearman correlation of similarities and ratings of word pairs, as a function of the weights of words.

    A pair weighs :math:`w_i w_j`. Both sides are ranked once, over all pairs, and not again in each draw.

    Most words stand in few pairs. The weights of words alone would then make the draws spread too widely: the
    error of a single pair counts three times, once for each of its words and once for both together. With
    :math:`\psi_{ij}` the influence of a pair, :math:`V_w = \sum_i (\sum_j \psi_{ij})^2` and
    :math:`V_p = \sum_{i<j} \psi_{ij}^2`, the draws have the variance :math:`V_w + V_p`, and
    :math:`V_w - V_p` counts each pair once (the jackknife over words less that over pairs). So each draw is
    moved towards the score of the words that are in use, by the root of the ratio of the two variances. In a
    simulation with the pairs of MEN and SimLex-999 among the THINGS concepts, the 95 % interval then covers
    the truth in 89 to 94 % of the samples; without, in 98 to 100 %, and it is 1.5 times as wide.

    Parameters
    ----------
    similarity : array_like, shape (n, n)
        Similarities of the n words.
    pairs : array_like of int, shape (m, 2)
        The words of each pair.
    ratings : array_like, shape (m,)
        Rating of each pair.

    Returns
    -------
    Statistic
        Weights (b, n) -> correlations (b,). NaN where fewer than three pairs have weight, or those that have
        do not vary. The words in use are those with weight in any of the rows.

    Raises
    ------
    ValueError
        If there are fewer than three pairs, or the similarities or the ratings of all pairs are equal.

    References
    ----------
    Aronow, Samii & Assenova (2015), Political Analysis 23, 564-577 (dyadic cluster-robust variance); Efron &
    Stein (1981), Annals of Statistics 9, 586-596.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, estimate, word_similarity_statistic
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(40, 10))
    >>> pairs = rng.permutation(np.stack(np.triu_indices(40, 1), axis=1))[:120]
    >>> similarity = np.corrcoef(words)
    >>> ratings = similarity[pairs[:, 0], pairs[:, 1]] + 0.3 * rng.normal(size=120)
    >>> statistic = word_similarity_statistic(similarity, pairs, ratings)
    >>> result = estimate(statistic, bootstrap_weights(n=40, draws=1000, rng=0))
    >>> round(result.score, 2), round(result.low, 2), round(result.high, 2)
    (0.74, 0.64, 0.81)
    """
    i, j, x, y = _ranked(similarity, pairs, ratings)

    def statistic(weights: Float64) -> Float64:
        used = np.asarray(weights.any(axis=0))
        inside = used[i] & used[j]
        if inside.sum() < FEWEST_PAIRS:
            return np.full(len(weights), np.nan)
        first, second, a, b = i[inside], j[inside], x[inside], y[inside]
        score = _correlations(np.ones((1, len(a))), a, b)[0]
        if np.isnan(score):
            return np.full(len(weights), np.nan)
        draws = _correlations(weights[:, first] * weights[:, second], a, b)
        narrowed: Float64 = score + _narrowing(first, second, a, b, score) * (draws - score)
        return narrowed

    return statistic


def word_similarity_pair_statistic(
    similarity: ArrayLike, pairs: ArrayLike, ratings: ArrayLike
) -> PairStatistic:
    """The correlation of :func:`word_similarity_statistic` as a function of the weights of pairs.

    Parameters
    ----------
    similarity : array_like, shape (n, n)
        Similarities of the n words.
    pairs : array_like of int, shape (m, 2)
        The words of each pair.
    ratings : array_like, shape (m,)
        Rating of each pair.

    Returns
    -------
    PairStatistic
        Weights of all pairs of words (n (n - 1) / 2,), row by row of the upper triangle -> correlation over
        the rated ones. NaN where those with weight do not vary.

    Raises
    ------
    ValueError
        As :func:`word_similarity_statistic`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import word_similarity_pair_statistic
    >>> similarity = np.array([[1, 0.9, 0.2], [0.9, 1, 0.4], [0.2, 0.4, 1]])
    >>> statistic = word_similarity_pair_statistic(similarity, [[0, 1], [2, 0], [1, 2]], [9, 3, 1])
    >>> round(statistic(np.ones(3)), 3)
    0.5
    """
    i, j, x, y = _ranked(similarity, pairs, ratings)
    n = len(np.asarray(similarity))
    low, high = np.minimum(i, j), np.maximum(i, j)
    place = low * n - low * (low + 1) // 2 + high - low - 1
    return lambda weights: float(_correlations(weights[None, place], x, y)[0])


def word_similarity_permutation(
    similarity: ArrayLike,
    pairs: ArrayLike,
    ratings: ArrayLike,
    n: int,
    rng: np.random.Generator | int,
) -> PermutationTest:
    """Test the correlation against permutations of the words: each gets the similarities of another one.

    Pairs that share a word are not independent. Only words can be exchanged.

    Parameters
    ----------
    similarity : array_like, shape (k, k)
        Similarities of the k words.
    pairs : array_like of int, shape (m, 2)
        The words of each pair.
    ratings : array_like, shape (m,)
        Rating of each pair.
    n : int
        Number of permutations, at least 1.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.

    Returns
    -------
    PermutationTest
        A permutation under which the similarities of all rated pairs are equal counts as a correlation of 0.

    Raises
    ------
    ValueError
        As :func:`word_similarity_statistic`, or if ``n`` is less than one.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import word_similarity_permutation
    >>> words = np.random.default_rng(0).normal(size=(20, 10))
    >>> pairs = np.stack(np.triu_indices(20, 1), axis=1)[::4]
    >>> similarity = np.corrcoef(words)
    >>> test = word_similarity_permutation(similarity, pairs, similarity[pairs[:, 0], pairs[:, 1]], 99, rng=0)
    >>> test.score, test.p
    (1.0, 0.01)
    """
    if n < 1:
        raise ValueError(f"n is {n}: expected at least one permutation")
    i, j, x, y = _ranked(similarity, pairs, ratings)
    values = np.asarray(similarity, dtype=np.float64)
    generator = np.random.default_rng(rng)
    score = float(np.clip(np.mean(x * y), -1, 1))  # rounding may exceed one
    orders = generator.permuted(np.tile(np.arange(len(values)), (n, 1)), axis=1)
    # ranked as the score is: similarities that differ by rounding are tied
    ranks = np.array([average_ranks(row) for row in values[orders[:, i], orders[:, j]]])
    ranks -= ranks.mean(axis=1, keepdims=True)
    spread = ranks.std(axis=1)
    null = np.divide(ranks @ y / len(y), spread, out=np.zeros(n), where=spread > 0)
    return PermutationTest.of(score, null)


def _ranked(
    similarity: ArrayLike, pairs: ArrayLike, ratings: ArrayLike
) -> tuple[NDArray[np.intp], NDArray[np.intp], Float64, Float64]:
    """The two words of each pair, and the standardised ranks of similarities and of ratings."""
    i, j = np.asarray(pairs, dtype=np.intp).T
    values, rated = np.asarray(similarity, dtype=np.float64)[i, j], np.asarray(ratings, dtype=np.float64)
    if len(values) < FEWEST_PAIRS:
        raise ValueError(f"pairs has {len(values)} pairs of words: expected at least {FEWEST_PAIRS}")
    for name, side in (("similarity", values), ("ratings", rated)):
        if is_constant(side):
            raise ValueError(f"{name} is {side[0]:g} for all {len(side)} pairs: the correlation is undefined")
    x, y = (_standardised(average_ranks(side)) for side in (values, rated))
    return i, j, x, y


def _standardised(values: Float64) -> Float64:
    scaled: Float64 = (values - values.mean()) / values.std()
    return scaled


def _correlations(weights: Float64, x: Float64, y: Float64) -> Float64:
    """Weighted correlations, one for each row of ``weights`` (b, m); NaN where one side has no variance."""
    moments = weights @ np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    total = moments[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        mx, my, xx, yy, xy = (moments[:, 1:] / total[:, None]).T
        vx, vy = xx - mx**2, yy - my**2
        defined = (vx > _NO_VARIANCE) & (vy > _NO_VARIANCE)
        correlations = np.where(defined, (xy - mx * my) / np.sqrt(np.where(defined, vx * vy, 1.0)), np.nan)
    clipped: Float64 = np.clip(correlations, -1, 1)
    return clipped


def _narrowing(
    first: NDArray[np.intp], second: NDArray[np.intp], x: Float64, y: Float64, score: float
) -> float:
    """Root of the variance in which a pair counts once, over that of the draws of words."""
    zx, zy = _standardised(x), _standardised(y)
    influence = zx * zy - score * (zx**2 + zy**2) / 2
    of_words = np.bincount(np.concatenate([first, second]), np.concatenate([influence, influence]))
    by_words, by_pairs = float(of_words @ of_words), float(influence @ influence)
    if by_words + by_pairs == 0:
        return 1.0
    return float(np.sqrt(max(by_words - by_pairs, by_pairs) / (by_words + by_pairs)))
