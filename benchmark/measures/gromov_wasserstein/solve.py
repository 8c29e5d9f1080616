"""Unsupervised alignment of two RDMs by Gromov-Wasserstein optimal transport (GWOT)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, MutableMapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from benchmark.measures._checks import Float64, as_matrix, as_rdm
from benchmark.measures._threads import usable_threads
from benchmark.measures.compare import settled_rdm
from benchmark.measures.gromov_wasserstein.entropic import rounded
from benchmark.measures.gromov_wasserstein.labels import Labels
from benchmark.measures.gromov_wasserstein.problem import Problem, Side
from benchmark.measures.gromov_wasserstein.result import GromovWasserstein, result_of
from benchmark.measures.gromov_wasserstein.search import EPSILONS, Record, Search, follow_all
from benchmark.measures.gromov_wasserstein.stationary import stationary
from benchmark.measures.rdm import METRICS

#: To be raised when the records of a memo would change
_MEMO_VERSION = 7
#: Least of the default epsilons, as a share of the critical epsilon
_LEAST = 0.01


def gromov_wasserstein(
    c1: ArrayLike,
    c2: ArrayLike,
    *,
    metric: str | None = None,
    epsilons: Sequence[float] | None = None,
    starts: int = 12,
    polish: bool = True,
    categories: Sequence[Hashable] | None = None,
    rng: np.random.Generator,
    jobs: int | None = None,
    device: str | None = None,
    memo: MutableMapping[str, Record] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GromovWasserstein:
    r"""Align the conditions of two RDMs without knowing which condition belongs to which.

    .. math::
        \min_T \sum_{ijkl} (C^1_{ik} - C^2_{jl})^2 T_{ij} T_{kl}, \qquad T 1 = 1/n, \; T' 1 = 1/m

    The problem has many local minima. The first starts go through entropic problems, from the greatest
    epsilon to the least:

    - start 0 continues from its solution at the epsilon before (annealing), and begins at the product plan;
    - start 1 pairs conditions with similar distributions of dissimilarities;
    - starts 2 and 3 pair conditions with similar principal coordinates, for the two likeliest choices of
      signs.

    The best solution of each is then polished without entropy: by conditional gradient and, where both sides
    have as many conditions, by exchanging conditions, with random kicks out of local minima. The other starts
    are random. Where both sides have as many conditions, they are one-to-one assignments, and exchanges and
    kicks alone lead on. If -H of both sides (H: the double-centred RDM) has no negative eigenvalue, as with
    correlation, cosine and Euclidean distances, an assignment has the least distance of all plans. Where the
    sides differ, random plans go through the entropic problems, drawn anew for each epsilon.

    Between fewer than 92 conditions on each side, all starts but the annealed one are random assignments, and
    there are more kicks in each round.

    Starts are followed in rounds of four. The search ends early, after a round in which three starts have
    found the least distance, two of them later than the first round, or in which a distance of zero was
    found. Between fewer than 92 conditions it also ends after the first round if all its starts agree.
    ``found_again`` and ``searches`` of the result say how often it was found.

    All plans are rounded to feasibility before their distance is computed. The second side is shuffled before
    solving, so the order of the conditions cannot help.

    A polished plan is most often a one-to-one assignment, which has no second choice. So ``entropic_plan`` of
    the result says which conditions match nearly as well: it is the entropic solution that the plan leads to,
    at the epsilon at which a condition has three choices. Take matching rates for k > 1 from it.

    Without the polish the search is that of GWTune: the entropic solutions of all starts and epsilons, and of
    these the one of least distance. Random starts then go through the entropic problems too, and no start is
    left out.

    The result depends on the order of the conditions only through ``rng``. It is the same for a rotation of
    the features where the RDM is. It is symmetric in the sides, up to the search.

    Parameters
    ----------
    c1 : array_like, shape (n, n), or (n, d) with a metric
        RDM of the first side, or its features.
    c2 : array_like, shape (m, m), or (m, e) with a metric
        RDM of the second side, or its features. The distance depends on the scales of both sides. Scale both
        alike if their scales have no meaning.
    metric : str, optional
        If given, ``c1`` and ``c2`` are features, and this is the dissimilarity, as in :func:`rdm`. RDMs by
        cosine, correlation and squared Euclidean distance have, once centred, the rank of the features, and a
        gradient costs O(n m d). Low rank is also detected in RDMs.
    epsilons : sequence of float, optional
        Weights of the entropy, on the scale of the gradient, as in POT and GWTune. The default is ten values,
        spaced geometrically from :func:`critical_epsilon`, above which little is learnt, to a hundredth of
        it.
    starts : int
        Greatest number of initial plans.
    polish : bool
        Whether the best solution of each start is polished without entropy.
    categories : sequence of hashable or None, length n, optional
        Category of each condition, the same on both sides, None without one. Each solution then says how
        often a condition is matched with one of its category. The search is not led by it.
    rng : numpy.random.Generator
        For the shuffling and the random starts.
    jobs : int, optional
        Number of threads; each follows one start. The default is as many as a matrix product may take
        (``OMP_NUM_THREADS``). Linear algebra runs on one thread in each of them. The result is the same for
        any number.
    device : str, optional
        Where the entropic problems of all starts are solved together, in single precision, by its name in
        torch ("cuda"). The polish runs on the processor. By default every start is solved by itself, on the
        processor. Both ways reach the same basins; distances before the polish differ by rounding. The device
        needs memory for some twenty plans per start, 4 n m bytes each.
    memo : mutable mapping of str to dict of ndarray, optional
        The solutions of each start are put there after each epsilon. A search that was interrupted continues
        from it, and gives the same result. Keys hold a hash of everything that decides the search.
    progress : callable, optional
        ``progress(done, total)`` is called with the number of solutions that are done or no longer needed,
        and the number of all.

    Returns
    -------
    GromovWasserstein
        Its ``distance`` is 0 for identical geometries; less is more alike.

    Raises
    ------
    ValueError
        If an argument is not an RDM of three conditions or more (with a metric: not features), or all its
        dissimilarities are equal. If the metric is not known, an epsilon is not positive, or ``starts`` or
        ``jobs`` is less than one. If there are categories, and not one for each condition of both sides. If
        torch has no such device.

    References
    ----------
    Peyré, Cuturi & Solomon (2016), ICML; Maron & Lipman (2018), NeurIPS (the optimum is an assignment);
    Mémoli (2011), Foundations of Computational Mathematics 11, 417-487 (distributions of distances); Sasaki,
    Takeda, Abe & Oizumi (2023), bioRxiv 2023.09.15.558038 (GWTune).

    Examples
    --------
    Two RDMs of the same ten concepts, the second with noise. The search gets no labels. Row i of the plan
    should have its greatest entry in column i, if the two geometries match.

    >>> import numpy as np
    >>> from benchmark.measures import gromov_wasserstein, matching_rate, rdm
    >>> rng = np.random.default_rng(0)
    >>> people = rng.normal(size=(10, 4))
    >>> model = people + 0.05 * rng.normal(size=people.shape)
    >>> result = gromov_wasserstein(
    ...     rdm(people, "euclidean"), rdm(model, "euclidean"), starts=4, rng=np.random.default_rng(1)
    ... )
    >>> matching_rate(result.plan)
    1.0
    >>> round(result.distance, 3)
    0.006
    >>> len(result.sweep), result.curve.shape
    (14, (11, 4))
    """
    if device is not None:
        # batch imports torch: only for a device
        from benchmark.measures.gromov_wasserstein.batch import check_device

        check_device(device)
    jobs = usable_threads() if jobs is None else jobs
    for name, count in (("starts", starts), ("jobs", jobs)):
        if count < 1:
            raise ValueError(f"{name} is {count}: at least one is needed")
    left, right = _values(c1, metric, "c1"), _values(c2, metric, "c2")
    order = rng.permutation(len(right))
    right = right[order] if metric else right[np.ix_(order, order)]
    # One thread: the result is exactly the same on any number, and nested pools are slow on a busy machine.
    with threadpool_limits(1):
        sides = [_side(values, metric, name) for values, name in ((left, "c1"), (right, "c2"))]
        # If one side alone has low rank, the problem is cheap with that side first.
        swapped = sides[0].factor is None and sides[1].factor is not None
        problem = Problem(sides[swapped], sides[not swapped])
        chosen = _epsilons(problem, epsilons)
        seed = int(rng.integers(2**63))
        if categories is not None and not len(categories) == len(left) == len(right):
            raise ValueError(
                f"categories has length {len(categories)}: expected one for each of the conditions of both "
                f"sides, which are {len(left)} and {len(right)}"
            )
        labels = Labels.of_conditions(len(left), categories, order, swapped)
        search = Search(problem, labels, chosen, polish, seed)
        report = _Reporter(sum(map(search.solutions, range(starts))), progress)
        histories = follow_all(search, _keys(search, starts, device), jobs, device, memo, report)
    return result_of(search, histories, np.argsort(order), swapped)


def entropic_gromov_wasserstein(
    c1: ArrayLike,
    c2: ArrayLike,
    epsilon: float,
    *,
    metric: str | None = None,
    plan: ArrayLike | None = None,
) -> tuple[Float64, float, bool]:
    """One solution of the entropic problem: one epsilon, one initial plan.

    The solution is the stationary point of the GW distance less ``epsilon`` times the entropy of the plan to
    which projected mirror descent leads from the initial plan. The plan equals that of POT's
    ``entropic_gromov_wasserstein``, once that has converged.

    Parameters
    ----------
    c1, c2, metric
        As in :func:`gromov_wasserstein`.
    epsilon : float
        Weight of the entropy, on the scale of the gradient.
    plan : array_like, shape (n, m), optional
        Initial plan. The default is the product plan.

    Returns
    -------
    plan : ndarray, shape (n, m)
        Rounded to uniform marginals.
    distance : float
        GW distance of the plan. Less is more alike.
    converged : bool
        True: the plan is within 1e-6 of the stationary point (sum of absolute differences; 1e-4 from 512
        conditions on, in single precision), and small changes of it die out. False: the steps have not come
        so far, or rest on a saddle, or a symmetry of the RDMs leaves plans that are equally good side by
        side.

    Raises
    ------
    ValueError
        As :func:`gromov_wasserstein`, or if the initial plan is not (n, m).

    Examples
    --------
    Start at a plan that prefers the true matching, at a fifth of the critical epsilon.

    >>> import numpy as np
    >>> from benchmark.measures import critical_epsilon, entropic_gromov_wasserstein, matching_rate, rdm
    >>> rng = np.random.default_rng(0)
    >>> people = rdm(rng.normal(size=(6, 4)), "euclidean")
    >>> epsilon = critical_epsilon(people, people) / 5
    >>> start = (1 + np.eye(6)) / 42
    >>> plan, distance, converged = entropic_gromov_wasserstein(people, people, epsilon, plan=start)
    >>> matching_rate(plan), converged
    (1.0, True)
    >>> plan.sum(axis=1).round(3)
    array([0.167, 0.167, 0.167, 0.167, 0.167, 0.167])
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
    found = stationary(problem, initial.T if swapped else initial, epsilon)
    solution = rounded(found.plan)
    return solution.T if swapped else solution, problem.distance(solution), found.converged


