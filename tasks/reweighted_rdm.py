"""Feature-reweighted RSA: a geometry predicted where each feature, or each layer, has its own weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from scipy.spatial.distance import squareform

from benchmark.calibration import (
    World,
    exact_control,
    mean_control,
    plain_score,
    rdm_world,
    standard_controls,
)
from benchmark.calibration.definitions import reweighted_correlation
from benchmark.datasets.join import Join, join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget
from benchmark.inference import (
    FittedScores,
    FoldedRDMs,
    fitted_scores,
    noise_ceiling,
)
from benchmark.measures import (
    FeatureDissimilarities,
    RDMDissimilarities,
    rdm,
    reweighted_rdms,
)
from benchmark.measures.rdm import unit_rows
from benchmark.representation.concepts import (
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.representation.rows import dealt_folds
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_SPEARMAN, _PEARSON, _GAIN = "spearman", "pearson", "gain"
#: Permutations, each of which is fitted again
_PERMUTATIONS = 20
#: Worlds of a control, fewer than elsewhere: each layer is fitted a hundred times
_REPLICATES = 8
#: The layer of a weighted sum of all layers
_ALL_LAYERS = "weighted sum of layers"
#: Whether a weight may be below 0
_WEIGHTS = ("nonnegative", "ridge")
#: What gets a weight
_OF = ("features", "layers")


def _metrics(ceiling: str) -> tuple[Metric, ...]:
    return (
        *(
            Metric(
                method,
                f"fitted RDM {method.capitalize()}, test stimuli",
                (-1.0, 1.0),
                "0: a target with its stimuli permuted",
                ceiling,
            )
            for method in (_SPEARMAN, _PEARSON)
        ),
        Metric(_GAIN, "gain in Spearman over the RDM without a fit", (-2.0, 2.0), "0: the fit adds nothing"),
    )


class ReweightedRDM(Task):
    """Feature-reweighted RSA: how well a geometry is predicted when each feature may have its own weight.

    The squared differences of each feature get weights that predict the mean RDM of the subjects over the
    pairs of training concepts. Pairs of two test concepts are scored, so no pair shares a concept with one
    that was fitted. Features are averaged over a concept's images, and each concept has mean 0 and length 1:
    with equal weights this is the correlation distance, whose score in the same pairs stands beside.
    """

    name: ClassVar[str] = "reweighted_rdm"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = _metrics("each subject with the mean of the others, and of all")
    target_kinds: ClassVar[tuple[str, ...]] = ("rdm",)
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "of": Parameter(
            "features",
            "what gets a weight: the features of each layer; or layers: the RDMs of all layers, in one sum",
            choices=_OF,
        ),
        "weights": Parameter(
            "nonnegative", "nonnegative: no weight is below 0; ridge: it may be", choices=_WEIGHTS
        ),
        "folds": Parameter(5, "number of folds, at least 3", least=3),
        "repeats": Parameter(
            1, "how often the concepts are dealt into folds; the score is the mean", least=1
        ),
        "most_features": Parameter(
            1024, "layers with more features are projected to so many at random, and a note says so", least=1
        ),
    }
    reference: ClassVar[str] = """@article{kaniuth2022feature,
  author = {Kaniuth, Philipp and Hebart, Martin N.},
  title = {Feature-reweighted representational similarity analysis: A method for improving the fit between
           computational models, brains, and behavior},
  journal = {NeuroImage},
  year = {2022},
  volume = {257},
  pages = {119294},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[RDMTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer, or the weighted sum of all.

        ``params``: those of :attr:`parameters`.

        Raises
        ------
        NotPossible
            If there are too few concepts for the folds, or a concept has no test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        k, images = len(joined.concepts), concept_images(view.stimuli, joined.concepts)
        fold_seed, seed = (int(drawn) for drawn in rng.integers(2**63, size=2))
        deals = [
            dealt_folds(np.arange(k), recipe["folds"], fold_seed + repeat, self.name)
            for repeat in range(recipe["repeats"])
        ]
        fit = _Reweighting(joined.target.rdms, deals, recipe["weights"] == _WEIGHTS[0])
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        plain: dict[str, np.ndarray] = {}
        projected = []
        for layer in view.layers:
            try:
                means = concept_means(view.features(layer), images)
                plain[layer] = feature_rdm(means, joined.concepts)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            if recipe["of"] == "layers":
                continue
            rows = unit_rows(means, layer, centre=True)
            if rows.shape[1] > recipe["most_features"]:
                rows = _projected(rows, layer, recipe["most_features"])
                projected.append(layer)
            layers[layer], arrays[f"weights/{layer}"] = fit.result(
                FeatureDissimilarities(rows), plain[layer], seed
            )
        if recipe["of"] == "layers" and plain:
            rdms = np.stack(list(plain.values()))
            summed, arrays[f"weights/{_ALL_LAYERS}"] = fit.result(
                RDMDissimilarities(rdms), rdms.mean(axis=0), seed
            )
            layers = {_ALL_LAYERS: summed}
            arrays["layers"] = np.array(list(plain))
        several = len(joined.target.rdms) > 1
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=dict.fromkeys((_SPEARMAN, _PEARSON, _GAIN), 0.0),
            ceiling=_ceilings(joined.target.rdms) if several else {},
            counts={
                **joined.counts,
                "subjects": len(joined.target.rdms),
                "images": sum(map(len, images)),
                "folds": len(deals) * recipe["folds"],
            },
            arrays=arrays,
            notes=[
                *([] if several else ["one subject: there is no noise ceiling"]),
                *(
                    [f"projected at random to {recipe['most_features']} features: {', '.join(projected)}"]
                    if projected
                    else []
                ),
            ],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if there are too few concepts for the folds, or a concept has no test image."""
        super().require(stimuli, joined, params)
        dealt_folds(np.arange(len(joined.concepts)), self.read(params)["folds"], 0, self.name)
        concept_images(stimuli, joined.concepts)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, planted weights that must be found, and noise with many features.

        A noisy copy is compared with scipy's solver on explicit pairs, in folds of its own.
        """
        return [
            *standard_controls(
                self,
                partial(rdm_world, concepts=60, columns=12),
                rng,
                definition=reweighted_correlation,
                replicates=_REPLICATES,
            ),
            *self._planted_controls(rng),
            self._flexible_control(rng),
        ]

    def _planted_controls(self, rng: np.random.Generator) -> list[Control]:
        """Targets whose features have very different weights."""
        world = rdm_world(rng, concepts=60, columns=12)
        rows = unit_rows(world.signal, "signal", centre=True)
        weighted = rdm(rows * np.sqrt(rng.gamma(0.5, size=rows.shape[1])), metric="sqeuclidean")
        names = tuple(sorted(world.target.ids))
        target = replace(_rdm_target(world), ids=names, rdms=weighted[None])
        world = replace(world, target=target)
        result = self.score(world.view({"signal": world.signal}), join(world.stimuli, target), {}, rng)
        unweighted = result.layers["signal"].values["unweighted"]
        return [
            exact_control("planted weights are found", 1.0, plain_score(result, "signal", _SPEARMAN)),
            Control(
                "without weights the planted geometry is missed",
                "below 0.95",
                unweighted,
                unweighted < 0.95,
                band=(-np.inf, 0.95),
            ),
        ]

    def _flexible_control(self, rng: np.random.Generator) -> Control:
        """More features of noise than there are concepts: what they fit by chance must not be scored."""
        scores = []
        for _ in range(_REPLICATES):
            world = rdm_world(rng, concepts=40)
            noise = rng.standard_normal((40, 200))
            joined = join(world.stimuli, _rdm_target(world))
            result = self.score(world.view({"noise": noise}), joined, {}, rng)
            scores.append(plain_score(result, "noise", _SPEARMAN))
        return mean_control("200 features of noise", 0.0, scores)


class _Reweighting:
    """Fits of the mean RDM of the subjects, in one or more deals of the concepts into folds."""

    def __init__(self, rdms: np.ndarray, deals: Sequence[np.ndarray], nonnegative: bool) -> None:
        self._rdms, self._deals, self._nonnegative = rdms, deals, nonnegative
        self._mean = rdms.mean(axis=0)

    def result(
        self, predictors: FeatureDissimilarities | RDMDissimilarities, plain: np.ndarray, seed: int
    ) -> tuple[LayerResult, np.ndarray]:
        """The result, and the weights (f,), averaged over folds."""
        folded, weights = self._fit(predictors, self._mean[None])
        kept = weights.astype(np.float32)
        try:
            scores = fitted_scores(
                folded[0], plain, self._rdms, partial(self._permuted, predictors), _PERMUTATIONS, seed
            )
        except ValueError as error:  # all dissimilarities of a subject within a fold are equal
            return LayerResult(undefined=str(error)), kept
        return _layer(scores), kept

    def _permuted(
        self, predictors: FeatureDissimilarities | RDMDissimilarities, orders: np.ndarray
    ) -> list[FoldedRDMs]:
        return self._fit(predictors, np.stack([self._mean[np.ix_(order, order)] for order in orders]))[0]

    def _fit(
        self, predictors: FeatureDissimilarities | RDMDissimilarities, targets: np.ndarray
    ) -> tuple[list[FoldedRDMs], np.ndarray]:
        """Predictions for each target, and the weights of the first."""
        fits = [
            reweighted_rdms(predictors, targets, folds, nonnegative=self._nonnegative)
            for folds in self._deals
        ]
        folds = tuple(fold for fit in fits for fold in fit.folds)
        predicted = [pairs for fit in fits for pairs in fit.predicted]
        folded = [
            FoldedRDMs(folds, tuple(squareform(pairs[:, t]) for pairs in predicted))
            for t in range(len(targets))
        ]
        return folded, np.mean([fit.weights[:, :, 0].mean(axis=0) for fit in fits], axis=0)


def _layer(scores: FittedScores) -> LayerResult:
    return LayerResult(
        {_SPEARMAN: scores.spearman, _PEARSON: scores.pearson, _GAIN: scores.gain},
        p=scores.p,
        values={"unweighted": scores.unweighted, "null_mean": scores.null_mean},
        pairs=scores.pairs,
    )


def _projected(rows: np.ndarray, layer: str, size: int) -> np.ndarray:
    import torch  # slow to import, and most layers need no projection

    from benchmark.extraction.projection import Projection

    projection = Projection(layer, size, rows.shape[1], torch.device("cpu"))
    return projection(torch.from_numpy(rows.astype(np.float32))).numpy()


def _ceilings(rdms: np.ndarray) -> dict[str, tuple[float, float]]:
    found = {}
    for method in (_SPEARMAN, _PEARSON):
        lower, upper = noise_ceiling(rdms, method)
        found[method] = (lower, upper)
    return found


def _rdm_target(world: World) -> RDMTarget:
    assert isinstance(world.target, RDMTarget)
    return world.target
