"""The section of the page of the results on how alike the models are."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
ROWS = """\
measure,model_a,layer_a,model_b,layer_b,similarity,ci_low,ci_high,chance,n,undefined
rdm,a,early,a,late,0.9,0.8,0.95,0.0,20,
rdm,a,early,b,output,0.2,0.1,0.3,0.0,20,
rdm,a,late,b,output,0.4,0.3,0.5,0.0,20,
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    functions = runpy.run_path(str(DOCS / "results_map.py"))
    file = tmp_path / "similarity.csv"
    file.write_text(ROWS, encoding="utf-8")
    monkeypatch.setitem(functions["alike"].__wrapped__.__globals__, "SIMILARITY", file)
    return functions


def test_the_closest_layer_is_one_of_another_model(page):
    lines = page["map_section"]().splitlines()
    assert "| `a` | `early` | `b` `output` | 0.200 [0.100, 0.300] |" in lines
    assert "| `b` | `output` | `a` `late` | 0.400 [0.300, 0.500] |" in lines
    assert any("least like any of another model is `a` `early`" in line for line in lines)
    assert any("--model a,b " in line for line in lines)


def test_the_figure_has_every_pair_and_a_point_for_each_layer(page):
    figure = ET.fromstring(page["map_figure"]())
    space = "{http://www.w3.org/2000/svg}"
    shown = [text.text for text in figure.iter(f"{space}text")]
    assert sorted(text for text in shown if text.startswith(("0.", "1."))) == sorted(
        ["0.90", "0.20", "0.40"] * 2 + ["1.00"] * 3
    )
    assert {"a early 1", "a late 2", "b output 3"} <= set(shown)
    assert len(list(figure.iter(f"{space}circle"))) == 3


def test_layers_on_one_point_share_a_text(page):
    drawn = page["_numbers"](np.array([[10.2, 20.0], [40.0, 50.0], [9.8, 20.3]]))
    assert [ET.fromstring(text).text for text in drawn] == ["1, 3", "2"]
