"""The rows that a task predicts, with their features, and the folds in which they are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import Join
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.representation.concepts import concept_images, concept_means

#: Fewest units of a fold: a layer is chosen on half of them, and a correlation needs three
FEWEST = 6


@dataclass(frozen=True)
class ResponseRows:
    """The rows of measured responses that are predicted: stimuli, or concepts.

    Attributes
    ----------
    of_target : ndarray of int, shape (n,)
        Rows of the joined target.
    concepts : ndarray of int, shape (n,)
        The concept of each row, among those that joined.
    images : tuple of ndarray of int, length n
        Rows of the stimuli whose features are averaged.
    """

    of_target: np.ndarray
    concepts: np.ndarray
    images: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, stimuli: Stimuli, joined: Join[ResponseTarget]) -> ResponseRows:
        """The rows of a joined target: its stimuli if it has a response to each, else its concepts.

        Raises
        ------
        NotPossible
            If a concept has no (measured) test image.
        """
        images = concept_images(stimuli, joined.concepts)
        if not joined.by_stimulus:
            each = np.arange(len(joined.concepts))
            return cls(each, each, images)
        place = {name: i for i, name in enumerate(joined.target.ids)}
        found = [
            (place[stimuli.ids[row]], concept, row)
            for concept, rows in enumerate(images)
            for row in rows
            if stimuli.ids[row] in place
        ]
        unmeasured = sorted(set(range(len(images))) - {concept for _, concept, _ in found})
        if unmeasured:
            raise NotPossible(
                f"target {joined.target.name!r} has no response to a test image of {len(unmeasured)} "
                f"concepts ({', '.join(joined.concepts[i] for i in unmeasured[:3])}), only to training "
                "images: leave these responses out"
            )
        of_target, concepts, rows = (np.array(column, dtype=np.intp) for column in zip(*found, strict=True))
        return cls(of_target, concepts, tuple(rows[:, None]))

    def features(self, features: np.ndarray) -> np.ndarray:
        """The row of each response, from ``features`` (stimuli, d)."""
        if all(len(rows) == 1 for rows in self.images):
            rows: np.ndarray = features[np.concatenate(self.images)]
            return rows
        return concept_means(features, self.images)


def dealt_folds(units: np.ndarray, count: int, seed: int, task: str, what: str = "concepts") -> np.ndarray:
    """The fold in which each row is held out: units are dealt at random, and all rows of one stay together.

    Parameters
    ----------
    units : ndarray of int, shape (n,)
        The unit (a concept) of each row.
    count : int
        Number of folds.
    seed : int
        Decides the folds; the same for all models of a binding.
    task, what : str
        Name of the task, and what the units are, for messages.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0 to ``count`` - 1.

    Raises
    ------
    NotPossible
        If there are fewer than six units for a fold.
    UsageError
        If ``count`` is below 2.

    Examples
    --------
    >>> folds = dealt_folds(np.arange(12).repeat(2), 2, seed=0, task="mine")
    >>> np.bincount(folds), bool((folds[::2] == folds[1::2]).all())
    (array([12, 12]), True)
    """
    n = len(np.unique(units))
    if count < 2:
        raise UsageError(f"task {task}: folds is {count}: at least 2 are needed")
    if n < FEWEST * count:
        fewest = 2 * FEWEST
        way_out = f"give folds at most {n // FEWEST}" if n >= fewest else f"at least {fewest} are needed"
        raise NotPossible(f"{n} {what} joined, too few for {count} folds of {FEWEST} or more: {way_out}")
    place = np.random.default_rng(seed).permutation(n)
    folds: np.ndarray = (place * count // n)[np.unique(units, return_inverse=True)[1]]
    return folds
