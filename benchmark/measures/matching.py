"""How often a transport plan matches a condition with itself.

Here ``plan`` is a transport plan (n, n): row i and column i are the same condition. Only the order of the
entries within a row matters. ``k`` is the number of greatest entries of a row that are taken.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures.permutation import PermutationTest


def matching_hits(plan: ArrayLike, k: int = 1) -> Float64:
    """Whether the right match of each row is among its k greatest entries.

    The right match of row i is column i. Where entries tie at the last of the k places, ties are broken at
    random: the hit is then the probability that the right match is taken. So a plan without information
    scores k / n, not 1.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan. Only the order within each row matters.
    k : int
        Number of greatest entries that are taken, 1 to n.

    Returns
    -------
    ndarray, shape (n,)
        Within [0, 1]. 1 is a hit, 0 is a miss.

    Raises
    ------
    ValueError
        If the plan is not square or not finite, or ``k`` is out of range.

    Examples
    --------
    Rows 0 and 1 are right. In row 2 two entries tie, and one of them is right.

    >>> from benchmark.measures import matching_hits
    >>> plan = [[3, 1, 0], [0, 4, 1], [2, 0, 2]]
    >>> matching_hits(plan)
    array([1. , 1. , 0.5])
    """
    values = _square(plan)
    return _hits(values, np.eye(len(values), dtype=bool), k)


def matching_rate(plan: ArrayLike, k: int = 1) -> float:
    """Mean of :func:`matching_hits`. Chance is k / n.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan. Only the order within each row matters.
    k : int
        Number of greatest entries that are taken, 1 to n.

    Returns
    -------
    float
        Within [0, 1]; greater is better.

    Raises
    ------
    ValueError
        If the plan is not square or not finite, or ``k`` is out of range.

    References
    ----------
    Sasaki, Takeda, Abe & Oizumi (2023), bioRxiv 2023.09.15.558038 (GWTune).

    Examples
    --------
    >>> from benchmark.measures import matching_rate
    >>> plan = [[5, 2, 1, 0], [0, 5, 1, 2], [5, 1, 2, 0], [1, 2, 3, 4]]
    >>> matching_rate(plan)
    0.75
    >>> matching_rate(plan, k=2)
    1.0
    """
    return float(matching_hits(plan, k).mean())


def category_matching_hits(plan: ArrayLike, categories: Sequence[Hashable], k: int = 1) -> Float64:
    """Whether any of the k greatest entries of each row is of the row's category.

    Ties at the last of the k places count as in :func:`matching_hits`. A row without a category (None) is
    NaN, and a column without a category is never a match.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan. Only the order within each row matters.
    categories : sequence of hashable or None, length n
        Category of each row. The column of the same number has the same category.
    k : int
        Number of greatest entries that are taken, 1 to n.

    Returns
    -------
    ndarray, shape (n,)
        Within [0, 1]: 1 is a hit, 0 is a miss. NaN where the row has no category.

    Raises
    ------
    ValueError
        As :func:`matching_hits`, or if the number of categories is not n.

    Examples
    --------
    The first animal is matched with the other animal: the right category. The last condition has no category.

    >>> from benchmark.measures import category_matching_hits
    >>> plan = [[1, 5, 0, 0], [0, 1, 5, 0], [0, 0, 5, 1], [0, 0, 0, 5]]
    >>> category_matching_hits(plan, ["animal", "animal", "tool", None])
    array([ 1.,  0.,  1., nan])
    """
    values = _square(plan)
    _require_length(categories, values)
    codes = category_codes(categories)
    known = codes >= 0
    hits = _hits(values, (codes[:, None] == codes) & known, k)
    hits[~known] = np.nan
    return hits


def category_matching_rate(plan: ArrayLike, categories: Sequence[Hashable], k: int = 1) -> float:
    """Mean of :func:`category_matching_hits` over the rows that have a category.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan. Only the order within each row matters.
    categories : sequence of hashable or None, length n
        Category of each row. The column of the same number has the same category.
    k : int
        Number of greatest entries that are taken, 1 to n.

    Returns
    -------
    float
        Within [0, 1]; greater is better. NaN if no row has a category.

    Raises
    ------
    ValueError
        As :func:`category_matching_hits`.

    Examples
    --------
    >>> from benchmark.measures import category_matching_rate
    >>> plan = [[1, 5, 0, 0], [0, 1, 5, 0], [0, 0, 5, 1], [0, 0, 0, 5]]
    >>> category_matching_rate(plan, ["animal", "animal", "tool", "tool"])
    0.75
    """
    hits = category_matching_hits(plan, categories, k)
    known = hits[~np.isnan(hits)]
    return float(known.mean()) if len(known) else float("nan")


def matching_permutation(
    plan: ArrayLike,
    rng: np.random.Generator,
    *,
    categories: Sequence[Hashable] | None = None,
    permutations: int = 1000,
) -> PermutationTest:
    """Test a top-1 matching rate against those of the same plan with its rows' labels permuted.

    The null hypothesis says that which row is which condition has no effect: the rows of the plan could be
    exchanged. What the plan prefers, and how large the categories are, stays.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan. Only the greatest entries of each row matter; entries that tie share the hit.
    rng : numpy.random.Generator
        Draws the permutations.
    categories : sequence of hashable or None, length n, optional
        If given, the rate of categories is tested (:func:`category_matching_rate`), else that of conditions.
    permutations : int
        Number of permutations.

    Returns
    -------
    PermutationTest
        NaN where no row has a category.

    Raises
    ------
    ValueError
        As :func:`category_matching_hits`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import matching_permutation
    >>> test = matching_permutation(np.eye(20), np.random.default_rng(0))
    >>> test.score, round(test.chance, 2), round(test.p, 3)
    (1.0, 0.05, 0.001)
    """
    values = _square(plan)
    share = greatest_share(values)
    labels = np.arange(len(values))
    if categories is not None:
        _require_length(categories, values)
        labels = category_codes(categories)
        share = share @ (labels[:, None] == np.arange(labels.max() + 1))

    def rate(labels: NDArray[np.int64]) -> float:
        rows = np.flatnonzero(labels >= 0)
        return float(share[rows, labels[rows]].mean()) if len(rows) else float("nan")

    score = rate(labels)
    null = np.array([rate(rng.permutation(labels)) for _ in range(permutations)])
    return PermutationTest(null, float("nan"), score) if np.isnan(score) else PermutationTest.of(score, null)


def greatest_share(plan: Float64) -> Float64:
    """1 at the greatest entry of each row of ``plan`` (n, m), shared by those that tie, and 0 elsewhere."""
    greatest = plan == plan.max(axis=1, keepdims=True)
    share: Float64 = greatest / np.count_nonzero(greatest, axis=1)[:, None]
    return share


def category_codes(categories: Sequence[Hashable]) -> NDArray[np.int64]:
    """A number for each of the ``categories`` (n,), -1 where there is none (None)."""
    number = {category: i for i, category in enumerate(dict.fromkeys(categories)) if category is not None}
    return np.array([number.get(category, -1) for category in categories], dtype=np.int64)


def _require_length(categories: Sequence[Hashable], plan: Float64) -> None:
    if len(categories) != len(plan):
        raise ValueError(
            f"categories has length {len(categories)}: expected {len(plan)}, one per row of plan"
        )


def _square(plan: ArrayLike) -> Float64:
    values = as_matrix(plan, "plan").astype(np.float64)
    if values.shape[0] != values.shape[1]:
        raise ValueError(f"plan has shape {values.shape}: expected (n, n), the same conditions on both sides")
    return values


def _hits(values: Float64, is_right: np.ndarray, k: int) -> Float64:
    """Probability that a column marked ``is_right`` is among the k greatest, with ties broken at random."""
    n = len(values)
    if not 1 <= k <= n:
        raise ValueError(f"k is {k}: expected 1 to {n}, the number of columns of plan")
    edge = -np.partition(-values, k - 1, axis=1)[:, k - 1 : k]
    above = values > edge
    tied = values == edge
    hits: Float64 = (above & is_right).any(axis=1).astype(np.float64)
    places = k - above.sum(axis=1)
    candidates = tied.sum(axis=1)
    wrong = (tied & ~is_right).sum(axis=1)
    # Probability that wrong columns take all tied places: C(wrong, places) / C(candidates, places).
    for row in np.flatnonzero((hits == 0) & (wrong < candidates)):
        missed = 1.0
        for place in range(places[row]):
            missed *= max(wrong[row] - place, 0) / (candidates[row] - place)
        hits[row] = 1 - missed
    return hits
