"""Zero-shot mapping: what a rule that was fitted to other concepts predicts of a concept.

Targets are rows of numbers that are not negative: production frequencies of properties. A prediction is good
if the row of the concept itself is near to it (*retrieval*), and if the properties that people give stand
first in it (*average precision*).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._checks import Float64

#: Penalties of ridge regression to choose from, in units of the mean squared length of the centred features
PENALTIES = 10.0 ** np.arange(-4, 3)
#: Number of parts of the training rows on which a penalty is chosen
INNER_FOLDS = 5
#: Cosines that differ by no more than this are tied
_TIED = 1e-9

#: Training features (n, d), training targets (n, v), test features (m, d) -> predictions (m, v)
Learner = Callable[[Float64, Float64, Float64], Float64]


def fold_labels(n: int, folds: int, rng: np.random.Generator | int) -> NDArray[np.intp]:
    """Deal n rows into folds at random, as evenly as possible.

    Parameters
    ----------
    n, folds : int
        Number of rows, and of folds, at most n.
    rng : numpy.random.Generator or int
        Source of the deal, or its seed.

    Returns
    -------
    ndarray of int, shape (n,)
        The fold of each row, from 0.

    Raises
    ------
    ValueError
        If there are fewer rows than folds, or fewer than two folds.

    Examples
    --------
    >>> fold_labels(7, 3, 0)
    array([2, 1, 0, 0, 2, 0, 1])
    """
    if not 2 <= folds <= n:
        raise ValueError(f"folds is {folds} for {n} rows: expected from 2 to {n}")
    return np.random.default_rng(rng).permutation(np.arange(n) % folds)


def nearest_mean(train: ArrayLike, targets: ArrayLike, test: ArrayLike, neighbours: int = 5) -> Float64:
    """Predict the mean target of the nearest training rows, by Euclidean distance.

    Parameters
    ----------
    train : array_like, shape (n, d)
        Features of the training rows.
    targets : array_like, shape (n, v)
        Targets of the training rows.
    test : array_like, shape (m, d)
        Features to predict from.
    neighbours : int
        How many training rows count, from 1 to n. Of rows at the same distance the first count.

    Returns
    -------
    ndarray, shape (m, v)

    Raises
    ------
    ValueError
        If there are fewer training rows than neighbours.

    Examples
    --------
    >>> nearest_mean([[0.0], [1.0], [9.0]], [[2, 0], [4, 0], [0, 8]], [[0.4], [7.0]], neighbours=2)
    array([[3., 0.],
           [2., 4.]])
    """
    x, y, z = (np.asarray(values, dtype=np.float64) for values in (train, targets, test))
    if not 1 <= neighbours <= len(x):
        raise ValueError(
            f"neighbours is {neighbours} for {len(x)} training rows: expected from 1 to {len(x)}"
        )
    squared = (x**2).sum(axis=1) - 2 * z @ x.T  # less the squared length of the test row, which is no matter
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :neighbours]
    mean: Float64 = y[nearest].mean(axis=1)
    return mean


def ridge_by_precision(
    train: ArrayLike, targets: ArrayLike, test: ArrayLike, rng: np.random.Generator | int
) -> Float64:
    r"""Predict by ridge regression, with the penalty of the best mean average precision on held-out parts.

    The training rows are dealt into five parts. For each penalty, each part is predicted from the others,
    and the penalty whose predictions have the greatest mean average precision is used with all training rows.
    Nothing is fitted again for that: with H the matrix that maps training targets to their fit, a part B has
    the prediction :math:`y_B - (I - H_{BB})^{-1} (y_B - \hat y_B)` from the rows outside of it. So one
    decomposition serves all penalties and all parts. The intercept is not penalised.

    Parameters
    ----------
    train : array_like, shape (n, d)
        Features of the training rows.
    targets : array_like, shape (n, v)
        Targets of the training rows.
    test : array_like, shape (m, d)
        Features to predict from.
    rng : numpy.random.Generator or int
        Source of the parts, or its seed.

    Returns
    -------
    ndarray, shape (m, v)

    Raises
    ------
    ValueError
        If there are fewer than five training rows.

    References
    ----------
    Cook & Weisberg (1982), Residuals and Influence in Regression (rows that are left out).

    Examples
    --------
    >>> x = np.arange(8.0)[:, None]
    >>> ridge_by_precision(x, np.hstack([x, 8 - x]), [[2.5]], rng=0).round(2)
    array([[2.5, 5.5]])
    """
    x, y, z = (np.asarray(values, dtype=np.float64) for values in (train, targets, test))
    n = len(x)
    labels = fold_labels(n, INNER_FOLDS, rng)
    mean, level = x.mean(axis=0), y.mean(axis=0)
    centred = x - mean
    kernel = centred @ centred.T
    values, vectors = np.linalg.eigh(kernel)
    penalties = (float(np.trace(kernel)) / n or 1.0) * PENALTIES
    shrunk = np.maximum(values, 0) / (np.maximum(values, 0) + penalties[:, None])
    # the constant is a direction of its own, which the penalty leaves alone
    residuals = y - level - vectors @ (shrunk[:, :, None] * (vectors.T @ y))
    held_out = np.empty_like(residuals)
    for label in range(INNER_FOLDS):
        part = np.flatnonzero(labels == label)
        hats = (vectors[part] * shrunk[:, None]) @ vectors[part].T + 1 / n
        left = np.eye(len(part)) - hats
        held_out[:, part] = y[part] - np.linalg.solve(left, residuals[:, part])
    precision = [float(np.nanmean(average_precision(predicted, y))) for predicted in held_out]
    penalty = penalties[int(np.argmax(precision))]
    weights = (vectors / (np.maximum(values, 0) + penalty)) @ (vectors.T @ (y - level))
    predicted: Float64 = level + (z - mean) @ centred.T @ weights
    return predicted


def zero_shot(features: ArrayLike, targets: ArrayLike, labels: ArrayLike, learner: Learner) -> Float64:
    """Predict each row from the rows of the other folds.

    Parameters
    ----------
    features : array_like, shape (n, d)
        Features of the concepts.
    targets : array_like, shape (n, v)
        Targets of the concepts.
    labels : array_like of int, shape (n,)
        The fold of each row (:func:`fold_labels`).
    learner : callable
        Training features, training targets, test features -> predictions.

    Returns
    -------
    ndarray, shape (n, v)

    Examples
    --------
    >>> def mean(train, targets, test):
    ...     return np.tile(targets.mean(axis=0), (len(test), 1))
    >>> zero_shot(np.zeros((4, 1)), [[1.0], [3.0], [5.0], [7.0]], [0, 0, 1, 1], mean)
    array([[6.],
           [6.],
           [2.],
           [2.]])
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (features, targets))
    folds = np.asarray(labels)
    predicted = np.empty_like(y)
    for label in np.unique(folds):
        test = folds == label
        predicted[test] = learner(x[~test], y[~test], x[test])
    return predicted


