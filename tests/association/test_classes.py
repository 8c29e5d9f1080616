"""A head that says what people say to the classes it sees."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmark.association.checkpoint import read_record
from benchmark.association.classes import CLASSES, class_mixture, mixture_logits, mixture_strengths
from benchmark.association.head import Features, fit_head
from benchmark.association.pipeline import TrainingPlan, train_associations
from benchmark.association.recipe import Recipe
from benchmark.association.sampling import Shares
from benchmark.association.targets import association_targets, class_profiles
from benchmark.cli import main
from benchmark.common.errors import BenchError, UsageError
from benchmark.datasets.readers.folders import image_folder
from benchmark.datasets.readers.imagenet import imagenet_names
from benchmark.datasets.root import DataRoot
from benchmark.extraction import NetworkModel
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin, load_registry

SAID = {"dog": {"bark": 6, "cat": 3, "pet": 1}, "banana": {"yellow": 7, "fruit": 3}, "sock": {"foot": 4}}


def write_norms(path: Path, said: dict[str, dict[str, int]]) -> Path:
    rows = [f"{cue}\t{word}\t{n}\t{sum(s.values())}" for cue, s in said.items() for word, n in s.items()]
    path.write_text("\n".join(["cue\tresponse\tR1\tN", *rows]) + "\n")
    return path


class Known(NetworkModel):
    """An encoder of ImageNet's classes."""

    preprocessing = ""

    def preprocess(self, image):
        raise NotImplementedError

    def build(self):
        return nn.Sequential(nn.Flatten(), nn.Linear(12, CLASSES))

    def classifier(self):
        return "1"

    def modules(self):
        return {}


@pytest.fixture
def known() -> Known:
    return Known(ModelSpec("known", untrained=0))


@pytest.mark.parametrize("loss", ["bce", "softmax", "mse"])
def test_the_head_begins_as_the_mixture_of_the_profiles_by_the_probabilities(known, loss) -> None:
    generator = torch.Generator().manual_seed(0)
    features = 9 * torch.randn(5, 12, generator=generator)
    profiles = torch.rand(4, 6, generator=generator).softmax(1)
    mean = profiles.mean(0)
    head = class_mixture(known, [3, 500, 7], profiles, mean, loss)
    with torch.no_grad():
        logits = torch.cat([known.network[1](features)[:, [3, 500, 7]], torch.zeros(5, 1)], 1)
        said = mixture_strengths(loss, head(features))
    assert torch.allclose(said, logits.softmax(1) @ ((profiles + 0.1 * mean) / 1.1), atol=1e-5)


@pytest.mark.parametrize("loss", ["bce", "softmax", "mse"])
def test_strengths_come_back_from_the_logits_without_a_floor(loss) -> None:
    """Zero is zero, and weak strengths keep their order; the logits stay finite."""
    strengths = torch.tensor([[0.0, 1e-9, 1e-8, 3e-7, 9.9e-7, 1.1e-6, 1e-3, 0.4, 0.99, 0.0]])
    logits = mixture_logits(loss, strengths)
    assert logits.isfinite().all()
    back = mixture_strengths(loss, logits.double())
    assert torch.allclose(back, strengths.double(), rtol=2e-6, atol=2e-12)
    assert back[0, [0, 9]].tolist() == [0, 0]
    assert (back[0, :-1].diff() > 0).all()


def test_the_model_gives_the_strengths_that_the_head_mixes(known, tmp_path) -> None:
    """A word with profile zero in every class gets strength zero from the plug-in too."""
    profiles = torch.tensor([[0.7, 0.3, 0.0], [0.1, 0.9, 0.0]])
    head = class_mixture(known, [3, 500], profiles, profiles.mean(0), "bce")
    with torch.no_grad():
        output = head(torch.randn(4, 12)).numpy()
    spec = ModelSpec("mine", weights=tmp_path / "mine.safetensors")
    model = load_plugin("models/swow_assoc.py:SwowAssociation", Path(__file__).parents[2])(spec)
    model.__dict__["vocabulary"] = ("a", "b", "c")
    model.__dict__["record"] = SimpleNamespace(loss="bce", classes="mixture")
    strengths = model.associations(output).strengths
    assert (strengths[:, 2] == 0).all()
    np.testing.assert_allclose(strengths.sum(axis=1), 1, atol=1e-5)


def test_what_people_say_and_what_was_known_stay_and_what_is_seen_is_learned(known) -> None:
    """Images whose cue is another class than the encoder takes them for: it learns which."""
    features = torch.randn(40, 12, generator=torch.Generator().manual_seed(1))
    profiles = torch.eye(2)
    head = class_mixture(known, [1, 2], profiles, profiles.mean(0), "softmax")
    fixed = {key: head.state_dict()[key].clone() for key in ("profiles", "known.weight", "known.bias")}
    seen = (features[:, 0] > 0).long()
    train = Features(features, seen)
    curve = fit_head(head, train, train, profiles, Recipe(loss="softmax", warmup_epochs=80, head_rate=0.05))
    assert curve[-1]["validation_loss"] < 0.5 * curve[0]["validation_loss"]
    assert (head(features).argmax(1) == seen).float().mean() > 0.9
    for key, value in fixed.items():
        assert torch.allclose(head.state_dict()[key], value, atol=1e-6), key


