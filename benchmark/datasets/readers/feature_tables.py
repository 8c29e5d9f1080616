"""Tables of features: an id and its numbers in each row, as spreadsheets and programs write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError
from benchmark.datasets.readers.cells import is_number, separator_in, split_rows, uneven_row, with_point
from benchmark.datasets.readers.text import (
    SEPARATORS,
    column_of,
    header_separator,
    is_row_numbers,
    read_text,
    unique_names,
)


def read_feature_table(path: Path, column: str | None = None) -> tuple[tuple[str, ...], np.ndarray]:
    """Read a table of features, with or without a header.

    The first line is a header if a cell beside the id is not a number, or if its id is empty. Numbers may
    have decimal commas if the cells are not divided by commas.

    Parameters
    ----------
    path : Path
        The file. Tabs, semicolons or commas divide the cells; without any of them bars or blanks.
    column : str, optional
        The column of the ids, which the header must name. Default: the first.

    Returns
    -------
    ids : tuple of str, length n
        Without blanks at their ends, in Unicode's form NFC.
    numbers : ndarray, shape (n, d)

    Raises
    ------
    DataError
        If a row has another number of cells, a cell is not a number, or an id is empty or occurs twice. The
        message names the line.
    """
    return read_named_table(path, column)[:2]


def read_named_table(
    path: Path, column: str | None = None
) -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...] | None]:
    """Read a table of numbers and the names of its columns.

    Parameters
    ----------
    path, column
        As for :func:`read_feature_table`.

    Returns
    -------
    ids, numbers
        As for :func:`read_feature_table`.
    names : tuple of str, length d, or None
        Names of the columns of numbers; None: the table has no header.
    """
    text = read_text(path)
    first = text.partition("\n")[0]
    mark = separator_in(first, ",")
    if column is not None:
        mark = header_separator(first, [column], mark)
    rows, lines = split_rows(path, text, mark)
    if not rows:
        raise DataError(f"{path}: is empty; write an id and its numbers in each line")
    wrong = uneven_row(rows)
    if wrong is not None:
        raise DataError(
            f"{path}, line {lines[wrong]}: row has {len(rows[wrong])} cells; line {lines[0]} has "
            f"{len(rows[0])} (cells are divided by {SEPARATORS[mark]})"
        )
    place, names = 0, None
    if column is not None or not rows[0][0] or not all(is_number(_point(cell, mark)) for cell in rows[0][1:]):
        header, rows, lines = rows[0], rows[1:], lines[1:]
        # an index is left out, unless the other columns have numbers as names: then it holds the ids
        named = len(header) > 1 and not is_number(_point(header[1], mark))
        if named and is_row_numbers(header[0], [row[0] for row in rows]):
            header, rows = header[1:], [row[1:] for row in rows]
        place = column_of(path, header, column)
        names = tuple(header[:place] + header[place + 1 :])
    if not rows:
        raise DataError(f"{path}: has a header and no row; write an id and its numbers in each line")
    ids = unique_names(path, [row[place] for row in rows], lines)
    return ids, _numbers(path, [row[:place] + row[place + 1 :] for row in rows], lines, mark), names


def _point(cell: str, mark: str) -> str:
    """``cell`` with a decimal point; where commas divide the cells, none is part of a number."""
    return cell if mark == "," else with_point(cell)


def _numbers(path: Path, rows: Sequence[Sequence[str]], lines: Sequence[int], mark: str) -> np.ndarray:
    values = np.empty((len(rows), len(rows[0])))
    has_comma = mark != "," and any("," in cell for row in rows for cell in row)
    for i, (line, row) in enumerate(zip(lines, rows, strict=True)):
        for j, cell in enumerate(row):
            if has_comma and "." in cell:
                raise DataError(
                    f"{path}, line {line}: {cell!r} has a decimal point and other numbers have commas; write "
                    "all with one"
                )
            try:
                values[i, j] = float(_point(cell, mark))
            except ValueError:
                raise DataError(
                    f"{path}, line {line}: number {j + 1} of {len(row)} is {cell!r}; write a number"
                ) from None
    return values
