"""Comparing RDMs over their upper triangles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import squareform

from benchmark.measures._checks import Float64, as_rdm
from benchmark.measures._ranks import Order, average_ranks, integer_order, inversions, sort_order
from benchmark.measures._threads import in_threads

#: Bytes of RDMs of either stack that are worked on at a time
_HELD = 256 * 2**20


def compare_rdms(a: ArrayLike, b: ArrayLike, method: str = "spearman") -> float | Float64:
    r"""How alike RDMs are; 1 is the same, up to what the method is invariant to.

    ==============  =====================================================================  ================
    method          value                                                                  invariant to
    ==============  =====================================================================  ================
    ``pearson``     correlation of the dissimilarities                                     scale, shift
    ``spearman``    correlation of their ranks, ties at their mean rank                    monotone maps
    ``kendall``     tau-a: (concordant - discordant) / all pairs of dissimilarities        monotone maps
    ``rho-a``       Spearman's expected value when ties are broken at random               monotone maps
    ``cosine``      cosine of the dissimilarities                                          scale
    ``corr_cov``    whitened correlation (Diedrichsen et al. 2020)                         scale, shift
    ``cosine_cov``  whitened cosine (= linear CKA of squared Euclidean RDMs)               scale
    ==============  =====================================================================  ================

    All are symmetric in ``a`` and ``b``, do not depend on the order of the conditions, and lie in [-1, 1].
    The whitened methods undo the correlation of dissimilarities that share a condition, for noise that is
    independent and the same in all conditions: they are the cosine of the double-centred RDMs, diagonal
    included, for ``corr_cov`` after the mean dissimilarity is taken off.

    Parameters
    ----------
    a : array_like, shape (n, n) or (m, n, n)
        An RDM or a stack of them, n >= 3.
    b : array_like, shape (n, n) or (s, n, n)
        RDMs of the same conditions in the same order.
    method : str

    Returns
    -------
    float or ndarray
        float for two RDMs; (m,) or (s,) for a stack and an RDM; (m, s) for two stacks, every RDM of ``a``
        with every one of ``b``. Each RDM is ranked once (of ``a`` once for each 256 MB of ``b``), in as many
        threads as a matrix product may take.

    Raises
    ------
    ValueError
        If the method is not known, an argument is no RDM, or one has no variance (all tied; for cosines:
        all zero): then nothing is defined.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553 (tau-a); Schütt et al. (2023), eLife 12,
    e82566 (rho-a); Diedrichsen et al. (2020), arXiv:2007.02789 (whitened).
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: expected one of {', '.join(METHODS)}")
    left, right = _Stack.of(a, "a"), _Stack.of(b, "b")
    if left.rdms.shape[1:] != right.rdms.shape[1:]:
        shapes = f"{left.shape} and {right.shape}"
        raise ValueError(f"a and b have shapes {shapes}: expected the same conditions in both")
    found = _all_pairs(left, right, method).reshape(left.shape[:-2] + right.shape[:-2])
    return found if found.ndim else float(found)


@dataclass(frozen=True)
class _Stack:
    """RDMs (m, n, n), the shape they came in, and what to call them."""

    rdms: NDArray[np.generic]
    shape: tuple[int, ...]
    name: str

    @classmethod
    def of(cls, values: ArrayLike, name: str) -> _Stack:
        array = np.asarray(values)
        if array.ndim not in (2, 3) or 0 in array.shape or array.shape[-1] != array.shape[-2]:
            raise ValueError(f"{name} has shape {array.shape}: expected a square RDM (n, n) or (m, n, n)")
        if array.shape[-1] < 3:
            raise ValueError(f"{name} has {array.shape[-1]} conditions: at least 3 are needed")
        return cls(array if array.ndim == 3 else array[None], array.shape, name)

    def rdm(self, i: int, method: str) -> Float64:
        """RDM ``i``, checked: an RDM, and one that the method is defined for."""
        name = f"{self.name}[{i}]" if len(self.shape) == 3 else self.name
        matrix = as_rdm(self.rdms[i], name)
        cosine = method in ("cosine", "cosine_cov")
        if not matrix.any() if cosine else is_constant(upper_triangle(matrix)):
            raise ValueError(
                f"{name} of shape {matrix.shape} has dissimilarities that are all equal: undefined"
            )
        return matrix

    def parts(self, size: int) -> Iterator[range]:
        """The numbers of the RDMs, at most ``size`` at a time."""
        for start in range(0, len(self.rdms), size):
            yield range(start, min(start + size, len(self.rdms)))


def upper_triangle(matrix: Float64) -> Float64:
    """The entries above the diagonal, row by row, (n (n - 1) / 2,)."""
    values: Float64 = squareform(matrix, checks=False)
    return values


def is_constant(values: Float64) -> bool:
    """Whether all values are the same up to rounding."""
    high, low = values.max(), values.min()
    return bool(high - low <= 1e-12 * max(high, -low))


