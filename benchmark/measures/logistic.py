"""Logistic regressions of many binary labels on the same features, solved together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

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
#: The same for the rows of the rarer class, which are predicted less well
_RARE_CURVATURE = 0.15
#: A rarer class of more rows is left to the iterations: its weights are not great
_MOST_RARE = 32
#: With more items than this the products of every two of them take too much memory, and all is left to the
#: iterations
_MOST_ITEMS = 2000
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
    directions of the singular vectors of the centred features, each scaled, and with the few rows of each
    label's rarer class taken into account (up to 2,000 rows in all). They run in single precision, then in
    double precision for the labels whose gradient is not small enough.

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
        self._gram = self._basis @ self._basis.T if n <= _MOST_ITEMS else None

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
        # labels with about as many rows of the rarer class are solved together
        order = np.argsort(-weights.max(axis=0, initial=0), kind="stable")
        blocks = [order[i : i + _BLOCK] for i in range(0, len(order), _BLOCK)]
        parts = in_threads(lambda block: self._block(given[:, block].T, weights[:, block].T), blocks)
        values = np.empty((self._basis.shape[1], len(order)))
        decisions = np.empty(given.shape)
        for block, (of_block, decided) in zip(blocks, parts, strict=True):
            values[:, block], decisions[:, block] = of_block.T, decided.T
        return values, decisions

    def _block(self, labels: NDArray[np.bool_], weights: Float64) -> tuple[Float64, Float64]:
        """Values (m, d) and decisions (m, n) for labels and weights (m, n)."""
        values = np.zeros((len(labels), self._basis.shape[1]))
        pending = np.arange(len(labels))
        stages = ((np.float32, _ITERATIONS), (np.float64, _ITERATIONS_FLOAT64))
        # single precision cannot give a shorter gradient
        for dtype, most in stages if self._tolerance >= _TOLERANCE else stages[1:]:
            descent = _Descent(
                self._basis.astype(dtype),
                None if self._gram is None else self._gram.astype(dtype),
                self._penalty.astype(dtype),
                self._scales.astype(dtype),
                labels[pending].astype(dtype),
                weights[pending].astype(dtype),
                self._tolerance,
            )
            values[pending] = descent.run(values[pending].astype(dtype), most)
            decisions = values @ self._basis.T
            lengths = self._gradient_lengths(values, decisions, labels, weights)
            pending = np.flatnonzero(lengths > 2 * self._tolerance)
            if not pending.size:
                return values, decisions
        raise ValueError("the regression does not converge: scale the features, to length one for example")

    def _gradient_lengths(
        self, values: Float64, decisions: Float64, labels: NDArray[np.bool_], weights: Float64
    ) -> Float64:
        gradient = (weights * (_sigmoid(decisions) - labels)) @ self._basis + self._penalty * values
        lengths: Float64 = np.linalg.norm(gradient / self._scales, axis=1)
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
    """Written with tanh, of which numpy has a fast form. Its absolute error is a last digit of 1."""
    result: NDArray[np.floating] = np.tanh(values / 2)
    result += 1
    result /= 2
    return result


class _RareRows:
    """The rows of each label's rarer class, whose weights are great, and the curvature that they add.

    In scaled directions the loss of all rows together bends by about one in each direction. The few rows of
    the rarer class bend it more, along themselves. With the rows U and the curvatures C of their losses the
    Hessian is close to I + U' C U, and by the formula of Woodbury its inverse takes from a gradient g the
    combination U' (C^-1 + U U')^-1 U g of these rows.
    """

    def __init__(
        self, gram: NDArray[np.floating], labels: NDArray[np.floating], weights: NDArray[np.floating]
    ) -> None:
        taking_part = weights > 0
        positive = (labels > 0) & taking_part
        few = 2 * positive.sum(axis=1) <= taking_part.sum(axis=1)
        rare = np.where(few[:, None], positive, taking_part & (labels == 0))
        rare[rare.sum(axis=1) > _MOST_RARE] = False
        self._gram = gram
        self._counts = rare.sum(axis=1)
        width = int(self._counts.max(initial=0))
        self._real = np.arange(width) < self._counts[:, None]
        self._rows = np.zeros((len(labels), width), dtype=np.intp)
        self._rows[self._real] = np.nonzero(rare)[1]
        least = np.where(self._real, np.take_along_axis(weights, self._rows, axis=1), 1)
        between = gram[self._rows[:, :, None], self._rows[:, None, :]]
        between *= self._real[:, :, None] & self._real[:, None, :]
        between[:, range(width), range(width)] += 1 / (_RARE_CURVATURE * least)
        self._inverse = np.linalg.inv(between)

    def keep(self, labels: NDArray[np.bool_]) -> None:
        """Go on with these labels alone."""
        self._counts, self._real, self._rows, self._inverse = (
            array[labels] for array in (self._counts, self._real, self._rows, self._inverse)
        )

    def combination(self, products: NDArray[np.floating]) -> csr_array:
        """Combinations (m, n) of rows that the inverse takes away, for the products (m, n) of rows with g."""
        at_rows = np.take_along_axis(products, self._rows, axis=1) * self._real
        shares = np.matmul(self._inverse, at_rows[:, :, None])[:, :, 0]
        ends = np.append(0, np.cumsum(self._counts))
        return csr_array((shares[self._real], self._rows[self._real], ends), shape=products.shape)

    def products(self, combinations: csr_array) -> NDArray[np.floating]:
        """Products (m, n) of all rows with ``combinations`` (m, n) of them."""
        products: NDArray[np.floating] = combinations @ self._gram
        return products


class _Descent:
    """Conjugate gradients for the labels of one block, in one precision. Rows are labels, columns items."""

    def __init__(
        self,
        basis: NDArray[np.floating],
        gram: NDArray[np.floating] | None,
        penalty: NDArray[np.floating],
        scales: NDArray[np.floating],
        labels: NDArray[np.floating],
        weights: NDArray[np.floating],
        tolerance: float,
    ) -> None:
        self._tolerance = tolerance
        self._basis = basis
        self._penalty = penalty
        self._inverse = scales**-2
        self._labels = labels
        self._weights = weights
        self._rare = None if gram is None else _RareRows(gram, labels, weights)

    def run(self, values: NDArray[np.floating], most: int) -> NDArray[np.floating]:
        """Descend from ``values`` until each gradient is short, for ``most`` iterations at most."""
        found = values.copy()
        row = np.arange(len(values))
        decisions = values @ self._basis.T
        last: _Step | None = None
        for _ in range(most):
            probability = _sigmoid(decisions)
            gradient = ((probability - self._labels) * self._weights) @ self._basis
            gradient += self._penalty * values
            short = gradient**2 @ self._inverse <= self._tolerance**2
            found[row[short]] = values[short]
            if short.all():
                return found
            if 5 * short.sum() > len(row):  # copying the rest costs less than carrying these along
                rest = ~short
                row, values, decisions, probability, gradient = (
                    array[rest] for array in (row, values, decisions, probability, gradient)
                )
                self._labels, self._weights = self._labels[rest], self._weights[rest]
                if self._rare is not None:
                    self._rare.keep(rest)
                last = None if last is None else _Step(*(array[rest] for array in last))
            last = self._next(gradient, last)
            size = self._size(last, probability)[:, None]
            values = values + size * last.direction
            decisions = decisions + size * last.moved
        found[row] = values
        return found

    def _next(self, gradient: NDArray[np.floating], last: _Step | None) -> _Step:
        """The next conjugate direction (Polak & Ribiere); downhill where it would not lead down."""
        products = gradient @ self._basis.T
        steepest, moved = -gradient, -products
        if self._rare is not None:
            taken = self._rare.combination(products)
            steepest, moved = steepest + taken @ self._basis, moved + self._rare.products(taken)
        length = -_row_products(gradient, steepest)
        if last is None:
            return _Step(gradient, length, steepest, moved)
        change = length + _row_products(last.gradient, steepest)
        rate = np.divide(change, last.length, out=np.zeros_like(change), where=last.length > 0)
        rate = np.maximum(rate, 0)[:, None]
        direction = rate * last.direction + steepest
        moved_on = rate * last.moved + moved
        uphill = _row_products(gradient, direction) >= 0
        direction[uphill], moved_on[uphill] = steepest[uphill], moved[uphill]
        return _Step(gradient, length, direction, moved_on)

    def _size(self, step: _Step, probability: NDArray[np.floating]) -> NDArray[np.floating]:
        """Length of Newton's step along each direction."""
        slope = _row_products(step.gradient, step.direction)
        curvature = np.maximum(probability * (1 - probability), _LEAST_CURVATURE / 4) * self._weights
        curvature *= step.moved
        bend = _row_products(curvature, step.moved)
        bend += _row_products(self._penalty * step.direction, step.direction)
        # a label that is at its minimum exactly has no direction, and stays there
        size: NDArray[np.floating] = np.divide(-slope, bend, out=np.zeros_like(bend), where=bend > 0)
        return size


class _Step(NamedTuple):
    """Gradient (m, d), its length in the scale of the descent (m,), direction (m, d), decisions' (m, n)."""

    gradient: NDArray[np.floating]
    length: NDArray[np.floating]
    direction: NDArray[np.floating]
    moved: NDArray[np.floating]


def _row_products(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    products: NDArray[np.floating] = np.einsum("ij,ij->i", a, b)
    return products
