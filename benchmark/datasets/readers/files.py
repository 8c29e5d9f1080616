"""Files under the data root: find them, read them, and say in one line what is wrong with them."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.common.errors import DataError
from benchmark.datasets.root import DataRoot

_SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", " ": "spaces"}


def locate(root: DataRoot, name: str, relative: str) -> Path:
    """Path of a file of dataset ``name``; when it is missing the error says how that dataset is had.

    Raises
    ------
    NotPossible
        If it is not there.
    """
    how = root.instructions.get(name)
    return root.file(relative, how) if how else root.file(relative)


def read_table(
    path: Path, columns: Sequence[str], separator: str = ",", *, quoted: bool = True
) -> pd.DataFrame:
    """Read a table with a header as text, every cell as it stands.

    Nothing is guessed: "null", "NA", "nan" and "true" are words, and stay words.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Columns that must be there, no cell of them empty; others are read too.
    separator : str
    quoted : bool
        Whether a cell may stand in double quotes; False takes a quote for a character like any other.

    Returns
    -------
    DataFrame of str

    Raises
    ------
    DataError
        If the file is no such table.
    """
    expected = f"expected columns {', '.join(columns)} separated by {_SEPARATORS[separator]}"
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            dtype=str,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            encoding="utf-8",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a table ({str(error).strip().splitlines()[0]}); {expected}") from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        hint = _other_layout(list(map(str, table.columns)), columns, separator)
        first = ", ".join(map(str, table.columns[:6]))
        raise DataError(
            f"{path}, line 1: no column {missing[0]!r}, it reads {first[:120]!r}{hint}; {expected}"
        )
    # pandas takes the first cell of rows that are too long for row names, and fills short rows with ""
    if not isinstance(table.index, pd.RangeIndex):
        raise DataError(f"{path}: rows have more cells than the first line; {expected}")
    if table.empty:
        raise DataError(f"{path}: the table has no rows; {expected}")
    for column in columns:
        empty = (table[column].str.strip() == "").to_numpy()
        if empty.any():
            raise DataError(f"{path}, line {int(empty.argmax()) + 2}: {column} is empty; {expected}")
    return table


def _other_layout(found: list[str], columns: Sequence[str], separator: str) -> str:
    """What the first line of a table shows to be otherwise than expected, if it is a usual thing."""
    line = separator.join(found)
    for mark, name in _SEPARATORS.items():
        cells = [cell.strip() for cell in line.split(mark)]
        if mark != separator and set(columns) <= {cell.strip('"') for cell in cells}:
            return f", its cells are separated by {name}; write them with {_SEPARATORS[separator]}"
    if set(columns) <= {cell.strip('"') for cell in found}:
        return ", its cells stand in quotes; write them without"
    return ""


def whole_numbers(table: pd.DataFrame, column: str, path: Path) -> np.ndarray:
    """A column of counts as integers.

    Returns
    -------
    ndarray of int64, shape (rows,)

    Raises
    ------
    DataError
        If a cell is no whole number greater than zero.
    """
    good = table[column].str.fullmatch(r"0*[1-9][0-9]{0,8}")
    if not good.all():
        row = int((~good).to_numpy().argmax())
        raise DataError(
            f"{path}, line {row + 2}: {column} is {table[column].iloc[row]!r}; "
            f"expected a whole number greater than zero"
        )
    numbers: np.ndarray = table[column].astype(np.int64).to_numpy()
    return numbers


def read_array(path: Path, key: str | None = None) -> np.ndarray:
    """Read a matrix from .npy, .npz (the array ``key``) or whitespace separated text.

    Raises
    ------
    DataError
        If the file cannot be read, or has no such array.
    """
    array: np.ndarray
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                if key not in archive:
                    raise DataError(f"{path}: no array {key!r} in it (it has {sorted(archive)})")
                array = archive[key]
        elif path.suffix == ".npy":
            array = np.load(path, allow_pickle=False)
        else:
            array = np.loadtxt(path, ndmin=2)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as an array ({str(error).splitlines()[0]})") from error
    return array
