"""The cost of an extraction of features or of a task's long work, in words for the user; memory in use."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """The cost of an extraction of features or of a task's long work.

    Attributes
    ----------
    seconds : float
        Expected time.
    memory : int or None
        Greatest memory of this process, in bytes. None where the system does not say.
    disk : int
        Bytes on disk: of the features in the store, or of what is kept until the work is done.
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
