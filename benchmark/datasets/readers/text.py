"""Text as people have it: any line ends, a byte-order mark, UTF-16, blanks at the ends; and lists of ids.

``path``, wherever a function takes it, is the file. Error messages name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError
from benchmark.datasets.names import nfc
from benchmark.datasets.readers.cells import split_rows, uneven_row

#: What may stand between the cells of a table
SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", " ": "spaces"}

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def encoding_of(path: Path, start: bytes) -> str:
    """The encoding that the first bytes ``start`` of a file declare; without a byte-order mark UTF-8."""
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in start:
        raise DataError(f"{path}, line 1: holds zero bytes, so it is not UTF-8 text; save it as UTF-8")
    return encoding


def read_text(path: Path) -> str:
    r"""The text of a file, with line ends ``\n`` and without blank lines at its end.

    Raises
    ------
    DataError
        If the file cannot be read, or is neither UTF-8 nor UTF-16 with a byte-order mark. The message names
        the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        text = content.decode(encoding_of(path, content[:100]))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {line}: not {error.encoding} text; save it as UTF-8") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in lines:
        line = lines.count("\n", 0, lines.index("\0")) + 1
        raise DataError(f"{path}, line {line}: holds a zero character; save it as UTF-8 text")
    end = len(lines.rstrip())
    stop = lines.find("\n", end)  # blanks of the last line stay: they may be empty cells
    return lines if stop < 0 else lines[:stop]


def header_separator(header: str, columns: Sequence[str], expected: str) -> str:
    """The character between the cells of a table.

    Parameters
    ----------
    header : str
        The first line.
    columns : sequence of str
        Columns that the header must name. If there are none, the header must hold the character.
    expected : str
        The character that is taken if the header names as many of the columns with it as with any other.
    """
    marks = [expected, *(mark for mark in SEPARATORS if mark != expected)]
    if columns:
        cells = {mark: {cell.strip().strip('"') for cell in header.split(mark)} for mark in marks}
        return max(marks, key=lambda mark: len(cells[mark].intersection(columns)))
    return next((mark for mark in marks if mark in header and mark not in " |"), expected)


def is_row_numbers(name: str, cells: Sequence[str]) -> bool:
    """Whether a first column is the index that pandas or R writes: no ``name``, and ``cells`` that count."""
    numbers = [str(i) for i in range(len(cells) + 1)]
    return not name.strip() and list(cells) in (numbers[:-1], numbers[1:])


def read_ids(path: Path, column: str | None = None) -> tuple[str, ...]:
    """Read a list of ids, in the order of the file.

    Parameters
    ----------
    path : Path
        A table (``.csv`` or ``.tsv``) whose first line names the columns; or one id a line, with or without
        quotes. A column of row numbers without a name, as pandas writes it, is left out.
    column : str, optional
        The column of a table. Default: the first.

    Returns
    -------
    tuple of str
        The ids without blanks at their ends, in Unicode's form NFC.

    Raises
    ------
    DataError
        If the list cannot be read, an id is empty, or an id occurs twice. The message names the line.
    """
    text = read_text(path)
    if path.suffix.lower() in {".csv", ".tsv"} or text.startswith((",", ";", "\t")):
        header, rows, lines = read_rows(path, column)
        place = column_of(path, header, column)
        ids = [row[place] for row in rows]
    else:
        ids = [line.strip() for line in text.split("\n")]
        lines = list(range(1, len(ids) + 1))
        if all(len(name) > 1 and name[0] == name[-1] == '"' for name in ids):
            ids = [name[1:-1].strip() for name in ids]
    return unique_names(path, ids, lines)


def read_rows(path: Path, column: str | None = None) -> tuple[list[str], list[list[str]], list[int]]:
    """Read a table whose first line names the columns.

    Cells are without blanks at their ends. Blank lines, and a first column of row numbers without a name, are
    left out.

    Parameters
    ----------
    path : Path
        The file.
    column : str, optional
        A column that the header must name. It decides what stands between the cells, if that is in doubt.

    Returns
    -------
    header : list of str
        Names of the columns.
    rows : list of list of str
        The cells of each row.
    lines : list of int
        The line of each row in the file.

    Raises
    ------
    DataError
        If there is no row, or a row has another number of cells than the header.
    """
    text = read_text(path)
    mark = header_separator(text.partition("\n")[0], [] if column is None else [column], ",")
    table, lines = split_rows(path, text, mark)
    if len(table) < 2:
        raise DataError(f"{path}: needs a header and at least one row")
    header, rows = table[0], table[1:]
    wrong = uneven_row(table)
    if wrong is not None:
        raise DataError(
            f"{path}, line {lines[wrong]}: row has {len(table[wrong])} cells; the header has {len(header)}"
        )
    if len(header) > 1 and is_row_numbers(header[0], [row[0] for row in rows]):
        header, rows = header[1:], [row[1:] for row in rows]
    return header, rows, lines[1:]


def column_of(path: Path, header: Sequence[str], name: str | None) -> int:
    """The place of the column ``name`` in the ``header`` of a table; None: the first column."""
    if name is None:
        return 0
    if name not in header:
        raise DataError(f"{path}, line 1: no column {name!r}; it has {', '.join(header[:8])}")
    return header.index(name)


def names_of(array: np.ndarray, where: str) -> tuple[str, ...]:
    """Names from an array of text or of byte strings, without blanks at the ends, in Unicode's form NFC.

    Parameters
    ----------
    array : ndarray, shape (n,)
        Strings, byte strings in UTF-8, or whole numbers.
    where : str
        The file and the array, for the error message.

    Raises
    ------
    DataError
        If it is no list of names, a name is empty, or a name is not UTF-8.
    """
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        raise DataError(f"{where} is {array.dtype} of shape {array.shape}; save a list of strings")
    try:
        if array.dtype.kind == "S":
            array = np.char.decode(array, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} holds byte strings that are not UTF-8; save strings") from error
    return tuple(nfc(str(name).strip()) for name in array)


def unique_names(path: Path, names: Iterable[str], lines: Sequence[int]) -> tuple[str, ...]:
    """Names in Unicode's form NFC, none of which is empty or occurs twice.

    Parameters
    ----------
    path : Path
        The file.
    names : iterable of str, length n
        The names.
    lines : sequence of int, length n
        The line of each name in the file.

    Raises
    ------
    DataError
        If a name is empty or occurs twice. The message names the lines.
    """
    first: dict[str, int] = {}
    for line, name in zip(lines, map(nfc, names), strict=True):
        if not name:
            raise DataError(f"{path}, line {line}: the id is empty; write one, or remove the line")
        if name in first:
            raise DataError(
                f"{path}, line {line}: id {name!r} occurs twice, first in line {first[name]}; "
                f"ids must be unique"
            )
        first[name] = line
    return tuple(first)
