"""RSA along an axis: correlation of a model's RDM with people's RDMs at each time, or in each region."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, exact_control, mean_control, series_world, standard_controls
from benchmark.calibration.definitions import spearman_of_noisy_rdms
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.rdm_series import Axis, RDMSeriesTarget
from benchmark.inference import (
    AxisTest,
    SeriesScores,
    agreement_p,
    bootstrap_weights,
    concept_permutation_test,
    curve_interval,
    latencies,
    mean_rdms,
    noise_ceiling,
    permutation_test_rdm,
    rdm_pair_statistic,
    rdm_statistic,
    series_concept_draws,
    series_scores,
    sign_flip_test,
    stretched,
)
from benchmark.inference.axis_tests import FEWEST_SUBJECTS, FEWEST_TO_AGREE
from benchmark.representation.concepts import (
    RDM_METRICS,
    STANDARDISE,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult, one_of

_METHOD = "spearman"
_ALPHA = 0.05
_DRAWS = 1000
_PERMUTATIONS = 1000
#: With more concepts than this there are fewer permutations: each takes tens of milliseconds
_LARGE = 500
_PERMUTATIONS_LARGE = 200
#: Rows of the array of a curve
ROWS = ("score", "low", "high", "p_subjects", "p_concepts", "p", "p_fdr")
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
        "metric": Parameter("correlation", f"the dissimilarity of features: {', '.join(RDM_METRICS)}"),
        "standardise": Parameter("none", f"what is done to each feature before: {', '.join(STANDARDISE)}"),
        "population": Parameter(
            "subjects",
            "over what the intervals of curves and latencies are taken: subjects (other people, the same "
            "stimuli) or concepts",
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
        for key, value, allowed in (
            ("metric", recipe["metric"], RDM_METRICS),
            ("standardise", recipe["standardise"], STANDARDISE),
            ("population", population, _POPULATIONS),
        ):
            one_of(self.name, key, value, allowed)
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
        curves = _Curves(target, models, population, int(rng.integers(2**63)))
        for i, (layer, rdm) in enumerate(rdms.items()):
            layers[layer] = curves.layer(i, rdm)
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


class _Curves:
    """The curves of all layers, with their tests and intervals.

    Attributes
    ----------
    counted : ndarray of bool, shape (t,)
        The places at which subjects agree. They are found without looking at any model.
    means : ndarray, shape (s, k, k)
        The mean RDM of each subject over these places.
    """

    def __init__(self, target: RDMSeriesTarget, models: np.ndarray, population: str, seed: int) -> None:
        self._axis, self._population, self._seed = target.axis, population, seed
        self._subjects = len(target.subjects)
        large = len(target.ids) > _LARGE
        self._permutations = _PERMUTATIONS_LARGE if large else _PERMUTATIONS
        if not len(models):  # every layer is undefined, and the ceilings of people are still shown
            models = target.pairs.mean(axis=(0, 1), dtype=np.float64)[None]
        self._found: SeriesScores = series_scores(models, target.pairs, _METHOD)
        self.counted = self._agree(target)
        self.means = mean_rdms(target.pairs, self.counted, _METHOD)
        self._tests = [self._test(i) for i in range(len(models))]
        self._draws: np.ndarray | None = None
        if population == "concepts":
            weights = bootstrap_weights(len(target.ids), _DRAWS, seed)
            self._draws = series_concept_draws(models, target.pairs, weights, _METHOD)

    def _agree(self, target: RDMSeriesTarget) -> np.ndarray:
        if self._subjects < FEWEST_TO_AGREE:
            return np.ones(len(self._axis), dtype=bool)
        counted: np.ndarray = agreement_p(self._found.between) < _ALPHA
        if not counted.any():
            raise NotPossible(
                f"target {target.name!r}: at none of {len(self._axis)} places of axis {self._axis.name!r} do "
                f"its {self._subjects} subjects have anything in common (p < .05, FDR), so there is no score"
            )
        return counted

    def _test(self, i: int) -> tuple[AxisTest | None, AxisTest]:
        """Over subjects, if there are enough of them, and over concepts."""
        over_concepts = concept_permutation_test(
            self._found.models[i],
            self._found.mean,
            np.random.default_rng([self._seed, 1]),
            n=self._permutations,
            ordered=self._axis.ordered,
        )
        if self._subjects < FEWEST_SUBJECTS:
            return None, over_concepts
        rng = np.random.default_rng([self._seed, 2])
        return sign_flip_test(self._found.scores[i], rng, ordered=self._axis.ordered), over_concepts

    def _both(self, i: int) -> AxisTest:
        over_subjects, over_concepts = self._tests[i]
        return over_concepts if over_subjects is None else over_concepts.and_also(over_subjects)

    def _p(self, test: AxisTest) -> np.ndarray:
        return test.p_cluster if self._axis.ordered else test.p_fdr

    def layer(self, i: int, rdm: np.ndarray) -> LayerResult:
        """The score of layer ``i``, over the places that count, and its latencies."""
        test = permutation_test_rdm(
            rdm, self.means, _METHOD, self._permutations, np.random.default_rng(self._seed)
        )
        return LayerResult(
            {_METHOD: rdm_statistic(rdm, self.means, _METHOD)},
            p=test.p,
            values=self._values(i),
            pairs=partial(rdm_pair_statistic, rdm, self.means, _METHOD),
        )

    def _values(self, i: int) -> dict[str, float]:
        significant = self._p(self._both(i)) < _ALPHA
        curve = self._found.scores[i].mean(axis=0)
        values = {"significant_places": float(significant.sum()), "peak_score": float(curve.max())}
        if not self._axis.ordered or not significant.any():
            return values
        at = latencies(curve[None], self._axis.places)
        values |= {"onset": float(at.onset[0]), "peak_latency": float(at.peak[0])}
        if self._draws is None and self._subjects < 2:
            return values
        if self._draws is None:
            draws = (
                bootstrap_weights(self._subjects, _DRAWS, self._seed) / self._subjects @ self._found.scores[i]
            )
        else:
            draws = self._draws[:, i]
        moved = latencies(draws, self._axis.places)
        for name, found in (("onset", moved.onset), ("peak_latency", moved.peak)):
            defined = found[~np.isnan(found)]
            if len(defined):
                low, high = np.percentile(defined, [2.5, 97.5])
                if name == "onset" and self._draws is None:
                    low, high = stretched(values[name], low, high, self._subjects)
                values |= {f"{name}_low": float(low), f"{name}_high": float(high)}
        return values

    def rows(self, i: int) -> np.ndarray:
        """The curve of layer ``i``: :data:`ROWS`, shape (7, t)."""
        scores = self._found.scores[i]
        low, high = (
            curve_interval(scores)
            if self._draws is None
            else np.nanpercentile(self._draws[:, i], [2.5, 97.5], axis=0)
        )
        over_subjects, over_concepts = self._tests[i]
        both = self._both(i)
        missing = np.full(len(self._axis), np.nan)
        of_subjects = missing if over_subjects is None else self._p(over_subjects)
        rows = (
            scores.mean(axis=0),
            low,
            high,
            of_subjects,
            self._p(over_concepts),
            self._p(both),
            both.p_fdr,
        )
        return np.array(rows, dtype=np.float32)

    def shared_arrays(self) -> dict[str, np.ndarray]:
        """The axis, the places that count, and the ceiling at each place, (2, t)."""
        ceiling = np.array([self._found.lower.mean(axis=0), self._found.upper.mean(axis=0)])
        return {
            "axis": np.array(self._axis.places),
            "axis_name": np.array([self._axis.name, self._axis.unit]),
            "axis_counted": self.counted,
            "curve_rows": np.array(ROWS),
            "curve_ceiling": ceiling.astype(np.float32),
            "curve_population": np.array([self._population]),
        }

    def notes(self) -> list[str]:
        """Over which places the score is, and which tests could not be made."""
        counted, axis = np.flatnonzero(self.counted), self._axis
        shown = f"{axis.label(counted[0])} to {axis.label(counted[-1])}" if axis.ordered else axis.name
        notes = [f"the score is over {len(counted)} of {len(axis)} places ({shown}), where subjects agree"]
        if self._subjects < FEWEST_TO_AGREE:
            notes = [f"{self._subjects} subjects: whether they agree is not tested, and every place counts"]
        if self._subjects < FEWEST_SUBJECTS:
            notes.append(
                f"{self._subjects} subjects: the curve is tested over concepts, not over subjects "
                f"(that needs {FEWEST_SUBJECTS})"
            )
        if self._subjects == 1:
            notes.append("one subject: there is no noise ceiling")
        return notes


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
