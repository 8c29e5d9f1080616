"""Odd-one-out choices from files: three columns of rows or of ids, or a table of what was shown and chosen.

``path``, wherever a function takes it, is the file. Error messages name it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.names import nfc
from benchmark.datasets.readers.cells import is_number, separator_in
from benchmark.datasets.readers.files import locate, read_array
from benchmark.datasets.readers.text import read_ids, read_text
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.types import TripletTarget

#: The columns of a table of what was shown and chosen, as THINGS names them
SHOWN, CHOICE = ("image1", "image2", "image3"), "choice"
_FORM = "three columns, of which the third is the odd one out, or columns image1, image2, image3 and choice"


def _hash(root: DataRoot, *, name: str, path: str, ids: str | None = None, first: int | None = None) -> str:
    files = [locate(root, name, file) for file in (path, ids) if file is not None]
    return hash_files(files, first, "triplet file")


@hashed_by(_hash)
def triplet_file(
    root: DataRoot, *, name: str, path: str, ids: str | None = None, first: int | None = None
) -> TripletTarget:
    """Read odd-one-out choices from a file; ``bench data new triplets`` writes the entry.

    The file is ``.npy``, or text (``.csv``, ``.tsv``, ``.txt``) with commas, semicolons, tabs or spaces and
    with or without a header. It has three columns, of which the third is the odd one out, as the files
    ``trainset.txt`` and ``validationset.txt`` of THINGS; or columns "image1", "image2", "image3" and
    "choice", as the behavioural table of THINGS. A choice is the place (1, 2 or 3) of the odd one out, or the
    object itself. Other columns are not read.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, beside the registry file, under the data root, or absolute.
    ids : str, optional
        A list with one id a line, or a table whose first column holds them. Numbers in the file are rows of
        this list. Default: the file holds ids.
    first : {0, 1}, optional
        The number of the first id of the list. Default: what the numbers in the file say: 0 if it occurs; 1
        if the number of ids does.

    Returns
    -------
    TripletTarget
        Ids in the order of the list; without a list the ids of the file in sorted order.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If the file cannot be read, or can be read in more than one way. The message names the line.
    """
    if first not in (None, 0, 1):
        raise UsageError(f"dataset {name!r}: first is {first!r}: expected 0 or 1")
    file = locate(root, name, path)
    listed = None if ids is None else read_ids(locate(root, name, ids))
    cells, line = _three(file, listed)
    names, rows = _rows(file, cells, line, listed, first)
    return TripletTarget(
        name=name,
        source=str(file),
        ids=names,
        hash=_hash(root, name=name, path=path, ids=ids, first=first),
        triplets=rows,
    )


def _three(path: Path, listed: Sequence[str] | None) -> tuple[np.ndarray, int]:
    """The three objects of each answer (m, 3), the odd one out last; and the line of the first of them."""
    if path.suffix.lower() == ".npy":
        values = read_array(path)
        if values.ndim != 2 or values.shape[1] != 3 or values.dtype.kind not in "iufU":
            raise DataError(f"{path}: {values.dtype} of shape {values.shape}; expected whole numbers (m, 3)")
        return (values if values.dtype.kind == "U" else _whole(path, values, 1)), 1
    text = read_text(path)
    lines = text.split("\n", 2)
    mark = separator_in(lines[0], ",")
    header, after = (_cells(line, mark) for line in [*lines, ""][:2])
    if {*SHOWN, CHOICE} <= set(header):
        shown = _parsed(path, text, mark, header, [*SHOWN, CHOICE])
        return _odd_last(path, shown[:, :3], shown[:, 3]), 2
    if len(header) != 3:
        names = ", ".join(map(repr, header[:5]))
        raise DataError(f"{path}, line 1: {len(header)} columns ({names}); expected {_FORM}")
    if _are_numbers(header):
        return _whole(path, _parsed(path, text, mark, None, None), 1), 1
    if _are_numbers(after):
        return _whole(path, _parsed(path, text, mark, header, header), 2), 2
    cells = _parsed(path, text, mark, None, None)
    if listed is not None and not set(header) & set(listed):
        return cells[1:], 2
    if listed is None and len(cells) > 1 and not np.isin(cells[1:], header).any():
        raise DataError(
            f"{path}, line 1: none of {', '.join(header)} occurs again, so it may be a header; remove "
            "the line, or name the list of ids (--ids)"
        )
    return cells, 1


def _cells(line: str, mark: str) -> list[str]:
    cells = line.split() if mark == " " else line.split(mark)
    return [cell.strip().strip('"') for cell in cells]


def _are_numbers(cells: Sequence[str]) -> bool:
    return all(map(is_number, cells))


def _parsed(
    path: Path, text: str, mark: str, header: list[str] | None, columns: list[str] | None
) -> np.ndarray:
    """The ``columns`` of a table, all without a header: numbers if all are, else text."""
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if mark == " " else mark,
            header=None if header is None else 0,
            names=header,
            usecols=columns,
            keep_default_na=False,
            skipinitialspace=True,
            low_memory=False,
        )
    except ValueError as error:  # pandas' errors of parsing are of this kind
        raise DataError(
            f"{path}: cannot be read as a table ({str(error).strip().splitlines()[0]})"
        ) from error
    if columns is not None:
        table = table[columns]
    elif table.shape[1] != 3:  # a quote joins cells that stand apart without it
        raise DataError(f"{path}: {table.shape[1]} cells in a row where quotes are heeded; expected {_FORM}")
    if all(dtype.kind in "iuf" for dtype in table.dtypes):
        return np.asarray(table)
    text_cells = table.astype(str).apply(lambda column: column.str.strip())
    return np.array([[nfc(cell) for cell in row] for row in text_cells.to_numpy()])


def _whole(path: Path, values: np.ndarray, line: int) -> np.ndarray:
    """``values`` as whole numbers; the error names the line of the first row that does not hold them."""
    if values.dtype.kind == "U":
        wrong = np.array([not _are_numbers(row) for row in values])
    else:
        wrong = ~(np.isfinite(values) & (values == np.round(values))).all(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, line {row + line}: {', '.join(map(str, values[row]))} are not three whole numbers"
        )
    return values.astype(np.int64)


def _odd_last(path: Path, shown: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """The three objects of each answer with the chosen one last."""
    places = np.arange(1, 4).astype(choice.dtype) == choice[:, None]
    objects = shown == choice[:, None]
    readings = [found for found in (places, objects) if (found.sum(axis=1) == 1).all()]
    if not readings:
        wrong = int((places.sum(axis=1) + objects.sum(axis=1) == 0).argmax())
        raise DataError(
            f"{path}, line {wrong + 2}: choice is {choice[wrong]}; expected a place, 1, 2 or 3, "
            "or one of the three objects"
        )
    if len(readings) == 2 and (places != objects).any():
        raise DataError(
            f"{path}: every choice may be a place or an object; write the odd one out as the last of "
            "three columns"
        )
    chosen = readings[0]
    order = np.argsort(chosen, axis=1, kind="stable")
    if shown.dtype.kind != "U":
        shown = _whole(path, shown, 2)
    return np.take_along_axis(shown, order, axis=1)


def _rows(
    path: Path, cells: np.ndarray, line: int, listed: tuple[str, ...] | None, first: int | None
) -> tuple[tuple[str, ...], np.ndarray]:
    """The ids, and the answers as rows of them."""
    if cells.dtype.kind == "U":
        names, rows = _by_name(path, cells, line, listed)
    elif listed is None:
        raise DataError(f"{path}: holds numbers; name the list of ids whose rows they are (--ids)")
    else:
        names, rows = listed, cells - _first(path, cells, len(listed), first)
    outside = (rows < 0) | (rows >= len(names))
    i, j, odd = rows.T
    for wrong, what in (
        (outside.any(axis=1), f"names a row that is not among the {len(names)} ids"),
        ((i == j) | (i == odd) | (j == odd), "has an object twice"),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(f"{path}, line {row + line}: {', '.join(map(str, cells[row]))} {what}")
    return names, rows


def _by_name(
    path: Path, cells: np.ndarray, line: int, listed: tuple[str, ...] | None
) -> tuple[tuple[str, ...], np.ndarray]:
    found, rows = np.unique(cells, return_inverse=True)
    rows = rows.reshape(cells.shape)
    if listed is None:
        return tuple(map(str, found)), rows
    place = {name: i for i, name in enumerate(listed)}
    known = np.array([place.get(str(name), -1) for name in found])
    unknown = (known < 0)[rows].any(axis=1)
    if unknown.any():
        row = int(unknown.argmax())
        name = next(str(cell) for cell in cells[row] if str(cell) not in place)
        raise DataError(f"{path}, line {row + line}: {name!r} is not in the list of ids")
    return listed, known[rows]


def _first(path: Path, numbers: np.ndarray, n: int, first: int | None) -> int:
    """The number of the first id."""
    if first is not None:
        return first
    least, greatest = int(numbers.min()), int(numbers.max())
    if least <= 0:
        return 0
    if greatest >= n:
        return 1
    raise DataError(
        f"{path}: numbers from {least} to {greatest} for {n} ids may begin at 0 or at 1: --first decides"
    )
