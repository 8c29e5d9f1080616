"""RDM correlations of many models with many targets: bootstrap over conditions, and permutation test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import Moments, enough_conditions, pair_count, require_varied, standardised
from benchmark.inference._reranked import reranked
from benchmark.inference.bootstrap import bootstrap_weights, interval
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, Floats, as_rdm, require_draws
from benchmark.measures._threads import in_threads
from benchmark.measures.compare import upper_triangle
from benchmark.measures.permutation import exceedance_p

RDMs = list[Floats]

#: Rows of an RDM that are permuted together: what a processor's cache holds
_ROWS = 64
#: RDMs of models, and of targets, that are held in the form that is worked on at one time
_TOGETHER = 8


@dataclass(frozen=True)
class RDMBootstrap:
    """RDM correlations and their uncertainty.

    Attributes
    ----------
    score : ndarray, shape (m, t)
        Correlation of each model with each target, averaged over its subjects, every condition once.
    low, high : ndarray, shape (m, t)
        95 % percentile interval; NaN where no draw is defined.
    draws : ndarray, shape (b, m, t)
        The correlation in each resample. All models and targets share the resamples: differences of draws are
        paired (:func:`paired_difference`). NaN where fewer than three conditions were drawn or their pairs
        have no variance.
    undefined : ndarray of int, shape (m, t)
        Number of draws that are NaN and left out of the interval.
    """

    score: Float64
    low: Float64
    high: Float64
    draws: Float64
    undefined: np.ndarray


@dataclass(frozen=True)
class RDMPermutation:
    """RDM correlations beside their null distributions.

    Attributes
    ----------
    score : ndarray, shape (m, t)
    null : ndarray, shape (n, m, t)
        The correlations under each permutation, which all models and targets share.
    p : ndarray, shape (m, t)
        One-sided, (1 + #{null >= score}) / (1 + n): never zero.
    """

    score: Float64
    null: Float64
    p: Float64


def bootstrap_compare(
    models: ArrayLike,
    targets: ArrayLike | Sequence[ArrayLike],
    method: str = "spearman",
    *,
    weights: ArrayLike | None = None,
    draws: int = 1000,
    rng: np.random.Generator | int | None = None,
    rerank: bool = True,
    workers: int | None = None,
) -> RDMBootstrap:
    r"""Bootstrap over conditions of the correlation of model RDMs with target RDMs.

    In a resample the pair of conditions i, j is there :math:`w_i w_j` times. Pairs of two copies of one
    condition are left out: their dissimilarity is zero by construction and would raise every correlation.
    Each of the sums is a quadratic form, :math:`\sum_{i<j} w_i w_j X_{ij} Y_{ij} = w^T (X \circ Y) w / 2`, so
    that one matrix product serves all resamples.

    Parameters
    ----------
    models : array_like, shape (m, n, n)
        One RDM a model, or a layer of one; (n, n) is one.
    targets : array_like, shape (t, n, n) or (t, s, n, n), or a sequence of t arrays (s_i, n, n)
        One RDM a target, or one a subject of each target: the correlation is averaged over subjects.
    method : str
        ``spearman``, ``pearson`` or ``cosine``. Invariant to monotone maps, scale and shift, and scale of the
        dissimilarities.
    weights : array_like, shape (b, n), optional
        How often each condition is in each resample (:func:`bootstrap_weights`); in place of ``rng``.
    draws : int
        Number of resamples, where ``weights`` are not given.
    rng : numpy.random.Generator or int
        Source of the resamples, where ``weights`` are not given. The same seed gives the same numbers
        whatever the number of workers.
    rerank : bool
        For ``spearman``: whether each resample is ranked anew, which is the Spearman correlation of the
        resample. ``False`` keeps the ranks of the whole sample, as tasks do: many times faster.
    workers : int, optional
        Number of threads; by default as many as a matrix product may take.

    Returns
    -------
    RDMBootstrap

    Raises
    ------
    ValueError
        If an argument is no RDM, shapes differ, all dissimilarities of one are equal (``cosine``: zero), the
        method is not known, or neither ``weights`` nor ``rng`` is given.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553; Schütt et al. (2023), eLife 12, e82566.
    """
    left, right = _each(models, targets)
    counts = _weights(len(left[0]), weights, draws, rng)
    # The first row is the score, the others are the draws: the procedure is the same.
    rows = np.vstack([np.ones(counts.shape[1]), counts])
    anew = method == "spearman" and rerank
    if anew and (rows != np.round(rows)).any():
        raise ValueError(
            f"weights of shape {counts.shape} are not whole numbers: give rerank=False for those"
        )
    found = np.zeros((len(rows), len(left), len(right)))
    flat = [(t, s, rdm) for t, subjects in enumerate(right) for s, rdm in enumerate(subjects)]
    for some in (flat[columns] for columns in blocks(len(flat), _TOGETHER)):
        named = {f"targets[{t}][{s}]": rdm for t, s, rdm in some}
        for at in blocks(len(left), _TOGETHER):
            these = {f"models[{at.start + i}]": rdm for i, rdm in enumerate(left[at])}
            each = (
                _reranked(these, named, rows, workers)
                if anew
                else _weighted(these, named, rows, method, workers)
            )
            for i, (t, _, _) in enumerate(some):
                found[:, at, t] += each[:, :, i] / len(right[t])
    found[~enough_conditions(rows)] = np.nan
    low, high = np.apply_along_axis(interval, 0, found[1:])
    return RDMBootstrap(found[0], low, high, found[1:], np.isnan(found[1:]).sum(axis=0))


def permutation_compare(
    models: ArrayLike,
    targets: ArrayLike | Sequence[ArrayLike],
    n: int,
    rng: np.random.Generator | int,
    method: str = "spearman",
    *,
    workers: int | None = None,
) -> RDMPermutation:
    """Test RDM correlations, averaged over subjects, against permutations of the models' conditions.

    Rows and columns are permuted together: the pairs of an RDM are not independent, the conditions are what
    can be exchanged (Mantel test). All models and targets share the permutations.

    Parameters
    ----------
    models : array_like, shape (m, n_conditions, n_conditions)
        One RDM a model, or a layer of one; (n_conditions, n_conditions) is one.
    targets : array_like, shape (t, n_conditions, n_conditions) or (t, s, n_conditions, n_conditions)
        As :func:`bootstrap_compare`.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        The same seed gives the same numbers whatever the number of workers.
    method : str
        ``spearman``, ``pearson`` or ``cosine``.
    workers : int, optional
        Number of threads; by default as many as a matrix product may take.

    Returns
    -------
    RDMPermutation

    Raises
    ------
    ValueError
        If ``n`` is less than one, an argument is no RDM, shapes differ, all dissimilarities of one are equal
        (``cosine``: zero), or the method is not known.

    References
    ----------
    Mantel (1967), Cancer Research 27, 209-220; Nili et al. (2014), PLoS Computational Biology 10, e1003553.
    """
    require_draws(n)
    left, right = _each(models, targets)
    conditions = len(left[0])
    generator = np.random.default_rng(rng)
    orders = [generator.permutation(conditions) for _ in range(n)]
    identity = np.arange(conditions)
    back = [np.argsort(order) for order in orders]
    score = np.empty((len(left), len(right)))
    null = np.empty((n, len(left), len(right)))
    for rows in blocks(len(left), _TOGETHER):
        x = np.stack([standardised(left[i], method, f"models[{i}]") for i in range(rows.start, rows.stop)])
        for columns in blocks(len(right), _TOGETHER):
            numbers = range(columns.start, columns.stop)
            y = np.stack([_mean_standardised(right[t], method, f"targets[{t}]") for t in numbers])
            score[rows, columns] = _inner(identity, x, y)
            if len(x) <= len(y):
                null[:, rows, columns] = in_threads(partial(_inner, x=x, y=y), orders, workers)
            else:  # moving the conditions of the models is moving those of the targets the other way
                turned = in_threads(partial(_inner, x=y, y=x), back, workers)
                null[:, rows, columns] = np.transpose(turned, (0, 2, 1))
    return RDMPermutation(score, null, exceedance_p(score, null))


def _each(models: ArrayLike, targets: ArrayLike | Sequence[ArrayLike]) -> tuple[RDMs, list[RDMs]]:
    """RDMs of each model, and of each subject of each target, all of the same conditions."""
    left = _stack(models, "models")
    several: list[Any] = list(targets)  # type: ignore[arg-type]
    if several and all(np.ndim(target) == 1 for target in several):
        several = [targets]
    right = [_stack(target, f"targets[{t}]") for t, target in enumerate(several)]
    if not right:
        raise ValueError("targets is empty: expected RDMs (t, n, n) or (t, s, n, n)")
    for t, target in enumerate(right):
        if target[0].shape != left[0].shape:
            raise ValueError(
                f"targets[{t}] has RDMs of shape {target[0].shape} and models {left[0].shape}: "
                "expected the same conditions"
            )
    return left, right


def _stack(values: ArrayLike, name: str) -> RDMs:
    """RDMs as they came: those of float32 are not copied before their turn."""
    array = np.asarray(values)
    stack = array[None] if array.ndim == 2 else array
    if stack.ndim != 3 or len(stack) == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected RDMs (n, n) or (m, n, n)")
    for i, rdm in enumerate(stack):
        as_rdm(rdm, f"{name}[{i}]")
    return list(stack)


def _weights(n: int, weights: ArrayLike | None, draws: int, rng: np.random.Generator | int | None) -> Float64:
    if weights is None:
        if rng is None:
            raise ValueError("weights and rng are None: expected one of them, for the resamples")
        return bootstrap_weights(n, draws, np.random.default_rng(rng))
    if rng is not None:
        raise ValueError("weights and rng are both given: expected one of them")
    counts = np.asarray(weights, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[1] != n or len(counts) == 0:
        raise ValueError(f"weights has shape {counts.shape}: expected (draws, {n})")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(f"weights of shape {counts.shape} has values that are negative or not finite")
    return counts


def _weighted(
    models: dict[str, Floats],
    targets: dict[str, Floats],
    weights: Float64,
    method: str,
    workers: int | None,
) -> Float64:
    """Correlations (b, m, t) of dissimilarities, or of ranks made once."""
    pairs = pair_count(weights)

    def moments(item: tuple[str, Floats]) -> Moments:
        name, rdm = item
        return Moments.of(weights, standardised(rdm, method, name), pairs, method)

    every = in_threads(moments, [*models.items(), *targets.items()], workers)
    both = list(product(every[: len(models)], every[len(models) :]))
    found = in_threads(lambda pair: pair[0].correlation(pair[1], weights, pairs), both, workers)
    return np.stack(found, axis=1).reshape(len(weights), len(models), len(targets))


def _reranked(
    models: dict[str, Floats], targets: dict[str, Floats], weights: Float64, workers: int | None
) -> Float64:
    """Spearman correlations (b, m, t), ranked anew in each resample."""
    for name, rdm in {**models, **targets}.items():
        require_varied(upper_triangle(np.asarray(rdm, dtype=np.float64)), rdm, name)
    return reranked(list(models.values()), list(targets.values()), weights, workers)


def _mean_standardised(subjects: RDMs, method: str, name: str) -> Float64:
    """With this, twice the sum of products above the diagonal is the mean of the correlations."""
    total = np.zeros(subjects[0].shape)
    for i, rdm in enumerate(subjects):
        total += standardised(rdm, method, f"{name}[{i}]")
    n = len(total)
    return total / (len(subjects) * n * (n - 1))


def _inner(order: np.ndarray, x: Float64, y: Float64) -> Float64:
    """Sums over pairs of x, its conditions in ``order``, times y: (m, n, n), (t, n, n) -> (m, t)."""
    n = len(order)
    total = np.zeros((len(x), len(y)))
    for rows in blocks(n, _ROWS):
        # Above the diagonal blocks everything counts twice.
        start, stop = rows.start, rows.stop
        moved = np.take(x[:, order[rows]], order[start:], axis=2, mode="clip")
        moved[:, :, stop - start :] *= 2
        total += moved.reshape(len(x), -1) @ y[:, rows, start:].reshape(len(y), -1).T
    return total
