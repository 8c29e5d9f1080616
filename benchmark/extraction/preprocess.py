"""Preprocessing that an entry spells out, for weights whose library does not know it."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

Pixels = Annotated[int, Field(gt=0)]
Triple = tuple[float, float, float]


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
        from torchvision.transforms import InterpolationMode  # slow to import, and not every network needs it
        from torchvision.transforms import functional as transforms

        size = [self.resize] if isinstance(self.resize, int) else list(self.resize)
        image = transforms.resize(image, size, InterpolationMode(self.interpolation))
        if self.crop is not None:
            crop = [self.crop, self.crop] if isinstance(self.crop, int) else list(self.crop)
            image = transforms.center_crop(image, crop)
        tensor = transforms.to_tensor(image)
        normal: torch.Tensor = transforms.normalize(tensor, list(self.mean), list(self.std))
        return normal
