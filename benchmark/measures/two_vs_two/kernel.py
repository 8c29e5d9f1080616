"""The closed form of 2 vs 2 in float32, compiled: one pass over the pairs instead of one for each operation.

The letters are those of ``margins.py`` and ``counts.py``. Importing numba takes a third of a second, and the
first compilation on a machine takes some seconds. So this module is imported only where pairs are counted.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmark.measures._checks import Float64

Float32 = NDArray[np.float32]
Indices = NDArray[np.intp]

#: Number of pairs of a row that are counted before those in doubt are listed
PIECE = 64
#: Share of its variance that a row must keep without a column. Below it, float32 decides nothing
LEAST_SHARE = np.float32(0.9)

_ONE = np.float32(1)


@njit(inline="always", error_model="numpy")
def margin(slope, a_ij, a_ji, b_ij, b_ji, c_ii, c_jj, c_ij, c_ji):  # type: ignore[no-untyped-def]
    """The margin of a pair, and the shares v and u of their variance that the rows keep; see ``margins.py``.

    ``slope`` is 1 + 1/n. ``a_ij``, ``a_ji``, ``b_ij``, ``b_ji`` are entries of A and B, and ``c_ii``,
    ``c_jj``, ``c_ij``, ``c_ji`` entries of C: numbers, or arrays of one shape.
    """
    v_ij, v_ji = _ONE - slope * a_ij * a_ij, _ONE - slope * a_ji * a_ji
    u_ij, u_ji = _ONE - slope * b_ij * b_ij, _ONE - slope * b_ji * b_ji
    v, v_turned, u, u_turned = np.sqrt(v_ij), np.sqrt(v_ji), np.sqrt(u_ij), np.sqrt(u_ji)
    rest = slope - _ONE
    # Each of the four terms has one v and one u as divisors. One division serves all four.
    value = v_turned * (u_turned * (c_ii - slope * a_ij * b_ij) - u * (c_ij - rest * a_ij * b_ji))
    value += v * (u * (c_jj - slope * a_ji * b_ji) - u_turned * (c_ji - rest * a_ji * b_ij))
    value /= v * v_turned * (u * u_turned)
    return value, (v_ij, v_ji, u_ij, u_ji)


@njit(inline="always", error_model="numpy")
def _checked_margin(slope, row, column, in_a, in_b, x_ij, x_ji):  # type: ignore[no-untyped-def]
    """The margin of a pair from its row and its column. NaN if the pair is not well-conditioned."""
    a_shift, a_scale, b_shift, b_scale, c_ii, alpha = row
    a_turned, a_scale_turned, b_turned, b_scale_turned, c_jj, alpha_turned = column
    a_ij, a_ji = a_scale * (in_a + a_shift), a_scale_turned * (in_a + a_turned)
    b_ij, b_ji = b_scale * (in_b + b_shift), b_scale_turned * (in_b + b_turned)
    c_ij, c_ji = x_ij - alpha * b_ji, x_ji - alpha_turned * b_ij
    value, (v, v_turned, u, u_turned) = margin(slope, a_ij, a_ji, b_ij, b_ji, c_ii, c_jj, c_ij, c_ji)
    least = min(min(v, v_turned), min(u, u_turned))
    return value if least > LEAST_SHARE else np.float32(np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def brackets(gram: Float64, common: Float64, out: Float32, start: int, stop: int) -> None:
    """Write g_ij + f_i + f_j of some rows into ``out``. The diagonal is NaN, because it is not a pair.

    Parameters
    ----------
    gram : ndarray, shape (k, k)
        g = V V'.
    common : ndarray, shape (k,)
        f.
    out : ndarray, shape (k, k)
        Written, in float32.
    start, stop : int
        The rows are ``start`` to ``stop - 1``.
    """
    for i in range(start, stop):
        for j in range(len(common)):
            out[i, j] = gram[i, j] + (common[i] + common[j])
        out[i, i] = np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def count_strip(
    a: Float32,
    b: Float32,
    order: Indices,
    product: Float32,
    turned: Float32,
    of_concepts: tuple[Float32, ...],
    bound: np.float32,
    start: int,
    above: bool,
    passed: Indices,
    doubtful: Indices,
) -> int:
    """Count the pairs of some rows that pass, and list those that float32 cannot decide.

    Parameters
    ----------
    a, b : ndarray, shape (k, k)
        Brackets of the two spaces.
    order : ndarray of int, shape (k,)
        Order of the concepts of a.
    product, turned : ndarray, shape (rows, k), or (rows, k - start) where ``above``
        These rows of X, in this order, and of its transpose. Where ``above``, only the columns from ``start``
        on.
    of_concepts : tuple of ndarray, shape (k,)
        Shift d and scale s of A, in this order, and of B; the diagonal of C; alpha.
    bound : float32
        A margin that is no further from zero is in doubt.
    start : int
        First of the rows.
    above : bool
        Whether to count only pairs above the diagonal. Else each pair counts in both its rows.
    passed : ndarray of int, shape (rows,)
        Zeros. The number of pairs that passed is added to each row.
    doubtful : ndarray of int, shape (rows * k, 2)
        Written: pairs above the diagonal that are in doubt.

    Returns
    -------
    int
        Number of pairs in doubt.
    """
    a_shift, a_scale, b_shift, b_scale, diagonal, alpha = of_concepts
    k = len(order)
    slope = _ONE + _ONE / np.float32(k - 2)
    skipped = np.uint64(start if above else 0)
    in_a, n_doubtful = np.empty(k, dtype=np.float32), 0
    for i in range(start, start + len(passed)):
        first_column = i + 1 if above else 0
        row = a_shift[i], a_scale[i], b_shift[i], b_scale[i], diagonal[i], alpha[i]
        bracket, in_b, x_ij, x_ji = a[order[i]], b[i], product[i - start], turned[i - start]
        for j in range(first_column, k):
            in_a[j] = bracket[order[j]]
        for first in range(first_column, k, PIECE):
            # The index is unsigned, so it cannot count from the end, and the loop writes nothing. Thus it is
            # compiled to process sixteen pairs at a time.
            last = min(first + PIECE, k)
            positive, negative = 0, 0
            for j in range(np.uint64(first), np.uint64(last)):
                column = a_shift[j], a_scale[j], b_shift[j], b_scale[j], diagonal[j], alpha[j]
                value = _checked_margin(
                    slope, row, column, in_a[j], in_b[j], x_ij[j - skipped], x_ji[j - skipped]
                )
                positive += value > bound
                negative += value < -bound
            passed[i - start] += positive
            if positive + negative == last - first:
                continue
            for j in range(np.uint64(max(first, i + 1)), np.uint64(last)):
                column = a_shift[j], a_scale[j], b_shift[j], b_scale[j], diagonal[j], alpha[j]
                value = _checked_margin(
                    slope, row, column, in_a[j], in_b[j], x_ij[j - skipped], x_ji[j - skipped]
                )
                if not abs(value) > bound:
                    doubtful[n_doubtful, 0], doubtful[n_doubtful, 1] = i, j
                    n_doubtful += 1
    return n_doubtful
