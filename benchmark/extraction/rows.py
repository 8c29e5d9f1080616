"""The features of a stimulus set, collected batch by batch."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from benchmark.common.errors import BenchError, DataError
from benchmark.common.files import cache_folder, open_temporary
from benchmark.datasets.stimuli import Stimuli

#: Most bytes of features in memory. The batches of further layers are written to files of the cache folder.
IN_MEMORY = 1 << 30
#: Bytes that must stay free on the disk
SPARE = 1 << 30


class FeatureRows:
    """Features of all stimuli, one array per layer. Each batch is written as soon as it is pooled.

    Layers stay in memory until they exceed :data:`IN_MEMORY` together. Each further layer is a file, and only
    one batch of it is in memory. Where the cache folder cannot be written to, that file has no name and is in
    ``$TMPDIR``: it is gone with the array, or with the process. Use an object as a context: after an error it
    removes its files.

    Parameters
    ----------
    model : str
        Name of the model, for error messages.
    stimuli : Stimuli
        The stimuli whose features are collected.
    """

    def __init__(self, model: str, stimuli: Stimuli) -> None:
        self._model = model
        self._stimuli = stimuli
        self._arrays: dict[str, np.ndarray] = {}
        self._files: dict[str, tuple[BinaryIO, Path | None, int]] = {}
        self._folder = cache_folder() / "features"
        self._waiting: dict[str, torch.Tensor] = {}
        self._seen: set[str] = set()
        self._bytes = 0
        self._start = 0

    def __enter__(self) -> FeatureRows:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        for stream, path, _width in self._files.values():
            stream.close()
            if kind is not None and path is not None:
                path.unlink(missing_ok=True)

    def start(self, start: int) -> None:
        """Begin the batch whose first stimulus is number ``start`` (from 0), also after one that failed."""
        self._start = start
        self._seen.clear()
        self._waiting.clear()

    def add(self, layer: str, vectors: torch.Tensor) -> None:
        """Add the pooled vectors of a layer for the batch.

        Vectors on a CPU are written at once. So later operations in place do no harm, and more layers need no
        more memory. Vectors on another device are copied there, and fetched in :meth:`finish`, so that the
        forward pass does not wait.

        Parameters
        ----------
        layer : str
            Name of the layer.
        vectors : Tensor, shape (b, d)
            One row per stimulus of the batch.

        Raises
        ------
        DataError
            If a feature is not finite.
        """
        self._seen.add(layer)
        if vectors.device.type == "cpu":
            self._write(layer, vectors)
        else:
            self._waiting[layer] = vectors.to(torch.float32, copy=True)

    def finish(self, layers: Sequence[str]) -> None:
        """End the batch, for which each of ``layers`` must have been added.

        Raises
        ------
        BenchError
            If one of ``layers`` was not added.
        DataError
            If a feature is not finite, or the disk has no room for the features of all stimuli.
        """
        for layer, vectors in self._waiting.items():
            self._write(layer, vectors.cpu())
        self._waiting.clear()
        for layer in layers:
            if layer not in self._seen:
                raise BenchError(
                    f"{self._model}: layer {layer!r} is never called in the forward pass; name another"
                )
        if self._start == 0 and self._files:
            require_room(self._model, len(self._stimuli), self._bytes, self._folder)

    def result(self) -> dict[str, np.ndarray]:
        """The features by layer, float32, shape (n, d). Those in files are memory-mapped and read-only."""
        features = dict(self._arrays)
        for layer, (stream, path, width) in self._files.items():
            stream.flush()
            os.fsync(stream.fileno())
            offset = stream.tell() - len(self._stimuli) * width * 4
            shape = (len(self._stimuli), width)
            array = np.memmap(stream if path is None else path, np.float32, "r", offset, shape)
            stream.close()
            if path is not None:
                # the feature store moves the file to its place; otherwise the file is removed with the array
                weakref.finalize(array, _unlink, path)
            features[layer] = array
        return features

    def _write(self, layer: str, vectors: torch.Tensor) -> None:
        values = vectors.to(torch.float32).numpy()
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            raise DataError(
                f"{self._model}: layer {layer!r} gives NaN or infinite features, first for stimulus "
                f"{self._stimuli.ids[self._start + int(np.argmin(finite))]!r}"
            )
        if layer not in self._arrays and layer not in self._files:
            self._allocate(layer, values.shape[1])
        if layer in self._files:
            self._files[layer][0].write(np.ascontiguousarray(values).data)
        else:
            self._arrays[layer][self._start : self._start + len(values)] = values

    def _allocate(self, layer: str, width: int) -> None:
        shape = (len(self._stimuli), width)
        size = shape[0] * width * 4
        self._bytes += size
        if self._bytes <= IN_MEMORY:
            self._arrays[layer] = np.empty(shape, np.float32)
            return
        stream, path = self._open()
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        self._files[layer] = (stream, path, width)

    def _open(self) -> tuple[BinaryIO, Path | None]:
        """A file for a layer, and its path; None: it has none, because the cache cannot be written to."""
        cache = cache_folder() / "features"
        try:
            handle, path = open_temporary(cache)
            return os.fdopen(handle, "wb"), path
        except OSError as error:
            reason = error.strerror or str(error)
        try:
            self._folder = Path(tempfile.gettempdir())
            return tempfile.TemporaryFile(), None  # closed by __exit__
        except OSError as error:
            raise DataError(
                f"{self._model}: its features take more than {IN_MEMORY / 2**30:.0f} GiB, and neither "
                f"{cache} can be written to ({reason}) nor $TMPDIR; name another folder with $BENCH_CACHE"
            ) from error


def require_room(model: str, stimuli: int, size: int, folder: Path) -> None:
    """Refuse features for which a disk has no room.

    Parameters
    ----------
    model : str
        Name of the model, for the error message.
    stimuli : int
        Number of stimuli, for the error message.
    size : int
        Bytes that the features of all stimuli take.
    folder : Path
        Where they are written.

    Raises
    ------
    DataError
        If less than :data:`SPARE` would stay free. The message says how much is needed and how much is free.
    """
    free = shutil.disk_usage(folder).free
    if size > free - SPARE:
        raise DataError(
            f"{model}: the features of {stimuli} stimuli take {size / 2**30:,.1f} GiB, and {folder} has "
            f"{free / 2**30:,.1f} GiB free; pool them (params.pooling: average, projection:4096), or name "
            "fewer layers"
        )


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
