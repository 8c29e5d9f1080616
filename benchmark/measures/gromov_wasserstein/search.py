"""A search for the plan of least Gromov-Wasserstein distance: each start, from epsilon to polish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from benchmark.measures._checks import Float64, Floats
from benchmark.measures._threads import in_threads
from benchmark.measures.gromov_wasserstein.entropic import Entropic, entropic, rounded
from benchmark.measures.gromov_wasserstein.exchange import iterated_exchange
from benchmark.measures.gromov_wasserstein.problem import Problem, Side
from benchmark.measures.gromov_wasserstein.scalings import scalings
from benchmark.measures.gromov_wasserstein.starts import SpectralStarts, profile_plan, random_plan
from benchmark.measures.gromov_wasserstein.vertex import assignment, conditional_gradient

#: Arrays by name
Record = dict[str, np.ndarray]

#: How many epsilons a search has by default
EPSILONS = 10
#: Share of an entropic plan mixed into a vertex, to order what the vertex leaves tied
_GRADED = 1e-9
#: Noise that lets the annealed plan leave a saddle; the product plan is one
_NOISE = 1e-3
#: Starts that are not random: annealed, by profile, and spectral, the likeliest signs first
_ANNEALED, _PROFILE, _SPECTRAL = 0, 1, (2, 4)
#: What is still to come of an entropic solution, as a share of the mass: it is a candidate, no more
_TOLERANCE = 1e-3


@dataclass
class Trail:
    """What one start has found so far.

    Attributes
    ----------
    rows : list of tuple
        Epsilon (0 for the polish), distance, top-1 matching rate and whether it converged, of each solution.
    best, oracle : ndarray, shape (n, m), or None
        The plans of least distance and of highest matching rate; feasible once they are rounded.
    last : ndarray, shape (n, m), or None
        Where the next epsilon of an annealed start goes on from.
    """

    rows: list[tuple[float, float, float, bool]] = field(default_factory=list)
    best: Floats | None = None
    oracle: Floats | None = None
    last: Floats | None = None

    def add(self, epsilon: float, plan: Floats, distance: float, matching: float, converged: bool) -> None:
        """Take up one solution."""
        if self.best is None or distance < min(row[1] for row in self.rows):
            self.best = plan
        key = (matching, -distance)
        if self.oracle is None or key > max((row[2], -row[1]) for row in self.rows):
            self.oracle = plan
        self.rows.append((epsilon, distance, matching, converged))

    def record(self) -> Record:
        """The trail as arrays; the oracle's plan is left out where it is the best."""
        oracle = None if self.oracle is self.best else self.oracle
        plans = {"best": self.best, "oracle": oracle, "last": self.last}
        return {"rows": np.array(self.rows)} | {k: plan for k, plan in plans.items() if plan is not None}

    @classmethod
    def of_record(cls, record: Record) -> Trail:
        """The trail whose record this is."""
        rows = [(float(e), float(d), float(m), bool(c)) for e, d, m, c in record["rows"]]
        best = record.get("best")
        return cls(rows, best, record.get("oracle", best), record.get("last"))


