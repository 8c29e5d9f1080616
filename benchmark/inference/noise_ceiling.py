"""How well the best possible model could do, given how much the subjects differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import standardised
from benchmark.measures._checks import Float64, as_rdms
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import is_constant, upper_triangle


class NoiseCeiling(NamedTuple):
    """Bounds of the score of the true model."""

    lower: float
    upper: float


def noise_ceiling(rdms: ArrayLike, method: str = "spearman") -> NoiseCeiling:
    """Noise ceiling of the mean correlation with the subjects' RDMs.

    Lower: each subject's RDM with the mean of the other subjects'. Upper: with the mean of all, the best that
    any RDM can do. The mean is over ranks for ``spearman`` (and ranked again, as a model's RDM is), over
    z-scored dissimilarities for ``pearson``, over dissimilarities of mean square one for ``cosine``.

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        One RDM a subject, s >= 2.
    method : str
        ``spearman``, ``pearson`` or ``cosine``.

    Returns
    -------
    NoiseCeiling
        A bound is NaN where a mean has no variance.

    Raises
    ------
    ValueError
        If there are fewer than two subjects, an RDM is none, or all its dissimilarities are equal.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553.
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
    """What is averaged: standardised dissimilarities, or their ranks."""
    values = upper_triangle(standardised(subject, method, name))
    return average_ranks(values) if method == "spearman" else values


def _correlation(subject: Float64, mean: Float64, method: str) -> float:
    """Correlation (or cosine) with a mean; for ``spearman`` with the ranks of the mean."""
    # Sums of the same numbers in another order may differ in the last bit: rounding makes them ties again.
    target = np.round(mean, 10)
    if method == "cosine":
        return float(subject @ target / np.sqrt((subject @ subject) * (target @ target)))
    if is_constant(target):
        return float("nan")
    if method == "spearman":
        target = average_ranks(target)
    return float(np.corrcoef(subject, target)[0, 1])
