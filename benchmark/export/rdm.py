"""RDMs and features of a model, and RDMs of a target, for any other program."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import RDMTarget, Stimuli, join
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


@dataclass(frozen=True)
class TargetRDMs:
    """The RDMs of a target, over the concepts that a model's stimuli share with it.

    Attributes
    ----------
    subjects : tuple of str, length s
    rdms : ndarray, shape (s, n, n), float64
        As in :class:`benchmark.datasets.RDMTarget`; NaN where a subject lacks a pair.
    ids : tuple of str, length n
        Concept ids, as the stimuli name them.
    provenance : dict
        What decides the numbers. It can be written as JSON.
    """

    subjects: tuple[str, ...]
    rdms: np.ndarray
    ids: tuple[str, ...]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class ModelFeatures:
    """The features of some layers of a model, over the same conditions.

    Attributes
    ----------
    layers : tuple of str, length m
    features : tuple of ndarray, each of shape (n, d), float64
    ids : tuple of str, length n
        Stimulus ids, or concept ids.
    concepts : tuple of str, length n
        The concept of each row.
    provenance : dict
        Everything that decides the numbers. It can be written as JSON.
    """

    layers: tuple[str, ...]
    features: tuple[np.ndarray, ...]
    ids: tuple[str, ...]
    concepts: tuple[str, ...]
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
    concepts: tuple[str, ...] | None = None,
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
    concepts : tuple of str, optional
        The concepts of the rows, in their order, where a row is a concept. Default: all.
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
    _require_known("metric", metric, RDM_METRICS)
    loaded, shown, view = _view(session, model, suite, layers, stimuli, by, rule, concepts, progress)
    ids, of_rows, rows = _conditions(shown, by, concepts)
    rdms = [_rdm(view, layer, ids, rows, metric) for layer in view.layers]
    provenance = {**_provenance(session, loaded, suite, shown, by), "metric": metric, **_rule(view)}
    return ModelRDMs(view.layers, np.stack(rdms), ids, of_rows, metric, provenance)


def model_features(
    session: Session,
    model: str,
    suite: str,
    layers: tuple[str, ...] | None,
    stimuli: str,
    *,
    by: str = "stimulus",
    progress: Progress | None = None,
) -> ModelFeatures:
    """Give the features of a model, as tasks see them. Features that are not stored are extracted.

    Parameters
    ----------
    session, model, suite, layers, stimuli, by, progress
        As in :func:`model_rdms`.

    Returns
    -------
    ModelFeatures

    Raises
    ------
    UsageError, NotPossible
        As :func:`model_rdms`.
    """
    loaded, shown, view = _view(session, model, suite, layers, stimuli, by, None, None, progress)
    ids, concepts, rows = _conditions(shown, by)
    features = tuple(concept_means(view.features(layer), rows) for layer in view.layers)
    provenance = {**_provenance(session, loaded, suite, shown, by), **_rule(view)}
    return ModelFeatures(view.layers, features, ids, concepts, provenance)


def target_rdms(
    session: Session, model: str, suite: str, stimuli: str, target: str, on: str | None = None
) -> TargetRDMs:
    """Give the RDMs of a target over the concepts of a model's stimuli that it has.

    Parameters
    ----------
    session, model, suite, stimuli
        As in :func:`model_rdms`.
    target : str
        Name of a target of RDMs.
    on : str, optional
        Key of the stimuli to join on. Default: the concept id.

    Returns
    -------
    TargetRDMs
        Its ids are the ``concepts`` with which :func:`model_rdms` gives the same rows.

    Raises
    ------
    UsageError
        If a name is not known, or the target holds no RDMs.
    NotPossible
        If data are missing, or fewer than three concepts join.
    """
    found = session.target(target)
    if not isinstance(found, RDMTarget):
        raise UsageError(f"--target {target}: holds {found.kind}; expected RDMs")
    loaded = session.model(model, suite)
    joined = join(covered_stimuli(loaded, stimulus_set(session, stimuli)), found, on)
    provenance = {
        "target": target,
        "target_hash": found.hash,
        "miniature": found.simulated,
        "stimuli": stimuli,
        "on": on,
        "ids_of_target": joined.target.ids,
        "code_version": code_version(),
        "created": now(),
    }
    return TargetRDMs(joined.target.subjects, joined.target.rdms, joined.concepts, provenance)


def _view(
    session: Session,
    model: str,
    suite: str,
    layers: tuple[str, ...] | None,
    stimuli: str,
    by: str,
    rule: AssociationRuleEntry | None,
    concepts: tuple[str, ...] | None,
    progress: Progress | None,
) -> tuple[LoadedModel, Stimuli, StoredView]:
    """The model, the stimuli that it covers, and its layers for them."""
    _require_known("by", by, BY)
    loaded = session.model(model, suite)
    shown = covered_stimuli(loaded, stimulus_set(session, stimuli))
    if layers is not None and ASSOCIATIONS in layers and not loaded.model.has_associations:
        raise NotPossible(f"model {model!r} has no association head, so no layer {ASSOCIATIONS!r}")
    named = layers and tuple(OUTPUT if layer == ASSOCIATIONS else layer for layer in layers)
    return loaded, shown, layer_view(session, loaded, shown, named, progress, rule, concepts)


def _require_known(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"--{option}: {unknown(option, value, known)}")


def _rule(view: StoredView) -> dict[str, str | None]:
    return {"associations": None if view.rule_used is None else str(view.rule_used)}


def _conditions(
    stimuli: Stimuli, by: str, concepts: tuple[str, ...] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[np.ndarray, ...]]:
    """Ids and concepts of the rows, and the images over which each row is a mean."""
    if by == "concept":
        concepts = stimuli.concept_ids if concepts is None else concepts
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
    session: Session, loaded: LoadedModel, suite: str, stimuli: Stimuli, by: str
) -> dict[str, Any]:
    return {
        "model": loaded.placed.name,
        "suite": suite,
        "miniature": stimuli.miniature or _is_miniature(session, loaded, suite),
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
        "device": session.device,
        "features_dtype": DTYPE,
        "code_version": code_version(),
        "packages": versions(),
        "python": platform.python_version(),
        "created": now(),
    }


def _is_miniature(session: Session, loaded: LoadedModel, suite: str) -> bool:
    """Whether the network is for drawn images: its entry, or its weights in this suite, are of a miniature.

    A network of a user's own is none, whatever the default suite is.
    """
    registry, name = session.registry, loaded.placed.name.partition("@")[0]
    entry = registry.models[name].entry
    of_suites = (registry.version(name, suite),) if entry.variants else entry.suites or ()
    return bool(of_suites) and all(registry.suite(suite).miniature for suite in of_suites)
