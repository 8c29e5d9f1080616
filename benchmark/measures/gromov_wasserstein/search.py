"""A search for the plan of least Gromov-Wasserstein distance: each start, from epsilon to polish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import xlogy

from benchmark.measures._checks import Float64, Floats
from benchmark.measures._threads import in_threads
from benchmark.measures.compare import settled_rdm
from benchmark.measures.gromov_wasserstein.entropic import Entropic, entropic, rounded
from benchmark.measures.gromov_wasserstein.labels import Labels
from benchmark.measures.gromov_wasserstein.problem import Problem, Side
from benchmark.measures.gromov_wasserstein.starts import SpectralStarts, profile_plan, random_plan
from benchmark.measures.gromov_wasserstein.vertex import assignment, conditional_gradient

#: Arrays by name
Record = dict[str, np.ndarray]

#: Default number of epsilons of a search
EPSILONS = 10
#: Noise that lets the annealed plan leave a saddle. The product plan is a saddle
_NOISE = 1e-3
#: Numbers of the starts that are not random: annealed, by profile, and spectral, the likeliest signs first
_ANNEALED, _PROFILE, _SPECTRAL = 0, 1, (2, 3)
#: Number of the first random start among many conditions, and among fewer than FEW
RANDOM, _RANDOM_OF_FEW, FEW = 4, 1, 92
#: Kicks of a search among assignments: for each of few conditions, and times n^1.5 of many. A kick costs n^2
_KICKS_EACH, _KICKS = 500, 8e6
#: Temperature of that search from a random assignment, and from an entropic solution
_HOT, _WARM = 1.2, 0.3
#: Share of these kicks that a start gets in each round, among few conditions
_GROWING = (0.25, 1.0, 2.0)
#: Number of starts after which the search looks whether it may stop. The same for any number of threads
_ROUND = 4
#: The search stops when _TIMES starts have found the least distance, up to a share of SAME, and _BY_CHANCE of
#: them after the first round: starts made of the same structure, or with few kicks, may all miss the same.
#: Among few conditions it stops after the first round if all starts agree, three of which are random
_TIMES, _BY_CHANCE, SAME = 3, 2, 1e-4
#: Distances of identical geometries are rounding
_ZERO = 1e-12
#: Tolerance of an entropic solution, as a share of the mass. It is loose: solutions are only candidates
_TOLERANCE = 1e-3
#: Choices of a condition in the entropic plan around the solution; number of epsilons that are tried for it,
#: and the least of them as a share of the critical epsilon. See "The entropic plan" in methodology.md
CHOICES, _TRIED, _SHARPEST = 3.0, 7, 1e-3


@dataclass
class StartHistory:
    """The solutions of one start so far.

    Attributes
    ----------
    rows : list of tuple
        For each solution: epsilon (0 for the polish), distance, matching rate of conditions and of
        categories, and whether it converged.
    best, oracle : ndarray, shape (n, m), or None
        The plans of least distance and of highest matching rate. They are feasible after rounding.
    last : ndarray, shape (n, m), or None
        The plan that an annealed start continues from at the next epsilon.
    """

    rows: list[tuple[float, float, float, float, bool]] = field(default_factory=list)
    best: Floats | None = None
    oracle: Floats | None = None
    last: Floats | None = None

    def add(
        self, epsilon: float, plan: Floats, distance: float, rates: tuple[float, float], converged: bool
    ) -> None:
        """Add one solution.

        Parameters
        ----------
        epsilon : float
            Weight of the entropy, 0 for the polish.
        plan : ndarray, shape (n, m)
            The plan of the solution.
        distance : float
            Its GW distance after rounding.
        rates : tuple of float
            Its top-1 matching rates of conditions and of categories.
        converged : bool
            Whether the solver came to rest.
        """
        if self.best is None or distance < self.least:
            self.best = plan
        if self.oracle is None or (rates[0], -distance) > max((row[2], -row[1]) for row in self.rows):
            self.oracle = plan
        self.rows.append((epsilon, distance, *rates, converged))

    @property
    def least(self) -> float:
        """The least distance."""
        return min(row[1] for row in self.rows)

    @property
    def best_plan(self) -> Floats:
        """The plan of least distance. There is one once there is a solution."""
        assert self.best is not None
        return self.best

    @property
    def oracle_plan(self) -> Floats:
        """The plan of highest matching rate. There is one once there is a solution."""
        assert self.oracle is not None
        return self.oracle

    def record(self) -> Record:
        """The history as arrays. The oracle's plan is left out where it is the best plan."""
        oracle = None if self.oracle is self.best else self.oracle
        plans = {"best": self.best, "oracle": oracle, "last": self.last}
        return {"rows": np.array(self.rows)} | {k: plan for k, plan in plans.items() if plan is not None}

    @classmethod
    def from_record(cls, record: Record) -> StartHistory:
        """The history that ``record`` was made of."""
        rows = [(float(e), float(d), float(m), float(k), bool(c)) for e, d, m, k, c in record["rows"]]
        best = record.get("best")
        return cls(rows, best, record.get("oracle", best), record.get("last"))