def average_precision(predicted: ArrayLike, targets: ArrayLike) -> Float64:
    r"""Average precision of each row: whether the properties that are there stand first in the prediction.

    Properties that are predicted alike are in random order: the value is the mean over all their orders.
    Of t such properties, r are there. Before them stand b properties, of which h are there. They add

    .. math:: \sum_{i=1}^{t} \frac{r}{t} \; \frac{h + 1 + (i - 1) (r - 1) / (t - 1)}{b + i}

    to the sum of precisions (McSherry & Najork 2008), which is then divided by the number of properties that
    are there.

    Parameters
    ----------
    predicted : array_like, shape (n, v)
        Predicted strength of each property.
    targets : array_like, shape (n, v)
        A property is there if its value is greater than zero.

    Returns
    -------
    ndarray, shape (n,)
        From 0 to 1, where the properties that are there are the first ones. NaN for a row that has no
        property.

    References
    ----------
    McSherry & Najork (2008), Computing information retrieval performance measures efficiently in the presence
    of tied scores, ECIR.

    Examples
    --------
    >>> average_precision([[0.9, 0.1, 0.5]], [[3, 0, 2]]), average_precision([[0.1, 0.9, 0.5]], [[3, 0, 2]])
    (array([1.]), array([0.58333333]))
    >>> average_precision([[0.5, 0.5]], [[1, 0]])
    array([0.75])
    """
    strengths, there = np.asarray(predicted, dtype=np.float64), np.asarray(targets) > 0
    order = np.argsort(-strengths, axis=1, kind="stable")
    sorted_strengths = np.take_along_axis(strengths, order, axis=1)
    hits = np.take_along_axis(there, order, axis=1).cumsum(axis=1)
    places = np.arange(1, hits.shape[1] + 1)
    # the first and the last place of the properties that are predicted alike, for each place
    new = np.ones(hits.shape, dtype=bool)
    new[:, 1:] = np.diff(sorted_strengths, axis=1) != 0
    first = np.maximum.accumulate(np.where(new, places, 1), axis=1)
    ends = np.where(np.roll(new, -1, axis=1), places, len(places))
    ends[:, -1] = len(places)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    before = np.take_along_axis(np.pad(hits, ((0, 0), (1, 0))), first - 1, axis=1)
    alike = last - first + 1
    own = np.take_along_axis(hits, last - 1, axis=1) - before
    between = (places - first) * (own - 1) / np.maximum(alike - 1, 1)
    precision = own / alike * (before + 1 + between) / places
    counts = there.sum(axis=1)
    averaged: Float64 = np.divide(
        precision.sum(axis=1), counts, out=np.full(len(counts), np.nan), where=counts > 0
    )
    return averaged


