"""The check that a matrix can be an RDM, with the reason and the place where it cannot.

A pair that was not measured is NaN, in both halves of the matrix.
"""

from __future__ import annotations

import numpy as np


def rdm_fault(rdm: np.ndarray, ids: tuple[str, ...], scale: float) -> str | None:
    """What is wrong with the RDM of one subject, for an error message; None: nothing is.

    Parameters
    ----------
    rdm : ndarray, shape (n, n)
        The RDM.
    ids : tuple of str, length n
        Ids of its rows.
    scale : float
        The greatest value of all subjects. What is a millionth of it counts as zero.
    """
    diagonal = np.diagonal(rdm)
    if not np.isfinite(diagonal).all():
        i = int(np.argmin(np.isfinite(diagonal)))
        return f"has values on its diagonal that are not finite, first for {ids[i]!r}; write 0 there"
    if np.isinf(rdm).any():
        i, j = np.argwhere(np.isinf(rdm))[0]
        return f"is infinite, first for {ids[i]!r} and {ids[j]!r}; write NaN where a pair is missing"
    absent = np.isnan(rdm)
    if absent.any():
        fault = _missing_fault(rdm, absent, ids)
        if fault is not None:
            return fault
        rdm = np.where(absent, 0, rdm)
    difference = np.abs(rdm - rdm.T)
    if difference.max() > 1e-6 * scale:
        i, j = np.unravel_index(difference.argmax(), difference.shape)
        return (
            f"is not symmetric: {rdm[i, j]:g} for {ids[i]!r} and {ids[j]!r}, {rdm[j, i]:g} the other way; "
            f"average the two halves if both were measured"
        )
    if np.abs(diagonal).max() > 1e-6 * scale:
        i = int(np.abs(diagonal).argmax())
        fault = f"has a diagonal that is not zero: {diagonal[i]:g} for {ids[i]!r}"
        alike = len(rdm) > 1 and (diagonal >= rdm.max(axis=1)).all()
        return f"{fault}; it is a matrix of similarities: give 1 - similarity" if alike else fault
    return None


def _missing_fault(rdm: np.ndarray, absent: np.ndarray, ids: tuple[str, ...]) -> str | None:
    one_way = np.argwhere(absent & ~absent.T)
    if len(one_way):
        i, j = one_way[0]
        return (
            f"is NaN for {ids[i]!r} and {ids[j]!r}, and {rdm[j, i]:g} the other way; "
            f"write the same value, or NaN, in both"
        )
    if np.count_nonzero(~absent) == len(rdm):
        return f"has no pair of its {len(rdm)} ids that is not NaN; leave the subject out"
    return None


def pairs_of(rdms: np.ndarray) -> np.ndarray:
    """Number of pairs that are not NaN in each of ``rdms`` (s, n, n), (s,)."""
    counts: np.ndarray = (np.count_nonzero(~np.isnan(rdms), axis=(1, 2)) - rdms.shape[1]) // 2
    return counts


def comparable(rdms: np.ndarray) -> np.ndarray:
    """Whether each of ``rdms`` (s, n, n) has all its pairs, or at least three, (s,)."""
    from benchmark.measures._checks import FEWEST_PAIRS  # slow to import: scipy

    n, counts = rdms.shape[1], pairs_of(rdms)
    enough: np.ndarray = (counts >= FEWEST_PAIRS) | (counts == n * (n - 1) // 2)
    return enough
