"""The features of a stimulus must not depend on other stimuli: twice, alone, in any order the same."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from benchmark.checks.check import Candidate, Check, Status, error_line, first_few, select_stimuli
from benchmark.common.errors import plugin_border
from benchmark.extraction import NetworkModel

NAME = "repeats"

#: Greatest allowed difference, relative to the largest value of the layer. In a batch of another size float32
#: sums differ by some 1e-6; dropout and batch statistics change features by 1e-2 and more.
TOLERANCE = {"cpu": 1e-4}
_ELSEWHERE = 1e-3


def check(candidate: Candidate, features: Mapping[str, np.ndarray]) -> list[Check]:
    """Compare ``features`` with those of three more passes.

    Parameters
    ----------
    candidate : Candidate
    features : mapping of str to ndarray
        Features of the candidate's stimuli, by layer.

    Returns
    -------
    list of Check
    """
    n = len(candidate.stimuli)
    passes = {"twice": list(range(n)), "in any order": list(range(n))[::-1], "alone": [0]}
    checks = [_same(candidate, features, name, rows) for name, rows in passes.items()]
    return [*checks, *_mode(candidate)]


def _same(candidate: Candidate, features: Mapping[str, np.ndarray], name: str, rows: list[int]) -> Check:
    tolerance = TOLERANCE.get(candidate.device, _ELSEWHERE)
    with warnings.catch_warnings():
        # torch warns of batch statistics of one stimulus; the check reports that fault below
        warnings.simplefilter("ignore")
        try:
            with plugin_border():
                again = candidate.model.features(
                    select_stimuli(candidate.stimuli, rows), list(features), device=candidate.device
                )
        except Exception as error:  # batch statistics of one value
            return Check(name, Status.failed, error_line(error))
    differences = {layer: _difference(array[rows], again[layer]) for layer, array in features.items()}
    changed = [layer for layer, difference in differences.items() if not difference <= tolerance]
    largest = max(differences.values())
    if changed:
        return Check(
            name,
            Status.failed,
            f"features differ by up to {largest:.2g} of the layer's largest value: {first_few(changed)}; "
            "look for dropout, batch statistics or random preprocessing",
        )
    return Check(
        name, Status.passed, f"within {largest:.1g} of the layer's largest value (tolerance {tolerance:g})"
    )


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape:
        return np.inf
    scale = float(np.abs(first).max()) or 1.0
    return float(np.abs(first.astype(np.float64) - second).max()) / scale


def _mode(candidate: Candidate) -> list[Check]:
    if not isinstance(candidate.model, NetworkModel):
        return []
    training = [name or "the network" for name, m in candidate.model.network.named_modules() if m.training]
    if training:
        return [Check("eval mode", Status.failed, f"in train mode after a pass: {first_few(training)}")]
    return [Check("eval mode", Status.passed, "no module is in train mode")]
