"""Turn the result of a task into numbers with their uncertainty, the same way for every task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmark.common.errors import NotPossible
from benchmark.inference import bootstrap_weights, estimate, estimates, fdr, perturbed, select_layer
from benchmark.inference.bootstrap import Estimate as Bootstrapped
from benchmark.inference.paired import HALVINGS
from benchmark.results import Estimate, LayerScore
from benchmark.task import LayerResult, Metric, Statistic, TaskResult

#: Bootstrap resamples of the concepts.
DRAWS = 1000


@dataclass(frozen=True)
class Summary:
    """The numbers of a cell.

    Attributes
    ----------
    headline : Estimate
        The score of the cell, on the task's first metric.
    best_layer : str or None
        The layer with the best score on all concepts, or the layer that the task fixed; None: no layer has
        a score.
    selection : str
        "split-half", "fixed" or "single", as in :class:`benchmark.results.CellResult`.
    layers : tuple of LayerScore
    draws : ndarray, shape (DRAWS,)
        The headline score in each bootstrap resample. Models of one binding with the same concepts and seed
        have the same resampling weights, so the differences of their draws are paired.
    perturbed : ndarray, shape (2, h)
        Changes of the score of the best layer with the weights of concepts and of pairs
        (:class:`benchmark.inference.Perturbed`), which the comparison of two models needs. NaN where a task
        cannot compute them. Models of one binding with the same concepts and seed have the same weights.
    """

    headline: Estimate
    best_layer: str | None
    selection: str
    layers: tuple[LayerScore, ...]
    draws: np.ndarray
    perturbed: np.ndarray


def summarise(result: TaskResult, metrics: tuple[Metric, ...], seed: int) -> Summary:
    """Compute score, interval, chance and ceiling of every layer and metric, and of the cell.

    Parameters
    ----------
    result : TaskResult
    metrics : tuple of Metric
        Metrics of the task. The first one is the headline, and chooses the best layer.
    seed : int
        Seed of the resampling weights: the seed of the binding, so that all its models share the weights.

    Returns
    -------
    Summary

    Raises
    ------
    NotPossible
        If there are fewer than two concepts.
    """
    n = len(result.concepts)
    if n < 2:
        raise NotPossible(f"only {n} concept is left to be scored; an interval over concepts needs two")
    weights = bootstrap_weights(n, DRAWS, np.random.default_rng(seed))
    adjusted = fdr(np.array([np.nan if r.p is None else r.p for r in result.layers.values()]))
    resamples = {metric.name: _resampled(result, metric, weights) for metric in metrics}
    layers = tuple(
        _layer(name, layer, result, metrics, resamples, float(p_fdr))
        for (name, layer), p_fdr in zip(result.layers.items(), adjusted, strict=True)
    )
    first = metrics[0]
    defined = {name: r.statistics[first.name] for name, r in result.layers.items() if r.undefined is None}
    if not defined:
        return Summary(
            _estimate(result, first),
            None,
            "single",
            layers,
            np.full(DRAWS, np.nan),
            np.full((2, HALVINGS), np.nan),
        )
    if result.headline in defined:
        best, selection = str(result.headline), "fixed"
        resampled = estimate(defined[best], weights)
    else:
        best, resampled = _select(defined, first, n, seed)
        selection = "split-half" if len(defined) > 1 else "single"
    pairs = result.layers[best].pairs
    changed = perturbed(defined[best], n, seed, pairs() if pairs else None)
    return Summary(
        _estimate(result, first, resampled),
        best,
        selection,
        layers,
        resampled.draws,
        np.array([changed.concepts, changed.pairs]),
    )


def _select(statistics: dict[str, Statistic], metric: Metric, n: int, seed: int) -> tuple[str, Bootstrapped]:
    """The best layer, and its score on the concepts on which it was not chosen.

    With the same seed all models of the binding have the same resampling weights, so they are paired.
    """
    rng = np.random.default_rng(seed)
    if metric.higher_is_better:
        s = select_layer(statistics, n, DRAWS, rng)
        return s.layer, Bootstrapped(s.score, s.low, s.high, s.draws, s.undefined)
    s = select_layer({name: _negative(f) for name, f in statistics.items()}, n, DRAWS, rng)
    return s.layer, Bootstrapped(-s.score, -s.high, -s.low, -s.draws, s.undefined)


def _negative(statistic: Statistic) -> Statistic:
    return lambda weights: -statistic(weights)


def _resampled(result: TaskResult, metric: Metric, weights: np.ndarray) -> dict[str, Bootstrapped]:
    """A metric of each layer that has it; all layers together, so that what they share is computed once."""
    scored = {
        name: layer.statistics[metric.name]
        for name, layer in result.layers.items()
        if metric.name in layer.statistics
    }
    return dict(zip(scored, estimates(list(scored.values()), weights), strict=True))


def _layer(
    name: str,
    layer: LayerResult,
    result: TaskResult,
    metrics: tuple[Metric, ...],
    resamples: Mapping[str, Mapping[str, Bootstrapped]],
    p_fdr: float,
) -> LayerScore:
    return LayerScore(
        name=name,
        undefined=layer.undefined,
        p=layer.p,
        p_fdr=p_fdr,
        metrics={
            metric.name: _estimate(result, metric, resamples[metric.name][name])
            for metric in metrics
            if name in resamples[metric.name]
        },
        values={**layer.values},
    )


def _estimate(result: TaskResult, metric: Metric, resampled: Bootstrapped | None = None) -> Estimate:
    lower, upper = result.ceiling.get(metric.name, (np.nan, np.nan))
    by_chance = result.chance_band.get(metric.name, (np.nan, np.nan))
    low, high = _interval(metric, resampled, len(result.concepts)) if resampled else (np.nan, np.nan)
    return Estimate(
        score=resampled.score if resampled else np.nan,
        ci_low=low,
        ci_high=high,
        chance=result.chance.get(metric.name, np.nan),
        chance_low=by_chance[0],
        chance_high=by_chance[1],
        ceiling_low=lower,
        ceiling_high=upper,
    )


def _interval(metric: Metric, resampled: Bootstrapped, n: int) -> tuple[float, float]:
    """The bootstrap interval; for a rate that is 0 or 1 for every concept that of Clopper & Pearson (1934).

    For such a rate all resamples are equal. The bootstrap interval has no width then, and a reader would
    take the score for certain.
    """
    if metric.range == (0.0, 1.0) and resampled.low == resampled.high:
        width = 1 - 0.025 ** (1 / n)
        if resampled.score == 0:
            return 0.0, width
        if resampled.score == 1:
            return 1 - width, 1.0
    return resampled.low, resampled.high
