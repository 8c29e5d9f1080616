"""``bench add LIBRARY:ARCHITECTURE --weights FILE``: checkpoints as training code writes them."""

from __future__ import annotations

import argparse
import io

import pytest
import torch
import yaml

from benchmark.registry import load_registry

PREPROCESS = "{resize: 64, crop: 56, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}"


def network() -> torch.nn.Module:
    import torchvision

    return torchvision.models.squeezenet1_1(num_classes=10)


def under(prefix: str, state: dict) -> dict:
    return {f"{prefix}{key}": value for key, value in state.items()}


def averaged(state: dict) -> dict:
    return {"n_averaged": torch.tensor(3), **under("module.", state)}


#: What is in the file, and what the output says of it
FILES = {
    "plain": (lambda s: s, []),
    "lightning": (
        lambda s: {"state_dict": under("model.", s), "epoch": 3, "callbacks": {}},
        ["under state_dict", "model. before every key"],
    ),
    "distributed and compiled": (
        lambda s: {"model_state_dict": under("module._orig_mod.", s), "optimizer": {"state": {}}},
        ["under model_state_dict", "module._orig_mod. before every key"],
    ),
    "an encoder": (lambda s: {"model": under("encoder.", s)}, ["under model", "encoder. before every key"]),
    "a backbone": (lambda s: under("backbone.", s), ["backbone. before every key"]),
    "averaged": (lambda s: {"ema": averaged(s)}, ["under ema", "module. before every key"]),
    "nested": (lambda s: {"ema": {"state_dict": s}}, ["under ema.state_dict"]),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add(bench, *more: str):
    return bench("add", "torchvision:squeezenet1_1", "--weights", "mynet.pth", *more)


@pytest.mark.parametrize("kind", FILES)
def test_checkpoints_as_training_code_writes_them(bench, here, kind):
    wrap, said = FILES[kind]
    state = network().state_dict()
    torch.save(wrap(state), "mynet.pth")
    done = add(bench, "--preprocess", PREPROCESS)
    assert done.status == 0, done.err
    for words in said:
        assert words in done.out
    assert "classes: 10, read off classifier.1.weight" in done.out
    placed = load_registry([here / "mine.yaml"]).model("squeezenet1_1_mynet")
    assert placed.entry.params["kwargs"] == {"num_classes": 10}
    assert placed.entry.params["preprocessing"]["crop"] == 56
    assert placed.entry.parameters == sum(value.numel() for value in state.values())
    from benchmark.model import ModelSpec

    spec = ModelSpec("mine", placed.entry.params, weights=here / "mynet.pth")
    loaded = placed.load()(spec).network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


@pytest.mark.slow
def test_a_network_of_ones_own_is_scored_beside_its_twin(bench, here):
    torch.save({"state_dict": under("module.", network().state_dict())}, "mynet.pth")
    assert add(bench, "--preprocess", PREPROCESS, "--name", "mine").status == 0
    ran = bench("run", "--registry", "mine.yaml", "--model", "mine,mine@untrained:0", "--task", "people_rdm",
                "--format", "json", "--device", "cpu")  # fmt: skip
    assert [cell["status"] for cell in ran.cells] == ["scored", "scored"], ran.cells
    assert ran.cells[0]["score"] != ran.cells[1]["score"]


def test_of_two_sets_of_weights_the_user_says_which(bench, here):
    raw, ema = network().state_dict(), network().state_dict()
    torch.save({"state_dict": raw, "state_dict_ema": ema}, "mynet.pth")
    done = add(bench, "--preprocess", PREPROCESS)
    assert done.status == 2
    assert "weights at state_dict and state_dict_ema: say which (bench add: --part" in done.err
    assert add(bench, "--preprocess", PREPROCESS, "--part", "state_dict_ema").status == 0
    entry = yaml.safe_load((here / "mine.yaml").read_text())["models"]["squeezenet1_1_mynet"]
    assert entry["params"]["part"] == "state_dict_ema"


def test_a_shell_that_cannot_be_asked_gets_the_option_in_one_line(bench, here, monkeypatch):
    torch.save(network().state_dict(), "mynet.pth")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = add(bench)
    assert done.status == 2
    assert "--preprocess IMAGENET1K_V1 (ImageClassification( crop_size=[224]" in done.err
    assert done.err.count("\n") == 1
    assert not (here / "mine.yaml").exists()


def test_a_user_at_a_terminal_is_asked_and_told_the_default(bench, here, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    torch.save(network().state_dict(), "mynet.pth")
    monkeypatch.setattr("sys.stdin", Terminal("\n"))
    done = add(bench)
    assert done.status == 0, done.err
    assert "the preprocessing of IMAGENET1K_V1 is" in done.out
    entry = yaml.safe_load((here / "mine.yaml").read_text())["models"]["squeezenet1_1_mynet"]
    assert entry["params"]["preprocessing"] == "IMAGENET1K_V1"


WRONG = {
    "a part that is missing": (
        lambda s: dict(list(under("encoder.", s).items())[:-1]),
        [],
        "(without the 'encoder.' before every key); keys missing: classifier.1.bias; the file has encoder.f",
    ),
    "another network": (
        lambda s: {"model": {"stem.weight": torch.zeros(1), "stem.bias": torch.zeros(1)}},
        [],
        "keys missing: features.0.weight, features.0.bias, features.3.squeeze.weight and 49 more; left over: "
        "stem.weight, stem.bias",
    ),
    "keys before some": (
        lambda s: {**under("encoder.", s), "head.weight": torch.zeros(1)},
        [],
        "left over: encoder.features.0.weight",
    ),
    "no weights": (lambda s: {"epoch": 3}, [], "holds no state dict"),
    "a part that is not there": (lambda s: {"ema": s}, ["--part", "emma"], "has no part 'emma'; it holds"),
    "arguments as code": (
        lambda s: {"model": s, "args": argparse.Namespace(lr=1)},
        [],
        "would run code that the file names (GLOBAL argparse.Namespace)",
    ),
    "a whole network": (lambda s: network(), [], "(GLOBAL torchvision.models.squeezenet.SqueezeNet)"),
    "keys unknown": (lambda s: s, ["--preprocess", "{resize: 8, crops: 3}"], "the keys are resize, crop"),
    "weights unknown": (lambda s: s, ["--preprocess", "V9"], "no weights 'V9' for squeezenet1_1; it has IMA"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_used_is_one_line_and_writes_nothing(bench, here, kind):
    wrap, options, said = WRONG[kind]
    torch.save(wrap(network().state_dict()), "mynet.pth")
    done = add(bench, *([] if "--preprocess" in options else ["--preprocess", PREPROCESS]), *options)
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (here / "mine.yaml").exists()


def test_a_network_of_timm_knows_its_classes(bench, here):
    import timm

    torch.save(timm.create_model("mobilenetv3_small_050", num_classes=7).state_dict(), "w.pt")
    done = bench("add", "timm:mobilenetv3_small_050", "--weights", "w.pt", "--preprocess", "lamb_in1k")
    assert done.status == 0, done.err
    assert "kwargs: {num_classes: 7}" in done.out


@pytest.mark.slow
def test_the_image_tower_of_a_whole_clip_network(bench, here):
    import open_clip

    clip = open_clip.create_model("RN50", load_weights=False)
    torch.save({"name": "mine", "state_dict": under("module.", clip.state_dict())}, "clip.pt")
    done = bench("add", "open_clip:RN50", "--weights", "clip.pt", "--preprocess", "openai")
    assert done.status == 0, done.err
    assert "module.visual. before every key is left out" in done.out
