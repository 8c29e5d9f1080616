"""Validation images of ImageNet and Tiny ImageNet as they are published: a folder a class, or one for all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate, read_table
from benchmark.datasets.readers.folders import image_files, image_stimuli
from benchmark.datasets.readers.imagenet import imagenet_keys, imagenet_names
from benchmark.datasets.readers.matlab_files import require_bounded
from benchmark.datasets.readers.text import read_text
from benchmark.datasets.root import DataRoot
from benchmark.datasets.stimuli import Keys, Stimuli

_KAGGLE = "LOC_val_solution.csv"
_TINY = "val_annotations.txt"
_GROUND_TRUTH, _META = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"


def validation(root: DataRoot, *, name: str, path: str, images: int = 1) -> Stimuli:
    """Validation images of ILSVRC-2012 or Tiny ImageNet, the same number of each class.

    Either layout is read: a folder for each WordNet id; or all images in one folder (or in ``images`` in it),
    with a table of their classes: ``LOC_val_solution.csv`` of Kaggle, ``val_annotations.txt`` of Tiny
    ImageNet, or the two files ``ILSVRC2012_validation_ground_truth.txt`` and ``meta.mat`` of the development
    kit of ILSVRC-2012. Russakovsky et al. 2015, International Journal of Computer Vision; Le & Yang 2015.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The folder, beside the registry file or under the data root.
    images : int
        How many images of each class are taken: the first, by file name.

    Returns
    -------
    Stimuli
        In the sorted order of class and file. Ids are "wnid/file", concepts are WordNet ids. Keys: "word" and
        "swow" (:func:`benchmark.datasets.readers.imagenet.lemma_keys`). Both layouts give the same.

    Raises
    ------
    NotPossible
        If the folder is not there.
    DataError
        If the class of an image is not known, or a class has fewer images.
    """
    folder = locate(root, name, path)
    files = image_files(folder)
    table = _table_of(folder)
    known = set(imagenet_names())
    classes = {file: file.parent.name if table is None else table.get(file.stem, "") for file in files}
    strange = next((file for file, wnid in classes.items() if wnid not in known), None)
    if strange is not None:
        said = "is in no folder of a WordNet id, and there is no table" if table is None else "is in no row"
        raise DataError(
            f"{strange}: its class is not known: it {said}; expected {_KAGGLE}, {_TINY} or {_GROUND_TRUTH} "
            f"with {_META} in {folder}"
        )
    chosen: list[Path] = []
    seen: Counter[str] = Counter()
    for file in sorted(files, key=lambda file: (classes[file], file.name)):
        seen[classes[file]] += 1
        if seen[classes[file]] <= images:
            chosen.append(file)
    few = next((wnid for wnid, n in seen.items() if n < images), None)
    if few is not None:
        raise DataError(f"{folder}: class {few} has {seen[few]} images; {images} of each class are wanted")
    wnids = [classes[file] for file in chosen]
    keys: dict[str, Keys] = {
        key: {wnid: names[wnid] for wnid in seen} for key, names in imagenet_keys().items()
    }
    labels = {wnid: imagenet_names()[wnid][0] for wnid in seen}
    ids = [f"{wnid}/{file.stem}" for wnid, file in zip(wnids, chosen, strict=True)]
    return image_stimuli(name, chosen, ids, wnids, keys=keys, labels=labels)


def _table_of(folder: Path) -> dict[str, str] | None:
    """The WordNet id of each image by its name without ending, if there is a table of them."""
    if (folder / _KAGGLE).is_file():
        rows = read_table(folder / _KAGGLE, ("ImageId", "PredictionString"))
        # "n03995372 85 1 499 272": the class, and boxes
        return {row.ImageId: str(row.PredictionString).split()[0] for row in rows.itertuples()}
    if (folder / _TINY).is_file():
        cells = [line.split("\t") for line in read_text(folder / _TINY).splitlines()]
        return {Path(row[0]).stem: row[1] if len(row) > 1 else "" for row in cells}
    if (folder / _GROUND_TRUTH).is_file():
        return _development_kit(folder)
    return None


def _development_kit(folder: Path) -> dict[str, str]:
    """Line i of the ground truth is the number of image i's class, which ``meta.mat`` gives a WordNet id."""
    meta = _meta_of(folder)
    require_bounded(meta)
    try:
        synsets = loadmat(meta, squeeze_me=True)["synsets"]
        wnids = dict(zip(np.atleast_1d(synsets["ILSVRC2012_ID"]).tolist(), synsets["WNID"], strict=True))
    except Exception as error:  # text read as MATLAB raises whatever its first letters mean
        raise DataError(f"{meta}: is not the table of classes of the development kit ({error})") from error
    lines = read_text(folder / _GROUND_TRUTH).split()
    return {
        f"ILSVRC2012_val_{i:08d}": str(wnids.get(int(line) if line.isdigit() else 0, ""))
        for i, line in enumerate(lines, start=1)
    }


def _meta_of(folder: Path) -> Path:
    """``meta.mat`` of the development kit, beside its ground truth."""
    if not (folder / _META).is_file():
        raise DataError(f"{folder / _META}: is not there; it comes with {_GROUND_TRUTH}")
    return folder / _META
