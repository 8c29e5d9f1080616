"""TVSD: multi-unit activity of two macaques (V1, V4, IT) to images of THINGS, as its authors publish it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.hdf5_files import opened
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files, hashed_by

#: Electrodes of the areas of each animal, from and to, as the authors' ``norm_MUA.m`` has them
AREAS = {
    "F": {"V1": (0, 512), "IT": (512, 832), "V4": (832, 1024)},
    "N": {"V1": (0, 512), "V4": (512, 768), "IT": (768, 1024)},
}
#: The array of each part
_ARRAYS = {"train": "train_MUA", "test": "test_MUA_reps"}


def _paths(root: DataRoot, name: str, monkey: str) -> tuple[Path, Path]:
    folder = f"tvsd/monkey{monkey}"
    return locate(root, name, f"{folder}/THINGS_normMUA.mat"), locate(
        root, name, f"{folder}/_logs/things_imgs.mat"
    )


def _tvsd_hash(root: DataRoot, *, name: str, monkey: str, area: str, part: str = "test") -> str:
    return hash_files(_paths(root, name, monkey), area, part, "tvsd")


@hashed_by(_tvsd_hash)
def tvsd(root: DataRoot, *, name: str, monkey: str, area: str, part: str = "test") -> ResponseTarget:
    """Normalised multi-unit activity of the electrodes of one area, one number an image and electrode.

    Reads ``tvsd/monkeyF/THINGS_normMUA.mat`` (the authors' mean over 25 to 125 ms in V1, 50 to 150 ms in V4
    and 75 to 175 ms in IT, z-scored by day) and ``tvsd/monkeyF/_logs/things_imgs.mat``, the images in their
    order. Papale, Wang, Self & Roelfsema 2025, Neuron.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    monkey : {"F", "N"}
        The animal.
    area : {"V1", "V4", "IT"}
        The area.
    part : {"test", "train"}
        "test" has 100 images, seen 30 times. "train" has 22,248, seen once, so that their ceiling is unknown.

    Returns
    -------
    ResponseTarget
        Ids are those of the images, "aardvark_01b".

    Raises
    ------
    NotPossible
        If a file is not there.
    UsageError
        If animal, area or part is not known.
    DataError
        If an array is missing or has another shape.
    """
    for key, value, known in (("monkey", monkey, AREAS), ("area", area, AREAS["F"]), ("part", part, _ARRAYS)):
        if value not in known:
            raise UsageError(f"dataset {name!r}: {key} is {value!r}; write one of {', '.join(known)}")
    path, images = _paths(root, name, monkey)
    first, last = AREAS[monkey][area]
    ids = _image_ids(images, f"{part}_imgs")
    with opened(path) as file:
        array = _ARRAYS[part]
        shape = file[array].shape if array in file else "missing"
        # HDF5 holds the axes of MATLAB reversed: (repeats,) images, electrodes
        if shape[-2:] != (len(ids), AREAS["N"]["IT"][1]):
            raise DataError(f"{path}: {array} is {shape}; expected (..., {len(ids)} images, 1024 electrodes)")
        values = np.atleast_3d(np.moveaxis(file[array][..., first:last], 0, -1 if part == "test" else 0))
    target = ResponseTarget(
        name=name,
        ids=ids,
        hash=_tvsd_hash(root, name=name, monkey=monkey, area=area, part=part),
        source=str(path),
        repeats=np.ascontiguousarray(values, dtype=np.float64),
        channels=tuple(f"monkey{monkey} {i + 1:04d}" for i in range(first, last)),
        areas=(area,) * (last - first),
        subjects=(f"monkey{monkey}",) * (last - first),
    )
    target.require_varied()
    return target


def _image_ids(path: Path, group: str) -> tuple[str, ...]:
    """The names of the images of a MATLAB struct, from the cells of its field ``things_path``."""
    with opened(path) as file:
        if f"{group}/things_path" not in file:
            raise DataError(f"{path}: no field things_path of {group}; expected the list of images of TVSD")
        cells = file[f"{group}/things_path"][()].ravel()
        return tuple(_stem(file[cell][()]) for cell in cells)


def _stem(codes: Any) -> str:
    """A text of MATLAB, which is a column of UTF-16 codes: the name of the image without its ending."""
    return PurePosixPath("".join(map(chr, np.ravel(codes))).replace("\\", "/")).stem
