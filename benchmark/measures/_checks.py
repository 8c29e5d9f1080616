"""Checks of arguments. A message names the argument, its shape and what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]

#: A margin smaller than this is a tie: it is zero up to the rounding of float64
TIE = 1e-12
#: Largest error of symmetry and of the zero diagonal, as a share of the greatest dissimilarity
_TOLERANCE = 1e-5
#: Number of rows and of columns of a tile
_TILE = 256


def as_matrix(values: ArrayLike, name: str) -> Floats:
    """``values`` as a finite (n, d) array: float32 stays float32, everything else becomes float64."""
    array = np.asarray(values)
    if np.iscomplexobj(array):
        raise ValueError(f"{name} of shape {array.shape} is complex: expected real numbers")
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected (n, d), one row per condition")
    _largest(array, name)
    return array


def as_rdm(values: ArrayLike, name: str) -> Float64:
    """``values`` as a float64 RDM.

    It must be square, finite and symmetric, with a zero diagonal and at least three conditions.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"{name} has shape {array.shape}: expected a square RDM (n, n)")
    if len(array) < 3:
        raise ValueError(f"{name} has {len(array)} conditions: at least 3 are needed")
    largest = _largest(array, name)
    if _asymmetry(array) > _TOLERANCE * largest:
        raise ValueError(f"{name} of shape {array.shape} is not symmetric: expected an RDM")
    if np.abs(np.diagonal(array)).max() > _TOLERANCE * largest:
        raise ValueError(f"{name} of shape {array.shape} has a diagonal that is not zero: expected an RDM")
    return array


def as_rdms(values: ArrayLike, name: str) -> Float64:
    """``values`` as a stack of RDMs (s, n, n). A single RDM (n, n) becomes a stack of one."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or len(array) == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected RDMs (s, n, n), one per subject")
    for i, subject in enumerate(array):
        as_rdm(subject, f"{name}[{i}]")
    return array


def _largest(array: Floats, name: str) -> float:
    """The greatest absolute value of a matrix. Raises if a value is not finite, and names the rows."""
    largest = max(float(array.max(initial=0)), -float(array.min(initial=0)))
    if not np.isfinite(largest):
        rows = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise ValueError(f"{name} of shape {array.shape} is not finite in {rows_in_words(rows)}")
    return largest


def _asymmetry(array: Float64) -> float:
    """The greatest difference between an entry and its mirror image.

    The matrix is compared tile by tile, so that a tile and its mirror image both stay in the cache.
    """
    return max(
        float(np.abs(array[i : i + _TILE, j : j + _TILE] - array[j : j + _TILE, i : i + _TILE].T).max())
        for i in range(0, len(array), _TILE)
        for j in range(i, len(array), _TILE)
    )


def require_draws(n: int) -> None:
    """Raise unless ``n``, the number of permutations, is at least one."""
    if n < 1:
        raise ValueError(f"n is {n}: at least one permutation is needed for a p-value")


def rows_in_words(rows: NDArray[np.intp]) -> str:
    """Row numbers for a message: the first five of ``rows``, then how many more there are."""
    shown = ", ".join(str(row) for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"
