"""From numbers to RDMs: stacks and vectors of pairs become squares, similarities become dissimilarities.

``where``, wherever a function takes it, names the file and the subject in error messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.rdm_check import rdm_fault

#: Orders of the pairs of the upper triangle, and who writes them
ORDERS = {
    "rows": "row by row: squareform of scipy, pdist of MATLAB, dist of R",
    "columns": "column by column: M(triu(true(n),1)) in MATLAB, tril_indices of numpy",
}

#: Rules by which similarities s become dissimilarities
SIMILARITIES = {
    "one-minus": "1 - s, for correlations and cosines",
    "max-minus": "the greatest s less s",
    "negative": "-s, for similarities of 0 or less",
}


def squares(values: np.ndarray, n: int, order: str | None, where: str, diagonal: float = 0.0) -> np.ndarray:
    """RDMs from an array of any usual shape.

    Parameters
    ----------
    values : ndarray
        A square (n, n); a stack (s, n, n) or (n, n, s); pairs (p,), (s, p) or (p, s), p = n (n - 1) / 2.
    n : int
        Number of ids.
    order : str or None
        For pairs: one of :data:`ORDERS`. None: not known.
    where : str
        For error messages.
    diagonal : float
        For pairs, which have none: what stands on the diagonal.

    Returns
    -------
    ndarray, shape (s, n, n)

    Raises
    ------
    DataError
        If no shape fits ``n`` ids, or two do, or the order of the pairs is not known.
    """
    pairs, shape = n * (n - 1) // 2, values.shape
    if shape == (n, n):
        return values[None]
    if values.ndim == 3 and n in shape:
        return _stack(values, n, where)
    if values.ndim == 2 and pairs in shape:
        if shape == (pairs, pairs):
            raise DataError(
                f"{where}: {pairs} x {pairs} numbers: is a subject a row or a column? give a file each"
            )
        return _from_pairs(values if shape[1] == pairs else values.T, n, order, where, diagonal)
    if shape == (pairs,):
        return _from_pairs(values[None], n, order, where, diagonal)
    raise DataError(
        f"{where}: an array of shape {shape} for {n} ids; expected ({n}, {n}), (subjects, {n}, {n}), "
        f"({pairs},) or (subjects, {pairs}); RDMs at several times or regions need --times or --regions"
    )


def _stack(values: np.ndarray, n: int, where: str) -> np.ndarray:
    """A stack with its subjects first; where n subjects leave that open, the symmetric axes are the RDMs."""
    fits = [stack for stack in (values, np.moveaxis(values, -1, 0)) if stack.shape[1:] == (n, n)]
    if len(fits) == 2:
        fits = [stack for stack in fits if np.allclose(stack, stack.transpose(0, 2, 1), equal_nan=True)]
    if len(fits) != 1:
        raise DataError(
            f"{where}: a stack of shape {values.shape} for {n} ids: which axis are the subjects? "
            f"expected (subjects, {n}, {n})"
        )
    return fits[0]


def _from_pairs(vectors: np.ndarray, n: int, order: str | None, where: str, diagonal: float) -> np.ndarray:
    if order is None and n > 3:  # the two orders are one up to three ids
        asked = ", or ".join(f"--order {name} ({who})" for name, who in ORDERS.items())
        raise DataError(f"{where}: in which order are the {vectors.shape[1]} pairs? give {asked}")
    rows, columns = np.triu_indices(n, 1)
    if order == "columns":
        columns, rows = np.tril_indices(n, -1)
    rdms = np.full((len(vectors), n, n), diagonal)
    rdms[:, rows, columns] = rdms[:, columns, rows] = vectors
    return rdms


def dissimilarities(square: np.ndarray, rule: str | None, ids: Sequence[str], where: str) -> np.ndarray:
    """The RDM of one subject, checked.

    Parameters
    ----------
    square : ndarray, shape (n, n)
        Dissimilarities; or, with a rule, similarities. Their diagonal may be missing (NaN).
    rule : str or None
        One of :data:`SIMILARITIES`. None: these are dissimilarities.
    ids : sequence of str, length n
    where : str
        For error messages.

    Returns
    -------
    ndarray, shape (n, n)

    Raises
    ------
    DataError
        If these look like similarities and no rule is named, the rule does not fit, or the matrix is no RDM.
    """
    if rule is not None:
        square = _turned(square, rule, ids, where)
    elif _looks_similar(square):
        asked = ", ".join(f"{name} ({what})" for name, what in SIMILARITIES.items())
        raise DataError(
            f"{where}: the diagonal, {square[0, 0]:g} for {ids[0]!r}, holds the greatest values: these are "
            f"similarities; name a rule with --similarity: {asked}"
        )
    scale = max(float(np.abs(np.where(np.isfinite(square), square, 0)).max()), 1e-300)
    fault = rdm_fault(square, tuple(ids), scale)
    if fault is not None:
        raise DataError(f"{where}: RDM {fault}")
    return square


def _looks_similar(square: np.ndarray) -> bool:
    """Whether nothing is more like an id than itself: also where all values are negative, as -distance is."""
    diagonal, known = np.diagonal(square), np.where(np.isfinite(square), square, -np.inf)
    lower = np.isfinite(square) & (square < diagonal[:, None])
    return bool((diagonal >= known.max(axis=1)).all() and ((diagonal > 0).all() or lower.any()))


def _turned(square: np.ndarray, rule: str, ids: Sequence[str], where: str) -> np.ndarray:
    if rule not in SIMILARITIES:
        raise UsageError(f"--similarity {rule}: no such rule; expected one of {', '.join(SIMILARITIES)}")
    diagonal = np.diagonal(square)
    pairs = np.where(np.eye(len(square), dtype=bool), np.nan, square)
    if rule == "one-minus" and not (np.isnan(diagonal) | np.isclose(diagonal, 1)).all():
        i = int(np.argmax(~(np.isnan(diagonal) | np.isclose(diagonal, 1))))
        raise DataError(
            f"{where}: the similarity of {ids[i]!r} to itself is {diagonal[i]:g}; one-minus needs 1 there: "
            "are these dissimilarities already, or is max-minus the rule?"
        )
    if rule == "negative" and np.nanmax(pairs) > 0:
        raise DataError(f"{where}: has similarities greater than 0; negative needs 0 or less: take max-minus")
    greatest = {"one-minus": 1.0, "negative": 0.0}.get(rule, np.nanmax(square))
    turned: np.ndarray = greatest - pairs
    np.fill_diagonal(turned, 0)
    return turned
