"""The figures of the page of the results."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from benchmark.leaderboard.board import Column
from benchmark.results import Estimate, LayerScore

FIGURES = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "results_figures.py"))
MOST_LINES, bars, profiles = (FIGURES[name] for name in ("MOST_LINES", "bars", "profiles"))


def cell(model, score, layers=3):
    estimate = Estimate(score=score, ci_low=score - 0.1, ci_high=score + 0.1, chance=0.0)
    return SimpleNamespace(
        model=model,
        untrained=False,
        metric="spearman",
        layers=[LayerScore(name=f"l{i}", metrics={"spearman": estimate}) for i in range(layers)],
        **estimate.model_dump(exclude={"chance_low", "chance_high", "ceiling_low", "ceiling_high"}),
    )


def column(cells, binding="people"):
    return Column(binding, "", "", "", None, tuple(cells))


def texts(svg):
    return [text.text for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_profiles_show_the_models_with_layers_best_first_and_not_too_many():
    cells = [cell(f"model{i}", 1 - i / 20) for i in range(MOST_LINES + 3)]
    shown = texts(profiles([column([cell("pixels", 0.9, layers=1), *cells]), column(cells[::-1], "other")]))
    models = [text for text in shown if text.startswith("model")]
    first = [f"model{i}" for i in range(MOST_LINES)]
    assert models == [*first, *first[::-1]]
    assert "pixels" not in shown
    assert {"people: spearman", "other: spearman"} <= set(shown)
    assert profiles([column([cell("pixels", 0.9, layers=1)])]) == ""


def test_bars_have_one_axis_and_escape_names():
    svg = bars([column([cell("<b>&", 0.5)]), column([cell("low", -0.2)], "other")])
    assert "<b>&" in texts(svg)
    assert "0.500 [0.400, 0.600]" in texts(svg)
    drawn = [b for b in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect") if b.get("class")]
    (high, low) = (float(b.get("width")) for b in drawn)
    assert high / low == pytest.approx(2.5, rel=0.01)
    assert bars([]) == ""
