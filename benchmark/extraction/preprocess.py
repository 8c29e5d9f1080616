"""Preprocessing that a registry entry states in full, for weights whose library does not know it.

The pixels are the same as those of torchvision's functions. These are not used, since importing torchvision
takes as long as importing torch. So a network that does not need torchvision answers for one photo in half
the time.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

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

    An object is called with an RGB image and gives a tensor. Its ``repr`` is part of the cache key of
    features.

    Attributes
    ----------
    resize : int or (int, int)
        One number: length of the short side in pixels; the aspect ratio is kept. Two numbers: height and
        width; the aspect ratio is ignored.
    crop : int or (int, int), optional
        Side, or height and width, of the centre crop in pixels, after the resize. Default: no crop.
    mean, std : tuple of 3 floats
        For the channels R, G and B: ``(x - mean) / std``, where x is a pixel divided by 255. So a mean is
        from 0 to 1, and a std above 0 and at most 1. A network that takes pixels from 0 to 255 has std 1/255.
    interpolation : {"bilinear", "bicubic", "nearest", "lanczos"}
        Interpolation of the resize, always antialiased.

    Examples
    --------
    >>> from PIL import Image
    >>> from benchmark.extraction import Preprocessing
    >>> preprocessing = Preprocessing(resize=8, crop=4, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    >>> image = preprocessing(Image.new("RGB", (20, 10), "white"))
    >>> tuple(image.shape)
    (3, 4, 4)
    >>> image.min().item(), image.max().item()
    (1.0, 1.0)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resize: Pixels | tuple[Pixels, Pixels]
    crop: Pixels | tuple[Pixels, Pixels] | None = None
    mean: Triple
    std: Triple
    interpolation: Literal["bilinear", "bicubic", "nearest", "lanczos"] = "bilinear"

    @field_validator("mean", "std")
    @classmethod
    def _on_the_scale_0_to_1(cls, values: Triple, info: ValidationInfo) -> Triple:
        least = 0 if info.field_name == "mean" else np.nextafter(0, 1)
        wrong = next((value for value in values if not least <= value <= 1), None)
        if wrong is not None:
            raise PydanticCustomError(
                "scale",
                "{value} is not on the scale of pixels from 0 to 1 (a mean is from 0 to 1, a std above 0 and "
                "at most 1): divide numbers for pixels from 0 to 255 by 255",
                {"value": wrong},
            )
        return values

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
    """The centre of an image. An image that is smaller gets a black border."""
    left, top = (
        -((crop - side) // 2) if crop > side else round((side - crop) / 2)
        for side, crop in zip(image.size, (size[1], size[0]), strict=True)
    )
    return image.crop((left, top, left + size[1], top + size[0]))
