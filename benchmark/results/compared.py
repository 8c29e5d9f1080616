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


def concepts_of(cell: CellResult) -> tuple[int | None, str | None]:
    """What two cells of a binding share if, and only if, they were scored on the same concepts.

    Parameters
    ----------
    cell : CellResult

    Returns
    -------
    tuple of (int or None) and (str or None)
        The number of concepts, and the stimuli of a model that does not cover all of them: two halves of the
        concepts have one number.
    """
    partly = "uncovered" in cell.counts
    return cell.n, str(cell.key.get("features", {}).get("stimuli")) if partly else None


def same_concepts(first: CellResult, second: CellResult) -> bool:
    """Whether two cells of a binding were scored on the same concepts (:func:`concepts_of`)."""
    return concepts_of(first) == concepts_of(second)
