"""A figure of similarities: for each measure a heat map, and a map of the layers in two dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.common import figures
from benchmark.common.figures import COLOURS
from benchmark.common.text import plain
from benchmark.measures import similarity_map
from benchmark.model_similarity.compare import Similarities
from benchmark.model_similarity.measures import MEASURES, Matrix

_MARKERS = "os^Dv<>P"
_UNDEFINED = "#dddddd"
#: With more layers than this the numbers do not fit into the cells
_NUMBERED = 16
#: Side of a cell of the heat map, room for the names of the layers, and side of the map, in inches
_CELL, _NAMES, _MAP = 0.36, 2.3, 3.6


def save_figure(path: Path, found: Similarities) -> None:
    """Draw every matrix.

    On the heat map the number of a column is that of the row with its name. On the map the distance of two
    layers stands for sqrt(2 - 2 similarity), and a line joins the layers of a model from input to output.

    Parameters
    ----------
    path : Path
        File to write. Its ending is one of :data:`benchmark.common.figures.FORMATS`.
    found : Similarities

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    figures.save_figure(_draw(found), path)


def _draw(found: Similarities) -> Figure:
    side = max(len(found.layers) * _CELL, 2.0)
    row = max(side, _MAP) + 0.9
    width, height = _NAMES + side + 1.3 + _MAP + 0.3, row * len(found.matrices) + 0.8
    figure = Figure(figsize=(width, height))
    for number, matrix in enumerate(found.matrices):
        bottom = height - 0.5 - number * row - side
        heat = figure.add_axes((_NAMES / width, bottom / height, side / width, side / height))
        bar = figure.add_axes(((_NAMES + side + 0.12) / width, bottom / height, 0.12 / width, side / height))
        _draw_heat(heat, bar, matrix, found)
        left, low = _NAMES + side + 1.1, height - 0.5 - number * row - _MAP
        axes = figure.add_axes((left / width, low / height, _MAP / width, _MAP / height))
        _draw_map(axes, matrix, found)
    figure.text(0.1 / width, 0.12 / height, _caption(found), fontsize=7, color="#555555", parse_math=False)
    return figure


def _caption(found: Similarities) -> str:
    stimuli = plain(found.provenance["stimuli"])
    text = f"{len(found.concepts)} concepts of {stimuli}; grey: undefined"
    if found.provenance["miniature"]:
        text += "; MINIATURE: says nothing about people"
    return text


def _draw_heat(axes: Axes, bar: Axes, matrix: Matrix, found: Similarities) -> None:
    m = len(found.layers)
    values = np.ma.masked_invalid(matrix.similarity)
    axes.set_facecolor(_UNDEFINED)
    least = min(0.0, float(values.min()))
    image = axes.imshow(values, cmap="cividis", vmin=least, vmax=1.0)
    axes.figure.colorbar(image, cax=bar)
    bar.tick_params(labelsize=7)
    names = [f"{plain(str(layer))}  {i}" for i, layer in enumerate(found.layers, 1)]
    axes.set_yticks(range(m), names, fontsize=7, parse_math=False)
    axes.set_xticks(range(m), [str(i) for i in range(1, m + 1)], fontsize=7)
    axes.tick_params(length=0)
    axes.set_title(MEASURES[matrix.measure].label, fontsize=9, loc="left")
    if m <= _NUMBERED:
        middle = (least + 1) / 2
        for i, j in zip(*np.nonzero(~np.isnan(matrix.similarity)), strict=True):
            value = matrix.similarity[i, j]
            colour = "black" if value > middle else "white"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=6, color=colour)


def _draw_map(axes: Axes, matrix: Matrix, found: Similarities) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    if len(found.layers) < 3 or np.isnan(matrix.similarity).any():
        reason = "fewer than three layers" if len(found.layers) < 3 else "some pairs are undefined"
        axes.text(0.5, 0.5, f"no map: {reason}", ha="center", fontsize=8, transform=axes.transAxes)
        return
    scaling = similarity_map(matrix.similarity)
    models = list(dict.fromkeys(layer.model for layer in found.layers))
    handles = []
    for k, model in enumerate(models):
        rows = [i for i, layer in enumerate(found.layers) if layer.model == model]
        style: dict[str, Any] = {
            "color": COLOURS[k % len(COLOURS)],
            "marker": _MARKERS[k // len(COLOURS) % len(_MARKERS)],
        }
        axes.plot(*scaling.points[rows].T, linewidth=1, markersize=5, **style)
        handles.append(Line2D([], [], linestyle="", markersize=5, label=plain(model), **style))
    for i, point in enumerate(scaling.points, 1):
        axes.annotate(str(i), point, xytext=(3, 3), textcoords="offset points", fontsize=7)
    legend = axes.legend(handles=handles, fontsize=7, frameon=False, loc="best")
    for text in legend.get_texts():
        text.set_parse_math(False)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.15)
    axes.set_title(f"map (MDS), {scaling.explained:.0%} of the variance", fontsize=9, loc="left")
