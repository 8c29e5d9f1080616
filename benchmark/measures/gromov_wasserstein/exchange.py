"""Search among one-to-one assignments: pairwise exchanges, and kicks out of the local minima they end in.

Without entropy a solution of Gromov-Wasserstein between as many conditions as conditions is most often an
assignment, and among assignments the problem is a quadratic assignment problem. A gradient does not see that
two concepts are the wrong way round; an exchange does.
"""

from __future__ import annotations

import itertools

import numpy as np

from benchmark.measures._checks import Float64

#: conditions that a kick deals anew, at least and at most: one and others among so many that are most like it
_KICKED, _NEAREST = (2, 6), 32
#: kicks from one start: so many for each condition, and no more than the second
_KICKS_EACH, _KICKS = 10, 500
#: an exchange that gains less than this share of the greatest possible is rounding
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
        Chooses whom a kick deals anew.

    Returns
    -------
    ndarray of int, shape (n,)
        Its distance is that of ``assigned`` or less.

    References
    ----------
    Stützle (2006), European Journal of Operational Research 174, 1519-1539 (iterated local search).
    """
    n = len(c1)
    state = _Assignment(c1, c2, exchange_descent(c1, c2, assigned)[0])
    nearest = np.argsort(c1, axis=1)[:, : _NEAREST + 1]
    for _ in range(min(_KICKS, _KICKS_EACH * n)):
        before, agreement = state.assigned.copy(), state.agreement
        condition, others = rng.integers(n), rng.integers(*_KICKED, endpoint=True)
        kicked = rng.permutation(nearest[condition])[:others].tolist()
        # A cycle through them all: none is left where it was.
        for r, s in itertools.pairwise(kicked):
            state.exchange(r, s)
        state.descend(kicked, nearest)
        if state.agreement <= agreement + state.least:
            state.restore(before)
    return exchange_descent(c1, c2, state.assigned)[0]


def exchange_descent(c1: Float64, c2: Float64, assigned: np.ndarray) -> tuple[np.ndarray, float]:
    """Exchange the pair that lowers the distance most, until none does.

    Returns
    -------
    assigned : ndarray of int, shape (n,)
    agreement : float
        Sum of C1_ik C2_p(i)p(k), which is the greater the less the distance.
    """
    state = _Assignment(c1, c2, assigned)
    product = c1 @ state.placed
    while True:
        # What an exchange gains, for all pairs at once; an exchange changes M by a matrix of rank one and two
        # columns.
        gain = product + product.T
        gain += 2 * c1 * state.placed
        gain -= state.own[:, None]
        gain -= state.own
        r, s = divmod(int(gain.argmax()), len(c1))
        if gain[r, s] <= state.least:
            return state.assigned, state.agreement
        product += np.outer(c1[:, r] - c1[:, s], state.placed[s] - state.placed[r])
        state.exchange(r, s)
        product[:, [r, s]] = c1 @ state.placed[:, [r, s]]


class _Assignment:
    r"""An assignment p and what its exchanges gain.

    The distance is a constant less :math:`2 n^{-2} \sum_{ik} C^1_{ik} C^2_{p(i)p(k)}`. With
    :math:`M = C^1 C^2_{pp}`, exchanging r and s raises half of that sum by
    :math:`M_{rs} + M_{sr} - M_{rr} - M_{ss} + 2 C^1_{rs} C^2_{p(r)p(s)}`. Of M only the diagonal is kept: one
    few rows of both RDMs give what else an exchange needs.
    """

    def __init__(self, c1: Float64, c2: Float64, assigned: np.ndarray) -> None:
        self.c1 = c1
        self.assigned = np.array(assigned)
        self.placed = c2[np.ix_(self.assigned, self.assigned)]
        self.own = np.einsum("ij,ij->i", c1, self.placed)
        self.agreement = float(self.own.sum())
        self.least = _LEAST_GAIN * float(np.abs(c1).max() * np.abs(c2).max()) * len(c1)

    def descend(self, conditions: list[int], nearest: np.ndarray) -> None:
        """Exchange conditions with those nearest (n, k) to each, until none touched gains by it."""
        waiting = dict.fromkeys(conditions)
        while waiting:
            r = next(iter(waiting))
            del waiting[r]
            others = nearest[r]
            # Rows alone are read: both RDMs are symmetric.
            gains = self.placed[others] @ self.c1[r] + self.c1[others] @ self.placed[r]
            gains -= self.own[others] + self.own[r]
            gains += 2 * self.c1[r, others] * self.placed[r, others]
            best = int(gains.argmax())
            if gains[best] > self.least:
                s = int(others[best])
                self.exchange(r, s)
                waiting |= {r: None, s: None}

    def exchange(self, r: int, s: int) -> None:
        """Exchange what r and s are assigned."""
        self.own += (self.c1[r] - self.c1[s]) * (self.placed[s] - self.placed[r])
        for array in (self.assigned, self.placed):
            array[[r, s]] = array[[s, r]]
        self.placed[:, [r, s]] = self.placed[:, [s, r]]
        for i in (r, s):
            self.own[i] = self.c1[i] @ self.placed[i]
        self.agreement = float(self.own.sum())

    def restore(self, assigned: np.ndarray) -> None:
        """Go back to an earlier assignment, by exchanges."""
        where = {int(column): i for i, column in enumerate(self.assigned)}
        for i in np.flatnonzero(self.assigned != assigned):
            j = where[int(assigned[i])]
            if i != j:
                where[int(self.assigned[i])] = j
                self.exchange(int(i), j)
