"""1 vs 2: whether a misclassified image is nearer to its true concept than to its predicted concept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import exact_control, mistaken_world, plain_score, standard_controls
from benchmark.calibration.definitions import one_vs_two_accuracy
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.types import VectorTarget
from benchmark.inference import grouped_mean_statistic
from benchmark.measures import one_vs_two, one_vs_two_permutation
from benchmark.model import ClassProbabilities
from benchmark.representation.concepts import concept_images, joined_vectors, require_varied
from benchmark.task import Control, LayerResult, Metric, ModelView, Task, TaskResult

_PERMUTATIONS = 1000
_FEWEST_WRONG = 5
#: With fewer concepts that are classified correctly, word correlations have no meaning
_FEWEST_RIGHT = 3
#: Controls: signal-to-noise ratios at which the accuracy is between one half and one
_SNRS = (0.5, 0.125, 0.03125)


@dataclass(frozen=True)
class _Trials:
    """The stimuli that take part.

    ``wrong`` and ``right`` are rows of misclassified and of correctly classified stimuli. ``true`` and
    ``predicted`` are the concepts of the former, and ``right_concept`` those of the latter: numbers among the
    joined concepts.
    """

    wrong: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    right: np.ndarray
    right_concept: np.ndarray


class OneVsTwo(Task):
    """1 vs 2 accuracy over the misclassified stimuli.

    In a layer, a misclassified stimulus has a correlation with each correctly classified stimulus. These
    correlations are correlated with two rows of word-space correlations to the concepts of the same stimuli:
    those of its true concept, and those of its predicted concept. The stimulus passes if the first
    correlation is greater. Predictions are the model's own, over all its classes. A stimulus takes part if
    its concept has a word vector. A misclassified stimulus takes part only if its predicted class has one
    too.
    """

    name: ClassVar[str] = "one_vs_two"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("accuracy", "1 vs 2 accuracy", (0.0, 1.0), "one half: either concept is as likely"),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("vectors",)
    needs_classes: ClassVar[bool] = True
    simulations: ClassVar[int] = 6
    reference: ClassVar[str] = """@inproceedings{dharmaretnam2018emergence,
  author = {Dharmaretnam, Dhanush and Fyshe, Alona},
  title = {The Emergence of Semantics in Neural Network Representations of Visual Information},
  booktitle = {Proceedings of NAACL-HLT},
  year = {2018},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[VectorTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer. There are no ``params``.

        Raises
        ------
        NotPossible
            If the model has no classes, classifies nothing correctly, or makes too few mistakes among the
            concepts that have a word vector.
        UsageError
            If a parameter is given.
        """
        self.read(params)
        classes = view.classify()
        if classes is None:
            raise NotPossible(f"model {view.name!r} has no classes: 1 vs 2 needs its mistakes")
        trials, counts = _trials(view, joined, classes)
        words = np.corrcoef(joined_vectors(joined, fewest=_FEWEST_RIGHT))
        seed = int(rng.integers(2**63))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for layer in view.layers:
            features = np.asarray(view.features(layer), dtype=np.float64)
            layers[layer], outcomes = _score_layer(features, words, trials, joined.concepts, seed)
            if outcomes is not None:
                arrays[f"outcomes/{layer}"] = outcomes
        arrays["misclassified"] = trials.wrong
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance={"accuracy": 0.5},
            counts={**joined.counts, **counts},
            arrays=arrays,
            notes=[
                "p comes from a permutation test; "
                "p_binomial assumes that the misclassified stimuli are independent"
            ],
        )

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, and features of the predicted concepts, which must fail.

        A noisy copy must have the accuracy of the definition, image by image.
        """
        controls = standard_controls(self, mistaken_world, rng, definition=one_vs_two_accuracy, snrs=_SNRS)
        world = mistaken_world(rng)
        assert isinstance(world.target, VectorTarget)
        assert world.classes is not None
        view = world.view({"taken": world.target.vectors[world.classes.probabilities.argmax(axis=1)]})
        result = self.score(view, join(world.stimuli, world.target), {}, rng)
        accuracy = plain_score(result, "taken", "accuracy")
        return [*controls, exact_control("features of what it was taken for", 0.0, accuracy)]


def _trials(
    view: ModelView, joined: Join[VectorTarget], classes: ClassProbabilities
) -> tuple[_Trials, dict[str, int]]:
    """Misclassified and correctly classified test stimuli, in the order of the stimulus ids."""
    index = {concept: i for i, concept in enumerate(joined.concepts)}
    images = concept_images(view.stimuli, joined.concepts)
    rows = np.concatenate(images)
    true = np.repeat(np.arange(len(images)), [len(numbers) for numbers in images])
    joined_class = np.array([index.get(class_id, -1) for class_id in classes.class_ids])
    predicted = joined_class[classes.probabilities[rows].argmax(axis=1)]
    right = predicted == true
    wrong = ~right & (predicted >= 0)
    counts = {
        "stimuli": len(rows),
        "correct": int(right.sum()),
        "misclassified": int((~right).sum()),
        "misclassified_joined": int(wrong.sum()),
    }
    named = len(np.unique(true[right]))
    if named < _FEWEST_RIGHT:
        raise NotPossible(
            f"model {view.name!r} classifies {counts['correct']} of {len(rows)} stimuli correctly, "
            f"of {named} concepts: 1 vs 2 needs those of at least {_FEWEST_RIGHT} to compare mistakes with"
        )
    if counts["misclassified_joined"] < _FEWEST_WRONG:
        raise NotPossible(
            f"model {view.name!r} misclassifies {counts['misclassified']} of {len(rows)} stimuli, and takes "
            f"{counts['misclassified_joined']} of them for a concept that has a word vector: "
            f"1 vs 2 needs at least {_FEWEST_WRONG}"
        )
    return _Trials(rows[wrong], true[wrong], predicted[wrong], rows[right], true[right]), counts


def _score_layer(
    features: np.ndarray, words: np.ndarray, trials: _Trials, concepts: tuple[str, ...], seed: int
) -> tuple[LayerResult, np.ndarray | None]:
    """Result of one layer, and the outcome of each misclassified stimulus."""
    shown = np.concatenate([trials.true, trials.right_concept])
    arguments = (
        features[trials.wrong],
        features[trials.right],
        words[np.ix_(trials.true, trials.right_concept)],
        words[np.ix_(trials.predicted, trials.right_concept)],
    )
    try:
        require_varied(np.concatenate(arguments[:2]), [concepts[i] for i in shown])
        layer = one_vs_two(*arguments)
    except ValueError as error:
        return LayerResult(undefined=str(error)), None
    test = one_vs_two_permutation(*arguments, _PERMUTATIONS, np.random.default_rng(seed))
    result = LayerResult(
        {"accuracy": grouped_mean_statistic(layer.outcomes, trials.true)},
        p=test.p,
        values={"p_binomial": layer.p_binomial, "ties": float(layer.ties)},
    )
    return result, layer.outcomes.astype(np.float32)
