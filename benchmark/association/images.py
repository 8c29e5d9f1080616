"""Images of a sample, decoded once and kept in memory, and their random changes during training."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from benchmark.association.sampling import SampledImage
from benchmark.common.errors import DataError
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.extraction import Preprocessing

#: If the pixels take more bytes than this, they are kept in a file and not in memory
IN_MEMORY = 4 << 30

#: A random crop keeps at least this share of the area
_LEAST_AREA = 0.4
#: The longer side of a random crop is at most this many times the shorter side
_MOST_ASPECT = 4 / 3
#: Brightness and contrast vary by up to this share
_SHADE = 0.2


@dataclass(frozen=True)
class DecodedImages:
    """Images that are decoded to squares of one size. The methods give the b images in ``rows``.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (n, side, side, 3)
        The centre square of each image, resized as the preprocessing says. The crop of the preprocessing is
        not yet done.
    preprocessing : Preprocessing
        The preprocessing of the network.
    kept : tuple of SampledImage, length n
        The images that could be decoded, in the given order.
    unreadable : dict of str to str
        The other images: id and reason.
    """

    pixels: np.ndarray
    preprocessing: Preprocessing
    kept: tuple[SampledImage, ...]
    unreadable: dict[str, str]

    def plain(self, rows: np.ndarray) -> torch.Tensor:
        """Images as they are scored, shape (b, 3, crop, crop): centre crop and normalisation.

        If the margins of an image are odd, the crop may be one pixel beside the crop of the preprocessing.
        """
        crop = self._crop
        return self._normalised(transforms.center_crop(self._floats(rows), [crop, crop]))

    def augmented(self, rows: np.ndarray, seed: int, epoch: int) -> torch.Tensor:
        """Images as they are trained on, shape (b, 3, crop, crop): a random crop, mirrored or not, shaded.

        The random changes of an image depend only on ``seed``, ``epoch`` and its row, not on its batch.
        """
        draws = np.stack([np.random.default_rng((seed, epoch, int(row))).random(7) for row in rows])
        shape = [len(rows), 3, self._crop, self._crop]
        grid = functional.affine_grid(_crops(draws), shape, align_corners=False)
        images = functional.grid_sample(
            self._floats(rows), grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )
        shade = torch.from_numpy(1 + _SHADE * (2 * draws[:, 5:] - 1)).float()[..., None, None]
        brightness, contrast = shade[:, :1], shade[:, 1:]
        mean = images.mean((1, 2, 3), keepdim=True)
        images = ((images - mean) * contrast + mean) * brightness
        return self._normalised(images.clamp(0, 1))

    @property
    def _crop(self) -> int:
        crop = self.preprocessing.crop
        return crop if isinstance(crop, int) else self.pixels.shape[1]

    def _floats(self, rows: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(self.pixels[rows]).permute(0, 3, 1, 2).float() / 255

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        normal: torch.Tensor = transforms.normalize(
            images, list(self.preprocessing.mean), list(self.preprocessing.std)
        )
        return normal.contiguous(memory_format=torch.channels_last)


def decode(
    images: Sequence[SampledImage],
    preprocessing: Preprocessing,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> DecodedImages:
    """Decode images in several threads. Images that cannot be decoded are left out and listed.

    Parameters
    ----------
    images : sequence of SampledImage
        The images to decode.
    preprocessing : Preprocessing
        Preprocessing of the network. Here only the images are resized; the crop is done later.
    folder : Path
        Folder for a file of pixels, if the pixels do not fit into memory.
    progress : callable, optional
        Called as ``progress(done, total)`` after each image.

    Returns
    -------
    DecodedImages

    Raises
    ------
    DataError
        If no image could be decoded.
    """
    resize = preprocessing.resize
    side = resize if isinstance(resize, int) else resize[0]
    shape = (len(images), side, side, 3)
    large = int(np.prod(shape)) > IN_MEMORY
    folder.mkdir(parents=True, exist_ok=True)
    pixels: np.ndarray = (
        open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
        if large
        else np.empty(shape, np.uint8)
    )

    def load(row: int) -> str | None:
        try:
            image = open_rgb(images[row].path)
        except DataError as error:
            return str(error)
        size = [resize] if isinstance(resize, int) else list(resize)
        image = transforms.resize(image, size, InterpolationMode(preprocessing.interpolation))
        pixels[row] = np.asarray(transforms.center_crop(image, [side, side]))
        return None

    faults: list[str | None] = []
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for fault in pool.map(load, range(len(images))):
            faults.append(fault)
            if progress is not None:
                progress(len(faults), len(images))
    readable = np.array([fault is None for fault in faults], dtype=bool)
    if not readable.any():
        raise DataError(f"none of the {len(images)} images can be decoded; the first: {faults[0]}")
    for row, source in enumerate(np.flatnonzero(readable)):
        if row != source:  # in place, because the pixels may not fit into memory
            pixels[row] = pixels[source]
    return DecodedImages(
        pixels[: int(readable.sum())],
        preprocessing,
        tuple(image for image, fault in zip(images, faults, strict=True) if fault is None),
        {image.id: fault for image, fault in zip(images, faults, strict=True) if fault is not None},
    )


def _crops(draws: np.ndarray) -> torch.Tensor:
    """Affine maps, shape (b, 2, 3), from the output square to a random rectangle of the input square."""
    area = _LEAST_AREA + (1 - _LEAST_AREA) * draws[:, 0]
    aspect = _MOST_ASPECT ** (2 * draws[:, 1] - 1)
    width, height = np.minimum(np.sqrt(area * aspect), 1), np.minimum(np.sqrt(area / aspect), 1)
    x, y = (1 - width) * (2 * draws[:, 2] - 1), (1 - height) * (2 * draws[:, 3] - 1)
    mirrored = np.where(draws[:, 4] < 0.5, -1.0, 1.0)
    maps = np.zeros((len(draws), 2, 3))
    maps[:, 0, 0], maps[:, 0, 2] = mirrored * width, x
    maps[:, 1, 1], maps[:, 1, 2] = height, y
    return torch.from_numpy(maps).float()
