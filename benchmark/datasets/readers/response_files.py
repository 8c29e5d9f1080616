"""Responses of a user's own, from a file of any usual form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.feature_tables import read_named_table
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.folders import IMAGE_SUFFIXES
from benchmark.datasets.readers.number_files import read_number_file
from benchmark.datasets.readers.observations import (
    ObservationFile,
    as_repeats,
    averaged_in_window,
    read_rsatoolbox_dataset,
)
from benchmark.datasets.readers.rdm_files import given_ids
from benchmark.datasets.readers.rdm_series_files import read_times
from benchmark.datasets.readers.text import read_rows
from benchmark.datasets.response_rdms import response_rdms
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.types import RDMTarget

#: Orders of the axes of an array: stimuli first, or channels first. Repeats come last
AXES = ("stimuli", "channels")
_TABLES = (".csv", ".tsv", ".txt")
_HDF5 = (".h5", ".hdf5")
#: Columns of the table of channels
_CHANNEL, _AREA, _SUBJECT = "channel", "area", "subject"


def _hash(
    root: DataRoot,
    *,
    name: str,
    file: str,
    ids: str | None = None,
    column: str | None = None,
    array: str | None = None,
    axes: str | None = None,
    channels: str | None = None,
    times: str | None = None,
    window: str | None = None,
) -> str:
    path = locate(root, name, file)
    names = None if ids is None else given_ids(locate(root, name, ids), column)
    paths = [path] if channels is None else [path, locate(root, name, channels)]
    axis = () if times is None else tuple(read_times(root, name, times))
    averaged = () if window is None else (axis, window)
    return hash_files(paths, names, column, array, axes, *averaged, "response file")


@hashed_by(_hash)
def response_file(
    root: DataRoot,
    *,
    name: str,
    file: str,
    ids: str | None = None,
    column: str | None = None,
    array: str | None = None,
    axes: str | None = None,
    channels: str | None = None,
    times: str | None = None,
    window: str | None = None,
) -> ResponseTarget:
    """Read responses from a file of any usual form; ``bench data new responses`` writes the entry.

    A file is read by its ending. ``.csv``, ``.tsv`` or ``.txt`` is a table: a row for each stimulus with its
    id, a column for each channel. ``.npy``, ``.npz``, ``.mat`` of any version, ``.h5`` or ``.hdf5`` holds an
    array (stimuli, channels) or (stimuli, channels, repeats), with NaN where a repeat is missing. With
    ``times`` the last axis is time, and the mean over a window is the response. A ``Dataset`` or
    ``TemporalDataset`` that rsatoolbox saved as HDF5 is read too: observations with the same id are repeats.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    file : str
        Path beside the registry file, under the data root, or absolute.
    ids : str, optional
        The ids of the stimuli, in their order: a list with an id a line, a table, or a folder whose images
        are the rows in the sorted order of their names. Names of image files are taken without folder and
        ending. Default: the file's own, in the first column of a table, or in the array ``ids`` of an
        ``.npz``.
    column : str, optional
        The column of the ids, in the table that holds them. Default: the first. For rsatoolbox: the
        descriptor of observations that holds the ids; default: the only one besides ``index``.
    array : str, optional
        Name of the array in a file that holds several.
    axes : {"stimuli", "channels"}, optional
        The first axis of the array. Default: stimuli; a square must say it.
    channels : str, optional
        A table with the column ``channel``, and ``area`` and ``subject`` where they are known: a row for each
        channel, in their order. Default: the names in the header of a table, else numbers from 1.
    times : str, optional
        The times of the last axis: ``START:STEP:STOP`` with both ends, or a file with one a line. A
        ``TemporalDataset`` has them itself.
    window : str, optional
        ``START:STOP`` in the unit of the times, both ends with it. Responses in it are averaged. Whatever has
        times needs one.

    Returns
    -------
    ResponseTarget

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If the file cannot be read, has no ids, is the wrong way round, or can be read in two ways; or if a
        channel never varies, or a stimulus has no response. The message says what decides it.
    """
    if axes is not None and axes not in AXES:
        raise UsageError(f"axes: {axes!r} is not known; write one of {', '.join(AXES)}")
    path = locate(root, name, file)
    given = None if ids is None else given_ids(locate(root, name, ids), column)
    found = _read(path, given, column, array)
    axis = found.times if times is None else read_times(root, name, times)
    values = averaged_in_window(found.values, axis, window, f"{path}")
    repeats = _oriented(values, len(found.ids), axes, path)
    labels, areas, subjects = _channels(
        None if channels is None else locate(root, name, channels), repeats.shape[1], found.header
    )
    target = ResponseTarget(
        name=name,
        ids=found.ids,
        hash=_hash(
            root,
            name=name,
            file=file,
            ids=ids,
            column=column,
            array=array,
            axes=axes,
            channels=channels,
            times=times,
            window=window,
        ),
        source=str(path),
        repeats=repeats,
        channels=labels,
        areas=areas,
        subjects=subjects,
    )
    target.require_varied()
    return target


def _rdms_hash(
    root: DataRoot, *, name: str, metric: str = "correlation", split: str = "none", **params: Any
) -> str:
    return hash_files((), _hash(root, name=name, **params), metric, split)


@hashed_by(_rdms_hash)
def response_file_rdms(
    root: DataRoot, *, name: str, metric: str = "correlation", split: str = "none", **params: Any
) -> RDMTarget:
    """RDMs of responses in a file, for the tasks that take RDMs.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    metric, split : str
        As for :func:`benchmark.datasets.response_rdms.response_rdms`.
    **params
        Those of :func:`response_file`.

    Returns
    -------
    RDMTarget

    Raises
    ------
    NotPossible, DataError
        As :func:`response_file`, or if there are too few repeats.
    """
    digest = _rdms_hash(root, name=name, metric=metric, split=split, **params)
    return response_rdms(response_file(root, name=name, **params), name, digest, metric, split)


@dataclass(frozen=True)
class _Found:
    """The numbers of a file, the ids of its stimuli, and the channels and times that it names."""

    values: np.ndarray
    ids: tuple[str, ...]
    header: tuple[str, ...] | None = None
    times: np.ndarray | None = None


def _read(path: Path, given: tuple[str, ...] | None, column: str | None, array: str | None) -> _Found:
    if path.suffix.lower() in _HDF5 and (dataset := read_rsatoolbox_dataset(path, column)) is not None:
        return _of_observations(path, dataset, given)
    if path.suffix.lower() in _TABLES:
        own, values, header = read_named_table(path, column if given is None else None)
        ids: tuple[str, ...] | None = _without_ending(own)
    else:
        numbers = read_number_file(path, array)
        ids, values, header = numbers.ids, numbers.values, None
    if given is not None and ids is not None and given != ids:
        raise DataError(
            f"{path}: has ids of its own ({ids[0]!r} first) that are not those of --ids "
            f"({given[0]!r} first); leave --ids out"
        )
    names = given or ids
    if names is None:
        raise DataError(
            f"{path}: has numbers of shape {values.shape} and no ids; give the ids of the stimuli, in their "
            "order, with --ids FILE"
        )
    return _Found(values, names, header)


def _of_observations(path: Path, dataset: ObservationFile, given: tuple[str, ...] | None) -> _Found:
    """A data set of rsatoolbox: observations of the same stimulus become its repeats."""
    if given is not None:
        raise DataError(f"{path}: a data set of rsatoolbox has its ids in it; leave --ids out")
    ids, repeats = as_repeats(dataset.measurements, _without_ending(dataset.ids))
    return _Found(repeats, ids, dataset.channels, dataset.times)


def _without_ending(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of image files without their ending; other names as they are."""
    if all(PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES for name in names):
        return tuple(str(PurePosixPath(name).with_suffix("")) for name in names)
    return names


