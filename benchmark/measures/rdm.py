"""Representational dissimilarity matrices from features."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, Floats, as_matrix, rows_in_words
from benchmark.measures._products import mirror, row_blocks, upper_products

METRICS = ("correlation", "cosine", "euclidean", "sqeuclidean", "mahalanobis", "crossnobis")

#: Below this share of the two squared lengths, a squared distance by products has lost too many digits
_CLOSE = {np.dtype(np.float64): 1e-4, np.dtype(np.float32): 1e-2}
#: Numbers in a block of differences
_DIFFERENCES = 2**19


def rdm(features: ArrayLike, metric: str = "correlation", noise: ArrayLike | None = None) -> Floats:
    r"""Dissimilarity of every pair of conditions.

    ===============  =======================================================================================
    metric           dissimilarity of i and j, and its invariances
    ===============  =======================================================================================
    ``correlation``  :math:`1 - r(x_i, x_j)`; shift and scale of each row
    ``cosine``       :math:`1 - \cos(x_i, x_j)`; scale of each row, rotation
    ``euclidean``    :math:`\|x_i - x_j\|`; translation, rotation
    ``sqeuclidean``  :math:`\|x_i - x_j\|^2`; translation, rotation
    ``mahalanobis``  :math:`(x_i - x_j)' P (x_i - x_j) / d` with the noise precision P; translation, and a
                     linear map if P is the precision of the mapped noise
    ``crossnobis``   the mean over folds f of :math:`(x_i - x_j)_f' P (x_i - x_j)_{-f} / d`: each fold
                     with the mean of the others. Noise adds no bias: 0 is no difference, values can be
                     negative
    ===============  =======================================================================================

    The first four work in blocks of columns. Besides the input, memory holds the result and a block of 1,024
    columns. Means are subtracted before any product, so rows with large values keep their digits.

    Parameters
    ----------
    features : array_like, shape (n, d); for ``crossnobis`` (folds, n, d)
        One row per condition, one column per unit, n >= 2. ``crossnobis`` needs at least two folds, which are
        independent measurements of the same conditions. The first four metrics compute float32 input in
        float32. All other input is computed in float64.
    metric : str
        One of the table. The default is ``correlation``.
    noise : array_like, shape (d, d), optional
        Precision (inverse covariance) of the noise of the units. ``mahalanobis`` and ``crossnobis`` require
        it. With the identity they are the (cross-validated) squared Euclidean distance divided by d.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric, zero diagonal. 0 is identical, greater is less alike. Only ``crossnobis`` can be negative.

    Raises
    ------
    ValueError
        If the metric is not known, a shape does not fit or a value is not finite. If a row has no variance
        (correlation) or no length (cosine); the message names the rows. If squared distances are too great
        for the dtype. If the noise precision is missing, is given for a metric that does not use it, or is
        not positive definite.

    References
    ----------
    Kriegeskorte, Mur & Bandettini (2008), Frontiers in Systems Neuroscience 2, 4. Walther et al. (2016),
    NeuroImage 137, 188-200 (Mahalanobis, crossnobis; computed by rsatoolbox).

    Examples
    --------
    The features of four concepts in one layer. The first two point in similar directions, and so do the last
    two.

    >>> from benchmark.measures import rdm
    >>> features = [[2.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.5], [0.0, 0.0, 3.0, 1.0], [0.0, 0.5, 2.0, 1.5]]
    >>> rdm(features).round(2)
    array([[0.  , 0.18, 1.74, 1.95],
           [0.18, 0.  , 1.98, 1.95],
           [1.74, 1.98, 0.  , 0.1 ],
           [1.95, 1.95, 0.1 , 0.  ]])
    >>> rdm(features, metric="euclidean").round(2)[0]
    array([0.  , 1.12, 3.87, 3.24])
    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(METRICS)}")
    if metric in ("mahalanobis", "crossnobis"):
        return _whitened(features, metric, noise)
    if noise is not None:
        raise ValueError(f"noise is given for metric {metric!r}: only mahalanobis and crossnobis take it")
    x = as_matrix(features, "features")
    if len(x) < 2:
        raise ValueError(f"features has shape {x.shape}: an RDM needs at least 2 conditions (rows)")
    if metric in ("correlation", "cosine"):
        distances = _angular(x, centre=metric == "correlation")
    else:
        distances = _euclidean(x, squared=metric == "sqeuclidean")
    np.fill_diagonal(distances, 0)
    return distances


