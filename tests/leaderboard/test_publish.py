"""Publishing results: equal numbers take the new key, others are refused."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from benchmark.registry import load_registry
from benchmark.results import CellResult, ResultStore
from benchmark.runner import Cell, Options, Session
from benchmark.runner.key import unchanged

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def publish():
    return runpy.run_path(str(ROOT / "leaderboard" / "publish.py"))["publish"]


@pytest.fixture
def folders(bench, tmp_path) -> tuple[Path, Path]:
    """Fresh results, and the same ones published with older code and keys; one more model was published."""
    fresh, published = tmp_path / "fresh", tmp_path / "published"
    assert (
        bench("run", "-m", "pixels,mini_clip", "-t", "people_rdm,area_late_rdm", "--output", fresh).status
        == 0
    )
    assert bench("run", "-m", "mini_encoder", "-t", "people_rdm", "--output", published).status == 0
    for stored in (*ResultStore(fresh).all()[0], *ResultStore(published).all()[0]):
        key = {part: value for part, value in stored.cell.key.items() if part != "stimuli"}
        features = {**key["features"], "code": "old", "stimuli": "old manifest"}
        old = {**key, "code": "old", "features": features, "target": f"old {key['binding']['target']}"}
        ResultStore(published).write(stored.cell.model_copy(update={"key": old}))
    return fresh, published


def current(folder: Path, model: str, binding: str) -> bool:
    return unchanged(Session(Options(output=folder)), Cell(model, binding, "mini")) is not None


def test_equal_numbers_take_the_present_code(publish, folders):
    fresh, published = folders
    before = {s.path: s.cell for s in ResultStore(published).all()[0]}
    assert not current(published, "pixels", "people_rdm")
    lines, complete = publish(fresh, published, load_registry())
    assert complete, lines
    assert current(published, "pixels", "people_rdm")
    assert current(published, "mini_encoder", "people_rdm"), (
        "it was not run again: cells of its task speak for it"
    )
    after = {s.path: s.cell for s in ResultStore(published).all()[0]}
    assert before.keys() == after.keys()
    for path, cell in before.items():
        assert after[path].score == cell.score
        assert after[path].layers == cell.layers


def key_of(folder: Path, model: str, binding: str) -> dict:
    return json.loads((folder / "mini" / binding / f"{model}.json").read_text())["key"]


def test_why_a_cell_is_not_possible_is_published_but_no_path(publish, folders):
    fresh, published = folders
    one = ResultStore(published).last("mini", "people_rdm", "mini_encoder")
    words = "words_one_vs_two"
    for model, binding, reason in (
        ("pixels", words, "it names no class"),
        ("mini_clip", words, "no file /home/me/x"),
        ("mini_encoder", "people_rdm", "it has a result"),
    ):
        lost = {"status": "not_possible", "score": None, "reason": reason}
        ResultStore(fresh).refuse(one.cell.model_copy(update={**lost, "model": model, "binding": binding}))
    publish(fresh, published, load_registry())
    kept, unread = ResultStore(published).refusals()
    assert [(s.cell.model, s.cell.reason) for s in kept] == [("pixels", "it names no class")]
    assert unread == []


def test_data_that_an_equal_cell_had_too_have_their_present_parts(publish, folders):
    fresh, published = folders
    publish(fresh, published, load_registry())
    speaks, key = key_of(fresh, "pixels", "people_rdm"), key_of(published, "mini_encoder", "people_rdm")
    assert key["stimuli"] == speaks["stimuli"]
    assert key["target"] == speaks["target"]
    assert key["features"]["stimuli"] == speaks["features"]["stimuli"]


@pytest.mark.parametrize("case", ["other data", "no cell with the target"])
def test_nothing_else_speaks_for_data(publish, folders, case):
    fresh, published = folders
    path = published / "mini" / "people_rdm" / "mini_encoder.json"
    if case == "other data":
        edit(path, key={**key_of(published, "mini_encoder", "people_rdm"), "target": "another hash"})
    else:
        for other in ("pixels", "mini_clip"):
            (fresh / "mini" / "people_rdm" / f"{other}.json").unlink()
    recorded = key_of(published, "mini_encoder", "people_rdm")
    publish(fresh, published, load_registry(), moved=True)
    key = key_of(published, "mini_encoder", "people_rdm")
    assert key["target"] == recorded["target"]
    assert not current(published, "mini_encoder", "people_rdm")


def test_data_of_which_one_cell_moved_are_not_said_to_be_the_same(folders):
    present_data = runpy.run_path(str(ROOT / "leaderboard" / "publish.py"))["present_data"]
    fresh, published = (ResultStore(folder) for folder in folders)

    def data(**gaps: float) -> set[tuple[str, str]]:
        compared = [
            (published.last("mini", name, "pixels").cell, fresh.last("mini", name, "pixels").cell, gap)
            for name, gap in gaps.items()
        ]
        return {(part, name) for part, name, _ in present_data(compared)}

    assert data(people_rdm=0.0) == {("stimuli", "mini_images"), ("target", "mini_people")}
    assert data(people_rdm=0.0, area_late_rdm=0.1) == {("target", "mini_people")}


def test_stimuli_of_which_no_cell_was_run_keep_the_hash_that_was_recorded(folders):
    module = runpy.run_path(str(ROOT / "leaderboard" / "publish.py"))
    _, published = folders
    cell = ResultStore(published).last("mini", "people_rdm", "mini_encoder").cell
    key = module["with_present_code"](cell, load_registry(), {}, plug_in=False).key
    entry = load_registry().dataset("mini_images").entry
    assert key["stimuli"] == {"hash": "old manifest", "plugin": entry.plugin, "params": entry.params}
    assert key["features"]["stimuli"] == "old manifest"
    assert key["target"] == "old mini_people", "its hash does not cover what the entry decides"


def edit(path: Path, **change) -> None:
    """Write another result, with the checksum that fits it."""
    cell = CellResult.model_validate({**json.loads(path.read_text()), **change})
    ResultStore(path.parents[2]).write(cell)


@pytest.mark.parametrize("where", [0, 1], ids=["run", "published"])
def test_a_file_edited_by_hand_is_named_and_nothing_is_published(publish, folders, where):
    path = folders[where] / "mini" / "people_rdm" / "pixels.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "score": 0.99}))
    before = {path: path.read_bytes() for path in folders[1].rglob("*.json")}
    lines, complete = publish(*folders, load_registry(), moved=True)
    assert not complete
    assert lines == [f"refused: {path} differs from its checksum: it was edited or damaged"]
    assert {path: path.read_bytes() for path in folders[1].rglob("*.json")} == before


def test_other_numbers_are_refused_and_speak_for_nobody(publish, folders):
    fresh, published = folders
    edit(published / "mini" / "people_rdm" / "pixels.json", score=0.5)
    lines, complete = publish(fresh, published, load_registry())
    assert not complete
    assert any(line.startswith("refused mini/people_rdm/pixels.json") for line in lines)
    assert any(line.startswith("left mini/people_rdm/mini_encoder.json") for line in lines)
    assert json.loads((published / "mini" / "people_rdm" / "pixels.json").read_text())["score"] == 0.5
    lines, complete = publish(fresh, published, load_registry(), moved=True)
    assert json.loads((published / "mini" / "people_rdm" / "pixels.json").read_text())["score"] != 0.5
    assert not complete, "what moved says nothing of a cell that was not run"


def test_a_layer_that_is_gone_is_a_difference(publish, folders):
    fresh, published = folders
    path = published / "mini" / "people_rdm" / "pixels.json"
    edit(path, layers=[*json.loads(path.read_text())["layers"], {"name": "more"}])
    lines, complete = publish(fresh, published, load_registry())
    assert not complete
    assert "by up to inf" in lines[0]


@pytest.mark.parametrize("part", ["code", "task_source"])
def test_equal_cells_do_not_speak_for_one_that_older_code_scored(publish, folders, part):
    """A change that moved numbers came between: the others were run again after it, this one was not."""
    fresh, published = folders
    path = published / "mini" / "people_rdm" / "mini_encoder.json"
    edit(path, key={**key_of(published, "mini_encoder", "people_rdm"), part: "older still"})
    lines, complete = publish(fresh, published, load_registry())
    assert not complete
    assert any(line.startswith("left mini/people_rdm/mini_encoder.json") for line in lines)
    assert key_of(published, "mini_encoder", "people_rdm")[part] == "older still"
    assert current(published, "pixels", "people_rdm")


def test_only_what_was_compared_speaks_for_a_cell(publish, folders):
    fresh, published = folders
    for path in published.glob("mini/*/*.json"):
        if path.stem != "mini_encoder":
            path.unlink()
    lines, complete = publish(fresh, published, load_registry())
    assert not complete
    assert any(line.startswith("left mini/people_rdm/mini_encoder.json") for line in lines)
    assert not current(published, "mini_encoder", "people_rdm")


def test_the_code_of_a_model_needs_an_equal_cell_of_its_plug_in(publish, folders):
    fresh, published = folders
    for path in fresh.glob("mini/*/mini_clip.json"):
        path.unlink()
    path = published / "mini" / "people_rdm" / "mini_encoder.json"
    key = json.loads(path.read_text())["key"]
    edit(path, key={**key, "features": {**key["features"], "source": "old"}})
    lines, complete = publish(fresh, published, load_registry())
    assert complete
    assert any(
        line.startswith("kept the code of the model of mini/people_rdm/mini_encoder.json") for line in lines
    )
    assert not current(published, "mini_encoder", "people_rdm")


def test_an_empty_cell_has_its_reason_published(bench, tmp_path):
    module = runpy.run_path(str(ROOT / "leaderboard" / "reasons.py"))
    for model, bindings in (("mini_encoder", "people_rdm,words_one_vs_two"), ("pixels", "area_late_rdm")):
        assert bench("run", "-m", model, "-t", bindings, "--output", tmp_path).status == 0
    lines = module["publish_reasons"](Session(Options(output=tmp_path)))
    assert lines == ["mini: 1 cells not possible, 2 not run"]
    (kept,), unread = ResultStore(tmp_path).refusals()
    assert (kept.cell.model, kept.cell.binding) == ("pixels", "words_one_vs_two")
    assert "has no classes" in kept.cell.reason
    assert unread == []


def test_what_is_missing_on_this_machine_is_named_by_its_kind_alone():
    module = runpy.run_path(str(ROOT / "leaderboard" / "reasons.py"))
    session = Session(Options(data=ROOT / "nowhere"))
    cells = [Cell("alexnet_conv", "hit_rdm", "human"), Cell("pixels", "hit_rdm", "human")]
    said = [reason for _, reason in module["reasons"](session, cells)]
    assert said == ["not run: the weights could not be had", "not run: the data could not be had"]
