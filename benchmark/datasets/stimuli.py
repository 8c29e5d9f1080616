"""Stimuli: what a model is shown.

They carry their own ids in their own order. The engine joins them with a target on these ids
(:func:`benchmark.datasets.join`). Nothing is ever matched by row number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from PIL import Image

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets.names import nfc, require_unique

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
        require_unique(self.ids, f"stimulus set {self.name!r}")
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
