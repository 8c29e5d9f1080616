"""Unpack an archive, so that nothing in it leaves its folder."""

from __future__ import annotations

import contextlib
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from benchmark.common.errors import DataError
from benchmark.common.leftovers import remove_abandoned, temporary_prefix
from benchmark.datasets.catalogue.writing import writing

_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive."""
    return name.lower().endswith(_ENDINGS)


def stem_of(name: str) -> str:
    """The name of an archive without its ending, also one of two parts (``.tar.gz``)."""
    ending = max((end for end in _ENDINGS if name.lower().endswith(end)), key=len, default="")
    return name[: len(name) - len(ending)]


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    fault: str | None
    open: Callable[[], IO[bytes]]


@contextlib.contextmanager
def unpacked(archive: Path, scratch: Path) -> Iterator[Path]:
    """Unpack an archive for the time of a ``with`` block.

    Parameters
    ----------
    archive : Path
        zip or tar, compressed or not.
    scratch : Path
        A folder for what is unpacked.

    Yields
    ------
    Path
        The folder of the files.

    Raises
    ------
    DataError
        If it is no archive or a damaged one, a path in it leaves its folder, it holds a link or a device, it
        is encrypted, or what is in it does not fit on the disk. Nothing stays then.
    """
    with writing(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        remove_abandoned(scratch)
        folder = Path(tempfile.mkdtemp(dir=scratch, prefix=temporary_prefix(), suffix=".tmp"))
    try:
        _unpack(archive, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process may unpack there
            scratch.rmdir()


def _unpack(archive: Path, folder: Path) -> None:
    if archive.stat().st_size == 0:
        raise DataError(f"{archive}: is empty; get it again")
    try:
        with _opened(archive) as members:
            for member in members:
                fault = member.fault or _leaves(member.name)
                if fault:
                    raise DataError(f"{archive}: {member.name[:100]!r} {fault}; nothing was unpacked")
            needed, free = sum(member.size for member in members), shutil.disk_usage(folder).free
            if needed > free:
                raise DataError(
                    f"{archive}: needs {needed:,} bytes unpacked, {folder.parent} has {free:,} left"
                )
            for member in members:
                path = folder / member.name
                with member.open() as stream, writing(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("wb") as out:
                        shutil.copyfileobj(stream, out)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        reason = str(error).partition("\n")[0]  # of a tar: one line for each way in which it was tried
        raise DataError(f"{archive}: cannot be unpacked ({reason}); get it again") from error


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[list[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            yield [_zipped(file, info) for info in file.infolist() if not info.is_dir()]
    else:
        with tarfile.open(archive) as file:
            yield [_in_tar(file, info) for info in file.getmembers() if not info.isdir()]


def _zipped(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    fault = None
    if info.flag_bits & 1:
        fault = "is encrypted: unpack the archive with its password, and import the folder"
    elif stat.S_ISLNK(info.external_attr >> 16):
        fault = "is a link"
    return _Member(info.filename, info.file_size, fault, lambda: file.open(info))


def _in_tar(file: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    def content() -> IO[bytes]:
        stream = file.extractfile(info)
        assert stream is not None, "it is a file"
        return stream

    return _Member(info.name, info.size, None if info.isfile() else "is a link or a device", content)


def _leaves(name: str) -> str | None:
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    if ".." in (*path.parts, *windows.parts) or path.is_absolute() or windows.drive or windows.root:
        return "leaves the folder of the archive"
    return None
