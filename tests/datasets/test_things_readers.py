"""THINGS targets from made-up files, and the array cache."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import DataRoot, join
from benchmark.datasets.readers.kept_arrays import cached_array
from benchmark.datasets.readers.things import category_rdm, concepts, groups, images, rdm48, spose
from benchmark.measures import spose_rdm

IDS = ("camera_lens", "camera1", "dog", "hot-air_balloon")


@pytest.fixture
def things(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "things"
    (folder / "gwtune").mkdir(parents=True)
    (folder / "unique_id.txt").write_text("\n".join(IDS) + "\n")
    rows = ["camera_lens,0,1,0", "dog,1,0,0", "camera1,0,1,0", "hot-air_balloon,0,0,1"]
    (folder / "category_mat_manual.csv").write_text(
        "unique_id,animal,device,others\n" + "\n".join(rows) + "\n"
    )
    rng = np.random.default_rng(0)
    np.savetxt(folder / "spose_embedding_49d_sorted.txt", rng.random((4, 49)))
    for i in (1, 2, 3, 4):
        np.save(folder / "gwtune" / f"group{i}.npy", rng.random((4, 5), dtype=np.float32))
    return folder


def root(things):
    return DataRoot(things.parent)


def test_concepts_without_images(things):
    stimuli = concepts(root(things), name="things")
    assert stimuli.ids == stimuli.concepts == IDS
    assert stimuli.labels["camera_lens"] == "camera lens"
    with pytest.raises(NotPossible, match="no image files"):
        stimuli.image(0)


def test_spose_is_computed_once_and_again_when_the_file_changes(things, monkeypatch):
    path = things / "spose_embedding_49d_sorted.txt"
    target = spose(root(things), name="spose", dimensions=49)
    np.testing.assert_allclose(target.rdms[0], spose_rdm(np.loadtxt(path)), atol=1e-6)
    assert target.categories == ("device", "device", "animal", None)

    def never(embedding):
        raise AssertionError("computed again")

    with monkeypatch.context() as patch:
        patch.setattr("benchmark.datasets.readers.things.spose_rdm", never)
        patch.setattr(
            "benchmark.datasets.readers.things.inspect.getfile", lambda _: spose_rdm.__code__.co_filename
        )
        kept = spose(root(things), name="spose", dimensions=49)
    np.testing.assert_array_equal(kept.rdms, target.rdms)
    assert kept.hash == target.hash
    np.savetxt(path, np.random.default_rng(1).random((4, 49)))
    changed = spose(root(things), name="spose", dimensions=49)
    assert changed.hash != target.hash
    assert np.abs(changed.rdms - target.rdms).max() > 1e-3


def test_an_embedding_with_a_row_missing_is_refused(things):
    np.savetxt(things / "spose_embedding_49d_sorted.txt", np.ones((3, 49)))
    with pytest.raises(DataError, match=r"shape \(3, 49\), expected \(4, 49\)"):
        spose(root(things), name="spose", dimensions=49)


def test_an_embedding_that_is_no_numbers_is_refused_in_one_line(things):
    (things / "spose_embedding_49d_sorted.txt").write_text("one two\nthree four\n")
    with pytest.raises(DataError, match="cannot be read as an array") as error:
        spose(root(things), name="spose", dimensions=49)
    assert "\n" not in str(error.value)


def test_groups_are_euclidean_distances(things):
    target = groups(root(things), name="groups")
    embedding = np.load(things / "gwtune" / "group3.npy").astype(np.float64)
    assert target.subjects == ("group1", "group2", "group3", "group4")
    assert target.rdms[2, 0, 3] == pytest.approx(np.linalg.norm(embedding[0] - embedding[3]))


def test_categories_as_dissimilarities(things):
    target = category_rdm(root(things), name="categories")
    assert target.ids == ("camera_lens", "camera1", "dog")
    assert target.categories == ("device", "device", "animal")
    np.testing.assert_array_equal(target.rdms, [[[0, 0, 1], [0, 0, 1], [1, 1, 0]]])


def test_rdm48_is_named_by_its_word_list(things):
    words = np.array([["hot-air balloon"], ["camera"], ["dog"]], dtype=object)
    matrix = np.array([[0, 0.1, 0.2], [0.1, 0, 0.3], [0.2, 0.3, 0]])
    savemat(things / "words48.mat", {"words48": words})
    savemat(things / "RDM48_triplet.mat", {"RDM48_triplet": matrix})
    target = rdm48(root(things), name="rdm48")
    assert target.ids == ("hot-air_balloon", "camera1", "dog")
    np.testing.assert_array_equal(target.rdms[0], matrix)
    words[2, 0] = "unicorn"
    savemat(things / "words48.mat", {"words48": words})
    with pytest.raises(DataError, match="'unicorn' is no concept"):
        rdm48(root(things), name="rdm48")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dog,1,0,0", "dog,1,0,1", "'dog' is in 2 categories"),
        ("dog,1,0,0", "dog,0,0,0", "'dog' is in 0 categories"),
        ("dog,1", "cat,1", "no row for concept 'dog'"),
        ("unique_id", "id", "no column 'unique_id'"),
    ],
)
def test_bad_categories_are_refused(things, old, new, said):
    path = things / "category_mat_manual.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=said):
        groups(root(things), name="groups")


def test_ids_that_do_not_match_are_refused(things, tmp_path):
    stimuli = concepts(root(things), name="things")
    (things / "unique_id.txt").write_text("a\nb\nc\nd\n")
    path = things / "category_mat_manual.csv"
    text = path.read_text()
    for old, new in zip(IDS, "abcd", strict=True):
        text = text.replace(f"{old},", f"{new},")
    path.write_text(text)
    with pytest.raises(NotPossible, match="only 0 concepts"):
        join(stimuli, groups(root(things), name="groups"))


def test_a_damaged_kept_array_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    made = []

    def make():
        made.append(1)
        return np.arange(5.0)

    first = cached_array("0abc", make)
    np.testing.assert_array_equal(cached_array("0abc", make), first)
    assert len(made) == 1
    assert first.dtype == np.float32
    (kept,) = tmp_path.rglob("*.npy")
    kept.write_bytes(kept.read_bytes()[:-6])
    np.testing.assert_array_equal(cached_array("0abc", make), first)
    assert len(made) == 2


@pytest.fixture
def pictures(things):
    """Drawn images in the folders of THINGS: three of each concept, and files that are none of them."""
    letters = {1: "b", 2: "s", 10: "n"}
    for c, concept in enumerate(IDS):
        folder = things / "images" / concept
        folder.mkdir(parents=True)
        for number, letter in letters.items():
            colour = (50 * c, 20 * number, 0)
            Image.new("RGB", (8, 8), colour).save(folder / f"{concept}_{number:02d}{letter}.jpg", quality=100)
        (folder / f".{concept}_00a.jpg").write_bytes(b"hidden")
        (folder / f"{concept}_plus.jpg").write_bytes(b"of another set")
    (things / "images" / "unicorn").mkdir()
    return things


def test_images_of_things_are_the_first_of_each_concept(pictures):
    stimuli = images(root(pictures), name="things")
    assert stimuli.ids == tuple(f"{concept}_01b" for concept in IDS)
    assert stimuli.concepts == IDS
    assert stimuli.labels["camera_lens"] == "camera lens"
    assert stimuli.candidates("hot-air_balloon", "word") == ("hot-air_balloon", "hot-air balloon")
    for c in range(4):
        assert stimuli.image(c).getpixel((4, 4)) == pytest.approx((50 * c, 20, 0), abs=3)


def test_more_images_of_things_are_in_the_order_of_their_numbers(pictures):
    stimuli = images(root(pictures), name="things", images=3)
    assert stimuli.ids[3:6] == ("camera1_01b", "camera1_02s", "camera1_10n")
    assert stimuli.concepts == tuple(concept for concept in IDS for _ in range(3))
    assert stimuli.image(5).getpixel((4, 4)) == pytest.approx((50, 200, 0), abs=3)
    assert stimuli.manifest != images(root(pictures), name="things", images=2).manifest


def test_another_image_of_things_is_another_manifest(pictures):
    before = images(root(pictures), name="things").manifest
    assert images(root(pictures), name="things").manifest == before
    Image.new("RGB", (8, 8), "white").save(pictures / "images" / "dog" / "dog_01b.jpg")
    assert images(root(pictures), name="things").manifest != before


def test_networks_are_joined_with_people_on_all_concepts_of_things(pictures):
    joined = join(
        images(root(pictures), name="things", images=3), spose(root(pictures), name="s", dimensions=49)
    )
    assert joined.concepts == joined.target.ids == IDS


def test_concepts_of_things_without_images_are_named(pictures):
    for concept in ("dog", "camera1"):
        (pictures / "images" / concept / f"{concept}_10n.jpg").unlink()
    assert len(images(root(pictures), name="things", images=2)) == 8
    with pytest.raises(NotPossible) as error:
        images(root(pictures), name="things", images=3)
    assert str(error.value) == (
        f"{pictures / 'images'}: 2 of 4 concepts have not 3 images named as camera1/camera1_01b.jpg "
        "(first camera1, dog): get the images of THINGS"
    )


def test_a_folder_without_the_folders_of_the_concepts_is_refused_in_one_line(pictures):
    (pictures / "images").rename(pictures / "object_images_A-C")
    with pytest.raises(NotPossible, match=r"things/images, which is not there: put them there"):
        images(DataRoot(pictures.parent, {"t": "put them there"}), name="t")
    (pictures / "images").mkdir()
    (pictures / "object_images_A-C").rename(pictures / "images" / "object_images_A-C")
    with pytest.raises(
        NotPossible, match=r"4 of 4 concepts .*\(first camera_lens, camera1, dog\): put"
    ) as error:
        images(DataRoot(pictures.parent, {"t": "put them there"}), name="t")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("count", [0, -1, 1.0, "12", True])
def test_a_number_of_images_that_is_none_is_refused(pictures, count):
    with pytest.raises(UsageError, match="expected a whole number, at least 1"):
        images(root(pictures), name="things", images=count)


def test_without_images_of_things_the_cell_is_not_possible_and_says_how_to_get_them(bench, things, tmp_path):
    found = bench(
        *(
            "run",
            "--suite",
            "human",
            "--data",
            things.parent,
            "--model",
            "pixels",
            "--output",
            tmp_path / "out",
        ),
        *("--task", "things_images_rdm", "--format", "json"),
    )
    (cell,) = found.cells
    assert cell["status"] == "not_possible"
    assert str(things / "images") in cell["reason"]
    assert "aardvark/aardvark_01b.jpg" in cell["reason"]


def test_where_images_and_data_of_people_are_both_missing_the_images_are_named(bench, things, tmp_path):
    """The data of people would not help a model that needs images."""
    run = ("run", "--suite", "human", "--data", things.parent, "--model", "pixels", "--format", "json")
    found = bench(*run, "--output", tmp_path / "out", "--task", "things_odd_one_out_1854")
    (cell,) = found.cells
    assert cell["status"] == "not_possible"
    assert "'things_concepts' has no image files" in cell["reason"]


def test_the_dot_form_of_spose_is_the_greatest_dot_product_less_that_of_the_pair(things):
    path = things / "spose_embedding_49d_sorted.txt"
    target = spose(root(things), name="spose", dimensions=49, form="dot")
    products = np.loadtxt(path) @ np.loadtxt(path).T
    pairs = np.triu_indices(4, 1)
    np.testing.assert_allclose(target.rdms[0][pairs], products[pairs].max() - products[pairs], atol=1e-12)
    assert target.rdms[0][pairs].min() == 0
    assert target.hash != spose(root(things), name="spose", dimensions=49).hash
    with pytest.raises(UsageError, match="form is 'cosine': expected probability or dot"):
        spose(root(things), name="spose", dimensions=49, form="cosine")
