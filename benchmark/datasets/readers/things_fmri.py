"""THINGS-fMRI: responses of three people to images of THINGS, in the table form of its authors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.files import locate, read_table
from benchmark.datasets.readers.hdf5_files import opened
from benchmark.datasets.readers.observations import as_repeats
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.types import RDMTarget
from benchmark.measures import rdm

_SUBJECTS = ("01", "02", "03")
_TRIALS = ("train", "test")


def _paths(root: DataRoot, name: str, path: str, subject: str) -> tuple[Path, Path, Path]:
    """The files of the stimuli, of the voxels and of the responses of a subject."""
    files = ("StimulusMetadata.csv", "VoxelMetadata.csv", "ResponseData.h5")
    stimuli, voxels, responses = (locate(root, name, f"{path}/sub-{subject}_{file}") for file in files)
    return stimuli, voxels, responses


def _things_fmri_hash(
    root: DataRoot,
    *,
    name: str,
    rois: Sequence[str],
    trials: str = "train",
    subjects: Sequence[str] = _SUBJECTS,
    path: str = "things-fmri/betas_csv",
) -> str:
    files = [file for subject in subjects for file in _paths(root, name, path, subject)]
    return hash_files(files, *rois, trials, "z-scored by session, mean by concept, 1 - Pearson")


@hashed_by(_things_fmri_hash)
def things_fmri(
    root: DataRoot,
    *,
    name: str,
    rois: Sequence[str],
    trials: str = "train",
    subjects: Sequence[str] = _SUBJECTS,
    path: str = "things-fmri/betas_csv",
) -> RDMTarget:
    """RDMs of the concepts of THINGS-fMRI in regions of interest, one for each person.

    Reads the single-trial responses in their table form: ``sub-01_ResponseData.h5`` (voxels by trials),
    ``sub-01_StimulusMetadata.csv`` (columns "trial_type", "session" and "concept") and
    ``sub-01_VoxelMetadata.csv`` (a column of 0 and 1 for each region). Each voxel has mean 0 and variance 1
    over the trials of a session, and is averaged over the trials of a concept. The dissimilarity is one minus
    the correlation over voxels. Only the voxels of the regions are read. Hebart et al. 2023, eLife.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    rois : sequence of str
        Regions whose voxels are taken together: columns of the table of voxels, ``[V1, V2]``.
    trials : {"train", "test"}
        "train" has 720 concepts with 12 images, each seen once. "test" has 100 images of other concepts, seen
        12 times.
    subjects : sequence of str
        Numbers of the people, as in the names of the files.
    path : str
        The folder of the tables, under the data root.

    Returns
    -------
    RDMTarget
        Ids are those of the THINGS concepts, in sorted order.

    Raises
    ------
    NotPossible
        If a file is not there.
    UsageError
        If ``trials`` is not known, or no region is named.
    DataError
        If a column or a region is missing, the tables do not fit the responses, or two people saw other
        concepts.
    """
    _require(name, rois, trials)
    found = {subject: _of_subject(*_paths(root, name, path, subject), rois, trials) for subject in subjects}
    concepts = next(iter(found.values()))[0]
    other = next((subject for subject, (seen, _) in found.items() if seen != concepts), None)
    if other is not None:
        raise DataError(f"{root.path / path}: sub-{other} saw other concepts than sub-{subjects[0]}")
    return RDMTarget(
        name=name,
        ids=concepts,
        hash=_things_fmri_hash(root, name=name, rois=rois, trials=trials, subjects=subjects, path=path),
        rdms=np.stack([matrix for _, matrix in found.values()]),
        source=str(locate(root, name, path)),
        subjects=tuple(f"sub-{subject}" for subject in subjects),
    )


def _responses_hash(
    root: DataRoot,
    *,
    name: str,
    rois: Sequence[str],
    subject: str,
    trials: str = "test",
    path: str = "things-fmri/betas_csv",
) -> str:
    return hash_files(_paths(root, name, path, subject), *rois, trials, "responses, z-scored by session")


@hashed_by(_responses_hash)
def things_fmri_responses(
    root: DataRoot,
    *,
    name: str,
    rois: Sequence[str],
    subject: str,
    trials: str = "test",
    path: str = "things-fmri/betas_csv",
) -> ResponseTarget:
    """Responses of the voxels of regions of one person, trial by trial, z-scored by session.

    Reads the files of :func:`things_fmri`. Trials of the same image are its repeats.

    Parameters
    ----------
    root, name, rois, path
        As for :func:`things_fmri`.
    subject : str
        Number of the person, as in the names of the files: "01".
    trials : {"test", "train"}
        "test" has 100 images, seen 12 times; "train" has 8,640, each seen once.

    Returns
    -------
    ResponseTarget
        Ids are the names of the images without their ending, in the column "stimulus".

    Raises
    ------
    NotPossible, UsageError, DataError
        As :func:`things_fmri`.
    """
    _require(name, rois, trials)
    stimuli, voxels, responses = _paths(root, name, path, subject)
    table, inside, scored = _trials_of(stimuli, voxels, responses, rois, trials)
    if "stimulus" not in table:
        raise DataError(f"{stimuli}: no column 'stimulus', the image of each trial")
    ids, repeats = as_repeats(scored.to_numpy(), tuple(Path(str(file)).stem for file in table["stimulus"]))
    target = ResponseTarget(
        name=name,
        ids=ids,
        hash=_responses_hash(root, name=name, rois=rois, subject=subject, trials=trials, path=path),
        source=str(responses),
        repeats=repeats,
        channels=tuple(f"voxel {i}" for i in np.flatnonzero(inside)),
        subjects=(f"sub-{subject}",) * repeats.shape[1],
    )
    target.require_varied()
    return target


def _require(name: str, rois: Sequence[str], trials: str) -> None:
    if trials not in _TRIALS:
        raise UsageError(f"dataset {name!r}: trials is {trials!r}; write one of {', '.join(_TRIALS)}")
    if isinstance(rois, str) or not rois:
        raise UsageError(f"dataset {name!r}: rois is {rois!r}; write a list of regions, [V1, V2]")


def _of_subject(
    stimuli: Path, voxels: Path, responses: Path, rois: Sequence[str], trials: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """The concepts of a subject, and their RDM."""
    table, _, scored = _trials_of(stimuli, voxels, responses, rois, trials)
    means = scored.groupby(table["concept"].to_numpy()).mean()
    return tuple(means.index), rdm(means.to_numpy(), metric="correlation")


def _trials_of(
    stimuli: Path, voxels: Path, responses: Path, rois: Sequence[str], trials: str
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """The table of the trials, which voxels are in the regions, and their responses, z-scored by session."""
    table = read_table(stimuli, ("trial_type", "session", "concept"))
    regions = read_table(voxels, tuple(rois))[list(rois)]
    inside = regions.isin(("1", "1.0", "True")).any(axis=1).to_numpy()
    if not inside.any():
        raise DataError(f"{voxels}: no voxel is in {', '.join(rois)}")
    kept = (table["trial_type"] == trials).to_numpy()
    if not kept.any():
        raise DataError(f"{stimuli}: no trial of the type {trials!r}")
    with opened(responses) as file:
        values = _block(file, responses, (len(inside), len(table)))[inside, :][:, kept]
    return table[kept], inside, _z_scored(values.T, table[kept]["session"])


def _block(file: Any, path: Path, shape: tuple[int, int]) -> Any:
    """The array of a table of pandas that holds the trials. The column of voxel numbers is in another."""
    shapes = {}

    def note(name: str, item: Any) -> None:
        if name.endswith("_values"):
            shapes[name] = item.shape

    file.visititems(note)
    fitting = [name for name, found in shapes.items() if found == shape]
    if len(fitting) != 1:
        raise DataError(
            f"{path}: no table of {shape[0]} voxels and {shape[1]} trials in it, as the metadata have them; "
            f"it has {', '.join(map(str, shapes.values())) or 'none'}"
        )
    return file[fitting[0]]


def _z_scored(values: np.ndarray, sessions: pd.Series) -> pd.DataFrame:
    """Trials by voxels, each voxel of mean 0 and variance 1 over the trials of a session."""
    trials = pd.DataFrame(np.asarray(values, np.float64))
    grouped = trials.groupby(sessions.to_numpy())
    spread = grouped.transform("std", ddof=0)
    return (trials - grouped.transform("mean")) / spread.where(spread > 0, 1.0)