def unit_rows(x: Floats, name: str, *, centre: bool) -> Floats:
    """Rows at unit length.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        The rows.
    name : str
        Name of ``x`` in the error message.
    centre : bool
        Whether to centre each row first.

    Returns
    -------
    ndarray, shape (n, d)
        The dtype of ``x``.

    Raises
    ------
    ValueError
        If a row has no length, or, with ``centre``, is constant.
    """
    largest = np.abs(x).max(axis=1, keepdims=True)
    # Rows are scaled first, so that no square leaves the range of the dtype.
    rows = x / np.where(largest > 0, largest, 1)
    if centre:
        rows -= rows.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    _require_length(norms, x, name, centre=centre)
    rows /= norms[:, None]
    return rows


def _require_length(norms: Floats, x: Floats, name: str, *, centre: bool) -> None:
    """Raise if a row's norm is no more than the rounding of a constant row leaves.

    The norms are those of rows that were scaled to a greatest value of 1.
    """
    undefined = norms <= 8 * np.finfo(x.dtype).eps * np.sqrt(x.shape[1])
    if undefined.any():
        what = "constant features" if centre else "features without length"
        kind = "correlation" if centre else "cosine"
        where = rows_in_words(np.flatnonzero(undefined))
        raise ValueError(f"{what}: {kind} undefined ({name} of shape {x.shape}, {where})")


def _angular(x: Floats, *, centre: bool) -> Floats:
    """1 - the cosine of every two rows. With ``centre``, rows are centred first."""
    n, d = x.shape
    shift, spread, largest = _row_statistics(x, centre=centre)
    scale = 1 / np.where(spread > 0, spread, 1)
    mean_errors = np.zeros(n, dtype=x.dtype)

    def prepare(rows: slice, columns: slice, out: Floats) -> None:
        np.subtract(x[rows, columns], shift[rows, None], out=out)
        out *= scale[rows, None]
        if centre:
            mean_errors[rows] += out.sum(axis=1)

    products = upper_products(x, prepare)
    # A mean is rounded, so a centred row sums to a small r_i. The products lose r_i r_j / d for that.
    mean_errors /= np.sqrt(d, dtype=x.dtype)
    lengths = np.sqrt(np.maximum(np.diagonal(products) - mean_errors**2, 0))
    _require_length(lengths * spread / np.where(largest > 0, largest, 1), x, "features", centre=centre)
    inverse = 1 / lengths

    def transform(rows: slice, strip: Floats) -> None:
        others = slice(rows.start, None)
        if centre:
            strip -= np.multiply.outer(mean_errors[rows], mean_errors[others])
        strip *= -inverse[rows, None]
        strip *= inverse[others]
        strip += 1
        np.maximum(strip, 0, out=strip)

    mirror(products, transform)
    return products


def _row_statistics(x: Floats, *, centre: bool) -> tuple[Floats, Floats, Floats]:
    """Mean (or 0) of each row, greatest distance from it, greatest absolute value; in one pass over ``x``."""
    shift, spread, largest = (np.zeros(len(x), dtype=x.dtype) for _ in range(3))
    for rows in row_blocks(len(x)):
        high, low = x[rows].max(axis=1), x[rows].min(axis=1)
        if centre:
            with np.errstate(over="ignore"):
                shift[rows] = x[rows].mean(axis=1)
        spread[rows] = np.maximum(high - shift[rows], shift[rows] - low)
        largest[rows] = np.maximum(high, -low)
    if not np.isfinite(spread).all():
        raise ValueError(f"features of shape {x.shape}: sums of its values are too great for {x.dtype}")
    return shift, spread, largest


