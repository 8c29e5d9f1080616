"""What the page shows, as plain data for its script.

Names are short, because they are repeated in every cell: ``s`` score, ``l`` and ``h`` bounds of its interval,
``c`` chance with its band ``cl`` and ``ch``, ``gl`` and ``gh`` the noise ceiling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.leaderboard.board import Board, Column, UnderRecipes
from benchmark.leaderboard.gallery import Gallery
from benchmark.leaderboard.ranks import is_ranked
from benchmark.results import (
    CellResult,
    Estimate,
    LayerScore,
    concepts_of,
    finite_or_none,
    perturbed_of,
)

_SHORT = {
    "s": "score",
    "l": "ci_low",
    "h": "ci_high",
    "c": "chance",
    "cl": "chance_low",
    "ch": "chance_high",
    "gl": "ceiling_low",
    "gh": "ceiling_high",
}
#: Parts of a registry entry that a reader wants to know of a model
_ABOUT = ("description", "parameters", "trained_on", "licence", "citation", "url")
_DIGITS = 4

Content = dict[str, Any]


def content(boards: Sequence[Board], gallery: Gallery) -> Content:
    """The data of the whole page.

    Parameters
    ----------
    boards : sequence of Board
    gallery : Gallery
        Maps and pictures.

    Returns
    -------
    dict
        As JSON can hold it: suites, each with its models and its bindings, and these with their cells.
    """
    return {"suites": [_suite(board, gallery) for board in boards]}


def profiles(boards: Sequence[Board]) -> dict[str, list[Content]]:
    """The layers of all cells of each suite, by the name of the suite.

    Parameters
    ----------
    boards : sequence of Board

    Returns
    -------
    dict of str to list
        One entry for each cell, with ``binding``, ``model`` and ``layers``; and ``paired``, what a comparison
        with another model needs, where the cell holds it.
    """
    return {
        board.suite: [
            {
                "binding": column.binding,
                "model": cell.model,
                "layers": list(map(_layer, cell.layers)),
                **_paired(cell),
            }
            for column in board.columns
            for cell in column.cells
        ]
        for board in boards
    }


def _paired(cell: CellResult) -> Content:
    """Score of the best layer on all concepts, and its changes, as :func:`paired_difference` takes them."""
    found = None if cell.averaged else perturbed_of(cell)
    if found is None or np.isnan(found.concepts).all() or np.isnan(found.score):
        return {}
    n, on = concepts_of(cell)
    changes = [[finite_or_none(x) for x in of] for of in (found.concepts, found.pairs)]
    return {"paired": {"s": found.score, "n": n, "on": on, "concepts": changes[0], "pairs": changes[1]}}


def _suite(board: Board, gallery: Gallery) -> Content:
    return {
        "name": board.suite,
        "description": board.description,
        "miniature": board.miniature,
        "models": [_model(model, board) for model in board.models],
        "bindings": [_binding(column) for column in board.columns],
        "maps": gallery.maps.get(board.suite, {}),
        "pictures": gallery.pictures.get(board.suite, {}),
    }


def _model(model: str, board: Board) -> Content:
    cell = next(column.by_model[model] for column in board.columns if model in column.by_model)
    about: Content = {}
    if cell.provenance is not None:
        entry = cell.provenance.registry_entry
        about = {name: entry[name] for name in _ABOUT if entry.get(name)}
        about |= {"family": _family(str(entry.get("plugin", "")))}
        about |= {"weights": cell.provenance.weights, "preprocessing": cell.provenance.preprocessing}
    return {"name": model, "untrained": cell.untrained, "about": about}


def _family(plugin: str) -> str:
    """The file or module of a plug-in, as a name: ``timm`` for models/timm_models.py:Timm."""
    return re.split(r"[/.]", plugin.partition(":")[0].removesuffix(".py"))[-1].removesuffix("_models")


def _binding(column: Column) -> Content:
    metric = column.metric
    return {
        "name": column.binding,
        "task": column.cells[0].task,
        "metric": column.cells[0].metric,
        "label": column.label,
        "higher": metric is None or metric.higher_is_better,
        "question": column.question,
        "stimuli": column.stimuli,
        "target": column.target,
        "chance": metric.chance if metric else "",
        "ceiling": metric.ceiling if metric else "",
        "further": [{"name": other.name, "label": other.label} for other in column.further],
        "n": max(cell.n or 0 for cell in column.cells),
        "unit": column.unit,
        "cells": [_cell(cell, column) for cell in column.cells],
        "refused": dict(column.refused),
    }


def _recipes(under: UnderRecipes) -> Content:
    scores, ranks = under.scores.values(), under.ranks.values()
    return {
        "n": len(scores),
        "scores": [_rounded(min(scores)), _rounded(max(scores))],
        "ranks": [min(ranks), max(ranks)],
        "ahead_of": list(under.ahead_of),
    }


def _cell(cell: CellResult, column: Column) -> Content:
    ranks = column.ranks.get(cell.model)
    under = column.recipes.get(cell.model)
    best = next((layer for layer in cell.layers if layer.name == cell.best_layer), None)
    optional = {
        "p": best.p if best else None,
        "pf": best.p_fdr if best else None,
        "t": cell.trained_on,
        "u": cell.untrained,
        "seeds": cell.averaged,
        "rank": list(ranks) if ranks else None,
        "recipes": _recipes(under) if under else None,
        "counts": cell.counts,
        "notes": list(cell.notes),
    }
    made = cell.provenance
    return {
        "model": cell.model,
        **_numbers(cell),
        "n": cell.n,
        "layer": cell.best_layer,
        "ranked": is_ranked(cell),
        "made": made.created[:10] if made else "",
        "params": made.params if made else {},
        **{name: value for name, value in optional.items() if value},
    }


def _layer(layer: LayerScore) -> Content:
    if layer.undefined is not None:
        return {"name": layer.name, "undefined": layer.undefined}
    metrics = {name: _numbers(estimate) for name, estimate in layer.metrics.items()}
    return {"name": layer.name, "metrics": metrics, "p": _rounded(layer.p_fdr)}


def _numbers(of: CellResult | Estimate) -> Mapping[str, float]:
    values = {short: _rounded(getattr(of, name)) for short, name in _SHORT.items()}
    return {short: value for short, value in values.items() if value is not None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
