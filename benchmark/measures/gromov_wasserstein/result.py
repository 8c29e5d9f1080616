"""What a search for the plan of least Gromov-Wasserstein distance gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64
from benchmark.measures.gromov_wasserstein.search import found_again


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
    converged : bool
        Whether the solver came to rest.
    """

    epsilon: float
    start: int
    distance: float
    matching: float
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
    def searches(self) -> int:
        """Number of starts that were followed to their end."""
        return sum(s.epsilon == 0 for s in self.sweep)

    @property
    def found_again(self) -> int:
        """Number of starts that ended at the least distance, up to one part in 10,000.

        If it is one, a longer search may find a lower distance.
        """
        return found_again([s.distance for s in self.sweep if s.epsilon == 0])
