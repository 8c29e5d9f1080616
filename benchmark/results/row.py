"""One result as one flat row: for ``bench run --format json`` and for tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.results.schema import CellResult


def row(cell: CellResult, *, cached: bool, path: Path | None) -> dict[str, Any]:
    """Make the row of a cell; a column that does not apply is None.

    Parameters
    ----------
    cell : CellResult
    cached : bool
        Whether the result was in the store already, so that nothing was computed.
    path : Path or None
        The result file; None: the result is not stored.

    Returns
    -------
    dict
        Column name to value. ``layers`` maps the name of a layer to its score on the cell's metric (None:
        undefined).

    Examples
    --------
    >>> cell = CellResult(
    ...     model="pixels", task="two_vs_two", binding="words", suite="mini",
    ...     status="not_possible", reason="weights are missing",
    ... )
    >>> columns = row(cell, cached=False, path=None)
    >>> columns["model"], columns["status"], columns["score"], columns["layers"]
    ('pixels', 'not_possible', None, {})
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
