"""Claims: a process shows the others what it works on, so that nobody does the same work at the same time.

A claim is a lock of the operating system on an empty file. The system frees it when its process ends, however
it ends, so a claim is never stale. Locks reach other machines if the file system passes them on, as NFS does.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks: work is not claimed there
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

#: Ending of the name of a claim's file
CLAIM = ".claim"


@contextmanager
def claim(path: Path, waiting: str | None = None) -> Iterator[bool]:
    """Claim a piece of work for the time of a ``with`` block.

    Where no claim can be made (the folder is read-only, the file system has no locks), the answer is yes: the
    work may then be done twice.

    Parameters
    ----------
    path : Path
        File that stands for the work. It exists as long as the claim; so do its folder and the folder above.
    waiting : str, optional
        If another has the claim, log this text and wait until the other gives it back.

    Yields
    ------
    bool
        False: another has the claim. With ``waiting`` it is always True.
    """
    descriptor = None
    is_free = True
    try:
        descriptor = _lock(path)
    except BlockingIOError:
        is_free = waiting is not None
        if waiting is not None:
            _log.warning("%s", waiting)
            with contextlib.suppress(OSError):
                descriptor = _lock(path, wait=True)
    except OSError:
        _log.debug("no claim on %s", path, exc_info=True)
    try:
        yield is_free
    finally:
        if descriptor is not None:
            _release(path, descriptor)


def remove_free(paths: Iterable[Path]) -> None:
    """Remove the files of claims, of those at ``paths``, that nobody has: those of killed processes."""
    for path in paths:
        with claim(path):
            pass  # the file goes with the claim


def _lock(path: Path, wait: bool = False) -> int | None:
    """Descriptor of the locked file; None where there are no locks."""
    if fcntl is None:
        return None
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                # the one who had the claim removed the file: a lock on that file says nothing
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open(path: Path) -> int:
    # another process may remove the empty folder between the two calls
    for last in (False, False, True):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            if last:
                raise
    raise AssertionError("the last try returns or raises")


def _release(path: Path, descriptor: int) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
        # work that failed leaves no empty folders
        path.parent.rmdir()
        path.parent.parent.rmdir()
    os.close(descriptor)
