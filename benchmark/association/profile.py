"""Association profiles of images, and the choice of a few words on which they are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.common.errors import DataError
from benchmark.model import Associations

#: Number of words on which profiles are compared; more if there are more images
COMPACT = 30


@dataclass(frozen=True)
class Profiles:
    """Association profiles of images over one vocabulary.

    Attributes
    ----------
    images : tuple of str, length n
        Names of the images.
    vocabulary : tuple of str, length v
        The words.
    strengths : ndarray, shape (n, v)
        Strength of each word for each image. They are not negative, and each row sums to 1, as the strengths
        of a cue over all its responses do.
    """

    images: tuple[str, ...]
    vocabulary: tuple[str, ...]
    strengths: np.ndarray

    def strongest(self, image: int, k: int) -> list[tuple[str, float]]:
        """The ``k`` strongest words of an image (a row) with their strengths, the strongest first.

        Words of equal strength are in the order of the vocabulary. If the vocabulary is shorter than ``k``,
        all words are given.
        """
        order = _descending(self.strengths[image])[:k]
        return [(self.vocabulary[i], float(self.strengths[image, i])) for i in order]

    def compact(self, size: int = COMPACT) -> tuple[int, ...]:
        """Choose a few words that show how the images differ.

        Half of the words are the strongest words of the images. Each image gets the same number of them, at
        least one. So every image can be recognised by its profile, and common words are shown too. The other
        half are the words whose strength varies most between the images (the greatest variance over the rows
        of ``strengths``). If there is only one image, all words are its strongest.

        Parameters
        ----------
        size : int
            Number of words to choose. Fewer are chosen if the vocabulary is smaller. More are chosen only if
            there are more images.

        Returns
        -------
        tuple of int
            Columns of ``strengths``. They are grouped by the image for which the word is strongest, in the
            order of the images. In each group the strongest word is first.
        """
        n = len(self.images)
        own = max(1, size // (2 * n)) if n > 1 else size
        chosen = {int(i) for row in self.strengths for i in _descending(row)[:own]}
        for i in _descending(self.strengths.var(axis=0)):
            if len(chosen) >= min(size, len(self.vocabulary)):
                break
            chosen.add(int(i))
        owner = self.strengths.argmax(axis=0)
        return tuple(sorted(chosen, key=lambda i: (owner[i], -self.strengths[owner[i], i], i)))


def profiles(images: tuple[str, ...], associations: Associations) -> Profiles:
    """Scale the strengths that a model gave, so that those of each image sum to 1.

    Only the ratios of strengths within a row have a meaning. After the scaling, two images or two models can
    share an axis. A regression may predict strengths below 0; they are set to 0.

    Parameters
    ----------
    images : tuple of str, length n
        Names of the images.
    associations : Associations
        Vocabulary and strengths, shape (n, v).

    Raises
    ------
    DataError
        If the shape is wrong, a strength is not finite, or a row has no strength above 0.
    """
    strengths = np.asarray(associations.strengths, dtype=np.float64)
    if strengths.shape != (len(images), len(associations.vocabulary)):
        raise DataError(
            f"association strengths of shape {strengths.shape}; expected ({len(images)} images, "
            f"{len(associations.vocabulary)} words)"
        )
    if not np.isfinite(strengths).all():
        raise DataError("association strengths must be finite numbers")
    strengths = np.maximum(strengths, 0)
    totals = strengths.sum(axis=1, keepdims=True)
    if (totals == 0).any():
        raise DataError(f"{images[int(np.argmin(totals))]}: the model gives no word a strength above 0")
    return Profiles(images, associations.vocabulary, strengths / totals)


def _descending(values: np.ndarray) -> np.ndarray:
    """Indices of ``values`` from the greatest to the least; of equal values the earlier comes first."""
    return np.argsort(-values, kind="stable")