def test_the_gate_leaves_to_the_encoder_what_it_sees_rightly(known) -> None:
    """One feature says whether an image is sharp. Of sharp ones the encoder is right, of others wrong."""
    features = torch.randn(200, 12, generator=torch.Generator().manual_seed(1))
    sharp = torch.arange(200) % 2 == 0
    features[:, 1] = torch.where(sharp, 1.0, -1.0)
    known.network[1].weight.data[1:3] = 0
    known.network[1].weight.data[1, 0] = 9
    known.network[1].bias.data[1:3] = 0
    rightly = (features[:, 0] < 0).long()
    train = Features(features, torch.where(sharp, rightly, 1 - rightly))
    head = class_mixture(known, [1, 2], torch.eye(2), torch.full((2,), 0.5), "softmax")
    fit_head(head, train, train, torch.eye(2), Recipe(loss="softmax", warmup_epochs=30, head_rate=0.03))
    gate = head.gate(features).detach().squeeze()
    assert gate[sharp].mean() > 0 > gate[~sharp].mean()


@pytest.mark.parametrize(("gate", "said_as"), [(9.0, "known"), (-9.0, "learned")])
def test_the_gate_decides_which_classifier_speaks(known, gate, said_as) -> None:
    head = class_mixture(known, [1, 2], torch.eye(2), torch.full((2,), 0.5), "softmax")
    features = torch.randn(5, 12)
    with torch.no_grad():
        head.learned.weight.neg_()
        head.gate.bias.fill_(gate)
        expected = getattr(head, said_as)(features).softmax(1) @ head.profiles
        assert torch.allclose(head(features).softmax(1), expected, atol=1e-5)


def test_a_step_of_next_to_nothing_leaves_what_is_said_as_it_began(known) -> None:
    """Features of very different scales, and one that is constant."""
    features = torch.randn(40, 12, generator=torch.Generator().manual_seed(2)) * 10.0 ** torch.arange(-3, 9)
    features[:, 4] = 3.0
    known.network[1].weight.data /= 10.0 ** torch.arange(-3, 9)
    head = class_mixture(known, [1, 2, 3], torch.eye(3), torch.full((3,), 1 / 3), "softmax")
    before = head(features).detach().clone()
    train = Features(features, torch.zeros(40, dtype=torch.long))
    fit_head(head, train, train, torch.eye(3), Recipe(loss="softmax", warmup_epochs=1, head_rate=1e-9))
    assert torch.allclose(head(features), before, atol=1e-4)


def test_classes_of_cues_that_are_not_trained_on_are_not_read(tmp_path: Path) -> None:
    norms = write_norms(tmp_path / "norms.tsv", SAID)
    targets = association_targets(norms, ["banana", "dog", "sock"], 100)
    classes, profiles = class_profiles(targets, set(SAID), {"banana", "dog"})
    names = list(imagenet_names())
    row = {names[index]: i for i, index in enumerate(classes)}
    assert profiles.shape == (len(classes), len(targets.vocabulary))
    assert len(classes) > 100, "all breeds of dogs"
    word = {name: i for i, name in enumerate(targets.vocabulary)}
    assert profiles[row["n07753592"], word["yellow"]] == pytest.approx(0.7)
    assert profiles[row["n02099601"], word["bark"]] == pytest.approx(0.6)
    assert "n04254777" not in row, "socks are held out"
    assert not profiles[:, word["foot"]].any(), "socks are held out"
    assert "n02123045" not in row, "no cue of these norms is a cat"


def test_a_held_out_class_is_not_read(known) -> None:
    """However sure the encoder is of it, what is said is the same."""
    features = torch.randn(5, 12)
    mixture = (known, [1, 2], torch.eye(3), torch.full((3,), 1 / 3), "softmax")
    before = class_mixture(*mixture)(features)
    known.network[1].bias.data[3] += 100
    assert torch.equal(class_mixture(*mixture)(features), before)


@pytest.fixture
def thousand(world, tmp_path: Path) -> Path:
    """The tiny encoder with a classifier of 1,000 classes, as a registry file."""
    plugin = (
        world.registry.with_name("tiny.py").read_text().replace("nn.Linear(12, 4)", "nn.Linear(12, 1000)")
    )
    (tmp_path / "thousand.py").write_text(plugin)
    (tmp_path / "mine.yaml").write_text(
        "models:\n  thousand: {plugin: 'thousand.py:Tiny', checkpoint: {untrained: 5}}\n"
    )
    return tmp_path / "mine.yaml"