class Search:
    """A search: everything that its starts share.

    Parameters
    ----------
    problem : Problem
        The two sides.
    labels : Labels
        Which conditions belong together. Solutions do not depend on it.
    epsilons : list of float
        Descending.
    polish : bool
        Whether the best solution of each start is polished without entropy.
    seed : int
        All random numbers come from it, with the number of the start and that of the epsilon.
    """

    def __init__(
        self, problem: Problem, labels: Labels, epsilons: list[float], polish: bool, seed: int
    ) -> None:
        self.problem, self.labels, self.epsilons = problem, labels, epsilons
        self.polish, self.seed = polish, seed
        self.dense = _rdm_of(problem.exact[0]), _rdm_of(problem.exact[1])
        self._first: dict[int, Floats] = {}

    @cached_property
    def spectral(self) -> SpectralStarts:
        """Spectral starts of the problem."""
        return SpectralStarts(*self.problem.exact, np.random.default_rng(self.seed))

    @property
    def square(self) -> bool:
        """Whether both sides have as many conditions, so that a plan may be an assignment."""
        return self.problem.shape[0] == self.problem.shape[1]

    @property
    def random(self) -> int:
        """Number of the first random start.

        Among few conditions kicks find from a random assignment what entropic solutions show. The annealed
        start alone goes through them, for the curve.
        """
        return first_random(self.problem.shape[0]) if self.square and self.polish else RANDOM

    def is_entropic(self, start: int) -> bool:
        """Whether the start with number ``start`` goes through the entropic problems.

        Where both sides have as many conditions, a random start is an assignment, and only exchanges lead on,
        which are part of the polish.
        """
        return start < self.random or not self.square or not self.polish

    def solutions(self, start: int) -> int:
        """Number of solutions of the start with number ``start``."""
        return int(self.polish) + (len(self.epsilons) if self.is_entropic(start) else 0)

    def follow(self, start: int, history: StartHistory) -> Iterator[StartHistory]:
        """Continue the start with number ``start`` from its ``history``. Yields after each solution."""
        for epsilon in self.epsilons[len(history.rows) :] if self.is_entropic(start) else ():
            plan = self._initial(start, history)
            self._add(start, history, epsilon, entropic(self.problem, plan, epsilon, _TOLERANCE))
            yield history
        self._first.pop(start, None)  # plans are large
        if len(history.rows) < self.solutions(start):
            self._polish(start, history)
            yield history

    def follow_together(self, histories: Sequence[StartHistory], device: str) -> Iterator[int]:
        """Continue all starts at once, except for the polish.

        ``histories`` has the history of each start. ``device`` is the device, by its name in torch. Yields
        the number of a start after each of its solutions.
        """
        # batch imports torch: only for a device
        from benchmark.measures.gromov_wasserstein.batch import entropic_together

        for number, epsilon in enumerate(self.epsilons):
            behind = [
                start
                for start, history in enumerate(histories)
                if self.is_entropic(start) and len(history.rows) == number
            ]
            if not behind:
                continue
            plans = [self._initial(start, histories[start]) for start in behind]
            solutions = entropic_together(self.problem, plans, epsilon, _TOLERANCE, device)
            for start, solution in zip(behind, solutions, strict=True):
                self._add(start, histories[start], epsilon, solution)
                yield start

    def _rng(self, start: int, history: StartHistory) -> np.random.Generator:
        return np.random.default_rng([self.seed, start, len(history.rows)])

    def _initial(self, start: int, history: StartHistory) -> Floats:
        """The initial plan of a start at its next epsilon. Only random starts draw one for each epsilon."""
        n, m = self.problem.shape
        rng = self._rng(start, history)
        if start == _ANNEALED:
            noise = 1 + _NOISE * rng.standard_normal((n, m))
            return rounded(noise / (n * m) if history.last is None else history.last * noise)
        if start >= self.random:
            return random_plan(n, m, rng)
        if start not in self._first:
            self._first[start] = (
                profile_plan(*self.dense) if start == _PROFILE else self.spectral.plan(_SPECTRAL.index(start))
            )
        return self._first[start]

    def _add(self, start: int, history: StartHistory, epsilon: float, solution: Entropic) -> None:
        feasible = rounded(solution.plan)
        distance, rates = self.problem.distance(feasible), self.labels.rates(feasible)
        history.add(epsilon, solution.plan, distance, rates, solution.converged)
        history.last = solution.plan if start == _ANNEALED else None

    def _polish(self, start: int, history: StartHistory) -> None:
        n, rng = self.problem.shape[0], self._rng(start, history)
        if history.best is None:
            sharp = self._exchanged(start, rng.permutation(n), _HOT, rng)
        else:
            sharp = conditional_gradient(self.problem, rounded(history.best))
            if self.square:
                better = self._exchanged(start, assignment(-sharp), _WARM, rng)
                sharp = min(rounded(sharp), better, key=self.problem.distance)
        feasible = rounded(sharp)
        history.last = None
        history.add(0.0, sharp, self.problem.distance(feasible), self.labels.rates(feasible), True)

    def _exchanged(self, start: int, assigned: np.ndarray, heat: float, rng: np.random.Generator) -> Float64:
        """The best plan that exchanges, and then a descent among all plans, reach from an assignment."""
        # exchange imports numba and compiles, which takes seconds the first time
        from benchmark.measures.gromov_wasserstein.exchange import annealed_exchange

        n = len(assigned)
        better = annealed_exchange(*self.dense, assigned, kicks(n, start), heat, int(rng.integers(2**32)))
        vertex = np.zeros((n, n))
        vertex[np.arange(n), better] = 1 / n
        descended = rounded(conditional_gradient(self.problem, vertex))
        return min(vertex, descended, key=self.problem.distance)

    def around(self, plan: Float64) -> tuple[float, Float64]:
        """The entropic solution that ``plan`` (n, m) leads to, and its epsilon: what matches nearly as well.

        Of the epsilons that bisection tries, it is the one at which a condition has most nearly
        :data:`CHOICES` choices.
        """
        least, greatest = _SHARPEST * self.problem.critical_epsilon, self.problem.critical_epsilon
        nearest, found = np.inf, (least, plan)
        for _ in range(_TRIED):
            epsilon = float(np.sqrt(least * greatest))
            solution = rounded(entropic(self.problem, plan, epsilon, _TOLERANCE).plan)
            off = float(np.log(choices(solution) / CHOICES))
            if abs(off) < nearest:
                nearest, found = abs(off), (epsilon, solution)
            least, greatest = (epsilon, greatest) if off < 0 else (least, epsilon)
        return found


