"""Search among one-to-one assignments by pairwise exchanges, with random kicks out of local minima.

Take two sides with the same number of conditions. Without entropy, a solution of Gromov-Wasserstein is then
most often an assignment. Among assignments the problem is a quadratic assignment problem. A gradient does not
show that two concepts are swapped; an exchange does.

``c1`` and ``c2`` (n, n) are the RDMs of the two sides. ``assigned`` (n,) is the condition of the second side
that each condition of the first is assigned.
"""

from __future__ import annotations

import itertools

import numpy as np

from benchmark.measures._checks import Float64

#: Least and greatest number of conditions that a kick reassigns. They are among the _NEAREST of one condition
_KICKED, _NEAREST = (2, 6), 32
#: Number of kicks from one start: for each condition, and at most
_KICKS_EACH, _KICKS = 10, 500
#: If an exchange gains less than this share of the greatest possible gain, it is rounding
_LEAST_GAIN = 1e-12


def iterated_exchange(c1: Float64, c2: Float64, assigned: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lower the GW distance of an assignment by exchanges, kicks, and exchanges again.

    Parameters
    ----------
    c1, c2 : ndarray, shape (n, n)
        RDMs.
    assigned : ndarray of int, shape (n,)
        Condition of the second side that each condition of the first is assigned.
    rng : numpy.random.Generator
        Chooses the conditions that a kick reassigns.

    Returns
    -------
    ndarray of int, shape (n,)
        An assignment whose distance is no greater than that of ``assigned``.

    References
    ----------
    Stützle (2006), European Journal of Operational Research 174, 1519-1539 (iterated local search).
    """
    n = len(c1)
    state = _Assignment(c1, c2, exchange_descent(c1, c2, assigned)[0])
    nearest = np.argsort(c1, axis=1)[:, : _NEAREST + 1]
    for _ in range(min(_KICKS, _KICKS_EACH * n)):
        before, agreement = state.assigned.copy(), state.agreement
        condition, size = rng.integers(n), rng.integers(*_KICKED, endpoint=True)
        kicked = rng.permutation(nearest[condition])[:size].tolist()
        # A cycle through all of them: every one is reassigned.
        for r, s in itertools.pairwise(kicked):
            state.exchange(r, s)
        state.descend(kicked, nearest)
        if state.agreement <= agreement + state.least_gain:
            state.restore(before)
    return exchange_descent(c1, c2, state.assigned)[0]


def exchange_descent(c1: Float64, c2: Float64, assigned: np.ndarray) -> tuple[np.ndarray, float]:
    """Exchange the pair that lowers the distance most, until no exchange lowers it.

    Returns
    -------
    assigned : ndarray of int, shape (n,)
        A local minimum among assignments.
    agreement : float
        Sum of C1_ik C2_p(i)p(k). The greater it is, the smaller is the distance.
    """
    state = _Assignment(c1, c2, assigned)
    product = c1 @ state.c2_permuted
    while True:
        # The gain of an exchange, for all pairs at once. An exchange changes M by a matrix of rank one and in
        # two columns.
        gain = product + product.T
        gain += 2 * c1 * state.c2_permuted
        gain -= state.diagonal[:, None]
        gain -= state.diagonal
        r, s = divmod(int(gain.argmax()), len(c1))
        if gain[r, s] <= state.least_gain:
            return state.assigned, state.agreement
        product += np.outer(c1[:, r] - c1[:, s], state.c2_permuted[s] - state.c2_permuted[r])
        state.exchange(r, s)
        product[:, [r, s]] = c1 @ state.c2_permuted[:, [r, s]]


class _Assignment:
    r"""An assignment p and the gains of its exchanges.

    The distance is a constant less :math:`2 n^{-2} \sum_{ik} C^1_{ik} C^2_{p(i)p(k)}`. With :math:`M = C^1
    C^2_{pp}`, exchanging r and s raises half of that sum by :math:`M_{rs} + M_{sr} - M_{rr} - M_{ss} + 2
    C^1_{rs} C^2_{p(r)p(s)}`. Only the diagonal of M is kept. A few rows of both RDMs give the other terms of
    a gain.
    """

    def __init__(self, c1: Float64, c2: Float64, assigned: np.ndarray) -> None:
        self.c1 = c1
        self.assigned = np.array(assigned)
        self.c2_permuted = c2[np.ix_(self.assigned, self.assigned)]
        self.diagonal = np.einsum("ij,ij->i", c1, self.c2_permuted)
        self.agreement = float(self.diagonal.sum())
        self.least_gain = _LEAST_GAIN * float(np.abs(c1).max() * np.abs(c2).max()) * len(c1)

    def descend(self, conditions: list[int], nearest: np.ndarray) -> None:
        """Exchange ``conditions`` with those ``nearest`` (n, k) to each, until no touched condition gains."""
        waiting = dict.fromkeys(conditions)
        while waiting:
            r = next(iter(waiting))
            del waiting[r]
            neighbours = nearest[r]
            # Both RDMs are symmetric, so only rows are read.
            gains = self.c2_permuted[neighbours] @ self.c1[r] + self.c1[neighbours] @ self.c2_permuted[r]
            gains -= self.diagonal[neighbours] + self.diagonal[r]
            gains += 2 * self.c1[r, neighbours] * self.c2_permuted[r, neighbours]
            best = int(gains.argmax())
            if gains[best] > self.least_gain:
                s = int(neighbours[best])
                self.exchange(r, s)
                waiting |= {r: None, s: None}

    def exchange(self, r: int, s: int) -> None:
        """Exchange the assigned conditions of r and s."""
        self.diagonal += (self.c1[r] - self.c1[s]) * (self.c2_permuted[s] - self.c2_permuted[r])
        for array in (self.assigned, self.c2_permuted):
            array[[r, s]] = array[[s, r]]
        self.c2_permuted[:, [r, s]] = self.c2_permuted[:, [s, r]]
        for i in (r, s):
            self.diagonal[i] = self.c1[i] @ self.c2_permuted[i]
        self.agreement = float(self.diagonal.sum())

    def restore(self, assigned: np.ndarray) -> None:
        """Go back to an earlier assignment, by exchanges."""
        where = {int(column): i for i, column in enumerate(self.assigned)}
        for i in np.flatnonzero(self.assigned != assigned):
            j = where[int(assigned[i])]
            if i != j:
                where[int(self.assigned[i])] = j
                self.exchange(int(i), j)
