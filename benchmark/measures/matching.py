"""How often a transport plan finds the right match."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix


def matching_hits(plan: ArrayLike, k: int = 1) -> Float64:
    """Whether the right match of each row is among its k greatest entries.

    The right match of row i is column i. Where entries are tied with it at the edge, the hit is the share of
    ways to break the tie that take it in: a plan without information scores k / n, not 1.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan; only the order within each row matters.
    k : int
        1 <= k <= n.

    Returns
    -------
    ndarray, shape (n,)
        Within [0, 1]; 1 is a hit.

    Raises
    ------
    ValueError
        If the plan is not square or not finite, or ``k`` is out of range.
    """
    values = _square(plan)
    return _hits(values, np.eye(len(values), dtype=bool), k)


def matching_rate(plan: ArrayLike, k: int = 1) -> float:
    """Mean of :func:`matching_hits`; chance is k / n.

    References
    ----------
    Sasaki, Takeda, Abe & Oizumi (2023), bioRxiv 2023.09.15.558038 (GWTune).
    """
    return float(matching_hits(plan, k).mean())


def category_matching_hits(plan: ArrayLike, categories: Sequence[Hashable], k: int = 1) -> Float64:
    """Whether any of the k greatest entries of each row is of the row's category.

    Ties at the edge count as in :func:`matching_hits`. A row without a category (None) is NaN, and no column
    without a category is a match.

    Parameters
    ----------
    plan : array_like, shape (n, n)
    categories : sequence of hashable or None, length n
        Category of each row, which is that of the column of the same number.
    k : int

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        As :func:`matching_hits`, and if there is not one category a row.
    """
    values = _square(plan)
    if len(categories) != len(values):
        raise ValueError(
            f"categories has length {len(categories)}: expected {len(values)}, one a row of plan"
        )
    number = {category: i for i, category in enumerate(dict.fromkeys(categories)) if category is not None}
    codes = np.array([number.get(category, -1) for category in categories])
    known = codes >= 0
    hits = _hits(values, (codes[:, None] == codes) & known, k)
    hits[~known] = np.nan
    return hits


def category_matching_rate(plan: ArrayLike, categories: Sequence[Hashable], k: int = 1) -> float:
    """Mean of :func:`category_matching_hits` over the rows that have a category (NaN where none has)."""
    hits = category_matching_hits(plan, categories, k)
    known = hits[~np.isnan(hits)]
    return float(known.mean()) if len(known) else float("nan")


def _square(plan: ArrayLike) -> Float64:
    values = as_matrix(plan, "plan").astype(np.float64)
    if values.shape[0] != values.shape[1]:
        raise ValueError(f"plan has shape {values.shape}: expected (n, n), the same conditions on both sides")
    return values


def _hits(values: Float64, right: np.ndarray, k: int) -> Float64:
    """Chance that a column marked ``right`` is among the k greatest, ties broken at random."""
    n = len(values)
    if not 1 <= k <= n:
        raise ValueError(f"k is {k}: expected 1 to {n}, the number of columns of plan")
    edge = -np.partition(-values, k - 1, axis=1)[:, k - 1 : k]
    above = values > edge
    tied = values == edge
    hits: Float64 = (above & right).any(axis=1).astype(np.float64)
    places = k - above.sum(axis=1)
    candidates = tied.sum(axis=1)
    wrong = (tied & ~right).sum(axis=1)
    # All places at the edge go to wrong columns with probability C(wrong, places) / C(candidates, places).
    for row in np.flatnonzero((hits == 0) & (wrong < candidates)):
        missed = 1.0
        for taken in range(places[row]):
            missed *= max(wrong[row] - taken, 0) / (candidates[row] - taken)
        hits[row] = 1 - missed
    return hits
