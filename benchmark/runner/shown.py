"""What a model is shown, and its features for it, also outside of a cell."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.common.errors import NotPossible, UsageError, plugin_border
from benchmark.datasets import DataRoot, Stimuli
from benchmark.model import OUTPUT, Model, Progress
from benchmark.registry import AssociationRuleEntry, unknown
from benchmark.results import code_version, now, versions
from benchmark.runner.fingerprint import first_of
from benchmark.runner.loaded import DTYPE, LoadedModel, feature_key
from benchmark.runner.session import Session
from benchmark.runner.view import StoredView
from benchmark.task import Task


def stimulus_set(session: Session, name: str) -> Stimuli:
    """The stimulus set ``name`` of the registry of ``session``, or the images of the folder ``name``.

    Raises
    ------
    UsageError
        If there is neither.
    """
    if name in session.registry.datasets:
        return session.stimuli(name)
    folder = Path(name).expanduser()
    if folder.is_dir():
        from benchmark.datasets.readers.folders import image_folder  # imports pandas

        return image_folder(DataRoot(folder), name=folder.resolve().name, path=str(folder.resolve()))
    known = [known for known, placed in session.registry.datasets.items() if placed.entry.kind == "stimuli"]
    raise UsageError(f"--stimuli: {unknown('stimulus set', name, known)}; and no such folder is here")


def covered_stimuli(model: LoadedModel, stimuli: Stimuli) -> Stimuli:
    """The ``stimuli`` of the concepts that ``model`` can represent; NotPossible if there are none."""
    known = model.model.covered(stimuli)
    if known.issuperset(stimuli.concepts):
        return stimuli
    if known.isdisjoint(stimuli.concepts):
        raise NotPossible(f"model {model.placed.name!r} can represent no concept of {stimuli.name!r}")
    return stimuli.of_concepts(known)


def classes_of(model: Model, stimuli: Stimuli, device: str, *, has_norms: bool) -> tuple[str, ...]:
    """The classes of ``model``; none if it gives no class probabilities.

    It is asked for those of the first of the ``stimuli``, which is shown to it on ``device``. If the binding
    names norms (``has_norms``), associations give classes too, concepts that the stimuli show; and so does a
    readout for a network whose weights lack its classifier
    (:meth:`benchmark.runner.view.StoredView.classify`). So has a model that fails, until its extraction says
    why.
    """
    if model.classes_read_out:
        from benchmark.representation.readout import can_read_classes  # imports the measures

        return stimuli.concept_ids if can_read_classes(stimuli) else ()
    by_norms = has_norms and model.has_associations
    if not (by_norms or type(model).classify is not Model.classify) or OUTPUT not in model.layers:
        return ()
    try:
        with plugin_border():
            output = np.asarray(model.trace(first_of(stimuli), device=device)[OUTPUT], dtype=np.float32)
            classes = model.classify(output)
            if classes is not None:
                return tuple(classes.class_ids)
            return stimuli.concept_ids if by_norms and model.associations(output) is not None else ()
    except Exception:  # a plug-in may raise anything
        return stimuli.concept_ids


def layer_view(
    session: Session,
    loaded: LoadedModel,
    stimuli: Stimuli,
    layers: tuple[str, ...] | None,
    progress: Progress | None = None,
    rule: AssociationRuleEntry | None = None,
    compared: Sequence[str] | None = None,
) -> StoredView:
    """The features of a model for stimuli that it covers, from the store or extracted at their first use.

    Parameters
    ----------
    session : Session
    loaded : LoadedModel
    stimuli : Stimuli
        From :func:`covered_stimuli`.
    layers : tuple of str or None
        The layers to take (:func:`benchmark.runner.layers.choose_layers`).
    progress : callable, optional
        Called as stimuli are done.
    rule : AssociationRuleEntry, optional
        How association profiles are compared, for a model with an association head. Default: that of tasks.
    compared : sequence of str, optional
        The concepts that are compared, for a rule that takes the mean over them. Default: all.

    Returns
    -------
    StoredView
    """
    key = feature_key(loaded, stimuli, session.device)
    return StoredView(
        loaded.model,
        stimuli,
        session.features,
        key,
        layers,
        session.device,
        progress,
        rule=lambda: session.rule_of(rule, Task.association_rule),
        compared=compared,
    )


def models_provenance(
    session: Session, loaded: Sequence[LoadedModel], suite: str, stimuli: Stimuli
) -> dict[str, Any]:
    """Everything that decides numbers of several models for the same stimuli, as JSON can hold it.

    Parameters
    ----------
    session : Session
    loaded : sequence of LoadedModel
    suite : str
        Suite whose weights of the models are used.
    stimuli : Stimuli
        What the models are shown.

    Returns
    -------
    dict
    """
    return {
        "suite": suite,
        "miniature": session.registry.suite(suite).miniature,
        "models": {
            model.placed.name: {
                "weights": model.checkpoint.label,
                "weights_sha256": model.checkpoint.sha256,
                "untrained": model.is_untrained,
                "preprocessing": model.model.preprocessing,
                "registry_entry": model.placed.entry.model_dump(mode="json", exclude_defaults=True),
            }
            for model in loaded
        },
        "stimuli": stimuli.name,
        "stimuli_manifest": stimuli.manifest,
        "seed": session.options.seed,
        "device": session.device,
        "features_dtype": DTYPE,
        "code_version": code_version(),
        "packages": versions(),
        "python": platform.python_version(),
        "created": now(),
    }
