"""Self-supervised ResNet-50s: checkpoints of each published format load from where torch.hub keeps them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

from benchmark.common.errors import BenchError, NotPossible, UsageError
from benchmark.common.files import sha256_of
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin, load_registry

ROOT = Path(__file__).parents[2]
PLUGIN = "models/self_supervised.py:SelfSupervised"
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

#: As the repositories publish them: the file's name where it is kept, and how the weights stand in it.
FORMATS: dict[str, tuple[str, Any]] = {
    "simclr": (
        "simclr_rn50_1000ep.afe428c7.torch",
        lambda s: {
            "classy_state_dict": {
                "base_model": {"model": {"trunk": {f"_feature_blocks.{k}": v for k, v in s.items()}}}
            },
            "phase": 999,
        },
    ),
    "moco_v2": (
        "moco_v2_800ep_pretrain.pth.tar",
        lambda s: {
            "epoch": 800,
            "arch": "resnet50",
            "state_dict": {f"module.encoder_q.{k}": v for k, v in s.items()}
            | {"module.encoder_q.fc.0.weight": torch.zeros(2, 2), "module.queue": torch.zeros(3)},
        },
    ),
    "swav": (
        "swav_800ep_pretrain.pth.tar",
        lambda s: (
            {f"module.{k}": v for k, v in s.items()}
            | {"module.projection_head.0.weight": torch.zeros(2), "module.prototypes.weight": torch.zeros(2)}
        ),
    ),
    "barlow_twins": ("barlow_twins_resnet50.pth", dict),
    "vicreg": ("vicreg_resnet50.pth", dict),
    "dino": ("dino_resnet50_pretrain.pth", dict),
}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    network = torchvision.models.resnet50()
    network.fc = torch.nn.Identity()
    generator = torch.Generator().manual_seed(1)
    return {
        key: torch.rand(value.shape, generator=generator) if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where torch.hub looks, empty, and no network behind it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*_args: object, **_kwargs: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def make(**spec: Any) -> NetworkModel:
    return load_plugin(PLUGIN, ROOT)(ModelSpec("ssl", {"architecture": "resnet50"}, **spec))


def test_every_format_is_one_of_the_registry() -> None:
    models = load_registry().models
    hubs = {p.entry.checkpoint.hub for p in models.values() if p.entry.plugin == PLUGIN}
    assert hubs == set(FORMATS)


@pytest.mark.parametrize("hub", FORMATS)
def test_the_backbone_is_loaded_and_the_head_is_not(hub: str, state: dict, checkpoints: Path) -> None:
    name, published = FORMATS[hub]
    torch.save(published(state), checkpoints / name)
    found = make(hub=hub).network.state_dict()
    assert set(found) == set(state)
    assert all(torch.equal(found[key], value) for key, value in state.items())


@pytest.mark.parametrize("hub", FORMATS)
def test_a_file_that_is_not_there_is_named(hub: str, checkpoints: Path) -> None:
    with pytest.raises(NotPossible) as caught:
        _ = make(hub=hub).network
    assert str(checkpoints / FORMATS[hub][0]) in str(caught.value)
    assert "https://dl.fbaipublicfiles.com/" in str(caught.value)


def test_no_two_are_kept_in_one_file() -> None:
    assert len({name for name, _ in FORMATS.values()}) == len(FORMATS)


def test_weights_that_are_neither_backbone_nor_head_are_refused(state: dict, checkpoints: Path) -> None:
    name, published = FORMATS["swav"]
    torch.save(published(state) | {"modul.conv1.weight": torch.zeros(1)}, checkpoints / name)
    with pytest.raises(BenchError, match=r"'modul\.conv1\.weight' is neither of the backbone \(module\.\*\)"):
        _ = make(hub="swav").network


def test_a_backbone_that_lacks_a_weight_names_it(state: dict, checkpoints: Path) -> None:
    name, published = FORMATS["moco_v2"]
    short = {key: value for key, value in state.items() if key != "layer3.2.bn1.bias"}
    torch.save(published(short), checkpoints / name)
    with pytest.raises(BenchError, match=r"missing: layer3\.2\.bn1\.bias"):
        _ = make(hub="moco_v2").network


def test_another_checkpoint_under_the_name_is_refused(state: dict, checkpoints: Path) -> None:
    torch.save(dict(state), checkpoints / FORMATS["simclr"][0])
    with pytest.raises(BenchError, match="not the checkpoint published"):
        _ = make(hub="simclr").network


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_file_that_would_run_code_is_refused(checkpoints: Path, tmp_path: Path) -> None:
    torch.save({"conv1.weight": Evil(tmp_path / "made")}, checkpoints / FORMATS["dino"][0])
    with pytest.raises(BenchError, match="refused"):
        _ = make(hub="dino").network
    assert not (tmp_path / "made").exists()


def test_a_file_that_holds_more_than_tensors_is_refused_and_what_is_said_helps(
    state: dict, checkpoints: Path, tmp_path: Path
) -> None:
    name, published = FORMATS["simclr"]
    torch.save(published(state) | {"loss": np.float64(0.5)}, checkpoints / name)
    with pytest.raises(BenchError) as caught:
        _ = make(hub="simclr").network
    message = str(caught.value)
    assert str(checkpoints / name) in message
    assert "numpy" in message
    assert "save its state_dict alone, under the names the network has" in message
    assert "\n" not in message
    # as told
    save_file(state, tmp_path / "backbone.safetensors")
    params = {"architecture": "resnet50", "preprocessing": {"resize": 256, "crop": 224, **IMAGENET}}
    own = load_plugin(PLUGIN, ROOT)(ModelSpec("ssl", params, weights=tmp_path / "backbone.safetensors"))
    assert torch.equal(own.network.state_dict()["conv1.weight"], state["conv1.weight"])


def test_a_checksum_that_differs_is_refused_and_the_file_kept_aside(state: dict, checkpoints: Path) -> None:
    file = checkpoints / FORMATS["vicreg"][0]
    torch.save(dict(state), file)
    right = sha256_of(file)[:10]
    assert make(hub="vicreg", sha256=right).network is not None
    with pytest.raises(NotPossible, match=f"has sha256 {right}.*the registry says 01234567") as caught:
        _ = make(hub="vicreg", sha256="01234567").network
    assert not file.exists()
    assert file.with_name(f"{file.name}.rejected").exists()
    assert "rejected" in str(caught.value)


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="no weights 'byol'; there are simclr, moco_v2"):
        _ = make(hub="byol").network


def test_layers_and_output_of_the_untrained_twin() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 60, 80, 3), dtype=np.uint8)
    noise = Stimuli("noise", ("a", "b"), ("a", "b"), "m", lambda i: Image.fromarray(pixels[i]))
    model = make(untrained=0)
    assert model.layers[0] == "layer1.0"
    assert model.layers[-2:] == ("layer4.1", "output")
    found = model.features(noise, ["output", "layer4.2.conv3"])
    assert found["output"].shape == (2, 2048)
    assert found["layer4.2.conv3"].shape == (2, 2048)
