"""From the features of stimuli to one row per concept and to an RDM, for any task that needs them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.common.errors import NotPossible, UsageError
from benchmark.common.parameters import Parameter
from benchmark.datasets.join import Join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import VectorTarget
from benchmark.measures import rdm
from benchmark.measures.rdm import FEATURE_METRICS
from benchmark.representation.own_rdm import Dissimilarity, own_rdm

#: Below this relative spread, float32 features count as constant. It is ten times their rounding
_FLAT = 1e-6
#: Below this spread, correlation or cosine distances of float32 features count as equal
_FLAT_ANGLE = 1e-9
_ANGULAR = ("correlation", "cosine")

#: Dissimilarities for an RDM of features
RDM_METRICS = FEATURE_METRICS
#: What is done to each feature over the concepts before an RDM is made (:func:`standardised`)
STANDARDISE = ("none", "centre", "zscore")
#: What is done to the row of each concept (:func:`normalised`)
NORMALISE = ("l2", "none")
#: Parameters of every task that makes RDMs of features
METRIC = Parameter(
    "correlation",
    f"the dissimilarity of features: {', '.join(RDM_METRICS)}",
    plugin=True,
    choices=RDM_METRICS,
)
STANDARDISATION = Parameter(
    "none", f"what is done to each feature before: {', '.join(STANDARDISE)}", choices=STANDARDISE
)


class UndefinedFeaturesError(ValueError):
    """The features of a layer leave its score undefined. The message says why."""


def concept_images(stimuli: Stimuli, concepts: Sequence[str], split: str = "test") -> tuple[np.ndarray, ...]:
    """Row numbers of the images of each concept, in the order of the stimulus ids.

    Parameters
    ----------
    stimuli : Stimuli
        The stimulus set.
    concepts : sequence of str, length k
        The concepts to look up.
    split : {"test", "train"}
        Only images of this split are used. A set without splits gives all its images for either.

    Returns
    -------
    tuple of ndarray of int, length k
        One array of row numbers per concept.

    Raises
    ------
    NotPossible
        If a concept has no image in the split.
    """
    rows: dict[str, list[int]] = {concept: [] for concept in concepts}
    for i in sorted(range(len(stimuli)), key=stimuli.ids.__getitem__):
        wanted = stimuli.splits is None or stimuli.splits[i] == split
        if wanted and stimuli.concepts[i] in rows:
            rows[stimuli.concepts[i]].append(i)
    empty = [concept for concept, numbers in rows.items() if not numbers]
    if empty:
        raise NotPossible(
            f"stimulus set {stimuli.name!r} has no {split} image of {len(empty)} concepts "
            f"({', '.join(empty[:3])}): every concept that is scored needs one"
        )
    return tuple(np.array(numbers, dtype=np.intp) for numbers in rows.values())


def image_groups(
    stimuli: Stimuli, concepts: Sequence[str], groups: int, seed: int = 0
) -> list[tuple[np.ndarray, ...]]:
    """Deal the test images of each concept into groups, as evenly as possible.

    Which image goes where depends only on the seed, the concept and how many images it has: not on the other
    concepts, nor on the order of the stimuli. So it is the same for all models and all targets.

    Parameters
    ----------
    stimuli : Stimuli
        The stimulus set.
    concepts : sequence of str, length k
        The concepts whose images are dealt.
    groups : int
        Number of groups, at least 1. One group holds all images, in the order of the stimulus ids.
    seed : int
        Seed of the order in which the images of a concept are dealt, at least 0.

    Returns
    -------
    list of tuple of ndarray of int
        For each group the row numbers of each concept's images, as :func:`concept_images` gives them.

    Raises
    ------
    UsageError
        If ``groups`` or ``seed`` is less than it can be.
    NotPossible
        If a concept has fewer images than there are groups.
    """
    for key, value, least in (("groups", groups, 1), ("group_seed", seed, 0)):
        if value < least:
            raise UsageError(f"parameter {key!r} is {value}: at least {least} is needed")
    images = concept_images(stimuli, concepts)
    few = min(range(len(images)), key=lambda i: len(images[i]))
    if len(images[few]) < groups:
        raise NotPossible(
            f"stimulus set {stimuli.name!r} has {len(images[few])} test images of {concepts[few]!r}, too few "
            f"for {groups} groups: give groups at most {len(images[few])}"
        )
    if groups == 1:
        return [images]
    dealt = [
        np.random.default_rng([seed, *concept.encode()]).permutation(rows)
        for concept, rows in zip(concepts, images, strict=True)
    ]
    return [tuple(rows[group::groups] for rows in dealt) for group in range(groups)]


def concept_means(features: np.ndarray, images: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the images of each concept.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Features of all stimuli.
    images : sequence of ndarray of int, length k
        Row numbers of each concept's images, from :func:`concept_images`.

    Returns
    -------
    ndarray, shape (k, d), float64
    """
    return np.stack([np.asarray(features[rows], dtype=np.float64).mean(axis=0) for rows in images])


