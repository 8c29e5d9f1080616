"""Training an association network: losses, augmentation, the loop, and going on after a stop."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from benchmark.association.head import Features, constant_head, fit_head
from benchmark.association.images import DecodedImages, decode
from benchmark.association.pipeline import TrainingOutcome, TrainingPlan, train_associations
from benchmark.association.recipe import Recipe, cosine, logits_of, loss_sum, strengths_of
from benchmark.association.sampling import SampledImage, Shares
from benchmark.common.errors import DataError, UsageError
from benchmark.extraction import Preprocessing
from benchmark.registry import load_registry

RECIPE = Recipe(loss="softmax", epochs=4, warmup_epochs=2, batch=16, rate=3e-3, patience=9)
SHARES = Shares(held_out=0.0)


def train(world, output: Path, report=None, **changes) -> TrainingOutcome:
    recipe = RECIPE.model_copy(update=changes)
    plan = TrainingPlan((world.images,), world.norms, "tiny", output, SHARES, recipe, name="tiny_assoc")
    return train_associations(plan, load_registry((world.registry,)), Path(), "cpu", report)


def weights(output: Path) -> dict[str, torch.Tensor]:
    return load_file(output / "swow_assoc.safetensors")


class StoppedError(Exception):
    pass


def stop_at(count: int) -> Callable[[str, int, int], None]:
    seen = [0]

    def report(phase: str, done: int, total: int) -> None:
        seen[0] += phase.startswith("epoch")
        if seen[0] == count:
            raise StoppedError

    return report


# 6 cues with 12 images: 2 for test, 1 for validation, 9 to train on; 54 images are 4 steps of at most 16
@pytest.mark.parametrize("step", [1, 4, 6, 15])
def test_a_stopped_run_goes_on_to_the_same_weights(world, tmp_path: Path, step: int) -> None:
    whole = train(world, tmp_path / "whole")
    with pytest.raises(StoppedError):
        train(world, tmp_path / "stopped", stop_at(step))
    assert not (tmp_path / "stopped" / "swow_assoc.safetensors").exists()
    resumed = train(world, tmp_path / "stopped")
    one, two = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)
    clock = {"seconds"}
    for a, b in zip(whole.metrics, resumed.metrics, strict=True):
        assert {k: v for k, v in a.items() if k not in clock} == {
            k: v for k, v in b.items() if k not in clock
        }


def test_a_run_that_is_done_is_not_redone_and_other_settings_are_refused(world, tmp_path: Path) -> None:
    train(world, tmp_path)
    before = weights(tmp_path)
    steps: list[str] = []
    train(world, tmp_path, lambda phase, done, total: steps.append(phase))
    assert not [phase for phase in steps if phase.startswith("epoch")]
    assert all(torch.equal(before[key], value) for key, value in weights(tmp_path).items())
    with pytest.raises(UsageError, match="other settings"):
        train(world, tmp_path, seed=1)


def test_seeds_differ_and_the_loss_falls(world, tmp_path: Path) -> None:
    found = train(world, tmp_path / "a", epochs=6)
    train(world, tmp_path / "b", epochs=6, seed=1)
    losses = [row["train_loss"] for row in found.metrics if row["phase"] == "network"]
    assert losses[-1] < 0.9 * losses[0]
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert not torch.equal(a["head.weight"], b["head.weight"])


def test_a_frozen_encoder_is_not_changed_and_a_trained_one_is(world, tmp_path: Path) -> None:
    train(world, tmp_path / "frozen", freeze=True)
    train(world, tmp_path / "whole")
    start = load_registry((world.registry,)).model("tiny").load()
    from benchmark.model import ModelSpec

    network = start(ModelSpec("tiny", untrained=5)).network
    for output, same in (("frozen", True), ("whole", False)):
        found = weights(tmp_path / output)["encoder.0.weight"]
        assert torch.equal(found, network.state_dict()["0.weight"]) is same
    assert not any(key.startswith("encoder.8") for key in weights(tmp_path / "whole"))


def test_training_stops_when_the_validation_loss_no_longer_falls(world, tmp_path: Path) -> None:
    found = train(world, tmp_path, epochs=40, rate=0.3, warmup_epochs=0, patience=2)
    rows = [row for row in found.metrics if row["phase"] == "network"]
    assert len(rows) < 40
    losses = [row["validation_loss"] for row in rows]
    assert min(losses[-2:]) >= min(losses[:-2], default=np.inf) or len(rows) == 2


def test_a_loss_that_is_not_finite_says_what_to_do(world, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lower --rate"):
        train(world, tmp_path, rate=1e30, loss="mse", epochs=30)


@pytest.mark.parametrize("loss", ["bce", "softmax", "mse"])
def test_losses_against_their_definitions(loss: str) -> None:
    rng = np.random.default_rng(1)
    z, p = rng.normal(size=(3, 7)), rng.dirichlet(np.ones(7), 3)
    expected = {
        "bce": -(p * np.log(1 / (1 + np.exp(-z))) + (1 - p) * np.log(1 - 1 / (1 + np.exp(-z)))).sum(),
        "softmax": -(p * (z - np.log(np.exp(z).sum(1, keepdims=True)))).sum(),
        "mse": ((z - p) ** 2).sum(),
    }[loss]
    assert loss_sum(loss, torch.tensor(z), torch.tensor(p)).item() == pytest.approx(expected)
    # logits that say a profile give it back
    said = strengths_of(loss, logits_of(loss, torch.tensor(p).mean(0, keepdim=True)))
    assert np.allclose(said.numpy(), p.mean(0), atol=1e-6)


def test_the_rate_rises_then_falls_to_zero() -> None:
    shares = [cosine(step, 200) for step in range(200)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == shares[10] == 1
    assert all(a > b for a, b in itertools.pairwise(shares[10:]))
    assert shares[-1] < 1e-3


@pytest.fixture
def decoded(world, tmp_path: Path) -> DecodedImages:
    files = sorted(world.images.glob("*/0[0-2].png"))
    images = [
        SampledImage(f.stem + f.parent.name, f, f.parent.name, f.parent.name, "train", False) for f in files
    ]
    return decode(images, Preprocessing(resize=18, crop=16, mean=(0.4, 0.5, 0.6), std=(0.2,) * 3), tmp_path)


def test_plain_images_are_those_of_the_preprocessing(tmp_path: Path) -> None:
    # margins that are even, so that two centre crops are one; else they may differ by a pixel
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)
    images = []
    for i, content in enumerate(pixels):
        Image.fromarray(content).save(tmp_path / f"{i}.png")
        images.append(SampledImage(str(i), tmp_path / f"{i}.png", "a", "a", "train", held_out=False))
    for resize in (20, (20, 20)):
        preprocessing = Preprocessing(resize=resize, crop=16, mean=(0.4, 0.5, 0.6), std=(0.2,) * 3)
        found = decode(images, preprocessing, tmp_path)
        expected = torch.stack([preprocessing(Image.open(image.path)) for image in found.kept])
        assert torch.allclose(found.plain(np.arange(3)), expected, atol=1e-6)


def test_what_is_done_to_an_image_depends_on_seed_epoch_and_image_alone(decoded: DecodedImages) -> None:
    together = decoded.augmented(np.arange(6), seed=1, epoch=2)
    for row in range(6):
        assert torch.allclose(
            together[row], decoded.augmented(np.array([row]), seed=1, epoch=2)[0], atol=1e-6
        )
    for other in ({"seed": 2, "epoch": 2}, {"seed": 1, "epoch": 3}):
        assert not torch.allclose(together, decoded.augmented(np.arange(6), **other), atol=1e-2)


def test_augmented_images_stay_in_the_range_of_pixels(decoded: DecodedImages) -> None:
    mean, std = torch.tensor([0.4, 0.5, 0.6])[:, None, None], 0.2
    for epoch in range(20):
        pixels = decoded.augmented(np.arange(6), seed=0, epoch=epoch) * std + mean
        assert pixels.shape == (6, 3, 16, 16)
        assert -1e-5 < pixels.min() < pixels.max() < 1 + 1e-5


def test_many_pixels_are_kept_in_a_file(world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.association.images.IN_MEMORY", 1000)
    train(world, tmp_path / "file", epochs=1)
    monkeypatch.undo()
    train(world, tmp_path / "memory", epochs=1)
    assert (tmp_path / "file" / "pixels.npy").is_file()
    one, two = weights(tmp_path / "file"), weights(tmp_path / "memory")
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_the_head_is_written_for_features_as_they_are() -> None:
    generator = torch.Generator().manual_seed(0)
    strengths = torch.eye(4)
    cues = torch.arange(4).repeat(20)
    # a constant feature, and scales that differ a thousandfold
    noise = 0.05 * torch.randn(80, 6, generator=generator)
    values = torch.cat([strengths[cues] * torch.tensor([1, 10, 100, 1000]), torch.full((80, 2), 3.0)], 1)
    values += noise * torch.tensor([1, 10, 100, 1000, 0, 0])
    recipe = RECIPE.model_copy(update={"warmup_epochs": 60, "head_rate": 0.05})
    head = constant_head(6, recipe.loss, strengths[cues].mean(0))
    fit_head(head, Features(values, cues), Features(values, cues), strengths, recipe)
    assert (head(values).argmax(1) == cues).all()
    assert (head.weight[:, 4:] == 0).all()
