"""What a search for the plan of least Gromov-Wasserstein distance gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.gromov_wasserstein.entropic import rounded
from benchmark.measures.gromov_wasserstein.search import Search, StartHistory, found_again

#: Near-optimal plans have a distance within this share of the least
_NEAR = 0.01
#: Distances are equal up to rounding if they differ by less than this share of the RDMs' mean squares
_SAME = 1e-13


@dataclass(frozen=True)
class GWSolution:
    """One solution of the sweep.

    Attributes
    ----------
    epsilon : float
        Weight of the entropy. 0 for a solution that is polished without entropy.
    start : int
        Number of the initial plan.
    distance : float
        GW distance of the plan after rounding to feasibility. Less is better.
    matching : float
        Top-1 matching rate if condition i is the same on both sides. NaN where the sides differ in size. Only
        the oracle is chosen by it.
    category : float
        Share of the conditions with a category whose greatest entry is of that category. NaN without
        categories.
    converged : bool
        Whether the solver came to rest.
    """

    epsilon: float
    start: int
    distance: float
    matching: float
    category: float
    converged: bool


@dataclass(frozen=True)
class GromovWasserstein:
    """The best alignment of a search, and all its solutions.

    Attributes
    ----------
    plan : ndarray, shape (n, m)
        The plan of least distance, with uniform marginals.
    distance : float
        Its GW distance.
    entropic_plan : ndarray, shape (n, m)
        The solution of the entropic problem that ``plan`` leads to, at ``entropic_epsilon``: row i says which
        conditions match condition i nearly as well. Without the polish it is ``plan``.
    entropic_epsilon : float
        Epsilon at which a condition has three choices in ``entropic_plan``, as nearly as seven steps of
        bisection come: the perplexity of the plan is three pairs a condition. Without the polish it is the
        epsilon of ``plan``.
    near_optimal : tuple of ndarray, shapes (n, m)
        The different plans that starts ended at, within one per cent of the least distance. ``plan`` is the
        first.
    oracle_plan : ndarray, shape (n, m)
        The plan of the highest top-1 matching rate (of least distance among equals). It is chosen with
        knowledge of the answer, so show it, but do not rank by it. The plan of least distance where the sides
        differ in size.
    oracle_distance : float
        Its GW distance.
    sweep : tuple of GWSolution
        Every solution, ordered by epsilon (the greatest first) and by start.
    """

    plan: Float64
    distance: float
    entropic_plan: Float64
    entropic_epsilon: float
    near_optimal: tuple[Float64, ...]
    oracle_plan: Float64
    oracle_distance: float
    sweep: tuple[GWSolution, ...]

    @property
    def curve(self) -> Float64:
        """Epsilon, and the least, mean and greatest distance over starts, (epsilons + 1, 4).

        Epsilon 0 is the polish.
        """
        epsilons = list(dict.fromkeys(s.epsilon for s in self.sweep))
        distances = [[s.distance for s in self.sweep if s.epsilon == epsilon] for epsilon in epsilons]
        return np.array([(e, min(d), np.mean(d), max(d)) for e, d in zip(epsilons, distances, strict=True)])

    @property
    def ends(self) -> Float64:
        """The least distance of each start, (starts,)."""
        starts = sorted({s.start for s in self.sweep})
        return np.array([min(s.distance for s in self.sweep if s.start == start) for start in starts])

    @property
    def searches(self) -> int:
        """Number of starts that were followed to their end."""
        return len(self.ends)

    @property
    def found_again(self) -> int:
        """Number of starts that ended at the least distance, up to one part in 10,000.

        If it is one, a longer search may find a lower distance.
        """
        return found_again(list(self.ends))


def result_of(
    search: Search, histories: Sequence[StartHistory], back: np.ndarray, swapped: bool
) -> GromovWasserstein:
    """The result of a search.

    Parameters
    ----------
    search : Search
        The search that ended.
    histories : sequence of StartHistory
        The history of each start that was followed.
    back : ndarray of int, shape (m,)
        Where each condition of the shuffled side stands.
    swapped : bool
        Whether the sides were exchanged.
    """

    def in_order(plan: Floats) -> Float64:
        return (rounded(plan).T if swapped else rounded(plan))[:, back]

    lowest = np.array([history.least for history in histories])
    # Starts that reach the same distance up to rounding: the first.
    least = int(
        np.argmax(lowest <= lowest.min() + _SAME * sum(side.mean_square for side in search.problem.exact))
    )
    best = histories[least].best_plan
    near = [
        least,
        *np.flatnonzero((lowest <= (1 + _NEAR) * lowest[least]) & (np.arange(len(lowest)) != least)),
    ]
    oracle = best
    if search.square:
        oracle = max(
            histories, key=lambda history: max((row[2], -row[1]) for row in history.rows)
        ).oracle_plan
    entropy, around = min(histories[least].rows, key=lambda row: row[1])[0], best
    if search.polish:
        entropy, around = search.around(rounded(best))
    sweep = [
        GWSolution(epsilon, start, distance, matching, category, converged)
        for start, history in enumerate(histories)
        for epsilon, distance, matching, category, converged in history.rows
    ]
    return GromovWasserstein(
        plan=in_order(best),
        distance=float(lowest[least]),
        entropic_plan=in_order(around),
        entropic_epsilon=entropy,
        near_optimal=_different([in_order(histories[i].best_plan) for i in near]),
        oracle_plan=in_order(oracle),
        oracle_distance=search.problem.distance(rounded(oracle)),
        sweep=tuple(sorted(sweep, key=lambda s: (-s.epsilon, s.start))),
    )


def _different(plans: Sequence[Float64]) -> tuple[Float64, ...]:
    """The ``plans`` whose rows have other greatest entries than those of all plans before."""
    first: dict[bytes, Float64] = {}
    for plan in plans:
        first.setdefault(plan.argmax(axis=1).tobytes(), plan)
    return tuple(first.values())
