r"""Dissimilarities that predict an RDM, and their sums over pairs of stimuli.

Feature p alone gives the dissimilarities :math:`d_p(i, j) = (x_{pi} - x_{pj})^2`. An RDM of a layer is
another predictor. The fit needs their sums over pairs, which features give without a list of the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix, as_rdms

#: Numbers that are held at once for dissimilarities of pairs
_HELD = 2**22


@dataclass(frozen=True)
class Moments:
    """Sums over the pairs of some stimuli, of predictors and targets.

    Attributes
    ----------
    pairs : int
        Number of pairs.
    sums : ndarray, shape (f,)
        Of the dissimilarities of each predictor.
    products : ndarray, shape (f, f)
        Of their products.
    shared : ndarray, shape (f, t)
        Of the products of predictors and targets.
    level : ndarray, shape (t,)
        Mean of each target.
    """

    pairs: int
    sums: Float64
    products: Float64
    shared: Float64
    level: Float64


class Dissimilarities(Protocol):
    """Predictors of an RDM, each a dissimilarity of every pair of stimuli."""

    def __len__(self) -> int:
        """Number of stimuli."""

    def moments(self, rows: np.ndarray, targets: Float64) -> Moments:
        """Sums over the pairs of ``rows``; ``targets`` has the shape (t, n, n)."""

    def weighted(self, rows: np.ndarray, weights: Float64) -> Float64:
        """Weighted sums (pairs, t) over the pairs of ``rows``, for ``weights`` (f, t)."""


class FeatureDissimilarities:
    r"""Squared differences of each feature.

    The Gram matrix of all predictors over all pairs of n stimuli is never summed pair by pair. For features
    with mean 0 over these stimuli it is

    .. math:: \sum_{i<j} d_p d_q = n \sum_i x_{pi}^2 x_{qi}^2 + s_p s_q + 2 \Big(\sum_i x_{pi} x_{qi}\Big)^2,
              \qquad s_p = \sum_i x_{pi}^2

    and the products with a target Y are :math:`\sum_i x_{pi}^2 r_i - x_p^\top Y x_p`, with the row sums r.

    Parameters
    ----------
    features : array_like, shape (n, f)
        A row for each stimulus.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import FeatureDissimilarities
    >>> predictors = FeatureDissimilarities([[0.0, 1.0], [1.0, 1.0], [3.0, 0.0]])
    >>> predictors.weighted(np.arange(3), np.array([[1.0], [2.0]])).ravel()  # pairs 0-1, 0-2, 1-2
    array([ 1., 11.,  6.])
    """

    def __init__(self, features: ArrayLike) -> None:
        self._x: Float64 = as_matrix(features, "features").astype(np.float64)

    def __len__(self) -> int:
        """Number of stimuli."""
        return len(self._x)

    def moments(self, rows: np.ndarray, targets: Float64) -> Moments:
        """Sums over the pairs of ``rows``.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
            Some of the stimuli.
        targets : ndarray, shape (t, n, n)
            RDMs of all stimuli.

        Returns
        -------
        Moments
        """
        x = self._x[rows]
        x = x - x.mean(axis=0)
        m, squares = len(x), x * x
        lengths, inner = squares.sum(axis=0), x.T @ x
        products = m * (squares.T @ squares)
        products += np.outer(lengths, lengths)
        products += 2 * inner * inner
        shared, level = np.empty((x.shape[1], len(targets))), np.empty(len(targets))
        for t, whole in enumerate(targets):
            rdm = whole[np.ix_(rows, rows)]
            total = rdm.sum(axis=1)
            shared[:, t] = total @ squares - np.einsum("ip,ip->p", rdm @ x, x)
            level[t] = total.sum() / (m * (m - 1))
        return Moments(m * (m - 1) // 2, m * lengths, products, shared, level)

    def weighted(self, rows: np.ndarray, weights: Float64) -> Float64:
        """Weighted sums over the pairs of ``rows``.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
            Some of the stimuli.
        weights : ndarray, shape (f, t)
            Weights of the features, for each of t sums.

        Returns
        -------
        ndarray, shape (m (m - 1) / 2, t)
            Row by row of the upper triangle.
        """
        x = self._x[rows]
        i, j = np.triu_indices(len(rows), 1)
        found = np.empty((len(i), weights.shape[1]))
        step = max(1, _HELD // x.shape[1])
        for start in range(0, len(i), step):
            some = slice(start, start + step)
            found[some] = np.square(x[i[some]] - x[j[some]]) @ weights
        return found


class RDMDissimilarities:
    """RDMs as predictors: those of the layers of a model, whose weighted sum predicts a target.

    Parameters
    ----------
    rdms : array_like, shape (f, n, n)
        One RDM for each predictor.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import RDMDissimilarities
    >>> first, second = np.ones((3, 3)) - np.eye(3), 2 * (np.ones((3, 3)) - np.eye(3))
    >>> RDMDissimilarities([first, second]).weighted(np.arange(3), np.array([[1.0], [0.5]])).ravel()
    array([2., 2., 2.])
    """

    def __init__(self, rdms: ArrayLike) -> None:
        self._rdms = as_rdms(rdms, "rdms")

    def __len__(self) -> int:
        """Number of stimuli."""
        return int(self._rdms.shape[1])

    def moments(self, rows: np.ndarray, targets: Float64) -> Moments:
        """Sums over the pairs of ``rows`` with ``targets``; see :meth:`FeatureDissimilarities.moments`."""
        x, y = pairs_of(self._rdms, rows), pairs_of(targets, rows)
        return Moments(x.shape[1], x.sum(axis=1), x @ x.T, x @ y.T, y.mean(axis=1))

    def weighted(self, rows: np.ndarray, weights: Float64) -> Float64:
        """Sums over the pairs of ``rows`` with ``weights``; see :meth:`FeatureDissimilarities.weighted`."""
        sums: Float64 = pairs_of(self._rdms, rows).T @ weights
        return sums


def pairs_of(rdms: Float64, rows: np.ndarray) -> Float64:
    """The pairs of ``rows`` in each of ``rdms`` (f, n, n), row by row of the upper triangle: (f, pairs)."""
    i, j = np.triu_indices(len(rows), 1)
    found: Float64 = rdms[:, rows[i], rows[j]]
    return found
