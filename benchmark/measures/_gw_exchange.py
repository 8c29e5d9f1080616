"""Search among one-to-one assignments: pairwise exchanges, and kicks out of the local minima they end in.

Without entropy a solution of Gromov-Wasserstein between as many conditions as conditions is most often an
assignment, and among assignments the problem is a quadratic assignment problem. A gradient does not see that
two concepts are the wrong way round; an exchange does.
"""

from __future__ import annotations

import numpy as np

from benchmark.measures._checks import Float64

#: conditions that a kick deals anew
_KICKED = 6
#: kicks from one start: as many as this over the number of conditions, at most the second
_WORK, _KICKS = 20_000, 200
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
    best, reached = exchange_descent(c1, c2, assigned)
    for _ in range(min(_KICKS, _WORK // n)):
        kicked = best.copy()
        chosen = rng.choice(n, min(_KICKED, n), replace=False)
        kicked[chosen] = kicked[rng.permutation(chosen)]
        found, agreement = exchange_descent(c1, c2, kicked)
        if agreement > reached:
            best, reached = found, agreement
    return best


def exchange_descent(c1: Float64, c2: Float64, assigned: np.ndarray) -> tuple[np.ndarray, float]:
    r"""Exchange the pair that lowers the distance most, until none does.

    The distance is a constant less :math:`2 n^{-2} \sum_{ik} C^1_{ik} C^2_{p(i)p(k)}`. With
    :math:`M = C^1 C^2_{pp}`, exchanging r and s raises half of that sum by
    :math:`M_{rs} + M_{sr} - M_{rr} - M_{ss} + 2 C^1_{rs} C^2_{p(r)p(s)}`, for all pairs at once; and an
    exchange changes M by a matrix of rank one and two columns.

    Returns
    -------
    assigned : ndarray of int, shape (n,)
    agreement : float
        The sum, which is the greater the less the distance.
    """
    p = assigned.copy()
    placed = c2[np.ix_(p, p)]
    product = c1 @ placed
    least = _LEAST_GAIN * float(np.abs(c1).max() * np.abs(c2).max()) * len(p)
    while True:
        own = np.diagonal(product)
        gain = product + product.T + 2 * c1 * placed
        gain -= own[:, None]
        gain -= own
        r, s = divmod(int(gain.argmax()), len(p))
        if gain[r, s] <= least:
            return p, float(np.vdot(c1, placed))
        product += np.outer(c1[:, r] - c1[:, s], placed[s] - placed[r])
        p[[r, s]] = p[[s, r]]
        placed[[r, s]] = placed[[s, r]]
        placed[:, [r, s]] = placed[:, [s, r]]
        product[:, [r, s]] = c1 @ placed[:, [r, s]]
