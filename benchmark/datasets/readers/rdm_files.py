"""RDMs of a user's own, from files of any usual form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.names import nfc, require_unique
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.folders import IMAGE_SUFFIXES, image_files
from benchmark.datasets.readers.number_files import read_number_file
from benchmark.datasets.readers.pairs import ORDERS, SIMILARITIES, dissimilarities, squares
from benchmark.datasets.readers.text import read_ids
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.types import RDMTarget
from benchmark.measures import stack_partial_rdms

Ids = tuple[str, ...]


def _rdm_files_hash(
    root: DataRoot,
    *,
    name: str,
    files: Sequence[str],
    ids: str | None = None,
    column: str | None = None,
    array: str | None = None,
    order: str | None = None,
    similarity: str | None = None,
) -> str:
    paths = files_of(root, name, files)
    names = None if ids is None else given_ids(locate(root, name, ids), column)
    return hash_files(paths, [p.stem for p in paths], names, column, array, order, similarity, "rdm files")


@hashed_by(_rdm_files_hash)
def rdm_files(
    root: DataRoot,
    *,
    name: str,
    files: Sequence[str],
    ids: str | None = None,
    column: str | None = None,
    array: str | None = None,
    order: str | None = None,
    similarity: str | None = None,
) -> RDMTarget:
    """Read RDMs from files of any usual form; ``bench data new rdm`` writes the entry.

    A file is read by its ending: ``.npy``, ``.npz``, ``.mat`` of any version, ``.h5`` or ``.hdf5`` (of
    rsatoolbox or any other), ``.csv``, ``.tsv`` or ``.txt``. It holds a square (n, n), a stack
    (subjects, n, n), or the pairs of the upper triangle, (pairs,) or (subjects, pairs). Pairs that were not
    measured are NaN or empty.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    files : sequence of str
        Files beside the registry file, under the data root, or absolute. The last part may be a pattern,
        ``sub-*.npy``: a file for each subject, in sorted order.
    ids : str, optional
        The ids of the rows, in their order: a list with an id a line, a table, or a folder whose images are
        the rows in the sorted order of their names. Names of image files are taken without folder and ending.
        Default: the file's own, in the first line or column of a table, in the array ``ids`` of an ``.npz``,
        or in the pattern descriptors of rsatoolbox.
    column : str, optional
        The column of the table of ids; for rsatoolbox, the pattern descriptor. Default: the first, or only
        one.
    array : str, optional
        Name of the array in a file that holds several.
    order : {"rows", "columns"}, optional
        Order of the pairs of the upper triangle: row by row (scipy's ``squareform``, MATLAB's ``pdist``,
        which goes down the columns of the lower triangle, R's ``dist``) or column by column.
    similarity : {"one-minus", "max-minus", "negative"}, optional
        The values are similarities s, and this is the rule that makes them dissimilarities: 1 - s; the
        greatest s of the subject less s; -s. Default: they are dissimilarities.

    Returns
    -------
    RDMTarget
        Subjects are named by their files, and numbered within a file. Where files have ids of their own that
        differ, a pair that a file does not have is NaN.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If a file cannot be read, or can be read in more than one way. The message names the file and the
        option that decides it.
    """
    _require_known("order", order, ORDERS)
    _require_known("similarity", similarity, SIMILARITIES)
    paths = files_of(root, name, files)
    given = None if ids is None else given_ids(locate(root, name, ids), column)
    parts = [_read(path, given, column if ids is None else None, array, order, similarity) for path in paths]
    subjects, own, rdms = zip(*_flat(paths, parts), strict=True)
    if len(set(own)) == 1:
        stack, names = np.stack(rdms), own[0]
    else:
        stack, union = stack_partial_rdms(rdms, own)
        names = tuple(map(str, union))
    return RDMTarget(
        name=name,
        source=str(paths[0] if len(paths) == 1 else paths[0].parent),
        ids=names,
        hash=_rdm_files_hash(
            root,
            name=name,
            files=files,
            ids=ids,
            column=column,
            array=array,
            order=order,
            similarity=similarity,
        ),
        rdms=stack,
        subjects=subjects,
    )


def _flat(
    paths: Sequence[Path], parts: Sequence[tuple[Ids, np.ndarray]]
) -> list[tuple[str, Ids, np.ndarray]]:
    """Name, ids and RDM of each subject."""
    return [
        (path.stem if len(rdms) == 1 else f"{path.stem} {i}", names, rdm)
        for path, (names, rdms) in zip(paths, parts, strict=True)
        for i, rdm in enumerate(rdms, start=1)
    ]


def _require_known(option: str, value: str | None, known: dict[str, str]) -> None:
    if value is not None and value not in known:
        raise UsageError(f"{option}: {value!r} is not known; write one of {', '.join(known)}")


def is_pattern(text: str) -> bool:
    """Whether the last part of a path, ``text``, stands for several files."""
    return any(mark in text for mark in "*?[")


def files_of(root: DataRoot, name: str, files: Sequence[str]) -> list[Path]:
    """The files that an entry names, with patterns expanded.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    files : sequence of str
        Paths; the last part may be a pattern.

    Returns
    -------
    list of Path
        Each file once, those of a pattern in sorted order.
    """
    if isinstance(files, str) or not files:
        raise UsageError(f"dataset {name!r}: files is {files!r}; write a list of files, [sub-*.npy]")
    paths: list[Path] = []
    for text in files:
        pattern = PurePosixPath(text)
        if not is_pattern(pattern.name):
            paths.append(locate(root, name, text))
            continue
        folder = locate(root, name, str(pattern.parent))
        found = sorted(path for path in folder.glob(pattern.name) if path.is_file())
        if not found:
            raise DataError(f"{folder / pattern.name}: no file fits this pattern")
        paths += found
    twice = next((path for i, path in enumerate(paths) if path in paths[:i]), None)
    if twice is not None:
        raise DataError(f"{twice}: is named twice; a file is read once")
    return paths


def given_ids(path: Path, column: str | None) -> Ids:
    """Ids from a list, a column of a table, or the images of a folder.

    Parameters
    ----------
    path : Path
        The list, the table or the folder. Images of a folder are in the sorted order of their names.
    column : str or None
        The column of a table; None: the first.

    Returns
    -------
    tuple of str
        Names of image files are without folder and ending.
    """
    if path.is_dir():
        return tuple(nfc(file.stem) for file in image_files(path))
    names = read_ids(path, column)
    # of an image the name counts, not where it lay on somebody's disk
    if all(PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES for name in names):
        names = tuple(PurePosixPath(name.replace("\\", "/")).stem for name in names)
    return names


def _read(
    path: Path,
    given: Ids | None,
    column: str | None,
    array: str | None,
    order: str | None,
    similarity: str | None,
) -> tuple[Ids, np.ndarray]:
    """Ids and RDMs of one file."""
    numbers = read_number_file(path, array, column)
    names = given or numbers.ids
    if names is None:
        raise DataError(
            f"{path}: has numbers of shape {numbers.values.shape} and no ids; give the ids of the rows, in "
            "their order, with --ids FILE"
        )
    if numbers.ids is not None and names != numbers.ids:
        raise DataError(
            f"{path}: has ids of its own ({numbers.ids[0]!r} first) that are not those of --ids "
            f"({names[0]!r} first); leave --ids out"
        )
    require_unique(names, f"{path}")
    diagonal = 0.0 if similarity is None else np.nan
    stack = squares(numbers.values, len(names), numbers.order or order, f"{path}", diagonal)
    wheres = [f"{path}, subject {i}" if len(stack) > 1 else f"{path}" for i in range(1, len(stack) + 1)]
    rdms = [
        dissimilarities(square, similarity, names, where) for square, where in zip(stack, wheres, strict=True)
    ]
    return names, np.stack(rdms)
