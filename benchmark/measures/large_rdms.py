"""RDM correlation of spaces with tens of thousands of conditions: no square RDM is ever in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures._ranks import doubled_ranks
from benchmark.measures.compare import linear_unit, require_varied
from benchmark.measures.rdm import angular_triangle

#: Pairs whose ranks are multiplied at once
_PAIRS = 2**20
#: Ranks of more conditions do not fit 32 bits
_MOST = 65_536


def compare_spaces(
    x: ArrayLike, y: ArrayLike, method: str = "spearman", metric: str = "correlation"
) -> float:
    """RDM correlation of two spaces: ``compare_rdms(rdm(x), rdm(y))`` for very many conditions.

    Dissimilarities are computed in strips of rows, and only upper triangles are kept. With n = 26,107, two
    square RDMs and their triangles would take 16 GiB before anything is ranked.

    Parameters
    ----------
    x, y : array_like, shape (n, d) and (n, e)
        Features of the same conditions in the same order, n >= 3; for ``spearman`` at most 65,536.
    method : {"spearman", "pearson"}
        As for :func:`compare_rdms`, with the same rule for ties.
    metric : {"correlation", "cosine"}
        Dissimilarity of two rows, as for :func:`rdm`.

    Returns
    -------
    float
        In [-1, 1]; greater is more alike.

    Raises
    ------
    ValueError
        If a name is not known, the numbers of conditions differ, there are fewer than three or too many, or
        the dissimilarities of a space are undefined or all equal.

    Notes
    -----
    Memory beside the features, of which a copy in float64 is made: 16 bytes a pair. Ranks are made part by
    part and kept as whole numbers of 32 bits; nothing is rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import compare_rdms, compare_spaces, rdm
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(40, 6))
    >>> y = x @ rng.normal(size=(6, 5))
    >>> round(compare_spaces(x, y), 6) == round(compare_rdms(rdm(x), rdm(y)), 6)
    True
    """
    if method not in ("spearman", "pearson"):
        raise ValueError(f"method is {method!r}: expected one of pearson, spearman")
    if metric not in ("correlation", "cosine"):
        raise ValueError(f"metric is {metric!r}: expected correlation or cosine")
    spaces = [as_matrix(x, "x"), as_matrix(y, "y")]
    shapes = " and ".join(str(space.shape) for space in spaces)
    if len(spaces[0]) != len(spaces[1]) or len(spaces[0]) < 3:
        raise ValueError(f"x and y have shapes {shapes}: expected the same conditions in both, at least 3")

    if method == "spearman" and len(spaces[0]) > _MOST:
        raise ValueError(f"x and y have shapes {shapes}: spearman takes at most {_MOST:,} conditions")

    def dissimilarities(space: np.ndarray, name: str) -> Float64:
        values = angular_triangle(space, centre=metric == "correlation")
        require_varied(values, f"{name} of shape {space.shape} has dissimilarities", method)
        return values

    named = list(zip(spaces, "xy", strict=True))
    if method == "pearson":
        left, right = (linear_unit(dissimilarities(*space), method) for space in named)
        correlation = float(left @ right)
    else:
        correlation = _spearman(*(doubled_ranks(dissimilarities(*space)) for space in named))
    return min(max(correlation, -1.0), 1.0)


def _spearman(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> float:
    """Correlation of ranks, each given as twice itself."""
    mean = len(x) + 1.0
    products = np.zeros(3)
    for at in blocks(len(x), _PAIRS):
        a, b = x[at] - mean, y[at] - mean
        products += a @ b, a @ a, b @ b
    return float(products[0] / np.sqrt(products[1] * products[2]))
