"""Search among one-to-one assignments: exchanges, kicks out of local minima, and annealing over the minima.

Take two sides with the same number of conditions. Without entropy, a solution of Gromov-Wasserstein is then
most often an assignment. Among assignments the problem is a quadratic assignment problem. A gradient does not
show that two concepts are swapped; an exchange does.

The distance is a constant less 2 / n^2 times the *agreement*, the sum of C1_ik C2_p(i)p(k). Let C2 stand in
the order of the assignment p, and M = C1 C2. Exchanging r and s raises half of the agreement by

    M_rs + M_sr - M_rr - M_ss + 2 C1_rs C2_rs

and changes M by a matrix of rank one and an exchange of two columns. So an exchange is tried in a few
operations, and made in n^2.

The functions are compiled and run without Python's lock. The first compilation on a machine takes some
seconds. So this module is imported only where it is needed.
"""

# ruff: noqa: NPY002 - in compiled code numpy.random means numba's generator, one for each thread

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmark.measures._checks import Float64

Assignment = NDArray[np.int64]

#: Share of the kicks that exchange two neighbourhoods, of at most one in _PART of all conditions
_BLOCKS, _PART = 0.5, 4
#: The other kicks move at most so many conditions round, among the _NEAREST of one condition
_KICKED, _NEAREST = 6, 32
#: If an exchange gains less than this share of the greatest possible gain, it is rounding
_LEAST_GAIN = 1e-12

#: For what only compiled code calls. A way in from Python takes longer to compile than the function itself
_INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_inner: Any = njit(**_INNER)


@_inner
def _gain(c1, c2, m, r, s):  # type: ignore[no-untyped-def]
    """Gain in half of the agreement if the assigned conditions of r and s are exchanged."""
    return m[r, s] + m[s, r] - m[r, r] - m[s, s] + 2 * c1[r, s] * c2[r, s]


@_inner
def _exchange(c1, c2, m, assigned, waiting, row, r, s):  # type: ignore[no-untyped-def]
    """Exchange the assigned conditions of r and s. Both then wait for a better exchange."""
    n = len(assigned)
    for j in range(n):
        row[j] = c2[s, j] - c2[r, j]
    for i in range(n):
        weight = c1[r, i] - c1[s, i]
        for j in range(n):
            m[i, j] += weight * row[j]
        m[i, r], m[i, s] = m[i, s], m[i, r]
    for i in range(n):
        c2[r, i], c2[s, i] = c2[s, i], c2[r, i]
    for i in range(n):
        c2[i, r], c2[i, s] = c2[i, s], c2[i, r]
    assigned[r], assigned[s] = assigned[s], assigned[r]
    waiting[r] = waiting[s] = True


@_inner
def _descend(c1, c2, m, assigned, waiting, row, least):  # type: ignore[no-untyped-def]
    """Make the best exchange of each waiting condition until none gains. Returns the gain."""
    n, total, moved = len(assigned), 0.0, True
    while moved:
        moved = False
        for r in range(n):
            if not waiting[r]:
                continue
            waiting[r] = False
            highest, best = least, r
            for s in range(n):
                gain = _gain(c1, c2, m, r, s)  # of r with itself: zero
                if gain > highest:
                    highest, best = gain, s
            if best != r:
                _exchange(c1, c2, m, assigned, waiting, row, r, best)
                total += highest
                moved = True
    return total


@_inner
def _kick(nearest, largest, first, second, used):  # type: ignore[no-untyped-def]
    """Write the exchanges of a random kick into ``first`` and ``second``, and return their number."""
    n, count = len(nearest), 0
    r, s = np.random.randint(0, n), np.random.randint(0, n)
    if np.random.random() >= _BLOCKS:  # a few conditions near r move round
        s = r
        for _ in range(np.random.randint(1, _KICKED + 1)):
            following = nearest[r, np.random.randint(0, min(n, _NEAREST + 1))]
            if following != s:
                first[count], second[count] = s, following
                s = following
                count += 1
        return count
    # The conditions nearest to r change places with those nearest to s. Sizes are uniform on a log scale.
    size, i, j = int(np.exp(np.random.random() * np.log(largest + 1.0))), 0, 0
    for k in range(n):
        used[k] = False
    for _ in range(size):
        while i < n and used[nearest[r, i]]:
            i += 1
        if i == n:
            break
        used[nearest[r, i]] = True
        while j < n and used[nearest[s, j]]:
            j += 1
        if j == n:
            break
        used[nearest[s, j]] = True
        first[count], second[count] = nearest[r, i], nearest[s, j]
        count += 1
    return count


