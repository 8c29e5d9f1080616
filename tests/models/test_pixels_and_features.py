"""Pixels, and embeddings from files: joined on ids, never on row numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.common.errors import BenchError, DataError, NotPossible, UsageError
from benchmark.datasets import Stimuli
from benchmark.model import Model, ModelSpec
from benchmark.registry import load_plugin

ROOT = Path(__file__).parents[2]
VALUES = np.arange(12, dtype=np.float64).reshape(4, 3)
IDS = ("cat", "dog", "null", "owl")


def stimuli(ids: tuple[str, ...], concepts: tuple[str, ...] | None = None) -> Stimuli:
    return Stimuli("set", ids, concepts or ids, "m")


def features(path: Path, **params: Any) -> Model:
    spec = ModelSpec("file", params, weights=path, data=path.parent)
    return load_plugin("models/features.py:Features", ROOT)(spec)


@pytest.fixture
def npy(tmp_path: Path) -> Model:
    np.save(tmp_path / "f.npy", VALUES)
    (tmp_path / "ids.txt").write_text("\n".join(IDS) + "\n")
    return features(tmp_path / "f.npy", ids="ids.txt")


def test_rows_are_joined_on_stimulus_ids(npy: Model) -> None:
    found = npy.features(stimuli(("owl", "cat", "null")), ["output"])["output"]
    assert npy.layers == ("output",)
    assert found.dtype == np.float32
    assert np.array_equal(found, VALUES[[3, 0, 2]])


def test_a_concepts_row_stands_for_all_its_stimuli(npy: Model) -> None:
    found = npy.features(stimuli(("d1", "c1", "d2"), ("dog", "cat", "dog")), ["output"])["output"]
    assert np.array_equal(found, VALUES[[1, 0, 1]])


def test_ids_that_do_not_match_are_counted_and_one_is_named(npy: Model) -> None:
    with pytest.raises(NotPossible, match=r"2 of 3 stimuli of 'set' have no row.*'fox' is missing"):
        npy.features(stimuli(("cat", "fox", "elk")), ["output"])


def test_ids_may_stand_in_a_column(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", VALUES)
    lines = ["row,word", *(f"{i},{name}" for i, name in enumerate(IDS))]
    (tmp_path / "ids.csv").write_text("\n".join(lines))
    model = features(tmp_path / "f.npy", ids="ids.csv", column="word")
    assert np.array_equal(model.features(stimuli(("null",)), ["output"])["output"], VALUES[[2]])
    with pytest.raises(DataError, match="no column 'wrd'; it has row, word"):
        _ = features(tmp_path / "f.npy", ids="ids.csv", column="wrd").layers


def test_csv_with_its_own_ids(tmp_path: Path) -> None:
    rows = [f"{name},{','.join(map(str, row))}" for name, row in zip(IDS, VALUES, strict=True)]
    (tmp_path / "f.csv").write_text("\n".join(["id,a,b,c", *rows]))
    found = features(tmp_path / "f.csv").features(stimuli(("dog", "null")), ["output"])["output"]
    assert np.array_equal(found, VALUES[[1, 2]])


def test_npz_has_a_layer_for_each_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", ids=np.array(IDS), early=VALUES, late=VALUES[:, :2] * 2)
    model = features(tmp_path / "f.npz")
    assert model.layers == ("early", "late")
    found = model.features(stimuli(("owl",)), model.layers)
    assert np.array_equal(found["late"], VALUES[[3], :2] * 2)
    with pytest.raises(UsageError, match="no layer 'lat'"):
        model.features(stimuli(("owl",)), ["lat"])


def broken(tmp_path: Path, what: str) -> Model:
    values, ids = VALUES.copy(), list(IDS)
    if what == "NaN":
        values[1, 2] = np.nan
    elif what == "rows":
        values = values[:3]
    elif what == "twice":
        ids[1] = "cat"
    elif what == "flat":
        values = values.ravel()
    elif what == "text":
        values = values.astype(str)
    elif what == "objects":
        values = values.astype(object)
    np.save(tmp_path / "f.npy", values, allow_pickle=True)
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    if what == "truncated":
        (tmp_path / "f.npy").write_bytes((tmp_path / "f.npy").read_bytes()[:-9])
    return features(tmp_path / "f.npy", ids="ids.txt")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("NaN", "NaN.*'dog'"),
        ("rows", r"shape \(3, 3\); expected \(4 ids"),
        ("twice", "line 2: id 'cat' occurs twice, first in line 1"),
        ("flat", r"shape \(12,\)"),
        ("text", "not real numbers"),
        ("objects", "cannot be read"),
        ("truncated", "cannot be read"),
    ],
)
def test_broken_files_are_refused_by_name(tmp_path: Path, what: str, says: str) -> None:
    with pytest.raises(DataError, match=rf"{'ids.txt' if what == 'twice' else 'f.npy'}.*{says}"):
        _ = broken(tmp_path, what).layers


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("f.csv", "id,a\ncat,1\ndog", "line 3: row has 1 cells"),
        ("f.csv", "id,a\ncat,\n", "line 2: number 1 of 1 is ''; write a number"),
        ("f.csv", "id,a\n", "header"),
        ("f.csv", "", "is empty"),
        ("f.csv", "cat;0,5\ndog;0.5", "line 2: '0.5' has a decimal point and other numbers have commas"),
        ("f.csv", "cat,1\ndog,2\ncat,3", "line 3: id 'cat' occurs twice, first in line 1"),
        ("f.tsv", "cat\t1\ndog\tx", "line 2: number 1 of 1 is 'x'"),
        ("f.csv", "id\ncat\n", "expected"),
        ("f.xlsx", "cat 1", "must be a .npy, .npz, .csv, .tsv, .txt or .gz"),
        ("f.npy", "", "give params.ids"),
    ],
)
def test_files_of_the_wrong_form(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BenchError, match=says):
        _ = features(tmp_path / name).layers


def test_missing_ids_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", VALUES)
    with pytest.raises(NotPossible, match=r"looked for .*nowhere\.txt"):
        _ = features(tmp_path / "f.npy", ids="nowhere.txt").layers


def test_pixels_are_the_box_filtered_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    one = Stimuli("set", ("a",), ("a",), "m", lambda _: Image.fromarray(image))
    model = load_plugin("models/pixels.py:Pixels", ROOT)(ModelSpec("pixels"))
    found = model.features(one, ["output"])["output"]
    expected = image.reshape(32, 2, 32, 2, 3).mean((1, 3)).ravel() / 255
    assert found.shape == (1, 3072)
    assert np.allclose(found[0], expected, atol=1.01 / 255)
    with pytest.raises(UsageError, match="no layer 'conv1'"):
        model.features(one, ["conv1"])


def test_pixels_of_a_set_without_images_are_not_possible() -> None:
    model = load_plugin("models/pixels.py:Pixels", ROOT)(ModelSpec("pixels"))
    with pytest.raises(NotPossible, match="no image files"):
        model.features(stimuli(("a",)), ["output"])


@pytest.mark.human_data
def test_clip_features_agree_with_human_similarity_as_measured(human_data: Path) -> None:
    ids = tuple((human_data / "things" / "unique_id.txt").read_text().split())
    spec = ModelSpec(
        "clip",
        {"ids": "things/unique_id.txt"},
        weights=human_data / "things" / "features" / "clip_vit_b32_openai.npy",
        data=human_data,
    )
    model = load_plugin("models/features.py:Features", ROOT)(spec)
    found = model.features(stimuli(ids[::-1]), ["output"])["output"]
    spose = np.loadtxt(human_data / "things" / "spose_embedding_66d_sorted.txt")[::-1]
    upper = np.triu_indices(len(ids), 1)
    from scipy.stats import spearmanr

    agreement = spearmanr(np.corrcoef(found)[upper], (spose @ spose.T)[upper])[0]
    assert agreement == pytest.approx(0.421, abs=0.02)


def test_other_ids_are_another_model(npy: Model, tmp_path: Path) -> None:
    """The ids file decides which row is what, so it must be in what keys the cache."""
    before = npy.preprocessing
    (tmp_path / "ids.txt").write_text("\n".join(reversed(IDS)) + "\n")
    assert features(tmp_path / "f.npy", ids="ids.txt").preprocessing != before


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + "\r\n".join(IDS) + " \r\n\r\n",
        ",0\n" + "\n".join(f"{row},{name}" for row, name in enumerate(IDS)),
        "".join(f'"{name}"\n' for name in IDS),
    ],
)
def test_ids_are_read_however_they_were_saved(npy: Model, tmp_path: Path, content: str) -> None:
    (tmp_path / "ids.txt").write_bytes(content.encode())
    found = npy.features(stimuli(IDS[::-1]), ["output"])["output"]
    np.testing.assert_array_equal(found, VALUES[::-1].astype(np.float32))


def test_ids_that_do_not_match_name_the_list(npy: Model) -> None:
    with pytest.raises(NotPossible, match=r"the ids of .*ids\.txt look like 'cat'"):
        npy.features(stimuli(("fox", "elk")), ["output"])


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_as_pandas_writes_it(tmp_path: Path, mark: str) -> None:
    rows = [f"{row},{name},1,{row}" for row, name in enumerate(IDS)]
    text = "\r\n".join([",id,a,b", *rows]).replace(",", mark)
    (tmp_path / "f.csv").write_text(text, encoding="utf-16")
    model = features(tmp_path / "f.csv")
    assert model.features(stimuli((IDS[2],)), ["output"])["output"].tolist() == [[1, 2]]


TABLES = {
    "no header": "{rows}",
    "a header": "id,a,b,c\n{rows}",
    "names that are numbers": ",0,1,2\n{rows}",
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize(
    ("name", "mark", "point"), [("f.csv", ",", "."), ("f.csv", ";", ","), ("f.tsv", "\t", ",")]
)
def test_a_table_with_or_without_a_header(
    tmp_path: Path, kind: str, name: str, mark: str, point: str
) -> None:
    values = VALUES / 8
    rows = "\n".join(",".join([cat, *map(str, row)]) for cat, row in zip(IDS, values, strict=True))
    text = TABLES[kind].format(rows=rows).replace(",", mark).replace(".", point)
    (tmp_path / name).write_text(text)
    model = features(tmp_path / name)
    np.testing.assert_array_equal(model.features(stimuli(IDS), ["output"])["output"], values)


def test_an_id_that_an_npz_has_twice_is_named_with_its_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", ids=np.array(["cat", "dog", "null", "dog"]), early=VALUES)
    with pytest.raises(DataError, match=r"f\.npz: id 'dog' occurs twice, in rows 1 and 3"):
        _ = features(tmp_path / "f.npz").layers


def test_a_concept_is_covered_if_all_its_stimuli_have_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", ids=np.array(["a1", "a2", "b1"]), early=VALUES[:3])
    shown = stimuli(("a1", "a2", "b1", "b2"), ("a", "a", "b", "b"))
    assert features(tmp_path / "f.npz").covered(shown) == {"a"}


def test_byte_strings_are_ids_and_python_objects_are_not(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", ids=np.array(IDS).astype("S"), early=VALUES)
    found = features(tmp_path / "f.npz").features(stimuli(IDS), ["early"])["early"]
    np.testing.assert_array_equal(found, VALUES.astype(np.float32))
    np.savez(tmp_path / "f.npz", ids=np.array(IDS, dtype=object), early=VALUES)
    with pytest.raises(DataError, match=r"f\.npz: array 'ids' holds Python objects; save ids as"):
        _ = features(tmp_path / "f.npz").layers
