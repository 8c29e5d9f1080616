"""The noise ceiling: the best score that a model can reach, given the differences between subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import standardised
from benchmark.measures._checks import Float64, as_rdms
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import upper_triangle

#: Subjects that cancel leave a mean of rounding. A subject's own values have a spread of one or more
_NO_SPREAD = 1e-10


class NoiseCeiling(NamedTuple):
    """Lower and upper bound of the score of the true model."""

    lower: float
    upper: float


def noise_ceiling(rdms: ArrayLike, method: str = "spearman") -> NoiseCeiling:
    """Noise ceiling of the mean correlation with the subjects' RDMs.

    The lower bound correlates each subject's RDM with the mean of the other subjects'. The upper bound uses
    the mean of all subjects, the best that any RDM can do. For ``spearman`` the mean is over ranks, and it is
    ranked again as a model's RDM is. For ``pearson`` it is over z-scored dissimilarities, for ``cosine`` over
    dissimilarities of mean square one.

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        One RDM per subject, s >= 2.
    method : str
        ``spearman``, ``pearson`` or ``cosine``.

    Returns
    -------
    NoiseCeiling
        The bounds ``lower`` and ``upper``. A bound is NaN where a mean has no variance.

    Raises
    ------
    ValueError
        If there are fewer than two subjects, an argument is not an RDM, or all dissimilarities of an RDM are
        equal.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553.

    Examples
    --------
    Four subjects see the same geometry, each with noise of their own.

    >>> import numpy as np
    >>> from benchmark.inference import noise_ceiling
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(10, 20))
    >>> subjects = np.stack([rdm(truth + 0.5 * rng.normal(size=truth.shape)) for _ in range(4)])
    >>> lower, upper = noise_ceiling(subjects)
    >>> round(lower, 2), round(upper, 2)
    (0.64, 0.81)
    """
    subjects = as_rdms(rdms, "rdms")
    if len(subjects) < 2:
        raise ValueError(f"rdms has shape {subjects.shape}: a noise ceiling needs at least 2 subjects")
    values = np.array([_values(subject, method, f"rdms[{i}]") for i, subject in enumerate(subjects)])
    total = values.sum(axis=0)
    lower = [_correlation(subject, (total - subject) / (len(values) - 1), method) for subject in values]
    upper = [_correlation(subject, total / len(values), method) for subject in values]
    return NoiseCeiling(float(np.mean(lower)), float(np.mean(upper)))


def _values(subject: Float64, method: str, name: str) -> Float64:
    """The values that are averaged: standardised dissimilarities, or their ranks."""
    values = upper_triangle(standardised(subject, method, name))
    return average_ranks(values) if method == "spearman" else values


def _correlation(subject: Float64, mean: Float64, method: str) -> float:
    """Correlation (or cosine) with a mean. For ``spearman`` the mean is ranked first."""
    if method == "cosine":
        return float(subject @ mean / np.sqrt((subject @ subject) * (mean @ mean)))
    if np.ptp(mean) <= _NO_SPREAD:
        return float("nan")
    target = average_ranks(mean) if method == "spearman" else mean
    return float(np.corrcoef(subject, target)[0, 1])
