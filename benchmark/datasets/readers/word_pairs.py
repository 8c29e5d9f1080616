"""Lists of word pairs that people have rated for similarity: MEN, SimLex-999 and any list like them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.names import nfc
from benchmark.datasets.readers.files import locate, read_table
from benchmark.datasets.readers.text import read_text
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.types import WordPairTarget

#: What stands in a line of a list
_ROW = tuple[str, str, str]


def _ratings_hash(root: DataRoot, *, name: str, path: str, columns: Sequence[str] | None = None) -> str:
    return hash_files([locate(root, name, path)], *(columns or ()))


@hashed_by(_ratings_hash)
def ratings(root: DataRoot, *, name: str, path: str, columns: Sequence[str] | None = None) -> WordPairTarget:
    """Read similarity ratings of word pairs.

    A list without a header has three cells a line, separated by blanks or tabs: two words and their rating
    (MEN; Bruni, Tran & Baroni 2014, Journal of Artificial Intelligence Research). A list with a header is a
    table, of which only the three named ``columns`` are read (SimLex-999; Hill, Reichart & Korhonen 2015,
    Computational Linguistics). Association strengths, which stand in the same file, are thus never seen.

    A pair that is given more than once, in one order or in both, counts once: its rating is the mean.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root.
    columns : sequence of three str, optional
        The columns of the first word, the second word and the rating. Default: the file has no header.

    Returns
    -------
    WordPairTarget
        Ids are the words, in order of first appearance.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If a line is not two words and a number, or a word stands with itself.
    UsageError
        If ``columns`` are not three.
    """
    if columns is not None and (isinstance(columns, str) or len(columns) != 3):
        raise UsageError(f"dataset {name!r}: columns is {columns!r}: name the two words and the rating")
    file = locate(root, name, path)
    rows = _bare_rows(file) if columns is None else _table_rows(file, columns)
    words: dict[str, int] = {}
    given: dict[tuple[int, int], list[float]] = {}
    for number, (one, other, text) in rows:
        first, second = (words.setdefault(nfc(word), len(words)) for word in (one, other))
        if first == second:
            raise DataError(f"{file}, line {number}: {one!r} stands with itself; remove the line")
        pair = (min(first, second), max(first, second))
        given.setdefault(pair, []).append(_number(text, file, number))
    return WordPairTarget(
        name=name,
        source=str(file),
        ids=tuple(words),
        hash=_ratings_hash(root, name=name, path=path, columns=columns),
        pairs=np.array(list(given), dtype=np.intp),
        ratings=np.array([np.mean(values) for values in given.values()]),
        repeated=sum(len(values) > 1 for values in given.values()),
    )


def _bare_rows(file: Path) -> list[tuple[int, _ROW]]:
    rows: list[tuple[int, _ROW]] = []
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        cells = line.split()
        if len(cells) == 3:
            rows.append((number, (cells[0], cells[1], cells[2])))
        elif cells:
            raise DataError(
                f"{file}, line {number}: expected two words and a rating, found {line.strip()[:40]!r}; "
                "for a table with a header name its columns"
            )
    if not rows:
        raise DataError(f"{file}: no pair of words in it")
    return rows


def _table_rows(file: Path, columns: Sequence[str]) -> list[tuple[int, _ROW]]:
    table = read_table(file, columns, "\t", quoted=False)
    cells = zip(*(table[column] for column in columns), strict=True)
    return [(number, row) for number, row in enumerate(cells, start=2)]


def _number(text: str, file: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise DataError(f"{file}, line {line}: rating {text!r} is not a number")
    return value