def test_a_cue_that_no_class_of_imagenet_has_is_a_class_of_its_own(tmp_path: Path) -> None:
    norms = write_norms(tmp_path / "norms.tsv", SAID | {"justice": {"law": 3}, "mercy": {"kind": 2}})
    targets = association_targets(norms, ["banana", "justice", "mercy"], 100)
    classes, profiles = class_profiles(targets, set(SAID) | {"justice", "mercy"}, {"banana", "justice"})
    assert len(profiles) == len(classes) + 1
    assert profiles[-1, targets.vocabulary.index("law")] == 1


def run(
    world, registry: Path, output: Path, start: str = "thousand", report=None, *, classes: bool = True
) -> dict:
    recipe = Recipe(loss="softmax", epochs=2, warmup_epochs=2, batch=16, rate=1e-3)
    shares = Shares(held_out=0.0)
    plan = TrainingPlan(
        (world.images,), world.norms, start, output, shares, recipe, classes=classes, name="mine"
    )
    train_associations(plan, load_registry((registry,)), Path(), "cpu", report)
    return load_file(output / "swow_assoc.safetensors")


def test_a_network_that_reads_classes_is_trained_written_and_read_back(
    world, thousand, tmp_path: Path
) -> None:
    state = run(world, thousand, tmp_path / "run")
    assert state["head.learned.weight"].shape == (len(state["head.profiles"]), 12)
    checkpoint = tmp_path / "run" / "swow_assoc.safetensors"
    assert read_record(checkpoint).classes == "mixture"
    assert "the classes it sees" in (tmp_path / "run" / "card.md").read_text()
    registry = load_registry((thousand, tmp_path / "run" / "registry.yaml"))
    placed = registry.model("mine")
    model = placed.load()(ModelSpec("mine", placed.entry.params, weights=checkpoint))
    stimuli = image_folder(DataRoot(world.images.parent), name="discs", path="images")
    found = model.features(stimuli, [*model.layers, "output"])
    assert found["features"].shape == (72, 12)
    assert np.allclose(model.associations(found["output"]).strengths.sum(1), 1)


def test_stopped_it_goes_on_to_the_same_weights(world, thousand, tmp_path: Path) -> None:
    def stop(phase: str, done: int, total: int) -> None:
        if phase == "epoch 2/2" and done == 2:
            raise InterruptedError

    whole = run(world, thousand, tmp_path / "whole")
    with pytest.raises(InterruptedError):
        run(world, thousand, tmp_path / "stopped", report=stop)
    resumed = run(world, thousand, tmp_path / "stopped")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_a_start_from_such_a_checkpoint_keeps_to_it(world, thousand, tmp_path: Path) -> None:
    run(world, thousand, tmp_path / "first")
    again = run(
        world,
        thousand,
        tmp_path / "second",
        str(tmp_path / "first" / "swow_assoc.safetensors"),
        classes=False,
    )
    assert read_record(tmp_path / "second" / "swow_assoc.safetensors").classes == "mixture"
    assert again["head.learned.weight"].shape == (len(again["head.profiles"]), 12)


def test_a_head_that_reads_classes_as_before_is_refused(tmp_path: Path) -> None:
    about = {
        "encoder": {"plugin": "models/timm_models.py:Timm"},
        "started_from": "mobilenetv1_100",
        "preprocessing": {"resize": 256, "crop": 224, "mean": [0.5] * 3, "std": [0.5] * 3},
        "loss": "softmax",
        "norms": "norms.tsv",
        "norms_sha256": "0",
        "manifest_sha256": "0",
        "cues": ["dog"],
    }
    file = tmp_path / "old.safetensors"
    for classes, refused in ((False, False), (True, True)):
        metadata = {"association": json.dumps(about | {"classes": classes}), "vocabulary": '["cat"]'}
        save_file({"a": torch.zeros(1)}, file, metadata)
        if not refused:
            assert read_record(file).classes is False
            continue
        with pytest.raises(
            BenchError, match=r"old.safetensors: metadata association.classes.*train it again"
        ):
            read_record(file)


def test_images_without_a_class_of_imagenet_are_refused(tmp_path: Path) -> None:
    norms = tmp_path / "norms.tsv"
    norms.write_text("cue\tresponse\tR1\tN\njustice\tlaw\t3\t3\n")
    targets = association_targets(norms, ["justice"], 100)
    with pytest.raises(UsageError, match="no class of ImageNet has a cue that is trained on"):
        class_profiles(targets, {"justice"}, {"justice"})


def test_an_encoder_without_the_thousand_classes_is_refused(
    world, tmp_path: Path, capsys, monkeypatch
) -> None:
    options = ["--from", "tiny", "--classes", "--output", tmp_path / "run", *world.options]
    monkeypatch.setattr("sys.argv", ["bench", "train", "swow_assoc", *map(str, options)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "tiny has no linear classifier of ImageNet's 1,000 classes" in said
    assert "leave --classes out" in said
