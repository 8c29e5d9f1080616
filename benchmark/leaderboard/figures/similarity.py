"""A figure of how alike the RDMs of models are: a heat map, and a map in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.common.errors import DataError
from benchmark.common.figures import COLOURS
from benchmark.common.text import plain
from benchmark.leaderboard.figures.rdm import Kept, model_rdms
from benchmark.leaderboard.figures.style import PAGE, caption, style, styled, title
from benchmark.measures import compare_rdms, similarity_map

#: With more models than this the numbers do not fit into the cells
_NUMBERED = 14
#: Points closer than this part of the map's width have one label
_ROOM = 0.04


def similarities(kept: Sequence[Kept]) -> Figure:
    """Draw the Spearman correlation of every two RDMs, those of models and that of people.

    Parameters
    ----------
    kept : sequence of (CellResult, mapping of str to ndarray)
        Cells of one binding, with their arrays.

    Returns
    -------
    Figure
        Of matplotlib. On the map the distance of two points stands for sqrt(2 - 2 correlation).

    Raises
    ------
    DataError
        If fewer than two RDMs are kept, or as :func:`benchmark.leaderboard.figures.rdm.rdms`.
    """
    shown = model_rdms(kept)
    if len(shown) < 2:
        raise DataError("one RDM alone is like nothing: give the results of two models or more")
    names = [plain(name) for name in shown]
    matrix = np.eye(len(names))
    for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
        a, b = (list(shown.values())[k] for k in (i, j))
        matrix[i, j] = matrix[j, i] = float(compare_rdms(a, b, "spearman"))
    figure = styled(PAGE, max(2.6, 0.22 * len(names) + 1.4))
    with style():
        left, right = figure.subplots(1, 2)
        _heat(left, matrix, names)
        _map(right, matrix, len(names))
        caption(figure, f"{kept[0][0].binding}: RDMs of the best layers", [cell for cell, _ in kept])
    return figure


def _heat(axes: Axes, matrix: np.ndarray, names: list[str]) -> None:
    least = min(0.0, float(matrix.min()))
    image = axes.imshow(matrix, cmap="cividis", vmin=least, vmax=1)
    axes.set_yticks(
        range(len(names)), [f"{n}  {i}" for i, n in enumerate(names, 1)], fontsize=6, parse_math=False
    )
    axes.set_xticks(range(len(names)), [str(i) for i in range(1, len(names) + 1)], fontsize=6)
    axes.tick_params(length=0)
    title(axes, "Spearman correlation of RDMs")
    axes.figure.colorbar(image, ax=axes, shrink=0.7)
    if len(names) <= _NUMBERED:
        for (i, j), value in np.ndenumerate(matrix):
            colour = "black" if value > (least + 1) / 2 else "white"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=5, color=colour)


def _map(axes: Axes, matrix: np.ndarray, count: int) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    if count < 3:
        axes.text(0.5, 0.5, "no map of two", ha="center", transform=axes.transAxes)
        return
    scaling = similarity_map(matrix)
    axes.scatter(scaling.points[:, 0], scaling.points[:, 1], s=14, color=COLOURS[0])
    middle = scaling.points[:, 0].mean()
    for point, label in _labels(scaling.points):
        side = -1 if point[0] > middle else 1  # towards the middle, where the frame does not end it
        axes.annotate(
            label,
            (point[0], point[1]),
            xytext=(3 * side, 3),
            textcoords="offset points",
            fontsize=6,
            ha="left" if side > 0 else "right",
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.15)
    title(axes, f"map (MDS), {scaling.explained:.0%} of the variance")


def _labels(points: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """The numbers of the points. Where some lie too close for a number each, the first has all of them."""
    room = _ROOM * float(np.ptp(points, axis=0).max())
    labels: list[tuple[np.ndarray, str]] = []
    for i, point in enumerate(points, 1):
        near = [k for k, (other, _) in enumerate(labels) if np.linalg.norm(point - other) < room]
        if near:
            first, label = labels[near[0]]
            labels[near[0]] = (first, f"{label}, {i}")
        else:
            labels.append((point, str(i)))
    return labels
