"""The types of target: what models are compared with.

A target carries its own ids in its own order. The engine joins it with stimuli on these ids
(:func:`benchmark.datasets.join`). Nothing is ever matched by row number. ``ids``, wherever a method takes
them, are ids of the target, in the order that is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import ClassVar

import numpy as np

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets.names import nfc, require_unique
from benchmark.datasets.rdm_check import comparable, rdm_fault


@dataclass(frozen=True)
class Target:
    """Base of everything that a model is compared with.

    Attributes
    ----------
    name : str
        Name of the dataset.
    ids : tuple of str, length n
        Unique id of each row (a concept, a cue, a word).
    hash : str
        sha256 over the files, or the code, from which the target is made.
    simulated : bool
        True for the embedded miniature. It is authored or simulated, not measured in people.
    source : str
        The file from which the target is read, for error messages. Default: it is not named.

    Raises
    ------
    DataError
        If the target is empty, an id occurs twice, or an array of a derived class has a wrong shape or wrong
        values.
    """

    name: str
    ids: tuple[str, ...]
    hash: str
    simulated: bool = False
    source: str = ""

    kind: ClassVar[str] = "target"

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(nfc, self.ids)))
        if not self.ids:
            raise DataError(f"{self._where} is empty")
        require_unique(self.ids, self._where)

    @property
    def _where(self) -> str:
        """The name of the target, and its file if that is known, for error messages."""
        return f"target {self.name!r}" + (f" ({self.source})" if self.source else "")

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """Row numbers (from 0) of ``ids``, shape (len(ids),)."""
        index = {name: i for i, name in enumerate(self.ids)}
        return np.array([index[name] for name in ids], dtype=np.intp)

    def select(self, ids: Sequence[str]) -> Target:
        """The same target with only the rows ``ids``, in that order."""
        raise NotImplementedError


@dataclass(frozen=True)
class RDMTarget(Target):
    """One representational dissimilarity matrix per subject.

    Attributes
    ----------
    rdms : ndarray, shape (s, n, n)
        One RDM per subject. Each is symmetric, with a zero diagonal. 0 means identical; a greater value means
        less alike, in the unit of the measurement. A pair that a subject did not measure is NaN.
    subjects : tuple of str, length s
        The person, group or model in which each RDM was measured.
    categories : tuple of (str or None), length n, or None
        The category of each row (a row may have none). None, not a tuple: the source gives no categories.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import RDMTarget
    >>> rdm = np.array([[0.0, 0.2, 0.9], [0.2, 0.0, 0.8], [0.9, 0.8, 0.0]])
    >>> people = RDMTarget(
    ...     name="people",
    ...     ids=("cat", "dog", "car"),
    ...     hash="sha256 of the file",
    ...     rdms=np.stack([rdm, rdm**2]),
    ...     subjects=("first person", "second person"),
    ... )
    >>> people.rdms.shape
    (2, 3, 3)
    >>> people.select(["car", "cat"]).rdms[0]
    array([[0. , 0.9],
           [0.9, 0. ]])
    """

    rdms: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    subjects: tuple[str, ...] = ()
    categories: tuple[str | None, ...] | None = None

    kind: ClassVar[str] = "rdm"

    def __post_init__(self) -> None:
        from benchmark.measures.compare import is_constant, upper_triangle  # slow to import: scipy

        super().__post_init__()
        n = len(self.ids)
        if self.rdms.shape != (len(self.subjects), n, n) or not self.subjects:
            raise DataError(
                f"{self._where}: RDMs of shape {self.rdms.shape} for {len(self.subjects)} subjects "
                f"and {n} ids; expected (subjects, ids, ids)"
            )
        scale = max(float(np.abs(np.where(np.isfinite(self.rdms), self.rdms, 0)).max()), 1e-300)
        for subject, rdm in zip(self.subjects, self.rdms, strict=True):
            fault = rdm_fault(rdm, self.ids, scale)
            if fault is not None:
                raise DataError(f"{self._where}, subject {subject!r}: RDM {fault}")
            pairs = upper_triangle(rdm)
            measured = pairs[~np.isnan(pairs)]
            if len(measured) > 1 and is_constant(measured):
                value = measured[0]
                raise NotPossible(
                    f"{self._where}, subject {subject!r}: RDM has the same value, {value:g}, for all "
                    f"pairs of {n} ids, so nothing can be compared with it; leave the subject out"
                )

    def select(self, ids: Sequence[str]) -> RDMTarget:
        """The same target with only the rows ``ids``, in that order.

        A subject that lacks pairs among them, and has fewer than three, is left out.

        Raises
        ------
        NotPossible
            If no subject is left.
        """
        rows = self.rows(ids)
        rdms = self.rdms[:, rows[:, None], rows[None, :]]
        kept = comparable(rdms)
        if not kept.any():
            raise NotPossible(
                f"{self._where}: no subject has three pairs that are not NaN among the {len(rows)} ids in use"
            )
        return replace(
            self,
            ids=tuple(ids),
            rdms=rdms if kept.all() else rdms[kept],
            subjects=tuple(compress(self.subjects, kept)),
            categories=self.categories and tuple(self.categories[i] for i in rows),
        )


@dataclass(frozen=True)
class VectorTarget(Target):
    """One vector per word or concept.

    Attributes
    ----------
    vectors : ndarray, shape (n, d)
        One finite vector per id.
    """

    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    kind: ClassVar[str] = "vectors"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.ids):
            raise DataError(f"{self._where}: vectors of shape {self.vectors.shape} for {len(self.ids)} ids")
        if not np.isfinite(self.vectors).all():
            raise DataError(f"{self._where}: vectors have values that are not finite")

    def select(self, ids: Sequence[str]) -> VectorTarget:
        """The same target with only the rows ``ids``, in that order."""
        return replace(self, ids=tuple(ids), vectors=self.vectors[self.rows(ids)])


@dataclass(frozen=True)
class WordPairTarget(Target):
    """How similar people find two words, for some pairs of words.

    Attributes
    ----------
    pairs : ndarray of int, shape (m, 2)
        The rows (from 0) of the two words of each pair. No pair stands twice, in either order.
    ratings : ndarray, shape (m,)
        Rating of each pair, in the unit of the list. Greater is more similar.
    repeated : int
        How many pairs the list gives more than once, in one order or in both. Their ratings are means.
    """

    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.intp))
    ratings: np.ndarray = field(default_factory=lambda: np.zeros(0))
    repeated: int = 0

    kind: ClassVar[str] = "word_pairs"

    def __post_init__(self) -> None:
        super().__post_init__()
        m = len(self.ratings)
        if self.pairs.shape != (m, 2) or self.ratings.shape != (m,) or not m:
            raise DataError(
                f"{self._where}: pairs of shape {self.pairs.shape} and ratings of shape "
                f"{self.ratings.shape}; expected (m, 2) and (m,)"
            )
        if not np.isfinite(self.ratings).all():
            raise DataError(f"{self._where}: ratings have values that are not finite")
        if self.pairs.min() < 0 or self.pairs.max() >= len(self.ids):
            raise DataError(f"{self._where}: a pair names a row that is not among the {len(self.ids)} words")
        ordered = np.sort(self.pairs, axis=1)
        if (ordered[:, 0] == ordered[:, 1]).any() or len(np.unique(ordered, axis=0)) < m:
            raise DataError(f"{self._where}: a pair stands twice, or is of a word with itself")

    def select(self, ids: Sequence[str]) -> WordPairTarget:
        """The same target with only the words ``ids``, in that order, and the pairs among them.

        Raises
        ------
        NotPossible
            If no pair is left.
        """
        place = np.full(len(self.ids), -1)
        place[self.rows(ids)] = np.arange(len(ids))
        pairs = place[self.pairs]
        kept = (pairs >= 0).all(axis=1)
        if not kept.any():
            raise NotPossible(
                f"{self._where}: none of its {len(kept)} pairs has both words among the ids in use"
            )
        return replace(self, ids=tuple(ids), pairs=pairs[kept], ratings=self.ratings[kept])


@dataclass(frozen=True)
class TripletTarget(Target):
    """Odd-one-out choices: which of three objects people found least like the other two.

    Attributes
    ----------
    triplets : ndarray of int, shape (m, 3)
        One row per answer: three row numbers of ``ids`` (from 0). The third is the odd one out; the order of
        the first two has no meaning. A triplet that was answered several times has several rows.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import TripletTarget
    >>> choices = TripletTarget(
    ...     name="people",
    ...     ids=("cat", "dog", "car", "bus"),
    ...     hash="sha256 of the file",
    ...     triplets=np.array([[0, 1, 2], [2, 3, 1], [2, 3, 0]]),
    ... )
    >>> choices.select(["bus", "car", "cat"]).triplets
    array([[1, 0, 2]])
    """

    triplets: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))

    kind: ClassVar[str] = "triplets"

    def __post_init__(self) -> None:
        super().__post_init__()
        from benchmark.measures.odd_one_out import as_triplets  # slow to import: scipy

        if not len(self.triplets):
            raise DataError(f"{self._where} has no triplets")
        try:
            as_triplets(self.triplets, len(self.ids))
        except ValueError as error:
            raise DataError(f"{self._where}: {error}") from error

    def select(self, ids: Sequence[str]) -> TripletTarget:
        """The same target with only the rows ``ids``, in that order, and the triplets of three of them.

        Raises
        ------
        NotPossible
            If no triplet is left.
        """
        place = np.full(len(self.ids), -1)
        place[self.rows(ids)] = np.arange(len(ids))
        moved = place[self.triplets]
        kept = moved[(moved >= 0).all(axis=1)]
        if not len(kept):
            raise NotPossible(
                f"{self._where}: none of its {len(self.triplets)} triplets has all three objects among the "
                f"{len(ids)} ids in use"
            )
        return replace(self, ids=tuple(ids), triplets=kept)
