"""Model recovery: how often a task picks the network from which people were simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmark.calibration.arrays import ArrayView, plain_score, synthetic_stimuli
from benchmark.calibration.simulate import SimulatedRDMs
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.inference.bootstrap import SPLITS, first_best
from benchmark.representation.concepts import concept_images, concept_means, feature_rdm
from benchmark.task import ModelView, Statistic, Task, TaskResult

#: Number of sets of people that are simulated from each network
PEOPLE = 6
#: Scores that differ by less are equal: the networks share the layer
_SAME = 1e-9


@dataclass(frozen=True)
class Recovery:
    """How often each network wins when people are simulated from one of them, the *true* network.

    Attributes
    ----------
    models : tuple of str, length m
    layers : tuple of str, length m
        The layer of each network from which people are simulated: the best layer with the real target.
    wins : ndarray, shape (m, m)
        Share of the sets of people for which network j wins when network i is true; rows sum to one.
    scores : ndarray, shape (m, m)
        Mean score of network j when network i is true.
    people : int
        Number of sets of people for each true network.
    """

    models: tuple[str, ...]
    layers: tuple[str, ...]
    wins: np.ndarray
    scores: np.ndarray
    people: int

    @property
    def chance(self) -> float:
        """Share of wins of each network if the winner were random."""
        return 1 / len(self.models)

    @property
    def recovered(self) -> float:
        """Mean share of wins of the true network."""
        return float(np.diagonal(self.wins).mean())


@dataclass(frozen=True)
class Networks:
    """The layers of several networks in one view, with one row for each concept.

    Attributes
    ----------
    view : ArrayView
        The names of its layers are "MODEL/LAYER".
    layers : dict of str to tuple of str
        The layers of each model.
    """

    view: ArrayView
    layers: dict[str, tuple[str, ...]]

    @classmethod
    def from_views(cls, views: Sequence[ModelView], concepts: tuple[str, ...]) -> Networks:
        """Average the features of every layer over the images of a concept.

        Parameters
        ----------
        views : sequence of ModelView
            One for each network.
        concepts : tuple of str
            The concepts of the rows.

        Returns
        -------
        Networks
        """
        means = {}
        for view in views:
            images = concept_images(view.stimuli, concepts)
            for layer in view.layers:
                means[f"{view.name}/{layer}"] = concept_means(view.features(layer), images)
        layers = {view.name: tuple(f"{view.name}/{layer}" for layer in view.layers) for view in views}
        return cls(ArrayView(synthetic_stimuli(concepts), means), layers)


def recover(
    task: Task,
    params: Mapping[str, Any],
    networks: Networks,
    joined: Join[Any],
    true: str,
    seed: int,
) -> tuple[str, np.ndarray, np.ndarray]:
    """Simulate people from the best layer of one network and score all networks as a run does.

    Parameters
    ----------
    task : Task
    params : mapping
        Parameters of the binding.
    networks : Networks
    joined : Join of RDMTarget
        The real people. They decide which layer is the best, and how much noise simulated people have.
    true : str
        Name of the true network.
    seed : int

    Returns
    -------
    layer : str
        The layer of the true network from which people are simulated.
    wins : ndarray, shape (PEOPLE, m)
        Share of the win of each network, for each set of people. Networks with the same highest score share
        the win.
    scores : ndarray, shape (PEOPLE, m)
        Score of each network, for each set of people.

    Raises
    ------
    NotPossible
        If no layer of the true network has a score.
    """
    all_layers = networks.view
    metric = task.metrics[0]
    sign = 1.0 if metric.higher_is_better else -1.0
    rng = np.random.default_rng(seed)
    true_view = ArrayView(
        all_layers.stimuli, {name: all_layers.features(name) for name in networks.layers[true]}
    )
    real_people = replace(joined.target, ids=joined.concepts)
    real_join: Join[Any] = join(true_view.stimuli, real_people)
    real = task.score(true_view, real_join, params, rng)
    by_layer = {layer: sign * plain_score(real, layer, metric.name) for layer in true_view.layers}
    defined = {layer: score for layer, score in by_layer.items() if np.isfinite(score)}
    if not defined:
        raise NotPossible(f"model {true!r}: no layer has a score")
    best = list(defined)[int(first_best(list(defined.values())))]
    recipe = {name: params[name] for name in ("metric", "standardise") if name in params}
    signal = feature_rdm(true_view.features(best).astype(np.float64), joined.concepts, **recipe)
    people = SimulatedRDMs(joined, signal)
    scores = np.empty((PEOPLE, len(networks.layers)))
    for i in range(PEOPLE):
        drawn: Join[Any] = join(all_layers.stimuli, people.people(rng))
        result = task.score(all_layers, drawn, params, np.random.default_rng(seed))
        by_network = networks.layers.values()
        scores[i] = [_headline(result, layers, metric.name, sign, seed) for layers in by_network]
    highest = np.nanmax(scores, axis=1, keepdims=True)
    wins = scores >= highest - _SAME
    return best.removeprefix(f"{true}/"), wins / wins.sum(axis=1, keepdims=True), sign * scores


def _headline(result: TaskResult, layers: Sequence[str], metric: str, sign: float, seed: int) -> float:
    """Score of the best layer, chosen on one half of the concepts and scored on the other."""

    def signed(layer: str) -> Statistic:
        statistic = result.layers[layer].statistics[metric]
        return lambda weights: sign * statistic(weights)

    statistics = {layer: signed(layer) for layer in layers if result.layers[layer].undefined is None}
    if not statistics:
        return float("nan")
    return split_half(statistics, len(result.concepts), np.random.default_rng(seed))


def split_half(statistics: Mapping[str, Statistic], n: int, rng: np.random.Generator) -> float:
    """The score of :func:`benchmark.inference.select_layer`, computed for all halves at once, without draws.

    Parameters
    ----------
    statistics : mapping of str to Statistic
        By layer.
    n : int
        Number of concepts.
    rng : numpy.random.Generator
        Draws the halves.

    Returns
    -------
    float
        The best layer on one half of the concepts is scored on the other half; mean over the halves.
    """
    first = np.zeros((SPLITS, n), dtype=bool)
    for row in first:
        row[rng.permutation(n)[: n // 2]] = True
    halves = np.concatenate([first, ~first]).astype(np.float64)
    values = np.array([statistic(halves) for statistic in statistics.values()])
    if len(values) == 1:
        return float(next(iter(statistics.values()))(np.ones((1, n)))[0])
    best = first_best(values)
    # half i + SPLITS is the complement of half i
    complement = np.roll(np.arange(2 * SPLITS), SPLITS)
    return float(np.nanmean(values[best, complement]))
