"""A figure of a partition: bars with intervals and, where it is true to the areas, an Euler diagram."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from benchmark.common import figures
from benchmark.common.figures import COLOURS
from benchmark.common.text import plain
from benchmark.measures.partition import MOST_SETS
from benchmark.partition.compare import ModelPartition, Part
from benchmark.partition.euler import NoDiagramError, euler_circles

_TOGETHER, _CEILING = "#555555", "#dddddd"
#: Height of a bar, and side of the diagram, in inches
_BAR, _SIDE = 0.34, 3.4


def save_figure(path: Path, found: ModelPartition) -> None:
    """Draw the parts.

    Parameters
    ----------
    path : Path
        File to write. Its ending is one of :data:`benchmark.common.figures.FORMATS`.
    found : ModelPartition

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    figures.save_figure(_draw(found), path)


def _draw(found: ModelPartition) -> Figure:
    parts = list(found.parts())
    height = max(len(parts) * _BAR, _SIDE) + 1.2
    figure = Figure(figsize=(11, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    _draw_bars(left, parts, found)
    _draw_circles(right, found)
    figure.supxlabel(_caption(found), fontsize=7, color="#555555", parse_math=False)
    return figure


def _caption(found: ModelPartition) -> str:
    about = found.provenance
    layers = ", ".join(f"{model}: {layer}" for model, layer in found.shares.layers.items())
    text = f"{about['target']}, {len(found.concepts)} concepts of {about['stimuli']}; best layers {layers}"
    for mark, models in (("untrained", found.untrained), ("trained on the target", found.trained_on)):
        if models:
            text += f"; {mark}: {', '.join(models)}"
    return plain(text + ("; MINIATURE: says nothing about people" if about["miniature"] else ""))


def _draw_bars(axes: Axes, parts: list[Part], found: ModelPartition) -> None:
    labelled = False
    for row, part in enumerate(parts):
        one = part.models[0] if len(part.models) == 1 else None
        colour = _TOGETHER if one is None else COLOURS[found.models.index(one)]
        estimate, ceiling = part.share.estimate, part.share.ceiling
        if ceiling is not None:
            axes.barh(
                row, ceiling.upper - ceiling.lower, left=ceiling.lower, height=0.9, color=_CEILING,
                label=None if labelled else "ceiling of people",
            )  # fmt: skip
            labelled = True
        axes.barh(row, estimate.score, height=0.55, color=colour, alpha=0.5 if part.name == "alone" else 1)
        axes.plot([estimate.low, estimate.high], [row, row], color="black", linewidth=1.2)
    axes.set_yticks(range(len(parts)), [plain(_label(part)) for part in parts], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("share of the variance, with 95 % interval over concepts; 0 by chance", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if labelled:
        axes.legend(fontsize=7, frameon=False, loc="upper right")


def _label(part: Part) -> str:
    """The part in words: "shared by a and b"."""
    if part.name == "total":
        return "all together"
    if len(part.models) == MOST_SETS:
        return "shared by all"
    names = " and ".join(part.models)
    return {"alone": f"{names} alone", "unique": f"only {names}", "shared": f"shared by {names}"}[part.name]


def _draw_circles(axes: Axes, found: ModelPartition) -> None:
    axes.set_axis_off()
    areas = {group: share.estimate.score for group, share in found.shares.components.items()}
    try:
        circles = euler_circles(areas)
    except NoDiagramError as reason:
        axes.text(
            0.5, 0.5, f"no diagram of areas:\n{reason}", ha="center", va="center", fontsize=8,
            transform=axes.transAxes, parse_math=False,
        )  # fmt: skip
        return
    for name, circle, colour in zip(found.models, circles, COLOURS, strict=False):
        centre = (circle.x, circle.y)
        axes.add_patch(Circle(centre, circle.radius, facecolor=colour, alpha=0.45, label=plain(name)))
        axes.add_patch(Circle(centre, circle.radius, fill=False, edgecolor=colour))
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_title("areas in proportion to the shares", fontsize=8)
    legend = axes.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0.0))
    for text in legend.get_texts():
        text.set_parse_math(False)
