"""A Python object is scored and checked as an entry is; its key is its source and its state."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from torch import nn
from torchvision.transforms import functional

import benchmark
from benchmark.api.identity import identity
from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel, seeded
from benchmark.model import Model


class Colour(Model):
    layers = ("mean",)
    preprocessing = "none"

    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = np.full(3, gain)

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        made = [np.asarray(stimuli.image(i)).reshape(-1, 3).mean(0) * self.gain for i in range(len(stimuli))]
        return {layer: np.array(made, np.float32) for layer in layers}


class Net(NetworkModel):
    preprocessing = "64 x 64, 0 to 1"

    def build(self):
        with seeded(7):  # its weights, the same each time
            return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Dropout(0.9), nn.Flatten())

    def preprocess(self, image):
        return functional.to_tensor(functional.resize(image, [64, 64]))

    def modules(self):
        return {"one": "0"}


class Drawn(Net):
    def build(self):
        return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten())


class OwnPreprocessing(Net):
    def build(self):
        import timm

        with seeded(7):
            return timm.create_model("mobilenetv3_small_050.lamb_in1k", pretrained=False)

    def modules(self):
        return {"one": "blocks.1"}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_an_object_is_scored_and_the_second_time_it_is_there_already():
    first = benchmark.run(model=Colour(), tasks=["people_rdm", "area_early_rdm"])
    assert [cell.status for cell in first] == ["scored", "scored"]
    frame = benchmark.run(model=Colour(), tasks="area_early_rdm").to_frame()
    assert list(frame["model"]) == ["Colour"]
    assert frame["score"][0] == first[1].score
    assert bool(frame["cached"][0])


def test_another_state_is_another_model():
    benchmark.run(model=Colour(1.0), tasks="people_rdm")
    again = benchmark.run(model=Colour(2.0), tasks="people_rdm")
    assert not again.outcomes[0].cached
    assert identity(Colour(1.0)) == identity(Colour(1.0))
    assert identity(Colour(1.0)).state != identity(Colour(2.0)).state


def test_weights_are_state():
    model, other = Net(), Net()
    assert identity(model) == identity(other)
    other.network[0].bias[0] += 1
    assert identity(model).state != identity(other).state


def test_what_cannot_be_hashed_is_not_kept_and_said(caplog, tmp_path):
    model = Colour()
    model.lock = threading.Lock()
    done = benchmark.run(model=model, tasks="people_rdm")
    assert done[0].status == "scored"
    assert "are not kept" in caplog.text
    assert not list((tmp_path / "cache").rglob("*.npy"))
    assert not benchmark.run(model=model, tasks="people_rdm").outcomes[0].cached


def test_the_same_checks_apply():
    assert benchmark.check(Colour()).passed
    found = benchmark.check(Net())
    assert found.passed
    assert {"weights", "eval mode", "token axis"} <= set(found.to_frame()["check"])
    assert not benchmark.check(Colour(np.nan)).passed
    drawn = benchmark.check(Drawn())
    assert not drawn.passed
    assert "random, not read from weights" in drawn[0].detail


def test_an_object_does_not_fail_for_want_of_an_entry():
    changed = Net()
    changed.network[0].bias[0] += 1  # as after training in a notebook
    found = {check.name: check for check in benchmark.check(changed)}
    assert found["weights"].status == "note"
    assert "those of the object in memory count" in found["weights"].detail
    found = {check.name: check for check in benchmark.check(OwnPreprocessing())}
    assert found["preprocessing"].status == "note"
    assert "the object has its own" in found["preprocessing"].detail


def test_a_name_out_of_the_registry():
    assert benchmark.run(model="pixels", tasks="people_rdm")[0].status == "scored"


@pytest.mark.parametrize(
    ("model", "name", "said"),
    [(Colour, None, "give an object"), (Colour(), "pixels", "is taken"), (Colour(), "a/b", "is no name")],
)
def test_what_cannot_be_used(model, name, said):
    with pytest.raises(UsageError, match=said):
        benchmark.run(model=model, tasks="people_rdm", name=name)
