"""Coarse-to-fine alignment of tens of thousands of conditions: no RDM and no plan is in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from benchmark.measures._checks import Float64, Floats, as_matrix
from benchmark.measures.gromov_wasserstein.problem import LOW_RANK_METRICS, Side
from benchmark.measures.gromov_wasserstein.solve import gromov_wasserstein

Places = NDArray[np.intp]

#: Conditions among which the finer matching is solved at once. The time of a sweep grows with it
_TOGETHER = 256
#: The sweeps end when _PATIENCE in a row gain less than this share of the distance, or after _SWEEPS
_PATIENCE, _LEAST_GAIN, _SWEEPS = 4, 1e-3, 100


@dataclass(frozen=True)
class QuantisedAlignment:
    """A one-to-one alignment of two spaces.

    Attributes
    ----------
    assigned : ndarray of int, shape (n,)
        The condition of the second space that each condition of the first is matched with.
    distance : float
        Its Gromov-Wasserstein distance, exact, as that of :func:`gromov_wasserstein`. Less is more alike.
    sweeps : int
        Number of sweeps that refined it.
    """

    assigned: Places
    distance: float
    sweeps: int


def quantised_gromov_wasserstein(
    x: ArrayLike, y: ArrayLike, metric: str = "correlation", *, rng: np.random.Generator, blocks: int = 256
) -> QuantisedAlignment:
    r"""Align two spaces by the means of blocks of conditions first, then within blocks (an experiment).

    Each space is cut into blocks of equal size, and the full search (:func:`gromov_wasserstein`) matches the
    means of the blocks. That plan is refined by sweeps. In each, the conditions are cut into other groups
    along random directions, of one space or the other in turn, and the matching inside each group is solved
    anew, for the exact gradient of the whole distance. The distance is concave over plans for these metrics,
    so no sweep raises it. Memory is linear in n, and so is the time of a sweep.

    The result depends on the blocks. Compare the distances of several ``rng``.

    Parameters
    ----------
    x, y : array_like, shape (n, d) and (n, e)
        Features of n conditions each, n >= 8. Their order says nothing: both are shuffled.
    metric : {"correlation", "cosine", "sqeuclidean"}
        Dissimilarity, as for :func:`rdm`.
    rng : numpy.random.Generator
        For the blocks, the search and the groups.
    blocks : int
        Greatest number of blocks, at least 4. It is lowered to a power of two with two conditions a block.

    Returns
    -------
    QuantisedAlignment

    Raises
    ------
    ValueError
        If the metric is another one, the numbers of conditions differ or are less than eight, there are fewer
        than four blocks, or the dissimilarities of a space are undefined or all equal.

    References
    ----------
    Chowdhury, Miller & Needham (2021), Quantized Gromov-Wasserstein, ECML PKDD (the blocks; here their
    matching is refined over the borders of the blocks); Maron & Lipman (2018), NeurIPS (concavity).

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import quantised_gromov_wasserstein
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(64, 4)) * [4, 3, 2, 1]
    >>> order = rng.permutation(64)
    >>> y = x[order]  # the same conditions in another order
    >>> found = quantised_gromov_wasserstein(x, y, "sqeuclidean", rng=np.random.default_rng(1))
    >>> bool((order[found.assigned] == np.arange(64)).all()), round(found.distance, 6)
    (True, 0.0)
    """
    if metric not in LOW_RANK_METRICS:
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(LOW_RANK_METRICS)}")
    spaces = [as_matrix(space, name).astype(np.float64) for space, name in ((x, "x"), (y, "y"))]
    n = len(spaces[0])
    if len(spaces[1]) != n or n < 8 or blocks < 4:
        raise ValueError(
            f"x and y have shapes {spaces[0].shape} and {spaces[1].shape}, with {blocks} blocks: expected as "
            "many conditions in both, at least 8, and at least 4 blocks"
        )
    orders = [rng.permutation(n) for _ in spaces]
    sides = [Side.low_rank(space[order], metric) for space, order in zip(spaces, orders, strict=True)]
    for side, name in zip(sides, "xy", strict=True):
        if side.is_constant:
            raise ValueError(f"{name} has dissimilarities that are all equal: undefined")
    found, sweeps = _refined(_Matching(*sides), min(blocks, n // 2), rng)
    assigned = np.empty(n, np.intp)
    assigned[orders[0]] = orders[1][found.assigned]
    return QuantisedAlignment(assigned, found.distance, sweeps)


class _Matching:
    """A matching of the conditions of two sides, and its improvement within groups."""

    def __init__(self, left: Side, right: Side) -> None:
        assert left.factor is not None
        assert right.factor is not None
        self.sides, self.factors = (left, right), (left.factor, right.factor)
        self.assigned: Places = np.arange(len(left))

    @property
    def link(self) -> Float64:
        """F1' T F2, (d, e), all that the gradient needs of the plan T."""
        link: Float64 = self.factors[0].T @ self.factors[1][self.assigned] / len(self.assigned)
        return link

    @property
    def distance(self) -> float:
        left, right = (side.offset for side in self.sides)
        cross = float((self.link**2).sum()) + 2 * float(left @ right[self.assigned]) / len(left)
        cross += 2 * float(left.mean() * right.mean())
        return max(0.0, sum(side.mean_square for side in self.sides) - 2 * cross)

    def solve(self, groups: list[Places], link: Float64) -> None:
        """Match the conditions of each group (of the first side) anew, for the gradient of ``link``."""
        pushed = self.factors[0] @ link
        left, right = (side.offset - side.offset.mean() for side in self.sides)
        for rows in groups:
            columns = self.assigned[rows]
            gain = pushed[rows] @ self.factors[1][columns].T + np.outer(left[rows], right[columns])
            self.assigned[rows] = columns[linear_sum_assignment(gain, maximize=True)[1]]


