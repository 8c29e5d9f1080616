"""What all figures share: their size, their letters, and the marks of categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    """Write ``text`` under a figure, and that it is of the miniature if one of its ``cells`` is."""
    miniature = any(cell.miniature for cell in cells)
    figure.supxlabel(
        plain(f"{text}; {_MINIATURE}" if miniature else text),
        fontsize=6,
        color=SOFT,
        parse_math=False,
        wrap=True,
    )


def title(axes: Axes, text: str) -> None:
    """Write ``text``, of one or more lines, over a panel ``axes``; no name in it is read as mathematics."""
    axes.set_title("\n".join(map(plain, text.split("\n"))), fontsize=7, loc="left", parse_math=False)


def p_text(p: float | None) -> str:
    """A p-value as a paper writes it."""
    if p is None or np.isnan(p):
        return "p undefined"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def mark_categories(axes: Axes, categories: list[str], *, named: bool, colour: str = "white") -> None:
    """Draw lines of a ``colour`` between categories on ``axes``, and names on the left if ``named``."""
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
