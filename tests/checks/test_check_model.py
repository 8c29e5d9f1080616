"""Every fault that the checks are for is caught in a user's plug-in, and a sound one passes."""

from __future__ import annotations

import pytest

PLUGIN = """
import numpy as np
import torch
from torch import nn
from torchvision.transforms import functional
from benchmark.extraction import NetworkModel, read_state_dict
from benchmark.model import ClassProbabilities


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(12, 12)

    def forward(self, x):
        return x + self.mix(x).tanh() + x.mean(1, keepdim=True)


class Tokens(nn.Module):
    first = "token"

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, 12))
        self.blocks = nn.Sequential(Block(), Block())
        self.unused = nn.Linear(3, 3)
        self.head = nn.Linear(12, 5)

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2)
        token = self.token.expand(len(x), -1, -1)
        x = torch.cat([token, x] if self.first == "token" else [x, token], 1)
        return self.head(self.blocks(x)[:, 0])


class Sound(NetworkModel):
    preprocessing = "64 x 64, scaled to [-1, 1]"
    pooling = "cls"
    prefix_tokens = 1

    def build(self):
        return Tokens()

    def preprocess(self, image):
        return functional.to_tensor(functional.resize(image, [64, 64])) * 2 - 1

    def modules(self):
        return {"one": "blocks.0", "two": "blocks.1"}


class Dropout(Sound):
    def forward(self, batch):
        return nn.functional.dropout(super().forward(batch), 0.5, training=True)


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 8, 8, 8)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        self.norm.train()
        return self.norm(self.one(x)).mean((2, 3))


class TrainMode(Sound):
    pooling = "average"

    def build(self):
        return Normed()

    def modules(self):
        return {"one": "one", "norm": "norm"}


class SequenceFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 32, 32)
        self.block = nn.Linear(12, 12)

    def forward(self, image):
        x = self.patches(image).flatten(2).permute(2, 0, 1)  # four tokens, as many as there are stimuli
        return self.block(x).mean(0)


class Transposed(Sound):
    pooling = "average"

    def build(self):
        return SequenceFirst()

    def modules(self):
        return {"one": "block"}


class LastToken(Tokens):
    first = "patch"


class NoClassToken(Sound):
    def build(self):
        return LastToken()


class Constant(Sound):
    def pool_layer(self, layer, activation):
        found = super().pool_layer(layer, activation)
        return torch.ones_like(found) if layer == "two" else found


class NaN(Sound):
    def pool_layer(self, layer, activation):
        return super().pool_layer(layer, activation) * (float("nan") if layer == "two" else 1)


class NeverCalled(Sound):
    def modules(self):
        return {**super().modules(), "three": "unused"}


class NoSuchLayer(Sound):
    def modules(self):
        return {**super().modules(), "three": "blocks.7"}


class Unseeded(Sound):
    def forward(self, batch):
        return super().forward(batch + torch.rand(1))


class Cropped(Sound):
    def preprocess(self, image):
        return functional.to_tensor(image)


class Fraction(Sound):
    def classify(self, output):
        return ClassProbabilities(("a", "b", "c", "d", "e"), output)


class Lax(Sound):
    def build(self):
        network = Tokens()
        network.load_state_dict(read_state_dict(self.spec.weights), strict=False)
        return network


class Raises(Sound):
    def build(self):
        raise KeyError("no such thing")


class Timm(Sound):
    pooling = "average"

    def build(self):
        import timm

        return timm.create_model("mobilenetv3_small_050.lamb_in1k")

    def preprocess(self, image):
        return functional.to_tensor(functional.resize(image, [224, 224])) * 2 - 1

    def modules(self):
        return {"one": "blocks.1"}


"""


@pytest.fixture
def own(tmp_path, bench):
    """``own(Class)``: what ``bench check-model`` says of that class."""
    (tmp_path / "mine.py").write_text(PLUGIN)

    def check(name: str, *lines: str):
        entry = ["models:", "  mine:", f"    plugin: mine.py:{name}", *(f"    {line}" for line in lines)]
        (tmp_path / "mine.yaml").write_text("\n".join(entry) + "\n")
        return bench("check-model", "mine", "--registry", tmp_path / "mine.yaml", "--device", "cpu")

    return check


UNTRAINED = "checkpoint: {untrained: 0}"


def results(out: str) -> dict[str, str]:
    """Result by the name of the check."""
    rows = [line.split("  ") for line in out.splitlines()[2:]]
    return {row[0].strip(): next(w for w in row[1:] if w.strip()).strip() for row in rows if len(row) > 2}


