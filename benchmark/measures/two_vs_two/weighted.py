"""2 vs 2 with weights on the pairs of concepts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform

from benchmark.measures._checks import TIE, Float64, Floats, as_matrix
from benchmark.measures.rdm import unit_rows

#: If the weights leave less than this of the length of a row, it is constant up to rounding
_CONSTANT = 1e-12


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
    y : array_like, shape (k, q)
        Features of the same concepts, in the same order, in the other space.

    Returns
    -------
    callable
        Weights of the pairs, row by row of the upper triangle (k (k - 1) / 2,), not negative -> accuracy. NaN
        where no pair with weight is defined. Greater is better; chance is .5.

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
    a, b = as_matrix(x, "x"), as_matrix(y, "y")
    if len(a) != len(b) or len(a) < 5:
        raise ValueError(f"x and y have shapes {a.shape} and {b.shape}: expected the same k >= 5 concepts")
    # Without its diagonal, a row of correlations has nothing in its own column to leave out.
    words, model = (_correlations(features, name) for features, name in ((a, "x"), (b, "y")))
    squares, model_squares = words**2, model**2

    def accuracy(weights: Float64) -> float:
        w = squareform(np.asarray(weights, dtype=np.float64))
        wm, wm2 = w * model, w * model_squares
        count, total, square = (m.sum(axis=1) for m in (w, wm, wm2))
        # At [i, j] of each: row i of x over the columns as row j of y weighs them.
        sums, word_squares, products = words @ w, squares @ w, words @ wm
        crossed = _correlation(count - w, sums, word_squares, total - wm, square - wm2, products)
        own = [np.diagonal(m)[:, None] for m in (sums, word_squares, products)]
        matched = _correlation(
            count[:, None] - w,
            own[0] - w * words,
            own[1] - w * squares,
            total[:, None] - wm,
            square[:, None] - wm2,
            own[2] - wm * words,
        )
        margins = matched - crossed
        margins += margins.T
        upper = ~np.isnan(margins) & (w > 0)
        margins, used = margins[upper], w[upper]
        passed = np.where(np.abs(margins) <= TIE, 0.5, margins > 0)
        return float(passed @ used / used.sum()) if len(used) else float("nan")

    return accuracy


def _correlations(features: Floats, name: str) -> Float64:
    """Correlations (k, k) of the rows, with a diagonal of zero."""
    unit = unit_rows(features.astype(np.float64), name, centre=True)
    correlations = np.asarray(unit @ unit.T, dtype=np.float64)
    np.fill_diagonal(correlations, 0)
    return correlations


def _correlation(
    n: Float64, sum_x: Float64, square_x: Float64, sum_y: Float64, square_y: Float64, product: Float64
) -> Float64:
    """Correlation from weighted sums over n columns. NaN where a side is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = sum_x / n, sum_y / n
        variance = (square_x - mean_x * sum_x) * (square_y - mean_y * sum_y)
        correlation: Float64 = (product - mean_x * sum_y) / np.sqrt(
            np.where(variance > _CONSTANT**2, variance, np.nan)
        )
    return correlation
