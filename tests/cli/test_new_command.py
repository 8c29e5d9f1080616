"""``bench new``: what it writes works as it is written, and after it was edited."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.registry import load_registry

ROOT = Path(__file__).parents[2]
#: Kind -> file of the plug-in or of its data, a line of it and what the user writes instead, and the cell
EDITS = {
    "model": (
        "mine.py",
        'GRIDS = {"colour_1x1": 1, "colour_2x2": 2, "colour_4x4": 4}',
        'GRIDS = {"colour_8x8": 8}',
        "mini/area_early_rdm/mine.json",
    ),
    "task": ("mine.py", "NEIGHBOURS = 5\n", "NEIGHBOURS = 3\n", "mine/mini_mine/pixels.json"),
    "dataset": ("mine.csv", "dog,7,", "dog,1,", "mine/mini_mine/pixels.json"),
}


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """The folder that the commands are typed in; no data root is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    return tmp_path


def commands(out: str) -> list[list[str]]:
    """What is printed after ``next:``."""
    return [shlex.split(line) for line in out.partition("next:\n")[2].splitlines()]


def follow(bench, lines: list[list[str]]) -> None:
    """Type the commands; none may fail."""
    for program, *arguments in lines:
        if program == "bench":
            done = bench(*arguments)
            assert done.status == 0, done.out + done.err
            assert "FAILED" not in done.out
        else:
            assert program == "pytest"
            tested = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("kind", EDITS)
def test_from_an_empty_folder_to_an_edited_plugin(bench, empty, kind):
    done = bench("new", kind, "mine")
    assert done.status == 0, done.err
    written = {path.name for path in empty.iterdir()}
    assert written == {line.removeprefix("wrote ") for line in done.out.splitlines() if "wrote" in line}
    test, *rest = commands(done.out)
    assert [line[1] for line in rest] == {"task": ["run", "calibrate"]}.get(kind, ["run"])
    follow(bench, [test, *rest])

    name, before, after, cell = EDITS[kind]
    first = json.loads((empty / "results" / cell).read_text())
    text = (empty / name).read_text()
    assert text.count(before) == 1
    (empty / name).write_text(text.replace(before, after))
    follow(bench, rest)
    assert json.loads((empty / "results" / cell).read_text())["score"] != first["score"]


def test_three_kinds_in_one_folder(bench, empty):
    for kind in EDITS:
        done = bench("new", kind, f"my_{kind}_2", "--folder", "a folder")
        assert done.status == 0, done.err
        for line in commands(done.out):
            paths = [Path(word) for word in line if word.startswith("a folder")]
            assert paths
            assert all(path.exists() for path in paths)
    registry = load_registry([empty / "a folder" / "registry.yaml"])
    assert registry.model("my_model_2").load().__name__ == "MyModel2"
    assert registry.task("my_task_2").load().name == "my_task_2"
    assert registry.dataset("my_dataset_2").load().__name__ == "read"
    files = [path.read_text() for path in (empty / "a folder").iterdir()]
    assert not any("new_name" in text or "NewName" in text for text in files)
    for kind in EDITS:
        entry = yaml.safe_load((empty / "a folder" / "registry.yaml").read_text())[f"{kind}s"]
        assert list(entry) == [f"my_{kind}_2"]


def test_the_example_rates_the_drawn_concepts(bench, empty):
    bench("new", "dataset", "mine")
    rows = (empty / "mine.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == [concept.id for concept in CONCEPTS]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-Model", "is no name for a Python file"),
        ("2nd", "is no name for a Python file"),
        ("../mine", "is no name for a Python file"),
        ("class", "is no name for a Python file"),
        ("", "is no name for a Python file"),
        ("numpy", "is taken by a Python module"),
        ("pixels", "the name pixels is taken, at"),
        ("two_vs_two", "the name two_vs_two is taken, at"),
        ("mini_people", "the name mini_people is taken, at"),
        ("human", "is taken by a suite or a binding"),
        ("people_rdm", "is taken by a suite or a binding"),
        ("model", "is used in the file itself, as Model"),
        ("a" * 200, "at most 100"),
    ],
)
def test_a_name_that_cannot_be_used_is_one_line_and_writes_nothing(bench, empty, name, said):
    done = bench("new", "model", name)
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("file", ["mine.py", "test_mine.py", "mine.csv"])
def test_no_file_is_overwritten(bench, empty, file):
    (empty / file).write_text("mine")
    done = bench("new", "dataset", "mine")
    assert done.status == 2
    assert f"{file} is there already" in done.err
    assert done.err.count("\n") == 1
    assert [(path.name, path.read_text()) for path in empty.iterdir()] == [(file, "mine")]


def test_a_name_of_the_users_own_is_taken(bench, empty):
    (empty / "registry.yaml").write_text("models:\n  mine:\n    plugin: models/pixels.py:Pixels\n")
    done = bench("new", "task", "mine")
    assert done.status == 2
    assert "the name mine is taken, at registry.yaml:2" in done.err
    assert [path.name for path in empty.iterdir()] == ["registry.yaml"]


def test_a_folder_that_is_a_file(bench, empty):
    (empty / "file").write_text("")
    done = bench("new", "model", "mine", "--folder", "file")
    assert done.status == 2
    assert done.err.startswith("error: cannot write in file")
    assert done.err.count("\n") == 1


def test_a_failure_while_writing_leaves_nothing(bench, empty, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("benchmark.submission.new.add_entries", full)
        done = bench("new", "model", "my_model")
    assert done.status == 2
    assert "No space left on device" in done.err
    assert not list(empty.iterdir())
    assert bench("new", "model", "my_model").status == 0
