"""Plan the cells of a command: every model on every chosen binding of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmark.common.errors import UsageError
from benchmark.registry import Registry, expand_seeds, unknown

ALL = "all"


class Cell(NamedTuple):
    """One model scored on one binding of one suite; all three are names."""

    model: str
    binding: str
    suite: str


def suite_of_target(registry: Registry, target: str) -> str:
    """The only suite of ``registry`` that has a binding with ``target``.

    A suite that extends another has its bindings too. Then the other is meant.

    Raises
    ------
    UsageError
        If there is no such dataset, no suite has it as the target of a binding, or several have.
    """
    registry.dataset(target)
    having = {
        name
        for name, suite in registry.suites.items()
        if any(binding.target == target for binding in suite.bindings.values())
    }
    suites = [name for name in registry.suites if name in having - _extending(registry, having)]
    if len(suites) == 1:
        return suites[0]
    if suites:
        raise UsageError(f"--target {target}: is in the suites {', '.join(suites)}; name one with --suite")
    raise UsageError(
        f"--target {target}: no binding has it as its target; write one into a suite of your own"
    )


def _extending(registry: Registry, suites: set[str]) -> set[str]:
    """Those of ``suites`` that extend another of them."""
    return {name for name in suites if registry.suites[name].extends in suites}


def plan(
    registry: Registry, models: Sequence[str], tasks: Sequence[str], suite: str, target: str | None = None
) -> list[Cell]:
    """List the cells of a command: models in the order of ``models``, bindings in that of the registry.

    Parameters
    ----------
    registry : Registry
    models : sequence of str
        Names, ``NAME@untrained:SEED``, ``NAME@untrained:0-9`` (one model for each seed), or ``all``: the
        suite's models and those that the user's registry files add.
    tasks : sequence of str
        Names of tasks or of single bindings, or ``all``.
    suite : str
        Name of the suite.
    target : str, optional
        Only bindings with this target. Default: with any.

    Returns
    -------
    list of Cell

    Raises
    ------
    UsageError
        If a name is unknown, no model or no task is named, or none of the tasks has the target.
    """
    if not models or not tasks:
        raise UsageError("nothing is asked for: name a model and a task, or all")
    chosen = _bindings(registry, tasks, suite)
    if target is not None:
        bindings = registry.bindings(suite)
        chosen = [name for name in chosen if bindings[name].target == target]
        if not chosen:
            raise UsageError(f"suite {suite!r} has no binding of {', '.join(tasks)} with target {target!r}")
    return [
        Cell(model, binding, suite) for model in chosen_models(registry, models, suite) for binding in chosen
    ]


def shard(cells: Sequence[Cell], registry: Registry, index: int, count: int) -> list[Cell]:
    """One of several parts of a plan, for machines that share the work and know nothing of each other.

    Parameters
    ----------
    cells : sequence of Cell
    registry : Registry
    index, count : int
        Number of the part, from 1, and number of parts.

    Returns
    -------
    list of Cell
        In the order of ``cells``. All cells of a model on one stimulus set are in one part, so that no
        features are extracted twice. Each cell is in one part.
    """
    together = {cell: (cell.model, registry.binding(cell.suite, cell.binding).stimuli) for cell in cells}
    place = {group: i for i, group in enumerate(dict.fromkeys(together.values()))}
    return [cell for cell in cells if place[together[cell]] % count == index - 1]


def chosen_models(registry: Registry, asked: Sequence[str], suite: str) -> list[str]:
    """Names of the models of ``registry`` that the words ``asked`` mean in ``suite``, as in :func:`plan`."""
    names: list[str] = []
    for word in asked:
        for name in _all_models(registry, suite) if word == ALL else [word]:
            names += expand_seeds(name)
    for name in names:
        registry.model(name, suite)
    return list(dict.fromkeys(names))


def _all_models(registry: Registry, suite: str) -> list[str]:
    """The models that the suite lists, and the user's own: those whose entry is not in the shipped file."""
    entry = registry.suite(suite)
    listed = list(entry.models)
    own = [
        name
        for name, placed in registry.models.items()
        if name in registry.own_models
        and (placed.entry.suites is None or {suite, entry.extends} & set(placed.entry.suites))
    ]
    return [*listed, *(name for name in own if name not in listed)]


def _elsewhere(registry: Registry, name: str) -> str:
    """That another suite has a binding ``name``, or bindings that begin with it; empty if none has."""
    for suite in registry.suites:
        near = [binding for binding in registry.bindings(suite) if f"{binding}_".startswith(f"{name}_")]
        if near:
            return f"unknown task {name!r} in this suite; suite {suite!r} has {', '.join(near)}"
    return ""


def _bindings(registry: Registry, asked: Sequence[str], suite: str) -> list[str]:
    bindings = registry.bindings(suite)
    if ALL in asked:
        return list(bindings)
    for name in asked:
        if name not in bindings and name not in registry.tasks:
            raise UsageError(
                _elsewhere(registry, name) or unknown("task", name, [*registry.tasks, *bindings])
            )
    chosen = [name for name, binding in bindings.items() if name in asked or binding.task in asked]
    if not chosen:
        raise UsageError(
            f"suite {suite!r} has no binding of {', '.join(asked)}; it has {', '.join(bindings) or 'none'}"
        )
    return chosen
