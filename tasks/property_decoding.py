"""Property decoding: which properties that people name can be read out of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, mean_control, plain_score, property_world, standard_controls
from benchmark.calibration.controls import REPLICATES
from benchmark.calibration.definitions import decoded_f1
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import Join, join
from benchmark.datasets.norms import PropertyTarget
from benchmark.datasets.properties import FINER
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import mean_statistic
from benchmark.measures import BalancedLogistic, PermutationTest, f1_over_folds, stratified_folds
from benchmark.representation.concepts import (
    NORMALISE,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    normalised,
    require_varied,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_F1 = "f1"
#: The property types of the norms, beside which the finer kinds stand
TYPES = ("taxonomic", "visual perceptual", "other perceptual", "functional", "encyclopaedic")
_CHANCE = "mean F1 of the same regressions with the concepts permuted"


class PropertyDecoding(Task):
    """F1 with which a linear classifier finds the concepts that people give a property.

    For each property that is common enough, a logistic regression with an L2 penalty and balanced class
    weights is fitted to the features of concepts: the mean over a concept's test images, scaled to length
    one. The score is F1 on concepts that were left out, in stratified folds, averaged over folds, then over
    properties. Intervals are over properties. A property is counted among the concepts that have images.
    """

    name: ClassVar[str] = "property_decoding"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(_F1, "property decoding (F1)", (0.0, 1.0), _CHANCE),
        *(Metric(kind.replace(" ", "_"), f"F1, {kind}", (0.0, 1.0), _CHANCE) for kind in (*TYPES, *FINER)),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("properties",)
    unit: ClassVar[str] = "properties"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "frequency": Parameter(5, "a property of a concept counts from this production frequency", least=1),
        "concepts": Parameter(5, "a property takes part if it counts for at least this many concepts"),
        "folds": Parameter(5, "number of folds; each holds a concept with the property", least=2),
        "permutations": Parameter(
            40, "number of permutations of the concepts, for the chance level and p", least=1
        ),
        "normalise": Parameter(
            "l2", f"what is done to the row of a concept: {', '.join(NORMALISE)}", choices=NORMALISE
        ),
    }
    reference: ClassVar[str] = """@inproceedings{derby2020encoding,
  author = {Derby, Steven and Miller, Paul and Devereux, Barry},
  title = {Encoding Lexico-Semantic Knowledge using Ensembles of Feature Maps from Deep Convolutional Neural
           Networks},
  booktitle = {Proceedings of the 28th International Conference on Computational Linguistics},
  year = {2020},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[PropertyTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: those of :attr:`parameters`.

        Raises
        ------
        NotPossible
            If fewer than two properties are common enough among the joined concepts, a property is too
            common, a concept has no test image, or features that are not scaled are too large for the
            regression.
        UsageError
            If a parameter is unknown or not valid.
        """
        options = self._read(params)
        norms = joined.target.cut(options["frequency"], options["concepts"])
        problem = _Problem.of(norms, options["folds"], options["permutations"], rng)
        images = concept_images(view.stimuli, joined.concepts)
        layers: dict[str, LayerResult] = {}
        found: dict[str, np.ndarray] = {}
        for done, layer in enumerate(view.layers):
            try:
                found[layer] = _kept(view, layer, problem, images, options["normalise"])
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
            else:
                layers[layer] = _layer(found[layer], problem.kinds)
            if view.work.progress is not None:
                view.work.progress(done + 1, len(view.layers))
        with_images = set(joined.target.ids)
        null = (
            np.stack([f1[1:] for f1 in found.values()])
            if found
            else np.full((1, 1, len(norms.columns)), np.nan)
        )
        overall = null.mean(axis=2)
        return TaskResult(
            concepts=norms.columns,
            layers=layers,
            chance={name: float(null[:, :, of].mean()) for name, of in problem.kinds.items()},
            chance_band={_F1: (float(np.percentile(overall, 5)), float(np.percentile(overall, 95)))},
            counts={
                **joined.counts,
                "properties": len(norms.columns),
                "properties_dropped": len(joined.target.columns) - len(norms.columns),
                "images": sum(map(len, images)),
            },
            arrays={
                "without_images": np.array([c for c in joined.whole.ids if c not in with_images]),
                "types": np.array(norms.types),
                "finer": np.array(norms.finer),
                "occurrences": problem.labels.sum(axis=0),
                **{f"f1/{layer}": f1[0] for layer, f1 in found.items()},
                **{f"chance/{layer}": f1[1:].mean(axis=0) for layer, f1 in found.items()},
            },
            notes=[f"n counts properties, of {len(joined.concepts)} concepts; intervals are over properties"],
        )

    def _read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        options = self.read(params)
        if options["concepts"] < options["folds"]:
            raise UsageError(
                f"task {self.name}: concepts is {options['concepts']}: with {options['folds']} folds as "
                "many are needed at least, so that each fold holds a concept with the property"
            )
        return options

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if too few properties are given to enough concepts, or one to nearly all."""
        super().require(stimuli, joined, params)
        options = self._read(params)
        concept_images(stimuli, joined.concepts)
        _labels(joined.target.cut(options["frequency"], options["concepts"]), options["folds"])

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, with the chance level of the layer that is scored."""
        own, standard = rng.spawn(2)
        controls = standard_controls(
            self, property_world, standard, definition=decoded_f1, params={"permutations": 1}
        )
        return [
            *(c for c in controls if c.kind not in ("noise", "permuted")),
            self._by_chance("independent noise", "noise", World.noise, own),
            self._by_chance("permuted labels", "permuted", World.permuted, own),
        ]

    def _by_chance(self, name: str, kind: str, make: Any, rng: np.random.Generator) -> Control:
        """Features without signal score the chance level of their own layer: 0 between the two."""
        differences = []
        for _ in range(REPLICATES):
            world = property_world(rng)
            assert isinstance(world.target, PropertyTarget)
            result = self.score(
                world.view({"layer": make(world, rng)}),
                join(world.stimuli, world.target),
                {"permutations": 10},
                rng,
            )
            differences.append(plain_score(result, "layer", _F1) - result.chance[_F1])
        return replace(mean_control(f"{name}, less chance", 0.0, differences), kind=kind)


@dataclass(frozen=True)
class _Problem:
    """What is decoded: the labels of concepts, their folds, and the orders of the permutations.

    ``orders`` has the true order first. ``kinds`` says which properties each metric averages.
    """

    labels: np.ndarray
    folds: np.ndarray
    orders: tuple[np.ndarray, ...]
    kinds: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, norms: PropertyTarget, folds: int, permutations: int, rng: np.random.Generator) -> _Problem:
        labels = _labels(norms, folds)
        k = len(labels)
        dealt = stratified_folds(labels, folds, rng)
        orders = (np.arange(k), *(rng.permutation(k) for _ in range(permutations)))
        by_kind = {
            kind.replace(" ", "_"): np.flatnonzero(
                [kind in pair for pair in zip(norms.types, norms.finer or norms.types, strict=True)]
            )
            for kind in (*TYPES, *FINER)
        }
        everything = np.arange(labels.shape[1])
        return cls(labels, dealt, orders, {_F1: everything} | {n: of for n, of in by_kind.items() if of.size})


def _labels(norms: PropertyTarget, folds: int) -> np.ndarray:
    """Which concept has which property, (k, m)."""
    labels: np.ndarray = norms.counts.toarray() > 0
    k = len(labels)
    if labels.shape[1] < 2:
        raise NotPossible(
            f"only property {norms.columns[0]!r} of target {norms.name!r} is given to enough of the {k} "
            "concepts: at least two are needed for an interval over properties"
        )
    # A property that nearly every concept has leaves a fold without a concept that lacks it.
    common = np.flatnonzero(k - labels.sum(axis=0) < folds)
    if common.size:
        raise NotPossible(
            f"property {norms.columns[common[0]]!r} of target {norms.name!r} is given to "
            f"{labels[:, common[0]].sum()} of {k} concepts: {folds} must lack it, "
            "one for each fold"
        )
    return labels


def _kept(
    view: ModelView, layer: str, problem: _Problem, images: tuple[np.ndarray, ...], normalise: str
) -> np.ndarray:
    """F1 of every property in a layer (1 + permutations, m); from the memo where a stopped run left it."""
    memo = view.work.memo
    if memo is not None and layer in memo:
        return memo[layer]["f1"]
    features = normalised(concept_means(view.features(layer), images), normalise)
    require_varied(features, view.stimuli.concept_ids, "euclidean")
    try:
        f1 = _decode(features, problem)
    except ValueError as error:  # features that are not scaled may be too large for the regression
        raise NotPossible(f"layer {layer!r}: {error}") from error
    if memo is not None:
        memo[layer] = {"f1": f1}
    return f1


def _decode(features: np.ndarray, problem: _Problem) -> np.ndarray:
    """F1 of every property in each order of the concepts, shape (1 + permutations, m)."""
    solver = BalancedLogistic(features)
    folds = int(problem.folds.max()) + 1
    scores = []
    for order in problem.orders:
        labels, fold = problem.labels[order], problem.folds[order]
        train = np.hstack([fold != k for k in range(folds)])
        decisions = solver.decisions(np.tile(labels, (1, folds)), train).reshape(len(fold), folds, -1)
        left_out = np.take_along_axis(decisions, fold[:, None, :], axis=1)[:, 0]
        scores.append(f1_over_folds(labels, left_out > 0, fold))
    return np.array(scores)


def _layer(f1: np.ndarray, kinds: Mapping[str, np.ndarray]) -> LayerResult:
    """The mean over properties, and over those of each kind, with p of the first against the permutations."""
    test = PermutationTest.of(float(f1[0].mean()), f1[1:].mean(axis=1))

    def of_kind(which: np.ndarray) -> np.ndarray:
        only = np.full(f1.shape[1], np.nan)
        only[which] = f1[0, which]
        return only

    return LayerResult(
        {name: mean_statistic(of_kind(which)) for name, which in kinds.items()},
        p=test.p,
        values={"chance": float(f1[1:].mean())},
    )
