"""Images of several shapes are refused before the network sees them, in any order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.common.errors import DataError
from benchmark.datasets import Stimuli
from benchmark.extraction.loader import batches, in_parts
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("other", [1, 5, 39], ids=["first batch", "same length", "last batch"])
def test_two_shapes_are_refused_and_two_stimuli_named(other: int) -> None:
    ids = [f"s{i}" for i in range(40)]

    def load(i: int) -> torch.Tensor:
        return torch.zeros((3, 23, 15) if i == other else (3, 15, 23))

    with pytest.raises(DataError) as caught:
        list(batches(ids, load, 4))
    assert "'s0'" in str(caught.value)
    assert f"'s{other}'" in str(caught.value)
    assert "(3, 15, 23)" in str(caught.value)
    assert "(3, 23, 15)" in str(caught.value)


@pytest.mark.parametrize("turned", [False, True])
def test_a_preprocessing_without_crop_is_refused_in_any_order_of_files(turned: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 64, 96, 3), dtype=np.uint8)
    images = [Image.fromarray(p if i < 20 else p.transpose(1, 0, 2)) for i, p in enumerate(pixels)]
    if turned:
        images.reverse()
    ids = tuple(f"s{i}" for i in range(40))
    stimuli = Stimuli("shapes", ids, ids, "m", lambda i: images[i])
    half = [0.5, 0.5, 0.5]
    params = {"architecture": "squeezenet1_0", "preprocessing": {"resize": 64, "mean": half, "std": half}}
    model = load_plugin("models/torchvision_models.py:Torchvision", ROOT)(
        ModelSpec("net", params, untrained=0)
    )
    assert model.layers  # made with a pass of two images of noise
    passes: list[object] = []
    model.network.register_forward_hook(lambda *_: passes.append(1))
    with pytest.raises(DataError, match=r"'s0' and 's20' have shapes .* add a crop"):
        model.features(stimuli, ["output"])
    assert passes == [], "it is refused before the first batch"
    alike = Stimuli("alike", ids[:20], ids[:20], "m", lambda i: images[i])
    assert model.features(alike, ["output"])["output"].shape == (20, 1000)


class Device:
    """Stands for a device whose memory holds ``most`` stimuli at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.done: list[float] = []
        self.sizes: list[int] = []

    def run(self, start: int, part: torch.Tensor) -> None:
        if len(part) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        assert start == len(self.done)
        self.sizes.append(len(part))
        self.done += part.tolist()


@pytest.mark.parametrize("most", [1, 3, 8, 100])
def test_a_batch_that_memory_does_not_hold_is_halved_until_it_does(
    most: int, caplog: pytest.LogCaptureFixture
) -> None:
    device, size, start = Device(most), 16, 0
    for batch in torch.arange(40.0).split(16):
        size = in_parts("big", start, batch, size, device.run)
        start += len(batch)
    assert device.done == list(range(40))
    assert max(device.sizes) == size <= most or size == 16
    assert len(caplog.messages) == {1: 4, 3: 3, 8: 1, 100: 0}[most]
    assert all("big: the device is out of memory; batches of" in message for message in caplog.messages)


def test_one_stimulus_that_memory_does_not_hold_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        in_parts("big", 0, torch.zeros(4, 1), 4, Device(0).run)