def test_a_sound_plugin_passes_every_check(own):
    done = own("Sound", UNTRAINED)
    assert done.status == 0, done.out
    found = results(done.out)
    assert "fail" not in found.values()
    for name in ("weights", "layers", "not constant", "token axis", "class token", "twice", "alone"):
        assert found[name] == "pass", name
    assert found["in any order"] == found["eval mode"] == found["time and memory"] == "pass"
    assert "9 of 65" not in done.out
    assert "1 of 65 tokens, at the start, are the same" in done.out


@pytest.mark.parametrize(
    ("plugin", "check", "said"),
    [
        ("Dropout", "twice", "dropout"),
        ("TrainMode", "alone", "norm"),
        ("TrainMode", "eval mode", "norm"),
        ("Transposed", "token axis", "axis 1, not 0"),
        ("NoClassToken", "class token", "token 0 is a patch"),
        ("Constant", "not constant", "two"),
        ("NaN", "layers", "'two' gives NaN"),
        ("NeverCalled", "layers", "'three' is never called"),
        ("NoSuchLayer", "layers", "no module 'blocks.7'"),
        ("Unseeded", "twice", "output"),
        ("Cropped", "preprocessing", "other shapes"),
        ("Fraction", "known answers", "do not sum to one"),
        ("Raises", "weights", "KeyError"),
        ("Timm", "preprocessing", "not as timm has it for mobilenetv3_small_050.lamb_in1k"),
    ],
)
def test_each_fault_is_caught_by_its_check(own, plugin, check, said):
    done = own(plugin, UNTRAINED)
    assert done.status == 1, done.out
    assert results(done.out)[check] == "fail", done.out
    assert said in " ".join(done.out.split())


def save(folder, change=lambda state: state) -> None:
    import runpy

    from safetensors.torch import save_file

    network = runpy.run_path(str(folder / "mine.py"))["Tokens"]()
    save_file(change(network.state_dict()), folder / "w.safetensors")


def test_weights_that_did_not_all_arrive_are_named(own, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    save(tmp_path, lambda s: {k.replace("head.", "classifier."): v for k, v in s.items()})
    done = own("Lax", "checkpoint: {file: w.safetensors}")
    assert done.status == 1
    assert "2 of 11 tensors are random" in done.out
    assert "head.weight" in done.out
    assert "classifier.weight" in done.out
    save(tmp_path)
    done = own("Lax", "checkpoint: {file: w.safetensors}")
    assert done.status == 0, done.out


def test_a_wrong_number_of_parameters_is_another_network(own):
    done = own("Sound", UNTRAINED, "parameters: 7")
    assert done.status == 1
    assert "the entry says 7" in done.out


def test_a_preprocessing_that_the_entry_spells_out_is_a_note(bench, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "models:\n  mine:\n    plugin: models/timm_models.py:Timm\n"
        "    checkpoint: {untrained: 0}\n    params:\n"
        "      architecture: mobilenetv3_small_050\n"
        "      preprocessing: {resize: 96, crop: 96, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}\n"
    )
    done = bench("check-model", "mine", "--registry", tmp_path / "mine.yaml", "--device", "cpu")
    assert done.status == 0, done.out
    assert results(done.out)["preprocessing"] == "note"
    assert "it is meant" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["mini_clipp"], "did you mean mini_clip"), (["pixels@untrained:0"], "no untrained twin")],
)
def test_what_cannot_be_checked_is_one_line_and_status_2(bench, arguments, said):
    done = bench("check-model", *arguments, "--device", "cpu")
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_weights_that_are_not_there_are_status_2(own):
    done = own("Lax", "checkpoint: {file: nowhere.safetensors, how: ask}")
    assert done.status == 2
    assert "not there: ask" in done.err


def test_weights_of_another_sha256_are_refused(own, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    save(tmp_path)
    done = own("Lax", f"checkpoint: {{file: w.safetensors, sha256: {'ab' * 32}}}")
    assert done.status == 2
    assert "not the file that was registered" in done.err


def test_a_pickle_that_would_run_code_is_refused(own, tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    (tmp_path / "w.pt").write_bytes(pickle.dumps(Evil(), protocol=2))
    done = own("Lax", "checkpoint: {file: w.pt}")
    assert done.status == 1
    assert "refused" in done.out
    assert "\nran\n" not in done.out


def test_a_classifier_is_held_to_its_record(bench, tmp_path):
    root = "plugin: models/miniature.py:Classifier"
    for top1, status in (("0.85", 0), ("0.95", 1)):
        (tmp_path / "mine.yaml").write_text(
            f"models:\n  mine:\n    {root}\n    top1: {top1}\n    checkpoint: {{file: {weights()}}}\n"
        )
        done = bench("check-model", "mine", "--registry", tmp_path / "mine.yaml", "--device", "cpu")
        assert done.status == status, done.out
        assert f"the entry records {float(top1):.3f}" in " ".join(done.out.split())


def weights():
    from benchmark.registry import shipped_root

    return shipped_root() / "models" / "weights" / "mini_classifier.safetensors"
