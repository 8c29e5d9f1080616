"""2 vs 2 with weights on the pairs of concepts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import TIE, Float64, Floats, as_matrix
from benchmark.measures.rdm import unit_rows

#: If the weights leave a sum of squares below this in a row of correlations, the row is constant
_CONSTANT = 1e-13


def weighted_two_vs_two(x: ArrayLike, y: ArrayLike) -> Callable[[Float64], float]:
    """2 vs 2 accuracy as a function of the weights of the pairs of concepts.

    The weight of a pair (a, c) is the weight of its outcome in the mean, and the weight of column c where row
    a of ``y`` is correlated with a row of ``x``. So a pair without weight is left out everywhere, and so is a
    concept whose pairs have no weight. With all weights one the value is that of
    :func:`benchmark.measures.two_vs_two`.

    Parameters
    ----------
    x : array_like, shape (k, p)
        Features of k concepts, k >= 5.
    y : array_like, shape (k, q) or (g, k, q)
        Features of the same concepts, in the same order, in the other space; or g sets of them.

    Returns
    -------
    callable
        Weights of the pairs, row by row of the upper triangle (k (k - 1) / 2,), not negative -> accuracy, the
        mean over the sets. NaN where no pair with weight is defined. Greater is better; chance is .5.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a row of features is constant.

    Examples
    --------
    Without the last concept.

    >>> import numpy as np
    >>> from benchmark.measures import two_vs_two, weighted_two_vs_two
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(10, 20))
    >>> images = words @ rng.normal(size=(20, 30)) + 6 * rng.normal(size=(10, 30))
    >>> kept = np.arange(10) < 9
    >>> weights = np.outer(kept, kept)[np.triu_indices(10, 1)]
    >>> round(weighted_two_vs_two(words, images)(weights), 3)
    0.944
    >>> round(two_vs_two(words[:9], images[:9]).accuracy, 3)
    0.944
    """
    groups = np.asarray(y)
    groups = groups[None] if groups.ndim == 2 else groups
    a, bs = as_matrix(x, "x"), [as_matrix(group, "y") for group in groups]
    k = len(a)
    if not bs or len(bs[0]) != k or k < 5:
        raise ValueError(
            f"x and y have shapes {a.shape} and {np.shape(y)}: expected the same k >= 5 concepts"
        )
    # Without its diagonal, a row of correlations has nothing in its own column to leave out.
    words, models = _correlations(a, "x"), np.array([_correlations(b, "y") for b in bs])
    squares, model_squares = words**2, models**2
    upper = np.triu_indices(k, 1)

    def accuracy(weights: Float64) -> float:
        w = np.zeros((k, k))
        w[upper] = weights
        w += w.T
        wm, wm2 = w * models, w * model_squares
        # At [i, j] of each: sums over the columns of row j of y, as they weigh, without column i.
        count, total = w.sum(axis=1) - w, wm.sum(axis=2)[:, None, :] - wm
        length = _length(count, total, wm2.sum(axis=2)[:, None, :] - wm2)
        sums, word_squares, products = words @ w, squares @ w, words @ wm
        own = np.diagonal(products, axis1=1, axis2=2)[:, None, :] - wm * words
        own_sums, own_squares = np.diagonal(sums) - w * words, np.diagonal(word_squares) - w * squares
        with np.errstate(invalid="ignore", divide="ignore"):
            # row j of x with row j of y, less row i of x with row j of y
            matched = (own - own_sums / count * total) / _length(count, own_sums, own_squares)
            crossed = (products - sums / count * total) / _length(count, sums, word_squares)
            half = (matched - crossed) / length
        margins = (half + half.transpose(0, 2, 1))[:, upper[0], upper[1]]
        used = np.where(np.isnan(margins), 0, weights)
        passed = np.where(np.abs(margins) <= TIE, 0.5, margins > 0)
        with np.errstate(invalid="ignore"):
            return float(np.mean((passed * used).sum(axis=1) / used.sum(axis=1)))

    return accuracy


def _correlations(features: Floats, name: str) -> Float64:
    """Correlations (k, k) of the rows, with a diagonal of zero."""
    unit = unit_rows(features.astype(np.float64), name, centre=True)
    correlations = np.asarray(unit @ unit.T, dtype=np.float64)
    np.fill_diagonal(correlations, 0)
    return correlations


def _length(n: Float64, total: Float64, square: Float64) -> Float64:
    """Square root of the weighted sum of squares about the mean. NaN where it is rounding."""
    with np.errstate(invalid="ignore", divide="ignore"):
        about_mean = square - total**2 / n
        length: Float64 = np.sqrt(np.where(about_mean > _CONSTANT, about_mean, np.nan))
    return length
