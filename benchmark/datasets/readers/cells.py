"""The cells of a table in text: what divides them, the line of each row, and which of them are numbers.

``path``, wherever a function takes it, is the file. Error messages name it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from benchmark.common.errors import DataError


def separator_in(line: str, otherwise: str) -> str:
    """What divides the cells of ``line``: tabs, semicolons, commas, bars or blanks, the first that it holds.

    Parameters
    ----------
    line : str
        The first line of the table.
    otherwise : str
        The answer for a line that holds none of them.
    """
    return next((mark for mark in "\t;,| " if mark in line), otherwise)


def split_rows(path: Path, text: str, mark: str) -> tuple[list[list[str]], list[int]]:
    r"""Split a table into cells without blanks at their ends.

    Parameters
    ----------
    path : Path
        The file.
    text : str
        The table, with line ends ``\n``.
    mark : str
        What divides the cells. Blanks may be several, at the ends of a line too, and tabs among them.

    Returns
    -------
    rows : list of list of str
        The cells of each row that is not blank.
    lines : list of int
        The line of each row in the text.

    Raises
    ------
    DataError
        If a cell is so long that a quotation mark before it cannot have been closed.
    """
    if mark == " ":
        text = "\n".join(line.strip() for line in text.expandtabs(1).split("\n"))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=mark == " ")
    # a cell in quotes may hold line ends, so the reader counts the lines
    try:
        numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: cannot be divided into cells ({error}); is a quotation mark "
            "before it not closed?"
        ) from error
    rows = [(line, row) for line, row in numbered if any(row)]
    return [row for _, row in rows], [line for line, _ in rows]


def uneven_row(rows: Sequence[Sequence[str]]) -> int | None:
    """The place of the first of ``rows`` with another number of cells than their first; None: none has."""
    return next((i for i, row in enumerate(rows) if len(row) != len(rows[0])), None)


def is_number(cell: str) -> bool:
    """Whether ``cell`` is a number with a decimal point, or none."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def with_point(cell: str) -> str:
    """``cell`` with a decimal point in place of a decimal comma."""
    return cell if "." in cell else cell.replace(",", ".", 1)
