"""``bench list`` and ``bench info``."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.common.errors import UsageError
from benchmark.registry import Registry, unknown


def show_list(registry: Registry, kind: str) -> None:
    """One line for each model, task, dataset or suite."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("name", *_COLUMNS[kind], "description"):
        table.add_column(column, overflow="fold")
    entries = getattr(registry, kind)
    for name, held in entries.items():
        entry = getattr(held, "entry", held)
        table.add_row(
            name, *(_cell(getattr(entry, column)) for column in _COLUMNS[kind]), Text(entry.description)
        )
    Console().print(table)


def show_info(registry: Registry, name: str) -> None:
    """Everything the registry says of ``name``, and what it is used in.

    Raises
    ------
    UsageError
        If nothing has that name; the nearest is said.
    """
    console = Console()
    found = False
    for kind in _COLUMNS:
        entries = getattr(registry, kind)
        if name not in entries:
            continue
        found = True
        held = entries[name]
        entry = getattr(held, "entry", held)
        console.print(Text(f"{name}  ({kind[:-1]})", style="bold"))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for key, value in entry.model_dump(mode="json", exclude_defaults=True).items():
            table.add_row(key, Text(_cell(value)))
        if kind == "tasks":
            _add_task(table, registry, name)
        if hasattr(held, "where"):
            table.add_row("registered in", Text(str(held.where)))
        console.print(table)
    if not found:
        raise UsageError(unknown("name", name, [n for kind in _COLUMNS for n in getattr(registry, kind)]))


def _add_task(table: Table, registry: Registry, name: str) -> None:
    task = registry.task(name).load()
    table.add_row("version", str(task.version))
    for metric in task.metrics:
        text = f"{metric.label}; from {metric.range[0]:g} to {metric.range[1]:g}; chance: {metric.chance}"
        table.add_row(
            f"metric {metric.name}", Text(text + (f"; ceiling: {metric.ceiling}" if metric.ceiling else ""))
        )
    bound = [
        f"{s}/{b}"
        for s, suite in registry.suites.items()
        for b, e in suite.bindings.items()
        if e.task == name
    ]
    table.add_row("bindings", ", ".join(bound) or "-")
    table.add_row("reference", Text(task.reference.strip()))


_COLUMNS: dict[str, tuple[str, ...]] = {
    "models": ("plugin", "suites"),
    "tasks": ("plugin",),
    "datasets": ("kind",),
    "suites": ("miniature",),
}


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return "\n".join(f"{k}: {v}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