def _oriented(values: np.ndarray, n: int, axes: str | None, path: Path) -> np.ndarray:
    """Responses with the axes stimuli, channels, repeats."""
    if values.ndim == 1:
        values = values[:, None]
    first, second = values.shape[:2]
    expected = f"({n} stimuli, channels) or ({n} stimuli, channels, repeats)"
    if axes is None and first == second == n:
        raise DataError(
            f"{path}: responses of shape {values.shape} for {n} ids: which axis are the stimuli? Say it with "
            "--axes stimuli or --axes channels, which names the first axis"
        )
    if axes is None and first != n and second == n:
        raise DataError(
            f"{path}: responses of shape {values.shape}, the wrong way round for {n} ids; expected "
            f"{expected}; or read it with --axes channels{', if its repeats come last' * (values.ndim > 2)}"
        )
    oriented = np.swapaxes(values, 0, 1) if axes == AXES[1] else values
    if len(oriented) != n:
        shape = (
            f"(channels, {n} stimuli) or (channels, {n} stimuli, repeats)" if axes == AXES[1] else expected
        )
        raise DataError(f"{path}: responses of shape {values.shape} for {n} ids; expected {shape}")
    return np.ascontiguousarray(oriented[:, :, None] if oriented.ndim == 2 else oriented)


def _channels(
    path: Path | None, count: int, header: tuple[str, ...] | None
) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...] | None]:
    """Name, area and subject of each channel."""
    if path is None:
        # a header of empty or repeated cells names nothing
        named = header is not None and len(header) == count and len({*header, ""}) == count + 1
        return (header if named and header else tuple(f"{i + 1}" for i in range(count))), None, None
    columns, rows, _ = read_rows(path, _CHANNEL)
    if _CHANNEL not in columns:
        raise DataError(f"{path}, line 1: no column {_CHANNEL!r}; it has {', '.join(columns[:8])}")
    if len(rows) != count:
        raise DataError(f"{path}: has {len(rows)} rows for {count} channels; write a row for each")
    by_name = {
        column: tuple(row[columns.index(column)] for row in rows) if column in columns else None
        for column in (_CHANNEL, _AREA, _SUBJECT)
    }
    return by_name[_CHANNEL] or (), by_name[_AREA], by_name[_SUBJECT]
