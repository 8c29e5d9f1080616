"""Folders of images and sets of ImageNet classes: made-up files, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.caltech import caltech101
from benchmark.datasets.readers.class_cues import Decision
from benchmark.datasets.readers.folders import image_folder, name_variants
from benchmark.datasets.readers.imagenet import sample, tiny_validation
from benchmark.datasets.readers.neural import cichy, images
from benchmark.runner.score import _turned_note


def picture(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (value, 0, 0)).save(path)


def read(root: Path, folder: str = "pictures"):
    return image_folder(DataRoot(root), name="made_up", path=folder)


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_in_a_folder_of_folders_each_folder_is_a_concept(tmp_path):
    for i, name in enumerate(["Sea_Horse/b.png", "Sea_Horse/a.JPG", "ant/a.png"]):
        picture(tmp_path / "pictures" / name, i)
    (tmp_path / "pictures" / "ant" / "notes.txt").write_text("not an image")
    (tmp_path / "pictures" / "ant" / "._a.png").write_bytes(b"")
    stimuli = read(tmp_path)
    assert stimuli.ids == ("Sea_Horse/a", "Sea_Horse/b", "ant/a")
    assert stimuli.concepts == ("Sea_Horse", "Sea_Horse", "ant")
    assert [stimuli.image(i).getpixel((0, 0))[0] for i in (1, 2)] == [0, 2]
    assert stimuli.candidates("Sea_Horse", "word") == ("sea horse", "sea_horse", "sea-horse")
    assert stimuli.labels["Sea_Horse"] == "Sea Horse"


def test_in_a_flat_folder_each_image_is_a_concept(tmp_path):
    for name in ("owl.png", "dog.png"):
        picture(tmp_path / "pictures" / name)
    stimuli = read(tmp_path)
    assert stimuli.ids == stimuli.concepts == ("dog", "owl")


def test_the_manifest_changes_with_pixels_and_names_only(tmp_path):
    picture(tmp_path / "pictures" / "dog.png", 1)
    picture(tmp_path / "pictures" / "owl.png", 2)
    manifest = read(tmp_path).manifest
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    assert read(tmp_path, "elsewhere").manifest == manifest
    picture(tmp_path / "elsewhere" / "owl.png", 3)
    changed = read(tmp_path, "elsewhere").manifest
    (tmp_path / "elsewhere" / "owl.png").rename(tmp_path / "elsewhere" / "fox.png")
    assert len({manifest, changed, read(tmp_path, "elsewhere").manifest}) == 3


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "pictures" / "dog").mkdir(parents=True)
    with pytest.raises(DataError, match="no image in it") as error:
        read(tmp_path)
    assert str(tmp_path / "pictures") in one_line(error)


def test_a_missing_folder_and_a_file_in_its_place_are_refused(tmp_path):
    with pytest.raises(NotPossible, match="pictures"):
        read(tmp_path)
    (tmp_path / "pictures").write_text("")
    with pytest.raises(DataError, match="not a folder"):
        read(tmp_path)


def test_images_beside_folders_of_images_are_refused(tmp_path):
    picture(tmp_path / "pictures" / "dog.png")
    picture(tmp_path / "pictures" / "owl" / "a.png")
    with pytest.raises(DataError, match=r"both in it \(dog\.png\)") as error:
        read(tmp_path)
    one_line(error)


def test_two_files_of_one_name_are_refused(tmp_path):
    picture(tmp_path / "pictures" / "dog.png")
    picture(tmp_path / "pictures" / "dog.jpg")
    with pytest.raises(DataError, match="'dog' occurs twice"):
        read(tmp_path)


def test_a_truncated_image_says_which_file(tmp_path):
    path = tmp_path / "pictures" / "dog.png"
    path.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    stimuli = read(tmp_path)
    with pytest.raises(DataError, match=r"dog\.png") as error:
        stimuli.image(0)
    one_line(error)


def test_name_variants_put_single_words_first():
    assert name_variants(["Great White_Shark", "Shark"]) == (
        "shark",
        "great white shark",
        "great_white_shark",
        "great-white-shark",
    )


@pytest.fixture
def two_classes(tmp_path):
    for folder in ("imagenet-sample/images", "tiny-imagenet-val", "things"):
        (tmp_path / folder).mkdir(parents=True)
    rows = 'index,wnid,lemmas\n0,n02,"polar bear, ice bear, Ursa"\n1,n01,"crane, killer"\n'
    (tmp_path / "imagenet-sample" / "classes.csv").write_text(rows)
    (tmp_path / "tiny-imagenet-val" / "classes.csv").write_text(rows.replace("index", "imagenet_index"))
    (tmp_path / "things" / "imagenet_overlap.csv").write_text("unique_id,row_index,wnid\ncrane,7,n01\n")
    for wnid in ("n01", "n02"):
        picture(tmp_path / "imagenet-sample" / "images" / f"{wnid}.jpg")
        for i in range(4):
            picture(tmp_path / "tiny-imagenet-val" / wnid / f"val_{i}.jpg", i)
    return tmp_path


def test_imagenet_classes_stand_in_index_order_and_join_on_their_names(two_classes):
    stimuli = sample(DataRoot(two_classes), name="made_up")
    assert stimuli.ids == stimuli.concepts == ("n02", "n01")
    assert stimuli.candidates("n02", "word")[:2] == ("ursa", "polar bear")
    assert stimuli.candidates("n02", "swow") == ("polar bear", "ice bear", "Ursa", "ursa")
    assert stimuli.candidates("n02", "things") == ()
    assert stimuli.candidates("n01", "things") == ("crane",)
    assert stimuli.candidates("n01", "word") == stimuli.candidates("n01", "swow") == ("crane",)
    assert stimuli.labels == {"n02": "polar bear", "n01": "crane"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("{}/classes.csv", "polar bear", "white bear"),
        ("{}/classes.csv", "ice bear, Ursa", "Ursa, ice bear"),
        ("things/imagenet_overlap.csv", "crane,7", "crane1,7"),
    ],
)
@pytest.mark.parametrize(
    ("reader", "folder"), [(sample, "imagenet-sample"), (tiny_validation, "tiny-imagenet-val")]
)
def test_the_manifest_holds_the_names_that_targets_are_joined_on(two_classes, reader, folder, file, old, new):
    before = reader(DataRoot(two_classes), name="made_up")
    path = two_classes / file.format(folder)
    path.write_text(path.read_text().replace(old, new))
    after = reader(DataRoot(two_classes), name="made_up")
    assert after.keys != before.keys
    assert after.manifest != before.manifest


def test_the_manifest_holds_the_curated_cues(two_classes, monkeypatch):
    before = sample(DataRoot(two_classes), name="made_up").manifest
    crane = Decision((("heron", "synonym"),), sense="a machine")
    monkeypatch.setattr("benchmark.datasets.readers.imagenet.decisions", lambda: {"n01": crane})
    assert sample(DataRoot(two_classes), name="made_up").manifest != before


def test_images_that_are_stored_turned_are_counted_in_the_notes(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("ant", "bee", "cat"):
        picture(tmp_path / "pictures" / name / "a.png")
    Image.new("RGB", (4, 6)).save(tmp_path / "pictures" / "bee" / "b.jpg", exif=exif)
    stimuli = read(tmp_path)
    assert [stimuli.image(i).size for i in range(4)] == [(4, 4), (4, 4), (6, 4), (4, 4)]
    assert _turned_note(stimuli) == (
        "1 of 4 images are stored turned; they were read upright, as people see them",
    )
    assert _turned_note(stimuli.of_concepts({"bee"}))[0].startswith("1 of 2 images")
    assert _turned_note(stimuli.of_concepts({"ant", "cat"})) == ()


def test_a_folder_of_names_in_another_form_of_letters_is_the_same_set(tmp_path):
    picture(tmp_path / "a" / "cafe\u0301" / "b.png")
    picture(tmp_path / "b" / "caf\u00e9" / "b.png")
    other, same = read(tmp_path, "a"), read(tmp_path, "b")
    assert other.ids == same.ids == ("caf\u00e9/b",)
    assert other.manifest == same.manifest
    assert other.candidates("caf\u00e9", "word") == ("caf\u00e9",)


def test_a_class_without_an_image_is_refused(two_classes):
    (two_classes / "imagenet-sample" / "images" / "n01.jpg").unlink()
    with pytest.raises(DataError, match=r"n01\.jpg: no image there"):
        sample(DataRoot(two_classes), name="made_up")


def test_tiny_imagenet_halves_the_images_of_each_class(two_classes):
    stimuli = tiny_validation(DataRoot(two_classes), name="made_up")
    assert stimuli.ids[:2] == ("n01/val_0", "n01/val_1")
    assert stimuli.concepts == ("n01",) * 4 + ("n02",) * 4
    assert stimuli.splits == ("train", "train", "test", "test") * 2


def test_a_folder_that_is_no_class_is_refused(two_classes):
    picture(two_classes / "tiny-imagenet-val" / "n99" / "val_9.jpg")
    with pytest.raises(DataError, match="n99: a folder of images that is no class"):
        tiny_validation(DataRoot(two_classes), name="made_up")


@pytest.fixture
def three_images(tmp_path):
    (tmp_path / "cichy92").mkdir()
    for i in (1, 2, 3):
        picture(tmp_path / "kriegeskorte92" / "images" / f"stim00{i}.png", i)
    table = "index,file,category\n2,stim002.png,face\n1,stim001.png,body\n3,stim003.png,face\n"
    (tmp_path / "kriegeskorte92" / "categories.csv").write_text(table)
    return tmp_path


def test_the_index_column_gives_the_order(three_images):
    stimuli = images(DataRoot(three_images), name="made_up")
    assert stimuli.ids == ("stim001", "stim002", "stim003")
    assert stimuli.image(2).getpixel((0, 0)) == (3, 0, 0)


def test_a_table_whose_index_has_a_gap_is_refused(three_images):
    path = three_images / "kriegeskorte92" / "categories.csv"
    path.write_text(path.read_text().replace("3,stim", "4,stim"))
    with pytest.raises(DataError, match="does not number the rows from 1 to 3"):
        images(DataRoot(three_images), name="made_up")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda rdm: rdm + np.triu(np.ones((3, 3)), 1),
            "not symmetric: 2 for 'stim001' and 'stim002', 1 the",
        ),
        (lambda rdm: rdm + np.diag([0, 0.5, 0]), "a diagonal that is not zero: 0.5 for 'stim002'"),
        (lambda rdm: 2 - rdm, "it is a matrix of similarities: give 1 - similarity"),
        (lambda rdm: rdm * np.array(0.0) + 1 - np.eye(3), "has the same value, 1, for all pairs"),
        (lambda rdm: rdm * 0, "has the same value, 0, for all pairs"),
        (lambda rdm: np.where(rdm == 1, np.inf, rdm), "infinite, first for 'stim001' and 'stim002'"),
        (lambda rdm: np.where(np.triu(rdm) == 1, np.nan, rdm), "NaN for 'stim001' and 'stim002', and 1 the"),
        (lambda rdm: np.where(np.eye(3) > 0, rdm, np.nan), "has no pair of its 3 ids that is not NaN; leave"),
        (lambda rdm: np.where(np.eye(3) > 0, np.nan, rdm), "on its diagonal that are not finite"),
    ],
)
def test_bad_rdms_are_refused(three_images, spoil, said):
    rdms = np.tile(np.array([[0, 1, 2], [1, 0, 1.5], [2, 1.5, 0]]), (2, 1, 1))
    path = three_images / "cichy92" / "fmri_IT_RDMs.npz"
    np.savez(path, Net_RDM=rdms)
    good = cichy(DataRoot(three_images), name="made_up", area="IT")
    assert good.subjects == ("subject01", "subject02")
    assert good.categories == ("body", "face", "face")
    rdms[1] = spoil(rdms[1])
    np.savez(path, Net_RDM=rdms)
    with pytest.raises((DataError, NotPossible)) as error:
        cichy(DataRoot(three_images), name="made_up", area="IT")
    assert one_line(error).startswith(f"target 'made_up' ({path}), subject 'subject02': RDM ")
    assert said in one_line(error)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rdms: rdms[:, :2, :2], "expected (subjects, ids, ids)"),
        (lambda rdms: rdms[:0], "0 subjects"),
    ],
)
def test_rdms_of_another_shape_are_refused(three_images, spoil, said):
    path = three_images / "cichy92" / "fmri_IT_RDMs.npz"
    np.savez(path, Net_RDM=spoil(np.ones((2, 3, 3))))
    with pytest.raises(DataError) as error:
        cichy(DataRoot(three_images), name="made_up", area="IT")
    assert str(path) in one_line(error)
    assert said in one_line(error)


def test_an_archive_without_the_array_or_cut_short_is_refused(three_images):
    path = three_images / "cichy92" / "fmri_IT_RDMs.npz"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DataError, match="no array 'Net_RDM'") as error:
        cichy(DataRoot(three_images), name="made_up", area="IT")
    one_line(error)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="cannot be read") as error:
        cichy(DataRoot(three_images), name="made_up", area="IT")
    one_line(error)


def test_tiny_imagenet_without_halves_scores_every_image(two_classes):
    stimuli = tiny_validation(DataRoot(two_classes), name="made_up", halves=False)
    assert stimuli.splits is None
    assert len(stimuli) == 8


def test_the_folders_of_caltech_have_the_words_of_the_reviewed_table(tmp_path):
    for folder in ("bass", "crocodile", "crocodile_head", "water_lilly", "yin_yang"):
        picture(tmp_path / "c" / folder / "image_0001.jpg")
    stimuli = caltech101(DataRoot(tmp_path), name="made_up", path="c")
    words = {concept: stimuli.candidates(concept, "word") for concept in stimuli.concept_ids}
    assert words["bass"] == (), "to many the guitar"
    assert words["crocodile"] == ("crocodile",)
    assert "crocodile" not in words["crocodile_head"], "another folder has that name"
    assert words["water_lilly"][-3:] == ("water lily", "water_lily", "water-lily")
    assert words["yin_yang"] == ("yin yang", "yin_yang", "yin-yang"), (
        "what it makes people think of is no name"
    )
    assert stimuli.ids[0] == "bass/image_0001"
    assert stimuli.labels["water_lilly"] == "water lilly"
