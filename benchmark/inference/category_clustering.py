"""The clustering of categories in an RDM, as a function of the weights of concepts and of pairs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform

from benchmark.inference._pairs import pair_sum, spread
from benchmark.inference.statistics import PairStatistic, Statistic
from benchmark.measures._checks import Float64, as_rdm
from benchmark.measures.category_clustering import CategoryPairs
from benchmark.measures.matching import category_codes


def category_statistic(rdm: ArrayLike, categories: Sequence[Hashable]) -> Statistic:
    r"""The AUC of :func:`benchmark.measures.category_clustering` as a function of the weights of concepts.

    A pair of concepts weighs :math:`w_i w_j`. The *placement* of a pair within a category is the share of the
    pairs between that are more dissimilar, and that of a pair between is the share of the pairs within that
    are less dissimilar. As the ranks of a Spearman correlation, placements are computed once, over all
    concepts, and not again in each draw (DeLong, DeLong & Clarke-Pearson 1988). With A and B the weighted
    means of the two kinds of placements, the value is the one whose odds are
    :math:`\mathrm{odds}(A)\,\mathrm{odds}(B) / \mathrm{odds}(AUC)`. It stays within [0, 1], and it is the AUC
    where all weights are one.

    Parameters
    ----------
    rdm : array_like, shape (n, n)
        Dissimilarities of the concepts. No pair may be NaN.
    categories : sequence of hashable or None, length n
        Category of each concept. None: it takes no part.

    Returns
    -------
    Statistic
        Weights (b, n) -> AUC (b,). NaN where no pair within a category has weight, or none between.

    Raises
    ------
    ValueError
        If ``rdm`` is not an RDM.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, category_statistic, estimate
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> centres = rng.normal(size=(4, 20)).repeat(5, axis=0)
    >>> dissimilarity = rdm(centres + 2 * rng.normal(size=(20, 20)))
    >>> statistic = category_statistic(dissimilarity, list("aaaaabbbbbcccccddddd"))
    >>> result = estimate(statistic, bootstrap_weights(n=20, draws=1000, rng=0))
    >>> round(result.score, 2), round(result.low, 2), round(result.high, 2)
    (0.7, 0.51, 0.84)
    """
    codes = category_codes(categories)
    pairs = CategoryPairs(as_rdm(rdm, "rdm"), codes)
    placed = pairs.placements()
    of_within, of_between = (
        squareform(spread(placed * kind, pairs.used)) for kind in (pairs.within, ~pairs.within)
    )
    auc = pairs.auc(np.ones(len(pairs.i)))

    def statistic(weights: Float64) -> Float64:
        # In a halving, half of the concepts has no weight in any draw. Leaving it out saves three quarters.
        kept = np.flatnonzero(weights.any(axis=0) & (codes >= 0))
        if not len(kept):
            return np.full(len(weights), np.nan)
        w, of_kept = weights[:, kept], codes[kept]
        across = pair_sum(w, of_between[np.ix_(kept, kept)])
        squares = np.einsum("bi,bi->b", w, w)
        inside, together = np.zeros((2, len(w)))
        for code in np.unique(of_kept):
            members = np.flatnonzero(of_kept == code)
            of_members = w[:, members]
            block = of_within[np.ix_(kept[members], kept[members])]
            inside += np.einsum("bi,bi->b", of_members @ block, of_members) / 2
            together += of_members.sum(axis=1) ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            a = inside / ((together - squares) / 2)
            b = across / ((w.sum(axis=1) ** 2 - together) / 2)
            return _combined(a, b, auc)

    return statistic


def _combined(a: Float64, b: Float64, auc: float) -> Float64:
    """The probability of odds(a) odds(b) / odds(auc). Where ``auc`` is 0 or 1, so are a and b."""
    if auc in (0, 1):
        return np.where(np.isnan(a + b), np.nan, auc)
    for_it, against = a * b * (1 - auc), (1 - a) * (1 - b) * auc
    combined: Float64 = for_it / (for_it + against)
    return combined


def category_pair_statistic(rdm: ArrayLike, categories: Sequence[Hashable]) -> PairStatistic:
    """The AUC of :func:`benchmark.measures.category_clustering` as a function of the weights of pairs.

    Parameters
    ----------
    rdm : array_like, shape (n, n)
        Dissimilarities of the concepts. No pair may be NaN.
    categories : sequence of hashable or None, length n
        Category of each concept. None: it takes no part.

    Returns
    -------
    PairStatistic
        Weights of the pairs (n (n - 1) / 2,), row by row of the upper triangle -> AUC, computed anew. NaN
        where no pair within a category has weight, or none between.

    Raises
    ------
    ValueError
        If ``rdm`` is not an RDM.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import category_pair_statistic
    >>> rdm = [[0, 1, 4, 5], [1, 0, 6, 2], [4, 6, 0, 3], [5, 2, 3, 0]]
    >>> statistic = category_pair_statistic(rdm, ["animal", "animal", "tool", "tool"])
    >>> statistic(np.ones(6)), statistic(np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]))
    (0.875, 1.0)
    """
    pairs = CategoryPairs(as_rdm(rdm, "rdm"), category_codes(categories))
    return lambda weights: pairs.auc(weights[pairs.used])
