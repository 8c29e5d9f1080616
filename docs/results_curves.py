"""Two sections of the page of the results: 1 vs 2 layer by layer on many mistakes, and poolings."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from results_words import ALPHA, below_chance, interval_text, p_text, table

from benchmark.leaderboard.board import Board
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult, LayerScore

POOLING = Path(__file__).parent / "explanation" / "pooling.csv"
#: Quantile of the normal distribution for an interval of 95 %
_NORMAL = 1.959964
#: Width below which the interval of a curve is called narrow
_NARROW = 0.05


def mistakes_section(board: Board) -> str:
    """1 vs 2 where every concept has several groups of images: the curve over layers, and its reading."""
    cells = [
        cell
        for column in board.columns
        for cell in column.cells
        if cell.task == "one_vs_two" and cell.counts.get("groups", 1) > 1
    ]
    if not cells:
        return ""
    return "\n".join(
        [
            "## 1 vs 2 layer by layer, on many mistakes",
            "",
            "Bindings with several images of each concept, dealt into groups, so that a network makes many "
            "mistakes. The interval is over images and concepts; the one beside it is over images alone, as "
            "if mistakes were independent. The true class is *recovered* in a layer where the "
            "score is above half and p, by permutation and corrected over layers, is below "
            f"{number(ALPHA)}. Below half, the layer stands nearer to the class that the image was taken "
            "for.",
            "",
            *(_curve(cell) for cell in cells),
            "",
            table(
                ("binding", "model", "layer", "accuracy", "over images alone", "p, corrected"), _rows(cells)
            ),
        ]
    )


def _curve(cell: CellResult) -> str:
    """What the curve of a model says, in a sentence that its numbers choose."""
    scored = [layer for layer in cell.layers if layer.metrics]
    scores = [layer.metrics[str(cell.metric)] for layer in scored]
    widths = [(s.ci_high or 0.0) - (s.ci_low or 0.0) for s in scores]
    above = [f"`{layer.name}`" for layer in cell.layers if _is_recovered(layer)]
    best = max(scored, key=lambda layer: layer.metrics[str(cell.metric)].score or 0.0).name
    below = sum(below_chance(score) for score in scores)
    said = (
        f"recovered in {len(above)} of {len(cell.layers)} layers ({', '.join(above)})"
        if above
        else f"recovered in none of {len(cell.layers)} layers"
    )
    return (
        f"- `{cell.binding}`, `{cell.model}`: {cell.counts['misclassified_joined']} mistakes over "
        f"{cell.n} concepts; the true class is {said}; the highest accuracy is in `{best}`; the interval is "
        f"below half in {below} of {len(scores)} layers; intervals span {number(min(widths))} to "
        f"{number(max(widths))}.{_limit(cell, scored)}"
    )


def _limit(cell: CellResult, layers: Sequence[LayerScore]) -> str:
    """Whether mistakes or concepts limit how narrow the interval is, in the layer where it is widest.

    Over mistakes alone the interval is that of a binomial proportion. The rest of the variance is between
    concepts: it does not shrink with more images of the same concepts.
    """
    found = [layer.metrics[str(cell.metric)] for layer in layers]
    widest = max(found, key=lambda one: (one.ci_high or 0.0) - (one.ci_low or 0.0))
    width = (widest.ci_high or 0.0) - (widest.ci_low or 0.0)
    if width < _NARROW:
        return ""
    alone = 2 * _half_over_images(widest.score or 0.0, cell)
    between = math.sqrt(max(width**2 - alone**2, 0.0))
    said = (
        f" In the layer with the widest interval, one over images alone spans {number(alone)}; without end "
        f"of images of these concepts, about {number(between)} would remain. "
    )
    if between <= _NARROW:
        return said + f"So images limit it, and more of them would bring it below {number(_NARROW)}."
    needed = round((cell.n or 0) * (width / _NARROW) ** 2)
    return said + (
        f"So the number of concepts limits it: below {number(_NARROW)} takes about {needed} concepts with as "
        f"many mistakes each."
    )


def _half_over_images(score: float, cell: CellResult) -> float:
    """Half of the interval of a binomial proportion: over images alone, as if mistakes were independent."""
    return _NORMAL * math.sqrt(score * (1 - score) / cell.counts["misclassified_joined"])


def _is_recovered(layer: LayerScore) -> bool:
    return layer.p_fdr is not None and layer.p_fdr < ALPHA


def _rows(cells: Sequence[CellResult]) -> list[tuple[str, ...]]:
    return [
        (
            f"`{cell.binding}`",
            f"`{cell.model}`",
            f"`{layer.name}`",
            _interval(layer, cell),
            _over_images(layer, cell),
            p_text(layer.p_fdr),
        )
        for cell in cells
        for layer in cell.layers
    ]


def _interval(layer: LayerScore, cell: CellResult) -> str:
    found = layer.metrics.get(str(cell.metric))
    if found is None:
        return "-"
    return interval_text(found.score, found.ci_low, found.ci_high)


def _over_images(layer: LayerScore, cell: CellResult) -> str:
    found = layer.metrics.get(str(cell.metric))
    if found is None or found.score is None:
        return "-"
    half = _half_over_images(found.score, cell)
    return f"[{number(found.score - half)}, {number(found.score + half)}]"


def pooling_section() -> str:
    """2 vs 2 of the early layers under each way to make one vector of a map."""
    with POOLING.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    ways = list(dict.fromkeys(row["pooling"] for row in rows))
    layers = list(dict.fromkeys((row["model"], row["layer"]) for row in rows))
    found = {(row["model"], row["layer"], row["pooling"]): row for row in rows}
    body = [
        (f"`{model}`", f"`{layer}`", *(_of_way(found[model, layer, way]) for way in ways))
        for model, layer in layers
    ]
    highest = [max(ways, key=lambda way: float(found[(*one, way)]["score"])) for one in layers]
    counts = ", ".join(f"`{way}` in {highest.count(way)}" for way in ways)
    return "\n".join(
        [
            "## How early layers are pooled",
            "",
            f"2 vs 2 with GloVe of {rows[0]['n']} concepts, by how the map of a convolution becomes one "
            "vector: the average or the maximum over positions, or a random projection of all positions, "
            "which keeps where things are. Dharmaretnam & Fyshe (2018) do not say how they made it. The "
            f"highest score of a layer is that of {counts} of {len(layers)} layers "
            "(`python tests/benchmarks/pooling.py DATA`).",
            "",
            table(("model", "layer", *(f"`{way}`" for way in ways)), body),
        ]
    )


def _of_way(row: dict[str, str]) -> str:
    return interval_text(float(row["score"]), float(row["low"]), float(row["high"]))
