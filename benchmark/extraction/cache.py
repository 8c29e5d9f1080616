"""The contents of the cache folder: list them, remove them to free space, verify them.

Everything there can be computed or fetched again. Folders that are not those of the suite are not touched.

Other processes may use the cache at the same time. So the meta file of an entry of the feature store is
removed first: a reader sees either the whole entry or none. An array that a process has mapped stays readable
for that process. A temporary file of a living process is left alone.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from benchmark.common.errors import DataError
from benchmark.common.files import put_aside, sha256_of
from benchmark.common.leftovers import ABANDONED, is_abandoned, is_temporary, remove_abandoned
from benchmark.extraction.store import META, checked

#: Age in seconds from which unfinished work is no longer kept for a run that goes on with it: 30 days
EXPIRED = 30 * 86400.0

Kind = Literal["features", "fingerprints", "weights", "arrays", "unfinished", "aside", "abandoned"]

_FEATURES: Kind = "features"
_UNFINISHED: Kind = "unfinished"
_ROOMS = ("arrays", _FEATURES, "fingerprints", _UNFINISHED, "weights")
_ASIDE = (".damaged", ".rejected")


@dataclass(frozen=True)
class CacheEntry:
    """One entry of the cache.

    Attributes
    ----------
    kind : str
        - "features": one layer of a model for a stimulus set
        - "fingerprints": what a model of the suite makes of one image, for the keys
        - "weights": a checkpoint that was fetched
        - "arrays": computed from a data file
        - "unfinished": results of a task whose run was broken off
        - "aside": a damaged or refused file that was renamed
        - "abandoned": a temporary file of a process that died
    files : tuple of Path
        The files of the entry, in the order in which they must be removed.
    size : int
        Bytes of all files.
    age : float
        Seconds since the entry was written.
    model, stimuli, layer : str
        Whose features they are. Empty for other kinds, and for features that do not say it.
    key : str
        The folder of the key of features. Empty for other kinds.
    sha256 : str or None
        The sha256, or its first digits, that the last of ``files`` must have. None: the entry has no
        checksum.
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


def contents(folder: Path) -> list[CacheEntry]:
    """All entries of the cache ``folder``, in the order of their paths.

    Files that another process removes meanwhile are left out.
    """
    now = time.time()
    files = [path for room in _ROOMS for path in sorted((folder / room).rglob("*")) if path.is_file()]
    features = {path: entry for path in files if (entry := _features(path, folder, now)) is not None}
    owned = {path for entry in features.values() for path in entry.files}
    entries = []
    for path in files:
        if path in features:
            entries.append(features[path])
        elif path not in owned and (entry := _single_file(path, folder, now)) is not None:
            entries.append(entry)
    return entries


def remove(entries: Iterable[CacheEntry]) -> int:
    """Remove ``entries`` from the cache, and folders that are empty after that; gives the bytes freed."""
    freed = 0
    for entry in entries:
        for path in entry.files:
            freed += _unlink(path)
        for folder in {path.parent for path in entry.files}:
            _remove_empty(folder)
    return freed


@cache
def clean(folder: Path) -> None:
    """Remove from the cache ``folder`` what killed runs left; once in a process.

    These are temporary files whose process is gone, and unfinished work to which nothing was added for
    :data:`EXPIRED`. A younger run that was broken off goes on with its unfinished work.
    """
    for room in _ROOMS:
        remove_abandoned(folder / room)
    for work in (folder / _UNFINISHED).glob("*"):
        with contextlib.suppress(OSError):  # another process removed it first
            files = [path for path in work.iterdir() if not is_temporary(path)]
            newest = max((path.stat().st_mtime for path in files), default=work.stat().st_mtime)
            if time.time() - newest > EXPIRED:
                for path in files:
                    path.unlink(missing_ok=True)
                work.rmdir()


