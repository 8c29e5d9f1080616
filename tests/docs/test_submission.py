"""The page on submitting a model does what it says, from the plug-in to the row on the leaderboard."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "a-model-in-five-minutes.md"
STEP = re.compile(
    r"\*\*`(?P<file>[^`]+)`\*\*\n\n```\w+\n(?P<body>.*?)\n```|```bash\n(?P<commands>.*?)\n```", re.DOTALL
)


def test_the_page_as_it_stands(bench, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    left, shown = {}, ""
    for step in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        if step["file"]:
            (tmp_path / step["file"]).write_text(step["body"] + "\n")
            continue
        for line in step["commands"].splitlines():
            program, *arguments = shlex.split(line)
            if program == "python":
                capsys.readouterr()
                runpy.run_path(*arguments, run_name="__main__")
                shown = capsys.readouterr().out
                continue
            done = bench(*arguments)
            assert done.status == 0, f"{line}\n{done.out}{done.err}"
            left[arguments[0]] = done.out
    monkeypatch.delitem(__import__("sys").modules, "lines", raising=False)
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
