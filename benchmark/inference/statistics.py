"""Statistics as functions of concept weights: one evaluation serves score, bootstrap and halves.

A statistic takes weights (b, n), not negative, and gives values (b,); NaN where it is undefined. A sum over
pairs of concepts with weights w_i w_j is the quadratic form w' M w, so that one matrix product serves all b.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from benchmark.measures._checks import Float64, as_rdm, as_rdms
from benchmark.measures.compare import is_constant, upper_triangle

Statistic = Callable[[Float64], Float64]

#: Variance, as a share of that over all pairs, under which a weighted correlation is undefined
_NO_VARIANCE = 1e-12


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
        ``pearson`` or ``spearman``.

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
        pairs = (w.sum(axis=1) ** 2 - (w**2).sum(axis=1)) / 2
        enough = (w > 0).sum(axis=1) >= 3
        mean_x, variance_x = _moments(w, x[at], pairs)
        total = np.zeros(len(w))
        for y in ys:
            mean_y, variance_y = _moments(w, y[at], pairs)
            with np.errstate(invalid="ignore", divide="ignore"):
                covariance = _quadratic(w, x[at] * y[at]) / pairs - mean_x * mean_y
                total += covariance / np.sqrt(variance_x * variance_y)
        return np.where(enough, total / len(ys), np.nan)

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
        return _ratio(_quadratic(weights, numbers), _quadratic(weights, defined))

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


def standardised(rdm: Float64, method: str, name: str) -> Float64:
    """The RDM with mean 0 and variance 1 over pairs, of ranks for ``spearman``; the diagonal is 0."""
    if method not in ("pearson", "spearman"):
        raise ValueError(f"method is {method!r}: expected 'pearson' or 'spearman'")
    values = upper_triangle(rdm)
    if is_constant(values):
        raise ValueError(f"{name} of shape {rdm.shape} has dissimilarities that are all equal: undefined")
    if method == "spearman":
        values = stats.rankdata(values)
    values = (values - values.mean()) / values.std()
    result = np.zeros(rdm.shape)
    result[np.triu_indices(len(rdm), 1)] = values
    result += result.T
    return result


def _weighted_mean(numbers: Float64, defined: Float64) -> Statistic:
    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, len(numbers))
        return _ratio(weights @ numbers, weights @ defined)

    return statistic


def _moments(w: Float64, matrix: Float64, pairs: Float64) -> tuple[Float64, Float64]:
    """Weighted mean and variance over pairs, (b,) each; the variance is NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _quadratic(w, matrix) / pairs
        variance = _quadratic(w, matrix**2) / pairs - mean**2
    return mean, np.where(variance > _NO_VARIANCE, variance, np.nan)


def _quadratic(w: Float64, matrix: Float64) -> Float64:
    """Sum over i < j of w_i w_j matrix_ij for a symmetric matrix with zero diagonal, (b,)."""
    form: Float64 = np.einsum("bi,bi->b", w @ matrix, w) / 2
    return form


def _ratio(numerator: Float64, denominator: Float64) -> Float64:
    undefined = np.full(numerator.shape, np.nan)
    ratio: Float64 = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return ratio


def _require_weights(weights: Float64, n: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != n:
        raise ValueError(f"weights has shape {weights.shape}: expected (b, {n})")