def verify(entries: Iterable[CacheEntry], seen: Callable[[CacheEntry], None]) -> list[CacheEntry]:
    """Find features and fetched weights that are not what they should be, and rename their files.

    Features must have the key, layer and checksum that belong to their place; weights their checksum.

    Parameters
    ----------
    entries : iterable of CacheEntry
        Entries of the cache; those without a checksum are skipped.
    seen : callable
        Called with each entry that has a checksum, after it was read.

    Returns
    -------
    list of CacheEntry
        The damaged entries. Their files have the ending ``.damaged`` after that.
    """
    damaged = []
    for entry in entries:
        if entry.sha256 is None:
            continue
        if _differs(entry):
            damaged.append(entry)
            for path in entry.files:
                put_aside(path)
        seen(entry)
    return damaged


def _differs(entry: CacheEntry) -> bool:
    if entry.kind == _FEATURES:
        try:
            checked(entry.files[0])
        except DataError:
            return entry.files[0].exists()  # else another process removed the whole entry
        return False
    try:
        # the name of fetched weights begins with the first digits of their sha256
        return not sha256_of(entry.files[-1]).startswith(str(entry.sha256))
    except FileNotFoundError:  # another process removed it
        return False
    except OSError:
        return True


def _features(meta: Path, folder: Path, now: float) -> CacheEntry | None:
    """The features that a meta file describes; None if ``meta`` is no meta file, or is gone."""
    if not meta.name.endswith(META) or meta.relative_to(folder).parts[0] != _FEATURES:
        return None
    try:
        age = now - meta.stat().st_mtime
        entry: dict[str, Any] = json.loads(meta.read_bytes())
        array = meta.parent / Path(entry["file"]).name
        about, key = entry.get("about", {}), entry["key"]
        size = meta.stat().st_size + (array.stat().st_size if array.exists() else 0)
        return CacheEntry(
            kind="features",
            files=(meta, array),
            size=size,
            age=age,
            model=str(about.get("model", key.get("plugin", ""))),
            stimuli=str(about.get("stimuli", str(key.get("stimuli", ""))[:12])),
            layer=str(entry["layer"]),
            key=meta.parent.name,
            sha256=str(entry["sha256"]),
        )
    except FileNotFoundError:
        return None
    except Exception:  # a damaged meta file may hold anything: verify() finds it
        return CacheEntry(_FEATURES, (meta,), meta.stat().st_size, age, key=meta.parent.name, sha256="")


def _single_file(path: Path, folder: Path, now: float) -> CacheEntry | None:
    """The entry of a file that belongs to no features; None if the file is gone, or too young to judge."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    age = now - status.st_mtime
    room = path.relative_to(folder).parts[0]
    kind: Kind = "arrays"
    digest = None
    inside = (path, *path.parents)[: len(path.relative_to(folder).parts)]
    temporary = next((part for part in inside if is_temporary(part)), None)
    if temporary is not None:
        if not is_abandoned(temporary):
            return None
        kind = "abandoned"
    elif path.name.endswith(_ASIDE):
        kind = "aside"
    elif room == _FEATURES:
        # an array is written before its meta file: a young array may get its meta file soon
        if age < ABANDONED:
            return None
        kind = "abandoned"
    elif room == "fingerprints":
        kind = "fingerprints"
    elif room == _UNFINISHED:
        kind = "unfinished"
    elif room == "weights":
        kind, digest = "weights", path.name.split("-")[0]
    return CacheEntry(kind, (path,), status.st_size, age, sha256=digest)


def _unlink(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:  # another process removed it first
        return 0
    return size


def _remove_empty(folder: Path) -> None:
    """Remove a folder of features or of unfinished work, and the folder around it, if they are empty."""
    with contextlib.suppress(OSError):  # not empty, or gone
        for path in _up_to_room(folder):
            path.rmdir()


def _up_to_room(folder: Path) -> Iterator[Path]:
    for room in (_FEATURES, _UNFINISHED):
        if room in folder.parts and folder.name != room:
            yield folder
            if folder.parent.name != room:
                yield folder.parent
