"""RDMs of a model, to compare with fMRI, EEG or behaviour in any other program."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import Stimuli
from benchmark.measures import rdm
from benchmark.model import OUTPUT, Progress
from benchmark.registry import AssociationRuleEntry, unknown
from benchmark.representation.concepts import (
    RDM_METRICS,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    require_varied,
)
from benchmark.results import code_version, now, versions
from benchmark.runner import Session
from benchmark.runner.loaded import DTYPE, LoadedModel
from benchmark.runner.shown import covered_stimuli, layer_view, stimulus_set
from benchmark.runner.view import StoredView

#: What a row of an RDM is: an image, or the mean over the images of a concept
BY = ("stimulus", "concept")
#: The layer "output" of a model with an association head, by another name
ASSOCIATIONS = "associations"
#: The split of the scored images, in a stimulus set that has other images for fitting
SPLIT = "test"


@dataclass(frozen=True)
class ModelRDMs:
    """The RDMs of some layers of a model, over the same conditions.

    Attributes
    ----------
    layers : tuple of str, length m
    rdms : ndarray, shape (m, n, n), float64
        Symmetric, with a zero diagonal. 0 is identical; a greater value is less similar.
    ids : tuple of str, length n
        Stimulus ids, or concept ids.
    concepts : tuple of str, length n
        The concept of each row.
    metric : str
        The dissimilarity of two rows.
    provenance : dict
        Everything that decides the numbers. It can be written as JSON.
    """

    layers: tuple[str, ...]
    rdms: np.ndarray
    ids: tuple[str, ...]
    concepts: tuple[str, ...]
    metric: str
    provenance: dict[str, Any]


def model_rdms(
    session: Session,
    model: str,
    suite: str,
    layers: tuple[str, ...] | None,
    stimuli: str,
    *,
    by: str = "stimulus",
    metric: str = "correlation",
    rule: AssociationRuleEntry | None = None,
    progress: Progress | None = None,
) -> ModelRDMs:
    """Compute RDMs of a model. Features that are not stored are extracted.

    A stimulus set with splits gives its scored images ("test"). A model that cannot represent every concept
    gives the concepts that it can. Tasks choose stimuli in the same way.

    Parameters
    ----------
    session : Session
    model, suite : str
        Name of the model, and of the suite whose variant of the model is used.
    layers : tuple of str or None
        Names, "all", "default" or "/regex/"; None: the layers of the model's entry. "associations": the
        profiles of a model with an association head. They are its layer "output" too.
    stimuli : str
        Name of a stimulus set in the registry, or a folder of images.
    by : {"stimulus", "concept"}
        "stimulus": one row for each image, in the order of the set. "concept": one row for each concept, the
        mean features of its images.
    metric : str
        See :func:`benchmark.measures.rdm`.
    rule : AssociationRuleEntry, optional
        How association profiles are compared. Default: the square roots of the strengths, as in tasks.
    progress : callable, optional
        Called as stimuli are done.

    Returns
    -------
    ModelRDMs

    Raises
    ------
    UsageError
        If a name or an option is not known.
    NotPossible
        If a layer is not known, or weights or data are missing.
    DataError
        If the RDM of a layer is undefined, or there is only one condition.
    """
    for option, value, known in (("by", by, BY), ("metric", metric, RDM_METRICS)):
        if value not in known:
            raise UsageError(f"--{option}: {unknown(option, value, known)}")
    loaded = session.model(model, suite)
    shown = covered_stimuli(loaded, stimulus_set(session, stimuli))
    if layers is not None and ASSOCIATIONS in layers and not loaded.model.has_associations:
        raise NotPossible(f"model {model!r} has no association head, so no layer {ASSOCIATIONS!r}")
    named = layers and tuple(OUTPUT if layer == ASSOCIATIONS else layer for layer in layers)
    view = layer_view(session, loaded, shown, named, progress, rule)
    ids, concepts, rows = _conditions(shown, by)
    rdms = [_rdm(view, layer, ids, rows, metric) for layer in view.layers]
    provenance = _provenance(session, loaded, suite, shown, by, metric)
    provenance["associations"] = None if view.rule_used is None else str(view.rule_used)
    return ModelRDMs(view.layers, np.stack(rdms), ids, concepts, metric, provenance)


def _conditions(stimuli: Stimuli, by: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[np.ndarray, ...]]:
    """Ids and concepts of the rows of an RDM, and the images over which each row is a mean."""
    if by == "concept":
        concepts = stimuli.concept_ids
        return concepts, concepts, concept_images(stimuli, concepts, SPLIT)
    chosen = [i for i in range(len(stimuli)) if stimuli.splits is None or stimuli.splits[i] == SPLIT]
    if not chosen:
        raise NotPossible(f"stimulus set {stimuli.name!r} has no {SPLIT} image")
    ids = tuple(stimuli.ids[i] for i in chosen)
    return ids, tuple(stimuli.concepts[i] for i in chosen), tuple(np.array([i]) for i in chosen)


def _rdm(
    view: StoredView, layer: str, ids: Sequence[str], rows: Sequence[np.ndarray], metric: str
) -> np.ndarray:
    if len(ids) < 2:
        raise DataError(f"stimulus set {view.stimuli.name!r}: an RDM needs at least 2 conditions, not 1")
    features = concept_means(view.features(layer), rows)
    try:
        require_varied(features, ids, metric)
        dissimilarities: np.ndarray = rdm(features, metric)
    except (UndefinedFeaturesError, ValueError) as error:
        raise DataError(f"model {view.name!r}, layer {layer!r}: {error}") from error
    return dissimilarities


def _provenance(
    session: Session, loaded: LoadedModel, suite: str, stimuli: Stimuli, by: str, metric: str
) -> dict[str, Any]:
    return {
        "model": loaded.placed.name,
        "suite": suite,
        "miniature": session.registry.suite(suite).miniature,
        "untrained": loaded.is_untrained,
        "weights": loaded.checkpoint.label,
        "weights_sha256": loaded.checkpoint.sha256,
        "registry_entry": loaded.placed.entry.model_dump(mode="json", exclude_defaults=True),
        "preprocessing": loaded.model.preprocessing,
        # only networks have a pooling
        "pooling": getattr(loaded.model, "pooling", None),
        "stimuli": stimuli.name,
        "stimuli_manifest": stimuli.manifest,
        "split": SPLIT if stimuli.splits is not None else None,
        "by": by,
        "metric": metric,
        "device": session.device,
        "features_dtype": DTYPE,
        "code_version": code_version(),
        "packages": versions(),
        "python": platform.python_version(),
        "created": now(),
    }
