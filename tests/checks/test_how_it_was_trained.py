"""A network that gets other images than in training fails, where that can be seen; a sound one never does."""

from __future__ import annotations

import pytest
import torch

from benchmark.checks import normalisation, padding
from benchmark.extraction import Preprocessing
from benchmark.registry import shipped_root

PLUGIN = f"""
import runpy
from torch import nn

shipped = runpy.run_path({str(shipped_root() / "models" / "miniature.py")!r})


class Sound(shipped["Classifier"]):
    pass


class ZeroToOne(Sound):
    def preprocess(self, image):
        return (super().preprocess(image) + 1) / 2


class Folded(Sound):
    def build(self):
        network = super().build()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.zero_()
                module.running_var.fill_(1)
        return network


class Encoder(shipped["ObjectEncoder"]):
    pass


class EncoderZeroToOne(Encoder):
    def preprocess(self, image):
        return (super().preprocess(image) + 1) / 2
"""


@pytest.fixture
def own(tmp_path, bench, monkeypatch):
    """``own(Class)``: result and detail of each check of that class, by its name."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))

    def check(name: str) -> dict[str, tuple[str, str]]:
        import benchmark

        file = "mini_encoder" if name.startswith("Encoder") else "mini_classifier"
        weights = shipped_root() / "models" / "weights" / f"{file}.safetensors"
        (tmp_path / "mine.yaml").write_text(
            f"models:\n  mine:\n    plugin: mine.py:{name}\n    checkpoint: {{file: {weights}}}\n"
        )
        found = benchmark.check("mine", registries=[tmp_path / "mine.yaml"])
        return {check.name: (check.status.value, check.detail) for check in found}

    return check


def test_a_sound_network_passes(own):
    found = own("Sound")
    assert found[normalisation.NAME][0] == "pass"
    assert found["alternatives"][0] == "pass", found["alternatives"]


@pytest.mark.parametrize("plugin", ["ZeroToOne", "EncoderZeroToOne"])
def test_another_normalisation_shows_in_batch_normalisation(own, plugin):
    status, detail = own(plugin)[normalisation.NAME]
    assert status == "fail"
    assert "mean and std 0.5" in detail


def test_what_recognises_more_images_is_named(own):
    status, detail = own("ZeroToOne")["alternatives"]
    assert status == "fail"
    assert "mean and std 0.5" in detail


def test_folded_statistics_are_not_read(own):
    status, detail = own("Folded")[normalisation.NAME]
    assert (status, "not possible" in detail) == ("skip", True)


@pytest.mark.parametrize(
    ("preprocess", "said"),
    [
        ("functional.to_tensor(small) * 255 / 0.225", "standard deviations"),
        ("(functional.to_tensor(small) - 115) / 58", "scale of pixels from 0 to 1"),
        ("functional.to_tensor(small) * 0.001", "standard deviations"),
    ],
)
def test_values_on_no_scale_fail(tmp_path, bench, preprocess, said):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\nfrom torchvision.transforms import functional\n"
        "from benchmark.extraction import NetworkModel\n\n\n"
        "class Mine(NetworkModel):\n    preprocessing = 'own'\n\n"
        "    def build(self):\n        return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.ReLU())\n\n"
        "    def preprocess(self, image):\n        small = functional.resize(image, [64, 64])\n"
        f"        return {preprocess}\n\n"
        "    def modules(self):\n        return {'one': '0'}\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "models:\n  mine:\n    plugin: mine.py:Mine\n    checkpoint: {untrained: 0}\n"
    )
    done = bench("check-model", "mine", "--registry", tmp_path / "mine.yaml", "--device", "cpu")
    assert done.status == 1
    assert said in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("mean", "std", "named"),
    [
        ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375], "123.675"),
        ([0.485, 0.456, 0.406], [0.229, 0.224, 57.375], "57.375"),
        ([-0.1, 0.5, 0.5], [0.5, 0.5, 0.5], "-0.1"),
        ([0.5, 0.5, 0.5], [0.5, 0.0, 0.5], "0.0"),
    ],
)
def test_statistics_off_the_scale_are_refused_in_one_line(bench, tmp_path, mean, std, named):
    (tmp_path / "mine.yaml").write_text(
        "models:\n  mine:\n    plugin: models/timm_models.py:Timm\n    checkpoint: {untrained: 0}\n"
        "    params:\n      architecture: mobilenetv3_small_050\n"
        f"      preprocessing: {{resize: 64, crop: 64, mean: {mean}, std: {std}}}\n"
    )
    for command in (["check-model", "mine"], ["run", "--model", "mine", "--task", "people_rdm"]):
        done = bench(*command, "--registry", tmp_path / "mine.yaml", "--device", "cpu")
        assert done.status != 0
        said = " ".join((done.out + done.err).split())
        assert f"{named} is not on the scale" in said
        assert "Traceback" not in said


def test_a_network_of_pixels_from_0_to_255_is_allowed():
    pixels = Preprocessing(resize=8, mean=(0.48, 0.46, 0.41), std=(1 / 255,) * 3)
    assert pixels.std == (1 / 255,) * 3


@pytest.mark.parametrize("size", [7, 8, 9, 14, 15])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (7, 2), (3, 3)])
def test_the_other_padding_is_that_of_tensorflow(size, kernel, stride):
    timm_layers = pytest.importorskip("timm.layers")
    ours = torch.nn.Conv2d(2, 3, kernel, stride, (stride - 1 + kernel - 1) // 2)
    theirs = timm_layers.Conv2dSame(2, 3, kernel, stride)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 2, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, symmetric = theirs(x), ours(x)
        with padding.other_padding(ours):
            assert torch.allclose(ours(x), expected, atol=1e-6)
        with padding.other_padding(theirs):
            assert torch.allclose(theirs(x), symmetric, atol=1e-6)
        assert torch.equal(ours(x), symmetric)
        assert torch.equal(theirs(x), expected)


def test_patches_of_a_transformer_have_no_other_padding():
    assert padding.padding_name(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 16, 16))) is None


@pytest.mark.slow
def test_a_mobilenet_without_the_padding_of_tensorflow_fails(bench, human_data, tmp_path):
    lines = (
        "models:\n  mine:\n    plugin: models/timm_models.py:Timm\n    params:\n"
        "      architecture: mobilenetv2_100\n      classes: imagenet-1k\n"
        "      preprocessing: {resize: 256, crop: 224, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}\n"
        "    checkpoint: {file: weights/mobilenetv2_100.coral_quant.safetensors}\n"
    )
    (tmp_path / "mine.yaml").write_text(lines)
    done = bench(
        "check-model", "mine", "--registry", tmp_path / "mine.yaml", "--data", human_data, "--device", "cpu"
    )
    assert done.status == 1
    assert "pad_type: same" in " ".join(done.out.split())
