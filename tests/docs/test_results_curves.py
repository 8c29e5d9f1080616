"""The reading of 1 vs 2 layer by layer, and the list of pairs, on the page of the results."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from types import SimpleNamespace

from benchmark.leaderboard.board import Column
from benchmark.results import Estimate, LayerScore

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import results_models
from results_curves import mistakes_section


def section(width: float, mistakes: int) -> str:
    found = Estimate(score=0.5, ci_low=0.5 - width / 2, ci_high=0.5 + width / 2, chance=0.5)
    cell = SimpleNamespace(
        model="net",
        task="one_vs_two",
        binding="mistakes",
        metric="accuracy",
        n=100,
        counts={"groups": 5, "misclassified_joined": mistakes},
        layers=[LayerScore(name="layer", metrics={"accuracy": found}, p_fdr=0.4)],
    )
    return mistakes_section(SimpleNamespace(columns=(Column("mistakes", "", "", "", None, (cell,)),)))


def test_what_limits_the_width_is_said():
    # over 1,600 images alone 2 x 1.96 x 0.5 / 40 = 0.049; sqrt(0.08^2 - 0.049^2) = 0.063 is between concepts
    few_concepts = section(0.08, 1600)
    assert (
        "over images alone spans 0.049; without end of images of these concepts, about 0.063 would remain."
        in few_concepts
    )
    assert "| 0.500 [0.460, 0.540] | [0.476, 0.524] |" in few_concepts
    assert "below 0.050 takes about 256 concepts" in few_concepts
    # over 400 images alone 0.098 of 0.1: nothing much is between concepts
    assert "So images limit it" in section(0.1, 400)
    assert "images alone" not in section(0.04, 1600).split("|")[0].split("- `mistakes`")[1]


def test_pairs_are_listed_by_their_direction(tmp_path, monkeypatch):
    row = {
        "group": "held out",
        "label_a": "panda",
        "label_b": "zebra",
        "before": 0.75,
        "after": 0.25,
        "change": -0.5,
    }
    path = tmp_path / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(row))
        writer.writeheader()
        writer.writerows([row, row | {"before": 0.25, "after": 0.75, "change": 0.5}])
    monkeypatch.setattr(results_models, "PAIRS", path)
    said = results_models.pairs_section()
    assert "| held out | closer | panda and zebra | 0.750 | 0.250 |" in said
    assert "| held out | apart | panda and zebra | 0.250 | 0.750 |" in said
