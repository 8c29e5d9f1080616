"""Arrays in HDF5 files: those of rsatoolbox, those of MATLAB from version 7.3, and any other."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.common.arrays import most_unpacked
from benchmark.common.errors import DataError
from benchmark.datasets.readers.text import names_of

#: Name of an array of ids beside the numbers
IDS = "ids"
_MOST_SHOWN = 8
#: Deflate packs no more bytes than this into one
_DEFLATE = 1032
#: Bytes that may follow the numbers of a chunk
_CHECKSUM = 4


def pick(path: Path, shapes: Mapping[str, tuple[int, ...]], array: str | None) -> str:
    """The name of the array to take from a file: ``array``, or the only one that holds several numbers.

    Parameters
    ----------
    path : Path
        The file, for the error message.
    shapes : mapping of str to tuple of int
        The shape of each array of numbers in the file.
    array : str or None
        The name that the user gave.

    Raises
    ------
    DataError
        If there is no such array, or several and none is named.
    """
    shown = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:_MOST_SHOWN])
    if array is not None:
        if array not in shapes:
            raise DataError(f"{path}: no array {array!r} of numbers in it; it has {shown or 'none'}")
        return array
    several = [name for name, shape in shapes.items() if np.prod(shape) > 1]
    if len(several) == 1:
        return several[0]
    if not several:
        raise DataError(f"{path}: no array of numbers in it; save them as an array of their own")
    raise DataError(f"{path}: which of its arrays? name one with --array: {shown}")


def read_hdf5(path: Path, array: str | None = None) -> np.ndarray:
    """Read an array of numbers from an HDF5 file.

    Parameters
    ----------
    path : Path
        The file.
    array : str, optional
        Its name, with the groups that it is in (``group/name``). Default: the only one.

    Returns
    -------
    ndarray
        Of a file of MATLAB with the axes in the order of MATLAB, which HDF5 holds reversed.
    """
    with opened(path) as file:
        shapes: dict[str, tuple[int, ...]] = {}

        def note(name: str, item: Any) -> None:
            # MATLAB keeps what cells refer to in the group "#refs#", and texts as numbers
            is_text = item.attrs.get("MATLAB_class") == b"char"
            if hasattr(item, "shape") and item.dtype.kind in "fiu" and not (is_text or name[0] == "#"):
                shapes[name] = item.shape

        file.visititems(note)
        item = file[pick(path, shapes, array)]
        values = whole(item, f"{path}, array {item.name!r}", path.stat().st_size)
        return values.T if "MATLAB_class" in item.attrs else values


def read_rsatoolbox(
    path: Path, column: str | None = None
) -> tuple[np.ndarray, tuple[str, ...] | None] | None:
    """Read the RDMs that rsatoolbox saved (``RDMs.save`` with ``file_type="hdf5"``).

    Parameters
    ----------
    path : Path
        The file.
    column : str, optional
        The pattern descriptor that holds the ids. Default: the only one besides ``index``.

    Returns
    -------
    tuple of ndarray, shape (s, pairs), and of the ids; None: the file is no such file
        Pairs are in the order of scipy's ``squareform``.

    Raises
    ------
    DataError
        If there are several pattern descriptors, and none is named.
    """
    with opened(path) as file:
        if "dissimilarities" not in file or "pattern_descriptors" not in file:
            return None
        group = file["pattern_descriptors"]
        rdms = whole(file["dissimilarities"], f"{path}, dissimilarities", path.stat().st_size)
        names = [name for name in group if name != "index"]
        if column is None and len(names) > 1:
            raise DataError(
                f"{path}: which pattern descriptor holds the ids? name one with --column: {', '.join(names)}"
            )
        name = column or next(iter(names), None)
        if name is None:
            return rdms, None
        if name not in group:
            raise DataError(f"{path}: no pattern descriptor {name!r}; it has {', '.join(names) or 'none'}")
        return rdms, texts_of(group[name], f"{path}, pattern descriptor {name!r}")


def whole(item: Any, where: str, size: int) -> np.ndarray:
    """All numbers of an array, if they do not take far more memory than the file accounts for.

    Parameters
    ----------
    item : h5py.Dataset
        The array.
    where : str
        The file and the array, for the error message.
    size : int
        Bytes of the file.

    Returns
    -------
    ndarray

    Raises
    ------
    DataError
        If its shape, its chunks or what they unpack to promise more than
        :func:`benchmark.common.arrays.most_unpacked` bytes, or it is damaged.
    """
    most, chunk = most_unpacked(size), item.dtype.itemsize
    for length in item.chunks or ():
        chunk *= length
    if max(item.nbytes, chunk) > most:
        raise DataError(f"{where}: promises an array of shape {item.shape}, and the file has {size:,} bytes")
    try:
        if item.chunks is not None:
            _require_true_chunks(item, chunk, most)
        values: np.ndarray = item[()]
    except (OSError, ValueError, RuntimeError, MemoryError, zlib.error) as error:
        raise DataError(f"{where}: cannot be read ({' '.join(str(error).split())[:200]})") from error
    return values


def _require_true_chunks(item: Any, chunk: int, most: int) -> None:
    """Raise if a chunk unpacks to more than ``chunk`` bytes, its size: HDF5 would take memory for it."""
    import h5py

    # what these give is at most a chunk, whose size is bounded
    beside = (
        h5py.h5z.FILTER_SHUFFLE,
        h5py.h5z.FILTER_FLETCHER32,
        h5py.h5z.FILTER_SCALEOFFSET,
        h5py.h5z.FILTER_NBIT,
    )
    filters = item.id.get_create_plist()
    kinds = {i: filters.get_filter(i)[0] for i in range(filters.get_nfilters())}
    packing = [i for i, kind in kinds.items() if kind not in beside]
    if len(packing) > 1:
        raise ValueError("it is packed more than once")
    if not packing or kinds[packing[0]] != h5py.h5z.FILTER_DEFLATE:
        return
    long: list[tuple[int, ...]] = []

    def note(stored: Any) -> None:
        if stored.size * _DEFLATE > most and not stored.filter_mask & 1 << packing[0]:
            long.append(stored.chunk_offset)

    item.id.chunk_iter(note)
    for offset in long:
        unpack = zlib.decompressobj()
        unpack.decompress(item.id.read_direct_chunk(offset)[1], chunk + _CHECKSUM)
        if unpack.unconsumed_tail:
            raise ValueError(f"a chunk unpacks to more than {chunk:,} bytes, its size")


def texts_of(item: Any, where: str) -> tuple[str, ...]:
    """The texts of a descriptor that rsatoolbox saved.

    Parameters
    ----------
    item : h5py.Dataset or h5py.Group
        The descriptor.
    where : str
        The file and the descriptor, for the error message.

    Returns
    -------
    tuple of str
    """
    if not hasattr(item, "dtype"):  # rsatoolbox keeps a list of texts as a group: "0", "1", ...
        return tuple(str(item[key].asstr()[()]) for key in sorted(item, key=int))
    values = item.asstr()[()] if item.dtype.kind == "O" else item[()]
    return names_of(np.asarray(values, dtype=str) if item.dtype.kind == "O" else values, where)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open the HDF5 file ``path`` for the time of a ``with`` block; DataError if it is none."""
    import h5py  # slow to import, and few files need it

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path}: cannot be read as HDF5 ({str(error).splitlines()[0]})") from error
    with file:
        yield file