def critical_epsilon(c1: ArrayLike, c2: ArrayLike) -> float:
    r"""Epsilon at which structure beyond the mean dissimilarity of each condition begins to count.

    :math:`4 \lambda_1 \lambda_2 / (n m)`, with :math:`\lambda` the greatest absolute eigenvalue of the
    double-centred RDM. Here the entropic map, linearised at the product plan, stops contracting. Where all
    conditions have the same mean dissimilarity, the product plan is a stable solution above it.

    Parameters
    ----------
    c1 : array_like, shape (n, n)
        RDM of the first side.
    c2 : array_like, shape (m, m)
        RDM of the second side.

    Returns
    -------
    float
        On the scale of the gradient, as the epsilons of :func:`gromov_wasserstein`.

    Raises
    ------
    ValueError
        If an argument is not an RDM of three conditions or more.

    Examples
    --------
    Three conditions at distance one from each other: both eigenvalues are 1 in absolute value.

    >>> import numpy as np
    >>> from benchmark.measures import critical_epsilon
    >>> equilateral = 1 - np.eye(3)
    >>> round(critical_epsilon(equilateral, equilateral), 4)
    0.4444
    """
    return Problem(Side.from_rdm(as_rdm(c1, "c1")), Side.from_rdm(as_rdm(c2, "c2"))).critical_epsilon


