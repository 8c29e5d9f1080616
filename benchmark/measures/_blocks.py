"""Cut a range into blocks, so that the work on one block stays in a processor's cache."""

from __future__ import annotations


def blocks(n: int, size: int) -> list[slice]:
    """Slices that cover 0 to ``n - 1``: each has ``size`` entries, the last one may have fewer."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
