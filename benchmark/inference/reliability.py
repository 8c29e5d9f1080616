"""Reliability of measured channels from their repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64

#: Random halves of the repeats over which the reliability is averaged
SPLITS = 100
#: Bootstrap samples of the stimuli for its interval
DRAWS = 200
#: Numbers that are held at once for a block of channels
_HELD = 2**23


@dataclass(frozen=True)
class Reliability:
    """Split-half reliability of each channel.

    Attributes
    ----------
    value : ndarray, shape (c,)
        Reliability of the mean over all repeats, at most 1. Noise alone has 0 on average, and may be below.
        NaN where fewer than three stimuli have two repeats, or a half does not vary.
    low, high : ndarray, shape (c,)
        95 % interval of the bootstrap over stimuli.
    """

    value: Float64
    low: Float64
    high: Float64

    @property
    def ceiling(self) -> Float64:
        """The correlation of the measured mean with a prediction without any error, shape (c,).

        It is the square root of the reliability; NaN where that is not above 0.
        """
        ceiling: Float64 = np.sqrt(np.where(self.value > 0, self.value, np.nan))
        return ceiling


def split_half_reliability(repeats: ArrayLike, rng: np.random.Generator | int) -> Reliability:
    r"""Reliability of the mean response of each channel, by split halves with the Spearman-Brown correction.

    The repeats of each stimulus are halved at random, the same halves for all channels. With r the
    correlation over stimuli of the means of the two halves, the mean over all repeats has the reliability
    :math:`2 r / (1 + r)` (Spearman 1910; Brown 1910). It is averaged over :data:`SPLITS` random halves. Where
    a stimulus has an odd number of repeats, one half has one more. The correction is for equal halves: with
    three repeats of signal and noise of the same variance it tends to 0.73, where the reliability is 0.75.

    Parameters
    ----------
    repeats : array_like, shape (n, c, r)
        Response to each stimulus in each channel at each repeat; NaN where a repeat is missing. A stimulus
        with one repeat in a channel takes no part for it.
    rng : numpy.random.Generator or int
        Source of the halves and of the bootstrap samples, or its seed.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If ``repeats`` has another number of dimensions, or one repeat.

    References
    ----------
    Spearman (1910), British Journal of Psychology 3, 271-295; Brown (1910), ibid. 296-322.

    Examples
    --------
    Signal and noise of the same variance, in ten repeats: the reliability is 10 / 11.

    >>> import numpy as np
    >>> from benchmark.inference import split_half_reliability
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=(500, 1, 1))
    >>> found = split_half_reliability(signal + rng.normal(size=(500, 1, 10)), rng=0)
    >>> found.value.round(2), found.ceiling.round(2)
    (array([0.91]), array([0.96]))
    """
    values = np.asarray(repeats, dtype=np.float64)
    if values.ndim != 3 or values.shape[2] < 2:
        raise ValueError(f"repeats has shape {values.shape}: expected (stimuli, channels, repeats >= 2)")
    n, c, r = values.shape
    generator = np.random.default_rng(rng)
    keys = generator.random((SPLITS + DRAWS, n, 1, r))
    weights = np.ones((SPLITS + DRAWS, n))
    weights[SPLITS:] = generator.multinomial(n, np.full(n, 1 / n), size=DRAWS)
    found = np.empty((SPLITS + DRAWS, c))
    step = max(1, _HELD // (n * r))
    for start in range(0, c, step):
        some = slice(start, start + step)
        halves = _Halves(values[:, some])
        for i, (key, weight) in enumerate(zip(keys, weights, strict=True)):
            found[i, some] = halves.reliability(key, weight)
    value, draws = found[:SPLITS].mean(axis=0), found[SPLITS:]
    low, high = np.full((2, c), np.nan)
    known = ~np.isnan(draws).any(axis=0)
    low[known], high[known] = np.percentile(draws[:, known], [2.5, 97.5], axis=0)
    return Reliability(value, low, high)


class _Halves:
    """Repeats (n, c, r) of a block of channels."""

    def __init__(self, values: Float64) -> None:
        measured = ~np.isnan(values)
        self._filled = np.where(measured, values, 0.0)
        self._total = self._filled.sum(axis=2)
        # where all channels miss the same repeats, one set of halves serves all
        same = (measured == measured[:, :1]).all()
        self._measured = measured[:, :1] if same else measured
        self._count = self._measured.sum(axis=2)

    def reliability(self, key: Float64, weight: Float64) -> Float64:
        """Reliability (c,) with the halves that random numbers ``key`` (n, 1, r) give."""
        ranks = np.where(self._measured, key, np.inf).argsort(axis=2).argsort(axis=2)
        first = self._measured & (ranks % 2 == 0)
        size = first.sum(axis=2)
        whole = size < self._count  # the second half is not empty
        one = (self._filled * first).sum(axis=2)
        a = one / np.maximum(size, 1)
        b = (self._total - one) / np.maximum(self._count - size, 1)
        w = weight[:, None] * whole
        r = _correlation(a, b, np.broadcast_to(w, a.shape))
        with np.errstate(invalid="ignore", divide="ignore"):
            corrected: Float64 = 2 * r / (1 + r)
        return corrected


def _correlation(a: Float64, b: Float64, w: Float64) -> Float64:
    """Weighted correlation of columns; NaN with fewer than three rows, or no variance."""
    total = w.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        a = a - (w * a).sum(axis=0) / total
        b = b - (w * b).sum(axis=0) / total
        norm = np.sqrt((w * a * a).sum(axis=0) * (w * b * b).sum(axis=0))
        r: Float64 = (w * a * b).sum(axis=0) / norm
    r[((w > 0).sum(axis=0) < 3) | (norm == 0)] = np.nan
    return r
