"""The numbers of the page as tidy rows, for CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from benchmark.common.text import spreadsheet
from benchmark.leaderboard.board import Board
from benchmark.results import LEVELS, CellResult, Estimate, LayerScore

Row = dict[str, Any]


def tidy(boards: Sequence[Board]) -> list[Row]:
    """One row for each cell (its ``layer`` is empty), then one for each of its layers and metrics.

    Parameters
    ----------
    boards : sequence of Board

    Returns
    -------
    list of dict
        All with the same names; None where a number is undefined or does not apply.
    """
    cells = [(cell, column.unit) for board in boards for column in board.columns for cell in column.cells]
    return [row for cell, unit in cells for row in _of_cell(cell, unit)]


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV. No text in it is read as a formula by a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(map(spreadsheet, row.values()) for row in rows)
    return out.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """The rows as a JSON list of objects."""
    return json.dumps(rows, indent=1, allow_nan=False) + "\n"


def _of_cell(cell: CellResult, unit: str) -> Iterator[Row]:
    best = next((layer for layer in cell.layers if layer.name == cell.best_layer), None)
    yield _row(cell, unit, "", None, cell.metric, cell, best)
    last = len(cell.layers) - 1
    for number, layer in enumerate(cell.layers):
        depth = number / last if last else 1.0
        for metric, estimate in layer.metrics.items():
            # the p-value of a layer is that of the first metric of the task
            yield _row(
                cell, unit, layer.name, depth, metric, estimate, layer if metric == cell.metric else None
            )


def _row(
    cell: CellResult,
    unit: str,
    layer: str,
    depth: float | None,
    metric: str | None,
    numbers: CellResult | Estimate,
    tested: LayerScore | None,
) -> Row:
    return {
        **{name: getattr(cell, name) for name in ("suite", "binding", "task", "model")},
        "layer": layer,
        "metric": metric or "",
        **{name: getattr(numbers, name) for name in ("score", "ci_low", "ci_high", *LEVELS)},
        **{name: getattr(cell, name) for name in ("n", "trained_on", "untrained")},
        "interval": "5-95 % of seeds" if cell.averaged else f"95 % over {unit}",
        "best_layer": cell.best_layer or "",
        "depth": depth,
        "p": tested.p if tested else None,
        "p_fdr": tested.p_fdr if tested else None,
    }