def require_varied(
    features: np.ndarray, concepts: Sequence[str], metric: str | Dissimilarity = "correlation"
) -> None:
    """Raise if the features leave a similarity between concepts undefined.

    Parameters
    ----------
    features : ndarray, shape (k, d)
        One row per concept.
    concepts : sequence of str, length k
        Names of the concepts, for the message.
    metric : str or callable
        "correlation" needs variance within each row, and "cosine" needs rows that are not zero. Every metric
        needs rows that differ.

    Raises
    ------
    UndefinedFeaturesError
        The message says how many concepts are undefined, and names the first.
    """
    scale = float(np.abs(features).max(initial=0.0))
    if np.ptp(features, axis=0).max(initial=0.0) <= _FLAT * scale:
        raise UndefinedFeaturesError("constant features: the same for every concept, so no score is defined")
    if metric not in _ANGULAR:
        return
    largest = np.abs(features).max(axis=1)
    if metric == "correlation":
        flat = np.flatnonzero(np.ptp(features, axis=1) <= _FLAT * largest)
    else:
        flat = np.flatnonzero(largest == 0)
    if flat.size:
        raise UndefinedFeaturesError(
            f"constant features: {metric} undefined for {flat.size} of {len(concepts)} concepts "
            f"(first {concepts[flat[0]]!r})"
        )


def standardised(features: np.ndarray, standardise: str) -> np.ndarray:
    """The features, each with its mean over the concepts taken away, and divided by its standard deviation.

    Parameters
    ----------
    features : ndarray, shape (k, d)
        One row per concept.
    standardise : str
        One of :data:`STANDARDISE`: "none" gives the features as they are, "centre" takes the mean away,
        "zscore" also divides. A feature that is the same for all concepts becomes zero.

    Returns
    -------
    ndarray, shape (k, d)

    Examples
    --------
    >>> import numpy as np
    >>> standardised(np.array([[1.0, 5.0], [3.0, 5.0]]), "zscore")
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    if standardise == "none":
        return features
    centred: np.ndarray = features - features.mean(axis=0)
    flat = np.ptp(features, axis=0) <= _FLAT * np.abs(features).max(axis=0, initial=0.0)
    centred[:, flat] = 0.0
    if standardise == "centre":
        return centred
    spread = centred.std(axis=0)
    scaled: np.ndarray = centred / np.where(flat, 1.0, spread)
    return scaled


def normalised(features: np.ndarray, normalise: str) -> np.ndarray:
    """The rows, each scaled to length one.

    Parameters
    ----------
    features : ndarray, shape (k, d)
        One row per concept.
    normalise : str
        One of :data:`NORMALISE`: "l2" divides a row by its Euclidean length, "none" gives it as it is. A row
        of zeros stays zero.

    Returns
    -------
    ndarray, shape (k, d), float64

    Examples
    --------
    >>> import numpy as np
    >>> normalised(np.array([[3.0, 4.0], [0.0, 0.0]]), "l2")
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    rows = np.asarray(features, dtype=np.float64)
    if normalise == "none":
        return rows
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return scaled


def feature_rdm(
    features: np.ndarray,
    concepts: Sequence[str],
    metric: str | Dissimilarity = "correlation",
    standardise: str = "none",
) -> np.ndarray:
    """RDM of the features of concepts.

    Parameters
    ----------
    features : ndarray, shape (k, d)
        One row per concept.
    concepts : sequence of str, length k
        Names of the concepts, for messages.
    metric : str or callable
        One of :data:`RDM_METRICS`, or a function of the features
        (:func:`benchmark.representation.own_rdm.own_rdm`).
    standardise : str
        One of :data:`STANDARDISE`: what is done to each feature over these concepts before.

    Returns
    -------
    ndarray, shape (k, k)
        Dissimilarities, as in :func:`benchmark.measures.rdm`.

    Raises
    ------
    UndefinedFeaturesError
        If the features are constant, the dissimilarity is not defined for them (values below zero for
        "jensenshannon"), or all dissimilarities are equal up to rounding.
    UsageError
        If a function gives no RDM.
    """
    require_varied(features, concepts, metric)
    if standardise != "none":
        features = standardised(features, standardise)
        require_varied(features, concepts, metric)
    try:
        dissimilarity = own_rdm(features, metric) if callable(metric) else rdm(features, metric=metric)
    except ValueError as error:
        raise UndefinedFeaturesError(str(error)) from error
    above = dissimilarity[np.triu_indices(len(dissimilarity), 1)]
    floor = _FLAT_ANGLE if metric in _ANGULAR else 0.0
    if np.ptp(above) <= max(_FLAT * np.abs(above).max(), floor):
        raise UndefinedFeaturesError("all dissimilarities are the same: correlation undefined")
    return dissimilarity


def joined_vectors(joined: Join[VectorTarget], fewest: int) -> np.ndarray:
    """Word vectors (k, p) of the joined concepts, float64.

    Parameters
    ----------
    joined : Join
        The concepts in stimuli and target, and the target's vectors in that order.
    fewest : int
        Least number of concepts.

    Raises
    ------
    NotPossible
        If fewer than ``fewest`` concepts join, or a vector is constant.
    """
    if len(joined.concepts) < fewest:
        raise NotPossible(
            f"{len(joined.concepts)} concepts of the stimuli have a word vector; at least {fewest} are needed"
        )
    words = np.asarray(joined.target.vectors, dtype=np.float64)
    try:
        require_varied(words, joined.concepts)
    except UndefinedFeaturesError as error:
        raise NotPossible(f"word vectors of target {joined.target.name!r}: {error}") from error
    return words
