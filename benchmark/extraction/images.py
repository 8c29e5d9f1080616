"""Preprocessed images kept in memory, so that models that share a preprocessing decode them once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from benchmark.datasets.types import Stimuli

#: Bytes of all images that are kept; beyond, the set that was not used for longest is forgotten.
KEPT = 512 * 2**20

_keeping = threading.Lock()

Preprocess = Callable[[Image.Image], torch.Tensor]


class Images:
    """The preprocessed images of a stimulus set, one byte a value.

    A channel that comes of 8-bit pixels has at most 256 values: their places on the line from the least to
    the greatest are kept, and the values in a table. An image that is not had back from these to the last
    bit, or for which there is no room, is not kept: it is decoded again each time.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._codes: dict[int, np.ndarray] = {}
        self._lossy = False
        self._lines: tuple[np.ndarray, np.ndarray] | None = None
        self._table: np.ndarray = np.empty((0, 256), np.float32)

    def get(self, index: int) -> torch.Tensor | None:
        """Image ``index`` as it was preprocessed; None: it is not kept."""
        codes = self._codes.get(index)
        if codes is None:
            return None
        return torch.from_numpy(np.stack([t[c] for t, c in zip(self._table, codes, strict=True)]))

    def put(self, index: int, image: torch.Tensor, room: int = KEPT) -> None:
        """Keep a preprocessed image, shape (c, h, w), if ``room`` bytes allow it and nothing is lost."""
        if self._lossy or image.ndim != 3 or image.dtype != torch.float32 or image.numel() > room:
            return
        values = image.numpy()
        if not np.isfinite(values).all():
            return
        codes = self._encode(values)
        if codes is not None and index not in self._codes:
            self._codes[index] = codes
            self.bytes += codes.nbytes
        # an image that was resized after it left its 8 bits has thousands of values, and so has the next
        self._lossy = not self._codes

    def _encode(self, values: np.ndarray) -> np.ndarray | None:
        if self._lines is None:
            self._lines = _lines(values)
            self._table = np.full((len(values), 256), np.nan, np.float32)
        least, step = self._lines
        if len(values) != len(least):
            return None
        codes: np.ndarray = np.mod(np.rint((values - least) / step), 256).astype(np.uint8)
        table = self._table.copy()
        for known, code, value in zip(table, codes, values, strict=True):
            new = np.isnan(known[code])
            known[code[new]] = value[new]
            # two values in one place: the table holds one of them
            if not np.array_equal(known[code], value):
                return None
        self._table = table
        return codes


_kept: OrderedDict[tuple[str, tuple[str, ...], str], Images] = OrderedDict()


def shared_images(stimuli: Stimuli, preprocess: Preprocess, said: str) -> Callable[[int], torch.Tensor]:
    """A function from the index of a stimulus to its preprocessed image, decoded once where that is possible.

    Parameters
    ----------
    stimuli : Stimuli
    preprocess : callable
    said : str
        What ``preprocess`` does, in words. They are not trusted: the first and the last image, where they are
        kept, must be what ``preprocess`` makes of them, else all are forgotten.
    """
    key = (stimuli.manifest, stimuli.ids, said)

    def fresh(index: int) -> torch.Tensor:
        return preprocess(stimuli.image(index))

    images = _kept.pop(key, None) or Images()
    for index in (0, len(stimuli) - 1):
        found = images.get(index)
        if found is not None and not torch.equal(found, fresh(index)):
            images = Images()
    _kept[key] = images

    def load(index: int) -> torch.Tensor:
        found = images.get(index)
        if found is None:
            found = fresh(index)
            with _keeping:  # room that another thread finds as well would be taken twice
                images.put(index, found, room=_room(images, found.numel()))
        return found

    return load


def forget_images() -> None:
    """Free the memory of all images that are kept."""
    _kept.clear()


def _room(images: Images, needed: int) -> int:
    """Bytes that ``images`` may still take; sets that were not used for longest make way for ``needed``."""
    while (room := KEPT - sum(kept.bytes for kept in _kept.values())) < needed:
        if next(iter(_kept.values())) is images:
            break
        _kept.popitem(last=False)
    return room


def _lines(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least value and least step of each channel, shape (c, 1, 1)."""
    steps = []
    for channel in values:
        gaps = np.diff(np.unique(channel))
        steps.append(gaps.min() if gaps.size else 1.0)
    return values.min(axis=(1, 2), keepdims=True), np.array(steps, np.float32)[:, None, None]
