"""The task new_name: shared neighbours. Put your own comparison into ``score`` and ``by_definition``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, rdm_world, standard_controls
from benchmark.common.errors import NotPossible
from benchmark.datasets import Join, Stimuli
from benchmark.inference import mean_statistic
from benchmark.measures.ranking import Ranking
from benchmark.representation.concepts import (
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

#: How many nearest neighbours are compared; the ``params`` of a binding may say another number
NEIGHBOURS = 5


class NewName(Task):
    """Share of the nearest concepts in the model that are among the nearest for people."""

    name = "new_name"
    version = 1
    metrics = (Metric("shared", "shared neighbours", (0.0, 1.0), "neighbours / (concepts - 1), exact"),)
    target_kinds = ("rdm",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "neighbours": Parameter(NEIGHBOURS, "how many nearest neighbours are compared", least=1)
    }
    reference = "@misc{new_name, title = {Your reference}}"

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Refuse, before features are extracted and in a dry run, what cannot be scored with any."""
        super().require(stimuli, joined, params)
        k, n = self.read(params)["neighbours"], len(joined.concepts)
        if k > n - 2:
            raise NotPossible(f"neighbours is {k}: with {n} concepts write a number from 1 to {n - 2}")
        concept_images(stimuli, joined.concepts)

    def score(
        self, view: ModelView, joined: Join[Any], params: Mapping[str, Any], rng: np.random.Generator
    ) -> TaskResult:
        """Score every layer of the model."""
        del rng  # nothing is drawn at random
        k = self.read(params)["neighbours"]
        n = len(joined.concepts)
        people = nearest(joined.target.rdms.mean(axis=0), k)
        images = concept_images(view.stimuli, joined.concepts)
        layers = {}
        for layer in view.layers:
            try:
                model_rdm = feature_rdm(concept_means(view.features(layer), images), joined.concepts)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            shared = (nearest(model_rdm, k) * people).sum(axis=1) / k
            layers[layer] = LayerResult({"shared": mean_statistic(shared)})
        return TaskResult(
            concepts=joined.concepts, layers=layers, chance={"shared": k / (n - 1)}, counts=joined.counts
        )

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """Copies, noisy copies, noise and permuted labels, whose scores are known."""
        return standard_controls(self, rdm_world, rng, definition=by_definition)


def nearest(rdm: np.ndarray, k: int) -> np.ndarray:
    """Chance (n, n - 1) that each other concept is among the ``k`` nearest in ``rdm`` (n, n); ties share."""
    n = len(rdm)
    others = rdm[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return Ranking.of(-others).in_top(k)


def by_definition(world: World, features: np.ndarray) -> float:
    """The score of ``features`` in a ``world``, computed another way: as sets, concept by concept."""
    target: Any = world.target.select(sorted(world.target.ids))  # the order of the rows of features
    people, model = target.rdms[0], 1 - np.corrcoef(features)
    shares = []
    for i in range(len(people)):
        others = [j for j in range(len(people)) if j != i]
        sets = [set(sorted(others, key=rdm[i].__getitem__)[:NEIGHBOURS]) for rdm in (people, model)]
        shares.append(len(sets[0] & sets[1]) / NEIGHBOURS)
    return float(np.mean(shares))
