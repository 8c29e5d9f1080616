"""The human RDM of THINGS: how often people keep a pair together in the odd-one-out task."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix

#: Greatest spread of dot products. Up to it, exponentials and their sums keep full precision in float64
_SPREAD = 600.0
#: Rows of a block. With 1,854 columns, a block stays in the cache
_BLOCK = 64


def spose_rdm(embedding: ArrayLike) -> Float64:
    r"""One minus the probability that two objects are kept together, over all third objects.

    .. math::
        d_{ij} = 1 - \frac{1}{n - 2} \sum_{k \ne i, j}
                 \frac{e^{s_{ij}}}{e^{s_{ij}} + e^{s_{ik}} + e^{s_{jk}}}, \qquad s_{ij} = x_i \cdot x_j

    The sum runs over all third objects; nothing is sampled. The RDM is invariant to rotation of the
    embedding, but not to its scale. Time is :math:`O(n^3)` (seconds at n = 1,854), memory :math:`O(n^2)`.

    Parameters
    ----------
    embedding : array_like, shape (n, d)
        A SPoSE embedding, one row per object, n >= 3.

    Returns
    -------
    ndarray, shape (n, n), float64
        Symmetric, zero diagonal, within [0, 1]. Greater is less alike; chance is 2/3.

    Raises
    ------
    ValueError
        If there are fewer than three objects, a value is not finite, or dot products differ by more than 600.

    References
    ----------
    Hebart, Zheng, Pereira & Baker (2020), Nature Human Behaviour 4, 1173-1185.

    Examples
    --------
    Two animals and a tool. The animals are kept together most often, so their dissimilarity is least.

    >>> from benchmark.measures import spose_rdm
    >>> spose_rdm([[2, 0], [2, 0], [0, 1]]).round(3)
    array([[0.   , 0.035, 0.982],
           [0.035, 0.   , 0.982],
           [0.982, 0.982, 0.   ]])
    """
    x = as_matrix(embedding, "embedding").astype(np.float64)
    n = len(x)
    if n < 3:
        raise ValueError(f"embedding has shape {x.shape}: at least 3 objects are needed")
    similarity = x @ x.T
    pairs = similarity[~np.eye(n, dtype=bool)]
    if pairs.max() - pairs.min() > _SPREAD:
        raise ValueError(
            f"embedding of shape {x.shape} has dot products from {pairs.min():.3g} to {pairs.max():.3g}: "
            f"expected a spread of at most {_SPREAD:g}"
        )
    # Adding the same number to every similarity does not change the choice probabilities.
    np.fill_diagonal(similarity, -np.inf)
    strength = np.exp(similarity - (pairs.max() + pairs.min()) / 2)
    # An infinite diagonal removes the third objects k = i and k = j from the sum: 1 / inf = 0.
    np.fill_diagonal(strength, np.inf)
    distances = np.zeros((n, n))
    for i in range(n - 1):
        for start in range(i + 1, n, _BLOCK):
            rows = slice(start, min(start + _BLOCK, n))
            total = strength[rows] + strength[i]
            total += strength[i, rows, None]
            np.divide(1, total, out=total)
            distances[i, rows] = 1 - strength[i, rows] * total.sum(axis=1) / (n - 2)
    return distances + distances.T