def choices(plan: Float64) -> float:
    """How many partners a condition has in ``plan`` (n, m): 1 in an assignment, n in the product plan.

    It is the perplexity of the plan, which is the number of likely pairs, for each condition of the larger
    side.
    """
    return float(np.exp(-xlogy(plan, plan).sum()) / max(plan.shape))


def _rdm_of(side: Side) -> Float64:
    """The RDM of a side. Starts and exchanges choose by it, so rounding must not tell ties apart."""
    return settled_rdm(side.dense() + side.offset[:, None] + side.offset)


def follow_all(
    search: Search,
    keys: Sequence[str],
    jobs: int,
    device: str | None,
    memo: MutableMapping[str, Record] | None,
    tick: Callable[[int], None],
) -> list[StartHistory]:
    """Continue each start to its end, from its record in the memo if there is one.

    Starts are followed in rounds. After a round in which the least distance is zero or that of several
    starts, no more are begun.

    Parameters
    ----------
    search : Search
        What the starts share.
    keys : sequence of str
        Key of each start in the memo.
    jobs : int
        Number of threads.
    device : str or None
        Where the entropic problems of all starts are solved together, before each is polished. None: on the
        processor, one by one.
    memo : mutable mapping or None
        Records by key. None: nothing is kept.
    tick : callable
        ``tick(n)`` says that n more solutions are done, or not needed.

    Returns
    -------
    list of StartHistory
        One for each start that was followed.
    """
    records = [None if memo is None else memo.get(key) for key in keys]
    histories = [StartHistory() if record is None else StartHistory.from_record(record) for record in records]

    def keep(start: int) -> None:
        if memo is not None:
            memo[keys[start]] = histories[start].record()
        tick(1)

    def finish(start: int) -> None:
        for _ in search.follow(start, histories[start]):
            keep(start)

    tick(sum(len(history.rows) for history in histories))
    if min(len(keys), search.random) > _PROFILE + 1:
        _ = search.spectral  # computed once, before the threads start
    if device is not None:
        for start in search.follow_together(histories, device):
            keep(start)
    for first in range(0, len(keys), _ROUND):
        following = range(first, min(first + _ROUND, len(keys)))
        in_threads(finish, following, jobs)
        found = [history.least for history in histories[: following.stop]]
        if search.polish and _enough(found, few=search.random < _ROUND):
            tick(sum(search.solutions(start) for start in range(following.stop, len(keys))))
            return histories[: following.stop]
    return histories


def first_random(n: int) -> int:
    """Number of the first start that is a random assignment of ``n`` conditions."""
    return RANDOM if n >= FEW else _RANDOM_OF_FEW


def kicks(n: int, start: int) -> int:
    """Number of kicks of the start with number ``start`` among assignments of ``n`` conditions."""
    share = 1.0 if n >= FEW else _GROWING[min(start // _ROUND, len(_GROWING) - 1)]
    return int(share * min(_KICKS_EACH * n, _KICKS / n**1.5))


def _enough(distances: Sequence[float], few: bool) -> bool:
    """Whether starts that end at these ``distances``, among ``few`` conditions or many, may be the last."""
    again, least = found_again(distances), min(distances)
    by_chance = found_again([least, *distances[_ROUND:]]) - 1
    agreed = few and len(distances) == again == _ROUND
    return least < _ZERO or agreed or (again >= _TIMES and by_chance >= _BY_CHANCE)


def found_again(distances: Sequence[float]) -> int:
    """How many of the ``distances`` that starts end at are the least, up to a share of ``SAME``."""
    return sum(_same(distance, min(distances)) for distance in distances)


def _same(distance: float, least: float) -> bool:
    return distance <= (1 + SAME) * least + _ZERO
