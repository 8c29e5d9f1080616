"""What decides the answer of a cell: its key, and whether a stored result still has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.registry import BindingEntry, Placed, is_shipped, plugin_source_hash
from benchmark.results import Stored, code_version, diff_keys
from benchmark.runner.loaded import LoadedModel, feature_outline
from benchmark.runner.plan import Cell
from benchmark.runner.session import Session


def cell_key(session: Session, cell: Cell, features: Mapping[str, Any], target: str) -> dict[str, Any]:
    """The key of a cell, except the version of its task.

    Parameters
    ----------
    session : Session
    cell : Cell
    features : mapping
        The key of the features, or its outline.
    target : str
        Hash of the target.
    """
    binding = session.registry.binding(cell.suite, cell.binding)
    placed = session.registry.task(binding.task)
    return {
        "features": features,
        "layers": session.options.layers,
        "binding": binding.model_dump(mode="json"),
        "target": target,
        "task_source": plugin_source_hash(placed.entry.plugin, placed.base),
        "seed": session.options.seed,
        "code": code_version(),
    }


def unchanged(session: Session, cell: Cell) -> Stored | None:
    """The stored result of a cell if everything that decides its key is unchanged.

    No plug-in of a model or task is loaded. What is not compared follows from what is: the preprocessing from
    the code and the entry of the model, the version of a task from its code. That holds for the suite's own
    plug-ins. A user's plug-in may import further files, and a model that cannot represent every concept has
    to name those it can: for both the answer is None, and :func:`benchmark.runner.score.look_up` compares the
    whole key.

    Parameters
    ----------
    session : Session
    cell : Cell

    Returns
    -------
    Stored or None
    """
    stored = session.results.last(cell.suite, cell.binding, cell.model)
    if stored is None or stored.cell.status != "scored" or "uncovered" in stored.cell.counts:
        return None
    binding = session.registry.binding(cell.suite, cell.binding)
    model = session.model(cell.model, cell.suite)
    if not all(is_shipped(p.entry.plugin, p.base) for p in _plug_ins(session, binding, model)):
        return None
    features = feature_outline(model, session.hash_of(binding.stimuli), session.device)
    outline = cell_key(session, cell, features, session.hash_of(binding.target))
    return None if set(diff_keys(stored.cell.key, outline)) - _follows(model) else stored


def _plug_ins(session: Session, binding: BindingEntry, model: LoadedModel) -> Iterator[Placed[Any]]:
    yield session.registry.task(binding.task)
    yield session.registry.dataset(binding.stimuli)
    yield session.registry.dataset(binding.target)
    inner: LoadedModel | None = model
    while inner is not None:
        yield inner.placed
        inner = inner.inner


def _follows(model: LoadedModel) -> set[str]:
    """Parts of a key that follow from the others."""
    names, part, inner = {"task_version"}, "features", model.inner
    names.add(f"{part}.preprocessing")
    while inner is not None:
        part, inner = f"{part}.built_from.model", inner.inner
        names.add(f"{part}.preprocessing")
    return names