def retrieval_places(predicted: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each concept stands among all, by the cosine of its target with each prediction.

    Parameters
    ----------
    predicted : array_like, shape (n, v)
        Predictions of n concepts.
    targets : array_like, shape (n, v)
        The targets of the same concepts, no row of zeros.

    Returns
    -------
    before, tied : ndarray of int, shape (n, n)
        ``before[i, j]`` concepts are nearer to prediction i than concept j is, and ``tied[i, j]`` are as
        near, with j itself. To a prediction of zeros all are as near.

    Raises
    ------
    ValueError
        If a target is zero: it has no cosine.

    Examples
    --------
    >>> before, tied = retrieval_places([[2, 1], [0, 0]], [[1, 0], [0, 1]])
    >>> before
    array([[0, 1],
           [0, 0]])
    >>> tied
    array([[1, 1],
           [2, 2]])
    """
    guess, true = (np.asarray(values, dtype=np.float64) for values in (predicted, targets))
    lengths = np.linalg.norm(true, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"targets of shape {true.shape} has a row of zeros, {int(np.argmin(lengths))}")
    size = np.linalg.norm(guess, axis=1, keepdims=True)
    cosines = np.divide(guess, size, out=np.zeros_like(guess), where=size > 0) @ (true / lengths).T
    steps = np.round(cosines / _TIED)
    from scipy.stats import rankdata  # its import takes longer than the rest of this measure

    least, most = (rankdata(-steps, method=method, axis=1).astype(np.intp) for method in ("min", "max"))
    return least - 1, most - least + 1


def hit_rates(before: ArrayLike, tied: ArrayLike, k: int) -> Float64:
    """Probability that a concept is among the k nearest, where ties are broken at random.

    Parameters
    ----------
    before, tied : array_like of int
        From :func:`retrieval_places`, any shape.
    k : int
        How many concepts are looked at.

    Returns
    -------
    ndarray
        Of the same shape, from 0 to 1.

    Examples
    --------
    >>> hit_rates([0, 3, 5], [1, 4, 1], k=5)
    array([1. , 0.5, 0. ])
    """
    rates: Float64 = np.clip((k - np.asarray(before)) / np.asarray(tied), 0.0, 1.0)
    return rates
