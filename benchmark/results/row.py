"""One result as one flat row, for ``bench run --format json`` and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.results.schema import CellResult


def row(cell: CellResult, *, cached: bool, path: Path | None) -> dict[str, Any]:
    """The row of a cell; None where a column does not apply.

    Parameters
    ----------
    cell : CellResult
    cached : bool
        Whether it was found in the store and not computed anew.
    path : Path or None
        Where it is stored.

    Returns
    -------
    dict
        ``layers`` is layer name to score on the cell's metric (None: undefined).
    """
    fields = ("model", "task", "binding", "suite", "metric", "score", "ci_low", "ci_high", "chance")
    layers = {
        layer.name: layer.metrics[cell.metric].score if cell.metric in layer.metrics else None
        for layer in cell.layers
    }
    return {
        **{name: getattr(cell, name) for name in fields},
        "ceiling_low": cell.ceiling_low,
        "ceiling_high": cell.ceiling_high,
        "best_layer": cell.best_layer,
        "layers": layers,
        "n": cell.n,
        "trained_on": cell.trained_on,
        "status": cell.status,
        "reason": cell.reason,
        "result_file": None if path is None else str(path),
        "cached": cached,
    }
