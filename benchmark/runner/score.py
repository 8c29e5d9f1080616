"""Score one cell: look up its result; if there is none, extract, score, summarise and store.

In this module ``session`` holds the registry, the data and the stores, ``cell`` names what is scored,
``parts`` is the loaded cell, and ``bars`` (optional) makes progress bars.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.common.cost import peak_memory
from benchmark.common.errors import NotPossible
from benchmark.common.files import cache_folder
from benchmark.common.memo import FolderMemo
from benchmark.datasets import Join, RDMTarget, Stimuli, Target, join
from benchmark.extraction.cache import clean
from benchmark.model import OUTPUT, Progress
from benchmark.registry import BindingEntry
from benchmark.results import (
    CellResult,
    Provenance,
    Stored,
    canonical,
    now,
    versions,
)
from benchmark.runner.key import REFERENCES, cell_key, unchanged
from benchmark.runner.loaded import DTYPE, LoadedModel, feature_key
from benchmark.runner.plan import Cell
from benchmark.runner.references import load_references, reference_keys, reference_views
from benchmark.runner.session import Session, binding_seed
from benchmark.runner.shown import classes_of, covered_stimuli
from benchmark.runner.view import StoredView
from benchmark.task import LongWork, Task, TaskResult

if TYPE_CHECKING:
    from benchmark.runner.summary import Summary

#: ``bars("features of alexnet")`` gives the function that is called as that work goes on
Bars = Callable[[str], Progress]


@dataclass(frozen=True)
class Parts:
    """Everything that a cell needs, loaded; and the key, which holds all that can change its answer.

    ``stimuli`` are those of the concepts that the model can represent; ``uncovered`` counts the other
    concepts.
    """

    cell: Cell
    binding: BindingEntry
    model: LoadedModel
    task: Task
    stimuli: Stimuli
    target: Target
    feature_key: dict[str, Any]
    key: dict[str, Any]
    references: dict[str, LoadedModel]
    uncovered: int = 0


def assemble(session: Session, cell: Cell) -> Parts:
    """Load everything that ``cell`` needs, and compute nothing yet.

    Raises
    ------
    BenchError
        If weights, data or a plug-in cannot be loaded.
    """
    binding = session.registry.binding(cell.suite, cell.binding)
    model = session.model(cell.model, cell.suite, binding.pooling)
    task = session.task(binding.task)
    shown = session.stimuli(binding.stimuli)
    stimuli = _covered(session, cell, model, shown)
    target = session.target_of(binding)
    if target.kind not in task.target_kinds:
        raise NotPossible(
            f"task {binding.task!r} compares with {', '.join(task.target_kinds)}; "
            f"target {binding.target!r} is {target.kind}"
        )
    features = feature_key(model, stimuli, session.device)
    references = load_references(session, cell, task.references(binding.params))
    of_references = reference_keys(references, stimuli, session.device)
    associations = any(part.model.has_associations for part in (model, *references.values()))
    key = cell_key(session, cell, features, of_references, associations=associations)
    key["task_version"] = task.version
    uncovered = len(shown.concept_ids) - len(stimuli.concept_ids)
    return Parts(cell, binding, model, task, stimuli, target, features, canonical(key), references, uncovered)


def _covered(session: Session, cell: Cell, model: LoadedModel, shown: Stimuli) -> Stimuli:
    """The stimuli that the model can represent; if there are none, the message says where it has some."""
    try:
        return covered_stimuli(model, shown)
    except NotPossible as error:
        home = session.home_of(cell.model, cell.suite)
        if home is None:
            raise
        raise NotPossible(
            f"{cell.model} has nothing for the stimuli of this binding, but it has for others: "
            f"--suite {home[0]} --task {home[1]}; bench list ids NAME shows what ids look like"
        ) from error


def stored_or_parts(session: Session, cell: Cell) -> Stored | Parts:
    """The stored result of the cell if nothing that decides it has changed; else what is needed to score it.

    Raises
    ------
    BenchError
        If weights, data or a plug-in cannot be loaded.
    """
    stored = unchanged(session, cell)
    if stored is not None:
        return stored
    parts = assemble(session, cell)
    return look_up(session, parts) or parts


def look_up(session: Session, parts: Parts) -> Stored | None:
    """The stored result of the cell, if its key is unchanged; else None."""
    return session.results.find(parts.cell.suite, parts.cell.binding, parts.cell.model, parts.key)


def view(
    session: Session,
    parts: Parts,
    bars: Bars | None = None,
    memo: FolderMemo | None = None,
    compared: Sequence[str] | None = None,
) -> StoredView:
    """The model as the task sees it.

    ``memo`` keeps parts of long work, so that a stopped run continues. ``compared`` are the concepts that
    joined; None: all.
    """
    name, device = parts.cell.model, session.device
    return StoredView(
        parts.model.model,
        parts.stimuli,
        session.features,
        parts.feature_key,
        session.options.layers,
        device,
        bars(f"features of {name}") if bars else None,
        LongWork(
            bars(f"{parts.cell.binding} of {name}") if bars else None,
            memo,
            None if device == "cpu" else device,
        ),
        reference_views(
            session, parts.binding, parts.references, parts.key.get(REFERENCES, {}), parts.stimuli, compared
        ),
        lambda: session.rule(parts.binding),
        compared,
    )


def require(session: Session, parts: Parts) -> Join[Any]:
    """Check what can be checked before features are extracted; give the target as it is joined.

    Raises
    ------
    NotPossible
        If too little joins for the task (:meth:`benchmark.task.Task.require`), it needs other layers, or it
        needs classes and the model has none (:func:`benchmark.runner.shown.classes_of`).
    """
    stimuli, task, binding = parts.stimuli, parts.task, parts.binding
    joined = join(stimuli, parts.target, binding.on)
    params = session.params(binding)
    task.require(stimuli, joined, params)
    task.require_layers(view(session, parts).layers, params)
    if task.needs_classes:
        rule = binding.associations
        has_norms = rule is not None and rule.norms is not None
        classes = classes_of(parts.model.model, stimuli, session.device, has_norms=has_norms)
        if not classes:
            raise NotPossible(f"model {parts.cell.model!r} has no classes: task {binding.task!r} needs them")
        task.require_classes(stimuli, joined, classes, params)
    return joined


def score(session: Session, parts: Parts, bars: Bars | None = None) -> Stored:
    """Score the cell and store the result. Long work that was stopped continues where it stopped.

    Raises
    ------
    BenchError
        If the model cannot take part, or every layer is undefined.
    """
    # these import scipy and the measures, which only scoring needs
    from benchmark.runner.model_target import target_notes
    from benchmark.runner.summary import summarise

    start = time.perf_counter()
    seed = binding_seed(session.options.seed, parts.cell.suite, parts.cell.binding)
    joined = require(session, parts)
    memo = _memo(parts)
    seen = view(session, parts, bars, memo, joined.concepts)
    params = session.params(parts.binding)
    result = parts.task.score(seen, joined, params, np.random.default_rng(seed))
    summary = summarise(result, parts.task.metrics, seed)
    if summary.best_layer is None:
        reasons = dict.fromkeys(layer.undefined or "" for layer in result.layers.values())
        raise NotPossible(f"undefined in every layer: {'; '.join(reasons)}")
    counts = joined.counts | ({"uncovered": parts.uncovered} if parts.uncovered else {})
    result.notes.extend(_subjects_note(parts.target, joined.target))
    result.notes.extend(_common_note(session, parts))
    if seen.rule_used is not None:
        result.notes.append(
            f"layer {OUTPUT}: association strengths, compared under the rule {seen.rule_used}"
        )
    if seen.classified_by is not None:
        result.notes.append(f"no classifier: {seen.classified_by}")
    result.notes.extend(target_notes(session, parts.binding.target, parts.feature_key))
    cell = _cell_result(session, parts, result, summary, counts, time.perf_counter() - start)
    arrays = {
        **result.arrays,
        "concepts": np.array(result.concepts),
        "bootstrap_draws": summary.draws,
    }
    stored = session.results.write(cell, arrays)
    memo.clear()
    return stored


def _memo(parts: Parts) -> FolderMemo:
    """Where the task keeps unfinished work; each cell and each key has its own folder."""
    clean(cache_folder())
    digest = hashlib.sha256(json.dumps([parts.cell, parts.key], sort_keys=True).encode()).hexdigest()
    return FolderMemo(cache_folder() / "unfinished" / digest[:32])


def describe(session: Session, cell: Cell, status: str, reason: str) -> CellResult:
    """Make the result of a cell without a score: its ``status`` and ``reason``. It is shown, not stored."""
    return CellResult.model_validate(
        {**_identity(session, cell), "status": status, "reason": " ".join(reason.split())}
    )


def _identity(session: Session, cell: Cell) -> dict[str, Any]:
    binding = session.registry.binding(cell.suite, cell.binding)
    placed = session.registry.model(cell.model, cell.suite)
    checkpoint = placed.entry.checkpoint
    return {
        "model": cell.model,
        "task": binding.task,
        "binding": cell.binding,
        "suite": cell.suite,
        "miniature": session.registry.suite(cell.suite).miniature,
        "untrained": placed.untrained is not None
        or (checkpoint is not None and checkpoint.untrained is not None),
        "trained_on": binding.target in placed.entry.trained_on,
    }


def _cell_result(
    session: Session,
    parts: Parts,
    result: TaskResult,
    summary: Summary,
    joined: dict[str, int],
    seconds: float,
) -> CellResult:
    return CellResult.model_validate(
        {
            **_identity(session, parts.cell),
            "status": "scored",
            "metric": parts.task.metrics[0].name,
            **summary.headline.model_dump(),
            "best_layer": summary.best_layer,
            "selection": summary.selection,
            "layers": summary.layers,
            "n": len(result.concepts),
            "counts": {**joined, **result.counts},
            "perturbed": _digits(summary.perturbed),
            "notes": (
                *_version_note(session, parts),
                *result.notes,
                *_uncovered_note(parts),
                *_turned_note(parts.stimuli),
            ),
            "key": parts.key,
            "provenance": _provenance(session, parts, seconds),
        }
    )


def _digits(values: np.ndarray) -> list[list[float]]:
    """``values`` (k, h) with six digits, which is enough for a variance and keeps a result small."""
    return [[float(f"{value:.6g}") for value in row] for row in values]


def _version_note(session: Session, parts: Parts) -> tuple[str, ...]:
    """Whose weights the model has, where its name means other weights in another suite."""
    name, suite = parts.cell.model.partition("@")[0], parts.cell.suite
    placed = session.registry.models.get(name)
    if placed is None or not placed.entry.variants:
        return ()
    label = parts.model.checkpoint.label
    return (f"{name} is that of suite {session.registry.version(name, suite)} here: {label}",)


def _uncovered_note(parts: Parts) -> tuple[str, ...]:
    if not parts.uncovered:
        return ()
    return (
        f"{parts.uncovered} concepts of the stimuli were dropped: the model has no representation of them",
    )


def _subjects_note(target: Target, joined: Target) -> list[str]:
    everyone, taken = (len(t.subjects) if isinstance(t, RDMTarget) else 0 for t in (target, joined))
    if taken == everyone:
        return []
    return [
        f"{everyone - taken} of {everyone} subjects were left out: they have fewer than three pairs of the "
        "joined concepts"
    ]


def _common_note(session: Session, parts: Parts) -> tuple[str, ...]:
    names = parts.binding.concepts_common_to
    if not names:
        return ()
    everyone = len(session.target(parts.binding.target).ids)
    return (
        f"only ids that {', '.join(names)} all have are compared: {everyone - len(parts.target.ids)} of "
        f"{everyone} ids of {parts.target.name} are left out",
    )


def _turned_note(stimuli: Stimuli) -> tuple[str, ...]:
    is_turned = stimuli.is_turned
    turned = 0 if is_turned is None else sum(map(is_turned, range(len(stimuli))))
    if not turned:
        return ()
    return (
        f"{turned} of {len(stimuli)} images are stored turned; they were read upright, as people see them",
    )


def _provenance(session: Session, parts: Parts, seconds: float) -> Provenance:
    entry = parts.model.placed.entry
    checkpoint = parts.model.checkpoint
    peak = peak_memory()
    return Provenance(
        registry_entry=entry.model_dump(mode="json", exclude_defaults=True),
        weights_sha256=checkpoint.sha256,
        weights=checkpoint.label,
        preprocessing=parts.model.model.preprocessing,
        stimuli_manifest=parts.stimuli.manifest,
        target_hash=parts.target.hash,
        task_version=parts.task.version,
        params=parts.binding.params,
        seed=session.options.seed,
        packages=versions(),
        python=platform.python_version(),
        device=session.device,
        dtype=DTYPE,
        code_version=parts.key["code"],
        created=now(),
        seconds=seconds,
        peak_memory_mb=None if peak is None else peak / 2**20,
    )
