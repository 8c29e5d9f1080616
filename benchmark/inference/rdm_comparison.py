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

#: Rows of an RDM that are permuted together. They fit a processor's cache
_ROWS = 64
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
        The correlation in each resample. All models and targets share the resamples, so differences of draws
        are paired (:func:`paired_difference`). NaN where fewer than three conditions were drawn or their
        pairs have no variance.
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
        One RDM per model, or per layer of a model. (n, n) is one RDM.
    targets : array_like, shape (t, n, n) or (t, s, n, n), or a sequence of t arrays (s_i, n, n)
        One RDM per target, or one per subject of each target. The correlation is averaged over subjects.
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
        If an argument is not an RDM, shapes differ, or all dissimilarities of an RDM are equal (``cosine``:
        zero). If the method is not known, or neither ``weights`` nor ``rng`` is given.

    References
    ----------
    Nili et al. (2014), PLoS Computational Biology 10, e1003553; Schütt et al. (2023), eLife 12, e82566.

    Examples
    --------
    Two layers of a model are compared with the RDMs of three subjects: correlation, interval, and whether the
    layers differ.

    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_compare, paired_difference
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
    >>> round(paired_difference(result.draws[:, 1, 0], result.draws[:, 0, 0]).p, 3)
    0.012
    """
    left, right = _each(models, targets)
    counts = _weights(len(left[0]), weights, draws, rng)
    # The first row gives the score and the other rows the draws. The procedure is the same for all.
    rows = np.vstack([np.ones(counts.shape[1]), counts])
    ranks_anew = method == "spearman" and rerank
    if ranks_anew and (rows != np.round(rows)).any():
        raise ValueError(f"weights of shape {counts.shape} are not whole numbers: pass rerank=False")
    correlations = np.zeros((len(rows), len(left), len(right)))
    subject_rdms = [(t, s, rdm) for t, subjects in enumerate(right) for s, rdm in enumerate(subjects)]
    for part in (subject_rdms[columns] for columns in blocks(len(subject_rdms), _TOGETHER)):
        target_part = {f"targets[{t}][{s}]": rdm for t, s, rdm in part}
        for model_rows in blocks(len(left), _TOGETHER):
            model_part = {f"models[{model_rows.start + i}]": rdm for i, rdm in enumerate(left[model_rows])}
            values = (
                _reranked(model_part, target_part, rows, workers)
                if ranks_anew
                else _weighted(model_part, target_part, rows, method, workers)
            )
            for i, (t, _, _) in enumerate(part):
                correlations[:, model_rows, t] += values[:, :, i] / len(right[t])
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
        One RDM per model, or per layer of a model. (n_conditions, n_conditions) is one RDM.
    targets : array_like, shape (t, n_conditions, n_conditions) or (t, s, n_conditions, n_conditions)
        As :func:`bootstrap_compare`.
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
        equal (``cosine``: zero), or the method is not known.

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
    conditions = len(left[0])
    generator = np.random.default_rng(rng)
    orders = [generator.permutation(conditions) for _ in range(n)]
    identity = np.arange(conditions)
    inverse_orders = [np.argsort(order) for order in orders]
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
            else:  # permuting the models is permuting the targets by the inverse
                transposed = in_threads(partial(_inner, x=y, y=x), inverse_orders, workers)
                null[:, rows, columns] = np.transpose(transposed, (0, 2, 1))
    return RDMPermutation(score, null, exceedance_p(score, null))


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
    """Correlations (b, m, t) of dissimilarities, or of ranks over the whole sample."""
    pairs = pair_count(weights)

    def moments(item: tuple[str, Floats]) -> Moments:
        name, rdm = item
        return Moments.from_weights(weights, standardised(rdm, method, name), pairs, method)

    all_moments = in_threads(moments, [*models.items(), *targets.items()], workers)
    pairs_of_moments = list(product(all_moments[: len(models)], all_moments[len(models) :]))
    correlations = in_threads(
        lambda pair: pair[0].correlation(pair[1], weights, pairs), pairs_of_moments, workers
    )
    return np.stack(correlations, axis=1).reshape(len(weights), len(models), len(targets))


def _reranked(
    models: dict[str, Floats], targets: dict[str, Floats], weights: Float64, workers: int | None
) -> Float64:
    """Spearman correlations (b, m, t), ranked anew in each resample."""
    for name, rdm in {**models, **targets}.items():
        require_varied(upper_triangle(np.asarray(rdm, dtype=np.float64)), rdm, name)
    return reranked(list(models.values()), list(targets.values()), weights, workers)


def _mean_standardised(subjects: RDMs, method: str, name: str) -> Float64:
    """The mean of the subjects' standardised RDMs, divided by the number of ordered pairs.

    With this scale, twice the sum of products above the diagonal is the mean of the correlations.
    """
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
        # Entries above the diagonal blocks count twice.
        start, stop = rows.start, rows.stop
        permuted = np.take(x[:, order[rows]], order[start:], axis=2, mode="clip")
        permuted[:, :, stop - start :] *= 2
        total += permuted.reshape(len(x), -1) @ y[:, rows, start:].reshape(len(y), -1).T
    return total
