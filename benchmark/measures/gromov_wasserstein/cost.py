"""The time of a search for the plan of least Gromov-Wasserstein distance."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np
from scipy.linalg import blas
from threadpoolctl import threadpool_limits

from benchmark.measures._threads import usable_threads
from benchmark.measures.gromov_wasserstein.search import EPSILONS, first_random, kicks

#: Mean number of steps of a solution, over epsilons and polish: 70 to 140 at 334 concepts, 45 at 1,854
_STEPS = 70
#: Scalings in a step
_SCALINGS = 4
#: Mean number of exchanges in a kick and the descent from it, as a share of the conditions
_EXCHANGES = 0.2
#: From this size on a library needs as long for an exchange as compiled code, which has no overhead
_COMPILED = 256
#: How often a step is timed, and an exchange, which is short. The fastest counts
_TRIES, _SHORT_TRIES = 2, 20


def gw_search_seconds(
    n: int, starts: int, epsilons: Sequence[float] | None = None, polish: bool = True
) -> float:
    """Estimate how long a search takes on this machine, by timing one of its steps.

    The estimate is meant for RDMs of full rank and for all starts. From 48 to 334 concepts searches took 0.5
    to 1.7 times as long. RDMs of low rank can take less.

    Parameters
    ----------
    n : int
        Number of conditions on each side.
    starts, epsilons, polish
        As in :func:`gromov_wasserstein`.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    The time differs between machines.

    >>> from benchmark.measures import gw_search_seconds
    >>> seconds = gw_search_seconds(50, starts=10)
    >>> 0 < seconds < 3600
    True
    """
    rng = np.random.default_rng(0)
    plan, rdm = (rng.random((n, n), dtype=np.float32) for _ in range(2))
    size = max(n, _COMPILED)
    product, row = np.asfortranarray(rng.random((size, size))), rng.random(size)
    seconds, exchange = [], []
    with threadpool_limits(1):
        for _ in range(_TRIES):
            began = perf_counter()
            kernel = np.exp(rdm @ plan / -n)
            for _ in range(_SCALINGS):
                kernel @ (kernel[0] @ kernel)
            seconds.append(perf_counter() - began)
        for _ in range(_SHORT_TRIES):
            began = perf_counter()
            blas.dger(1e-9, row, row, a=product, overwrite_a=1)
            exchange.append((perf_counter() - began) * (n / size) ** 2)
    solutions = EPSILONS if epsilons is None else len(epsilons)
    entropic = min(seconds) * _STEPS * solutions * (min(starts, first_random(n)) if polish else starts)
    kicked = sum(kicks(n, start) for start in range(starts)) if polish else 0
    exchanges = min(exchange) * _EXCHANGES * n * kicked
    return (entropic + exchanges) / min(usable_threads(), starts)
