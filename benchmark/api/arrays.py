"""``benchmark.score(features, ids)``: features that are in memory, scored as a file of them would be."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmark.api.run import run
from benchmark.api.tables import Results
from benchmark.common.errors import UsageError
from benchmark.model import OUTPUT

_FILE = "features.npz"
_IDS = "ids"


def score(
    features: Any,
    ids: Sequence[str] | None = None,
    *,
    name: str = "features",
    tasks: str | Sequence[str] = "all",
    suite: str = "mini",
    data: Path | str | None = None,
    output: Path | str = "results",
    registries: Sequence[Path | str] = (),
    seed: int = 0,
) -> Results:
    """Score features that were computed anywhere.

    Parameters
    ----------
    features : array, data frame or dict of them
        Features (n, d) of one layer; or of several, by name of the layer, from the input to the output. A
        torch tensor is an array too. The index of a data frame are its ids.
    ids : sequence of str, length n, optional
        Id of the stimulus, or of the concept, of each row. Without it the features are data frames.
    name : str
        Name of the model in the results.
    tasks, suite, data, output, registries, seed
        As in :func:`benchmark.run`.

    Returns
    -------
    Results
        One result for each cell: the model scored on one binding. A binding whose stimuli have other ids is
        not possible, and says so.

    Raises
    ------
    UsageError
        If the features are no arrays of numbers with one row for each id.

    Examples
    --------
    >>> import benchmark
    >>> import numpy as np
    >>> from benchmark.datasets.mini.concepts import CONCEPTS
    >>> names = [concept.id for concept in CONCEPTS]
    >>> layers = {"early": np.random.default_rng(0).random((48, 20)), "late": np.eye(48)}
    >>> results = benchmark.score(layers, names, tasks="area_late_rdm", output="scores")
    >>> results[0].n, [layer.name for layer in results[0].layers]
    (48, ['early', 'late'])
    """
    tables = features if isinstance(features, Mapping) else {OUTPUT: features}
    if not tables:
        raise UsageError("features: there is no layer")
    arrays = {str(layer): _array(layer, table) for layer, table in tables.items()}
    named = _ids(tables, ids)
    for layer, array in arrays.items():
        if len(array) != len(named):
            raise UsageError(f"features: layer {layer!r} has {len(array)} rows for {len(named)} ids")
    if _IDS in arrays:
        raise UsageError(f"features: a layer cannot be called {_IDS!r}")
    with tempfile.TemporaryDirectory() as folder:
        # the plug-in for files of features checks them, joins their ids and makes their cache key
        np.savez(Path(folder) / _FILE, **{_IDS: np.array(named, dtype=str)}, **arrays)  # type: ignore[arg-type]
        entry = {"plugin": "models/features.py:Features", "checkpoint": {"file": _FILE}}
        own = Path(folder) / "registry.yaml"
        own.write_text(yaml.safe_dump({"models": {name: entry}}), encoding="utf-8")
        return run(
            name,
            tasks,
            suite=suite,
            data=data,
            output=output,
            registries=(*registries, own),
            seed=seed,
        )


def _array(layer: object, table: Any) -> np.ndarray:
    values = table.detach().cpu() if hasattr(table, "detach") else table
    try:
        array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(f"features: layer {layer!r} is no array of numbers ({error})") from error
    if array.ndim != 2:
        raise UsageError(
            f"features: layer {layer!r} has shape {array.shape}; expected (stimuli, dimensions): flatten or "
            "average what is behind the first axis"
        )
    return array


def _ids(tables: Mapping[Any, Any], ids: Sequence[str] | None) -> list[str]:
    indices = [[str(i) for i in table.index] for table in tables.values() if hasattr(table, "iloc")]
    if ids is not None:
        return [str(i) for i in ids]
    if len(indices) < len(tables):
        raise UsageError("features: give ids=, the id of the stimulus or the concept of each row")
    if any(index != indices[0] for index in indices):
        raise UsageError("features: the data frames have different indices; all layers need the same rows")
    return indices[0]
