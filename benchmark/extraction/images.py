"""A cache of preprocessed images in memory: models that share a preprocessing decode an image only once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from benchmark.datasets.stimuli import Stimuli

#: Most bytes that all caches take together. Beyond that, the cache that was not used for longest is dropped.
MAX_BYTES = 512 * 2**20

_adding = threading.Lock()

Preprocess = Callable[[Image.Image], torch.Tensor]


class ImageCache:
    """The preprocessed images of a stimulus set, with one byte per value.

    A channel that was made from 8-bit pixels has at most 256 different values. They are evenly spaced, so the
    cache keeps the number of each value's step (one byte), and a table of the values.

    An image is not kept if these would not give back exactly the same values, or if there is no room. Such an
    image is decoded again each time.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._codes: dict[int, np.ndarray] = {}
        self._lossy = False
        self._scale: tuple[np.ndarray, np.ndarray] | None = None
        self._table: np.ndarray = np.empty((0, 256), np.float32)

    def get(self, index: int) -> torch.Tensor | None:
        """The preprocessed image number ``index`` (from 0), shape (c, h, w); None: it is not kept."""
        codes = self._codes.get(index)
        if codes is None:
            return None
        return torch.from_numpy(np.stack([t[c] for t, c in zip(self._table, codes, strict=True)]))

    def put(self, index: int, image: torch.Tensor, room: int = MAX_BYTES) -> None:
        """Keep a preprocessed image if it fits and can be given back exactly.

        Parameters
        ----------
        index : int
            Number of the stimulus, from 0.
        image : Tensor, shape (c, h, w)
            Only float32 images are kept.
        room : int
            Bytes that it may take.
        """
        if self._lossy or image.ndim != 3 or image.dtype != torch.float32 or image.numel() > room:
            return
        values = image.numpy()
        if not np.isfinite(values).all():
            return
        codes = self._encode(values)
        if codes is not None and index not in self._codes:
            self._codes[index] = codes
            self.bytes += codes.nbytes
        # an image that was resized as floats has thousands of values; the next images will have them, too
        self._lossy = not self._codes

    def _encode(self, values: np.ndarray) -> np.ndarray | None:
        if self._scale is None:
            self._scale = _scale(values)
            self._table = np.full((len(values), 256), np.nan, np.float32)
        least, step = self._scale
        if len(values) != len(least):
            return None
        codes: np.ndarray = np.mod(np.rint((values - least) / step), 256).astype(np.uint8)
        table = self._table.copy()
        for known, code, value in zip(table, codes, values, strict=True):
            new = np.isnan(known[code])
            known[code[new]] = value[new]
            # two different values have the same number: the table has only one of them
            if not np.array_equal(known[code], value):
                return None
        self._table = table
        return codes


_caches: OrderedDict[tuple[str, tuple[str, ...], str], ImageCache] = OrderedDict()


def shared_images(
    stimuli: Stimuli, preprocess: Preprocess, description: str
) -> Callable[[int], torch.Tensor]:
    """A function that gives the preprocessed image of a stimulus, from the cache if it is there.

    Parameters
    ----------
    stimuli : Stimuli
        The stimulus set.
    preprocess : callable
        Makes a tensor from an RGB image.
    description : str
        What ``preprocess`` does, in words. Models with the same description share a cache. The words are not
        trusted: the cached first and last image must be what ``preprocess`` makes of them. If one is not, the
        whole cache is dropped.

    Returns
    -------
    callable
        Takes the number of a stimulus, from 0.
    """
    key = (stimuli.manifest, stimuli.ids, description)

    def fresh(index: int) -> torch.Tensor:
        return preprocess(stimuli.image(index))

    cache = _caches.pop(key, None) or ImageCache()
    for index in (0, len(stimuli) - 1):
        image = cache.get(index)
        if image is not None and not torch.equal(image, fresh(index)):
            cache = ImageCache()
    _caches[key] = cache

    def load(index: int) -> torch.Tensor:
        image = cache.get(index)
        if image is None:
            image = fresh(index)
            with _adding:  # else two threads could take the same room
                cache.put(index, image, room=_room(cache, image.numel()))
        return image

    return load


def _room(cache: ImageCache, needed: int) -> int:
    """Bytes that ``cache`` may still take. Older caches are dropped until ``needed`` bytes are free."""
    while (room := MAX_BYTES - sum(each.bytes for each in _caches.values())) < needed:
        if next(iter(_caches.values())) is cache:
            break
        _caches.popitem(last=False)
    return room


def _scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least value and least step of each channel, shape (c, 1, 1)."""
    steps = []
    for channel in values:
        gaps = np.diff(np.unique(channel))
        steps.append(gaps.min() if gaps.size else 1.0)
    return values.min(axis=(1, 2), keepdims=True), np.array(steps, np.float32)[:, None, None]
