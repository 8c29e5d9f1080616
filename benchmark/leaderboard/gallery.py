"""What the page shows beside scores: the arrays of results, maps of models by their RDMs, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.common.errors import BenchError
from benchmark.common.pages import data_uri
from benchmark.datasets import DataRoot
from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.order import ranks_of
from benchmark.leaderboard.shown import Shown, shown
from benchmark.measures import similarity_map
from benchmark.registry import Registry
from benchmark.results import ResultStore, Stored

#: Drawings of the project itself; other images may not be passed on
_DRAWN = "benchmark.datasets.mini:"
#: Side of a picture, in pixels
_SIDE = 48
#: A map of fewer models says nothing
_FEWEST = 3


@dataclass
class Gallery:
    """What is shown beside scores.

    Attributes
    ----------
    arrays : dict of str to dict
        By ``SUITE/MODEL``, then by binding: :func:`benchmark.leaderboard.shown.shown`.
    maps : dict of str to dict
        By suite, then by binding: the models as points.
    pictures : dict of str to dict
        By suite, then by concept: a picture as a data URI.
    unread : list of str
        A line for each result whose arrays cannot be shown.
    """

    arrays: dict[str, dict[str, Shown]] = field(default_factory=dict)
    maps: dict[str, dict[str, Shown]] = field(default_factory=dict)
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def gallery(
    boards: Sequence[Board], stored: Sequence[Stored], store: ResultStore, registry: Registry
) -> Gallery:
    """Read the arrays of all results that have some.

    Parameters
    ----------
    boards : sequence of Board
    stored : sequence of Stored
        The results of the boards.
    store : ResultStore
        Where they lie.
    registry : Registry
        Names the stimuli.

    Returns
    -------
    Gallery
        Empty where no result has arrays.
    """
    found = Gallery()
    places = {(one.cell.suite, one.cell.binding, one.cell.model): one for one in stored}
    for board in boards:
        for column in board.columns:
            ranks = _read(board, column, places, store, found)
            mapped = _map(ranks)
            if mapped:
                found.maps.setdefault(board.suite, {})[column.binding] = mapped
        if any(key.startswith(f"{board.suite}/") for key in found.arrays):
            found.pictures[board.suite] = _pictures(board, registry)
    return found


def _read(
    board: Board,
    column: Column,
    places: Mapping[tuple[str, str, str], Stored],
    store: ResultStore,
    found: Gallery,
) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Put what is shown of a column into ``found``. Ranked RDMs and concepts of its models, and of people."""
    ranks: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {}
    for cell in column.cells:
        if cell.arrays is None or cell.averaged:
            continue
        one = places[board.suite, column.binding, cell.model]
        try:
            arrays = store.arrays(one)
            of_cell = shown(cell, arrays)
        except (BenchError, ValueError) as error:
            found.unread.append(f"{one.path}: {error}")
            continue
        if of_cell:
            found.arrays.setdefault(f"{board.suite}/{cell.model}", {})[column.binding] = of_cell
        if "rdm" in of_cell:
            concepts = tuple(arrays["concepts"].astype(str))
            ranks[cell.model] = (ranks_of(arrays[f"rdm/{cell.best_layer}"].astype(np.float64)), concepts)
            if "target_rdm" in arrays:
                ranks[""] = (ranks_of(arrays["target_rdm"].astype(np.float64)), concepts)
    return ranks


def _map(ranks: Mapping[str, tuple[np.ndarray, tuple[str, ...]]]) -> Shown:
    """Models on the concepts that most of them share, as points: distance stands for sqrt(2 - 2 Spearman)."""
    on: dict[tuple[str, ...], list[str]] = {}
    for name, (vector, concepts) in ranks.items():
        if np.isfinite(vector).all() and np.ptp(vector) > 0:
            on.setdefault(concepts, []).append(name)
    names = max(on.values(), key=len, default=[])
    if len(names) < _FEWEST:
        return {}
    correlations = np.corrcoef([ranks[name][0] for name in names])
    np.fill_diagonal(correlations, 1)
    scaling = similarity_map(correlations)
    points = [
        [name, *(round(float(x), 4) for x in point)]
        for name, point in zip(names, scaling.points, strict=True)
    ]
    return {"points": points, "explained": round(float(scaling.explained), 4)}


def _pictures(board: Board, registry: Registry) -> dict[str, str]:
    """One picture of each concept of the stimuli that the project has drawn."""
    suite = registry.suites.get(board.suite)
    names = {binding.stimuli for binding in suite.bindings.values()} if suite else set()
    pictures: dict[str, str] = {}
    for name in sorted(names & set(registry.datasets)):
        placed = registry.dataset(name)
        if not str(placed.entry.plugin).startswith(_DRAWN):
            continue
        stimuli = placed.load()(DataRoot(Path()), name=name, **placed.entry.params)
        for concept in stimuli.concept_ids:
            image = stimuli.image(stimuli.concepts.index(concept)).convert("RGB")
            image.thumbnail((_SIDE, _SIDE))
            pictures.setdefault(concept, data_uri(image))
    return pictures
