"""Bring files that a user already has to their place in the data root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import move_to, open_temporary, sha256_of
from benchmark.common.leftovers import remove_abandoned, temporary_prefix
from benchmark.datasets.catalogue.archives import is_archive, stem_of, unpacked
from benchmark.datasets.catalogue.collection import Collection, File
from benchmark.datasets.catalogue.states import compared, state_of
from benchmark.datasets.catalogue.writing import writing


@dataclass(frozen=True)
class Brought:
    """What became of a file of a collection.

    Attributes
    ----------
    file : File
    outcome : str
        "pulled", "imported", "here already", "refused" or "not found".
    n : int
        How many files were written.
    note : str
        Why it was refused, or how it differs.
    """

    file: File
    outcome: str
    n: int = 0
    note: str = ""


def bring(
    collection: Collection, files: Sequence[File], source: Path, root: Path, *, link: bool = False
) -> list[Brought]:
    """Find the files of a collection in what a user has, check them, and put them to their places.

    Parameters
    ----------
    collection : Collection
    files : sequence of File
        The files of the collection that are looked for.
    source : Path
        A file, a folder at any depth of which the files are, or an archive, also one with archives in it.
    root : Path
        The data root.
    link : bool
        Whether symbolic links are made, and nothing is copied.

    Returns
    -------
    list of Brought
        In the order of ``files``.

    Raises
    ------
    UsageError
        If the source is not there, or none of the files is in it.
    DataError
        If something cannot be read, unpacked or written.
    """
    if not source.exists():
        raise UsageError(f"{source} is not there")
    if link and source.is_file() and is_archive(source.name):
        raise UsageError(f"{source}: what is in an archive cannot be linked: leave out --link, or unpack it")
    remove_abandoned(root / collection.name)
    with _files_in(source, files, root) as paths:
        found = [_candidates(file, paths) for file in files]
        if not any(found):
            wanted = ", ".join(file.path for file in files[:4]) + (", ..." if len(files) > 4 else "")
            raise UsageError(f"{source}: no file of {collection.name} in it; looked for {wanted}")
        pairs = zip(files, found, strict=True)
        return [_placed(file, places, root / collection.name, link) for file, places in pairs]


@contextmanager
def _files_in(source: Path, files: Sequence[File], root: Path) -> Iterator[dict[PurePosixPath, Path]]:
    """The files of a source, by the path with which they are compared."""
    named = PurePosixPath(source.name)
    if source.is_dir():
        yield _below(source, source.name)
    elif is_archive(source.name) and not any(file.place_of(named) for file in files):
        with ExitStack() as stack:
            yield _in_archive(source, files, root / ".incoming", stack)
    elif any(file.place_of(named) for file in files):
        yield {named: source}
    else:  # a file under another name is known by its content
        same = next((file for file in files if file.sha256 == sha256_of(source) and not file.is_set), None)
        yield {PurePosixPath(same.path) if same else named: source}


def _in_archive(
    source: Path, files: Sequence[File], scratch: Path, stack: ExitStack
) -> dict[PurePosixPath, Path]:
    """The files of an archive, and of the archives in it, until ``stack`` is left."""
    folder = stack.enter_context(unpacked(source, scratch))
    found = _below(folder, stem_of(source.name))
    inner = {name: path for name, path in found.items() if _is_packed(name, files)}
    for name, path in inner.items():
        try:
            place = stack.enter_context(unpacked(path, scratch))
        except DataError as error:  # it names the copy, which is gone
            raise DataError(str(error).replace(f"{folder}{os.sep}", f"{source}, ")) from error
        below = _below(place, (name.parent / stem_of(name.name)).as_posix())
        deeper = next((deep for deep in below if _is_packed(deep, files)), None)
        if deeper is not None:
            raise DataError(
                f"{source}, {name}: has an archive in it, {deeper.name}; unpack {name.name} first"
            )
        found |= below
    return found


def _is_packed(name: PurePosixPath, files: Sequence[File]) -> bool:
    """Whether it is an archive that is none of the files."""
    return is_archive(name.name) and not any(file.place_of(name) for file in files)


def _below(folder: Path, top: str) -> dict[PurePosixPath, Path]:
    """Every file below a folder by its path, with ``top`` before it, without hidden ones."""
    found = {}
    for where, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in sorted(names):
            if not name.startswith("."):
                path = Path(where, name)
                found[PurePosixPath(top) / path.relative_to(folder).as_posix()] = path
    return found


def _candidates(file: File, paths: dict[PurePosixPath, Path]) -> dict[str, list[Path]]:
    """The files that may be ``file``, by their place under the folder of the collection.

    Of files of one name those in folders of the right names are meant, if there are any.
    """
    places: dict[str, list[Path]] = {}
    exact = {name: path for name, path in paths.items() if not file.is_set and name.match(file.path)}
    for name, path in (exact or paths).items():
        place = file.place_of(name)
        if place is not None:
            places.setdefault(place, []).append(path)
    return places


def _placed(file: File, candidates: dict[str, list[Path]], folder: Path, link: bool) -> Brought:
    now = state_of(folder, file)
    if now.state == "here":
        return Brought(file, "here already")
    if not candidates:
        there = now.state in ("another", "unchecked")
        return Brought(file, "here already" if there else "not found", note=now.problem if there else "")
    chosen: dict[str, Path] = {}
    for place, paths in candidates.items():
        right = [path for path in paths if not file.is_set and sha256_of(path) == file.sha256]
        if not right and len({sha256_of(path) for path in paths}) > 1:
            both = " and ".join(map(str, paths[:2]))
            return Brought(file, "refused", note=f"{both} both may be it, and differ: name one of them")
        chosen[place] = (right or paths)[0]
    state, problem = compared(file, chosen)
    if state == "changed":
        return Brought(file, "refused", note=problem)
    new = {place: path for place, path in chosen.items() if not _is_there(folder / place, path)}
    for place, path in new.items():
        _put(path, folder / place, link)
    outcome = "imported" if new else "here already"
    return Brought(file, outcome, len(new), problem)


def _is_there(place: Path, path: Path) -> bool:
    return place.is_file() and (place.samefile(path) or sha256_of(place) == sha256_of(path))


def _put(path: Path, place: Path, link: bool) -> None:
    with writing(place):
        if link:
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = place.parent / f"{temporary_prefix()}{place.name}.tmp"
            temporary.symlink_to(path.resolve())
        else:
            temporary = _copy_of(path, place.parent)
        move_to(temporary, place)


def _copy_of(path: Path, folder: Path) -> Path:
    """A temporary copy in ``folder``. It is not flushed: of thousands of images that would take minutes."""
    handle, temporary = open_temporary(folder)
    try:
        with os.fdopen(handle, "wb") as stream, path.open("rb") as source:
            shutil.copyfileobj(source, stream)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
