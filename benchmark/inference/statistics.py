"""Statistics as functions of concept weights: one evaluation serves score, bootstrap and halves.

A statistic takes weights (b, n), not negative, and gives values (b,); NaN where it is undefined. A sum over
pairs of concepts with weights w_i w_j is the quadratic form w' M w, so that one matrix product serves all b.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import Moments, enough_conditions, pair_count, pair_sum, standardised
from benchmark.measures._checks import Float64, as_rdm, as_rdms

Statistic = Callable[[Float64], Float64]


def rdm_statistic(model_rdm: ArrayLike, rdms: ArrayLike, method: str = "pearson") -> Statistic:
    """Correlation of a model's RDM with each subject's, averaged over subjects.

    Pair (i, j), i < j, has weight w_i w_j: what resampling concepts gives, where pairs of two copies of the
    same concept are left out (their dissimilarity is zero by construction and would raise any correlation).
    For ``spearman`` the dissimilarities are ranked once, over all pairs, and not again in each draw; with
    all weights one that is the Spearman correlation.

    Parameters
    ----------
    model_rdm : array_like, shape (n, n)
    rdms : array_like, shape (s, n, n)
        One RDM a subject.
    method : str
        ``pearson``, ``spearman`` or ``cosine``.

    Returns
    -------
    Statistic
        NaN where fewer than three concepts have weight, or where the pairs with weight have no variance.

    Raises
    ------
    ValueError
        If an argument is no RDM, shapes differ, or all dissimilarities of one are equal.
    """
    subjects = as_rdms(rdms, "rdms")
    x = standardised(as_rdm(model_rdm, "model_rdm"), method, "model_rdm")
    if x.shape != subjects.shape[1:]:
        raise ValueError(
            f"model_rdm has shape {x.shape} and rdms {subjects.shape}: expected the same conditions"
        )
    ys = [standardised(subject, method, f"rdms[{i}]") for i, subject in enumerate(subjects)]

    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, len(x))
        # A half of the concepts has no weight in any draw: leaving it out is a quarter of the work.
        used = weights.any(axis=0)
        w = weights[:, used]
        at = np.ix_(used, used)
        pairs = pair_count(w)
        model = Moments.of(w, x[at], pairs, method)
        total = np.zeros(len(w))
        for y in ys:
            total += model.correlation(Moments.of(w, y[at], pairs, method), w, pairs)
        return np.where(enough_conditions(w), total / len(ys), np.nan)

    return statistic


def pair_statistic(values: ArrayLike) -> Statistic:
    """Mean of a value of each pair of concepts (a 2 vs 2 outcome), pairs weighted w_i w_j.

    Parameters
    ----------
    values : array_like, shape (k, k)
        Only entries above the diagonal are read; a pair that is NaN gets no weight.

    Returns
    -------
    Statistic
        NaN where no pair has weight.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"values has shape {matrix.shape}: expected (k, k), one value a pair of concepts")
    above = np.triu(np.ones(matrix.shape, dtype=bool), 1)
    defined = (above & ~np.isnan(matrix)).astype(np.float64)
    numbers = np.where(defined > 0, matrix, 0)

    # Mirrored, for the quadratic form takes symmetric matrices.
    numbers, defined = numbers + numbers.T, defined + defined.T

    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, len(matrix))
        return _ratio(pair_sum(weights, numbers), pair_sum(weights, defined))

    return statistic


def mean_statistic(values: ArrayLike, n: int | None = None) -> Statistic:
    """Weighted mean of a value of each concept.

    Parameters
    ----------
    values : array_like, shape (k,)
        NaN gets no weight.
    n : int, optional
        Number of concepts, where the caller wants it checked.

    Returns
    -------
    Statistic
        NaN where no value has weight.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or (n is not None and len(numbers) != n):
        raise ValueError(f"values has shape {numbers.shape}: expected ({'k' if n is None else n},)")
    return _weighted_mean(np.where(np.isnan(numbers), 0, numbers), (~np.isnan(numbers)).astype(np.float64))


def grouped_mean_statistic(values: ArrayLike, group: ArrayLike) -> Statistic:
    """Weighted mean of values of which each belongs to a concept (an outcome of each stimulus).

    Parameters
    ----------
    values : array_like, shape (m,)
        NaN gets no weight.
    group : array_like of int, shape (m,)
        Index of the concept of each value: it has that concept's weight.

    Returns
    -------
    Statistic
        NaN where no value has weight.
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
        return _ratio(weights @ sums, weights @ counts)

    return statistic


def _weighted_mean(numbers: Float64, defined: Float64) -> Statistic:
    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, len(numbers))
        return _ratio(weights @ numbers, weights @ defined)

    return statistic


def _ratio(numerator: Float64, denominator: Float64) -> Float64:
    undefined = np.full(numerator.shape, np.nan)
    ratio: Float64 = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return ratio


def _require_weights(weights: Float64, n: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != n:
        raise ValueError(f"weights has shape {weights.shape}: expected (b, {n})")
