"""Tables of published scores: a row for each model, a column for each binding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from results_words import interval_text, score_text, table

from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult, Estimate

#: Most bindings in a table
WIDEST = 4
#: Of the metric gain of tasks that fit an RDM
GAIN = (
    "What the fit gains: the score less that of the same features without it, in the same pairs, at the best "
    "layer. What pixels and untrained twins gain too is flexibility, and not likeness."
)


def score_tables(columns: Sequence[Column], board: Board) -> str:
    """Tables of a few bindings each, so that they are no wider than a page."""
    # of equal width, as near as can be
    count = -(-len(columns) // WIDEST)
    ends = [round(i * len(columns) / count) for i in range(count + 1)]
    return "\n".join(_table(columns[start:end], board) for start, end in pairwise(ends))


def _table(columns: Sequence[Column], board: Board) -> str:
    """A row for each model, a column for each binding; then chance, ceiling and n."""
    models = [m for m in board.models if any(m in column.by_model for column in columns)]
    rows = [
        (f"`{model}`", *(score_text(column.by_model.get(model)) for column in columns)) for model in models
    ]
    first = [column.cells[0] for column in columns]
    rows.append(("*chance*", *(number(cell.chance) for cell in first)))
    if any(cell.ceiling_low is not None for cell in first):
        rows.append(("*ceiling*", *(_between(cell) for cell in first)))
    rows.append(("*n*", *(_range(column.cells) for column in columns)))
    head = ("model", *(f"`{column.binding}`, {column.label}" for column in columns))
    return table(head, rows)


def _between(cell: CellResult) -> str:
    if cell.ceiling_low is None:
        return "-"
    ends = dict.fromkeys((number(cell.ceiling_low), number(cell.ceiling_high)))
    return " to ".join(ends)


def _range(cells: Iterable[CellResult]) -> str:
    counts = sorted({cell.n for cell in cells if cell.n is not None})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def beside(columns: Sequence[Column], board: Board, metric: str, about: str) -> str:
    """A table of another metric of the same cells, at their best layers; empty where no cell has it."""
    labels = {column.binding: one.label for column in columns for one in column.further if one.name == metric}
    shown = [column for column in columns if column.binding in labels]
    if not shown:
        return ""
    rows = [
        (f"`{model}`", *(_estimate_text(column.by_model.get(model), metric) for column in shown))
        for model in board.models
        if any(model in column.by_model for column in shown)
    ]
    head = ("model", *(f"`{column.binding}`, {labels[column.binding]}" for column in shown))
    return f"{about}\n\n{table(head, rows)}"


def at_best_layer(cell: CellResult, metric: str) -> Estimate:
    """Another metric of a cell, at the best layer of its score."""
    return next(layer for layer in cell.layers if layer.name == cell.best_layer).metrics[metric]


def _estimate_text(cell: CellResult | None, metric: str) -> str:
    if cell is None:
        return "-"
    one = at_best_layer(cell, metric)
    return interval_text(one.score, one.ci_low, one.ci_high)
