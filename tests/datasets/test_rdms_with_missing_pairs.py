"""A user's own RDMs in tables, with missing pairs: read, scored by the command, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import DataRoot, RDMTarget, Stimuli, join
from benchmark.datasets.mini.people import people
from benchmark.datasets.readers.rdm_files import rdm_files
from benchmark.measures import rdm

REGISTRY = """
datasets:
  mine:
    kind: target
    plugin: benchmark.datasets.readers.rdm_files:rdm_files
    params: {files: [mine/*.csv]}
    description: my own ratings
    citation: mine
    licence: mine
    how: they are mine
suites:
  mine:
    description: my ratings
    models: [pixels]
    bindings:
      rsa: {task: rdm_correlation, stimuli: mini_images, target: mine}
      gwot: {task: gwot_matching, stimuli: mini_images, target: mine}
      cka: {task: alignment, stimuli: mini_images, target: mine}
"""


def write(path: Path, ids: list[str], matrix: np.ndarray, missing: str = "") -> None:
    path.parent.mkdir(exist_ok=True)
    rows = [",".join(missing if np.isnan(x) else repr(float(x)) for x in row) for row in matrix]
    lines = [",".join(["id", *ids]), *(f"{name},{row}" for name, row in zip(ids, rows, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(root: Path) -> RDMTarget:
    return rdm_files(DataRoot(root), name="mine", files=["mine/*.csv"])


ABC = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0.0]])


def test_tables_of_different_ids_are_subjects(tmp_path):
    write(tmp_path / "mine" / "b.csv", ["nan", "cat", "dog"], ABC, missing="NaN")
    write(
        tmp_path / "mine" / "a.csv",
        ["cat", "car", "dog", "null"],
        np.pad(ABC, (0, 1), constant_values=np.nan),
    )
    lines = (tmp_path / "mine" / "a.csv").read_text().splitlines()
    (tmp_path / "mine" / "a.csv").write_text("\n".join([*lines[:-1], "null,,,,0"]))
    target = read(tmp_path)
    assert target.subjects == ("a", "b")
    assert target.ids == ("cat", "car", "dog", "null", "nan")
    np.testing.assert_array_equal(target.rdms[0][:3, :3], ABC)
    assert target.rdms[1][0, 2] == 3
    assert target.rdms[1][4, 0] == 1
    assert np.isnan(target.rdms[0][3, :3]).all()
    assert np.isnan(target.rdms[1][1, [0, 2, 3, 4]]).all()


def test_columns_may_have_another_order_than_rows(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.csv").write_text("id;c;a;b\na;2;0;1\nb;3;1;0\nc;0;2;3\n")
    np.testing.assert_array_equal(read(tmp_path).rdms[0], ABC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,a,b,c\na,0,1,2\nb,1,0,x\nc,2,3,0\n",
            r"a.csv, line 3, cell 4: 'x' is not a number; expected",
        ),
        (
            "id,a,b,c\na,0,1,2\nb,1,0,\nc,2,3,0\n",
            "'b' and 'c', and 3 the other way; write the same value, or NaN",
        ),
        (
            "id,a,b,c\na,0,1,2\nb,1,,3\nc,2,3,0\n",
            "on its diagonal that are not finite, first for 'b'; write 0",
        ),
        (
            "id,a,b,c\na,0,,\nb,,0,\nc,,,0\n",
            "has no pair of its 3 ids that is not NaN; leave the subject out",
        ),
        ("id,a,b,c\na,0,1,1\nb,1,0,\nc,1,,0\n", "has the same value, 1, for all pairs"),
        ("id,a,b,c\na,0,1,2\nb,1,0,3\nb,2,3,0\n", "id 'c' has no row"),
        ("id,a,b\na,0,1\nb,1,0\nc,2,3\n", "id 'c' has no column"),
        ("id,a,b,c\na,0,1,2\nb,1,0,3\n", "id 'c' has no row"),
        ("id,a,b,c\na,0,1,inf\nb,1,0,3\nc,inf,3,0\n", "is infinite, first for 'a' and 'c'; write NaN where"),
    ],
)
def test_bad_tables_are_one_line(tmp_path, text, message):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.csv").write_text(text)
    with pytest.raises((DataError, NotPossible), match=message) as error:
        read(tmp_path)
    assert "a.csv" in str(error.value) or str(tmp_path / "mine") in str(error.value)
    assert "\n" not in str(error.value)


def stimuli(*concepts: str) -> Stimuli:
    return Stimuli(name="photos", ids=concepts, concepts=concepts, manifest="made up")


def test_subjects_without_three_pairs_of_the_joined_concepts_are_left_out(tmp_path):
    whole = rdm(np.random.default_rng(0).normal(size=(5, 4)))
    write(tmp_path / "mine" / "all.csv", list("abcde"), whole)
    write(tmp_path / "mine" / "some.csv", list("dea"), ABC)
    target = read(tmp_path)
    assert join(stimuli(*"abc"), target).target.subjects == ("all",)
    assert join(stimuli(*"ade"), target).target.subjects == ("all", "some")
    write(tmp_path / "mine" / "all.csv", list("fgh"), ABC)
    with pytest.raises(
        NotPossible, match="no subject has three pairs that are not NaN among the 3 ids in use"
    ):
        join(stimuli(*"dfh"), read(tmp_path))


@pytest.fixture
def partial_people(tmp_path):
    """The drawn world's people, each without some pairs; one saw only half of the concepts."""
    everyone = people(DataRoot(tmp_path), name="people")
    rng = np.random.default_rng(0)
    kept = []
    for s, whole in enumerate(everyone.rdms):
        rows = (
            np.sort(rng.choice(len(whole), len(whole) // 2, replace=False))
            if s == 0
            else np.arange(len(whole))
        )
        part = np.array(whole[np.ix_(rows, rows)])
        drawn = np.triu(rng.random(part.shape) < 0.2, 1)
        part[drawn | drawn.T] = np.nan
        write(tmp_path / "mine" / f"s{s:02d}.csv", [everyone.ids[r] for r in rows], part)
        kept.append(int((~np.isnan(part)).sum() - len(part)) // 2)
    (tmp_path / "mine.yaml").write_text(REGISTRY)
    return tmp_path, kept


def test_the_command_scores_what_is_there_and_says_what_needs_all(bench, partial_people):
    folder, kept = partial_people
    done = bench(
        *("run", "--registry", folder / "mine.yaml", "--suite", "mine", "--model", "pixels", "--task", "all"),
        *("--data", folder, "--output", folder / "results"),
    )
    said = " ".join(done.out.split())
    for task in ("gwot_matching", "alignment"):
        assert f"task '{task}' needs every pair of an RDM; target 'mine' lacks" in said
    (path,) = folder.glob("results/**/rsa/*.json")
    cell = json.loads(path.read_text())
    counts = cell["counts"]
    assert (counts["fewest_pairs_used"], counts["most_pairs_used"]) == (min(kept), max(kept))
    assert any("pairs are missing" in note for note in cell["notes"])
    arrays = np.load(next(path.parent.glob("*.npz")))
    np.testing.assert_array_equal(arrays["pairs_used"], kept)
    target = read(folder)
    order = [target.ids.index(concept) for concept in arrays["concepts"]]
    layer = cell["layers"][0]
    model = arrays[f"rdm/{layer['name']}"].astype(np.float64)
    at = np.triu_indices(len(order), 1)
    expected = []
    for subject in target.rdms:
        values = subject[np.ix_(order, order)][at]
        used = ~np.isnan(values)
        expected.append(spearmanr(model[used], values[used])[0])
    found = layer["metrics"]["spearman"]
    assert found["score"] == pytest.approx(np.mean(expected), abs=1e-4)  # the stored RDM is of float32
    assert found["ci_low"] < found["score"] < found["ci_high"]
    assert found["ceiling_low"] < found["ceiling_high"] <= 1


def test_calibration_says_that_people_cannot_be_simulated(partial_people):
    from benchmark.calibration.simulate import simulation

    target = read(partial_people[0])
    with pytest.raises(NotPossible, match="has missing pairs: there is no RDM to simulate people from"):
        simulation(join(stimuli(*target.ids), target), stimuli(*target.ids))