@_inner
def _copy(c2, m, assigned, to_c2, to_m, to_assigned):  # type: ignore[no-untyped-def]
    """Copy the state of the search into other arrays. Loops compile faster than slices."""
    n = len(assigned)
    for i in range(n):
        to_assigned[i] = assigned[i]
        for j in range(n):
            to_c2[i, j] = c2[i, j]
            to_m[i, j] = m[i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _annealed(c1, states, row, orders, steps, flags, nearest, kicks, heat, least, seed):  # type: ignore[no-untyped-def]
    """As :func:`annealed_exchange`, in arrays that it is given: those made here would take long to compile.

    ``states`` (2, 2, n, n) are C2 and M now and before the kick, and ``orders`` (3, n) the assignment now and
    before the kick, and the best one. ``steps`` (2, n + _KICKED) are for the kick. ``flags`` (2, n), all true
    at first, are for waiting and used conditions.
    """
    np.random.seed(seed)  # the state of numba's generator belongs to the thread
    n = len(c1)
    largest = max(2, n // _PART)
    c2, m, earlier_c2, earlier_m = states[0, 0], states[0, 1], states[1, 0], states[1, 1]
    assigned, earlier, best = orders[0], orders[1], orders[2]
    first, second, waiting, used = steps[0], steps[1], flags[0], flags[1]
    current = highest = -np.inf
    for kick in range(kicks + 1):
        gain, count = 0.0, 0 if kick == 0 else _kick(nearest, largest, first, second, used)
        for i in range(count):
            gain += _gain(c1, c2, m, first[i], second[i])
            _exchange(c1, c2, m, assigned, waiting, row, first[i], second[i])
        gain += _descend(c1, c2, m, assigned, waiting, row, least)
        if kick == 0:
            current = gain
        # A comparison with NaN, at no heat, is false. -log of a uniform number is exponential.
        elif gain < -least and not gain > heat * (1 - kick / kicks) * np.log(np.random.random()):
            _copy(earlier_c2, earlier_m, earlier, c2, m, assigned)
            continue
        else:
            current += gain
        _copy(c2, m, assigned, earlier_c2, earlier_m, earlier)
        if current > highest + least:
            highest = current
            for i in range(n):
                best[i] = assigned[i]


def annealed_exchange(
    c1: Float64, c2: Float64, assigned: Assignment, kicks: int, heat: float, seed: int
) -> Assignment:
    """Lower the GW distance of an assignment by exchanges, kicks, and exchanges again.

    Half of the kicks exchange the neighbourhoods of two conditions, which moves whole categories. The others
    move a few neighbours round. After each kick, exchanges lead to a local minimum. A greater distance is
    accepted as in simulated annealing, less often with each kick.

    Parameters
    ----------
    c1, c2 : ndarray, shape (n, n)
        RDMs.
    assigned : ndarray of int, shape (n,)
        Condition of the second side that each condition of the first is assigned.
    kicks : int
        Number of kicks. None leaves the first local minimum.
    heat : float
        Temperature of the first kick, in units of the mean effect of a random exchange. It falls to zero.
    seed : int
        Decides the kicks, at least 0 and less than 2^32.

    Returns
    -------
    ndarray of int, shape (n,)
        An assignment whose distance is no greater than that of ``assigned``, and that no exchange lowers.

    References
    ----------
    Stützle (2006), European Journal of Operational Research 174, 1519-1539 (iterated local search); Martin,
    Otto & Felten (1992), Operations Research Letters 11, 219-224 (annealing over local minima).
    """
    c1, c2 = (np.ascontiguousarray(c, dtype=np.float64) for c in (c1, c2))
    n = len(c1)
    permuted = c2[np.ix_(assigned, assigned)]
    states, orders = np.empty((2, 2, n, n)), np.empty((3, n), np.int64)
    states[0], orders[0] = (permuted, c1 @ permuted), assigned
    _annealed(
        c1,
        states,
        np.empty(n),
        orders,
        np.empty((2, n + _KICKED), np.int64),
        np.ones((2, n), np.bool_),
        np.argsort(c1, axis=1, kind="stable"),
        kicks,
        heat * _effect(c1, c2, np.random.default_rng(seed)),
        _LEAST_GAIN * float(np.abs(c1).max() * np.abs(c2).max()) * n,
        seed,
    )
    best: Assignment = orders[2]
    return best


def _effect(c1: Float64, c2: Float64, rng: np.random.Generator) -> float:
    """Mean absolute gain of the exchanges of a random assignment."""
    order = rng.permutation(len(c1))
    permuted = c2[np.ix_(order, order)]
    m = c1 @ permuted
    diagonal = np.diag(m)
    return float(np.abs(m + m.T - diagonal[:, None] - diagonal + 2 * c1 * permuted).mean())
