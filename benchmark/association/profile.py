"""The association profiles of some images, and the few words on which they are shown side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.common.errors import DataError
from benchmark.model import Associations

#: Words on which profiles are compared, unless there are more images than that
COMPACT = 30


@dataclass(frozen=True)
class Profiles:
    """Association profiles of images over one vocabulary.

    Attributes
    ----------
    images : tuple of str, length n
    vocabulary : tuple of str, length v
    strengths : ndarray, shape (n, v)
        Not negative; each row sums to 1, as the strengths of a cue over all its responses do.
    """

    images: tuple[str, ...]
    vocabulary: tuple[str, ...]
    strengths: np.ndarray

    def strongest(self, image: int, k: int) -> list[tuple[str, float]]:
        """The ``k`` strongest associates of an image with their strengths, the strongest first.

        Equal strengths stand in the order of the vocabulary; fewer are given if it is shorter than ``k``.
        """
        order = _descending(self.strengths[image])[:k]
        return [(self.vocabulary[i], float(self.strengths[image, i])) for i in order]

    def compact(self, size: int = COMPACT) -> tuple[int, ...]:
        """The words on which the differences between the images show.

        Half of the places are shared equally by the images, at least one each, for their own strongest
        associates: so every image is recognised by its profile, and what all have in common shows too. The
        other places go to the words whose strength varies most between the images (greatest variance over
        the rows of ``strengths``). A single image has no variance, and takes all places for its strongest.

        Parameters
        ----------
        size : int
            Words to choose. Fewer are chosen from a smaller vocabulary, more only for more images than that.

        Returns
        -------
        tuple of int
            Columns of ``strengths``, grouped by the image for which the word stands out most (the greatest
            strength), in the order of the images; the strongest of each group first.
        """
        n = len(self.images)
        own = max(1, size // (2 * n)) if n > 1 else size
        chosen = {int(i) for row in self.strengths for i in _descending(row)[:own]}
        for i in _descending(self.strengths.var(axis=0)):
            if len(chosen) >= min(size, len(self.vocabulary)):
                break
            chosen.add(int(i))
        first = self.strengths.argmax(axis=0)
        return tuple(sorted(chosen, key=lambda i: (first[i], -self.strengths[first[i], i], i)))


def profiles(images: tuple[str, ...], found: Associations) -> Profiles:
    """Profiles of ``images`` from the associations a model gave, its strengths scaled to sum to 1.

    Of the strengths of a model only the ratios within a row have a meaning; scaled, those of two images, or
    of two models, can stand on one axis. A strength below 0, which a regression may predict, is none.

    Raises
    ------
    DataError
        If a strength is not finite, or a row has none above 0.
    """
    strengths = np.asarray(found.strengths, dtype=np.float64)
    if strengths.shape != (len(images), len(found.vocabulary)):
        raise DataError(
            f"association strengths of shape {strengths.shape}; expected ({len(images)} images, "
            f"{len(found.vocabulary)} words)"
        )
    if not np.isfinite(strengths).all():
        raise DataError("association strengths must be finite")
    strengths = np.maximum(strengths, 0)
    totals = strengths.sum(axis=1, keepdims=True)
    if (totals == 0).any():
        raise DataError(f"{images[int(np.argmin(totals))]}: the model gives no word any strength")
    return Profiles(images, found.vocabulary, strengths / totals)


def _descending(values: np.ndarray) -> np.ndarray:
    """Places of ``values`` from the greatest to the least; of equal ones the earlier first."""
    return np.argsort(-values, kind="stable")
