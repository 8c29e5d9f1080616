"""THINGS: the dimensions of a SPoSE embedding as responses, which models predict one by one."""

from __future__ import annotations

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate, read_array
from benchmark.datasets.readers.text import read_ids
from benchmark.datasets.readers.things import IDS
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files


def dimensions(root: DataRoot, *, name: str, dimensions: int = 66) -> ResponseTarget:
    """Weight of each concept on each dimension of human odd-one-out choices.

    Reads ``things/unique_id.txt`` and ``things/spose_embedding_DIMENSIONSd_sorted.txt``: one line for each
    concept, one column for each dimension.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    dimensions : {66, 49}
        Which embedding. 66: Hebart et al. 2023, eLife. 49: Hebart et al. 2020, Nature Human Behaviour.

    Returns
    -------
    ResponseTarget
        A channel for each dimension ("dimension 01"), and one repeat: the noise is not known.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If the embedding does not have one row per concept, or has another number of dimensions.
    """
    ids_path = locate(root, name, IDS)
    path = locate(root, name, f"things/spose_embedding_{dimensions}d_sorted.txt")
    ids, embedding = read_ids(ids_path), read_array(path)
    if embedding.shape != (len(ids), dimensions):
        raise DataError(
            f"{path}: shape {embedding.shape}, expected {(len(ids), dimensions)}: a row for each concept, a "
            "column for each dimension"
        )
    target = ResponseTarget(
        name=name,
        ids=tuple(ids),
        hash=hash_files([path, ids_path]),
        source=str(path),
        repeats=embedding[:, :, None].astype(float),
        channels=tuple(f"dimension {i + 1:02d}" for i in range(dimensions)),
    )
    target.require_varied()
    return target
