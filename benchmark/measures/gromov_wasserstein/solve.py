"""Unsupervised alignment of two RDMs by Gromov-Wasserstein optimal transport (GWOT)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from benchmark.measures._checks import Float64, Floats, as_matrix, as_rdm
from benchmark.measures._threads import usable_threads
from benchmark.measures.gromov_wasserstein.entropic import entropic, rounded
from benchmark.measures.gromov_wasserstein.problem import Problem, Side
from benchmark.measures.gromov_wasserstein.search import EPSILONS, Record, Search, Trail, follow_all
from benchmark.measures.rdm import METRICS

#: Raised when what is kept in a memo would change
_MEMO_VERSION = 2
#: The least of the default epsilons, as a share of the critical one
_LEAST = 0.01
#: Distances of one basin differ by less than this share
_BASIN = 1e-2


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

    @property
    def curve(self) -> Float64:
        """Epsilon, and least, mean and greatest distance over starts, (epsilons + 1, 4); 0 is the polish."""
        epsilons = list(dict.fromkeys(s.epsilon for s in self.sweep))
        found = [[s.distance for s in self.sweep if s.epsilon == epsilon] for epsilon in epsilons]
        return np.array([(e, min(d), np.mean(d), max(d)) for e, d in zip(epsilons, found, strict=True)])

    @property
    def best_basin_rate(self) -> float:
        """Share of the starts whose polished distance is within 1 % of the least: how often it was found."""
        polished = np.array([s.distance for s in self.sweep if s.epsilon == 0])
        return float((polished <= self.distance * (1 + _BASIN) + 1e-12).mean())


def gromov_wasserstein(
    c1: ArrayLike,
    c2: ArrayLike,
    *,
    metric: str | None = None,
    epsilons: Sequence[float] | None = None,
    starts: int = 10,
    rng: np.random.Generator,
    jobs: int | None = None,
    device: str | None = None,
    memo: MutableMapping[str, Record] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GromovWasserstein:
    r"""Align the conditions of two RDMs without knowing which is which.

    .. math::
        \min_T \sum_{ijkl} (C^1_{ik} - C^2_{jl})^2 T_{ij} T_{kl}, \qquad T 1 = 1/n, \; T' 1 = 1/m

    The problem has many local minima. For each epsilon, from the greatest to the least, an entropic problem
    is solved from every initial plan: start 0 goes on from its solution at the epsilon before (annealing,
    from the product plan), start 1 pairs conditions of like distribution of dissimilarities, starts 2 and 4
    pair conditions of like principal coordinates, for the two likeliest choices of their signs, and the
    others are random, drawn anew for each epsilon. The best solution of every start is then
    polished without entropy: by conditional gradient and, where both sides have as many conditions, by
    exchanging conditions. All plans are rounded to feasibility before their distance is taken. The second
    side is shuffled before solving, so no order of the conditions can help.

    A polished plan is most often a one-to-one assignment and has no second choice; one part in 10^9 of the
    entropic plan around it is mixed in, so that top-k matching with k > 1 has an order to go by.

    The result does not depend on the order of the conditions but through ``rng``, and is the same for a
    rotation of the features where the RDM is. It is symmetric in the sides up to the search.

    Parameters
    ----------
    c1 : array_like, shape (n, n), or (n, d) with a metric
    c2 : array_like, shape (m, m), or (m, e) with a metric
        RDMs, or features. The distance depends on their scale: bring both to the same one where it means
        nothing.
    metric : str, optional
        The arguments are features, and these their dissimilarities, as in :func:`rdm`. RDMs by cosine,
        correlation and squared Euclidean distance have, once centred, the rank of the features, and a
        gradient costs O(n m d); RDMs given as such are tried for low rank.
    epsilons : sequence of float, optional
        On the scale of the gradient, as in POT and GWTune. Default: ten, spaced geometrically from
        :func:`critical_epsilon`, above which little is learnt, down to a hundredth of it.
    starts : int
        Number of initial plans.
    rng : numpy.random.Generator
        For the shuffling and the random starts.
    jobs : int, optional
        Threads, a start each; by default as many as a matrix product may take (``OMP_NUM_THREADS``). Linear
        algebra runs on one thread in each of them; the result is the same.
    device : str, optional
        Where the entropic problems of all starts are solved together, in single precision, as torch names it
        ("cuda"); the polish is on the processor all the same. By default every start is solved by itself, on
        the processor. The same basins are found; distances before the polish differ by rounding. It takes the
        memory of some twenty plans a start on the device, 4 n m bytes each.
    memo : mutable mapping of str to dict of ndarray, optional
        What each start has found is put there after each epsilon; a search that was broken off goes on from
        it, to the same result. Keys hold a hash of everything that decides the search.
    progress : callable, optional
        Called with the number of solutions done and that of all.

    Returns
    -------
    GromovWasserstein

    Raises
    ------
    ValueError
        If an argument is no RDM of three conditions or more (no features, with a metric), all dissimilarities
        of one are equal, the metric is not known, an epsilon is not positive, ``starts`` or ``jobs`` is less
        than one, or torch has no such device.

    References
    ----------
    Peyré, Cuturi & Solomon (2016), ICML; Mémoli (2011), Foundations of Computational Mathematics 11, 417-487
    (distributions of distances); Sasaki, Takeda, Abe & Oizumi (2023), bioRxiv 2023.09.15.558038 (GWTune).
    """
    if device is not None:
        from benchmark.measures.gromov_wasserstein.batch import (
            check_device,  # torch: only where it is asked for
        )

        check_device(device)
    jobs = usable_threads() if jobs is None else jobs
    for name, count in (("starts", starts), ("jobs", jobs)):
        if count < 1:
            raise ValueError(f"{name} is {count}: at least one is needed")
    left, right = _values(c1, metric, "c1"), _values(c2, metric, "c2")
    order = rng.permutation(len(right))
    right = right[order] if metric else right[np.ix_(order, order)]
    with threadpool_limits(1):  # the same bytes on any number of threads; and mixed pools are slow under load
        sides = [_side(values, metric, name) for values, name in ((left, "c1"), (right, "c2"))]
        # The problem of low rank on one side alone is cheap where that side is the first.
        swapped = sides[0].factor is None and sides[1].factor is not None
        problem = Problem(sides[swapped], sides[not swapped])
        chosen = _epsilons(problem, epsilons)
        seed = int(rng.integers(2**63))
        back = order if swapped else np.argsort(order)
        search = Search(problem, back, chosen, seed)
        report = _Reporter(starts * search.solutions, progress)
        trails = follow_all(search, _keys(search, starts, device), jobs, device, memo, report)
    return _result(search, trails, np.argsort(order), swapped)


def entropic_gromov_wasserstein(
    c1: ArrayLike,
    c2: ArrayLike,
    epsilon: float,
    *,
    metric: str | None = None,
    plan: ArrayLike | None = None,
) -> tuple[Float64, float]:
    """One solution of the entropic problem: one epsilon, one initial plan.

    A stationary point of the GW distance less ``epsilon`` times the entropy of the plan, by projected mirror
    descent, as in POT's ``entropic_gromov_wasserstein``, whose plan it equals.

    Parameters
    ----------
    c1, c2, metric
        As in :func:`gromov_wasserstein`.
    epsilon : float
    plan : array_like, shape (n, m), optional
        Initial plan; the product plan.

    Returns
    -------
    plan : ndarray, shape (n, m)
        Rounded to uniform marginals.
    distance : float
        GW distance of the plan.

    Raises
    ------
    ValueError
        As :func:`gromov_wasserstein`, and if the initial plan is not (n, m).
    """
    sides = [_side(_values(c, metric, name), metric, name) for c, name in ((c1, "c1"), (c2, "c2"))]
    n, m = (len(side) for side in sides)
    initial = np.full((n, m), 1 / (n * m)) if plan is None else np.asarray(plan, dtype=np.float64)
    if initial.shape != (n, m):
        raise ValueError(
            f"plan has shape {initial.shape}: expected {(n, m)}, conditions of c1 by those of c2"
        )
    swapped = sides[0].factor is None and sides[1].factor is not None
    problem = Problem(sides[swapped], sides[not swapped])
    (epsilon,) = _epsilons(problem, [epsilon])
    found = rounded(entropic(problem, initial.T if swapped else initial, epsilon).plan)
    return found.T if swapped else found, problem.distance(found)


def critical_epsilon(c1: ArrayLike, c2: ArrayLike) -> float:
    r"""Epsilon at which structure beyond the mean dissimilarity of each condition begins to count.

    :math:`4 \lambda_1 \lambda_2 / (n m)`, with :math:`\lambda` the greatest absolute eigenvalue of the
    double-centred RDM: where the entropic map, linearised at the product plan, stops contracting. Where all
    conditions have the same mean dissimilarity, the product plan is a stable solution above it.
    """
    return _critical(Problem(Side.of_rdm(as_rdm(c1, "c1")), Side.of_rdm(as_rdm(c2, "c2"))))


def gw_distance(c1: Float64, c2: Float64, plan: Float64) -> float:
    """Sum (C1_ik - C2_jl)^2 T_ij T_kl, never negative."""
    p, q = plan.sum(axis=1), plan.sum(axis=0)
    constant = p @ c1**2 @ p + q @ c2**2 @ q
    return max(0.0, float(constant - 2 * np.vdot(c1 @ plan @ c2, plan)))


class _Reporter:
    """Counts solutions, from several threads."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._lock = threading.Lock()

    def __call__(self, more: int) -> None:
        with self._lock:
            self._done += more
            if self._progress:
                self._progress(self._done, self._total)


