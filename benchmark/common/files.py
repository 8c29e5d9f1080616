"""Files that are never half written, their checksums, and the folder of what can be made again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import platformdirs

_CHUNK = 1 << 20
_known: dict[tuple[Path, int, int], str] = {}


def cache_folder() -> Path:
    """Where everything that can be made again is kept: ``$BENCH_CACHE``, else the user's cache directory."""
    given = os.environ.get("BENCH_CACHE")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("semantic-benchmark"))


def slug(text: str, length: int = 80) -> str:
    """A file name for ``text``: the text itself where that is safe, else its safe part and a short hash.

    Never empty, hidden, or a path; two texts never share a slug (but for a collision of a 40-bit hash).
    """
    if re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{length - 1}}}", text) and ".." not in text:
        return text
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:length]
    return f"{safe}~{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def sha256_of(path: Path) -> str:
    """sha256 of a file; remembered in this process until its size or modification time changes."""
    path = path.resolve()
    status = path.stat()
    key = (path, status.st_mtime_ns, status.st_size)
    if key not in _known:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        _known[key] = digest.hexdigest()
    return _known[key]


def write_temporary(folder: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Write a hidden temporary file in ``folder`` and flush it to the disk; nothing stays if that fails."""
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
    """Make a hidden temporary file in ``folder``, open for writing; gives its descriptor and its path."""
    # bench cache rm, in another process, may take an empty folder away between the two calls
    for last in (False, False, True):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
        except FileNotFoundError:
            if last:
                raise
        else:
            path = Path(name)
            path.chmod(0o666 & ~_umask())
            return handle, path
    raise AssertionError("the last try returns or raises")


def write_atomic(path: Path, content: bytes) -> None:
    """Write ``path`` whole or not at all; a reader sees the old file or the new one."""
    temporary = write_temporary(path.parent, lambda stream: stream.write(content))
    temporary.replace(path)


def put_aside(path: Path) -> None:
    """Rename a file that differs from its checksum to ``*.damaged``; another process may have been first."""
    with contextlib.suppress(FileNotFoundError):
        path.replace(path.with_name(path.name + ".damaged"))


def _umask() -> int:
    # the mask can only be read by setting it
    mask = os.umask(0)
    os.umask(mask)
    return mask
