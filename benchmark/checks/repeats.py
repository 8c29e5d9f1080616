"""The features of a stimulus are its own: the same twice, alone and in a batch, in any order."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from benchmark.checks.check import Check, Status, Subject, of_rows, said, some
from benchmark.extraction import NetworkModel

#: Greatest difference allowed, relative to the largest value of the layer. A batch of another size is summed
#: in another order, which costs float32 some 1e-6; dropout or batch statistics cost 1e-2 and more.
TOLERANCE = {"cpu": 1e-4}
_ELSEWHERE = 1e-3


def check(subject: Subject, features: Mapping[str, np.ndarray]) -> list[Check]:
    """Compare ``features`` with those of three further passes."""
    n = len(subject.stimuli)
    passes = {"twice": list(range(n)), "in any order": list(range(n))[::-1], "alone": [0]}
    found = [_same(subject, features, name, rows) for name, rows in passes.items()]
    return [*found, *_mode(subject)]


def _same(subject: Subject, features: Mapping[str, np.ndarray], name: str, rows: list[int]) -> Check:
    tolerance = TOLERANCE.get(subject.device, _ELSEWHERE)
    with warnings.catch_warnings():
        # a torch layer with batch statistics of one stimulus: what is wrong is said below
        warnings.simplefilter("ignore")
        try:
            again = subject.model.features(
                of_rows(subject.stimuli, rows), list(features), device=subject.device
            )
        except Exception as error:  # batch statistics of one value
            return Check(name, Status.failed, said(error))
    worst = {layer: _difference(array[rows], again[layer]) for layer, array in features.items()}
    apart = [layer for layer, difference in worst.items() if not difference <= tolerance]
    largest = max(worst.values())
    if apart:
        return Check(
            name,
            Status.failed,
            f"other features, by up to {largest:.2g} of the layer's largest value: {some(apart)}; dropout, "
            "batch statistics or random preprocessing is at work",
        )
    return Check(
        name, Status.passed, f"within {largest:.1g} of the layer's largest value (tolerance {tolerance:g})"
    )


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape:
        return np.inf
    scale = float(np.abs(first).max()) or 1.0
    return float(np.abs(first.astype(np.float64) - second).max()) / scale


def _mode(subject: Subject) -> list[Check]:
    if not isinstance(subject.model, NetworkModel):
        return []
    training = [name or "the network" for name, m in subject.model.network.named_modules() if m.training]
    if training:
        return [Check("eval mode", Status.failed, f"in train mode after a pass: {some(training)}")]
    return [Check("eval mode", Status.passed, "no module is in train mode")]
