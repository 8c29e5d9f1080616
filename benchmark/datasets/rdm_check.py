"""The check that a matrix can be an RDM, with the reason and the place where it cannot."""

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
    if not np.isfinite(rdm).all():
        i, j = np.argwhere(~np.isfinite(rdm))[0]
        if i == j and np.isfinite(rdm[~np.eye(len(rdm), dtype=bool)]).all():
            return f"has values on its diagonal that are not finite, first for {ids[i]!r}; write 0 there"
        return f"has values that are not finite, first for {ids[i]!r} and {ids[j]!r}"
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
