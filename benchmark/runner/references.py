"""The other models that a task compares a model with: found in the registry, and seen like the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.common.errors import NotPossible
from benchmark.datasets import Stimuli
from benchmark.registry import BindingEntry
from benchmark.runner.loaded import LoadedModel, feature_key
from benchmark.runner.plan import Cell
from benchmark.runner.session import Session
from benchmark.runner.view import StoredView
from benchmark.task import ENCODER

#: How a training names an encoder of Taskonomy; its entry has "_" in place of ":"
_TASKONOMY = "taskonomy:"


def load_references(session: Session, cell: Cell, words: Iterable[str]) -> dict[str, LoadedModel]:
    """The reference models of a cell, by the words of its binding. No network is built.

    Parameters
    ----------
    session : Session
    cell : Cell
    words : iterable of str
        Names of models, or :data:`benchmark.task.ENCODER`.

    Returns
    -------
    dict of str to LoadedModel

    Raises
    ------
    BenchError
        If a model is unknown, untrained or the model of the cell itself, its weights are missing, or the
        model of the cell has no encoder.
    """
    found = {}
    pooling = session.registry.binding(cell.suite, cell.binding).pooling
    for word in words:
        name = encoder_of(session, cell.model, cell.suite) if word == ENCODER else word
        if name == cell.model:
            raise NotPossible(
                f"model {name!r} is among the references of {cell.binding}: nothing is unique beyond itself"
            )
        loaded = session.model(name, cell.suite, pooling)
        if loaded.placed.untrained is not None or loaded.checkpoint.untrained is not None:
            raise NotPossible(
                f"reference {name!r} of {cell.binding} is untrained: name a trained model, "
                "and score the untrained one against it"
            )
        found[word] = loaded
    return found


def encoder_of(session: Session, model: str, suite: str) -> str:
    """The model of the ``session`` from which ``model``, as ``suite`` uses it, was trained or built.

    What the file of the weights says counts, because an entry does not know which file a training wrote. The
    entry counts where the file says nothing, or names an earlier run of the same kind of network.

    Raises
    ------
    NotPossible
        If neither names a model of the registry, or its weights are random.
    """
    placed = session.registry.model(model, suite)
    entry = placed.entry
    if placed.untrained is not None:
        raise NotPossible(f"model {model!r} is untrained: it was trained from no encoder")
    started = session.model(model, suite).model.started_from
    if started is not None:
        name = started.name.replace(_TASKONOMY, "taskonomy_", 1)
        if name.partition("@")[0] in session.registry.models:
            return name
        told = entry.encoder and session.registry.model(entry.encoder, suite)
        if told and told.entry.plugin == started.plugin:
            return told.name
        raise NotPossible(
            f"model {model!r} was trained from {started.name}, as its weights say, which is no model of "
            "the registry: give it an entry, and name that under beyond"
        )
    named = entry.encoder if entry.built_from is None else entry.built_from.model
    if named is None:
        raise NotPossible(
            f"model {model!r} names no encoder: write `encoder: NAME` into its entry, {placed.where}"
        )
    return named


def reference_keys(
    references: Mapping[str, LoadedModel], stimuli: Stimuli, device: str
) -> dict[str, dict[str, Any]]:
    """The key of the features of each reference.

    Parameters
    ----------
    references : mapping of str to LoadedModel
        By word, from :func:`load_references`.
    stimuli : Stimuli
        Those that the model of the cell sees.
    device : str
        "cpu", "cuda" or "mps".

    Returns
    -------
    dict of str to dict

    Raises
    ------
    NotPossible
        If a reference cannot represent every concept of ``stimuli``.
    """
    for loaded in references.values():
        missing = sorted(set(stimuli.concepts) - loaded.model.covered(stimuli))
        if missing:
            raise NotPossible(
                f"reference {loaded.placed.name!r} can represent "
                f"{len(stimuli.concept_ids) - len(missing)} of {len(stimuli.concept_ids)} concepts, "
                f"not {missing[0]!r}: a reference needs all concepts of the model"
            )
    return {word: feature_key(loaded, stimuli, device) for word, loaded in references.items()}


def reference_views(
    session: Session,
    binding: BindingEntry,
    references: Mapping[str, LoadedModel],
    keys: Mapping[str, Mapping[str, Any]],
    stimuli: Stimuli,
    compared: Sequence[str] | None,
) -> dict[str, StoredView]:
    """The references as a task sees them, with the layers of their entries.

    Parameters
    ----------
    session : Session
    binding : BindingEntry
        Its rule for association profiles holds for the references too.
    references : mapping of str to LoadedModel
        By word, from :func:`load_references`.
    keys : mapping of str to mapping
        From :func:`reference_keys`.
    stimuli : Stimuli
        Those that the model of the cell sees.
    compared : sequence of str or None
        The concepts that are compared; None: all.

    Returns
    -------
    dict of str to StoredView
    """
    return {
        word: StoredView(
            loaded.model,
            stimuli,
            session.features,
            keys[word],
            device=session.device,
            rule=lambda: session.rule(binding),
            compared=compared,
        )
        for word, loaded in references.items()
    }
