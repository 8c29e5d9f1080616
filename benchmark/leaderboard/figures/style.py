"""What all figures share: their size, their letters, and their order of concepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import average, leaves_list
from scipy.spatial.distance import squareform

from benchmark.common.text import plain
from benchmark.results import CellResult

#: Width of one column of a journal, and of its page, in inches (89 and 183 mm)
COLUMN, PAGE = 3.5, 7.2
#: Letters that are text in the file, so that a journal can set them anew
_LETTERS: Any = {"font.size": 7, "pdf.fonttype": 42, "svg.fonttype": "none", "axes.linewidth": 0.6}
SOFT, BAND = "#555555", "#d3e8d3"
_MINIATURE = "MINIATURE: says nothing about people"


def styled(width: float, height: float) -> Figure:
    """An empty figure, ``width`` and ``height`` in inches, whose panels leave no gaps."""
    with rc_context(_LETTERS):
        return Figure(figsize=(width, height), layout="constrained")


def style() -> Any:
    """The context in which panels are drawn."""
    return rc_context(_LETTERS)


def caption(figure: Figure, text: str, cells: Iterable[CellResult]) -> None:
    """Write ``text`` under a figure, and that it is of the miniature if a cell is."""
    miniature = any(cell.miniature for cell in cells)
    figure.supxlabel(
        plain(f"{text}; {_MINIATURE}" if miniature else text),
        fontsize=6,
        color=SOFT,
        parse_math=False,
        wrap=True,
    )


def title(axes: Axes, text: str) -> None:
    """Give a panel its title, of one or more lines; a name in it is never read as mathematics."""
    axes.set_title("\n".join(map(plain, text.split("\n"))), fontsize=7, loc="left", parse_math=False)


def p_text(p: float | None) -> str:
    """A p-value as a paper writes it."""
    if p is None or np.isnan(p):
        return "p undefined"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def order_of(
    arrays: Mapping[str, np.ndarray], rdm: np.ndarray | None = None
) -> tuple[np.ndarray, list[str], str]:
    """The order in which concepts are shown.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays of a result. With ``categories`` concepts are sorted by category, those without one last.
    rdm : ndarray, shape (n, n), optional
        What concepts are clustered by where there are no categories; without it they keep their order.

    Returns
    -------
    order : ndarray of int, shape (n,)
    categories : list of str, length n
        In that order; empty where there are none.
    how : str
        The order in words.
    """
    if "categories" in arrays:
        names = arrays["categories"].astype(str)
        order = np.lexsort((names, names == ""))
        return order, list(names[order]), "concepts sorted by category"
    if rdm is None:
        return np.arange(len(arrays["concepts"])), [], "concepts in the order of the stimuli"
    known = np.where(np.isnan(rdm), np.nanmean(rdm), rdm)
    np.fill_diagonal(known, 0)
    order = leaves_list(average(squareform(known, checks=False)))
    return order, [], "concepts in the order of an average-linkage clustering"


def mark_categories(axes: Axes, categories: list[str], *, named: bool, colour: str = "white") -> None:
    """Draw a line between categories of a matrix, and their names on the left where ``named``."""
    starts = [i for i, name in enumerate(categories) if i == 0 or name != categories[i - 1]]
    for start in starts[1:]:
        axes.axhline(start - 0.5, color=colour, linewidth=0.4)
        axes.axvline(start - 0.5, color=colour, linewidth=0.4)
    axes.set_xticks([])
    axes.set_yticks([])
    if named and categories:
        ends = [*starts[1:], len(categories)]
        middles = [(start + end - 1) / 2 for start, end in zip(starts, ends, strict=True)]
        names = [plain(categories[start]) or "no category" for start in starts]
        axes.set_yticks(middles, names, fontsize=5, parse_math=False)
        axes.tick_params(length=0)
