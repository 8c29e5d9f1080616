"""RDM correlations of many models with many targets: bootstrap over conditions, and permutation test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import (
    Moments,
    Used,
    both,
    by_pairs,
    enough_conditions,
    links,
    measured_pairs,
    require_varied,
    standardised,
    weighted_pairs,
)
from benchmark.inference._permuted import NamedRDMs, over_all_pairs, over_measured_pairs
from benchmark.inference._reranked import reranked
from benchmark.inference.bootstrap import bootstrap_weights, interval
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, Floats, as_rdm, require_draws, require_pairs
from benchmark.measures._threads import in_threads
from benchmark.measures.compare import upper_triangle
from benchmark.measures.permutation import exceedance_p

RDMs = list[Floats]

#: Number of standardised RDMs of models, and of targets, that are in memory at one time
_TOGETHER = 8


@dataclass(frozen=True)
class RDMBootstrap:
    """RDM correlations and their uncertainty.

    Attributes
    ----------
    score : ndarray, shape (m, t)
        Correlation of each model with each target, averaged over its subjects, with every condition once.
    low, high : ndarray, shape (m, t)
        95 % percentile interval. NaN where no draw is defined.
    draws : ndarray, shape (b, m, t)
        The correlation in each resample. All models and targets share the resamples. NaN where fewer than
        three conditions were drawn or their pairs have no variance. A subject with missing pairs is left out
        of a draw that has fewer than three of its pairs, or no variance in them.
    undefined : ndarray of int, shape (m, t)
        Number of draws that are NaN. The interval leaves them out.
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
        Correlation of each model with each target, averaged over its subjects.
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

    In a resample the pair of conditions i, j occurs :math:`w_i w_j` times. Pairs of two copies of one
    condition are left out: their dissimilarity is zero by construction and would raise every correlation.
    Each of the sums is a quadratic form, :math:`\sum_{i<j} w_i w_j X_{ij} Y_{ij} = w^T (X \circ Y) w / 2`. So
    one matrix product serves all resamples.

    Parameters
    ----------
    models : array_like, shape (m, n, n)
        One RDM per model, or per layer of a model. (n, n) is one RDM. Pairs may be NaN.
    targets : array_like, shape (t, n, n) or (t, s, n, n), or a sequence of t arrays (s_i, n, n)
        One RDM per target, or one per subject of each target. The correlation is averaged over subjects.
        Pairs may be NaN: each subject is compared over the pairs that it and the model have.
    method : str
        ``spearman``, ``pearson`` or ``cosine``. They are invariant to monotone maps, to scale and shift, and
        to scale of the dissimilarities, in this order.
    weights : array_like, shape (b, n), optional
        How often each condition occurs in each resample (:func:`bootstrap_weights`). Give it in place of
        ``rng``.
    draws : int
        Number of resamples, if ``weights`` is not given.
    rng : numpy.random.Generator or int
        Source of the resamples, or its seed, if ``weights`` is not given. The same seed gives the same
        numbers for any number of workers.
    rerank : bool
        For ``spearman``: whether each resample is ranked anew, which gives the Spearman correlation of the
        resample. ``False`` keeps the ranks of the whole sample, as tasks do. It is many times faster.
    workers : int, optional
        Number of threads. The default is as many as a matrix product may take.

    Returns
    -------
    RDMBootstrap

    Raises
    ------
    ValueError
        If an argument is not an RDM, shapes differ, all dissimilarities of an RDM are equal (``cosine``:
        zero), or a model and a subject share fewer than three pairs. If the method is not known, or neither
        ``weights`` nor ``rng`` is given.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553; Schütt et al. (2023), eLife 12, e82566.

    Examples
    --------
    Two layers of a model are compared with the RDMs of three subjects: correlation and interval.

    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_compare
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(12, 20))
    >>> subjects = np.stack([rdm(truth + 0.5 * rng.normal(size=truth.shape)) for _ in range(3)])
    >>> layers = np.stack([rdm(truth + noise * rng.normal(size=truth.shape)) for noise in (2.0, 0.3)])
    >>> result = bootstrap_compare(layers, subjects[None], draws=500, rng=0)
    >>> result.score[:, 0].round(2)
    array([0.11, 0.66])
    >>> result.low[:, 0].round(2), result.high[:, 0].round(2)
    (array([-0.26,  0.48]), array([0.47, 0.82]))
    """
    left, right = _each(models, targets)
    counts = _weights(len(left[0]), weights, draws, rng)
    # The first row gives the score and the other rows the draws. The procedure is the same for all.
    rows = np.vstack([np.ones(counts.shape[1]), counts])
    ranks_anew = method == "spearman" and rerank
    if ranks_anew and (rows != np.round(rows)).any():
        raise ValueError(f"weights of shape {counts.shape} are not whole numbers: pass rerank=False")
    correlate = _reranked if ranks_anew else partial(_weighted, method=method)
    correlations = np.zeros((len(rows), len(left), len(right)))
    left_out = np.zeros(correlations.shape, dtype=np.uint32)  # subjects without enough pairs in a draw
    subject_rdms = [(t, s, rdm) for t, subjects in enumerate(right) for s, rdm in enumerate(subjects)]
    for part in (subject_rdms[columns] for columns in blocks(len(subject_rdms), _TOGETHER)):
        target_part = {f"targets[{t}][{s}]": rdm for t, s, rdm in part}
        for model_rows in blocks(len(left), _TOGETHER):
            model_part = {f"models[{model_rows.start + i}]": rdm for i, rdm in enumerate(left[model_rows])}
            values, absent = _over_shared_pairs(model_part, target_part, rows, correlate, workers)
            for i, (t, _, _) in enumerate(part):
                correlations[:, model_rows, t] += values[:, :, i] / len(right[t])
                left_out[:, model_rows, t] += absent[:, :, i]
    subjects = np.array([len(target) for target in right])
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations *= subjects / (subjects - left_out)  # one where nobody is left out
    correlations[~enough_conditions(rows)] = np.nan
    low, high = np.apply_along_axis(interval, 0, correlations[1:])
    return RDMBootstrap(correlations[0], low, high, correlations[1:], np.isnan(correlations[1:]).sum(axis=0))


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

    Rows and columns are permuted together (Mantel test). The pairs of an RDM are not independent; only its
    conditions can be exchanged. All models and targets share the permutations.

    Parameters
    ----------
    models : array_like, shape (m, n_conditions, n_conditions)
        One RDM per model, or per layer of a model. (n_conditions, n_conditions) is one RDM. No pair may be
        NaN.
    targets : array_like, shape (t, n_conditions, n_conditions) or (t, s, n_conditions, n_conditions)
        As :func:`bootstrap_compare`. Pairs may be NaN; which ones they are stays the same under permutation.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed. The same seed gives the same numbers for any number of
        workers.
    method : str
        ``spearman``, ``pearson`` or ``cosine``.
    workers : int, optional
        Number of threads. The default is as many as a matrix product may take.

    Returns
    -------
    RDMPermutation

    Raises
    ------
    ValueError
        If ``n`` is less than one, an argument is not an RDM, shapes differ, all dissimilarities of an RDM are
        equal (``cosine``: zero), a model's RDM has NaN, or the method is not known.

    References
    ----------
    Mantel (1967), Cancer Research 27, 209-220; Nili et al. (2014), PLoS Computational Biology 10, e1003553.

    Examples
    --------
    One model that shares the target's geometry, and one that does not.

    >>> import numpy as np
    >>> from benchmark.inference import permutation_compare
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth, unrelated = rng.normal(size=(2, 10, 20))
    >>> target = rdm(truth + 0.5 * rng.normal(size=truth.shape))
    >>> test = permutation_compare(np.stack([rdm(truth), rdm(unrelated)]), target[None], n=199, rng=0)
    >>> test.score[:, 0].round(2)
    array([ 0.72, -0.04])
    >>> test.p[:, 0].round(3)
    array([0.005, 0.62 ])
    """
    require_draws(n)
    left, right = _each(models, targets)
    for i, rdm in enumerate(left):
        if measured_pairs(rdm) is not None:
            raise ValueError(
                f"models[{i}] of shape {rdm.shape} has pairs that are NaN: only those of targets may "
                "be, because the conditions of models are permuted; exchange the two"
            )
    conditions = len(left[0])
    generator = np.random.default_rng(rng)
    orders = [generator.permutation(conditions) for _ in range(n)]
    score = np.empty((len(left), len(right)))
    null = np.empty((n, len(left), len(right)))
    named = [{f"targets[{t}][{i}]": rdm for i, rdm in enumerate(rdms)} for t, rdms in enumerate(right)]
    whole = [t for t, rdms in enumerate(right) if all(measured_pairs(rdm) is None for rdm in rdms)]
    for rows in blocks(len(left), _TOGETHER):
        part = {f"models[{i}]": left[i] for i in range(rows.start, rows.stop)}
        for columns in blocks(len(whole), _TOGETHER):
            numbers = whole[columns]
            score[rows, numbers], null[:, rows, numbers] = over_all_pairs(
                part, [named[t] for t in numbers], method, orders, workers
            )
        for t in set(range(len(right))).difference(whole):
            score[rows, t], null[:, rows, t] = over_measured_pairs(part, named[t], method, orders, workers)
    # A permutation without a correlation counts as reaching the score, so that p is not too small.
    return RDMPermutation(score, null, exceedance_p(score, np.where(np.isnan(null), np.inf, null)))


