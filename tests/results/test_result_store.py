"""The folder of results: what is found again, what is not, and what a crash leaves."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.common import files
from benchmark.common.errors import DataError
from benchmark.results import CellResult, Estimate, LayerScore, Provenance, ResultStore, diff_keys

KEY = {"weights": "abc", "params": {"k": 5}, "layers": ["a", "b"], "seed": 0}
PROVENANCE = Provenance(
    registry_entry={},
    weights_sha256="abc",
    weights="net.bin",
    preprocessing="none",
    stimuli_manifest="m",
    target_hash="t",
    task_version=1,
    params={},
    seed=0,
    packages={},
    python="3.11",
    device="cpu",
    dtype="float32",
    code_version="c",
    created="2026-01-01T00:00:00+00:00",
    seconds=1.5,
)


def cell(model: str = "net", **changes) -> CellResult:
    fields = {
        "model": model,
        "task": "rank",
        "binding": "norms",
        "suite": "mini",
        "status": "scored",
        "metric": "accuracy",
        "score": 0.5,
        "key": KEY,
        "provenance": PROVENANCE,
    }
    return CellResult(**{**fields, **changes})


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(tmp_path / "results")


def files_under(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_found_again(store):
    written = store.write(cell())
    found = store.find("mini", "norms", "net", {**KEY, "layers": ("a", "b")})
    assert found == written
    assert found.path == store.folder / "mini" / "norms" / "net.json"


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "abd"},
        {"params": {"k": 6}},
        {"params": {}},
        {"layers": ["b", "a"]},
        {"seed": 1},
        {"new": None},
    ],
)
def test_any_change_of_the_key_is_another_result(store, change):
    store.write(cell())
    assert store.find("mini", "norms", "net", {**KEY, **change}) is None


def test_a_missing_part_of_the_key_is_another_result(store):
    store.write(cell())
    assert store.find("mini", "norms", "net", {k: v for k, v in KEY.items() if k != "seed"}) is None


def test_only_scored_results_are_found_again(store):
    store.write(cell(status="failed", reason="it broke"))
    assert store.find("mini", "norms", "net", KEY) is None
    assert store.last("mini", "norms", "net").cell.reason == "it broke"


def test_diff_keys():
    assert diff_keys(KEY, KEY) == []
    assert diff_keys(KEY, {**KEY, "seed": 1, "params": {"k": 5, "metric": "x"}}) == ["params.metric", "seed"]
    assert diff_keys({"a": 1}, {"b": 1}) == ["a", "b"]
    assert diff_keys({"a": {"b": 1}}, {"a": 3}) == ["a"]
    assert diff_keys({"a": True}, {"a": 1}) == ["a"]
    assert diff_keys({"a": (1, 2)}, {"a": [1, 2]}) == []


json_keys = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=2),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)


@given(json_keys, json_keys)
def test_keys_differ_exactly_when_their_json_does(a, b):

    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (diff_keys(a, b) == []) == same
    assert diff_keys(a, b) == diff_keys(b, a)


def test_arrays_stand_beside_the_result(store):
    arrays = {"rdm": np.eye(3), "names": np.array(["a", "b"])}
    written = store.write(cell(), arrays)
    found = store.find("mini", "norms", "net", KEY)
    assert (found.path.parent / found.cell.arrays).is_file()
    again = store.arrays(found)
    np.testing.assert_array_equal(again["rdm"], np.eye(3))
    assert list(again["names"]) == ["a", "b"]
    assert store.arrays(store.write(cell())) == {}
    assert files_under(store.folder) == ["mini/norms/net.json"], "arrays of the old result are gone"
    with pytest.raises(DataError, match="cannot read arrays"):
        store.arrays(written)


def test_same_arrays_same_file(store):
    first = store.write(cell(), {"x": np.arange(3.0)})
    second = store.write(cell(score=0.6), {"x": np.arange(3.0)})
    assert first.cell.arrays == second.cell.arrays
    assert len(files_under(store.folder)) == 2


def test_arrays_of_another_model_stay(store):
    for model in ("net", "net.v2", "net-2", "net@untrained:0"):
        store.write(cell(model), {"x": np.arange(3.0)})
        store.write(cell(model), {"x": np.arange(4.0)})
    results, problems = store.all()
    assert problems == []
    assert len(files_under(store.folder)) == 8
    for stored in results:
        assert store.arrays(stored)["x"].shape == (4,)


def test_result_whose_arrays_are_gone_is_computed_again(store, caplog):
    written = store.write(cell(), {"x": np.arange(3.0)})
    (written.path.parent / written.cell.arrays).unlink()
    assert store.find("mini", "norms", "net", KEY) is None
    assert "are gone" in caplog.text


@pytest.mark.parametrize(
    "arrays", [{"x": np.array([object()])}, {"file": np.zeros(2)}, {"allow_pickle": np.ones(1)}]
)
def test_arrays_that_cannot_be_kept(store, arrays):
    with pytest.raises(DataError):
        store.write(cell(), arrays)
    assert files_under(store.folder) == [] if store.folder.exists() else True


def test_arrays_name_never_leads_elsewhere(store):
    written = store.write(cell())
    bad = written.cell.model_copy(update={"arrays": "../../secret.npz"})
    with pytest.raises(DataError, match="is no file name"):
        store.arrays(type(written)(written.path, bad))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Invalid JSON"),
        (b'{"model": "net", ', "Invalid JSON"),
        (b"[1, 2]", "Input should be a valid dictionary"),
        (b'{"hello": "world"}', "is not a result"),
        (b"\xff\xfe", "Invalid JSON"),
    ],
)
def test_corrupt_or_foreign_file_is_said(store, caplog, content, message):
    store.write(cell("other"))
    path = store.write(cell()).path
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        store.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    results, problems = store.all()
    assert [stored.cell.model for stored in results] == ["other"]
    assert len(problems) == 1
    assert str(path) in problems[0]
    assert store.find("mini", "norms", "net", KEY) is None
    assert "computed again" in caplog.text
    aside = path.with_name("net.json.damaged")
    assert str(aside) in caplog.text
    assert aside.read_bytes() == content
    store.write(cell())
    assert store.find("mini", "norms", "net", KEY) is not None


def test_result_of_another_cell_under_this_name(store, caplog):
    path = store.write(cell()).path
    path.rename(path.with_name("stranger.json"))
    assert store.find("mini", "norms", "stranger", KEY) is None
    assert "another cell" in caplog.text


def test_missing_result(store):
    assert store.find("mini", "norms", "net", KEY) is None
    assert store.all() == ([], [])
    with pytest.raises(DataError, match="cannot read result"):
        store.read(store.path_for("mini", "norms", "net"))


def test_a_write_that_fails_leaves_the_old_result(store, monkeypatch):
    store.write(cell(), {"x": np.arange(3.0)})
    before = files_under(store.folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        store.write(cell(score=0.9), {"x": np.arange(4.0)})
    assert files_under(store.folder) == before
    assert store.find("mini", "norms", "net", KEY).cell.score == 0.5


def test_a_crash_between_arrays_and_result_leaves_the_old_pair(store, monkeypatch):
    store.write(cell(), {"x": np.arange(3.0)})

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.results.store.write_atomic", die)
    with pytest.raises(KeyboardInterrupt):
        store.write(cell(score=0.9), {"x": np.arange(4.0)})
    found = store.find("mini", "norms", "net", KEY)
    assert found.cell.score == 0.5
    assert store.arrays(found)["x"].shape == (3,)


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write result"):
        ResultStore(tmp_path / "file").write(cell())


def test_files_can_be_read_by_others(store):
    mask = os.umask(0o022)
    try:
        assert store.write(cell()).path.stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(mask)


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_a_path_never_leaves_the_folder(tmp_path_factory, suite, binding, model):
    folder = tmp_path_factory.getbasetemp() / "results"
    path = ResultStore(folder).path_for(suite, binding, model)
    assert len(path.relative_to(folder).parts) == 3
    assert path.resolve().is_relative_to(folder.resolve())
    assert all(
        len(part.encode()) < 200 and not part.startswith(".") for part in path.relative_to(folder).parts
    )


@given(
    st.lists(
        st.text(min_size=1, max_size=8) | st.sampled_from(["a@untrained:0", "a@untrained:00"]), unique=True
    )
)
def test_two_models_never_share_a_path(tmp_path_factory, models):
    store = ResultStore(tmp_path_factory.getbasetemp())
    assert len({store.path_for("s", "b", model) for model in models}) == len(models)


def edit(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def put_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}*.damaged"))


def test_an_edited_score_is_not_believed(store, caplog):
    path = store.write(cell()).path
    edit(path, score=0.9)
    results, (problem,) = store.all()
    assert results == []
    assert problem == f"{path} differs from its checksum: it was edited or damaged"
    assert store.find("mini", "norms", "net", KEY) is None
    assert f"{problem}; kept as {path}.damaged, it is computed again" in caplog.text
    assert json.loads(put_aside(path)[0].read_text())["score"] == 0.9
    store.write(cell())
    assert store.find("mini", "norms", "net", KEY).cell.score == 0.5


def test_a_result_without_a_checksum_is_not_believed_and_stays(store, caplog):
    path = store.write(cell()).path
    edit(path, checksum=None)
    assert "no checksum" in store.all()[1][0]
    assert store.find("mini", "norms", "net", KEY) is None
    assert "no checksum" in caplog.text
    assert path.exists()


def test_other_spacing_is_the_same_result(store):
    path = store.write(cell()).path
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True, indent=4), encoding="utf-16")
    assert store.find("mini", "norms", "net", KEY).cell.score == 0.5


def test_a_copy_under_the_name_of_another_model_is_on_no_page(store):
    path = store.write(cell()).path
    shutil.copy(path, path.with_name("better.json"))
    results, (problem,) = store.all()
    assert [stored.cell.model for stored in results] == ["net"]
    assert problem == f"{path.with_name('better.json')} holds the result of another cell"


def refused(model: str, **changes) -> CellResult:
    return cell(model).model_copy(update={"status": "not_possible", "reason": "too few concepts", **changes})


def test_a_reason_is_kept_until_the_cell_has_a_result_and_is_no_result(store):
    store.refuse(refused("a"))
    ((one,), unread) = store.refusals()
    assert (one.cell.model, one.cell.reason, unread) == ("a", "too few concepts", [])
    assert store.all() == ([], [])
    store.write(cell("b"))
    assert [one.cell.model for one in store.refusals()[0]] == ["a"], "that of another cell stays"
    store.write(cell("a"))
    assert store.refusals() == ([], [])
    assert [one.cell.model for one in store.all()[0]] == ["a", "b"]


def test_a_reason_never_takes_the_place_of_a_result(store):
    kept = store.write(cell("a"))
    store.refuse(refused("a"))
    assert [one.cell for one in store.all()[0]] == [kept.cell]


def test_an_edited_or_foreign_reason_is_named(store):
    store.refuse(refused("a"))
    ((one,), _) = store.refusals()
    (one.path.parent / f"b{one.path.suffix}").write_bytes(one.path.read_bytes())
    one.path.write_text(one.path.read_text().replace("too few", "no"))
    sound, unread = store.refusals()
    assert sound == []
    assert ["checksum" in line or "another cell" in line for line in unread] == [True, True]


def test_a_folder_that_cannot_be_written_to_keeps_no_reason(tmp_path):
    (tmp_path / "file").write_text("")
    ResultStore(tmp_path / "file").refuse(refused("a"))
    assert (tmp_path / "file").read_text() == ""


def test_arrays_are_hashed_once_as_long_as_they_stay_as_they_are(store, monkeypatch):
    written = store.write(cell(), {"x": np.arange(3.0)})
    path = written.path.parent / written.cell.arrays
    hashed = []
    monkeypatch.setattr(
        "benchmark.results.store.sha256_of", lambda path: hashed.append(path) or files.sha256_of(path)
    )
    for _ in range(3):
        assert store.find("mini", "norms", "net", KEY) is not None
        assert store.find("mini", "norms", "net", {}) is None
        store.arrays(written)
    assert hashed == [path]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    later = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))
    assert store.find("mini", "norms", "net", KEY) is None, "it was damaged meanwhile"


@pytest.mark.parametrize("damage", ["another result's", "truncated", "a folder"])
def test_arrays_that_are_not_those_of_the_result(store, caplog, damage):
    written = store.write(cell(), {"x": np.arange(3.0)})
    other = store.write(cell("other"), {"x": np.ones(3)})
    path = written.path.parent / written.cell.arrays
    if damage == "another result's":
        shutil.copy(other.path.parent / other.cell.arrays, path)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(DataError, match=str(path.name).replace("+", r"\+")):
        store.arrays(written)
    assert store.find("mini", "norms", "net", KEY) is None
    assert str(path) in caplog.text
    again = store.write(cell(), {"x": np.arange(3.0)})
    np.testing.assert_array_equal(store.arrays(again)["x"], np.arange(3.0))
    assert store.arrays(store.last("mini", "norms", "other"))["x"].sum() == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: edit(path, score=[0.5]),
        lambda path: edit(path, score=10**400),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_text('{"key": ' + '{"a": ' * 100_000),
        lambda path: path.write_text('{"key": ' + '{"a": ' * 900 + "1" + "}" * 901),
        lambda path: path.write_text('{"n": ' + "9" * 5000 + "}"),
        lambda path: edit(path, arrays="a" * 5000),
        lambda path: edit(path, arrays="a\0b.npz"),
        lambda path: path.write_bytes(b"\0" * 100),
        lambda path: path.write_bytes(b"\xff\xfe\x00\xd8"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.mkdir(), (path / "inside").touch()),
        lambda path: (path.unlink(), path.symlink_to(path)),
    ],
)
def test_a_broken_file_is_one_line_and_does_not_fail_its_cell_for_ever(store, caplog, damage):
    path = store.write(cell()).path
    damage(path)
    results, problems = store.all()
    assert results == []
    assert all(str(path) in problem and "\n" not in problem for problem in problems)
    assert store.last("mini", "norms", "net") is None
    assert str(path) in caplog.text
    assert put_aside(path)
    store.write(cell())
    assert store.last("mini", "norms", "net").cell.score == 0.5
    damage(path)
    assert store.last("mini", "norms", "net") is None
    store.write(cell())
    assert store.last("mini", "norms", "net").cell.score == 0.5


def test_a_result_that_may_not_be_read(store, monkeypatch, caplog):
    path = store.write(cell()).path

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert store.last("mini", "norms", "net") is None
    assert f"cannot read result {path}: Permission denied" in caplog.text
    monkeypatch.undo()
    store.write(cell())
    assert store.last("mini", "norms", "net").cell.score == 0.5


def places(value, at=()):
    """Every place in a JSON value."""
    yield at
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield from places(child, (*at, name))


RESULT = json.loads(
    cell(
        counts={"joined": 5},
        notes=("a", "b"),
        layers=(LayerScore(name="a", p=0.5, metrics={"accuracy": Estimate(score=0.5)}),),
    ).model_dump_json()
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_whatever_stands_in_a_file_a_result_is_the_written_one_or_none(tmp_path_factory, data):
    store = ResultStore(tmp_path_factory.mktemp("fuzz"))
    stored = store.write(CellResult.model_validate(RESULT), {"x": np.arange(3.0)})
    content = json.loads(stored.path.read_text())
    place = data.draw(st.sampled_from(list(places(content))))
    value = data.draw(ANY_JSON)
    if not place:
        content = value
    else:
        inner = content
        for name in place[:-1]:
            inner = inner[name]
        if isinstance(inner, dict) and data.draw(st.booleans()):
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
    stored.path.write_text(json.dumps(content))
    again = store.last("mini", "norms", "net")
    assert again is None or again == stored


@given(st.binary(max_size=40), st.integers(0, 3000), st.integers(0, 50))
def test_bytes_put_anywhere_in_a_file(tmp_path_factory, piece, position, dropped):
    store = ResultStore(tmp_path_factory.mktemp("bytes"))
    stored = store.write(CellResult.model_validate(RESULT))
    raw = stored.path.read_bytes()
    stored.path.write_bytes(raw[:position] + piece + raw[position + dropped :])
    again = store.last("mini", "norms", "net")
    assert again is None or again == stored


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_writes_stays(store, writer):
    folder = store.write(cell()).path.parent
    process, temporary = writer(folder)
    ResultStore(store.folder).write(cell())
    assert temporary.exists(), "its process lives"
    process.kill()
    process.wait()
    ResultStore(store.folder).write(cell())
    assert not temporary.exists()
    (folder / ".others.tmp").touch()
    ResultStore(store.folder).write(cell())
    assert (folder / ".others.tmp").exists(), "not a file of the suite"
