"""Order, ranks and inversions of millions of numbers, by counting sorts of integer keys.

Numbers that are equal in exact arithmetic differ by rounding once they are computed, and the difference
depends on the order of features, on the processor and on the number of threads. So numbers that follow one
another in the order, and differ by no more than rounding leaves, are tied (:func:`tied_within`). This is the
one rule for dissimilarities; see docs/reference/methodology.md.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64

Order = NDArray[np.uint32]

#: Greatest key. If rounding raises it by one, it still fits 32 bits
_KEYS = 2.0**32 - 2
#: Smallest range of values that keys resolve. With a smaller range, or one beyond float64, all keys are equal
_SMALLEST = 1e-290
#: Neighbours are tied if they differ by at most this share of the greater of the two, plus this share of
#: the greatest absolute value. Rounding leaves a tenth of that; unrelated values lie further apart
_TIED_OF_VALUE, _TIED_OF_LARGEST = 1e-13, 1e-14
#: Values that are sorted at once by :func:`doubled_ranks`, values that say where the parts end, and values
#: that are looked at together
_PART, _SAMPLE, _PASSED = 2**24, 2**16, 2**20
#: Up to this length, the inversions of a run are counted pair by pair
_RUN = 64


def tied_within(values: Float64 | float, largest: Float64 | float) -> Float64:
    """Greatest difference at which each of ``values`` is tied with a smaller neighbour.

    ``largest`` is the greatest absolute value of all that are compared.
    """
    tolerance: Float64 = np.abs(values) * _TIED_OF_VALUE + largest * _TIED_OF_LARGEST
    return tolerance


def sort_order(values: Float64, largest: float | None = None) -> tuple[Order, NDArray[np.bool_]]:
    """Order that sorts ``values``, and where in that order a new value starts.

    Values are sorted by an integer key of 32 bits that is linear in the value. Two passes of numpy's counting
    sort take a third of the time of a comparison sort. The values themselves are compared only where keys are
    so close that the values may be tied.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite, n >= 1.
    largest : float, optional
        Greatest absolute value of all that are compared. The default is that of ``values``.

    Returns
    -------
    order : ndarray of int, shape (n,)
        ``values[order]`` is ascending.
    starts : ndarray of bool, shape (n,)
        Whether ``values[order]`` is not tied with the value before it. The first entry is true.
    """
    least, greatest = float(values.min()), float(values.max())
    scale = _KEYS / (greatest - least) if _SMALLEST < greatest - least < np.inf else 0.0
    keys = values - least if scale else np.zeros(len(values))
    keys *= scale
    integers = keys.astype(np.uint32)
    del keys  # of many values it is too large to be kept
    order = integer_order(integers)
    integers = integers.take(order)
    largest = max(greatest, -least) if largest is None else largest
    # Two values whose keys differ by more than this are not tied.
    reach = int(min(float(tied_within(largest, largest)) * scale, _KEYS)) + 1
    starts = np.ones(len(values), dtype=bool)
    np.greater(integers[1:] - integers[:-1], reach, out=starts[1:])
    places = tied_places(starts)
    ordered = values.take(order[places])
    if (ordered[1:] < ordered[:-1]).any():
        # Keys rise with the values. So each value stays among the places of its key when all are sorted.
        inner = np.argsort(ordered)
        order[places], ordered = order[places[inner]], ordered[inner]
    starts[places[1:]] = ordered[1:] - ordered[:-1] > tied_within(ordered[1:], largest)
    return order, starts


def integer_order(keys: NDArray[np.uint32]) -> Order:
    """Stable order that sorts 32-bit ``keys``: first by the low half, then by the high half."""
    # This array is read in random order, so it should be small: 32 bits per entry.
    low = np.argsort(keys.astype(np.uint16), kind="stable").astype(np.uint32)
    high = (keys >> np.uint32(16)).astype(np.uint16).take(low)
    return low.take(np.argsort(high, kind="stable"))


def average_ranks(values: Float64) -> Float64:
    """Ranks of ``values`` from 1 to n. Tied values get the mean of their ranks."""
    order, starts = sort_order(values)
    ascending = np.arange(1.0, len(values) + 1)
    places = tied_places(starts)
    first = np.flatnonzero(starts[places])
    counts = np.diff(first, append=len(places))
    ascending[places] = np.repeat(places[first] + (counts + 1) / 2, counts)
    ranks = np.empty(len(values))
    ranks[order] = ascending
    return ranks


def ranks_of_rows(values: Float64) -> Float64:
    """:func:`average_ranks` of each row of ``values`` (m, n), all rows at once: for many short rows."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    largest = np.abs(ordered[:, [0, -1]]).max(axis=1, keepdims=True)
    starts = np.ones(values.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] - ordered[:, :-1] > tied_within(ordered[:, 1:], largest)
    first = np.flatnonzero(starts)
    counts = np.diff(first, append=values.size)
    ascending = np.repeat(first % values.shape[1] + (counts + 1) / 2, counts).reshape(values.shape)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, ascending, axis=1)
    return ranks


