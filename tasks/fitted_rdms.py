"""Geometry on top of a fit: feature-reweighted RSA, and the RDM of predicted responses (veRSA)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    response_world,
    standard_controls,
)
from benchmark.calibration.definitions import reweighted_correlation, versa_correlation
from benchmark.datasets.join import Join, join
from benchmark.datasets.response_rdms import response_rdms
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.types import RDMTarget
from benchmark.inference import (
    FoldedRDMs,
    folded_rdm_pair_statistic,
    folded_rdm_statistic,
    noise_ceiling,
    permutation_test_folded,
)
from benchmark.measures import (
    FeatureDissimilarities,
    HeldOutRidge,
    RDMDissimilarities,
    compare_rdms,
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
from benchmark.representation.rows import ResponseRows, dealt_folds
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult, one_of

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
        ),
        "weights": Parameter("nonnegative", "nonnegative: no weight is below 0; ridge: it may be"),
        "folds": Parameter(5, "number of folds, at least 3"),
        "repeats": Parameter(1, "how often the concepts are dealt into folds; the score is the mean"),
        "most_features": Parameter(
            1024, "layers with more features are projected to so many at random, and a note says so"
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
        one_of(self.name, "weights", recipe["weights"], _WEIGHTS)
        one_of(self.name, "of", recipe["of"], _OF)
        k, images = len(joined.concepts), concept_images(view.stimuli, joined.concepts)
        fold_seed, seed = (int(drawn) for drawn in rng.integers(2**63, size=2))
        count = max(recipe["folds"], 3)
        deals = [
            dealt_folds(np.arange(k), count, fold_seed + repeat, self.name)
            for repeat in range(max(1, recipe["repeats"]))
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
                "folds": len(deals) * count,
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


class VeRSA(Task):
    """veRSA: the RDM of predicted responses beside that of the measured ones, on held-out concepts.

    Channels are predicted as in ``encoding``. Predicted and measured responses are averaged over a concept's
    images; each channel is scaled by the mean and the standard deviation of what was measured. The RDM is
    1 - correlation over channels, of the test concepts of one fold.
    """

    name: ClassVar[str] = "versa"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = _metrics(
        "the square root of the reliability of the measured RDM, from halves of the repeats"
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("responses",)
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "folds": Parameter(5, "number of folds over concepts"),
    }
    reference: ClassVar[str] = """@article{conwell2024large,
  author = {Conwell, Colin and Prince, Jacob S. and Kay, Kendrick N. and Alvarez, George A.
            and Konkle, Talia},
  title = {A large-scale examination of inductive biases shaping high-level visual representation in brains
           and machines},
  journal = {Nature Communications},
  year = {2024},
  volume = {15},
  pages = {9383},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[ResponseTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: those of :attr:`parameters`.

        Raises
        ------
        NotPossible
            If there are too few concepts for the folds, or a concept has no (measured) test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        rows = ResponseRows.of(view.stimuli, joined)
        fold_seed, seed = (int(drawn) for drawn in rng.integers(2**63, size=2))
        folds = dealt_folds(rows.concepts, recipe["folds"], fold_seed, self.name)
        responses = joined.target.responses[rows.of_target]
        spread = responses.std(axis=0)
        measured = (responses - responses.mean(axis=0)) / np.where(spread > 0, spread, 1)
        layers: dict[str, LayerResult] = {}
        for layer in view.layers:
            try:
                features = rows.features(view.features(layer))
                fitted = _Predicted(HeldOutRidge(features, folds, rows.concepts), measured, folds, rows)
                plain = feature_rdm(concept_means(features, fitted.members), joined.concepts)
            except ValueError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            layers[layer] = _result(
                fitted.folded(measured), plain, fitted.target[None], fitted.permuted, seed
            )
        ceiling = _halves_ceiling(joined.target)
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=dict.fromkeys((_SPEARMAN, _PEARSON, _GAIN), 0.0),
            ceiling=ceiling,
            counts={**joined.counts, "channels": len(joined.target.channels), "images": len(rows.concepts)},
            notes=[] if ceiling else ["a stimulus has one repeat: there is no noise ceiling"],
        )

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls; a noisy copy is compared with scikit-learn's ridge, in folds of its own."""
        return standard_controls(
            self, response_world, rng, definition=versa_correlation, replicates=_REPLICATES
        )


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
        layer = _result(folded[0], plain, self._rdms, partial(self._permuted, predictors), seed)
        return layer, weights.astype(np.float32)

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


class _Predicted:
    """Predictions of responses, and the RDMs of their means over the images of each concept."""

    def __init__(
        self, ridge: HeldOutRidge, measured: np.ndarray, folds: np.ndarray, rows: ResponseRows
    ) -> None:
        self._ridge, self._measured = ridge, measured
        count = int(rows.concepts.max()) + 1
        self.members = tuple(np.flatnonzero(rows.concepts == concept) for concept in range(count))
        of_concept = np.array([folds[own[0]] for own in self.members])
        self._folds = tuple(np.flatnonzero(of_concept == fold) for fold in np.unique(of_concept))
        self.target = rdm(concept_means(measured, self.members))

    def folded(self, measured: np.ndarray) -> FoldedRDMs:
        """The RDMs of predictions of ``measured`` (n, c)."""
        return self._rdms(self._ridge.predict(measured)[0])

    def permuted(self, orders: np.ndarray) -> list[FoldedRDMs]:
        """The RDMs of predictions of the responses in each order of the concepts."""
        found = []
        for order in orders:
            own = np.concatenate(self.members)
            given = np.concatenate([self.members[concept] for concept in order])
            responses = np.empty_like(self._measured)
            responses[own] = self._measured[given]
            found.append(self.folded(responses))
        return found

    def _rdms(self, predicted: np.ndarray) -> FoldedRDMs:
        means = concept_means(predicted, self.members)
        return FoldedRDMs(self._folds, tuple(_correlation_rdm(means[fold]) for fold in self._folds))


def _correlation_rdm(rows: np.ndarray) -> np.ndarray:
    """1 - correlation; all equal, so that nothing is predicted, where a row does not vary."""
    try:
        return rdm(rows)
    except ValueError:
        return np.ones((len(rows), len(rows))) - np.eye(len(rows))


def _result(
    folded: FoldedRDMs,
    plain_rdm: np.ndarray,
    rdms: np.ndarray,
    permuted: Callable[[np.ndarray], list[FoldedRDMs]],
    seed: int,
) -> LayerResult:
    """Scores of fitted RDMs, with those of the RDM without a fit in the same pairs beside them."""
    plain = FoldedRDMs.of(plain_rdm, folded.folds)
    try:
        fitted, unfitted = (folded_rdm_statistic(f, rdms, _SPEARMAN) for f in (folded, plain))
        pearson = folded_rdm_statistic(folded, rdms, _PEARSON)
    except ValueError as error:  # all dissimilarities of a subject within a fold are equal
        return LayerResult(undefined=str(error))
    # One seed for all layers, so that a layer's null does not depend on other layers.
    test = permutation_test_folded(permuted, folded, rdms, _PERMUTATIONS, seed)
    return LayerResult(
        {
            _SPEARMAN: fitted,
            _PEARSON: pearson,
            _GAIN: lambda weights: fitted(weights) - unfitted(weights),
        },
        p=test.p,
        values={
            "unweighted": float(unfitted(np.ones((1, rdms.shape[1])))[0]),
            "null_mean": test.chance,
        },
        pairs=partial(folded_rdm_pair_statistic, folded, rdms, _SPEARMAN),
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


def _halves_ceiling(target: ResponseTarget) -> dict[str, tuple[float, float]]:
    """The greatest correlation with the RDM of all repeats, from that of two halves (Spearman-Brown)."""
    if (~np.isnan(target.repeats)).sum(axis=2).min() < 2:
        return {}
    first, second = response_rdms(target, target.name, target.hash, split="halves").rdms
    found = {}
    for method in (_SPEARMAN, _PEARSON):
        r = float(compare_rdms(first, second, method))
        bound = float(np.sqrt(2 * r / (1 + r))) if r > 0 else 0.0
        found[method] = (bound, bound)
    return found


def _rdm_target(world: World) -> RDMTarget:
    assert isinstance(world.target, RDMTarget)
    return world.target
