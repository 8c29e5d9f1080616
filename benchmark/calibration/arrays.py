"""Models made of arrays, with which tasks check themselves against known answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.datasets.types import Stimuli
from benchmark.model import Associations, ClassProbabilities
from benchmark.task import LongWork, TaskResult


class ArrayView:
    """A model view (:class:`benchmark.task.ModelView`) over arrays in memory.

    Parameters
    ----------
    stimuli : Stimuli
    features : mapping of str to ndarray, shape (n, d)
        By layer, from the input to the output.
    head : Associations, optional
    classes : ClassProbabilities, optional
    work : LongWork, optional
    """

    def __init__(
        self,
        stimuli: Stimuli,
        features: Mapping[str, np.ndarray],
        head: Associations | None = None,
        classes: ClassProbabilities | None = None,
        work: LongWork | None = None,
    ) -> None:
        self.name = "calibration"
        self.work = work or LongWork()
        self.stimuli = stimuli
        self.layers = tuple(features)
        self._features = features
        self._head = head
        self._classes = classes

    def features(self, layer: str) -> np.ndarray:
        """Features (n stimuli, d), float32, in stimulus order."""
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
    """A stimulus set without images: ``train`` then ``test`` stimuli of each concept.

    With ``train=0`` the set has no split.
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
    """Score of a layer on all concepts; NaN where the layer is undefined."""
    found = result.layers[layer]
    if found.undefined is not None:
        return float("nan")
    return float(found.statistics[metric](np.ones((1, len(result.concepts))))[0])
