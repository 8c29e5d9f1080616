"""Unique variance of models along an axis: curves, and the semi-partial correlations that are tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.partition import span
from benchmark.inference.series import SeriesScores, series_scores, standardised_pairs
from benchmark.measures._checks import Float64
from benchmark.measures._threads import in_threads
from benchmark.measures.even_regression import EvenRegression, sums_by_condition

#: Below this share of its variance, what references leave of a model is rounding
_NOTHING = 1e-9


def series_partition(
    models: ArrayLike, references: ArrayLike, series: ArrayLike, method: str = "spearman"
) -> tuple[SeriesScores, Float64]:
    """What each model explains beyond references of each subject at each place, and what of it is tested.

    Parameters
    ----------
    models : array_like, shape (m, pairs)
        Pairs of RDMs above the diagonal, row by row.
    references : array_like, shape (r, n, n)
        RDMs of the references.
    series : array_like, shape (s, t, pairs)
        Each subject's pairs at each place.
    method : {"spearman", "pearson"}

    Returns
    -------
    tested : SeriesScores
        ``models`` are what the references leave of the models, standardised (all 0 where that is nothing),
        and ``mean`` is the mean of the subjects without what the references explain. ``scores`` are
        semi-partial correlations: with a sign, and 0 on average for a model that has nothing to do with the
        series. Their square is the unique variance with the bias of the small sample. ``lower`` and
        ``upper`` are, at each place, those of :func:`benchmark.inference.part_ceilings`, (1, t).
    unique : ndarray, shape (m, s, t)
        Unique variance without that bias, as :class:`benchmark.measures.RDMRegression` gives it.

    Raises
    ------
    ValueError
        As :func:`benchmark.inference.series_scores`.

    Examples
    --------
    Two subjects have what is new in a model at the second of two times.

    >>> import numpy as np
    >>> from benchmark.inference import series_partition
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> upper = np.triu_indices(12, 1)
    >>> known, new = (rdm(rng.normal(size=(12, 6))) for _ in range(2))
    >>> series = 0.2 * rng.normal(size=(2, 2, 66)) + known[upper]
    >>> series[:, 1] += new[upper]
    >>> tested, unique = series_partition([new[upper]], [known], series, "pearson")
    >>> unique[0].mean(axis=0).round(1)
    array([-0. ,  0.4])
    """
    found = series_scores(models, series, method)
    values, known = np.asarray(series), np.asarray(references, dtype=np.float64)
    pairs = values.shape[2]
    upper = np.triu_indices(known.shape[1], 1)
    rows = _standardised([rdm[upper] for rdm in known], method, "references")
    basis = span(np.vstack([np.ones(pairs), rows]))
    left = found.models - (found.models @ basis.T) @ basis
    size = np.sqrt(np.mean(left**2, axis=1, keepdims=True))
    left = np.divide(left, size, out=np.zeros_like(left), where=size**2 > _NOTHING)
    before = EvenRegression(rows)
    beside = [EvenRegression(np.vstack([rows, row])) for row in found.models]

    def place(t: int) -> tuple[Float64, Float64, tuple[float, float]]:
        # each subject alone, standardised as the models are
        y = _standardised(values[:, t], method, "series")
        sums = sums_by_condition(y)
        known = before.explained(y, sums)
        unique = np.array([regression.explained(y, sums) - known for regression in beside])
        ceiling = _ceiling(y, sums, rows, known, method) if len(y) > 1 else (np.nan, np.nan)
        return unique.reshape(len(beside), len(y)), left @ y.T / pairs, ceiling

    unique, scores, ceilings = zip(*in_threads(place, range(values.shape[1])), strict=True)
    low, high = np.array(ceilings).T
    mean = found.mean - (found.mean @ basis.T) @ basis
    tested = SeriesScores(left, mean, np.stack(scores, axis=-1), low[None], high[None], found.between)
    return tested, np.stack(unique, axis=-1)


def _ceiling(
    y: Float64, sums: Float64, references: Float64, known: Float64, method: str
) -> tuple[float, float]:
    """The unique variance of :func:`benchmark.inference.part_ceilings`, from standardised subjects (s, N)."""
    total = y.sum(axis=0)
    means = [*((total - own) / (len(y) - 1) for own in y), total / len(y)]
    *others, mean = _standardised(means, method, "means of subjects")
    best = EvenRegression(np.vstack([references, mean])).explained(y, sums) - known
    each = [
        EvenRegression(np.vstack([references, model])).explained(y[s : s + 1], sums[s : s + 1])[0] - known[s]
        for s, model in enumerate(others)
    ]
    return float(np.mean(each)), float(best.mean())


def _standardised(rows: ArrayLike, method: str, name: str) -> Float64:
    """Pairs (m, N), each standardised alone."""
    values = enumerate(np.asarray(rows))
    return np.array([standardised_pairs(row, method, f"{name}[{i}]") for i, row in values])
