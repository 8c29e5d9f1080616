"""A figure of paired differences: each with its interval and its corrected p."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.common.errors import DataError
from benchmark.common.figures import COLOURS
from benchmark.common.text import plain
from benchmark.leaderboard.compare import compare
from benchmark.leaderboard.figures.style import PAGE, SOFT, caption, p_text, style, styled, title
from benchmark.results import CellResult

_ALPHA = 0.05
#: Height of a row, and room for the title and axis of a panel, in inches
_ROW, _ROOM = 0.2, 0.55


def differences(cells: Sequence[CellResult]) -> Figure:
    """Draw the paired difference of every two models on every binding, one panel for each two.

    A filled point has a p-value below .05, corrected over all rows of the figure. What cannot be compared is
    left out.

    Parameters
    ----------
    cells : sequence of CellResult
        Cells of one suite, of two or more models.

    Returns
    -------
    Figure
        Of matplotlib.

    Raises
    ------
    DataError
        If no two cells can be compared.
    """
    found = compare(cells, list(dict.fromkeys(cell.model for cell in cells)))
    known = [one for one in found if not one.why]
    if not known:
        reason = f": {found[0].binding}: {found[0].why}" if found else ": no two models share a binding"
        raise DataError(f"nothing to compare{reason}")
    pairs = list(dict.fromkeys((one.first, one.second) for one in known))
    groups = [[one for one in known if (one.first, one.second) == pair] for pair in pairs]
    heights = [len(group) * _ROW + _ROOM for group in groups]
    figure = styled(PAGE, sum(heights) + 0.3)
    with style():
        panels = figure.subplots(len(groups), 1, squeeze=False, sharex=True, height_ratios=heights).ravel()
        for panel, (first, second), group in zip(panels, pairs, groups, strict=True):
            for row, one in enumerate(group):
                fill = COLOURS[0] if one.p_fdr < _ALPHA else "white"
                panel.plot([one.low, one.high], [row, row], color=COLOURS[0], linewidth=1.2)
                panel.scatter([one.difference], [row], s=16, facecolor=fill, edgecolor=COLOURS[0], zorder=3)
                corrected = p_text(one.p_fdr).replace("p ", "", 1)
                note = f"{p_text(one.p)}; corrected {corrected}; n {one.n}"
                panel.annotate(
                    note, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=6, color=SOFT
                )
            _finish(panel, [f"{one.binding} ({one.metric})" for one in group], f"{first} less {second}")
        panels[-1].set_xlabel("difference, with its 95 % interval")
        caption(figure, "filled: p < .05, corrected over all rows (FDR)", cells)
    return figure


def _finish(panel: Axes, names: list[str], text: str) -> None:
    panel.set_yticks(range(len(names)), list(map(plain, names)), fontsize=6, parse_math=False)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.axvline(0, color=SOFT, linewidth=0.8, linestyle="--")
    panel.spines[["top", "right"]].set_visible(False)
    title(panel, text)
