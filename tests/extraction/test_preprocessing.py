"""The preprocessing an entry spells out is torchvision's, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as torchvision

from benchmark.extraction import Preprocessing

SIDES = st.integers(1, 60)
SIZES = SIDES | st.tuples(SIDES, SIDES)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def theirs(image: Image.Image, given: Preprocessing) -> torch.Tensor:
    size = [given.resize] if isinstance(given.resize, int) else list(given.resize)
    image = torchvision.resize(image, size, InterpolationMode(given.interpolation))
    if given.crop is not None:
        crop = [given.crop] * 2 if isinstance(given.crop, int) else list(given.crop)
        image = torchvision.center_crop(image, crop)
    return torchvision.normalize(torchvision.to_tensor(image), list(given.mean), list(given.std))


@settings(max_examples=300)
@given(
    shape=st.tuples(SIDES, SIDES),
    resize=SIZES,
    crop=st.none() | SIZES,
    interpolation=st.sampled_from(["bilinear", "bicubic", "nearest", "lanczos"]),
    seed=st.integers(0, 5),
)
def test_as_torchvision(shape, resize, crop, interpolation, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    ours = Preprocessing(resize=resize, crop=crop, mean=MEAN, std=STD, interpolation=interpolation)
    image = Image.fromarray(pixels)
    expected = theirs(image, ours)
    found = ours(image)
    assert found.dtype == torch.float32
    assert found.is_contiguous()
    assert torch.equal(found, expected)


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (333, 500), (224, 224), (1001, 999)])
def test_a_photo_as_torchvision(size):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))
    ours = Preprocessing(resize=256, crop=224, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert torch.equal(ours(image), theirs(image, ours))
