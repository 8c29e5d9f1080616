"""Variance of responses that a model explains beyond reference models, and with them, by banded ridge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import (
    exact_control,
    mean_control,
    plain_score,
    response_world,
    standard_controls,
)
from benchmark.calibration.definitions import unique_of_responses
from benchmark.calibration.reference_worlds import ReferenceWorld
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import (
    ExplainedVariance,
    explained_statistic,
    permuted_residuals,
    split_half_reliability,
)
from benchmark.inference.explained import PARTS
from benchmark.measures import BandedPredictions, BandedRidge, HeldOutRidge
from benchmark.measures.permutation import student_p
from benchmark.representation.rows import ResponseRows, dealt_folds
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

#: Permutations, each of which is fitted again with the choice of its penalties
_PERMUTATIONS = 10
#: Worlds of a control, fewer than elsewhere: each layer is fitted hundreds of times
_REPLICATES, _SNRS = 6, (4.0, 0.5)
#: Channels of the control with three sources
_CHANNELS = 60
_MEANINGS = {
    "unique": "only the model explains",
    "shared": "model and references can both explain",
    "total": "model and references explain together",
}


class EncodingPartition(Task):
    """Shares of the variance of responses: unique to a model, shared with reference models, and in total.

    Each channel is predicted on held-out concepts by banded ridge: the model and the references are two bands
    of features, each with a penalty of its own that the training folds choose. The mean over channels.
    """

    name: ClassVar[str] = "encoding_partition"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = tuple(
        Metric(
            part,
            f"{part.capitalize()} variance of responses",
            (-np.inf, 1.0),
            "what a layer explains of permuted residuals, the mean over layers: near 0, or a little below"
            if part == "unique"
            else "0: what nothing but the mean explains",
            "the reliability of the channels, from repeats: what can be explained at all"
            if part == "total"
            else f"none: what {_MEANINGS[part]} is not bounded by repeats alone",
        )
        for part in PARTS
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("responses",)
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "beyond": Parameter(
            None,
            "the reference models: a list of names, each with the layer that explains most, or "
            f"{ENCODER}: the network that the model was trained or built from, with all its layers",
        ),
        "folds": Parameter(5, "number of folds over concepts"),
    }
    reference: ClassVar[str] = """@article{nunezelizalde2019voxelwise,
  author = {Nunez-Elizalde, Anwar O. and Huth, Alexander G. and Gallant, Jack L.},
  title = {Voxelwise encoding models with non-spherical multivariate normal priors},
  journal = {NeuroImage},
  year = {2019},
  volume = {197},
  pages = {482--492},
}"""

    def references(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The names under ``beyond``, or the word ``encoder``."""
        return reference_names(self.name, self.read(params)["beyond"])

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
            If there are too few concepts for the folds, a concept has no (measured) test image, or every
            layer of a reference is constant.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        names = self.references(params)
        seeds = [int(seed) for seed in rng.integers(2**63, size=3)]
        rows = ResponseRows.of(view.stimuli, joined)
        folds = dealt_folds(rows.concepts, recipe["folds"], seeds[0], self.name)
        measured = joined.target.responses[rows.of_target]
        fits = _Fits(measured, folds, rows.concepts, seeds[1])
        chosen = {name: _best_layers(view.references[name], name, rows, fits) for name in names}
        references = np.hstack([band for bands in chosen.values() for band in bands.values()])
        beside = fits.beside(references)
        found = {layer: fits.layer(rows.features(view.features(layer)), beside) for layer in view.layers}
        by_chance = [null for _, null in found.values() if len(null)]
        chance = dict.fromkeys(PARTS, 0.0)
        several = joined.target.repeats.shape[2] > 1
        return TaskResult(
            concepts=joined.concepts,
            layers={layer: result for layer, (result, _) in found.items()},
            chance=chance | ({"unique": float(np.mean(by_chance))} if by_chance else {}),
            chance_band={"unique": tuple(np.percentile(by_chance, [5, 95]))} if by_chance else {},
            ceiling=_ceiling(joined.target, rows, seeds[2]) if several else {},
            counts={
                **joined.counts,
                "channels": measured.shape[1],
                "images": len(rows.concepts) if joined.by_stimulus else sum(map(len, rows.images)),
            },
            notes=[
                f"beyond {', '.join(f'{name} ({_few(bands)})' for name, bands in chosen.items())}; the layer "
                "of a reference is the one that explains most, on all concepts: that favours the references",
                *([] if several else ["one repeat: how much can be explained at all is not known"]),
            ],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if there are too few concepts, or one has no (measured) test image."""
        super().require(stimuli, joined, params)
        rows = ResponseRows.of(stimuli, joined)
        dealt_folds(rows.concepts, self.read(params)["folds"], 0, self.name)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """Noisy copies beside an unrelated reference, chance, copies, and three known sources.

        With few stimuli the choice of penalties costs a little, so that noise explains slightly less than
        nothing. Chance is therefore what permuted residuals give (``null_mean``).
        """
        noisy = standard_controls(
            self,
            _world,
            rng,
            definition=unique_of_responses,
            snrs=_SNRS,
            replicates=_REPLICATES,
            params={"beyond": ["reference"]},
        )
        return [
            *(control for control in noisy if control.kind == "noisy"),
            self._copy_of_the_target(rng),
            *self._chance_controls(rng),
            self._copy_control(rng),
            *self._source_controls(rng),
        ]

    def _copy_of_the_target(self, rng: np.random.Generator) -> Control:
        world = _world(rng)
        result = self._scored(world, {"copy": world.copy(rng)}, rng)
        control = exact_control("isometric copy, total variance", 1.0, plain_score(result, "copy", "total"))
        return replace(control, kind="copy")

    def _chance_controls(self, rng: np.random.Generator) -> list[Control]:
        above: dict[str, list[float]] = {"noise": [], "permuted": []}
        for _ in range(_REPLICATES):
            world = _world(rng)
            layers = {"noise": world.noise(rng), "permuted": world.permuted(rng)}
            result = self._scored(world, layers, rng)
            for layer, scores in above.items():
                chance = result.layers[layer].values["null_mean"]
                scores.append(plain_score(result, layer, "unique") - chance)
        return [
            replace(mean_control(f"{kind}, unique variance above permuted residuals", 0.0, scores), kind=kind)
            for kind, scores in above.items()
        ]

    def _copy_control(self, rng: np.random.Generator) -> Control:
        world = _world(rng)
        result = self._scored(world, {"copy": 3.0 * world.other + 2.0}, rng)
        return exact_control(
            "a copy of a reference has no unique variance", 0.0, plain_score(result, "copy", "unique")
        )

    def _scored(
        self, world: ReferenceWorld, layers: dict[str, np.ndarray], rng: np.random.Generator
    ) -> TaskResult:
        assert isinstance(world.target, ResponseTarget)
        joined = join(world.stimuli, world.target)
        return self.score(world.view(layers), joined, {"beyond": ["reference"]}, rng)

    def _source_controls(self, rng: np.random.Generator) -> list[Control]:
        """Channels are sums of three sources; the reference has the first two, the model the last two.

        Each source has a third of the variance. A fit of d coefficients on n rows misses d / n of what it
        cannot explain: .4 % here.
        """
        found: dict[str, list[float]] = {part: [] for part in PARTS}
        for _ in range(_REPLICATES):
            base = response_world(rng, concepts=600, columns=9)
            sources = np.split(base.signal, 3, axis=1)
            parts = [_unit(source @ rng.standard_normal((3, _CHANNELS))) for source in sources]
            target = ResponseTarget(
                "control",
                tuple(sorted(base.target.ids)),
                "control",
                repeats=np.sum(parts, axis=0)[:, :, None],
                channels=tuple(f"{i}" for i in range(_CHANNELS)),
            )
            other = np.hstack(sources[:2])
            world = ReferenceWorld(base.stimuli, target, base.signal, base.rows, base.blocks, other=other)
            result = self._scored(world, {"mix": np.hstack(sources[1:])}, rng)
            for part, scores in found.items():
                scores.append(plain_score(result, "mix", part))
        known = {"unique": 1 / 3, "shared": 1 / 3, "total": 1.0}
        return [
            Control(
                f"three sources, {part} variance",
                f"{known[part]:.3f} within .03",
                float(np.mean(scores)),
                abs(float(np.mean(scores)) - known[part]) < 0.03,
                band=(known[part] - 0.03, known[part] + 0.03),
            )
            for part, scores in found.items()
        ]


@dataclass(frozen=True)
class _Fits:
    """The fits of one target, whose folds and permutations all layers share."""

    measured: np.ndarray
    folds: np.ndarray
    concepts: np.ndarray
    seed: int

    def alone(self, features: np.ndarray) -> np.ndarray:
        """Held-out predictions from one set of features."""
        return HeldOutRidge(features, self.folds, self.concepts).predict(self.measured)[0]

    def beside(self, references: np.ndarray) -> BandedRidge:
        """The fits of the references, to the responses and to those that nothing but them explains."""
        null = permuted_residuals(
            self.measured, self.alone(references), self.concepts, _PERMUTATIONS, self.seed
        )
        return BandedRidge(references, np.hstack([self.measured, *null]), self.folds, self.concepts)

    def layer(self, features: np.ndarray, beside: BandedRidge) -> tuple[LayerResult, np.ndarray]:
        """Parts of a layer, and its unique variance of each permutation; all are fitted together."""
        try:
            found = beside.beside(features)
        except ValueError as error:
            return LayerResult(undefined=str(error)), np.array([])
        c = self.measured.shape[1]
        own = ExplainedVariance(
            BandedPredictions(found.both[:, :c], found.first[:, :c], found.second[:, :c], found.mixes[:, :c]),
            self.measured,
            self.folds,
            self.concepts,
        )
        every = ExplainedVariance(found, beside.responses, self.folds, self.concepts).of_channels
        both, first, second = np.nanmean(every.reshape(3, -1, c), axis=2)
        (unique, *others) = both - second
        permuted = np.array(others)
        # a model that adds nothing to any permutation, and nothing to the responses
        p = 1.0 if not permuted.std() and unique <= permuted[0] else student_p(float(unique), permuted)
        values = {
            "unique_of_references": float(both[0] - first[0]),
            "model_alone": float(first[0]),
            "references_alone": float(second[0]),
            "null_mean": float(permuted.mean()),
        }
        statistics = {part: explained_statistic(own, part) for part in PARTS}
        return LayerResult(statistics, p=p, values=values), permuted


def _best_layers(view: ModelView, word: str, rows: ResponseRows, fits: _Fits) -> dict[str, np.ndarray]:
    """The layer of a reference that explains most of the responses; of an encoder all layers.

    Each has a sum of squares of one, so that none outweighs another.
    """
    bands = {}
    for layer in view.layers:
        features = rows.features(view.features(layer)).astype(np.float64)
        centred = features - features.mean(axis=0)
        if np.ptp(features, axis=0).any():
            bands[layer] = centred / np.linalg.norm(centred)
    if not bands:
        raise NotPossible(f"reference {view.name!r} has no layer that varies over the stimuli")
    if word == ENCODER or len(bands) == 1:
        return bands
    explained = {layer: _explained_alone(fits, band) for layer, band in bands.items()}
    best = max(explained, key=lambda layer: explained[layer])
    return {best: bands[best]}


def _explained_alone(fits: _Fits, features: np.ndarray) -> float:
    left = fits.measured - fits.alone(features)
    variance = fits.measured.var(axis=0)
    return float(np.mean(1 - left.var(axis=0)[variance > 0] / variance[variance > 0]))


def _few(bands: Mapping[str, np.ndarray]) -> str:
    return next(iter(bands)) if len(bands) == 1 else f"{len(bands)} layers"


def _ceiling(target: ResponseTarget, rows: ResponseRows, seed: int) -> dict[str, tuple[float, float]]:
    """The mean reliability of the channels: the share of the variance that repeats have in common."""
    values = split_half_reliability(target.repeats[np.sort(rows.of_target)], seed).value
    known = values[~np.isnan(values)]
    return {"total": (float(known.mean()),) * 2} if len(known) else {}


def _world(rng: np.random.Generator) -> ReferenceWorld:
    """Responses, and a reference that is unrelated to them."""
    world = response_world(rng)
    return ReferenceWorld(**vars(world), other=rng.standard_normal(world.signal.shape))


def _unit(values: np.ndarray) -> np.ndarray:
    unit: np.ndarray = (values - values.mean(axis=0)) / values.std(axis=0)
    return unit
