"""Whatever a plug-in raises, and wherever, is one failed check, and the table is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PLUGIN = """
import sys

import numpy as np
from torch import nn
from torchvision.transforms import functional

from benchmark.extraction import NetworkModel
from benchmark.model import Model


class OwnBase(BaseException):
    pass


RAISED = {
    "exit": lambda: sys.exit(3),
    "base": lambda: (_ for _ in ()).throw(OwnBase("mine")),
    "error": lambda: {}["no such key"],
}


class Rows(Model):
    def _perhaps(self, place):
        if self.spec.params["where"] == place:
            RAISED[self.spec.params["how"]]()

    def __init__(self, spec):
        super().__init__(spec)
        self._perhaps("init")

    @property
    def layers(self):
        self._perhaps("layers")
        return ("output",)

    def features(self, stimuli, layers, **rest):
        self._perhaps("features")
        if len(stimuli) == 1:
            self._perhaps("alone")
        numbers = [[float(sum(map(ord, name))), 1.0] for name in stimuli.ids]
        return {"output": np.array(numbers, dtype=np.float32)}

    def classify(self, output):
        self._perhaps("classify")


class Network(NetworkModel):
    preprocessing = "32 x 32"
    pooling = "average"
    built = passes = 0

    def _perhaps(self, place):
        if self.spec.params["where"] == place:
            RAISED[self.spec.params["how"]]()

    def build(self):
        self.built += 1
        self._perhaps("build")
        if self.built == 2:
            self._perhaps("second build")
        return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten())

    def preprocess(self, image):
        self._perhaps("preprocess")
        return functional.to_tensor(functional.resize(image, [32, 32]))

    def forward(self, batch):
        self._perhaps("forward")
        if len(batch) == 3:  # the check of the axes alone has so many images
            self._perhaps("three")
        return super().forward(batch)

    def modules(self):
        return {"one": "0"}


def reader(root, *, name):
    sys.exit(0)
"""

SAID = {"exit": "SystemExit: 3", "base": "OwnBase: mine", "error": "KeyError: 'no such key'"}


@pytest.fixture
def check(bench: Callable, tmp_path: Path) -> Callable:
    (tmp_path / "mine.py").write_text(PLUGIN)

    def run(plugin: str, where: str, how: str, *more: str):
        entry = [
            "models:",
            f"  mine: {{plugin: 'mine.py:{plugin}', description: d, params: {{where: {where}, how: {how}}}",
            "}" if plugin == "Rows" else ", checkpoint: {untrained: 0}}",
        ]
        (tmp_path / "mine.yaml").write_text("\n".join([*entry, *more]) + "\n")
        return bench("check-model", "mine", "--registry", tmp_path / "mine.yaml", "--device", "cpu")

    return run


@pytest.mark.parametrize("how", SAID)
@pytest.mark.parametrize(
    ("plugin", "where", "name"),
    [
        ("Rows", "init", "plug-in"),
        ("Rows", "layers", "layers"),
        ("Rows", "features", "layers"),
        ("Rows", "alone", "alone"),
        ("Rows", "classify", "known answers"),
        ("Network", "build", "weights"),
        ("Network", "second build", "weights"),
        ("Network", "preprocess", "preprocessing"),
        ("Network", "forward", "layers"),
        ("Network", "three", "token axis"),
    ],
)
def test_it_is_one_failed_check(check: Callable, plugin: str, where: str, name: str, how: str) -> None:
    done = check(plugin, where, how)
    assert done.status == 1, done.err
    assert done.err == ""
    failed = [line for line in done.out.splitlines() if line.startswith(f"{name} ") and " fail " in line]
    assert failed, done.out
    assert SAID[how] in " ".join(done.out.split())


def test_a_reader_of_a_set_that_is_not_needed_costs_nothing(check: Callable) -> None:
    own = "datasets:\n  gone: {plugin: 'mine.py:reader', kind: stimuli, description: d}"
    suite = "suites:\n  own: {bindings: {one: {task: rdm_correlation, stimuli: gone, target: mini_people}}}"
    assert check("Rows", "nowhere", "exit", own, suite).status == 0
