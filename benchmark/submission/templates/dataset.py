"""The data set new_name: the geometry of ratings in a table. Read your own file in ``read``."""

from __future__ import annotations

from benchmark.common.errors import DataError
from benchmark.datasets import DataRoot, RDMTarget, hash_files
from benchmark.datasets.readers.files import locate, read_table
from benchmark.measures import rdm


def read(root: DataRoot, *, name: str, path: str) -> RDMTarget:
    """Distances between the rated concepts, as one mean subject.

    Parameters
    ----------
    root : DataRoot
        The folder of ``--data``.
    name : str
        Name of the data set in the registry.
    path : str
        The table under that folder: a row a concept, a column a rating.
    """
    file = locate(root, name, path)
    table = read_table(file, ["concept"])
    try:
        ratings = table.drop(columns="concept").to_numpy(dtype=float)
    except ValueError as error:
        raise DataError(f"{file}: {error}; write a number in every column after concept") from error
    return RDMTarget(
        name=name,
        ids=tuple(table["concept"]),
        # A part of the cache key: the bytes of every file that is read, and what is done with them.
        hash=hash_files([file], "euclidean"),
        rdms=rdm(ratings, metric="euclidean")[None],
        subjects=("mean",),
    )
