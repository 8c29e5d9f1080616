"""The page on submitting a model does what it says, from the plug-in to the row on the leaderboard."""

from __future__ import annotations

import json

import pytest


def test_the_page_as_it_stands(follow, tmp_path):
    steps = follow("tutorial/a-model-in-five-minutes.md")
    left = {step.line.split()[1]: step.out for step in steps if step.line.startswith("bench ")}
    shown, of_arrays = (step.out for step in steps if step.line.startswith("python "))
    assert "unknown: fill in" in left["add"]
    assert "0 failed" in left["check-model"]
    assert "lines" in (tmp_path / "results" / "leaderboard.html").read_text()
    cell = json.loads((tmp_path / "results" / "mini" / "area_early_rdm" / "lines.json").read_text())
    assert cell["score"] > 0
    assert "lines, people_rdm: current" in left["why"]
    by_entry = json.loads((tmp_path / "results" / "mini" / "people_rdm" / "lines.json").read_text())
    by_object = json.loads((tmp_path / "results" / "mini" / "people_rdm" / "lines_object.json").read_text())
    assert by_object["score"] == pytest.approx(by_entry["score"])
    assert "lines_object" in shown
    assert "area_late_rdm" in of_arrays
    assert (tmp_path / "profile.pdf").is_file()
