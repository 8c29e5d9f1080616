"""1 vs 2: whether a misclassified image is nearer to its true concept than to its predicted concept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import exact_control, mistaken_world, plain_score, standard_controls
from benchmark.calibration.definitions import one_vs_two_accuracy
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import VectorTarget
from benchmark.inference import grouped_mean_statistic
from benchmark.measures import OneVsTwo as Outcomes
from benchmark.measures import PermutationTest, one_vs_two, one_vs_two_permutation
from benchmark.model import ClassProbabilities
from benchmark.representation.classes import class_rows, concept_classes
from benchmark.representation.concepts import UndefinedFeaturesError, image_groups, require_varied
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Statistic, Task, TaskResult

_PERMUTATIONS = 1000
_FEWEST_WRONG = 5
#: With fewer concepts that are classified correctly, word correlations have no meaning
_FEWEST_RIGHT = 3
#: Controls: signal-to-noise ratios at which the accuracy is between one half and one
_SNRS = (0.5, 0.125, 0.03125)


@dataclass(frozen=True)
class _Classified:
    """The concepts that take part, and what the model takes each stimulus for.

    ``classes`` are the classes that a concept is, and ``predicted`` the class of each stimulus. ``words``
    (r, d) are word vectors, and ``concept_word`` and ``class_word`` the row in it of each concept and of each
    class; -1: the class has no word vector.
    """

    concepts: tuple[str, ...]
    classes: list[frozenset[int]]
    predicted: np.ndarray
    words: np.ndarray
    concept_word: np.ndarray
    class_word: np.ndarray
    counts: dict[str, int]


@dataclass(frozen=True)
class _Trials:
    """The stimuli of one group that take part.

    ``wrong`` and ``right`` are rows of misclassified and of correctly classified stimuli. ``true`` and
    ``right_concept`` are the numbers of their concepts. ``true_words`` and ``predicted_words`` (m, c) are the
    word correlations of the true concepts, and of the predicted classes, to the concepts of the latter.
    """

    wrong: np.ndarray
    true: np.ndarray
    right: np.ndarray
    right_concept: np.ndarray
    true_words: np.ndarray
    predicted_words: np.ndarray


class OneVsTwo(Task):
    """1 vs 2 accuracy over the misclassified stimuli.

    In a layer, a misclassified stimulus has a correlation with each correctly classified stimulus of its
    group. These correlations are correlated with two rows of word-space correlations to the concepts of the
    same stimuli: those of its true concept, and those of its predicted class. The stimulus passes if the
    first correlation is greater. Predictions are the model's own, over all its classes. A stimulus takes part
    if its concept is one of these classes and has a word vector. A misclassified stimulus takes part only if
    its predicted class has a word vector too, of another word. The class need not be among the stimuli. The
    score is the mean over groups.
    """

    name: ClassVar[str] = "one_vs_two"
    version: ClassVar[int] = 2
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("accuracy", "1 vs 2 accuracy", (0.0, 1.0), "one half: either concept is as likely"),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("vectors",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "groups": Parameter(
            1, "into how many groups the images of each concept are dealt, at least 1", least=1
        ),
        "group_seed": Parameter(
            0, "seed that decides which image goes into which group, at least 0", least=0
        ),
        "cues": Parameter(
            default=False,
            meaning="whether a class without a word vector has that of a synonym, hypernym or kin of it "
            "in the reviewed tables of cues",
        ),
    }
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
        """Score every layer.

        ``params``: ``groups`` and ``group_seed`` (:func:`benchmark.representation.concepts.image_groups`),
        ``cues`` (:func:`benchmark.representation.classes.class_rows`).

        Raises
        ------
        NotPossible
            If the model has no classes, classifies too little of a group correctly, or makes too few mistakes
            into classes that have a word vector; or if a concept has fewer images than there are groups.
        UsageError
            If a parameter is unknown or out of range.
        """
        chosen = self.read(params)
        classes = view.classify()
        if classes is None:
            raise NotPossible(f"model {view.name!r} has no classes: 1 vs 2 needs its mistakes")
        classified = _classified(view, joined, classes, cues=chosen["cues"])
        images = image_groups(view.stimuli, classified.concepts, chosen["groups"], chosen["group_seed"])
        groups, counts = _groups(view.name, classified, images)
        seed = int(rng.integers(2**63))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for layer in view.layers:
            features = np.asarray(view.features(layer), dtype=np.float64)
            layers[layer], outcomes = _score_layer(features, groups, classified.concepts, seed)
            if outcomes is not None:
                arrays[f"outcomes/{layer}"] = outcomes
        wrong = np.concatenate([trials.wrong for trials in groups])
        true = np.concatenate([trials.true for trials in groups])
        arrays["misclassified"] = wrong
        arrays["true"] = np.array([_name(view.stimuli, classified.concepts[i]) for i in true])
        taken = [classes.class_ids[i] for i in classified.predicted[wrong]]
        arrays["taken_for"] = np.array([_name(view.stimuli, class_id) for class_id in taken])
        return TaskResult(
            concepts=classified.concepts,
            layers=layers,
            chance={"accuracy": 0.5},
            counts={**classified.counts, **counts, "groups": len(images)},
            arrays=arrays,
            notes=[
                "p comes from a permutation test; "
                "p_binomial assumes that the misclassified stimuli are independent",
                f"{counts['misclassified_joined']} of {counts['misclassified']} misclassified stimuli are "
                f"counted; {counts['misclassified_no_vector']} were taken for a class that has no word "
                f"vector, and {counts['misclassified_same_word']} for one with the same word",
            ],
        )

    def require_classes(
        self, stimuli: Stimuli, joined: Join[Any], class_ids: Sequence[str], params: Mapping[str, Any]
    ) -> None:
        """Raise NotPossible if too few concepts are classes with a word vector, or have too few images."""
        chosen = self.read(params)
        kept = _named(stimuli, joined, class_ids, cues=chosen["cues"])[2]
        concepts = [stimuli.concept_ids[i] for i in kept]
        image_groups(stimuli, concepts, chosen["groups"], chosen["group_seed"])

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


def _name(stimuli: Stimuli, concept: str) -> str:
    """The name that people use for a concept or a class."""
    return stimuli.labels.get(concept, concept)


def _named(
    stimuli: Stimuli, joined: Join[VectorTarget], class_ids: Sequence[str], *, cues: bool
) -> tuple[np.ndarray, list[frozenset[int]], list[int]]:
    """The word vector (its row, or -1) and the classes of each concept, and which concepts have both."""
    shown = stimuli.concept_ids
    rows = class_rows(stimuli, joined, shown, cues=cues)
    of_concept = concept_classes(stimuli, shown, class_ids)
    kept = [i for i, row in enumerate(rows) if row >= 0 and of_concept[i]]
    if len(kept) < _FEWEST_RIGHT:
        raise NotPossible(
            f"{len(kept)} of {len(shown)} concepts of {stimuli.name!r} have a word vector and are "
            f"classes of the model ({shown[0]!r} beside {class_ids[0]!r}): "
            f"1 vs 2 needs at least {_FEWEST_RIGHT}; use stimuli that show its classes"
        )
    return rows, of_concept, kept


def _classified(
    view: ModelView, joined: Join[VectorTarget], classes: ClassProbabilities, *, cues: bool
) -> _Classified:
    """Find the word vector of every concept and every class, and the class of every stimulus."""
    shown, whole = view.stimuli.concept_ids, joined.whole
    rows, of_concept, kept = _named(view.stimuli, joined, classes.class_ids, cues=cues)
    of_class = class_rows(view.stimuli, joined, classes.class_ids, cues=cues)
    used = np.unique([*rows[kept], *of_class[of_class >= 0]])
    place = np.full(len(whole.ids) + 1, -1)  # the last place is that of -1
    place[used] = np.arange(len(used))
    words = np.asarray(whole.vectors[used], dtype=np.float64)
    try:
        require_varied(words, [whole.ids[i] for i in used])
    except UndefinedFeaturesError as error:
        raise NotPossible(f"word vectors of target {whole.name!r}: {error}") from error
    without = int((rows < 0).sum())
    return _Classified(
        concepts=tuple(shown[i] for i in kept),
        classes=[of_concept[i] for i in kept],
        predicted=classes.probabilities.argmax(axis=1),
        words=words,
        concept_word=place[rows[kept]],
        class_word=place[of_class],
        # concepts that share a word are all taken
        counts={
            "joined": len(kept),
            "missing": without,
            "ambiguous": 0,
            "no_class": len(rows) - without - len(kept),
        },
    )


def _groups(
    model: str, classified: _Classified, images: Sequence[Sequence[np.ndarray]]
) -> tuple[list[_Trials], dict[str, int]]:
    """The trials of each group that has some, and how many stimuli of all groups take part or are dropped."""
    between = np.corrcoef(classified.words)
    groups, counts = [], Counter[str]()
    for number, group in enumerate(images, start=1):
        trials, of_group = _trials(classified, group, between)
        counts.update(of_group)
        named = len(np.unique(trials.right_concept))
        if named < _FEWEST_RIGHT:
            part = f" of group {number} of {len(images)}" if len(images) > 1 else ""
            raise NotPossible(
                f"model {model!r} classifies {of_group['correct']} of {of_group['stimuli']} stimuli{part} "
                f"correctly, of {named} concepts: 1 vs 2 needs those of at least {_FEWEST_RIGHT} to compare "
                f"mistakes with{'; give fewer groups' if part else ''}"
            )
        if len(trials.wrong):
            groups.append(trials)
    if counts["misclassified_joined"] < _FEWEST_WRONG:
        raise NotPossible(
            f"model {model!r} misclassifies {counts['misclassified']} of {counts['stimuli']} stimuli, and "
            f"takes {counts['misclassified_joined']} of them for a class that has another word vector: "
            f"1 vs 2 needs at least {_FEWEST_WRONG}; use more images, or harder ones"
        )
    return groups, dict(counts)


def _trials(
    classified: _Classified, group: Sequence[np.ndarray], between: np.ndarray
) -> tuple[_Trials, dict[str, int]]:
    """The trials of a group, and its counts. ``between`` (r, r) are the correlations of word vectors."""
    rows = np.concatenate(group)
    true = np.repeat(np.arange(len(group)), [len(numbers) for numbers in group])
    predicted = classified.predicted[rows]
    right = np.array([taken in classified.classes[t] for taken, t in zip(predicted, true, strict=True)])
    true_word, taken_word = classified.concept_word[true], classified.class_word[predicted]
    no_vector, same = ~right & (taken_word < 0), ~right & (taken_word == true_word)
    wrong = ~right & ~no_vector & ~same
    to_right = between[:, true_word[right]]
    counts = {
        "stimuli": len(rows),
        "correct": right.sum(),
        "misclassified": (~right).sum(),
        "misclassified_joined": wrong.sum(),
        "misclassified_no_vector": no_vector.sum(),
        "misclassified_same_word": same.sum(),
    }
    trials = _Trials(
        wrong=rows[wrong],
        true=true[wrong],
        right=rows[right],
        right_concept=true[right],
        true_words=to_right[true_word[wrong]],
        predicted_words=to_right[taken_word[wrong]],
    )
    return trials, {name: int(count) for name, count in counts.items()}


def _score_layer(
    features: np.ndarray, groups: Sequence[_Trials], concepts: tuple[str, ...], seed: int
) -> tuple[LayerResult, np.ndarray | None]:
    """Result of one layer, and the outcome of each misclassified stimulus, group by group."""
    outcomes, nulls = [], []
    for number, trials in enumerate(groups):
        arguments = (
            features[trials.wrong],
            features[trials.right],
            trials.true_words,
            trials.predicted_words,
        )
        shown = [concepts[i] for i in (*trials.true, *trials.right_concept)]
        try:
            require_varied(np.concatenate(arguments[:2]), shown)
            outcomes.append(one_vs_two(*arguments).outcomes)
        except ValueError as error:
            return LayerResult(undefined=str(error)), None
        rng = np.random.default_rng([seed, number] if number else seed)
        nulls.append(one_vs_two_permutation(*arguments, _PERMUTATIONS, rng).null)
    pooled = Outcomes.of(np.concatenate(outcomes))
    test = PermutationTest.of(float(np.mean([o.mean() for o in outcomes])), np.mean(nulls, axis=0))
    accuracy = _mean_over_groups(
        [grouped_mean_statistic(o, trials.true) for o, trials in zip(outcomes, groups, strict=True)]
    )
    result = LayerResult(
        {"accuracy": accuracy},
        p=test.p,
        values={"p_binomial": pooled.p_binomial, "ties": float(pooled.ties)},
    )
    return result, pooled.outcomes.astype(np.float32)


def _mean_over_groups(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of the statistics that are defined: a draw may leave a group without a mistake."""

    def statistic(weights: np.ndarray) -> np.ndarray:
        values = np.stack([each(weights) for each in statistics])
        defined = ~np.isnan(values)
        total = np.where(defined, values, 0).sum(axis=0)
        mean: np.ndarray = np.full(len(weights), np.nan)
        np.divide(total, defined.sum(axis=0), out=mean, where=defined.any(axis=0))
        return mean

    return statistic
