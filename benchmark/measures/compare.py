"""Compare RDMs over their upper triangles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import squareform

from benchmark.measures._checks import Float64, as_rdm, require_pairs
from benchmark.measures._ranks import (
    Order,
    average_ranks,
    integer_order,
    inversions,
    settled,
    sort_order,
    tied_places,
    tied_within,
)
from benchmark.measures._threads import in_threads
from benchmark.measures._whitened import double_centred, whitened_cosine

#: Bytes of RDMs of each stack that are processed at a time
_HELD = 256 * 2**20


def compare_rdms(a: ArrayLike, b: ArrayLike, method: str = "spearman") -> float | Float64:
    """Similarity of RDMs. 1 means: the same, up to the invariances of the method.

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

    All methods are symmetric in ``a`` and ``b``, do not depend on the order of the conditions, and lie in
    [-1, 1]. Dissimilarities that differ by no more than the rounding of their computation (10^-13 of the
    greater one, plus 10^-14 of the greatest of the RDM) are tied in ranks.

    Dissimilarities that share a condition are correlated. The whitened methods undo that correlation,
    for noise that is independent and equal in all conditions. They are the cosine of the double-centred
    RDMs, diagonal included. For ``corr_cov``, the mean dissimilarity is subtracted first.

    A pair that was not measured is NaN, in both halves of the RDM. Two RDMs are compared over the pairs that
    both have, as if there were no others: these are ranked, centred or whitened. So two values may rest on
    different pairs.

    Parameters
    ----------
    a : array_like, shape (n, n) or (m, n, n)
        An RDM or a stack of RDMs, n >= 3. Pairs may be NaN.
    b : array_like, shape (n, n) or (s, n, n)
        RDMs of the same conditions in the same order.
    method : str
        One of the table. The default is ``spearman``.

    Returns
    -------
    float or ndarray
        Greater is more alike. A float for two RDMs; (m,) or (s,) for a stack and an RDM; (m, s) for two
        stacks: every RDM of ``a`` with every RDM of ``b``. Each RDM is ranked once (those of ``a`` once for
        each 256 MB of ``b``), in as many threads as a matrix product may take.

    Raises
    ------
    ValueError
        If the method is not known or an argument is not an RDM. Also if an RDM has no variance (all its
        dissimilarities are equal; for the cosines: all are zero), or if two RDMs share fewer than three
        pairs. The value is then not defined.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553 (tau-a); Schütt et al. (2023), eLife 12,
    e82566 (rho-a); Diedrichsen et al. (2020), arXiv:2007.02789 (whitened).

    Examples
    --------
    Two subjects' RDMs are noisy copies of one RDM. A model is compared with each of them.

    >>> import numpy as np
    >>> from benchmark.measures import compare_rdms, rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(8, 20))
    >>> subjects = np.stack([rdm(truth + 0.5 * rng.normal(size=truth.shape)) for _ in range(2)])
    >>> model = rdm(truth + 0.2 * rng.normal(size=truth.shape))
    >>> compare_rdms(model, subjects).round(2)
    array([0.58, 0.66])
    >>> round(compare_rdms(model, subjects[0], method="kendall"), 2)
    0.42
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: expected one of {', '.join(METHODS)}")
    left, right = _Stack.from_values(a, "a"), _Stack.from_values(b, "b")
    if left.rdms.shape[1:] != right.rdms.shape[1:]:
        shapes = f"{left.shape} and {right.shape}"
        raise ValueError(f"a and b have shapes {shapes}: expected the same conditions in both")
    values = _all_pairs(left, right, method).reshape(left.shape[:-2] + right.shape[:-2])
    return values if values.ndim else float(values)


@dataclass(frozen=True)
class _Stack:
    """RDMs (m, n, n), the shape of the argument they came from, and the argument's name for messages."""

    rdms: NDArray[np.generic]
    shape: tuple[int, ...]
    name: str

    @classmethod
    def from_values(cls, values: ArrayLike, name: str) -> _Stack:
        array = np.asarray(values)
        if array.ndim not in (2, 3) or 0 in array.shape or array.shape[-1] != array.shape[-2]:
            raise ValueError(f"{name} has shape {array.shape}: expected a square RDM (n, n) or (m, n, n)")
        if array.shape[-1] < 3:
            raise ValueError(f"{name} has {array.shape[-1]} conditions: at least 3 are needed")
        return cls(array if array.ndim == 3 else array[None], array.shape, name)

    def named(self, i: int) -> str:
        """RDM ``i`` in words."""
        return f"{self.name}[{i}]" if len(self.shape) == 3 else self.name

    def rdm(self, i: int) -> Float64:
        """RDM ``i``. Raises if it is not an RDM. Pairs may be NaN."""
        return as_rdm(self.rdms[i], self.named(i), missing=True)

    def parts(self, size: int) -> Iterator[range]:
        """The numbers of the RDMs, at most ``size`` at a time."""
        for start in range(0, len(self.rdms), size):
            yield range(start, min(start + size, len(self.rdms)))


