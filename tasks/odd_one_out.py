"""Odd one out: of three objects, a model keeps the same two together as people do, or not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import (
    World,
    exact_control,
    mean_control,
    plain_score,
    standard_controls,
    triplet_world,
)
from benchmark.calibration.definitions import odd_one_out_accuracy
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import TripletTarget
from benchmark.inference import (
    permutation_test_triplets,
    triplet_interval,
    triplet_pair_statistic,
    triplet_statistic,
)
from benchmark.measures import odd_one_out_hits, probed_hits, similarities, triplet_ceiling
from benchmark.measures.odd_one_out import SIMILARITIES, TripletCeiling, answers_by_triplet
from benchmark.representation.concepts import (
    STANDARDISATION,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    require_varied,
    standardised,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_ACCURACY, _PROBED = "accuracy", "probed"
_CHANCE = 1 / 3
_PERMUTATIONS = 200
#: With fewer objects no score is given to a model with several layers
_FEWEST = 6
#: The similarity of the controls: it does not change with a scale and a shift of all features
_EXACT = {"similarity": "euclidean"}
#: Worlds of the controls of the probe, which takes longer, and how many unrelated features each has
_WORLDS, _UNRELATED = 5, 4
_CEILING = (
    "over triplets that were answered repeatedly: an answer predicted by the commonest of the others (lower) "
    "and by the commonest of all (upper)"
)


class OddOneOut(Task):
    """Share of people's odd-one-out choices that a model makes too.

    Of three objects, people chose one as the odd one out. The model chooses right if the two that people kept
    are the most similar pair of the three; where pairs tie, a half or a third in expectation. The features of
    an object are the mean over its test images. With ``probe`` a linear transformation of the features is
    fitted to people's choices too, and scored on objects that took no part in the fit.
    """

    name: ClassVar[str] = "odd_one_out"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(_ACCURACY, "odd-one-out accuracy", (0.0, 1.0), "1/3: a random choice of three", _CEILING),
        Metric(
            _PROBED,
            "odd-one-out accuracy, probed",
            (0.0, 1.0),
            "1/3: a random choice of three",
            _CEILING,
        ),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("triplets",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "similarity": Parameter(
            "cosine", f"of two objects: {', '.join(SIMILARITIES)} (minus the distance)", choices=SIMILARITIES
        ),
        "standardise": STANDARDISATION,
        "probe": Parameter(False, "whether a linear probe is scored too, cross-validated over objects"),
    }
    reference: ClassVar[str] = """@inproceedings{muttenthaler2023human,
  author = {Muttenthaler, Lukas and Dippel, Jonas and Linhardt, Lorenz and Vandermeulen, Robert A. and
            Kornblith, Simon},
  title = {Human Alignment of Neural Network Representations},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[TripletTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``similarity`` of two objects ("cosine"); ``standardise``, what is done to each feature
        over the objects before ("none"); ``probe``, whether a linear probe is scored too (false).

        Raises
        ------
        NotPossible
            If a concept has no test image, or there are too few triplets for a probe.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        triplets = joined.target.triplets
        images = concept_images(view.stimuli, joined.concepts)
        ceiling = triplet_ceiling(triplets)
        distinct = len(answers_by_triplet(triplets)[1])
        # One seed for all layers, so that a layer's null and folds do not depend on other layers.
        seed = int(rng.integers(2**63))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for layer in view.layers:
            try:
                features = _prepared(view, layer, joined, images, recipe)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            layers[layer], hits = _layer(features, triplets, recipe, ceiling, distinct, seed)
            arrays[f"accuracy_by_concept/{layer}"] = _by_object(hits, triplets, len(joined.concepts))
        bounds = {} if np.isnan(ceiling.lower) else {_ACCURACY: (ceiling.lower, ceiling.upper)}
        if bounds and recipe["probe"]:
            bounds[_PROBED] = bounds[_ACCURACY]
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=dict.fromkeys((_ACCURACY, _PROBED) if recipe["probe"] else (_ACCURACY,), _CHANCE),
            ceiling=bounds,
            counts={
                **joined.counts,
                "answers": len(triplets),
                "answers_left_out": len(joined.whole.triplets) - len(triplets),
                "triplets": distinct,
                "repeated_answers": int(ceiling.repeated.sum()),
                "images": sum(map(len, images)),
            },
            arrays=arrays,
            notes=[
                *([] if bounds else ["no triplet was answered twice: there is no noise ceiling"]),
                *_too_few(len(joined.concepts), len(layers)),
            ],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if a concept has no test image."""
        super().require(stimuli, joined, params)
        concept_images(stimuli, joined.concepts)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, what each similarity goes by, ties, probes of weak features and noise."""
        return [
            *standard_controls(self, triplet_world, rng, definition=odd_one_out_accuracy, params=_EXACT),
            *self._choice_controls(rng),
            *self._probe_controls(rng),
        ]

    def _choice_controls(self, rng: np.random.Generator) -> list[Control]:
        """One object is far out, one near by at an angle, one between: each similarity keeps another pair."""
        world = triplet_world(rng, concepts=3, answers=1)
        assert isinstance(world.target, TripletTarget)
        target = world.target
        # rows of the signal are in the order of the sorted names; people kept rows 0 and 1
        rows = np.argsort(np.argsort(target.ids))
        a, b, c = rows[target.triplets[0]]
        features = np.zeros((3, 2))
        features[a], features[b], features[c] = (1, 0), (10, 1), (1, 1)
        ties = np.zeros((3, 2))
        ties[a], ties[b], ties[c] = (1, 0), (0, 1), (-1, 0)
        view = world.view({"choice": features, "tie": ties, "all": np.eye(3)})
        expected = {
            ("cosine", "choice"): 1.0,
            ("dot", "choice"): 0.0,
            ("euclidean", "choice"): 0.0,
            ("dot", "tie"): 0.5,
            ("cosine", "all"): 1 / 3,
        }
        return [
            exact_control(f"{layer} by {how}", known, self._of(world, view, layer, {"similarity": how}, rng))
            for (how, layer), known in expected.items()
        ]

    def _probe_controls(self, rng: np.random.Generator) -> list[Control]:
        """What people go by, among stronger features that say nothing; and features that say nothing."""
        found, noise = [], []
        for _ in range(_WORLDS):
            world = triplet_world(rng, concepts=90, columns=2, answers=12_000)
            unrelated = 3 * rng.standard_normal((len(world.signal), _UNRELATED))
            layers = {"weak": np.hstack([world.signal, unrelated]), "noise": world.noise(rng)}
            assert isinstance(world.target, TripletTarget)
            joined = join(world.stimuli, world.target)
            result = self.score(world.view(layers), joined, {"probe": True, **_EXACT}, rng)
            gained = plain_score(result, "weak", _PROBED) - plain_score(result, "weak", _ACCURACY)
            found.append(float(gained > 0))
            noise.append(plain_score(result, "noise", _PROBED))
        return [
            exact_control(
                "a probe is better where features are weak, share of worlds", 1.0, float(np.mean(found))
            ),
            mean_control("a probe of noise, on new objects", _CHANCE, noise),
        ]

    def _of(
        self, world: World, view: ModelView, layer: str, params: Mapping[str, Any], rng: np.random.Generator
    ) -> float:
        assert isinstance(world.target, TripletTarget)
        result = self.score(view, join(world.stimuli, world.target), params, rng)
        return plain_score(result, layer, _ACCURACY)


def _too_few(objects: int, layers: int) -> list[str]:
    """Why there is no score, where a half of the objects, on which a layer is chosen, holds no triplet."""
    if layers < 2 or objects >= _FEWEST:
        return []
    return [
        f"{objects} objects: a layer is chosen on one half of them and scored on the other, and a half needs "
        f"three. With {_FEWEST} objects or one layer there is a score"
    ]


def _prepared(
    view: ModelView,
    layer: str,
    joined: Join[TripletTarget],
    images: tuple[np.ndarray, ...],
    recipe: Mapping[str, Any],
) -> np.ndarray:
    """The features of the objects, (k, d)."""
    needs = "cosine" if recipe["similarity"] == "cosine" else "euclidean"
    features = concept_means(view.features(layer), images)
    require_varied(features, joined.concepts, needs)
    if recipe["standardise"] != "none":
        features = standardised(features, recipe["standardise"])
        require_varied(features, joined.concepts, needs)
    return features


def _layer(
    features: np.ndarray,
    triplets: np.ndarray,
    recipe: Mapping[str, Any],
    ceiling: TripletCeiling,
    distinct: int,
    seed: int,
) -> tuple[LayerResult, np.ndarray]:
    """The result of a layer, and its hits (m,)."""
    k = len(features)
    similarity = similarities(features, recipe["similarity"])
    hits = odd_one_out_hits(similarity, triplets)
    test = permutation_test_triplets(similarity, triplets, _PERMUTATIONS, np.random.default_rng(seed))
    statistics = {_ACCURACY: triplet_statistic(hits, triplets, k)}
    low, high = triplet_interval(float(hits.mean()), distinct)
    values = {"low_over_triplets": low, "high_over_triplets": high}
    if ceiling.repeated.any():
        values["accuracy_repeated"] = float(hits[ceiling.repeated].mean())
    if recipe["probe"]:
        try:
            probed, penalties = probed_hits(features, triplets, np.random.default_rng(seed))
        except ValueError as error:
            raise NotPossible(str(error)) from error
        scored = ~np.isnan(probed)
        statistics[_PROBED] = triplet_statistic(probed[scored], triplets[scored], k)
        values |= {"probed_answers": float(scored.sum()), "penalty": float(np.exp(np.log(penalties).mean()))}
        values["accuracy_of_probed"] = float(hits[scored].mean())
    pairs = partial(triplet_pair_statistic, hits, triplets, k)
    return LayerResult(statistics, p=test.p, values=values, pairs=pairs), hits


def _by_object(hits: np.ndarray, triplets: np.ndarray, k: int) -> np.ndarray:
    """Mean of the hits of the triplets that hold each object, (k,); NaN where there is none."""
    total, counts = (
        sum(np.bincount(column, weights=values, minlength=k) for column in triplets.T)
        for values in (hits, np.ones(len(hits)))
    )
    mean: np.ndarray = np.divide(total, counts, out=np.full(k, np.nan), where=counts > 0)
    return mean