def _refined(matching: _Matching, blocks: int, rng: np.random.Generator) -> tuple[_Matching, int]:
    """The matching of the blocks, refined until sweeps gain little; and the number of sweeps."""
    levels = int(np.log2(blocks))
    cuts = [_cut(factor, levels, rng) for factor in matching.factors]
    means = [
        np.stack([factor[block].mean(axis=0) for block in cut])
        for factor, cut in zip(matching.factors, cuts, strict=True)
    ]
    plan = gromov_wasserstein(*means, metric="sqeuclidean", rng=rng).plan
    pairs = linear_sum_assignment(plan, maximize=True)[1]
    matching.assigned[np.concatenate(cuts[0])] = np.concatenate([cuts[1][block] for block in pairs])
    matching.solve(cuts[0], means[0].T @ means[1][pairs] / len(pairs))
    distance, idle, sweeps = matching.distance, 0, 0
    levels = max(0, int(np.ceil(np.log2(len(matching.assigned) / _TOGETHER))))
    while idle < _PATIENCE and sweeps < _SWEEPS:
        side = sweeps % 2
        points = matching.factors[side] if side == 0 else matching.factors[1][matching.assigned]
        matching.solve(_cut(points, levels, rng), matching.link)
        before, distance = distance, matching.distance
        idle = idle + 1 if before - distance <= _LEAST_GAIN * before else 0
        sweeps += 1
    return matching, sweeps


def _cut(points: Floats, levels: int, rng: np.random.Generator) -> list[Places]:
    """Groups of near points of equal size, up to one: halves of halves, each along a direction of its points.

    The direction is random, drawn towards those along which the points vary most.
    """
    groups = [np.arange(len(points))]
    for _ in range(levels):
        halves = []
        for group in groups:
            inside = points[group] - points[group].mean(axis=0)
            along = inside @ (inside.T @ (inside @ rng.standard_normal(inside.shape[1])))
            order = np.argsort(along, kind="stable")
            halves += [group[order[: len(order) // 2]], group[order[len(order) // 2 :]]]
        groups = halves
    return groups
