"""A figure of layer profiles: the score of each layer, one panel for each binding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.results import CellResult, Estimate

#: The colours of Okabe & Ito, which colour-blind readers can distinguish too; black is kept for text
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#5254a3")
_COLUMNS = 3
#: Size of a panel, in inches: three beside each other fill the width of a page
_WIDTH, _HEIGHT = 2.9, 2.2


def profiles(cells: Sequence[CellResult]) -> Figure:
    """Draw the score of each layer against its depth, with 95 % intervals, chance, and the noise ceiling.

    Parameters
    ----------
    cells : sequence of CellResult
        Cells of one suite; those without a score are left out. All models of a binding share a panel.

    Returns
    -------
    Figure
        Of matplotlib. A notebook shows it; ``figure.savefig("profile.pdf")`` keeps it.
    """
    scored = [cell for cell in cells if cell.status == "scored"]
    bindings = list(dict.fromkeys(cell.binding for cell in scored))
    models = list(dict.fromkeys(cell.model for cell in scored))
    columns = max(1, min(_COLUMNS, len(bindings)))
    rows = max(1, -(-len(bindings) // columns))
    figure = Figure(figsize=(columns * _WIDTH, rows * _HEIGHT + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, binding in zip(panels, bindings, strict=False):
        for cell in (cell for cell in scored if cell.binding == binding):
            _draw(panel, cell, _COLOURS[models.index(cell.model) % len(_COLOURS)])
    for panel in panels[len(bindings) :]:
        panel.set_axis_off()
    lines = {line.get_label(): line for panel in panels for line in panel.get_lines()}
    known = [model for model in models if model in lines]
    if known:
        figure.legend([lines[m] for m in known], known, loc="outside lower center", ncols=3, fontsize=7)
    if any(cell.miniature for cell in scored):
        figure.suptitle("MINIATURE: says nothing about people", fontsize=7)
    return figure


def _draw(panel: Axes, cell: CellResult, colour: str) -> None:
    estimates = [layer.metrics.get(cell.metric or "", Estimate()) for layer in cell.layers]
    depth = np.linspace(0, 1, len(estimates)) if len(estimates) > 1 else np.ones(1)
    score, low, high = (
        np.array([getattr(e, name) for e in estimates], dtype=np.float64)
        for name in ("score", "ci_low", "ci_high")
    )
    if cell.ceiling_low is not None and cell.ceiling_high is not None:
        panel.axhspan(cell.ceiling_low, cell.ceiling_high, color="#d3e8d3", zorder=0)
    if cell.chance is not None:
        panel.axhline(cell.chance, color="#666666", linewidth=0.8, linestyle="--", label="_chance")
    style = "--" if cell.untrained else "-"
    panel.fill_between(depth, low, high, color=colour, alpha=0.15, linewidth=0)
    panel.plot(depth, score, style, color=colour, marker="o", markersize=3, linewidth=1.2, label=cell.model)
    panel.set_title(cell.binding, fontsize=8)
    panel.set_ylabel(cell.metric or "", fontsize=7)
    panel.set_xlabel("depth", fontsize=7)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