def _each(models: ArrayLike, targets: ArrayLike | Sequence[ArrayLike]) -> tuple[RDMs, list[RDMs]]:
    """RDMs of each model, and of each subject of each target. Raises if their conditions differ."""
    left = _stack(models, "models")
    arrays: list[Any] = list(targets)  # type: ignore[arg-type]
    if arrays and all(np.ndim(target) == 1 for target in arrays):
        arrays = [targets]
    right = [_stack(target, f"targets[{t}]") for t, target in enumerate(arrays)]
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
    """The RDMs as they are given. Those of float32 are converted to float64 only when they are used."""
    array = np.asarray(values)
    stack = array[None] if array.ndim == 2 else array
    if stack.ndim != 3 or len(stack) == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected RDMs (n, n) or (m, n, n)")
    for i, rdm in enumerate(stack):
        as_rdm(rdm, f"{name}[{i}]", missing=True)
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


def _over_shared_pairs(
    models: NamedRDMs,
    targets: NamedRDMs,
    weights: Float64,
    correlate: Callable[..., Float64],
    workers: int | None,
) -> tuple[Float64, np.ndarray]:
    """Correlations (b, m, t) over the pairs that both RDMs have, and where a draw has not enough of them.

    There the correlation is 0. Two RDMs without missing pairs have a correlation, or NaN, everywhere.
    """
    correlations = np.zeros((len(weights), len(models), len(targets)))
    absent = np.zeros(correlations.shape, dtype=bool)
    draws = np.arange(len(weights))
    for pairs_of_models, rows in by_pairs(models.values()):
        for pairs_of_targets, columns in by_pairs(targets.values()):
            used = both(pairs_of_models, pairs_of_targets)
            left, right = _chosen(models, rows), _chosen(targets, columns)
            at = np.ix_(draws, np.array(rows), np.array(columns))
            if used is None:
                correlations[at] = correlate(left, right, weights, workers)
                continue
            require_pairs(int(used.sum()), f"{next(iter(left))} and {next(iter(right))} share")
            values = correlate(left, right, weights, workers, used)
            too_few = ~weighted_pairs(weights, links(used))[1][:, None, None] | np.isnan(values)
            correlations[at], absent[at] = np.where(too_few, 0, values), too_few
    return correlations, absent


