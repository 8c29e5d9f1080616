"""Tables of numbers without an id, or with ids in the first line or column, in which pairs may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError
from benchmark.datasets.readers.cells import is_number, separator_in, split_rows, uneven_row, with_point
from benchmark.datasets.readers.text import is_row_numbers, read_text

#: A cell of a pair that was not measured, in lower case
_MISSING = ("", "nan", "na")


def read_rdm_table(path: Path) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Read a table of numbers: alone, with a first line of ids, with a first column of ids, or with both.

    Numbers may have decimal commas, all of them, if the cells are not divided by commas.

    Parameters
    ----------
    path : Path
        The file. Tabs, semicolons, commas, bars or blanks divide the cells.

    Returns
    -------
    values : ndarray, shape (rows, columns)
        NaN where a cell is empty, ``NaN`` or ``NA``. If rows and columns have ids, both are in the order of
        the rows.
    ids : tuple of str or None
        None: the table gives none, or only counts its rows.

    Raises
    ------
    DataError
        If a row has another number of cells, a cell is not a number, or an id has a row or a column alone.
        The message names the line or the id.
    """
    cells, lines, mark = _cells(path)
    first_row, first_column = cells[0], [row[0] for row in cells]
    height, width = len(cells), len(first_row)
    above = height > 1 and (_has_words(first_row[1:]) or _counts(first_row, height - 1))
    beside = width > 1 and (_has_words(first_column[1:]) or _counts(first_column, width - 1))
    # numbers as ids, in the first line and in the first column: the corner is no number
    if not above and not beside and not is_number(first_row[0]) and first_row[1:] == first_column[1:]:
        above = beside = True
    columns = first_row[beside:] if above else None
    rows = first_column[above:] if beside else None
    values = np.array(
        [
            [_number(path, line, i, cell, mark) for i, cell in enumerate(row[beside:], start=1 + beside)]
            for line, row in zip(lines[above:], cells[above:], strict=True)
        ]
    )
    _require_one_decimal_mark(path, lines[above:], [row[beside:] for row in cells[above:]])
    named = [names for names in (rows, columns) if names is not None and not is_row_numbers("", names)]
    if len(named) == 2 and named[0] != named[1]:
        values = values[:, _places(path, *named)]
    return values, tuple(named[0]) if named else None


def _cells(path: Path) -> tuple[list[list[str]], list[int], str]:
    """The cells of a table, the line of each row, and what divides the cells."""
    text = read_text(path)
    mark = separator_in(text.partition("\n")[0], " ")
    cells, lines = split_rows(path, text, mark)
    if not cells:
        raise DataError(f"{path}: is empty; expected a table of numbers")
    wrong = uneven_row(cells)
    if wrong is not None:
        raise DataError(
            f"{path}, line {lines[wrong]}: {len(cells[wrong])} cells; the first line has {len(cells[0])}"
        )
    return cells, lines, mark


def _has_words(cells: Sequence[str]) -> bool:
    """Whether a cell is no number, not one with a decimal comma either."""
    return any(cell.lower() not in _MISSING and not is_number(with_point(cell)) for cell in cells)


def _counts(cells: Sequence[str], n: int) -> bool:
    """Whether the first of ``n + 1`` rows for ``n`` columns (or the reverse) counts: what pandas writes."""
    return len(cells) == n and n > 1 and is_row_numbers("", cells)


def _number(path: Path, line: int, place: int, cell: str, mark: str) -> float:
    if cell.lower() in _MISSING:
        return np.nan
    plain = cell if mark == "," else with_point(cell)
    if is_number(plain):
        return float(plain)
    raise DataError(
        f"{path}, line {line}, cell {place}: {cell[:40]!r} is not a number; expected numbers between commas, "
        "semicolons, tabs, bars or spaces, and ids in the first line and column alone"
    )


def _require_one_decimal_mark(path: Path, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
    """Refuse decimal points beside decimal commas: one of them divides thousands, and which is not known."""
    if not any("," in cell for row in rows for cell in row):
        return
    for line, row in zip(lines, rows, strict=True):
        cell = next((cell for cell in row if "." in cell), None)
        if cell is not None:
            raise DataError(
                f"{path}, line {line}: {cell!r} has a decimal point and other numbers have commas; write all "
                "with one"
            )


def _places(path: Path, rows: list[str], columns: list[str]) -> list[int]:
    """The column of each row's id."""
    only = sorted(set(rows).symmetric_difference(columns))
    if only:
        lacks = "column" if only[0] in rows else "row"
        raise DataError(f"{path}: id {only[0]!r} has no {lacks}; expected a row and a column for each id")
    return [columns.index(name) for name in rows]
