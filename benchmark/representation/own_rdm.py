"""An RDM made by a user's own function, checked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.common.errors import UsageError

#: Features (k, d) -> dissimilarities (k, k)
Dissimilarity = Callable[[np.ndarray], np.ndarray]

#: What differs by less than this share of the greatest dissimilarity is rounding
_ROUNDING = 1e-6


def own_rdm(features: np.ndarray, function: Dissimilarity) -> np.ndarray:
    """The dissimilarities that ``function`` gives, if they are those of an RDM.

    Parameters
    ----------
    features : ndarray, shape (k, d)
        One row per concept. The function gets a copy, in float64.
    function : callable
        Features (k, d) -> dissimilarities (k, k).

    Returns
    -------
    ndarray, shape (k, k), float64
        Exactly symmetric, with a diagonal of zeros.

    Raises
    ------
    UsageError
        If the answer is no matrix of real numbers of this shape, is not symmetric, or its diagonal is not
        zero.
    ValueError
        If a dissimilarity is not finite: it is undefined for these features.

    Examples
    --------
    >>> import numpy as np
    >>> def manhattan(features):
    ...     return np.abs(features[:, None] - features[None]).sum(axis=2)
    >>> own_rdm(np.array([[0.0, 0.0], [1.0, 2.0]]), manhattan)
    array([[0., 3.],
           [3., 0.]])
    """
    name = f"metric {getattr(function, '__name__', type(function).__name__)!r}"
    given = np.asarray(function(np.array(features, dtype=np.float64)))
    k = len(features)
    if given.shape != (k, k):
        raise UsageError(f"{name}: gives shape {given.shape} for {k} concepts: return ({k}, {k})")
    if given.dtype.kind not in "fiu":
        raise UsageError(f"{name}: gives values of type {given.dtype}: return real numbers")
    answer = given.astype(np.float64)
    undefined = int(np.count_nonzero(~np.isfinite(answer)))
    if undefined:
        raise ValueError(f"{name}: not finite for {undefined} of {k * k} entries")
    limit = _ROUNDING * np.abs(answer).max(initial=0.0)
    if np.abs(answer.diagonal()).max(initial=0.0) > limit:
        raise UsageError(
            f"{name}: a concept differs from itself by up to {np.abs(answer.diagonal()).max():.3g}: "
            "return dissimilarities, with zeros on the diagonal"
        )
    gaps = np.abs(answer - answer.T)
    if gaps.max(initial=0.0) > limit:
        i, j = np.unravel_index(np.argmax(gaps), gaps.shape)
        raise UsageError(
            f"{name}: not symmetric: {answer[i, j]:.6g} from row {i} to row {j}, {answer[j, i]:.6g} back"
        )
    symmetric: np.ndarray = (answer + answer.T) / 2
    np.fill_diagonal(symmetric, 0.0)
    return symmetric
