"""Publish the results of a run: ``python leaderboard/publish.py RESULTS [--moved]``.

RESULTS is a folder that ``bench run --output RESULTS`` wrote with the code of this checkout. Each of
its cells takes the place of the published one in ``leaderboard/results``. Arrays stay behind, but those of
the miniature, which may be passed on: the small ones that pages and figures show come along. A cell
whose numbers differ from the published ones is refused. ``--moved`` says that they are meant to differ
(then the version of the task is raised too).

Why a cell was not possible is published too, unless its reason names a path on this machine.

A published cell that could not be run here, because its weights may not be passed on, keeps its numbers. Its
key takes the present code if RESULTS has cells of the same task that were published with the same code as it,
all of them equal: then the code of the suite changed and the scores did not. The code of its model is taken
only if such cells of the same plug-in are equal too. Otherwise it stays as it was, and ``bench why`` shows it
as changed. So a cell of the code before a change that moved numbers stays old until it is run again. The hash
of a data set is taken from equal cells that recorded the same data, however the hash is made at present.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.leaderboard.reproduce import TOLERANCE, difference
from benchmark.leaderboard.shown import small
from benchmark.registry import Registry, load_registry, plugin_source_hash
from benchmark.results import CellResult, ResultStore, Stored, code_version, extraction_version

PUBLISHED = Path(__file__).parent / "results"
#: Parts of a key that name data sets
_DATA = ("stimuli", "target")

#: Present parts of keys, by part, name of the data set, and recorded hash
Data = dict[tuple[str, str, str], dict[str, Any]]

#: A task or a plug-in, and the hashes of the code that a result was made with
Code = tuple[str, ...]


def present_data(compared: Iterable[tuple[CellResult, CellResult, float]]) -> Data:
    """The parts of keys for the data sets of which every cell that was compared is equal.

    Parameters
    ----------
    compared : iterable of (CellResult, CellResult, float)
        The published result, that of the run, and their difference.

    Returns
    -------
    dict
        The present part by "stimuli" or "target", name of the data set, and hash in the published result.
    """
    data: Data = {}
    moved = set()
    for old, new, gap in compared:
        for part in _DATA:
            name = new.key["binding"][part]
            data[part, name, _recorded_hash(old, part)] = new.key[part]
            if gap > TOLERANCE:
                moved.add(name)
    return {place: key for place, key in data.items() if place[1] not in moved}


def _recorded_hash(cell: CellResult, part: str) -> str:
    """The hash of the stimuli or of the target in a key, which may be one of an older release."""
    recorded = cell.key.get(part, cell.key["features"]["stimuli"])
    return str(recorded["hash"] if isinstance(recorded, Mapping) else recorded)


def _with_present_data(cell: CellResult, registry: Registry, data: Data) -> dict[str, Any]:
    """The key of a result with the present parts for its data, where the data are known to be the same."""
    key = dict(cell.key)
    if "uncovered" in cell.counts:  # the hash of the stimuli is that of a part of them
        return key
    for part in _DATA:
        name, recorded = key["binding"][part], _recorded_hash(cell, part)
        if (part, name, recorded) in data:
            key[part] = data[part, name, recorded]
        elif part == "stimuli" and part not in key:
            # an older key has the hash alone, which covers all that the entry decides
            entry = registry.dataset(name).entry
            key[part] = {"hash": recorded, "plugin": entry.plugin, "params": entry.params}
    key["features"] = {**key["features"], "stimuli": key["stimuli"]["hash"]}
    return key


def with_present_code(cell: CellResult, registry: Registry, data: Data, *, plug_in: bool) -> CellResult:
    """A result under the key of the present code; its numbers and its provenance stay.

    Parameters
    ----------
    cell : CellResult
    registry : Registry
        Names the plug-ins of its model and its task.
    data : dict
        Present parts for data sets (:func:`present_data`).
    plug_in : bool
        Whether the code of the model's plug-in is taken too.
    """
    key = _with_present_data(cell, registry, data)
    model, task = registry.model(cell.model, cell.suite), registry.task(cell.task)
    features = {**key["features"], "code": extraction_version()}
    if plug_in:
        features["source"] = plugin_source_hash(str(model.entry.plugin), model.base)
    key = {
        **key,
        "features": features,
        "code": code_version(),
        "task_source": plugin_source_hash(task.entry.plugin, task.base),
    }
    return cell.model_copy(update={"key": key})


def publish(
    results: Path, published: Path, registry: Registry, *, moved: bool = False
) -> tuple[list[str], bool]:
    """Publish every scored cell of a run.

    Parameters
    ----------
    results, published : Path
        Folders of results.
    registry : Registry
    moved : bool
        Whether numbers may differ from the published ones.

    Returns
    -------
    lines : list of str
        What was done, a line for each task and for each cell that is refused.
    complete : bool
        Whether every cell was published, or was put under the present code.
    """
    store = ResultStore(published)
    of_run, unread_run = ResultStore(results).all()
    present, unread_present = store.all()
    unread = [*unread_run, *unread_present]
    if unread:
        # nothing is replaced: a published file that was edited may hold any number
        return [f"refused: {reason}" for reason in unread], False
    scored = {s.path.relative_to(results): s for s in of_run if s.cell.status == "scored"}
    fresh = {path: s.cell for path, s in scored.items()}
    others = {s.path.relative_to(published): s.cell for s in present}
    replaced = {path: others.pop(path) for path in fresh if path in others}
    gaps = {path: difference(old, fresh[path]) for path, old in replaced.items()}
    data = present_data((old, fresh[path], gaps[path]) for path, old in replaced.items())
    refused = {path: gap for path, gap in gaps.items() if gap > TOLERANCE and not moved}
    for path in fresh.keys() - refused.keys():
        store.write(fresh[path], _passed_on(ResultStore(results), scored[path]))
    for one in ResultStore(results).refusals()[0]:
        if _of_the_model(one.cell) and not store.path_for(*_named(one.cell)).exists():
            store.refuse(one.cell)

    gaps_of: dict[Code, list[float]] = defaultdict(list)
    for path, gap in gaps.items():
        gaps_of[_task_code(replaced[path])].append(gap)
        gaps_of[_model_code(replaced[path], registry)].append(gap)
    equal = {code for code, values in gaps_of.items() if max(values) <= TOLERANCE}
    # a model that is built from another has two keys of features
    left = [p for p, c in others.items() if _task_code(c) not in equal or "built_from" in c.key["features"]]
    kept = []
    for path in others.keys() - left:
        plug_in = _model_code(others[path], registry) in equal
        restamped = with_present_code(others[path], registry, data, plug_in=plug_in)
        store.write(restamped, store.arrays(Stored(published / path, others[path])))
        if not plug_in:
            kept.append(path)

    lines = [
        f"refused {p}: numbers differ from the published ones by up to {g:.3g}" for p, g in refused.items()
    ]
    lines += [f"left {p}: no equal cell of its task and code speaks for it" for p in left]
    lines += [
        f"kept the code of the model of {p}: no equal cell of its plug-in speaks for it" for p in sorted(kept)
    ]
    for (name, *_), values in gaps_of.items():
        lines.append(f"{name}: {len(values)} cells, greatest difference from the published {max(values):.3g}")
    return lines, not refused and not left


def _passed_on(store: ResultStore, stored: Stored) -> dict[str, np.ndarray]:
    """The arrays of a result that are published: of drawings of the project, and small."""
    return small(stored.cell, store.arrays(stored)) if stored.cell.miniature else {}


def _named(cell: CellResult) -> tuple[str, str, str]:
    return cell.suite, cell.binding, cell.model


def _of_the_model(cell: CellResult) -> bool:
    """Whether a cell was refused for what its model or task is: a reason with a path is of one machine."""
    return "/" not in (cell.reason or "")


def _task_code(cell: CellResult) -> Code:
    """The task of a result, and the code that scored it."""
    return cell.task, cell.key["code"], cell.key["task_source"]


def _model_code(cell: CellResult, registry: Registry) -> Code:
    """The plug-in of a result's model, and the code that made the features."""
    plug_in = str(registry.model(cell.model, cell.suite).entry.plugin).partition(":")[0]
    features = cell.key["features"]
    return plug_in, features["code"], features["source"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Publish the results of a run.")
    parser.add_argument("results", type=Path, help="folder of the run")
    parser.add_argument("--moved", action="store_true", help="the numbers are meant to differ")
    asked = parser.parse_args()
    report, done = publish(asked.results, PUBLISHED, load_registry(), moved=asked.moved)
    print("\n".join(report))
    sys.exit(0 if done else 1)
