"""Networks that torchvision, timm, open_clip and visualpriors build: layers, preprocessing, weights."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from visualpriors.taskonomy_network import TASKONOMY_PRETRAINED_URLS, TaskonomyEncoder

from benchmark.common.errors import BenchError, NotPossible, UsageError
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel, seeded
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin, load_registry

ROOT = Path(__file__).parents[2]
PLUGINS = {
    "torchvision": "models/torchvision_models.py:Torchvision",
    "timm": "models/timm_models.py:Timm",
    "open_clip": "models/open_clip_models.py:OpenClip",
    "taskonomy": "models/taskonomy.py:Taskonomy",
    "swow_assoc": "models/swow_assoc.py:SwowAssociation",
}
HALF = {"resize": 64, "crop": 64, "mean": [0.5] * 3, "std": [0.5] * 3}


def make(family: str, architecture: str | None = None, **spec: Any) -> NetworkModel:
    params = spec.pop("params", {})
    if architecture is not None:
        params = {"architecture": architecture, **params}
    return load_plugin(PLUGINS[family], ROOT)(ModelSpec(f"{family}_net", params, **spec))


@pytest.fixture(scope="module")
def noise() -> Stimuli:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 72, 80, 3), dtype=np.uint8)
    return Stimuli("noise", ("a", "b"), ("a", "b"), "m", lambda i: Image.fromarray(pixels[i]))


#: family, architecture, some of its layers with their widths, and how many layers there are
FAMILIES = [
    ("torchvision", "alexnet", {"features.0": 64, "classifier.4": 4096, "pre_logits": 4096}, 9),
    ("torchvision", "resnet18", {"layer1.0": 64, "layer4.0": 512, "pre_logits": 512}, 9),
    ("torchvision", "squeezenet1_1", {"features.3": 128, "features.11": 512, "pre_logits": 512}, 10),
    ("torchvision", "densenet121", {"features.denseblock4": 1024, "pre_logits": 1024}, 10),
    ("timm", "mobilenetv2_100", {"blocks.0": 16, "blocks.6": 320, "pre_logits": 1280}, 9),
    ("timm", "convnext_atto", {"stages.3": 320, "pre_logits": 320}, 7),
    ("timm", "vit_tiny_patch16_224", {"blocks.0": 192, "blocks.11.patches": 192, "pre_logits": 192}, 26),
    ("timm", "swin_tiny_patch4_window7_224", {"layers.0": 96, "layers.3": 768, "pre_logits": 768}, 6),
    pytest.param(
        "torchvision",
        "inception_v3",
        {"Mixed_5b": 256, "Mixed_7b": 2048, "pre_logits": 2048},
        17,
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "open_clip",
        "ViT-B-32-quickgelu",
        {"transformer.resblocks.0": 768, "transformer.resblocks.11.patches": 768, "output": 512},
        25,
        marks=pytest.mark.slow,
    ),
    pytest.param("open_clip", "RN50", {"layer4.2": 2048, "output": 1024}, 17, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("family", "architecture", "widths", "count"), FAMILIES)
def test_untrained_network_of_every_family(
    noise: Stimuli, family: str, architecture: str, widths: dict[str, int], count: int
) -> None:
    model = make(family, architecture, untrained=0)
    assert len(model.layers) == count
    assert model.layers[-1] == "output"
    features = model.features(noise, model.layers)
    assert {layer: features[layer].shape[1] for layer in widths} == widths
    for layer in model.layers[:-1]:
        assert features[layer].std(axis=0).max() > 0, layer


@pytest.mark.parametrize("architecture", ["resnet18", "squeezenet1_1", "densenet121", "alexnet"])
def test_pre_logits_are_what_the_classifier_reads(noise: Stimuli, architecture: str) -> None:
    model = make("torchvision", architecture, untrained=0)
    found = model.features(noise, ["pre_logits", "output"])
    classifier = [m for m in model.network.modules() if isinstance(m, (nn.Linear, nn.Conv2d))][-1]
    weight, bias = classifier.weight.flatten(1).numpy(), classifier.bias.numpy()
    logits = found["pre_logits"] @ weight.T + bias
    if architecture == "squeezenet1_1":  # a ReLU stands between its convolution and the mean over space
        return
    assert np.allclose(logits, found["output"], atol=1e-4)


def test_class_token_of_a_transformer_and_positions_of_swin(noise: Stimuli) -> None:
    seen: dict[str, torch.Tensor] = {}
    for architecture, path in [
        ("vit_tiny_patch16_224", "blocks.3"),
        ("swin_tiny_patch4_window7_224", "layers.1"),
    ]:
        model = make("timm", architecture, untrained=0)
        handle = model.network.get_submodule(path).register_forward_hook(
            lambda _m, _i, out, key=architecture: seen.__setitem__(key, out.clone())
        )
        found = model.features(noise, [path])[path]
        handle.remove()
        if architecture.startswith("vit"):
            assert np.allclose(found, seen[architecture][:, 0], atol=1e-6)
        else:
            assert np.allclose(found, seen[architecture].mean((1, 2)), atol=1e-5)


def test_layers_may_be_named_and_pooling_chosen(noise: Stimuli) -> None:
    params = {"layers": ["layer1.0.conv1", "layer4.1"], "pooling": "max"}
    model = make("torchvision", "resnet18", untrained=0, params=params)
    assert model.layers == ("layer1.0.conv1", "layer4.1", "output")
    assert {k: v.shape[1] for k, v in model.features(noise, model.layers).items()} == {
        "layer1.0.conv1": 64,
        "layer4.1": 512,
        "output": 1000,
    }


def test_explicit_preprocessing_of_a_wide_image() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8))
    squash = make(
        "torchvision",
        "resnet18",
        untrained=0,
        params={"preprocessing": {"resize": [64, 64], "mean": [0, 0, 0], "std": [1, 1, 1]}},
    ).preprocess(image)
    side = image.resize((64, 64), Image.Resampling.BILINEAR)
    assert np.allclose(squash.numpy(), np.asarray(side).transpose(2, 0, 1) / 255, atol=1e-6)
    keep = make("torchvision", "resnet18", untrained=0, params={"preprocessing": HALF}).preprocess(image)
    middle = image.resize((128, 64), Image.Resampling.BILINEAR).crop((32, 0, 96, 64))
    assert np.allclose(keep.numpy(), np.asarray(middle).transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)


def test_preprocessing_is_that_of_the_library() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    weights = torchvision.models.ResNet50_Weights
    for name in ("IMAGENET1K_V1", "IMAGENET1K_V2"):
        model = make("torchvision", "resnet50", untrained=0, params={"preprocessing": name})
        assert torch.equal(model.preprocess(image), weights[name].transforms()(image))
    a1 = make("timm", "resnet50", untrained=0, params={"preprocessing": "a1_in1k"})
    config = timm.data.resolve_model_data_config(timm.create_model("resnet50.a1_in1k"))
    assert torch.equal(a1.preprocess(image), timm.data.create_transform(**config)(image))
    assert a1.preprocessing != make("timm", "resnet50.tv_in1k", untrained=0).preprocessing


def test_taskonomy_is_scaled_to_minus_one_to_one() -> None:
    model = make("taskonomy", untrained=0, params={"feature": "class_object"})
    white = model.preprocess(Image.new("RGB", (300, 256), "white"))
    assert white.shape == (3, 256, 256)
    assert white.min() == white.max() == 1
    assert model.preprocess(Image.new("RGB", (256, 256), "black")).max() == -1


def test_taskonomy_representation_agrees_with_visualpriors(noise: Stimuli) -> None:
    model = make("taskonomy", untrained=3, params={"feature": "normal"})
    assert model.layers[0] == "layer1.0"
    assert model.layers[-2:] == ("layer4.2", "output")
    found = model.features(noise, ["output"])["output"]
    with seeded(3):
        encoder = TaskonomyEncoder()
    batch = torch.stack([model.preprocess(noise.image(i)) for i in range(2)])
    with torch.no_grad():
        assert np.allclose(found, encoder(batch).flatten(1), atol=1e-4)


def association_file(path: Path, metadata: dict[str, str] | None) -> Path:
    with seeded(1):
        state = {f"encoder.{k}": v.contiguous() for k, v in TaskonomyEncoder().state_dict().items()}
        state |= {"head.weight": torch.randn(3, 2048), "head.bias": torch.randn(3)}
    save_file(state, path, metadata)
    return path


def test_swow_assoc_reads_its_vocabulary(noise: Stimuli, tmp_path: Path) -> None:
    path = association_file(tmp_path / "swow.safetensors", {"vocabulary": '["cat", "dog", "bone"]'})
    model = make("swow_assoc", weights=path)
    assert model.layers[-2:] == ("features", "output")
    features = model.features(noise, ["features", "output"])
    assert features["features"].shape == (2, 2048)
    associations = model.associations(features["output"])
    assert associations is not None
    assert associations.vocabulary == ("cat", "dog", "bone")
    assert np.allclose(associations.strengths.sum(1), 1)
    assert np.array_equal(associations.strengths.argsort(1), features["output"].argsort(1))


def test_swow_assoc_without_a_vocabulary_is_refused(tmp_path: Path) -> None:
    for metadata in (None, {"vocabulary": "[1, 2]"}, {"vocabulary": '["a", "a", "b"]'}):
        model = make("swow_assoc", weights=association_file(tmp_path / "w.safetensors", metadata))
        with pytest.raises(BenchError, match=r"w\.safetensors.*vocabulary"):
            _ = model.layers


def test_untrained_swow_assoc_has_no_associations(noise: Stimuli) -> None:
    model = make("swow_assoc", untrained=0)
    output = model.features(noise, ["output"])["output"]
    assert output.shape == (2, 2048)
    assert model.associations(output) is None


def test_classes_are_wordnet_ids_and_probabilities_sum_to_one(noise: Stimuli) -> None:
    model = make("torchvision", "squeezenet1_1", untrained=0, params={"classes": "imagenet-1k"})
    output = model.features(noise, ["output"])["output"]
    found = model.classify(output)
    assert found is not None
    assert found.class_ids[:2] == ("n01440764", "n01443537")
    assert list(found.class_ids) == sorted(found.class_ids)
    assert np.allclose(found.probabilities.sum(1), 1)
    assert np.array_equal(found.probabilities.argmax(1), output.argmax(1))
    assert make("torchvision", "squeezenet1_1", untrained=0).classify(output) is None
    with pytest.raises(UsageError, match="965 outputs"):
        model.classify(output[:, :965])


@pytest.mark.human_data
def test_class_ids_are_in_the_order_of_the_images(human_data: Path) -> None:
    lines = (human_data / "imagenet-sample" / "classes.csv").read_text().splitlines()[1:]
    model = make("torchvision", "squeezenet1_1", untrained=0, params={"classes": "imagenet-1k"})
    found = model.classify(np.zeros((1, 1000), np.float32))
    assert found is not None
    assert [line.split(",")[1] for line in lines] == list(found.class_ids)


def random_state(network: nn.Module, seed: int = 7) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        key: torch.rand(value.shape, generator=generator) if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }


@pytest.mark.parametrize("family", ["torchvision", "timm"])
def test_weights_of_a_file(noise: Stimuli, tmp_path: Path, family: str) -> None:
    state = random_state(
        torchvision.models.resnet18() if family == "torchvision" else timm.create_model("resnet18")
    )
    save_file(state, tmp_path / "w.safetensors")
    model = make(family, "resnet18", weights=tmp_path / "w.safetensors", params={"preprocessing": HALF})
    assert torch.equal(model.network.state_dict()["layer2.0.conv1.weight"], state["layer2.0.conv1.weight"])
    assert not model.network.training
    del state["fc.bias"]
    save_file(state, tmp_path / "short.safetensors")
    short = make(family, "resnet18", weights=tmp_path / "short.safetensors", params={"preprocessing": HALF})
    with pytest.raises(BenchError, match=r"short\.safetensors.*missing: fc\.bias"):
        short.features(noise, ["output"])


def names_of_efficientnet_pytorch(network: nn.Module) -> list[str]:
    """The names of the weights in that library, in the order in which both libraries define the modules."""
    expanding = ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
    modules = ["_conv_stem", "_bn0"]
    flat = [block for stage in network.blocks for block in stage]
    for number, block in enumerate(flat):
        own = expanding if hasattr(block, "conv_pwl") else expanding[2:]
        modules += [f"_blocks.{number}.{name}" for name in own]
    statistics = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    names = []
    for module in [*modules, "_conv_head", "_bn1"]:
        names += [f"{module}.{last}" for last in (statistics if "_bn" in module else ["weight"])]
    return [*names, "_fc.weight", "_fc.bias"]


def test_weights_under_the_names_of_efficientnet_pytorch(tmp_path: Path) -> None:
    network = timm.create_model("tf_efficientnet_lite1")
    state = random_state(network)
    by_place = dict(zip(names_of_efficientnet_pytorch(network), state.values(), strict=True))
    torch.save(by_place, tmp_path / "w.pth")

    def loaded(file: str) -> nn.Module:
        plugin = load_plugin("models/timm_models.py:EfficientNetPyTorch", ROOT)
        params = {"architecture": "tf_efficientnet_lite1", "preprocessing": HALF}
        return plugin(ModelSpec("lite", params, weights=tmp_path / file)).network

    found = loaded("w.pth").state_dict()
    assert list(found) == list(state)
    assert all(torch.equal(found[name], state[name]) for name in state)
    torch.save(
        {**by_place, "_blocks.99._bn1.weight": torch.zeros(3), "odd": torch.zeros(1)}, tmp_path / "more.pth"
    )
    with pytest.raises(BenchError, match=r"left over: _blocks\.99\._bn1\.weight, odd"):
        loaded("more.pth")
    del by_place["_blocks.3._bn0.bias"]
    torch.save(by_place, tmp_path / "less.pth")
    with pytest.raises(BenchError, match=r"missing: blocks\.1\.2\.bn1\.bias"):
        loaded("less.pth")


def test_weights_of_a_file_need_their_preprocessing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"params\.preprocessing"):
        make("timm", "resnet18", weights=tmp_path / "w.safetensors")


@pytest.fixture
def torch_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where torch.hub looks, empty, and no network behind it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*_args: object, **_kwargs: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def hub_name(family: str) -> str:
    url = (
        torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url
        if family == "torchvision"
        else TASKONOMY_PRETRAINED_URLS["curvature_encoder"]
    )
    return url.rpartition("/")[2]


def hub_model(family: str) -> NetworkModel:
    if family == "torchvision":
        return make(family, "squeezenet1_1", hub="IMAGENET1K_V1")
    return make(family, hub="curvature", params={"feature": "curvature"})


@pytest.mark.parametrize("family", ["torchvision", "taskonomy"])
def test_hub_weights_load_from_where_torch_hub_looks(noise: Stimuli, torch_home: Path, family: str) -> None:
    network = torchvision.models.squeezenet1_1() if family == "torchvision" else TaskonomyEncoder()
    state = random_state(network)
    torch.save(state if family == "torchvision" else {"state_dict": state}, torch_home / hub_name(family))
    model = hub_model(family)
    key = next(iter(state))
    assert torch.equal(model.network.state_dict()[key], state[key])
    assert model.features(noise, model.layers[:1])


@pytest.mark.parametrize("family", ["torchvision", "taskonomy"])
def test_hub_weights_that_cannot_be_had_say_where_they_belong(
    noise: Stimuli, torch_home: Path, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotPossible) as caught:
        hub_model(family).features(noise, ["output"])
    assert str(torch_home / hub_name(family)) in str(caught.value)
    assert "https://" in str(caught.value)
    assert capsys.readouterr().out == ""


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("family", ["torchvision", "taskonomy"])
def test_hub_file_that_would_run_code_is_refused(
    noise: Stimuli, torch_home: Path, tmp_path: Path, family: str
) -> None:
    torch.save({"features.0.weight": Evil(tmp_path / "made")}, torch_home / hub_name(family))
    with pytest.raises(BenchError, match="refused"):
        hub_model(family).features(noise, ["output"])
    assert not (tmp_path / "made").exists()


def test_hub_file_whose_keys_do_not_match_names_them(noise: Stimuli, torch_home: Path) -> None:
    state = random_state(torchvision.models.squeezenet1_1())
    del state["classifier.1.bias"]
    torch.save(state, torch_home / hub_name("torchvision"))
    with pytest.raises(BenchError, match=r"classifier\.1\.bias"):
        hub_model("torchvision").features(noise, ["output"])


def test_timm_and_open_clip_load_from_the_hugging_face_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub = {"hub": "lamb_in1k"}
    with pytest.raises(NotPossible, match=r"models--timm--mobilenetv3_small_050\.lamb_in1k"):
        _ = make("timm", "mobilenetv3_small_050", **hub).network
    with pytest.raises(NotPossible, match="models--timm--vit_base_patch32_clip_224"):
        _ = make("open_clip", "ViT-B-32-quickgelu", hub="openai").network
    folder = tmp_path / "models--timm--mobilenetv3_small_050.lamb_in1k"
    revision = "0" * 40
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    (folder / "snapshots" / revision).mkdir(parents=True)
    state = random_state(timm.create_model("mobilenetv3_small_050"))
    save_file(state, folder / "snapshots" / revision / "model.safetensors")
    network = make("timm", "mobilenetv3_small_050", **hub).network
    assert torch.equal(network.state_dict()["conv_stem.weight"], state["conv_stem.weight"])


def test_a_revision_is_the_commit_that_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = tmp_path / "models--timm--mobilenetv3_small_050.lamb_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("b" * 40)
    for seed, revision in enumerate(("a" * 40, "b" * 40)):
        (folder / "snapshots" / revision).mkdir(parents=True)
        state = random_state(timm.create_model("mobilenetv3_small_050"), seed)
        save_file(state, folder / "snapshots" / revision / "model.safetensors")
    for revision, seed in (("a" * 40, 0), (None, 1)):
        made = make("timm", "mobilenetv3_small_050", hub="lamb_in1k", revision=revision).network
        expected = random_state(timm.create_model("mobilenetv3_small_050"), seed)
        assert torch.equal(made.state_dict()["conv_stem.weight"], expected["conv_stem.weight"]), revision


@pytest.mark.slow
def test_open_clip_loads_from_the_hugging_face_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import open_clip

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    clip = open_clip.create_model("ViT-B-32-quickgelu", load_weights=False)
    for seed, revision in enumerate(("a" * 40, "b" * 40)):
        folder = tmp_path / "models--timm--vit_base_patch32_clip_224.openai"
        (folder / "snapshots" / revision).mkdir(parents=True)
        state = random_state(clip, seed)
        save_file(state, folder / "snapshots" / revision / "open_clip_model.safetensors")
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("b" * 40)
    for revision, seed in (("a" * 40, 0), (None, 1)):
        made = make("open_clip", "ViT-B-32-quickgelu", hub="openai", revision=revision).network
        expected = random_state(clip, seed)["visual.conv1.weight"]
        assert torch.equal(made.state_dict()["conv1.weight"], expected), revision


def test_a_hub_file_with_another_checksum_is_refused_and_kept_aside(
    torch_home: Path, bench: Any, tmp_path: Path
) -> None:
    file = torch_home / "alexnet-owt-7be5be79.pth"
    file.write_bytes(b"not these weights")
    found = hashlib.sha256(b"not these weights").hexdigest()
    registry = tmp_path / "mine.yaml"
    registry.write_text(
        "models:\n"
        "  mine:\n"
        "    plugin: models/torchvision_models.py:Torchvision\n"
        "    params: {architecture: alexnet}\n"
        '    checkpoint: {hub: IMAGENET1K_V1, sha256: "7be5be79"}\n'
    )
    asked = ("--registry", registry, "--output", tmp_path / "results", "--format", "json")
    (cell,) = bench("run", "-m", "mine", "-t", "people_rdm", *asked).cells
    assert cell["status"] == "not_possible"
    assert f"has sha256 {found}, the registry says 7be5be79" in cell["reason"]
    assert not file.exists()
    assert (torch_home / "alexnet-owt-7be5be79.pth.rejected").read_bytes() == b"not these weights"


@pytest.mark.parametrize(
    ("family", "architecture", "spec", "says"),
    [
        ("torchvision", "resnet51", {"untrained": 0}, r"no architecture 'resnet51'.*resnet50"),
        ("timm", "mobilnetv2_100", {"untrained": 0}, r"mobilenetv2_100"),
        ("open_clip", "ViT-B-33", {"untrained": 0}, r"ViT-B-32"),
        ("torchvision", "resnet18", {"hub": "V9"}, r"no weights 'V9'.*IMAGENET1K_V1"),
        ("timm", "resnet50", {"hub": "v9"}, r"no weights 'v9'.*a1_in1k"),
        ("open_clip", "ViT-B-32", {"hub": "v9"}, r"no weights 'v9'.*laion2b"),
        ("torchvision", "resnet18", {}, "no weights; give a checkpoint"),
        ("torchvision", "resnet18", {"params": {"pooled": "max"}}, r"params\.pooled"),
        ("torchvision", "resnet18", {"params": {"preprocessing": {"resize": 0}}}, r"params\.preprocessing"),
        ("taskonomy", None, {"params": {"feature": "class_objet"}}, "class_object"),
    ],
)
def test_unusable_entries_say_what_is_wrong(
    family: str, architecture: str | None, spec: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        _ = make(family, architecture, **spec).network
    assert "\n" not in str(caught.value)


def test_entries_of_the_registry_build_with_the_parameters_they_state() -> None:
    registry = load_registry()
    for name in ("squeezenet1_0", "mobilenetv2_100", "mobilenetv1_100", "alexnet"):
        placed = registry.model(f"{name}@untrained:0", "human")
        model = placed.load()(ModelSpec(name, placed.entry.params, untrained=0))
        count = sum(p.numel() for p in model.network.parameters())
        assert count == placed.entry.parameters, name
