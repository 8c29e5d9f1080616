"""Combine partial RDMs, of different stimuli, into one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from benchmark.measures._checks import Float64, as_rdms


@dataclass(frozen=True)
class CombinedRDM:
    """One RDM from several partial ones.

    Attributes
    ----------
    rdm : ndarray, shape (n, n)
        Mean of the scaled dissimilarities of each pair. NaN where no RDM has the pair.
    seen : ndarray of int, shape (n, n)
        Number of RDMs that have each pair. 0 on the diagonal.
    scales : ndarray, shape (s,)
        The factor by which each RDM was multiplied. Their geometric mean is one, so the unit is that of the
        RDMs taken together.
    """

    rdm: Float64
    seen: NDArray[np.int_]
    scales: Float64


def stack_partial_rdms(
    rdms: Sequence[ArrayLike], ids: Sequence[Sequence[Hashable]]
) -> tuple[Float64, tuple[Hashable, ...]]:
    """Partial RDMs as one stack over all their conditions.

    Parameters
    ----------
    rdms : sequence of s array_like, shape (n_i, n_i)
        An RDM per subject or session. Pairs may be NaN.
    ids : sequence of s sequences, of length n_i
        The conditions of each RDM, in the order of its rows. None may occur twice in one RDM.

    Returns
    -------
    stack : ndarray, shape (s, n, n)
        NaN where an RDM does not have the pair. The diagonal is that of the RDMs, or 0.
    conditions : tuple, length n
        All ids, in order of first appearance.

    Raises
    ------
    ValueError
        If the lengths differ, an RDM is not square, or an id occurs twice in one RDM.

    Examples
    --------
    >>> from benchmark.measures import stack_partial_rdms
    >>> stack, conditions = stack_partial_rdms(
    ...     [[[0, 2], [2, 0]], [[0, 5], [5, 0]]], ids=[("cat", "dog"), ("dog", "car")]
    ... )
    >>> conditions
    ('cat', 'dog', 'car')
    >>> stack[1]
    array([[ 0., nan, nan],
           [nan,  0.,  5.],
           [nan,  5.,  0.]])
    """
    if len(rdms) != len(ids) or len(rdms) == 0:
        raise ValueError(f"{len(rdms)} rdms and {len(ids)} lists of ids: expected one list for each RDM")
    conditions = tuple(dict.fromkeys(name for names in ids for name in names))
    place = {name: i for i, name in enumerate(conditions)}
    stack = np.full((len(rdms), len(conditions), len(conditions)), np.nan)
    stack[:, np.arange(len(conditions)), np.arange(len(conditions))] = 0
    for i, (values, names) in enumerate(zip(rdms, ids, strict=True)):
        rdm = np.asarray(values, dtype=np.float64)
        if rdm.shape != (len(names), len(names)):
            raise ValueError(f"rdms[{i}] has shape {rdm.shape} for {len(names)} ids: expected a square RDM")
        if len(set(names)) < len(names):
            twice = next(name for k, name in enumerate(names) if name in names[:k])
            raise ValueError(f"ids[{i}] has {twice!r} twice: a condition may have one row")
        rows = [place[name] for name in names]
        stack[i][np.ix_(rows, rows)] = rdm
    return stack, conditions


def combine_rdms(rdms: ArrayLike) -> CombinedRDM:
    r"""Combine RDMs with missing pairs into one: bring them to one scale by their shared pairs, and average.

    Partial RDMs often have scales of their own: a person who sees few stimuli at a time spreads them over the
    whole screen. Let :math:`r_{st}` be the ratio of the lengths (root sums of squares) of RDMs t and s over
    the :math:`n_{st}` pairs that both have. The factors :math:`a_s` are those of least squares,

    .. math:: \min \sum_{s<t} n_{st} (\log a_s - \log a_t - \log r_{st})^2,

    with a geometric mean of one. It is one linear system. RDMs that are proportional to one RDM become equal
    to it, and RDMs that all have the same pairs get the same length, as with ``rescale`` of rsatoolbox. That
    one iterates towards the mean (Kriegeskorte & Mur 2012); where few pairs are shared it stops before it is
    there.

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        RDMs of the same conditions; pairs that were not measured are NaN (:func:`stack_partial_rdms`).

    Returns
    -------
    CombinedRDM

    Raises
    ------
    ValueError
        If an argument is not an RDM, or has fewer than three pairs. If the RDMs fall into groups that share
        no pair that is not zero: nothing then says what one scale is for all.

    References
    ----------
    Kriegeskorte & Mur (2012), Frontiers in Psychology 3, 245.

    Examples
    --------
    Two people rated different stimuli, one on a scale of 10, the other on a scale of 100.

    >>> import numpy as np
    >>> from benchmark.measures import combine_rdms, rdm, stack_partial_rdms
    >>> truth = rdm(np.random.default_rng(0).normal(size=(6, 8)))
    >>> stack, conditions = stack_partial_rdms(
    ...     [10 * truth[:4, :4], 100 * truth[2:, 2:]], ids=["abcd", "cdef"]
    ... )
    >>> combined = combine_rdms(stack)
    >>> round(float(combined.scales[0] / combined.scales[1]), 6)
    10.0
    >>> int(combined.seen[2, 3]), int(combined.seen[0, 5]), bool(np.isnan(combined.rdm[0, 5]))
    (2, 0, True)
    """
    stack = as_rdms(rdms, "rdms", missing=True)
    pairs = np.array([squareform(rdm, checks=False) for rdm in stack])
    present = ~np.isnan(pairs)
    values = np.where(present, pairs, 0)
    scales = _scales(values, present)
    seen = present.sum(axis=0)
    total = (values * scales[:, None]).sum(axis=0)
    mean = np.divide(total, seen, out=np.full(len(seen), np.nan), where=seen > 0)
    return CombinedRDM(squareform(mean), squareform(seen), scales)


def _scales(values: Float64, present: NDArray[np.bool_]) -> Float64:
    """The factor of each RDM. ``values`` (s, pairs) are 0 where a pair is not ``present``."""
    largest = np.abs(values).max(axis=1)
    shares = values / np.where(largest > 0, largest, 1)[:, None]  # so that no square leaves float64
    used = present.astype(np.float64)
    squares = shares**2 @ used.T  # [s, t]: of RDM s over the pairs that t has too
    shared = np.where((squares > 0) & (squares.T > 0), used @ used.T, 0)
    np.fill_diagonal(shared, 0)
    count, group = connected_components(shared, directed=False)
    if count > 1:
        other = int(np.argmax(group != group[0]))
        raise ValueError(
            f"rdms[0] and rdms[{other}] share no pair that is not zero, not by way of others either: "
            "there is no common scale; combine them apart"
        )
    lengths = (
        np.log(np.where(shared > 0, squares, 1)) / 2 + np.log(np.where(largest > 0, largest, 1))[:, None]
    )
    ratios = lengths.T - lengths  # log of the length of t over that of s
    laplacian = np.diag(shared.sum(axis=1)) - shared
    # the factors are known up to a common one: their logarithms are made to sum to zero
    logs = np.linalg.solve(laplacian + 1 / len(values), (shared * ratios).sum(axis=1))
    scales: Float64 = np.exp(logs - logs.mean())
    return scales
