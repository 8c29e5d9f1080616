"""Settings that belong to the weights: the network is the one that the library itself would build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from benchmark.association.encoders import _own_params
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel, seeded
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin
from benchmark.runner import Options, Session
from benchmark.submission.libraries import open_clip as propose_open_clip

ROOT = Path(__file__).parents[2]
PLUGINS = {
    "timm": "models/timm_models.py:Timm",
    "open_clip": "models/open_clip_models.py:OpenClip",
    "torchvision": "models/torchvision_models.py:Torchvision",
}
HALF = {"resize": 299, "crop": 299, "mean": [0.5] * 3, "std": [0.5] * 3}
IMAGENET = {"resize": 299, "crop": 299, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def make(library: str, architecture: str, params: dict[str, Any] | None = None, **spec: Any) -> NetworkModel:
    return load_plugin(PLUGINS[library], ROOT)(
        ModelSpec("net", {"architecture": architecture, **(params or {})}, **spec)
    )


@pytest.fixture
def small_clip(monkeypatch: pytest.MonkeyPatch) -> str:
    """A tiny architecture with the tags of ViT-B-32, so that the tests need no large network."""
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {
            "context_length": 8,
            "vocab_size": 64,
            "width": 16,
            "heads": 1,
            "layers": 1,
        },
    }
    from open_clip import factory, pretrained

    monkeypatch.setitem(factory._MODEL_CONFIGS, "tiny", config)
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny", pretrained._PRETRAINED["ViT-B-32"])
    return "tiny"


def activations(network: nn.Module) -> set[str]:
    kinds = {"QuickGELU", "GELU"}
    return {type(module).__name__ for module in network.modules()} & kinds


@pytest.mark.parametrize(
    ("tag", "activation"), [("openai", "QuickGELU"), ("laion400m_e32", "QuickGELU"), ("laion2b_e16", "GELU")]
)
@pytest.mark.parametrize("how", ["hub", "file", "twin", "twin of the registry"])
def test_open_clip_has_the_activation_of_the_weights(
    small_clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str, activation: str, how: str
) -> None:
    if how == "hub":
        seen: dict[str, Any] = {}
        create = open_clip.create_model

        def without_weights(name: str, pretrained: str, weights_only: bool, **kwargs: Any) -> nn.Module:
            seen.update(pretrained=pretrained)
            return create(name, load_weights=False, **kwargs)

        monkeypatch.setattr("open_clip.create_model", without_weights)
        model = make("open_clip", small_clip, hub=tag)
    elif how == "file":
        file = tmp_path / "w.safetensors"
        save_file(make("open_clip", small_clip, untrained=0).network.state_dict(), file)
        model = make("open_clip", small_clip, {"preprocessing": tag}, weights=file)
    elif how == "twin":
        model = make("open_clip", small_clip, {"preprocessing": tag}, untrained=0)
    else:
        model = make("open_clip", small_clip, settings_of=tag, untrained=0)
    assert activations(model.network) == {activation}
    assert model.assumed is None


def test_what_bench_add_writes_for_open_clip_is_a_network_with_quick_gelu() -> None:
    entry = propose_open_clip("ViT-B-32/openai").entry
    model = load_plugin(entry["plugin"], ROOT)(ModelSpec("new", entry["params"], untrained=0))
    assert model.settings == {"force_quick_gelu": True}


def test_a_file_that_cannot_tell_is_assumed_and_said(small_clip: str, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file(make("open_clip", small_clip, untrained=0).network.state_dict(), file)
    params = {"preprocessing": {**HALF, "resize": 32, "crop": 32}}
    model = make("open_clip", small_clip, params, weights=file)
    assert model.assumed == "force_quick_gelu: False"
    told = make("open_clip", small_clip, {**params, "kwargs": {"force_quick_gelu": True}}, weights=file)
    assert told.assumed is None
    assert activations(told.network) == {"QuickGELU"}
    assert model.preprocessing != told.preprocessing, "the key of the features holds the setting"


@pytest.mark.parametrize(("told", "activation"), [(True, "QuickGELU"), (False, "GELU")])
@pytest.mark.parametrize("preprocessing", ["openai", "laion2b_e16", {**HALF, "resize": 32, "crop": 32}])
def test_the_argument_of_the_architecture_counts_and_nothing_else_is_assumed(
    small_clip: str, tmp_path: Path, preprocessing: Any, told: bool, activation: str
) -> None:
    file = tmp_path / "w.safetensors"
    save_file(make("open_clip", small_clip, untrained=0).network.state_dict(), file)
    params = {"preprocessing": preprocessing, "kwargs": {"quick_gelu": told}}
    model = make("open_clip", small_clip, params, weights=file)
    assert activations(model.network) == {activation}
    assert model.assumed is None
    assert "quick_gelu" not in model.preprocessing, "the params of the entry say it in the key"


def test_check_model_says_what_is_assumed(small_clip: str, tmp_path: Path, bench: Any) -> None:
    save_file(make("open_clip", small_clip, untrained=0).network.state_dict(), tmp_path / "w.safetensors")
    own = tmp_path / "own.yaml"
    own.write_text(
        "models:\n  clip:\n    plugin: models/open_clip_models.py:OpenClip\n"
        "    checkpoint: {file: w.safetensors}\n    params:\n      architecture: tiny\n"
        "      preprocessing: {resize: 32, crop: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}\n"
    )
    said = " ".join(bench("check-model", "clip", "--registry", own).out.split())
    assert "settings note assumed, since neither the entry nor a file of weights says it" in said
    assert "force_quick_gelu: False" in said


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["inception_v3", "googlenet"])
def test_transform_input_is_that_of_torchvisions_own_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str
) -> None:
    with seeded(0):
        random = torchvision.models.get_model(architecture, init_weights=False)
    state = random.state_dict()
    file = tmp_path / "w.safetensors"
    save_file(state, file)
    monkeypatch.setattr(torchvision.models.WeightsEnum, "get_state_dict", lambda *a, **k: state)
    theirs = torchvision.models.get_model(architecture, weights="IMAGENET1K_V1").eval()
    assert theirs.transform_input
    pixels = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    weights = torchvision.models.get_model_weights(architecture)["IMAGENET1K_V1"]
    with torch.inference_mode():
        expected = theirs(weights.transforms()(image)[None]).numpy()
    stimuli = Stimuli("one", ("a",), ("a",), "m", lambda _: image)
    model = make("torchvision", architecture, {"preprocessing": "IMAGENET1K_V1"}, weights=file)
    np.testing.assert_allclose(model.features(stimuli, ["output"])["output"], expected, atol=1e-4)
    assert model.assumed is None
    for twin in (
        make("torchvision", architecture, untrained=0),
        make("torchvision", architecture, settings_of="IMAGENET1K_V1", untrained=0),
    ):
        assert twin.network.transform_input
        assert twin.network.state_dict().keys() == theirs.state_dict().keys()
    # of two statements the entry's counts: with this mean and deviation, statistics are those of the weights
    spelled = make("torchvision", architecture, {"preprocessing": HALF}, hub="IMAGENET1K_V1")
    assert not spelled.network.transform_input


@pytest.mark.parametrize(("preprocessing", "on"), [(IMAGENET, True), (HALF, False)])
def test_transform_input_of_a_file_follows_from_its_preprocessing_and_is_said(
    preprocessing: dict[str, Any], on: bool
) -> None:
    model = make("torchvision", "inception_v3", {"preprocessing": preprocessing}, weights=Path("w"))
    assert model.settings["transform_input"] is on
    assert f"transform_input: {on}" in model.assumed
    told = make(
        "torchvision",
        "inception_v3",
        {"preprocessing": preprocessing, "kwargs": {"transform_input": True}},
        weights=Path("w"),
    )
    assert told.assumed is None


def test_a_timm_network_of_a_file_has_the_configuration_of_the_named_weights() -> None:
    # this tag is for images of 384 pixels, and the architecture alone is built for 224
    name = "vit_tiny_patch16_384"
    params = {"preprocessing": "augreg_in21k_ft_in1k"}
    model = make("timm", name, params, untrained=0)
    theirs = timm.create_model(f"{name}.augreg_in21k_ft_in1k", pretrained=False)
    assert model.network.pretrained_cfg == theirs.pretrained_cfg
    assert model.network.patch_embed.img_size == theirs.patch_embed.img_size == (384, 384)


def test_the_twin_of_a_registered_model_has_its_settings(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "models:\n"
        "  clip:\n"
        "    plugin: models/open_clip_models.py:OpenClip\n"
        "    description: d\n"
        "    params: {architecture: ViT-B-32}\n"
        "    checkpoint: {hub: openai}\n"
    )
    session = Session(Options(registries=(own,), output=tmp_path))
    twin = session.model("clip@untrained:3", "human")
    assert twin.model.settings == {"force_quick_gelu": True}
    assert twin.checkpoint.untrained == 3
    assert "openai" in twin.weights, "the key of the features holds whose settings they are"


def test_an_encoder_is_built_again_with_the_settings_of_its_weights(small_clip: str) -> None:
    params = _own_params(make("open_clip", small_clip, settings_of="openai", untrained=0))
    again = make(
        "open_clip", small_clip, {k: v for k, v in params.items() if k != "architecture"}, untrained=1
    )
    assert activations(again.network) == {"QuickGELU"}
