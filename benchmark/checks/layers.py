"""Every declared layer exists, is called, and says something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.checks.check import Check, Status, Subject, said, some
from benchmark.common.errors import NotPossible
from benchmark.runner.view import checked_features

NAME = "layers"


def check(subject: Subject) -> tuple[list[Check], dict[str, np.ndarray]]:
    """Features of every layer of the entry; a layer that gives none does not hide the others.

    Returns
    -------
    checks : list of Check
        One of the layers that give no features, and one of those that do.
    features : dict of str to ndarray, shape (n, d)
        Of the layers that gave any.
    """
    try:
        layers = subject.model.layers
    except NotPossible:
        raise
    except Exception as error:  # a plug-in may raise anything
        return [Check(NAME, Status.failed, said(error))], {}
    if len(set(layers)) != len(layers):
        twice = [layer for layer in dict.fromkeys(layers) if layers.count(layer) > 1]
        return [Check(NAME, Status.failed, f"declared twice: {some(twice)}")], {}
    features, faults = _features(subject, layers)
    checks = [Check(NAME, Status.failed, fault) for fault in faults]
    if not faults:
        checks = [Check(NAME, Status.passed, f"{len(layers)}, each called once and finite: {some(layers)}")]
    return [*checks, _constant(features)] if features else checks, features


def _features(subject: Subject, layers: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    try:
        return _extract(subject, layers), []
    except NotPossible:
        raise
    except Exception as together:  # a plug-in may raise anything
        alone = {layer: _alone(subject, layer) for layer in layers}
        faults = [found for found in alone.values() if isinstance(found, str)]
        features = {layer: found for layer, found in alone.items() if not isinstance(found, str)}
        # what only the layers together raise is a fault too
        return features, list(dict.fromkeys(faults)) or [said(together)]


def _alone(subject: Subject, layer: str) -> np.ndarray | str:
    """Features of one layer, or why there are none."""
    try:
        return _extract(subject, [layer])[layer]
    except Exception as error:  # a plug-in may raise anything
        return said(error)


def _extract(subject: Subject, layers: Sequence[str]) -> dict[str, np.ndarray]:
    made = subject.model.features(subject.stimuli, list(layers), device=subject.device)
    return {
        layer: checked_features(subject.model.spec.name, layer, made.get(layer), subject.stimuli)
        for layer in layers
    }


def _constant(features: Mapping[str, np.ndarray]) -> Check:
    still = [layer for layer, array in features.items() if not np.ptp(array, axis=0).any()]
    if still:
        return Check("not constant", Status.failed, f"the same for every stimulus: {some(still)}")
    n = len(next(iter(features.values())))
    return Check("not constant", Status.passed, f"every layer tells {n} stimuli apart")
