"""RDMs along an axis: one for each subject and each time (EEG, MEG), or for each region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets.names import require_unique
from benchmark.datasets.types import Target

#: Name of the axis whose places are numbers in order. Places of any other axis are names
TIME = "time"


@dataclass(frozen=True)
class Axis:
    """What the RDMs of a series are ordered by.

    Attributes
    ----------
    name : str
        "time"; or what the places are called: "region", "window".
    places : tuple of float, or of str
        Times in rising order; names, each once.
    unit : str
        Unit of the times ("ms"); empty for names.

    Raises
    ------
    DataError
        If there is no place, times do not rise, or a name occurs twice.
    """

    name: str
    places: tuple[float, ...] | tuple[str, ...]
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.places:
            raise DataError(f"axis {self.name!r} has no places")
        if not self.ordered:
            require_unique([str(place) for place in self.places], f"axis {self.name!r}")
            return
        times = np.asarray(self.places, dtype=np.float64)
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise DataError(f"axis {self.name!r}: times must rise from each to the next, and be finite")

    @property
    def ordered(self) -> bool:
        """Whether neighbours are near one another: times are, regions are not."""
        return self.name == TIME

    def __len__(self) -> int:
        return len(self.places)

    def label(self, place: int) -> str:
        """The name of a place, with its unit, for messages."""
        value = self.places[place]
        return value if isinstance(value, str) else f"{value:g} {self.unit}".strip()


@dataclass(frozen=True)
class RDMSeriesTarget(Target):
    """One representational dissimilarity matrix for each subject and each place of an axis.

    RDMs are kept as their pairs: a thousand times of 92 stimuli and 15 subjects are 250 MB in float32.

    Attributes
    ----------
    pairs : ndarray, shape (s, t, n (n - 1) / 2)
        Dissimilarities above the diagonal, row by row. Every pair must be there.
    subjects : tuple of str, length s
    axis : Axis
        Its t places.

    Raises
    ------
    DataError
        If a shape is wrong or a value is not finite.
    NotPossible
        If all dissimilarities of an RDM are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import Axis, RDMSeriesTarget
    >>> meg = RDMSeriesTarget(
    ...     name="meg",
    ...     ids=("cat", "dog", "car"),
    ...     hash="sha256 of the file",
    ...     pairs=np.array([[[0.5, 0.6, 0.5], [0.5, 0.9, 0.8]]]),
    ...     subjects=("first person",),
    ...     axis=Axis("time", (0.0, 100.0), "ms"),
    ... )
    >>> meg.select(["car", "cat"]).pairs[0]
    array([[0.6],
           [0.9]])
    """

    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    subjects: tuple[str, ...] = ()
    axis: Axis = field(default_factory=lambda: Axis("", ("",)))

    kind: ClassVar[str] = "rdm_series"

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = (len(self.subjects), len(self.axis), math.comb(len(self.ids), 2))
        if self.pairs.shape != expected or not self.subjects:
            raise DataError(
                f"{self._where}: pairs of shape {self.pairs.shape}; expected {expected}, for "
                f"{len(self.subjects)} subjects, {len(self.axis)} places of axis {self.axis.name!r} and "
                f"{len(self.ids)} ids"
            )
        for s, places in enumerate(self.pairs):
            self._require_rdms(self.subjects[s], places)

    def _require_rdms(self, subject: str, places: np.ndarray) -> None:
        """Raise unless each row of ``places`` (t, pairs) can be compared with."""
        if not places.shape[1]:
            return
        faulty = ~np.isfinite(places)
        if faulty.any():
            t, pair = np.argwhere(faulty)[0]
            i, j = (rows[pair] for rows in np.triu_indices(len(self.ids), 1))
            raise DataError(
                f"{self._where}, subject {subject!r}, {self.axis.label(t)}: {places[t, pair]:g} for "
                f"{self.ids[i]!r} and {self.ids[j]!r}; RDMs along an axis need every pair: leave out the "
                "subject, the place, or the ids that lack pairs"
            )
        greatest = places.max(axis=1)
        flat = np.flatnonzero(greatest - places.min(axis=1) <= 1e-12 * np.abs(greatest))
        if flat.size and places.shape[1] > 1:
            raise NotPossible(
                f"{self._where}, subject {subject!r}, {self.axis.label(flat[0])}: the RDM has the same "
                f"value, {greatest[flat[0]]:g}, for all pairs of {len(self.ids)} ids, so nothing can be "
                f"compared with it ({flat.size} of {len(places)} places); leave such places out"
            )

    def select(self, ids: Sequence[str]) -> RDMSeriesTarget:
        """The same target with only the rows ``ids``, in that order."""
        rows, n = self.rows(ids), len(self.ids)
        i, j = np.triu_indices(len(rows), 1)
        low, high = np.minimum(rows[i], rows[j]), np.maximum(rows[i], rows[j])
        columns = low * (2 * n - low - 1) // 2 + high - low - 1
        return replace(self, ids=tuple(ids), pairs=self.pairs[:, :, columns])
