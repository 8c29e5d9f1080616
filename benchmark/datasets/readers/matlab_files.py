"""MATLAB files of version 5 to 7.2: none unpacks to more than its size accounts for."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from benchmark.common.arrays import most_unpacked
from benchmark.common.errors import DataError

#: Bytes of the header of a file and of the tag of an element, and the kind of an element that is packed
_HEADER, _TAG, _PACKED = 128, 8, 15
#: In the header of a file of version 5 to 7.2
_VERSION_5 = 0x0100
_BLOCK = 1 << 20


def require_bounded(path: Path) -> None:
    """Refuse a MATLAB file whose packed variables unpack to far more than it holds.

    scipy reads as many numbers as a variable says that it has, whatever its shape is, so the variables are
    unpacked here once, block by block, and thrown away. Other damage is left for scipy to find.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DataError
        If it unpacks to more than :func:`benchmark.common.arrays.most_unpacked` bytes.
    """
    size = path.stat().st_size
    left = most_unpacked(size)
    with path.open("rb") as stream:
        start = stream.read(_HEADER)
        order = {b"IM": "<", b"MI": ">"}.get(start[126:128])
        # of version 4, which packs nothing, of 7.3, which is HDF5, or no such file
        if order is None or struct.unpack(f"{order}H", start[124:126])[0] != _VERSION_5:
            return
        while len(tag := stream.read(_TAG)) == _TAG:
            kind, length = struct.unpack(f"{order}II", tag)
            end = stream.tell() + length
            if kind == _PACKED:
                unpack = zlib.decompressobj()
                while not unpack.eof and (block := stream.read(min(_BLOCK, end - stream.tell()))):
                    while block:
                        try:
                            left -= len(unpack.decompress(block, _BLOCK))
                        except zlib.error:
                            return
                        block = unpack.unconsumed_tail
                        if left < 0:
                            raise DataError(
                                f"{path}: has {size:,} bytes, and would unpack to more than "
                                f"{most_unpacked(size) / 2**30:,.1f} GiB"
                            )
            if end > size:
                return
            stream.seek(end)
