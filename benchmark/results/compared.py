"""What a result holds for the comparison of two models."""

from __future__ import annotations

import numpy as np

from benchmark.inference import Perturbed
from benchmark.results.schema import CellResult


def perturbed_of(cell: CellResult) -> Perturbed | None:
    """The score of the best layer on all concepts, with its changes.

    Parameters
    ----------
    cell : CellResult
        Any cell.

    Returns
    -------
    Perturbed or None
        For :func:`benchmark.inference.paired_difference`. None: the cell holds no changes.
    """
    layer = next((layer for layer in cell.layers if layer.name == cell.best_layer), None)
    if cell.perturbed is None or layer is None or cell.metric not in layer.metrics:
        return None
    concepts, pairs = np.array(cell.perturbed, dtype=np.float64)
    score = layer.metrics[cell.metric].score
    return Perturbed(np.nan if score is None else score, concepts, pairs, cell.n or 0)


def same_concepts(first: CellResult, second: CellResult) -> bool:
    """Whether two cells of a binding were scored on the same concepts.

    Parameters
    ----------
    first, second : CellResult
        If one of their models does not cover all stimuli, both have to cover the same ones: two halves of the
        concepts have one number.

    Returns
    -------
    bool
    """
    shown = [cell.key.get("features", {}).get("stimuli") for cell in (first, second)]
    partly = "uncovered" in first.counts or "uncovered" in second.counts
    return first.n == second.n and (not partly or shown[0] == shown[1])
