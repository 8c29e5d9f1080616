"""Unsupervised alignment of two RDMs by Gromov-Wasserstein optimal transport (GWOT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from benchmark.measures import _gw_solver as solver
from benchmark.measures._checks import Float64, as_rdm
from benchmark.measures._gw_exchange import iterated_exchange
from benchmark.measures.compare import is_constant, upper_triangle
from benchmark.measures.matching import matching_rate

#: Default epsilons: how many, and the least as a share of the critical one
_EPSILONS, _LEAST = 10, 0.01
#: Quantiles of a row of dissimilarities that stand for its distribution in the profile start
_QUANTILES = 64
#: Share of an entropic plan mixed into a vertex, to order what the vertex leaves tied
_GRADED = 1e-9


@dataclass(frozen=True)
class GWSolution:
    """One solution of the sweep.

    Attributes
    ----------
    epsilon : float
        Weight of the entropy; 0 for a solution polished without entropy.
    start : int
        Number of the initial plan.
    distance : float
        GW distance of the plan, rounded to feasibility.
    matching : float
        Top-1 matching rate if condition i of one side is condition i of the other; NaN where the sides differ
        in size. Nothing is chosen by it but the oracle.
    converged : bool
    """

    epsilon: float
    start: int
    distance: float
    matching: float
    converged: bool


@dataclass(frozen=True)
class GromovWasserstein:
    """The best alignment found, and the search.

    Attributes
    ----------
    plan : ndarray, shape (n, m)
        The plan of least distance; uniform marginals.
    distance : float
        Its GW distance.
    oracle_plan : ndarray, shape (n, m)
        The plan of the highest top-1 matching rate (of least distance among equals): it knows the answer, and
        is to be shown, never ranked. The plan of least distance where the sides differ in size.
    oracle_distance : float
    sweep : tuple of GWSolution
        Every solution, by epsilon from the greatest and by start.
    """

    plan: Float64
    distance: float
    oracle_plan: Float64
    oracle_distance: float
    sweep: tuple[GWSolution, ...]


def gromov_wasserstein(
    c1: ArrayLike,
    c2: ArrayLike,
    *,
    epsilons: Sequence[float] | None = None,
    starts: int = 10,
    rng: np.random.Generator,
) -> GromovWasserstein:
    r"""Align the conditions of two RDMs without knowing which is which.

    .. math::
        \min_T \sum_{ijkl} (C^1_{ik} - C^2_{jl})^2 T_{ij} T_{kl}, \qquad T 1 = 1/n, \; T' 1 = 1/m

    The problem has many local minima. For each epsilon, from the greatest to the least, an entropic problem
    is solved from every initial plan: start 0 goes on from its solution at the epsilon before (annealing,
    from the product plan), start 1 pairs conditions of like distribution of dissimilarities, the others are
    random, drawn anew for each epsilon. The best solution of every start is then polished without entropy:
    by conditional gradient and, where both sides have as many conditions, by exchanging conditions.
    All plans are rounded to feasibility before their distance is taken. The second side is shuffled before
    solving, so no order of the conditions can help.

    A polished plan is most often a one-to-one assignment and has no second choice; one part in 10^9 of the
    entropic plan around it is mixed in, so that top-k matching with k > 1 has an order to go by.

    Parameters
    ----------
    c1 : array_like, shape (n, n)
    c2 : array_like, shape (m, m)
        RDMs. The distance depends on their scale: bring both to the same one where it means nothing.
    epsilons : sequence of float, optional
        On the scale of the gradient, as in POT and GWTune. Default: ten, spaced geometrically from
        :func:`critical_epsilon`, above which little is learnt, down to a hundredth of it.
    starts : int
        Number of initial plans.
    rng : numpy.random.Generator
        For the shuffling and the random starts.

    Returns
    -------
    GromovWasserstein

    Raises
    ------
    ValueError
        If an argument is no RDM of three conditions or more, all dissimilarities of one are equal, an epsilon
        is not positive, or ``starts`` is less than one.

    References
    ----------
    Peyré, Cuturi & Solomon (2016), ICML; Mémoli (2011), Foundations of Computational Mathematics 11, 417-487
    (distributions of distances); Sasaki, Takeda, Abe & Oizumi (2023), bioRxiv 2023.09.15.558038 (GWTune).
    """
    left, right = as_rdm(c1, "c1"), as_rdm(c2, "c2")
    for name, values in (("c1", left), ("c2", right)):
        if is_constant(upper_triangle(values)):
            raise ValueError(
                f"{name} of shape {values.shape} has dissimilarities that are all equal: undefined"
            )
    if starts < 1:
        raise ValueError(f"starts is {starts}: at least one initial plan is needed")
    if epsilons is None:
        epsilons = list(np.geomspace(1, _LEAST, _EPSILONS) * critical_epsilon(left, right))
    if len(epsilons) == 0 or not all(np.isfinite(e) and e > 0 for e in epsilons):
        raise ValueError(f"epsilons is {list(epsilons)}: expected positive numbers")
    order = rng.permutation(len(right))
    search = _Search(left, right[np.ix_(order, order)], np.argsort(order))
    return search.run(sorted(map(float, epsilons), reverse=True), starts, rng)


def critical_epsilon(c1: ArrayLike, c2: ArrayLike) -> float:
    r"""Epsilon at which structure beyond the mean dissimilarity of each condition begins to count.

    :math:`4 \lambda_1 \lambda_2 / (n m)`, with :math:`\lambda` the greatest absolute eigenvalue of the
    double-centred RDM: where the entropic map, linearised at the product plan, stops contracting. Where all
    conditions have the same mean dissimilarity, the product plan is a stable solution above it.
    """
    problem = solver.Problem.of(np.asarray(c1, dtype=np.float64), np.asarray(c2, dtype=np.float64))
    first, second = (np.abs(np.linalg.eigvalsh(h)).max() / len(h) for h in (problem.h1, problem.h2))
    return float(4 * first * second)


class _Search:
    """One search: RDMs as the solver sees them, and every solution found."""

    def __init__(self, c1: Float64, c2: Float64, back: np.ndarray) -> None:
        self.c1, self.c2, self.back = c1, c2, back
        self.problem = solver.Problem.of(c1, c2)
        self.solutions: list[GWSolution] = []
        self.best = self.oracle = (np.inf, np.empty(0))
        self.oracle_matching = -np.inf

    def run(self, epsilons: list[float], starts: int, rng: np.random.Generator) -> GromovWasserstein:
        n, m = len(self.c1), len(self.c2)
        profile = profile_plan(self.c1, self.c2)
        plans = np.full((starts, n, m), 1 / (n * m))
        candidates: list[tuple[float, Float64]] = [(np.inf, plans[0])] * starts
        for epsilon in epsilons:
            # A trace of noise lets the annealed plan leave a saddle; the product plan is one.
            plans[0] = solver.rounded(plans[:1] * (1 + 1e-3 * rng.standard_normal((1, n, m))))[0]
            for start in range(1, starts):
                plans[start] = profile if start == 1 else _random_plan(n, m, rng)
            plans, converged = solver.entropic(self.problem, plans, epsilon)
            for start, plan in enumerate(solver.rounded(plans)):
                distance = self._add(plan, epsilon, start, bool(converged[start]))
                if distance < candidates[start][0]:
                    candidates[start] = (distance, plan)
        self._polish([plan for _, plan in candidates], epsilons[-1], rng)
        return self._result()

    def _polish(self, plans: list[Float64], epsilon: float, rng: np.random.Generator) -> None:
        for start, plan in enumerate(plans):
            sharp = solver.conditional_gradient(self.problem, plan)
            if sharp.shape[0] == sharp.shape[1]:
                sharp = self._exchanged(sharp, rng)
            cost = self.problem.gradient(sharp[None])
            zeros = np.zeros((1, plan.shape[0])), np.zeros((1, plan.shape[1]))
            graded = solver.sinkhorn(cost, epsilon, *zeros, 1e-3)[0]
            mixed = (1 - _GRADED) * sharp[None] + _GRADED * graded
            self._add(solver.rounded(mixed)[0], 0.0, start, converged=True)

    def _exchanged(self, plan: Float64, rng: np.random.Generator) -> Float64:
        """The plan, or a better one that exchanges lead to from its assignment."""
        assigned = linear_sum_assignment(plan, maximize=True)[1]
        vertex = np.zeros_like(plan)
        better = iterated_exchange(self.c1, self.c2, assigned, rng)
        vertex[np.arange(len(plan)), better] = 1 / len(plan)
        found = solver.conditional_gradient(self.problem, vertex)
        return min(plan, found, key=lambda t: gw_distance(self.c1, self.c2, t))

    def _add(self, plan: Float64, epsilon: float, start: int, converged: bool) -> float:
        distance = gw_distance(self.c1, self.c2, plan)
        ordered = plan[:, self.back]
        matching = matching_rate(ordered) if plan.shape[0] == plan.shape[1] else float("nan")
        self.solutions.append(GWSolution(epsilon, start, distance, matching, converged))
        if distance < self.best[0]:
            self.best = (distance, ordered)
        if (matching, -distance) > (self.oracle_matching, -self.oracle[0]):
            self.oracle, self.oracle_matching = (distance, ordered), matching
        return distance

    def _result(self) -> GromovWasserstein:
        oracle = self.oracle if np.isfinite(self.oracle[0]) else self.best
        return GromovWasserstein(self.best[1], self.best[0], oracle[1], oracle[0], tuple(self.solutions))


def gw_distance(c1: Float64, c2: Float64, plan: Float64) -> float:
    """Sum (C1_ik - C2_jl)^2 T_ij T_kl, never negative."""
    p, q = plan.sum(axis=1), plan.sum(axis=0)
    constant = p @ c1**2 @ p + q @ c2**2 @ q
    return max(0.0, float(constant - 2 * np.vdot(c1 @ plan @ c2, plan)))


def _random_plan(n: int, m: int, rng: np.random.Generator) -> Float64:
    plan: Float64 = solver.rounded(rng.exponential(size=(1, n, m)) / (n * m))[0]
    return plan


def profile_plan(c1: Float64, c2: Float64) -> Float64:
    """The plan that pairs conditions whose dissimilarities to the others are distributed alike (n, m)."""
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    profiles = [np.quantile(c, levels, axis=1).T for c in (c1, c2)]
    squares = [(profile**2).sum(axis=1) for profile in profiles]
    cost: Float64 = squares[0][:, None] + squares[1] - 2 * profiles[0] @ profiles[1].T
    return solver.vertex(cost)