class Search:
    """A search: everything its starts share.

    Parameters
    ----------
    problem : Problem
    back : ndarray of int, shape (m,)
        Place of each condition of the second side, which was shuffled.
    epsilons : list of float
        Descending.
    seed : int
        Every random number comes from it, the number of the start and that of the epsilon.
    """

    def __init__(self, problem: Problem, back: np.ndarray, epsilons: list[float], seed: int) -> None:
        self.problem, self.back, self.epsilons, self.seed = problem, back, epsilons, seed
        self.dense = _rdm_of(problem.exact[0]), _rdm_of(problem.exact[1])
        self._first: dict[int, Floats] = {}

    @cached_property
    def spectral(self) -> SpectralStarts:
        """Spectral starts of the problem."""
        return SpectralStarts(*self.problem.exact, np.random.default_rng(self.seed))

    @property
    def solutions(self) -> int:
        """How many solutions each start gives."""
        return len(self.epsilons) + 1

    def follow(self, start: int, trail: Trail) -> Iterator[Trail]:
        """Go on with a start, a solution at a time."""
        for epsilon in self.epsilons[len(trail.rows) :]:
            plan = self._initial(start, trail)
            self._take(start, trail, epsilon, entropic(self.problem, plan, epsilon, _TOLERANCE))
            yield trail
        self._first.pop(start, None)  # plans are large
        if len(trail.rows) < self.solutions:
            self._polish(trail, self._rng(start, trail))
            yield trail

    def follow_together(self, trails: Sequence[Trail], device: str) -> Iterator[int]:
        """Go on with all starts at once, but for the polish; the number of each that went on."""
        from benchmark.measures.gromov_wasserstein.batch import (
            entropic_together,  # torch: only where it is asked for
        )

        for number, epsilon in enumerate(self.epsilons):
            behind = [start for start, trail in enumerate(trails) if len(trail.rows) == number]
            if not behind:
                continue
            plans = [self._initial(start, trails[start]) for start in behind]
            solutions = entropic_together(self.problem, plans, epsilon, _TOLERANCE, device)
            for start, found in zip(behind, solutions, strict=True):
                self._take(start, trails[start], epsilon, found)
                yield start

    def _rng(self, start: int, trail: Trail) -> np.random.Generator:
        return np.random.default_rng([self.seed, start, len(trail.rows)])

    def _random(self, start: int) -> bool:
        return start not in (_ANNEALED, _PROFILE, *_SPECTRAL)

    def _initial(self, start: int, trail: Trail) -> Floats:
        """The plan that a start goes from at its next epsilon; always the same where nothing is drawn."""
        n, m = self.problem.shape
        rng = self._rng(start, trail)
        if start == _ANNEALED:
            noise = 1 + _NOISE * rng.standard_normal((n, m))
            return rounded(noise / (n * m) if trail.last is None else trail.last * noise)
        if self._random(start):
            return random_plan(n, m, rng)
        if start not in self._first:
            self._first[start] = (
                profile_plan(*self.dense) if start == _PROFILE else self.spectral.plan(_SPECTRAL.index(start))
            )
        return self._first[start]

    def _take(self, start: int, trail: Trail, epsilon: float, found: Entropic) -> None:
        feasible = rounded(found.plan)
        distance, matching = self.problem.distance(feasible), self.matching(feasible)
        trail.add(epsilon, found.plan, distance, matching, found.converged)
        trail.last = found.plan if start == _ANNEALED else None

    def _polish(self, trail: Trail, rng: np.random.Generator) -> None:
        assert trail.best is not None
        sharp = conditional_gradient(self.problem, rounded(trail.best))
        n, m = self.problem.shape
        if n == m:
            sharp = self._exchanged(sharp, rng)
        graded = (1 - _GRADED) * sharp + _GRADED * self._entropic_around(sharp)
        feasible = rounded(graded)
        trail.last = None
        trail.add(0.0, graded, self.problem.distance(feasible), self.matching(feasible), True)

    def _exchanged(self, plan: Float64, rng: np.random.Generator) -> Float64:
        """The plan, or a better one that exchanges lead to from its assignment."""
        n = len(plan)
        better = iterated_exchange(*self.dense, assignment(-plan), rng)
        vertex = np.zeros_like(plan)
        vertex[np.arange(n), better] = 1 / n
        found = rounded(conditional_gradient(self.problem, vertex))
        return min(rounded(plan), found, vertex, key=self.problem.distance)

    def _entropic_around(self, plan: Float64) -> Float64:
        """Entropic transport for the cost at a plan, at the least epsilon."""
        cost = self.problem.cost(self.problem.product(plan.astype(self.problem.dtype)))
        exponents = cost / -np.asarray(self.epsilons[-1], self.problem.dtype)
        exponents -= exponents.max(axis=1, keepdims=True)
        exponents -= exponents.max(axis=0)
        kernel = np.exp(exponents)
        u, v, _ = scalings(kernel, 1e-3, 100)
        return rounded(kernel * u[:, None] * v)

    def matching(self, plan: Float64) -> float:
        """Top-1 matching rate of a plan, ties in expectation; NaN where the sides differ in size."""
        if plan.shape[0] != plan.shape[1]:
            return float("nan")
        greatest = plan.max(axis=1)
        right = plan[np.arange(len(plan)), self.back] == greatest
        return float((right / np.count_nonzero(plan == greatest[:, None], axis=1)).mean())


def _rdm_of(side: Side) -> Float64:
    rdm: Float64 = side.dense() + side.offset[:, None] + side.offset
    return rdm


def follow_all(
    search: Search,
    keys: Sequence[str],
    jobs: int,
    device: str | None,
    memo: MutableMapping[str, Record] | None,
    tick: Callable[[int], None],
) -> list[Trail]:
    """Follow each start to its end, from where the memo left it.

    Parameters
    ----------
    search : Search
    keys : sequence of str
        Of each start in the memo.
    jobs : int
        Threads.
    device : str or None
        Where all starts are solved together, before each is polished.
    memo : mutable mapping or None
    tick : callable
        Called with the number of solutions that are there more.
    """
    kept = [None if memo is None else memo.get(key) for key in keys]
    trails = [Trail() if record is None else Trail.of_record(record) for record in kept]

    def keep(start: int) -> None:
        if memo is not None:
            memo[keys[start]] = trails[start].record()
        tick(1)

    def one(start: int) -> None:
        for _ in search.follow(start, trails[start]):
            keep(start)

    tick(sum(len(trail.rows) for trail in trails))
    if len(keys) > _PROFILE + 1:
        _ = search.spectral  # made once, before the threads part
    if device is not None:
        for start in search.follow_together(trails, device):
            keep(start)
    in_threads(one, range(len(keys)), jobs)
    return trails