def _chosen(rdms: NamedRDMs, numbers: list[int]) -> NamedRDMs:
    names = list(rdms)
    return {names[i]: rdms[names[i]] for i in numbers}


def _weighted(
    models: NamedRDMs,
    targets: NamedRDMs,
    weights: Float64,
    workers: int | None,
    used: Used | None = None,
    *,
    method: str,
) -> Float64:
    """Correlations (b, m, t) of dissimilarities, or of ranks over the whole sample."""
    pairs = weighted_pairs(weights, links(used))[0]

    def moments(item: tuple[str, Floats]) -> Moments:
        name, rdm = item
        return Moments.from_weights(weights, standardised(rdm, method, name, used), pairs, method)

    all_moments = in_threads(moments, [*models.items(), *targets.items()], workers)
    pairs_of_moments = list(product(all_moments[: len(models)], all_moments[len(models) :]))
    correlations = in_threads(
        lambda pair: pair[0].correlation(pair[1], weights, pairs), pairs_of_moments, workers
    )
    return np.stack(correlations, axis=1).reshape(len(weights), len(models), len(targets))


def _reranked(
    models: NamedRDMs,
    targets: NamedRDMs,
    weights: Float64,
    workers: int | None,
    used: Used | None = None,
) -> Float64:
    """Spearman correlations (b, m, t), ranked anew in each resample."""
    for name, rdm in {**models, **targets}.items():
        values = upper_triangle(np.asarray(rdm, dtype=np.float64))
        require_varied(values if used is None else values[used], rdm, name, used)
    return reranked(list(models.values()), list(targets.values()), weights, workers, used)
