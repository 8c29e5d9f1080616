"""The 92 object images of Kriegeskorte et al. 2008, and RDMs of human visual cortex for them.

The images and the rows of every RDM are in one order: that of the column "index" (from 1) of
``kriegeskorte92/categories.csv``. This table is comma separated, and its other columns that are read are
"file" (name of the image) and "category". Every reader takes ``root``, the data root, and ``name``, the name
of the dataset in the registry. The ids are the file names without their ending, "stim001" to "stim092".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate, read_array, read_table, whole_numbers
from benchmark.datasets.readers.folders import image_stimuli
from benchmark.datasets.readers.text import names_of
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget

_TABLE = "kriegeskorte92/categories.csv"


def images(root: DataRoot, *, name: str) -> Stimuli:
    """The 92 images on a grey ground, 175 x 175 pixels.

    Reads ``kriegeskorte92/categories.csv`` and the images that it names in ``kriegeskorte92/images``. Each
    image is a concept of its own: ids and concepts are "stim001" to "stim092".

    Raises
    ------
    NotPossible
        If the table or the folder is not there.
    DataError
        If an image of the table is missing.
    """
    folder = locate(root, name, "kriegeskorte92/images")
    table = _order(locate(root, name, _TABLE))
    files = [folder / file for file in table["file"]]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise DataError(f"{missing}: no image there for a row of {_TABLE}")
    ids = _ids(table)
    return image_stimuli(name, files, ids, ids)


def human_it(root: DataRoot, *, name: str) -> RDMTarget:
    """Human inferior temporal cortex (fMRI): one RDM for each of 4 subjects, the mean of two sessions.

    Reads ``kriegeskorte92/hIT_rdms.npz``: the array "rdms", shape (subjects, sessions, images, images), and
    the array "subjects", their names. Kriegeskorte et al. 2008, Neuron.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If an array is missing or has another shape.
    """
    path = locate(root, name, "kriegeskorte92/hIT_rdms.npz")
    rdms = read_array(path, "rdms")
    if rdms.ndim != 4:
        raise DataError(f"{path}: RDMs of shape {rdms.shape}, expected (subjects, sessions, images, images)")
    subjects = names_of(read_array(path, "subjects"), f"{path}: array 'subjects'")
    return _target(root, name, path, rdms.astype(np.float64).mean(axis=1), subjects)


def cichy(root: DataRoot, *, name: str, area: str) -> RDMTarget:
    """Human early visual cortex or inferior temporal cortex (fMRI): one RDM for each of 15 subjects.

    Reads ``cichy92/fmri_AREA_RDMs.npz``: the array "Net_RDM", shape (subjects, images, images). Cichy,
    Pantazis & Oliva 2014, Nature Neuroscience.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    area : {"EVC", "IT"}
        Early visual cortex, or inferior temporal cortex.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If the array is missing or has another shape.
    """
    path = locate(root, name, f"cichy92/fmri_{area}_RDMs.npz")
    rdms = read_array(path, "Net_RDM").astype(np.float64)
    subjects = tuple(f"subject{i + 1:02d}" for i in range(len(rdms)))
    return _target(root, name, path, rdms, subjects)


def _target(root: DataRoot, name: str, path: Path, rdms: np.ndarray, subjects: tuple[str, ...]) -> RDMTarget:
    table_path = locate(root, name, _TABLE)
    table = _order(table_path)
    return RDMTarget(
        name=name,
        ids=_ids(table),
        hash=hash_files([path, table_path]),
        rdms=rdms,
        source=str(path),
        subjects=subjects,
        categories=tuple(table["category"]),
    )


def _order(path: Path) -> pd.DataFrame:
    table = read_table(path, ("index", "file", "category"))
    index = whole_numbers(table, "index", path)
    if (np.sort(index) != np.arange(1, len(index) + 1)).any():
        raise DataError(f"{path}: the column index does not number the rows from 1 to {len(index)}")
    return table.iloc[np.argsort(index)]


def _ids(table: pd.DataFrame) -> tuple[str, ...]:
    return tuple(Path(file).stem for file in table["file"])
