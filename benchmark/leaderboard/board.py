"""The content of the page: one board for each suite, one column for each binding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from benchmark.common.errors import BenchError
from benchmark.leaderboard.ranks import RankInterval, rank_intervals
from benchmark.registry import Registry
from benchmark.results import TWIN, VARIANT, CellResult, average_seeds
from benchmark.task import Metric, Task

#: What the recipe of a binding itself is called beside the others, which have the names of their results
OWN_RECIPE = "that of the binding"


class UnderRecipes(NamedTuple):
    """The scores of a model on one binding under several recipes of an RDM (``bench robustness``).

    Attributes
    ----------
    scores : dict of str to float
        By recipe, that of the binding (:data:`OWN_RECIPE`) first.
    ranks : dict of str to int
        By recipe, among the models that have a score under every recipe; 1 is the best.
    ahead_of : tuple of str
        The models that have a worse score under every recipe.
    """

    scores: Mapping[str, float]
    ranks: Mapping[str, int]
    ahead_of: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """All models on one binding, the best first.

    Attributes
    ----------
    binding : str
    question : str
        Description of the task in the registry.
    stimuli, target : str
        Descriptions of the two datasets in the registry.
    metric : Metric or None
        The first metric of the task; None: the task is not in the registry, or cannot be loaded.
    cells : tuple of CellResult
        The scored cells, in the order of their scores.
    further : tuple of Metric
        The other metrics of the task, of those that a cell has.
    recipes : dict of str to UnderRecipes
        By model, where the binding was scored under other recipes too.
    ranks : dict of str to RankInterval
        By model, of those that can be compared.
    unit : str
        What ``n`` of the cells counts, and intervals are over: concepts, properties, words.
    refused : dict of str to str
        By model, of those of the board whose cell was not possible: the reason.
    """

    binding: str
    question: str
    stimuli: str
    target: str
    metric: Metric | None
    cells: tuple[CellResult, ...]
    further: tuple[Metric, ...] = ()
    recipes: Mapping[str, UnderRecipes] = field(default_factory=dict)
    ranks: Mapping[str, RankInterval] = field(default_factory=dict)
    unit: str = Task.unit
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_model(self) -> dict[str, CellResult]:
        """The cells by the name of the model."""
        return {cell.model: cell for cell in self.cells}

    @property
    def label(self) -> str:
        """Label of the score."""
        return self.metric.label if self.metric else str(self.cells[0].metric)


@dataclass(frozen=True)
class Board:
    """The results of one suite.

    Attributes
    ----------
    suite : str
    description : str
    miniature : bool
        Whether the suite is the embedded drawn world.
    models : tuple of str
        The models that the suite lists, in its order, then the others.
    columns : tuple of Column
    """

    suite: str
    description: str
    miniature: bool
    models: tuple[str, ...]
    columns: tuple[Column, ...]


def boards(
    cells: Sequence[CellResult], registry: Registry, refused: Sequence[CellResult] = ()
) -> list[Board]:
    """Make one board for each suite that has a scored cell. Suites never share a board.

    Untrained twins of several seeds are one row: their mean.

    Parameters
    ----------
    cells : sequence of CellResult
        Results of any suites.
    registry : Registry
        Describes the suites, bindings and tasks.
    refused : sequence of CellResult
        Cells that were not possible.

    Returns
    -------
    list of Board
        In the order of the registry.
    """
    scored = average_seeds([cell for cell in cells if cell.status == "scored" and cell.score is not None])
    names = [*registry.suites, *(cell.suite for cell in scored)]
    by_suite = []
    for suite in dict.fromkeys(names):
        of_suite = [cell for cell in scored if cell.suite == suite]
        if of_suite:
            by_suite.append(_board(suite, of_suite, registry, [c for c in refused if c.suite == suite]))
    return by_suite


def _board(suite: str, cells: list[CellResult], registry: Registry, refused: Sequence[CellResult]) -> Board:
    entry = registry.suites.get(suite)
    listed = (*(entry.models if entry else ()), *sorted({cell.model for cell in cells}))
    present = {cell.model for cell in cells}
    bindings = (*(entry.bindings if entry else ()), *sorted({cell.binding for cell in cells}))
    by_binding: dict[str, list[CellResult]] = {}
    for cell in cells:
        by_binding.setdefault(cell.binding, []).append(cell)
    models = tuple(model for model in dict.fromkeys(listed) if model in present)
    columns = [
        replace(column, refused=_reasons(column, models, refused))
        for binding in dict.fromkeys(bindings)
        if VARIANT not in binding and by_binding.get(binding)
        for column in [_column(binding, by_binding[binding], registry, _variants(binding, by_binding))]
    ]
    return Board(
        suite=suite,
        description=entry.description if entry else "",
        miniature=any(cell.miniature for cell in cells),
        models=models,
        columns=tuple(columns),
    )


def _reasons(column: Column, models: Sequence[str], refused: Sequence[CellResult]) -> dict[str, str]:
    """Why models have no cell in a column. A row of several untrained seeds has the reason of one of them."""
    reasons = {cell.model: cell.reason or "" for cell in refused if cell.binding == column.binding}
    of_twins = {model.partition(TWIN)[0]: reason for model, reason in reasons.items() if TWIN in model}
    for model in models:
        network, twin, _ = model.partition(TWIN)
        if twin and network in of_twins:
            reasons.setdefault(model, of_twins[network])
    return {model: reasons[model] for model in models if model in reasons and model not in column.by_model}


def _variants(binding: str, by_binding: Mapping[str, list[CellResult]]) -> dict[str, list[CellResult]]:
    """The cells of a binding by recipe, its own first; none where it has its own alone."""
    start = f"{binding}{VARIANT}"
    others = {name[len(start) :]: cells for name, cells in by_binding.items() if name.startswith(start)}
    return {OWN_RECIPE: by_binding.get(binding, []), **others} if others else {}


def _under_recipes(variants: Mapping[str, list[CellResult]], *, higher: bool) -> dict[str, UnderRecipes]:
    """Scores, ranks and orders under each recipe, among the models that have a score under every one."""
    sign = 1 if higher else -1
    by_recipe = {name: {c.model: c.score or 0.0 for c in cells} for name, cells in variants.items()}
    found = list(by_recipe.values())
    models = [m for m in found[0] if all(m in scores for scores in found)] if len(found) > 1 else []

    def ahead(one: str, other: str, scores: Mapping[str, float]) -> bool:
        return sign * scores[one] > sign * scores[other]

    return {
        model: UnderRecipes(
            scores={recipe: scores[model] for recipe, scores in by_recipe.items()},
            ranks={
                recipe: 1 + sum(ahead(other, model, scores) for other in models)
                for recipe, scores in by_recipe.items()
            },
            ahead_of=tuple(other for other in models if all(ahead(model, other, s) for s in found)),
        )
        for model in models
    }


def _column(
    binding: str,
    cells: list[CellResult],
    registry: Registry,
    variants: Mapping[str, list[CellResult]],
) -> Column:
    metrics: tuple[Metric, ...] = ()
    question, unit = "", Task.unit
    task = registry.tasks.get(cells[0].task) if cells else None
    if task:
        question = task.entry.description
        with suppress(BenchError):  # results are shown even if their plug-in cannot be loaded
            metrics, unit = task.load().metrics, task.load().unit
    known = {name for cell in cells for layer in cell.layers for name in layer.metrics}
    metric = metrics[0] if metrics else None
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
        further=tuple(other for other in metrics[1:] if other.name in known),
        recipes=_under_recipes(variants, higher=higher),
        ranks=rank_intervals(cells, higher=higher),
        unit=unit,
    )


def _describe(registry: Registry, dataset: str) -> str:
    placed = registry.datasets.get(dataset)
    return placed.entry.description if placed else dataset
