"""Features that were computed once: a content-addressed folder, safe for many processes."""

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

_log = logging.getLogger(__name__)


class FeatureStore:
    """Features by key and layer.

    A key is everything that can change the features of one model for one stimulus set, layers aside. Its
    sha256 names a folder; each layer is an entry of its own there, an npy file with a meta file
    ``LAYER.meta.json`` (key, layer, shape, dtype, sha256). So asking for one more layer of a known key
    computes only that layer, and two processes that put layers of one key cannot lose each other's.

    The npy is named by its content and written before its meta file, each moved into place in one step: a
    reader sees an entry whole or not at all, also if a process dies between the two.

    Parameters
    ----------
    folder : Path
        Made when the first features are put.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def get(self, key: Mapping[str, Any], layer: str) -> np.ndarray | None:
        """Features of a layer, memory-mapped and read-only; None if they are not there.

        The checksum is verified (once a process, until the file changes). A file that differs from it is put
        aside as ``*.damaged``, said in the log, and counts as not there.
        """
        meta = self._meta(key, layer)
        if not meta.is_file():
            return None
        try:
            return _read(meta)
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
            Must be writable as JSON.
        features : mapping of str to ndarray, shape (n, d)
            By layer. One that is memory-mapped from a temporary file of this folder (an extraction that is
            too large for memory) is moved, not copied.
        about : mapping, optional
            Names for a reader (``bench cache ls``): "model", "stimuli". They are no part of the key.

        Raises
        ------
        DataError
            If an array is empty or holds objects, or the folder cannot be written to.
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
        """The temporary file of this folder that ``array`` is the whole of."""
        if not isinstance(array, np.memmap) or array.filename is None:
            return None
        path = Path(array.filename)
        ours = path.parent.resolve() == self.folder.resolve() and path.suffix == ".tmp"
        # a part of the file has its name, too
        return path if ours and array.offset + array.nbytes == path.stat().st_size else None

    def _meta(self, key: Mapping[str, Any], layer: str) -> Path:
        text = json.dumps(key, sort_keys=True, allow_nan=False, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return self.folder / digest[:2] / digest / f"{slug(layer)}.meta.json"


def _read(meta: Path) -> np.ndarray:
    entry = json.loads(meta.read_bytes())
    path = meta.parent / Path(entry["file"]).name
    if sha256_of(path) != entry["sha256"]:
        put_aside(path)
        raise ValueError("its features differ from their checksum")
    features: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return features
