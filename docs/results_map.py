"""A section of the page of the results: how alike the models are to one another, with its figure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from results_figures import at, file, title
from results_words import interval_text, table

from benchmark.common.figures import COLOURS
from benchmark.measures import similarity_map

SIMILARITY = Path(__file__).parent / "explanation" / "model-similarity.csv"
#: Pixels: width of a file and of the names of rows, height of a row of the heat map and of the map
_WIDTH, _NAMES, _ROW, _MAP = 780, 292, 17, 430
#: Free pixels around the map, for its numbers
_MARGIN = 24
_LIGHT, _DARK = (247, 251, 255), (8, 69, 148)
#: Similarity from which the numbers of a cell are white
_DARK_FROM = 0.55


class Alike(NamedTuple):
    """Rows of the file: layers of models, and how alike every two are, with the ends of the intervals."""

    layers: list[tuple[str, str]]
    similarity: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int


@cache
def alike() -> Alike:
    """Read the file."""
    with SIMILARITY.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    pairs = [((row["model_a"], row["layer_a"]), (row["model_b"], row["layer_b"]), row) for row in rows]
    layers = list(dict.fromkeys(one for a, b, _ in pairs for one in (a, b)))
    # rows of the file are the pairs of an upper triangle, so the first layer comes first
    where = {one: i for i, one in enumerate(layers)}
    found = [np.eye(len(layers)) for _ in range(3)]
    for a, b, row in pairs:
        for matrix, name in zip(found, ("similarity", "ci_low", "ci_high"), strict=True):
            matrix[where[a], where[b]] = matrix[where[b], where[a]] = float(row[name])
    return Alike(layers, found[0], found[1], found[2], int(rows[0]["n"]))


def _command(found: Alike) -> str:
    models = ",".join(dict.fromkeys(model for model, _ in found.layers))
    return (
        f"bench similarity --suite human --stimuli kriegeskorte92 --model {models} "
        "--layers pre_logits,features,output --format csv"
    )


def map_section() -> str:
    """Which models are alike: the closest layer of another model for each layer, and the figure."""
    found = alike()
    models = np.array([model for model, _ in found.layers])
    other = np.where(models[:, None] == models, -np.inf, found.similarity)
    closest = other.argmax(axis=1)
    body = [
        (f"`{model}`", f"`{layer}`", *_closest(found, i, int(closest[i])))
        for i, (model, layer) in enumerate(found.layers)
    ]
    alone = int(other.max(axis=1).argmin())
    explained = similarity_map(found.similarity).explained
    return "\n".join(
        [
            "## How alike the models are",
            "",
            "Spearman correlation of the RDMs of the last features and of the output of each model, over the "
            f"{found.n} images of `hit_rdm`. The output of an association network is the square root of its "
            "strengths, that of a classifier the logits of its classes. The layer that is least like any of "
            f"another model is {_name(found.layers[alone])}. On the map the distance of two layers stands "
            f"for sqrt(2 - 2 similarity); it shows {explained:.0%} of the variance. No layer "
            "was chosen by a score.",
            "",
            "```",
            _command(found),
            "```",
            "",
            "![Heat map and map in two dimensions: How alike the models are](figures/models.svg)",
            "",
            table(("model", "layer", "closest of another model", "similarity"), body),
        ]
    )


def _name(layer: tuple[str, str]) -> str:
    return f"`{layer[0]}` `{layer[1]}`"


def _closest(found: Alike, i: int, j: int) -> tuple[str, str]:
    score, low, high = (matrix[i, j] for matrix in (found.similarity, found.low, found.high))
    return _name(found.layers[j]), interval_text(score, low, high)


def map_figure() -> str:
    """Draw the heat map of the similarities, and under it the map of the layers."""
    found = alike()
    height = len(found.layers) * _ROW
    parts = [
        title("Spearman correlation of RDMs: the number of a column is that of the row"),
        at(26, _heat(found)),
        at(26 + height + 24, title("Map: layers that are near are alike; a line joins layers of a model")),
        at(26 + height + 50, _points(found)),
    ]
    return file(parts, 26 + height + 50 + _MAP, "How alike the models are")


def _heat(found: Alike) -> Markup:
    side = (_WIDTH - _NAMES - 8) / len(found.layers)
    parts = []
    for i, (model, layer) in enumerate(found.layers):
        name = Markup('<text x="{}" y="{}" text-anchor="end">{} {} {}</text>')
        parts.append(name.format(_NAMES - 6, i * _ROW + 12, model, layer, i + 1))
        for j, value in enumerate(found.similarity[i]):
            cell = Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" fill="{}"/>')
            parts.append(cell.format(_NAMES + j * side, i * _ROW, side, _ROW, _shade(value)))
            text = Markup(
                '<text x="{:.1f}" y="{}" text-anchor="middle" style="font-size: 7.5px; fill: {}">{}</text>'
            )
            ink, middle = "#fff" if value > _DARK_FROM else "#1c1c1c", _NAMES + (j + 0.5) * side
            parts.append(text.format(middle, i * _ROW + 12, ink, f"{value:.2f}"))
    return Markup("").join(parts)


def _shade(value: float) -> str:
    share = min(max(value, 0.0), 1.0)
    mixed = (round(light + share * (dark - light)) for light, dark in zip(_LIGHT, _DARK, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _points(found: Alike) -> Markup:
    points = similarity_map(found.similarity).points
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((_WIDTH - 2 * _MARGIN) / (high - low)[0], (_MAP - 2 * _MARGIN) / (high - low)[1])
    placed = (points - low) * scale + _MARGIN
    models = list(dict.fromkeys(model for model, _ in found.layers))
    parts = []
    for k, model in enumerate(models):
        rows = [i for i, (of, _) in enumerate(found.layers) if of == model]
        parts.append(_line(placed[rows], COLOURS[k % len(COLOURS)]))
    return Markup("").join([*parts, *_numbers(placed)])


def _line(points: Sequence[Sequence[float]] | np.ndarray, colour: str) -> Markup:
    ends = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    dots = Markup("").join(
        Markup('<circle cx="{:.0f}" cy="{:.0f}" r="3.5" fill="{}"/>').format(x, y, colour) for x, y in points
    )
    return Markup('<polyline points="{}" fill="none" stroke="{}"/>').format(ends, colour) + dots


def _numbers(points: np.ndarray) -> list[Markup]:
    """The number of each layer at its point; layers on one point share a text."""
    at_point: dict[tuple[float, float], list[str]] = {}
    for i, (x, y) in enumerate(points.round(), start=1):
        at_point.setdefault((x, y), []).append(str(i))
    text = Markup('<text x="{:.0f}" y="{:.0f}">{}</text>')
    return [text.format(x + 5, y - 4, ", ".join(numbers)) for (x, y), numbers in at_point.items()]
