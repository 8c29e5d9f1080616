"""A folder of images, or a folder of folders, as a stimulus set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.types import Keys, Stimuli

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def image_folder(root: DataRoot, *, name: str, path: str) -> Stimuli:
    """Read the images of a folder; the folder decides which concept an image shows.

    In a folder of folders each folder is a concept, and ids are "concept/file"; in a flat folder each
    image is a concept of its own, named by its file. Names lose their ending.

    Parameters
    ----------
    path : str
        The folder, under the data root, or absolute.

    Returns
    -------
    Stimuli
        In the order of the sorted ids. Keys: "word", "swow" and "things", from the concept's name in
        lower case.

    Raises
    ------
    DataError
        If there is no image, or if images stand both in the folder and in folders in it.
    """
    folder = locate(root, name, path)
    files = image_files(folder)
    flat = [file.parent == folder for file in files]
    if any(flat) and not all(flat):
        raise DataError(
            f"{folder}: images stand both in it ({files[flat.index(True)].name}) and in folders in it; "
            f"use one folder a concept, or one flat folder"
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
    """The image files in ``folder`` and in the folders in it, sorted; hidden ones are left out.

    Raises
    ------
    DataError
        If there is none, or ``folder`` is no folder.
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
    """Stimuli from image files; the manifest holds the bytes of every file, the ids, concepts and splits."""
    paths = tuple(files)
    return Stimuli(
        name=name,
        ids=tuple(ids),
        concepts=tuple(concepts),
        manifest=hash_files(paths, tuple(ids), tuple(concepts), splits and tuple(splits)),
        open_image=lambda i: open_rgb(paths[i]),
        keys=keys or {},
        labels=labels or {},
        splits=tuple(splits) if splits else None,
    )


def name_variants(names: Sequence[str]) -> tuple[str, ...]:
    """Lower-case ways of writing ``names``, single words first, then with a space, "_" and "-" between."""
    plain = [" ".join(name.lower().replace("_", " ").split()) for name in names]
    single = [name for name in plain if " " not in name]
    several = [name.replace(" ", mark) for name in plain if " " in name for mark in (" ", "_", "-")]
    return tuple(dict.fromkeys([*single, *several]))


def _labels(concepts: Sequence[str]) -> dict[str, str]:
    return {concept: concept.replace("_", " ") for concept in concepts}
