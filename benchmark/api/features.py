"""Features in memory, written down as a file of features and the registry file that names it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmark.common.errors import UsageError
from benchmark.common.files import slug
from benchmark.model import OUTPUT

_IDS = "ids"


def is_features(value: Any) -> bool:
    """Whether a ``value`` is an array, a tensor, a data frame or a dict of layers."""
    return isinstance(value, Mapping) or (hasattr(value, "shape") and hasattr(value, "__array__"))


@contextmanager
def written_features(
    features: Any, ids: Sequence[str] | None, name: str, keep: Path | str | None = None
) -> Iterator[Path]:
    """Write features and an entry for them.

    Parameters
    ----------
    features, ids, name, keep
        As for :func:`benchmark.score`.

    Yields
    ------
    Path
        The registry file. Without ``keep`` it is removed at the end.

    Raises
    ------
    UsageError
        If the features are no arrays of numbers with one row for each id.
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
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch if keep is None else keep)
        folder.mkdir(parents=True, exist_ok=True)
        # the plug-in for files of features checks them, joins their ids and makes their cache key
        file = f"{slug(name)}.npz"
        np.savez(folder / file, **{_IDS: np.array(named, dtype=str)}, **arrays)  # type: ignore[arg-type]
        entry = {"plugin": "models/features.py:Features", "checkpoint": {"file": file}}
        own = folder / f"{slug(name)}.yaml"
        own.write_text(yaml.safe_dump({"models": {name: entry}}), encoding="utf-8")
        yield own


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
