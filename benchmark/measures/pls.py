"""Partial least squares regression of all channels together, in the kernel form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix

#: Below this share of the first component's covariance with the responses, a component is rounding
_ROUNDING = 1e-12


def pls_predictions(gram: ArrayLike, responses: ArrayLike, across: ArrayLike, components: int) -> Float64:
    r"""Predict responses by partial least squares, from the Gram matrices of centred features alone.

    A component is the direction of the features that covaries most with a direction v of the responses. With
    the Gram matrix K of the rows, v is the first eigenvector of :math:`Y^\top K Y`, the scores are
    :math:`t \propto K Y v`, and both K and Y are then deflated by t (Rosipal & Trejo 2001). This is PLS2 as
    in scikit-learn's ``PLSRegression(scale=False)``, without an iteration, and its cost does not depend on
    the number of features. Where there are more channels than rows, Y is first replaced by the n columns of a
    triangular factor with the same :math:`Y Y^\top`, which has the same components.

    Parameters
    ----------
    gram : array_like, shape (n, n)
        Inner products of the training rows, centred by their mean.
    responses : array_like, shape (n, c)
        The measurements of each channel.
    across : array_like, shape (m, n)
        Inner products of the rows that are predicted and the training rows, both less the training mean.
    components : int
        Number of components, at least one. Fewer are taken where the rest would be rounding.

    Returns
    -------
    ndarray, shape (m, c)

    Raises
    ------
    ValueError
        If shapes do not fit, or ``components`` is less than one.

    References
    ----------
    Rosipal & Trejo (2001), Journal of Machine Learning Research 2, 97-123.

    Examples
    --------
    With as many components as features it is least squares.

    >>> import numpy as np
    >>> from benchmark.measures import pls_predictions
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(30, 4))
    >>> features -= features[:20].mean(axis=0)
    >>> train, test = features[:20], features[20:]
    >>> measured = features @ rng.normal(size=(4, 2))
    >>> found = pls_predictions(train @ train.T, measured[:20], test @ train.T, components=4)
    >>> bool(np.allclose(found, measured[20:]))
    True
    """
    kernel, y = np.array(gram, dtype=np.float64), np.asarray(responses, dtype=np.float64)
    new = np.asarray(across, dtype=np.float64)
    n = len(kernel)
    if kernel.shape != (n, n) or y.ndim != 2 or len(y) != n or new.ndim != 2 or new.shape[1] != n:
        raise ValueError(
            f"gram has shape {kernel.shape}, responses {y.shape} and across {new.shape}: expected (n, n), "
            "(n, c) and (m, n)"
        )
    if components < 1:
        raise ValueError(f"components is {components}: expected one or more")
    whole, level = kernel.copy(), y.mean(axis=0)
    y = y - level
    if y.shape[1] > n:  # eigenvectors of n x n in place of channels x channels
        y = np.asarray(np.linalg.qr(y.T, mode="r")).T
    directions, scores = np.empty((n, components)), np.empty((n, components))
    first, found = 0.0, 0
    for i in range(components):
        values, vectors = np.linalg.eigh(y.T @ kernel @ y)
        first = max(first, float(values[-1]))
        if values[-1] <= _ROUNDING * first:
            break
        u = y @ vectors[:, -1]
        t = kernel @ u
        t /= np.linalg.norm(t)
        directions[:, i], scores[:, i] = u, t
        loading = kernel @ t
        kernel += np.outer(t, (t @ loading) * t - loading) - np.outer(loading, t)
        y = y - np.outer(t, t @ y)
        found += 1
    u, t = directions[:, :found], scores[:, :found]
    coefficients = u @ np.linalg.solve(t.T @ whole @ u, t.T @ (np.asarray(responses) - level))
    predicted: Float64 = new @ coefficients + level
    return predicted


class HeldOutPLS:
    """Every row predicted from the rows of the other folds, by :func:`pls_predictions`.

    Parameters
    ----------
    features : array_like, shape (n, d)
        Features of all rows.
    folds : array_like, shape (n,)
        The fold in which each row is held out.
    components : int
        Number of components.

    Raises
    ------
    ValueError
        If shapes do not fit, there is one fold, a training fold has no more rows than components, or every
        feature is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import HeldOutPLS
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(60, 100))
    >>> measured = features[:, :5] @ rng.normal(size=(5, 3))
    >>> predicted = HeldOutPLS(features, np.arange(60) % 5, components=3).predict(measured)
    >>> predicted.shape
    (60, 3)
    """

    def __init__(self, features: ArrayLike, folds: ArrayLike, components: int) -> None:
        x, held = as_matrix(features, "features").astype(np.float64), np.asarray(folds)
        names = np.unique(held)
        if held.shape != (len(x),) or len(names) < 2:
            raise ValueError(
                f"folds has shape {held.shape} and {len(names)} values: expected (n,) and two folds"
            )
        if not np.ptp(x, axis=0).any():
            raise ValueError("constant features: every feature is the same in all rows")
        fewest = min(int((held != name).sum()) for name in names)
        if components >= fewest:
            raise ValueError(f"components is {components}, for {fewest} training rows: take fewer components")
        self._components, self._folds = components, []
        for name in names:
            train, test = np.flatnonzero(held != name), np.flatnonzero(held == name)
            centred = x - x[train].mean(axis=0)
            products = centred @ centred[train].T
            self._folds.append((train, test, products[train], products[test]))

    def predict(self, responses: ArrayLike) -> Float64:
        """Predictions (n, c) of ``responses`` (n, c); all channels are fitted together."""
        y = np.asarray(responses, dtype=np.float64)
        predicted = np.empty(y.shape)
        for train, test, among, across in self._folds:
            predicted[test] = pls_predictions(among, y[train], across, self._components)
        return predicted
