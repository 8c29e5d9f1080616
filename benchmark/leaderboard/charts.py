"""Charts as inline SVG: a score with its chance and its ceiling, and a score layer by layer.

``width`` and ``height`` of a chart are in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchmark.leaderboard.board import Column
from benchmark.results import LEVELS, CellResult, Estimate
from benchmark.task import Metric

#: The colours of Okabe & Ito, which colour-blind readers can distinguish too; black is kept for text
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#5254a3")
_UNTRAINED = "#9a9a9a"
#: Share of the span that stays free at each end of an axis
_MARGIN = 0.06


def number(value: float | None, digits: int = 3) -> str:
    """Format ``value`` with ``digits`` decimals; an undefined value is a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels: ``low`` to ``start`` and ``high`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Three to six round values."""
        span = self.high - self.low
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, span) if span / s <= 6)
        first = -(-self.low // step)
        return [round((first + i) * step, 6) for i in range(8) if (first + i) * step <= self.high + 1e-9]


def _scale(values: Iterable[float | None], start: float, stop: float) -> Scale:
    known = [v for v in values if v is not None]
    low, high = min(known), max(known)
    margin = (high - low or 1.0) * _MARGIN
    return Scale(low - margin, high + margin, start, stop)


def _of_cell(cell: CellResult) -> list[float | None]:
    return [cell.score, cell.ci_low, cell.ci_high, *_levels(cell)]


def _levels(of: CellResult | Estimate) -> list[float | None]:
    return [getattr(of, level) for level in LEVELS]


def whisker(cell: CellResult, column: Column, width: int = 260, height: int = 22) -> Markup:
    """Draw the score of a cell with its interval, chance as a dashed line with its band, a shaded ceiling.

    Parameters
    ----------
    cell : CellResult
    column : Column
        The column of the cell. All its charts share one axis.
    width, height : int
        In pixels.

    Returns
    -------
    Markup
        An ``svg`` element.
    """
    x = _scale((v for c in column.cells for v in _of_cell(c)), 2, width - 2)
    middle = height / 2
    parts = [
        _band(cell.ceiling_low, cell.ceiling_high, x, height, "ceiling"),
        _band(cell.chance_low, cell.chance_high, x, height, "by-chance"),
        _chance(cell.chance, x, height),
    ]
    colour = _UNTRAINED if cell.untrained else _COLOURS[0]
    if cell.ci_low is not None and cell.ci_high is not None:
        parts.append(
            Markup('<line x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}" stroke="{}" stroke-width="2"/>').format(
                x(cell.ci_low), x(cell.ci_high), middle, middle, colour
            )
        )
    if cell.score is not None:
        parts.append(
            Markup('<circle cx="{:.1f}" cy="{}" r="4.5" fill="{}"/>').format(x(cell.score), middle, colour)
        )
    label = (
        f"{cell.model}: {number(cell.score)}, 95 % interval {number(cell.ci_low)} to {number(cell.ci_high)}, "
        f"chance {number(cell.chance)}"
    )
    return _svg(parts, width, height, label)


def profile(
    column: Column, models: Sequence[str], metric: Metric | None = None, width: int = 620, height: int = 250
) -> Markup:
    """Draw scores layer by layer, from the input (left) to the output (right), with 95 % intervals.

    Parameters
    ----------
    column : Column
        Its models are the lines of the chart.
    models : sequence of str
        All models of the board: a model has the same colour in every chart of a board.
    metric : Metric, optional
        One of ``column.further``. Default: that of the score.
    width, height : int
        In pixels.

    Returns
    -------
    Markup
        An ``svg`` element.
    """
    name = metric.name if metric else column.cells[0].metric or ""
    curves = [(cell, _curve(cell, name)) for cell in column.cells]
    values = [v for _, curve in curves for e in curve if e for v in (e.score, e.ci_low, e.ci_high)]
    levels = next((e for _, curve in curves for e in curve if e), Estimate())
    y = _scale([*values, *_levels(levels)], height - 26, 8)
    x = Scale(0, 1, 44, width - 200)
    parts = [_axes(x, y), _horizontal(levels, x, y)]
    colours = [_colour(cell, models) for cell in column.cells]
    for (cell, curve), colour in zip(curves, colours, strict=True):
        parts += _line(cell, curve, x, y, colour)
    parts += _legend(column.cells, colours, x.stop + 14)
    label = metric.label if metric else column.label
    return _svg(parts, width, height, f"{column.binding}: {label} by layer")


def _curve(cell: CellResult, metric: str) -> list[Estimate | None]:
    return [layer.metrics.get(metric) for layer in cell.layers]


def _line(
    cell: CellResult, curve: Sequence[Estimate | None], x: Scale, y: Scale, colour: str
) -> list[Markup]:
    places = [x(i / (len(curve) - 1)) for i in range(len(curve))] if len(curve) > 1 else [x(1)]
    known = [
        (px, y(e.score), e, layer.name)
        for px, e, layer in zip(places, curve, cell.layers, strict=True)
        if e and e.score is not None
    ]
    parts = []
    edges = [
        (px, y(e.ci_low), y(e.ci_high))
        for px, _, e, _ in known
        if e.ci_low is not None and e.ci_high is not None
    ]
    if len(edges) > 1:
        outline = [f"{px:.1f},{top:.1f}" for px, _, top in edges]
        outline += [f"{px:.1f},{bottom:.1f}" for px, bottom, _ in reversed(edges)]
        parts.append(
            Markup('<polygon points="{}" fill="{}" opacity="0.10"/>').format(" ".join(outline), colour)
        )
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py, _, _ in known)
    dash = Markup(' stroke-dasharray="4 3"') if cell.untrained else Markup("")
    parts.append(
        Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"{}/>').format(
            path, colour, dash
        )
    )
    for px, py, e, name in known:
        parts.append(
            Markup(
                '<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"><title>{} {}: {}</title></circle>'
            ).format(px, py, colour, cell.model, name, number(e.score))
        )
    return parts


def _axes(x: Scale, y: Scale) -> Markup:
    ticks = Markup("").join(
        Markup(
            '<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}" class="grid"/>'
            '<text x="{3}" y="{4:.1f}" text-anchor="end">{5:g}</text>'
        ).format(x.start, x.stop, y(t), x.start - 6, y(t) + 4, t)
        for t in y.ticks()
    )
    names = Markup(
        '<text x="{}" y="{}">input</text><text x="{}" y="{}" text-anchor="end">output</text>'
    ).format(x.start, y.start + 18, x.stop, y.start + 18)
    return ticks + names


def _horizontal(levels: Estimate, x: Scale, y: Scale) -> Markup:
    """Chance as a dashed line with its band, and the noise ceiling as a band, across a profile."""
    lines = Markup("")
    for low, high, style in (
        (levels.ceiling_low, levels.ceiling_high, "ceiling"),
        (levels.chance_low, levels.chance_high, "by-chance"),
    ):
        if low is not None and high is not None:
            lines += Markup('<rect x="{}" width="{}" y="{:.1f}" height="{:.1f}" class="{}"/>').format(
                x.start, x.stop - x.start, y(high), y(low) - y(high), style
            )
    if levels.chance is not None:
        lines += Markup('<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}" class="chance"/>').format(
            x.start, x.stop, y(levels.chance)
        )
    return lines


def _band(low: float | None, high: float | None, x: Scale, height: int, style: str) -> Markup:
    if low is None or high is None:
        return Markup("")
    return Markup('<rect x="{:.1f}" width="{:.1f}" y="0" height="{}" class="{}"/>').format(
        x(low), x(high) - x(low), height, style
    )


def _chance(chance: float | None, x: Scale, height: int) -> Markup:
    if chance is None:
        return Markup("")
    return Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}" class="chance"/>').format(
        x(chance), height
    )


def _colour(cell: CellResult, models: Sequence[str]) -> str:
    return _UNTRAINED if cell.untrained else _COLOURS[models.index(cell.model) % len(_COLOURS)]


def _legend(cells: Sequence[CellResult], colours: Sequence[str], left: float) -> list[Markup]:
    lines = []
    for row, (cell, colour) in enumerate(zip(cells, colours, strict=True)):
        lines.append(
            Markup(
                '<line x1="{0}" x2="{1}" y1="{2}" y2="{2}" stroke="{3}" stroke-width="3"/>'
                '<text x="{4}" y="{5}">{6}</text>'
            ).format(left, left + 14, 14 + 16 * row, colour, left + 20, 18 + 16 * row, cell.model)
        )
    return lines


def _svg(parts: Iterable[Markup], width: int, height: int, label: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>'
    ).format(width, height, label, Markup("").join(parts))
