"""What a result holds for the comparison of two models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.inference import Perturbed
from benchmark.results.schema import CellResult


def perturbed_of(cell: CellResult, arrays: Mapping[str, np.ndarray]) -> Perturbed:
    """The score of the best layer on all concepts, with its changes.

    Parameters
    ----------
    cell : CellResult
        A scored cell.
    arrays : mapping of str to ndarray
        The arrays that are stored beside it.

    Returns
    -------
    Perturbed
        For :func:`benchmark.inference.paired_difference`.
    """
    layer = next(layer for layer in cell.layers if layer.name == cell.best_layer)
    concepts, pairs = arrays["perturbed"]
    score = layer.metrics[str(cell.metric)].score
    return Perturbed(np.nan if score is None else score, concepts, pairs, cell.n or 0)
