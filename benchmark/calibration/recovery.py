"""Model recovery: whether a task picks the network that people are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmark.calibration.arrays import ArrayView, plain_score, synthetic_stimuli
from benchmark.calibration.simulate import SimulatedRDMs
from benchmark.concepts import concept_images, concept_means, feature_rdm
from benchmark.datasets.join import Join, join
from benchmark.errors import NotPossible
from benchmark.inference import select_layer
from benchmark.task import ModelView, Task, TaskResult

#: Sets of people simulated from each network
PEOPLE = 8
#: Scores this near are one: the networks share the layer
_SAME = 1e-9


@dataclass(frozen=True)
class Recovery:
    """How often each network wins when one of them is true.

    Attributes
    ----------
    models : tuple of str, length m
    layers : tuple of str, length m
        The layer of each that people are simulated from: the best with the real target.
    wins : ndarray, shape (m, m)
        Share of simulated people for whom network j wins when network i is true; rows sum to one.
    scores : ndarray, shape (m, m)
        Mean score of network j when network i is true.
    people : int
        Sets of people for each true network.
    """

    models: tuple[str, ...]
    layers: tuple[str, ...]
    wins: np.ndarray
    scores: np.ndarray
    people: int

    @property
    def chance(self) -> float:
        """Share of wins of each network if the task knew nothing."""
        return 1 / len(self.models)

    @property
    def recovered(self) -> float:
        """Mean share of wins of the true network."""
        return float(np.diagonal(self.wins).mean())


def recover(
    task: Task,
    params: Mapping[str, Any],
    views: Sequence[ModelView],
    joined: Join[Any],
    true: int,
    seed: int,
) -> tuple[str, np.ndarray, np.ndarray]:
    """Simulate people from the best layer of one network and score all networks as a run does.

    Parameters
    ----------
    task : Task
    params : mapping
        Of the binding.
    views : sequence of ModelView, length m
    joined : Join of RDMTarget
        The real people: which layer is the best, and how much noise people have, is taken from them.
    true : int
        The network that people are like.
    seed : int

    Returns
    -------
    layer : str
        The layer of the true network.
    wins, scores : ndarray, shape (PEOPLE, m)
        Networks that share the highest score share the win.

    Raises
    ------
    NotPossible
        If no layer of the true network has a score.
    """
    everything = _in_one_view(views, joined.concepts)
    of = {view.name: [f"{view.name}/{layer}" for layer in view.layers] for view in views}
    metric = task.metrics[0]
    sign = 1.0 if metric.higher_is_better else -1.0
    rng = np.random.default_rng(seed)
    mine = ArrayView(everything.stimuli, {name: everything.features(name) for name in of[views[true].name]})
    real_people = replace(joined.target, ids=joined.concepts)
    real_join: Join[Any] = join(mine.stimuli, real_people)
    real = task.score(mine, real_join, params, rng)
    by_layer = {layer: sign * plain_score(real, layer, metric.name) for layer in mine.layers}
    defined = {layer: score for layer, score in by_layer.items() if np.isfinite(score)}
    if not defined:
        raise NotPossible(f"model {views[true].name!r}: no layer has a score")
    best = max(defined, key=defined.__getitem__)
    metric_of_rdm = str(params.get("metric", "correlation"))
    signal = feature_rdm(mine.features(best).astype(np.float64), joined.concepts, metric_of_rdm)
    people = SimulatedRDMs(joined, signal)
    scores = np.empty((PEOPLE, len(views)))
    for i in range(PEOPLE):
        drawn: Join[Any] = join(everything.stimuli, people.people(rng))
        result = task.score(everything, drawn, params, np.random.default_rng(seed))
        scores[i] = [_headline(result, of[view.name], metric.name, sign, seed) for view in views]
    highest = np.nanmax(scores, axis=1, keepdims=True)
    wins = scores >= highest - _SAME
    return best.partition("/")[2], wins / wins.sum(axis=1, keepdims=True), sign * scores


def _in_one_view(views: Sequence[ModelView], concepts: tuple[str, ...]) -> ArrayView:
    """Every layer of every network, its features averaged over the images of a concept."""
    layers = {}
    for view in views:
        images = concept_images(view.stimuli, concepts)
        for layer in view.layers:
            layers[f"{view.name}/{layer}"] = concept_means(view.features(layer), images)
    return ArrayView(synthetic_stimuli(concepts), layers)


def _headline(result: TaskResult, layers: Sequence[str], metric: str, sign: float, seed: int) -> float:
    """Score of the best layer, chosen on one half of the concepts and scored on the other."""

    def signed(layer: str) -> Any:
        statistic = result.layers[layer].statistics[metric]
        return lambda weights: sign * statistic(weights)

    statistics = {layer: signed(layer) for layer in layers if result.layers[layer].undefined is None}
    if not statistics:
        return float("nan")
    rng = np.random.default_rng(seed)
    # The score takes no bootstrap draws; one is the fewest that can be asked for.
    return select_layer(statistics, len(result.concepts), 1, rng).score
