"""Property mapping: what people say about a concept, predicted by a rule learned on other concepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import (
    World,
    exact_control,
    frequency_world,
    mean_control,
    plain_score,
    standard_controls,
)
from benchmark.calibration.definitions import ridge_retrieval
from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import Join, join
from benchmark.datasets.norms import PropertyTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import mean_statistic
from benchmark.measures.permutation import exceedance_p
from benchmark.measures.property_mapping import (
    INNER_FOLDS,
    average_precision,
    fold_labels,
    hit_rates,
    nearest_mean,
    retrieval_places,
    ridge_by_precision,
    zero_shot,
)
from benchmark.representation.concepts import (
    NORMALISE,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    normalised,
    require_varied,
)
from benchmark.representation.cosine_network import cosine_network
from benchmark.task import (
    Control,
    LayerResult,
    Metric,
    ModelView,
    Parameter,
    Statistic,
    Task,
    TaskResult,
)

FOLDS = 10
HITS = (1, 5, 10, 20)
RIDGE, NEAREST, NETWORK = "ridge", "knn", "network"
_LEARNERS = {RIDGE: "ridge", NEAREST: "nearest neighbours", NETWORK: "network"}
_PERMUTATIONS = 1000
#: Number of worlds without signal in the controls
_WORLDS = 20
#: Among the values of a layer: what its predictions hit if they are exchanged within a fold
_EXCHANGED = "ridge_hit_5_exchanged"
_POPULARITY = "popularity baseline: the mean frequencies of the training concepts, for every concept"

#: Draws features (m, d) for a world
Draw = Callable[[World, np.random.Generator], np.ndarray]


def _metrics() -> tuple[Metric, ...]:
    """For each learner hit@k and the average precision; hit@5 of ridge is first."""
    found = []
    for learner, words in _LEARNERS.items():
        for k in HITS:
            at = f"{k} / concepts: one at random"
            found += [Metric(f"{learner}_hit_{k}", f"hit@{k}, {words}", (0.0, 1.0), at)]
        found.append(Metric(f"{learner}_map", f"average precision, {words}", (0.0, 1.0), _POPULARITY))
    return tuple(sorted(found, key=lambda metric: metric.name != f"{RIDGE}_hit_5"))


class PropertyMapping(Task):
    """Zero-shot prediction of the production frequencies of properties (Derby, Miller & Devereux 2020).

    Concepts are dealt into ten folds. What people say about a concept is predicted from its features, by
    ridge regression or from its five nearest neighbours among the concepts of the other folds, or by a
    network with one hidden layer. A prediction hits at k if the frequencies of the concept itself are among
    the k nearest to it by cosine, of those of all concepts. Features are averaged over the test images of a
    concept, and scaled to length one. The p-value is that of hit@5 of ridge in the first repetition:
    predictions of one fold are exchanged, which needs no fit. What they hit then on average is
    ``ridge_hit_5_exchanged``. With few concepts it is below k / concepts: a concept is not among those from
    which its prediction was learned, so it is a little farther from their mean than they are.
    """

    name: ClassVar[str] = "property_mapping"
    version: ClassVar[int] = 2
    metrics: ClassVar[tuple[Metric, ...]] = _metrics()
    target_kinds: ClassVar[tuple[str, ...]] = (PropertyTarget.kind,)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "normalise": Parameter(
            "l2", f"what is done to the features of a concept: {', '.join(NORMALISE)}", choices=NORMALISE
        ),
        "frequency": Parameter(
            5, "a property of a concept counts from this production frequency on", least=1
        ),
        "concepts": Parameter(
            5, "a property counts if it is then left for this many of the concepts", least=1
        ),
        "neighbours": Parameter(5, "how many nearest neighbours are averaged, at least 1", least=1),
        "repeats": Parameter(5, "how often the concepts are dealt into folds anew, at least 1", least=1),
        "network": Parameter([], "the layers for which the network is trained too, by name; none: it is not"),
        "steps": Parameter(
            [25, 50, 100], "numbers of training steps of the network, to choose from in inner folds"
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
            If too few concepts have a property, there are fewer training concepts than neighbours, or a
            concept has no test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self._read(params)
        self.require_layers(view.layers, params)
        concepts, frequencies, properties = _given(joined, recipe)
        images = concept_images(view.stimuli, concepts)
        seeds = rng.integers(2**31, size=recipe["repeats"])
        mapping = _Mapping.draw(frequencies, recipe, seeds, view.work.device)
        layers: dict[str, LayerResult] = {}
        for done, layer in enumerate(view.layers, start=1):
            features = normalised(concept_means(view.features(layer), images), recipe["normalise"])
            try:
                require_varied(features, concepts, "euclidean")
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
            else:
                layers[layer] = mapping.score(features, layer in recipe["network"])
            if view.work.progress is not None:
                view.work.progress(done, len(view.layers))
        n = len(concepts)
        learners = [RIDGE, NEAREST, *([NETWORK] if recipe["network"] else [])]
        popular = mapping.popularity()
        chance = {f"{learner}_hit_{k}": min(k / n, 1.0) for learner in learners for k in HITS}
        return TaskResult(
            concepts=concepts,
            layers=layers,
            chance={**chance, **{f"{learner}_map": popular["map"] for learner in learners}},
            counts={
                **joined.counts,
                "properties": properties,
                "without_properties": len(joined.concepts) - n,
                "folds": FOLDS,
                "repeats": recipe["repeats"],
                "images": sum(map(len, images)),
            },
            notes=[
                "popularity baseline: "
                + ", ".join(f"hit@{k} {popular[f'hit_{k}']:.3f}" for k in HITS)
                + f", average precision {popular['map']:.3f}"
            ],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if a test image is missing, or too few concepts have a property."""
        super().require(stimuli, joined, params)
        recipe = self._read(params)
        concept_images(stimuli, _given(joined, recipe)[0])

    def require_layers(self, layers: Sequence[str], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if the model has none of the layers whose features the network is trained on."""
        # Models of one binding have different layers: a name is wrong only where none of them is known.
        named = self._read(params)["network"]
        if named and not set(named) & set(layers):
            raise NotPossible(
                f"the model has none of the layers {', '.join(map(str, named))} that params.network names; "
                f"{did_you_mean(str(named[0]), list(layers))}"
            )

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, with noise beside exchanged predictions, and concepts of few kinds."""
        own, standard = rng.spawn(2)
        controls = standard_controls(
            self, frequency_world, standard, definition=ridge_retrieval, replicates=10, params={"repeats": 1}
        )
        return [
            *(control for control in controls if control.kind not in ("noise", "permuted")),
            self._by_chance("independent noise", "noise", World.noise, own),
            self._by_chance("permuted labels", "permuted", World.permuted, own),
            self._neighbours_control(own),
        ]

    def _by_chance(self, name: str, kind: str, make: Draw, rng: np.random.Generator) -> Control:
        """Features without signal hit what their predictions hit if exchanged: below k / concepts."""
        differences = []
        for _ in range(_WORLDS):
            world = frequency_world(rng)
            assert isinstance(world.target, PropertyTarget)
            view, joined = world.view({"layer": make(world, rng)}), join(world.stimuli, world.target)
            result = self.score(view, joined, {"repeats": 1}, rng)
            hits = plain_score(result, "layer", f"{RIDGE}_hit_5")
            differences.append(hits - result.layers["layer"].values[_EXCHANGED])
        return replace(mean_control(f"{name}, less exchanged", 0.0, differences), kind=kind)

    def _neighbours_control(self, rng: np.random.Generator) -> Control:
        """Concepts of one kind have one profile: the nearest ones have it, and all of the kind are tied."""
        world: World = frequency_world(rng, kinds=5)
        assert isinstance(world.target, PropertyTarget)
        result = self.score(
            world.view({"copy": world.copy(rng)}), join(world.stimuli, world.target), {"repeats": 1}, rng
        )
        kind = len(world.target.ids) // 5
        found = plain_score(result, "copy", f"{NEAREST}_hit_5")
        return exact_control("neighbours of one kind", 5 / kind, found)

    def _read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        recipe = self.read(params)
        steps = recipe["steps"]
        if not steps or any(type(step) is not int or step < 1 for step in steps):
            raise UsageError(
                f"task {self.name}: parameter 'steps' is {steps}: expected numbers of at least 1"
            )
        return recipe


@dataclass(frozen=True)
class _Mapping:
    """What is predicted, the folds, and the learners.

    ``frequencies`` (n, v); ``labels`` (r, n), the fold of each concept in each repetition; ``seeds`` (r,);
    ``steps``, from which the network chooses.
    """

    frequencies: np.ndarray
    labels: np.ndarray
    seeds: np.ndarray
    neighbours: int
    steps: tuple[int, ...]
    device: str | None

    @classmethod
    def draw(
        cls, frequencies: np.ndarray, recipe: Mapping[str, Any], seeds: np.ndarray, device: str | None
    ) -> _Mapping:
        labels = np.stack([fold_labels(len(frequencies), FOLDS, int(seed)) for seed in seeds])
        return cls(frequencies, labels, seeds, recipe["neighbours"], tuple(recipe["steps"]), device)

    def score(self, features: np.ndarray, network: bool) -> LayerResult:
        """The result of a layer, whose concepts have these features (n, d)."""
        learned = {
            RIDGE: self._ridge,
            NEAREST: self._nearest,
            **({NETWORK: self._network} if network else {}),
        }
        statistics: dict[str, Statistic] = {}
        p, values_by_chance = None, {}
        for learner, predict in learned.items():
            values: dict[str, list[np.ndarray]] = {}
            for repeat in range(len(self.seeds)):
                predicted = predict(features, repeat)
                places = retrieval_places(predicted, self.frequencies)
                before, tied = map(np.diagonal, places)
                for k in HITS:
                    values.setdefault(f"{learner}_hit_{k}", []).append(hit_rates(before, tied, k))
                values.setdefault(f"{learner}_map", []).append(average_precision(predicted, self.frequencies))
                if learner == RIDGE and repeat == 0:
                    hits = hit_rates(*places, 5)
                    null = self._exchanged(hits)
                    p = float(exceedance_p(float(np.trace(hits)) / len(hits), null))
                    values_by_chance = {_EXCHANGED: float(null.mean())}
            statistics |= {name: mean_statistic(np.mean(rows, axis=0)) for name, rows in values.items()}
        return LayerResult(statistics, p=p, values=values_by_chance)

    def popularity(self) -> dict[str, float]:
        """Hits and average precision of the mean frequencies of the training concepts."""
        found: dict[str, list[float]] = {}
        for labels in self.labels:
            predicted = zero_shot(self.frequencies, self.frequencies, labels, _mean)
            before, tied = map(np.diagonal, retrieval_places(predicted, self.frequencies))
            for k in HITS:
                found.setdefault(f"hit_{k}", []).append(float(hit_rates(before, tied, k).mean()))
            found.setdefault("map", []).append(float(average_precision(predicted, self.frequencies).mean()))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _ridge(self, features: np.ndarray, repeat: int) -> np.ndarray:
        learner = partial(ridge_by_precision, rng=int(self.seeds[repeat]))
        return zero_shot(features, self.frequencies, self.labels[repeat], learner)

    def _nearest(self, features: np.ndarray, repeat: int) -> np.ndarray:
        learner = partial(nearest_mean, neighbours=self.neighbours)
        return zero_shot(features, self.frequencies, self.labels[repeat], learner)

    def _network(self, features: np.ndarray, repeat: int) -> np.ndarray:
        seed = int(self.seeds[repeat])
        labels = self.labels[repeat]
        return cosine_network(features, self.frequencies, labels, seed, self.steps, self.device)

    def _exchanged(self, hits: np.ndarray) -> np.ndarray:
        """The mean hit (n predictions, n concepts) where predictions within a fold are exchanged, (b,)."""
        rng = np.random.default_rng(int(self.seeds[0]))
        null = np.zeros(_PERMUTATIONS)
        for label in range(FOLDS):
            fold = np.flatnonzero(self.labels[0] == label)
            orders = rng.permuted(np.tile(fold, (_PERMUTATIONS, 1)), axis=1)
            null += hits[orders, fold].sum(axis=1)
        return null / len(hits)


def _mean(_train: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    return np.tile(targets.mean(axis=0), (len(test), 1))


def _given(
    joined: Join[PropertyTarget], recipe: Mapping[str, Any]
) -> tuple[tuple[str, ...], np.ndarray, int]:
    """The concepts that have a property, their frequencies (n, v), and how many properties there are."""
    cut = joined.target.cut(recipe["frequency"], recipe["concepts"])
    frequencies = cut.counts.toarray().astype(np.float64)
    kept = np.flatnonzero(frequencies.any(axis=1))
    n = len(kept)
    training = n - -(-n // FOLDS)
    least = max(recipe["neighbours"], INNER_FOLDS)
    if n < FOLDS or training < least:
        raise NotPossible(
            f"{n} concepts have properties: {FOLDS} folds leave {max(training, 0)} to learn from, and "
            f"{least} are needed for {recipe['neighbours']} neighbours and {INNER_FOLDS} inner folds"
        )
    return tuple(joined.concepts[i] for i in kept), frequencies[kept], len(cut.columns)
