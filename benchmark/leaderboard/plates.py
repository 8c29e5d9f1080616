"""Charts as SVG files that stand alone: profiles under one another, and bars with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from benchmark.leaderboard.board import Column
from benchmark.leaderboard.charts import Scale, number, profile
from benchmark.results import CellResult

#: With more lines than this a profile cannot be read, and colours repeat
MOST_LINES = 8
#: Pixels: a file, the room that long names need beside a profile, a profile, a title, a bar
_WIDTH, _NAMES, _PROFILE, _TITLE, _BAR = 780, 60, 250, 26, 18
#: Where bars start and end, in pixels: names stand before, numbers after
_BARS = (230, 560)
_STYLE = Markup(
    "svg { overflow: visible; } "
    "text { font: 11px system-ui, sans-serif; fill: #555; } .title { font-weight: 600; fill: #1c1c1c; } "
    ".grid { stroke: #eee; } .chance { stroke: #666; stroke-width: 1.5; stroke-dasharray: 3 3; } "
    ".ceiling { fill: #e4efe4; } .by-chance { fill: #eee; } .bar { fill: #0072b2; } "
    ".interval { stroke: #1c1c1c; stroke-width: 1.5; }"
)


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
    charts = []
    for column, cells in layered:
        shown = tuple(cell for cell in cells if cell.model in models)
        if shown:
            chart = profile(replace(column, cells=shown), models, width=_WIDTH - _NAMES, height=_PROFILE)
            charts.append((f"{column.binding}: {column.label}", chart))
    parts = [
        _at(0, i * (_PROFILE + _TITLE), _title(title) + _at(0, _TITLE, chart))
        for i, (title, chart) in enumerate(charts)
    ]
    label = ", ".join(title for title, _ in charts)
    return _file(parts, len(charts) * (_PROFILE + _TITLE), label) if charts else ""


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
    cells = [cell for column in columns for cell in column.cells]
    if not cells:
        return ""
    bounds = [0.0, *(v for c in cells for v in (c.score, c.ci_low, c.ci_high) if v is not None)]
    x = Scale(min(bounds), max(bounds), *_BARS)
    parts, top = [], 0
    for column in columns:
        parts.append(_at(0, top, _title(f"{column.binding}: {column.label}")))
        top += _TITLE
        for cell in column.cells:
            parts.append(_at(0, top, _bar(cell, x)))
            top += _BAR
        top += 8
    return _file(parts, top, ", ".join(column.binding for column in columns))


def _bar(cell: CellResult, x: Scale) -> Markup:
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
    text = f"{number(cell.score)} [{number(cell.ci_low)}, {number(cell.ci_high)}]"
    return parts + Markup('<text x="{}" y="{}">{}</text>').format(_BARS[1] + 14, middle + 4, text)


def _title(text: str) -> Markup:
    return Markup('<text class="title" x="4" y="17">{}</text>').format(text)


def _at(x: int, y: int, part: Markup) -> Markup:
    return Markup('<g transform="translate({} {})">{}</g>').format(x, y, part)


def _file(parts: Sequence[Markup], height: int, label: str) -> str:
    """A file that an ``img`` can show: it has its own style and a white ground."""
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" '
            'role="img" aria-label="{2}"><style>{3}</style>'
            '<rect width="{0}" height="{1}" fill="#fff"/>{4}</svg>\n'
        ).format(_WIDTH, height, label, _STYLE, Markup("\n").join(parts))
    )
