"""Banded ridge: two sets of features, each with a penalty of its own for every channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures.ridge import SHARES, HeldOutFits, HeldOutRidge

#: Share of the first band in the features: 0 and 1 are one band alone, and between them its odds rise from
#: 1 : 100 to 100 : 1
MIXES = np.concatenate([[0.0], 1 / (1 + 10.0 ** np.arange(2.0, -3.0, -1.0)), [1.0]])
#: Of two fits with the same error up to this share of it, the first stays
_SAME = 1e-9


@dataclass(frozen=True)
class BandedPredictions:
    """Predictions of held-out rows by :func:`banded_ridge`, (n, c) each.

    Attributes
    ----------
    both : ndarray
        From both bands.
    first, second : ndarray
        From one band alone.
    mixes : ndarray, shape (f, c)
        The share of the first band that each fold chose for each channel.
    """

    both: Float64
    first: Float64
    second: Float64
    mixes: Float64


def banded_ridge(
    first: ArrayLike,
    second: ArrayLike,
    responses: ArrayLike,
    folds: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    shares: ArrayLike = SHARES,
    mixes: ArrayLike = MIXES,
) -> BandedPredictions:
    r"""Predict every row from two bands of features, and from each alone, with penalties a channel.

    For each channel the coefficients minimise
    :math:`\|y - X_1 w_1 - X_2 w_2\|^2 + \alpha_1 \|w_1\|^2 + \alpha_2 \|w_2\|^2`. A penalty a band is a
    weight of its kernel: :math:`K = \gamma K_1 + (1 - \gamma) K_2` with one penalty, where both kernels have
    the same trace. So for each :math:`\gamma` of a grid one decomposition a fold serves all channels and
    penalties, and the leave-one-out error on the training rows chooses :math:`\gamma` and the penalty.
    :math:`\gamma = 0` and 1 are in the grid: a band that does not help is left out, and the fits of one band
    alone come with the search.

    Parameters
    ----------
    first, second : array_like, shape (n, d) and (n, e)
        The two bands. Each is scaled to a sum of squares of one.
    responses : array_like, shape (n, c)
        The measurements of each channel.
    folds : array_like, shape (n,)
        The fold in which each row is held out.
    groups : array_like, shape (n,), optional
        As for :func:`benchmark.measures.ridge_predictions`.
    shares : array_like, shape (a,)
        Penalties to choose from, as for :func:`benchmark.measures.cross_validated_ridge`.
    mixes : array_like, shape (g,)
        Shares of the first band to choose from, rising from 0 to 1. Of those with the same error the first
        is taken.

    Returns
    -------
    BandedPredictions

    Raises
    ------
    ValueError
        As :class:`benchmark.measures.HeldOutRidge`; or if a band is constant, or the mixes do not rise from 0
        to 1.

    References
    ----------
    Nunez-Elizalde, Huth & Gallant (2019), NeuroImage 197, 482-492; Dupré la Tour, Eickenberg, Nunez-Elizalde
    & Gallant (2022), NeuroImage 264, 119728.

    Examples
    --------
    The first channel follows the first band, the second channel follows both.

    >>> import numpy as np
    >>> from benchmark.measures import banded_ridge
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 90, 4))
    >>> measured = np.column_stack([a[:, 0], a[:, 0] + b[:, 0]]) + 0.1 * rng.normal(size=(90, 2))
    >>> found = banded_ridge(a, b, measured, np.arange(90) % 3)
    >>> residuals = [(measured - predicted)[:, 1] for predicted in (found.both, found.first)]
    >>> [float((1 - left.var() / measured[:, 1].var()).round(1)) for left in residuals]
    [1.0, 0.5]
    >>> found.mixes.mean(axis=0).round(1)
    array([1. , 0.7])
    """
    return BandedRidge(second, responses, folds, groups, shares).beside(first, mixes)


class BandedRidge:
    """The second band of :func:`banded_ridge` with its fits, kept for any number of first bands.

    Parameters
    ----------
    second : array_like, shape (n, e)
        The second band.
    responses : array_like, shape (n, c)
        The measurements of each channel.
    folds : array_like, shape (n,)
        The fold in which each row is held out.
    groups : array_like, shape (n,), optional
        As for :func:`benchmark.measures.ridge_predictions`.
    shares : array_like, shape (a,)
        Penalties to choose from, as for :func:`benchmark.measures.cross_validated_ridge`.

    Attributes
    ----------
    responses : ndarray, shape (n, c)

    Raises
    ------
    ValueError
        As :func:`banded_ridge`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import BandedRidge
    >>> a, b, c, noise = np.random.default_rng(0).normal(size=(4, 90, 2))
    >>> fits = BandedRidge(a, a + b + noise / 10, np.arange(90) % 3)
    >>> [float(np.std(a + b - fits.beside(first).both).round(1)) for first in (b, c)]
    [0.0, 1.1]
    """

    def __init__(
        self,
        second: ArrayLike,
        responses: ArrayLike,
        folds: ArrayLike,
        groups: ArrayLike | None = None,
        shares: ArrayLike = SHARES,
    ) -> None:
        self._second = _band(second, "second")
        self.responses = np.asarray(responses, dtype=np.float64)
        self._folds, self._groups, self._shares = np.asarray(folds), groups, shares
        self._alone = self._fits(self._second)

    def beside(self, first: ArrayLike, mixes: ArrayLike = MIXES) -> BandedPredictions:
        """Predict every row from ``first`` and the second band, and from each alone.

        Parameters
        ----------
        first : array_like, shape (n, d)
            The first band.
        mixes : array_like, shape (g,)
            As for :func:`banded_ridge`.

        Returns
        -------
        BandedPredictions

        Raises
        ------
        ValueError
            As :func:`banded_ridge`.
        """
        grid = np.asarray(mixes, dtype=np.float64)
        if grid.ndim != 1 or len(grid) < 2 or grid[0] != 0 or grid[-1] != 1 or (np.diff(grid) <= 0).any():
            raise ValueError(f"mixes is {grid}: expected shares that rise from 0 to 1")
        one = _band(first, "first")
        if len(one) != len(self._second):
            raise ValueError(f"first has {len(one)} rows and second {len(self._second)}: expected the same")
        places = np.unique(self._folds, return_inverse=True)[1]
        fits = self._alone
        best, errors, chosen = fits.predicted.copy(), fits.errors, np.zeros(fits.errors.shape)
        for mix in grid[1:]:
            other = [np.sqrt(1 - mix) * self._second] if mix < 1 else []
            fits = self._fits(np.hstack([np.sqrt(mix) * one, *other]))
            better = fits.errors < errors * (1 - _SAME)
            errors = np.where(better, fits.errors, errors)
            chosen[better] = mix
            best = np.where(better[places], fits.predicted, best)
        return BandedPredictions(best, fits.predicted, self._alone.predicted, chosen)

    def _fits(self, features: Float64) -> HeldOutFits:
        return HeldOutRidge(features, self._folds, self._groups).fits(self.responses, self._shares)


def _band(values: ArrayLike, name: str) -> Float64:
    """A band with a sum of squares of one, in n columns at most, with the same inner products of rows."""
    x = as_matrix(values, name).astype(np.float64)
    x -= x.mean(axis=0)
    if x.shape[1] > len(x):
        spectrum, vectors = np.linalg.eigh(x @ x.T)
        x = vectors * np.sqrt(np.maximum(spectrum, 0))
    size = np.linalg.norm(x)
    if not size > 0:
        raise ValueError(f"{name} has constant features: every feature is the same in all rows")
    banded: Float64 = x / size
    return banded
