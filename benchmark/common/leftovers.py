"""Temporary files that a killed process left: how they are told from those of a living one, and removed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

#: Age in seconds from which a temporary file counts as abandoned if its process cannot be asked for: it ran
#: on another machine, or before the last start of this one
ABANDONED = 86400.0

_NAME = re.compile(r"\.bench-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-.*\.tmp")


def temporary_prefix() -> str:
    """The first part of the name of a temporary file of this process; the last part is ``.tmp``."""
    return f".bench-{_machine()}-{os.getpid()}-"


def is_temporary(path: Path) -> bool:
    """Whether the name of ``path`` is that of a temporary file."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def is_abandoned(path: Path) -> bool:
    """Whether no process works on the temporary file ``path`` any more.

    Raises
    ------
    OSError
        If the file is gone, or cannot be looked at.
    """
    name = _NAME.fullmatch(path.name)
    if name is not None and name["machine"] == _machine():
        return not _lives(int(name["process"]))
    return time.time() - path.stat().st_mtime > ABANDONED


def remove_abandoned(folder: Path) -> None:
    """Remove abandoned temporary files in ``folder``, and in the folders up to two levels below.

    Only files whose names :func:`temporary_prefix` made are touched, since the folder may hold other things.
    A file that cannot be removed stays.
    """
    for path in _temporaries(folder):
        with contextlib.suppress(OSError):
            if not is_abandoned(path):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _temporaries(folder: Path) -> Iterator[Path]:
    for level in ("", "*/", "*/*/"):
        yield from (path for path in folder.glob(f"{level}.bench-*.tmp") if _NAME.fullmatch(path.name))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it belongs to another user
        return True
    return True


@cache
def _machine() -> str:
    """Where the number of a process means the same process: this start of this machine, or this container."""
    parts = [platform.node()]
    # containers may share a name and a folder, and each counts its processes from 1
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
