"""Files under the data root: find them, read them, and raise an error of one line when one is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.common.arrays import UNREADABLE, load_array
from benchmark.common.errors import DataError
from benchmark.datasets.readers.text import SEPARATORS, header_separator, is_row_numbers, read_text
from benchmark.datasets.root import DataRoot


def locate(root: DataRoot, name: str, relative: str) -> Path:
    """Path of a file of a dataset.

    Parameters
    ----------
    root : DataRoot
        The data root; its instructions say how to get the dataset.
    name : str
        Name of the dataset in the registry.
    relative : str
        Path of the file beside the registry file of the dataset, or else under the root.

    Raises
    ------
    NotPossible
        If the file is not there. The message says how to get the dataset.
    """
    how = root.instructions.get(name)
    return root.file(relative, how) if how else root.file(relative)


def read_table(
    path: Path, columns: Sequence[str], separator: str = ",", *, quoted: bool = True
) -> pd.DataFrame:
    """Read a table with a header. Every cell stays text.

    Nothing is guessed: "null", "NA", "nan" and "true" are words, and stay words. A byte-order mark, UTF-16,
    any line ends, another separator than the expected one, and a column of row numbers without a name (as
    pandas writes it) are understood.

    Parameters
    ----------
    path : Path
        The file, UTF-8, or UTF-16 with a byte-order mark. Its first line names the columns.
    columns : sequence of str
        Columns that must be there. No cell in them may be empty, and blanks at the ends of their cells are
        removed. Other columns are read too.
    separator : str
        The expected character between cells: a tab, ",", ";", "|" or a space. If the first line names the
        columns only with another of these characters between them, that one is taken.
    quoted : bool
        Whether a cell may be written in double quotes. False: a quote is a character like any other, unless
        the names of the columns are in quotes or the separator is another than the expected one.

    Returns
    -------
    DataFrame of str
        One row per line after the first, in the order of the file.

    Raises
    ------
    DataError
        If the file is not a table, lacks a column, has no rows or has an empty cell. The message says what
        was expected.
    """
    expected = f"expected columns {', '.join(columns)} separated by {SEPARATORS[separator]}"
    text = read_text(path)
    header = text.partition("\n")[0]
    mark = header_separator(header, columns, separator)
    quoted = quoted or mark != separator or header.lstrip().startswith('"')
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=mark,
            dtype=str,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path}: not a table ({str(error).strip().splitlines()[0]}); {expected}") from error
    table.columns = table.columns.str.strip()
    missing = [column for column in columns if column not in table.columns]
    if missing:
        first = ", ".join(table.columns[:6])
        raise DataError(f"{path}, line 1: no column {missing[0]!r}, it reads {first[:120]!r}; {expected}")
    # pandas takes the first cell of rows that are too long for row names, and fills short rows with ""
    if not isinstance(table.index, pd.RangeIndex):
        raise DataError(f"{path}: rows have more cells than the first line; {expected}")
    if table.empty:
        raise DataError(f"{path}: the table has no rows; {expected}")
    # pandas calls a column without a name "Unnamed: 0"
    if header.lstrip('"').startswith(mark) and is_row_numbers("", table.iloc[:, 0].tolist()):
        table = table.iloc[:, 1:].copy()
    for column in columns:
        table[column] = table[column].str.strip()
        empty = (table[column] == "").to_numpy()
        if empty.any():
            raise DataError(f"{path}, line {int(empty.argmax()) + 2}: {column} is empty; {expected}")
    return table


def whole_numbers(table: pd.DataFrame, column: str, path: Path) -> np.ndarray:
    """A column of counts as integers.

    Parameters
    ----------
    table : DataFrame of str
        A table as :func:`read_table` gives it.
    column : str
        Name of the column.
    path : Path
        The file of the table, for the error message.

    Returns
    -------
    ndarray of int64, shape (rows,)

    Raises
    ------
    DataError
        If a cell is not a whole number greater than zero. The message names the line.
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
    """Read an array from a file.

    Parameters
    ----------
    path : Path
        ``.npy``, ``.npz``, or (any other ending) text with numbers separated by white space, commas or
        semicolons, one row a line.
    key : str, optional
        Name of the array in an ``.npz`` file. Not used for other files.

    Returns
    -------
    ndarray
        Text always gives shape (rows, columns).

    Raises
    ------
    DataError
        If the file cannot be read, or has no such array.
    """
    array: np.ndarray
    try:
        if path.suffix == ".npz":
            with load_array(path) as archive:
                if key not in archive:
                    raise DataError(f"{path}: no array {key!r} in it (it has {sorted(archive)})")
                array = archive[key]
        elif path.suffix == ".npy":
            array = load_array(path)
        else:
            text = read_text(path)
            mark = next((mark for mark in ";," if mark in text.partition("\n")[0]), None)
            array = np.loadtxt(io.StringIO(text), ndmin=2, delimiter=mark)
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as an array ({' '.join(str(error).split())})") from error
    return array
