"""A folder of images, or a folder of folders, as a stimulus set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.image_files import is_turned, open_rgb
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.stimuli import Keys, Stimuli

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def image_folder(root: DataRoot, *, name: str, path: str) -> Stimuli:
    """Read the images of a folder as stimuli; the layout of the folder decides the concept of each image.

    There are two layouts. In a folder of folders, each inner folder is a concept, and the id of an image is
    "concept/file". In a flat folder, each image is a concept of its own, and its id is the name of the file.
    The ending of a file name is dropped. Hidden files and folders are left out.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The folder, under the data root, or absolute.

    Returns
    -------
    Stimuli
        In the sorted order of the paths under the folder. Keys: "word", "swow" and "things", made from the
        name of the concept in lower case.

    Raises
    ------
    NotPossible
        If the folder is not there.
    DataError
        If there is no image, or if images are both in the folder and in folders in it.
    """
    folder = locate(root, name, path)
    files = image_files(folder)
    flat = [file.parent == folder for file in files]
    if any(flat) and not all(flat):
        raise DataError(
            f"{folder}: images are both in it ({files[flat.index(True)].name}) and in folders in it; "
            f"use one folder per concept, or one flat folder"
        )
    ids = [file.relative_to(folder).with_suffix("").as_posix() for file in files]
    concepts = [image_id.split("/")[0] for image_id in ids]
    keys = {concept: name_variants([concept]) for concept in concepts}
    return image_stimuli(
        name,
        files,
        ids,
        concepts,
        keys={"word": keys, "swow": keys, "things": keys},
        labels=_labels(concepts),
    )


def image_files(folder: Path) -> list[Path]:
    """The image files in ``folder`` and in the folders in it, sorted by path; hidden ones are left out.

    A file is an image if its ending is one of :data:`IMAGE_SUFFIXES`, in upper or lower case.

    Raises
    ------
    DataError
        If there is no image, or ``folder`` is not a folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; expected a folder of images")
    files = [
        file
        for pattern in ("*", "*/*")
        for file in folder.glob(pattern)
        if file.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    ]
    if not files:
        raise DataError(
            f"{folder}: no image in it or in the folders in it (endings {', '.join(sorted(IMAGE_SUFFIXES))})"
        )
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def image_stimuli(
    name: str,
    files: Sequence[Path],
    ids: Sequence[str],
    concepts: Sequence[str],
    *,
    keys: dict[str, Keys] | None = None,
    labels: dict[str, str] | None = None,
    splits: Sequence[str] | None = None,
) -> Stimuli:
    """Stimuli from image files.

    The manifest is a hash over the bytes of every file, the ids, the concepts, their other names and labels,
    and the splits.

    Parameters
    ----------
    name : str
        Name of the dataset in the registry.
    files : sequence of Path, length n
        The image file of each stimulus.
    ids, concepts : sequence of str, length n
        The id of each stimulus, and the concept that it shows.
    keys : dict of str to Keys, optional
        Other names of the concepts, by key, as in :class:`Stimuli`. Default: no keys.
    labels : dict of str to str, optional
        The name that people use for each concept. Default: no labels.
    splits : sequence of str, length n, optional
        "train" or "test" for each stimulus. Default: the set has no split.
    """
    paths = tuple(files)
    stimuli = Stimuli(
        name=name,
        ids=tuple(ids),
        concepts=tuple(concepts),
        manifest="",
        open_image=lambda i: open_rgb(paths[i]),
        is_turned=lambda i: is_turned(paths[i]),
        keys=keys or {},
        labels=labels or {},
        splits=tuple(splits) if splits else None,
    )
    # names as the set keeps them, in NFC: how a file system writes their letters does not count
    names = (stimuli.ids, stimuli.concepts, stimuli.splits, stimuli.keys, stimuli.labels)
    return replace(stimuli, manifest=hash_files(paths, *names, "upright"))


def name_variants(names: Sequence[str]) -> tuple[str, ...]:
    """Spellings of ``names`` in lower case, without repetition.

    Names of one word come first. Then each name of several words follows, with a space, "_" and "-" between
    the words.
    """
    plain = [" ".join(name.lower().replace("_", " ").split()) for name in names]
    single = [name for name in plain if " " not in name]
    several = [name.replace(" ", mark) for name in plain if " " in name for mark in (" ", "_", "-")]
    return tuple(dict.fromkeys([*single, *several]))


def _labels(concepts: Sequence[str]) -> dict[str, str]:
    return {concept: concept.replace("_", " ") for concept in concepts}
