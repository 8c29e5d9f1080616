"""Unique and shared variance: what a model explains of an RDM beyond reference models, and with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import (
    exact_control,
    mean_control,
    plain_score,
    standard_controls,
)
from benchmark.calibration.controls import REPLICATES
from benchmark.calibration.definitions import spearman_of_noisy_rdms
from benchmark.calibration.reference_worlds import (
    ReferenceWorld,
    appearing_world,
    mixed_world,
    reference_world,
    standard_rdm,
)
from benchmark.calibration.simulate import features_with_rdm
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.rdm_series import RDMSeriesTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget
from benchmark.inference import (
    part_ceilings,
    part_pair_statistic,
    part_statistic,
    permutation_test_unique,
    permutations_for,
    series_partition,
)
from benchmark.inference.partition import MODEL, PARTS, REFERENCES
from benchmark.measures import RDMRegression
from benchmark.measures.regression import METHODS
from benchmark.representation.concepts import (
    METRIC,
    STANDARDISATION,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.representation.curves import Curves, agreed_rdms
from benchmark.task import (
    ENCODER,
    Control,
    LayerResult,
    Metric,
    ModelView,
    Parameter,
    Task,
    TaskResult,
    reference_names,
)

#: With fewer concepts outside the weights, the layer of a reference is chosen on all concepts
_FEWEST_OTHERS = 4
#: Worlds of the controls along an axis
_SERIES_WORLDS = 5

_MEANINGS = {
    "unique": "only the model explains",
    "shared": "model and references both explain",
    "total": "model and references explain together",
}


def _metric(part: str) -> Metric:
    return Metric(
        name=part,
        label=f"{part.capitalize()} variance",
        range=(-1.0, 1.0),
        chance="0: what a model with its concepts permuted explains by chance is taken away",
        ceiling=f"what {_MEANINGS[part]}, if the model is the mean of the other subjects (lower) or of all",
    )


class RDMPartition(Task):
    """Shares of the variance of an RDM: unique to a model, shared with reference models, and in total.

    R squared of least squares over pairs of concepts, for each subject, averaged over subjects. Features are
    averaged over a concept's test images. RDMs along an axis have a curve of unique variance for each layer;
    their score is that of each subject's mean RDM over the places where subjects agree.
    """

    name: ClassVar[str] = "rdm_partition"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = tuple(_metric(part) for part in PARTS)
    target_kinds: ClassVar[tuple[str, ...]] = (RDMTarget.kind, RDMSeriesTarget.kind)
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "beyond": Parameter(
            None,
            "the reference models: a list of names, each with its best layer, chosen on other concepts; or "
            f"{ENCODER}: the network that the model was trained or built from, with all its layers",
        ),
        "method": Parameter(
            "spearman",
            "spearman: variance of ranks; pearson: of dissimilarities as they are",
            choices=METHODS,
        ),
        "metric": METRIC,
        "standardise": STANDARDISATION,
    }
    reference: ClassVar[str] = """@article{groen2018distinct,
  author = {Groen, Iris I. A. and Greene, Michelle R. and Baldassano, Christopher and Fei-Fei, Li
            and Beck, Diane M. and Baker, Chris I.},
  title = {Distinct contributions of functional and deep neural network features to representational
           similarity of scenes in human brain and behavior},
  journal = {eLife},
  year = {2018},
  volume = {7},
  pages = {e32962},
}"""

    def references(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The names under ``beyond``, or the word ``encoder``."""
        return reference_names(self.name, self.read(params)["beyond"])

    def score(
        self,
        view: ModelView,
        joined: Join[RDMTarget | RDMSeriesTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``beyond``, the reference models; ``method``, whether dissimilarities are ranked;
        ``metric`` and ``standardise``, as for ``rdm_correlation``.

        Raises
        ------
        NotPossible
            If a concept has no test image, or every layer of a reference is undefined.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        names = self.references(params)
        method = recipe["method"]
        images = concept_images(view.stimuli, joined.concepts)

        def model_rdm(of: ModelView, layer: str) -> np.ndarray:
            means = concept_means(of.features(layer), images)
            return feature_rdm(means, joined.concepts, recipe["metric"], recipe["standardise"])

        target = joined.target
        rdms = agreed_rdms(target, method) if isinstance(target, RDMSeriesTarget) else target.rdms
        references = _References(
            RDMRegression(rdms, method),
            {name: _defined(view.references[name], name, model_rdm) for name in names},
        )
        all_chosen = references.rdms_for(np.ones((1, len(joined.concepts))))
        # One seed for all layers, so that a layer's null does not depend on other layers.
        seed = int(rng.integers(2**63))
        permutations = permutations_for(len(joined.concepts))
        layers: dict[str, LayerResult] = {}
        models: dict[str, np.ndarray] = {}
        for layer in view.layers:
            try:
                models[layer] = rdm = model_rdm(view, layer)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            beside = _Beside(references, rdm)
            test = permutation_test_unique(
                rdms, rdm, all_chosen, method, permutations, np.random.default_rng(seed)
            )
            layers[layer] = LayerResult(
                {part: part_statistic(beside.regression, part) for part in PARTS},
                p=test.p,
                values={"unique_uncorrected": test.score, "unique_by_chance": float(test.null.mean())},
                pairs=partial(_pairs, beside),
            )
        several = len(rdms) > 1
        arrays, notes = (
            _along(target, layers, models, all_chosen, method, seed)
            if isinstance(target, RDMSeriesTarget)
            else ({}, [] if several else ["one subject: there is no noise ceiling"])
        )
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=dict.fromkeys(PARTS, 0.0),
            ceiling=_ceilings(rdms, all_chosen, method) if several else {},
            counts={
                **joined.counts,
                "subjects": len(rdms),
                "images": sum(map(len, images)),
                "predictors_of_references": len(all_chosen),
            },
            arrays=arrays,
            notes=[*references.notes(), *notes],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if a pair of an RDM is missing, or a concept has no test image."""
        super().require(stimuli, joined, params)
        concept_images(stimuli, joined.concepts)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, beside an unrelated reference; a copy of a reference; and known mixes."""
        beyond = {"beyond": ["reference"]}
        return [
            *standard_controls(
                self,
                reference_world,
                rng,
                expected=lambda snr: spearman_of_noisy_rdms(snr) ** 2,
                params=beyond,
            ),
            self._copy_control(reference_world(rng), rng),
            *self._mix_controls(rng),
            *self._series_controls(rng),
        ]

    def _copy_control(self, world: ReferenceWorld, rng: np.random.Generator) -> Control:
        result = self._scored(world, {"copy": 3.0 * world.other + 2.0}, "spearman", rng)
        return exact_control(
            "a copy of a reference has no unique variance", 0.0, plain_score(result, "copy", "unique")
        )

    def _scored(
        self, world: ReferenceWorld, layers: dict[str, np.ndarray], method: str, rng: np.random.Generator
    ) -> TaskResult:
        params = {"beyond": ["reference"], "method": method}
        assert isinstance(world.target, (RDMTarget, RDMSeriesTarget))
        return self.score(world.view(layers), join(world.stimuli, world.target), params, rng)

    def _mix_controls(self, rng: np.random.Generator) -> list[Control]:
        """The target is the sum of three parts. The reference has the first, the model the first and second.

        With d, e and f uncorrelated and of the same variance, d alone explains 1/3 of d + e + f, and d + e
        explains 2/3.
        """
        found: dict[str, list[float]] = {part: [] for part in PARTS}
        for _ in range(REPLICATES):
            parts = [standard_rdm(rng) for _ in range(3)]
            world = mixed_world(parts, rng)
            result = self._scored(world, {"mix": features_with_rdm(parts[0] + parts[1])}, "pearson", rng)
            for part, scores in found.items():
                scores.append(plain_score(result, "mix", part))
        known = {"unique": 1 / 3, "shared": 1 / 3, "total": 2 / 3}
        return [
            mean_control(f"a mix of three parts, {part} variance", known[part], scores)
            for part, scores in found.items()
        ]

    def _series_controls(self, rng: np.random.Generator) -> list[Control]:
        """Eight subjects have the reference's part at two times, and with noise another part at the second.

        A copy of the reference explains nothing more at either time. The other part explains 1/3 of the
        variance at the second time, where the noise has as much.
        """
        found: dict[str, list[float]] = {"first": [], "second": [], "copy": []}
        for _ in range(_SERIES_WORLDS):
            known, new = (standard_rdm(rng) for _ in range(2))
            world = appearing_world(known, new, rng)
            layers = {"new": features_with_rdm(new), "copy": 3.0 * world.other + 2.0}
            arrays = self._scored(world, layers, "pearson", rng).arrays
            curves = {layer: arrays[f"curve/{layer}"][0] for layer in layers}
            for name, score in zip(found, (*curves["new"], np.abs(curves["copy"]).max()), strict=True):
                found[name].append(float(score))
        return [
            mean_control("a part that subjects lack at the first time", 0.0, found["first"]),
            mean_control("a part that subjects have at the second time", 1 / 3, found["second"]),
            mean_control("a copy of the reference, at any time", 0.0, found["copy"]),
        ]


def _along(
    target: RDMSeriesTarget,
    layers: dict[str, LayerResult],
    models: dict[str, np.ndarray],
    references: np.ndarray,
    method: str,
    seed: int,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Curves of unique variance: their arrays and notes. Latencies are added to the values of ``layers``.

    The references have the same layers at all places: those that explain most of the mean RDMs.
    """
    if not models:
        return {}, []
    upper = np.triu_indices(len(target.ids), 1)
    rows = np.array([rdm[upper] for rdm in models.values()])
    tested, unique = series_partition(rows, references, target.pairs, method)
    curves = Curves(target, tested, seed, method, shown=unique)
    for i, layer in enumerate(models):
        layers[layer] = replace(layers[layer], values={**layers[layer].values, **curves.values(i)})
    arrays = {f"curve/{layer}": curves.rows(i) for i, layer in enumerate(models)}
    of = {"curve_of": np.array(["Unique variance"])}
    return {**curves.shared_arrays(), **of, **arrays}, curves.notes()


def _pairs(beside: _Beside) -> Callable[[np.ndarray], float]:
    return part_pair_statistic(beside.regression(np.ones((1, beside.references.target.n))), "unique")


def _ceilings(rdms: np.ndarray, references: np.ndarray, method: str) -> dict[str, tuple[float, float]]:
    bounds = part_ceilings(rdms, references, method)
    return {part: (lower, upper) for part, (lower, upper) in bounds.items()}


def _defined(
    view: ModelView, word: str, model_rdm: Callable[[ModelView, str], np.ndarray]
) -> dict[str, np.ndarray]:
    """RDMs of the layers of a reference that have one. Of the encoder all layers count, together."""
    rdms = {}
    for layer in view.layers:
        with suppress(UndefinedFeaturesError):
            rdms[layer] = model_rdm(view, layer)
    if not rdms:
        raise NotPossible(f"reference {view.name!r} has no layer with a defined RDM")
    return {"all layers": np.stack(list(rdms.values()))} if word == ENCODER else rdms


@dataclass
class _References:
    """The reference models, each with the layer that explains most of the target.

    A layer is chosen on the concepts that have no weight: where the engine chooses the layer of the model on
    one half of the concepts and scores it on the other, those are the half that is not looked at. Where all
    concepts have weight, it is chosen on all. That favours the references, never the model.

    Attributes
    ----------
    target : RDMRegression
        Without predictors.
    rdms : dict of str to dict of str to ndarray, shape (k, k) or (m, k, k)
        By reference and layer.
    """

    target: RDMRegression
    rdms: dict[str, dict[str, np.ndarray]]
    _fitted: dict[tuple[str, ...], RDMRegression] = field(default_factory=dict)
    _chosen: dict[bytes, tuple[str, ...]] = field(default_factory=dict)

    def chosen(self, weights: np.ndarray) -> tuple[str, ...]:
        """The layer of each reference for ``weights`` (b, k)."""
        on: np.ndarray = np.asarray(~weights.any(axis=0))
        if on.sum() < _FEWEST_OTHERS:
            on = np.ones_like(on)
        if on.tobytes() not in self._chosen:
            self._chosen[on.tobytes()] = tuple(self._best(layers, on) for layers in self.rdms.values())
        return self._chosen[on.tobytes()]

    def _best(self, layers: dict[str, np.ndarray], on: np.ndarray) -> str:
        if len(layers) == 1:
            return next(iter(layers))
        weights = on[None].astype(np.float64)
        explained = {
            layer: float(self.target.beside(layer, rdm).explained((layer,), weights, corrected=False)[0])
            for layer, rdm in layers.items()
        }
        return max(explained, key=lambda layer: np.nan_to_num(explained[layer], nan=-1.0))

    def rdms_for(self, weights: np.ndarray) -> np.ndarray:
        """RDMs of the chosen layers, (r, k, k)."""
        return self._stacked(self.chosen(weights))

    def _stacked(self, chosen: tuple[str, ...]) -> np.ndarray:
        rdms = [layers[layer] for layers, layer in zip(self.rdms.values(), chosen, strict=True)]
        return np.concatenate([rdm[None] if rdm.ndim == 2 else rdm for rdm in rdms])

    def fitted(self, chosen: tuple[str, ...]) -> RDMRegression:
        """The regression on the chosen layers. All layers of the model share it."""
        if chosen not in self._fitted:
            self._fitted[chosen] = self.target.beside(REFERENCES, self._stacked(chosen))
        return self._fitted[chosen]

    def notes(self) -> list[str]:
        """Which layer of each reference is the best on all concepts."""
        chosen = self.chosen(np.ones((1, self.target.n)))
        pairs = [f"{name} ({layer})" for name, layer in zip(self.rdms, chosen, strict=True)]
        return [f"beyond {', '.join(pairs)}; the layer of a reference is chosen on other concepts"]


@dataclass
class _Beside:
    """The RDM of a layer of the model, in regressions beside the references."""

    references: _References
    rdm: np.ndarray
    _fitted: dict[tuple[str, ...], RDMRegression] = field(default_factory=dict)

    def regression(self, weights: np.ndarray) -> RDMRegression:
        """The regression for ``weights`` (b, k), with the layers of the references for them."""
        chosen = self.references.chosen(weights)
        if chosen not in self._fitted:
            self._fitted[chosen] = self.references.fitted(chosen).beside(MODEL, self.rdm)
        return self._fitted[chosen]
