"""Which token is which, in transformers that put the class token in different places, or have none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from benchmark.common.errors import BenchError, UsageError
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.extraction.tokens import read_tokens
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin

ROOT = Path(__file__).parents[2]
TIMM, OPEN_CLIP, TORCHVISION = (
    "models/timm_models.py:Timm",
    "models/open_clip_models.py:OpenClip",
    "models/torchvision_models.py:Torchvision",
)


@pytest.fixture(scope="module")
def noise() -> Stimuli:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 72, 80, 3), dtype=np.uint8)
    return Stimuli("noise", ("a", "b"), ("a", "b"), "m", lambda i: Image.fromarray(pixels[i]))


def make(plugin: str, architecture: str, **params: Any) -> NetworkModel:
    spec = ModelSpec("net", {"architecture": architecture, **params}, untrained=0)
    return load_plugin(plugin, ROOT)(spec)


def tokens_of(model: NetworkModel, stimuli: Stimuli, path: str) -> np.ndarray:
    """What a block gives for the stimuli, read with a hook of torch alone."""
    seen: list[torch.Tensor] = []
    hook = model.network.get_submodule(path).register_forward_hook(lambda _m, _i, out: seen.append(out))
    batch = torch.stack([model.preprocess(stimuli.image(i)) for i in range(len(stimuli))])
    with torch.inference_mode():
        model.forward(batch)
    hook.remove()
    return seen[0].numpy()


SMALL = {"kwargs": {"img_size": 32, "patch_size": 8, "depth": 2}}


def small(**kwargs: Any) -> dict[str, Any]:
    half = [0.5, 0.5, 0.5]
    return {
        "kwargs": {**SMALL["kwargs"], **kwargs},
        "preprocessing": {"resize": 32, "crop": 32, "mean": half, "std": half},
    }


#: plug-in, architecture, params, path of a block, number of tokens before the patches, class token or none
CASES = {
    "class token": (TIMM, "vit_tiny_patch16_224", small(), "blocks.1", 1, True),
    "and registers": (TIMM, "vit_tiny_patch16_224", small(reg_tokens=4), "blocks.1", 5, True),
    "registers alone": (
        TIMM,
        "vit_tiny_patch16_224",
        small(reg_tokens=1, class_token=False, global_pool="avg"),
        "blocks.1",
        1,
        False,
    ),
    "no class token": (
        TIMM,
        "vit_tiny_patch16_224",
        small(class_token=False, global_pool="avg"),
        "blocks.1",
        0,
        False,
    ),
    "distilled": (TIMM, "deit_tiny_distilled_patch16_224", small(), "blocks.1", 2, True),
    "CaiT, patches": (TIMM, "cait_xxs24_224", {}, "blocks.3", 0, False),
    "CaiT, class token": (TIMM, "cait_xxs24_224", {}, "blocks_token_only.0", 0, False),
    "ConViT, early": (TIMM, "convit_tiny", {}, "blocks.9", 0, False),
    "ConViT, late": (TIMM, "convit_tiny", {}, "blocks.10", 1, True),
    "XCiT, early": (TIMM, "xcit_nano_12_p16_224", {}, "blocks.2", 0, False),
    "XCiT, late": (TIMM, "xcit_nano_12_p16_224", {}, "cls_attn_blocks.1", 1, True),
    "shrinking": (TIMM, "hiera_tiny_224", {}, "blocks.11", 0, False),
    "torchvision": (TORCHVISION, "vit_b_32", {}, "encoder.layers.encoder_layer_3", 1, True),
    "open_clip": (OPEN_CLIP, "ViT-S-32-alt", {}, "transformer.resblocks.2", 1, True),
}
SLOW = {"torchvision", "open_clip", "CaiT, patches", "CaiT, class token"}


@pytest.mark.parametrize("case", [pytest.param(c, marks=[pytest.mark.slow] * (c in SLOW)) for c in CASES])
def test_class_token_and_patches_are_read_off(noise: Stimuli, case: str) -> None:
    plugin, architecture, params, path, leading, has_class_token = CASES[case]
    model = make(plugin, architecture, **params)
    tokens = tokens_of(model, noise, path)
    patches = f"{path}.patches"
    assert (patches in model.layers) == has_class_token
    found = model.features(noise, [path, *([patches] if has_class_token else [])])
    first = tokens[:, 0] if has_class_token else tokens[:, leading:].mean(1)
    np.testing.assert_allclose(found[path], first, atol=2e-5)
    if has_class_token:
        np.testing.assert_allclose(found[patches], tokens[:, leading:].mean(1), atol=2e-5)


def test_the_pooling_cls_is_refused_where_there_is_no_class_token(noise: Stimuli) -> None:
    params = small(reg_tokens=1, class_token=False, global_pool="avg")
    model = make(TIMM, "vit_tiny_patch16_224", **params, pooling="cls")
    with pytest.raises(UsageError, match=r"layer 'blocks.0' gives 17 tokens and no class token"):
        model.features(noise, ["blocks.0"])


def test_the_pooling_patches_leaves_registers_and_class_token_out(noise: Stimuli) -> None:
    model = make(TIMM, "vit_tiny_patch16_224", **small(reg_tokens=4), pooling="patches")
    tokens = tokens_of(model, noise, "blocks.0")
    found = model.features(noise, ["blocks.0"])["blocks.0"]
    np.testing.assert_allclose(found, tokens[:, 5:].mean(1), atol=2e-5)


@pytest.mark.parametrize(
    ("architecture", "path", "axes"),
    [
        ("swin_tiny_patch4_window7_224", "layers.1", (1, 2)),
        ("swin_tiny_patch4_window7_224", "patch_embed.proj", (2, 3)),
        pytest.param("volo_d1_224", "network.0", (1, 2), marks=pytest.mark.slow),
    ],
)
def test_channels_and_positions_of_maps_are_told_apart(
    noise: Stimuli, architecture: str, path: str, axes: tuple[int, int]
) -> None:
    model = make(TIMM, architecture, layers=[path])
    found = model.features(noise, [path])[path]
    np.testing.assert_allclose(found, tokens_of(model, noise, path).mean(axes), atol=2e-5)


def test_embedded_positions_are_no_layer() -> None:
    assert make(TIMM, "xcit_nano_12_p16_224").layers[0] == "blocks.0"


class Merging(nn.Module):
    """A class token, and half of the tokens between two blocks: which they are cannot be read off."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
        self.embed = nn.Conv2d(3, 8, 8, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.embed(x).flatten(2).transpose(1, 2)
        x = self.blocks[0](torch.cat((self.cls_token.expand(len(x), -1, -1), patches), 1))
        x = x + x.mean(1, keepdim=True)  # as attention does
        return self.blocks[1](x[:, ::2])


def test_what_cannot_be_read_off_is_not_known() -> None:
    network = Merging().eval()
    images = torch.randn(2, 3, 32, 32)
    tokens = read_tokens(network, network, ["blocks.0", "blocks.1"], images)
    assert tokens.has_class_token
    assert tokens.leading == {17: 1, 9: None}
    assert tokens.lengths == {"blocks.0": 17, "blocks.1": 9}


def test_a_layer_that_cannot_be_read_off_is_refused_until_a_pooling_is_named(
    noise: Stimuli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*arguments: Any) -> Any:
        tokens = read_tokens(*arguments)
        tokens.leading = dict.fromkeys(tokens.leading, None)
        return tokens

    monkeypatch.setattr("benchmark.extraction.library.read_tokens", unknown)
    model = make(TIMM, "vit_tiny_patch16_224", **small())
    with pytest.raises(
        UsageError, match=r"layer .blocks.0. gives 17 tokens, and it cannot be read off vit_tin"
    ):
        model.features(noise, ["blocks.0"])
    model = make(TIMM, "vit_tiny_patch16_224", **small(), pooling="average")
    tokens = tokens_of(model, noise, "blocks.0")
    np.testing.assert_allclose(model.features(noise, ["blocks.0"])["blocks.0"], tokens.mean(1), atol=2e-5)


class Plain(NetworkModel):
    """A user's own network with a class token."""

    preprocessing = "32 x 32, 0 to 1"

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        pixels = np.asarray(image.resize((32, 32)), dtype=np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def build(self) -> nn.Module:
        return Merging()

    def modules(self) -> dict[str, str]:
        return {"tokens": "blocks.0"}


class Declared(Plain):
    prefix_tokens = 1


def test_patches_of_a_users_network_need_the_number_of_tokens_before_them(noise: Stimuli) -> None:
    spec = ModelSpec("plain", {"pooling": "patches"})
    with pytest.raises(BenchError, match="write prefix_tokens = NUMBER"):
        Plain(spec).features(noise, ["tokens"])
    model = Declared(spec)
    found = model.features(noise, ["tokens"])["tokens"]
    np.testing.assert_allclose(found, tokens_of(model, noise, "blocks.0")[:, 1:].mean(1), atol=1e-6)


MERGING = """
import torch
from torch import nn

from benchmark.extraction import LibraryNetwork


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
        self.embed = nn.Conv2d(3, 8, 8, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        patches = self.embed(x).flatten(2).transpose(1, 2)
        x = self.blocks[0](torch.cat((self.cls_token.expand(len(x), -1, -1), patches), 1))
        x = x + x.mean(1, keepdim=True)
        return self.head(self.blocks[1](x[:, ::2])[:, 0])


class Merging(LibraryNetwork):
    library = "own"

    def architectures(self):
        return ["merging"]

    def construct(self):
        return Network()

    def fetch(self, hub):
        raise NotImplementedError

    def own_transform(self, weights):
        raise NotImplementedError
"""
HALF = "{resize: 32, crop: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}"
REFUSED = {
    "merging": (
        f"own.py:Merging\n    params: {{architecture: merging, preprocessing: {HALF}}}",
        "layer 'blocks.1' gives 9 tokens, and it cannot be read off merging which of them are patches",
    ),
    "register": (
        "models/timm_models.py:Timm\n    params:\n      architecture: vit_tiny_patch16_224\n"
        f"      pooling: cls\n      preprocessing: {HALF}\n      kwargs: {{img_size: 32, patch_size: 8, "
        "depth: 2, reg_tokens: 1, class_token: false, global_pool: avg}",
        "layer 'blocks.0' gives 17 tokens and no class token, which the pooling cls would take",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_run_and_export_refuse_what_is_not_known_in_one_line(bench: Any, tmp_path: Path, name: str) -> None:
    plugin, said = REFUSED[name]
    (tmp_path / "own.py").write_text(MERGING)
    own = tmp_path / "own.yaml"
    own.write_text(f"models:\n  {name}:\n    plugin: {plugin}\n    checkpoint: {{untrained: 0}}\n")
    asked = ("--model", name, "--registry", own)
    ran = bench("run", *asked, "--task", "people_rdm", "--output", tmp_path / "results", "--format", "json")
    (cell,) = ran.cells
    assert ran.status == 1
    assert said in cell["reason"]
    asked = (*asked, "--layer", "default", "--stimuli", "mini_images")
    exported = bench("export", "rdm", *asked, "--output", tmp_path / "rdms")
    assert exported.status != 0
    assert said in " ".join(exported.err.split())
    assert "Traceback" not in exported.err
    assert not (tmp_path / "rdms").exists()
