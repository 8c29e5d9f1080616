"""A small world to train on: coloured discs in folders, norms made up for them, and a tiny encoder."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw

COLOURS = {
    "tomato": (220, 30, 20),
    "grass": (30, 160, 40),
    "sky": (60, 120, 230),
    "lemon": (240, 220, 40),
    "coal": (30, 30, 30),
    "snow": (245, 245, 245),
}
SAYS = {
    "tomato": {"red": 6, "ketchup": 3, "round": 1},
    "grass": {"green": 7, "lawn": 3},
    "sky": {"blue": 8, "null": 2},
    "lemon": {"yellow": 5, "sour": 4, "round": 1},
    "coal": {"black": 9, "NA": 1},
    "snow": {"white": 8, "cold": 2},
}

#: A user's own encoder, named by a registry file
PLUGIN = """
from torch import nn

from benchmark.extraction import NetworkModel, Preprocessing


class Tiny(NetworkModel):
    transform = Preprocessing(resize=18, crop=16, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

    @property
    def preprocessing(self):
        return repr(self.transform)

    def preprocess(self, image):
        return self.transform(image)

    def build(self):
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 12, 3, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(self.spec.params.get("dropout", 0.2)),
            nn.Linear(12, 4),
        )

    def classifier(self):
        return "8"

    def modules(self):
        return {"3": "3"}
"""


class World(NamedTuple):
    """Where things are, and the options that every training command needs."""

    images: Path
    norms: Path
    registry: Path

    @property
    def options(self) -> list[object]:
        return [
            "--images",
            self.images,
            "--norms",
            self.norms,
            "--registry",
            self.registry,
            "--device",
            "cpu",
        ]


def write_norms(path: Path, says: dict[str, dict[str, int]] = SAYS) -> Path:
    rows = [
        f"{cue}\t{word}\t{count}\t{sum(words.values())}\t{count / sum(words.values())}"
        for cue, words in says.items()
        for word, count in words.items()
    ]
    path.write_text("\n".join(["cue\tresponse\tR1\tN\tR1.Strength", *rows]) + "\n")
    return path


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / "images" / name).mkdir(parents=True)
        for i in range(12):
            shade = np.clip(np.array(colour) + rng.integers(-15, 16, 3), 0, 255)
            image = Image.new("RGB", (24, 20), (128, 128, 128))
            x, y = rng.integers(0, 5, 2)
            ImageDraw.Draw(image).ellipse((x, y, x + 18, y + 15), fill=tuple(int(v) for v in shade))
            image.save(folder / "images" / name / f"{i:02d}.png")
    (folder / "tiny.py").write_text(textwrap.dedent(PLUGIN))
    registry = folder / "mine.yaml"
    registry.write_text(
        "models:\n"
        "  tiny: {plugin: 'tiny.py:Tiny', checkpoint: {untrained: 5}}\n"
        "  plain: {plugin: 'tiny.py:Tiny', params: {dropout: 0.0}, checkpoint: {untrained: 5}}\n"
    )
    return World(folder / "images", write_norms(folder / "norms.tsv"), registry)
