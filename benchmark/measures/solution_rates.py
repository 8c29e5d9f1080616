"""All matching rates of a solution of GWOT, by name, and those of random plans."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64
from benchmark.measures.matching import category_matching_hits, matching_hits

#: k of the top-k rates, and name of the rate of categories
TOP, CATEGORY = (1, 5, 10), "category"
#: Number of entries of random plans that are drawn for the chance level
_CHANCE_ENTRIES = 20_000_000
#: Percentiles of the rate of a random plan that are kept
_BAND = (5, 95)


def has_categories(categories: Sequence[Hashable] | None) -> TypeGuard[Sequence[Hashable]]:
    """Whether any condition has a category.

    Parameters
    ----------
    categories : sequence of hashable or None, length n, or None
        Category of each condition; None: it has none.

    Examples
    --------
    >>> has_categories(["animal", None]), has_categories([None, None]), has_categories(None)
    (True, False, False)
    """
    return categories is not None and any(category is not None for category in categories)


def solution_hits(
    plan: ArrayLike, entropic_plan: ArrayLike, categories: Sequence[Hashable] | None = None
) -> dict[str, Float64]:
    """Hit of each condition by rate: ``top1``, ``top5``, ``top10`` and, if there are any, ``category``.

    A solution without entropy is mostly an assignment, which has no second choice. So ``top1`` is that of
    the solution, and the others are those of the entropic plan around it.

    Parameters
    ----------
    plan : array_like, shape (n, n)
        Transport plan of the solution. Row i and column i are the same condition.
    entropic_plan : array_like, shape (n, n)
        The entropic plan around it.
    categories : sequence of hashable or None, length n, optional
        Category of each condition; None: it has none.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Within [0, 1]; 1 is a hit. With fewer than k conditions ``topk`` takes them all. ``category`` is NaN
        for a condition without a category.

    Raises
    ------
    ValueError
        As :func:`matching_hits`.

    Examples
    --------
    >>> import numpy as np
    >>> {name: float(hits.mean()) for name, hits in solution_hits(np.eye(8), np.ones((8, 8))).items()}
    {'top1': 1.0, 'top5': 0.625, 'top10': 1.0}
    """
    n = len(np.asarray(plan))
    hits = {f"top{k}": matching_hits(plan if k == 1 else entropic_plan, min(k, n)) for k in TOP}
    if has_categories(categories):
        hits[CATEGORY] = category_matching_hits(entropic_plan, categories)
    return hits


def solution_rates(
    plan: ArrayLike, entropic_plan: ArrayLike, categories: Sequence[Hashable] | None = None
) -> dict[str, float]:
    """Mean over conditions of :func:`solution_hits`, by rate.

    Parameters
    ----------
    plan, entropic_plan, categories
        As in :func:`solution_hits`.

    Returns
    -------
    dict of str to float
        Within [0, 1]; greater is better. Conditions without a category are left out of ``category``.

    Examples
    --------
    >>> import numpy as np
    >>> solution_rates(np.eye(2), np.eye(2)[::-1], ["animal", "animal"])
    {'top1': 1.0, 'top5': 1.0, 'top10': 1.0, 'category': 1.0}
    """
    hits = solution_hits(plan, entropic_plan, categories)
    return {name: float(np.nanmean(values)) for name, values in hits.items()}


def random_plan_rates(
    n: int, categories: Sequence[Hashable] | None, rng: np.random.Generator
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Chance of :func:`solution_rates`: those of random plans, simulated.

    Parameters
    ----------
    n : int
        Number of conditions.
    categories : sequence of hashable or None, length n, or None
        Category of each condition; None: it has none.
    rng : numpy.random.Generator
        Draws the plans: 1,000 of them up to 141 conditions, fewer for more, at least 10.

    Returns
    -------
    chance : dict of str to float
        Mean over plans, by rate.
    band : dict of str to tuple of float
        5th and 95th percentile over plans, by rate.

    Examples
    --------
    >>> import numpy as np
    >>> chance, band = random_plan_rates(20, None, np.random.default_rng(0))
    >>> {name: round(rate, 2) for name, rate in chance.items()}, band["top1"]
    ({'top1': 0.05, 'top5': 0.25, 'top10': 0.5}, (0.0, 0.15))
    """
    draws = int(np.clip(_CHANCE_ENTRIES // n**2, 10, 1000))
    rates = [solution_rates(plan, plan, categories) for plan in (rng.random((n, n)) for _ in range(draws))]
    by_name = {name: np.array([rate[name] for rate in rates]) for name in rates[0]}
    bands = {name: np.percentile(values, _BAND) for name, values in by_name.items()}
    return (
        {name: float(values.mean()) for name, values in by_name.items()},
        {name: (float(low), float(high)) for name, (low, high) in bands.items()},
    )
