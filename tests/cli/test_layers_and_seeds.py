"""``bench run --layers`` and ranges of untrained seeds, through the command."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmark.common.errors import UsageError
from benchmark.runner.layers import split_layers


def run(bench, folder: Path, *more: object, model: str = "mini_classifier", form: str = "json"):
    where = ("--output", folder / "results", "--format", form)
    return bench("run", "--model", model, "--task", "people_rdm", *where, *more)


def layers(done) -> list[str]:
    assert done.status == 0, done.cells[0]["reason"]
    return list(done.cells[0]["layers"])


def test_layers_all_default_names_and_expressions(bench, tmp_path):
    default = layers(run(bench, tmp_path))
    assert default == ["conv1", "conv2", "conv3", "conv4", "hidden", "output"]
    assert layers(run(bench, tmp_path, "--layers", "default")) == default
    everything = layers(run(bench, tmp_path, "--layers", "all"))
    assert set(default) < set(everything)
    assert [name for name in everything if name in default] == default
    assert everything.index("stages.1.0") < everything.index("conv2") < everything.index("stages.2.0")
    assert layers(run(bench, tmp_path, "--layers", "/^conv[1,3]$/,hidden")) == ["conv1", "conv3", "hidden"]
    assert layers(run(bench, tmp_path, "--layers", "stages.1.0,default")) == [
        "conv1",
        "stages.1.0",
        *default[1:],
    ]


@pytest.mark.parametrize(
    "asked, says",
    [
        ("hiden", "no layer 'hiden'; did you mean hidden?"),
        ("zzz", "there is stages.0.0, conv1"),
        ("/^cnv/", "no layer that matches /^cnv/; there is stages.0.0, conv1"),
    ],
)
def test_layers_that_are_not_there_name_those_that_are(bench, tmp_path, asked, says):
    done = run(bench, tmp_path, "--layers", asked)
    assert done.status == 1
    assert says in done.cells[0]["reason"]


def test_an_expression_that_cannot_be_read_runs_nothing(bench, tmp_path):
    done = run(bench, tmp_path, "--layers", "/conv(/")
    assert done.status == 2
    assert "--layers /conv(/" in done.err
    assert not (tmp_path / "results").exists()


def test_words_of_the_option():
    assert split_layers(["a, /b{1,2}/ ,c", "d"]) == ("a", "/b{1,2}/", "c", "d")
    assert split_layers(["default"]) is None
    assert split_layers([]) is None
    assert split_layers(["default,a"]) == ("default", "a")
    with pytest.raises(UsageError):
        split_layers(["/[/"])


def test_a_range_of_seeds_is_scored_seed_by_seed_and_shown_as_one_row(bench, tmp_path):
    cells = run(bench, tmp_path, model="mini_clip@untrained:0-2,pixels").cells
    names = [f"mini_clip@untrained:{seed}" for seed in range(3)]
    assert [cell["model"] for cell in cells] == [*names, "pixels"]
    assert all(Path(cell["result_file"]).is_file() for cell in cells)
    assert len({cell["score"] for cell in cells[:3]}) == 3
    shown = run(bench, tmp_path, model="mini_clip@untrained:0-2,pixels", form="table").out
    mean = sum(cell["score"] for cell in cells[:3]) / 3
    (line,) = [line for line in shown.splitlines() if "mini_clip" in line]
    assert "mini_clip@untrained:0-2" in line
    assert f"{mean:.3f}" in line
    assert "5th to their 95th percentile" in shown
    assert "4 of 4 cells scored" in shown

    assert bench("leaderboard", "build", "--output", tmp_path / "results").status == 0
    page = (tmp_path / "results" / "leaderboard.html").read_text()
    assert "mini_clip@untrained:0-2" in page
    rows = list(csv.DictReader((tmp_path / "results" / "leaderboard.csv").open()))
    averaged = [row for row in rows if row["model"] == "mini_clip@untrained:0-2" and not row["layer"]]
    assert [row["interval"] for row in averaged] == ["5-95 % of seeds"]
    assert float(averaged[0]["score"]) == pytest.approx(mean)
    assert {row["interval"] for row in rows if row["model"] == "pixels"} == {"95 % over concepts"}
    stored = json.loads((tmp_path / "results/mini/people_rdm/mini_clip@untrained-1.json").read_text())
    assert stored["model"] == "mini_clip@untrained:1"


def test_a_range_may_stand_in_a_suite(bench, tmp_path):
    registry = tmp_path / "mine.yaml"
    registry.write_text(
        "suites:\n"
        "  mine:\n"
        '    models: ["twins@untrained:0-1"]\n'
        "    bindings:\n"
        "      people_rdm: {task: rdm_correlation, stimuli: mini_images, target: mini_people}\n"
        "models:\n"
        "  twins: {plugin: models/miniature.py:Clip, checkpoint: {untrained: 4}}\n"
    )
    output = ("--output", tmp_path / "results", "--format", "json")
    asked = ("run", "-m", "twins@untrained:0-1", "-t", "people_rdm", "--suite", "mine")
    done = bench(*asked, "--registry", registry, *output)
    assert [cell["model"] for cell in done.cells] == ["twins@untrained:0", "twins@untrained:1"]
    registry.write_text(registry.read_text().replace('0-1"]', '0-1", "twins@untrained:1"]'))
    twice = bench(*asked, "--registry", registry, *output)
    assert twice.status == 2
    assert "'twins@untrained:1' stands twice" in twice.err
