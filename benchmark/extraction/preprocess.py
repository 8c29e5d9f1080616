"""Preprocessing that an entry spells out, for weights whose library does not know it.

The pixels are those of torchvision's functions, which are not used: importing torchvision takes as long as
importing torch, and of a network that does not need it, one photo then takes half the time.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

Pixels = Annotated[int, Field(gt=0)]
Triple = tuple[float, float, float]

_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
}


class Preprocessing(BaseModel):
    """Resize, crop and normalise.

    Attributes
    ----------
    resize : int or (int, int)
        The short side, in pixels, aspect kept; or height and width, aspect ignored.
    crop : int or (int, int), optional
        Centre crop, after the resize.
    mean, std : tuple of 3 floats
        Of the channels R, G, B on the scale 0 to 1: ``(x - mean) / std``.
    interpolation : {"bilinear", "bicubic", "nearest", "lanczos"}
        Always antialiased.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resize: Pixels | tuple[Pixels, Pixels]
    crop: Pixels | tuple[Pixels, Pixels] | None = None
    mean: Triple
    std: Triple
    interpolation: Literal["bilinear", "bicubic", "nearest", "lanczos"] = "bilinear"

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, shape (3, h, w), float32."""
        image = _resize(image, self.resize, _RESAMPLING[self.interpolation])
        if self.crop is not None:
            image = _centre(image, _pair(self.crop))
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
        return pixels.float().div(255).sub_(mean).div_(std)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def _resize(image: Image.Image, size: int | tuple[int, int], how: Image.Resampling) -> Image.Image:
    width, height = image.size
    if isinstance(size, int):
        longer = int(size * max(width, height) / min(width, height))
        target = (size, longer) if width <= height else (longer, size)
    else:
        target = (size[1], size[0])
    return image if target == image.size else image.resize(target, how)


def _centre(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of an image; black around one that is smaller."""
    left, top = (
        -((wanted - has) // 2) if wanted > has else round((has - wanted) / 2)
        for has, wanted in zip(image.size, (size[1], size[0]), strict=True)
    )
    return image.crop((left, top, left + size[1], top + size[0]))
