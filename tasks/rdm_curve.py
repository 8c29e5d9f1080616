"""RSA along an axis: correlation of a model's RDM with people's RDMs at each time, or in each region."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, exact_control, mean_control, series_world, standard_controls
from benchmark.calibration.definitions import spearman_of_noisy_rdms
from benchmark.datasets.join import Join, join
from benchmark.datasets.rdm_series import Axis, RDMSeriesTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import (
    bootstrap_weights,
    noise_ceiling,
    permutation_test_rdm,
    permutations_for,
    rdm_pair_statistic,
    rdm_statistic,
    series_concept_draws,
    series_scores,
)
from benchmark.representation.concepts import (
    RDM_METRICS,
    STANDARDISATION,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.representation.curves import Curves
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_METHOD = "spearman"
_DRAWS = 1000
_POPULATIONS = ("subjects", "concepts")
#: Worlds of the control of latencies
_REPLICATES = 5


class RDMCurve(Task):
    """Correlation with the RDMs along an axis: a curve for each layer, and its mean RDM as the score.

    Features are averaged over a concept's test images. Correlations are never clamped and never squared.
    """

    name: ClassVar[str] = "rdm_curve"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(
            name=_METHOD,
            label="RDM Spearman where subjects agree",
            range=(-1.0, 1.0),
            chance="0: no relation between the two geometries",
            ceiling="each subject with the mean of the others (lower) and of all (upper), Nili et al. 2014",
        ),
    )
    target_kinds: ClassVar[tuple[str, ...]] = (RDMSeriesTarget.kind,)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "metric": Parameter(
            "correlation", f"the dissimilarity of features: {', '.join(RDM_METRICS)}", choices=RDM_METRICS
        ),
        "standardise": STANDARDISATION,
        "population": Parameter(
            "subjects",
            "over what the intervals of curves and latencies are taken: subjects (other people, the same "
            "stimuli) or concepts",
            choices=_POPULATIONS,
        ),
    }
    reference: ClassVar[str] = """@article{cichy2014resolving,
  author = {Cichy, Radoslaw Martin and Pantazis, Dimitrios and Oliva, Aude},
  title = {Resolving human object recognition in space and time},
  journal = {Nature Neuroscience},
  year = {2014},
  volume = {17},
  pages = {455--462},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[RDMSeriesTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``metric`` and ``standardise``, as for ``rdm_correlation``; ``population``, over what the
        intervals of curves are taken ("subjects"). It changes no score.

        Raises
        ------
        NotPossible
            If a concept has no test image, or subjects agree at no place of the axis.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        population = recipe.pop("population")
        images = concept_images(view.stimuli, joined.concepts)
        layers: dict[str, LayerResult] = {}
        rdms: dict[str, np.ndarray] = {}
        for layer in view.layers:
            layers[layer] = LayerResult()  # keeps the order of the model
            try:
                means = concept_means(view.features(layer), images)
                rdms[layer] = feature_rdm(means, joined.concepts, **recipe)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
        target = joined.target
        upper = np.triu_indices(len(joined.concepts), 1)
        models = np.array([rdm[upper] for rdm in rdms.values()]).reshape(len(rdms), -1)
        curves = _curves(target, models, population, seed := int(rng.integers(2**63)))
        for i, (layer, rdm) in enumerate(rdms.items()):
            test = permutation_test_rdm(
                rdm, curves.means, _METHOD, permutations_for(len(rdm)), np.random.default_rng(seed)
            )
            layers[layer] = LayerResult(
                {_METHOD: rdm_statistic(rdm, curves.means, _METHOD)},
                p=test.p,
                values=curves.values(i),
                pairs=partial(rdm_pair_statistic, rdm, curves.means, _METHOD),
            )
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance={_METHOD: 0.0},
            ceiling={_METHOD: _bounds(curves.means)} if len(target.subjects) > 1 else {},
            counts={
                **joined.counts,
                "subjects": len(target.subjects),
                "images": sum(map(len, images)),
                "places": len(target.axis),
                "places_of_agreement": int(curves.counted.sum()),
            },
            arrays={
                **curves.shared_arrays(),
                **{f"curve/{layer}": curves.rows(i) for i, layer in enumerate(rdms)},
            },
            notes=curves.notes(),
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if a concept has no test image."""
        super().require(stimuli, joined, params)
        concept_images(stimuli, joined.concepts)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, and latencies that are known."""
        return [
            *standard_controls(self, series_world, rng, expected=spearman_of_noisy_rdms),
            *self._latency_controls(rng),
        ]

    def _latency_controls(self, rng: np.random.Generator) -> list[Control]:
        """One geometry is greatest at 50 ms, another at 120 ms: each layer must find its own."""
        peaks: dict[str, list[float]] = {"early": [], "late": []}
        onsets: list[float] = []
        for _ in range(_REPLICATES):
            early, late = series_world(rng), series_world(rng)
            world, layers = _early_and_late(early, late, rng)
            result = self.score(world.view(layers), join(world.stimuli, _series(world)), {}, rng)
            for layer, found in peaks.items():
                found.append(result.layers[layer].values.get("peak_latency", np.nan))
            values = [result.layers[layer].values.get("onset", np.nan) for layer in peaks]
            onsets.append(values[0] < values[1])
        return [
            mean_control("peak of the geometry that is greatest at 50 ms", 50.0, peaks["early"]),
            mean_control("peak of the geometry that is greatest at 120 ms", 120.0, peaks["late"]),
            exact_control(
                "worlds in which the early geometry has the earlier onset", 1.0, float(np.mean(onsets))
            ),
        ]


def _curves(target: RDMSeriesTarget, models: np.ndarray, population: str, seed: int) -> Curves:
    """The curves of models (m, pairs)."""
    if not len(models):  # every layer is undefined, and the ceilings of people are still shown
        models = target.pairs.mean(axis=(0, 1), dtype=np.float64)[None]
    draws = None
    if population == "concepts":
        weights = bootstrap_weights(len(target.ids), _DRAWS, seed)
        draws = series_concept_draws(models, target.pairs, weights, _METHOD)
    return Curves(target, series_scores(models, target.pairs, _METHOD), seed, draws=draws)


def _bounds(rdms: np.ndarray) -> tuple[float, float]:
    lower, upper = noise_ceiling(rdms, _METHOD)
    return lower, upper


def _series(world: World) -> RDMSeriesTarget:
    assert isinstance(world.target, RDMSeriesTarget)
    return world.target


def _early_and_late(
    early: World, late: World, rng: np.random.Generator
) -> tuple[World, dict[str, np.ndarray]]:
    """A world whose subjects have one geometry early and another late, with the features of both."""
    times = np.arange(0.0, 200.0, 10.0)
    pairs = []
    for world, peak in ((early, 50.0), (late, 120.0)):
        rows = _series(world).select(sorted(world.target.ids)).pairs[0, 0]
        gain = np.exp(-(((times - peak) / 30) ** 2))
        pairs.append(gain[:, None] * (rows - rows.mean()) / rows.std())
    noise = rng.standard_normal((8, len(times), pairs[0].shape[1]))
    target = RDMSeriesTarget(
        "control",
        tuple(sorted(early.target.ids)),
        "control",
        pairs=pairs[0] + pairs[1] + noise,
        subjects=tuple(f"s{i}" for i in range(len(noise))),
        axis=Axis("time", tuple(times), "ms"),
    )
    world = World(early.stimuli, target, early.signal, early.rows, early.blocks)
    return world, {"early": early.signal, "late": late.signal}
