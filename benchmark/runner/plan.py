"""Which cells a command asks for: models x the bindings of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmark.common.errors import UsageError
from benchmark.registry import Registry, expand_seeds, unknown

ALL = "all"


class Cell(NamedTuple):
    """One model scored on one binding of one suite."""

    model: str
    binding: str
    suite: str


def plan(registry: Registry, models: Sequence[str], tasks: Sequence[str], suite: str) -> list[Cell]:
    """Every cell asked for, models in the order given, bindings in the order of the registry.

    Parameters
    ----------
    registry : Registry
    models : sequence of str
        Names, ``NAME@untrained:SEED``, ``NAME@untrained:0-9`` (a model each seed), or ``all``: the suite's
        models, and those a user's registry adds.
    tasks : sequence of str
        Names of tasks or of single bindings, or ``all``.
    suite : str

    Raises
    ------
    UsageError
        If a name is unknown, or nothing is asked for.
    """
    if not models or not tasks:
        raise UsageError("nothing is asked for: name a model and a task, or all")
    chosen = _bindings(registry, tasks, suite)
    return [Cell(model, binding, suite) for model in _models(registry, models, suite) for binding in chosen]


def _models(registry: Registry, asked: Sequence[str], suite: str) -> list[str]:
    names: list[str] = []
    for word in asked:
        for name in _all_models(registry, suite) if word == ALL else [word]:
            names += expand_seeds(name)
    for name in names:
        registry.model(name, suite)
    return list(dict.fromkeys(names))


def _all_models(registry: Registry, suite: str) -> list[str]:
    """What the suite lists, and what stands in no shipped file: a user's own models are in ``all``."""
    listed = list(registry.suite(suite).models)
    shipped = f"{registry.files[0]}:"
    own = [
        name
        for name, placed in registry.models.items()
        if not placed.where.startswith(shipped)
        and (placed.entry.suites is None or suite in placed.entry.suites)
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
