"""The store of computed features: a content-addressed folder that many processes can use at once."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.common.arrays import load_array
from benchmark.common.claim import CLAIM, claim
from benchmark.common.errors import DataError
from benchmark.common.files import move_to, put_aside, sha256_of, slug, write_atomic, write_temporary
from benchmark.extraction.fingerprint import same_fingerprints, without_fingerprints

_log = logging.getLogger(__name__)

#: Ending of the name of a meta file
META = ".meta.json"


class FeatureStore:
    """Features by key and layer.

    A key holds everything that can change the features of one model for one stimulus set, except the layer.
    Its sha256, without the fingerprints, is the name of a folder. Features under other fingerprints are not
    used, and are replaced. Each layer is an entry in that folder: an npy file with a meta file
    ``LAYER.meta.json`` (key, layer, shape, dtype, sha256). So one more layer of a known key is computed
    alone, and two processes that store layers of one key do not lose each other's layers.

    The hash of the content is in the name of the npy file. This file is written before its meta file, and
    each of the two is moved to its place in one step. So a reader sees either a whole entry or none, also if
    a process dies between the two steps.

    Where the folder cannot be written to (it is read-only, the disk is full), features are used and not kept:
    those of the last such key stay in memory, and the log says so, once in a process.

    Parameters
    ----------
    folder : Path
        The folder. It is created when the first features are stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._unkept_key: dict[str, Any] = {}
        self._unkept: dict[str, np.ndarray] = {}

    def get(self, key: Mapping[str, Any], layer: str) -> np.ndarray | None:
        """Features of a layer, memory-mapped and read-only.

        The entry is checked (:func:`checked`); the checksum once per process until the file changes. An
        entry that is damaged, or is that of another key, is renamed to ``*.damaged``, and the log says so.

        Parameters
        ----------
        key : mapping
            The key under which the features were stored.
        layer : str
            Name of the layer.

        Returns
        -------
        ndarray, shape (n, d), or None
            None if the features are not there, or are damaged.
        """
        if layer in self._unkept and self._unkept_key == dict(key):
            return self._unkept[layer]
        meta = self._meta(key, layer)
        try:
            entry, features = checked(meta)
        except DataError as error:
            # None: there are no such features, or bench cache rm removed them meanwhile
            if put_aside(meta) is not None:
                _log.warning("cached features %s are damaged (%s): put aside, computed again", meta, error)
            return None
        return features if same_fingerprints(key, entry["key"]) else None

    def claim(self, key: Mapping[str, Any], waiting: str) -> AbstractContextManager[bool]:
        """Claim the extraction of the features of a key, so that no other process does it meanwhile.

        Parameters
        ----------
        key : mapping
            Everything that decides the features.
        waiting : str
            As for :func:`benchmark.common.claim.claim`, which this gives.
        """
        return claim(self._folder(key) / CLAIM, waiting)

    def put(
        self,
        key: Mapping[str, Any],
        features: Mapping[str, np.ndarray],
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Store the features of some layers; in memory only if the folder cannot be written to.

        Parameters
        ----------
        key : mapping
            Everything that decides the features. It must be possible to write it as JSON.
        features : mapping of str to ndarray, shape (n, d)
            Features by layer. An array that is memory-mapped from a temporary file of this folder (an
            extraction that is too large for memory) is moved, not copied.
        about : mapping, optional
            Names for people (``bench cache ls``): "model" and "stimuli". They are not part of the key.

        Raises
        ------
        DataError
            If an array is empty or contains objects.
        """
        for layer, array in features.items():
            if array.dtype.hasobject or array.size == 0:
                raise DataError(
                    f"features of layer {layer!r} are of shape {array.shape} and type {array.dtype}; "
                    f"expected numbers, at least one"
                )
        try:
            for layer, array in features.items():
                whole = array if array.flags.c_contiguous else np.ascontiguousarray(array)
                self._put(key, layer, whole, dict(about or {}))
        except OSError as error:
            # numpy gives no reason where the disk takes only a part of an array
            _say_not_kept(self.folder, error.strerror or "it does not take the whole file")
            if self._unkept_key != dict(key):
                self._unkept_key, self._unkept = dict(key), {}
            self._unkept.update(features)

    def _put(self, key: Mapping[str, Any], layer: str, array: np.ndarray, about: dict[str, str]) -> None:
        meta = self._meta(key, layer)
        temporary = self._own_file(array) or write_temporary(
            meta.parent, lambda stream: np.save(stream, array, allow_pickle=False)
        )
        meta.parent.mkdir(parents=True, exist_ok=True)
        digest = sha256_of(temporary)
        path = meta.parent / f"{slug(layer)}.{digest[:16]}.npy"
        move_to(temporary, path)
        entry = {
            "key": dict(key),
            "layer": layer,
            "about": about,
            "file": path.name,
            "shape": array.shape,
            "dtype": str(array.dtype),
            "sha256": digest,
        }
        write_atomic(meta, json.dumps(entry, indent=1, sort_keys=True).encode())

    def _own_file(self, array: np.ndarray) -> Path | None:
        """The temporary file of this folder whose whole content is ``array``; None: there is none."""
        if not isinstance(array, np.memmap) or array.filename is None:
            return None
        path = Path(array.filename)
        ours = path.parent.resolve() == self.folder.resolve() and path.suffix == ".tmp"
        # an array that is a part of the file has the same file name
        return path if ours and array.offset + array.nbytes == path.stat().st_size else None

    def _meta(self, key: Mapping[str, Any], layer: str) -> Path:
        return self._folder(key) / f"{slug(layer)}{META}"

    def _folder(self, key: Mapping[str, Any]) -> Path:
        return self.folder / (digest := _digest(key))[:2] / digest


@cache
def _say_not_kept(folder: Path, why: str) -> None:
    _log.warning(
        "cannot write to the cache %s: %s; features are computed and not kept. Name another folder with "
        "$BENCH_CACHE, or free space with bench cache rm",
        folder,
        why,
    )


def checked(meta: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Check an entry against its place and its array.

    The key inside must be the one that the folder is named after, the layer the one that ``meta`` is named
    after; the array must have the checksum, shape and type that stand inside. An array with another checksum
    is put aside.

    Parameters
    ----------
    meta : Path
        The meta file of the entry.

    Returns
    -------
    entry : dict
        What the meta file holds.
    features : ndarray
        Memory-mapped and read-only.

    Raises
    ------
    DataError
        If the entry is damaged, in one line.
    """
    try:
        return _checked(meta)
    except DataError:
        raise
    except Exception as error:  # a meta file may hold anything, and reading it may raise anything
        raise DataError(" ".join(f"{type(error).__name__}: {error}".split())[:200]) from error


def _checked(meta: Path) -> tuple[dict[str, Any], np.ndarray]:
    entry: dict[str, Any] = json.loads(meta.read_bytes())
    if _digest(entry["key"]) != meta.parent.name or f"{slug(entry['layer'])}{META}" != meta.name:
        raise DataError("they are those of another key or layer")
    path = meta.parent / f"{slug(entry['layer'])}.{entry['sha256'][:16]}.npy"
    if path.name != entry["file"]:
        raise DataError("it names another file than that of the checksum")
    if sha256_of(path) != entry["sha256"]:
        put_aside(path)
        raise DataError("the array differs from its checksum")
    array: np.ndarray = load_array(path, mmap_mode="r")
    if [list(array.shape), str(array.dtype)] != [entry["shape"], entry["dtype"]]:
        raise DataError("the array has another shape or type")
    return entry, array


def _digest(key: Mapping[str, Any]) -> str:
    """The address of features: the hash of their key without its fingerprints."""
    # numbers as names, which JSON makes text of, sort as text
    address = json.loads(json.dumps(without_fingerprints(key), allow_nan=False))
    text = json.dumps(address, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
