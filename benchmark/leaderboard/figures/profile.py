"""A figure of layer profiles: the score of each layer, one panel for each binding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.common.figures import COLOURS
from benchmark.common.text import plain
from benchmark.leaderboard.figures.style import BAND, COLUMN, PAGE, SOFT, caption, style, styled, title
from benchmark.results import CellResult, Estimate

_ACROSS = 3
#: Height of a panel, in inches
_HEIGHT = 1.9
#: A layer is marked below this
_ALPHA = 0.05


def profiles(cells: Sequence[CellResult]) -> Figure:
    """Draw the score of each layer against its depth, with 95 % intervals, chance, and the noise ceiling.

    A filled point is a layer whose p-value, corrected over the layers, is below .05.

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
    columns = max(1, min(_ACROSS, len(bindings)))
    rows = max(1, -(-len(bindings) // columns))
    figure = styled(COLUMN if columns == 1 else PAGE, rows * _HEIGHT + 0.6)
    with style():
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, binding in zip(panels, bindings, strict=False):
            for cell in (cell for cell in scored if cell.binding == binding):
                _draw(panel, cell, COLOURS[models.index(cell.model) % len(COLOURS)])
        for panel in panels[len(bindings) :]:
            panel.set_axis_off()
        lines = {line.get_label(): line for panel in panels for line in panel.get_lines()}
        names = [plain(model) for model in models if plain(model) in lines]
        if names:
            legend = figure.legend(
                [lines[n] for n in names], names, loc="outside upper center", ncols=2, fontsize=6
            )
            for text in legend.get_texts():
                text.set_parse_math(False)
        caption(
            figure,
            "band: 95 % interval over concepts; dashed: chance; shaded: noise ceiling; "
            "filled: p < .05, corrected over layers (FDR)",
            scored,
        )
    return figure


def _draw(panel: Axes, cell: CellResult, colour: str) -> None:
    estimates = [layer.metrics.get(cell.metric or "", Estimate()) for layer in cell.layers]
    depth = np.linspace(0, 1, len(estimates)) if len(estimates) > 1 else np.ones(1)
    score, low, high = (
        np.array([getattr(e, name) for e in estimates], dtype=np.float64)
        for name in ("score", "ci_low", "ci_high")
    )
    marked = np.array([layer.p_fdr is not None and layer.p_fdr < _ALPHA for layer in cell.layers])
    if cell.ceiling_low is not None and cell.ceiling_high is not None:
        panel.axhspan(cell.ceiling_low, cell.ceiling_high, color=BAND, zorder=0)
    if cell.chance is not None:
        panel.axhline(cell.chance, color=SOFT, linewidth=0.8, linestyle="--", label="_chance")
    line = "--" if cell.untrained else "-"
    panel.fill_between(depth, low, high, color=colour, alpha=0.15, linewidth=0)
    panel.plot(depth, score, line, color=colour, linewidth=1, label=plain(cell.model))
    for chosen, fill in ((marked, colour), (~marked, "white")):
        panel.scatter(
            depth[chosen], score[chosen], s=9, facecolor=fill, edgecolor=colour, linewidth=0.7, zorder=3
        )
    title(panel, cell.binding)
    panel.set_ylabel(plain(cell.metric or ""), parse_math=False)
    panel.set_xlabel("depth")
    panel.spines[["top", "right"]].set_visible(False)