def _all_pairs(left: _Stack, right: _Stack, method: str) -> Float64:
    """The value of every RDM of ``left`` with every one of ``right``, a part of both stacks at a time."""
    prepare, value = _METHODS[method]
    held = max(1, _HELD // left.rdms[0].nbytes)
    values = np.empty((len(left.rdms), len(right.rdms)))
    for columns in right.parts(held):
        others: list[Any] = []
        for rows in left.parts(held):
            todo = [(left, i) for i in rows] + [(right, j) for j in columns if not others]
            prepared = in_threads(lambda item: prepare(item[0].rdm(item[1], method), method), todo)
            others = others or prepared[len(rows) :]
            pairs = [(x, y) for x in prepared[: len(rows)] for y in others]
            found = in_threads(lambda pair: value(*pair), pairs)
            values[rows.start : rows.stop, columns.start : columns.stop] = np.reshape(found, (len(rows), -1))
    return values


def _linear(rdm: Float64, method: str) -> Float64:
    """Dissimilarities (for ``pearson`` less their mean), at unit length."""
    return _unit(upper_triangle(rdm), centre=method == "pearson")


def _ranked(rdm: Float64, method: str) -> Float64:
    """Centred ranks: at unit length, or (``rho-a``) at the length that ranks without ties have."""
    ranks = average_ranks(upper_triangle(rdm))
    if method == "spearman":
        return _unit(ranks, centre=True)
    n = len(ranks)
    ranks -= (n + 1) / 2
    ranks *= np.sqrt(12 / (float(n) ** 3 - n))
    return ranks


def _whitened(rdm: Float64, method: str) -> Float64:
    """The double-centred RDM, every entry of it, at unit length."""
    n = len(rdm)
    shift = rdm.sum() / (n * (n - 1)) if method == "corr_cov" else 0.0
    means = (rdm.sum(axis=1) - shift * (n - 1)) / n
    offset = means - means.mean() / 2
    centred: Float64 = rdm - (offset + shift)[:, None]
    centred -= offset
    centred[np.diag_indices(n)] += shift
    return _unit(centred.ravel(), centre=False)


def _unit(values: Float64, *, centre: bool) -> Float64:
    """``values`` at unit length, in place."""
    if centre:
        values -= values.mean()
    values /= max(values.max(), -values.min())  # no square leaves the range of float64
    values /= np.sqrt(values @ values)
    return values


def _inner(x: Float64, y: Float64) -> float:
    # Rounding may carry a perfect agreement past one.
    return min(max(float(x @ y), -1.0), 1.0)


@dataclass(frozen=True)
class _DenseRanks:
    """Rank of each value among the distinct ones, from 0; the order that sorts them; how many pairs tie."""

    ranks: NDArray[np.uint32]
    order: Order
    tied: int

    @classmethod
    def of(cls, rdm: Float64, _method: str) -> _DenseRanks:
        order, starts = sort_order(upper_triangle(rdm))
        ranks = np.empty(len(order), dtype=np.uint32)
        ranks[order] = np.cumsum(starts, dtype=np.uint32) - np.uint32(1)
        return cls(ranks, order, _pairs_within(starts))


def _pairs_within(starts: NDArray[np.bool_]) -> int:
    """Number of pairs within the runs that begin where ``starts`` is true."""
    counts = np.diff(np.flatnonzero(starts), append=len(starts))
    return int((counts * (counts - 1) // 2).sum())


def _tau_a(x: _DenseRanks, y: _DenseRanks) -> float:
    """Concordant less discordant, over all pairs (Knight 1966): O(n log n), counted in whole numbers."""
    n = len(x.ranks)
    sequence = y.ranks.take(x.order)
    both = 0
    if x.tied:
        # Among equal x the order is that of y, so that no pair of them counts as discordant.
        keys = (x.ranks.astype(np.uint64) << np.uint64(32)) | y.ranks
        keys.sort()
        both = _pairs_within(np.append(True, keys[1:] != keys[:-1]))
        sequence = keys.astype(np.uint32)
    # A stable order has as many inversions as there are pairs with the greater number first.
    discordant = inversions(integer_order(sequence) if y.tied else sequence)
    pairs = n * (n - 1) // 2
    return (pairs - x.tied - y.tied + both - 2 * discordant) / pairs


#: What is worked out once for each RDM, and the value of two of those
_METHODS: dict[str, tuple[Callable[[Float64, str], Any], Callable[[Any, Any], float]]] = {
    "pearson": (_linear, _inner),
    "spearman": (_ranked, _inner),
    "kendall": (_DenseRanks.of, _tau_a),
    "rho-a": (_ranked, _inner),
    "cosine": (_linear, _inner),
    "corr_cov": (_whitened, _inner),
    "cosine_cov": (_whitened, _inner),
}
METHODS = tuple(_METHODS)
