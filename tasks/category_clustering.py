"""Category clustering: objects of a category stand closer together than objects of different ones, or not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, exact_control, plain_score, rdm_world, standard_controls
from benchmark.calibration.definitions import category_auc
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget
from benchmark.inference import category_pair_statistic, category_statistic, permutations_for
from benchmark.measures import category_clustering, category_clustering_permutation
from benchmark.representation.concepts import (
    METRIC,
    STANDARDISATION,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_AUC = "auc"
#: In the controls: concepts of a category, their spread within it, and signal-to-noise ratios of the copies
_SIZE, _SPREAD, _SNRS = 5, 0.3, (1.0, 0.25, 0.0625)


class CategoryClustering(Task):
    """Probability that a pair of concepts of two categories is more dissimilar than a pair of one category.

    The categories are those of the target, one for each concept. Concepts without a category take no part. A
    category with one concept has pairs with others only. The index depends on the order of dissimilarities
    alone, so that models, and people, with any scale of dissimilarity can be compared. What people's own
    dissimilarities score stands beside it, as the ceiling. Features are averaged over the test images of a
    concept.
    """

    name: ClassVar[str] = "category_clustering"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(
            _AUC,
            "category clustering (AUC)",
            (0.0, 1.0),
            "0.5: categories make no difference",
            "people's own dissimilarities: mean over subjects (lower), and that of their mean RDM (upper)",
        ),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("rdm",)
    missing_pairs: ClassVar[bool] = True
    #: Too few for model recovery: a score does not depend on the dissimilarities of people
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "metric": METRIC,
        "standardise": STANDARDISATION,
    }
    reference: ClassVar[str] = """@article{kriegeskorte2008matching,
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Ruff, Douglas A. and Kiani, Roozbeh and Bodurka, Jerzy
            and Esteky, Hossein and Tanaka, Keiji and Bandettini, Peter A.},
  title = {Matching Categorical Object Representations in Inferior Temporal Cortex of Man and Monkey},
  journal = {Neuron},
  year = {2008},
  volume = {60},
  number = {6},
  pages = {1126--1141},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[RDMTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: those of :attr:`parameters`, as for ``rdm_correlation``.

        Raises
        ------
        NotPossible
            If the target has no categories, or there are no pairs within categories or between them; or if a
            concept has no test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        concepts, people = _categorised(joined)
        categories = people.categories or ()
        images = concept_images(view.stimuli, concepts)
        # One seed for all layers, so that a layer's null does not depend on other layers.
        seed = int(rng.integers(2**63))
        permutations = permutations_for(len(concepts))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for layer in view.layers:
            try:
                rdm = feature_rdm(concept_means(view.features(layer), images), concepts, **recipe)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            found = category_clustering(rdm, categories)
            test = category_clustering_permutation(rdm, categories, permutations, np.random.default_rng(seed))
            layers[layer] = LayerResult(
                {_AUC: category_statistic(rdm, categories)},
                p=test.p,
                values={
                    "within": found.within,
                    "between": found.between,
                    "difference": found.between - found.within,
                },
                pairs=partial(category_pair_statistic, rdm, categories),
            )
            arrays[f"by_category/{layer}"] = found.by_category
        own = [category_clustering(rdm, categories) for rdm in people.rdms]
        together = category_clustering(_mean(people.rdms), categories)
        names = together.categories
        return TaskResult(
            concepts=concepts,
            layers=layers,
            chance={_AUC: 0.5},
            ceiling={_AUC: (float(np.mean([index.auc for index in own])), together.auc)},
            counts={
                **joined.counts,
                "categories": len(names),
                "without_category": len(joined.concepts) - len(concepts),
                "subjects": len(own),
                "images": sum(map(len, images)),
            },
            arrays={
                **arrays,
                "categories": np.array(names),
                "concepts_of_category": np.array([categories.count(name) for name in names]),
                "by_category_people": together.by_category,
            },
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible unless the concepts have test images, and categories that can be told apart."""
        super().require(stimuli, joined, params)
        concept_images(stimuli, _categorised(joined)[0])

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, and a model that keeps the members of every category apart."""
        return [
            *standard_controls(self, _world, rng, definition=category_auc, snrs=_SNRS),
            self._apart_control(rng),
        ]

    def _apart_control(self, rng: np.random.Generator) -> Control:
        """Each member of a category equals one member of every other category, and no other of its own.

        One in five of the pairs between categories then has no dissimilarity. The others have those of the
        pairs within, each as often: all that remains is ties.
        """
        world = _world(rng)
        features = world.signal[np.arange(len(world.signal)) % _SIZE * _SIZE]
        assert isinstance(world.target, RDMTarget)
        result = self.score(world.view({"apart": features}), join(world.stimuli, world.target), {}, rng)
        return exact_control(
            "members of a category apart", (1 - 1 / _SIZE) / 2, plain_score(result, "apart", _AUC)
        )


def _world(rng: np.random.Generator) -> World:
    return rdm_world(rng, twins=_SPREAD, size=_SIZE)


def _categorised(joined: Join[RDMTarget]) -> tuple[tuple[str, ...], RDMTarget]:
    """The concepts that have a category, as the stimuli name them, and the target with their rows."""
    target = joined.target
    categories = target.categories or ()
    kept = [i for i, name in enumerate(categories) if name is not None]
    known = [name for name in categories if name is not None]
    if len(set(known)) < 2 or len(set(known)) == len(known):
        raise NotPossible(
            f"target {target.name!r} gives {len(target.ids)} joined concepts {len(set(known))} categories, "
            f"and {len(known)} of them have one: clusters need two categories, one of them with two concepts"
        )
    return tuple(joined.concepts[i] for i in kept), target.select([target.ids[i] for i in kept])


def _mean(rdms: np.ndarray) -> np.ndarray:
    """The mean over the subjects that have a pair; NaN where none has it."""
    measured = ~np.isnan(rdms)
    counts = measured.sum(axis=0)
    total = np.where(measured, rdms, 0).sum(axis=0)
    mean: np.ndarray = np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0)
    return mean
