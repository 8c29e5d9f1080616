"""Observations of a lab: data sets that rsatoolbox saved, trials as repeats, and windows of time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.hdf5_files import opened, texts_of, whole


@dataclass(frozen=True)
class ObservationFile:
    """A ``Dataset`` or ``TemporalDataset`` of rsatoolbox.

    Attributes
    ----------
    measurements : ndarray, shape (observations, c) or (observations, c, t)
    ids : tuple of str
        The stimulus of each observation.
    channels : tuple of str or None
        None: the file has no channel descriptor besides ``index``.
    times : ndarray, shape (t,), or None
    """

    measurements: np.ndarray
    ids: tuple[str, ...]
    channels: tuple[str, ...] | None
    times: np.ndarray | None


def read_rsatoolbox_dataset(path: Path, column: str | None = None) -> ObservationFile | None:
    """Read a data set that rsatoolbox saved (``Dataset.save`` with ``file_type="hdf5"``).

    Parameters
    ----------
    path : Path
        The file.
    column : str, optional
        The descriptor of observations that holds the ids. Default: the only one besides ``index``.

    Returns
    -------
    ObservationFile or None
        None: the file is no such file.

    Raises
    ------
    DataError
        If which descriptor holds the ids is open, there is none, or the measurements are not real numbers.
    """
    with opened(path) as file:
        if "measurements" not in file or "obs_descriptors" not in file:
            return None
        group = file["obs_descriptors"]
        names = [name for name in group if name != "index"]
        if column is None and len(names) != 1:
            raise DataError(
                f"{path}: which descriptor of observations holds the ids? name one with --column: "
                f"{', '.join(names) or 'it has none'}"
            )
        name = column or names[0]
        if name not in group:
            raise DataError(f"{path}: no descriptor of observations {name!r}; it has {', '.join(names)}")
        values = whole(file["measurements"], f"{path}, measurements", path.stat().st_size)
        if values.dtype.kind not in "fiu":
            raise DataError(f"{path}: holds {values.dtype}, not real numbers")
        labels = [key for key in file.get("channel_descriptors", ()) if key != "index"]
        times = file["time_descriptors/time"][()] if "time_descriptors/time" in file else None
        return ObservationFile(
            np.asarray(values, dtype=np.float64),
            texts_of(group[name], f"{path}, descriptor {name!r}"),
            texts_of(file["channel_descriptors"][labels[0]], f"{path}, {labels[0]!r}") if labels else None,
            None if times is None else np.asarray(times, dtype=np.float64),
        )


def as_repeats(trials: np.ndarray, ids: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """Trials of the same stimulus as its repeats.

    Parameters
    ----------
    trials : ndarray, shape (trials, c, ...)
    ids : tuple of str
        The stimulus of each trial.

    Returns
    -------
    ids : tuple of str, length n
        Each stimulus once, in the order in which they first occur.
    repeats : ndarray, shape (n, c, r, ...)
        In the order of the trials; NaN where a stimulus has fewer than others.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets.readers.observations import as_repeats
    >>> as_repeats(np.array([[1.0], [2.0], [3.0]]), ("cat", "dog", "cat"))
    (('cat', 'dog'), array([[[ 1.,  3.]],
    <BLANKLINE>
           [[ 2., nan]]]))
    """
    names = tuple(dict.fromkeys(ids))
    place = {name: i for i, name in enumerate(names)}
    rows = np.array([place[name] for name in ids])
    counts = np.bincount(rows)
    repeats = np.full((len(names), counts.max(), *trials.shape[1:]), np.nan)
    seen = np.zeros(len(names), dtype=np.intp)
    for trial, row in zip(trials, rows, strict=True):
        repeats[row, seen[row]] = trial
        seen[row] += 1
    return names, np.moveaxis(repeats, 1, 2)


def averaged_in_window(
    values: np.ndarray, times: np.ndarray | None, window: str | None, where: str
) -> np.ndarray:
    """The mean of responses over a window of time, which is the last axis.

    Parameters
    ----------
    values : ndarray, shape (..., t)
    times : ndarray, shape (t,), or None
        None: the responses have no times, and stay as they are.
    window : str or None
        ``START:STOP`` in the unit of the times; times that are equal to an end are in it.
    where : str
        The file, for the error message.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    UsageError
        If there are times and no window, a window and no times, or the window cannot be read.
    DataError
        If the last axis has another length than the times, or none is in the window.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets.readers.observations import averaged_in_window
    >>> averaged_in_window(np.array([[[1.0, 2.0, 4.0]]]), np.array([0.0, 50.0, 100.0]), "50:100", "a.npy")
    array([[3.]])
    """
    if times is None and window is None:
        return values
    if times is None:
        raise UsageError(f"{where}: --window needs the times of the last axis: give --times START:STEP:STOP")
    span = f"{len(times)} times from {times.min():g} to {times.max():g}"
    if window is None:
        raise UsageError(
            f"{where}: responses at {span}: give --window START:STOP, over which they are averaged"
        )
    try:
        start, stop = map(float, window.split(":"))
    except ValueError:
        raise UsageError(f"window: {window!r} is not START:STOP; write two numbers") from None
    if values.ndim < 3 or values.shape[-1] != len(times):
        raise DataError(
            f"{where}: responses of shape {values.shape} for {span}; expected (stimuli, channels, "
            f"{len(times)}) or (stimuli, channels, repeats, {len(times)})"
        )
    inside = (times >= start) & (times <= stop)
    if not inside.any():
        raise DataError(f"{where}: no time is in the window {window}; it has {span}")
    mean: np.ndarray = values[..., inside].mean(axis=-1)
    return mean
