"""RDMs in tables: a file for each subject, with the ids in its first line and first column."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError
from benchmark.datasets.names import nfc
from benchmark.datasets.readers.files import locate, read_table
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.types import RDMTarget
from benchmark.measures import stack_partial_rdms

#: A cell of a pair that was not measured, in lower case
_MISSING = ("", "nan")


def rdm_tables(root: DataRoot, *, name: str, path: str) -> RDMTarget:
    """Read square tables of dissimilarities as a target, without code.

    The first line of a table holds the ids, after a first cell "id"; each row begins with its id. So
    ``bench export rdm --format csv`` writes them. A pair that was not measured is an empty cell or NaN.
    Tables may have different ids in different order: a pair that a subject's table does not have is NaN.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        A table, or a folder of tables (ending .csv), under the data root, or absolute. Each is a subject,
        named by its file.

    Returns
    -------
    RDMTarget
        Subjects in the sorted order of the files. Ids in order of first appearance.

    Raises
    ------
    NotPossible
        If the file or folder is not there.
    DataError
        If there is no table, or a table is not an RDM. The message names the file and the line.
    """
    place = locate(root, name, path)
    files = (
        sorted(f for f in place.glob("*.csv") if not f.name.startswith(".")) if place.is_dir() else [place]
    )
    if not files:
        raise DataError(f"{place}: no table in it; expected a file of the ending .csv for each subject")
    tables = [_read(file) for file in files]
    rdms, ids = stack_partial_rdms([rdm for _, rdm in tables], [names for names, _ in tables])
    return RDMTarget(
        name=name,
        source=str(place),
        ids=tuple(map(str, ids)),
        hash=hash_files(files, [file.stem for file in files], "rdm tables"),
        rdms=rdms,
        subjects=tuple(file.stem for file in files),
    )


def _read(file: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Ids and RDM of one table, its columns in the order of its rows."""
    table = read_table(file, ["id"])
    ids, columns = ([nfc(str(name)) for name in names] for names in (table["id"], table.columns.drop("id")))
    twice = next((name for i, name in enumerate(ids) if name in ids[:i]), None)
    if twice is not None:
        raise DataError(f"{file}: id {twice!r} has two rows; ids must be unique")
    only = sorted(set(ids).symmetric_difference(columns))
    if only:
        lacks = "column" if only[0] in ids else "row"
        raise DataError(f"{file}: id {only[0]!r} has no {lacks}; expected a row and a column for each id")
    cells = table.drop(columns="id").to_numpy(dtype=str)[:, [columns.index(name) for name in ids]]
    cells = np.char.strip(cells)
    numbers = np.where(np.isin(np.char.lower(cells), _MISSING), "nan", cells)
    try:
        return tuple(ids), numbers.astype(np.float64)
    except ValueError:
        i, j = next(place for place, cell in np.ndenumerate(numbers) if not _is_number(cell))
        raise DataError(
            f"{file}, line {i + 2}: {str(cells[i, j])!r} for {ids[i]!r} and {ids[j]!r} is not a number; "
            f"leave the cell empty where the pair is missing"
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
