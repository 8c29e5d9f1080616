"""Errors of writing, said in one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.common.errors import DataError

_WHAT_TO_DO = {
    errno.ENOSPC: "the disk is full: free some space, or name another data root with --data",
    errno.EDQUOT: "your quota of disk space is used up: free some space, or name another root with --data",
    errno.EACCES: "you may not write there: change its permissions, or name another data root with --data",
    errno.EPERM: "you may not write there: change its permissions, or name another data root with --data",
    errno.EROFS: "it is on a disk that cannot be written: name another data root with --data",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A context for writing ``path``: what the system refuses becomes a DataError that says what to do."""
    try:
        yield
    except OSError as error:
        number = error.errno if error.errno is not None else 0
        raise DataError(
            f"cannot write {path}: {_WHAT_TO_DO.get(number, error.strerror or str(error))}"
        ) from error
