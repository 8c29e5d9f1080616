"""The cost of an extraction, estimated from one batch that is timed."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmark.common.cost import Cost, peak_memory
from benchmark.extraction.rows import IN_MEMORY


def timed_cost(count: int, run: Callable[[int], None], size: int, width: Callable[[], int]) -> Cost:
    """Time ``run`` on the first stimuli and scale the time to all of them.

    Before that, ``run`` is called once for one stimulus, since a first call is slower.

    Parameters
    ----------
    count : int
        Number of all stimuli.
    run : callable
        ``run(n)`` extracts the features of the first n stimuli and keeps nothing.
    size : int
        Number of stimuli that are timed; at most ``count`` are.
    width : callable
        Gives the number of values per stimulus in all layers together. It is called after ``run``.

    Returns
    -------
    Cost
        Seconds, peak memory in bytes (None where the system does not say) and bytes on disk.
    """
    size = min(size, count)
    run(1)
    start = time.perf_counter()
    run(size)
    seconds = (time.perf_counter() - start) * count / size
    disk = 4 * count * width()
    peak = peak_memory()
    return Cost(seconds, None if peak is None else peak + min(disk, IN_MEMORY), disk)
