"""Targets that count people: association norms and property norms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets.names import nfc, require_unique
from benchmark.datasets.types import Target

if TYPE_CHECKING:
    from scipy import sparse


def _no_counts() -> sparse.csr_array:
    from scipy import sparse  # slow to import; `bench associate` answers for a photo without it

    return sparse.csr_array((0, 0))


C = TypeVar("C", bound="_CountTarget")


@dataclass(frozen=True)
class _CountTarget(Target):
    """Base of targets that count people: how many of them gave each column for each row."""

    columns: tuple[str, ...] = ()
    counts: sparse.csr_array = field(default_factory=_no_counts)
    respondents: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "columns", tuple(map(nfc, self.columns)))
        require_unique(self.columns, f"{self._where} (columns)")
        expected = (len(self.ids), len(self.columns))
        if self.counts.shape != expected or self.respondents.shape != expected[:1]:
            raise DataError(
                f"{self._where}: counts of shape {self.counts.shape} and respondents of shape "
                f"{self.respondents.shape}; expected {expected} and {expected[:1]}"
            )
        if self.counts.nnz and (not np.isfinite(self.counts.data).all() or self.counts.data.min() < 0):
            raise DataError(f"{self._where}: counts must be finite and not negative")

    def select(self: C, ids: Sequence[str]) -> C:
        """The same target with only the rows ``ids``, in that order. All columns stay."""
        rows = self.rows(ids)
        return replace(self, ids=tuple(ids), counts=self.counts[rows], respondents=self.respondents[rows])


@dataclass(frozen=True)
class AssociationTarget(_CountTarget):
    """Association norms: how many people gave each response (column) to each cue (row).

    Attributes
    ----------
    columns : tuple of str, length v
        The responses.
    counts : csr_array, shape (n, v)
        Number of people who gave the response to the cue.
    respondents : ndarray, shape (n,)
        Number of all responses to the cue. ``counts / respondents`` is the association strength.
    """

    kind: ClassVar[str] = "associations"


@dataclass(frozen=True)
class PropertyTarget(_CountTarget):
    """Property norms: production frequency of each property (column) for each concept (row).

    Attributes
    ----------
    columns, counts, respondents
        As in :class:`AssociationTarget`.
    types : tuple of str, length v
        Property type of each column (visual perceptual, functional, taxonomic, ...).
    finer : tuple of str, length v, or empty
        A finer kind of each column (:func:`benchmark.datasets.properties.finer_kind`). Empty: not known.
    """

    types: tuple[str, ...] = ()
    finer: tuple[str, ...] = ()

    kind: ClassVar[str] = "properties"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.types) != len(self.columns):
            raise DataError(f"{self._where}: {len(self.types)} types for {len(self.columns)} properties")
        if self.finer and len(self.finer) != len(self.columns):
            raise DataError(
                f"{self._where}: {len(self.finer)} finer kinds for {len(self.columns)} properties"
            )

    def cut(self, frequency: float = 5, concepts: int = 5) -> PropertyTarget:
        """The norms without rare answers and without rare properties (Derby, Miller & Devereux 2020).

        Cut the norms of the concepts that are used (:func:`benchmark.datasets.join` selects them), not all:
        a property must occur for enough of *those*.

        Parameters
        ----------
        frequency : float
            A property of a concept with a lower production frequency counts as not given.
        concepts : int
            A property stays if it is then left for at least this many concepts.

        Returns
        -------
        PropertyTarget
            All rows, the columns that stay, in their order. Lower frequencies are zero.

        Raises
        ------
        NotPossible
            If no property is left.

        Examples
        --------
        >>> import numpy as np
        >>> from scipy import sparse
        >>> from benchmark.datasets import PropertyTarget
        >>> norms = PropertyTarget(
        ...     name="norms",
        ...     ids=("cat", "dog", "car"),
        ...     hash="sha256 of the file",
        ...     columns=("is an animal", "has wheels", "is loud"),
        ...     counts=sparse.csr_array(np.array([[20, 0, 2], [18, 0, 9], [0, 25, 8]])),
        ...     respondents=np.full(3, 30.0),
        ...     types=("taxonomic", "visual perceptual", "other perceptual"),
        ... )
        >>> common = norms.cut(frequency=5, concepts=2)
        >>> common.columns
        ('is an animal', 'is loud')
        >>> common.counts.toarray()
        array([[20,  0],
               [18,  9],
               [ 0,  8]])
        """
        given = self.counts.multiply(self.counts >= frequency).tocsr()
        given.eliminate_zeros()
        kept = np.flatnonzero(np.bincount(given.indices, minlength=len(self.columns)) >= concepts)
        if not kept.size:
            raise NotPossible(
                f"{self._where}: no property has production frequency {frequency:g} or more for {concepts} "
                f"of the {len(self.ids)} concepts in use: use more concepts, or lower the cuts"
            )
        return replace(
            self,
            columns=tuple(self.columns[i] for i in kept),
            counts=given[:, kept],
            types=tuple(self.types[i] for i in kept),
            finer=self.finer and tuple(self.finer[i] for i in kept),
        )
