"""Measures of ranked lists, row by row, with ties in the prediction taken at random.

Every measure is its expected value over the ways to break the ties of the prediction: a prediction without
information scores as a random order would, whatever order its columns stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from benchmark.measures._checks import Float64


@dataclass(frozen=True)
class Ranking:
    """Ranks within each row; 1 is the greatest score.

    Attributes
    ----------
    first, last : ndarray of int, shape (n, v)
        The ranks that an entry may have: those of the group of equal scores it stands in. Equal where it is
        not tied.
    """

    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> Ranking:
        """Rank the scores (n, v) of each row.

        Raises
        ------
        ValueError
            If the scores are no matrix or not finite.
        """
        if scores.ndim != 2 or scores.shape[1] == 0 or not np.isfinite(scores).all():
            raise ValueError(f"scores has shape {scores.shape}: expected finite scores (n, v)")
        n, v = scores.shape
        order = np.argsort(-scores, axis=1, kind="stable")
        ordered = np.take_along_axis(scores, order, axis=1)
        starts = np.ones((n, v), dtype=bool)
        starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
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
        """Expected gain of each entry, (n, v), where rank r gains ``gains[r - 1]`` (length v)."""
        total = np.concatenate([[0.0], np.cumsum(gains)])
        values: Float64 = (total[self.last] - total[self.first - 1]) / (self.last - self.first + 1)
        return values

    def in_top(self, k: int) -> Float64:
        """Probability that each entry is among the k first."""
        return self.expected((np.arange(self.first.shape[1]) < k).astype(np.float64))


def strongest(strengths: np.ndarray, k: int) -> np.ndarray:
    """Which entries (n, v) are among the k strongest of their row.

    All entries tied at the edge count, and an entry of strength zero never does: so a row may have more than
    k, or fewer.
    """
    k = min(k, strengths.shape[1])
    edge = -np.partition(-strengths, k - 1, axis=1)[:, k - 1 : k]
    relevant: np.ndarray = (strengths >= edge) & (strengths > 0)
    return relevant


def precision_at_k(ranking: Ranking, relevant: np.ndarray, k: int) -> Float64:
    """Share of the k first that are relevant, (n,)."""
    share: Float64 = _dot(ranking.in_top(k), relevant) / k
    return share


def recall_at_k(ranking: Ranking, relevant: np.ndarray, k: int) -> Float64:
    """Share of the relevant entries that are among the k first, (n,); NaN where nothing is relevant."""
    count = relevant.sum(axis=1).astype(np.float64)
    count[count == 0] = np.nan
    share: Float64 = _dot(ranking.in_top(k), relevant) / count
    return share


def ndcg_at_k(ranking: Ranking, strengths: np.ndarray, k: int) -> Float64:
    """Normalised discounted cumulative gain, (n,): the gain is the strength, the discount 1 / log2(rank + 1).

    1 is the best order possible; NaN where a row has no strength.

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
    """Spearman correlation of each row of two rankings, (n,); NaN where a row is all tied."""
    middle = (a.first.shape[1] + 1) / 2
    x, y = a.mean - middle, b.mean - middle
    with np.errstate(invalid="ignore"):
        correlation: Float64 = _dot(x, y) / np.sqrt(_dot(x, x) * _dot(y, y))
    return correlation


def reciprocal_rank_of_strongest(ranking: Ranking, strengths: np.ndarray) -> Float64:
    """1 / rank of the strongest entry of each row, (n,); of the first where several are strongest.

    NaN where a row has no strength.
    """
    first, size, sought = _first_strongest(ranking, strengths)
    values: Float64 = np.where(sought > 0, 1 / first, np.nan)
    for row in np.flatnonzero((sought > 0) & (sought < size)):
        others, places = size[row] - sought[row], np.arange(size[row] - sought[row])
        # Chance that the first j places of the tied group go to others, j = 0, 1, ...
        missed = np.concatenate([[1.0], np.cumprod((others - places) / (size[row] - places))])
        found = missed - np.append(missed[1:], 0.0)
        values[row] = found @ (1 / (first[row] + np.arange(len(found))))
    return values


def rank_of_strongest(ranking: Ranking, strengths: np.ndarray) -> Float64:
    """Rank of the strongest entry of each row, (n,); of the first where several are strongest.

    NaN where a row has no strength.
    """
    first, size, sought = _first_strongest(ranking, strengths)
    values: Float64 = np.where(sought > 0, first + (size - sought) / (sought + 1), np.nan)
    return values


def retrieval_hits(
    predicted: np.ndarray, profiles: np.ndarray, right: np.ndarray, ks: Sequence[int]
) -> Float64:
    """Whether the right profile is among the k nearest by cosine; ties taken at random.

    Parameters
    ----------
    predicted : ndarray, shape (n, v)
    profiles : ndarray, shape (m, v)
        The candidates; most of their entries may be zero.
    right : ndarray of int, shape (n,)
        Row of ``profiles`` that belongs to each prediction.
    ks : sequence of int
        Each 1 to m.

    Returns
    -------
    ndarray, shape (len(ks), n)
        Chance is k / m; NaN where the prediction has no length.
    """
    lengths = np.linalg.norm(predicted, axis=1)
    norms = np.linalg.norm(profiles, axis=1)
    candidates = sparse.csr_array(profiles / np.where(norms > 0, norms, 1)[:, None])
    cosines = (candidates @ predicted.T).T / np.where(lengths > 0, lengths, 1)[:, None]
    ranking = Ranking.of(np.round(cosines, 12))
    hits = np.stack([ranking.in_top(k)[np.arange(len(right)), right] for k in ks])
    hits[:, lengths == 0] = np.nan
    return hits


def _dot(a: np.ndarray, b: np.ndarray) -> Float64:
    products: Float64 = np.einsum("ij,ij->i", a, b)
    return products


def _first_strongest(ranking: Ranking, strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First rank and size of the tied group that holds the strongest, and how many of it are strongest."""
    sought = strongest(strengths, 1)
    first = np.where(sought, ranking.first, strengths.shape[1]).min(axis=1)
    group = ranking.first == first[:, None]
    return first, group.sum(axis=1), (group & sought).sum(axis=1)
