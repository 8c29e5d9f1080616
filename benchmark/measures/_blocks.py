"""Pieces of a range, for work that should stay in a processor's cache."""

from __future__ import annotations


def blocks(n: int, size: int) -> list[slice]:
    """0 .. n - 1 in pieces of ``size``, the last of what is left."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
