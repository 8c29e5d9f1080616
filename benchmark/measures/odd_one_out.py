"""Which of three objects is the odd one out, by the similarities of a model and by people's answers.

A triplet (i, j, l) holds rows of objects. People kept i and j together, and l is their odd one out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._checks import TIE, Float64, as_matrix, rows_in_words
from benchmark.measures.rdm import rdm

Triplets = NDArray[np.integer]

#: Similarities of two objects by which a model chooses
SIMILARITIES = ("cosine", "dot", "euclidean")
#: Triplets that are scored at once, so that what they need stays small
_BLOCK = 2**18


class TripletCeiling(NamedTuple):
    """The accuracy that people's disagreement allows, and which answers show it.

    Attributes
    ----------
    lower : float
        Share of the answers that the other answers to the same triplet predict. NaN if none is repeated.
    upper : float
        Share of the answers that the commonest answer to their triplet predicts: no model is better on them.
    repeated : ndarray of bool, shape (m,)
        The answers to triplets that were answered twice or more often. Both shares are over these.
    """

    lower: float
    upper: float
    repeated: NDArray[np.bool_]


def similarities(features: ArrayLike, how: str = "cosine") -> Float64:
    """Similarity of each pair of objects, by which a model keeps two of three together.

    Parameters
    ----------
    features : array_like, shape (k, d)
        One row per object.
    how : {"cosine", "dot", "euclidean"}
        The cosine of two rows, their dot product, or minus their Euclidean distance.

    Returns
    -------
    ndarray, shape (k, k)
        A greater value is more alike. The diagonal is not used by any measure.

    Raises
    ------
    ValueError
        If ``how`` is not known, a value is not finite, or a row is zero where the cosine is asked for.

    Examples
    --------
    >>> from benchmark.measures import similarities
    >>> similarities([[3, 4], [0, 2]], "dot")
    array([[25.,  8.],
           [ 8.,  4.]])
    >>> similarities([[3, 4], [0, 2]], "cosine").round(2)
    array([[1. , 0.8],
           [0.8, 1. ]])
    """
    if how not in SIMILARITIES:
        raise ValueError(f"how is {how!r}: expected one of {', '.join(SIMILARITIES)}")
    x = as_matrix(features, "features").astype(np.float64)
    if how == "dot":
        return np.asarray(x @ x.T, dtype=np.float64)
    apart = np.asarray(rdm(x, how), dtype=np.float64)
    return 1 - apart if how == "cosine" else -apart


def odd_one_out_hits(similarity: ArrayLike, triplets: ArrayLike) -> Float64:
    """Whether the pair that people kept together is the most similar of the three pairs, for each triplet.

    Parameters
    ----------
    similarity : array_like, shape (k, k)
        Symmetric. A greater value is more alike. The diagonal is not used.
    triplets : array_like of int, shape (m, 3)
        Rows of three objects. The third is the odd one out.

    Returns
    -------
    ndarray, shape (m,)
        1: right; 0: wrong; 1/2 or 1/3 where the pair shares the greatest similarity with one or two others,
        which is how often a random choice between them is right.

    Raises
    ------
    ValueError
        If ``similarity`` is not square, or a triplet does not hold three different rows of it.

    References
    ----------
    Hebart, Zheng, Pereira & Baker (2020), Nature Human Behaviour 4, 1173-1185.

    Examples
    --------
    Objects 0 and 1 are most alike, and 2 is as unlike the one as the other.

    >>> from benchmark.measures import odd_one_out_hits
    >>> odd_one_out_hits([[1, 0.9, 0.2], [0.9, 1, 0.2], [0.2, 0.2, 1]], [[0, 1, 2], [0, 2, 1]])
    array([1., 0.])
    >>> odd_one_out_hits([[1, 0.2, 0.9], [0.2, 1, 0.9], [0.9, 0.9, 1]], [[0, 2, 1], [0, 1, 2]])
    array([0.5, 0. ])
    """
    values = np.asarray(similarity, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"similarity has shape {values.shape}: expected (k, k), one value per pair")
    chosen = as_triplets(triplets, len(values))
    tied = TIE * float(np.abs(values).max(initial=0))
    hits = np.empty(len(chosen))
    for start in range(0, len(chosen), _BLOCK):
        block = slice(start, start + _BLOCK)
        hits[block] = hits_of(values, chosen[block], tied)
    return hits


def hits_of(similarity: Float64, triplets: Triplets, tied: float) -> Float64:
    """:func:`odd_one_out_hits` of ``similarity`` (k, k) and ``triplets`` (m, 3), without checks.

    Similarities within ``tied`` of each other are equal.
    """
    i, j, odd = triplets.T
    kept, first, second = similarity[i, j], similarity[i, odd], similarity[j, odd]
    ahead = kept - np.maximum(first, second)
    hits: Float64 = (ahead > tied).astype(np.float64)
    equal = np.flatnonzero(np.abs(ahead) <= tied)
    both = np.abs(kept[equal] - np.minimum(first[equal], second[equal])) <= tied
    hits[equal] = np.where(both, 1 / 3, 1 / 2)
    return hits


def triplet_ceiling(triplets: ArrayLike) -> TripletCeiling:
    """The accuracy that is possible where people answer the same triplet differently.

    Parameters
    ----------
    triplets : array_like of int, shape (m, 3)
        One row per answer. The third object is the odd one out. Two rows with the same three objects, in any
        order, are two answers to one triplet.

    Returns
    -------
    TripletCeiling
        Each answer counts once. The upper bound knows the answers that it predicts, so it is too high where
        triplets were answered only a few times. The lower bound predicts an answer by the commonest of the
        others (a tie counts 1/2 or 1/3), so it is too low there.

    Raises
    ------
    ValueError
        If a triplet does not hold three different rows.

    References
    ----------
    Hebart, Zheng, Pereira & Baker (2020), Nature Human Behaviour 4, 1173-1185 (consistency over repeats).

    Examples
    --------
    Three people answered one triplet, two of them alike. The last triplet was answered once.

    >>> from benchmark.measures import triplet_ceiling
    >>> ceiling = triplet_ceiling([[0, 1, 2], [1, 0, 2], [2, 0, 1], [0, 1, 3]])
    >>> round(ceiling.lower, 3), round(ceiling.upper, 3), ceiling.repeated
    (0.333, 0.667, array([ True,  True,  True, False]))
    """
    chosen = as_triplets(triplets)
    which, counts = answers_by_triplet(chosen)
    places = (np.sort(chosen, axis=1) < chosen[:, 2:]).sum(axis=1)  # which of the sorted three is the odd one
    answers = np.bincount(3 * which + places, minlength=3 * len(counts)).reshape(-1, 3)
    repeated: NDArray[np.bool_] = (counts > 1)[which]
    if not repeated.any():
        return TripletCeiling(float("nan"), float("nan"), repeated)
    several = answers[counts > 1]
    upper = several.max(axis=1).sum() / several.sum()
    right = np.zeros(len(several))
    for place in range(3):
        others = several.copy()
        others[:, place] -= 1
        top = others.max(axis=1)
        share = (others[:, place] == top) / (others == top[:, None]).sum(axis=1)
        right += several[:, place] * share
    return TripletCeiling(float(right.sum() / several.sum()), float(upper), repeated)


def answers_by_triplet(triplets: Triplets) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Number answers by the triplet that they answer, whatever the order of its three objects.

    Parameters
    ----------
    triplets : ndarray of int, shape (m, 3)

    Returns
    -------
    which : ndarray of int, shape (m,)
        Number of the triplet of each answer.
    counts : ndarray of int, shape (distinct triplets,)
        Number of answers to each.
    """
    size = int(triplets.max(initial=0)) + 1
    first, second, third = np.sort(triplets, axis=1).astype(np.int64).T
    # one number for three: sorting numbers is ten times faster than sorting rows
    _, which, counts = np.unique(
        (first * size + second) * size + third, return_inverse=True, return_counts=True
    )
    return which.ravel(), counts


def as_triplets(triplets: ArrayLike, objects: int | None = None) -> Triplets:
    """``triplets`` as an array (m, 3) of rows, three different ones in each; with ``objects``, below it."""
    array = np.asarray(triplets)
    if array.ndim != 2 or array.shape[1] != 3 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"triplets has shape {array.shape} and type {array.dtype}: expected whole numbers (m, 3)"
        )
    i, j, odd = array.T
    same = np.flatnonzero((i == j) | (i == odd) | (j == odd))
    if len(same):
        raise ValueError(f"triplets has an object twice in {rows_in_words(same)}: expected three different")
    if len(array) and (array.min() < 0 or (objects is not None and array.max() >= objects)):
        bad = (array < 0) if objects is None else (array < 0) | (array >= objects)
        raise ValueError(
            f"triplets names objects that are not there in {rows_in_words(np.flatnonzero(bad.any(axis=1)))}: "
            f"expected 0 to {'...' if objects is None else objects - 1}"
        )
    return array