def _euclidean(x: Floats, *, squared: bool) -> Floats:
    """(Squared) distances by one product. Pairs that are close are recomputed from their difference.

    |x|^2 + |y|^2 - 2xy loses digits where x and y are nearly the same.
    """
    # The scale is a power of two, which changes no digit. With it, no square leaves the range of the dtype.
    scale = np.ldexp(x.dtype.type(1), -int(np.frexp(max(x.max(), -x.min()))[1]))
    centre = x.mean(axis=0, dtype=np.float64).astype(x.dtype)

    def prepare(rows: slice, columns: slice, out: Floats) -> None:
        np.subtract(x[rows, columns], centre[columns], out=out)
        out *= scale

    products = upper_products(x, prepare)
    lengths = np.diagonal(products).copy()

    def transform(rows: slice, strip: Floats) -> None:
        sums = np.add.outer(lengths[rows], lengths[rows.start :])
        strip *= -2
        strip += sums
        i, j = np.nonzero(np.triu(strip < _CLOSE[x.dtype] * sums, 1))
        strip[i, j] = _squared_differences(x, i + rows.start, j + rows.start, scale)
        np.maximum(strip, 0, out=strip)
        if not squared:
            np.sqrt(strip, out=strip)
            strip /= scale
            return
        with np.errstate(over="ignore"):
            strip /= scale
            strip /= scale
        if not np.isfinite(strip).all():
            raise ValueError(f"features of shape {x.shape}: squared distances are too great for {x.dtype}")

    mirror(products, transform)
    return products


def _squared_differences(x: Floats, i: np.ndarray, j: np.ndarray, scale: np.floating[Any]) -> Floats:
    squares = np.empty(len(i), dtype=x.dtype)
    step = max(1, _DIFFERENCES // x.shape[1])
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        difference = (x[i[part]] - x[j[part]]) * scale
        squares[part] = np.einsum("ij,ij->i", difference, difference)
    return squares


def _whitened(features: ArrayLike, metric: str, noise: ArrayLike | None) -> Float64:
    """Mahalanobis and crossnobis, by rsatoolbox."""
    x = np.asarray(features, dtype=np.float64)
    folded = metric == "crossnobis"
    if x.ndim != 2 + folded or 0 in x.shape or x.shape[-2] < 2 or (folded and len(x) < 2):
        expected = "(folds, n, d) with 2 folds or more" if folded else "(n, d)"
        raise ValueError(f"features has shape {x.shape}: {metric} needs {expected} and 2 conditions or more")
    folds, n, d = x.shape if folded else (1, *x.shape)
    flat = as_matrix(x.reshape(folds * n, d), "features")
    precision = _precision(noise, metric, d)
    # rsatoolbox takes a second to import, and most runs do not need it.
    rsa: Any = import_module("rsatoolbox")
    labels = {"condition": np.tile(np.arange(n), folds), "fold": np.repeat(np.arange(folds), n)}
    data = rsa.data.Dataset(flat, obs_descriptors=labels)
    cross_validation = {"cv_descriptor": "fold"} if folded else {}
    rdms = rsa.rdm.calc_rdm(data, metric, descriptor="condition", noise=precision, **cross_validation)
    matrix: Float64 = rdms.get_matrices()[0]
    return matrix


def _precision(noise: ArrayLike | None, metric: str, d: int) -> Float64:
    if noise is None:
        raise ValueError(f"noise is None: {metric} needs the precision of the noise, shape ({d}, {d})")
    precision = np.asarray(noise, dtype=np.float64)
    if precision.shape != (d, d):
        raise ValueError(f"noise has shape {precision.shape}: expected the precision of {d} units ({d}, {d})")
    if not np.isfinite(precision).all() or not np.allclose(precision, precision.T):
        raise ValueError(f"noise of shape {precision.shape} is not finite and symmetric")
    if np.linalg.eigvalsh(precision)[0] <= 0:
        raise ValueError(f"noise of shape {precision.shape} is not positive definite: expected a precision")
    return precision
