"""A head that reads the classes of an ImageNet encoder beside its features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from benchmark.association.checkpoint import read_about
from benchmark.association.classes import CLASSES, with_classes
from benchmark.association.head import Features, begin_head, fit_head
from benchmark.association.mapping import imagenet_names
from benchmark.association.pipeline import Plan, train_associations
from benchmark.association.recipe import Recipe, strengths_of
from benchmark.association.sampling import Shares
from benchmark.association.targets import association_targets, class_profiles
from benchmark.cli import main
from benchmark.datasets.folders import image_folder
from benchmark.datasets.root import DataRoot
from benchmark.errors import UsageError
from benchmark.extraction import NetworkModel
from benchmark.model import ModelSpec
from benchmark.registry import load_registry

SAID = {"dog": {"bark": 6, "cat": 3, "pet": 1}, "banana": {"yellow": 7, "fruit": 3}, "sock": {"foot": 4}}


@pytest.mark.parametrize("loss", ["bce", "softmax", "mse"])
def test_a_certain_class_begins_with_its_profile(loss) -> None:
    strengths = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    profiles = torch.tensor([[0.0, 0.0, 1.0], [0.4, 0.6, 0.0]])
    head = nn.Linear(5 + 2, 3)
    begin_head(head, loss, strengths, profiles)
    features = torch.randn(2, 5)
    with torch.no_grad():
        said = strengths_of(loss, head(torch.cat([features, torch.eye(2)], 1)))
        nothing = strengths_of(loss, head(torch.zeros(1, 7)))
    mean = strengths.mean(0)
    assert torch.allclose(said, (profiles + 0.1 * mean) / 1.1, atol=1e-5)
    assert torch.allclose(nothing[0], mean, atol=1e-5)


def test_probabilities_are_not_standardised_and_the_rest_is_fitted_beside_them() -> None:
    """One step of next to nothing leaves what the head says as it began."""
    rng = np.random.default_rng(0)
    values = torch.tensor(rng.normal(3, 2, (40, 4)), dtype=torch.float32)
    rare = torch.zeros(40, 2)
    rare[0, 0] = rare[1:, 1] = 1
    cues = torch.zeros(40, dtype=torch.long)
    train = Features(torch.cat([values, rare], 1), cues)
    strengths = torch.tensor([[0.7, 0.2, 0.1]])
    head = nn.Linear(6, 3)
    begin_head(head, "softmax", strengths, torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    before = head(train.values).detach().clone()
    fit_head(
        head, train, train, strengths, Recipe(loss="softmax", warmup_epochs=1, head_rate=1e-9), classes=2
    )
    assert torch.allclose(head(train.values), before, atol=1e-4)


def test_classes_of_cues_that_are_not_trained_on_are_not_read(tmp_path: Path) -> None:
    norms = tmp_path / "norms.tsv"
    rows = [f"{cue}\t{word}\t{n}\t{sum(s.values())}" for cue, s in SAID.items() for word, n in s.items()]
    norms.write_text("\n".join(["cue\tresponse\tR1\tN", *rows]) + "\n")
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
    assert "n02123045" not in row, "no cue of these norms is a cat"


def test_the_probabilities_are_among_the_classes_that_are_read() -> None:
    class Known(NetworkModel):
        preprocessing = ""

        def preprocess(self, image):
            raise NotImplementedError

        def build(self):
            return nn.Sequential(nn.Flatten(), nn.Linear(12, CLASSES))

        def classifier(self):
            return "1"

        def modules(self):
            return {}

    model = Known(ModelSpec("known", untrained=0))
    images = torch.randn(5, 3, 2, 2)
    with torch.no_grad():
        logits = model.network(images)
        found = with_classes(model, [3, 500, 7])(images)
    assert torch.allclose(found[:, :12], images.flatten(1))
    assert torch.allclose(found[:, 12:], logits[:, [3, 500, 7]].softmax(1), atol=1e-6)


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


def run(world, registry: Path, output: Path, start: str = "thousand", *, classes: bool = True) -> dict:
    recipe = Recipe(loss="softmax", epochs=2, warmup_epochs=2, batch=16, rate=1e-3)
    shares = Shares(held_out=0.0)
    plan = Plan((world.images,), world.norms, start, output, shares, recipe, classes=classes, name="mine")
    train_associations(plan, load_registry((registry,)), Path(), "cpu")
    return load_file(output / "swow_assoc.safetensors")


def test_a_network_that_reads_classes_is_trained_written_and_read_back(
    world, thousand, tmp_path: Path
) -> None:
    state = run(world, thousand, tmp_path / "run")
    count = len(state["encoder.classifier.bias"])
    assert 0 < count < CLASSES
    assert state["head.weight"].shape[1] == 12 + count
    checkpoint = tmp_path / "run" / "swow_assoc.safetensors"
    assert read_about(checkpoint).classes
    assert "class probabilities" in (tmp_path / "run" / "card.md").read_text()
    registry = load_registry((thousand, tmp_path / "run" / "registry.yaml"))
    placed = registry.model("mine")
    model = placed.load()(ModelSpec("mine", placed.entry.params, weights=checkpoint))
    stimuli = image_folder(DataRoot(world.images.parent), name="discs", path="images")
    found = model.features(stimuli, [*model.layers, "output"])
    features = found["features"]
    assert np.allclose(features[:, 12:].sum(1), 1, atol=1e-5), (
        "the last of what the head reads are probabilities"
    )
    assert np.allclose(model.associations(found["output"]).strengths.sum(1), 1)


def test_a_start_from_such_a_checkpoint_keeps_to_it(world, thousand, tmp_path: Path) -> None:
    run(world, thousand, tmp_path / "first")
    again = run(
        world,
        thousand,
        tmp_path / "second",
        str(tmp_path / "first" / "swow_assoc.safetensors"),
        classes=False,
    )
    assert read_about(tmp_path / "second" / "swow_assoc.safetensors").classes
    assert again["head.weight"].shape[1] == 12 + len(again["encoder.classifier.bias"])


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
