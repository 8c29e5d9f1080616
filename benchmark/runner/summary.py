"""From what a task found to numbers with their uncertainty, the same way for every task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.inference import bootstrap_weights, estimate, fdr, select_layer
from benchmark.inference.bootstrap import Estimate as Bootstrapped
from benchmark.inference.bootstrap import Selected
from benchmark.results import Estimate, LayerScore
from benchmark.task import LayerResult, TaskResult

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


def summarise(result: TaskResult, metric: str, seed: int) -> Summary:
    """Score, interval, chance and ceiling of every layer and metric, and the headline.

    Parameters
    ----------
    result : TaskResult
    metric : str
        The first metric of the task: the headline, and what the best layer is chosen by.
    seed : int
        Of the resampling weights: that of the binding, so that all its models share them.
    """
    n = len(result.concepts)
    weights = bootstrap_weights(n, DRAWS, np.random.default_rng(seed))
    adjusted = fdr(np.array([np.nan if r.p is None else r.p for r in result.layers.values()]))
    layers = tuple(
        _layer(name, found, result, weights, float(p))
        for (name, found), p in zip(result.layers.items(), adjusted, strict=True)
    )
    defined = {name: r.statistics[metric] for name, r in result.layers.items() if r.undefined is None}
    if not defined:
        return Summary(_estimate(result, metric), None, "single", layers, np.full(DRAWS, np.nan))
    if result.headline in defined:
        best, selection = str(result.headline), "fixed"
        found: Bootstrapped | Selected = estimate(defined[best], weights)
    else:
        # with the same seed it draws the same weights, so that every model of the binding is paired
        selected = select_layer(defined, n, DRAWS, np.random.default_rng(seed))
        best, selection = selected.layer, "split-half" if len(defined) > 1 else "single"
        found = selected
    headline = _estimate(result, metric, found.score, found.low, found.high)
    return Summary(headline, best, selection, layers, found.draws)


def _layer(
    name: str, found: LayerResult, result: TaskResult, weights: np.ndarray, p_fdr: float
) -> LayerScore:
    metrics = {}
    for metric, statistic in found.statistics.items():
        e = estimate(statistic, weights)
        metrics[metric] = _estimate(result, metric, e.score, e.low, e.high)
    return LayerScore(
        name=name, undefined=found.undefined, p=found.p, p_fdr=p_fdr, metrics=metrics, values={**found.values}
    )


def _estimate(
    result: TaskResult, metric: str, score: float = np.nan, low: float = np.nan, high: float = np.nan
) -> Estimate:
    lower, upper = result.ceiling.get(metric, (np.nan, np.nan))
    return Estimate(
        score=score,
        ci_low=low,
        ci_high=high,
        chance=result.chance.get(metric, np.nan),
        ceiling_low=lower,
        ceiling_high=upper,
    )
