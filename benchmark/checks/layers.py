"""Every declared layer must exist, be called, and differ between stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.checks.check import Candidate, Check, Status, error_line, first_few
from benchmark.common.errors import NotPossible, plugin_border
from benchmark.runner.view import checked_features

NAME = "layers"


def check(candidate: Candidate) -> tuple[list[Check], dict[str, np.ndarray]]:
    """Extract features of every layer of the entry. The failure of one layer does not hide the others.

    Parameters
    ----------
    candidate : Candidate

    Returns
    -------
    checks : list of Check
        One check for each fault of a layer (or one that passed), and one for layers that never vary.
    features : dict of str to ndarray, shape (n, d)
        Features of the layers without a fault.
    """
    try:
        with plugin_border():
            layers = candidate.model.layers
    except NotPossible:
        raise
    except Exception as error:  # a plug-in may raise anything
        return [Check(NAME, Status.failed, error_line(error))], {}
    if len(set(layers)) != len(layers):
        twice = [layer for layer in dict.fromkeys(layers) if layers.count(layer) > 1]
        return [Check(NAME, Status.failed, f"declared twice: {first_few(twice)}")], {}
    features, faults = _features(candidate, layers)
    checks = [Check(NAME, Status.failed, fault) for fault in faults]
    if not faults:
        checks = [
            Check(NAME, Status.passed, f"{len(layers)}, each called once and finite: {first_few(layers)}")
        ]
    return [*checks, _constant(features)] if features else checks, features


def _features(candidate: Candidate, layers: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    try:
        with plugin_border():
            return _extract(candidate, layers), []
    except NotPossible:
        raise
    except Exception as together:  # a plug-in may raise anything
        alone = {layer: _alone(candidate, layer) for layer in layers}
        faults = [outcome for outcome in alone.values() if isinstance(outcome, str)]
        features = {layer: outcome for layer, outcome in alone.items() if not isinstance(outcome, str)}
        # an error that only the layers together raise is a fault too
        return features, list(dict.fromkeys(faults)) or [error_line(together)]


def _alone(candidate: Candidate, layer: str) -> np.ndarray | str:
    """Features of one layer, or why there are none."""
    try:
        with plugin_border():
            return _extract(candidate, [layer])[layer]
    except Exception as error:  # a plug-in may raise anything
        return error_line(error)


def _extract(candidate: Candidate, layers: Sequence[str]) -> dict[str, np.ndarray]:
    features = candidate.model.features(candidate.stimuli, list(layers), device=candidate.device)
    return {
        layer: checked_features(candidate.model.spec.name, layer, features.get(layer), candidate.stimuli)
        for layer in layers
    }


def _constant(features: Mapping[str, np.ndarray]) -> Check:
    constant = [layer for layer, array in features.items() if not np.ptp(array, axis=0).any()]
    if constant:
        return Check("not constant", Status.failed, f"the same for every stimulus: {first_few(constant)}")
    n = len(next(iter(features.values())))
    return Check("not constant", Status.passed, f"every layer differs between the {n} stimuli")
