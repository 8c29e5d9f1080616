"""Validation images of ImageNet in each layout in which they are published: all give the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmark.common.errors import DataError
from benchmark.datasets import DataRoot, Stimuli
from benchmark.datasets.readers.imagenet_validation import validation
from benchmark.registry import load_registry

#: Classes of the images 1 to 6, not sorted
CLASSES = ["n02085620", "n01440764", "n02085620", "n01440764", "n02085620", "n01440764"]
NAMES = [f"ILSVRC2012_val_{i:08d}" for i in range(1, 7)]


def picture(path: Path, i: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5, 3), 20 * i, np.uint8)).save(path, "PNG")  # the same bytes everywhere


def folders(folder: Path) -> None:
    for i, (name, wnid) in enumerate(zip(NAMES, CLASSES, strict=True)):
        picture(folder / wnid / f"{name}.JPEG", i)


def flat(folder: Path) -> None:
    for i, name in enumerate(NAMES):
        picture(folder / f"{name}.JPEG", i)


def kaggle(folder: Path) -> None:
    flat(folder)
    rows = [f"{name},{wnid} 85 1 499 272 " for name, wnid in zip(NAMES, CLASSES, strict=True)]
    (folder / "LOC_val_solution.csv").write_text("\n".join(["ImageId,PredictionString", *rows[::-1]]))


def development_kit(folder: Path) -> None:
    flat(folder)
    kinds = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O")]
    rows = [(490, "n01440764", "tench"), (7, "n02085620", "Chihuahua"), (1001, "n00001740", "entity")]
    savemat(folder / "meta.mat", {"synsets": np.array(rows, dtype=kinds).reshape(-1, 1)})
    numbers = {"n01440764": 490, "n02085620": 7}
    text = "".join(f"{numbers[wnid]}\n" for wnid in CLASSES)
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text(text)


def tiny(folder: Path) -> None:
    flat(folder / "images")
    rows = [f"{name}.JPEG\t{wnid}\t0\t32\t44\t62" for name, wnid in zip(NAMES, CLASSES, strict=True)]
    (folder / "val_annotations.txt").write_text("\n".join(rows) + "\n")


def read(folder: Path, images: int = 1) -> Stimuli:
    return validation(DataRoot(folder), name="val", path="val", images=images)


@pytest.mark.parametrize("layout", [folders, kaggle, development_kit, tiny])
def test_each_layout_gives_the_same(tmp_path, layout):
    layout(tmp_path / "val")
    stimuli = read(tmp_path, images=2)
    assert stimuli.ids == (
        "n01440764/ILSVRC2012_val_00000002",
        "n01440764/ILSVRC2012_val_00000004",
        "n02085620/ILSVRC2012_val_00000001",
        "n02085620/ILSVRC2012_val_00000003",
    )
    assert [np.asarray(stimuli.image(i))[0, 0, 0] for i in range(4)] == [20, 60, 0, 40]
    assert stimuli.concept_ids == ("n01440764", "n02085620")
    assert stimuli.candidates("n01440764", "word")[0] == "tench"
    folders(tmp_path / "other" / "val")
    assert stimuli.manifest == read(tmp_path / "other", images=2).manifest


@pytest.mark.parametrize(
    "layout, name, said",
    [
        (flat, None, "is in no folder of a WordNet id, and there is no table; expected LOC_val_solution.csv"),
        (
            kaggle,
            "LOC_val_solution.csv",
            "ILSVRC2012_val_00000001.JPEG: its class is not known: it is in no row",
        ),
        (development_kit, "meta.mat", "meta.mat: is not the table of classes of the development kit"),
    ],
)
def test_an_unknown_class_is_named(tmp_path, layout, name, said):
    layout(tmp_path / "val")
    if name is not None:
        (tmp_path / "val" / name).write_text("ImageId,PredictionString\nother,n01440764 1 2 3 4\n")
    with pytest.raises(DataError, match=said):
        read(tmp_path)


def test_too_few_images_of_a_class(tmp_path):
    folders(tmp_path / "val")
    (tmp_path / "val" / CLASSES[0] / f"{NAMES[0]}.JPEG").unlink()
    with pytest.raises(DataError, match="class n02085620 has 2 images; 3 of each class are wanted"):
        read(tmp_path, images=3)


def test_the_bindings_have_an_image_of_each_concept_in_each_group():
    registry = load_registry()
    bindings = [b for b in registry.suite("human").bindings.values() if b.stimuli == "imagenet_val_five"]
    assert {binding.task for binding in bindings} == {"two_vs_two", "one_vs_two"}
    images = registry.datasets["imagenet_val_five"].entry.params["images"]
    assert {binding.params["groups"] for binding in bindings} == {images}
