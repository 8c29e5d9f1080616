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
#: Pairs that a correlation needs: two pairs always agree or disagree fully
FEWEST_PAIRS = 3
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
    _require_finite(array, _greatest(array), name)
    return array


def as_rdm(values: ArrayLike, name: str, *, missing: bool = False) -> Float64:
    """``values`` as a float64 RDM.

    It must be square, finite and symmetric, with a zero diagonal and at least three conditions. With
    ``missing`` a pair may be NaN, in both halves; at least three pairs must be left.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"{name} has shape {array.shape}: expected a square RDM (n, n)")
    if len(array) < 3:
        raise ValueError(f"{name} has {len(array)} conditions: at least 3 are needed")
    greatest = _greatest(array)
    if missing and np.isnan(greatest):
        filled = _without_missing(array, name)
        _require_rdm(filled, _greatest(filled), name)
    else:
        _require_rdm(array, greatest, name)
    return array


def as_rdms(values: ArrayLike, name: str, *, missing: bool = False) -> Float64:
    """``values`` as a stack of RDMs (s, n, n). A single RDM (n, n) becomes a stack of one."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or len(array) == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected RDMs (s, n, n), one per subject")
    for i, subject in enumerate(array):
        as_rdm(subject, f"{name}[{i}]", missing=missing)
    return array


def require_pairs(count: int, what: str) -> None:
    """Raise unless ``count`` pairs are enough for a correlation. ``what`` begins the message."""
    if count < FEWEST_PAIRS:
        pairs = "1 pair" if count == 1 else f"{count} pairs"
        raise ValueError(f"{what} {pairs} of conditions that are not NaN: at least {FEWEST_PAIRS} are needed")


def _require_rdm(array: Float64, largest: float, name: str) -> None:
    _require_finite(array, largest, name)
    if _asymmetry(array) > _TOLERANCE * largest:
        raise ValueError(f"{name} of shape {array.shape} is not symmetric: expected an RDM")
    if np.abs(np.diagonal(array)).max() > _TOLERANCE * largest:
        raise ValueError(f"{name} of shape {array.shape} has a diagonal that is not zero: expected an RDM")


def _without_missing(array: Float64, name: str) -> Float64:
    """A copy of ``array`` with 0 for its pairs that are NaN. Raises if a NaN is no pair."""
    absent = np.isnan(array)
    on_diagonal = np.flatnonzero(np.diagonal(absent))
    if len(on_diagonal):
        where = rows_in_words(on_diagonal)
        raise ValueError(f"{name} of shape {array.shape} has NaN on its diagonal in {where}: write 0 there")
    one_way = np.argwhere(absent & ~absent.T)
    if len(one_way):
        i, j = one_way[0]
        raise ValueError(
            f"{name} of shape {array.shape} is NaN in row {i}, column {j}, and {array[j, i]:g} the other "
            "way: write the same value, or NaN, in both"
        )
    require_pairs(int((~absent).sum() - len(array)) // 2, f"{name} of shape {array.shape} has")
    return np.where(absent, 0, array)


def _greatest(array: Floats) -> float:
    """The greatest absolute value of a matrix. It is not finite if any value is not."""
    return max(float(array.max(initial=0)), -float(array.min(initial=0)))


def _require_finite(array: Floats, largest: float, name: str) -> None:
    """Raise if ``largest``, the greatest absolute value of a matrix, is not finite, and name the rows."""
    if not np.isfinite(largest):
        rows = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise ValueError(f"{name} of shape {array.shape} is not finite in {rows_in_words(rows)}")


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
