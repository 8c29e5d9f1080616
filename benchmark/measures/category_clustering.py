"""How far the categories of conditions stand apart in an RDM.

Pairs of conditions are *within* a category or *between* two categories. Conditions without a category (None)
take no part. Only the order of the dissimilarities matters, so that RDMs of any scale can be compared.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import squareform

from benchmark.measures._checks import Float64, as_rdm, require_draws
from benchmark.measures._ranks import average_ranks, sort_order
from benchmark.measures.matching import category_codes
from benchmark.measures.permutation import PermutationTest


@dataclass(frozen=True)
class CategoryClustering:
    """How far categories stand apart.

    Attributes
    ----------
    auc : float
        Probability that a pair between categories is more dissimilar than a pair within one, within [0, 1].
        Ties count one half. 1: every category is a cluster; 0.5: categories make no difference. NaN if there
        is no pair of one kind.
    within, between : float
        Mean dissimilarity of each kind of pair, in the unit of the RDM. NaN if there is none.
    categories : tuple of hashable, length c
        The categories, in order of first appearance.
    by_category : ndarray, shape (c,)
        The same probability for each category alone: its pairs within against the pairs of its members with
        members of other categories. NaN where a category has one member.
    """

    auc: float
    within: float
    between: float
    categories: tuple[Hashable, ...]
    by_category: Float64


class CategoryPairs:
    """The pairs of conditions that have a category and a dissimilarity, row by row of the upper triangle.

    Parameters
    ----------
    rdm : ndarray, shape (n, n)
        An RDM. Pairs may be NaN.
    codes : ndarray of int, shape (n,)
        Number of the category of each condition; -1: none.

    Attributes
    ----------
    i, j : ndarray of int, shape (p,)
        The two conditions of each pair, i < j.
    used : ndarray of bool, shape (n (n - 1) / 2,)
        Whether each pair of the upper triangle is among them.
    values : ndarray, shape (p,)
        Dissimilarities.
    level : ndarray of int, shape (p,)
        Place of each dissimilarity among those that differ; tied ones have the same.
    within : ndarray of bool, shape (p,)
        Whether the pair is within a category.
    """

    def __init__(self, rdm: Float64, codes: NDArray[np.int64]) -> None:
        i, j = np.triu_indices(len(rdm), 1)
        values = rdm[i, j]
        self.used = (codes[i] >= 0) & (codes[j] >= 0) & ~np.isnan(values)
        self.i, self.j, self.values = i[self.used], j[self.used], values[self.used]
        self.within = codes[self.i] == codes[self.j]
        self.level = _levels(self.values)

    def placements(self) -> Float64:
        """For each pair, the share of the pairs of the other kind that it stands rightly to, (p,).

        For a pair within a category: those between that are more dissimilar. For a pair between: those within
        that are less dissimilar. Ties count one half. The mean over either kind is the AUC.
        """
        inside, across = self.within, ~self.within
        placed = np.empty(len(self.level))
        placed[across] = _below(self.level, inside)[self.level[across]] / max(inside.sum(), 1)
        placed[inside] = 1 - _below(self.level, across)[self.level[inside]] / max(across.sum(), 1)
        return placed

    def auc(self, weights: Float64) -> float:
        """The AUC with pairs weighted. NaN if one kind of pair has no weight.

        Parameters
        ----------
        weights : ndarray, shape (p,)
            Weight of each pair.
        """
        inside, across = weights * self.within, weights * ~self.within
        total = inside.sum() * across.sum()
        if not total > 0:
            return float("nan")
        return float(across @ _below(self.level, inside)[self.level] / total)


def category_clustering(rdm: ArrayLike, categories: Sequence[Hashable]) -> CategoryClustering:
    r"""How far the categories of conditions stand apart in an RDM.

    With :math:`d_w` the dissimilarity of a pair within a category and :math:`d_b` that of a pair between two
    categories, both drawn at random, the index is :math:`P(d_b > d_w) + P(d_b = d_w) / 2`: the area under the
    ROC curve (AUC), or the Mann-Whitney statistic over the number of comparisons.

    Parameters
    ----------
    rdm : array_like, shape (n, n)
        Dissimilarities. Pairs may be NaN: they take no part.
    categories : sequence of hashable or None, length n
        Category of each condition. None: it takes no part.

    Returns
    -------
    CategoryClustering

    Raises
    ------
    ValueError
        If ``rdm`` is not an RDM, or the number of categories is not n.

    References
    ----------
    Kriegeskorte et al. (2008), Neuron 60, 1126-1141 (within- and between-category dissimilarities); Hanley &
    McNeil (1982), Radiology 143, 29-36 (AUC).

    Examples
    --------
    Two animals are alike. The two tools are less alike than one of them is to an animal.

    >>> from benchmark.measures import category_clustering
    >>> rdm = [[0, 1, 4, 5], [1, 0, 6, 2], [4, 6, 0, 3], [5, 2, 3, 0]]
    >>> found = category_clustering(rdm, ["animal", "animal", "tool", "tool"])
    >>> found.auc, found.within, found.between
    (0.875, 2.0, 4.25)
    >>> found.categories, found.by_category
    (('animal', 'tool'), array([1.  , 0.75]))
    """
    dissimilarities, codes = _arguments(rdm, categories, missing=True)
    pairs = CategoryPairs(dissimilarities, codes)
    first, second = codes[pairs.i], codes[pairs.j]
    by_category = []
    for code in np.unique(codes[codes >= 0]):  # in order of first appearance
        own = np.flatnonzero((first == code) | (second == code))
        by_category.append(_auc(pairs.level[own], pairs.within[own]))
    return CategoryClustering(
        auc=_auc(pairs.level, pairs.within),
        within=_mean(pairs.values[pairs.within]),
        between=_mean(pairs.values[~pairs.within]),
        categories=tuple(name for name in dict.fromkeys(categories) if name is not None),
        by_category=np.array(by_category),
    )


def category_clustering_permutation(
    rdm: ArrayLike, categories: Sequence[Hashable], n: int, rng: np.random.Generator | int
) -> PermutationTest:
    """Test the index of :func:`category_clustering` against that of permuted categories.

    The categories are permuted among the conditions that have one; their sizes stay. The mean over all
    permutations is exactly 0.5.

    Parameters
    ----------
    rdm : array_like, shape (n_conditions, n_conditions)
        Dissimilarities. No pair may be NaN.
    categories : sequence of hashable or None, length n_conditions
        Category of each condition. None: it takes no part.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.

    Returns
    -------
    PermutationTest
        NaN if there is no pair within a category, or none between two.

    Raises
    ------
    ValueError
        If ``n`` is less than one, ``rdm`` is not an RDM, or the number of categories is not n_conditions.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import category_clustering_permutation, rdm
    >>> rng = np.random.default_rng(0)
    >>> centres = rng.normal(size=(4, 20)).repeat(5, axis=0)
    >>> dissimilarity = rdm(centres + 2 * rng.normal(size=(20, 20)))
    >>> test = category_clustering_permutation(dissimilarity, list("aaaaabbbbbcccccddddd"), n=199, rng=0)
    >>> round(test.score, 2), round(test.chance, 2), round(test.p, 3)
    (0.7, 0.5, 0.005)
    """
    require_draws(n)
    dissimilarities, codes = _arguments(rdm, categories)
    kept = np.flatnonzero(codes >= 0)
    codes, k = codes[kept], len(kept)
    i, j = np.triu_indices(k, 1)
    within = codes[i] == codes[j]
    inside, across = int(within.sum()), int((~within).sum())
    if not inside or not across:
        return PermutationTest(np.full(n, np.nan), float("nan"), float("nan"))
    ranks = squareform(average_ranks(dissimilarities[np.ix_(kept, kept)][i, j])).ravel()
    i, j = i[within], j[within]
    total = len(within) * (len(within) + 1) / 2

    def auc(order: NDArray[np.intp]) -> float:
        low = float(ranks.take(order[i] * k + order[j]).sum())
        return ((total - low) / across - low / inside) / len(within) + 0.5

    generator = np.random.default_rng(rng)
    null = np.array([auc(generator.permutation(k)) for _ in range(n)])
    return PermutationTest.of(auc(np.arange(k)), null)


def _arguments(
    rdm: ArrayLike, categories: Sequence[Hashable], *, missing: bool = False
) -> tuple[Float64, NDArray[np.int64]]:
    dissimilarities = as_rdm(rdm, "rdm", missing=missing)
    if len(categories) != len(dissimilarities):
        raise ValueError(
            f"categories has length {len(categories)}: expected {len(dissimilarities)}, one per row of rdm"
        )
    return dissimilarities, category_codes(categories)


def _levels(values: Float64) -> NDArray[np.int64]:
    """Place of each value among those that differ, from 0; tied values have the same place."""
    levels = np.zeros(len(values), dtype=np.int64)
    if len(values):
        order, starts = sort_order(values)
        levels[order] = np.cumsum(starts) - 1
    return levels


def _below(level: NDArray[np.int64], weights: Float64 | NDArray[np.bool_]) -> Float64:
    """Weight below each level, and half of the weight at it."""
    at = np.bincount(level, weights)
    below: Float64 = np.cumsum(at) - at / 2
    return below


def _auc(level: NDArray[np.int64], within: NDArray[np.bool_]) -> float:
    inside, across = level[within], np.sort(level[~within])
    if not len(inside) or not len(across):
        return float("nan")
    below = np.searchsorted(across, inside, "left") + np.searchsorted(across, inside, "right")
    return float(1 - below.mean() / 2 / len(across))


def _mean(values: Float64) -> float:
    return float(values.mean()) if len(values) else float("nan")
