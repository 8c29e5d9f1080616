"""A figure of RDMs: those of models, beside that of people, as ranks of the dissimilarities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from scipy.spatial.distance import squareform

from benchmark.common.errors import DataError
from benchmark.leaderboard.figures.style import (
    COLUMN,
    PAGE,
    caption,
    mark_categories,
    style,
    styled,
    title,
)
from benchmark.leaderboard.order import order_of, ranks_of
from benchmark.results import CellResult

_ACROSS = 3
Kept = tuple[CellResult, Mapping[str, np.ndarray]]


def rdms(kept: Sequence[Kept]) -> Figure:
    """Draw the RDM of the best layer of each cell, and of people first where the results hold it.

    Colours are ranks from 0, the most similar pair, to 1. Concepts are sorted by category, or clustered.

    Parameters
    ----------
    kept : sequence of (CellResult, mapping of str to ndarray)
        Cells of one binding, with their arrays.

    Returns
    -------
    Figure
        Of matplotlib.

    Raises
    ------
    DataError
        If a cell keeps no RDM of its best layer, or cells have other concepts than the first.
    """
    shown = model_rdms(kept)
    first = kept[0][1]
    order, categories, how = order_of(first, next(iter(shown.values())))
    columns = min(_ACROSS, len(shown))
    rows = -(-len(shown) // columns)
    width = COLUMN if columns == 1 else PAGE
    figure = styled(width, rows * (width - 0.8) / columns + 0.5)
    with style():
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for i, (panel, (name, rdm)) in enumerate(zip(panels, shown.items(), strict=False)):
            image = _draw(panel, rdm[np.ix_(order, order)])
            mark_categories(panel, categories, named=i % columns == 0)
            title(panel, name)
        for panel in panels[len(shown) :]:
            panel.set_axis_off()
        bar = figure.colorbar(image, ax=panels, shrink=0.6, aspect=30, pad=0.01)
        bar.set_label("rank of the dissimilarity")
        caption(figure, f"{kept[0][0].binding}, {len(order)} concepts; {how}", [cell for cell, _ in kept])
    return figure


def model_rdms(kept: Sequence[Kept]) -> dict[str, np.ndarray]:
    """The RDM of people, where it is kept, and that of each cell's best layer, (n, n), by its title.

    Raises
    ------
    DataError
        As :func:`rdms`.
    """
    shown: dict[str, np.ndarray] = {}
    first, its_arrays = kept[0]
    if "target_rdm" in its_arrays:
        shown["people (mean)"] = squareform(its_arrays["target_rdm"].astype(np.float64))
    for cell, arrays in kept:
        upper = arrays.get(f"rdm/{cell.best_layer}")
        if upper is None:
            raise DataError(
                f"the result of {cell.model} on {cell.binding} keeps no RDM: only the comparison of RDMs of "
                "up to 500 concepts does, and published results come without arrays. bench run computes them"
            )
        if not np.array_equal(arrays["concepts"], its_arrays["concepts"]):
            raise DataError(f"{cell.model} and {first.model} were scored on other concepts: draw each alone")
        shown[f"{cell.model}, {cell.best_layer}"] = squareform(upper.astype(np.float64))
    return shown


def _draw(panel: Axes, rdm: np.ndarray) -> AxesImage:
    ranks = squareform(ranks_of(squareform(rdm, checks=False)))
    np.fill_diagonal(ranks, np.nan)
    panel.set_facecolor("#bbbbbb")
    return panel.imshow(ranks, cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
