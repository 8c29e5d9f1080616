"""What datasets hand to the rest of the suite: stimuli, and targets to compare models with.

Every object carries its own ids in its own order. The engine joins them on these ids
(:func:`benchmark.datasets.join`). Nothing is ever matched by row number. ``ids``, wherever a method takes
them, are ids of the object, in the order that is wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, compress
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from PIL import Image

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets.names import nfc
from benchmark.datasets.rdm_check import comparable, is_constant, rdm_fault

if TYPE_CHECKING:
    from scipy import sparse

#: id of a concept in a stimulus set -> the ids it may have in a target, in order of preference
Keys = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Stimuli:
    """An ordered set of stimuli.

    An object of this class is what a reader of stimuli returns and what a model gets. It opens an image only
    when somebody asks for it. Ids, concepts and their other names are kept in Unicode's form NFC.

    Attributes
    ----------
    name : str
        Name of the dataset.
    ids : tuple of str, length n
        Unique id of each stimulus.
    concepts : tuple of str, length n
        The concept that each stimulus shows. For ImageNet images the concept is the WordNet id ("n02099601").
    manifest : str
        sha256 over everything that decides the pixels and their order.
    open_image : callable or None
        ``open_image(i)`` gives stimulus i as an RGB image. None: the set has ids but no images.
    keys : mapping of str to Keys
        Other names of the concepts, by key ("things", "word", "swow"). Targets are joined on them.
    labels : mapping of str to str
        The name that people use for each concept, by concept.
    splits : tuple of str, length n, or None
        The split of each stimulus: "train" (a readout may be fitted to it) or "test" (it is scored). None:
        the set has no split.
    held_out : frozenset of str
        Concepts that were no association target in the training of any model of the suite.
    miniature : bool
        Whether the set is the embedded drawn world.
    whole : Stimuli or None
        The set that this one is a part of (:meth:`of_concepts`). A model may be fitted on all of it. None:
        the set is not a part of another.
    is_turned : callable or None
        ``is_turned(i)`` says whether stimulus i is stored turned, so that ``open_image`` turns it upright.
        Results count such images. None: no image is turned.

    Raises
    ------
    DataError
        If the set is empty, an id occurs twice, or ``concepts`` or ``splits`` has another length than
        ``ids``.

    Examples
    --------
    >>> from benchmark.datasets import Stimuli
    >>> photos = Stimuli(
    ...     name="photos",
    ...     ids=("cat/1", "cat/2", "dog/1"),
    ...     concepts=("cat", "cat", "dog"),
    ...     manifest="sha256 of the files",
    ...     keys={"word": {"cat": ("cat",), "dog": ("dog", "hound")}},
    ... )
    >>> len(photos)
    3
    >>> photos.concept_ids
    ('cat', 'dog')
    >>> photos.candidates("dog", "word")
    ('dog', 'hound')
    >>> photos.of_concepts({"cat"}).ids
    ('cat/1', 'cat/2')
    """

    name: str
    ids: tuple[str, ...]
    concepts: tuple[str, ...]
    manifest: str
    open_image: Callable[[int], Image.Image] | None = None
    keys: Mapping[str, Keys] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None
    held_out: frozenset[str] = frozenset()
    miniature: bool = False
    whole: Stimuli | None = None
    is_turned: Callable[[int], bool] | None = None

    def __post_init__(self) -> None:
        if not self.ids:
            raise DataError(f"stimulus set {self.name!r} is empty: no image was found; check the folder")
        names = (*self.ids, *self.concepts, *self.labels, *(c for keys in self.keys.values() for c in keys))
        aliases = (alias for keys in self.keys.values() for alias in chain.from_iterable(keys.values()))
        if not all(map(str.isascii, chain(names, aliases))):
            self._write_names_in_nfc()
        _require_unique(self.ids, f"stimulus set {self.name!r}")
        for what, values in (("concepts", self.concepts), ("splits", self.splits)):
            if values is not None and len(values) != len(self.ids):
                raise DataError(
                    f"stimulus set {self.name!r}: {len(values)} {what} for {len(self.ids)} stimuli"
                )

    def _write_names_in_nfc(self) -> None:
        names = {
            "ids": tuple(map(nfc, self.ids)),
            "concepts": tuple(map(nfc, self.concepts)),
            "held_out": frozenset(map(nfc, self.held_out)),
            "labels": {nfc(concept): nfc(label) for concept, label in self.labels.items()},
            "keys": {
                key: {nfc(concept): tuple(map(nfc, aliases)) for concept, aliases in keys.items()}
                for key, keys in self.keys.items()
            },
        }
        for attribute, value in names.items():
            object.__setattr__(self, attribute, value)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def concept_ids(self) -> tuple[str, ...]:
        """The distinct concepts, in order of first appearance."""
        return tuple(dict.fromkeys(self.concepts))

    def image(self, index: int) -> Image.Image:
        """Stimulus number ``index`` (from 0) as an RGB image.

        Raises
        ------
        NotPossible
            If the set has no images.
        DataError
            If the file cannot be decoded.
        """
        if self.open_image is None:
            raise NotPossible(
                f"stimulus set {self.name!r} has no image files: only models given as features can take part"
            )
        return self.open_image(index)

    def of_concepts(self, concepts: Collection[str]) -> Stimuli:
        """The same set with only the stimuli of ``concepts``.

        Its manifest is another one: it is a hash over the manifest of the whole set and the ids.
        """
        rows = [i for i, concept in enumerate(self.concepts) if concept in concepts]
        ids = tuple(self.ids[i] for i in rows)
        open_image, is_turned = self.open_image, self.is_turned
        return replace(
            self,
            ids=ids,
            concepts=tuple(self.concepts[i] for i in rows),
            splits=self.splits and tuple(self.splits[i] for i in rows),
            manifest=hashlib.sha256("\0".join((self.manifest, *ids)).encode()).hexdigest(),
            open_image=None if open_image is None else lambda i: open_image(rows[i]),
            is_turned=None if is_turned is None else lambda i: is_turned(rows[i]),
            whole=self.whole or self,
        )

    def candidates(self, concept: str, key: str | None) -> tuple[str, ...]:
        """Ids that ``concept`` may have in a target, in order of preference.

        Parameters
        ----------
        concept : str
            Id of a concept of the set.
        key : str or None
            The key of :attr:`keys` on which the target is joined. None: the concept id itself is the only
            candidate.

        Returns
        -------
        tuple of str
            Empty where the key has no name for the concept.

        Raises
        ------
        DataError
            If the set has no such key.
        """
        if key is None:
            return (concept,)
        if key not in self.keys:
            raise DataError(
                f"stimulus set {self.name!r} has no key {key!r} to join on (it has {sorted(self.keys)})"
            )
        return self.keys[key].get(concept, ())


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
        _require_unique(self.ids, self._where)

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
            if is_constant(rdm, scale):
                value = np.nanmax(rdm[~np.eye(n, dtype=bool)])
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
        _require_unique(self.columns, f"{self._where} (columns)")
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

    No shipped task takes this kind of target: only a task of the user's own can use it.

    Attributes
    ----------
    columns, counts, respondents
        As in :class:`AssociationTarget`.
    types : tuple of str, length v
        Property type of each column (visual perceptual, functional, taxonomic, ...).
    """

    types: tuple[str, ...] = ()

    kind: ClassVar[str] = "properties"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.types) != len(self.columns):
            raise DataError(f"{self._where}: {len(self.types)} types for {len(self.columns)} properties")


def _require_unique(values: Sequence[str], where: str) -> None:
    if len(set(values)) != len(values):
        seen: set[str] = set()
        twice = next(v for v in values if v in seen or seen.add(v))  # type: ignore[func-returns-value]
        raise DataError(f"{where}: id {twice!r} occurs twice; ids must be unique")
