"""Models made of arrays: tasks check themselves with them against known answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.datasets.stimuli import Stimuli
from benchmark.model import Associations, ClassProbabilities
from benchmark.task import LongWork, ModelView, TaskResult


class ArrayView:
    """A model view (:class:`benchmark.task.ModelView`) over arrays in memory.

    Parameters
    ----------
    stimuli : Stimuli
    features : mapping of str to ndarray, shape (n, d)
        Features of the n stimuli by layer, from the input to the output.
    head : Associations, optional
        Association strengths of the stimuli; default: the model has none.
    classes : ClassProbabilities, optional
        Class probabilities of the stimuli; default: the model has none.
    work : LongWork, optional
        How a task with long work shows progress and keeps unfinished parts.
    references : mapping of str to ModelView, optional
        The other models that the task needs; default: it needs none.

    Examples
    --------
    >>> stimuli = synthetic_stimuli(["cat", "dog"])
    >>> view = ArrayView(stimuli, {"layer": np.eye(2)})
    >>> view.layers, view.features("layer").shape
    (('layer',), (2, 2))
    """

    def __init__(
        self,
        stimuli: Stimuli,
        features: Mapping[str, np.ndarray],
        head: Associations | None = None,
        classes: ClassProbabilities | None = None,
        work: LongWork | None = None,
        references: Mapping[str, ModelView] | None = None,
    ) -> None:
        self.name = "calibration"
        self.work = work or LongWork()
        self.references = references or {}
        self.stimuli = stimuli
        self.layers = tuple(features)
        self._features = features
        self._head = head
        self._classes = classes

    def features(self, layer: str) -> np.ndarray:
        """Features of ``layer``: float32, shape (n stimuli, d), in stimulus order."""
        return self._features[layer].astype(np.float32)

    def associations(self) -> Associations | None:
        """Association strengths of every stimulus, or None."""
        return self._head

    def classify(self) -> ClassProbabilities | None:
        """Class probabilities of every stimulus, or None."""
        return self._classes


def synthetic_stimuli(
    concepts: Sequence[str], test: int = 1, train: int = 0, held_out: Sequence[str] = ()
) -> Stimuli:
    """Make a stimulus set without images.

    Parameters
    ----------
    concepts : sequence of str
        Ids of the concepts.
    test : int
        Number of test stimuli of each concept.
    train : int
        Number of training stimuli of each concept; they come before the test stimuli. With 0 the set has no
        splits.
    held_out : sequence of str
        Concepts that are held out.

    Returns
    -------
    Stimuli

    Examples
    --------
    >>> stimuli = synthetic_stimuli(["cat", "dog"], test=1, train=1)
    >>> stimuli.ids
    ('cat-train-00', 'cat-test-01', 'dog-train-00', 'dog-test-01')
    >>> stimuli.concepts
    ('cat', 'cat', 'dog', 'dog')
    """
    splits = ("train",) * train + ("test",) * test
    return Stimuli(
        name="synthetic",
        ids=tuple(f"{c}-{split}-{i:02d}" for c in concepts for i, split in enumerate(splits)),
        concepts=tuple(c for c in concepts for _ in splits),
        manifest="synthetic",
        splits=splits * len(concepts) if train else None,
        held_out=frozenset(held_out),
    )


def plain_score(result: TaskResult, layer: str, metric: str) -> float:
    """Score of a layer on all concepts, each with weight one.

    Parameters
    ----------
    result : TaskResult
    layer, metric : str
        Names of a layer and of a metric of the task.

    Returns
    -------
    float
        NaN where the layer is undefined.

    Examples
    --------
    >>> from benchmark.inference import mean_statistic
    >>> from benchmark.task import LayerResult
    >>> accuracy = mean_statistic(np.array([1.0, 0.0, 1.0, 1.0]))  # a value for each of four concepts
    >>> result = TaskResult(("a", "b", "c", "d"), {"layer": LayerResult({"accuracy": accuracy})}, {})
    >>> plain_score(result, "layer", "accuracy")
    0.75
    """
    scored = result.layers[layer]
    if scored.undefined is not None:
        return float("nan")
    return float(scored.statistics[metric](np.ones((1, len(result.concepts))))[0])