def _values(c: ArrayLike, metric: str | None, name: str) -> Float64:
    if metric is None:
        return as_rdm(c, name)
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(METRICS)}, or None for RDMs")
    features = as_matrix(c, name).astype(np.float64)
    if len(features) < 3:
        raise ValueError(f"{name} has {len(features)} conditions: at least 3 are needed")
    return features


def _side(values: Float64, metric: str | None, name: str) -> Side:
    side = Side.of_rdm(values) if metric is None else Side.of_features(values, metric)
    if side.is_constant:
        raise ValueError(f"{name} of shape {values.shape} has dissimilarities that are all equal: undefined")
    return side


def _critical(problem: Problem) -> float:
    first, second = (float(np.abs(side.spectrum[0]).max()) / len(side) for side in problem.exact)
    return 4 * first * second


def _epsilons(problem: Problem, epsilons: Sequence[float] | None) -> list[float]:
    if epsilons is None:
        return [float(e) for e in np.geomspace(1, _LEAST, EPSILONS) * _critical(problem)]
    if len(epsilons) == 0 or not all(np.isfinite(e) and e > 0 for e in epsilons):
        raise ValueError(f"epsilons is {list(epsilons)}: expected positive numbers")
    return sorted(map(float, epsilons), reverse=True)


def _keys(search: Search, starts: int, device: str | None) -> list[str]:
    """A name for each start that holds everything that decides what it finds."""
    decided = (_MEMO_VERSION, search.epsilons, search.seed, device)
    hashed = hashlib.sha256(repr(decided).encode())
    for rdm in search.dense:
        hashed.update(np.ascontiguousarray(rdm).tobytes())
    return [f"{hashed.hexdigest()}-{start}" for start in range(starts)]


def _result(search: Search, trails: list[Trail], back: np.ndarray, swapped: bool) -> GromovWasserstein:
    def in_order(plan: Floats) -> Float64:
        return (rounded(plan).T if swapped else rounded(plan))[:, back]

    sweep = [
        GWSolution(epsilon, start, distance, matching, converged)
        for start, trail in enumerate(trails)
        for epsilon, distance, matching, converged in trail.rows
    ]
    least = min(range(len(trails)), key=lambda start: min(row[1] for row in trails[start].rows))
    highest = max(
        range(len(trails)),
        key=lambda start: max((np.nan_to_num(row[2]), -row[1]) for row in trails[start].rows),
    )
    best, oracle = trails[least].best, trails[highest].oracle
    square = search.problem.shape[0] == search.problem.shape[1]
    if not square:
        oracle, highest = best, least
    assert best is not None
    assert oracle is not None
    distances = [min(row[1] for row in trails[least].rows), search.problem.distance(rounded(oracle))]
    return GromovWasserstein(
        in_order(best),
        distances[0],
        in_order(oracle),
        distances[1],
        tuple(sorted(sweep, key=lambda s: (-s.epsilon, s.start))),
    )
