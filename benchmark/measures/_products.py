"""Products of all rows with all rows. Columns are read in blocks, and only one triangle is computed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.linalg import blas

from benchmark.measures._checks import Float64

#: Columns of a block: enough for a fast product, few enough to need little memory
_COLUMNS = 1024
#: Rows that are processed together: with the columns of a block they stay in the cache
_ROWS = 64


def upper_products(n: int, d: int, prepare: Callable[[slice, slice, Float64], None]) -> Float64:
    """P P', summed over blocks of columns, where ``prepare`` makes the columns of P (n, d).

    Only the upper triangle is computed, which is half the work of a full product. Blocks are summed in place:
    besides the result, at most one prepared block is in memory.

    Parameters
    ----------
    n, d : int
        Number of rows and of columns of P.
    prepare : callable
        ``prepare(rows, columns, out)`` writes ``P[rows, columns]`` into ``out``.

    Returns
    -------
    ndarray, shape (n, n)
        Entries below the diagonal are zero.
    """
    total = np.zeros((n, n))
    blocks = -(-d // _COLUMNS)
    edges = [d * i // blocks for i in range(blocks + 1)]
    buffer = np.empty(n * -(-d // blocks))
    for start, stop in pairwise(edges):
        block = buffer[: n * (stop - start)].reshape(n, stop - start)
        for rows in row_blocks(n):
            prepare(rows, slice(start, stop), block[rows])
        # BLAS stores arrays by column. The transposed views have that order, so nothing is copied.
        blas.dsyrk(1.0, block.T, beta=1.0, c=total.T, trans=1, lower=1, overwrite_c=1)
    return total


def mirror(upper: Float64, transform: Callable[[slice, Float64], None]) -> None:
    """Transform the upper triangle in place, strip by strip, and copy it below the diagonal.

    Parameters
    ----------
    upper : ndarray, shape (n, n)
        Only its upper triangle is read. It is overwritten with the symmetric result.
    transform : callable
        ``transform(rows, strip)`` changes ``strip = upper[rows, rows.start:]`` in place.
    """
    for rows in row_blocks(len(upper)):
        strip = upper[rows, rows.start :]
        transform(rows, strip)
        upper[rows.stop :, rows] = strip[:, rows.stop - rows.start :].T
        corner = upper[rows, rows]
        corner[...] = np.triu(corner) + np.triu(corner, 1).T


def row_blocks(n: int) -> list[slice]:
    """Slices of at most 64 rows that cover ``n`` rows."""
    return [slice(start, min(start + _ROWS, n)) for start in range(0, n, _ROWS)]
