"""What an extraction will cost: time, memory and disk, from one batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmark.extraction.rows import IN_MEMORY


@dataclass(frozen=True)
class Cost:
    """What an extraction costs.

    Attributes
    ----------
    seconds : float
    memory : int or None
        Bytes this process takes at most; None where the system does not say.
    disk : int
        Bytes of the features in the store.
    """

    seconds: float
    memory: int | None
    disk: int

    def __str__(self) -> str:
        """``about 2 min, 1.2 GiB memory, 40 MiB on disk``."""
        parts = [f"about {_duration(self.seconds)}", f"{_size(self.disk)} on disk"]
        if self.memory is not None:
            parts.insert(1, f"{_size(self.memory)} memory")
        return ", ".join(parts)


def timed_cost(count: int, run: Callable[[int], None], size: int, width: Callable[[], int]) -> Cost:
    """Time ``run`` on the first ``size`` stimuli, once it is warm, and scale it to all.

    Parameters
    ----------
    count : int
        Number of stimuli.
    run : callable
        Extracts the first so many, and keeps nothing.
    size : int
    width : callable
        Values a stimulus in all layers; known once ``run`` was called.
    """
    size = min(size, count)
    run(1)
    start = time.perf_counter()
    run(size)
    seconds = (time.perf_counter() - start) * count / size
    disk = 4 * count * width()
    peak = peak_memory()
    return Cost(seconds, None if peak is None else peak + min(disk, IN_MEMORY), disk)


def peak_memory() -> int | None:
    """Greatest resident memory of this process so far, in bytes; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _size(size: int) -> str:
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{max(1, round(size / 2**20))} MiB"
