"""``bench list`` and ``bench info``: print what the registry knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from benchmark.cli.console import console, stacked
from benchmark.common.errors import UsageError
from benchmark.registry import Registry, unknown

if TYPE_CHECKING:
    from rich.text import Text

    from benchmark.runner import Options

#: Ids that are shown of a stimulus set
_SHOWN_IDS = 10


def show_list(registry: Registry, kind: str) -> None:
    """Print a table of all entries of one kind.

    Parameters
    ----------
    registry : Registry
        The shipped registry and the user's own.
    kind : {"models", "tasks", "datasets", "suites"}
        What to list.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("name", *_COLUMNS[kind], "description"):
        table.add_column(column, overflow="fold")
    entries = getattr(registry, kind)
    for name, placed in entries.items():
        entry = getattr(placed, "entry", placed)
        table.add_row(name, *(_cell(getattr(entry, column)) for column in _COLUMNS[kind]), entry.description)
    console().print(table)


def show_ids(kind: str, stimuli: str | None, options: Options) -> None:
    """Print what the ids and concepts of a stimulus set look like: what a file of features is joined on.

    Parameters
    ----------
    kind : str
        What the user asked to list; only ids are of a stimulus set.
    stimuli : str or None
        Name of the stimulus set.
    options : Options
        Registries and data root.

    Raises
    ------
    BenchError
        If no stimulus set is named, or it cannot be read.
    """
    from benchmark.runner import Session

    if kind != "ids":
        raise UsageError(f"bench list {kind} takes no further name; bench info {stimuli} shows one entry")
    session = Session(options)
    known = [name for name, placed in session.registry.datasets.items() if placed.entry.kind == "stimuli"]
    if stimuli not in known:
        raise UsageError(
            f"bench list ids: {unknown('stimulus set', stimuli, known)}"
            if stimuli
            else f"bench list ids STIMULI: name a stimulus set: {', '.join(known)}"
        )
    shown = session.stimuli(stimuli)
    out = console()
    out.print(f"{len(shown)} stimuli, {len(shown.concept_ids)} concepts", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("id", "concept"):
        table.add_column(column, overflow="fold")
    for row in list(zip(shown.ids, shown.concepts, strict=True))[:_SHOWN_IDS]:
        table.add_row(*row)
    out.print(table)
    if len(shown) > _SHOWN_IDS:
        out.print(f"... and {len(shown) - _SHOWN_IDS} more")


def show_info(registry: Registry, name: str) -> None:
    """Print everything the registry says about a name, and where it is used.

    Parameters
    ----------
    registry : Registry
        The shipped registry and the user's own.
    name : str
        Name of a model, task, dataset or suite.

    Raises
    ------
    UsageError
        If nothing has this name; the message gives the most similar name.
    """
    out = console()
    kinds = [kind for kind in _COLUMNS if name in getattr(registry, kind)]
    if not kinds:
        raise UsageError(unknown("name", name, [n for kind in _COLUMNS for n in getattr(registry, kind)]))
    for kind in kinds:
        placed = getattr(registry, kind)[name]
        entry = getattr(placed, "entry", placed)
        out.print(f"{name}  ({kind[:-1]})", style="bold")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for key, value in entry.model_dump(mode="json", exclude_defaults=True).items():
            if key == "bindings" and entry.extends:
                inherited = registry.suites[entry.extends].bindings
                own = {one: said for one, said in value.items() if entry.bindings[one] != inherited.get(one)}
                value = {**own, f"all of {entry.extends}": f"bench info {entry.extends}"}
            table.add_row(key, _cell(value))
        if kind == "tasks":
            _add_task(table, registry, name)
        if hasattr(placed, "where"):
            table.add_row("registered in", str(placed.where))
        out.print(table)


def _add_task(table: Table, registry: Registry, name: str) -> None:
    task = registry.task(name).load()
    table.add_row("version", str(task.version))
    for metric in task.metrics:
        text = f"{metric.label}; from {metric.range[0]:g} to {metric.range[1]:g}; chance: {metric.chance}"
        ceiling = f"; ceiling: {metric.ceiling}" if metric.ceiling else ""
        table.add_row(f"metric {metric.name}", text + ceiling)
    bindings = [
        f"{suite_name}/{binding_name}"
        for suite_name, suite in registry.suites.items()
        for binding_name, binding in suite.bindings.items()
        if binding.task == name
    ]
    table.add_row("bindings", ", ".join(bindings) or "-")
    table.add_row("reference", stacked(task.reference.strip().splitlines()))


_COLUMNS: dict[str, tuple[str, ...]] = {
    "models": ("plugin", "suites"),
    "tasks": ("plugin",),
    "datasets": ("kind",),
    "suites": ("miniature",),
}


def _cell(value: Any) -> str | Text:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return stacked([f"{key}: {item}" for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
