"""The store of computed features: a content-addressed folder that many processes can use at once."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.common.errors import DataError
from benchmark.common.files import put_aside, sha256_of, slug, write_atomic, write_temporary
from benchmark.extraction.fingerprint import same_fingerprints, without_fingerprints

_log = logging.getLogger(__name__)


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

    Parameters
    ----------
    folder : Path
        The folder. It is created when the first features are stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def get(self, key: Mapping[str, Any], layer: str) -> np.ndarray | None:
        """Features of a layer, memory-mapped and read-only.

        The checksum is verified, once per process until the file changes. A damaged file is renamed to
        ``*.damaged``, and the log says so.

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
        meta = self._meta(key, layer)
        if not meta.is_file():
            return None
        try:
            return _read(meta, key)
        except (OSError, ValueError, KeyError, TypeError) as error:
            if not meta.exists():  # bench cache rm, in another process
                return None
            _log.warning("cached features %s are damaged (%s): put aside, computed again", meta, error)
            put_aside(meta)
            return None

    def put(
        self,
        key: Mapping[str, Any],
        features: Mapping[str, np.ndarray],
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Store the features of some layers.

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
            If an array is empty or contains objects, or if the folder cannot be written to.
        """
        for layer, array in features.items():
            if array.dtype.hasobject or array.size == 0:
                raise DataError(
                    f"features of layer {layer!r} are of shape {array.shape} and type {array.dtype}; "
                    f"expected numbers, at least one"
                )
            try:
                whole = array if array.flags.c_contiguous else np.ascontiguousarray(array)
                self._put(key, layer, whole, dict(about or {}))
            except OSError as error:
                raise DataError(
                    f"cannot write to the cache {self.folder}: {error.strerror or error}; "
                    f"name another folder with $BENCH_CACHE"
                ) from error

    def _put(self, key: Mapping[str, Any], layer: str, array: np.ndarray, about: dict[str, str]) -> None:
        meta = self._meta(key, layer)
        temporary = self._own_file(array) or write_temporary(
            meta.parent, lambda stream: np.save(stream, array, allow_pickle=False)
        )
        meta.parent.mkdir(parents=True, exist_ok=True)
        digest = sha256_of(temporary)
        path = meta.parent / f"{slug(layer)}.{digest[:16]}.npy"
        temporary.replace(path)
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
        address = without_fingerprints(key)
        text = json.dumps(address, sort_keys=True, allow_nan=False, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return self.folder / digest[:2] / digest / f"{slug(layer)}.meta.json"


def _read(meta: Path, key: Mapping[str, Any]) -> np.ndarray | None:
    entry = json.loads(meta.read_bytes())
    if not same_fingerprints(key, entry["key"]):
        return None
    path = meta.parent / Path(entry["file"]).name
    if sha256_of(path) != entry["sha256"]:
        put_aside(path)
        raise ValueError("its features differ from their checksum")
    features: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return features
