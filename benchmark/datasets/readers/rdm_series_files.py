"""RDMs along an axis (times, regions), from files of a user's own or as authors publish them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.names import require_unique
from benchmark.datasets.rdm_series import TIME, Axis, RDMSeriesTarget
from benchmark.datasets.readers.files import locate, read_array
from benchmark.datasets.readers.number_files import read_number_file
from benchmark.datasets.readers.pairs import ORDERS
from benchmark.datasets.readers.rdm_files import files_of, given_ids
from benchmark.datasets.readers.text import read_ids
from benchmark.datasets.root import DataRoot, hash_files

#: Which of two axes of one length stands first
FIRST = ("subjects", "places")
#: Times that all lie within so many milliseconds are seconds, more likely
_SECONDS = 10


@dataclass(frozen=True)
class _Form:
    """How the numbers of a file are to be read."""

    ids: tuple[str, ...] | None
    axis: Axis
    array: str | None
    order: str | None
    first: str | None


def rdm_series_files(
    root: DataRoot,
    *,
    name: str,
    files: Sequence[str],
    times: str | None = None,
    regions: str | None = None,
    unit: str | None = None,
    ids: str | None = None,
    column: str | None = None,
    array: str | None = None,
    order: str | None = None,
    first: str | None = None,
) -> RDMSeriesTarget:
    """Read RDMs along an axis from files of any usual form; ``bench data new rdm --times`` writes the entry.

    A file holds (subjects, places, n, n), as in the MEG files of Algonauts 2019; (n, n, places, subjects), as
    MATLAB code often has it and THINGS-MEG does (``validation-pairwise_decoding_RDM200.mat``); or a subject
    alone, (places, n, n). In place of n, n there may be the pairs of the upper triangle. Which axis is which
    is known from the number of ids and of places. A diagonal that is NaN counts as zero.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    files : sequence of str
        As for :func:`benchmark.datasets.readers.rdm_files.rdm_files`.
    times : str, optional
        The times: ``START:STEP:STOP`` with both ends, as in MATLAB, or a file with one a line, or ``.npy``.
    regions : str, optional
        In place of times: names separated by commas, or a file with one a line.
    unit : str, optional
        Unit of the times: "ms" or "s". Default: "ms".
    ids, column, array, order : str, optional
        As for :func:`benchmark.datasets.readers.rdm_files.rdm_files`.
    first : {"subjects", "places"}, optional
        Which axis stands first, where there are as many subjects as places.

    Returns
    -------
    RDMSeriesTarget

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If a file cannot be read, or can be read in more than one way.
    UsageError
        If not exactly one of ``times`` and ``regions`` is given, or a word is not known.
    """
    for option, value, known in (("order", order, tuple(ORDERS)), ("first", first, FIRST)):
        if value is not None and value not in known:
            raise UsageError(f"{option}: {value!r} is not known; write one of {', '.join(known)}")
    axis = _axis(root, name, times, regions, unit)
    paths = files_of(root, name, files)
    names = None if ids is None else given_ids(locate(root, name, ids), column)
    form = _Form(names, axis, array, order, first)
    parts = [_read(path, form, column if ids is None else None) for path in paths]
    for path, (own, _) in zip(paths, parts, strict=True):
        if own != parts[0][0]:
            raise DataError(f"{path}: has other ids than {paths[0]}; RDMs along an axis need the same")
    return RDMSeriesTarget(
        name=name,
        source=str(paths[0] if len(paths) == 1 else paths[0].parent),
        ids=parts[0][0],
        hash=hash_files(
            paths, [p.stem for p in paths], names, column, array, order, first, axis, "rdm series"
        ),
        pairs=np.concatenate([pairs for _, pairs in parts]),
        subjects=tuple(
            path.stem if len(pairs) == 1 else f"{path.stem} {i}"
            for path, (_, pairs) in zip(paths, parts, strict=True)
            for i in range(1, len(pairs) + 1)
        ),
        axis=axis,
    )


def algonauts_meg(
    root: DataRoot, *, name: str, path: str, ids: str, column: str | None = None
) -> RDMSeriesTarget:
    """Read the MEG RDMs of the Algonauts challenge 2019, ``target_meg.mat``: an early and a late window.

    The file holds ``MEG_RDMs_early`` and ``MEG_RDMs_late``, each (subjects, times, images, images), in
    MATLAB's old form or its HDF5. The challenge averages over the times of a window; here the RDM of a window
    is the mean of its RDMs. Cichy et al. 2019, arXiv:1905.05675.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file.
    ids, column : str
        The ids of the images, as for :func:`rdm_series_files`.

    Returns
    -------
    RDMSeriesTarget
        With the axis "window": "early", "late".

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If an array is missing or has another shape.
    """
    file, windows = locate(root, name, path), ("early", "late")
    names = given_ids(locate(root, name, ids), column)
    means = []
    for window in windows:
        values = read_number_file(file, f"MEG_RDMs_{window}").values
        where, n = f"{file}, MEG_RDMs_{window}", len(names)
        if values.ndim != 4 or values.shape[2:] != (n, n):
            raise DataError(
                f"{where}: an array of shape {values.shape}; expected (subjects, times, {n}, {n})"
            )
        means.append(_pairs_of(values, where).mean(axis=1))
    if len(means[0]) != len(means[1]):
        raise DataError(f"{file}: {len(means[0])} subjects early and {len(means[1])} late")
    return RDMSeriesTarget(
        name=name,
        source=str(file),
        ids=names,
        hash=hash_files([file], names, "algonauts meg"),
        pairs=np.stack(means, axis=1),
        subjects=tuple(f"subject{i + 1:02d}" for i in range(len(means[0]))),
        axis=Axis("window", windows),
    )


def _axis(root: DataRoot, name: str, times: str | None, regions: str | None, unit: str | None) -> Axis:
    if (times is None) == (regions is None):
        raise UsageError(f"dataset {name!r}: give either times or regions, the places of the axis")
    if regions is not None:
        listed = (
            [part.strip() for part in regions.split(",")]
            if "," in regions
            else read_ids(locate(root, name, regions))
        )
        return Axis("region", tuple(listed))
    values = read_times(root, name, str(times))
    if unit not in (None, "ms", "s"):
        raise UsageError(f"unit: {unit!r} is not known; write ms or s")
    if unit is None and np.abs(values).max() < _SECONDS:
        raise DataError(
            f"times from {values[0]:g} to {values[-1]:g}: seconds or ms? give --unit s or --unit ms"
        )
    return Axis(TIME, tuple(map(float, values)), unit or "ms")


def read_times(root: DataRoot, name: str, times: str) -> np.ndarray:
    """The times of an axis, as a user names them.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    times : str
        ``START:STEP:STOP`` with both ends, or a file with one a line, or ``.npy``.

    Returns
    -------
    ndarray, shape (t,)

    Raises
    ------
    NotPossible
        If the file is not there.
    UsageError, DataError
        If these are no times.
    """
    parts = times.split(":")
    if len(parts) == 3:
        try:
            start, step, stop = map(float, parts)
        except ValueError:
            raise UsageError(f"times: {times!r} is not START:STEP:STOP; write three numbers") from None
        if step <= 0 or stop < start:
            raise UsageError(f"times: {times!r} does not rise from START by STEP to STOP")
        return start + step * np.arange(int((stop - start) / step + 1e-6) + 1)
    path = locate(root, name, times)
    if path.suffix == ".npy":
        return np.asarray(read_array(path), dtype=np.float64).ravel()
    try:
        return np.array([float(line) for line in read_ids(path)])
    except ValueError as error:
        raise DataError(f"{path}: {error}; expected a time a line") from None


def _read(path: Path, form: _Form, column: str | None) -> tuple[tuple[str, ...], np.ndarray]:
    """Ids, and the pairs of each subject at each place, (s, t, pairs)."""
    numbers = read_number_file(path, form.array, column)
    names = form.ids or numbers.ids
    if names is None:
        raise DataError(
            f"{path}: has numbers of shape {numbers.values.shape} and no ids; give the ids of the rows, in "
            "their order, with --ids FILE"
        )
    require_unique(names, f"{path}")
    n, places = len(names), len(form.axis)
    squares = _squares(numbers.values, n)
    pairs = [_pairs_of(stack, f"{path}") for stack in squares]
    if not squares and numbers.values.shape[-1] == n * (n - 1) // 2:
        stack = numbers.values[None] if numbers.values.ndim == 2 else numbers.values
        pairs = [_in_rows(stack, n, numbers.order or form.order, f"{path}")]
    fits = [stack for stack in pairs if stack.shape[1] == places]
    fits += [stack.swapaxes(0, 1) for stack in pairs if stack.shape[0] == places]
    if len(fits) == 2 and form.first is not None:
        fits = [fits[form.first == "places"]]
    if len(fits) == 2:
        raise DataError(
            f"{path}: {numbers.values.shape}: {places} subjects or {places} places first? give --first "
            "subjects or --first places"
        )
    if not fits:
        raise DataError(
            f"{path}: an array of shape {numbers.values.shape} for {n} ids and {places} places; expected "
            f"(subjects, {places}, {n}, {n}), ({n}, {n}, {places}, subjects) or ({places}, {n}, {n})"
        )
    return names, fits[0]


def _squares(values: np.ndarray, n: int) -> list[np.ndarray]:
    """The stacks (a, b, n, n) that an array can be: its RDMs are its last two axes, or its first two.

    Where both are possible, because n stands four times, the symmetric ones are the RDMs.
    """
    if values.ndim == 3 and n in values.shape:
        values = values[None] if values.shape[1:] == (n, n) else values[..., None]
    if values.ndim != 4:
        return []
    stacks = [values] if values.shape[2:] == (n, n) else []
    if values.shape[:2] == (n, n):
        stacks.append(values.transpose(3, 2, 0, 1))
    if len(stacks) > 1:
        stacks = [s for s in stacks if np.allclose(s, s.swapaxes(2, 3), equal_nan=True)] or stacks[:1]
    return stacks[:1]


def _pairs_of(stack: np.ndarray, where: str) -> np.ndarray:
    """The pairs above the diagonal of RDMs (a, b, n, n), which must be RDMs."""
    n = stack.shape[-1]
    known = np.where(np.isfinite(stack), stack, 0)
    scale = max(float(np.abs(known).max()), 1e-300)
    difference = np.abs(known - known.swapaxes(2, 3)).max(axis=(2, 3))
    if difference.max() > 1e-6 * scale:
        a, b = np.unravel_index(difference.argmax(), difference.shape)
        raise DataError(f"{where}: the RDM [{a}, {b}] is not symmetric; expected RDMs of {n} ids")
    diagonal = np.diagonal(known, axis1=2, axis2=3)
    if np.abs(diagonal).max() > 1e-6 * scale:
        raise DataError(
            f"{where}: RDMs have a diagonal that is not zero, {diagonal.flat[np.abs(diagonal).argmax()]:g}; "
            "if these are similarities s, give 1 - s"
        )
    if known.max() <= 0 and known.min() < 0:
        raise DataError(f"{where}: no value is above 0: if these are similarities s, give -s")
    i, j = np.triu_indices(n, 1)
    return stack[:, :, i, j]


def _in_rows(pairs: np.ndarray, n: int, order: str | None, where: str) -> np.ndarray:
    """Pairs (a, b, p) row by row of the upper triangle."""
    if order is None and n > 3:  # the two orders are one up to three ids
        asked = ", or ".join(f"--order {name} ({who})" for name, who in ORDERS.items())
        raise DataError(f"{where}: in which order are the {pairs.shape[-1]} pairs? give {asked}")
    if order != "columns":
        return pairs
    place = np.zeros((n, n), dtype=np.intp)
    place[np.tril_indices(n, -1)] = np.arange(pairs.shape[-1])
    return pairs[:, :, place.T[np.triu_indices(n, 1)]]
