"""Files that are never half written, their checksums, and the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import platformdirs

from benchmark.common.leftovers import temporary_prefix

_CHUNK = 1 << 20
_checksums: dict[tuple[Path, int, int], str] = {}


def cache_folder() -> Path:
    """The cache folder, for everything that can be computed or fetched again.

    It is ``$BENCH_CACHE``, or else the user's cache directory.
    """
    folder = os.environ.get("BENCH_CACHE")
    return Path(folder).expanduser() if folder else Path(platformdirs.user_cache_dir("semantic-benchmark"))


def slug(text: str, length: int = 80) -> str:
    """A file name for a text: the text itself where that is safe, else its safe part and a short hash.

    The name is never empty, hidden, or a path. Two texts never share a name, unless a 40-bit hash collides.

    Parameters
    ----------
    text : str
        Any text, such as the name of a model.
    length : int
        Greatest length of the text's part.
    """
    if re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{length - 1}}}", text) and ".." not in text:
        return text
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:length]
    return f"{safe}~{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def sha256_of(path: Path) -> str:
    """The sha256 of the file ``path``, in hexadecimal digits.

    It is remembered in this process until the file's size or modification time changes.
    """
    path = path.resolve()
    status = path.stat()
    key = (path, status.st_mtime_ns, status.st_size)
    if key not in _checksums:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        _checksums[key] = digest.hexdigest()
    return _checksums[key]


def write_temporary(folder: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Write a hidden temporary file in a folder and flush it to the disk. If that fails, the file is removed.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    write : callable
        ``write(stream)`` writes the content to a binary stream.

    Returns
    -------
    Path
        The temporary file.
    """
    handle, path = open_temporary(folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def open_temporary(folder: Path) -> tuple[int, Path]:
    """Create a hidden temporary file in ``folder``, open for writing. Returns its descriptor and its path."""
    # Another process (bench cache rm) may remove an empty folder between the two calls.
    for last in (False, False, True):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle, name = tempfile.mkstemp(dir=folder, prefix=temporary_prefix(), suffix=".tmp")
        except FileNotFoundError:
            if last:
                raise
        else:
            path = Path(name)
            path.chmod(0o666 & ~_umask())
            return handle, path
    raise AssertionError("the last try returns or raises")


def write_atomic(path: Path, content: bytes) -> None:
    """Write the bytes ``content`` to ``path``, whole or not at all.

    A reader sees the old file or the new one.
    """
    move_to(write_temporary(path.parent, lambda stream: stream.write(content)), path)


def move_to(temporary: Path, path: Path) -> None:
    """Move a finished file to its place in one step.

    Parameters
    ----------
    temporary : Path
        A file in the same file system. If it cannot be moved, it is removed.
    path : Path
        The place. An old file is replaced; a folder that stands there is put aside.
    """
    try:
        if path.is_dir():
            put_aside(path)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def put_aside(path: Path) -> Path | None:
    """Rename the file or folder ``path``, which is not what it should be, to ``*.damaged``.

    Returns
    -------
    Path or None
        The new place; None: another process renamed it before, or this user may not rename it.
    """
    aside = path.with_name(f"{path.name}.damaged")
    with contextlib.suppress(OSError):
        if path.is_dir() or aside.is_dir():  # a folder cannot be replaced
            aside = path.with_name(f"{path.name}.{time.time_ns()}.damaged")
        return path.replace(aside)
    return None


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
