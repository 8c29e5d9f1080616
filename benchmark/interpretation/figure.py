"""A figure of the properties that layers predict for photos: a row a photo, a panel a layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.common import figures
from benchmark.common.text import plain
from benchmark.interpretation.colours import colours_of
from benchmark.interpretation.properties import Interpretation, Prediction

#: Sizes in inches: a panel, the photo, the line of a property, and what is above and below the lines
_PANEL, _PHOTO, _LINE, _AROUND = 2.3, 1.8, 0.19, 0.45


def save_figure(path: Path, found: Interpretation) -> None:
    """Draw the strongest properties of each photo in each layer, coloured by type.

    Parameters
    ----------
    path : Path
        File to write. Its ending is one of :data:`benchmark.common.figures.FORMATS`.
    found : Interpretation
        With at least one photo.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    figures.save_figure(_draw(found), path)


def _draw(found: Interpretation) -> Figure:
    across = len(found.photos[0].layers)
    lines = max(len(predictions) for predictions in found.photos[0].layers.values())
    row = max(lines * _LINE, _PHOTO) + _AROUND
    width, height = _PHOTO + 0.2 + across * _PANEL, row * len(found.photos) + 0.75
    width = max(width, 6.5)
    figure = Figure(figsize=(width, height))
    colours = colours_of(found.kinds)
    for i, photo in enumerate(found.photos):
        top = height - 0.1 - i * row
        picture = figure.add_axes(
            (0.1 / width, (top - 0.25 - _PHOTO) / height, _PHOTO / width, _PHOTO / height)
        )
        picture.imshow(np.asarray(photo.thumbnail))
        picture.set_axis_off()
        picture.set_title(plain(photo.path.name)[:28], fontsize=8, parse_math=False)
        for j, (layer, predictions) in enumerate(photo.layers.items()):
            place = (_PHOTO + 0.25 + j * _PANEL, top - 0.25 - lines * _LINE)
            axes = figure.add_axes(
                (place[0] / width, place[1] / height, (_PANEL - 0.1) / width, lines * _LINE / height)
            )
            _draw_layer(axes, layer, predictions, lines, colours)
    for i, (kind, colour) in enumerate(colours.items()):
        figure.text(
            (0.1 + i * 1.35) / width, 0.42 / height, plain(kind), color=colour, fontsize=8, weight="bold"
        )
    note = "; MINIATURE: says nothing about people" if found.miniature else ""
    caption = plain("; ".join(found.about) + note)
    figure.text(0.1 / width, 0.12 / height, caption, fontsize=6.5, color="#555555", parse_math=False)
    return figure


def _draw_layer(
    axes: Axes, layer: str, predictions: tuple[Prediction, ...], lines: int, colours: dict[str, str]
) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(lines, 0)
    axes.set_axis_off()
    axes.set_title(plain(layer), fontsize=8, loc="left", parse_math=False)
    for i, found in enumerate(predictions):
        axes.text(0, i + 0.7, f"{found.probability:.2f}", fontsize=7, color="#555555")
        name = plain(found.name.replace("_", " "))
        name = name if len(name) <= 30 else f"{name[:29]}…"
        axes.text(0.15, i + 0.7, name, fontsize=8, color=colours[found.kind], parse_math=False)
