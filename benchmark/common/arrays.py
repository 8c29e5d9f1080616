"""Arrays in files of unknown origin: no pickle, and no more memory than the file accounts for."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as npy

#: An archive may grow to this many bytes, or to this many times its own size, when it is unpacked
_UNPACKED, _RATIO = 1 << 30, 100
#: First bytes of an archive, and of an empty one
_ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")
#: What a damaged file raises when it is loaded, or when an array of an archive is read. For an archive of a
#: kind that it does not read, zipfile has RuntimeError and its child NotImplementedError
UNREADABLE = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)


def load_array(path: Path, mmap_mode: Literal["r"] | None = None) -> Any:
    """``numpy.load`` of a ``.npy`` or ``.npz`` file that may come from anyone.

    The headers are read first. They must not promise more than the file holds: an array of 10^12 numbers in a
    file of 100 bytes, or an archive of 10 MB that unpacks to 10 GB.

    Parameters
    ----------
    path : Path
        The file.
    mmap_mode : "r", optional
        Map a ``.npy`` file into memory, read-only.

    Returns
    -------
    ndarray or NpzFile
        As ``numpy.load`` gives it.

    Raises
    ------
    ValueError
        If a header promises too much, an array holds Python objects, or the file is not what its name says.
    OSError, EOFError, RuntimeError, MemoryError, struct.error, zipfile.BadZipFile, zlib.error
        For other damage (:data:`UNREADABLE`).
    """
    with path.open("rb") as stream:
        # numpy looks at the first bytes. An array may hold those that end an archive
        is_archive = stream.read(4) in _ARCHIVE
        stream.seek(0)
        if not is_archive:
            _require_whole(stream, path.stat().st_size, path.name)
    if path.suffix == (".npy" if is_archive else ".npz"):
        kinds = ("an array", "an archive of arrays")
        raise ValueError(f"it is {kinds[is_archive]}, and its name ends as that of {kinds[not is_archive]}")
    if is_archive:
        _require_bounded(path)
    return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)


def most_unpacked(size: int) -> int:
    """The greatest number of bytes that a file of ``size`` bytes may unpack to."""
    return max(_UNPACKED, _RATIO * size)


def _require_bounded(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > most_unpacked(path.stat().st_size):
            raise ValueError(f"it would unpack to {size / 2**30:,.1f} GiB")
        for member in members:
            if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{member.filename} is encrypted, or packed in a way that is not read")
            if member.filename.endswith(".npy"):
                with archive.open(member) as stream:
                    _require_whole(stream, member.file_size, member.filename)


def _require_whole(stream: IO[bytes], size: int, name: str) -> None:
    """Raise if the header of an array promises more than the ``size`` bytes of its file."""
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
    except Exception as error:  # a header is Python text, and reading it raises errors of many kinds
        raise ValueError(f"{name} has no header of an array: {' '.join(str(error).split())[:200]}") from error
    count = 1
    for length in shape:
        count *= length
    if not dtype.hasobject and (min(shape, default=0) < 0 or count * dtype.itemsize > size):
        raise ValueError(f"{name} promises an array of shape {shape}, and holds {size:,} bytes")
