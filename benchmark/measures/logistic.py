"""Logistic regressions of many binary labels on the same features, solved together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._checks import Float64
from benchmark.measures._threads import in_threads

#: Labels that are solved together: their arrays stay in the processor's cache
_BLOCK = 512
#: Greatest length of the gradient at the solution. The coefficients are then no further from the minimum,
#: because the penalty makes the loss strongly convex
_TOLERANCE = 5e-5
#: Rows that are nearly alike (sum of squared distances from their mean) need a shorter gradient: decisions
#: shrink with that sum, and the error of the intercept does not
_ALIKE = 0.05
#: No gradient is asked to be shorter than this, for each row: it would be rounding
_FINEST = 1e-14
#: A direction with less than this share of the greatest variance is rounding
_RANK = 1e-12
#: The loss of a row curves by its weight times p (1 - p), which is 1/4 at most and less where a label is
#: predicted well. This value of p (1 - p), for all rows, scales the directions. It changes only the time
_CURVATURE = 0.05
#: A step assumes no less than this share of the greatest curvature possible
_LEAST_CURVATURE = 0.05
_ITERATIONS = 200
_ITERATIONS_FLOAT64 = 20000


@dataclass(frozen=True)
class LogisticFits:
    """Logistic regressions of m labels.

    Attributes
    ----------
    coefficients : ndarray, shape (d, m)
    intercepts : ndarray, shape (m,)
    decisions : ndarray, shape (n, m)
        ``features @ coefficients + intercepts``, for the rows left out too. A label is predicted where it is
        greater than zero.
    """

    coefficients: Float64
    intercepts: Float64
    decisions: Float64


class BalancedLogistic:
    r"""Logistic regression with an L2 penalty and balanced class weights, for many labels at once.

    For each label it minimises, over coefficients w and an intercept b that is not penalised,

    .. math:: \tfrac12 \lVert w \rVert^2 + \sum_i s_i \log(1 + e^{-y_i (x_i^\top w + b)})

    with y = 1 or -1. The weight s of a row is :math:`n / (2 n_y)` for its class y of :math:`n_y` rows, among
    the n rows that take part. This is ``LogisticRegression(class_weight="balanced")`` of scikit-learn.

    All labels share the matrix products: nonlinear conjugate gradients (Polak & Ribiere 1969), in the
    directions of the singular vectors of the centred features, each scaled. They run in single precision,
    then in double precision for the labels whose gradient is not small enough.

    Parameters
    ----------
    features : array_like, shape (n, d)
        One row per item. Scale them first: the penalty is not relative to their scale.

    Raises
    ------
    ValueError
        If a feature is not finite, or all rows are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import BalancedLogistic
    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [0.9, 0.2], [0.1, 0.8]])
    >>> labels = np.array([[True], [False], [False], [True]])
    >>> fits = BalancedLogistic(features).fit(labels)
    >>> np.round(fits.coefficients.ravel(), 2), fits.decisions.ravel() > 0
    (array([-0.66,  0.58]), array([ True, False, False,  True]))
    """

    def __init__(self, features: ArrayLike) -> None:
        rows = np.asarray(features, dtype=np.float64)
        if rows.ndim != 2 or not np.isfinite(rows).all():
            raise ValueError(f"features of shape {rows.shape}: expected finite numbers, one row per item")
        n = len(rows)
        self._mean = rows.mean(axis=0)
        centred = rows - self._mean
        # The intercept takes up what centring takes away, so it changes no solution, whichever rows are used.
        gram = centred @ centred.T if n <= rows.shape[1] else centred.T @ centred
        variances, vectors = np.linalg.eigh(gram)
        kept = variances > _RANK * variances[-1]
        if variances[-1] <= 0:
            raise ValueError("constant features: all rows are equal")
        variances, vectors = variances[kept], vectors[:, kept]
        singular = np.sqrt(variances)
        self._tolerance = max(_TOLERANCE * min(1.0, float(variances.sum()) / _ALIKE), _FINEST * n)
        if n <= rows.shape[1]:
            self._vectors, scores = centred.T @ (vectors / singular), vectors * singular
        else:
            self._vectors, scores = vectors, centred @ vectors
        scales = 1 / np.sqrt(1 + _CURVATURE * variances)
        self._scales = np.append(scales, 1 / np.sqrt(_CURVATURE * n))
        self._penalty = np.append(scales**2, 0.0)
        self._basis = np.column_stack([scores, np.ones(n)]) * self._scales

    def fit(self, labels: ArrayLike, train: ArrayLike | None = None) -> LogisticFits:
        """Fit every label.

        Parameters
        ----------
        labels : array_like of bool, shape (n, m)
            The labels of each row.
        train : array_like of bool, shape (n, m), optional
            Rows that take part, for each label. Default: all.

        Returns
        -------
        LogisticFits

        Raises
        ------
        ValueError
            If a shape is wrong, the rows of a label are all of one class, or the descent does not end
            because the features are very large.
        """
        values, decisions = self._solve(labels, train)
        scaled = values * self._scales[:, None]
        coefficients = self._vectors @ scaled[:-1]
        return LogisticFits(coefficients, scaled[-1] - self._mean @ coefficients, decisions)

    def decisions(self, labels: ArrayLike, train: ArrayLike | None = None) -> Float64:
        """:attr:`LogisticFits.decisions` alone, which takes less time.

        Parameters
        ----------
        labels : array_like of bool, shape (n, m)
            The labels of each row.
        train : array_like of bool, shape (n, m), optional
            Rows that take part, for each label. Default: all.

        Returns
        -------
        ndarray, shape (n, m)

        Raises
        ------
        ValueError
            As for :meth:`fit`.
        """
        return self._solve(labels, train)[1]

    def _solve(self, labels: ArrayLike, train: ArrayLike | None) -> tuple[Float64, Float64]:
        given = np.asarray(labels, dtype=bool)
        used = np.ones_like(given) if train is None else np.asarray(train, dtype=bool)
        if given.ndim != 2 or len(given) != len(self._basis) or used.shape != given.shape:
            raise ValueError(
                f"labels of shape {given.shape} and train of shape {used.shape}: expected "
                f"({len(self._basis)}, labels) both"
            )
        weights = _balanced_weights(given, used)
        starts = range(0, given.shape[1], _BLOCK)
        parts = in_threads(
            lambda i: self._block(given[:, i : i + _BLOCK], weights[:, i : i + _BLOCK]), starts
        )
        return np.hstack([a for a, _ in parts]), np.hstack([z for _, z in parts])

    def _block(self, labels: NDArray[np.bool_], weights: Float64) -> tuple[Float64, Float64]:
        values = np.zeros((self._basis.shape[1], labels.shape[1]))
        pending = np.arange(labels.shape[1])
        stages = ((np.float32, _ITERATIONS), (np.float64, _ITERATIONS_FLOAT64))
        # single precision cannot give a shorter gradient
        for dtype, most in stages if self._tolerance >= _TOLERANCE else stages[1:]:
            descent = _Descent(
                self._basis.astype(dtype),
                self._penalty.astype(dtype),
                self._scales.astype(dtype),
                labels[:, pending].astype(dtype),
                weights[:, pending].astype(dtype),
                self._tolerance,
            )
            values[:, pending] = descent.run(values[:, pending].astype(dtype), most)
            decisions = self._basis @ values
            lengths = self._gradient_lengths(values, decisions, labels, weights)
            pending = np.flatnonzero(lengths > 2 * self._tolerance)
            if not pending.size:
                return values, decisions
        raise ValueError("the regression does not converge: scale the features, to length one for example")

    def _gradient_lengths(
        self, values: Float64, decisions: Float64, labels: NDArray[np.bool_], weights: Float64
    ) -> Float64:
        gradient = (
            self._basis.T @ (weights * (_sigmoid(decisions) - labels)) + self._penalty[:, None] * values
        )
        lengths: Float64 = np.linalg.norm(gradient / self._scales[:, None], axis=0)
        return lengths


def _balanced_weights(labels: NDArray[np.bool_], train: NDArray[np.bool_]) -> Float64:
    """Weight of each row of ``train``: each class has half of the weight. Other rows have none."""
    rows, positive = train.sum(axis=0), (labels & train).sum(axis=0)
    single = np.flatnonzero((positive == 0) | (positive == rows))
    if single.size:
        raise ValueError(f"label {single[0]} has {positive[single[0]]} of {rows[single[0]]} rows: one class")
    weights: Float64 = np.where(labels, rows / (2 * positive), rows / (2 * (rows - positive))) * train
    return weights


def _sigmoid(values: NDArray[np.floating]) -> NDArray[np.floating]:
    from scipy.special import expit  # slow to import

    result: NDArray[np.floating] = expit(values)
    return result


class _Descent:
    """Conjugate gradients for the labels of one block, in one precision. Rows are items, columns labels."""

    def __init__(
        self,
        basis: NDArray[np.floating],
        penalty: NDArray[np.floating],
        scales: NDArray[np.floating],
        labels: NDArray[np.floating],
        weights: NDArray[np.floating],
        tolerance: float,
    ) -> None:
        self._tolerance = tolerance
        self._basis = basis
        self._transposed = np.ascontiguousarray(basis.T)
        self._penalty = penalty[:, None]
        self._inverse = scales**-2
        self._labels = labels
        self._weights = weights

    def run(self, values: NDArray[np.floating], most: int) -> NDArray[np.floating]:
        """Descend from ``values`` until each gradient is short, for ``most`` iterations at most."""
        found = values.copy()
        column = np.arange(values.shape[1])
        decisions = self._basis @ values
        direction: NDArray[np.floating] | None = None
        before: NDArray[np.floating] | None = None
        length_before: NDArray[np.floating] | None = None
        for _ in range(most):
            probability = _sigmoid(decisions)
            gradient = self._transposed @ ((probability - self._labels) * self._weights)
            gradient += self._penalty * values
            squares = gradient * gradient
            short = self._inverse @ squares <= self._tolerance**2
            found[:, column[short]] = values[:, short]
            if short.all():
                return found
            if 5 * short.sum() > len(column):  # copying the rest costs less than carrying these along
                rest = ~short
                column = column[rest]
                values, decisions, probability, gradient, squares = (
                    array[:, rest] for array in (values, decisions, probability, gradient, squares)
                )
                self._labels, self._weights = self._labels[:, rest], self._weights[:, rest]
                if direction is not None and before is not None and length_before is not None:
                    direction, before, length_before = (
                        direction[:, rest],
                        before[:, rest],
                        length_before[rest],
                    )
            length = squares.sum(axis=0)
            direction = self._next(direction, gradient, before, length, length_before)
            before, length_before = gradient, length
            moved = self._basis @ direction
            step = self._step(direction, gradient, moved, probability)
            values = values + step * direction
            decisions = decisions + step * moved
        found[:, column] = values
        return found

    @staticmethod
    def _next(
        direction: NDArray[np.floating] | None,
        gradient: NDArray[np.floating],
        before: NDArray[np.floating] | None,
        length: NDArray[np.floating],
        length_before: NDArray[np.floating] | None,
    ) -> NDArray[np.floating]:
        """The next conjugate direction (Polak & Ribiere); downhill where it would not lead down."""
        if direction is None or before is None or length_before is None:
            return -gradient
        change = length - np.einsum("ij,ij->j", gradient, before)
        rate = np.divide(change, length_before, out=np.zeros_like(change), where=length_before > 0)
        following: NDArray[np.floating] = np.maximum(rate, 0) * direction - gradient
        uphill = np.einsum("ij,ij->j", gradient, following) >= 0
        following[:, uphill] = -gradient[:, uphill]
        return following

    def _step(
        self,
        direction: NDArray[np.floating],
        gradient: NDArray[np.floating],
        moved: NDArray[np.floating],
        probability: NDArray[np.floating],
    ) -> NDArray[np.floating]:
        """Length of Newton's step along each direction."""
        slope = np.einsum("ij,ij->j", gradient, direction)
        curvature = np.maximum(probability * (1 - probability), _LEAST_CURVATURE / 4) * self._weights
        curvature *= moved
        bend = np.einsum("ij,ij->j", curvature, moved) + np.einsum(
            "ij,ij->j", self._penalty * direction, direction
        )
        # a label that is at its minimum exactly has no direction, and stays there
        step: NDArray[np.floating] = np.divide(-slope, bend, out=np.zeros_like(bend), where=bend > 0)
        return step
