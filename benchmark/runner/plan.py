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


def plan(registry: Registry, models: Sequence[str], tasks: Sequence[str], suite: str) -> list[Cell]:
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

    Returns
    -------
    list of Cell

    Raises
    ------
    UsageError
        If a name is unknown, or no model or no task is named.
    """
    if not models or not tasks:
        raise UsageError("nothing is asked for: name a model and a task, or all")
    chosen = _bindings(registry, tasks, suite)
    return [
        Cell(model, binding, suite) for model in chosen_models(registry, models, suite) for binding in chosen
    ]


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


def _bindings(registry: Registry, asked: Sequence[str], suite: str) -> list[str]:
    bindings = registry.bindings(suite)
    if ALL in asked:
        return list(bindings)
    for name in asked:
        if name not in bindings and name not in registry.tasks:
            raise UsageError(unknown("task", name, [*registry.tasks, *bindings]))
    chosen = [name for name, binding in bindings.items() if name in asked or binding.task in asked]
    if not chosen:
        raise UsageError(
            f"suite {suite!r} has no binding of {', '.join(asked)}; it has {', '.join(bindings) or 'none'}"
        )
    return chosen
