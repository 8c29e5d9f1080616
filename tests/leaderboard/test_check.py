"""Results with numbers that no run can give, and files that are none."""

from __future__ import annotations

import json
import os
import random

import pytest
from test_page import build, cell, suite

from benchmark.leaderboard.check import faults, refusals, remarks
from benchmark.registry import load_registry, shipped_root
from benchmark.results import CellResult, Estimate, LayerScore, ResultStore

WRONG = {
    "score 5 is outside -1 to 1": {"score": 5.0, "ci_high": 5.1},
    "ci_low 0.5 is above ci_high 0.3": {"ci_low": 0.5, "ci_high": 0.3},
    "ceiling_low 0.9 is above ceiling_high 0.1": {"ceiling_low": 0.9, "ceiling_high": 0.1},
    "best layer three is none of its layers": {"best_layer": "three"},
    "none of its layers": {"layers": ()},
    "two layers have one name": {"layers": (cell().layers[1],) * 2},
    "it has -3 concepts": {"n": -3},
    "a count is below 0": {"counts": {"joined": -1}},
    "but only 3 joined": {"counts": {"joined": 3}},
    "9 stimuli are not the 5": {"counts": {"stimuli": 9, "correct": 3, "misclassified": 2}},
    "miniature is False": {"miniature": False},
    "its task is two_vs_two": {"task": "two_vs_two"},
    "not marked untrained": {"model": "a@untrained:0"},
    "rows of different lengths": {"perturbed": ((0.1, 0.2), (0.1,))},
    "a p-value of layer two": {"layers": (LayerScore(name="two", p=7.0),)},
    "spearman of layer two: score -3 is outside": {
        "layers": (LayerScore(name="two", metrics={"spearman": Estimate(score=-3.0)}),)
    },
}


@pytest.mark.parametrize(("said", "change"), WRONG.items())
def test_numbers_that_no_run_can_give_are_named_and_off_the_page(tmp_path, said, change):
    (fault, *_) = [f for f in faults(cell(**{"model": "bad", **change}), load_registry()) if said in f]
    assert "\n" not in fault
    text, page, _ = build(tmp_path, cell("good"), cell(**{"model": "bad", **change}))
    assert [m["name"] for m in suite(text)["models"]] == ["good"]
    assert "left out: " in page


def test_published_results_have_no_fault():
    stored, unread = ResultStore(shipped_root() / "leaderboard" / "results").all()
    registry = load_registry()
    assert unread == []
    found = {s.path.name: [*faults(s.cell, registry), *refusals(s.cell, registry)] for s in stored}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_score_outside_its_own_interval_is_refused_and_shown_all_the_same(tmp_path):
    layer = LayerScore(name="two", metrics={"spearman": Estimate(score=0.4, ci_low=0.1, ci_high=0.3)})
    bad = cell("pixels", ci_low=0.45, layers=(layer,))
    assert refusals(bad, load_registry()) == [
        "the score 0.4 is outside its own interval, 0.45 to 0.5",
        "spearman of layer two 0.4 is outside its own interval, 0.1 to 0.3",
    ]
    assert refusals(cell("pixels", ci_low=None, ci_high=None), load_registry()) == []
    text, _, _ = build(tmp_path, bad)
    assert [m["name"] for m in suite(text)["models"]] == ["pixels"]


def test_a_result_of_another_plug_in_than_its_entry_names_is_refused(bench, tmp_path):
    entry = {"plugin": "models/other.py:Other"}
    made = cell().provenance.model_copy(update={"registry_entry": entry})
    for model in ("pixels", "mini_encoder@untrained:0"):
        (fault,) = refusals(cell(model, provenance=made, untrained="@" in model), load_registry())
        assert fault.startswith(f"it claims model {model} of models/")
        assert fault.endswith("but is of models/other.py:Other")
    assert refusals(cell("nobody", provenance=made), load_registry()) == [], "it may be of another registry"
    ResultStore(tmp_path).write(cell("pixels", provenance=made))
    done = bench("results", "check", tmp_path)
    assert done.status == 1
    assert "pixels.json: fault: it claims model pixels" in done.out


def test_another_entry_is_remarked():
    (found,) = remarks(cell("pixels"), load_registry())
    assert found.startswith("the entry of pixels in this registry has another ")
    assert "not in this registry" in remarks(cell("nobody"), load_registry())[0]


def test_a_named_pipe_and_a_folder_are_left_out_at_once(tmp_path):
    folder = tmp_path / "results" / "mini" / "people_rdm"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    text, said, _ = build(tmp_path, cell("good"))
    assert said.count("it is no file") == 2
    assert [m["name"] for m in suite(text)["models"]] == ["good"]


def test_seeds_that_are_no_numbers_are_a_model_of_their_own(tmp_path):
    text, _, _ = build(tmp_path, cell("a@untrained:x", untrained=True), cell("a@untrained:0", untrained=True))
    assert {m["name"] for m in suite(text)["models"]} == {"a@untrained:x", "a@untrained:0"}


def places(value, here=()):
    """Every place in a value as JSON holds it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inside in items:
        yield (*here, name)
        yield from places(inside, (*here, name))


def test_no_damage_takes_the_page_down(tmp_path):
    """Every value in a result is replaced by one of another kind, with a checksum that fits."""
    store = ResultStore(tmp_path / "results")
    whole = cell("bad").model_dump(mode="json")
    draw = random.Random(0)
    for number, place in enumerate(places(whole)):
        damaged = json.loads(json.dumps(whole))
        inside = damaged
        for name in place[:-1]:
            inside = inside[name]
        inside[place[-1]] = draw.choice([[], {}, "text", -1e300, 10**400, None, [[1]], {"a": [None]}, True])
        damaged["model"] = damaged["model"] if place == ("model",) else f"bad{number}"
        try:
            store.write(CellResult.model_validate(damaged))
        except (ValueError, TypeError):  # the schema refuses it, as it does when it reads the file
            continue
    text, _, _ = build(tmp_path, cell("good"))
    assert "good" in {m["name"] for m in suite(text)["models"]}


def test_the_command_names_what_is_wrong(bench, tmp_path):
    store = ResultStore(tmp_path)
    good, bad = store.write(cell("good")), store.write(cell("bad", score=5.0, ci_high=6.0))
    edited = store.write(cell("edited"))
    edited.path.write_text(edited.path.read_text().replace("0.4", "0.5"))
    done = bench("results", "check", tmp_path)
    assert done.status == 1
    lines = done.out.splitlines()
    assert lines[-1] == "3 results, 2 with a fault"
    assert any("bad.json: fault: the score: score 5 is outside -1 to 1" in line for line in lines)
    assert any("edited.json: fault: " in line and "checksum" in line for line in lines)
    assert bench("results", "check", good.path).status == 0
    assert bench("results", "check", bad.path, good.path).status == 1
    assert bench("results", "check", tmp_path / "nothing").status == 2
    assert bench("results", "check", "/dev/null").status == 1, "a file that is in no folders"
