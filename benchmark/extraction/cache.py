"""What lies in the cache folder: to list it, to free space, to verify it.

Everything there can be made, or fetched, again; what lies in other folders than those of the suite is not
touched. Other processes may be at work: an entry of the feature store is taken away by its meta file first,
so that a reader sees it whole or not at all; an array that a process has mapped stays readable to it; and a
temporary file that is younger than :data:`ABANDONED` is left alone, since somebody may be writing it.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmark.common.files import put_aside, sha256_of

#: Seconds after which a temporary file counts as left by a process that died.
ABANDONED = 3600.0

Kind = Literal["features", "weights", "arrays", "unfinished", "aside", "abandoned"]

_FEATURES, _UNFINISHED = "features", "unfinished"
_ROOMS = ("arrays", _FEATURES, _UNFINISHED, "weights")
_META = ".meta.json"
_ASIDE = (".damaged", ".rejected")


@dataclass(frozen=True)
class Kept:
    """One thing in the cache.

    Attributes
    ----------
    kind : str
        "features" (a layer of a model for a stimulus set), "weights" (fetched), "arrays" (made from a data
        file), "unfinished" (what a task found before its run was broken off), "aside" (damaged or refused,
        put aside), "abandoned" (a temporary file of a process that died).
    files : tuple of Path
        In the order in which they must be removed.
    size : int
        Bytes.
    age : float
        Seconds since it was written.
    model, stimuli, layer : str
        Of features; empty where the entry does not say.
    key : str
        Of features: the folder of their key.
    sha256 : str or None
        What the last of ``files`` must have.
    """

    kind: Kind
    files: tuple[Path, ...]
    size: int
    age: float
    model: str = ""
    stimuli: str = ""
    layer: str = ""
    key: str = ""
    sha256: str | None = None


def contents(folder: Path) -> list[Kept]:
    """Everything in the cache ``folder``, in the order of its paths; what vanishes meanwhile is left out."""
    now = time.time()
    files = [path for room in _ROOMS for path in sorted((folder / room).rglob("*")) if path.is_file()]
    entries = {path: entry for path in files if (entry := _entry(path, folder, now)) is not None}
    owned = {path for entry in entries.values() for path in entry.files}
    found = []
    for path in files:
        if path in entries:
            found.append(entries[path])
        elif path not in owned and (other := _other(path, folder, now)) is not None:
            found.append(other)
    return found


def remove(kept: Iterable[Kept]) -> int:
    """Remove things from the cache, and folders that are empty after; gives the bytes freed."""
    freed = 0
    for thing in kept:
        for path in thing.files:
            freed += _unlink(path)
        for folder in {path.parent for path in thing.files}:
            _remove_empty(folder)
    return freed


def verify(kept: Iterable[Kept], seen: Callable[[Kept], None]) -> list[Kept]:
    """The entries of the feature store, and fetched weights, that differ from their checksum; put aside.

    Parameters
    ----------
    kept : iterable of Kept
    seen : callable
        Called with each thing that has a checksum, once it was read.
    """
    damaged = []
    for thing in kept:
        if thing.sha256 is None:
            continue
        if _differs(thing):
            damaged.append(thing)
            for path in thing.files:
                put_aside(path)
        seen(thing)
    return damaged


def _differs(thing: Kept) -> bool:
    try:
        # fetched weights are named by the first digits of theirs
        return not sha256_of(thing.files[-1]).startswith(str(thing.sha256))
    except FileNotFoundError:
        # taken away by another process, meta file and all; or features without their array
        return thing.files[0].exists()


def _entry(meta: Path, folder: Path, now: float) -> Kept | None:
    """The features that a meta file describes; None for what is no readable meta file."""
    if not meta.name.endswith(_META) or meta.relative_to(folder).parts[0] != _FEATURES:
        return None
    try:
        entry: dict[str, Any] = json.loads(meta.read_bytes())
        array = meta.parent / Path(entry["file"]).name
        about, key = entry.get("about", {}), entry["key"]
        status = meta.stat()
        size = status.st_size + (array.stat().st_size if array.exists() else 0)
        return Kept(
            kind="features",
            files=(meta, array),
            size=size,
            age=now - status.st_mtime,
            model=str(about.get("model", key.get("plugin", ""))),
            stimuli=str(about.get("stimuli", str(key.get("stimuli", ""))[:12])),
            layer=str(entry["layer"]),
            key=meta.parent.name,
            sha256=str(entry["sha256"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _other(path: Path, folder: Path, now: float) -> Kept | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    age = now - status.st_mtime
    room = path.relative_to(folder).parts[0]
    kind: Kind = "arrays"
    digest = None
    if path.name.startswith(".") and path.name.endswith(".tmp"):
        if age < ABANDONED:
            return None
        kind = "abandoned"
    elif path.name.endswith(_ASIDE):
        kind = "aside"
    elif room == _FEATURES:
        # an array is written before its meta file: a young one may be about to get it
        if age < ABANDONED:
            return None
        kind = "abandoned"
    elif room == _UNFINISHED:
        kind = "unfinished"
    elif room == "weights":
        kind, digest = "weights", path.name.split("-")[0]
    return Kept(kind, (path,), status.st_size, age, sha256=digest)


def _unlink(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:  # another process was first
        return 0
    return size


def _remove_empty(folder: Path) -> None:
    """Take away a folder of features or of unfinished work, and the one around it, if nothing is in them."""
    with contextlib.suppress(OSError):  # not empty, or gone
        for path in _up_to_room(folder):
            path.rmdir()


def _up_to_room(folder: Path) -> Iterator[Path]:
    for room in (_FEATURES, _UNFINISHED):
        if room in folder.parts and folder.name != room:
            yield folder
            if folder.parent.name != room:
                yield folder.parent
