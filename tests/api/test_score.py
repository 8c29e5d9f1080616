"""``benchmark.score``: features in memory, as people have them."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
import torch
from typer.main import get_command

import benchmark
from benchmark import api
from benchmark.cli.app import app
from benchmark.common.errors import UsageError
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.inference import paired_difference
from benchmark.results import ResultStore, perturbed_of

NAMES = [concept.id for concept in CONCEPTS]
FEATURES = np.random.default_rng(0).normal(size=(48, 12)).astype(np.float32)
TASKS = ["people_rdm", "area_late_rdm"]


@pytest.fixture(autouse=True)
def _cache(monkeypatch, shared_cache):
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))


def score(tmp_path, features, ids=None, tasks="people_rdm", **more):
    return benchmark.score(features, ids, tasks=tasks, output=tmp_path, **more)


def test_array_tensor_frame_and_dict_of_them_are_the_same(tmp_path):
    frame = pd.DataFrame(FEATURES, index=NAMES)
    forms = {
        "array": (FEATURES, NAMES),
        "tensor": (torch.tensor(FEATURES, requires_grad=True), NAMES),
        "frame": (frame, None),
        "dict": ({"output": FEATURES}, NAMES),
        "frames": ({"output": frame}, None),
        "turned": (FEATURES[::-1], NAMES[::-1]),
    }
    scores = {form: score(tmp_path, *given, name=form)[0].score for form, given in forms.items()}
    assert set(scores.values()) == {scores["array"]}


def test_it_is_what_a_file_of_these_features_scores(bench, tmp_path):
    np.savez(tmp_path / "mine.npz", ids=np.array(NAMES), one=FEATURES, two=FEATURES**2)
    entry = "models:\n  mine: {plugin: models/features.py:Features, checkpoint: {file: mine.npz}}\n"
    (tmp_path / "own.yaml").write_text(entry)
    file = benchmark.run("mine", "people_rdm", registries=[tmp_path / "own.yaml"], output=tmp_path / "a")
    (cell,) = score(tmp_path / "b", {"one": FEATURES, "two": FEATURES**2}, NAMES, name="mine")
    assert cell.layers == file[0].layers
    assert (cell.score, cell.best_layer) == (file[0].score, file[0].best_layer)


def test_again_is_cached_and_other_features_are_not(tmp_path):
    assert not score(tmp_path, FEATURES, NAMES).outcomes[0].cached
    assert score(tmp_path, FEATURES, NAMES).outcomes[0].cached
    assert not score(tmp_path, FEATURES + 1e-3 * FEATURES**2, NAMES).outcomes[0].cached


def test_layers_comparison_and_figure(tmp_path):
    mine = score(tmp_path, {"a": FEATURES, "b": FEATURES**2}, NAMES, TASKS, name="mine")
    other = score(tmp_path, FEATURES[:, :6], NAMES, TASKS, name="other")
    layers = mine.to_layers()
    assert len(layers) == sum(len(layer.metrics) for cell in mine for layer in cell.layers)
    row = layers[(layers.binding == "people_rdm") & (layers.layer == "b") & (layers.metric == "spearman")]
    assert row.score.item() == mine[0].layers[1].metrics["spearman"].score
    assert (row.depth.item(), row.p.item()) == (1.0, mine[0].layers[1].p)
    found = mine.compare(other).set_index("binding")
    for cell, against in zip(mine, other, strict=True):
        expected = paired_difference(perturbed_of(cell), perturbed_of(against))
        assert found.loc[cell.binding, ["difference", "low", "high", "p"]].tolist() == pytest.approx(expected)
    figure = mine.plot()
    assert [axes.get_title(loc="left") for axes in figure.axes] == TASKS
    line = next(line for line in figure.axes[0].get_lines() if line.get_label() == "mine")
    assert list(line.get_ydata()) == [layer.metrics["spearman"].score for layer in mine[0].layers]
    figure.savefig(tmp_path / "profile.pdf")
    assert "people_rdm" in repr(mine)
    assert "\n" in repr(mine)


@pytest.mark.parametrize(
    ("features", "ids", "said"),
    [
        ({}, NAMES, "no layer"),
        (FEATURES, None, "give ids="),
        (FEATURES[:40], NAMES, "40 rows for 48 ids"),
        (FEATURES.reshape(48, 3, 4), NAMES, "expected .stimuli, dimensions."),
        ([["a"]], ["x"], "no array of numbers"),
        ({"ids": FEATURES}, NAMES, "cannot be called 'ids'"),
        (
            {"a": pd.DataFrame(FEATURES, NAMES), "b": pd.DataFrame(FEATURES, NAMES[::-1])},
            None,
            "different indices",
        ),
    ],
)
def test_what_is_no_features_is_one_line(tmp_path, features, ids, said):
    with pytest.raises(UsageError, match=said) as error:
        score(tmp_path, features, ids)
    assert "\n" not in str(error.value)


def test_ids_of_other_stimuli_are_not_possible_and_say_why(tmp_path):
    (cell,) = score(tmp_path, FEATURES, [f"n{i:08}" for i in range(48)])
    assert cell.status == "not_possible"
    assert "n00000000" in cell.reason
    ((kept,), _) = ResultStore(tmp_path).refusals()
    assert kept.cell.reason == cell.reason
    (cell,) = score(tmp_path, FEATURES, NAMES)
    assert cell.status == "scored"
    assert ResultStore(tmp_path).refusals() == ([], []), "the result takes the place of the reason"


def test_a_dry_run_scores_nothing(tmp_path):
    (planned,) = score(tmp_path, FEATURES, NAMES, dry_run=True)
    assert planned.state == "to score"
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("verb", ["run", "similarity", "partition"])
def test_defaults_are_those_of_the_command(verb):
    asked = {option.name: option for option in get_command(app).commands[verb].params}
    own = inspect.signature(getattr(api, verb)).parameters
    for name in sorted({"device", "seed", "jobs", "dry_run", "metric"} & asked.keys() & own.keys()):
        assert own[name].default == asked[name].default, name


def test_tab_completion_shows_what_a_user_calls():
    assert dir(benchmark) == ["__version__", "check", "compare", "run", "score", "similarity"]