def gw_distance(c1: Float64, c2: Float64, plan: Float64) -> float:
    """Sum (C1_ik - C2_jl)^2 T_ij T_kl, never negative.

    ``c1`` (n, n) and ``c2`` (m, m) are the RDMs, and ``plan`` (n, m) is T.
    """
    p, q = plan.sum(axis=1), plan.sum(axis=0)
    constant = p @ c1**2 @ p + q @ c2**2 @ q
    return max(0.0, float(constant - 2 * np.vdot(c1 @ plan @ c2, plan)))


class _Reporter:
    """Counts the solutions of several threads, and reports their number."""

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
        return settled_rdm(as_rdm(c, name))
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(METRICS)}, or None for RDMs")
    features = as_matrix(c, name).astype(np.float64)
    if len(features) < 3:
        raise ValueError(f"{name} has {len(features)} conditions: at least 3 are needed")
    return features


def _side(values: Float64, metric: str | None, name: str) -> Side:
    side = Side.from_rdm(values) if metric is None else Side.from_features(values, metric)
    if side.is_constant:
        raise ValueError(f"{name} of shape {values.shape} has dissimilarities that are all equal: undefined")
    return side


def _epsilons(problem: Problem, epsilons: Sequence[float] | None) -> list[float]:
    if epsilons is None:
        return [float(e) for e in np.geomspace(1, _LEAST, EPSILONS) * problem.critical_epsilon]
    if len(epsilons) == 0 or not all(np.isfinite(e) and e > 0 for e in epsilons):
        raise ValueError(f"epsilons is {list(epsilons)}: expected positive numbers")
    return sorted(map(float, epsilons), reverse=True)


def _keys(search: Search, starts: int, device: str | None) -> list[str]:
    """A key for each start. It holds a hash of everything that decides the solutions."""
    decided = (_MEMO_VERSION, search.epsilons, search.polish, search.seed, device)
    hashed = hashlib.sha256(repr(decided).encode())
    for array in (*search.dense, *(search.labels.categories or ())):
        hashed.update(np.ascontiguousarray(array).tobytes())
    return [f"{hashed.hexdigest()}-{start}" for start in range(starts)]
