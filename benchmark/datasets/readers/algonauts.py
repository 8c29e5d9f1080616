"""Algonauts 2019: images on which people were scanned, and fMRI RDMs of two areas, 15 people each.

Every reader takes ``root``, the data root; ``name``, the name of the dataset in the registry; and ``number``,
118 or 78, the number of images. The order of the rows of an RDM is that of the images by the number in their
names. The ids are "image001", "image002", ....
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.folders import image_files, image_stimuli
from benchmark.datasets.readers.number_files import read_number_file
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget


def images(root: DataRoot, *, name: str, number: int) -> Stimuli:
    """The images of a set. Each is a concept of its own.

    Reads the folder ``algonauts2019/118_Image_Set/118images``, or that of 78.

    Raises
    ------
    NotPossible
        If the folder is not there.
    DataError
        If it has another number of images, or two have one number.
    """
    folder = locate(root, name, f"algonauts2019/{number}_Image_Set/{number}images")
    numbers = {file: _number(file) for file in image_files(folder)}
    if len(numbers) != number or len(set(numbers.values())) != number:
        raise DataError(
            f"{folder}: {len(numbers)} images with {len(set(numbers.values()))} numbers in their names; "
            f"expected {number}"
        )
    ids = _ids(number)
    return image_stimuli(name, sorted(numbers, key=lambda file: numbers[file]), ids, ids)


def _path_of(root: DataRoot, name: str, number: int) -> Path:
    return locate(root, name, f"algonauts2019/{number}_Image_Set/target_fmri.mat")


def _fmri_hash(root: DataRoot, *, name: str, number: int, area: str) -> str:
    return hash_files([_path_of(root, name, number)], area)


@hashed_by(_fmri_hash)
def fmri(root: DataRoot, *, name: str, number: int, area: str) -> RDMTarget:
    """Human early visual cortex or inferior temporal cortex (fMRI): one RDM for each of 15 people.

    Reads the array "EVC_RDMs" or "IT_RDMs", shape (people, images, images), of
    ``algonauts2019/118_Image_Set/target_fmri.mat``, of any version of MATLAB. Cichy, Pantazis & Oliva 2016,
    Cerebral Cortex (118); Mohsenzadeh et al. 2019, Vision (78); Cichy et al. 2019, arXiv:1905.05675.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    number : int
        Number of images, 118 or 78.
    area : {"EVC", "IT"}
        Early visual cortex, or inferior temporal cortex.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If the array is missing or has another shape.
    """
    path = _path_of(root, name, number)
    rdms = read_number_file(path, array=f"{area}_RDMs").values
    if rdms.ndim != 3 or rdms.shape[1:] != (number, number):
        raise DataError(f"{path}: RDMs of shape {rdms.shape}, expected (people, {number}, {number})")
    return RDMTarget(
        name=name,
        ids=_ids(number),
        hash=_fmri_hash(root, name=name, number=number, area=area),
        rdms=rdms,
        source=str(path),
        subjects=tuple(f"subject{i + 1:02d}" for i in range(len(rdms))),
    )


def _ids(number: int) -> tuple[str, ...]:
    return tuple(f"image{i:03d}" for i in range(1, number + 1))


def _number(file: Path) -> int:
    """The last number in the name of an image."""
    found = re.findall(r"\d+", file.stem)
    if not found:
        raise DataError(f"{file}: no number in its name, which says its row")
    return int(found[-1])
