"""A figure of the words that photos bring to mind, with one panel for each photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.association.photos import Photo
from benchmark.association.profile import Profiles
from benchmark.common import figures
from benchmark.common.text import plain

#: Number of panels in a row
ACROSS = 4
#: Width of a panel, height of the photo and height of the line of a word, in inches
_PANEL = 3.1
_PHOTO = 1.15
_LINE = 0.19


def save_figure(path: Path, photos: Sequence[Photo], profiles: Profiles, k: int, caption: str) -> None:
    """Draw the strongest associates of each photo, all on the same scale.

    Parameters
    ----------
    path : Path
        File to write. Its ending is one of :data:`benchmark.common.figures.FORMATS`.
    photos : sequence of Photo, length n
        The photos.
    profiles : Profiles
        Profiles of the same photos, in the same order.
    k : int
        Number of associates to draw for each photo.
    caption : str
        Text under the figure: which weights the words come from.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    figures.save_figure(_draw(photos, profiles, k, caption), path)


def _draw(photos: Sequence[Photo], profiles: Profiles, k: int, caption: str) -> Figure:
    k = min(k, len(profiles.vocabulary))
    across = min(ACROSS, len(photos))
    down = math.ceil(len(photos) / across)
    width, panel = max(across * _PANEL, 5.0), _PHOTO + 0.75 + k * _LINE
    height = down * panel + 0.5
    figure = Figure(figsize=(width, height))
    longest = float(profiles.strengths.max())
    for i, photo in enumerate(photos):
        row, column = divmod(i, across)
        top = height - 0.1 - row * panel
        left = column * width / across
        _draw_photo(figure, photo, (left, top, width, height), width / across)
        axes = figure.add_axes(
            (
                (left + 1.15) / width,
                (top - panel + 0.3) / height,
                (width / across - 1.3) / width,
                k * _LINE / height,
            )
        )
        _draw_bars(axes, profiles.strongest(i, k), longest)
    figure.text(0.1 / width, 0.1 / height, plain(caption), fontsize=7, color="#555555", parse_math=False)
    return figure


def _draw_photo(
    figure: Figure, photo: Photo, place: tuple[float, float, float, float], panel_width: float
) -> None:
    """Draw a photo, with its name, above its bars."""
    left, top, width, height = place
    axes = figure.add_axes(
        ((left + 0.1) / width, (top - 0.25 - _PHOTO) / height, (panel_width - 0.2) / width, _PHOTO / height)
    )
    axes.imshow(np.asarray(photo.thumbnail))
    axes.set_axis_off()
    name = plain(photo.name)
    name = name if len(name) <= 38 else f"…{name[-37:]}"
    axes.set_title(name, fontsize=9, parse_math=False)


def _draw_bars(axes: Axes, strongest: Sequence[tuple[str, float]], longest: float) -> None:
    """Draw horizontal bars, the strongest on top, each with its word and its strength."""
    places = np.arange(len(strongest))
    axes.barh(places, [strength for _, strength in strongest], color=figures.COLOURS[0], height=0.72)
    axes.set_yticks(places, [plain(word) for word, _ in strongest], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.set_ylim(len(strongest) - 0.5, -0.5)
    axes.set_xlim(0, longest * 1.25)
    for place, (_, strength) in enumerate(strongest):
        axes.text(
            strength + longest * 0.02, place, f"{strength:.3f}", va="center", fontsize=6.5, color="#555555"
        )
    axes.set_xticks([])
    axes.tick_params(left=False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
