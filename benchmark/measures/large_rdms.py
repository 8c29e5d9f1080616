"""RDM correlation of spaces with tens of thousands of conditions: no square RDM is ever in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures.compare import linear_unit, ranked_unit, require_varied
from benchmark.measures.rdm import angular_triangle

_PREPARE = {"pearson": linear_unit, "spearman": ranked_unit}


def compare_spaces(
    x: ArrayLike, y: ArrayLike, method: str = "spearman", metric: str = "correlation"
) -> float:
    """RDM correlation of two spaces: ``compare_rdms(rdm(x), rdm(y))`` for very many conditions.

    Dissimilarities are computed in strips of rows, and only upper triangles are kept. With n = 26,107, two
    square RDMs and their triangles would take 16 GiB before anything is ranked.

    Parameters
    ----------
    x, y : array_like, shape (n, d) and (n, e)
        Features of the same conditions in the same order, n >= 3.
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
        If a name is not known, the numbers of conditions differ, there are fewer than three, or the
        dissimilarities of a space are undefined or all equal.

    Notes
    -----
    Memory beside the features, of which a copy in float64 is made: 16 bytes a pair for ``pearson`` and at
    most 48 for ``spearman``.

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
    if method not in _PREPARE:
        raise ValueError(f"method is {method!r}: expected one of {', '.join(_PREPARE)}")
    if metric not in ("correlation", "cosine"):
        raise ValueError(f"metric is {metric!r}: expected correlation or cosine")
    spaces = [as_matrix(x, "x"), as_matrix(y, "y")]
    shapes = " and ".join(str(space.shape) for space in spaces)
    if len(spaces[0]) != len(spaces[1]) or len(spaces[0]) < 3:
        raise ValueError(f"x and y have shapes {shapes}: expected the same conditions in both, at least 3")

    def prepared(space: np.ndarray, name: str) -> Float64:
        values = angular_triangle(space, centre=metric == "correlation")
        require_varied(values, f"{name} of shape {space.shape} has dissimilarities", method)
        return _PREPARE[method](values, method)

    left, right = (prepared(space, name) for space, name in zip(spaces, "xy", strict=True))
    return min(max(float(left @ right), -1.0), 1.0)
