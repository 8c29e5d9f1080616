"""Order, ranks and inversions of millions of numbers, by counting sorts of integer keys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.measures._checks import Float64

Order = NDArray[np.uint32]

#: Greatest key; one that rounding carries up is still within 32 bits
_KEYS = 2.0**32 - 2
#: Least range that keys are made of: a smaller one (or one beyond float64) gives all values the same key
_SMALLEST = 1e-290
#: Greatest length of the runs whose inversions are counted pair by pair
_RUN = 64


def sort_order(values: Float64) -> tuple[Order, NDArray[np.bool_]]:
    """Order that sorts ``values``, and where in it a new value starts.

    Values are sorted by an integer key of 32 bits, linear in the value: two passes of numpy's counting sort
    take a third of the time of a comparison sort. Only where keys are the same are the values looked at.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite, n >= 1.

    Returns
    -------
    order : ndarray of int, shape (n,)
    starts : ndarray of bool, shape (n,)
        Whether ``values[order]`` is another value than the one before; the first is.
    """
    least, greatest = float(values.min()), float(values.max())
    scale = _KEYS / (greatest - least) if _SMALLEST < greatest - least < np.inf else 0.0
    keys = values - least if scale else np.zeros(len(values))
    keys *= scale
    integers = keys.astype(np.uint32)
    order = integer_order(integers)
    integers = integers.take(order)
    starts = np.ones(len(values), dtype=bool)
    np.not_equal(integers[1:], integers[:-1], out=starts[1:])
    shared = ~starts
    shared[:-1] |= shared[1:]
    at = np.flatnonzero(shared)
    found = values.take(order[at])
    if (found[1:] < found[:-1]).any():
        # Keys rise with the values: sorting all the shared ones leaves each within the places of its key.
        inner = np.argsort(found)
        order[at], found = order[at[inner]], found[inner]
    starts[at[1:]] = found[1:] != found[:-1]
    return order, starts


def integer_order(keys: NDArray[np.uint32]) -> Order:
    """Stable order that sorts 32-bit keys: by the low half, then by the high half."""
    low = np.argsort(keys.astype(np.uint16), kind="stable")
    high = (keys >> np.uint32(16)).astype(np.uint16).take(low)
    # What is read in no order should be small.
    return low.astype(np.uint32).take(np.argsort(high, kind="stable"))


def average_ranks(values: Float64) -> Float64:
    """Ranks from 1 to n; values that are the same have the mean of their ranks."""
    order, starts = sort_order(values)
    ranks = np.empty(len(values))
    if starts.all():
        ranks[order] = np.arange(1.0, len(values) + 1)
        return ranks
    first = np.flatnonzero(starts)
    counts = np.diff(first, append=len(values))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    return ranks


def inversions(permutation: Order) -> int:
    """Number of pairs i < j with ``permutation[i] > permutation[j]``.

    From above: the numbers are parted into the smaller half and the greater half, each in its own order, and
    how often a greater one stands before a smaller one follows from the places of the smaller ones alone;
    then each half likewise, all halves of a level at once. O(n log n).

    Parameters
    ----------
    permutation : ndarray of int, shape (n,)
        Of 0 to n - 1.
    """
    n = len(permutation)
    levels = max(0, int(np.ceil(np.log2(n / _RUN))))
    width = -(-n // 2**levels) * 2**levels
    values = np.arange(width, dtype=np.int32)[None]  # what is filled up is in order: it adds nothing
    values[0, :n] = permutation
    total = 0
    for _ in range(levels):
        rows, width = values.shape
        half = width // 2
        greater = (values >= half).ravel()
        low, high = np.flatnonzero(~greater), np.flatnonzero(greater)
        # The k-th smaller number of a row has as many greater ones before it as its place is beyond k.
        total += int(low.sum()) - half * width * rows * (rows - 1) // 2 - rows * half * (half - 1) // 2
        parted = np.empty((rows, 2, half), dtype=np.int32)
        parted[:, 0] = values.take(low).reshape(rows, half)
        parted[:, 1] = values.take(high).reshape(rows, half) - half
        values = parted.reshape(2 * rows, half)
    runs = np.ascontiguousarray(values.T.astype(np.uint8))
    return total + sum(int(np.count_nonzero(run > runs[i + 1 :])) for i, run in enumerate(runs))
