"""RDMs of measured responses, as targets of every task that takes RDMs."""

from __future__ import annotations

import numpy as np

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.types import RDMTarget
from benchmark.measures import rdm

#: Dissimilarities of responses
RESPONSE_METRICS = ("correlation", "euclidean", "crossnobis")
#: What each RDM of a target is measured in
SPLITS = ("none", "subjects", "halves")


def response_rdms(
    target: ResponseTarget, name: str, digest: str, metric: str = "correlation", split: str = "none"
) -> RDMTarget:
    """Dissimilarities of the responses to every pair of stimuli.

    For "correlation" (1 - Pearson's r over channels) and "euclidean" each channel has mean 0 and variance 1
    over the stimuli, so that channels of high rates do not decide. "crossnobis" is the squared Mahalanobis
    distance between folds of the repeats, with the noise precision of all repeats about their means, its
    covariance shrunk towards its diagonal. It is not biased by noise, and can be negative: negative values
    stay. rsatoolbox computes it (Walther et al. 2016, NeuroImage; Schäfer & Strimmer 2005).

    Parameters
    ----------
    target : ResponseTarget
        The responses.
    name : str
        Name of the new target.
    digest : str
        sha256 over everything that decides the responses.
    metric : {"correlation", "euclidean", "crossnobis"}
        The dissimilarity.
    split : {"none", "subjects", "halves"}
        "subjects" gives an RDM for each subject, of its channels. "halves" deals the repeats of each stimulus
        into two halves, in their order, and gives an RDM for each: the noise ceiling is then that of one
        half. "none" gives one RDM, without a ceiling.

    Returns
    -------
    RDMTarget
        Its ids are those of the responses.

    Raises
    ------
    NotPossible
        If there are too few repeats, or it is not known in which subject a channel was measured.
    UsageError
        If ``metric`` or ``split`` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import ResponseTarget
    >>> from benchmark.datasets.response_rdms import response_rdms
    >>> rng = np.random.default_rng(0)
    >>> repeats = rng.normal(size=(5, 8, 1)) + rng.normal(size=(5, 8, 4))
    >>> neurons = ResponseTarget(
    ...     name="neurons", ids=tuple("abcde"), hash="h", repeats=repeats, channels=tuple("12345678")
    ... )
    >>> found = response_rdms(neurons, "neurons_rdm", "h", "crossnobis", "halves")
    >>> found.subjects, found.rdms.shape
    (('first half', 'second half'), (2, 5, 5))
    """
    for key, value, allowed in (("metric", metric, RESPONSE_METRICS), ("split", split, SPLITS)):
        if value not in allowed:
            raise UsageError(f"dataset {name!r}: {key} is {value!r}: expected one of {', '.join(allowed)}")
    parts = _parts(target, name, split)
    return RDMTarget(
        name=name,
        ids=target.ids,
        hash=digest,
        simulated=target.simulated,
        source=target.source,
        rdms=np.stack([_rdm(repeats, metric, name) for repeats in parts.values()]),
        subjects=tuple(parts),
    )


def _parts(target: ResponseTarget, name: str, split: str) -> dict[str, np.ndarray]:
    """Repeats (n, c, r) by what they were measured in."""
    if split == "none":
        return {target.name: target.repeats}
    if split == "halves":
        first, second = _dealt(target.repeats, 2, name)
        return {"first half": first, "second half": second}
    if target.subjects is None:
        raise NotPossible(f"dataset {name!r}: subjects of the channels are not known: take split: halves")
    subjects = np.array(target.subjects)
    return {
        str(subject): target.repeats[:, subjects == subject] for subject in dict.fromkeys(target.subjects)
    }


def _dealt(repeats: np.ndarray, folds: int, name: str) -> list[np.ndarray]:
    """The repeats that are there, dealt in turn; NaN for those of other folds."""
    measured = ~np.isnan(repeats)
    fewest = int(measured.sum(axis=2).min())
    if fewest < folds:
        raise NotPossible(
            f"dataset {name!r}: a stimulus has {fewest} of the {folds} repeats that are needed (crossnobis "
            "in halves needs four): take split: none, and with one repeat metric: correlation"
        )
    place = np.cumsum(measured, axis=2) - 1
    return [np.where(place % folds == fold, repeats, np.nan) for fold in range(folds)]


def _rdm(repeats: np.ndarray, metric: str, name: str) -> np.ndarray:
    if metric == "crossnobis":
        folds = _dealt(repeats, max(2, int((~np.isnan(repeats)).sum(axis=2).min())), name)
        means = np.stack([np.nanmean(fold, axis=2) for fold in folds])
        return _defined(means, metric, name, noise_precision(repeats))
    means = np.nanmean(repeats, axis=2)
    spread = means.std(axis=0)
    varies = spread > 0
    return _defined((means[:, varies] - means[:, varies].mean(axis=0)) / spread[varies], metric, name)


def _defined(values: np.ndarray, metric: str, name: str, noise: np.ndarray | None = None) -> np.ndarray:
    try:
        return rdm(values, metric, noise)
    except ValueError as error:  # one channel has no correlation over channels
        raise NotPossible(f"dataset {name!r}: {error}; take another metric") from error


def noise_precision(repeats: np.ndarray) -> np.ndarray:
    """Inverse of the shrunk covariance of the noise of channels.

    Parameters
    ----------
    repeats : ndarray, shape (n, c, r)
        NaN where a repeat is missing. A repeat that some channels miss is left out.

    Returns
    -------
    ndarray, shape (c, c)
        From the deviations of repeats from the mean of their stimulus, by rsatoolbox, with shrinkage of the
        covariance towards its diagonal.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise_precision(rng.normal(size=(300, 2, 5))).round(1) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    from rsatoolbox.data.noise import prec_from_residuals  # slow to import

    trials = np.moveaxis(repeats, 2, 1)
    whole = ~np.isnan(trials).any(axis=2)
    counts = whole.sum(axis=1)
    means = np.where(whole[..., None], trials, 0).sum(axis=1) / np.maximum(counts, 1)[:, None]
    residuals = (trials - means[:, None])[whole]
    freedom = int((counts[counts > 0] - 1).sum())
    precision: np.ndarray = prec_from_residuals(  # type: ignore[no-untyped-call]
        residuals, dof=freedom, method="shrinkage_diag"
    )
    return precision
