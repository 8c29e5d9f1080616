"""A figure of transport plans: which concept of people a concept of the model is matched with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.common.errors import DataError
from benchmark.common.text import plain
from benchmark.leaderboard.figures.style import (
    COLUMN,
    PAGE,
    caption,
    mark_categories,
    p_text,
    style,
    styled,
    title,
)
from benchmark.leaderboard.order import order_of
from benchmark.results import CellResult

_HEIGHT = 3.7


def plans(kept: Sequence[tuple[CellResult, Mapping[str, np.ndarray]]]) -> Figure:
    """Draw the transport plan of the best layer of each cell, and its sums by category.

    Parameters
    ----------
    kept : sequence of (CellResult, mapping of str to ndarray)
        Cells of Gromov-Wasserstein matching, with their arrays. Each has a row.

    Returns
    -------
    Figure
        Of matplotlib.

    Raises
    ------
    DataError
        If a cell keeps no plan.
    """
    categorised = any("categories" in arrays for _, arrays in kept)
    figure = styled(PAGE if categorised else COLUMN, len(kept) * _HEIGHT + 0.4)
    with style():
        panels = figure.subplots(len(kept), 1 + categorised, squeeze=False)
        for row, (cell, arrays) in zip(panels, kept, strict=True):
            plan = arrays.get(f"plan/{cell.best_layer}")
            if plan is None:
                raise DataError(
                    f"the result of {cell.model} on {cell.binding} keeps no transport plan: only "
                    "Gromov-Wasserstein matching of up to 500 concepts does, and published results come "
                    "without arrays. bench run computes them"
                )
            shares = plan.astype(np.float64) / plan.sum(axis=1, keepdims=True)
            _draw(row[0], shares, arrays, cell)
            if categorised:
                _draw_categories(row[1], shares, arrays)
        caption(
            figure,
            "a row: where the mass of a concept of the model goes; on the diagonal: to the same concept",
            [cell for cell, _ in kept],
        )
    return figure


def _draw(axes: Axes, shares: np.ndarray, arrays: Mapping[str, np.ndarray], cell: CellResult) -> None:
    order, categories, how = order_of(arrays)
    axes.imshow(shares[np.ix_(order, order)], cmap="magma_r", vmin=0, interpolation="nearest")
    mark_categories(axes, categories, named=True, colour="#cccccc")
    best = next(layer for layer in cell.layers if layer.name == cell.best_layer)
    matched = best.metrics[cell.metric or ""]
    title(
        axes,
        f"{cell.model}, {cell.best_layer}\n{cell.metric} {_number(matched.score)}, chance "
        f"{_number(matched.chance)}, {p_text(best.p_fdr)}, corrected over layers",
    )
    axes.set_xlabel(f"people: {how}")


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _draw_categories(axes: Axes, shares: np.ndarray, arrays: Mapping[str, np.ndarray]) -> None:
    order, categories, _ = order_of(arrays)
    names = list(dict.fromkeys(name for name in categories if name))
    if not names:
        axes.set_axis_off()
        return
    member = np.array([[name == category for category in categories] for name in names], dtype=np.float64)
    moved = member @ shares[np.ix_(order, order)] @ member.T / member.sum(axis=1, keepdims=True)
    image = axes.imshow(moved, cmap="magma_r", vmin=0, vmax=1)
    shown = [plain(name) for name in names]
    axes.set_yticks(range(len(names)), shown, fontsize=5, parse_math=False)
    axes.set_xticks(range(len(names)), shown, fontsize=5, rotation=90, parse_math=False)
    title(axes, "share of each category that goes to")
    axes.figure.colorbar(image, ax=axes, shrink=0.7)
