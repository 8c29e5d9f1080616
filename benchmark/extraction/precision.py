"""Precision of the forward pass: bfloat16 is allowed only if it changes no RDM."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from benchmark.common.errors import BenchError

#: Values of ``params: {precision: ...}``
PRECISIONS = ("float32", "bfloat16")
#: Pearson correlation that the RDMs of both precisions must reach in every layer
AGREEMENT = 0.9999
#: Least number of stimuli for a comparison of RDMs. Fewer stimuli are passed in float32.
FEWEST = 4


def arithmetic(precision: str, device: str) -> AbstractContextManager[object]:
    """A context in which forward passes compute in another precision.

    Matrix products and convolutions change, sums do not.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        The precision.
    device : str
        Where the network runs: "cpu", "cuda" or "mps".
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16)


def require_same_rdms(
    model: str, exact: Mapping[str, torch.Tensor], reduced: Mapping[str, torch.Tensor]
) -> None:
    """Refuse a precision that changes the RDM of a layer.

    Parameters
    ----------
    model : str
        Name of the model, for the error message.
    exact, reduced : mapping of str to Tensor, shape (n, d)
        Features of the same stimuli by layer, in float32 and in the other precision.

    Raises
    ------
    BenchError
        If the correlation-distance RDMs of a layer correlate below :data:`AGREEMENT`, or are undefined.
    """
    for layer, features in exact.items():
        exact_distances, reduced_distances = (
            _distances(x.double().cpu().numpy()) for x in (features, reduced[layer])
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            agreement = np.corrcoef(exact_distances, reduced_distances)[0, 1]
        if not agreement >= AGREEMENT:
            raise BenchError(
                f"{model}: bfloat16 changes layer {layer!r}: its RDM of the first {len(features)} stimuli "
                f"correlates {agreement:.5f} with that in float32, at least {AGREEMENT} is required; remove "
                "params.precision from the entry"
            )


def _distances(features: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.atleast_2d(np.corrcoef(features))
    distances: np.ndarray = 1 - correlations[np.triu_indices(len(features), 1)]
    return distances
