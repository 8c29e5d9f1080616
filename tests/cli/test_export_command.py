"""``bench export rdm`` end to end: what other programs read is what the model gave."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rsatoolbox.rdm import load_rdm

from benchmark.measures import rdm

#: A user's plug-in whose features are the pixels of a coarse version of the image
PLUGIN = """
import numpy as np
from PIL import Image
from benchmark.model import Model

class Mine(Model):
    layers = ("coarse", "layer.1", "flat")
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        if len(stimuli) > 1:  # one stimulus alone is shown for the fingerprint
            with open({calls!r}, "a") as file:
                file.write("called\\n")
        side = {{"coarse": 4, "layer.1": 8, "flat": 4}}
        made = {{
            layer: np.array([np.asarray(stimuli.image(i).resize((side[layer],) * 2), np.float32).ravel()
                             for i in range(len(stimuli))]) for layer in layers
        }}
        if "flat" in made:
            made["flat"][2] = 7
        return made
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch) -> Path:
    """A registry with one model, and a folder of images beside it; the command runs there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN.format(calls=str(tmp_path / "calls.txt")))
    (tmp_path / "mine.yaml").write_text(
        "models:\n  mine: {plugin: mine.py:Mine, description: coarse pixels}\n"
    )
    rng = np.random.default_rng(0)
    for concept in ("cat", "dog", "zébra, grévy"):
        folder = tmp_path / "photos" / concept
        folder.mkdir(parents=True)
        for i in range(2):
            Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path


IDS = ["cat/0", "cat/1", "dog/0", "dog/1", "zébra, grévy/0", "zébra, grévy/1"]


def coarse(folder: Path, side: int = 4) -> np.ndarray:
    """The features of the plug-in, worked out again."""
    files = sorted((folder / "photos").rglob("*.png"))
    rows = [np.asarray(Image.open(f).resize((side, side)), float).ravel() for f in files]
    return np.array(rows)


def export(bench, *more: object, layer="coarse", stimuli="photos"):
    return bench(
        "export", "rdm", "--registry", "mine.yaml", "-m", "mine", "-l", layer, "--stimuli", stimuli, *more
    )


def about(path: str) -> dict:
    return json.loads(Path(f"{path}.json").read_text())


def test_npy_is_the_square_matrix_and_the_ids_stand_beside_it(bench, own):
    done = export(bench)
    assert done.status == 0
    assert "mine/photos.coarse.npy" in done.out
    found = np.load("mine/photos.coarse.npy")
    np.testing.assert_allclose(found, 1 - np.corrcoef(coarse(own)), atol=1e-7)
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()
    said = about("mine/photos.coarse.npy")
    assert said["ids"] == IDS
    assert said["concepts"] == [name.split("/")[0] for name in IDS]
    assert said["layers"] == ["coarse"]
    assert (said["model"], said["by"], said["metric"], said["miniature"]) == (
        "mine",
        "stimulus",
        "correlation",
        False,
    )
    assert "MINIATURE" not in done.out
    assert {"weights", "weights_sha256", "stimuli_manifest", "pooling", "packages", "code_version"} <= set(
        said
    )


@pytest.mark.parametrize("metric", ["correlation", "cosine", "euclidean", "sqeuclidean"])
def test_csv_is_read_by_pandas_and_holds_every_digit(bench, own, metric):
    assert export(bench, "--format", "csv", "--metric", metric).status == 0
    table = pd.read_csv("mine/photos.coarse.csv", index_col=0)
    assert list(table.index) == list(table.columns) == IDS
    assert export(bench, "--metric", metric).status == 0
    np.testing.assert_allclose(table.to_numpy(), rdm(coarse(own), metric), rtol=1e-6, atol=1e-9)
    rows = list(csv.reader(Path("mine/photos.coarse.csv").read_text(encoding="utf-8").splitlines()))
    written = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    np.testing.assert_array_equal(written, np.load("mine/photos.coarse.npy"))


def test_rsatoolbox_reads_its_own_format_with_all_layers(bench, own):
    assert export(bench, "--format", "rsatoolbox", layer="layer.1,coarse").status == 0
    name = "mine/photos.2-layers.h5"
    loaded = load_rdm(name)
    assert loaded.n_rdm == 2
    assert loaded.dissimilarity_measure == "correlation"
    assert list(loaded.rdm_descriptors["layer"]) == ["coarse", "layer.1"]
    assert set(loaded.rdm_descriptors["model"]) == {"mine"}
    assert set(loaded.rdm_descriptors["weights"]) == {"no weights"}
    # the toolbox keeps ASCII alone
    assert list(loaded.pattern_descriptors["stimulus"]) == [
        name.encode("ascii", "backslashreplace").decode() for name in IDS
    ]
    assert list(loaded.pattern_descriptors["concept"])[:3] == ["cat", "cat", "dog"]
    np.testing.assert_allclose(loaded.get_matrices()[0], 1 - np.corrcoef(coarse(own)), atol=1e-7)
    np.testing.assert_allclose(loaded.get_matrices()[1], 1 - np.corrcoef(coarse(own, 8)), atol=1e-7)
    dogs = loaded.subset_pattern("concept", "dog")
    assert dogs.n_cond == 2
    assert about(name)["ids"] == IDS


def test_by_concept_is_the_rdm_of_the_mean_features(bench, own):
    assert export(bench, "--by", "concept", "--metric", "euclidean", "--output", "c.npy").status == 0
    means = coarse(own).reshape(3, 2, -1).mean(1)
    expected = np.linalg.norm(means[:, None] - means[None], axis=-1)
    np.testing.assert_allclose(np.load("c.npy"), expected, rtol=1e-6)
    assert about("c.npy")["ids"] == ["cat", "dog", "zébra, grévy"]


def test_by_concept_is_what_the_suite_compares_with_people(bench, tmp_path):
    """The miniature has images for fitting too; tasks and exports take the others."""
    run = bench("run", "-m", "mini_encoder", "-t", "people_rdm", "--output", tmp_path, "--layers", "stage2")
    assert run.status == 0
    arrays = np.load(next(tmp_path.rglob("*.npz")), allow_pickle=False)
    output = tmp_path / "mini.npy"
    done = bench(
        "export", "rdm", "-m", "mini_encoder", "-l", "stage2", "--stimuli", "mini_images", "--by", "concept",
        "--output", output,
    )  # fmt: skip
    assert done.status == 0
    assert "MINIATURE" in done.out
    said = about(str(output))
    rows = [said["ids"].index(concept) for concept in arrays["concepts"]]
    found = np.load(output)[np.ix_(rows, rows)]
    upper = np.triu_indices(len(rows), 1)
    np.testing.assert_allclose(found[upper], arrays["rdm/stage2"], atol=1e-6)
    assert said["split"] == "test"
    assert said["weights_sha256"] == "9ed490650a046aab869b5d1c682da7e16fe2ed6f69bcd259a0344169df7ca6b4"
    assert said["pooling"] == "average"


def test_several_layers_have_a_file_each(bench, own):
    assert export(bench, "--output", "out/r.npy", layer="layer.1,coarse").status == 0
    assert sorted(p.name for p in Path("out").iterdir()) == [
        "r.coarse.npy",
        "r.coarse.npy.json",
        "r.layer.1.npy",
        "r.layer.1.npy.json",
    ]
    np.testing.assert_allclose(np.load("out/r.layer.1.npy"), 1 - np.corrcoef(coarse(own, 8)), atol=1e-7)
    assert export(bench, "--output", "plain", layer="coarse").status == 0
    assert Path("plain.npy").is_file()


def test_features_are_extracted_once(bench, own):
    for form in ("npy", "csv"):
        assert export(bench, "--format", form).status == 0
    assert export(bench, "--by", "concept").status == 0
    assert Path("calls.txt").read_text().count("called") == 1
    Image.new("RGB", (20, 20), "red").save("photos/cat/2.png")  # other stimuli, other features
    assert export(bench, "--metric", "euclidean").status == 0
    assert Path("calls.txt").read_text().count("called") == 2
    assert "cat/2" in about("mine/photos.coarse.npy")["ids"]


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"layer": "corse"}, "did you mean coarse?"),
        ({"layer": "flat"}, "first 'dog/0'"),
        ({"stimuli": "mini_image"}, "did you mean mini_images?"),
        ({"stimuli": "mini_people"}, "Stimuli is needed"),
        ({"stimuli": "empty"}, "no image in it"),
        ({"more": ("--output", "r.csv")}, ".npy"),
        ({"more": ("--suite", "humen")}, "did you mean human?"),
    ],
)
def test_unusable_arguments_are_one_line_and_status_2(bench, own, arguments, said):
    Path("empty").mkdir()
    named = {key: value for key, value in arguments.items() if key != "more"}
    done = export(bench, *arguments.get("more", ()), **named)
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not [p for p in own.rglob("*") if p.suffix in (".npy", ".csv", ".h5")]


def test_one_condition_is_no_rdm(bench, own):
    Path("one").mkdir()
    Image.new("RGB", (9, 9), "red").save("one/a.png")
    done = export(bench, "--metric", "euclidean", stimuli="one")
    assert done.status == 2
    assert "at least 2" in done.err


def test_what_cannot_be_written_is_one_line(bench, own):
    Path("file").touch()
    done = export(bench, "--output", "file/r.npy")
    assert done.status == 2
    assert "cannot write" in done.err


def test_all_layers_are_written_into_a_folder_named_for_the_model(bench, own):
    before = set(own.iterdir())
    assert export(bench, layer="coarse,layer.1").status == 0
    assert {path.name for path in set(own.iterdir()) - before} <= {"mine", "calls.txt"}
    assert sorted(path.name for path in Path("mine").glob("*.npy")) == [
        "photos.coarse.npy",
        "photos.layer.1.npy",
    ]


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_features_are_written_and_can_be_brought_back_as_a_model(bench, own, form):
    done = bench(
        *("export", "features", "--registry", "mine.yaml", "-m", "mine", "-l", "coarse,layer.1"),
        *("--stimuli", "photos", "--format", form),
    )
    assert done.status == 0, done.err
    assert "6 stimuli, 48 features" in done.out
    path = Path(f"mine/features.photos.coarse.{form}")
    if form == "npy":
        found, ids = np.load(path), about(str(path))["ids"]
    else:
        table = pd.read_csv(path, index_col=0)
        found, ids = table.to_numpy(), list(table.index)
        added = bench("add", f"features:{path}", "--name", "again", "--registry", "again.yaml")
        assert added.status == 0, added.err
    np.testing.assert_allclose(found, coarse(own))
    assert ids == IDS


def test_the_features_of_a_concept_are_the_mean_of_its_images(bench, own):
    done = bench(
        *(
            "export",
            "features",
            "--registry",
            "mine.yaml",
            "-m",
            "mine",
            "-l",
            "coarse",
            "--stimuli",
            "photos",
        ),
        *("--by", "concept", "--output", "f.npy"),
    )
    assert done.status == 0, done.err
    np.testing.assert_allclose(np.load("f.npy"), coarse(own).reshape(3, 2, -1).mean(axis=1))
    assert about("f.npy")["concepts"] == ["cat", "dog", "zébra, grévy"]


@pytest.fixture
def people(own) -> np.ndarray:
    """Two people who know one concept that has no photo, in another order: their RDMs of what has photos."""
    rng = np.random.default_rng(1)
    rdms = np.array([rdm(rng.normal(size=(5, 5)), "euclidean") for _ in range(2)])
    rdms[1, 0, 1] = rdms[1, 1, 0] = np.nan
    np.save("people.npy", rdms)
    Path("names.txt").write_text("dog\ncat\nyak\nzébra, grévy\nemu", encoding="utf-8")
    with Path("mine.yaml").open("a") as file:
        file.write(
            "datasets:\n  people:\n    kind: target\n"
            "    plugin: benchmark.datasets.readers.rdm_files:rdm_files\n"
            "    params: {files: [people.npy], ids: names.txt}\n    description: two people\n"
        )
    return rdms[np.ix_([0, 1], [1, 0, 3], [1, 0, 3])]


def test_a_target_is_written_with_the_rows_of_the_model(bench, people):
    only = people[:1]  # a subject that lacks one of three pairs cannot be compared, and is left out
    done = export(bench, "--by", "concept", "--target", "people")
    assert done.status == 0, done.err
    assert "3 concepts, 1 subject of people" in done.out
    np.testing.assert_allclose(np.load("mine/people.npy"), only)
    said = about("mine/people.npy")
    assert len(said["subjects"]) == 1
    assert said["ids"] == about("mine/photos.coarse.npy")["ids"] == ["cat", "dog", "zébra, grévy"]
    assert said["ids_of_target"] == said["ids"]


def test_a_target_in_the_other_formats(bench, people):
    (table,) = _tables(bench, "csv")
    np.testing.assert_allclose(pd.read_csv(table, index_col=0).to_numpy(), people[0])
    _tables(bench, "rsatoolbox")
    loaded = load_rdm("mine/people.h5")
    np.testing.assert_allclose(loaded.get_matrices(), people[:1])
    assert list(loaded.pattern_descriptors["concept"])[:2] == ["cat", "dog"]
    assert export(bench, "--by", "concept", "--target", "people", "--output", "r.npy").status == 0
    assert Path("r.npy").is_file()
    assert Path("r.people.npy").is_file()


def _tables(bench, form: str) -> list[Path]:
    done = export(bench, "--by", "concept", "--target", "people", "--format", form)
    assert done.status == 0, done.err
    return sorted(Path("mine").glob("people.*.csv"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--target", "people"), "--target has a row for each concept: it needs --by concept"),
        (("--on", "word"), "--on says how a target is joined: it needs --target"),
        (("--by", "concept", "--target", "mini_word_vectors"), "holds vectors; expected RDMs"),
        (("--by", "concept", "--target", "poeple"), "did you mean people?"),
        (("--by", "concept", "--target", "mini_people"), "only 2 concepts of 'photos' join"),
    ],
)
def test_a_target_that_cannot_be_written_is_one_line(bench, people, more, told):
    done = export(bench, *more)
    assert done.status == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_network_of_ones_own_is_no_miniature_but_drawn_images_are(bench, own):
    assert export(bench, "--by", "concept", stimuli="mini_images").status == 0
    assert about("mine/mini_images.coarse.npy")["miniature"] is True
    assert export(bench).status == 0
    assert about("mine/photos.coarse.npy")["miniature"] is False
