"""What decides the answer of a cell: its key, and whether a stored result still has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.registry import BindingEntry, Placed, is_shipped, plugin_code
from benchmark.results import Stored, code_version, diff_keys
from benchmark.runner.loaded import LoadedModel, feature_outline
from benchmark.runner.plan import Cell
from benchmark.runner.references import load_references
from benchmark.runner.session import Session, functions_in

#: Part of the key of a cell whose task compares with other models
REFERENCES = "references"


def cell_key(
    session: Session,
    cell: Cell,
    features: Mapping[str, Any],
    references: Mapping[str, Mapping[str, Any]],
    *,
    associations: bool,
) -> dict[str, Any]:
    """The key of a cell, except the version of its task.

    Parameters
    ----------
    session : Session
    cell : Cell
    features : mapping
        The key of the features, or its outline.
    references : mapping
        The same for each reference model.
    associations : bool
        Whether the model, or a reference, has an association head. Then the rule under which profiles are
        compared counts.
    """
    binding = session.registry.binding(cell.suite, cell.binding)
    placed = session.registry.task(binding.task)
    task = plugin_code(placed.entry.plugin, placed.base).as_key()
    return {
        "features": features,
        **({REFERENCES: dict(references)} if references else {}),
        "layers": session.options.layers,
        "binding": binding.model_dump(mode="json", exclude={"associations", "concepts_common_to", "pooling"}),
        **_common_key(session, binding),
        **_functions_key(session, binding),
        **({"associations": session.rule_key(binding)} if associations else {}),
        "stimuli": session.dataset_key(binding.stimuli),
        "target": session.dataset_key(binding.target),
        **{f"task_{part}": value for part, value in task.items()},
        "seed": session.options.seed,
        "code": code_version(),
    }


def _common_key(session: Session, binding: BindingEntry) -> dict[str, Any]:
    """The part of a key for the targets of ``concepts_common_to``. A binding without them has none."""
    keys = {name: session.dataset_key(name) for name in binding.concepts_common_to}
    return {"concepts_common_to": keys} if keys else {}


def _functions_key(session: Session, binding: BindingEntry) -> dict[str, Any]:
    """The part of a key for functions that the binding names. A binding without them has none."""
    functions = session.functions_key(binding)
    return {"functions": functions} if functions else {}


def unchanged(session: Session, cell: Cell) -> Stored | None:
    """The stored result of a cell if everything that decides its key is unchanged.

    No plug-in of a model or task is loaded. What is not compared follows from what is: the preprocessing from
    the code and the entry of the model, the version of a task from its code. That does not hold where a model
    is not known by its key (:attr:`LoadedModel.is_known`), nor for a user's task or reader, which may read
    further files. A model that cannot represent every concept has to name those it can. For these the answer
    is None, and :func:`benchmark.runner.score.look_up` compares the whole key. So it is for a binding that
    names a function of the user's own.

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
    if functions_in(binding.params):
        return None
    model = session.model(cell.model, cell.suite, binding.pooling)
    # the words are those of the stored key; what they name at present is compared
    references = load_references(session, cell, stored.cell.key.get(REFERENCES, ()))
    models = [part for loaded in (model, *references.values()) for part in loaded.chain]
    if not all(part.is_known for part in models):
        return None
    if not all(is_shipped(p.entry.plugin, p.base) for p in _other_plug_ins(session, binding, models)):
        return None
    manifest = session.dataset_key(binding.stimuli)["hash"]
    features = feature_outline(model, manifest, session.device)
    outlines = {
        word: feature_outline(loaded, manifest, session.device) for word, loaded in references.items()
    }
    # a model whose code and entry are the same has, or has not, an association head as before
    outline = cell_key(session, cell, features, outlines, associations="associations" in stored.cell.key)
    follow = _follows("features", model).union(
        *(_follows(f"{REFERENCES}.{word}", loaded) for word, loaded in references.items())
    )
    return None if set(diff_keys(stored.cell.key, outline)) - follow else stored


def _other_plug_ins(
    session: Session, binding: BindingEntry, models: list[LoadedModel]
) -> Iterator[Placed[Any]]:
    yield session.registry.task(binding.task)
    yield session.registry.dataset(binding.stimuli)
    yield session.registry.dataset(binding.target)
    yield from map(session.registry.dataset, binding.concepts_common_to)
    if binding.associations is not None and binding.associations.norms is not None:
        yield session.registry.dataset(binding.associations.norms)
    for part in models:
        built = part.placed.entry.built_from
        if built is not None and built.target is not None:
            yield session.registry.dataset(built.target)


def _follows(part: str, model: LoadedModel) -> set[str]:
    """What follows from the rest of a key, where ``part`` is that of the features of ``model``."""
    chain = [part + ".built_from.model" * depth for depth, _ in enumerate(model.chain)]
    return {"task_version", *(f"{part}.preprocessing" for part in chain)}
