"""What stands on the page: one board a suite, one column a binding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.common.errors import BenchError
from benchmark.registry import Registry
from benchmark.results import CellResult, average_seeds
from benchmark.task import Metric


@dataclass(frozen=True)
class Column:
    """All models on one binding, the best first.

    Attributes
    ----------
    binding : str
    question : str
        What the task asks, from the registry.
    stimuli, target : str
        What is shown, and what is compared with, from the registry.
    metric : Metric or None
        None: the task is not in the registry any more.
    cells : tuple of CellResult
        Scored only, in the order of their scores.
    """

    binding: str
    question: str
    stimuli: str
    target: str
    metric: Metric | None
    cells: tuple[CellResult, ...]

    @property
    def by_model(self) -> dict[str, CellResult]:
        """The cells by model."""
        return {cell.model: cell for cell in self.cells}

    @property
    def label(self) -> str:
        """What the score is."""
        return self.metric.label if self.metric else str(self.cells[0].metric)


@dataclass(frozen=True)
class Board:
    """One suite.

    Attributes
    ----------
    suite : str
    description : str
    miniature : bool
    models : tuple of str
        In the order of the registry's suite; others after them.
    columns : tuple of Column
    """

    suite: str
    description: str
    miniature: bool
    models: tuple[str, ...]
    columns: tuple[Column, ...]


def boards(cells: Sequence[CellResult], registry: Registry) -> list[Board]:
    """One board for each suite that has a scored cell; suites never share one.

    Untrained twins of several seeds are one row: their mean.
    """
    scored = average_seeds([cell for cell in cells if cell.status == "scored" and cell.score is not None])
    names = [*registry.suites, *(cell.suite for cell in scored)]
    made = []
    for suite in dict.fromkeys(names):
        of_suite = [cell for cell in scored if cell.suite == suite]
        if of_suite:
            made.append(_board(suite, of_suite, registry))
    return made


def _board(suite: str, cells: list[CellResult], registry: Registry) -> Board:
    entry = registry.suites.get(suite)
    listed = (*(entry.models if entry else ()), *sorted({cell.model for cell in cells}))
    present = {cell.model for cell in cells}
    bindings = (*(entry.bindings if entry else ()), *sorted({cell.binding for cell in cells}))
    columns = [
        _column(binding, [cell for cell in cells if cell.binding == binding], registry)
        for binding in dict.fromkeys(bindings)
    ]
    return Board(
        suite=suite,
        description=entry.description if entry else "",
        miniature=any(cell.miniature for cell in cells),
        models=tuple(model for model in dict.fromkeys(listed) if model in present),
        columns=tuple(column for column in columns if column.cells),
    )


def _column(binding: str, cells: list[CellResult], registry: Registry) -> Column:
    metric, question = None, ""
    if cells:
        task = registry.tasks.get(cells[0].task)
        question = task.entry.description if task else ""
        try:
            metric = task.load().metrics[0] if task else None
        except BenchError:  # a plug-in that does not load any more must not hide its results
            metric = None
    suite = registry.suites.get(cells[0].suite) if cells else None
    entry = suite.bindings.get(binding) if suite else None
    higher = metric is None or metric.higher_is_better
    ordered = sorted(cells, key=lambda cell: cell.score or 0.0, reverse=higher)
    return Column(
        binding=binding,
        question=question,
        stimuli=_describe(registry, entry.stimuli) if entry else "",
        target=_describe(registry, entry.target) if entry else "",
        metric=metric,
        cells=tuple(ordered),
    )


def _describe(registry: Registry, dataset: str) -> str:
    placed = registry.datasets.get(dataset)
    return placed.entry.description if placed else dataset
