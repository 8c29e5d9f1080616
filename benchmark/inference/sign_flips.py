"""Test curves of several subjects against zero by flipping signs, corrected along the axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from benchmark.inference.permutation import fdr
from benchmark.measures._checks import Float64

#: With fewer subjects no result can be significant at .05: all equal signs have probability 1 / 2^s
FEWEST_SUBJECTS = 5
#: Up to this many subjects every combination of signs is tried
_ALL = 10


@dataclass(frozen=True)
class SignFlipTest:
    """One-sided p-values of a curve, one at each place of its axis.

    Attributes
    ----------
    t : ndarray, shape (t,)
        Student's t of the subjects' values against zero.
    p : ndarray, shape (t,)
        Not corrected: share of sign flips that give as great a t at this place.
    p_fdr : ndarray, shape (t,)
        Corrected over the places for the false discovery rate (Benjamini & Hochberg 1995).
    p_cluster : ndarray, shape (t,)
        p of the cluster that a place belongs to; 1 outside clusters. The greatest mass of each flip is the
        null, so the chance of any false cluster is held. NaN on an axis without order.
    """

    t: Float64
    p: Float64
    p_fdr: Float64
    p_cluster: Float64


def sign_flip_test(
    values: ArrayLike,
    rng: np.random.Generator | int,
    *,
    n: int = 1000,
    threshold: float = 0.05,
    ordered: bool = True,
) -> SignFlipTest:
    """Test whether the mean over subjects is above zero anywhere along an axis.

    If a model has nothing to do with what was measured, each subject's curve is as likely as its mirror
    image. So the signs of whole curves are flipped at random. All combinations of signs are tried for up to
    ten subjects. A cluster is a run of neighbouring places whose t is above the quantile of Student's t at
    ``threshold``, one-sided; its mass is the sum of its t.

    Parameters
    ----------
    values : array_like, shape (s, t)
        One curve per subject, s >= 5. Its subjects must be independent of one another.
    rng : numpy.random.Generator or int
        Source of the flips, or its seed. Not used where all combinations are tried.
    n : int
        Number of flips, the unflipped curves among them.
    threshold : float
        One-sided p at a single place above which clusters form. It decides which effects are found, strong
        and short or weak and long ones, and not how often a false one is.
    ordered : bool
        Whether neighbouring places are near one another. If not, there are no clusters.

    Returns
    -------
    SignFlipTest

    Raises
    ------
    ValueError
        If there are fewer than five subjects, or values are not finite.

    References
    ----------
    Maris & Oostenveld (2007), Journal of Neuroscience Methods 164, 177-190; Nichols & Holmes (2002), Human
    Brain Mapping 15, 1-25.

    Examples
    --------
    Ten subjects, an effect from the fourth to the sixth of eight times.

    >>> import numpy as np
    >>> from benchmark.inference import sign_flip_test
    >>> rng = np.random.default_rng(0)
    >>> curves = rng.normal(size=(10, 8)) + [0, 0, 0, 2, 2, 2, 0, 0]
    >>> sign_flip_test(curves, 0).p_cluster.round(3)
    array([1.   , 1.   , 1.   , 0.001, 0.001, 0.001, 1.   , 0.202])
    """
    curves = np.asarray(values, dtype=np.float64)
    if curves.ndim != 2 or len(curves) < FEWEST_SUBJECTS:
        raise ValueError(
            f"values has shape {curves.shape}: expected (subjects, places), {FEWEST_SUBJECTS} subjects or more"
        )
    if not np.isfinite(curves).all():
        raise ValueError(f"values of shape {curves.shape} has values that are not finite")
    flipped = _student(curves, _signs(len(curves), n, rng))
    # Flips that give the same t up to rounding count as equal
    p = (flipped >= flipped[0] - 1e-9 * np.abs(flipped[0])).mean(axis=0)
    cluster = np.full(curves.shape[1], np.nan)
    if ordered:
        cluster = _cluster_p(flipped, float(student.isf(threshold, len(curves) - 1)))
    return SignFlipTest(flipped[0], p, fdr(p), cluster)


def _signs(subjects: int, n: int, rng: np.random.Generator | int) -> Float64:
    """Signs (n, s) of +1 and -1. The first row flips nothing."""
    if subjects <= _ALL:
        return np.array(list(product((1.0, -1.0), repeat=subjects)))
    signs = np.random.default_rng(rng).choice((1.0, -1.0), size=(n, subjects))
    signs[0] = 1.0
    return signs


def _student(curves: Float64, signs: Float64) -> Float64:
    """Student's t against zero for each row of signs, (n, t). Flips leave the sum of squares as it is."""
    s = len(curves)
    mean = signs @ curves / s
    squares = np.einsum("st,st->t", curves, curves) / s
    error = np.sqrt(np.maximum(squares - mean**2, squares * 1e-12) / (s - 1))
    t: Float64 = np.divide(mean, error, out=np.zeros_like(mean), where=error > 0)
    return t


def _cluster_p(flipped: Float64, above: float) -> Float64:
    """p of each place, from t under each flip (n, t); the first row is that of the curves themselves."""
    n, places = flipped.shape
    # a place that is in no cluster after the last one ends the clusters of a row
    t = np.zeros((n, places + 1))
    t[:, :-1] = np.where(flipped > above, flipped, 0)
    inside = t.ravel() > 0
    edges = np.flatnonzero(np.diff(inside, prepend=False))  # first inside, first outside, first inside, ...
    greatest = np.zeros(n)
    p = np.ones(places)
    if not len(edges):
        return p
    masses = np.add.reduceat(t.ravel(), edges)[::2]
    starts, stops = edges[::2], edges[1::2]
    np.maximum.at(greatest, starts // (places + 1), masses)
    for start, stop, mass in zip(starts, stops, masses, strict=True):
        if start > places:
            break
        p[start:stop] = (greatest >= mass * (1 - 1e-9)).mean()
    return p
