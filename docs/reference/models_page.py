"""Write ``docs/reference/models.md`` from the registry: ``python docs/reference/models_page.py``."""

from __future__ import annotations

from pathlib import Path

from benchmark.registry import ModelEntry, Registry, load_registry

PAGE = Path(__file__).with_name("models.md")

HEAD = """\
# The models

This page lists every registered model. `python docs/reference/models_page.py` makes it from `registry.yaml`.
`bench info NAME` shows everything about one model.

Every network also has an untrained twin: the same network with random weights. Write it as
`NAME@untrained:SEED`. `NAME@untrained:0-9` means ten seeds. They are shown as one row: their mean, and the
band from their 5th to their 95th percentile.

The column *pin* says what fixes the weights: the sha256 of their file, or its first digits, or the commit of
their repository. *Not pinned* means that only the library's own name for the weights is known. The weights
can then change if the library changes what it offers under that name.

The weights of torchvision, timm, open_clip, Taskonomy and the self-supervised networks are fetched at first
use. You can also put them by hand where the library looks. If they are missing, the message of a run names
the place.
"""


def page(registry: Registry) -> str:
    """The page: a table for each plug-in, in the order of the registry."""
    plugins: dict[str, list[tuple[str, ModelEntry]]] = {}
    for name, placed in registry.models.items():
        plugins.setdefault(placed.entry.plugin, []).append((name, placed.entry))
    return HEAD + "".join(_section(plugin, entries) for plugin, entries in plugins.items())


def _section(plugin: str, entries: list[tuple[str, ModelEntry]]) -> str:
    head = (
        "model",
        "what it is",
        "suites",
        "parameters",
        "trained on",
        "layers",
        "pin",
        "licence",
        "citation",
    )
    rows = [head, ("---",) * len(head), *(_row(name, entry) for name, entry in entries)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return f"\n## `{plugin}`\n\n" + "\n".join(lines) + "\n"


def _row(name: str, entry: ModelEntry) -> tuple[str, ...]:
    return (
        f"`{name}`",
        entry.description,
        ", ".join(entry.suites or ("all",)),
        "-" if entry.parameters is None else f"{entry.parameters:,}",
        ", ".join(entry.trained_on) or "-",
        _layers(entry),
        _pin(entry),
        entry.licence or "-",
        entry.citation or "-",
    )


def _layers(entry: ModelEntry) -> str:
    params = entry.params if entry.built_from is None else entry.built_from.params
    chosen = params.get("layers")
    if chosen is None:
        return "blocks" if entry.checkpoint is not None else "-"
    return str(chosen) if isinstance(chosen, str) else ", ".join(chosen)


def _pin(entry: ModelEntry) -> str:
    if entry.built_from is not None:
        return f"that of `{entry.built_from.model}`"
    checkpoint = entry.checkpoint
    if checkpoint is None:
        return "no weights"
    pin = checkpoint.sha256 or checkpoint.revision
    return f"`{pin[:10]}`" if pin else "not pinned"


if __name__ == "__main__":
    PAGE.write_text(page(load_registry()), encoding="utf-8")
