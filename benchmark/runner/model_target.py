"""Another network as the target: a layer of a registered model, as an RDM or as vectors.

The reader stands here, above the other readers, because it needs what a run needs: the registry, the weights
and the store of features. Its key holds the key of the model's features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from benchmark.common.errors import BenchError, DataError, UsageError
from benchmark.datasets import RDMTarget, Stimuli, VectorTarget, hashed_by
from benchmark.registry import unknown
from benchmark.representation.concepts import (
    RDM_METRICS,
    STANDARDISE,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.runner.layers import choose_layers
from benchmark.runner.loaded import LoadedModel, feature_key
from benchmark.runner.session import Session
from benchmark.runner.shown import covered_stimuli, layer_view

#: What the target can be
KINDS = ("rdm", "vectors")
#: Parts of a key of features that say which network it is
_NETWORK = ("plugin", "source", "params", "weights", "built_from")

Reader = TypeVar("Reader", bound=Callable[..., Any])


def _made_from(features_of: Callable[..., Mapping[str, Any]]) -> Callable[[Reader], Reader]:
    """Mark a reader that takes the session in place of the data root, with the key of its features."""

    def mark(reader: Reader) -> Reader:
        reader.features_of = features_of  # type: ignore[attr-defined]
        return reader

    return mark


def _features_of(
    session: Session, *, model: str, stimuli: str, suite: str | None = None, **_recipe: Any
) -> dict[str, Any]:
    loaded, shown = _shown(session, model, stimuli, suite)
    return feature_key(loaded, shown, session.device)


def _hash_of(
    session: Session,
    *,
    name: str,
    model: str,
    layer: str,
    stimuli: str,
    suite: str | None = None,
    kind: str = "rdm",
    metric: str = "correlation",
    standardise: str = "none",
) -> str:
    with _naming(name):
        features = _features_of(session, model=model, stimuli=stimuli, suite=suite)
    return _digest(features, layer, kind, metric, standardise)


def _digest(features: Mapping[str, Any], *recipe: str) -> str:
    return hashlib.sha256(json.dumps([features, *recipe], sort_keys=True).encode()).hexdigest()


@hashed_by(_hash_of)
@_made_from(_features_of)
def representation(
    session: Session,
    *,
    name: str,
    model: str,
    layer: str,
    stimuli: str,
    suite: str | None = None,
    kind: str = "rdm",
    metric: str = "correlation",
    standardise: str = "none",
) -> RDMTarget | VectorTarget:
    """Make a target from a layer of a model. Features that are not stored are extracted.

    Parameters
    ----------
    session : Session
        The session of the run.
    name : str
        Name of the target.
    model : str
        Name of a model; NAME@untrained:SEED is its twin.
    layer : str
        One of its layers.
    stimuli : str
        Stimulus set that the model is shown. A row of the target is a concept of it, the mean of its images;
        of a set with splits the scored ones ("test"). Concepts that the model does not cover are left out.
    suite : str, optional
        Suite whose weights of the model are used. Default: the first in which the model may take part.
    kind : {"rdm", "vectors"}
        An RDM with one subject, or the features themselves.
    metric : str
        Dissimilarity of the RDM.
    standardise : {"none", "centre", "zscore"}
        What is done to each feature over the concepts before the RDM.

    Returns
    -------
    RDMTarget or VectorTarget

    Raises
    ------
    UsageError
        If a name or an option is not known, or the model is made from this target.
    NotPossible
        If the model has no such layer, or weights or stimuli are missing.
    DataError
        If the model cannot represent the stimuli, or the RDM of the layer is undefined.
    """
    with _naming(name):
        for option, value, known in (
            ("kind", kind, KINDS),
            ("metric", metric, RDM_METRICS),
            ("standardise", standardise, STANDARDISE),
        ):
            if value not in known:
                raise UsageError(f"param {option}: {unknown(option, value, known)}")
        loaded, shown = _shown(session, model, stimuli, suite)
        chosen = choose_layers(loaded.model, [layer])
        if chosen != (layer,):
            raise UsageError(f"param layer: {layer!r} means {len(chosen)} layers: name one")
        concepts = shown.concept_ids
        features = layer_view(session, loaded, shown, chosen).features(layer)
        means = concept_means(features, concept_images(shown, concepts))
        digest = _digest(feature_key(loaded, shown, session.device), layer, kind, metric, standardise)
        about: dict[str, Any] = {"name": name, "ids": concepts, "hash": digest, "simulated": shown.miniature}
        if kind == "vectors":
            return VectorTarget(**about, vectors=means)
        try:
            rdm = feature_rdm(means, concepts, metric, standardise)
        except UndefinedFeaturesError as error:
            raise DataError(f"model {model!r}, layer {layer!r}: {error}") from error
        return RDMTarget(**about, rdms=rdm[None], subjects=(f"{model} {layer}",))


def target_notes(session: Session, target: str, features: Mapping[str, Any]) -> list[str]:
    """What has to be said of a score whose target is another network.

    Parameters
    ----------
    session : Session
    target : str
        Name of the target.
    features : mapping
        The key of the features of the model that is scored.

    Returns
    -------
    list of str
        Empty if the target is not made from a model.
    """
    made_from = session.dataset_key(target).get("features")
    if made_from is None:
        return []
    params = session.registry.dataset(target).entry.params
    other = session.model(
        params["model"], params.get("suite") or session.registry.first_suite(params["model"])
    )
    notes = [f"the target is a network: layer {params['layer']!r} of {params['model']!r}, not people"]
    if all(made_from.get(part) == features.get(part) for part in _NETWORK):
        notes.append("the target is made from the model itself: that layer agrees with itself")
    if other.is_untrained:
        notes.append("the network of the target is untrained: its weights are random")
    return notes


def _shown(session: Session, model: str, stimuli: str, suite: str | None) -> tuple[LoadedModel, Stimuli]:
    """The model, and the stimuli of the concepts that it covers."""
    shown = session.stimuli(stimuli)
    loaded = session.model(model, suite or session.registry.first_suite(model))
    return loaded, covered_stimuli(loaded, shown)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Have an error say which target it is about."""
    try:
        yield
    except BenchError as error:
        where = f"target {name!r}: "
        if str(error).startswith(where):  # the model is made from this target
            raise
        raise type(error)(f"{where}{error}") from error
