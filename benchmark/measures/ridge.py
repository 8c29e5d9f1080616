"""Ridge regression of many channels on one set of features: one decomposition serves all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64

#: A direction with less than this share of the greatest variance is rounding
_RANK = 1e-10
#: Of the sum of squares of all rows, the share below which that of the training rows is rounding
_ROUNDING = 1e-12
#: Numbers that are held at once for a block of channels (8 bytes each)
_HELD = 2**24
#: Penalties to choose from, as shares of the sum of squares of the training features
SHARES = 10.0 ** np.arange(-5.0, 1.5, 0.5)

_CONSTANT = "constant features: every feature is the same in all training rows"


@dataclass(frozen=True)
class HeldOutFits:
    """Predictions of :meth:`HeldOutRidge.fits`.

    Attributes
    ----------
    predicted : ndarray, shape (n, c)
        The prediction of each row, from a fit without the rows of its fold.
    chosen : ndarray, shape (f, c)
        The penalty that each fold chose for each channel, as a share.
    errors : ndarray, shape (f, c)
        Mean squared leave-one-out error of that penalty, on the training rows of each fold.
    """

    predicted: Float64
    chosen: Float64
    errors: Float64


@dataclass(frozen=True)
class RidgePredictions:
    """Predictions of :func:`ridge_predictions`.

    Attributes
    ----------
    predicted : ndarray, shape (m, c)
        The prediction for each test row and channel.
    alphas : ndarray, shape (c,)
        The penalty that was chosen for each channel.
    errors : ndarray, shape (a, c)
        Mean squared leave-one-out error of each penalty, for each channel.
    """

    predicted: Float64
    alphas: Float64
    errors: Float64


def ridge_predictions(
    train: ArrayLike,
    responses: ArrayLike,
    test: ArrayLike,
    alphas: ArrayLike,
    groups: ArrayLike | None = None,
) -> RidgePredictions:
    r"""Predict every channel by ridge regression, with a penalty of its own that the training rows choose.

    For each channel the coefficients minimise :math:`\|y - b - Xw\|^2 + \alpha \|w\|^2`. The intercept b is
    not penalised. Of the penalties the one of the least leave-one-out error is taken. With one decomposition
    :math:`X = U S V^\top` of the centred features the error needs no refit:

    .. math:: \sum_i \left(\frac{y_i - \hat y_i}{1 - h_i}\right)^2, \qquad
              h_i = \frac{1}{n} + \sum_r \frac{u_{ir}^2 s_r^2}{s_r^2 + \alpha}

    U comes from the smaller of the two Gram matrices: that of the rows where there are more features than
    rows (the kernel form), else that of the features. So the cost hardly depends on the number of channels
    and of penalties.

    Parameters
    ----------
    train : array_like, shape (n, d)
        Features of the training rows.
    responses : array_like, shape (n, c)
        The measurements of each channel.
    test : array_like, shape (m, d)
        Features of the rows that are predicted.
    alphas : array_like, shape (a,)
        Penalties to choose from, greater than zero. Of penalties with the same error the first is taken.
    groups : array_like, shape (n,), optional
        Group of each training row (a concept with several images). A whole group is then left out at a time
        when a penalty is judged. Default: each row is a group.

    Returns
    -------
    RidgePredictions

    Raises
    ------
    ValueError
        If shapes do not fit, fewer than two rows or groups are given, a penalty is not greater than zero, or
        every feature is constant over the training rows.

    References
    ----------
    Golub, Heath & Wahba (1979), Technometrics 21(2), 215-223; Hoerl & Kennard (1970), Technometrics 12(1),
    55-67.

    Examples
    --------
    Two channels and 30 features; the second channel is noise, and takes a greater penalty.

    >>> import numpy as np
    >>> from benchmark.measures import ridge_predictions
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(50, 30))
    >>> measured = np.column_stack([features[:, :3].sum(axis=1), rng.normal(size=50)])
    >>> found = ridge_predictions(features[:40], measured[:40], features[40:], [0.1, 10.0, 1000.0])
    >>> found.alphas
    array([1.e-01, 1.e+03])
    >>> float(np.corrcoef(found.predicted[:, 0], measured[40:, 0])[0, 1].round(2))
    1.0
    """
    x, y, new = (np.asarray(values, dtype=np.float64) for values in (train, responses, test))
    penalties = np.asarray(alphas, dtype=np.float64)
    _require(x, y, new, penalties)
    mean = x.mean(axis=0)
    return _fitted(*decomposed(x - mean, new - mean), y, penalties, groups)


def cross_validated_ridge(
    features: ArrayLike,
    responses: ArrayLike,
    folds: ArrayLike,
    shares: ArrayLike = SHARES,
    groups: ArrayLike | None = None,
) -> tuple[Float64, Float64]:
    r"""Predict every row from the rows of the other folds, by :func:`ridge_predictions`.

    Penalties are shares of the sum of squares of the centred training features, :math:`\sum_r s_r^2`, so that
    they mean the same for features of any number and scale. Where there are more features than rows, the
    Gram matrix of the rows is computed once for all folds.

    Parameters
    ----------
    features : array_like, shape (n, d)
        Features of all rows.
    responses : array_like, shape (n, c)
        The measurements of each channel.
    folds : array_like, shape (n,)
        The fold in which each row is held out.
    shares : array_like, shape (a,)
        Penalties to choose from, as shares.
    groups : array_like, shape (n,), optional
        As for :func:`ridge_predictions`.

    Returns
    -------
    predicted : ndarray, shape (n, c)
        The prediction of each row, from a fit without the rows of its fold.
    chosen : ndarray, shape (f, c)
        The share that each fold chose for each channel.

    Raises
    ------
    ValueError
        As :func:`ridge_predictions`, or if there is one fold.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import cross_validated_ridge
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(60, 100))
    >>> measured = features @ rng.normal(size=(100, 2)) / 10
    >>> predicted, chosen = cross_validated_ridge(features, measured, np.arange(60) % 5)
    >>> predicted.shape, chosen.shape
    ((60, 2), (5, 2))
    >>> float(np.corrcoef(predicted[:, 0], measured[:, 0])[0, 1].round(2))
    0.55
    """
    return HeldOutRidge(features, folds, groups).predict(responses, shares)


class HeldOutRidge:
    """The decompositions of :func:`cross_validated_ridge`, kept for any number of responses to the same rows.

    Parameters
    ----------
    features : array_like, shape (n, d)
        Features of all rows.
    folds : array_like, shape (n,)
        The fold in which each row is held out.
    groups : array_like, shape (n,), optional
        As for :func:`ridge_predictions`.

    Raises
    ------
    ValueError
        If shapes do not fit, there is one fold, or every feature is constant over the training rows.
    """

    def __init__(self, features: ArrayLike, folds: ArrayLike, groups: ArrayLike | None = None) -> None:
        x, held = np.asarray(features, dtype=np.float64), np.asarray(folds)
        _require(x, x, x, SHARES)
        names = np.unique(held)
        if held.shape != (len(x),) or len(names) < 2:
            raise ValueError(
                f"folds has shape {held.shape} and {len(names)} values: expected (n,) and two folds"
            )
        x = x - x.mean(axis=0)
        gram = x @ x.T if len(x) <= x.shape[1] else None
        members = None if groups is None else np.asarray(groups)
        self._rows = len(x)
        self._folds = []
        for name in names:
            train, test = np.flatnonzero(held != name), np.flatnonzero(held == name)
            own = None if members is None else members[train]
            self._folds.append((train, test, own, _parts(x, gram, train, test)))

    def predict(self, responses: ArrayLike, shares: ArrayLike = SHARES) -> tuple[Float64, Float64]:
        """Predict every row from the rows of the other folds.

        Parameters
        ----------
        responses : array_like, shape (n, c)
            The measurements of each channel.
        shares : array_like, shape (a,)
            Penalties to choose from, as shares.

        Returns
        -------
        predicted : ndarray, shape (n, c)
        chosen : ndarray, shape (f, c)
            As for :func:`cross_validated_ridge`.
        """
        fits = self.fits(responses, shares)
        return fits.predicted, fits.chosen

    def fits(self, responses: ArrayLike, shares: ArrayLike = SHARES) -> HeldOutFits:
        """As :meth:`predict`, with the leave-one-out error of the penalties that were chosen.

        Parameters
        ----------
        responses : array_like, shape (n, c)
            The measurements of each channel.
        shares : array_like, shape (a,)
            Penalties to choose from, as shares.

        Returns
        -------
        HeldOutFits
        """
        y, relative = np.asarray(responses, dtype=np.float64), np.asarray(shares, dtype=np.float64)
        _require_responses(y, self._rows, relative)
        predicted = np.empty(y.shape)
        chosen, errors = np.empty((2, len(self._folds), y.shape[1]))
        for i, (train, test, own, parts) in enumerate(self._folds):
            total = float(parts[1].sum())
            found = _fitted(*parts, y[train], relative * total, own)
            predicted[test], chosen[i] = found.predicted, found.alphas / total
            errors[i] = found.errors.min(axis=0)
        return HeldOutFits(predicted, chosen, errors)


def _parts(
    x: Float64, gram: Float64 | None, train: np.ndarray, test: np.ndarray
) -> tuple[Float64, Float64, Float64]:
    """The decomposition of one fold, as :func:`decomposed`; from the Gram matrix of all rows if given."""
    if gram is None:
        mean = x[train].mean(axis=0)
        return decomposed(x[train] - mean, x[test] - mean)
    among, across = _centred(gram[np.ix_(train, train)], gram[np.ix_(test, train)])
    if np.trace(among) <= _ROUNDING * np.trace(gram):
        raise ValueError(_CONSTANT)
    return _decomposed_gram(among, across)


def _fitted(
    basis: Float64,
    variances: Float64,
    scores: Float64,
    y: Float64,
    penalties: Float64,
    groups: ArrayLike | None,
) -> RidgePredictions:
    members = _members(groups, len(y))
    if members is not None:  # the rows of a group beside each other, groups of one size too
        order = np.concatenate([rows.ravel() for rows in members])
        basis, y = basis[order], y[order]
    shrinkage = variances[:, None] / (variances[:, None] + penalties)
    leverage = (basis**2) @ shrinkage + 1 / len(y)
    predicted = np.empty((len(scores), y.shape[1]))
    errors = np.empty((len(penalties), y.shape[1]))
    step = max(1, _HELD // (len(y) + len(scores)))
    for start in range(0, y.shape[1], step):
        some = slice(start, start + step)
        level = y[:, some].mean(axis=0)
        centred = y[:, some] - level
        along, left = basis.T @ centred, np.empty_like(centred)
        for i, shrunk in enumerate(shrinkage.T):
            np.subtract(centred, np.matmul(basis, shrunk[:, None] * along, out=left), out=left)
            if members is None:
                left /= 1 - leverage[:, i, None]
            else:
                _leave_groups_out(left, basis, shrunk, [rows.shape for rows in members])
            errors[i, some] = np.einsum("nc,nc->c", left, left) / len(y)
        chosen = penalties[errors[:, some].argmin(axis=0)]
        predicted[:, some] = scores @ (along / (variances[:, None] + chosen)) + level
    return RidgePredictions(predicted, penalties[errors.argmin(axis=0)], errors)


def _require(x: Float64, y: Float64, new: Float64, penalties: Float64) -> None:
    if x.ndim != 2 or new.ndim != 2 or x.shape[1] != new.shape[1]:
        raise ValueError(f"train has shape {x.shape} and test {new.shape}: expected (n, d) and (m, d)")
    if len(x) < 2:
        raise ValueError(f"train has {len(x)} rows: at least two are needed")
    _require_responses(y, len(x), penalties)


def _require_responses(y: Float64, rows: int, penalties: Float64) -> None:
    if y.ndim != 2 or len(y) != rows:
        raise ValueError(f"responses has shape {y.shape} for {rows} rows: expected ({rows}, c)")
    if penalties.ndim != 1 or not penalties.size or not (penalties > 0).all():
        raise ValueError("alphas: expected penalties greater than zero")


def _members(groups: ArrayLike | None, n: int) -> list[np.ndarray] | None:
    """Rows of the groups, an array (groups, size) for each size; None: each row is a group."""
    if groups is None:
        return None
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    if codes.shape != (n,) or codes.max() < 1:
        raise ValueError(f"groups has shape {codes.shape} for {n} rows: expected (n,), and two groups")
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
    if (sizes == 1).all():
        return None
    each = np.split(order, np.cumsum(sizes)[:-1])
    return [np.array([rows for rows in each if len(rows) == size]) for size in np.unique(sizes)]


def _leave_groups_out(
    residual: Float64, basis: Float64, shrunk: Float64, shapes: list[tuple[int, ...]]
) -> None:
    """Turn the ``residual`` (n, c) of a fit on everything into that of fits without each row's group.

    ``shapes``: the number of groups and of their rows, for each size.
    """
    start = 0
    for groups, size in shapes:
        rows = slice(start, start := start + groups * size)
        own, left = basis[rows].reshape(groups, size, -1), residual[rows].reshape(groups, size, -1)
        hat = (own * shrunk) @ own.swapaxes(1, 2) + 1 / len(basis)
        # small blocks and many channels: a product with the inverse takes a tenth of the time of a solution
        residual[rows] = (np.linalg.inv(np.eye(size) - hat) @ left).reshape(groups * size, -1)


def _centred(among: Float64, across: Float64) -> tuple[Float64, Float64]:
    """Gram matrices (n, n) of training rows, and (m, n) of test and training rows, less the training mean."""
    mean = among.mean(axis=0)
    level = mean.mean()
    across = across - across.mean(axis=1, keepdims=True) - mean + level
    return among - mean - mean[:, None] + level, across


def _decomposed_gram(among: Float64, across: Float64) -> tuple[Float64, Float64, Float64]:
    """As :func:`decomposed`, from centred Gram matrices."""
    values, vectors = np.linalg.eigh(among)
    kept = values > _RANK * values[-1]
    basis = vectors[:, kept]
    return basis, values[kept], across @ basis


def decomposed(train: Float64, test: Float64) -> tuple[Float64, Float64, Float64]:
    """The left singular vectors of ``train``, and ``test`` along its right ones.

    Parameters
    ----------
    train : ndarray, shape (n, d)
        Centred features.
    test : ndarray, shape (m, d)
        Features less the mean of the training rows.

    Returns
    -------
    basis : ndarray, shape (n, r)
        Left singular vectors U of those directions whose variance is not rounding.
    variances : ndarray, shape (r,)
        Squared singular values.
    scores : ndarray, shape (m, r)
        ``test @ V * S``. So a ridge prediction is ``scores / (variances + alpha) @ U.T @ y``.

    Raises
    ------
    ValueError
        If every feature is constant over the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures.ridge import decomposed
    >>> basis, variances, scores = decomposed(np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([[3.0, 5.0]]))
    >>> variances, scores @ (basis.T @ [-1.0, 1.0]) / variances
    (array([2.]), array([3.]))
    """
    if not np.ptp(train, axis=0).any():
        raise ValueError(_CONSTANT)
    if len(train) <= train.shape[1]:
        return _decomposed_gram(train @ train.T, test @ train.T)
    values, vectors = np.linalg.eigh(train.T @ train)
    kept = values > _RANK * values[-1]
    values, vectors = values[kept], vectors[:, kept]
    singular = np.sqrt(values)
    return train @ vectors / singular, values, test @ vectors * singular
