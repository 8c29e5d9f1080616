"""NSD: single-trial responses of one person in regions of the volume, as its authors publish them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.hdf5_files import opened
from benchmark.datasets.readers.matlab_files import require_bounded
from benchmark.datasets.readers.observations import as_repeats
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files, hashed_by

_DESIGN = "nsddata/experiments/nsd/nsd_expdesign.mat"
_SPACE, _BETAS = "func1pt8mm", "betas_fithrf_GLMdenoise_RR"
#: Responses are whole numbers, 300 times the percent of signal change
_SCALE = 300.0
#: Trials that are read at a time, and the greatest number of bytes of a volume
_BLOCK, _LARGEST = 50, 1 << 27
#: Types of numbers of NIfTI-1 that a mask of regions has
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"}


def _paths(root: DataRoot, name: str, subject: int, roi: str, sessions: int) -> list[Path]:
    person = f"ppdata/subj{subject:02d}/{_SPACE}"
    files = [_DESIGN, f"nsddata/{person}/roi/{roi}.nii.gz"]
    files += [f"nsddata_betas/{person}/{_BETAS}/betas_session{i + 1:02d}.hdf5" for i in range(sessions)]
    return [locate(root, name, f"nsd/{file}") for file in files]


def _nsd_hash(
    root: DataRoot, *, name: str, subject: int, roi: str, labels: Sequence[int], sessions: int
) -> str:
    return hash_files(_paths(root, name, subject, roi, sessions), list(labels), "nsd, z-scored by session")


@hashed_by(_nsd_hash)
def nsd(
    root: DataRoot, *, name: str, subject: int, roi: str, labels: Sequence[int], sessions: int
) -> ResponseTarget:
    """Responses of the voxels of regions of one person, trial by trial, z-scored by session.

    Reads, under ``nsd/`` and with the folders of the source, ``nsd_expdesign.mat`` (``masterordering`` and
    ``subjectim``: the image of each trial), ``roi/ROI.nii.gz`` of the space func1pt8mm, and
    ``betas_session01.hdf5`` and so on (``betas_fithrf_GLMdenoise_RR``: "betas", trials and voxels, whole
    numbers of 1/300 %). Allen et al. 2022, Nature Neuroscience.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    subject : int
        1 to 8.
    roi : str
        Name of the file of regions: "prf-visualrois", "streams".
    labels : sequence of int
        Numbers in it whose voxels are taken.
    sessions : int
        Number of sessions, from the first.

    Returns
    -------
    ResponseTarget
        Ids are those of the images as the source counts them from 1, "nsd02951". Trials of an image are its
        repeats.

    Raises
    ------
    NotPossible
        If a file is not there.
    UsageError
        If ``labels`` is no list of numbers.
    DataError
        If no voxel has a label, or the files do not fit one another.
    """
    from scipy.io import loadmat

    if isinstance(labels, int | str) or not labels:
        raise UsageError(f"dataset {name!r}: labels is {labels!r}; write a list of numbers, [1, 2]")
    design_path, mask_path, *files = _paths(root, name, subject, roi, sessions)
    require_bounded(design_path)
    design = loadmat(design_path, variable_names=["masterordering", "subjectim"])
    if not {"masterordering", "subjectim"} <= design.keys():
        raise DataError(f"{design_path}: no masterordering and subjectim; expected the design of NSD")
    images = design["subjectim"][subject - 1][design["masterordering"].ravel().astype(int) - 1]
    inside = np.isin(_volume(mask_path), list(labels))
    if not inside.any():
        raise DataError(f"{mask_path}: no voxel has a label of {list(labels)}")
    trials = np.concatenate([_session(path, inside) for path in files])
    if len(trials) > len(images):
        raise DataError(f"{files[-1]}: {len(trials)} trials so far, and the design has {len(images)}")
    ids, repeats = as_repeats(trials, tuple(f"nsd{image:05d}" for image in images[: len(trials)]))
    count = repeats.shape[1]
    target = ResponseTarget(
        name=name,
        ids=ids,
        hash=_nsd_hash(root, name=name, subject=subject, roi=roi, labels=labels, sessions=sessions),
        source=str(files[0].parent),
        repeats=repeats,
        channels=tuple(f"voxel {i}" for i in np.flatnonzero(inside)),
        areas=tuple(f"{roi} {label:g}" for label in _volume(mask_path)[inside]),
        subjects=(f"subj{subject:02d}",) * count,
    )
    target.require_varied()
    return target


def _session(path: Path, inside: np.ndarray) -> np.ndarray:
    """Trials by voxels, each voxel of mean 0 and variance 1 over the trials."""
    with opened(path) as file:
        betas = file.get("betas")
        if betas is None or betas.shape[1:] != inside.shape:
            raise DataError(
                f"{path}: betas of shape {None if betas is None else betas.shape}; expected (trials, "
                f"{', '.join(map(str, inside.shape))}), as its regions have it"
            )
        values = [betas[i : i + _BLOCK][:, inside] for i in range(0, len(betas), _BLOCK)]
    trials = np.concatenate(values) / _SCALE
    spread = trials.std(axis=0)
    scored: np.ndarray = (trials - trials.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scored


def _volume(path: Path) -> np.ndarray:
    """The numbers of a NIfTI-1 file, (z, y, x): the order in which h5py gives the volumes of MATLAB."""
    try:
        with gzip.open(path) as file:
            data = file.read(_LARGEST + 1)
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read as NIfTI-1 ({error})") from error
    if len(data) > _LARGEST:
        raise DataError(f"{path}: unpacks to more than {_LARGEST >> 20} MiB; expected one volume, NIfTI-1")
    try:
        order = "<" if int.from_bytes(data[:4], "little") == 348 else ">"
        sizes = np.frombuffer(data, f"{order}i2", 8, 40)
        kind = _TYPES[int(np.frombuffer(data, f"{order}i2", 1, 70)[0])]
        start = int(np.frombuffer(data, f"{order}f4", 1, 108)[0])
        shape = tuple(int(size) for size in sizes[1:4])
        values = np.frombuffer(data, f"{order}{kind}", int(np.prod(shape)), start)
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: cannot be read as NIfTI-1 ({error})") from error
    return values.reshape(shape[::-1])
