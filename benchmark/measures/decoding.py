"""How well labels can be read out: folds that hold every class, and F1 over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._checks import Float64


def stratified_folds(labels: ArrayLike, folds: int, rng: np.random.Generator | int) -> NDArray[np.intp]:
    """Deal the rows of each label into folds, so that every fold holds both classes.

    Parameters
    ----------
    labels : array_like of bool, shape (n, m)
        The labels of each row.
    folds : int
        Number of folds, at least 2.
    rng : numpy.random.Generator or int
        Source of the order in which rows are dealt, or its seed.

    Returns
    -------
    ndarray of int, shape (n, m)
        The fold of each row, for each label. In a label, the numbers of positive rows of two folds differ by
        one at most; so do their numbers of rows.

    Raises
    ------
    ValueError
        If a label has fewer rows of a class than there are folds.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import stratified_folds
    >>> labels = np.array([[True], [False], [True], [False], [False]])
    >>> folds = stratified_folds(labels, folds=2, rng=0)
    >>> np.bincount(folds[labels[:, 0], 0]), np.bincount(folds[~labels[:, 0], 0])
    (array([1, 1]), array([2, 1]))
    """
    given = np.asarray(labels, dtype=bool)
    if folds < 2:
        raise ValueError(f"folds is {folds}: at least two are needed")
    n, positive = len(given), given.sum(axis=0)
    few = np.flatnonzero(np.minimum(positive, n - positive) < folds)
    if few.size:
        raise ValueError(
            f"label {few[0]} has {positive[few[0]]} positive and {n - positive[few[0]]} negative rows: "
            f"too few for {folds} folds"
        )
    # Rows in a random order, those of the positive class first, are dealt in turn.
    order = np.argsort(np.random.default_rng(rng).random(given.shape) - given, axis=0)
    dealt = np.empty(given.shape, dtype=np.intp)
    np.put_along_axis(dealt, order, np.broadcast_to((np.arange(n) % folds)[:, None], given.shape), axis=0)
    return dealt


def f1_over_folds(labels: ArrayLike, predicted: ArrayLike, fold: ArrayLike) -> Float64:
    r"""F1 of each label, :math:`2 TP / (2 TP + FP + FN)`, computed in each fold and averaged over folds.

    Parameters
    ----------
    labels : array_like of bool, shape (n, m)
        The labels of each row.
    predicted : array_like of bool, shape (n, m)
        The labels that were predicted for each row while its fold was left out.
    fold : array_like of int, shape (n, m)
        The fold of each row, for each label, 0 to K - 1. Each fold holds a positive row of each label.

    Returns
    -------
    ndarray, shape (m,)
        Higher is better. 0: no positive row was found. 1: all were, and no other.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import f1_over_folds
    >>> labels = np.array([[True], [False], [True], [False]])
    >>> f1_over_folds(labels, np.array([[True], [True], [True], [False]]), np.array([[0], [0], [1], [1]]))
    array([0.83333333])
    """
    given, found = np.asarray(labels, dtype=bool), np.asarray(predicted, dtype=bool)
    folds = np.asarray(fold)
    scores = []
    for k in range(int(folds.max()) + 1):
        here = folds == k
        hits = (given & found & here).sum(axis=0)
        scores.append(2 * hits / ((given & here).sum(axis=0) + (found & here).sum(axis=0)))
    mean: Float64 = np.mean(scores, axis=0)
    return mean
