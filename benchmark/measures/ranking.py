"""Measures of ranked lists, row by row. Ties in the prediction are broken at random, in expectation.

Scores that rounding alone may have told apart are tied, by the one rule of :mod:`benchmark.measures._ranks`.
Every measure is its expected value over the ways to break the ties of the prediction. So a prediction without
information scores like a random order, whatever the order of its columns.

Many functions share these parameters. ``ranking`` is a :class:`Ranking` of predicted scores (n, v).
``strengths`` (n, v) are the true strengths of the same entries, not negative. ``relevant`` (n, v) says which
entries count as right. ``k`` is the number of first places that are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from benchmark.measures._checks import Float64
from benchmark.measures._ranks import tied_within


@dataclass(frozen=True)
class Ranking:
    """Ranks within each row. Rank 1 is the greatest score.

    Attributes
    ----------
    first, last : ndarray of int, shape (n, v)
        The least and the greatest rank that an entry can have: those of its group of tied scores. The two
        are equal where the entry is not tied.
    """

    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> Ranking:
        """Rank the scores of each row.

        Parameters
        ----------
        scores : ndarray, shape (n, v)
            Greater is ranked first. Neighbours in the order are tied if they are equal up to rounding.

        Raises
        ------
        ValueError
            If the scores are not a matrix or not finite.
        """
        if scores.ndim != 2 or scores.shape[1] == 0 or not np.isfinite(scores).all():
            raise ValueError(f"scores has shape {scores.shape}: expected finite scores (n, v)")
        n, v = scores.shape
        order = np.argsort(-scores, axis=1, kind="stable")
        ordered = np.take_along_axis(scores, order, axis=1)
        starts = np.ones((n, v), dtype=bool)
        greater, largest = ordered[:, :-1], np.abs(ordered[:, [0, -1]]).max(axis=1, keepdims=True)
        starts[:, 1:] = greater - ordered[:, 1:] > tied_within(greater, largest)
        ends = np.ones((n, v), dtype=bool)
        ends[:, :-1] = starts[:, 1:]
        place = np.arange(1, v + 1, dtype=np.int32)
        first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
        last = np.minimum.accumulate(np.where(ends, place, v)[:, ::-1], axis=1)[:, ::-1]
        ranks = np.empty((2, n, v), dtype=np.int32)
        np.put_along_axis(ranks[0], order, first, axis=1)
        np.put_along_axis(ranks[1], order, last, axis=1)
        return cls(ranks[0], ranks[1])

    @property
    def mean(self) -> Float64:
        """Average rank of each entry."""
        average: Float64 = (self.first + self.last) / 2
        return average

    def expected(self, gains: np.ndarray) -> Float64:
        """Expected gain of each entry, (n, v).

        ``gains`` (v,) has the gain of each rank: rank r gains ``gains[r - 1]``.
        """
        total = np.concatenate([[0.0], np.cumsum(gains)])
        values: Float64 = (total[self.last] - total[self.first - 1]) / (self.last - self.first + 1)
        return values

    def in_top(self, k: int) -> Float64:
        """Probability that each entry is among the ``k`` first."""
        return self.expected((np.arange(self.first.shape[1]) < k).astype(np.float64))


def strongest(strengths: np.ndarray, k: int) -> np.ndarray:
    """Which entries (n, v) of ``strengths`` are among the ``k`` strongest of their row.

    All entries tied at the last place count, and an entry of strength zero never counts. So a row can have
    more than k such entries, or fewer.
    """
    k = min(k, strengths.shape[1])
    edge = -np.partition(-strengths, k - 1, axis=1)[:, k - 1 : k]
    relevant: np.ndarray = (strengths >= edge) & (strengths > 0)
    return relevant


def precision_at_k(ranking: Ranking, relevant: np.ndarray, k: int) -> Float64:
    """Share of the ``k`` first that are relevant, (n,)."""
    share: Float64 = _dot(ranking.in_top(k), relevant) / k
    return share


def recall_at_k(ranking: Ranking, relevant: np.ndarray, k: int) -> Float64:
    """Share of the relevant entries that are among the ``k`` first, (n,). NaN where no entry is relevant."""
    count = relevant.sum(axis=1).astype(np.float64)
    count[count == 0] = np.nan
    share: Float64 = _dot(ranking.in_top(k), relevant) / count
    return share


def ndcg_at_k(ranking: Ranking, strengths: np.ndarray, k: int) -> Float64:
    """Normalised discounted cumulative gain, (n,).

    The gain is the strength, and the discount is 1 / log2(rank + 1). 1 is the best order possible. NaN where
    a row has no strength.

    References
    ----------
    Järvelin & Kekäläinen (2002), ACM Transactions on Information Systems 20(4), 422-446; ties after
    McSherry & Najork (2008), Proc. ECIR.
    """
    v = strengths.shape[1]
    discount = np.where(np.arange(v) < k, 1 / np.log2(np.arange(v) + 2), 0.0)
    top = min(k, v)
    best = -np.sort(np.partition(-strengths, top - 1, axis=1)[:, :top], axis=1) @ discount[:top]
    best = np.where(best > 0, best, np.nan)
    gain: Float64 = _dot(ranking.expected(discount), strengths) / best
    return gain


def spearman_rows(a: Ranking, b: Ranking) -> Float64:
    """Spearman correlation of each row of the rankings ``a`` and ``b``, (n,). NaN where a row is all tied."""
    middle = (a.first.shape[1] + 1) / 2
    x, y = a.mean - middle, b.mean - middle
    with np.errstate(invalid="ignore"):
        correlation: Float64 = _dot(x, y) / np.sqrt(_dot(x, x) * _dot(y, y))
    return correlation


def reciprocal_rank_of_strongest(ranking: Ranking, strengths: np.ndarray) -> Float64:
    """1 / rank of the strongest entry of each row, (n,).

    Where several entries are strongest, the first of them in the ranking counts. NaN where a row has no
    strength.
    """
    first, size, sought = _first_strongest(ranking, strengths)
    values: Float64 = np.where(sought > 0, 1 / first, np.nan)
    for row in np.flatnonzero((sought > 0) & (sought < size)):
        others, places = size[row] - sought[row], np.arange(size[row] - sought[row])
        # Probability that the first j places of the tied group go to other entries, j = 0, 1, ...
        missed = np.concatenate([[1.0], np.cumprod((others - places) / (size[row] - places))])
        chances = missed - np.append(missed[1:], 0.0)
        values[row] = chances @ (1 / (first[row] + np.arange(len(chances))))
    return values


def rank_of_strongest(ranking: Ranking, strengths: np.ndarray) -> Float64:
    """Rank of the strongest entry of each row, (n,).

    Where several entries are strongest, the first of them in the ranking counts. NaN where a row has no
    strength.
    """
    first, size, sought = _first_strongest(ranking, strengths)
    values: Float64 = np.where(sought > 0, first + (size - sought) / (sought + 1), np.nan)
    return values


def retrieval_hits(
    predicted: np.ndarray, profiles: np.ndarray, right: np.ndarray, ks: Sequence[int]
) -> Float64:
    """Whether the right profile is among the k nearest by cosine. Ties are broken at random, in expectation.

    Parameters
    ----------
    predicted : ndarray, shape (n, v)
        One predicted profile per row.
    profiles : ndarray, shape (m, v)
        The candidates. Most of their entries may be zero.
    right : ndarray of int, shape (n,)
        Row of ``profiles`` that belongs to each prediction.
    ks : sequence of int
        Each k is 1 to m.

    Returns
    -------
    ndarray, shape (len(ks), n)
        Probability of a hit, for each k. Chance is k / m. NaN where the prediction has no length.
    """
    lengths = np.linalg.norm(predicted, axis=1)
    norms = np.linalg.norm(profiles, axis=1)
    candidates = sparse.csr_array(profiles / np.where(norms > 0, norms, 1)[:, None])
    cosines = (candidates @ predicted.T).T / np.where(lengths > 0, lengths, 1)[:, None]
    ranking = Ranking.of(cosines)
    hits = np.stack([ranking.in_top(k)[np.arange(len(right)), right] for k in ks])
    hits[:, lengths == 0] = np.nan
    return hits


def _dot(a: np.ndarray, b: np.ndarray) -> Float64:
    products: Float64 = np.einsum("ij,ij->i", a, b)
    return products


def _first_strongest(ranking: Ranking, strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the strongest entries stand.

    Gives the first rank and the size of the tied group that holds the best ranked of the strongest entries,
    and how many entries of that group are strongest.
    """
    sought = strongest(strengths, 1)
    first = np.where(sought, ranking.first, strengths.shape[1]).min(axis=1)
    group = ranking.first == first[:, None]
    return first, group.sum(axis=1), (group & sought).sum(axis=1)
