"""Every entry of the shipped registry: what it states is true of what its library builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.extraction.layer_sets import LAYER_SETS, layer_set
from benchmark.model import ModelSpec
from benchmark.registry import load_registry

ROOT = Path(__file__).parents[2]
REGISTRY = load_registry()

#: Built within a second each, and with the smallest images: the rest is for the slow tests.
QUICK = {
    "alexnet",
    "alexnet_conv",
    "densenet169",
    "mobilenetv1_100",
    "mobilenetv2_100",
    "mobilenetv3_large_100",
    "resnet34",
    "simclr_resnet50",
    "squeezenet1_0",
    "taskonomy_class_object",
}
LIBRARIES = {"torchvision_models", "timm_models", "open_clip_models", "taskonomy", "self_supervised"}


def networks() -> list[str]:
    """Every network of the human suite that a library builds."""
    found = []
    for name, placed in REGISTRY.models.items():
        plugin = Path(placed.entry.plugin.partition(":")[0]).stem
        if plugin in LIBRARIES and placed.entry.suites == ("human",):
            found.append(name)
    return found


def one_each() -> list[Any]:
    """The networks, members of a family once; slow where the network is large."""
    names = [n for n in networks() if not n.startswith("taskonomy_") or n == "taskonomy_class_object"]
    names = [n for n in names if not n.endswith("_resnet50") or n == "simclr_resnet50"]
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


def untrained(name: str, **params: Any) -> NetworkModel:
    placed = REGISTRY.model(f"{name}@untrained:0", "human")
    return placed.load()(ModelSpec(placed.name, {**placed.entry.params, **params}, untrained=0))


@pytest.fixture(scope="module")
def noise() -> Stimuli:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 72, 80, 3), dtype=np.uint8)
    return Stimuli("noise", ("a", "b"), ("a", "b"), "m", lambda i: Image.fromarray(pixels[i]))


def test_every_network_of_the_papers_is_there() -> None:
    assert {
        *("alexnet", "vgg16", "resnet34", "resnet50", "inception_v3", "densenet169"),
        *("simclr_resnet50", "moco_v2_resnet50", "swav_resnet50", "barlow_twins_resnet50"),
        *("vicreg_resnet50", "dino_resnet50", "dinov2_vit_b14", "dinov3_vit_b16", "vit_b16", "convnext_base"),
        *("mobilenetv1_100", "mobilenetv2_100", "mobilenetv3_large_100", "mobilenetv4_conv_medium"),
        *("clip_rn50", "clip_vit_b32", "clip_vit_b16_datacomp_l", "clip_vit_b16_datacomp_xl"),
        *("siglip_vit_b16", "taskonomy_class_object", "pixels"),
    } <= set(REGISTRY.models)


@pytest.mark.parametrize("name", networks())
def test_an_entry_says_all_that_a_reader_must_know(name: str) -> None:
    entry = REGISTRY.models[name].entry
    assert entry.licence
    assert entry.citation
    assert entry.url
    assert entry.parameters
    assert entry.trained_on
    assert entry.checkpoint.how
    assert all(REGISTRY.dataset(data).entry.kind == "training" for data in entry.trained_on)


@pytest.mark.parametrize("name", one_each())
def test_the_untrained_network_is_what_its_entry_says(name: str, noise: Stimuli) -> None:
    model = untrained(name)
    assert sum(p.numel() for p in model.network.parameters()) == REGISTRY.models[name].entry.parameters
    assert set(model.layers) <= set(model.all_layers)
    assert [layer for layer in model.all_layers if layer in model.layers] == list(model.layers)
    found = model.features(noise, model.all_layers)
    assert set(found) == set(model.all_layers)
    for layer, features in found.items():
        assert np.isfinite(features).all(), layer
        if layer != "output":  # a head that begins at zero, as ViT's, gives the same for all images
            assert features.std(axis=0).max() > 0, layer


def test_seeds_are_different_networks_and_a_seed_is_one() -> None:
    def weights(name: str) -> torch.Tensor:
        placed = REGISTRY.model(name, "human")
        made = placed.load()(ModelSpec(name, placed.entry.params, untrained=placed.untrained))
        return next(made.network.parameters())

    assert torch.equal(weights("resnet34@untrained:3"), weights("resnet34@untrained:3"))
    assert not torch.equal(weights("resnet34@untrained:3"), weights("resnet34@untrained:4"))


@pytest.mark.slow
def test_vgg16_has_the_layers_of_dharmaretnam_and_fyshe(noise: Stimuli) -> None:
    model = untrained("vgg16")
    blocks = [2, 2, 3, 3, 3]
    names = [f"B{n}C{m}" for n, count in enumerate(blocks, start=1) for m in range(1, count + 1)]
    assert model.layers == (*names, "fc6", "fc7", "output")
    network, x = model.network, torch.stack([model.preprocess(noise.image(i)) for i in range(2)])
    with torch.inference_mode():
        # B2C1 is after the fifth layer of features: conv, relu, conv, relu, pool, conv, relu
        b2c1 = network.features[:7](x).mean((2, 3)).numpy()
        fc6 = network.classifier[:2](network.avgpool(network.features(x)).flatten(1)).numpy()
    found = model.features(noise, ["B2C1", "fc6"])
    assert np.allclose(found["B2C1"], b2c1, atol=1e-5)
    assert np.allclose(found["fc6"], fc6, atol=1e-5)
    assert len(layer_set(network, "convolutions")) == 13


def test_a_trunk_ends_with_its_last_map_and_has_the_layers_of_its_convolutions(noise: Stimuli) -> None:
    model = untrained("alexnet_conv")
    assert model.layers == ("B1C1", "B2C1", "B3C1", "B3C2", "B3C3", "output")
    whole, x = model.network, torch.stack([model.preprocess(noise.image(i)) for i in range(2)])
    assert all(key.startswith("features.") for key in whole.state_dict())
    found = model.features(noise, ["B3C3", "output"])
    with torch.inference_mode():
        assert np.allclose(found["B3C3"], whole.features[:12](x).mean((2, 3)).numpy(), atol=1e-5)
        assert np.allclose(found["output"], whole.features(x).mean((2, 3)).numpy(), atol=1e-5)
    assert model.classify(found["output"]) is None


def test_resnet_has_the_activations_within_and_at_the_end_of_blocks(noise: Stimuli) -> None:
    model = untrained("resnet34")
    blocks = 3 + 4 + 6 + 3
    assert len(model.layers) == 1 + 2 * blocks + 1
    assert model.layers[:4] == ("relu", "layer1.0.relu1", "layer1.0", "layer1.1.relu1")
    net, x = model.network, torch.stack([model.preprocess(noise.image(i)) for i in range(2)])
    with torch.inference_mode():
        stem = net.relu(net.bn1(net.conv1(x)))
        block = net.layer1[0]
        inner = block.relu(block.bn1(block.conv1(net.maxpool(stem))))
    found = model.features(noise, ["relu", "layer1.0.relu1"])
    assert np.allclose(found["relu"], stem.mean((2, 3)).numpy(), atol=1e-5)
    assert np.allclose(found["layer1.0.relu1"], inner.mean((2, 3)).numpy(), atol=1e-5)
    assert len(layer_set(net, "convolutions")) == 33 + 3


def test_a_bottleneck_has_two_activations_within() -> None:
    with torch.device("meta"):
        import torchvision

        network = torchvision.models.resnet50()
    found = layer_set(network, "activations")
    assert len(found) == 1 + 3 * (3 + 4 + 6 + 3)
    assert list(found)[1:4] == ["layer1.0.relu1", "layer1.0.relu2", "layer1.0"]


def test_densenet_has_first_convolution_blocks_and_transitions() -> None:
    layers = untrained("densenet169").layers
    blocks = [f"features.{part}" for i in (1, 2, 3) for part in (f"denseblock{i}", f"transition{i}")]
    assert layers == ("features.conv0", *blocks, "features.denseblock4", "pre_logits", "output")


def test_a_vision_transformer_gives_class_token_and_mean_of_patches(noise: Stimuli) -> None:
    placed = REGISTRY.model("vit_b16@untrained:0", "human")
    params = {"architecture": "vit_tiny_patch16_224"}
    model = placed.load()(ModelSpec("vit", params, untrained=0))
    tokens: dict[str, torch.Tensor] = {}
    hook = model.network.blocks[4].register_forward_hook(lambda _m, _i, out: tokens.update(out=out.clone()))
    found = model.features(noise, ["blocks.4", "blocks.4.patches"])
    hook.remove()
    assert np.allclose(found["blocks.4"], tokens["out"][:, 0], atol=1e-6)
    assert np.allclose(found["blocks.4.patches"], tokens["out"][:, 1:].mean(1), atol=1e-6)


@pytest.mark.slow
def test_registers_are_no_patches(noise: Stimuli) -> None:
    model = untrained("dinov3_vit_s16")
    tokens: dict[str, torch.Tensor] = {}
    hook = model.network.blocks[4].register_forward_hook(lambda _m, _i, out: tokens.update(out=out.clone()))
    found = model.features(noise, ["blocks.4.patches"])["blocks.4.patches"]
    hook.remove()
    assert np.allclose(found, tokens["out"][:, 5:].mean(1), atol=1e-5)


def test_sets_of_layers_that_a_network_does_not_have() -> None:
    plain = nn.Sequential(nn.Linear(3, 3))
    for name in LAYER_SETS:
        with pytest.raises(ValueError, match=f"no layers of the set '{name}'"):
            layer_set(plain, name)
    with pytest.raises(ValueError, match="unknown set of layers 'conv'; known: convolutions"):
        layer_set(plain, "conv")
