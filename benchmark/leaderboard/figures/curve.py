"""A figure of curves along an axis: the correlation of each layer at each time, or in each region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.common.errors import DataError
from benchmark.common.text import plain
from benchmark.leaderboard.figures.style import BAND, COLUMN, PAGE, SOFT, caption, style, styled, title
from benchmark.results import CellResult

Kept = tuple[CellResult, Mapping[str, np.ndarray]]

_ACROSS, _HEIGHT = 2, 2.6
#: A place is marked below this
_ALPHA = 0.05
#: With more layers than this, some evenly spread ones are drawn: more colours cannot be told apart
_MOST = 6
#: Height of the row of marks of a layer, and of the space above them, as shares of the range of the curves
_MARK, _SPACE = 0.045, 0.06


def curves(kept: Sequence[Kept]) -> Figure:
    """Draw the curve of each layer with its 95 % interval, the noise ceiling, and the significant places.

    Layers are coloured by depth, from dark to light. Below the curves a layer has a row of marks, in its
    colour: the places that are significant over subjects and over concepts, corrected along the axis.

    Parameters
    ----------
    kept : sequence of (CellResult, mapping of str to ndarray)
        Cells of one binding of ``rdm_curve``, or of ``rdm_partition`` along an axis, with their arrays. Each
        has a panel.

    Returns
    -------
    Figure
        Of matplotlib.

    Raises
    ------
    DataError
        If a cell keeps no curves.
    """
    for cell, arrays in kept:
        if "curve_rows" not in arrays:
            raise DataError(
                f"the result of {cell.model} on {cell.binding} keeps no curve: rdm_curve does, and "
                "rdm_partition along an axis, and published results come without arrays. bench run computes "
                "them"
            )
    columns = min(_ACROSS, len(kept))
    rows = -(-len(kept) // columns)
    figure = styled(COLUMN if columns == 1 else PAGE, rows * _HEIGHT + 0.4)
    with style():
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, (cell, arrays) in zip(panels, kept, strict=False):
            _draw(panel, cell, arrays)
        for panel in panels[len(kept) :]:
            panel.set_axis_off()
        arrays = kept[0][1]
        over = str(arrays["curve_population"][0])
        caption(
            figure,
            f"line and band: mean over subjects, 95 % interval over {over}; green: noise ceiling; grey "
            "squares: where subjects agree, the score is over these; others: p < .05, corrected along the "
            "axis",
            [cell for cell, _ in kept],
        )
    return figure


def _draw(panel: Axes, cell: CellResult, arrays: Mapping[str, np.ndarray]) -> None:
    layers = [layer.name for layer in cell.layers if f"curve/{layer.name}" in arrays]
    shown = _shown(layers, cell.best_layer)
    rows = {name: dict(zip(arrays["curve_rows"], arrays[f"curve/{name}"], strict=True)) for name in shown}
    name, unit = (str(text) for text in arrays["axis_name"])
    ordered = arrays["axis"].dtype.kind == "f"
    at = arrays["axis"] if ordered else np.arange(len(arrays["axis"]), dtype=np.float64)
    lower, upper = arrays["curve_ceiling"]
    if ordered:
        panel.fill_between(at, lower, upper, color=BAND, linewidth=0, zorder=0)
    else:
        panel.bar(at, upper - lower, 0.9, lower, color=BAND, zorder=0)
    panel.axhline(0, color=SOFT, linewidth=0.8, linestyle="--", zorder=1)
    colours = colormaps["viridis"](np.linspace(0, 0.85, len(shown)))
    least = min(float(np.nanmin([row["low"] for row in rows.values()], initial=0)), 0.0)
    greatest = float(np.nanmax([*(row["score"] for row in rows.values()), upper], initial=0.05))
    height = greatest - least
    for i, (layer, colour) in enumerate(zip(shown, colours, strict=True)):
        row = rows[layer]
        moved = at if ordered else at + (i - (len(shown) - 1) / 2) * 0.8 / len(shown)
        width = 1.6 if layer == cell.best_layer else 0.9
        text = plain(f"{layer} (best)" if layer == cell.best_layer else layer)
        if ordered:
            panel.fill_between(moved, row["low"], row["high"], color=colour, alpha=0.15, linewidth=0)
            panel.plot(moved, row["score"], color=colour, linewidth=width, label=text)
        else:
            half = [row["score"] - row["low"], row["high"] - row["score"]]
            panel.errorbar(moved, row["score"], half, fmt="o", color=colour, markersize=3, label=text)
        found = row["p" if ordered else "p_fdr"] < _ALPHA
        depth = least - height * (_SPACE + (i + 1) * _MARK)
        _mark(panel, moved[found], depth, colour)
    counted = arrays["axis_counted"]
    bottom = least - height * _SPACE
    _mark(panel, at[counted], bottom, SOFT)
    _finish(panel, cell, arrays, at, f"{name} ({unit})" if unit else name)


def _mark(panel: Axes, at: np.ndarray, height: float, colour: Any) -> None:
    panel.scatter(at, np.full(len(at), height), s=4, color=colour, marker="s", linewidth=0)


def _finish(
    panel: Axes, cell: CellResult, arrays: Mapping[str, np.ndarray], at: np.ndarray, what: str
) -> None:
    title(panel, cell.model)
    panel.set_xlabel(plain(what), parse_math=False)
    panel.set_ylabel(str(arrays["curve_of"][0]) if "curve_of" in arrays else "Spearman correlation")
    if arrays["axis"].dtype.kind != "f":
        panel.set_xticks(at, [plain(str(place)) for place in arrays["axis"]], parse_math=False)
    panel.spines[["top", "right"]].set_visible(False)
    legend = panel.legend(fontsize=5, frameon=False, loc="upper right")
    for text in legend.get_texts():
        text.set_parse_math(False)


def _shown(layers: list[str], best: str | None) -> list[str]:
    """At most six layers, evenly spread over the depth, with the best one among them."""
    if len(layers) <= _MOST:
        return layers
    places = set(np.linspace(0, len(layers) - 1, _MOST).round().astype(int).tolist())
    if best in layers and layers.index(best) not in places:
        places.remove(min(places - {0, len(layers) - 1}, key=lambda i: abs(i - layers.index(best))))
        places.add(layers.index(best))
    return [layers[i] for i in sorted(places)]
