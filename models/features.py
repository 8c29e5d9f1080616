"""A file of embeddings that were computed elsewhere. With it, a closed model can take part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmark.common.arrays import UNREADABLE, load_array
from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.common.files import sha256_of
from benchmark.datasets import DataRoot, Stimuli
from benchmark.datasets.readers.feature_tables import read_feature_table
from benchmark.datasets.readers.text import names_of, read_ids
from benchmark.datasets.readers.words import read_vectors
from benchmark.model import OUTPUT, Model, Progress

#: Name of the array of ids in a .npz file; every other array is a layer.
IDS = "ids"


class Features(Model):
    """A file of embeddings with ids. The file is the checkpoint of the registry entry.

    - ``.npy``: an array of shape (n, d). The ids are in the file ``params: {ids: FILE}``, relative to the
      registry file or to the data root: ``.txt`` with one id a line, or ``.csv`` with the ids in the column
      ``params: {column: NAME}`` (default: the first). One layer, ``"output"``.
    - ``.csv``, ``.tsv``: the ids in the column ``params: {column: NAME}`` (default: the first), and numbers
      in all other columns, with or without a header. One layer, ``"output"``.
    - ``.npz``: an array ``ids`` of strings, and an array of shape (n, d) for each layer, in depth order.

    - ``.txt``, ``.gz``: word vectors in the text format of GloVe and word2vec, a word and its numbers a line;
      the ids are the words. One layer, ``"output"``.

    The table may be as people have it: with a byte-order mark, in UTF-16, with semicolons or tabs, with the
    column of row numbers that pandas writes. Ids are compared in Unicode's form NFC, without blanks at their
    ends.

    Ids are those of stimuli, or those of concepts. The embedding of a concept is used for all its stimuli.
    Concepts without embeddings are left out, and counted in the result.
    """

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in the order of the file."""
        return tuple(self._table[1])

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Embedding of every stimulus, found by its id, or else by its concept.

        Raises
        ------
        NotPossible
            If a stimulus has no embedding. The message says how many have none, and names one.
        UsageError
            If a layer does not exist.
        """
        del device
        ids, arrays = self._table
        for layer in layers:
            if layer not in arrays:
                raise UsageError(f"{self.spec.name} has no layer {layer!r}; it has {', '.join(arrays)}")
        rows = self._rows(stimuli, ids)
        if progress is not None:
            progress(len(stimuli), len(stimuli))
        return {layer: arrays[layer][rows] for layer in layers}

    def covered(self, stimuli: Stimuli) -> frozenset[str]:
        """Concepts of which every stimulus has a row.

        Raises
        ------
        NotPossible
            If there is none. The message shows an id of the file and one of the stimuli.
        """
        ids = set(self._table[0])
        names = self._names(stimuli)
        lacking = {concept for name, concept in zip(names, stimuli.concepts, strict=True) if name not in ids}
        known = frozenset(stimuli.concepts) - lacking
        if not known:
            raise NotPossible(
                f"{self.spec.name}: no concept of {stimuli.name!r} has a row for each of its stimuli; the "
                f"ids of {self._listed} look like {self._table[0][0]!r}, those of the stimuli like "
                f"{names[0]!r}"
            )
        return known

    @property
    def preprocessing(self) -> str:
        """No image is used. For a .npy file this holds a hash of its ids, since they decide the features."""
        if "ids" not in self.spec.params:
            return "none (precomputed)"
        return f"none (precomputed); rows named by ids of sha256 {sha256_of(self._ids_file)}"

    @property
    def _ids_file(self) -> Path:
        return DataRoot(self.spec.data, base=self.spec.base).file(self.spec.params["ids"])

    @property
    def _listed(self) -> Path | str:
        """The file of the ids."""
        return self._ids_file if "ids" in self.spec.params else self._path.name

    def _names(self, stimuli: Stimuli) -> tuple[str, ...]:
        """Ids or concepts of the stimuli: those of which fewer have no row."""
        known = set(self._table[0])
        return min(
            (stimuli.ids, stimuli.concepts), key=lambda names: sum(name not in known for name in names)
        )

    def _rows(self, stimuli: Stimuli, ids: tuple[str, ...]) -> np.ndarray:
        index = {name: row for row, name in enumerate(ids)}
        names = self._names(stimuli)
        missing = [name for name in names if name not in index]
        if missing:
            raise NotPossible(
                f"{self.spec.name}: {len(missing)} of {len(names)} stimuli of {stimuli.name!r} have no row "
                f"in {self._path} ({missing[0]!r} is missing; the ids of {self._listed} look like {ids[0]!r})"
            )
        return np.array([index[name] for name in names])

    @property
    def _path(self) -> Path:
        if self.spec.weights is None:
            raise UsageError(f"{self.spec.name}: give the feature file as its checkpoint: {{file: ...}}")
        return self.spec.weights

    @cached_property
    def _table(self) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        path = self._path
        readers = {
            ".npy": self._read_npy,
            ".npz": self._read_npz,
            ".csv": self._read_table,
            ".tsv": self._read_table,
            ".txt": self._read_words,
            ".gz": self._read_words,
        }
        if path.suffix not in readers:
            raise UsageError(
                f"{self.spec.name}: {path.name} must be a .npy, .npz, .csv, .tsv, .txt or .gz file"
            )
        try:
            ids, arrays = readers[path.suffix]()
        except UNREADABLE as error:
            raise DataError(f"{path}: cannot be read as {path.suffix} ({error})") from error
        if not ids:
            raise DataError(f"{path}: has no ids")
        twice = next((name for name, count in Counter(ids).items() if count > 1), None)
        if twice is not None:
            rows = [str(row) for row, name in enumerate(ids) if name == twice]
            raise DataError(f"{path}: id {twice!r} occurs twice, in rows {' and '.join(rows[:2])} (from 0)")
        return ids, {layer: _checked(path, layer, ids, array) for layer, array in arrays.items()}

    def _read_npy(self) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        if "ids" not in self.spec.params:
            raise UsageError(
                f"{self.spec.name}: a .npy file carries no ids; give params.ids, a .txt or .csv file"
            )
        names = read_ids(self._ids_file, self.spec.params.get("column"))
        return names, {OUTPUT: load_array(self._path)}

    def _read_npz(self) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        with load_array(self._path) as file:
            if IDS not in file.files:
                raise DataError(f"{self._path}: holds no array {IDS!r} of strings")
            arrays = {name: _member(self._path, file, name) for name in file.files}
        return names_of(arrays.pop(IDS), f"{self._path}: array {IDS!r}"), arrays

    def _read_table(self) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        names, values = read_feature_table(self._path, self.spec.params.get("column"))
        return names, {OUTPUT: values}

    def _read_words(self) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        names, vectors = read_vectors(self._path)
        return tuple(names), {OUTPUT: vectors}


def _member(path: Path, archive: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:  # numpy refuses arrays of Python objects, which could run code
        raise DataError(
            f"{path}: array {name!r} holds Python objects; save ids as np.array(ids, dtype=str)"
        ) from error


def _checked(path: Path, layer: str, ids: tuple[str, ...], array: np.ndarray) -> np.ndarray:
    if array.ndim != 2 or len(array) != len(ids) or array.shape[1] == 0:
        raise DataError(
            f"{path}: layer {layer!r} has shape {array.shape}; expected ({len(ids)} ids, dimensions)"
        )
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise DataError(f"{path}: layer {layer!r} holds {array.dtype}, not real numbers")
    array = array.astype(np.float32)
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise DataError(
            f"{path}: layer {layer!r} has NaN or infinite features, first for {ids[int(np.argmin(finite))]!r}"
        )
    return array
