"""Whether a file of a collection is here, and is what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.common.errors import DataError
from benchmark.common.files import sha256_of
from benchmark.datasets.catalogue.collection import File, digest_of

#: Number of bytes that show what a file is
_START = 512


@dataclass(frozen=True)
class FileState:
    """The state of a file, or of a set of files.

    Attributes
    ----------
    file : File
    state : str
        "here"; "missing"; "another" (other content than the registry's, which is allowed); "changed" (other
        content, or a part of a set only); "unchecked" (here, its sha256 is not known or was not computed).
    problem : str
        What is wrong or different; empty where nothing is.
    size : int
        Bytes that are here.
    """

    file: File
    state: str
    problem: str = ""
    size: int = 0


def state_of(folder: Path, file: File, *, hashed: bool = True) -> FileState:
    """Look for a file, and compare it with its checksum.

    Parameters
    ----------
    folder : Path
        Folder of the collection.
    file : File
    hashed : bool
        False: only whether it is there is looked at.

    Returns
    -------
    FileState

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    members = file.members(folder)
    if not members:
        return FileState(file, "missing")
    size = sum(path.stat().st_size for path in members)
    if not hashed:
        few = file.count is not None and len(members) < file.count
        problem = f"{len(members)} of {file.count} files" if few else ""
        return FileState(file, "changed" if few and not file.varies else "unchecked", problem, size)
    places = {path.relative_to(folder).as_posix(): path for path in members}
    state, problem = compared(file, places)
    return FileState(file, state, problem, size)


def compared(file: File, places: Mapping[str, Path]) -> tuple[str, str]:
    """Compare files with what the registry says of them.

    Parameters
    ----------
    file : File
    places : mapping of str to Path
        The files by their place under the folder of the collection; at least one.

    Returns
    -------
    state : str
        "here", "another", "changed" or "unchecked", as in :class:`FileState`.
    problem : str

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    try:
        fault = next((f"{path}: {what}" for path in places.values() if (what := fault_of(path))), "")
        if fault:
            return "changed", fault
        if file.sha256 is None:
            return "unchecked", ""
        found = digest_of(dict(places)) if file.is_set else sha256_of(places[file.path])
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror or error})") from error
    if found == file.sha256:
        return "here", ""
    if file.is_set and file.count is not None and len(places) != file.count:
        said = f"{len(places)} files, the registry says {file.count}"
    else:
        said = f"sha256 {found}, the registry says {file.sha256}"
    return ("another" if file.varies else "changed"), said


def fault_of(path: Path) -> str | None:
    """What the file ``path`` is instead of data: empty, a Git LFS pointer, a web page; None: it may be data.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        start = stream.read(_START)
    if not start:
        return "is empty"
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        return "is a Git LFS pointer, not the file: run git lfs pull where it came from"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    # a table between <pre> and </pre>, as old pages have it, is data
    if text.startswith((b"<!doctype html", b"<html")) and b"<pre>" not in text:
        return "is a web page, not the file: the address asks for a login, or the file has moved"
    return None
