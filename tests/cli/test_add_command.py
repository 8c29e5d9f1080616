"""``bench add`` writes an entry that loads, and leaves all else in the file as it was."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import yaml

from benchmark.registry import load_registry
from benchmark.submission import UNKNOWN


@pytest.fixture
def add(bench, tmp_path, monkeypatch):
    """``add(SPEC, ...)`` in an empty folder; gives the entry that was written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))

    def run(*arguments: object) -> tuple[str, dict]:
        done = bench("add", *arguments)
        assert done.status == 0, done.err
        models = yaml.safe_load((tmp_path / "mine.yaml").read_text())["models"]
        name = list(models)[-1]
        assert f"bench check-model {name} --registry mine.yaml" in done.out
        assert f"bench run --model {name} --task all --registry mine.yaml" in done.out
        load_registry([tmp_path / "mine.yaml"])
        return done.out, models[name]

    return run


def test_a_network_of_timm(add):
    out, entry = add("timm:mobilenetv3_small_050.lamb_in1k")
    assert entry["plugin"] == "models/timm_models.py:Timm"
    assert entry["params"]["preprocessing"] == "lamb_in1k"
    assert entry["params"]["layers"][-1] == "pre_logits"
    assert entry["params"]["classes"] == "imagenet-1k"
    assert entry["parameters"] == 1593224
    assert entry["licence"] == "apache-2.0"
    assert entry["trained_on"] == ["imagenet_1k"]
    assert "mean=tensor([0.4850, 0.4560, 0.4060])" in " ".join(out.split())
    assert "not pinned" in out


def test_a_network_of_torchvision_has_the_digits_of_its_file(add):
    out, entry = add("torchvision:squeezenet1_1.IMAGENET1K_V1")
    assert entry["checkpoint"]["sha256"] == "b8a52dc0"
    assert entry["licence"] == UNKNOWN
    assert "not known, fill in: licence, citation" in out


def test_weights_that_are_here_are_hashed(add, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "torch"), raising=False)
    file = tmp_path / "torch" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    _, entry = add("torchvision:squeezenet1_1")
    assert entry["checkpoint"]["sha256"] == hashlib.sha256(b"weights").hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", ["open_clip:RN50/openai", "taskonomy:normal", "hf-hub:timm/resnet18.a1_in1k"]
)
def test_the_other_libraries(add, spec):
    _, entry = add(spec)
    assert entry["parameters"] > 1e7
    assert entry["checkpoint"]["hub"] in ("openai", "normal", "a1_in1k")


def test_a_plugin_with_its_weights(add, bench, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\nfrom torchvision.transforms import functional\n"
        "from benchmark.extraction import NetworkModel, load_strictly, read_state_dict\n\n"
        "class Mine(NetworkModel):\n    '''A net of my own.'''\n    preprocessing = 'as it is, 0 to 1'\n"
        "    def build(self):\n"
        "        net = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten(), nn.Linear(256, 6))\n"
        "        if self.spec.weights:\n"
        "            load_strictly(net, read_state_dict(self.spec.weights), self.spec.weights)\n"
        "        return net\n"
        "    def preprocess(self, image):\n"
        "        return functional.to_tensor(functional.resize(image, [64, 64]))\n"
        "    def modules(self):\n        return {'one': '0'}\n"
    )
    from safetensors.torch import save_file
    from torch import nn

    net = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten(), nn.Linear(256, 6))
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    _, entry = add("mine.py:Mine", "--weights", "w.safetensors")
    assert entry["description"] == "A net of my own"
    assert entry["plugin"] == "mine.py:Mine"
    digest = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    assert entry["checkpoint"] == {"file": "w.safetensors", "sha256": digest}
    assert entry["params"]["layers"] == ["one"]
    assert entry["parameters"] == 4 * 193 + 257 * 6
    done = bench("check-model", "mine", "--registry", "mine.yaml", "--device", "cpu")
    assert done.status == 0, done.out


def test_a_feature_file(add, tmp_path):
    np.savez(tmp_path / "e.npz", ids=np.array(["a", "b"]), deep=np.eye(2))
    out, entry = add("features:e.npz", "--name", "closed")
    assert entry["checkpoint"]["file"] == "e.npz"
    assert "layers: deep" in out


FILES = {
    "comments and a second section": (
        "# mine\nmodels:\n    first:  # keep\n        plugin: models/pixels.py:Pixels\n"
        "        params: {}\n        # the end of first\n\n# suites\nsuites: {}\n"
    ),
    "no end of line": "models:\n  first: {plugin: models/pixels.py:Pixels}",
    "windows": "models:\r\n  first:\r\n    plugin: models/pixels.py:Pixels\r\ndatasets: {}\r\n",
    "no models": "# nothing yet\ntasks: {}\n",
    "empty": "",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_the_rest_of_the_file_stays_as_it_is(add, tmp_path, text):
    np.savez(tmp_path / "e.npz", ids=np.array(["a", "b"]), deep=np.eye(2))
    (tmp_path / "mine.yaml").write_bytes(text.encode())
    add("features:e.npz", "--name", "closed")
    after = (tmp_path / "mine.yaml").read_bytes().decode()
    assert set(text.splitlines()) <= set(after.splitlines())
    kept = [line for line in after.splitlines() if line in text.splitlines()]
    assert [line for line in kept if line] == [line for line in text.splitlines() if line]
    assert ("\r\n" in after) == ("\r\n" in text)
    assert "closed" in yaml.safe_load(after)["models"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["timm:resnet_50"], "did you mean resnet50"),
        (["torchvision:resnet50.V3"], "it has IMAGENET1K_V1"),
        (["open_clip:RN50/opena"], "it has openai"),
        (["taskonomy:nothing"], "there is"),
        (["hf-hub:somebody/net"], "write a plug-in"),
        (["gone.py:Mine"], "is not there"),
        (["features:gone.npz"], "is not there"),
        (["resnet50"], "cannot read 'resnet50'; write timm:NAME.TAG"),
        (["taskonomy:normal", "--weights", "w.pt"], "goes with"),
        (["timm:resnet18", "--preprocess", "a1_in1k"], "belong to --weights"),
        (["features:e.npz", "--name", "pixels"], "the name pixels is taken"),
        (["features:e.npz", "--name", "../x"], "is no name"),
    ],
)
def test_what_cannot_be_added_is_one_line_and_writes_nothing(bench, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "e.npz", ids=np.array(["a", "b"]), deep=np.eye(2))
    done = bench("add", *arguments)
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "mine.yaml").exists()


def test_a_file_in_braces_is_refused_and_left(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "e.npz", ids=np.array(["a", "b"]), deep=np.eye(2))
    (tmp_path / "mine.yaml").write_text("models: {a: {plugin: models/pixels.py:Pixels}}\n")
    done = bench("add", "features:e.npz")
    assert done.status == 2
    assert "not in braces" in done.err
    assert (tmp_path / "mine.yaml").read_text() == "models: {a: {plugin: models/pixels.py:Pixels}}\n"
