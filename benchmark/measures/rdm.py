"""Representational dissimilarity matrices from features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist, squareform

from benchmark.measures._checks import Float64, Floats, as_matrix, rows_in_words
from benchmark.measures._products import mirror, row_blocks, upper_products

#: Dissimilarities that come from matrix products
_BY_PRODUCTS = ("correlation", "cosine", "euclidean", "sqeuclidean")
#: Dissimilarities that scipy computes, pair by pair
_BY_PAIRS = ("cityblock", "chebyshev", "canberra", "braycurtis", "jensenshannon")
#: Dissimilarities of rows of features; the others of :data:`METRICS` need a noise precision
FEATURE_METRICS = (*_BY_PRODUCTS, *_BY_PAIRS)
METRICS = (*FEATURE_METRICS, "mahalanobis", "crossnobis")

#: Below this share of the two squared lengths, a squared distance by products has lost too many digits
_CLOSE = 1e-3
#: Greatest absolute value below which digits are lost, because numbers get near the end of float64
_SMALLEST = 1e-290
#: Scales between this and its inverse leave all squares within float64
_SAFE = 1e-100
#: Numbers in a block of differences
_DIFFERENCES = 2**19


def rdm(features: ArrayLike, metric: str = "correlation", noise: ArrayLike | None = None) -> Floats:
    r"""Dissimilarity of every pair of conditions.

    =================  =====================================================================================
    metric             dissimilarity of i and j, and its invariances
    =================  =====================================================================================
    ``correlation``    :math:`1 - r(x_i, x_j)`; shift and scale of each row
    ``cosine``         :math:`1 - \cos(x_i, x_j)`; scale of each row, rotation
    ``euclidean``      :math:`\|x_i - x_j\|`; translation, rotation
    ``sqeuclidean``    :math:`\|x_i - x_j\|^2`; translation, rotation
    ``cityblock``      :math:`\sum_u |x_{iu} - x_{ju}|`; translation
    ``chebyshev``      :math:`\max_u |x_{iu} - x_{ju}|`; translation
    ``canberra``       :math:`\sum_u |x_{iu} - x_{ju}| / (|x_{iu}| + |x_{ju}|)`, 0 where both are 0; scale of
                       each unit
    ``braycurtis``     :math:`\sum_u |x_{iu} - x_{ju}| / \sum_u |x_{iu} + x_{ju}|`; scale
    ``jensenshannon``  square root of the divergence (natural logarithm) of the rows, each divided by its
                       sum. Rows must not be negative; scale of each row
    ``mahalanobis``    :math:`(x_i - x_j)' P (x_i - x_j) / d` with the noise precision P; translation, and a
                       linear map if P is the precision of the mapped noise
    ``crossnobis``     the mean over folds f of :math:`(x_i - x_j)_f' P (x_i - x_j)_{-f} / d`: each fold
                       with the mean of the others. Noise adds no bias: 0 is no difference, values can be
                       negative
    =================  =====================================================================================

    The first four work in blocks of columns. Besides the input, memory holds the result in float64 and a
    block of 1,024 columns. Means are subtracted before any product, so values keep their digits where rows
    are large, and where rows are nearly the same. Dissimilarities that are equal in exact arithmetic differ
    by less than the tolerance within which :func:`compare_rdms` takes them as tied. The next five are those
    of ``scipy.spatial.distance.pdist``, which takes the time of n (n - 1) / 2 pairs.

    Parameters
    ----------
    features : array_like, shape (n, d); for ``crossnobis`` (folds, n, d)
        One row per condition, one column per unit, n >= 2. ``crossnobis`` needs at least two folds, which are
        independent measurements of the same conditions. The computation is in float64.
    metric : str
        One of the table. The default is ``correlation``.
    noise : array_like, shape (d, d), optional
        Precision (inverse covariance) of the noise of the units. ``mahalanobis`` and ``crossnobis`` require
        it. With the identity they are the (cross-validated) squared Euclidean distance divided by d.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric, zero diagonal. 0 is identical, greater is less alike. Only ``crossnobis`` can be negative.
        The first four metrics give float32 for float32 input. All else is float64.

    Raises
    ------
    ValueError
        If the metric is not known, a shape does not fit or a value is not finite. If a row has no variance
        (correlation), no length (cosine), or values below zero or no sum (jensenshannon); the message names
        the rows. If a pair has no sum (braycurtis). If values are too small, or distances too great, for the
        dtype. If the noise precision is missing, is given for a metric that does not use it, or is not
        positive definite.

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
    elif metric in _BY_PAIRS:
        distances = _by_pairs(x, metric)
    else:
        distances = _euclidean(x, squared=metric == "sqeuclidean")
    np.fill_diagonal(distances, 0)
    if not distances.max() <= np.finfo(x.dtype).max:
        what = "squared distances" if metric == "sqeuclidean" else "distances"
        raise ValueError(f"features of shape {x.shape}: {what} are too great for {x.dtype}")
    return distances.astype(x.dtype, copy=False)


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
        If a row has no length, has only tiny values, or, with ``centre``, is constant.
    """
    largest = np.abs(x).max(axis=1, keepdims=True)
    _require_size(largest, x, name)
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


@dataclass(frozen=True)
class _Rows:
    """Rows of features, shifted and scaled: (x - shift) factor. ``middle`` is the mean of these rows.

    Attributes
    ----------
    x : ndarray, shape (n, d)
        float32 or float64. It is not copied.
    shift : ndarray, shape (n,), or None
        Mean of each row. None: nothing is subtracted.
    factor : ndarray, shape (n,)
        What each row is multiplied by.
    middle : ndarray, shape (d,)
        Mean of the rows, as far as rounding allows.
    """

    x: Floats
    shift: Float64 | None
    factor: Float64
    middle: Float64

    def prepare(self, rows: slice, columns: slice, out: Float64) -> None:
        """Write some columns of the rows less their mean into ``out``."""
        if self.shift is None:
            np.multiply(self.x[rows, columns], self.factor[rows, None], out=out)
        else:
            np.subtract(self.x[rows, columns], self.shift[rows, None], out=out)
            out *= self.factor[rows, None]
        out -= self.middle[columns]

    def take(self, i: np.ndarray) -> Float64:
        """Whole rows, in float64."""
        rows: Float64 = self.x[i].astype(np.float64, order="C")
        if self.shift is not None:
            rows -= self.shift[i, None]
        rows *= self.factor[i, None]
        return rows


def _angular(x: Floats, *, centre: bool) -> Float64:
    """1 - the cosine of every two rows. With ``centre``, rows are centred first.

    It is half of the squared distance of the rows at unit length. This form loses no digits where all rows
    point in nearly the same direction.
    """
    return _half_squares(_unit(x, centre=centre), lambda _: None, centre=centre)


def angular_triangle(x: Floats, *, centre: bool) -> Float64:
    """The dissimilarities above the diagonal, row by row; no square matrix is made.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Features.
    centre : bool
        Whether rows are centred first: correlation distance, else cosine distance.

    Returns
    -------
    ndarray of float64, shape (n (n - 1) / 2,)
        What :func:`rdm` gives above the diagonal.
    """
    n = len(x)
    rows = _unit(x, centre=centre)
    points = np.empty(x.shape)
    for at in row_blocks(n):
        rows.prepare(at, slice(None), points[at])
    halves = np.einsum("ij,ij->i", points, points) / 2
    triangle = np.empty(n * (n - 1) // 2)
    end = 0
    for at in row_blocks(n):
        strip = points[at] @ points[at.start :].T
        _finish_strip(rows, halves, at, strip, centre=centre)
        for i, row in enumerate(strip, 1):
            start, end = end, end + len(row) - i
            triangle[start:end] = row[i:]
    return triangle


def _unit(x: Floats, *, centre: bool) -> _Rows:
    """The rows at unit length; with ``centre``, less their means."""
    n, d = x.shape
    shift, lengths, largest = np.zeros(n), np.empty(n), np.empty(n)
    middle = np.zeros(d)
    factor = np.empty(n)
    for rows in row_blocks(n):
        block = np.ascontiguousarray(x[rows], np.float64)  # numpy rounds sums along a whole row least
        high, low = block.max(axis=1), block.min(axis=1)
        largest[rows] = np.maximum(high, -low)
        if centre:
            with np.errstate(over="ignore"):
                shift[rows] = block.mean(axis=1)
        spread = np.maximum(high - shift[rows], shift[rows] - low)
        if not np.isfinite(spread).all():
            raise ValueError(f"features of shape {x.shape}: sums of its values are too great for {x.dtype}")
        if centre:
            block = block - shift[rows, None]
        # A power of two changes no digit. With it, no square leaves the range of float64.
        scale = np.ldexp(1.0, -np.frexp(np.where(spread > _SMALLEST, spread, 1))[1])
        if not (scale.min() > _SAFE and scale.max() < 1 / _SAFE):
            block = block * scale[:, None]
        else:
            scale = np.ones(len(scale))
        squares = np.matmul(block[:, None], block[:, :, None]).ravel()  # rounds less than one running sum
        if centre:
            # A mean is rounded, so a centred row does not sum to zero exactly.
            squares -= block.sum(axis=1) ** 2 / d
        length = np.sqrt(np.maximum(squares, 0))
        lengths[rows] = length / scale
        inverse = 1 / np.where(length > 0, length, 1)
        middle += inverse @ block
        factor[rows] = scale * inverse
    _require_size(largest, x)
    _require_length(lengths / np.where(largest > 0, largest, 1), x, "features", centre=centre)
    return _Rows(x, shift if centre else None, factor, middle / n)


def _euclidean(x: Floats, *, squared: bool) -> Float64:
    """(Squared) distances."""
    largest = max(float(x.max()), -float(x.min()))
    _require_size(np.array([largest]), x)
    # The scale is a power of two, which changes no digit. With it, no square leaves the range of float64.
    scale = np.ldexp(1.0, -int(np.frexp(largest)[1]))
    factor = np.full(len(x), scale)
    middle = sum((factor[rows] @ x[rows] for rows in row_blocks(len(x))), np.zeros(x.shape[1])) / len(x)

    def unscale(strip: Float64) -> None:
        with np.errstate(over="ignore"):
            strip *= 2
            if squared:
                strip /= scale
            else:
                np.sqrt(strip, out=strip)
            strip /= scale

    return _half_squares(_Rows(x, None, factor, middle), unscale, centre=False)


def _by_pairs(x: Floats, metric: str) -> Float64:
    """Distances by scipy, where they are defined for every pair."""
    distributions = metric == "jensenshannon"
    if distributions:
        wrong = np.flatnonzero((x < 0).any(axis=1) | ~(x.sum(axis=1) > 0))
        if wrong.size:
            raise ValueError(
                f"jensenshannon undefined: negative values or no sum (features of shape {x.shape}, "
                f"{rows_in_words(wrong)})"
            )
    distances: Float64 = pdist(np.asarray(x, dtype=np.float64), metric)
    if distributions:
        # rows that are equal up to rounding: the root of a divergence just below zero
        distances = np.nan_to_num(distances)
    undefined = np.isnan(distances).sum()
    if undefined:
        raise ValueError(f"{metric} undefined: 0 / 0 for {undefined} pairs (features of shape {x.shape})")
    return np.asarray(squareform(distances))


def _half_squares(rows: _Rows, finish: Callable[[Float64], None], *, centre: bool) -> Float64:
    """Half of the squared distances of all rows by one product. ``finish`` changes each strip in place.

    |x|^2 / 2 + |y|^2 / 2 - xy loses digits where x and y are nearly the same. Pairs that are close are
    computed from their difference. With ``centre``, the mean of a difference is rounding and is removed.
    """
    n, d = rows.x.shape
    products = upper_products(n, d, rows.prepare)
    halves = np.diagonal(products) / 2

    def transform(at: slice, strip: Float64) -> None:
        _finish_strip(rows, halves, at, strip, centre=centre)
        finish(strip)

    mirror(products, transform)
    return products


def _finish_strip(rows: _Rows, halves: Float64, at: slice, strip: Float64, *, centre: bool) -> None:
    """Make half squared distances of ``strip``, products of the rows ``at`` with all from ``at.start`` on."""
    sums = np.add.outer(halves[at], halves[at.start :])
    np.subtract(sums, strip, out=strip)
    sums *= _CLOSE
    i, j = np.nonzero(np.triu(strip < sums, 1))
    strip[i, j] = _half_squared_differences(rows, i + at.start, j + at.start, centre=centre)
    np.maximum(strip, 0, out=strip)


def _half_squared_differences(rows: _Rows, i: np.ndarray, j: np.ndarray, *, centre: bool) -> Float64:
    squares = np.empty(len(i))
    step = max(1, _DIFFERENCES // rows.x.shape[1])
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        difference = rows.take(i[part])
        difference -= rows.take(j[part])
        if centre:
            difference -= difference.mean(axis=1, keepdims=True)
        squares[part] = np.einsum("ij,ij->i", difference, difference)
    return squares / 2


def _require_size(largest: Floats, x: Floats, name: str = "features") -> None:
    """Raise if a greatest absolute value is so small that float64 has lost digits. Zero is right."""
    if ((largest > 0) & (largest < _SMALLEST)).any():
        raise ValueError(
            f"{name} of shape {x.shape} has rows of values under {_SMALLEST:g}: scale the features up"
        )


def _whitened(features: ArrayLike, metric: str, noise: ArrayLike | None) -> Float64:
    """Mahalanobis and crossnobis, by rsatoolbox."""
    x = np.asarray(features)
    folded = metric == "crossnobis"
    if x.ndim != 2 + folded or 0 in x.shape or x.shape[-2] < 2 or (folded and len(x) < 2):
        expected = "(folds, n, d) with 2 folds or more" if folded else "(n, d)"
        raise ValueError(f"features has shape {x.shape}: {metric} needs {expected} and 2 conditions or more")
    folds, n, d = x.shape if folded else (1, *x.shape)
    flat = as_matrix(x.reshape(folds * n, d), "features").astype(np.float64, copy=False)
    precision = _precision(noise, metric, d)
    # rsatoolbox takes a second to import, and most runs do not need it.
    rsa: Any = import_module("rsatoolbox")
    # Neither metric depends on the mean of a unit. Without it, products keep their digits.
    flat = flat - flat.mean(axis=0)
    labels = {"condition": np.tile(np.arange(n), folds), "fold": np.repeat(np.arange(folds), n)}
    data = rsa.data.Dataset(flat, obs_descriptors=labels)
    cross_validation = {"cv_descriptor": "fold"} if folded else {}
    # rsatoolbox casts a NaN of its own to a whole number, and says nothing where a product overflows.
    with np.errstate(all="ignore"):
        rdms = rsa.rdm.calc_rdm(data, metric, descriptor="condition", noise=precision, **cross_validation)
    matrix: Float64 = rdms.get_matrices()[0]
    if not np.isfinite(matrix).all():
        raise ValueError(
            f"features of shape {x.shape} and noise of shape {precision.shape}: "
            f"{metric} distances are too great for float64"
        )
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
