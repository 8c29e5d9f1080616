"""A map of conditions from their distances: classical multidimensional scaling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_rdm


@dataclass(frozen=True)
class ClassicalScaling:
    """A map.

    Attributes
    ----------
    points : ndarray, shape (n, k)
        A point per condition, centred. The first axis has the greatest variance.
    explained : float
        Share of the map in the sum of the positive eigenvalues. With 1 the distances of the points are those
        that were given, if these are Euclidean.
    """

    points: Float64
    explained: float


def classical_mds(distances: ArrayLike, k: int = 2) -> ClassicalScaling:
    r"""Classical multidimensional scaling (principal coordinates).

    The points are :math:`V_k \Lambda_k^{1/2}`, from the greatest eigenvalues and eigenvectors of the
    double-centred squares :math:`-\frac12 H D^2 H`. An axis whose eigenvalue is not positive is zero. Each
    axis has the sign that makes its entry of greatest size positive.

    Parameters
    ----------
    distances : array_like, shape (n, n)
        Symmetric, with a zero diagonal, n >= 3.
    k : int
        Number of axes, at most n.

    Returns
    -------
    ClassicalScaling

    Raises
    ------
    ValueError
        If ``distances`` is no such matrix, or ``k`` is not from 1 to n.

    References
    ----------
    Torgerson (1952), Psychometrika 17, 401-419. Gower (1966), Biometrika 53, 325-338.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import classical_mds, rdm
    >>> corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    >>> found = classical_mds(rdm(corners, "euclidean"))
    >>> rdm(found.points, "euclidean").round(3)
    array([[0., 4., 3.],
           [4., 0., 5.],
           [3., 5., 0.]])
    >>> round(found.explained, 3)
    1.0
    """
    squares = as_rdm(distances, "distances") ** 2
    if not 1 <= k <= len(squares):
        raise ValueError(f"k is {k}: expected 1 to {len(squares)} axes")
    products = -(squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()) / 2
    values, vectors = np.linalg.eigh((products + products.T) / 2)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    points = vectors[:, :k] * np.sqrt(values[:k])
    greatest = np.abs(points).argmax(axis=0)
    points *= np.where(points[greatest, np.arange(k)] < 0, -1, 1)
    total = float(values.sum())
    return ClassicalScaling(points, float(values[:k].sum()) / total if total > 0 else 1.0)


def similarity_map(similarity: ArrayLike, k: int = 2) -> ClassicalScaling:
    r"""Points of which two are the nearer the more alike they are: :math:`d = \sqrt{2 - 2 s}`.

    That is the Euclidean distance of standardised vectors whose correlation is s, divided by the root of
    their length.

    Parameters
    ----------
    similarity : array_like, shape (n, n)
        Correlations, or other symmetric similarities of at most 1, with 1 on the diagonal.
    k : int
        Number of axes, at most n.

    Returns
    -------
    ClassicalScaling

    Raises
    ------
    ValueError
        As :func:`classical_mds`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import rdm, similarity_map
    >>> alike = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])
    >>> rdm(similarity_map(alike).points, "euclidean").round(3)
    array([[0.   , 1.   , 1.414],
           [1.   , 0.   , 1.   ],
           [1.414, 1.   , 0.   ]])
    """
    return classical_mds(np.sqrt(np.maximum(2 - 2 * np.asarray(similarity, dtype=np.float64), 0)), k)
