"""Encoding: responses of each channel predicted from the features of a layer, on held-out concepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import (
    ArrayView,
    World,
    exact_control,
    mean_control,
    plain_score,
    response_world,
    standard_controls,
    synthetic_stimuli,
)
from benchmark.calibration.controls import REPLICATES
from benchmark.calibration.definitions import ridge_correlation
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import (
    FoldedPredictions,
    Reliability,
    encoding_interval,
    encoding_statistic,
    permutation_test_encoding,
    split_half_reliability,
)
from benchmark.inference.encoding import median_defined
from benchmark.measures import HeldOutPLS, HeldOutRidge
from benchmark.representation.rows import ResponseRows, dealt_folds
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_CORRELATION, _NORMALISED = "correlation", "normalised"
#: What folds can be over
ACROSS = ("concepts", "stimuli")
#: Least and greatest number of permutations, each of which is fitted again: as many as give so many responses
_PERMUTATIONS, _PERMUTED = (10, 39), 2**20
#: Draws for the interval over concepts and channels
_DRAWS = 1000
#: With more numbers than this in the responses there are fewer: each reads all of them
_LARGE = 2**21
_DRAWS_LARGE = 100


class Encoding(Task):
    """Correlation of predicted and measured responses on held-out stimuli: the median over channels.

    Each channel is predicted from all features of a layer by ridge regression, with a penalty of its own that
    the training folds choose. Folds are over concepts, so that no concept is in training and test. Features
    are as the model gives them: their pooling decides how much of the position of things is kept.
    """

    name: ClassVar[str] = "encoding"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(
            _CORRELATION,
            "encoding, median correlation",
            (-1.0, 1.0),
            "0: responses to other stimuli",
            "the correlation with a prediction without error, from repeats: median over channels",
        ),
        Metric(
            _NORMALISED,
            "encoding, median correlation divided by the ceiling of each channel",
            (-np.inf, np.inf),
            "0: responses to other stimuli",
            "1, by definition; noise can lift a score above it",
        ),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("responses",)
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "folds": Parameter(5, "number of folds"),
        "across": Parameter(
            "concepts",
            "what folds are over: concepts, so that none is in training and test; or stimuli, with which "
            "other images of a concept are in training, and the score is too high",
            choices=ACROSS,
        ),
        "pls": Parameter(
            0, "number of components of partial least squares, which fits all channels together; 0: ridge"
        ),
        "least_reliability": Parameter(
            0.0, "channels whose reliability is below it are left out; above 0 it needs repeats"
        ),
    }
    reference: ClassVar[str] = """@article{schrimpf2020integrative,
  author = {Schrimpf, Martin and Kubilius, Jonas and Lee, Michael J. and Ratan Murty, N. Apurva and Ajemian,
            Robert and DiCarlo, James J.},
  title = {Integrative Benchmarking to Advance Neurally Mechanistic Models of Human Intelligence},
  journal = {Neuron},
  year = {2020},
  volume = {108},
  number = {3},
  pages = {413--423},
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
            If there are too few concepts for the folds, a concept has no (measured) test image, no channel is
            reliable enough, or a reliability is asked for without repeats.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        seeds = [int(seed) for seed in rng.integers(2**63, size=4)]
        rows = ResponseRows.of(view.stimuli, joined)
        folds = self._folds(rows, recipe, seeds[0])
        reliability = _reliability(joined.target, rows, seeds[1])
        kept = _reliable(joined.target, reliability, recipe["least_reliability"])
        measured = joined.target.responses
        if not (kept.all() and np.array_equal(rows.of_target, np.arange(len(measured)))):
            measured = measured[np.ix_(rows.of_target, kept)]  # else no copy: it may be large
        ceilings = None if reliability is None else reliability.ceiling[kept]
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        groups = None if recipe["across"] == "stimuli" else rows.concepts
        for layer in view.layers:
            features = rows.features(view.features(layer))
            try:
                if recipe["pls"]:
                    predict = _jointly(HeldOutPLS(features, folds, recipe["pls"]), measured.shape[1])
                    predicted = predict(measured)
                else:
                    ridge = HeldOutRidge(features, folds, groups)
                    predict = partial(_by_channel, ridge)
                    predicted, arrays[f"penalties/{layer}"] = ridge.predict(measured)
            except ValueError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            folded = FoldedPredictions(predicted, measured, folds, rows.concepts)
            layers[layer] = _layer(predict, folded, ceilings, seeds[2:], together=bool(recipe["pls"]))
            arrays[f"correlations/{layer}"] = folded.of_channels
        several = ceilings is not None and not np.isnan(ceilings).all()
        if reliability is not None:
            arrays |= {"reliability": reliability.value, "reliability_low": reliability.low}
            arrays |= {"reliability_high": reliability.high}
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance={_CORRELATION: 0.0, **({_NORMALISED: 0.0} if several else {})},
            ceiling=_ceilings(ceilings) if several else {},
            counts={
                **joined.counts,
                "channels": int(kept.sum()),
                "channels_left_out": int((~kept).sum()),
                "images": len(rows.concepts) if joined.by_stimulus else sum(map(len, rows.images)),
            },
            arrays={**arrays, "channels": np.array(joined.target.channels), "kept": kept},
            notes=_notes(
                joined.target, ceilings, recipe, several_images=len(rows.concepts) > len(joined.concepts)
            ),
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible where there are too few concepts or images, or no reliability to choose by."""
        super().require(stimuli, joined, params)
        recipe = self.read(params)
        self._folds(ResponseRows.of(stimuli, joined), recipe, 0)
        if joined.target.repeats.shape[2] < 2:
            _reliable(joined.target, None, recipe["least_reliability"])

    def _folds(self, rows: ResponseRows, recipe: Mapping[str, Any], seed: int) -> np.ndarray:
        """The fold of each row."""
        across = recipe["across"]
        units = rows.concepts if across == "concepts" else np.arange(len(rows.concepts))
        return dealt_folds(units, recipe["folds"], seed, self.name, across)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, a planted mixture of two sources, and the leak of concepts.

        A noisy copy is compared with scikit-learn's ridge regression on the same folds.
        """
        return [
            *standard_controls(self, response_world, rng, definition=ridge_correlation),
            self._ceiling_control(rng),
            self._sources_control(rng),
            *self._leak_controls(rng),
        ]

    def _ceiling_control(self, rng: np.random.Generator) -> Control:
        """The source of noisy channels: only noise keeps its score below 1, and the ceiling knows it.

        A fit of d coefficients on n rows, with noise of variance s2 in the mean response, adds an error of
        variance d s2 / n to predictions of variance 1. So much the score stays below 1.
        """
        concepts, columns, repeats = 150, 3, 4
        error = columns * (1 / repeats) / (concepts * 4 / 5)
        scores = []
        for _ in range(REPLICATES):
            world = response_world(rng, concepts, columns, noise=1.0, repeats=repeats)
            view, joined = world.view({"source": world.signal}), _joined(world)
            scores.append(plain_score(self.score(view, joined, {}, rng), "source", _NORMALISED))
        return mean_control(
            "the source of noisy channels, divided by the ceiling", 1 / np.sqrt(1 + error), scores
        )

    def _sources_control(self, rng: np.random.Generator) -> Control:
        """Two areas, each a mixture of features of a source of its own, with little noise."""
        early, late = (response_world(rng, concepts=150, noise=1.0, repeats=4) for _ in range(2))
        right = []
        for world, layer in ((early, "early"), (late, "late")):
            layers = {"early": early.signal, "late": late.signal}
            result = self.score(world.view(layers), _joined(world), {}, rng)
            other = "late" if layer == "early" else "early"
            right.append(result.arrays[f"correlations/{layer}"] > result.arrays[f"correlations/{other}"])
        return exact_control("channels that follow the source of their area", 1.0, float(np.mean(right)))

    def _leak_controls(self, rng: np.random.Generator) -> list[Control]:
        """Features tell concepts apart, and responses too, in ways that have nothing in common.

        Whoever has seen other images of a concept can tell its responses. For a new concept nothing can.
        """
        by_rule: dict[str, list[float]] = {rule: [] for rule in ACROSS}
        for _ in range(REPLICATES):
            stimuli = synthetic_stimuli([f"c{i:02d}" for i in range(30)], test=5)
            codes, effects = rng.standard_normal((2, 30, 10)).repeat(5, axis=1)
            measured = effects + rng.standard_normal(effects.shape)
            target = ResponseTarget(
                "control",
                stimuli.ids,
                "control",
                repeats=measured[:, :, None],
                channels=tuple(f"{i}" for i in range(10)),
            )
            view = ArrayView(stimuli, {"codes": codes + 0.1 * rng.standard_normal(codes.shape)})
            for rule, scores in by_rule.items():
                result = self.score(view, join(stimuli, target), {"across": rule}, rng)
                scores.append(plain_score(result, "codes", _CORRELATION))
        kept, leaked = (float(np.mean(by_rule[rule])) for rule in ACROSS)
        gain = leaked - kept
        return [
            mean_control("concepts held out, nothing in common", 0.0, by_rule["concepts"]),
            Control(
                "leak: other images of a test concept in training raise the score",
                "above 0.2",
                gain,
                gain > 0.2,
                band=(0.2, np.inf),
            ),
        ]


def _joined(world: World) -> Join[ResponseTarget]:
    assert isinstance(world.target, ResponseTarget)
    return join(world.stimuli, world.target)


def _reliability(target: ResponseTarget, rows: ResponseRows, seed: int) -> Reliability | None:
    """From the repeats of the rows that are scored; None: there are none."""
    if target.repeats.shape[2] < 2:
        return None
    return split_half_reliability(target.repeats[np.sort(rows.of_target)], seed)


def _reliable(target: ResponseTarget, reliability: Reliability | None, least: float) -> np.ndarray:
    """Which channels take part, (c,)."""
    if least <= 0:
        return np.ones(len(target.channels), dtype=bool)
    if reliability is None:
        raise NotPossible(
            f"target {target.name!r} has one repeat, so that the reliability of its channels is not known: "
            "leave least_reliability out"
        )
    kept: np.ndarray = reliability.value >= least
    if not kept.any():
        known = reliability.value[~np.isnan(reliability.value)]
        greatest = f"the greatest is {known.max():.3f}" if known.size else "of none it is known"
        raise NotPossible(f"target {target.name!r}: no channel has a reliability of {least:g}; {greatest}")
    return kept


def _by_channel(ridge: HeldOutRidge, measured: np.ndarray) -> np.ndarray:
    return ridge.predict(measured)[0]


def _jointly(pls: HeldOutPLS, channels: int) -> Callable[[np.ndarray], np.ndarray]:
    """Predictions of one or more sets of all channels, each set by a fit of its own."""

    def predict(measured: np.ndarray) -> np.ndarray:
        sets = np.split(measured, measured.shape[1] // channels, axis=1)
        return np.hstack([pls.predict(one) for one in sets])

    return predict


def _layer(
    predict: Callable[[np.ndarray], np.ndarray],
    folded: FoldedPredictions,
    ceilings: np.ndarray | None,
    seeds: list[int],
    *,
    together: bool,
) -> LayerResult:
    statistics = {_CORRELATION: encoding_statistic(folded)}
    if ceilings is not None and not np.isnan(ceilings).all():
        statistics[_NORMALISED] = encoding_statistic(folded, ceilings)
    # One seed for all layers, so that a layer's null does not depend on other layers.
    permutations = int(np.clip(_PERMUTED // folded.measured.size, *_PERMUTATIONS))
    test = permutation_test_encoding(predict, folded, permutations, seeds[0], together=together)
    low, high = encoding_interval(
        folded, _DRAWS if folded.predicted.size <= _LARGE else _DRAWS_LARGE, seeds[1]
    )
    return LayerResult(
        statistics,
        p=test.p,
        values={"low_over_channels": low, "high_over_channels": high, "null_mean": test.chance},
    )


def _ceilings(ceilings: np.ndarray | None) -> dict[str, tuple[float, float]]:
    assert ceilings is not None
    median = float(median_defined(ceilings[None])[0])
    return {_CORRELATION: (median, median), _NORMALISED: (1.0, 1.0)}


def _notes(
    target: ResponseTarget, ceilings: np.ndarray | None, recipe: Mapping[str, Any], *, several_images: bool
) -> list[str]:
    """``several_images``: whether a concept has several rows, which folds over stimuli part."""
    notes = []
    if ceilings is None:
        notes.append("one repeat: the reliability of the channels, and so their ceiling, is not known")
    elif np.isnan(ceilings).any():
        notes.append(
            f"{int(np.isnan(ceilings).sum())} channels have no reliability above 0, and no normalised score"
        )
    if recipe["least_reliability"] > 0:
        notes.append(
            f"channels of {target.name} with a reliability below {recipe['least_reliability']:g} left out"
        )
    if recipe["across"] == "stimuli" and several_images:
        notes.append(
            "folds over stimuli: other images of a test concept are in training, the score is too high"
        )
    return notes
