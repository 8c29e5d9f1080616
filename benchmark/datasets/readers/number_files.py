"""The numbers of a file of any usual form, with the ids that the file itself gives.

``path``, wherever a function takes it, is the file. Error messages name it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.common.arrays import UNREADABLE, load_array
from benchmark.common.errors import DataError
from benchmark.datasets.catalogue.states import fault_of
from benchmark.datasets.readers.files import read_array
from benchmark.datasets.readers.hdf5_files import IDS, pick, read_hdf5, read_rsatoolbox
from benchmark.datasets.readers.matlab_files import require_bounded
from benchmark.datasets.readers.rdm_tables import read_rdm_table
from benchmark.datasets.readers.text import names_of


@dataclass(frozen=True)
class Numbers:
    """What a file holds.

    Attributes
    ----------
    values : ndarray of float64, of one to four dimensions
        NaN where a cell is empty.
    ids : tuple of str or None
        Ids of the rows (and columns) of a square; None: the file gives none.
    order : str or None
        For pairs whose form says so: their order (:data:`benchmark.datasets.readers.pairs.ORDERS`).
    """

    values: np.ndarray
    ids: tuple[str, ...] | None = None
    order: str | None = None


def read_number_file(path: Path, array: str | None = None, column: str | None = None) -> Numbers:
    """Read a file by its ending.

    Parameters
    ----------
    path : Path
        ``.npy``, ``.npz``, ``.mat`` (any version), ``.h5`` or ``.hdf5`` (of rsatoolbox, or any other), or a
        table: ``.csv``, ``.tsv`` or ``.txt``.
    array : str, optional
        Name of the array in a file that holds several.
    column : str, optional
        For rsatoolbox: the pattern descriptor that holds the ids.

    Returns
    -------
    Numbers

    Raises
    ------
    DataError
        If the file cannot be read, its ending is another one, it holds several arrays of which none is named,
        or what it holds are not numbers.
    """
    readers: dict[str, Callable[[], Numbers]] = {
        ".npy": lambda: Numbers(_numbers(read_array(path), f"{path}")),
        ".npz": lambda: _npz(path, array),
        ".mat": lambda: Numbers(_numbers(_mat(path, array), f"{path}")),
        ".h5": lambda: _hdf5(path, array, column),
        ".hdf5": lambda: _hdf5(path, array, column),
        **dict.fromkeys((".csv", ".tsv", ".txt"), lambda: _table(path)),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: the ending {path.suffix or 'is missing and'} is not read; expected one of "
            f"{', '.join(readers)}{_pickled(path)}"
        )
    if (fault := fault_of(path)) is not None:
        raise DataError(f"{path}: {fault}")
    return reader()


def _pickled(path: Path) -> str:
    if path.suffix.lower() not in (".pkl", ".pickle"):
        return ""
    return "; a pickle runs code when it is opened: save it as .h5 (rsatoolbox: file_type='hdf5') or .npy"


def _numbers(values: np.ndarray, where: str) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        raise DataError(f"{where}: holds {values.dtype}, not real numbers")
    numbers: np.ndarray = np.asarray(values, dtype=np.float64)
    # MATLAB has no arrays of one dimension: a vector is a row or a column
    numbers = numbers.squeeze() if 1 in numbers.shape else numbers
    if not 1 <= numbers.ndim <= 4:
        raise DataError(
            f"{where}: an array of shape {values.shape}; expected (n, n), (subjects, n, n), (pairs,), "
            "(subjects, pairs) or, with times or regions, (subjects, places, n, n)"
        )
    return numbers


def _npz(path: Path, array: str | None) -> Numbers:
    try:
        with load_array(path) as archive:
            shapes = {
                name: archive[name].shape for name in archive.files if archive[name].dtype.kind in "fiu"
            }
            ids = names_of(archive[IDS], f"{path}, array {IDS!r}") if IDS in archive.files else None
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as an array ({' '.join(str(error).split())})") from error
    name = pick(path, {name: shape for name, shape in shapes.items() if name != IDS}, array)
    return Numbers(_numbers(read_array(path, name), f"{path}, array {name!r}"), ids)


def _mat(path: Path, array: str | None) -> np.ndarray:
    from scipy.io import loadmat, whosmat

    require_bounded(path)
    try:
        found = whosmat(path)
    except NotImplementedError:  # of version 7.3, which is HDF5
        return read_hdf5(path, array)
    except Exception as error:  # scipy trusts the bytes, and what it raises for others is of any kind
        raise _no_matlab(path, error) from error
    name = pick(path, {name: shape for name, shape, kind in found if kind not in _NO_NUMBERS}, array)
    try:
        values: np.ndarray = loadmat(path, variable_names=[name])[name]
    except Exception as error:
        raise _no_matlab(path, error) from error
    return values


def _no_matlab(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[:1] or [type(error).__name__]
    return DataError(f"{path}: cannot be read as a MATLAB file ({reason[0]})")


_NO_NUMBERS = ("cell", "struct", "object", "char", "function", "opaque", "sparse")


def _hdf5(path: Path, array: str | None, column: str | None) -> Numbers:
    found = read_rsatoolbox(path, column)
    if found is not None:
        return Numbers(_numbers(found[0], f"{path}"), found[1], "rows")
    return Numbers(_numbers(read_hdf5(path, array), f"{path}"))


def _table(path: Path) -> Numbers:
    values, ids = read_rdm_table(path)
    return Numbers(_numbers(values, f"{path}"), ids)
