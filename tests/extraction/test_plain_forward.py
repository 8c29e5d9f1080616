"""Features of shipped networks are those of a plain forward pass in the plain layout, without our hooks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.model import ModelSpec
from benchmark.registry import load_registry

N = 3


@pytest.fixture(scope="module")
def noise() -> Stimuli:
    pixels = np.random.default_rng(0).integers(0, 256, (N, 72, 80, 3), dtype=np.uint8)
    ids = tuple(map(str, range(N)))
    return Stimuli("noise", ids, ids, "plain", lambda i: Image.fromarray(pixels[i]))


def network(plugin: str, **params: Any) -> NetworkModel:
    entry = load_registry().models
    placed = next(p for p in entry.values() if p.entry.plugin.startswith(plugin))
    return placed.load()(ModelSpec("network", params, untrained=0))


def batch_of(model: NetworkModel, stimuli: Stimuli) -> torch.Tensor:
    return torch.stack([model.preprocess(stimuli.image(i)) for i in range(len(stimuli))])


def near(found: np.ndarray, expected: torch.Tensor) -> bool:
    scale = float(expected.abs().max())
    # another layout sums in another order
    return bool(np.abs(found - expected.numpy()).max() <= 1e-5 * max(scale, 1.0))


def test_a_resnet_layer_by_layer(noise: Stimuli) -> None:
    model = network("models/torchvision_models.py", architecture="resnet18")
    net, x = model.network, batch_of(model, noise)
    expected = {}
    with torch.no_grad():
        y = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        for stage in ("layer1", "layer2", "layer3", "layer4"):
            for index, block in enumerate(net.get_submodule(stage).children()):
                y = block(y)
                expected[f"{stage}.{index}"] = y.mean((2, 3))
        pooled = net.avgpool(y).flatten(1)
        expected |= {"pre_logits": pooled, "output": net.fc(pooled)}
    found = model.features(noise, model.layers)
    for layer in model.layers:
        assert near(found[layer], expected[layer]), layer


def test_a_vision_transformer_token_by_token(noise: Stimuli) -> None:
    model = network("models/timm_models.py", architecture="vit_tiny_patch16_224")
    net, x = model.network, batch_of(model, noise)
    expected = {}
    with torch.no_grad():
        y = net.norm_pre(net.patch_drop(net._pos_embed(net.patch_embed(x))))
        for index, block in enumerate(net.blocks):
            y = block(y)
            expected |= {f"blocks.{index}": y[:, 0], f"blocks.{index}.patches": y[:, 1:].mean(1)}
        expected["output"] = net.forward_head(net.norm(y))
    layers = [layer for layer in model.layers if layer in expected]
    assert len(layers) >= 24
    found = model.features(noise, layers)
    for layer in layers:
        assert near(found[layer], expected[layer]), layer


def test_patches_may_be_asked_for_by_pooling_and_the_default_of_other_layers_stays(noise: Stimuli) -> None:
    params = {"architecture": "vit_tiny_patch16_224"}
    plain = network("models/timm_models.py", **params)
    both = plain.features(noise, ["blocks.3", "blocks.3.patches", "blocks.4"])
    model = network("models/timm_models.py", **params, pooling={"blocks.3": "patches"})
    found = model.features(noise, ["blocks.3", "blocks.4"])
    assert np.array_equal(found["blocks.3"], both["blocks.3.patches"])
    assert np.array_equal(found["blocks.4"], both["blocks.4"])
