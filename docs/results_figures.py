"""Figures of the page ``explanation/results.md``, as SVG files that stand alone.

They are drawn here, byte for byte the same on every machine, so that a test can hold them current.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from results_words import interval_text

from benchmark.common.figures import COLOURS
from benchmark.leaderboard.board import Column
from benchmark.results import CellResult, Estimate

#: With more lines than this a profile cannot be read, and colours repeat
MOST_LINES = 8
#: Pixels: width of a file, height of a profile, of a title and of a bar
_WIDTH, _PROFILE, _TITLE, _BAR = 780, 250, 26, 18
#: Where a profile and where bars start and end, in pixels: names and numbers stand beside them
_LAYERS, _BARS = (44, 520), (230, 560)
#: Share of the span that stays free at each end of an axis
_MARGIN = 0.06
_STYLE = Markup(
    "text { font: 11px system-ui, sans-serif; fill: #555; } .title { font-weight: 600; fill: #1c1c1c; } "
    ".grid { stroke: #eee; } .chance { stroke: #666; stroke-width: 1.5; stroke-dasharray: 3 3; } "
    ".ceiling { fill: #c5dcc5; } .bar { fill: #0072b2; } .interval { stroke: #1c1c1c; stroke-width: 1.5; }"
)


@dataclass(frozen=True)
class _Scale:
    """Maps values to pixels: ``low`` to ``start`` and ``high`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Three to six round values."""
        span = self.high - self.low
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, span) if span / s <= 6)
        first = -(-self.low // step)
        return [round((first + i) * step, 6) for i in range(8) if (first + i) * step <= self.high + 1e-9]


def profiles(columns: Sequence[Column]) -> str:
    """Draw the scores of several bindings layer by layer, one chart under the other.

    Models with one layer have no profile. Of the others :data:`MOST_LINES` at most are drawn, the best of the
    first binding first. A model has the same colour in every chart.

    Parameters
    ----------
    columns : sequence of Column

    Returns
    -------
    str
        An SVG file; empty if no column has a profile.
    """
    layered = [(column, [cell for cell in column.cells if len(cell.layers) > 1]) for column in columns]
    models = list(dict.fromkeys(cell.model for _, cells in layered for cell in cells))[:MOST_LINES]
    charts = [
        (f"{column.binding}: {column.label}", _profile(shown, models))
        for column, cells in layered
        if (shown := [cell for cell in cells if cell.model in models])
    ]
    parts = [
        at(i * (_PROFILE + _TITLE), title(name) + at(_TITLE, chart)) for i, (name, chart) in enumerate(charts)
    ]
    label = ", ".join(name for name, _ in charts)
    return file(parts, len(charts) * (_PROFILE + _TITLE), label) if charts else ""


def bars(columns: Sequence[Column]) -> str:
    """Draw the scores of several bindings as bars with their intervals, all on one axis.

    Parameters
    ----------
    columns : sequence of Column

    Returns
    -------
    str
        An SVG file; empty if there is no column.
    """
    if not columns:
        return ""
    cells = [cell for column in columns for cell in column.cells]
    bounds = [0.0, *_known(v for cell in cells for v in (cell.score, cell.ci_low, cell.ci_high))]
    x = _Scale(min(bounds), max(bounds), *_BARS)
    parts, top = [], 0
    for column in columns:
        parts.append(at(top, title(f"{column.binding}: {column.label}")))
        top += _TITLE
        for cell in column.cells:
            parts.append(at(top, _bar(cell, x)))
            top += _BAR
        top += 8
    return file(parts, top, ", ".join(column.binding for column in columns))


def _profile(cells: Sequence[CellResult], models: Sequence[str]) -> Markup:
    """Lines over the layers, with the intervals as bands, chance and the noise ceiling."""
    curves = [[layer.metrics.get(str(cell.metric)) for layer in cell.layers] for cell in cells]
    points = [estimate for curve in curves for estimate in curve if estimate]
    levels = [points[0].chance, points[0].ceiling_low, points[0].ceiling_high]
    values = _known([v for e in points for v in (e.score, e.ci_low, e.ci_high)] + levels)
    margin = (max(values) - min(values) or 1.0) * _MARGIN
    y = _Scale(min(values) - margin, max(values) + margin, _PROFILE - 26, 8)
    parts = [_axes(y), _levels(points[0], y)]
    for row, (cell, curve) in enumerate(zip(cells, curves, strict=True)):
        colour = COLOURS[models.index(cell.model)]
        parts += [_curve(curve, y, colour), _key(row, cell.model, colour)]
    return Markup("").join(parts)


def _axes(y: _Scale) -> Markup:
    left, right = _LAYERS
    ticks = Markup("").join(
        Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
            '<text x="{3}" y="{4:.1f}" text-anchor="end">{5:g}</text>'
        ).format(left, right, y(tick), left - 6, y(tick) + 4, tick)
        for tick in y.ticks()
    )
    names = Markup('<text x="{}" y="{}">input</text><text x="{}" y="{}" text-anchor="end">output</text>')
    return ticks + names.format(left, y.start + 18, right, y.start + 18)


def _levels(of: Estimate, y: _Scale) -> Markup:
    left, right = _LAYERS
    lines = Markup("")
    if of.ceiling_low is not None and of.ceiling_high is not None:
        lines += Markup('<rect class="ceiling" x="{}" width="{}" y="{:.1f}" height="{:.1f}"/>').format(
            left,
            right - left,
            y(of.ceiling_high),
            max(y(of.ceiling_low) - y(of.ceiling_high), 2),  # a ceiling that is one number is a line
        )
    if of.chance is not None:
        lines += Markup('<line class="chance" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>').format(
            left, right, y(of.chance)
        )
    return lines


def _curve(curve: Sequence[Estimate | None], y: _Scale, colour: str) -> Markup:
    x = _Scale(0, len(curve) - 1, *_LAYERS)
    known = [(x(i), estimate) for i, estimate in enumerate(curve) if estimate and estimate.score is not None]
    edges = [(px, e.ci_low, e.ci_high) for px, e in known if None not in (e.ci_low, e.ci_high)]
    outline = [f"{px:.1f},{y(high):.1f}" for px, _, high in edges]
    outline += [f"{px:.1f},{y(low):.1f}" for px, low, _ in reversed(edges)]
    line = [f"{px:.1f},{y(e.score):.1f}" for px, e in known]
    band = Markup('<polygon points="{}" fill="{}" opacity="0.1"/>').format(" ".join(outline), colour)
    path = Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>')
    dots = Markup("").join(
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>').format(px, y(e.score), colour)
        for px, e in known
    )
    return band + path.format(" ".join(line), colour) + dots


def _key(row: int, model: str, colour: str) -> Markup:
    left, top = _LAYERS[1] + 14, 14 + 16 * row
    return Markup(
        '<line x1="{0}" x2="{1}" y1="{2}" y2="{2}" stroke="{3}" stroke-width="3"/>'
        '<text x="{4}" y="{5}">{6}</text>'
    ).format(left, left + 14, top, colour, left + 20, top + 4, model)


def _bar(cell: CellResult, x: _Scale) -> Markup:
    score, middle = cell.score or 0.0, _BAR / 2
    left, right = sorted((x(0), x(score)))
    parts = Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
        _BARS[0] - 12, middle + 4, cell.model
    )
    parts += Markup('<rect class="bar" x="{:.1f}" width="{:.1f}" y="3" height="{}"/>').format(
        left, right - left, _BAR - 6
    )
    if cell.ci_low is not None and cell.ci_high is not None:
        parts += Markup('<line class="interval" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
            x(cell.ci_low), x(cell.ci_high), middle, middle
        )
    parts += Markup('<line class="chance" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(x(0), _BAR)
    text = interval_text(cell.score, cell.ci_low, cell.ci_high)
    return parts + Markup('<text x="{}" y="{}">{}</text>').format(_BARS[1] + 14, middle + 4, text)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def title(text: str) -> Markup:
    """The title of a chart, at its top."""
    return Markup('<text class="title" x="4" y="17">{}</text>').format(text)


def at(y: int, part: Markup) -> Markup:
    """A part, moved down."""
    return Markup('<g transform="translate(0 {})">{}</g>').format(y, part)


def file(parts: Sequence[Markup], height: int, label: str) -> str:
    """A file that an ``img`` can show: it has its own style and a white ground."""
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" '
            'role="img" aria-label="{2}"><style>{3}</style>'
            '<rect width="{0}" height="{1}" fill="#fff"/>{4}</svg>\n'
        ).format(_WIDTH, height, label, _STYLE, Markup("\n").join(parts))
    )
