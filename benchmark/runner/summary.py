"""From what a task found to numbers with their uncertainty, the same way for every task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.inference import bootstrap_weights, estimate, fdr, select_layer
from benchmark.inference.bootstrap import Estimate as Bootstrapped
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
        *The* score of the cell, by the task's first metric.
    best_layer : str
        The layer that scores highest on all concepts, or the one fixed beforehand.
    selection : str
        "split-half", "fixed" or "single".
    layers : tuple of LayerScore
    draws : ndarray, shape (DRAWS,)
        The headline in each bootstrap resample. Two models of one binding with the same concepts and seed
        were resampled with the same weights: the difference of their draws is paired.
    """

    headline: Estimate
    best_layer: str | None
    selection: str
    layers: tuple[LayerScore, ...]
    draws: np.ndarray


def summarise(result: TaskResult, metrics: tuple[Metric, ...], seed: int) -> Summary:
    """Score, interval, chance and ceiling of every layer and metric, and the headline.

    Parameters
    ----------
    result : TaskResult
    metrics : tuple of Metric
        Of the task; the first is the headline, and what the best layer is chosen by.
    seed : int
        Of the resampling weights: that of the binding, so that all its models share them.
    """
    n = len(result.concepts)
    weights = bootstrap_weights(n, DRAWS, np.random.default_rng(seed))
    adjusted = fdr(np.array([np.nan if r.p is None else r.p for r in result.layers.values()]))
    layers = tuple(
        _layer(name, found, result, metrics, weights, float(p))
        for (name, found), p in zip(result.layers.items(), adjusted, strict=True)
    )
    first = metrics[0]
    defined = {name: r.statistics[first.name] for name, r in result.layers.items() if r.undefined is None}
    if not defined:
        return Summary(_estimate(result, first), None, "single", layers, np.full(DRAWS, np.nan))
    if result.headline in defined:
        best, selection = str(result.headline), "fixed"
        found = estimate(defined[best], weights)
    else:
        best, found = _select(defined, first, n, seed)
        selection = "split-half" if len(defined) > 1 else "single"
    return Summary(_estimate(result, first, found), best, selection, layers, found.draws)


def _select(statistics: dict[str, Statistic], metric: Metric, n: int, seed: int) -> tuple[str, Bootstrapped]:
    """The best layer, and its score where it was not chosen.

    With the same seed the weights are those of every other model of the binding: all are paired.
    """
    rng = np.random.default_rng(seed)
    if metric.higher_is_better:
        s = select_layer(statistics, n, DRAWS, rng)
        return s.layer, Bootstrapped(s.score, s.low, s.high, s.draws, s.undefined)
    s = select_layer({name: _negative(f) for name, f in statistics.items()}, n, DRAWS, rng)
    return s.layer, Bootstrapped(-s.score, -s.high, -s.low, -s.draws, s.undefined)


def _negative(statistic: Statistic) -> Statistic:
    return lambda weights: -statistic(weights)


def _layer(
    name: str,
    found: LayerResult,
    result: TaskResult,
    metrics: tuple[Metric, ...],
    weights: np.ndarray,
    p_fdr: float,
) -> LayerScore:
    estimates = {
        metric.name: _estimate(result, metric, estimate(found.statistics[metric.name], weights))
        for metric in metrics
        if metric.name in found.statistics
    }
    return LayerScore(
        name=name,
        undefined=found.undefined,
        p=found.p,
        p_fdr=p_fdr,
        metrics=estimates,
        values={**found.values},
    )


def _estimate(result: TaskResult, metric: Metric, found: Bootstrapped | None = None) -> Estimate:
    lower, upper = result.ceiling.get(metric.name, (np.nan, np.nan))
    low, high = _interval(metric, found, len(result.concepts)) if found else (np.nan, np.nan)
    return Estimate(
        score=found.score if found else np.nan,
        ci_low=low,
        ci_high=high,
        chance=result.chance.get(metric.name, np.nan),
        ceiling_low=lower,
        ceiling_high=upper,
    )


def _interval(metric: Metric, found: Bootstrapped, n: int) -> tuple[float, float]:
    """The bootstrap interval; of a rate that is 0 or 1 for every concept, that of Clopper & Pearson (1934).

    There all resamples are alike, and the bootstrap's interval without width would read as certainty.
    """
    if metric.range == (0.0, 1.0) and found.low == found.high:
        unseen = 1 - 0.025 ** (1 / n)
        if found.score == 0:
            return 0.0, unseen
        if found.score == 1:
            return 1 - unseen, 1.0
    return found.low, found.high
