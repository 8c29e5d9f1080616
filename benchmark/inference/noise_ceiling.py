"""The noise ceiling: the best score that a model can reach, given the differences between subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.inference._pairs import Used, standardised
from benchmark.measures._checks import FEWEST_PAIRS, Float64, as_rdms
from benchmark.measures._ranks import average_ranks
from benchmark.measures.compare import upper_triangle

#: Subjects that cancel leave a mean of rounding. A subject's own values have a spread of one or more
_NO_SPREAD = 1e-10


class NoiseCeiling(NamedTuple):
    """Lower and upper bound of the score of the true model."""

    lower: float
    upper: float


class SubjectCeilings(NamedTuple):
    """Correlation of each subject with the mean of the others, and of all; each (s,).

    Attributes
    ----------
    lower, upper : ndarray, shape (s,)
    missing : bool
        Whether pairs are missing. Then a subject without a correlation is left out of the mean.
    """

    lower: Float64
    upper: Float64
    missing: bool = False

    def mean(self) -> NoiseCeiling:
        """The mean over subjects, which is :func:`noise_ceiling`."""
        if self.missing:
            return NoiseCeiling(_mean_defined(self.lower), _mean_defined(self.upper))
        return NoiseCeiling(float(self.lower.mean()), float(self.upper.mean()))


def noise_ceiling(rdms: ArrayLike, method: str = "spearman") -> NoiseCeiling:
    """Noise ceiling of the mean correlation with the subjects' RDMs.

    The lower bound correlates each subject's RDM with the mean of the other subjects'. The upper bound uses
    the mean of all subjects, the best that any RDM can do. For ``spearman`` the mean is over ranks, and it is
    ranked again as a model's RDM is. For ``pearson`` it is over z-scored dissimilarities, for ``cosine`` over
    dissimilarities of mean square one.

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        One RDM per subject, s >= 2. Pairs may be NaN (below).
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

    Notes
    -----
    Where pairs are missing, a pair's mean is over the subjects that have it. Ranks and z-scores are among a
    subject's own pairs; a rank r among k pairs counts as (r - 1/2) / k. A subject is correlated with the mean
    over its own pairs that others have (lower) or over all its own pairs (upper). A subject with fewer than
    three such pairs, or without variance in them, is left out of the bound. The bounds are then estimates:
    where subjects have very different pairs, their values are not on one scale, and another RDM may do a
    little better than the mean.

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
    return subject_ceilings(rdms, method).mean()


def subject_ceilings(rdms: ArrayLike, method: str = "spearman") -> SubjectCeilings:
    """The noise ceiling of each subject alone: how well the other people predict each one.

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        One RDM per subject (a person, or a group of people), s >= 2. Pairs may be NaN.
    method : str
        ``spearman``, ``pearson`` or ``cosine``.

    Returns
    -------
    SubjectCeilings
        ``lower``: with the mean of the others; ``upper``: with the mean of all. Its method ``mean`` gives
        :func:`noise_ceiling`. NaN where a mean has no variance, or a subject too few pairs.

    Raises
    ------
    ValueError
        As :func:`noise_ceiling`.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553.

    Examples
    --------
    The third subject sees another geometry.

    >>> import numpy as np
    >>> from benchmark.inference import subject_ceilings
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth, other = rng.normal(size=(2, 10, 20))
    >>> seen = (truth, truth, other)
    >>> subjects = np.stack([rdm(space + 0.5 * rng.normal(size=(10, 20))) for space in seen])
    >>> subject_ceilings(subjects).lower.round(2)
    array([ 0.33,  0.28, -0.09])
    """
    subjects = as_rdms(rdms, "rdms", missing=True)
    if len(subjects) < 2:
        raise ValueError(f"rdms has shape {subjects.shape}: a noise ceiling needs at least 2 subjects")
    if np.isnan(subjects).any():
        return _over_measured_pairs(subjects, method)
    values = np.array([_values(subject, method, f"rdms[{i}]") for i, subject in enumerate(subjects)])
    total = values.sum(axis=0)
    lower = [_correlation(subject, (total - subject) / (len(values) - 1), method) for subject in values]
    upper = [_correlation(subject, total / len(values), method) for subject in values]
    return SubjectCeilings(np.array(lower), np.array(upper))


def _values(subject: Float64, method: str, name: str) -> Float64:
    """The values that are averaged: standardised dissimilarities, or their ranks."""
    values = upper_triangle(standardised(subject, method, name))
    return average_ranks(values) if method == "spearman" else values


def _over_measured_pairs(rdms: Float64, method: str) -> SubjectCeilings:
    """The bounds where pairs are missing."""
    used = ~np.isnan([upper_triangle(rdm) for rdm in rdms])
    values = np.zeros(used.shape)
    for i, (rdm, own) in enumerate(zip(rdms, used, strict=True)):
        values[i, own] = upper_triangle(standardised(rdm, method, f"rdms[{i}]", own))[own]
        if method == "spearman":
            values[i, own] = (average_ranks(values[i, own]) - 0.5) / own.sum()
    total, seen = values.sum(axis=0), used.sum(axis=0)
    lower = [
        _with_mean(subject, total - subject, seen - own, own, method)
        for subject, own in zip(values, used, strict=True)
    ]
    upper = [_with_mean(subject, total, seen, own, method) for subject, own in zip(values, used, strict=True)]
    return SubjectCeilings(np.array(lower), np.array(upper), missing=True)


def _with_mean(subject: Float64, total: Float64, seen: NDArray[np.int_], own: Used, method: str) -> float:
    """Correlation of a subject with the mean ``total / seen`` over its own pairs that are seen there."""
    pairs = own & (seen > 0)
    values = subject[pairs]
    if len(values) < FEWEST_PAIRS or (method != "cosine" and np.ptp(values) == 0):
        return float("nan")
    if method == "spearman":
        values = average_ranks(values)
    return _correlation(values, total[pairs] / seen[pairs], method)


def _mean_defined(values: Float64) -> float:
    defined = values[~np.isnan(values)]
    return float(np.mean(defined)) if len(defined) else float("nan")


def _correlation(subject: Float64, mean: Float64, method: str) -> float:
    """Correlation (or cosine) with a mean. For ``spearman`` the mean is ranked first."""
    if method == "cosine":
        return float(subject @ mean / np.sqrt((subject @ subject) * (mean @ mean)))
    if np.ptp(mean) <= _NO_SPREAD:
        return float("nan")
    target = average_ranks(mean) if method == "spearman" else mean
    return float(np.corrcoef(subject, target)[0, 1])