def upper_triangle(matrix: Float64) -> Float64:
    """The entries of ``matrix`` (n, n) above the diagonal, row by row, (n (n - 1) / 2,)."""
    values: Float64 = squareform(matrix, checks=False)
    return values


def settled_rdm(rdm: Float64) -> Float64:
    """The symmetric ``rdm`` (n, n) with tied dissimilarities made equal bit by bit, and a zero diagonal."""
    matrix: Float64 = squareform(settled(upper_triangle(rdm)))
    return matrix


def is_constant(values: Float64) -> bool:
    """Whether all ``values`` are tied, each with the next."""
    high, low = float(values.max()), float(values.min())
    tolerance = float(tied_within(max(high, -low), max(high, -low)))
    if high - low <= tolerance or high - low > len(values) * tolerance:
        return high - low <= tolerance
    return not sort_order(values)[1][1:].any()


def _all_pairs(left: _Stack, right: _Stack, method: str) -> Float64:
    """The value of every RDM of ``left`` with every RDM of ``right``, for a part of both stacks at a time."""
    size = max(1, _HELD // left.rdms[0].nbytes)
    values = np.empty((len(left.rdms), len(right.rdms)))

    def value(pair: tuple[int, Any, int, Any]) -> float:
        i, x, j, y = pair
        if x is None or y is None:
            return _over_shared_pairs(left, i, right, j, method)
        return _value(x, y, method)

    for columns in right.parts(size):
        prepared_right: list[Any] = []
        for rows in left.parts(size):
            rdms = [(left, i) for i in rows] + [(right, j) for j in columns if not prepared_right]
            prepared = in_threads(lambda item: _prepared_if_complete(*item, method), rdms)
            prepared_right = prepared_right or prepared[len(rows) :]
            pairs = [
                (i, x, j, y)
                for i, x in zip(rows, prepared, strict=False)  # those of the right follow
                for j, y in zip(columns, prepared_right, strict=True)
            ]
            part = in_threads(value, pairs)
            values[rows.start : rows.stop, columns.start : columns.stop] = np.reshape(part, (len(rows), -1))
    return values


def _prepared_if_complete(stack: _Stack, i: int, method: str) -> Any | None:
    """RDM ``i`` as :func:`_value` takes it. None if pairs are missing: it then depends on the other RDM."""
    rdm = stack.rdm(i)
    what = f"{stack.named(i)} of shape {rdm.shape} has dissimilarities"
    if method in _WHITENED:
        centred = double_centred(rdm, centre=_WHITENED[method])
        if np.isnan(centred[0]):  # one NaN reaches all entries
            return None
        require_varied(rdm if method == "cosine_cov" else upper_triangle(rdm), what, method)
        return _unit(centred, centre=False)
    values = upper_triangle(rdm)
    if np.isnan(values.max()):
        return None
    require_varied(values, what, method)
    return _METHODS[method][0](values, method)


def _over_shared_pairs(left: _Stack, i: int, right: _Stack, j: int, method: str) -> float:
    """The value of two RDMs over the pairs that both have."""
    x, y = upper_triangle(left.rdm(i)), upper_triangle(right.rdm(j))
    used = ~(np.isnan(x) | np.isnan(y))
    count = int(used.sum())
    require_pairs(count, f"{left.named(i)} and {right.named(j)} share")
    for name, values in ((left.named(i), x), (right.named(j), y)):
        require_varied(values[used], f"{name} has {count} dissimilarities in use", method)
    if method in _WHITENED:
        return _clipped(whitened_cosine(x, y, used, centre=_WHITENED[method]))
    prepare = _METHODS[method][0]
    return _value(prepare(x[used], method), prepare(y[used], method), method)


def _value(x: Any, y: Any, method: str) -> float:
    return _inner(x, y) if method in _WHITENED else _METHODS[method][1](x, y)


def require_varied(values: Float64, what: str, method: str) -> None:
    """Raise if ``method`` is not defined for the dissimilarities ``values``. ``what`` begins the message."""
    if not values.any() if method in ("cosine", "cosine_cov") else is_constant(values):
        raise ValueError(f"{what} that are all equal: undefined")


def linear_unit(values: Float64, method: str) -> Float64:
    """Dissimilarities at unit length. For ``pearson`` their mean is subtracted first.

    Parameters
    ----------
    values : ndarray, shape (pairs,)
    method : {"pearson", "cosine"}
    """
    return _unit(values, centre=method == "pearson")


def ranked_unit(values: Float64, method: str) -> Float64:
    """Centred ranks at unit length. For ``rho-a`` the unit is the length of ranks without ties.

    Parameters
    ----------
    values : ndarray, shape (pairs,)
    method : {"spearman", "rho-a"}
    """
    ranks = average_ranks(values)
    if method == "spearman":
        return _unit(ranks, centre=True)
    n = len(ranks)
    ranks -= (n + 1) / 2
    ranks *= np.sqrt(12 / (float(n) ** 3 - n))
    return ranks


def _unit(values: Float64, *, centre: bool) -> Float64:
    """``values`` at unit length, in place."""
    if centre:
        values -= values.mean()
    values /= max(values.max(), -values.min())  # so that no square leaves the range of float64
    values /= np.sqrt(values @ values)
    return values


def _inner(x: Float64, y: Float64) -> float:
    return _clipped(float(x @ y))


def _clipped(value: float) -> float:
    # Rounding may give a perfect agreement a value above one.
    return min(max(value, -1.0), 1.0)


@dataclass(frozen=True)
class _DenseRanks:
    """Ranks for Kendall's tau.

    ``ranks`` is the rank of each value among the distinct values, from 0; ``order`` sorts the values;
    ``places`` are the places in that order that are tied; ``tied`` is the number of pairs that are tied.
    """

    ranks: NDArray[np.uint32]
    order: Order
    places: NDArray[np.intp]
    tied: int

    @classmethod
    def from_values(cls, values: Float64, _method: str) -> _DenseRanks:
        order, starts = sort_order(values)
        ranks = np.empty(len(order), dtype=np.uint32)
        ranks[order] = np.cumsum(starts, dtype=np.uint32) - np.uint32(1)
        return cls(ranks, order, tied_places(starts), _pairs_within(starts))


def _pairs_within(starts: NDArray[np.bool_]) -> int:
    """Number of pairs within the runs that begin where ``starts`` is true."""
    counts = np.diff(np.flatnonzero(starts), append=len(starts))
    return int((counts * (counts - 1) // 2).sum())


def _tau_a(x: _DenseRanks, y: _DenseRanks) -> float:
    """Concordant less discordant pairs, over all pairs (Knight 1966). O(n log n), in whole numbers."""
    n = len(x.ranks)
    sequence = y.ranks.take(x.order)
    tied_in_both = 0
    if x.tied:
        # Where x is equal, pairs are ordered by y, so that none of them counts as discordant.
        keys = (x.ranks.take(x.order[x.places]).astype(np.uint64) << np.uint64(32)) | sequence[x.places]
        keys.sort()
        tied_in_both = _pairs_within(np.append(True, keys[1:] != keys[:-1]))
        sequence[x.places] = keys.astype(np.uint32)
    # The inversions of a stable order are the pairs with the greater number first.
    discordant = inversions(integer_order(sequence) if y.tied else sequence)
    pairs = n * (n - 1) // 2
    return (pairs - x.tied - y.tied + tied_in_both - 2 * discordant) / pairs


#: For each method: how the dissimilarities of one RDM are prepared, and the value of two prepared RDMs
_METHODS: dict[str, tuple[Callable[[Float64, str], Any], Callable[[Any, Any], float]]] = {
    "pearson": (linear_unit, _inner),
    "spearman": (ranked_unit, _inner),
    "kendall": (_DenseRanks.from_values, _tau_a),
    "rho-a": (ranked_unit, _inner),
    "cosine": (linear_unit, _inner),
}
#: For each whitened method: whether the mean dissimilarity is subtracted
_WHITENED = {"corr_cov": True, "cosine_cov": False}
METHODS = (*_METHODS, *_WHITENED)