def doubled_ranks(values: Float64) -> NDArray[np.uint32]:
    """Twice the ranks of :func:`average_ranks`, which are whole numbers, of up to 2^31 values.

    The values are sorted part by part, from the least to the greatest. So memory holds the values, 4 bytes a
    value for the result, and one part.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite, n >= 1.
    """
    largest = max(float(values.max()), -float(values.min()))
    sample = np.sort(values[:: max(1, len(values) // _SAMPLE)])
    cuts = np.unique(sample[:: max(1, _PART * len(sample) // len(values))])[1:]
    ranks = np.empty(len(values), np.uint32)
    done, waiting = 0, np.empty(0, np.intp)
    for low, high in pairwise((-np.inf, *cuts, np.inf)):
        places = np.concatenate([waiting, _between(values, low, high)])
        order, starts = sort_order(values[places], largest)
        # the last values may be tied with values of the next part, which ranks them then
        end = len(places) if high == np.inf else int(np.flatnonzero(starts)[-1])
        first = np.flatnonzero(starts[:end])
        counts = np.diff(first, append=end)
        ranks[places[order[:end]]] = np.repeat(2 * (done + first) + counts + 1, counts)
        done, waiting = done + end, places[order[end:]]
    return ranks


def _between(values: Float64, low: float, high: float) -> NDArray[np.intp]:
    """Places of the values from ``low`` to below ``high``."""
    found = [
        at.start + np.flatnonzero((values[at] >= low) & (values[at] < high))
        for at in blocks(len(values), _PASSED)
    ]
    return np.concatenate(found)


def tied_places(starts: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places in the order of values that are tied with a neighbour, from :func:`sort_order`'s ``starts``."""
    tied = ~starts
    tied[:-1] |= tied[1:]
    return np.flatnonzero(tied)


def settled(values: Float64) -> Float64:
    """``values`` with tied ones made equal bit by bit.

    Each becomes the mean of its group, without last digits. So rounding does not decide between tied
    values, and hardly ever changes what they become.
    """
    order, starts = sort_order(values)
    first = np.flatnonzero(starts)
    means = np.add.reduceat(values[order], first) / np.diff(first, append=len(values))
    # A power of two near 1e-13 of the greatest value: multiples of it are exact.
    unit = np.ldexp(1.0, int(np.frexp(1.3 * np.abs(means).max())[1]) - 43)
    result = np.empty(len(values))
    result[order] = (np.rint(means / unit) * unit)[np.cumsum(starts) - 1]
    return result


def inversions(permutation: Order) -> int:
    """Number of pairs i < j with ``permutation[i] > permutation[j]``.

    Numbers are split into the smaller half and the greater half, and each half keeps its order. The places of
    the smaller numbers alone tell how often a greater number stands before a smaller one. Each half is then
    split in the same way, all halves of a level at once. O(n log n).

    Parameters
    ----------
    permutation : ndarray of int, shape (n,)
        A permutation of 0 to n - 1.
    """
    n = len(permutation)
    levels = max(0, int(np.ceil(np.log2(n / _RUN))))
    width = -(-n // 2**levels) * 2**levels
    values = np.arange(width, dtype=np.int32)[None]  # the padding is in order: it adds no inversion
    values[0, :n] = permutation
    total = 0
    for _ in range(levels):
        rows, width = values.shape
        half = width // 2
        greater = (values >= half).ravel()
        low, high = np.flatnonzero(~greater), np.flatnonzero(greater)
        # The k-th smaller number of a row, at place p, has p - k greater numbers before it.
        total += int(low.sum()) - half * width * rows * (rows - 1) // 2 - rows * half * (half - 1) // 2
        halves = np.empty((rows, 2, half), dtype=np.int32)
        halves[:, 0] = values.take(low).reshape(rows, half)
        halves[:, 1] = values.take(high).reshape(rows, half) - half
        values = halves.reshape(2 * rows, half)
    runs = np.ascontiguousarray(values.T.astype(np.uint8))
    return total + sum(int(np.count_nonzero(run > runs[i + 1 :])) for i, run in enumerate(runs))
